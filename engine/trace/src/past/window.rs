//! The last events, where some of them are missing, and how many there were before.

use super::Keep;
use crate::event::Event;
use std::collections::VecDeque;

/// Places where events are missing; more are counted at the last one.
const GAPS: usize = 4_096;

/// Events that were lost, at one place among those that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How many.
    pub lost: u64,
    /// Their ring, as [`crate::RingRow::index`] counts; `None` when it may be any, or several.
    pub ring: Option<u32>,
    /// The stamp from which on nothing is missing there, in nanoseconds; `None` when there is no telling.
    pub until: Option<u64>,
}

impl Gap {
    /// Takes in what was lost at the same place, or behind it.
    fn add(&mut self, other: &Self) {
        self.lost = self.lost.saturating_add(other.lost);
        self.ring = self.ring.filter(|_| self.ring == other.ring);
        self.until = self.until.zip(other.until).map(|(a, b)| a.max(b));
    }
}

/// The last events in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct Window {
    events: VecDeque<Event>,
    /// Gaps, each with the number of the event that it stands before, in their order.
    gaps: VecDeque<(u64, Gap)>,
    /// Events that came so far, kept or not.
    came: u64,
    /// Those that came or were lost before all that is kept; up to which stamp some of them may be missing.
    before: u64,
    before_until: u64,
    /// No event can be later than this. One that says so is wrong, and does not say until when others are missing.
    latest: u64,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            events: VecDeque::new(),
            gaps: VecDeque::new(),
            came: 0,
            before: 0,
            before_until: 0,
            latest: u64::MAX,
        }
    }
}

impl Window {
    pub(super) fn event(&mut self, event: &Event, keep: &Keep) {
        // Room first: one event more than there may be would double it.
        while self.events.len() >= keep.events.max(1) {
            self.forget_first();
        }
        self.came += 1;
        self.events.push_back(*event);
        if keep.events == 0 {
            self.forget_first();
        }
    }

    pub(super) fn gap(&mut self, gap: Gap) {
        let full = self.gaps.len() >= GAPS;
        match self.gaps.back_mut() {
            // When there are too many, said too early rather than not at all: something may be missing from there on.
            Some((at, last)) if full || *at == self.came => last.add(&gap),
            _ => self.gaps.push_back((self.came, gap)),
        }
        self.forget_gaps();
    }

    /// Events older than `stale` go, and those behind `latest` once they are the oldest that came.
    pub(super) fn trim(&mut self, stale: u64, latest: u64) {
        self.latest = latest;
        let goes = |event: &Event| event.at < stale || event.at > latest;
        while self.events.front().is_some_and(goes) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let Some(event) = self.events.pop_front() else {
            return;
        };
        self.before = self.before.saturating_add(1);
        self.missing_until(event.at);
        self.forget_gaps();
    }

    /// What stands before the first event that is kept is no gap but the window's beginning.
    fn forget_gaps(&mut self) {
        let first = self.came - self.events.len() as u64;
        while self.gaps.front().is_some_and(|&(at, _)| at <= first) {
            let Some((_, gap)) = self.gaps.pop_front() else {
                return;
            };
            self.before = self.before.saturating_add(gap.lost);
            self.missing_until(gap.until.unwrap_or(0));
        }
    }

    fn missing_until(&mut self, at: u64) {
        self.before_until = self.before_until.max(at.min(self.latest));
    }

    pub(super) fn events(&self) -> &VecDeque<Event> {
        &self.events
    }

    /// Gaps, each with the index of the event that it stands before.
    pub(super) fn gaps(&self) -> impl DoubleEndedIterator<Item = (usize, Gap)> {
        let first = self.came - self.events.len() as u64;
        let index = move |at: u64| usize::try_from(at - first).unwrap_or(usize::MAX);
        self.gaps.iter().map(move |&(at, gap)| (index(at), gap))
    }

    /// What came, or was lost, before the first event that is kept; `None` when that is the engine's first.
    pub(super) fn before(&self) -> Option<Gap> {
        (self.before > 0).then_some(Gap {
            lost: self.before,
            ring: None,
            until: Some(self.before_until),
        })
    }
}

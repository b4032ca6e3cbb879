//! Where in time the screen is: at the present, or at a moment before it. What is read is taken in all the same.

use crate::source::Update;
use std::cell::OnceCell;
use wq_trace::model::{Limits, Model};
use wq_trace::past::{Keep, Past, Playhead};

/// The past, and the moment of it that is shown.
#[derive(Debug)]
pub struct Time {
    past: Past,
    head: Playhead,
    /// The model of that moment, once somebody asked for it. It stays, whatever is forgotten meanwhile.
    shown: OnceCell<Box<Model>>,
}

/// Where the moment shown stands among the states that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which state, counted from 0.
    pub index: usize,
    /// How many there are.
    pub len: usize,
    /// The stamps of the oldest and the newest, in nanoseconds on the segment's clock.
    pub span: (u64, u64),
}

/// How far a step in time came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// As far as it should, or at least somewhere else.
    Moved,
    /// Nowhere: there is nothing older.
    Oldest,
    /// Nowhere: there is nothing newer.
    Newest,
}

impl Time {
    /// The present of something that nothing is known of yet.
    pub fn new(keep: Keep) -> Self {
        Self {
            past: Past::new(keep),
            head: Playhead::default(),
            shown: OnceCell::new(),
        }
    }

    /// What was read until now. While a moment is held, its events are those that were there when it began to be.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// Whether a moment is held, instead of going on with what comes.
    pub fn is_held(&self) -> bool {
        !self.head.is_at_end()
    }

    /// The model of the moment shown; `now` is that of the present.
    pub fn model<'a>(&'a self, now: &'a Model) -> &'a Model {
        if !self.is_held() {
            return now;
        }
        self.shown.get_or_init(|| {
            let index = self.head.index(&self.past);
            let model = index.and_then(|index| self.past.at(index, Limits::default()));
            Box::new(model.unwrap_or_else(|| now.clone()))
        })
    }

    /// Where the moment shown is; `None` at the present.
    pub fn place(&self) -> Option<Place> {
        if !self.is_held() {
            return None;
        }
        let stamp = |index| self.past.states().nth(index).map(|state| state.at);
        let len = self.past.len();
        Some(Place {
            index: self.head.index(&self.past)?,
            len,
            span: (stamp(0)?, stamp(len - 1)?),
        })
    }

    /// Whether the events of what is shown are there, or at least the last of them: those of moments longer ago are not.
    pub fn has_events(&self, shown: &Model) -> bool {
        let first = self.past.events().next().map(|event| event.at);
        let all = self.past.before().is_none();
        !self.is_held() || all || first.is_some_and(|first| first <= shown.at())
    }

    /// Takes in what was read.
    pub fn take_in(&mut self, update: &Update) {
        for state in &update.earlier {
            self.past.snapshot(state);
        }
        let mut gaps = update.gaps.iter().peekable();
        for (index, event) in update.events.iter().enumerate() {
            while let Some((_, gap)) = gaps.next_if(|(at, _)| *at <= index) {
                self.past.gap(gap.lost, gap.ring, gap.until);
            }
            self.past.event(event);
        }
        gaps.for_each(|(_, gap)| self.past.gap(gap.lost, gap.ring, gap.until));
        self.past.lost(update.lost);
        if let Some(state) = &update.snapshot {
            self.past.snapshot(state);
        }
    }

    /// Holds what is shown, which is `now`.
    pub fn hold(&mut self, now: &Model) {
        if self.is_held() {
            return;
        }
        self.head.hold(&self.past);
        if self.is_held() {
            self.past.hold();
            // As it was seen: what is known from events that have been forgotten since is in it, too.
            self.shown = OnceCell::from(Box::new(now.clone()));
        }
    }

    /// Goes so many states on, or back when negative, and holds what is there.
    pub fn step(&mut self, now: &Model, by: isize) -> Stepped {
        let nowhere = if by < 0 {
            Stepped::Oldest
        } else {
            Stepped::Newest
        };
        let at = |time: &Self| {
            let index = time.head.index(&time.past)?;
            time.past.states().nth(index).map(|state| state.at)
        };
        let (held, before) = (self.is_held(), at(self));
        if !held && (by >= 0 || self.past.len() < 2) {
            return nowhere;
        }
        self.hold(now);
        self.head.step(&self.past, by);
        if at(self) == before {
            return nowhere;
        }
        self.shown = OnceCell::new();
        Stepped::Moved
    }

    /// Goes to the present, and on with it.
    pub fn go_on(&mut self) {
        self.head.end();
        self.past.release();
        self.shown = OnceCell::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wq_trace::past::JUMP;
    use wq_trace::{Event, FuncId, PoolId, Snapshot, What, WorkerId, WqId};

    const S: u64 = 1_000_000_000;

    fn event(at: u64) -> Event {
        Event {
            at,
            cpu: 0,
            tid: 7,
            wq: WqId(1),
            pool: PoolId(1),
            worker: WorkerId::NONE,
            func: FuncId(2),
            from: FuncId::NONE,
            work: 1,
            what: What::QueueWork { req_cpu: 0, cpu: 0 },
        }
    }

    fn update(at: u64) -> Update {
        Update {
            snapshot: Some(Snapshot {
                at: at * S,
                ..Snapshot::default()
            }),
            events: vec![event(at * S - 1)],
            lost: 1,
            ..Update::default()
        }
    }

    /// What a screen has seen for so many seconds, and what it shows.
    fn watched(seconds: u64) -> (Time, Model) {
        let (mut time, mut now) = (Time::new(Keep::default()), Model::new(Limits::default()));
        (1..=seconds).for_each(|at| later(&mut time, &mut now, at));
        (time, now)
    }

    fn later(time: &mut Time, now: &mut Model, at: u64) {
        let update = update(at);
        time.take_in(&update);
        update
            .events
            .iter()
            .for_each(|event| now.apply_event(event));
        now.apply_lost(update.lost);
        update
            .snapshot
            .iter()
            .for_each(|state| now.apply_snapshot(state));
    }

    #[test]
    fn a_held_moment_stays_as_it_was_seen() {
        let (mut time, mut now) = watched(300);
        time.hold(&now);
        let seen = |time: &Time, now: &Model| {
            let model = time.model(now);
            let producers = model.producers().iter().map(|(p, _)| p.count).sum::<u64>();
            (
                model.at() / S,
                model.history().len(),
                model.lost_events(),
                producers,
            )
        };
        let before = seen(&time, &now);
        assert_eq!(before, (300, 300, 300, 300));
        let events = time.past().events().len();
        (301..5_000).for_each(|at| later(&mut time, &mut now, at));
        assert_eq!(seen(&time, &now), before, "although its state is long gone");
        assert_eq!(time.past().events().len(), events);
        assert_eq!(
            time.past().events().next_back().map(|e| e.at),
            Some(300 * S - 1)
        );
        time.go_on();
        assert_eq!(seen(&time, &now), (4_999, 600, 4_999, 4_999));
        assert_eq!((time.place(), time.is_held()), (None, false));
    }

    #[test]
    fn steps_go_back_and_on_and_no_further_than_there_are_states() {
        let (mut time, mut now) = watched(15);
        let at = |time: &Time, now: &Model| time.model(now).at() / S;
        assert_eq!(time.step(&now, 1), Stepped::Newest);
        assert!(!time.is_held(), "the present goes on");
        assert_eq!(time.step(&now, -1), Stepped::Moved);
        assert_eq!((at(&time, &now), time.is_held()), (14, true));
        assert_eq!(time.step(&now, -JUMP), Stepped::Moved);
        assert_eq!(at(&time, &now), 4);
        assert_eq!(time.step(&now, -JUMP), Stepped::Moved, "to the oldest");
        assert_eq!(time.step(&now, -JUMP), Stepped::Oldest);
        assert_eq!(at(&time, &now), 1);
        let place = Place {
            index: 0,
            len: 15,
            span: (S, 15 * S),
        };
        assert_eq!(time.place(), Some(place));
        assert_eq!(time.step(&now, 100), Stepped::Moved);
        assert_eq!(time.step(&now, 1), Stepped::Newest);
        later(&mut time, &mut now, 16);
        assert_eq!(at(&time, &now), 15);
        assert_eq!(time.step(&now, 1), Stepped::Moved, "that came meanwhile");
        assert_eq!(at(&time, &now), 16);
    }

    #[test]
    fn of_one_state_or_none_there_is_nothing_before() {
        let (mut time, now) = watched(0);
        time.hold(&now);
        assert!(!time.is_held());
        assert_eq!(time.step(&now, -1), Stepped::Oldest);
        let (mut time, now) = watched(1);
        assert_eq!(time.step(&now, -1), Stepped::Oldest);
        assert!(!time.is_held());
        time.hold(&now);
        assert_eq!(time.step(&now, -1), Stepped::Oldest);
        assert_eq!(
            time.place().map(|place| (place.index, place.len)),
            Some((0, 1))
        );
    }

    #[test]
    fn gaps_come_to_stand_where_they_were() {
        let mut time = Time::new(Keep::default());
        let gap = |lost| wq_trace::past::Gap {
            lost,
            ring: Some(0),
            until: None,
        };
        let update = Update {
            events: vec![event(1), event(2)],
            gaps: vec![(0, gap(9)), (1, gap(5)), (2, gap(7))],
            ..Update::default()
        };
        time.take_in(&update);
        let gaps: Vec<_> = time.past().gaps().map(|(at, gap)| (at, gap.lost)).collect();
        assert_eq!(gaps, [(1, 5), (2, 7)]);
        assert_eq!(time.past().before().map(|gap| gap.lost), Some(9));
    }
}

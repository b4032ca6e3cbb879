//! Waiting for everything that was queued on a workqueue: the colour algorithm of `__flush_workqueue()`.
//!
//! Every item gets the workqueue's present `work_color`. A flush takes that colour and advances it, so later items
//! are told apart; it is done when no item of its colour, nor of an older one, is in flight on any pwq. Colours are
//! flushed one at a time, oldest first (`flush_color`): the first flusher's colour is *armed* on the pwqs, and each
//! pwq reports once when its last item of that colour is gone. With 16 colours at most 15 can be on their way;
//! further flushers wait in `overflow` and share the next free colour.

use crate::pool::NR_COLORS;
use std::collections::VecDeque;

/// The pwqs of a workqueue, as a flush sees them. Each call takes every pool's lock in turn.
pub(crate) trait Pwqs {
    /// Gives this colour to items that are queued from now on.
    fn set_work_color(&mut self, color: u8);

    /// Lets every pwq with items of this colour in flight report when the last of them is gone.
    /// Returns how many will.
    fn arm(&mut self, color: u8) -> usize;
}

/// See the module. `W`: the workqueue's flush mutex.
#[derive(Debug)]
pub(crate) struct FlushState<W> {
    /// The colour of new items.
    work_color: u8,
    /// The oldest colour that is not known to be flushed.
    flush_color: u8,
    /// Pwqs that have yet to report.
    to_report: usize,
    /// Flushers with their colours, oldest first; the front one's colour is armed.
    flushers: VecDeque<(W, u8)>,
    /// Flushers without a colour.
    overflow: Vec<W>,
}

/// Whether a flush has to wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begin<W> {
    /// There was nothing to wait for; the waiter is handed back.
    Done(W),
    /// The waiter will be completed.
    Waiting,
}

fn next(color: u8) -> u8 {
    (color + 1) % NR_COLORS as u8
}

impl<W> Default for FlushState<W> {
    fn default() -> Self {
        Self {
            work_color: 0,
            flush_color: 0,
            to_report: 0,
            flushers: VecDeque::new(),
            overflow: Vec::new(),
        }
    }
}

impl<W> FlushState<W> {
    /// The colour of items that are queued from now on.
    pub(crate) fn work_color(&self) -> u8 {
        self.work_color
    }

    /// `waiter` wants everything queued before this call to be over.
    pub(crate) fn begin(&mut self, waiter: W, pwqs: &mut impl Pwqs) -> Begin<W> {
        if next(self.work_color) == self.flush_color {
            self.overflow.push(waiter);
            return Begin::Waiting;
        }
        let mine = self.take_color(pwqs);
        self.flushers.push_back((waiter, mine));
        if self.flushers.len() == 1 {
            self.to_report = pwqs.arm(mine);
            if self.to_report == 0 {
                self.flush_color = self.work_color;
                let (waiter, _) = self.flushers.pop_front().expect("it was just pushed");
                return Begin::Done(waiter);
            }
        }
        Begin::Waiting
    }

    /// Everybody who waits.
    pub(crate) fn waiters(&self) -> impl Iterator<Item = &W> {
        let with_color = self.flushers.iter().map(|(waiter, _)| waiter);
        with_color.chain(&self.overflow)
    }

    /// One pwq has nothing of the armed colour in flight any more. Returns the waiters that are done.
    pub(crate) fn pwq_flushed(&mut self, pwqs: &mut impl Pwqs) -> Vec<W> {
        self.to_report -= 1;
        let mut done = Vec::new();
        while self.to_report == 0 && !self.flushers.is_empty() {
            self.finish_color(&mut done);
            if !self.overflow.is_empty() {
                let color = self.take_color(pwqs);
                self.flushers
                    .extend(self.overflow.drain(..).map(|waiter| (waiter, color)));
            }
            if let Some((_, color)) = self.flushers.front() {
                self.to_report = pwqs.arm(*color);
            }
        }
        done
    }

    /// The colours, a bit each, that the waiter which `is` tells waits for; `None` if it does not wait any more.
    ///
    /// Who has no colour yet gets one that is not older than anything in flight now.
    pub(crate) fn awaited(&self, is: impl Fn(&W) -> bool) -> Option<u16> {
        if self.overflow.iter().any(&is) {
            return Some(u16::MAX);
        }
        let mine = self.flushers.iter().find(|(waiter, _)| is(waiter))?.1;
        let mut color = self.flush_color;
        let mut colors = 1 << color;
        while color != mine {
            color = next(color);
            colors |= 1 << color;
        }
        Some(colors)
    }

    /// The armed colour is flushed: all flushers that share it are done.
    fn finish_color(&mut self, done: &mut Vec<W>) {
        let color = self.flush_color;
        while self
            .flushers
            .front()
            .is_some_and(|(_, theirs)| *theirs == color)
        {
            done.extend(self.flushers.pop_front().map(|(waiter, _)| waiter));
        }
        self.flush_color = next(color);
    }

    /// The present colour; new items get the next one.
    fn take_color(&mut self, pwqs: &mut impl Pwqs) -> u8 {
        let color = self.work_color;
        self.work_color = next(color);
        pwqs.set_work_color(self.work_color);
        color
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One pwq: items in flight by colour.
    #[derive(Default)]
    struct OnePwq {
        color: u8,
        in_flight: [u32; NR_COLORS],
        armed: Option<u8>,
    }

    impl Pwqs for OnePwq {
        fn set_work_color(&mut self, color: u8) {
            self.color = color;
        }

        fn arm(&mut self, color: u8) -> usize {
            self.armed = (self.in_flight[usize::from(color)] > 0).then_some(color);
            usize::from(self.armed.is_some())
        }
    }

    impl OnePwq {
        fn queue(&mut self) -> u8 {
            self.in_flight[usize::from(self.color)] += 1;
            self.color
        }

        /// Ends an item; returns whether the pwq reports.
        fn end(&mut self, color: u8) -> bool {
            self.in_flight[usize::from(color)] -= 1;
            let reports = self.in_flight[usize::from(color)] == 0 && self.armed == Some(color);
            if reports {
                self.armed = None;
            }
            reports
        }
    }

    #[test]
    fn nothing_in_flight_is_flushed_at_once_any_number_of_times() {
        let (mut flush, mut pwq) = (FlushState::default(), OnePwq::default());
        for round in 0..100 {
            assert_eq!(flush.begin(round, &mut pwq), Begin::Done(round));
        }
    }

    #[test]
    fn a_flush_waits_for_what_was_before_it_and_for_nothing_else() {
        let (mut flush, mut pwq) = (FlushState::default(), OnePwq::default());
        let first = pwq.queue();
        assert_eq!(flush.begin("one", &mut pwq), Begin::Waiting);
        let second = pwq.queue();
        assert_ne!(first, second);
        assert_eq!(flush.begin("two", &mut pwq), Begin::Waiting);
        // The later item ends first: nobody is done, since the older colour is not.
        assert!(!pwq.end(second));
        assert!(pwq.end(first));
        assert_eq!(flush.pwq_flushed(&mut pwq), ["one", "two"]);
    }

    #[test]
    fn flushers_beyond_the_colours_share_one_and_all_are_done() {
        let (mut flush, mut pwq) = (FlushState::default(), OnePwq::default());
        let mut items = Vec::new();
        for waiter in 0..40 {
            items.push(pwq.queue());
            assert_eq!(flush.begin(waiter, &mut pwq), Begin::Waiting);
        }
        let mut done = Vec::new();
        for color in items {
            if pwq.end(color) {
                done.extend(flush.pwq_flushed(&mut pwq));
            }
        }
        assert_eq!(done, (0..40).collect::<Vec<_>>());
        assert_eq!(flush.begin(40, &mut pwq), Begin::Done(40));
    }
}

//! The pwqs of a workqueue that have called for help, and its rescuer, which goes from one to the next.
//! Kernel: `wq->maydays`, protected by `wq_mayday_lock`.

use std::collections::VecDeque;

/// `P` is a pwq. Whether one is on the list, the pwq itself says: none is on it twice.
#[derive(Debug)]
pub(crate) struct Maydays<P> {
    waiting: VecDeque<P>,
    /// The rescuer is about to look, or is at a pwq after which it will.
    awake: bool,
}

impl<P> Default for Maydays<P> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            awake: false,
        }
    }
}

impl<P> Maydays<P> {
    /// A pwq calls for help. Returns whether the rescuer is to be woken.
    pub(crate) fn send(&mut self, pwq: P) -> bool {
        self.waiting.push_back(pwq);
        !std::mem::replace(&mut self.awake, true)
    }

    /// The pwq that the rescuer goes to next. `None`: it sleeps until it is woken.
    pub(crate) fn next(&mut self) -> Option<P> {
        let next = self.waiting.pop_front();
        self.awake = next.is_some();
        next
    }

    /// Do pwqs wait for the rescuer?
    pub(crate) fn others_wait(&self) -> bool {
        !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_call_is_helped_first_and_wakes_the_rescuer_once() {
        let mut maydays = Maydays::default();
        assert!(!maydays.others_wait());
        assert!(maydays.send("a"), "it slept");
        assert!(!maydays.send("b"), "it is awake");
        assert_eq!(maydays.next(), Some("a"));
        assert!(maydays.others_wait());
        assert!(!maydays.send("a"), "it is at a pwq");
        assert_eq!((maydays.next(), maydays.next()), (Some("b"), Some("a")));
        assert_eq!(maydays.next(), None);
        assert!(maydays.send("c"), "it sleeps again");
    }
}

//! The descriptors that sensing may keep open, of all engines of the process together.

use crate::os;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::shared;

/// Most that are kept, however many the process may have.
const MOST: usize = 8192;

shared! {
    /// How many are held.
    static HELD: Places = Places(AtomicUsize::new(0));
}

/// The budget: half of what the process may have open (`RLIMIT_NOFILE`, the soft limit), at most 8,192. The rest is the
/// program's. Sensing goes without keeping a descriptor when it is spent; it never raises the limit, since a
/// program that uses `select(2)` relies on it.
pub(crate) struct Descriptors;

/// A place in the budget; dropping it gives it back.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub(crate) struct Held(&'static Places);

impl Descriptors {
    /// A place for one descriptor that is kept open, or none if all are taken. A system call and an atomic step, from
    /// any thread.
    pub(crate) fn take() -> Option<Held> {
        HELD.take(Self::limit())
    }

    /// How many may be held. The program may change it at any time; a lower one only stops that more are taken.
    pub(crate) fn limit() -> usize {
        share_of(os::descriptor_limit())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts; nothing else is ordered by it.
#[derive(Debug)]
struct Places(AtomicUsize);

impl Places {
    fn take(&'static self, limit: usize) -> Option<Held> {
        let one_more = |held| (held < limit).then_some(held + 1);
        let held = &self.0;
        let taken = held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.ok().map(|_| Held(self))
    }
}

/// What sensing may have of so many; `None`: any number.
fn share_of(all: Option<u64>) -> usize {
    let half = all.map_or(MOST as u64, |all| all / 2);
    usize::try_from(half).map_or(MOST, |half| half.min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_descriptors_are_left_to_the_program() {
        assert_eq!(share_of(Some(1024)), 512);
        assert_eq!(share_of(Some(32)), 16);
        assert_eq!(share_of(Some(1)), 0);
        assert_eq!(share_of(Some(0)), 0);
        assert_eq!(share_of(Some(1 << 20)), MOST);
        assert_eq!(share_of(Some(u64::MAX)), MOST);
        assert_eq!(share_of(None), MOST);
        assert_eq!(Descriptors::limit(), share_of(os::descriptor_limit()));
    }

    #[test]
    fn what_is_spent_comes_back() {
        let places: &'static Places = Box::leak(Box::new(Places(AtomicUsize::new(0))));
        assert!(places.take(0).is_none());
        let (one, two) = (places.take(2), places.take(2));
        assert!(one.is_some() && two.is_some());
        for _ in 0..3 {
            assert!(places.take(2).is_none(), "a refusal gives nothing back");
        }
        drop(one);
        assert!(places.take(1).is_none(), "the limit has sunk");
        assert!(places.take(2).is_some());
        drop(two);
        assert_eq!(places.0.load(Ordering::Relaxed), 0);
    }

    /// Other tests hold some at the same time, but never this many.
    #[test]
    fn a_place_is_held_until_it_is_dropped() {
        let limit = Descriptors::limit();
        for _ in 0..3 * limit {
            assert!(Descriptors::take().is_some());
        }
    }
}

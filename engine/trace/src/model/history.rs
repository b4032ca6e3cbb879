//! What was, one point for each snapshot, in a bounded number of points.

use std::collections::VecDeque;

/// The last points of something; when full, the oldest goes.
#[derive(Clone, Debug)]
pub struct History<T> {
    points: VecDeque<T>,
    capacity: usize,
}

impl<T> History<T> {
    /// Room for `capacity` points, at least one. Memory is taken as points come.
    pub fn new(capacity: usize) -> Self {
        Self {
            points: VecDeque::new(),
            capacity: capacity.max(1),
        }
    }

    /// Adds the latest point.
    pub fn push(&mut self, point: T) {
        if self.points.len() == self.capacity {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// Makes room for `capacity` points, at least one; the oldest that find none go, and their memory too.
    pub fn resize(&mut self, capacity: usize) {
        let capacity = capacity.max(1);
        if capacity < self.capacity {
            let excess = self.points.len().saturating_sub(capacity);
            self.points.drain(..excess);
            self.points.shrink_to(capacity);
        }
        self.capacity = capacity;
    }

    /// The points, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.points.iter()
    }

    /// The latest point.
    pub fn last(&self) -> Option<&T> {
        self.points.back()
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// How many points there can be.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

/// A pool at the moment of one snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PoolPoint {
    /// When, in nanoseconds on the segment's clock.
    pub at: u64,
    /// The concurrency level.
    pub nr_running: u32,
    /// All workers.
    pub workers: u32,
    /// Workers that execute an item, sleeping or not.
    pub busy: u32,
    /// Idle workers.
    pub idle: u32,
    /// Items on the worklist.
    pub pending: u32,
    /// Executions begun per second since the snapshot before.
    pub started_per_s: f64,
}

/// A workqueue at the moment of one snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkqueuePoint {
    /// When, in nanoseconds on the segment's clock.
    pub at: u64,
    /// Items queued per second since the snapshot before.
    pub queued_per_s: f64,
    /// Executions begun per second since the snapshot before.
    pub started_per_s: f64,
    /// Items pending or inactive.
    pub backlog: u64,
    /// Items executing.
    pub running: u64,
}

/// A function at the moment of one snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FunctionPoint {
    /// When, in nanoseconds on the segment's clock.
    pub at: u64,
    /// Executions begun per second since the snapshot before.
    pub started_per_s: f64,
    /// CPU time of the executions that ended since the snapshot before, as a share of one CPU.
    pub cpu: f64,
    /// Items pending or inactive.
    pub backlog: u64,
}

/// The whole engine at the moment of one snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TotalPoint {
    /// When, in nanoseconds on the segment's clock.
    pub at: u64,
    /// Events written per second since the snapshot before.
    pub events_per_s: f64,
    /// Items queued per second since the snapshot before.
    pub queued_per_s: f64,
    /// Executions begun per second since the snapshot before.
    pub started_per_s: f64,
    /// Items pending or inactive.
    pub backlog: u64,
    /// Items executing.
    pub running: u64,
    /// All workers.
    pub workers: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut history = History::new(3);
        assert!(history.is_empty());
        for n in 0..5 {
            history.push(n);
        }
        assert_eq!(history.iter().copied().collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(
            (history.len(), history.capacity(), history.last()),
            (3, 3, Some(&4))
        );
    }

    #[test]
    fn with_less_room_the_newest_stay_and_memory_is_given_back() {
        let mut history = History::new(600);
        (0..600).for_each(|n| history.push(n));
        history.resize(37);
        assert_eq!((history.len(), history.iter().next()), (37, Some(&563)));
        assert!(
            history.points.capacity() < 64,
            "{}",
            history.points.capacity()
        );
        history.resize(40);
        (600..700).for_each(|n| history.push(n));
        assert_eq!((history.len(), history.last()), (40, Some(&699)));
    }

    #[test]
    fn there_is_room_for_one_at_least() {
        let mut history = History::new(0);
        history.push(1);
        history.push(2);
        assert_eq!(history.iter().copied().collect::<Vec<_>>(), [2]);
    }
}

//! How much somebody queued in each of the last seconds.

/// Length of one slice, in nanoseconds.
const SLICE_NS: u64 = 1_000_000_000;
/// Slices, the one that is being filled not counted.
const SLICES: u64 = 8;

/// Items in each of the last 8 seconds and in the one that is being filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// At `slice % len`.
    items: [u32; SLICES as usize + 1],
    /// The slice in which the newest of them was.
    newest: u64,
}

impl Window {
    /// Nothing yet; the second of `at` is the newest.
    pub(super) fn at(at: u64) -> Self {
        Self {
            items: [0; SLICES as usize + 1],
            newest: at / SLICE_NS,
        }
    }

    /// One item more at that moment.
    pub(super) fn record(&mut self, at: u64) {
        self.add(at / SLICE_NS, 1);
    }

    /// What another window has on top of this one.
    pub(super) fn take_in(&mut self, other: &Self) {
        for slice in other.newest.saturating_sub(SLICES)..=other.newest {
            self.add(slice, other.items_in(slice));
        }
    }

    fn add(&mut self, slice: u64, items: u32) {
        self.turn_to(slice);
        // Rings are read one after another: an event may belong to a slice before the newest.
        if self.has(slice) {
            let place = &mut self.items[place(slice)];
            *place = place.saturating_add(items);
        }
    }

    /// Forgets everything if the newest is later than `at`: nothing that came since had a place.
    pub(super) fn forget_after(&mut self, at: u64) {
        if self.newest > at / SLICE_NS {
            *self = Self::at(at);
        }
    }

    /// Empties the slices that come into use when `slice` is the newest.
    fn turn_to(&mut self, slice: u64) {
        if slice <= self.newest {
            return;
        }
        let steps = (slice - self.newest).min(SLICES + 1);
        for step in 0..steps {
            self.items[place(slice - step)] = 0;
        }
        self.newest = slice;
    }

    fn has(&self, slice: u64) -> bool {
        slice <= self.newest && slice.saturating_add(SLICES) >= self.newest
    }

    fn items_in(&self, slice: u64) -> u32 {
        match self.has(slice) {
            true => self.items[place(slice)],
            false => 0,
        }
    }

    /// Items in each of the last 8 whole seconds before `now`, oldest first.
    pub(super) fn seconds(&self, now: u64) -> Vec<u32> {
        let current = now / SLICE_NS;
        (current.saturating_sub(SLICES)..current)
            .map(|slice| self.items_in(slice))
            .collect()
    }

    /// Items in the last 8 whole seconds before `now` and in the one that has begun.
    pub(super) fn lately(&self, now: u64) -> u64 {
        let current = now / SLICE_NS;
        let slices = current.saturating_sub(SLICES)..=current;
        slices.map(|slice| u64::from(self.items_in(slice))).sum()
    }

    /// Items per second over the last 8 whole seconds before `now`, fewer if events are only seen since `first`.
    pub(super) fn rate(&self, now: u64, first: u64) -> f64 {
        let current = now / SLICE_NS;
        let oldest = current.saturating_sub(SLICES).max(first / SLICE_NS);
        let items = |slice: u64| u64::from(self.items_in(slice));
        if oldest == current {
            // The first second: what there is, over the time that there was.
            let ns = now.saturating_sub(first).max(SLICE_NS / 10);
            return items(current) as f64 * 1e9 / ns as f64;
        }
        let sum: u64 = (oldest..current).map(items).sum();
        // The first slice may have been seen in part only.
        let from = (oldest * SLICE_NS).max(first);
        sum as f64 * 1e9 / (current * SLICE_NS - from).max(1) as f64
    }
}

fn place(slice: u64) -> usize {
    (slice % (SLICES + 1)) as usize
}

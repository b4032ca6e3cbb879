//! How many items of a workqueue may be active, as it was asked for and as it is in force.
//! Kernel: `saved_max_active`, `max_active` and their `min_` siblings, `wq_adjust_max_active()`.

/// Least `min_active` default. Kernel: `WQ_DFL_MIN_ACTIVE`.
const DFL_MIN_ACTIVE: usize = 8;

/// See the module. `W`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    saved_max: usize,
    saved_min: usize,
    frozen: bool,
}

impl Limits {
    pub(crate) fn new(max_active: usize) -> Self {
        Self {
            saved_max: max_active,
            saved_min: max_active.min(DFL_MIN_ACTIVE),
            frozen: false,
        }
    }

    /// The limit in force: none may become active while it is frozen.
    pub(crate) fn max(&self) -> usize {
        if self.frozen { 0 } else { self.saved_max }
    }

    /// How many may be active on every node at least, however small its share.
    pub(crate) fn min(&self) -> usize {
        if self.frozen { 0 } else { self.saved_min }
    }

    /// The limit that was asked for; tools show it also while the workqueue is frozen.
    pub(crate) fn configured(&self) -> usize {
        self.saved_max
    }

    /// What every node was to get at least, frozen or not.
    pub(crate) fn configured_min(&self) -> usize {
        self.saved_min
    }

    pub(crate) fn frozen(&self) -> bool {
        self.frozen
    }

    /// Kernel: `workqueue_set_max_active()`. `max` is in range.
    pub(crate) fn set_max(&mut self, max: usize) {
        self.saved_max = max;
        self.saved_min = self.saved_min.min(max);
    }

    /// Kernel: `workqueue_set_min_active()`: cut to what the limit allows.
    pub(crate) fn set_min(&mut self, min: usize) {
        self.saved_min = min.min(self.saved_max);
    }

    /// Returns whether it was not that before.
    pub(crate) fn set_frozen(&mut self, frozen: bool) -> bool {
        std::mem::replace(&mut self.frozen, frozen) != frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lower_maximum_lowers_the_minimum_for_good() {
        let mut limits = Limits::new(100);
        limits.set_max(3);
        assert_eq!((limits.max(), limits.min()), (3, 3));
        limits.set_max(50);
        assert_eq!(limits.min(), 3);
        limits.set_min(60);
        assert_eq!(limits.min(), 50);
    }

    #[test]
    fn frozen_means_none_and_keeps_what_was_asked_for() {
        let mut limits = Limits::new(100);
        assert!(limits.set_frozen(true));
        assert!(!limits.set_frozen(true));
        assert_eq!((limits.max(), limits.min()), (0, 0));
        assert_eq!(limits.configured(), 100);
        assert!(limits.set_frozen(false));
        assert_eq!(limits.max(), 100);
    }
}

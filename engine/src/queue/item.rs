//! What every kind of item that can be taken back has in common.

/// The methods that [`Work`], [`DelayedWork`] and [`EmbeddedWork`] share. Each holds its item as field 0.
///
/// [`Work`]: crate::Work
/// [`DelayedWork`]: crate::DelayedWork
/// [`EmbeddedWork`]: crate::EmbeddedWork
macro_rules! item_methods {
    ($Item:ty) => {
        impl $Item {
            /// Takes the item off its list or timer. Returns whether it was pending; a running execution goes on.
            /// Whoever flushes the item is let go. From any thread. Kernel: `cancel_work()`, `cancel_delayed_work()`.
            pub fn cancel(&self) -> bool {
                $crate::queue::cancel::cancel(&self.0)
            }

            /// Cancels, refuses queueing meanwhile, and waits for a running execution. Returns whether it was
            /// pending.
            ///
            /// Works for items that queue themselves. Called from the item's own function it waits for ever, which is
            /// reported; inside another one the wait counts as sleeping. From any thread; waits.
            /// Kernel: `cancel_work_sync()`, `cancel_delayed_work_sync()`.
            pub fn cancel_sync(&self) -> bool {
                $crate::queue::cancel::cancel_sync(&self.0)
            }

            /// Cancels, and refuses every queueing until [`enable`](Self::enable) was called as often as this.
            /// Returns whether it was pending; a running execution goes on. From any thread.
            ///
            /// At most 65,535 deep; a call beyond that changes nothing more and is said once.
            /// Kernel: `disable_work()`, `disable_delayed_work()`.
            pub fn disable(&self) -> bool {
                $crate::queue::cancel::disable(&self.0)
            }

            /// [`disable`](Self::disable), then waits for a running execution: after it nothing of the item runs
            /// until it is enabled. Returns whether it was pending. From any thread but not from the item's own
            /// function, where it waits for ever, which is reported; waits.
            /// Kernel: `disable_work_sync()`, `disable_delayed_work_sync()`.
            pub fn disable_sync(&self) -> bool {
                $crate::queue::cancel::disable_sync(&self.0)
            }

            /// Takes back one [`disable`](Self::disable). Returns whether the item can be queued now. From any thread.
            ///
            /// Queues nothing: what was refused meanwhile is lost. A call too many is said once, returns true, and
            /// takes a pending item off its list or timer. Kernel: `enable_work()`, `enable_delayed_work()`.
            pub fn enable(&self) -> bool {
                $crate::queue::cancel::enable(&self.0)
            }

            /// Whether the item is queued or on its timer; false from the moment when its function begins. Advisory:
            /// it may have changed already. From any thread. Kernel: `work_pending()`, `delayed_work_pending()`.
            pub fn pending(&self) -> bool {
                self.0.word().pending()
            }

            /// [`BUSY_PENDING`](crate::BUSY_PENDING) and [`BUSY_RUNNING`](crate::BUSY_RUNNING); advisory, it may have
            /// changed already. From any thread. Kernel: `work_busy()`.
            pub fn busy(&self) -> u32 {
                $crate::queue::wait::busy(&self.0)
            }
        }
    };
}

pub(super) use item_methods;

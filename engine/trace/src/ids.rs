//! The identities that events and slots carry. They are given out once per segment and never again.

/// Defines a `u32` identity whose 0 means "none" or "not known".
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// No such thing, or not known.
            pub const NONE: Self = Self(0);

            /// Whether it names something.
            pub fn is_some(self) -> bool {
                self != Self::NONE
            }
        }
    };
}

id!(
    /// A workqueue. Not its name: names may repeat, and a freed workqueue's identity is never used again.
    WqId
);
id!(
    /// A worker pool. Not the number that is shown (`pool 2`, `kworker/u8:0`): that one is reused, as in the kernel.
    PoolId
);
id!(
    /// A pool_workqueue: one workqueue's share of one pool.
    PwqId
);
id!(
    /// A worker. Not the number in its name, which is the lowest free one of its pool.
    WorkerId
);
id!(
    /// A work function, by the name that is shown. Never freed; see [`FuncId::OTHER`].
    FuncId
);

impl FuncId {
    /// Stands for every function after the segment's table of functions was full; shown as `(other)`.
    pub const OTHER: Self = Self(1);
}

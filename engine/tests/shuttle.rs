//! Whole engines under shuttle, which decides at every lock, atomic and wake-up who runs next. Run by `cargo shuttle`.
//!
//! An engine that goes quiet while somebody waits is a deadlock to shuttle, and fails; so do too many steps. A failed
//! check prints the schedule: `WQ_SCHEDULE=... cargo shuttle NAME` runs that one again.
#![cfg(shuttle)]

#[path = "shuttle/rig.rs"]
mod rig;

#[path = "shuttle/canary.rs"]
mod canary;
#[path = "shuttle/cancel.rs"]
mod cancel;
#[path = "shuttle/delayed.rs"]
mod delayed;
#[path = "shuttle/drain.rs"]
mod drain;
#[path = "shuttle/end.rs"]
mod end;
#[path = "shuttle/flush.rs"]
mod flush;
#[path = "shuttle/rescue.rs"]
mod rescue;
#[path = "shuttle/tune.rs"]
mod tune;
#[path = "shuttle/unbound.rs"]
mod unbound;

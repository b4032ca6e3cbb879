//! What the kernel does, row by row: each test holds one row of a description of its behaviour and is named after it.

#[path = "conformance/rig.rs"]
mod rig;
#[path = "conformance/s11_deadlock.rs"]
mod s11_deadlock;
#[path = "conformance/s2_2_destroy.rs"]
mod s2_2_destroy;
#[path = "conformance/s5_4_drain.rs"]
mod s5_4_drain;
#[path = "conformance/s5_flush.rs"]
mod s5_flush;

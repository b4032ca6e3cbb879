//! How blocks are noticed, by canaries and by what stands in for them, through the public API.
//!
//! The tests of this file run one after the other: two engines on one CPU would keep each other's canaries waiting.

#[path = "sensing/accounted.rs"]
mod accounted;
#[path = "sensing/blocks.rs"]
mod blocks;
#[path = "sensing/bounded.rs"]
mod bounded;
#[path = "sensing/moved.rs"]
mod moved;
#[path = "sensing/refused.rs"]
mod refused;
#[path = "sensing/scarce.rs"]
mod scarce;
#[path = "sensing/shown.rs"]
mod shown;
#[path = "sensing/support.rs"]
mod support;

//! End to end: the real binaries, each test in a place of its own.

mod ends;
mod errors;
mod interrupt;
mod limits;
mod live;
mod monitor;
mod place;
mod sensing;
mod timelines;
mod totals;

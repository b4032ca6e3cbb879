//! End to end: the real binaries, each test in a place of its own.

mod ends;
mod errors;
mod interrupt;
mod killed;
mod limits;
mod live;
mod monitor;
mod place;
mod recorded;
mod remains;
mod scored;
mod sensed;
mod sensing;
mod timelines;
mod totals;
mod warned;

//! Workload scripts for wq: loaded and checked, and what comes out of a replay held against what they expect.
//!
//! A script is TOML (`workloads/README.md` is its language). [`load`] turns it into a [`Script`]: a
//! [`Program`](wq_engine::sim::Program) for the simulator or for threads, and the expectations that
//! [`expect::evaluate`] holds against the [`report::Report`] of a replay.

pub mod cli;
pub mod exec;
pub mod expect;
pub mod report;
mod script;
pub mod style;
mod units;

pub use script::{Machine, Script, ScriptError, ScriptErrors, load, load_for, parse};

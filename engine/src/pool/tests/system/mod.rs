//! Whole engines without threads: several pools, several workqueues, nodes, items with their state words. The pure
//! centre is driven as the runtime and the simulator drive it, beside a naive model written from the rules, and both
//! are compared after every step.
//!
//! - `model`: what there is, in plain lists, and the questions that are asked of it.
//! - `items`: the rules for queueing, slots, cancelling and flushing.
//! - `tuning`: the rules for limits, freezing and attributes.
//! - `workers`, `lives`: the rules for workers, for rescuers, and for CPUs that leave.
//! - `real`, `wiring`: the pure centre, and what executes its effects.
//! - `world`, `draining`: what can happen, to both; `compare`: whether both agree.
//! - `random`: the property tests.

mod compare;
mod draining;
mod fixed;
mod items;
mod lives;
mod model;
mod random;
mod real;
mod tuning;
mod wiring;
mod workers;
mod world;

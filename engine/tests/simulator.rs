//! The simulator through its public API: each kind of workqueue, each step, each ending, each part of a wait.

#[path = "simulator/deadlocks.rs"]
mod deadlocks;
#[path = "simulator/disable.rs"]
mod disable;
#[path = "simulator/draining.rs"]
mod draining;
#[path = "simulator/endings.rs"]
mod endings;
#[path = "simulator/kinds.rs"]
mod kinds;
#[path = "simulator/life.rs"]
mod life;
#[path = "simulator/life_random.rs"]
mod life_random;
#[path = "simulator/parts.rs"]
mod parts;
#[path = "simulator/script.rs"]
mod script;
#[path = "simulator/steps.rs"]
mod steps;
#[path = "simulator/waiting.rs"]
mod waiting;

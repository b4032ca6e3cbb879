//! The pool against restated rules: its predicates on a grid, its transitions against a naive model.

mod exhaust;
mod home;
pub(super) mod lives;
mod model;
mod policy;
mod random;
mod rescue;
mod rig;
mod system;

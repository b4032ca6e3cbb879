//! The pool against restated rules: its predicates on a grid, its transitions against a naive model.

mod exhaust;
mod home;
mod model;
mod policy;
mod random;
mod rig;
mod system;

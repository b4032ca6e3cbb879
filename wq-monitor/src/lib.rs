//! wq-monitor as a library, so that its tests can draw screens without a terminal.

#![forbid(unsafe_code)]

pub mod app;
pub mod args;
mod held;
pub mod input;
pub mod lists;
pub mod source;
pub mod term;
pub mod view;

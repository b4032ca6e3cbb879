//! wq-monitor as a library, so that its tests can draw screens without a terminal.

#![forbid(unsafe_code)]

mod act;
pub mod app;
pub mod args;
pub mod check;
pub mod clock;
pub mod details;
pub mod filter;
pub mod fold;
pub mod headless;
mod held;
pub mod help;
pub mod input;
pub mod json;
pub mod lists;
pub mod paint;
pub mod plain;
pub mod prometheus;
pub mod replay;
pub mod run;
pub mod source;
pub mod target;
pub mod term;
pub mod tui;
pub mod view;
pub mod warned;
mod watched;

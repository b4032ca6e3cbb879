//! wq-monitor as a library, so that its tests can draw screens without a terminal.

#![forbid(unsafe_code)]

mod act;
pub mod app;
pub mod args;
pub mod check;
mod chooser;
pub mod clock;
pub mod details;
pub mod filter;
mod finding;
pub mod fold;
pub mod headless;
pub mod help;
pub mod input;
pub mod json;
pub mod lists;
pub mod lookout;
pub mod manual;
mod moment;
pub mod note;
pub mod paint;
pub mod plain;
pub mod prometheus;
pub mod prompt;
pub mod replay;
pub mod request;
pub mod run;
pub mod save;
pub mod selection;
pub mod source;
pub mod spread;
pub mod tail;
pub mod target;
pub mod term;
pub mod time;
pub mod timeline;
pub mod tui;
pub mod typing;
pub mod view;
mod wall;
pub mod warned;
mod watched;

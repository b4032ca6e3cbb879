//! `config`: what the engine was told to do, in the five sections of the kernel's `wq_dump.py`, and how it notices
//! blocking.

mod json;
mod lines;
mod served;
mod text;

pub use json::json;

use crate::args::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;

/// Prints the configuration of the engine asked for.
pub fn run(common: &Common, output: &mut Output) -> Result<(), Failure> {
    let target = Target::open(common)?;
    let snapshot = target.snapshot()?;
    if common.json {
        output.json(&json(&snapshot))
    } else {
        let (style, width) = (output.style, output.width);
        output.text(&target.headline(&snapshot))?;
        output.text("\n")?;
        output.text(&text::text(&snapshot, style, width))
    }
}

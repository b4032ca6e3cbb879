//! `state`: busy workqueues and worker pools as sysrq-t prints them, with durations, waiters and timers.

mod busy;
mod print;

use crate::args::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;

/// Prints the state of the engine asked for.
pub fn run(common: &Common, output: &mut Output) -> Result<(), Failure> {
    let target = Target::open(common)?;
    let snapshot = target.snapshot()?;
    if common.json {
        output.json(&print::json(&snapshot))
    } else {
        let style = output.style;
        output.text(&target.headline(&snapshot))?;
        output.text(&print::text(&snapshot, style))
    }
}

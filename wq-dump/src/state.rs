//! `state`: busy workqueues and worker pools as sysrq-t prints them, with durations, waiters and timers.

mod busy;
mod json;
mod print;
mod truth;

use crate::args::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;
use truth::Truth;

/// Prints the state of the engine asked for.
pub fn run(common: &Common, output: &mut Output) -> Result<(), Failure> {
    let target = Target::open(common)?;
    let snapshot = target.snapshot()?;
    let truth = match target.is_here() {
        true => Truth::of(&snapshot),
        false => Truth::default(),
    };
    if common.json {
        output.json(&json::json(&snapshot, &truth))
    } else {
        let style = output.style;
        output.text(&target.headline(&snapshot))?;
        output.text(&print::text(&snapshot, &truth, style))
    }
}

/// What the state is as JSON, without asking the kernel.
#[cfg(test)]
pub fn json(snapshot: &wq_trace::Snapshot) -> wq_trace::Value {
    json::json(snapshot, &Truth::default())
}

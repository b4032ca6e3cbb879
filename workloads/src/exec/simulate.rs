//! Replaying a script in the simulator.

use super::{ExecError, gather};
use crate::report::{Execution, ItemReport, ItemTotals, Mode, Report};
use crate::script::Script;
use std::io::Write;
use std::sync::atomic::AtomicBool;
use wq_engine::sim::{self, End, ItemRecord, Outcome};
use wq_trace::{Event, Names, text, units};

/// How a script is simulated.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulateSettings<'a> {
    /// Seed of all draws, instead of the script's.
    pub seed: Option<u64>,
    /// Ends the simulation when it becomes true.
    pub interrupted: Option<&'a AtomicBool>,
}

/// Simulates a script. The event text goes to `events`, if asked for.
///
/// # Errors
/// Virtual time stands still, threads wait for ever, or the events cannot be written.
pub fn simulate(
    script: &Script,
    settings: SimulateSettings<'_>,
    events: Option<&mut dyn Write>,
) -> Result<Report, ExecError> {
    let mut program = script.program.clone();
    program.seed = settings.seed.unwrap_or(program.seed);
    let never = AtomicBool::new(false);
    let interrupted = settings.interrupted.unwrap_or(&never);
    let mut seen: Vec<Event> = Vec::new();
    let keep = events.is_some();
    let outcome = sim::simulate(&program, interrupted, &mut |event| {
        if keep {
            seen.push(*event);
        }
    })?;
    if let Some(out) = events {
        write_events(&seen, &Names::new(&outcome.snapshot), out).map_err(ExecError::Events)?;
    }
    if let End::Stuck(threads) = outcome.end {
        return Err(ExecError::Stuck {
            at: units::duration(outcome.duration_ns),
            threads,
        });
    }
    let end = outcome.end.clone();
    let mut report = Report {
        script: program.name.clone(),
        mode: Mode::Simulate,
        sensing: "exact".to_owned(),
        cpus: program.cpus,
        duration_ns: outcome.duration_ns,
        lost_events: 0,
        workqueues: Vec::new(),
        works: works(&outcome),
        pools: Vec::new(),
        expectations: Vec::new(),
        interrupted: end == End::Interrupted,
    };
    gather::tables(&mut report, &outcome.snapshot, &outcome.max_running);
    Ok(report)
}

fn write_events(events: &[Event], names: &Names, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", text::HEADER)?;
    for event in events {
        writeln!(out, "{}", text::line(event, names))?;
    }
    out.flush()
}

fn works(outcome: &Outcome) -> Vec<ItemReport> {
    outcome.items.iter().map(item).collect()
}

fn item(record: &ItemRecord) -> ItemReport {
    let ended = record.executions.iter().filter_map(|execution| {
        Some(Execution {
            queued_ns: execution.queued_ns,
            started_ns: execution.started_ns,
            finished_ns: execution.finished_ns?,
            worker: execution.worker.clone(),
        })
    });
    ItemReport {
        name: record.name.clone(),
        workqueue: record.workqueue.clone(),
        executions: ended.collect(),
        totals: ItemTotals {
            refused: record.refused,
            started: record.started,
            completed: record.completed,
            last_finished_ns: record.last_finished_ns,
        },
    }
}

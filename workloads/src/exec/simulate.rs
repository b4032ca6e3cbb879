//! Replaying a script in the simulator.

use super::sink::{EventSink, EventText};
use super::watch::Watch;
use super::{ExecError, gather};
use crate::report::{Execution, ItemReport, ItemTotals, Mode, Report};
use crate::script::Script;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wq_engine::sim::{self, End, ItemRecord, Outcome};
use wq_trace::units;

/// How a script is simulated.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimulateSettings<'a> {
    /// Seed of all draws, instead of the script's.
    pub seed: Option<u64>,
    /// Ends the simulation when it becomes true.
    pub interrupted: Option<&'a AtomicBool>,
    /// Called every few real seconds, with the virtual time in nanoseconds.
    pub progress: Option<fn(u64)>,
}

/// Simulates a script. The event text goes to `events`, if asked for.
///
/// # Errors
/// Virtual time stands still, or the events cannot be written.
pub fn simulate(
    script: &Script,
    settings: SimulateSettings<'_>,
    events: Option<&mut dyn Write>,
) -> Result<Report, ExecError> {
    let mut text = events.map(EventText::new);
    let sink = text.as_mut().map(|text| text as &mut dyn EventSink);
    simulate_into(script, settings, &mut sink.into_iter().collect::<Vec<_>>())
}

/// Simulates a script; everything that happens goes to each of the sinks.
///
/// # Errors
/// Virtual time stands still, or a sink fails.
pub fn simulate_into(
    script: &Script,
    settings: SimulateSettings<'_>,
    sinks: &mut [&mut dyn EventSink],
) -> Result<Report, ExecError> {
    if !script.expects_warnings() {
        return simulate_for(script, settings, sinks);
    }
    let mut watch = Watch::new();
    let mut all: Vec<&mut dyn EventSink> = vec![&mut watch];
    all.extend(
        sinks
            .iter_mut()
            .map(|sink| &mut **sink as &mut dyn EventSink),
    );
    let mut report = simulate_for(script, settings, &mut all)?;
    report.warnings = watch.seen();
    Ok(report)
}

fn simulate_for(
    script: &Script,
    settings: SimulateSettings<'_>,
    sinks: &mut [&mut dyn EventSink],
) -> Result<Report, ExecError> {
    let mut program = script.program.clone();
    program.seed = settings.seed.unwrap_or(program.seed);
    let stop = AtomicBool::new(false);
    let mut failed = None;
    let mut pace = Pace::default();
    let outcome = sim::simulate_named(&program, &stop, &mut |event, segment| {
        if settings
            .interrupted
            .is_some_and(|asked| asked.load(Ordering::Relaxed))
        {
            stop.store(true, Ordering::Relaxed);
        }
        if let Some(progress) = settings.progress
            && pace.is_due()
        {
            progress(event.at);
        }
        for sink in &mut *sinks {
            if failed.is_none()
                && let Err(error) = sink.add(event, segment)
            {
                failed = Some(error);
                stop.store(true, Ordering::Relaxed);
            }
        }
    })?;
    for (at, report) in &outcome.reports {
        let at = units::duration(*at);
        for line in report.lines() {
            if is_error(line) {
                tracing::error!("at {at}: {line}");
            } else {
                tracing::warn!("at {at}: {line}");
            }
        }
    }
    let ended = sinks
        .iter_mut()
        .try_for_each(|sink| sink.end(&outcome.snapshot));
    if let Some(error) = failed.map_or(ended, Err).err() {
        return Err(ExecError::Events(error));
    }
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
        warnings: Vec::new(),
        interrupted: outcome.end == End::Interrupted,
        stuck: stuck(&outcome),
    };
    gather::tables(&mut report, &outcome.snapshot, &outcome.max_running);
    Ok(report)
}

/// What an engine on threads tells as an error too: a stall or a deadlock, not what explains it.
fn is_error(line: &str) -> bool {
    ["BUG: ", "workqueue: deadlock: "]
        .iter()
        .any(|start| line.starts_with(start))
}

/// Who waits for ever, if anybody does.
fn stuck(outcome: &Outcome) -> Option<String> {
    let End::Stuck(threads) = &outcome.end else {
        return None;
    };
    Some(format!(
        "the simulation is stuck at {}: what these wait for cannot happen any more: {}",
        units::duration(outcome.duration_ns),
        threads.join(", ")
    ))
}

/// Real time between two lines of progress.
const BETWEEN_LINES: Duration = Duration::from_secs(3);
/// Events between two looks at the clock.
const BETWEEN_LOOKS: u64 = 1 << 12;

/// When progress is to be shown.
struct Pace {
    events: u64,
    last: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        let last = Instant::now();
        Self { events: 0, last }
    }
}

impl Pace {
    /// Another event: whether it is time.
    fn is_due(&mut self) -> bool {
        self.events += 1;
        let due = self.events.is_multiple_of(BETWEEN_LOOKS) && self.last.elapsed() >= BETWEEN_LINES;
        if due {
            self.last = Instant::now();
        }
        due
    }
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

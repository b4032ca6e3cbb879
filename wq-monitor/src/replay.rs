//! An engine in this process that replays a script, watched like any other.

use crate::source::{SegmentSource, Source, Update};
use crate::target::Failure;
use std::path::Path;
use wq_replay::exec::{Replay, ReplaySettings};
use wq_trace::{Liveness, units};

/// A script that is being replayed. Dropping it abandons the script.
#[derive(Debug)]
pub struct Embedded {
    replay: Option<Replay>,
    /// What came out, once it is over.
    result: Option<String>,
}

impl Embedded {
    /// Starts the engine and the script.
    ///
    /// # Errors
    /// The script is wrong, or the engine cannot be started.
    pub fn start(script: &Path) -> Result<Self, Failure> {
        let script =
            wq_replay::load(script).map_err(|errors| Failure::usage(errors.to_string()))?;
        let replay = Replay::start(&script, ReplaySettings::default());
        let replay = replay.map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Self {
            replay: Some(replay),
            result: None,
        })
    }

    /// Its engine as a source; with `events` if they are wanted too.
    pub fn source(&self, events: bool) -> Option<SegmentSource> {
        let replay = self.replay.as_ref()?;
        Some(SegmentSource::over(replay.reader(), events))
    }

    /// The script's end was reached.
    pub fn is_over(&self) -> bool {
        self.replay.as_ref().is_none_or(Replay::is_over)
    }

    /// How far it is, or how it went, in a few words.
    pub fn status(&mut self) -> String {
        let Some(replay) = &self.replay else {
            return String::new();
        };
        if let Some(result) = &self.result {
            return result.clone();
        }
        if !replay.is_over() {
            let progress = replay.progress();
            // Whole seconds, so that the screen changes no more often than that.
            let elapsed = progress.elapsed.as_secs();
            let name = &replay.script().program.name;
            return format!(
                "script at {elapsed} s, {} of {} producers done: {name}",
                progress.producers_done, progress.producers
            );
        }
        let result = outcome(replay);
        self.result = Some(result.clone());
        result
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(replay) = self.replay.take() {
            replay.abandon();
        }
    }
}

/// How a script that is over went.
fn outcome(replay: &Replay) -> String {
    let script = replay.script();
    let name = &script.program.name;
    let report = match replay.report() {
        Ok(report) => report,
        Err(error) => return format!("script over: {error}"),
    };
    let outcomes = wq_replay::expect::evaluate(&script.expectations, &report, false);
    let time = units::duration(report.duration_ns);
    let failed = outcomes.iter().filter(|outcome| !outcome.ok).count();
    match (failed, outcomes.len()) {
        (_, 0) => format!("script over after {time}: {name}"),
        (0, all) => format!("script over, {all} of {all} met, {time}: {name}"),
        (failed, all) => format!("script over, {failed} of {all} FAILED, {time}: {name}"),
    }
}

/// A replay's engine for rounds on standard output: it ends with the script.
#[derive(Debug)]
pub struct UntilOver<'a> {
    /// Asked whether the script is over.
    pub replay: &'a Embedded,
    /// Its engine.
    pub source: SegmentSource,
}

impl Source for UntilOver<'_> {
    fn poll(&mut self, now: u64, snapshot: bool) -> Update {
        let over = self.replay.is_over();
        let mut update = self.source.poll(now, snapshot);
        if over {
            update.liveness = Liveness::Ended;
        }
        update
    }

    fn finish(&mut self) -> Result<Option<String>, String> {
        self.source.finish()
    }
}

//! A replay on threads: an engine of its own, the script's producers, and the report at the end.

use super::shared::{Shared, lock};
use super::watch::Watcher;
use super::{ExecError, frozen, gather, producer};
use crate::cli::Progress;
use crate::report::{Mode, Report};
use crate::script::Script;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use wq_engine::{Builder, Engine, Sensing, Topology};
use wq_trace::{Reader, WqId};

/// How a script is replayed on threads.
#[derive(Clone, Copy, Debug)]
pub struct ReplaySettings {
    /// Arrivals and waits go this many times as fast; bodies stay as they are.
    pub speed: f64,
    /// How blocking is noticed, instead of what the script says.
    pub sensing: Option<Sensing>,
}

impl Default for ReplaySettings {
    fn default() -> Self {
        Self {
            speed: 1.0,
            sensing: None,
        }
    }
}

/// How long the engine may take to end after the replay was stopped.
const LAST_ITEMS: Duration = Duration::from_secs(2);

/// A replay that goes on by itself until [`Replay::is_over`].
#[derive(Debug)]
pub struct Replay {
    shared: SharedReplay,
    producers: Vec<JoinHandle<()>>,
    script: Script,
    over: AtomicBool,
    /// If the script expects something of it.
    watcher: Option<Watcher>,
}

/// Keeps the inside out of `Debug`.
struct SharedReplay(Arc<Shared>);

impl std::fmt::Debug for SharedReplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Replay")
    }
}

impl Replay {
    /// Starts an engine and the script's producers in it.
    ///
    /// # Errors
    /// The engine, a workqueue or a producer's thread cannot be made.
    pub fn start(script: &Script, settings: ReplaySettings) -> Result<Self, ExecError> {
        let engine = engine(script, settings)?;
        let shared = Shared::new(script.program.clone(), engine, settings.speed)?;
        let mut replay = Self {
            shared: SharedReplay(shared.clone()),
            producers: Vec::new(),
            script: script.clone(),
            over: AtomicBool::new(false),
            watcher: None,
        };
        if script.expects_warnings() {
            let watcher = Watcher::start(replay.reader()).map_err(ExecError::Watcher)?;
            replay.watcher = Some(watcher);
        }
        for (index, spec) in script.program.producers.iter().enumerate() {
            let shared = shared.clone();
            let thread = std::thread::Builder::new()
                .name(spec.name.clone())
                .spawn(move || producer::run(&shared, index))
                .inspect_err(|_| replay.stop())
                .map_err(|source| ExecError::Producer {
                    name: spec.name.clone(),
                    source,
                })?;
            replay.producers.push(thread);
        }
        Ok(replay)
    }

    /// The file that tools can watch; `None` if the engine could not make it.
    pub fn segment_path(&self) -> Option<&Path> {
        self.shared.0.engine.segment_path()
    }

    /// Reads the engine's segment, also if it has no file.
    pub fn reader(&self) -> Reader {
        Reader::in_memory(self.shared.0.engine.segment())
    }

    /// The script.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Every producer has made its last call, and every item is over or held on a workqueue that stays frozen.
    pub fn is_over(&self) -> bool {
        if self.over.load(Ordering::Relaxed) {
            return true;
        }
        let producers = self.producers.iter().all(JoinHandle::is_finished);
        let shared = &self.shared.0;
        let over = producers && (shared.is_quiet() || frozen::is_all(shared));
        // Nothing can begin again: it stays over.
        self.over.store(over, Ordering::Relaxed);
        over
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let shared = &self.shared.0;
        let elapsed = super::shared::now().saturating_sub(shared.started_at);
        Progress {
            elapsed: Duration::from_nanos(elapsed),
            executions: shared.executions.load(Ordering::Relaxed),
            outstanding: shared.outstanding(),
            producers_done: shared.producers_done.load(Ordering::Relaxed),
            producers: self.producers.len(),
        }
    }

    /// Why items may wait for ever, if nothing executes and the script did something that makes them wait.
    pub fn obstacle(&self) -> Option<&'static str> {
        let shared = &self.shared.0;
        let waits = shared.is_at_rest() && shared.outstanding() > 0;
        waits.then(|| frozen::obstacle(shared)).flatten()
    }

    /// Asks the producers to make no more calls.
    pub fn stop(&self) {
        self.shared.0.stop();
    }

    /// Leaves the script where it is: producers make no more calls, and nobody waits for what still runs. For a
    /// process that is about to end.
    pub fn abandon(self) {
        self.stop();
        // The last handle of an engine waits for running items; this one is never dropped.
        std::mem::forget(self.shared);
    }

    /// Ends the engine and gives the report; of what was done so far if it is not over.
    ///
    /// # Errors
    /// The engine's segment cannot be read back.
    pub fn finish(mut self) -> Result<Report, ExecError> {
        let interrupted = !self.is_over();
        self.stop();
        if interrupted && let Err(error) = self.shared.0.engine.shutdown(LAST_ITEMS) {
            tracing::warn!("{error}");
        }
        if !interrupted {
            for thread in self.producers.drain(..) {
                // A producer runs the script's steps only, and none of them panics.
                let _ = thread.join();
            }
        }
        let mut report = self.report()?;
        report.interrupted = interrupted;
        if let Some(watcher) = self.watcher.take() {
            report.warnings = watcher.finish();
        }
        Ok(report)
    }

    /// The report of what was done so far.
    ///
    /// # Errors
    /// The engine's segment cannot be read back.
    pub fn report(&self) -> Result<Report, ExecError> {
        let shared = &self.shared.0;
        if self.is_over() {
            // The last body has ended; its worker may not have booked it yet.
            shared.flush();
        }
        let snapshot = self.reader().snapshot()?;
        let mut report = Report {
            script: shared.program.name.clone(),
            mode: Mode::Run,
            sensing: shared.engine.sensing().to_string(),
            cpus: shared.engine.cpus().len(),
            duration_ns: super::shared::now().saturating_sub(shared.started_at),
            lost_events: lost(&snapshot),
            workqueues: Vec::new(),
            works: shared
                .items
                .iter()
                .map(|item| lock(&item.log).clone())
                .collect(),
            pools: Vec::new(),
            expectations: Vec::new(),
            warnings: Vec::new(),
            interrupted: !self.is_over(),
            stuck: None,
        };
        let max_running: Vec<(WqId, u64)> = snapshot
            .workqueues
            .iter()
            .map(|wq| (wq.id, shared.max_running(&wq.name)))
            .collect();
        gather::tables(&mut report, &snapshot, &max_running);
        Ok(report)
    }
}

/// Events that were overwritten in their rings. Nobody may have wanted them; the report says it all the same.
fn lost(snapshot: &wq_trace::Snapshot) -> u64 {
    snapshot
        .rings
        .iter()
        .map(|ring| ring.written.saturating_sub(ring.capacity))
        .sum()
}

fn engine(script: &Script, settings: ReplaySettings) -> Result<Engine, ExecError> {
    let name = script
        .path
        .file_stem()
        .map_or_else(|| "replay".into(), |stem| stem.to_string_lossy());
    let mut builder = Engine::builder().name(&name);
    if let Some(cpus) = used_cpus(script.program.cpus) {
        if let Some(topology) = &script.program.topology {
            builder = placed(builder, topology, &cpus);
        }
        builder = builder.cpus(cpus);
    }
    let spec = &script.program.engine;
    let sensing = spec.sensing.as_ref().and_then(|word| word.parse().ok());
    if let Some(sensing) = settings.sensing.or(sensing) {
        builder = builder.sensing(sensing);
    }
    if let Some(thresh) = spec.cpu_intensive_thresh {
        builder = builder.cpu_intensive_thresh(thresh);
    }
    if let Some(timeout) = spec.idle_timeout {
        builder = builder.idle_timeout(timeout);
    }
    if let Some(thresh) = spec.watchdog_thresh {
        builder = builder.watchdog_thresh(thresh);
    }
    if let Some(on) = spec.power_efficient {
        builder = builder.power_efficient(on);
    }
    let scope = spec.default_affinity_scope.as_ref();
    if let Some(scope) = scope.and_then(|word| word.parse().ok()) {
        builder = builder.default_affinity_scope(scope);
    }
    Ok(builder.build()?)
}

/// Real CPUs in the places of made-up ones, the lowest first.
fn placed(builder: Builder, topology: &str, cpus: &[usize]) -> Builder {
    match Topology::from_spec(topology) {
        Ok(topology) => builder.topology(topology.renumbered(cpus)),
        Err(_) => unreachable!("the checker has read it"),
    }
}

/// OS numbers of the first so many CPUs that may be used here; `None` if that is not known.
fn used_cpus(count: usize) -> Option<Vec<usize>> {
    let allowed = rustix::thread::sched_getaffinity(None).ok()?;
    let all = (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let cpus: Vec<_> = all.take(count).collect();
    let used = cpus.len();
    if used < count {
        tracing::warn!(
            "the script asks for {count} CPUs, but only {used} may be used here: it runs on {used}"
        );
    }
    Some(cpus)
}

//! Making pools and their worker threads.

use super::{EngineInner, Pool, Waiter, lock};
use crate::attrs::HIGHPRI_NICE;
use crate::error::Error;
use crate::os;
use crate::pool::{PoolSpec, PoolState};
use crate::sense::{Board, Canary};
use crate::sync::atomic::Ordering;
use crate::sync::thread;
use crate::sync::thread::Thread;
use crate::topology::{CpuMask, PoolAttrs};
use crate::worker;
use std::io;
use std::sync::{Arc, Weak};
use wq_trace::{PoolInfo, Segment};

/// A pool without workers.
pub(super) fn make_pool(
    engine: &Weak<EngineInner>,
    segment: &Segment,
    spec: PoolSpec,
    attrs: Option<&PoolAttrs>,
    cpus: &CpuMask,
    board: Option<Box<Board>>,
) -> Arc<Pool> {
    let info = PoolInfo {
        number: spec.number,
        cpu: spec.cpu,
        nice: spec.nice,
        // The rest is told with the first step.
        flags: u32::from(spec.bh),
    };
    let slot = segment.pool(info);
    Pool::new(
        engine.clone(),
        PoolState::new(spec, segment, slot, os::now()).with_attrs(attrs),
        cpus.iter().collect(),
        attrs.cloned(),
        board,
    )
}

/// Normal and highpri pool of an OS CPU: 4c and 4c+1 those for BH workqueues, 4c+2 and 4c+3 the others. Items leave
/// concurrency management after `hog_thresh` nanoseconds of CPU time. Pools for BH workqueues have no canary.
pub(super) fn make_local(
    engine: &Weak<EngineInner>,
    segment: &Segment,
    cpu: usize,
    canary: Option<&Arc<Canary>>,
    hog_thresh: u64,
) -> [Arc<Pool>; 2] {
    let bh = canary.is_none();
    let first = 4 * cpu as u32 + if bh { 0 } else { 2 };
    [(first, 0), (first + 1, HIGHPRI_NICE)].map(|(number, nice)| {
        let spec = PoolSpec {
            uid: Pool::next_uid(),
            number,
            cpu: Some(cpu as u16),
            nice,
            bh,
        };
        let board = canary.map(|canary| Box::new(Board::new(canary.clone())));
        let pool = make_pool(engine, segment, spec, None, &CpuMask::of(cpu), board);
        pool.set_cpu_intensive_thresh(hog_thresh);
        pool
    })
}

impl EngineInner {
    pub(super) fn first_worker(&self, pool: &Arc<Pool>) -> Result<(), Error> {
        pool.transact(self, |core, _, _| {
            core.set_idle_timeout(self.idle_timeout);
        });
        self.create_worker(pool).map_err(|source| Error::Thread {
            name: pool.look(|core| core.spec.worker_name(0)),
            source,
        })
    }

    /// Creates a worker, idle. One creation at a time: by the builder, or by the pool's manager.
    /// Kernel: `create_worker()`.
    pub(crate) fn create_worker(&self, pool: &Arc<Pool>) -> io::Result<()> {
        // Kernel: a BH worker has no thread that could fail.
        let is_bh = || pool.look(|core| core.spec.bh);
        if self.creation_fails.load(Ordering::Relaxed) && !is_bh() {
            let why = "made to fail by Engine::fail_worker_creation";
            return Err(io::Error::new(io::ErrorKind::WouldBlock, why));
        }
        let (ix, name) = pool.look(|core| {
            let ix = core.next_worker();
            (ix, core.spec.worker_name(ix.0))
        });
        let gate = Waiter::new();
        let handle = self.spawn(&name, {
            let (pool, gate) = (pool.clone(), gate.clone());
            move |engine| {
                gate.wait();
                worker::run(engine, &pool, ix);
            }
        })?;
        pool.set_thread(ix, handle);
        let slot = pool.look(|core| core.worker_row(ix, os::now()));
        pool.transact(self, |core, now, fx| core.created(ix, slot, now, fx));
        gate.complete();
        self.say_shortage();
        Ok(())
    }

    /// Starts a thread that keeps the engine alive while it runs.
    pub(super) fn spawn(
        &self,
        name: &str,
        body: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) -> io::Result<Thread> {
        let engine = self.me.upgrade().ok_or(io::ErrorKind::NotFound)?;
        self.running_threads.fetch_add(1, Ordering::AcqRel);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || {
            body(&engine);
            engine.thread_has_gone(1);
        });
        let handle = spawned.inspect_err(|_| self.thread_has_gone(1))?;
        let thread = handle.thread().clone();
        lock(&self.threads).push(handle);
        Ok(thread)
    }

    /// The manager's attempt to create a worker. Returns whether there is one; failing is said once.
    /// Kernel: `maybe_create_worker()`.
    pub(crate) fn try_create_worker(&self, pool: &Arc<Pool>) -> bool {
        let created = self.create_worker(pool);
        if let Err(error) = &created {
            self.say_create_failure(pool, error);
        }
        created.is_ok()
    }

    /// See [`crate::Engine::fail_worker_creation`].
    pub(super) fn fail_worker_creation(&self, fail: bool) {
        if self.segment.forked() {
            return;
        }
        self.creation_fails.store(fail, Ordering::Relaxed);
        if !fail {
            for pool in self.pools() {
                pool.hurry_manager();
            }
        }
    }

    /// The calling thread, a surplus worker or a rescuer, is about to end: nobody waits for it.
    pub(crate) fn let_thread_go(&self) {
        let me = thread::current().id();
        lock(&self.threads).retain(|thread| thread.thread().id() != me);
    }

    /// Says, once, that a worker cannot be created.
    pub(super) fn say_create_failure(&self, pool: &Pool, error: &io::Error) {
        if !self.create_failure_said.swap(true, Ordering::Relaxed) {
            let name = pool.look(|core| core.spec.worker_name(core.next_worker().0));
            tracing::warn!(
                "Failed to create a worker thread: {error} ({name}); items wait for a worker that gets free, or for \
                 a rescuer, and it is tried again every second"
            );
        }
    }
}

//! CPUs that leave and come back: a cpuset that shrinks, `taskset -acp`, a CPU that goes offline.
//!
//! Nobody tells the engine. A worker that leaves its park on another CPU than its pool's looks what the engine may
//! still use; the timer thread, which nobody pins, tells it by its affinity mask. Whether a CPU is back is looked for once a
//! second by workers of pools that have lost theirs, so an idle engine never looks.
//! Kernel: `workqueue_offline_cpu()`, `workqueue_online_cpu()`.

use super::{Core, EngineInner, Pool, lock};
use crate::os;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;
use crate::topology::CpuMask;

/// Between two looks whether a CPU is back, in nanoseconds.
const LOOK_EVERY: u64 = 1_000_000_000;

impl Pool {
    /// Whether the pool's CPU has left.
    pub(crate) fn has_left(&self) -> bool {
        self.left.load(Ordering::Relaxed)
    }

    /// Whether it is time to look for its CPU again.
    fn look_is_due(&self) -> bool {
        let (now, last) = (os::now(), self.looked_at.load(Ordering::Relaxed));
        let claimed = || {
            let (set, load) = (Ordering::Relaxed, Ordering::Relaxed);
            self.looked_at.compare_exchange(last, now, set, load)
        };
        now >= last.saturating_add(LOOK_EVERY) && claimed().is_ok()
    }
}

impl EngineInner {
    /// The thread whose affinity mask tells which CPUs the engine may use.
    pub(super) fn unpinned_thread_is(&self, tid: u32) {
        self.timer_tid.store(tid, Ordering::Release);
    }

    /// A worker of `pool` has work: is it where it belongs?
    pub(crate) fn mind_cpu(&self, pool: &Pool) {
        let Some(home) = pool.own_cpu else { return };
        if pool.has_left() {
            if pool.look_is_due() {
                self.look_at_cpus();
            }
        } else if os::current_cpu() != home {
            self.look_at_cpus();
            if !pool.has_left() && os::current_cpu() != home {
                self.go_home(home);
            }
        }
    }

    /// Somebody moved this one worker, whose CPU is there.
    fn go_home(&self, home: usize) {
        let _attach = self.attach_lock();
        if let Err(error) = os::pin(&[home]) {
            tracing::warn!("a worker that was moved away from CPU {home} cannot go back: {error}");
        }
    }

    /// Unbinds the pools whose CPUs are gone, and binds those whose CPUs are back.
    fn look_at_cpus(&self) {
        let _attach = self.attach_lock();
        let Some(allowed) = self.allowed() else {
            return;
        };
        let mut changed = false;
        for pool in self.percpu.iter().chain(&self.bh).flatten() {
            let here = pool.own_cpu.is_some_and(|home| allowed.contains(&home));
            if here == pool.has_left() {
                self.move_pool(pool, here, &allowed);
                changed = true;
            }
        }
        if changed {
            self.cpus_changed(&allowed);
        }
    }

    /// The CPU of `pool` has come or gone.
    fn move_pool(&self, pool: &Pool, here: bool, allowed: &[usize]) {
        let now = os::now();
        pool.looked_at.store(now, Ordering::Relaxed);
        pool.left.store(!here, Ordering::Relaxed);
        let cpus = self.usable(pool, Some(allowed));
        let cpus: CpuMask = cpus.into_iter().collect();
        for tid in pool.look(Core::tids) {
            // One that has just ended needs no CPU.
            let _ = os::pin_thread(tid, &cpus);
        }
        let canary = pool.board.as_ref().map(|board| &board.canary);
        if here && let Some((canary, tid)) = canary.and_then(|canary| Some((canary, canary.tid()?)))
        {
            let _ = os::pin_thread(tid, &CpuMask::of(canary.cpu));
        }
        // After that: it wakes one of them.
        if here {
            pool.transact(self, |core, now, _| core.rebind(now));
        } else {
            pool.transact(self, Core::disassociate);
        }
    }

    /// The set of CPUs that the engine may use has changed: `online`, ascending. The per-CPU pools have followed;
    /// unbound workqueues get the pods that are left. Called with the attach lock held and no other.
    fn cpus_changed(&self, online: &[usize]) {
        let gone = self.cpus.iter().filter(|cpu| !online.contains(cpu));
        let gone: Vec<_> = gone.collect();
        tracing::info!(
            "engine {} may use CPUs {online:?} now; away are {gone:?}",
            self.name
        );
        self.tell_settings();
        let all = self.all_workqueues();
        let config = self.configure();
        for wq in all.iter().filter(|wq| wq.nodes.is_some()) {
            let attrs = lock(&wq.control).attrs.clone();
            if let Err(error) = wq.relink(&attrs) {
                let name = &wq.spec.name;
                tracing::warn!(
                    "allocation failed while updating CPU pod affinity of \"{name}\": {error}"
                );
            }
        }
        // The last of a workqueue takes locks when it goes.
        drop(config);
    }

    /// CPUs whose pools work on them.
    pub(crate) fn online(&self) -> CpuMask {
        let here = self.percpu.iter().filter(|pools| !pools[0].has_left());
        here.filter_map(|pools| pools[0].own_cpu).collect()
    }

    /// The CPUs that workers of `pool` may use at this moment: all of its own that are `allowed`; if none is, what the
    /// engine has left.
    fn usable(&self, pool: &Pool, allowed: Option<&[usize]>) -> Vec<usize> {
        let Some(allowed) = allowed else {
            return pool.cpus.clone();
        };
        let among = |cpus: &[usize]| -> Vec<usize> {
            let mut cpus = cpus.to_vec();
            cpus.retain(|cpu| allowed.contains(cpu));
            cpus
        };
        let sets = [among(&pool.cpus), among(&self.cpus), allowed.to_vec()];
        let set = sets.into_iter().find(|set| !set.is_empty());
        set.unwrap_or_else(|| pool.cpus.clone())
    }

    /// What the engine may use now, if it is known.
    fn allowed(&self) -> Option<Vec<usize>> {
        match self.timer_tid.load(Ordering::Acquire) {
            0 => None,
            tid => os::allowed_cpus_of(tid).ok(),
        }
    }

    pub(crate) fn attach_lock(&self) -> MutexGuard<'_, ()> {
        lock(&self.attach)
    }

    /// Sends the calling thread, which holds the attach lock, to the CPUs that workers of `pool` use.
    pub(crate) fn pin_for(&self, pool: &Pool) {
        let cpus = self.usable(pool, self.allowed().as_deref());
        if let Err(error) = os::pin(&cpus) {
            tracing::warn!("a worker cannot be pinned to CPUs {cpus:?}: {error}");
        }
    }

    /// The calling worker, narrowed to its pod by who woke it, may run wherever its pool's workers may.
    pub(crate) fn widen(&self, pool: &Pool) {
        if self.percpu.iter().any(|pools| pools[0].has_left()) {
            let _attach = self.attach_lock();
            self.pin_for(pool);
        } else if let Err(error) = os::pin(&pool.cpus) {
            tracing::warn!("a worker cannot be pinned to CPUs {:?}: {error}", pool.cpus);
        }
    }

    /// Lets the calling thread, a rescuer that is at no pool, use all CPUs of the engine.
    pub(crate) fn unpin(&self) {
        let allowed = self.allowed();
        let mut cpus = self.cpus.clone();
        cpus.retain(|cpu| allowed.as_ref().is_none_or(|allowed| allowed.contains(cpu)));
        // Where it cannot go, it stays where it was.
        let _ = os::pin(&cpus);
    }
}

//! Unbound pools, one for each set of attributes in use, and which of them serve a workqueue.
//! Kernel: `get_unbound_pool()`, `put_unbound_pool()`, `apply_wqattrs_prepare()`, `apply_wqattrs_commit()`.

use super::pools::make_pool;
use super::{EngineInner, EngineState, Pool, lock};
use crate::attrs::WqFlags;
use crate::error::Error;
use crate::pool::{Limit, PoolSpec, PwqSpec};
use crate::queue::{PwqRef, Workqueue, WqInner};
use crate::sync::atomic::Ordering;
use crate::topology::{PoolAttrs, WorkqueueAttrs};
use crate::wq::Reserved;
use std::sync::Arc;
use wq_trace::{Wake, WqId};

/// A number for each pwq of the process.
pub(super) fn next_pwq_uid() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl EngineInner {
    /// A pwq on the unbound pool with these attributes, which is made, with its first worker, if there is none.
    fn link_unbound(&self, attrs: &PoolAttrs, spec: PwqSpec) -> Result<PwqRef, Error> {
        let mut pools = lock(&self.unbound);
        // Under this lock: the end looks for pools once, after it has said so.
        if self.state() == EngineState::Stopped {
            return Err(Error::ShutDown {
                name: self.name.clone(),
            });
        }
        let known = pools.iter().find(|pool| pool.attrs.as_ref() == Some(attrs));
        let pool = match known {
            Some(pool) => pool.clone(),
            None => {
                let pool = self.new_unbound_pool(&pools, attrs);
                self.first_worker(&pool)?;
                self.tell_pool(&pool);
                pools.push(pool.clone());
                pool
            }
        };
        // Under the same lock, so that the pool is not put away before it is used.
        Ok(pool.link(self, spec))
    }

    /// A pool with the lowest number that is free.
    fn new_unbound_pool(&self, pools: &[Arc<Pool>], attrs: &PoolAttrs) -> Arc<Pool> {
        let highest = self.cpus.last().copied().unwrap_or_default() as u32;
        let taken: Vec<u32> = pools
            .iter()
            .map(|pool| pool.look(|core| core.spec.number))
            .collect();
        let number = (4 * (highest + 1)..).find(|number| !taken.contains(number));
        let spec = PoolSpec {
            uid: Pool::next_uid(),
            number: number.expect("fewer pools than numbers"),
            cpu: None,
            nice: attrs.nice(),
            bh: false,
        };
        make_pool(
            &self.me,
            &self.segment,
            spec,
            Some(attrs),
            attrs.allowed(),
            None,
        )
    }

    /// Some pwq has left the pool: one that none is on any more goes away. Kernel: `put_unbound_pool()`.
    pub(crate) fn put_unbound_pool(&self, pool: &Arc<Pool>) {
        if pool.attrs.is_none() {
            return;
        }
        let mut pools = lock(&self.unbound);
        if pool.look(|core| core.nr_pwqs() > 0) {
            return;
        }
        pools.retain(|other| !Arc::ptr_eq(other, pool));
        drop(pools);
        pool.end(self);
    }

    /// Returns the freezable workqueues that something is active on. Once the engine is being shut down nothing freezes.
    pub(super) fn set_frozen(&self, frozen: bool) -> Vec<Workqueue> {
        if self.segment.forked() {
            return Vec::new();
        }
        let mut config = self.configure();
        // Under this lock: who froze before the shutdown began is thawed by it.
        let frozen = frozen && self.state() == EngineState::Running;
        config.frozen = frozen;
        let all = self.all_workqueues().into_iter();
        all.filter(|wq| wq.spec.flags.contains(WqFlags::FREEZABLE) && wq.set_frozen(frozen))
            .map(Workqueue::new)
            .collect()
    }

    /// A slot was reserved for a pwq: its first held item becomes active.
    pub(crate) fn activate_in(&self, reserved: Reserved, reason: Wake) {
        let mut next = Some(reserved);
        while let Some(reserved) = next {
            next = match Pool::find(reserved.pwq.pool) {
                Some(pool) => pool.transact(self, |core, now, fx| {
                    core.activate_reserved(reserved, reason, now, fx)
                }),
                None => reserved.node.release(),
            };
        }
    }

    /// A pwq of this workqueue, which was replaced, has drained. Kernel: `pwq_release_workfn()`.
    pub(crate) fn pwq_released(&self, wq: WqId, uid: u64) {
        let Some(wq) = self.find_workqueue(wq) else {
            return;
        };
        let mut control = lock(&wq.control);
        let place = control.pwqs.iter().position(|pwq| pwq.uid == uid);
        let released = place.map(|place| control.pwqs.remove(place));
        // An ordered workqueue goes on with the oldest that is left.
        if let Some(oldest) = control.pwqs.first() {
            oldest.transact(self, |core, now, fx| core.unplug(oldest.ix, now, fx));
        }
        drop(control);
        if let Some(released) = released {
            self.put_unbound_pool(&released.pool);
        }
    }
}

impl WqInner {
    /// What a pwq of this workqueue is made from; colour and limit are set when it is put to use.
    pub(super) fn pwq_spec(&self, limit: Limit) -> PwqSpec {
        let flags = self.spec.flags;
        PwqSpec {
            wq: self.id(),
            wq_name: self.spec.name.clone(),
            uid: next_pwq_uid(),
            limit,
            ordered: flags.contains(WqFlags::ORDERED),
            cpu_intensive: flags.contains(WqFlags::CPU_INTENSIVE)
                && !flags.contains(WqFlags::UNBOUND),
            mem_reclaim: flags.contains(WqFlags::MEM_RECLAIM),
            work_color: 0,
        }
    }

    /// Lets the pools with these attributes serve the unbound workqueue. Those that serve it now are kept where
    /// nothing changes; the others go once they have drained. The caller serialises these.
    pub(crate) fn relink(&self, attrs: &WorkqueueAttrs) -> Result<(), Error> {
        let engine = &*self.engine;
        let old = self.links.by_cpu();
        let (dfl, by_cpu, new) = match self.link_all(attrs, &old) {
            Ok(linked) => linked,
            Err((error, linked)) => {
                for pwq in linked {
                    pwq.transact(engine, |core, _, _| core.remove_pwq(pwq.ix));
                    engine.put_unbound_pool(&pwq.pool);
                }
                return Err(error);
            }
        };
        let mut control = lock(&self.control);
        let color = control.flush.work_color();
        for pwq in &new {
            pwq.transact(engine, |core, _, _| core.set_work_color(pwq.ix, color));
        }
        let in_use = |pwq: &PwqRef| {
            let is = |other: &PwqRef| other.uid == pwq.uid;
            is(&dfl) || by_cpu.iter().any(is)
        };
        // Those that were replaced earlier drain already.
        let old_dfl = control.dfl.take();
        let replaced: Vec<PwqRef> = control
            .pwqs
            .iter()
            .filter(|pwq| {
                let served = |other: &PwqRef| other.uid == pwq.uid;
                (old.iter().any(served) || old_dfl.as_ref().is_some_and(served)) && !in_use(pwq)
            })
            .cloned()
            .collect();
        control.attrs = attrs.clone();
        control.pwqs.extend(new);
        control.dfl = Some(dfl);
        self.links.replace(by_cpu);
        self.tell_links(&control);
        self.adjust(&control, Wake::Fill);
        drop(control);
        for pwq in replaced {
            pwq.transact(engine, |core, now, fx| core.retire_pwq(pwq.ix, now, fx));
        }
        Ok(())
    }

    /// The pwq for the whole mask, those by CPU, and which of them are new; or what was made before it failed.
    #[expect(
        clippy::type_complexity,
        reason = "one caller, which takes it apart at once"
    )]
    fn link_all(
        &self,
        attrs: &WorkqueueAttrs,
        old: &[PwqRef],
    ) -> Result<(PwqRef, Vec<PwqRef>, Vec<PwqRef>), (Error, Vec<PwqRef>)> {
        let (engine, online) = (&*self.engine, self.engine.online());
        let ordered = self.spec.flags.contains(WqFlags::ORDERED);
        let mut new = Vec::new();
        let mut link = |wanted: &PoolAttrs, present: Option<&PwqRef>| {
            if let Some(kept) = present.filter(|pwq| pwq.pool.attrs.as_ref() == Some(wanted)) {
                return Ok(kept.clone());
            }
            let counts = self.nodes.as_ref();
            let node = counts.map(|counts| counts.of(engine.affinity.node_of(wanted)).clone());
            let limit = Limit {
                max_active: 0,
                frozen: false,
                node,
                plugged: ordered && present.is_some(),
            };
            let pwq = engine.link_unbound(wanted, self.pwq_spec(limit))?;
            new.push(pwq.clone());
            Ok(pwq)
        };
        let present = lock(&self.control).dfl.clone();
        let linked = link(&engine.affinity.fallback(attrs), present.as_ref()).and_then(|dfl| {
            let by_cpu = engine.cpus.iter().enumerate().map(|(index, &cpu)| {
                if ordered {
                    return Ok(dfl.clone());
                }
                let wanted = engine.affinity.slot(cpu, attrs, &online);
                link(&wanted, old.get(index))
            });
            Ok((dfl.clone(), by_cpu.collect::<Result<Vec<_>, Error>>()?))
        });
        match linked {
            Ok((dfl, by_cpu)) => Ok((dfl, by_cpu, new)),
            Err(error) => Err((error, new)),
        }
    }
}

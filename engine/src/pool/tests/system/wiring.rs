//! What executes the effects of the pure centre, and changes workqueues as such: what `runtime/unbound.rs` and
//! `queue/tune.rs` do with locks, without them.

use super::model::{Attrs, Fx, Scope, WqSpec};
use super::real::{Core, PwqRef, Real, RealPool, RealRescuer, RealWq};
use super::tuning::HIGHPRI;
use crate::pool::{Effect, Effects, Limit, PwqSpec, Report};
use crate::topology::{AffinityScope, CpuMask, PoolAttrs, WorkqueueAttrs};
use crate::wq::{FlushState, Gate, Limits, Maydays, NodeCounts, Pwqs, Reserved};
use wq_trace::{Wake, WqId};

/// What a flush sees of the pools.
pub(super) struct OfWq<'a> {
    pools: &'a mut [RealPool],
    pwqs: &'a [PwqRef],
}

impl Pwqs for OfWq<'_> {
    fn set_work_color(&mut self, color: u8) {
        for pwq in self.pwqs {
            let core = &mut self.pools[pwq.pool].core;
            if core.has_pwq(pwq.ix, pwq.uid) {
                core.set_work_color(pwq.ix, color);
            }
        }
    }

    fn arm(&mut self, color: u8) -> usize {
        let pools = &mut *self.pools;
        let armed = self.pwqs.iter().filter(|pwq| {
            let core = &mut pools[pwq.pool].core;
            core.has_pwq(pwq.ix, pwq.uid) && core.arm_flush(pwq.ix, color)
        });
        armed.count()
    }
}

fn attrs_of(attrs: &Attrs) -> WorkqueueAttrs {
    WorkqueueAttrs {
        nice: attrs.nice,
        cpumask: (0..64).filter(|cpu| attrs.mask >> cpu & 1 == 1).collect(),
        affn_scope: match attrs.scope {
            Scope::Cpu => AffinityScope::Cpu,
            Scope::Cache => AffinityScope::Cache,
            Scope::Numa => AffinityScope::Numa,
            Scope::System => AffinityScope::System,
        },
        affn_strict: attrs.strict,
    }
}

impl Real {
    /// Transitions of a pool, and what follows from them.
    pub(super) fn transact<R>(
        &mut self,
        pool: usize,
        f: impl FnOnce(&mut Core, u64, &mut Effects<u32>) -> R,
    ) -> R {
        let mut fx = Effects::default();
        let result = f(&mut self.pools[pool].core, self.now, &mut fx);
        let mut left = std::collections::VecDeque::new();
        for effect in fx.effects {
            match effect {
                Effect::Wake(worker) => self.fx.push(Fx::Wake(pool, worker.0 as usize)),
                Effect::PullBack(worker) => self.fx.push(Fx::PullBack(pool, worker.0 as usize)),
                Effect::Complete(waiter) => self.fx.push(Fx::Complete(waiter)),
                // Nobody waits for a time here: a timer may always ring.
                Effect::Timer(_) => {}
                Effect::Report(report) => {
                    let said = self.reported(report);
                    self.fx.push(said);
                }
                other if self.late => left.push_back((pool, other)),
                other => self.execute(pool, other),
            }
        }
        if !left.is_empty() {
            self.left.push(left);
        }
        result
    }

    /// Who has to execute an effect does it; whatever follows is not late.
    pub(super) fn catch_up(&mut self, who: usize) {
        let late = std::mem::replace(&mut self.late, false);
        if let Some((pool, effect)) = self.left[who].pop_front() {
            self.execute(pool, effect);
        }
        if self.left[who].is_empty() {
            self.left.remove(who);
        }
        self.late = late;
    }

    fn execute(&mut self, pool: usize, effect: Effect<u32>) {
        let said = self.said(pool, &effect);
        self.fx.push(said);
        match effect {
            Effect::CreateWorker => {
                self.create(pool);
            }
            Effect::Mayday(wq, pwq) => {
                let wq = self.find(wq);
                self.wqs[wq].maydays.send((pool, pwq));
            }
            Effect::PwqFlushed(wq) => self.pwq_flushed(wq),
            Effect::ActivateIn(reserved) => self.activate_in(reserved),
            Effect::PwqReleased { wq, uid } => self.pwq_released(wq, uid),
            _ => {}
        }
    }

    /// What the model calls a late effect.
    pub(super) fn said(&self, pool: usize, effect: &Effect<u32>) -> Fx {
        match effect {
            Effect::CreateWorker => Fx::CreateWorker(pool),
            Effect::Mayday(_, pwq) => Fx::Mayday(pwq.uid as usize - 1),
            Effect::PwqFlushed(wq) => Fx::Flushed(self.find(*wq)),
            Effect::ActivateIn(reserved) => Fx::Activate(reserved.pwq.uid as usize - 1),
            Effect::PwqReleased { uid, .. } => Fx::Released(*uid as usize - 1),
            _ => unreachable!("this one is never late"),
        }
    }

    fn reported(&self, report: Report) -> Fx {
        let item = |func| {
            let place = self.items.iter().position(|item| item.func == func);
            place.expect("some item has this function")
        };
        match report {
            Report::Hog(func) => Fx::Hog(item(func)),
            Report::BhSlept(func, _) => Fx::BhSlept(item(func)),
        }
    }

    fn find(&self, id: WqId) -> usize {
        let found = self.wqs.iter().position(|wq| wq.slot.id() == id);
        found.expect("the workqueue is there")
    }

    pub(super) fn flush_of(&mut self, wq: usize) -> (&mut FlushState<u32>, OfWq<'_>) {
        let RealWq { flush, pwqs, .. } = &mut self.wqs[wq];
        let pools = &mut self.pools;
        (flush, OfWq { pools, pwqs })
    }

    fn pwq_flushed(&mut self, id: WqId) {
        let (flush, mut pwqs) = self.flush_of(self.find(id));
        let done = flush.pwq_flushed(&mut pwqs);
        self.fx.extend(done.into_iter().map(Fx::Complete));
    }

    fn activate_in(&mut self, reserved: Reserved) {
        let mut next = Some(reserved);
        while let Some(reserved) = next {
            let pool = reserved.pwq.pool as usize - 1;
            next = self.transact(pool, |core, now, fx| {
                core.activate_reserved(reserved, Wake::Fill, now, fx)
            });
        }
    }

    fn pwq_released(&mut self, id: WqId, uid: u64) {
        let wq = self.find(id);
        let pwqs = &mut self.wqs[wq].pwqs;
        let place = pwqs.iter().position(|pwq| pwq.uid == uid);
        let released = pwqs.remove(place.expect("a pwq is released once"));
        if let Some(&oldest) = self.wqs[wq].pwqs.first() {
            self.if_there(oldest, |core, now, fx| core.unplug(oldest.ix, now, fx));
        }
        self.put_pool(released.pool);
    }

    /// Transitions of a pwq's pool, if the pwq is still there.
    fn if_there(&mut self, pwq: PwqRef, f: impl FnOnce(&mut Core, u64, &mut Effects<u32>)) {
        self.transact(pwq.pool, |core, now, fx| {
            if core.has_pwq(pwq.ix, pwq.uid) {
                f(core, now, fx);
            }
        });
    }

    fn put_pool(&mut self, pool: usize) {
        let now = self.now;
        let RealPool { core, attrs, dying } = &mut self.pools[pool];
        if attrs.is_some() && core.nr_pwqs() == 0 && !*dying {
            *dying = true;
            core.die(now);
        }
    }

    pub(super) fn add_wq(&mut self, spec: WqSpec) {
        let max = spec.limit();
        let nodes = self.affinity.topology().nodes().into_iter();
        self.wqs.push(RealWq {
            spec,
            slot: self.segment.workqueue("q", 0, max as u32),
            nodes: spec
                .unbound
                .then(|| NodeCounts::new(nodes.map(|(node, _)| node))),
            limits: Limits::new(max),
            attrs: WorkqueueAttrs {
                nice: if spec.highpri { HIGHPRI } else { 0 },
                ..WorkqueueAttrs::default()
            },
            table: Vec::new(),
            dfl: None,
            pwqs: Vec::new(),
            flush: FlushState::default(),
            gate: Gate::default(),
            maydays: Maydays::default(),
            rescuer: None,
        });
        let wq = self.wqs.len() - 1;
        if spec.mem_reclaim {
            let id = self.wqs[wq].slot.id();
            let slot = self.segment.rescuer(id, "r", self.now);
            self.wqs[wq].rescuer = Some(RealRescuer::new(slot));
        }
        if spec.unbound {
            let attrs = self.wqs[wq].attrs.clone();
            self.relink(wq, &attrs);
            return;
        }
        for cpu in 0..self.online().count() {
            let limit = Limit {
                max_active: 0,
                frozen: false,
                node: None,
                plugged: false,
            };
            let pwq = self.link(wq, spec.percpu_pool(cpu), limit);
            self.wqs[wq].table.push(pwq);
        }
        self.adjust(wq);
    }

    fn online(&self) -> CpuMask {
        self.affinity.topology().cpus()
    }

    fn link(&mut self, wq: usize, pool: usize, limit: Limit) -> PwqRef {
        self.pwqs_made += 1;
        let RealWq {
            spec, slot, flush, ..
        } = &self.wqs[wq];
        let uid = self.pwqs_made;
        let spec = PwqSpec {
            wq: slot.id(),
            wq_name: format!("q{wq}"),
            uid,
            limit,
            ordered: spec.ordered,
            cpu_intensive: spec.cpu_intensive && !spec.unbound,
            mem_reclaim: spec.mem_reclaim,
            work_color: flush.work_color(),
        };
        let ix = self.pools[pool].core.add_pwq(spec, self.now);
        let pwq = PwqRef { pool, ix, uid };
        self.wqs[wq].pwqs.push(pwq);
        pwq
    }

    pub(super) fn apply_attrs(&mut self, wq: usize, attrs: &Attrs) {
        self.relink(wq, &attrs_of(attrs));
    }

    fn relink(&mut self, wq: usize, attrs: &WorkqueueAttrs) {
        let (old, old_dfl) = (self.wqs[wq].table.clone(), self.wqs[wq].dfl);
        let (ordered, online) = (self.wqs[wq].spec.ordered, self.online());
        let fallback = self.affinity.fallback(attrs);
        let dfl = self.link_or_keep(wq, &fallback, old_dfl, ordered);
        let mut table = vec![dfl; online.count()];
        for (cpu, slot) in table.iter_mut().enumerate().filter(|_| !ordered) {
            let wanted = self.affinity.slot(cpu, attrs, &online);
            *slot = self.link_or_keep(wq, &wanted, old.get(cpu).copied(), false);
        }
        self.wqs[wq].attrs = attrs.clone();
        self.wqs[wq].dfl = Some(dfl);
        self.wqs[wq].table.clone_from(&table);
        self.adjust(wq);
        for pwq in self.wqs[wq].pwqs.clone() {
            let served = old.contains(&pwq) || old_dfl == Some(pwq);
            if served && pwq != dfl && !table.contains(&pwq) {
                self.if_there(pwq, |core, now, fx| core.retire_pwq(pwq.ix, now, fx));
            }
        }
    }

    fn link_or_keep(
        &mut self,
        wq: usize,
        wanted: &PoolAttrs,
        present: Option<PwqRef>,
        ordered: bool,
    ) -> PwqRef {
        let same = |pwq: &PwqRef| self.pools[pwq.pool].attrs.as_ref() == Some(wanted);
        if let Some(kept) = present.filter(same) {
            return kept;
        }
        let same = |pool: &RealPool| pool.attrs.as_ref() == Some(wanted) && !pool.dying;
        let pool = self.pools.iter().position(same).unwrap_or_else(|| {
            self.add_pool(None, wanted.nice(), false, Some(wanted.clone()));
            self.create(self.pools.len() - 1);
            self.pools.len() - 1
        });
        let node = self.affinity.node_of(wanted);
        let counts = self.wqs[wq].nodes.as_ref();
        let limit = Limit {
            max_active: 0,
            frozen: false,
            node: counts.map(|counts| counts.of(node).clone()),
            plugged: ordered && present.is_some(),
        };
        self.link(wq, pool, limit)
    }

    pub(super) fn set_max_active(&mut self, wq: usize, max: usize) {
        if !self.wqs[wq].spec.ordered && !self.wqs[wq].spec.bh {
            self.wqs[wq].limits.set_max(max);
            self.adjust(wq);
        }
    }

    pub(super) fn set_min_active(&mut self, wq: usize, min: usize) {
        let spec = self.wqs[wq].spec;
        if spec.unbound && !spec.ordered {
            self.wqs[wq].limits.set_min(min);
            self.adjust(wq);
        }
    }

    pub(super) fn set_frozen(&mut self, frozen: bool) {
        for wq in 0..self.wqs.len() {
            if self.wqs[wq].spec.freezable && self.wqs[wq].limits.set_frozen(frozen) {
                self.adjust(wq);
            }
        }
    }

    fn adjust(&mut self, wq: usize) {
        let (limits, online) = (self.wqs[wq].limits, self.online());
        if let Some(nodes) = &self.wqs[wq].nodes {
            let range = (limits.min(), limits.max());
            let attrs = &self.wqs[wq].attrs;
            let shares = self.affinity.node_maxes(attrs, range, &online);
            nodes.set_max(shares, limits.max());
        }
        for pwq in self.wqs[wq].pwqs.clone() {
            self.if_there(pwq, |core, now, fx| {
                let (max, frozen) = (limits.max(), limits.frozen());
                core.set_limit(pwq.ix, max, frozen, Wake::Fill, now, fx);
            });
        }
        while let Some(reserved) = self.wqs[wq].nodes.as_ref().and_then(NodeCounts::reserve) {
            self.activate_in(reserved);
        }
    }
}

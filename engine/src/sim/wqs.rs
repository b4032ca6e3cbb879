//! Workqueues of the simulator: which pools serve them, their limits, and what changes while they are in use. What
//! `queue/tune.rs` and `runtime/unbound.rs` do under locks, without them.

use super::cpus::ThreadIx;
use super::life::SimRescuer;
use super::machine::{Machine, SimPool};
use super::program::{Step, WqRef};
use crate::attrs::{HIGHPRI_NICE, MAX_ACTIVE, WqFlags};
use crate::pool::{Limit, PwqIx, PwqSpec};
use crate::topology::{CpuMask, PoolAttrs, WorkqueueAttrs};
use crate::wq::{FlushState, Gate, Limits, NodeCounts, Pwqs, Reserved};
use wq_trace::{Event, PoolId, Wake, What, WorkerId, WqId, WqSlot};

/// A workqueue.
pub(super) struct SimWq {
    pub(super) name: String,
    pub(super) flags: WqFlags,
    pub(super) slot: WqSlot,
    /// By CPU.
    pub(super) by_cpu: Vec<SimPwq>,
    /// Each pwq once, oldest first; those that were replaced stay until they have drained.
    pub(super) pwqs: Vec<SimPwq>,
    /// The one for the whole mask, of an unbound workqueue.
    dfl: Option<SimPwq>,
    /// The active slots of an unbound workqueue.
    pub(super) nodes: Option<NodeCounts>,
    pub(super) limits: Limits,
    pub(super) attrs: WorkqueueAttrs,
    pub(super) rescuer: Option<SimRescuer>,
    pub(super) flush: FlushState<ThreadIx>,
    pub(super) gate: Gate,
    /// Executions that have begun and not returned.
    pub(super) running: u64,
    pub(super) max_running: u64,
}

/// A workqueue's share of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SimPwq {
    /// Index of the pool.
    pub(super) pool: usize,
    pub(super) ix: PwqIx,
    pub(super) uid: u64,
}

/// What a flush sees of the pools.
pub(super) struct OfWq<'a> {
    pub(super) pools: &'a mut [SimPool],
    pub(super) pwqs: &'a [SimPwq],
}

impl Pwqs for OfWq<'_> {
    fn set_work_color(&mut self, color: u8) {
        for pwq in self.pwqs {
            if pwq.is_there(self.pools) {
                self.pools[pwq.pool].core.set_work_color(pwq.ix, color);
            }
        }
    }

    fn arm(&mut self, color: u8) -> usize {
        let armed = self.pwqs.iter().filter(|pwq| {
            pwq.is_there(self.pools) && self.pools[pwq.pool].core.arm_flush(pwq.ix, color)
        });
        armed.count()
    }
}

impl SimPwq {
    /// One that was replaced goes with its last item, and its workqueue learns that a little later.
    pub(super) fn is_there(&self, pools: &[SimPool]) -> bool {
        pools[self.pool].core.has_pwq(self.ix, self.uid)
    }
}

impl Machine<'_> {
    pub(super) fn add_workqueue(
        &mut self,
        name: &str,
        flags: WqFlags,
        max_active: usize,
        attrs: Option<WorkqueueAttrs>,
    ) {
        let efficient = self.program.engine.power_efficient.unwrap_or(false);
        let (flags, max_active) = (flags.in_force(efficient), flags.limit(max_active));
        let highpri = flags.contains(WqFlags::HIGHPRI);
        let unbound = flags.contains(WqFlags::UNBOUND);
        let slot = self
            .segment
            .workqueue(name, flags.bits(), max_active as u32);
        let nodes = self.affinity.topology().nodes().into_iter();
        let attrs = attrs.unwrap_or_else(|| WorkqueueAttrs {
            nice: if highpri { HIGHPRI_NICE } else { 0 },
            ..WorkqueueAttrs::default()
        });
        let index = self.wqs.len();
        let rescues = flags.contains(WqFlags::MEM_RECLAIM);
        let rescuer = rescues.then(|| self.add_rescuer(name, &slot));
        let nodes = unbound.then(|| NodeCounts::new(nodes.map(|(number, _)| number)));
        if let Some(nodes) = &nodes {
            nodes.show_in(&slot);
        }
        self.wqs.push(SimWq {
            name: name.to_owned(),
            flags,
            slot,
            by_cpu: Vec::new(),
            pwqs: Vec::new(),
            dfl: None,
            nodes,
            limits: Limits::new(max_active),
            attrs: attrs.clone(),
            rescuer,
            flush: FlushState::default(),
            gate: Gate::default(),
            running: 0,
            max_running: 0,
        });
        if unbound {
            self.relink(index, &attrs);
        } else {
            let bh = flags.contains(WqFlags::BH);
            let first = if bh { 0 } else { 2 };
            self.link_percpu(index, first + usize::from(highpri));
            self.adjust(self.timer, index, Wake::Fill);
        }
        let (flags, max_active) = (flags.bits(), max_active as u32);
        self.tell_of_wq(self.timer, index, What::Alloc { flags, max_active });
    }

    /// One of the four pools of each CPU.
    fn link_percpu(&mut self, wq: usize, which: usize) {
        let by_cpu: Vec<SimPwq> = (0..self.program.cpus)
            .map(|cpu| {
                let limit = Limit {
                    max_active: 0,
                    frozen: false,
                    node: None,
                    plugged: false,
                };
                self.link(wq, 4 * cpu + which, limit)
            })
            .collect();
        self.wqs[wq].pwqs.clone_from(&by_cpu);
        self.wqs[wq].by_cpu = by_cpu;
    }

    fn link(&mut self, wq: usize, pool: usize, limit: Limit) -> SimPwq {
        self.pwq_uids += 1;
        let uid = self.pwq_uids;
        let SimWq {
            name, flags, slot, ..
        } = &self.wqs[wq];
        let spec = PwqSpec {
            wq: slot.id(),
            wq_name: name.clone(),
            uid,
            limit,
            ordered: flags.contains(WqFlags::ORDERED),
            cpu_intensive: flags.contains(WqFlags::CPU_INTENSIVE)
                && !flags.contains(WqFlags::UNBOUND),
            mem_reclaim: flags.contains(WqFlags::MEM_RECLAIM),
            work_color: self.wqs[wq].flush.work_color(),
        };
        let ix = self.pools[pool].core.add_pwq(spec, self.now);
        SimPwq { pool, ix, uid }
    }

    /// CPUs whose pools work on them.
    pub(super) fn online(&self) -> CpuMask {
        let cpus = self.affinity.topology().cpus();
        cpus.iter().filter(|&cpu| self.cpus.is_here(cpu)).collect()
    }

    /// Lets the pools with these attributes serve an unbound workqueue; those that it has now and needs no more go
    /// once they have drained. Kernel: `apply_workqueue_attrs()`.
    pub(super) fn relink(&mut self, wq: usize, attrs: &WorkqueueAttrs) {
        let online = self.online();
        let ordered = self.wqs[wq].flags.contains(WqFlags::ORDERED);
        let old = std::mem::take(&mut self.wqs[wq].by_cpu);
        let old_all = self.wqs[wq].pwqs.clone();
        // The one for the whole mask comes first.
        let fallback = self.affinity.fallback(attrs);
        let old_dfl = self.wqs[wq].dfl;
        let dfl = self.link_or_keep(wq, &fallback, old_dfl, ordered);
        let by_cpu: Vec<SimPwq> = (0..self.program.cpus)
            .map(|cpu| {
                if ordered {
                    return dfl;
                }
                let wanted = self.affinity.slot(cpu, attrs, &online);
                self.link_or_keep(wq, &wanted, old.get(cpu).copied(), false)
            })
            .collect();
        let serves = |pwq: &SimPwq| *pwq == dfl || by_cpu.contains(pwq);
        let replaced: Vec<SimPwq> = old_all.into_iter().filter(|pwq| !serves(pwq)).collect();
        self.wqs[wq].by_cpu = by_cpu;
        self.wqs[wq].dfl = Some(dfl);
        self.wqs[wq].attrs = attrs.clone();
        self.adjust(self.actor, wq, Wake::Fill);
        for pwq in replaced {
            if pwq.is_there(&self.pools) {
                self.transact(self.actor, pwq.pool, |core, now, fx| {
                    core.retire_pwq(pwq.ix, now, fx);
                });
            }
        }
    }

    fn link_or_keep(
        &mut self,
        wq: usize,
        wanted: &PoolAttrs,
        present: Option<SimPwq>,
        ordered: bool,
    ) -> SimPwq {
        let same = |pwq: &SimPwq| self.pools[pwq.pool].attrs.as_ref() == Some(wanted);
        if let Some(kept) = present.filter(same) {
            return kept;
        }
        let pool = self.unbound_pool(wanted);
        let node = self.affinity.node_of(wanted);
        let node = self.wqs[wq]
            .nodes
            .as_ref()
            .map(|counts| counts.of(node).clone());
        let limit = Limit {
            max_active: 0,
            frozen: false,
            node,
            plugged: ordered && present.is_some(),
        };
        let pwq = self.link(wq, pool, limit);
        self.wqs[wq].pwqs.push(pwq);
        pwq
    }

    fn unbound_pool(&mut self, attrs: &PoolAttrs) -> usize {
        let same = |pool: &SimPool| pool.attrs.as_ref() == Some(attrs);
        match self.pools.iter().position(same) {
            Some(pool) => pool,
            None => self.add_pool(None, attrs.nice(), false, Some(attrs)),
        }
    }

    /// The limits in force come to the pwqs, and what may go on now goes on. Kernel: `wq_adjust_max_active()`.
    fn adjust(&mut self, actor: ThreadIx, wq: usize, reason: Wake) {
        let online = self.online();
        let SimWq {
            nodes,
            limits,
            attrs,
            pwqs,
            ..
        } = &self.wqs[wq];
        let (limits, pwqs) = (*limits, pwqs.clone());
        if let Some(nodes) = nodes {
            let range = (limits.min(), limits.max());
            let shares = self.affinity.node_maxes(attrs, range, &online);
            nodes.set_max(shares, limits.max());
        }
        for pwq in pwqs {
            self.transact(actor, pwq.pool, |core, now, fx| {
                core.set_limit(pwq.ix, limits.max(), limits.frozen(), reason, now, fx);
            });
        }
        while let Some(reserved) = self.wqs[wq].nodes.as_ref().and_then(NodeCounts::reserve) {
            self.activate_in(reserved, reason);
        }
    }

    /// A slot was reserved for a pwq: its first held item becomes active.
    pub(super) fn activate_in(&mut self, reserved: Reserved, reason: Wake) {
        let mut next = Some(reserved);
        while let Some(reserved) = next {
            let pool = reserved.pwq.pool as usize - 1;
            next = self.transact(self.actor, pool, |core, now, fx| {
                core.activate_reserved(reserved, reason, now, fx)
            });
        }
    }

    /// A pwq that was replaced has drained: an ordered workqueue goes on with the oldest that is left.
    pub(super) fn pwq_released(&mut self, id: WqId, uid: u64) {
        let Some(wq) = self.wqs.iter_mut().find(|wq| wq.slot.id() == id) else {
            return;
        };
        wq.pwqs.retain(|pwq| pwq.uid != uid);
        if let Some(oldest) = wq.pwqs.first().copied() {
            self.transact(self.actor, oldest.pool, |core, now, fx| {
                core.unplug(oldest.ix, now, fx);
            });
        }
    }

    /// A step that concerns workqueues as such.
    pub(super) fn workqueue_step(&mut self, thread: ThreadIx, step: &Step) {
        match step {
            Step::SetMaxActive(wq, max_active) => self.set_max_active(thread, wq, *max_active),
            Step::Freeze => self.set_frozen(thread, true),
            Step::Thaw => self.set_frozen(thread, false),
            _ => unreachable!("the caller picks the steps"),
        }
    }

    /// Kernel: `workqueue_set_max_active()`; ordered and BH workqueues keep their limit.
    fn set_max_active(&mut self, thread: ThreadIx, wq: &WqRef, max_active: usize) {
        let index = self.wq_index(wq);
        let wq = &mut self.wqs[index];
        if wq.flags.intersects(WqFlags::BH | WqFlags::ORDERED) {
            return;
        }
        let (old, new) = (wq.limits.configured(), max_active.clamp(1, MAX_ACTIVE));
        wq.limits.set_max(new);
        wq.slot.set_max_active(new as u32);
        let (old, new) = (old as u32, new as u32);
        self.tell_of_wq(thread, index, What::MaxActive { old, new });
        self.adjust(thread, index, Wake::Fill);
    }

    fn set_frozen(&mut self, thread: ThreadIx, frozen: bool) {
        for index in 0..self.wqs.len() {
            let wq = &mut self.wqs[index];
            if !wq.flags.contains(WqFlags::FREEZABLE) || !wq.limits.set_frozen(frozen) {
                continue;
            }
            let (flags, max_active) = (wq.flags.bits(), wq.limits.configured() as u32);
            let what = if frozen {
                What::Freeze { flags, max_active }
            } else {
                What::Thaw { flags, max_active }
            };
            self.tell_of_wq(thread, index, what);
            self.adjust(thread, index, Wake::Thaw);
        }
    }

    fn tell_of_wq(&mut self, thread: ThreadIx, wq: usize, what: What) {
        self.actor = thread;
        let event = Event {
            at: self.now,
            cpu: 0,
            tid: 0,
            wq: self.wqs[wq].slot.id(),
            pool: PoolId::NONE,
            worker: WorkerId::NONE,
            func: wq_trace::FuncId::NONE,
            from: wq_trace::FuncId::NONE,
            work: 0,
            what,
        };
        self.emit(event);
    }
}

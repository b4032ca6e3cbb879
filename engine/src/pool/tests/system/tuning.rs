//! The rules for workqueues as such: limits, freezing, attributes, and which pools serve them.

use super::model::{Attrs, Key, Mask, Model, Pool, Pwq, Scope, Worker, Wq, WqSpec};
use std::collections::VecDeque;

/// Least `min_active` that a node has by default.
const MIN_ACTIVE: usize = 8;

/// Nice level of highpri workqueues.
pub(super) const HIGHPRI: i32 = -20;

impl WqSpec {
    /// Each CPU has four pools: normal, highpri, BH, BH highpri.
    pub(super) fn percpu_pool(&self, cpu: usize) -> usize {
        4 * cpu + 2 * usize::from(self.bh) + usize::from(self.highpri)
    }

    /// BH workqueues have no limit.
    pub(super) fn limit(&self) -> usize {
        match (self.ordered, self.bh) {
            (true, _) => 1,
            (_, true) => i32::MAX as usize,
            _ => self.max_active,
        }
    }
}

impl Model {
    pub(super) fn add_pool(&mut self, key: Option<Key>, workers: usize) {
        self.pools.push(Pool {
            bh: false,
            asked: false,
            progress: self.now,
            key,
            worklist: Vec::new(),
            rescuers: Vec::new(),
            managed: false,
            managing_since: 0,
            mayday_due: None,
            idle_due: None,
            workers: (0..workers).map(|_| Worker::new()).collect(),
            idle: (0..workers).collect(),
            dying: false,
        });
    }

    pub(super) fn add_wq(&mut self, spec: WqSpec) {
        let attrs = Attrs {
            nice: if spec.highpri { HIGHPRI } else { 0 },
            strict: false,
            mask: Mask::MAX,
            scope: Scope::Cache,
        };
        let max = spec.limit();
        let wq = self.wqs.len();
        self.wqs.push(Wq {
            spec,
            max,
            min: max.min(MIN_ACTIVE),
            frozen: false,
            drainers: 0,
            maydays: VecDeque::new(),
            attrs,
            table: Vec::new(),
            dfl: None,
            pwqs: Vec::new(),
            waiting: vec![Vec::new(); self.machine.nodes + 1],
            flushes: VecDeque::new(),
            overflow: Vec::new(),
        });
        if spec.unbound {
            self.apply_attrs(wq, attrs);
            return;
        }
        for cpu in 0..self.machine.count() {
            let pwq = self.add_pwq(wq, spec.percpu_pool(cpu), false);
            self.wqs[wq].table.push(pwq);
        }
    }

    fn add_pwq(&mut self, wq: usize, pool: usize, plugged: bool) -> usize {
        self.pwqs.push(Pwq {
            wq,
            pool,
            plugged,
            retired: false,
            gone: false,
            mayday: false,
            inactive: Vec::new(),
        });
        let pwq = self.pwqs.len() - 1;
        self.wqs[wq].pwqs.push(pwq);
        pwq
    }

    /// A pwq on the pool with this key, which is made with one worker if there is none.
    fn add_unbound_pwq(&mut self, wq: usize, key: Key, plugged: bool) -> usize {
        let same = |pool: &Pool| pool.key == Some(key) && !pool.dying;
        let pool = self.pools.iter().position(same).unwrap_or_else(|| {
            self.add_pool(Some(key), 1);
            self.pools.len() - 1
        });
        self.add_pwq(wq, pool, plugged)
    }

    fn key_of(&self, pwq: usize) -> Option<Key> {
        self.pools[self.pwqs[pwq].pool].key
    }

    fn key(attrs: &Attrs, pod: Mask, effective: Mask) -> Key {
        Key {
            nice: attrs.nice,
            strict: attrs.strict,
            pod,
            allowed: if attrs.strict { pod } else { effective },
        }
    }

    /// New pools serve the workqueue. Pwqs whose pool stays the same stay; the others go once they have drained; the
    /// new one of an ordered workqueue waits for that.
    pub(super) fn apply_attrs(&mut self, wq: usize, attrs: Attrs) {
        let effective = self.effective(&attrs);
        let (old, old_dfl) = (self.wqs[wq].table.clone(), self.wqs[wq].dfl);
        let ordered = self.wqs[wq].spec.ordered;
        let whole = Self::key(&attrs, effective, effective);
        let dfl = match old_dfl.filter(|&pwq| self.key_of(pwq) == Some(whole)) {
            Some(kept) => kept,
            None => self.add_unbound_pwq(wq, whole, ordered && old_dfl.is_some()),
        };
        let mut table = vec![dfl; self.machine.count()];
        for (cpu, slot) in table.iter_mut().enumerate().filter(|_| !ordered) {
            let pod = match self.machine.pod(cpu, attrs.scope) & effective {
                0 => effective,
                pod => pod,
            };
            let wanted = Self::key(&attrs, pod, effective);
            let present = old.get(cpu).copied();
            *slot = match present.filter(|&pwq| self.key_of(pwq) == Some(wanted)) {
                Some(kept) => kept,
                None => self.add_unbound_pwq(wq, wanted, false),
            };
        }
        self.wqs[wq].attrs = attrs;
        self.wqs[wq].dfl = Some(dfl);
        self.wqs[wq].table.clone_from(&table);
        self.adjust(wq);
        for pwq in self.wqs[wq].pwqs.clone() {
            let served = old.contains(&pwq) || old_dfl == Some(pwq);
            if served && pwq != dfl && !table.contains(&pwq) {
                self.pwqs[pwq].retired = true;
                let mut fx = Vec::new();
                self.release_if_done(pwq, &mut fx);
                self.commit(fx);
            }
        }
    }

    /// A replaced pwq is gone: an ordered workqueue goes on with the oldest that is left.
    pub(super) fn released(&mut self, pwq: usize) {
        let wq = self.pwqs[pwq].wq;
        self.wqs[wq].pwqs.retain(|&other| other != pwq);
        if let Some(&oldest) = self.wqs[wq].pwqs.first()
            && std::mem::take(&mut self.pwqs[oldest].plugged)
        {
            self.unplugged(oldest);
        }
        self.put_pool(self.pwqs[pwq].pool);
    }

    fn unplugged(&mut self, pwq: usize) {
        let (wq, node) = (self.pwqs[pwq].wq, self.node_of(pwq));
        let mut fx = Vec::new();
        if !self.pwqs[pwq].inactive.is_empty() && self.take_slot(pwq) {
            self.activate_first(pwq);
            if !self.pwqs[pwq].inactive.is_empty() {
                self.wqs[wq].waiting[node].push(pwq);
            }
            self.kick(self.pwqs[pwq].pool, &mut fx);
        }
        self.commit(fx);
    }

    /// An unbound pool that nobody uses any more goes.
    fn put_pool(&mut self, pool: usize) {
        let used = self.pwqs.iter().any(|pwq| pwq.pool == pool && !pwq.gone);
        if self.pools[pool].key.is_some() && !used {
            self.pools[pool].dying = true;
        }
    }

    /// Ordered and BH workqueues keep their limit.
    pub(super) fn set_max_active(&mut self, wq: usize, max: usize) {
        if !self.wqs[wq].spec.ordered && !self.wqs[wq].spec.bh {
            self.wqs[wq].max = max;
            self.wqs[wq].min = self.wqs[wq].min.min(max);
            self.adjust(wq);
        }
    }

    /// Means something only for unbound workqueues that are not ordered.
    pub(super) fn set_min_active(&mut self, wq: usize, min: usize) {
        let spec = self.wqs[wq].spec;
        if spec.unbound && !spec.ordered {
            self.wqs[wq].min = min.min(self.wqs[wq].max);
            self.adjust(wq);
        }
    }

    pub(super) fn set_frozen(&mut self, frozen: bool) {
        for wq in 0..self.wqs.len() {
            if self.wqs[wq].spec.freezable && self.wqs[wq].frozen != frozen {
                self.wqs[wq].frozen = frozen;
                self.adjust(wq);
            }
        }
    }

    /// What may go on now goes on: bound pwqs as far as they can, the others in turn, who waits longest first.
    fn adjust(&mut self, wq: usize) {
        if self.wqs[wq].spec.unbound {
            for node in 0..=self.machine.nodes {
                while let Some(pwq) = self.reserve(wq, node) {
                    self.use_reserved(pwq);
                }
            }
            return;
        }
        for pwq in self.wqs[wq].pwqs.clone() {
            let mut fx = Vec::new();
            while !self.pwqs[pwq].inactive.is_empty() && self.take_slot(pwq) {
                self.activate_first(pwq);
            }
            self.kick(self.pwqs[pwq].pool, &mut fx);
            self.commit(fx);
        }
    }
}

//! What the tools are told of the configuration: settings, which CPUs a pool has, which pool serves which CPU of a
//! workqueue, limits. None of it is read back.

use super::{Core, EngineInner, Pool};
use crate::queue::{Control, PwqRef, WqInner};
use crate::topology::{AffinityScope, CpuMask};
use crate::wq::Limits;
use std::sync::Arc;
use wq_trace::{CpuSet, PodRow, PoolId, Scope, ScopeRow, Settings, WqAttrs, WqLimits};

/// CPUs as the segment stores them, which has no number beyond 1023.
fn shown(mask: &CpuMask) -> CpuSet {
    let cpus = mask.iter().map_while(|cpu| u16::try_from(cpu).ok());
    cpus.collect()
}

fn shown_scope(scope: AffinityScope) -> Scope {
    Scope::from_number(scope as u8).unwrap_or_default()
}

impl EngineInner {
    /// What the engine was told to do: at its start, and again when CPUs have come or gone.
    pub(crate) fn tell_settings(&self) {
        let affinity = &self.affinity;
        let scopes = AffinityScope::ALL.into_iter();
        let scopes = scopes.filter(|&scope| scope != AffinityScope::Default);
        let numbered = affinity.topology().nodes();
        let most = numbered.iter().map(|(node, _)| node + 1).max().unwrap_or(0);
        let mut nodes = vec![CpuSet::default(); most];
        for (node, cpus) in &numbered {
            nodes[*node] = shown(cpus);
        }
        self.segment.set_settings(&Settings {
            unbound_cpus: Some(shown(affinity.unbound())),
            online_cpus: Some(shown(&self.online())),
            default_scope: Some(shown_scope(affinity.default_scope())),
            power_efficient: Some(self.power_efficient),
            cpu_intensive_thresh_ns: Some(self.hog_thresh),
            watchdog_thresh_ns: Some(self.watchdog_thresh),
            scopes: scopes.map(|scope| self.shown_pods(scope)).collect(),
            nodes,
            idle_timeout_ns: Some(self.idle_timeout),
        });
    }

    fn shown_pods(&self, scope: AffinityScope) -> ScopeRow {
        let pods = self.affinity.pods(scope).iter().map(|pod| PodRow {
            cpus: shown(&pod.cpus),
            node: pod.node.map(|node| node as u16),
        });
        ScopeRow {
            scope: shown_scope(scope),
            pods: pods.collect(),
        }
    }

    /// Which CPUs a pool has.
    pub(crate) fn tell_pool(&self, pool: &Arc<Pool>) {
        let (cpus, pod_cpus, node, strict) = match &pool.attrs {
            Some(attrs) => {
                let node = self.affinity.node_of(attrs);
                let sets = (shown(attrs.allowed()), shown(attrs.pod()));
                (sets.0, sets.1, node, attrs.strict())
            }
            None => {
                let cpu = pool.look(|core| core.spec.cpu);
                let node = cpu.and_then(|cpu| self.affinity.topology().node_of(cpu.into()));
                let own: CpuSet = cpu.into_iter().collect();
                (own.clone(), own, node, true)
            }
        };
        let attrs = wq_trace::PoolAttrs {
            cpus,
            pod_cpus,
            node: node.map(|node| node as u16),
            strict,
        };
        pool.look(|core| core.tell_attrs(&attrs));
    }
}

impl WqInner {
    /// What an unbound workqueue asks for, and which pools serve it.
    pub(crate) fn tell_links(&self, control: &Control) {
        let attrs = &control.attrs;
        self.slot.set_attrs(&WqAttrs {
            nice: attrs.nice,
            scope: shown_scope(attrs.affn_scope),
            strict: attrs.affn_strict,
            cpus: shown(&attrs.cpumask),
        });
        let id = |pwq: &PwqRef| pwq.pool.look(Core::id);
        let by_cpu = self.links.by_cpu();
        let highest = self.engine.cpus.last().copied().unwrap_or_default();
        let mut pools = vec![PoolId::NONE; highest + 1];
        for (&cpu, pwq) in self.engine.cpus.iter().zip(&by_cpu) {
            pools[cpu] = id(pwq);
        }
        let default = control.dfl.as_ref().map_or(PoolId::NONE, id);
        self.slot.set_pools(&pools, default);
    }

    /// The limits, those asked for and those in force.
    pub(crate) fn tell_limits(&self, limits: &Limits) {
        let n = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
        self.slot.set_limits(&WqLimits {
            max_active: n(limits.configured()),
            min_active: n(limits.configured_min()),
            effective_max_active: n(limits.max()),
            effective_min_active: n(limits.min()),
        });
    }
}

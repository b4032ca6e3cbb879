//! Lists from their parts, and the rows that they belong to.

use super::table::Slot;
use crate::cpus::CpuSet;
use crate::ids::PoolId;
use crate::layout::{CPUS, LIST_ENTRIES, LIST_WORDS, Topic, list};
use crate::settings::{NodeRow, PodRow, Scope, ScopeRow, Settings};
use crate::snapshot::Snapshot;
use std::collections::HashMap;

/// NUMA nodes that are looked for: as many as the kernel can be built for.
const NODES: u32 = 1024;

/// The parts of all lists, by topic and owner.
#[derive(Debug, Default)]
pub(super) struct Lists {
    parts: HashMap<(Topic, u32), Vec<Part>>,
}

/// The number of the first entry, the entries.
type Part = (u32, Vec<u32>);

impl Lists {
    /// Takes a part in; one of an unknown topic is left out.
    pub(super) fn add(&mut self, slot: &Slot<'_>) {
        let (topic, owner) = slot.halves(list::OWNER);
        let (first, count) = slot.halves(list::PLACE);
        let Some(topic) = Topic::from_number(topic) else {
            return;
        };
        let words = &slot.second[list::ENTRIES..][..LIST_WORDS];
        let halves = words.iter().flat_map(|&w| [w as u32, (w >> 32) as u32]);
        let entries = halves.take((count as usize).min(LIST_ENTRIES)).collect();
        let parts = self.parts.entry((topic, owner)).or_default();
        parts.push((first, entries));
    }

    /// A list up to its first gap; `None` when it has no beginning.
    fn take(&mut self, topic: Topic, owner: u32) -> Option<Vec<u32>> {
        let mut parts = self.parts.remove(&(topic, owner))?;
        parts.sort_by_key(|&(first, _)| first);
        let mut whole: Option<Vec<u32>> = None;
        for (first, mut entries) in parts {
            let so_far = whole.get_or_insert_default();
            if first as usize == so_far.len() {
                so_far.append(&mut entries);
            }
        }
        whole
    }

    fn cpus(&mut self, topic: Topic, owner: u32) -> Option<CpuSet> {
        let entries = self.take(topic, owner)?;
        Some(CpuSet::from_entries(&entries))
    }

    /// Gives every list to its row.
    pub(super) fn hand_out(mut self, snapshot: &mut Snapshot) {
        for row in &mut snapshot.pools {
            row.cpus = self.cpus(Topic::PoolCpus, row.id.0);
            row.pod_cpus = self.cpus(Topic::PoolPodCpus, row.id.0);
        }
        for row in &mut snapshot.workers {
            row.cpus = self.cpus(Topic::WorkerCpus, row.id.0);
        }
        for row in &mut snapshot.workqueues {
            let id = row.id.0;
            if let (Some(attrs), Some(cpus)) = (&mut row.attrs, self.cpus(Topic::WqCpus, id)) {
                attrs.cpus = cpus;
            }
            let pools = self.take(Topic::WqPools, id).unwrap_or_default();
            row.pools = pools.into_iter().take(CPUS).map(PoolId).collect();
            let nodes = self.take(Topic::WqNodes, id).unwrap_or_default();
            let node = |pair: &[u32]| NodeRow {
                nr: pair[0],
                max: pair[1],
            };
            // The last entry is for no node.
            let most = NODES as usize + 1;
            row.nodes = nodes.chunks_exact(2).take(most).map(node).collect();
        }
        self.settings(&mut snapshot.settings);
    }

    /// The engine's own.
    fn settings(&mut self, settings: &mut Settings) {
        settings.unbound_cpus = self.cpus(Topic::UnboundCpus, 0);
        settings.online_cpus = self.cpus(Topic::OnlineCpus, 0);
        settings.nodes = (0..NODES)
            .map_while(|node| self.cpus(Topic::NodeCpus, node))
            .collect();
        settings.scopes = Scope::ALL
            .into_iter()
            .filter_map(|scope| self.scope(scope))
            .collect();
    }

    /// A scope's pods; a CPU in a pod that is not there is in none.
    fn scope(&mut self, scope: Scope) -> Option<ScopeRow> {
        let nodes = self.take(Topic::PodNode, scope as u32)?;
        let node = |node: u32| node.checked_sub(1).and_then(|n| u16::try_from(n).ok());
        let mut pods: Vec<_> = nodes
            .into_iter()
            .take(CPUS)
            .map(|number| PodRow {
                node: node(number),
                ..PodRow::default()
            })
            .collect();
        let cpu_pod = self.take(Topic::CpuPod, scope as u32).unwrap_or_default();
        for (cpu, pod) in (0..CPUS as u16).zip(cpu_pod) {
            let pod = pod
                .checked_sub(1)
                .and_then(|pod| pods.get_mut(pod as usize));
            if let Some(pod) = pod {
                pod.cpus.insert(cpu);
            }
        }
        Some(ScopeRow { scope, pods })
    }
}

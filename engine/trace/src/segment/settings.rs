//! Writing what the engine was told to do.

use super::{Books, Segment};
use crate::cpus::CpuSet;
use crate::layout::{self, Topic, head};
use crate::settings::{ScopeRow, Settings};

impl Segment {
    /// Says what the engine was told to do, and how its CPUs are grouped: at its start, and again whenever any of it has
    /// changed. A reader may see some of it before and some of it after a change.
    ///
    /// Lists are as long as the machine has CPUs, so this is nothing for a busy path.
    pub fn set_settings(&self, settings: &Settings) {
        if self.forked() {
            return;
        }
        let books = &mut *self.inner.books();
        let sets = [
            (Topic::UnboundCpus, &settings.unbound_cpus),
            (Topic::OnlineCpus, &settings.online_cpus),
        ];
        for (topic, set) in sets {
            match set {
                Some(set) => books.set_cpus(topic, 0, set),
                None => books.clear_list(topic, 0),
            }
        }
        let nodes_before = std::mem::replace(&mut books.nodes, settings.nodes.len() as u32);
        for (node, cpus) in (0..).zip(&settings.nodes) {
            books.set_cpus(Topic::NodeCpus, node, cpus);
        }
        for node in books.nodes..nodes_before {
            books.clear_list(Topic::NodeCpus, node);
        }
        for scope in &settings.scopes {
            set_scope(books, scope);
        }
        self.set_numbers(settings);
    }

    /// The settings that are one number each.
    fn set_numbers(&self, settings: &Settings) {
        let words = &self.inner.head;
        let numbers = [
            (
                head::CPU_INTENSIVE_NS,
                layout::SAYS_CPU_INTENSIVE,
                settings.cpu_intensive_thresh_ns,
            ),
            (
                head::WATCHDOG_NS,
                layout::SAYS_WATCHDOG,
                settings.watchdog_thresh_ns,
            ),
            (head::IDLE_NS, layout::SAYS_IDLE, settings.idle_timeout_ns),
        ];
        let mut said = 0;
        for (at, bit, number) in numbers {
            words.put(at, number.unwrap_or(0));
            said |= number.map_or(0, |_| bit);
        }
        if let Some(scope) = settings.default_scope {
            said |= layout::SAYS_SCOPE | (scope as u64) << 8;
        }
        if let Some(on) = settings.power_efficient {
            said |= layout::SAYS_POWER | u64::from(on) << 16;
        }
        words.set(head::SETTINGS, said);
    }
}

/// The pod of each CPU and the node of each pod: so no CPU can be in two pods.
fn set_scope(books: &mut Books, row: &ScopeRow) {
    let mut cpu_pod = Vec::new();
    for (pod, cpus) in (1..).zip(row.pods.iter().map(|pod| &pod.cpus)) {
        for cpu in cpus.iter().map(usize::from) {
            if cpu_pod.len() <= cpu {
                cpu_pod.resize(cpu + 1, 0);
            }
            cpu_pod[cpu] = pod;
        }
    }
    let node = |node: Option<u16>| node.map_or(0, |node| u32::from(node) + 1);
    let pod_node: Vec<_> = row.pods.iter().map(|pod| node(pod.node)).collect();
    let scope = row.scope as u32;
    // In this order: a pod that a reader does not know yet has no CPUs, rather than the other way round.
    books.set_list(Topic::PodNode, scope, &pod_node);
    books.set_list(Topic::CpuPod, scope, &cpu_pod);
}

impl Books {
    /// Writes a list.
    pub(super) fn set_list(&mut self, topic: Topic, owner: u32, entries: &[u32]) {
        self.lists
            .set(&mut self.tables, &mut self.store, (topic, owner), entries);
    }

    /// Writes a set of CPUs as a list.
    pub(super) fn set_cpus(&mut self, topic: Topic, owner: u32, cpus: &CpuSet) {
        self.set_list(topic, owner, &cpus.entries());
    }

    /// Gives a list back.
    pub(super) fn clear_list(&mut self, topic: Topic, owner: u32) {
        self.lists.clear(&mut self.tables, topic, owner);
    }
}

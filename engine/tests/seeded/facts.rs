//! What the checkers know before they look at an event: what the program says, and which row of the segment is what.

use super::generate::MARK;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{ItemRef, Outcome, ProducerAction, Program, Step, WqRef};
use wq_trace::{PoolId, WorkerId, WorkerKind, WqId};

/// Shares of `max_active` are not cut below this. Kernel: `WQ_DFL_MIN_ACTIVE`.
pub const MIN_ACTIVE: usize = 8;

/// A workqueue as the program asks for it.
#[derive(Clone, Debug)]
pub struct WqFacts {
    pub name: String,
    /// Flags in force.
    pub flags: WqFlags,
    pub max_active: usize,
    /// Its pods never reach over a node's border.
    pub within_nodes: bool,
}

/// A pool.
#[derive(Clone, Debug)]
pub struct PoolFacts {
    pub cpu: Option<u16>,
    pub bh: bool,
}

/// What stands between two marks.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// These items, by work id.
    Flush(Vec<u64>),
    CancelSync(Vec<u64>),
    FlushWq(WqId),
    Drain(WqId),
    CpuDown(u16),
    CpuUp(u16),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Facts {
    pub wqs: HashMap<WqId, WqFacts>,
    pub pools: HashMap<PoolId, PoolFacts>,
    pub rescuers: HashSet<WorkerId>,
    /// The workqueue of each item, by work id.
    pub item_wq: HashMap<u64, WqId>,
    pub probes: Vec<Probe>,
    /// The probe that a mark begins (true) or ends, by the mark's work id.
    pub marks: HashMap<u64, (usize, bool)>,
    pub cpus: u16,
    /// CPUs of each node.
    pub node_cpus: usize,
    pub hotplug: bool,
    pub creation_fails: bool,
    /// Some `enable` stands without its `disable`.
    pub unbalanced: bool,
    /// Zero: nobody is a hog.
    pub hog_thresh: Duration,
}

impl Facts {
    pub fn new(program: &Program, outcome: &Outcome) -> Self {
        let mut facts = Self {
            cpus: program.cpus as u16,
            node_cpus: node_cpus(program),
            hog_thresh: program
                .engine
                .cpu_intensive_thresh
                .unwrap_or(Duration::from_millis(10)),
            ..Self::default()
        };
        facts.rows(program, outcome);
        facts.items(program);
        for producer in &program.producers {
            if let ProducerAction::Steps(steps) = &producer.action {
                facts.steps(program, steps);
            }
        }
        facts
    }

    fn rows(&mut self, program: &Program, outcome: &Outcome) {
        for row in &outcome.snapshot.workqueues {
            let own = program.workqueues.iter().find(|wq| wq.name == row.name);
            let (mut flags, max_active) = match own {
                Some(wq) => (wq.flags, wq.max_active),
                None => (WqFlags::from_bits_truncate(row.flags), 0),
            };
            let efficient = program.engine.power_efficient == Some(true);
            if efficient && flags.contains(WqFlags::POWER_EFFICIENT) {
                flags.insert(WqFlags::UNBOUND);
                flags.remove(WqFlags::PERCPU);
            }
            let max_active = match max_active {
                _ if flags.contains(WqFlags::ORDERED) => 1,
                _ if flags.contains(WqFlags::BH) => usize::MAX,
                0 if own.is_none() => row.max_active as usize,
                0 => 1024,
                asked => asked,
            };
            let name = row.name.clone();
            let scope = own.and_then(|wq| wq.affinity.as_ref());
            let scope = scope.map_or("default", |asked| asked.scope.as_str());
            let default = program.engine.default_affinity_scope.as_deref();
            let scope = match scope {
                "default" => default.unwrap_or("cache_shard"),
                named => named,
            };
            let one_node = self.node_cpus == program.cpus;
            let ordered = flags.contains(WqFlags::ORDERED);
            let facts = WqFacts {
                name,
                flags,
                max_active,
                within_nodes: one_node || !ordered && scope != "system",
            };
            self.wqs.insert(row.id, facts);
        }
        for row in &outcome.snapshot.pools {
            let pool = PoolFacts {
                cpu: row.cpu,
                bh: row.is_bh(),
            };
            self.pools.insert(row.id, pool);
        }
        let workers = outcome.snapshot.workers.iter();
        let rescuers = workers.filter(|w| w.kind == WorkerKind::Rescuer);
        self.rescuers = rescuers.map(|w| w.id).collect();
    }

    fn wq(&self, program: &Program, wq: &WqRef) -> WqId {
        let name = match wq {
            WqRef::Own(index) => &program.workqueues[*index].name,
            WqRef::System(name) => name,
        };
        let named = self.wqs.iter().find(|(_, facts)| facts.name == *name);
        *named.expect("every workqueue has a row").0
    }

    fn items(&mut self, program: &Program) {
        for (index, work) in program.works.iter().enumerate() {
            let wq = self.wq(program, &work.workqueue);
            let all = ids(program, index);
            self.item_wq.extend(all.map(|id| (id, wq)));
        }
    }

    fn steps(&mut self, program: &Program, steps: &[Step]) {
        let mark = program.works.iter().position(|work| work.name == MARK);
        let marked = |step: &Step| match step {
            Step::Queue(item) if Some(item.work) == mark => of_ref(program, *item).first().copied(),
            _ => None,
        };
        for (at, step) in steps.iter().enumerate() {
            self.hotplug |= matches!(step, Step::CpuDown(_));
            self.creation_fails |= matches!(step, Step::FailCreate(true));
            if let Step::Enable(item) = step {
                let before = at.checked_sub(2).map(|before| &steps[before]);
                self.unbalanced |= before != Some(&Step::Disable(*item));
            }
        }
        for three in steps.windows(3) {
            let (Some(from), Some(to)) = (marked(&three[0]), marked(&three[2])) else {
                continue;
            };
            let probe = match &three[1] {
                Step::Flush(item) => Probe::Flush(of_ref(program, *item)),
                Step::CancelSync(item) => Probe::CancelSync(of_ref(program, *item)),
                Step::FlushWq(wq) => Probe::FlushWq(self.wq(program, wq)),
                Step::Drain(wq) => Probe::Drain(self.wq(program, wq)),
                Step::CpuDown(cpu) => Probe::CpuDown(*cpu as u16),
                Step::CpuUp(cpu) => Probe::CpuUp(*cpu as u16),
                _ => continue,
            };
            self.marks.insert(from, (self.probes.len(), true));
            self.marks.insert(to, (self.probes.len(), false));
            self.probes.push(probe);
        }
    }

    /// Does the pool count who runs? (While its CPU is there.)
    pub fn is_managed(&self, pool: PoolId) -> bool {
        let pool = &self.pools[&pool];
        pool.cpu.is_some() && !pool.bh
    }

    pub fn has(&self, wq: WqId, flag: WqFlags) -> bool {
        self.wqs[&wq].flags.contains(flag)
    }

    /// The node of the pool that serves this CPU of an unbound workqueue, if one node has it.
    pub fn node(&self, wq: WqId, cpu: u16) -> Option<u16> {
        let node = cpu / self.node_cpus as u16;
        self.wqs[&wq].within_nodes.then_some(node)
    }

    /// What the pools of a node may have of an unbound workqueue's limit, while all CPUs are there.
    pub fn share(&self, node: Option<u16>, max_active: usize, min_active: usize) -> usize {
        if node.is_none() {
            return max_active;
        }
        let part = (max_active * self.node_cpus).div_ceil(usize::from(self.cpus));
        part.max(min_active).min(max_active)
    }
}

/// Work ids of a work's items: they are counted through all works, from 1.
fn ids(program: &Program, work: usize) -> Range<u64> {
    let before = program.works[..work].iter().map(|work| work.instances);
    let first = before.sum::<usize>() as u64 + 1;
    first..first + program.works[work].instances as u64
}

fn of_ref(program: &Program, item: ItemRef) -> Vec<u64> {
    let mut all = ids(program, item.work);
    match item.instance {
        Some(instance) => all.nth(instance).into_iter().collect(),
        None => all.collect(),
    }
}

/// Every topology has equal nodes: `2n1l2c1t` are two of two CPUs.
fn node_cpus(program: &Program) -> usize {
    let Some(topology) = &program.topology else {
        return program.cpus;
    };
    let nodes = topology.split('n').next().and_then(|n| n.parse().ok());
    let nodes: usize = nodes.expect("the generator's topologies begin with their nodes");
    program.cpus / nodes
}

//! From a program to a machine: pools, workers, workqueues, items and producers.

use super::cpus::ThreadIx;
use super::machine::{Kind, Machine, Next, SimPool, Thread};
use super::producer::Producer;
use super::program::{AffinitySpec, Pace, ProducerAction, Program, Step, WorkqueueSpec, WqRef};
use super::queueing::SimItem;
use super::{ItemRecord, SimError};
use crate::attrs::{HIGHPRI_NICE, SYSTEM_WORKQUEUE_NAMES, System, WqFlags, bh_problem};
use crate::pool::{PoolSpec, PoolState};
use crate::topology::{Affinity, AffinityScope, PoolAttrs, Topology, WorkqueueAttrs};
use wq_trace::{Event, PoolInfo, Segment, SegmentConfig};

/// The id of the first thread.
const FIRST_TID: u32 = 1000;

pub(super) fn machine<'a>(
    program: &'a Program,
    observer: &'a mut dyn FnMut(&Event, &Segment),
) -> Result<Machine<'a>, SimError> {
    check(program)?;
    let config = SegmentConfig {
        name: "simulation".to_owned(),
        ring_bytes: 128,
        cpus: (0..program.cpus as u16).collect(),
        sensing: "exact".to_owned(),
        ..SegmentConfig::default()
    };
    let segment = Segment::in_memory(&config, 0);
    let mut machine = Machine::over(program, observer, segment, affinity(program)?);
    machine.timer = machine.add_thread("wq-timer".to_owned(), 0, 0, Kind::Timer);
    for cpu in 0..program.cpus {
        for bh in [true, false] {
            machine.add_pool(Some(cpu), 0, bh, None);
            machine.add_pool(Some(cpu), HIGHPRI_NICE, bh, None);
        }
    }
    for system in System::ALL {
        let (name, flags, max_active) = system.spec();
        machine.add_workqueue(name, flags, max_active, None);
    }
    machine.system_wqs = machine.wqs.len();
    for wq in &program.workqueues {
        let attrs = wq.affinity.as_ref().map(|asked| attrs_of(wq, asked));
        let attrs = attrs.transpose()?;
        machine.add_workqueue(&wq.name, wq.flags, wq.max_active, attrs);
    }
    machine.add_items();
    for (index, spec) in program.producers.iter().enumerate() {
        let cpu = spec.cpu.unwrap_or(index % program.cpus);
        let thread = machine.add_thread(spec.name.clone(), 0, cpu, Kind::Producer(index));
        machine
            .producers
            .push(Producer::new(spec, program.seed, thread));
    }
    Ok(machine)
}

fn check(program: &Program) -> Result<(), SimError> {
    for wq in named_workqueues(program) {
        if let WqRef::System(name) = wq
            && !SYSTEM_WORKQUEUE_NAMES.contains(&name.as_str())
        {
            return Err(SimError::UnknownWorkqueue(name.clone()));
        }
    }
    for wq in &program.workqueues {
        if let Some(problem) = bh_problem(wq.flags, wq.max_active) {
            let name = wq.name.clone();
            return Err(SimError::Flags { name, problem });
        }
    }
    let endless = program.producers.iter().find(|producer| {
        producer.pace == Pace::BackToBack
            && producer.count.is_none()
            && matches!(producer.action, ProducerAction::Works(_))
    });
    endless.map_or(Ok(()), |producer| {
        Err(SimError::NoPause(producer.name.clone()))
    })
}

/// All steps of bodies and producers.
fn steps(program: &Program) -> impl Iterator<Item = &Step> {
    let bodies = program.works.iter().map(|work| work.body.as_slice());
    let calls = program.producers.iter();
    let calls = calls.map(|producer| match &producer.action {
        ProducerAction::Steps(steps) => steps.as_slice(),
        ProducerAction::Works(_) => &[],
    });
    bodies.chain(calls).flatten()
}

/// The workqueues that works and steps name.
fn named_workqueues(program: &Program) -> impl Iterator<Item = &WqRef> {
    let named = steps(program).filter_map(|step| match step {
        Step::FlushWq(wq) | Step::Drain(wq) | Step::SetMaxActive(wq, _) => Some(wq),
        _ => None,
    });
    let of_works = program.works.iter().map(|work| &work.workqueue);
    of_works.chain(named)
}

/// The machine as unbound workqueues see it; without a topology, CPUs with one cache in common.
fn affinity(program: &Program) -> Result<Affinity, SimError> {
    let problem = |error: crate::topology::ParseError| SimError::Topology(error.to_string());
    let topology = match &program.topology {
        Some(spec) => Topology::from_spec(spec).map_err(problem)?,
        None => Topology::flat(program.cpus),
    };
    let has = topology.cpus().count();
    if has != program.cpus {
        return Err(SimError::Topology(format!(
            "the topology has {has} CPUs, the program {}",
            program.cpus
        )));
    }
    let asked = program.engine.default_affinity_scope.as_deref();
    let scope = asked.map_or(Ok(AffinityScope::CacheShard), str::parse);
    Affinity::new(topology, scope.map_err(problem)?).map_err(problem)
}

fn attrs_of(wq: &WorkqueueSpec, asked: &AffinitySpec) -> Result<WorkqueueAttrs, SimError> {
    let problem = |error: crate::topology::ParseError| SimError::Topology(error.to_string());
    let highpri = wq.flags.contains(WqFlags::HIGHPRI);
    Ok(WorkqueueAttrs {
        nice: if highpri { HIGHPRI_NICE } else { 0 },
        affn_scope: asked.scope.parse().map_err(problem)?,
        affn_strict: asked.strict,
        ..WorkqueueAttrs::default()
    })
}

impl Machine<'_> {
    pub(super) fn add_thread(
        &mut self,
        name: String,
        nice: i32,
        cpu: usize,
        kind: Kind,
    ) -> ThreadIx {
        let index = ThreadIx(self.threads.len());
        let tid = FIRST_TID + index.0 as u32;
        let emitter = self.segment.emitter(tid, &name);
        self.threads.push(Thread {
            tid,
            name,
            nice,
            cpu,
            kind,
            blocked: false,
            flushing: None,
            owes: 0,
            _emitter: emitter,
        });
        index
    }

    /// A pool with its first worker, which a BH pool gets later. `cpu` `None`: unbound, with these attributes.
    pub(super) fn add_pool(
        &mut self,
        cpu: Option<usize>,
        nice: i32,
        bh: bool,
        attrs: Option<&PoolAttrs>,
    ) -> usize {
        let index = self.pools.len();
        // Four pools for each CPU, then the unbound ones.
        let number = index as u32;
        let info = PoolInfo {
            number,
            cpu: cpu.map(|cpu| cpu as u16),
            nice,
            flags: u32::from(bh),
        };
        let slot = self.segment.pool(info);
        slot.set_nice_granted(true);
        let spec = PoolSpec {
            uid: index as u32 + 1,
            number,
            cpu: cpu.map(|cpu| cpu as u16),
            nice,
            bh,
        };
        let allowed = attrs.map(|attrs| attrs.allowed().iter().collect());
        let cpus = allowed.unwrap_or_else(|| cpu.into_iter().collect());
        let mut core = PoolState::new(spec, &self.segment, slot, self.now).with_attrs(attrs);
        core.set_cpu_intensive_thresh(self.watch.hog_thresh);
        if let Some(timeout) = self.program.engine.idle_timeout {
            core.set_idle_timeout(timeout.as_nanos() as u64);
        }
        self.pools.push(SimPool {
            core,
            cpus,
            attrs: attrs.cloned(),
            threads: Vec::new(),
            retry: None,
        });
        if !bh {
            self.create_worker(index, None);
        }
        index
    }

    /// A worker, idle and not woken; made by `creator`, or before anything runs.
    pub(super) fn create_worker(&mut self, pool: usize, creator: Option<ThreadIx>) {
        let SimPool {
            core,
            cpus,
            threads,
            ..
        } = &self.pools[pool];
        let ix = core.next_worker();
        let number = ix.0 as usize;
        debug_assert!(number <= threads.len(), "numbers are used again");
        let name = core.spec.worker_name(ix.0);
        let (nice, cpu) = (core.spec.nice, cpus[0]);
        let slot = core.worker_row(ix, self.now);
        let kind = Kind::Worker {
            pool,
            ix,
            next: Next::Step,
            frame: None,
        };
        let thread = self.add_thread(name, nice, cpu, kind);
        let tid = self.threads[thread.0].tid;
        let threads = &mut self.pools[pool].threads;
        if number == threads.len() {
            threads.push(thread);
        } else {
            threads[number] = thread;
        }
        self.transact(creator.unwrap_or(thread), pool, |core, now, fx| {
            core.created(ix, slot, now, fx);
            core.set_tid(ix, tid);
        });
    }

    fn add_items(&mut self) {
        let program = self.program;
        for (index, work) in program.works.iter().enumerate() {
            let func = self.segment.function(&work.name);
            let wq = self.wq_index(&work.workqueue);
            self.turns.push(0);
            for instance in 0..work.instances {
                let name = match work.instances {
                    1 => work.name.clone(),
                    _ => format!("{}#{instance}", work.name),
                };
                let record = ItemRecord {
                    name,
                    work: index,
                    workqueue: self.wqs[wq].name.clone(),
                    executions: Vec::new(),
                    started: 0,
                    completed: 0,
                    last_finished_ns: None,
                    refused: 0,
                };
                let id = self.items.len() as u64 + 1;
                self.items
                    .push(SimItem::new(id, func, wq, program.seed, record));
            }
        }
    }
}

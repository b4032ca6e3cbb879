//! From a program to a machine: pools, workers, workqueues, items and producers.

use super::cpus::ThreadIx;
use super::machine::{Kind, Machine, Next, SimPool, Thread};
use super::producer::Producer;
use super::program::{Pace, ProducerAction, Program, WqRef};
use super::queueing::{SimItem, SimWq};
use super::served::{Host, named_workqueues, not_served};
use super::{ItemRecord, SimError};
use crate::attrs::{DFL_ACTIVE, MAX_ACTIVE, SYSTEM_WORKQUEUE_NAMES, System, WqFlags};
use crate::pool::{PoolSpec, PoolState, PwqIx, PwqSpec};
use crate::wq::FlushState;
use wq_trace::{Event, PoolInfo, Segment, SegmentConfig};

/// Nice level of highpri pools.
const HIGHPRI_NICE: i32 = -20;
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
    let mut machine = Machine::over(program, observer, segment);
    machine.timer = machine.add_thread("wq-timer".to_owned(), 0, 0, Kind::Timer);
    for cpu in 0..program.cpus {
        machine.add_pool(Some(cpu), 0);
        machine.add_pool(Some(cpu), HIGHPRI_NICE);
    }
    for system in System::ALL {
        let (name, flags, max_active) = system.spec();
        machine.add_workqueue(name, flags, max_active);
    }
    machine.system_wqs = machine.wqs.len();
    for wq in &program.workqueues {
        let unbound = if wq.flags.contains(WqFlags::ORDERED) {
            WqFlags::UNBOUND
        } else {
            WqFlags::empty()
        };
        machine.add_workqueue(&wq.name, wq.flags | unbound, wq.max_active);
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
    let missing = not_served(program, Host::Simulator);
    if !missing.is_empty() {
        return Err(SimError::NotServed(missing));
    }
    for wq in named_workqueues(program) {
        if let WqRef::System(name) = wq
            && !SYSTEM_WORKQUEUE_NAMES.contains(&name.as_str())
        {
            return Err(SimError::UnknownWorkqueue(name.clone()));
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

impl Machine<'_> {
    fn add_thread(&mut self, name: String, nice: i32, cpu: usize, kind: Kind) -> ThreadIx {
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
            _emitter: emitter,
        });
        index
    }

    /// A pool with its first worker. `cpu` `None`: unbound.
    fn add_pool(&mut self, cpu: Option<usize>, nice: i32) -> usize {
        let index = self.pools.len();
        let count = self.program.cpus as u32;
        let number = match cpu {
            Some(cpu) => 4 * cpu as u32 + if nice < 0 { 3 } else { 2 },
            // After the per-CPU ones, two for each CPU, the unbound pools are counted on.
            None => 4 * count + (index as u32 - 2 * count),
        };
        let info = PoolInfo {
            number,
            cpu: cpu.map(|cpu| cpu as u16),
            nice,
            flags: 0,
        };
        let slot = self.segment.pool(info);
        slot.set_nice_granted(true);
        let spec = PoolSpec {
            number,
            cpu: cpu.map(|cpu| cpu as u16),
            nice,
        };
        let cpus = cpu.map_or_else(|| (0..self.program.cpus).collect(), |cpu| vec![cpu]);
        let core = PoolState::new(spec, &self.segment, slot, self.now);
        self.pools.push(SimPool {
            core,
            cpus,
            threads: Vec::new(),
        });
        self.create_worker(index, None);
        index
    }

    /// A worker, idle and not woken; made by `creator`, or before anything runs.
    pub(super) fn create_worker(&mut self, pool: usize, creator: Option<ThreadIx>) {
        let SimPool {
            core,
            cpus,
            threads,
        } = &self.pools[pool];
        let ix = core.next_worker();
        debug_assert_eq!(ix.0 as usize, threads.len(), "no worker leaves");
        let name = core.spec.worker_name(ix.0);
        let (nice, cpu) = (core.spec.nice, cpus[0]);
        let slot = self.segment.worker(core.id(), ix.0, &name, self.now);
        let kind = Kind::Worker {
            pool,
            ix,
            next: Next::Step,
            frame: None,
        };
        let thread = self.add_thread(name, nice, cpu, kind);
        let tid = self.threads[thread.0].tid;
        self.pools[pool].threads.push(thread);
        self.transact(creator.unwrap_or(thread), pool, |core, now, fx| {
            core.created(ix, slot, now, fx);
            core.set_tid(ix, tid);
        });
    }

    fn add_workqueue(&mut self, name: &str, flags: WqFlags, max_active: usize) {
        let ordered = flags.contains(WqFlags::ORDERED);
        let unbound = flags.contains(WqFlags::UNBOUND);
        let highpri = flags.contains(WqFlags::HIGHPRI);
        let flags = if unbound {
            flags
        } else {
            flags | WqFlags::PERCPU
        };
        let max_active = match max_active {
            _ if ordered => 1,
            0 => DFL_ACTIVE,
            asked => asked.min(MAX_ACTIVE),
        };
        let slot = self
            .segment
            .workqueue(name, flags.bits(), max_active as u32);
        let spec = PwqSpec {
            wq: slot.id(),
            wq_name: name.to_owned(),
            max_active,
            ordered,
            cpu_intensive: flags.contains(WqFlags::CPU_INTENSIVE) && !unbound,
            work_color: 0,
        };
        let pools: Vec<usize> = if unbound {
            vec![self.unbound_pool(if highpri { HIGHPRI_NICE } else { 0 })]
        } else {
            (0..self.program.cpus)
                .map(|cpu| 2 * cpu + usize::from(highpri))
                .collect()
        };
        let pwqs: Vec<(usize, PwqIx)> = pools
            .into_iter()
            .map(|pool| (pool, self.pools[pool].core.add_pwq(spec.clone())))
            .collect();
        let by_cpu = (0..self.program.cpus)
            .map(|cpu| pwqs[cpu % pwqs.len()])
            .collect();
        let name = name.to_owned();
        let flush = FlushState::default();
        self.wqs.push(SimWq {
            name,
            slot,
            by_cpu,
            pwqs,
            flush,
            running: 0,
            max_running: 0,
        });
    }

    fn unbound_pool(&mut self, nice: i32) -> usize {
        let same = |pool: &SimPool| pool.core.spec.cpu.is_none() && pool.core.spec.nice == nice;
        match self.pools.iter().position(same) {
            Some(pool) => pool,
            None => self.add_pool(None, nice),
        }
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

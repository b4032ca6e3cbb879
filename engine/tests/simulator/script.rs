//! Programs in few words, and what came of them. All times are milliseconds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{
    Draw, End, ItemRef, Outcome, Pace, ProducerAction, ProducerSpec, Program, SimError, Step,
    WorkSpec, WorkqueueSpec, WqRef, simulate,
};
use wq_trace::{Event, What};

/// A program with more goes on for ever.
const MOST_EVENTS: usize = 100_000;

pub fn ms(n: u64) -> Draw {
    Draw::Fixed(Duration::from_millis(n))
}

pub fn burn(n: u64) -> Step {
    Step::Burn(ms(n))
}

pub fn sleep(n: u64) -> Step {
    Step::Sleep(ms(n))
}

pub fn wait(n: u64) -> Step {
    Step::Wait(ms(n))
}

/// Any instance of a work.
pub fn item(work: usize) -> ItemRef {
    ItemRef {
        work,
        instance: None,
    }
}

/// A program under construction.
pub struct Script(pub Program);

impl Script {
    pub fn on(cpus: usize) -> Self {
        Self(Program {
            name: "test".into(),
            cpus,
            ..Program::default()
        })
    }

    pub fn wq(&mut self, flags: WqFlags, max_active: usize) -> WqRef {
        let index = self.0.workqueues.len();
        self.0.workqueues.push(WorkqueueSpec {
            name: format!("q{index}"),
            flags,
            max_active,
            affinity: None,
        });
        WqRef::Own(index)
    }

    /// A bound workqueue with default limits.
    pub fn bound(&mut self) -> WqRef {
        self.wq(WqFlags::PERCPU, 0)
    }

    pub fn works(&mut self, wq: &WqRef, instances: usize, body: &[Step]) -> usize {
        let index = self.0.works.len();
        self.0.works.push(WorkSpec {
            name: format!("w{index}"),
            workqueue: wq.clone(),
            body: body.to_vec(),
            instances,
        });
        index
    }

    pub fn work(&mut self, wq: &WqRef, body: &[Step]) -> usize {
        self.works(wq, 1, body)
    }

    /// A producer that does each of `action` once, back to back. Returns its index.
    fn producer(&mut self, at: u64, action: ProducerAction, count: usize) -> usize {
        let index = self.0.producers.len();
        self.0.producers.push(ProducerSpec {
            name: format!("p{index}"),
            action,
            cpu: None,
            on_cpu: false,
            at: ms(at),
            pace: Pace::BackToBack,
            count: Some(count as u64),
            duration: None,
        });
        index
    }

    /// All these works are queued at one instant, in this order.
    pub fn queue_at(&mut self, at: u64, works: &[usize]) -> usize {
        self.producer(at, ProducerAction::Works(works.to_vec()), works.len())
    }

    pub fn steps_at(&mut self, at: u64, steps: &[Step]) -> usize {
        self.producer(at, ProducerAction::Steps(steps.to_vec()), 1)
    }

    pub fn lock(&mut self) -> usize {
        self.0.locks.push(format!("l{}", self.0.locks.len()));
        self.0.locks.len() - 1
    }

    pub fn try_run(&self) -> Result<Run, SimError> {
        let mut events = Vec::new();
        let stop = AtomicBool::new(false);
        let outcome = simulate(&self.0, &stop, &mut |e| {
            events.push(*e);
            stop.store(events.len() > MOST_EVENTS, Ordering::Relaxed);
        })?;
        Ok(Run { outcome, events })
    }

    /// Runs it to its end, which must be the end of everything.
    pub fn run(&self) -> Run {
        let run = self.try_run().unwrap();
        assert_eq!(run.outcome.end, End::Done);
        run
    }
}

/// What came of a program.
pub struct Run {
    pub outcome: Outcome,
    pub events: Vec<Event>,
}

fn whole_ms(ns: u64) -> u64 {
    assert_eq!(ns % 1_000_000, 0, "{ns} ns is no whole millisecond");
    ns / 1_000_000
}

impl Run {
    /// (started, finished) of every execution of an item, by its name.
    pub fn spans(&self, name: &str) -> Vec<(u64, u64)> {
        let record = self.outcome.items.iter().find(|item| item.name == name);
        let executions = record.expect("the item exists").executions.iter();
        executions
            .map(|e| (whole_ms(e.started_ns), whole_ms(e.finished_ns.unwrap())))
            .collect()
    }

    /// When each execution of an item was queued.
    pub fn queued(&self, name: &str) -> Vec<u64> {
        let record = self.outcome.items.iter().find(|item| item.name == name);
        let executions = record.expect("the item exists").executions.iter();
        executions.map(|e| whole_ms(e.queued_ns)).collect()
    }

    /// The times of the events of this kind.
    pub fn times(&self, of: impl Fn(&What) -> bool) -> Vec<u64> {
        let events = self.events.iter().filter(|e| of(&e.what));
        events.map(|e| whole_ms(e.at)).collect()
    }
}

//! Producers on threads of their own.

use super::body::queueing_step;
use super::shared::Shared;
use rustix::thread::{CpuSet, sched_setaffinity};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use wq_engine::sim::{Draw, ItemRef, Pace, ProducerAction, ProducerSpec, SplitMix64, Step};

/// A producer thread's life.
pub(super) fn run(shared: &Arc<Shared>, index: usize) {
    let spec = &shared.program.producers[index];
    if let Some(cpu) = spec.cpu {
        pin(spec, shared.cpu(cpu));
    }
    Producer::new(shared, spec).run();
    shared.producers_done.fetch_add(1, Ordering::AcqRel);
}

fn pin(spec: &ProducerSpec, cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu);
    if let Err(error) = sched_setaffinity(None, &set) {
        tracing::warn!(
            "producer {} cannot be pinned to CPU {cpu}: {error}",
            spec.name
        );
    }
}

struct Producer<'a> {
    shared: &'a Shared,
    spec: &'a ProducerSpec,
    rng: RefCell<SplitMix64>,
    /// When the next call is due, on the engine's clock.
    due: u64,
    turn: usize,
    /// The next instance of each of its works.
    instances: Vec<usize>,
}

impl<'a> Producer<'a> {
    fn new(shared: &'a Shared, spec: &'a ProducerSpec) -> Self {
        let mut rng = SplitMix64::new(shared.program.seed, &spec.name);
        let due = shared.started_at + shared.scaled(spec.at.next(&mut rng));
        let works = match &spec.action {
            ProducerAction::Works(works) => works.len(),
            ProducerAction::Steps(_) => 0,
        };
        Self {
            shared,
            spec,
            rng: RefCell::new(rng),
            due,
            turn: 0,
            instances: vec![0; works],
        }
    }

    fn run(mut self) {
        let ends = self
            .spec
            .duration
            .map(|time| self.due + self.shared.scaled(time));
        if matches!(self.spec.pace, Pace::Poisson(_)) {
            self.due += self.gap();
        }
        let mut calls = 0;
        while self.spec.count.is_none_or(|count| calls < count) {
            if ends.is_some_and(|ends| self.due >= ends) || !self.shared.wait_until(self.due) {
                return;
            }
            if !self.call() {
                return;
            }
            calls += 1;
            self.due += self.gap();
            if self.spec.pace == Pace::BackToBack {
                self.due = self.due.max(super::shared::now());
            }
        }
    }

    fn draw(&self, time: Draw) -> Duration {
        time.next(&mut self.rng.borrow_mut())
    }

    fn gap(&self) -> u64 {
        let gap = match self.spec.pace {
            Pace::BackToBack => return 0,
            Pace::Every(period) => self.draw(period),
            Pace::Poisson(rate) => self.draw(Draw::Exp(Duration::from_secs_f64(1.0 / rate))),
        };
        self.shared.scaled(gap)
    }

    /// One call. Returns false if the replay ended meanwhile.
    fn call(&mut self) -> bool {
        match &self.spec.action {
            ProducerAction::Works(works) => {
                let item = self.next_item(works);
                let cpu = self.spec.cpu.filter(|_| self.spec.on_cpu);
                self.shared.queue(item, cpu, Duration::ZERO);
                true
            }
            ProducerAction::Steps(steps) => steps.iter().all(|step| self.step(step)),
        }
    }

    /// All instances of a work, then those of the next work.
    fn next_item(&mut self, works: &[usize]) -> usize {
        let turn = self.turn;
        let (work, instance) = (works[turn], self.instances[turn]);
        self.instances[turn] = (instance + 1) % self.shared.program.works[work].instances;
        if self.instances[turn] == 0 {
            self.turn = (turn + 1) % works.len();
        }
        self.shared
            .instances(ItemRef {
                work,
                instance: Some(instance),
            })
            .start
    }

    fn step(&self, step: &Step) -> bool {
        if self.shared.stopping() {
            return false;
        }
        match step {
            Step::Wait(time) => {
                let time = self.shared.scaled(self.draw(*time));
                self.shared.wait_until(super::shared::now() + time)
            }
            other => {
                queueing_step(self.shared, other, &|time| {
                    Duration::from_nanos(self.shared.scaled(self.draw(*time)))
                });
                true
            }
        }
    }
}

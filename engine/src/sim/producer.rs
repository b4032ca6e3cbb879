//! Producers: threads that queue, and use no CPU.

use super::cpus::ThreadIx;
use super::machine::Machine;
use super::program::{Draw, Pace, ProducerAction, ProducerSpec, SplitMix64, Step};
use super::queueing::Turn;
use crate::sim::ItemRef;
use std::time::Duration;

/// A producer on its way through its calls.
pub(super) struct Producer {
    pub(super) thread: ThreadIx,
    pub(super) rng: SplitMix64,
    state: State,
    /// When the present or next call was due.
    due: u64,
    /// No call is due from then on.
    ends: Option<u64>,
    calls: u64,
    /// Which of its works is next.
    turn: usize,
    /// The next instance of each of its works.
    instances: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Its next call is due then.
    Due(u64),
    /// In a call's steps.
    Steps {
        at: usize,
        turn: usize,
    },
    /// In a `wait` until then.
    Pausing {
        until: u64,
        at: usize,
    },
    /// Until it is woken.
    Blocked {
        at: usize,
        turn: usize,
    },
    Finished,
}

fn ns(time: Duration) -> u64 {
    time.as_nanos() as u64
}

impl Producer {
    pub(super) fn new(spec: &ProducerSpec, seed: u64, thread: ThreadIx) -> Self {
        let mut rng = SplitMix64::new(seed, &spec.name);
        let start = ns(spec.at.next(&mut rng));
        let works = match &spec.action {
            ProducerAction::Works(works) => works.len(),
            ProducerAction::Steps(_) => 0,
        };
        let mut producer = Self {
            thread,
            rng,
            state: State::Finished,
            due: start,
            ends: spec.duration.map(|duration| start + ns(duration)),
            calls: 0,
            turn: 0,
            instances: vec![0; works],
        };
        if let Pace::Poisson(_) = spec.pace {
            producer.due += producer.gap(spec.pace);
        }
        producer.await_next(spec);
        producer
    }

    fn gap(&mut self, pace: Pace) -> u64 {
        match pace {
            Pace::BackToBack => 0,
            Pace::Every(period) => ns(period.next(&mut self.rng)),
            Pace::Poisson(rate) => {
                let mean = Duration::from_secs_f64(1.0 / rate);
                ns(Draw::Exp(mean).next(&mut self.rng))
            }
        }
    }

    fn await_next(&mut self, spec: &ProducerSpec) {
        let enough = spec.count.is_some_and(|count| self.calls >= count);
        let late = self.ends.is_some_and(|ends| self.due >= ends);
        self.state = if enough || late {
            State::Finished
        } else {
            State::Due(self.due)
        };
    }

    /// What it waited for has come.
    pub(super) fn unblocked(&mut self, now: u64) {
        match self.state {
            State::Blocked { at, turn } => self.state = State::Steps { at, turn },
            State::Pausing { at, .. } => self.state = State::Pausing { until: now, at },
            _ => {}
        }
    }

    fn next_time(&self) -> Option<u64> {
        match self.state {
            State::Due(at) | State::Pausing { until: at, .. } => Some(at),
            _ => None,
        }
    }
}

impl Machine<'_> {
    /// When the next producer has something to do.
    pub(super) fn next_arrival(&self) -> Option<u64> {
        self.producers.iter().filter_map(Producer::next_time).min()
    }

    /// Phase 2: arrivals, in file order.
    pub(super) fn arrivals(&mut self) -> bool {
        let mut any = false;
        for index in 0..self.producers.len() {
            while self.producer_acts(index) {
                any = true;
                self.count_step();
                if self.too_many_steps() {
                    return true;
                }
            }
        }
        any
    }

    /// Returns whether the producer had something to do now.
    fn producer_acts(&mut self, index: usize) -> bool {
        let program = self.program;
        let spec = &program.producers[index];
        let producer = &mut self.producers[index];
        match producer.state {
            State::Due(at) if at <= self.now => {
                producer.calls += 1;
                match &spec.action {
                    ProducerAction::Works(works) => self.call(index, works),
                    ProducerAction::Steps(_) => producer.state = State::Steps { at: 0, turn: 0 },
                }
                true
            }
            State::Pausing { until, at } if until <= self.now => {
                producer.state = State::Steps { at, turn: 0 };
                true
            }
            State::Steps { at, turn } => {
                let ProducerAction::Steps(steps) = &spec.action else {
                    return false;
                };
                self.producer_step(index, steps, at, turn);
                true
            }
            _ => false,
        }
    }

    /// Queues the next item of its works, taken in turn through all instances.
    fn call(&mut self, index: usize, works: &[usize]) {
        let program = self.program;
        let spec = &program.producers[index];
        let producer = &mut self.producers[index];
        let turn = producer.turn;
        let work = works[turn];
        let instance = producer.instances[turn];
        let instances = program.works[work].instances;
        producer.instances[turn] = (instance + 1) % instances;
        // All instances of a work, then the next work.
        if producer.instances[turn] == 0 {
            producer.turn = (turn + 1) % works.len();
        }
        let thread = producer.thread;
        let item = self.next_instance(ItemRef {
            work,
            instance: Some(instance),
        });
        let cpu = spec.cpu.filter(|_| spec.on_cpu);
        self.queue_item(thread, item, cpu);
        self.call_is_over(index);
    }

    fn producer_step(&mut self, index: usize, steps: &[Step], at: usize, turn: usize) {
        let thread = self.producers[index].thread;
        self.wait_is_over(thread);
        let next = State::Steps {
            at: at + 1,
            turn: 0,
        };
        let state = match steps.get(at) {
            None => return self.call_is_over(index),
            Some(Step::Wait(time)) => {
                let time = ns(time.next(&mut self.producers[index].rng));
                State::Pausing {
                    until: self.now + time,
                    at: at + 1,
                }
            }
            Some(step) => match self.queueing_step(thread, step, turn, None) {
                Turn::Done => next,
                Turn::Next => State::Steps { at, turn: turn + 1 },
                Turn::Blocked => {
                    self.block(thread);
                    State::Blocked { at, turn: turn + 1 }
                }
            },
        };
        self.producers[index].state = state;
    }

    fn call_is_over(&mut self, index: usize) {
        let spec = &self.program.producers[index];
        let producer = &mut self.producers[index];
        producer.due += producer.gap(spec.pace);
        producer.await_next(spec);
    }
}

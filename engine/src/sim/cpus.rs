//! Virtual CPUs: run queues by nice level, first in, first out, without slices or preemption.

use crate::topology::CpuMask;
use std::collections::{BTreeMap, VecDeque};

/// Index of a thread of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ThreadIx(pub(super) usize);

/// One CPU.
#[derive(Debug, Default)]
struct Cpu {
    on: Option<ThreadIx>,
    burns_until: Option<u64>,
    /// By nice level, lowest first.
    runnable: BTreeMap<i32, VecDeque<ThreadIx>>,
}

/// All CPUs.
#[derive(Debug)]
pub(super) struct Cpus(Vec<Cpu>);

impl Cpus {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Cpu::default()).collect())
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The thread goes to the tail of its nice level.
    pub(super) fn enqueue(&mut self, cpu: usize, thread: ThreadIx, nice: i32) {
        self.0[cpu]
            .runnable
            .entry(nice)
            .or_default()
            .push_back(thread);
    }

    /// Whether another thread waits for this CPU.
    pub(super) fn others_wait(&self, cpu: usize) -> bool {
        self.load(cpu) > 0
    }

    fn load(&self, cpu: usize) -> usize {
        self.0[cpu].runnable.values().map(VecDeque::len).sum()
    }

    /// Where a thread that may use these CPUs goes: a free one, else the shortest queue; among equals to its home, then
    /// to the lowest.
    pub(super) fn place(&self, allowed: &[usize], home: Option<&CpuMask>) -> usize {
        let cost = |cpu: usize| self.load(cpu) + usize::from(self.0[cpu].on.is_some());
        let away = |cpu: usize| home.is_some_and(|home| !home.contains(cpu));
        let order = |&cpu: &usize| (cost(cpu), away(cpu), cpu);
        let best = allowed.iter().copied().min_by_key(order);
        best.expect("a thread may use at least one CPU")
    }

    /// An idle CPU takes its next thread.
    pub(super) fn pick(&mut self, cpu: usize) -> Option<ThreadIx> {
        let cpu = &mut self.0[cpu];
        if cpu.on.is_some() {
            return None;
        }
        let thread = cpu.runnable.values_mut().find_map(VecDeque::pop_front)?;
        cpu.on = Some(thread);
        Some(thread)
    }

    /// The thread on this CPU leaves it.
    pub(super) fn leave(&mut self, cpu: usize) {
        self.0[cpu].on = None;
    }

    /// The thread on this CPU uses it until then.
    pub(super) fn burn(&mut self, cpu: usize, until: u64) {
        self.0[cpu].burns_until = Some(until);
    }

    /// The thread whose burn on this CPU ends now.
    pub(super) fn burnt_out(&mut self, cpu: usize, now: u64) -> Option<ThreadIx> {
        let cpu = &mut self.0[cpu];
        cpu.burns_until.take_if(|until| *until <= now)?;
        cpu.on
    }

    /// When the next burn ends.
    pub(super) fn next_end(&self) -> Option<u64> {
        self.0.iter().filter_map(|cpu| cpu.burns_until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_nice_goes_first_then_who_came_first() {
        let mut cpus = Cpus::new(1);
        for (thread, nice) in [(0, 0), (1, 0), (2, -20)] {
            cpus.enqueue(0, ThreadIx(thread), nice);
        }
        let mut order = Vec::new();
        while let Some(thread) = cpus.pick(0) {
            order.push(thread.0);
            assert_eq!(cpus.pick(0), None, "the CPU is taken");
            cpus.leave(0);
        }
        assert_eq!(order, [2, 0, 1]);
    }

    #[test]
    fn a_thread_goes_to_a_free_cpu_or_to_the_shortest_queue() {
        let mut cpus = Cpus::new(3);
        for (thread, expected) in [(0, 0), (1, 1), (2, 2), (3, 0), (4, 1)] {
            let cpu = cpus.place(&[0, 1, 2], None);
            assert_eq!(cpu, expected);
            cpus.enqueue(cpu, ThreadIx(thread), 0);
        }
        assert_eq!(cpus.place(&[0, 1], None), 0);
    }

    #[test]
    fn a_thread_goes_home_while_a_cpu_is_free_there_then_anywhere() {
        let (mut cpus, home) = (Cpus::new(4), CpuMask::from_iter([1, 2]));
        for (thread, expected) in [(0, 1), (1, 2), (2, 0), (3, 3), (4, 1), (5, 2), (6, 0)] {
            let cpu = cpus.place(&[0, 1, 2, 3], Some(&home));
            assert_eq!(cpu, expected);
            cpus.enqueue(cpu, ThreadIx(thread), 0);
        }
    }
}

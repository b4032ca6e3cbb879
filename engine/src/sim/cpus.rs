//! Virtual CPUs: run queues by nice level, first in, first out, without slices or preemption.

use crate::topology::CpuMask;
use std::collections::{BTreeMap, VecDeque};

/// Index of a thread of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ThreadIx(pub(super) usize);

/// One CPU.
#[derive(Debug, Default)]
struct Cpu {
    /// It has left: no thread is or goes there.
    away: bool,
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
    /// to the lowest. If all of them have left, it may use every other.
    pub(super) fn place(&self, allowed: &[usize], home: Option<&CpuMask>) -> usize {
        let cost = |cpu: usize| self.load(cpu) + usize::from(self.0[cpu].on.is_some());
        let away = |cpu: usize| home.is_some_and(|home| !home.contains(cpu));
        let order = |&cpu: &usize| (cost(cpu), away(cpu), cpu);
        let best = (0..self.0.len())
            .filter(|&cpu| self.may_use(allowed, cpu))
            .min_by_key(order);
        best.expect("one CPU stays")
    }

    /// Whether a thread that is meant for these CPUs may use `cpu`.
    pub(super) fn may_use(&self, allowed: &[usize], cpu: usize) -> bool {
        let lost = || !allowed.iter().any(|&cpu| self.is_here(cpu));
        self.is_here(cpu) && (allowed.contains(&cpu) || lost())
    }

    pub(super) fn is_here(&self, cpu: usize) -> bool {
        !self.0[cpu].away
    }

    /// A CPU leaves. Returns false if it has left already or is the last.
    pub(super) fn take_away(&mut self, cpu: usize) -> bool {
        let others = self.0.iter().enumerate();
        let mut others = others.filter(|(other, _)| *other != cpu);
        if self.0[cpu].away || others.all(|(_, other)| other.away) {
            return false;
        }
        self.0[cpu].away = true;
        true
    }

    /// A CPU comes back. Returns false if it is here.
    pub(super) fn give_back(&mut self, cpu: usize) -> bool {
        std::mem::take(&mut self.0[cpu].away)
    }

    /// Takes all threads off a CPU, in the order in which they would run; with each, how much of its burn is left.
    pub(super) fn evict(&mut self, cpu: usize, now: u64) -> Vec<(ThreadIx, u64)> {
        let cpu = &mut self.0[cpu];
        let left = cpu
            .burns_until
            .take()
            .map_or(0, |until| until - now.min(until));
        let on = cpu.on.take().map(|thread| (thread, left));
        let queued = std::mem::take(&mut cpu.runnable).into_values().flatten();
        on.into_iter()
            .chain(queued.map(|thread| (thread, 0)))
            .collect()
    }

    /// Takes a thread off wherever it runs or waits to run. Returns how much of its burn is left; `None`: it is nowhere.
    pub(super) fn pull(&mut self, thread: ThreadIx, now: u64) -> Option<u64> {
        for cpu in &mut self.0 {
            if cpu.on == Some(thread) {
                cpu.on = None;
                let until = cpu.burns_until.take();
                return Some(until.map_or(0, |until| until - now.min(until)));
            }
            for queue in cpu.runnable.values_mut() {
                if let Some(place) = queue.iter().position(|&other| other == thread) {
                    queue.remove(place);
                    return Some(0);
                }
            }
        }
        None
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

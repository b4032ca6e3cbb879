//! `cpu_down` and `cpu_up` on threads: a CPU is taken from every thread of this process, and given back.
//!
//! It is what `taskset -acp` does from outside, or a cpuset that shrinks: the engine is not told, it has to notice.

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use std::collections::HashMap;

/// The CPUs that have left, and what the threads could use before.
#[derive(Debug, Default)]
pub(super) struct Hotplug {
    /// By thread: its CPUs before it lost one.
    before: HashMap<i32, CpuSet>,
    gone: Vec<usize>,
}

impl Hotplug {
    /// Takes a CPU from all threads, unless it is the last one of `used`.
    pub(super) fn down(&mut self, cpu: usize, used: &[usize]) {
        let left = |other: &&usize| **other != cpu && !self.gone.contains(other);
        let left: Vec<usize> = used.iter().filter(left).copied().collect();
        if left.is_empty() {
            tracing::warn!("CPU {cpu} is the only one that is left: it stays");
            return;
        }
        if self.gone.contains(&cpu) {
            return;
        }
        self.gone.push(cpu);
        for tid in threads() {
            let Ok(had) = sched_getaffinity(Some(tid)) else {
                continue;
            };
            if !had.is_set(cpu) {
                continue;
            }
            let mut has = had;
            has.unset(cpu);
            if has.count() == 0 {
                // It was pinned there; now it goes where it can.
                left.iter().for_each(|&cpu| has.set(cpu));
            }
            set(tid, &has);
            let raw = tid.as_raw_nonzero().get();
            self.before.entry(raw).or_insert(had);
        }
    }

    /// Gives a CPU back to the threads that lost it.
    pub(super) fn up(&mut self, cpu: usize) {
        if !self.gone.contains(&cpu) {
            return;
        }
        self.gone.retain(|gone| *gone != cpu);
        for tid in threads() {
            let raw = tid.as_raw_nonzero().get();
            let Some(had) = self.before.get(&raw).filter(|had| had.is_set(cpu)) else {
                continue;
            };
            let mut has = *had;
            self.gone.iter().for_each(|&gone| has.unset(gone));
            set(tid, &has);
            if has == *had {
                self.before.remove(&raw);
            }
        }
    }
}

impl Drop for Hotplug {
    /// What the script left away comes back for whoever lives on in this process.
    fn drop(&mut self) {
        for cpu in self.gone.clone() {
            self.up(cpu);
        }
    }
}

/// The threads of this process.
fn threads() -> Vec<Pid> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let tid = |task: std::io::Result<std::fs::DirEntry>| {
        Pid::from_raw(task.ok()?.file_name().to_str()?.parse().ok()?)
    };
    tasks.filter_map(tid).collect()
}

/// A thread that has just ended needs no CPU.
fn set(tid: Pid, cpus: &CpuSet) {
    if let Err(error) = sched_setaffinity(Some(tid), cpus) {
        tracing::debug!("thread {} keeps its CPUs: {error}", tid.as_raw_nonzero());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    /// A thread that has these CPUs and lives until the sender goes.
    fn thread_on(cpus: CpuSet) -> (Pid, std::sync::mpsc::Sender<()>) {
        let (said, tid) = channel();
        let (stop, stopped) = channel();
        std::thread::spawn(move || {
            sched_setaffinity(None, &cpus).expect("may be used");
            said.send(rustix::thread::gettid()).expect("is asked");
            let _ = stopped.recv();
        });
        (tid.recv().expect("is told"), stop)
    }

    #[test]
    fn a_cpu_leaves_all_threads_and_comes_back() {
        let all = sched_getaffinity(None).expect("is known");
        let used: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&c| all.is_set(c)).collect();
        let [.., other, cpu] = used[..] else {
            eprintln!("skipped: there is only one CPU");
            return;
        };
        let only = |cpu| {
            let mut set = CpuSet::new();
            set.set(cpu);
            set
        };
        let threads = [thread_on(all), thread_on(only(cpu)), thread_on(only(other))];
        let cpus_of = || {
            let of = threads.each_ref();
            of.map(|(tid, _)| sched_getaffinity(Some(*tid)).expect("lives"))
        };
        let before = cpus_of();
        let mut hotplug = Hotplug::default();
        hotplug.up(cpu);
        assert_eq!(cpus_of(), before, "it was never away");
        hotplug.down(cpu, &used);
        hotplug.down(cpu, &used);
        let [wide, pinned, elsewhere] = cpus_of();
        assert!(!wide.is_set(cpu) && wide.is_set(other));
        assert!(!pinned.is_set(cpu) && pinned.is_set(other));
        assert_eq!(elsewhere, before[2]);
        hotplug.up(cpu);
        assert_eq!(cpus_of(), before);
        // The last one stays.
        hotplug.down(cpu, &[cpu]);
        assert_eq!(cpus_of(), before);
        // What is away at the end comes back.
        hotplug.down(cpu, &used);
        assert_ne!(cpus_of(), before);
        drop(hotplug);
        assert_eq!(cpus_of(), before);
    }
}

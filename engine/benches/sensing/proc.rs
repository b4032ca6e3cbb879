//! What `/proc` tells of this process's threads, and of what else uses the CPUs.

use crate::{rig, table};
use rustix::process::{Resource, getrlimit};
use rustix::thread::gettid;
use std::fs;
use std::time::Instant;

/// A thread of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub tid: u32,
    pub name: String,
}

/// All threads but the calling one.
pub fn other_tasks() -> Vec<Task> {
    let me = gettid().as_raw_nonzero().get() as u32;
    let Ok(entries) = fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let tids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let task = |tid| {
        // A thread may end meanwhile.
        let name = fs::read_to_string(format!("/proc/self/task/{tid}/comm")).ok()?;
        let name = name.trim_end().to_owned();
        Some(Task { tid, name })
    };
    tids.filter(|&tid| tid != me).filter_map(task).collect()
}

/// How often a thread was switched away from, by itself or not.
pub fn switches(tid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/self/task/{tid}/status")).ok()?;
    let counts = status.lines().filter_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.ends_with("voluntary_ctxt_switches")
            .then(|| value.trim().parse::<u64>().ok())?
    });
    Some(counts.sum())
}

/// CPU time of a thread in nanoseconds, as far as the kernel has booked it.
pub fn run_ns(tid: u32) -> Option<u64> {
    let times = fs::read_to_string(format!("/proc/self/task/{tid}/schedstat")).ok()?;
    times.split(' ').next()?.parse().ok()
}

/// How many descriptors the process may have.
pub fn descriptors() -> String {
    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

/// What other processes use of the CPUs while a section runs.
pub struct Others {
    begun: Instant,
    busy_ns: Option<u64>,
    own_ns: u64,
}

impl Others {
    pub fn begin() -> Self {
        Self {
            begun: Instant::now(),
            busy_ns: busy_ns(),
            own_ns: rig::process_cpu(),
        }
    }

    pub fn tell(self) {
        let what = "  CPU time of others meanwhile";
        let (Some(before), Some(after)) = (self.busy_ns, busy_ns()) else {
            table::fact(what, "not known: /proc/stat is not readable");
            return;
        };
        let own = rig::process_cpu() - self.own_ns;
        let others = after.saturating_sub(before).saturating_sub(own) as f64;
        let all = self.begun.elapsed().as_nanos() as f64;
        let share = 100.0 * others / all;
        table::fact(what, &format!("{share:>9.1} % of one CPU"));
    }
}

/// Time that all CPUs have not been idle, in nanoseconds. Source: proc_stat(5), whose unit is 10 ms.
fn busy_ns() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    let times: Vec<u64> = fields
        .split_ascii_whitespace()
        .map_while(|field| field.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; what guests use is part of user.
    let busy = [0, 1, 2, 5, 6, 7].map(|field| times.get(field).copied().unwrap_or(0));
    Some(busy.iter().sum::<u64>() * 10_000_000)
}

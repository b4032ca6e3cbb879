//! The system calls that the engine makes on threads and clocks. The only file that makes any; `raw` has those that no
//! library offers in a safe form.

mod raw;

use crate::topology::CpuMask;
use rustix::thread::{CpuSet, Pid, gettid, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Instant;
use wq_trace::{Segment, SegmentConfig, SegmentProblem};

/// Nanoseconds on `CLOCK_MONOTONIC`, the clock of every stamp.
pub(crate) fn now() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// The same moment as the standard library has it.
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// A segment in a file; on the heap, and why, if that cannot be had.
pub(crate) fn segment(config: &SegmentConfig) -> (Segment, Option<SegmentProblem>) {
    Segment::create(config, now())
}

/// CPU time of the calling thread in nanoseconds. `CLOCK_THREAD_CPUTIME_ID`, a system call.
pub(crate) fn thread_cpu_ns() -> u64 {
    nanoseconds(ClockId::ThreadCPUTime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The CPU that the calling thread is on at this moment.
pub(crate) fn current_cpu() -> usize {
    rustix::thread::sched_getcpu()
}

/// The OS id of the calling thread.
pub(crate) fn thread_id() -> u32 {
    gettid().as_raw_nonzero().get() as u32
}

/// The name of the calling thread, as `/proc` shows it.
pub(crate) fn thread_name() -> String {
    let name = std::fs::read_to_string("/proc/thread-self/comm").unwrap_or_default();
    name.trim_end_matches('\n').to_owned()
}

/// The CPUs that the calling thread may use, ascending.
pub(crate) fn allowed_cpus() -> io::Result<Vec<usize>> {
    cpus_of(None)
}

/// The CPUs that the thread with this OS id may use at this moment, ascending. A CPU that is offline is not among them.
pub(crate) fn allowed_cpus_of(tid: u32) -> io::Result<Vec<usize>> {
    cpus_of(Pid::from_raw(tid as i32))
}

fn cpus_of(thread: Option<Pid>) -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(thread)?;
    Ok((0..CpuSet::MAX_CPU)
        .filter(|&cpu| set.is_set(cpu))
        .collect())
}

/// Lets the calling thread run on these CPUs only.
pub(crate) fn pin(cpus: &[usize]) -> io::Result<()> {
    Ok(sched_setaffinity(None, &cpu_set(cpus.iter().copied()))?)
}

/// Lets the thread with this OS id run on these CPUs only; if it sleeps, it wakes up on one of them.
pub(crate) fn pin_thread(tid: u32, cpus: &CpuMask) -> io::Result<()> {
    let thread = Pid::from_raw(tid as i32).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(sched_setaffinity(Some(thread), &cpu_set(cpus.iter()))?)
}

fn cpu_set(cpus: impl Iterator<Item = usize>) -> CpuSet {
    let mut set = CpuSet::new();
    for cpu in cpus.filter(|&cpu| cpu < CpuSet::MAX_CPU) {
        set.set(cpu);
    }
    set
}

/// How many descriptors the process may have open at this moment (`RLIMIT_NOFILE`, the soft limit); none if any number.
/// A system call.
pub(crate) fn descriptor_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// Sets the nice level of the calling thread (on Linux it is a thread's, whatever POSIX says; `setpriority(2)`).
pub(crate) fn set_nice(nice: i32) -> io::Result<()> {
    let me: Option<Pid> = Some(gettid());
    Ok(rustix::process::setpriority_process(me, nice)?)
}

/// From now on the calling thread gets a CPU only where nobody else of its group wants it. `SCHED_IDLE` in sched(7).
/// There is no way back without privileges.
///
/// Its time slice is made the shortest that there is first, if the system has such slices (Linux 6.12): who gives way
/// forfeits what is left of the slice, and that weighs 341 times as much for an idle thread.
pub(crate) fn become_idle() -> io::Result<()> {
    const SHORTEST: u64 = 100_000;
    let _ = raw::set_slice(SHORTEST);
    raw::set_idle_policy()
}

/// The CPU time, in nanoseconds, of a thread of this process. It stands still while the thread does not run.
pub(crate) fn cpu_clock(tid: u32) -> io::Result<u64> {
    raw::cpu_clock(tid)
}

/// A thread of this process as a file of `/proc` shows it, at any moment.
#[derive(Debug)]
pub(crate) struct ThreadFile(File);

impl ThreadFile {
    pub(crate) fn open(tid: u32, name: &str) -> io::Result<Self> {
        File::open(format!("/proc/self/task/{tid}/{name}")).map(Self)
    }

    /// Its text from the beginning, as far as there is room. One system call, and nothing else.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buffer, 0)
    }
}

//! What the engine asks of the system, when shuttle is the system: two CPUs, no files, and a clock that only waits move.
//! The same functions as in `os.rs`.

use crate::sync::shuttled::{cpu_clock_of, cpus_of, set_cpus_of, sleeps};
pub(crate) use crate::sync::shuttled::{now, thread_id};
use crate::topology::CpuMask;
use shuttle::rand::{Rng, thread_rng};
use std::io;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use wq_trace::{Segment, SegmentConfig, SegmentProblem};

const CPUS: [usize; 2] = [0, 1];

pub(crate) fn instant() -> Instant {
    static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    *BEGIN + Duration::from_nanos(now())
}

pub(crate) fn segment(config: &SegmentConfig) -> (Segment, Option<SegmentProblem>) {
    (Segment::in_memory(config, now()), None)
}

pub(crate) fn thread_cpu_ns() -> u64 {
    now()
}

/// Any that it may use: it may have been moved since the last time.
pub(crate) fn current_cpu() -> usize {
    let cpus = cpus_of(thread_id()).unwrap_or(CPUS.to_vec());
    match cpus.len() {
        1 => cpus[0],
        count => cpus[thread_rng().gen_range(0..count)],
    }
}

pub(crate) fn thread_name() -> String {
    shuttle::thread::current()
        .name()
        .unwrap_or_default()
        .to_owned()
}

pub(crate) fn allowed_cpus() -> io::Result<Vec<usize>> {
    Ok(CPUS.to_vec())
}

pub(crate) fn allowed_cpus_of(_tid: u32) -> io::Result<Vec<usize>> {
    allowed_cpus()
}

pub(crate) fn pin(cpus: &[usize]) -> io::Result<()> {
    set_cpus_of(thread_id(), cpus.to_vec());
    Ok(())
}

pub(crate) fn pin_thread(tid: u32, cpus: &CpuMask) -> io::Result<()> {
    set_cpus_of(tid, cpus.iter().collect());
    Ok(())
}

pub(crate) fn descriptor_limit() -> Option<u64> {
    None
}

/// Not permitted, as to most.
pub(crate) fn set_nice(_nice: i32) -> io::Result<()> {
    Err(io::ErrorKind::PermissionDenied.into())
}

/// Every thread is; it is the schedule that decides who runs.
pub(crate) fn become_idle() -> io::Result<()> {
    Ok(())
}

pub(crate) fn cpu_clock(tid: u32) -> io::Result<u64> {
    Ok(cpu_clock_of(tid))
}

/// There is `stat` only.
#[derive(Debug)]
pub(crate) struct ThreadFile(u32);

impl ThreadFile {
    pub(crate) fn open(tid: u32, name: &str) -> io::Result<Self> {
        if name == "stat" {
            Ok(Self(tid))
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let text = if sleeps(self.0) {
            b"1 (t) S"
        } else {
            b"1 (t) R"
        };
        buffer[..text.len()].copy_from_slice(text);
        Ok(text.len())
    }
}

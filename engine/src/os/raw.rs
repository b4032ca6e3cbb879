//! Two system calls that no library offers in a safe form. The engine's only unsafe code.
#![expect(
    unsafe_code,
    reason = "a scheduling policy and another thread's clock have no safe form"
)]

use std::io;

/// `sched_setscheduler(2)` with `SCHED_IDLE` for the calling thread.
pub(super) fn set_idle_policy() -> io::Result<()> {
    // The kernel's `struct sched_param`: one number, 0 for this policy.
    let param: libc::c_int = 0;
    // SAFETY: the call reads one `int` at the pointer, which points to one that lives until it returns.
    let result = unsafe {
        libc::syscall(
            libc::SYS_sched_setscheduler,
            0,
            libc::SCHED_IDLE,
            &raw const param,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// `clock_gettime(2)` of a thread's CPU clock, in nanoseconds. The clock's number is what
/// `pthread_getcpuclockid(3)` makes of a thread's OS id: its complement, and `CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED`.
pub(super) fn cpu_clock(tid: u32) -> io::Result<u64> {
    let clock = (!(tid as libc::clockid_t) << 3) | 6;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one `timespec` at the pointer, which points to one that lives until it returns; a clock
    // that does not exist is an error.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    match result {
        0 => Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_clock_moves_only_while_it_runs() {
        let (tell, tid) = std::sync::mpsc::channel();
        let (go, stop) = std::sync::mpsc::channel::<()>();
        let peer = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid().as_raw_nonzero().get() as u32)
                .unwrap();
            stop.recv().unwrap_err();
        });
        let tid = tid.recv().unwrap();
        let mut before = cpu_clock(tid).unwrap();
        // It comes to rest; how soon is the machine's affair.
        while cpu_clock(tid).unwrap() != before {
            before = cpu_clock(tid).unwrap();
            std::thread::yield_now();
        }
        drop(go);
        peer.join().unwrap();
        assert!(cpu_clock(tid).is_err(), "it has ended");
    }
}

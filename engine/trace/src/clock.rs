//! The clock that stamps are of.

/// `CLOCK_MONOTONIC` in nanoseconds.
pub(crate) fn monotonic_now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    // Never negative on Linux.
    (now.tv_sec as u64) * 1_000_000_000 + now.tv_nsec as u64
}

//! An event as the eight words of a ring's record.
//!
//! ```text
//!        63            48 47            32 31            16 15     8 7      0
//! word 0 | at: nanoseconds on the segment's clock                           |
//!      1 | tid                            | cpu            | small  | kind   |
//!      2 | pool                           | workqueue                        |
//!      3 | function                       | worker                           |
//!      4 | work                                                               |
//!      5 | low                            | from: the producer's function    |
//!      6 | wide                                                               |
//!      7 | 0                                                                  |
//! ```
//! `small`, `low` and `wide` hold what only one kind of event has. Numbers of kinds are never reused; a new kind is a
//! new minor version, and an older reader skips it.

use crate::event::{Drop, Event, FlushTarget, Hold, Wake, Was, What};
use crate::ids::{FuncId, PoolId, WorkerId, WqId};
use crate::layout::RECORD_WORDS;

/// A record's words.
pub(crate) type Record = [u64; RECORD_WORDS];

/// The three fields whose meaning depends on the kind.
#[derive(Clone, Copy, Default)]
struct Own {
    small: u8,
    low: u32,
    wide: u64,
}

impl Own {
    fn small(small: u8) -> Self {
        Self {
            small,
            ..Self::default()
        }
    }

    fn low(low: u32) -> Self {
        Self {
            low,
            ..Self::default()
        }
    }

    fn wide(wide: u64) -> Self {
        Self {
            wide,
            ..Self::default()
        }
    }

    fn two(low: u32, wide: u32) -> Self {
        Self {
            low,
            wide: wide.into(),
            ..Self::default()
        }
    }
}

/// The event as a record.
pub(crate) fn encode(event: &Event) -> Record {
    let (kind, own) = split(&event.what);
    [
        event.at,
        u64::from(kind)
            | u64::from(own.small) << 8
            | u64::from(event.cpu) << 16
            | u64::from(event.tid) << 32,
        pair(event.wq.0, event.pool.0),
        pair(event.worker.0, event.func.0),
        event.work,
        pair(event.from.0, own.low),
        own.wide,
        0,
    ]
}

/// The event in a record; `None` for a kind or a value that this version does not know.
pub(crate) fn decode(record: &Record) -> Option<Event> {
    let [at, mixed, place, who, work, from, wide, _] = *record;
    let own = Own {
        small: (mixed >> 8) as u8,
        low: (from >> 32) as u32,
        wide,
    };
    Some(Event {
        at,
        cpu: (mixed >> 16) as u16,
        tid: (mixed >> 32) as u32,
        wq: WqId(place as u32),
        pool: PoolId((place >> 32) as u32),
        worker: WorkerId(who as u32),
        func: FuncId((who >> 32) as u32),
        from: FuncId(from as u32),
        work,
        what: join(mixed as u8, own)?,
    })
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The number of a step and what only it has.
fn split(what: &What) -> (u8, Own) {
    let none = Own::default();
    match *what {
        What::QueueWork { req_cpu, cpu } => (1, Own::two(req_cpu as u32, cpu as u32)),
        What::ActivateWork => (2, none),
        What::ExecuteStart => (3, none),
        What::ExecuteEnd => (4, none),
        What::HoldWork { reason } => (5, Own::small(reason as u8)),
        What::CancelWork { was } => (6, Own::small(was as u8)),
        What::DisableWork { depth } => (7, Own::low(depth)),
        What::EnableWork { depth } => (8, Own::low(depth)),
        What::DropWork { reason } => (9, Own::small(reason as u8)),
        What::TimerArm { delay_us } => (10, Own::wide(delay_us)),
        What::WorkerCreate { nr_workers } => (11, Own::low(nr_workers)),
        What::WorkerDestroy { nr_workers } => (12, Own::low(nr_workers)),
        What::WorkerWake { reason } => (13, Own::small(reason as u8)),
        What::WorkerIdle { nr_idle } => (14, Own::low(nr_idle)),
        What::WorkerSleep { nr_running } => (15, Own::low(nr_running)),
        What::WorkerResume { nr_running } => (16, Own::low(nr_running)),
        What::ManagerStart => (17, none),
        What::ManagerEnd => (18, none),
        What::CpuIntensive { cpu_us } => (19, Own::wide(cpu_us)),
        What::Mayday => (20, none),
        What::Rescue => (21, none),
        What::FlushStart { target } => (22, Own::small(target as u8)),
        What::FlushEnd { target } => (23, Own::small(target as u8)),
        What::Stall { seconds } => (24, Own::wide(seconds)),
        What::Panic => (25, none),
        What::Alloc { flags, max_active } => (26, Own::two(flags, max_active)),
        What::Destroy { flags, max_active } => (27, Own::two(flags, max_active)),
        What::Freeze { flags, max_active } => (28, Own::two(flags, max_active)),
        What::Thaw { flags, max_active } => (29, Own::two(flags, max_active)),
        What::Attrs {
            nice,
            strict,
            scope,
            cpumask,
        } => {
            let low = u32::from(strict) | u32::from(scope) << 8;
            (
                30,
                Own {
                    small: nice as u8,
                    low,
                    wide: cpumask,
                },
            )
        }
        What::MaxActive { old, new } => (31, Own::two(old, new)),
        What::Deadlock {
            target,
            waiter,
            cycle,
        } => {
            let small = target as u8;
            let own = Own::two(waiter, cycle);
            (32, Own { small, ..own })
        }
    }
}

/// The step with this number, from what only it has.
fn join(kind: u8, own: Own) -> Option<What> {
    let Own { small, low, wide } = own;
    let wide_low = wide as u32;
    Some(match kind {
        1 => What::QueueWork {
            req_cpu: low as i32,
            cpu: wide_low as i32,
        },
        2 => What::ActivateWork,
        3 => What::ExecuteStart,
        4 => What::ExecuteEnd,
        5 => What::HoldWork {
            reason: Hold::from_number(small)?,
        },
        6 => What::CancelWork {
            was: Was::from_number(small)?,
        },
        7 => What::DisableWork { depth: low },
        8 => What::EnableWork { depth: low },
        9 => What::DropWork {
            reason: Drop::from_number(small)?,
        },
        10 => What::TimerArm { delay_us: wide },
        11 => What::WorkerCreate { nr_workers: low },
        12 => What::WorkerDestroy { nr_workers: low },
        13 => What::WorkerWake {
            reason: Wake::from_number(small)?,
        },
        14 => What::WorkerIdle { nr_idle: low },
        15 => What::WorkerSleep { nr_running: low },
        16 => What::WorkerResume { nr_running: low },
        17 => What::ManagerStart,
        18 => What::ManagerEnd,
        19 => What::CpuIntensive { cpu_us: wide },
        20 => What::Mayday,
        21 => What::Rescue,
        22 => What::FlushStart {
            target: FlushTarget::from_number(small)?,
        },
        23 => What::FlushEnd {
            target: FlushTarget::from_number(small)?,
        },
        24 => What::Stall { seconds: wide },
        25 => What::Panic,
        26 => What::Alloc {
            flags: low,
            max_active: wide_low,
        },
        27 => What::Destroy {
            flags: low,
            max_active: wide_low,
        },
        28 => What::Freeze {
            flags: low,
            max_active: wide_low,
        },
        29 => What::Thaw {
            flags: low,
            max_active: wide_low,
        },
        30 => What::Attrs {
            nice: small as i8,
            strict: low & 1 != 0,
            scope: (low >> 8) as u8,
            cpumask: wide,
        },
        31 => What::MaxActive {
            old: low,
            new: wide_low,
        },
        32 => What::Deadlock {
            target: FlushTarget::from_number(small)?,
            waiter: low,
            cycle: wide_low,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One step with the given fields, for each kind.
    fn what(kind: u8, small: u8, low: u32, wide: u64) -> Option<What> {
        join(kind, Own { small, low, wide })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn decoding_undoes_encoding(
            kind in 1_u8..=32, small in 0_u8..7, low: u32, wide: u64,
            at: u64, cpu: u16, tid: u32, ids: [u32; 5], work: u64,
        ) {
            let Some(what) = what(kind, small, low, wide) else {
                return Ok(());
            };
            let event = Event {
                at, cpu, tid, work, what,
                wq: WqId(ids[0]), pool: PoolId(ids[1]), worker: WorkerId(ids[2]),
                func: FuncId(ids[3]), from: FuncId(ids[4]),
            };
            prop_assert_eq!(decode(&encode(&event)), Some(event));
        }

        #[test]
        fn any_words_decode_or_do_not(record: Record) {
            if let Some(event) = decode(&record) {
                prop_assert_eq!(decode(&encode(&event)), Some(event));
            }
        }
    }

    #[test]
    fn every_kind_has_a_number_of_its_own() {
        let kinds: Vec<_> = (0..=u8::MAX)
            .filter(|&kind| what(kind, 0, 0, 0).is_some())
            .collect();
        assert_eq!(kinds, (1..=32).collect::<Vec<_>>());
        for kind in kinds {
            let back = what(kind, 0, 0, 0).map(|what| split(&what).0);
            assert_eq!(back, Some(kind));
        }
    }
}

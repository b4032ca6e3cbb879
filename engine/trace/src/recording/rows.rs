//! The rows of a snapshot as bytes. Each row is declared once, its fields in the order in which they are written; a new
//! field goes to the end of its list. A field that stands in no list does not compile.

use super::code::{Code, Input, numbers, put_sized, put_varint};
use crate::cpus::CpuSet;
use crate::ids::{FuncId, PoolId, PwqId, WorkerId, WqId};
use crate::sensing::{CanaryGauges, Reaction, SensingInfo};
use crate::settings::{NodeRow, PodRow, Scope, ScopeRow, Settings, WqAttrs};
use crate::snapshot::{
    FlushRow, FunctionRow, Histogram, Meta, PoolRow, PwqFuncRow, PwqRow, RingRow, ThreadRow,
    WorkerKind, WorkerRow, WorkerState, WorkqueueRow,
};

/// What stands in no table of the snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Moment {
    pub(crate) at: u64,
    pub(crate) lost_no_ring: u64,
    pub(crate) hidden_rows: u64,
    pub(crate) torn: u64,
}

/// Declares rows. Fields behind a `;` are not recorded.
macro_rules! rows {
    ($($name:ident { $($field:ident),* $(; $left_out:ident)? })*) => { $(
        impl Code for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field,)* $($left_out: _,)? } = self;
                let mut body = Vec::new();
                $($field.put(&mut body);)*
                put_sized(out, &body);
            }

            fn get(input: &mut Input<'_>) -> Option<Self> {
                let mut body = Input::new(input.sized()?);
                Some(Self { $($field: body.field()?,)* $($left_out: Default::default(),)? })
            }

            fn missing() -> Self {
                Self { $($field: Code::missing(),)* $($left_out: Default::default(),)? }
            }
        }
    )* };
}

rows! {
    Moment { at, lost_no_ring, hidden_rows, torn }
    Meta {
        pid, name, exe, version, started_at, started_wall, ended_at, sensing, sensing_reason, cpus, tracing; path
    }
    Settings {
        unbound_cpus, online_cpus, default_scope, power_efficient, cpu_intensive_thresh_ns, watchdog_thresh_ns,
        idle_timeout_ns, scopes, nodes
    }
    ScopeRow { scope, pods }
    PodRow { cpus, node }
    WqAttrs { nice, scope, strict, cpus }
    NodeRow { nr, max }
    WorkqueueRow {
        id, name, flags, max_active, min_active, effective_max_active, effective_min_active, attrs, rescuer,
        default_pool, pools, nodes, counters
    }
    PoolRow {
        id, number, cpu, nice, nice_granted, flags, nr_running, nr_workers, nr_idle, nr_pending, manager,
        last_progress, max_workers, max_nr_running, cm_wakeups, refcnt, node, strict, cpus, pod_cpus, canary
    }
    PwqRow {
        id, wq, pool, nr_active, refcnt, nr_inactive, nr_in_flight, max_in_flight, mayday, plugged, counters, wait, run, held_since
    }
    PwqFuncRow {
        pwq, func, pending, inactive, running, queued, started, completed, run_ns, cpu_ns, run_max_ns, breakdown
    }
    SensingInfo { mode, reason, asked, notes, reaction, descriptors }
    CanaryGauges { armed, armings, decisions, false_decisions, unwatched }
    FunctionRow { id, name, armed, next_expiry }
    WorkerRow {
        id, kind, rescue_wq, cpus, pool, number, name, tid, state, since, work, func, wq, pwq, started_at, desc, executed
    }
    FlushRow { tid, work, wq, func, since, deadlock }
    ThreadRow { tid, comm }
    RingRow { index, tid, generation, written, capacity }
}

numbers! {
    WqId: u32, |id: WqId| id.0.into(), WqId;
    PoolId: u32, |id: PoolId| id.0.into(), PoolId;
    PwqId: u32, |id: PwqId| id.0.into(), PwqId;
    WorkerId: u32, |id: WorkerId| id.0.into(), WorkerId;
    FuncId: u32, |id: FuncId| id.0.into(), FuncId;
    // As in a segment: what a later version may have is taken as what is least wrong.
    Scope: u8, |scope| scope as u64, |n| Scope::from_number(n).unwrap_or_default();
    WorkerKind: u8, |kind| kind as u64, |n| one_of(&WorkerKind::ALL, n, WorkerKind::Normal);
    WorkerState: u8, |state| state as u64, |n| one_of(&WorkerState::ALL, n, WorkerState::Busy);
}

fn one_of<T: Copy>(all: &[T], number: u8, otherwise: T) -> T {
    all.get(usize::from(number)).copied().unwrap_or(otherwise)
}

impl Code for CpuSet {
    fn put(&self, out: &mut Vec<u8>) {
        self.entries().put(out);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        Some(Self::from_entries(&Vec::get(input)?))
    }

    fn missing() -> Self {
        Self::default()
    }
}

impl Code for Reaction {
    fn put(&self, out: &mut Vec<u8>) {
        let (kind, rounds) = self.numbers();
        let (p50, p99) = match *self {
            Self::Measured { p50_ns, p99_ns, .. } => (p50_ns, p99_ns),
            Self::Unknown | Self::NotMeasured | Self::NoAnswer => (0, 0),
        };
        ((kind, rounds), (p50, p99)).put(out);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        let ((kind, rounds), (p50, p99)) = Code::get(input)?;
        Some(Self::from_numbers(kind, rounds, p50, p99))
    }

    fn missing() -> Self {
        Self::default()
    }
}

/// Buckets as what each is above the one before.
impl Code for Histogram {
    fn put(&self, out: &mut Vec<u8>) {
        let mut last = 0;
        put_varint(out, self.buckets.len() as u64);
        for &(upper, count) in &self.buckets {
            put_varint(out, upper - last);
            put_varint(out, count);
            last = upper;
        }
        put_varint(out, self.max);
        put_varint(out, self.sum);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        let mut buckets = Vec::<(u64, u64)>::get(input)?;
        let mut last = 0_u64;
        for (upper, _) in &mut buckets {
            last = last.checked_add(*upper)?;
            *upper = last;
        }
        let (max, sum) = Code::get(input)?;
        Some(Self { buckets, max, sum })
    }

    fn missing() -> Self {
        Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(row: &impl Code) -> Vec<u8> {
        let mut bytes = Vec::new();
        row.put(&mut bytes);
        bytes
    }

    /// A row of a version that knows one field more, or one fewer.
    #[test]
    fn rows_of_other_versions_are_read() {
        let row = NodeRow { nr: 3, max: 300 };
        let whole = bytes(&row);
        assert_eq!(whole, [3, 3, 0xac, 2]);
        let longer = [5, 3, 0xac, 2, 7, 7];
        let mut input = Input::new(&longer);
        assert_eq!(NodeRow::get(&mut input), Some(row));
        assert!(input.is_empty(), "what is not known is passed over");
        let shorter = NodeRow::get(&mut Input::new(&[1, 3]));
        assert_eq!(shorter, Some(NodeRow { nr: 3, max: 0 }));
    }

    #[test]
    fn half_a_field_is_no_row() {
        assert_eq!(NodeRow::get(&mut Input::new(&[2, 3, 0xac])), None);
        assert_eq!(NodeRow::get(&mut Input::new(&[3, 3, 0xac])), None);
    }

    #[test]
    fn histograms_come_back() {
        let histogram = Histogram {
            buckets: vec![(0, 2), (17, 1), (u64::MAX, 9)],
            max: u64::MAX,
            sum: 5,
        };
        let back = Histogram::get(&mut Input::new(&bytes(&histogram)));
        assert_eq!(back, Some(histogram));
    }

    #[test]
    fn a_histogram_that_runs_over_is_refused() {
        let mut out = Vec::new();
        vec![(u64::MAX, 1_u64), (1, 1)].put(&mut out);
        (0_u64, 0_u64).put(&mut out);
        assert_eq!(Histogram::get(&mut Input::new(&out)), None);
    }
}

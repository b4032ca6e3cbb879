//! Rows from slots: each row of the snapshot from its words. Nothing here believes a word: whatever it holds, the row is
//! a value.

use super::head::{name, text};
use super::table::Slot;
use crate::clean::{clean_name, clean_text};
use crate::hist::BUCKETS;
use crate::ids::{FuncId, PoolId, PwqId, WorkerId, WqId};
use crate::layout::{
    ATTRS_KNOWN, ATTRS_STRICT, DISTRIBUTION, NAME_WORDS, NOTE_WORDS, SHORT_WORDS, TEXT_WORDS,
    flush, function, histogram, pool, pwq, pwq_func, pwq_held, sensing, thread, worker, workqueue,
};
use crate::sensing::{CanaryGauges, Reaction, SENSING_NOTE_BYTES, SENSING_NOTES, SensingInfo};
use crate::settings::{Scope, WqAttrs};
use crate::snapshot::{
    FlushRow, FunctionRow, Histogram, PoolRow, PwqFuncRow, PwqRow, ThreadRow, WorkerKind,
    WorkerRow, WorkerState, WorkqueueRow,
};
use crate::stats::{Counter, WaitPart, WqCounter};

pub(super) fn workqueue(slot: &Slot<'_>) -> WorkqueueRow {
    let (flags, max_active) = slot.halves(workqueue::FLAGS_MAX);
    let (min_active, effective_min_active) = slot.halves(workqueue::MIN_ACTIVE);
    let (effective, says) = slot.halves(workqueue::EFFECTIVE);
    let (rescuer, default_pool) = slot.halves(workqueue::RESCUER_DEFAULT);
    let mut counters = [0; WqCounter::COUNT];
    counters.copy_from_slice(&slot.third[workqueue::COUNTERS..][..WqCounter::COUNT]);
    WorkqueueRow {
        id: WqId(slot.id()),
        name: name(&slot.second[workqueue::NAME..][..NAME_WORDS]),
        flags,
        max_active,
        min_active,
        effective_max_active: if says == 1 { effective } else { max_active },
        effective_min_active,
        attrs: attrs(slot),
        rescuer: WorkerId(rescuer),
        default_pool: PoolId(default_pool),
        counters,
        ..WorkqueueRow::default()
    }
}

/// What a workqueue asks for, but for its CPUs.
fn attrs(slot: &Slot<'_>) -> Option<WqAttrs> {
    let (nice, bits) = slot.halves(workqueue::ATTRS);
    let scope = Scope::from_number((bits >> 8) as u8)?;
    (bits & ATTRS_KNOWN != 0).then(|| WqAttrs {
        nice: nice as i32,
        scope,
        strict: bits & ATTRS_STRICT != 0,
        ..WqAttrs::default()
    })
}

pub(super) fn pool(slot: &Slot<'_>) -> PoolRow {
    let (number, cpu) = slot.halves(pool::NUMBER_CPU);
    let (nice, granted) = slot.halves(pool::NICE_GRANTED);
    let (flags, manager) = slot.halves(pool::FLAGS_MANAGER);
    let (nr_running, nr_workers) = slot.halves(pool::RUNNING_WORKERS);
    let (nr_idle, nr_pending) = slot.halves(pool::IDLE_PENDING);
    let (max_workers, max_nr_running) = slot.halves(pool::MAXIMA);
    let (strict, node) = slot.halves(pool::STRICT_NODE);
    let (armed, unwatched) = slot.halves(pool::ARMED_UNWATCHED);
    PoolRow {
        id: PoolId(slot.id()),
        number,
        cpu: cpu.checked_sub(1).and_then(|cpu| u16::try_from(cpu).ok()),
        nice: nice as i32,
        nice_granted: granted == 1,
        flags,
        nr_running,
        nr_workers,
        nr_idle,
        nr_pending,
        manager: WorkerId(manager),
        last_progress: slot.word(pool::LAST_PROGRESS),
        max_workers,
        max_nr_running,
        cm_wakeups: slot.word(pool::CM_WAKEUPS),
        refcnt: slot.word(pool::REFCNT) as u32,
        node: node.checked_sub(1).and_then(|n| u16::try_from(n).ok()),
        strict: strict == 1,
        canary: CanaryGauges {
            armed: armed == 1,
            armings: slot.word(pool::ARMINGS),
            decisions: slot.word(pool::DECISIONS),
            false_decisions: slot.word(pool::FALSE_DECISIONS),
            unwatched,
        },
        ..PoolRow::default()
    }
}

pub(super) fn sensing(slot: &Slot<'_>) -> SensingInfo {
    let say = |at, words| clean_text(&text(&slot.second[at..][..words]), words * 8);
    let (kind, rounds) = slot.halves(sensing::REACTION);
    let (p50, p99) = (slot.word(sensing::P50), slot.word(sensing::P99));
    let note = |index| {
        let words = &slot.second[sensing::NOTES + index * NOTE_WORDS..][..NOTE_WORDS];
        clean_text(&text(words), SENSING_NOTE_BYTES)
    };
    SensingInfo {
        mode: say(sensing::MODE, SHORT_WORDS),
        reason: say(sensing::REASON, TEXT_WORDS),
        asked: say(sensing::ASKED, SHORT_WORDS),
        notes: (0..SENSING_NOTES)
            .map(note)
            .filter(|note| !note.is_empty())
            .collect(),
        reaction: Reaction::from_numbers(kind, rounds, p50, p99),
        descriptors: slot.word(sensing::DESCRIPTORS) as u32,
    }
}

pub(super) fn pwq(slot: &Slot<'_>) -> PwqRow {
    let (wq, pool) = slot.halves(pwq::WQ_POOL);
    let (nr_active, refcnt) = slot.halves(pwq::ACTIVE_REFCNT);
    let (nr_inactive, nr_in_flight) = slot.halves(pwq::INACTIVE_FLIGHT);
    let mut counters = [0; Counter::COUNT];
    counters.copy_from_slice(&slot.third[pwq::COUNTERS..][..Counter::COUNT]);
    let [started, completed] = [Counter::Started as usize, Counter::Completed as usize];
    counters[started] = slot.second[pwq::COUNTERS + started];
    counters[completed] = slot.first[pwq::COUNTERS + completed];
    PwqRow {
        id: PwqId(slot.id()),
        wq: WqId(wq),
        pool: PoolId(pool),
        nr_active,
        refcnt,
        nr_inactive,
        nr_in_flight,
        max_in_flight: slot.word(pwq::MAX_FLIGHT) as u32,
        mayday: slot.word(pwq::BITS) & 1 != 0,
        plugged: slot.word(pwq::BITS) & 2 != 0,
        held_since: slot.word(pwq::BITS) & pwq_held::SINCE,
        counters,
        wait: Histogram::default(),
        run: Histogram::default(),
    }
}

pub(super) fn pwq_func(slot: &Slot<'_>) -> PwqFuncRow {
    let (pwq, func) = slot.halves(pwq_func::PWQ_FUNC);
    let mut breakdown = [0; WaitPart::COUNT];
    breakdown.copy_from_slice(&slot.second[pwq_func::BREAKDOWN..][..WaitPart::COUNT]);
    PwqFuncRow {
        pwq: PwqId(pwq),
        func: FuncId(func),
        pending: slot.word(pwq_func::PENDING) as u32,
        inactive: slot.word(pwq_func::INACTIVE) as u32,
        running: slot.word(pwq_func::RUNNING) as u32,
        queued: slot.third[pwq_func::QUEUED],
        started: slot.second[pwq_func::STARTED],
        completed: slot.first[pwq_func::COMPLETED],
        run_ns: slot.first[pwq_func::RUN],
        cpu_ns: slot.first[pwq_func::CPU],
        run_max_ns: slot.first[pwq_func::RUN_MAX],
        breakdown,
    }
}

pub(super) fn function(slot: &Slot<'_>) -> FunctionRow {
    FunctionRow {
        id: FuncId(slot.id()),
        name: name(&slot.second[function::NAME..][..NAME_WORDS]),
        armed: slot.word(function::ARMED) as u32,
        next_expiry: slot.word(function::NEXT_EXPIRY),
    }
}

/// A worker. Of one that is not whole only what it is for good is told, and that it is busy.
pub(super) fn worker(slot: &Slot<'_>) -> WorkerRow {
    let (pool, number) = slot.halves(worker::POOL_NUMBER);
    let (tid, state) = slot.halves(worker::TID_STATE);
    let desc_whole = slot.first[worker::DESC_SEQ] & 1 == 0
        && slot.first[worker::DESC_SEQ] == slot.third[worker::DESC_SEQ];
    let desc = desc_whole.then(|| name(&slot.second[worker::DESC..][..NAME_WORDS]));
    let (kind, rescue_wq) = slot.halves(worker::KIND_WQ);
    let identity = WorkerRow {
        id: WorkerId(slot.id()),
        kind: *WorkerKind::ALL
            .get(kind as usize)
            .unwrap_or(&WorkerKind::Normal),
        rescue_wq: WqId(rescue_wq),
        pool: PoolId(pool),
        number,
        name: name(&slot.second[worker::NAME..][..NAME_WORDS]),
        tid,
        state: WorkerState::Busy,
        since: slot.word(worker::SINCE),
        desc: desc.unwrap_or_default(),
        executed: slot.word(worker::EXECUTED),
        ..WorkerRow::default()
    };
    if !slot.whole {
        return identity;
    }
    let (func, wq) = slot.halves(worker::FUNC_WQ);
    let state = WorkerState::ALL.get(state as usize).copied();
    WorkerRow {
        state: state.unwrap_or(WorkerState::Busy),
        work: slot.word(worker::WORK),
        func: FuncId(func),
        wq: WqId(wq),
        pwq: PwqId(slot.word(worker::PWQ) as u32),
        started_at: slot.word(worker::STARTED_AT),
        ..identity
    }
}

pub(super) fn thread(slot: &Slot<'_>) -> ThreadRow {
    ThreadRow {
        tid: slot.word(thread::TID) as u32,
        comm: clean_name(&text(&slot.second[thread::COMM..][..SHORT_WORDS])),
    }
}

pub(super) fn flush(slot: &Slot<'_>) -> FlushRow {
    let (wq, func) = slot.halves(flush::WQ_FUNC);
    FlushRow {
        tid: slot.word(flush::TID) as u32,
        work: slot.word(flush::WORK),
        wq: WqId(wq),
        func: FuncId(func),
        since: slot.word(flush::SINCE),
        deadlock: slot.word(flush::CYCLE) as u32,
    }
}

/// The pwq, its waits, its run times.
pub(super) fn histograms(slot: &Slot<'_>) -> (PwqId, Histogram, Histogram) {
    let one = |at: usize| {
        let words = &slot.second[at..at + DISTRIBUTION];
        Histogram::from_counts(&words[2..2 + BUCKETS], words[0], words[1])
    };
    (PwqId(slot.id()), one(histogram::WAIT), one(histogram::RUN))
}

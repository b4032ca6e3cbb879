//! Columns of workqueues.

use super::{Cell, Column, always, columns, is_amount, reason};
use crate::model::rows::Workqueue;
use crate::stats::Counter;

fn counted(wq: &Workqueue, counter: Counter) -> Cell {
    Cell::Count(wq.counter(counter))
}

/// The kernel's `INT_MAX`, which stands for no limit.
const NO_LIMIT: u32 = i32::MAX as u32;

/// Columns of workqueues; those in JSON stand in the order of the JSON keys.
pub const WORKQUEUES: &[Column<Workqueue>] = columns! {
    json "id" "id" "id" 4
        "Identity of the workqueue; names may repeat.",
        always, |w| Cell::Number(w.id.0.into());
    json "name" "workqueue" "" 16
        "Name of the workqueue.",
        always, |w| Cell::Text(w.name.clone());
    json "unbound" "unbound" "" 7
        "Whether unbound pools serve it.",
        always, |w| Cell::Flag(w.unbound());
    json "mem_reclaim" "reclaim" "" 7
        "Whether it has a rescuer.",
        always, |w| Cell::Flag(w.mem_reclaim());
    json "started" "total" "items" 6
        Counter::Started.help(),
        always, |w| counted(w, Counter::Started);
    json "completed" "done" "items" 6
        Counter::Completed.help(),
        always, |w| counted(w, Counter::Completed);
    json "cpu_time" "CPUtime" "us" 7
        Counter::CpuTime.help(),
        always, |w| Cell::Us(w.counter(Counter::CpuTime) / 1_000);
    json "cpu_intensive" "CPUitsv" "items" 7
        Counter::CpuIntensive.help(),
        |w| !w.unbound(), |w| counted(w, Counter::CpuIntensive);
    json "cm_wakeup" "CMW" "wakes" 6
        Counter::CmWakeup.help(),
        |w| !w.unbound(), |w| counted(w, Counter::CmWakeup);
    json "repatriated" "RPR" "wakes" 6
        Counter::Repatriated.help(),
        Workqueue::unbound, |w| counted(w, Counter::Repatriated);
    json "mayday" "mayday" "calls" 6
        Counter::Mayday.help(),
        Workqueue::mem_reclaim, |w| counted(w, Counter::Mayday);
    json "rescued" "rescued" "items" 7
        Counter::Rescued.help(),
        Workqueue::mem_reclaim, |w| counted(w, Counter::Rescued);
    json "queued" "queued" "items" 6
        Counter::Queued.help(),
        always, |w| counted(w, Counter::Queued);
    json "cancelled" "cancel" "items" 6
        Counter::Cancelled.help(),
        always, |w| counted(w, Counter::Cancelled);
    json "refused" "refused" "calls" 7
        "Queueing calls that found the item already pending, or disabled.",
        always, |w| Cell::Count(w.refused());
    json "dropped" "drop" "items" 6
        crate::WqCounter::Dropped.help(),
        always, |w| Cell::Count(w.dropped());
    json "pending" "pend" "items" 6
        "Items on worklists that no worker has taken.",
        always, |w| Cell::Count(w.pending);
    json "inactive" "inact" "items" 6
        "Items held back on inactive lists: by max_active, order or freezing.",
        always, |w| Cell::Count(w.inactive);
    json "running" "infl" "items" 6
        "Items executing now, asleep in their function or not.",
        always, |w| Cell::Count(w.running);
    shown "type" "type" "" 9
        "How it is served: percpu, unbound (with S: strictly in its pods), ordered, bh.",
        always, |w| Cell::Text(w.kind().to_owned());
    shown "max_active" "max" "items" 5
        "max_active: limit of items that are active at once, per CPU when bound; - of bh ones, which have none.",
        |w| w.max_active < NO_LIMIT, |w| Cell::Number(w.max_active.into()), largest |w| Cell::Number(w.max_active.into());
    shown "queued_per_s" "queued/s" "items/s" 8
        "Items queued per second.",
        always, |w| Cell::Rate(w.rates.queued);
    shown "started_per_s" "start/s" "items/s" 7
        "Executions begun per second.",
        always, |w| Cell::Rate(w.rates.started);
    shown "cpu_share" "cpu%" "%" 5
        "CPU time of the executions that ended in the last round, as a share of one CPU.",
        always, |w| Cell::Share(w.rates.cpu);
    shown "wait_p50" "wait p50" "ns" 8
        "Half of the items waited no longer than this from queue_work to execute_start, since the start.",
        |w| w.wait.count > 0, |w| Cell::Ns(w.wait.p50);
    shown "wait_p99" "wait p99" "ns" 8
        "99 of 100 items waited no longer than this.",
        |w| w.wait.count > 0, |w| Cell::Ns(w.wait.p99);
    shown "wait_sum" "wait sum" "ns" 8
        "Sum of the waits of all started items.",
        always, |w| Cell::Ns(w.wait.sum);
    shown "run_p50" "run p50" "ns" 8
        "Half of the executions took no longer than this, wall time.",
        |w| w.run.count > 0, |w| Cell::Ns(w.run.p50);
    shown "run_p99" "run p99" "ns" 8
        "99 of 100 executions took no longer than this.",
        |w| w.run.count > 0, |w| Cell::Ns(w.run.p99);
    shown "reason" "waits for" "" 27
        "What explains most of the wait so far, and how much of it; sorts by the sum of the waits.",
        |w| w.wait.sum > 0, |w| reason(&w.breakdown), largest |w| Cell::Ns(w.wait.sum);
    shown "activity" "activity" "" 8
        "Executions begun per second, newest on the right; sorts by executions so far.",
        always, |w| Cell::Rate(w.rates.started), largest |w| counted(w, Counter::Started);
};

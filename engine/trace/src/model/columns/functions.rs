//! Columns of functions.

use super::{Cell, Column, always, columns, is_amount, reason};
use crate::model::rows::Function;
use crate::stats::Counter;

/// Columns of functions; those in JSON stand in the order of the JSON keys.
pub const FUNCTIONS: &[Column<Function>] = columns! {
    json "name" "function" "" 24
        "Name of the work function.",
        always, |f| Cell::Text(f.name.clone());
    json "queued" "queued" "items" 6
        Counter::Queued.help(),
        always, |f| Cell::Count(f.queued);
    json "started" "total" "items" 6
        Counter::Started.help(),
        always, |f| Cell::Count(f.started);
    json "completed" "done" "items" 6
        Counter::Completed.help(),
        always, |f| Cell::Count(f.completed);
    json "pending" "pend" "items" 6
        "Items on worklists that no worker has taken.",
        always, |f| Cell::Count(f.pending);
    json "inactive" "inact" "items" 6
        "Items held back on inactive lists.",
        always, |f| Cell::Count(f.inactive);
    json "running" "infl" "items" 6
        "Items executing now.",
        always, |f| Cell::Count(f.running);
    json "armed" "armed" "timers" 6
        "Timers armed for items of this function.",
        always, |f| Cell::Count(f.armed.into());
    json "run_ns" "run sum" "ns" 8
        "Wall time of the ended executions.",
        always, |f| Cell::Ns(f.run_ns);
    json "cpu_ns" "cpu sum" "ns" 8
        "CPU time of the ended executions.",
        always, |f| Cell::Ns(f.cpu_ns);
    json "run_max_ns" "run max" "ns" 8
        "Longest execution.",
        always, |f| Cell::Ns(f.run_max_ns);
    json "wait_ns" "wait sum" "ns" 8
        "Sum of the waits of all started items.",
        always, |f| Cell::Ns(f.wait_ns());
    shown "queued_per_s" "queued/s" "items/s" 8
        "Items queued per second.",
        always, |f| Cell::Rate(f.rates.queued);
    shown "started_per_s" "start/s" "items/s" 7
        "Executions begun per second.",
        always, |f| Cell::Rate(f.rates.started);
    shown "cpu_share" "cpu%" "%" 5
        "CPU time of the executions that ended in the last round, as a share of one CPU.",
        always, |f| Cell::Share(f.rates.cpu);
    shown "run_mean" "run mean" "ns" 8
        "Mean of the executions, wall time.",
        |f| f.completed > 0, |f| Cell::Ns(f.run_ns.checked_div(f.completed).unwrap_or(0));
    shown "reason" "waits for" "" 27
        "What explains most of the wait so far, and how much of it; sorts by the sum of the waits.",
        |f| f.wait_ns() > 0, |f| reason(&f.breakdown), largest |f| Cell::Ns(f.wait_ns());
};

//! Columns of pools.

use super::{Cell, Column, always, columns, is_amount, reason};
use crate::model::rows::{Pool, sum};
use crate::stats::Counter;

/// A column of what only the normal and highpri pools of a CPU have.
fn has_canary(pool: &Pool) -> bool {
    pool.row.is_percpu()
}

/// CPUs first, the highpri pool of each behind its normal one; unbound pools last.
fn serves(pool: &Pool) -> i64 {
    let highpri = i64::from(pool.row.nice < 0);
    pool.row
        .cpu
        .map_or(i64::MAX, |cpu| 2 * i64::from(cpu) + highpri)
}

fn load(pool: &Pool) -> u64 {
    u64::from(pool.busy) + u64::from(pool.row.nr_pending)
}

/// Columns of pools; those in JSON stand in the order of the JSON keys.
pub const POOLS: &[Column<Pool>] = columns! {
    json "id" "pool" "id" 4
        "Number of the pool: of CPU c 4c bh, 4c+1 bh-hi, 4c+2 normal, 4c+3 highpri; unbound ones after all those.",
        always, |p| Cell::Number(p.row.number.into());
    json "cpu" "cpu" "cpu" 4
        "CPU that the pool belongs to.",
        always, |p| p.row.cpu.map_or(Cell::None, |cpu| Cell::Number(cpu.into()));
    shown "kind" "serves" "" 14
        "A CPU, or (unbound) whichever CPU is free.",
        always, |p| Cell::Text(p.kind()), smallest |p| Cell::Number(serves(p));
    json "nice" "nice" "nice" 4
        "Nice level that its workers ask for; ! behind it says that the system did not permit it.",
        always, |p| Cell::Number(p.row.nice.into());
    json "nice_granted" "granted" "" 7
        "Whether every worker got that nice level.",
        |p| p.row.nice != 0, |p| Cell::Flag(p.row.nice_granted);
    json "nr_running" "run" "workers" 4
        "Concurrency level (nr_running): workers that run a managed item and are not known to sleep.",
        always, |p| Cell::Count(p.row.nr_running.into());
    json "workers" "workers" "workers" 7
        "All workers of the pool.",
        always, |p| Cell::Count(p.row.nr_workers.into());
    json "idle" "idle" "workers" 4
        "Idle workers.",
        always, |p| Cell::Count(p.row.nr_idle.into());
    json "busy" "busy" "workers" 4
        "Workers that execute an item, sleeping or not.",
        always, |p| Cell::Count(p.busy.into());
    json "sleeping" "sleep" "workers" 5
        "Workers known to sleep in their item.",
        always, |p| Cell::Count(p.sleeping.into());
    json "pending" "pend" "items" 6
        "Backlog: items on the worklist that no worker has taken.",
        always, |p| Cell::Count(p.row.nr_pending.into());
    json "inactive" "inact" "items" 6
        "Items for this pool held back on inactive lists: by max_active, order or freezing.",
        always, |p| Cell::Count(p.inactive);
    json "started" "total" "items" 6
        Counter::Started.help(),
        always, |p| Cell::Count(p.counters[Counter::Started as usize]);
    json "completed" "done" "items" 6
        Counter::Completed.help(),
        always, |p| Cell::Count(p.counters[Counter::Completed as usize]);
    json "max_workers" "max wrk" "workers" 7
        "Most workers that there were at once.",
        always, |p| Cell::Count(p.row.max_workers.into());
    json "max_nr_running" "max run" "workers" 7
        "Highest concurrency level that there was.",
        always, |p| Cell::Count(p.row.max_nr_running.into());
    json "cm_wakeups" "CM wakes" "wakes" 8
        "Workers woken because another one blocked.",
        always, |p| Cell::Count(p.row.cm_wakeups);
    json "canary_armed" "armed" "" 5
        "Whether its canary is armed: items wait behind a worker that runs.",
        has_canary, |p| Cell::Flag(p.row.canary.armed);
    json "canary_armings" "armings" "times" 7
        "How often its canary was armed.",
        has_canary, |p| Cell::Count(p.row.canary.armings);
    json "canary_decisions" "decided" "times" 7
        "How often its canary found the running workers blocked, and had another one woken.",
        has_canary, |p| Cell::Count(p.row.canary.decisions);
    json "canary_false_decisions" "false" "times" 5
        "How many of those decisions were wrong: the worker had only been preempted.",
        has_canary, |p| Cell::Count(p.row.canary.false_decisions);
    json "canary_unwatched" "unwatched" "workers" 9
        "Workers without a descriptor of their own, which no canary can look at: left to the tick.",
        has_canary, |p| Cell::Count(p.row.canary.unwatched.into());
    shown "started_per_s" "start/s" "items/s" 7
        "Executions begun per second.",
        always, |p| Cell::Rate(p.rates.started);
    shown "wakeups_per_s" "CMW/s" "wakes/s" 6
        "Workers woken per second because another one blocked.",
        always, |p| Cell::Rate(p.wakeups_per_s);
    shown "reason" "waits for" "" 27
        "What explains most of the wait so far, and how much of it; sorts by the sum of the waits.",
        |p| sum(&p.breakdown) > 0, |p| reason(&p.breakdown), largest |p| Cell::Ns(sum(&p.breakdown));
    shown "level" "concurrency  │backlog" "" 22
        "One cell a worker (or their share): those that count as running; busy ones that do not (asleep, CPU-intensive, \
            between items); idle ones; then the backlog, a cell each time it doubles; sorts by busy workers and backlog.",
        always, |p| Cell::Count(load(p)), largest |p| Cell::Count(load(p));
    shown "manager" "manager" "" 12
        "The worker that creates workers at this moment.",
        |p| !p.manager.is_empty(), |p| Cell::Text(p.manager.clone());
    shown "rescuer" "rescuer" "" 12
        "The rescuer that executes items of this pool at this moment, because no worker could be created.",
        |p| !p.rescuer.is_empty(), |p| Cell::Text(p.rescuer.clone());
    shown "progress_ns" "progress" "ns" 9
        "How long ago the pool last made progress; red while items wait and nothing moved for 10 s.",
        |p| p.row.last_progress > 0, |p| Cell::Ns(p.progress_ns);
    shown "history" "activity" "" 8
        "Workers that execute something, newest on the right; sorts by executions so far.",
        always, |p| Cell::Count(p.busy.into()), largest |p| Cell::Count(p.counters[Counter::Started as usize]);
};

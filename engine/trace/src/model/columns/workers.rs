//! Columns of workers.

use super::{Cell, Column, always, columns, is_amount};
use crate::model::workers::Worker;

/// Columns of workers.
pub const WORKERS: &[Column<Worker>] = columns! {
    shown "name" "worker" "" 27
        "Its kworker name: CPU or u-pool, number, H for highpri; +workqueue while it executes, -workqueue of its last item; \
            sorts by pool and number.",
        always, |w| Cell::Text(w.row.full_name()), smallest |w| Cell::Number(w.place());
    shown "tid" "tid" "id" 8
        "OS thread id.",
        |w| w.row.tid != 0, |w| Cell::Number(w.row.tid.into());
    shown "pool" "pool" "id" 5
        "Number of its pool.",
        |w| w.pool.is_some(), |w| w.pool.map_or(Cell::None, |pool| Cell::Number(pool.into()));
    shown "state" "state" "" 9
        "running, sleeping (noticed to block inside its item), busy (between items), managing (creates workers), idle; \
            sorts the working ones first.",
        always, |w| Cell::Text(w.row.state.word().to_owned()), smallest |w| Cell::Number(w.state_rank());
    shown "for_ns" "for" "ns" 9
        "How long it has been in that state.",
        always, |w| Cell::Ns(w.for_ns);
    shown "cpu_share" "cpu%" "%" 5
        "CPU time of its thread between the last two looks at it, as a share of one CPU; - of recordings and engines that are gone.",
        |w| w.cpu_share.is_some(), |w| Cell::Share(w.cpu_share.unwrap_or_default());
    shown "asleep_in" "sleeping in" "" 18
        "The function of the kernel in which its thread sleeps at this moment, or the number of the system call; - of idle ones.",
        |w| !w.asleep_in.is_empty(), |w| Cell::Text(w.asleep_in.clone());
    shown "function" "function" "" 16
        "The function it executes.",
        |w| w.row.func.is_some(), |w| Cell::Text(w.function.clone());
    shown "workqueue" "workqueue" "" 12
        "That item's workqueue.",
        |w| w.row.wq.is_some(), |w| Cell::Text(w.workqueue.clone());
    shown "item_ns" "item for" "ns" 9
        "How long the item that it executes has been running.",
        |w| w.item_ns.is_some(), |w| w.item_ns.map_or(Cell::None, Cell::Ns);
    shown "executed" "executed" "items" 9
        "Items it has executed.",
        always, |w| Cell::Count(w.row.executed);
    shown "kind" "kind" "" 7
        "normal, rescuer (a workqueue's own, called when no worker can be created) or bh.",
        always, |w| Cell::Text(w.row.kind.word().to_owned());
};

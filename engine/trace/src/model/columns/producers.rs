//! Columns of producers.

use super::{Cell, Column, always, columns, is_amount};
use crate::model::producers::ProducerRow;

/// Columns of producers: one source that queues one function on one workqueue.
pub const PRODUCERS: &[Column<ProducerRow>] = columns! {
    shown "producer" "producer" "" 20
        "Who queues: a thread's name and id, or the work function that queues while it runs.",
        always, |p| Cell::Text(p.producer.clone());
    shown "via" "via" "" 6
        "How: thread (no worker), work (from another work function), itself (the function queues itself again).",
        always, |p| Cell::Text(p.via().to_owned());
    shown "function" "function" "" 20
        "The function that is queued.",
        always, |p| Cell::Text(p.function.clone());
    shown "workqueue" "workqueue" "" 12
        "Where it is queued.",
        always, |p| Cell::Text(p.workqueue.clone());
    shown "queued_per_s" "queued/s" "items/s" 9
        "Items queued per second, over the last 8 seconds; sorts by that and then by items so far.",
        always, |p| Cell::Rate(p.per_s);
    shown "share" "share" "%" 6
        "Its part of all queueing now.",
        always, |p| Cell::Share(p.share);
    shown "count" "total" "items" 6
        "Items queued, as far as the events were seen.",
        always, |p| Cell::Count(p.count);
    shown "last_ns" "ago" "ns" 8
        "How long ago it queued last.",
        always, |p| Cell::Ns(p.last_ns), smallest |p| Cell::Ns(p.last_ns);
    shown "trend" "last 8 s" "" 8
        "Items queued in each of the last 8 seconds, newest on the right; sorts by items so far.",
        always, |p| Cell::Count(p.count), largest |p| Cell::Count(p.count);
};

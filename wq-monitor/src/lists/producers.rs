//! The list of producers: who queues what from where, and how much of it.

use super::{Identity, Layout, Look, Looks, Pick, Place};
use crate::details::Subject;
use crate::paint::bars;
use crate::paint::style::Role;
use ratatui::text::Line;
use wq_trace::model::ProducerRow;
use wq_trace::model::columns;
use wq_trace::warn::SELF_REQUEUE_PER_S;

/// How the columns of a producer look.
const LOOKS: Looks<ProducerRow> = &[
    ("producer", Look::By(hot)),
    ("via", Look::By(via)),
    ("queued_per_s", Look::By(hot)),
    ("share", Look::By(hot)),
    ("last_ns", Look::Role(Role::Dim)),
    ("trend", Look::Picture(trend)),
];

/// The view of producers.
pub const PRODUCERS: Layout<ProducerRow> = Layout {
    table: columns::PRODUCERS,
    looks: LOOKS,
    picks: &[
        Pick::new("producer", 0).growing(),
        Pick::new("via", 3),
        Pick::new("function", 1).growing(),
        Pick::new("workqueue", 2).growing(),
        Pick::new("queued_per_s", 0),
        Pick::new("share", 0),
        Pick::new("count", 5),
        Pick::new("last_ns", 6),
        Pick::new("trend", 4),
    ],
    sort: "queued_per_s",
    empty: "no item was seen being queued",
    rows: |model, filter| filter.rows(model, model.producer_rows()),
    identity,
};

/// One function may be queued by many, and on several workqueues.
fn identity(producer: &ProducerRow) -> Identity {
    Identity {
        subject: Subject::Function(producer.func),
        queued: Some((producer.source, producer.wq)),
    }
}

/// Whether it queues so much that little else is queued: at least half of everything, at the rate of the warning.
pub fn is_storm(producer: &ProducerRow) -> bool {
    producer.per_s >= SELF_REQUEUE_PER_S as f64 && producer.share >= 0.5
}

fn hot(producer: &ProducerRow, _: Place<'_>) -> Role {
    match (is_storm(producer), producer.via()) {
        (true, "itself") => Role::Bad,
        (true, _) => Role::Warn,
        _ if producer.per_s < 0.05 => Role::Dim,
        _ => Role::Plain,
    }
}

/// A function that queues itself again without a pause is the usual storm.
fn via(producer: &ProducerRow, place: Place<'_>) -> Role {
    match producer.via() {
        "itself" if !is_storm(producer) => Role::Warn,
        "itself" => hot(producer, place),
        _ => Role::Dim,
    }
}

fn trend(producer: &ProducerRow, place: Place<'_>) -> Line<'static> {
    let seconds: Vec<f64> = producer.seconds.iter().copied().map(f64::from).collect();
    let line = bars::sparkline(&seconds, place.width.into());
    Line::styled(line, place.palette.of(hot(producer, place)))
}

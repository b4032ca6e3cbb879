//! A cycle in words.

use super::{NodeIx, Why};

/// What a work function is at when it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Flushes an item.
    Flush,
    /// Has cancelled an item and waits for its execution.
    CancelSync,
    /// Flushes, drains or destroys a workqueue.
    FlushWorkqueue,
}

/// The cycle as a sentence: who waits for whom, back to the first. `name` says who a node is, `deed` what a wait is
/// and, for a workqueue, its name.
pub(crate) fn tell<'a>(
    cycle: &[(NodeIx, Why)],
    name: impl Fn(NodeIx) -> String,
    deed: impl Fn(usize) -> (Deed, &'a str),
) -> String {
    let mut text = cycle
        .first()
        .map_or_else(String::new, |&(first, _)| name(first));
    for (at, &(_, why)) in cycle.iter().enumerate() {
        let (next, _) = cycle[(at + 1) % cycle.len()];
        let next = name(next);
        let clause = match why {
            Why::Waits(wait) => match deed(wait) {
                (Deed::Flush, _) => format!("flushes {next}"),
                (Deed::CancelSync, _) => format!("waits for the end of {next}"),
                (Deed::FlushWorkqueue, wq) => format!("flushes workqueue {wq} with {next}"),
            },
            Why::Behind => format!("waits for its own execution {next}"),
            Why::Slot => format!("waits for the slot of {next}"),
        };
        text.push_str(if at == 0 { " " } else { ", which " });
        text.push_str(&clause);
    }
    text
}

//! What comes in while the picture is held: kept to be caught up with, within bounds, and counted at once.

use crate::source::Update;
use std::collections::VecDeque;
use wq_trace::model::Model;
use wq_trace::{Event, Snapshot};

/// Snapshots kept; with more, history gets a gap.
const SNAPSHOTS: usize = 120;
/// Events kept; with more, the oldest ones' producers are not counted.
const EVENTS: usize = 1 << 19;
/// Events older than this do not change any rate when the picture goes on, in nanoseconds.
const STALE_NS: u64 = 10_000_000_000;

/// Data that have not been taken into the model yet.
#[derive(Debug, Default)]
pub struct Held {
    snapshots: VecDeque<Snapshot>,
    events: VecDeque<Event>,
    /// Events lost meanwhile.
    pub lost: u64,
    /// Events written per second, by the last two snapshots.
    pub events_per_s: f64,
}

impl Held {
    /// Keeps what came. `before` is the snapshot that the picture shows.
    pub fn keep(&mut self, update: Update, before: Option<&Snapshot>) {
        self.lost = self.lost.saturating_add(update.lost);
        self.events.extend(update.events);
        if let Some(snapshot) = update.snapshot {
            if let Some(last) = self.snapshots.back().or(before) {
                self.events_per_s = events_per_s(last, &snapshot);
            }
            if self.snapshots.len() == SNAPSHOTS {
                self.snapshots.pop_front();
            }
            let stale = snapshot.at.saturating_sub(STALE_NS);
            while self.events.front().is_some_and(|event| event.at < stale) {
                self.events.pop_front();
            }
            self.snapshots.push_back(snapshot);
        }
        let excess = self.events.len().saturating_sub(EVENTS);
        self.events.drain(..excess);
    }

    /// The latest snapshot.
    pub fn latest(&self) -> Option<&Snapshot> {
        self.snapshots.back()
    }

    /// Takes everything into the model, in the order in which it came; `look` sees it after each state.
    pub fn release(self, model: &mut Model, mut look: impl FnMut(&Model)) {
        let mut events = self.events.iter().peekable();
        for snapshot in &self.snapshots {
            while let Some(event) = events.next_if(|event| event.at <= snapshot.at) {
                model.apply_event(event);
            }
            model.apply_snapshot(snapshot);
            look(model);
        }
        events.for_each(|event| model.apply_event(event));
        model.apply_lost(self.lost);
    }
}

/// Events written per second between two snapshots.
fn events_per_s(from: &Snapshot, to: &Snapshot) -> f64 {
    let written = |snapshot: &Snapshot| -> u64 {
        let rings = snapshot.rings.iter().map(|ring| ring.written);
        rings.fold(snapshot.lost_no_ring, u64::saturating_add)
    };
    let ns = to.at.saturating_sub(from.at).max(1);
    written(to).saturating_sub(written(from)) as f64 * 1e9 / ns as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use wq_trace::model::Limits;
    use wq_trace::{FuncId, PoolId, RingRow, What, WorkerId, WqId};

    fn event(at: u64) -> Event {
        Event {
            at,
            cpu: 0,
            tid: 7,
            wq: WqId(1),
            pool: PoolId(1),
            worker: WorkerId::NONE,
            func: FuncId(2),
            from: FuncId::NONE,
            work: 1,
            what: What::QueueWork { req_cpu: 0, cpu: 0 },
        }
    }

    fn snapshot(at: u64, written: u64) -> Snapshot {
        let ring = RingRow {
            written,
            ..RingRow::default()
        };
        Snapshot {
            at,
            rings: vec![ring],
            ..Snapshot::default()
        }
    }

    fn update(at: u64, written: u64) -> Update {
        Update {
            snapshot: Some(snapshot(at, written)),
            events: vec![event(at)],
            lost: 1,
            ..Update::default()
        }
    }

    #[test]
    fn a_released_model_is_as_if_it_had_never_been_held() {
        const S: u64 = 1_000_000_000;
        let (mut held, mut late, mut direct) = (
            Held::default(),
            Model::new(Limits::default()),
            Model::new(Limits::default()),
        );
        for n in 1..5 {
            held.keep(update(n * S, n * 10), None);
            direct.apply_event(&event(n * S));
            direct.apply_lost(1);
            direct.apply_snapshot(&snapshot(n * S, n * 10));
        }
        assert_eq!((held.lost, held.events_per_s), (4, 10.0));
        let mut looks = 0;
        held.release(&mut late, |_| looks += 1);
        assert_eq!(looks, 4);
        assert_eq!(
            (late.at(), late.events_seen(), late.lost_events()),
            (4 * S, 4, 4)
        );
        assert_eq!(late.history().len(), direct.history().len());
        let rate = |model: &Model| model.producers()[0].1;
        assert!(rate(&late) > 0.0 && rate(&late) == rate(&direct));
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_newest() {
        let mut held = Held::default();
        for n in 0..2 * SNAPSHOTS as u64 {
            held.keep(update(n, n), None);
        }
        assert_eq!(held.snapshots.len(), SNAPSHOTS);
        let flood = Update {
            events: vec![event(9); EVENTS],
            ..Update::default()
        };
        held.keep(flood, None);
        held.keep(update(5 * STALE_NS, 0), None);
        assert_eq!(held.latest().map(|s| s.at), Some(5 * STALE_NS));
        assert_eq!(held.events.len(), 1);
    }
}

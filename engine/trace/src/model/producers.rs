//! Who queues what where: folded from the queue_work events.

use crate::event::{Event, What};
use crate::ids::{FuncId, WqId};
use crate::names::Names;
use std::collections::HashMap;

/// Length of one slice of the sliding window, in nanoseconds.
const SLICE_NS: u64 = 1_000_000_000;
/// Slices of the window, the one that is being filled not counted.
const SLICES: u64 = 8;
/// A producer that has been silent for this long makes room when room is short, in nanoseconds.
const STALE_NS: u64 = 60_000_000_000;

/// Who queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A work function, on whatever worker it ran.
    Function(FuncId),
    /// A thread that is no worker, by its OS id.
    Thread(u32),
}

/// A thread without an id.
impl Default for Source {
    fn default() -> Self {
        Self::Thread(0)
    }
}

impl Source {
    /// A function's name, or a thread's `comm-tid`.
    pub fn name(self, names: &Names) -> String {
        match self {
            Self::Function(id) => names.function(id).to_owned(),
            Self::Thread(tid) => format!("{}-{tid}", names.comm(tid)),
        }
    }
}

/// One source that queues one function on one workqueue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Producer {
    /// Who queues.
    pub source: Source,
    /// What is queued.
    pub func: FuncId,
    /// Where it is queued.
    pub wq: WqId,
    /// Items queued, as far as the events were seen.
    pub count: u64,
    /// When it queued last, in nanoseconds on the segment's clock.
    pub last_at: u64,
    /// Items per slice, at `slice % len`; with the slice in which the newest of them was.
    window: [u32; SLICES as usize + 1],
    newest: u64,
}

impl Producer {
    fn new(source: Source, event: &Event) -> Self {
        Self {
            source,
            func: event.func,
            wq: event.wq,
            count: 0,
            last_at: 0,
            window: [0; SLICES as usize + 1],
            newest: event.at / SLICE_NS,
        }
    }

    fn record(&mut self, at: u64) {
        self.count += 1;
        self.last_at = self.last_at.max(at);
        let slice = at / SLICE_NS;
        self.turn_to(slice);
        // Rings are read one after another: an event may belong to a slice before the newest.
        if slice + SLICES >= self.newest {
            let place = (slice % (SLICES + 1)) as usize;
            self.window[place] = self.window[place].saturating_add(1);
        }
    }

    /// Empties the slices that come into use when `slice` is the newest.
    fn turn_to(&mut self, slice: u64) {
        if slice <= self.newest {
            return;
        }
        let steps = (slice - self.newest).min(SLICES + 1);
        for step in 0..steps {
            self.window[((slice - step) % (SLICES + 1)) as usize] = 0;
        }
        self.newest = slice;
    }

    /// Items in each of the last 8 whole seconds before `now`, oldest first.
    fn seconds(&self, now: u64) -> Vec<u32> {
        let current = now / SLICE_NS;
        let seen = |slice: u64| slice <= self.newest && slice + SLICES >= self.newest;
        let items = |slice: u64| self.window[(slice % (SLICES + 1)) as usize];
        (current.saturating_sub(SLICES)..current)
            .map(|slice| if seen(slice) { items(slice) } else { 0 })
            .collect()
    }

    /// Items per second over the last 8 whole seconds before `now`, fewer if events are only seen since `first`.
    fn rate(&self, now: u64, first: u64) -> f64 {
        let current = now / SLICE_NS;
        let oldest = current.saturating_sub(SLICES).max(first / SLICE_NS);
        let seen = |slice: &u64| *slice <= self.newest && slice + SLICES >= self.newest;
        let items = |slice: u64| u64::from(self.window[(slice % (SLICES + 1)) as usize]);
        if oldest == current {
            // The first second: what there is, over the time that there was.
            let ns = now.saturating_sub(first).max(SLICE_NS / 10);
            return if seen(&current) {
                items(current) as f64 * 1e9 / ns as f64
            } else {
                0.0
            };
        }
        let sum: u64 = (oldest..current).filter(seen).map(items).sum();
        // The first slice may have been seen in part only.
        let from = (oldest * SLICE_NS).max(first);
        sum as f64 * 1e9 / (current * SLICE_NS - from).max(1) as f64
    }
}

/// A producer with its names and rates, as tables show it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProducerRow {
    /// Who queues.
    pub source: Source,
    /// What is queued.
    pub func: FuncId,
    /// Where it is queued.
    pub wq: WqId,
    /// The source's name: a function, or a thread's `comm-tid`.
    pub producer: String,
    /// The function's name.
    pub function: String,
    /// The workqueue's name.
    pub workqueue: String,
    /// Items per second over the last 8 whole seconds.
    pub per_s: f64,
    /// Its part of what all producers queue, 0 to 1.
    pub share: f64,
    /// Items queued, as far as the events were seen.
    pub count: u64,
    /// How long ago it queued last, in nanoseconds.
    pub last_ns: u64,
    /// Items in each of the last 8 whole seconds, oldest first.
    pub seconds: Vec<u32>,
}

impl ProducerRow {
    /// How it queues: `thread`, `work` (another work function), `itself`.
    pub fn via(&self) -> &'static str {
        match self.source {
            Source::Thread(_) => "thread",
            Source::Function(func) if func == self.func => "itself",
            Source::Function(_) => "work",
        }
    }
}

/// All producers, at most so many.
#[derive(Clone, Debug)]
pub(super) struct Producers {
    by_key: HashMap<(Source, FuncId, WqId), Producer>,
    limit: usize,
    /// Items whose producer found no room.
    pub other: u64,
    /// Stamps of the oldest and the newest event.
    first: Option<u64>,
    newest: u64,
}

impl Producers {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            by_key: HashMap::new(),
            limit,
            other: 0,
            first: None,
            newest: 0,
        }
    }

    /// Takes an event in; only queue_work tells of producers.
    pub(super) fn apply(&mut self, event: &Event) {
        self.newest = self.newest.max(event.at);
        self.first = Some(self.first.map_or(event.at, |first| first.min(event.at)));
        if !matches!(event.what, What::QueueWork { .. }) {
            return;
        }
        let source = if event.from.is_some() {
            Source::Function(event.from)
        } else {
            Source::Thread(event.tid)
        };
        let key = (source, event.func, event.wq);
        if self.by_key.len() >= self.limit && !self.by_key.contains_key(&key) {
            self.other += 1;
            return;
        }
        let producer = self.by_key.entry(key);
        producer
            .or_insert_with(|| Producer::new(source, event))
            .record(event.at);
    }

    /// Makes room when room gets short: those go that have been silent for a minute.
    pub(super) fn prune(&mut self) {
        if self.by_key.len() * 4 > self.limit * 3 {
            let newest = self.newest;
            self.by_key
                .retain(|_, p| p.last_at.saturating_add(STALE_NS) >= newest);
        }
    }

    /// The producers with their items per second, those that queue most first.
    pub(super) fn rated(&self, now: u64) -> Vec<(&Producer, f64)> {
        let all = self.by_key.values();
        let mut rated: Vec<_> = all.map(|p| (p, self.rate(p, now))).collect();
        let key = |p: &Producer| (std::cmp::Reverse(p.count), p.source, p.func, p.wq);
        rated.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| key(a).cmp(&key(b))));
        rated
    }

    /// The same as rows.
    pub(super) fn rows(&self, names: &Names, now: u64) -> Vec<ProducerRow> {
        let now = now.max(self.newest);
        let rated = self.rated(now);
        let all: f64 = rated.iter().map(|(_, rate)| rate).sum();
        let row = |(p, per_s): (&Producer, f64)| ProducerRow {
            source: p.source,
            func: p.func,
            wq: p.wq,
            producer: p.source.name(names),
            function: names.function(p.func).to_owned(),
            workqueue: names.workqueue(p.wq).to_owned(),
            per_s,
            share: if all > 0.0 { per_s / all } else { 0.0 },
            count: p.count,
            last_ns: now.saturating_sub(p.last_at),
            seconds: p.seconds(now),
        };
        rated.into_iter().map(row).collect()
    }

    pub(super) fn rate(&self, producer: &Producer, now: u64) -> f64 {
        producer.rate(now.max(self.newest), self.first.unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::REQ_CPU_LOCAL;
    use crate::fixture;

    const S: u64 = 1_000_000_000;

    fn queued(at: u64, tid: u32, from: u32) -> Event {
        Event {
            at,
            tid,
            from: FuncId(from),
            ..fixture::event(What::QueueWork {
                req_cpu: REQ_CPU_LOCAL,
                cpu: 0,
            })
        }
    }

    fn only(producers: &Producers) -> &Producer {
        assert_eq!(producers.by_key.len(), 1);
        producers.by_key.values().next().expect("there is one")
    }

    #[test]
    fn a_steady_producer_has_a_steady_rate() {
        let mut producers = Producers::new(10);
        for n in 0..200 {
            producers.apply(&queued(100 * S + n * S / 10, 7, 0));
        }
        let producer = only(&producers);
        assert_eq!((producer.source, producer.count), (Source::Thread(7), 200));
        assert_eq!(producers.rate(producer, 120 * S), 10.0);
    }

    #[test]
    fn a_burst_is_forgotten_after_the_window() {
        let mut producers = Producers::new(10);
        for _ in 0..80 {
            producers.apply(&queued(10 * S, 7, 0));
        }
        let producer = only(&producers);
        assert_eq!(producers.rate(producer, 18 * S), 10.0);
        assert_eq!(producers.rate(producer, 19 * S), 0.0);
        assert_eq!(producers.rate(producer, 1_000 * S), 0.0);
    }

    #[test]
    fn rows_have_shares_that_sum_up_and_the_seconds_of_each() {
        let mut producers = Producers::new(10);
        for n in 0..30 {
            producers.apply(&queued(100 * S + n * S / 10, 7, 0));
        }
        for n in 0..10 {
            producers.apply(&queued(100 * S + n * S / 10, 9, 77));
        }
        let rows = producers.rows(&Names::default(), 103 * S);
        let queued = fixture::event(What::Panic).func;
        assert_eq!(rows[0].producer, "unknown-7");
        assert_eq!((rows[0].via(), rows[0].count), ("thread", 30));
        assert_eq!(rows[0].seconds, [0, 0, 0, 0, 0, 10, 10, 10]);
        assert_eq!(rows[1].seconds, [0, 0, 0, 0, 0, 10, 0, 0]);
        assert_eq!(rows[1].last_ns, 2 * S + S / 10);
        let itself = ProducerRow {
            source: Source::Function(queued),
            ..rows[1].clone()
        };
        assert_eq!((rows[1].via(), itself.via()), ("work", "itself"));
        assert!((rows[0].share - 0.75).abs() < 1e-9);
        assert!((rows.iter().map(|row| row.share).sum::<f64>() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_order_between_rings_does_not_matter() {
        let stamps: Vec<u64> = (0..60).map(|n| 50 * S + n * S / 10).collect();
        let (mut forward, mut backward) = (Producers::new(10), Producers::new(10));
        for at in &stamps {
            forward.apply(&queued(*at, 7, 0));
        }
        for at in stamps.iter().rev() {
            backward.apply(&queued(*at, 7, 0));
        }
        assert_eq!(only(&forward), only(&backward));
        let rate = |p: &Producers| p.rate(only(p), 56 * S);
        assert_eq!(rate(&forward), rate(&backward));
        assert_eq!(rate(&forward), 10.0);
    }

    #[test]
    fn a_work_function_is_one_producer_on_all_workers() {
        let mut producers = Producers::new(10);
        producers.apply(&queued(S, 1, 9));
        producers.apply(&queued(S, 2, 9));
        assert_eq!(only(&producers).source, Source::Function(FuncId(9)));
        assert_eq!(only(&producers).count, 2);
    }

    #[test]
    fn too_many_producers_are_counted_as_others_until_old_ones_go() {
        let mut producers = Producers::new(2);
        for tid in 1..=5 {
            producers.apply(&queued(S, tid, 0));
        }
        assert_eq!((producers.by_key.len(), producers.other), (2, 3));
        producers.prune();
        assert_eq!(producers.by_key.len(), 2);
        producers.apply(&queued(100 * S, 6, 0));
        producers.prune();
        assert_eq!(producers.by_key.len(), 0);
    }

    #[test]
    fn stamps_at_the_end_of_time_do_no_harm() {
        let mut producers = Producers::new(10);
        producers.apply(&queued(0, 1, 0));
        producers.apply(&queued(u64::MAX, 1, 0));
        producers.apply(&queued(1, 1, 0));
        assert_eq!(only(&producers).count, 3);
        assert!(producers.rate(only(&producers), u64::MAX) >= 0.0);
        assert!(producers.rate(only(&producers), 0) >= 0.0);
    }

    proptest::proptest! {
        #[test]
        fn any_order_tells_the_same(
            events in proptest::collection::vec((0..30 * S, 1..4u32, 0..3u32), 1..200),
            seed in 0..u64::MAX,
        ) {
            let mut shuffled = events.clone();
            let mut state = seed;
            for i in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(i, (state >> 33) as usize % (i + 1));
            }
            let fold = |events: &[(u64, u32, u32)]| {
                let mut producers = Producers::new(100);
                for &(at, tid, from) in events {
                    producers.apply(&queued(at, tid, from));
                }
                producers
            };
            let (a, b) = (fold(&events), fold(&shuffled));
            proptest::prop_assert_eq!(&a.by_key, &b.by_key);
            proptest::prop_assert_eq!((a.first, a.newest), (b.first, b.newest));
        }
    }
}

//! Rates, shares and room of producers.

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
    assert_eq!(producers.rate(&producer.window, 120 * S), 10.0);
}

#[test]
fn a_burst_is_forgotten_after_the_window() {
    let mut producers = Producers::new(10);
    for _ in 0..80 {
        producers.apply(&queued(10 * S, 7, 0));
    }
    let producer = only(&producers);
    assert_eq!(producers.rate(&producer.window, 18 * S), 10.0);
    assert_eq!(producers.rate(&producer.window, 19 * S), 0.0);
    assert_eq!(producers.rate(&producer.window, 1_000 * S), 0.0);
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
    let rate = |p: &Producers| p.rate(&only(p).window, 56 * S);
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
    assert!(
        producers
            .by_key
            .keys()
            .any(|key| key.0 == Source::Thread(5))
    );
    producers.prune();
    assert_eq!((producers.by_key.len(), producers.other), (1, 4));
    producers.apply(&queued(100 * S, 6, 0));
    producers.apply(&queued(100 * S, 6, 0));
    producers.prune();
    assert_eq!(only(&producers).source, Source::Thread(6));
    assert_eq!(producers.other, 4, "who is silent for long is forgotten");
}

#[test]
fn a_storm_finds_room_in_a_full_table() {
    let mut producers = Producers::new(1_024);
    // More threads than there is room for, each of which queues all the time, a few much.
    let second = |producers: &mut Producers, at: u64| {
        for tid in 1..=1_500u32 {
            let items = if tid <= 20 { 10 } else { 1 };
            (0..items).for_each(|_| producers.apply(&queued(at, tid, 0)));
        }
        (0..2_000).for_each(|_| producers.apply(&queued(at, 9_999, 0)));
        producers.prune();
        assert!(producers.by_key.len() <= 1_024);
    };
    (0..10).for_each(|s| second(&mut producers, (100 + s) * S));
    let rows = producers.rows(&Names::default(), 110 * S);
    assert_eq!(rows[0].source, Source::Thread(9_999));
    assert!((1..=20).all(|tid| rows.iter().any(|row| row.source == Source::Thread(tid))));
    let counted: u64 = rows.iter().map(|row| row.count).sum();
    assert_eq!(counted + producers.other, 10 * (1_480 + 200 + 2_000));
}

#[test]
fn shares_are_of_all_that_is_queued_also_of_what_has_no_row() {
    let mut producers = Producers::new(2);
    for tid in [1, 2, 3, 3] {
        producers.apply(&queued(100 * S, tid, 0));
    }
    let shares = |producers: &Producers| {
        let rows = producers.rows(&Names::default(), 101 * S);
        rows.iter().map(|row| row.share).collect::<Vec<_>>()
    };
    assert_eq!(shares(&producers), [0.5, 0.25]);
    producers.prune();
    assert_eq!(shares(&producers), [0.5], "what went was seen all the same");
}

#[test]
fn stamps_at_the_end_of_time_do_no_harm() {
    let mut producers = Producers::new(10);
    producers.apply(&queued(0, 1, 0));
    producers.apply(&queued(u64::MAX, 1, 0));
    producers.apply(&queued(1, 1, 0));
    assert_eq!(only(&producers).count, 3);
    assert!(producers.rate(&only(&producers).window, u64::MAX) >= 0.0);
    assert!(producers.rate(&only(&producers).window, 0) >= 0.0);
}

#[test]
fn a_stamp_from_the_far_future_is_forgotten_at_the_next_snapshot() {
    let mut producers = Producers::new(10);
    producers.apply(&queued(100 * S, 1, 0));
    producers.apply(&queued(u64::MAX, 1, 0));
    producers.at_snapshot(101 * S);
    for n in 0..100 {
        producers.apply(&queued(101 * S + n * S / 10, 1, 0));
        producers.apply(&queued(101 * S + n * S / 10, 2, 0));
    }
    producers.at_snapshot(111 * S);
    let rows = producers.rows(&Names::default(), 111 * S);
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter().all(|row| row.per_s == 10.0 && row.last_ns <= S),
        "{rows:?}"
    );
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

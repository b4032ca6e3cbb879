//! What is kept of the past, how much of it, and what a viewer sees who goes back.

use super::*;
use crate::event::{REQ_CPU_LOCAL, What};
use crate::fixture;
use proptest::prelude::*;

fn state(at: u64) -> Snapshot {
    let mut snapshot = fixture::snapshot();
    snapshot.at = at;
    // Started items grow by one each nanosecond of a second, so that rates are the same everywhere.
    for pwq in &mut snapshot.pwqs {
        pwq.counters = [at / 1_000_000; crate::Counter::COUNT];
    }
    snapshot
}

fn event(at: u64) -> Event {
    Event {
        at,
        ..fixture::event(What::QueueWork {
            req_cpu: REQ_CPU_LOCAL,
            cpu: 0,
        })
    }
}

fn stamps(past: &Past) -> Vec<u64> {
    past.states().map(|state| state.at / S).collect()
}

fn small() -> Keep {
    Keep {
        whole: 10 * S,
        coarse: 5 * S,
        oldest: 40 * S,
        ..Keep::default()
    }
}

#[test]
fn old_states_are_thinned_and_the_oldest_go() {
    let mut past = Past::new(small());
    for at in 100..=160 {
        past.snapshot(&state(at * S));
    }
    let whole: Vec<u64> = (150..=160).collect();
    assert_eq!(
        stamps(&past),
        [vec![120, 125, 130, 135, 140, 145], whole].concat()
    );
}

#[test]
fn an_hour_in_a_moment_stays_within_its_bounds() {
    let keep = Keep {
        events_for: 10 * S,
        ..Keep::default()
    };
    let mut past = Past::new(keep);
    for at in 1..=2 * 3_600 {
        (0..50).for_each(|n| past.event(&event(at * S - n)));
        past.snapshot(&state(at * S));
    }
    // 121 whole seconds, and of the hour's rest one in 5.
    assert_eq!(past.len(), 121 + (3_600 - 120) / 5);
    assert_eq!(past.states().next().map(|state| state.at / S), Some(3_600));
    assert!(past.bytes() <= keep.bytes && past.bytes() > 816 * size::of(&state(S)) / 2);
    assert_eq!(past.events().len(), 11 * 50);
}

#[test]
fn memory_and_number_are_bounded_whatever_comes() {
    let one = size::of(&state(S).clone());
    let keep = Keep {
        bytes: 10 * one,
        events: 100,
        ..Keep::default()
    };
    let mut past = Past::new(keep);
    for at in 1..=50 {
        past.snapshot(&state(at * S));
        (0..40).for_each(|n| past.event(&event(at * S + n)));
    }
    assert_eq!(
        (past.len(), past.bytes(), past.events().len()),
        (10, 10 * one, 100)
    );
    let mut few = Past::new(Keep {
        states: 3,
        bytes: 0,
        ..keep
    });
    (1..5).for_each(|at| few.snapshot(&state(at * S)));
    assert_eq!(stamps(&few), [4], "the newest stays");
}

#[test]
fn a_state_of_the_same_moment_takes_the_place_of_the_last() {
    let mut past = Past::new(Keep::default());
    past.snapshot(&state(5 * S));
    let mut again = state(5 * S);
    again.workqueues.clear();
    past.snapshot(&again);
    past.snapshot(&state(4 * S));
    assert_eq!(stamps(&past), [5]);
    assert!(past.states().next().expect("a state").workqueues.is_empty());
    assert_eq!(past.bytes(), size::of(&again.clone()));
}

#[test]
fn a_moment_that_is_gone_back_to_is_as_it_was() {
    let limits = Limits::default();
    let (mut past, mut live) = (Past::new(Keep::default()), Model::new(limits));
    let mut seen = Vec::new();
    for at in 100..106 {
        (0..at % 7).for_each(|n| {
            past.event(&event(at * S - n));
            live.apply_event(&event(at * S - n));
        });
        past.lost(2);
        live.apply_lost(2);
        past.snapshot(&state(at * S));
        live.apply_snapshot(&state(at * S));
        seen.push(said(&live));
    }
    let again: Vec<_> = (0..past.len())
        .map(|n| said(&past.at(n, limits).expect("a state")))
        .collect();
    assert_eq!(again, seen);
    assert!(past.at(past.len(), limits).is_none());
}

#[test]
fn an_event_from_the_far_future_destroys_nothing() {
    let mut past = Past::new(small());
    (100..110).for_each(|at| {
        (0..5).for_each(|n| past.event(&event(at * S + n)));
        past.snapshot(&state(at * S));
    });
    past.event(&event(u64::MAX));
    past.snapshot(&state(110 * S));
    assert_eq!((past.len(), past.events().len()), (11, 51));
    let model = past.at(10, Limits::default()).expect("a state");
    let row = &model.producer_rows()[0];
    assert_eq!((row.seconds.as_slice(), row.last_ns), (&[5; 8][..], S - 4));
}

#[test]
fn a_wrong_stamp_that_was_forgotten_says_nothing_of_when_events_are_missing() {
    let keep = Keep {
        events_for: 2 * S,
        ..small()
    };
    let mut past = Past::new(keep);
    past.snapshot(&state(100 * S));
    past.event(&event(u64::MAX));
    past.gap(3, Some(0), Some(u64::MAX));
    past.event(&event(101 * S));
    past.snapshot(&state(101 * S));
    // It is the oldest that came, and would keep all others from growing old.
    let before = past.before().expect("it went");
    assert_eq!((before.lost, before.until), (4, Some(106 * S)));
    assert_eq!(past.events().len(), 1);
}

/// All that the model says which a viewer could tell from another moment's.
fn said(model: &Model) -> String {
    let rates: Vec<_> = model.workqueues().iter().map(|wq| wq.rates).collect();
    let history: Vec<_> = model
        .history()
        .iter()
        .map(|point| (point.at, point.started_per_s))
        .collect();
    let producers: Vec<_> = model
        .producers()
        .iter()
        .map(|(p, rate)| (p.count, *rate))
        .collect();
    let each: Vec<_> = model
        .workqueues()
        .iter()
        .map(|wq| (wq.wait, wq.run, model.workqueue_history(wq.id)))
        .collect();
    let pools: Vec<_> = model
        .pools()
        .iter()
        .map(|pool| model.pool_history(pool.row.id))
        .collect();
    format!(
        "{} {rates:?} {history:?} {producers:?} {} {each:?} {pools:?} {:?}",
        model.at(),
        model.lost_events(),
        model.workers(),
    )
}

#[test]
fn going_back_and_forth() {
    let mut past = Past::new(small());
    let mut head = Playhead::default();
    head.step(&past, -1);
    assert_eq!((head.index(&past), head.is_at_end()), (None, true));
    (100..=120).for_each(|at| past.snapshot(&state(at * S)));
    let at = |head: &Playhead, past: &Past| stamps(past)[head.index(past).expect("a state")];
    assert_eq!(at(&head, &past), 120);
    head.step(&past, -1);
    assert_eq!((at(&head, &past), head.is_at_end()), (119, false));
    head.jump(&past, -1);
    assert_eq!(at(&head, &past), 105, "of what is old one in five is left");
    head.jump(&past, -9);
    assert_eq!(at(&head, &past), 100);
    head.step(&past, 3);
    assert_eq!(at(&head, &past), 111);
    // What is shown is thinned away: the one before it is next.
    (121..=125).for_each(|at| past.snapshot(&state(at * S)));
    assert_eq!(at(&head, &past), 110);
    (126..=170).for_each(|at| past.snapshot(&state(at * S)));
    assert_eq!(
        at(&head, &past),
        130,
        "what is shown is gone, and all before it"
    );
    head.jump(&past, 100);
    assert_eq!((at(&head, &past), head.is_at_end()), (170, false));
    past.snapshot(&state(171 * S));
    assert_eq!(at(&head, &past), 170);
    head.end();
    assert_eq!(at(&head, &past), 171);
    head.hold(&past);
    past.snapshot(&state(172 * S));
    assert_eq!(at(&head, &past), 171);
}

#[test]
fn gaps_stay_where_they_are_until_they_are_past() {
    let mut past = Past::new(Keep {
        events: 4,
        ..Keep::default()
    });
    assert_eq!(past.before(), None);
    past.event(&event(10));
    past.gap(3, Some(1), Some(20));
    past.gap(4, Some(2), Some(15));
    (20..23).for_each(|at| past.event(&event(at)));
    past.gap(1, Some(1), None);
    let both = Gap {
        lost: 7,
        ring: None,
        until: Some(20),
    };
    let last = Gap {
        lost: 1,
        ring: Some(1),
        until: None,
    };
    assert_eq!(past.gaps().collect::<Vec<_>>(), [(1, both), (4, last)]);
    past.event(&event(30));
    // The first event has gone, and what was lost behind it.
    assert_eq!(past.gaps().collect::<Vec<_>>(), [(3, last)]);
    let before = past.before().map(|gap| (gap.lost, gap.until));
    assert_eq!(before, Some((8, Some(20))));
}

#[test]
fn many_gaps_take_no_more_room() {
    let mut past = Past::new(Keep::default());
    for at in 1..=10_000 {
        past.event(&event(at));
        past.gap(1, Some(0), Some(at + 1));
    }
    let gaps: Vec<_> = past.gaps().collect();
    assert!(gaps.len() <= 4_096);
    assert_eq!(gaps.iter().map(|(_, gap)| gap.lost).sum::<u64>(), 10_000);
    assert_eq!(gaps.last().map(|(_, gap)| gap.until), Some(Some(10_001)));
}

#[test]
fn what_is_over_is_kept_whole_or_evenly() {
    let hour = Keep::ended(3_600, 3_600 * S);
    let mut past = Past::new(hour);
    (1..=3_600).for_each(|at| past.snapshot(&state(at * S)));
    assert!(
        past.len() <= hour.states && past.len() > 1_000,
        "{}",
        past.len()
    );
    let stamps = stamps(&past);
    assert!(stamps[0] <= 5 && stamps.windows(2).all(|two| two[1] - two[0] <= 5));
    assert_eq!(stamps[stamps.len() - 2], 3_599);
    let short = Keep::ended(2_000, u64::MAX);
    let mut past = Past::new(short);
    (1..=2_000).for_each(|at| past.snapshot(&state(at * 1_000 * S)));
    past.event(&event(S));
    past.snapshot(&state(2_000_001 * S));
    assert_eq!((past.len(), past.events().len()), (2_000, 1));
}

#[test]
fn a_strip_shows_when_it_was_busy() {
    let mut past = Past::new(Keep::default());
    let mut at_s = |at: u64, begun: u64| {
        let mut snapshot = state(at * S);
        snapshot.pwqs.truncate(1);
        snapshot.pwqs[0].counters = [begun; crate::Counter::COUNT];
        past.snapshot(&snapshot);
    };
    at_s(10, 0);
    at_s(11, 100);
    at_s(14, 100);
    assert!(past.strip(0).is_empty());
    assert_eq!(past.strip(4), [100.0, 0.0, 0.0, 0.0]);
    assert_eq!(past.strip(8), [100.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(past.strip(2), [50.0, 0.0]);
    past.lost(3);
    past.snapshot(&state(18 * S));
    past.snapshot(&state(19 * S));
    assert_eq!(past.lossy(3), [false, false, true]);
    assert_eq!(past.lossy(9).iter().filter(|lossy| **lossy).count(), 1);
    assert!(past.lossy(0).is_empty());
}

#[test]
fn each_moment_has_its_cell() {
    let mut past = Past::new(Keep::default());
    [10, 11, 14]
        .iter()
        .for_each(|at| past.snapshot(&state(at * S)));
    let cells = [0, 10, 11, 13, 14, 99].map(|at| past.cell_of(at * S, 4));
    assert_eq!(cells, [0, 0, 1, 3, 3, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Also what no engine writes: a recording may hold anything.
    #[test]
    fn bounds_hold_for_any_stamps(stamps in prop::collection::vec(prop_oneof![0..100 * S, any::<u64>()], 1..80)) {
        let keep = Keep { states: 20, events: 30, ..small() };
        let mut past = Past::new(keep);
        for &at in &stamps {
            past.event(&event(at));
            past.snapshot(&state(at));
            prop_assert!(past.len() <= 20 && past.events().len() <= 30 && !past.is_empty());
            let all: Vec<_> = past.states().map(|state| state.at).collect();
            prop_assert!(all.is_sorted_by(|a, b| a < b));
            let bytes: usize = past.states().map(size::of).sum();
            prop_assert_eq!(bytes, past.bytes());
            prop_assert!(past.at(past.index_at(at), Limits::default()).is_some());
        }
    }
}

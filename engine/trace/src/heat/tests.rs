//! Rounds of hand-made states.

use super::*;
use crate::fixture;

#[test]
fn buckets_double_and_take_everything() {
    assert_eq!((bucket(0), bucket(1_023), bucket(1_024)), (0, 0, 1));
    assert_eq!((bucket(2_047), bucket(2_048)), (1, 2));
    assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    for n in 0..BUCKETS - 1 {
        let end = upper(n).expect("it has an end");
        assert_eq!((bucket(end - 1), bucket(end)), (n, n + 1));
    }
    assert_eq!(upper(BUCKETS - 1), None);
}

#[test]
fn a_round_has_what_came_between_its_states() {
    let first = fixture::snapshot();
    let mut second = first.clone();
    second.at += 1_000;
    let wq = second.pwqs[0].wq;
    second.pwqs[0].wait.buckets.push((5_000_000, 3));
    second.pwqs[0].wait.buckets.push((9_000_000_000, 1));
    let all = rounds([&first, &second].into_iter(), None, Which::Wait);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].since, all[0].at), (first.at, second.at));
    assert_eq!(all[0].items(), 4);
    assert_eq!(all[0].counts[bucket(5_000_000)], 3);
    assert_eq!(all[0].slowest(), Some(BUCKETS - 1));
    let own = rounds([&first, &second].into_iter(), Some(wq), Which::Wait);
    assert_eq!(own[0].counts, all[0].counts);
    let other = rounds([&first, &second].into_iter(), Some(WqId(2)), Which::Wait);
    assert_eq!((other[0].items(), other[0].slowest()), (0, None));
    let run = rounds([&first, &second].into_iter(), None, Which::Run);
    assert_eq!(run[0].items(), 0);
}

#[test]
fn histograms_that_go_back_do_no_harm() {
    let (mut first, second) = (fixture::snapshot(), fixture::snapshot());
    first.pwqs[0].wait.buckets.push((7, u64::MAX));
    first.pwqs[0].wait.buckets.push((8, u64::MAX));
    let all = rounds([&first, &second].into_iter(), None, Which::Wait);
    assert_eq!(all[0].counts[0], 0);
    assert!(rounds(std::iter::once(&first), None, Which::Run).is_empty());
}

//! What is queued: more than is done, or in vain.

use super::lint::{Finding, Level, Lint, Subject, Unit};
use super::scene::{Done, Scene, WINDOW_NS, ns};
use crate::ids::WqId;
use crate::model::{ProducerRow, Workqueue, WorkqueuePoint};
use crate::stats::{Counter, WqCounter};
use crate::units::{count, duration, rate};
use crate::value::Value;

/// Parts that the window is cut into: the backlog must be larger in each of them than in the one before.
const PARTS: u64 = 5;
/// Points of history at least, where there are so many.
const FEWEST: usize = 4;
/// Fewer refusals per second do no harm.
const FEW_PER_S: f64 = 100.0;

pub(super) static BACKLOG: Lint = Lint {
    name: "backlog",
    level: Level::Warning,
    help: "More is queued than is done: the backlog of a workqueue grows all the time.",
    threshold: 100,
    unit: Unit::Count,
    threshold_help: "By how many items the backlog grows within 10 s.",
    holds_ns: 1_000_000_000,
    remedy: "Slow the producer down, let more items run at once (max_active, unbound), or make them shorter.",
    check: backlog,
};

fn backlog(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for wq in scene.model.workqueues() {
        let Some(history) = scene.model.workqueue_history(wq.id) else {
            continue;
        };
        let from = scene.now().saturating_sub(WINDOW_NS);
        // Who looks rarely has fewer points in that time than a trend needs.
        let later = history.iter().rev().enumerate();
        let later = later.take_while(|(n, it)| *n < FEWEST || it.at >= from);
        let mut points: Vec<&WorkqueuePoint> = later.map(|(_, it)| it).collect();
        points.reverse();
        if let Some((grown, over)) = growth(&points)
            && scene.reaches_over(grown, over)
        {
            found.push(grows(scene, wq, grown, over));
        }
    }
    found
}

/// By how much a backlog has grown, over how many nanoseconds, if it grows all the time: its lowest value in each part of
/// the time is larger than in the part before.
fn growth(points: &[&WorkqueuePoint]) -> Option<(u64, u64)> {
    let (first, last) = (points.first()?, points.last()?);
    // The clock of a damaged segment may go back.
    let over = last.at.checked_sub(first.at)?;
    // A burst is no trend.
    if over < WINDOW_NS / 2 {
        return None;
    }
    let mut lows: Vec<(u64, u64)> = Vec::new();
    for point in points {
        let part = part_of(point.at.saturating_sub(first.at), over);
        match lows.last_mut() {
            Some((last, low)) if *last == part => *low = (*low).min(point.backlog),
            _ => lows.push((part, point.backlog)),
        }
    }
    let grows = lows.len() >= 3 && lows.is_sorted_by(|a, b| a.1 < b.1);
    let grown = last.backlog.checked_sub(first.backlog)?;
    grows.then_some((grown, over))
}

/// In which of the parts of `over` nanoseconds a moment lies.
fn part_of(at: u64, over: u64) -> u64 {
    let part = u128::from(at.min(over)) * u128::from(PARTS) / (u128::from(over) + 1);
    u64::try_from(part).unwrap_or(PARTS)
}

fn grows(scene: &Scene<'_>, wq: &Workqueue, grown: u64, over: u64) -> Finding {
    let producer = busiest(scene, wq.id);
    let by = producer
        .as_ref()
        .map_or_else(String::new, |row: &&ProducerRow| {
            let (source, rate) = (&row.producer, rate(row.per_s));
            format!("; most comes from {source}, {rate} a second")
        });
    let waiting = wq.backlog();
    let sentence = format!(
        "the backlog of `{}` grows: {} items more in {}, {} now{by}",
        wq.name,
        count(grown),
        duration(over),
        count(waiting)
    );
    let mut evidence = vec![
        ("workqueue", Value::str(&*wq.name)),
        ("backlog", Value::Big(waiting)),
        ("grown", Value::Big(grown)),
        ("window_ns", ns(over)),
        ("queued_per_s", Value::Float(wq.rates.queued)),
        ("completed_per_s", Value::Float(wq.rates.completed)),
    ];
    let mut also = Vec::new();
    if let Some(row) = producer {
        evidence.push(("producer", Value::str(&*row.producer)));
        also.push(Subject::Function(row.func));
    }
    Finding::recheck(Subject::Workqueue(wq.id), sentence)
        .also(also)
        .evidence(evidence)
}

/// Who queues most on a workqueue, as far as the events tell.
fn busiest<'a>(scene: &Scene<'a>, wq: WqId) -> Option<&'a ProducerRow> {
    let mut rows = scene.model.producer_rows().iter();
    rows.find(|row| row.wq == wq)
}

pub(super) static REFUSED: Lint = Lint {
    name: "refused",
    level: Level::Note,
    help: "Most queueing calls are refused, because the item is pending already or disabled.",
    threshold: 90,
    unit: Unit::Percent,
    threshold_help: "The share of the calls that is refused, if that is over 100 calls a second.",
    holds_ns: 2_000_000_000,
    remedy: "Queue once for many changes, ask Work::pending() first, or use several items if each call has work of its own.",
    check: refused,
};

fn refused(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (wq, done) in scene.done() {
        let own = |counter: WqCounter| done.own[counter as usize];
        let (pending, disabled) = (
            own(WqCounter::RefusedPending),
            own(WqCounter::RefusedDisabled),
        );
        let refused = pending.saturating_add(disabled);
        let calls = refused.saturating_add(done.counter(Counter::Queued));
        let share = u128::from(refused) * 100 >= u128::from(calls) * u128::from(scene.threshold);
        if scene.per_second(refused) >= FEW_PER_S && share {
            found.push(refusals(scene, wq, &done, refused));
        }
    }
    found
}

fn refusals(scene: &Scene<'_>, wq: &Workqueue, done: &Done, refused: u64) -> Finding {
    let disabled = done.own[WqCounter::RefusedDisabled as usize];
    let queued = done.counter(Counter::Queued);
    let calls = refused.saturating_add(queued);
    let why = match disabled > refused / 2 {
        true => "disabled",
        false => "pending already",
    };
    let sentence = format!(
        "{} of {} queueing calls a second on `{}` are refused: the items are {why}",
        rate(scene.per_second(refused)),
        rate(scene.per_second(calls)),
        wq.name
    );
    Finding::recheck(Subject::Workqueue(wq.id), sentence).evidence(vec![
        ("workqueue", Value::str(&*wq.name)),
        ("refused", Value::Big(refused)),
        ("refused_disabled", Value::Big(disabled)),
        ("queued", Value::Big(queued)),
        ("window_ns", ns(scene.span())),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, MS, S};
    use super::*;

    #[test]
    fn backlog_fires() {
        for every in [50 * MS, 250 * MS, S, 3 * S, 5 * S, 60 * S] {
            let mut bench = Bench::new();
            for _ in 0..(20 * S / every).max(6) {
                bench.snapshot.pwq_funcs[0].pending += (every / (10 * MS)) as u32;
                bench.snapshot.pools[0].last_progress = bench.snapshot.at;
                bench.queued(None, every / (10 * MS));
                bench.look(every);
            }
            let sentence = &bench.only("backlog").sentence;
            assert!(
                sentence.contains("the backlog of `mixed` grows:")
                    && sentence.contains("most comes from unknown-7"),
                "{sentence}"
            );
        }
    }

    #[test]
    fn a_backlog_that_grows_slowly_is_none_however_rarely_somebody_looks() {
        let mut bench = Bench::new();
        for _ in 0..8 {
            bench.snapshot.pwq_funcs[0].pending += 60 * 5;
            bench.snapshot.pools[0].last_progress = bench.snapshot.at;
            bench.look(60 * S);
        }
        assert_eq!(bench.fired(), [""; 0], "50 items in 10 s");
    }

    #[test]
    fn backlog_does_not_fire() {
        let mut bench = Bench::new();
        // Bursts of 1,000 that are done within 2 s, and a backlog that is large but does not grow.
        let mut looks = 0;
        bench.snapshot.pwq_funcs[2].pending = 5_000;
        bench.looks(30 * S, |bench| {
            looks += 1;
            bench.snapshot.pwq_funcs[0].pending = 1_000 - (looks % 8) * 100;
        });
        assert_eq!(bench.fired(), [""; 0]);
    }

    #[test]
    fn refused_fires() {
        let mut bench = Bench::new();
        bench.looks(4 * S, |bench| {
            bench.snapshot.workqueues[0].counters[0] += 1_000;
            bench.count(Counter::Queued, 20);
        });
        let sentence = &bench.only("refused").sentence;
        assert!(
            sentence.ends_with("a second on `mixed` are refused: the items are pending already"),
            "{sentence}"
        );
    }

    #[test]
    fn refused_does_not_fire() {
        let mut bench = Bench::new();
        bench.looks(4 * S, |bench| {
            bench.snapshot.workqueues[0].counters[0] += 1_000;
            bench.count(Counter::Queued, 1_000);
            bench.snapshot.workqueues[1].counters[0] += 10;
        });
        assert_eq!(bench.fired(), [""; 0], "half of them, or few");
    }
}

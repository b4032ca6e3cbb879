//! What went wrong or got lost by itself.

use super::lint::{Finding, Level, Lint, Subject, Unit};
use super::scene::{Done, Scene, many, ns};
use crate::model::Workqueue;
use crate::stats::Counter;
use crate::units::{count, duration, share};
use crate::value::Value;

pub(super) static PANICS: Lint = Lint {
    name: "panics",
    level: Level::Warning,
    help: "Work functions panic; the engine catches it and goes on.",
    threshold: 1,
    unit: Unit::Count,
    threshold_help: "How many executions of a workqueue end in a panic within 10 s.",
    holds_ns: 0,
    remedy: "The panic's message says where it was; wq-dump events -e panic says which function.",
    check: panics,
};

fn panics(scene: &Scene<'_>) -> Vec<Finding> {
    let panics = |done: &Done| done.counter(Counter::Panics);
    let panicked = scene.done().filter(|(_, done)| scene.reaches(panics(done)));
    let finding = |(wq, done): (&Workqueue, Done)| {
        let times = panics(&done);
        let sentence = format!(
            "{} of `{}` panicked in the last {}",
            many(times, "execution"),
            wq.name,
            duration(scene.span())
        );
        Finding::warn(Subject::Workqueue(wq.id), sentence).evidence(vec![
            ("workqueue", Value::str(&*wq.name)),
            ("panics", Value::Big(times)),
            ("completed", Value::Big(done.counter(Counter::Completed))),
            ("window_ns", ns(scene.span())),
        ])
    };
    panicked.map(finding).collect()
}

pub(super) static EVENTS_LOST: Lint = Lint {
    name: "events-lost",
    level: Level::Note,
    help: "Events were overwritten before they could be read: what is made of them is not whole. Counters are.",
    threshold: 1,
    unit: Unit::Percent,
    threshold_help: "The share of the events of the last 10 s that is lost.",
    holds_ns: 0,
    remedy: "Larger rings (Builder::ring_size), a larger segment_budget, or a shorter interval.",
    check: events_lost,
};

fn events_lost(scene: &Scene<'_>) -> Vec<Finding> {
    let Some((lost, written)) = scene.events() else {
        return Vec::new();
    };
    // Those that were lost may have been written before.
    let written = written.max(lost);
    let much = u128::from(lost) * 100 >= u128::from(written) * u128::from(scene.threshold);
    if lost == 0 || !much {
        return Vec::new();
    }
    let sentence = format!(
        "{} events were lost in the last {}, {} of them all",
        count(lost),
        duration(scene.span()),
        share(lost, written)
    );
    let finding = Finding::warn(Subject::Engine, sentence).evidence(vec![
        ("lost", Value::Big(lost)),
        ("written", Value::Big(written)),
        ("window_ns", ns(scene.span())),
    ]);
    vec![finding]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, S};
    use super::*;

    #[test]
    fn panics_fires() {
        let mut bench = Bench::new();
        bench.count(Counter::Panics, 2);
        bench.look(S);
        assert_eq!(
            bench.only("panics").sentence,
            "2 executions of `mixed` panicked in the last 2.0 s"
        );
    }

    #[test]
    fn panics_does_not_fire() {
        let mut bench = Bench::new();
        bench.looks(3 * S, |bench| bench.count(Counter::Completed, 9));
        assert_eq!(bench.fired(), [""; 0]);
    }

    #[test]
    fn events_lost_fires() {
        let mut bench = Bench::new();
        bench.model.apply_lost(30);
        bench.snapshot.rings[0].written += 1_000;
        bench.look(S);
        let warning = bench.only("events-lost");
        assert_eq!((warning.subject, &*warning.name), (Subject::Engine, "demo"));
        assert!(warning.sentence.starts_with("30 events were lost"));
    }

    #[test]
    fn events_lost_does_not_fire() {
        let mut bench = Bench::new();
        bench.looks(3 * S, |bench| bench.snapshot.rings[0].written += 10_000);
        bench.model.apply_lost(30);
        bench.look(S);
        assert_eq!(bench.fired(), [""; 0], "none, then a few of very many");
    }
}

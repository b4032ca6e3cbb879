//! Tests of expectations against small reports.

use super::*;
use crate::report::{PoolReport, WorkqueueReport};

const MS: u64 = 1_000_000;

/// An item of `q0` with these executions (queued, started, finished; in ms).
fn item(name: &str, executions: &[(u64, u64, u64)]) -> ItemReport {
    let mut item = ItemReport {
        name: name.to_owned(),
        workqueue: "q0".to_owned(),
        ..ItemReport::default()
    };
    for (queued, started, finished) in executions {
        item.totals.started += 1;
        item.add(Execution {
            queued_ns: queued * MS,
            started_ns: started * MS,
            finished_ns: finished * MS,
            worker: "kworker/0:0".to_owned(),
        });
    }
    item
}

fn report(mode: Mode, works: Vec<ItemReport>) -> Report {
    Report {
        script: "s".to_owned(),
        mode,
        sensing: "exact".to_owned(),
        cpus: 1,
        duration_ns: 0,
        lost_events: 0,
        workqueues: vec![WorkqueueReport {
            name: "q0".to_owned(),
            started: 3,
            completed: 2,
            refused: 5,
            max_running: 2,
            wait_ns: Quantiles::of(&mut [MS, 2 * MS]),
            ..WorkqueueReport::default()
        }],
        works,
        pools: vec![PoolReport {
            id: 2,
            max_nr_running: 1,
            ..PoolReport::default()
        }],
        expectations: Vec::new(),
        warnings: Vec::new(),
        interrupted: false,
        stuck: None,
    }
}

fn expect(subject: &str, measure: Measure, relation: Relation) -> Expectation {
    Expectation {
        subject: Subject::Work(subject.to_owned()),
        measure,
        relation,
    }
}

fn finish(subject: &str, ms: u64) -> Expectation {
    expect(subject, Measure::Finish, Relation::Exactly(ms * MS, 0))
}

/// The outcomes as `ok|FAILED TEXT; seen SEEN`.
fn lines(outcomes: &[Outcome]) -> Vec<String> {
    let line = |o: &Outcome| {
        let verdict = if o.ok { "ok" } else { "FAILED" };
        format!("{verdict} {}; seen {}", o.text, o.seen)
    };
    outcomes.iter().map(line).collect()
}

#[test]
fn simulated_times_are_exact_give_or_take_the_tolerance() {
    let report = report(Mode::Simulate, vec![item("w0", &[(0, 0, 20)])]);
    let near = Relation::Exactly(22 * MS, 2 * MS);
    let far = Relation::Exactly(23 * MS, 2 * MS);
    let all = [
        finish("w0", 20),
        finish("w0", 21),
        expect("w0", Measure::Finish, near),
        expect("w0", Measure::Finish, far),
        expect("w0", Measure::MaxWait, Relation::AtMost(0)),
        expect("w0", Measure::Completed, Relation::AtLeast(2)),
    ];
    assert_eq!(
        lines(&evaluate(&all, &report, false)),
        [
            "ok w0 finish 20 ms; seen 20 ms",
            "FAILED w0 finish 21 ms; seen 20 ms",
            "ok w0 finish 22 ms ± 2 ms; seen 20 ms",
            "FAILED w0 finish 23 ms ± 2 ms; seen 20 ms",
            "ok w0 max_wait <= 0 ms; seen 0 ms",
            "FAILED w0 completed >= 2; seen 1",
        ]
    );
}

#[test]
fn on_threads_order_and_counts_always_times_when_asked() {
    let works = vec![
        item("w0", &[(0, 0, 23)]),
        item("w1", &[(0, 0, 22)]),
        item("w2", &[(0, 0, 30)]),
    ];
    let report = report(Mode::Run, works);
    let count = expect("w0", Measure::Executions, Relation::Exactly(1, 0));
    let all = [finish("w0", 20), finish("w1", 20), finish("w2", 25), count];
    let order = "ok order of finishes: w0 w1 < w2; seen w0 23.0 ms, w1 22.0 ms, w2 30.0 ms";
    assert_eq!(
        lines(&evaluate(&all, &report, false)),
        ["ok w0 executions 1; seen 1", order]
    );
    assert_eq!(
        lines(&evaluate(&all, &report, true)),
        [
            "FAILED w0 finish 20 ms; seen 23 ms",
            "FAILED w1 finish 20 ms; seen 22 ms",
            "FAILED w2 finish 25 ms; seen 30 ms",
            "ok w0 executions 1; seen 1",
            order,
        ]
    );
}

#[test]
fn a_wrong_order_fails_also_across_groups() {
    let works = vec![
        item("w0", &[(0, 0, 9)]),
        item("w1", &[(0, 0, 5)]),
        item("w2", &[(0, 0, 7)]),
    ];
    let report = report(Mode::Run, works);
    let order = |all: &[Expectation]| evaluate(all, &report, false)[0].ok;
    assert!(order(&[finish("w2", 7), finish("w0", 9), finish("w1", 5)]));
    assert!(!order(&[finish("w0", 1), finish("w1", 2)]));
    // w2 ends before w0, which is two groups ahead of it.
    assert!(!order(&[finish("w0", 1), finish("w1", 1), finish("w2", 3)]));
    assert!(order(&[finish("w1", 1), finish("w2", 3), finish("w0", 3)]));
}

#[test]
fn what_never_ended_fails() {
    let all = [finish("w0", 20), finish("w1", 20)];
    let works = vec![item("w0", &[(0, 0, 20)]), item("w1", &[])];
    assert_eq!(
        lines(&evaluate(&all, &report(Mode::Run, works.clone()), false)),
        ["FAILED order of finishes: w0 w1; seen w0 20 ms, w1 never"]
    );
    assert_eq!(
        lines(&evaluate(&all, &report(Mode::Simulate, works), false))[1],
        "FAILED w1 finish 20 ms; seen nothing"
    );
}

#[test]
fn instances_count_together_and_one_by_one() {
    let works = vec![
        item("w#0", &[(0, 0, 10), (10, 11, 20)]),
        item("w#1", &[(0, 5, 15)]),
        item("wx", &[(0, 0, 90)]),
    ];
    let report = report(Mode::Simulate, works);
    let seen = |subject: &str, measure| {
        let relation = Relation::AtLeast(0);
        evaluate(&[expect(subject, measure, relation)], &report, false)[0]
            .seen
            .clone()
    };
    assert_eq!(seen("w", Measure::Executions), "3");
    assert_eq!(seen("w#0", Measure::Executions), "2");
    assert_eq!(seen("w", Measure::Finish), "20 ms");
    assert_eq!(seen("w", Measure::MaxRunning), "2");
    assert_eq!(seen("w#1", Measure::MaxRunning), "1");
    assert_eq!(seen("w", Measure::P50Wait), "1 ms");
    assert_eq!(seen("w", Measure::MaxWait), "5 ms");
}

#[test]
fn executions_that_touch_do_not_overlap() {
    let at = |started, finished| Execution {
        queued_ns: 0,
        started_ns: started,
        finished_ns: finished,
        worker: String::new(),
    };
    assert_eq!(most_at_once([at(0, 5), at(5, 9)].iter()), 1);
    assert_eq!(most_at_once([at(0, 6), at(5, 9)].iter()), 2);
    assert_eq!(most_at_once([at(5, 5)].iter()), 1);
    assert_eq!(most_at_once([].iter()), 0);
}

#[test]
fn workqueues_and_pools() {
    let report = report(Mode::Simulate, vec![item("w0", &[(0, 0, 20)])]);
    let seen = |subject: &Subject, measure| {
        let expectation = Expectation {
            subject: subject.clone(),
            measure,
            relation: Relation::AtLeast(0),
        };
        evaluate(&[expectation], &report, false)[0].seen.clone()
    };
    let wq = Subject::Workqueue("q0".to_owned());
    assert_eq!(seen(&wq, Measure::Started), "3");
    assert_eq!(seen(&wq, Measure::Refused), "5");
    assert_eq!(seen(&wq, Measure::MaxRunning), "2");
    assert_eq!(seen(&wq, Measure::P99Wait), "2 ms");
    assert_eq!(seen(&wq, Measure::Finish), "20 ms");
    assert_eq!(seen(&Subject::Pool(2), Measure::MaxRunning), "1");
    assert_eq!(seen(&Subject::Pool(3), Measure::MaxRunning), "nothing");
    let unknown = Subject::Workqueue("q9".to_owned());
    assert_eq!(seen(&unknown, Measure::Started), "nothing");
}

//! Tests of the report's JSON keys and text.

use super::*;
use crate::style::Style;

/// A small report with every section filled.
pub(crate) fn sample() -> Report {
    let mut item = ItemReport {
        name: "w0".into(),
        workqueue: "q0".into(),
        ..ItemReport::default()
    };
    item.totals.started = 1;
    item.add(Execution {
        queued_ns: 0,
        started_ns: 5_000_000,
        finished_ns: 20_000_000,
        worker: "kworker/0:1".into(),
    });
    let mut parts = Breakdown::default();
    parts.0[WaitPart::Concurrency as usize] = 4_000_000;
    parts.0[WaitPart::Runqueue as usize] = 1_000_000;
    Report {
        script: "demo".into(),
        mode: Mode::Simulate,
        sensing: "exact".into(),
        cpus: 1,
        duration_ns: 20_000_000,
        lost_events: 0,
        workqueues: vec![WorkqueueReport {
            name: "q0".into(),
            queued: 1,
            started: 1,
            completed: 1,
            max_running: 1,
            wait_ns: Quantiles::of(&mut [5_000_000]),
            run_ns: Quantiles::of(&mut [15_000_000]),
            breakdown_ns: parts,
            ..WorkqueueReport::default()
        }],
        works: vec![item],
        pools: vec![PoolReport {
            id: 2,
            cpu: 0,
            max_workers: 3,
            max_nr_running: 1,
            cm_wakeups: 2,
        }],
        expectations: vec![
            Outcome {
                text: "w0 finish 20 ms".into(),
                ok: true,
                seen: "20 ms".into(),
            },
            Outcome {
                text: "w0 executions 2".into(),
                ok: false,
                seen: "1".into(),
            },
        ],
        warnings: Vec::new(),
        interrupted: false,
        stuck: None,
    }
}

#[test]
fn json_has_the_keys_of_the_contract_in_order() {
    let json = serde_json::to_string(&sample()).expect("serialises");
    let quantiles = |v: u64| format!(r#"{{"p50":{v},"p90":{v},"p99":{v},"max":{v},"sum":{v}}}"#);
    let expected = [
        r#"{"script":"demo","mode":"simulate","sensing":"exact","cpus":1,"duration_ns":20000000,"lost_events":0,"#,
        r#""workqueues":[{"name":"q0","queued":1,"started":1,"completed":1,"cancelled":0,"refused":0,"max_running":1,"#,
        &format!(r#""wait_ns":{},"run_ns":{},"#, quantiles(5_000_000), quantiles(15_000_000)),
        r#""breakdown_ns":{"inactive_max_active":0,"inactive_node":0,"inactive_ordered":0,"inactive_plugged":0,"#,
        r#""inactive_frozen":0,"self":0,"bh":0,"concurrency":4000000,"sensing":0,"no_worker":0,"runqueue":1000000,"unknown":0}}],"#,
        r#""works":[{"name":"w0","workqueue":"q0","executions":[{"queued_ns":0,"started_ns":5000000,"finished_ns":20000000,"worker":"kworker/0:1"}]}],"#,
        r#""pools":[{"id":2,"cpu":0,"max_workers":3,"max_nr_running":1,"cm_wakeups":2}],"#,
        r#""expectations":[{"text":"w0 finish 20 ms","ok":true,"seen":"20 ms"},{"text":"w0 executions 2","ok":false,"seen":"1"}]}"#,
    ]
    .concat();
    assert_eq!(json, expected);
}

#[test]
fn text_is_aligned_and_names_units() {
    insta::assert_snapshot!(text(&sample(), Style::PLAIN), @r"
    demo
    simulated on 1 CPU, sensing exact, 20.0 ms

    Workqueues
      name  queued  started  completed  cancelled  refused  max running
      q0         1        1          1          0        0            1

    Times
      name  wait p50     p90     p99     max  run p50      p90      p99      max
      q0      5.0 ms  5.0 ms  5.0 ms  5.0 ms  15.0 ms  15.0 ms  15.0 ms  15.0 ms

    Wait breakdown
      workqueue  part           time  share
      q0         concurrency  4.0 ms    80%
      q0         runqueue     1.0 ms    20%

    Pools
      id  cpu  max workers  max nr_running  cm_wakeups
       2    0            3               1           2

    Works
      name  workqueue  executions  first start  last finish  wait p50  wait max  run p50
      w0    q0                  1       5.0 ms      20.0 ms    5.0 ms    5.0 ms  15.0 ms

    Expectations
      ok      w0 finish 20 ms  seen 20 ms
      FAILED  w0 executions 2  seen 1
    1 of 2 expectations failed
    ");
}

/// An item with executions of `run` ns each, queued together at 0 and run one after another from `start` on.
fn item(name: &str, start: u64, runs: &[u64]) -> ItemReport {
    let mut item = ItemReport {
        name: name.into(),
        workqueue: "q0".into(),
        ..ItemReport::default()
    };
    let mut at = start;
    for run in runs {
        item.add(Execution {
            queued_ns: 0,
            started_ns: at,
            finished_ns: at + run,
            worker: "kworker/0:1".into(),
        });
        at += run;
    }
    item
}

fn works_of(works: Vec<ItemReport>) -> String {
    let report = Report {
        works,
        expectations: Vec::new(),
        ..sample()
    };
    let text = text(&report, Style::PLAIN);
    let (_, works) = text.split_once("\nWorks\n").expect("the section is there");
    works.to_owned()
}

#[test]
fn instances_of_a_work_share_a_row() {
    const MS: u64 = 1_000_000;
    let works = vec![
        item("w0#0", 4 * MS, &[2 * MS, 2 * MS]),
        item("w0#1", 3 * MS, &[]),
        item("w0#2", MS, &[9 * MS]),
        item("w0x", 7 * MS, &[5 * MS]),
        item("never", 0, &[]),
    ];
    insta::assert_snapshot!(works_of(works), @r"
    name   workqueue  instances  executions  first start  last finish  wait p50  wait max  run p50
    w0     q0                 3           3       1.0 ms      10.0 ms    4.0 ms    6.0 ms   2.0 ms
    w0x    q0                 1           1       7.0 ms      12.0 ms    7.0 ms    7.0 ms   5.0 ms
    never  q0                 1           0            -            -         -         -        -
    ");
}

#[test]
fn works_beyond_the_most_are_only_counted() {
    let works = |n: usize| {
        let instances = (0..n).flat_map(|i| [format!("w{i}#0"), format!("w{i}#1")]);
        works_of(instances.map(|name| item(&name, 1, &[1])).collect())
    };
    assert_eq!(works(30).lines().count(), 1 + 30);
    let text = works(32);
    assert_eq!(text.lines().count(), 1 + 30 + 1);
    assert!(
        text.ends_with("\n  and 2 more; all are in --report json\n"),
        "{text}"
    );
}

#[test]
fn quantiles_are_the_nearest_rank() {
    let mut values: Vec<u64> = (1..=200).rev().collect();
    let q = Quantiles::of(&mut values);
    assert_eq!(
        (q.p50, q.p90, q.p99, q.max, q.sum),
        (100, 180, 198, 200, 20_100)
    );
    assert_eq!(Quantiles::of(&mut []), Quantiles::default());
    assert_eq!(Quantiles::of(&mut [7]).p50, 7);
}

#[test]
fn executions_beyond_the_kept_are_counted() {
    let mut item = ItemReport::default();
    for i in 0..KEPT_EXECUTIONS as u64 + 3 {
        item.add(Execution {
            queued_ns: i,
            started_ns: i,
            finished_ns: i + 1,
            worker: String::new(),
        });
    }
    assert_eq!(item.executions.len(), KEPT_EXECUTIONS);
    assert_eq!(item.totals.completed, 10_003);
    assert_eq!(item.totals.last_finished_ns, Some(10_003));
}

//! What the model makes of hand-made snapshots and events.

use super::*;
use crate::event::{REQ_CPU_LOCAL, What};
use crate::fixture;
use crate::ids::FuncId;
use crate::stats::{Counter, WaitPart};
use crate::value::Value;

const S: u64 = 1_000_000_000;

fn model() -> Model {
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(&fixture::snapshot());
    model
}

fn get(fields: &crate::value::Fields, key: &str) -> Value {
    let found = fields.iter().find(|(k, _)| *k == key);
    found
        .unwrap_or_else(|| panic!("no {key} in {fields:?}"))
        .1
        .clone()
}

#[test]
fn a_workqueue_is_the_sum_of_its_pwqs() {
    let model = model();
    let mixed = &model.workqueues()[0];
    assert_eq!(
        (mixed.name.as_str(), mixed.pwqs, mixed.max_in_flight),
        ("mixed", 2, 2)
    );
    assert_eq!(mixed.counter(Counter::Queued), 11 + 21);
    assert_eq!(mixed.counter(Counter::Started), 10 + 20);
    assert_eq!(mixed.counter(Counter::Completed), 9 + 19);
    assert_eq!(
        (mixed.active, mixed.pending, mixed.inactive, mixed.running),
        (4, 3, 2, 2)
    );
    assert_eq!(
        (mixed.refused(), mixed.dropped(), mixed.backlog()),
        (5, 1, 5)
    );
    assert_eq!((mixed.wait.count, mixed.run.sum), (30, 30_000));
    assert!(!mixed.unbound() && !mixed.mem_reclaim());
    let journal = &model.workqueues()[1];
    assert!(journal.unbound() && journal.mem_reclaim());
    assert_eq!(journal.counter(Counter::Started), 5);
}

#[test]
fn the_parts_of_a_wait_add_up_to_it_in_every_row() {
    let model = model();
    let mixed = &model.workqueues()[0];
    assert_eq!(mixed.breakdown[WaitPart::NoWorker as usize], 10_000);
    assert_eq!(mixed.breakdown[WaitPart::Concurrency as usize], 20_000);
    assert_eq!(mixed.main_reason(), Some((WaitPart::Concurrency, 20_000)));
    for wq in model.workqueues() {
        assert_eq!(wq.wait.sum, sum(&wq.breakdown));
    }
    assert_eq!(model.totals().wait.sum, sum(&model.totals().breakdown));
    let of_functions: u64 = model.functions().iter().map(Function::wait_ns).sum();
    assert_eq!(of_functions, model.totals().wait.sum);
    let of_pools: u64 = model.pools().iter().map(|p| sum(&p.breakdown)).sum();
    assert_eq!(of_pools, model.totals().wait.sum);
}

#[test]
fn a_source_without_parts_leaves_the_wait_unexplained() {
    let mut snapshot = fixture::snapshot();
    snapshot.pwq_funcs.clear();
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(&snapshot);
    let mixed = &model.workqueues()[0];
    assert_eq!(mixed.wait.sum, 300);
    assert_eq!(mixed.main_reason(), Some((WaitPart::Unknown, 300)));
}

#[test]
fn pools_and_functions_are_sums_too() {
    let model = model();
    let pool = &model.pools()[0];
    assert_eq!(
        (pool.row.number, pool.busy, pool.sleeping, pool.inactive),
        (2, 1, 1, 1)
    );
    assert_eq!(pool.counters[Counter::Started as usize], 10);
    let flush = &model.functions()[0];
    assert_eq!(flush.name, "flush_cache");
    assert_eq!(flush.workqueues, [WqId(1), WqId(2)]);
    assert_eq!(
        (flush.started, flush.pending, flush.run_ns, flush.run_max_ns),
        (30, 3, 30_000, 3_000)
    );
    let totals = model.totals();
    assert_eq!(totals.counters[Counter::Started as usize], 35);
    assert_eq!((totals.workers, totals.idle, totals.nr_running), (9, 3, 3));
    assert_eq!((totals.pending, totals.inactive, totals.running), (4, 3, 3));
}

#[test]
fn rates_are_growth_over_time() {
    let mut model = model();
    assert_eq!(model.workqueues()[0].rates, Rates::default());
    let mut later = fixture::snapshot();
    later.at += S / 2;
    later.pwqs[0].counters[Counter::Started as usize] += 50;
    later.pwq_funcs[0].started += 50;
    later.pools[0].cm_wakeups += 5;
    later.rings[0].written += 500;
    later.lost_no_ring = 500;
    model.apply_snapshot(&later);
    assert_eq!(model.workqueues()[0].rates.started, 100.0);
    assert_eq!(model.workqueues()[0].rates.completed, 0.0);
    assert_eq!(model.pools()[0].rates.started, 100.0);
    assert_eq!(model.pools()[0].wakeups_per_s, 10.0);
    assert_eq!(model.functions()[0].rates.started, 100.0);
    assert_eq!(model.totals().rates.started, 100.0);
    assert_eq!(model.totals().events_per_s, 2_000.0);
    assert_eq!(model.clamped(), 0);
}

#[test]
fn what_shrinks_is_taken_as_unchanged_and_counted() {
    let mut model = model();
    let mut later = fixture::snapshot();
    later.at += S;
    later.pwqs.remove(0);
    model.apply_snapshot(&later);
    assert_eq!(model.workqueues()[0].rates, Rates::default());
    // queued, started, completed and CPU time of the workqueue, the pool and the total
    assert_eq!(model.clamped(), 12);
}

#[test]
fn an_engine_that_is_gone_keeps_its_last_rates_and_history() {
    let mut model = model();
    let mut later = fixture::snapshot();
    later.at += S;
    later.pwqs[0].counters[Counter::Started as usize] += 100;
    later.pools[0].cm_wakeups += 7;
    model.apply_snapshot(&later);
    model.apply_snapshot(&later);
    assert_eq!(model.workqueues()[0].rates.started, 100.0);
    assert_eq!(model.pools()[0].wakeups_per_s, 7.0);
    assert_eq!(model.totals().rates.started, 100.0);
    assert_eq!(model.history().len(), 2);
}

#[test]
fn history_is_bounded_and_forgets_what_is_gone() {
    let limits = Limits {
        history: 3,
        ..Limits::default()
    };
    let mut model = Model::new(limits);
    let mut snapshot = fixture::snapshot();
    for _ in 0..10 {
        snapshot.at += S;
        model.apply_snapshot(&snapshot);
    }
    assert_eq!(model.history().len(), 3);
    assert_eq!(model.pool_history(PoolId(1)).map(History::len), Some(3));
    let last = model.workqueue_history(WqId(1)).and_then(History::last);
    assert_eq!(last.map(|p| (p.at, p.backlog)), Some((snapshot.at, 5)));
    snapshot.at += S;
    snapshot.pools.clear();
    snapshot.workqueues.remove(0);
    model.apply_snapshot(&snapshot);
    assert!(model.pool_history(PoolId(1)).is_none());
    assert!(model.workqueue_history(WqId(1)).is_none());
    assert!(model.workqueue_history(WqId(2)).is_some());
}

#[test]
fn history_of_many_functions_takes_no_more_than_that_of_some() {
    let used = |functions: u32, at: u64| Snapshot {
        at,
        functions: (1..=functions)
            .map(|id| crate::FunctionRow {
                id: FuncId(id),
                ..crate::FunctionRow::default()
            })
            .collect(),
        pwq_funcs: (1..=functions)
            .map(|id| crate::PwqFuncRow {
                func: FuncId(id),
                queued: 1,
                ..crate::PwqFuncRow::default()
            })
            .collect(),
        ..Snapshot::default()
    };
    let mut model = Model::new(Limits {
        history: 32,
        producers: 0,
    });
    let points = |model: &Model| -> usize {
        let all = model.functions().iter();
        all.filter_map(|f| model.function_history(f.id))
            .map(History::len)
            .sum()
    };
    (1..=40).for_each(|at| model.apply_snapshot(&used(200, at)));
    assert_eq!(points(&model), 200 * 32, "few have all of theirs");
    (41..=80).for_each(|at| model.apply_snapshot(&used(4_096, at)));
    assert_eq!(
        points(&model),
        FULL_HISTORIES * 32,
        "4,096 share what 256 have"
    );
    assert_eq!(points_of_each(600, 4_096), 37);
    assert_eq!(points_of_each(0, 0), 1);
    let bytes = FULL_HISTORIES * 600 * size_of::<WorkqueuePoint>().max(size_of::<PoolPoint>());
    assert!(
        bytes <= 6_200_000 && size_of::<FunctionPoint>() <= 40,
        "{bytes}"
    );
}

#[test]
fn what_the_system_says_of_threads_stands_in_the_rows_until_the_next_state() {
    let worker = |tid| crate::WorkerRow {
        tid,
        ..crate::WorkerRow::default()
    };
    let snapshot = |at| Snapshot {
        at,
        workers: vec![worker(7), worker(8)],
        ..Snapshot::default()
    };
    let look = |at, cpu_ns, place: Option<&str>| Threads {
        at,
        samples: vec![ThreadSample {
            tid: 7,
            cpu_ns,
            asleep_in: place.map(str::to_owned),
        }],
        ..Threads::default()
    };
    let mut model = Model::new(Limits::default());
    let shown = |model: &Model, i: usize, key| {
        let column = columns::find(columns::WORKERS, key).expect("there is one");
        column.shown(&model.workers()[i]).text()
    };
    model.apply_snapshot(&snapshot(1_000));
    model.apply_threads(&look(1_000, 0, None));
    assert_eq!(shown(&model, 0, "cpu_share"), "-");
    model.apply_snapshot(&snapshot(2_000));
    assert_eq!(shown(&model, 0, "cpu_share"), "-", "nobody looked");
    model.apply_threads(&look(2_000, 500, Some("pipe_read")));
    assert_eq!(shown(&model, 0, "cpu_share"), "50%");
    assert_eq!(shown(&model, 0, "asleep_in"), "pipe_read");
    assert_eq!(
        (shown(&model, 1, "cpu_share"), shown(&model, 1, "asleep_in")),
        ("-".into(), "-".into())
    );
    model.apply_snapshot(&snapshot(3_000));
    assert_eq!(shown(&model, 0, "asleep_in"), "-");
}

#[test]
fn a_pool_names_the_rescuer_that_helps_it() {
    let mut snapshot = crate::fixture::snapshot();
    let pool = snapshot.pools[0].id;
    let rescuer = |pool| crate::WorkerRow {
        kind: crate::WorkerKind::Rescuer,
        name: "kworker/R-reclaim".to_owned(),
        pool,
        ..crate::WorkerRow::default()
    };
    let said = |snapshot: &Snapshot| {
        let mut model = Model::new(Limits::default());
        model.apply_snapshot(snapshot);
        let column = columns::find(columns::POOLS, "rescuer").expect("there is one");
        let cells = model.pools().iter().map(|pool| column.shown(pool).text());
        cells.collect::<Vec<_>>()
    };
    snapshot.workers.push(rescuer(PoolId::NONE));
    assert!(
        said(&snapshot).iter().all(|name| name == "-"),
        "it helps none"
    );
    snapshot.workers.push(rescuer(pool));
    let names = said(&snapshot);
    assert_eq!(
        names
            .iter()
            .filter(|name| *name == "kworker/R-reclaim")
            .count(),
        1
    );
}

#[test]
fn rows_that_point_nowhere_do_no_harm() {
    let mut snapshot = fixture::snapshot();
    snapshot.workqueues.clear();
    snapshot.pools.clear();
    snapshot.functions.clear();
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(&snapshot);
    assert_eq!(model.totals().counters[Counter::Started as usize], 35);
    assert!(model.workqueues().is_empty() && model.pools().is_empty());
}

proptest::proptest! {
    #[test]
    fn whatever_a_file_says_the_parts_add_up_and_nothing_overflows(
        rows in proptest::collection::vec((0..4u32, 0..4u32, 1..6u32, big(), big()), 0..20),
        funcs in proptest::collection::vec((0..8u32, 0..5u32, big(), big()), 0..40),
    ) {
        let mut snapshot = fixture::snapshot();
        snapshot.pwqs = rows.iter().map(|&(wq, pool, id, count, sum)| {
            let mut row = fixture::pwq(id, wq, pool, 5);
            row.counters = [count; Counter::COUNT];
            row.nr_active = u32::MAX;
            row.wait.buckets = vec![(sum, count)];
            row.wait.sum = sum;
            row
        }).collect();
        snapshot.pwq_funcs = funcs.iter().map(|&(pwq, func, started, ns)| {
            let mut row = fixture::pwq_func(pwq, func, 5, 0);
            (row.started, row.run_ns, row.breakdown) = (started, ns, [ns; WaitPart::COUNT]);
            row
        }).collect();
        let mut model = Model::new(Limits::default());
        model.apply_snapshot(&fixture::snapshot());
        snapshot.at += 1;
        model.apply_snapshot(&snapshot);
        for wq in model.workqueues() {
            proptest::prop_assert_eq!(wq.wait.sum, sum(&wq.breakdown));
            proptest::prop_assert!(wq.rates.started >= 0.0);
        }
        proptest::prop_assert_eq!(model.totals().wait.sum, sum(&model.totals().breakdown));
    }
}

/// Numbers as a file has them: mostly small, now and then the largest.
fn big() -> impl proptest::strategy::Strategy<Value = u64> {
    proptest::prop_oneof![0..1_000u64, proptest::strategy::Just(u64::MAX)]
}

#[test]
fn producers_come_from_the_events_busiest_first() {
    let mut model = model();
    let queue = What::QueueWork {
        req_cpu: REQ_CPU_LOCAL,
        cpu: 0,
    };
    for (tid, from, count) in [(4720, 0, 3), (4711, 3, 12), (9, 0, 1)] {
        for n in 0..count {
            let at = 15 * S + n;
            let from = FuncId(from);
            model.apply_event(&Event {
                at,
                tid,
                from,
                ..fixture::event(queue)
            });
        }
    }
    let producers = model.producers();
    let named = producers
        .iter()
        .map(|(p, _)| (model.source_name(p.source), p.count));
    let expected = [("write_back", 12), ("producer-0-4720", 3), ("unknown-9", 1)];
    assert!(named.eq(expected.map(|(name, count)| (name.to_owned(), count))));
    assert!(producers[0].1 > producers[1].1);
    assert_eq!((model.events_seen(), model.out_of_order()), (16, 3));
}

#[test]
fn lost_events_are_those_of_rings_and_of_threads_without_one() {
    let mut model = model();
    model.apply_lost(7);
    assert_eq!(model.lost_events(), 7);
    let mut later = fixture::snapshot();
    later.lost_no_ring = 5;
    model.apply_snapshot(&later);
    assert_eq!(model.lost_events(), 12);
}

#[test]
fn wall_clock_time_is_counted_from_the_start() {
    assert_eq!(model().wall(), 1_700_000_000_000_000_000 + 10 * S);
    assert_eq!(Model::new(Limits::default()).wall(), 0);
}

#[test]
fn the_json_row_has_the_kernels_keys_first_and_in_its_units() {
    let model = model();
    let fields = columns::workqueue_fields(&model.workqueues()[0], 1.5, 4, Vec::new());
    let keys: Vec<_> = fields.iter().map(|(key, _)| *key).collect();
    let expected = "timestamp id name unbound mem_reclaim started completed cpu_time cpu_intensive cm_wakeup \
        repatriated mayday rescued queued cancelled refused dropped pending inactive running wait_ns run_ns \
        breakdown_ns lost_events warnings";
    assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(get(&fields, "cpu_time"), Value::Big(30_000));
    assert_eq!(get(&fields, "mayday"), Value::Big(0));
    assert_eq!(get(&fields, "unbound"), Value::Bool(false));
}

#[test]
fn cells_that_do_not_apply_read_as_a_dash() {
    let model = model();
    let [mixed, journal] = model.workqueues() else {
        panic!("there are two")
    };
    let shown = |key, wq| {
        let column = columns::find(columns::WORKQUEUES, key).expect("a column");
        column.shown(wq).text()
    };
    assert_eq!(
        (shown("mayday", mixed), shown("mayday", journal)),
        ("-".into(), "0".into())
    );
    assert_eq!(
        (shown("cm_wakeup", mixed), shown("cm_wakeup", journal)),
        ("0".into(), "-".into())
    );
    assert_eq!(shown("cpu_time", mixed), "30.0 ms");
    assert_eq!(shown("reason", mixed), "concurrency 67%");
}

#[test]
fn every_column_has_a_key_of_its_own_and_says_what_it_is() {
    fn check<R>(table: &[columns::Column<R>]) {
        for (i, column) in table.iter().enumerate() {
            assert!(
                table[..i].iter().all(|c| c.key != column.key),
                "{}",
                column.key
            );
            assert!(column.help.ends_with('.'), "{}", column.key);
            assert!(
                column.title.chars().count() <= usize::from(column.width),
                "{}",
                column.key
            );
        }
    }
    check(columns::WORKQUEUES);
    check(columns::POOLS);
    check(columns::FUNCTIONS);
    check(columns::WORKERS);
    check(columns::PRODUCERS);
}

#[test]
fn each_column_has_a_natural_order_and_nothing_comes_last() {
    let first = |key| {
        columns::find(columns::WORKQUEUES, key)
            .expect("a column")
            .largest_first
    };
    assert!(first("pending") && first("wait_p99") && first("reason") && first("max_active"));
    assert!(!first("name") && !first("id") && !first("type"));
    use columns::{Cell, compare};
    use std::cmp::Ordering::{Equal, Greater, Less};
    for largest_first in [false, true] {
        assert_eq!(
            compare(&Cell::None, &Cell::Count(1), largest_first),
            Greater
        );
        assert_eq!(compare(&Cell::None, &Cell::None, largest_first), Equal);
    }
    assert_eq!(compare(&Cell::Count(2), &Cell::Count(1), true), Less);
    assert_eq!(compare(&Cell::Count(2), &Cell::Count(1), false), Greater);
}

#[test]
fn workers_and_producers_have_the_names_of_what_they_do() {
    let model = model();
    let snapshot = model.snapshot().expect("there is one");
    assert_eq!(model.workers().len(), snapshot.workers.len());
    for worker in model.workers() {
        assert_eq!(worker.function.is_empty(), !worker.row.func.is_some());
        assert_eq!(worker.workqueue.is_empty(), !worker.row.wq.is_some());
    }
    assert_eq!(model.producer_rows().len(), model.producers().len());
}

#[test]
fn cells_sort_by_what_they_say() {
    use columns::Cell;
    use std::cmp::Ordering::{Equal, Less};
    assert_eq!(Cell::None.order(&Cell::Count(0)), Less);
    assert_eq!(Cell::Count(9).order(&Cell::Count(10)), Less);
    assert_eq!(Cell::Rate(f64::NAN).order(&Cell::Rate(f64::NAN)), Equal);
    assert_eq!(Cell::Text("a".into()).order(&Cell::Text("b".into())), Less);
    assert_eq!(Cell::None.order(&Cell::Text("a".into())), Equal);
    assert_eq!(Cell::Share(0.1).order(&Cell::Share(0.2)), Less);
    assert_eq!(Cell::Share(0.72).text(), "72%");
    assert_eq!(Cell::Share(1.5).text(), "150%");
}

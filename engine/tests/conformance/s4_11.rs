//! Semantics 4.11, and the BH rows of 1.5, 2.6, 2.7 and 2.8.

use crate::script::{Run, Script, burn, item, ms, sleep};
use crate::seen::counted;
use crate::support::{LONG, snapshot};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use wq_engine::sim::{SimError, Step, WqRef};
use wq_engine::{DelayedWork, Engine, Error, Work, WqFlags, blocking, current_work};
use wq_trace::{Counter, WaitPart, Wake, What};

fn worker_of(run: &Run, name: &str) -> String {
    let record = run.outcome.items.iter().find(|item| item.name == name);
    record.unwrap().executions[0].worker.clone()
}

#[test]
fn s4_11_items_run_in_queueing_order_one_at_a_time() {
    let mut script = Script::on(1);
    let [p, q] = [0; 2].map(|_| script.wq(WqFlags::BH, 0));
    let a = script.work(&p, &[burn(2)]);
    let b = script.work(&q, &[burn(1)]);
    let c = script.work(&p, &[burn(1)]);
    script.queue_at(0, &[c, a, b]);
    let run = script.run();
    // One context serves both workqueues.
    assert_eq!(run.spans("w2"), [(0, 1)]);
    assert_eq!(run.spans("w0"), [(1, 3)]);
    assert_eq!(run.spans("w1"), [(3, 4)]);
    assert_eq!(run.parts("w2"), []);
    assert_eq!(run.parts("w0"), [(WaitPart::Bh, 1)]);
    assert_eq!(run.parts("w1"), [(WaitPart::Bh, 3)]);
}

#[test]
fn s4_11_every_cpu_and_priority_has_its_own_context() {
    let mut script = Script::on(2);
    let soft = script.wq(WqFlags::BH, 0);
    let high = script.wq(WqFlags::BH | WqFlags::HIGHPRI, 0);
    let [a, b] = [&soft, &high].map(|q| script.work(q, &[burn(3)]));
    let [c, d] = [&soft, &high].map(|q| script.work(q, &[burn(3)]));
    let on = |cpu, work| Step::QueueOn(cpu, item(work));
    script.steps_at(0, &[on(0, a), on(0, b), on(1, c), on(1, d)]);
    let run = script.run();
    for (name, worker, span) in [
        ("w0", "kworker/0:bh", (3, 6)),
        ("w1", "kworker/0:bhH", (0, 3)),
        ("w2", "kworker/1:bh", (3, 6)),
        ("w3", "kworker/1:bhH", (0, 3)),
    ] {
        assert_eq!(worker_of(&run, name), worker);
        assert_eq!(run.spans(name), [span], "the lower nice level goes first");
    }
    let pools = &run.outcome.snapshot.pools;
    let bh: Vec<_> = pools
        .iter()
        .filter(|pool| pool.flags & 1 != 0)
        .map(|pool| (pool.number, pool.nice, pool.flags, pool.nr_workers))
        .collect();
    assert_eq!(
        bh,
        [(0, 0, 5, 1), (1, -20, 5, 1), (4, 0, 5, 1), (5, -20, 5, 1)]
    );
}

#[test]
fn s4_11_it_gives_way_after_two_milliseconds() {
    let mut script = Script::on(1);
    let (soft, normal) = (script.wq(WqFlags::BH, 0), script.bound());
    let a = script.works(&soft, 5, &[burn(1)]);
    let b = script.works(&normal, 3, &[burn(4)]);
    script.queue_at(0, &[a; 5]);
    script.queue_at(0, &[b; 3]);
    let run = script.run();
    let spans = (0..5).flat_map(|n| run.spans(&format!("w0#{n}")));
    assert_eq!(
        spans.collect::<Vec<_>>(),
        [(0, 1), (1, 2), (6, 7), (7, 8), (12, 13)]
    );
    assert_eq!(run.spans("w1#0"), [(2, 6)]);
}

#[test]
fn s4_11_it_gives_way_after_ten_rounds() {
    let mut script = Script::on(1);
    let soft = script.wq(WqFlags::BH, 0);
    let a = script.works(&soft, 25, &[]);
    script.queue_at(0, &[a; 25]);
    let run = script.run();
    let mut rounds = vec![0];
    for event in &run.events {
        match event.what {
            What::ExecuteStart => *rounds.last_mut().unwrap() += 1,
            What::WorkerWake {
                reason: Wake::Chain,
            } => rounds.push(0),
            _ => {}
        }
    }
    assert_eq!(rounds, [10, 10, 5]);
}

#[test]
fn s2_6_bh_has_no_max_active() {
    let mut script = Script::on(1);
    let soft = script.wq(WqFlags::BH, 0);
    let a = script.works(&soft, 3000, &[burn(1)]);
    script.queue_at(0, &vec![a; 3000]);
    let run = script.run();
    assert_eq!(
        run.times(|what| matches!(what, What::HoldWork { .. })),
        [0; 0]
    );
    assert_eq!(run.counter("q0", Counter::Completed), 3000);
    let rows = &run.outcome.snapshot.workqueues;
    let row = rows.iter().find(|wq| wq.name == "q0").unwrap();
    assert_eq!(row.max_active, i32::MAX as u32);
    assert_eq!(row.flags, (WqFlags::BH | WqFlags::PERCPU).bits());
}

#[test]
fn s4_11_delayed_flush_and_cancel_work() {
    let mut script = Script::on(1);
    let soft = script.wq(WqFlags::BH, 0);
    let a = script.work(&soft, &[burn(2)]);
    let b = script.work(&soft, &[burn(2)]);
    let c = script.work(&soft, &[burn(2), Step::Requeue]);
    script.steps_at(
        0,
        &[Step::QueueDelayed(item(a), ms(5)), Step::Queue(item(b))],
    );
    script.steps_at(
        6,
        &[
            Step::Flush(item(a)),
            Step::Queue(item(b)),
            Step::Cancel(item(b)),
        ],
    );
    script.steps_at(
        20,
        &[
            Step::Queue(item(c)),
            Step::Wait(ms(3)),
            Step::CancelSync(item(c)),
        ],
    );
    script.steps_at(
        40,
        &[
            Step::Disable(item(a)),
            Step::Queue(item(a)),
            Step::Enable(item(a)),
            Step::Queue(item(a)),
            Step::FlushWq(soft),
        ],
    );
    let run = script.run();
    assert_eq!(run.spans("w0"), [(5, 7), (40, 42)]);
    assert_eq!(run.spans("w1"), [(0, 2)]);
    assert_eq!(run.spans("w2"), [(20, 22), (22, 24)]);
    let flushed = run.times(|what| matches!(what, What::FlushEnd { .. }));
    assert_eq!(flushed, [7, 24, 42]);
}

#[test]
fn s4_11_an_item_that_sleeps_is_reported_once() {
    let mut script = Script::on(1);
    let soft = script.wq(WqFlags::BH, 0);
    let sleepy = script.works(&soft, 2, &[burn(1), sleep(3), burn(1), sleep(1)]);
    let flusher = script.work(&soft, &[Step::Queue(item(2)), Step::Flush(item(2))]);
    let other = script.bound();
    assert_eq!(script.work(&other, &[burn(4)]), 2);
    script.queue_at(0, &[sleepy; 2]);
    script.queue_at(20, &[flusher]);
    let run = script.run();
    // Nobody takes over: everything behind it waits.
    assert_eq!(run.spans("w0#0"), [(0, 6)]);
    assert_eq!(run.spans("w0#1"), [(6, 12)]);
    let reports = run.reports();
    assert_eq!(
        reports.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        [1, 20]
    );
    assert!(reports[0].1.contains("w0 slept on BH workqueue q0"));
    assert!(reports[1].1.contains("w1 slept on BH workqueue q0"));
}

#[test]
fn s4_11_an_item_that_queues_itself_is_never_run_twice_at_a_time() {
    let mut script = Script::on(2);
    let soft = script.wq(WqFlags::BH, 0);
    let a = script.work(&soft, &[burn(2)]);
    let on = |cpu| Step::QueueOn(cpu, item(a));
    script.steps_at(0, &[on(0)]);
    script.steps_at(1, &[on(1)]);
    let run = script.run();
    assert_eq!(run.spans("w0"), [(0, 2), (2, 4)]);
    let record = &run.outcome.items[0].executions;
    assert_eq!(record[1].worker, "kworker/0:bh", "behind itself");
}

#[test]
fn s2_8_bh_with_other_flags_or_with_max_active_is_an_error() {
    let engine = Engine::builder()
        .name("bh-flags")
        .cpus([0])
        .build()
        .unwrap();
    let refused = |flags, max_active| {
        let error = engine
            .alloc_workqueue("soft", flags, max_active)
            .unwrap_err();
        assert!(matches!(error, Error::Flags { .. }), "{error}");
        error.to_string()
    };
    let bh = WqFlags::BH;
    assert!(refused(bh | WqFlags::UNBOUND, 0).contains("UNBOUND"));
    assert!(refused(bh | WqFlags::CPU_INTENSIVE, 0).contains("CPU_INTENSIVE"));
    assert!(refused(bh, 1).contains("max_active"));
    assert!(engine.alloc_ordered_workqueue("line", bh).is_err());
    for flags in [bh, bh | WqFlags::PERCPU, bh | WqFlags::HIGHPRI] {
        let wq = engine.alloc_workqueue("soft", flags, 0).unwrap();
        assert_eq!(wq.flags(), flags | WqFlags::PERCPU);
        wq.set_max_active(5);
        assert_eq!(wq.max_active(), i32::MAX as usize, "it stays");
        assert!(wq.attrs().is_none());
    }
    let mut script = Script::on(1);
    let q = script.wq(bh, 7);
    script.work(&q, &[]);
    assert!(matches!(script.try_run(), Err(SimError::Flags { .. })));
}

#[test]
fn s2_7_the_system_bh_workqueues() {
    let engine = Engine::builder().name("bh-sys").cpus([0]).build().unwrap();
    let (bh, high) = (engine.system_bh_wq(), engine.system_bh_highpri_wq());
    assert_eq!((bh.name(), high.name()), ("events_bh", "events_bh_highpri"));
    assert_eq!(bh.flags(), WqFlags::BH | WqFlags::PERCPU);
    assert_eq!(high.flags(), bh.flags() | WqFlags::HIGHPRI);
    let mut script = Script::on(1);
    let w = script.work(&WqRef::System("events_bh".to_owned()), &[burn(1)]);
    script.queue_at(0, &[w]);
    assert_eq!(worker_of(&script.run(), "w0"), "kworker/0:bh");
}

/// An engine on the first CPU, and what is queued on it in order.
fn in_order(queue: impl Fn(&Engine, &Arc<Mutex<Vec<usize>>>)) -> Vec<usize> {
    let engine = Engine::builder()
        .name("bh-order")
        .cpus([0])
        .build()
        .unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    queue(&engine, &seen);
    engine.system_bh_wq().flush();
    let seen = seen.lock().unwrap();
    seen.clone()
}

#[test]
fn s4_11_on_threads_items_run_in_queueing_order_on_one_thread() {
    let threads = Arc::new(Mutex::new(BTreeSet::new()));
    let ran = in_order(|engine, seen| {
        let soft = engine.alloc_workqueue("soft", WqFlags::BH, 0).unwrap();
        for n in 0..500 {
            let (seen, threads) = (seen.clone(), threads.clone());
            let wq = if n % 2 == 0 {
                &soft
            } else {
                engine.system_bh_wq()
            };
            assert!(wq.spawn(move || {
                seen.lock().unwrap().push(n);
                let name = std::thread::current().name().unwrap().to_owned();
                threads.lock().unwrap().insert(name);
                assert!(current_work().is_some());
            }));
        }
        soft.flush();
    });
    assert_eq!(ran, (0..500).collect::<Vec<_>>());
    let threads = threads.lock().unwrap();
    assert_eq!(threads.iter().collect::<Vec<_>>(), ["kworker/0:bh"]);
}

#[test]
fn s4_11_on_threads_a_bh_worker_is_made_when_the_first_item_comes() {
    let engine = Engine::builder().name("bh-lazy").cpus([0]).build().unwrap();
    let workers = || {
        let seen = snapshot(&engine);
        let bh = seen.pools.iter().filter(|pool| pool.flags & 1 != 0);
        bh.map(|pool| (pool.number, pool.nr_workers))
            .collect::<Vec<_>>()
    };
    assert_eq!(workers(), [(0, 0), (1, 0)]);
    for _ in 0..3 {
        let work = Work::named("first", |_| {});
        assert!(engine.system_bh_highpri_wq().queue_work(&work));
        work.flush();
    }
    assert_eq!(workers(), [(0, 0), (1, 1)]);
}

#[test]
fn s4_11_on_threads_delayed_flush_cancel_and_requeue_work() {
    let engine = Engine::builder().name("bh-all").cpus([0]).build().unwrap();
    let wq = engine.system_bh_wq();
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let later = DelayedWork::named("later", move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    assert!(wq.queue_delayed_work(&later, Duration::from_millis(2)));
    later.flush();
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    assert!(wq.queue_delayed_work(&later, LONG));
    assert!(later.cancel());
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let stuck = Work::named("stuck", move |_| {
        _ = blocking(|| gate.lock().unwrap().recv_timeout(LONG));
    });
    assert!(wq.queue_work(&stuck));
    assert!(wq.queue_delayed_work(&later, Duration::ZERO));
    assert!(later.cancel_sync(), "it waits behind the other one");
    open.send(()).unwrap();
    stuck.flush();
    let again = wq.clone();
    let turns = Arc::new(AtomicUsize::new(0));
    let turn = turns.clone();
    let itself = Work::named("itself", move |work| {
        turn.fetch_add(1, Ordering::SeqCst);
        again.queue_work(work);
    });
    assert!(wq.queue_work(&itself));
    while turns.load(Ordering::SeqCst) < 100 {
        std::thread::yield_now();
    }
    itself.cancel_sync();
    assert_eq!(itself.busy(), 0);
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    engine.shutdown(LONG).unwrap();
}

/// Both priorities and many items, queued from many threads, while the worker gives way again and again.
#[test]
fn s4_11_on_threads_nothing_is_lost() {
    let engine = Engine::builder().name("bh-many").build().unwrap();
    let running = Arc::new(AtomicBool::new(false));
    let wq = engine.alloc_workqueue("soft", WqFlags::BH, 0).unwrap();
    let cpu = engine.cpus()[0];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let running = running.clone();
                    let work = Work::named("alone", move |_| {
                        assert!(!running.swap(true, Ordering::SeqCst), "one at a time");
                        running.store(false, Ordering::SeqCst);
                    });
                    assert!(wq.queue_work_on(cpu, &work));
                    assert!(engine.system_bh_highpri_wq().spawn(|| {}));
                }
            });
        }
    });
    wq.flush();
    engine.system_bh_highpri_wq().flush();
    let seen = snapshot(&engine);
    assert_eq!(counted(&seen, "soft", Counter::Completed), 2000);
    assert_eq!(counted(&seen, "soft", Counter::Panics), 0);
    assert_eq!(
        counted(&seen, "events_bh_highpri", Counter::Completed),
        2000
    );
}

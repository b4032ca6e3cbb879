//! Affinity scopes on virtual CPUs, where everything is exact: pods, strictness, repatriation.

use crate::script::{Run, Script, burn, sleep};
use wq_engine::WqFlags;
use wq_engine::sim::{AffinitySpec, SimError, Step, WqRef};
use wq_trace::{Counter, What};

/// Four CPUs, two to a cache: 0-1 and 2-3.
fn two_caches() -> Script {
    let mut script = Script::on(4);
    script.0.topology = Some("1n2l2c1t".to_owned());
    script
}

fn unbound(script: &mut Script, scope: &str, strict: bool) -> WqRef {
    let wq = script.wq(WqFlags::UNBOUND, 0);
    let spec = script.0.workqueues.last_mut().expect("just made");
    spec.affinity = Some(AffinitySpec {
        scope: scope.to_owned(),
        strict,
    });
    wq
}

/// Queues all of these at once, on this CPU.
fn queue_on(script: &mut Script, cpu: usize, at: u64, works: &[usize]) {
    let producer = script.queue_at(at, works);
    script.0.producers[producer].cpu = Some(cpu);
}

/// The CPUs on which executions began, in order.
fn starts(run: &Run) -> Vec<u16> {
    let start = |what: &What| *what == What::ExecuteStart;
    let starts = run.events.iter().filter(|e| start(&e.what));
    starts.map(|e| e.cpu).collect()
}

/// The same, ascending: at one instant it is open which of two CPUs goes on first.
fn sorted_starts(run: &Run) -> Vec<u16> {
    let mut cpus = starts(run);
    cpus.sort_unstable();
    cpus
}

/// How often a workqueue's workers were pulled back.
fn repatriated(run: &Run, wq: &str) -> u64 {
    let snapshot = &run.outcome.snapshot;
    let row = snapshot.workqueues.iter().find(|row| row.name == wq);
    let id = row.expect("the workqueue exists").id;
    let pwqs = snapshot.pwqs.iter().filter(|pwq| pwq.wq == id);
    pwqs.map(|pwq| pwq.counters[Counter::Repatriated as usize])
        .sum()
}

fn four_items_from_cpu(cpu: usize, scope: &str, strict: bool) -> Run {
    let mut script = two_caches();
    let wq = unbound(&mut script, scope, strict);
    let works: Vec<usize> = (0..4).map(|_| script.work(&wq, &[burn(10)])).collect();
    queue_on(&mut script, cpu, 0, &works);
    script.run()
}

#[test]
fn s10_strict_workers_never_leave_the_pod_though_others_are_free() {
    let run = four_items_from_cpu(3, "cache", true);
    assert_eq!(sorted_starts(&run), [2, 2, 3, 3]);
    assert_eq!(run.spans("w3"), [(10, 20)]);
    assert_eq!(repatriated(&run, "q0"), 0);
}

#[test]
fn s10_without_strictness_work_goes_on_outside_the_pod_when_it_is_full() {
    let run = four_items_from_cpu(3, "cache", false);
    assert_eq!(starts(&run), [2, 3, 0, 1], "its own cache first");
    assert_eq!(run.spans("w3"), [(0, 10)]);
}

#[test]
fn s10_each_scope_has_its_own_pods() {
    let mut counts = Vec::new();
    for scope in ["cpu", "smt", "cache", "numa", "system"] {
        let mut script = Script::on(8);
        script.0.topology = Some("2n1l2c2t".to_owned());
        let wq = unbound(&mut script, scope, true);
        let works: Vec<usize> = (0..8).map(|_| script.work(&wq, &[burn(1)])).collect();
        queue_on(&mut script, 5, 0, &works);
        let run = script.run();
        let mut cpus = sorted_starts(&run);
        cpus.dedup();
        counts.push(cpus);
    }
    let (half, all) = (vec![4, 5, 6, 7], (0..8).collect::<Vec<u16>>());
    assert_eq!(counts, [vec![5], vec![4, 5], half.clone(), half, all]);
}

#[test]
fn s10_a_scope_of_default_is_the_engines_default() {
    for (default, cpus) in [(None, [0, 0, 1, 1]), (Some("cpu"), [0, 0, 0, 0])] {
        let mut script = two_caches();
        script.0.engine.default_affinity_scope = default.map(str::to_owned);
        let wq = unbound(&mut script, "default", true);
        let works: Vec<usize> = (0..4).map(|_| script.work(&wq, &[burn(1)])).collect();
        queue_on(&mut script, 0, 0, &works);
        assert_eq!(sorted_starts(&script.run()), cpus, "{default:?}");
    }
}

/// Three items fill the pod of CPU 0 and one CPU beside it; the worker there idles last, and is woken next.
fn strays_and_is_woken(strict: bool) -> Run {
    let mut script = two_caches();
    let wq = unbound(&mut script, "cache", strict);
    let other = unbound(&mut script, "cache", strict);
    let mut works: Vec<usize> = (0..2).map(|_| script.work(&wq, &[burn(10)])).collect();
    works.push(script.work(&wq, &[burn(20)]));
    queue_on(&mut script, 0, 0, &works);
    let late = script.work(&other, &[burn(5)]);
    queue_on(&mut script, 0, 50, &[late]);
    queue_on(&mut script, 0, 60, &[late]);
    script.run()
}

#[test]
fn s3_5_a_worker_that_idled_outside_the_pod_is_pulled_back_once() {
    let run = strays_and_is_woken(false);
    assert_eq!(starts(&run), [0, 1, 2, 0, 0]);
    let worker = |name: &str| {
        let item = run.outcome.items.iter().find(|item| item.name == name);
        let executions = &item.expect("the item exists").executions;
        executions[0].worker.clone()
    };
    assert_eq!(worker("w2"), worker("w3"), "the worker that strayed");
    // On the pwq of the first item that waits, whoever sent the worker away.
    assert_eq!(repatriated(&run, "q1"), 1);
    assert_eq!(repatriated(&run, "q0"), 0);
}

#[test]
fn s3_5_strict_and_bound_workers_are_never_pulled_back() {
    let run = strays_and_is_woken(true);
    assert!(starts(&run).iter().all(|&cpu| cpu < 2));
    assert_eq!(repatriated(&run, "q0") + repatriated(&run, "q1"), 0);
    let mut script = two_caches();
    let wq = script.bound();
    let works: Vec<usize> = (0..3).map(|_| script.work(&wq, &[sleep(5)])).collect();
    queue_on(&mut script, 0, 0, &works);
    queue_on(&mut script, 1, 20, &works);
    assert_eq!(repatriated(&script.run(), "q0"), 0);
}

#[test]
fn s3_5_a_pod_of_all_cpus_has_no_outside() {
    let mut script = two_caches();
    let wq = unbound(&mut script, "system", false);
    let works: Vec<usize> = (0..4)
        .map(|_| script.work(&wq, &[burn(5), Step::Yield, burn(5)]))
        .collect();
    queue_on(&mut script, 0, 0, &works);
    queue_on(&mut script, 3, 50, &works);
    let run = script.run();
    assert_eq!(repatriated(&run, "q0"), 0);
    assert_eq!(starts(&run).len(), 8);
}

#[test]
fn s9_6_a_wrong_topology_or_scope_is_refused() {
    let refused = |change: fn(&mut Script)| {
        let mut script = two_caches();
        let wq = unbound(&mut script, "cache", false);
        let work = script.work(&wq, &[]);
        script.queue_at(0, &[work]);
        change(&mut script);
        matches!(script.try_run(), Err(SimError::Topology(_)))
    };
    assert!(!refused(|_| {}));
    assert!(refused(|script| script.0.topology = Some("4x".to_owned())));
    assert!(refused(
        |script| script.0.topology = Some("1n1l3c1t".to_owned())
    ));
    assert!(refused(|script| {
        script.0.engine.default_affinity_scope = Some("default".to_owned());
    }));
    assert!(refused(|script| {
        let affinity = script.0.workqueues[0].affinity.as_mut();
        affinity.expect("it has one").scope = "llc".to_owned();
    }));
}

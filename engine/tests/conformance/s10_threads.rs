//! Affinity scopes on threads: where workers may run, and that strays are pulled back.

use super::support::{LONG, snapshot, until};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::sync::mpsc::{Receiver, channel};
use wq_engine::{AffinityScope, CpuMask, Engine, Error, Topology, Work, WorkqueueAttrs, WqFlags};
use wq_trace::{Counter, Snapshot};

/// The CPUs that the calling thread may use.
fn allowed() -> CpuMask {
    let set = sched_getaffinity(None).expect("the affinity can be read");
    (0..CpuSet::MAX_CPU)
        .filter(|&cpu| set.is_set(cpu))
        .collect()
}

/// An engine on two CPUs that share nothing; none on a machine with one CPU, where there is nothing to see.
fn two_caches() -> Option<(Engine, [usize; 2])> {
    let cpus: Vec<usize> = allowed().iter().take(2).collect();
    let cpus: [usize; 2] = cpus.try_into().ok()?;
    let topology = Topology::from_spec("1n2l1c1t").expect("a topology");
    let engine = Engine::builder()
        .name("s10")
        .cpus(cpus)
        .topology(topology.renumbered(&cpus));
    Some((engine.build().expect("the engine starts"), cpus))
}

fn attrs(strict: bool) -> WorkqueueAttrs {
    WorkqueueAttrs {
        affn_scope: AffinityScope::Cache,
        affn_strict: strict,
        ..WorkqueueAttrs::default()
    }
}

/// A work that tells where its worker may run.
fn asks_where() -> (Work, Receiver<CpuMask>) {
    let (tell, told) = channel();
    let work = Work::named("where", move |_| {
        tell.send(allowed()).expect("somebody listens");
    });
    (work, told)
}

#[test]
fn s10_strict_workers_may_use_the_pod_and_others_the_whole_mask() {
    let Some((engine, cpus)) = two_caches() else {
        return;
    };
    let wq = engine
        .alloc_workqueue("q", WqFlags::UNBOUND, 0)
        .expect("a workqueue");
    let (work, told) = asks_where();
    for strict in [true, false] {
        wq.apply_attrs(&attrs(strict))
            .expect("attributes that can be had");
        for cpu in cpus {
            assert!(wq.queue_work_on(cpu, &work));
            let may = told.recv_timeout(LONG).expect("the item runs");
            let pod = CpuMask::of(cpu);
            assert_eq!(
                may,
                if strict {
                    pod
                } else {
                    cpus.into_iter().collect()
                }
            );
            work.flush();
        }
    }
    engine.shutdown(LONG).expect("it ends");
}

/// How often workers were pulled back, once all of them are idle.
fn pulled_back(engine: &Engine) -> u64 {
    let all_idle = |seen: &Snapshot| {
        let mut pools = seen.pools.iter();
        pools.all(|pool| pool.nr_idle == pool.nr_workers)
    };
    until(|| all_idle(&snapshot(engine)));
    let pwqs = snapshot(engine).pwqs.into_iter();
    pwqs.map(|pwq| pwq.counters[Counter::Repatriated as usize])
        .sum()
}

#[test]
fn s3_5_a_stray_worker_is_pulled_back_and_may_go_anywhere_again() {
    let Some((engine, [here, there])) = two_caches() else {
        return;
    };
    let wq = engine
        .alloc_workqueue("q", WqFlags::UNBOUND, 0)
        .expect("a workqueue");
    wq.apply_attrs(&attrs(false))
        .expect("attributes that can be had");
    let strays = Work::named("strays", move |_| {
        let mut set = CpuSet::new();
        set.set(there);
        sched_setaffinity(None, &set).expect("a worker may move itself");
    });
    let (asks, told) = asks_where();
    // The worker idles where its own narrow mask holds it; then the next item wakes it.
    assert!(wq.queue_work_on(here, &strays));
    strays.flush();
    let before = pulled_back(&engine);
    assert!(wq.queue_work_on(here, &asks));
    let may = told.recv_timeout(LONG).expect("the item runs");
    assert_eq!(may, CpuMask::from_iter([here, there]));
    assert_eq!(pulled_back(&engine), before + 1);
    engine.shutdown(LONG).expect("it ends");
}

#[test]
fn s9_6_the_default_scope_decides_where_nothing_is_asked_for() {
    let cpus: Vec<usize> = allowed().iter().collect();
    let engine = Engine::builder()
        .name("s9_6")
        .default_affinity_scope(AffinityScope::Cpu)
        .build()
        .expect("the engine starts");
    let wq = engine
        .alloc_workqueue("q", WqFlags::UNBOUND, 0)
        .expect("a workqueue");
    let strict = WorkqueueAttrs {
        affn_strict: true,
        ..WorkqueueAttrs::default()
    };
    wq.apply_attrs(&strict).expect("attributes that can be had");
    let (work, told) = asks_where();
    assert!(wq.queue_work_on(cpus[0], &work));
    let may = told.recv_timeout(LONG).expect("the item runs");
    assert_eq!(may, CpuMask::of(cpus[0]));
    engine.shutdown(LONG).expect("it ends");
}

#[test]
fn s9_6_what_says_nothing_is_refused() {
    let default = Engine::builder().default_affinity_scope(AffinityScope::Default);
    assert!(matches!(default.build(), Err(Error::Topology(_))));
    let small = Topology::flat(1).renumbered(&[8191]);
    let refused = Engine::builder().topology(small).build();
    let Err(Error::Topology(problem)) = refused else {
        panic!("the topology lacks the engine's CPUs");
    };
    assert!(problem.contains("no place for CPUs"), "{problem}");
}

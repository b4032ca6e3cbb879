//! What a dump prints stands in the segment: scopes, pools, who serves whom, limits; and totals that outlive their pwq.

use super::support::{Count, Held, LONG, engine, until};
use wq_engine::{AffinityScope, CpuMask, Engine, WorkqueueAttrs, WqFlags};
use wq_trace::{
    Counter, Limits, Model, PoolRow, Reader, Scope, Snapshot, WorkerKind, WorkqueueRow, pool_flags,
    wq_flags,
};

fn snapshot(engine: &Engine) -> Snapshot {
    let path = engine.segment_path().expect("a segment");
    let reader = Reader::open(path).expect("a readable segment");
    reader.snapshot().expect("a snapshot")
}

fn row(engine: &Engine, name: &str) -> WorkqueueRow {
    let rows = snapshot(engine).workqueues;
    rows.into_iter().find(|wq| wq.name == name).expect("a row")
}

#[test]
fn s9_2_every_cpu_is_in_one_pod_of_each_scope() {
    let engine = Engine::builder().name("scopes").build().unwrap();
    let s = snapshot(&engine);
    let scopes: Vec<_> = s.settings.scopes.iter().map(|row| row.scope).collect();
    assert_eq!(scopes, Scope::ALL[1..]);
    for row in &s.settings.scopes {
        assert!(
            s.meta.cpus.iter().all(|&cpu| row.pod_of(cpu).is_some()),
            "{row:?}"
        );
    }
    assert_eq!(s.settings.default_scope, Some(Scope::CacheShard));
    let used = s.meta.cpus.iter().copied().collect();
    assert_eq!(s.settings.unbound_cpus, Some(used));
    assert!(!s.settings.nodes.is_empty());
    assert_eq!(s.settings.power_efficient, Some(false));
    assert_eq!(s.settings.watchdog_thresh_ns, Some(30_000_000_000));
    assert_eq!(s.settings.cpu_intensive_thresh_ns, Some(10_000_000));
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s9_2_pools_have_references_and_cpus() {
    let engine = engine("pools");
    let s = snapshot(&engine);
    let references = |pool: &PoolRow| s.pwqs.iter().filter(|p| p.pool == pool.id).count();
    for pool in &s.pools {
        assert_eq!(pool.refcnt as usize, references(pool), "{pool:?}");
        let (cpus, pod) = (pool.cpus.as_ref(), pool.pod_cpus.as_ref());
        assert!(cpus.is_some_and(|cpus| cpus.contains(0)), "{pool:?}");
        assert!(pod.is_some_and(|pod| pod.contains(0)), "{pool:?}");
    }
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s9_2_bh_pools_and_their_workers_are_told_apart() {
    let engine = engine("bh");
    let wq = engine.alloc_workqueue("soft", WqFlags::BH, 0).unwrap();
    let count = Count::default();
    let work = count.work();
    assert!(wq.queue_work(&work));
    wq.flush();
    assert_eq!(row(&engine, "soft").kind(), "bh");
    let s = snapshot(&engine);
    let bh: Vec<_> = s.pools.iter().filter(|pool| pool.is_bh()).collect();
    assert!(
        bh.iter()
            .all(|pool| pool.number % 4 < 2 && pool.flags & pool_flags::BH != 0)
    );
    let workers = s.workers.iter().filter(|w| w.kind == WorkerKind::Bh);
    let pools: Vec<_> = workers.map(|w| w.pool).collect();
    assert_eq!(
        pools,
        [bh[0].id],
        "one worker, made when it was first needed"
    );
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s9_2_unbound_workqueues_name_their_pools() {
    let engine = engine("map");
    let wq = engine.alloc_workqueue("near", WqFlags::UNBOUND, 0).unwrap();
    let before = row(&engine, "near");
    assert_eq!(before.kind(), "unbound");
    assert!(before.pools[0].is_some() && before.default_pool.is_some());
    let attrs = WorkqueueAttrs {
        nice: 3,
        cpumask: CpuMask::of(0),
        affn_scope: AffinityScope::Cpu,
        affn_strict: true,
    };
    wq.apply_attrs(&attrs).unwrap();
    let after = row(&engine, "near");
    assert_eq!(after.kind(), "unbound,S");
    let told = after.attrs.expect("attributes");
    assert_eq!((told.nice, told.scope, told.strict), (3, Scope::Cpu, true));
    assert_eq!(told.cpus.list(), "0");
    assert_ne!(after.pools[0], before.pools[0]);
    let s = snapshot(&engine);
    let pool = s.pools.iter().find(|pool| pool.id == after.pools[0]);
    assert!(pool.expect("its pool").strict);
    let bound = s
        .workqueues
        .iter()
        .filter(|wq| wq.flags & wq_flags::UNBOUND == 0);
    assert!(
        bound
            .into_iter()
            .all(|wq| wq.attrs.is_none() && wq.nodes.is_empty())
    );
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s9_2_node_counts_and_limits_in_force() {
    let engine = engine("nodes");
    let flags = WqFlags::UNBOUND | WqFlags::FREEZABLE;
    let wq = engine.alloc_workqueue("shared", flags, 5).unwrap();
    let held: Vec<Held> = (0..3).map(|_| Held::on(&wq)).collect();
    let busy = row(&engine, "shared");
    assert_eq!(busy.nodes.iter().map(|node| node.nr).sum::<u32>(), 3);
    let none = busy.nodes.last().expect("an entry for no node");
    assert_eq!((none.max, busy.max_active, busy.min_active), (5, 5, 5));
    engine.freeze();
    let frozen = row(&engine, "shared");
    assert_eq!(
        (frozen.effective_max_active, frozen.effective_min_active),
        (0, 0)
    );
    assert_eq!(frozen.max_active, 5);
    engine.thaw();
    held.iter().for_each(Held::let_go);
    wq.flush();
    until(|| row(&engine, "shared").nodes.iter().all(|node| node.nr == 0));
    assert_eq!(row(&engine, "shared").effective_max_active, 5);
    engine.shutdown(LONG).unwrap();
}

/// The kernel loses them with the pwq; here totals of a workqueue never shrink.
#[test]
fn s8_2_counts_outlive_their_pwq() {
    let engine = engine("outlive");
    let wq = engine.alloc_workqueue("w", WqFlags::UNBOUND, 0).unwrap();
    let (count, rounds) = (Count::default(), 20);
    for nice in 0..rounds {
        let work = count.work();
        assert!(wq.queue_work(&work));
        wq.flush();
        let attrs = WorkqueueAttrs {
            nice: nice % 2,
            ..WorkqueueAttrs::default()
        };
        wq.apply_attrs(&attrs).unwrap();
    }
    let completed = |s: &Snapshot| {
        let mut model = Model::new(Limits::default());
        model.apply_snapshot(s);
        let all = model.workqueues().iter();
        let wq = all.into_iter().find(|wq| wq.name == "w").expect("a row");
        (wq.counter(Counter::Completed), wq.run.count)
    };
    let s = snapshot(&engine);
    assert_eq!(completed(&s), (rounds as u64, rounds as u64));
    until(|| {
        let s = snapshot(&engine);
        let id = s.workqueues.iter().find(|wq| wq.name == "w").unwrap().id;
        let cpus = s.meta.cpus.len();
        let rows = s.pwqs.iter().filter(|p| p.wq == id).count();
        // One for each CPU, the default, and what the others came to.
        rows <= cpus + 2
    });
    engine.shutdown(LONG).unwrap();
}

#[test]
fn s9_2_a_rescuer_is_shown_with_its_thread_and_cpus() {
    let engine = engine("rescuers");
    let wq = engine
        .alloc_workqueue("reclaim", WqFlags::MEM_RECLAIM, 0)
        .unwrap();
    let shown = || {
        let workers = snapshot(&engine).workers;
        let mut rescuers = workers
            .into_iter()
            .filter(|w| w.kind == WorkerKind::Rescuer);
        let rescuer = rescuers.next().expect("it has a rescuer");
        assert!(rescuers.next().is_none(), "and only one");
        rescuer
    };
    until(|| shown().cpus.is_some());
    let rescuer = shown();
    assert_eq!(rescuer.name, "kworker/R-reclaim");
    assert_eq!(rescuer.rescue_wq, row(&engine, "reclaim").id);
    assert_ne!(rescuer.tid, 0);
    assert!(rescuer.cpus.is_some_and(|cpus| !cpus.is_empty()));
    drop(wq);
    until(|| {
        snapshot(&engine)
            .workers
            .iter()
            .all(|w| w.kind != WorkerKind::Rescuer)
    });
    engine.shutdown(LONG).unwrap();
}

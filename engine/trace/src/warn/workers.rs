//! Workers and pools: too many asleep, none to be had, no progress.

use super::lint::{Finding, Level, Lint, Subject, Unit};
use super::scene::{Done, Scene, many, ns};
use crate::ids::{FuncId, PoolId};
use crate::model::{Pool, Workqueue};
use crate::snapshot::{WorkerKind, WorkerState};
use crate::stats::Counter;
use crate::units::duration;
use crate::value::Value;
use std::collections::HashMap;

pub(super) static SLEEPER_PILEUP: Lint = Lint {
    name: "sleeper-pileup",
    level: Level::Warning,
    help: "Many workers of one pool sleep in their items, and each of them is a thread.",
    threshold: 32,
    unit: Unit::Count,
    threshold_help: "How many workers of one pool sleep at the same time.",
    holds_ns: 1_000_000_000,
    remedy: "Limit the workqueue with max_active, or do not sleep in items: queue the rest when what they wait for is there.",
    check: sleeper_pileup,
};

fn sleeper_pileup(scene: &Scene<'_>) -> Vec<Finding> {
    let pools = scene.model.pools().iter();
    let deep = pools.filter(|pool| u64::from(pool.sleeping) >= scene.threshold);
    let finding = |pool: &Pool| {
        let func = most_asleep(scene, pool.row.id);
        let (name, number) = (scene.function(func), pool.row.number);
        let sentence = format!(
            "{} of {} workers of pool {number} ({}) sleep in their items, most of them in `{name}`",
            pool.sleeping,
            pool.row.nr_workers,
            pool.kind()
        );
        let workers = scene.executing().filter(|w| w.pool == pool.row.id);
        let mut workqueues: Vec<_> = workers.map(|w| Subject::Workqueue(w.wq)).collect();
        workqueues.sort_unstable();
        workqueues.dedup();
        Finding::recheck(Subject::Pool(pool.row.id), sentence)
            .also([Subject::Function(func)])
            .also(workqueues)
            .evidence(vec![
                ("pool", Value::Num(i64::from(number))),
                ("function", Value::str(name)),
                ("sleeping", Value::Num(i64::from(pool.sleeping))),
                ("workers", Value::Num(i64::from(pool.row.nr_workers))),
                ("pending", Value::Num(i64::from(pool.row.nr_pending))),
            ])
    };
    deep.map(finding).collect()
}

/// The function in which most workers of a pool sleep.
fn most_asleep(scene: &Scene<'_>, pool: PoolId) -> FuncId {
    let mut asleep: HashMap<FuncId, u32> = HashMap::new();
    let workers = scene.executing().filter(|worker| worker.pool == pool);
    for worker in workers.filter(|worker| worker.state == WorkerState::Sleeping) {
        *asleep.entry(worker.func).or_default() += 1;
    }
    let most = asleep
        .into_iter()
        .max_by_key(|(func, count)| (*count, std::cmp::Reverse(*func)));
    most.map_or(FuncId::NONE, |(func, _)| func)
}

pub(super) static RESCUER: Lint = Lint {
    name: "rescuer",
    level: Level::Warning,
    help: "No worker could be created in time, and a rescuer was called.",
    threshold: 1,
    unit: Unit::Count,
    threshold_help: "How often a workqueue called its rescuer within 10 s.",
    holds_ns: 0,
    remedy: "Find out what refuses threads (pids limit, RLIMIT_NPROC, memory), or need fewer: lower max_active, sleep less in items.",
    check: rescuer,
};

fn rescuer(scene: &Scene<'_>) -> Vec<Finding> {
    let calls = |done: &Done| done.counter(Counter::Mayday);
    let called = scene.done().filter(|(_, done)| scene.reaches(calls(done)));
    let finding = |(wq, done): (&Workqueue, Done)| {
        let (times, rescued) = (calls(&done), done.counter(Counter::Rescued));
        let sentence = format!(
            "`{}` called its rescuer {} in the last {}, because no worker could be created; it executed {}",
            wq.name,
            many(times, "time"),
            duration(scene.span()),
            many(rescued, "item")
        );
        let helper = scene.snapshot.workers.iter();
        let helper = helper.filter(|w| w.kind == WorkerKind::Rescuer && w.rescue_wq == wq.id);
        Finding::warn(Subject::Workqueue(wq.id), sentence)
            .also(helper.map(|worker| Subject::Worker(worker.id)))
            .evidence(vec![
                ("workqueue", Value::str(&*wq.name)),
                ("mayday", Value::Big(times)),
                ("rescued", Value::Big(rescued)),
                ("window_ns", ns(scene.span())),
            ])
    };
    called.map(finding).collect()
}

/// How long a pool with a backlog may begin no item before it is told, unless the settings say something else: 2 s.
pub const STALLED_NS: u64 = 2_000_000_000;

pub(super) static STALLED_POOL: Lint = Lint {
    name: "stalled-pool",
    level: Level::Problem,
    help: "A pool makes no progress although items wait in it.",
    threshold: STALLED_NS,
    unit: Unit::Time,
    threshold_help: "How long the pool has begun no item.",
    holds_ns: 0,
    remedy: "See what its workers are at (wq-dump state, or the Timeline); an item that runs or waits for so long belongs on an unbound workqueue.",
    check: stalled_pool,
};

fn stalled_pool(scene: &Scene<'_>) -> Vec<Finding> {
    let now = scene.now();
    let pools = scene.model.pools().iter();
    let stalled = pools.filter(|pool| pool.hung(now) >= scene.threshold);
    stalled.map(|pool| stall(scene, pool, now)).collect()
}

fn stall(scene: &Scene<'_>, pool: &Pool, now: u64) -> Finding {
    let (hung, number) = (pool.hung(now), pool.row.number);
    let holders = scene.executing().filter(|w| w.pool == pool.row.id);
    // Whoever counts as running keeps the others from starting; of several the one that began first.
    let holder = holders.min_by_key(|w| (w.state == WorkerState::Sleeping, w.started_at));
    let why = match holder {
        Some(worker) => format!(
            "`{}` has been {} for {}",
            scene.function(worker.func),
            worker.state.word(),
            duration(now.saturating_sub(worker.started_at))
        ),
        None if pool.row.nr_idle == 0 => "it has no idle worker, and gets none".to_owned(),
        None => "no worker of it executes anything".to_owned(),
    };
    let waiting = pool.row.nr_pending;
    let sentence = format!(
        "pool {number} ({}) has made no progress for {} while {} waited: {why}",
        pool.kind(),
        duration(hung),
        many(u64::from(waiting), "item")
    );
    let mut evidence = vec![
        ("pool", Value::Num(i64::from(number))),
        ("hung_ns", ns(hung)),
        ("pending", Value::Num(i64::from(waiting))),
        ("workers", Value::Num(i64::from(pool.row.nr_workers))),
        ("nr_running", Value::Num(i64::from(pool.row.nr_running))),
    ];
    let mut also = Vec::new();
    if let Some(worker) = holder {
        evidence.push(("worker", Value::str(&*worker.name)));
        evidence.push(("function", Value::str(scene.function(worker.func))));
        also = vec![
            Subject::Worker(worker.id),
            Subject::Function(worker.func),
            Subject::Workqueue(worker.wq),
        ];
    }
    Finding::recheck(Subject::Pool(pool.row.id), sentence)
        .also(also)
        .evidence(evidence)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, MS, S};
    use super::*;
    use crate::ids::WqId;

    fn asleep(bench: &mut Bench, workers: u32) {
        for _ in 0..workers {
            bench.worker(1, 1, WorkerState::Sleeping);
        }
    }

    #[test]
    fn sleeper_pileup_fires() {
        let mut bench = Bench::new();
        asleep(&mut bench, 40);
        bench.looks(2 * S, |_| ());
        let warning = bench.only("sleeper-pileup");
        assert_eq!(
            warning.sentence,
            "40 of 3 workers of pool 2 (cpu 0) sleep in their items, most of them in `write_back`"
        );
        assert!(warning.concerns(Subject::Workqueue(WqId(1))));
    }

    #[test]
    fn sleeper_pileup_does_not_fire() {
        let mut bench = Bench::new();
        asleep(&mut bench, 31);
        for _ in 0..40 {
            bench.worker(3, 2, WorkerState::Running);
        }
        bench.looks(2 * S, |_| ());
        asleep(&mut bench, 40);
        bench.look(250 * MS);
        bench.snapshot.workers.clear();
        bench.looks(2 * S, |_| ());
        assert_eq!(bench.fired(), [""; 0], "not enough, or not for long");
    }

    #[test]
    fn rescuer_fires() {
        let mut bench = Bench::new();
        bench.count(Counter::Mayday, 2);
        bench.count(Counter::Rescued, 5);
        bench.look(S);
        let sentence = &bench.only("rescuer").sentence;
        assert!(
            sentence.starts_with("`mixed` called its rescuer 2 times"),
            "{sentence}"
        );
    }

    #[test]
    fn rescuer_does_not_fire() {
        let mut bench = Bench::new();
        bench.looks(2 * S, |bench| bench.count(Counter::Started, 10));
        assert_eq!(bench.fired(), [""; 0]);
    }

    #[test]
    fn stalled_pool_fires() {
        let mut bench = Bench::new();
        bench.worker(1, 1, WorkerState::Sleeping);
        let pool = &mut bench.snapshot.pools[0];
        (pool.nr_pending, pool.last_progress) = (3, bench.snapshot.at);
        bench.looks(3 * S, |_| ());
        let warning = bench.only("stalled-pool");
        assert_eq!(
            warning.sentence,
            "pool 2 (cpu 0) has made no progress for 3.0 s while 3 items waited: `write_back` has been sleeping for 3.0 s"
        );
        assert!(warning.concerns(Subject::Function(FuncId(3))));
    }

    #[test]
    fn stalled_pool_does_not_fire() {
        let mut bench = Bench::new();
        bench.worker(1, 1, WorkerState::Running);
        bench.snapshot.pools[0].last_progress = bench.snapshot.at;
        bench.looks(10 * S, |bench| {
            let pool = &mut bench.snapshot.pools[1];
            (pool.nr_pending, pool.last_progress) = (9, bench.snapshot.at);
        });
        assert_eq!(
            bench.fired(),
            [""; 0],
            "nothing waits in one, the other goes on"
        );
    }
}

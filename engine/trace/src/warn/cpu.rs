//! Who takes the CPU from others, and who runs on the wrong one.

use super::lint::{Finding, Level, Lint, Subject, Unit};
use super::scene::{Done, Scene, many, mean, ns};
use crate::ids::{FuncId, WqId};
use crate::model::Source;
use crate::snapshot::WorkerState;
use crate::stats::Counter;
use crate::units::{duration, rate};
use crate::value::Value;

/// A worker that has run for so long, while others wait for its CPU, hogs it.
const RUNS_LONG_NS: u64 = 1_000_000_000;

/// How often per second a function queues itself before it is told, unless the settings say something else.
pub const SELF_REQUEUE_PER_S: u64 = 500;

pub(super) static SELF_REQUEUE: Lint = Lint {
    name: "self-requeue",
    level: Level::Warning,
    help: "A work function queues itself again and again.",
    threshold: SELF_REQUEUE_PER_S,
    unit: Unit::Rate,
    threshold_help: "How often a function queues itself.",
    holds_ns: 1_000_000_000,
    remedy: "Do the rest of the work in a loop, or wait for what is missing: queue_delayed_work instead of queue_work.",
    check: self_requeue,
};

fn self_requeue(scene: &Scene<'_>) -> Vec<Finding> {
    let producers = scene.model.producers();
    let storms = producers.into_iter().filter(|(producer, per_second)| {
        producer.source == Source::Function(producer.func)
            && producer.func != FuncId::OTHER
            && *per_second >= scene.threshold as f64
    });
    let finding = |(producer, per_second): (&crate::model::Producer, f64)| {
        let (func, wq) = (scene.function(producer.func), scene.workqueue(producer.wq));
        let times = rate(per_second);
        let sentence = format!("`{func}` queues itself on `{wq}` {times} times a second");
        Finding::recheck(Subject::Function(producer.func), sentence)
            .also([Subject::Workqueue(producer.wq)])
            .evidence(vec![
                ("function", Value::str(func)),
                ("workqueue", Value::str(wq)),
                ("per_s", Value::Float(per_second)),
                ("count", Value::Big(producer.count)),
            ])
    };
    storms.map(finding).collect()
}

pub(super) static CPU_HOG: Lint = Lint {
    name: "cpu-hog",
    level: Level::Warning,
    help: "Items of a bound workqueue use the CPU for so long without sleeping that others of their CPU's pool would have to wait.",
    threshold: 4,
    unit: Unit::Count,
    threshold_help: "How many executions hog the CPU within 10 s; one is enough that runs for 1 s while others wait.",
    holds_ns: 500_000_000,
    remedy: "Make the workqueue unbound or CPU_INTENSIVE, or split the work into shorter items.",
    check: cpu_hog,
};

fn cpu_hog(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (wq, done) in scene.done().filter(|(wq, _)| scene.is_managed(wq.id)) {
        let hogs = done.counter(Counter::CpuIntensive);
        if scene.reaches(hogs)
            && let Some((func, its)) = greediest(scene, wq.id)
        {
            found.push(often(scene, wq.id, hogs, func, its));
        }
    }
    for finding in running_hogs(scene) {
        if found.iter().all(|other| other.subject != finding.subject) {
            found.push(finding);
        }
    }
    found
}

/// The function that uses most CPU time in one execution; the one that is running if none has ended.
fn greediest(scene: &Scene<'_>, wq: WqId) -> Option<(FuncId, Done)> {
    let functions = scene.functions_of(wq).into_iter();
    let ended = functions.filter(|(_, done)| done.completed > 0);
    let each = |done: &Done| mean(done.cpu_ns, done.completed);
    let ended = ended.max_by_key(|(_, done)| each(done));
    let running = scene.executing().filter(|worker| worker.wq == wq);
    let running = running.min_by_key(|worker| worker.started_at);
    ended.or_else(|| running.map(|worker| (worker.func, Done::default())))
}

fn often(scene: &Scene<'_>, wq: WqId, hogs: u64, func: FuncId, its: Done) -> Finding {
    let (name, queue) = (scene.function(func), scene.workqueue(wq));
    let (each, span) = (mean(its.cpu_ns, its.completed), scene.span());
    let used = match its.completed {
        0 => String::new(),
        _ => format!(", {} of CPU time each on average", duration(each)),
    };
    let sentence = format!(
        "`{name}` hogs its CPU: {} on the bound workqueue `{queue}` ran too long without sleeping in the last {}{used}",
        many(hogs, "execution"),
        duration(span)
    );
    Finding::warn(Subject::Function(func), sentence)
        .also([Subject::Workqueue(wq)])
        .evidence(vec![
            ("function", Value::str(name)),
            ("workqueue", Value::str(queue)),
            ("cpu_intensive", Value::Big(hogs)),
            ("cpu_each_ns", ns(each)),
            ("window_ns", ns(span)),
        ])
}

/// Workers that have run for long while items wait for their CPU. Only what notices sleepers knows that they do not sleep.
fn running_hogs(scene: &Scene<'_>) -> Vec<Finding> {
    if scene.snapshot.meta.sensing == "hints" {
        return Vec::new();
    }
    let now = scene.now();
    let running = scene.executing().filter(|worker| {
        let pool = scene.pool(worker.pool);
        worker.state == WorkerState::Running
            && now.saturating_sub(worker.since.max(worker.started_at)) >= RUNS_LONG_NS
            && pool.is_some_and(|pool| pool.is_percpu() && pool.nr_pending > 0)
            && scene.is_managed(worker.wq)
    });
    let finding = |worker: &crate::WorkerRow| {
        let (func, wq) = (scene.function(worker.func), scene.workqueue(worker.wq));
        let ran = now.saturating_sub(worker.since.max(worker.started_at));
        let waiting = scene.pool(worker.pool).map_or(0, |pool| pool.nr_pending);
        let sentence = format!(
            "`{func}` of the bound workqueue `{wq}` has been running for {} while {} waited for its CPU",
            duration(ran),
            many(u64::from(waiting), "item")
        );
        Finding::recheck(Subject::Function(worker.func), sentence)
            .also([
                Subject::Workqueue(worker.wq),
                Subject::Worker(worker.id),
                Subject::Pool(worker.pool),
            ])
            .evidence(vec![
                ("function", Value::str(func)),
                ("workqueue", Value::str(wq)),
                ("worker", Value::str(&*worker.name)),
                ("running_ns", ns(ran)),
                ("pending", Value::Num(i64::from(waiting))),
            ])
    };
    running.map(finding).collect()
}

pub(super) static OFF_SCOPE: Lint = Lint {
    name: "off-scope",
    level: Level::Note,
    help: "Workers of an unbound workqueue run outside of their affinity scope and have to be brought back.",
    threshold: 100,
    unit: Unit::Count,
    threshold_help: "How many wake-ups bring a worker back within 10 s.",
    holds_ns: 1_000_000_000,
    remedy: "Make the scope strict, or wider (numa, system) if the CPUs in it cannot carry the load.",
    check: off_scope,
};

fn off_scope(scene: &Scene<'_>) -> Vec<Finding> {
    let repatriated = |done: &Done| done.counter(Counter::Repatriated);
    let far = scene
        .done()
        .filter(|(_, done)| scene.reaches(repatriated(done)));
    let finding = |(wq, done): (&crate::model::Workqueue, Done)| {
        let (times, span) = (repatriated(&done), scene.span());
        let sentence = format!(
            "workers of `{}` were brought back into their affinity scope {} in the last {}",
            wq.name,
            many(times, "time"),
            duration(span)
        );
        Finding::recheck(Subject::Workqueue(wq.id), sentence).evidence(vec![
            ("workqueue", Value::str(&*wq.name)),
            ("repatriated", Value::Big(times)),
            ("started", Value::Big(done.counter(Counter::Started))),
            ("window_ns", ns(span)),
        ])
    };
    far.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, MS, S};
    use super::*;

    #[test]
    fn self_requeue_fires() {
        let mut bench = Bench::new();
        bench.looks(3 * S, |bench| bench.queued(Some(FuncId(3)), 250));
        let warning = bench.only("self-requeue");
        assert_eq!(warning.subject, Subject::Function(FuncId(3)));
        assert!(warning.concerns(Subject::Workqueue(WqId(1))));
        assert!(
            warning
                .sentence
                .starts_with("`write_back` queues itself on `mixed` 1"),
            "{}",
            warning.sentence
        );
    }

    #[test]
    fn a_function_on_two_workqueues_is_one_warning_of_both() {
        let mut bench = Bench::new();
        bench.looks(4 * S, |bench| {
            for wq in [1, 2] {
                bench.queued_on(WqId(wq), Some(FuncId(3)), 250 * u64::from(3 - wq));
            }
        });
        let warning = bench.only("self-requeue");
        assert!(warning.sentence.contains("`mixed`"), "the worse is told");
        assert!(
            [1, 2]
                .into_iter()
                .all(|wq| warning.concerns(Subject::Workqueue(WqId(wq))))
        );
    }

    #[test]
    fn self_requeue_does_not_fire() {
        let mut bench = Bench::new();
        bench.looks(3 * S, |bench| {
            bench.queued(None, 250);
            bench.queued(Some(FuncId(2)), 250);
            bench.queued(Some(FuncId(3)), 50);
        });
        assert_eq!(bench.fired(), [""; 0], "others queue it, or it does rarely");
        let mut bench = Bench::new();
        bench.queued(Some(FuncId(3)), 300);
        bench.looks(3 * S, |_| ());
        assert_eq!(bench.fired(), [""; 0], "a burst");
    }

    #[test]
    fn cpu_hog_fires() {
        let mut bench = Bench::new();
        bench.looks(2 * S, |bench| {
            bench.count(Counter::CpuIntensive, 1);
            let row = &mut bench.snapshot.pwq_funcs[0];
            (row.completed, row.cpu_ns) = (row.completed + 1, row.cpu_ns + 200 * MS);
        });
        let warning = bench.only("cpu-hog");
        assert_eq!(warning.name, "flush_cache");
        assert!(
            warning
                .sentence
                .contains("`mixed` ran too long without sleeping"),
            "{}",
            warning.sentence
        );
        assert!(
            warning
                .sentence
                .ends_with("200 ms of CPU time each on average")
        );
    }

    #[test]
    fn cpu_hog_fires_while_it_runs() {
        let mut bench = Bench::new();
        bench.worker(1, 1, WorkerState::Running);
        bench.snapshot.pools[0].nr_pending = 3;
        bench.snapshot.pools[0].last_progress = u64::MAX;
        bench.looks(4 * S, |_| ());
        let warning = bench.only("cpu-hog");
        assert_eq!(warning.name, "write_back");
        assert!(
            warning
                .sentence
                .ends_with("while 3 items waited for its CPU")
        );
    }

    #[test]
    fn cpu_hog_does_not_fire() {
        let mut bench = Bench::new();
        bench.count(Counter::CpuIntensive, 3);
        bench.worker(1, 1, WorkerState::Sleeping);
        bench.worker(3, 2, WorkerState::Running);
        for pool in &mut bench.snapshot.pools {
            (pool.nr_pending, pool.last_progress) = (1, u64::MAX);
        }
        bench.looks(4 * S, |bench| {
            bench.snapshot.pwqs[2].counters[Counter::CpuIntensive as usize] += 1;
        });
        assert_eq!(
            bench.fired(),
            [""; 0],
            "a few, one that sleeps, and one that is unbound"
        );
        let mut bench = Bench::new();
        bench.worker(1, 1, WorkerState::Running);
        bench.looks(4 * S, |_| ());
        assert_eq!(bench.fired(), [""; 0], "nobody waits for it");
    }

    #[test]
    fn off_scope_fires() {
        let mut bench = Bench::new();
        bench.looks(3 * S, |bench| bench.count(Counter::Repatriated, 40));
        assert_eq!(bench.only("off-scope").name, "mixed");
    }

    #[test]
    fn counts_are_of_ten_seconds_also_where_the_interval_is_longer() {
        let mut bench = Bench::new();
        for _ in 0..4 {
            bench.count(Counter::CpuIntensive, 12);
            bench.count(Counter::Repatriated, 120);
            bench.look(60 * S);
        }
        assert_eq!(bench.fired(), [""; 0], "2 and 20 in 10 s");
        for _ in 0..4 {
            bench.count(Counter::Repatriated, 1_200);
            bench.look(60 * S);
        }
        assert_eq!(bench.fired(), ["off-scope"]);
    }

    #[test]
    fn off_scope_does_not_fire() {
        let mut bench = Bench::new();
        bench.looks(20 * S, |bench| bench.count(Counter::Repatriated, 2));
        assert_eq!(bench.fired(), [""; 0]);
    }
}

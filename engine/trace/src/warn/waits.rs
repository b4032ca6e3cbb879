//! Waits: of items that do not start, and of threads that flush.

use super::lint::{Finding, Level, Lint, Subject, Unit};
use super::scene::{Done, Scene, many, ns};
use crate::event::Hold;
use crate::held::hold_reason;
use crate::ids::FuncId;
use crate::model::{Workqueue, main_reason, sum};
use crate::snapshot::{FlushRow, WorkerKind, WorkerRow, wq_flags};
use crate::stats::WaitPart;
use crate::units::duration;
use crate::value::Value;
use std::collections::BTreeMap;

pub(in crate::warn) static LONG_WAIT: Lint = Lint {
    name: "long-wait",
    level: Level::Warning,
    help: "An item waited too long before it started, or still waits.",
    threshold: 2_000_000_000,
    unit: Unit::Time,
    threshold_help: "How long an item waits. Waits for its own earlier run or for a thaw do not count.",
    holds_ns: 0,
    remedy: "The main reason says what to change: the limit (inactive_*), the items before it (concurrency), the threads (no_worker).",
    check: long_wait,
};

fn long_wait(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for (wq, done) in scene.done().filter(|(_, done)| done.long_waits > 0) {
        found.extend(waited(scene, wq, &done));
    }
    for wq in scene.model.workqueues() {
        let subject = Subject::Workqueue(wq.id);
        if found.iter().all(|finding| finding.subject != subject) {
            found.extend(still_waits(scene, wq));
        }
    }
    found
}

/// Items that have started after too long a wait.
fn waited(scene: &Scene<'_>, wq: &Workqueue, done: &Done) -> Option<Finding> {
    let mut parts = done.breakdown;
    // The item's own doing, and the user's.
    let excused = [WaitPart::SelfRun, WaitPart::InactiveFrozen];
    let excused = excused.map(|part| std::mem::take(&mut parts[part as usize]));
    let count = unexcused(done.long_waits, excused, scene.threshold);
    let (reason, most) = main_reason(&parts)?;
    if most < scene.threshold || count == 0 {
        return None;
    }
    let functions = scene.functions_of(wq.id).into_iter();
    let slowest = functions.max_by_key(|(_, done)| sum(&done.breakdown));
    let func = slowest.map_or(FuncId::NONE, |(func, _)| func);
    let name = scene.function(func);
    let sentence = format!(
        "{} of `{}`, mostly of `{name}`, waited over {} before they started; what that workqueue waits for is mainly: {} ({})",
        many(count, "item"),
        wq.name,
        duration(scene.threshold),
        reason.help().trim_end_matches('.'),
        reason.name()
    );
    let finding = Finding::warn(Subject::Workqueue(wq.id), sentence)
        .also([Subject::Function(func)])
        .evidence(vec![
            ("workqueue", Value::str(&*wq.name)),
            ("function", Value::str(name)),
            ("long_waits", Value::Big(count)),
            ("reason", Value::str(reason.name())),
            ("reason_ns", ns(most)),
            ("waited_ns", ns(sum(&done.breakdown))),
            ("max_wait_ns", ns(wq.wait.max)),
        ]);
    Some(finding)
}

/// How many of the long waits are left when those are taken off which the excused parts can explain: only of sums is it
/// known what they were for.
fn unexcused(long_waits: u64, excused: [u64; 2], threshold: u64) -> u64 {
    // From there on a wait may have been counted as long.
    let long = threshold - threshold / 16;
    let sum = excused.into_iter().fold(0, u64::saturating_add);
    long_waits.saturating_sub(sum / long.max(1))
}

/// Items that are held back and have not started.
fn still_waits(scene: &Scene<'_>, wq: &Workqueue) -> Option<Finding> {
    let row = scene.row(wq.id)?;
    let mut oldest: Option<(u64, Hold)> = None;
    for pwq in scene.pwqs(wq.id).iter().filter(|pwq| pwq.held_since > 0) {
        let Some(reason) = hold_reason(row, pwq, scene.pool(pwq.pool)) else {
            continue;
        };
        let age = scene.now().saturating_sub(pwq.held_since);
        let longest = oldest.is_none_or(|(other, _)| age > other);
        if reason != Hold::Frozen && age >= scene.threshold && longest {
            oldest = Some((age, reason));
        }
    }
    let (age, reason) = oldest?;
    let func = scene.waiting(wq.id).first().map(|(func, _)| *func);
    let name = scene.function(func.unwrap_or(FuncId::NONE));
    let sentence = format!(
        "an item of `{}` has been waiting for {}, held back by {}; most that wait are of `{name}`",
        wq.name,
        duration(age),
        reason.word()
    );
    let finding = Finding::recheck(Subject::Workqueue(wq.id), sentence)
        .also(func.map(Subject::Function))
        .evidence(vec![
            ("workqueue", Value::str(&*wq.name)),
            ("function", Value::str(name)),
            ("oldest_ns", ns(age)),
            ("reason", Value::str(reason.word())),
        ]);
    Some(finding)
}

pub(super) static RECLAIM_FLUSH: Lint = Lint {
    name: "reclaim-flush",
    level: Level::Problem,
    help: "An item of a MEM_RECLAIM workqueue waits for a workqueue without a rescuer, which may not go on without memory.",
    threshold: 1,
    unit: Unit::Count,
    threshold_help: "How many threads of a workqueue wait so.",
    holds_ns: 0,
    remedy: "Give the workqueue that is waited for MEM_RECLAIM too, or do not wait for it.",
    check: reclaim_flush,
};

fn reclaim_flush(scene: &Scene<'_>) -> Vec<Finding> {
    let reclaims = |wq| {
        let row = scene.row(wq);
        row.is_some_and(|wq| wq.flags & wq_flags::MEM_RECLAIM != 0)
    };
    let mut waits: BTreeMap<Subject, Vec<(&FlushRow, &WorkerRow)>> = BTreeMap::new();
    for flush in &scene.snapshot.flushes {
        let worker = scene.executing().find(|worker| worker.tid == flush.tid);
        let known = scene.row(flush.wq).is_some();
        if let Some(worker) = worker
            && (worker.kind == WorkerKind::Rescuer || reclaims(worker.wq))
            && known
            && !reclaims(flush.wq)
        {
            let subject = Subject::Workqueue(worker.wq);
            waits.entry(subject).or_default().push((flush, worker));
        }
    }
    waits.retain(|_, waits| waits.len() as u64 >= scene.threshold);
    let finding = |(subject, waits): (Subject, Vec<(&FlushRow, &WorkerRow)>)| {
        let (flush, worker) = waits[0];
        let (waiter, func) = (scene.workqueue(worker.wq), scene.function(worker.func));
        let target = scene.workqueue(flush.wq);
        let since = scene.now().saturating_sub(flush.since);
        let sentence = format!(
            "`{func}` of the MEM_RECLAIM workqueue `{waiter}` waits for `{target}`, which has no rescuer, since {}",
            duration(since)
        );
        Finding::warn(subject, sentence)
            .also([
                Subject::Function(worker.func),
                Subject::Worker(worker.id),
                Subject::Workqueue(flush.wq),
            ])
            .evidence(vec![
                ("workqueue", Value::str(waiter)),
                ("function", Value::str(func)),
                ("worker", Value::str(&*worker.name)),
                ("target", Value::str(target)),
                ("waiters", Value::Big(waits.len() as u64)),
                ("waiting_ns", ns(since)),
            ])
    };
    waits.into_iter().map(finding).collect()
}

pub(super) static FLUSH_DEADLOCK: Lint = Lint {
    name: "flush-deadlock",
    level: Level::Problem,
    help: "Threads wait for each other in a circle, which cannot end.",
    threshold: 1,
    unit: Unit::Count,
    threshold_help: "How many circles there are through one workqueue.",
    holds_ns: 0,
    remedy: "An item must not wait for itself or for its own workqueue: let go of one wait, or use another workqueue.",
    check: flush_deadlock,
};

fn flush_deadlock(scene: &Scene<'_>) -> Vec<Finding> {
    let mut circles: BTreeMap<u32, Vec<&FlushRow>> = BTreeMap::new();
    for flush in scene.snapshot.flushes.iter().filter(|f| f.deadlock > 0) {
        circles.entry(flush.deadlock).or_default().push(flush);
    }
    let mut by_subject: BTreeMap<Subject, Vec<Vec<&FlushRow>>> = BTreeMap::new();
    for circle in circles.into_values() {
        let subject = Subject::Workqueue(circle[0].wq);
        by_subject.entry(subject).or_default().push(circle);
    }
    by_subject.retain(|_, circles| circles.len() as u64 >= scene.threshold);
    let finding = |(subject, circles): (Subject, Vec<Vec<&FlushRow>>)| {
        let circle = &circles[0];
        let each: Vec<String> = circle.iter().map(|wait| told(scene, wait)).collect();
        let since = circle.iter().map(|wait| wait.since).max().unwrap_or(0);
        let sentence = format!("deadlock: {}", each.join(", and "));
        let waiters = circle.iter().map(|wait| Value::Num(i64::from(wait.tid)));
        let also = circle.iter().flat_map(|wait| {
            let worker = scene.executing().find(|worker| worker.tid == wait.tid);
            let worker = worker.map(|w| [Subject::Worker(w.id), Subject::Function(w.func)]);
            worker
                .into_iter()
                .flatten()
                .chain([Subject::Workqueue(wait.wq), Subject::Function(wait.func)])
        });
        Finding::warn(subject, sentence).also(also).evidence(vec![
            ("waiters", Value::List(waiters.collect())),
            ("circles", Value::Big(circles.len() as u64)),
            ("waiting_ns", ns(scene.now().saturating_sub(since))),
        ])
    };
    by_subject.into_iter().map(finding).collect()
}

/// Who waits for what.
fn told(scene: &Scene<'_>, wait: &FlushRow) -> String {
    let worker = scene.executing().find(|worker| worker.tid == wait.tid);
    let waiter = match worker {
        Some(worker) => format!("`{}`", scene.function(worker.func)),
        None => format!("thread {}", wait.tid),
    };
    let wq = scene.workqueue(wait.wq);
    match wait.work {
        0 => format!("{waiter} waits for all of `{wq}`"),
        _ => format!(
            "{waiter} waits for `{}` on `{wq}`",
            scene.function(wait.func)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, MS, S};
    use super::*;
    use crate::ids::WqId;
    use crate::snapshot::WorkerState;

    #[test]
    fn long_wait_fires() {
        let mut bench = Bench::new();
        bench.waited(100, 2 * MS, WaitPart::Runqueue);
        bench.waited(3, 2_500 * MS, WaitPart::Concurrency);
        bench.look(S);
        let warning = bench.only("long-wait");
        assert_eq!(
            warning.sentence,
            "3 items of `mixed`, mostly of `flush_cache`, waited over 2.0 s before they started; what that \
             workqueue waits for is mainly: A managed worker of the pool was running (concurrency)"
        );
    }

    #[test]
    fn long_wait_fires_before_it_is_over() {
        let mut bench = Bench::with("max-active=off");
        let pwq = &mut bench.snapshot.pwqs[0];
        (pwq.nr_inactive, pwq.held_since) = (2, bench.snapshot.at);
        bench.snapshot.pwq_funcs[0].inactive = 2;
        bench.looks(4 * S, |_| ());
        let sentence = &bench.only("long-wait").sentence;
        assert!(sentence.contains("held back by max_active"), "{sentence}");
        assert!(sentence.ends_with("`flush_cache`"), "{sentence}");
    }

    #[test]
    fn long_wait_does_not_fire() {
        let only_short = |bench: &mut Bench| bench.waited(100, 1_900 * MS, WaitPart::Concurrency);
        let mut short = Bench::new();
        short.looks(3 * S, only_short);
        assert_eq!(short.fired(), [""; 0]);
        let mut own = Bench::new();
        own.looks(3 * S, |bench| {
            bench.waited(2, 5 * S, WaitPart::SelfRun);
            bench.waited(2, 5 * S, WaitPart::InactiveFrozen);
        });
        assert_eq!(own.fired(), [""; 0]);
        // All in one: the long waits are the items' own, what takes most time together is many short ones.
        let mut mixed = Bench::new();
        mixed.looks(3 * S, |bench| {
            bench.waited(1, 1_990 * MS, WaitPart::SelfRun);
            bench.waited(1, 5 * S, WaitPart::InactiveFrozen);
            bench.waited(100, 100 * MS, WaitPart::Concurrency);
        });
        assert_eq!(mixed.fired(), [""; 0]);
    }

    #[test]
    fn long_wait_fires_beside_waits_that_are_excused() {
        let mut bench = Bench::new();
        bench.waited(2, 2_500 * MS, WaitPart::SelfRun);
        bench.waited(3, 2_500 * MS, WaitPart::NoWorker);
        bench.look(S);
        let sentence = &bench.only("long-wait").sentence;
        assert!(sentence.starts_with("3 items of `mixed`"), "{sentence}");
        assert!(sentence.ends_with("(no_worker)"), "{sentence}");
    }

    fn waits(bench: &mut Bench, tid: u32, wq: u32, deadlock: u32) {
        bench.snapshot.flushes.push(FlushRow {
            tid,
            wq: WqId(wq),
            since: bench.snapshot.at,
            deadlock,
            ..FlushRow::default()
        });
    }

    #[test]
    fn reclaim_flush_fires() {
        let mut bench = Bench::new();
        let tid = bench.worker(3, 2, WorkerState::Sleeping).tid;
        waits(&mut bench, tid, 1, 0);
        bench.look(S);
        let warning = bench.only("reclaim-flush");
        assert_eq!(
            warning.sentence,
            "`write_back` of the MEM_RECLAIM workqueue `journal` waits for `mixed`, which has no rescuer, since 1.0 s"
        );
        assert!(warning.concerns(Subject::Workqueue(WqId(1))));
    }

    #[test]
    fn reclaim_flush_does_not_fire() {
        let mut bench = Bench::new();
        let reclaim = bench.worker(3, 2, WorkerState::Sleeping).tid;
        let other = bench.worker(1, 1, WorkerState::Sleeping).tid;
        waits(&mut bench, reclaim, 2, 0);
        waits(&mut bench, other, 1, 0);
        waits(&mut bench, other, 2, 0);
        waits(&mut bench, 7, 1, 0);
        waits(&mut bench, reclaim, 99, 0);
        bench.look(S);
        assert_eq!(bench.fired(), [""; 0]);
    }

    #[test]
    fn flush_deadlock_fires() {
        let mut bench = Bench::new();
        let tid = bench.worker(1, 1, WorkerState::Sleeping).tid;
        waits(&mut bench, tid, 1, 1);
        bench.look(S);
        let warning = bench.only("flush-deadlock");
        assert_eq!(
            warning.sentence,
            "deadlock: `write_back` waits for all of `mixed`"
        );
    }

    #[test]
    fn flush_deadlock_does_not_fire() {
        let mut bench = Bench::new();
        let tid = bench.worker(1, 1, WorkerState::Sleeping).tid;
        waits(&mut bench, tid, 1, 0);
        bench.look(S);
        assert_eq!(bench.fired(), [""; 0]);
    }
}

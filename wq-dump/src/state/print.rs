//! The state as sysrq-t prints it, then who waits, and timers.

use super::busy::{self, BusyPool, BusyPwq};
use super::truth::Truth;
use crate::style::Style;
use wq_trace::{
    CpuSet, FlushRow, Names, PoolRow, Snapshot, WorkerKind, WorkerRow, WorkerState, units,
};

/// The text. Pending and inactive items are grouped by function, without order: there the kernel's differs.
pub fn text(snapshot: &Snapshot, truth: &Truth, style: Style) -> String {
    let names = Names::new(snapshot);
    let mut out = String::from("Showing busy workqueues and worker pools:\n");
    for wq in busy::workqueues(snapshot, &names) {
        let name = style.heading(&wq.row.name);
        out += &format!("workqueue {name}: flags={:#x}\n", wq.row.flags);
        for pwq in &wq.pwqs {
            out += &pwq_text(pwq, snapshot, &names, truth, style);
        }
    }
    for pool in busy::pools(snapshot) {
        out += &pool_text(&pool, snapshot, style);
    }
    for flush in &snapshot.flushes {
        out += &flush_text(flush, snapshot, &names, style);
    }
    for function in busy::timers(snapshot) {
        let next = match function.next_expiry.saturating_sub(snapshot.at) {
            0 => "is due".to_owned(),
            left => format!("fires in {}", units::duration(left)),
        };
        out += &format!(
            "timers {}: {} armed, the next {next}\n",
            function.name, function.armed
        );
    }
    out
}

fn pwq_text(
    pwq: &BusyPwq<'_>,
    snapshot: &Snapshot,
    names: &Names,
    truth: &Truth,
    style: Style,
) -> String {
    let pool = pwq
        .pool
        .map_or_else(|| "unknown:".to_owned(), |pool| pool_id(pool, snapshot));
    let row = pwq.row;
    let mut out = format!(
        "  pwq {pool} active={} refcnt={}",
        row.nr_active, row.refcnt
    );
    if row.mayday {
        out += &style.alarm(" MAYDAY");
    }
    if row.plugged {
        out += " plugged";
    }
    out.push('\n');
    if !pwq.in_flight.is_empty() {
        let runs: Vec<_> = pwq
            .in_flight
            .iter()
            .map(|w| worker_text(w, pwq.pool, snapshot, names, truth))
            .collect();
        out += &format!("    in-flight: {}\n", runs.join(", "));
    }
    for (title, items) in [("pending", &pwq.pending), ("inactive", &pwq.inactive)] {
        if !items.is_empty() {
            let items: Vec<_> = items.iter().map(|(name, n)| times(name, *n)).collect();
            out += &format!("    {title}: {}", items.join(", "));
            if title == "inactive" {
                out += &held_text(pwq, snapshot);
            }
            out.push('\n');
        }
    }
    out
}

/// ` held=max_active for 3.0 s`: what holds the inactive items, and how long the oldest has waited.
fn held_text(pwq: &BusyPwq<'_>, snapshot: &Snapshot) -> String {
    let reason = pwq.hold.map(|reason| format!(" held={}", reason.word()));
    let since = match pwq.row.held_since {
        0 => String::new(),
        since => format!(
            " for {}",
            units::duration(snapshot.at.saturating_sub(since))
        ),
    };
    reason.map_or_else(String::new, |reason| reason + &since)
}

/// `2: cpus=0 node=0 flags=0x0 nice=0`, the words by which sysrq-t tells pools apart.
fn pool_id(pool: &PoolRow, snapshot: &Snapshot) -> String {
    let cpus = match (pool.cpu, &pool.cpus) {
        (Some(cpu), _) => cpu.to_string(),
        (None, Some(cpus)) => cpus.list(),
        (None, None) => snapshot
            .meta
            .cpus
            .iter()
            .copied()
            .collect::<CpuSet>()
            .list(),
    };
    let node = pool.node.map(|node| format!(" node={node}"));
    let level = match pool.is_bh() {
        true => pool.bh_word().to_owned(),
        false => format!("nice={}", pool.nice),
    };
    format!(
        "{}: cpus={cpus}{} flags={:#x} {level}",
        pool.number,
        node.unwrap_or_default(),
        pool.flags
    )
}

/// `184:flush_cache for 39.0 s`, with what waits for that very item; `bh:` for a pool without threads to name.
fn worker_text(
    worker: &WorkerRow,
    pool: Option<&PoolRow>,
    snapshot: &Snapshot,
    names: &Names,
    truth: &Truth,
) -> String {
    let who = match (worker.kind, pool) {
        (WorkerKind::Rescuer, _) => format!("{}(RESCUER)", worker.tid),
        (WorkerKind::Bh, Some(pool)) => pool.bh_word().to_owned(),
        (WorkerKind::Bh, None) => "bh".to_owned(),
        (WorkerKind::Normal, _) => worker.tid.to_string(),
    };
    let passed = |since| units::duration(snapshot.at.saturating_sub(since));
    let asleep = match worker.state {
        WorkerState::Sleeping => format!(" (asleep for {})", passed(worker.since)),
        // Nobody has told the engine.
        _ if truth.sleeps(worker.tid) => " (asleep now)".to_owned(),
        _ => String::new(),
    };
    let function = names.function(worker.func);
    let mut out = format!("{who}:{function} for {}{asleep}", passed(worker.started_at));
    for flush in snapshot
        .flushes
        .iter()
        .filter(|f| f.work != 0 && f.work == worker.work)
    {
        out += &format!(" BAR({})", flush.tid);
    }
    out
}

/// Several items of one function: `3*flush_cache`.
fn times(name: &str, n: u32) -> String {
    match n {
        1 => name.to_owned(),
        _ => format!("{n}*{name}"),
    }
}

fn pool_text(pool: &BusyPool<'_>, snapshot: &Snapshot, style: Style) -> String {
    let seconds = hung(pool.row, snapshot) / 1_000_000_000;
    let hung = match seconds {
        0 => "hung=0s".to_owned(),
        _ => style.alarm(&format!("hung={seconds}s")),
    };
    let id = pool_id(pool.row, snapshot);
    let mut out = format!("pool {id} {hung} workers={}", pool.row.nr_workers);
    if let Some(manager) = pool.manager {
        let since = snapshot.at.saturating_sub(manager.since);
        out += &format!(" manager: {} for {}", manager.tid, units::duration(since));
    }
    if !pool.idle.is_empty() {
        let name = |w: &&WorkerRow| match w.kind {
            WorkerKind::Bh => pool.row.bh_word().to_owned(),
            _ => w.tid.to_string(),
        };
        let tids: Vec<_> = pool.idle.iter().map(name).collect();
        out += &format!(" idle: {}", tids.join(" "));
    }
    out.push('\n');
    out
}

fn flush_text(flush: &FlushRow, snapshot: &Snapshot, names: &Names, style: Style) -> String {
    let since = units::duration(snapshot.at.saturating_sub(flush.since));
    let target = match flush.work {
        0 => format!("workqueue {}", names.workqueue(flush.wq)),
        work => format!("work {work:016x} {}", names.function(flush.func)),
    };
    // Of a circle of waits every line has the same number.
    let deadlock = match flush.deadlock {
        0 => String::new(),
        n => style.alarm(&format!(" deadlock {n}")),
    };
    let inside = executed_by(flush.tid, snapshot, names);
    let inside = inside.map_or_else(String::new, |function| format!(" in {function}"));
    format!(
        "waiter {}-{}{inside}: {target} for {since}{deadlock}\n",
        names.comm(flush.tid),
        flush.tid
    )
}

/// The function that a thread executes, if it is a worker's.
pub fn executed_by<'n>(tid: u32, snapshot: &Snapshot, names: &'n Names) -> Option<&'n str> {
    let mut workers = snapshot.workers.iter();
    let worker = workers.find(|w| tid != 0 && w.tid == tid && w.work != 0)?;
    Some(names.function(worker.func))
}

/// Nanoseconds without progress while items wait.
pub fn hung(pool: &PoolRow, snapshot: &Snapshot) -> u64 {
    match pool.nr_pending {
        0 => 0,
        _ => snapshot.at.saturating_sub(pool.last_progress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn text_of_a_busy_engine() {
        insta::assert_snapshot!(text(
            &fixture::snapshot(),
            &Truth::default(),
            Style::default()
        ));
    }

    #[test]
    fn text_of_an_idle_engine() {
        let text = text(&fixture::idle(), &Truth::default(), Style::default());
        assert_eq!(text, "Showing busy workqueues and worker pools:\n");
    }

    /// A rescuer at work on a pool in need, a BH item, waits that close a circle.
    #[test]
    fn text_of_an_engine_in_trouble() {
        let snapshot = fixture::in_trouble();
        insta::assert_snapshot!(text(&snapshot, &Truth::default(), Style::default()));
        let red = text(&snapshot, &Truth::default(), Style { on: true });
        assert!(red.contains("\u{1b}[31m MAYDAY\u{1b}[0m"), "{red:?}");
    }

    #[test]
    fn rows_that_point_nowhere_are_unknown() {
        let mut snapshot = fixture::snapshot();
        snapshot.pools.clear();
        snapshot.functions.clear();
        let text = text(&snapshot, &Truth::default(), Style::default());
        assert!(text.contains("pwq unknown: active="), "{text}");
        assert!(text.contains("pending: 3*unknown"), "{text}");
    }

    /// The kernel knows it before the engine.
    #[test]
    fn a_worker_that_sleeps_unnoticed_is_told() {
        let truth = Truth::made_up(&[(4702, 'S'), (4703, 'R')]);
        let text = text(&fixture::snapshot(), &truth, Style::default());
        assert!(
            text.contains("4702:flush_cache for 5.0 ms (asleep now)"),
            "{text}"
        );
        assert!(
            text.contains("4703:write_back for 39.0 s (asleep for"),
            "{text}"
        );
    }

    #[test]
    fn a_waiter_that_is_a_worker_is_shown_with_its_function() {
        let mut snapshot = fixture::snapshot();
        snapshot.flushes[0].tid = 4702;
        let text = text(&snapshot, &Truth::default(), Style::default());
        assert!(
            text.contains("waiter kworker/0:1-4702 in flush_cache: work "),
            "{text}"
        );
    }
}

//! The two forms of the state: sysrq-t's text and JSON.

use super::busy::{self, BusyPool, BusyPwq};
use crate::style::Style;
use wq_trace::model::columns;
use wq_trace::{
    CpuSet, FlushRow, Limits, Model, Names, PoolRow, Snapshot, Value, WorkerKind, WorkerRow,
    WorkerState, units,
};

/// The text. Pending and inactive items are grouped by function, without order: there the kernel's differs.
pub fn text(snapshot: &Snapshot, style: Style) -> String {
    let names = Names::new(snapshot);
    let mut out = String::from("Showing busy workqueues and worker pools:\n");
    for wq in busy::workqueues(snapshot, &names) {
        let name = style.heading(&wq.row.name);
        out += &format!("workqueue {name}: flags={:#x}\n", wq.row.flags);
        for pwq in &wq.pwqs {
            out += &pwq_text(pwq, snapshot, &names, style);
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

/// `{workqueues:[..],pools:[..],flushes:[..],timers:[..]}`.
pub fn json(snapshot: &Snapshot) -> Value {
    let names = Names::new(snapshot);
    let workqueues = busy::workqueues(snapshot, &names).into_iter().map(|wq| {
        Value::Object(vec![
            ("name", Value::str(&wq.row.name)),
            ("id", Value::Num(wq.row.id.0.into())),
            ("flags", Value::Bits(wq.row.flags.into())),
            ("max_active", Value::Num(wq.row.max_active.into())),
            (
                "pwqs",
                wq.pwqs
                    .iter()
                    .map(|p| pwq_json(p, snapshot, &names))
                    .collect::<Vec<_>>()
                    .into(),
            ),
        ])
    });
    let workqueues: Vec<_> = workqueues.collect();
    let flushes: Vec<_> = snapshot
        .flushes
        .iter()
        .map(|f| flush_json(f, snapshot, &names))
        .collect();
    let timers: Vec<_> = busy::timers(snapshot)
        .map(|function| {
            let left = function.next_expiry.saturating_sub(snapshot.at);
            Value::Object(vec![
                ("function", Value::str(&function.name)),
                ("armed", Value::Num(function.armed.into())),
                ("next_in_ns", Value::Big(left)),
            ])
        })
        .collect();
    Value::Object(vec![
        ("workqueues", workqueues.into()),
        ("pools", pools_json(snapshot)),
        ("flushes", flushes.into()),
        ("timers", timers.into()),
    ])
}

fn pwq_text(pwq: &BusyPwq<'_>, snapshot: &Snapshot, names: &Names, style: Style) -> String {
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
            .map(|w| worker_text(w, pwq.pool, snapshot, names))
            .collect();
        out += &format!("    in-flight: {}\n", runs.join(", "));
    }
    for (title, items) in [("pending", &pwq.pending), ("inactive", &pwq.inactive)] {
        if !items.is_empty() {
            let items: Vec<_> = items.iter().map(|(name, n)| times(name, *n)).collect();
            out += &format!("    {title}: {}\n", items.join(", "));
        }
    }
    out
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
) -> String {
    let who = match (worker.kind, pool) {
        (WorkerKind::Rescuer, _) => format!("{}(RESCUER)", worker.tid),
        (WorkerKind::Bh, Some(pool)) => pool.bh_word().to_owned(),
        (WorkerKind::Bh, None) => "bh".to_owned(),
        (WorkerKind::Normal, _) => worker.tid.to_string(),
    };
    let asleep = if worker.state == WorkerState::Sleeping {
        " asleep"
    } else {
        ""
    };
    let mut out = format!(
        "{who}:{} for {}{asleep}",
        names.function(worker.func),
        units::duration(snapshot.at.saturating_sub(worker.started_at)),
    );
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
        out += &format!(" manager: {}", manager.tid);
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
    format!(
        "waiter {}-{}: {target} for {since}{deadlock}\n",
        names.comm(flush.tid),
        flush.tid
    )
}

fn pwq_json(pwq: &BusyPwq<'_>, snapshot: &Snapshot, names: &Names) -> Value {
    let counted = |items: &[(&str, u32)]| {
        let object = |(name, n): &(&str, u32)| {
            let count = ("count", Value::Num((*n).into()));
            Value::Object(vec![("function", Value::str(*name)), count])
        };
        Value::List(items.iter().map(object).collect())
    };
    let in_flight = pwq.in_flight.iter().map(|worker| {
        let run = snapshot.at.saturating_sub(worker.started_at);
        Value::Object(vec![
            ("tid", Value::Num(worker.tid.into())),
            ("worker", Value::str(&worker.name)),
            ("kind", Value::str(worker.kind.word())),
            ("work", Value::Hex(worker.work)),
            ("function", Value::str(names.function(worker.func))),
            ("state", Value::str(worker.state.word())),
            ("for_ns", Value::Big(run)),
        ])
    });
    Value::Object(vec![
        ("pool", Value::opt(pwq.pool.map(|p| p.number))),
        ("active", Value::Num(pwq.row.nr_active.into())),
        ("refcnt", Value::Num(pwq.row.refcnt.into())),
        ("inflight", Value::List(in_flight.collect())),
        ("pending", counted(&pwq.pending)),
        ("inactive", counted(&pwq.inactive)),
        ("mayday", Value::Bool(pwq.row.mayday)),
        ("plugged", Value::Bool(pwq.row.plugged)),
    ])
}

/// The busy pools, each with the keys of `stats` and what only the state tells.
fn pools_json(snapshot: &Snapshot) -> Value {
    let mut model = Model::new(Limits {
        history: 1,
        producers: 0,
    });
    model.apply_snapshot(snapshot);
    let tids = |workers: &[&WorkerRow]| {
        Value::List(workers.iter().map(|w| Value::Num(w.tid.into())).collect())
    };
    let pools = busy::pools(snapshot).into_iter().filter_map(|busy| {
        let pool = model.pools().iter().find(|p| p.row.id == busy.row.id)?;
        let mut fields = columns::pool_fields(pool);
        fields.push(("node", Value::opt(busy.row.node.map(u32::from))));
        fields.push(("flags", Value::Bits(busy.row.flags.into())));
        fields.push(("hung_ns", Value::Big(hung(busy.row, snapshot))));
        fields.push(("manager", Value::opt(busy.manager.map(|w| w.tid))));
        fields.push(("idle_tids", tids(&busy.idle)));
        Some(Value::Object(fields))
    });
    Value::List(pools.collect())
}

fn flush_json(flush: &FlushRow, snapshot: &Snapshot, names: &Names) -> Value {
    let mut fields = vec![
        ("tid", Value::Num(flush.tid.into())),
        ("comm", Value::str(names.comm(flush.tid))),
        ("workqueue", Value::str(names.workqueue(flush.wq))),
    ];
    if flush.work != 0 {
        fields.push(("work", Value::Hex(flush.work)));
        fields.push(("function", Value::str(names.function(flush.func))));
    }
    fields.push((
        "for_ns",
        Value::Big(snapshot.at.saturating_sub(flush.since)),
    ));
    let deadlock = Some(flush.deadlock).filter(|&n| n != 0);
    fields.push(("deadlock", Value::opt(deadlock)));
    Value::Object(fields)
}

/// Nanoseconds without progress while items wait.
fn hung(pool: &PoolRow, snapshot: &Snapshot) -> u64 {
    match pool.nr_pending {
        0 => 0,
        _ => snapshot.at.saturating_sub(pool.last_progress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::json::Json;

    #[test]
    fn text_of_a_busy_engine() {
        insta::assert_snapshot!(text(&fixture::snapshot(), Style::default()));
    }

    #[test]
    fn text_of_an_idle_engine() {
        let text = text(&fixture::idle(), Style::default());
        assert_eq!(text, "Showing busy workqueues and worker pools:\n");
    }

    #[test]
    fn json_of_a_busy_engine() {
        let json = json(&fixture::snapshot());
        insta::assert_snapshot!(serde_json::to_string_pretty(&Json(&json)).expect("JSON"));
    }

    /// A rescuer at work on a pool in need, a BH item, waits that close a circle.
    #[test]
    fn text_of_an_engine_in_trouble() {
        let snapshot = fixture::in_trouble();
        insta::assert_snapshot!(text(&snapshot, Style::default()));
        let red = text(&snapshot, Style { on: true });
        assert!(red.contains("\u{1b}[31m MAYDAY\u{1b}[0m"), "{red:?}");
    }

    #[test]
    fn rows_that_point_nowhere_are_unknown() {
        let mut snapshot = fixture::snapshot();
        snapshot.pools.clear();
        snapshot.functions.clear();
        let text = text(&snapshot, Style::default());
        assert!(text.contains("pwq unknown: active="), "{text}");
        assert!(text.contains("pending: 3*unknown"), "{text}");
    }
}

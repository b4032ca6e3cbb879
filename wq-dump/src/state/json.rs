//! The state as JSON.

use super::busy::{self, BusyPwq};
use super::print::{executed_by, hung};
use super::truth::Truth;
use wq_trace::model::columns;
use wq_trace::{FlushRow, Limits, Model, Names, Snapshot, Value, WorkerRow, WorkerState};

/// `{workqueues:[..],pools:[..],flushes:[..],timers:[..]}`.
pub fn json(snapshot: &Snapshot, truth: &Truth) -> Value {
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
                    .map(|p| pwq_json(p, snapshot, &names, truth))
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

fn pwq_json(pwq: &BusyPwq<'_>, snapshot: &Snapshot, names: &Names, truth: &Truth) -> Value {
    let counted = |items: &[(&str, u32)]| {
        let object = |(name, n): &(&str, u32)| {
            let count = ("count", Value::Num((*n).into()));
            Value::Object(vec![("function", Value::str(*name)), count])
        };
        Value::List(items.iter().map(object).collect())
    };
    let in_flight = pwq.in_flight.iter().map(|worker| {
        let run = snapshot.at.saturating_sub(worker.started_at);
        let asleep = (worker.state == WorkerState::Sleeping)
            .then(|| snapshot.at.saturating_sub(worker.since));
        let os_state = truth.state(worker.tid);
        let os_state = os_state.map_or(Value::Unknown, |state| Value::Str(state.into()));
        Value::Object(vec![
            ("tid", Value::Num(worker.tid.into())),
            ("worker", Value::str(&worker.name)),
            ("kind", Value::str(worker.kind.word())),
            ("work", Value::Hex(worker.work)),
            ("function", Value::str(names.function(worker.func))),
            ("state", Value::str(worker.state.word())),
            ("for_ns", Value::Big(run)),
            ("asleep_ns", asleep.map_or(Value::Unknown, Value::Big)),
            ("os_state", os_state),
        ])
    });
    let held = pwq.hold.map_or(Value::Unknown, |reason| {
        let since = Some(pwq.row.held_since).filter(|&since| since > 0);
        let waits = since.map(|since| snapshot.at.saturating_sub(since));
        Value::Object(vec![
            ("reason", Value::str(reason.word())),
            ("for_ns", waits.map_or(Value::Unknown, Value::Big)),
        ])
    });
    Value::Object(vec![
        ("pool", Value::opt(pwq.pool.map(|p| p.number))),
        ("active", Value::Num(pwq.row.nr_active.into())),
        ("refcnt", Value::Num(pwq.row.refcnt.into())),
        ("inflight", Value::List(in_flight.collect())),
        ("pending", counted(&pwq.pending)),
        ("inactive", counted(&pwq.inactive)),
        ("held", held),
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
        let managing = busy.manager.map(|w| snapshot.at.saturating_sub(w.since));
        fields.push(("manager_ns", managing.map_or(Value::Unknown, Value::Big)));
        fields.push(("idle_tids", tids(&busy.idle)));
        let idle_for = |w: &&WorkerRow| Value::Big(snapshot.at.saturating_sub(w.since));
        fields.push((
            "idle_ns",
            Value::List(busy.idle.iter().map(idle_for).collect()),
        ));
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
    let inside = executed_by(flush.tid, snapshot, names);
    fields.push(("inside", inside.map_or(Value::Unknown, Value::str)));
    fields.push((
        "for_ns",
        Value::Big(snapshot.at.saturating_sub(flush.since)),
    ));
    let deadlock = Some(flush.deadlock).filter(|&n| n != 0);
    fields.push(("deadlock", Value::opt(deadlock)));
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::json::Json;

    #[test]
    fn json_of_a_busy_engine() {
        let truth = Truth::made_up(&[(4702, 'R'), (4703, 'S')]);
        let json = json(&fixture::snapshot(), &truth);
        insta::assert_snapshot!(serde_json::to_string_pretty(&Json(&json)).expect("JSON"));
    }
}

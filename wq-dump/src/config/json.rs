//! The configuration as JSON: `{scopes,pools,map,rescuers,nodes,sensing}`, then the settings that are one value each.

use super::served::Served;
use wq_trace::{CpuSet, NodeRow, PoolRow, Reaction, ScopeRow, Snapshot, Value, WorkqueueRow};

/// The JSON object. What the engine does not say is `null`.
pub fn json(snapshot: &Snapshot) -> Value {
    let served = Served::new(snapshot);
    let settings = &snapshot.settings;
    let scopes = settings.scopes.iter().map(|row| {
        let is_default = settings.default_scope == Some(row.scope);
        scope(row, is_default, served.cpus)
    });
    let pools = snapshot.pools.iter().map(|row| pool(row, &served));
    let map = snapshot.workqueues.iter().map(|row| mapped(row, &served));
    Value::Object(vec![
        ("scopes", Value::List(scopes.collect())),
        ("pools", Value::List(pools.collect())),
        ("map", Value::List(map.collect())),
        ("rescuers", rescuers(&served)),
        ("nodes", nodes(&served)),
        ("sensing", sensing(snapshot)),
        ("settings", numbers(snapshot)),
    ])
}

fn scope(row: &ScopeRow, is_default: bool, cpus: &[u16]) -> Value {
    let pods = row.pods.iter().map(|pod| {
        Value::Object(vec![
            ("cpus", list(&pod.cpus)),
            ("node", Value::opt(pod.node.map(u32::from))),
        ])
    });
    let cpu_pod = cpus.iter().map(|&cpu| {
        Value::Object(vec![
            ("cpu", Value::Num(cpu.into())),
            ("pod", Value::opt(row.pod_of(cpu).map(|pod| pod as u32))),
        ])
    });
    Value::Object(vec![
        ("name", Value::str(row.scope.word())),
        ("default", Value::Bool(is_default)),
        ("nr_pods", Value::Num(row.pods.len() as i64)),
        ("pods", Value::List(pods.collect())),
        ("cpu_pod", Value::List(cpu_pod.collect())),
    ])
}

fn pool(row: &PoolRow, served: &Served<'_>) -> Value {
    let n = |n: u32| Value::Num(n.into());
    Value::Object(vec![
        ("id", n(row.number)),
        ("flags", Value::Bits(row.flags.into())),
        ("ref", n(served.refcnt(row))),
        ("nice", Value::Num(row.nice.into())),
        ("nice_granted", Value::Bool(row.nice_granted)),
        ("idle", n(row.nr_idle)),
        ("workers", n(row.nr_workers)),
        ("cpu", Value::opt(row.cpu.map(u32::from))),
        ("bh", Value::Bool(row.is_bh())),
        ("cpus", set(row.cpus.as_ref())),
        ("pod_cpus", set(row.pod_cpus.as_ref())),
        ("strict", Value::Bool(row.strict)),
        ("node", Value::opt(row.node.map(u32::from))),
    ])
}

fn mapped(row: &WorkqueueRow, served: &Served<'_>) -> Value {
    let pools = served.cpus.iter().zip(served.pools(row)).map(|(cpu, id)| {
        Value::Object(vec![
            ("cpu", Value::Num((*cpu).into())),
            ("pool", Value::opt(id)),
        ])
    });
    let attrs = row.attrs.as_ref();
    let scope = attrs.map_or(Value::Unknown, |a| Value::str(a.scope.word()));
    let nice = attrs.map_or(Value::Unknown, |a| Value::Num(a.nice.into()));
    Value::Object(vec![
        ("name", Value::str(&row.name)),
        ("id", Value::Num(row.id.0.into())),
        ("type", Value::str(row.kind())),
        ("flags", Value::Bits(row.flags.into())),
        ("max_active", Value::Num(row.max_active.into())),
        ("pools", Value::List(pools.collect())),
        ("dfl", Value::opt(served.default_of(row))),
        ("nice", nice),
        ("affinity_scope", scope),
        ("cpus", set(served.asked(row).as_ref())),
    ])
}

fn rescuers(served: &Served<'_>) -> Value {
    let rows = served.rescued().map(|(wq, rescuer)| {
        let worker = rescuer.map_or(Value::Unknown, |w| Value::str(&w.name));
        Value::Object(vec![
            ("name", Value::str(&wq.name)),
            ("id", Value::Num(wq.id.0.into())),
            ("unbound_cpus", set(served.asked(wq).as_ref())),
            ("tid", Value::opt(rescuer.map(|w| w.tid))),
            ("worker", worker),
            ("rescuer_cpus", set(rescuer.and_then(|w| w.cpus.as_ref()))),
        ])
    });
    Value::List(rows.collect())
}

fn nodes(served: &Served<'_>) -> Value {
    let settings = &served.snapshot.settings;
    let share = |share: &Option<NodeRow>| match share {
        None => Value::Unknown,
        Some(row) => Value::Object(vec![
            ("nr", Value::Num(row.nr.into())),
            ("max", Value::Num(row.max.into())),
        ]),
    };
    let rows = served.unbound().map(|wq| {
        let shares = served.shares(wq);
        let n = |n: u32| Value::Num(n.into());
        let min = Some(wq.effective_min_active).filter(|_| wq.min_active > 0);
        Value::Object(vec![
            ("name", Value::str(&wq.name)),
            ("id", n(wq.id.0)),
            ("min_active", Value::opt(min)),
            ("max_active", n(wq.effective_max_active)),
            (
                "nodes",
                Value::List(shares.iter().take(served.nodes).map(share).collect()),
            ),
            ("dfl", shares.last().map_or(Value::Unknown, share)),
        ])
    });
    let cpus = settings.nodes.iter().map(list).collect();
    Value::Object(vec![
        ("online_cpus", set(settings.online_cpus.as_ref())),
        ("cpus", Value::List(cpus)),
        ("workqueues", Value::List(rows.collect())),
    ])
}

fn sensing(snapshot: &Snapshot) -> Value {
    let info = &snapshot.sensing;
    let sums = snapshot.canaries();
    let known = info.reaction != Reaction::Unknown;
    let count = |n: u64| match known {
        true => Value::Big(n),
        false => Value::Unknown,
    };
    let asked = Some(&info.asked).filter(|asked| !asked.is_empty());
    let descriptors = Some(info.descriptors).filter(|&limit| limit > 0);
    Value::Object(vec![
        ("mode", Value::str(&snapshot.meta.sensing)),
        ("asked", asked.map_or(Value::Unknown, Value::str)),
        ("reason", Value::str(&snapshot.meta.sensing_reason)),
        ("reaction", reaction(info.reaction)),
        ("descriptors", Value::opt(descriptors)),
        ("unwatched", count(sums.unwatched)),
        ("armed", count(sums.armed)),
        ("pools", count(sums.pools)),
        ("armings", count(sums.armings)),
        ("decisions", count(sums.decisions)),
        ("false_decisions", count(sums.false_decisions)),
        (
            "notes",
            Value::List(info.notes.iter().map(Value::str).collect()),
        ),
    ])
}

/// `{state,p50_ns,p99_ns,rounds}`; the numbers are `null` unless it was measured.
fn reaction(reaction: Reaction) -> Value {
    let (p50, p99, tried) = match reaction {
        Reaction::Measured {
            p50_ns,
            p99_ns,
            rounds,
        } => (
            Value::Big(p50_ns),
            Value::Big(p99_ns),
            Value::Num(rounds.into()),
        ),
        Reaction::Unknown | Reaction::NotMeasured | Reaction::NoAnswer => {
            (Value::Unknown, Value::Unknown, Value::Unknown)
        }
    };
    let state = match reaction {
        Reaction::Unknown => Value::Unknown,
        known => Value::str(known.word()),
    };
    Value::Object(vec![
        ("state", state),
        ("p50_ns", p50),
        ("p99_ns", p99),
        ("rounds", tried),
    ])
}

fn numbers(snapshot: &Snapshot) -> Value {
    let s = &snapshot.settings;
    let ns = |ns: Option<u64>| ns.map_or(Value::Unknown, Value::Big);
    let cpus = snapshot.meta.cpus.iter().copied().collect();
    let scope = s.default_scope.map(|scope| Value::str(scope.word()));
    Value::Object(vec![
        ("cpus", list(&cpus)),
        ("unbound_cpus", set(s.unbound_cpus.as_ref())),
        ("default_affinity_scope", scope.unwrap_or(Value::Unknown)),
        (
            "power_efficient",
            s.power_efficient.map_or(Value::Unknown, Value::Bool),
        ),
        ("cpu_intensive_thresh_ns", ns(s.cpu_intensive_thresh_ns)),
        ("watchdog_thresh_ns", ns(s.watchdog_thresh_ns)),
        ("idle_timeout_ns", ns(s.idle_timeout_ns)),
    ])
}

fn set(cpus: Option<&CpuSet>) -> Value {
    cpus.map_or(Value::Unknown, list)
}

fn list(cpus: &CpuSet) -> Value {
    Value::List(cpus.iter().map(|cpu| Value::Num(cpu.into())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::json::Json;

    fn printed(snapshot: &Snapshot) -> String {
        serde_json::to_string_pretty(&Json(&json(snapshot))).expect("JSON")
    }

    #[test]
    fn json_of_an_engine_that_tells_all() {
        insta::assert_snapshot!(printed(&fixture::configured()));
    }

    #[test]
    fn json_of_an_engine_that_tells_little() {
        insta::assert_snapshot!(printed(&fixture::idle()));
    }
}

//! What the binary prints as JSON is what the published schemas say.

mod common;
#[path = "../../engine/trace/schema/check.rs"]
mod schema;

use common::{Engine, Place};
use schema::check;
use wq_trace::{Drop, FlushTarget, Hold, REQ_CPU_LOCAL, Wake, Was, What};

/// Every event, and of those that say why each reason.
fn all_events() -> Vec<What> {
    let mut all = vec![
        What::QueueWork {
            req_cpu: REQ_CPU_LOCAL,
            cpu: -1,
        },
        What::ActivateWork,
        What::ExecuteStart,
        What::ExecuteEnd,
        What::DisableWork { depth: 1 },
        What::EnableWork { depth: 0 },
        What::TimerArm { delay_us: 5 },
        What::WorkerCreate { nr_workers: 1 },
        What::WorkerDestroy { nr_workers: 1 },
        What::WorkerIdle { nr_idle: 1 },
        What::WorkerSleep { nr_running: 1 },
        What::WorkerResume { nr_running: 1 },
        What::ManagerStart,
        What::ManagerEnd,
        What::CpuIntensive { cpu_us: 9 },
        What::Mayday,
        What::Rescue,
        What::Stall { seconds: 30 },
        What::Panic,
        What::MaxActive { old: 1, new: 2 },
    ];
    let (flags, max_active) = (0x100, 4);
    all.extend([
        What::Alloc { flags, max_active },
        What::Destroy { flags, max_active },
        What::Freeze { flags, max_active },
        What::Thaw { flags, max_active },
    ]);
    all.extend([0, 200].map(|scope| What::Attrs {
        nice: -5,
        strict: true,
        scope,
        cpumask: 3,
    }));
    for &target in FlushTarget::ALL {
        let (waiter, cycle) = (7, 1);
        all.extend([
            What::FlushStart { target },
            What::FlushEnd { target },
            What::Deadlock {
                target,
                waiter,
                cycle,
            },
        ]);
    }
    all.extend(Hold::ALL.iter().map(|&reason| What::HoldWork { reason }));
    all.extend(Drop::ALL.iter().map(|&reason| What::DropWork { reason }));
    all.extend(Wake::ALL.iter().map(|&reason| What::WorkerWake { reason }));
    all.extend(Was::ALL.iter().map(|&was| What::CancelWork { was }));
    all
}

#[test]
fn documents_are_as_published() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    engine.work(3);
    let file = engine.path.to_str().expect("UTF-8");
    for command in ["config", "state", "stats"] {
        let json = place.run(&[command, "--json", "--file", file]).json();
        check(command, &json);
    }
    std::fs::write(place.path().join("7-odd.wqseg"), "no segment").expect("a file");
    let list = place.run(&["list", "--json"]).json();
    assert_eq!(list.as_array().map(Vec::len), Some(2), "{list}");
    check("list", &list);
}

#[test]
fn events_are_as_published() {
    let place = Place::new();
    let mut engine = Engine::start(&place, "demo");
    let all = all_events();
    let mut seen: Vec<&str> = all.iter().map(wq_trace::text::name).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), wq_trace::text::NAMES.len(), "{seen:?}");
    // More than the ring holds: a loss is among them.
    for what in all.iter().cycle().take(all.len().max(64) + 5) {
        engine.emit_now(5, *what);
    }
    let file = engine.path.to_str().expect("UTF-8");
    let run = place.run(&["events", "--json", "--file", file]);
    let lines: Vec<serde_json::Value> = run
        .good()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    for event in ["lost", "workqueue_attrs", "workqueue_deadlock", "end"] {
        assert!(lines.iter().any(|line| line["event"] == event), "{event}");
    }
    for line in &lines {
        check("events", line);
    }
}

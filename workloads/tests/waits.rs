//! The parts of a wait in the simulator: a script for each part that produces only it, to the nanosecond, and one that
//! mixes them all in known amounts.
//!
//! Three parts have no script. `sensing` is the time until a block is noticed, and the simulator notices at once; on
//! threads it is what the tick and the canary date. `inactive_plugged` needs other attributes for an ordered workqueue,
//! which no step of a script gives. `unknown` is what nothing explains: none of these scripts may have any.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use wq_engine::sim::{End, simulate};
use wq_replay::load;
use wq_trace::WaitPart::{self, *};
use wq_trace::{Breakdown, FuncId};

/// Parts in milliseconds, by work. Works that did not wait are left out.
type Parts = BTreeMap<String, Vec<(WaitPart, u64)>>;

/// Simulates a script of the folder `waits`; every work's parts add up to what its executions say.
fn parts(name: &str) -> Parts {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/waits");
    let script = load(folder.join(format!("{name}.toml"))).unwrap_or_else(|e| panic!("{e}"));
    let outcome = simulate(&script.program, &AtomicBool::new(false), &mut |_| {}).expect("it ends");
    assert_eq!(outcome.end, End::Done);
    let snapshot = &outcome.snapshot;
    let mut all = Parts::new();
    for (index, work) in script.program.works.iter().enumerate() {
        let func = snapshot.functions.iter().find(|f| f.name == work.name);
        let sum = booked(snapshot, func.expect("it ran").id);
        let items = outcome.items.iter().filter(|item| item.work == index);
        let executions = items.flat_map(|item| &item.executions);
        let waited: u64 = executions.map(|e| e.started_ns - e.queued_ns).sum();
        assert_eq!(sum.iter().sum::<u64>(), waited, "{name}: {}", work.name);
        let ms = |part: WaitPart| {
            let ns = sum[part as usize];
            assert_eq!(ns % 1_000_000, 0, "{name}: {}: {}", work.name, part.name());
            (part, ns / 1_000_000)
        };
        let named: Vec<_> = WaitPart::ALL.iter().map(|&part| ms(part)).collect();
        let waits: Vec<_> = named.into_iter().filter(|(_, ms)| *ms > 0).collect();
        if !waits.is_empty() {
            all.insert(work.name.clone(), waits);
        }
    }
    all
}

fn booked(snapshot: &wq_trace::Snapshot, func: FuncId) -> Breakdown {
    let mut sum = Breakdown::default();
    for row in snapshot.pwq_funcs.iter().filter(|row| row.func == func) {
        for (sum, part) in sum.iter_mut().zip(row.breakdown) {
            *sum += part;
        }
    }
    sum
}

#[test]
fn each_script_produces_its_part_and_nothing_else() {
    for (script, part, ms) in [
        ("part-max-active", InactiveMaxActive, 600),
        ("part-node", InactiveNode, 400),
        ("part-ordered", InactiveOrdered, 600),
        ("part-frozen", InactiveFrozen, 3000),
        ("part-self", SelfRun, 300),
        ("part-bh", Bh, 300),
        ("part-concurrency", Concurrency, 300),
        ("part-no-worker", NoWorker, 3000),
        ("part-runqueue", Runqueue, 100),
    ] {
        let expected = Parts::from([("job".to_owned(), vec![(part, ms)])]);
        assert_eq!(parts(script), expected, "{script}");
    }
}

#[test]
fn a_script_that_mixes_all_has_each_in_its_place() {
    let expected = [
        ("w_max_active", vec![(InactiveMaxActive, 600)]),
        ("w_node", vec![(InactiveNode, 400)]),
        ("w_ordered", vec![(InactiveOrdered, 600)]),
        ("w_frozen", vec![(InactiveFrozen, 900)]),
        ("w_self", vec![(SelfRun, 300)]),
        ("w_bh", vec![(Bh, 300)]),
        ("w_concurrency", vec![(Concurrency, 300)]),
        ("w_no_worker", vec![(NoWorker, 500)]),
        ("w_runqueue", vec![(Runqueue, 100)]),
        // 100 ms behind `opener`, then 150 behind `crunch`, which waits for `opener` too.
        (
            "chained",
            vec![(InactiveMaxActive, 100), (Concurrency, 150)],
        ),
        ("crunch", vec![(Concurrency, 100)]),
        // 40 ms behind `sleeper`, then 100 behind `important`, which waits 20 for the CPU.
        ("late", vec![(Concurrency, 40), (Runqueue, 100)]),
        ("important", vec![(Runqueue, 20)]),
    ];
    let expected = expected.map(|(work, parts)| (work.to_owned(), parts));
    assert_eq!(parts("wait-mixed"), Parts::from(expected));
}

//! What the segment says of items that are held back: since when, and why.

use std::sync::mpsc;
use std::time::{Duration, Instant};
use wq_engine::{Engine, Work, WqFlags};
use wq_trace::{Hold, PwqRow, Reader, Snapshot, hold_reason};

/// Nothing here takes so long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

fn snapshot(engine: &Engine) -> Snapshot {
    let path = engine.segment_path().expect("a segment");
    let reader = Reader::open(path).expect("it can be opened");
    reader.snapshot().expect("it can be read")
}

/// The pwq of that workqueue with inactive items, and why they are.
fn held(snapshot: &Snapshot, name: &str) -> Option<(PwqRow, Option<Hold>)> {
    let wq = snapshot.workqueues.iter().find(|wq| wq.name == name)?;
    let mut pwqs = snapshot.pwqs.iter().filter(|pwq| pwq.wq == wq.id);
    let pwq = pwqs.find(|pwq| pwq.nr_inactive > 0)?;
    let pool = snapshot.pools.iter().find(|pool| pool.id == pwq.pool);
    Some((pwq.clone(), hold_reason(wq, pwq, pool)))
}

#[test]
fn the_oldest_held_item_is_dated_and_its_reason_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let engine = Engine::builder()
        .name("held")
        .segment_dir(dir.path())
        .build();
    let engine = engine.expect("an engine");
    for (name, ordered, reason) in [
        ("few", false, Hold::MaxActive),
        ("queue", true, Hold::Ordered),
    ] {
        let wq = match ordered {
            true => engine.alloc_ordered_workqueue(name, WqFlags::empty()),
            false => engine.alloc_workqueue(name, WqFlags::PERCPU, 1),
        };
        let wq = wq.expect("a workqueue");
        let (go, gate) = mpsc::channel::<()>();
        let gate = std::sync::Mutex::new(gate);
        let first = Work::new(move |_| {
            let _ = gate.lock().expect("the gate").recv_timeout(PATIENCE);
        });
        let others = [Work::new(|_| ()), Work::new(|_| ())];
        let cpu = engine_cpu(&engine);
        let before = snapshot(&engine).at;
        assert!(wq.queue_work_on(cpu, &first));
        others
            .iter()
            .for_each(|work| assert!(wq.queue_work_on(cpu, work)));
        let now = snapshot(&engine);
        let (pwq, why) = held(&now, name).expect("two items are held");
        assert_eq!((pwq.nr_inactive, why), (2, Some(reason)));
        assert!(
            pwq.held_since + 256 > before && pwq.held_since <= now.at,
            "{pwq:?}"
        );
        assert!(others[0].cancel(), "the oldest");
        let (left, _) = held(&snapshot(&engine), name).expect("one is held");
        assert!(
            left.nr_inactive == 1 && left.held_since >= pwq.held_since,
            "{left:?}"
        );
        go.send(()).expect("it waits");
        wq.flush();
        let begun = Instant::now();
        while held(&snapshot(&engine), name).is_some() {
            assert!(begun.elapsed() < PATIENCE, "{name} still holds items");
        }
        let after = snapshot(&engine);
        assert!(
            after.pwqs.iter().all(|pwq| pwq.held_since == 0),
            "none is held any more"
        );
    }
}

/// A CPU that the engine uses.
fn engine_cpu(engine: &Engine) -> usize {
    snapshot(engine).meta.cpus[0].into()
}

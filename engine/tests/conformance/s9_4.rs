//! Semantics 9.4: the state of busy workqueues and pools as text.

use super::support::{LONG, until};
use std::sync::{Arc, Mutex, mpsc};
use wq_engine::{BUSY_RUNNING, Engine, Work, WqFlags};

/// An item that blocks until its gate is opened or gone.
fn gated(name: &str) -> (Work, mpsc::Sender<()>) {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let work = Work::named(name, move |_| {
        _ = gate.lock().unwrap().recv_timeout(LONG);
    });
    (work, open)
}

/// `text` with every number that stands after one of these as `N`.
fn without(text: &str, befores: &[&str]) -> String {
    let mut out = text.to_owned();
    for before in befores {
        let mut parts = out.split(before);
        let mut rest = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            rest += before;
            let shorter = part.trim_start_matches(|c: char| c.is_ascii_digit());
            rest += if shorter == part { "" } else { "N" };
            rest += shorter;
        }
        out = rest;
    }
    out
}

/// The text without ids of threads and times.
fn plain(text: &str) -> String {
    without(text, &["in-flight: ", "BAR(", " for "])
}

#[test]
fn s9_4_what_is_busy_and_who_waits_for_it() {
    let engine = Engine::builder().name("show").cpus([0]).build().unwrap();
    let idle = engine.show_all_workqueues();
    assert_eq!(idle, "Showing busy workqueues and worker pools:\n");
    let wq = engine.alloc_workqueue("mine", WqFlags::UNBOUND, 1).unwrap();
    let (stuck, open) = gated("stuck");
    assert!(wq.queue_work(&stuck));
    until(|| stuck.busy() & BUSY_RUNNING != 0);
    let held = Work::named("held", |_| {});
    let more = [
        held.clone(),
        Work::named("held", |_| {}),
        Work::named("last", |_| {}),
    ];
    for work in &more {
        assert!(wq.queue_work(work));
    }
    let waiting = [stuck.clone(), held].map(|work| std::thread::spawn(move || work.flush()));
    until(|| engine.show_one_workqueue(&wq).matches("BAR(").count() == 2);
    let pool = 4 * (engine.cpus().last().unwrap() + 1);
    let lines = [
        "workqueue mine: flags=0x2".to_owned(),
        format!("  pwq {pool}: cpus=0 node=0 flags=0x4 nice=0 active=1 refcnt=5"),
        "    in-flight: N:stuck for Ns BAR(N)".to_owned(),
        "    inactive: held BAR(N), held, last".to_owned(),
        String::new(),
    ];
    assert_eq!(plain(&engine.show_one_workqueue(&wq)), lines.join("\n"));
    let all = engine.show_all_workqueues();
    let one = plain(&all);
    assert!(one.contains(&lines.join("\n")), "{one}");
    let pool_line = format!("pool {pool}: cpus=0 node=0 flags=0x4 nice=0 hung=0s workers=2 idle: ");
    assert!(all.contains(&pool_line), "{all}");
    assert_eq!(engine.show_one_workqueue(engine.system_wq()), "");
    drop(open);
    for waiter in waiting {
        assert!(waiter.join().unwrap());
    }
    wq.flush();
    until(|| engine.show_all_workqueues() == idle);
}

#[test]
fn s9_4_equal_functions_in_a_row_are_counted() {
    let engine = Engine::builder()
        .name("show-row")
        .cpus([0])
        .build()
        .unwrap();
    let (stuck, open) = gated("stuck");
    assert!(engine.system_bh_wq().queue_work(&stuck));
    until(|| stuck.busy() & BUSY_RUNNING != 0);
    let ran = Arc::new(Mutex::new(0));
    for name in ["a", "a", "b", "b", "b", "a"] {
        let ran = ran.clone();
        let work = Work::named(name, move |_| *ran.lock().unwrap() += 1);
        assert!(engine.system_bh_wq().queue_work(&work));
    }
    let lines = [
        "workqueue events_bh: flags=0x101",
        "  pwq 0: cpus=0 node=0 flags=0x5 bh active=7 refcnt=8",
        "    in-flight: bh:stuck for Ns",
        "    pending: 2*a, 3*b, a",
        "",
    ];
    let shown = plain(&engine.show_one_workqueue(engine.system_bh_wq()));
    assert_eq!(shown, lines.join("\n"));
    drop(open);
    engine.system_bh_wq().flush();
    assert_eq!(*ran.lock().unwrap(), 6);
}

#[test]
fn s9_4_freezable_workqueues_that_are_still_busy() {
    let engine = Engine::builder()
        .name("show-freeze")
        .cpus([0])
        .build()
        .unwrap();
    let title = "Showing freezable workqueues that are still busy:\n";
    let frozen = engine
        .alloc_workqueue("cold", WqFlags::FREEZABLE, 0)
        .unwrap();
    let [(cold, open), (warm, also)] = ["cold", "warm"].map(gated);
    assert!(engine.schedule_work(&warm));
    assert_eq!(engine.show_freezable_workqueues(), title);
    assert!(engine.system_unbound_wq().queue_work(&Work::named("in", {
        let (frozen, cold) = (frozen.clone(), cold.clone());
        move |_| assert!(frozen.queue_work(&cold))
    })));
    engine.system_unbound_wq().flush();
    drop(also);
    warm.flush();
    until(|| cold.busy() & BUSY_RUNNING != 0);
    // Another worker is being made before the item starts: for a moment the pool has a manager.
    until(|| !engine.show_freezable_workqueues().contains("flags=0x2"));
    let shown = engine.show_freezable_workqueues();
    let lines = [
        "workqueue cold: flags=0x104",
        "  pwq 2: cpus=0 node=0 flags=0x0 nice=0 active=1 refcnt=2",
        "    in-flight: N:cold for Ns",
        "",
    ];
    assert_eq!(plain(&shown), title.to_owned() + &lines.join("\n"));
    drop(open);
    frozen.flush();
    assert_eq!(engine.show_freezable_workqueues(), title);
}

//! Combinations that make no sense, and what comes of them.

use super::support::{Held, engine, said, said_like, snapshot, warnings};
use wq_engine::{Engine, Error, Topology, WqFlags};

fn flags(engine: &Engine, flags: WqFlags) -> WqFlags {
    engine.alloc_workqueue("q", flags, 0).unwrap().flags()
}

#[test]
fn s2_8_neither_percpu_nor_unbound_is_percpu() {
    let engine = engine("neither");
    assert_eq!(flags(&engine, WqFlags::empty()), WqFlags::PERCPU);
}

#[test]
fn s2_8_both_percpu_and_unbound_warns_and_is_unbound() {
    let engine = engine("both");
    let both = WqFlags::PERCPU | WqFlags::UNBOUND;
    assert_eq!(flags(&engine, both), WqFlags::UNBOUND);
    let warned = |text: &String| text.contains("asks for UNBOUND and PERCPU");
    assert_eq!(warnings().iter().filter(|text| warned(text)).count(), 1);
    assert_eq!(flags(&engine, both), WqFlags::UNBOUND);
    assert_eq!(
        warnings().iter().filter(|text| warned(text)).count(),
        1,
        "once"
    );
}

#[test]
fn s2_8_power_efficient_is_unbound_if_the_engine_is() {
    let asked = WqFlags::POWER_EFFICIENT | WqFlags::PERCPU;
    assert_eq!(flags(&engine("hungry"), asked), asked);
    let frugal = Engine::builder().name("frugal").power_efficient(true);
    let got = flags(&frugal.build().unwrap(), asked);
    assert_eq!(got, WqFlags::POWER_EFFICIENT | WqFlags::UNBOUND);
}

#[test]
fn s2_8_max_active_out_of_range_warns_and_is_clamped() {
    let engine = engine("range");
    let wq = engine
        .alloc_workqueue("too-wide", WqFlags::empty(), 5000)
        .unwrap();
    assert_eq!(wq.max_active(), 2048);
    let text =
        "max_active 5000 requested for too-wide is out of range, clamping between 1 and 2048";
    assert!(warnings().iter().any(|said| said == text));
}

#[test]
fn s2_8_unbound_with_max_active_1_is_not_ordered() {
    let engine = engine("not ordered");
    let wq = engine.alloc_workqueue("one", WqFlags::UNBOUND, 1).unwrap();
    assert_eq!(wq.flags(), WqFlags::UNBOUND);
    assert_eq!(wq.max_active(), 1);
}

/// Every node may run one, so the second item does not wait for the first.
#[test]
fn s2_8_unbound_with_max_active_1_runs_one_item_on_each_node() {
    let all = Engine::builder().name("cpus").build().unwrap();
    let &[here, there, ..] = all.cpus() else {
        return;
    };
    let topology = Topology::from_spec("2n1l1c1t").unwrap();
    let engine = Engine::builder().name("one-each").cpus([here, there]);
    let engine = engine.topology(topology.renumbered(&[here, there]));
    let engine = engine.build().unwrap();
    let wq = engine.alloc_workqueue("one", WqFlags::UNBOUND, 1).unwrap();
    let both = [here, there].map(|cpu| {
        let held = Held::idle();
        assert!(wq.queue_work_on(cpu, &held.work));
        held
    });
    both.iter().for_each(Held::wait_until_it_runs);
    both.iter().for_each(Held::let_go);
    wq.flush();
}

#[test]
fn s2_8_a_name_of_32_bytes_is_cut() {
    let engine = engine("long");
    let name = "0123456789012345678901234567890x";
    let wq = engine.alloc_workqueue(name, WqFlags::empty(), 0).unwrap();
    assert_eq!(wq.name(), &name[..31]);
    let again = engine.alloc_workqueue(name, WqFlags::empty(), 0).unwrap();
    assert_eq!(again.name(), &name[..31]);
    let text = "name exceeds WQ_NAME_LEN. Truncating to: 0123456789012345678901234567890";
    assert_eq!(said(text), 1, "once");
    let fits = engine.alloc_workqueue(&name[..31], WqFlags::empty(), 0);
    assert_eq!(fits.unwrap().name().len(), 31);
    // A letter is not cut in two.
    let wide = format!("{}é", &name[..30]);
    let cut = engine.alloc_workqueue(&wide, WqFlags::empty(), 0).unwrap();
    assert_eq!(cut.name(), &name[..30]);
}

#[test]
fn s2_8_set_max_active_of_bh_and_ordered_warns_and_is_ignored() {
    let engine = engine("fixed-max");
    let wqs = [
        engine.alloc_workqueue("fixed_bh", WqFlags::BH, 0).unwrap(),
        engine
            .alloc_ordered_workqueue("fixed_ordered", WqFlags::empty())
            .unwrap(),
    ];
    for wq in &wqs {
        let before = wq.max_active();
        wq.set_max_active(5);
        assert_eq!(wq.max_active(), before);
        let warned = said_like(&["max_active of workqueue", wq.name(), "cannot be changed"]);
        assert_eq!(warned.len(), 1, "{warned:?}");
    }
}

#[test]
fn s2_8_set_min_active_of_percpu_bh_and_ordered_warns_and_is_ignored() {
    let engine = engine("fixed-min");
    let alloc = |name, flags| engine.alloc_workqueue(name, flags, 0).unwrap();
    let wqs = [
        alloc("least_percpu", WqFlags::PERCPU),
        alloc("least_bh", WqFlags::BH),
        engine
            .alloc_ordered_workqueue("least_ordered", WqFlags::empty())
            .unwrap(),
    ];
    let min_active = |name: &str| {
        let rows = snapshot(&engine).workqueues.into_iter();
        let mut rows = rows.filter(|row| row.name == name);
        rows.next().expect("a row").min_active
    };
    for wq in &wqs {
        let before = min_active(wq.name());
        wq.set_min_active(3);
        assert_eq!(min_active(wq.name()), before);
        let warned = said_like(&["min_active of workqueue", wq.name(), "cannot be changed"]);
        assert_eq!(warned.len(), 1, "{warned:?}");
    }
}

#[test]
fn s2_8_sysfs_and_ordered_go_together() {
    let engine = engine("sysfs ordered");
    let wq = engine
        .alloc_ordered_workqueue("shown", WqFlags::SYSFS)
        .unwrap();
    wq.set_max_active(7);
    assert_eq!(wq.max_active(), 1);
    assert!(wq.attrs().is_some());
}

#[test]
fn s2_8_a_second_sysfs_wq_of_a_name_is_refused() {
    let engine = engine("sysfs twice");
    let one = engine.alloc_workqueue("same", WqFlags::SYSFS, 0).unwrap();
    let two = engine.alloc_workqueue("same", WqFlags::SYSFS, 0);
    assert!(matches!(two, Err(Error::Flags { .. })));
    let unseen = engine.alloc_workqueue("same", WqFlags::empty(), 0);
    assert!(unseen.is_ok());
    drop(one);
    assert!(engine.alloc_workqueue("same", WqFlags::SYSFS, 0).is_ok());
}

#[test]
fn s2_8_cpu_intensive_and_unbound_is_accepted() {
    let engine = engine("intensive");
    let both = WqFlags::CPU_INTENSIVE | WqFlags::UNBOUND;
    assert_eq!(flags(&engine, both), both);
}

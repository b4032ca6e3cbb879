//! Combinations that make no sense, and what comes of them.

use super::support::{engine, warnings};
use wq_engine::{Engine, Error, WqFlags};

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

#[test]
fn s2_8_a_name_of_32_bytes_is_cut() {
    let engine = engine("long");
    let name = "0123456789012345678901234567890x";
    let wq = engine.alloc_workqueue(name, WqFlags::empty(), 0).unwrap();
    assert_eq!(wq.name(), &name[..31]);
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

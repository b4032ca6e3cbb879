//! System workqueues.

use super::support::{LONG, engine};
use std::sync::mpsc;
use wq_engine::{Engine, Workqueue, WqFlags};

#[test]
fn s2_7_the_system_workqueues_have_the_kernels_names_flags_and_limits() {
    let engine = engine("system");
    let percpu = WqFlags::PERCPU;
    let expected: [(&Workqueue, &str, WqFlags, usize); 10] = [
        (engine.system_wq(), "events", percpu, 1024),
        (engine.system_percpu_wq(), "events", percpu, 1024),
        (
            engine.system_highpri_wq(),
            "events_highpri",
            percpu | WqFlags::HIGHPRI,
            1024,
        ),
        (engine.system_long_wq(), "events_long", percpu, 1024),
        (
            engine.system_unbound_wq(),
            "events_unbound",
            WqFlags::UNBOUND,
            2048,
        ),
        (
            engine.system_dfl_wq(),
            "events_unbound",
            WqFlags::UNBOUND,
            2048,
        ),
        (
            engine.system_dfl_long_wq(),
            "events_dfl_long",
            WqFlags::UNBOUND,
            2048,
        ),
        (
            engine.system_freezable_wq(),
            "events_freezable",
            percpu | WqFlags::FREEZABLE,
            1024,
        ),
        (
            engine.system_power_efficient_wq(),
            "events_power_efficient",
            percpu | WqFlags::POWER_EFFICIENT,
            1024,
        ),
        (
            engine.system_freezable_power_efficient_wq(),
            "events_freezable_pwr_efficient",
            percpu | WqFlags::FREEZABLE | WqFlags::POWER_EFFICIENT,
            1024,
        ),
    ];
    for (wq, name, flags, max_active) in expected {
        assert_eq!((wq.name(), wq.flags()), (name, flags));
        assert_eq!(wq.max_active(), max_active, "{name}");
        assert!(engine.system_workqueues().any(|system| system == wq));
    }
    assert_eq!(engine.system_wq(), engine.system_percpu_wq());
    assert_eq!(engine.system_unbound_wq(), engine.system_dfl_wq());
}

#[test]
fn s2_6_power_efficient_is_unbound_only_where_that_is_asked_for() {
    for on in [false, true] {
        let builder = Engine::builder().name("frugal").cpus([0]);
        let engine = builder.power_efficient(on).build().unwrap();
        let asked = WqFlags::POWER_EFFICIENT | WqFlags::PERCPU;
        let own = engine.alloc_workqueue("own", asked, 0).unwrap();
        for wq in [engine.system_power_efficient_wq(), &own] {
            assert_eq!(wq.flags().contains(WqFlags::UNBOUND), on);
            assert_eq!(wq.flags().contains(WqFlags::PERCPU), !on);
            let (tell, told) = mpsc::channel();
            assert!(wq.spawn(move || {
                let name = std::thread::current().name().unwrap_or_default().to_owned();
                tell.send(name).unwrap();
            }));
            let name = told.recv_timeout(LONG).unwrap();
            assert_eq!(name.starts_with("kworker/u"), on, "{name}");
        }
    }
}

//! Wake affinity: which workers are pulled back.

use super::policy::pool;
use super::rig::segment;
use crate::pool::{Effect, Effects, PoolState, WorkerIx};
use crate::topology::{CpuMask, PoolAttrs};
use wq_trace::{Wake, WorkerId};

const ME: WorkerIx = WorkerIx(0);

/// An unbound pool with an item and one idle worker; `strict` or not, its pod is CPUs 2 and 3 of eight.
fn near(strict: bool) -> PoolState<usize, u32> {
    let attrs = PoolAttrs::new(0, strict, CpuMask::from_iter([2, 3]), (0..8).collect());
    let mut pool = pool(None, 1).with_attrs(Some(&attrs));
    let slot = segment().worker(pool.id(), 0, "w", 0);
    assert_ne!(slot.id(), WorkerId::NONE);
    pool.created(ME, slot, 0, &mut Effects::default());
    pool
}

/// What a kick does for a worker that went idle on this CPU.
fn kicked(pool: &mut PoolState<usize, u32>, idle_on: Option<usize>) -> Vec<Effect<u32>> {
    if let Some(cpu) = idle_on {
        pool.idles_on(ME, cpu);
    }
    let mut fx = Effects::default();
    assert!(pool.kick(Wake::Queue, 0, &mut fx));
    fx.effects
}

#[test]
fn s3_5_a_worker_is_pulled_back_if_it_idled_outside_the_pod() {
    for (cpu, astray) in [
        (Some(1), true),
        (Some(2), false),
        (Some(3), false),
        (None, false),
    ] {
        let mut pool = near(false);
        let effects = kicked(&mut pool, cpu);
        let expected: &[_] = match astray {
            true => &[Effect::PullBack(ME), Effect::Wake(ME)],
            false => &[Effect::Wake(ME)],
        };
        assert_eq!(effects, expected, "{cpu:?}");
        assert_eq!(pool.take_pulled_back(ME), astray);
        assert!(!pool.take_pulled_back(ME), "once");
    }
}

#[test]
fn s3_5_a_strict_pool_does_not_even_ask() {
    let mut pool = near(true);
    assert_eq!(pool.home(), None);
    assert_eq!(kicked(&mut pool, Some(1)), [Effect::Wake(ME)]);
}

#[test]
fn s3_5_a_pod_of_the_whole_mask_has_no_outside() {
    let whole: CpuMask = (0..8).collect();
    let attrs = PoolAttrs::new(0, false, whole.clone(), whole);
    assert_eq!(pool(None, 0).with_attrs(Some(&attrs)).home(), None);
    assert_eq!(pool(Some(0), 0).with_attrs(None).home(), None);
}

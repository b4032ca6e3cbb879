//! Changes everything that can be changed while items are queued.

use super::items::World;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wq_engine::sim::SplitMix64;
use wq_engine::{AffinityScope, Engine, WorkqueueAttrs, WqFlags};

/// How often it did what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tuned {
    pub freezes: u64,
    pub limits: u64,
    pub attrs: u64,
    pub drains: u64,
}

/// Until it ends; everything is thawed then.
pub fn tune(engine: &Engine, world: &World, ends: &AtomicBool) -> Tuned {
    let mut rng = SplitMix64::new(1, "tuner");
    let mut below = |n: usize| (rng.next_u64() % n as u64) as usize;
    let mut tuned = Tuned::default();
    while !ends.load(Ordering::Acquire) {
        let queue = &world.queues[below(world.queues.len())];
        match below(4) {
            0 => {
                engine.freeze();
                std::thread::sleep(Duration::from_micros(below(1000) as u64));
                engine.thaw();
                tuned.freezes += 1;
            }
            1 if is_limited(&queue.wq) => {
                let max_active = [1, 2, 3, 8, 64, 1024][below(6)];
                queue.wq.set_max_active(max_active);
                tuned.limits += 1;
            }
            2 if queue.wq.flags().contains(WqFlags::UNBOUND) => {
                let scopes = AffinityScope::ALL;
                let attrs = WorkqueueAttrs {
                    affn_scope: scopes[below(scopes.len())],
                    affn_strict: below(2) == 0,
                    ..WorkqueueAttrs::default()
                };
                let applied = queue.wq.apply_attrs(&attrs);
                applied.expect("these attributes make sense");
                tuned.attrs += 1;
            }
            3 if queue.drained => {
                queue.wq.drain();
                tuned.drains += 1;
            }
            _ => {}
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    tuned
}

fn is_limited(wq: &wq_engine::Workqueue) -> bool {
    !wq.flags().intersects(WqFlags::BH | WqFlags::ORDERED)
}

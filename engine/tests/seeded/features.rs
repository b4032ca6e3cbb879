//! Which parts of the engine a seed's program uses: each part is on or off, so that rare meetings of few parts come up as
//! often as the great mixture.

use super::rng::Rng;

macro_rules! features {
    ($($name:ident $percent:literal,)*) => {
        /// See the module.
        #[derive(Clone, Debug, Default)]
        pub struct Features { $(pub $name: bool,)* }

        impl Features {
            /// Each feature with its own weight.
            fn draw(rng: &mut Rng) -> Self {
                Self { $($name: rng.chance($percent),)* }
            }
        }
    };
}

features! {
    many_cpus 70, topology 40, unbound 50, ordered 40, highpri 40, cpu_intensive 40, freezable 40, mem_reclaim 40,
    bh 30, bh_sleeps 20, power_efficient 30, system_wqs 30, small_limits 60, affinity 40, strict 40, delayed 50,
    mod_delayed 40, rcu 30, requeue 50, flush 60, flush_wq 60, cancel 50, cancel_sync 60, disable 40,
    unbalanced_enable 25, drain 40, set_max_active 50, freeze 40, fail_create 30, fail_for_ever 10, hotplug 30,
    long_burns 40, sleeps 80, locks 40, panics 30, yields 40, chains 60, body_waits 40, hog_thresh 40,
    idle_timeout 40, bursts 50,
}

impl Features {
    pub fn new(rng: &mut Rng) -> Self {
        let mut on = Self::draw(rng);
        // While no worker can be created, only rescuers work: what has none would wait for ever.
        if on.fail_for_ever {
            on.mem_reclaim = true;
            for off in [
                &mut on.bh,
                &mut on.system_wqs,
                &mut on.body_waits,
                &mut on.fail_create,
            ] {
                *off = false;
            }
        }
        on.many_cpus |= on.hotplug || on.topology;
        on
    }
}

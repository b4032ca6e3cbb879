//! The pool's timers, and the surplus workers that leave after having idled for long.
//!
//! Kernel: `idle_worker_timeout()`, `idle_cull_fn()`. The timer runs only while there are too many workers: a pool at
//! rest wakes nobody.

use super::effect::{Effect, Effects};
use super::state::{PoolState, Role};
use wq_trace::Wake;

impl<J, W> PoolState<J, W> {
    /// How long surplus workers idle before they leave, in nanoseconds. Kernel: `IDLE_WORKER_TIMEOUT`.
    pub(crate) fn set_idle_timeout(&mut self, timeout: u64) {
        self.idle_timeout = timeout;
    }

    /// A time that the pool asked for ([`Effect::Timer`]) has come. Does what is due, which may be nothing any more.
    pub(crate) fn timer(&mut self, now: u64, fx: &mut Effects<W>) {
        let is_due = |due: Option<u64>| due.is_some_and(|due| due <= now);
        if is_due(self.mayday_due) {
            self.mayday_timeout(now, fx);
        }
        if is_due(self.idle_due) {
            self.cull(now, fx);
        }
        self.settle(now);
    }

    /// When rescuers may have to be called.
    pub(crate) fn mayday_due(&self) -> Option<u64> {
        self.mayday_due
    }

    /// When surplus workers may have idled for long enough.
    pub(crate) fn idle_due(&self) -> Option<u64> {
        self.idle_due
    }

    /// A worker has gone idle: surplus ones are looked for later.
    pub(super) fn arm_idle_timer(&mut self, now: u64, fx: &mut Effects<W>) {
        if self.idle_due.is_none() && self.too_many_workers() {
            self.look_at(now.saturating_add(self.idle_timeout), fx);
        }
    }

    fn look_at(&mut self, due: u64, fx: &mut Effects<W>) {
        self.idle_due = Some(due);
        fx.push(Effect::Timer(due));
    }

    /// Surplus workers leave, those first that have idled longest.
    fn cull(&mut self, now: u64, fx: &mut Effects<W>) {
        self.idle_due = None;
        while self.too_many_workers() {
            let oldest = self.idle[0];
            let expires = self
                .worker(oldest)
                .last_active
                .saturating_add(self.idle_timeout);
            if now < expires {
                self.look_at(expires, fx);
                break;
            }
            let woken = self.worker(oldest).role == (Role::Idle { woken: true });
            self.leave_idle(oldest, now);
            self.leave(oldest, now, fx);
            // One that is on its way to an item finds on arrival that it must leave.
            if !woken {
                fx.push(Effect::Wake(oldest));
            }
        }
        // The one that left may have been on its way to an item.
        self.kick(Wake::Chain, now, fx);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::lives::{IDLE, Life};

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn s4_6_a_pool_settles_at_two_idle_workers() {
        let mut life = Life::bound(5);
        life.pool.set_idle_timeout(10 * SECOND);
        assert_eq!(
            life.pool.idle_due(),
            Some(300 * SECOND),
            "armed at the third"
        );
        life.now = 300 * SECOND;
        life.timer();
        assert_eq!(life.pool.nr_workers, 2);
        assert_eq!(life.woken(), [0, 1, 2], "who idled longest goes first");
        assert_eq!(life.pool.idle_due(), None, "a pool at rest has no timer");
    }

    #[test]
    fn s4_6_the_timer_waits_for_the_rest_of_the_time() {
        let mut life = Life::bound(2);
        life.now = 100 * SECOND;
        life.create();
        life.now = 400 * SECOND;
        life.create();
        assert_eq!(
            life.pool.idle_due(),
            Some(400 * SECOND),
            "armed by the third worker"
        );
        life.timer();
        // Of four idle workers the first two have idled for 400 s, the third for 300 s.
        assert_eq!((life.woken(), life.pool.nr_workers), (vec![0, 1], 2));

        let mut life = Life::bound(3);
        life.now = 299 * SECOND;
        life.touch(0);
        life.touch(1);
        life.touch(2);
        life.now = 300 * SECOND;
        life.timer();
        assert_eq!(life.woken(), [0_usize; 0]);
        assert_eq!(life.pool.idle_due(), Some(599 * SECOND));
    }

    #[test]
    fn s4_6_a_worker_that_is_on_its_way_leaves_without_another_wake_up() {
        let mut life = Life::bound(1);
        life.queue(1);
        assert_eq!(life.woken(), [0], "on its way to the item");
        life.create();
        life.create();
        life.now = 300 * SECOND;
        life.timer();
        assert_eq!(life.woken(), [2], "another one goes to the item");
        life.dies(0);
    }

    #[test]
    fn s4_6_numbers_of_those_who_left_are_used_again() {
        let mut life = Life::bound(4);
        life.now = 300 * SECOND;
        life.timer();
        assert_eq!(life.pool.next_worker().0, 4, "the threads still run");
        for me in life.woken() {
            life.dies(me);
        }
        assert_eq!(life.pool.next_worker().0, 0);
        life.create();
        assert_eq!(life.pool.next_worker().0, 1);
        assert_eq!(life.pool.worker(super::super::WorkerIx(0)).role, IDLE);
    }
}

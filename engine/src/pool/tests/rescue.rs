//! Creation that fails, calls for help, and rescuers: semantics 4.2, 4.4 and 4.8.

use super::lives::{Life, Rescued, Went};
use crate::pool::{PwqIx, WorkerIx};
use crate::wq::Maydays;
use wq_trace::Counter;

const MS: u64 = 1_000_000;

/// A pool whose only worker has become the manager for so many items, and has failed to create a worker.
fn failing(mut life: Life, items: usize) -> Life {
    life.queue(items);
    assert_eq!(life.woken(), [0]);
    assert_eq!(life.step(0), Went::Create);
    assert_eq!(life.create_failed(0), Went::Cooldown(1000 * MS));
    life
}

#[test]
fn s4_2_a_failed_creation_is_tried_again_after_a_second_as_long_as_a_worker_is_missing() {
    let mut life = failing(Life::unbound(1), 1);
    life.now = 1000 * MS;
    assert_eq!(life.cooled_down(0), Went::Create);
    assert_eq!(life.create_failed(0), Went::Cooldown(2000 * MS));
    life.now = 1500 * MS;
    life.cancel(0);
    assert_eq!(life.cooled_down(0), Went::Park, "nobody needs a worker");
    assert_eq!(life.pool.manager(), None);
    assert_eq!(life.pool.mayday_due(), None, "its timer is off");
}

#[test]
fn s4_4_a_manager_that_has_created_a_worker_starts_to_work() {
    let mut life = failing(Life::bound(1), 1);
    life.now = 1000 * MS;
    assert_eq!(life.cooled_down(0), Went::Create);
    life.create();
    life.manage_end(0);
    assert_eq!(life.step(0), Went::Run);
    assert_eq!(life.pool.mayday_due(), None);
}

#[test]
fn s4_8_1_maydays_go_out_10_ms_after_the_manager_began_and_every_100_ms() {
    let mut life = failing(Life::bound(1), 2);
    assert_eq!(life.pool.mayday_due(), Some(10 * MS));
    life.now = 10 * MS;
    life.timer();
    assert_eq!(
        life.maydays(),
        [(life.wqs[0].id(), PwqIx(0))],
        "one for both items"
    );
    assert_eq!(life.pool.mayday_due(), Some(110 * MS));
    life.now = 110 * MS;
    life.timer();
    assert_eq!(life.maydays(), [], "it is on the list already");
    let me = life.attach(0).expect("it has called");
    life.now = 210 * MS;
    life.timer();
    assert_eq!(life.maydays().len(), 1, "off the list, it can call again");
    assert_eq!(life.counted(0, Counter::Mayday), 2);
    life.detach(me);
}

#[test]
fn s4_8_1_only_workqueues_with_a_rescuer_call() {
    let mut life = Life::bound(1);
    life.add_wq(false);
    life.queue_on(1);
    assert_eq!(life.step(0), Went::Create);
    assert_eq!(life.create_failed(0), Went::Cooldown(1000 * MS));
    life.now = 10 * MS;
    life.timer();
    assert_eq!(life.maydays(), []);
    assert_eq!(life.attach(1), None);
}

#[test]
fn s4_8_2_a_rescuer_takes_the_items_of_its_own_pwq_only_and_is_never_counted() {
    let mut life = Life::bound(1);
    life.add_wq(false);
    life.queue_on(1);
    life.queue_on(0);
    life.queue_on(1);
    life.queue_on(0);
    let mut life = {
        assert_eq!(life.step(0), Went::Create);
        assert_eq!(life.create_failed(0), Went::Cooldown(1000 * MS));
        life
    };
    life.now = 10 * MS;
    life.timer();
    assert_eq!(life.maydays().len(), 1);
    let me = life.attach(0).expect("it has called");
    assert!(me.is_rescuer());
    assert_eq!(life.pool.nr_workers, 1);
    assert_eq!(life.rescue(me, false), Rescued::Run(1));
    assert_eq!(life.pool.nr_running, 0);
    // It goes on from where it was, whatever happens to the item there.
    life.cancel(2);
    life.queue_on(0);
    assert_eq!(life.rescue_next(me, false), Rescued::Run(3));
    assert_eq!(life.rescue_next(me, false), Rescued::Run(4));
    assert_eq!(life.rescue_next(me, false), Rescued::Leave);
    life.detach(me);
    assert_eq!(life.counted(0, Counter::Rescued), 3);
    assert_eq!(life.counted(0, Counter::Completed), 3);
    assert_eq!(life.counted(1, Counter::Started), 0);
}

#[test]
fn s4_8_3_a_rescuer_leaves_when_the_pool_can_help_itself_and_kicks_it() {
    let mut life = failing(Life::unbound(1), 3);
    life.now = 10 * MS;
    life.timer();
    let me = life.attach(0).expect("it has called");
    assert_eq!(life.rescue(me, false), Rescued::Run(0));
    // A worker is created: the manager is done.
    life.create();
    life.manage_end(0);
    life.woken();
    assert_eq!(life.rescue_next(me, false), Rescued::Leave);
    life.detach(me);
    assert_eq!(life.woken(), [1], "the pool's own worker goes on");
}

#[test]
fn s4_8_3_while_a_manager_is_active_a_rescuer_stays_unless_others_have_called() {
    for others_wait in [false, true] {
        let mut life = stuck(4);
        life.now = 10 * MS;
        life.timer();
        let me = life.attach(0).expect("it has called");
        assert_eq!(life.rescue(me, others_wait), Rescued::Run(1));
        // The blocked worker comes back: the pool needs no other for the moment.
        life.wakes(1);
        assert!(!life.pool.need_to_create_worker());
        let next = life.rescue_next(me, others_wait);
        let expected = if others_wait {
            Rescued::Leave
        } else {
            Rescued::Run(2)
        };
        assert_eq!(next, expected, "others wait: {others_wait}");
    }
}

#[test]
fn s4_8_4_after_more_than_16_items_another_pwq_gets_its_turn() {
    let mut life = failing(Life::unbound(1), 40);
    life.now = 10 * MS;
    life.timer();
    let me = life.attach(0).expect("it has called");
    assert_eq!(life.rescue(me, true), Rescued::Run(0));
    for item in 1..=16 {
        assert_eq!(life.rescue_next(me, true), Rescued::Run(item));
    }
    assert_eq!(life.rescue_next(me, true), Rescued::LeaveAgain);
    life.detach(me);
    // It comes back from the end of the list, and has the pwq for itself.
    let me = life.attach(0).expect("it is on the list again");
    assert_eq!(life.rescue(me, false), Rescued::Run(17));
    for item in 18..40 {
        assert_eq!(life.rescue_next(me, false), Rescued::Run(item));
    }
    assert_eq!(life.rescue_next(me, false), Rescued::Leave);
    life.detach(me);
    assert_eq!(
        life.counted(0, Counter::Mayday),
        1,
        "a requeueing is no new call"
    );
    assert_eq!(life.counted(0, Counter::Rescued), 40);
}

#[test]
fn s4_8_a_rescuer_that_comes_too_late_finds_nothing() {
    let mut life = failing(Life::unbound(1), 1);
    life.now = 10 * MS;
    life.timer();
    life.cancel(0);
    let me = life.attach(0).expect("it has called");
    assert_eq!(life.rescue(me, false), Rescued::Leave);
    life.detach(me);
    assert_eq!(life.attach(0), None, "nobody calls");
}

/// Pools of one workqueue, and its rescuer on its way between them.
struct Tour {
    pools: Vec<Life>,
    maydays: Maydays<usize>,
    /// Where the rescuer is.
    at: Option<(usize, WorkerIx)>,
}

impl Tour {
    fn new(pools: impl IntoIterator<Item = Life>) -> Self {
        Self {
            pools: pools.into_iter().collect(),
            maydays: Maydays::default(),
            at: None,
        }
    }

    /// The mayday timer of a pool fires. Returns how many calls came of it.
    fn timer(&mut self, pool: usize, now: u64) -> usize {
        let life = &mut self.pools[pool];
        life.now = now;
        life.timer();
        let calls = life.maydays().len();
        (0..calls).for_each(|_| _ = self.maydays.send(pool));
        calls
    }

    /// The rescuer goes to the pool that has waited longest, and asks for something to do.
    fn go(&mut self) -> (usize, Rescued) {
        let pool = self.maydays.next().expect("somebody has called");
        let me = self.pools[pool].attach(0).expect("it has called");
        self.at = Some((pool, me));
        let others_wait = self.maydays.others_wait();
        (pool, self.pools[pool].rescue(me, others_wait))
    }

    /// The rescuer has executed its item, and asks for another one.
    fn next(&mut self) -> Rescued {
        let (pool, me) = self.at.expect("the rescuer is at a pool");
        let others_wait = self.maydays.others_wait();
        let next = self.pools[pool].rescue_next(me, others_wait);
        if !matches!(next, Rescued::Run(_)) {
            self.pools[pool].detach(me);
            self.at = None;
        }
        if next == Rescued::LeaveAgain {
            self.maydays.send(pool);
        }
        next
    }
}

/// A pool of two workers with so many items: one runs the first and blocks, the other cannot create a third.
fn stuck(items: usize) -> Life {
    let mut life = Life::bound(2);
    life.queue(items);
    assert_eq!(life.step(1), Went::Run, "another is idle");
    life.sleeps(1);
    assert_eq!(life.step(0), Went::Create);
    assert_eq!(life.create_failed(0), Went::Cooldown(1000 * MS));
    life
}

#[test]
fn s4_8_3_of_two_pools_that_call_at_once_the_first_is_left_for_the_second_which_keeps_the_rescuer()
{
    let mut tour = Tour::new([stuck(3), stuck(3)]);
    assert_eq!((tour.timer(0, 10 * MS), tour.timer(1, 10 * MS)), (1, 1));
    assert_eq!(tour.go(), (0, Rescued::Run(1)));
    // Both blocked workers come back: while they run, neither pool needs another one. The managers are still at it.
    for life in &mut tour.pools {
        life.wakes(1);
        assert!(!life.pool.need_to_create_worker() && life.pool.manager().is_some());
    }
    assert_eq!(tour.next(), Rescued::Leave, "the other pool waits");
    assert_eq!(tour.go(), (1, Rescued::Run(1)));
    assert_eq!(tour.next(), Rescued::Run(2), "nobody else waits");
    tour.pools[1].queue(2);
    assert_eq!(tour.next(), Rescued::Run(3));
    // The first pool is worse off again and calls.
    tour.pools[0].sleeps(1);
    assert_eq!(tour.timer(0, 110 * MS), 1);
    assert_eq!(tour.next(), Rescued::Leave, "although an item is left");
    assert_eq!(tour.go(), (0, Rescued::Run(2)));
    assert_eq!(tour.next(), Rescued::Leave, "nothing is left");
    let rescued = |pool: usize| tour.pools[pool].counted(0, Counter::Rescued);
    assert_eq!((rescued(0), rescued(1)), (2, 3));
}

#[test]
fn s4_8_4_two_pools_that_cannot_help_themselves_take_turns_of_17_items() {
    let mut tour = Tour::new([stuck(41), stuck(21)]);
    assert_eq!((tour.timer(0, 10 * MS), tour.timer(1, 10 * MS)), (1, 1));
    let mut turns = Vec::new();
    while tour.maydays.others_wait() {
        let (pool, mut next) = tour.go();
        let mut ran = 0;
        while let Rescued::Run(_) = next {
            ran += 1;
            next = tour.next();
        }
        turns.push((pool, ran, next));
    }
    assert_eq!(
        turns,
        [
            (0, 17, Rescued::LeaveAgain),
            (1, 17, Rescued::LeaveAgain),
            (0, 17, Rescued::LeaveAgain),
            (1, 3, Rescued::Leave),
            (0, 6, Rescued::Leave),
        ]
    );
    for (life, items) in tour.pools.iter().zip([40, 20]) {
        assert_eq!(life.counted(0, Counter::Rescued), items);
        assert_eq!(life.counted(0, Counter::Mayday), 1, "a turn is no new call");
    }
}

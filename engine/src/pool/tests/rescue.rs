//! Creation that fails, calls for help, and rescuers: semantics 4.2, 4.4 and 4.8.

use super::lives::{Life, Rescued, Went};
use crate::pool::PwqIx;
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
        let mut life = Life::bound(2);
        life.queue(4);
        assert_eq!(life.step(1), Went::Run, "another is idle");
        life.pool.sleeping(
            crate::pool::WorkerIx(1),
            crate::pool::Informant::Hint,
            None,
            0,
            &mut crate::pool::Effects::default(),
        );
        assert_eq!(life.step(0), Went::Create);
        assert_eq!(life.create_failed(0), Went::Cooldown(1000 * MS));
        life.now = 10 * MS;
        life.timer();
        let me = life.attach(0).expect("it has called");
        assert_eq!(life.rescue(me, others_wait), Rescued::Run(1));
        // The blocked worker comes back: the pool needs no other for the moment.
        life.pool.running(
            crate::pool::WorkerIx(1),
            crate::pool::Informant::Hint,
            life.now,
            &mut crate::pool::Effects::default(),
        );
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

//! Timers that fire, are moved and taken off at once.

use super::rig::{Count, check, end, engine, user};
use std::time::Duration;
use wq_engine::DelayedWork;

const SOON: Duration = Duration::from_millis(1);

fn counting(runs: &Count) -> DelayedWork {
    let runs = runs.clone();
    DelayedWork::named("delayed", move |_| runs.up())
}

#[test]
fn whoever_moves_or_cancels_an_item_knows_whether_it_runs() {
    check(4000, || {
        let (engine, runs) = (engine(), Count::new());
        let work = counting(&runs);
        let wanted = Count::new();
        let taken = Count::new();
        assert!(engine.schedule_delayed_work(&work, SOON));
        wanted.up();
        let mover = user({
            let (engine, work, wanted) = (engine.clone(), work.clone(), wanted.clone());
            move || {
                for delay in [SOON, Duration::ZERO] {
                    if !engine.system_wq().mod_delayed_work(&work, delay) {
                        wanted.up();
                    }
                }
            }
        });
        let canceller = user({
            let (work, taken) = (work.clone(), taken.clone());
            move || {
                if work.cancel() {
                    taken.up();
                }
            }
        });
        mover.join().unwrap();
        canceller.join().unwrap();
        work.flush();
        assert_eq!(runs.get(), wanted.get() - taken.get());
        assert_eq!(work.busy(), 0);
        end(&engine);
    });
}

#[test]
fn a_flush_queues_at_once_what_is_on_its_timer() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let far = counting(&runs);
        assert!(engine.schedule_delayed_work(&far, Duration::from_secs(3600)));
        let near = counting(&runs);
        let other = user({
            let (engine, near) = (engine.clone(), near.clone());
            move || {
                assert!(engine.schedule_delayed_work(&near, SOON));
                near.flush();
            }
        });
        far.flush();
        assert!(runs.get() >= 1);
        other.join().unwrap();
        assert_eq!(runs.get(), 2);
        end(&engine);
    });
}

#[test]
fn timers_fire_in_their_order_whoever_arms_them() {
    check(1200, || {
        let (engine, runs) = (engine(), Count::new());
        let works: Vec<_> = (0..3).map(|_| counting(&runs)).collect();
        let others: Vec<_> = works
            .iter()
            .zip([3, 1, 2])
            .map(|(work, ms)| {
                let (engine, work) = (engine.clone(), work.clone());
                user(move || {
                    assert!(engine.schedule_delayed_work(&work, Duration::from_millis(ms)));
                })
            })
            .collect();
        for other in others {
            other.join().unwrap();
        }
        // Nobody hurries them: if the timer thread sleeps through one, this never ends.
        while works.iter().any(DelayedWork::pending) {
            shuttle::thread::yield_now();
        }
        for work in &works {
            work.flush();
        }
        assert_eq!(runs.get(), 3);
        end(&engine);
    });
}

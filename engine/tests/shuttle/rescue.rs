//! Workers that cannot be created: the rescuers, and who waits for them.

use super::rig::{Count, check, counting, end, engine, pause, user};
use wq_engine::WqFlags;

#[test]
fn a_rescuer_executes_what_no_worker_can() {
    check(2400, || {
        let (engine, helped, others) = (engine(), Count::new(), Count::new());
        let wq = engine
            .alloc_workqueue("reclaim", WqFlags::MEM_RECLAIM, 0)
            .unwrap();
        engine.fail_worker_creation(true);
        let theirs = counting("theirs", &others);
        let other = user({
            let (engine, theirs) = (engine.clone(), theirs.clone());
            move || {
                assert!(engine.schedule_work(&theirs));
            }
        });
        for _ in 0..2 {
            let work = counting("helped", &helped);
            assert!(wq.queue_work(&work));
            work.flush();
        }
        assert_eq!(helped.get(), 2);
        other.join().unwrap();
        engine.fail_worker_creation(false);
        theirs.flush();
        assert_eq!(others.get(), 1);
        end(&engine);
    });
}

#[test]
fn a_workqueue_goes_while_its_rescuer_is_called() {
    check(2400, || {
        let (engine, runs) = (engine(), Count::new());
        let wq = engine
            .alloc_workqueue("reclaim", WqFlags::MEM_RECLAIM, 0)
            .unwrap();
        engine.fail_worker_creation(true);
        let healer = user({
            let engine = engine.clone();
            move || {
                pause();
                engine.fail_worker_creation(false);
            }
        });
        assert!(wq.queue_work(&counting("w", &runs)));
        assert!(wq.queue_work(&counting("w", &runs)));
        wq.destroy();
        assert_eq!(runs.get(), 2);
        drop(wq);
        healer.join().unwrap();
        end(&engine);
    });
}

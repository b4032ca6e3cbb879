//! Freezing.

use super::support::{Count, Held, LONG, engine};
use wq_engine::WqFlags;

#[test]
fn s4_10_frozen_holds_what_is_not_active_and_thaw_lets_it_go() {
    let engine = engine("freeze");
    for unbound in [WqFlags::empty(), WqFlags::UNBOUND] {
        let wq = engine
            .alloc_workqueue("cold", WqFlags::FREEZABLE | unbound, 0)
            .unwrap();
        let running = Held::on(&wq);
        assert_eq!(
            engine.freeze(),
            std::slice::from_ref(&wq),
            "an active item runs on"
        );
        let count = Count::default();
        let (kept, cancelled) = (count.work(), count.work());
        assert!(wq.queue_work(&kept) && wq.queue_work(&cancelled));
        running.let_go();
        running.work.flush();
        assert!(engine.freeze().is_empty());
        assert!(cancelled.cancel(), "a held item can be cancelled");
        let other = engine.alloc_workqueue("warm", unbound, 0).unwrap();
        let passing = count.work();
        assert!(other.queue_work(&passing));
        passing.flush();
        assert_eq!(count.get(), 1, "others go on");
        assert!(kept.pending());
        // The configured limit is shown while frozen, and may be changed.
        assert_eq!(wq.max_active(), 1024);
        wq.set_max_active(2);
        assert_eq!(wq.max_active(), 2);
        assert!(kept.pending());
        engine.thaw();
        wq.flush();
        assert_eq!(count.get(), 2);
    }
}

#[test]
fn s4_10_a_wq_made_while_frozen_is_frozen() {
    let engine = engine("freeze new");
    assert!(engine.freeze().is_empty());
    let wq = engine
        .alloc_workqueue("late", WqFlags::FREEZABLE, 0)
        .unwrap();
    let count = Count::default();
    let work = count.work();
    assert!(wq.queue_work(&work));
    engine.system_wq().flush();
    assert!(work.pending());
    engine.thaw();
    work.flush();
    assert_eq!(count.get(), 1);
    engine.shutdown(LONG).unwrap();
}

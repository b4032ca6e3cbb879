//! Declaring and initialising items.

use super::support::{Count, LONG, engine, snapshot, until};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak, mpsc};
use wq_engine::{
    DelayedWork, EmbeddedWork, RcuWork, Work, WorkItem, WqFlags, declare_delayed_work,
    declare_work, impl_has_work, rcu,
};

#[test]
fn s2_1_init_work_makes_an_idle_item() {
    let work = Work::new(|_| {});
    assert_eq!((work.pending(), work.busy()), (false, 0));
    assert!(!work.flush() && !work.cancel() && !work.cancel_sync());
    let delayed = DelayedWork::new(|_| {});
    assert_eq!((delayed.pending(), delayed.busy()), (false, 0));
    assert!(delayed.expires().is_none());
    assert!(!delayed.flush() && !delayed.cancel() && !delayed.cancel_sync());
    let rcu = RcuWork::new(|_| {});
    assert_eq!((rcu.pending(), rcu.busy()), (false, 0));
    assert!(!rcu.flush());
}

static DECLARED: AtomicUsize = AtomicUsize::new(0);

fn declared(_: &Work) {
    DECLARED.fetch_add(1, Ordering::SeqCst);
}

fn declared_delayed(_: &DelayedWork) {
    DECLARED.fetch_add(1, Ordering::SeqCst);
}

declare_work!(
    /// Two engines meet it.
    WORK,
    declared
);
declare_delayed_work!(pub(crate) DELAYED, declared_delayed);

#[test]
fn s2_1_declare_work_may_meet_two_engines() {
    for name in ["static-1", "static-2"] {
        let engine = engine(name);
        let before = DECLARED.load(Ordering::SeqCst);
        assert!(engine.schedule_work(&WORK));
        WORK.flush();
        assert!(engine.schedule_delayed_work(&DELAYED, LONG));
        assert!(DELAYED.pending());
        DELAYED.flush();
        assert_eq!(DECLARED.load(Ordering::SeqCst), before + 2);
        let functions = snapshot(&engine).functions;
        assert!(functions.iter().any(|function| function.name == "declared"));
    }
}

/// An object with an item in it.
struct Device {
    work: EmbeddedWork,
    ran: Count,
    gone: mpsc::Sender<()>,
}

impl_has_work!(Device, work);

impl WorkItem for Device {
    fn run(self: Arc<Self>) {
        self.ran.add();
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // The item is free by now, whoever lets the object go.
        assert!(!self.work.cancel());
        let _ = self.gone.send(());
    }
}

fn device() -> (Arc<Device>, mpsc::Receiver<()>) {
    let (gone, is_gone) = mpsc::channel();
    let device = Device {
        work: EmbeddedWork::new("device"),
        ran: Count::default(),
        gone,
    };
    (Arc::new(device), is_gone)
}

#[test]
fn s2_1_container_of_runs_the_object_and_hands_it_back_when_pending() {
    let engine = engine("embedded");
    let line = engine
        .alloc_ordered_workqueue("line", WqFlags::empty())
        .unwrap();
    let held = super::support::Held::on(&line);
    let (device, gone) = device();
    let ran = device.ran.clone();
    assert!(line.queue(device.clone()).is_ok());
    assert!(device.work.pending());
    let refused = line.queue(device.clone());
    assert!(refused.is_err_and(|back| Arc::ptr_eq(&back, &device)));
    held.let_go();
    device.work.flush();
    assert_eq!(ran.get(), 1);
    // The queued item alone keeps it.
    assert!(line.queue_on(0, device).is_ok());
    gone.recv_timeout(LONG).expect("it goes after its run");
    assert_eq!(ran.get(), 2);
}

#[test]
fn s2_1_container_of_a_cancel_lets_the_object_go() {
    let engine = engine("embedded-cancel");
    let line = engine
        .alloc_ordered_workqueue("line", WqFlags::empty())
        .unwrap();
    let held = super::support::Held::on(&line);
    let (device, gone) = device();
    let ran = device.ran.clone();
    assert!(line.queue(device.clone()).is_ok());
    assert!(device.work.cancel());
    assert_eq!(Arc::strong_count(&device), 1);
    assert!(!device.work.disable());
    assert!(line.queue(device.clone()).is_err(), "it is disabled");
    assert!(device.work.enable());
    // Queued and with no other owner: an engine that ends lets it go.
    let weak: Weak<Device> = Arc::downgrade(&device);
    assert!(line.queue(device).is_ok());
    held.let_go();
    until(|| weak.upgrade().is_none());
    gone.recv_timeout(LONG).expect("it is dropped");
    assert_eq!(ran.get(), 1);
}

/// Its function is the object's: queueing the bare item would run nothing.
#[test]
fn s2_1_container_of_a_bare_field_is_not_queued() {
    struct Own(EmbeddedWork, mpsc::Sender<bool>, wq_engine::Workqueue);
    impl wq_engine::HasWork for Own {
        fn work(&self) -> &EmbeddedWork {
            &self.0
        }
    }
    impl WorkItem for Own {
        fn run(self: Arc<Self>) {
            let work = wq_engine::current_work().expect("it executes");
            self.1.send(self.2.queue_work(&work)).unwrap();
        }
    }
    let engine = engine("bare");
    let (said, hears) = mpsc::channel();
    let own = Own(EmbeddedWork::new("own"), said, engine.system_wq().clone());
    assert!(engine.system_wq().queue(Arc::new(own)).is_ok());
    assert!(!hears.recv_timeout(LONG).unwrap());
}

#[test]
fn s2_1_init_rcu_work_runs_with_its_own_handle() {
    let engine = engine("rcu-init");
    let again = engine.system_wq().clone();
    let ran = Count::default();
    let counted = ran.clone();
    let work = RcuWork::named("twice", move |work| {
        counted.add();
        if counted.get() < 2 {
            assert!(again.queue_rcu_work(work), "it may queue itself");
        }
    });
    let reader = rcu::read_lock();
    assert!(engine.system_wq().queue_rcu_work(&work));
    drop(reader);
    until(|| ran.get() == 2);
    work.flush();
    assert!(!work.pending());
}

//! Every name that users rely on, with its arguments and results, used once.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use wq_engine::{
    AffinityScope, BUSY_PENDING, BUSY_RUNNING, Builder, CpuMask, DelayedWork, EmbeddedWork, Engine,
    Error, RcuWork, Sensing, Topology, Work, WorkItem, Workqueue, WorkqueueAttrs, WqFlags,
    blocking, current_is_workqueue_rescuer, current_work, declare_delayed_work, declare_work,
    impl_has_work, rcu, set_worker_desc,
};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);
/// A timer that does not fire.
const NEVER: Duration = Duration::from_secs(3600);

fn engine(name: &str) -> Engine {
    Engine::builder().name(name).cpus([0]).build().unwrap()
}

/// An item that counts its executions.
fn counting() -> (Work, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let work = Work::named("counting", move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    (work, ran)
}

/// An item on a timer that does not fire by itself.
fn armed(wq: &Workqueue) -> DelayedWork {
    let delayed = DelayedWork::named("armed", |_: &DelayedWork| {});
    assert!(wq.queue_delayed_work(&delayed, NEVER));
    delayed
}

#[test]
fn handles_are_cheap_and_may_go_to_any_thread() {
    fn is_handle<T: Clone + Send + Sync + 'static>() {
        // A pointer.
        assert_eq!(size_of::<T>(), size_of::<usize>());
    }
    is_handle::<Work>();
    is_handle::<DelayedWork>();
    is_handle::<RcuWork>();
    is_handle::<Workqueue>();
    is_handle::<Engine>();
}

#[test]
fn a_builder_takes_every_setting() {
    let dir = tempfile::tempdir().unwrap();
    let builder: Builder = Engine::builder();
    let built: Result<Engine, Error> = builder
        .name("api-builder")
        .cpus([0])
        .sensing(Sensing::Hints)
        .segment_dir(dir.path())
        .segment_budget(8 << 20)
        .ring_size(64 << 10)
        .tracing(true)
        .idle_timeout(Duration::from_secs(1))
        .cpu_intensive_thresh(Duration::from_millis(5))
        .watchdog_thresh(Duration::from_secs(5))
        .power_efficient(true)
        .default_affinity_scope(AffinityScope::Numa)
        .topology(Topology::flat(1))
        .build();
    let engine = built.unwrap();
    let path: Option<&Path> = engine.segment_path();
    assert!(path.unwrap().starts_with(dir.path()));
    assert_eq!(
        (engine.cpus(), engine.sensing()),
        (&[0][..], Sensing::Hints)
    );
    assert!(engine.system_power_efficient_wq().attrs().is_some());
    let ended: Result<(), Error> = engine.shutdown(LONG);
    assert!(ended.is_ok());
}

#[test]
fn one_engine_is_the_processs_own() {
    let engine: &'static Engine = Engine::global();
    assert!(std::ptr::eq(engine, Engine::global()));
    assert!(!engine.cpus().is_empty());
}

/// All of them, each with its kernel's bit.
#[test]
fn flags_have_the_kernels_bits() {
    let bits = [
        (WqFlags::BH, 0x1),
        (WqFlags::UNBOUND, 0x2),
        (WqFlags::FREEZABLE, 0x4),
        (WqFlags::MEM_RECLAIM, 0x8),
        (WqFlags::HIGHPRI, 0x10),
        (WqFlags::CPU_INTENSIVE, 0x20),
        (WqFlags::SYSFS, 0x40),
        (WqFlags::POWER_EFFICIENT, 0x80),
        (WqFlags::PERCPU, 0x100),
    ];
    for (flag, bit) in bits {
        assert_eq!(flag.bits(), bit);
    }
    let both: WqFlags = WqFlags::HIGHPRI | WqFlags::UNBOUND;
    assert!(both.contains(WqFlags::UNBOUND) && !WqFlags::empty().contains(both));
}

#[test]
fn a_workqueue_queues_every_kind_of_item() {
    let engine = engine("api-queue");
    let wq: Result<Workqueue, Error> = engine.alloc_workqueue("api", WqFlags::PERCPU, 0);
    let wq = wq.unwrap();
    let (work, ran) = counting();
    for times in 1..=4 {
        let queued: bool = match times {
            1 => wq.queue_work(&work),
            2 => wq.queue_work_on(0, &work),
            3 => wq.queue_work_node(0, &work),
            _ => !work.disable() && wq.enable_and_queue_work(&work),
        };
        assert!(queued);
        work.flush();
        assert_eq!(ran.load(Ordering::SeqCst), times);
    }
    let delayed = armed(&wq);
    let again: bool = wq.queue_delayed_work_on(0, &delayed, NEVER);
    assert!(!again, "it is pending");
    let was_pending: [bool; 2] = [
        wq.mod_delayed_work(&delayed, NEVER),
        wq.mod_delayed_work_on(0, &delayed, Duration::ZERO),
    ];
    assert_eq!(was_pending, [true, true]);
    delayed.flush();
    let (tell, told) = mpsc::channel();
    let to_tell = tell.clone();
    let rcu_work = RcuWork::named("readers-left", move |_: &RcuWork| {
        to_tell.send("rcu").unwrap();
    });
    let reader: rcu::Guard = rcu::read_lock();
    let queued: bool = wq.queue_rcu_work(&rcu_work);
    assert!(queued);
    drop(reader);
    let _: bool = rcu_work.flush();
    let spawned: bool = wq.spawn(move || tell.send("spawned").unwrap());
    assert!(spawned);
    wq.flush();
    assert_eq!(told.iter().take(2).collect::<Vec<_>>(), ["rcu", "spawned"]);
}

#[test]
fn a_workqueue_is_waited_for_tuned_and_taken_down() {
    let engine = engine("api-tune");
    let wq = engine
        .alloc_workqueue("tuned", WqFlags::UNBOUND, 16)
        .unwrap();
    assert_eq!(
        (wq.name(), wq.flags(), wq.max_active()),
        ("tuned", WqFlags::UNBOUND, 16)
    );
    wq.set_max_active(4);
    wq.set_min_active(2);
    assert_eq!(wq.max_active(), 4);
    let attrs = WorkqueueAttrs {
        nice: 1,
        cpumask: CpuMask::of(0),
        affn_scope: AffinityScope::Smt,
        affn_strict: true,
    };
    let applied: Result<(), Error> = wq.apply_attrs(&attrs);
    applied.unwrap();
    let in_force: Option<WorkqueueAttrs> = wq.attrs();
    assert_eq!(in_force, Some(attrs));
    let congested: bool = wq.congested(0);
    assert!(!congested);
    wq.flush();
    wq.drain();
    wq.destroy();
    let (work, ran) = counting();
    assert!(wq.queue_work(&work), "and is dropped");
    assert_eq!((work.pending(), ran.load(Ordering::SeqCst)), (false, 0));
    let ordered: Result<Workqueue, Error> =
        engine.alloc_ordered_workqueue("journal", WqFlags::MEM_RECLAIM);
    assert_eq!(ordered.unwrap().max_active(), 1);
}

#[test]
fn work_and_delayed_work_have_the_same_methods() {
    let engine = engine("api-items");
    let wq = engine.system_wq();
    let work = Work::new(|work: &Work| assert_eq!(work.busy(), BUSY_RUNNING));
    assert_eq!((work.pending(), work.busy()), (false, 0));
    let answers: [bool; 7] = [
        work.flush(),
        work.cancel(),
        work.cancel_sync(),
        work.disable(),
        work.disable_sync(),
        work.enable(),
        work.enable(),
    ];
    assert_eq!(answers, [false, false, false, false, false, false, true]);
    let delayed = DelayedWork::new(|delayed: &DelayedWork| assert!(!delayed.pending()));
    assert!(wq.queue_delayed_work(&delayed, NEVER));
    let bits: u32 = delayed.busy();
    assert_eq!((delayed.pending(), bits), (true, BUSY_PENDING));
    let expires: Option<Instant> = delayed.expires();
    assert!(expires.unwrap() > Instant::now());
    assert!(delayed.cancel());
    assert!(wq.queue_delayed_work(&delayed, NEVER) && delayed.cancel_sync());
    assert!(wq.queue_delayed_work(&delayed, NEVER) && delayed.disable());
    assert!(!delayed.disable_sync() && !delayed.enable() && delayed.enable());
    assert!(!delayed.flush());
    let rcu_work = RcuWork::new(|_: &RcuWork| {});
    assert!(!rcu_work.flush() && !rcu_work.pending());
}

#[test]
fn an_engine_schedules_on_its_own_workqueue() {
    let engine = engine("api-schedule");
    let (work, ran) = counting();
    assert!(engine.schedule_work(&work));
    work.flush();
    assert!(engine.schedule_work_on(0, &work));
    work.flush();
    let delayed = DelayedWork::named("later", |_| {});
    assert!(engine.schedule_delayed_work(&delayed, NEVER) && delayed.cancel());
    assert!(engine.schedule_delayed_work_on(0, &delayed, NEVER) && delayed.cancel());
    let count = ran.clone();
    let all: Result<(), Error> = engine.schedule_on_each_cpu(move |_: &Work| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    all.unwrap();
    let sum: i32 = engine.work_on_cpu(0, || 1 + 2);
    assert_eq!((ran.load(Ordering::SeqCst), sum), (3, 3));
    let frozen: Vec<Workqueue> = engine.freeze();
    assert!(frozen.is_empty());
    engine.thaw();
    let shown: [String; 2] = [
        engine.show_all_workqueues(),
        engine.show_one_workqueue(engine.system_wq()),
    ];
    assert!(shown[0].starts_with("Showing busy workqueues"));
    assert_eq!(shown[1], "", "nothing is busy");
}

#[test]
fn an_engine_has_the_system_workqueues() {
    let engine = engine("api-system");
    let system: [(&Workqueue, &str); 12] = [
        (engine.system_wq(), "events"),
        (engine.system_percpu_wq(), "events"),
        (engine.system_highpri_wq(), "events_highpri"),
        (engine.system_long_wq(), "events_long"),
        (engine.system_unbound_wq(), "events_unbound"),
        (engine.system_dfl_wq(), "events_unbound"),
        (engine.system_dfl_long_wq(), "events_dfl_long"),
        (engine.system_freezable_wq(), "events_freezable"),
        (engine.system_power_efficient_wq(), "events_power_efficient"),
        (
            engine.system_freezable_power_efficient_wq(),
            "events_freezable_pwr_efficient",
        ),
        (engine.system_bh_wq(), "events_bh"),
        (engine.system_bh_highpri_wq(), "events_bh_highpri"),
    ];
    for (wq, name) in system {
        assert_eq!(wq.name(), name);
        let (work, ran) = counting();
        assert!(wq.queue_work(&work));
        work.flush();
        assert_eq!(ran.load(Ordering::SeqCst), 1, "{name}");
    }
}

#[test]
fn a_work_function_knows_itself() {
    let engine = engine("api-current");
    assert!(current_work().is_none() && !current_is_workqueue_rescuer());
    let (tell, told) = mpsc::channel();
    let work = Work::named("self", move |_| {
        set_worker_desc("flush-8:0");
        let slept: u32 = blocking(|| 8);
        let current: Option<Work> = current_work();
        tell.send((slept, current.is_some())).unwrap();
    });
    assert!(engine.schedule_work(&work));
    assert_eq!(told.recv_timeout(LONG).unwrap(), (8, true));
}

/// An object with an item in it.
struct Device {
    work: EmbeddedWork,
    resets: AtomicUsize,
}

impl_has_work!(Device, work);

impl WorkItem for Device {
    fn run(self: Arc<Self>) {
        self.resets.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn an_object_is_queued_by_the_item_in_it() {
    let engine = engine("api-embedded");
    let device = Arc::new(Device {
        work: EmbeddedWork::new("reset_device"),
        resets: AtomicUsize::new(0),
    });
    assert!(!device.work.disable());
    let refused: Result<(), Arc<Device>> = engine.system_wq().queue(device.clone());
    assert!(refused.is_err_and(|back| Arc::ptr_eq(&back, &device)));
    assert!(device.work.enable());
    assert!(engine.system_wq().queue(device.clone()).is_ok());
    device.work.flush();
    assert_eq!(device.resets.load(Ordering::SeqCst), 1);
}

static DECLARED: AtomicUsize = AtomicUsize::new(0);

fn declared(_: &Work) {
    DECLARED.fetch_add(1, Ordering::SeqCst);
}

fn declared_delayed(_: &DelayedWork) {
    DECLARED.fetch_add(1, Ordering::SeqCst);
}

declare_work!(FLUSH, declared);
declare_delayed_work!(POLL, declared_delayed);

#[test]
fn an_item_may_be_a_static() {
    let engine = engine("api-static");
    assert!(engine.schedule_work(&FLUSH));
    assert!(engine.schedule_delayed_work(&POLL, NEVER));
    FLUSH.flush();
    POLL.flush();
    assert_eq!(DECLARED.load(Ordering::SeqCst), 2);
}

//! One golden line for every event, and the JSON fields beside the text.

use super::*;
use crate::event::{Drop, Hold, REQ_CPU_LOCAL, Wake, Was};
use crate::fixture;
use crate::ids::{FuncId, WorkerId, WqId};
use crate::names::Names;

const ALLOC: (u32, u32) = (0x2000a, 4);

type Golden = (What, &'static str);

/// Every event with what stands behind its timestamp; first those that the kernel has, too.
fn goldens() -> Vec<Golden> {
    [of_items(), of_workers(), of_workqueues()].concat()
}

fn of_items() -> Vec<Golden> {
    vec![
        (
            What::QueueWork {
                req_cpu: REQ_CPU_LOCAL,
                cpu: -1,
            },
            "workqueue_queue_work: work struct=000000000000002a function=flush_cache workqueue=mixed req_cpu=8192 cpu=-1",
        ),
        (
            What::ActivateWork,
            "workqueue_activate_work: work struct 000000000000002a function=flush_cache ",
        ),
        (
            What::ExecuteStart,
            "workqueue_execute_start: work struct 000000000000002a: function flush_cache",
        ),
        (
            What::ExecuteEnd,
            "workqueue_execute_end: work struct 000000000000002a: function flush_cache",
        ),
        (
            What::HoldWork {
                reason: Hold::MaxActive,
            },
            "workqueue_hold_work: work=000000000000002a function=flush_cache workqueue=mixed reason=max_active",
        ),
        (
            What::CancelWork { was: Was::Timer },
            "workqueue_cancel_work: work=000000000000002a function=flush_cache was=timer",
        ),
        (
            What::DisableWork { depth: 2 },
            "workqueue_disable_work: work=000000000000002a function=flush_cache depth=2",
        ),
        (
            What::EnableWork { depth: 0 },
            "workqueue_enable_work: work=000000000000002a function=flush_cache depth=0",
        ),
        (
            What::DropWork {
                reason: Drop::Shutdown,
            },
            "workqueue_drop_work: work=000000000000002a function=flush_cache workqueue=mixed reason=shutdown",
        ),
        (
            What::TimerArm { delay_us: 2500 },
            "workqueue_timer_arm: work=000000000000002a function=flush_cache workqueue=mixed delay_us=2500",
        ),
        (
            What::Panic,
            "workqueue_panic: work=000000000000002a function=flush_cache",
        ),
    ]
}

fn of_workers() -> Vec<Golden> {
    vec![
        (
            What::WorkerCreate { nr_workers: 3 },
            "workqueue_worker_create: pool=2 worker=kworker/0:1 nr_workers=3",
        ),
        (
            What::WorkerDestroy { nr_workers: 2 },
            "workqueue_worker_destroy: pool=2 worker=kworker/0:1 nr_workers=2",
        ),
        (
            What::WorkerWake {
                reason: Wake::Chain,
            },
            "workqueue_worker_wake: pool=2 worker=kworker/0:1 reason=chain",
        ),
        (
            What::WorkerIdle { nr_idle: 1 },
            "workqueue_worker_idle: pool=2 worker=kworker/0:1 nr_idle=1",
        ),
        (
            What::WorkerSleep { nr_running: 0 },
            "workqueue_worker_sleep: pool=2 worker=kworker/0:1 function=flush_cache nr_running=0",
        ),
        (
            What::WorkerResume { nr_running: 1 },
            "workqueue_worker_resume: pool=2 worker=kworker/0:1 function=flush_cache nr_running=1",
        ),
        (
            What::ManagerStart,
            "workqueue_manager_start: pool=2 worker=kworker/0:1",
        ),
        (
            What::ManagerEnd,
            "workqueue_manager_end: pool=2 worker=kworker/0:1",
        ),
        (
            What::CpuIntensive { cpu_us: 10_000 },
            "workqueue_cpu_intensive: pool=2 worker=kworker/0:1 function=flush_cache cpu_us=10000",
        ),
    ]
}

fn of_workqueues() -> Vec<Golden> {
    let (flags, max_active) = ALLOC;
    let (work, wq) = (FlushTarget::Work, FlushTarget::Workqueue);
    vec![
        (What::Mayday, "workqueue_mayday: workqueue=mixed pool=2"),
        (What::Rescue, "workqueue_rescue: workqueue=mixed pool=2"),
        (
            What::FlushStart { target: work },
            "workqueue_flush_start: target=work:000000000000002a waiter=4711",
        ),
        (
            What::FlushEnd { target: wq },
            "workqueue_flush_end: target=wq:mixed waiter=4711",
        ),
        (
            What::Stall { seconds: 31 },
            "workqueue_stall: pool=2 seconds=31",
        ),
        (
            What::Alloc { flags, max_active },
            "workqueue_alloc: workqueue=mixed flags=0x2000a max_active=4",
        ),
        (
            What::Destroy { flags, max_active },
            "workqueue_destroy: workqueue=mixed flags=0x2000a max_active=4",
        ),
        (
            What::Freeze { flags, max_active },
            "workqueue_freeze: workqueue=mixed flags=0x2000a max_active=4",
        ),
        (
            What::Thaw { flags, max_active },
            "workqueue_thaw: workqueue=mixed flags=0x2000a max_active=4",
        ),
        (
            What::Attrs {
                nice: -20,
                strict: true,
                scope: 3,
                cpumask: 0xff,
            },
            "workqueue_attrs: workqueue=mixed nice=-20 strict=1 scope=cache cpumask=0xff",
        ),
        (
            What::MaxActive { old: 4, new: 8 },
            "workqueue_max_active: workqueue=mixed old=4 new=8",
        ),
        (
            What::Deadlock {
                target: FlushTarget::Work,
                waiter: 4712,
                cycle: 1,
            },
            "workqueue_deadlock: target=work:000000000000002a waiter=4712 cycle=1",
        ),
    ]
}

/// How many kinds of event there are: the arms of [`name`], which the compiler keeps complete.
const KINDS: usize = 32;

#[test]
fn every_event_has_its_text() {
    let names = Names::new(&fixture::snapshot());
    let goldens = goldens();
    for (what, text) in &goldens {
        let expected = format!("     kworker/0:1-4711    [003] .....    12.345678: {text}");
        assert_eq!(line(&fixture::event(*what), &names), expected);
    }
    let mut kinds: Vec<_> = goldens.iter().map(|(what, _)| name(what)).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), KINDS);
}

#[test]
fn the_text_of_our_events_is_their_fields() {
    let names = Names::new(&fixture::snapshot());
    for (what, text) in goldens().into_iter().skip(4) {
        let fields = Value::Object(fields(&fixture::event(what), &names));
        assert_eq!(text, format!("{}: {fields}", name(&what)));
    }
}

#[test]
fn a_long_name_and_a_long_time_push_the_rest_to_the_right() {
    let event = Event {
        at: 123_456_789_000_001_999,
        tid: 12_345_678,
        cpu: 1023,
        ..fixture::event(What::ExecuteEnd)
    };
    let mut snapshot = fixture::snapshot();
    snapshot.threads[0].tid = event.tid;
    snapshot.threads[0].comm = "a_name_of_more_than_16".into();
    let text = line(&event, &Names::new(&snapshot));
    let expected =
        "a_name_of_more_than_16-12345678 [1023] ..... 123456789.000001: workqueue_execute_end: ";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn what_has_no_name_is_unknown() {
    let event = Event {
        func: FuncId::NONE,
        ..fixture::event(What::Mayday)
    };
    let text = line(&event, &Names::default());
    assert!(text.starts_with("         unknown-4711 "), "{text}");
    assert!(
        text.ends_with("workqueue_mayday: workqueue=unknown pool=unknown"),
        "{text}"
    );
    let attrs = What::Attrs {
        nice: 0,
        strict: false,
        scope: 200,
        cpumask: 0,
    };
    let text = line(&fixture::event(attrs), &Names::default());
    assert!(
        text.ends_with("strict=0 scope=unknown cpumask=0x0"),
        "{text}"
    );
}

#[test]
fn the_json_object_tells_more_than_the_text_and_no_key_twice() {
    let names = Names::new(&fixture::snapshot());
    for (what, _) in goldens() {
        let event = Event {
            from: FuncId(3),
            ..fixture::event(what)
        };
        let object = object(&event, &names);
        let keys: Vec<_> = object.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys[..5], ["ts_ns", "event", "cpu", "tid", "comm"]);
        for (i, key) in keys.iter().enumerate() {
            assert!(!keys[..i].contains(key), "{key} twice in {}", name(&what));
        }
        assert!(
            ["workqueue", "pool", "worker", "from"]
                .iter()
                .all(|key| keys.contains(key))
        );
    }
}

#[test]
fn the_json_object_leaves_out_what_the_event_does_not_have() {
    let event = Event {
        wq: WqId::NONE,
        pool: PoolId::NONE,
        worker: WorkerId::NONE,
        ..fixture::event(What::ExecuteStart)
    };
    let object = object(&event, &Names::new(&fixture::snapshot()));
    let keys: Vec<_> = object.iter().map(|(key, _)| *key).collect();
    assert_eq!(
        keys,
        ["ts_ns", "event", "cpu", "tid", "comm", "work", "function"]
    );
    assert_eq!(object[5].1, Value::Hex(0x2a));
}

#[test]
fn every_event_is_in_the_list_of_names_once() {
    let mut seen: Vec<&str> = goldens().iter().map(|(what, _)| name(what)).collect();
    seen.sort_unstable();
    seen.dedup();
    let mut listed = NAMES.to_vec();
    listed.sort_unstable();
    assert_eq!(listed, seen);
}

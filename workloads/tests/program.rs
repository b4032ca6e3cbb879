//! What a right script means: the program it becomes, and that no text at all can bring the loader down.

use proptest::prelude::*;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{
    AffinitySpec, Draw, EngineSpec, ItemRef, Pace, ProducerAction, ProducerSpec, Step, WorkSpec,
    WorkqueueSpec, WqRef,
};
use wq_replay::{Machine, Script, parse};

fn loaded(text: &str) -> Script {
    parse(text, Path::new("s.toml"), None).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn item(work: usize, instance: Option<usize>) -> ItemRef {
    ItemRef { work, instance }
}

/// A script with every part of the language.
const ALL: &str = r#"# What it shows. And more.
        # Still the same paragraph.
        name = "all of it"
        cpus = 2
        seed = 9
        topology = "1n1l1c2t"
        [engine]
        sensing = "hints"
        cpu_intensive_thresh = "0ms"
        idle_timeout = "1s"
        watchdog_thresh = "2s"
        power_efficient = true
        default_affinity_scope = "numa"
        [[workqueue]]
        name = "own"
        flags = ["percpu", "highpri", "cpu_intensive"]
        max_active = 2
        [[workqueue]]
        name = "line"
        flags = ["ordered"]
        [[workqueue]]
        name = "wide"
        flags = ["unbound", "freezable", "mem_reclaim", "sysfs", "power_efficient"]
        affinity = { scope = "cache", strict = true }
        [[workqueue]]
        name = "soft"
        flags = ["bh"]
        [[workqueue]]
        name = "thrifty"
        flags = ["power_efficient"]
        affinity = { scope = "default" }
        [[work]]
        name = "a"
        workqueue = "own"
        body = ["burn 1ms", "sleep exp(1ms)", "blocking uniform(1ms, 2ms)", "lock l1 1ms", "lock l2 1ms",
                "lock l1 2ms", "yield", "requeue", "requeue_delayed lognormal(1ms,0.5)", "panic"]
        instances = 3
        [[work]]
        name = "b"
        workqueue = "events_unbound"
        [[work]]
        name = "c"
        workqueue = "events_bh"
        [[producer]]
        name = "p0"
        works = ["b", "a"]
        cpu = 1
        on_cpu = true
        at = "1ms"
        rate = "1000/s"
        count = 7
        for = "1s"
        [[producer]]
        name = "p1"
        steps = ["queue a", "queue_on 1 a#2", "queue_delayed b 1ms", "flush a", "flush_wq line", "flush_wq events",
                 "cancel b", "cancel_sync a#0", "wait 1ms"]
        [[producer]]
        name = "p2"
        steps = ["mod_delayed a#1 exp(1ms)", "queue_rcu c", "flush c", "disable a", "enable a#2", "freeze", "thaw",
                 "drain own", "set_max_active wide 2048", "fail_create on", "fail_create off", "cpu_down 1", "cpu_up 1"]
    "#;

#[test]
fn the_head_and_the_engine_arrive() {
    let script = loaded(ALL);
    assert_eq!(script.summary, "What it shows");
    let program = script.program;
    let engine = EngineSpec {
        sensing: Some("hints".to_owned()),
        cpu_intensive_thresh: Some(Duration::ZERO),
        idle_timeout: Some(ms(1000)),
        watchdog_thresh: Some(ms(2000)),
        power_efficient: Some(true),
        default_affinity_scope: Some("numa".to_owned()),
    };
    assert_eq!(program.topology.as_deref(), Some("1n1l1c2t"));
    assert_eq!(program.engine, engine);
    assert_eq!(
        (program.name.as_str(), program.cpus, program.seed),
        ("all of it", 2, 9)
    );
    assert_eq!(program.locks, ["l1", "l2"]);
}

#[test]
fn workqueues_and_works_arrive() {
    let program = loaded(ALL).program;
    let own = WorkqueueSpec {
        name: "own".to_owned(),
        flags: WqFlags::PERCPU | WqFlags::HIGHPRI | WqFlags::CPU_INTENSIVE,
        max_active: 2,
        affinity: None,
    };
    let line = WorkqueueSpec {
        name: "line".to_owned(),
        flags: WqFlags::ORDERED | WqFlags::UNBOUND,
        max_active: 0,
        affinity: None,
    };
    let wide = WorkqueueSpec {
        name: "wide".to_owned(),
        flags: WqFlags::UNBOUND
            | WqFlags::FREEZABLE
            | WqFlags::MEM_RECLAIM
            | WqFlags::SYSFS
            | WqFlags::POWER_EFFICIENT,
        max_active: 0,
        affinity: Some(AffinitySpec {
            scope: "cache".to_owned(),
            strict: true,
        }),
    };
    let soft = WorkqueueSpec {
        name: "soft".to_owned(),
        flags: WqFlags::BH,
        max_active: 0,
        affinity: None,
    };
    let thrifty = WorkqueueSpec {
        name: "thrifty".to_owned(),
        flags: WqFlags::POWER_EFFICIENT,
        max_active: 0,
        affinity: Some(AffinitySpec {
            scope: "default".to_owned(),
            strict: false,
        }),
    };
    assert_eq!(program.workqueues, [own, line, wide, soft, thrifty]);
    let fixed = |n| Draw::Fixed(ms(n));
    let a = WorkSpec {
        name: "a".to_owned(),
        workqueue: WqRef::Own(0),
        body: vec![
            Step::Burn(fixed(1)),
            Step::Sleep(Draw::Exp(ms(1))),
            Step::Blocking(Draw::Uniform(ms(1), ms(2))),
            Step::Lock(0, fixed(1)),
            Step::Lock(1, fixed(1)),
            Step::Lock(0, fixed(2)),
            Step::Yield,
            Step::Requeue,
            Step::RequeueDelayed(Draw::LogNormal(ms(1), 0.5)),
            Step::Panic,
        ],
        instances: 3,
    };
    let b = WorkSpec {
        name: "b".to_owned(),
        workqueue: WqRef::System("events_unbound".to_owned()),
        body: Vec::new(),
        instances: 1,
    };
    let c = WorkSpec {
        name: "c".to_owned(),
        workqueue: WqRef::System("events_bh".to_owned()),
        body: Vec::new(),
        instances: 1,
    };
    assert_eq!(program.works, [a, b, c]);
}

#[test]
fn producers_arrive() {
    let program = loaded(ALL).program;
    let fixed = |n| Draw::Fixed(ms(n));
    let p0 = ProducerSpec {
        name: "p0".to_owned(),
        action: ProducerAction::Works(vec![1, 0]),
        cpu: Some(1),
        on_cpu: true,
        at: fixed(1),
        pace: Pace::Every(fixed(1)),
        count: Some(7),
        duration: Some(Duration::from_secs(1)),
    };
    let p1 = ProducerSpec {
        name: "p1".to_owned(),
        action: ProducerAction::Steps(vec![
            Step::Queue(item(0, None)),
            Step::QueueOn(1, item(0, Some(2))),
            Step::QueueDelayed(item(1, None), fixed(1)),
            Step::Flush(item(0, None)),
            Step::FlushWq(WqRef::Own(1)),
            Step::FlushWq(WqRef::System("events".to_owned())),
            Step::Cancel(item(1, None)),
            Step::CancelSync(item(0, Some(0))),
            Step::Wait(fixed(1)),
        ]),
        cpu: None,
        on_cpu: false,
        at: fixed(0),
        pace: Pace::BackToBack,
        count: Some(1),
        duration: None,
    };
    let p2 = ProducerSpec {
        name: "p2".to_owned(),
        action: ProducerAction::Steps(vec![
            Step::ModDelayed(item(0, Some(1)), Draw::Exp(ms(1))),
            Step::QueueRcu(item(2, None)),
            Step::Flush(item(2, None)),
            Step::Disable(item(0, None)),
            Step::Enable(item(0, Some(2))),
            Step::Freeze,
            Step::Thaw,
            Step::Drain(WqRef::Own(0)),
            Step::SetMaxActive(WqRef::Own(2), 2048),
            Step::FailCreate(true),
            Step::FailCreate(false),
            Step::CpuDown(1),
            Step::CpuUp(1),
        ]),
        ..p1.clone()
    };
    assert_eq!(program.producers, [p0, p1, p2]);
}

#[test]
fn a_topology_says_how_many_cpus_there_are() {
    let script = loaded("topology = \"2n2l3c2t\"\n");
    assert_eq!((script.program.cpus, script.all_cpus), (24, false));
}

#[test]
fn another_machine_takes_the_place_of_cpus_and_topology() {
    let on = |text: &str, machine: &Machine| {
        let script = parse(text, Path::new("s.toml"), Some(machine)).expect("is right");
        (script.program.cpus, script.program.topology)
    };
    let (four, pairs) = (Machine::Cpus(4), Machine::Topology("2c2t".to_owned()));
    for text in ["cpus = 2", "topology = \"2n\"", ""] {
        assert_eq!(on(text, &four), (4, None));
        assert_eq!(on(text, &pairs), (4, Some("2c2t".to_owned())));
    }
}

#[test]
fn a_producer_without_an_end_makes_one_call() {
    let of = |lines: &str| {
        let text = format!(
            "[[work]]\nname = \"w\"\nworkqueue = \"events\"\n[[producer]]\nname = \"p\"\nworks = [\"w\"]\n{lines}"
        );
        let script = loaded(&text);
        let endless = script.endless_in_simulation().is_some();
        let producer = &script.program.producers[0];
        (producer.count, producer.duration, endless)
    };
    let second = Some(Duration::from_secs(1));
    assert_eq!(of(""), (Some(1), None, false));
    assert_eq!(of("every = \"1ms\""), (Some(1), None, false));
    assert_eq!(of("every = \"1ms\"\nfor = \"1s\""), (None, second, false));
    assert_eq!(of("count = 5"), (Some(5), None, false));
    assert_eq!(of("for = \"1s\""), (None, second, true));
    assert_eq!(of("for = \"1s\"\ncount = 5"), (Some(5), second, false));
}

#[test]
fn deep_nesting_and_long_words_are_errors() {
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("a = {}", "{a=".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("name = \"{}", "x".repeat(1_000_000)),
        "[[work]]\n".repeat(10_000),
    ] {
        let errors = parse(&text, Path::new("s.toml"), None).expect_err("is wrong");
        assert!(errors.errors.len() <= 100);
        assert!(errors.to_string().len() < 100_000);
    }
}

/// A duration, drawn or not.
fn draw() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_u32..5000).prop_map(|n| format!("{n}us")),
        (1_u32..50).prop_map(|n| format!("exp({n}ms)")),
        (1_u32..50, 0_u32..50)
            .prop_map(|(low, more)| format!("uniform({low}ms, {}ms)", low + more)),
        (1_u32..50).prop_map(|n| format!("lognormal({n}ms,1.5)")),
    ]
}

/// A step that may stand in a body, naming works below `works` and 2 CPUs.
fn body_step(works: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        ("burn|sleep|blocking|requeue_delayed", draw()).prop_map(|(verb, d)| format!("{verb} {d}")),
        ("lock [a-d]", draw()).prop_map(|(lock, d)| format!("{lock} {d}")),
        "yield|requeue|panic|flush_wq events",
        (
            "queue|flush|cancel|cancel_sync|queue_on 1|disable|enable",
            0..works
        )
            .prop_map(|(v, w)| format!("{v} w{w}")),
        ("queue_delayed|mod_delayed", 0..works, draw())
            .prop_map(|(verb, w, d)| format!("{verb} w{w} {d}")),
    ]
}

/// A right script and how many works, steps in bodies and producers it has.
fn script() -> impl Strategy<Value = (String, usize, usize, usize)> {
    (1_usize..5).prop_flat_map(|works| {
        let bodies = prop::collection::vec(prop::collection::vec(body_step(works), 0..6), works);
        let pace = prop_oneof![
            Just(String::new()),
            Just("rate = \"100/s\"".to_owned()),
            Just("poisson = \"0.5/s\"\nfor = \"3s\"".to_owned()),
            draw().prop_map(|d| format!("at = \"{d}\"\ncount = 3")),
        ];
        let producers = prop::collection::vec((0..works, pace), 0..4);
        let flags = prop_oneof![
            Just("\"percpu\""),
            Just("\"unbound\", \"highpri\""),
            Just("\"ordered\""),
            Just("\"cpu_intensive\""),
            Just("")
        ];
        (bodies, producers, flags).prop_map(move |(bodies, producers, flags)| {
            let mut text = format!("cpus = 2\n[[workqueue]]\nname = \"q\"\nflags = [{flags}]\n");
            let mut steps = 0;
            for (i, body) in bodies.iter().enumerate() {
                steps += body.len();
                write!(
                    text,
                    "[[work]]\nname = \"w{i}\"\nworkqueue = \"q\"\nbody = {body:?}\n"
                )
                .expect("memory");
            }
            for (i, (work, pace)) in producers.iter().enumerate() {
                write!(
                    text,
                    "[[producer]]\nname = \"p{i}\"\nworks = [\"w{work}\"]\n{pace}\n"
                )
                .expect("memory");
            }
            (text, works, steps, producers.len())
        })
    })
}

proptest! {
    #[test]
    fn right_scripts_load((text, works, steps, producers) in script()) {
        let program = loaded(&text).program;
        prop_assert_eq!(program.works.len(), works);
        prop_assert_eq!(program.works.iter().map(|w| w.body.len()).sum::<usize>(), steps);
        prop_assert_eq!(program.producers.len(), producers);
    }

    #[test]
    fn any_text_is_a_script_or_an_error(text in "\\PC*") {
        if let Err(errors) = parse(&text, Path::new("s.toml"), None) {
            prop_assert!(!errors.errors.is_empty());
        }
    }

    #[test]
    fn a_broken_script_is_a_script_or_an_error(
        (text, ..) in script(),
        from in any::<prop::sample::Index>(),
        length in 0_usize..12,
        into in "[\\[\\]\"'#=a-z0-9 \n(),.µ-]{0,6}",
    ) {
        let characters: Vec<char> = text.chars().collect();
        let from = from.index(characters.len());
        let to = (from + length).min(characters.len());
        let broken: String = characters[..from].iter().copied().chain(into.chars())
            .chain(characters[to..].iter().copied()).collect();
        if let Err(errors) = parse(&broken, Path::new("s.toml"), None) {
            prop_assert!(!errors.to_string().is_empty());
        }
    }
}

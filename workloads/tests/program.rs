//! What a right script means: the program it becomes, and that no text at all can bring the loader down.

use proptest::prelude::*;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;
use wq_engine::sim::{
    Draw, ItemRef, Pace, ProducerAction, ProducerSpec, Step, WorkSpec, WorkqueueSpec, WqRef,
};
use wq_engine::{Sensing, WqFlags};
use wq_replay::{EngineSettings, Script, parse};

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
        [engine]
        sensing = "hints"
        cpu_intensive_thresh = "0ms"
        [[workqueue]]
        name = "own"
        flags = ["percpu", "highpri", "cpu_intensive"]
        max_active = 2
        [[workqueue]]
        name = "line"
        flags = ["ordered"]
        [[work]]
        name = "a"
        workqueue = "own"
        body = ["burn 1ms", "sleep exp(1ms)", "blocking uniform(1ms, 2ms)", "lock l1 1ms", "lock l2 1ms",
                "lock l1 2ms", "yield", "requeue", "requeue_delayed lognormal(1ms,0.5)", "panic"]
        instances = 3
        [[work]]
        name = "b"
        workqueue = "events_unbound"
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
    "#;

#[test]
fn the_head_and_the_engine_arrive() {
    let script = loaded(ALL);
    assert_eq!(script.summary, "What it shows");
    let engine = EngineSettings {
        sensing: Some(Sensing::Hints),
        cpu_intensive_thresh: Some(Duration::ZERO),
    };
    assert_eq!(script.engine, engine);
    let program = script.program;
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
    };
    let line = WorkqueueSpec {
        name: "line".to_owned(),
        flags: WqFlags::ORDERED | WqFlags::UNBOUND,
        max_active: 0,
    };
    assert_eq!(program.workqueues, [own, line]);
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
    assert_eq!(program.works, [a, b]);
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
    assert_eq!(program.producers, [p0, p1]);
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
        ("queue|flush|cancel|cancel_sync|queue_on 1", 0..works)
            .prop_map(|(v, w)| format!("{v} w{w}")),
        (0..works, draw()).prop_map(|(w, d)| format!("queue_delayed w{w} {d}")),
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

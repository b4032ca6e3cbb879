//! The shipped scripts and the README's examples load, and say what they were written to say.

use std::path::{Path, PathBuf};
use std::time::Duration;
use wq_engine::sim::{Draw, Pace, ProducerAction, ProducerSpec, Program, Step};
use wq_replay::expect::{Measure, Relation, Subject};
use wq_replay::{Machine, Script, load, load_for, parse};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts")
}

fn shipped() -> Vec<Script> {
    let mut paths = Vec::new();
    for folder in [folder(), folder().join("waits"), folder().join("warnings")] {
        let entries = std::fs::read_dir(folder).expect("the folder is there");
        paths.extend(entries.map(|e| e.expect("readable").path()));
    }
    paths.retain(|path| path.is_file());
    paths.sort();
    let script = |path: &PathBuf| load(path).unwrap_or_else(|errors| panic!("{errors}"));
    paths.iter().map(script).collect()
}

#[test]
fn all_shipped_scripts_load_and_say_what_they_show() {
    let scripts = shipped();
    assert!(scripts.len() >= 20, "{} scripts", scripts.len());
    for script in &scripts {
        let name = script.path.display();
        assert!(!script.summary.is_empty(), "{name}");
        assert!(!script.expectations.is_empty(), "{name}");
        assert_eq!(script.endless_in_simulation(), None, "{name}");
        let text = std::fs::read_to_string(&script.path).expect("readable");
        let head: String = text.lines().take_while(|l| l.starts_with('#')).collect();
        assert!(head.contains("In the monitor:"), "{name}");
    }
}

#[test]
fn shipped_scripts_fit_a_machine_with_their_cpus() {
    for script in shipped() {
        let cpus = if script.all_cpus {
            1
        } else {
            script.program.cpus
        };
        load_for(&script.path, Some(&Machine::Cpus(cpus)))
            .unwrap_or_else(|errors| panic!("{errors}"));
    }
}

#[test]
fn the_timelines_expect_the_documented_finishes() {
    let timelines = [
        ("kernel-doc-cmwq", [20, 20, 25]),
        ("kernel-doc-max-active-2", [20, 20, 35]),
        ("kernel-doc-cpu-intensive", [20, 20, 25]),
        ("kernel-doc-one-at-a-time", [20, 35, 50]),
    ];
    for (name, finishes) in timelines {
        for (twin, blocks) in [("", false), ("-hints", true)] {
            let script = load(folder().join(format!("{name}{twin}.toml"))).expect("loads");
            assert_eq!(script.program.cpus, 1);
            for (i, ms) in finishes.into_iter().enumerate() {
                let expected = script.expectations.iter().any(|e| {
                    e.subject == Subject::Work(format!("w{i}"))
                        && e.measure == Measure::Finish
                        && e.relation == Relation::Exactly(ms * 1_000_000, 0)
                });
                assert!(expected, "{name}{twin} w{i}");
            }
            let bodies = script.program.works.iter().map(|w| &w.body);
            let steps: Vec<&Step> = bodies.flatten().collect();
            let ms = Draw::Fixed(Duration::from_millis(10));
            let step = if blocks {
                Step::Blocking(ms)
            } else {
                Step::Sleep(ms)
            };
            assert_eq!(
                steps.iter().filter(|s| ***s == step).count(),
                3,
                "{name}{twin}"
            );
            assert_eq!(steps.len(), 7, "{name}{twin}");
        }
    }
}

fn mean(draw: Draw) -> f64 {
    match draw {
        Draw::Fixed(d) | Draw::Exp(d) => d.as_secs_f64(),
        Draw::Uniform(low, high) => f64::midpoint(low.as_secs_f64(), high.as_secs_f64()),
        Draw::LogNormal(median, sigma) => median.as_secs_f64() * (sigma * sigma / 2.0).exp(),
    }
}

/// Mean CPU time of one execution, in seconds.
fn cpu_time(body: &[Step]) -> f64 {
    let of_step = |step: &Step| match step {
        Step::Burn(d) | Step::Lock(_, d) => mean(*d),
        _ => 0.0,
    };
    body.iter().map(of_step).sum()
}

fn calls_a_second(producer: &ProducerSpec) -> f64 {
    match producer.pace {
        Pace::Every(period) => 1.0 / mean(period),
        Pace::Poisson(rate) => rate,
        Pace::BackToBack => 0.0,
    }
}

/// CPUs that the queued works keep busy on average if no queueing is refused.
fn load_of(program: &Program) -> f64 {
    let of_producer = |producer: &ProducerSpec| {
        let each_call: f64 = match &producer.action {
            ProducerAction::Works(works) => {
                let sum: f64 = works
                    .iter()
                    .map(|w| cpu_time(&program.works[*w].body))
                    .sum();
                sum / works.len() as f64
            }
            ProducerAction::Steps(steps) => {
                let queued = steps.iter().filter_map(|s| match s {
                    Step::Queue(item) | Step::QueueDelayed(item, _) => Some(item.work),
                    _ => None,
                });
                queued.map(|w| cpu_time(&program.works[w].body)).sum()
            }
        };
        each_call * calls_a_second(producer)
    };
    program.producers.iter().map(of_producer).sum()
}

#[test]
fn mixed_lasts_a_minute_and_leaves_cpu_free() {
    let program = load(folder().join("mixed.toml")).expect("loads").program;
    let load = load_of(&program);
    assert!((0.6..1.4).contains(&load), "{load} CPUs of 2");
    let minute = Duration::from_secs(60);
    assert!(program.producers.iter().any(|p| p.duration >= Some(minute)));
    let hottest = program
        .producers
        .iter()
        .map(calls_a_second)
        .fold(0.0, f64::max);
    assert!(hottest >= 1000.0, "{hottest} calls a second");
}

#[test]
fn max_active_is_small_enough_to_lose_nothing() {
    let program = load(folder().join("max-active.toml"))
        .expect("loads")
        .program;
    let items: usize = program.works.iter().map(|w| w.instances).sum();
    let calls: u64 = program.producers.iter().filter_map(|p| p.count).sum();
    assert_eq!(items as u64, calls, "each item is queued once");
    assert!(items <= 2000);
}

#[test]
fn the_examples_of_the_readme_load() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).expect("readable");
    let blocks: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        parse(block, Path::new("README.md"), None).unwrap_or_else(|e| panic!("{e}\n{block}"));
    }
}

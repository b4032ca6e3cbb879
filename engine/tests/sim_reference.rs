//! Random programs: the simulator against an independent reference that knows only the contract.

#[path = "reference/model.rs"]
mod model;

use model::{Case, Fact, Item, Kind, Producer, REASONS, Step, Wq};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{
    Draw, End, Outcome, Pace, ProducerAction, ProducerSpec, Program, WorkSpec, WorkqueueSpec,
    WqRef, simulate,
};
use wq_trace::{Event, WaitPart, What};

/// Programs compared; `WQ_REFERENCE_CASES` asks for another number.
const CASES: u32 = 512;

/// Below the threshold at which an execution that only burns is taken for a CPU hog, which the reference leaves out.
const LONGEST_BURN_MS: u64 = 9;

fn body() -> impl Strategy<Value = Vec<Step>> {
    vec((any::<bool>(), 1..=4_u64), 1..=5).prop_map(|steps| {
        let mut burned = 0;
        let step = |(burn, ms)| {
            if burn && burned + ms <= LONGEST_BURN_MS {
                burned += ms;
                Step::Burn(ms)
            } else {
                burned = 0;
                Step::Sleep(ms)
            }
        };
        steps.into_iter().map(step).collect()
    })
}

fn wq() -> impl Strategy<Value = Wq> {
    (
        proptest::bool::weighted(0.3),
        proptest::bool::weighted(0.3),
        0..=4_usize,
    )
        .prop_map(|(highpri, cpu_intensive, max_active)| Wq {
            highpri,
            cpu_intensive,
            max_active,
        })
}

fn producer(items: usize) -> impl Strategy<Value = Producer> {
    let every = proptest::option::weighted(0.7, 1..=8_u64);
    (0..=6_u64, every, 1..=6_usize, vec(0..items, 1..=items)).prop_map(
        |(at, every, count, items)| Producer {
            at,
            every,
            count,
            items,
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    (vec(wq(), 1..=3), 1..=12_usize).prop_flat_map(|(wqs, items)| {
        let item = (0..wqs.len(), body()).prop_map(|(wq, body)| Item { wq, body });
        (Just(wqs), vec(item, items), vec(producer(items), 1..=4)).prop_map(
            |(wqs, items, producers)| Case {
                wqs,
                items,
                producers,
            },
        )
    })
}

fn ms(n: u64) -> Draw {
    Draw::Fixed(Duration::from_millis(n))
}

fn workqueue(index: usize, wq: &Wq) -> WorkqueueSpec {
    let mut flags = WqFlags::PERCPU;
    flags.set(WqFlags::HIGHPRI, wq.highpri);
    flags.set(WqFlags::CPU_INTENSIVE, wq.cpu_intensive);
    WorkqueueSpec {
        name: format!("q{index}"),
        flags,
        max_active: wq.max_active,
        affinity: None,
    }
}

fn work(index: usize, item: &Item) -> WorkSpec {
    let step = |step: &Step| match *step {
        Step::Burn(n) => wq_engine::sim::Step::Burn(ms(n)),
        Step::Sleep(n) => wq_engine::sim::Step::Sleep(ms(n)),
    };
    WorkSpec {
        name: format!("w{index}"),
        workqueue: WqRef::Own(item.wq),
        body: item.body.iter().map(step).collect(),
        instances: 1,
    }
}

fn producer_spec(index: usize, producer: &Producer) -> ProducerSpec {
    ProducerSpec {
        name: format!("p{index}"),
        action: ProducerAction::Works(producer.items.clone()),
        cpu: None,
        on_cpu: false,
        at: ms(producer.at),
        pace: producer
            .every
            .map_or(Pace::BackToBack, |n| Pace::Every(ms(n))),
        count: Some(producer.count as u64),
        duration: None,
    }
}

fn program(case: &Case) -> Program {
    Program {
        name: "random".into(),
        cpus: 1,
        workqueues: (0..case.wqs.len())
            .map(|i| workqueue(i, &case.wqs[i]))
            .collect(),
        works: (0..case.items.len())
            .map(|i| work(i, &case.items[i]))
            .collect(),
        producers: (0..case.producers.len())
            .map(|i| producer_spec(i, &case.producers[i]))
            .collect(),
        ..Program::default()
    }
}

fn simulated(program: &Program) -> (Outcome, Vec<Event>) {
    let mut events = Vec::new();
    let outcome = simulate(program, &AtomicBool::new(false), &mut |e| events.push(*e)).unwrap();
    (outcome, events)
}

/// The events that the reference knows, items numbered in the order in which they are first queued.
fn facts_of(events: &[Event]) -> Vec<Fact> {
    let kind = |event: &Event| match event.what {
        What::QueueWork { .. } => Some(Kind::Queued),
        What::ExecuteStart => Some(Kind::Started),
        What::ExecuteEnd => Some(Kind::Finished),
        _ => None,
    };
    let start = events.first().map_or(0, |e| e.at);
    let facts = events
        .iter()
        .filter_map(|e| Some((e.at - start, kind(e)?, e.work)));
    renumbered(facts)
}

/// The same facts with items numbered by first appearance, so that two namings of the items can be compared.
fn renumbered<T: std::hash::Hash + Eq>(facts: impl Iterator<Item = (u64, Kind, T)>) -> Vec<Fact> {
    let mut numbers = HashMap::new();
    facts
        .map(|(at, kind, item)| {
            let next = numbers.len();
            (at, kind, *numbers.entry(item).or_insert(next))
        })
        .collect()
}

/// Queued, started and finished of every execution of `item`, in nanoseconds.
fn executions_of(facts: &[Fact], item: usize) -> Vec<(u64, u64, Option<u64>)> {
    let times = |kind| {
        let of_item = facts.iter().filter(move |f| f.1 == kind && f.2 == item);
        of_item.map(|f| f.0 * 1_000_000).collect::<Vec<_>>()
    };
    let (queued, started, finished) = (
        times(Kind::Queued),
        times(Kind::Started),
        times(Kind::Finished),
    );
    let triple = |i: usize| (queued[i], started[i], finished.get(i).copied());
    (0..started.len()).map(triple).collect()
}

/// Why the items of this function waited, in nanoseconds, reasons that did not occur left out.
fn parts_of(outcome: &Outcome, name: &str) -> Vec<(&'static str, u64)> {
    let func = outcome.snapshot.functions.iter().find(|f| f.name == name);
    let func = func.expect("every work has a function").id;
    let rows = outcome
        .snapshot
        .pwq_funcs
        .iter()
        .filter(|row| row.func == func);
    let rows: Vec<_> = rows.collect();
    let sum = |part: WaitPart| rows.iter().map(|row| row.breakdown[part as usize]).sum();
    let parts = WaitPart::ALL.iter().map(|&part| (part.name(), sum(part)));
    parts.filter(|part| part.1 > 0).collect()
}

fn compare(case: &Case) -> Result<(), TestCaseError> {
    let expected = model::run(case);
    let (outcome, events) = simulated(&program(case));
    prop_assert_eq!(&outcome.end, &End::Done);
    for (index, item) in outcome.items.iter().enumerate() {
        let seen = item.executions.iter();
        let seen: Vec<_> = seen
            .map(|e| (e.queued_ns, e.started_ns, e.finished_ns))
            .collect();
        prop_assert_eq!(
            seen,
            executions_of(&expected.facts, index),
            "executions of {}",
            &item.name
        );
        let workers = item.executions.iter().map(|e| e.worker.clone());
        let workers: Vec<_> = workers.collect();
        prop_assert_eq!(
            &workers,
            &expected.workers[index],
            "workers of {}",
            &item.name
        );
    }
    for (index, waits) in expected.waits.iter().enumerate() {
        let parts = parts_of(&outcome, &format!("w{index}"));
        let named = REASONS.iter().zip(waits.map(|ms| ms * 1_000_000));
        let named: Vec<_> = named
            .map(|(name, ns)| (*name, ns))
            .filter(|p| p.1 > 0)
            .collect();
        prop_assert_eq!(parts, named, "parts of the wait of w{}", index);
    }
    let in_order = expected
        .facts
        .iter()
        .map(|&(at, kind, item)| (at * 1_000_000, kind, item));
    prop_assert_eq!(
        facts_of(&events),
        renumbered(in_order),
        "order of all steps"
    );
    Ok(())
}

#[test]
fn random_programs_come_out_as_the_reference_says() {
    let cases = std::env::var("WQ_REFERENCE_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(CASES),
        rng_seed: RngSeed::Fixed(0x5eed),
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&case(), |case| compare(&case));
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// The documented timelines, by the reference: it would be no judge if it did not know them.
#[test]
fn the_reference_knows_the_kernels_timelines() {
    let finishes = |max_active, cpu_intensive| {
        let bound = |max_active, cpu_intensive| Wq {
            highpri: false,
            cpu_intensive,
            max_active,
        };
        let short = vec![Step::Burn(5), Step::Sleep(10)];
        let long = [&short[..], &[Step::Burn(5)]].concat();
        let case = Case {
            wqs: vec![bound(max_active, false), bound(max_active, true)],
            items: vec![
                Item { wq: 0, body: long },
                Item {
                    wq: usize::from(cpu_intensive),
                    body: short.clone(),
                },
                Item {
                    wq: usize::from(cpu_intensive),
                    body: short,
                },
            ],
            producers: vec![Producer {
                at: 0,
                every: None,
                count: 3,
                items: vec![0, 1, 2],
            }],
        };
        let facts = model::run(&case).facts;
        [0, 1, 2].map(|item| executions_of(&facts, item)[0].2.unwrap() / 1_000_000)
    };
    assert_eq!(finishes(0, false), [20, 20, 25]);
    assert_eq!(finishes(3, false), [20, 20, 25]);
    assert_eq!(finishes(2, false), [20, 20, 35]);
    assert_eq!(finishes(0, true), [20, 20, 25]);
    assert_eq!(finishes(1, false), [20, 35, 50]);
}

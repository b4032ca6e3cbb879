//! Random programs in which creation fails now and then and CPUs come and go. Debug builds check every pool after every
//! transition meanwhile.

use super::script::{Run, Script, burn, item, sleep, wait};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{End, Step};
use wq_trace::Counter;

/// Programs run; `WQ_LIFE_CASES` asks for another number.
const CASES: u32 = 200;
/// By then everything works again.
const LAST_MS: u64 = 5000;

#[derive(Clone, Debug)]
struct Case {
    cpus: usize,
    idle_timeout: u64,
    wqs: Vec<(WqFlags, usize)>,
    /// Workqueue and body: (burn, ms).
    items: Vec<(usize, Vec<(bool, u64)>)>,
    /// When, and what.
    acts: Vec<(u64, Act)>,
}

#[derive(Clone, Debug)]
enum Act {
    Queue(usize),
    QueueOn(usize, usize),
    Cancel(usize),
    Flush(usize),
    Create(bool),
    Cpu(bool, usize),
}

fn wq() -> impl Strategy<Value = (WqFlags, usize)> {
    let kind = prop_oneof![
        Just(WqFlags::PERCPU),
        Just(WqFlags::HIGHPRI),
        Just(WqFlags::CPU_INTENSIVE),
        Just(WqFlags::UNBOUND),
        Just(WqFlags::ORDERED),
    ];
    let reclaim = prop_oneof![3 => Just(WqFlags::MEM_RECLAIM), 1 => Just(WqFlags::empty())];
    (kind, reclaim, 0..4_usize).prop_map(|(kind, reclaim, max)| (kind | reclaim, max))
}

fn act() -> impl Strategy<Value = Act> {
    let n = 0..64_usize;
    prop_oneof![
        8 => n.clone().prop_map(Act::Queue),
        4 => (n.clone(), n.clone()).prop_map(|(cpu, item)| Act::QueueOn(cpu, item)),
        1 => n.clone().prop_map(Act::Cancel),
        1 => n.clone().prop_map(Act::Flush),
        3 => any::<bool>().prop_map(Act::Create),
        3 => (any::<bool>(), n).prop_map(|(up, cpu)| Act::Cpu(up, cpu)),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let acts = vec((0..300_u64, act()), 10..80);
    let body = vec((any::<bool>(), 1..9_u64), 0..4);
    (1..=3_usize, 1..60_u64, vec(wq(), 1..4), acts).prop_flat_map(
        move |(cpus, idle_timeout, wqs, acts)| {
            let items = vec((0..wqs.len(), body.clone()), 1..12);
            items.prop_map(move |items| Case {
                cpus,
                idle_timeout,
                wqs: wqs.clone(),
                items,
                acts: acts.clone(),
            })
        },
    )
}

fn run(case: &Case, heals: bool) -> Run {
    let mut script = Script::on(case.cpus);
    script.0.engine.idle_timeout = Some(Duration::from_millis(case.idle_timeout));
    let wqs: Vec<_> = case
        .wqs
        .iter()
        .map(|&(flags, max)| script.wq(flags, max))
        .collect();
    for (wq, body) in &case.items {
        let step = |&(burns, ms)| if burns { burn(ms) } else { sleep(ms) };
        let body: Vec<Step> = body.iter().map(step).collect();
        script.work(&wqs[*wq], &body);
    }
    let pick = |n: usize| item(n % case.items.len());
    for (at, act) in &case.acts {
        let step = match *act {
            Act::Queue(n) => Step::Queue(pick(n)),
            Act::QueueOn(cpu, n) => Step::QueueOn(cpu % case.cpus, pick(n)),
            Act::Cancel(n) => Step::Cancel(pick(n)),
            Act::Flush(n) => Step::Flush(pick(n)),
            Act::Create(works) => Step::FailCreate(!works),
            Act::Cpu(true, cpu) => Step::CpuUp(cpu % case.cpus),
            Act::Cpu(false, cpu) => Step::CpuDown(cpu % case.cpus),
        };
        script.steps_at(*at, &[step]);
    }
    if heals {
        let up = (0..case.cpus).map(Step::CpuUp);
        let steps: Vec<Step> = up.chain([Step::FailCreate(false), wait(1)]).collect();
        script.steps_at(LAST_MS, &steps);
    }
    script.try_run().unwrap()
}

/// What must be true of every run, however it ended: an item never runs twice at a time, and is executed or taken back
/// once for each queueing.
fn check(case: &Case, run: &Run) {
    let snapshot = &run.outcome.snapshot;
    for record in &run.outcome.items {
        let ended = record.executions.iter().map(|e| e.finished_ns);
        let begun = record.executions.iter().skip(1).map(|e| e.started_ns);
        let mut pairs = ended.zip(begun);
        assert!(
            pairs.all(|(ended, begun)| ended.is_some_and(|ended| ended <= begun)),
            "{} runs twice at a time: {record:?}",
            record.name
        );
    }
    for pwq in &snapshot.pwqs {
        let count = |counter| pwq.counters[counter as usize];
        let funcs = snapshot.pwq_funcs.iter().filter(|row| row.pwq == pwq.id);
        let left: u32 = funcs
            .map(|row| row.pending + row.inactive + row.running)
            .sum();
        assert_eq!(
            count(Counter::Queued),
            count(Counter::Completed) + count(Counter::Cancelled) + u64::from(left)
        );
        assert!(count(Counter::Rescued) <= count(Counter::Started));
    }
    assert!(case.cpus > 0 && !run.events.is_empty());
}

fn cases() -> TestRunner {
    let cases = std::env::var("WQ_LIFE_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    TestRunner::new(Config {
        cases: cases.unwrap_or(CASES),
        rng_seed: RngSeed::Fixed(0x11fe),
        failure_persistence: None,
        max_shrink_iters: 5000,
        ..Config::default()
    })
}

#[test]
fn whatever_fails_once_it_works_again_everything_comes_to_its_end() {
    let result = cases().run(&case(), |case| {
        let run = run(&case, true);
        assert_eq!(run.outcome.end, End::Done);
        check(&case, &run);
        for record in &run.outcome.items {
            assert_eq!(record.started, record.completed, "{}", record.name);
        }
        for row in &run.outcome.snapshot.pwq_funcs {
            assert_eq!((row.pending, row.inactive, row.running), (0, 0, 0));
        }
        // Time has passed, so no pool has more workers than it keeps, unless it was too busy.
        for pool in &run.outcome.snapshot.pools {
            assert_eq!(pool.nr_running, 0, "{}", pool.number);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Guarantee 4.
#[test]
fn s11_1_4_reclaim_workqueues_alone_come_to_their_end_whatever_fails() {
    let result = cases().run(&case(), |mut case| {
        for (flags, _) in &mut case.wqs {
            *flags |= WqFlags::MEM_RECLAIM;
        }
        case.acts.insert(0, (0, Act::Create(false)));
        case.acts
            .retain(|(_, act)| !matches!(act, Act::Create(true)));
        let run = run(&case, false);
        check(&case, &run);
        for row in &run.outcome.snapshot.pwq_funcs {
            assert_eq!((row.pending, row.inactive, row.running), (0, 0, 0));
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_same_program_fails_in_the_same_way() {
    let mut runner = cases();
    for _ in 0..20 {
        let tree = case().new_tree(&mut runner).expect("a case");
        let case = tree.current();
        assert_eq!(run(&case, true).events, run(&case, true).events);
    }
}

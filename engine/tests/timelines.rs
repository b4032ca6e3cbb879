//! The four timelines of the kernel's documentation ("Example Execution Scenarios"), simulated: exact finish times.

use std::sync::atomic::AtomicBool;
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{
    Draw, End, Outcome, Pace, ProducerAction, ProducerSpec, Program, Step, WorkSpec, WorkqueueSpec,
    WqRef, simulate,
};

fn ms(n: u64) -> Draw {
    Draw::Fixed(Duration::from_millis(n))
}

fn work(name: &str, wq: usize, body: &[Step]) -> WorkSpec {
    let body = body.to_vec();
    WorkSpec {
        name: name.into(),
        workqueue: WqRef::Own(wq),
        body,
        instances: 1,
    }
}

/// w0 on the first workqueue; w1 and w2 on the last.
fn program(workqueues: &[(WqFlags, usize)]) -> Program {
    let last = workqueues.len() - 1;
    let workqueues = workqueues
        .iter()
        .enumerate()
        .map(|(index, &(flags, max_active))| WorkqueueSpec {
            name: format!("q{index}"),
            flags,
            max_active,
            affinity: None,
        });
    let short = [Step::Burn(ms(5)), Step::Sleep(ms(10))];
    let long = [&short[..], &[Step::Burn(ms(5))]].concat();
    Program {
        name: "kernel doc".into(),
        cpus: 1,
        workqueues: workqueues.collect(),
        works: vec![
            work("w0", 0, &long),
            work("w1", last, &short),
            work("w2", last, &short),
        ],
        producers: vec![ProducerSpec {
            name: "p0".into(),
            action: ProducerAction::Works(vec![0, 1, 2]),
            cpu: None,
            on_cpu: false,
            at: ms(0),
            pace: Pace::BackToBack,
            count: Some(3),
            duration: None,
        }],
        ..Program::default()
    }
}

fn run(program: &Program) -> Outcome {
    let outcome = simulate(program, &AtomicBool::new(false), &mut |_| {}).unwrap();
    assert_eq!(outcome.end, End::Done);
    outcome
}

fn finishes(workqueues: &[(WqFlags, usize)]) -> [u64; 3] {
    let outcome = run(&program(workqueues));
    [0, 1, 2].map(|item| outcome.items[item].executions[0].finished_ns.unwrap() / 1_000_000)
}

#[test]
fn the_four_timelines_come_out_exactly() {
    let bound = WqFlags::PERCPU;
    assert_eq!(finishes(&[(bound, 0)]), [20, 20, 25]);
    assert_eq!(finishes(&[(bound, 3)]), [20, 20, 25]);
    assert_eq!(finishes(&[(bound, 2)]), [20, 20, 35]);
    assert_eq!(
        finishes(&[(bound, 0), (bound | WqFlags::CPU_INTENSIVE, 0)]),
        [20, 20, 25]
    );
    assert_eq!(finishes(&[(bound, 1)]), [20, 35, 50]);
}

#[test]
fn the_same_program_gives_the_same_events() {
    let program = program(&[(WqFlags::PERCPU, 2)]);
    let events = || {
        let mut events = Vec::new();
        simulate(&program, &AtomicBool::new(false), &mut |event| {
            events.push(*event);
        })
        .unwrap();
        events
    };
    let first = events();
    assert!(first.len() > 30);
    assert_eq!(first, events());
}

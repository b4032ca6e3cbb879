//! What a program asks for and its host cannot do yet: it is refused by name, never passed over.

use super::program::{ProducerAction, Program, Step, WorkqueueSpec, WqRef};
use crate::attrs::WqFlags;

/// What executes a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// The simulator.
    Simulator,
    /// An engine on threads.
    Threads,
}

const NEITHER: &[Host] = &[Host::Simulator, Host::Threads];

/// The parts of the language that wait for a host. A part that is served on one of them, or on both, loses it here.
const WAITING: &[(&str, &[Host])] = &[
    ("engine.idle_timeout", NEITHER),
    ("flag mem_reclaim", NEITHER),
    ("step fail_create", NEITHER),
    ("step cpu_down", NEITHER),
    ("step cpu_up", NEITHER),
];

/// What `program` asks for and `host` cannot do yet, each part once: `step freeze`, `flag bh`, `topology`.
pub fn not_served(program: &Program, host: Host) -> Vec<&'static str> {
    let waiting = WAITING.iter().filter(|(_, hosts)| hosts.contains(&host));
    let waits = waiting.map(|(part, _)| *part);
    waits.filter(|part| asks_for(program, part)).collect()
}

fn asks_for(program: &Program, part: &str) -> bool {
    let mut steps = steps(program);
    match part.split_once(' ') {
        Some(("step", word)) => steps.any(|step| is_step(step, word)),
        Some(("flag", word)) => flag(word).is_some_and(|flag| {
            let mut all = program.workqueues.iter();
            all.any(|wq| wq.flags.contains(flag))
        }),
        Some(("workqueue", name)) => {
            named_workqueues(program).any(|wq| matches!(wq, WqRef::System(n) if n == name))
        }
        _ => is_set(program, part),
    }
}

fn is_set(program: &Program, key: &str) -> bool {
    let engine = &program.engine;
    let has_affinity = |wq: &WorkqueueSpec| wq.affinity.is_some();
    match key {
        "topology" => program.topology.is_some(),
        "affinity" => program.workqueues.iter().any(has_affinity),
        "engine.idle_timeout" => engine.idle_timeout.is_some(),
        "engine.power_efficient" => engine.power_efficient.is_some(),
        "engine.default_affinity_scope" => engine.default_affinity_scope.is_some(),
        _ => false,
    }
}

fn flag(word: &str) -> Option<WqFlags> {
    WqFlags::from_name(&word.to_uppercase())
}

fn is_step(step: &Step, word: &str) -> bool {
    let name = match step {
        Step::ModDelayed(..) => "mod_delayed",
        Step::QueueRcu(_) => "queue_rcu",
        Step::Disable(_) => "disable",
        Step::Enable(_) => "enable",
        Step::Freeze => "freeze",
        Step::Thaw => "thaw",
        Step::Drain(_) => "drain",
        Step::SetMaxActive(..) => "set_max_active",
        Step::FailCreate(_) => "fail_create",
        Step::CpuDown(_) => "cpu_down",
        Step::CpuUp(_) => "cpu_up",
        _ => return false,
    };
    name == word
}

/// All steps of bodies and producers.
fn steps(program: &Program) -> impl Iterator<Item = &Step> {
    let bodies = program.works.iter().map(|work| work.body.as_slice());
    let calls = program.producers.iter();
    let calls = calls.map(|producer| match &producer.action {
        ProducerAction::Steps(steps) => steps.as_slice(),
        ProducerAction::Works(_) => &[],
    });
    bodies.chain(calls).flatten()
}

/// The workqueues that works and steps name.
pub(super) fn named_workqueues(program: &Program) -> impl Iterator<Item = &WqRef> {
    let named = steps(program).filter_map(|step| match step {
        Step::FlushWq(wq) | Step::Drain(wq) | Step::SetMaxActive(wq, _) => Some(wq),
        _ => None,
    });
    let of_works = program.works.iter().map(|work| &work.workqueue);
    of_works.chain(named)
}

#[cfg(test)]
mod tests {
    use super::super::{AffinitySpec, EngineSpec, ItemRef, WorkSpec};
    use super::*;
    use std::time::Duration;

    /// A program that asks for every part that ever waited.
    fn everything() -> Program {
        let item = ItemRef {
            work: 0,
            instance: None,
        };
        let own = || WqRef::Own(0);
        let second = super::super::Draw::Fixed(Duration::from_secs(1));
        let on = |name: &str| WorkSpec {
            name: name.to_owned(),
            workqueue: WqRef::System(name.to_owned()),
            body: Vec::new(),
            instances: 1,
        };
        let mut works: Vec<_> = [
            "events_freezable",
            "events_power_efficient",
            "events_freezable_pwr_efficient",
            "events_bh",
            "events_bh_highpri",
        ]
        .map(on)
        .into();
        works[0].body = vec![
            Step::ModDelayed(item, second),
            Step::QueueRcu(item),
            Step::Disable(item),
            Step::Enable(item),
            Step::Freeze,
            Step::Thaw,
            Step::Drain(own()),
            Step::SetMaxActive(own(), 1),
            Step::FailCreate(true),
            Step::CpuDown(0),
            Step::CpuUp(0),
        ];
        Program {
            cpus: 1,
            workqueues: vec![WorkqueueSpec {
                name: "q0".to_owned(),
                flags: WqFlags::all(),
                max_active: 0,
                affinity: Some(AffinitySpec {
                    scope: "cache".to_owned(),
                    strict: false,
                }),
            }],
            works,
            topology: Some("1n1l1c1t".to_owned()),
            engine: EngineSpec {
                cpu_intensive_thresh: Some(Duration::ZERO),
                idle_timeout: Some(Duration::ZERO),
                watchdog_thresh: Some(Duration::ZERO),
                power_efficient: Some(true),
                default_affinity_scope: Some("numa".to_owned()),
                sensing: Some("tick".to_owned()),
            },
            ..Program::default()
        }
    }

    #[test]
    fn every_part_that_waits_is_recognised_and_named_once() {
        let program = everything();
        for host in [Host::Simulator, Host::Threads] {
            let waits = WAITING.iter().filter(|(_, hosts)| hosts.contains(&host));
            let waits: Vec<_> = waits.map(|(part, _)| *part).collect();
            assert_eq!(not_served(&program, host), waits);
            let once: std::collections::HashSet<_> = waits.iter().collect();
            assert_eq!(once.len(), waits.len());
        }
    }

    #[test]
    fn a_program_that_asks_for_nothing_waits_for_nothing() {
        for host in [Host::Simulator, Host::Threads] {
            assert!(not_served(&Program::default(), host).is_empty());
        }
    }
}

//! Checks a script's tables against each other and builds the program.

use super::ast::{self, File};
use super::errors::{At, Diagnostics, quoted};
use super::names::{Names, check_name};
use super::step::{self, Place};
use super::{LONGEST_NAME, check_queue, rcu, settings};
use std::collections::HashMap;
use wq_engine::sim::{ProducerAction, ProducerSpec, Program, Step, WorkSpec};

/// Most items of all works together: each one is a real item of the engine.
const MOST_ITEMS: u64 = 1_000_000;

/// The program of a file, without its topology and the names of its locks (`names` has them); meaningless if there are `errors` afterwards.
pub(super) fn program(
    file: &File,
    default_name: &str,
    names: &mut Names,
    errors: &mut Diagnostics<'_>,
) -> Program {
    unique(file, errors);
    let engine = settings::engine(&file.engine, errors);
    let workqueues = file.workqueues.iter();
    let workqueues = workqueues
        .filter_map(|w| check_queue::workqueue(w, &engine, errors))
        .collect();
    check_items(file, errors);
    let works: Vec<WorkSpec> = file
        .works
        .iter()
        .filter_map(|w| work(w, names, errors))
        .collect();
    let producers = file.producers.iter();
    let producers = producers
        .filter_map(|p| producer(p, names, errors))
        .collect();
    rcu::check(file, names, errors);
    if let Some(name) = &file.name
        && (name.value.trim().is_empty() || name.value.contains(char::is_control))
    {
        let message = "a name has at least one letter and no control characters";
        errors.error(&name.span, "name", message);
    }
    Program {
        name: file
            .name
            .as_ref()
            .map_or_else(|| default_name.to_owned(), |n| n.value.clone()),
        seed: file.seed.as_ref().map_or(1, |s| s.value),
        cpus: names.cpus,
        workqueues,
        works,
        producers,
        locks: Vec::new(),
        topology: None,
        engine,
    }
}

/// Refuses names that are declared twice.
fn unique(file: &File, errors: &mut Diagnostics<'_>) {
    let workqueues = file.workqueues.iter().map(|w| (&w.path, &w.name));
    unique_among("workqueue", workqueues, errors);
    unique_among(
        "work",
        file.works.iter().map(|w| (&w.path, &w.name)),
        errors,
    );
    let producers = file.producers.iter().map(|p| (&p.path, &p.name));
    unique_among("producer", producers, errors);
}

fn unique_among<'f>(
    what: &str,
    names: impl Iterator<Item = (&'f String, &'f Option<At<String>>)>,
    errors: &mut Diagnostics<'_>,
) {
    let mut first: HashMap<&str, &str> = HashMap::new();
    for (path, name) in names {
        let Some(name) = name else { continue };
        if let Some(earlier) = first.insert(&name.value, path) {
            let message = format!("{what} {} is already {earlier}", quoted(&name.value));
            errors.error(&name.span, &format!("{path}.name"), message);
        }
    }
}

fn check_items(file: &File, errors: &mut Diagnostics<'_>) {
    let items: u64 = file.works.iter().map(|w| w.instances).sum();
    if items > MOST_ITEMS
        && let Some(name) = file.works.last().and_then(|w| w.name.as_ref())
    {
        let message = format!("{items} items in all works together; at most {MOST_ITEMS}");
        errors.error(&name.span, "work", message);
    }
}

fn work(node: &ast::Work, names: &mut Names, errors: &mut Diagnostics<'_>) -> Option<WorkSpec> {
    if let Some(name) = &node.name {
        check_name(name, LONGEST_NAME, &format!("{}.name", node.path), errors);
    }
    let field = format!("{}.workqueue", node.path);
    let workqueue = node
        .workqueue
        .as_ref()
        .and_then(|w| names.workqueue(w, &field, errors));
    let field = format!("{}.body", node.path);
    let body = steps(&node.body, Place::Body, &field, names, errors);
    Some(WorkSpec {
        name: node.name.as_ref()?.value.clone(),
        workqueue: workqueue?,
        body,
        instances: usize::try_from(node.instances).unwrap_or(usize::MAX),
    })
}

fn steps(
    texts: &[At<String>],
    place: Place,
    field: &str,
    names: &mut Names,
    errors: &mut Diagnostics<'_>,
) -> Vec<Step> {
    let texts = texts.iter().enumerate();
    texts
        .filter_map(|(i, text)| step::parse(text, place, &format!("{field}[{i}]"), names, errors))
        .collect()
}

fn producer(
    node: &ast::Producer,
    names: &mut Names,
    errors: &mut Diagnostics<'_>,
) -> Option<ProducerSpec> {
    if let Some(name) = &node.name {
        check_name(name, LONGEST_NAME, &format!("{}.name", node.path), errors);
    }
    let field = format!("{}.cpu", node.path);
    let cpu = node.cpu.as_ref();
    let cpu = cpu.and_then(|cpu| names.cpu(cpu, &field, errors));
    let on_cpu = node.on_cpu.as_ref().is_some_and(|o| o.value);
    if let Some(given) = node.on_cpu.as_ref().filter(|o| o.value) {
        let field = format!("{}.on_cpu", node.path);
        if node.cpu.is_none() {
            let message = "`on_cpu` needs `cpu`, the CPU to queue on";
            errors.error(&given.span, &field, message);
        }
        if node.steps.is_some() {
            let message = "`on_cpu` goes with `works`; in `steps` write `queue_on CPU WORK`";
            errors.error(&given.span, &field, message);
        }
    }
    let action = action(node, names, errors);
    Some(ProducerSpec {
        name: node.name.as_ref()?.value.clone(),
        action: action?,
        cpu,
        on_cpu,
        at: node.at,
        pace: node.pace,
        count: node.count,
        duration: node.duration,
    })
}

fn action(
    node: &ast::Producer,
    names: &mut Names,
    errors: &mut Diagnostics<'_>,
) -> Option<ProducerAction> {
    match (&node.works, &node.steps) {
        (Some(works), None) => {
            if works.is_empty() {
                let message = "`works` is empty: name at least one work";
                errors.error(&node.span, &node.path, message);
            }
            let works = works.iter().enumerate();
            let works = works.filter_map(|(i, name)| {
                let field = format!("{}.works[{i}]", node.path);
                names.work(name, &field, errors)
            });
            Some(ProducerAction::Works(works.collect()))
        }
        (None, Some(texts)) => {
            if texts.is_empty() {
                let message = "`steps` is empty: write at least one step";
                errors.error(&node.span, &node.path, message);
            }
            let field = format!("{}.steps", node.path);
            let steps = steps(texts, Place::Producer, &field, names, errors);
            Some(ProducerAction::Steps(steps))
        }
        (Some(_), Some(_)) => {
            let message = "a producer has `works` or `steps`, not both";
            errors.error(&node.span, &node.path, message);
            None
        }
        (None, None) => {
            let message = "a producer needs `works` or `steps`: what it does at each call";
            errors.error(&node.span, &node.path, message);
            None
        }
    }
}

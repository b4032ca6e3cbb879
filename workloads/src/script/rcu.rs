//! Checks works that `queue_rcu` queues: they wait for RCU at each queueing, so nothing else queues, cancels or disables
//! them. Kernel: `struct rcu_work`.

use super::ast::File;
use super::errors::{At, Diagnostics, quoted};
use super::names::Names;
use super::step::split;
use std::collections::HashMap;
use std::ops::Range;

/// The steps that name an item and do not go with `queue_rcu`, and which argument names it.
const OTHERS: [(&str, usize); 8] = [
    ("queue", 1),
    ("queue_on", 2),
    ("queue_delayed", 1),
    ("mod_delayed", 1),
    ("cancel", 1),
    ("cancel_sync", 1),
    ("disable", 1),
    ("enable", 1),
];

/// A step's text, where it stands, and the work whose body it is in.
struct Text<'f> {
    text: &'f At<String>,
    field: String,
    work: Option<usize>,
}

/// Refuses other uses of the works that are queued with `queue_rcu`.
pub(super) fn check(file: &File, names: &Names, errors: &mut Diagnostics<'_>) {
    let texts = texts(file);
    let mut queued: HashMap<usize, &str> = HashMap::new();
    for text in &texts {
        if let (Some("queue_rcu"), Some(item)) = (word(text, 0), word(text, 1))
            && let Some(work) = names.work_of(item)
        {
            queued.entry(work).or_insert(&text.field);
        }
    }
    if queued.is_empty() {
        return;
    }
    for text in &texts {
        let Some((work, place)) = other_use(text, names) else {
            continue;
        };
        if let Some(by) = queued.get(&work) {
            let span = errors.inside(&text.text.span, &text.text.value, &place);
            errors.error(&span, &text.field, refusal(&text.text.value[place], by));
        }
    }
    for producer in &file.producers {
        for (i, name) in producer.works.iter().flatten().enumerate() {
            let by = names.work_of(&name.value).and_then(|w| queued.get(&w));
            if let Some(by) = by {
                let field = format!("{}.works[{i}]", producer.path);
                errors.error(&name.span, &field, refusal(&name.value, by));
            }
        }
    }
}

fn refusal(what: &str, by: &str) -> String {
    format!(
        "{} does not go with `queue_rcu` ({by}) for one work; with it go only `queue_rcu`, `flush` and `flush_wq`",
        quoted(what)
    )
}

fn texts(file: &File) -> Vec<Text<'_>> {
    let bodies = file.works.iter().enumerate().flat_map(|(work, node)| {
        let steps = node.body.iter().enumerate();
        steps.map(move |(i, text)| Text {
            text,
            field: format!("{}.body[{i}]", node.path),
            work: Some(work),
        })
    });
    let calls = file.producers.iter().flat_map(|node| {
        let steps = node.steps.iter().flatten().enumerate();
        steps.map(|(i, text)| Text {
            text,
            field: format!("{}.steps[{i}]", node.path),
            work: None,
        })
    });
    bodies.chain(calls).collect()
}

fn word<'f>(text: &Text<'f>, index: usize) -> Option<&'f str> {
    let range = split(&text.text.value).into_iter().nth(index)?;
    Some(&text.text.value[range])
}

/// The work that a step uses in another way, and the word that says so.
fn other_use(text: &Text<'_>, names: &Names) -> Option<(usize, Range<usize>)> {
    let words = split(&text.text.value);
    let verb = &text.text.value[words.first()?.clone()];
    if let ("requeue" | "requeue_delayed", Some(work)) = (verb, text.work) {
        return Some((work, words[0].clone()));
    }
    let (_, argument) = OTHERS.iter().find(|(word, _)| *word == verb)?;
    let item = words.get(*argument)?;
    let work = names.work_of(&text.text.value[item.clone()])?;
    Some((work, words[0].clone()))
}

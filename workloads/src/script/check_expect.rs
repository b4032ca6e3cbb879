//! Checks `[[expect]]`: what is measured of what, and the value it must have.

use super::ast;
use super::duration;
use super::errors::{At, Diagnostics, did_you_mean, quoted};
use super::names::Names;
use super::table::Scalar;
use crate::expect::{Expectation, Measure, NO_WARNING, Relation, Subject};

/// The expectations of all tables, in file order.
pub(super) fn all(
    nodes: &[ast::Expect],
    names: &Names,
    errors: &mut Diagnostics<'_>,
) -> Vec<Expectation> {
    let mut all = Vec::new();
    for node in nodes {
        let subject = subject(node, names, errors);
        let tolerance = tolerance(node, errors);
        if node.measures.is_empty() {
            let measures = ast::MEASURES.join(", ");
            let message = format!("nothing is expected: add one of {measures}");
            errors.error(&node.span, &node.path, message);
        }
        for (key, value) in &node.measures {
            let field = format!("{}.{key}", node.path);
            let Some(measure) = Measure::named(key) else {
                continue;
            };
            if let Some(Subject::Pool(_)) = subject
                && !matches!(measure, Measure::MaxRunning | Measure::Warning)
            {
                let message = "of a pool only `max_running` and `warning` can be expected";
                errors.error(&value.span, &field, message);
                continue;
            }
            let relation = match measure {
                Measure::Warning => warning(value, &field, errors),
                _ => relation(measure, value, &tolerance, &field, errors),
            };
            if let (Some(subject), Some(relation)) = (&subject, relation) {
                all.push(Expectation {
                    subject: subject.clone(),
                    measure,
                    relation,
                });
            }
        }
    }
    all
}

fn subject(node: &ast::Expect, names: &Names, errors: &mut Diagnostics<'_>) -> Option<Subject> {
    let field = |key: &str| format!("{}.{key}", node.path);
    match (&node.work, &node.workqueue, &node.pool) {
        (Some(work), None, None) => {
            names.item(work, &field("work"), errors)?;
            Some(Subject::Work(work.value.clone()))
        }
        (None, Some(workqueue), None) => {
            names.workqueue(workqueue, &field("workqueue"), errors)?;
            Some(Subject::Workqueue(workqueue.value.clone()))
        }
        (None, None, Some(pool)) => u32::try_from(pool.value).ok().map(Subject::Pool),
        (None, None, None) => {
            let message = "an expectation needs `work`, `workqueue` or `pool`: what it is about";
            errors.error(&node.span, &node.path, message);
            None
        }
        _ => {
            let message = "an expectation is about one `work`, `workqueue` or `pool`";
            errors.error(&node.span, &node.path, message);
            None
        }
    }
}

/// What bare values may differ by.
#[derive(Debug, Default)]
struct Tolerance {
    nanos: u64,
    count: u64,
}

fn tolerance(node: &ast::Expect, errors: &mut Diagnostics<'_>) -> Tolerance {
    let mut tolerance = Tolerance::default();
    let Some(given) = &node.tolerance else {
        return tolerance;
    };
    let field = format!("{}.tolerance", node.path);
    let for_time = match &given.value {
        Scalar::Number(n) => {
            tolerance.count = *n;
            false
        }
        Scalar::Text(text) => match duration::fixed(text) {
            Ok(d) => {
                tolerance.nanos = nanos(d);
                true
            }
            Err(message) => {
                errors.error(&given.span, &field, message);
                return tolerance;
            }
        },
    };
    let mut measures = node.measures.iter();
    let used = measures.any(|(key, value)| {
        let bare = !matches!(&value.value, Scalar::Text(t) if t.starts_with(['<', '>']));
        let number = |m: &Measure| *m != Measure::Warning && m.is_time() == for_time;
        bare && Measure::named(key).as_ref().is_some_and(number)
    });
    if !used {
        let kind = if for_time { "time" } else { "count" };
        let message = format!("no exact {kind} is expected here that could differ by this");
        errors.error(&given.span, &field, message);
    }
    tolerance
}

fn relation(
    measure: Measure,
    value: &At<Scalar>,
    tolerance: &Tolerance,
    field: &str,
    errors: &mut Diagnostics<'_>,
) -> Option<Relation> {
    let (operator, rest) = match &value.value {
        Scalar::Text(text) => split_operator(text),
        Scalar::Number(_) => ("", ""),
    };
    let number = match (&value.value, measure.is_time()) {
        (Scalar::Number(n), false) => Ok(*n),
        (Scalar::Number(_), true) => {
            Err("a time is expected, in quotes and with its unit, such as \"20ms\"".to_owned())
        }
        (Scalar::Text(_), true) => duration::fixed(rest).map(nanos),
        (Scalar::Text(_), false) => rest.parse().map_err(|_| {
            let text = quoted(rest);
            format!("a count is expected, such as 3, \"<= 3\" or \">= 3\"; found {text}")
        }),
    };
    match number {
        Ok(n) => Some(match operator {
            "<=" => Relation::AtMost(n),
            ">=" => Relation::AtLeast(n),
            _ if measure.is_time() => Relation::Exactly(n, tolerance.nanos),
            _ => Relation::Exactly(n, tolerance.count),
        }),
        Err(message) => {
            errors.error(&value.span, field, message);
            None
        }
    }
}

/// A warning by its name, or the word for none.
fn warning(value: &At<Scalar>, field: &str, errors: &mut Diagnostics<'_>) -> Option<Relation> {
    let word = match &value.value {
        Scalar::Text(word) if word == NO_WARNING => return Some(Relation::Warns(None)),
        Scalar::Text(word) => word.clone(),
        Scalar::Number(n) => n.to_string(),
    };
    let lint = wq_trace::warn::find(&word);
    if lint.is_none() {
        errors.error_with(&value.span, field, || {
            let all = wq_trace::warn::LINTS.iter().map(|lint| lint.name);
            let words: Vec<&str> = all.chain([NO_WARNING]).collect();
            format!(
                "unknown warning {} (warnings: {}){}",
                quoted(&word),
                words.join(", "),
                did_you_mean(&word, words.iter().copied())
            )
        });
    }
    lint.map(|lint| Relation::Warns(Some(lint.name)))
}

/// `<= V`, `>= V` or `V`: the operator (empty for none) and the value.
fn split_operator(text: &str) -> (&str, &str) {
    for operator in ["<=", ">="] {
        if let Some(rest) = text.strip_prefix(operator) {
            return (operator, rest.trim());
        }
    }
    ("", text.trim())
}

fn nanos(d: std::time::Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}

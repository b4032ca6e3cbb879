//! Checks `[[workqueue]]`: the name, which flags go together, the limit, the affinity.

use super::ast;
use super::errors::{Diagnostics, did_you_mean, quoted};
use super::names::{SYSTEM_WORKQUEUES, check_name};
use super::settings;
use wq_engine::WqFlags;
use wq_engine::sim::{AffinitySpec, EngineSpec, WorkqueueSpec};

/// Longest workqueue name in bytes. Kernel: `WQ_NAME_LEN` - 1.
const LONGEST_WORKQUEUE_NAME: usize = 31;

/// The flags, by their word in a script.
const FLAGS: [(&str, WqFlags); 10] = [
    ("percpu", WqFlags::PERCPU),
    ("unbound", WqFlags::UNBOUND),
    ("highpri", WqFlags::HIGHPRI),
    ("freezable", WqFlags::FREEZABLE),
    ("mem_reclaim", WqFlags::MEM_RECLAIM),
    ("cpu_intensive", WqFlags::CPU_INTENSIVE),
    ("bh", WqFlags::BH),
    ("power_efficient", WqFlags::POWER_EFFICIENT),
    ("sysfs", WqFlags::SYSFS),
    ("ordered", WqFlags::ORDERED.union(WqFlags::UNBOUND)),
];

/// The flags that `bh` goes with.
const WITH_BH: WqFlags = WqFlags::BH.union(WqFlags::HIGHPRI).union(WqFlags::PERCPU);

/// A workqueue, for an engine that is set like this.
pub(super) fn workqueue(
    node: &ast::Workqueue,
    engine: &EngineSpec,
    errors: &mut Diagnostics<'_>,
) -> Option<WorkqueueSpec> {
    let name = node.name.as_ref()?;
    let field = format!("{}.name", node.path);
    check_name(name, LONGEST_WORKQUEUE_NAME, &field, errors);
    if SYSTEM_WORKQUEUES.contains(&name.value.as_str()) {
        let message = format!(
            "{} is a system workqueue: works can name it without declaring it",
            quoted(&name.value)
        );
        errors.error(&name.span, &field, message);
    }
    let flags = flags(node, errors);
    let max_active = max_active(node, flags, errors);
    Some(WorkqueueSpec {
        name: name.value.clone(),
        flags,
        max_active: usize::try_from(max_active).unwrap_or(usize::MAX),
        affinity: affinity(node, flags, engine, errors),
    })
}

fn flags(node: &ast::Workqueue, errors: &mut Diagnostics<'_>) -> WqFlags {
    let mut all = WqFlags::empty();
    for (i, word) in node.flags.iter().enumerate() {
        let field = format!("{}.flags[{i}]", node.path);
        let name = word.value.as_str();
        let Some((_, flag)) = FLAGS.iter().find(|(w, _)| *w == name) else {
            let words = FLAGS.map(|(w, _)| w);
            let message = format!(
                "unknown flag {} (flags: {}){}",
                quoted(name),
                words.join(", "),
                did_you_mean(name, words)
            );
            errors.error(&word.span, &field, message);
            continue;
        };
        let both = all | *flag;
        if let Some(why) = conflict(both).filter(|_| conflict(all).is_none()) {
            let message = format!("`{name}` does not go with the flags before it: {why}");
            errors.error(&word.span, &field, message);
        }
        all = both;
    }
    all
}

/// Why these flags do not go together.
fn conflict(flags: WqFlags) -> Option<&'static str> {
    if flags.contains(WqFlags::BH) && !WITH_BH.contains(flags) {
        return Some("a bh workqueue may only be `highpri` and `percpu`");
    }
    let both = flags.contains(WqFlags::PERCPU | WqFlags::UNBOUND);
    both.then_some(if flags.contains(WqFlags::ORDERED) {
        "an ordered workqueue is unbound"
    } else {
        "a workqueue is one or the other"
    })
}

fn max_active(node: &ast::Workqueue, flags: WqFlags, errors: &mut Diagnostics<'_>) -> u64 {
    let Some(given) = &node.max_active else {
        return 0;
    };
    let message = if flags.contains(WqFlags::ORDERED) && given.value > 1 {
        "an ordered workqueue runs one item at a time; leave max_active out"
    } else if flags.contains(WqFlags::BH) && given.value > 0 {
        "a bh workqueue has no limit; leave max_active out"
    } else {
        return given.value;
    };
    errors.error(&given.span, &format!("{}.max_active", node.path), message);
    given.value
}

fn affinity(
    node: &ast::Workqueue,
    flags: WqFlags,
    engine: &EngineSpec,
    errors: &mut Diagnostics<'_>,
) -> Option<AffinitySpec> {
    let given = node.affinity.as_ref()?;
    let field = format!("{}.affinity", node.path);
    let becomes_unbound =
        flags.contains(WqFlags::POWER_EFFICIENT) && engine.power_efficient == Some(true);
    if flags.contains(WqFlags::ORDERED) {
        let message = "an ordered workqueue has one pool for all CPUs; leave affinity out";
        errors.error(&given.span, &field, message);
    } else if !flags.contains(WqFlags::UNBOUND) && !becomes_unbound {
        let message = "affinity is for unbound workqueues; add the flag `unbound`";
        errors.error(&given.span, &field, message);
    }
    let scope = given.scope.as_ref()?;
    settings::scope(scope, true, &format!("{field}.scope"), errors);
    Some(AffinitySpec {
        scope: scope.value.clone(),
        strict: given.strict,
    })
}

//! Checks `[engine]` and `topology`: what a script asks of the engine and of the machine.

use super::MOST_CPUS;
use super::ast;
use super::errors::{At, Diagnostics, did_you_mean, quoted};
use wq_engine::sim::EngineSpec;

/// The affinity scopes. Kernel: `wq_affn_names`.
const SCOPES: [&str; 6] = ["cpu", "smt", "cache", "cache_shard", "numa", "system"];
/// The scope of a workqueue that leaves the choice to the engine.
const DEFAULT_SCOPE: &str = "default";

/// The engine's settings.
pub(super) fn engine(engine: &ast::Engine, errors: &mut Diagnostics<'_>) -> EngineSpec {
    if let Some(word) = &engine.sensing
        && let Err(message) = super::sensing(&word.value)
    {
        errors.error(&word.span, "engine.sensing", message);
    }
    if let Some(word) = &engine.default_affinity_scope {
        scope(word, false, "engine.default_affinity_scope", errors);
    }
    let word = |word: &Option<At<String>>| word.as_ref().map(|w| w.value.clone());
    EngineSpec {
        cpu_intensive_thresh: engine.cpu_intensive_thresh.as_ref().map(|d| d.value),
        idle_timeout: engine.idle_timeout.as_ref().map(|d| d.value),
        watchdog_thresh: engine.watchdog_thresh.as_ref().map(|d| d.value),
        power_efficient: engine.power_efficient.as_ref().map(|b| b.value),
        default_affinity_scope: word(&engine.default_affinity_scope),
        sensing: word(&engine.sensing),
    }
}

/// Refuses what is no affinity scope; `or_default`: `default` is one here.
pub(super) fn scope(
    word: &At<String>,
    or_default: bool,
    field: &str,
    errors: &mut Diagnostics<'_>,
) {
    let name = word.value.as_str();
    if SCOPES.contains(&name) || (or_default && name == DEFAULT_SCOPE) {
        return;
    }
    let default = or_default.then_some(DEFAULT_SCOPE);
    let words: Vec<&str> = default.into_iter().chain(SCOPES).collect();
    let message = format!(
        "unknown affinity scope {} (scopes: {}){}",
        quoted(name),
        words.join(", "),
        did_you_mean(name, words.iter().copied())
    );
    errors.error(&word.span, field, message);
}

/// The CPUs of a topology; `None` after an error was noted. `asked`: the CPUs that are asked for beside it.
pub(super) fn topology_cpus(
    topology: &At<String>,
    asked: Option<usize>,
    errors: &mut Diagnostics<'_>,
) -> Option<usize> {
    match topology_of(&topology.value) {
        Ok(count) => {
            if let Some(asked) = asked.filter(|asked| *asked != count) {
                let message = format!(
                    "the topology has {}, but `cpus` asks for {asked}; leave one of them out",
                    crate::units::count(count as u64, "CPU"),
                );
                errors.error(&topology.span, "topology", message);
            }
            Some(count)
        }
        Err(message) => {
            errors.error(&topology.span, "topology", message);
            None
        }
    }
}

/// The CPUs of `1n2l4c2t`: nodes, caches of each node, cores of each cache, threads of each core.
///
/// # Errors
/// What is right instead, for the user.
pub(super) fn topology_of(text: &str) -> Result<usize, String> {
    let wrong = || {
        format!(
            "{} is no topology: nodes, caches of each, cores of each, threads of each, such as `1n2l4c2t`",
            quoted(text)
        )
    };
    let mut rest = text;
    let mut cpus = 1_usize;
    for letter in ['n', 'l', 'c', 't'] {
        let (number, after) = rest.split_once(letter).ok_or_else(wrong)?;
        let digits = number.bytes().all(|b| b.is_ascii_digit());
        let number = number.parse().ok().filter(|n| digits && *n > 0);
        cpus = cpus.saturating_mul(number.ok_or_else(wrong)?);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(wrong());
    }
    if cpus > MOST_CPUS {
        return Err(format!("a topology has at most {MOST_CPUS} CPUs"));
    }
    Ok(cpus)
}

//! Checks `[engine]` and `topology`: what a script asks of the engine and of the machine.

use super::MOST_CPUS;
use super::ast;
use super::errors::{At, Diagnostics, did_you_mean, quoted};
use wq_engine::sim::EngineSpec;
use wq_engine::{AffinityScope, Topology};

/// Longest text of a topology that is looked at; no right one is longer.
const LONGEST_TOPOLOGY: usize = 40;

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
    let scopes = AffinityScope::ALL.into_iter();
    let scopes = scopes.filter(|scope| or_default || *scope != AffinityScope::Default);
    let words: Vec<&str> = scopes.map(AffinityScope::word).collect();
    if words.contains(&name) {
        return;
    }
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

/// The CPUs of a topology.
///
/// # Errors
/// What is right instead, for the user.
pub(super) fn topology_of(text: &str) -> Result<usize, String> {
    if text.len() > LONGEST_TOPOLOGY {
        return Err(format!("{} is no topology: it is too long", quoted(text)));
    }
    let topology = Topology::from_spec(text).map_err(|error| error.to_string())?;
    match topology.cpus().count() {
        count if count <= MOST_CPUS => Ok(count),
        count => Err(format!("{count} CPUs are more than {MOST_CPUS}")),
    }
}

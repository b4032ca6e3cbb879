//! Affinity scopes: which CPUs an unbound workqueue keeps an item near.

use super::ParseError;
use std::fmt;
use std::str::FromStr;

/// How far from the CPU that queued it an item of an unbound workqueue may start. Kernel: `enum wq_affn_scope`.
///
/// ```
/// use wq_engine::AffinityScope;
///
/// let scope: AffinityScope = "cache_shard".parse()?;
/// assert_eq!(scope, AffinityScope::CacheShard);
/// assert_eq!(scope.to_string(), "cache_shard");
/// # Ok::<(), wq_engine::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AffinityScope {
    /// What the engine's default says. Kernel: `WQ_AFFN_DFL`.
    #[default]
    Default,
    /// Each CPU is a pod. Kernel: `WQ_AFFN_CPU`.
    Cpu,
    /// The hardware threads of a core. Kernel: `WQ_AFFN_SMT`.
    Smt,
    /// The CPUs that share a last-level cache. Kernel: `WQ_AFFN_CACHE`.
    Cache,
    /// About eight cores of a last-level cache. Kernel: `WQ_AFFN_CACHE_SHARD`, the default.
    CacheShard,
    /// A NUMA node. Kernel: `WQ_AFFN_NUMA`.
    Numa,
    /// All CPUs: no effort is made. Kernel: `WQ_AFFN_SYSTEM`.
    System,
}

impl AffinityScope {
    /// All of them, from near to far, `Default` first.
    pub const ALL: [Self; 7] = [
        Self::Default,
        Self::Cpu,
        Self::Smt,
        Self::Cache,
        Self::CacheShard,
        Self::Numa,
        Self::System,
    ];

    /// Its word in attributes, scripts and dumps. Kernel: `wq_affn_names`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Cpu => "cpu",
            Self::Smt => "smt",
            Self::Cache => "cache",
            Self::CacheShard => "cache_shard",
            Self::Numa => "numa",
            Self::System => "system",
        }
    }

    /// The scope meant, where `Default` means `default`.
    pub const fn or(self, default: Self) -> Self {
        match self {
            Self::Default => default,
            scope => scope,
        }
    }
}

impl fmt::Display for AffinityScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for AffinityScope {
    type Err = ParseError;

    /// Reads a scope's word; case does not matter.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let asked = text.trim();
        let found = Self::ALL
            .into_iter()
            .find(|scope| scope.word().eq_ignore_ascii_case(asked));
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            ParseError::new(format!(
                "{asked:?} is not an affinity scope; there are {words}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_by_its_word() {
        for scope in AffinityScope::ALL {
            assert_eq!(scope.word().parse(), Ok(scope));
            assert_eq!(scope.to_string(), scope.word());
        }
        assert_eq!("Cache\n".parse(), Ok(AffinityScope::Cache));
        for word in ["", "cache_", "llc", "node"] {
            let error = word.parse::<AffinityScope>().expect_err(word);
            assert!(error.to_string().ends_with("cache_shard, numa, system"));
        }
    }

    #[test]
    fn only_default_gives_way_to_the_default() {
        let default = AffinityScope::CacheShard;
        assert_eq!(AffinityScope::Default.or(default), default);
        assert_eq!(AffinityScope::Cpu.or(default), AffinityScope::Cpu);
    }
}

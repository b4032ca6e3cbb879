//! What is asked for on the command line.

use wq_engine::Sensing;

/// The word for all sections.
pub const ALL: &str = "all";

pub const HELP: &str = "  \
  --tier auto|canary|tick|hints   the tier to measure; auto by default
  --quick                         few rounds: to see that it works
  --hog session|own               react: two CPU hogs of another session on the CPU, or one of this process
  --burn US                       react: what the item computes before it blocks; 20 by default
  --as-nobody                     everything without privileges, as user 65534 (needs root to begin with)";

/// Who competes for the CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hog {
    /// Two processes in a session of their own.
    Session,
    /// A thread of this process.
    Own,
}

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    pub sections: Vec<String>,
    pub tier: Option<Sensing>,
    pub quick: bool,
    pub hog: Option<Hog>,
    pub burn_us: u64,
    pub as_nobody: bool,
}

impl Options {
    /// The tier to measure.
    pub fn tier(&self) -> Sensing {
        self.tier.unwrap_or_default()
    }

    /// The first of two amounts, or with `--quick` the second.
    pub fn amount(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

/// What this process is started for.
pub enum Asked {
    Measure(Options),
    /// To be a hog for the one that started it.
    Spin {
        cpu: usize,
    },
    /// By `cargo test --benches`.
    Test,
}

/// Reads the arguments. `cargo bench` adds `--bench`; without it somebody runs tests.
///
/// # Errors
/// A sentence for the user.
pub fn parse(mut args: impl Iterator<Item = String>, known: &[&str]) -> Result<Asked, String> {
    let mut options = Options {
        sections: Vec::new(),
        tier: None,
        quick: false,
        hog: None,
        burn_us: 20,
        as_nobody: false,
    };
    let mut bench = false;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--bench" => bench = true,
            "--test" => return Ok(Asked::Test),
            "--spin" => {
                let cpu = number(&value()?)?;
                return Ok(Asked::Spin { cpu: cpu as usize });
            }
            "--tier" => options.tier = Some(value()?.parse()?),
            "--quick" => options.quick = true,
            "--hog" => options.hog = Some(hog(&value()?)?),
            "--burn" => options.burn_us = number(&value()?)?,
            "--as-nobody" => options.as_nobody = true,
            ALL => options
                .sections
                .extend(known.iter().map(|&word| word.to_owned())),
            word if known.contains(&word) => options.sections.push(word.to_owned()),
            word => {
                let known = known.join(", ");
                return Err(format!(
                    "unknown section or option {word}; sections: {known}, {ALL}"
                ));
            }
        }
    }
    Ok(if bench {
        Asked::Measure(options)
    } else {
        Asked::Test
    })
}

fn hog(word: &str) -> Result<Hog, String> {
    match word {
        "session" => Ok(Hog::Session),
        "own" => Ok(Hog::Own),
        _ => Err(format!("unknown hog {word}; expected session or own")),
    }
}

fn number(word: &str) -> Result<u64, String> {
    word.parse()
        .map_err(|_| format!("{word} is no number that fits here"))
}

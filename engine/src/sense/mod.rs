//! How the engine learns that a worker blocked: by its own word (here), or by looking: a thread of each CPU that runs when
//! no worker does (`canary`), and one that looks 100 times a second (`tick`). Which of them it takes (`choice`), how fast
//! that is (`self_test`), and what limits it here (`limits`, `descriptors`).

mod board;
mod call;
mod canary;
pub(crate) mod choice;
mod descriptors;
mod limits;
mod look;
mod mark;
mod self_test;
pub(crate) mod tick;

pub(crate) use board::{Board, Slot};
pub(crate) use canary::Canary;
pub(crate) use descriptors::{Descriptors, Held};
pub(crate) use limits::stat_problem;
pub(crate) use look::thread_state;
pub(crate) use self_test::reaction;

use crate::pool::Informant;
use crate::runtime::{CurrentWork, EngineInner, context};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Who tells the engine that a worker sleeps, so that the next one can be woken. Hints ([`blocking`]) are always on.
///
/// ```
/// use wq_engine::Sensing;
/// assert_eq!("tick".parse(), Ok(Sensing::Tick));
/// assert_eq!(Sensing::Hints.to_string(), "hints");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sensing {
    /// What the environment variable `WQ_SENSING` asks for, else the best that works here: the first of those below.
    #[default]
    Auto,
    /// A thread of each CPU, which the system runs only where no worker wants the CPU, looks whether the running worker
    /// has blocked, and wakes the next one: within microseconds, without privileges. The tick looks too. Where this does
    /// not work, [`Sensing::Tick`] is taken instead.
    Canary,
    /// Looks at `/proc` thread states 100 times a second while items wait behind a running worker, or while items of
    /// a BH workqueue run, which must not sleep. Where `/proc` cannot be read, [`Sensing::Hints`] is taken instead.
    Tick,
    /// [`blocking`] scopes and the engine's own waits only. Workers are looked at for CPU hogs nevertheless.
    Hints,
}

impl Sensing {
    /// All of them, the default first.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Canary, Self::Tick, Self::Hints];

    /// The word of `--sensing`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Canary => "canary",
            Self::Tick => "tick",
            Self::Hints => "hints",
        }
    }
}

impl fmt::Display for Sensing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Sensing {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|sensing| sensing.word() == word)
            .ok_or_else(|| format!("unknown sensing {word}; expected auto, canary, tick or hints"))
    }
}

/// Runs `f`, which sleeps: while it runs, the calling worker does not count as running, and its pool wakes another
/// worker if items wait. Outside of a work function it just runs `f`. Scopes may be nested; a panic of `f` ends them.
///
/// A sleep that is not announced is noticed too, a little later, and not with [`Sensing::Hints`]. The waits of this crate
/// (flush, cancel, drain) announce themselves. In the kernel the scheduler does this.
///
/// ```
/// use std::time::Duration;
/// use wq_engine::{Engine, blocking};
/// let engine = Engine::builder().name("doc-blocking").build()?;
/// engine.system_wq().spawn(|| {
///     let text = blocking(|| std::fs::read_to_string("/proc/self/comm"));
///     println!("{text:?}");
/// });
/// # engine.system_wq().flush();
/// # Ok::<(), wq_engine::Error>(())
/// ```
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    let _scope = Scope::open();
    f()
}

/// An open `blocking` scope; closing it, also by a panic, says that the worker runs again.
struct Scope(Option<(CurrentWork, Arc<EngineInner>)>);

impl Scope {
    fn open() -> Self {
        let current = context::with(|context| {
            let current = context.current_mut()?;
            current.blocking += 1;
            Some(current.clone())
        });
        let Some(current) = current else {
            return Self(None);
        };
        let Some(engine) = current.pool.engine() else {
            return Self(None);
        };
        if engine.segment.forked() {
            return Self(None);
        }
        current.pool.transact(&engine, |core, now, fx| {
            core.sleeping(current.worker, Informant::Hint, None, now, fx);
        });
        Self(Some((current, engine)))
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let Some((current, engine)) = self.0.take() else {
            return;
        };
        let open = context::with(|context| {
            let current = context.current_mut()?;
            current.blocking -= 1;
            Some(current.blocking)
        });
        // `f` may have forked.
        if open == Some(0) && !engine.segment.forked() {
            current.pool.transact(&engine, |core, now, fx| {
                core.running(current.worker, Informant::Hint, now, fx);
            });
        }
    }
}

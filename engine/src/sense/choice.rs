//! Which way of sensing an engine takes: what was asked for, if it can be had, and otherwise the next.

use super::Sensing;
use super::limits::{notes, stat_problem};
use std::ffi::OsStr;

/// Who asked for a way of sensing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskedBy {
    /// Nobody did.
    Nobody,
    /// The program, through [`crate::Builder::sensing`].
    Code,
    /// `WQ_SENSING` in the environment.
    Environment,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Never [`Sensing::Auto`].
    pub(crate) tier: Sensing,
    /// What was asked for.
    pub(crate) asked: Sensing,
    /// Why that and no other, for the tools.
    pub(crate) reason: String,
    /// What makes it worse on this machine, a sentence each.
    pub(crate) notes: Vec<String>,
    /// It is not what was wanted.
    fell: Option<Fell>,
}

/// How bad it is that something else was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fell {
    /// Something was asked for that cannot be had.
    Forced,
    /// The best does not work here.
    Auto,
}

/// The choice for an engine on these CPUs: `builder` is what the program asked for, `canary` whether canaries can work
/// on this machine and else why not, called only if they are wanted. Looks at the environment and at `/proc`; says what is worth saying through
/// `tracing`.
pub(crate) fn made(
    builder: Option<Sensing>,
    canary: impl FnOnce() -> Result<(), String>,
    cpus_used: &[usize],
) -> Choice {
    let variable = std::env::var_os(VARIABLE);
    let (wanted, from) = asked(builder, variable.as_deref()).unwrap_or_else(|problem| {
        tracing::warn!("{problem}");
        (Sensing::Auto, AskedBy::Nobody)
    });
    if wanted == Sensing::Hints {
        // It needs nothing, and nothing makes it worse.
        return choose(wanted, from, Ok(()), Ok(()));
    }
    let stat = stat_problem().map_or(Ok(()), Err);
    let tries = wanted != Sensing::Tick && stat.is_ok();
    let canary = if tries { canary() } else { Ok(()) };
    let mut choice = choose(wanted, from, canary, stat);
    if choice.tier != Sensing::Hints {
        choice.notes = notes(cpus_used);
    }
    choice.say();
    choice
}

/// The variable that chooses where the program does not.
const VARIABLE: &str = "WQ_SENSING";

/// What is asked for, and by whom: the program's word goes before the environment's, of which an empty one is none.
///
/// # Errors
/// What to say if the environment's is no way of sensing.
pub(crate) fn asked(
    builder: Option<Sensing>,
    env: Option<&OsStr>,
) -> Result<(Sensing, AskedBy), String> {
    if let Some(sensing) = builder {
        return Ok((sensing, AskedBy::Code));
    }
    let Some(word) = env.filter(|word| !word.is_empty()) else {
        return Ok((Sensing::Auto, AskedBy::Nobody));
    };
    let word = wq_trace::clean_text(&word.to_string_lossy(), 32);
    let sensing = word.parse();
    sensing.map_or_else(
        |problem: String| Err(format!("{VARIABLE}={word}: {problem}")),
        |sensing| Ok((sensing, AskedBy::Environment)),
    )
}

/// Chooses, knowing why there can be no canary and why thread states cannot be seen, which a canary needs too.
pub(crate) fn choose(
    asked: Sensing,
    from: AskedBy,
    canary: Result<(), String>,
    stat: Result<(), String>,
) -> Choice {
    let next = match stat {
        Ok(()) => Sensing::Tick,
        Err(_) => Sensing::Hints,
    };
    let can = match asked {
        // The missing state is the deeper reason.
        Sensing::Auto | Sensing::Canary => stat.and(canary),
        Sensing::Tick => stat,
        Sensing::Hints => Ok(()),
    };
    let chosen = |tier, fell, reason| Choice {
        tier,
        asked,
        reason,
        notes: Vec::new(),
        fell,
    };
    match (asked, can) {
        (Sensing::Auto, Ok(())) => {
            let reason = "the best that works here";
            chosen(Sensing::Canary, None, reason.to_owned())
        }
        (Sensing::Auto, Err(why)) => {
            let missing = match next {
                Sensing::Tick => "no canary",
                _ => "no canary and no tick",
            };
            chosen(next, Some(Fell::Auto), format!("{missing}: {why}"))
        }
        (tier, Ok(())) => {
            let who = match from {
                AskedBy::Environment => VARIABLE,
                AskedBy::Code | AskedBy::Nobody => "the program",
            };
            chosen(tier, None, format!("asked for by {who}"))
        }
        (tier, Err(why)) => {
            let reason = format!("{tier} was asked for, but {why}");
            chosen(next, Some(Fell::Forced), reason)
        }
    }
}

impl Choice {
    /// Says what is not as it was wanted, and what makes sensing worse here.
    fn say(&self) {
        let Self { tier, reason, .. } = self;
        match self.fell {
            Some(Fell::Forced) => tracing::warn!("sensing is {tier}: {reason}"),
            Some(Fell::Auto) => tracing::info!("sensing is {tier}: {reason}"),
            None => {}
        }
        for note in &self.notes {
            tracing::info!("sensing: {note}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Probe = Result<(), &'static str>;
    const NO_IDLE: Probe = Err("SCHED_IDLE is refused");
    const NO_PROC: Probe = Err("there is no /proc");

    fn tier(asked: Sensing, from: AskedBy, canary: Probe, stat: Probe) -> (Sensing, String, bool) {
        let choice = choose(
            asked,
            from,
            canary.map_err(str::to_owned),
            stat.map_err(str::to_owned),
        );
        assert!(choice.notes.is_empty() && choice.tier != Sensing::Auto);
        (choice.tier, choice.reason, choice.fell.is_some())
    }

    #[test]
    fn the_best_that_works_is_chosen() {
        let auto = |canary, stat| tier(Sensing::Auto, AskedBy::Nobody, canary, stat);
        let is = |tier, reason: &str, fell| (tier, reason.to_owned(), fell);
        let best = is(Sensing::Canary, "the best that works here", false);
        assert_eq!(auto(Ok(()), Ok(())), best);
        let tick = is(Sensing::Tick, "no canary: SCHED_IDLE is refused", true);
        assert_eq!(auto(NO_IDLE, Ok(())), tick);
        let reason = "no canary and no tick: there is no /proc";
        for canary in [Ok(()), NO_IDLE] {
            assert_eq!(auto(canary, NO_PROC), is(Sensing::Hints, reason, true));
        }
        let code = tier(Sensing::Auto, AskedBy::Code, Ok(()), Ok(()));
        assert_eq!(code, best, "who asks for auto leaves it to us");
    }

    #[test]
    fn what_is_asked_for_is_chosen_where_it_works() {
        for (from, reason) in [
            (AskedBy::Code, "asked for by the program"),
            (AskedBy::Environment, "asked for by WQ_SENSING"),
        ] {
            for forced in [Sensing::Canary, Sensing::Tick, Sensing::Hints] {
                let is = (forced, reason.to_owned(), false);
                assert_eq!(tier(forced, from, Ok(()), Ok(())), is);
            }
            let is = |forced| (forced, reason.to_owned(), false);
            let tick = tier(Sensing::Tick, from, NO_IDLE, Ok(()));
            assert_eq!(tick, is(Sensing::Tick), "it needs no canary");
            let hints = tier(Sensing::Hints, from, NO_IDLE, NO_PROC);
            assert_eq!(hints, is(Sensing::Hints), "they need nothing");
        }
    }

    #[test]
    fn what_cannot_be_had_falls_to_the_next() {
        let forced = |asked, canary, stat| tier(asked, AskedBy::Code, canary, stat);
        let is = |tier, reason: &str| (tier, reason.to_owned(), true);
        assert_eq!(
            forced(Sensing::Canary, NO_IDLE, Ok(())),
            is(
                Sensing::Tick,
                "canary was asked for, but SCHED_IDLE is refused"
            )
        );
        for canary in [Ok(()), NO_IDLE] {
            assert_eq!(
                forced(Sensing::Canary, canary, NO_PROC),
                is(
                    Sensing::Hints,
                    "canary was asked for, but there is no /proc"
                )
            );
        }
        assert_eq!(
            forced(Sensing::Tick, Ok(()), NO_PROC),
            is(Sensing::Hints, "tick was asked for, but there is no /proc")
        );
    }

    #[test]
    fn forced_falls_are_worse() {
        let fell = |asked, from| choose(asked, from, Err("x".into()), Ok(())).fell;
        let auto = fell(Sensing::Auto, AskedBy::Nobody);
        assert_eq!(auto, Some(Fell::Auto));
        let forced = fell(Sensing::Canary, AskedBy::Environment);
        assert_eq!(forced, Some(Fell::Forced));
    }

    #[test]
    fn the_programs_word_goes_before_the_environments() {
        let of = |builder, env: Option<&str>| asked(builder, env.map(OsStr::new));
        let nobody = Ok((Sensing::Auto, AskedBy::Nobody));
        assert_eq!(of(None, None), nobody);
        assert_eq!(of(None, Some("")), nobody);
        for sensing in Sensing::ALL {
            let env = Ok((sensing, AskedBy::Environment));
            assert_eq!(of(None, Some(sensing.word())), env);
            let code = Ok((sensing, AskedBy::Code));
            assert_eq!(of(Some(sensing), Some("tick")), code);
            assert_eq!(of(Some(sensing), Some("foo")), code);
        }
    }

    #[test]
    fn a_bad_word_is_told() {
        let problem = |word: &OsStr| asked(None, Some(word)).unwrap_err();
        assert_eq!(
            problem("foo".as_ref()),
            "WQ_SENSING=foo: unknown sensing foo; expected auto, canary, tick or hints"
        );
        let nasty = problem("a\x1b[31m\nb".as_ref());
        assert!(nasty.starts_with("WQ_SENSING=a_[31m_b: "), "{nasty}");
        use std::os::unix::ffi::OsStrExt;
        let bytes = problem(OsStr::from_bytes(b"\xff"));
        assert!(bytes.starts_with("WQ_SENSING=\u{fffd}: "), "{bytes}");
    }
}

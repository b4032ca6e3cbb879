//! The screen's loop: keys, rounds of data, signals; draws only when something changed.

use crate::app::{App, Effect, Msg};
use crate::clock::{OwnCpu, monotonic};
use crate::headless;
use crate::input;
use crate::lookout::Lookout;
use crate::paint::style::Palette;
use crate::replay::Embedded;
use crate::save::Writer;
use crate::source::{Engine, Source};
use crate::term::{Screen, Signals};
use crate::typing;
use crate::view;
use crossterm::event;
use std::io;
use std::time::Duration;

/// Opens the engine that was chosen.
pub type Open<'a> = dyn Fn(&Engine) -> Result<Box<dyn Source>, String> + 'a;

/// What the loop needs besides the application.
pub struct Session<'a> {
    /// Where data come from; `None` until an engine is chosen.
    pub source: Option<Box<dyn Source>>,
    /// Opens the engine that was chosen.
    pub open: &'a Open<'a>,
    /// Looks at those to choose from.
    pub lookout: Lookout,
    /// The script that an embedded engine replays.
    pub replay: Option<Embedded>,
    /// Time between two snapshots.
    pub interval: Duration,
    /// With or without colours.
    pub palette: Palette,
    /// Signals that ask us to end.
    pub signals: Signals,
    /// Writes the files that are asked for.
    pub writer: Writer,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("interval", &self.interval)
            .field("palette", &self.palette)
            .finish_non_exhaustive()
    }
}

/// How long to wait for one more key before drawing; with no time at all crossterm looks only at what it has read.
const MORE: Duration = Duration::from_millis(1);
/// How long nothing is looked at while there is no source; signals are noticed that late at most.
const IDLE: Duration = Duration::from_millis(100);

/// Keys taken before the next picture; a held or pasted key must not keep signals waiting.
const KEYS_AT_ONCE: usize = 256;

/// Runs until a key or a signal ends it. Gives back the exit status.
///
/// # Errors
/// The terminal refuses or is gone, or the chosen engine cannot be watched.
pub fn run(mut app: App, mut session: Session<'_>) -> io::Result<u8> {
    let mut screen = Screen::enter()?;
    let (width, height) = screen.size()?;
    let _ = app.update(Msg::Resize(width, height));
    let ended = session.run(&mut app, &mut screen);
    drop(screen);
    let recorded = session.finish();
    // A terminal that hangs up sends a signal and fails: the signal is the reason.
    match (ended, session.signals.exit_status()) {
        (Err(_), Some(code)) => recorded.map(|()| code),
        (ended, _) => ended.and_then(|code| recorded.map(|()| code)),
    }
}

impl Session<'_> {
    /// Ends what is being written, the recording if one is made, and says what is in it.
    fn finish(&mut self) -> io::Result<()> {
        if let Some(said) = self.writer.finish() {
            headless::say(Some(&said.unwrap_or_else(|why| why)));
        }
        let Some(source) = &mut self.source else {
            return Ok(());
        };
        let recorded = source.finish().map_err(io::Error::other)?;
        headless::say(recorded.as_deref());
        Ok(())
    }

    /// Rounds, keys and pictures in turn.
    fn run(&mut self, app: &mut App, screen: &mut Screen) -> io::Result<u8> {
        let mut rounds = Rounds::new(self.interval);
        let mut draw = true;
        let mut keys_left = false;
        loop {
            if let Some(code) = self.signals.exit_status() {
                return Ok(code);
            }
            if self.signals.take_stop() {
                screen.suspend()?;
                draw = true;
            }
            draw |= self.poll(app, &mut rounds) == Effect::Draw;
            if let Some(said) = self.writer.done() {
                draw |= app.update(Msg::Saved(said)) == Effect::Draw;
            }
            if draw {
                screen.draw(|frame| view::draw(app, self.palette, frame))?;
                draw = false;
            }
            let wait = if self.source.is_some() {
                rounds.wait()
            } else {
                IDLE
            };
            if !keys_left && !self.signals.wait(wait)? {
                continue;
            }
            let (effect, all) = self.keys(app, &mut rounds)?;
            keys_left = !all;
            match effect {
                Effect::Quit => return Ok(0),
                Effect::Suspend => {
                    screen.suspend()?;
                    draw = true;
                }
                effect => draw |= effect == Effect::Draw,
            }
        }
    }

    /// Takes the keys that piled up, before the next picture; and says whether these were all: crossterm reads ahead, so
    /// that others need not be in the terminal any more.
    fn keys(&mut self, app: &mut App, rounds: &mut Rounds) -> io::Result<(Effect, bool)> {
        let mut effect = Effect::None;
        for _ in 0..KEYS_AT_ONCE {
            if !event::poll(MORE)? {
                return Ok((effect, true));
            }
            let event = event::read()?;
            // While a query is typed keys are characters.
            let typed = app.prompt().and_then(|_| typing::message(&event));
            let is_key = matches!(event, event::Event::Key(_));
            let pressed = match typed {
                None if app.prompt().is_some() && is_key => continue,
                None => input::message(&event),
                typed => typed,
            };
            let clicked = || input::click(&event).and_then(|(x, y)| view::hit(app, x, y));
            let Some(msg) = pressed.or_else(clicked) else {
                continue;
            };
            match app.update(msg) {
                Effect::None => {}
                Effect::Draw => effect = Effect::Draw,
                Effect::Save(request) => {
                    effect = match self.writer.start(app.past(), request) {
                        Ok(()) => Effect::Draw,
                        Err(why) => app.update(Msg::Saved(Err(why))),
                    }
                }
                last @ (Effect::Quit | Effect::Suspend) => return Ok((last, false)),
                Effect::Open(engine) => {
                    self.source = Some((self.open)(&engine).map_err(io::Error::other)?);
                    rounds.at_once();
                    effect = Effect::Draw;
                }
            }
        }
        Ok((effect, false))
    }

    /// Asks the source for what is due.
    fn poll(&mut self, app: &mut App, rounds: &mut Rounds) -> Effect {
        let now = monotonic();
        let Some(source) = &mut self.source else {
            return match rounds.due(now) {
                Some(true) => app.update(Msg::Engines(self.lookout.look(&app.engines, now))),
                _ => Effect::None,
            };
        };
        let Some(with_snapshot) = rounds.due(now) else {
            return Effect::None;
        };
        // What was gone back to stays, whatever takes the engine's place.
        source.stay(app.is_paused());
        source.look_at_threads(app.wants_threads());
        let update = source.poll(now, with_snapshot || app.link.waiting);
        rounds.polled(update.lost, update.events.len());
        if update.lost > 0 {
            tracing::info!(
                lost = update.lost,
                "events were overwritten before they were read"
            );
        }
        if with_snapshot {
            let _ = app.update(Msg::OwnCpu(rounds.own_cpu.share()));
        }
        let mut effect = app.update(Msg::Polled(Box::new(update)));
        if let Some(replay) = &mut self.replay
            && app.update(Msg::Replay(replay.status())) == Effect::Draw
        {
            effect = Effect::Draw;
        }
        effect
    }
}

/// When to ask for events and when for a snapshot. Rings overwrite: a busy engine is asked more often.
#[derive(Debug)]
struct Rounds {
    interval: u64,
    /// Between two readings of events, in nanoseconds.
    pace: u64,
    next_events: u64,
    next_snapshot: u64,
    own_cpu: OwnCpu,
}

/// ... and so soon that a flood that sets in is not missed.
const SLOWEST: u64 = 15_000_000;
/// At a million events a second a thread fills its ring of the default size in less than 10 ms.
const FASTEST: u64 = 2_000_000;
/// The pace until something is known.
const FIRST: u64 = 10_000_000;
/// So many events in one reading: come sooner.
const MANY: usize = 1_000;
/// So few: later will do.
const FEW: usize = 250;

impl Rounds {
    fn new(interval: Duration) -> Self {
        let interval = u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX);
        Self {
            interval,
            pace: FIRST,
            next_events: 0,
            next_snapshot: 0,
            own_cpu: OwnCpu::start(),
        }
    }

    fn at_once(&mut self) {
        (self.next_events, self.next_snapshot) = (0, 0);
    }

    /// Whether something is due, and whether that is a snapshot too.
    fn due(&mut self, now: u64) -> Option<bool> {
        let snapshot = now >= self.next_snapshot;
        if snapshot {
            // Rounds stay on their grid; those that were missed are left out.
            let missed = now.saturating_sub(self.next_snapshot) / self.interval.max(1);
            let grid = self
                .next_snapshot
                .saturating_add((missed + 1).saturating_mul(self.interval));
            self.next_snapshot = if self.next_snapshot == 0 {
                now + self.interval
            } else {
                grid
            };
        } else if now < self.next_events {
            return None;
        }
        self.next_events = now + self.pace;
        Some(snapshot)
    }

    /// Adapts the pace to what the last reading brought.
    fn polled(&mut self, lost: u64, events: usize) {
        self.pace = if lost > 0 || events > MANY {
            (self.pace / 2).max(FASTEST)
        } else if events < FEW {
            (self.pace + self.pace / 4).min(SLOWEST)
        } else {
            self.pace
        };
    }

    /// How long nothing is due.
    fn wait(&self) -> Duration {
        let next = self.next_events.min(self.next_snapshot);
        Duration::from_nanos(next.saturating_sub(monotonic()).clamp(1_000_000, SLOWEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn snapshots_come_at_the_interval_and_events_in_between() {
        let mut rounds = Rounds::new(Duration::from_secs(1));
        let start = 5_000 * MS;
        assert_eq!(rounds.due(start), Some(true));
        assert_eq!(rounds.due(start + 9 * MS), None);
        assert_eq!(rounds.due(start + 10 * MS), Some(false));
        assert_eq!(rounds.due(start + 1_000 * MS), Some(true));
        // Three rounds were missed: one comes at once, the next stays on the grid.
        assert_eq!(rounds.due(start + 4_300 * MS), Some(true));
        assert_eq!(rounds.next_snapshot, start + 5_000 * MS);
    }

    #[test]
    fn loss_makes_it_come_sooner_and_calm_later() {
        let mut rounds = Rounds::new(Duration::from_secs(1));
        (0..9).for_each(|_| rounds.polled(1, 0));
        assert_eq!(rounds.pace, FASTEST);
        rounds.polled(0, MANY);
        assert_eq!(rounds.pace, FASTEST, "a steady stream keeps the pace");
        rounds.polled(0, FEW - 1);
        assert!(rounds.pace > FASTEST);
        (0..99).for_each(|_| rounds.polled(0, 0));
        assert_eq!(rounds.pace, SLOWEST);
    }
}

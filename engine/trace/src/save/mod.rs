//! What a [`Past`] keeps, as a file: a recording, or a trace for other people's tools.
//!
//! States may reach back further than events do. What came before the first event, and what was lost among them, is
//! said in the file at its place, so that nobody concludes anything across it. When events are held, it is the past as
//! it was then: nothing later is in the file.

#[cfg(test)]
mod tests;

use crate::export::{Exporter, Format, Options};
use crate::past::{Gap, Past};
use crate::recording::{Recorder, RecordingEnd};
use crate::snapshot::Snapshot;
use std::io::{self, Write};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// States of the engine.
    pub states: usize,
    /// Events.
    pub events: usize,
    /// Nanoseconds from the first event to the last one or the last state.
    pub length: u64,
    /// Events that were lost among those.
    pub lost: u64,
}

/// Writes a recording, which ends as `end` says. `out` should be buffered.
///
/// # Errors
/// There is no state yet, or it cannot be written.
pub fn recording<W: Write>(past: &Past, out: W, end: RecordingEnd) -> io::Result<Saved> {
    let mut recorder = Recorder::new(out)?;
    let saved = walk(past, |step| match step {
        Step::State(state) => recorder.snapshot(state),
        Step::Gap(gap) => recorder.lost(gap.lost, gap.ring, gap.until),
        Step::Event(event) => recorder.event(event),
    })?;
    recorder.finish(end)?.flush()?;
    Ok(saved)
}

/// Writes a trace for ui.perfetto.dev or another tool. `out` should be buffered.
///
/// # Errors
/// There is no state yet, or it cannot be written.
pub fn trace<W: Write>(past: &Past, format: Format, out: W) -> io::Result<Saved> {
    let (first, last) = (states(past).next(), states(past).next_back());
    let (first, last) = first.zip(last).ok_or_else(nothing)?;
    let options = Options {
        complete: past.before().is_none() && last.lost_no_ring == 0,
        counters: true,
        ..Options::default()
    };
    let mut exporter = Exporter::new(format, out, first, Box::new(|_, _| true), options)?;
    states(past).for_each(|state| exporter.know(state));
    if last.lost_no_ring > 0 {
        // They have no place: anything may be missing anywhere.
        exporter.lost(last.lost_no_ring, u64::MAX)?;
    }
    let saved = walk(past, |step| match step {
        Step::State(_) => Ok(()),
        Step::Gap(gap) => exporter.lost(gap.lost, gap.until.unwrap_or(u64::MAX)),
        Step::Event(event) => exporter.event(event),
    })?;
    exporter.finish(last)?;
    Ok(saved)
}

fn nothing() -> io::Error {
    io::Error::other("nothing was read yet")
}

/// The states to write, oldest first.
fn states(past: &Past) -> impl DoubleEndedIterator<Item = &Snapshot> {
    let until = past.held_until().unwrap_or(u64::MAX);
    past.states().filter(move |state| state.at <= until)
}

/// One thing to write.
enum Step<'a> {
    State(&'a Snapshot),
    Gap(Gap),
    Event(&'a crate::Event),
}

/// Goes through states and events in the order of time.
fn walk(past: &Past, mut write: impl FnMut(Step<'_>) -> io::Result<()>) -> io::Result<Saved> {
    let mut saved = Saved::default();
    let mut states = states(past).peekable();
    // The first one comes before all events: what is cut off at once can be read, too.
    write(Step::State(states.next().ok_or_else(nothing)?))?;
    saved.states = 1;
    let mut gaps = past.gaps().peekable();
    let (mut first, mut last) = (None, 0);
    for (index, event) in past.events().enumerate() {
        while let Some(state) = states.next_if(|state| state.at < event.at) {
            saved.states += 1;
            write(Step::State(state))?;
        }
        if let (0, Some(gap)) = (index, past.before()) {
            let until = gap.until.map(|until| until.max(event.at));
            write(Step::Gap(Gap { until, ..gap }))?;
        }
        while let Some((_, gap)) = gaps.next_if(|(at, _)| *at <= index) {
            saved.lost = saved.lost.saturating_add(gap.lost);
            write(Step::Gap(gap))?;
        }
        write(Step::Event(event))?;
        saved.events += 1;
        first.get_or_insert(event.at);
        last = last.max(event.at);
    }
    for (_, gap) in gaps {
        saved.lost = saved.lost.saturating_add(gap.lost);
        write(Step::Gap(gap))?;
    }
    for state in states {
        saved.states += 1;
        last = last.max(state.at);
        write(Step::State(state))?;
    }
    if let (0, Some(gap)) = (saved.events, past.before()) {
        write(Step::Gap(gap))?;
    }
    saved.length = last.saturating_sub(first.unwrap_or(last));
    Ok(saved)
}

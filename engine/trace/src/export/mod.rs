//! Events for other people's tools: the text of ftrace, and Perfetto's traces.
//!
//! Pure: a snapshot and events come in, bytes go out, one pass, with memory for what is open at a time.

#[cfg(test)]
mod decode;
mod ftrace;
mod perfetto;
mod proto;

use crate::event::{Event, What};
use crate::ids::FuncId;
use crate::names::Names;
use crate::snapshot::{Snapshot, WorkerRow, WorkerState};
use ftrace::Ftrace;
use perfetto::Perfetto;
use std::io::{self, Write};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text of `/sys/kernel/tracing/trace`.
    Ftrace,
    /// The protocol buffers of ui.perfetto.dev.
    Perfetto,
}

/// What is exported.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Nanoseconds on the segment's clock: what ended before is left out.
    pub from: u64,
    /// Whether the events given begin with the engine's first.
    pub complete: bool,
    /// Whether they begin now, in the middle of what the snapshot says.
    pub from_now: bool,
    /// Whether the numbers of pools are exported. Perfetto only.
    pub counters: bool,
}

/// Whether an event is to be seen. Those that are not still explain the others.
pub type Wanted<'a> = Box<dyn FnMut(&Event, &Names) -> bool + 'a>;

/// What an export came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events given in.
    pub events: u64,
    /// Executions that were seen to begin. Perfetto only.
    pub executions: u64,
    /// Waits that are drawn. Perfetto only.
    pub waits: u64,
    /// Waits for which there was no room. Perfetto only.
    pub undrawn_waits: u64,
    /// Events lost.
    pub lost: u64,
}

/// Exports events as they come.
pub struct Exporter<'a, W> {
    to: To<W>,
    names: Names,
    wanted: Wanted<'a>,
    options: Options,
    summary: Summary,
}

enum To<W> {
    Ftrace(Ftrace<W>),
    Perfetto(Box<Perfetto<W>>),
}

/// Without its output.
impl<W> std::fmt::Debug for Exporter<'_, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporter")
            .field("options", &self.options)
            .field("summary", &self.summary)
            .finish_non_exhaustive()
    }
}

impl<'a, W: Write> Exporter<'a, W> {
    /// Begins a file of the engine that `snapshot` is of. `out` should be buffered.
    ///
    /// # Errors
    /// Those of writing.
    pub fn new(
        format: Format,
        out: W,
        snapshot: &Snapshot,
        wanted: Wanted<'a>,
        options: Options,
    ) -> io::Result<Self> {
        let to = match format {
            Format::Ftrace => To::Ftrace(Ftrace::new(out)?),
            Format::Perfetto => To::Perfetto(Box::new(Perfetto::new(out, snapshot, options)?)),
        };
        let mut this = Self {
            to,
            names: Names::new(snapshot),
            wanted,
            options,
            summary: Summary::default(),
        };
        if options.from_now {
            this.executions_of(snapshot)?;
        }
        Ok(this)
    }

    /// Takes in the names, and what else events do not tell, of a later snapshot of the same engine.
    pub fn know(&mut self, snapshot: &Snapshot) {
        self.names.update(snapshot);
        if let To::Perfetto(to) = &mut self.to {
            to.know(snapshot);
        }
    }

    /// The names known so far.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Exports an event.
    ///
    /// # Errors
    /// Those of writing.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        self.summary.events += 1;
        let wanted = (self.wanted)(event, &self.names);
        match &mut self.to {
            To::Ftrace(to) if wanted && event.at >= self.options.from => {
                to.event(event, &self.names)
            }
            To::Ftrace(_) => Ok(()),
            To::Perfetto(to) => to.event(event, &self.names, wanted),
        }
    }

    /// `n` events were overwritten before they could be read. Those before `until`, in nanoseconds, may have others
    /// missing beside them; 0 when there is no telling.
    ///
    /// # Errors
    /// Those of writing.
    pub fn lost(&mut self, n: u64, until: u64) -> io::Result<()> {
        self.summary.lost = self.summary.lost.saturating_add(n);
        match &mut self.to {
            To::Ftrace(to) => to.comment(&format!("lost {n} events")),
            To::Perfetto(to) => to.lost(n, until, &self.names),
        }
    }

    /// Ends the file. `snapshot` is the engine's latest: what it says of executions that are not over is exported too
    /// where their beginning was lost.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self, snapshot: &Snapshot) -> io::Result<Summary> {
        self.executions_of(snapshot)?;
        let drawn = match self.to {
            To::Ftrace(to) => {
                to.finish()?;
                Summary::default()
            }
            To::Perfetto(to) => to.finish(&self.names)?,
        };
        Ok(Summary {
            events: self.summary.events,
            lost: self.summary.lost,
            ..drawn
        })
    }

    fn executions_of(&mut self, snapshot: &Snapshot) -> io::Result<()> {
        let To::Perfetto(to) = &mut self.to else {
            return Ok(());
        };
        for row in snapshot.workers.iter().filter(|row| is_executing(row)) {
            let shown = (self.wanted)(&beginning(row), &self.names);
            to.executes(row, &self.names, shown)?;
        }
        Ok(())
    }
}

fn is_executing(row: &WorkerRow) -> bool {
    let state = matches!(row.state, WorkerState::Running | WorkerState::Sleeping);
    state && row.work != 0 && row.tid != 0
}

/// The event that the execution of a row began with, but for its CPU.
fn beginning(row: &WorkerRow) -> Event {
    Event {
        at: row.started_at,
        cpu: 0,
        tid: row.tid,
        wq: row.wq,
        pool: row.pool,
        worker: row.id,
        func: row.func,
        from: FuncId::NONE,
        work: row.work,
        what: What::ExecuteStart,
    }
}

#[cfg(test)]
mod tests;

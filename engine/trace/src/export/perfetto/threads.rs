//! What each thread is in the middle of: executions, and the sleeps, flushes and managing inside or beside them.

use super::packets::{Kind, Packets, TrackEvent};
use super::tracks::Tracks;
use crate::names::{Names, UNKNOWN};
use crate::value::{Fields, Value};
use std::collections::HashMap;
use std::io::{self, Write};

/// What began and has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// This item is executed.
    Execute(u64),
    /// The worker sleeps in it.
    Sleep(u64),
    /// The thread waits for an item (0 if none) or a workqueue.
    Flush(u64, u32),
    /// The worker creates workers.
    Manage,
}

/// How a slice looks.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    pub(super) name: String,
    pub(super) category: &'static str,
    pub(super) flow_end: Option<u64>,
    pub(super) args: Fields,
}

#[derive(Debug)]
struct Open {
    what: What,
    since: u64,
    /// What is to be drawn once the window is reached; `None` when it is drawn, or never to be.
    undrawn: Option<Slice>,
    drawn: bool,
}

#[derive(Debug)]
struct Thread {
    track: u64,
    is_named: bool,
    stack: Vec<Open>,
    /// When its last slice ended.
    last_end: u64,
}

/// All threads.
#[derive(Debug, Default)]
pub(super) struct Threads {
    by_tid: HashMap<u32, Thread>,
}

/// Where slices go, and whether now.
pub(super) struct Canvas<'a, W> {
    pub(super) packets: &'a mut Packets<W>,
    pub(super) tracks: &'a mut Tracks,
    pub(super) names: &'a Names,
    /// Whether the window is reached.
    pub(super) is_open: bool,
}

impl Threads {
    /// A thread's track. `name`: what it is called, if not what the names say of its id.
    pub(super) fn track<W: Write>(
        &mut self,
        tid: u32,
        name: Option<&str>,
        canvas: &mut Canvas<'_, W>,
    ) -> io::Result<u64> {
        let name = name.unwrap_or_else(|| canvas.names.comm(tid));
        let is_named = name != UNKNOWN;
        if let Some(thread) = self.by_tid.get_mut(&tid) {
            if is_named && !std::mem::replace(&mut thread.is_named, true) {
                let track = thread.track;
                canvas
                    .tracks
                    .name_thread(track, tid, name, canvas.packets)?;
            }
            return Ok(thread.track);
        }
        let track = canvas.tracks.thread(tid, name, canvas.packets)?;
        let thread = Thread {
            track,
            is_named,
            stack: Vec::new(),
            last_end: 0,
        };
        self.by_tid.insert(tid, thread);
        Ok(track)
    }

    /// Something begins on a thread that has a track. `slice`: how it looks, if it is to be seen.
    pub(super) fn begin<W: Write>(
        &mut self,
        (tid, at): (u32, u64),
        what: What,
        slice: Option<Slice>,
        canvas: &mut Canvas<'_, W>,
    ) -> io::Result<()> {
        let Some(thread) = self.by_tid.get_mut(&tid) else {
            return Ok(());
        };
        let mut open = Open {
            what,
            since: at,
            undrawn: slice,
            drawn: false,
        };
        if canvas.is_open {
            open.draw(thread.track, canvas.packets)?;
        }
        thread.stack.push(open);
        Ok(())
    }

    /// Something ends, with whatever began inside it. Whether it was there.
    pub(super) fn end<W: Write>(
        &mut self,
        (tid, at): (u32, u64),
        what: What,
        canvas: &mut Canvas<'_, W>,
    ) -> io::Result<bool> {
        let Some(thread) = self.by_tid.get_mut(&tid) else {
            return Ok(false);
        };
        let is_it = |open: &Open| open.what == what && open.since <= at;
        let Some(depth) = thread.stack.iter().rposition(is_it) else {
            return Ok(false);
        };
        thread.unwind(depth, at, &[], canvas.packets)?;
        Ok(true)
    }

    /// Whether this thread is in the middle of that, as its innermost but for sleeps and flushes, since then at latest.
    pub(super) fn executes(&self, tid: u32, work: u64, at: u64) -> bool {
        let stack = self.by_tid.get(&tid).map(|thread| &thread.stack[..]);
        let of = |open: &&Open| matches!(open.what, What::Execute(_));
        let innermost = stack.and_then(|stack| stack.iter().rev().find(of));
        innermost.is_some_and(|open| open.what == What::Execute(work) && open.since <= at)
    }

    /// Whether it is already known to have begun this then.
    pub(super) fn has(&self, tid: u32, what: What, since: u64) -> bool {
        let thread = self.by_tid.get(&tid);
        thread.is_some_and(|thread| {
            let mut stack = thread.stack.iter();
            stack.any(|open| open.what == what && open.since == since)
        })
    }

    /// Whether nothing of this thread reaches beyond `at`.
    pub(super) fn is_free_since(&self, tid: u32, at: u64) -> bool {
        let thread = self.by_tid.get(&tid);
        thread.is_none_or(|thread| thread.stack.is_empty() && thread.last_end <= at)
    }

    /// Draws what began before the window, and reaches into it.
    pub(super) fn open_window<W: Write>(&mut self, packets: &mut Packets<W>) -> io::Result<()> {
        for tid in self.tids() {
            if let Some(thread) = self.by_tid.get_mut(&tid) {
                for open in &mut thread.stack {
                    open.draw(thread.track, packets)?;
                }
            }
        }
        Ok(())
    }

    /// Ends everything, with `why` as an argument: it was not seen to end.
    pub(super) fn cut<W: Write>(
        &mut self,
        at: u64,
        why: &[(&'static str, Value)],
        packets: &mut Packets<W>,
    ) -> io::Result<()> {
        for tid in self.tids() {
            if let Some(thread) = self.by_tid.get_mut(&tid) {
                thread.unwind(0, at, why, packets)?;
            }
        }
        Ok(())
    }

    /// In an order that does not depend on how they are kept.
    fn tids(&self) -> Vec<u32> {
        let busy = self.by_tid.iter().filter(|(_, t)| !t.stack.is_empty());
        let mut tids: Vec<_> = busy.map(|(tid, _)| *tid).collect();
        tids.sort_unstable();
        tids
    }
}

impl Open {
    fn draw<W: Write>(&mut self, track: u64, packets: &mut Packets<W>) -> io::Result<()> {
        let Some(slice) = self.undrawn.take() else {
            return Ok(());
        };
        self.drawn = true;
        packets.event(&TrackEvent {
            name: &slice.name,
            category: slice.category,
            flow_end: slice.flow_end,
            args: &slice.args,
            ..TrackEvent::new(self.since, track, Kind::Begin)
        })
    }
}

impl Thread {
    /// Ends what stands on the stack from `depth` on, the innermost first.
    fn unwind<W: Write>(
        &mut self,
        depth: usize,
        at: u64,
        args: &[(&'static str, Value)],
        packets: &mut Packets<W>,
    ) -> io::Result<()> {
        for open in self.stack.drain(depth..).rev() {
            let at = at.max(open.since);
            self.last_end = self.last_end.max(at);
            if open.drawn {
                packets.event(&TrackEvent {
                    args,
                    ..TrackEvent::new(at, self.track, Kind::End)
                })?;
            }
        }
        Ok(())
    }
}

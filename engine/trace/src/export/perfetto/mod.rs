//! A Perfetto trace, in its own protocol buffers: see `export/README.md` for what is drawn where.

mod packets;
mod threads;
mod tracks;
mod waits;

use super::{Options, Summary};
use crate::event::{Event, FlushTarget, What};
use crate::explain::{Explainer, Wait};
use crate::ids::WorkerId;
use crate::names::{Names, UNKNOWN};
use crate::snapshot::{Snapshot, WorkerRow};
use crate::text;
use crate::value::Value;
use packets::{Kind, Packets, TrackEvent};
use std::collections::HashMap;
use std::io::{self, Write};
use threads::{Canvas, Slice, Threads, What as Open};
use tracks::{Lane, Tracks};
use waits::breakdown;

/// An item that waits, as far as it is drawn.
#[derive(Debug)]
struct Queued {
    lane: Option<Lane>,
    /// The arrow from its queue_work, if that is drawn.
    flow: Option<u64>,
}

/// Draws events.
#[derive(Debug)]
pub(super) struct Perfetto<W> {
    packets: Packets<W>,
    tracks: Tracks,
    threads: Threads,
    explainer: Explainer,
    /// The thread of each worker that was seen to execute something.
    workers: HashMap<WorkerId, u32>,
    items: HashMap<u64, Queued>,
    flows: u64,
    options: Options,
    is_open: bool,
    /// The youngest stamp.
    last: u64,
    /// Losses before the first event.
    unplaced: u64,
    summary: Summary,
}

impl<W: Write> Perfetto<W> {
    pub(super) fn new(out: W, snapshot: &Snapshot, options: Options) -> io::Result<Self> {
        let meta = &snapshot.meta;
        let mut packets = Packets::new(out);
        packets.clocks(meta.started_at, meta.started_wall)?;
        let tracks = Tracks::new(meta, &mut packets)?;
        let mut explainer = Explainer::new(options.complete);
        explainer.know(snapshot);
        Ok(Self {
            packets,
            tracks,
            threads: Threads::default(),
            explainer,
            workers: HashMap::new(),
            items: HashMap::new(),
            flows: 0,
            options,
            is_open: options.from == 0,
            last: 0,
            unplaced: 0,
            summary: Summary::default(),
        })
    }

    /// A later snapshot of the same engine.
    pub(super) fn know(&mut self, snapshot: &Snapshot) {
        self.explainer.know(snapshot);
    }

    pub(super) fn event(&mut self, event: &Event, names: &Names, shown: bool) -> io::Result<()> {
        if !self.is_open && event.at >= self.options.from {
            self.is_open = true;
            self.threads.open_window(&mut self.packets)?;
        }
        self.last = self.last.max(event.at);
        if self.is_open && self.unplaced > 0 {
            let n = std::mem::take(&mut self.unplaced);
            self.draw_loss(n, event.at)?;
        }
        let wait = self.explainer.apply(event);
        let queued = match &wait {
            Some(wait) => self.draw_wait(wait, names)?,
            None => None,
        };
        match event.what {
            What::QueueWork { .. } => self.queued(event, names, shown)?,
            What::ExecuteStart => {
                let flow_end = queued.and_then(|queued| queued.flow);
                self.started(event, names, shown, (wait, flow_end))?;
            }
            What::ExecuteEnd => self.ends(event, event.tid, Open::Execute(event.work), names)?,
            What::WorkerSleep { .. } => self.slept(event, names, shown)?,
            What::WorkerResume { .. } => self.resumed(event, names, shown)?,
            What::FlushStart { target } => {
                let target = flush_of(event, target);
                self.begins(event, target, "flush", names, shown)?;
            }
            What::FlushEnd { target } => {
                self.ends(event, event.tid, flush_of(event, target), names)?;
            }
            What::ManagerStart => self.begins(event, Open::Manage, "manager", names, shown)?,
            What::ManagerEnd => self.ends(event, event.tid, Open::Manage, names)?,
            _ => self.instant(event, event.tid, None, names, shown)?,
        }
        self.count(event, names)
    }

    /// `n` events were lost; those before `until` may have others missing beside them.
    pub(super) fn lost(&mut self, n: u64, until: u64, names: &Names) -> io::Result<()> {
        let at = self.last;
        for wait in self.explainer.lost(at, until) {
            self.draw_wait(&wait, names)?;
        }
        let why = [("unfinished", Value::str("lost events"))];
        self.threads.cut(at, &why, &mut self.packets)?;
        self.tracks.forget_counters();
        if at == 0 || !self.is_open {
            self.unplaced = self.unplaced.saturating_add(n);
            return Ok(());
        }
        self.draw_loss(n, at)
    }

    fn draw_loss(&mut self, n: u64, at: u64) -> io::Result<()> {
        let track = self.tracks.losses(&mut self.packets)?;
        self.packets.event(&TrackEvent {
            name: &format!("lost {n} events"),
            category: "lost",
            args: &[("events", Value::Big(n))],
            ..TrackEvent::new(at, track, Kind::Instant)
        })
    }

    /// Ends what is open.
    pub(super) fn finish(mut self, names: &Names) -> io::Result<Summary> {
        let at = self.last;
        for wait in self.explainer.unfinished(at) {
            self.draw_wait(&wait, names)?;
        }
        let why = [("unfinished", Value::Bool(true))];
        self.threads.cut(at, &why, &mut self.packets)?;
        self.packets.finish()?;
        Ok(self.summary)
    }

    /// The engine's state says that `row` executes an item, whose beginning is not among the events: it came before
    /// them, or was lost.
    pub(super) fn executes(
        &mut self,
        row: &WorkerRow,
        names: &Names,
        shown: bool,
    ) -> io::Result<()> {
        let at = row.started_at;
        if !self.threads.is_free_since(row.tid, at) || self.last != 0 && at > self.last {
            return Ok(());
        }
        let slice = Slice {
            name: names.function(row.func).to_owned(),
            category: "execute",
            flow_end: None,
            args: vec![
                ("work", Value::Hex(row.work)),
                ("workqueue", Value::str(names.workqueue(row.wq))),
                ("worker", Value::str(&row.name)),
            ],
        };
        self.workers.insert(row.id, row.tid);
        let (threads, mut canvas) = self.canvas(names);
        threads.track(row.tid, Some(&row.name), &mut canvas)?;
        let slice = shown.then_some(slice);
        threads.begin((row.tid, at), Open::Execute(row.work), slice, &mut canvas)
    }

    fn canvas<'a>(&'a mut self, names: &'a Names) -> (&'a mut Threads, Canvas<'a, W>) {
        let canvas = Canvas {
            packets: &mut self.packets,
            tracks: &mut self.tracks,
            names,
            is_open: self.is_open,
        };
        (&mut self.threads, canvas)
    }

    fn queued(&mut self, event: &Event, names: &Names, shown: bool) -> io::Result<()> {
        let follows = !self.explainer.is_blind(event.at);
        let flow = (follows && shown && self.is_open).then(|| {
            self.flows += 1;
            self.flows
        });
        if let Some(old) = self.items.remove(&event.work) {
            old.lane
                .into_iter()
                .for_each(|lane| self.tracks.give_back(lane));
        }
        if follows && shown && self.explainer.follows(event.work) {
            let lane = self.tracks.take_lane(event.wq);
            self.items.insert(event.work, Queued { lane, flow });
        }
        self.instant(event, event.tid, flow, names, shown)
    }

    fn started(
        &mut self,
        event: &Event,
        names: &Names,
        shown: bool,
        (wait, flow_end): (Option<Wait>, Option<u64>),
    ) -> io::Result<()> {
        self.workers.insert(event.worker, event.tid);
        self.summary.executions += u64::from(shown && self.is_open);
        let what = Open::Execute(event.work);
        if self.threads.has(event.tid, what, event.at) {
            return Ok(());
        }
        let mut args = vec![
            ("work", Value::Hex(event.work)),
            ("workqueue", Value::str(names.workqueue(event.wq))),
            ("pool", Value::opt(names.pool(event.pool))),
            ("worker", Value::str(names.worker(event.worker))),
        ];
        if let Some(wait) = wait {
            args.extend([
                ("queued_at", Value::Big(wait.queued.at)),
                ("wait_ns", Value::Big(wait.ns())),
                ("breakdown_ns", breakdown(&wait.parts)),
            ]);
        }
        let slice = Slice {
            name: names.function(event.func).to_owned(),
            category: "execute",
            flow_end,
            args,
        };
        let worker = names.worker(event.worker);
        let (threads, mut canvas) = self.canvas(names);
        threads.track(
            event.tid,
            (worker != UNKNOWN).then_some(worker),
            &mut canvas,
        )?;
        let slice = shown.then_some(slice);
        threads.begin((event.tid, event.at), what, slice, &mut canvas)
    }

    /// Something begins on the thread that says so.
    fn begins(
        &mut self,
        event: &Event,
        what: Open,
        name: &'static str,
        names: &Names,
        shown: bool,
    ) -> io::Result<()> {
        let slice = shown.then(|| Slice {
            name: name.to_owned(),
            category: name,
            flow_end: None,
            args: text::fields(event, names),
        });
        let (threads, mut canvas) = self.canvas(names);
        threads.track(event.tid, None, &mut canvas)?;
        threads.begin((event.tid, event.at), what, slice, &mut canvas)
    }

    fn ends(&mut self, event: &Event, tid: u32, what: Open, names: &Names) -> io::Result<()> {
        let (threads, mut canvas) = self.canvas(names);
        threads.end((tid, event.at), what, &mut canvas).map(|_| ())
    }

    /// The thread of the worker that sleeps or resumes. Who noticed it may be another thread: where events may be
    /// missing, only the worker's own word counts.
    fn sleeper(&self, event: &Event) -> Option<u32> {
        let tid = self.workers.get(&event.worker).copied()?;
        let is_sure = tid == event.tid || !self.explainer.is_blind(event.at);
        is_sure.then_some(tid)
    }

    fn slept(&mut self, event: &Event, names: &Names, shown: bool) -> io::Result<()> {
        let inside = self
            .sleeper(event)
            .filter(|&tid| self.threads.executes(tid, event.work, event.at));
        let Some(tid) = inside else {
            return self.instant(event, event.tid, None, names, shown);
        };
        let slice = shown.then(|| Slice {
            name: "sleep".to_owned(),
            category: "sleep",
            flow_end: None,
            args: text::fields(event, names),
        });
        let (threads, mut canvas) = self.canvas(names);
        threads.begin((tid, event.at), Open::Sleep(event.work), slice, &mut canvas)
    }

    fn resumed(&mut self, event: &Event, names: &Names, shown: bool) -> io::Result<()> {
        if let Some(tid) = self.sleeper(event) {
            let sleep = Open::Sleep(event.work);
            let (threads, mut canvas) = self.canvas(names);
            if threads.end((tid, event.at), sleep, &mut canvas)? {
                return Ok(());
            }
        }
        self.instant(event, event.tid, None, names, shown)
    }

    /// A step that takes no time, on the thread that took it.
    fn instant(
        &mut self,
        event: &Event,
        tid: u32,
        flow: Option<u64>,
        names: &Names,
        shown: bool,
    ) -> io::Result<()> {
        if !shown || !self.is_open {
            return Ok(());
        }
        let (threads, mut canvas) = self.canvas(names);
        let track = threads.track(tid, None, &mut canvas)?;
        let mut args = text::fields(event, names);
        if event.from.is_some() {
            args.push(("from", Value::str(names.function(event.from))));
        }
        self.packets.event(&TrackEvent {
            name: text::short_name(&event.what),
            category: "event",
            flow,
            args: &args,
            ..TrackEvent::new(event.at, track, Kind::Instant)
        })
    }
}

fn flush_of(event: &Event, target: FlushTarget) -> Open {
    match target {
        FlushTarget::Work => Open::Flush(event.work, 0),
        FlushTarget::Workqueue => Open::Flush(0, event.wq.0),
    }
}

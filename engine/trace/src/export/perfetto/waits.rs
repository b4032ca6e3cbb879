//! Waits on the lanes of their workqueue, and the numbers of pools.

use super::packets::{Kind, TrackEvent};
use super::{Perfetto, Queued};
use crate::event::{Event, What};
use crate::explain::{Wait, WaitEnd, hold_part};
use crate::ids::PoolId;
use crate::model::main_reason;
use crate::names::Names;
use crate::stats::{Breakdown, WaitPart};
use crate::value::{Fields, Value};
use std::io::{self, Write};

impl<W: Write> Perfetto<W> {
    /// A wait has ended: draws it, unless its queueing was not to be seen, which tells nothing of it.
    pub(super) fn draw_wait(&mut self, wait: &Wait, names: &Names) -> io::Result<Option<Queued>> {
        let Some(queued) = self.items.remove(&wait.queued.work) else {
            return Ok(None);
        };
        let Some(lane) = queued.lane else {
            self.summary.undrawn_waits += 1;
            return Ok(Some(queued));
        };
        self.tracks.give_back(lane);
        if !self.is_open {
            return Ok(Some(queued));
        }
        self.summary.waits += 1;
        let track = self.tracks.lane(lane, names, &mut self.packets)?;
        let reason = main_reason(&wait.parts).map_or("no wait", |(part, _)| part.name());
        let args = wait_args(wait, names);
        self.packets.event(&TrackEvent {
            name: reason,
            category: "wait",
            args: &args,
            ..TrackEvent::new(wait.queued.at, track, Kind::Begin)
        })?;
        if let Some(held) = wait.held {
            let until = wait.active_at.unwrap_or(wait.ended_at);
            self.packets.event(&TrackEvent {
                name: hold_part(held).name(),
                category: "held",
                ..TrackEvent::new(wait.queued.at, track, Kind::Begin)
            })?;
            self.packets
                .event(&TrackEvent::new(until, track, Kind::End))?;
        }
        self.packets
            .event(&TrackEvent::new(wait.ended_at, track, Kind::End))?;
        Ok(Some(queued))
    }

    /// The pool's numbers, where they are news.
    pub(super) fn count(&mut self, event: &Event, names: &Names) -> io::Result<()> {
        if !self.options.counters || !self.is_open || !event.pool.is_some() {
            return Ok(());
        }
        let gauge = self.explainer.gauge(event.pool);
        let workers = match event.what {
            What::WorkerCreate { nr_workers } | What::WorkerDestroy { nr_workers } => {
                Some(nr_workers)
            }
            _ => None,
        };
        let numbers = [
            ("nr_running", gauge.nr_running),
            ("pending", gauge.pending),
            ("nr_workers", workers),
        ];
        for (what, value) in numbers {
            if let Some(value) = value {
                self.count_one(event.at, (event.pool, what), value.into(), names)?;
            }
        }
        Ok(())
    }

    fn count_one(
        &mut self,
        at: u64,
        key: (PoolId, &'static str),
        value: i64,
        names: &Names,
    ) -> io::Result<()> {
        let news = self.tracks.counter(key, value, names, &mut self.packets)?;
        let Some(track) = news else {
            return Ok(());
        };
        self.packets
            .event(&TrackEvent::new(at, track, Kind::Counter(value)))
    }
}

/// The parts of a wait that took time.
pub(super) fn breakdown(parts: &Breakdown) -> Value {
    let all = WaitPart::ALL
        .iter()
        .map(|&part| (part, parts[part as usize]));
    let some = all.filter(|(_, ns)| *ns > 0);
    Value::Object(
        some.map(|(part, ns)| (part.name(), Value::Big(ns)))
            .collect(),
    )
}

fn wait_args(wait: &Wait, names: &Names) -> Fields {
    let queued = &wait.queued;
    let mut args = vec![
        ("work", Value::Hex(queued.work)),
        ("function", Value::str(names.function(queued.func))),
        ("workqueue", Value::str(names.workqueue(queued.wq))),
        ("wait_ns", Value::Big(wait.ns())),
        ("breakdown_ns", breakdown(&wait.parts)),
    ];
    match wait.end {
        WaitEnd::Started => {}
        WaitEnd::Cancelled => args.push(("cancelled", Value::Bool(true))),
        WaitEnd::Unfinished => args.push(("unfinished", Value::Bool(true))),
    }
    args
}

//! The tracks: one of the process, of each thread, of each workqueue's waits (in as many lanes as overlap), of each
//! pool's numbers.

use super::packets::Packets;
use crate::ids::{PoolId, WqId};
use crate::names::{Names, UNKNOWN};
use crate::snapshot::Meta;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

/// Lanes of one workqueue; waits beyond them are not drawn.
const MOST_LANES: usize = 1 << 12;
/// The process.
const PROCESS: u64 = 1;

/// Fields of `TrackDescriptor`.
const NAME: u32 = 2;
const PROCESS_DESCRIPTOR: u32 = 3;
const THREAD_DESCRIPTOR: u32 = 4;
const PARENT_UUID: u32 = 5;
const COUNTER_DESCRIPTOR: u32 = 8;

/// A place for a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) wq: WqId,
    index: usize,
}

/// The lanes of one workqueue.
#[derive(Debug, Default)]
struct Lanes {
    tracks: Vec<u64>,
    free: BTreeSet<usize>,
}

/// What was last drawn of a pool.
#[derive(Debug, Default)]
struct PoolTracks {
    /// The track that holds the others.
    group: Option<u64>,
    counters: HashMap<&'static str, (u64, i64)>,
}

/// All tracks but those of threads, which [`super::threads`] keeps.
#[derive(Debug)]
pub(super) struct Tracks {
    pid: u32,
    last: u64,
    lanes: HashMap<WqId, Lanes>,
    pools: HashMap<PoolId, PoolTracks>,
    losses: Option<u64>,
}

impl Tracks {
    pub(super) fn new<W: Write>(meta: &Meta, packets: &mut Packets<W>) -> io::Result<Self> {
        packets.track(PROCESS, |track| {
            track.message(PROCESS_DESCRIPTOR, |process| {
                process.uint(1, meta.pid.into());
                process.text(2, &meta.exe);
                process.text(6, &meta.name);
            });
        })?;
        Ok(Self {
            pid: meta.pid,
            last: PROCESS,
            lanes: HashMap::new(),
            pools: HashMap::new(),
            losses: None,
        })
    }

    /// A new thread's track; an unknown name is left out.
    pub(super) fn thread<W: Write>(
        &mut self,
        tid: u32,
        name: &str,
        packets: &mut Packets<W>,
    ) -> io::Result<u64> {
        let uuid = self.next();
        self.name_thread(uuid, tid, name, packets)?;
        Ok(uuid)
    }

    /// Describes a thread's track, perhaps not for the first time.
    pub(super) fn name_thread<W: Write>(
        &self,
        uuid: u64,
        tid: u32,
        name: &str,
        packets: &mut Packets<W>,
    ) -> io::Result<()> {
        packets.track(uuid, |track| {
            track.uint(PARENT_UUID, PROCESS);
            track.message(THREAD_DESCRIPTOR, |thread| {
                thread.uint(1, self.pid.into());
                thread.uint(2, tid.into());
                if name != UNKNOWN {
                    thread.text(5, name);
                }
            });
        })
    }

    /// The track where losses stand.
    pub(super) fn losses<W: Write>(&mut self, packets: &mut Packets<W>) -> io::Result<u64> {
        if let Some(uuid) = self.losses {
            return Ok(uuid);
        }
        let uuid = self.named("lost events", PROCESS, packets)?;
        self.losses = Some(uuid);
        Ok(uuid)
    }

    /// A lane of a workqueue that is free from now on, the lowest; `None` when there are too many already.
    pub(super) fn take_lane(&mut self, wq: WqId) -> Option<Lane> {
        let lanes = self.lanes.entry(wq).or_default();
        let index = match lanes.free.pop_first() {
            Some(index) => index,
            None if lanes.tracks.len() >= MOST_LANES => return None,
            None => {
                // Its track is described when something is drawn on it.
                lanes.tracks.push(0);
                lanes.tracks.len() - 1
            }
        };
        Some(Lane { wq, index })
    }

    /// Nothing more is drawn on it for the wait that took it.
    pub(super) fn give_back(&mut self, lane: Lane) {
        if let Some(lanes) = self.lanes.get_mut(&lane.wq) {
            lanes.free.insert(lane.index);
        }
    }

    /// The track of a lane.
    pub(super) fn lane<W: Write>(
        &mut self,
        lane: Lane,
        names: &Names,
        packets: &mut Packets<W>,
    ) -> io::Result<u64> {
        let known = self
            .lanes
            .get(&lane.wq)
            .map(|lanes| lanes.tracks[lane.index]);
        if let Some(uuid @ 1..) = known {
            return Ok(uuid);
        }
        // Lanes of one name are shown as one track.
        let name = format!("waits of {}", names.workqueue(lane.wq));
        let uuid = self.named(&name, PROCESS, packets)?;
        if let Some(lanes) = self.lanes.get_mut(&lane.wq) {
            lanes.tracks[lane.index] = uuid;
        }
        Ok(uuid)
    }

    /// The track of one of a pool's numbers, if `value` is news there.
    pub(super) fn counter<W: Write>(
        &mut self,
        (pool, what): (PoolId, &'static str),
        value: i64,
        names: &Names,
        packets: &mut Packets<W>,
    ) -> io::Result<Option<u64>> {
        let tracks = self.pools.entry(pool).or_default();
        if let Some((uuid, last)) = tracks.counters.get_mut(what) {
            let news = std::mem::replace(last, value) != value;
            return Ok(news.then_some(*uuid));
        }
        let group = tracks.group;
        let name = match names.pool(pool) {
            Some(number) => format!("pool {number}"),
            None => format!("pool {UNKNOWN}"),
        };
        let group = match group {
            Some(group) => group,
            None => self.named(&name, PROCESS, packets)?,
        };
        let uuid = self.next();
        packets.track(uuid, |track| {
            track.text(NAME, &format!("{name} {what}"));
            track.uint(PARENT_UUID, group);
            track.message(COUNTER_DESCRIPTOR, |_| {});
        })?;
        let tracks = self.pools.entry(pool).or_default();
        tracks.group = Some(group);
        tracks.counters.insert(what, (uuid, value));
        Ok(Some(uuid))
    }

    /// Whatever was last drawn of the pools holds no longer.
    pub(super) fn forget_counters(&mut self) {
        for pool in self.pools.values_mut() {
            for (_, last) in pool.counters.values_mut() {
                *last = i64::MIN;
            }
        }
    }

    fn named<W: Write>(
        &mut self,
        name: &str,
        parent: u64,
        packets: &mut Packets<W>,
    ) -> io::Result<u64> {
        let uuid = self.next();
        packets.track(uuid, |track| {
            track.text(NAME, name);
            track.uint(PARENT_UUID, parent);
        })?;
        Ok(uuid)
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

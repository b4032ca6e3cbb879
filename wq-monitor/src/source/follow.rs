//! An engine that is started again and again, as one source: when it is gone, another of the same name is looked for.

use super::{SegmentSource, Source, Update};
use std::path::{Path, PathBuf};
use wq_trace::{Found, Liveness, Reader};

/// An engine is looked for at most so often, in nanoseconds.
const BETWEEN_LOOKS: u64 = 200_000_000;

/// An engine that took another one's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// Its name.
    pub name: String,
    /// Its process.
    pub pid: u32,
    /// The one before; `None` when there was none.
    pub before: Option<Gone>,
}

/// An engine whose place another one took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// Its process.
    pub pid: u32,
    /// How it ended.
    pub how: Liveness,
    /// Its segment.
    pub path: Option<PathBuf>,
}

impl Successor {
    /// What happened, as a sentence.
    pub fn sentence(&self) -> String {
        let Self { name, pid, before } = self;
        let Some(before) = before else {
            return format!("engine {name} found: pid {pid}");
        };
        let past = match (before.how, &before.path) {
            (Liveness::Dead, Some(path)) => {
                format!("; {} was killed: --file {}", before.pid, path.display())
            }
            (Liveness::Dead, None) => format!("; {} was killed", before.pid),
            _ => format!("; {} has ended", before.pid),
        };
        format!("engine {name} restarted: now pid {pid}{past}")
    }
}

/// Which engines there are that run now.
pub trait Find {
    /// The engines with that name, or all of them.
    fn live(&self, name: Option<&str>) -> Vec<Found>;
}

/// Those that wq-trace finds.
#[derive(Clone, Copy, Debug)]
pub struct OnThisMachine;

impl Find for OnThisMachine {
    fn live(&self, name: Option<&str>) -> Vec<Found> {
        let all_users = rustix::process::geteuid().is_root();
        let mut found = wq_trace::list(all_users);
        found.retain(|found| {
            found.state == Liveness::Live && name.is_none_or(|name| found.name == name)
        });
        found
    }
}

/// Reads an engine, and then the next one of its name.
#[derive(Debug)]
pub struct Follower<F> {
    find: F,
    /// The name to look for; `None` until one is known, and then any will do.
    name: Option<String>,
    /// Whether events are wanted.
    events: bool,
    source: Option<SegmentSource>,
    /// Who is read: pid and when it started.
    who: Option<(u32, u64)>,
    path: Option<PathBuf>,
    liveness: Liveness,
    next_look: u64,
    stays: bool,
}

impl Follower<OnThisMachine> {
    /// Waits for an engine of that name, or for any, and follows it.
    pub fn new(name: Option<String>, events: bool) -> Self {
        Self::with(OnThisMachine, name, events)
    }

    /// Follows the engine whose segment this is.
    pub fn of(path: &Path, source: SegmentSource, events: bool) -> Self {
        Self {
            source: Some(source),
            path: Some(path.to_owned()),
            ..Self::new(None, events)
        }
    }
}

impl<F: Find> Follower<F> {
    fn with(find: F, name: Option<String>, events: bool) -> Self {
        Self {
            find,
            name,
            events,
            source: None,
            who: None,
            path: None,
            liveness: Liveness::Unknown,
            next_look: 0,
            stays: false,
        }
    }

    /// Goes on with another engine if there is one.
    fn look(&mut self, now: u64) -> Option<Successor> {
        if now < self.next_look {
            return None;
        }
        self.next_look = now.saturating_add(BETWEEN_LOOKS);
        let candidates = self.find.live(self.name.as_deref());
        let (found, source, who) = candidates
            .into_iter()
            .filter_map(|found| {
                let reader = Reader::open(&found.path).ok()?;
                let meta = reader.meta().ok()?;
                let source = SegmentSource::over(reader, self.events);
                Some((found, source, (meta.pid, meta.started_at)))
            })
            .filter(|(_, _, who)| Some(*who) != self.who)
            // The one that was started last.
            .max_by_key(|(_, _, (_, started))| *started)?;
        let before = self.who.map(|(pid, _)| Gone {
            pid,
            how: self.liveness,
            path: self.path.take(),
        });
        self.source = Some(source);
        (self.who, self.path) = (Some(who), Some(found.path));
        self.name.get_or_insert_with(|| found.name.clone());
        tracing::info!(
            name = found.name,
            pid = found.pid,
            "goes on with another engine"
        );
        Some(Successor {
            name: found.name,
            pid: found.pid,
            before,
        })
    }

    fn is_gone(&self) -> bool {
        matches!(self.liveness, Liveness::Ended | Liveness::Dead)
    }
}

impl<F: Find> Source for Follower<F> {
    fn poll(&mut self, now: u64, snapshot: bool) -> Update {
        let mut successor = None;
        // With a state only: who asks for one takes the news in, and all at once.
        if snapshot && !self.stays && (self.source.is_none() || self.is_gone()) {
            successor = self.look(now);
        }
        let Some(source) = &mut self.source else {
            return Update {
                liveness: Liveness::Unknown,
                waiting: true,
                ..Update::default()
            };
        };
        let mut update = source.poll(now, snapshot);
        self.liveness = update.liveness;
        if let Some(state) = &update.snapshot {
            self.who = Some((state.meta.pid, state.meta.started_at));
            self.name.get_or_insert_with(|| state.meta.name.clone());
        }
        update.waiting = self.is_gone();
        update.successor = successor;
        update
    }

    fn stay(&mut self, stay: bool) {
        self.stays = stay;
    }

    fn finish(&mut self) -> Result<Option<String>, String> {
        self.source.as_mut().map_or(Ok(None), SegmentSource::finish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;
    use wq_trace::{Segment, SegmentConfig};

    /// Engines that a test says there are.
    #[derive(Clone, Debug, Default)]
    struct These(Rc<RefCell<Vec<Found>>>);

    impl Find for These {
        fn live(&self, name: Option<&str>) -> Vec<Found> {
            let all = self.0.borrow();
            let fits = |found: &&Found| name.is_none_or(|name| found.name == name);
            all.iter().filter(fits).cloned().collect()
        }
    }

    const MS: u64 = 1_000_000;

    /// An engine of this process, started at that moment.
    fn engine(dir: &Path, name: &str, at: u64) -> (Segment, Found) {
        let config = SegmentConfig {
            name: name.to_owned(),
            dir: Some(dir.to_owned()),
            ..SegmentConfig::default()
        };
        let (segment, problem) = Segment::create(&config, at);
        assert!(problem.is_none(), "{problem:?}");
        let found = Found {
            pid: std::process::id(),
            name: name.to_owned(),
            exe: String::new(),
            state: Liveness::Live,
            path: segment.path().unwrap().to_owned(),
            version: (1, 0),
            problem: None,
        };
        (segment, found)
    }

    #[test]
    fn one_engine_after_the_other_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let these = These::default();
        let mut follower = Follower::with(these.clone(), Some("demo".to_owned()), true);
        let update = follower.poll(0, true);
        assert!(update.waiting && update.snapshot.is_none() && update.problem.is_none());
        let (other, found) = engine(dir.path(), "other", 1_000 * MS);
        these.0.borrow_mut().push(found);
        assert!(follower.poll(500 * MS, true).waiting, "that is another one");
        let (first, found) = engine(dir.path(), "demo", 1_000 * MS);
        these.0.borrow_mut().push(found);
        assert!(
            follower.poll(600 * MS, true).waiting,
            "not looked for so soon"
        );
        let update = follower.poll(1_000 * MS, true);
        let pid = std::process::id();
        let successor = update.successor.unwrap();
        assert_eq!(
            successor.sentence(),
            format!("engine demo found: pid {pid}")
        );
        assert!(update.snapshot.is_some() && !update.waiting);
        let update = follower.poll(2_000 * MS, true);
        assert_eq!((update.successor, update.waiting), (None, false));

        first.mark_ended(3_000 * MS);
        let update = follower.poll(3_000 * MS, true);
        assert_eq!((update.liveness, update.waiting), (Liveness::Ended, true));
        assert!(update.snapshot.is_some(), "its last state");
        // It is still listed, and so is what comes.
        assert_eq!(follower.poll(4_000 * MS, true).successor, None);
        let (_second, found) = engine(dir.path(), "demo", 5_000 * MS);
        these.0.borrow_mut().push(found);
        follower.stay(true);
        assert_eq!(follower.poll(6_000 * MS, true).successor, None);
        follower.stay(false);
        assert_eq!(follower.poll(6_000 * MS, false).successor, None);
        let update = follower.poll(6_000 * MS, true);
        let said = update.successor.unwrap().sentence();
        assert_eq!(
            said,
            format!("engine demo restarted: now pid {pid}; {pid} has ended")
        );
        assert_eq!(update.snapshot.unwrap().meta.started_at, 5_000 * MS);
        assert_eq!((update.liveness, update.waiting), (Liveness::Live, false));
        drop(other);
    }

    #[test]
    fn how_one_was_killed_can_be_looked_up() {
        let before = Gone {
            pid: 7,
            how: Liveness::Dead,
            path: Some("/r/7-demo.wqseg".into()),
        };
        let successor = Successor {
            name: "demo".to_owned(),
            pid: 9,
            before: Some(before),
        };
        let text = "engine demo restarted: now pid 9; 7 was killed: --file /r/7-demo.wqseg";
        assert_eq!(successor.sentence(), text);
    }
}

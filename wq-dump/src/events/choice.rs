//! Which events are printed.

use crate::args::Events;
use std::collections::HashMap;
use wq_trace::{Event, Names, WqId, text};

/// What the flags ask for.
pub struct Choice<'a> {
    flags: &'a Events,
    /// Nanoseconds on the segment's clock before which nothing is printed.
    from: u64,
    /// Whether the workqueue's name matches, for those that have been asked about.
    workqueues: HashMap<WqId, bool>,
}

impl<'a> Choice<'a> {
    /// The choice of these flags, `now` being the moment that `--since` counts back from.
    pub fn new(flags: &'a Events, now: u64) -> Self {
        let back = |since: std::time::Duration| {
            let ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
            now.saturating_sub(ns)
        };
        Self {
            flags,
            from: flags.since.map_or(0, back),
            workqueues: HashMap::new(),
        }
    }

    /// Whether something at that moment is of interest.
    pub fn is_recent(&self, at: u64) -> bool {
        at >= self.from
    }

    /// Whether an event is printed.
    pub fn takes(&mut self, event: &Event, names: &Names) -> bool {
        self.is_recent(event.at) && self.takes_kind(event) && self.takes_workqueue(event.wq, names)
    }

    fn takes_kind(&self, event: &Event) -> bool {
        let chosen = &self.flags.events;
        chosen.is_empty() || chosen.iter().any(|name| name == text::name(&event.what))
    }

    /// An event of no workqueue is of none that matches.
    fn takes_workqueue(&mut self, wq: WqId, names: &Names) -> bool {
        let Some(regex) = &self.flags.workqueue else {
            return true;
        };
        let name = names.workqueue(wq);
        if !wq.is_some() || name == wq_trace::UNKNOWN {
            return false;
        }
        let known = self.workqueues.entry(wq);
        *known.or_insert_with(|| regex.is_match(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use std::time::Duration;
    use wq_trace::{FuncId, PoolId, What, WorkerId};

    fn event(at: u64, wq: u32, what: What) -> Event {
        Event {
            at,
            cpu: 0,
            tid: 1,
            wq: WqId(wq),
            pool: PoolId::NONE,
            worker: WorkerId::NONE,
            func: FuncId::NONE,
            from: FuncId::NONE,
            work: 1,
            what,
        }
    }

    /// Which of some events these flags take: early, late, of another workqueue, of none, of another kind.
    fn taken(flags: &Events) -> [bool; 5] {
        let names = Names::new(&fixture::snapshot());
        let mut choice = Choice::new(flags, 1_000);
        let events = [
            event(100, 2, What::ExecuteStart),
            event(900, 2, What::ExecuteStart),
            event(900, 3, What::ExecuteStart),
            event(900, 0, What::ExecuteStart),
            event(900, 2, What::Panic),
        ];
        events.map(|event| choice.takes(&event, &names))
    }

    #[test]
    fn each_flag_leaves_out_what_it_says() {
        assert_eq!(taken(&Events::default()), [true; 5]);
        let since = Events {
            since: Some(Duration::from_nanos(500)),
            ..Events::default()
        };
        assert_eq!(taken(&since), [false, true, true, true, true]);
        let kinds = Events {
            events: vec!["workqueue_panic".into(), "workqueue_stall".into()],
            ..Events::default()
        };
        assert_eq!(taken(&kinds), [false, false, false, false, true]);
        let workqueue = Events {
            workqueue: Some(regex::Regex::new("^mix").expect("a regex")),
            ..Events::default()
        };
        assert_eq!(taken(&workqueue), [true, true, false, false, true]);
    }

    #[test]
    fn the_beginning_of_time_is_no_underflow() {
        let flags = Events {
            since: Some(Duration::MAX),
            ..Events::default()
        };
        assert!(Choice::new(&flags, 5).is_recent(0));
    }
}

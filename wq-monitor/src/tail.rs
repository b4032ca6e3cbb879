//! The tail of the events: what happens at this moment, or happened until the one that is shown. Pure.
//!
//! At the present the last events are shown. Who moves the choice up holds the picture, as Space does, so that what is
//! looked at stays; End goes back to the present. Rings are read one after the other, so that events of different threads
//! may stand a little out of order.

use crate::app::{App, Step};
use crate::details::Subject;
use wq_trace::Event;
use wq_trace::query::Scope;

/// Events looked through at most for those that pass the filter.
pub const SCANNED: usize = 1 << 16;

/// What the columns of the view say: key, title, meaning.
pub const COLUMNS: [(&str, &str, &str); 7] = [
    ("time", "time", "When, UTC, with microseconds."),
    ("cpu", "cpu", "The CPU that the thread was on."),
    (
        "who",
        "who",
        "The thread that took the step, by name and id.",
    ),
    (
        "event",
        "event",
        "The step, as wq-dump events and the kernel's tracepoints name it, without their workqueue_.",
    ),
    ("workqueue", "workqueue", "The workqueue concerned."),
    ("function", "function", "The work function concerned."),
    (
        "more",
        "more",
        "What else the event says, as in wq-dump events --json.",
    ),
];

/// How the tail is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The place of the chosen event among those that are held; the last one until one is.
    chosen: Option<usize>,
}

/// A line of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailLine {
    /// The event at this place of [`wq_trace::past::Past::events`].
    Event(usize),
    /// So many are missing here.
    Lost(u64),
}

impl App {
    /// Whether the tail is shown, and nothing lies over it.
    pub(crate) fn is_tail(&self) -> bool {
        self.ui.view == crate::act::View::Events && self.ui.details.is_none()
    }

    /// The place behind the last event of the moment that is shown.
    fn tail_end(&self) -> usize {
        let mut events = self.past().events();
        let at = self.model().at();
        // Of the newest state also those that came after it.
        if !self.is_paused() || self.past().held_until() == Some(at) {
            return events.len();
        }
        events
            .rposition(|event| event.at <= at)
            .map_or(0, |place| place + 1)
    }

    /// The place of the chosen event: the last one that passes, until another is.
    pub fn chosen_event(&self) -> Option<usize> {
        let end = self.tail_end();
        let kept = self
            .ui
            .tail
            .chosen
            .filter(|place| self.is_paused() && *place < end);
        kept.or_else(|| self.passing_before(end))
    }

    /// The event at a place.
    pub fn event_at(&self, place: usize) -> Option<&Event> {
        self.past().events().nth(place)
    }

    /// Whether an event is shown: by the name of its workqueue, and by what the query says of events.
    fn passes(&self, event: &Event) -> bool {
        let filter = self.filter();
        let model = self.model();
        let named = |pattern: &regex::Regex| pattern.is_match(model.names().workqueue(event.wq));
        filter.names.as_ref().is_none_or(named)
            && (filter.query.is_empty() || filter.query.matches(&Scope::of_events(model), event))
    }

    fn passing_before(&self, end: usize) -> Option<usize> {
        let events = self.past().events().enumerate().take(end).rev();
        let mut near = events.take(SCANNED);
        near.find(|(_, event)| self.passes(event))
            .map(|(place, _)| place)
    }

    fn passing_after(&self, place: usize) -> Option<usize> {
        let events = self.past().events().enumerate().take(self.tail_end());
        let mut near = events.skip(place + 1).take(SCANNED);
        near.find(|(_, event)| self.passes(event))
            .map(|(place, _)| place)
    }

    /// The lines of a page of this height, with the place of the chosen one among them.
    pub fn tail(&self, height: usize) -> (Vec<TailLine>, usize) {
        let Some(chosen) = self.chosen_event() else {
            return (Vec::new(), 0);
        };
        let gaps: Vec<_> = self.past().gaps().collect();
        let lost_before = |place: usize| {
            let at = gaps.partition_point(|(index, _)| *index < place);
            let here = gaps[at..].iter().take_while(|(index, _)| *index == place);
            here.map(|(_, gap)| gap.lost).fold(0, u64::saturating_add)
        };
        let mut below = Vec::new();
        let mut place = chosen;
        while below.len() < height / 2 {
            let Some(next) = self.passing_after(place) else {
                break;
            };
            match lost_before(next) {
                0 => {}
                lost => below.push(TailLine::Lost(lost)),
            }
            below.push(TailLine::Event(next));
            place = next;
        }
        let mut lines = vec![TailLine::Event(chosen)];
        let mut place = chosen;
        while lines.len() + below.len() < height {
            match lost_before(place) {
                0 => {}
                lost => lines.push(TailLine::Lost(lost)),
            }
            let Some(earlier) = self.passing_before(place) else {
                break;
            };
            lines.push(TailLine::Event(earlier));
            place = earlier;
        }
        lines.reverse();
        let mut at = lines.len() - 1;
        lines.append(&mut below);
        // Gaps take lines, too: the chosen event stays in view.
        let excess = lines.len().saturating_sub(height.max(1));
        let above = excess.min(at);
        lines.drain(..above);
        at -= above;
        lines.truncate(height.max(1));
        (lines, at)
    }

    /// Moves the choice; up from the tail holds the picture.
    pub(crate) fn go_in_tail(&mut self, step: Step, page: usize) {
        let Some(from) = self.chosen_event() else {
            return;
        };
        let back = matches!(step, Step::Up | Step::PageUp | Step::First);
        if back && !self.is_paused() {
            self.time.hold(&self.model);
        }
        let steps = match step {
            Step::Up | Step::Down => 1,
            Step::PageUp | Step::PageDown => page,
            Step::First | Step::Last => usize::MAX,
        };
        self.ui.tail.chosen = match step {
            Step::First => self.passing_after_start(),
            Step::Last => self.passing_before(self.tail_end()),
            _ => self.walk(from, back, steps),
        };
    }

    fn passing_after_start(&self) -> Option<usize> {
        let first = self.event_at(0)?;
        if self.passes(first) {
            Some(0)
        } else {
            self.passing_after(0)
        }
    }

    fn walk(&self, from: usize, back: bool, steps: usize) -> Option<usize> {
        let mut place = from;
        for _ in 0..steps {
            let next = if back {
                self.passing_before(place)
            } else {
                self.passing_after(place)
            };
            match next {
                Some(next) => place = next,
                None => break,
            }
        }
        Some(place)
    }

    /// What the chosen event is about: its worker, else its function, else its workqueue.
    pub(crate) fn chosen_in_tail(&self) -> Option<Subject> {
        let event = self.event_at(self.chosen_event()?)?;
        let worker = event
            .worker
            .is_some()
            .then_some(Subject::Worker(event.worker));
        let function = event
            .func
            .is_some()
            .then_some(Subject::Function(event.func));
        let workqueue = event.wq.is_some().then_some(Subject::Workqueue(event.wq));
        worker.or(function).or(workqueue)
    }

    /// Chooses the event in this line of the page, which holds the picture.
    pub(crate) fn select_in_tail(&mut self, place: usize) {
        if !self.is_paused() {
            self.time.hold(&self.model);
        }
        self.ui.tail.chosen = Some(place);
    }

    /// The steps of the chosen event's item around it, from its queueing to its end, as far as they are kept and nothing is
    /// missing between them: places among the events.
    pub fn story(&self, chosen: usize) -> Vec<usize> {
        let Some(of) = self.event_at(chosen).filter(|event| event.func.is_some()) else {
            return Vec::new();
        };
        let same = |event: &Event| (event.work, event.func) == (of.work, of.func);
        let gap = self.past().gaps().map(|(index, _)| index);
        let (mut from, mut to) = (0, usize::MAX);
        for index in gap {
            if index <= chosen {
                from = index;
            } else {
                to = to.min(index);
            }
        }
        use wq_trace::What;
        let events = || self.past().events().enumerate().take(to);
        let mut steps = Vec::new();
        for (place, event) in events().take(chosen + 1).skip(from).rev().take(SCANNED) {
            if !same(event) {
                continue;
            }
            // Of an earlier life.
            if place != chosen && matches!(event.what, What::ExecuteEnd) {
                break;
            }
            steps.push(place);
            if matches!(event.what, What::QueueWork { .. }) {
                break;
            }
        }
        steps.reverse();
        if matches!(of.what, What::ExecuteEnd) {
            return steps;
        }
        for (place, event) in events().skip(chosen + 1).take(SCANNED) {
            if !same(event) {
                continue;
            }
            if matches!(event.what, What::QueueWork { .. }) {
                break;
            }
            steps.push(place);
            if matches!(event.what, What::ExecuteEnd | What::CancelWork { .. }) {
                break;
            }
        }
        steps
    }
}

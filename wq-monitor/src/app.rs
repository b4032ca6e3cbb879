//! What the monitor knows and how it is looked at. `update` is pure: no clock, no file, no drawing.

pub use crate::act::{Act, Step, View};

use crate::details::{Details, Subject, related};
use crate::fold::fold;
use crate::held::Held;
use crate::help;
use crate::lists::{self, ListState};
use crate::source::{Engine, Update};
use crate::warned::WarningList;
use regex::Regex;
use wq_trace::model::Model;
use wq_trace::past::{Keep, Past};
use wq_trace::warn::{Settings, WarningLog};
use wq_trace::{Liveness, Snapshot};

/// Something that happened: a key, a resize, a round of data.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Act(Act),
    /// The heading of the column with this key was clicked.
    Sort(&'static str),
    /// The row at this place was clicked: in the details if they are open, else in the list.
    Select(usize),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// The source was polled.
    Polled(Box<Update>),
    /// CPU time that the monitor itself used, as a share of one CPU.
    OwnCpu(f64),
    /// How the script stands that an embedded engine replays.
    Replay(String),
}

/// What the caller of [`App::update`] has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// Nothing; the screen is as it was.
    None,
    /// Draw.
    Draw,
    /// End the program.
    Quit,
    /// Stop until the shell lets us go on.
    Suspend,
    /// Watch this engine.
    Open(Engine),
}

/// Everything that is drawn.
#[derive(Debug)]
pub struct App {
    /// The data that are shown.
    model: Model,
    /// What came since the picture was held.
    held: Option<Box<Held>>,
    /// What was read until now, within bounds, whether it is shown or held back.
    past: Past,
    /// What is and was wrong, by the states that were shown.
    log: WarningLog,
    /// How it is looked at.
    pub ui: Ui,
    /// What is known of the connection.
    pub link: Link,
    /// Engines to choose from, until one is chosen.
    pub engines: Vec<Engine>,
}

/// How the data are looked at.
#[derive(Debug)]
pub struct Ui {
    /// The screen shown.
    pub view: View,
    /// Whether the help lies over it, and how far it is scrolled.
    pub help: Option<usize>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Which workqueues to show.
    pub filter: Option<Regex>,
    /// The details that lie over the view.
    pub details: Option<Details>,
    /// The list of warnings that lies over both.
    pub warnings: Option<WarningList>,
    /// How the views' lists are looked at, by [`View`].
    lists: [ListState; View::COUNT],
    /// The place of the chosen engine.
    pub engine: usize,
}

impl Ui {
    /// How the view's list is looked at.
    pub fn list(&self) -> &ListState {
        &self.lists[self.view as usize]
    }

    fn list_mut(&mut self) -> &mut ListState {
        &mut self.lists[self.view as usize]
    }
}

/// What is known of the connection to the engine.
#[derive(Clone, Debug)]
pub struct Link {
    /// Whether the engine is there.
    pub liveness: Liveness,
    /// What went wrong when it was read last.
    pub problem: Option<String>,
    /// How its script stands, if one is replayed here.
    pub replay: Option<String>,
    /// CPU time of the monitor itself, as a share of one CPU.
    pub own_cpu: f64,
    /// Whether anything was read yet.
    pub has_data: bool,
}

impl App {
    /// Looks at an empty model. Several `engines` are offered to choose from.
    pub fn new(model: Model, filter: Option<Regex>, engines: Vec<Engine>) -> Self {
        Self {
            model,
            held: None,
            past: Past::new(Keep::default()),
            log: WarningLog::default(),
            ui: Ui {
                view: View::default(),
                help: None,
                size: (80, 24),
                filter,
                details: None,
                warnings: None,
                lists: list_states(),
                engine: 0,
            },
            link: Link {
                liveness: Liveness::Unknown,
                problem: None,
                replay: None,
                own_cpu: 0.0,
                has_data: false,
            },
            engines,
        }
    }

    /// The same with other thresholds of the warnings; before anything is taken in.
    pub fn warning_by(self, settings: Settings) -> Self {
        let log = WarningLog::new(settings);
        Self { log, ..self }
    }

    /// What is and was wrong.
    pub fn log(&self) -> &WarningLog {
        &self.log
    }

    /// The data to show.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What was read until now: states, and the last events.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// The latest snapshot, whether it is shown or held back.
    pub fn latest(&self) -> Option<&Snapshot> {
        let held = self.held.as_deref().and_then(Held::latest);
        held.or_else(|| self.model.snapshot())
    }

    /// Events lost until now. Counting never stops.
    pub fn lost_events(&self) -> u64 {
        let no_ring = |snapshot: &Snapshot| snapshot.lost_no_ring;
        let held = self.held.as_ref().map_or(0, |held| held.lost);
        let shown = self.model.snapshot().map_or(0, no_ring);
        let news = self.latest().map_or(0, no_ring).saturating_sub(shown);
        self.model
            .lost_events()
            .saturating_add(held)
            .saturating_add(news)
    }

    /// Events written per second, by the last two snapshots.
    pub fn events_per_s(&self) -> f64 {
        match &self.held {
            Some(held) if held.latest().is_some() => held.events_per_s,
            _ => self.model.totals().events_per_s,
        }
    }

    /// Whether the picture is held.
    pub fn is_paused(&self) -> bool {
        self.held.is_some()
    }

    /// Whether an engine has to be chosen first.
    pub fn is_choosing(&self) -> bool {
        !self.engines.is_empty()
    }

    /// Takes in what happened.
    pub fn update(&mut self, msg: Msg) -> Effect {
        match msg {
            Msg::Act(act) if self.is_choosing() => self.choose(act),
            Msg::Act(act) => self.act(act),
            Msg::Sort(key) => {
                self.ui.list_mut().sort_by(key);
                Effect::Draw
            }
            Msg::Select(place) => {
                self.select(place);
                Effect::Draw
            }
            Msg::Resize(width, height) => {
                self.ui.size = (width, height);
                Effect::Draw
            }
            Msg::Polled(update) => self.polled(*update),
            Msg::OwnCpu(share) => {
                self.link.own_cpu = share;
                Effect::None
            }
            Msg::Replay(status) => {
                let news = self.link.replay.as_ref() != Some(&status);
                self.link.replay = Some(status);
                if news { Effect::Draw } else { Effect::None }
            }
        }
    }

    fn polled(&mut self, update: Update) -> Effect {
        let mut effect = if update.snapshot.is_some() {
            Effect::Draw
        } else {
            Effect::None
        };
        if self.link.liveness != update.liveness || self.link.problem != update.problem {
            self.link.liveness = update.liveness;
            self.link.problem.clone_from(&update.problem);
            effect = Effect::Draw;
        }
        self.link.has_data |= update.snapshot.is_some();
        self.remember(&update);
        if let Some(held) = &mut self.held {
            held.keep(update, self.model.snapshot());
            return effect;
        }
        let log = &mut self.log;
        fold(&update, &mut self.model, |model| log.look(model));
        effect
    }

    fn remember(&mut self, update: &Update) {
        for state in &update.earlier {
            self.past.snapshot(state);
        }
        update
            .events
            .iter()
            .for_each(|event| self.past.event(event));
        self.past.lost(update.lost);
        if let Some(state) = &update.snapshot {
            self.past.snapshot(state);
        }
    }

    fn act(&mut self, act: Act) -> Effect {
        match act {
            Act::Quit => return Effect::Quit,
            Act::Suspend => return Effect::Suspend,
            Act::Help => {
                self.ui.help = if self.ui.help.is_some() {
                    None
                } else {
                    Some(0)
                }
            }
            Act::Warnings => self.toggle_warnings(),
            Act::Back => self.back(),
            Act::Go(step) if self.ui.help.is_some() => {
                let len = self.help_tops();
                let page = self.page();
                self.ui.help = self.ui.help.map(|top| step.from(top, page, len));
            }
            Act::Pause => match self.held.take() {
                Some(held) => {
                    let log = &mut self.log;
                    held.release(&mut self.model, |model| log.look(model));
                }
                None => self.held = Some(Box::default()),
            },
            Act::Show(view) => self.go_to(view),
            Act::NextView => self.go_to(self.ui.view.next(1)),
            Act::PreviousView => self.go_to(self.ui.view.next(View::ALL.len() - 1)),
            Act::Go(step) => self.go(step),
            Act::Choose => return self.open(),
            Act::SortLeft
            | Act::SortRight
            | Act::Invert
            | Act::HideColumn
            | Act::AllColumns
            | Act::ScrollLeft
            | Act::ScrollRight => self.columns(act),
        }
        Effect::Draw
    }

    fn go_to(&mut self, view: View) {
        self.ui.view = view;
        self.ui.help = None;
        self.ui.details = None;
        self.ui.warnings = None;
    }

    /// Leaves what lies on top: the help, the warnings, then the details one by one.
    fn back(&mut self) {
        if self.ui.help.take().is_some() || self.ui.warnings.take().is_some() {
            return;
        }
        if let Some(details) = &mut self.ui.details
            && !details.back()
        {
            self.ui.details = None;
        }
    }

    /// Moves the selection.
    fn go(&mut self, step: Step) {
        let page = self.page();
        if self.step_warnings(step, page) {
            return;
        }
        if let Some(details) = &self.ui.details {
            let all = related(&self.model, details.subject());
            self.select(step.from(details.selected(&all), page, all.len()));
        } else {
            let len = self.rows();
            self.select(step.from(self.ui.list().selected_in(len), page, len));
        }
    }

    fn select(&mut self, place: usize) {
        if self.ui.warnings.is_some() {
            self.choose_warning(place);
        } else if let Some(details) = &mut self.ui.details {
            let all = related(&self.model, details.subject());
            details.choose(all.get(place).copied());
        } else {
            self.ui.list_mut().selected = place;
        }
    }

    /// Opens the details of what is chosen.
    fn open(&mut self) -> Effect {
        if self.ui.help.is_some() {
            return Effect::None;
        }
        if self.ui.warnings.is_some() {
            self.follow_warning();
            return Effect::Draw;
        }
        if let Some(details) = &mut self.ui.details {
            let all = related(&self.model, details.subject());
            details.follow(&all);
            return Effect::Draw;
        }
        let Some(subject) = self.chosen() else {
            return Effect::None;
        };
        self.ui.details = Some(Details::of(subject));
        Effect::Draw
    }

    /// What the chosen row of the view's list is about.
    pub fn chosen(&self) -> Option<Subject> {
        let list = lists::of(self.ui.view)?;
        let rows = list.rows(&self.model, self.ui.filter.as_ref());
        let order = lists::order(list, rows.as_ref(), self.ui.list());
        let row = order.get(self.ui.list().selected_in(order.len()))?;
        rows.subject(*row)
    }

    /// Sorts, hides, shows or scrolls columns.
    fn columns(&mut self, act: Act) {
        let (None, None, Some(list)) =
            (&self.ui.warnings, &self.ui.details, lists::of(self.ui.view))
        else {
            return;
        };
        let state = self.ui.list_mut();
        let last = state.columns(list).len().saturating_sub(1);
        match act {
            Act::SortLeft => state.move_sort(list, -1),
            Act::SortRight => state.move_sort(list, 1),
            Act::Invert => state.inverted = !state.inverted,
            Act::HideColumn => state.hide(list),
            Act::AllColumns => state.show_all(list),
            Act::ScrollLeft => state.scrolled = state.scrolled.saturating_sub(1),
            Act::ScrollRight => state.scrolled = (state.scrolled + 1).min(last),
            _ => {}
        }
    }

    /// How many rows the view's list has.
    fn rows(&self) -> usize {
        lists::of(self.ui.view).map_or(0, |list| {
            list.rows(&self.model, self.ui.filter.as_ref()).len()
        })
    }

    /// Keys while there is an engine to choose.
    fn choose(&mut self, act: Act) -> Effect {
        let len = self.engines.len();
        match act {
            Act::Quit | Act::Back => Effect::Quit,
            Act::Suspend => Effect::Suspend,
            Act::Go(step) => {
                self.ui.engine = step.from(self.ui.engine, self.page(), len);
                Effect::Draw
            }
            Act::Choose => {
                let chosen = self.engines.swap_remove(self.ui.engine.min(len - 1));
                self.engines.clear();
                Effect::Open(chosen)
            }
            _ => Effect::None,
        }
    }

    /// How many lines of the help can be the first one shown.
    fn help_tops(&self) -> usize {
        let (width, _) = self.ui.size;
        let lines = help::lines(self.ui.view, self.ui.list().sort, width.saturating_sub(2)).len();
        lines.saturating_sub(self.page().saturating_sub(1))
    }

    /// How far a page goes: the screen without header, tabs, frame and footer.
    fn page(&self) -> usize {
        usize::from(self.ui.size.1.saturating_sub(5).max(1))
    }
}

/// Each view's list as it is looked at first.
fn list_states() -> [ListState; View::COUNT] {
    let mut states: [ListState; View::COUNT] = Default::default();
    for view in View::ALL {
        if let Some(list) = lists::of(view) {
            states[view as usize] = ListState::new(list);
        }
    }
    states
}

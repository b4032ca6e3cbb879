//! What the monitor knows and how it is looked at. `update` is pure: no clock, no file, no drawing.

pub use crate::act::{Act, Step, View};
pub use crate::source::Engine;

use crate::chooser::Chooser;
use crate::details::{Details, Subject};
use crate::finding::Finding;
use crate::fold::fold;
use crate::help;
use crate::lists::{self, ListState};
use crate::note::Note;
use crate::paint::theme::Theme;
use crate::prompt::Edit;
use crate::request::Request;
use crate::source::Update;
use crate::spread::Spread;
use crate::tail::Tail;
use crate::time::Time;
use crate::timeline::{Folded, Timeline};
use crate::warned::WarningList;
use regex::Regex;
use wq_trace::Liveness;
use wq_trace::model::{Model, Threads};
use wq_trace::past::Keep;
use wq_trace::warn::{Settings, WarningLog};

/// Something that happened: a key, a resize, a round of data.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Act(Act),
    /// A key was pressed while a query is typed.
    Edit(Edit),
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
    /// The engines to choose from were looked at again.
    Engines(Vec<Engine>),
    /// How the script stands that an embedded engine replays.
    Replay(String),
    /// A file was written, or why not: a sentence.
    Saved(Result<String, String>),
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
    /// Write what is kept ([`App::past`]) to a file, and say how that went ([`Msg::Saved`]).
    Save(Request),
}

/// Everything that is drawn.
#[derive(Debug)]
pub struct App {
    /// The present, which goes on whatever is shown.
    pub(crate) model: Model,
    /// What was, and where in it the screen is.
    pub(crate) time: Time,
    /// What is and was wrong, by the states that came.
    pub(crate) log: WarningLog,
    /// How it is looked at.
    pub ui: Ui,
    /// The Timeline's lanes.
    pub(crate) folded: Folded,
    /// What is known of the connection.
    pub link: Link,
    /// What the look at the workers' threads left out.
    pub threads_note: Option<String>,
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
    /// What is looked for.
    pub finding: Finding,
    /// The columns' chooser, which lies over the view.
    pub chooser: Option<Chooser>,
    /// The details that lie over the view.
    pub details: Option<Details>,
    /// The list of warnings that lies over both.
    pub warnings: Option<WarningList>,
    /// How the views' lists are looked at, by [`View`].
    lists: [ListState; View::COUNT],
    /// For which background colours are chosen.
    pub theme: Theme,
    /// The place of the chosen engine.
    pub engine: usize,
    /// How the latencies are looked at.
    pub spread: Spread,
    /// How the events are looked at.
    pub tail: Tail,
    /// How the Timeline is looked at.
    pub timeline: Timeline,
    /// What there is to tell until the next key.
    pub note: Option<Note>,
}

impl Ui {
    /// How the view's list is looked at.
    pub fn list(&self) -> &ListState {
        &self.lists[self.view as usize]
    }

    /// Nothing is chosen any more: what it was has gone with its engine.
    pub(crate) fn choose_nothing(&mut self) {
        for list in &mut self.lists {
            (list.selected, list.row) = (0, None);
        }
        self.timeline = Timeline::default();
        self.details = None;
    }

    pub(crate) fn list_mut(&mut self) -> &mut ListState {
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
    /// There is no engine now, but another one is looked for.
    pub waiting: bool,
    /// The name of the engine that was asked for, if one was.
    pub wanted: Option<String>,
    /// Which engine took another one's place, as a sentence; until the next key.
    pub successor: Option<String>,
}

impl App {
    /// Looks at an empty model, at workqueues whose `names` match. Several `engines` are offered to choose from.
    pub fn new(model: Model, names: Option<Regex>, engines: Vec<Engine>) -> Self {
        Self {
            model,
            time: Time::new(Keep::default()),
            log: WarningLog::default(),
            ui: Ui {
                view: View::default(),
                help: None,
                size: (80, 24),
                finding: Finding::names(names),
                chooser: None,
                details: None,
                warnings: None,
                lists: list_states(),
                theme: Theme::default(),
                engine: 0,
                spread: Spread::default(),
                tail: Tail::default(),
                timeline: Timeline::default(),
                note: None,
            },
            folded: Folded::default(),
            link: Link {
                liveness: Liveness::Unknown,
                problem: None,
                replay: None,
                own_cpu: 0.0,
                has_data: false,
                waiting: false,
                wanted: None,
                successor: None,
            },
            threads_note: None,
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

    /// Whether an engine has to be chosen first.
    pub fn is_choosing(&self) -> bool {
        !self.engines.is_empty()
    }

    /// Whether anybody sees what the system says of the workers' threads.
    pub fn wants_threads(&self) -> bool {
        let details = self.ui.details.as_ref().map(Details::subject);
        match details {
            _ if self.is_paused() || self.is_choosing() => false,
            Some(subject) => matches!(subject, Subject::Worker(_)),
            None => self.ui.view == View::Workers,
        }
    }

    fn threads(&mut self, threads: Option<&Threads>) {
        let Some(threads) = threads else {
            self.threads_note = None;
            return;
        };
        self.model.apply_threads(threads);
        self.threads_note = match threads.left_out {
            0 => threads.problem.clone(),
            n => Some(format!(
                "cpu% and where they sleep is known of {} of {} workers: others are too many",
                threads.samples.len(),
                n + threads.samples.len()
            )),
        };
    }

    /// Takes in what happened.
    pub fn update(&mut self, msg: Msg) -> Effect {
        match msg {
            Msg::Act(act) if self.is_choosing() => self.choose(act),
            Msg::Act(act) if self.ui.chooser.is_some() => self.choose_columns(act),
            Msg::Act(act) => self.act(act),
            Msg::Edit(edit) => self.edit(edit),
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
            Msg::Polled(update) => self.polled(&update),
            Msg::OwnCpu(share) => {
                self.link.own_cpu = share;
                Effect::None
            }
            Msg::Saved(said) => {
                self.ui.note = Some(Note::of(said));
                Effect::Draw
            }
            Msg::Engines(engines) => {
                // Only what is known of them is news: places stay.
                let same = self.is_choosing() && engines != self.engines;
                if same {
                    self.engines = engines;
                }
                if same { Effect::Draw } else { Effect::None }
            }
            Msg::Replay(status) => {
                let news = self.link.replay.as_ref() != Some(&status);
                self.link.replay = Some(status);
                if news { Effect::Draw } else { Effect::None }
            }
        }
    }

    fn polled(&mut self, update: &Update) -> Effect {
        let mut effect = if update.snapshot.is_some() {
            Effect::Draw
        } else {
            Effect::None
        };
        if let Some(successor) = &update.successor {
            self.restart(successor);
        }
        if self.link.waiting != update.waiting {
            self.link.waiting = update.waiting;
            effect = Effect::Draw;
        }
        if self.link.liveness != update.liveness || self.link.problem != update.problem {
            self.link.liveness = update.liveness;
            self.link.problem.clone_from(&update.problem);
            effect = Effect::Draw;
        }
        self.link.has_data |= update.snapshot.is_some();
        self.time.take_in(update);
        let log = &mut self.log;
        fold(update, &mut self.model, |model| log.look(model));
        if update.snapshot.is_some() {
            self.threads(update.threads.as_ref());
            self.follow_chosen();
        }
        effect
    }

    pub(crate) fn act(&mut self, act: Act) -> Effect {
        (self.ui.note, self.link.successor) = (None, None);
        match act {
            Act::Quit => return Effect::Quit,
            Act::Suspend => return Effect::Suspend,
            Act::Theme => self.ui.theme = self.ui.theme.other(),
            Act::Help => {
                self.ui.help = if self.ui.help.is_some() {
                    None
                } else {
                    Some(0)
                }
            }
            Act::Warnings => self.toggle_warnings(),
            Act::Back => self.back(),
            Act::Go(step) if self.ui.help.is_some() => self.scroll_help(step),
            Act::Present if self.ui.help.is_some() => self.scroll_help(Step::Last),
            Act::Pause if self.time.is_held() => self.time.go_on(),
            Act::Pause => self.time.hold(&self.model),
            Act::Time(by) => self.step(by),
            Act::Present if self.is_timeline() && self.ui.timeline.to_end() => {}
            Act::Present if self.time.is_held() => self.time.go_on(),
            Act::Present => self.go(Step::Last),
            Act::Save(kind) => return self.save(kind),
            Act::Show(view) => self.go_to(view),
            Act::NextView => self.go_to(self.ui.view.next(1)),
            Act::PreviousView => self.go_to(self.ui.view.next(View::ALL.len() - 1)),
            Act::Go(step) => self.go(step),
            Act::Zoom { closer } if self.is_timeline() => self.ui.timeline.zoom(closer),
            Act::TurnLanes if self.is_timeline() => self.ui.timeline.turn(),
            Act::TurnLatency if self.is_spread() => self.ui.spread.turn(),
            Act::Zoom { .. } | Act::TurnLanes | Act::TurnLatency => return Effect::None,
            Act::ScrollLeft if self.is_timeline() => self.scroll_timeline(true),
            Act::ScrollRight if self.is_timeline() => self.scroll_timeline(false),
            Act::Choose => return self.open(),
            Act::Find => self.find(),
            Act::FindAll => self.find_all(),
            Act::Columns => self.open_chooser(),
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
        self.folded.forget();
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

    fn scroll_help(&mut self, step: Step) {
        let (len, page) = (self.help_tops(), self.page());
        self.ui.help = self.ui.help.map(|top| step.from(top, page, len));
    }

    /// Whether the lanes are shown, and nothing lies over them.
    pub(crate) fn is_timeline(&self) -> bool {
        self.ui.view == View::Timeline && self.ui.details.is_none()
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

    /// Keys while there is an engine to choose.
    fn choose(&mut self, act: Act) -> Effect {
        let len = self.engines.len();
        match act {
            Act::Quit | Act::Back => Effect::Quit,
            Act::Suspend => Effect::Suspend,
            Act::Theme => self.act(act),
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
    pub(crate) fn page(&self) -> usize {
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

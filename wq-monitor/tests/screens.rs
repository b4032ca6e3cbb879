//! What the screens look like, at three sizes and in every state; and what --plain and --json print.

mod common;
#[path = "screens/find.rs"]
mod find;
#[path = "screens/follow.rs"]
mod follow;
#[path = "screens/moments.rs"]
mod moments;
#[path = "screens/spread.rs"]
mod spread;
#[path = "screens/tail.rs"]
mod tail;
#[path = "screens/timeline.rs"]
mod timeline;
#[path = "screens/touch.rs"]
mod touch;

use common::{app, press, update};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use wq_monitor::app::{Act, App, Msg, Step, View};
use wq_monitor::filter::Filter;
use wq_monitor::source::{Engine, Update};
use wq_monitor::view::style::{self, Palette};
use wq_monitor::{json, plain};
use wq_trace::model::{Limits, Model};
use wq_trace::{CanaryGauges, FlushRow, Liveness, Reaction};

const SIZES: [(u16, u16); 3] = [(120, 40), (80, 24), (40, 10)];

/// Draws `app` on a screen of `size`.
fn drawn(app: &App, size: (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    terminal
        .draw(|frame| wq_monitor::view::draw(app, Palette::new(true), frame))
        .unwrap();
    terminal.backend().buffer().clone()
}

fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let line: String = (0..buffer.area.width)
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn screen(app: &App, size: (u16, u16)) -> String {
    text(&drawn(app, size))
}

/// The style of the first cell that shows `what`.
fn colour(buffer: &Buffer, what: &str) -> Color {
    let lines = text(buffer);
    for (y, line) in lines.lines().enumerate() {
        if let Some(at) = line.find(what) {
            let x = line[..at].chars().count();
            return buffer[(x as u16, y as u16)].fg;
        }
    }
    panic!("{what} is not on the screen:\n{lines}");
}

fn gone(liveness: Liveness, size: (u16, u16)) -> App {
    let mut app = app(View::Overview, 30, size);
    let _ = app.update(Msg::Polled(Box::new(update(31, liveness))));
    app
}

#[test]
fn views() {
    for view in View::ALL {
        for size in SIZES {
            let name = format!("{}_{}x{}", view.title().to_lowercase(), size.0, size.1);
            insta::assert_snapshot!(name, screen(&app(view, 30, size), size));
        }
    }
}

#[test]
fn help_of_every_view() {
    for view in View::ALL {
        for size in SIZES {
            let mut app = app(view, 3, size);
            press(&mut app, &[Act::Help]);
            let name = format!("help_{}_{}x{}", view.title().to_lowercase(), size.0, size.1);
            insta::assert_snapshot!(name, screen(&app, size));
        }
    }
}

#[test]
fn help_scrolls_to_its_end_and_no_further() {
    let mut app = app(View::Pools, 3, (80, 24));
    press(&mut app, &[Act::Help, Act::Go(Step::Last)]);
    let end = screen(&app, (80, 24));
    assert!(
        end.contains("word before the cursor away") && !end.contains("more lines"),
        "{end}"
    );
    press(&mut app, &[Act::Go(Step::Down)]);
    assert_eq!(screen(&app, (80, 24)), end);
    press(&mut app, &[Act::Go(Step::Up)]);
    assert_ne!(screen(&app, (80, 24)), end);
}

#[test]
fn an_engine_that_is_gone_is_said_to_be_and_its_last_state_stays() {
    for size in SIZES {
        let dead = gone(Liveness::Dead, size);
        insta::assert_snapshot!(format!("dead_{}x{}", size.0, size.1), screen(&dead, size));
    }
    let dead = drawn(&gone(Liveness::Dead, (80, 24)), (80, 24));
    assert_eq!(colour(&dead, "✖ dead"), style::RED);
    assert_eq!(colour(&dead, "engine 4242 gone"), style::RED);
    insta::assert_snapshot!(
        "ended_80x24",
        screen(&gone(Liveness::Ended, (80, 24)), (80, 24))
    );
    insta::assert_snapshot!(
        "unknown_80x24",
        screen(&gone(Liveness::Unknown, (80, 24)), (80, 24))
    );
}

#[test]
fn a_held_picture_says_so_and_stays_while_counting_goes_on() {
    let mut app = app(View::Workers, 30, (80, 24));
    press(&mut app, &[Act::Pause]);
    let before = screen(&app, (80, 24));
    assert!(before.contains("PAUSED"), "{before}");
    for round in 31..35 {
        let mut update = update(round, Liveness::Live);
        update.lost = 250;
        let _ = app.update(Msg::Polled(Box::new(update)));
    }
    insta::assert_snapshot!("paused_80x24", screen(&app, (80, 24)));
    let buffer = drawn(&app, (80, 24));
    assert_eq!(colour(&buffer, "1.0k"), style::RED);
    let body = |screen: &str| {
        screen
            .lines()
            .skip(3)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(body(&text(&buffer)), body(&before));
    press(&mut app, &[Act::Pause]);
    assert_eq!(app.model().at(), common::snapshot(34).at);
    assert!(!screen(&app, (80, 24)).contains("PAUSED"));
}

#[test]
fn an_idle_engine_and_no_data_at_all() {
    let mut idle = App::new(Model::new(Limits::default()), None, Vec::new());
    insta::assert_snapshot!("waiting_40x10", screen(&idle, (40, 10)));
    let mut update = update(1, Liveness::Live);
    let mut empty = common::snapshot(0);
    empty.pwqs.clear();
    empty.pwq_funcs.clear();
    empty.workers.clear();
    empty.rings.clear();
    update.events.clear();
    update.snapshot = Some(empty);
    let _ = idle.update(Msg::Polled(Box::new(update)));
    for size in SIZES {
        insta::assert_snapshot!(format!("idle_{}x{}", size.0, size.1), screen(&idle, size));
    }
}

#[test]
fn a_filter_shows_in_the_tabs_and_thins_the_list() {
    let filter = regex::Regex::new("^events|jour").unwrap();
    let mut app = App::new(Model::new(Limits::default()), Some(filter), Vec::new());
    let _ = app.update(Msg::Polled(Box::new(update(1, Liveness::Live))));
    let screen = screen(&app, (120, 24));
    assert!(
        screen.contains("/^events|jour/ 4 of 7") && screen.contains("Workqueues 4 of 7"),
        "{screen}"
    );
    assert!(
        screen.contains("journal") && !screen.contains("crunch  "),
        "{screen}"
    );
}

#[test]
fn several_engines_are_offered() {
    let engine = |pid: u32, name: &str| Engine {
        pid,
        name: name.to_owned(),
        exe: format!("/usr/bin/{name}"),
        path: format!("/run/{pid}-{name}.wqseg").into(),
        about: wq_monitor::source::About {
            user: "operator".to_owned(),
            up: Some(u64::from(pid) * 1_000_000_000),
            events_per_s: (pid > 100).then_some(38_200),
            liveness: Some(Liveness::Live),
        },
    };
    let engines = vec![engine(71, "mixed"), engine(9_182, "storage")];
    let mut app = App::new(Model::new(Limits::default()), None, engines.clone());
    press(&mut app, &[Act::Go(Step::Down)]);
    insta::assert_snapshot!("picker_80x24", screen(&app, (80, 24)));
    let chosen = app.update(Msg::Act(Act::Choose));
    assert_eq!(chosen, wq_monitor::app::Effect::Open(engines[1].clone()));
    assert!(!app.is_choosing());
}

/// The line below the headings: the first row.
fn first_row(screen: &str, heading: &str) -> String {
    let mut lines = screen.lines().skip_while(|line| !line.contains(heading));
    lines
        .nth(1)
        .unwrap_or_else(|| panic!("no {heading}:\n{screen}"))
        .to_owned()
}

#[test]
fn rows_are_sorted_by_the_chosen_column() {
    let size = (120, 40);
    let mut app = app(View::Pools, 30, size);
    assert!(first_row(&screen(&app, size), "▴pool").contains("cpu 0"));
    // The backlog is the eighth column: the pool of the journal has most.
    press(&mut app, &[Act::SortRight; 7]);
    assert!(first_row(&screen(&app, size), "▾pend").contains("▪▪▪▪▪"));
    press(&mut app, &[Act::Invert]);
    assert!(first_row(&screen(&app, size), "▴pend").contains("cpu 0 highpri"));
    press(&mut app, &[Act::SortLeft]);
    assert!(first_row(&screen(&app, size), "▾idle").contains("cpu 0"));
}

#[test]
fn columns_without_room_are_scrolled_to() {
    let size = (80, 24);
    let mut app = app(View::Workers, 30, size);
    assert!(!screen(&app, size).contains(" tid"));
    press(&mut app, &[Act::ScrollRight]);
    assert!(first_row(&screen(&app, size), " tid").contains("4310"));
    press(&mut app, &[Act::ScrollRight; 20]);
    assert!(first_row(&screen(&app, size), "executed").contains("kworker/0:0+events"));
    press(&mut app, &[Act::ScrollLeft; 20]);
    assert!(screen(&app, size).contains("state"));
}

#[test]
fn the_chosen_row_is_marked_and_kept_in_view() {
    let size = (80, 24);
    let mut app = app(View::Workers, 30, size);
    press(&mut app, &[Act::Go(Step::Last)]);
    let buffer = drawn(&app, size);
    let last = text(&buffer)
        .lines()
        .position(|line| line.contains("kworker/u9:0"))
        .unwrap();
    for y in 0..size.1 {
        let marked = buffer[(5, y)].bg == style::SELECTED;
        assert_eq!(marked, usize::from(y) == last, "line {y}");
    }
}

#[test]
fn states_have_their_colours() {
    let workers = drawn(&app(View::Workers, 30, (120, 40)), (120, 40));
    assert_eq!(colour(&workers, "kworker/0:0+"), style::GREEN);
    assert_eq!(colour(&workers, "kworker/0:1+"), style::BLUE);
    assert_eq!(colour(&workers, "kworker/0:4-"), style::GREY);
    assert_eq!(colour(&workers, "kworker/u9:0-"), style::YELLOW);
    let pools = drawn(&app(View::Pools, 30, (120, 40)), (120, 40));
    assert_eq!(colour(&pools, "█▒▒▒░░"), style::GREEN);
    assert_eq!(colour(&pools, "▒▒▒░░"), style::BLUE);
    assert_eq!(colour(&pools, "▪▪▪  "), style::YELLOW);
    assert_eq!(colour(&pools, "▪▪▪▪▪  "), style::RED);
}

#[test]
fn a_deadlock_is_no_good_health() {
    let size = (120, 40);
    let mut app = app(View::Overview, 3, size);
    let mut update = update(4, Liveness::Live);
    let waits = [1, 1, 2].map(|deadlock| FlushRow {
        deadlock,
        ..FlushRow::default()
    });
    update.snapshot.as_mut().unwrap().flushes.extend(waits);
    let _ = app.update(Msg::Polled(Box::new(update)));
    let screen = drawn(&app, size);
    assert_eq!(colour(&screen, "flush-deadlock"), style::RED);
    assert_eq!(colour(&screen, "! 2 warnings"), style::RED);
}

#[test]
fn without_colours_nothing_is_coloured() {
    for view in View::ALL {
        let app = app(view, 30, (120, 40));
        let mut terminal = Terminal::new(TestBackend::new(120, 40)).unwrap();
        terminal
            .draw(|frame| wq_monitor::view::draw(&app, Palette::new(false), frame))
            .unwrap();
        for cell in terminal.backend().buffer().content() {
            assert_eq!(
                (cell.fg, cell.bg),
                (Color::Reset, Color::Reset),
                "{}",
                cell.symbol()
            );
        }
    }
}

#[test]
fn no_size_is_too_small_to_survive() {
    let mut apps: Vec<App> = View::ALL
        .iter()
        .map(|view| app(*view, 3, (80, 24)))
        .collect();
    apps.push(gone(Liveness::Dead, (80, 24)));
    apps.push(app(View::Workers, 3, (80, 24)));
    press(
        apps.last_mut().unwrap(),
        &[Act::Go(Step::Last), Act::ScrollRight, Act::Time(-1)],
    );
    apps.push(app(View::Pools, 3, (80, 24)));
    press(
        apps.last_mut().unwrap(),
        &[Act::Help, Act::Go(Step::PageDown)],
    );
    for view in [
        View::Workqueues,
        View::Pools,
        View::Workers,
        View::Producers,
    ] {
        apps.push(app(view, 3, (80, 24)));
        press(apps.last_mut().unwrap(), &[Act::Choose]);
    }
    for width in 1..=130 {
        for height in (1..=50).filter(|height| width * height < 400 || (width + height) % 11 == 0) {
            let app = &apps[usize::from(width * 7 + height) % apps.len()];
            let _ = drawn(app, (width, height));
        }
    }
    assert_eq!(screen(&apps[0], (19, 5)).trim(), "19x5 is too small");
    assert_eq!(screen(&apps[0], (1, 1)).trim(), "1");
    assert!(screen(&apps[0], (20, 5)).contains("live"));
}

#[test]
fn what_canaries_did_is_shown_where_it_fits() {
    let wide = screen(&app(View::Pools, 30, (200, 40)), (200, 40));
    for text in ["armed", "decided", "false", "sensing canary 5.1 us"] {
        assert!(wide.contains(text), "{text}: {wide}");
    }
    let details = "canary armed  decided 210  false 1  armings 270";
    assert!(wide.contains(details), "{wide}");
    // Unbound pools have none, and an engine without canaries shows nothing of them.
    let unbound = wide.lines().find(|line| line.contains("unbound")).unwrap();
    let cells: Vec<_> = unbound.split_whitespace().collect();
    assert!(cells.windows(3).any(|cells| cells == ["-"; 3]), "{unbound}");
    let mut update = update(1, Liveness::Live);
    let snapshot = update.snapshot.as_mut().unwrap();
    snapshot.meta.sensing = "tick".to_owned();
    snapshot.sensing.reaction = Reaction::NotMeasured;
    for pool in &mut snapshot.pools {
        pool.canary = CanaryGauges::default();
    }
    let mut without = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = without.update(Msg::Polled(Box::new(update)));
    press(&mut without, &[Act::Show(View::Pools)]);
    let plain = screen(&without, (120, 40));
    assert!(plain.contains("sensing tick  self"), "{plain}");
    assert!(!plain.contains("canary"), "{plain}");
}

#[test]
fn an_engine_that_notices_nothing_is_shown_as_such() {
    let mut update = update(1, Liveness::Live);
    let snapshot = update.snapshot.as_mut().unwrap();
    snapshot.sensing.reaction = Reaction::NoAnswer;
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = app.update(Msg::Polled(Box::new(update)));
    let drawn = drawn(&app, (120, 40));
    assert_eq!(colour(&drawn, "canary no answer"), style::YELLOW);
}

#[test]
fn no_number_is_too_large() {
    let mut snapshot = common::snapshot(1);
    for pool in &mut snapshot.pools {
        pool.nr_running = u32::MAX;
        pool.nr_workers = u32::MAX;
        pool.nr_idle = u32::MAX;
        pool.nr_pending = u32::MAX;
        pool.number = u32::MAX;
        pool.last_progress = u64::MAX;
        pool.canary = CanaryGauges {
            armed: true,
            armings: u64::MAX,
            decisions: u64::MAX,
            false_decisions: u64::MAX,
            unwatched: u32::MAX,
        };
    }
    snapshot.sensing.reaction = Reaction::Measured {
        p50_ns: u64::MAX,
        p99_ns: u64::MAX,
        rounds: u32::MAX,
    };
    for pwq in &mut snapshot.pwqs {
        pwq.counters = [u64::MAX; wq_trace::Counter::COUNT];
        (pwq.wait.sum, pwq.wait.max) = (u64::MAX, u64::MAX);
        pwq.wait.buckets = vec![(u64::MAX, u64::MAX)];
    }
    for row in &mut snapshot.pwq_funcs {
        row.breakdown = [u64::MAX; wq_trace::WaitPart::COUNT];
        (row.run_ns, row.started, row.completed) = (u64::MAX, u64::MAX, 1);
    }
    snapshot
        .workers
        .iter_mut()
        .for_each(|worker| worker.since = u64::MAX);
    (snapshot.meta.started_wall, snapshot.lost_no_ring) = (u64::MAX, u64::MAX);
    let mut app = app(View::Overview, 2, (120, 40));
    for at in [0, 1, u64::MAX] {
        snapshot.at = at;
        let polled = Update {
            snapshot: Some(snapshot.clone()),
            lost: u64::MAX,
            ..Update::default()
        };
        let _ = app.update(Msg::Polled(Box::new(polled)));
        for view in View::ALL {
            press(&mut app, &[Act::Show(view)]);
            for size in SIZES {
                assert!(!screen(&app, size).is_empty());
            }
            press(&mut app, &[Act::Choose, Act::AllColumns]);
            assert!(!screen(&app, (120, 40)).is_empty());
        }
        let _ = (
            plain::round(app.model(), &Filter::default()),
            json::round(app.model(), &[], &Filter::default()),
        );
    }
}

#[test]
fn nothing_that_steers_a_terminal_gets_through() {
    let evil = "\u{1b}[2J\u{7}\u{9b}31m\r\n\u{202e}x";
    let mut update = update(1, Liveness::Live);
    update.problem = Some(evil.to_owned());
    let mut snapshot = common::snapshot(1);
    snapshot.meta.name = evil.to_owned();
    snapshot.meta.sensing = evil.to_owned();
    snapshot
        .workqueues
        .iter_mut()
        .for_each(|wq| wq.name = evil.to_owned());
    snapshot
        .functions
        .iter_mut()
        .for_each(|function| function.name = evil.to_owned());
    for worker in &mut snapshot.workers {
        (worker.name, worker.desc) = (evil.to_owned(), evil.to_owned());
    }
    update.snapshot = Some(snapshot);
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = app.update(Msg::Polled(Box::new(update)));
    for view in View::ALL {
        press(&mut app, &[Act::Show(view)]);
        let screen = screen(&app, (120, 40));
        let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!screen.contains(bad), "{screen:?}");
    }
}

fn model(round: u64) -> Model {
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(&common::snapshot(round));
    model
}

#[test]
fn the_kernel_scripts_table() {
    insta::assert_snapshot!(plain::round(&model(30), &Filter::default()));
}

#[test]
fn json_has_every_key_in_order() {
    let text = json::round(&model(30), &[], &Filter::default());
    insta::assert_snapshot!(text.lines().nth(3).unwrap());
    assert_eq!(text.lines().count(), 7);
}

#[test]
fn the_parts_of_the_wait_sum_to_it_in_every_row() {
    for line in json::round(&model(30), &[], &Filter::default()).lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let parts = row["breakdown_ns"].as_object().unwrap();
        let sum: u64 = parts.values().map(|part| part.as_u64().unwrap()).sum();
        assert_eq!(Some(sum), row["wait_ns"]["sum"].as_u64(), "{line}");
    }
}

#[test]
fn a_filter_leaves_rows_out() {
    let filter = Filter {
        names: Some(regex::Regex::new("^events").unwrap()),
        ..Filter::default()
    };
    assert_eq!(json::round(&model(1), &[], &filter).lines().count(), 3);
    // A blank line and the headings come first.
    assert_eq!(plain::round(&model(1), &filter).lines().count(), 2 + 3);
}

//! Screens of moments that are gone back to, of what is live and of what is over.

use super::common::{self, SECOND, app, press, update};
use super::{SIZES, colour, drawn, gone, screen, text};
use wq_monitor::app::{Act, App, Effect, Msg, Step, View};
use wq_monitor::request::Kind;
use wq_monitor::source::Update;
use wq_monitor::view::style;
use wq_trace::model::{Limits, Model};
use wq_trace::past::{JUMP, Keep};
use wq_trace::{Liveness, RecordingEnd};

/// Which second of the made-up engine is shown.
fn second(app: &App) -> u64 {
    (app.model().at() - common::snapshot(0).at) / SECOND
}

#[test]
fn a_moment_that_is_gone_back_to() {
    for size in SIZES {
        let mut app = app(View::Overview, 30, size);
        press(&mut app, &[Act::Time(-JUMP), Act::Time(-1), Act::Time(-1)]);
        assert_eq!(second(&app), 18);
        let name = format!("stepped_overview_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(&app, size));
        press(&mut app, &[Act::Show(View::Workers)]);
        let name = format!("stepped_workers_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(&app, size));
        let drawn = drawn(&app, size);
        assert_eq!(colour(&drawn, "◀"), style::YELLOW);
        press(&mut app, &[Act::Present]);
        assert_eq!(second(&app), 30);
        assert!(!screen(&app, size).contains('◀'));
    }
}

#[test]
fn all_that_is_shown_is_of_that_moment_but_losses_are_todays() {
    let size = (120, 40);
    let mut app = app(View::Workqueues, 30, size);
    let then = {
        let mut then = super::app(View::Workqueues, 20, size);
        press(&mut then, &[Act::Pause, Act::Choose]);
        screen(&then, size)
    };
    press(&mut app, &[Act::Time(-JUMP), Act::Choose]);
    let body = |screen: &str, from: usize| {
        let lines = screen.lines().skip(from).take(20);
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(body(&screen(&app, size), 3), body(&then, 3), "details, too");
    let mut later = update(31, Liveness::Live);
    later.lost = 250;
    let _ = app.update(Msg::Polled(Box::new(later)));
    let drawn = drawn(&app, size);
    assert_eq!(colour(&drawn, "250"), style::RED);
    assert_eq!(colour(&drawn, "●▇"), style::YELLOW, "on the strip");
    let lost = (0..size.0).rev().find(|x| drawn[(*x, 2)].fg == style::RED);
    let end = text(&drawn).lines().nth(2).unwrap().chars().count() as u16 - " now".len() as u16;
    assert_eq!(
        lost,
        Some(end - 1),
        "the strip is red where events were lost"
    );
    assert_eq!(second(&app), 20);
}

#[test]
fn the_ends_say_that_they_are_ends() {
    let size = (120, 40);
    let mut app = app(View::Overview, 30, size);
    press(&mut app, &[Act::Time(1)]);
    assert!(screen(&app, size).contains("this is the present"));
    press(&mut app, &[Act::Time(-JUMP); 3]);
    assert!(!screen(&app, size).contains("oldest state"));
    press(&mut app, &[Act::Time(-1)]);
    let oldest = "this is the oldest state that is kept, of 29.0 s ago";
    assert!(
        screen(&app, size).contains(oldest),
        "{}",
        screen(&app, size)
    );
    press(&mut app, &[Act::Time(JUMP); 3]);
    press(&mut app, &[Act::Time(1)]);
    assert!(screen(&app, size).contains("this is the newest state: End goes on"));
    press(&mut app, &[Act::Pause]);
    assert!(!app.is_paused());
    press(&mut app, &[Act::Present]);
    let place = |app: &App| {
        let shown = app.shown().unwrap();
        (shown.place, shown.order.len())
    };
    let (last, rows) = place(&app);
    assert_eq!(last, rows - 1, "the last row, as ever");
    press(&mut app, &[Act::Go(Step::First), Act::Help, Act::Present]);
    assert_eq!(place(&app).0, 0, "the end of the help");
}

#[test]
fn what_is_over_can_be_gone_back_in() {
    for size in SIZES {
        let mut dead = gone(Liveness::Dead, size);
        press(&mut dead, &[Act::Time(-1), Act::Time(-1)]);
        assert_eq!(second(&dead), 29);
        let name = format!("dead_stepped_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(&dead, size));
    }
    let mut recorded = App::new(Model::new(Limits::default()), None, Vec::new());
    recorded = recorded.keeping(Keep::ended(1_000, 1_000 * SECOND));
    let all = Update {
        earlier: (1..1_000).map(common::snapshot).collect(),
        snapshot: Some(common::snapshot(1_000)),
        liveness: Liveness::Recorded,
        ..Update::default()
    };
    let _ = recorded.update(Msg::Polled(Box::new(all)));
    let size = (120, 40);
    assert!(screen(&recorded, size).contains("showing the last state; [ goes back"));
    press(&mut recorded, &[Act::Time(-JUMP); 30]);
    assert_eq!(second(&recorded), 700, "every state of it is there");
    let shown = screen(&recorded, size);
    assert!(shown.contains("PAUSED 300 s before the end"), "{shown}");
    assert!(shown.contains("state 700/1000"), "{shown}");
    // No event came at all.
    assert!(shown.contains("no item was seen being queued"), "{shown}");
}

#[test]
fn events_that_are_forgotten_are_not_taken_for_silence() {
    let size = (120, 40);
    let keep = Keep {
        events_for: 5 * SECOND,
        ..Keep::default()
    };
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new()).keeping(keep);
    let _ = app.update(Msg::Resize(size.0, size.1));
    for round in 1..=30 {
        let _ = app.update(Msg::Polled(Box::new(update(round, Liveness::Live))));
    }
    let forgotten = "the events of then are not kept any more";
    press(&mut app, &[Act::Time(-1)]);
    let shown = screen(&app, size);
    assert!(
        !shown.contains(forgotten) && shown.contains("producer-0-4243"),
        "{shown}"
    );
    press(&mut app, &[Act::Time(-JUMP)]);
    assert!(screen(&app, size).contains(forgotten));
    press(&mut app, &[Act::Show(View::Producers)]);
    let drawn = drawn(&app, size);
    assert_eq!(colour(&drawn, "─ the events of then"), style::YELLOW);
}

#[test]
fn a_click_on_the_strip_goes_to_that_moment() {
    let size = (120, 40);
    let mut app = app(View::Workers, 30, size);
    press(&mut app, &[Act::Pause]);
    // The first cell of the strip, and the first behind it.
    let strip = |app: &App| {
        let shown = screen(app, size);
        let line: Vec<char> = shown.lines().nth(2).unwrap().chars().collect();
        let is_bar = |c: &char| "▁▂▃▄▅▆▇█●".contains(*c);
        let first = line.iter().position(is_bar).unwrap();
        let last = line.iter().rposition(is_bar).unwrap();
        (first as u16, last as u16 + 1)
    };
    let click = |app: &mut App, x: u16| match wq_monitor::view::hit(app, x, 2) {
        Some(msg) => app.update(msg),
        None => Effect::None,
    };
    let (first, _) = strip(&app);
    assert_eq!(click(&mut app, first), Effect::Draw);
    assert_eq!(second(&app), 1);
    let (first, after) = strip(&app);
    let _ = click(&mut app, (first + after) / 2);
    assert_eq!(second(&app), 15);
    let (first, after) = strip(&app);
    let _ = click(&mut app, after - 1);
    assert_eq!(second(&app), 29, "the newest is where the strip ends");
    for nothing in [0, first - 1, after, 119] {
        assert_eq!(click(&mut app, nothing), Effect::None);
    }
}

#[test]
fn a_segment_that_was_left_behind_has_one_state() {
    let size = (80, 24);
    let mut dead = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = dead.update(Msg::Polled(Box::new(update(9, Liveness::Dead))));
    press(&mut dead, &[Act::Time(-1)]);
    let shown = screen(&dead, size);
    let why = "has only its last state; its events reach 1.0 s back";
    assert!(shown.contains(why), "{shown}");
    assert_eq!(colour(&drawn(&dead, size), "a segment left"), style::YELLOW);
    assert!(!dead.is_paused() && !shown.contains("goes back"), "{shown}");
}

#[test]
fn a_file_is_asked_for_by_engine_pid_and_time_and_told_of() {
    let size = (120, 40);
    let mut app = app(View::Overview, 30, size);
    let Effect::Save(request) = app.update(Msg::Act(Act::Save(Kind::Perfetto))) else {
        panic!("no file is asked for");
    };
    assert_eq!(request.stem, "wq-mixed-4242-20261123T134030Z");
    let said = Ok("wrote x.pftrace: 3 states".to_owned());
    assert_eq!(app.update(Msg::Saved(said)), Effect::Draw);
    let drawn = drawn(&app, size);
    assert_eq!(colour(&drawn, "wrote x.pftrace"), style::GREEN);
    let _ = app.update(Msg::Saved(Err("this folder: full".to_owned())));
    assert_eq!(
        colour(&super::drawn(&app, size), "this folder: full"),
        style::RED
    );
    press(&mut app, &[Act::Go(Step::Down)]);
    assert!(!screen(&app, size).contains("full"), "until the next key");
    // Of something that is over, the end is in the file, but not when an earlier moment was held.
    let end = |app: &mut App| match app.update(Msg::Act(Act::Save(Kind::Recording))) {
        Effect::Save(request) => (request.end, request.stem),
        other => panic!("{other:?}"),
    };
    press(&mut app, &[Act::Pause]);
    let _ = app.update(Msg::Polled(Box::new(update(35, Liveness::Dead))));
    let held = "wq-mixed-4242-20261123T134030Z".to_owned();
    assert_eq!(end(&mut app), (RecordingEnd::Stopped, held));
    press(&mut app, &[Act::Present]);
    let over = "wq-mixed-4242-20261123T134035Z".to_owned();
    assert_eq!(end(&mut app), (RecordingEnd::Gone, over));
}

#[test]
fn before_anything_was_read_there_is_no_time() {
    let size = (80, 24);
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    for act in [Act::Time(-1), Act::Time(1), Act::Save(Kind::Recording)] {
        press(&mut app, &[act]);
        assert!(!screen(&app, size).is_empty() && !app.is_paused());
    }
    assert!(screen(&app, size).contains("nothing was read yet"));
    press(&mut app, &[Act::Pause]);
    assert!(!app.is_paused());
}

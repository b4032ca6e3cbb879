//! Finding on the screen: the line in which a query is typed, what is found, what is chosen, which columns are shown.

use super::{SIZES, colour, drawn, screen, text};
use crate::common::{app, press, update};
use wq_monitor::app::{Act, App, Msg, Step, View};
use wq_monitor::prompt::Edit;
use wq_monitor::view::style;
use wq_trace::Liveness;

fn find(app: &mut App, text: &str) {
    press(app, &[Act::Find]);
    for c in text.chars() {
        let _ = app.update(Msg::Edit(Edit::Type(c)));
    }
}

fn edit(app: &mut App, edits: &[Edit]) {
    for edit in edits {
        let _ = app.update(Msg::Edit(*edit));
    }
}

/// The next round, in which something is different.
fn round(app: &mut App, round: u64, change: impl FnOnce(&mut wq_trace::Snapshot)) {
    let mut update = update(round, Liveness::Live);
    change(update.snapshot.as_mut().unwrap());
    let _ = app.update(Msg::Polled(Box::new(update)));
}

#[test]
fn typing_finding_and_what_is_wrong() {
    for size in SIZES {
        let name = |what: &str| format!("find_{what}_{}x{}", size.0, size.1);
        let mut app = app(View::Workers, 30, size);
        find(&mut app, "state:sleeping");
        insta::assert_snapshot!(name("typed"), screen(&app, size));
        edit(&mut app, &[Edit::CutToStart]);
        find(&mut app, " st");
        edit(&mut app, &[Edit::Complete]);
        insta::assert_snapshot!(name("offers"), screen(&app, size));
        edit(&mut app, &[Edit::CutToStart]);
        find(&mut app, "wq:events* fnu~flush");
        insta::assert_snapshot!(name("wrong"), screen(&app, size));
        edit(&mut app, &[Edit::CutWord, Edit::Keep]);
        insta::assert_snapshot!(name("kept"), screen(&app, size));
    }
}

#[test]
fn what_is_wrong_is_red_from_there_on_and_the_cursor_stands_in_the_line() {
    let size = (120, 40);
    let mut app = app(View::Workers, 30, size);
    find(&mut app, "wq:events* wiat>5ms");
    let buffer = drawn(&app, size);
    assert_eq!(colour(&buffer, "wiat>5ms "), style::RED);
    assert_ne!(colour(&buffer, "wq:events* wiat"), style::RED);
    assert_eq!(colour(&buffer, "column 12: no key"), style::RED);
    let backend = ratatui::backend::TestBackend::new(size.0, size.1);
    let mut terminal = ratatui::Terminal::new(backend).unwrap();
    let palette = style::Palette::new(true);
    let cursor = |terminal: &mut ratatui::Terminal<_>, app: &App| {
        terminal
            .draw(|frame| wq_monitor::view::draw(app, palette, frame))
            .unwrap();
        terminal.get_cursor_position().unwrap()
    };
    assert_eq!(cursor(&mut terminal, &app), (20, 39).into());
    edit(&mut app, &[Edit::Start]);
    assert_eq!(cursor(&mut terminal, &app), (1, 39).into());
}

#[test]
fn what_is_typed_is_explained_above_the_line() {
    let size = (120, 40);
    let mut app = app(View::Workers, 30, size);
    let hint = |app: &App| screen(app, size).lines().nth(38).unwrap().to_owned();
    find(&mut app, "");
    assert!(hint(&app).contains("Tab completes"), "{}", hint(&app));
    find(&mut app, "wai");
    assert!(
        hint(&app).starts_with(" Tab: wait>  wait_p90>"),
        "{}",
        hint(&app)
    );
    find(&mut app, "wait>5ms");
    assert!(
        hint(&app).starts_with(" wait: How long items wait"),
        "{}",
        hint(&app)
    );
    find(&mut app, " ");
    let said = "wait says nothing of workers: no matter here; it is for workqueues";
    assert!(hint(&app).contains(said), "{}", hint(&app));
    assert_eq!(
        colour(
            &drawn(&app, size),
            "wait says nothing of workers: no matter"
        ),
        style::YELLOW
    );
}

#[test]
fn a_long_query_is_scrolled_to_the_cursor() {
    let mut app = app(View::Workers, 3, (40, 10));
    find(&mut app, &format!("wq:{}END", "x".repeat(100)));
    let end = screen(&app, (40, 10));
    assert!(end.lines().last().unwrap().contains("xxEND"), "{end}");
    edit(&mut app, &[Edit::Start]);
    let start = screen(&app, (40, 10));
    assert!(
        start.lines().last().unwrap().starts_with("/wq:xxx"),
        "{start}"
    );
}

#[test]
fn a_query_thins_every_list_and_one_that_says_nothing_of_it_says_so() {
    let size = (120, 40);
    let mut app = app(View::Workers, 30, size).looking_for("tid:4310".parse().unwrap());
    let workers = drawn(&app, size);
    assert!(
        text(&workers).contains("tid:4310 1 of "),
        "{}",
        text(&workers)
    );
    assert_eq!(colour(&workers, "tid:4310"), style::CYAN);
    press(&mut app, &[Act::Show(View::Pools)]);
    let pools = screen(&app, size);
    assert!(
        pools.contains("tid says nothing of pools; it is for workers"),
        "{pools}"
    );
    press(&mut app, &[Act::FindAll]);
    assert!(!screen(&app, size).contains("tid"));
}

#[test]
fn what_is_chosen_stays_chosen_wherever_it_stands() {
    let size = (160, 40);
    let mut app = app(View::Workers, 30, size);
    press(&mut app, &[Act::Go(Step::Down)]);
    let marked = |app: &App| {
        let buffer = drawn(app, size);
        let lines = text(&buffer);
        let of = (0..size.1).find(|y| buffer[(5, *y)].bg == style::SELECTED);
        of.map(|y| lines.lines().nth(y.into()).unwrap()[3..20].to_owned())
    };
    let before = marked(&app).unwrap();
    assert!(before.starts_with("kworker/0:1"), "{before}");
    press(&mut app, &[Act::Invert]);
    assert_eq!(marked(&app), Some(before.clone()));
    round(&mut app, 31, |snapshot| drop(snapshot.workers.remove(0)));
    assert_eq!(marked(&app), Some(before));
    // It goes: no other row is taken for it.
    let chosen = app.chosen();
    round(&mut app, 32, |snapshot| {
        snapshot
            .workers
            .retain(|worker| worker.number != 1 || worker.name != "kworker/0:1");
    });
    assert_eq!(marked(&app), None);
    assert_eq!(app.chosen(), chosen);
    let gone = drawn(&app, size);
    assert_eq!(colour(&gone, "worker kworker/0:1 is gone"), style::YELLOW);
    press(&mut app, &[Act::Go(Step::Up)]);
    assert!(marked(&app).is_some_and(|row| !row.contains("0:1")));
    assert!(!screen(&app, size).contains("is gone"));
}

#[test]
fn what_a_query_does_not_find_is_not_gone() {
    let size = (160, 40);
    let mut app = app(View::Workers, 30, size);
    press(&mut app, &[Act::Go(Step::First)]);
    find(&mut app, "kworker/1");
    assert!(screen(&app, size).contains("kworker/0:0 is not listed"));
    edit(&mut app, &[Edit::Revert]);
    assert!(!screen(&app, size).contains("is not listed"));
    find(&mut app, "kworker/1");
    edit(&mut app, &[Edit::Keep]);
    let kept = screen(&app, size);
    assert!(
        !kept.contains("is not listed"),
        "the first that is found is chosen: {kept}"
    );
}

#[test]
fn two_producers_of_one_function_are_two_rows() {
    let size = (120, 40);
    let mut app = app(View::Producers, 30, size);
    let rows = app.model().producer_rows().len();
    let mut seen = Vec::new();
    for _ in 0..rows {
        let chosen = app.shown().and_then(|shown| shown.chosen);
        let chosen = chosen.expect("one is chosen");
        assert!(!seen.contains(&chosen));
        seen.push(chosen);
        press(&mut app, &[Act::Go(Step::Down)]);
    }
    assert_eq!(seen.len(), rows);
}

#[test]
fn columns_are_chosen_over_the_list() {
    for size in SIZES {
        let mut app = app(View::Workers, 30, size);
        press(&mut app, &[Act::Columns, Act::Go(Step::Down), Act::Pause]);
        let name = format!("columns_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(&app, size));
    }
    let size = (120, 40);
    let mut app = app(View::Workers, 30, size);
    assert!(screen(&app, size).contains(" tid"));
    press(&mut app, &[Act::Columns, Act::Go(Step::Down), Act::Pause]);
    let open = drawn(&app, size);
    assert_eq!(colour(&open, "[x]"), style::GREEN);
    assert!(!app.is_paused());
    press(&mut app, &[Act::Go(Step::Down), Act::SortRight, Act::Back]);
    let after = screen(&app, size);
    let heading = after
        .lines()
        .find(|line| line.contains("function"))
        .unwrap();
    assert!(!heading.contains("tid"), "{after}");
    let place = |what| heading.find(what).unwrap();
    assert!(place("state") < place("pool"), "{after}");
    // Another key leaves it and does what it does.
    press(&mut app, &[Act::Columns, Act::Show(View::Pools)]);
    assert!(app.ui.chooser.is_none() && app.ui.view == View::Pools);
    // On the columns' first place stands the name, always.
    press(&mut app, &[Act::Columns, Act::Go(Step::First), Act::Pause]);
    assert!(screen(&app, size).contains("[x] pool"));
}

#[test]
fn what_the_system_says_of_threads_has_its_colours_and_is_not_kept_of_the_gone() {
    let size = (120, 40);
    let mut app = app(View::Workers, 30, size);
    let live = drawn(&app, size);
    assert_eq!(colour(&live, "93%"), style::YELLOW);
    assert_eq!(colour(&live, "hrtimer_nanosleep"), style::BLUE);
    assert_ne!(colour(&live, "72%"), style::YELLOW);
    assert!(app.wants_threads());
    press(&mut app, &[Act::Choose]);
    assert!(app.wants_threads());
    assert!(screen(&app, size).contains("cpu% 93%"));
    press(&mut app, &[Act::Back, Act::Show(View::Pools)]);
    assert!(!app.wants_threads());
    let pools = drawn(&app, size);
    assert_eq!(
        colour(&pools, "██████████████████████████████"),
        style::GREEN
    );
    assert_eq!(colour(&pools, "▒▒▒▒▒▒▒▒▒▒"), style::BLUE);
    assert_eq!(colour(&pools, "3 not counted"), style::BLUE);
    let mut dead = update(31, Liveness::Dead);
    dead.threads = None;
    let _ = app.update(Msg::Polled(Box::new(dead)));
    press(&mut app, &[Act::Show(View::Workers)]);
    let gone = screen(&app, size);
    assert!(
        !gone.contains("93%") && !gone.contains("futex_do_wait"),
        "{gone}"
    );
}

#[test]
fn what_was_not_looked_at_is_said() {
    let size = (120, 40);
    let mut app = app(View::Workers, 3, size);
    let mut round = update(4, Liveness::Live);
    if let Some(threads) = &mut round.threads {
        threads.left_out = 100;
    }
    let _ = app.update(Msg::Polled(Box::new(round)));
    assert!(screen(&app, size).contains("known of 20 of 120 workers"));
    let mut round = update(5, Liveness::Live);
    if let Some(threads) = &mut round.threads {
        threads.problem = Some("where workers sleep is hidden from us".to_owned());
    }
    let _ = app.update(Msg::Polled(Box::new(round)));
    let hidden = drawn(&app, size);
    assert_eq!(colour(&hidden, "where workers sleep"), style::YELLOW);
    // A click below that line means the row that stands there.
    let shown = text(&hidden);
    let y = shown.lines().position(|line| line.contains("kworker/0:2"));
    let hit = wq_monitor::view::hit(&app, 5, u16::try_from(y.unwrap()).unwrap());
    assert!(matches!(hit, Some(Msg::Select(2))), "{hit:?}");
}

#[test]
fn nothing_typed_or_named_steers_a_terminal() {
    let evil = "\u{1b}[2J\u{202e}x\u{7}";
    let size = (120, 40);
    let mut app = app(View::Workqueues, 3, size);
    round(&mut app, 31, |snapshot| {
        for wq in &mut snapshot.workqueues {
            wq.name = evil.to_owned();
        }
    });
    find(&mut app, evil);
    find(&mut app, "wq:");
    edit(&mut app, &[Edit::Complete, Edit::Complete]);
    let bad = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!screen(&app, size).contains(bad));
    press(&mut app, &[Act::Go(Step::Last)]);
    round(&mut app, 32, |snapshot| snapshot.workqueues.clear());
    assert!(!screen(&app, size).contains(bad));
}

#[test]
fn no_size_is_too_small_for_what_lies_over_a_view() {
    let mut typing = app(View::Workers, 3, (80, 24));
    find(&mut typing, "state:sleeping wai>");
    let mut offering = app(View::Overview, 3, (80, 24));
    find(&mut offering, "");
    edit(&mut offering, &[Edit::CompleteBack]);
    let mut choosing = app(View::Pools, 3, (80, 24));
    press(&mut choosing, &[Act::Columns, Act::Go(Step::Last)]);
    let kept = app(View::Pools, 3, (80, 24)).looking_for("cpu:0 state:running".parse().unwrap());
    let apps = [typing, offering, choosing, kept];
    for width in 1..=130 {
        for height in (1..=50).filter(|height| width * height < 400 || (width + height) % 11 == 0) {
            let app = &apps[usize::from(width * 3 + height) % apps.len()];
            let _ = drawn(app, (width, height));
        }
    }
}

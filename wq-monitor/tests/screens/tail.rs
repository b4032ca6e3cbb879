//! The events as they come: followed, held, with gaps, and the story of an item.

use super::*;
use wq_monitor::prompt::Edit;
use wq_trace::past::Gap;
use wq_trace::{Event, FuncId, What};

const SIZE: (u16, u16) = (120, 40);

/// An item's life among other events, and 7 lost ones before the last two.
fn with_a_story() -> App {
    let mut update = update(1, Liveness::Live);
    let like = update.events[0];
    let steps = [
        What::QueueWork {
            req_cpu: 8192,
            cpu: 0,
        },
        What::ActivateWork,
        What::ExecuteStart,
        What::ExecuteEnd,
    ];
    let at = update.snapshot.as_ref().unwrap().at - 1_000_000;
    let step = |(n, what): (usize, What)| Event {
        at: at + n as u64 * 200_000,
        work: 0xabc,
        func: FuncId(2),
        what,
        ..like
    };
    update
        .events
        .extend(steps.into_iter().enumerate().map(step));
    let lost = Gap {
        lost: 7,
        ring: None,
        until: None,
    };
    update.gaps = vec![(update.events.len() - 6, lost)];
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = app.update(Msg::Resize(SIZE.0, SIZE.1));
    let _ = app.update(Msg::Polled(Box::new(update)));
    press(&mut app, &[Act::Show(View::Events)]);
    app
}

#[test]
fn an_items_story_and_what_is_missing() {
    let app = with_a_story();
    let buffer = drawn(&app, SIZE);
    assert_eq!(colour(&buffer, "~~ 7 events lost ~~"), style::RED);
    assert_eq!(colour(&buffer, "execute_start"), style::GREEN);
    insta::assert_snapshot!("tail_story_120x40", text(&buffer));
    for size in [(80, 24), (40, 10)] {
        let name = format!("tail_story_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(&app, size));
    }
}

#[test]
fn it_follows_until_somebody_looks_up() {
    let mut app = app(View::Events, 3, SIZE);
    assert!(screen(&app, SIZE).contains("following"));
    let last = app.chosen_event().unwrap();
    press(&mut app, &[Act::Go(Step::Up)]);
    assert!(app.is_paused() && screen(&app, SIZE).contains("held"));
    assert_eq!(app.chosen_event(), Some(last - 1));
    let before = screen(&app, SIZE);
    let _ = app.update(Msg::Polled(Box::new(update(4, Liveness::Live))));
    assert_eq!(app.chosen_event(), Some(last - 1));
    let body = |screen: &str| {
        screen
            .lines()
            .skip(4)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(body(&screen(&app, SIZE)), body(&before));
    press(&mut app, &[Act::Go(Step::First)]);
    assert_eq!(app.chosen_event(), Some(0));
    press(&mut app, &[Act::Present]);
    assert!(app.chosen_event().unwrap() > last && !app.is_paused());
}

#[test]
fn enter_opens_what_the_event_is_about() {
    let mut app = with_a_story();
    press(&mut app, &[Act::Choose]);
    let subject = app.ui.details.as_ref().unwrap().subject();
    assert_eq!(subject.kind(), "function");
    press(&mut app, &[Act::Back]);
    let hit = wq_monitor::view::hit(&app, 3, 10);
    assert!(matches!(hit, Some(Msg::Select(_))), "{hit:?}");
}

#[test]
fn no_size_breaks_it() {
    let mut app = with_a_story();
    press(&mut app, &[Act::Go(Step::Up); 3]);
    for width in [1, 5, 20, 21, 33, 60, 61, 99, 250] {
        for height in [1, 4, 5, 6, 11, 24, 25, 60] {
            let _ = app.update(Msg::Resize(width, height));
            drawn(&app, (width, height));
        }
    }
}

#[test]
fn a_query_finds_events_or_says_why_not() {
    let mut app = with_a_story();
    let look_for = |app: &mut App, query: &str| {
        press(app, &[Act::FindAll, Act::Find]);
        for c in query.chars() {
            let _ = app.update(Msg::Edit(Edit::Type(c)));
        }
        screen(app, SIZE)
    };
    let found = look_for(&mut app, "event:execute_start");
    // Once in the list and once in the item's story; the other steps only there.
    let count = |step: &str| found.matches(step).count();
    assert_eq!(
        (count("execute_start  "), count("activate_work  ")),
        (2, 1),
        "{found}"
    );
    let found = look_for(&mut app, "wait>5ms");
    assert!(found.contains("events is found by wait>5ms"), "{found}");
    assert!(found.contains("wait says nothing of events"), "{found}");
}

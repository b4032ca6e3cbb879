//! What keys and clicks open and change: details, columns, sorting; and a storm of queueing.

use super::*;

/// What a click on the first place that shows `what` means.
fn click(app: &App, what: &str) -> Option<Msg> {
    let size = app.ui.size;
    let lines = screen(app, size);
    let found = lines.lines().enumerate().find_map(|(y, line)| {
        let at = line.find(what)?;
        Some((line[..at].chars().count() as u16, y as u16))
    });
    let (x, y) = found.unwrap_or_else(|| panic!("{what} is not on the screen:\n{lines}"));
    wq_monitor::view::hit(app, x, y)
}

#[test]
fn details_of_everything() {
    for (view, downs) in [
        (View::Workqueues, 2),
        (View::Pools, 0),
        (View::Workers, 1),
        (View::Producers, 2),
    ] {
        for size in SIZES {
            let mut app = app(view, 30, size);
            press(&mut app, &vec![Act::Go(Step::Down); downs]);
            press(&mut app, &[Act::Choose]);
            let kind = app.ui.details.as_ref().unwrap().subject().kind();
            let name = format!("details_{kind}_{}x{}", size.0, size.1);
            insta::assert_snapshot!(name, screen(&app, size));
        }
    }
}

#[test]
fn details_are_of_a_thing_not_of_a_row_and_related_ones_are_a_key_away() {
    let size = (120, 40);
    let mut app = app(View::Workqueues, 30, size);
    press(
        &mut app,
        &[Act::Go(Step::Down), Act::Go(Step::Down), Act::Choose],
    );
    assert!(screen(&app, size).contains("Workqueue mixed_io"));
    // Another order of the list changes nothing; neither does a later round.
    let _ = app.update(Msg::Sort("name"));
    let _ = app.update(Msg::Polled(Box::new(update(31, Liveness::Live))));
    assert!(screen(&app, size).contains("Workqueue mixed_io"));
    press(&mut app, &[Act::Choose]);
    assert!(screen(&app, size).contains("Pool 2"));
    press(&mut app, &[Act::Choose]);
    assert!(screen(&app, size).contains("Worker kworker/0:0"));
    for back in ["Pool 2", "Workqueue mixed_io", "Workqueues 7"] {
        press(&mut app, &[Act::Back]);
        assert!(screen(&app, size).contains(back), "{back}");
    }
    assert_eq!(app.ui.details, None);
}

#[test]
fn details_of_what_is_gone_say_so() {
    let size = (80, 24);
    let mut app = app(View::Workers, 30, size);
    press(&mut app, &[Act::Choose]);
    let mut later = update(31, Liveness::Live);
    later.snapshot.as_mut().unwrap().workers.clear();
    let _ = app.update(Msg::Polled(Box::new(later)));
    let gone = screen(&app, size);
    assert!(gone.contains("is not there any more"), "{gone}");
    assert!(gone.contains("kworker/0:0"), "{gone}");
}

#[test]
fn the_parts_of_a_wait_are_said_in_words_and_sum_to_the_whole() {
    let size = (120, 40);
    let mut app = app(View::Workqueues, 30, size);
    press(
        &mut app,
        &[Act::Go(Step::Down), Act::Go(Step::Down), Act::Choose],
    );
    let drawn = drawn(&app, size);
    let text = text(&drawn);
    assert!(text.contains("81%") && text.contains("max_active: Held back by"));
    assert!(text.contains("= 100%"), "{text}");
    assert_eq!(colour(&drawn, "██████████"), style::MAGENTA);
}

#[test]
fn clicks_mean_what_stands_there() {
    let size = (120, 40);
    let mut app = app(View::Overview, 30, size);
    let tab = click(&app, "5 Producers");
    assert!(matches!(tab, Some(Msg::Act(Act::Show(View::Producers)))));
    for view in View::ALL {
        press(&mut app, &[Act::Show(view)]);
        let Some(list) = wq_monitor::lists::of(view) else {
            continue;
        };
        let shown = screen(&app, size);
        for head in list.heads().iter().filter(|head| head.usual) {
            if !shown.contains(head.title) || head.title == "busy" {
                continue;
            }
            let Some(Msg::Sort(key)) = click(&app, head.title) else {
                continue;
            };
            assert!(list.heads().iter().any(|head| head.key == key));
        }
    }
    press(&mut app, &[Act::Show(View::Workqueues)]);
    assert!(matches!(
        click(&app, "wait p99"),
        Some(Msg::Sort("wait_p99"))
    ));
    let _ = app.update(click(&app, "wait p99").unwrap());
    assert!(first_row(&screen(&app, size), "▾wait p99").contains("journal"));
    let _ = app.update(click(&app, "wait p99").unwrap());
    assert!(first_row(&screen(&app, size), "▴wait p99").contains("events_highpri"));
    let _ = app.update(click(&app, "journal").unwrap());
    press(&mut app, &[Act::Choose]);
    assert!(screen(&app, size).contains("Workqueue journal"));
    let _ = app.update(click(&app, "journal_commit").unwrap());
    press(&mut app, &[Act::Choose]);
    assert!(screen(&app, size).contains("Function journal_commit"));
    press(&mut app, &[Act::Help]);
    assert!(click(&app, "Keys").is_none());
}

#[test]
fn no_click_anywhere_does_harm() {
    for view in View::ALL {
        for size in [(120, 40), (80, 24), (40, 10), (20, 5), (1, 1)] {
            let mut app = app(view, 3, size);
            for open in [false, true] {
                if open {
                    press(&mut app, &[Act::Choose]);
                }
                for x in (0..=size.0).step_by(1 + usize::from(size.0 / 60)) {
                    for y in 0..=size.1 {
                        let msg = wq_monitor::view::hit(&app, x, y);
                        let own = matches!(msg, Some(Msg::Select(_) | Msg::Sort(_)));
                        if own {
                            let _ = app.update(msg.unwrap());
                        }
                    }
                }
                let _ = drawn(&app, size);
            }
        }
    }
}

#[test]
fn columns_are_hidden_and_all_of_them_shown() {
    let size = (120, 40);
    let mut app = app(View::Workqueues, 30, size);
    press(&mut app, &[Act::HideColumn]);
    assert!(!screen(&app, size).contains("▾start/s"));
    press(&mut app, &[Act::AllColumns]);
    let _ = app.update(Msg::Sort("cancelled"));
    assert!(screen(&app, size).contains("▾cancel"));
    press(&mut app, &[Act::AllColumns]);
    assert!(screen(&app, size).contains("▾start/s"));
}

#[test]
fn a_storm_stands_out() {
    let size = (120, 40);
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = app.update(Msg::Resize(size.0, size.1));
    for round in 1..4 {
        let mut update = update(round, Liveness::Live);
        let mut storm = update.events[0];
        storm.from = storm.func;
        let start = storm.at;
        update.events.extend((0..3_000).map(|n| {
            let mut event = storm;
            event.at = start + n * 300_000;
            event
        }));
        let _ = app.update(Msg::Polled(Box::new(update)));
    }
    press(&mut app, &[Act::Show(View::Producers)]);
    let drawn = drawn(&app, size);
    assert_eq!(colour(&drawn, "queues itself on `events` 3.0k"), style::RED);
    assert_eq!(colour(&drawn, "itself"), style::RED);
    assert!(matches!(click(&app, "last 8 s"), Some(Msg::Sort("trend"))));
}

//! Screens of an engine that is waited for, and of one that took another one's place.

use super::common::{press, snapshot, update};
use super::{SIZES, colour, drawn, screen};
use wq_monitor::app::{Act, App, Msg, View};
use wq_monitor::source::{Gone, Successor, Update};
use wq_monitor::view::style;
use wq_trace::Liveness;
use wq_trace::model::{Limits, Model};

fn waiting() -> Update {
    Update {
        liveness: Liveness::Unknown,
        waiting: true,
        ..Update::default()
    }
}

/// The engine `mixed` was killed, and another one runs.
fn restarted() -> Update {
    let mut update = update(1, Liveness::Live);
    if let Some(state) = &mut update.snapshot {
        state.meta.pid = 4_999;
    }
    update.successor = Some(Successor {
        name: "mixed".to_owned(),
        pid: 4_999,
        before: Some(Gone {
            pid: 4_242,
            how: Liveness::Dead,
            path: Some("/run/user/1000/wq/4242-mixed.wqseg".into()),
        }),
    });
    update
}

#[test]
fn an_engine_that_is_not_there_yet() {
    for size in SIZES {
        let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
        app.link.wanted = Some("mixed".to_owned());
        let _ = app.update(Msg::Resize(size.0, size.1));
        let _ = app.update(Msg::Polled(Box::new(waiting())));
        let name = format!("waiting_for_one_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(&app, size));
        assert_eq!(colour(&drawn(&app, size), "○ waiting"), style::YELLOW);
    }
}

#[test]
fn one_engine_after_the_other() {
    for size in SIZES {
        let mut app = super::app(View::Overview, 30, size);
        press(&mut app, &[Act::Show(View::Workqueues), Act::Choose]);
        let mut gone = update(31, Liveness::Dead);
        gone.waiting = true;
        let _ = app.update(Msg::Polled(Box::new(gone)));
        let text = screen(&app, size);
        assert!(text.contains("gone (killed) at 13:40:31"), "{text}");
        assert!(
            size.0 < 80 || text.contains("waiting for another one"),
            "{text}"
        );
        let _ = app.update(Msg::Polled(Box::new(restarted())));
        let name = format!("restarted_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(&app, size));
        assert_eq!(
            colour(&drawn(&app, size), "engine mixed restarted"),
            style::YELLOW
        );
        // Nothing is left of the old one, and the way it is looked at stays.
        assert_eq!((app.model().at(), app.past().len()), (snapshot(1).at, 1));
        assert_eq!(
            (app.ui.view, app.ui.details.is_none()),
            (View::Workqueues, true)
        );
        press(&mut app, &[Act::Back]);
        assert!(!screen(&app, size).contains("restarted"));
    }
}

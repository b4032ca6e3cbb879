//! The Timeline: the kernel documentation's example of three items on one CPU, as the events would tell it.

use super::*;
use wq_trace::{Event, FuncId, PoolId, Snapshot, Wake, What, WorkerId, WorkerRow, WqId};

const MS: u64 = 1_000_000;
const POOL: PoolId = PoolId(3);
/// The state is of this long after the beginning.
const NOW: u64 = 40 * MS;

fn worker(n: u32) -> WorkerId {
    WorkerId(900 + n)
}

/// The state that the events lead to: three idle workers, nothing waits.
fn state() -> Snapshot {
    let mut state = common::snapshot(1);
    let row = |n| WorkerRow {
        id: worker(n),
        pool: POOL,
        number: n,
        name: format!("kworker/0:{n}"),
        tid: 5_000 + n,
        since: state.at,
        ..WorkerRow::default()
    };
    state.workers = (0..3).map(row).collect();
    for pool in &mut state.pools {
        pool.nr_pending = 0;
    }
    state
}

/// w0 burns 5 ms, sleeps 10, burns 5; w1 and w2 burn 5 ms and sleep 10; each starts when the one before sleeps.
fn events(end: u64) -> Vec<Event> {
    let mut events = Vec::new();
    let begins = end - NOW;
    let mut add = |ms: u64, n: u32, what| {
        events.push(Event {
            at: begins + ms * MS,
            cpu: 0,
            tid: 5_000 + n,
            wq: WqId(1),
            pool: POOL,
            worker: worker(n),
            func: FuncId(1 + n),
            from: FuncId::NONE,
            work: n.into(),
            what,
        });
    };
    const SLEEP: What = What::WorkerSleep { nr_running: 0 };
    const RESUME: What = What::WorkerResume { nr_running: 1 };
    const WAKE: What = What::WorkerWake {
        reason: Wake::Sleep,
    };
    for n in 0..3 {
        add(0, n, What::ActivateWork);
    }
    for (n, begins) in [(0, 0), (1, 5), (2, 10)] {
        if n > 0 {
            add(begins, n, WAKE);
        }
        add(begins, n, What::ExecuteStart);
        add(begins + 5, n, SLEEP);
        add(begins + 15, n, RESUME);
        let burns = if n == 0 { 5 } else { 0 };
        add(begins + 15 + burns, n, What::ExecuteEnd);
        add(begins + 15 + burns, n, What::WorkerIdle { nr_idle: 1 });
    }
    events.sort_by_key(|event| event.at);
    events
}

fn timeline(size: (u16, u16), update: Update) -> App {
    let mut app = App::new(Model::new(Limits::default()), None, Vec::new());
    let _ = app.update(Msg::Resize(size.0, size.1));
    let _ = app.update(Msg::Polled(Box::new(update)));
    press(&mut app, &[Act::Show(View::Timeline)]);
    // 50 ms across.
    press(&mut app, &[Act::Zoom { closer: true }; 4]);
    app
}

fn whole() -> Update {
    let snapshot = state();
    Update {
        events: events(snapshot.at),
        snapshot: Some(snapshot),
        ..Update::default()
    }
}

#[test]
fn the_documented_timeline_can_be_recognised() {
    for size in SIZES {
        let app = timeline(size, whole());
        let name = format!("timeline_documented_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name, screen(&app, size));
    }
    let buffer = drawn(&timeline((120, 40), whole()), (120, 40));
    assert_eq!(colour(&buffer, "╌"), style::BLUE);
    assert_eq!(colour(&buffer, "█"), Color::Indexed(80));
}

#[test]
fn by_cpu_there_is_what_ran_there() {
    let size = (80, 24);
    let mut app = timeline(size, whole());
    press(&mut app, &[Act::TurnLanes]);
    insta::assert_snapshot!("timeline_by_cpu_80x24", screen(&app, size));
}

#[test]
fn where_events_are_missing_nothing_is_paired() {
    let size = (80, 24);
    let mut update = whole();
    let gap = wq_trace::past::Gap {
        lost: 12,
        ring: None,
        until: None,
    };
    update.gaps = vec![(8, gap)];
    let app = timeline(size, update);
    let shown = drawn(&app, size);
    let lane = (0..24).find(|y| {
        text(&shown)
            .lines()
            .nth(*y)
            .unwrap()
            .contains("kworker/0:1")
    });
    let torn = (0..80).map(|x| &shown[(x, lane.unwrap() as u16)]);
    let torn: Vec<_> = torn.filter(|cell| cell.symbol() == "~").collect();
    assert!(!torn.is_empty(), "{}", text(&shown));
    assert!(torn.iter().all(|cell| cell.fg == style::RED));
    insta::assert_snapshot!("timeline_torn_80x24", text(&shown));
}

#[test]
fn the_rows_words_and_keys() {
    let size = (120, 40);
    let mut app = timeline(size, whole());
    let said = screen(&app, size);
    let first = "kworker/0:0: 1 execution, mostly of";
    assert!(said.contains(first), "{said}");
    assert!(
        said.contains("ran 10.0 ms, asleep 10.0 ms in 50.0 ms"),
        "{said}"
    );
    press(&mut app, &[Act::Go(Step::Up)]);
    let said = screen(&app, size);
    assert!(said.contains("at most 3 items waited"), "{said}");
    // Earlier than all that is kept there is nothing to scroll to.
    press(&mut app, &[Act::ScrollLeft]);
    assert!(screen(&app, size).contains("End goes there"));
    press(&mut app, &[Act::Present]);
    assert!(!screen(&app, size).contains("End goes there"));
    // Enter opens what the row is about, Esc goes back to it.
    press(&mut app, &[Act::Go(Step::Down), Act::Choose]);
    let subject = app.ui.details.as_ref().unwrap().subject();
    assert_eq!(subject.kind(), "worker");
    press(&mut app, &[Act::Back]);
    let rows = 4 + 3;
    let hit = wq_monitor::view::hit(&app, 3, rows);
    assert!(matches!(hit, Some(Msg::Select(3))), "{hit:?}");
}

#[test]
fn no_size_and_no_zoom_breaks_it() {
    let mut app = timeline((120, 40), whole());
    for closer in [true, false] {
        for _ in 0..17 {
            press(&mut app, &[Act::Zoom { closer }, Act::ScrollLeft]);
            for (width, height) in [
                (1, 1),
                (20, 5),
                (21, 6),
                (33, 7),
                (9, 40),
                (200, 4),
                (250, 60),
            ] {
                let _ = app.update(Msg::Resize(width, height));
                drawn(&app, (width, height));
            }
        }
    }
}

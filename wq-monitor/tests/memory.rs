//! Two hours of a busy engine, as fast as it goes: memory is bounded. Alone in its process, whose memory it looks at.

mod common;

use common::{SECOND, app, snapshot};
use wq_monitor::app::{Msg, View};
use wq_monitor::source::Update;
use wq_trace::{Event, Liveness};

/// Memory in use, in MiB.
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size() as u64 / (1 << 20)
}

/// What a second brings: in the first minutes more events than are kept, later fewer, of ever other threads.
fn second(round: u64, template: &[Event]) -> Update {
    let count = if round < 100 { 40_000 } else { 400 };
    let state = snapshot(round);
    let begun = state.at - SECOND;
    let event = |n: u64| Event {
        at: begun + n * SECOND / count,
        tid: (round * 7 + n % 5) as u32,
        ..template[n as usize % template.len()]
    };
    Update {
        events: (0..count).map(event).collect(),
        snapshot: Some(state),
        liveness: Liveness::Live,
        ..Update::default()
    }
}

#[test]
fn two_hours_take_no_more_memory_than_one() {
    let mut app = app(View::Overview, 1, (120, 40));
    let template = common::events(1);
    let mut after = Vec::new();
    for round in 2..=7_200 {
        let _ = app.update(Msg::Polled(Box::new(second(round, &template))));
        assert!(app.past().bytes() <= 64 << 20);
        if round % 3_600 == 0 {
            after.push(memory());
        }
    }
    let [first, second] = after[..] else {
        panic!("two hours: {after:?}");
    };
    assert!(first < 300, "{after:?} MiB");
    assert!(second <= first + first / 10 + 4, "{after:?} MiB");
}

//! An hour in a moment: what the monitor remembers of a large and busy engine stays within bounds. A binary of its own,
//! so that nothing else takes memory meanwhile.

mod common;

use common::{SECOND, app, events, press, snapshot};
use std::time::Instant;
use wq_monitor::app::{Act, Effect, Msg, View};
use wq_monitor::source::Update;
use wq_trace::past::Keep;
use wq_trace::{Event, Liveness, Snapshot, WorkerId};

/// Memory of this process that is in use, in MiB.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc");
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("pages");
    (pages * rustix::param::page_size() as u64) >> 20
}

/// A thousand workers at the end of a round.
fn state(like: &Snapshot, round: u64) -> Snapshot {
    let mut state = snapshot(round);
    state.workers.clone_from(&like.workers);
    state
}

fn thousand() -> Snapshot {
    let mut state = snapshot(1);
    let few = state.workers.clone();
    for n in 0..1_000 {
        let mut worker = few[n % few.len()].clone();
        worker.id = WorkerId(n as u32 + 1);
        worker.number = n as u32;
        state.workers.push(worker);
    }
    state.workers.drain(..few.len());
    state
}

/// A second of a million events, or a thousandth of them, which stands for it.
fn second(round: u64, all: bool) -> Vec<Event> {
    let like = events(round);
    let (count, step) = if all {
        (1_000_000, 1_000)
    } else {
        (1_000, 1_000_000)
    };
    let from = snapshot(round - 1).at;
    let event = |n: u64| {
        let mut event = like[n as usize % like.len()];
        event.at = from + n * step;
        event
    };
    (0..count).map(event).collect()
}

#[test]
fn an_hour_of_a_million_events_a_second_stays_within_bounds() {
    let like = thousand();
    let mut app = app(View::Workers, 0, (120, 40));
    let keep = Keep::default();
    let (before, mut most) = (resident(), 0);
    for round in 1..=3_600 {
        // A few whole seconds, among them the last ones: only they count for what is kept.
        let all = round > 3_590 || round % 900 < 2;
        let update = Update {
            snapshot: Some(state(&like, round)),
            events: second(round, all),
            liveness: Liveness::Live,
            ..Update::default()
        };
        let _ = app.update(Msg::Polled(Box::new(update)));
        assert!(app.past().bytes() <= keep.bytes, "round {round}");
        assert!(app.past().events().len() <= keep.events, "round {round}");
        assert!(app.past().len() <= keep.states, "round {round}");
        if round % 900 == 0 {
            // Held, gone back and let go again: the room for it is given back.
            let start = Instant::now();
            for act in [Act::Time(-1), Act::Time(-10)] {
                assert_eq!(app.update(Msg::Act(act)), Effect::Draw);
                assert!(app.model().at() < round * SECOND + snapshot(0).at);
            }
            most = most.max(resident());
            println!(
                "round {round}: {most} MiB, {:?} for two steps",
                start.elapsed()
            );
            press(&mut app, &[Act::Present]);
        }
    }
    let grown = most.max(resident()).saturating_sub(before);
    println!("grew by {grown} MiB, {} states", app.past().len());
    // 64 of states, 22 of events and the same of held ones, two models, and 80 of a second of events on its way.
    assert!(grown < 250, "{grown} MiB");
}

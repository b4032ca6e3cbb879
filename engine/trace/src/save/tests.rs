//! What is written is what was kept, and what is missing is said where it is missing.

use super::*;
use crate::event::{Event, What};
use crate::fixture;
use crate::past::Keep;
use crate::reader::{From, Loss, Next, Reader};
use crate::snapshot::Liveness;
use std::path::Path;

const S: u64 = 1_000_000_000;

fn state(at: u64) -> Snapshot {
    let mut snapshot = fixture::snapshot();
    snapshot.at = at;
    snapshot
}

fn event(at: u64) -> Event {
    let what = if at.is_multiple_of(2) {
        What::ExecuteStart
    } else {
        What::ExecuteEnd
    };
    Event {
        at,
        work: at / 2,
        ..fixture::event(what)
    }
}

/// Twelve seconds of an engine, the last three of them with all their events but some.
fn past() -> Past {
    let mut past = Past::new(Keep {
        events_for: 3 * S,
        ..Keep::default()
    });
    past.gap(77, Some(0), Some(100 * S));
    for second in 100..=112 {
        past.snapshot(&state(second * S));
        (1..=4).for_each(|n| past.event(&event(second * S + n)));
        if second == 111 {
            past.gap(5, Some(2), Some(111 * S + 3));
            past.lost(5);
        }
    }
    past
}

/// All that a recording gives: what is lost, and the stamps of events.
fn told(reader: &Reader) -> Vec<Result<u64, Loss>> {
    let mut cursor = reader.cursor(From::Oldest);
    let mut told = Vec::new();
    loop {
        match cursor.next(u64::MAX) {
            Next::Record(event) => told.push(Ok(event.at)),
            Next::Lost(_) => told.extend(cursor.losses().into_iter().map(Err)),
            Next::Idle | Next::WriterGone | Next::End => return told,
        }
    }
}

fn read(bytes: Vec<u8>) -> Reader {
    Reader::from_source(bytes, Path::new("window")).expect("a recording")
}

#[test]
fn a_recording_of_the_past_is_read_back_equal() {
    let past = past();
    let mut bytes = Vec::new();
    let saved = recording(&past, &mut bytes, RecordingEnd::Stopped).expect("written");
    let kept = past.events().len();
    assert_eq!((saved.states, saved.events, saved.lost), (13, kept, 5));
    let reader = read(bytes);
    let is = |states: Vec<Snapshot>| format!("{states:?}");
    let states = reader.latest(100).expect("states");
    assert_eq!(is(states), is(past.states().cloned().collect()));
    let told = told(&reader);
    let events: Vec<u64> = told.iter().filter_map(|it| it.ok()).collect();
    assert_eq!(events, past.events().map(|it| it.at).collect::<Vec<_>>());
    // 13 times 4 events came, and 77 were overwritten before anybody looked.
    let before = Loss {
        ring: Loss::NO_RING,
        lost: 77 + 52 - kept as u64,
        until: Some(events[0]),
    };
    assert_eq!(told[0], Err(before));
    let gap = Loss {
        ring: 2,
        lost: 5,
        until: Some(111 * S + 3),
    };
    let place = told.iter().position(|it| *it == Err(gap));
    assert_eq!(place, Some(told.len() - 5), "before the last second");
    assert_eq!(reader.liveness().expect("an end"), Liveness::Recorded);
}

#[test]
fn what_is_held_is_written_as_it_was_then() {
    let mut past = past();
    past.hold();
    let (events, until) = (past.events().len(), past.held_until());
    assert_eq!(until, Some(112 * S));
    for second in 113..150 {
        past.snapshot(&state(second * S));
        past.event(&event(second * S));
    }
    assert_eq!(past.events().len(), events);
    let mut bytes = Vec::new();
    let saved = recording(&past, &mut bytes, RecordingEnd::Gone).expect("written");
    assert_eq!((saved.states, saved.events, saved.lost), (13, events, 5));
    // The same by another thread, while this one goes on.
    let kept = past.kept();
    let thread = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        recording(&kept, &mut bytes, RecordingEnd::Gone).map(|_| bytes)
    });
    past.snapshot(&state(200 * S));
    assert_eq!(thread.join().expect("no panic").expect("written"), bytes);
    assert_eq!(read(bytes).snapshot().expect("a state").at, 112 * S);
    past.release();
    assert_eq!(past.events().len(), 0, "all are older than three seconds");
    past.event(&event(200 * S));
    assert_eq!(past.gaps().count(), 0, "it was before them");
    let before = past.before().expect("much came before");
    let after = past.events().len() as u64;
    assert_eq!(before.lost, 77 + 5 + 52 + 38 - after);
}

#[test]
fn a_trace_says_what_was_lost() {
    let past = past();
    let mut bytes = Vec::new();
    let saved = trace(&past, Format::Ftrace, &mut bytes).expect("written");
    let text = String::from_utf8(bytes).expect("text");
    assert!(text.contains("# lost 5 events"), "{text}");
    assert_eq!(
        text.matches("workqueue_execute_start").count(),
        saved.events / 2
    );
    let mut bytes = Vec::new();
    assert_eq!(
        trace(&past, Format::Perfetto, &mut bytes).expect("written"),
        saved
    );
    assert!(bytes.windows(13).any(|part| part == b"lost 5 events"));
}

#[test]
fn of_nothing_there_is_no_file() {
    let past = Past::new(Keep::default());
    let error = recording(&past, Vec::new(), RecordingEnd::Stopped).unwrap_err();
    assert!(error.to_string().contains("nothing"), "{error}");
    assert!(trace(&past, Format::Perfetto, Vec::new()).is_err());
}

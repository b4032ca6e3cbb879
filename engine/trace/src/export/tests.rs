//! What comes out, packet by packet.

use super::decode::{Wire, fields, show};
use super::*;
use crate::event::{Hold, REQ_CPU_LOCAL, Wake};
use crate::fixture;
use crate::ids::{FuncId, PoolId, WorkerId, WqId};
use proptest::prelude::*;
use std::collections::HashMap;

const WORKER: u32 = 4711;
const PRODUCER: u32 = 4720;

fn event(at: u64, tid: u32, work: u64, what: What) -> Event {
    let worker = if tid == WORKER {
        WorkerId(1)
    } else {
        WorkerId::NONE
    };
    Event {
        at,
        tid,
        work,
        worker,
        ..fixture::event(what)
    }
}

fn queue(at: u64, work: u64) -> Event {
    let (req_cpu, cpu) = (REQ_CPU_LOCAL, 0);
    event(at, PRODUCER, work, What::QueueWork { req_cpu, cpu })
}

fn everything<'a>() -> Wanted<'a> {
    Box::new(|_, _| true)
}

fn idle() -> Snapshot {
    Snapshot {
        workers: vec![],
        ..fixture::snapshot()
    }
}

/// An export of Perfetto's, as the packets that `feed` makes, shown.
fn packets(
    snapshot: &Snapshot,
    options: Options,
    feed: impl FnOnce(&mut Exporter<'_, &mut Vec<u8>>),
) -> Vec<String> {
    let mut out = Vec::new();
    let format = Format::Perfetto;
    let mut exporter =
        Exporter::new(format, &mut out, snapshot, everything(), options).expect("it writes");
    feed(&mut exporter);
    exporter.finish(snapshot).expect("it writes");
    let file = fields(&out).expect("packets");
    file.iter()
        .map(|(_, packet)| show(packet.bytes()))
        .collect()
}

const ALL: Options = Options {
    from: 0,
    complete: true,
    from_now: false,
    counters: false,
};

#[test]
fn an_items_life_in_packets() {
    let got = packets(&idle(), ALL, |to| {
        for event in [
            queue(1_000, 5),
            event(1_000, PRODUCER, 5, What::ActivateWork),
            event(1_500, WORKER, 5, What::ExecuteStart),
            event(1_600, WORKER, 5, What::WorkerSleep { nr_running: 0 }),
            event(1_700, WORKER, 5, What::WorkerResume { nr_running: 1 }),
            event(2_500, WORKER, 5, What::ExecuteEnd),
        ] {
            to.event(&event).expect("it writes");
        }
    });
    insta::assert_snapshot!(got.join("\n"));
}

/// The track events among packets: (stamp, type, name if it is new).
fn track_events(packets: &[String]) -> Vec<&str> {
    let tracks = packets.iter().filter(|packet| packet.starts_with("8:"));
    tracks.map(String::as_str).collect()
}

#[test]
fn nothing_is_paired_across_a_loss() {
    let got = packets(&idle(), ALL, |to| {
        to.event(&queue(1_000, 5)).expect("it writes");
        to.event(&event(1_100, WORKER, 7, What::ExecuteStart))
            .expect("it writes");
        to.lost(12, 3_000).expect("it writes");
        for event in [
            event(1_500, WORKER, 7, What::ExecuteEnd),
            event(2_000, WORKER, 5, What::ExecuteStart),
            queue(2_100, 9),
            event(3_100, WORKER, 5, What::ExecuteEnd),
            event(3_200, WORKER, 9, What::ExecuteStart),
        ] {
            to.event(&event).expect("it writes");
        }
    });
    let lost = got
        .iter()
        .filter(|packet| packet.contains("lost 12 events"))
        .count();
    assert_eq!(lost, 1, "{got:#?}");
    // The wait of 5 is drawn up to the loss; 9 was queued while something was missing, so it has none.
    let waits = got
        .iter()
        .filter(|packet| packet.contains("\"waits of mixed\""))
        .count();
    assert_eq!(waits, 1, "{got:#?}");
    let arrows = got.iter().filter(|packet| packet.contains(" 48:")).count();
    assert_eq!(arrows, 0, "no arrow ends anywhere: {got:#?}");
    let at_loss = track_events(&got)
        .iter()
        .filter(|packet| packet.starts_with("8:1100 "))
        .count();
    assert_eq!(
        at_loss, 4,
        "begin, the wait's end, its end, and the loss: {got:#?}"
    );
}

#[test]
fn what_reaches_into_the_window_is_drawn_whole() {
    let options = Options { from: 5_000, ..ALL };
    let got = packets(&idle(), options, |to| {
        for event in [
            event(1_000, WORKER, 1, What::ExecuteStart),
            event(2_000, WORKER, 1, What::ExecuteEnd),
            queue(2_500, 3),
            event(3_000, WORKER, 2, What::ExecuteStart),
            event(6_000, WORKER, 2, What::ExecuteEnd),
            event(7_000, WORKER, 3, What::ExecuteStart),
        ] {
            to.event(&event).expect("it writes");
        }
    });
    let stamps: Vec<_> = track_events(&got)
        .iter()
        .filter_map(|packet| packet.split(' ').next())
        .collect();
    // Execution 2, the wait and execution of 3.
    assert_eq!(
        stamps,
        ["8:3000", "8:6000", "8:2500", "8:7000", "8:7000", "8:7000"]
    );
}

#[test]
fn what_was_going_on_when_the_window_began_is_known_from_the_state() {
    let mut snapshot = fixture::snapshot();
    snapshot.workers[0].started_at = 400;
    let options = Options {
        complete: false,
        from_now: true,
        ..ALL
    };
    let got = packets(&snapshot, options, |to| {
        let end = event(1_000, WORKER, 0x2a, What::ExecuteEnd);
        to.event(&end).expect("it writes");
    });
    let events = track_events(&got);
    assert_eq!(events.len(), 2, "{got:#?}");
    assert!(events[0].starts_with("8:400 ") && events[1].starts_with("8:1000 "));
}

#[test]
fn an_execution_whose_beginning_was_lost_is_known_from_the_state() {
    let mut snapshot = fixture::snapshot();
    snapshot.workers[0].started_at = 400;
    let got = packets(&snapshot, ALL, |to| {
        to.lost(3, 500).expect("it writes");
        to.event(&queue(1_000, 5)).expect("it writes");
    });
    assert!(
        got.iter().any(|packet| packet.starts_with("8:400 ")),
        "{got:#?}"
    );
}

#[test]
fn only_so_many_names_are_kept() {
    let mut snapshot = idle();
    let names = 40_000;
    snapshot.functions = (2..names)
        .map(|id| crate::snapshot::FunctionRow {
            id: FuncId(id),
            name: format!("function_{id}"),
            ..Default::default()
        })
        .collect();
    let got = packets(&snapshot, ALL, |to| {
        for id in 2..names {
            let start = Event {
                func: FuncId(id),
                ..event(u64::from(id), WORKER, id.into(), What::ExecuteStart)
            };
            to.event(&start).expect("it writes");
            let end = event(u64::from(id), WORKER, id.into(), What::ExecuteEnd);
            to.event(&end).expect("it writes");
        }
    });
    let cleared = got
        .iter()
        .filter(|packet| packet.contains(" 13:3 "))
        .count();
    assert_eq!(cleared, 3, "the names began again");
}

#[test]
fn ftrace_text_has_the_header_and_comments_for_losses() {
    let mut out = Vec::new();
    let options = Options { from: 1_000, ..ALL };
    let mut exporter =
        Exporter::new(Format::Ftrace, &mut out, &idle(), everything(), options).expect("it writes");
    exporter.event(&queue(999, 4)).expect("it writes");
    exporter.lost(7, 0).expect("it writes");
    exporter.event(&queue(1_000, 5)).expect("it writes");
    let summary = exporter.finish(&idle()).expect("it writes");
    assert_eq!((summary.events, summary.lost), (2, 7));
    let text = String::from_utf8(out).expect("text");
    assert!(text.starts_with("# tracer: nop\n#\n"), "{text}");
    let last: Vec<_> = text.lines().rev().take(2).collect();
    let line = "      producer-0-4720    [003] .....     0.000001: workqueue_queue_work: work struct=0000000000000005 function=flush_cache workqueue=mixed req_cpu=8192 cpu=0";
    assert_eq!(last, [line, "# lost 7 events"]);
}

/// Any event of a small world.
fn any_event() -> impl Strategy<Value = Event> {
    let what = prop::sample::select(vec![
        What::QueueWork { req_cpu: 0, cpu: 0 },
        What::ActivateWork,
        What::ExecuteStart,
        What::ExecuteEnd,
        What::HoldWork { reason: Hold::Node },
        What::CancelWork {
            was: crate::event::Was::Inactive,
        },
        What::WorkerCreate { nr_workers: 3 },
        What::WorkerDestroy { nr_workers: 0 },
        What::WorkerWake { reason: Wake::Hog },
        What::WorkerIdle { nr_idle: 0 },
        What::WorkerSleep { nr_running: 0 },
        What::WorkerResume {
            nr_running: u32::MAX,
        },
        What::ManagerStart,
        What::ManagerEnd,
        What::CpuIntensive { cpu_us: 1 },
        What::Rescue,
        What::FlushStart {
            target: crate::event::FlushTarget::Work,
        },
        What::FlushEnd {
            target: crate::event::FlushTarget::Work,
        },
        What::Freeze {
            flags: 0,
            max_active: 1,
        },
        What::Thaw {
            flags: 0,
            max_active: 1,
        },
    ]);
    (what, 0_u64..50, 0_u32..4, 0_u32..3, 0_u64..4, 0_u32..3).prop_map(
        |(what, at, tid, pool, work, worker)| Event {
            at,
            tid,
            pool: PoolId(pool),
            worker: WorkerId(worker),
            wq: WqId(worker),
            work,
            ..fixture::event(what)
        },
    )
}

/// Of each track, how many slices began and ended, in the order of packets.
fn depths(file: &[(u32, Wire)]) -> HashMap<u64, i64> {
    let mut depths = HashMap::new();
    for (_, packet) in file {
        let packet = fields(packet.bytes()).expect("a packet");
        let Some((_, event)) = packet.iter().find(|(n, _)| *n == 11) else {
            continue;
        };
        let event = fields(event.bytes()).expect("an event");
        let number = |field| {
            let found = event.iter().find(|(n, _)| *n == field);
            found.map(|(_, wire)| match wire {
                Wire::Varint(n) | Wire::Fixed64(n) => *n,
                Wire::Bytes(bytes) => panic!("bytes: {bytes:?}"),
            })
        };
        let depth = depths.entry(number(11).expect("a track")).or_insert(0);
        match number(9) {
            Some(1) => *depth += 1,
            Some(2) => *depth -= 1,
            _ => {}
        }
        assert!(*depth >= 0, "an end without a beginning");
    }
    depths
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_every_slice_ends(
        events in prop::collection::vec((any_event(), prop::option::weighted(0.05, 0_u64..60)), 0..200),
        from in 0_u64..60, complete: bool, from_now: bool,
    ) {
        let mut out = Vec::new();
        let options = Options { from, complete, from_now, counters: true };
        let snapshot = fixture::snapshot();
        let mut exporter = Exporter::new(Format::Perfetto, &mut out, &snapshot, everything(), options)?;
        for (event, lost) in &events {
            if let Some(until) = lost {
                exporter.lost(3, *until)?;
            }
            exporter.event(event)?;
        }
        let summary = exporter.finish(&snapshot)?;
        prop_assert_eq!(summary.events, events.len() as u64);
        let depths = depths(&fields(&out).expect("packets"));
        prop_assert!(depths.values().all(|&depth| depth == 0), "{depths:?}");
    }
}

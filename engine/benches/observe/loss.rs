//! From which rate on a follower misses events: one thread emits evenly into a ring of the default size, and `wq-dump
//! events --follow --json` writes them to a file.

use crate::tools;
use rustix::time::{ClockId, clock_gettime};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use wq_trace::{Event, FuncId, PoolId, PoolInfo, Segment, SegmentConfig, What, WorkerId, WqId};

/// Events a second.
const RATES: [u64; 7] = [
    50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000, 3_200_000,
];

pub fn measure(quick: bool) {
    let (rounds, seconds) = if quick { (1, 1) } else { (5, 5) };
    let Some(dump) = tools::binary("wq-dump") else {
        return;
    };
    for rate in RATES {
        let shares: Vec<f64> = (0..rounds)
            .map(|_| lost_share(&dump, rate, rate * seconds))
            .collect();
        crate::modes::row(&format!("{rate} events a second, lost"), "%", &shares);
    }
}

/// How many of a hundred events are lost.
fn lost_share(dump: &Path, rate: u64, events: u64) -> f64 {
    let dir = tempfile::tempdir().expect("a directory");
    let config = SegmentConfig {
        name: "bench-loss".to_owned(),
        dir: Some(dir.path().to_owned()),
        ..SegmentConfig::default()
    };
    let (segment, problem) = Segment::create(&config, now());
    assert!(problem.is_none(), "{problem:?}");
    let path = segment.path().expect("a file");
    let mut told = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(dir.path().join("events"))
        .expect("a file");
    let mut command = Command::new(dump);
    let command = command
        .args(["events", "--follow", "--json", "--file"])
        .arg(path);
    let quiet = command
        .stdin(Stdio::null())
        .stdout(told.try_clone().expect("a descriptor"))
        .stderr(Stdio::null());
    let mut follower = tools::Tool(quiet.spawn().expect("it starts"));
    sleep(Duration::from_millis(200));
    emit(&segment, rate, events);
    segment.mark_ended(now());
    assert!(follower.0.wait().expect("it ends").success());
    let lost = number(&last_line(&mut told), "lost");
    100.0 * lost as f64 / events as f64
}

/// Emits so many events of things that have names, a millisecond's share at a time.
fn emit(segment: &Segment, rate: u64, events: u64) {
    let wq = segment.workqueue("loss", 0, 16);
    let pool = segment.pool(PoolInfo::default());
    let func = segment.function("emitted");
    let mut emitter = segment.emitter(1, "emitter");
    let (begun, mut done) = (now(), 0);
    while done < events {
        let due = ((now() - begun) * rate / 1_000_000_000).min(events);
        for work in done..due {
            emitter.emit(&event(work, wq.id(), pool.id(), func));
        }
        done = due;
        sleep(Duration::from_millis(1));
    }
}

fn event(work: u64, wq: WqId, pool: PoolId, func: FuncId) -> Event {
    Event {
        at: now(),
        cpu: 0,
        tid: 1,
        wq,
        pool,
        worker: WorkerId::NONE,
        func,
        from: FuncId::NONE,
        work: work + 1,
        what: What::ActivateWork,
    }
}

/// The follower's account.
fn last_line(file: &mut File) -> String {
    let end = file.seek(SeekFrom::End(0)).expect("a file");
    file.seek(SeekFrom::Start(end.saturating_sub(4096)))
        .expect("a file");
    let mut tail = String::new();
    file.read_to_string(&mut tail).expect("text");
    tail.lines().last().expect("a line").to_owned()
}

/// A number of a JSON object that has no others in it.
fn number(line: &str, key: &str) -> u64 {
    let rest = line.split(&format!("\"{key}\":")).nth(1).expect("the key");
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

//! What an engine says through `tracing`.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};
use wq_engine::{Builder, Engine, Sensing, Work, WqFlags, blocking};
use wq_trace::{Counter, Reader};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);

/// Everything that was said in this process. A test looks for its own names in it.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn of_this_process() -> Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        let log = LOG.get_or_init(|| {
            let log = Log::default();
            let writer = log.clone();
            tracing_subscriber::fmt()
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .init();
            log
        });
        log.clone()
    }

    fn lines_with(&self, word: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        let lines = text.lines().filter(|line| line.contains(word));
        lines.map(str::to_owned).collect()
    }
}

fn until(mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < LONG, "it never comes true");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn on_one_cpu(name: &str) -> Builder {
    Engine::builder().name(name).cpus([0])
}

/// An item that waits, inside `blocking` or not, until its gate is opened or gone.
fn gated(name: &str, hint: bool) -> (Work, mpsc::Sender<()>) {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let work = Work::named(name, move |_| {
        let wait = || _ = gate.lock().unwrap().recv_timeout(LONG);
        if hint { blocking(wait) } else { wait() }
    });
    (work, open)
}

#[test]
fn s9_5_a_stalled_pool_is_reported_with_what_its_workers_do() {
    let log = Log::of_this_process();
    let engine = on_one_cpu("stall")
        .sensing(Sensing::Hints)
        .watchdog_thresh(Duration::from_millis(100))
        .build()
        .unwrap();
    // It sleeps and does not say so: nobody else of its pool starts.
    let (culprit, open) = gated("stall_culprit", false);
    let victim = Work::named("stall_victim", |_| {});
    assert!(engine.schedule_work(&culprit));
    assert!(engine.schedule_work(&victim));
    let busy = |line: &String| line.contains("stall_culprit for") && line.contains(": S ");
    until(|| log.lines_with("stall_culprit").iter().any(busy));
    let said = |text: &str| assert!(!log.lines_with(text).is_empty(), "{text}");
    said(
        "ERROR wq_engine::runtime::watchdog: BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 0s!",
    );
    said("Showing busy workqueues and worker pools:");
    said("    pending: stall_victim");
    said("Showing busy workers in stalled worker pools:");
    drop(open);
    victim.flush();
}

#[test]
fn s9_5_a_worker_that_flushes_tells_what_it_waits_for() {
    let log = Log::of_this_process();
    let engine = on_one_cpu("stall-flush")
        .watchdog_thresh(Duration::from_millis(100))
        .build()
        .unwrap();
    let line = engine
        .alloc_ordered_workqueue("stall_line", WqFlags::empty())
        .unwrap();
    let (first, open) = gated("stall_first", true);
    assert!(line.queue_work(&first));
    // The BH worker waits for it, which it must not, and so the next item waits for ever.
    let (target, of) = (first.clone(), line.clone());
    let soft = engine.system_bh_wq();
    let flusher = Work::named("stall_flusher", move |_| {
        assert!(target.flush());
        of.flush();
    });
    assert!(soft.queue_work(&flusher));
    assert!(soft.queue_work(&Work::named("stall_behind", |_| {})));
    let waits = |line: &String| line.contains("waits for work stall_first");
    until(|| log.lines_with("stall_flusher for").iter().any(waits));
    assert!(!log.lines_with("flags=0x5 bh stuck for").is_empty());
    let slept = "stall_flusher slept on BH workqueue events_bh";
    assert_eq!(log.lines_with(slept).len(), 1);
    drop(open);
    soft.flush();
    assert_eq!(log.lines_with(slept).len(), 1, "once per function");
}

#[test]
fn s4_11_a_bh_item_that_sleeps_without_saying_so_is_seen() {
    let log = Log::of_this_process();
    let engine = on_one_cpu("bh-sleep")
        .sensing(Sensing::Tick)
        .build()
        .unwrap();
    let (sleeper, open) = gated("bh_sleeper", false);
    assert!(engine.system_bh_wq().queue_work(&sleeper));
    until(|| {
        !log.lines_with("bh_sleeper slept on BH workqueue events_bh")
            .is_empty()
    });
    drop(open);
    sleeper.flush();
}

#[test]
fn s4_7_a_hog_is_named_from_the_set_count_on() {
    let log = Log::of_this_process();
    let engine = on_one_cpu("hog-said")
        .cpu_intensive_thresh(Duration::from_millis(1))
        .cpu_intensive_warning_thresh(2)
        .build()
        .unwrap();
    let count = || {
        let seen = Reader::in_memory(engine.segment()).snapshot().unwrap();
        let pwqs = seen.pwqs.iter();
        pwqs.map(|pwq| pwq.counters[Counter::CpuIntensive as usize])
            .sum::<u64>()
    };
    for times in 1..=3 {
        let (stop, stopped) = mpsc::channel::<()>();
        let stopped = Mutex::new(stopped);
        let hog = Work::named("hog_said", move |_| {
            let begun = Instant::now();
            let stopped = stopped.lock().unwrap();
            while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) && begun.elapsed() < LONG {}
        });
        assert!(engine.schedule_work(&hog));
        until(|| count() == times);
        drop(stop);
        hog.flush();
    }
    let text =
        "workqueue: hog_said hogged CPU for >1000us 2 times, consider switching to WQ_UNBOUND";
    assert_eq!(log.lines_with(text).len(), 1);
    // After the second time comes the third, and then the fifth.
    assert_eq!(log.lines_with("hog_said hogged").len(), 2);
}

//! `shutdown`: a service that stores the lines of its input, and ends in the right order.
//!
//! It ends at the end of the input, or when it is told to by SIGINT or SIGTERM. In both cases whatever was accepted is
//! stored. A line `slow MS` is background work of that length, which is not worth waiting for longer than a moment.
//!
//! Exit status: 0 all was stored and nothing runs any more, 1 background work had to be left.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use wq_engine::{DelayedWork, Engine, Error, Workqueue, WqFlags, blocking};

const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_millis(500);

enum Event {
    Line(String),
    Stop(&'static str),
}

/// What happens, from two threads that may wait for ever; nothing waits for them.
fn events() -> io::Result<mpsc::Receiver<Event>> {
    let (lines, events) = mpsc::sync_channel(64);
    let signals = lines.clone();
    let mut caught = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        caught.forever().next();
        signals.send(Event::Stop("a signal"))
    });
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            lines.send(Event::Line(line))?;
        }
        lines.send(Event::Stop("the end of the input"))
    });
    Ok(events)
}

struct Service {
    /// What must be done before the end.
    store: Workqueue,
    /// What may be left undone.
    background: Workqueue,
    checkpoint: DelayedWork,
    stored: Arc<AtomicUsize>,
}

impl Service {
    fn start(engine: &Engine) -> Result<Self, Error> {
        let stored = Arc::new(AtomicUsize::new(0));
        let (count, again) = (stored.clone(), engine.system_dfl_wq().clone());
        let checkpoint = DelayedWork::named("checkpoint", move |me| {
            eprintln!("checkpoint: {} stored", count.load(Relaxed));
            again.queue_delayed_work(me, CHECKPOINT_EVERY);
        });
        let system = engine.system_dfl_wq();
        system.queue_delayed_work(&checkpoint, CHECKPOINT_EVERY);
        Ok(Self {
            store: engine.alloc_ordered_workqueue("store", WqFlags::empty())?,
            background: engine.system_long_wq().clone(),
            checkpoint,
            stored,
        })
    }

    fn accept(&self, line: String) {
        let slow = line.strip_prefix("slow ").and_then(|ms| ms.parse().ok());
        if let Some(ms) = slow {
            let nap = move || std::thread::sleep(Duration::from_millis(ms));
            self.background.spawn(move || blocking(nap));
        } else {
            let stored = self.stored.clone();
            self.store.spawn(move || {
                println!("{line}");
                stored.fetch_add(1, Relaxed);
            });
        }
    }

    /// What queues goes before what is queued, and that before what executes it. Nobody calls `accept` any more.
    fn stop(self) {
        // A timer that queues itself again: cancel it, wait for it, and let nobody arm it any more.
        self.checkpoint.disable_sync();
        // All that was accepted, and whatever that queues on the same workqueue. Nothing else gets in from now on.
        self.store.drain();
        self.store.destroy();
        eprintln!("{} stored", self.stored.load(Relaxed));
    }
}

fn run() -> Result<(), Error> {
    let engine = Engine::builder().name("shutdown").build()?;
    let service = Service::start(&engine)?;
    let events = events().map_err(|source| Error::Thread {
        name: "signals".to_owned(),
        source,
    })?;
    // The only producer: with the end of this loop nobody queues from outside.
    let why = loop {
        match events.recv() {
            Ok(Event::Line(line)) => service.accept(line),
            Ok(Event::Stop(why)) => break why,
            Err(_) => break "that nothing can happen any more",
        }
    };
    eprintln!("stopping because of {why}");
    service.stop();
    // Pending items of all workqueues are executed, timers are not. Busy: some item did not end in time. What was
    // not started is let go then; what runs goes on, and nobody waits for it.
    engine.shutdown(GRACE)
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shutdown: {error}");
            ExitCode::from(1)
        }
    }
}

//! What the tests share: engines whose workers stand still while they are asked to, and ways to look at what happened.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use wq_engine::{BUSY_RUNNING, DelayedWork, Engine, Sensing, Work, Workqueue};
use wq_trace::{From, Next, Reader, What};

/// Generous: only a hang reaches it.
pub const LONG: Duration = Duration::from_secs(60);
/// A timer that does not fire.
pub const NEVER: Duration = Duration::from_secs(3600);

/// An engine on one CPU that believes a worker to run until it says otherwise.
pub fn engine(name: &str) -> Engine {
    let builder = Engine::builder().name(name).cpus([0]);
    builder
        .sensing(Sensing::Hints)
        .build()
        .expect("an engine starts")
}

/// How often something happened.
#[derive(Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// An item that counts its executions.
    pub fn work(&self) -> Work {
        let count = self.clone();
        Work::named("count", move |_| count.add())
    }

    /// As [`Count::work`].
    pub fn delayed(&self) -> DelayedWork {
        let count = self.clone();
        DelayedWork::named("count", move |_| count.add())
    }
}

/// An execution that goes on until it is let go, and counts as running meanwhile.
pub struct Held {
    pub work: Work,
    open: mpsc::Sender<()>,
}

impl Held {
    /// An item that was queued on `wq` and runs.
    pub fn on(wq: &Workqueue) -> Self {
        let held = Self::idle();
        assert!(wq.queue_work(&held.work));
        held.wait_until_it_runs();
        held
    }

    /// An item for which each [`Held::let_go`] allows one execution to end.
    pub fn idle() -> Self {
        let (open, gate) = mpsc::channel();
        let gate = Mutex::new(gate);
        let work = Work::named("held", move |_| {
            let _ = gate.lock().unwrap().recv_timeout(LONG);
        });
        Self { work, open }
    }

    pub fn wait_until_it_runs(&self) {
        until(|| self.work.busy() == BUSY_RUNNING);
    }

    pub fn let_go(&self) {
        self.open.send(()).expect("the item exists");
    }
}

/// Waits for something that is bound to happen.
pub fn until(mut happened: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !happened() {
        assert!(begun.elapsed() < LONG, "it does not happen");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// The steps of all items with this name so far, in order.
pub fn steps(engine: &Engine, name: &str) -> Vec<What> {
    let reader = Reader::in_memory(engine.segment());
    let snapshot = reader.snapshot().expect("the segment is whole");
    let named = |row: &&wq_trace::FunctionRow| row.name == name;
    let func = snapshot
        .functions
        .iter()
        .find(named)
        .expect("it was seen")
        .id;
    let mut cursor = reader.cursor(From::Oldest);
    let mut steps = Vec::new();
    loop {
        match cursor.next(u64::MAX) {
            Next::Record(event) if event.func == func => steps.push(event.what),
            Next::Record(_) => {}
            Next::Lost(lost) => panic!("{lost} events lost"),
            Next::Idle | Next::End | Next::WriterGone => return steps,
        }
    }
}

/// What the engine has said in this process so far.
pub fn warnings() -> Vec<String> {
    listen().lock().unwrap().clone()
}

/// How often exactly this was said.
pub fn said(warning: &str) -> usize {
    warnings().iter().filter(|said| *said == warning).count()
}

/// Listens from now on; called first by every test that asks for warnings.
pub fn listen() -> &'static Mutex<Vec<String>> {
    static SAID: OnceLock<&'static Mutex<Vec<String>>> = OnceLock::new();
    SAID.get_or_init(|| {
        let said: &'static Mutex<Vec<String>> = Box::leak(Box::default());
        tracing::subscriber::set_global_default(Listener(said)).expect("nobody else listens");
        said
    })
}

struct Listener(&'static Mutex<Vec<String>>);

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

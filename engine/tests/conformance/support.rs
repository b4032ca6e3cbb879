//! What the tests share: engines whose workers stand still while they are asked to, and ways to look at what happened.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, mpsc};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use wq_engine::{BUSY_RUNNING, DelayedWork, Engine, Sensing, Work, Workqueue, blocking};
use wq_trace::{Event, From, Next, Reader, Snapshot, What};

/// Generous: only a hang reaches it.
pub const LONG: Duration = Duration::from_secs(60);
/// A timer that does not fire.
pub const NEVER: Duration = Duration::from_secs(3600);

/// An engine on one CPU that believes a worker to run until it says otherwise. What it warns of is kept.
pub fn engine(name: &str) -> Engine {
    listen();
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

/// A door that is shut until it is opened. Those who wait at it are known to sleep.
#[derive(Clone, Default)]
pub struct Door(Arc<(Mutex<bool>, Condvar)>);

impl Door {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub fn is_open(&self) -> bool {
        *self.0.0.lock().unwrap()
    }

    /// Waits until it is open, as a sleep that a work function tells of.
    pub fn pass(&self) {
        blocking(|| {
            let shut = self.0.0.lock().unwrap();
            let (open, timeout) = self
                .0
                .1
                .wait_timeout_while(shut, LONG, |open| !*open)
                .unwrap();
            drop(open);
            assert!(!timeout.timed_out(), "nobody opens the door");
        });
    }

    /// Queues an item that runs until the door is open, and waits until it runs.
    pub fn guard(&self, wq: &Workqueue, name: &str) -> Work {
        let (inside, door) = (Self::default(), self.clone());
        let work = Work::named(name, {
            let inside = inside.clone();
            move |_| {
                inside.open();
                door.pass();
            }
        });
        assert!(wq.queue_work(&work));
        inside.pass();
        work
    }
}

/// Waits for something that is bound to happen.
#[track_caller]
pub fn until(mut happened: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !happened() {
        assert!(begun.elapsed() < LONG, "it does not happen");
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// The state of an engine.
pub fn snapshot(engine: &Engine) -> Snapshot {
    let reader = Reader::in_memory(engine.segment());
    reader.snapshot().expect("the segment is whole")
}

/// Everything that the engine has told so far, in order.
pub fn events(engine: &Engine) -> Vec<Event> {
    let mut cursor = Reader::in_memory(engine.segment()).cursor(From::Oldest);
    let mut events = Vec::new();
    loop {
        match cursor.next(u64::MAX) {
            Next::Record(event) => events.push(event),
            Next::Lost(lost) => panic!("{lost} events lost"),
            Next::Idle | Next::End | Next::WriterGone => return events,
        }
    }
}

/// How many events of this kind there were.
pub fn count(engine: &Engine, is: impl Fn(&What) -> bool) -> usize {
    let events = events(engine).into_iter();
    events.filter(|event| is(&event.what)).count()
}

/// The steps of all items with this name so far, in order.
pub fn steps(engine: &Engine, name: &str) -> Vec<What> {
    let functions = snapshot(engine).functions.into_iter();
    let known: Vec<_> = functions.filter(|row| row.name == name).collect();
    let func = known.first().expect("it was seen").id;
    let events = events(engine).into_iter();
    let own = events.filter(|event| event.func == func);
    own.map(|event| event.what).collect()
}

/// How many threads wait for an item or a workqueue at this moment.
pub fn waiting(engine: &Engine) -> usize {
    snapshot(engine).flushes.len()
}

/// What the engine has said in this process so far.
pub fn warnings() -> Vec<String> {
    listen().lock().unwrap().clone()
}

/// How often exactly this was said.
pub fn said(warning: &str) -> usize {
    warnings().iter().filter(|said| *said == warning).count()
}

/// The warnings so far that have all these words.
pub fn said_like(words: &[&str]) -> Vec<String> {
    let has_all = |said: &String| words.iter().all(|word| said.contains(word));
    warnings().into_iter().filter(has_all).collect()
}

/// Listens from now on; called first by every test that asks for warnings of an engine of its own.
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

    fn event(&self, event: &tracing::Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

//! What the tests of waiting share: doors that items stop at, and looks at the warnings and the events.

use crate::support;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use wq_engine::{Engine, Work, Workqueue, blocking};
use wq_trace::{Event, From, Next, Reader, What};

/// Generous: only a hang reaches it.
pub const LONG: Duration = Duration::from_secs(60);

pub fn engine(name: &str) -> Engine {
    support::listen();
    Engine::builder()
        .name(name)
        .cpus([0])
        .build()
        .expect("an engine starts")
}

/// Waits for something that must come.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A door that is shut until it is opened.
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

/// The warnings so far that have all these words.
pub fn said(words: &[&str]) -> Vec<String> {
    let has_all = |said: &String| words.iter().all(|word| said.contains(word));
    let said = support::warnings().into_iter();
    said.filter(has_all).collect()
}

/// Everything that the engine has told so far.
pub fn events(engine: &Engine) -> Vec<Event> {
    let mut cursor = Reader::in_memory(engine.segment()).cursor(From::Oldest);
    let mut events = Vec::new();
    loop {
        match cursor.next(u64::MAX / 2) {
            Next::Record(event) => events.push(event),
            Next::Lost(count) => panic!("{count} events are lost"),
            _ => return events,
        }
    }
}

/// How many threads wait for an item or a workqueue at this moment.
pub fn waiting(engine: &Engine) -> usize {
    let snapshot = Reader::in_memory(engine.segment()).snapshot().unwrap();
    snapshot.flushes.len()
}

/// How many events of this kind there were.
pub fn count(engine: &Engine, is: impl Fn(&What) -> bool) -> usize {
    events(engine)
        .iter()
        .filter(|event| is(&event.what))
        .count()
}

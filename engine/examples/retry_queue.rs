//! `retry_queue [MESSAGES [OUTAGE_MS [PATIENCE_MS]]]`: delivers messages to a server that is down at first.
//!
//! A message is a delayed item. An attempt that fails arms its timer again, each time for about twice as long, with
//! jitter, so that the messages do not all come back at the same moment. `max_active` limits how many attempts there
//! are at a time. Once the server is known to be up, `mod_delayed_work` lets nobody wait any longer. Whoever leaves
//! before the end disables the items: no timer fires and no attempt runs after that.
//!
//! Exit status: 0 all delivered, 1 some were not when patience was over, 2 wrong usage.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wq_engine::sim::SplitMix64;
use wq_engine::{DelayedWork, Engine, Error, Workqueue, WqFlags, blocking};

/// Attempts at a time.
const MAX_ACTIVE: usize = 2;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

struct RetryQueue {
    wq: Workqueue,
    server: Server,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// What is not delivered yet.
    open: BTreeMap<usize, Message>,
    attempts: u32,
    jitter: SplitMix64,
}

struct Message {
    work: DelayedWork,
    pause: Duration,
}

/// Takes no message before it is up.
struct Server {
    up_at: Instant,
}

impl Server {
    fn deliver(&self) -> Result<(), ()> {
        // A call over a network sleeps; who says so lets others run meanwhile.
        blocking(|| std::thread::sleep(Duration::from_millis(2)));
        if Instant::now() < self.up_at {
            Err(())
        } else {
            Ok(())
        }
    }
}

impl RetryQueue {
    fn new(engine: &Engine, server: Server) -> Result<Arc<Self>, Error> {
        Ok(Arc::new(Self {
            wq: engine.alloc_workqueue("retry_queue", WqFlags::UNBOUND, MAX_ACTIVE)?,
            server,
            state: Mutex::new(State {
                open: BTreeMap::new(),
                attempts: 0,
                jitter: SplitMix64::new(1, "jitter"),
            }),
            changed: Condvar::new(),
        }))
    }

    fn send(self: &Arc<Self>, id: usize) {
        // The queue keeps the item, so the item does not keep the queue.
        let queue = Arc::downgrade(self);
        let work = DelayedWork::named("deliver", move |_| {
            if let Some(queue) = queue.upgrade() {
                queue.attempt(id);
            }
        });
        let message = Message {
            work: work.clone(),
            pause: FIRST_PAUSE,
        };
        self.lock().open.insert(id, message);
        self.wq.queue_delayed_work(&work, Duration::ZERO);
    }

    /// Never twice at a time for one message: an item does not overlap itself.
    fn attempt(&self, id: usize) {
        // `hurry` may have queued the item once more while it was delivered.
        if !self.lock().open.contains_key(&id) {
            return;
        }
        let result = self.server.deliver();
        let mut state = self.lock();
        state.attempts += 1;
        if result.is_ok() {
            state.open.remove(&id);
            drop(state);
            self.changed.notify_all();
            self.hurry();
            return;
        }
        let jitter = state.jitter.next_unit();
        if let Some(message) = state.open.get_mut(&id) {
            let pause = message.pause.mul_f64(0.5 + jitter);
            message.pause = (message.pause * 2).min(LONGEST_PAUSE);
            self.wq.queue_delayed_work(&message.work, pause);
        }
    }

    /// The server is up: nobody waits for a timer any more.
    fn hurry(&self) {
        for message in self.lock().open.values() {
            if message.work.expires().is_some() {
                self.wq.mod_delayed_work(&message.work, Duration::ZERO);
            }
        }
    }

    /// Waits until all is delivered, or patience is over. Returns what is not.
    fn wait(&self, patience: Duration) -> Vec<usize> {
        let open = |state: &mut State| !state.open.is_empty();
        let waited = self.changed.wait_timeout_while(self.lock(), patience, open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.open.keys().copied().collect()
    }

    /// After this nothing of any message runs, whoever tries to queue it.
    fn cancel(&self) {
        // Without the lock: a running attempt takes it.
        let works: Vec<_> = self.lock().open.values().map(|m| m.work.clone()).collect();
        for work in works {
            work.disable_sync();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run(messages: usize, outage: Duration, patience: Duration) -> Result<usize, Error> {
    let engine = Engine::builder().name("retry_queue").build()?;
    let up_at = Instant::now() + outage;
    let queue = RetryQueue::new(&engine, Server { up_at })?;
    for id in 0..messages {
        queue.send(id);
    }
    let left = queue.wait(patience);
    queue.cancel();
    queue.wq.destroy();
    let attempts = queue.lock().attempts;
    println!("{} delivered in {attempts} attempts", messages - left.len());
    if !left.is_empty() {
        println!("not delivered: {left:?}");
    }
    engine.shutdown(Duration::from_secs(5))?;
    Ok(left.len())
}

/// What the command line says, or the defaults.
fn arguments() -> Option<(usize, Duration, Duration)> {
    let args: Result<Vec<u64>, _> = std::env::args().skip(1).map(|arg| arg.parse()).collect();
    let args = args.ok().filter(|args| args.len() <= 3)?;
    let or = |ix: usize, default| args.get(ix).copied().unwrap_or(default);
    let (outage, patience) = (or(1, 300), or(2, 5000));
    let messages = usize::try_from(or(0, 8)).ok()?;
    Some((
        messages,
        Duration::from_millis(outage),
        Duration::from_millis(patience),
    ))
}

fn main() -> ExitCode {
    let Some((messages, outage, patience)) = arguments() else {
        eprintln!("usage: retry_queue [MESSAGES [OUTAGE_MS [PATIENCE_MS]]]");
        return ExitCode::from(2);
    };
    match run(messages, outage, patience) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("retry_queue: {error}");
            ExitCode::from(1)
        }
    }
}

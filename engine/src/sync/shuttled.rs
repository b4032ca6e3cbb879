//! Threads, waits with a timeout, and time itself under shuttle, which knows no time.
//!
//! Here time stands still while somebody can run without it, or does not: that is the schedule's choice. A thread that
//! waits with a timeout is always runnable. When it is its turn and nobody waits for an earlier moment, the clock
//! jumps to the end of its wait. So timeouts come in the order of their deadlines and at any moment, and whoever waits
//! without one is woken by somebody or is part of a deadlock, which shuttle reports.
//!
//! All threads of a schedule share one thread of the system, whose this world is.

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync as theirs;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};
use std::time::Duration;

/// The clock does not come to this moment.
const NEVER: u64 = u64::MAX / 2;

/// What shuttle does not know of a schedule's threads.
#[derive(Default)]
struct World {
    /// Nanoseconds since the schedule began.
    now: u64,
    /// Who waits with a timeout, by deadline.
    waiting: BTreeSet<(u64, usize)>,
    /// Threads whose park token is there.
    tokens: BTreeSet<usize>,
    /// Parks may end for no reason.
    spurious: bool,
    /// Who waits for something, and how often a thread's CPU clock was read or its wait ended: that clock.
    asleep: BTreeSet<usize>,
    ran: BTreeMap<usize, u64>,
    /// The CPUs that a thread may use, if somebody has said so.
    cpus: BTreeMap<usize, Vec<usize>>,
}

std::thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

fn world<R>(f: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| f(&mut world.borrow_mut()))
}

fn me() -> usize {
    shuttle::thread::current().id().into()
}

/// A schedule begins: nobody has done anything yet.
pub(crate) fn begin() {
    // In every other schedule: a thread that wakes up of its own accord does without a wake-up that is lost.
    let spurious = thread_rng().gen_bool(0.5);
    world(|world| {
        *world = World {
            spurious,
            ..World::default()
        }
    });
}

/// The moment, in nanoseconds; never the same twice.
pub(crate) fn now() -> u64 {
    world(|world| {
        world.now += 1;
        world.now
    })
}

/// A number for the calling thread, from 1 on.
pub(crate) fn thread_id() -> u32 {
    me() as u32 + 1
}

/// The CPU clock of the thread with this number. It moves whenever somebody looks while the thread does not sleep.
pub(crate) fn cpu_clock_of(tid: u32) -> u64 {
    let thread = tid as usize - 1;
    world(|world| {
        let awake = !world.asleep.contains(&thread);
        let ran = world.ran.entry(thread).or_default();
        *ran += u64::from(awake);
        *ran
    })
}

/// Whether the thread with this number waits for something.
pub(crate) fn sleeps(tid: u32) -> bool {
    world(|world| world.asleep.contains(&(tid as usize - 1)))
}

/// The calling thread sleeps while `wait` waits.
fn asleep<R>(wait: impl FnOnce() -> R) -> R {
    world(|world| world.asleep.insert(me()));
    let result = wait();
    world(|world| {
        world.asleep.remove(&me());
        *world.ran.entry(me()).or_default() += 1;
    });
    result
}

/// The CPUs that the thread with this number may use, if that was said.
pub(crate) fn cpus_of(tid: u32) -> Option<Vec<usize>> {
    world(|world| world.cpus.get(&(tid as usize - 1)).cloned())
}

/// Says which.
pub(crate) fn set_cpus_of(tid: u32, cpus: Vec<usize>) {
    world(|world| world.cpus.insert(tid as usize - 1, cpus));
}

/// Waits until `over`, or until the clock has come to the end of `timeout`. Returns whether it was the clock.
fn wait_for(timeout: Duration, mut over: impl FnMut() -> bool) -> bool {
    let timeout = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    let mine = world(|world| (world.now.saturating_add(timeout), me()));
    world(|world| world.waiting.insert(mine));
    let timed_out = loop {
        shuttle::thread::yield_now();
        if over() {
            break false;
        }
        if mine.0 < NEVER && world(|world| world.waiting.first() == Some(&mine)) {
            world(|world| world.now = world.now.max(mine.0));
            break true;
        }
    };
    world(|world| world.waiting.remove(&mine));
    timed_out
}

/// As the standard library's. Its guard knows its mutex, for waits with a timeout.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(theirs::Mutex<T>);

/// See [`Mutex`].
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T> {
    inner: theirs::MutexGuard<'a, T>,
    of: &'a Mutex<T>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(theirs::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.guard(self.0.lock())
    }

    pub(crate) fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let of = self;
        match self.0.try_lock() {
            Ok(inner) => Ok(MutexGuard { inner, of }),
            Err(TryLockError::Poisoned(poisoned)) => {
                let inner = poisoned.into_inner();
                Err(TryLockError::Poisoned(PoisonError::new(MutexGuard {
                    inner,
                    of,
                })))
            }
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
        }
    }

    fn guard<'a>(
        &'a self,
        locked: LockResult<theirs::MutexGuard<'a, T>>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let of = self;
        match locked {
            Ok(inner) => Ok(MutexGuard { inner, of }),
            Err(poisoned) => Err(PoisonError::new(MutexGuard {
                inner: poisoned.into_inner(),
                of,
            })),
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

/// As the standard library's. A notification also wakes everybody who waits with a timeout: a spurious wake-up, which
/// every caller has to expect.
#[derive(Debug, Default)]
pub(crate) struct Condvar {
    inner: theirs::Condvar,
    notified: AtomicU64,
}

impl Condvar {
    pub(crate) fn notify_one(&self) {
        self.inner.notify_one();
        self.notified.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn notify_all(&self) {
        self.inner.notify_all();
        self.notified.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        guard.of.guard(asleep(|| self.inner.wait(guard.inner)))
    }

    /// Also returns whether it was the clock that ended the wait.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let (mutex, before) = (guard.of, self.notified.load(Ordering::Relaxed));
        drop(guard);
        let notified = || self.notified.load(Ordering::Relaxed) != before;
        let timed_out = asleep(|| wait_for(timeout, notified));
        match mutex.lock() {
            Ok(guard) => Ok((guard, timed_out)),
            Err(poisoned) => Err(PoisonError::new((poisoned.into_inner(), timed_out))),
        }
    }
}

/// For model checks with shuttle: something that a work function waits for without telling the engine. Who waits sleeps,
/// as the engine's canaries see it.
#[derive(Debug, Default)]
pub struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// Waits until it is open.
    pub fn pass(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            open = self
                .opened
                .wait(open)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Opens it, for good.
    pub fn open(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }
}

/// As the standard library's module.
pub(crate) mod thread {
    use super::{asleep, me, wait_for, world};
    pub(crate) use shuttle::thread::{ThreadId, yield_now};
    use std::io;
    use std::time::Duration;

    /// A handle by which a thread is woken.
    #[derive(Clone, Debug)]
    pub(crate) struct Thread(shuttle::thread::Thread);

    impl Thread {
        pub(crate) fn id(&self) -> ThreadId {
            self.0.id()
        }

        pub(crate) fn unpark(&self) {
            self.0.unpark();
            // Nobody runs between the two.
            world(|world| world.tokens.insert(self.0.id().into()));
        }
    }

    pub(crate) fn current() -> Thread {
        Thread(shuttle::thread::current())
    }

    pub(crate) fn park() {
        let over = || world(|world| world.tokens.remove(&me()) || world.spurious);
        asleep(|| {
            loop {
                // The checker's may end for no reason.
                shuttle::thread::park();
                if over() {
                    break;
                }
            }
        });
    }

    pub(crate) fn park_timeout(timeout: Duration) {
        let me = me();
        let has_token = || world(|world| world.tokens.contains(&me));
        if !asleep(|| wait_for(timeout, has_token)) {
            // The token is there: it is taken, and nobody waits.
            park();
        }
    }

    /// See [`Builder`].
    #[derive(Debug)]
    pub(crate) struct JoinHandle<T> {
        inner: shuttle::thread::JoinHandle<T>,
        thread: Thread,
    }

    impl<T> JoinHandle<T> {
        pub(crate) fn thread(&self) -> &Thread {
            &self.thread
        }

        pub(crate) fn join(self) -> std::thread::Result<T> {
            self.inner.join()
        }
    }

    /// How a thread is started.
    #[derive(Debug)]
    pub(crate) struct Builder(shuttle::thread::Builder);

    impl Builder {
        pub(crate) fn new() -> Self {
            Self(shuttle::thread::Builder::new())
        }

        pub(crate) fn name(self, name: String) -> Self {
            Self(self.0.name(name))
        }

        pub(crate) fn spawn<T: Send + 'static>(
            self,
            body: impl FnOnce() -> T + Send + 'static,
        ) -> io::Result<JoinHandle<T>> {
            let inner = self.0.spawn(body)?;
            let thread = Thread(inner.thread().clone());
            Ok(JoinHandle { inner, thread })
        }
    }
}

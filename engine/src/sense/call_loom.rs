//! The hand-over between a pool and its canary under loom, with each step left out once: then the model must fail. Run
//! by `cargo loom-engine`.
//!
//! The canary's loop and the pool are cut down to what they say to each other; [`Call`], [`Armed`] and [`Mark`] are the
//! real ones. There is no tick here, so a wake-up that is lost ends in a deadlock, which loom reports. Who sleeps waits for
//! a token of its own, which may also come for no reason once, as a park may end.

use super::super::mark::Mark;
use super::{Armed, Call, weak};
use crate::sync::checked::fails;
use loom::sync::atomic::{AtomicBool, AtomicU64};
use loom::sync::{Mutex, Notify};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The worker that idles, and the OS id of its thread.
const IDLE: u32 = 0;
const TID: u32 = 7;
/// See [`explore`].
const PREEMPTIONS: usize = 2;

/// A pool in which one worker executes an item that sleeps, and behind it waits another.
struct Shared<const WEAK: u8> {
    call: Call<WEAK>,
    armed: Armed<WEAK>,
    /// What the canary and the idle worker are woken by.
    canary: Notify,
    idle: Notify,
    stopped: AtomicBool,
    /// The worker that sleeps.
    mark: Mark<WEAK>,
    /// What the system knows of its thread: odd while it sleeps, and another whenever it has run.
    thread: AtomicU64,
    pool: Mutex<Pool>,
}

/// What the pool's lock protects.
struct Pool {
    /// The pool believes that a worker runs.
    runs: bool,
    /// The execution that this worker is in.
    execution: u64,
}

impl Pool {
    /// Whom the canary is to wake.
    fn on_call(&self) -> Option<u32> {
        self.runs.then_some(IDLE)
    }
}

impl<const WEAK: u8> Shared<WEAK> {
    /// The canary is awake, as after an earlier call.
    fn new(call: Option<u32>) -> Arc<Self> {
        let shared = Self {
            call: Call::default(),
            armed: Armed::default(),
            canary: Notify::new(),
            idle: Notify::new(),
            stopped: AtomicBool::new(false),
            mark: Mark::default(),
            thread: AtomicU64::new(1),
            pool: Mutex::new(Pool {
                runs: true,
                execution: 1,
            }),
        };
        shared.armed.arm();
        shared.call.set(call);
        shared.mark.enter(1);
        Arc::new(shared)
    }

    /// A transition, which ends with whom the canary is to wake.
    fn transact<R>(&self, f: impl FnOnce(&mut Pool) -> (R, Option<u32>)) -> R {
        let mut pool = self.pool.lock().unwrap();
        let (result, worker) = f(&mut pool);
        let calls = self.call.set(worker);
        drop(pool);
        if calls && self.armed.arm() {
            self.canary.notify();
        }
        result
    }

    /// The canary's life until it is stopped. `look` says whether the call is to be answered; `leaves` whether it is to
    /// be left alone.
    fn watch(&self, leaves: u64, look: impl Fn() -> bool, wake: impl Fn(u64, u32) -> bool) {
        let open = || self.call.open().filter(|(number, _)| *number != leaves);
        while !self.stopped.load(Ordering::Acquire) {
            if let Some((number, worker)) = open() {
                if !look() || !wake(number, worker) {
                    thread::yield_now();
                }
            } else if self.armed.disarm(|| open().is_some()) {
                self.canary.wait();
            }
        }
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.canary.notify();
    }

    /// Looks at the worker that sleeps.
    fn look(&self) -> bool {
        let execution = self.mark.inside();
        let clock = self.thread.load(Ordering::Acquire);
        let sleeps = execution != 0 && clock % 2 == 1 && self.mark.inside() == execution;
        if sleeps {
            self.mark.find(execution, clock, 1);
        }
        sleeps
    }

    /// Takes the word, if there is one. Returns whether what was found is still so.
    fn take_word(&self, execution: u64) -> Option<bool> {
        let clock = || Some(self.thread.load(Ordering::Acquire));
        let answered = self.call.is_answered();
        answered.then(|| {
            let still = self.mark.still(execution, clock).is_some();
            self.call.take_word();
            still
        })
    }
}

/// For the models with too many steps to try everything: all schedules with so many preemptions.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(model);
}

/// A number that no call has.
const NONE_IS_LEFT: u64 = u64::MAX;

/// A pool calls while the canary goes to sleep.
fn calls<const WEAK: u8>() {
    loom::model(|| {
        let shared = Shared::<WEAK>::new(None);
        let canary = thread::spawn({
            let shared = shared.clone();
            move || {
                let once = |number, _| {
                    shared.stopped.store(true, Ordering::Relaxed);
                    shared.call.answer(number, || (), || true)
                };
                shared.watch(NONE_IS_LEFT, || true, once);
            }
        });
        shared.transact(|pool| ((), pool.on_call()));
        canary.join().unwrap();
    });
}

/// What the worker does that the canary looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sleeper {
    /// It wakes up by itself, and sleeps again in the same execution until the item behind has run.
    Resumes,
    /// It wakes up by itself, finishes, and sleeps in its next execution.
    Finishes,
}

/// The item behind runs, whatever the canary had decided while the sleeper did that.
fn decides<const WEAK: u8>(sleeper: Sleeper) {
    explore(move || {
        let shared = Shared::<WEAK>::new(Some(IDLE));
        let idle = thread::spawn({
            let shared = shared.clone();
            move || idle(&shared)
        });
        let canary = thread::spawn({
            let shared = shared.clone();
            move || {
                let wake = |number, _| shared.call.answer(number, || shared.idle.notify(), || true);
                shared.watch(NONE_IS_LEFT, || shared.look(), wake);
            }
        });
        // The system's side of the end of a sleep, and of the next one.
        shared.thread.store(2, Ordering::Release);
        if sleeper == Sleeper::Finishes {
            shared.mark.leave();
            let finished = shared.transact(|pool| {
                if !pool.runs {
                    // The idle one was told that this one sleeps, and has the item.
                    return (true, pool.on_call());
                }
                pool.execution = 2;
                shared.take_word(2);
                (false, pool.on_call())
            });
            if !finished {
                shared.mark.enter(2);
            }
        }
        shared.thread.store(3, Ordering::Release);
        // Until the item behind is done.
        idle.join().unwrap();
        canary.join().unwrap();
    });
}

/// The idle worker's life: it executes the item behind, once it may.
fn idle<const WEAK: u8>(shared: &Shared<WEAK>) {
    loop {
        let starts = shared.transact(|pool| {
            if shared.take_word(pool.execution) == Some(true) {
                pool.runs = false;
            }
            (!pool.runs, pool.on_call())
        });
        if starts {
            break;
        }
        shared.idle.wait();
    }
    shared.stop();
}

fn resumes<const WEAK: u8>() {
    decides::<WEAK>(Sleeper::Resumes);
}

fn finishes<const WEAK: u8>() {
    decides::<WEAK>(Sleeper::Finishes);
}

/// The pool calls for another worker meanwhile: that one is woken too.
fn another<const WEAK: u8>() {
    explore(|| {
        let shared = Shared::<WEAK>::new(Some(IDLE));
        let canary = thread::spawn({
            let shared = shared.clone();
            move || {
                let woken = std::cell::Cell::new(None);
                let wake = |number, worker| {
                    woken.set(Some(worker));
                    shared.call.answer(number, || shared.idle.notify(), || true)
                };
                shared.watch(NONE_IS_LEFT, || true, wake);
                assert_eq!(woken.get(), Some(IDLE + 1));
            }
        });
        // Whoever is woken comes by; the canary's word was for the first if it came before the change.
        shared.transact(|_| ((), Some(IDLE + 1)));
        for _ in 0..2 {
            loop {
                let taken = shared.transact(|_| (shared.take_word(1).is_some(), Some(IDLE + 1)));
                if taken {
                    break;
                }
                shared.idle.wait();
            }
        }
        shared.stop();
        canary.join().unwrap();
    });
}

/// The canary has left a call alone. Somebody has it look again.
fn repeats(repeated: bool) {
    loom::model(move || {
        let shared = Shared::<{ weak::NONE }>::new(Some(IDLE));
        let (first, _) = shared.call.open().expect("called");
        let canary = thread::spawn({
            let shared = shared.clone();
            move || {
                let once = |number, _| {
                    shared.stopped.store(true, Ordering::Relaxed);
                    shared.call.answer(number, || (), || true)
                };
                shared.watch(first, || true, once);
            }
        });
        shared.transact(|pool| {
            if repeated {
                shared.call.repeat();
            }
            ((), pool.on_call())
        });
        canary.join().unwrap();
    });
}

/// Another worker that comes by takes the word, and all that belongs to it.
fn comes_by<const WEAK: u8>() {
    loom::model(|| {
        let shared = Shared::<WEAK>::new(Some(IDLE));
        let (number, _) = shared.call.open().expect("called");
        let canary = thread::spawn({
            let shared = shared.clone();
            move || {
                assert!(shared.look());
                shared.call.answer(number, || (), || true);
            }
        });
        let found = shared.transact(|pool| (shared.take_word(pool.execution), pool.on_call()));
        assert_ne!(found, Some(false));
        canary.join().unwrap();
    });
}

/// The idle worker is woken by its pool, starts an item and sleeps in it, while the canary is about to wake it. The next
/// one is woken all the same.
fn starts<const WEAK: u8>() {
    explore(|| {
        let shared = Shared::<WEAK>::new(Some(IDLE));
        let canary = thread::spawn({
            let shared = shared.clone();
            move || {
                let wake = |number, worker| {
                    // The first has better things to do than to come.
                    let notify = || {
                        if worker != IDLE {
                            shared.idle.notify();
                        }
                    };
                    shared.call.answer(number, notify, || true)
                };
                shared.watch(NONE_IS_LEFT, || true, wake);
            }
        });
        shared.transact(|_| {
            shared.take_word(1);
            ((), Some(IDLE + 1))
        });
        let taken = || shared.transact(|_| (shared.take_word(1).is_some(), Some(IDLE + 1)));
        loop {
            shared.idle.wait();
            if taken() {
                break;
            }
        }
        shared.stop();
        canary.join().unwrap();
    });
}

/// What a worker does that leaves for good.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaver {
    Looks,
    DoesNotLook,
}

/// A worker leaves while the canary wakes it: no word stays behind that nobody comes for.
fn leaves<const WEAK: u8>(leaver: Leaver) {
    loom::model(move || {
        let shared = Shared::<WEAK>::new(Some(IDLE));
        let its = Arc::new(Mark::<WEAK>::default());
        its.join(TID);
        let canary = thread::spawn({
            let (shared, its) = (shared.clone(), its.clone());
            move || {
                let (number, _) = shared.call.open().expect("called");
                its.is_of(TID) && shared.call.answer(number, || (), || its.is_of(TID))
            }
        });
        its.part();
        shared.transact(|pool| {
            if leaver == Leaver::Looks {
                shared.take_word(pool.execution);
            }
            ((), pool.on_call())
        });
        canary.join().unwrap();
        assert!(shared.call.open().is_some());
    });
}

fn looks<const WEAK: u8>() {
    leaves::<WEAK>(Leaver::Looks);
}

fn does_not_look<const WEAK: u8>() {
    leaves::<WEAK>(Leaver::DoesNotLook);
}

#[test]
fn loom_call_wakes_a_canary_that_goes_to_sleep() {
    calls::<{ weak::NONE }>();
}

#[test]
fn loom_call_is_decided_though_the_sleeper_resumes() {
    resumes::<{ weak::NONE }>();
}

#[test]
fn loom_call_is_decided_though_the_sleeper_finishes() {
    finishes::<{ weak::NONE }>();
}

#[test]
fn loom_call_for_another_worker() {
    another::<{ weak::NONE }>();
}

#[test]
fn loom_call_is_answered_though_the_first_worker_is_busy_by_then() {
    starts::<{ weak::NONE }>();
}

#[test]
fn loom_call_that_was_left_is_answered_when_it_is_repeated() {
    repeats(true);
    assert!(fails(|| repeats(false)));
}

#[test]
fn loom_call_tells_whoever_comes_what_was_found() {
    comes_by::<{ weak::NONE }>();
}

#[test]
fn loom_call_leaves_no_word_with_a_worker_that_leaves() {
    looks::<{ weak::NONE }>();
    assert!(fails(does_not_look::<{ weak::NONE }>));
}

/// The model fails without the step.
macro_rules! weakened {
    ($($test:ident: $model:ident without $STEP:ident;)*) => {$(
        #[test]
        fn $test() {
            assert!(fails($model::<{ weak::$STEP }>));
        }
    )*};
}

weakened! {
    loom_call_without_the_fence_of_the_caller: starts without ARM_FENCE;
    loom_call_without_the_fence_of_who_goes_to_sleep: calls without DISARM_FENCE;
    loom_call_without_the_last_look_of_who_goes_to_sleep: calls without DISARM_LOOK;
    loom_call_that_is_not_opened_again_for_who_resumes: resumes without AGAIN;
    loom_call_that_is_not_opened_again_for_who_finishes: finishes without AGAIN;
    loom_call_that_is_not_opened_again_for_another: another without AGAIN;
    loom_call_whose_worker_is_woken_before_the_word: resumes without WOKEN_FIRST;
    loom_call_without_the_release_of_the_word: comes_by without WORD_RELEASE;
    loom_call_without_the_acquire_of_the_word: comes_by without WORD_ACQUIRE;
    loom_call_without_the_fence_of_the_word: looks without ANSWER_FENCE;
    loom_call_without_the_look_after_the_word: looks without ANSWER_LOOK;
    loom_call_without_the_fence_of_who_leaves: looks without PART_FENCE;
    loom_call_for_who_is_busy_without_the_fence_of_the_word: starts without ANSWER_FENCE;
    loom_call_for_who_is_busy_without_the_look_after_the_word: starts without ANSWER_LOOK;
    loom_call_for_who_is_busy_without_the_fence_of_the_change: starts without SET_FENCE;
    loom_call_for_who_is_busy_without_the_look_of_the_change: starts without SET_LOOK;
}

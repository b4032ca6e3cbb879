//! A flood of items on real threads: eight producers queue, cancel, flush and disable at random on workqueues of every
//! kind, while another thread freezes, drains, changes limits and attributes. Every successful queueing must be executed
//! exactly once, or be cancelled or dropped; no item ever runs twice at a time; and nothing is left after the end: no
//! thread, no item, no handle.
//!
//! `WQ_FLOOD_ITEMS` says how many queueings have to succeed; `cargo flood` asks for ten million.

#[path = "flood/items.rs"]
mod items;
#[path = "flood/tuner.rs"]
mod tuner;

use items::{Item, Kind, Queue, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use wq_engine::sim::SplitMix64;
use wq_engine::{Engine, WqFlags};
use wq_trace::{Counter, Reader, WqCounter};

/// Queueings that succeed, when nobody says how many.
const ITEMS: u64 = 200_000;
const PRODUCERS: u64 = 8;
const ITEMS_OF_A_QUEUE: usize = 48;
/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(600);

fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux tells the threads of a process");
    tasks.count()
}

/// Every kind of workqueue, and whether it is drained at times.
fn queues(engine: &Engine) -> Vec<Queue> {
    let bound = WqFlags::PERCPU;
    let kinds = [
        ("bound", bound, 0, false),
        ("bound-narrow", bound, 2, false),
        ("bound-drained", bound, 5, true),
        ("highpri", bound | WqFlags::HIGHPRI, 0, false),
        ("intensive", bound | WqFlags::CPU_INTENSIVE, 3, false),
        ("freezable", bound | WqFlags::FREEZABLE, 4, false),
        ("bh", bound | WqFlags::BH, 0, false),
        ("unbound", WqFlags::UNBOUND, 0, false),
        ("unbound-narrow", WqFlags::UNBOUND, 2, false),
        ("unbound-drained", WqFlags::UNBOUND, 0, true),
        (
            "unbound-reclaim",
            WqFlags::UNBOUND | WqFlags::MEM_RECLAIM | WqFlags::FREEZABLE,
            3,
            false,
        ),
        (
            "efficient",
            bound | WqFlags::POWER_EFFICIENT | WqFlags::MEM_RECLAIM,
            0,
            false,
        ),
    ];
    let mut queues = Vec::new();
    for (name, flags, max_active, drained) in kinds {
        let wq = engine.alloc_workqueue(name, flags, max_active);
        queues.push(Queue::new(wq.expect("a right workqueue"), drained));
    }
    for (name, flags, drained) in [
        ("ordered", WqFlags::empty(), false),
        ("ordered-reclaim", WqFlags::MEM_RECLAIM, true),
    ] {
        let wq = engine.alloc_ordered_workqueue(name, flags);
        queues.push(Queue::new(wq.expect("a right workqueue"), drained));
    }
    queues
}

fn world(engine: &Engine, token: &Arc<()>) -> Arc<World> {
    let mut world = World {
        queues: queues(engine),
        items: Vec::new(),
    };
    for queue in &world.queues {
        for number in 0..ITEMS_OF_A_QUEUE {
            let kind = match number % 12 {
                0 | 1 => Kind::Delayed,
                2 => Kind::Modified,
                3 => Kind::Rcu,
                _ => Kind::Plain,
            };
            world.items.push(Item::new(queue, kind, token.clone()));
        }
    }
    Arc::new(world)
}

/// One producer, until so many queueings have succeeded in all.
fn produce(world: &World, seed: u64, left: &AtomicU64) {
    let mut rng = SplitMix64::new(seed, "producer");
    let mut below = |n: u64| rng.next_u64() % n;
    while left.load(Ordering::Relaxed) > 0 {
        let item = &world.items[below(world.items.len() as u64) as usize];
        let queued = item.act(below(1000), below(1 << 20));
        let took = |left: u64| Some(left.saturating_sub(queued));
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, took)
            .expect("always changed");
    }
}

/// What was dropped, and whether the engine's own books agree with the items'.
fn check_books(engine: &Engine, world: &World) {
    let snapshot = Reader::in_memory(engine.segment()).snapshot();
    let snapshot = snapshot.expect("an engine's segment is readable");
    for queue in &world.queues {
        let row = snapshot.workqueues.iter();
        let row = row.clone().find(|row| row.name == queue.wq.name());
        let row = row.expect("every workqueue has a row");
        let sum = |counter: Counter| -> u64 {
            let pwqs = snapshot.pwqs.iter().filter(|pwq| pwq.wq == row.id);
            pwqs.map(|pwq| pwq.counters[counter as usize]).sum()
        };
        let books = world.books(queue);
        let name = &row.name;
        let dropped = row.counters[WqCounter::Dropped as usize];
        assert!(queue.drained || dropped == 0, "{name} was never drained");
        assert_eq!(
            books.queued,
            books.executed + books.taken_back + dropped,
            "{name}: {books:?}, {dropped} dropped"
        );
        assert_eq!(sum(Counter::Started), books.executed, "{name}");
        assert_eq!(sum(Counter::Completed), books.executed, "{name}");
        assert_eq!(
            sum(Counter::Queued),
            sum(Counter::Completed) + sum(Counter::Cancelled),
            "{name}"
        );
        for item in world.of(queue).filter(|_| !queue.drained) {
            let books = item.books();
            assert_eq!(
                books.queued,
                books.executed + books.taken_back,
                "an item of {name}: {books:?}"
            );
        }
    }
}

/// Comes true within a generous time.
fn soon(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn nothing_is_lost_doubled_or_left_over_in_a_flood() {
    let items = std::env::var("WQ_FLOOD_ITEMS").ok();
    let items = items.map_or(ITEMS, |n| n.parse().expect("WQ_FLOOD_ITEMS is a number"));
    let before = threads();
    let token = Arc::new(());
    let engine = Engine::builder().name("flood").build().expect("an engine");
    let world = world(&engine, &token);
    let (left, ends) = (AtomicU64::new(items), AtomicBool::new(false));
    let begun = Instant::now();
    let tuned = std::thread::scope(|scope| {
        let tuner = scope.spawn(|| tuner::tune(&engine, &world, &ends));
        let (world, left) = (&world, &left);
        let producers = (0..PRODUCERS).map(|seed| scope.spawn(move || produce(world, seed, left)));
        let producers: Vec<_> = producers.collect();
        for producer in producers {
            producer.join().expect("no producer fails");
        }
        ends.store(true, Ordering::Release);
        tuner.join().expect("the tuner does not fail")
    });
    soon("all items come to rest", || world.is_at_rest());
    world.queues.iter().for_each(|queue| queue.wq.flush());
    let took = begun.elapsed();
    let workers = threads() - before;
    world.check_reentry();
    check_books(&engine, &world);
    let all = world.all_books();
    let rate = all.queued as f64 / took.as_secs_f64();
    println!("{all:?} in {took:?}: {rate:.0} queueings/s, {workers} threads at the end, {tuned:?}");

    engine
        .shutdown(LONG)
        .expect("everything comes to rest in time");
    assert!(Arc::strong_count(&token) > 1);
    drop((world, engine));
    soon("no item is kept", || Arc::strong_count(&token) == 1);
    soon("no thread is left", || threads() <= before);
}

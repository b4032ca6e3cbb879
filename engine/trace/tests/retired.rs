//! Released pwqs: what they came to stays in their workqueue's totals, once, and takes no more room with each of them.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wq_trace::{
    Counter, FuncId, Limits, MemorySource, Model, PoolId, PwqFuncSlot, PwqSlot, Reader, Segment,
    SegmentConfig, Snapshot, Source, WaitPart, WqSlot,
};

fn segment() -> Segment {
    Segment::in_memory(&SegmentConfig::default(), 100)
}

fn snapshot(segment: &Segment) -> Snapshot {
    Reader::in_memory(segment).snapshot().unwrap()
}

/// A pwq of pool `pool` that ran `items` items of each function.
fn busy(
    segment: &Segment,
    wq: &WqSlot,
    pool: u32,
    functions: &[FuncId],
    items: u64,
) -> (PwqSlot, Vec<PwqFuncSlot>) {
    let pwq = segment.pwq(wq.id(), PoolId(pool));
    let mut slots = Vec::new();
    for &func in functions {
        let slot = segment.pwq_func(pwq.id(), func);
        for item in 1..=items {
            pwq.add(Counter::Queued, 1);
            slot.on_queued();
            let mut waited = [0; WaitPart::COUNT];
            waited[WaitPart::NoWorker as usize] = 10 * item;
            pwq.add(Counter::Started, 1);
            slot.on_started(&waited);
            pwq.record_wait(10 * item);
            pwq.add(Counter::Completed, 1);
            slot.on_completed(100 * item, item);
            pwq.record_run(100 * item);
        }
        slots.push(slot);
    }
    (pwq, slots)
}

/// Totals of the one workqueue, its functions and distributions, as the tools sum them up.
fn totals(s: &Snapshot) -> Vec<u64> {
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(s);
    let wq = &model.workqueues()[0];
    let mut all = wq.counters.to_vec();
    for f in model.functions().iter().skip(1) {
        all.extend([f.completed, f.run_ns, f.run_max_ns, f.wait_ns()]);
    }
    all.extend([wq.wait.count, wq.wait.sum, wq.run.count, wq.run.max]);
    all
}

#[test]
fn nothing_is_lost_and_nothing_counts_twice() {
    let segment = segment();
    let wq = segment.workqueue("w", 2, 16);
    let functions = ["f", "g"].map(|name| segment.function(name));
    let mut kept = Vec::new();
    for pool in 1..=5 {
        kept.push(busy(
            &segment,
            &wq,
            pool,
            &functions[..1 + pool as usize % 2],
            u64::from(pool),
        ));
    }
    let before = snapshot(&segment);
    for (pwq, functions) in kept.drain(1..) {
        pwq.retire(functions);
    }
    let after = snapshot(&segment);
    assert_eq!(totals(&after), totals(&before));
    assert_eq!((before.pwqs.len(), after.pwqs.len()), (5, 2));
    let former: Vec<_> = after.pwqs.iter().filter(|p| !p.pool.is_some()).collect();
    assert_eq!(former.len(), 1);
    assert_eq!(former[0].run.count(), 2 + 6 + 4 + 10);
    let mut model = Model::new(Limits::default());
    model.apply_snapshot(&after);
    assert_eq!(model.workqueues()[0].pwqs, 1, "former ones are none");
    drop(wq);
    assert_eq!(
        snapshot(&segment).pwqs.len(),
        1,
        "they go with their workqueue"
    );
}

#[test]
fn a_thousand_changes_take_the_room_of_one() {
    let segment = segment();
    let wq = segment.workqueue("w", 2, 16);
    let functions = [segment.function("f")];
    let mut size = 0;
    for round in 1..=1000_u64 {
        let (pwq, slots) = busy(&segment, &wq, 1, &functions, 1);
        pwq.retire(slots);
        if round == 2 {
            size = segment.source().len().unwrap();
        }
    }
    assert_eq!(segment.source().len().unwrap(), size);
    let s = snapshot(&segment);
    assert_eq!((s.pwqs.len(), s.pwq_funcs.len()), (1, 1));
    assert_eq!(s.pwqs[0].counters[Counter::Completed as usize], 1000);
    assert_eq!(
        (s.pwq_funcs[0].completed, s.pwqs[0].wait.count()),
        (1000, 1000)
    );
}

/// After the end rows stay where they are; what is released then still counts once.
#[test]
fn a_release_after_the_end_counts_once() {
    let segment = segment();
    let wq = segment.workqueue("w", 2, 16);
    let functions = [segment.function("f")];
    let (pwq, slots) = busy(&segment, &wq, 1, &functions, 3);
    segment.mark_ended(200);
    pwq.retire(slots);
    drop(wq);
    let s = snapshot(&segment);
    let completed = s
        .pwqs
        .iter()
        .map(|p| p.counters[Counter::Completed as usize]);
    assert_eq!(completed.sum::<u64>(), 3);
}

/// Reads a segment, in the midst of which something happens.
struct Meanwhile<F> {
    source: MemorySource,
    reads: AtomicUsize,
    /// The number of the reading before which it happens.
    at: usize,
    happens: F,
}

impl<F> std::fmt::Debug for Meanwhile<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "something happens before reading {}", self.at)
    }
}

impl<F: Fn() + Send + Sync> Source for Meanwhile<F> {
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> std::io::Result<usize> {
        if self.reads.fetch_add(1, Ordering::Relaxed) == self.at {
            (self.happens)();
        }
        self.source.read_at(offset, bytes)
    }

    fn len(&self) -> std::io::Result<u64> {
        self.source.len()
    }
}

/// Whenever in the midst of a reader's work a pwq is released: its totals are there, once. The workqueue has so many
/// pwqs that a reader needs several pieces to see them: one it has read before the release, where its totals go after.
#[test]
fn a_reader_that_races_sees_each_total_once() {
    for at in 0..40 {
        let segment = segment();
        let wq = segment.workqueue("w", 2, 16);
        let func = segment.function("f");
        let mut first = Some(busy(&segment, &wq, 1, &[func], 2));
        let mut others: Vec<_> = (0..400).map(|_| segment.pwq(wq.id(), PoolId(2))).collect();
        // Where totals go is made now, behind all the others.
        segment.pwq(wq.id(), PoolId(1)).retire([]);
        others.truncate(399);
        let release = Mutex::new(move || {
            if let Some((pwq, functions)) = first.take() {
                pwq.retire(functions);
            }
        });
        let source = Meanwhile {
            source: segment.source(),
            reads: AtomicUsize::new(0),
            at,
            happens: move || (release.lock().unwrap())(),
        };
        let reader = Reader::from_source(source, Path::new("x"));
        let s = reader.unwrap().snapshot().unwrap();
        let completed = s
            .pwqs
            .iter()
            .map(|p| p.counters[Counter::Completed as usize]);
        let of_function = s.pwq_funcs.iter().map(|f| f.completed);
        let waits = s.pwqs.iter().map(|p| p.wait.count());
        let sums = (
            completed.sum::<u64>(),
            of_function.sum::<u64>(),
            waits.sum::<u64>(),
        );
        assert_eq!((sums, s.torn), ((2, 2, 2), 0), "before reading {at}");
    }
}

/// A process that is killed while totals move: the file says that they may be wrong.
#[test]
fn a_release_that_never_ends_is_said() {
    let segment = segment();
    let wq = segment.workqueue("w", 2, 16);
    wq.add(wq_trace::WqCounter::Armed, 1);
    let source = segment.source();
    let mut bytes = vec![0; source.len().unwrap() as usize];
    let mut done = 0;
    while done < bytes.len() {
        done += source.read_at(done as u64, &mut bytes[done..]).unwrap();
    }
    bytes[111 * 8] = 1;
    let reader = Reader::from_source(bytes, Path::new("x")).unwrap();
    let s = reader.snapshot().unwrap();
    assert_eq!((s.torn, s.workqueues.len()), (1, 1));
}

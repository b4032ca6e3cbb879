//! A cursor reads ahead: what a ring holds waits in the cursor, not in the ring, until it is its turn.

use wq_trace::{
    Cursor, Emitter, Event, From, FuncId, MERGE_DELAY_NS, MOST_AHEAD, Next, PoolId, Reader,
    Segment, SegmentConfig, What, WorkerId, WqId,
};

const MS: u64 = 1_000_000;
/// When the tests begin.
const BEGIN: u64 = 1_000 * MS;

fn event(at: u64, work: u64) -> Event {
    Event {
        at,
        cpu: 0,
        tid: 1,
        wq: WqId(1),
        pool: PoolId(1),
        worker: WorkerId(1),
        func: FuncId(1),
        from: FuncId::NONE,
        work,
        what: What::ExecuteStart,
    }
}

/// A ring that is written, beside one that has nothing to tell: the cursor must wait for that one's older events.
struct Busy {
    emitter: Emitter,
    cursor: Cursor,
    /// Records that the ring holds.
    capacity: u64,
    /// Events emitted: their `work` counts from 0.
    emitted: u64,
    now: u64,
    _quiet: Emitter,
    _segment: Segment,
}

impl Busy {
    fn new(ring_bytes: usize) -> Self {
        let config = SegmentConfig {
            ring_bytes: ring_bytes as u64,
            ..SegmentConfig::default()
        };
        let segment = Segment::in_memory(&config, 1);
        let (emitter, mut quiet) = (segment.emitter(1, "busy"), segment.emitter(2, "quiet"));
        quiet.emit(&event(1, 0));
        let reader = Reader::in_memory(&segment);
        let mut busy = Self {
            emitter,
            cursor: reader.cursor(From::Oldest),
            capacity: 0,
            emitted: 0,
            now: BEGIN,
            _quiet: quiet,
            _segment: segment,
        };
        assert_eq!(busy.cursor.next(BEGIN), Next::Record(event(1, 0)));
        assert_eq!(busy.cursor.next(BEGIN), Next::Idle);
        busy.emit(1);
        let rings = reader.snapshot().unwrap().rings;
        busy.capacity = rings.iter().find(|ring| ring.tid == 1).unwrap().capacity;
        busy
    }

    fn emit(&mut self, events: u64) {
        for work in self.emitted..self.emitted + events {
            self.emitter.emit(&event(BEGIN + work, work));
        }
        self.emitted += events;
    }

    /// Looks at the rings, too early for anything to be given out.
    fn look(&mut self) {
        self.now += 3 * MS / 2;
        assert!(self.now < BEGIN + MERGE_DELAY_NS);
        assert_eq!(self.cursor.next(self.now), Next::Idle);
    }

    /// What comes once all is old enough: the `work` of an event, or how many were lost.
    fn rest(&mut self) -> Vec<Result<u64, u64>> {
        self.now += 2 * MERGE_DELAY_NS;
        let mut all = Vec::new();
        loop {
            match self.cursor.next(self.now) {
                Next::Record(event) => all.push(Ok(event.work)),
                Next::Lost(lost) => all.push(Err(lost)),
                Next::Idle => return all,
                Next::WriterGone | Next::End => panic!("the engine is there"),
            }
        }
    }
}

#[test]
fn three_rings_full_wait_and_none_is_lost() {
    let mut busy = Busy::new(64 * 1_100);
    assert_eq!(busy.capacity, 1_024);
    for _ in 0..3 {
        busy.emit(busy.capacity - 1);
        busy.look();
    }
    let expected: Vec<_> = (0..busy.emitted).map(Ok).collect();
    assert!(expected.len() > 3_000);
    assert_eq!(busy.rest(), expected);
    assert_eq!(busy.cursor.lost(), 0);
}

#[test]
fn rings_are_looked_at_while_events_are_given_out() {
    let mut busy = Busy::new(64 * 1_100);
    busy.emit(busy.capacity - 1);
    busy.look();
    // Each event is asked for later than the one before it: by far not all of them fit into the ring at once.
    busy.now += 2 * MERGE_DELAY_NS;
    for work in 0..10 * busy.capacity {
        assert_eq!(
            busy.cursor.next(busy.now),
            Next::Record(event(BEGIN + work, work))
        );
        busy.emit(1);
        busy.now += MS / 100;
    }
    assert_eq!(busy.cursor.lost(), 0);
}

#[test]
fn a_gap_comes_where_it_is() {
    let mut busy = Busy::new(64 * 1_100);
    let capacity = busy.capacity;
    busy.emit(capacity - 1);
    busy.look();
    busy.emit(2 * capacity);
    busy.look();
    assert_eq!(busy.cursor.lost(), 0, "what comes before it is yet to come");
    busy.now += 2 * MERGE_DELAY_NS;
    for work in 0..capacity {
        assert_eq!(
            busy.cursor.next(busy.now),
            Next::Record(event(BEGIN + work, work))
        );
    }
    assert_eq!(busy.cursor.next(busy.now), Next::Lost(capacity));
    let losses = busy.cursor.losses();
    assert_eq!(losses.len(), 1);
    assert_eq!(
        (losses[0].lost, losses[0].until),
        (capacity, Some(BEGIN + 2 * capacity))
    );
    let expected: Vec<_> = (2 * capacity..3 * capacity).map(Ok).collect();
    assert_eq!(busy.rest(), expected);
    assert!(busy.cursor.losses().is_empty());
}

#[test]
fn what_waits_is_bounded_and_the_rest_is_a_counted_loss() {
    let mut busy = Busy::new(1 << 20);
    let looks = MOST_AHEAD as u64 / busy.capacity + 4;
    busy.emit(busy.capacity - 1);
    for _ in 1..looks {
        busy.look();
        busy.emit(busy.capacity);
    }
    let all = busy.rest();
    let first = all.iter().take_while(|next| next.is_ok()).count();
    assert!((MOST_AHEAD - 512..=MOST_AHEAD).contains(&first), "{first}");
    let seen = all.iter().flatten().count() as u64;
    let lost: u64 = all.iter().filter_map(|next| next.err()).sum();
    assert!(lost > 0);
    assert_eq!(seen + lost, busy.emitted);
    assert_eq!(busy.cursor.lost(), lost);
    assert!(all.iter().flatten().is_sorted());
}

#[test]
fn an_event_takes_what_is_said() {
    assert_eq!(size_of::<Event>(), 64);
}

//! A batch: a piece of the stream of events, which needs nothing from any other one to be read.
//!
//! ```text
//!  events before it in the recording | lost before it | stamp that the first one is counted from | items
//!
//!  item    | 0 | so many were lost at this place | 0, or twice their ring + 2; and 1 more when the next follows
//!                                               | stamp of the next event of that ring, as a difference likewise
//!          | 1 | thread id | event                  a thread that is new in this batch
//!          | 2 + place of the thread in this batch | event
//!  event   | kind | mask: which fields follow | stamp, as the difference to the event before | fields
//! ```
//! All are varints but `kind`, a byte. A field that is not in the mask is as in the thread's event before (in the first:
//! 0), but `small`, `low` and `wide` are as in the event of that kind before. Fields are those of a ring's record (see
//! `record.rs`), so what is new there is new here.

use super::code::{Input, put_varint, unzigzag, zigzag};
use super::frame::{Gap, Item};
use crate::event::Event;
use crate::record::{Record, decode, encode};
use std::collections::HashMap;

/// An event's fields, each on its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fields {
    at: u64,
    kind: u8,
    tid: u32,
    /// In the order of their bits in the mask.
    own: [u64; FIELDS],
}

/// Fields that a mask has bits for: `small` `low` `wide` `cpu` `wq` `pool` `worker` `func` `from` `work`.
const FIELDS: usize = 10;
/// The first of them that are as in the event of that kind before.
const OF_KIND: usize = 3;
/// `work`, which is written as a difference.
const WORK: usize = 9;
/// Bits of each field.
const BITS: [u32; FIELDS] = [8, 32, 64, 16, 32, 32, 32, 32, 32, 64];

impl Fields {
    fn of(event: &Event) -> Self {
        let [at, mixed, place, who, work, from, wide, _] = encode(event);
        Self {
            at,
            kind: mixed as u8,
            tid: (mixed >> 32) as u32,
            own: [
                mixed >> 8 & 0xff,
                from >> 32,
                wide,
                mixed >> 16 & 0xffff,
                place & 0xffff_ffff,
                place >> 32,
                who & 0xffff_ffff,
                who >> 32,
                from & 0xffff_ffff,
                work,
            ],
        }
    }

    fn record(&self) -> Record {
        let [small, low, wide, cpu, wq, pool, worker, func, from, work] = self.own;
        [
            self.at,
            u64::from(self.kind) | small << 8 | cpu << 16 | u64::from(self.tid) << 32,
            wq | pool << 32,
            worker | func << 32,
            work,
            from | low << 32,
            wide,
            0,
        ]
    }
}

/// What writer and reader remember of a batch, alike.
#[derive(Clone, Debug)]
struct Memory {
    /// The stamp of the last event.
    at: u64,
    /// The last fields of each thread.
    threads: Vec<Fields>,
    /// The last `small`, `low` and `wide` of each kind.
    kinds: Box<[[u64; OF_KIND]; 256]>,
}

impl Memory {
    fn new(at: u64) -> Self {
        Self {
            at,
            threads: Vec::new(),
            kinds: Box::new([[0; OF_KIND]; 256]),
        }
    }

    /// What the next event of this kind and thread is expected to be.
    fn expected(&self, kind: u8, place: usize) -> [u64; FIELDS] {
        let mut own = self.threads[place].own;
        own[..OF_KIND].copy_from_slice(&self.kinds[usize::from(kind)]);
        own
    }

    fn remember(&mut self, fields: &Fields, place: usize) {
        self.at = fields.at;
        self.threads[place] = *fields;
        let of_kind = &mut self.kinds[usize::from(fields.kind)];
        of_kind.copy_from_slice(&fields.own[..OF_KIND]);
    }
}

/// A batch that is being written.
#[derive(Clone, Debug)]
pub(crate) struct BatchWriter {
    /// Events and losses before it.
    before: (u64, u64),
    first_at: Option<u64>,
    items: Vec<u8>,
    memory: Memory,
    places: HashMap<u32, usize>,
}

impl BatchWriter {
    /// An empty one, behind so many events and losses.
    pub(crate) fn new(before: (u64, u64)) -> Self {
        Self {
            before,
            first_at: None,
            items: Vec::new(),
            memory: Memory::new(0),
            places: HashMap::new(),
        }
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing stands in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Stamps are differences from the first one on.
    fn begin(&mut self, at: u64) {
        if self.first_at.is_none() {
            self.first_at = Some(at);
            self.memory.at = at;
        }
    }

    /// Says that some were lost at this place.
    pub(crate) fn lost(&mut self, gap: &Gap) {
        gap.until.into_iter().for_each(|until| self.begin(until));
        put_varint(&mut self.items, 0);
        put_varint(&mut self.items, gap.lost);
        let ring = gap.ring.map_or(0, |ring| u64::from(ring) + 1);
        put_varint(&mut self.items, ring << 1 | u64::from(gap.until.is_some()));
        if let Some(until) = gap.until {
            let step = until.wrapping_sub(self.memory.at) as i64;
            put_varint(&mut self.items, zigzag(step));
        }
    }

    /// Appends an event.
    pub(crate) fn event(&mut self, event: &Event) {
        let fields = Fields::of(event);
        self.begin(fields.at);
        let next = self.memory.threads.len();
        let place = *self.places.entry(fields.tid).or_insert(next);
        if place == next {
            put_varint(&mut self.items, 1);
            put_varint(&mut self.items, fields.tid.into());
            self.memory.threads.push(Fields::default());
        } else {
            put_varint(&mut self.items, 2 + place as u64);
        }
        self.items.push(fields.kind);
        let expected = self.memory.expected(fields.kind, place);
        let differs = |&field: &usize| fields.own[field] != expected[field];
        let news: Vec<usize> = (0..FIELDS).filter(differs).collect();
        let mask = news.iter().fold(0, |mask, field| mask | 1 << field);
        put_varint(&mut self.items, mask);
        let step = fields.at.wrapping_sub(self.memory.at) as i64;
        put_varint(&mut self.items, zigzag(step));
        for field in news {
            let value = fields.own[field];
            let written = match field {
                WORK => zigzag(value.wrapping_sub(expected[field]) as i64),
                _ => value,
            };
            put_varint(&mut self.items, written);
        }
        self.memory.remember(&fields, place);
    }

    /// The payload.
    pub(crate) fn payload(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.items.len() + 30);
        put_varint(&mut payload, self.before.0);
        put_varint(&mut payload, self.before.1);
        put_varint(&mut payload, self.first_at.unwrap_or(0));
        payload.extend_from_slice(&self.items);
        payload
    }
}

/// A batch that is being read.
#[derive(Debug)]
pub(crate) struct BatchReader {
    payload: Vec<u8>,
    /// Bytes read.
    done: usize,
    memory: Memory,
    /// Events and losses before it in the recording.
    pub(crate) before: (u64, u64),
}

impl BatchReader {
    /// Begins to read a payload; `None` when it does not begin like one.
    pub(crate) fn new(payload: Vec<u8>) -> Option<Self> {
        let mut input = Input::new(&payload);
        let before = (input.varint()?, input.varint()?);
        let memory = Memory::new(input.varint()?);
        let done = payload.len() - input.len();
        Some(Self {
            payload,
            done,
            memory,
            before,
        })
    }

    /// The stamp that the first event is counted from: its own. Only before anything was read.
    pub(crate) fn first_at(&self) -> Option<u64> {
        (self.done < self.payload.len()).then_some(self.memory.at)
    }

    /// What comes next; `None` at the end, or where it does not make sense.
    pub(crate) fn next(&mut self) -> Option<Item> {
        let mut input = Input::new(&self.payload[self.done..]);
        let item = read(&mut input, &mut self.memory);
        // What makes no sense is the end.
        self.done = match item {
            Some(_) => self.payload.len() - input.len(),
            None => self.payload.len(),
        };
        item
    }
}

fn read(input: &mut Input<'_>, memory: &mut Memory) -> Option<Item> {
    let place = match input.varint()? {
        0 => return gap(input, memory).map(Item::Lost),
        1 => {
            let tid = u32::try_from(input.varint()?).ok()?;
            memory.threads.push(Fields {
                tid,
                ..Fields::default()
            });
            memory.threads.len() - 1
        }
        n => usize::try_from(n - 2).ok()?,
    };
    let tid = memory.threads.get(place)?.tid;
    let kind = input.byte()?;
    let mask = input.varint()?;
    let at = memory.at.wrapping_add(unzigzag(input.varint()?) as u64);
    let mut own = memory.expected(kind, place);
    for field in (0..FIELDS).filter(|field| mask >> field & 1 == 1) {
        let value = input.varint()?;
        own[field] = match field {
            WORK => own[field].wrapping_add(unzigzag(value) as u64),
            _ if BITS[field] < 64 && value >> BITS[field] != 0 => return None,
            _ => value,
        };
    }
    let fields = Fields { at, kind, tid, own };
    memory.remember(&fields, place);
    Some(Item::Event(decode(&fields.record())))
}

fn gap(input: &mut Input<'_>, memory: &Memory) -> Option<Gap> {
    let lost = input.varint()?;
    let word = input.varint()?;
    let ring = match word >> 1 {
        0 => None,
        n => Some(u32::try_from(n - 1).ok()?),
    };
    let until = match word & 1 {
        0 => None,
        _ => Some(memory.at.wrapping_add(unzigzag(input.varint()?) as u64)),
    };
    Some(Gap { lost, ring, until })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::What;
    use crate::fixture;
    use proptest::prelude::*;

    /// All items of a payload.
    fn all(payload: Vec<u8>) -> Option<Vec<Item>> {
        let mut reader = BatchReader::new(payload)?;
        Some(std::iter::from_fn(|| reader.next()).collect())
    }

    fn events() -> impl Strategy<Value = Vec<Item>> {
        let fields = (
            0..4_u32,
            any::<u64>(),
            1..=32_u8,
            any::<[u16; 6]>(),
            any::<u64>(),
        );
        let item = fields.prop_map(|(tid, at, kind, ids, wide)| {
            let [cpu, wq, pool, worker, func, work] = ids.map(u64::from);
            let own = [0, wide >> 32, wide, cpu, wq, pool, worker, func, 0, work];
            let fields = Fields { at, kind, tid, own };
            match decode(&fields.record()) {
                Some(event) => Item::Event(Some(event)),
                None => Item::Lost(Gap {
                    lost: wide,
                    ring: (tid > 0).then_some(tid - 1),
                    until: (kind > 9).then_some(at),
                }),
            }
        });
        prop::collection::vec(item, 0..50)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn reading_undoes_writing(items in events()) {
            let mut writer = BatchWriter::new((5, 6));
            for item in &items {
                match item {
                    Item::Event(event) => event.iter().for_each(|event| writer.event(event)),
                    Item::Lost(gap) => writer.lost(gap),
                }
            }
            prop_assert_eq!(all(writer.payload()), Some(items));
        }

        #[test]
        fn any_bytes_are_read_to_an_end(bytes: Vec<u8>) {
            let most = bytes.len();
            prop_assert!(all(bytes).unwrap_or_default().len() <= most);
        }
    }

    #[test]
    fn an_event_like_the_one_before_takes_little() {
        let mut writer = BatchWriter::new((0, 0));
        let mut event = fixture::event(What::ExecuteStart);
        writer.event(&event);
        let first = writer.len();
        for what in [What::ExecuteEnd, What::ExecuteStart, What::ExecuteEnd] {
            event.at += 5_000;
            event.work += 1;
            event.what = what;
            writer.event(&event);
        }
        let each = (writer.len() - first) / 3;
        assert!(each <= 8, "{each} bytes");
    }

    #[test]
    fn a_kind_of_a_later_version_is_told_apart() {
        let mut writer = BatchWriter::new((0, 0));
        writer.event(&fixture::event(What::ExecuteStart));
        let mut payload = writer.payload();
        // Behind the place and the thread's id of two bytes.
        let kind = payload.len() - writer.len() + 3;
        assert_eq!(payload[kind], 3);
        payload[kind] = 200;
        assert_eq!(all(payload), Some(vec![Item::Event(None)]));
    }
}

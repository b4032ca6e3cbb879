//! The snapshot's tables as rows of bytes, and what changes from one snapshot to the next.
//!
//! ```text
//!  payload | 1 when this is everything, 0 when it is what changed | number of the frame that it builds on | tables
//!  table   | which | bytes | steps
//!  step    | 4n + 0                the next n rows of the table before
//!          | 4n + 1                without the next n rows of the table before
//!          | 4n + 2 | n bytes      a new row
//! ```
//! All are varints. A table that is left out is as before. A table of a later version is passed over. Whatever comes
//! behind the last step of a table before is gone.

use super::code::{Code, Input, put_sized, put_varint};
use super::rows::Moment;
use crate::clean::clean_name;
use crate::snapshot::Snapshot;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Tables, by their numbers in the file from 1 on.
const TABLES: usize = 13;
/// Most bytes of all rows together.
const MOST_BYTES: usize = 64 << 20;
/// Most rows of all tables together: as many as a segment shows.
const MOST_ROWS: usize = 1 << 19;

/// A row's bytes. Most stay from one snapshot to the next.
type Row = Arc<[u8]>;

/// A row on its way into the file. Rows of one key are the same thing at two moments.
#[derive(Clone, Debug)]
struct Keyed {
    key: u64,
    row: Row,
}

/// The tables as the recorder last wrote them.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    tables: [Vec<Keyed>; TABLES],
}

impl Written {
    /// The tables of a snapshot.
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        // Exhaustive: what is new in a snapshot has to be placed here.
        let Snapshot {
            at,
            meta,
            settings,
            sensing,
            workqueues,
            pools,
            pwqs,
            pwq_funcs,
            functions,
            workers,
            flushes,
            threads,
            rings,
            lost_no_ring,
            hidden_rows,
            torn,
        } = snapshot;
        let moment = Moment {
            at: *at,
            lost_no_ring: *lost_no_ring,
            hidden_rows: *hidden_rows,
            torn: *torn,
        };
        let tables = [
            rows(&[moment], |_| 0),
            rows(std::slice::from_ref(meta), |_| 0),
            rows(std::slice::from_ref(settings), |_| 0),
            rows(workqueues, |row| key(row.id)),
            rows(pools, |row| key(row.id)),
            rows(pwqs, |row| key(row.id)),
            rows(pwq_funcs, |row| key((row.pwq, row.func))),
            rows(functions, |row| key(row.id)),
            rows(workers, |row| key(row.id)),
            rows(flushes, |row| key((row.tid, row.since))),
            rows(threads, |row| key(row.tid)),
            rows(rings, |row| key(row.index)),
            rows(std::slice::from_ref(sensing), |_| 0),
        ];
        Self { tables }
    }

    /// The payload that says everything.
    pub(crate) fn whole(&self) -> Vec<u8> {
        self.payload(1, 0, |_| &[])
    }

    /// The payload that says what changed since `before`, which the frame of that number left behind.
    pub(crate) fn changes(&self, before: &Self, number: u32) -> Vec<u8> {
        self.payload(0, number, |table| &before.tables[table])
    }

    fn payload<'a>(&self, whole: u64, base: u32, before: impl Fn(usize) -> &'a [Keyed]) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, whole);
        put_varint(&mut out, base.into());
        for (index, table) in self.tables.iter().enumerate() {
            if let Some(steps) = steps(before(index), table) {
                put_varint(&mut out, index as u64 + 1);
                put_sized(&mut out, &steps);
            }
        }
        out
    }
}

fn rows<T: Code>(rows: &[T], key: impl Fn(&T) -> u64) -> Vec<Keyed> {
    let keyed = |row: &T| {
        let mut bytes = Vec::new();
        row.put(&mut bytes);
        Keyed {
            key: key(row),
            row: bytes.into(),
        }
    };
    rows.iter().map(keyed).collect()
}

fn key(identity: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}

/// What leads from a table to the next; `None` when they are alike. Keys decide only how long it gets.
fn steps(before: &[Keyed], now: &[Keyed]) -> Option<Vec<u8>> {
    let alike = |(a, b): (&Keyed, &Keyed)| a.row == b.row;
    if before.len() == now.len() && before.iter().zip(now).all(alike) {
        return None;
    }
    let stays: HashSet<u64> = now.iter().map(|row| row.key).collect();
    let mut steps = Steps::default();
    let mut old = before.iter().peekable();
    for new in now {
        while old.next_if(|row| !stays.contains(&row.key)).is_some() {
            steps.count(SKIP);
        }
        match old.next_if(|row| row.key == new.key) {
            Some(row) if row.row == new.row => steps.count(COPY),
            Some(_) => {
                steps.count(SKIP);
                steps.put(&new.row);
            }
            None => steps.put(&new.row),
        }
    }
    Some(steps.finish())
}

const COPY: u64 = 0;
const SKIP: u64 = 1;
const PUT: u64 = 2;

/// Steps, like ones in a row counted together.
#[derive(Debug, Default)]
struct Steps {
    out: Vec<u8>,
    like: Option<(u64, u64)>,
}

impl Steps {
    fn count(&mut self, step: u64) {
        match &mut self.like {
            Some((like, n)) if *like == step => *n += 1,
            _ => {
                self.write();
                self.like = Some((step, 1));
            }
        }
    }

    fn put(&mut self, row: &[u8]) {
        self.write();
        put_varint(&mut self.out, (row.len() as u64) << 2 | PUT);
        self.out.extend_from_slice(row);
    }

    fn write(&mut self) {
        if let Some((step, n)) = self.like.take() {
            put_varint(&mut self.out, n << 2 | step);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.write();
        self.out
    }
}

/// The tables as a reader knows them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    tables: HashMap<usize, Vec<Row>>,
    /// The frame that they were last changed by; `None` when there was none yet.
    number: Option<u32>,
}

impl Tables {
    /// Takes in the payload of a frame; rows that are new in it are given to `news`, too. Returns false, and changes
    /// nothing, if it builds on another frame or makes no sense.
    pub(crate) fn apply(&mut self, payload: &[u8], number: u32, news: &mut Snapshot) -> bool {
        match self.applied(payload, number, news) {
            Some(tables) => {
                *self = tables;
                true
            }
            None => false,
        }
    }

    fn applied(&self, payload: &[u8], number: u32, news: &mut Snapshot) -> Option<Self> {
        let mut input = Input::new(payload);
        let is_whole = input.varint()? == 1;
        let base = u32::try_from(input.varint()?).ok()?;
        let mut next = match is_whole {
            true => Self::default(),
            false if self.number == Some(base) => self.clone(),
            false => return None,
        };
        next.number = Some(number);
        while !input.is_empty() {
            let table = input.varint()?;
            let steps = input.sized()?;
            let Ok(table) = usize::try_from(table) else {
                continue;
            };
            if (1..=TABLES).contains(&table) {
                let before = next.tables.remove(&table).unwrap_or_default();
                next.tables.insert(
                    table,
                    follow(&before, steps, |row| {
                        add(news, table, row);
                    })?,
                );
            }
        }
        let rows = || next.tables.values().flatten();
        let bytes: usize = rows().map(|row| row.len()).sum();
        (bytes <= MOST_BYTES && rows().count() <= MOST_ROWS).then_some(next)
    }

    /// Whether any were read.
    pub(crate) fn is_empty(&self) -> bool {
        self.number.is_none()
    }

    /// When they were like this.
    pub(crate) fn at(&self) -> u64 {
        let row = self.tables.get(&1).and_then(|rows| rows.first());
        let moment: Option<Moment> = row.and_then(|row| Code::get(&mut Input::new(row)));
        moment.unwrap_or_default().at
    }

    /// The snapshot that they are. Rows that make no sense are left out, and counted as torn.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let mut senseless = 0;
        for table in 1..=TABLES {
            for row in self.tables.get(&table).into_iter().flatten() {
                senseless += u64::from(!add(&mut snapshot, table, row));
            }
        }
        snapshot.torn = snapshot.torn.saturating_add(senseless);
        snapshot
    }
}

/// The rows that steps lead to.
fn follow(before: &[Row], steps: &[u8], mut news: impl FnMut(&[u8])) -> Option<Vec<Row>> {
    let mut input = Input::new(steps);
    let mut old = before.iter();
    let mut rows = Vec::new();
    while !input.is_empty() {
        let step = input.varint()?;
        let n = step >> 2;
        match step & 3 {
            COPY if n <= old.len() as u64 => rows.extend(old.by_ref().take(n as usize).cloned()),
            SKIP if n <= old.len() as u64 => old.by_ref().take(n as usize).for_each(drop),
            PUT => {
                let row = input.take(n)?;
                news(row);
                rows.push(row.into());
            }
            _ => return None,
        }
        if rows.len() > MOST_ROWS {
            return None;
        }
    }
    Some(rows)
}

/// Adds a row of a table to a snapshot, names fit for a terminal; returns false when it makes no sense.
fn add(snapshot: &mut Snapshot, table: usize, row: &[u8]) -> bool {
    let mut input = Input::new(row);
    add_from(snapshot, table, &mut input).is_some()
}

fn add_from(s: &mut Snapshot, table: usize, input: &mut Input<'_>) -> Option<()> {
    let named = |name: &mut String| *name = clean_name(name);
    match table {
        1 => {
            let moment = Moment::get(input)?;
            (s.at, s.torn) = (moment.at, moment.torn);
            (s.lost_no_ring, s.hidden_rows) = (moment.lost_no_ring, moment.hidden_rows);
        }
        2 => {
            s.meta = Code::get(input)?;
            named(&mut s.meta.name);
        }
        3 => s.settings = Code::get(input)?,
        4 => push(&mut s.workqueues, input, |row| named(&mut row.name))?,
        5 => push(&mut s.pools, input, |_| ())?,
        6 => push(&mut s.pwqs, input, |_| ())?,
        7 => push(&mut s.pwq_funcs, input, |_| ())?,
        8 => push(&mut s.functions, input, |row| named(&mut row.name))?,
        9 => push(&mut s.workers, input, |row| {
            named(&mut row.name);
            named(&mut row.desc);
        })?,
        10 => push(&mut s.flushes, input, |_| ())?,
        11 => push(&mut s.threads, input, |row| named(&mut row.comm))?,
        12 => push(&mut s.rings, input, |_| ())?,
        13 => s.sensing = Code::get(input)?,
        _ => return None,
    }
    Some(())
}

fn push<T: Code>(rows: &mut Vec<T>, input: &mut Input<'_>, clean: impl Fn(&mut T)) -> Option<()> {
    let mut row = T::get(input)?;
    clean(&mut row);
    rows.push(row);
    Some(())
}

#[cfg(test)]
mod tests;

//! Which slots are taken: one table for each kind, grown chunk by chunk; what is freed is used again.

use super::store::Store;
use super::words::Words;
use crate::layout::{Kind, head, slot};
use std::collections::VecDeque;

/// The slots of one kind.
#[derive(Debug)]
struct Table {
    kind: Kind,
    free: Vec<Words>,
    /// Slots of the newest chunk that were never used: the first of them, and how many.
    fresh: Option<(Words, usize)>,
    next_bytes: usize,
    next_id: u32,
    used: usize,
}

/// The slots of all kinds.
#[derive(Debug)]
pub(crate) struct Tables {
    tables: [Table; Kind::SLOTS.len()],
    /// Rows of threads that are gone, oldest first: their events are still read.
    retired: VecDeque<Taken>,
}

/// Rows of threads that are gone and still shown.
const RETIRED: usize = 1024;

/// A slot that was taken. It must be given back with [`Tables::free`].
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) kind: Kind,
    pub(crate) id: u32,
    pub(crate) words: Words,
    /// Whether a reader can see it.
    pub(crate) visible: bool,
}

impl Taken {
    /// A slot that nobody sees and that has no identity.
    pub(crate) fn nowhere(kind: Kind) -> Self {
        Self {
            words: Store::hidden(kind.stride() * 8),
            ..Self::none(kind)
        }
    }

    /// What is left of a slot that went elsewhere: no words to write to.
    pub(crate) fn none(kind: Kind) -> Self {
        Self {
            kind,
            id: 0,
            words: Store::hidden(0),
            visible: false,
        }
    }
}

impl Tables {
    pub(crate) fn new(store: &Store) -> Self {
        let table = |kind| Table {
            kind,
            free: Vec::new(),
            fresh: None,
            next_bytes: store.geometry().chunk_min,
            next_id: 1,
            used: 0,
        };
        Self {
            tables: Kind::SLOTS.map(table),
            retired: VecDeque::new(),
        }
    }

    fn table(&mut self, kind: Kind) -> &mut Table {
        // A ring has no table, and nobody asks for one.
        &mut self.tables[kind.index().unwrap_or(0)]
    }

    /// How many slots of a kind are in use.
    pub(crate) fn used(&mut self, kind: Kind) -> usize {
        self.table(kind).used
    }

    /// Takes a slot, has `fill` write its fields (all 0 before), and publishes it under a new identity, or under `id`.
    pub(crate) fn take(
        &mut self,
        store: &mut Store,
        kind: Kind,
        id: Option<u32>,
        fill: impl FnOnce(&Words),
    ) -> Taken {
        let table = self.table(kind);
        let id = id.unwrap_or_else(|| {
            let id = table.next_id;
            table.next_id = id.saturating_add(1);
            id
        });
        let found = table.find(store);
        let visible = found.is_some();
        let words = found.unwrap_or_else(|| {
            store.head().add_shared(head::HIDDEN_ROWS, 1);
            Store::hidden(kind.stride() * 8)
        });
        words.exclusively(slot::SEQ, |words| {
            for word in (0..kind.stride()).filter(|&word| word != slot::SEQ) {
                words.put(word, 0);
            }
            fill(words);
            // Released after the fields, so that a process killed in the middle leaves no half-made row.
            words.set(slot::ID, id.into());
        });
        Taken {
            kind,
            id,
            words,
            visible,
        }
    }

    /// Gives a slot back.
    pub(crate) fn free(&mut self, taken: &Taken) {
        taken
            .words
            .exclusively(slot::SEQ, |words| words.put(slot::ID, 0));
        if taken.visible {
            let table = self.table(taken.kind);
            table.free.push(taken.words.clone());
            table.used -= 1;
        }
    }

    /// Gives a thread's slot back once many more threads have gone.
    pub(crate) fn retire(&mut self, taken: Taken) {
        self.retired.push_back(taken);
        if self.retired.len() > RETIRED
            && let Some(oldest) = self.retired.pop_front()
        {
            self.free(&oldest);
        }
    }
}

impl Table {
    /// A free slot; `None` when the kind's cap is reached or no chunk can be had.
    fn find(&mut self, store: &mut Store) -> Option<Words> {
        if self.used >= self.kind.cap() {
            return None;
        }
        let words = match self.free.pop() {
            Some(words) => words,
            None => self.fresh(store)?,
        };
        self.used += 1;
        Some(words)
    }

    fn fresh(&mut self, store: &mut Store) -> Option<Words> {
        let stride = self.kind.stride();
        if self.fresh.is_none() {
            let bytes = self.next_bytes.max(stride * 8);
            let words = store.grow(self.kind, bytes)?;
            self.next_bytes = (self.next_bytes * 2).min(store.geometry().chunk_max);
            let count = words.len() / stride;
            self.fresh = Some((words, count));
        }
        let (words, count) = self.fresh.take()?;
        if count > 1 {
            self.fresh = Some((words.from(stride), count - 1));
        }
        Some(words)
    }
}

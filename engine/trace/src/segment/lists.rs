//! Lists of numbers beside the slots: sets of CPUs, the pool of each CPU, shares of nodes. They are written seldom, and
//! each of their parts is seen whole.

use super::store::Store;
use super::tables::{Tables, Taken};
use super::words::{Words, pair};
use crate::layout::{Kind, LIST_ENTRIES, LIST_WORDS, Topic, list, slot};
use std::collections::BTreeMap;

/// The parts of all lists, by topic and owner.
#[derive(Debug, Default)]
pub(super) struct Lists {
    parts: BTreeMap<(Topic, u32), Vec<Taken>>,
}

impl Lists {
    /// Writes a list anew. Its parts are changed one after the other; what is too much is given back first.
    pub(super) fn set(
        &mut self,
        tables: &mut Tables,
        store: &mut Store,
        (topic, owner): (Topic, u32),
        entries: &[u32],
    ) {
        let parts = self.parts.entry((topic, owner)).or_default();
        // An empty list has one part, too: it says that it is empty.
        let needed = entries.len().div_ceil(LIST_ENTRIES).max(1);
        for surplus in parts.drain(needed.min(parts.len())..) {
            tables.free(&surplus);
        }
        for index in 0..needed {
            let first = index * LIST_ENTRIES;
            let here = &entries[first..entries.len().min(first + LIST_ENTRIES)];
            match parts.get(index) {
                Some(part) => part
                    .words
                    .exclusively(slot::SEQ, |words| fill(words, first, here)),
                None => parts.push(tables.take(store, Kind::List, None, |words| {
                    words.put(list::OWNER, pair(topic as u32, owner));
                    fill(words, first, here);
                })),
            }
        }
    }

    /// Gives a list back.
    pub(super) fn clear(&mut self, tables: &mut Tables, topic: Topic, owner: u32) {
        for part in self.parts.remove(&(topic, owner)).into_iter().flatten() {
            tables.free(&part);
        }
    }

    /// Gives all lists back that go with a slot.
    pub(super) fn clear_all_of(&mut self, tables: &mut Tables, kind: Kind, owner: u32) {
        for topic in Topic::ALL.into_iter().filter(|t| t.kind() == Some(kind)) {
            self.clear(tables, topic, owner);
        }
    }
}

fn fill(words: &Words, first: usize, entries: &[u32]) {
    words.put(list::PLACE, pair(first as u32, entries.len() as u32));
    for word in 0..LIST_WORDS {
        let entry = |at: usize| entries.get(at).copied().unwrap_or(0);
        words.put(
            list::ENTRIES + word,
            pair(entry(2 * word), entry(2 * word + 1)),
        );
    }
}

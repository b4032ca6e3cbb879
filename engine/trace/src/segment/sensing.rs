//! Writing how blocking is noticed.

use super::words::{Words, pair};
use super::{Segment, head};
use crate::clean::clean_text;
use crate::layout::{Kind, NOTE_WORDS, SHORT_WORDS, TEXT_WORDS, sensing, slot};
use crate::sensing::{Reaction, SENSING_NOTE_BYTES, SENSING_NOTES, SensingInfo};

impl Segment {
    /// Says how blocking is noticed, and why that way or what is limited: at the engine's start, and again whenever any
    /// of it has changed, as when a tier falls. A reader sees all of it or what was said before. Takes the segment's books.
    pub fn set_sensing(&self, info: &SensingInfo) {
        if self.forked() {
            return;
        }
        // The books' lock makes this the only writer.
        let books = &mut *self.inner.books();
        head::set_sensing(&self.inner.head, &info.mode, &info.reason);
        match &books.sensing {
            Some(words) => words.exclusively(slot::SEQ, |words| fill(words, info)),
            None => {
                let fill = |words: &Words| fill(words, info);
                let taken = books
                    .tables
                    .take(&mut books.store, Kind::Sensing, None, fill);
                books.sensing = Some(taken.words);
            }
        }
    }
}

fn fill(words: &Words, info: &SensingInfo) {
    let put = |at, room: usize, most: usize, text: &str| {
        words.put_text(at, room, &clean_text(text, most));
    };
    put(sensing::MODE, SHORT_WORDS, SHORT_WORDS * 8 - 1, &info.mode);
    put(
        sensing::ASKED,
        SHORT_WORDS,
        SHORT_WORDS * 8 - 1,
        &info.asked,
    );
    put(
        sensing::REASON,
        TEXT_WORDS,
        TEXT_WORDS * 8 - 1,
        &info.reason,
    );
    let (kind, rounds) = info.reaction.numbers();
    let (p50, p99) = match info.reaction {
        Reaction::Measured { p50_ns, p99_ns, .. } => (p50_ns, p99_ns),
        Reaction::Unknown | Reaction::NotMeasured | Reaction::NoAnswer => (0, 0),
    };
    words.put(sensing::REACTION, pair(kind, rounds));
    words.put(sensing::P50, p50);
    words.put(sensing::P99, p99);
    words.put(sensing::DESCRIPTORS, info.descriptors.into());
    for index in 0..SENSING_NOTES {
        let note = info.notes.get(index).map_or("", String::as_str);
        let at = sensing::NOTES + index * NOTE_WORDS;
        put(at, NOTE_WORDS, SENSING_NOTE_BYTES, note);
    }
}

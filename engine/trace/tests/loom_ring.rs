//! The ring under a model checker: every interleaving and every reordering that the memory model allows, for a ring of
//! two records and a writer that laps its reader. And each ordering left out, one at a time: then it must fail, or the
//! model could not tell. Run by `cargo loom`.
#![cfg(loom)]

use loom::sync::atomic::{AtomicU64, Ordering};
use std::convert::Infallible;
use std::sync::Arc;
use wq_trace::ring::{Memory, View, Writer, collect, weak};

const CAPACITY: u64 = 2;
/// One more than the ring holds: the last one overwrites.
const RECORDS: u64 = 3;
const RECORD_WORDS: usize = 2;
const WORDS: usize = 8 + CAPACITY as usize * RECORD_WORDS;

/// Who runs on the model's main thread; loom's search is not symmetric.
#[derive(Clone, Copy, Debug)]
enum Main {
    Writer,
    Reader,
}

#[derive(Clone)]
struct Words(Arc<Vec<AtomicU64>>);

impl Memory for Words {
    fn store(&self, at: usize, value: u64, order: Ordering) {
        self.0[at].store(value, order);
    }
}

impl View for Words {
    type Error = Infallible;

    fn copy(&self, at: usize, words: &mut [u64]) -> Result<(), Infallible> {
        for (index, word) in words.iter_mut().enumerate() {
            *word = self.0[at + index].load(Ordering::Relaxed);
        }
        Ok(())
    }
}

fn write<const WEAK: u8>(mut writer: Writer<Words, WEAK>) {
    for number in 0..RECORDS {
        writer.push(&[number + 1; RECORD_WORDS]);
    }
}

/// Reads twice: whatever is given is whole and the right one, and what is not given is counted.
fn read<const WEAK: u8>(words: &Words) {
    let mut position = 0;
    for _ in 0..2 {
        let mut buffer = [0; CAPACITY as usize * RECORD_WORDS];
        let Ok(batch) = collect::<_, WEAK>(words, CAPACITY, position, &mut buffer);
        assert!(!batch.damaged);
        assert_eq!(position + batch.lost + batch.count as u64, batch.next);
        let first = position + batch.lost;
        let records = buffer
            .chunks(RECORD_WORDS)
            .skip(batch.skip)
            .take(batch.count);
        for (index, record) in records.enumerate() {
            let expected = first + index as u64 + 1;
            assert!(
                record.iter().all(|&word| word == expected),
                "{record:?}, not {expected}"
            );
        }
        position = batch.next;
    }
}

fn model<const WEAK: u8>(main: Main) {
    loom::model(move || {
        let words = Words(Arc::new((0..WORDS).map(|_| AtomicU64::new(0)).collect()));
        let writer = Writer::<_, WEAK>::new(words.clone(), CAPACITY);
        let other = match main {
            Main::Writer => {
                let words = words.clone();
                let other = loom::thread::spawn(move || read::<WEAK>(&words));
                write(writer);
                other
            }
            Main::Reader => {
                let other = loom::thread::spawn(move || write(writer));
                read::<WEAK>(&words);
                other
            }
        };
        other.join().unwrap();
    });
}

/// Whether the model finds a fault; on a thread of its own, since a failed model leaves loom's state behind.
fn fails<const WEAK: u8>(main: Main) -> bool {
    std::thread::spawn(move || model::<WEAK>(main))
        .join()
        .is_err()
}

#[test]
fn writer_on_the_main_thread() {
    model::<{ weak::NONE }>(Main::Writer);
}

#[test]
fn reader_on_the_main_thread() {
    model::<{ weak::NONE }>(Main::Reader);
}

/// One weakening must be found with either role on the main thread.
macro_rules! must_fail {
    ($name:ident, $weak:expr) => {
        #[test]
        fn $name() {
            assert!(fails::<{ $weak }>(Main::Writer), "not seen from the writer");
            assert!(fails::<{ $weak }>(Main::Reader), "not seen from the reader");
        }
    };
}

must_fail!(without_the_fence_after_reserving, weak::RESERVE);
must_fail!(without_the_release_of_publishing, weak::PUBLISH);
must_fail!(without_the_acquire_of_published, weak::ACQUIRE);
must_fail!(without_the_fence_before_rechecking, weak::RECHECK);

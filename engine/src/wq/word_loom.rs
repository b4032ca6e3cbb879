//! An item's word under loom, with every ordering left out once: then a model must fail. Run by `cargo loom-engine`.

use super::{AtomicWord, Word, weak};
use crate::sync::checked::fails;
use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicU64;
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const POOL: u32 = 7;

#[derive(Default)]
struct Item<const WEAK: u8> {
    word: AtomicWord<WEAK>,
    /// What only the owner touches: loom fails if two do at once.
    owned: UnsafeCell<()>,
    /// What a user stored before it queued.
    stored: AtomicU64,
}

impl<const WEAK: u8> Item<WEAK> {
    /// Owns the item for a moment, if it can.
    fn own(&self) -> bool {
        let before = self.word.claim();
        if before.pending() {
            return false;
        }
        self.touch();
        true
    }

    /// The owner is at it. Loom fails if two are at once, or one does not see the other's.
    fn touch(&self) {
        self.owned.with_mut(|_| ());
    }
}

/// Two who want the item, one who lets it go and one who begins its execution: no two own it at once.
fn owners<const WEAK: u8>() {
    loom::model(|| {
        let item = Arc::new(Item::<WEAK>::default());
        let other = thread::spawn({
            let item = item.clone();
            move || {
                if item.own() {
                    item.word.release(item.word.get());
                }
            }
        });
        if item.own() {
            item.word.set(Word::on_list(POOL));
            item.touch();
            item.word.begin(POOL);
        }
        item.own();
        other.join().unwrap();
    });
}

/// A user is refused while the owner puts the item on a list, and the execution begins: it sees the user's stores.
fn refused<const WEAK: u8>() {
    loom::model(|| {
        let item = Arc::new(Item::<WEAK>::default());
        assert!(item.own());
        let user = thread::spawn({
            let item = item.clone();
            move || {
                item.stored.store(1, Ordering::Relaxed);
                item.word.claim().pending()
            }
        });
        item.word.set(Word::on_list(POOL));
        item.word.begin(POOL);
        let seen = item.stored.load(Ordering::Relaxed);
        let refused = user.join().unwrap();
        assert!(
            !refused || seen == 1,
            "the execution does not see what was stored before"
        );
    });
}

/// Who sees that the item is idle sees what its owner did.
fn seen_idle<const WEAK: u8>() {
    loom::model(|| {
        let item = Arc::new(Item::<WEAK>::default());
        let claimed = item.word.claim();
        let owner = thread::spawn({
            let item = item.clone();
            move || {
                item.stored.store(1, Ordering::Relaxed);
                item.word.release(claimed);
            }
        });
        if !item.word.get().pending() {
            assert_eq!(item.stored.load(Ordering::Relaxed), 1);
        }
        owner.join().unwrap();
    });
}

#[test]
fn loom_word_has_one_owner() {
    owners::<{ weak::NONE }>();
}

#[test]
fn loom_word_shows_the_execution_what_the_refused_stored() {
    refused::<{ weak::NONE }>();
}

#[test]
fn loom_word_that_is_idle_shows_what_its_owner_did() {
    seen_idle::<{ weak::NONE }>();
}

macro_rules! must_fail {
    ($($name:ident: $model:ident without $weak:ident;)*) => {$(
        #[test]
        fn $name() {
            assert!(fails($model::<{ weak::$weak }>));
        }
    )*};
}

must_fail! {
    loom_word_without_the_release_of_a_claim: refused without CLAIM_RELEASE;
    loom_word_without_the_acquire_of_a_claim: owners without CLAIM_ACQUIRE;
    loom_word_without_the_exchange_on_publishing: refused without SET;
    loom_word_without_the_release_on_letting_go: owners without RELEASE;
    loom_word_without_the_exchange_on_beginning: refused without BEGIN;
    loom_word_without_the_acquire_on_beginning: refused without BEGIN_ACQUIRE;
    loom_word_without_the_release_on_beginning: owners without BEGIN_RELEASE;
    loom_word_without_the_acquire_of_a_look: seen_idle without GET;
}

//! Queued items in a slab, on doubly linked lists by index: O(1) everywhere and no allocation once the slab has grown.

/// Index of an item in its pool's [`Items`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ItemIx(pub(crate) u32);

/// No item.
const NONE: u32 = u32::MAX;

/// A slab of items with their links.
#[derive(Debug)]
pub(crate) struct Items<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    len: usize,
}

#[derive(Debug)]
struct Slot<T> {
    /// `None`: on the free list, whose next is `next`.
    item: Option<T>,
    prev: u32,
    next: u32,
}

/// A list of items. The links are in the slab; an item is on one list at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    head: u32,
    tail: u32,
    len: u32,
}

impl Default for List {
    fn default() -> Self {
        Self {
            head: NONE,
            tail: NONE,
            len: 0,
        }
    }
}

impl List {
    pub(crate) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    pub(crate) fn front(&self) -> Option<ItemIx> {
        (self.head != NONE).then_some(ItemIx(self.head))
    }

    pub(crate) fn back(&self) -> Option<ItemIx> {
        (self.tail != NONE).then_some(ItemIx(self.tail))
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: NONE,
            len: 0,
        }
    }
}

impl<T> Items<T> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Adds an item that is on no list yet.
    #[inline]
    pub(crate) fn insert(&mut self, item: T) -> ItemIx {
        self.len += 1;
        let slot = Slot {
            item: Some(item),
            prev: NONE,
            next: NONE,
        };
        if self.free == NONE {
            let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 items in a pool");
            self.slots.push(slot);
            return ItemIx(index);
        }
        let index = self.free;
        let place = &mut self.slots[index as usize];
        self.free = place.next;
        *place = slot;
        ItemIx(index)
    }

    /// Takes out an item that is on no list any more.
    #[inline]
    pub(crate) fn remove(&mut self, ix: ItemIx) -> T {
        let free = self.free;
        let slot = &mut self.slots[ix.0 as usize];
        let item = slot.item.take().expect("the item is in the slab");
        slot.next = free;
        self.free = ix.0;
        self.len -= 1;
        item
    }

    pub(crate) fn get(&self, ix: ItemIx) -> &T {
        self.slots[ix.0 as usize]
            .item
            .as_ref()
            .expect("the item is in the slab")
    }

    pub(crate) fn get_mut(&mut self, ix: ItemIx) -> &mut T {
        self.slots[ix.0 as usize]
            .item
            .as_mut()
            .expect("the item is in the slab")
    }

    pub(crate) fn push_back(&mut self, list: &mut List, ix: ItemIx) {
        let slot = &mut self.slots[ix.0 as usize];
        (slot.prev, slot.next) = (list.tail, NONE);
        match list.tail {
            NONE => list.head = ix.0,
            tail => self.slots[tail as usize].next = ix.0,
        }
        list.tail = ix.0;
        list.len += 1;
    }

    pub(crate) fn unlink(&mut self, list: &mut List, ix: ItemIx) {
        let (prev, next) = {
            let slot = &self.slots[ix.0 as usize];
            (slot.prev, slot.next)
        };
        match prev {
            NONE => list.head = next,
            prev => self.slots[prev as usize].next = next,
        }
        match next {
            NONE => list.tail = prev,
            next => self.slots[next as usize].prev = prev,
        }
        list.len -= 1;
    }

    pub(crate) fn pop_front(&mut self, list: &mut List) -> Option<ItemIx> {
        let front = list.front()?;
        self.unlink(list, front);
        Some(front)
    }

    /// The item before `ix` on its list.
    pub(crate) fn before(&self, ix: ItemIx) -> Option<ItemIx> {
        let prev = self.slots[ix.0 as usize].prev;
        (prev != NONE).then_some(ItemIx(prev))
    }

    /// The item after `ix` on its list.
    pub(crate) fn after(&self, ix: ItemIx) -> Option<ItemIx> {
        let next = self.slots[ix.0 as usize].next;
        (next != NONE).then_some(ItemIx(next))
    }

    /// The list from its front.
    pub(crate) fn iter(&self, list: &List) -> impl Iterator<Item = ItemIx> {
        let mut at = list.head;
        std::iter::from_fn(move || {
            (at != NONE).then(|| {
                let ix = ItemIx(at);
                at = self.slots[at as usize].next;
                ix
            })
        })
    }

    /// Every item, on whatever list.
    pub(crate) fn all(&self) -> impl Iterator<Item = ItemIx> {
        self.slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.item.is_some())
            .map(|(index, _)| ItemIx(index as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_leave_from_anywhere_and_slots_are_used_again() {
        let (mut items, mut list) = (Items::default(), List::default());
        let [a, b, c] = ["a", "b", "c"].map(|name| items.insert(name));
        for ix in [a, b, c] {
            items.push_back(&mut list, ix);
        }
        assert_eq!((items.before(c), items.after(b)), (Some(b), Some(c)));
        items.unlink(&mut list, b);
        assert_eq!(items.remove(b), "b");
        let d = items.insert("d");
        assert_eq!(d, b);
        items.push_back(&mut list, d);
        let names: Vec<_> = items.iter(&list).map(|ix| *items.get(ix)).collect();
        assert_eq!((names, list.len()), (vec!["a", "c", "d"], 3));
        assert_eq!(items.pop_front(&mut list), Some(a));
        assert_eq!(
            (list.front(), list.back(), items.len()),
            (Some(c), Some(d), 3)
        );
    }
}

//! How many are active, and who comes first.

use super::judge::{At, Instance, Judge};
use std::collections::HashMap;
use wq_engine::WqFlags;
use wq_trace::{PoolId, WqId};

/// What a limit is for: a bound workqueue's pwq, or a node of an unbound one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Share {
    Pool(WqId, PoolId),
    Node(WqId, Option<u16>),
    Ordered(WqId),
}

/// What keeps its own inactive list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pwq {
    Pool(WqId, PoolId),
    Cpu(WqId, u16),
    Ordered(WqId),
}

impl Judge<'_> {
    /// `None`: it cannot be told whose slots it takes.
    fn share_of(&self, instance: &Instance) -> Option<Share> {
        let Instance { wq, pool, .. } = *instance;
        if self.facts.has(wq, WqFlags::ORDERED) {
            return Some(Share::Ordered(wq));
        }
        if self.facts.has(wq, WqFlags::UNBOUND) {
            let node = self.nodes.get(&pool);
            return node.map(|node| Share::Node(wq, *node));
        }
        Some(Share::Pool(wq, pool))
    }

    /// The limit in force, frozen or not.
    fn limit_of(&self, share: Share) -> usize {
        match share {
            Share::Pool(wq, _) | Share::Ordered(wq) => self.limits[&wq].0,
            Share::Node(wq, node) => {
                let (max, min) = self.limits[&wq];
                self.facts.share(node, max, min)
            }
        }
    }

    /// At most `max_active` are active per CPU when bound, per node share when not.
    pub fn within_limit(&mut self, index: usize) {
        let Some(share) = self.share_of(&self.instances[index]) else {
            return;
        };
        let live = self.live.iter().map(|&i| &self.instances[i]);
        let active = live.filter(|i| i.holds_slot() && self.share_of(i) == Some(share));
        let (active, limit) = (active.count(), self.limit_of(share));
        let instance = self.instances[index].clone();
        self.hold(active <= limit, || {
            format!("{active} active of {limit} with {instance:?}")
        });
    }

    fn pwq_of(&self, instance: &Instance) -> Option<Pwq> {
        let Instance { wq, pool, .. } = *instance;
        if self.facts.has(wq, WqFlags::ORDERED) {
            return Some(Pwq::Ordered(wq));
        }
        if self.facts.has(wq, WqFlags::UNBOUND) {
            return instance.pwq_cpu.map(|cpu| Pwq::Cpu(wq, cpu));
        }
        Some(Pwq::Pool(wq, pool))
    }

    /// Held items of a pwq become active in the order of their queueing, and nobody jumps their queue.
    pub fn in_order_among_held(&mut self, index: usize) {
        let Some(pwq) = self.pwq_of(&self.instances[index]) else {
            return;
        };
        let earlier = self.live.range(..index).map(|&i| &self.instances[i]);
        let mut earlier = earlier.filter(|i| i.at == At::Inactive);
        let overtaken = earlier.find(|i| self.pwq_of(i) == Some(pwq)).cloned();
        let instance = self.instances[index].clone();
        self.hold(overtaken.is_none(), || {
            format!("{instance:?} becomes active before {overtaken:?}")
        });
    }

    /// Active items start in the order in which they became active; an item behind itself may be overtaken, and where
    /// there is a rescuer the order is that of each pwq. An ordered workqueue keeps to the order of queueing, one
    /// at a time.
    pub fn in_order_of_start(&mut self, index: usize) {
        let me = self.instances[index].clone();
        let At::Active(mine) = me.at else {
            return;
        };
        let rescued = !self.facts.rescuers.is_empty();
        let pwq = self.pwq_of(&me);
        let before = |other: &Instance| match other.at {
            At::Active(theirs) => {
                theirs < mine
                    && other.pool == me.pool
                    && !other.behind_itself
                    && (!rescued || pwq.is_some() && self.pwq_of(other) == pwq)
            }
            _ => false,
        };
        let mut live = self.live.iter().map(|&i| &self.instances[i]);
        let overtaken = live.find(|other| before(other)).cloned();
        self.hold(overtaken.is_none(), || {
            format!("{me:?} starts before {overtaken:?}")
        });
        if self.facts.has(me.wq, WqFlags::ORDERED) {
            let earlier = self.live.range(..index).map(|&i| &self.instances[i]);
            let mut earlier = earlier.filter(|i| i.wq == me.wq && !i.is_over());
            let earlier = earlier.next().cloned();
            self.hold(earlier.is_none(), || {
                format!("ordered: {me:?} starts while there is {earlier:?}")
            });
        }
    }

    /// Nothing is held while there is room.
    pub fn room_is_used(&mut self) {
        let mut held: HashMap<Share, usize> = HashMap::new();
        let mut active: HashMap<Share, usize> = HashMap::new();
        for instance in self.live.iter().map(|&i| &self.instances[i]) {
            let Some(share) = self.share_of(instance) else {
                continue;
            };
            let is_held = instance.at == At::Inactive && !self.frozen.contains(&instance.wq);
            *held.entry(share).or_default() += usize::from(is_held);
            *active.entry(share).or_default() += usize::from(instance.may_hold_slot());
        }
        for (share, held) in held.into_iter().filter(|(_, held)| *held > 0) {
            let (active, limit) = (active[&share], self.limit_of(share));
            self.hold(active >= limit, || {
                format!("{held} held, {active} active of {limit}: {share:?}")
            });
        }
    }
}

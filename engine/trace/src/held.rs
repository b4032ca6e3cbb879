//! What holds the inactive items of a pwq at this moment, told from the rows: the same questions in the same order as
//! the engine asks them.

use crate::event::Hold;
use crate::snapshot::{PoolRow, PwqRow, WorkqueueRow, wq_flags};

/// Why items of `pwq` are inactive; `None` when none is. `pool` is its pool, where that is known.
pub fn hold_reason(wq: &WorkqueueRow, pwq: &PwqRow, pool: Option<&PoolRow>) -> Option<Hold> {
    let reason = match () {
        () if pwq.nr_inactive == 0 => return None,
        () if is_frozen(wq) => Hold::Frozen,
        () if pwq.plugged => Hold::Plugged,
        () if wq.flags & wq_flags::ORDERED != 0 => Hold::Ordered,
        () if is_held_by_its_node(wq, pool) => Hold::Node,
        () => Hold::MaxActive,
    };
    Some(reason)
}

/// A frozen workqueue has no slots.
fn is_frozen(wq: &WorkqueueRow) -> bool {
    wq.flags & wq_flags::FREEZABLE != 0 && wq.effective_max_active == 0
}

/// Whether the share of the pool's node is less than the whole limit, which would be the limit.
fn is_held_by_its_node(wq: &WorkqueueRow, pool: Option<&PoolRow>) -> bool {
    let Some((no_node, nodes)) = wq.nodes.split_last() else {
        return false;
    };
    let node = pool.and_then(|pool| pool.node).map(usize::from);
    let share = node.map_or(Some(no_node), |node| nodes.get(node));
    share.is_some_and(|share| share.max < wq.effective_max_active)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::settings::NodeRow;

    fn rows() -> (WorkqueueRow, PwqRow) {
        let snapshot = fixture::snapshot();
        let wq = WorkqueueRow {
            effective_max_active: 8,
            ..WorkqueueRow::default()
        };
        let pwq = PwqRow {
            nr_inactive: 3,
            plugged: false,
            ..snapshot.pwqs[0].clone()
        };
        (wq, pwq)
    }

    #[test]
    fn the_strongest_reason_is_told() {
        let (mut wq, mut pwq) = rows();
        let reason = |wq: &WorkqueueRow, pwq: &PwqRow| hold_reason(wq, pwq, None);
        assert_eq!(reason(&wq, &pwq), Some(Hold::MaxActive));
        wq.flags = wq_flags::UNBOUND | wq_flags::ORDERED;
        assert_eq!(reason(&wq, &pwq), Some(Hold::Ordered));
        pwq.plugged = true;
        assert_eq!(reason(&wq, &pwq), Some(Hold::Plugged));
        wq.flags |= wq_flags::FREEZABLE;
        wq.effective_max_active = 0;
        assert_eq!(reason(&wq, &pwq), Some(Hold::Frozen));
        pwq.nr_inactive = 0;
        assert_eq!(reason(&wq, &pwq), None);
    }

    #[test]
    fn a_nodes_share_that_is_the_whole_limit_is_the_limit() {
        let (mut wq, pwq) = rows();
        wq.flags = wq_flags::UNBOUND;
        let share = |max| NodeRow { nr: max, max };
        wq.nodes = vec![share(4), share(8), share(2)];
        let on = |node| PoolRow {
            node,
            ..PoolRow::default()
        };
        let reason = |node| hold_reason(&wq, &pwq, Some(&on(node)));
        assert_eq!(reason(Some(0)), Some(Hold::Node));
        assert_eq!(reason(Some(1)), Some(Hold::MaxActive));
        assert_eq!(reason(None), Some(Hold::Node));
        assert_eq!(
            reason(Some(9)),
            Some(Hold::MaxActive),
            "a node that is not there"
        );
    }
}

//! Limits that hold items back: max_active, and the order.

use super::lint::{Finding, Level, Lint, Subject, Unit};
use super::scene::{Done, Scene, many, mean, ns};
use crate::event::Hold;
use crate::held::hold_reason;
use crate::ids::{FuncId, WqId};
use crate::model::Workqueue;
use crate::stats::{Counter, WaitPart};
use crate::units::duration;
use crate::value::Value;

/// All that begin to be held, for whatever reason: the reason may change while they are.
const HELD: [Counter; 5] = [
    Counter::HeldMaxActive,
    Counter::HeldNode,
    Counter::HeldOrdered,
    Counter::HeldPlugged,
    Counter::HeldFrozen,
];
/// Fewer held items are no pattern.
const FEW: u64 = 10;

pub(super) static MAX_ACTIVE: Lint = Lint {
    name: "max-active",
    level: Level::Warning,
    help: "A workqueue's max_active is reached, and items wait on its inactive lists.",
    threshold: 500_000_000,
    unit: Unit::Time,
    threshold_help: "How long items are held back, on average in the last 10 s, or the oldest of them.",
    holds_ns: 0,
    remedy: "Leave max_active out (0, the default) unless the number of items in flight really has to be limited; else raise it.",
    check: max_active,
};

fn max_active(scene: &Scene<'_>) -> Vec<Finding> {
    let kind = Kind {
        reasons: &[Hold::MaxActive, Hold::Node],
        parts: &[WaitPart::InactiveMaxActive, WaitPart::InactiveNode],
        sentence: |wq, held, mostly, each| {
            let (limit, name) = (wq.max_active, &wq.name);
            match held {
                // Those that were are let go by now, and the next ones will be held.
                0 => format!(
                    "max_active {limit} of `{name}` is reached again and again: items{mostly} are held back, for {each}"
                ),
                _ => format!(
                    "max_active {limit} of `{name}` is reached: {}{mostly} held back, for {each}",
                    many(held, "item")
                ),
            }
        },
    };
    held_back(scene, &kind)
}

pub(super) static ORDERED_BOTTLENECK: Lint = Lint {
    name: "ordered-bottleneck",
    level: Level::Warning,
    help: "An ordered workqueue, which runs one item at a time, gets more than it can do.",
    threshold: 500_000_000,
    unit: Unit::Time,
    threshold_help: "How long items wait for those before them, on average in the last 10 s, or the oldest of them.",
    holds_ns: 0,
    remedy: "Use an unbound workqueue where the order does not matter, several ordered ones where only related items need it, or shorter items.",
    check: ordered_bottleneck,
};

fn ordered_bottleneck(scene: &Scene<'_>) -> Vec<Finding> {
    let kind = Kind {
        reasons: &[Hold::Ordered, Hold::Plugged],
        parts: &[WaitPart::InactiveOrdered, WaitPart::InactivePlugged],
        sentence: |wq, held, mostly, each| {
            format!(
                "the ordered workqueue `{}` runs one item at a time: {held}{mostly} wait for their turn, for {each}",
                wq.name
            )
        },
    };
    held_back(scene, &kind)
}

/// What holds items back, by all the names that it has.
struct Kind {
    reasons: &'static [Hold],
    parts: &'static [WaitPart],
    /// From the workqueue, how many are held now, of which function most of them are, and for how long.
    sentence: fn(&Workqueue, u64, &str, &str) -> String,
}

impl Kind {
    /// For how long all that started had been held back.
    fn held_ns(&self, done: &Done) -> u64 {
        let parts = self.parts.iter().map(|part| done.breakdown[*part as usize]);
        parts.fold(0, u64::saturating_add)
    }
}

/// Items that are held back now.
#[derive(Default)]
struct Held {
    items: u64,
    /// How long the oldest has been, in nanoseconds; 0 when it is not known.
    oldest: u64,
}

impl Held {
    fn of(scene: &Scene<'_>, wq: WqId, kind: &Kind) -> Self {
        let Some(row) = scene.row(wq) else {
            return Self::default();
        };
        let mut held = Self::default();
        for pwq in scene.pwqs(wq) {
            let reason = hold_reason(row, pwq, scene.pool(pwq.pool));
            if reason.is_some_and(|reason| kind.reasons.contains(&reason)) {
                held.items += u64::from(pwq.nr_inactive);
                let age = scene.now().saturating_sub(pwq.held_since);
                held.oldest = held.oldest.max(if pwq.held_since > 0 { age } else { 0 });
            }
        }
        held
    }
}

fn held_back(scene: &Scene<'_>, kind: &Kind) -> Vec<Finding> {
    let mut found = Vec::new();
    for wq in scene.model.workqueues() {
        let now = Held::of(scene, wq.id, kind);
        let (count, each) = let_go(scene, wq, kind);
        let often = count >= FEW && each >= scene.threshold;
        if !often && now.oldest < scene.threshold {
            continue;
        }
        let shown = match often {
            true => format!("{} each on average", duration(each)),
            false => format!("{} the oldest", duration(now.oldest)),
        };
        let held_most = held_most(scene, wq.id, kind);
        let mostly = held_most.map_or_else(String::new, |func| {
            format!(" (mostly `{}`)", scene.function(func))
        });
        let sentence = (kind.sentence)(wq, now.items, &mostly, &shown);
        let subject = Subject::Workqueue(wq.id);
        let mut finding = Finding::recheck(subject, sentence);
        finding.evidence = vec![
            ("workqueue", Value::str(&*wq.name)),
            ("max_active", Value::Num(i64::from(wq.max_active))),
            ("active", Value::Big(wq.active)),
            ("inactive", Value::Big(now.items)),
            ("let_go", Value::Big(count)),
            ("held_each_ns", ns(each)),
            ("oldest_ns", ns(now.oldest)),
        ];
        if let Some(func) = held_most {
            finding.also.push(Subject::Function(func));
            let name = Value::str(scene.function(func));
            finding.evidence.push(("function", name));
        }
        found.push(finding);
    }
    found
}

/// The function most of whose items wait now; when none do, the one whose items were held back for longest.
fn held_most(scene: &Scene<'_>, wq: WqId, kind: &Kind) -> Option<FuncId> {
    let waiting = scene.waiting(wq);
    let waits = waiting.first().map(|(func, _)| *func);
    waits.or_else(|| {
        let functions = scene.functions_of(wq).into_iter();
        let held = functions.map(|(func, done)| (kind.held_ns(&done), func));
        held.max().filter(|(ns, _)| *ns > 0).map(|(_, func)| func)
    })
}

/// How many items were let go in the last seconds, and for how long they had been held back on average.
///
/// Time counts for items that start, and the counters for those that begin to be held: where a backlog is worked off, few
/// begin. But what is held now and was not let go is known.
fn let_go(scene: &Scene<'_>, wq: &Workqueue, kind: &Kind) -> (u64, u64) {
    let Some(done) = scene.done_by(wq.id) else {
        return (0, 0);
    };
    let held = HELD.iter().map(|counter| done.counter(*counter));
    let waited = kind.held_ns(&done);
    let held = held.fold(done.was_inactive, u64::saturating_add);
    let count = held.saturating_sub(wq.inactive);
    // None can have been held for longer than the longest wait.
    (count, mean(waited, count).min(wq.wait.max))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, MS, S};
    use super::*;

    #[test]
    fn max_active_fires() {
        let mut bench = Bench::new();
        bench.count(Counter::HeldMaxActive, 40);
        bench.snapshot.pwqs[0].nr_inactive = 40;
        bench.snapshot.pwq_funcs[0].inactive = 40;
        bench.looks(S, |bench| {
            bench.count(Counter::HeldMaxActive, 8);
            bench.waited(8, 600 * MS, WaitPart::InactiveMaxActive);
        });
        let warning = bench.only("max-active");
        assert_eq!(warning.subject, Subject::Workqueue(WqId(1)));
        assert_eq!(
            warning.sentence,
            "max_active 4 of `mixed` is reached: 40 items (mostly `flush_cache`) held back, for 600 ms each on average"
        );
        assert!(warning.concerns(Subject::Function(crate::FuncId(2))));
    }

    #[test]
    fn max_active_fires_for_one_that_is_held_for_long() {
        let mut bench = Bench::new();
        let pwq = &mut bench.snapshot.pwqs[0];
        (pwq.nr_inactive, pwq.held_since) = (1, bench.snapshot.at);
        bench.looks(S, |_| ());
        assert!(bench.only("max-active").sentence.ends_with("the oldest"));
    }

    #[test]
    fn a_backlog_that_is_worked_off_is_not_divided_by_what_comes_meanwhile() {
        let mut bench = Bench::with("max-active=100ms");
        bench.count(Counter::HeldMaxActive, 400);
        bench.snapshot.pwqs[0].nr_inactive = 400;
        bench.looks(12 * S, |_| ());
        // 8 are let go at each look, after 200 ms each; one comes.
        bench.looks(8 * S, |bench| {
            bench.count(Counter::HeldMaxActive, 1);
            bench.waited(8, 200 * MS, WaitPart::InactiveMaxActive);
            bench.snapshot.pwqs[0].nr_inactive -= 7;
        });
        let sentence = &bench.only("max-active").sentence;
        assert!(
            sentence.ends_with("held back, for 200 ms each on average"),
            "{sentence}"
        );
    }

    #[test]
    fn max_active_does_not_fire() {
        let mut bench = Bench::new();
        // A burst at every look, but none waits for long.
        bench.looks(5 * S, |bench| {
            bench.count(Counter::HeldMaxActive, 20);
            bench.waited(20, 75 * MS, WaitPart::InactiveMaxActive);
            let pwq = &mut bench.snapshot.pwqs[0];
            (pwq.nr_inactive, pwq.held_since) = (20, bench.snapshot.at + 100 * MS);
        });
        assert_eq!(bench.fired(), [""; 0]);
        let mut frozen = Bench::new();
        let wq = &mut frozen.snapshot.workqueues[0];
        (wq.flags, wq.effective_max_active) = (crate::wq_flags::FREEZABLE, 0);
        let pwq = &mut frozen.snapshot.pwqs[0];
        (pwq.nr_inactive, pwq.held_since) = (1, frozen.snapshot.at);
        frozen.looks(5 * S, |_| ());
        assert_eq!(frozen.fired(), [""; 0], "frozen on purpose");
    }

    #[test]
    fn ordered_bottleneck_fires() {
        let mut bench = Bench::new();
        let pwq = &mut bench.snapshot.pwqs[2];
        (pwq.nr_inactive, pwq.held_since) = (30, bench.snapshot.at);
        bench.snapshot.pwq_funcs[3].inactive = 30;
        bench.looks(S, |_| ());
        let warning = bench.only("ordered-bottleneck");
        assert_eq!(warning.name, "journal");
        assert!(
            warning
                .sentence
                .contains("30 (mostly `flush_cache`) wait for their turn")
        );
    }

    #[test]
    fn ordered_bottleneck_does_not_fire() {
        let mut bench = Bench::new();
        bench.looks(5 * S, |bench| {
            let pwq = &mut bench.snapshot.pwqs[2];
            pwq.counters[Counter::HeldOrdered as usize] += 30;
            pwq.counters[Counter::Started as usize] += 30;
            (pwq.nr_inactive, pwq.held_since) = (2, bench.snapshot.at + 100 * MS);
            bench.snapshot.pwq_funcs[3].breakdown[WaitPart::InactiveOrdered as usize] +=
                30 * 8 * MS;
        });
        assert_eq!(bench.fired(), [""; 0]);
    }
}

//! Deadlocks are told when they close: random programs get stuck if, and only if, one was told.

use crate::script::{Run, Script, burn, item, ms, sleep};
use proptest::collection::vec;
use proptest::prelude::*;
use wq_engine::WqFlags;
use wq_engine::sim::{End, Step, WqRef};
use wq_trace::{FlushTarget, Was, What};

/// (cycle, waits for a workqueue) of each wait that was told.
fn told(run: &Run) -> Vec<(u32, bool)> {
    let told = run.events.iter().filter_map(|event| match event.what {
        What::Deadlock { target, cycle, .. } => Some((cycle, target == FlushTarget::Workqueue)),
        _ => None,
    });
    told.collect()
}

/// Whether several pwqs share slots. Which of them gets one is not foreseen, so that it takes all can go untold.
fn shares_slots(recipe: &Recipe) -> bool {
    recipe.cpus > 1 && recipe.wqs.iter().any(|(kind, _)| *kind == 1)
}

/// Whether a queued item was cancelled after a deadlock was told.
fn cancels_later(run: &Run) -> bool {
    let is_told = |what: &What| matches!(what, What::Deadlock { .. });
    let events = run.events.iter().map(|event| event.what);
    let mut later = events.skip_while(|what| !is_told(what));
    later.any(|what| {
        let is_list = |was| was == Was::Inactive || was == Was::Pending;
        matches!(what, What::CancelWork { was } if is_list(was))
    })
}

#[test]
fn a_cycle_is_told_when_it_closes_with_all_its_waits() {
    let mut script = Script::on(1);
    let (q, r) = (script.bound(), script.bound());
    // Each flushes the other, one of them by its workqueue.
    let first = script.work(&q, &[sleep(2), Step::Flush(item(1))]);
    let second = script.work(&r, &[sleep(5), Step::FlushWq(WqRef::Own(0))]);
    script.queue_at(0, &[first, second]);
    let run = script.try_run().unwrap();
    assert!(matches!(&run.outcome.end, End::Stuck(threads) if threads.len() == 2));
    assert_eq!(told(&run), [(1, true), (1, false)]);
    assert_eq!(
        run.times(|what| matches!(what, What::Deadlock { .. })),
        [5, 5]
    );
    let reports = run.outcome.reports.iter();
    let reports: Vec<_> = reports
        .map(|(at, text)| (at / 1_000_000, &**text))
        .collect();
    assert_eq!(
        reports,
        [
            (
                5,
                "workqueue: deadlock: q1:w1 flushes workqueue q0 with q0:w0, which flushes q1:w1"
            ),
            (5, "kworker/0:0, in q0:w0, waits for q1:w1"),
            (5, "kworker/0:1, in q1:w1, waits for workqueue q0"),
        ]
    );
}

#[test]
fn who_waits_for_ever_says_for_what() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::FREEZABLE, 0);
    let held = script.work(&q, &[burn(1)]);
    script.steps_at(
        3,
        &[
            Step::Freeze,
            Step::Queue(item(held)),
            Step::FlushWq(WqRef::Own(0)),
        ],
    );
    let run = script.try_run().unwrap();
    assert_eq!(run.outcome.end, End::Stuck(vec!["p0".to_owned()]));
    let said = (3_000_000, "p0 waits for workqueue q0".to_owned());
    assert_eq!(run.outcome.reports, [said]);
}

#[test]
fn a_held_item_that_gets_a_slot_later_is_no_deadlock() {
    let mut script = Script::on(1);
    let q = script.wq(WqFlags::PERCPU, 2);
    let held = script.work(&q, &[burn(1)]);
    let waits = script.work(&q, &[sleep(1), Step::Flush(item(held))]);
    let other = script.work(&q, &[sleep(9)]);
    script.queue_at(0, &[waits, other, held]);
    let run = script.run();
    assert_eq!(told(&run), []);
    assert_eq!(run.spans("w1"), [(0, 10)]);
}

/// A workqueue: unbound or not, ordered or not, its limit. A work: its workqueue, and steps by kind and number.
#[derive(Clone, Debug)]
struct Recipe {
    cpus: usize,
    wqs: Vec<(u8, usize)>,
    works: Vec<(usize, Vec<(u8, usize)>)>,
    queueings: Vec<(u64, usize)>,
}

fn recipe() -> impl Strategy<Value = Recipe> {
    let wq = (0..3_u8, 1..=2_usize);
    let work = (0..3_usize, vec((0..11_u8, 0..5_usize), 1..=4));
    (
        1..=2_usize,
        vec(wq, 1..=3),
        vec(work, 2..=5),
        vec((0..6_u64, 0..5_usize), 2..=10),
    )
        .prop_map(|(cpus, wqs, works, queueings)| Recipe {
            cpus,
            wqs,
            works,
            queueings,
        })
}

fn script(recipe: &Recipe) -> Script {
    let mut script = Script::on(recipe.cpus);
    let wqs: Vec<WqRef> = recipe
        .wqs
        .iter()
        .map(|(kind, max_active)| {
            let flags = [WqFlags::PERCPU, WqFlags::UNBOUND, WqFlags::ORDERED];
            script.wq(flags[usize::from(*kind)], *max_active)
        })
        .collect();
    let step = |me: usize, (kind, n): &(u8, usize)| {
        // Items queue later ones only: everything ends, or is stuck.
        let later = item(me + 1 + n % recipe.works.len());
        let later = (later.work < recipe.works.len()).then_some(later);
        let (work, wq) = (item(n % recipe.works.len()), WqRef::Own(n % wqs.len()));
        match kind {
            0 | 1 => burn(1),
            2 | 3 => sleep(2),
            4 => later.map_or(sleep(1), Step::Queue),
            5 => later.map_or(sleep(1), |later| Step::QueueDelayed(later, ms(1))),
            6 | 7 => Step::Flush(work),
            8 => Step::FlushWq(wq),
            9 => Step::CancelSync(work),
            _ => Step::Drain(wq),
        }
    };
    for (me, (wq, steps)) in recipe.works.iter().enumerate() {
        let body: Vec<Step> = steps.iter().map(|it| step(me, it)).collect();
        script.work(&wqs[wq % wqs.len()], &body);
    }
    for (at, work) in &recipe.queueings {
        script.queue_at(*at, &[work % recipe.works.len()]);
    }
    script
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x57c),
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_programs_get_stuck_if_and_only_if_a_deadlock_was_told(recipe in recipe()) {
        let run = script(&recipe).try_run().expect("it ends");
        let told = told(&run);
        match &run.outcome.end {
            End::Stuck(threads) => {
                let is_told = !told.is_empty() || shares_slots(&recipe);
                prop_assert!(is_told, "{threads:?}");
            },
            // Cancelling a queued item is what can end one.
            End::Done => prop_assert!(told.is_empty() || cancels_later(&run), "{told:?}"),
            End::Interrupted => prop_assert!(false, "it ends"),
        }
    }
}

//! The predicates on every small pool, against the rules restated as a table.

use super::rig::segment;
use crate::pool::{Effects, Limit, NewItem, PoolSpec, PoolState, PwqSpec, WorkerIx};
use wq_trace::{PoolInfo, REQ_CPU_LOCAL};

/// A pool with so many items on its worklist, and without workers.
pub(super) fn pool(cpu: Option<u16>, waiting: usize) -> PoolState<usize, u32> {
    let segment = segment();
    let (number, nice) = (2, 0);
    let slot = segment.pool(PoolInfo {
        number,
        cpu,
        nice,
        flags: 0,
    });
    let mut pool = PoolState::new(
        PoolSpec {
            uid: 1,
            number,
            cpu,
            nice,
            bh: false,
        },
        segment,
        slot,
        0,
    );
    let wq = segment.workqueue("q", 0, 8);
    let spec = PwqSpec {
        wq: wq.id(),
        wq_name: "q".to_owned(),
        uid: 1,
        limit: Limit {
            max_active: 8,
            frozen: false,
            node: None,
            plugged: false,
        },
        ordered: false,
        cpu_intensive: false,
        mem_reclaim: false,
        work_color: 0,
    };
    let pwq = pool.add_pwq(spec, 0);
    let func = segment.function("f");
    for job in 0..waiting {
        let work = job as u64 + 1;
        let req_cpu = REQ_CPU_LOCAL;
        let mut fx = Effects::default();
        let new = NewItem {
            job,
            work,
            func,
            req_cpu,
        };
        assert!(pool.queue(pwq, new, 0, &mut fx).is_ok());
        assert_eq!(fx.effects, [], "there is nobody to wake");
    }
    pool
}

/// What the rules say of a pool with items waiting or not, and this many running and idle workers.
struct Rule {
    waiting: bool,
    running: std::ops::RangeInclusive<u32>,
    need_more_worker: bool,
    keep_working: bool,
}

/// Kernel: semantics 4.1.
const RULES: [Rule; 4] = [
    // Nothing waits: nobody is needed, whoever runs.
    Rule {
        waiting: false,
        running: 0..=9,
        need_more_worker: false,
        keep_working: false,
    },
    // Items wait and nobody runs: one is needed, and who is there goes on.
    Rule {
        waiting: true,
        running: 0..=0,
        need_more_worker: true,
        keep_working: true,
    },
    // One runs: it goes on, and is enough.
    Rule {
        waiting: true,
        running: 1..=1,
        need_more_worker: false,
        keep_working: true,
    },
    // Several run: whoever finishes an item stops.
    Rule {
        waiting: true,
        running: 2..=9,
        need_more_worker: false,
        keep_working: false,
    },
];

#[test]
fn the_predicates_say_what_the_rules_say() {
    let mut cases = 0;
    for (cpu, waiting) in [None, Some(0)]
        .into_iter()
        .flat_map(|cpu| (0..=3).map(move |waiting| (cpu, waiting)))
    {
        let mut pool = pool(cpu, waiting);
        let managed = cpu.is_some();
        for (running, idle) in (0..=4).flat_map(|running| (0..=3).map(move |idle| (running, idle)))
        {
            // Workers of an unbound pool never count.
            let running = if managed { running } else { 0 };
            pool.nr_running = running;
            pool.idle = (0..idle).map(WorkerIx).collect();
            let fits =
                |rule: &&Rule| rule.waiting == (waiting > 0) && rule.running.contains(&running);
            let rules: Vec<_> = RULES.iter().filter(fits).collect();
            let [rule] = rules[..] else {
                panic!("the table has one rule for each case");
            };
            let case = format!("waiting {waiting}, running {running}, idle {idle}");
            assert_eq!(pool.need_more_worker(), rule.need_more_worker, "{case}");
            assert_eq!(pool.keep_working(), rule.keep_working, "{case}");
            assert_eq!(pool.may_start_working(), idle >= 1, "{case}");
            let create = rule.need_more_worker && idle == 0;
            assert_eq!(pool.need_to_create_worker(), create, "{case}");
            // A block matters where items wait for somebody who runs.
            let watch = managed && waiting > 0 && !rule.need_more_worker;
            assert_eq!(pool.need_watching(), watch, "{case}");
            cases += 1;
        }
    }
    assert_eq!(cases, 160);
}

/// Kernel: semantics 4.1, restated: of so many workers that do something, this many idle ones are too many.
#[test]
fn surplus_workers_are_a_quarter_of_the_busy_ones_and_two() {
    let mut pool = pool(Some(0), 0);
    let mut cases = 0;
    for busy in 0..=48_u32 {
        // Two always stay; then one more for every four busy ones that are begun.
        let too_many = 3.max(2 + busy.div_ceil(4));
        for idle in 0..=16_u32 {
            for managing in [false, true] {
                pool.manager = managing.then_some(WorkerIx(99));
                pool.nr_workers = busy + idle + u32::from(managing);
                pool.idle = (0..idle).map(WorkerIx).collect();
                let case = format!("busy {busy}, idle {idle}, managing {managing}");
                let counted = idle + u32::from(managing);
                assert_eq!(pool.too_many_workers(), counted >= too_many, "{case}");
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 49 * 17 * 2);
}

#[test]
fn names_tell_the_cpu_the_priority_and_the_unbound_pool() {
    let name = |cpu, nice, number: u32| {
        PoolSpec {
            uid: 1,
            number,
            cpu,
            nice,
            bh: false,
        }
        .worker_name(3)
    };
    assert_eq!(name(Some(5), 0, 22), "kworker/5:3");
    assert_eq!(name(Some(5), -20, 23), "kworker/5:3H");
    // Kernel: no H for an unbound pool, whatever its nice level.
    assert_eq!(name(None, -20, 33), "kworker/u33:3");
}

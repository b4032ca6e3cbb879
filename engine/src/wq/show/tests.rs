//! The lines of semantics 9.4.

use super::*;
use crate::pool::Place;
use crate::topology::CpuMask;
use wq_trace::FuncId;

struct Letters;

impl Names for Letters {
    fn function(&self, func: FuncId) -> String {
        format!("fn{}", char::from(b'A' + func.0 as u8))
    }

    fn workqueue(&self, wq: WqId) -> String {
        format!("q{}", wq.0)
    }
}

fn queued(func: u32, waiters: &[u32]) -> Queued {
    Queued {
        func: FuncId(func),
        waiters: waiters.to_vec(),
    }
}

fn pwq(wq: u32) -> PwqDump {
    PwqDump {
        wq: WqId(wq),
        nr_active: 1,
        refcnt: 2,
        mayday: false,
        in_flight: Vec::new(),
        pending: Vec::new(),
        inactive: Vec::new(),
    }
}

fn run(tid: u32, func: u32) -> InFlight {
    InFlight {
        tid,
        rescued: false,
        func: FuncId(func),
        secs: 39,
        hinted: false,
        waiters: Vec::new(),
        scheduled: Vec::new(),
    }
}

/// `cpu` `None`: unbound, on several CPUs and nodes.
fn pool(number: u32, cpu: Option<usize>) -> PoolDump {
    let place = Place {
        cpus: cpu.map_or_else(|| [0, 1, 2, 8].into_iter().collect(), CpuMask::of),
        node: cpu.map(|_| 0),
    };
    PoolDump {
        number,
        place,
        nice: 0,
        bh: false,
        flags: 0,
        hung: 0,
        nr_workers: 1,
        manager: None,
        idle: vec![1],
        pwqs: Vec::new(),
    }
}

fn show(pools: &[PoolDump]) -> String {
    let workqueues = [(1, "events", 0x100), (2, "idle", 0x2), (3, "mine", 0x1)];
    let workqueues = workqueues.map(|(id, name, flags)| Shown {
        id: WqId(id),
        name: name.to_owned(),
        flags,
    });
    let show = Show {
        workqueues: &workqueues,
        pools,
        names: &Letters,
    };
    let out = show.all();
    let rest = out.strip_prefix("Showing busy workqueues and worker pools:\n");
    rest.expect("the title").to_owned()
}

#[test]
fn s9_4_an_idle_engine_shows_nothing() {
    assert_eq!(show(&[pool(2, Some(0)), pool(16, None)]), "");
}

#[test]
fn s9_4_in_flight_pending_and_inactive_items() {
    let mut busy = PoolDump {
        hung: 42,
        nr_workers: 4,
        manager: Some(816),
        idle: vec![82, 75],
        ..pool(58, Some(14))
    };
    let mut both = run(186, 3);
    both.waiters = vec![4711, 4712];
    both.scheduled = vec![queued(3, &[]), queued(3, &[9])];
    busy.pwqs = vec![PwqDump {
        nr_active: 4,
        refcnt: 5,
        in_flight: vec![run(184, 0), both],
        pending: vec![
            queued(0, &[]),
            queued(1, &[]),
            queued(1, &[]),
            queued(1, &[17]),
            queued(1, &[]),
        ],
        inactive: vec![queued(2, &[])],
        ..pwq(1)
    }];
    let lines = [
        "workqueue events: flags=0x100",
        "  pwq 58: cpus=14 node=0 flags=0x0 nice=0 active=4 refcnt=5",
        "    in-flight: 184:fnA for 39s ,186:fnD for 39s BAR(4711) BAR(4712) 2*fnD BAR(9)",
        "    pending: fnA, 3*fnB BAR(17), fnB",
        "    inactive: fnC",
        "pool 58: cpus=14 node=0 flags=0x0 nice=0 hung=42s workers=4 manager: 816 idle: 82 75",
        "",
    ];
    assert_eq!(show(&[busy]), lines.join("\n"));
}

#[test]
fn s9_4_bh_pools_have_no_nice_and_no_thread() {
    let mut high = PoolDump {
        nice: -20,
        bh: true,
        flags: 5,
        idle: Vec::new(),
        ..pool(1, Some(0))
    };
    high.pwqs = vec![PwqDump {
        in_flight: vec![run(184, 0)],
        ..pwq(3)
    }];
    let lines = [
        "workqueue mine: flags=0x1",
        "  pwq 1: cpus=0 node=0 flags=0x5 bh-hi active=1 refcnt=2",
        "    in-flight: bh-hi:fnA for 39s",
        "pool 1: cpus=0 node=0 flags=0x5 bh-hi hung=0s workers=1",
        "",
    ];
    assert_eq!(show(&[high]), lines.join("\n"));
}

#[test]
fn s9_4_a_rescuer_is_named_and_so_is_a_call_for_it() {
    let mut short = PoolDump {
        flags: 2,
        manager: Some(70),
        nr_workers: 1,
        idle: Vec::new(),
        ..pool(2, Some(0))
    };
    let rescued = InFlight {
        rescued: true,
        ..run(184, 0)
    };
    short.pwqs = vec![PwqDump {
        mayday: true,
        in_flight: vec![rescued],
        ..pwq(3)
    }];
    let lines = [
        "workqueue mine: flags=0x1",
        "  pwq 2: cpus=0 node=0 flags=0x2 nice=0 active=1 refcnt=2 MAYDAY",
        "    in-flight: 184(RESCUER):fnA for 39s",
        "pool 2: cpus=0 node=0 flags=0x2 nice=0 hung=0s workers=1 manager: 70",
        "",
    ];
    assert_eq!(show(&[short]), lines.join("\n"));
}

#[test]
fn s9_5_the_message_of_a_lockup() {
    let stuck = PoolDump {
        flags: 4,
        ..pool(16, None)
    };
    assert_eq!(
        lockup(&stuck, 132),
        "BUG: workqueue lockup - pool cpus=0-2,8 flags=0x4 nice=0 stuck for 132s!"
    );
}

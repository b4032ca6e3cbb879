//! What an engine says of its configuration is what a reader reads: written, changed, taken back, and from files that
//! are older or damaged.

use std::path::Path;
use wq_trace::{
    CpuSet, FlushRow, NodeRow, PodRow, PoolAttrs, PoolId, PoolInfo, Reader, Scope, ScopeRow,
    Segment, SegmentConfig, Settings, Snapshot, Source, WorkerId, WorkerKind, WqAttrs, WqId,
    WqLimits,
};

fn segment() -> Segment {
    Segment::in_memory(&SegmentConfig::default(), 100)
}

fn snapshot(segment: &Segment) -> Snapshot {
    Reader::in_memory(segment).snapshot().unwrap()
}

fn cpus(list: impl IntoIterator<Item = u16>) -> CpuSet {
    list.into_iter().collect()
}

fn pod(list: impl IntoIterator<Item = u16>, node: Option<u16>) -> PodRow {
    PodRow {
        cpus: cpus(list),
        node,
    }
}

fn settings() -> Settings {
    Settings {
        unbound_cpus: Some(cpus([0, 1, 3])),
        online_cpus: Some(cpus(0..4)),
        default_scope: Some(Scope::CacheShard),
        power_efficient: Some(true),
        cpu_intensive_thresh_ns: Some(10_000_000),
        watchdog_thresh_ns: Some(0),
        idle_timeout_ns: Some(300_000_000_000),
        scopes: vec![
            ScopeRow {
                scope: Scope::Cpu,
                pods: (0..4).map(|cpu| pod([cpu], Some(cpu / 2))).collect(),
            },
            ScopeRow {
                scope: Scope::System,
                pods: vec![pod(0..4, None)],
            },
        ],
        nodes: vec![cpus([0, 1]), cpus([2, 3])],
    }
}

#[test]
fn settings_come_back() {
    let segment = segment();
    assert_eq!(snapshot(&segment).settings, Settings::default());
    segment.set_settings(&settings());
    let back = snapshot(&segment).settings;
    assert_eq!(back, settings());
    assert_eq!(back.scopes[0].pod_of(3), Some(3));
    assert_eq!(back.scopes[0].pod_of(4), None);
}

#[test]
fn settings_change_when_cpus_go_and_come() {
    let segment = segment();
    segment.set_settings(&settings());
    let mut fewer = settings();
    fewer.online_cpus = Some(cpus([0]));
    fewer.unbound_cpus = None;
    fewer.scopes[0].pods.truncate(1);
    fewer.scopes[1].pods = vec![pod([0], Some(0))];
    fewer.nodes.pop();
    fewer.watchdog_thresh_ns = None;
    segment.set_settings(&fewer);
    assert_eq!(snapshot(&segment).settings, fewer);
    segment.set_settings(&settings());
    assert_eq!(snapshot(&segment).settings, settings());
}

#[test]
fn a_machine_with_a_thousand_cpus_fits() {
    let segment = segment();
    let mut large = settings();
    large.scopes[0].pods = (0..1024).map(|cpu| pod([cpu], Some(cpu / 64))).collect();
    large.scopes[1].pods = vec![pod(0..1024, None)];
    large.nodes = (0..16)
        .map(|node| cpus(node * 64..node * 64 + 64))
        .collect();
    segment.set_settings(&large);
    let s = snapshot(&segment);
    assert_eq!((s.settings, s.hidden_rows), (large, 0));
}

#[test]
fn pools_say_whom_they_serve() {
    let segment = segment();
    let slot = segment.pool(PoolInfo::default());
    let row = |segment| snapshot(segment).pools.remove(0);
    let before = row(&segment);
    assert_eq!(
        (before.cpus, before.pod_cpus, before.refcnt),
        (None, None, 0)
    );
    let attrs = PoolAttrs {
        cpus: cpus(0..40),
        pod_cpus: cpus([7]),
        node: Some(0),
        strict: true,
    };
    slot.set_refcnt(3);
    slot.set_attrs(&attrs);
    let after = row(&segment);
    assert_eq!(
        (after.cpus, after.pod_cpus),
        (Some(attrs.cpus), Some(attrs.pod_cpus))
    );
    assert_eq!((after.node, after.strict, after.refcnt), (Some(0), true, 3));
    slot.set_attrs(&PoolAttrs::default());
    let empty = row(&segment);
    assert_eq!(
        (empty.cpus, empty.node, empty.strict),
        (Some(CpuSet::default()), None, false)
    );
    assert_eq!(empty.refcnt, 3);
}

#[test]
fn workqueues_say_what_they_ask_for() {
    let segment = segment();
    let slot = segment.workqueue("journal", 0x2000a, 1);
    let row = |segment| snapshot(segment).workqueues.remove(0);
    let before = row(&segment);
    assert_eq!((before.max_active, before.effective_max_active), (1, 1));
    assert_eq!(
        (before.attrs, before.pools.len(), before.nodes.len()),
        (None, 0, 0)
    );
    let attrs = WqAttrs {
        nice: -20,
        scope: Scope::Numa,
        strict: true,
        cpus: cpus([1, 33]),
    };
    slot.set_attrs(&attrs);
    slot.set_flags(0x3000a);
    slot.set_limits(&WqLimits {
        max_active: 8,
        min_active: 2,
        effective_max_active: 0,
        effective_min_active: 0,
    });
    slot.set_rescuer(WorkerId(5));
    let pools: Vec<_> = (1..=100).map(PoolId).collect();
    slot.set_pools(&pools, PoolId(7));
    let shares = slot.nodes(25);
    let nodes: Vec<_> = (0..25).map(|nr| NodeRow { nr, max: 100 + nr }).collect();
    for (index, node) in nodes.iter().enumerate() {
        shares[index].set(*node);
    }
    let after = row(&segment);
    assert_eq!((after.kind(), after.attrs), ("ordered", Some(attrs)));
    assert_eq!(
        (after.flags, after.max_active, after.min_active),
        (0x3000a, 8, 2)
    );
    assert_eq!(
        (after.effective_max_active, after.effective_min_active),
        (0, 0)
    );
    assert_eq!(
        (after.rescuer, after.default_pool),
        (WorkerId(5), PoolId(7))
    );
    assert_eq!((after.pools, after.nodes), (pools, nodes));
    slot.set_max_active(16);
    slot.set_pools(&[PoolId(3)], PoolId::NONE);
    let last = row(&segment);
    assert_eq!((last.flags, last.max_active), (0x3000a, 16));
    assert_eq!((last.pools, last.rescuer), (vec![PoolId(3)], WorkerId(5)));
}

#[test]
fn rescuers_and_bh_workers_are_told_apart() {
    let segment = segment();
    let rescuer = segment.rescuer(WqId(4), "kworker/R-journal", 5);
    let bh = segment.bh_worker(PoolId(1), "bh", 6);
    rescuer.set_cpus(&cpus([0, 1]));
    let of = |kind| {
        let rows = snapshot(&segment).workers;
        rows.into_iter().find(|w| w.kind == kind).unwrap()
    };
    let row = of(WorkerKind::Rescuer);
    assert_eq!(
        (row.pool, row.rescue_wq, row.cpus),
        (PoolId::NONE, WqId(4), Some(cpus([0, 1])))
    );
    assert_eq!((row.name.as_str(), row.since), ("kworker/R-journal", 5));
    rescuer.desc("journal");
    assert_eq!(of(WorkerKind::Rescuer).full_name(), "kworker/R-journal");
    rescuer.set_pool(PoolId(2));
    let helps = of(WorkerKind::Rescuer);
    assert_eq!(helps.full_name(), "kworker/R-journal-journal");
    assert_eq!(of(WorkerKind::Rescuer).pool, PoolId(2));
    assert_eq!(
        (of(WorkerKind::Bh).pool, of(WorkerKind::Bh).cpus),
        (PoolId(1), None)
    );
    drop(bh);
}

#[test]
fn waits_that_close_a_circle_are_marked() {
    let segment = segment();
    let slot = segment.flush(&FlushRow::default());
    let pwq = segment.pwq(WqId(1), PoolId(1));
    assert_eq!(snapshot(&segment).flushes[0].deadlock, 0);
    slot.set_deadlock(2);
    pwq.set_mayday(true);
    let s = snapshot(&segment);
    assert_eq!(s.flushes[0].deadlock, 2);
    assert!(s.pwqs[0].mayday && !s.pwqs[0].plugged);
    pwq.set_plugged(true);
    pwq.set_mayday(false);
    let s = snapshot(&segment);
    assert!(!s.pwqs[0].mayday && s.pwqs[0].plugged);
}

/// A new owner of a slot does not inherit the lists of the one before.
#[test]
fn lists_go_with_their_owner() {
    let segment = segment();
    let size = || {
        let source = segment.source();
        source.len().unwrap()
    };
    let make = || {
        let wq = segment.workqueue("w", 2, 16);
        wq.set_attrs(&WqAttrs::default());
        wq.set_pools(&[PoolId(1); 300], PoolId(1));
        let _shares = wq.nodes(3);
        let pool = segment.pool(PoolInfo::default());
        pool.set_attrs(&PoolAttrs::default());
        (wq, pool)
    };
    drop(make());
    let after_one = size();
    for _ in 0..1000 {
        drop(make());
    }
    assert_eq!(size(), after_one, "slots are used again");
    let _wq = segment.workqueue("w", 2, 16);
    let row = &snapshot(&segment).workqueues[0];
    assert!(row.pools.is_empty() && row.nodes.is_empty() && row.attrs.is_none());
}

fn bytes_of(segment: &Segment) -> Vec<u8> {
    let source = segment.source();
    let mut bytes = vec![0; source.len().unwrap() as usize];
    let mut done = 0;
    while done < bytes.len() {
        done += source.read_at(done as u64, &mut bytes[done..]).unwrap();
    }
    bytes
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at * 8..][..8].try_into().unwrap())
}

fn put(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at * 8..][..8].copy_from_slice(&value.to_le_bytes());
}

/// The word at which a directory entry of this kind stands.
fn entry_of(bytes: &[u8], kind: u64) -> usize {
    let mut entries = (0..16).map(|n| 128 + n * 4);
    entries.find(|&at| word(bytes, at + 2) == kind).unwrap()
}

/// A list, byte by byte.
#[test]
fn a_list_stands_where_version_1_1_put_it() {
    let segment = Segment::tiny(&SegmentConfig::default(), 1);
    let slot = segment.workqueue("w", 2, 16);
    slot.set_pools(&[PoolId(0x11), PoolId(0x22), PoolId(0x33)], PoolId(0x44));
    slot.set_limits(&WqLimits {
        max_active: 1,
        min_active: 2,
        effective_max_active: 3,
        effective_min_active: 4,
    });
    slot.set_rescuer(WorkerId(0x55));
    slot.set_attrs(&WqAttrs {
        nice: -1,
        scope: Scope::Numa,
        strict: true,
        cpus: CpuSet::default(),
    });
    let bytes = bytes_of(&segment);
    let at = entry_of(&bytes, 11);
    assert_eq!((word(&bytes, at + 1), word(&bytes, at + 3)), (24 * 8, 24));
    let list = word(&bytes, at) as usize / 8;
    let words = [0, 1, 2, 3, 4, 5, 6, 23].map(|n| word(&bytes, list + n));
    let of_workqueue_1 = 9 | 1 << 32;
    assert_eq!(
        words,
        [2, 1, of_workqueue_1, 3 << 32, 0x11 | 0x22 << 32, 0x33, 0, 0]
    );
    let wq = word(&bytes, entry_of(&bytes, 1)) as usize / 8;
    let words = [2, 16, 17, 18, 19].map(|n| word(&bytes, wq + n));
    assert_eq!(
        words,
        [
            2 | 1 << 32,
            0xffff_ffff | 0x503 << 32,
            2 | 4 << 32,
            3 | 1 << 32,
            0x55 | 0x44 << 32
        ]
    );
}

/// Slots of version 1.0 are narrower: what they lack is not known.
#[test]
fn a_file_of_version_1_0_is_read() {
    let segment = segment();
    let wqs: Vec<_> = (1..=3)
        .map(|n| segment.workqueue(&format!("w{n}"), 2, n))
        .collect();
    wqs[2].set_limits(&WqLimits::default());
    let mut bytes = bytes_of(&segment);
    let at = entry_of(&bytes, 1);
    let chunk = word(&bytes, at) as usize;
    put(&mut bytes, at + 3, 16);
    put(&mut bytes, 1, 1 << 16);
    for n in 0..3 {
        bytes.copy_within(
            chunk + n * 24 * 8..chunk + (n * 24 + 16) * 8,
            chunk + n * 128,
        );
    }
    bytes[chunk + 3 * 128..][..3 * 64].fill(0);
    let reader = Reader::from_source(bytes, Path::new("x")).unwrap();
    let s = reader.snapshot().unwrap();
    assert_eq!(s.meta.version, (1, 0));
    let rows: Vec<_> = s
        .workqueues
        .iter()
        .map(|w| (w.name.as_str(), w.max_active))
        .collect();
    assert_eq!(rows, [("w1", 1), ("w2", 2), ("w3", 0)]);
    assert_eq!(s.workqueues[1].effective_max_active, 2);
    assert!(
        s.workqueues
            .iter()
            .all(|w| w.attrs.is_none() && !w.rescuer.is_some())
    );
}

/// Parts that overlap, leave gaps, or claim what no machine has: a row is a value, and no larger than what was read.
#[test]
fn hostile_lists_are_cut_at_their_first_gap() {
    let segment = segment();
    let wq = segment.workqueue("w", 2, 16);
    wq.set_pools(&[PoolId(1); 100], PoolId(1));
    let whole = bytes_of(&segment);
    let list = word(&whole, entry_of(&whole, 11)) as usize / 8;
    let pools = |changes: &[(usize, u64)]| {
        let mut bytes = whole.clone();
        for &(at, value) in changes {
            put(&mut bytes, list + at, value);
        }
        let reader = Reader::from_source(bytes, Path::new("x")).unwrap();
        reader.snapshot().unwrap().workqueues[0].pools.len()
    };
    let second = 24 + 3;
    assert_eq!(pools(&[]), 100);
    assert_eq!(pools(&[(second, 41 | 40 << 32)]), 40, "a gap");
    assert_eq!(pools(&[(second, 40 << 32)]), 40, "twice the same place");
    assert_eq!(pools(&[(second, u64::MAX)]), 40, "beyond everything");
    assert_eq!(pools(&[(3, 1 | 40 << 32)]), 0, "no beginning");
    assert_eq!(pools(&[(2, u64::MAX)]), 0, "of nothing");
    assert_eq!(pools(&[(3, 7 << 32)]), 7, "a short part");
}

#[test]
fn a_pod_that_is_not_there_has_no_cpus() {
    let segment = Segment::tiny(&SegmentConfig::default(), 1);
    segment.set_settings(&Settings {
        scopes: vec![ScopeRow {
            scope: Scope::Cache,
            pods: vec![pod([0, 1], None), pod([2], Some(1))],
        }],
        ..Settings::default()
    });
    let mut bytes = bytes_of(&segment);
    // The pods' nodes come first, then the CPUs' pods; each list has a chunk of its own here.
    let nodes = word(&bytes, entry_of(&bytes, 11)) as usize / 8;
    put(&mut bytes, nodes + 3, 1 << 32);
    let reader = Reader::from_source(bytes, Path::new("x")).unwrap();
    let scopes = reader.snapshot().unwrap().settings.scopes;
    assert_eq!(scopes[0].pods, [pod([0, 1], None)]);
}

/// Whoever still holds a share of a workqueue that is gone writes into nobody else's row.
#[test]
fn shares_may_outlive_their_workqueue() {
    let segment = segment();
    let gone = segment.workqueue("gone", 2, 16);
    let shares = gone.nodes(1);
    drop(gone);
    let wq = segment.workqueue("w", 2, 16);
    wq.set_pools(&[PoolId(3)], PoolId(3));
    shares[0].set(NodeRow { nr: 9, max: 9 });
    let row = snapshot(&segment).workqueues.remove(0);
    assert_eq!((row.pools, row.nodes), (vec![PoolId(3)], Vec::new()));
}

//! Tables there and back, and whatever else a file may hold.

use super::*;
use crate::cpus::CpuSet;
use crate::fixture;
use crate::ids::{PoolId, WqId};
use crate::sensing::{Reaction, SensingInfo};
use crate::settings::{NodeRow, PodRow, Scope, ScopeRow, Settings, WqAttrs};
use crate::snapshot::{FlushRow, WorkerKind};
use proptest::prelude::*;

fn shown(snapshot: &Snapshot) -> String {
    format!("{snapshot:?}")
}

fn read(payloads: &[Vec<u8>]) -> Snapshot {
    let mut tables = Tables::default();
    for (number, payload) in (10..).zip(payloads) {
        assert!(tables.apply(payload, number, &mut Snapshot::default()));
    }
    tables.snapshot()
}

/// A snapshot with something in every field that the fixture leaves empty.
fn full() -> Snapshot {
    let cpus: CpuSet = [0, 1, 900].into_iter().collect();
    let mut s = fixture::snapshot();
    s.settings = Settings {
        unbound_cpus: Some(cpus.clone()),
        online_cpus: Some(CpuSet::default()),
        default_scope: Some(Scope::Cache),
        power_efficient: Some(true),
        cpu_intensive_thresh_ns: Some(0),
        watchdog_thresh_ns: Some(30_000_000_000),
        idle_timeout_ns: Some(u64::MAX),
        scopes: vec![ScopeRow {
            scope: Scope::Numa,
            pods: vec![PodRow {
                cpus: cpus.clone(),
                node: Some(3),
            }],
        }],
        nodes: vec![cpus.clone()],
    };
    s.sensing = SensingInfo {
        mode: "canary".into(),
        reason: "as asked for".into(),
        asked: "auto".into(),
        notes: vec!["a note".into()],
        reaction: Reaction::Measured {
            p50_ns: 5_000,
            p99_ns: 9_000,
            rounds: 40,
        },
        descriptors: 512,
    };
    s.workqueues[1].attrs = Some(WqAttrs {
        nice: -20,
        scope: Scope::System,
        strict: true,
        cpus: cpus.clone(),
    });
    s.workqueues[1].pools = vec![PoolId(1), PoolId::NONE];
    s.workqueues[1].nodes = vec![NodeRow { nr: 1, max: 2 }];
    s.pools[2].nice = -20;
    s.pools[2].node = Some(1);
    s.pools[2].pod_cpus = Some(cpus.clone());
    s.pools[2].canary.armings = 7;
    s.workers[0].kind = WorkerKind::Rescuer;
    s.workers[0].cpus = Some(cpus);
    s.flushes.push(FlushRow {
        tid: 9,
        work: 8,
        since: 7,
        deadlock: 1,
        ..FlushRow::default()
    });
    (s.lost_no_ring, s.hidden_rows, s.torn) = (1, 2, 3);
    s
}

#[test]
fn a_snapshot_comes_back_whole() {
    let snapshot = full();
    let back = read(&[Written::new(&snapshot).whole()]);
    assert_eq!(shown(&back), shown(&snapshot));
}

#[test]
fn what_changed_is_all_that_is_written() {
    let (one, mut two) = (fixture::snapshot(), fixture::snapshot());
    two.at += 1_000_000_000;
    two.pwqs[1].counters[0] += 7;
    two.functions.remove(0);
    two.workqueues.push(two.workqueues[0].clone());
    two.workqueues[2].id = WqId(9);
    let written = [Written::new(&one), Written::new(&two)];
    let changes = written[1].changes(&written[0], 10);
    let whole = written[0].whole();
    assert!(changes.len() * 3 < whole.len(), "{} bytes", changes.len());
    assert_eq!(shown(&read(&[whole, changes])), shown(&two));
}

#[test]
fn nothing_changed_is_next_to_nothing() {
    let written = Written::new(&fixture::snapshot());
    assert_eq!(written.changes(&written, 10), [0, 10]);
}

#[test]
fn changes_to_another_frame_are_refused() {
    let written = Written::new(&fixture::snapshot());
    let mut tables = Tables::default();
    let news = &mut Snapshot::default();
    assert!(!tables.apply(&written.changes(&written, 10), 11, news));
    assert!(tables.apply(&written.whole(), 12, news));
    assert!(!tables.apply(&written.changes(&written, 10), 13, news));
    assert!(tables.apply(&written.changes(&written, 12), 13, news));
    assert_eq!((tables.number, tables.at()), (Some(13), 20_000_000_000));
}

#[test]
fn new_rows_are_told() {
    let (one, mut two) = (fixture::snapshot(), fixture::snapshot());
    two.functions[1].name = "other".into();
    let mut news = Snapshot::default();
    let changes = Written::new(&two).changes(&Written::new(&one), 3);
    let mut tables = Tables::default();
    assert!(tables.apply(&Written::new(&one).whole(), 3, &mut Snapshot::default()));
    assert!(tables.apply(&changes, 4, &mut news));
    assert_eq!(news.functions.len(), 1);
    assert_eq!(news.functions[0].name, "other");
}

#[test]
fn a_table_of_a_later_version_is_passed_over() {
    let snapshot = fixture::snapshot();
    let mut payload = Written::new(&snapshot).whole();
    put_varint(&mut payload, 99);
    put_sized(&mut payload, b"whatever");
    assert_eq!(shown(&read(&[payload])), shown(&snapshot));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_table_leads_to_any_other(before: Vec<(u8, u8)>, now: Vec<(u8, u8)>) {
        let keyed = |rows: &[(u8, u8)]| -> Vec<Keyed> {
            let keyed = |&(key, byte): &(u8, u8)| Keyed {
                key: u64::from(key % 16),
                row: vec![key, byte % 2].into(),
            };
            rows.iter().map(keyed).collect()
        };
        let (before, now) = (keyed(&before), keyed(&now));
        let rows = |keyed: &[Keyed]| -> Vec<Row> { keyed.iter().map(|k| k.row.clone()).collect() };
        let Some(steps) = steps(&before, &now) else {
            prop_assert_eq!(rows(&before), rows(&now));
            return Ok(());
        };
        prop_assert_eq!(follow(&rows(&before), &steps, |_| ()), Some(rows(&now)));
    }

    #[test]
    fn any_bytes_are_refused_or_bounded(payload: Vec<u8>) {
        let mut tables = Tables::default();
        let read = tables.apply(&payload, 1, &mut Snapshot::default());
        prop_assert!(read || tables.is_empty());
        let rows: usize = tables.tables.values().map(Vec::len).sum();
        prop_assert!(rows <= payload.len());
    }
}

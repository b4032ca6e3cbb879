//! How much memory a state takes: what its vectors and strings hold on the heap, and what the allocator adds.

use crate::cpus::CpuSet;
use crate::settings::{PodRow, ScopeRow, Settings, WqAttrs};
use crate::snapshot::{Histogram, PoolRow, Snapshot, WorkerRow, WorkqueueRow};
use std::mem::size_of;

/// What the allocator adds to a block: its head, and half of the rounding.
const BLOCK: usize = 16;

/// Bytes of a block of `capacity` elements; none without elements.
fn block<T>(capacity: usize) -> usize {
    if capacity == 0 {
        0
    } else {
        capacity * size_of::<T>() + BLOCK
    }
}

fn vec<T>(vec: &Vec<T>) -> usize {
    block::<T>(vec.capacity())
}

fn string(text: &str) -> usize {
    block::<u8>(text.len())
}

fn cpus(set: &CpuSet) -> usize {
    // A word for each 64 CPUs up to the highest.
    let words = set.iter().last().map_or(0, |cpu| usize::from(cpu) / 64 + 1);
    block::<u64>(words)
}

fn histogram(histogram: &Histogram) -> usize {
    vec(&histogram.buckets)
}

/// Bytes that a snapshot takes, itself included.
pub(super) fn of(snapshot: &Snapshot) -> usize {
    let s = snapshot;
    let rows =
        vec(&s.workqueues) + vec(&s.pools) + vec(&s.pwqs) + vec(&s.pwq_funcs) + vec(&s.functions);
    let others = vec(&s.workers) + vec(&s.flushes) + vec(&s.threads) + vec(&s.rings);
    let inside = s.workqueues.iter().map(workqueue).sum::<usize>()
        + s.pools.iter().map(pool).sum::<usize>()
        + s.pwqs
            .iter()
            .map(|pwq| histogram(&pwq.wait) + histogram(&pwq.run))
            .sum::<usize>()
        + s.functions
            .iter()
            .map(|function| string(&function.name))
            .sum::<usize>()
        + s.workers.iter().map(worker).sum::<usize>()
        + s.threads
            .iter()
            .map(|thread| string(&thread.comm))
            .sum::<usize>();
    size_of::<Snapshot>() + rows + others + inside + head(s)
}

/// What there is one of.
fn head(s: &Snapshot) -> usize {
    let meta = [
        &s.meta.name,
        &s.meta.exe,
        &s.meta.sensing,
        &s.meta.sensing_reason,
    ];
    let sensing = [&s.sensing.mode, &s.sensing.reason, &s.sensing.asked];
    let words = meta.into_iter().chain(sensing).chain(&s.sensing.notes);
    let path = s
        .meta
        .path
        .as_ref()
        .map_or(0, |path| block::<u8>(path.as_os_str().len()));
    words.map(|word| string(word)).sum::<usize>()
        + vec(&s.sensing.notes)
        + vec(&s.meta.cpus)
        + path
        + settings(&s.settings)
}

fn settings(settings: &Settings) -> usize {
    let pod = |pod: &PodRow| cpus(&pod.cpus);
    let scope = |scope: &ScopeRow| vec(&scope.pods) + scope.pods.iter().map(pod).sum::<usize>();
    let masks = settings.unbound_cpus.iter().chain(&settings.online_cpus);
    masks.map(cpus).sum::<usize>()
        + vec(&settings.scopes)
        + settings.scopes.iter().map(scope).sum::<usize>()
        + vec(&settings.nodes)
        + settings.nodes.iter().map(cpus).sum::<usize>()
}

fn workqueue(row: &WorkqueueRow) -> usize {
    let attrs = |attrs: &WqAttrs| cpus(&attrs.cpus);
    let attrs = row.attrs.as_ref().map_or(0, attrs);
    string(&row.name) + attrs + vec(&row.pools) + vec(&row.nodes)
}

fn pool(row: &PoolRow) -> usize {
    row.cpus.as_ref().map_or(0, cpus) + row.pod_cpus.as_ref().map_or(0, cpus)
}

fn worker(row: &WorkerRow) -> usize {
    string(&row.name) + string(&row.desc) + row.cpus.as_ref().map_or(0, cpus)
}

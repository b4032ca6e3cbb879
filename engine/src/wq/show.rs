//! Busy workqueues and pools as text, as sysrq-t prints them. Kernel: `show_all_workqueues()` and what it calls.

use super::reports::Names;
use crate::pool::{InFlight, PoolDump, PwqDump, Queued};
use std::fmt::Write;
use wq_trace::WqId;

/// A workqueue as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) id: WqId,
    pub(crate) name: String,
    pub(crate) flags: u32,
}

/// All workqueues and pools at one moment.
pub(crate) struct Show<'a, N> {
    /// In the order in which they were made.
    pub(crate) workqueues: &'a [Shown],
    /// By number.
    pub(crate) pools: &'a [PoolDump],
    pub(crate) names: &'a N,
}

impl<N: Names> Show<'_, N> {
    /// Every workqueue with active or inactive items, and every pool with a worker that is not idle.
    /// Kernel: `show_all_workqueues()`.
    pub(crate) fn all(&self) -> String {
        let mut out = String::from("Showing busy workqueues and worker pools:\n");
        for wq in self.workqueues {
            self.workqueue(&mut out, wq);
        }
        for pool in self.pools {
            self.pool(&mut out, pool);
        }
        out
    }

    /// Nothing if no item of it is active or inactive. Kernel: `show_one_workqueue()`.
    pub(crate) fn workqueue(&self, out: &mut String, wq: &Shown) {
        let mut title = Some(format!("workqueue {}: flags={:#x}\n", wq.name, wq.flags));
        for pool in self.pools {
            for pwq in pool.pwqs.iter().filter(|pwq| pwq.wq == wq.id) {
                out.extend(title.take());
                self.pwq(out, pool, pwq);
            }
        }
    }

    fn pwq(&self, out: &mut String, pool: &PoolDump, pwq: &PwqDump) {
        let info = pool_info(pool);
        let (number, active, refcnt) = (pool.number, pwq.nr_active, pwq.refcnt);
        let mayday = if pwq.mayday { " MAYDAY" } else { "" };
        _ = writeln!(
            out,
            "  pwq {number}: {info} active={active} refcnt={refcnt}{mayday}"
        );
        let executions = pwq.in_flight.iter().map(|run| self.in_flight(pool, run));
        line(out, "in-flight", executions, " ,");
        line(out, "pending", self.items(&pwq.pending), ", ");
        line(out, "inactive", self.items(&pwq.inactive), ", ");
    }

    /// An execution, who waits for it, and what only its worker may execute.
    fn in_flight(&self, pool: &PoolDump, run: &InFlight) -> String {
        let InFlight {
            tid, func, secs, ..
        } = run;
        let worker = match pool.bh {
            true => bh(pool).to_owned(),
            false if run.rescued => format!("{tid}(RESCUER)"),
            false => tid.to_string(),
        };
        let mut out = format!("{worker}:{} for {secs}s", self.names.function(*func));
        barriers(&mut out, &run.waiters);
        for item in self.items(&run.scheduled) {
            _ = write!(out, " {item}");
        }
        out
    }

    /// Items in a row, those of one function together up to one that is waited for.
    fn items(&self, items: &[Queued]) -> impl Iterator<Item = String> {
        let alike = |a: &Queued, b: &Queued| a.func == b.func && a.waiters.is_empty();
        items.chunk_by(alike).filter_map(|row| {
            let last = row.last()?;
            let name = self.names.function(last.func);
            let mut text = match row.len() {
                1 => name,
                n => format!("{n}*{name}"),
            };
            barriers(&mut text, &last.waiters);
            Some(text)
        })
    }

    /// Nothing if all workers are idle. Kernel: `show_one_worker_pool()`.
    fn pool(&self, out: &mut String, pool: &PoolDump) {
        let (number, hung, workers) = (pool.number, pool.hung, pool.nr_workers);
        if pool.idle.len() == workers as usize {
            return;
        }
        let info = pool_info(pool);
        _ = write!(out, "pool {number}: {info} hung={hung}s workers={workers}");
        if let Some(manager) = pool.manager {
            _ = write!(out, " manager: {manager}");
        }
        let mut title = Some(" idle:");
        for tid in &pool.idle {
            out.extend(title.take());
            _ = write!(out, " {tid}");
        }
        out.push('\n');
    }
}

/// The message about a pool that makes no progress. Kernel: `wq_watchdog_timer_fn()`.
pub(crate) fn lockup(pool: &PoolDump, seconds: u64) -> String {
    let info = pool_info(pool);
    format!("BUG: workqueue lockup - pool {info} stuck for {seconds}s!")
}

/// `cpus=0 node=0 flags=0x0 nice=0`. Kernel: `pr_cont_pool_info()`.
fn pool_info(pool: &PoolDump) -> String {
    let cpus = pool.place.cpus.to_list();
    let node = pool.place.node.map(|node| format!("node={node} "));
    let level = match pool.bh {
        true => bh(pool).to_owned(),
        false => format!("nice={}", pool.nice),
    };
    let node = node.unwrap_or_default();
    format!("cpus={cpus} {node}flags={:#x} {level}", pool.flags)
}

fn bh(pool: &PoolDump) -> &'static str {
    if pool.nice < 0 { "bh-hi" } else { "bh" }
}

fn barriers(out: &mut String, waiters: &[u32]) {
    for tid in waiters {
        _ = write!(out, " BAR({tid})");
    }
}

/// `    title: a, b`; nothing if there are none.
fn line(out: &mut String, title: &str, entries: impl Iterator<Item = String>, between: &str) {
    let entries: Vec<_> = entries.collect();
    if !entries.is_empty() {
        _ = writeln!(out, "    {title}: {}", entries.join(between));
    }
}

#[cfg(test)]
mod tests;

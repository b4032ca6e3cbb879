//! The configuration as text, in the layout of the kernel's script. On a terminal long rows go on below.

use super::lines::{blocks, wrapped};
use super::served::Served;
use crate::style::Style;
use wq_trace::{
    CpuSet, PoolRow, Reaction, Scope, ScopeRow, Snapshot, WorkqueueRow, units, wq_flags,
};

/// Characters that a workqueue's name has: the kernel's `WQ_NAME_LEN`.
const NAME: usize = 32;
/// What is printed for what the engine does not say.
const UNKNOWN: &str = "unknown";

/// Six sections.
pub fn text(snapshot: &Snapshot, style: Style, width: Option<usize>) -> String {
    let page = Page {
        served: Served::new(snapshot),
        style,
        width,
    };
    let sections = [
        page.scopes(),
        page.pools(),
        page.map(),
        page.rescuers(),
        page.nodes(),
        page.sensing(),
    ];
    sections.join("\n")
}

struct Page<'a> {
    served: Served<'a>,
    style: Style,
    width: Option<usize>,
}

impl Page<'_> {
    fn title(&self, title: &str) -> String {
        let line = "=".repeat(title.len());
        format!("{}\n{line}\n", self.style.heading(title))
    }

    fn scopes(&self) -> String {
        let settings = &self.served.snapshot.settings;
        let unbound = mask(settings.unbound_cpus.as_ref());
        let mut out = self.title("Affinity Scopes");
        out += &format!("wq_unbound_cpumask={unbound}\n");
        for row in &settings.scopes {
            out.push('\n');
            out += &self.scope(row, settings.default_scope);
        }
        out
    }

    fn scope(&self, row: &ScopeRow, default: Option<Scope>) -> String {
        let name = row.scope.word().to_uppercase();
        let is_default = if default == Some(row.scope) {
            " (default)"
        } else {
            ""
        };
        let of_pods = |value: &dyn Fn(&wq_trace::PodRow) -> String| {
            let pods = row.pods.iter().enumerate();
            pods.map(|(i, pod)| format!("[{i}]={}", value(pod)))
                .collect::<Vec<_>>()
        };
        let cpus = of_pods(&|pod| pod.cpus.to_string());
        let nodes = of_pods(&|pod| pod.node.map_or(-1, i32::from).to_string());
        let pod_of = |cpu: &u16| {
            let pod = row
                .pod_of(*cpu)
                .map_or_else(|| "-".into(), |p| p.to_string());
            format!("[{cpu}]={pod}")
        };
        let pods: Vec<_> = self.served.cpus.iter().map(pod_of).collect();
        let mut out = format!("{}{is_default}\n", self.style.heading(&name));
        out += &format!("  nr_pods  {}\n", row.pods.len());
        out += &wrapped("  pod_cpus", &cpus, self.width);
        out += &wrapped("  pod_node", &nodes, self.width);
        out += &wrapped("  cpu_pod ", &pods, self.width);
        out
    }

    fn pools(&self) -> String {
        let pools = &self.served.snapshot.pools;
        let widest = |number: &dyn Fn(&PoolRow) -> u32| {
            let digits = pools.iter().map(|pool| number(pool).to_string().len());
            digits.max().unwrap_or(1)
        };
        let id = widest(&|pool| pool.number);
        let refs = widest(&|pool| self.served.refcnt(pool));
        let mut out = self.title("Worker Pools");
        for pool in pools {
            out += &format!(
                "pool[{:0id$}] flags={:#04x} ref={:refs$} nice={:3} idle/workers={:3}/{:3} ",
                pool.number,
                pool.flags,
                self.served.refcnt(pool),
                pool.nice,
                pool.nr_idle,
                pool.nr_workers,
            );
            out += &whom(pool);
            if pool.nice != 0 && !pool.nice_granted {
                out += &self.style.alarm(" nice-refused");
            }
            out.push('\n');
        }
        out
    }

    fn map(&self) -> String {
        let served = &self.served;
        let pools = served.snapshot.pools.iter();
        let id = pools.map(|pool| pool.number.to_string().len()).max();
        let id = id.unwrap_or(1).max("dfl".len());
        let cpus: Vec<_> = served.cpus.iter().map(u16::to_string).collect();
        let widths: Vec<_> = cpus.iter().map(|cpu| cpu.len().max(id - 1)).collect();
        let name = self.name_width();
        let mut out = self.title("Workqueue CPU -> pool");
        let blocks = blocks(name + 10, id + 2, &widths, self.width);
        for (nth, block) in blocks.iter().enumerate() {
            if nth > 0 {
                out.push('\n');
            }
            let is_last = nth + 1 == blocks.len();
            let mut line = format!("[{:^1$}\\ {2:9}", "workqueue", name - 2, "type   CPU");
            for i in block.clone() {
                line += &format!(" {:>1$}", cpus[i], widths[i]);
            }
            line += if is_last { " dfl]" } else { " ..." };
            out += &self.style.heading(&line);
            out.push('\n');
            for wq in &served.snapshot.workqueues {
                let mut line = format!("{:name$} {:10}", wq.name, wq.kind());
                let pools = served.pools(wq);
                for i in block.clone() {
                    line += &format!(" {:>1$}", number(pools[i]), widths[i]);
                }
                if is_last && wq.flags & wq_flags::UNBOUND != 0 {
                    line += &format!(" {:>3}", number(served.default_of(wq)));
                }
                out += line.trim_end();
                out.push('\n');
            }
        }
        out
    }

    fn rescuers(&self) -> String {
        let name = self.name_width();
        let rows: Vec<_> = self
            .served
            .rescued()
            .map(|(wq, rescuer)| {
                let asked = self.served.asked(wq).map(|cpus| cpus.to_string());
                let tid = rescuer.map_or_else(|| "-".to_owned(), |w| w.tid.to_string());
                let cpus = rescuer.map_or_else(|| "-".to_owned(), |w| mask(w.cpus.as_ref()));
                (wq, asked.unwrap_or_default(), tid, cpus)
            })
            .collect();
        let widest = |title: &str, texts: &mut dyn Iterator<Item = usize>| {
            texts.max().unwrap_or(0).max(title.len())
        };
        let asked = widest("unbound_cpus", &mut rows.iter().map(|row| row.1.len()));
        let cpus = widest("rescuer_cpus", &mut rows.iter().map(|row| row.3.len()));
        let mut out = self.title("Workqueue -> rescuer");
        let room = name - 2;
        let heading = format!(
            "[{:^room$}\\ {:asked$} {:>9} {:cpus$}]",
            "workqueue", "unbound_cpus", "pid", "rescuer_cpus",
        );
        out += &self.style.heading(&heading);
        out.push('\n');
        for (wq, of_wq, tid, of_rescuer) in rows {
            let line = format!(
                "{:name$} {of_wq:asked$} {tid:>9} {of_rescuer:cpus$}",
                wq.name
            );
            out += line.trim_end();
            out.push('\n');
        }
        out
    }

    fn nodes(&self) -> String {
        let served = &self.served;
        let settings = &served.snapshot.settings;
        let name = self.name_width();
        let mut out = self.title("Unbound workqueue -> node_nr/max_active");
        let online = mask(settings.online_cpus.as_ref());
        out += &format!("online_cpus={online}\n");
        for (node, cpus) in settings.nodes.iter().enumerate() {
            out += &format!("NODE[{node:02}]={cpus}\n");
        }
        out.push('\n');
        let mut titles: Vec<_> = (0..served.nodes).map(|node| node.to_string()).collect();
        if let Some(first) = titles.first_mut() {
            *first = "NODE 0".to_owned();
        }
        titles.push("dfl".to_owned());
        let widths = vec![9; titles.len()];
        let blocks = blocks(name + 10, 2, &widths, self.width);
        for (nth, block) in blocks.iter().enumerate() {
            if nth > 0 {
                out.push('\n');
            }
            let mut line = format!("[{:^1$}\\  min  max", "workqueue", name - 2);
            for title in &titles[block.clone()] {
                line += &format!(" {title:>9}");
            }
            line += if nth + 1 == blocks.len() {
                " ]"
            } else {
                " ..."
            };
            out += &self.style.heading(&line);
            out.push('\n');
            for wq in served.unbound() {
                let min = Some(wq.effective_min_active).filter(|_| wq.min_active > 0);
                let mut line = format!(
                    "{:name$} {:>4} {:4}",
                    wq.name,
                    number(min),
                    wq.effective_max_active
                );
                for share in &served.shares(wq)[block.clone()] {
                    let share =
                        share.map_or_else(|| "-".to_owned(), |n| format!("{:3}/{:4}", n.nr, n.max));
                    line += &format!(" {share:>9}");
                }
                out += &line;
                out.push('\n');
            }
        }
        out
    }

    fn sensing(&self) -> String {
        let snapshot = self.served.snapshot;
        let settings = &snapshot.settings;
        let said = |said: Option<String>| said.unwrap_or_else(|| UNKNOWN.to_owned());
        let reason = match snapshot.meta.sensing_reason.as_str() {
            "" => String::new(),
            reason => format!(" ({reason})"),
        };
        let mut out = self.title("Sensing");
        out += &format!("sensing={}{reason}\n", snapshot.meta.sensing);
        out += &self.tier();
        let scope = settings.default_scope.map(|scope| scope.word().to_owned());
        let power = settings.power_efficient.map(|on| u8::from(on).to_string());
        let time = |ns: Option<u64>| match ns {
            Some(0) => "off".to_owned(),
            ns => said(ns.map(units::duration)),
        };
        let lines = [
            ("default_affinity_scope", said(scope)),
            ("power_efficient", said(power)),
            (
                "cpu_intensive_thresh",
                time(settings.cpu_intensive_thresh_ns),
            ),
            ("watchdog_thresh", time(settings.watchdog_thresh_ns)),
            ("idle_timeout", time(settings.idle_timeout_ns)),
        ];
        for (key, value) in lines {
            out += &format!("{key}={value}\n");
        }
        out
    }

    /// What was asked for, how fast the tier answers, what the canaries did, and what limits all that here.
    fn tier(&self) -> String {
        let snapshot = self.served.snapshot;
        let info = &snapshot.sensing;
        let known = info.reaction != Reaction::Unknown;
        let say = |known: bool, value: String| match known {
            true => value,
            false => UNKNOWN.to_owned(),
        };
        let sums = snapshot.canaries();
        let count = |n: u64| say(known, n.to_string());
        let lines = [
            ("asked", say(!info.asked.is_empty(), info.asked.clone())),
            ("reaction", info.reaction.text()),
            (
                "descriptors",
                say(info.descriptors > 0, info.descriptors.to_string()),
            ),
            ("unwatched", count(sums.unwatched)),
            (
                "armed",
                say(known, format!("{} of {} pools", sums.armed, sums.pools)),
            ),
            ("armings", count(sums.armings)),
            ("decisions", count(sums.decisions)),
            ("false_decisions", count(sums.false_decisions)),
        ];
        let notes = info.notes.iter().map(|note| ("note", note.clone()));
        let lines = lines.into_iter().chain(notes);
        lines
            .map(|(key, value)| format!("{key}={value}\n"))
            .collect()
    }

    /// Room for the longest name.
    fn name_width(&self) -> usize {
        let length = |wq: &WorkqueueRow| wq.name.chars().count();
        let longest = self.served.snapshot.workqueues.iter().map(length).max();
        longest.unwrap_or(0).max(NAME)
    }
}

/// `cpu=  0 bh`, `cpus=0000000f pod_cpus=00000003 strict`.
fn whom(pool: &PoolRow) -> String {
    match pool.cpu {
        Some(cpu) if pool.is_bh() => format!("cpu={cpu:3} bh"),
        Some(cpu) => format!("cpu={cpu:3}"),
        None => {
            let [cpus, pod] = [&pool.cpus, &pool.pod_cpus].map(|set| mask(set.as_ref()));
            let strict = if pool.strict { " strict" } else { "" };
            format!("cpus={cpus} pod_cpus={pod}{strict}")
        }
    }
}

fn mask(cpus: Option<&CpuSet>) -> String {
    cpus.map_or_else(|| UNKNOWN.to_owned(), CpuSet::to_string)
}

fn number(n: Option<u32>) -> String {
    n.map_or_else(|| "-".to_owned(), |n| n.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn text_of_an_engine_that_tells_all() {
        let snapshot = fixture::configured();
        insta::assert_snapshot!(text(&snapshot, Style::default(), None));
    }

    #[test]
    fn text_on_a_narrow_terminal() {
        let mut snapshot = fixture::configured();
        snapshot.meta.cpus = (0..16).collect();
        insta::assert_snapshot!(text(&snapshot, Style::default(), Some(60)));
    }

    #[test]
    fn text_of_an_engine_that_tells_little() {
        let snapshot = fixture::snapshot();
        insta::assert_snapshot!(text(&snapshot, Style::default(), None));
    }

    #[test]
    fn colour_changes_no_word() {
        let snapshot = fixture::configured();
        let plain = text(&snapshot, Style::default(), None);
        let mut colour = text(&snapshot, Style { on: true }, None);
        for code in ["\u{1b}[1m", "\u{1b}[31m", "\u{1b}[0m"] {
            colour = colour.replace(code, "");
        }
        assert_eq!(colour, plain);
    }
}

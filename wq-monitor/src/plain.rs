//! The table of the kernel's `tools/workqueue/wq_monitor.py`, column for column.

use crate::filter::Filter;
use std::fmt::Write;
use wq_trace::Counter;
use wq_trace::model::{Model, Workqueue};

/// One round: a blank line, the headings, a line per workqueue in the order in which they were allocated.
///
/// All numbers are sums since the start, as the script prints them.
pub fn round(model: &Model, filter: &Filter) -> String {
    let mut text = format!(
        "\n{:<24} {:>8} {:>5} {:>8} {:>7} {:>7} {:>7} {:>7}\n",
        "", "total", "infl", "CPUtime", "CPUitsv", "CMW/RPR", "mayday", "rescued"
    );
    for wq in filter.workqueues(model) {
        row(&mut text, wq);
    }
    text
}

fn row(text: &mut String, wq: &Workqueue) {
    let counter = |counter: Counter| wq.counter(counter);
    let applies = |applies: bool, value: u64| match applies {
        true => value.to_string(),
        false => "-".to_owned(),
    };
    let (bound, reclaim) = (!wq.unbound(), wq.mem_reclaim());
    let wakes = if bound {
        Counter::CmWakeup
    } else {
        Counter::Repatriated
    };
    // Writing to a String does not fail.
    let _ = writeln!(
        text,
        "{:<24} {:>8} {:>5} {:>8.1} {:>7} {:>7} {:>7} {:>7} ",
        last_characters(&wq.name, 24),
        counter(Counter::Started),
        counter(Counter::Started).saturating_sub(counter(Counter::Completed)),
        counter(Counter::CpuTime) as f64 / 1e9,
        applies(bound, counter(Counter::CpuIntensive)),
        counter(wakes),
        applies(reclaim, counter(Counter::Mayday)),
        applies(reclaim, counter(Counter::Rescued)),
    );
}

/// The last `n` characters: the script cuts names on the left.
fn last_characters(name: &str, n: usize) -> &str {
    let start = name
        .char_indices()
        .rev()
        .nth(n - 1)
        .map_or(0, |(start, _)| start);
    &name[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_where_the_script_puts_them() {
        let text = round(&Model::new(wq_trace::Limits::default()), &Filter::default());
        assert_eq!(
            text,
            "\n                            total  infl  CPUtime CPUitsv CMW/RPR  mayday rescued\n"
        );
        let mut wq = Workqueue {
            name: "events".to_owned(),
            ..Workqueue::default()
        };
        wq.counters[Counter::Started as usize] = 18_545;
        wq.counters[Counter::Completed as usize] = 18_545;
        wq.counters[Counter::CpuTime as usize] = 6_100_000_000;
        wq.counters[Counter::CmWakeup as usize] = 5;
        let mut line = String::new();
        row(&mut line, &wq);
        assert_eq!(
            line,
            "events                      18545     0      6.1       0       5       -       - \n"
        );
    }

    #[test]
    fn long_names_lose_their_beginning() {
        assert_eq!(last_characters("events", 24), "events");
        assert_eq!(last_characters("abcdef", 3), "def");
        assert_eq!(last_characters("äöü", 2), "öü");
        assert_eq!(last_characters("", 2), "");
    }
}

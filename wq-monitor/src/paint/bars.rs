//! Small pictures inside a cell: sparklines, the concurrency bar of a pool, the stacked bar of a wait.

use super::style::{Palette, Role};
use ratatui::text::{Line, Span};
use wq_trace::{Breakdown, WaitPart};

const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The newest `width` values, oldest first, each as high as its share of the largest; nothing is a blank.
pub fn sparkline(values: &[f64], width: usize) -> String {
    graph(values, width, 1).concat()
}

/// The same over `height` lines, the top one first.
pub fn graph(values: &[f64], width: usize, height: usize) -> Vec<String> {
    let newest = &values[values.len().saturating_sub(width)..];
    let top = newest
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let eighths = |value: &f64| -> usize {
        if top <= 0.0 || !value.is_finite() || *value <= 0.0 {
            return 0;
        }
        // A float out of range saturates.
        ((value / top * (8 * height) as f64).ceil() as usize).clamp(1, 8 * height)
    };
    (0..height)
        .rev()
        .map(|row| {
            let mut line = " ".repeat(width - newest.len());
            line.extend(
                newest
                    .iter()
                    .map(|value| match eighths(value).saturating_sub(8 * row) {
                        0 => ' ',
                        full => EIGHTHS[full.min(8) - 1],
                    }),
            );
            line
        })
        .collect()
}

/// What the concurrency bar of a pool shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Workers that run a managed item and are not known to sleep.
    pub running: u32,
    /// All workers.
    pub workers: u32,
    /// Idle workers.
    pub idle: u32,
    /// Items that no worker has taken.
    pub pending: u32,
}

impl Level {
    /// Workers that run, that are busy but not counted, and that are idle: all of them, whatever the numbers say.
    pub fn parts(&self) -> [u32; 3] {
        let running = self.running.min(self.workers);
        let idle = self.idle.min(self.workers - running);
        [running, self.workers - running - idle, idle]
    }
}

/// Workers over time: a column for each of the newest `width` levels, `height` lines for the most workers that there
/// were; from below those that run, those that are not counted, idle ones. What there is of a kind is seen.
pub fn levels(all: &[Level], width: usize, height: usize, palette: Palette) -> Vec<Line<'static>> {
    let newest = &all[all.len().saturating_sub(width)..];
    let most = newest.iter().map(|level| u64::from(level.workers)).max();
    let most = most.unwrap_or(0).max(1);
    let mut rows = Vec::new();
    for row in (0..height as u64).rev() {
        let mut line = Line::raw(" ".repeat(width - newest.len()));
        for level in newest {
            let [running, uncounted, _] = level.parts().map(u64::from);
            // As many workers as stand below this cell, times the height.
            let below = row * most;
            let is = |workers: u64| below < workers * height as u64;
            let (fill, role) = if is(running) {
                ("█", Role::Good)
            } else if is(running + uncounted) {
                ("▒", Role::Asleep)
            } else if is(level.workers.into()) {
                ("░", Role::Dim)
            } else {
                (" ", Role::Plain)
            };
            line.push_span(Span::styled(fill, palette.of(role)));
        }
        rows.push(line);
    }
    rows
}

/// Running, uncounted and idle workers, one cell each while they fit, then the backlog.
///
/// `██▒▒░░      │▪▪▪▪    `: two run, two are asleep, CPU-intensive or between items, two are idle; the backlog grows one cell each
/// time that it doubles.
pub fn concurrency(level: Level, width: usize, palette: Palette) -> Vec<Span<'static>> {
    let backlog_room = width / 3;
    let room = width.saturating_sub(backlog_room + 1);
    let cells = shares(&level.parts().map(u64::from), room);
    let used: usize = cells.iter().sum();
    let backlog = doublings(level.pending).min(backlog_room);
    let flood = level.workers.max(1).saturating_mul(4);
    let role = if level.pending > flood {
        Role::Bad
    } else {
        Role::Warn
    };
    vec![
        Span::styled("█".repeat(cells[0]), palette.of(Role::Good)),
        Span::styled("▒".repeat(cells[1]), palette.of(Role::Asleep)),
        Span::styled("░".repeat(cells[2]), palette.of(Role::Dim)),
        Span::raw(" ".repeat(room - used)),
        Span::styled("│", palette.of(Role::Dim)),
        Span::styled("▪".repeat(backlog), palette.of(role)),
        Span::raw(" ".repeat(backlog_room - backlog)),
    ]
}

/// Binary digits of `n`: 0, 1, 2, 2, 3, 3, 3, 3, 4, ...
fn doublings(n: u32) -> usize {
    (u32::BITS - n.leading_zeros()) as usize
}

/// The wait as a bar of `width` cells, largest part first, each part in its colour (or its own fill); parts below half a
/// cell are not seen. Empty when nothing waited.
pub fn stacked(wait: &Breakdown, width: usize, palette: Palette) -> Vec<Span<'static>> {
    let parts = largest_first(wait);
    let values: Vec<u64> = parts.iter().map(|(_, ns)| *ns).collect();
    if values.is_empty() {
        return vec![Span::raw(" ".repeat(width))];
    }
    let cells = filled(&values, width);
    parts
        .iter()
        .zip(cells)
        .enumerate()
        .map(|(rank, ((part, _), cells))| {
            let fill = if palette.has_colours() {
                '█'
            } else {
                ['█', '▓', '▒', '░'][rank.min(3)]
            };
            Span::styled(
                String::from_iter(std::iter::repeat_n(fill, cells)),
                palette.part(*part),
            )
        })
        .collect()
}

/// The parts that are not nothing, largest first.
pub fn largest_first(wait: &Breakdown) -> Vec<(WaitPart, u64)> {
    let mut parts: Vec<(WaitPart, u64)> = WaitPart::ALL
        .iter()
        .map(|part| (*part, wait[*part as usize]))
        .filter(|p| p.1 > 0)
        .collect();
    parts.sort_by_key(|(_, ns)| std::cmp::Reverse(*ns));
    parts
}

/// Cells for each value: as many as its number while all fit, else its share; one at least for what is there.
fn shares(values: &[u64], room: usize) -> Vec<usize> {
    let total: u64 = values.iter().sum();
    if total <= room as u64 {
        return values.iter().map(|value| *value as usize).collect();
    }
    let mut cells = filled(values, room);
    for i in 0..cells.len() {
        let largest = (0..cells.len()).max_by_key(|i| cells[*i]).unwrap_or(i);
        if values[i] > 0 && cells[i] == 0 && cells[largest] > 1 {
            cells[largest] -= 1;
            cells[i] = 1;
        }
    }
    cells
}

/// Cells in proportion, `room` in all: what rounding down leaves goes to those that lost most by it.
fn filled(values: &[u64], room: usize) -> Vec<usize> {
    let total: u128 = values.iter().map(|value| u128::from(*value)).sum();
    if total == 0 {
        return vec![0; values.len()];
    }
    let exact = |value: u64| u128::from(value) * room as u128;
    let mut cells: Vec<usize> = values
        .iter()
        .map(|value| (exact(*value) / total) as usize)
        .collect();
    let mut losers: Vec<usize> = (0..values.len()).collect();
    losers.sort_by_key(|i| std::cmp::Reverse(exact(values[*i]) % total));
    let left = room - cells.iter().sum::<usize>();
    losers.into_iter().take(left).for_each(|i| cells[i] += 1);
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(spans: &[Span<'_>]) -> String {
        spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn a_sparkline_is_as_wide_as_asked_and_newest_is_right() {
        assert_eq!(sparkline(&[], 4), "    ");
        assert_eq!(sparkline(&[0.0, 0.0], 3), "   ");
        assert_eq!(sparkline(&[1.0, 8.0], 4), "  ▁█");
        assert_eq!(sparkline(&[9.0, 4.0, 8.0, f64::NAN], 3), "▄█ ");
        assert_eq!(sparkline(&[1.0], 0), "");
    }

    #[test]
    fn a_graph_fills_from_below() {
        assert_eq!(graph(&[1.0, 3.0, 4.0], 4, 2), ["  ▄█", " ▄██"]);
        assert!(graph(&[1.0], 4, 0).is_empty());
    }

    #[test]
    fn workers_over_time_are_as_high_as_there_were_and_running_ones_stand_below() {
        let level = |running, workers, idle| Level {
            running,
            workers,
            idle,
            pending: 0,
        };
        let all = [
            level(0, 0, 0),
            level(1, 4, 3),
            level(2, 4, 1),
            level(9, 2, 9),
        ];
        let text = |width, height| -> Vec<String> {
            let rows = levels(&all, width, height, Palette::new(true));
            rows.iter().map(ToString::to_string).collect()
        };
        assert_eq!(text(5, 4), ["  ░░ ", "  ░▒ ", "  ░██", "  ███"]);
        assert_eq!(text(2, 2), ["▒ ", "██"]);
        assert_eq!(levels(&[], 3, 1, Palette::new(true))[0].to_string(), "   ");
        assert!(
            levels(&all, 0, 3, Palette::new(true))
                .iter()
                .all(|row| row.width() == 0)
        );
    }

    #[test]
    fn the_concurrency_bar_has_one_cell_per_worker_while_they_fit() {
        let level = Level {
            running: 2,
            workers: 6,
            idle: 3,
            pending: 5,
        };
        let bar = joined(&concurrency(level, 22, Palette::new(true)));
        assert_eq!(bar, "██▒░░░        │▪▪▪    ");
    }

    #[test]
    fn the_concurrency_bar_keeps_its_width_whatever_the_numbers() {
        for width in [0, 1, 2, 5, 22] {
            for (running, workers, idle, pending) in [
                (0, 0, 0, 0),
                (9, 2, 9, u32::MAX),
                (1, 5000, 4000, 1),
                (u32::MAX, u32::MAX, 1, 0),
            ] {
                let level = Level {
                    running,
                    workers,
                    idle,
                    pending,
                };
                let bar = joined(&concurrency(level, width, Palette::new(false)));
                assert_eq!(bar.chars().count(), width.max(1), "{level:?}");
            }
        }
    }

    #[test]
    fn one_running_worker_among_many_is_still_seen() {
        let level = Level {
            running: 1,
            workers: 4000,
            idle: 0,
            pending: 0,
        };
        assert!(joined(&concurrency(level, 22, Palette::new(true))).starts_with("█▒"));
    }

    #[test]
    fn the_stacked_bar_is_full_and_starts_with_the_largest_part() {
        let mut wait = Breakdown::default();
        wait[WaitPart::Runqueue as usize] = 30;
        wait[WaitPart::Concurrency as usize] = 69;
        wait[WaitPart::NoWorker as usize] = 1;
        let bar = stacked(&wait, 10, Palette::new(false));
        assert_eq!(joined(&bar), "███████▓▓▓");
        let colour = stacked(&wait, 10, Palette::new(true));
        assert_eq!(
            colour[0].style,
            Palette::new(true).part(WaitPart::Concurrency)
        );
        assert_eq!(
            joined(&stacked(&Breakdown::default(), 3, Palette::new(true))),
            "   "
        );
    }

    #[test]
    fn the_stacked_bar_survives_extremes() {
        let wait = [u64::MAX; WaitPart::COUNT];
        for width in 0..20 {
            let bar = joined(&stacked(&wait, width, Palette::new(true)));
            assert_eq!(bar.chars().count(), width);
        }
    }
}

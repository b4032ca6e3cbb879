//! `events`: what is in the rings at this moment, merged by time.

use crate::args::Common;
use crate::failure::Failure;
use crate::output::Output;
use crate::target::Target;
use std::thread::sleep;
use std::time::{Duration, Instant};
use wq_trace::{Cursor, Event, MERGE_DELAY_NS, Names, Next, Snapshot, Value, text};

/// Prints the events of the engine asked for, then what was lost of them.
pub fn run(common: &Common, output: &mut Output) -> Result<(), Failure> {
    let target = Target::open(common)?;
    // The cursor first: what the snapshot names covers what the cursor then finds.
    let mut cursor = target.cursor();
    let snapshot = target.snapshot()?;
    let names = target.names(&snapshot);
    if !common.json {
        output.text(text::HEADER)?;
        output.text("\n")?;
        output.text(&target.headline(&snapshot))?;
    }
    // A busy engine writes on and on: what counts as `now` is when we began.
    let until = if target.running() {
        snapshot.at
    } else {
        u64::MAX
    };
    let started = Instant::now();
    let mut printed = 0;
    loop {
        let passed = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        match cursor.next(snapshot.at.saturating_add(passed)) {
            Next::Record(event) if event.at > until => break,
            Next::Record(event) => {
                print(&event, &names, common.json, output)?;
                printed += 1;
            }
            Next::Lost(n) if !common.json => output.text(&format!("# lost {n} events\n"))?,
            Next::Lost(_) => {}
            Next::Idle if passed > 2 * MERGE_DELAY_NS => break,
            Next::Idle => sleep(Duration::from_millis(2)),
            Next::WriterGone | Next::End => break,
        }
    }
    let losses = Losses::new(&cursor, printed, &snapshot, &names);
    if common.json {
        output.json_line(&losses.json())
    } else {
        output.text(&losses.text())
    }
}

fn print(event: &Event, names: &Names, json: bool, output: &mut Output) -> Result<(), Failure> {
    if json {
        output.json_line(&Value::Object(text::object(event, names)))
    } else {
        let mut line = text::line(event, names);
        line.push('\n');
        output.text(&line)
    }
}

/// What was overwritten in a ring.
struct RingLoss {
    index: usize,
    /// The thread that has the ring, or had it last.
    tid: u32,
    comm: String,
    /// Threads that had it before: the events may be theirs.
    before: u32,
    lost: u64,
}

/// What could not be printed.
struct Losses {
    printed: u64,
    /// The rings that lost some.
    rings: Vec<RingLoss>,
    no_ring: u64,
    unknown: u64,
    damaged: usize,
}

impl Losses {
    fn new(cursor: &Cursor, printed: u64, snapshot: &Snapshot, names: &Names) -> Self {
        let lost = cursor
            .by_ring()
            .map(|(_, lost)| lost)
            .enumerate()
            .filter(|(_, lost)| *lost > 0);
        let rings = lost.map(|(index, lost)| {
            let row = snapshot
                .rings
                .iter()
                .find(|ring| ring.index as usize == index);
            let (tid, before) = row.map_or((0, 0), |ring| (ring.tid, ring.generation));
            RingLoss {
                index,
                tid,
                comm: names.comm(tid).to_owned(),
                before,
                lost,
            }
        });
        Self {
            printed,
            rings: rings.collect(),
            no_ring: snapshot.lost_no_ring,
            unknown: cursor.unknown(),
            damaged: cursor.damaged(),
        }
    }

    /// All that were lost.
    fn total(&self) -> u64 {
        self.rings
            .iter()
            .fold(self.no_ring, |all, ring| all.saturating_add(ring.lost))
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for ring in &self.rings {
            let RingLoss {
                index,
                tid,
                comm,
                before,
                lost,
            } = ring;
            let earlier = match before {
                0 => String::new(),
                n => format!(", before it {n} other threads"),
            };
            out += &format!(
                "# lost {lost} events of ring {index} ({comm}-{tid}{earlier}): overwritten\n"
            );
        }
        if self.no_ring > 0 {
            out += &format!("# lost {} events of threads without a ring\n", self.no_ring);
        }
        if self.unknown > 0 {
            out += &format!("# skipped {} events of kinds unknown here\n", self.unknown);
        }
        if self.damaged > 0 {
            out += &format!("# skipped {} damaged rings\n", self.damaged);
        }
        out += &format!(
            "# lost {} events in total, {} printed\n",
            self.total(),
            self.printed
        );
        out
    }

    fn json(&self) -> Value {
        let rings = self.rings.iter().map(|ring| {
            Value::Object(vec![
                ("ring", Value::Big(ring.index as u64)),
                ("tid", Value::Num(ring.tid.into())),
                ("comm", Value::str(&ring.comm)),
                ("threads_before", Value::Num(ring.before.into())),
                ("lost", Value::Big(ring.lost)),
            ])
        });
        Value::Object(vec![
            ("event", Value::str("lost")),
            ("lost", Value::Big(self.total())),
            ("printed", Value::Big(self.printed)),
            ("no_ring", Value::Big(self.no_ring)),
            ("unknown", Value::Big(self.unknown)),
            ("damaged_rings", Value::Big(self.damaged as u64)),
            ("rings", Value::List(rings.collect())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;

    fn losses() -> Losses {
        Losses {
            printed: 90,
            rings: vec![RingLoss {
                index: 3,
                tid: 4711,
                comm: "kworker/0:1".into(),
                before: 0,
                lost: 12,
            }],
            no_ring: 5,
            unknown: 2,
            damaged: 1,
        }
    }

    #[test]
    fn losses_are_comments_with_a_total() {
        let expected = "# lost 12 events of ring 3 (kworker/0:1-4711): overwritten\n\
            # lost 5 events of threads without a ring\n\
            # skipped 2 events of kinds unknown here\n\
            # skipped 1 damaged rings\n\
            # lost 17 events in total, 90 printed\n";
        assert_eq!(losses().text(), expected);
    }

    #[test]
    fn a_ring_that_changed_hands_blames_nobody() {
        let mut losses = losses();
        losses.rings[0].before = 2;
        let text = losses.text();
        let expected =
            "# lost 12 events of ring 3 (kworker/0:1-4711, before it 2 other threads): overwritten";
        assert_eq!(text.lines().next(), Some(expected));
    }

    #[test]
    fn nothing_lost_is_said_too() {
        let losses = Losses {
            rings: vec![],
            no_ring: 0,
            unknown: 0,
            damaged: 0,
            ..losses()
        };
        assert_eq!(losses.text(), "# lost 0 events in total, 90 printed\n");
    }

    #[test]
    fn losses_in_json_are_one_object() {
        let json = serde_json::to_string(&Json(&losses().json())).expect("JSON");
        let expected = r#"{"event":"lost","lost":17,"printed":90,"no_ring":5,"unknown":2,"damaged_rings":1,"rings":[{"ring":3,"tid":4711,"comm":"kworker/0:1","threads_before":0,"lost":12}]}"#;
        assert_eq!(json, expected);
    }
}

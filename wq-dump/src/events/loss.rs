//! What could not be printed: where events were overwritten, and what it all comes to.

use wq_trace::{Cursor, Loss, Names, Snapshot, Value};

/// Events of one thread that were overwritten before they could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The ring's number.
    pub ring: u32,
    /// The thread that has the ring, or had it last.
    pub tid: u32,
    /// That thread's name.
    pub comm: String,
    /// Threads that had it before: the events may be theirs.
    pub before: u32,
    /// How many.
    pub lost: u64,
    /// When the first event after them happened.
    pub until: Option<u64>,
}

impl Gap {
    /// A loss with the thread that it is of.
    pub fn new(loss: &Loss, snapshot: &Snapshot, names: &Names) -> Self {
        let ring = snapshot.rings.iter().find(|ring| ring.index == loss.ring);
        let (tid, before) = ring.map_or((0, 0), |ring| (ring.tid, ring.generation));
        Self {
            ring: loss.ring,
            tid,
            comm: names.comm(tid).to_owned(),
            before,
            lost: loss.lost,
            until: loss.until,
        }
    }

    /// `# lost 12 events of kworker/0:1-4711`.
    pub fn text(&self) -> String {
        let earlier = match self.before {
            0 => String::new(),
            1 => " or the thread before it".to_owned(),
            n => format!(" or {n} threads before it"),
        };
        let Self {
            lost, comm, tid, ..
        } = self;
        format!("# lost {lost} events of {comm}-{tid}{earlier}\n")
    }

    /// The same as an object that stands among the events.
    pub fn json(&self) -> Value {
        Value::Object(vec![
            ("ts_ns", self.until.map_or(Value::Unknown, Value::Big)),
            ("event", Value::str("lost")),
            ("lost", Value::Big(self.lost)),
            ("tid", Value::Num(self.tid.into())),
            ("comm", Value::str(&self.comm)),
            ("ring", Value::Num(self.ring.into())),
            ("threads_before", Value::Num(self.before.into())),
        ])
    }
}

/// What it all came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events printed.
    pub printed: u64,
    /// Events overwritten, of those that were asked for.
    pub overwritten: u64,
    /// Events of threads that had no ring.
    pub no_ring: u64,
    /// Events of kinds that this version does not know.
    pub unknown: u64,
    /// Rings that contradicted themselves.
    pub damaged: usize,
}

impl Totals {
    /// Adds what only the cursor and the engine can tell.
    pub fn close(&mut self, cursor: &Cursor, snapshot: &Snapshot) {
        self.no_ring = snapshot.lost_no_ring;
        self.unknown = cursor.unknown();
        self.damaged = cursor.damaged();
    }

    fn lost(&self) -> u64 {
        self.overwritten.saturating_add(self.no_ring)
    }

    /// Comments for the end of the text.
    pub fn text(&self) -> String {
        let mut out = String::new();
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
            self.lost(),
            self.printed
        );
        out
    }

    /// The last object of the JSON lines.
    pub fn json(&self) -> Value {
        Value::Object(vec![
            ("event", Value::str("end")),
            ("printed", Value::Big(self.printed)),
            ("lost", Value::Big(self.lost())),
            ("no_ring", Value::Big(self.no_ring)),
            ("unknown", Value::Big(self.unknown)),
            ("damaged_rings", Value::Big(self.damaged as u64)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::json::Json;

    fn gap() -> Gap {
        let loss = Loss {
            ring: 0,
            lost: 12,
            until: Some(700),
        };
        let snapshot = fixture::snapshot();
        Gap::new(&loss, &snapshot, &Names::new(&snapshot))
    }

    fn totals() -> Totals {
        Totals {
            printed: 90,
            overwritten: 12,
            no_ring: 5,
            unknown: 2,
            damaged: 1,
        }
    }

    fn line(value: &Value) -> String {
        serde_json::to_string(&Json(value)).expect("JSON")
    }

    #[test]
    fn a_gap_is_a_comment_that_names_the_thread() {
        assert_eq!(gap().text(), "# lost 12 events of kworker/0:1-4702\n");
        let shared = Gap { before: 2, ..gap() };
        let expected = "# lost 12 events of kworker/0:1-4702 or 2 threads before it\n";
        assert_eq!(shared.text(), expected);
    }

    #[test]
    fn a_gap_in_json_is_one_object() {
        let expected = r#"{"ts_ns":700,"event":"lost","lost":12,"tid":4702,"comm":"kworker/0:1","ring":0,"threads_before":0}"#;
        assert_eq!(line(&gap().json()), expected);
    }

    #[test]
    fn a_ring_that_nobody_named_is_unknown() {
        let loss = Loss {
            ring: 77,
            lost: 1,
            until: None,
        };
        let snapshot = fixture::snapshot();
        let gap = Gap::new(&loss, &snapshot, &Names::new(&snapshot));
        assert_eq!(gap.text(), "# lost 1 events of unknown-0\n");
        assert!(line(&gap.json()).starts_with(r#"{"ts_ns":null,"#));
    }

    #[test]
    fn totals_are_comments_and_the_last_object() {
        let expected = "# lost 5 events of threads without a ring\n\
            # skipped 2 events of kinds unknown here\n\
            # skipped 1 damaged rings\n\
            # lost 17 events in total, 90 printed\n";
        assert_eq!(totals().text(), expected);
        let expected =
            r#"{"event":"end","printed":90,"lost":17,"no_ring":5,"unknown":2,"damaged_rings":1}"#;
        assert_eq!(line(&totals().json()), expected);
        let nothing = Totals {
            printed: 90,
            ..Totals::default()
        };
        assert_eq!(nothing.text(), "# lost 0 events in total, 90 printed\n");
    }
}

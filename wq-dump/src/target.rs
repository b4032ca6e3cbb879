//! The engine that a command looks at: chosen by flags, opened, read.

use crate::args::Common;
use crate::failure::Failure;
use wq_trace::{
    Cursor, FindError, From, Liveness, Names, OpenError, Reader, RecordingDamage, RecordingEnd,
    Snapshot, find, units,
};

/// Most states of a recording that are looked at besides the last: at one a second, ten minutes.
const EARLIER: usize = 600;

/// An opened segment or recording.
pub struct Target {
    reader: Reader,
}

impl Target {
    /// Opens the engine that the flags name, or the only live one.
    pub fn open(common: &Common) -> Result<Self, Failure> {
        let path = find(common.pid, common.engine.as_deref(), common.file.as_deref())
            .map_err(|error| not_found(&error))?;
        tracing::debug!(path = %path.display(), "reading");
        match Reader::open(&path) {
            Ok(reader) => Ok(Self { reader }),
            Err(error) => Err(not_opened(&error, common.pid.is_some())),
        }
    }

    /// The state of the engine now, or as it was left.
    pub fn snapshot(&self) -> Result<Snapshot, Failure> {
        let snapshot = self.reader.snapshot();
        let snapshot = snapshot.map_err(|error| Failure::Input(self.named(&error.to_string())))?;
        tracing::debug!(torn = snapshot.torn, "read");
        Ok(snapshot)
    }

    /// What everything is opened with.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The names of what stands in a snapshot; of a recording those of all its states.
    pub fn names(&self, snapshot: &Snapshot) -> Names {
        let recorded = self.reader.recording();
        recorded.map_or_else(
            || Names::new(snapshot),
            |recording| recording.names().clone(),
        )
    }

    /// The states that a recording holds besides its last one, the oldest first: of a long one those of its last minutes.
    pub fn earlier(&self) -> Result<Vec<Snapshot>, Failure> {
        if self.reader.recording().is_none() {
            return Ok(Vec::new());
        }
        let states = self.reader.latest(EARLIER);
        let mut states = states.map_err(|error| Failure::Input(self.named(&error.to_string())))?;
        states.pop();
        Ok(states)
    }

    /// Whether it may still write.
    pub fn running(&self) -> bool {
        matches!(self.liveness(), Liveness::Live | Liveness::Unknown)
    }

    /// Whether its process runs, and its ids are those of this pid namespace.
    pub fn is_here(&self) -> bool {
        self.liveness() == Liveness::Live
    }

    fn liveness(&self) -> Liveness {
        self.reader.liveness().unwrap_or(Liveness::Unknown)
    }

    /// A way through its events, from the oldest.
    pub fn cursor(&self) -> Cursor {
        self.reader.cursor(From::Oldest)
    }

    /// A way through the events that it emits from now on.
    pub fn cursor_from_now(&self) -> Cursor {
        self.reader.cursor(From::Now)
    }

    /// A comment that says which engine this is, and what is missing in what follows.
    pub fn headline(&self, snapshot: &Snapshot) -> String {
        let mut out = headline(snapshot, self.liveness());
        if let Some(recording) = self.reader.recording() {
            out += &damages(recording.damage(), recording.end());
        }
        out
    }

    /// An error with the file that it is about.
    fn named(&self, error: &str) -> String {
        match self.reader.path() {
            Some(path) => format!("{}: {error}", path.display()),
            None => error.to_owned(),
        }
    }
}

fn not_found(error: &FindError) -> Failure {
    match error {
        FindError::NoProcess { .. }
        | FindError::NotPermitted { .. }
        | FindError::NoEngine { .. } => Failure::Target(error.to_string()),
        FindError::NoneLive { .. } | FindError::Several { .. } | FindError::NoneNamed { .. } => {
            Failure::Input(error.to_string())
        }
    }
}

/// A file that vanished is a target that is gone when a process was named, and wrong input when the file was.
fn not_opened(error: &OpenError, by_pid: bool) -> Failure {
    match error {
        OpenError::NotPermitted { .. } => Failure::Target(error.to_string()),
        OpenError::NotThere { .. } if by_pid => Failure::Target(error.to_string()),
        _ => Failure::Input(error.to_string()),
    }
}

/// `# engine demo, pid 4700, live, up 12.0 s, sensing tick`.
fn headline(snapshot: &Snapshot, state: Liveness) -> String {
    let meta = &snapshot.meta;
    let up = snapshot.at.saturating_sub(meta.started_at);
    let mut out = format!(
        "# engine {}, pid {}, {}, up {}, sensing {}",
        meta.name,
        meta.pid,
        state.word(),
        units::duration(up),
        meta.sensing
    );
    if !meta.sensing_reason.is_empty() {
        out += &format!(" ({})", meta.sensing_reason);
    }
    if !meta.tracing {
        out += ", events off";
    }
    out.push('\n');
    if snapshot.hidden_rows > 0 {
        let rows = snapshot.hidden_rows;
        out += &format!("# {rows} rows found no room in the segment: sums are too small\n");
    }
    if snapshot.torn > 0 {
        out += &format!(
            "# {} rows kept changing while they were read\n",
            snapshot.torn
        );
    }
    out
}

/// What is wrong with a recording, a comment each.
fn damages(damage: RecordingDamage, end: Option<RecordingEnd>) -> String {
    let mut out = String::new();
    let RecordingDamage { bytes, places } = damage;
    if bytes > 0 {
        let places = match places {
            1 => "one place".to_owned(),
            n => format!("{n} places"),
        };
        out += &format!("# {bytes} bytes of the recording, at {places}, cannot be read\n");
    }
    if end.is_none() {
        out += "# the recording breaks off: its recorder was killed, or goes on\n";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_headline_names_the_engine_and_its_limits() {
        let mut snapshot = fixture::idle();
        let line = headline(&snapshot, Liveness::Live);
        assert_eq!(
            line,
            "# engine demo, pid 4700, live, up 12.0 s, sensing tick\n"
        );
        snapshot.meta.sensing_reason = "no canary".into();
        snapshot.meta.tracing = false;
        let line = headline(&snapshot, Liveness::Dead);
        let expected =
            "# engine demo, pid 4700, dead, up 12.0 s, sensing tick (no canary), events off\n";
        assert_eq!(line, expected);
    }

    #[test]
    fn what_is_wrong_with_a_recording_is_said() {
        let whole = RecordingDamage::default();
        assert_eq!(damages(whole, Some(RecordingEnd::Stopped)), "");
        let damage = RecordingDamage {
            bytes: 37,
            places: 1,
        };
        let expected = "# 37 bytes of the recording, at one place, cannot be read\n\
            # the recording breaks off: its recorder was killed, or goes on\n";
        assert_eq!(damages(damage, None), expected);
        let damage = RecordingDamage {
            places: 2,
            ..damage
        };
        let text = damages(damage, Some(RecordingEnd::Ended));
        assert!(text.contains("at 2 places"), "{text}");
    }

    #[test]
    fn what_is_missing_is_said() {
        let snapshot = Snapshot {
            hidden_rows: 3,
            torn: 1,
            ..fixture::idle()
        };
        let text = headline(&snapshot, Liveness::Live);
        let lines: Vec<_> = text.lines().skip(1).collect();
        let expected = [
            "# 3 rows found no room in the segment: sums are too small",
            "# 1 rows kept changing while they were read",
        ];
        assert_eq!(lines, expected);
    }
}

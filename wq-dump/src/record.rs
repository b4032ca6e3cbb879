//! `record`: an engine's events and states, into a file that everything reads which reads a segment.

use crate::args::{Common, Record};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::target::Target;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};
use wq_trace::{Meta, RecordingEnd, RecordingSession, Value, clean_text, create_recording};

/// Between two looks at the rings: they overwrite.
const PAUSE: Duration = Duration::from_millis(2);

/// Records the engine asked for, and prints what was recorded.
pub fn run(common: &Common, flags: &Record, output: &mut Output) -> Result<(), Failure> {
    let target = Target::open(common)?;
    let interrupt = Interrupt::install().map_err(Failure::Signals)?;
    let meta = target.snapshot()?.meta;
    let path = flags.output.clone().unwrap_or_else(|| default_path(&meta));
    let file = create_recording(&path).map_err(|error| Failure::Input(error.to_string()))?;
    let broken =
        |error: &dyn std::fmt::Display| Failure::Input(format!("{}: {error}", path.display()));
    let mut session =
        RecordingSession::new(target.reader().clone(), file).map_err(|error| broken(&error))?;
    let started = Instant::now();
    let mut interrupted = false;
    while session.poll(now()).map_err(|error| broken(&error))? {
        interrupted = interrupt.requested();
        let over = flags.duration.is_some_and(|all| started.elapsed() >= all);
        if interrupted || over {
            break;
        }
        sleep(PAUSE);
    }
    let done = session.finish().map_err(|error| broken(&error))?;
    let bytes = done.out.metadata().map_or(0, |file| file.len());
    let summary = Summary {
        path: &path,
        meta: &meta,
        events: done.events,
        lost: done.lost,
        bytes,
        end: done.end,
    };
    if common.json {
        output.json(&summary.json())?;
    } else {
        output.text(&summary.text())?;
    }
    output.finish()?;
    match done.end {
        _ if interrupted => Err(Failure::Interrupted),
        RecordingEnd::Gone if common.pid.is_some() => {
            let (name, pid) = (&meta.name, meta.pid);
            let text = format!("engine {name} of process {pid} was killed");
            Err(Failure::Target(text))
        }
        RecordingEnd::Gone | RecordingEnd::Ended | RecordingEnd::Stopped => Ok(()),
    }
}

fn default_path(meta: &Meta) -> PathBuf {
    // Names come from the segment, and may be anything there.
    let name = meta.name.replace('/', "_");
    format!("wq-{name}-{}.wqrec", meta.pid).into()
}

/// Now on the segment's clock.
fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or_default()
}

/// What was recorded.
struct Summary<'a> {
    path: &'a Path,
    meta: &'a Meta,
    events: u64,
    lost: u64,
    bytes: u64,
    end: RecordingEnd,
}

impl Summary<'_> {
    fn path(&self) -> String {
        clean_text(&self.path.to_string_lossy(), 4_096)
    }

    fn end(&self) -> &'static str {
        match self.end {
            RecordingEnd::Ended => "ended",
            RecordingEnd::Gone => "dead",
            RecordingEnd::Stopped => "recorded",
        }
    }

    /// `recorded 1234 events (0 lost) of engine demo to demo.wqrec, 12 KiB`.
    fn text(&self) -> String {
        let (events, lost) = (self.events, self.lost);
        let kib = self.bytes.div_ceil(1024);
        let (name, path) = (&self.meta.name, self.path());
        format!("recorded {events} events ({lost} lost) of engine {name} to {path}, {kib} KiB\n")
    }

    fn json(&self) -> Value {
        Value::Object(vec![
            ("path", Value::Str(self.path())),
            ("pid", Value::Num(self.meta.pid.into())),
            ("name", Value::str(&self.meta.name)),
            ("state", Value::str(self.end())),
            ("events", Value::Big(self.events)),
            ("lost", Value::Big(self.lost)),
            ("bytes", Value::Big(self.bytes)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::json::Json;

    #[test]
    fn what_was_recorded_is_told() {
        let summary = Summary {
            path: Path::new("x\u{1b}.wqrec"),
            meta: &fixture::idle().meta,
            events: 1_234,
            lost: 2,
            bytes: 5_000,
            end: RecordingEnd::Stopped,
        };
        let expected = "recorded 1234 events (2 lost) of engine demo to x_.wqrec, 5 KiB\n";
        assert_eq!(summary.text(), expected);
        let json = serde_json::to_string(&Json(&summary.json())).expect("JSON");
        let expected = r#"{"path":"x_.wqrec","pid":4700,"name":"demo","state":"recorded","events":1234,"lost":2,"bytes":5000}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn a_name_is_no_way_out_of_the_folder() {
        let mut meta = fixture::idle().meta;
        meta.name = "../../etc/x".into();
        assert_eq!(default_path(&meta), Path::new("wq-.._.._etc_x-4700.wqrec"));
    }
}

//! The engines to choose from, looked at again and again: whose each is, for how long it runs, how busy it is.

use crate::source::{About, Engine};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use wq_trace::{Reader, Snapshot};

/// Looks at engines, and remembers what they had written by then.
#[derive(Debug, Default)]
pub struct Lookout {
    before: HashMap<PathBuf, (u64, u64)>,
}

impl Lookout {
    /// The same engines, with what is known of them at `now` (nanoseconds on the segments' clock).
    pub fn look(&mut self, engines: &[Engine], now: u64) -> Vec<Engine> {
        let mut looked = engines.to_vec();
        for engine in &mut looked {
            engine.about = self.about(&engine.path, now);
        }
        looked
    }

    fn about(&mut self, path: &Path, now: u64) -> About {
        let mut about = About {
            user: owner(path).unwrap_or_default(),
            ..About::default()
        };
        let Ok(reader) = Reader::open(path) else {
            return about;
        };
        about.liveness = reader.liveness().ok();
        let Ok(snapshot) = reader.snapshot() else {
            return about;
        };
        about.up = Some(now.saturating_sub(snapshot.meta.started_at));
        let written = written(&snapshot);
        let before = self.before.insert(path.to_owned(), (now, written));
        about.events_per_s = before.and_then(|(then, had)| {
            let took = u128::from(now.checked_sub(then).filter(|took| *took > 0)?);
            let news = u128::from(written.saturating_sub(had));
            u64::try_from(news * 1_000_000_000 / took).ok()
        });
        about
    }
}

/// Events of all rings so far.
fn written(snapshot: &Snapshot) -> u64 {
    let rings = snapshot.rings.iter();
    rings.fold(0, |sum, ring| sum.saturating_add(ring.written))
}

/// The name of a file's owner, or the number where there is no name.
fn owner(path: &Path) -> Option<String> {
    let uid = std::fs::metadata(path).ok()?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    named.or(Some(uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_cannot_be_read_is_still_offered() {
        let gone = Engine {
            path: "/nowhere/7-x.wqseg".into(),
            ..Engine::default()
        };
        let looked = Lookout::default().look(std::slice::from_ref(&gone), 1);
        assert_eq!(looked, [gone]);
    }

    #[test]
    fn a_file_has_an_owner() {
        assert!(!owner(Path::new("/proc/self/stat")).unwrap().is_empty());
        assert_eq!(owner(Path::new("/nowhere")), None);
    }
}

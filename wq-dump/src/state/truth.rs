//! What the kernel says of an engine's threads at this moment, which the engine itself may not have noticed yet.

use std::collections::HashMap;
use wq_trace::{Snapshot, WorkerState};

/// The state of threads that execute an item, by thread id: `R` runs or could, `S` and `D` sleep, ...
#[derive(Debug, Default)]
pub struct Truth(HashMap<u32, char>);

impl Truth {
    /// Asks the kernel. Only of an engine whose process runs here: elsewhere the ids are other threads'.
    pub fn of(snapshot: &Snapshot) -> Self {
        let pid = snapshot.meta.pid;
        let executing = snapshot
            .workers
            .iter()
            .filter(|w| matches!(w.state, WorkerState::Running | WorkerState::Sleeping));
        let known = executing.filter_map(|worker| {
            let stat = std::fs::read(format!("/proc/{pid}/task/{}/stat", worker.tid)).ok()?;
            Some((worker.tid, state_in(&stat)?))
        });
        Self(known.collect())
    }

    /// The state of this thread, where it is known.
    pub fn state(&self, tid: u32) -> Option<char> {
        self.0.get(&tid).copied()
    }

    /// Whether this thread is known not to want a CPU now.
    pub fn sleeps(&self, tid: u32) -> bool {
        matches!(self.state(tid), Some('S' | 'D' | 'T' | 't'))
    }
}

/// The third field of a stat line. The second is the command in parentheses, and may hold anything.
fn state_in(stat: &[u8]) -> Option<char> {
    let after = stat.iter().rposition(|&byte| byte == b')')?;
    let letter = *stat.get(after + 2)?;
    letter.is_ascii_alphabetic().then_some(letter.into())
}

#[cfg(test)]
impl Truth {
    /// Made up.
    pub fn made_up(states: &[(u32, char)]) -> Self {
        Self(states.iter().copied().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_hold_anything() {
        assert_eq!(state_in(b"7 (a) R (b) S 1 7"), Some('S'));
        assert_eq!(state_in(b"7 (a"), None);
        assert_eq!(state_in(b"7 (a)"), None);
        assert_eq!(state_in(b"7 (a) \x1b"), None);
    }

    #[test]
    fn who_waits_for_nothing_runs() {
        let truth = Truth::made_up(&[(1, 'R'), (2, 'D')]);
        assert!(!truth.sleeps(1) && truth.sleeps(2) && !truth.sleeps(3));
    }
}

//! What the system itself says of the workers' threads: CPU time, and where they sleep.

use std::collections::HashMap;

/// One thread at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadSample {
    /// OS thread id.
    pub tid: u32,
    /// CPU time used since its start, in nanoseconds.
    pub cpu_ns: u64,
    /// The function of the kernel that it sleeps in, or `syscall N`; `None` when it does not sleep or nobody may know.
    pub asleep_in: Option<String>,
}

/// Threads looked at in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Threads {
    /// When, in nanoseconds on the segment's clock.
    pub at: u64,
    /// What was seen, in any order.
    pub samples: Vec<ThreadSample>,
    /// Workers that were left out, because there are too many.
    pub left_out: usize,
    /// Why it is not known where some sleep, as a sentence.
    pub problem: Option<String>,
}

/// What is known of one thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Thread {
    at: u64,
    cpu_ns: u64,
    /// Share of one CPU between the last two looks.
    pub share: Option<f64>,
    pub asleep_in: Option<String>,
}

/// The threads at the last look.
#[derive(Clone, Debug, Default)]
pub(super) struct Looked {
    threads: HashMap<u32, Thread>,
}

impl Looked {
    /// Takes in another look. Threads that were not looked at this time have to begin again.
    pub fn look(&mut self, look: &Threads) {
        let before = std::mem::take(&mut self.threads);
        for sample in &look.samples {
            let last = before.get(&sample.tid);
            // A thread whose CPU time shrank is another one of the same number.
            let last = last.filter(|last| last.cpu_ns <= sample.cpu_ns && last.at < look.at);
            let share = last.map(|last| {
                let used = (sample.cpu_ns - last.cpu_ns) as f64;
                used / (look.at - last.at) as f64
            });
            let thread = Thread {
                at: look.at,
                cpu_ns: sample.cpu_ns,
                share,
                asleep_in: sample.asleep_in.clone(),
            };
            self.threads.insert(sample.tid, thread);
        }
    }

    /// What is known of a thread.
    pub fn thread(&self, tid: u32) -> Option<&Thread> {
        self.threads.get(&tid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(at: u64, samples: &[(u32, u64)]) -> Threads {
        let sample = |&(tid, cpu_ns)| ThreadSample {
            tid,
            cpu_ns,
            asleep_in: None,
        };
        Threads {
            at,
            samples: samples.iter().map(sample).collect(),
            ..Threads::default()
        }
    }

    #[test]
    fn a_share_is_what_was_used_between_two_looks() {
        let mut looked = Looked::default();
        let share = |looked: &Looked, tid| looked.thread(tid).and_then(|thread| thread.share);
        looked.look(&look(1_000, &[(7, 500), (8, 900)]));
        assert_eq!(share(&looked, 7), None, "one look is none between two");
        looked.look(&look(2_000, &[(7, 750), (8, 0)]));
        assert_eq!(share(&looked, 7), Some(0.25));
        assert_eq!(share(&looked, 8), None, "it is another thread");
        looked.look(&look(2_000, &[(7, 750)]));
        assert_eq!(share(&looked, 7), None, "no time went by");
        assert!(looked.thread(8).is_none());
    }
}

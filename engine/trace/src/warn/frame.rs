//! The frame around the lints: what was found is told when it has held for long enough, and stays a while.

use super::lint::{Finding, Level, Lint, Subject, Verdict};
use super::scene::{Memory, Sample, Scene};
use super::settings::Settings;
use super::table::{LINTS, LONG_WAIT};
use crate::model::Model;
use crate::value::{Fields, Value};
use std::collections::{BTreeMap, HashMap};

/// How long a warning stays after it was last found, in nanoseconds: one that comes and goes does not flicker.
const LINGER_NS: u64 = 3_000_000_000;
/// Different warnings kept of all that ever fired.
const MOST_FIRED: usize = 1_024;

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Warning {
    /// Name of the lint.
    pub lint: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What is wrong, with names and numbers, as one sentence.
    pub sentence: String,
    /// The numbers that it rests on.
    pub evidence: Fields,
    /// What to do.
    pub remedy: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// Its name.
    pub name: String,
    /// What else is concerned.
    pub also: Vec<Subject>,
    /// When it began to look wrong, in nanoseconds on the segment's clock.
    pub since: u64,
    /// When it was last found so.
    pub last: u64,
}

impl Warning {
    /// Whether it is about this, or concerns it.
    pub fn concerns(&self, subject: Subject) -> bool {
        self.subject == subject || self.also.contains(&subject)
    }

    /// Its fields as all tools print them in JSON.
    pub fn fields(&self) -> Fields {
        vec![
            ("lint", Value::str(self.lint)),
            ("level", Value::str(self.level.word())),
            ("subject", Value::str(self.subject.kind())),
            ("name", Value::str(&*self.name)),
            ("sentence", Value::str(&*self.sentence)),
            ("evidence", Value::Object(self.evidence.clone())),
            ("remedy", Value::str(self.remedy)),
            ("since_ns", Value::Big(self.since)),
            ("last_ns", Value::Big(self.last)),
        ]
    }
}

/// Something that was found at every look since.
#[derive(Debug)]
struct Open {
    /// As it was found last.
    warning: Warning,
    /// Whether it has held for long enough to be told.
    told: bool,
}

/// All lints, and what they found.
#[derive(Debug, Default)]
pub struct Warnings {
    settings: Settings,
    memory: Memory,
    /// By the lint's place in the table.
    open: BTreeMap<(usize, Subject), Open>,
    active: Vec<Warning>,
    fired: Vec<Warning>,
    looked_at: Option<u64>,
}

impl Warnings {
    /// Nothing has been looked at yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// Looks at the model; to be called after each snapshot that it takes in. A snapshot that was looked at before (an
    /// engine that is gone says nothing new) changes nothing.
    pub fn look(&mut self, model: &Model) {
        let Some(snapshot) = model.snapshot() else {
            return;
        };
        let now = snapshot.at;
        if self.looked_at.is_some_and(|last| now <= last) {
            return;
        }
        self.looked_at = Some(now);
        let long = self.settings.threshold(&LONG_WAIT).unwrap_or(u64::MAX);
        let sample = Sample::of(model, snapshot, long);
        let mut scene = Scene::new(model, snapshot, &sample, self.memory.base(snapshot));
        let mut found = Vec::new();
        for (place, lint) in LINTS.iter().enumerate() {
            if let Some(threshold) = self.settings.threshold(lint) {
                scene.threshold = threshold;
                let findings = one_each((lint.check)(&scene));
                found.extend(findings.into_iter().map(|it| (place, *lint, it)));
            }
        }
        for (place, lint, finding) in found {
            self.book(place, lint, finding, model);
        }
        self.memory.keep(sample);
        self.close(now);
    }

    /// What is wrong now, the worst first.
    pub fn active(&self) -> &[Warning] {
        &self.active
    }

    /// Everything that was ever wrong, as it was told last, in the order in which it was told first; of more than 1,024
    /// different warnings the first.
    pub fn fired(&self) -> &[Warning] {
        &self.fired
    }

    /// What looks wrong but has not held for long enough to be told. Of an engine that is gone nobody can look again: this
    /// is all that will ever be known.
    pub fn suspected(&self) -> Vec<Warning> {
        let suspected = self.open.values().filter(|open| !open.told);
        suspected.map(|open| open.warning.clone()).collect()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn book(&mut self, place: usize, lint: &Lint, finding: Finding, model: &Model) {
        let now = model.at();
        let key = (place, finding.subject);
        let before = self.open.get(&key);
        let since = before.map_or(now, |open| open.warning.since);
        // One look proves nothing, however long it is that nobody looked before.
        let again = before.is_some_and(|open| open.warning.last < now);
        let held = again && now - since >= lint.holds_ns;
        let told = held || finding.verdict == Verdict::Warn || before.is_some_and(|open| open.told);
        let warning = Warning {
            lint: lint.name,
            level: lint.level,
            sentence: finding.sentence,
            evidence: finding.evidence,
            remedy: lint.remedy,
            subject: finding.subject,
            name: name_of(finding.subject, model),
            also: finding.also,
            since,
            last: now,
        };
        if told {
            remember(&mut self.fired, warning.clone());
        }
        self.open.insert(key, Open { warning, told });
    }

    /// What was not found at this look is over: at once if it was never told, else after a while.
    fn close(&mut self, now: u64) {
        self.open.retain(|_, open| {
            let last = open.warning.last;
            last == now || open.told && now - last < LINGER_NS
        });
        let told = self.open.values().filter(|open| open.told);
        self.active = told.map(|open| open.warning.clone()).collect();
        self.active
            .sort_by_key(|warning| std::cmp::Reverse(warning.level));
    }
}

/// One finding for each subject: of several the first is told, and what the others concern is concerned too.
fn one_each(findings: Vec<Finding>) -> Vec<Finding> {
    let mut places: HashMap<Subject, usize> = HashMap::new();
    let mut each: Vec<Finding> = Vec::new();
    for finding in findings {
        let place = *places.entry(finding.subject).or_insert(each.len());
        match each.get_mut(place) {
            Some(first) => {
                for subject in finding.also {
                    if !first.also.contains(&subject) {
                        first.also.push(subject);
                    }
                }
            }
            None => each.push(finding),
        }
    }
    each
}

fn remember(fired: &mut Vec<Warning>, warning: Warning) {
    let same = |it: &Warning| it.lint == warning.lint && it.subject == warning.subject;
    match fired.iter().position(same) {
        Some(place) => {
            let since = fired[place].since;
            fired[place] = Warning { since, ..warning };
        }
        None if fired.len() < MOST_FIRED => fired.push(warning),
        None => {}
    }
}

fn name_of(subject: Subject, model: &Model) -> String {
    let names = model.names();
    match subject {
        Subject::Workqueue(id) => names.workqueue(id).to_owned(),
        Subject::Function(id) => names.function(id).to_owned(),
        Subject::Worker(id) => names.worker(id).to_owned(),
        Subject::Pool(id) => match names.pool(id) {
            Some(number) => format!("pool {number}"),
            None => crate::names::UNKNOWN.to_owned(),
        },
        Subject::Engine => {
            let snapshot = model.snapshot();
            snapshot.map_or_else(String::new, |s| s.meta.name.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, MS, S};
    use super::*;
    use crate::stats::Counter;

    fn stalled(bench: &mut Bench) {
        bench.snapshot.pools[0].nr_pending = 1;
        bench.snapshot.pools[0].last_progress = bench.snapshot.at;
    }

    #[test]
    fn what_looks_wrong_once_is_not_told() {
        let mut bench = Bench::new();
        stalled(&mut bench);
        bench.look(60 * S);
        assert_eq!(bench.fired(), [""; 0]);
        bench.snapshot.pools[0].nr_pending = 0;
        bench.look(S);
        stalled(&mut bench);
        bench.look(60 * S);
        assert_eq!(bench.fired(), [""; 0], "the earlier time does not count");
        bench.look(MS);
        assert_eq!(bench.active(), ["stalled-pool"]);
    }

    #[test]
    fn what_looks_wrong_is_suspected_until_it_is_told() {
        let mut bench = Bench::new();
        stalled(&mut bench);
        bench.look(60 * S);
        let suspected = bench.warnings.suspected();
        assert_eq!(suspected.len(), 1);
        assert_eq!(
            (suspected[0].lint, bench.active().len()),
            ("stalled-pool", 0)
        );
        bench.look(S);
        assert_eq!(bench.active(), ["stalled-pool"]);
        assert_eq!(bench.warnings.suspected(), []);
    }

    #[test]
    fn a_warning_stays_a_while_and_is_kept_as_fired() {
        let mut bench = Bench::new();
        stalled(&mut bench);
        bench.look(3 * S);
        bench.look(S);
        bench.snapshot.pools[0].nr_pending = 0;
        bench.look(S);
        assert_eq!(bench.active(), ["stalled-pool"]);
        bench.look(3 * S);
        assert_eq!(bench.active(), [""; 0]);
        assert_eq!(bench.fired(), ["stalled-pool"]);
    }

    #[test]
    fn the_same_snapshot_is_looked_at_once() {
        let mut bench = Bench::new();
        stalled(&mut bench);
        bench.look(3 * S);
        for _ in 0..5 {
            bench.look(0);
        }
        assert_eq!(bench.fired(), [""; 0]);
    }

    #[test]
    fn the_interval_does_not_matter() {
        for step in [100 * MS, 250 * MS, S, 5 * S] {
            let mut bench = Bench::new();
            for _ in 0..(20 * S / step) {
                bench.count(Counter::Panics, 1);
                bench.snapshot.workqueues[0].counters[0] += step / MS;
                bench.look(step);
            }
            assert_eq!(bench.fired(), ["panics", "refused"], "every {step} ns");
        }
    }

    #[test]
    fn a_lint_can_be_switched_off_or_made_to_wait() {
        for (setting, fires) in [("off", false), ("100", false), ("1", true)] {
            let mut bench = Bench::with(&format!("panics={setting}"));
            bench.look(S);
            bench.count(Counter::Panics, 5);
            bench.look(S);
            assert_eq!(!bench.fired().is_empty(), fires, "{setting}");
        }
    }

    #[test]
    fn growth_before_the_first_look_at_an_old_engine_is_not_news() {
        let mut old = Bench::old();
        old.look(S);
        old.look(S);
        assert_eq!(old.fired(), [""; 0]);
        old.count(Counter::Panics, 1);
        old.look(S);
        assert_eq!(old.fired(), ["panics"]);
        let mut young = Bench::new();
        young.count(Counter::Panics, 5);
        young.look(S);
        assert_eq!(young.fired(), ["panics"], "all of it came since the start");
    }

    #[test]
    fn growth_is_forgotten_after_the_window() {
        let mut bench = Bench::new();
        bench.count(Counter::Panics, 1);
        for _ in 0..12 {
            bench.look(S);
        }
        assert_eq!(bench.active(), ["panics"], "it lingers");
        for _ in 0..4 {
            bench.look(S);
        }
        assert_eq!(bench.active(), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_file_says_does_no_harm(
            looks in proptest::collection::vec(proptest::collection::vec(big(), 12), 1..8),
        ) {
            let mut bench = Bench::new();
            for numbers in looks {
                let n = |place: usize| numbers[place];
                let s = &mut bench.snapshot;
                let at = s.at;
                s.meta.started_at = n(0);
                s.workqueues[0].counters = [n(1); crate::WqCounter::COUNT];
                (s.pools[0].nr_pending, s.pools[0].last_progress) = (n(2) as u32, n(3));
                let pwq = &mut s.pwqs[0];
                pwq.counters = [n(4); Counter::COUNT];
                (pwq.nr_inactive, pwq.held_since) = (n(5) as u32, n(6));
                pwq.wait.buckets = vec![(n(7), n(8)), (u64::MAX, n(9))];
                for row in &mut s.pwq_funcs {
                    (row.pending, row.inactive) = (n(2) as u32, n(5) as u32);
                    (row.completed, row.cpu_ns) = (n(10), n(11));
                    row.breakdown = [n(8); crate::WaitPart::COUNT];
                }
                let worker = bench.worker(1, 1, crate::WorkerState::Running);
                (worker.since, worker.started_at) = (n(3), n(6));
                bench.model.apply_lost(n(9));
                bench.look(1 + n(0).min(u64::MAX - at - 1) % (100 * S));
            }
            for warning in bench.warnings.fired() {
                proptest::prop_assert!(warning.since <= warning.last);
            }
        }
    }

    /// Numbers as a file has them: small, like stamps, or the largest.
    fn big() -> impl proptest::strategy::Strategy<Value = u64> {
        proptest::prop_oneof![0..1_000u64, 0..40 * S, proptest::strategy::Just(u64::MAX)]
    }

    #[test]
    fn the_worst_comes_first_and_says_what_it_concerns() {
        let mut bench = Bench::new();
        stalled(&mut bench);
        bench.look(3 * S);
        bench.count(Counter::Panics, 1);
        bench.look(S);
        assert_eq!(bench.active(), ["stalled-pool", "panics"]);
        let warning = &bench.warnings.active()[1];
        assert!(warning.concerns(warning.subject) && !warning.concerns(Subject::Engine));
        let keys: Vec<_> = warning.fields().iter().map(|(key, _)| *key).collect();
        let expected = "lint level subject name sentence evidence remedy since_ns last_ns";
        assert_eq!(keys, expected.split(' ').collect::<Vec<_>>());
        assert_eq!(warning.name, "mixed");
    }
}

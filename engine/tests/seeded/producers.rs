//! The producers of a seed's program.
//!
//! Those that wait do so between two marks: items of their own, whose queueing tells the checkers when the wait began and
//! when it was over, even if there was nothing to wait for.

use super::generate::Generator;
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{Draw, ItemRef, Pace, ProducerAction, ProducerSpec, Step, WqRef};

impl Generator {
    pub fn producers(&mut self) -> Vec<ProducerSpec> {
        let mut producers = Vec::new();
        if self.on.fail_for_ever {
            let at = self.rng.time(100);
            let steps = vec![Step::FailCreate(true)];
            producers.push(self.stepper("famine".to_owned(), at, steps));
        }
        for index in 0..self.rng.range(1, 3) {
            producers.extend(self.caller(format!("p{index}")));
        }
        for index in 0..self.rng.range(1, 4) {
            let mut steps = Vec::new();
            for _ in 0..self.rng.range(2, 10) {
                self.act(&mut steps);
            }
            if steps.is_empty() {
                continue;
            }
            let at = self.rng.time(200);
            producers.push(self.stepper(format!("s{index}"), at, steps));
        }
        let steps = self.reap();
        let at = Duration::from_millis(30) + self.rng.time(600);
        producers.push(self.stepper("reaper".to_owned(), at, steps));
        producers
    }

    /// A producer that queues works in turn.
    fn caller(&mut self, name: String) -> Option<ProducerSpec> {
        let works = (0..self.works.len()).filter(|&w| !self.works[w].is_rcu);
        let works: Vec<_> = works.filter(|_| self.rng.chance(60)).collect();
        if works.is_empty() {
            return None;
        }
        let cpu = self.rng.chance(40).then(|| self.rng.below(self.cpus));
        let pace = match self.rng.below(4) {
            0 if self.on.bursts => Pace::BackToBack,
            1 => Pace::Poisson(self.rng.pick(&[200.0, 1000.0, 4000.0])),
            _ => Pace::Every(self.rng.draw(30)),
        };
        Some(ProducerSpec {
            name,
            action: ProducerAction::Works(works),
            cpu,
            on_cpu: cpu.is_some() && self.rng.chance(50),
            at: Draw::Fixed(self.rng.time(50)),
            pace,
            count: Some(self.rng.range(1, 40) as u64),
            duration: None,
        })
    }

    fn stepper(&mut self, name: String, at: Duration, steps: Vec<Step>) -> ProducerSpec {
        ProducerSpec {
            name,
            action: ProducerAction::Steps(steps),
            cpu: self.rng.chance(30).then(|| self.rng.below(self.cpus)),
            on_cpu: false,
            at: Draw::Fixed(at),
            pace: Pace::BackToBack,
            count: Some(1),
            duration: None,
        }
    }

    /// One more thing that a producer does.
    fn act(&mut self, steps: &mut Vec<Step>) {
        let pause = Step::Wait(self.rng.draw(80));
        match self.rng.below(14) {
            0 | 1 => steps.push(pause),
            2 if self.on.freeze => steps.extend([Step::Freeze, pause, Step::Thaw]),
            3 if self.on.fail_create => {
                steps.extend([Step::FailCreate(true), pause, Step::FailCreate(false)]);
            }
            4 if self.on.hotplug => {
                let cpu = self.rng.below(self.cpus);
                self.between_marks(steps, Step::CpuDown(cpu));
                steps.push(pause);
                self.between_marks(steps, Step::CpuUp(cpu));
            }
            5 if self.on.disable => {
                if let Some(Step::Cancel(item)) = self.taking_back(0) {
                    steps.extend([Step::Disable(item), pause, Step::Enable(item)]);
                }
            }
            6 if self.on.set_max_active => steps.extend(self.limit()),
            7 | 8 => self.wait_between_marks(steps),
            9 if self.on.cancel => steps.extend(self.taking_back(0)),
            10 if self.on.unbalanced_enable => {
                if let Some(Step::Cancel(item)) = self.taking_back(0)
                    && !self.works[item.work].requeues
                {
                    steps.push(Step::Enable(item));
                }
            }
            _ => steps.extend(self.queueing(0)),
        }
    }

    fn limit(&mut self) -> Option<Step> {
        let fixed = WqFlags::BH | WqFlags::ORDERED;
        let wqs = 1..self.wqs.len();
        let wqs: Vec<_> = wqs
            .filter(|&wq| !self.wqs[wq].flags.intersects(fixed))
            .collect();
        let max_active = self.rng.pick(&[1, 1, 2, 3, 5, 6, 9, 20, 2048]);
        let wq = (!wqs.is_empty()).then(|| WqRef::Own(self.rng.pick(&wqs)))?;
        Some(Step::SetMaxActive(wq, max_active))
    }

    fn wait_between_marks(&mut self, steps: &mut Vec<Step>) {
        let work = self.rng.below(self.works.len());
        let item = self.item(work);
        let wq = 1 + self.rng.below(self.wqs.len() - 1);
        let step = match self.rng.below(4) {
            0 if self.on.flush => Step::Flush(item),
            1 if self.on.cancel_sync && !self.works[work].is_rcu => Step::CancelSync(item),
            2 if self.on.flush_wq => Step::FlushWq(WqRef::Own(wq)),
            3 if self.on.drain => Step::Drain(WqRef::Own(wq)),
            _ => return,
        };
        self.between_marks(steps, step);
    }

    fn between_marks(&mut self, steps: &mut Vec<Step>, step: Step) {
        let work = self.works.len();
        let mut mark = || {
            self.marks += 1;
            let instance = Some(self.marks - 1);
            Step::Queue(ItemRef { work, instance })
        };
        steps.extend([mark(), step, mark()]);
    }

    /// What makes the program come to its end.
    fn reap(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (work, draft) in self.works.iter().enumerate() {
            if draft.requeues {
                let instance = None;
                steps.push(Step::Disable(ItemRef { work, instance }));
            }
        }
        if steps.is_empty() {
            steps.push(Step::Wait(Draw::Fixed(Duration::ZERO)));
        }
        steps
    }
}

//! From a seed to a program that comes to its end by construction.
//!
//! - A work function queues only works that stand after it, and itself; those that queue themselves use time first, and
//!   are disabled by the last producer, the reaper.
//! - A work function waits only for works on workqueues of the second tier, whose own functions wait for nobody.
//! - Freezing, failing creation and CPUs that leave are taken back by the producer that began them, which waits for
//!   nobody in between.

use super::features::Features;
use super::rng::Rng;
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{
    AffinitySpec, Draw, EngineSpec, ItemRef, Program, Step, WorkSpec, WorkqueueSpec, WqRef,
};

/// The work whose items are the marks.
pub const MARK: &str = "mark";

/// A work that is being made.
pub struct Draft {
    wq: WqRef,
    instances: usize,
    pub is_rcu: bool,
    pub requeues: bool,
    /// Its workqueue is of the second tier: it waits for nobody, and others may wait for it.
    second: bool,
    is_bh: bool,
}

/// Makes the program of one seed.
pub struct Generator {
    pub rng: Rng,
    pub on: Features,
    pub cpus: usize,
    pub wqs: Vec<WorkqueueSpec>,
    second: Vec<bool>,
    pub works: Vec<Draft>,
    locks: usize,
    pub marks: usize,
}

/// The program of this seed.
pub fn program(seed: u64) -> Program {
    let mut rng = Rng::new(seed);
    let on = Features::new(&mut rng);
    let generator = Generator {
        rng,
        on,
        cpus: 1,
        wqs: Vec::new(),
        second: Vec::new(),
        works: Vec::new(),
        locks: 0,
        marks: 0,
    };
    generator.run(seed)
}

impl Generator {
    fn run(mut self, seed: u64) -> Program {
        let topology = self.machine();
        let engine = self.engine();
        self.workqueues();
        self.drafts();
        self.locks = if self.on.locks { 2 } else { 0 };
        let bodies: Vec<_> = (0..self.works.len()).map(|w| self.body(w)).collect();
        let producers = self.producers();
        let mut works: Vec<WorkSpec> = self
            .works
            .iter()
            .zip(bodies)
            .enumerate()
            .map(|(index, (draft, body))| WorkSpec {
                name: format!("w{index}"),
                workqueue: draft.wq.clone(),
                body,
                instances: draft.instances,
            })
            .collect();
        works.push(WorkSpec {
            name: MARK.to_owned(),
            workqueue: WqRef::Own(0),
            body: Vec::new(),
            instances: self.marks.max(2),
        });
        Program {
            name: format!("seed {seed}"),
            seed,
            cpus: self.cpus,
            workqueues: self.wqs,
            works,
            producers,
            locks: (0..self.locks).map(|lock| format!("l{lock}")).collect(),
            topology: topology.map(str::to_owned),
            engine,
        }
    }

    fn machine(&mut self) -> Option<&'static str> {
        const SHAPES: [(&str, usize); 6] = [
            ("2n1l1c1t", 2),
            ("1n2l1c1t", 2),
            ("3n1l1c1t", 3),
            ("2n1l2c1t", 4),
            ("1n2l1c2t", 4),
            ("2n2l1c1t", 4),
        ];
        if self.on.topology {
            let (shape, cpus) = self.rng.pick(&SHAPES);
            self.cpus = cpus;
            return Some(shape);
        }
        if self.on.many_cpus {
            self.cpus = self.rng.range(2, 4);
        }
        None
    }

    fn engine(&mut self) -> EngineSpec {
        let scopes = ["cpu", "smt", "cache", "cache_shard", "numa", "system"];
        let scope = self.on.affinity.then(|| self.rng.pick(&scopes).to_owned());
        let thresh = self.on.hog_thresh.then(|| match self.rng.below(4) {
            0 => Duration::ZERO,
            _ => self.rng.time(30),
        });
        EngineSpec {
            cpu_intensive_thresh: thresh,
            idle_timeout: self.on.idle_timeout.then(|| self.rng.time(100)),
            power_efficient: self.on.power_efficient.then(|| self.rng.chance(50)),
            default_affinity_scope: scope,
            ..EngineSpec::default()
        }
    }

    /// The first one is for the marks.
    fn workqueues(&mut self) {
        let marks = if self.on.fail_for_ever {
            WqFlags::PERCPU | WqFlags::MEM_RECLAIM
        } else {
            WqFlags::PERCPU
        };
        self.add_wq("marks".to_owned(), marks, 0, None);
        for index in 0..self.rng.range(1, 5) {
            let flags = self.flags();
            let fixed = flags.intersects(WqFlags::BH | WqFlags::ORDERED);
            let max_active = if self.on.small_limits && !fixed && self.rng.chance(70) {
                // A node's share is 8 at least, so only larger limits are truly shared.
                let most = self.rng.pick(&[3, 10, 18]);
                self.rng.range(1, most)
            } else {
                0
            };
            let kind = flags & (WqFlags::UNBOUND | WqFlags::ORDERED);
            let affinity = kind == WqFlags::UNBOUND && self.on.affinity;
            let scopes = ["default", "cpu", "smt", "cache", "numa", "system"];
            let affinity = affinity.then(|| AffinitySpec {
                scope: self.rng.pick(&scopes).to_owned(),
                strict: self.on.strict && self.rng.chance(50),
            });
            self.add_wq(format!("q{index}"), flags, max_active, affinity);
        }
    }

    fn add_wq(
        &mut self,
        name: String,
        flags: WqFlags,
        max_active: usize,
        affinity: Option<AffinitySpec>,
    ) {
        self.wqs.push(WorkqueueSpec {
            name,
            flags,
            max_active,
            affinity,
        });
        let second = self.rng.chance(40);
        self.second.push(second);
    }

    fn flags(&mut self) -> WqFlags {
        let mut kinds = vec![WqFlags::PERCPU];
        let unbound = self.on.unbound.then_some(WqFlags::UNBOUND);
        let ordered = WqFlags::UNBOUND | WqFlags::ORDERED;
        kinds.extend(unbound);
        kinds.extend(self.on.ordered.then_some(ordered));
        kinds.extend(self.on.bh.then_some(WqFlags::PERCPU | WqFlags::BH));
        let mut flags = self.rng.pick(&kinds);
        let mut also = |on: bool, flag: WqFlags| flags.set(flag, on && self.rng.chance(50));
        also(self.on.highpri, WqFlags::HIGHPRI);
        if flags.contains(WqFlags::BH) {
            return flags;
        }
        let bound = !flags.contains(WqFlags::UNBOUND);
        let mut also = |on: bool, flag: WqFlags| flags.set(flag, on && self.rng.chance(50));
        also(self.on.freezable, WqFlags::FREEZABLE);
        if bound {
            also(self.on.cpu_intensive, WqFlags::CPU_INTENSIVE);
            also(self.on.power_efficient, WqFlags::POWER_EFFICIENT);
        }
        also(self.on.mem_reclaim, WqFlags::MEM_RECLAIM);
        if self.on.fail_for_ever {
            flags |= WqFlags::MEM_RECLAIM;
        }
        flags
    }

    fn drafts(&mut self) {
        for _ in 0..self.rng.range(1, 8) {
            let system = self.on.system_wqs && self.rng.chance(40);
            let names = ["events", "events_unbound", "events_highpri", "events_long"];
            let own = 1 + self.rng.below(self.wqs.len() - 1);
            let is_rcu = self.on.rcu && self.rng.chance(25);
            let draft = Draft {
                wq: if system {
                    WqRef::System(self.rng.pick(&names).to_owned())
                } else {
                    WqRef::Own(own)
                },
                instances: self.rng.pick(&[1, 1, 1, 2, 3, 6, 16]),
                is_rcu,
                requeues: self.on.requeue && !is_rcu && self.rng.chance(30),
                second: !system && self.second[own],
                is_bh: !system && self.wqs[own].flags.contains(WqFlags::BH),
            };
            self.works.push(draft);
        }
    }

    fn body(&mut self, work: usize) -> Vec<Step> {
        let mut body = Vec::new();
        for _ in 0..self.rng.below(5) {
            let step = self.body_step(work);
            body.extend(step);
        }
        let Draft {
            requeues, is_bh, ..
        } = self.works[work];
        if requeues {
            // Uses time, so that it does not go on for ever at one instant.
            let time = Draw::Fixed(self.rng.time(20));
            let sleeps = self.on.sleeps && !is_bh && self.rng.chance(50);
            body.push(if sleeps {
                Step::Sleep(time)
            } else {
                Step::Burn(time)
            });
            let again = if self.on.delayed && self.rng.chance(40) {
                Step::RequeueDelayed(self.rng.draw(30))
            } else {
                Step::Requeue
            };
            let place = self.rng.range(0, body.len());
            body.insert(place, again);
        }
        if self.on.panics && self.rng.chance(15) {
            body.push(Step::Panic);
        }
        body
    }

    fn body_step(&mut self, work: usize) -> Option<Step> {
        let Draft { second, is_bh, .. } = self.works[work];
        let may_sleep = self.on.sleeps && (!is_bh || self.on.bh_sleeps);
        let burn = if self.on.long_burns { 150 } else { 20 };
        Some(match self.rng.below(10) {
            0 | 1 => Step::Burn(self.rng.draw(burn)),
            2 | 3 if may_sleep => Step::Sleep(self.rng.draw(60)),
            4 if may_sleep => Step::Blocking(self.rng.draw(30)),
            5 if self.locks > 0 && !is_bh => {
                Step::Lock(self.rng.below(self.locks), self.rng.draw(10))
            }
            6 if self.on.yields => Step::Yield,
            7 if self.on.chains => return self.queueing(work + 1),
            8 if self.on.body_waits && !second && !is_bh => return self.body_wait(),
            9 if self.on.cancel => return self.taking_back(work + 1),
            _ => Step::Burn(self.rng.draw(20)),
        })
    }

    /// Waits for what waits for nobody.
    fn body_wait(&mut self) -> Option<Step> {
        if self.rng.chance(30) {
            let wqs = (1..self.wqs.len()).filter(|&wq| self.second[wq]);
            let wqs: Vec<_> = wqs.collect();
            return (!wqs.is_empty()).then(|| Step::FlushWq(WqRef::Own(self.rng.pick(&wqs))));
        }
        let works = (0..self.works.len()).filter(|&w| self.works[w].second);
        let works: Vec<_> = works.collect();
        if works.is_empty() {
            return None;
        }
        let work = self.rng.pick(&works);
        let item = self.item(work);
        Some(if self.works[work].is_rcu || self.rng.chance(50) {
            Step::Flush(item)
        } else {
            Step::CancelSync(item)
        })
    }

    pub fn item(&mut self, work: usize) -> ItemRef {
        let instances = self.works[work].instances;
        let one = instances > 1 && self.rng.chance(50);
        let instance = one.then(|| self.rng.below(instances));
        ItemRef { work, instance }
    }

    /// Queues a work from number `from` on.
    pub fn queueing(&mut self, from: usize) -> Option<Step> {
        if from >= self.works.len() {
            return None;
        }
        let work = self.rng.range(from, self.works.len() - 1);
        let item = self.item(work);
        if self.works[work].is_rcu {
            return Some(Step::QueueRcu(item));
        }
        Some(match self.rng.below(5) {
            0 if self.on.delayed => Step::QueueDelayed(item, self.rng.draw(50)),
            1 if self.on.mod_delayed => match self.rng.below(5) {
                0 => Step::ModDelayed(item, Draw::Fixed(Duration::ZERO)),
                _ => Step::ModDelayed(item, self.rng.draw(50)),
            },
            2 => Step::QueueOn(self.rng.below(self.cpus), item),
            _ => Step::Queue(item),
        })
    }

    /// Cancels a work from number `from` on.
    pub fn taking_back(&mut self, from: usize) -> Option<Step> {
        let works = (from..self.works.len()).filter(|&w| !self.works[w].is_rcu);
        let works: Vec<_> = works.collect();
        if works.is_empty() {
            return None;
        }
        let work = self.rng.pick(&works);
        Some(Step::Cancel(self.item(work)))
    }
}

//! A second simulator, for bound workqueues with burning and sleeping bodies on one CPU, written from the contract alone.
//!
//! It shares no code with the engine. Everything is a `Vec` and every rule is spelled out where it applies, so that a
//! reader can hold it against DESIGN section 7 ("The simulator") line by line.

/// One step of a body, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Burn(u64),
    Sleep(u64),
}

#[derive(Clone, Debug)]
pub struct Wq {
    pub highpri: bool,
    pub cpu_intensive: bool,
    /// 0: the default.
    pub max_active: usize,
}

#[derive(Clone, Debug)]
pub struct Item {
    pub wq: usize,
    pub body: Vec<Step>,
}

#[derive(Clone, Debug)]
pub struct Producer {
    pub at: u64,
    /// `None`: back to back.
    pub every: Option<u64>,
    pub count: usize,
    pub items: Vec<usize>,
}

#[derive(Clone, Debug)]
pub struct Case {
    pub wqs: Vec<Wq>,
    pub items: Vec<Item>,
    pub producers: Vec<Producer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Queued,
    Started,
    Finished,
}

/// What happened: when (ms), what, to which item.
pub type Fact = (u64, Kind, usize);

/// Why an item waits, in the order of [`Run::waits`].
pub const REASONS: [&str; 5] = [
    "inactive_max_active",
    "self",
    "concurrency",
    "runqueue",
    "unknown",
];

/// What came of a case.
pub struct Run {
    /// Everything that happened, in order.
    pub facts: Vec<Fact>,
    /// The names of the workers that started each item, in order.
    pub workers: Vec<Vec<String>>,
    /// How long each item waited, by reason, in all.
    pub waits: Vec<[u64; REASONS.len()]>,
}

/// Runs `case` to its end.
pub fn run(case: &Case) -> Run {
    let mut model = Model::new(case);
    while model.instant() {}
    Run {
        facts: model.facts,
        workers: model.started_by,
        waits: model.waits,
    }
}

/// Where a worker goes on when it gets the CPU.
#[derive(Clone, Copy, PartialEq)]
enum Resume {
    /// It was woken from idle.
    FromIdle,
    /// It slept inside its body.
    InBody,
    /// Its function returned and it gave way.
    AfterReturn,
}

struct Worker {
    name: String,
    pool: usize,
    resume: Resume,
    item: Option<usize>,
    next_step: usize,
    scheduled: Vec<usize>,
    /// The woken worker waits for the CPU (or has it).
    runnable: bool,
    /// Runs an item of a CPU_INTENSIVE workqueue, hence is not counted in nr_running.
    cpu_intensive: bool,
}

#[derive(Default)]
struct Pool {
    worklist: Vec<usize>,
    /// The most recently idled one stands last.
    idle: Vec<usize>,
    nr_running: usize,
}

#[derive(Default)]
struct Pwq {
    nr_active: usize,
    inactive: Vec<usize>,
}

struct Model<'a> {
    case: &'a Case,
    now: u64,
    facts: Vec<Fact>,
    started_by: Vec<Vec<String>>,
    waits: Vec<[u64; REASONS.len()]>,
    workers: Vec<Worker>,
    /// Normal, highpri.
    pools: [Pool; 2],
    pwqs: Vec<Pwq>,
    pending: Vec<bool>,
    /// Workers that want the CPU, in the order in which they came.
    run_queue: Vec<usize>,
    /// The worker that burns, and when its burn ends.
    on_cpu: Option<(usize, u64)>,
    /// Sleeping workers with the ends of their sleeps, oldest first.
    sleepers: Vec<(usize, u64)>,
    /// Calls made by each producer.
    calls: Vec<usize>,
}

impl<'a> Model<'a> {
    fn new(case: &'a Case) -> Self {
        let mut model = Self {
            case,
            now: 0,
            facts: Vec::new(),
            started_by: vec![Vec::new(); case.items.len()],
            waits: vec![[0; REASONS.len()]; case.items.len()],
            workers: Vec::new(),
            pools: [Pool::default(), Pool::default()],
            pwqs: case.wqs.iter().map(|_| Pwq::default()).collect(),
            pending: vec![false; case.items.len()],
            run_queue: Vec::new(),
            on_cpu: None,
            sleepers: Vec::new(),
            calls: vec![0; case.producers.len()],
        };
        model.create_worker(0);
        model.create_worker(1);
        model
    }

    /// One instant, and then on to the next. False when there is none.
    fn instant(&mut self) -> bool {
        let ended: Vec<usize> = self
            .sleepers
            .iter()
            .filter(|s| s.1 == self.now)
            .map(|s| s.0)
            .collect();
        self.sleepers.retain(|s| s.1 != self.now);
        self.run_queue.extend(ended);
        for producer in 0..self.case.producers.len() {
            while self.next_call(producer) == Some(self.now) {
                let items = &self.case.producers[producer].items;
                self.queue(items[self.calls[producer] % items.len()]);
                self.calls[producer] += 1;
            }
        }
        if let Some((worker, end)) = self.on_cpu
            && end == self.now
        {
            self.on_cpu = None;
            self.run_body(worker);
        }
        while self.on_cpu.is_none() && !self.run_queue.is_empty() {
            // Lowest nice first, then first come, first served.
            let highpri = self
                .run_queue
                .iter()
                .position(|&w| self.workers[w].pool == 1);
            let worker = self.run_queue.remove(highpri.unwrap_or(0));
            self.got_cpu(worker);
        }
        let calls = (0..self.calls.len()).filter_map(|p| self.next_call(p));
        let ends = self.sleepers.iter().map(|s| s.1);
        let burn = self.on_cpu.map(|b| b.1);
        match calls.chain(ends).chain(burn).min() {
            Some(next) => self.pass_time(next),
            None => return false,
        }
        true
    }

    /// Nothing changes until `next`: whoever waits now waits so long for the reason that holds now.
    fn pass_time(&mut self, next: u64) {
        for item in 0..self.pending.len() {
            if self.pending[item] {
                let reason = self.reason(item);
                self.waits[item][reason] += next - self.now;
            }
        }
        self.now = next;
    }

    fn reason(&self, item: usize) -> usize {
        let pool = &self.pools[self.pool_of(item)];
        if self.pwqs[self.case.items[item].wq].inactive.contains(&item) {
            0
        } else if self.workers.iter().any(|w| w.item == Some(item)) {
            1
        } else if pool.nr_running > 0 {
            2
        } else if pool.idle.iter().any(|&w| self.workers[w].runnable) {
            3
        } else {
            4
        }
    }

    fn next_call(&self, producer: usize) -> Option<u64> {
        let p = &self.case.producers[producer];
        let made = self.calls[producer];
        (made < p.count).then(|| p.at + p.every.unwrap_or(0) * made as u64)
    }

    fn pool_of(&self, item: usize) -> usize {
        usize::from(self.case.wqs[self.case.items[item].wq].highpri)
    }

    fn has_slot(&self, wq: usize) -> bool {
        let max_active = match self.case.wqs[wq].max_active {
            0 => 1024,
            n => n,
        };
        self.pwqs[wq].nr_active < max_active
    }

    fn queue(&mut self, item: usize) {
        if self.pending[item] {
            return;
        }
        self.pending[item] = true;
        self.facts.push((self.now, Kind::Queued, item));
        let wq = self.case.items[item].wq;
        if self.pwqs[wq].inactive.is_empty() && self.has_slot(wq) {
            self.pwqs[wq].nr_active += 1;
            let pool = self.pool_of(item);
            self.pools[pool].worklist.push(item);
            self.kick(pool);
        } else {
            self.pwqs[wq].inactive.push(item);
        }
    }

    fn need_more_worker(&self, pool: usize) -> bool {
        !self.pools[pool].worklist.is_empty() && self.pools[pool].nr_running == 0
    }

    fn keep_working(&self, pool: usize) -> bool {
        !self.pools[pool].worklist.is_empty() && self.pools[pool].nr_running <= 1
    }

    fn kick(&mut self, pool: usize) {
        if !self.need_more_worker(pool) {
            return;
        }
        if let Some(&worker) = self.pools[pool].idle.last()
            && !self.workers[worker].runnable
        {
            self.workers[worker].runnable = true;
            self.workers[worker].resume = Resume::FromIdle;
            self.run_queue.push(worker);
        }
    }

    fn create_worker(&mut self, pool: usize) {
        let id = self.workers.iter().filter(|w| w.pool == pool).count();
        self.pools[pool].idle.push(self.workers.len());
        self.workers.push(Worker {
            name: format!("kworker/0:{id}{}", ["", "H"][pool]),
            pool,
            resume: Resume::FromIdle,
            item: None,
            next_step: 0,
            scheduled: Vec::new(),
            runnable: false,
            cpu_intensive: false,
        });
    }

    fn enter_idle(&mut self, worker: usize) {
        self.workers[worker].runnable = false;
        let pool = self.workers[worker].pool;
        self.pools[pool].idle.push(worker);
    }

    fn got_cpu(&mut self, worker: usize) {
        let pool = self.workers[worker].pool;
        match self.workers[worker].resume {
            Resume::FromIdle => {
                self.pools[pool].idle.retain(|&w| w != worker);
                if !self.need_more_worker(pool) {
                    self.enter_idle(worker);
                    return;
                }
                if self.pools[pool].idle.is_empty() {
                    self.create_worker(pool);
                }
                self.pools[pool].nr_running += 1;
                self.work(worker, true);
            }
            Resume::InBody => {
                if !self.workers[worker].cpu_intensive {
                    self.pools[pool].nr_running += 1;
                }
                self.run_body(worker);
            }
            Resume::AfterReturn => self.complete(worker),
        }
    }

    /// What is scheduled for this worker first, then the worklist while it should keep working (unasked at `first`).
    fn work(&mut self, worker: usize, mut first: bool) {
        let pool = self.workers[worker].pool;
        loop {
            if !self.workers[worker].scheduled.is_empty() {
                let item = self.workers[worker].scheduled.remove(0);
                return self.start(worker, item);
            }
            if !first && !self.keep_working(pool) {
                self.pools[pool].nr_running -= 1;
                return self.enter_idle(worker);
            }
            first = false;
            let item = self.pools[pool].worklist.remove(0);
            match self.workers.iter().position(|w| w.item == Some(item)) {
                // Non-reentrance: whoever runs it now runs it again.
                Some(busy) => self.workers[busy].scheduled.push(item),
                None => return self.start(worker, item),
            }
        }
    }

    fn start(&mut self, worker: usize, item: usize) {
        let pool = self.workers[worker].pool;
        self.workers[worker].item = Some(item);
        self.workers[worker].next_step = 0;
        if self.case.wqs[self.case.items[item].wq].cpu_intensive {
            self.workers[worker].cpu_intensive = true;
            self.pools[pool].nr_running -= 1;
        }
        self.kick(pool);
        self.pending[item] = false;
        self.facts.push((self.now, Kind::Started, item));
        self.started_by[item].push(self.workers[worker].name.clone());
        self.run_body(worker);
    }

    fn run_body(&mut self, worker: usize) {
        let item = self.workers[worker].item.expect("runs an item");
        let pool = self.workers[worker].pool;
        let step = self.workers[worker].next_step;
        self.workers[worker].next_step += 1;
        match self.case.items[item].body.get(step) {
            Some(&Step::Burn(ms)) => self.on_cpu = Some((worker, self.now + ms)),
            Some(&Step::Sleep(ms)) => {
                self.workers[worker].resume = Resume::InBody;
                self.sleepers.push((worker, self.now + ms));
                if !self.workers[worker].cpu_intensive {
                    self.pools[pool].nr_running -= 1;
                    self.kick(pool);
                }
            }
            None => {
                self.facts.push((self.now, Kind::Finished, item));
                if self.run_queue.is_empty() {
                    self.complete(worker);
                } else {
                    self.workers[worker].resume = Resume::AfterReturn;
                    self.run_queue.push(worker);
                }
            }
        }
    }

    fn complete(&mut self, worker: usize) {
        let item = self.workers[worker].item.take().expect("ran an item");
        let pool = self.workers[worker].pool;
        if self.workers[worker].cpu_intensive {
            self.workers[worker].cpu_intensive = false;
            self.pools[pool].nr_running += 1;
        }
        let wq = self.case.items[item].wq;
        self.pwqs[wq].nr_active -= 1;
        if !self.pwqs[wq].inactive.is_empty() && self.has_slot(wq) {
            let next = self.pwqs[wq].inactive.remove(0);
            self.pwqs[wq].nr_active += 1;
            self.pools[pool].worklist.push(next);
        }
        self.work(worker, false);
    }
}

//! What the machine limits: few descriptors, a CPU quota, a small CPU set, and a way of sensing that cannot be had. Each
//! in a process of its own.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock, mpsc};
use std::time::{Duration, Instant};
use wq_engine::{Engine, Sensing, Work};

/// Generous: only a hang reaches it.
const LONG: Duration = Duration::from_secs(60);
/// Tells a child which test it is.
const CHILD: &str = "WQ_LIMITS_CHILD";

/// This executable again, for this one test, which asks [`is_child`]. Nothing is said of its way of sensing.
fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, test)
        .env_remove("WQ_SENSING");
    command
}

fn is_child(test: &str) -> bool {
    std::env::var(CHILD).is_ok_and(|child| child == test)
}

/// What a child has said; fails if it did.
fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    said
}

/// An engine on the first CPU that it may use, which says on the standard output what it has to say.
fn engine(sensing: Option<Sensing>) -> Engine {
    let listener = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(std::io::stdout);
    listener.init();
    let first = allowed()[0];
    let builder = Engine::builder().name("limits").cpus([first]);
    match sensing {
        Some(sensing) => builder.sensing(sensing).build().unwrap(),
        None => builder.build().unwrap(),
    }
}

/// The CPUs that this thread may use.
fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap();
    let all = 0..CpuSet::MAX_CPU;
    all.filter(|&cpu| set.is_set(cpu)).collect()
}

fn until(mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < LONG, "it does not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An item that sleeps, and says so to nobody, is replaced by one that wakes it up.
fn a_blocked_worker_is_replaced(engine: &Engine) {
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let blocked = Work::named("blocked", move |_| {
        let opened = gate.lock().unwrap().recv_timeout(LONG);
        opened.expect("another item opens the gate");
    });
    let opens = Work::named("opens", move |_| open.send(()).unwrap());
    assert!(engine.schedule_work(&blocked));
    assert!(engine.schedule_work(&opens));
    blocked.flush();
    opens.flush();
}

/// How many files of threads this process has open.
fn looked_at() -> usize {
    let Ok(all) = std::fs::read_dir("/proc/self/fd") else {
        return 0;
    };
    let links = all
        .flatten()
        .filter_map(|fd| std::fs::read_link(fd.path()).ok());
    let of_threads = |path: &PathBuf| path.ends_with("stat") || path.ends_with("schedstat");
    links.filter(of_threads).count()
}

const FEW: &str = "few_descriptors_are_enough";

#[test]
fn few_descriptors_are_enough() {
    if is_child(FEW) {
        return blocks_with_few_descriptors();
    }
    said(&child(FEW).output().unwrap());
}

/// Many more workers block than can be looked at with what may be kept open.
fn blocks_with_few_descriptors() {
    const ITEMS: usize = 40;
    const LIMIT: u64 = 32;
    let limit = getrlimit(Resource::Nofile);
    let current = Some(LIMIT);
    setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    let engine = engine(Some(Sensing::Tick));
    assert_eq!(engine.sensing(), Sensing::Tick);
    let door = Arc::new(RwLock::new(()));
    let shut = door.write().unwrap();
    let inside = Arc::new(AtomicUsize::new(0));
    for _ in 0..ITEMS {
        let (inside, door) = (inside.clone(), door.clone());
        engine.system_wq().spawn(move || {
            inside.fetch_add(1, Ordering::SeqCst);
            drop(door.read());
        });
    }
    let mut kept = 0;
    until(|| {
        kept = kept.max(looked_at());
        inside.load(Ordering::SeqCst) == ITEMS
    });
    // Half of the limit, and what is open for one look.
    assert!(kept <= LIMIT as usize / 2 + 2, "{kept} are open");
    assert_eq!(getrlimit(Resource::Nofile).current, current, "as it was");
    drop(shut);
    engine.system_wq().flush();
    spent_descriptors(&engine);
}

/// The program has used up all that there are: nobody can look, and nothing breaks. Later it goes on.
fn spent_descriptors(engine: &Engine) {
    let all: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    assert!(!all.is_empty());
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let ran = ran.clone();
        engine.system_wq().spawn(move || {
            std::thread::sleep(Duration::from_millis(30));
            ran.fetch_add(1, Ordering::SeqCst);
        });
    }
    until(|| ran.load(Ordering::SeqCst) == 3);
    drop(all);
    a_blocked_worker_is_replaced(engine);
}

const CPU_SET: &str = "a_small_cpu_set_is_told_and_works";

#[test]
fn a_small_cpu_set_is_told_and_works() {
    if is_child(CPU_SET) {
        let mut set = CpuSet::new();
        set.set(*allowed().last().unwrap());
        sched_setaffinity(None, &set).unwrap();
        return a_blocked_worker_is_replaced(&engine(None));
    }
    if allowed().len() < 2 {
        println!("skipped: this process may use one CPU only");
        return;
    }
    let said = said(&child(CPU_SET).output().unwrap());
    let last = *allowed().last().unwrap();
    let note = format!("sensing: the process may use CPU {last} of ");
    assert_eq!(said.matches(&note).count(), 1, "{said}");
}

const QUOTA: &str = "a_cpu_quota_is_told_and_works";

#[test]
fn a_cpu_quota_is_told_and_works() {
    if is_child(QUOTA) {
        return a_blocked_worker_is_replaced(&engine(None));
    }
    let group = match Group::with_half_a_cpu() {
        Ok(group) => group,
        Err(why) => {
            println!("skipped: no cgroup with a quota can be made: {why}");
            return;
        }
    };
    let test = child(QUOTA);
    // A shell enters the group and becomes the child.
    let mut entered = Command::new("sh");
    entered
        .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
        .arg(group.0.join("cgroup.procs"))
        .arg(test.get_program())
        .args(test.get_args())
        .env(CHILD, QUOTA)
        .env_remove("WQ_SENSING");
    let output = entered.output();
    let said = said(&output.unwrap());
    let note = "sensing: CPU quota of 0.50 CPUs (cpu.";
    assert_eq!(said.matches(note).count(), 1, "{said}");
}

/// A cgroup of this test's own, which goes with it.
struct Group(PathBuf);

impl Group {
    fn with_half_a_cpu() -> std::io::Result<Self> {
        const TWO: &str = "/sys/fs/cgroup";
        const ONE: &str = "/sys/fs/cgroup/cpu";
        let name = format!("wq-limits-{}", std::process::id());
        let controllers = std::fs::read_to_string(Path::new(TWO).join("cgroup.subtree_control"));
        let two = controllers.is_ok_and(|all| all.split_whitespace().any(|one| one == "cpu"));
        let (mount, file, text) = match two {
            true => (TWO, "cpu.max", "50000 100000"),
            false => (ONE, "cpu.cfs_quota_us", "50000"),
        };
        // It must be a cgroup already: a new folder in another file system is none.
        std::fs::metadata(Path::new(mount).join("cgroup.procs"))?;
        let group = Self(Path::new(mount).join(name));
        std::fs::create_dir(&group.0)?;
        std::fs::write(group.0.join(file), text)?;
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its last process may be about to leave.
        let gone = || std::fs::remove_dir(&self.0).is_ok();
        let begun = Instant::now();
        while !gone() && begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

const VARIABLE: &str = "the_environment_chooses_where_the_program_does_not";

#[test]
fn the_environment_chooses_where_the_program_does_not() {
    if is_child(VARIABLE) {
        println!("sensing={}", engine(None).sensing());
        return;
    }
    let with = |word: &str| {
        let mut child = child(VARIABLE);
        said(&child.env("WQ_SENSING", word).output().unwrap())
    };
    assert!(with("hints").contains("sensing=hints\n"));
    assert!(with("tick").contains("sensing=tick\n"));
    let default = said(&child(VARIABLE).output().unwrap());
    let chosen = |said: &str| {
        let mut lines = said
            .lines()
            .filter_map(|line| line.split("sensing=").nth(1));
        lines.next_back().map(str::to_owned).expect("it says so")
    };
    let foo = with("foo");
    assert_eq!(chosen(&foo), chosen(&default));
    let problem =
        "WARN wq_engine::sense::choice: WQ_SENSING=foo: unknown sensing foo; expected auto, canary";
    assert!(foo.contains(problem), "{foo}");
    assert_eq!(chosen(&with("")), chosen(&default));
}

const CODE: &str = "the_program_chooses_before_the_environment";

#[test]
fn the_program_chooses_before_the_environment() {
    if is_child(CODE) {
        assert_eq!(engine(Some(Sensing::Hints)).sensing(), Sensing::Hints);
        return;
    }
    let output = child(CODE).env("WQ_SENSING", "tick").output();
    said(&output.unwrap());
}

//! Machines of all kinds, as folders.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

/// As long as a list may be.
const LIST: &str = "0,13,20,40,60,80,100";
const V2: &str = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

/// A folder that holds a machine's files.
struct Machine(tempfile::TempDir);

impl Machine {
    /// With these CPUs online.
    fn new(online: &str) -> Self {
        let machine = Self(tempfile::tempdir().expect("a folder"));
        machine.write("sys/devices/system/cpu/online", &format!("{online}\n"));
        machine
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    /// In this cgroup (version 2), below this mount.
    fn in_cgroup(self, path: &str, mount: &str) -> Self {
        self.write("proc/thread-self/cgroup", &format!("0::{path}\n"));
        self.write("proc/self/mountinfo", mount);
        self
    }

    fn notes(&self, allowed: &str, used: &str) -> Vec<String> {
        let mask = |list| CpuMask::from_list(list).expect("a list");
        let notes = notes_below(self.0.path(), &mask(allowed), &mask(used));
        for note in &notes {
            assert!(note.len() <= NOTE_BYTES, "{} bytes: {note}", note.len());
            assert_eq!(*note, clean_text(note, NOTE_BYTES));
        }
        notes
    }

    /// The one about the quota, and no other.
    fn quota(&self) -> Option<String> {
        let online = fs::read_to_string(self.0.path().join("sys/devices/system/cpu/online"));
        let online = online.expect("it is there");
        let mut notes = self.notes(online.trim(), online.trim());
        assert!(notes.len() <= 1, "{notes:?}");
        notes.pop()
    }
}

#[test]
fn an_unlimited_machine_has_no_notes() {
    let desktop = Machine::new("0-7").in_cgroup("/user.slice/session-1.scope", V2);
    desktop.write("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
    let scope = "sys/fs/cgroup/user.slice/session-1.scope/cpu.max";
    desktop.write(scope, "max 100000\n");
    assert_eq!(desktop.notes("0-7", "0-7"), [""; 0]);
    assert_eq!(desktop.notes("0-7", "2"), [""; 0], "by its own choice");
}

#[test]
fn nothing_is_said_of_what_cannot_be_seen() {
    let empty = Machine(tempfile::tempdir().unwrap());
    assert_eq!(empty.notes("0", "0"), [""; 0]);
    let no_files = Machine::new("0-1").in_cgroup("/a", V2);
    assert_eq!(no_files.quota(), None);
    for text in ["", "nonsense", "50000", "50000 0\n", "-1 100000", "5e4 1e5"] {
        no_files.write("sys/fs/cgroup/a/cpu.max", text);
        assert_eq!(no_files.quota(), None, "{text}");
    }
    for online in ["", "x", "9-1"] {
        let machine = Machine::new(online);
        assert_eq!(machine.notes("0", "0"), [""; 0], "{online}");
    }
    assert_eq!(Machine::new("0-1").notes("", "0"), [""; 0]);
}

#[test]
fn a_containers_quota_stands_at_its_mount() {
    let container = Machine::new("0-1").in_cgroup("/", V2);
    container.write("sys/fs/cgroup/cpu.max", "50000 100000\n");
    assert_eq!(
        container.quota().as_deref(),
        Some(
            "CPU quota of 0.50 CPUs (cpu.max 50000 100000 of /sys/fs/cgroup): nobody reacts while the group is throttled"
        )
    );
}

#[test]
fn the_tightest_quota_on_the_way_up_holds() {
    let nested = Machine::new("0-15").in_cgroup("/a/b/c", V2);
    nested.write("sys/fs/cgroup/a/cpu.max", "400000 100000\n");
    nested.write("sys/fs/cgroup/a/b/cpu.max", "75000 50000\n");
    nested.write("sys/fs/cgroup/a/b/c/cpu.max", "200000 100000\n");
    // A sister does not matter.
    nested.write("sys/fs/cgroup/a/x/cpu.max", "1000 100000\n");
    let note = nested.quota().unwrap();
    let begin = "CPU quota of 1.50 CPUs (cpu.max 75000 50000 of /sys/fs/cgroup/a/b): ";
    assert!(note.starts_with(begin), "{note}");
    nested.write("sys/fs/cgroup/cpu.max", "1000 1000000\n");
    let note = nested.quota().unwrap();
    let begin = "CPU quota of 0.001 CPUs (cpu.max 1000 1000000 of /sys/fs/cgroup): ";
    assert!(note.starts_with(begin), "{note}");
}

#[test]
fn a_quota_that_all_cpus_cannot_use_up_is_none() {
    let machine = Machine::new("0-3").in_cgroup("/", V2);
    machine.write("sys/fs/cgroup/cpu.max", "400000 100000\n");
    assert_eq!(machine.quota(), None);
    machine.write("sys/fs/cgroup/cpu.max", "399999 100000\n");
    assert!(machine.quota().is_some());
}

/// As in a container of the first version: the mount shows the container's own cgroup.
#[test]
fn version_1_has_quotas_too() {
    let docker = Machine::new("0-1");
    let own = "/docker/4f5e";
    docker.write(
        "proc/thread-self/cgroup",
        &format!("12:cpuset:/x\n4:cpu,cpuacct:{own}\n1:name=systemd:{own}\n0::/system.slice\n"),
    );
    docker.write(
        "proc/self/mountinfo",
        &format!(
            "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs rw,mode=755\n\
             32 31 0:29 {own} /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\n\
             33 31 0:30 {own} /sys/fs/cgroup/cpu,cpuacct ro master:11 - cgroup cgroup rw,cpu,cpuacct\n\
             41 31 0:38 / /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw\n"
        ),
    );
    let cpu = "sys/fs/cgroup/cpu,cpuacct";
    docker.write(&format!("{cpu}/cpu.cfs_quota_us"), "-1\n");
    docker.write(&format!("{cpu}/cpu.cfs_period_us"), "100000\n");
    assert_eq!(docker.quota(), None);
    docker.write(&format!("{cpu}/cpu.cfs_quota_us"), "25000\n");
    assert_eq!(
        docker.quota().as_deref(),
        Some(
            "CPU quota of 0.25 CPUs (cpu.cfs_quota_us 25000 in 100000 of /sys/fs/cgroup/cpu,cpuacct): \
             nobody reacts while the group is throttled"
        )
    );
    fs::remove_file(docker.0.path().join(cpu).join("cpu.cfs_period_us")).unwrap();
    assert_eq!(docker.quota(), None);
}

#[test]
fn of_long_paths_the_end_is_shown() {
    let pod = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod8c2f0e8a_4d55_4b0e_a7d5.slice";
    let path = format!("{pod}/cri-containerd-{}.scope", "4f5e".repeat(16));
    let machine = Machine::new("0-63").in_cgroup(&path, V2);
    machine.write(
        &format!("sys/fs/cgroup{path}/cpu.max"),
        "18446744073709551 18446744073709551\n",
    );
    let note = machine.quota().unwrap();
    assert!(note.contains(" of ..."), "{note}");
    let end = "4f5e.scope): nobody reacts while the group is throttled";
    assert!(note.ends_with(end), "{note}");
    let accents = format!("/{}", "\u{e9}\x1b\u{4e00}".repeat(30));
    let machine = Machine::new("0-63").in_cgroup(&accents, V2);
    machine.write(&format!("sys/fs/cgroup{accents}/cpu.max"), "1000 1000\n");
    assert!(machine.quota().unwrap().contains(" of ..."));
}

#[test]
fn a_small_cpu_set_is_told() {
    let two = Machine::new("0-1");
    assert_eq!(
        two.notes("0", "0"),
        [
            "the process may use CPU 0 of CPUs 0-1 (cpuset or taskset): blocked workers are replaced on these only"
        ]
    );
    let eight = Machine::new("0-3,8-11");
    assert_eq!(
        eight.notes("1-3,8", "2"),
        [
            "the process may use CPUs 1-3,8 of CPUs 0-3,8-11 (cpuset or taskset): blocked workers are replaced on CPU 2 only"
        ]
    );
    let even: Vec<String> = (0..96).step_by(2).map(|cpu| cpu.to_string()).collect();
    let even = even.join(",");
    let said = Machine::new("0-95").notes(&even, &even).concat();
    let begin = "the process may use 48 CPUs of CPUs 0-95 (cpuset or taskset): ";
    assert!(said.starts_with(begin), "{said}");
    let odd = Machine::new(&format!("{even},97"));
    let said = odd.notes(&even, "0").concat();
    let begin = "the process may use 48 CPUs of 49 CPUs (cpuset or taskset): ";
    assert!(said.starts_with(begin), "{said}");
    // As long as they get.
    let machine = Machine::new("0,14,20,40,60,80,100");
    let long = machine.notes("0,12,20,40,60,80,100", LIST);
    assert!(long.concat().contains(LIST), "{long:?}");
}

#[test]
fn both_are_told() {
    let machine = Machine::new("0-1").in_cgroup("/", V2);
    machine.write("sys/fs/cgroup/cpu.max", "50000 100000");
    assert_eq!(machine.notes("1", "1").len(), 2);
}

#[test]
fn own_threads_can_be_seen() {
    assert_eq!(stat_problem(), None);
}

#[test]
fn a_proc_that_tells_nothing_is_told() {
    let machine = tempfile::tempdir().unwrap();
    let proc = machine.path();
    let problem = |words: &str| {
        let problem = problem_below(proc, 17).expect("it cannot be seen");
        assert!(problem.contains(words), "{problem}");
    };
    problem("is /proc mounted?");
    let task = proc.join("self/task/17");
    fs::create_dir_all(&task).unwrap();
    symlink("17/task/17", proc.join("thread-self")).unwrap();
    problem("is /proc mounted?");
    for text in ["", "17 (a) b)", "17 (a) 5", "17 sleeping"] {
        fs::write(task.join("stat"), text).unwrap();
        problem("tells no thread's state");
    }
    fs::write(task.join("stat"), "17 (a) b) S 1 17 17 0\n").unwrap();
    assert_eq!(problem_below(proc, 17), None);
    fs::remove_file(task.join("stat")).unwrap();
    fs::create_dir(task.join("stat")).unwrap();
    problem("cannot read /proc/self/task/TID/stat: ");
    fs::remove_file(proc.join("thread-self")).unwrap();
    symlink("4017/task/4242", proc.join("thread-self")).unwrap();
    problem("another PID namespace's: it calls thread 17 4242");
}

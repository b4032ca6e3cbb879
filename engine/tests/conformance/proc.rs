//! What the tests ask the system: threads by name, and tests that need a process of their own.

use std::process::{Command, Output};

/// Tells a child which test it is.
const CHILD: &str = "WQ_CONFORMANCE_CHILD";

/// OS ids of this process's threads whose names begin like this. Names have 15 bytes at most.
pub fn threads(prefix: &str) -> Vec<u32> {
    let named = |tid: &u32| {
        let comm = std::fs::read_to_string(format!("/proc/self/task/{tid}/comm"));
        comm.is_ok_and(|comm| comm.starts_with(prefix))
    };
    all_threads().into_iter().filter(named).collect()
}

/// OS ids of all threads of this process.
pub fn all_threads() -> Vec<u32> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("a process sees its threads");
    let tid = |name: std::ffi::OsString| name.to_string_lossy().parse().ok();
    tasks
        .filter_map(|task| tid(task.ok()?.file_name()))
        .collect()
}

/// How often the thread went to sleep.
pub fn sleeps(tid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/self/task/{tid}/status")).unwrap();
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.expect("a thread has a status").trim().parse().unwrap()
}

/// Whether this process was started by [`child`] for that test.
pub fn is_child(test: &str) -> bool {
    std::env::var(CHILD).is_ok_and(|child| child == test)
}

/// This executable again, for this one test (`module::function`), which asks [`is_child`].
pub fn child(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test has an executable"));
    command
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, test);
    command
}

/// Prints why the child skipped its test, if it did; fails if the child did.
pub fn judge(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    for line in said.lines().filter(|line| line.starts_with("skipped:")) {
        println!("{line}");
    }
}

//! What `/proc` says of a process.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// When a process started, in clock ticks since boot: with the pid it names a process for good.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    Some(stat_in(Path::new(&format!("/proc/{pid}")))?.1)
}

/// Whether the process that started then still runs. One that was killed and not waited for does not.
pub(crate) fn is_alive(pid: u32, started: u64) -> bool {
    runs(Path::new(&format!("/proc/{pid}")), started)
}

/// The same of the process with this directory.
fn runs(process: &Path, started: u64) -> bool {
    let Some((state, start)) = stat_in(process) else {
        return false;
    };
    start == started && (!is_over(state) || has_running_thread(process))
}

/// Whether a state is that of a thread that has ended.
fn is_over(state: char) -> bool {
    "ZXx".contains(state)
}

/// Whether a thread still runs: the process shows the state of its first one, which may end before the others.
fn has_running_thread(process: &Path) -> bool {
    let threads = std::fs::read_dir(process.join("task"))
        .into_iter()
        .flatten();
    let mut states = threads.flatten().filter_map(|task| stat_in(&task.path()));
    states.any(|(state, _)| !is_over(state))
}

/// State and start time of the process or thread with this directory.
fn stat_in(dir: &Path) -> Option<(char, u64)> {
    parse_stat(&std::fs::read(dir.join("stat")).ok()?)
}

/// Whether there is a process of that number, whichever.
pub(crate) fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Whether a process has this user id, or had it when it gave up its privileges. The owner of its directory would not do:
/// that is root of every process that may not be dumped.
pub(crate) fn is_of(pid: u32, uid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let mut ids = ids.unwrap_or_default().split_ascii_whitespace();
    ids.any(|id| id.parse() == Ok(uid))
}

/// State and start time, fields 3 and 22 of a stat line. The second field is the command in parentheses, and may hold
/// anything.
fn parse_stat(stat: &[u8]) -> Option<(char, u64)> {
    let after_comm = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let rest = std::str::from_utf8(stat.get(after_comm..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let start = fields.nth(22 - 4)?.parse().ok()?;
    Some((state, start))
}

/// The inode of the caller's pid namespace.
pub(crate) fn pid_namespace() -> Option<u64> {
    Some(std::fs::metadata("/proc/self/ns/pid").ok()?.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_hold_anything() {
        let stat = b"7 (a) b (c\xff) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 4711 9 9";
        assert_eq!(parse_stat(stat), Some(('S', 4711)));
        assert_eq!(parse_stat(b"7 (a"), None);
        assert_eq!(parse_stat(b"7 (a) S 1"), None);
        assert_eq!(parse_stat(b""), None);
    }

    #[test]
    fn a_process_outlives_its_first_thread() {
        let temp = tempfile::tempdir().unwrap();
        let write = |dir: &str, state: char| {
            let dir = temp.path().join(dir);
            std::fs::create_dir_all(&dir).unwrap();
            let stat = format!("7 (a) {state} 1 7 7 0 -1 0 1 0 0 0 1 2 0 0 20 0 1 0 4711 9 9");
            std::fs::write(dir.join("stat"), stat).unwrap();
        };
        write("", 'Z');
        write("task/7", 'Z');
        write("task/8", 'X');
        assert!(!runs(temp.path(), 4711), "killed and not waited for");
        write("task/9", 'S');
        assert!(runs(temp.path(), 4711));
        assert!(!runs(temp.path(), 4712), "another one of its number");
    }

    #[test]
    fn this_process_has_one() {
        let pid = std::process::id();
        let start = start_time(pid).unwrap();
        assert!(is_alive(pid, start));
        assert!(!is_alive(pid, start + 1));
        assert!(pid_namespace().is_some());
        let uid = rustix::process::geteuid().as_raw();
        assert!(is_of(pid, uid) && !is_of(pid, uid + 1));
    }
}

//! What `/proc` says of a process.

use std::os::unix::fs::MetadataExt;

/// When a process started, in clock ticks since boot: with the pid it names a process for good.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    Some(parse_stat(&stat)?.1)
}

/// Whether the process that started then still runs. One that was killed and not waited for does not.
pub(crate) fn is_alive(pid: u32, started: u64) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    parse_stat(&stat).is_some_and(|(state, start)| start == started && !"ZXx".contains(state))
}

/// Whether there is a process of that number, whichever.
pub(crate) fn exists(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
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
    fn this_process_has_one() {
        let pid = std::process::id();
        let start = start_time(pid).unwrap();
        assert!(is_alive(pid, start));
        assert!(!is_alive(pid, start + 1));
        assert!(pid_namespace().is_some());
    }
}

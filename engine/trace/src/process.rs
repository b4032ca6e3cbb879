//! What `/proc` says of a process.

use std::os::unix::fs::MetadataExt;

/// When a process started, in clock ticks since boot: with the pid it names a process for good.
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse_start_time(&stat)
}

/// Field 22 of a stat line. The second field is the command in parentheses, and may hold anything.
fn parse_start_time(stat: &[u8]) -> Option<u64> {
    let after_comm = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let rest = std::str::from_utf8(stat.get(after_comm..)?).ok()?;
    rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
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
        assert_eq!(parse_start_time(stat), Some(4711));
        assert_eq!(parse_start_time(b"7 (a"), None);
        assert_eq!(parse_start_time(b"7 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_one() {
        assert!(start_time(std::process::id()).is_some());
        assert!(pid_namespace().is_some());
    }
}

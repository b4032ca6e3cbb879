//! What makes sensing worse on this machine, one sentence each; and whether `/proc` can be looked at at all.
//!
//! Nothing here changes what the engine does but [`stat_problem`], without which nobody can look. Two things are looked
//! for that work all the same, only worse: a CPU quota and a small CPU set. A seccomp filter is not one of them: which
//! calls it takes away cannot be told from outside, and most take none that is needed. What it does take away fails
//! when it is tried, and is told with its error then. The limit of descriptors is kept to by
//! [`Descriptors`](super::Descriptors), and never raised: that is the program's to decide.

mod cgroup;

use super::look::state_of;
use crate::os;
use crate::topology::CpuMask;
use std::io::ErrorKind;
use std::path::Path;
use wq_trace::clean_text;

/// Most bytes of a note.
pub(crate) const NOTE_BYTES: usize = 160;
/// A longer list of CPUs is only counted.
const LIST_BYTES: usize = 20;

/// What limits sensing on this machine, for an engine on these CPUs: a sentence each without a newline, of at most
/// [`NOTE_BYTES`] bytes; none where nothing does. Reads some files, on the thread that builds the engine: its threads
/// get that thread's cgroup and its CPUs.
pub(crate) fn notes(cpus_used: &[usize]) -> Vec<String> {
    // Where that cannot be asked, nothing is known to be missing.
    let allowed: CpuMask = os::allowed_cpus().unwrap_or_default().into_iter().collect();
    notes_below(
        Path::new("/"),
        &allowed,
        &cpus_used.iter().copied().collect(),
    )
}

/// The same on the machine whose files are below `root`.
fn notes_below(root: &Path, allowed: &CpuMask, used: &CpuMask) -> Vec<String> {
    let online = online(root);
    let quota = cgroup::tightest(root);
    let quota = quota.filter(|quota| match &online {
        Some(online) => !quota.is_enough_for(online.iter().count()),
        None => true,
    });
    let quota = quota.map(|quota| quota_note(&quota));
    let cpus = online.and_then(|online| cpus_note(&online, allowed, used));
    quota.into_iter().chain(cpus).collect()
}

fn quota_note(quota: &cgroup::Quota) -> String {
    let end = "): nobody reacts while the group is throttled";
    let begin = format!("CPU quota of {quota} of ");
    let room = NOTE_BYTES.saturating_sub(begin.len() + end.len());
    let folder = end_of(
        &clean_text(&quota.folder().to_string_lossy(), usize::MAX),
        room,
    );
    format!("{begin}{folder}{end}")
}

/// The last bytes of a path that is too long: there stands what tells it from others.
fn end_of(path: &str, room: usize) -> String {
    const CUT: &str = "...";
    if path.len() <= room {
        return path.to_owned();
    }
    let mut from = path.len() - room.saturating_sub(CUT.len());
    while !path.is_char_boundary(from) {
        from += 1;
    }
    format!("{CUT}{}", &path[from..])
}

fn cpus_note(online: &CpuMask, allowed: &CpuMask, used: &CpuMask) -> Option<String> {
    if allowed.is_empty() || (online - allowed).is_empty() {
        return None;
    }
    let which = match allowed == used {
        true => "these".to_owned(),
        false => cpus(used),
    };
    let (allowed, online) = (cpus(allowed), cpus(online));
    Some(format!(
        "the process may use {allowed} of {online} (cpuset or taskset): blocked workers are replaced on {which} only"
    ))
}

/// Which CPUs these are, or how many.
fn cpus(mask: &CpuMask) -> String {
    let list = mask.to_list();
    match list.len() <= LIST_BYTES {
        true if !list.contains([',', '-']) => format!("CPU {list}"),
        true => format!("CPUs {list}"),
        false => format!("{} CPUs", mask.iter().count()),
    }
}

/// The machine's CPUs that are online.
fn online(root: &Path) -> Option<CpuMask> {
    let list = std::fs::read_to_string(root.join("sys/devices/system/cpu/online")).ok()?;
    let mask = CpuMask::from_list(list.trim()).ok()?;
    (!mask.is_empty()).then_some(mask)
}

/// Why nobody can see through `/proc` whether a thread of this process sleeps; none if it can be seen. `hidepid` hides
/// no process from itself. Without it neither the tick nor a canary can work.
pub(crate) fn stat_problem() -> Option<String> {
    // Its threads are no threads of the system's.
    if cfg!(shuttle) {
        return None;
    }
    problem_below(Path::new("/proc"), os::thread_id())
}

/// The same for the calling thread, which has this OS id, below another `/proc`.
fn problem_below(proc: &Path, tid: u32) -> Option<String> {
    // `/proc` may be another PID namespace's, where this process's threads have other ids.
    if let Ok(me) = std::fs::read_link(proc.join("thread-self"))
        && let Some(seen) = me.file_name().map(|name| name.to_string_lossy())
        && seen != tid.to_string()
    {
        return Some(format!(
            "/proc is another PID namespace's: it calls thread {tid} {}",
            clean_text(&seen, 16)
        ));
    }
    let path = proc.join(format!("self/task/{tid}/stat"));
    match std::fs::read(path) {
        Ok(text) if state_of(&text).is_some_and(|state| state.is_ascii_alphabetic()) => None,
        Ok(_) => Some("/proc/self/task/TID/stat tells no thread's state".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Some("there is no /proc/self/task/TID/stat (is /proc mounted?)".to_owned())
        }
        Err(error) => Some(format!("cannot read /proc/self/task/TID/stat: {error}")),
    }
}

#[cfg(test)]
mod tests;

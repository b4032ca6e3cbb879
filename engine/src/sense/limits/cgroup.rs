//! The CPU quota that the kernel holds this thread's cgroup to, of both versions of cgroups.

use std::cmp::Ordering;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// CPU time that a cgroup may use in each period. In microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    quota: u64,
    period: u64,
    /// The cgroup's folder.
    folder: PathBuf,
    version: Version,
}

/// The two have other files and other hierarchies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Where the cgroups of one hierarchy are seen.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// The cgroup that stands at `point`: in a container often not the root.
    root: String,
    point: PathBuf,
}

/// The tightest quota of the calling thread's cgroups and of those above them, as far as they can be seen. New threads
/// begin in their creator's cgroup, so it is the workers' too. `root` is `/` but in tests.
pub(super) fn tightest(root: &Path) -> Option<Quota> {
    let text = |file: &str| Some(lossy(&std::fs::read(root.join(file)).ok()?));
    let cgroups = text("proc/thread-self/cgroup").or_else(|| text("proc/self/cgroup"))?;
    let mounts = text("proc/self/mountinfo")?;
    let places = mounts.lines().filter_map(mount).filter_map(|mount| {
        let own = path_in(&cgroups, mount.version)?;
        Some((below(&mount.root, own)?, mount))
    });
    let quotas = places.flat_map(|(own, mount)| {
        let folders = own.ancestors().map(|part| mount.point.join(part));
        let quotas = folders.filter_map(|folder| mount.version.quota_of(root, &folder));
        quotas.collect::<Vec<_>>()
    });
    quotas.min_by(Quota::cmp_share)
}

/// A name that is not UTF-8 hides no other.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A line of `/proc/self/mountinfo`, if it is of a hierarchy that knows CPU quotas. Source: `proc_pid_mountinfo(5)`.
fn mount(line: &str) -> Option<Mount> {
    let (place, kind) = line.split_once(" - ")?;
    let mut kind = kind.split(' ');
    let version = match kind.next()? {
        "cgroup2" => Version::Two,
        "cgroup" => Version::One,
        _ => return None,
    };
    let controllers = kind.nth(1)?;
    if version == Version::One && !controllers.split(',').any(|name| name == "cpu") {
        return None;
    }
    let mut place = place.split(' ').skip(3);
    Some(Mount {
        version,
        root: unescaped(place.next()?),
        point: unescaped(place.next()?).into(),
    })
}

/// The cgroup's path in a text like `/proc/self/cgroup`. Source: `cgroups(7)`.
fn path_in(text: &str, version: Version) -> Option<&str> {
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let is_it = match version {
            Version::One => controllers.split(',').any(|name| name == "cpu"),
            Version::Two => number == "0" && controllers.is_empty(),
        };
        is_it.then_some(path)
    })
}

/// The way from the cgroup `root` down to `path`. None if it is not below it, or if one of them lies outside of the
/// cgroup namespace: then its names are not known.
fn below(root: &str, path: &str) -> Option<PathBuf> {
    let way = Path::new(path).strip_prefix(root).ok()?;
    let known = |part| matches!(part, Component::Normal(_));
    way.components().all(known).then(|| way.to_owned())
}

/// Without the kernel's octal escapes for blanks and backslashes.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|o| u8::from_str_radix(o, 8).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                plain.push(char::from(code));
                plain.push_str(&part[3..]);
            }
            None => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

impl Version {
    /// What holds for the cgroup with this folder alone. The root of a hierarchy, for one, has no quota.
    fn quota_of(self, root: &Path, folder: &Path) -> Option<Quota> {
        let at = root.join(folder.strip_prefix("/").unwrap_or(folder));
        let text = |file: &str| std::fs::read_to_string(at.join(file)).ok();
        let (quota, period) = match self {
            Self::Two => in_cpu_max(&text("cpu.max")?)?,
            // Without a quota it is -1.
            Self::One => (
                text("cpu.cfs_quota_us")?.trim().parse().ok()?,
                text("cpu.cfs_period_us")?.trim().parse().ok()?,
            ),
        };
        let quota = Quota {
            quota,
            period,
            folder: folder.components().collect(),
            version: self,
        };
        (period > 0).then_some(quota)
    }
}

/// `QUOTA PERIOD`; none if the quota is `max`.
fn in_cpu_max(text: &str) -> Option<(u64, u64)> {
    let (quota, period) = text.trim().split_once(' ')?;
    Some((quota.parse().ok()?, period.parse().ok()?))
}

impl Quota {
    fn cmp_share(&self, other: &Self) -> Ordering {
        let (own, others) = (
            u128::from(self.quota) * u128::from(other.period),
            u128::from(other.quota) * u128::from(self.period),
        );
        own.cmp(&others)
    }

    /// Whether so many CPUs together cannot use it up.
    pub(super) fn is_enough_for(&self, cpus: usize) -> bool {
        u128::from(self.quota) >= cpus as u128 * u128::from(self.period)
    }

    /// The cgroup's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl fmt::Display for Quota {
    /// How many CPUs it is worth, and the kernel's words for that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quota, period, .. } = self;
        let cpus = *quota as f64 / *period as f64;
        // The least that the kernel takes is a thousandth.
        let digits = if cpus < 0.1 { 3 } else { 2 };
        write!(f, "{cpus:.digits$} CPUs ")?;
        match self.version {
            Version::One => write!(f, "(cpu.cfs_quota_us {quota} in {period}"),
            Version::Two => write!(f, "(cpu.max {quota} {period}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &str =
        "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate";

    #[test]
    fn mounts_that_know_quotas_are_found() {
        let seen = |line| mount(line).map(|m| (m.version, m.root, m.point));
        let place = |version, root: &str, point: &str| Some((version, root.into(), point.into()));
        assert_eq!(seen(V2), place(Version::Two, "/", "/sys/fs/cgroup"));
        let docker = "1003 995 0:31 /docker/4f5e /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime \
                      master:11 - cgroup cgroup rw,cpu,cpuacct";
        let at = place(Version::One, "/docker/4f5e", "/sys/fs/cgroup/cpu,cpuacct");
        assert_eq!(seen(docker), at);
        let no_tags = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu";
        let at = place(Version::One, "/", "/sys/fs/cgroup/cpu");
        assert_eq!(seen(no_tags), at);
        let blanks = r"40 31 0:37 /a\040b /mnt/c\134d\011e rw - cgroup2 none rw";
        assert_eq!(seen(blanks), place(Version::Two, "/a b", "/mnt/c\\d\te"));
    }

    #[test]
    fn other_mounts_are_left_alone() {
        for line in [
            "33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct",
            "34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset",
            "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=cpu",
            "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755",
            "31 23 0:28 / /sys",
            "1 2 3 - cgroup2 cgroup2 rw",
            "1 2 0:3 / /x rw - cgroup cgroup",
            "",
        ] {
            assert_eq!(mount(line), None, "{line}");
        }
    }

    #[test]
    fn own_cgroups_are_found() {
        let hybrid = "12:cpuset:/a\n4:cpu,cpuacct:/user.slice:x\n1:name=systemd:/s\n0::/user.slice/session-1.scope\n";
        let (one, two) = (Version::One, Version::Two);
        assert_eq!(path_in(hybrid, one), Some("/user.slice:x"));
        assert_eq!(path_in(hybrid, two), Some("/user.slice/session-1.scope"));
        assert_eq!(path_in("0::/\n", two), Some("/"));
        assert_eq!(path_in("0::/\n", one), None);
        assert_eq!(path_in("3:cpuset:/a\n0:cpu\n", one), None);
        assert_eq!(path_in("1:name=systemd:/\n", two), None);
    }

    #[test]
    fn cgroups_outside_of_the_namespace_are_not_guessed_at() {
        let below = |root, path| below(root, path).map(|way| way.to_string_lossy().into_owned());
        let way = |way: &str| Some(way.to_owned());
        assert_eq!(below("/", "/"), way(""));
        assert_eq!(below("/", "/a/b"), way("a/b"));
        assert_eq!(below("/docker/4f5e", "/docker/4f5e"), way(""));
        assert_eq!(below("/docker/4f5e", "/docker/4f5e/x"), way("x"));
        assert_eq!(below("/docker/4f", "/docker/4f5e"), None);
        assert_eq!(below("/", "/../elsewhere"), None);
        assert_eq!(below("/..", "/"), None);
        assert_eq!(below("/..", "/../x"), way("x"), "its mount shows it");
    }

    #[test]
    fn escapes_that_are_none_stay() {
        assert_eq!(unescaped(r"a\04"), r"a\04");
        assert_eq!(unescaped(r"a\"), r"a\");
        assert_eq!(unescaped(r"\040"), " ");
        assert_eq!(unescaped(r"\9990"), r"\9990");
        assert_eq!(unescaped("\\\u{e9}\u{e9}"), "\\\u{e9}\u{e9}");
    }

    #[test]
    fn quotas_are_read() {
        assert_eq!(in_cpu_max("50000 100000\n"), Some((50_000, 100_000)));
        for none in ["max 100000\n", "max", "", "-1 100000", "50000\n"] {
            assert_eq!(in_cpu_max(none), None, "{none}");
        }
    }
}

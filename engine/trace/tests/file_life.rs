//! A segment's file: where it goes, what it is called, who may read it, and when it is removed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use wq_trace::{From, Liveness, Next, OpenError, Reader, Segment, SegmentConfig};

fn config(dir: &Path, name: &str) -> SegmentConfig {
    SegmentConfig {
        name: name.into(),
        dir: Some(dir.into()),
        ..SegmentConfig::default()
    }
}

fn create(dir: &Path, name: &str) -> Segment {
    let (segment, problem) = Segment::create(&config(dir, name), 5);
    assert!(problem.is_none(), "{problem:?}");
    segment
}

fn files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn own(name: &str) -> String {
    format!("{}-{name}.wqseg", std::process::id())
}

#[test]
fn made_private_and_named_after_process_and_engine() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("wq");
    let one = create(&dir, "my demo");
    let two = create(&dir, "my demo");
    assert_eq!(one.path(), Some(dir.join(own("my_demo")).as_path()));
    assert_eq!(files(&dir), [own("my_demo.2"), own("my_demo")]);
    assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(
        fs::metadata(one.path().unwrap()).unwrap().mode() & 0o7777,
        0o600
    );
    let meta = Reader::open(two.path().unwrap()).unwrap().meta().unwrap();
    assert_eq!(
        (meta.name.as_str(), meta.pid),
        ("my_demo.2", std::process::id())
    );
    assert!(!one.forked());
}

#[test]
fn a_live_segment_is_read_while_it_grows() {
    let temp = tempfile::tempdir().unwrap();
    let segment = create(temp.path(), "a");
    let reader = Reader::open(segment.path().unwrap()).unwrap();
    assert_eq!(reader.liveness().unwrap(), Liveness::Live);
    let wqs: Vec<_> = (0..1000)
        .map(|i| segment.workqueue(&i.to_string(), 0, 1))
        .collect();
    let s = reader.snapshot().unwrap();
    assert_eq!((s.workqueues.len(), s.hidden_rows), (wqs.len(), 0));
    assert!(s.at > 5, "the time of the reading");
    drop((wqs, segment));
    let s = reader.snapshot().unwrap();
    assert!(s.workqueues.is_empty() && s.meta.ended_at.is_some());
    assert_eq!(reader.liveness().unwrap(), Liveness::Ended);
}

#[test]
fn what_goes_after_the_end_leaves_its_row() {
    let temp = tempfile::tempdir().unwrap();
    let segment = create(temp.path(), "demo");
    let reader = Reader::open(segment.path().unwrap()).unwrap();
    let (before, after) = (
        segment.workqueue("before", 0, 1),
        segment.workqueue("after", 0, 1),
    );
    drop(before);
    segment.mark_ended(9);
    drop((after, segment));
    let names = reader.snapshot().unwrap().workqueues;
    assert_eq!(
        names.iter().map(|wq| &*wq.name).collect::<Vec<_>>(),
        ["after"]
    );
}

#[test]
fn that_there_is_no_room_is_told_once() {
    let temp = tempfile::tempdir().unwrap();
    let config = SegmentConfig {
        name: "demo".into(),
        dir: Some(temp.path().into()),
        budget: 600 << 10,
        ..SegmentConfig::default()
    };
    let (segment, problem) = Segment::create(&config, 1);
    assert!(problem.is_none() && segment.take_shortage().is_none());
    let emitters: Vec<_> = (0..4).map(|tid| segment.emitter(tid, "thread")).collect();
    let said = segment.take_shortage().unwrap().to_string();
    assert!(
        said.starts_with("no room for more in ") && said.contains("budget of 614400 bytes"),
        "{said}"
    );
    drop((emitters, segment.emitter(5, "thread")));
    assert!(segment.take_shortage().is_none());
}

#[test]
fn the_next_engine_removes_ended_segments() {
    let temp = tempfile::tempdir().unwrap();
    let running = create(temp.path(), "running");
    let ended = create(temp.path(), "ended");
    ended.mark_ended(9);
    assert_eq!(files(temp.path()), [own("ended"), own("running")]);
    let _next = create(temp.path(), "next");
    assert_eq!(files(temp.path()), [own("next"), own("running")]);
    drop(running);
}

/// Each start removes what has ended, and takes the first name that is free.
#[test]
fn engines_that_start_at_once_remove_no_live_one() {
    let temp = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let segment = create(temp.path(), "demo");
                    let path = segment.path().unwrap();
                    std::thread::yield_now();
                    let meta = Reader::open(path).unwrap().meta().unwrap();
                    assert!(meta.ended_at.is_none(), "{}", path.display());
                }
            });
        }
    });
}

/// A segment as a crashed process would have left it: of a process that is gone.
fn leave_crashed(dir: &Path, name: &str, pid: u32, last_seen: u64) -> PathBuf {
    let temp = tempfile::tempdir().unwrap();
    let segment = create(temp.path(), name);
    segment.heartbeat(last_seen);
    let mut bytes = fs::read(segment.path().unwrap()).unwrap();
    bytes[2 * 8..3 * 8].copy_from_slice(&u64::from(pid).to_le_bytes());
    let path = dir.join(format!("{pid}-{name}.wqseg"));
    fs::write(&path, bytes).unwrap();
    path
}

fn now() -> u64 {
    let mut bytes = String::new();
    std::io::Read::read_to_string(&mut fs::File::open("/proc/uptime").unwrap(), &mut bytes)
        .unwrap();
    let seconds: f64 = bytes.split(' ').next().unwrap().parse().unwrap();
    (seconds * 1e9) as u64
}

/// Above what Linux gives out.
const GONE: u32 = 0x7000_0000;

#[test]
fn three_crashed_ones_of_a_name_are_kept() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let now = now();
    let paths: Vec<_> = (0..5)
        .map(|n| leave_crashed(dir, "mine", GONE + n, now - 1_000_000 * u64::from(n)))
        .collect();
    let other = leave_crashed(dir, "other", GONE + 9, now - 9_000_000);
    let numbered = leave_crashed(dir, "mine.2", GONE + 7, now - 7_000_000);
    let reader = Reader::open(&paths[0]).unwrap();
    assert_eq!(reader.liveness().unwrap(), Liveness::Dead);
    let s = reader.snapshot().unwrap();
    assert_eq!(s.at, now, "the last sign of life");
    let _next = create(dir, "mine");
    for (index, path) in paths.iter().enumerate() {
        assert_eq!(path.exists(), index < 3, "{}", path.display());
    }
    assert!(other.exists() && !numbered.exists());
}

#[test]
fn a_name_that_ends_in_a_number_is_kept_count_of() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path();
    let now = now();
    let paths: Vec<_> = (0..4)
        .map(|n| leave_crashed(dir, "python3.11", GONE + n, now - 1_000_000 * u64::from(n)))
        .collect();
    let _next = create(dir, "python3.11");
    let left: Vec<_> = paths.iter().map(|path| path.exists()).collect();
    assert_eq!(left, [true, true, true, false]);
}

#[test]
fn crashed_ones_are_kept_for_a_day() {
    let temp = tempfile::tempdir().unwrap();
    // A stamp from the future is one from before the last boot; then the file's own time has to tell.
    let future = now() + 3_600_000_000_000;
    let old = leave_crashed(temp.path(), "mine", GONE, future);
    let young = leave_crashed(temp.path(), "mine", GONE + 1, future);
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3600);
    fs::File::options()
        .write(true)
        .open(&old)
        .unwrap()
        .set_modified(then)
        .unwrap();
    let _next = create(temp.path(), "mine");
    assert!(!old.exists() && young.exists());
}

#[test]
fn from_another_pid_namespace_nothing_is_known_and_nothing_removed() {
    let temp = tempfile::tempdir().unwrap();
    let path = leave_crashed(temp.path(), "mine", GONE, now());
    let mut bytes = fs::read(&path).unwrap();
    bytes[4 * 8] ^= 1;
    fs::write(&path, bytes).unwrap();
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.liveness().unwrap(), Liveness::Unknown);
    assert_eq!(reader.cursor(From::Oldest).next(now()), Next::Idle);
    let engines: Vec<_> = (0..5).map(|_| create(temp.path(), "mine")).collect();
    assert!(path.exists());
    drop(engines);
}

#[test]
fn half_made_files_are_removed_once_their_process_is_gone() {
    let temp = tempfile::tempdir().unwrap();
    let make = |name: String, minutes: u64| {
        let path = temp.path().join(name);
        let file = fs::File::create(&path).unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(60 * minutes);
        file.set_modified(then).unwrap();
        path
    };
    let stale = make(format!(".{GONE}-x.wqseg"), 5);
    let young = make(format!(".{GONE}-y.wqseg"), 0);
    let running = make(".1-z.wqseg".into(), 5);
    let foreign = make(".config".into(), 5);
    let _next = create(temp.path(), "next");
    assert!(!stale.exists());
    assert!(young.exists() && running.exists() && foreign.exists());
}

/// Asserts that the engine runs without a file, and returns what it is told.
fn problem(config: &SegmentConfig) -> String {
    let (segment, problem) = Segment::create(config, 5);
    assert_eq!(segment.path(), None);
    let wq = segment.workqueue("events", 0, 1);
    let s = Reader::in_memory(&segment).snapshot().unwrap();
    assert_eq!((s.workqueues.len(), s.workqueues[0].id), (1, wq.id()));
    problem.expect("a problem").to_string()
}

#[test]
fn a_directory_that_cannot_be_used() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(problem(&config(&file, "a")).contains("not a directory"));
    let link = temp.path().join("link");
    symlink(temp.path(), &link).unwrap();
    let told = problem(&config(&link, "a"));
    assert!(
        told.contains("symbolic link") && told.contains("link"),
        "{told}"
    );
    let missing = temp.path().join("no/such");
    assert!(problem(&config(&missing, "a")).contains("create the directory"));
    assert!(problem(&config(Path::new("/proc"), "a")).contains("/proc"));
}

#[test]
fn a_directory_of_somebody_else() {
    let temp = tempfile::tempdir().unwrap();
    let theirs = temp.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    // Only root can give a directory away; anybody else finds one that is root's.
    let theirs = match std::os::unix::fs::chown(&theirs, Some(65_534), None) {
        Ok(()) => theirs,
        Err(_) => "/dev".into(),
    };
    assert!(problem(&config(&theirs, "a")).contains("belongs to user"));
}

#[test]
fn what_is_no_segment_is_not_opened() {
    let temp = tempfile::tempdir().unwrap();
    let segment = create(temp.path(), "a");
    let link = temp.path().join("1-link.wqseg");
    symlink(segment.path().unwrap(), &link).unwrap();
    let error = Reader::open(&link).unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    let error = Reader::open(temp.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotASegment { .. }), "{error}");
    let error = Reader::open(&temp.path().join("nothing")).unwrap_err();
    assert!(matches!(error, OpenError::NotThere { .. }), "{error}");
    let pipe = temp.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    let error = Reader::open(&pipe).unwrap_err();
    assert!(error.to_string().contains("regular file"), "{error}");
}

#[test]
fn a_file_that_may_not_be_read() {
    let temp = tempfile::tempdir().unwrap();
    let segment = create(temp.path(), "a");
    let path = segment.path().unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    match Reader::open(path) {
        Err(error) => assert!(matches!(error, OpenError::NotPermitted { .. }), "{error}"),
        Ok(_) => assert!(rustix::process::geteuid().is_root(), "only root may"),
    }
}

//! `hash_dir DIR`: hashes every file below a directory and prints `hash  path`, sorted by path.
//!
//! Each directory and each file is a work item. An item that reads says so by `blocking`, so its CPU hashes another
//! file meanwhile; `max_active` bounds how many files are open at a time, and with them the memory for their contents.
//! Directories queue what they contain, and one `drain` waits for all of it. Symbolic links are not followed.
//!
//! Exit status: 0 fine, 1 something could not be read (the rest is printed), 2 wrong usage or no such directory.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wq_engine::{
    DelayedWork, EmbeddedWork, Engine, Error, WorkItem, Workqueue, WqFlags, blocking, impl_has_work,
};

/// Bytes of a file that are in memory at a time.
const CHUNK: usize = 256 * 1024;
/// Directories and files that are open at a time, for each CPU.
const OPEN_PER_CPU: usize = 16;
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What all entries share.
struct Job {
    wq: Workqueue,
    cpus: Vec<usize>,
    found: AtomicUsize,
    done: AtomicUsize,
    failed: AtomicUsize,
    hashes: Mutex<Vec<(PathBuf, u64)>>,
}

/// A file or a directory, with the item that reads it.
struct Entry {
    work: EmbeddedWork,
    is_dir: bool,
    path: PathBuf,
    job: Arc<Job>,
}

impl_has_work!(Entry, work);

impl WorkItem for Entry {
    fn run(self: Arc<Self>) {
        let result = match self.is_dir {
            true => self.list(),
            false => self.hash(),
        };
        if let Err(error) = result {
            self.job.fail(&self.path, &error);
        }
        self.job.done.fetch_add(1, Relaxed);
    }
}

impl Entry {
    fn list(&self) -> io::Result<()> {
        let read = || fs::read_dir(&self.path)?.collect::<io::Result<Vec<_>>>();
        let children = blocking(read)?;
        for child in children {
            let kind = child.file_type()?;
            if kind.is_dir() || kind.is_file() {
                self.job.clone().queue(child.path(), kind.is_dir());
            }
        }
        Ok(())
    }

    fn hash(&self) -> io::Result<()> {
        let mut file = blocking(|| File::open(&self.path))?;
        let mut chunk = vec![0; CHUNK];
        let mut hash = FNV_OFFSET;
        loop {
            match blocking(|| file.read(&mut chunk)) {
                Ok(0) => break,
                Ok(len) => hash = fnv1a(hash, &chunk[..len]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let mut hashes = self
            .job
            .hashes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        hashes.push((self.path.clone(), hash));
        Ok(())
    }
}

impl Job {
    /// The CPUs take turns: an item stays on the CPU that it was queued for.
    fn queue(self: Arc<Self>, path: PathBuf, is_dir: bool) {
        let turn = self.found.fetch_add(1, Relaxed);
        let cpu = self.cpus[turn % self.cpus.len()];
        let entry = Entry {
            work: EmbeddedWork::new(if is_dir { "list_dir" } else { "hash_file" }),
            is_dir,
            path,
            job: self.clone(),
        };
        if let Err(entry) = self.wq.queue_on(cpu, Arc::new(entry)) {
            self.fail(
                &entry.path,
                &io::Error::other("the engine is shutting down"),
            );
        }
    }

    fn fail(&self, path: &Path, error: &io::Error) {
        eprintln!("hash_dir: {}: {error}", path.display());
        self.failed.fetch_add(1, Relaxed);
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: fine for a demonstration, no protection against anybody.
fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// An item that shows how far the job is and queues itself again.
fn progress(job: &Arc<Job>, wq: Workqueue) -> DelayedWork {
    let job = job.clone();
    DelayedWork::named("show_progress", move |me| {
        eprint!(
            "\r{} of {} ",
            job.done.load(Relaxed),
            job.found.load(Relaxed)
        );
        wq.queue_delayed_work(me, PROGRESS_EVERY);
    })
}

fn print(hashes: &[(PathBuf, u64)]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for (path, hash) in hashes {
        write!(out, "{hash:016x}  ")?;
        out.write_all(path.as_os_str().as_bytes())?;
        writeln!(out)?;
    }
    out.flush()
}

/// Returns how many entries could not be read.
fn run(root: PathBuf) -> Result<usize, Error> {
    let engine = Engine::builder().name("hash_dir").build()?;
    let wq = engine.alloc_workqueue("hash_dir", WqFlags::PERCPU, OPEN_PER_CPU)?;
    let job = Arc::new(Job {
        wq: wq.clone(),
        cpus: engine.cpus().to_vec(),
        found: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        failed: AtomicUsize::new(0),
        hashes: Mutex::default(),
    });
    let progress = progress(&job, engine.system_dfl_wq().clone());
    if io::stderr().is_terminal() {
        engine
            .system_dfl_wq()
            .queue_delayed_work(&progress, PROGRESS_EVERY);
    }
    job.clone().queue(root, true);
    // Waits for what is queued, for what that queues, and so on.
    wq.drain();
    if progress.cancel_sync() {
        eprint!("\r\x1b[K");
    }
    let mut hashes =
        std::mem::take(&mut *job.hashes.lock().unwrap_or_else(PoisonError::into_inner));
    hashes.sort();
    match print(&hashes) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("hash_dir: standard output: {error}");
            job.failed.fetch_add(1, Relaxed);
        }
        // Whoever reads has seen enough.
        _ => {}
    }
    engine.shutdown(Duration::from_secs(5))?;
    Ok(job.failed.load(Relaxed))
}

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(root), None) = (args.next(), args.next()) else {
        eprintln!("usage: hash_dir DIR");
        return ExitCode::from(2);
    };
    if !root.is_dir() {
        eprintln!("hash_dir: {}: no such directory", root.display());
        return ExitCode::from(2);
    }
    match run(root) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("hash_dir: {error}");
            ExitCode::from(1)
        }
    }
}

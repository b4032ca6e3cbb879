//! Memory that other processes read: mappings of a file's pieces, the page that tells a forked child, and the exit
//! handler. The crate's only unsafe code.
#![expect(unsafe_code, reason = "mmap, madvise and atexit have no safe form")]

use rustix::fd::BorrowedFd;
use rustix::mm::{Advice, MapFlags, ProtFlags};
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Words of memory, zero at first, from a file or from the heap; the users cannot tell.
///
/// INVARIANT: `start` points to `len` words that live until this is dropped, either a mapping of `len * 8` bytes or a
/// boxed slice, as `mapped` says; all access is atomic.
#[derive(Debug)]
pub(crate) struct Region {
    start: NonNull<AtomicU64>,
    len: usize,
    mapped: bool,
}

// SAFETY: a region owns its memory, and gives out nothing but shared references to atomics.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Maps `bytes` bytes of a file from `offset` on, both whole pages.
    ///
    /// The caller has reserved that part of the file (`fallocate`), so that no store can fault; the file is private to
    /// its user, and nobody shortens it.
    ///
    /// # Errors
    /// Those of mmap(2).
    pub(crate) fn map(file: BorrowedFd<'_>, offset: u64, bytes: usize) -> rustix::io::Result<Self> {
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // Its pages are there; they come into the mapping when they are first touched. To have them all at once made a
        // new worker dearer by a third, and most threads never go round their ring.
        let flags = MapFlags::SHARED;
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
        let start =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), bytes, prot, flags, file, offset) }?;
        let start = NonNull::new(start.cast()).ok_or(rustix::io::Errno::NOMEM)?;
        Ok(Self {
            start,
            len: bytes / 8,
            mapped: true,
        })
    }

    /// `bytes` bytes of heap, a multiple of 8.
    pub(crate) fn heap(bytes: usize) -> Self {
        let words: Box<[AtomicU64]> = (0..bytes / 8).map(|_| AtomicU64::new(0)).collect();
        let len = words.len();
        let start = NonNull::from(Box::leak(words)).cast();
        Self {
            start,
            len,
            mapped: false,
        }
    }
}

impl Deref for Region {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        // SAFETY: the invariant; mappings are page aligned, and any bit pattern is an `AtomicU64`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.mapped {
            // SAFETY: the invariant; the references given out have ended with the borrow of `self`.
            // An error could only mean that the memory stays.
            let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.len * 8) };
        } else {
            let words = std::ptr::slice_from_raw_parts_mut(self.start.as_ptr(), self.len);
            // SAFETY: the invariant: it came from `Box::leak`, and is given back once.
            drop(unsafe { Box::from_raw(words) });
        }
    }
}

/// The process that a segment was made in. A forked child has the same memory but is not that process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    /// The stamp on the page when this was made; never 0.
    stamp: u64,
    /// Where the stamp stands; the kernel wipes it in a child. `None`: this kernel cannot, the pid has to tell.
    page: Option<&'static AtomicU64>,
}

impl Process {
    /// This process. `fresh` is any number that no process of this lineage used before, such as a clock's value.
    pub(crate) fn current(fresh: u64) -> Self {
        let Some(page) = wiped_page() else {
            return Self {
                stamp: std::process::id().into(),
                page: None,
            };
        };
        let fresh = fresh.max(1);
        let stamp = match page.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => fresh,
            Err(stamp) => stamp,
        };
        Self {
            stamp,
            page: Some(page),
        }
    }

    /// Whether the caller is still in it: one load.
    #[inline]
    pub(crate) fn is_here(&self) -> bool {
        match self.page {
            Some(page) => page.load(Ordering::Relaxed) == self.stamp,
            None => self.stamp == u64::from(std::process::id()),
        }
    }
}

/// A page that reads as zero in every forked child (`MADV_WIPEONFORK`, since Linux 4.14).
fn wiped_page() -> Option<&'static AtomicU64> {
    static PAGE: OnceLock<Option<&'static AtomicU64>> = OnceLock::new();
    *PAGE.get_or_init(|| {
        let bytes = rustix::param::page_size();
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping at an address of the kernel's choice overlaps nothing.
        let page = unsafe {
            rustix::mm::mmap_anonymous(std::ptr::null_mut(), bytes, prot, MapFlags::PRIVATE)
        }
        .ok()?;
        // SAFETY: the advice changes only what a child sees of this page, which holds nothing yet.
        unsafe { rustix::mm::madvise(page, bytes, Advice::LinuxWipeOnFork) }.ok()?;
        // SAFETY: a zeroed, aligned word of a page that is never unmapped.
        Some(unsafe { &*page.cast::<AtomicU64>() })
    })
}

/// Has `run` called when the process exits in an orderly way.
pub(crate) fn at_exit(run: extern "C" fn()) {
    // SAFETY: a plain function that takes and returns nothing. Failure (no memory) means that it is not called.
    let _ = unsafe { libc::atexit(run) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Counter, Event, FuncId, PoolId, PwqId, Reader, Segment, SegmentConfig, What, WorkerId, WqId,
    };

    /// Runs `child` in a forked child and returns what it returned. It must not allocate or lock: other threads of the
    /// test may have held the locks at the fork.
    fn in_child(child: impl FnOnce() -> u8) -> i32 {
        // SAFETY: the child calls nothing but `child` and `_exit`.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            let code = child();
            // SAFETY: ends the child without running what the parent registered.
            unsafe { libc::_exit(code.into()) };
        }
        let mut status = 0;
        // SAFETY: waits for the child made above; the status outlives the call.
        let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        assert_eq!(waited, pid);
        libc::WEXITSTATUS(status)
    }

    #[test]
    fn a_forked_child_writes_nothing() {
        let segment = Segment::in_memory(&SegmentConfig::default(), 1);
        let pwq = segment.pwq(WqId(1), PoolId(1));
        let worker = segment.worker(PoolId(1), 0, "kworker/0:0", 1);
        let mut emitter = segment.emitter(1, "thread");
        let event = Event {
            at: 1,
            cpu: 0,
            tid: 1,
            wq: WqId(1),
            pool: PoolId(1),
            worker: WorkerId(1),
            func: FuncId(1),
            from: FuncId(0),
            work: 1,
            what: What::Panic,
        };
        assert!(!segment.forked());
        let code = in_child(|| {
            pwq.add(Counter::Queued, 1);
            pwq.record_wait(5);
            worker.execute(1, FuncId(1), (WqId(1), PwqId(1)), 7);
            emitter.emit(&event);
            segment.mark_ended(9);
            u8::from(segment.forked())
        });
        assert_eq!(code, 1, "the child knows what it is");
        assert!(!segment.forked());
        pwq.add(Counter::Queued, 2);
        let s = Reader::in_memory(&segment).snapshot().unwrap();
        assert_eq!(s.pwqs[0].counters[0], 2);
        assert!(s.meta.ended_at.is_none());
    }

    #[test]
    fn a_child_writes_nothing_into_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let config = SegmentConfig {
            dir: Some(dir.path().into()),
            ..SegmentConfig::default()
        };
        let (segment, _) = Segment::create(&config, 1);
        let mut pwq = Some(segment.pwq(WqId(1), PoolId(1)));
        let code = in_child(|| {
            let pwq = pwq.take();
            if let Some(pwq) = &pwq {
                pwq.add(Counter::Queued, 1);
            }
            drop(pwq);
            segment.mark_ended(9);
            let wq = segment.workqueue("mine", 0, 1);
            u8::from(wq.id().is_some())
        });
        assert_eq!(code, 0, "nothing is made in a child");
        let s = Reader::open(segment.path().unwrap_or(dir.path()))
            .unwrap()
            .snapshot()
            .unwrap();
        assert_eq!(
            (s.workqueues.len(), s.pwqs.len(), s.pwqs[0].counters[0]),
            (0, 1, 0)
        );
        assert!(s.meta.ended_at.is_none());
    }

    #[test]
    fn heap_and_file_look_alike() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(8192).unwrap();
        let mapped = Region::map(std::os::fd::AsFd::as_fd(&file), 4096, 4096).unwrap();
        let heap = Region::heap(4096);
        for region in [&mapped, &heap] {
            assert_eq!(region.len(), 512);
            assert!(region.iter().all(|word| word.load(Ordering::Relaxed) == 0));
            region[511].store(7, Ordering::Relaxed);
        }
        let mut last = [0; 8];
        std::os::unix::fs::FileExt::read_exact_at(&file, &mut last, 8184).unwrap();
        assert_eq!(u64::from_ne_bytes(last), 7);
    }
}

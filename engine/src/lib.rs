//! Concurrency managed workqueues (cmwq) for user space, with the kernel's API and behaviour.
//!
//! A program queues small work items on workqueues. Pools of worker threads, two for each CPU and some that are tied
//! to none, execute them. A per-CPU pool keeps one worker running: when it blocks, another is woken at once; when it
//! resumes, the surplus stops after its item. So the CPU neither idles while work waits nor is fought over.
//!
//! ```
//! use std::time::Duration;
//! use wq_engine::{Engine, Work, WqFlags};
//!
//! let engine = Engine::builder().name("front-page").build()?;
//! let wq = engine.alloc_workqueue("my_driver", WqFlags::PERCPU, 0)?;
//! let work = Work::named("refill", |_| println!("on {:?}", std::thread::current().name()));
//! assert!(wq.queue_work(&work));
//! work.flush();
//! engine.shutdown(Duration::from_secs(1))?;
//! # Ok::<(), wq_engine::Error>(())
//! ```
//!
//! | to | use |
//! |---|---|
//! | have an engine | [`Engine::builder`], [`Engine::global`] |
//! | run short items on this CPU | [`Engine::system_wq`], or a workqueue of your own ([`Engine::alloc_workqueue`]) |
//! | run them on another CPU, or near a NUMA node | [`Workqueue::queue_work_on`], [`Workqueue::queue_work_node`] |
//! | run long or CPU-heavy items anywhere | [`WqFlags::UNBOUND`], [`Engine::system_unbound_wq`] |
//! | run items one at a time, in order | [`Engine::alloc_ordered_workqueue`] |
//! | run short items that never sleep, in order, on this CPU | [`WqFlags::BH`], [`Engine::system_bh_wq`] |
//! | run urgent items | [`WqFlags::HIGHPRI`], [`Engine::system_highpri_wq`] |
//! | run a closure once | [`Workqueue::spawn`] |
//! | run later, or later than that | [`DelayedWork`], [`Workqueue::mod_delayed_work`] |
//! | run when all readers of something have left | [`RcuWork`], [`rcu`] |
//! | run a method of an object that holds its item | [`EmbeddedWork`], [`WorkItem`], [`Workqueue::queue`] |
//! | have an item without an owner | [`declare_work!`], [`declare_delayed_work!`] |
//! | run something on a CPU and wait for it | [`Engine::work_on_cpu`], [`Engine::schedule_on_each_cpu`] |
//! | bound how many are active at once | `max_active`, [`Workqueue::set_max_active`], [`Workqueue::set_min_active`] |
//! | know whether items are held back | [`Workqueue::congested`], [`Work::busy`], [`Work::pending`] |
//! | choose nice level, CPUs and affinity of unbound items | [`Workqueue::apply_attrs`], [`topology`] |
//! | wait for items | [`Work::flush`], [`Workqueue::flush`] |
//! | wait until a workqueue is empty, or end it | [`Workqueue::drain`], [`Workqueue::destroy`] |
//! | take items back | [`Work::cancel`], [`Work::cancel_sync`] |
//! | keep items from being queued | [`Work::disable`], [`Work::disable_sync`], [`Work::enable`] |
//! | hold everything back for a while | [`WqFlags::FREEZABLE`], [`Engine::freeze`], [`Engine::thaw`] |
//! | end it all | [`Engine::shutdown`] |
//! | say that you sleep | [`blocking`] |
//! | let others start beside an item that computes | [`WqFlags::CPU_INTENSIVE`], [`Builder::cpu_intensive_thresh`] |
//! | make progress even when no thread can be created | [`WqFlags::MEM_RECLAIM`], [`current_is_workqueue_rescuer`] |
//! | drill for that | [`Engine::fail_worker_creation`] |
//! | know what runs here | [`current_work`], [`current_stamps`] |
//! | say in the tools what a worker is at | [`set_worker_desc`] |
//! | ask what is busy | [`Engine::show_all_workqueues`], [`Engine::show_one_workqueue`] |
//! | see what happens | `wq-monitor`, `wq-dump`, from outside the process: [`Engine::segment_path`] |
//! | try a workload without running it | [`sim`] |
//!
//! # Where calls may be made
//!
//! From any thread, work functions and the engine's own threads included, and by several at a time; but not from signal
//! handlers, since calls take locks. Calls that wait say so: inside a work function the wait counts as sleeping, so
//! that the pool goes on with other items, and a wait that can never end is reported as a deadlock. Inside an item of a
//! BH workqueue nothing should wait. After a `fork` the child's engines are dead: queueing and cancelling return false, waits
//! return at once, nothing can be changed, and what is asked for is empty.
//!
//! What the engine has to say (a panic, a hog, a stall, a deadlock, a misuse) goes to [`tracing`](https://docs.rs/tracing)
//! as a warning or an error; misuse is said once.
//!
//! Nothing of it needs privileges; with them, highpri workers get nice -20. The names are the kernel's; the kernel's
//! documentation (`Documentation/core-api/workqueue.rst`) applies, and `engine/README.md` lists the differences.
//! `engine/examples/` holds three small programs, [`coming_from_the_kernel`] says what became of each
//! kernel call.

#[macro_use]
mod warn;

mod attrs;
#[cfg(doc)]
pub mod coming_from_the_kernel;
mod error;
#[cfg_attr(shuttle, path = "sync/os.rs")]
mod os;
mod pool;
mod queue;
pub mod rcu;
mod runtime;
mod sense;
pub mod sim;
mod sync;
pub mod topology;
mod worker;
mod wq;

pub use attrs::{SYSTEM_WORKQUEUE_NAMES, WqFlags};
pub use error::Error;
pub use queue::{
    BUSY_PENDING, BUSY_RUNNING, DelayedWork, EmbeddedWork, HasWork, RcuWork, Work, WorkItem,
    Workqueue,
};
pub use runtime::{
    Builder, Engine, current_is_workqueue_rescuer, current_stamps, current_work, set_worker_desc,
};
pub use sense::{Sensing, blocking};
pub use topology::{AffinityScope, CpuMask, ParseError, Topology, WorkqueueAttrs};

/// For model checks with shuttle: a schedule begins. Before anything else in it.
#[cfg(shuttle)]
pub fn begin_schedule() {
    sync::shuttled::begin();
}

#[cfg(shuttle)]
pub use sync::shuttled::Gate;

/// The example of the repository's front page, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

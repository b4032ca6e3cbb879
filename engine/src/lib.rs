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
//! | run short items on this CPU | [`Engine::system_wq`], or a workqueue of your own ([`Engine::alloc_workqueue`]) |
//! | run long or CPU-heavy items anywhere | [`WqFlags::UNBOUND`], [`Engine::system_unbound_wq`] |
//! | run items one at a time, in order | [`Engine::alloc_ordered_workqueue`] |
//! | run short items that never sleep, in order, on this CPU | [`WqFlags::BH`], [`Engine::system_bh_wq`] |
//! | bound how many run at once | `max_active` |
//! | run later, or later than that | [`DelayedWork`], [`Workqueue::mod_delayed_work`] |
//! | run when all readers of something have left | [`RcuWork`], [`rcu`] |
//! | run a method of an object that holds its item | [`EmbeddedWork`], [`WorkItem`] |
//! | have an item without an owner | [`declare_work!`], [`declare_delayed_work!`] |
//! | run something on a CPU and wait for it | [`Engine::work_on_cpu`], [`Engine::schedule_on_each_cpu`] |
//! | wait for items | [`Work::flush`], [`Workqueue::flush`] |
//! | take items back | [`Work::cancel`], [`Work::cancel_sync`] |
//! | keep items from being queued | [`Work::disable`], [`Work::disable_sync`], [`Work::enable`] |
//! | say in the tools what a worker is at | [`set_worker_desc`] |
//! | say that you sleep | [`blocking`] |
//! | make progress even when no thread can be created | [`WqFlags::MEM_RECLAIM`] |
//! | ask what is busy | [`Engine::show_all_workqueues`] |
//! | see what happens | `wq-monitor`, `wq-dump`, from outside the process |
//!
//! Nothing of it needs privileges; with them, highpri workers get nice -20. The names are the kernel's; the kernel's
//! documentation (`Documentation/core-api/workqueue.rst`) applies, and `engine/README.md` lists the differences.
//! [`sim`] runs the same policy on virtual CPUs and a virtual clock.

#[macro_use]
mod warn;

mod attrs;
mod error;
mod os;
mod pool;
mod queue;
pub mod rcu;
mod runtime;
mod sense;
pub mod sim;
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

/// The example of the repository's front page, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

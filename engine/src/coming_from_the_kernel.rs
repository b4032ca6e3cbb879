//! What became of each call of the kernel's API. A page of documentation, without code.
//!
//! Names are kept, as methods of what the call is about: `queue_work(wq, w)` is `wq.queue_work(&w)`. What returns an
//! `int` with an error there returns a `Result` here, and so does what returns `NULL`. Times are
//! [`Duration`](std::time::Duration)s, not jiffies. There is no context that must not sleep, so the rules about hard
//! interrupts and atomic contexts have no counterpart.
//!
//! # Items
//!
//! | kernel | here |
//! |---|---|
//! | `INIT_WORK`, `DECLARE_WORK` | [`Work::new`], [`Work::named`]; [`declare_work!`] |
//! | a `work_struct` inside another struct, `container_of`, `from_work` | [`EmbeddedWork`], [`impl_has_work!`], [`WorkItem`], [`Workqueue::queue`] |
//! | `INIT_DELAYED_WORK`, `DECLARE_DELAYED_WORK` | [`DelayedWork::new`], [`DelayedWork::named`]; [`declare_delayed_work!`] |
//! | `INIT_RCU_WORK` | [`RcuWork::new`], [`RcuWork::named`] |
//! | `work_pending`, `delayed_work_pending` | [`Work::pending`], [`DelayedWork::pending`] |
//! | `rcu_read_lock`, `rcu_read_unlock` | [`rcu::read_lock`], dropping the [`rcu::Guard`] |
//! | `INIT_WORK_ONSTACK`, `INIT_WORK_ONSTACK_KEY`, `destroy_work_on_stack`, the same of delayed and RCU work | none: the engine keeps an item as long as it needs it |
//! | `INIT_DEFERRABLE_WORK`, `DECLARE_DEFERRABLE_WORK` | none: user space cannot tell which CPU sleeps |
//! | `to_delayed_work`, `to_rcu_work` | none: a function is given the kind of item that it was made with |
//!
//! # Workqueues
//!
//! | kernel | here |
//! |---|---|
//! | `alloc_workqueue` | [`Engine::alloc_workqueue`] |
//! | `alloc_ordered_workqueue` | [`Engine::alloc_ordered_workqueue`] |
//! | `destroy_workqueue` | [`Workqueue::destroy`], or dropping the last handle, which does not wait |
//! | `alloc_workqueue_attrs`, `free_workqueue_attrs` | [`WorkqueueAttrs`], [`WorkqueueAttrs::default`] |
//! | `apply_workqueue_attrs` | [`Workqueue::apply_attrs`], [`Workqueue::attrs`] |
//! | `workqueue_sysfs_register` | none: the tools show the attributes of every workqueue |
//! | `alloc_workqueue_lockdep_map`, `alloc_ordered_workqueue_lockdep_map` | none: deadlocks are found without classes |
//! | `devm_alloc_workqueue`, `devm_alloc_ordered_workqueue` | none: whoever owns the handle drops it |
//! | `create_workqueue` | none; `MEM_RECLAIM \| PERCPU` with `max_active` 1 is the same |
//! | `create_freezable_workqueue` | none; `FREEZABLE \| UNBOUND \| MEM_RECLAIM` with `max_active` 1 is the same |
//! | `create_singlethread_workqueue` | none; an ordered one with `MEM_RECLAIM` is the same |
//!
//! # Queueing
//!
//! | kernel | here |
//! |---|---|
//! | `queue_work`, `queue_work_on`, `queue_work_node` | [`Workqueue::queue_work`], [`Workqueue::queue_work_on`], [`Workqueue::queue_work_node`] |
//! | `queue_delayed_work`, `queue_delayed_work_on` | [`Workqueue::queue_delayed_work`], [`Workqueue::queue_delayed_work_on`] |
//! | `mod_delayed_work`, `mod_delayed_work_on` | [`Workqueue::mod_delayed_work`], [`Workqueue::mod_delayed_work_on`] |
//! | `queue_rcu_work` | [`Workqueue::queue_rcu_work`] |
//! | `schedule_work`, `schedule_work_on` | [`Engine::schedule_work`], [`Engine::schedule_work_on`] |
//! | `schedule_delayed_work`, `schedule_delayed_work_on` | [`Engine::schedule_delayed_work`], [`Engine::schedule_delayed_work_on`] |
//! | `enable_and_queue_work` | [`Workqueue::enable_and_queue_work`] |
//! | `schedule_on_each_cpu` | [`Engine::schedule_on_each_cpu`] |
//! | `work_on_cpu` | [`Engine::work_on_cpu`] |
//! | `system_wq` and the other system workqueues | [`Engine::system_wq`] and so on |
//! | `execute_in_process_context` | none: every context is one |
//!
//! # Waiting, cancelling, disabling
//!
//! | kernel | here |
//! |---|---|
//! | `flush_work`, `flush_delayed_work`, `flush_rcu_work` | [`Work::flush`], [`DelayedWork::flush`], [`RcuWork::flush`] |
//! | `flush_workqueue`, `drain_workqueue` | [`Workqueue::flush`], [`Workqueue::drain`] |
//! | `flush_scheduled_work` | none, on purpose; a workqueue of your own can be flushed |
//! | `cancel_work`, `cancel_work_sync` | [`Work::cancel`], [`Work::cancel_sync`] |
//! | `cancel_delayed_work`, `cancel_delayed_work_sync` | [`DelayedWork::cancel`], [`DelayedWork::cancel_sync`] |
//! | `disable_work`, `disable_work_sync`, `enable_work` | [`Work::disable`], [`Work::disable_sync`], [`Work::enable`] |
//! | `disable_delayed_work`, `disable_delayed_work_sync`, `enable_delayed_work` | [`DelayedWork::disable`], [`DelayedWork::disable_sync`], [`DelayedWork::enable`] |
//!
//! # Tuning and asking
//!
//! | kernel | here |
//! |---|---|
//! | `workqueue_set_max_active`, `workqueue_set_min_active` | [`Workqueue::set_max_active`], [`Workqueue::set_min_active`] |
//! | `current_work` | [`current_work()`] |
//! | `current_is_workqueue_rescuer` | [`current_is_workqueue_rescuer()`] |
//! | `current_is_workqueue_mem_reclaim` (7.3) | none: a wait for the wrong kind of workqueue is reported by itself |
//! | `workqueue_congested` | [`Workqueue::congested`] |
//! | `work_busy`, `WORK_BUSY_PENDING`, `WORK_BUSY_RUNNING` | [`Work::busy`], [`BUSY_PENDING`], [`BUSY_RUNNING`] |
//! | `set_worker_desc` | [`set_worker_desc()`] |
//! | `show_all_workqueues`, `show_one_workqueue`, `show_freezable_workqueues` | [`Engine::show_all_workqueues`], [`Engine::show_one_workqueue`], [`Engine::show_freezable_workqueues`], which return the text |
//! | `freeze_workqueues_begin`, `freeze_workqueues_busy`, `thaw_workqueues` | [`Engine::freeze`], which does both, and [`Engine::thaw`] |
//! | `workqueue.cpu_intensive_thresh_us`, `cpu_intensive_warning_thresh`, `power_efficient`, `default_affinity_scope`, `watchdog_thresh` | [`Builder`] |
//! | `schedule()`, where a worker's sleep is noticed | [`blocking()`], [`Sensing`] |
//! | `workqueue_prepare_cpu`, `workqueue_online_cpu`, `workqueue_offline_cpu` | none: CPUs that leave and come back are noticed |
//! | `wq_worker_comm` | none: `wq-dump` and `wq-monitor` show names with their suffix |
//! | `print_worker_info` | none: a stall report says what each busy worker does |
//! | `wq_watchdog_touch` | none: [`Builder::watchdog_thresh`](crate::Builder::watchdog_thresh) can be raised |
//! | `workqueue_unbound_housekeeping_update` | none: the engine uses the CPUs that it was given |
//! | `workqueue_softirq_action`, `workqueue_softirq_dead` | none: BH items run on threads |
//! | `workqueue_init_early`, `workqueue_init`, `workqueue_init_topology` | [`Builder::build`], at once |
//!
//! [`BUSY_PENDING`]: crate::BUSY_PENDING
//! [`BUSY_RUNNING`]: crate::BUSY_RUNNING
//! [`Builder::build`]: crate::Builder::build
#![allow(unused_imports, reason = "the links of this page")]

use crate::*;

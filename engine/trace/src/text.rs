//! The one text form of an event, that of ftrace, and the named fields that JSON is made from.

use crate::event::{Event, FlushTarget, What};
use crate::ids::PoolId;
use crate::names::Names;
use crate::settings::Scope;
use crate::value::{Fields, Value};

/// The first line of a file of event text: tools made for ftrace look for it.
pub const HEADER: &str = "# tracer: nop";

/// The full names of all events, in the order of [`What`]'s variants.
pub const NAMES: &[&str] = &[
    "workqueue_queue_work",
    "workqueue_activate_work",
    "workqueue_execute_start",
    "workqueue_execute_end",
    "workqueue_hold_work",
    "workqueue_cancel_work",
    "workqueue_disable_work",
    "workqueue_enable_work",
    "workqueue_drop_work",
    "workqueue_timer_arm",
    "workqueue_worker_create",
    "workqueue_worker_destroy",
    "workqueue_worker_wake",
    "workqueue_worker_idle",
    "workqueue_worker_sleep",
    "workqueue_worker_resume",
    "workqueue_manager_start",
    "workqueue_manager_end",
    "workqueue_cpu_intensive",
    "workqueue_mayday",
    "workqueue_rescue",
    "workqueue_flush_start",
    "workqueue_flush_end",
    "workqueue_stall",
    "workqueue_panic",
    "workqueue_alloc",
    "workqueue_destroy",
    "workqueue_freeze",
    "workqueue_thaw",
    "workqueue_attrs",
    "workqueue_max_active",
    "workqueue_deadlock",
];

/// The event's name without what all of them begin with: `queue_work`.
pub fn short_name(what: &What) -> &'static str {
    let name = name(what);
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// All such names, in the order of [`NAMES`].
pub fn short_names() -> impl Iterator<Item = &'static str> {
    let names = NAMES.iter();
    names.map(|name| name.strip_prefix(PREFIX).unwrap_or(name))
}

/// What the full names of all events begin with.
const PREFIX: &str = "workqueue_";

/// The event's full name, as `workqueue_queue_work`: one of [`NAMES`].
pub const fn name(what: &What) -> &'static str {
    match what {
        What::QueueWork { .. } => "workqueue_queue_work",
        What::ActivateWork => "workqueue_activate_work",
        What::ExecuteStart => "workqueue_execute_start",
        What::ExecuteEnd => "workqueue_execute_end",
        What::HoldWork { .. } => "workqueue_hold_work",
        What::CancelWork { .. } => "workqueue_cancel_work",
        What::DisableWork { .. } => "workqueue_disable_work",
        What::EnableWork { .. } => "workqueue_enable_work",
        What::DropWork { .. } => "workqueue_drop_work",
        What::TimerArm { .. } => "workqueue_timer_arm",
        What::WorkerCreate { .. } => "workqueue_worker_create",
        What::WorkerDestroy { .. } => "workqueue_worker_destroy",
        What::WorkerWake { .. } => "workqueue_worker_wake",
        What::WorkerIdle { .. } => "workqueue_worker_idle",
        What::WorkerSleep { .. } => "workqueue_worker_sleep",
        What::WorkerResume { .. } => "workqueue_worker_resume",
        What::ManagerStart => "workqueue_manager_start",
        What::ManagerEnd => "workqueue_manager_end",
        What::CpuIntensive { .. } => "workqueue_cpu_intensive",
        What::Mayday => "workqueue_mayday",
        What::Rescue => "workqueue_rescue",
        What::FlushStart { .. } => "workqueue_flush_start",
        What::FlushEnd { .. } => "workqueue_flush_end",
        What::Stall { .. } => "workqueue_stall",
        What::Panic => "workqueue_panic",
        What::Alloc { .. } => "workqueue_alloc",
        What::Destroy { .. } => "workqueue_destroy",
        What::Freeze { .. } => "workqueue_freeze",
        What::Thaw { .. } => "workqueue_thaw",
        What::Attrs { .. } => "workqueue_attrs",
        What::MaxActive { .. } => "workqueue_max_active",
        What::Deadlock { .. } => "workqueue_deadlock",
    }
}

/// The event as one line without its end: `kworker/0:1-4711    [003] .....    12.345678: EVENT: FIELDS`.
///
/// The text of the kernel's four tracepoints is theirs to the byte, the blank after activate_work's included.
pub fn line(event: &Event, names: &Names) -> String {
    let micros = event.at / 1_000;
    format!(
        "{:>16}-{:<7} [{:03}] ..... {:5}.{:06}: {}: {}",
        names.comm(event.tid),
        event.tid,
        event.cpu,
        micros / 1_000_000,
        micros % 1_000_000,
        name(&event.what),
        body(event, names),
    )
}

/// What stands after the event's name.
fn body(event: &Event, names: &Names) -> String {
    let work = Value::Hex(event.work);
    let function = names.function(event.func);
    match event.what {
        What::QueueWork { req_cpu, cpu } => format!(
            "work struct={work} function={function} workqueue={} req_cpu={req_cpu} cpu={cpu}",
            names.workqueue(event.wq),
        ),
        What::ActivateWork => format!("work struct {work} function={function} "),
        What::ExecuteStart | What::ExecuteEnd => format!("work struct {work}: function {function}"),
        _ => Value::Object(fields(event, names)).to_string(),
    }
}

/// The fields of an event in the order of its text: the words of the kernel for its own four.
///
/// queue_work's `cpu`, that of the pool, is `pool_cpu` here, beside the `cpu` where the event happened.
pub fn fields(event: &Event, names: &Names) -> Fields {
    let work = ("work", Value::Hex(event.work));
    let function = ("function", Value::str(names.function(event.func)));
    let workqueue = ("workqueue", Value::str(names.workqueue(event.wq)));
    let pool = ("pool", pool(event.pool, names));
    let worker = ("worker", Value::str(names.worker(event.worker)));
    let n = |key, n: u32| (key, Value::Num(n.into()));
    let word = |key, word: &'static str| (key, Value::str(word));
    match event.what {
        What::QueueWork { req_cpu, cpu } => {
            let cpus = [req_cpu, cpu].map(|cpu| Value::Num(cpu.into()));
            let [req_cpu, cpu] = cpus;
            vec![
                work,
                function,
                workqueue,
                ("req_cpu", req_cpu),
                ("pool_cpu", cpu),
            ]
        }
        What::ActivateWork | What::ExecuteStart | What::ExecuteEnd | What::Panic => {
            vec![work, function]
        }
        What::HoldWork { reason } => vec![work, function, workqueue, word("reason", reason.word())],
        What::DropWork { reason } => vec![work, function, workqueue, word("reason", reason.word())],
        What::TimerArm { delay_us } => {
            vec![
                work,
                function,
                workqueue,
                ("delay_us", Value::Big(delay_us)),
            ]
        }
        What::CancelWork { was } => vec![work, function, word("was", was.word())],
        What::DisableWork { depth } | What::EnableWork { depth } => {
            vec![work, function, n("depth", depth)]
        }
        What::WorkerCreate { nr_workers } | What::WorkerDestroy { nr_workers } => {
            vec![pool, worker, n("nr_workers", nr_workers)]
        }
        What::WorkerWake { reason } => vec![pool, worker, word("reason", reason.word())],
        What::WorkerIdle { nr_idle } => vec![pool, worker, n("nr_idle", nr_idle)],
        What::WorkerSleep { nr_running } | What::WorkerResume { nr_running } => {
            vec![pool, worker, function, n("nr_running", nr_running)]
        }
        What::ManagerStart | What::ManagerEnd => vec![pool, worker],
        What::CpuIntensive { cpu_us } => {
            vec![pool, worker, function, ("cpu_us", Value::Big(cpu_us))]
        }
        What::Mayday | What::Rescue => vec![workqueue, pool],
        What::FlushStart { target } | What::FlushEnd { target } => {
            let target = flush_target(target, &work.1, &workqueue.1);
            vec![("target", target), n("waiter", event.tid)]
        }
        What::Deadlock {
            target,
            waiter,
            cycle,
        } => {
            let target = flush_target(target, &work.1, &workqueue.1);
            vec![("target", target), n("waiter", waiter), n("cycle", cycle)]
        }
        What::Stall { seconds } => vec![pool, ("seconds", Value::Big(seconds))],
        What::Alloc { flags, max_active }
        | What::Destroy { flags, max_active }
        | What::Freeze { flags, max_active }
        | What::Thaw { flags, max_active } => {
            let flags = ("flags", Value::Bits(flags.into()));
            vec![workqueue, flags, n("max_active", max_active)]
        }
        What::Attrs {
            nice,
            strict,
            scope,
            cpumask,
        } => vec![
            workqueue,
            ("nice", Value::Num(nice.into())),
            ("strict", Value::Bool(strict)),
            ("scope", scope_word(scope)),
            ("cpumask", Value::Bits(cpumask)),
        ],
        What::MaxActive { old, new } => vec![workqueue, n("old", old), n("new", new)],
    }
}

/// The event as a JSON object: `{ts_ns,event,cpu,tid,comm,..fields}`, then what else is known of it: `workqueue`,
/// `pool`, `worker` and, where a work function queued, that function as `from`.
pub fn object(event: &Event, names: &Names) -> Fields {
    let mut all = vec![
        ("ts_ns", Value::Big(event.at)),
        ("event", Value::str(name(&event.what))),
        ("cpu", Value::Num(event.cpu.into())),
        ("tid", Value::Num(event.tid.into())),
        ("comm", Value::str(names.comm(event.tid))),
    ];
    all.append(&mut fields(event, names));
    let more = [
        (
            "workqueue",
            event.wq.is_some(),
            Value::str(names.workqueue(event.wq)),
        ),
        ("pool", event.pool.is_some(), pool(event.pool, names)),
        (
            "worker",
            event.worker.is_some(),
            Value::str(names.worker(event.worker)),
        ),
        (
            "from",
            event.from.is_some(),
            Value::str(names.function(event.from)),
        ),
    ];
    for (key, known, value) in more {
        if known && all.iter().all(|(k, _)| *k != key) {
            all.push((key, value));
        }
    }
    all
}

fn pool(id: PoolId, names: &Names) -> Value {
    Value::opt(names.pool(id))
}

/// `work:000000000000002a`, `wq:mixed`.
fn flush_target(target: FlushTarget, work: &Value, workqueue: &Value) -> Value {
    let of = match target {
        FlushTarget::Work => work,
        FlushTarget::Workqueue => workqueue,
    };
    Value::Str(format!("{}:{of}", target.word()))
}

fn scope_word(scope: u8) -> Value {
    Scope::from_number(scope).map_or(Value::Unknown, |scope| Value::str(scope.word()))
}

#[cfg(test)]
mod tests;

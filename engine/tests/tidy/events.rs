//! Where each event is made: in the pure centre, which threads and the simulator both execute; or, what the centre does
//! not decide, once for threads and once for the simulator.

/// Variant of `wq_trace::What`, and the files that make it, each once.
pub const MADE: &[(&str, &[&str])] = &[
    ("QueueWork", &["pool/admit.rs"]),
    ("ActivateWork", &["pool/active.rs"]),
    ("ExecuteStart", &["pool/execute.rs"]),
    ("ExecuteEnd", &["pool/execute.rs"]),
    ("HoldWork", &["pool/active.rs"]),
    // Taken off a list in the pool; off its timer, or idle, it is on none: on threads a function for either.
    (
        "CancelWork",
        &[
            "pool/admit.rs",
            "queue/cancel.rs",
            "queue/cancel.rs",
            "sim/queueing.rs",
        ],
    ),
    ("DisableWork", &["queue/cancel.rs", "sim/disable.rs"]),
    ("EnableWork", &["queue/cancel.rs", "sim/disable.rs"]),
    ("DropWork", &["queue/submit.rs", "sim/drain.rs"]),
    ("TimerArm", &["runtime/timer.rs", "sim/queueing.rs"]),
    ("WorkerCreate", &["pool/manage.rs"]),
    ("WorkerDestroy", &["pool/manage.rs"]),
    ("WorkerWake", &["pool/state.rs"]),
    ("WorkerIdle", &["pool/manage.rs"]),
    ("WorkerSleep", &["pool/execute.rs"]),
    ("WorkerResume", &["pool/execute.rs"]),
    ("ManagerStart", &["pool/manage.rs"]),
    ("ManagerEnd", &["pool/manage.rs"]),
    ("CpuIntensive", &["pool/hog.rs"]),
    ("Mayday", &["pool/rescue.rs"]),
    ("Rescue", &["pool/rescue.rs"]),
    ("FlushStart", &["queue/visible.rs", "sim/waits.rs"]),
    ("FlushEnd", &["queue/visible.rs", "sim/waits.rs"]),
    ("Stall", &["pool/stall.rs"]),
    ("Panic", &["pool/execute.rs"]),
    ("Alloc", &["runtime/mod.rs", "sim/wqs.rs"]),
    // Workloads have no step that takes a workqueue down or changes its attributes.
    ("Destroy", &["runtime/mod.rs"]),
    ("Attrs", &["queue/tune.rs"]),
    ("Freeze", &["queue/tune.rs", "sim/wqs.rs"]),
    ("Thaw", &["queue/tune.rs", "sim/wqs.rs"]),
    ("Deadlock", &["queue/visible.rs", "sim/waits.rs"]),
    ("MaxActive", &["queue/tune.rs", "sim/wqs.rs"]),
];

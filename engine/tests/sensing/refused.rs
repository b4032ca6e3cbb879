//! What the system refuses, from the start or later: sensing falls to the next way that works, says so once, and shows
//! why. Each in a process of its own.

use super::support::{
    Inside, LONG, a_blocked_worker_is_replaced, alone, child, is_child, log_to_stdout, on_one_cpu,
    said, snapshot, sums, until, until_a_canary_decides, with_canaries,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads,
};
use std::process::Command;
use std::time::Duration;
use wq_engine::{Engine, Sensing, blocking};

/// From now on this process, all of its threads, is refused a system call, or some uses of it. Returns whether that can
/// be had.
fn refuse(call: libc::c_long, uses: Vec<SeccompRule>) -> bool {
    let arch = std::env::consts::ARCH.try_into();
    let Ok(arch) = arch else {
        println!("skipped: no filter for this architecture");
        return false;
    };
    let filter = SeccompFilter::new(
        [(call, uses)].into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        arch,
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    match apply_filter_all_threads(&program) {
        Ok(()) => true,
        Err(error) => {
            println!("skipped: no filter can be had: {error}");
            false
        }
    }
}

/// The clocks of single threads, as the canary asks for them.
fn clocks_of_peers() -> Vec<SeccompRule> {
    // What tells them from the other numbers of clocks.
    let (mask, is) = (0x8000_0007, 0x8000_0006);
    let clock = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), is);
    vec![SeccompRule::new(vec![clock.unwrap()]).unwrap()]
}

/// Runs this test in a child. What that has said; none if it cannot be tried here.
fn in_a_child(test: &str) -> Option<String> {
    let _alone = alone();
    let said = said(&child(test).output().unwrap());
    if said.contains("skipped: ") {
        print!("{said}");
        return None;
    }
    Some(said)
}

/// The warnings in what a child has said.
fn warnings(said: &str) -> Vec<&str> {
    said.lines()
        .filter(|line| line.contains(" WARN "))
        .collect()
}

/// With this way of sensing, and for this reason; which the tools are told too.
#[track_caller]
fn is(engine: &Engine, sensing: Sensing, reason: &str) {
    assert_eq!(engine.sensing(), sensing);
    let info = snapshot(engine).sensing;
    assert_eq!(info.mode, sensing.word());
    assert!(info.reason.contains(reason), "{info:?}");
}

const NO_IDLE: &str = "refused::without_sched_idle_the_tick_is_taken";

#[test]
fn without_sched_idle_the_tick_is_taken() {
    const REASON: &str = "SCHED_IDLE is refused: Operation not permitted";
    if is_child(NO_IDLE) {
        log_to_stdout();
        if refuse(libc::SYS_sched_setscheduler, Vec::new()) {
            let forced = on_one_cpu("forced").sensing(Sensing::Canary);
            let forced = forced.build().unwrap();
            is(&forced, Sensing::Tick, REASON);
            assert_eq!(snapshot(&forced).sensing.asked, "canary");
            a_blocked_worker_is_replaced(&forced);
            assert_eq!(sums(&forced).armings, 0);
            drop(forced);
            let auto = on_one_cpu("auto").build().unwrap();
            is(&auto, Sensing::Tick, REASON);
            assert_eq!(snapshot(&auto).sensing.asked, "auto");
            a_blocked_worker_is_replaced(&auto);
        }
        return;
    }
    let Some(said) = in_a_child(NO_IDLE) else {
        return;
    };
    let warnings = warnings(&said);
    assert_eq!(warnings.len(), 1, "who asks for it is warned: {said}");
    assert!(warnings[0].contains(REASON), "{said}");
    assert_eq!(said.matches("sensing is tick: no canary: ").count(), 1);
}

const NO_CLOCK: &str = "refused::a_canary_that_may_not_look_any_more_is_replaced_by_the_tick";

#[test]
fn a_canary_that_may_not_look_any_more_is_replaced_by_the_tick() {
    if is_child(NO_CLOCK) {
        log_to_stdout();
        let Some(engine) = with_canaries(on_one_cpu("no-clock")) else {
            return;
        };
        until_a_canary_decides(&engine, || a_blocked_worker_is_replaced(&engine));
        if refuse(libc::SYS_clock_gettime, clocks_of_peers()) {
            until(|| {
                a_blocked_worker_is_replaced(&engine);
                engine.sensing() == Sensing::Tick
            });
            let reason = "the canary cannot look any more: Operation not permitted";
            until(|| snapshot(&engine).sensing.mode == "tick");
            is(&engine, Sensing::Tick, reason);
            let before = sums(&engine);
            for _ in 0..20 {
                a_blocked_worker_is_replaced(&engine);
            }
            let after = sums(&engine);
            assert_eq!(after.decisions, before.decisions);
            assert_eq!(after.armed, 0, "nobody is waited for");
        }
        return;
    }
    let Some(said) = in_a_child(NO_CLOCK) else {
        return;
    };
    assert_eq!(warnings(&said).len(), 1, "{said}");
    assert!(
        said.contains("blocks are noticed by the tick now"),
        "{said}"
    );
}

const NO_LOOK: &str = "refused::when_nobody_may_look_any_more_only_announced_blocks_are_noticed";

#[test]
fn when_nobody_may_look_any_more_only_announced_blocks_are_noticed() {
    if is_child(NO_LOOK) {
        log_to_stdout();
        let Some(engine) = with_canaries(on_one_cpu("no-look")) else {
            return;
        };
        a_blocked_worker_is_replaced(&engine);
        if refuse(libc::SYS_pread64, Vec::new()) {
            nobody_looks(&engine);
        }
        return;
    }
    let Some(said) = in_a_child(NO_LOOK) else {
        return;
    };
    assert_eq!(warnings(&said).len(), 1, "{said}");
    assert!(said.contains("where they are announced only"), "{said}");
}

const NO_TICK: &str = "refused::a_tick_that_may_not_look_any_more_says_so";

#[test]
fn a_tick_that_may_not_look_any_more_says_so() {
    if is_child(NO_TICK) {
        log_to_stdout();
        let builder = on_one_cpu("no-tick").sensing(Sensing::Tick);
        let engine = builder.build().unwrap();
        is(&engine, Sensing::Tick, "asked for");
        a_blocked_worker_is_replaced(&engine);
        if refuse(libc::SYS_pread64, Vec::new()) {
            nobody_looks(&engine);
        }
        return;
    }
    let Some(said) = in_a_child(NO_TICK) else {
        return;
    };
    assert_eq!(warnings(&said).len(), 1, "{said}");
}

/// Items block until it is noticed that nobody can look; from then on a block that is announced lets others start.
fn nobody_looks(engine: &Engine) {
    until(|| {
        for _ in 0..2 {
            let nap = || std::thread::sleep(Duration::from_millis(30));
            engine.system_wq().spawn(nap);
        }
        engine.system_wq().flush();
        engine.sensing() == Sensing::Hints
    });
    until(|| snapshot(engine).sensing.mode == "hints");
    is(
        engine,
        Sensing::Hints,
        "nobody can look any more: cannot read",
    );
    let inside = Inside::default();
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
    for _ in 0..10 {
        let (inside, gate) = (inside.clone(), gate.clone());
        engine.system_wq().spawn(move || {
            inside.enter();
            blocking(|| gate.lock().unwrap().recv_timeout(LONG).unwrap());
        });
    }
    until(|| inside.now() == 10);
    (0..10).for_each(|_| open.send(()).unwrap());
    engine.system_wq().flush();
    assert_eq!(sums(engine).armed, 0);
}

const BLIND: &str = "refused::where_states_cannot_be_read_from_the_start_there_are_hints";

#[test]
fn where_states_cannot_be_read_from_the_start_there_are_hints() {
    if is_child(BLIND) {
        log_to_stdout();
        if refuse(libc::SYS_pread64, Vec::new()) {
            for asked in [Sensing::Canary, Sensing::Tick] {
                let engine = on_one_cpu("blind").sensing(asked).build().unwrap();
                is(
                    &engine,
                    Sensing::Hints,
                    "cannot read /proc/self/task/TID/stat",
                );
                assert_eq!(snapshot(&engine).sensing.asked, asked.word());
            }
        }
        return;
    }
    let Some(said) = in_a_child(BLIND) else {
        return;
    };
    assert_eq!(warnings(&said).len(), 2, "one for each: {said}");
}

const NO_PROC: &str = "refused::without_proc_there_are_hints";

#[test]
fn without_proc_there_are_hints() {
    if is_child(NO_PROC) {
        log_to_stdout();
        let engine = on_one_cpu("no-proc").build().unwrap();
        is(
            &engine,
            Sensing::Hints,
            "no canary and no tick: there is no /proc",
        );
        engine.system_wq().spawn(|| println!("the item ran"));
        engine.system_wq().flush();
        return;
    }
    let _alone = alone();
    let hide = "mount -t tmpfs none /proc";
    let hidden = |then: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &format!("{hide} && {then}")]);
        command
    };
    if !hidden("true")
        .output()
        .is_ok_and(|tried| tried.status.success())
    {
        println!("skipped: /proc cannot be hidden from a child (it takes root and unshare)");
        return;
    }
    let test = child(NO_PROC);
    let mut hidden = hidden("exec \"$0\" \"$@\"");
    hidden.arg(test.get_program()).args(test.get_args());
    for (key, value) in test.get_envs() {
        match value {
            Some(value) => hidden.env(key, value),
            None => hidden.env_remove(key),
        };
    }
    let said = said(&hidden.output().unwrap());
    assert!(said.contains("the item ran"), "{said}");
    assert_eq!(said.matches("sensing is hints: ").count(), 1, "{said}");
}

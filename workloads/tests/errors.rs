//! What a wrong script is told: every message with its line and column, word for word.

use std::path::Path;
use wq_replay::parse;

/// A right script of 2 CPUs with `w0` (1 instance) and `many` (3) on `q0`; wrong parts are put behind it, from line 11.
const BASE: &str = r#"cpus = 2
[[workqueue]]
name = "q0"
[[work]]
name = "w0"
workqueue = "q0"
[[work]]
name = "many"
workqueue = "q0"
instances = 3
"#;

/// All errors of a text, a line each.
fn errors(text: &str) -> String {
    match parse(text, Path::new("s.toml"), None) {
        Ok(script) => panic!("accepted: {:?}", script.program),
        Err(errors) => errors.to_string(),
    }
}

/// The errors of [`BASE`] with more behind it.
fn with_base(more: &str) -> String {
    errors(&format!("{BASE}{more}"))
}

/// The errors of a body of one work on `q0`, with the step in column 9.
fn of_step(step: &str) -> String {
    with_base(&format!(
        "[[work]]\nname = \"w1\"\nworkqueue = \"q0\"\nbody = [\"{step}\"]\n"
    ))
}

/// The errors of a producer's step, in line 13 and column 10.
fn of_producer_step(step: &str) -> String {
    with_base(&format!(
        "[[producer]]\nname = \"p0\"\nsteps = [\"{step}\"]\n"
    ))
}

/// The errors of lines added to a producer of `w0`, from line 14.
fn of_producer(lines: &str) -> String {
    with_base(&format!(
        "[[producer]]\nname = \"p0\"\nworks = [\"w0\"]\n{lines}\n"
    ))
}

/// The errors of the lines of an expectation, from line 12.
fn of_expect(lines: &str) -> String {
    with_base(&format!("[[expect]]\n{lines}\n"))
}

#[test]
fn the_base_is_right() {
    let script = parse(BASE, Path::new("folder/s.toml"), None).expect("is right");
    assert_eq!(script.program.name, "s", "the file's name by default");
    assert_eq!((script.program.cpus, script.program.seed), (2, 1));
}

#[test]
fn syntax() {
    assert_eq!(
        errors("name = \"a\ncpus = 1\n"),
        "s.toml:1:10: invalid basic string, expected `\"`"
    );
    assert_eq!(errors("a = 1\na = 2\n"), "s.toml:2:1: duplicate key");
}

#[test]
fn unknown_keys() {
    assert_eq!(
        errors("[[works]]\n"),
        "s.toml:1:3: unknown key `works` (keys: name, cpus, seed, engine, workqueue, work, producer, expect); did you mean `work`?"
    );
    assert_eq!(
        with_base("[[work]]\nname = \"w1\"\nworkqueue = \"q0\"\nbdy = []\n"),
        "s.toml:14:1: work[2]: unknown key `bdy` (keys: name, workqueue, body, instances); did you mean `body`?"
    );
    assert_eq!(
        errors("[engine]\nsensng = \"tick\"\n"),
        "s.toml:2:1: engine: unknown key `sensng` (keys: sensing, cpu_intensive_thresh); did you mean `sensing`?"
    );
}

#[test]
fn wrong_types_and_ranges() {
    assert_eq!(
        errors("cpus = \"two\"\nseed = -1\nname = 5\n"),
        "s.toml:1:8: cpus: expected a whole number from 1 to 4096, found a string\n\
         s.toml:2:8: seed: expected a whole number of at least 0, found `-1`\n\
         s.toml:3:8: name: expected the script's name, found an integer"
    );
    assert_eq!(
        errors("[workqueue]\nname = \"q0\"\n"),
        "s.toml:1:1: workqueue: expected tables with double brackets, [[workqueue]], found a table"
    );
    assert_eq!(
        errors("engine = 1\nwork = [1]\n"),
        "s.toml:1:10: engine: expected a table, [engine], found an integer\n\
         s.toml:2:9: work[0]: expected tables with double brackets, [[work]], found an integer"
    );
    assert_eq!(
        errors("[[workqueue]]\nname = \"q\"\nmax_active = 2049\n"),
        "s.toml:3:14: workqueue[0].max_active: expected a whole number from 0 to 2048, found `2049`"
    );
    assert_eq!(
        of_producer("count = 0\nfor = 5\non_cpu = 1"),
        "s.toml:14:9: producer[0].count: expected a whole number of at least 1, found `0`\n\
         s.toml:15:7: producer[0].for: expected a duration in quotes, such as \"5ms\", found an integer\n\
         s.toml:16:10: producer[0].on_cpu: expected true or false, found an integer"
    );
}

#[test]
fn names() {
    assert_eq!(
        errors("[[workqueue]]\nmax_active = 1\n"),
        "s.toml:1:1: workqueue[0]: `name` is missing: the workqueue's name, a string"
    );
    assert_eq!(
        errors("[[workqueue]]\nname = \"\"\n[[workqueue]]\nname = \"a b\"\n"),
        "s.toml:2:8: workqueue[0].name: a name cannot be empty\n\
         s.toml:4:8: workqueue[1].name: `a b`: a name has no spaces, control characters, `#` or backquotes"
    );
    assert_eq!(
        errors("[[workqueue]]\nname = \"a23456789012345678901234567890123\"\n"),
        "s.toml:2:8: workqueue[0].name: `a23456789012345678901234567890123` is too long: a name has at most 31 bytes"
    );
    assert_eq!(
        errors("[[workqueue]]\nname = \"events\"\n"),
        "s.toml:2:8: workqueue[0].name: `events` is a system workqueue: works can name it without declaring it"
    );
    assert_eq!(
        with_base("[[work]]\nname = \"w0\"\nworkqueue = \"q0\"\n"),
        "s.toml:12:8: work[2].name: work `w0` is already work[0]"
    );
    assert_eq!(
        errors("name = \"\\u001b[31m\"\n"),
        "s.toml:1:8: name: a name has at least one letter and no control characters"
    );
}

#[test]
fn unknown_workqueues_and_works() {
    assert_eq!(
        with_base("[[work]]\nname = \"w1\"\nworkqueue = \"q1\"\n"),
        "s.toml:13:13: work[2].workqueue: unknown workqueue `q1` (workqueues: q0; system workqueues: events, events_highpri, events_long, events_unbound, events_dfl_long); did you mean `q0`?"
    );
    assert_eq!(
        with_base("[[work]]\nname = \"w1\"\nworkqueue = \"events_bh\"\n"),
        "s.toml:13:13: work[2].workqueue: not supported yet: events_bh"
    );
    assert_eq!(
        with_base("[[producer]]\nname = \"p\"\nworks = [\"w0\", \"mny\", \"many#1\"]\n"),
        "s.toml:13:16: producer[0].works[1]: unknown work `mny` (works: w0, many); did you mean `many`?\n\
         s.toml:13:23: producer[0].works[2]: a producer takes a work's instances in turn: name the work without `#`, or queue one instance with `steps`"
    );
    assert_eq!(
        errors("[[producer]]\nname = \"p\"\nworks = [\"w0\"]\n"),
        "s.toml:3:10: producer[0].works[0]: unknown work `w0` (no works are declared)"
    );
    assert_eq!(
        of_step("queue many#3"),
        "s.toml:14:16: work[2].body[0]: no instance `3` of `many`: there are `many#0` to `many#2`"
    );
}

#[test]
fn flags() {
    let flags = |flags: &str| errors(&format!("[[workqueue]]\nname = \"q\"\nflags = [{flags}]\n"));
    assert_eq!(
        flags("\"perpcu\""),
        "s.toml:3:10: workqueue[0].flags[0]: unknown flag `perpcu` (flags: percpu, unbound, highpri, cpu_intensive, ordered); did you mean `percpu`?"
    );
    assert_eq!(
        flags("\"percpu\", \"unbound\""),
        "s.toml:3:20: workqueue[0].flags[1]: `unbound` does not go with the flags before it: a workqueue is one or the other"
    );
    assert_eq!(
        flags("\"percpu\", \"ordered\""),
        "s.toml:3:20: workqueue[0].flags[1]: `ordered` does not go with the flags before it: an ordered workqueue is unbound"
    );
    assert_eq!(
        errors("[[workqueue]]\nname = \"q\"\nflags = [\"ordered\"]\nmax_active = 2\n"),
        "s.toml:4:14: workqueue[0].max_active: an ordered workqueue runs one item at a time; leave max_active out"
    );
}

#[test]
fn steps() {
    assert_eq!(
        of_step("brun 5ms"),
        "s.toml:14:10: work[2].body[0]: unknown step `brun` (steps: burn, sleep, blocking, lock, yield, requeue, requeue_delayed, panic, queue, queue_on, queue_delayed, flush, flush_wq, cancel, cancel_sync); did you mean `burn`?"
    );
    assert_eq!(
        of_step("burn"),
        "s.toml:14:10: work[2].body[0]: `burn` takes 1 argument, not 0: write `burn DURATION`"
    );
    assert_eq!(
        of_step("lock a"),
        "s.toml:14:10: work[2].body[0]: `lock` takes 2 arguments, not 1: write `lock NAME DURATION`"
    );
    assert_eq!(
        of_step("yield 5ms"),
        "s.toml:14:10: work[2].body[0]: `yield` takes 0 arguments, not 1: write `yield`"
    );
    assert_eq!(
        of_step("  sleep 5sec"),
        "s.toml:14:18: work[2].body[0]: unknown unit `sec`: a duration is a number with ns, us, ms, s or m, such as `5ms`"
    );
    assert_eq!(
        of_step(" "),
        "s.toml:14:9: work[2].body[0]: an empty step; leave it out"
    );
    assert_eq!(
        of_step("queue_on 2 w0"),
        "s.toml:14:19: work[2].body[0]: CPU 2 is out of range: 2 CPUs in use, so 0 to 1"
    );
    assert_eq!(
        of_step("queue_on x w9"),
        "s.toml:14:19: work[2].body[0]: expected a CPU number, found `x`\n\
         s.toml:14:21: work[2].body[0]: unknown work `w9` (works: w0, many, w1); did you mean `w0`?"
    );
    assert_eq!(
        of_step("\\u0062run 5ms"),
        of_step("brun 5ms").replace(":14:10:", ":14:9:"),
        "a string with escapes is pointed at as a whole"
    );
}

#[test]
fn steps_in_the_wrong_place() {
    assert_eq!(
        of_step("wait 5ms"),
        "s.toml:14:10: work[2].body[0]: `wait` stands only in a producer's `steps`, not in a body"
    );
    for step in [
        "requeue",
        "requeue_delayed 1ms",
        "burn 1ms",
        "sleep 1ms",
        "blocking 1ms",
        "lock a 1ms",
        "yield",
        "panic",
    ] {
        let word = step.split(' ').next().expect("a word");
        assert_eq!(
            of_producer_step(step),
            format!(
                "s.toml:13:11: producer[0].steps[0]: `{word}` stands only in a work's `body`, not in a producer's `steps`"
            )
        );
    }
}

#[test]
fn producers() {
    assert_eq!(
        of_producer("every = \"1ms\"\nrate = \"5/s\""),
        "s.toml:15:8: producer[0].rate: both `every` and `rate` say the pace; keep one of every, rate, poisson"
    );
    assert_eq!(
        of_producer("every = \"0ms\""),
        "s.toml:14:9: producer[0].every: a period is longer than 0; leave `every` out for back to back"
    );
    assert_eq!(
        of_producer("rate = \"fast\""),
        "s.toml:14:8: producer[0].rate: a rate is calls a second, such as `1000/s`"
    );
    assert_eq!(
        of_producer("cpu = 2"),
        "s.toml:14:7: producer[0].cpu: CPU 2 is out of range: 2 CPUs in use, so 0 to 1"
    );
    assert_eq!(
        of_producer("on_cpu = true\nsteps = [\"queue w0\"]"),
        "s.toml:11:1: producer[0]: a producer has `works` or `steps`, not both\n\
         s.toml:14:10: producer[0].on_cpu: `on_cpu` needs `cpu`, the CPU to queue on\n\
         s.toml:14:10: producer[0].on_cpu: `on_cpu` goes with `works`; in `steps` write `queue_on CPU WORK`"
    );
    assert_eq!(
        with_base("[[producer]]\nname = \"p\"\n"),
        "s.toml:11:1: producer[0]: a producer needs `works` or `steps`: what it does at each call"
    );
    assert_eq!(
        with_base("[[producer]]\nname = \"p\"\nsteps = []\n"),
        "s.toml:11:1: producer[0]: `steps` is empty: write at least one step"
    );
}

#[test]
fn expectations() {
    assert_eq!(
        of_expect("finish = \"1ms\""),
        "s.toml:11:1: expect[0]: an expectation needs `work`, `workqueue` or `pool`: what it is about"
    );
    assert_eq!(
        of_expect("work = \"w0\"\npool = 2\nexecutions = 1"),
        "s.toml:11:1: expect[0]: an expectation is about one `work`, `workqueue` or `pool`"
    );
    assert_eq!(
        of_expect("work = \"w0\""),
        "s.toml:11:1: expect[0]: nothing is expected: add one of finish, started, executions, completed, refused, max_running, p50_wait, p90_wait, p99_wait, max_wait"
    );
    assert_eq!(
        of_expect("pool = 2\nfinish = \"1ms\""),
        "s.toml:13:10: expect[0].finish: of a pool only `max_running` can be expected"
    );
    assert_eq!(
        of_expect("work = \"w0\"\nfinish = 20\nexecutions = \"<= few\""),
        "s.toml:13:10: expect[0].finish: a time is expected, in quotes and with its unit, such as \"20ms\"\n\
         s.toml:14:14: expect[0].executions: a count is expected, such as 3, \"<= 3\" or \">= 3\"; found `few`"
    );
    assert_eq!(
        of_expect("work = \"w0\"\nfinish = \"<= 1\""),
        "s.toml:13:10: expect[0].finish: the unit is missing: a duration is a number with ns, us, ms, s or m, such as `5ms`"
    );
    assert_eq!(
        of_expect("work = \"w0\"\nexecutions = 1\nfinish = \"<= 1ms\"\ntolerance = \"1ms\""),
        "s.toml:15:13: expect[0].tolerance: no exact time is expected here that could differ by this"
    );
    assert_eq!(
        of_expect("workqueue = \"q\"\nexecutions = 1"),
        "s.toml:12:13: expect[0].workqueue: unknown workqueue `q` (workqueues: q0; system workqueues: events, events_highpri, events_long, events_unbound, events_dfl_long); did you mean `q0`?"
    );
}

#[test]
fn what_comes_later_says_so() {
    assert_eq!(
        errors("topology = \"1n1l1c1t\"\n"),
        "s.toml:1:1: not supported yet: topology"
    );
    for key in [
        "idle_timeout",
        "watchdog_thresh",
        "power_efficient",
        "default_affinity_scope",
    ] {
        assert_eq!(
            errors(&format!("[engine]\n{key} = 1\n")),
            format!("s.toml:2:1: engine: not supported yet: {key}")
        );
    }
    assert_eq!(
        errors("[engine]\nsensing = \"canary\"\n"),
        "s.toml:2:11: engine.sensing: not supported yet: canary"
    );
    for flag in ["freezable", "mem_reclaim", "bh", "power_efficient", "sysfs"] {
        assert_eq!(
            errors(&format!(
                "[[workqueue]]\nname = \"q\"\nflags = [\"{flag}\"]\n"
            )),
            format!("s.toml:3:10: workqueue[0].flags[0]: not supported yet: {flag}")
        );
    }
    assert_eq!(
        errors("[[workqueue]]\nname = \"q\"\naffinity = { scope = \"cache\" }\n"),
        "s.toml:3:1: workqueue[0]: not supported yet: affinity"
    );
    for step in [
        "mod_delayed w0 1ms",
        "queue_rcu w0",
        "disable w0",
        "enable w0",
    ] {
        let word = step.split(' ').next().expect("a word");
        let message = format!("work[2].body[0]: not supported yet: {word}");
        assert_eq!(of_step(step), format!("s.toml:14:10: {message}"));
    }
    for step in [
        "freeze",
        "thaw",
        "drain q0",
        "set_max_active q0 1",
        "fail_create on",
        "cpu_down 1",
        "cpu_up 1",
    ] {
        let word = step.split(' ').next().expect("a word");
        let message = format!("producer[0].steps[0]: not supported yet: {word}");
        assert_eq!(of_producer_step(step), format!("s.toml:13:11: {message}"));
    }
    assert_eq!(
        of_expect("work = \"w0\"\nexecutions = 1\nwarning = \"stall\""),
        "s.toml:14:1: expect[0]: not supported yet: warning"
    );
}

#[test]
fn cpus_of_the_command_line_count() {
    let text = format!("{BASE}[[producer]]\nname = \"p\"\nworks = [\"w0\"]\ncpu = 3\n");
    let four = parse(&text, Path::new("s.toml"), Some(4)).expect("3 is below 4");
    assert_eq!(four.program.cpus, 4);
    let one = parse(&text, Path::new("s.toml"), Some(1)).expect_err("3 is not below 1");
    assert_eq!(
        one.to_string(),
        "s.toml:14:7: producer[0].cpu: CPU 3 is out of range: 1 CPU in use, so 0 to 0"
    );
}

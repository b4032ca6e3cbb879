//! What a wrong script is told: every message with its line and column, word for word.

use std::path::Path;
use wq_replay::{Machine, parse};

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
        "s.toml:1:3: unknown key `works` (keys: name, cpus, seed, topology, engine, workqueue, work, producer, expect); did you mean `work`?"
    );
    assert_eq!(
        with_base("[[work]]\nname = \"w1\"\nworkqueue = \"q0\"\nbdy = []\n"),
        "s.toml:14:1: work[2]: unknown key `bdy` (keys: name, workqueue, body, instances); did you mean `body`?"
    );
    assert_eq!(
        errors("[engine]\nsensng = \"tick\"\n"),
        "s.toml:2:1: engine: unknown key `sensng` (keys: sensing, cpu_intensive_thresh, idle_timeout, watchdog_thresh, power_efficient, default_affinity_scope); did you mean `sensing`?"
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
        "s.toml:13:13: work[2].workqueue: unknown workqueue `q1` (workqueues: q0; system workqueues: events, events_highpri, events_long, events_unbound, events_dfl_long, events_freezable, events_power_efficient, events_freezable_pwr_efficient, events_bh, events_bh_highpri); did you mean `q0`?"
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
        "s.toml:3:10: workqueue[0].flags[0]: unknown flag `perpcu` (flags: percpu, unbound, highpri, freezable, mem_reclaim, cpu_intensive, bh, power_efficient, sysfs, ordered); did you mean `percpu`?"
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
        "s.toml:14:10: work[2].body[0]: unknown step `brun` (steps: burn, sleep, blocking, lock, yield, requeue, requeue_delayed, panic, queue, queue_on, queue_delayed, mod_delayed, queue_rcu, flush, flush_wq, cancel, cancel_sync, disable, enable); did you mean `burn`?"
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
        "s.toml:14:18: work[2].body[0]: unknown unit `sec`: a duration is a number with ns, us, ms, s, m or h, such as `5ms`"
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
    for step in [
        "wait 5ms",
        "freeze",
        "thaw",
        "drain q0",
        "set_max_active q0 1",
        "fail_create on",
        "cpu_down 1",
        "cpu_up 1",
    ] {
        let word = step.split(' ').next().expect("a word");
        assert_eq!(
            of_step(step),
            format!(
                "s.toml:14:10: work[2].body[0]: `{word}` stands only in a producer's `steps`, not in a body"
            )
        );
    }
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
        "s.toml:11:1: expect[0]: nothing is expected: add one of finish, started, executions, completed, refused, max_running, p50_wait, p90_wait, p99_wait, max_wait, warning"
    );
    assert_eq!(
        of_expect("pool = 2\nfinish = \"1ms\""),
        "s.toml:13:10: expect[0].finish: of a pool only `max_running` and `warning` can be expected"
    );
    assert_eq!(
        of_expect("work = \"w0\"\nfinish = 20\nexecutions = \"<= few\""),
        "s.toml:13:10: expect[0].finish: a time is expected, in quotes and with its unit, such as \"20ms\"\n\
         s.toml:14:14: expect[0].executions: a count is expected, such as 3, \"<= 3\" or \">= 3\"; found `few`"
    );
    assert_eq!(
        of_expect("work = \"w0\"\nfinish = \"<= 1\""),
        "s.toml:13:10: expect[0].finish: the unit is missing: a duration is a number with ns, us, ms, s, m or h, such as `5ms`"
    );
    assert_eq!(
        of_expect("work = \"w0\"\nexecutions = 1\nfinish = \"<= 1ms\"\ntolerance = \"1ms\""),
        "s.toml:15:13: expect[0].tolerance: no exact time is expected here that could differ by this"
    );
    assert_eq!(
        of_expect("workqueue = \"q\"\nexecutions = 1"),
        "s.toml:12:13: expect[0].workqueue: unknown workqueue `q` (workqueues: q0; system workqueues: events, events_highpri, events_long, events_unbound, events_dfl_long, events_freezable, events_power_efficient, events_freezable_pwr_efficient, events_bh, events_bh_highpri); did you mean `q0`?"
    );
}

#[test]
fn flags_of_bh() {
    let queue = |lines: &str| errors(&format!("[[workqueue]]\nname = \"q\"\n{lines}\n"));
    let why =
        "does not go with the flags before it: a bh workqueue may only be `highpri` and `percpu`";
    for flag in [
        "unbound",
        "freezable",
        "mem_reclaim",
        "cpu_intensive",
        "power_efficient",
        "sysfs",
        "ordered",
    ] {
        assert_eq!(
            queue(&format!("flags = [\"bh\", \"{flag}\"]")),
            format!("s.toml:3:16: workqueue[0].flags[1]: `{flag}` {why}")
        );
    }
    assert_eq!(
        queue("flags = [\"sysfs\", \"bh\", \"unbound\"]"),
        format!("s.toml:3:19: workqueue[0].flags[1]: `bh` {why}"),
        "told once"
    );
    assert_eq!(
        queue("flags = [\"bh\"]\nmax_active = 1"),
        "s.toml:4:14: workqueue[0].max_active: a bh workqueue has no limit; leave max_active out"
    );
}

#[test]
fn affinity() {
    let queue = |lines: &str| errors(&format!("[[workqueue]]\nname = \"q\"\n{lines}\n"));
    assert_eq!(
        queue("affinity = { scope = \"cache\" }"),
        "s.toml:3:12: workqueue[0].affinity: affinity is for unbound workqueues; add the flag `unbound`"
    );
    assert_eq!(
        queue("flags = [\"power_efficient\"]\naffinity = { scope = \"cache\" }"),
        "s.toml:4:12: workqueue[0].affinity: affinity is for unbound workqueues; add the flag `unbound`"
    );
    assert_eq!(
        queue("flags = [\"ordered\"]\naffinity = { scope = \"cache\" }"),
        "s.toml:4:12: workqueue[0].affinity: an ordered workqueue has one pool for all CPUs; leave affinity out"
    );
    let unbound = |affinity: &str| queue(&format!("flags = [\"unbound\"]\naffinity = {affinity}"));
    assert_eq!(
        unbound("{ scope = \"cahce\" }"),
        "s.toml:4:22: workqueue[0].affinity.scope: unknown affinity scope `cahce` (scopes: default, cpu, smt, cache, cache_shard, numa, system); did you mean `cache`?"
    );
    assert_eq!(
        unbound("{ strict = true }"),
        "s.toml:4:12: workqueue[0].affinity: `scope` is missing: which CPUs share workers, such as \"cache\""
    );
    assert_eq!(
        unbound("{ scope = \"cpu\", strict = 1 }"),
        "s.toml:4:38: workqueue[0].affinity.strict: expected true or false, found an integer"
    );
    assert_eq!(
        unbound("{ scope = \"cpu\", strikt = true }"),
        "s.toml:4:29: workqueue[0].affinity: unknown key `strikt` (keys: scope, strict); did you mean `strict`?"
    );
    assert_eq!(
        unbound("\"cpu\""),
        "s.toml:4:12: workqueue[0].affinity: expected a table, such as { scope = \"cache\" }, found a string"
    );
}

#[test]
fn the_engine() {
    let of_engine = |line: &str| errors(&format!("[engine]\n{line}\n"));
    assert_eq!(
        of_engine("default_affinity_scope = \"default\""),
        "s.toml:2:26: engine.default_affinity_scope: unknown affinity scope `default` (scopes: cpu, smt, cache, cache_shard, numa, system)"
    );
    assert_eq!(
        of_engine("power_efficient = \"yes\""),
        "s.toml:2:19: engine.power_efficient: expected true or false, found a string"
    );
    for key in ["idle_timeout", "watchdog_thresh", "cpu_intensive_thresh"] {
        let place = format!("s.toml:2:{}: engine.{key}", key.len() + 4);
        assert_eq!(
            of_engine(&format!("{key} = 1")),
            format!("{place}: expected a duration in quotes, such as \"5ms\", found an integer")
        );
    }
}

#[test]
fn topologies() {
    let look = "is not a topology such as 2n1l4c2t (nodes, caches per node, cores per cache, threads per core)";
    for (wrong, why) in [
        ("", "it is empty"),
        ("2", "a letter is missing after 2"),
        ("1n1l1c0t", "t needs a number from 1 to 8192 in front"),
        ("1l1n", "n stands twice or too late"),
        ("+1n", "'+' is none of n, l, c and t"),
    ] {
        assert_eq!(
            errors(&format!("topology = \"{wrong}\"\n")),
            format!("s.toml:1:12: topology: \"{wrong}\" {look}: {why}")
        );
    }
    assert_eq!(
        errors("topology = \"5000n1l1c1t\"\n"),
        "s.toml:1:12: topology: 5000 CPUs are more than 4096"
    );
    assert_eq!(
        errors(&format!("topology = \"{}n\"\n", "9".repeat(50))),
        format!(
            "s.toml:1:12: topology: `{}n` is no topology: it is too long",
            "9".repeat(50)
        )
    );
    assert_eq!(
        errors("cpus = 3\ntopology = \"1n2l1c1t\"\n"),
        "s.toml:2:12: topology: the topology has 2 CPUs, but `cpus` asks for 3; leave one of them out"
    );
    assert_eq!(
        errors("topology = 4\n"),
        "s.toml:1:12: topology: expected a topology, such as \"1n2l4c2t\", found an integer"
    );
}

#[test]
fn steps_of_producers() {
    let wrong = |step: &str| of_producer_step(step).replace("producer[0].steps[0]: ", "");
    assert_eq!(
        wrong("set_max_active q0 0"),
        "s.toml:13:29: expected a whole number from 1 to 2048, found `0`"
    );
    assert_eq!(
        wrong("set_max_active q0 many"),
        "s.toml:13:29: expected a whole number from 1 to 2048, found `many`"
    );
    assert_eq!(
        wrong("set_max_active q0"),
        "s.toml:13:11: `set_max_active` takes 2 arguments, not 1: write `set_max_active WORKQUEUE NUMBER`"
    );
    assert_eq!(
        wrong("set_max_active events_bh 1"),
        "s.toml:13:26: `events_bh` is bh: its max_active cannot change"
    );
    assert_eq!(
        wrong("fail_create yes"),
        "s.toml:13:23: expected `on` or `off`, found `yes`"
    );
    assert_eq!(
        wrong("fail_create"),
        "s.toml:13:11: `fail_create` takes 1 argument, not 0: write `fail_create on|off`"
    );
    assert_eq!(
        wrong("cpu_up 2"),
        "s.toml:13:18: CPU 2 is out of range: 2 CPUs in use, so 0 to 1"
    );
    assert_eq!(
        wrong("cpu_down one"),
        "s.toml:13:20: expected a CPU number, found `one`"
    );
    assert_eq!(
        errors("cpus = 1\n[[producer]]\nname = \"p\"\nsteps = [\"cpu_down 0\"]\n"),
        "s.toml:4:20: producer[0].steps[0]: the only CPU cannot leave"
    );
    let kind = |kind: &str| {
        errors(&format!(
            "[[workqueue]]\nname = \"q\"\nflags = [\"{kind}\"]\n[[producer]]\nname = \"p\"\nsteps = [\"set_max_active q 2\"]\n"
        ))
    };
    for word in ["ordered", "bh"] {
        assert_eq!(
            kind(word),
            format!(
                "s.toml:6:26: producer[0].steps[0]: `q` is {word}: its max_active cannot change"
            )
        );
    }
}

#[test]
fn what_waits_for_rcu_is_queued_by_queue_rcu_only() {
    let why = "does not go with `queue_rcu` (producer[0].steps[0]) for one work; with it go only `queue_rcu`, `flush` and `flush_wq`";
    let beside = |step: &str| {
        with_base(&format!(
            "[[producer]]\nname = \"p0\"\nsteps = [\"queue_rcu many#1\", \"flush many\", \"{step}\"]\n"
        ))
    };
    for step in [
        "queue many",
        "queue_on 1 many#2",
        "queue_delayed many 1ms",
        "mod_delayed many 1ms",
        "cancel many",
        "cancel_sync many",
        "disable many",
        "enable many#0",
    ] {
        let word = step.split(' ').next().expect("a word");
        assert_eq!(
            beside(step),
            format!("s.toml:13:45: producer[0].steps[2]: `{word}` {why}")
        );
    }
    assert_eq!(
        with_base(
            "[[producer]]\nname = \"p0\"\nsteps = [\"queue_rcu w0\"]\n[[producer]]\nname = \"p1\"\nworks = [\"many\", \"w0\"]\n"
        ),
        format!("s.toml:16:18: producer[1].works[1]: `w0` {why}")
    );
    assert_eq!(
        with_base(
            "[[work]]\nname = \"w1\"\nworkqueue = \"q0\"\nbody = [\"requeue\", \"requeue_delayed 1ms\"]\n[[producer]]\nname = \"p0\"\nsteps = [\"queue_rcu w1\"]\n"
        ),
        format!(
            "s.toml:14:10: work[2].body[0]: `requeue` {why}\ns.toml:14:21: work[2].body[1]: `requeue_delayed` {why}"
        )
    );
}

#[test]
fn sensing_is_one_of_those_that_there_are() {
    assert_eq!(
        errors("[engine]\nsensing = \"canery\"\n"),
        "s.toml:2:11: engine.sensing: unknown sensing `canery` (there are auto, canary, tick, hints); did you mean `canary`?"
    );
    let text = |word: &str| format!("{BASE}[engine]\nsensing = \"{word}\"\n");
    for sensing in wq_engine::Sensing::ALL {
        let script = parse(&text(sensing.word()), Path::new("s.toml"), None).expect("a word");
        let kept = script.program.engine.sensing;
        assert_eq!(kept.as_deref(), Some(sensing.word()));
    }
}

#[test]
fn warnings_are_expected_by_their_names() {
    let said = of_expect("work = \"w0\"\nwarning = \"selfrequeue\"");
    assert!(
        said.starts_with("s.toml:13:11: expect[0].warning: unknown warning `selfrequeue` (warnings: self-requeue, ")
            && said.ends_with("; did you mean `self-requeue`?"),
        "{said}"
    );
    let said = of_expect("work = \"w0\"\nwarning = 3");
    assert!(said.contains("unknown warning `3`"), "{said}");
}

#[test]
fn cpus_of_the_command_line_count() {
    let text = format!("{BASE}[[producer]]\nname = \"p\"\nworks = [\"w0\"]\ncpu = 3\n");
    let four = parse(&text, Path::new("s.toml"), Some(&Machine::Cpus(4))).expect("3 is below 4");
    assert_eq!(four.program.cpus, 4);
    let one =
        parse(&text, Path::new("s.toml"), Some(&Machine::Cpus(1))).expect_err("3 is not below 1");
    assert_eq!(
        one.to_string(),
        "s.toml:14:7: producer[0].cpu: CPU 3 is out of range: 1 CPU in use, so 0 to 0"
    );
}

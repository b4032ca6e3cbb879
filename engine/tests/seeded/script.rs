//! A program as the text of a workload script, to be simulated again by `wq-replay simulate`.

use std::fmt::Write;
use std::time::Duration;
use wq_engine::WqFlags;
use wq_engine::sim::{
    Draw, EngineSpec, ItemRef, Pace, ProducerAction, ProducerSpec, Program, Step, WorkSpec,
    WorkqueueSpec, WqRef,
};

/// The script that says the same as `program`.
pub fn text(program: &Program) -> String {
    let mut text = String::new();
    let Program {
        name, cpus, seed, ..
    } = program;
    line(&mut text, format_args!("name = {name:?}"));
    line(&mut text, format_args!("cpus = {cpus}"));
    line(&mut text, format_args!("seed = {seed}"));
    if let Some(topology) = &program.topology {
        line(&mut text, format_args!("topology = {topology:?}"));
    }
    engine(&mut text, &program.engine);
    for wq in &program.workqueues {
        workqueue(&mut text, wq);
    }
    for spec in &program.works {
        work(&mut text, program, spec);
    }
    for spec in &program.producers {
        producer(&mut text, program, spec);
    }
    text
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    writeln!(text, "{words}").expect("a string takes all text");
}

fn engine(text: &mut String, engine: &EngineSpec) {
    line(text, format_args!("[engine]"));
    let times = [
        ("cpu_intensive_thresh", engine.cpu_intensive_thresh),
        ("idle_timeout", engine.idle_timeout),
        ("watchdog_thresh", engine.watchdog_thresh),
    ];
    for (key, value) in times {
        if let Some(value) = value {
            line(text, format_args!("{key} = {:?}", time(value)));
        }
    }
    if let Some(value) = engine.power_efficient {
        line(text, format_args!("power_efficient = {value}"));
    }
    if let Some(value) = &engine.default_affinity_scope {
        line(text, format_args!("default_affinity_scope = {value:?}"));
    }
}

fn workqueue(text: &mut String, wq: &WorkqueueSpec) {
    line(text, format_args!("[[workqueue]]\nname = {:?}", wq.name));
    let mut flags = wq.flags;
    if flags.contains(WqFlags::ORDERED) {
        flags.remove(WqFlags::UNBOUND);
    }
    let words = flags
        .iter_names()
        .map(|(name, _)| format!("{:?}", name.to_lowercase()));
    let words: Vec<_> = words.collect();
    line(text, format_args!("flags = [{}]", words.join(", ")));
    if wq.max_active > 0 {
        line(text, format_args!("max_active = {}", wq.max_active));
    }
    if let Some(affinity) = &wq.affinity {
        let (scope, strict) = (&affinity.scope, affinity.strict);
        line(
            text,
            format_args!("affinity = {{ scope = {scope:?}, strict = {strict} }}"),
        );
    }
}

fn work(text: &mut String, program: &Program, work: &WorkSpec) {
    line(text, format_args!("[[work]]\nname = {:?}", work.name));
    let wq = wq_name(program, &work.workqueue);
    line(text, format_args!("workqueue = {wq:?}"));
    line(text, format_args!("body = {}", steps(program, &work.body)));
    line(text, format_args!("instances = {}", work.instances));
}

fn producer(text: &mut String, program: &Program, producer: &ProducerSpec) {
    line(
        text,
        format_args!("[[producer]]\nname = {:?}", producer.name),
    );
    match &producer.action {
        ProducerAction::Works(works) => {
            let names = works
                .iter()
                .map(|&w| format!("{:?}", program.works[w].name));
            let names: Vec<_> = names.collect();
            line(text, format_args!("works = [{}]", names.join(", ")));
        }
        ProducerAction::Steps(all) => {
            line(text, format_args!("steps = {}", steps(program, all)));
        }
    }
    if let Some(cpu) = producer.cpu {
        line(text, format_args!("cpu = {cpu}"));
    }
    if producer.on_cpu {
        line(text, format_args!("on_cpu = true"));
    }
    line(text, format_args!("at = {:?}", draw(producer.at)));
    match producer.pace {
        Pace::BackToBack => {}
        Pace::Every(every) => line(text, format_args!("every = {:?}", draw(every))),
        Pace::Poisson(rate) => line(text, format_args!("poisson = \"{rate}/s\"")),
    }
    if let Some(count) = producer.count {
        line(text, format_args!("count = {count}"));
    }
}

fn time(time: Duration) -> String {
    format!("{}ns", time.as_nanos())
}

fn draw(draw: Draw) -> String {
    match draw {
        Draw::Fixed(fixed) => time(fixed),
        Draw::Exp(mean) => format!("exp({})", time(mean)),
        Draw::Uniform(low, high) => format!("uniform({}, {})", time(low), time(high)),
        Draw::LogNormal(median, sigma) => format!("lognormal({}, {sigma})", time(median)),
    }
}

fn wq_name<'a>(program: &'a Program, wq: &'a WqRef) -> &'a str {
    match wq {
        WqRef::Own(index) => &program.workqueues[*index].name,
        WqRef::System(name) => name,
    }
}

fn item(program: &Program, item: ItemRef) -> String {
    let name = &program.works[item.work].name;
    match item.instance {
        Some(instance) => format!("{name}#{instance}"),
        None => name.clone(),
    }
}

fn steps(program: &Program, steps: &[Step]) -> String {
    let steps = steps
        .iter()
        .map(|one| format!("\n    {:?},", step(program, one)));
    format!("[{}]", steps.collect::<String>())
}

fn step(program: &Program, step: &Step) -> String {
    let of = |word: &str, it: ItemRef| format!("{word} {}", item(program, it));
    let wq = |word: &str, wq: &WqRef| format!("{word} {}", wq_name(program, wq));
    match step {
        Step::Burn(time) => format!("burn {}", draw(*time)),
        Step::Sleep(time) => format!("sleep {}", draw(*time)),
        Step::Blocking(time) => format!("blocking {}", draw(*time)),
        Step::Lock(lock, time) => format!("lock {} {}", program.locks[*lock], draw(*time)),
        Step::Yield => "yield".to_owned(),
        Step::Requeue => "requeue".to_owned(),
        Step::RequeueDelayed(time) => format!("requeue_delayed {}", draw(*time)),
        Step::Queue(it) => of("queue", *it),
        Step::QueueOn(cpu, it) => format!("queue_on {cpu} {}", item(program, *it)),
        Step::QueueDelayed(it, time) => of("queue_delayed", *it) + " " + &draw(*time),
        Step::ModDelayed(it, time) => of("mod_delayed", *it) + " " + &draw(*time),
        Step::QueueRcu(it) => of("queue_rcu", *it),
        Step::Flush(it) => of("flush", *it),
        Step::FlushWq(name) => wq("flush_wq", name),
        Step::Cancel(it) => of("cancel", *it),
        Step::CancelSync(it) => of("cancel_sync", *it),
        Step::Disable(it) => of("disable", *it),
        Step::Enable(it) => of("enable", *it),
        Step::Wait(time) => format!("wait {}", draw(*time)),
        Step::Freeze => "freeze".to_owned(),
        Step::Thaw => "thaw".to_owned(),
        Step::Drain(name) => wq("drain", name),
        Step::SetMaxActive(name, limit) => wq("set_max_active", name) + &format!(" {limit}"),
        Step::FailCreate(fails) => format!("fail_create {}", if *fails { "on" } else { "off" }),
        Step::CpuDown(cpu) => format!("cpu_down {cpu}"),
        Step::CpuUp(cpu) => format!("cpu_up {cpu}"),
        Step::Panic => "panic".to_owned(),
    }
}

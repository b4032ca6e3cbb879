//! Making workqueues.

use super::{EngineInner, EngineState, Pool, lock};
use crate::attrs::{HIGHPRI_NICE, MAX_ACTIVE, NAME_LEN, WqFlags, bh_problem};
use crate::error::Error;
use crate::pool::Limit;
use crate::queue::{Control, Links, PwqRef, Workqueue, WqInner, WqSpec};
use crate::topology::WorkqueueAttrs;
use crate::wq::{FlushState, Limits, NodeCounts};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, RwLock};
use wq_trace::Wake;

/// Kernel: `__alloc_workqueue()`.
pub(super) fn alloc(
    engine: &Arc<EngineInner>,
    name: &str,
    flags: WqFlags,
    max_active: usize,
) -> Result<Workqueue, Error> {
    if engine.state() != EngineState::Running || engine.segment.forked() {
        return Err(Error::ShutDown {
            name: engine.name.clone(),
        });
    }
    let (spec, max_active) = checked(engine, name, flags, max_active)?;
    let config = engine.configure();
    if spec.flags.contains(WqFlags::SYSFS) && engine.has_sysfs(&spec.name) {
        return Err(problem(
            name,
            "there is a SYSFS workqueue of this name already",
        ));
    }
    let inner = Arc::new(make(engine, spec, max_active, config.frozen)?);
    if let Some(nodes) = &inner.nodes {
        nodes.show_in(&inner.slot);
        let attrs = lock(&inner.control).attrs.clone();
        inner.relink(&attrs)?;
    } else {
        let control = lock(&inner.control);
        inner.adjust(&control, Wake::Fill);
    }
    engine.add_workqueue(&inner);
    drop(config);
    // The end stops the rescuers of those workqueues that it sees.
    if engine.state() == EngineState::Stopped {
        inner.stop_rescuer();
    }
    engine.say_shortage();
    Ok(Workqueue::new(inner))
}

/// A workqueue whose pwqs have no slots yet; an unbound one has none at all.
fn make(
    engine: &Arc<EngineInner>,
    spec: WqSpec,
    max_active: usize,
    frozen: bool,
) -> Result<WqInner, Error> {
    let flags = spec.flags;
    let slot = engine
        .segment
        .workqueue(&spec.name, flags.bits(), max_active as u32);
    let rescues = flags.contains(WqFlags::MEM_RECLAIM);
    let rescuer = rescues.then(|| engine.start_rescuer(&spec.name, &slot));
    let rescuer = rescuer.transpose()?;
    let mut limits = Limits::new(max_active);
    limits.set_frozen(frozen && flags.contains(WqFlags::FREEZABLE));
    let unbound = flags.contains(WqFlags::UNBOUND);
    let highpri = flags.contains(WqFlags::HIGHPRI);
    let nodes = engine.affinity.topology().nodes().into_iter();
    let mut inner = WqInner {
        engine: engine.clone(),
        spec,
        slot,
        rescuer,
        links: Links::Unbound(RwLock::new(Arc::default())),
        nodes: unbound.then(|| NodeCounts::new(nodes.map(|(number, _)| number))),
        control: Mutex::new(Control {
            flush: FlushState::default(),
            limits,
            attrs: WorkqueueAttrs {
                nice: if highpri { HIGHPRI_NICE } else { 0 },
                ..WorkqueueAttrs::default()
            },
            pwqs: Vec::new(),
            dfl: None,
        }),
        gate: AtomicU32::default(),
    };
    if !unbound {
        let link = |pools: &[Arc<Pool>; 2]| {
            let limit = Limit {
                max_active: 0,
                frozen: false,
                node: None,
                plugged: false,
            };
            pools[usize::from(highpri)].link(engine, inner.pwq_spec(limit))
        };
        let local = match flags.contains(WqFlags::BH) {
            true => &engine.bh,
            false => &engine.percpu,
        };
        let by_cpu: Vec<PwqRef> = local.iter().map(link).collect();
        lock(&inner.control).pwqs.clone_from(&by_cpu);
        inner.links = Links::Bound(by_cpu);
    }
    Ok(inner)
}

fn problem(name: &str, problem: impl Into<String>) -> Error {
    Error::Flags {
        name: name.to_owned(),
        problem: problem.into(),
    }
}

/// What the workqueue will be like, and its limit.
fn checked(
    engine: &EngineInner,
    name: &str,
    flags: WqFlags,
    max_active: usize,
) -> Result<(WqSpec, usize), Error> {
    if let Some(text) = bh_problem(flags, max_active) {
        return Err(problem(name, text));
    }
    if flags.contains(WqFlags::UNBOUND | WqFlags::PERCPU) {
        warn_once!("workqueue {name} asks for UNBOUND and PERCPU; it is made UNBOUND");
    }
    if max_active != 0 {
        in_range(max_active, name);
    }
    let (name, max_active) = (cut(name), flags.limit(max_active));
    let flags = flags.in_force(engine.power_efficient);
    Ok((WqSpec { name, flags }, max_active))
}

/// A limit that can be had. Kernel: `wq_clamp_max_active()`.
pub(crate) fn in_range(asked: usize, name: &str) -> usize {
    let possible = asked.clamp(1, MAX_ACTIVE);
    if possible != asked {
        tracing::warn!(
            "max_active {asked} requested for {name} is out of range, clamping between 1 and {MAX_ACTIVE}"
        );
    }
    possible
}

/// A name of at most [`NAME_LEN`] bytes.
fn cut(name: &str) -> String {
    if name.len() <= NAME_LEN {
        return name.to_owned();
    }
    let end = (0..=NAME_LEN)
        .rev()
        .find(|&end| name.is_char_boundary(end))
        .unwrap_or(0);
    warn_once!("name exceeds WQ_NAME_LEN. Truncating to: {}", &name[..end]);
    name[..end].to_owned()
}

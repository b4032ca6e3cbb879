//! Making workqueues.

use super::pools::HIGHPRI_NICE;
use super::{EngineInner, EngineState, Pool};
use crate::attrs::{DFL_ACTIVE, MAX_ACTIVE, NAME_LEN, WqFlags};
use crate::error::Error;
use crate::pool::PwqSpec;
use crate::queue::{PwqRef, Workqueue, WqInner, WqSpec};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

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
    let spec = checked(name, flags, max_active)?;
    let unbound = spec.flags.contains(WqFlags::UNBOUND);
    let highpri = spec.flags.contains(WqFlags::HIGHPRI);
    let slot = engine
        .segment
        .workqueue(&spec.name, spec.flags.bits(), spec.max_active as u32);
    let pwq_spec = PwqSpec {
        wq: slot.id(),
        wq_name: spec.name.clone(),
        max_active: spec.max_active,
        ordered: spec.flags.contains(WqFlags::ORDERED),
        cpu_intensive: spec.flags.contains(WqFlags::CPU_INTENSIVE) && !unbound,
        work_color: 0,
    };
    let link = |pool: &Arc<Pool>| PwqRef {
        pool: pool.clone(),
        ix: pool.transact(engine, |core, _, _| core.add_pwq(pwq_spec.clone())),
    };
    let (by_cpu, pwqs) = if unbound {
        let pool = engine.unbound_pool(if highpri { HIGHPRI_NICE } else { 0 })?;
        let pwq = link(&pool);
        (vec![pwq.clone(); engine.cpus.len()], vec![pwq])
    } else {
        let by_cpu: Vec<_> = engine
            .percpu
            .iter()
            .map(|pools| link(&pools[usize::from(highpri)]))
            .collect();
        (by_cpu.clone(), by_cpu)
    };
    let inner = Arc::new(WqInner {
        engine: engine.clone(),
        spec,
        slot,
        by_cpu,
        pwqs,
        flush: Mutex::default(),
        gate: AtomicU32::default(),
    });
    engine.add_workqueue(&inner);
    engine.say_shortage();
    Ok(Workqueue::new(inner))
}

/// What the workqueue will be like.
fn checked(name: &str, flags: WqFlags, max_active: usize) -> Result<WqSpec, Error> {
    let later = WqFlags::BH
        | WqFlags::FREEZABLE
        | WqFlags::MEM_RECLAIM
        | WqFlags::SYSFS
        | WqFlags::POWER_EFFICIENT;
    let problem = |problem: String| Error::Flags {
        name: name.to_owned(),
        problem,
    };
    if flags.intersects(later) {
        let names: Vec<_> = (flags & later).iter_names().map(|(name, _)| name).collect();
        return Err(problem(format!("not supported yet: {}", names.join(", "))));
    }
    let ordered = flags.contains(WqFlags::ORDERED);
    let unbound = ordered || flags.contains(WqFlags::UNBOUND);
    if unbound && flags.contains(WqFlags::PERCPU) {
        tracing::warn!("workqueue {name} asks for UNBOUND and PERCPU; it is made UNBOUND");
    }
    let flags = if unbound {
        (flags - WqFlags::PERCPU) | WqFlags::UNBOUND
    } else {
        flags | WqFlags::PERCPU
    };
    let max_active = if ordered { 1 } else { max_active };
    let asked = if max_active == 0 {
        DFL_ACTIVE
    } else {
        max_active
    };
    if asked > MAX_ACTIVE {
        tracing::warn!(
            "max_active {asked} requested for {name} is out of range, clamping between 1 and {MAX_ACTIVE}"
        );
    }
    Ok(WqSpec {
        name: cut(name),
        flags,
        max_active: asked.min(MAX_ACTIVE),
    })
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
    tracing::warn!(
        "workqueue name {name} is longer than {NAME_LEN} bytes; cut to {}",
        &name[..end]
    );
    name[..end].to_owned()
}

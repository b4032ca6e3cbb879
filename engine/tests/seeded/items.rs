//! Items: queued, armed, held, active, taken back.

use super::judge::{At, Instance, Judge};
use wq_engine::WqFlags;
use wq_trace::{Event, Hold, Was, What};

impl Judge<'_> {
    pub fn item(&mut self, event: &Event) {
        match event.what {
            What::QueueWork { req_cpu, .. } => self.queue(event, req_cpu),
            What::ActivateWork => self.activate(event),
            What::HoldWork { reason } => self.held(event, reason),
            What::CancelWork { was } => self.cancel(event, was),
            What::DropWork { .. } => {
                self.timers.remove(&event.work);
                let queued = self.queued.contains_key(&event.work);
                self.hold(!queued, || format!("a queued item is dropped: {event:?}"));
            }
            What::TimerArm { .. } => {
                self.enabled(event);
                self.timers_armed += 1;
                let serial = self.timers_armed;
                let pending = self.queued.contains_key(&event.work);
                let armed = self
                    .timers
                    .insert(event.work, (serial, event.cpu))
                    .is_some();
                self.hold(!pending && !armed, || {
                    format!("a timer for a pending item: {event:?}")
                });
            }
            What::DisableWork { .. } => *self.depth.entry(event.work).or_default() += 1,
            What::EnableWork { .. } => {
                let depth = self.depth.entry(event.work).or_default();
                *depth = depth.saturating_sub(1);
            }
            _ => {}
        }
    }

    /// Nothing is queued on a disabled item.
    fn enabled(&mut self, event: &Event) {
        let depth = self.depth.get(&event.work).copied().unwrap_or(0);
        self.hold(depth == 0, || format!("a disabled item: {event:?}"));
    }

    fn queue(&mut self, event: &Event, req_cpu: i32) {
        self.enabled(event);
        let pending = self.queued.contains_key(&event.work);
        self.hold(!pending, || format!("queued twice: {event:?}"));
        let own = self.facts.item_wq.get(&event.work) == Some(&event.wq);
        self.hold(own, || format!("queued on another's workqueue: {event:?}"));
        let index = self.instances.len();
        let timer = self.timers.remove(&event.work);
        let cpu = u16::try_from(req_cpu).ok().filter(|c| *c < self.facts.cpus);
        let cpu = cpu.unwrap_or(timer.map_or(event.cpu, |(_, cpu)| cpu));
        let pwq_cpu = self.pwq_cpu(event, cpu);
        self.instances.push(Instance {
            work: event.work,
            wq: event.wq,
            pool: event.pool,
            pwq_cpu,
            queued_at: event.at,
            at: At::New,
            behind_itself: false,
            timer: timer.map(|(serial, _)| serial),
            rescued: false,
        });
        self.live.insert(index);
        self.queued.insert(event.work, index);
        self.mark(event.work);
    }

    /// The CPU whose pwq an item of an unbound workqueue is on, if it can be told: an item that still runs elsewhere
    /// follows itself.
    fn pwq_cpu(&mut self, event: &Event, cpu: u16) -> Option<u16> {
        let unbound = self.facts.has(event.wq, WqFlags::UNBOUND);
        if !unbound || self.facts.has(event.wq, WqFlags::ORDERED) || self.facts.hotplug {
            return None;
        }
        let key = (event.wq, cpu);
        let runs = self.running.get(&event.work);
        let runs = runs.map(|&index| self.instances[index].clone());
        match (runs, self.slots.get(&key)) {
            (Some(run), None) if run.pool == event.pool => None,
            (Some(run), Some(slot)) if run.pool == event.pool && *slot != event.pool => run.pwq_cpu,
            (_, known) => {
                let ok = known.is_none_or(|slot| *slot == event.pool);
                self.slots.insert(key, event.pool);
                let node = self.facts.node(event.wq, cpu);
                self.nodes.insert(event.pool, node);
                self.hold(ok, || {
                    format!("CPU {cpu} has another pool at once: {event:?}")
                });
                Some(cpu)
            }
        }
    }

    fn activate(&mut self, event: &Event) {
        let Some(&index) = self.queued.get(&event.work) else {
            return self.fault(format!("not queued: {event:?}"));
        };
        let was = self.instances[index].at;
        self.hold(matches!(was, At::New | At::Inactive), || {
            format!("{was:?}: {event:?}")
        });
        let frozen = self.frozen.contains(&event.wq);
        self.hold(!frozen, || format!("frozen: {event:?}"));
        self.in_order_among_held(index);
        self.activations += 1;
        self.instances[index].behind_itself = self.running.contains_key(&event.work);
        self.instances[index].at = At::Active(self.activations);
        self.within_limit(index);
    }

    fn held(&mut self, event: &Event, reason: Hold) {
        let Some(&index) = self.queued.get(&event.work) else {
            return self.fault(format!("not queued: {event:?}"));
        };
        self.instances[index].at = At::Inactive;
        let frozen = self.frozen.contains(&event.wq);
        self.hold(frozen == (reason == Hold::Frozen), || {
            format!("frozen is {frozen}: {event:?}")
        });
    }

    fn cancel(&mut self, event: &Event, was: Was) {
        let timer = self.timers.remove(&event.work).is_some();
        let queued = self.queued.remove(&event.work);
        let truth = match queued.map(|index| self.instances[index].at) {
            Some(At::Inactive) => Was::Inactive,
            Some(_) => Was::Pending,
            None if timer => Was::Timer,
            None => Was::Idle,
        };
        self.hold(truth == was, || {
            format!("it was {}: {event:?}", truth.word())
        });
        if let Some(index) = queued {
            self.instances[index].at = At::Cancelled;
            self.live.remove(&index);
        }
    }
}

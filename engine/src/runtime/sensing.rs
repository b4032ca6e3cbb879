//! Which sensing is in force, and the threads that it takes.

use super::{EngineInner, Waiter, lock};
use crate::sense::{self, Descriptors, Sensing, choice};
use crate::sync::Mutex;
use crate::sync::atomic::Ordering;
use std::sync::Arc;
use wq_trace::{Reaction, SensingInfo};

impl EngineInner {
    /// The sensing that is in force; never [`Sensing::Auto`].
    pub(crate) fn sensing(&self) -> Sensing {
        Sensing::ALL[usize::from(self.tier.load(Ordering::Relaxed))]
    }

    fn set_tier(&self, tier: Sensing) {
        let place = Sensing::ALL.iter().position(|&sensing| sensing == tier);
        self.tier
            .store(place.unwrap_or_default() as u8, Ordering::Relaxed);
    }

    /// Chooses the sensing, before the first worker is made: `asked` is what the program asks for. If it may, it
    /// measures how fast that is.
    pub(super) fn choose_sensing(&self, asked: Option<Sensing>, self_test: bool) {
        let choice = choice::made(asked, || self.start_canaries(), &self.cpus);
        let tests = self_test && choice.tier == Sensing::Canary && !cfg!(shuttle);
        let reaction = match self.cpus.first() {
            Some(&cpu) if tests && !switched_off() => sense::reaction(cpu),
            _ => Reaction::NotMeasured,
        };
        self.set_tier(choice.tier);
        let info = SensingInfo {
            mode: choice.tier.word().to_owned(),
            reason: choice.reason,
            asked: choice.asked.word().to_owned(),
            notes: choice.notes,
            reaction,
            descriptors: Descriptors::limit() as u32,
        };
        self.segment.set_sensing(&info);
        *lock(&self.told_sensing) = info;
    }

    /// Starts them all.
    ///
    /// # Errors
    /// Why one of them cannot work; then none does.
    fn start_canaries(&self) -> Result<(), String> {
        let started = (0..self.canaries.len()).try_for_each(|index| self.start_canary(index));
        for canary in &self.canaries {
            canary.set_on(started.is_ok());
        }
        if started.is_err() {
            self.stop_canaries();
        }
        started
    }

    fn start_canary(&self, index: usize) -> Result<(), String> {
        let gate = Waiter::new();
        let settled = Arc::new(Mutex::new(Ok(())));
        let name = format!("wq-canary/{}", self.canaries[index].cpu);
        let spawned = self.spawn(&name, {
            let (gate, settled) = (gate.clone(), settled.clone());
            move |engine| {
                let canary = &engine.canaries[index];
                let result = canary.settle();
                let works = result.is_ok();
                *lock(&settled) = result;
                gate.complete();
                if works {
                    let boards = [0, 1].map(|which| engine.percpu[index][which].board.as_deref());
                    if let [Some(normal), Some(highpri)] = boards {
                        canary.run([normal, highpri], || engine.tick.wake());
                    }
                }
            }
        });
        spawned.map_err(|error| format!("a thread cannot be created: {error}"))?;
        gate.wait();
        lock(&settled).clone()
    }

    pub(super) fn stop_canaries(&self) {
        for canary in &self.canaries {
            canary.set_on(false);
            canary.stop();
        }
    }

    /// If the system has refused a canary what it had granted before, the tick does their work from now on.
    pub(crate) fn mind_canaries(&self) {
        if self.sensing() != Sensing::Canary {
            return;
        }
        let refused = self.canaries.iter().find_map(|canary| canary.refused());
        if let Some(error) = refused {
            self.stop_canaries();
            let reason = format!("the canary cannot look any more: {error}");
            tracing::warn!(
                "engine {}: {reason}; blocks are noticed by the tick now",
                self.name
            );
            self.set_tier(Sensing::Tick);
            let mut info = lock(&self.told_sensing);
            info.mode = Sensing::Tick.word().to_owned();
            info.reason = reason;
            self.segment.set_sensing(&info);
        }
    }
}

/// Whether the environment says that the reaction time is not to be measured: `WQ_SELF_TEST=0`.
fn switched_off() -> bool {
    std::env::var_os("WQ_SELF_TEST").is_some_and(|word| word == "0")
}

//! Calls that run a function on given CPUs and wait for it.

use super::{Engine, lock};
use crate::error::Error;
use crate::queue::{Work, place};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

impl Engine {
    /// Runs `func` once for each CPU of the engine that has not left, by that CPU's workers on
    /// [`Engine::system_percpu_wq`], and waits for all of them. Called inside a work function, the wait counts as
    /// sleeping. The tools show the item by the place of this call. From any thread; waits, as long as the busiest CPU
    /// takes. Kernel: `schedule_on_each_cpu()`.
    ///
    /// # Errors
    /// [`Error::ShutDown`] if the engine was shut down before all had begun.
    ///
    /// ```
    /// let engine = wq_engine::Engine::builder().name("doc-each-cpu").build()?;
    /// engine.schedule_on_each_cpu(|_| println!("on {:?}", std::thread::current().name()))?;
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    #[track_caller]
    pub fn schedule_on_each_cpu(
        &self,
        func: impl Fn(&Work) + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let name = place(Location::caller());
        let shared = Arc::new((func, AtomicUsize::new(0)));
        let make = || {
            let shared = shared.clone();
            Work::named(&name, move |work| {
                shared.1.fetch_add(1, Ordering::Relaxed);
                shared.0(work);
            })
        };
        let online = self.inner().online();
        let works: Vec<(usize, Work)> = online.iter().map(|cpu| (cpu, make())).collect();
        for (cpu, work) in &works {
            self.system_percpu_wq().queue_work_on(*cpu, work);
        }
        for (_, work) in &works {
            work.flush();
        }
        if shared.1.load(Ordering::Relaxed) < works.len() {
            return Err(self.was_shut_down());
        }
        Ok(())
    }

    /// Runs `func` by a worker of the OS CPU `cpu` on [`Engine::system_percpu_wq`], waits for it and returns what it
    /// returned. A CPU that the engine does not use stands for the next one that it uses, cyclically. Called inside
    /// a work function, also one on that CPU, the wait counts as sleeping. Kernel: `work_on_cpu()`.
    ///
    /// # Panics
    /// If `func` panics, with its panic; and if the engine was shut down before `func` began.
    ///
    /// ```
    /// let engine = wq_engine::Engine::builder().name("doc-on-cpu").build()?;
    /// let cpu = engine.cpus()[0];
    /// let name = engine.work_on_cpu(cpu, || std::thread::current().name().map(str::to_owned));
    /// assert!(name.is_some_and(|name| name.starts_with(&format!("kworker/{cpu}:"))));
    /// # Ok::<(), wq_engine::Error>(())
    /// ```
    #[track_caller]
    pub fn work_on_cpu<R: Send + 'static>(
        &self,
        cpu: usize,
        func: impl FnOnce() -> R + Send + 'static,
    ) -> R {
        let result = Arc::new(Mutex::new(None));
        let to_set = result.clone();
        let run = move || {
            let returned = catch_unwind(AssertUnwindSafe(func));
            *lock(&to_set) = Some(returned);
        };
        let work = Work::once(place(Location::caller()), Box::new(run));
        self.system_percpu_wq().queue_work_on(cpu, &work);
        work.flush();
        let returned = lock(&result).take();
        match returned {
            Some(Ok(value)) => value,
            Some(Err(panic)) => resume_unwind(panic),
            None => panic!("work_on_cpu: {}", self.was_shut_down()),
        }
    }

    fn was_shut_down(&self) -> Error {
        let name = self.inner().name.clone();
        Error::ShutDown { name }
    }
}

//! Ctrl-C: the first asks for an orderly end, a later one ends at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Signals that come this soon after the first belong to it: some senders signal the process and its group.
const SAME_REQUEST: Duration = Duration::from_millis(300);

/// Whether the user asked for the end. Cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    pub fn install() -> io::Result<Self> {
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let interrupt = Self::default();
        let listener = interrupt.clone();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let mut first = None;
                for _ in signals.forever() {
                    listener.request();
                    let first = *first.get_or_insert_with(Instant::now);
                    if first.elapsed() > SAME_REQUEST {
                        std::process::exit(super::EXIT_INTERRUPTED.into());
                    }
                }
            })?;
        Ok(interrupt)
    }

    /// Asks for the end, as a signal does.
    pub fn request(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// The flag itself, for whoever looks at it often.
    pub fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// The end was asked for.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_request() {
        let interrupt = Interrupt::default();
        let asked_of = interrupt.clone();
        assert!(!asked_of.requested());
        interrupt.request();
        assert!(asked_of.requested());
    }

    #[test]
    fn the_first_signal_only_sets_the_flag() {
        let interrupt = Interrupt::install().expect("handlers");
        assert!(!interrupt.requested());
        signal_hook::low_level::raise(SIGTERM).expect("raised");
        while !interrupt.requested() {
            std::thread::yield_now();
        }
    }
}

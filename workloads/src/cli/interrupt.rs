//! Ctrl-C: the first asks for an orderly end, the second ends at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the user asked for the end. Cheap to clone and to ask.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// The handlers cannot be installed.
    pub fn install() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the second signal finds the flag that the first one set.
            let exit = i32::from(super::EXIT_INTERRUPTED);
            flag::register_conditional_shutdown(signal, exit, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self(asked))
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
        assert!(interrupt.requested());
    }
}

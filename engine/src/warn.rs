//! Warnings that are said once in a process.

/// `tracing::warn!`, the first time that this place is reached. Kernel: `WARN_ONCE()`.
macro_rules! warn_once {
    ($($arg:tt)*) => {{
        static SAID: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
        if !SAID.swap(true, std::sync::atomic::Ordering::Relaxed) {
            tracing::warn!($($arg)*);
        }
    }};
}

//! Writing the head: who the engine is.

use super::config::SegmentConfig;
use super::words::Words;
use crate::clean::{clean_name, clean_text};
use crate::layout::{self, ClockKind, NAME_WORDS, SHORT_WORDS, TEXT_WORDS, head};
use crate::process;
use std::time::{SystemTime, UNIX_EPOCH};

/// Writes everything but the version.
pub(super) fn fill(words: &Words, config: &SegmentConfig, name: &str, clock: ClockKind, now: u64) {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    words.put(head::MAGIC, layout::MAGIC);
    words.put(head::PID, std::process::id().into());
    words.put(
        head::PID_START,
        process::start_time(std::process::id()).unwrap_or(0),
    );
    words.put(head::PID_NS, process::pid_namespace().unwrap_or(0));
    words.put(head::CLOCK_KIND, clock as u64);
    words.put(head::CLOCK_BASE, 0);
    words.put(head::CLOCK_MULT, 1);
    words.put(head::CLOCK_SHIFT, 0);
    words.put(head::STARTED_AT, now);
    words.put(head::STARTED_WALL, wall.as_nanos() as u64);
    words.put(head::TRACING, config.tracing.into());
    words.put(head::HEARTBEAT, now);
    set_sensing(words, &config.sensing, "");
    set_name(words, name);
    let exe = std::env::current_exe().unwrap_or_default();
    let exe = clean_text(&exe.to_string_lossy(), TEXT_WORDS * 8 - 1);
    words.put_text(head::EXE, TEXT_WORDS, &exe);
    for &cpu in config
        .cpus
        .iter()
        .filter(|&&cpu| usize::from(cpu) < layout::CPUS)
    {
        let word = head::CPU_SET + usize::from(cpu) / 64;
        words.put(word, words.get(word) | 1 << (cpu % 64));
    }
}

/// Writes the engine's name.
pub(super) fn set_name(words: &Words, name: &str) {
    words.put_text(head::NAME, NAME_WORDS, &clean_name(name));
}

/// Writes how blocking is noticed. For a single writer.
pub(super) fn set_sensing(words: &Words, mode: &str, reason: &str) {
    let mode = clean_text(mode, SHORT_WORDS * 8 - 1);
    let reason = clean_text(reason, TEXT_WORDS * 8 - 1);
    words.exclusively(head::SENSING_SEQ, |words| {
        words.put_text(head::SENSING, SHORT_WORDS, &mode);
        words.put_text(head::REASON, TEXT_WORDS, &reason);
    });
}

/// Publishes the version: from here on a reader believes the head.
pub(super) fn publish(words: &Words) {
    let (major, minor) = layout::VERSION;
    words.set(head::VERSION, u64::from(major) << 16 | u64::from(minor));
}

//! Choices of a seed.

use std::time::Duration;
use wq_engine::sim::{Draw, SplitMix64};

/// A stream of choices.
pub struct Rng(SplitMix64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::new(seed, "program"))
    }

    /// 0 to `n` - 1.
    pub fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n as u64) as usize
    }

    /// Both included.
    pub fn range(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// A time of up to `most` tenths of a millisecond, at least one.
    pub fn time(&mut self, most: usize) -> Duration {
        Duration::from_micros(100 * self.range(1, most) as u64)
    }

    /// The same, drawn in the simulation or fixed.
    pub fn draw(&mut self, most: usize) -> Draw {
        let time = self.time(most);
        match self.below(6) {
            0 => Draw::Exp(time),
            1 => Draw::Uniform(time / 2, time),
            _ => Draw::Fixed(time),
        }
    }
}

//! Percentiles of waits and run times, from the segment's buckets.

use crate::snapshot::Histogram;

/// A distribution of nanoseconds, summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many values there were.
    pub count: u64,
    /// Half of them were at most this.
    pub p50: u64,
    /// 9 of 10 were at most this.
    pub p90: u64,
    /// 99 of 100 were at most this.
    pub p99: u64,
    /// The largest, exact.
    pub max: u64,
    /// Their sum, exact.
    pub sum: u64,
}

impl Latency {
    /// The mean, or 0 when there is nothing.
    pub fn mean(&self) -> u64 {
        self.sum.checked_div(self.count).unwrap_or(0)
    }
}

/// Works out percentiles; keeps its memory between uses.
///
/// The segment's buckets are at most 1/16 wide and hdrhistogram adds at most 1/128 to that; a percentile is the
/// upper end of what it may be, and never above the exact maximum.
#[derive(Clone, Debug)]
pub(super) struct Percentiles {
    hdr: hdrhistogram::Histogram<u64>,
}

impl Percentiles {
    pub(super) fn new() -> Self {
        let mut hdr = hdrhistogram::Histogram::new_with_bounds(1, 1 << 32, 2)
            .expect("2 digits up to 2^32 are valid bounds");
        hdr.auto(true);
        Self { hdr }
    }

    /// The distribution of several histograms together.
    pub(super) fn of<'a>(&mut self, parts: impl Iterator<Item = &'a Histogram>) -> Latency {
        // Most of a large engine's workqueues are unused: clear only what was filled.
        if !self.hdr.is_empty() {
            self.hdr.reset();
        }
        let mut latency = Latency::default();
        for part in parts {
            latency.max = latency.max.max(part.max);
            latency.sum = latency.sum.saturating_add(part.sum);
            for &(upper, count) in &part.buckets {
                latency.count = latency.count.saturating_add(count);
                // Counts come from a file: a hostile one may overflow the sum of counts.
                let room = u64::MAX - self.hdr.len();
                self.hdr.saturating_record_n(upper, count.min(room));
            }
        }
        if latency.count > 0 {
            let at = |q: f64| self.hdr.value_at_quantile(q).min(latency.max);
            (latency.p50, latency.p90, latency.p99) = (at(0.50), at(0.90), at(0.99));
        }
        latency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(buckets: &[(u64, u64)], max: u64) -> Histogram {
        let sum = buckets.iter().map(|(v, n)| v * n).sum();
        Histogram {
            buckets: buckets.to_vec(),
            max,
            sum,
        }
    }

    #[test]
    fn nothing_has_no_latency() {
        assert_eq!(Percentiles::new().of([].into_iter()), Latency::default());
    }

    #[test]
    fn percentiles_stand_where_the_values_are() {
        let a = histogram(&[(1_000, 90)], 1_000);
        let b = histogram(&[(1_000_000, 9), (5_000_000, 1)], 4_900_000);
        let latency = Percentiles::new().of([&a, &b].into_iter());
        assert_eq!(latency.count, 100);
        assert_eq!(latency.sum, a.sum + b.sum);
        assert_eq!(latency.max, 4_900_000);
        assert!((1_000..1_010).contains(&latency.p50), "{latency:?}");
        assert!((1_000..1_010).contains(&latency.p90), "{latency:?}");
        assert!((1_000_000..1_010_000).contains(&latency.p99), "{latency:?}");
    }

    #[test]
    fn no_percentile_is_above_the_maximum() {
        let latency = Percentiles::new().of([&histogram(&[(1_087, 5)], 1_024)].into_iter());
        assert_eq!((latency.p50, latency.p99), (1_024, 1_024));
    }

    #[test]
    fn one_use_leaves_nothing_to_the_next() {
        let mut percentiles = Percentiles::new();
        percentiles.of([&histogram(&[(9_000_000_000_000, 5)], 9_000_000_000_000)].into_iter());
        let latency = percentiles.of([&histogram(&[(10, 1)], 10)].into_iter());
        assert_eq!((latency.count, latency.p50, latency.p99), (1, 10, 10));
    }

    #[test]
    fn hostile_buckets_do_no_harm() {
        let hostile = Histogram {
            buckets: vec![(u64::MAX, u64::MAX), (0, u64::MAX), (7, u64::MAX)],
            max: 3,
            sum: u64::MAX,
        };
        let latency = Percentiles::new().of([&hostile, &hostile].into_iter());
        assert_eq!((latency.count, latency.max, latency.p99), (u64::MAX, 3, 3));
    }
}

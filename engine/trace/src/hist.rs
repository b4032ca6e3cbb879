//! The fixed log-linear buckets of the segment's histograms: exact below 16, then 16 for each power of two.

use crate::snapshot::Histogram;

/// Buckets for each power of two; the relative error is at most one part in as many.
const PER_OCTAVE: u64 = 16;
/// The first power of two that is divided.
const FIRST_OCTAVE: u32 = PER_OCTAVE.trailing_zeros();
/// Values from here on share the last bucket: 2^48 ns is 78 hours.
const LAST_OCTAVE: u32 = 48;
/// Buckets of one histogram.
pub(crate) const BUCKETS: usize = PER_OCTAVE as usize * (1 + (LAST_OCTAVE - FIRST_OCTAVE) as usize);

/// The bucket that a value falls into.
pub(crate) fn bucket_of(value: u64) -> usize {
    if value < PER_OCTAVE {
        return value as usize;
    }
    let octave = value.ilog2();
    if octave >= LAST_OCTAVE {
        return BUCKETS - 1;
    }
    let shift = octave - FIRST_OCTAVE;
    let within = (value >> shift) & (PER_OCTAVE - 1);
    PER_OCTAVE as usize * (1 + shift as usize) + within as usize
}

/// The largest value of a bucket.
pub(crate) fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket.min(BUCKETS - 1) as u64;
    if bucket < PER_OCTAVE {
        return bucket;
    }
    let shift = bucket / PER_OCTAVE - 1;
    let within = PER_OCTAVE + bucket % PER_OCTAVE;
    ((within + 1) << shift) - 1
}

impl Histogram {
    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.buckets
            .iter()
            .fold(0, |sum, &(_, count)| sum.saturating_add(count))
    }

    /// The value that `percent` (0 to 100) of the values do not exceed, at most 1/16 too large; 0 when empty.
    pub fn percentile(&self, percent: f64) -> u64 {
        let count = self.count();
        let rank = ((percent.clamp(0.0, 100.0) / 100.0 * count as f64).ceil() as u64).max(1);
        let mut below = 0_u64;
        for &(upper, n) in &self.buckets {
            below = below.saturating_add(n);
            if below >= rank {
                return upper.min(self.max);
            }
        }
        self.max
    }

    /// Adds the values of another one.
    pub fn merge(&mut self, other: &Self) {
        let mut merged = Vec::with_capacity(self.buckets.len().max(other.buckets.len()));
        let (mut a, mut b) = (self.buckets.as_slice(), other.buckets.as_slice());
        while let (Some(&(x, n)), Some(&(y, m))) = (a.first(), b.first()) {
            match x.cmp(&y) {
                std::cmp::Ordering::Less => (merged.push((x, n)), a = &a[1..]).1,
                std::cmp::Ordering::Greater => (merged.push((y, m)), b = &b[1..]).1,
                std::cmp::Ordering::Equal => {
                    merged.push((x, n.saturating_add(m)));
                    (a, b) = (&a[1..], &b[1..]);
                }
            }
        }
        merged.extend_from_slice(a);
        merged.extend_from_slice(b);
        self.buckets = merged;
        self.max = self.max.max(other.max);
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// From the counts of all buckets, as they stand in a segment.
    pub(crate) fn from_counts(counts: &[u64], max: u64, sum: u64) -> Self {
        let mut buckets = Vec::new();
        for (bucket, &count) in counts.iter().enumerate() {
            if count != 0 {
                let open = bucket >= BUCKETS - 1;
                let upper = upper_end(bucket);
                buckets.push((if open { upper.max(max) } else { upper }, count));
            }
        }
        Self { buckets, max, sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gap() {
        let mut last = 0;
        for bucket in 0..BUCKETS {
            let upper = upper_end(bucket);
            assert_eq!(bucket_of(upper), bucket, "upper end of {bucket}");
            if bucket + 1 < BUCKETS {
                assert_eq!(bucket_of(upper + 1), bucket + 1, "after {bucket}");
            }
            assert!(bucket == 0 || upper > last);
            last = upper;
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn the_upper_end_is_at_most_a_sixteenth_too_large() {
        for shift in 0..LAST_OCTAVE {
            for near in [
                (1_u64 << shift),
                (1 << shift) + (1 << shift) / 3,
                (2 << shift) - 1,
            ] {
                let upper = upper_end(bucket_of(near));
                assert!(
                    upper >= near && upper - near <= near / PER_OCTAVE,
                    "{near} -> {upper}"
                );
            }
        }
    }

    fn of(values: &[u64]) -> Histogram {
        let mut counts = [0; BUCKETS];
        for &value in values {
            counts[bucket_of(value)] += 1;
        }
        let max = values.iter().copied().max().unwrap_or(0);
        Histogram::from_counts(&counts, max, values.iter().sum())
    }

    #[test]
    fn percentiles() {
        let all = of(&(1..=1000).collect::<Vec<_>>());
        assert_eq!(all.count(), 1000);
        assert_eq!(all.percentile(100.0), 1000);
        let p50 = all.percentile(50.0);
        assert!((500..=532).contains(&p50), "{p50}");
        assert_eq!(of(&[]).percentile(99.0), 0);
        assert_eq!(of(&[7]).percentile(0.0), 7);
        assert_eq!(of(&[u64::MAX]).percentile(50.0), u64::MAX);
    }

    #[test]
    fn merging_is_recording_together() {
        let (a, b) = ([1, 5, 5, 1000, 70_000], [2, 5, 1001, 1 << 40]);
        let mut merged = of(&a);
        merged.merge(&of(&b));
        assert_eq!(merged, of(&[a.as_slice(), b.as_slice()].concat()));
    }
}

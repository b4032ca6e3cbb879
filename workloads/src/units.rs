//! How quantities are written for people.

/// A duration with one decimal: `5.0 ms`.
pub fn duration(nanos: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];
    for (size, unit) in UNITS {
        // From 999.95 on it would be rounded up to 1000.0 of the unit below.
        if nanos >= size - size / 20_000 {
            let tenths = (u128::from(nanos) * 10 + u128::from(size / 2)) / u128::from(size);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{nanos} ns")
}

/// A duration with all its digits: `20 ms`, `20.000001 ms`.
pub fn exact_duration(nanos: u64) -> String {
    let (size, unit) = match nanos {
        1_000_000_000.. => (1_000_000_000, "s"),
        1_000_000.. => (1_000_000, "ms"),
        1_000.. => (1_000, "µs"),
        0 => return "0 ms".to_owned(),
        _ => (1, "ns"),
    };
    let (whole, rest) = (nanos / size, nanos % size);
    if rest == 0 {
        return format!("{whole} {unit}");
    }
    let digits = size.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    format!("{whole}.{} {unit}", fraction.trim_end_matches('0'))
}

/// A number with its noun: `1 CPU`, `2 CPUs`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_decimal_and_never_a_thousand() {
        assert_eq!(duration(0), "0 ns");
        assert_eq!(duration(999), "999 ns");
        assert_eq!(duration(1_000), "1.0 µs");
        assert_eq!(duration(999_949), "999.9 µs");
        assert_eq!(duration(999_950), "1.0 ms");
        assert_eq!(duration(5_000_000), "5.0 ms");
        assert_eq!(duration(999_950_000), "1.0 s");
        assert_eq!(duration(61_250_000_000), "61.3 s");
        assert!(duration(u64::MAX).ends_with(" s"));
    }

    #[test]
    fn exact_durations_keep_every_digit() {
        assert_eq!(exact_duration(0), "0 ms");
        assert_eq!(exact_duration(7), "7 ns");
        assert_eq!(exact_duration(20_000_000), "20 ms");
        assert_eq!(exact_duration(20_000_001), "20.000001 ms");
        assert_eq!(exact_duration(1_500_000_000), "1.5 s");
    }

    #[test]
    fn nouns_agree() {
        assert_eq!(count(1, "CPU"), "1 CPU");
        assert_eq!(count(0, "work"), "0 works");
    }
}

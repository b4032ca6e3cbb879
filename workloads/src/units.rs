//! How scripts and reports write exact durations and numbers with their nouns; the rest is in [`wq_trace::units`].

/// A duration with all its digits: `20 ms`, `20.000001 ms`.
pub fn exact_duration(nanos: u64) -> String {
    let (size, unit) = match nanos {
        1_000_000_000.. => (1_000_000_000, "s"),
        1_000_000.. => (1_000_000, "ms"),
        1_000.. => (1_000, "us"),
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
    fn exact_durations_keep_every_digit() {
        assert_eq!(exact_duration(0), "0 ms");
        assert_eq!(exact_duration(7), "7 ns");
        assert_eq!(exact_duration(1_500), "1.5 us");
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

//! Durations on the command line: a number and its unit.

use std::time::Duration;

/// The units, in nanoseconds.
const UNITS: [(&str, f64); 6] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// The duration that a text such as `5s`, `500ms` or `1.5m` names.
///
/// # Errors
/// What would be right.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "a duration is a number and its unit: ns, us, ms, s, m or h".to_owned();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = UNITS.iter().find(|(name, _)| *name == unit);
    let (_, scale) = unit.ok_or_else(wrong)?;
    // A float too large for u64 saturates: some centuries.
    Ok(Duration::from_nanos((number * scale).round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units() {
        for (text, ns) in [
            ("5s", 5_000_000_000),
            ("500ms", 500_000_000),
            ("1.5us", 1_500),
            ("2m", 120_000_000_000),
            ("1h", 3_600_000_000_000),
            ("0ns", 0),
            ("99999999999999h", u64::MAX),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_nanos(ns)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "1.2.3s",
            "5parsecs",
            "1e3s",
            "\u{1b}[2J",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}

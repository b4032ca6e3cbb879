//! Durations, counts, rates and shares as people read them, and durations as they write them: the same in every tool and
//! report.

use std::time::Duration;

/// Nanoseconds per microsecond, millisecond and second.
const US: u64 = 1_000;
const MS: u64 = 1_000_000;
const S: u64 = 1_000_000_000;

/// A duration in nanoseconds: `0 ns`, `640 ns`, `5.0 ms`, `12.3 ms`, `123 ms`, `59.9 s`, `16m40s`, `2h46m`, `3d04h`.
///
/// At most three significant digits and, below ten million days, at most eight characters.
pub fn duration(ns: u64) -> String {
    // The borders stand where rounding would give a fourth digit: 999.95 us is `1.0 ms`.
    match ns {
        0..US => format!("{ns} ns"),
        US..999_500 => scaled(ns, US, " us"),
        999_500..999_500_000 => scaled(ns, MS, " ms"),
        999_500_000..999_500_000_000 => scaled(ns, S, " s"),
        _ => long(ns / S + u64::from(ns % S >= S / 2)),
    }
}

/// The units of durations that people write, each in nanoseconds.
const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("min", 60e9),
    ("h", 3_600e9),
];

/// How many nanoseconds a unit of time is: `ns`, `us`, `µs`, `ms`, `s`, `m`, `min` or `h`.
pub fn time_unit(unit: &str) -> Option<f64> {
    let mut units = UNITS.iter();
    units.find(|(name, _)| *name == unit).map(|(_, ns)| *ns)
}

/// The duration that a text such as `5s`, `500 ms` or `1.5m` names: a decimal number and a unit that [`time_unit`] knows.
/// One too long for 64 bits of nanoseconds, some centuries, is the longest there is.
///
/// # Errors
/// What would be right.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "a duration is a number and its unit: ns, us, ms, s, m or h, such as 500ms";
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let digits = text.find(|c| !is_number(c)).ok_or(WRONG)?;
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| WRONG)?;
    let ns = number * time_unit(unit.trim_start()).ok_or(WRONG)?;
    // A float too large for u64 saturates.
    Ok(Duration::from_nanos(ns.round() as u64))
}

/// Seconds as minutes, hours or days with the next smaller unit.
fn long(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours) {
        (0, 0) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// A count: `0`, `999`, `1.5k`, `12.3M`, `123G`. At most five characters below 999T.
pub fn count(n: u64) -> String {
    const STEPS: [(u64, &str); 5] = [
        (1_000, "k"),
        (1_000_000, "M"),
        (1_000_000_000, "G"),
        (1_000_000_000_000, "T"),
        (1_000_000_000_000_000, "P"),
    ];
    if n < 1_000 {
        return n.to_string();
    }
    let (unit, suffix) = STEPS
        .into_iter()
        .find(|(unit, _)| n < unit / 2 * 1_999)
        .unwrap_or((1_000_000_000_000_000_000, "E"));
    scaled(n, unit, suffix)
}

/// Something per second: `0`, `0.3`, `42`, `1.5k`. Not a number and less than nothing read `0`.
pub fn rate(per_second: f64) -> String {
    if per_second.is_nan() || per_second < 0.05 {
        "0".to_owned()
    } else if per_second < 9.95 {
        format!("{per_second:.1}")
    } else {
        // A float too large for u64 saturates.
        count(per_second.round() as u64)
    }
}

/// A part of a whole: `-` of nothing, else `0%`, `<1%`, `37%`, `>99%`, `100%`.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let percent = u128::from(part.min(whole)) * 100;
    let rounded = (percent + u128::from(whole) / 2) / u128::from(whole);
    match rounded {
        0 if part > 0 => "<1%".to_owned(),
        100 if part < whole => ">99%".to_owned(),
        _ => format!("{rounded}%"),
    }
}

/// A share as percent, which may be more than the whole: `0%`, `<1%`, `37%`, `150%`. Not a number reads `0%`.
pub fn percent(share: f64) -> String {
    if share.is_nan() || share <= 0.0 {
        "0%".to_owned()
    } else if share < 0.005 {
        "<1%".to_owned()
    } else {
        // A float too large for u64 saturates.
        format!("{}%", count((share * 100.0).round() as u64))
    }
}

/// `value / unit`, with one decimal while the result is below 100.
fn scaled(value: u64, unit: u64, suffix: &str) -> String {
    let tenths = (u128::from(value) * 10 + u128::from(unit) / 2) / u128::from(unit);
    if tenths < 1_000 {
        format!("{}.{}{suffix}", tenths / 10, tenths % 10)
    } else {
        let whole = (u128::from(value) + u128::from(unit) / 2) / u128::from(unit);
        format!("{whole}{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.0 us"),
            (5_000_000, "5.0 ms"),
            (12_345_678, "12.3 ms"),
            (99_949_999, "99.9 ms"),
            (99_950_000, "100 ms"),
            (123_456_789, "123 ms"),
            (999_499, "999 us"),
            (999_500, "1.0 ms"),
            (999_499_999, "999 ms"),
            (999_500_000, "1.0 s"),
            (59_900_000_000, "59.9 s"),
            (1_000_000_000_000, "16m40s"),
            (10_000_000_000_000, "2h46m"),
            (273_600_000_000_000, "3d04h"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(ns), text, "{ns}");
        }
    }

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, ns) in [
            ("5s", 5_000_000_000),
            ("500ms", 500_000_000),
            ("500 ms", 500_000_000),
            ("1.5us", 1_500),
            ("3µs", 3_000),
            ("2m", 120_000_000_000),
            ("2min", 120_000_000_000),
            ("1h", 3_600_000_000_000),
            ("0ns", 0),
            ("99999999999999h", u64::MAX),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_nanos(ns)), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "5 s ",
            "-5s",
            "1.2.3s",
            "5parsecs",
            "1e3s",
            "\u{1b}[2J",
        ] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn counts_keep_three_digits() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (1_549, "1.5k"),
            (999_499, "999k"),
            (999_500, "1.0M"),
            (12_345_678, "12.3M"),
            (4_000_000_000, "4.0G"),
            (u64::MAX, "18.4E"),
        ];
        for (n, text) in cases {
            assert_eq!(count(n), text, "{n}");
        }
    }

    #[test]
    fn nothing_is_wider_than_its_column() {
        for shift in 0..64 {
            for low in [0u64, 1, 4, 5] {
                let n = (1u64 << shift).wrapping_sub(low);
                assert!(count(n).len() <= 5, "{n}: {}", count(n));
                assert!(duration(n).len() <= 10, "{n}: {}", duration(n));
                if n < 86_400 * 1_000_000_000 {
                    assert!(duration(n).len() <= 7, "{n}: {}", duration(n));
                }
            }
        }
    }

    #[test]
    fn rates_and_shares_survive_odd_values() {
        assert_eq!(rate(f64::NAN), "0");
        assert_eq!(rate(-3.0), "0");
        assert_eq!(rate(0.34), "0.3");
        assert_eq!(rate(42.4), "42");
        assert_eq!(rate(9.96), "10");
        assert_eq!(rate(1_500.0), "1.5k");
        assert_eq!(rate(f64::INFINITY), "18.4E");
        assert_eq!(percent(f64::NAN), "0%");
        assert_eq!(percent(-1.0), "0%");
        assert_eq!(percent(0.001), "<1%");
        assert_eq!(percent(0.374), "37%");
        assert_eq!(percent(1.5), "150%");
        assert_eq!(percent(f64::INFINITY), "18.4E%");
        assert_eq!(share(0, 0), "-");
        assert_eq!(share(0, 9), "0%");
        assert_eq!(share(1, 1_000), "<1%");
        assert_eq!(share(999, 1_000), ">99%");
        assert_eq!(share(37, 100), "37%");
        assert_eq!(share(7, 5), "100%");
    }
}

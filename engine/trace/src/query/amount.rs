//! Amounts with units as they stand in a query: `5ms`, `2k`, `1000/s`, `10%`.

use super::key::Class;
use crate::units::time_unit;

/// Letters for thousands and more.
const SCALES: &[(&str, f64)] = &[("k", 1e3), ("M", 1e6), ("G", 1e9)];

/// What `text` comes to for a key of this class: nanoseconds, a number, a number per second, percent.
///
/// # Errors
/// What would be right, as the end of a sentence.
pub(super) fn parse(text: &str, class: Class) -> Result<f64, &'static str> {
    let digits = text.len()
        - text
            .trim_start_matches(|c: char| c.is_ascii_digit() || ".-+".contains(c))
            .len();
    let (number, unit) = text.split_at(digits);
    let number = number.parse::<f64>().ok().filter(|n| n.is_finite());
    let scale = match class {
        Class::Time if unit.is_empty() => number.filter(|&n| n == 0.0).map(|_| 1.0),
        Class::Time => time_unit(unit),
        Class::Share => (unit.is_empty() || unit == "%").then_some(1.0),
        Class::Rate => scale(unit.strip_suffix("/s").unwrap_or(unit)),
        Class::Number => scale(unit),
        Class::Word | Class::Flag => None,
    };
    match (number, scale) {
        (Some(number), Some(scale)) => Ok(number * scale),
        _ => Err(advice(class)),
    }
}

fn scale(unit: &str) -> Option<f64> {
    if unit.is_empty() {
        return Some(1.0);
    }
    let mut scales = SCALES.iter();
    scales.find(|(name, _)| *name == unit).map(|(_, n)| *n)
}

fn advice(class: Class) -> &'static str {
    match class {
        Class::Time => "write a time with its unit: 500us, 5ms, 2s (ns us ms s m h)",
        Class::Share => "write percent: 10%",
        Class::Rate => "write a number per second: 1000/s, 2k/s",
        Class::Number => "write a number: 3, 2k, 1M",
        Class::Word | Class::Flag => "write a word",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_class() {
        let fine = [
            (Class::Time, "5ms", 5e6),
            (Class::Time, "1.5s", 1.5e9),
            (Class::Time, "3µs", 3e3),
            (Class::Time, "2min", 120e9),
            (Class::Time, "2m", 120e9),
            (Class::Time, "0", 0.0),
            (Class::Rate, "1000/s", 1e3),
            (Class::Rate, "2k/s", 2e3),
            (Class::Rate, "1.5M", 1.5e6),
            (Class::Number, "-20", -20.0),
            (Class::Number, "2G", 2e9),
            (Class::Share, "10%", 10.0),
            (Class::Share, "10", 10.0),
        ];
        for (class, text, amount) in fine {
            assert_eq!(parse(text, class), Ok(amount), "{text}");
        }
        let wrong = [
            (Class::Time, "5"),
            (Class::Time, "ms"),
            (Class::Time, "5ms/s"),
            (Class::Rate, "5ms"),
            (Class::Number, "5/s"),
            (Class::Number, ""),
            (Class::Number, "1-2"),
            (Class::Number, "inf"),
            (Class::Share, "10%%"),
        ];
        for (class, text) in wrong {
            assert!(parse(text, class).is_err(), "{text}");
        }
        let long = "9".repeat(400);
        assert!(parse(&long, Class::Number).is_err(), "beyond all numbers");
    }
}

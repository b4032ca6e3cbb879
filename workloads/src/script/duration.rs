//! Durations and rates as a script writes them: `5ms`, `1.5s`, `exp(5ms)`, `1000/s`.

use std::time::Duration;
use wq_engine::sim::Draw;

/// The longest duration a script may ask for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// What a duration looks like, for messages.
const LOOK: &str = "a number with ns, us, ms, s, m or h, such as `5ms`";
/// Longest text that is looked at; no right one is longer.
const LONGEST_TEXT: usize = 100;

/// A fixed duration: an integer or decimal with its unit.
///
/// # Errors
/// What is wrong and what would be right, for the user.
pub(super) fn fixed(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if text.starts_with('-') {
        return Err("a duration cannot be negative".to_owned());
    }
    if number.is_empty() || text.len() > LONGEST_TEXT {
        return Err(format!("a duration is {LOOK}"));
    }
    let per_unit: u64 = match unit {
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "" => return Err(format!("the unit is missing: a duration is {LOOK}")),
        _ => {
            let shown = super::errors::quoted(unit);
            return Err(format!("unknown unit {shown}: a duration is {LOOK}"));
        }
    };
    let nanos = scaled_decimal(number, per_unit)?;
    let duration = u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos);
    if duration > LONGEST {
        return Err("a duration is at most 24 hours, `24h`".to_owned());
    }
    Ok(duration)
}

/// `number` (digits with at most one point) times `factor`, exactly.
fn scaled_decimal(number: &str, factor: u64) -> Result<u128, String> {
    let malformed = || format!("{} is no number", super::errors::quoted(number));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(malformed());
    }
    let fraction = fraction.trim_end_matches('0');
    // Twenty digits times any factor stay below 2^128.
    if whole.len() > 20 || fraction.len() > 15 {
        return Err(format!(
            "{} has too many digits",
            super::errors::quoted(number)
        ));
    }
    let whole: u128 = whole.parse().map_err(|_| malformed())?;
    let tenths = 10_u128.pow(fraction.len() as u32);
    let fraction: u128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().map_err(|_| malformed())?
    };
    let part = fraction * u128::from(factor);
    if !part.is_multiple_of(tenths) {
        return Err("finer than 1 ns".to_owned());
    }
    Ok(whole * u128::from(factor) + part / tenths)
}

/// A duration that may be drawn: fixed, `exp(MEAN)`, `uniform(LOW,HIGH)` or `lognormal(MEDIAN,SIGMA)`.
///
/// # Errors
/// What is wrong and what would be right, for the user.
pub(super) fn draw(text: &str) -> Result<Draw, String> {
    let Some((name, rest)) = text.split_once('(') else {
        return fixed(text).map(Draw::Fixed);
    };
    let Some(inner) = rest.strip_suffix(')') else {
        return Err("the closing `)` is missing".to_owned());
    };
    let arguments: Vec<&str> = inner.split(',').map(str::trim).collect();
    match (name, arguments.as_slice()) {
        ("exp", [mean]) => Ok(Draw::Exp(fixed(mean)?)),
        ("exp", _) => Err("`exp` takes one duration, its mean: `exp(5ms)`".to_owned()),
        ("uniform", [low, high]) => {
            let (low, high) = (fixed(low)?, fixed(high)?);
            if low > high {
                return Err("the first duration of `uniform` must not be the longer one".to_owned());
            }
            Ok(Draw::Uniform(low, high))
        }
        ("uniform", _) => {
            Err("`uniform` takes two durations, its bounds: `uniform(1ms,5ms)`".to_owned())
        }
        ("lognormal", [median, sigma]) => Ok(Draw::LogNormal(fixed(median)?, spread(sigma)?)),
        ("lognormal", _) => {
            Err("`lognormal` takes its median and sigma: `lognormal(5ms,2.0)`".to_owned())
        }
        _ => {
            let near = super::errors::did_you_mean(name, ["exp", "uniform", "lognormal"]);
            let name = super::errors::quoted(name);
            Err(format!(
                "unknown distribution {name} (there are exp, uniform, lognormal){near}"
            ))
        }
    }
}

/// The sigma of a log-normal draw.
fn spread(text: &str) -> Result<f64, String> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let sigma = if plain { text.parse().ok() } else { None };
    match sigma {
        Some(sigma) if sigma <= 10.0 => Ok(sigma),
        _ => Err("sigma is a number from 0 to 10, such as `2.0`".to_owned()),
    }
}

/// Calls a second, from `1000/s`.
///
/// # Errors
/// What is wrong and what would be right, for the user.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    const RIGHT: &str = "a rate is calls a second, such as `1000/s`";
    const HIGHEST: f64 = 1e9;
    let Some(number) = text.strip_suffix("/s").map(str::trim) else {
        return Err(RIGHT.to_owned());
    };
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let rate: f64 = match number.parse() {
        Ok(rate) if plain => rate,
        _ => return Err(RIGHT.to_owned()),
    };
    // The slowest rate that matters is one call in the longest duration.
    if rate < 1.0 / LONGEST.as_secs_f64() || rate > HIGHEST {
        return Err("a rate is more than none and at most `1000000000/s`".to_owned());
    }
    Ok(rate)
}

/// Whether every draw is 0: such a pace would make endless calls at one instant.
pub(super) fn is_zero(draw: &Draw) -> bool {
    match draw {
        Draw::Fixed(d) | Draw::Exp(d) | Draw::Uniform(_, d) | Draw::LogNormal(d, _) => d.is_zero(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_and_decimals() {
        let nanos = |text| fixed(text).map(|d| d.as_nanos());
        assert_eq!(nanos("5ns"), Ok(5));
        assert_eq!(nanos("5us"), Ok(5_000));
        assert_eq!(nanos("5ms"), Ok(5_000_000));
        assert_eq!(nanos("1.5s"), Ok(1_500_000_000));
        assert_eq!(nanos("0.25m"), Ok(15_000_000_000));
        assert_eq!(nanos("0ms"), Ok(0));
        assert_eq!(nanos("0.000001ms"), Ok(1));
        assert_eq!(nanos("1.50000000000000000000s"), Ok(1_500_000_000));
        assert_eq!(nanos("1440m"), Ok(LONGEST.as_nanos()));
        assert_eq!(nanos("24h"), Ok(LONGEST.as_nanos()));
        assert_eq!(nanos("1.5h"), nanos("90m"));
    }

    #[test]
    fn bad_durations_say_what_is_right() {
        let wrong = |text| fixed(text).expect_err("must be refused");
        let look = "a number with ns, us, ms, s, m or h, such as `5ms`";
        assert_eq!(
            wrong("5"),
            format!("the unit is missing: a duration is {look}")
        );
        assert_eq!(
            wrong("5msec"),
            format!("unknown unit `msec`: a duration is {look}")
        );
        assert_eq!(wrong("ms"), format!("a duration is {look}"));
        assert_eq!(wrong("-5ms"), "a duration cannot be negative");
        assert_eq!(wrong("1..5ms"), "`1..5` is no number");
        assert_eq!(wrong(".5ms"), "`.5` is no number");
        assert_eq!(wrong("0.5ns"), "finer than 1 ns");
        assert_eq!(wrong("1441m"), "a duration is at most 24 hours, `24h`");
        assert_eq!(
            wrong("99999999999999999999m"),
            "a duration is at most 24 hours, `24h`"
        );
        assert_eq!(
            wrong("999999999999999999999m"),
            "`999999999999999999999` has too many digits"
        );
    }

    #[test]
    fn draws() {
        let ms = Duration::from_millis;
        assert_eq!(draw("5ms"), Ok(Draw::Fixed(ms(5))));
        assert_eq!(draw("exp(5ms)"), Ok(Draw::Exp(ms(5))));
        assert_eq!(draw("uniform(1ms, 5ms)"), Ok(Draw::Uniform(ms(1), ms(5))));
        assert_eq!(draw("lognormal(5ms,2.0)"), Ok(Draw::LogNormal(ms(5), 2.0)));
    }

    #[test]
    fn bad_draws_say_what_is_right() {
        let wrong = |text| draw(text).expect_err("must be refused");
        assert_eq!(wrong("exp(5ms"), "the closing `)` is missing");
        assert_eq!(
            wrong("exp(1ms,2ms)"),
            "`exp` takes one duration, its mean: `exp(5ms)`"
        );
        assert_eq!(
            wrong("uniform(5ms)"),
            "`uniform` takes two durations, its bounds: `uniform(1ms,5ms)`"
        );
        assert_eq!(
            wrong("uniform(5ms,1ms)"),
            "the first duration of `uniform` must not be the longer one"
        );
        assert_eq!(
            wrong("lognormal(5ms,inf)"),
            "sigma is a number from 0 to 10, such as `2.0`"
        );
        assert_eq!(
            wrong("unifrom(1ms,5ms)"),
            "unknown distribution `unifrom` (there are exp, uniform, lognormal); did you mean `uniform`?"
        );
    }

    #[test]
    fn rates() {
        assert_eq!(rate("1000/s"), Ok(1000.0));
        assert_eq!(rate("0.5/s"), Ok(0.5));
        for bad in [
            "1000", "1000/m", "x/s", "-1/s", "inf/s", "nan/s", "/s", "1e3/s",
        ] {
            assert_eq!(
                rate(bad),
                Err("a rate is calls a second, such as `1000/s`".to_owned()),
                "{bad}"
            );
        }
        assert!(rate("0/s").is_err());
        assert!(rate("1000000001/s").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_or_an_error(text in "\\PC{0,40}") {
            let _ = (fixed(&text), draw(&text), rate(&text));
        }

        #[test]
        fn whole_numbers_are_exact(n in 0_u64..86_400_000) {
            prop_assert_eq!(fixed(&format!("{n}ms")), Ok(Duration::from_millis(n)));
        }
    }
}

//! The time of day, UTC, of moments that are given in nanoseconds since 1970.

use wq_trace::Snapshot;

/// Nanoseconds per second.
const S: u64 = 1_000_000_000;

/// When a moment on the segment's clock was, by what a state says of its engine; in nanoseconds since 1970.
pub fn at(state: &Snapshot, moment: u64) -> u64 {
    let up = moment.saturating_sub(state.meta.started_at);
    state.meta.started_wall.saturating_add(up)
}

/// The time of day: `13:50:11`.
pub fn clock(wall: u64) -> String {
    let (hours, minutes, seconds) = time(wall);
    format!("{hours:02}:{minutes:02}:{seconds:02}")
}

/// Date and time as part of a file's name: `20261123T135011Z`.
pub fn stamp(wall: u64) -> String {
    let (year, month, day) = date(wall / S / 86_400);
    let (hours, minutes, seconds) = time(wall);
    format!("{year:04}{month:02}{day:02}T{hours:02}{minutes:02}{seconds:02}Z")
}

fn time(wall: u64) -> (u64, u64, u64) {
    let seconds = wall / S % 86_400;
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of a day since 1970-01-01. Years are counted from March, so that a leap day is the last of one.
fn date(days: u64) -> (u64, u64, u64) {
    // Days since 0000-03-01, in eras of 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_that_of_utc() {
        assert_eq!(clock(0), "00:00:00");
        assert_eq!(clock(1_795_441_811 * S), "13:50:11");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_799, "20000229T235959Z"),
            (951_868_800, "20000301T000000Z"),
            (1_795_441_811, "20261123T135011Z"),
            (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(stamp(seconds * S), text);
        }
        assert!(!stamp(u64::MAX).is_empty());
    }
}

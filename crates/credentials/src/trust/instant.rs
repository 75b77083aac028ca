//! Points in time as lists write them (RFC 3339, section 5.6; XML Schema `dateTime` with a zone).

#![allow(
    clippy::arithmetic_side_effects,
    reason = "every number has at most four digits: nothing comes near the limits of 64 bits"
)]

use super::TrustListError;
use crate::time::UnixTime;

/// Reads `2026-08-13T16:59:16Z`, with an optional fraction (cut off) or a numeric offset.
pub(super) fn parse(text: &str) -> Result<UnixTime, TrustListError> {
    read(text).ok_or(TrustListError::Date)
}

fn read(text: &str) -> Option<UnixTime> {
    let bytes = text.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, c)| bytes.get(*at) != Some(c)) {
        return None;
    }
    let two = |from: usize| number(bytes.get(from..from.checked_add(2)?)?);
    let (year, month, day) = (number(bytes.get(..4)?)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    // A leap second is the second before it.
    if !(1..=days_in(year, month)).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let offset = offset(fraction_cut(text.get(19..)?)?)?;
    let days = days_since_epoch(year, month, day);
    let of_day = hour * 3600 + minute * 60 + second.min(59);
    Some(UnixTime(days * 86_400 + of_day - offset))
}

/// What follows a fraction of a second, if there is one.
fn fraction_cut(rest: &str) -> Option<&str> {
    let Some(fraction) = rest.strip_prefix('.') else {
        return Some(rest);
    };
    let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = fraction.len() - zone.len();
    (1..=9).contains(&digits).then_some(zone)
}

fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes() {
        b"Z" => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours.as_bytes())?, number(minutes.as_bytes())?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// At most four digits, so nothing here overflows.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| {
        let is_digit = digit.is_ascii_digit();
        is_digit.then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar; years from March, so that a leap day is the
/// last of its year.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::time::UnixTime;

    #[test]
    fn instants_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2026-08-13T16:59:16Z", 1_786_640_356),
            ("2026-08-13T16:59:16.123Z", 1_786_640_356),
            ("2026-08-13T18:59:16+02:00", 1_786_640_356),
            ("2026-08-13T16:29:16-00:30", 1_786_640_356),
            ("1969-12-31T23:59:59Z", -1),
            ("1970-01-01T00:00:59Z", 59),
            // A leap second is the second before it.
            ("1970-01-01T00:00:60Z", 59),
            ("1970-01-01T23:59:00+23:59", 0),
            ("1970-01-01T00:00:00-23:59", 86_340),
            ("1970-01-01T00:00:00.123456789Z", 0),
            // A fourth year, a hundredth, a four hundredth.
            ("2024-02-29T00:00:00Z", 1_709_164_800),
            ("2100-02-28T00:00:00Z", 4_107_456_000),
            ("2400-02-29T00:00:00Z", 13_574_563_200),
        ] {
            assert_eq!(parse(text), Ok(UnixTime(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-08-13",
            "2026-08-13T16:59:16",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-08-13T24:00:00Z",
            "2026-08-13T16:60:00Z",
            "2026-08-13T16:59:61Z",
            "2026-08-13T16:59:99Z",
            "1900-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-08-13T16:59:16+24:00",
            "2026-08-13T16:59:16+00:60",
            "2026-08-13T16:59:16-99:00",
            "2026-08-13T16:59:16.1234567890Z",
            "2026-08-13T16:59:16.Z",
            "2026-08-13T16:59:16z",
            "2026-08-13 16:59:16Z",
            "2026-08-13T16:59:16+2:00",
            "2026-08-13T16:59:16Zx",
            "20é6-08-13T16:59:16Z",
            "2026-08-13T16:59:1é",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

//! Times in documents and logs.

use crate::time::UnixTime;

/// Reads `YYYY-MM-DDThh:mm:ss[.fff](Z|±hh:mm)` (XML Schema 1.1, `dateTimeStamp`; RFC 3339).
/// Fractions of a second are cut off.
#[must_use]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
pub fn parse(text: &str) -> Option<UnixTime> {
    let bytes = text.as_bytes();
    if bytes.len() > 40 || !text.is_ascii() {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| bytes.get(*at) != Some(mark)) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let mut rest = text.get(19..)?;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        rest = fraction.get(digits..)?;
    }
    let seconds = days_from_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(UnixTime(seconds - offset(rest)?))
}

/// Seconds east of UTC.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.as_bytes() {
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let two = |from: usize| {
        let digits = text.get(from..from + 2)?;
        let good = digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|_: &i64| good)
    };
    let (hours, minutes) = (two(1)?, two(4)?);
    (hours <= 14 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar; years 0 to 9999.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
fn days_from_epoch(year: i64, month: i64, day: i64) -> i64 {
    let before: i64 = (1..month).map(|month| days_in_month(year, month)).sum();
    let leap_days = |year: i64| (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    year * 365 + leap_days(year) + before + day - 1 - 719_528
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_of_the_calendar() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2024-07-01T00:00:00.123456Z", 1_719_792_000),
            ("2025-01-01T01:00:00+01:00", 1_735_689_600),
            ("2024-12-31T23:30:00-00:30", 1_735_689_600),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(parse(text).map(|time| time.0), Some(seconds), "{text}");
        }
    }

    #[test]
    fn no_time() {
        for text in [
            "",
            "2025-01-01",
            "2025-01-01T00:00:00",
            "2025-01-01 00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-13-01T00:00:00Z",
            "2025-00-01T00:00:00Z",
            "2025-01-00T00:00:00Z",
            "2025-01-01T24:00:00Z",
            "2025-01-01T00:60:00Z",
            "2025-01-01T00:00:60Z",
            "2025-01-01T00:00:00.Z",
            "2025-01-01T00:00:00z",
            "2025-01-01T00:00:00Z ",
            "2025-01-01T00:00:00+15:00",
            "2025-01-01T00:00:00+1:00",
            "2025-01-01T00:00:00++1:00",
            "+025-01-01T00:00:00Z",
            "2025-01-01T00:00:00\u{661}Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

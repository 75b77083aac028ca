//! `xsd:dateTimeStamp`: a moment with its time zone.

use std::fmt;

use crate::time::UnixTime;

/// A moment as it was written. Two texts of one moment are equal in
/// [`time`](Self::time), not as values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateTimeStamp {
    text: String,
    time: UnixTime,
}

/// The text is no `xsd:dateTimeStamp`, or its year does not have four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time with a time zone")]
pub struct DateTimeError;

/// Longest text that is looked at: nanoseconds and more fit.
const MAX_LENGTH: usize = 64;

impl DateTimeStamp {
    /// Reads `YYYY-MM-DDThh:mm:ss(.s+)?(Z|±hh:mm)`.
    ///
    /// XML Schema 1.1 part 2, section 3.4.28, with years 0001 to 9999 and without
    /// `24:00:00`; fractions of a second are cut off.
    ///
    /// # Errors
    /// [`DateTimeError`].
    pub fn parse(text: &str) -> Result<Self, DateTimeError> {
        if text.len() > MAX_LENGTH {
            return Err(DateTimeError);
        }
        let time = seconds(text.as_bytes()).ok_or(DateTimeError)?;
        Ok(Self {
            text: text.to_owned(),
            time: UnixTime(time),
        })
    }

    /// A moment in UTC, to the second (`2026-11-23T18:00:00Z`). Years outside
    /// 0001 to 9999 stay at the limit.
    #[must_use]
    pub fn from_time(time: UnixTime) -> Self {
        let seconds = time.0.clamp(-62_135_596_800, 253_402_300_799);
        let (days, within) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = date_of(days);
        Self {
            text: format!(
                "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
                within / 3_600,
                within / 60 % 60,
                within % 60
            ),
            time: UnixTime(seconds),
        }
    }

    /// The text as received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The moment.
    #[must_use]
    pub const fn time(&self) -> UnixTime {
        self.time
    }
}

impl fmt::Display for DateTimeStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
fn seconds(text: &[u8]) -> Option<i64> {
    let (date_time, rest) = text.split_first_chunk::<19>()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators
        .iter()
        .any(|(at, byte)| date_time.get(*at) != Some(byte))
    {
        return None;
    }
    let part = |from: usize, to: usize| number(date_time.get(from..to)?);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    if year == 0 || day == 0 || day > days_in(year, month)? {
        return None;
    }
    // No leap seconds in XML Schema.
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let offset = offset(fraction(rest)?)?;
    Some(day_number(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset)
}

/// Steps over `.ddd`.
fn fraction(text: &[u8]) -> Option<&[u8]> {
    let Some(digits) = text.strip_prefix(b".") else {
        return Some(text);
    };
    let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    digits.get(count..).filter(|_| count > 0)
}

/// Seconds east of UTC.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text {
        b"Z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [hours @ .., b':', ten, one] = rest else {
        return None;
    };
    if hours.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours)?, number(&[*ten, *one])?);
    // XML Schema 1.1 part 2, section 3.4.28: at most 14 hours.
    let fits = hours < 14 && minutes < 60 || hours == 14 && minutes == 0;
    fits.then_some(sign * (hours * 3_600 + minutes * 60))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        i64::checked_mul(sum, 10)?.checked_add(digit.into())
    })
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    })
}

/// Days since 1970-01-01 in the Gregorian calendar; years begin in March, so the leap day is the last.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// The inverse of [`day_number`].
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::DateTimeStamp;
    use crate::time::UnixTime;

    #[test]
    fn moments() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2023-02-24T23:36:38Z", 1_677_281_798),
            ("2023-02-24T23:36:38.999999999Z", 1_677_281_798),
            ("2023-02-25T01:36:38+02:00", 1_677_281_798),
            ("2023-02-24T09:36:38-14:00", 1_677_281_798),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            let stamp = DateTimeStamp::parse(text).unwrap();
            assert_eq!((stamp.time(), stamp.as_str()), (UnixTime(seconds), text));
        }
    }

    #[test]
    fn what_is_no_moment() {
        for text in [
            "",
            "2023-02-24",
            "2023-02-24T23:36:38",
            "2023-02-24 23:36:38Z",
            "2023-02-24t23:36:38Z",
            "2023-02-24T23:36:38z",
            "2023-02-24T23:36Z",
            "2023-02-24T24:00:00Z",
            "2023-02-24T23:36:60Z",
            "2023-02-24T23:36:38.Z",
            "2023-02-24T23:36:38,5Z",
            "2023-02-24T23:36:38+0200",
            "2023-02-24T23:36:38+14:01",
            "2023-02-24T23:36:38+02:60",
            "2023-02-24T23:36:38Z ",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-01-00T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "-2023-01-01T00:00:00Z",
            "12023-01-01T00:00:00Z",
            "２023-01-01T00:00:00Z",
        ] {
            assert!(DateTimeStamp::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_135_596_800_i64..=253_402_300_799) {
            let written = DateTimeStamp::from_time(UnixTime(seconds));
            prop_assert_eq!(DateTimeStamp::parse(written.as_str()).unwrap(), written);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9TZ:.+-]{0,40}|.{0,30}") {
            let _ = DateTimeStamp::parse(&text);
        }
    }
}

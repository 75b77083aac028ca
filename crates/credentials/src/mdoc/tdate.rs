//! `tdate`: a date-time as text, in UTC and without fractions of a second
//! (ISO/IEC 18013-5:2021, section 9.1.2.4; RFC 3339).

use crate::cbor::{Item, TAG_TDATE, Writer};
use crate::credential_type::date::is_date;
use crate::time::UnixTime;

const DAY_S: i64 = 86_400;
/// 9999-12-31T23:59:59Z
const LAST: i64 = 253_402_300_799;

/// Reads `0("YYYY-MM-DDThh:mm:ssZ")`.
pub(super) fn read(item: Item<'_>) -> Option<UnixTime> {
    parse(item.tagged(TAG_TDATE).ok()?.text().ok()?)
}

/// Writes it; times outside of the years 1970 to 9999 become the nearest.
pub(super) fn write(time: UnixTime, out: &mut Writer) {
    out.tag(TAG_TDATE).text(&text(time));
}

/// Whether `text` is such a date-time.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
pub(super) fn parse(text: &str) -> Option<UnixTime> {
    let (date, time) = (text.get(..10)?, text.get(10..)?);
    let bytes = time.as_bytes();
    if !is_date(date) || bytes.len() != 10 {
        return None;
    }
    let [b'T', _, _, b':', _, _, b':', _, _, b'Z'] = bytes else {
        return None;
    };
    let number = |from: &str| {
        let digits = from.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| from.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = (number(time.get(1..3)?)?, number(time.get(4..6)?)?);
    let second = number(time.get(7..9)?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (year, month) = (number(date.get(..4)?)?, number(date.get(5..7)?)?);
    let days = days_from_civil(year, month, number(date.get(8..10)?)?);
    Some(UnixTime(days * DAY_S + hour * 3600 + minute * 60 + second))
}

/// The text of a time.
pub(super) fn text(time: UnixTime) -> String {
    let seconds = time.seconds().clamp(0, LAST);
    let (year, month, day) = civil_from_days(seconds / DAY_S);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Days since 1970-01-01 of a day of the Gregorian calendar. The year starts in March here, so
/// that the leap day is its last.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "years 0 to 9999 are far from the limits of an i64"
)]
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = (shifted + 2) % 12 + 1;
    let year = year + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_one_form_is_read() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(UnixTime(0)));
        assert_eq!(parse("2027-01-15T08:00:00Z"), Some(UnixTime(1_800_000_000)));
        assert_eq!(parse("2024-02-29T23:59:59Z"), Some(UnixTime(1_709_251_199)));
        assert_eq!(parse("9999-12-31T23:59:59Z"), Some(UnixTime(LAST)));
        for bad in [
            "2027-01-15T08:00:00.0Z",
            "2027-01-15T08:00:00+00:00",
            "2027-01-15T08:00:00",
            "2027-01-15t08:00:00z",
            "2027-01-15 08:00:00Z",
            "2027-02-29T08:00:00Z",
            "2027-01-15T24:00:00Z",
            "2027-01-15T08:60:00Z",
            "2027-01-15T08:00:60Z",
            "2027-01-15T+8:00:00Z",
            "2027-01-15",
            "",
            "2027-01-15T08:00:0üZ",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..=LAST) {
            prop_assert_eq!(parse(&text(UnixTime(seconds))), Some(UnixTime(seconds)));
        }

        #[test]
        fn any_text_is_refused_or_read(text in ".{0,30}") {
            let _ = parse(&text);
        }
    }
}

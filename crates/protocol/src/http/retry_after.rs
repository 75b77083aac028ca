//! `Retry-After` (RFC 9110, section 10.2.3): seconds or a date.

use vouchsafe_credentials::time::UnixTime;

use super::HttpResponse;

/// Longest wait that is believed, in seconds: a day.
pub const MAX_WAIT: i64 = 86_400;
/// Names of the months in dates (RFC 9110, section 5.6.7).
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// How many seconds to wait before the same request is sent again, where the answer is 429 or 503
/// and says it: 0 to [`MAX_WAIT`].
#[must_use]
pub fn retry_after(response: &HttpResponse, now: UnixTime) -> Option<i64> {
    if !matches!(response.status, 429 | 503) {
        return None;
    }
    let value = response.headers.at_most_one("retry-after").ok().flatten()?;
    let value = value.trim();
    let seconds = if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        value.parse().unwrap_or(MAX_WAIT)
    } else {
        date(value)?.since(now)
    };
    Some(seconds.clamp(0, MAX_WAIT))
}

/// A date in the one form that is generated: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<UnixTime> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let number = |text: &str, digits: usize| -> Option<i64> {
        let fits = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.parse().ok()).flatten()
    };
    let day = number(parts.next()?, 2).filter(|day| (1..=31).contains(day))?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let month = i64::try_from(month).ok()?;
    let year = number(parts.next()?, 4)?;
    let mut clock = parts.next()?.split(':');
    let hour = number(clock.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = number(clock.next()?, 2).filter(|minute| *minute < 60)?;
    let second = number(clock.next()?, 2).filter(|second| *second <= 60)?;
    if (parts.next(), parts.next(), clock.next()) != (Some("GMT"), None, None) {
        return None;
    }
    let days = days(year, month, day);
    Some(UnixTime(days * 86_400 + hour * 3600 + minute * 60 + second))
}

/// Days since 1970-01-01 of a date; `month` counts from 0. Years begin in March, so that the leap
/// day is the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = match month {
        0 | 1 => (year - 1, month + 10),
        _ => (year, month - 2),
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // From March: 31 30 31 30 31 31 30 31 30 31 31 and what is left.
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    const NOW: UnixTime = UnixTime(784_111_777);

    fn wait(status: u16, value: &str) -> Option<i64> {
        let response = HttpResponse {
            status,
            headers: [("retry-after", value)].into_iter().collect(),
            body: Vec::new(),
        };
        retry_after(&response, NOW)
    }

    #[test]
    fn seconds_and_dates() {
        assert_eq!(wait(503, "5"), Some(5));
        assert_eq!(wait(429, " 0 "), Some(0));
        assert_eq!(wait(503, "99999999999999999999"), Some(MAX_WAIT));
        // The example of RFC 9110 is NOW.
        assert_eq!(wait(503, "Sun, 06 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!(wait(503, "Sun, 06 Nov 1994 08:50:07 GMT"), Some(30));
        assert_eq!(wait(503, "Mon, 01 Jan 1990 00:00:00 GMT"), Some(0));
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(UnixTime(0)));
        let leap = date("Thu, 29 Feb 2024 12:00:00 GMT");
        assert_eq!(leap, Some(UnixTime(1_709_208_000)));
        let march = date("Fri, 01 Mar 2024 00:00:00 GMT");
        assert_eq!(march, Some(UnixTime(1_709_251_200)));
    }

    #[test]
    fn what_says_nothing() {
        for bad in [
            "",
            "-1",
            "1.5",
            "soon",
            "Sun, 06 Nov 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(wait(503, bad), None, "{bad}");
        }
        assert_eq!(wait(500, "5"), None);
        let twice = [("retry-after", "1"), ("retry-after", "2")];
        let response = HttpResponse {
            status: 503,
            headers: twice.into_iter().collect::<Headers>(),
            body: Vec::new(),
        };
        assert_eq!(retry_after(&response, NOW), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_wait_or_none(text in "[ -~]{0,40}") {
            let seconds = wait(503, &text);
            proptest::prop_assert!(seconds.is_none_or(|s| (0..=MAX_WAIT).contains(&s)));
        }
    }
}

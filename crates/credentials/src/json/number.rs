//! Numbers that mean the same to every reader.

use serde_json::Number;

use super::JsonError;

/// RFC 7493, section 2.2: the largest integer every reader keeps exactly.
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// A longer number has more digits than a double can hold.
const MAX_LENGTH: usize = 64;

/// Length of the number at the start of `text` (RFC 8259, section 6), if there is one.
pub(super) fn length(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        let count = text
            .get(from..)?
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        (count > 0).then(|| from.saturating_add(count))
    };
    let start = usize::from(text.first() == Some(&b'-'));
    let mut end = if text.get(start) == Some(&b'0') {
        start.saturating_add(1)
    } else {
        digits(start)?
    };
    if text.get(end) == Some(&b'.') {
        end = digits(end.saturating_add(1))?;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let after = end.saturating_add(1);
        let sign = usize::from(matches!(text.get(after), Some(b'+' | b'-')));
        end = digits(after.saturating_add(sign))?;
    }
    // "01" is no number: the zero must stand alone.
    (!text.get(end).is_some_and(u8::is_ascii_digit)).then_some(end)
}

/// Reads a number of correct form; refuses what would change its value.
pub(super) fn parse(text: &str) -> Result<Number, JsonError> {
    if text.len() > MAX_LENGTH {
        return Err(JsonError::LossyNumber);
    }
    let number = if text.bytes().all(|b| b == b'-' || b.is_ascii_digit()) {
        integer(text).map(Number::from)
    } else {
        fraction(text).and_then(Number::from_f64)
    };
    number.ok_or(JsonError::LossyNumber)
}

fn integer(text: &str) -> Option<i64> {
    let value: i64 = text.parse().ok()?;
    let plain = (-MAX_INTEGER..=MAX_INTEGER).contains(&value) && text != "-0";
    plain.then_some(value)
}

fn fraction(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let written = Decimal::read(text)?;
    // Written again, with as many digits or with as few as a double needs, it must be the same number.
    let precision = written.digits.len().saturating_sub(1);
    let kept = [format!("{value:.precision$e}"), format!("{value:e}")];
    let exact = kept
        .iter()
        .any(|text| Decimal::read(text).as_ref() == Some(&written));
    (value.is_finite() && exact).then_some(value)
}

/// `0.digits * 10^exponent`, without zeros at either end of the digits.
#[derive(PartialEq)]
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, mantissa),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{part}");
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            // Zero has one form; "-0" is none.
            return (!negative).then(|| Self {
                negative,
                digits: String::new(),
                exponent: 0,
            });
        }
        let leading = digits.len().saturating_sub(significant.len());
        let exponent = i64::from(exponent)
            .saturating_add(i64::try_from(whole.len()).ok()?)
            .saturating_sub(i64::try_from(leading).ok()?);
        Some(Self {
            negative,
            digits: significant.trim_end_matches('0').to_owned(),
            exponent,
        })
    }
}

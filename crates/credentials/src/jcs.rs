//! JSON Canonicalization Scheme (RFC 8785).
//!
//! Works on a [`Value`] and never on the text of a number, so the result is the
//! same whether `serde_json` was built with `arbitrary_precision` or without.
//! Who canonicalizes what somebody else sent parses it with [`crate::json`] first:
//! that refuses duplicate members and numbers that a double would change.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

use serde_json::{Map, Number, Value};

/// Deepest nesting that is canonicalized.
pub const MAX_DEPTH: usize = 128;

/// Why a value has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JcsError {
    /// RFC 8785, section 3.2.2.3: a number that no double holds, or an integer that a double would change.
    #[error("a number is not a double")]
    Number,
    /// Deeper than [`MAX_DEPTH`].
    #[error("nested too deeply")]
    TooDeep,
}

/// The canonical text of a value.
///
/// # Errors
/// [`JcsError`].
///
/// ```
/// use vouchsafe_credentials::jcs::canonicalize;
///
/// let value = serde_json::json!({"peach": 1e21, "apple": [true, 4.50]});
/// assert_eq!(canonicalize(&value)?, r#"{"apple":[true,4.5],"peach":1e+21}"#);
/// # Ok::<(), vouchsafe_credentials::jcs::JcsError>(())
/// ```
pub fn canonicalize(value: &Value) -> Result<String, JcsError> {
    let mut out = String::new();
    write_value(value, 0, &mut out)?;
    Ok(out)
}

/// [`canonicalize`] for an object.
///
/// # Errors
/// [`JcsError`].
pub fn canonicalize_object(members: &Map<String, Value>) -> Result<String, JcsError> {
    let mut out = String::new();
    write_object(members, 0, &mut out)?;
    Ok(out)
}

fn write_value(value: &Value, depth: usize, out: &mut String) -> Result<(), JcsError> {
    if depth > MAX_DEPTH {
        return Err(JcsError::TooDeep);
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_value(item, depth.saturating_add(1), out)?;
            }
            out.push(']');
        }
        Value::Object(members) => write_object(members, depth, out)?,
    }
    Ok(())
}

fn write_object(
    members: &Map<String, Value>,
    depth: usize,
    out: &mut String,
) -> Result<(), JcsError> {
    let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
    // RFC 8785, section 3.2.3: names in the order of their UTF-16 code units.
    sorted.sort_unstable_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push('{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        write_value(value, depth.saturating_add(1), out)?;
    }
    out.push('}');
    Ok(())
}

/// RFC 8785, section 3.2.2.2.
fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// RFC 8785, section 3.2.2.3: ECMA-262, `Number::toString` with radix 10.
fn write_number(number: &Number, out: &mut String) -> Result<(), JcsError> {
    if let Some(integer) = number.as_i64() {
        return write_integer(i128::from(integer), out);
    }
    if let Some(integer) = number.as_u64() {
        return write_integer(i128::from(integer), out);
    }
    let double = number.as_f64().ok_or(JcsError::Number)?;
    write_double(double, out)
}

fn write_integer(integer: i128, out: &mut String) -> Result<(), JcsError> {
    // The two casts are the question: does the integer survive as a double?
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the round trip is compared"
    )]
    let (double, back) = (integer as f64, (integer as f64) as i128);
    if back != integer {
        return Err(JcsError::Number);
    }
    write_double(double, out)
}

fn write_double(double: f64, out: &mut String) -> Result<(), JcsError> {
    if !double.is_finite() {
        return Err(JcsError::Number);
    }
    if double == 0.0 {
        // ECMA-262: minus zero is written as zero.
        out.push('0');
        return Ok(());
    }
    if double < 0.0 {
        out.push('-');
    }
    let shortest = shortest(double.abs());
    // The exponent form has an exponent, a small integer.
    let (mantissa, exponent) = shortest.split_once('e').ok_or(JcsError::Number)?;
    let exponent: i32 = exponent.parse().map_err(|_| JcsError::Number)?;
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    place_point(&digits, exponent.saturating_add(1), out);
    Ok(())
}

/// ECMA-262, `Number::toString`, step 5: `d.ddde±x` with the fewest digits that read back as
/// the same double, of those the closest, of two equally close ones the even one.
fn shortest(double: f64) -> String {
    let fewest = format!("{double:e}");
    let digits = fewest
        .bytes()
        .take_while(|b| *b != b'e')
        .filter(u8::is_ascii_digit)
        .count();
    let closest = format!("{double:.*e}", digits.saturating_sub(1));
    match closest.parse::<f64>() {
        // Bit by bit the same value, so no tolerance is wanted.
        Ok(read) if read.to_bits() == double.to_bits() => closest,
        _ => fewest,
    }
}

/// ECMA-262, `Number::toString`, steps 6 to 12; the value is `0.digits * 10^point`.
fn place_point(digits: &str, point: i32, out: &mut String) {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if (count..=21).contains(&point) {
        out.push_str(digits);
        out.push_str(&zeros(point.saturating_sub(count)));
    } else if (1..=21).contains(&point) {
        let (whole, part) = digits.split_at(usize::try_from(point).unwrap_or(0));
        out.push_str(whole);
        out.push('.');
        out.push_str(part);
    } else if (-5..=0).contains(&point) {
        out.push_str("0.");
        out.push_str(&zeros(point.saturating_neg()));
        out.push_str(digits);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        let exponent = point.saturating_sub(1);
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("e{sign}{}", exponent.unsigned_abs()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{JcsError, canonicalize};
    use crate::json;

    fn number(bits: u64) -> String {
        canonicalize(&json!(f64::from_bits(bits))).unwrap()
    }

    #[test]
    fn numbers_of_rfc_8785_appendix_b() {
        for (bits, text) in [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(number(bits), text);
        }
    }

    #[test]
    fn integers_that_a_double_changes_are_refused() {
        for text in [
            "9007199254740993",
            "18446744073709551615",
            "-9007199254740993",
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(canonicalize(&value), Err(JcsError::Number), "{text}");
        }
        let exact: Value = serde_json::from_str("9007199254740992").unwrap();
        assert_eq!(canonicalize(&exact).unwrap(), "9007199254740992");
    }

    #[test]
    fn names_are_sorted_by_utf_16_code_units() {
        // U+1F600 begins with the unit D83D, which is below U+FB33.
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "\u{20ac}": 3, "\r": 4, "1": 5});
        assert_eq!(
            canonicalize(&value).unwrap(),
            "{\"\\r\":4,\"1\":5,\"\u{20ac}\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }

    #[test]
    fn strings_escape_what_must_be_and_nothing_else() {
        let value = json!("\u{0}\u{1f}\u{8}\t\n\u{c}\r\"\\/\u{7f}\u{2028}\u{20ac}");
        assert_eq!(
            canonicalize(&value).unwrap(),
            "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\u{7f}\u{2028}\u{20ac}\""
        );
    }

    #[test]
    fn deep_values_are_refused_without_overflow() {
        let mut value = json!(1);
        for _ in 0..200 {
            value = json!([value]);
        }
        assert_eq!(canonicalize(&value), Err(JcsError::TooDeep));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_same_double(bits in any::<u64>()) {
            let double = f64::from_bits(bits);
            prop_assume!(double.is_finite());
            let text = canonicalize(&json!(double)).unwrap();
            prop_assert_eq!(text.parse::<f64>().unwrap(), double);
        }

        #[test]
        fn canonical_text_is_a_fixed_point(text in r#"[\[\]{}",:0-9a-z\\.eE+-]{0,40}"#) {
            if let Ok(value) = json::parse_strict(text.as_bytes()) {
                let once = canonicalize(&value).unwrap();
                let again = json::parse_strict(once.as_bytes()).unwrap();
                prop_assert_eq!(canonicalize(&again).unwrap(), once);
            }
        }
    }
}

//! Strict multibase: one text for every byte string.

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

use multibase::Base;

use crate::encoding::{b64url, b64url_decode};

/// base58btc with its prefix `z`.
#[must_use]
pub fn base58btc(bytes: &[u8]) -> String {
    multibase::encode(Base::Base58Btc, bytes)
}

/// Reads base58btc with its prefix `z` that must give `length` bytes, at most 1024.
/// `None` for another base, another length, or a text that is not the canonical one.
#[must_use]
pub fn base58btc_decode(text: &str, length: usize) -> Option<Vec<u8>> {
    // One byte has at most 1.37 digits. The work grows with the square of the length.
    let longest = (length.saturating_mul(11) / 8).saturating_add(3);
    if length > 1024 || text.len() > longest || !text.starts_with('z') {
        return None;
    }
    let (base, bytes) = multibase::decode(text).ok()?;
    (base == Base::Base58Btc && bytes.len() == length && base58btc(&bytes) == text).then_some(bytes)
}

/// base64url without padding, with its prefix `u`.
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    format!("u{}", b64url(bytes))
}

/// Reads base64url without padding, with its prefix `u`; no other base, no bits beyond the last byte.
#[must_use]
pub fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    b64url_decode(text.strip_prefix('u')?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{base58btc, base58btc_decode, base64url, base64url_decode};

    #[test]
    fn cat_166_one_text_for_every_byte_string() {
        let text = base58btc(&[7; 64]);
        assert_eq!(base58btc_decode(&text, 64), Some(vec![7; 64]));
        for bad in [
            text[1..].to_owned(),
            format!("u{}", &text[1..]),
            format!("Z{}", &text[1..]),
            format!("z1{}", &text[1..]),
            format!("z{}1", &text[1..]),
            format!("{text} "),
            format!("z0{}", &text[2..]),
            format!("zl{}", &text[2..]),
            String::new(),
            "z".to_owned(),
            "z".repeat(100_000),
        ] {
            assert_eq!(base58btc_decode(&bad, 64), None, "{bad:.80}");
        }
        assert_eq!(base58btc_decode(&text, 63), None);
        assert_eq!(
            base58btc_decode(&base58btc(&[0; 64]), 64),
            Some(vec![0; 64])
        );
    }

    #[test]
    fn cat_166_base64url_without_padding() {
        assert_eq!(base64url_decode("u_-8"), Some(vec![0xff, 0xef]));
        for bad in ["_-8", "m_-8", "U_-8=", "u_-8=", "u_-9", "u/+8", "z_-8", ""] {
            assert_eq!(base64url_decode(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn round_trips(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(base58btc_decode(&base58btc(&bytes), bytes.len()), Some(bytes.clone()));
            prop_assert_eq!(base64url_decode(&base64url(&bytes)), Some(bytes));
        }

        #[test]
        fn what_is_read_is_canonical(text in "z[1-9A-Za-z]{0,90}", length in 0_usize..70) {
            if let Some(bytes) = base58btc_decode(&text, length) {
                prop_assert_eq!(base58btc(&bytes), text);
            }
        }
    }
}

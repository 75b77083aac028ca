//! Strict base64url.

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

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// RFC 7515, section 2: base64url without padding. Non-zero trailing bits are refused,
/// so every byte string has exactly one text.
const STRICT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The text is not base64url as RFC 7515 wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not unpadded base64url")]
pub struct Base64Error;

/// base64url without padding.
#[must_use]
pub fn b64url(bytes: &[u8]) -> String {
    STRICT.encode(bytes)
}

/// Appends base64url without padding to `out`.
pub fn b64url_append(bytes: &[u8], out: &mut String) {
    STRICT.encode_string(bytes, out);
}

/// Decodes base64url; refuses padding, other alphabets, white space and non-zero trailing bits.
pub fn b64url_decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    STRICT.decode(text).map_err(|_| Base64Error)
}

/// Decodes base64url that must give exactly `N` bytes.
pub fn b64url_decode_array<const N: usize>(text: &str) -> Result<[u8; N], Base64Error> {
    // The decoder asks for a little more room than the result needs. No key, hash or signature is longer than 96 bytes.
    const { assert!(N <= 96) };
    let mut buffer = [0; 128];
    let length = STRICT
        .decode_slice(text, &mut buffer)
        .map_err(|_| Base64Error)?;
    let bytes = buffer.get(..length).ok_or(Base64Error)?;
    bytes.try_into().map_err(|_| Base64Error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Base64Error, b64url, b64url_decode, b64url_decode_array};

    #[test]
    fn only_one_text_per_byte_string() {
        assert_eq!(b64url_decode("_-8"), Ok(vec![0xff, 0xef]));
        for text in [
            "_-8=",
            "_-9",
            "/+8",
            "_-8\n",
            " _-8",
            "_-8 ",
            "_",
            "_-8A_",
            "_\u{2212}8",
            "AAAA=",
            "====",
        ] {
            assert_eq!(b64url_decode(text), Err(Base64Error), "{text:?}");
        }
    }

    #[test]
    fn arrays_have_their_length() {
        assert_eq!(b64url_decode_array::<2>("_-8"), Ok([0xff, 0xef]));
        assert_eq!(b64url_decode_array::<3>("_-8"), Err(Base64Error));
        assert_eq!(b64url_decode_array::<1>("_-8"), Err(Base64Error));
        assert_eq!(
            b64url_decode_array::<64>(&"A".repeat(10_000)),
            Err(Base64Error)
        );
        assert_eq!(b64url_decode_array::<96>(&b64url(&[7; 96])), Ok([7; 96]));
    }

    proptest! {
        #[test]
        fn round_trip(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(b64url_decode(&b64url(&bytes)).unwrap(), bytes);
        }

        #[test]
        fn what_is_accepted_is_canonical(text in "[A-Za-z0-9_=+/-]{0,12}") {
            if let Ok(bytes) = b64url_decode(&text) {
                prop_assert_eq!(b64url(&bytes), text);
            }
        }
    }
}

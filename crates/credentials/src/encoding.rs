//! Strict base64url.

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
    buffer[..length].try_into().map_err(|_| Base64Error)
}

//! Claims that are bytes: text in JSON, a byte string in an mdoc.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ClaimKind;
use crate::encoding::b64url_decode;
use crate::mdoc::MAX_PORTRAIT_BYTES;

/// EU PID rulebook, section 4.1.1, `picture`: "data URL containing the base64-encoded portrait in
/// JPEG format".
const JPEG_URL: &str = "data:image/jpeg;base64,";

/// The bytes of a claim of kind `bytes` or `picture`; `None` where the text is none, or too long.
pub(super) fn decode(kind: ClaimKind, text: &str) -> Option<Vec<u8>> {
    // Four characters for three bytes: what is longer is not decoded.
    if text.len() > MAX_PORTRAIT_BYTES / 3 * 4 + 64 {
        return None;
    }
    let bytes = match kind {
        ClaimKind::Bytes => b64url_decode(text).ok()?,
        ClaimKind::Picture => STANDARD.decode(text.strip_prefix(JPEG_URL)?).ok()?,
        _ => return None,
    };
    (bytes.len() <= MAX_PORTRAIT_BYTES).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::b64url;

    #[test]
    fn bytes_are_base64url_and_pictures_are_data_urls() {
        let bytes = |text| decode(ClaimKind::Bytes, text);
        assert_eq!(bytes("_-8"), Some(vec![0xff, 0xef]));
        for bad in ["_-8=", "/+8", "_-9", "a b", "data:image/jpeg;base64,_-8"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
        let picture = |text| decode(ClaimKind::Picture, text);
        assert_eq!(
            picture("data:image/jpeg;base64,/+8="),
            Some(vec![0xff, 0xef])
        );
        for bad in [
            "/+8=",
            "data:image/jpeg;base64,/+8",
            "data:image/png;base64,/+8=",
            "data:image/jpeg,/+8=",
            "data:text/html;base64,/+8=",
        ] {
            assert_eq!(picture(bad), None, "{bad}");
        }
        assert_eq!(decode(ClaimKind::String, "_-8"), None);
    }

    #[test]
    fn cat_154_pictures_of_a_claim_are_bounded() {
        let sized = |size| decode(ClaimKind::Bytes, &b64url(&vec![7; size])).is_some();
        assert!(sized(MAX_PORTRAIT_BYTES));
        assert!(!sized(MAX_PORTRAIT_BYTES + 1));
        assert!(!sized(4 * MAX_PORTRAIT_BYTES));
    }
}

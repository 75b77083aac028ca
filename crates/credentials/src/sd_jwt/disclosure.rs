//! One Disclosure, RFC 9901, section 4.2.

use serde_json::Value;

use super::{SdJwtError, is_reserved};
use crate::{encoding::b64url_decode, json::parse_strict};

/// What a received Disclosure says.
#[derive(Debug)]
pub(super) enum Disclosure {
    /// `[salt, name, value]`
    Property { name: String, value: Value },
    /// `[salt, value]`
    Element { value: Value },
}

impl Disclosure {
    /// Decodes the text as received.
    pub(super) fn decode(encoded: &str) -> Result<Self, SdJwtError> {
        let bytes = b64url_decode(encoded).map_err(|_| SdJwtError::DisclosureEncoding)?;
        let json = parse_strict(&bytes).map_err(|_| SdJwtError::DisclosureJson)?;
        let Value::Array(parts) = json else {
            return Err(SdJwtError::DisclosureShape);
        };
        let mut parts = parts.into_iter();
        // Sections 4.2.1 and 4.2.2: salt and claim name are strings.
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Value::String(_salt)), Some(value), None, None) => Ok(Self::Element { value }),
            (Some(Value::String(_salt)), Some(Value::String(name)), Some(value), None) => {
                // Section 7.1, step 3.c.ii.2. `_sd_alg` belongs to the top
                // level of the signed payload (section 4.1.1).
                if is_reserved(&name) {
                    return Err(SdJwtError::DisclosureReservedName);
                }
                Ok(Self::Property { name, value })
            }
            _ => Err(SdJwtError::DisclosureShape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::b64url;

    fn decode(json: &[u8]) -> Result<Disclosure, SdJwtError> {
        Disclosure::decode(&b64url(json))
    }

    #[test]
    fn cat_002_invalid_utf8() {
        let bad = b"[\"c2FsdA\",\"name\",\"\xc3\x28\"]";
        assert_eq!(decode(bad).err(), Some(SdJwtError::DisclosureJson));
    }

    #[test]
    fn cat_004_unused_bits_of_the_last_character() {
        // `WyJzIiwxXQ` ends in `Q`; `R` encodes the same bytes.
        let good = b64url(br#"["s",1]"#);
        let altered = format!("{}R", good.strip_suffix('Q').unwrap());
        assert!(Disclosure::decode(&good).is_ok());
        assert_eq!(
            Disclosure::decode(&altered).err(),
            Some(SdJwtError::DisclosureEncoding)
        );
        assert_eq!(
            Disclosure::decode(&format!("{good}==")).err(),
            Some(SdJwtError::DisclosureEncoding)
        );
    }

    #[test]
    fn cat_007_wrong_shapes() {
        let shapes: [&[u8]; 9] = [
            b"{}",
            b"\"x\"",
            b"5",
            b"null",
            b"[]",
            b"[\"s\"]",
            br#"["s","n","v","x"]"#,
            br#"[1,"n","v"]"#,
            br#"["s",1,"v"]"#,
        ];
        for json in shapes {
            assert_eq!(decode(json).err(), Some(SdJwtError::DisclosureShape));
        }
        assert_eq!(
            decode(br#"["s","n","v"] x"#).err(),
            Some(SdJwtError::DisclosureJson)
        );
        assert_eq!(
            decode(br#"["s","n",{"a":1,"a":2}]"#).err(),
            Some(SdJwtError::DisclosureJson)
        );
    }

    #[test]
    fn cat_008_reserved_claim_names() {
        for name in ["_sd", "...", "_sd_alg"] {
            let json = format!(r#"["s","{name}","v"]"#);
            let refused = decode(json.as_bytes()).err();
            assert_eq!(refused, Some(SdJwtError::DisclosureReservedName));
        }
    }
}

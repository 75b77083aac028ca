//! The compact serialization, RFC 9901, section 4.

use super::{MAX_COMPACT_BYTES, MAX_DISCLOSURES, SdJwtError};

/// An SD-JWT or SD-JWT+KB taken apart. Nothing in it has been verified.
#[derive(Debug, Clone)]
pub struct SdJwt<'a> {
    issuer_signed: &'a str,
    disclosures: Vec<&'a str>,
    key_binding: Option<&'a str>,
    bound: &'a str,
}

impl<'a> SdJwt<'a> {
    /// Splits `<JWT>~<Disclosure>~…~[<KB-JWT>]`.
    ///
    /// # Errors
    /// When the text has another shape or exceeds a limit.
    pub fn parse(compact: &'a str) -> Result<Self, SdJwtError> {
        if compact.len() > MAX_COMPACT_BYTES {
            return Err(SdJwtError::TooLong);
        }
        // RFC 9901, section 8 (JWS JSON serialization) is optional: refused.
        if compact.starts_with('{') {
            return Err(SdJwtError::JsonSerialization);
        }
        let (issuer_signed, rest) = compact.split_once('~').ok_or(SdJwtError::Malformed)?;
        if issuer_signed.is_empty() {
            return Err(SdJwtError::Malformed);
        }
        // Section 4: the last separator must not be omitted; what follows it
        // is empty or a Key Binding JWT.
        let (middle, last) = match rest.rsplit_once('~') {
            Some((middle, last)) => (Some(middle), last),
            None => (None, rest),
        };
        let mut disclosures = Vec::new();
        for part in middle.into_iter().flat_map(|middle| middle.split('~')) {
            if part.is_empty() {
                return Err(SdJwtError::Malformed);
            }
            if disclosures.len() == MAX_DISCLOSURES {
                return Err(SdJwtError::TooManyDisclosures);
            }
            disclosures.push(part);
        }
        let key_binding = match last {
            "" => None,
            jwt if jwt.contains('.') => Some(jwt),
            _ => return Err(SdJwtError::Malformed),
        };
        let bound = compact.strip_suffix(last).unwrap_or_default();
        Ok(Self {
            issuer_signed,
            disclosures,
            key_binding,
            bound,
        })
    }

    /// The Issuer-signed JWT.
    #[must_use]
    pub fn issuer_signed(&self) -> &'a str {
        self.issuer_signed
    }

    /// The Disclosures as received, in the order received.
    #[must_use]
    pub fn disclosures(&self) -> &[&'a str] {
        &self.disclosures
    }

    /// The Key Binding JWT, when there is one.
    #[must_use]
    pub fn key_binding(&self) -> Option<&'a str> {
        self.key_binding
    }

    /// What `sd_hash` is taken over: all up to and including the last `~`
    /// (RFC 9901, section 4.3.1).
    #[must_use]
    pub fn bound_text(&self) -> &'a str {
        self.bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_forms_of_the_specification() {
        let plain = SdJwt::parse("a.b.c~").unwrap();
        assert_eq!((plain.disclosures().len(), plain.key_binding()), (0, None));
        let disclosed = SdJwt::parse("a.b.c~D1~D2~").unwrap();
        assert_eq!(
            (disclosed.disclosures(), disclosed.key_binding()),
            (&["D1", "D2"][..], None)
        );
        let bound = SdJwt::parse("a.b.c~x.y.z").unwrap();
        assert_eq!(
            (bound.disclosures().len(), bound.key_binding()),
            (0, Some("x.y.z"))
        );
        assert_eq!(bound.bound_text(), "a.b.c~");
        let both = SdJwt::parse("a.b.c~D1~x.y.z").unwrap();
        assert_eq!(
            (both.disclosures(), both.key_binding()),
            (&["D1"][..], Some("x.y.z"))
        );
        assert_eq!(both.bound_text(), "a.b.c~D1~");
        assert_eq!(both.issuer_signed(), "a.b.c");
    }

    #[test]
    fn other_shapes_are_refused() {
        for bad in [
            "",
            "~",
            "a.b.c",
            "a.b.c~D1",
            "~D1~",
            "a.b.c~~",
            "a.b.c~D1~~",
            "a.b.c~~x.y.z",
        ] {
            assert_eq!(
                SdJwt::parse(bad).err(),
                Some(SdJwtError::Malformed),
                "{bad}"
            );
        }
    }

    #[test]
    fn cat_035_json_serialization_is_off() {
        let json = r#"{"header":{"disclosures":[]},"payload":"","signature":""}"#;
        assert_eq!(
            SdJwt::parse(json).err(),
            Some(SdJwtError::JsonSerialization)
        );
    }

    #[test]
    fn disclosures_are_counted_before_they_are_read() {
        let text = |n: usize| format!("a.b.c~{}", "D~".repeat(n));
        assert_eq!(
            SdJwt::parse(&text(MAX_DISCLOSURES))
                .unwrap()
                .disclosures()
                .len(),
            512
        );
        let refused = SdJwt::parse(&text(MAX_DISCLOSURES + 1)).err();
        assert_eq!(refused, Some(SdJwtError::TooManyDisclosures));
        let long = "a".repeat(MAX_COMPACT_BYTES + 1);
        assert_eq!(SdJwt::parse(&long).err(), Some(SdJwtError::TooLong));
    }
}

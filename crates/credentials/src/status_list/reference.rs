//! The reference from a credential to its status.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::StatusError;
use crate::cbor::{Item, Writer};

/// Longest accepted `uri`, in bytes.
const MAX_URI_BYTES: usize = 2048;

/// `status.status_list` of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusRef {
    /// URI of the Status List Token.
    pub uri: String,
    /// Index in the list.
    pub idx: u64,
}

impl StatusRef {
    /// Reads the value of `status_list` ("Referenced Token in JOSE"). Members
    /// of later drafts are ignored.
    ///
    /// # Errors
    /// [`StatusError::Claim`] when `uri` or `idx` is missing or malformed.
    pub fn from_json(value: &Value) -> Result<Self, StatusError> {
        let idx = value.get("idx").and_then(Value::as_u64);
        let uri = value.get("uri").and_then(Value::as_str);
        let uri = uri
            .filter(|uri| is_uri(uri))
            .ok_or(StatusError::Claim("uri"))?;
        Ok(Self {
            uri: uri.to_owned(),
            idx: idx.ok_or(StatusError::Claim("idx"))?,
        })
    }

    /// Reads the value of `status_list` ("Referenced Token in COSE"), of a CWT or of the mobile
    /// security object of an mdoc.
    ///
    /// # Errors
    /// [`StatusError::Claim`] when `uri` or `idx` is missing or malformed.
    pub fn from_cbor(item: Item<'_>) -> Result<Self, StatusError> {
        let fields = item
            .fields()
            .map_err(|_| StatusError::Claim("status_list"))?;
        let idx = fields.optional("idx").and_then(|idx| idx.unsigned().ok());
        let uri = fields.optional("uri").and_then(|uri| uri.text().ok());
        let uri = uri.filter(|uri| is_uri(uri));
        Ok(Self {
            uri: uri.ok_or(StatusError::Claim("uri"))?.to_owned(),
            idx: idx.ok_or(StatusError::Claim("idx"))?,
        })
    }

    /// Writes the value of `status_list`.
    pub fn write_cbor(&self, out: &mut Writer) {
        out.map(2).text("idx").unsigned(self.idx);
        out.text("uri").text(&self.uri);
    }

    /// The value of the claim `status`.
    #[must_use]
    pub fn to_claim(&self) -> Value {
        json!({"status_list": {"idx": self.idx, "uri": self.uri}})
    }
}

/// RFC 3986, section 3: a scheme, a colon, and only characters that a URI may
/// have. What may be fetched is the fetcher's decision.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let scheme_char = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    let forbidden = |b: u8| {
        matches!(
            b,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
    };
    text.len() <= MAX_URI_BYTES
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(scheme_char)
        && !rest.is_empty()
        && rest.bytes().all(|b| b.is_ascii_graphic() && !forbidden(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_references_are_refused() {
        for bad in [
            json!(null),
            json!({}),
            json!({"idx": 0}),
            json!({"uri": "https://a.example/1"}),
            json!({"idx": -1, "uri": "https://a.example/1"}),
            json!({"idx": 1.5, "uri": "https://a.example/1"}),
            json!({"idx": "1", "uri": "https://a.example/1"}),
            json!({"idx": 1, "uri": "no uri"}),
            json!({"idx": 1, "uri": "https://a.example/\n"}),
            json!({"idx": 1, "uri": ["https://a.example/1"]}),
            json!({"idx": 1, "uri": format!("https://a.example/{}", "a".repeat(MAX_URI_BYTES))}),
        ] {
            assert!(StatusRef::from_json(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_claim_reads_back() {
        let reference = StatusRef {
            uri: "https://example.com/statuslists/1".into(),
            idx: 7,
        };
        let claim = reference.to_claim();
        assert_eq!(
            StatusRef::from_json(&claim["status_list"]).unwrap(),
            reference
        );
    }
}

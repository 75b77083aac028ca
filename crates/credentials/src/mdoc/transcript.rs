//! `SessionTranscript`: what a device authentication is bound to
//! (ISO/IEC 18013-5:2021, section 9.1.5.1; OpenID4VP 1.0, appendix B.2.6).

use super::MdocError;
use crate::cbor::{Item, Writer};
use crate::crypto::{PublicKey, sha256};
use crate::encoding::b64url_decode_array;

/// The encoded `SessionTranscript` of one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionTranscript(Vec<u8>);

impl SessionTranscript {
    /// OpenID4VP over redirects (appendix B.2.6.1).
    ///
    /// `client_id` is the full one with its prefix; `response_uri` is the `response_uri` or
    /// `redirect_uri` of the request. `encryption_key` is the key the response is encrypted to;
    /// `None` where it is not encrypted.
    #[must_use]
    pub fn openid4vp(
        client_id: &str,
        nonce: &str,
        encryption_key: Option<&PublicKey>,
        response_uri: &str,
    ) -> Self {
        let mut info = Writer::new();
        info.array(4).text(client_id).text(nonce);
        thumbprint(encryption_key, &mut info);
        info.text(response_uri);
        Self::of_handover("OpenID4VPHandover", &info.finish())
    }

    /// OpenID4VP over the Digital Credentials API (appendix B.2.6.2). `origin` is without `origin:`.
    #[must_use]
    pub fn openid4vp_dc_api(origin: &str, nonce: &str, encryption_key: Option<&PublicKey>) -> Self {
        let mut info = Writer::new();
        info.array(3).text(origin).text(nonce);
        thumbprint(encryption_key, &mut info);
        Self::of_handover("OpenID4VPDCAPIHandover", &info.finish())
    }

    fn of_handover(kind: &str, info: &[u8]) -> Self {
        let mut out = Writer::with_capacity(70);
        out.array(3).null().null();
        out.array(2).text(kind).bytes(&sha256(info));
        Self(out.finish())
    }

    /// Any other transcript, as its encoded array `[DeviceEngagementBytes / null,
    /// EReaderKeyBytes / null, Handover]`.
    ///
    /// # Errors
    /// When it is no array of three.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, MdocError> {
        Item::parse(&bytes)?.array_of::<3>()?;
        Ok(Self(bytes))
    }

    /// The encoded array.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `#6.24(bstr .cbor SessionTranscript)`
    pub(super) fn embedded(&self) -> Vec<u8> {
        Writer::with_capacity(self.0.len().saturating_add(8))
            .embedded(&self.0)
            .finish()
    }
}

/// `jwkThumbprint`: the 32 bytes of the RFC 7638 thumbprint, or `null`.
#[expect(clippy::expect_used, reason = "a thumbprint is base64url of 32 bytes")]
fn thumbprint(key: Option<&PublicKey>, out: &mut Writer) {
    match key {
        Some(key) => {
            let bytes = b64url_decode_array::<32>(&key.thumbprint());
            out.bytes(&bytes.expect("a thumbprint is base64url of 32 bytes"))
        }
        None => out.null(),
    };
}

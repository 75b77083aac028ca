//! Enveloped credentials and presentations (VCDM 2.0, sections 4.13.1 and 4.13.3).

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use serde_json::{Value, json};

use super::VcdmError;
use super::parts::{self, Version};

/// The type of an enveloped credential.
pub const ENVELOPED_CREDENTIAL: &str = "EnvelopedVerifiableCredential";
/// The type of an enveloped presentation.
pub const ENVELOPED_PRESENTATION: &str = "EnvelopedVerifiablePresentation";

/// Longest `data:` URL that is read, in bytes.
const MAX_URL: usize = 2 * 1024 * 1024;

/// Media types of envelopes (VC-JOSE-COSE, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EnvelopeType {
    /// `application/vc+jwt`
    VcJwt,
    /// `application/vp+jwt`
    VpJwt,
    /// `application/vc+sd-jwt`
    VcSdJwt,
    /// `application/vp+sd-jwt`
    VpSdJwt,
    /// `application/vc+cose`
    VcCose,
    /// `application/vp+cose`
    VpCose,
}

impl EnvelopeType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::VcJwt,
        Self::VpJwt,
        Self::VcSdJwt,
        Self::VpSdJwt,
        Self::VcCose,
        Self::VpCose,
    ];

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::VcJwt => "application/vc+jwt",
            Self::VpJwt => "application/vp+jwt",
            Self::VcSdJwt => "application/vc+sd-jwt",
            Self::VpSdJwt => "application/vp+sd-jwt",
            Self::VcCose => "application/vc+cose",
            Self::VpCose => "application/vp+cose",
        }
    }

    /// What stands in `typ` headers: the media type without `application/`.
    #[must_use]
    pub fn typ(self) -> &'static str {
        self.media_type()
            .strip_prefix("application/")
            .unwrap_or_default()
    }

    /// Whether it holds a presentation.
    #[must_use]
    pub const fn is_presentation(self) -> bool {
        matches!(self, Self::VpJwt | Self::VpSdJwt | Self::VpCose)
    }

    /// Whether it is made of bytes, which a `data:` URL holds in base64.
    #[must_use]
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::VcCose | Self::VpCose)
    }
}

/// An enveloped credential or presentation, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enveloped {
    kind: EnvelopeType,
    content: Vec<u8>,
}

impl Enveloped {
    /// An envelope of this type with this content: text, or the bytes of COSE.
    #[must_use]
    pub fn new(kind: EnvelopeType, content: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            content: content.into(),
        }
    }

    /// Reads an object of the type [`ENVELOPED_CREDENTIAL`] or [`ENVELOPED_PRESENTATION`].
    ///
    /// # Errors
    /// [`VcdmError`]: the context, the type, or an `id` that is no `data:` URL of a known envelope.
    pub fn parse(document: &Value) -> Result<Self, VcdmError> {
        let members = document.as_object().ok_or(VcdmError::NotAnObject)?;
        if parts::context(members)? == Version::V1_1 {
            return Err(VcdmError::Version1);
        }
        let types = parts::types(members, "type")?;
        let presentation = match types.as_slice() {
            [one] if one == ENVELOPED_CREDENTIAL => false,
            [one] if one == ENVELOPED_PRESENTATION => true,
            _ => return Err(VcdmError::WrongType),
        };
        let id = members.get("id").ok_or(VcdmError::Missing("id"))?;
        let url = id.as_str().ok_or(VcdmError::Malformed("id"))?;
        let (kind, content) = read_data_url(url).ok_or(VcdmError::Malformed("id"))?;
        if kind.is_presentation() != presentation {
            return Err(VcdmError::WrongType);
        }
        Ok(Self { kind, content })
    }

    /// The object that stands for it in a presentation.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let class = if self.kind.is_presentation() {
            ENVELOPED_PRESENTATION
        } else {
            ENVELOPED_CREDENTIAL
        };
        json!({"@context": parts::CONTEXT, "id": self.to_url(), "type": class})
    }

    fn to_url(&self) -> String {
        let media_type = self.kind.media_type();
        match std::str::from_utf8(&self.content) {
            Ok(text) if !self.kind.is_binary() => format!("data:{media_type},{text}"),
            _ => format!("data:{media_type};base64,{}", BASE64.encode(&self.content)),
        }
    }

    /// What kind of envelope.
    #[must_use]
    pub const fn kind(&self) -> EnvelopeType {
        self.kind
    }

    /// The secured document: text of a token, or bytes of COSE.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

/// RFC 2397. The text of a token needs no escapes, so none are read.
fn read_data_url(url: &str) -> Option<(EnvelopeType, Vec<u8>)> {
    if url.len() > MAX_URL {
        return None;
    }
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let (media_type, encoded) = match head.strip_suffix(";base64") {
        Some(media_type) => (media_type, true),
        None => (head, false),
    };
    let kind = EnvelopeType::ALL
        .into_iter()
        .find(|kind| kind.media_type() == media_type)?;
    let content = if encoded {
        base64_decode(data)?
    } else {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
        if kind.is_binary() || data.is_empty() || !data.bytes().all(plain) {
            return None;
        }
        data.as_bytes().to_vec()
    };
    Some((kind, content))
}

/// Padding may be missing; every text that is read has one meaning all the same.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn base64_decode(text: &str) -> Option<Vec<u8>> {
    // Fetch, "data: URL processor": forgiving base64. Of what it forgives, a line end at the end.
    let text = text.trim_end_matches(['\r', '\n']);
    let bytes = BASE64.decode(text).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

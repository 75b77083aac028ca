//! `relatedResource` (VCDM 2.0, section 5.3).

use base64::Engine as _;

use super::VcdmError;
use super::parts::{self, Members};
use crate::crypto::{constant_time_eq, sha256, sha384, sha512};
use crate::encoding::b64url_decode;

const NAME: &str = "relatedResource";

/// Base64 with or without padding: the examples of the specification leave it out.
const LENIENT: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    base64::engine::GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// Something else that a credential depends on, with its digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelatedResource {
    id: String,
    media_type: Option<String>,
    digests: Vec<Digest>,
}

/// One accepted digest.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Digest {
    Sha256(Vec<u8>),
    Sha384(Vec<u8>),
    Sha512(Vec<u8>),
}

impl RelatedResource {
    pub(super) fn read(members: &Members) -> Result<Vec<Self>, VcdmError> {
        let mut resources: Vec<Self> = Vec::new();
        for object in parts::objects(members, NAME)? {
            let resource = Self::read_one(object)?;
            // Section 5.3: every resource once.
            if resources.iter().any(|known| known.id == resource.id) {
                return Err(VcdmError::Malformed(NAME));
            }
            resources.push(resource);
        }
        Ok(resources)
    }

    fn read_one(members: &Members) -> Result<Self, VcdmError> {
        let malformed = VcdmError::Malformed(NAME);
        let id = parts::id(members, "id").map_err(|_| malformed)?;
        let text = |name: &str| match members.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(malformed),
        };
        let mut digests = Vec::new();
        if let Some(sri) = text("digestSRI")? {
            digests.push(read_sri(sri).ok_or(malformed)?);
        }
        if let Some(multibase) = text("digestMultibase")? {
            digests.push(read_multibase(multibase).ok_or(malformed)?);
        }
        // Section 5.3: at least one of both.
        if digests.is_empty() {
            return Err(VcdmError::Missing(NAME));
        }
        Ok(Self {
            id: id.ok_or(VcdmError::Missing(NAME))?,
            media_type: text("mediaType")?.map(str::to_owned),
            digests,
        })
    }

    /// The URL.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `mediaType`.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }

    /// Whether every digest is one of these: for a resource of which several editions were
    /// published under one URL.
    #[must_use]
    pub fn is_one_of(&self, digests: &[&[u8]]) -> bool {
        self.digests.iter().all(|digest| {
            let (Digest::Sha256(own) | Digest::Sha384(own) | Digest::Sha512(own)) = digest;
            digests.contains(&own.as_slice())
        })
    }

    /// Whether every digest is the one of these bytes.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.digests.iter().all(|digest| match digest {
            Digest::Sha256(wanted) => constant_time_eq(wanted, &sha256(bytes)),
            Digest::Sha384(wanted) => constant_time_eq(wanted, &sha384(bytes)),
            Digest::Sha512(wanted) => constant_time_eq(wanted, &sha512(bytes)),
        })
    }
}

impl Digest {
    fn of_length(bytes: Vec<u8>) -> Option<Self> {
        match bytes.len() {
            32 => Some(Self::Sha256(bytes)),
            48 => Some(Self::Sha384(bytes)),
            64 => Some(Self::Sha512(bytes)),
            _ => None,
        }
    }
}

/// Subresource Integrity, section 3.1: one hash, `sha384-` and base64.
fn read_sri(text: &str) -> Option<Digest> {
    let (name, value) = text.split_once('-')?;
    let digest = Digest::of_length(LENIENT.decode(value).ok()?)?;
    let fits = matches!(
        (name, &digest),
        ("sha256", Digest::Sha256(_))
            | ("sha384", Digest::Sha384(_))
            | ("sha512", Digest::Sha512(_))
    );
    fits.then_some(digest)
}

/// Multibase (base64url or base58btc) of a digest, with its multihash prefix
/// (Controlled Identifiers 1.0, section 2.5) or, as published, without.
fn read_multibase(text: &str) -> Option<Digest> {
    if text.len() > 128 {
        return None;
    }
    let bytes = match text.split_at_checked(1)? {
        ("u", rest) => b64url_decode(rest).ok()?,
        ("z", _) => multibase::decode(text).ok()?.1,
        _ => return None,
    };
    match bytes.as_slice() {
        [0x12, 32, digest @ ..] if digest.len() == 32 => Digest::of_length(digest.to_vec()),
        [0x20, 48, digest @ ..] if digest.len() == 48 => Digest::of_length(digest.to_vec()),
        [0x13, 64, digest @ ..] if digest.len() == 64 => Digest::of_length(digest.to_vec()),
        _ => Digest::of_length(bytes),
    }
}

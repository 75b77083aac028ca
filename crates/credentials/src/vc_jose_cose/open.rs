//! Taking an envelope off: its signature, its type, its claims.

use serde_json::{Map, Value};

use super::claims::{check_times, refuse_wrappers};
use super::key::SignerKey;
use super::{EnvelopeError, KeySource};
use crate::cose::{Label, Sign1};
use crate::crypto::CryptoProvider;
use crate::data_integrity::ProofPurpose;
use crate::json;
use crate::jws::{TokenType, Unverified};
use crate::sd_jwt::{self, SdJwt};
use crate::time::UnixTime;
use crate::vcdm::{EnvelopeType, Enveloped};

/// What opening needs.
#[derive(Clone, Copy)]
pub(super) struct Opening<'a> {
    pub(super) keys: KeySource<'a>,
    pub(super) now: UnixTime,
    pub(super) skew_s: i64,
    pub(super) crypto: &'a dyn CryptoProvider,
}

/// A document whose envelope holds.
pub(super) struct Opened {
    pub(super) claims: Map<String, Value>,
    /// Who signed.
    pub(super) signer: SignerKey,
}

impl Opened {
    pub(super) fn document(&self) -> Value {
        Value::Object(self.claims.clone())
    }
}

pub(super) async fn open(
    envelope: &Enveloped,
    opening: Opening<'_>,
) -> Result<Opened, EnvelopeError> {
    let kind = envelope.kind();
    let opened = match kind {
        EnvelopeType::VcJwt | EnvelopeType::VpJwt => {
            open_jwt(text(envelope)?, kind, opening).await?
        }
        EnvelopeType::VcSdJwt | EnvelopeType::VpSdJwt => {
            open_sd_jwt(text(envelope)?, kind, opening).await?
        }
        EnvelopeType::VcCose | EnvelopeType::VpCose => {
            open_cose(envelope.content(), kind, opening).await?
        }
    };
    refuse_wrappers(&opened.claims)?;
    check_times(&opened.claims, opening.now, opening.skew_s)?;
    Ok(opened)
}

fn text(envelope: &Enveloped) -> Result<&str, EnvelopeError> {
    std::str::from_utf8(envelope.content()).map_err(|_| EnvelopeError::Text)
}

pub(super) const fn token_type(kind: EnvelopeType) -> Option<TokenType> {
    match kind {
        EnvelopeType::VcJwt => Some(TokenType::VcJwt),
        EnvelopeType::VpJwt => Some(TokenType::VpJwt),
        EnvelopeType::VcSdJwt => Some(TokenType::VcSdJwt),
        EnvelopeType::VpSdJwt => Some(TokenType::VpSdJwt),
        EnvelopeType::VcCose | EnvelopeType::VpCose => None,
    }
}

const fn purpose(kind: EnvelopeType) -> ProofPurpose {
    if kind.is_presentation() {
        ProofPurpose::Authentication
    } else {
        ProofPurpose::AssertionMethod
    }
}

/// `cty`: `vc` or `vp`.
pub(super) const fn content_type(kind: EnvelopeType) -> &'static str {
    if kind.is_presentation() { "vp" } else { "vc" }
}

async fn find_key(
    kid: Option<&str>,
    kind: EnvelopeType,
    opening: Opening<'_>,
) -> Result<SignerKey, EnvelopeError> {
    opening.keys.find(kid, purpose(kind), opening.now).await
}

async fn open_jwt(
    jwt: &str,
    kind: EnvelopeType,
    opening: Opening<'_>,
) -> Result<Opened, EnvelopeError> {
    let token_type = token_type(kind).ok_or(EnvelopeError::Kind)?;
    let token = Unverified::parse(jwt, token_type).map_err(EnvelopeError::Jws)?;
    let signer = find_key(token.kid(), kind, opening).await?;
    let payload = token
        .verify(opening.crypto, &signer.key)
        .map_err(EnvelopeError::Jws)?
        .into_inner();
    // Section 3.1.1: what the payload is.
    match payload.header.get("cty") {
        None => {}
        Some(Value::String(cty)) if is_content_type(cty, kind) => {}
        Some(_) => return Err(EnvelopeError::ContentType),
    }
    Ok(Opened {
        claims: payload.claims,
        signer,
    })
}

/// RFC 7515, section 4.1.10: `application/` may be left out.
fn is_content_type(text: &str, kind: EnvelopeType) -> bool {
    text.strip_prefix("application/").unwrap_or(text) == content_type(kind)
}

async fn open_sd_jwt(
    compact: &str,
    kind: EnvelopeType,
    opening: Opening<'_>,
) -> Result<Opened, EnvelopeError> {
    let sd_jwt = SdJwt::parse(compact).map_err(EnvelopeError::SdJwt)?;
    if sd_jwt.key_binding().is_some() {
        return Err(EnvelopeError::KeyBinding);
    }
    let opened = open_jwt(sd_jwt.issuer_signed(), kind, opening).await?;
    // A wrapper or a time must not come back out of a Disclosure unseen, so both are checked after this.
    let processed =
        sd_jwt::process(opened.claims, sd_jwt.disclosures()).map_err(EnvelopeError::SdJwt)?;
    Ok(Opened {
        claims: processed.claims,
        signer: opened.signer,
    })
}

/// `CWT Claims` (RFC 9597): nothing here compares them, so they may not be there.
const CWT_CLAIMS: Label = Label::Int(15);

async fn open_cose(
    bytes: &[u8],
    kind: EnvelopeType,
    opening: Opening<'_>,
) -> Result<Opened, EnvelopeError> {
    let message = Sign1::parse(bytes).map_err(EnvelopeError::Cose)?;
    let protected_text = |label: &Label| message.protected(label).map(|item| item.text());
    match protected_text(&Label::TYP) {
        Some(Ok(typ)) if typ == kind.media_type() || typ == kind.typ() => {}
        _ => return Err(EnvelopeError::Type),
    }
    match protected_text(&Label::CONTENT_TYPE) {
        None => {}
        Some(Ok(cty)) if is_content_type(cty, kind) => {}
        Some(_) => return Err(EnvelopeError::ContentType),
    }
    if message.protected(&CWT_CLAIMS).is_some() || message.unprotected(&CWT_CLAIMS).is_some() {
        return Err(EnvelopeError::UnsupportedHeader);
    }
    let kid = message
        .protected(&Label::KID)
        .or_else(|| message.unprotected(&Label::KID))
        .map(|item| item.bytes())
        .transpose()
        .map_err(|_| EnvelopeError::KeyMissing)?;
    let kid = kid.and_then(|kid| std::str::from_utf8(kid).ok());
    let signer = find_key(kid, kind, opening).await?;
    let payload = message
        .verify(&signer.key, &[], opening.crypto)
        .map_err(EnvelopeError::Cose)?;
    Ok(Opened {
        claims: json::parse_object(payload.get()).map_err(EnvelopeError::PayloadJson)?,
        signer,
    })
}

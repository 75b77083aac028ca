//! A held credential, whatever its format.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::mdoc::HeldMdoc;
use vouchsafe_credentials::sd_jwt_vc::{CLOCK_SKEW_S, HeldSdJwtVc, IssuerIdentity};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::answer::{HeldCandidate, HeldCredential};

use crate::error::CredentialError;

/// The format of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CardFormat {
    /// An SD-JWT VC. Records that were written before there was another format are of this one.
    #[default]
    #[serde(rename = "dc+sd-jwt")]
    SdJwtVc,
    /// A mobile document (ISO/IEC 18013-5).
    #[serde(rename = "mso_mdoc")]
    Mdoc,
}

/// A credential that was verified when it came.
#[derive(Debug, Clone)]
pub(crate) enum Held {
    /// An SD-JWT VC.
    SdJwtVc(Box<HeldSdJwtVc>),
    /// An mdoc.
    Mdoc(Box<HeldMdoc>),
}

impl Held {
    /// Reads a credential back as [`Held::to_text`] wrote it into the vault.
    pub(crate) fn reopen(
        format: CardFormat,
        text: &str,
        issuer: IssuerIdentity,
    ) -> Result<Self, CredentialError> {
        match format {
            CardFormat::SdJwtVc => HeldSdJwtVc::reopen_stored(text.to_owned(), issuer)
                .map(|held| Self::SdJwtVc(Box::new(held)))
                .map_err(CredentialError::NotAcceptable),
            CardFormat::Mdoc => {
                let bytes = b64url_decode(text).map_err(|_| CredentialError::Damaged)?;
                HeldMdoc::reopen_stored(bytes, issuer)
                    .map(|held| Self::Mdoc(Box::new(held)))
                    .map_err(CredentialError::MdocNotAcceptable)
            }
        }
    }

    /// What is stored: the compact SD-JWT, or `IssuerSigned` in base64url.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::SdJwtVc(held) => held.compact().to_owned(),
            Self::Mdoc(held) => b64url(held.bytes()),
        }
    }

    /// Its format.
    pub(crate) const fn format(&self) -> CardFormat {
        match self {
            Self::SdJwtVc(_) => CardFormat::SdJwtVc,
            Self::Mdoc(_) => CardFormat::Mdoc,
        }
    }

    /// To be matched and presented.
    pub(crate) fn credential(&self) -> HeldCredential<'_> {
        match self {
            Self::SdJwtVc(held) => held.as_ref().into(),
            Self::Mdoc(held) => held.as_ref().into(),
        }
    }

    /// To be matched.
    pub(crate) fn candidate(&self) -> HeldCandidate<'_> {
        HeldCandidate::new(self.credential())
    }

    /// All claims as one value; of an mdoc the elements by namespace.
    pub(crate) fn claims(&self) -> Value {
        self.candidate().claims().clone()
    }

    /// The validated issuer.
    pub(crate) fn issuer(&self) -> &IssuerIdentity {
        match self {
            Self::SdJwtVc(held) => held.issuer(),
            Self::Mdoc(held) => held.issuer(),
        }
    }

    /// From when it is no longer valid.
    pub(crate) fn expires_at(&self) -> Option<UnixTime> {
        match self {
            Self::SdJwtVc(held) => held.registered().expires_at,
            Self::Mdoc(held) => Some(held.validity().valid_until),
        }
    }

    /// From when it is valid.
    pub(crate) fn valid_from(&self) -> Option<UnixTime> {
        match self {
            Self::SdJwtVc(held) => held.registered().not_before,
            Self::Mdoc(held) => Some(held.validity().valid_from),
        }
    }

    /// Whether it may be shown at the time `now`: it has begun, and it has not ended.
    pub(crate) fn is_good(&self, now: UnixTime) -> bool {
        self.valid_from().is_none_or(|start| start <= now)
            && self.expires_at().is_none_or(|end| end > now)
    }

    /// Whether it begins within the difference between clocks that whoever checks it tolerates.
    pub(crate) fn begins_soon(&self, now: UnixTime) -> bool {
        let start = self.valid_from();
        start.is_some_and(|start| start > now && start.since(now) <= CLOCK_SKEW_S)
            && self.expires_at().is_none_or(|end| end > now)
    }

    /// The key that it is bound to.
    pub(crate) fn holder_key(&self) -> Option<PublicKey> {
        self.credential().holder_key().cloned()
    }
}

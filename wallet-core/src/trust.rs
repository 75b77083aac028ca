//! Whom the wallet believes.

use vouchsafe_credentials::sd_jwt_vc::{
    IssuerMethod, IssuerTrust, StatusMethod, TrustError, TrustedIssuer,
};
use vouchsafe_credentials::x509::TrustAnchors;

/// An issuer on the wallet's list.
#[derive(Debug, Clone)]
pub struct KnownIssuer {
    /// Its credential issuer identifier, an https URL. Compared byte by byte
    /// (OpenID4VCI 1.0, section 12.2.1).
    pub credential_issuer: String,
    /// How its credentials prove where they come from.
    pub method: IssuerMethod,
    /// The types (`vct`) it may issue; empty: any type it offers.
    pub types: Vec<String>,
}

impl KnownIssuer {
    /// The trust to verify a credential of one type with, or `None` when this
    /// issuer may not issue it.
    pub(crate) fn for_type(&self, vct: &str) -> Option<Result<IssuerTrust, TrustError>> {
        if !self.types.is_empty() && !self.types.iter().any(|allowed| allowed == vct) {
            return None;
        }
        let id = match &self.method {
            IssuerMethod::X509 { .. } | IssuerMethod::Iaca { .. } => self.credential_issuer.clone(),
            IssuerMethod::Did(did) => did.clone(),
        };
        Some(IssuerTrust::new(vec![TrustedIssuer {
            id,
            method: self.method.clone(),
            types: vec![vct.to_owned()],
            status: StatusMethod::SameIssuer,
        }]))
    }
}

/// The wallet's trust list.
#[derive(Debug, Clone)]
pub struct TrustList {
    /// Issuers that need no further question.
    pub issuers: Vec<KnownIssuer>,
    /// Authorities whose certificates name verifiers, of the role
    /// [`vouchsafe_credentials::x509::Role::VerifierAccess`].
    pub verifiers: TrustAnchors,
    /// What to do with an offer of an issuer that is on no list.
    pub unknown_issuers: UnknownIssuers,
}

/// What to do with an offer of an issuer that is on no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownIssuers {
    /// Refuse before any request.
    Refuse,
    /// Ask the person before any request; its key is then remembered with its
    /// address. Works for issuers whose key is in their identifier.
    #[default]
    Ask,
}

impl TrustList {
    pub(crate) fn issuer(&self, credential_issuer: &str) -> Option<&KnownIssuer> {
        self.issuers
            .iter()
            .find(|known| known.credential_issuer == credential_issuer)
    }
}

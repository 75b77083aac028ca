//! Whom the wallet believes.

use vouchsafe_credentials::did::DidDocument;
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerMethod, IssuerTrust, StatusMethod, TrustError, TrustedIssuer,
};
use vouchsafe_credentials::x509::TrustAnchors;
use vouchsafe_protocol::vp::request::Parties;
pub use vouchsafe_protocol::vp::request::{Attester, RegisteredVerifier};

/// An issuer on the wallet's list. One that issues SD-JWT VCs and mdocs has two entries, one for each
/// way of proving where its cards come from.
#[derive(Debug, Clone)]
pub struct KnownIssuer {
    /// Its credential issuer identifier, an https URL. Compared byte by byte
    /// (OpenID4VCI 1.0, section 12.2.1).
    pub credential_issuer: String,
    /// How its credentials prove where they come from.
    pub method: IssuerMethod,
    /// The types (`vct`, or `docType` of mdocs) it may issue; empty: any type it offers.
    pub types: Vec<String>,
    /// Who signs its status lists.
    pub status: StatusMethod,
}

impl KnownIssuer {
    fn issues_mdocs(&self) -> bool {
        matches!(self.method, IssuerMethod::Iaca { .. })
    }

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
            status: self.status.clone(),
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
    /// Verifiers that are believed without such a certificate.
    pub other_verifiers: OtherVerifiers,
}

/// Verifiers that are believed without a certificate of an access authority (OpenID4VP 1.0,
/// section 5.9). The default is none, as HAIP 1.0 wants it.
#[derive(Debug, Clone, Default)]
pub struct OtherVerifiers {
    /// Whose attestations name verifiers (`verifier_attestation`).
    pub attesters: Vec<Attester>,
    /// Who is known by a bare client identifier.
    pub registered: Vec<RegisteredVerifier>,
    /// What to do with a verifier for whom nobody vouches (`decentralized_identifier`, `redirect_uri`).
    pub unvouched: UnvouchedVerifiers,
    /// Whether an answer may leave that is not encrypted, where the verifier asks for such.
    pub unencrypted: bool,
    /// Who says what verifiers may ask, of the role [`vouchsafe_credentials::x509::Role::Registrar`];
    /// `None`: nobody is heard on that.
    pub registrars: Option<TrustAnchors>,
}

/// What to do with a verifier for whom nobody vouches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnvouchedVerifiers {
    /// Refuse.
    #[default]
    Refuse,
    /// Show the person what little is known of it, and let them decide.
    Ask,
}

impl OtherVerifiers {
    pub(crate) fn parties<'a>(
        &'a self,
        document: Option<&'a DidDocument>,
        transactions: bool,
    ) -> Parties<'a> {
        Parties {
            transactions,
            attesters: &self.attesters,
            registered: &self.registered,
            unvouched: self.asks_for_unvouched(),
            unencrypted: self.unencrypted,
            registrars: self.registrars.as_ref(),
            document,
        }
    }

    pub(crate) fn asks_for_unvouched(&self) -> bool {
        self.unvouched == UnvouchedVerifiers::Ask
    }
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
    /// The entry of an issuer; the one for mdocs only where there is no other.
    pub(crate) fn issuer(&self, credential_issuer: &str) -> Option<&KnownIssuer> {
        let entries = || self.entries(credential_issuer);
        entries()
            .find(|known| !known.issues_mdocs())
            .or_else(|| entries().next())
    }

    /// The entry by which an issuer may issue mdocs of this type, `None` where there is none. Nothing
    /// but an authority on the list (IACA) vouches for an mdoc: a person cannot confirm it.
    pub(crate) fn mdoc_issuer(
        &self,
        credential_issuer: &str,
        doctype: &str,
    ) -> Option<IssuerTrust> {
        self.entries(credential_issuer)
            .filter(|known| known.issues_mdocs())
            .find_map(|known| known.for_type(doctype)?.ok())
    }

    fn entries(&self, credential_issuer: &str) -> impl Iterator<Item = &KnownIssuer> {
        let same = move |known: &&KnownIssuer| known.credential_issuer == credential_issuer;
        self.issuers.iter().filter(same)
    }
}

//! Finding the issuer's key, by the method that policy fixes for it
//! (SD-JWT VC, "Issuer Verification Key Discovery and Validation").

use super::{
    IssuerAuthority, IssuerIdentity, IssuerMethod, IssuerTrust, RegisteredClaims, TrustedIssuer,
    VcError,
};
use crate::crypto::{CryptoProvider, PublicKey};
use crate::jws::Unverified;
use crate::time::UnixTime;
use crate::x509::{Chain, Role, TrustAnchors, VerifiedCertificate, X509Error, verify_chain};

/// How a token names the key that signed it.
pub(crate) enum NamedKey<'t> {
    /// A certificate chain.
    X5c(&'t Chain),
    /// An absolute DID URL, split at `#`.
    Did { did: &'t str, url: &'t str },
}

/// Why a token does not name its key in one way.
pub(crate) enum NamedKeyError {
    Missing,
    Ambiguous,
}

impl<'t> NamedKey<'t> {
    pub(crate) fn of(token: &'t Unverified<'_>) -> Result<Self, NamedKeyError> {
        let did_url = token.kid().filter(|kid| kid.starts_with("did:"));
        match (token.x5c(), did_url) {
            (Some(_), Some(_)) => Err(NamedKeyError::Ambiguous),
            (Some(chain), None) => Ok(Self::X5c(chain)),
            (None, Some(url)) => {
                let (did, _fragment) = url.split_once('#').ok_or(NamedKeyError::Missing)?;
                Ok(Self::Did { did, url })
            }
            (None, None) => Err(NamedKeyError::Missing),
        }
    }
}

/// A key that is believed, and for which trusted issuers it may stand.
pub(super) struct Candidates<'p> {
    pub(super) key: PublicKey,
    issuers: Vec<(&'p TrustedIssuer, IssuerAuthority)>,
    certificate: Option<VerifiedCertificate>,
}

impl<'p> Candidates<'p> {
    /// Validates the key that `token` names.
    pub(super) fn find(
        token: &Unverified<'_>,
        trust: &'p IssuerTrust,
        now: UnixTime,
        provider: &dyn CryptoProvider,
    ) -> Result<Self, VcError> {
        match NamedKey::of(token) {
            Ok(NamedKey::X5c(chain)) => Self::by_chain(chain, trust, now, provider),
            Ok(NamedKey::Did { did, url }) => Self::by_did(did, url, trust, now),
            Err(NamedKeyError::Missing) => Err(VcError::IssuerKeyMissing),
            Err(NamedKeyError::Ambiguous) => Err(VcError::IssuerKeyAmbiguous),
        }
    }

    fn by_did(
        did: &str,
        url: &str,
        trust: &'p IssuerTrust,
        now: UnixTime,
    ) -> Result<Self, VcError> {
        let is_it = |issuer: &&TrustedIssuer| match &issuer.method {
            IssuerMethod::Did(trusted) => trusted == did,
            IssuerMethod::X509 { .. } | IssuerMethod::Iaca { .. } => false,
        };
        let authority = IssuerAuthority::Did(did.to_owned());
        let issuers: Vec<_> = trust
            .issuers
            .iter()
            .filter(is_it)
            .map(|issuer| (issuer, authority.clone()))
            .collect();
        if issuers.is_empty() {
            return Err(VcError::IssuerUntrusted);
        }
        Ok(Self {
            key: trust
                .did_key(did, url, now)
                .ok_or(VcError::IssuerKeyUnknown)?,
            issuers,
            certificate: None,
        })
    }

    fn by_chain(
        chain: &Chain,
        trust: &'p IssuerTrust,
        now: UnixTime,
        provider: &dyn CryptoProvider,
    ) -> Result<Self, VcError> {
        let mut issuers = Vec::new();
        let mut accepted = None;
        let mut refused = X509Error::Untrusted;
        for (issuer, anchors, subject) in trust.issuers.iter().filter_map(x509) {
            match verify_chain(chain, anchors, Role::Issuer, now, provider) {
                Ok(certificate) => {
                    if subject.is_none_or(|wanted| wanted == certificate.subject()) {
                        issuers.push((issuer, authority(&certificate)));
                        accepted = Some(certificate);
                    }
                }
                // The most telling reason: another than "not below this anchor".
                Err(X509Error::Untrusted) => {}
                Err(error) => refused = error,
            }
        }
        match accepted {
            Some(certificate) => Ok(Self {
                key: certificate.public_key().clone(),
                issuers,
                certificate: Some(certificate),
            }),
            None if refused == X509Error::Untrusted => Err(VcError::IssuerUntrusted),
            None => Err(VcError::IssuerChain(refused)),
        }
    }

    /// The one issuer, by `iss` and by the types it may issue. `accepted` is
    /// the type that the credential was accepted as.
    pub(super) fn decide(
        self,
        trust: &IssuerTrust,
        registered: &RegisteredClaims,
        accepted: &str,
    ) -> Result<IssuerIdentity, VcError> {
        let certificate = self.certificate.as_ref();
        let iss = registered.iss.as_deref();
        let mut fitting = self
            .issuers
            .into_iter()
            .filter(|(issuer, authority)| {
                iss.is_none_or(|iss| iss_fits(iss, issuer, authority, certificate, trust))
            })
            .peekable();
        if fitting.peek().is_none() {
            return Err(VcError::IssuerMismatch);
        }
        // SD-JWT VC, "Credential Type Extension and Issuer Authorization":
        // both for its own type and for the one it is accepted as.
        fitting
            .find(|(issuer, _)| issuer.may_issue(&registered.vct) && issuer.may_issue(accepted))
            .map(|(issuer, authority)| IssuerIdentity {
                trusted: issuer.id.clone(),
                authority,
            })
            .ok_or(VcError::IssuerNotForType)
    }
}

fn x509(issuer: &TrustedIssuer) -> Option<(&TrustedIssuer, &TrustAnchors, Option<&str>)> {
    match &issuer.method {
        IssuerMethod::X509 { anchors, subject } => Some((issuer, anchors, subject.as_deref())),
        IssuerMethod::Did(_) | IssuerMethod::Iaca { .. } => None,
    }
}

pub(crate) fn authority(certificate: &VerifiedCertificate) -> IssuerAuthority {
    IssuerAuthority::X509 {
        anchor: certificate.anchor_id().to_string(),
        subject: certificate.subject().to_owned(),
    }
}

/// Whether `iss` is a name of the validated issuer. It is never what decides
/// who the issuer is, but a wrong one is refused.
fn iss_fits(
    iss: &str,
    issuer: &TrustedIssuer,
    authority: &IssuerAuthority,
    certificate: Option<&VerifiedCertificate>,
    trust: &IssuerTrust,
) -> bool {
    // A name that stands for an entry of its own is that entry's alone. One that issues documents
    // has no part in `iss`.
    let named = trust.by_id(iss);
    if let Some(named) = named.filter(|named| !named.issues_documents()) {
        return named.id == issuer.id;
    }
    match authority {
        IssuerAuthority::Iaca { .. } => false,
        IssuerAuthority::Did(did) => did == iss,
        IssuerAuthority::X509 { .. } => certificate.is_some_and(|certificate| {
            certificate.san_uri().iter().any(|uri| uri == iss)
                || https_host(iss).is_some_and(|h| certificate.san_dns().iter().any(|d| d == h))
        }),
    }
}

/// The host of an https URL without user information.
pub(super) fn https_host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) => return None,
        None => authority,
    };
    (!host.is_empty() && !host.contains('@')).then_some(host)
}

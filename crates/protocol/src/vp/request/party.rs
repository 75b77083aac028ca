//! Who asks: from the client identifier to a key, and from the key to a party (OpenID4VP 1.0,
//! section 5.9.3).

use serde_json::{Map, Value};
use vouchsafe_credentials::did::{
    Did, DidDocument, DidUrl, LocalResolver, Relationship, ResolutionOptions,
};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::json;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::x509::{Role, TrustAnchors, VerifiedCertificate, verify_chain};

use super::attestation::{self, AttestationError, Attested, Attester};
use super::parse::WalletPolicy;
use super::{MAX_BYTES, RequestError};
use crate::vp::client_id::{ClientId, ClientIdError, Prefix};

/// A verifier that the wallet knows by its bare client identifier (section 5.9.2).
#[derive(Clone, Debug)]
pub struct RegisteredVerifier {
    /// Its client identifier.
    pub client_id: String,
    /// What it is called.
    pub name: String,
    /// The keys it signs its requests with.
    pub keys: JwkSet,
}

/// Verifiers that are believed without a certificate of an access authority.
#[derive(Clone, Copy, Debug)]
pub struct Parties<'a> {
    /// Whose attestations are believed.
    pub attesters: &'a [Attester],
    /// Who is registered.
    pub registered: &'a [RegisteredVerifier],
    /// Whether a verifier may ask for whom nobody vouches: all that is known of it is that it holds
    /// the key of its DID, or the address that the answer goes to.
    pub unvouched: bool,
    /// Whether an answer may be asked for that is not encrypted, which HAIP 1.0 forbids.
    pub unencrypted: bool,
    /// Whether the person is shown what [transaction data](crate::vp::transaction_data) says; without that a
    /// request with any is refused.
    pub transactions: bool,
    /// Who says what verifiers may ask, anchors of the role [`Role::Registrar`]; `None`: registration
    /// certificates are not looked at.
    pub registrars: Option<&'a TrustAnchors>,
    /// The document of the verifier's DID, where that does not hold its key itself.
    pub document: Option<&'a DidDocument>,
}

impl Parties<'_> {
    /// None: HAIP 1.0, section 5.
    pub const NONE: Parties<'static> = Parties {
        attesters: &[],
        registered: &[],
        unvouched: false,
        unencrypted: false,
        transactions: false,
        registrars: None,
        document: None,
    };

    /// The client of an identifier. Section 5.9.2: one whose prefix is not recognised may be that of
    /// a registered client; one whose prefix is recognised never is (catalogue 325).
    pub(super) fn client(&self, text: &str) -> Result<ClientId, RequestError> {
        let known = || self.registered.iter().any(|own| own.client_id == text);
        match ClientId::parse(text) {
            Err(ClientIdError::UnsupportedPrefix | ClientIdError::Unregistered) if known() => {
                Ok(ClientId::registered(text))
            }
            other => other.map_err(RequestError::ClientId),
        }
    }
}

/// Who asks, as far as it was proven.
#[derive(Clone, Debug)]
pub enum Requester {
    /// The owner of a certificate of an authority that the wallet believes.
    Certified(Box<VerifiedCertificate>),
    /// Somebody whom an attester names.
    Attested(Attested),
    /// Somebody who is registered.
    Registered {
        /// Its client identifier.
        client_id: String,
        /// What it is called.
        name: String,
    },
    /// Whoever holds a key of this DID; nobody vouches for it.
    Did(Did),
    /// Whoever reads what is sent to the address that the client identifier names.
    Address,
}

impl Requester {
    /// The verified certificate, where there is one.
    pub fn certificate(&self) -> Option<&VerifiedCertificate> {
        match self {
            Requester::Certified(certificate) => Some(certificate),
            Requester::Attested(_)
            | Requester::Registered { .. }
            | Requester::Did(_)
            | Requester::Address => None,
        }
    }
}

/// `typ`, algorithm and signature of a request object, with the key of `client`.
pub(super) fn authenticate(
    compact: &str,
    client: &ClientId,
    policy: &WalletPolicy<'_>,
    parties: &Parties<'_>,
) -> Result<(Requester, Map<String, Value>), RequestError> {
    if compact.len() > MAX_BYTES {
        return Err(RequestError::TooLarge);
    }
    // OpenID4VP 1.0, section 5: other than `oauth-authz-req+jwt` "MUST NOT" be processed.
    let unverified =
        Unverified::parse(compact, TokenType::RequestObject).map_err(RequestError::Jws)?;
    // The key is never one of `client_metadata` (section 5.1).
    match client.prefix() {
        Prefix::X509Hash | Prefix::X509SanDns => certified(unverified, policy),
        Prefix::DecentralizedIdentifier => by_did(unverified, client.name(), policy, parties),
        Prefix::VerifierAttestation => attested(unverified, client.name(), policy, parties),
        Prefix::Registered => registered(unverified, client, policy, parties),
        Prefix::RedirectUri => Err(RequestError::ClientId(ClientIdError::RedirectUri)),
    }
}

/// The claims of a token whose signature was not checked: they choose a key and prove nothing.
pub(super) fn claims_unverified(compact: &str) -> Option<Map<String, Value>> {
    let payload = b64url_decode(compact.split('.').nth(1)?).ok()?;
    json::parse_object(&payload).ok()
}

/// `x509_hash`, `x509_san_dns`: the key is that of the leaf in `x5c`.
fn certified(
    unverified: Unverified<'_>,
    policy: &WalletPolicy<'_>,
) -> Result<(Requester, Map<String, Value>), RequestError> {
    let chain = unverified.x5c().ok_or(RequestError::NoCertificate)?;
    let (role, now) = (Role::VerifierAccess, policy.now);
    let certificate = verify_chain(chain, policy.anchors, role, now, policy.crypto)
        .map_err(RequestError::Certificate)?;
    let payload = unverified
        .verify(policy.crypto, certificate.public_key())
        .map_err(RequestError::Jws)?
        .into_inner();
    Ok((Requester::Certified(Box::new(certificate)), payload.claims))
}

/// `decentralized_identifier`: the key is one of the DID document, which `kid` names.
fn by_did(
    unverified: Unverified<'_>,
    did: &str,
    policy: &WalletPolicy<'_>,
    parties: &Parties<'_>,
) -> Result<(Requester, Map<String, Value>), RequestError> {
    if !parties.unvouched {
        return Err(RequestError::Unvouched);
    }
    let did = Did::parse(did).map_err(|_| RequestError::DidUnresolved)?;
    let local;
    let document = match parties.document.filter(|document| *document.id() == did) {
        Some(document) => document,
        None => {
            local = LocalResolver::resolve_now(did.as_str(), &ResolutionOptions::default());
            local.active().map_err(|_| RequestError::DidUnresolved)?
        }
    };
    let kid = unverified.kid().ok_or(RequestError::UnknownKey)?;
    let url = DidUrl::parse_within(kid, &did).map_err(|_| RequestError::UnknownKey)?;
    // The specification names no relationship; one of those for signatures it must be.
    let method = document
        .method(&url, Relationship::Authentication)
        .or_else(|_| document.method(&url, Relationship::AssertionMethod))
        .map_err(|_| RequestError::UnknownKey)?;
    let key = method.signature_key();
    let key = key.filter(|_| method.is_valid_at(policy.now));
    let payload = unverified
        .verify(policy.crypto, key.ok_or(RequestError::UnknownKey)?)
        .map_err(RequestError::Jws)?
        .into_inner();
    Ok((Requester::Did(did), payload.claims))
}

/// `verifier_attestation`: the key is the one that the attestation in the header names.
fn attested(
    unverified: Unverified<'_>,
    subject: &str,
    policy: &WalletPolicy<'_>,
    parties: &Parties<'_>,
) -> Result<(Requester, Map<String, Value>), RequestError> {
    let refused = RequestError::Attestation;
    let jwt = unverified.verifier_attestation().and_then(Value::as_str);
    let jwt = jwt.ok_or(refused(AttestationError::Missing))?;
    let (attesters, now) = (parties.attesters, policy.now);
    let (attested, key) =
        attestation::verify(jwt, subject, attesters, now, policy.crypto).map_err(refused)?;
    let payload = unverified
        .verify(policy.crypto, &key)
        .map_err(RequestError::Jws)?
        .into_inner();
    Ok((Requester::Attested(attested), payload.claims))
}

/// No prefix: the key is one of those that the wallet has of this client.
fn registered(
    unverified: Unverified<'_>,
    client: &ClientId,
    policy: &WalletPolicy<'_>,
    parties: &Parties<'_>,
) -> Result<(Requester, Map<String, Value>), RequestError> {
    let mut own = parties.registered.iter();
    let own = own
        .find(|verifier| verifier.client_id == client.as_str())
        .ok_or(RequestError::ClientId(ClientIdError::Unregistered))?;
    let payload = unverified
        .verify_with(policy.crypto, &own.keys)
        .map_err(RequestError::Jws)?
        .into_inner();
    let requester = Requester::Registered {
        client_id: own.client_id.clone(),
        name: own.name.clone(),
    };
    Ok((requester, payload.claims))
}

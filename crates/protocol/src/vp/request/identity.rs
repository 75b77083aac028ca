//! How a verifier that signs its requests says who it is (OpenID4VP 1.0, section 5.9.3).

use serde_json::Value;
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::did::{DidDocument, Relationship};
use vouchsafe_credentials::jws::{Header, TokenType, Unverified};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;

use super::party::claims_unverified;
use crate::vp::client_id::ClientId;

/// A client identifier, and what goes into the JOSE header so that wallets find the key. It can only
/// be made of parts that fit each other.
#[derive(Clone, Debug)]
pub struct Identity {
    client_id: ClientId,
    proof: Proof,
}

/// What the header has.
#[derive(Clone, Debug)]
enum Proof {
    /// `x5c`.
    Certificate(Chain),
    /// `kid`, a DID URL.
    Method(String),
    /// `jwt`, good until then.
    Attestation(String, UnixTime),
}

/// Why parts do not fit each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// `x509_san_dns`: the leaf does not have the name.
    #[error("the certificate does not have this DNS name as an alternative name (dNSName)")]
    DnsName,
    /// `decentralized_identifier`: no method of the document has the key.
    #[error("the DID document has the key in no method for authentication or assertionMethod")]
    Method,
    /// `verifier_attestation`: not a JWT of this type, or a claim is missing or malformed.
    #[error(
        "it is no verifier attestation with iss, sub, exp and cnf.jwk (OpenID4VP 1.0, section 12)"
    )]
    Attestation,
    /// `verifier_attestation`: for another key.
    #[error("the attestation is for another key (cnf.jwk)")]
    AttestedKey,
    /// `verifier_attestation`: over.
    #[error("the attestation has ended (exp)")]
    AttestationEnded,
    /// `verifier_attestation`: it allows certain addresses alone.
    #[error("the attestation has redirect_uris, and each request has an address of its own")]
    AttestedAddresses,
}

impl Identity {
    /// The owner of the leaf of `chain`: the one way of HAIP 1.0, section 5.
    pub fn x509_hash(chain: &Chain) -> Self {
        Self {
            client_id: ClientId::x509_hash(chain),
            proof: Proof::Certificate(chain.clone()),
        }
    }

    /// The owner of a DNS name. Section 5.9.3: it must "match a `dNSName` Subject Alternative Name […]
    /// entry in the leaf certificate". The `response_uri` of each request must be at this host, as far
    /// as wallets do not know better; that is for the caller.
    ///
    /// # Errors
    /// [`IdentityError::DnsName`].
    pub fn x509_san_dns(chain: &Chain, name: &str) -> Result<Self, IdentityError> {
        let client_id = ClientId::x509_san_dns(name).map_err(|_| IdentityError::DnsName)?;
        let names = chain.leaf_dns_names().map_err(|_| IdentityError::DnsName)?;
        // Wallets compare byte for byte.
        if !names.iter().any(|own| own == name) {
            return Err(IdentityError::DnsName);
        }
        Ok(Self {
            client_id,
            proof: Proof::Certificate(chain.clone()),
        })
    }

    /// The subject of a DID, by the method of its document that has `key`. Section 5.9.3: the key "MUST
    /// be identified by the `kid` in the JOSE Header"; which relationship it stands in is not said,
    /// wallets take one of those for signatures.
    ///
    /// # Errors
    /// [`IdentityError::Method`].
    pub fn did(document: &DidDocument, key: &PublicKey) -> Result<Self, IdentityError> {
        let methods = [Relationship::Authentication, Relationship::AssertionMethod];
        let mut methods = methods
            .into_iter()
            .flat_map(|relationship| document.methods_for(relationship));
        let method = methods.find(|method| method.signature_key() == Some(key));
        let method = method.ok_or(IdentityError::Method)?;
        Ok(Self {
            client_id: ClientId::decentralized_identifier(document.id()),
            proof: Proof::Method(method.id.as_str().to_owned()),
        })
    }

    /// Whom an attestation names. Its signature is for wallets to check: they know its issuer.
    ///
    /// # Errors
    /// What of section 12 does not hold for a request that `key` signs at `now`.
    pub fn attested(jwt: &str, key: &PublicKey, now: UnixTime) -> Result<Self, IdentityError> {
        let malformed = IdentityError::Attestation;
        Unverified::parse(jwt, TokenType::VerifierAttestation).map_err(|_| malformed)?;
        let claims = claims_unverified(jwt).ok_or(malformed)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        text("iss").ok_or(malformed)?;
        // Section 5.9.3: the identifier without its prefix "MUST equal the `sub` claim value".
        let client_id = ClientId::verifier_attestation(text("sub").ok_or(malformed)?);
        let ends_at = claims.get("exp").and_then(UnixTime::from_numeric_date);
        let ends_at = ends_at.ok_or(malformed)?;
        let jwk = claims.get("cnf").and_then(|cnf| cnf.get("jwk"));
        let attested = PublicKey::from_jwk(jwk.ok_or(malformed)?).map_err(|_| malformed)?;
        if attested != *key {
            return Err(IdentityError::AttestedKey);
        }
        if now >= ends_at {
            return Err(IdentityError::AttestationEnded);
        }
        // Section 5.9.3: the address must be "exactly" one of them.
        if ["redirect_uris", "response_uris"]
            .iter()
            .any(|name| claims.contains_key(*name))
        {
            return Err(IdentityError::AttestedAddresses);
        }
        Ok(Self {
            client_id: client_id.map_err(|_| malformed)?,
            proof: Proof::Attestation(jwt.to_owned(), ends_at),
        })
    }

    /// The full client identifier, prefix included: the audience of presentations.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// When no wallet believes it any more, where that is known.
    pub fn ends_at(&self) -> Option<UnixTime> {
        match &self.proof {
            Proof::Attestation(_, ends_at) => Some(*ends_at),
            Proof::Certificate(_) | Proof::Method(_) => None,
        }
    }

    /// The header of a request object.
    pub(in crate::vp) fn header(&self) -> Header {
        let header = Header::new(TokenType::RequestObject);
        match &self.proof {
            Proof::Certificate(chain) => header.with_x5c(chain),
            Proof::Method(kid) => header.with_kid(kid.as_str()),
            Proof::Attestation(jwt, _) => header.with("jwt", jwt.as_str()),
        }
    }
}

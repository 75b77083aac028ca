//! Proofs, proof sets and proof chains (Data Integrity 1.0, sections 4.3 and 4.5).

use serde_json::Value;

use super::{Cryptosuite, Proof, ProofError, ProofPurpose, Secured, Suites};
use crate::Verified;
use crate::crypto::CryptoProvider;
use crate::did::Multikey;
use crate::did::{Did, DidUrl, MethodError, Relationship, ResolutionOptions, Resolver};
use crate::time::UnixTime;
use crate::vcdm::PresentationHeader;

/// What a verifier expects of every proof on a document.
#[derive(Clone, Copy, Debug)]
pub struct ProofPolicy<'a> {
    /// `proofPurpose`, and the relationship that the key must have.
    pub purpose: ProofPurpose,
    /// When.
    pub now: UnixTime,
    /// Tolerated difference of clocks in seconds.
    pub skew_s: i64,
    /// The challenge that was given out.
    pub challenge: Option<&'a str>,
    /// Our name.
    pub domain: Option<&'a str>,
    /// What derived proofs must be bound to.
    pub presentation_header: PresentationHeader<'a>,
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedProof {
    /// The proof.
    pub proof: Proof,
    /// Who controls its key.
    pub controller: Did,
    /// The key.
    pub key: Multikey,
}

/// A document all of whose proofs hold.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvenDocument {
    /// The document without `proof`.
    pub document: Value,
    /// Its proofs, at least one.
    pub proofs: Vec<VerifiedProof>,
}

/// Checks every proof of a document: each must hold, be for the purpose, and be made
/// with a key that its controller lists for it. Whether a controller is the issuer or
/// the holder is not asked here.
///
/// # Errors
/// [`ProofError`]; one proof that does not hold refuses the document.
pub async fn verify_proofs(
    secured: &Value,
    suites: &Suites,
    policy: &ProofPolicy<'_>,
    resolver: &dyn Resolver,
    crypto: &dyn CryptoProvider,
) -> Result<Verified<ProvenDocument>, ProofError> {
    let secured = Secured::parse(secured)?;
    for proof in &secured.proofs {
        check_claims(proof, policy)?;
    }
    let mut signers = Vec::with_capacity(secured.proofs.len());
    for proof in &secured.proofs {
        let suite = suite(suites, proof)?;
        check_header(suite, proof, policy)?;
        let (controller, key) = method_key(
            proof.verification_method(),
            proof.purpose(),
            policy.now,
            resolver,
        )
        .await?;
        let document = input(&secured, proof)?;
        suite.verify(&document, proof, &key, crypto)?;
        signers.push((controller, key));
    }
    let proofs = secured.proofs.into_iter().zip(signers);
    Ok(Verified::new(ProvenDocument {
        document: secured.document,
        proofs: proofs
            .map(|(proof, (controller, key))| VerifiedProof {
                proof,
                controller,
                key,
            })
            .collect(),
    }))
}

fn suite<'s>(suites: &'s Suites, proof: &Proof) -> Result<&'s dyn Cryptosuite, ProofError> {
    suites
        .get(proof.cryptosuite())
        .ok_or(ProofError::UnknownSuite)
}

/// Data Integrity 1.0, section 4.4, steps 4 to 8: what needs no cryptography.
fn check_claims(proof: &Proof, policy: &ProofPolicy<'_>) -> Result<(), ProofError> {
    if proof.purpose() != policy.purpose {
        return Err(ProofError::Purpose);
    }
    // Section 4.4: the same names, one string being a set of one.
    if let Some(domain) = policy.domain
        && proof.domain() != [domain]
    {
        return Err(ProofError::Domain);
    }
    if let Some(challenge) = policy.challenge
        && proof.challenge() != Some(challenge)
    {
        return Err(ProofError::Challenge);
    }
    if let Some(created) = proof.created()
        && created.time() > policy.now.plus(policy.skew_s)
    {
        return Err(ProofError::CreatedInFuture);
    }
    if let Some(expires) = proof.expires()
        && expires.time().plus(policy.skew_s) <= policy.now
    {
        return Err(ProofError::Expired);
    }
    Ok(())
}

/// Data Integrity BBS Cryptosuites 1.0, section 3.3: the header is part of what the proof shows to
/// know, and a verifier that gave one out compares it.
fn check_header(
    suite: &dyn Cryptosuite,
    proof: &Proof,
    policy: &ProofPolicy<'_>,
) -> Result<(), ProofError> {
    let PresentationHeader::Expected(expected) = policy.presentation_header else {
        return Ok(());
    };
    match suite.presentation_header(proof)? {
        Some(header) if header == expected => Ok(()),
        Some(_) | None => Err(ProofError::PresentationHeader),
    }
}

/// Controlled Identifiers 1.0, section 3.3: the key of the verification method, if its
/// controller lists it for the purpose and it may be used now.
pub(crate) async fn method_key(
    url: &str,
    purpose: ProofPurpose,
    now: UnixTime,
    resolver: &dyn Resolver,
) -> Result<(Did, Multikey), ProofError> {
    let url = DidUrl::parse(url).map_err(|_| ProofError::MethodUrl)?;
    if url.fragment().is_none_or(str::is_empty) {
        return Err(ProofError::MethodUrl);
    }
    let did = url.did().clone();
    let resolution = resolver
        .resolve(did.as_str(), &ResolutionOptions::default())
        .await;
    let document = resolution
        .active()
        .map_err(|error| ProofError::Resolution(Box::new(error)))?;
    // The resolver is asked for one subject; the keys of another prove nothing.
    if *document.id() != did {
        return Err(ProofError::ControllerDocument);
    }
    let relationship = relationship(purpose);
    let method = document
        .method(&url, relationship)
        .map_err(|error| match error {
            MethodError::Relationship => ProofError::Relationship,
            MethodError::Controller => ProofError::ControllerDocument,
            _ => ProofError::Method,
        })?;
    if method.revoked.is_some_and(|revoked| revoked <= now) {
        return Err(ProofError::MethodRevoked);
    }
    if method.expires.is_some_and(|expires| expires <= now) {
        return Err(ProofError::MethodExpired);
    }
    Ok((did, method.key.clone()))
}

const fn relationship(purpose: ProofPurpose) -> Relationship {
    match purpose {
        ProofPurpose::AssertionMethod => Relationship::AssertionMethod,
        ProofPurpose::Authentication => Relationship::Authentication,
        ProofPurpose::CapabilityDelegation => Relationship::CapabilityDelegation,
        ProofPurpose::CapabilityInvocation => Relationship::CapabilityInvocation,
    }
}

/// Data Integrity 1.0, section 4.5: what a proof secures. In a chain these are also the
/// proofs that it names, in the order in which they stand in the document.
fn input(secured: &Secured, proof: &Proof) -> Result<Value, ProofError> {
    let matching = matching(&secured.proofs, proof.previous(), proof.id())?;
    let mut document = secured.document.clone();
    seal(&mut document, matching);
    Ok(document)
}

/// Sets `proof` to the proofs that a new one seals; nothing outside chains.
pub(super) fn seal(document: &mut Value, proofs: Vec<&Proof>) {
    if let Value::Object(members) = document
        && !proofs.is_empty()
    {
        let sealed = proofs
            .into_iter()
            .map(|proof| proof.members().clone().into());
        members.insert("proof".to_owned(), Value::Array(sealed.collect()));
    }
}

/// The proofs with these ids. Every id must be found, and none be the proof's own.
pub(super) fn matching<'p>(
    proofs: &'p [Proof],
    previous: &[String],
    own: Option<&str>,
) -> Result<Vec<&'p Proof>, ProofError> {
    let named = |proof: &&Proof| {
        proof
            .id()
            .is_some_and(|id| previous.iter().any(|name| name == id))
    };
    let found: Vec<&Proof> = proofs.iter().filter(named).collect();
    let own_named = own.is_some_and(|own| previous.iter().any(|name| name == own));
    if found.len() != previous.len() || own_named {
        return Err(ProofError::PreviousProof);
    }
    Ok(found)
}

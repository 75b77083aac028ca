//! The IRIs of what is read, as the recommendations define them (Verifiable Credentials Vocabulary 2.0,
//! Security Vocabulary, Bitstring Status List 1.0, appendix "Contexts and Vocabularies").

macro_rules! credentials {
    ($name:literal) => {
        concat!("https://www.w3.org/2018/credentials#", $name)
    };
}
macro_rules! security {
    ($name:literal) => {
        concat!("https://w3id.org/security#", $name)
    };
}
macro_rules! status {
    ($name:literal) => {
        concat!("https://www.w3.org/ns/credentials/status#", $name)
    };
}

pub(super) const TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";

pub(super) const ISSUER: &str = credentials!("issuer");
pub(super) const HOLDER: &str = credentials!("holder");
pub(super) const STATUS: &str = credentials!("credentialStatus");
pub(super) const SUBJECT: &str = credentials!("credentialSubject");
pub(super) const RELATED: &str = credentials!("relatedResource");
pub(super) const CREDENTIAL_OF: &str = credentials!("verifiableCredential");
/// Of both versions of the data model.
pub(super) const PERIOD: [(&str, &str); 4] = [
    ("validFrom", credentials!("validFrom")),
    ("validUntil", credentials!("validUntil")),
    ("issuanceDate", credentials!("issuanceDate")),
    ("expirationDate", credentials!("expirationDate")),
];
pub(super) const DIGESTS: [(&str, &str); 2] = [
    ("digestSRI", credentials!("digestSRI")),
    ("digestMultibase", security!("digestMultibase")),
];

pub(super) const STATUS_ENTRY: &str = status!("BitstringStatusListEntry");
pub(super) const STATUS_BITSTRING: &str = status!("BitstringStatusList");
pub(super) const STATUS_LIST: &str = status!("statusListCredential");
pub(super) const STATUS_TEXTS: [(&str, &str); 3] = [
    ("statusPurpose", status!("statusPurpose")),
    ("statusListIndex", status!("statusListIndex")),
    ("statusSize", status!("statusSize")),
];
pub(super) const LIST_TEXTS: [(&str, &str); 3] = [
    ("statusPurpose", status!("statusPurpose")),
    ("encodedList", status!("encodedList")),
    ("ttl", status!("ttl")),
];

pub(super) const CNF: &str = "https://www.iana.org/assignments/jwt#cnf";
pub(super) const KID: &str = "https://www.iana.org/assignments/jwt#kid";
pub(super) const JWK: &str = "https://www.iana.org/assignments/jwt#jwk";

pub(super) const METHOD: &str = security!("verificationMethod");
pub(super) const PURPOSE: &str = security!("proofPurpose");
pub(super) const PREVIOUS: &str = security!("previousProof");
pub(super) const PROOF_TEXTS: [(&str, &str); 6] = [
    ("cryptosuite", security!("cryptosuite")),
    ("created", "http://purl.org/dc/terms/created"),
    ("expires", security!("expiration")),
    ("domain", security!("domain")),
    ("challenge", security!("challenge")),
    ("nonce", security!("nonce")),
];

/// Types that decide how a document is read.
const TYPES: [(&str, &str); 8] = [
    ("VerifiableCredential", credentials!("VerifiableCredential")),
    (
        "VerifiablePresentation",
        credentials!("VerifiablePresentation"),
    ),
    (
        "EnvelopedVerifiableCredential",
        credentials!("EnvelopedVerifiableCredential"),
    ),
    (
        "EnvelopedVerifiablePresentation",
        credentials!("EnvelopedVerifiablePresentation"),
    ),
    (
        "BitstringStatusListCredential",
        status!("BitstringStatusListCredential"),
    ),
    ("BitstringStatusList", STATUS_BITSTRING),
    ("BitstringStatusListEntry", STATUS_ENTRY),
    ("DataIntegrityProof", security!("DataIntegrityProof")),
];

/// The IRI of a type that decides how a document is read.
pub(super) fn type_of(name: &str) -> Option<&'static str> {
    let found = TYPES.iter().find(|(known, _)| *known == name);
    found.map(|(_, iri)| *iri)
}

/// Whether an IRI is such a type.
pub(super) fn is_known_type(iri: &str) -> bool {
    TYPES.iter().any(|(_, known)| *known == iri)
}

/// The verification relationship that a purpose names.
pub(super) fn purpose(name: &str) -> Option<&'static str> {
    Some(match name {
        "assertionMethod" => security!("assertionMethod"),
        "authentication" => security!("authenticationMethod"),
        "capabilityDelegation" => security!("capabilityDelegationMethod"),
        "capabilityInvocation" => security!("capabilityInvocationMethod"),
        _ => return None,
    })
}

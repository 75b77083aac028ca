//! `did:pkh` (W3C CCG): an account of a blockchain, by its CAIP-10 id.

use serde_json::json;

use super::{Did, DidDocument, DocumentMetadata, ErrorCode, Resolution, ResolutionError};

/// Resolves a `did:pkh`.
pub(super) fn resolve(did: &Did) -> Result<Resolution, ResolutionError> {
    let invalid = ResolutionError::new(ErrorCode::InvalidDid, "not a CAIP-10 account");
    let kind = kind(did.id()).ok_or(invalid.clone())?;
    let url = format!("{did}#blockchainAccountId");
    let document = json!({
        "@context": [
            "https://www.w3.org/ns/did/v1",
            {
                kind: format!("https://w3id.org/security#{kind}"),
                "blockchainAccountId": "https://w3id.org/security#blockchainAccountId",
            },
        ],
        "id": did.as_str(),
        "verificationMethod": [{
            "id": url, "type": kind, "controller": did.as_str(), "blockchainAccountId": did.id(),
        }],
        "authentication": [url],
        "assertionMethod": [url],
        "capabilityDelegation": [url],
        "capabilityInvocation": [url],
    });
    let document = DidDocument::from_json(document, did).map_err(|_| invalid)?;
    Ok(Resolution::found(document, DocumentMetadata::default()))
}

/// The type of the verification method of an account id (CAIP-10, "Syntax").
fn kind(account: &str) -> Option<&'static str> {
    let mut parts = account.splitn(3, ':');
    let (namespace, reference, address) = (parts.next()?, parts.next()?, parts.next()?);
    let of = |text: &str, sizes: std::ops::RangeInclusive<usize>, allowed: fn(u8) -> bool| {
        sizes.contains(&text.len()) && text.bytes().all(allowed)
    };
    let syntax = of(namespace, 3..=8, |b| {
        b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit()
    }) && of(reference, 1..=32, |b| {
        b == b'-' || b == b'_' || b.is_ascii_alphanumeric()
    }) && of(address, 1..=128, |b| {
        b"-.%".contains(&b) || b.is_ascii_alphanumeric()
    });
    if !syntax {
        return None;
    }
    match namespace {
        "eip155" => {
            // CAIP-2 and CAIP-10 for eip155: a decimal chain id and 20 bytes in hexadecimal.
            let digits = address.strip_prefix("0x")?;
            let good = of(reference, 1..=32, |b| b.is_ascii_digit())
                && of(digits, 40..=40, |b| b.is_ascii_hexdigit());
            good.then_some("EcdsaSecp256k1RecoveryMethod2020")
        }
        "bip122" => Some("EcdsaSecp256k1RecoveryMethod2020"),
        "solana" => Some("Ed25519VerificationKey2018"),
        "tezos" => Some("Ed25519PublicKeyBLAKE2BDigestSize20Base58CheckEncoded2021"),
        _ => Some("BlockchainVerificationMethod2021"),
    }
}

//! The same suites by `ssi`: a second implementation for tests, and where a service wants two opinions.
//!
//! Concrete functions alone: its type parameters end here. Keys come from `did:key` only, so it
//! has no way to the network; credentials of VCDM 2.0 and the two rdfc suites only, so its unfinished parts
//! are not reached. It does not bind `issuer` to the key: [`crate::suites`] with
//! `verify_credential` of `vouchsafe-credentials` stays the judge.

use std::pin::Pin;

use serde_json::Value;
use ssi::claims::VerificationParameters;
use ssi::claims::data_integrity::{AnySuite, CryptographicSuite as _, DataIntegrity, ProofOptions};
use ssi::claims::vc::v2::JsonCredential;
use ssi::dids::{DIDKey, DIDResolver as _};
use ssi::verification_methods::{AnyMethod, ReferenceOrOwned, SingleSecretSigner};

/// Why there is no second opinion, or a bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecondOpinionError {
    /// Not a credential with one proof of a suite that is asked here.
    #[error("not a credential with a proof of eddsa-rdfc-2022 or ecdsa-rdfc-2019 by a did:key")]
    Unsupported,
    /// The credential could not be read or canonicalized.
    #[error("credential cannot be processed")]
    Unreadable,
    /// The proof does not hold.
    #[error("proof does not hold")]
    Refused,
    /// The key or the options do not fit.
    #[error("cannot sign")]
    Signing,
}

/// Verifies a credential with one `eddsa-rdfc-2022` or `ecdsa-rdfc-2019` proof made by a `did:key`.
///
/// # Errors
/// See [`SecondOpinionError`].
pub fn verify(secured: &Value) -> Opinion<'_> {
    // Boxed: the state of ssi's verification is nested so deeply that naming it
    // in the futures of a service exceeds the compiler's limit.
    Box::pin(judge(secured))
}

/// What [`verify`] gives.
pub type Opinion<'a> = Pin<Box<dyn Future<Output = Result<(), SecondOpinionError>> + Send + 'a>>;

async fn judge(secured: &Value) -> Result<(), SecondOpinionError> {
    let proof = secured
        .get("proof")
        .ok_or(SecondOpinionError::Unsupported)?;
    let text = |name: &str| proof.get(name).and_then(Value::as_str).unwrap_or_default();
    suite(text("cryptosuite"))?;
    let method = text("verificationMethod");
    // P-384: ssi 0.16 refuses proofs that are made as the vectors of W3C are.
    if !method.starts_with("did:key:") || method.starts_with("did:key:z82") {
        return Err(SecondOpinionError::Unsupported);
    }
    let credential: DataIntegrity<JsonCredential, AnySuite> =
        serde_json::from_str(&secured.to_string()).map_err(|_| SecondOpinionError::Unreadable)?;
    let resolver = DIDKey.into_vm_resolver::<AnyMethod>();
    credential
        .verify(VerificationParameters::from_resolver(resolver))
        .await
        .map_err(|_| SecondOpinionError::Unreadable)?
        .map_err(|_| SecondOpinionError::Refused)
}

/// Issues a credential with the private key `jwk`; `method` is the URL of its public half, a `did:key`.
///
/// # Errors
/// See [`SecondOpinionError`].
pub async fn issue(
    credential: &Value,
    jwk: &Value,
    method: &str,
    cryptosuite: &str,
) -> Result<Value, SecondOpinionError> {
    let suite = suite(cryptosuite)?;
    let credential: JsonCredential = serde_json::from_str(&credential.to_string())
        .map_err(|_| SecondOpinionError::Unreadable)?;
    let key: ssi::JWK =
        serde_json::from_str(&jwk.to_string()).map_err(|_| SecondOpinionError::Signing)?;
    let method: ReferenceOrOwned<AnyMethod> =
        serde_json::from_value(Value::from(method)).map_err(|_| SecondOpinionError::Signing)?;
    let signer = SingleSecretSigner::new(key).into_local();
    let resolver = DIDKey.into_vm_resolver::<AnyMethod>();
    let secured = suite
        .sign(
            credential,
            &resolver,
            signer,
            ProofOptions::from_method(method),
        )
        .await
        .map_err(|_| SecondOpinionError::Signing)?;
    let text = serde_json::to_string(&secured).map_err(|_| SecondOpinionError::Unreadable)?;
    serde_json::from_str(&text).map_err(|_| SecondOpinionError::Unreadable)
}

fn suite(name: &str) -> Result<AnySuite, SecondOpinionError> {
    match name {
        "eddsa-rdfc-2022" => Ok(AnySuite::EdDsaRdfc2022),
        "ecdsa-rdfc-2019" => Ok(AnySuite::EcdsaRdfc2019),
        _ => Err(SecondOpinionError::Unsupported),
    }
}

//! The same suites by `ssi`: a second implementation for tests, and where a service wants two opinions.
//!
//! Concrete functions alone: its type parameters end here. Keys come from `did:key` only, so it
//! has no way to the network; credentials of VCDM 2.0 and the two rdfc suites only, so its unfinished parts
//! are not reached; should it panic all the same, that is a refusal. It does not bind `issuer` to the key:
//! [`crate::suites`] with `verify_credential` of `vouchsafe-credentials` stays the judge.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use serde_json::{Number, Value};
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
    guarded(Box::pin(judge(secured)))
}

/// A panic of `ssi` refuses what it was asked about and nothing else.
fn guarded(mut opinion: Opinion<'_>) -> Opinion<'_> {
    Box::pin(std::future::poll_fn(move |context| {
        // The future is not polled again after this.
        let polled = catch_unwind(AssertUnwindSafe(|| opinion.as_mut().poll(context)));
        polled.unwrap_or(Poll::Ready(Err(SecondOpinionError::Unreadable)))
    }))
}

/// What [`verify`] gives.
pub type Opinion<'a> = Pin<Box<dyn Future<Output = Result<(), SecondOpinionError>> + Send + 'a>>;

async fn judge(secured: &Value) -> Result<(), SecondOpinionError> {
    let proof = secured
        .get("proof")
        .ok_or(SecondOpinionError::Unsupported)?;
    let text = |name: &str| proof.get(name).and_then(Value::as_str).unwrap_or_default();
    // The type chooses among suites of `ssi` that are unfinished: this one looks at `cryptosuite`.
    if text("type") != "DataIntegrityProof" {
        return Err(SecondOpinionError::Unsupported);
    }
    suite(text("cryptosuite"))?;
    let method = text("verificationMethod");
    // P-384: ssi 0.16 refuses proofs that are made as the vectors of W3C are.
    if !method.starts_with("did:key:") || method.starts_with("did:key:z82") {
        return Err(SecondOpinionError::Unsupported);
    }
    if !numbers_it_knows(secured) {
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

/// `ssi` 0.16 panics at a number without a point that is no integer of 64 bits: `1e2`.
fn numbers_it_knows(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64() || number.is_u64() || has_point(number),
        Value::Array(items) => items.iter().all(numbers_it_knows),
        Value::Object(members) => members.values().all(numbers_it_knows),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn has_point(number: &Number) -> bool {
    number.to_string().contains('.')
}

fn suite(name: &str) -> Result<AnySuite, SecondOpinionError> {
    match name {
        "eddsa-rdfc-2022" => Ok(AnySuite::EdDsaRdfc2022),
        "ecdsa-rdfc-2019" => Ok(AnySuite::EcdsaRdfc2019),
        _ => Err(SecondOpinionError::Unsupported),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(opinion: Opinion<'_>) -> Result<(), SecondOpinionError> {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(opinion)
    }

    #[test]
    fn ssi_that_panics_refuses_and_ends_nothing() {
        let unreadable = Err(SecondOpinionError::Unreadable);
        let at_once: Opinion<'_> = Box::pin(async { panic!("at once") });
        assert_eq!(run(guarded(at_once)), unreadable);
        let later: Opinion<'_> = Box::pin(async {
            tokio::task::yield_now().await;
            panic!("later")
        });
        assert_eq!(run(guarded(later)), unreadable);
        assert_eq!(run(guarded(Box::pin(async { Ok(()) }))), Ok(()));
    }
}

//! The proofs of entries and witnesses: `eddsa-jcs-2022` by a `did:key`.

use serde_json::{Map, Value};

use super::parameters::ed25519;
use crate::crypto::{CryptoProvider, sha256};
use crate::did::datetime;
use crate::jcs;
use crate::multibase::base58btc_decode;
use crate::time::UnixTime;

/// Checks one proof over `document` and gives the Multikey text that made it.
///
/// `None` for everything but a valid proof of the one suite that did:webvh 1.0 knows.
pub(super) fn verify(
    document: &Map<String, Value>,
    proof: &Value,
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Option<String> {
    let mut config = proof.as_object()?.clone();
    let signature = config.remove("proofValue")?;
    let is = |name: &str, value: &str| config.get(name).and_then(Value::as_str) == Some(value);
    // did:webvh 1.0, "Authorized Keys".
    if !is("type", "DataIntegrityProof")
        || !is("cryptosuite", "eddsa-jcs-2022")
        || !is("proofPurpose", "assertionMethod")
        // Data Integrity EdDSA Cryptosuites 1.0, section 3.3.2, step 4: the document has none either.
        || config.contains_key("@context")
    {
        return None;
    }
    // Section 3.3.5, step 3.
    if let Some(created) = config.get("created") {
        datetime::parse(created.as_str()?)?;
    }
    // Data Integrity 1.0, section 2.1, `expires`: a proof that has expired proves nothing any
    // more. Whoever writes it into a log says that the entry ends then.
    if let Some(expires) = config.get("expires")
        && datetime::parse(expires.as_str()?)? <= now
    {
        return None;
    }
    // did:webvh 1.0, "Witness DIDs and Reputation": body and fragment of the did:key are equal.
    let method = config.get("verificationMethod")?.as_str()?;
    let (body, fragment) = method.strip_prefix("did:key:")?.split_once('#')?;
    if body != fragment {
        return None;
    }
    let key = ed25519(body)?;
    let signature = base58btc_decode(signature.as_str()?, 64)?;
    // Section 3.3.4: hash of the proof configuration, then hash of the document.
    let hash = |members: &Map<String, Value>| {
        let canonical = jcs::canonicalize_object(members).ok()?;
        Some(sha256(canonical.as_bytes()))
    };
    let message = [hash(&config)?, hash(document)?].concat();
    crypto.verify(&key, &message, &signature).ok()?;
    Some(body.to_owned())
}

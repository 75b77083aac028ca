//! Keys whose private half everybody knows: from RFCs and vectors.

use serde_json::Value;

use super::PublicKey;
use crate::did;

/// `x` of the public keys: a private key for one of them is printed in the document named.
const PUBLISHED_X: &[&str] = &[
    // RFC 7515, appendix A.3.
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    // RFC 7517, appendix A.1 and A.2.
    "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    // RFC 7518, appendix C: the keys of Alice and Bob.
    "gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
    "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
    // RFC 8037, appendix A.
    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    // RFC 9449, section 4.1 (DPoP).
    "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    // RFC 9901, appendix A: issuer and holder; SD-JWT VC: a second issuer.
    "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
    "TCAER19Zvu3OHF4j4W4vfSVoHIP1ILilDls7vCeGemc",
    "DfjUx4WHBds61vGbqUQhsy3FGX13fAS13QWh2EHIkX8",
];

/// The same as `did:key`: vectors of the W3C data integrity suites.
const PUBLISHED_DID: &[&str] = &[
    "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
    "did:key:zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP",
];

/// Whether the private half of this key is printed in a specification. A service must not start
/// with such a key.
#[must_use]
pub fn is_published(key: &PublicKey) -> bool {
    let jwk = key.to_jwk();
    let x = jwk.get("x").and_then(Value::as_str);
    x.is_some_and(|x| PUBLISHED_X.contains(&x))
        || PUBLISHED_DID.contains(&did::key::encode(key).as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::crypto::{Algorithm, Signer as _, SigningKey};
    use crate::testing::SeededRng;

    #[test]
    fn cat_479_keys_of_specifications_are_known() {
        for jwk in [
            json!({"kty": "EC", "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}),
            json!({"kty": "OKP", "crv": "Ed25519",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
            json!({"kty": "EC", "crv": "P-256",
                "x": "b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
                "y": "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}),
        ] {
            assert!(is_published(&PublicKey::from_jwk(&jwk).unwrap()), "{jwk}");
        }
        for did in PUBLISHED_DID {
            let (key, _) = did::resolve_local(did).unwrap();
            assert!(is_published(&key), "{did}");
        }
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
            let fresh = SigningKey::generate(algorithm, &SeededRng::new(5));
            assert!(!is_published(fresh.public_key()));
        }
    }
}

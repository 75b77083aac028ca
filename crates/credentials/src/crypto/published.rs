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

/// The same as `did:key`.
const PUBLISHED_DID: &[&str] = &[
    // Vectors of the W3C data integrity suites: EdDSA, and its sets and chains; ECDSA, and the
    // proof key of ecdsa-sd-2023.
    "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2",
    "did:key:z6MktgKTsu1QhX6QPbyqG6geXdw6FQCZBPq7uQpieWbiQiG7",
    "did:key:z6MkhWqdDBPojHA7cprTGTt5yHv5yUi1B8cnXn8ReLumkw6E",
    "did:key:z6MkmEq87wkHCYnWnNZkigeDMGTN7oUw1upkhzd77KuXERS1",
    "did:key:z6Mkm1S51iPHJvDEkJ9MRtxJmT8Pqo6wHipAFwBAjN83vntT",
    "did:key:zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP",
    "did:key:zDnaeTHfhmSaQKBc7CmdL3K7oYg3D6SC7yowe2eBeVd2DH32r",
    "did:key:z82LkuBieyGShVBhvtE2zoiD6Kma4tJGFtkAhxR5pfkp5QPw4LutoYWhvQCnGjdVn14kujQ",
    // Vectors of did:key: Ed25519 from counted seeds, the curves of NIST.
    "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
    "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG",
    "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf",
    "did:key:z6MkvqoYXQfDDJRv8L4wKzxYeuKyVZBfi9Qo6Ro8MiLH3kDQ",
    "did:key:z6MkwYMhwTvsq376YBAcJHy3vyRWzBgn5vKfVqqDCgm7XVKU",
    "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
    "did:key:zDnaeTiq1PdzvZXUaMdezchcMJQpBdH2VN4pgrrEhMCCbmwSb",
    "did:key:z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9",
    "did:key:z82LkvCwHNreneWpsgPEbV3gu1C6NFJEBg4srfJ5gdxEsMGRJUz2sG9FE42shbn2xkZJh54",
    "did:key:z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3sY5j7",
    "did:key:z2J9gcGdb2nEyMDmzQYv2QZQcM1vXktvy1Pw4MduSWxGabLZ9XESSWLQgbuPhwnXN7zP7HpTzWqrMTzaY5zWe6hpzJ2jnw4f",
    // Vectors of did:webvh: counted seeds.
    "did:key:z6Mkrv5Cm2XCLumMPTqooLTCw6YDf421d7VdTziwrZ8vNf4L",
    "did:key:z6MkkHK1RWHkK3Exv6VUuK6foNUKia5nRyfbRgupcxN9HhW8",
    "did:key:z6MkjnHi6KJKx625x56sxudLoKdDVDABJ5VHHdXRFPUea7NP",
    "did:key:z6MkwW6aqMnjgrhJXFUko3NnZPGzVpkNzhYK7yEhnsibmLwL",
    // RFC 9052, appendix C, key "11".
    "did:key:zDnaed13iaNkx3Y8DMhtWUBAmLsWt9M2eHtaiXU66mjU2ei14",
    // ISO/IEC 18013-5:2021, annex D: document signer, device, and the keys of the sessions.
    "did:key:zDnaeuJERw9QLBM1uJmGCaPfyDcfKeWEW4iS4UBMDGzEAj7Ax",
    "did:key:zDnaeaYFkPXxXLHPmm9Etf6eMmNoKpkyfQxD3RN1J8QxijnoT",
    "did:key:zDnaeXHrQ9NtnV7US8JhtnAkaS8dnMW5T8rBrV9UdLC2w685r",
    "did:key:zDnaeokh7UgnA8VdiHDjK67m68a4yCw13txKjnz3KjdjipE13",
    "did:key:zDnaeWxB9Dg9KCcfX7JrCc7mUb4MxLiFMQmFC4xcAnD27DnyT",
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

//! Both ways with affinidi-sd-jwt 0.1.8.

use affinidi_sd_jwt::{
    JwtSigner, JwtVerifier, KbJwtInput, SdHasher, SdJwt, SdJwtError, Sha256Hasher, Sha384Hasher,
    Sha512Hasher, VerificationOptions, holder, issuer, verifier,
};
use serde_json::Value;
use vouchsafe_credentials::crypto::{
    AwsLc, CryptoProvider as _, PublicKey, Signer as _, SigningKey,
};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::sd_jwt::HashAlg;

use crate::sd_jwt_cases::*;

/// Our keys behind their traits.
struct Key<'a> {
    key: &'a SigningKey,
    /// The header for the issuer-signed JWT; theirs for key binding.
    header: Option<Value>,
}

impl JwtSigner for Key<'_> {
    fn algorithm(&self) -> &str {
        "ES256"
    }

    fn sign_jwt(&self, header: &Value, payload: &Value) -> Result<String, SdJwtError> {
        let header = self.header.as_ref().unwrap_or(header);
        let part = |value: &Value| b64url(value.to_string().as_bytes());
        let input = format!("{}.{}", part(header), part(payload));
        let signature = ready(self.key.sign(input.as_bytes())).unwrap();
        Ok(format!("{input}.{}", b64url(&signature)))
    }
}

struct Check<'a>(&'a PublicKey);

impl JwtVerifier for Check<'_> {
    fn verify_jwt(&self, jws: &str) -> Result<Value, SdJwtError> {
        let bad = || SdJwtError::Verification("signature".into());
        let (input, signature) = jws.rsplit_once('.').ok_or_else(bad)?;
        let signature = b64url_decode(signature).map_err(|_| bad())?;
        AwsLc
            .verify(self.0, input.as_bytes(), &signature)
            .map_err(|_| bad())?;
        let payload = input.split_once('.').ok_or_else(bad)?.1;
        Ok(serde_json::from_slice(
            &b64url_decode(payload).map_err(|_| bad())?,
        )?)
    }
}

/// What they make of a presentation.
pub fn verify(
    parties: &Parties,
    compact: &str,
    hasher: &dyn SdHasher,
) -> Result<Value, SdJwtError> {
    let parsed = SdJwt::parse(compact, hasher)?;
    let options = VerificationOptions {
        verify_kb: true,
        expected_audience: Some(AUDIENCE),
        expected_nonce: Some(NONCE),
    };
    let issuer = Check(parties.issuer.public_key());
    let holder = Check(parties.holder.public_key());
    let result = verifier::verify(&parsed, &issuer, hasher, &options, Some(&holder))?;
    assert_eq!(result.kb_verified, Some(true));
    Ok(result.claims)
}

fn hashers() -> [(HashAlg, Box<dyn SdHasher>); 3] {
    [
        (HashAlg::Sha256, Box::new(Sha256Hasher)),
        (HashAlg::Sha384, Box::new(Sha384Hasher)),
        (HashAlg::Sha512, Box::new(Sha512Hasher)),
    ]
}

#[test]
fn they_verify_what_we_issue_and_present() {
    let parties = Parties::new();
    for case in cases() {
        for (hash, hasher) in hashers() {
            let held = parties.hold(&parties.issue(&case, hash));
            let presented = parties.present(&case, &held);
            let ours = parties.verify(&presented).unwrap();
            let theirs = verify(&parties, &presented, hasher.as_ref()).unwrap();
            assert_eq!(Value::Object(ours.claims), theirs, "{}", case.name);
        }
    }
}

#[test]
fn we_verify_what_they_issue_and_present() {
    let parties = Parties::new();
    let header = Some(parties.header());
    let issuer_key = Key {
        key: &parties.issuer,
        header,
    };
    let holder_key = Key {
        key: &parties.holder,
        header: None,
    };
    for case in cases() {
        for (hash, hasher) in hashers() {
            // Without a Disclosure they leave `_sd_alg` out and yet take
            // `sd_hash` with their own hash; RFC 9901, section 4.1.1 says
            // `sha-256` then.
            if case.hidden.is_empty() && hash != HashAlg::Sha256 {
                continue;
            }
            let frame = foreign_frame(&case.outermost(), |index| Value::from(index.to_string()));
            let card = parties.card(&case);
            let theirs = issuer::issue(&card, &frame, &issuer_key, hasher.as_ref(), None).unwrap();
            let held = parties.hold(&theirs.serialize());
            assert_eq!(Value::Object(held.claims().clone()), card, "{}", case.name);

            let input = KbJwtInput {
                audience: AUDIENCE,
                nonce: NONCE,
                signer: &holder_key,
                iat: NOW.seconds().unsigned_abs(),
            };
            let all: Vec<_> = theirs.disclosures.iter().collect();
            for shown in [&all[..], &all[..all.len() / 2], &[]] {
                let bound = holder::present(&theirs, shown, Some(&input), hasher.as_ref()).unwrap();
                let compact = bound.serialize();
                let ours = parties.verify(&compact).unwrap();
                let oracle = verify(&parties, &compact, hasher.as_ref()).unwrap();
                assert_eq!(Value::Object(ours.claims), oracle, "{}", case.name);
            }
        }
    }
}

#[test]
fn both_refuse_the_same_attacks() {
    let parties = Parties::new();
    let case = &cases()[1];
    let held = parties.hold(&parties.issue(case, HashAlg::Sha256));
    let presented = parties.present(case, &held);
    let parts: Vec<&str> = presented.split('~').collect();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        change(&mut parts);
        parts.join("~")
    };
    for attack in [
        with(&|parts| drop(parts.remove(1))),
        with(&|parts| parts.swap(1, 2)),
        with(&|parts| parts.insert(1, parts[1].clone())),
        with(&|parts| *parts.last_mut().unwrap() = String::new()),
        with(&|parts| parts[1] = b64url(br#"["salt","admin",true]"#)),
    ] {
        assert!(parties.verify(&attack).is_err());
        assert!(verify(&parties, &attack, &Sha256Hasher).is_err());
    }
}

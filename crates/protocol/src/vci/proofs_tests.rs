use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Portable, PublicKey, Signer as _, SigningKey};
use vouchsafe_credentials::data_integrity::{
    Cryptosuite, EcdsaJcs2019, EddsaJcs2022, ProofOptions, ProofPurpose, SuiteSigner, add_proof,
};
use vouchsafe_credentials::did::{self, LocalResolver};
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vcdm::DateTimeStamp;
use vouchsafe_credentials::x509::{Role, TrustAnchors};

use super::*;
use crate::oauth::wallet_provider::{WalletProvider, WalletProviders};
use crate::testing::sign_raw;
use crate::vci::error::CredentialErrorCode;
use crate::vci::key_attestation::KeyAttestationError;
use crate::vci::nonce::NonceKeys;
use crate::vci::proof::{MAX_AGE, MAX_SKEW, ProofFor, build};

const NOW: UnixTime = UnixTime(1_700_000_000);
const ISSUER: &str = "https://issuer.example.com";
const PROVIDER: u64 = 90;

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
}

fn nonces() -> NonceKeys {
    NonceKeys::new(ISSUER, 1, [1; 32])
}

fn nonce(seed: u64) -> String {
    nonces().issue(NOW, &SeededRng::new(seed))
}

/// One key is trusted.
fn providers() -> WalletProviders {
    let mut jwk = key(PROVIDER).public_key().to_jwk();
    jwk["kid"] = json!("provider");
    let keys = JwkSet::from_value(&json!({ "keys": [jwk] })).unwrap();
    let anchors = TrustAnchors::new(Role::WalletProvider);
    [WalletProvider::new("provider", anchors, keys).unwrap()]
        .into_iter()
        .collect()
}

/// What stands beside the proofs.
struct Setting {
    nonces: NonceKeys,
    providers: WalletProviders,
    key_storage: Vec<String>,
    user_authentication: Vec<String>,
    attested: bool,
    batch_size: usize,
}

impl Setting {
    fn plain() -> Self {
        Self {
            nonces: nonces(),
            providers: providers(),
            key_storage: Vec::new(),
            user_authentication: Vec::new(),
            attested: false,
            batch_size: 3,
        }
    }

    fn attested() -> Self {
        Self {
            attested: true,
            ..Self::plain()
        }
    }

    async fn verify(&self, proofs: &Proofs) -> Result<AcceptedProofs, ProofError> {
        let policy = AttestationPolicy {
            providers: &self.providers,
            key_storage: &self.key_storage,
            user_authentication: &self.user_authentication,
        };
        let expected = ProofsExpected {
            proof: Expected {
                issuer: ISSUER,
                client_id: None,
                algorithms: &[Algorithm::Es256, Algorithm::EdDsa],
                nonces: &self.nonces,
                now: NOW,
            },
            offered: Offered {
                jwt: true,
                attestation: self.attested,
                di_vp: !self.attested,
                key_attestation: self.attested.then_some(policy),
            },
            batch_size: self.batch_size,
            resolver: &LocalResolver,
        };
        verify(proofs, &expected, &Portable).await
    }

    async fn jwts(&self, jwts: &[String]) -> Result<AcceptedProofs, ProofError> {
        self.verify(&Proofs::Jwt(jwts.to_vec())).await
    }

    async fn alone(&self, jwt: String) -> Result<AcceptedProofs, ProofError> {
        self.verify(&Proofs::Attestation(jwt)).await
    }
}

async fn built(seed: u64, nonce: &str) -> String {
    let request = ProofFor {
        issuer: ISSUER,
        client_id: None,
        nonce: Some(nonce),
    };
    build(&request, &key(seed), NOW).await.unwrap()
}

/// An attestation of these keys, changed before it is signed.
async fn attestation(seeds: &[u64], change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let keys: Vec<Value> = seeds
        .iter()
        .map(|s| key(*s).public_key().to_jwk())
        .collect();
    let mut header = json!({"typ": "key-attestation+jwt", "alg": "ES256", "kid": "provider"});
    let mut claims = json!({
        "iat": NOW.seconds(), "exp": NOW.seconds() + 300, "nonce": nonce(4),
        "attested_keys": keys,
        "key_storage": ["iso_18045_moderate"], "user_authentication": ["iso_18045_high"],
    });
    change(&mut header, &mut claims);
    sign_raw(&header, &claims, &key(PROVIDER)).await
}

/// A proof of a key that carries an attestation.
async fn with_attestation(seed: u64, attestation: &str) -> String {
    with_header(seed, |header| {
        header["key_attestation"] = json!(attestation)
    })
    .await
}

async fn with_header(seed: u64, change: impl FnOnce(&mut Value)) -> String {
    let signer = key(seed);
    let mut header = json!({
        "typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": signer.public_key().to_jwk(),
    });
    change(&mut header);
    let claims = json!({"aud": ISSUER, "iat": NOW.seconds(), "nonce": nonce(4)});
    sign_raw(&header, &claims, &signer).await
}

fn public(seeds: &[u64]) -> Vec<PublicKey> {
    let keys = seeds.iter().map(|seed| key(*seed).public_key().clone());
    keys.collect()
}

fn remove(value: &mut Value, name: &str) {
    value.as_object_mut().unwrap().remove(name);
}

#[tokio::test]
async fn cat_268_batches_stand_or_fall_together() {
    let setting = Setting::plain();
    let (a, b) = (nonce(4), nonce(5));
    let (one, two) = (built(1, &a).await, built(2, &a).await);
    let accepted = setting.jwts(&[one.clone(), two.clone()]).await.unwrap();
    assert_eq!(accepted.keys, public(&[1, 2]));
    assert_eq!(accepted.nonces.len(), 1);
    let refused = async |jwts: &[String]| setting.jwts(jwts).await.unwrap_err();
    let four = vec![one.clone(); 4];
    assert!(matches!(refused(&four).await, ProofError::TooMany));
    let twice = [one.clone(), one.clone()];
    assert!(matches!(refused(&twice).await, ProofError::KeyTwice));
    let differing = [one.clone(), built(2, &b).await];
    assert!(matches!(
        refused(&differing).await,
        ProofError::NoncesDiffer
    ));
    let broken = [one, two, "a.b.c".into()];
    assert!(matches!(refused(&broken).await, ProofError::Jws(_)));
    assert!(matches!(refused(&[]).await, ProofError::NoKey));
}

#[tokio::test]
async fn one_attestation_for_the_proofs_of_a_batch() {
    let setting = Setting::attested();
    let keys = attestation(&[1, 2, 3, 4, 5], |_, _| {}).await;
    // Appendix F.1: a credential for each attested key, as far as the batch goes; the keys that
    // signed come first.
    let one = with_attestation(2, &keys).await;
    let accepted = setting.jwts(std::slice::from_ref(&one)).await.unwrap();
    assert_eq!(accepted.keys, public(&[2, 1, 3]));
    assert_eq!(accepted.nonces.len(), 1);
    let two = with_attestation(4, &keys).await;
    let accepted = setting.jwts(&[two, one]).await.unwrap();
    assert_eq!(accepted.keys, public(&[4, 2, 1]));
}

#[tokio::test]
async fn an_attestation_alone() {
    let mut setting = Setting::attested();
    let keys = attestation(&[1, 2, 3, 4, 5], |_, claims| remove(claims, "exp")).await;
    let accepted = setting.alone(keys.clone()).await.unwrap();
    assert_eq!(accepted.keys, public(&[1, 2, 3]));
    setting.batch_size = 1;
    let accepted = setting.alone(keys.clone()).await.unwrap();
    assert_eq!(accepted.keys, public(&[1]));
    // In a jwt proof it must say when it ends (appendix D.1).
    let inside = with_attestation(1, &keys).await;
    let error = setting.jwts(&[inside]).await.unwrap_err();
    assert!(matches!(
        error,
        ProofError::Attestation(KeyAttestationError::Expired)
    ));
}

#[tokio::test]
async fn cat_272_the_key_of_the_proof_is_attested() {
    let setting = Setting::attested();
    let keys = attestation(&[1, 2], |_, claims| {
        claims["attested_keys"][1]["kid"] = json!("k2")
    });
    let keys = keys.await;
    let other = with_attestation(3, &keys).await;
    let error = setting.jwts(&[other]).await.unwrap_err();
    assert!(matches!(error, ProofError::NotAttested));
    // Named by its place in the attestation: the first, or the one with the kid.
    for (seed, kid) in [
        (1, json!("0")),
        (1, Value::Null),
        (2, json!("k2")),
        (2, json!("1")),
    ] {
        let proof = with_header(seed, |header| {
            remove(header, "jwk");
            header["key_attestation"] = json!(keys);
            if !kid.is_null() {
                header["kid"] = kid.clone();
            }
        });
        let accepted = setting.jwts(&[proof.await]).await.unwrap();
        assert_eq!(accepted.keys[0], *key(seed).public_key(), "{kid}");
    }
    for (seed, kid) in [
        (2, "0"),
        (1, "k2"),
        (1, "1"),
        (1, "2"),
        (1, "00"),
        (1, "+0"),
        (1, "unknown"),
    ] {
        let proof = with_header(seed, |header| {
            remove(header, "jwk");
            header["key_attestation"] = json!(keys);
            header["kid"] = json!(kid);
        });
        let error = setting.jwts(&[proof.await]).await.unwrap_err();
        assert_eq!(error.code(), CredentialErrorCode::InvalidProof, "{kid}");
    }
}

#[tokio::test]
async fn cat_272_attestations_that_are_not_believed() {
    let mut setting = Setting::attested();
    setting.key_storage = vec!["iso_18045_high".into(), "iso_18045_moderate".into()];
    setting.user_authentication = vec!["iso_18045_high".into()];
    let good = attestation(&[1], |_, _| {}).await;
    assert!(setting.alone(good.clone()).await.is_ok());
    let claim = |name: &'static str, value: Value| {
        move |_: &mut Value, claims: &mut Value| {
            if value.is_null() {
                remove(claims, name);
            } else {
                claims[name] = value;
            }
        }
    };
    let now = NOW.seconds();
    let jwk = key(1).public_key().to_jwk();
    let mut private = jwk.clone();
    private["d"] = json!("AAAA");
    for (name, value) in [
        ("iat", Value::Null),
        ("iat", json!("1")),
        ("iat", json!(now + MAX_SKEW + 1)),
        ("exp", json!(now)),
        ("exp", json!("later")),
        ("exp", json!(null)),
        ("nbf", json!(now + MAX_SKEW + 1)),
        ("nbf", json!(now.to_string())),
        ("nonce", Value::Null),
        ("nonce", json!(["x"])),
        ("attested_keys", Value::Null),
        ("attested_keys", json!([])),
        ("attested_keys", json!({})),
        ("attested_keys", json!([jwk, jwk])),
        ("attested_keys", json!([private])),
        ("attested_keys", json!([{"kty": "oct", "k": "AAAA"}])),
        ("attested_keys", json!(vec![jwk.clone(); 101])),
        ("key_storage", Value::Null),
        ("key_storage", json!([])),
        ("key_storage", json!("iso_18045_high")),
        ("key_storage", json!(["iso_18045_basic"])),
        ("key_storage", json!(["ISO_18045_HIGH"])),
        ("user_authentication", Value::Null),
        ("user_authentication", json!(["iso_18045_moderate"])),
    ] {
        let jwt = attestation(&[1], claim(name, value.clone())).await;
        // exp may be absent where the attestation is the proof: it is not there.
        let proof = with_attestation(1, &jwt).await;
        let error = setting.jwts(&[proof]).await.unwrap_err();
        assert_eq!(
            error.code(),
            CredentialErrorCode::InvalidProof,
            "{name} {value}"
        );
    }
    let jwt = attestation(&[1], claim("nbf", json!(now + MAX_SKEW))).await;
    assert!(setting.alone(jwt).await.is_ok());
    let old = nonces().issue(NOW.plus(-301), &SeededRng::new(1));
    for wrong in ["x", &old] {
        let jwt = attestation(&[1], claim("nonce", json!(wrong))).await;
        let error = setting.alone(jwt).await.unwrap_err();
        assert_eq!(error.code(), CredentialErrorCode::InvalidNonce);
    }
    for (name, value) in [
        ("typ", json!("keyattestation+jwt")),
        ("typ", json!("JWT")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("kid", json!("somebody")),
        ("kid", json!(1)),
    ] {
        let jwt = attestation(&[1], |header, _| header[name] = value.clone()).await;
        let error = setting.alone(jwt).await.unwrap_err();
        assert!(
            matches!(error, ProofError::Attestation(_)),
            "{name} {value}"
        );
    }
    let (rest, _) = good.rsplit_once('.').unwrap();
    let (_, foreign) = {
        let other = attestation(&[2], |_, _| {}).await;
        let (a, b) = other.rsplit_once('.').unwrap();
        (a.to_owned(), b.to_owned())
    };
    let error = setting
        .alone(format!("{rest}.{foreign}"))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        ProofError::Attestation(KeyAttestationError::Jws(_))
    ));
}

#[tokio::test]
async fn cat_272_where_attestations_are_asked_for_and_where_not() {
    let (plain, attested) = (Setting::plain(), Setting::attested());
    let jwt = attestation(&[1], |_, _| {}).await;
    let bare = built(1, &nonce(4)).await;
    let error = attested
        .jwts(std::slice::from_ref(&bare))
        .await
        .unwrap_err();
    assert!(matches!(error, ProofError::AttestationMissing));
    let inside = with_attestation(1, &jwt).await;
    let error = plain.jwts(std::slice::from_ref(&inside)).await.unwrap_err();
    assert!(matches!(error, ProofError::HeaderMember));
    let error = plain.alone(jwt).await.unwrap_err();
    assert!(matches!(error, ProofError::Type));
    // One of two proofs without it.
    let error = attested.jwts(&[inside, bare]).await.unwrap_err();
    assert!(matches!(error, ProofError::AttestationMissing));
    let form = with_header(1, |header| header["key_attestation"] = json!({})).await;
    let error = attested.jwts(&[form]).await.unwrap_err();
    assert!(matches!(
        error,
        ProofError::Attestation(KeyAttestationError::Form)
    ));
    let chain = with_header(1, |header| header["trust_chain"] = json!([])).await;
    let error = plain.jwts(&[chain]).await.unwrap_err();
    assert!(matches!(error, ProofError::HeaderMember));
}

#[tokio::test]
async fn a_nonce_of_its_own_is_used_up_too() {
    let setting = Setting::attested();
    let jwt = attestation(&[1], |_, claims| claims["nonce"] = json!(nonce(5))).await;
    let proof = with_attestation(1, &jwt).await;
    let accepted = setting.jwts(&[proof]).await.unwrap();
    assert_eq!(accepted.nonces.len(), 2);
}

async fn presentation(
    key: &SigningKey,
    suite: &dyn Cryptosuite,
    change: impl FnOnce(&mut Value, &mut ProofOptions),
) -> Value {
    let did = did::key::encode(key.public_key());
    let method = format!("{did}#{}", did::key::encode_multibase(key.public_key()));
    let mut document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": did,
    });
    let mut options = ProofOptions::new(&method, ProofPurpose::Authentication);
    options.challenge = Some(nonce(4));
    options.domain = vec![ISSUER.to_owned()];
    change(&mut document, &mut options);
    let signer = SuiteSigner::Signature(key);
    let rng = SeededRng::new(6);
    add_proof(&document, &options, suite, signer, &rng)
        .await
        .unwrap()
}

#[tokio::test]
async fn presentations_of_did_holders() {
    let setting = Setting::plain();
    let ed = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(8));
    let one = presentation(&ed, &EddsaJcs2022, |_, _| {}).await;
    let two = presentation(&key(2), &EcdsaJcs2019, |_, _| {}).await;
    let both = Proofs::DiVp(vec![one.clone(), two]);
    let accepted = setting.verify(&both).await.unwrap();
    assert_eq!(
        accepted.keys,
        [ed.public_key().clone(), public(&[2])[0].clone()]
    );
    let twice = Proofs::DiVp(vec![one.clone(), one.clone()]);
    let error = setting.verify(&twice).await.unwrap_err();
    assert!(matches!(error, ProofError::KeyTwice));
    let error = Setting::attested().verify(&Proofs::DiVp(vec![one])).await;
    assert!(matches!(error, Err(ProofError::Type)));
}

#[tokio::test]
async fn cat_259_260_presentations_that_prove_nothing() {
    type Change = fn(&mut Value, &mut ProofOptions);
    let setting = Setting::plain();
    let changes: [(&str, Change); 8] = [
        ("domain", |_, o| {
            o.domain = vec!["https://other.example.com".into()]
        }),
        ("no domain", |_, o| o.domain = Vec::new()),
        ("domains", |_, o| {
            o.domain.push("https://other.example.com".into())
        }),
        ("no challenge", |_, o| o.challenge = None),
        ("purpose", |_, o| {
            let method = o.verification_method.clone();
            let (challenge, domain) = (o.challenge.clone(), o.domain.clone());
            *o = ProofOptions::new(&method, ProofPurpose::AssertionMethod);
            (o.challenge, o.domain) = (challenge, domain);
        }),
        ("holder", |d, _| d["holder"] = json!("did:key:zOther")),
        ("type", |d, _| d["type"] = json!("VerifiableCredential")),
        ("context", |d, _| {
            d["@context"] = json!(["https://example.com"])
        }),
    ];
    for (what, change) in changes {
        let made = presentation(&key(1), &EcdsaJcs2019, change).await;
        let error = setting.verify(&Proofs::DiVp(vec![made])).await.unwrap_err();
        assert_eq!(error.code(), CredentialErrorCode::InvalidProof, "{what}");
    }
    let one = key(1);
    let foreign = presentation(&one, &EcdsaJcs2019, |_, o| o.challenge = Some("x".into()));
    let error = setting.verify(&Proofs::DiVp(vec![foreign.await])).await;
    assert_eq!(error.unwrap_err().code(), CredentialErrorCode::InvalidNonce);
    let mut altered = presentation(&key(1), &EcdsaJcs2019, |_, _| {}).await;
    altered["x"] = json!(1);
    let error = setting.verify(&Proofs::DiVp(vec![altered])).await;
    assert_eq!(error.unwrap_err().code(), CredentialErrorCode::InvalidProof);
    let bare = json!({"@context": ["https://www.w3.org/ns/credentials/v2"], "type": "VerifiablePresentation"});
    let error = setting.verify(&Proofs::DiVp(vec![bare])).await;
    assert_eq!(error.unwrap_err().code(), CredentialErrorCode::InvalidProof);
}

#[tokio::test]
async fn cat_265_presentations_of_another_time() {
    let setting = Setting::plain();
    for (seconds, good) in [
        (-200_000_000, false),
        (-MAX_AGE - 1, false),
        (-MAX_AGE, true),
        (MAX_SKEW, true),
        (MAX_SKEW + 1, false),
    ] {
        let created = DateTimeStamp::from_time(NOW.plus(seconds));
        let made = presentation(&key(1), &EcdsaJcs2019, |_, o| o.created = Some(created)).await;
        let got = setting.verify(&Proofs::DiVp(vec![made])).await;
        let code = got.map(drop).map_err(|error| error.code());
        match good {
            true => assert_eq!(code, Ok(()), "{seconds}"),
            false => assert_eq!(code, Err(CredentialErrorCode::InvalidProof), "{seconds}"),
        }
    }
}

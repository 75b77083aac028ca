use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ContentEncryption, JweError, Recipient, Sealed, decrypt, encrypt, kdf};
use crate::crypto::tests::providers;
use crate::crypto::{AgreementKey, Algorithm, Portable, PublicKey, Signer as _, SigningKey};
use crate::encoding::{b64url, b64url_decode};
use crate::testing::SeededRng;

const BOTH: [ContentEncryption; 2] = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm];

fn key() -> AgreementKey {
    AgreementKey::generate(&SeededRng::new(11))
}

fn sealed(enc: ContentEncryption) -> String {
    let key = key();
    let recipient = Recipient {
        key: key.public_key(),
        kid: Some("k1"),
        enc,
        apu: b"",
        apv: b"nonce",
    };
    encrypt(b"a text", &recipient, &Portable, &SeededRng::new(12)).unwrap()
}

/// The token with one header member replaced (removed when null).
fn with_header(name: &str, value: Value) -> String {
    let token = sealed(ContentEncryption::A128Gcm);
    let (header, rest) = token.split_once('.').unwrap();
    let mut header: Value = serde_json::from_slice(&b64url_decode(header).unwrap()).unwrap();
    if value.is_null() {
        header.as_object_mut().unwrap().remove(name);
    } else {
        header[name] = value;
    }
    format!("{}.{rest}", b64url(header.to_string().as_bytes()))
}

fn with_part(index: usize, text: &str) -> String {
    let token = sealed(ContentEncryption::A128Gcm);
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[index] = text;
    parts.join(".")
}

fn refused(compact: &str) -> JweError {
    let mut answers: Vec<_> = providers()
        .into_iter()
        .map(|provider| decrypt(compact, &key(), &BOTH, provider))
        .collect();
    answers.dedup();
    assert_eq!(answers.len(), 1, "back ends disagree");
    answers.remove(0).expect_err(compact)
}

#[test]
fn rfc_7518_appendix_c() {
    let d = |text| AgreementKey::from_bytes(&b64url_decode(text).unwrap()).unwrap();
    let alice = d("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
    let bob = d("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
    let bob_public = json!({
        "kty": "EC", "crv": "P-256",
        "x": "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
        "y": "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    });
    assert_eq!(bob.public_key().to_jwk(), bob_public);
    for provider in providers() {
        for (private, public) in [(&alice, bob.public_key()), (&bob, alice.public_key())] {
            let shared = provider.ecdh(private, public).unwrap();
            let derived = kdf::derive(&shared, ContentEncryption::A128Gcm, b"Alice", b"Bob");
            assert_eq!(b64url(&derived), "VqqN6vgjbSBcIijNcacQGg");
        }
    }
}

#[test]
fn every_back_end_opens_what_every_back_end_seals() {
    let key = key();
    for enc in BOTH {
        for sealing in providers() {
            let recipient = Recipient {
                key: key.public_key(),
                kid: Some("k1"),
                enc,
                apu: b"me",
                apv: b"you",
            };
            let compact = encrypt(b"a text", &recipient, sealing, &SeededRng::new(1)).unwrap();
            for opening in providers() {
                let token = Sealed::parse(&compact).unwrap();
                assert_eq!((token.kid(), token.enc()), (Some("k1"), enc));
                assert_eq!((token.apu(), token.apv()), (&b"me"[..], &b"you"[..]));
                let restored = AgreementKey::from_bytes(&*key.to_bytes()).unwrap();
                assert_eq!(**token.open(&restored, &BOTH, opening).unwrap(), *b"a text");
            }
        }
    }
}

#[test]
fn the_other_key_opens_nothing() {
    let other = AgreementKey::generate(&SeededRng::new(99));
    let answer = decrypt(
        &sealed(ContentEncryption::A128Gcm),
        &other,
        &BOTH,
        &Portable,
    );
    assert_eq!(answer, Err(JweError::Decryption));
}

#[test]
fn cat_085_epk_of_another_kind() {
    let ed25519 = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1));
    let mut private = key().public_key().to_jwk();
    private["d"] = json!("AAAA");
    let mut off_curve = key().public_key().to_jwk();
    off_curve["x"] = off_curve["y"].clone();
    for epk in [
        json!({"kty": "OKP", "crv": "X25519", "x": b64url(&[0; 32])}),
        ed25519.public_key().to_jwk(),
        private,
        off_curve,
        json!("key"),
        json!(null),
    ] {
        assert_eq!(refused(&with_header("epk", epk)), JweError::Key);
    }
}

/// RFC 7517, sections 4.2 to 4.4.
#[test]
fn cat_085_an_epk_that_is_meant_for_something_else() {
    let own = sealed(ContentEncryption::A128Gcm);
    let header = b64url_decode(own.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    let with = |name: &str, value: Value| {
        let mut epk = header["epk"].clone();
        epk[name] = value;
        refused(&with_header("epk", epk))
    };
    for (name, value) in [
        ("use", json!("sig")),
        ("use", json!(1)),
        ("key_ops", json!(["verify"])),
        ("key_ops", json!("deriveKey")),
        ("key_ops", json!([1])),
        ("alg", json!("ES256")),
        ("alg", json!("ECDH-ES+A128KW")),
    ] {
        assert_eq!(with(name, value.clone()), JweError::Key, "{name} {value}");
    }
    // These are read; only the header is then another one than was authenticated.
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["deriveBits"])),
        ("key_ops", json!(["deriveKey", "deriveBits"])),
        ("key_ops", json!([])),
        ("alg", json!("ECDH-ES")),
        ("ext", json!(true)),
    ] {
        assert_eq!(
            with(name, value.clone()),
            JweError::Decryption,
            "{name} {value}"
        );
    }
}

#[test]
fn cat_100_the_type_of_another_token() {
    for typ in [
        "kb+jwt",
        "statuslist+jwt",
        "dc+sd-jwt",
        "oauth-authz-req+jwt",
        "dpop+jwt",
        "openid4vci-proof+jwt",
        "application/kb+jwt",
        "KB+JWT",
        "Application/DPoP+JWT",
    ] {
        let refused = refused(&with_header("typ", json!(typ)));
        assert_eq!(refused, JweError::InvalidHeader, "{typ}");
    }
    assert_eq!(
        refused(&with_header("typ", json!(1))),
        JweError::InvalidHeader
    );
    // Nobody says what the type of a response is.
    for typ in ["JWE", "JWT", "jwe", "JOSE", "vp+jwt", ""] {
        let refused = refused(&with_header("typ", json!(typ)));
        assert_eq!(refused, JweError::Decryption, "{typ}");
    }
}

#[test]
fn cat_086_only_ecdh_es() {
    for alg in [
        "RSA1_5",
        "RSA-OAEP",
        "dir",
        "A128KW",
        "ECDH-ES+A128KW",
        "PBES2-HS256+A128KW",
        "ecdh-es",
        "",
    ] {
        assert_eq!(
            refused(&with_header("alg", json!(alg))),
            JweError::Algorithm,
            "{alg}"
        );
    }
    assert_eq!(
        refused(&with_header("alg", json!(null))),
        JweError::Algorithm
    );
    assert_eq!(
        refused(&with_header("zip", json!("DEF"))),
        JweError::UnsupportedHeader
    );
    assert_eq!(
        refused(&with_header("crit", json!([]))),
        JweError::UnsupportedHeader
    );
    assert_eq!(
        refused(&with_header("jku", json!("http://127.0.0.1"))),
        JweError::UnsupportedHeader
    );
    assert_eq!(refused(&with_part(1, "AAAA")), JweError::Malformed);
}

#[test]
fn cat_088_a_jws_is_no_jwe() {
    for compact in ["", "a.b.c", "a.b.c.d", "a..b.c.d.e", "a.b.c.d.e.f"] {
        assert_eq!(refused(compact), JweError::Malformed, "{compact}");
    }
}

#[test]
fn cat_091_lengths_of_tag_nonce_and_ciphertext() {
    for length in [0, 4, 12, 15, 17] {
        assert_eq!(
            refused(&with_part(4, &b64url(&vec![1; length]))),
            JweError::Malformed
        );
    }
    for length in [0, 8, 11, 13, 16] {
        assert_eq!(
            refused(&with_part(2, &b64url(&vec![1; length]))),
            JweError::Malformed
        );
    }
    assert_eq!(refused(&with_part(3, "")), JweError::Malformed);
    assert_eq!(refused(&with_part(3, "AAAA")), JweError::Decryption);
    assert_eq!(
        refused(&with_part(4, &b64url(&[0; 16]))),
        JweError::Decryption
    );
}

#[test]
fn cat_092_enc_must_be_announced() {
    for (enc, allowed) in [(BOTH[0], BOTH[1]), (BOTH[1], BOTH[0])] {
        let answer = decrypt(&sealed(enc), &key(), &[allowed], &Portable);
        assert_eq!(answer, Err(JweError::Encryption));
    }
    for enc in ["A192GCM", "A128CBC-HS256", "A256CBC-HS512", "a128gcm", ""] {
        assert_eq!(
            refused(&with_header("enc", json!(enc))),
            JweError::Encryption,
            "{enc}"
        );
    }
    // The header is authenticated: another `enc` gives another key and another tag.
    assert_eq!(
        refused(&with_header("enc", json!("A256GCM"))),
        JweError::Decryption
    );
}

#[test]
fn the_header_is_authenticated() {
    for (name, value) in [
        ("kid", json!("k2")),
        ("apv", json!("AAAA")),
        ("apu", json!("AAAA")),
        ("x", json!(1)),
    ] {
        assert_eq!(
            refused(&with_header(name, value)),
            JweError::Decryption,
            "{name}"
        );
    }
    for (name, value) in [("kid", json!(1)), ("apv", json!("=")), ("apu", json!([]))] {
        assert_eq!(
            refused(&with_header(name, value)),
            JweError::InvalidHeader,
            "{name}"
        );
    }
    assert_eq!(
        refused(&with_header("x", json!("a".repeat(super::MAX_HEADER)))),
        JweError::TooLarge
    );
    assert_eq!(
        refused(&"a".repeat(super::MAX_LENGTH + 1)),
        JweError::TooLarge
    );
    assert_eq!(
        refused(&with_part(0, &b64url(b"[]"))),
        JweError::InvalidHeader
    );
}

#[test]
fn a_signing_key_is_no_recipient() {
    let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1));
    let recipient = Recipient {
        key: key.public_key(),
        kid: None,
        enc: BOTH[0],
        apu: b"",
        apv: b"",
    };
    let answer = encrypt(b"x", &recipient, &Portable, &SeededRng::new(1));
    assert_eq!(answer, Err(JweError::Key));
}

#[test]
fn ephemeral_keys_are_fresh() {
    let rng = SeededRng::new(1);
    let key = key();
    let recipient = Recipient {
        key: key.public_key(),
        kid: None,
        enc: BOTH[0],
        apu: b"",
        apv: b"",
    };
    let seal = || encrypt(b"x", &recipient, &Portable, &rng).unwrap();
    let header = |token: String| token.split('.').next().unwrap().to_owned();
    assert_ne!(header(seal()), header(seal()));
    let first: Value = serde_json::from_slice(&b64url_decode(&header(seal())).unwrap()).unwrap();
    assert!(PublicKey::from_jwk(&first["epk"]).is_ok());
    assert!(first.get("kid").is_none() && first.get("apu").is_none() && first.get("apv").is_none());
}

proptest! {
    #[test]
    fn any_text_is_refused_without_panic(text in ".{0,200}") {
        prop_assert!(Sealed::parse(&text).is_err());
    }

    #[test]
    fn any_changed_byte_is_refused(position in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = sealed(ContentEncryption::A256Gcm).into_bytes();
        let position = position.index(bytes.len());
        prop_assume!(bytes[position] != byte);
        bytes[position] = byte;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        for provider in providers() {
            prop_assert!(decrypt(&text, &key(), &BOTH, provider).is_err());
        }
    }

    #[test]
    fn any_plaintext_survives(plaintext in prop::collection::vec(any::<u8>(), 1..300), seed in any::<u64>()) {
        let key = key();
        let recipient = Recipient { key: key.public_key(), kid: None, enc: BOTH[1], apu: b"u", apv: b"v" };
        let compact = encrypt(&plaintext, &recipient, &Portable, &SeededRng::new(seed)).unwrap();
        prop_assert_eq!(&**decrypt(&compact, &key, &BOTH, &Portable).unwrap(), &plaintext[..]);
    }
}

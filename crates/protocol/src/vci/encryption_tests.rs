use serde_json::{Value, json};
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::testing::SeededRng;

use super::*;

fn agreement(seed: u64) -> AgreementKey {
    AgreementKey::generate(&SeededRng::new(seed))
}

fn member() -> Value {
    let mut jwk = agreement(1).public_key().to_jwk();
    jwk["alg"] = json!("ECDH-ES");
    jwk["kid"] = json!("k");
    jwk["use"] = json!("enc");
    json!({"jwk": jwk, "enc": "A256GCM"})
}

#[test]
fn a_response_opens_with_the_key_of_the_request() {
    for enc in ENC_VALUES {
        let mut member = member();
        member["enc"] = json!(enc.name());
        let encryption = ResponseEncryption::read(&member).unwrap();
        let token = encryption
            .seal(b"{}", &Portable, &SeededRng::new(2))
            .unwrap();
        let sealed = Sealed::parse(&token).unwrap();
        assert_eq!((sealed.kid(), sealed.enc()), (Some("k"), enc));
        let opened = sealed.open(&agreement(1), &[enc], &Portable).unwrap();
        assert_eq!(opened.as_slice(), b"{}");
    }
}

#[test]
fn cat_275_parameters_that_are_refused() {
    type Change = fn(&mut Value);
    let changes: [(Change, EncryptionError); 16] = [
        (|m| *m = json!([]), EncryptionError::Form),
        (|m| m["jwk"] = json!("x"), EncryptionError::Form),
        (|m| m["jwk"]["kid"] = json!(1), EncryptionError::Form),
        (|m| m["enc"] = json!(1), EncryptionError::Form),
        (
            |m| m["enc"] = json!("A128CBC-HS256"),
            EncryptionError::Encryption,
        ),
        (|m| m["enc"] = json!("a256gcm"), EncryptionError::Encryption),
        (|m| m["zip"] = json!("GZIP"), EncryptionError::Compression),
        (|m| m["zip"] = json!(true), EncryptionError::Compression),
        (
            |m| m["jwk"]["alg"] = json!("UNSUPPORTED_ALG"),
            EncryptionError::Algorithm,
        ),
        (
            |m| m["jwk"]["alg"] = json!("RSA1_5"),
            EncryptionError::Algorithm,
        ),
        (
            |m| m["jwk"]["alg"] = json!(null),
            EncryptionError::Algorithm,
        ),
        (|m| m["jwk"]["use"] = json!("sig"), EncryptionError::Key),
        (|m| m["jwk"]["d"] = json!("AAAA"), EncryptionError::Key),
        (|m| m["jwk"]["x"] = json!("AAAA"), EncryptionError::Key),
        (|m| m["jwk"]["crv"] = json!("P-384"), EncryptionError::Key),
        (
            |m| m["jwk"]["x5c"] = json!("A".repeat(10_240)),
            EncryptionError::Key,
        ),
    ];
    for (change, error) in changes {
        let mut changed = member();
        change(&mut changed);
        assert_eq!(ResponseEncryption::read(&changed), Err(error), "{changed}");
    }
    for name in ["jwk", "enc"] {
        let mut changed = member();
        changed.as_object_mut().unwrap().remove(name);
        assert_eq!(
            ResponseEncryption::read(&changed),
            Err(EncryptionError::Form)
        );
    }
}

#[test]
fn compression_that_is_asked_for_is_left_out() {
    let mut member = member();
    member["zip"] = json!("DEF");
    let encryption = ResponseEncryption::read(&member).unwrap();
    let token = encryption
        .seal(b"{}", &Portable, &SeededRng::new(2))
        .unwrap();
    assert!(Sealed::parse(&token).is_ok());
}

fn sealed(kid: Option<&str>) -> String {
    let key = agreement(3);
    let recipient = Recipient {
        key: key.public_key(),
        kid,
        enc: ContentEncryption::A128Gcm,
        apu: b"",
        apv: b"",
    };
    jwe::encrypt(b"{}", &recipient, &Portable, &SeededRng::new(4)).unwrap()
}

#[test]
fn requests_open_with_the_key_they_name() {
    let find = |kid: &str| (kid == "1").then(|| agreement(3));
    let open = |body: &str| open_request(body.as_bytes(), find, &Portable);
    assert_eq!(open(&sealed(Some("1"))).unwrap().as_slice(), b"{}");
    assert_eq!(open(&sealed(Some("2"))), Err(EncryptionError::UnknownKey));
    assert_eq!(open(&sealed(None)), Err(EncryptionError::UnknownKey));
    let other = |_: &str| Some(agreement(5));
    assert_eq!(
        open_request(sealed(Some("1")).as_bytes(), other, &Portable),
        Err(EncryptionError::Jwe(JweError::Decryption))
    );
    for rubbish in ["", "{}", "a.b.c", "a.b.c.d.e"] {
        assert!(matches!(open(rubbish), Err(EncryptionError::Jwe(_))));
    }
    assert!(open_request(&[0xff], find, &Portable).is_err());
}

#[test]
fn cat_101_a_request_with_white_space_about_it_is_none() {
    let find = |kid: &str| (kid == "1").then(|| agreement(3));
    let good = sealed(Some("1"));
    for spaced in [
        format!("{good}\n"),
        format!(" {good}"),
        format!("{good}\r\n"),
    ] {
        let refused = open_request(spaced.as_bytes(), find, &Portable);
        assert!(
            matches!(refused, Err(EncryptionError::Jwe(_))),
            "{spaced:?}"
        );
    }
}

#[test]
fn metadata_of_both_directions() {
    let keys = [RequestKey {
        kid: "1".into(),
        key: agreement(3),
    }];
    let request = request_metadata(&keys, true);
    assert_eq!(request.jwks["keys"][0]["kid"], "1");
    assert_eq!(request.jwks["keys"][0]["alg"], "ECDH-ES");
    assert!(request.jwks["keys"][0].get("d").is_none());
    assert_eq!(request.enc_values_supported, ["A256GCM", "A128GCM"]);
    assert!(request.encryption_required);
    let response = response_metadata(false);
    assert_eq!(response.alg_values_supported, ["ECDH-ES"]);
    assert!(!response.encryption_required);
}

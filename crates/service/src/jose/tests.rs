use serde_json::{Map, Value, json};
use vouchsafe_credentials::{
    crypto::{AgreementKey, AwsLc, Portable},
    encoding::{b64url, b64url_decode},
    jwe as ours,
    time::UnixTime,
};

use super::{jwe::ContentEncryption, *};
use crate::random::OsRandom;

const NOW: UnixTime = UnixTime(1_800_000_000);

fn claims() -> Map<String, Value> {
    let claims = json!({
        "iss": "https://op.example", "aud": "client", "sub": "x",
        "iat": NOW.0, "exp": NOW.0 + 300, "nonce": "n",
    });
    claims.as_object().unwrap().clone()
}

const BOTH: &[SigningAlg] = &[SigningAlg::Rs256, SigningAlg::Es256];

fn expected() -> Expected<'static> {
    Expected {
        algorithms: BOTH,
        typ: TypeRule::JwtOrAbsent,
        issuer: "https://op.example",
        audience: "client",
        expiry: Expiry::Enforced,
        now: NOW,
        leeway: 60,
    }
}

fn es256() -> (JwtKey, Jwks) {
    let key = JwtKey::generate(SigningAlg::Es256).unwrap();
    let set = KeySet::new(vec![key.clone()]);
    (key, Jwks::from_value(&set.jwks()).unwrap())
}

fn with(name: &str, value: Value) -> Map<String, Value> {
    let mut claims = claims();
    claims.insert(name.into(), value);
    claims
}

/// Another header over the same payload and signature.
fn reheader(token: &str, header: &Value) -> String {
    let rest = token.split_once('.').unwrap().1;
    format!("{}.{rest}", b64url(header.to_string().as_bytes()))
}

#[test]
fn both_algorithms_sign_and_verify() {
    let keys: Vec<JwtKey> = BOTH
        .iter()
        .map(|alg| JwtKey::generate(*alg).unwrap())
        .collect();
    let set = KeySet::new(keys);
    assert_eq!(set.algorithms(), BOTH);
    let jwks = Jwks::parse(set.jwks().to_string().as_bytes()).unwrap();
    for alg in BOTH {
        let key = set.signer(*alg).unwrap();
        let token = key.sign("JWT", &claims()).unwrap();
        let header = b64url_decode(token.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(
            header,
            json!({"typ": "JWT", "kid": key.kid(), "alg": alg.as_str()})
        );
        let verified = verify(&token, &jwks, &expected()).unwrap();
        assert_eq!(verified.text("nonce"), Some("n"));
        // PEM there and back gives the same key.
        let again = JwtKey::from_pem(*alg, &key.to_pem()).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk());
        verify(&again.sign("JWT", &claims()).unwrap(), &jwks, &expected()).unwrap();
    }
}

#[test]
fn the_key_set_publishes_nothing_private() {
    for alg in BOTH {
        let key = JwtKey::generate(*alg).unwrap();
        let jwk = key.public_jwk().as_object().unwrap();
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(!jwk.contains_key(private));
        }
        assert_eq!(
            (&jwk["use"], &jwk["alg"]),
            (&json!("sig"), &json!(alg.as_str()))
        );
        assert!(!format!("{key:?}").contains("PRIVATE"));
    }
}

#[test]
fn kid_is_the_thumbprint() {
    // RFC 7638, section 3.1
    let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let key = json!({"kty": "RSA", "n": n, "e": "AQAB"});
    let thumbprint = super::key::thumbprint(key.as_object().unwrap());
    assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let (key, _) = es256();
    let public = vouchsafe_credentials::crypto::PublicKey::from_jwk(key.public_jwk()).unwrap();
    assert_eq!(key.kid(), public.thumbprint());
}

/// RFC 7519, section 2.
#[test]
fn rfc_7519_section_2_a_numeric_date_may_have_a_fraction() {
    let (key, jwks) = es256();
    for (text, good) in [
        ("1800000300.5", true),
        ("1.8000003e9", true),
        ("1799999940.9", false),
        ("-0.5", false),
        ("1e30", false),
    ] {
        let claims = with("exp", serde_json::from_str(text).unwrap());
        let token = key.sign("JWT", &claims).unwrap();
        assert_eq!(verify(&token, &jwks, &expected()).is_ok(), good, "{text}");
    }
}

#[test]
fn claims_must_be_the_expected_ones() {
    let (key, jwks) = es256();
    for (claims, why) in [
        (
            with("iss", json!("https://evil.example")),
            JoseError::Issuer,
        ),
        (with("iss", json!("https://op.example/")), JoseError::Issuer),
        (with("iss", json!(["https://op.example"])), JoseError::Claim),
        (with("aud", json!("other")), JoseError::Audience),
        (with("aud", json!(["other"])), JoseError::Audience),
        (with("aud", json!({"client": 1})), JoseError::Claim),
        (with("exp", json!(NOW.0 - 60)), JoseError::Time),
        (with("exp", json!("1800000300")), JoseError::Claim),
        (with("exp", json!(-1)), JoseError::Claim),
        (with("exp", Value::Null), JoseError::Claim),
        (with("iat", json!(NOW.0 + 61)), JoseError::Time),
        (with("iat", json!("now")), JoseError::Claim),
        (with("nbf", json!(NOW.0 + 61)), JoseError::Time),
        (with("nbf", json!(true)), JoseError::Claim),
    ] {
        let token = key.sign("JWT", &claims).unwrap();
        assert_eq!(
            verify(&token, &jwks, &expected()).unwrap_err(),
            why,
            "{claims:?}"
        );
    }
    for missing in ["iss", "aud", "exp", "iat"] {
        let mut claims = claims();
        claims.remove(missing);
        let token = key.sign("JWT", &claims).unwrap();
        let refused = verify(&token, &jwks, &expected()).unwrap_err();
        assert_eq!(refused, JoseError::Claim, "{missing}");
    }
    let old = key.sign("JWT", &with("exp", json!(NOW.0 - 600))).unwrap();
    let hint = Expected {
        expiry: Expiry::Ignored,
        ..expected()
    };
    verify(&old, &jwks, &hint).unwrap();
    let event = Expected {
        expiry: Expiry::Absent,
        ..expected()
    };
    let refused = verify(&old, &jwks, &event).unwrap_err();
    assert_eq!(refused, JoseError::Claim, "exp in a security event");
    let mut endless = claims();
    endless.remove("exp");
    verify(&key.sign("JWT", &endless).unwrap(), &jwks, &event).unwrap();
    let several = key
        .sign("JWT", &with("aud", json!(["other", "client"])))
        .unwrap();
    verify(&several, &jwks, &expected()).unwrap();
}

#[test]
fn tokens_of_other_types_are_refused() {
    let (key, jwks) = es256();
    let logout = Expected {
        typ: TypeRule::Exactly("logout+jwt"),
        ..expected()
    };
    for (typ, as_id_token, as_logout_token) in [
        ("JWT", true, false),
        ("jwt", true, false),
        ("logout+jwt", false, true),
        ("application/LOGOUT+jwt", false, true),
        ("at+jwt", false, false),
        ("dpop+jwt", false, false),
    ] {
        let token = key.sign(typ, &claims()).unwrap();
        assert_eq!(
            verify(&token, &jwks, &expected()).is_ok(),
            as_id_token,
            "{typ}"
        );
        assert_eq!(
            verify(&token, &jwks, &logout).is_ok(),
            as_logout_token,
            "{typ}"
        );
    }
}

#[test]
fn cat_067_cat_070_cat_071_cat_076_cat_077_headers_cannot_choose_the_rules() {
    let (key, jwks) = es256();
    let token = key.sign("JWT", &claims()).unwrap();
    let es = |extra: Value| {
        let mut header = json!({"alg": "ES256", "kid": key.kid()});
        header
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        header
    };
    for (header, why) in [
        (json!({"alg": "none"}), JoseError::Algorithm),
        (json!({"alg": "None"}), JoseError::Algorithm),
        (json!({"alg": "nOnE"}), JoseError::Algorithm),
        (json!({"alg": ""}), JoseError::Algorithm),
        (json!({"alg": null}), JoseError::Algorithm),
        (
            json!({"alg": "HS256", "kid": key.kid()}),
            JoseError::Algorithm,
        ),
        (
            json!({"alg": "ES384", "kid": key.kid()}),
            JoseError::Algorithm,
        ),
        (json!({"kid": key.kid()}), JoseError::Algorithm),
        (json!({"alg": ["ES256"]}), JoseError::Algorithm),
        (json!({"alg": "RS256", "kid": key.kid()}), JoseError::NoKey),
        (json!({"alg": "ES256", "kid": "other"}), JoseError::NoKey),
        (es(json!({"crit": ["exp"]})), JoseError::HeaderParameter),
        (es(json!({"crit": []})), JoseError::HeaderParameter),
        (
            es(json!({"crit": ["alg", "alg"]})),
            JoseError::HeaderParameter,
        ),
        (es(json!({"crit": ["absent"]})), JoseError::HeaderParameter),
        (es(json!({"b64": false})), JoseError::HeaderParameter),
        (
            es(json!({"b64": false, "crit": ["b64"]})),
            JoseError::HeaderParameter,
        ),
        (
            es(json!({"b64": true, "crit": ["b64"]})),
            JoseError::HeaderParameter,
        ),
        (
            es(json!({"jwk": key.public_jwk()})),
            JoseError::HeaderParameter,
        ),
        (
            es(json!({"jku": "https://evil.example"})),
            JoseError::HeaderParameter,
        ),
        (
            es(json!({"x5u": "http://127.0.0.1/chain"})),
            JoseError::HeaderParameter,
        ),
        (es(json!({"x5c": []})), JoseError::HeaderParameter),
        (es(json!({"zip": "DEF"})), JoseError::HeaderParameter),
        (es(json!({"extra": 1})), JoseError::NotAuthentic),
    ] {
        let refused = verify(&reheader(&token, &header), &jwks, &expected()).unwrap_err();
        assert_eq!(refused, why, "{header}");
    }
    let only_rs = Expected {
        algorithms: &[SigningAlg::Rs256],
        ..expected()
    };
    assert_eq!(
        verify(&token, &jwks, &only_rs).unwrap_err(),
        JoseError::Algorithm
    );
}

#[test]
fn altered_and_malformed_tokens_are_refused() {
    let (key, jwks) = es256();
    let token = key.sign("JWT", &claims()).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let payload = with("sub", json!("somebody else"));
    let payload = b64url(Value::Object(payload).to_string().as_bytes());
    let forged = format!("{}.{payload}.{}", parts[0], parts[2]);
    assert_eq!(
        verify(&forged, &jwks, &expected()).unwrap_err(),
        JoseError::NotAuthentic
    );
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    assert_eq!(
        verify(&unsigned, &jwks, &expected()).unwrap_err(),
        JoseError::NotAuthentic
    );
    let (_, foreign) = es256();
    assert_eq!(
        verify(&token, &foreign, &expected()).unwrap_err(),
        JoseError::NoKey
    );
    for bad in [
        "",
        ".",
        "..",
        "a.b",
        &token[1..],
        &format!("{token}="),
        &format!("{token}.x"),
        &format!(" {token}"),
        &format!("{token}\n"),
    ] {
        let refused = verify(bad, &jwks, &expected()).unwrap_err();
        assert!(
            matches!(refused, JoseError::Malformed | JoseError::Algorithm),
            "{bad}: {refused}"
        );
    }
    let long = format!("{token}{}", "A".repeat(70_000));
    assert_eq!(
        verify(&long, &jwks, &expected()).unwrap_err(),
        JoseError::TooLong
    );
}

#[test]
fn cat_083_cat_095_key_sets_with_private_or_weak_keys() {
    let private = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": "a", "y": "b", "d": "c"}]});
    assert_eq!(Jwks::from_value(&private).unwrap_err(), JoseError::Key);
    let symmetric = json!({"keys": [{"kty": "oct", "k": "c"}]});
    assert_eq!(Jwks::from_value(&symmetric).unwrap_err(), JoseError::Key);
    let many = json!({"keys": vec![json!({"kty": "EC"}); 1001]});
    assert_eq!(Jwks::from_value(&many).unwrap_err(), JoseError::Key);
    for bad in [
        json!({}),
        json!([]),
        json!({"keys": {}}),
        json!({"keys": ["x"]}),
    ] {
        assert_eq!(Jwks::from_value(&bad).unwrap_err(), JoseError::Key, "{bad}");
    }
    // A short RSA key is not even tried.
    let key = JwtKey::generate(SigningAlg::Rs256).unwrap();
    let token = key.sign("JWT", &claims()).unwrap();
    for (n, e) in [
        (vec![0xff; 128], vec![1, 0, 1]),
        (vec![0x7f; 256], vec![1, 0, 1]),
        (vec![0xff; 256], vec![1]),
    ] {
        let weak =
            json!({"keys": [{"kty": "RSA", "n": b64url(&n), "e": b64url(&e), "kid": key.kid()}]});
        let refused = verify(&token, &Jwks::from_value(&weak).unwrap(), &expected()).unwrap_err();
        assert_eq!(refused, JoseError::NoKey);
    }
    assert!(JwtKey::from_pem(SigningAlg::Es256, &key.to_pem()).is_err());
    assert!(JwtKey::from_pem(SigningAlg::Rs256, "no key").is_err());
}

#[test]
fn cat_073_cat_074_kid_and_number_of_keys() {
    for alg in BOTH {
        let key = JwtKey::generate(*alg).unwrap();
        let other = JwtKey::generate(*alg).unwrap();
        let token = key.sign("JWT", &claims()).unwrap();
        let mut unnamed = key.public_jwk().clone();
        let mut foreign = other.public_jwk().clone();
        // Another party's key under the same `kid`.
        foreign["kid"] = json!(key.kid());
        let jwks = Jwks::from_value(&json!({"keys": [foreign.clone()]})).unwrap();
        assert_eq!(
            verify(&token, &jwks, &expected()).unwrap_err(),
            JoseError::NotAuthentic
        );
        // A token without `kid` among a thousand keys.
        let nameless = sign_without_kid(&key);
        for jwk in [&mut unnamed, &mut foreign] {
            jwk.as_object_mut().unwrap().remove("kid");
        }
        for (position, found) in [(0, true), (7, true), (8, false), (999, false)] {
            let mut keys = vec![foreign.clone(); 1000];
            keys[position] = unnamed.clone();
            let jwks = Jwks::from_value(&json!({ "keys": keys })).unwrap();
            let answer = verify(&nameless, &jwks, &expected());
            assert_eq!(answer.is_ok(), found, "{alg:?} {position}");
        }
    }
}

/// josekit signs without `kid` when it is not told one.
fn sign_without_kid(key: &JwtKey) -> String {
    use josekit::jws::{self, JwsHeader};
    let payload = Value::Object(claims()).to_string();
    let mut header = JwsHeader::new();
    header.set_token_type("JWT");
    let pem = key.to_pem();
    let pem = pem.as_bytes();
    match key.alg() {
        SigningAlg::Rs256 => {
            let signer = jws::RS256.signer_from_pem(pem).unwrap();
            jws::serialize_compact(payload.as_bytes(), &header, &signer).unwrap()
        }
        SigningAlg::Es256 => {
            let signer = jws::ES256.signer_from_pem(pem).unwrap();
            jws::serialize_compact(payload.as_bytes(), &header, &signer).unwrap()
        }
    }
}

/// HMAC with what everybody knows of the key.
#[test]
fn cat_068_mac_with_a_public_key_of_a_party() {
    use josekit::jws::{self, JwsHeader};
    for alg in BOTH {
        let key = JwtKey::generate(*alg).unwrap();
        let jwks = Jwks::from_value(&json!({"keys": [key.public_jwk()]})).unwrap();
        for secret in [key.public_jwk().to_string().into_bytes(), public_pem(&key)] {
            let signer = jws::HS256.signer_from_bytes(&secret).unwrap();
            let mut header = JwsHeader::new();
            header.set_key_id(key.kid());
            let payload = Value::Object(claims()).to_string();
            let token = jws::serialize_compact(payload.as_bytes(), &header, &signer).unwrap();
            assert_eq!(
                verify(&token, &jwks, &expected()).unwrap_err(),
                JoseError::Algorithm
            );
        }
    }
}

fn public_pem(key: &JwtKey) -> Vec<u8> {
    use josekit::{jwk::KeyPair as _, jws};
    let pem = key.to_pem();
    match key.alg() {
        SigningAlg::Rs256 => jws::RS256
            .key_pair_from_pem(pem.as_bytes())
            .unwrap()
            .to_pem_public_key(),
        SigningAlg::Es256 => jws::ES256
            .key_pair_from_pem(pem.as_bytes())
            .unwrap()
            .to_pem_public_key(),
    }
}

/// The private JWK of a key of ours, for josekit.
fn private_jwk(key: &AgreementKey) -> Value {
    let mut jwk = key.public_key().to_jwk();
    jwk["d"] = json!(b64url(key.to_bytes().as_ref()));
    jwk
}

#[test]
fn both_implementations_open_each_others_jwe() {
    let key = AgreementKey::generate(&OsRandom);
    for (theirs, own) in [
        (ContentEncryption::A128Gcm, ours::ContentEncryption::A128Gcm),
        (ContentEncryption::A256Gcm, ours::ContentEncryption::A256Gcm),
    ] {
        for plain in [&b"x"[..], b"presentation", &[7; 5000]] {
            let public = key.public_key().to_jwk();
            let foreign = jwe::encrypt(plain, &public, theirs, None).unwrap();
            for provider in [
                &AwsLc as &dyn vouchsafe_credentials::crypto::CryptoProvider,
                &Portable,
            ] {
                let opened = ours::decrypt(&foreign, &key, &[own], provider).unwrap();
                assert_eq!(opened.as_slice(), plain);
                let recipient = ours::Recipient {
                    key: key.public_key(),
                    kid: Some("1"),
                    enc: own,
                    apu: b"wallet",
                    apv: b"nonce",
                };
                let sent = ours::encrypt(plain, &recipient, provider, &OsRandom).unwrap();
                let opened = jwe::open(&sent, &private_jwk(&key), &[theirs]).unwrap();
                assert_eq!(opened, plain);
            }
        }
    }
}

#[test]
fn cat_085_cat_086_cat_088_cat_091_cat_092_jwes_that_are_refused() {
    let key = AgreementKey::generate(&OsRandom);
    let both = [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm];
    let public = key.public_key().to_jwk();
    let token = jwe::encrypt(b"x", &public, both[1], None).unwrap();
    let private = private_jwk(&key);
    let header = b64url_decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    for (name, value, why) in [
        ("zip", json!("DEF"), JoseError::HeaderParameter),
        ("crit", json!(["x"]), JoseError::HeaderParameter),
        ("alg", json!("dir"), JoseError::Algorithm),
        ("alg", json!("ECDH-ES+A128KW"), JoseError::Algorithm),
        ("alg", json!("RSA1_5"), JoseError::Algorithm),
        ("alg", json!("A128KW"), JoseError::Algorithm),
        ("alg", json!("PBES2-HS256+A128KW"), JoseError::Algorithm),
        ("enc", json!("A128CBC-HS256"), JoseError::Algorithm),
        ("enc", Value::Null, JoseError::Algorithm),
        ("extra", json!(1), JoseError::NotAuthentic),
    ] {
        let mut changed = header.clone();
        changed[name] = value;
        let refused = jwe::open(&reheader(&token, &changed), &private, &both).unwrap_err();
        assert_eq!(refused, why, "{name}");
    }
    assert_eq!(
        jwe::open(&token, &private, &both[..1]).unwrap_err(),
        JoseError::Algorithm
    );
    let other = private_jwk(&AgreementKey::generate(&OsRandom));
    assert_eq!(
        jwe::open(&token, &other, &both).unwrap_err(),
        JoseError::NotAuthentic
    );
    assert_eq!(
        jwe::open("a.b.c", &private, &both).unwrap_err(),
        JoseError::Malformed
    );
    // PBES2 with 2^31 rounds costs nothing, because none of them is made.
    let mut costly = header.clone();
    costly["alg"] = json!("PBES2-HS512+A256KW");
    costly["p2c"] = json!(1_u32 << 31);
    costly["p2s"] = json!("AAAAAAAAAAA");
    let start = std::time::Instant::now();
    let refused = jwe::open(&reheader(&token, &costly), &private, &both).unwrap_err();
    assert_eq!(refused, JoseError::Algorithm);
    assert!(start.elapsed() < std::time::Duration::from_secs(1));
    // An ephemeral key that is not a public P-256 key.
    let mut private_epk = public.clone();
    private_epk["d"] = json!("AAAA");
    for epk in [
        json!({"kty": "OKP", "crv": "X25519", "x": b64url(&[0; 32])}),
        json!({"kty": "EC", "crv": "P-256", "x": b64url(&[0; 32]), "y": b64url(&[0; 32])}),
        private_epk,
        Value::Null,
    ] {
        let mut changed = header.clone();
        changed["epk"] = epk;
        let refused = jwe::open(&reheader(&token, &changed), &private, &both).unwrap_err();
        assert_eq!(refused, JoseError::Malformed);
    }
    // Tag, nonce and ciphertext of other lengths.
    for (part, length) in [
        (2, 0),
        (2, 8),
        (2, 16),
        (3, 0),
        (4, 0),
        (4, 4),
        (4, 12),
        (4, 17),
    ] {
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        parts[part] = b64url(&vec![0; length]);
        let refused = jwe::open(&parts.join("."), &private, &both).unwrap_err();
        assert_eq!(refused, JoseError::Malformed, "{part} {length}");
    }
}

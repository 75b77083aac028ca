//! Key binding: group B of the attack catalogue.

use serde_json::{Value, json};

use super::fixtures::*;
use super::*;
use crate::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use crate::encoding::b64url;
use crate::jws::{self, Header, TokenType};
use crate::sd_jwt::HashAlg;
use crate::testing::SeededRng;

fn code(result: Result<StatusOwed, VcError>) -> &'static str {
    result.unwrap_err().code()
}

/// A Key Binding JWT with these claims over the usual ones; `null` removes.
fn bind_claims(world: &World, sd_jwt: &str, change: Value) -> String {
    let mut claims = json!({
        "iat": NOW, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": HashAlg::Sha256.digest(sd_jwt),
    });
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            other => claims
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), other.clone()),
        };
    }
    let header = Header::new(TokenType::KeyBinding);
    let jwt = ready(jws::sign(&header, &claims, &world.holder)).unwrap();
    format!("{sd_jwt}{jwt}")
}

#[test]
fn cat_043_stripped_key_binding() {
    let world = World::new();
    let sd_jwt = world.issue();
    assert_eq!(world.refusal(&sd_jwt), "kb_missing");
    let (without_tilde, _) = sd_jwt.rsplit_once('~').unwrap();
    assert_eq!(world.refusal(without_tilde), "sd_jwt_malformed");
}

#[test]
fn cat_044_bad_key_binding_where_none_is_required() {
    let world = World::new();
    let other = SigningKey::generate(Algorithm::Es256, &SeededRng::new(5));
    let sd_jwt = world.issue();
    let mut policy = world.policy();
    policy.key_binding = KeyBindingPolicy::Optional {
        audience: AUDIENCE,
        nonce: NONCE,
    };
    let bad = world.bind_as(&sd_jwt, &other, AUDIENCE, NONCE, NOW);
    assert_eq!(
        code(verify_presented(&bad, &policy, &Portable)),
        "kb_signature"
    );
    let unbound = verify_presented(&sd_jwt, &policy, &Portable).unwrap();
    assert!(!unbound.settle(None, NOW).unwrap().get().holder_bound);
    let bound = verify_presented(&world.bind(&sd_jwt), &policy, &Portable).unwrap();
    assert!(bound.settle(None, NOW).unwrap().get().holder_bound);
    policy.key_binding = KeyBindingPolicy::Forbidden;
    let unwanted = verify_presented(&world.bind(&sd_jwt), &policy, &Portable);
    assert_eq!(code(unwanted), "kb_unexpected");
}

#[test]
fn cat_046_no_holder_key_in_the_credential() {
    let world = World::new();
    let sd_jwt = world.issue_with(|input| input.holder_key = None);
    assert_eq!(world.refusal(&world.bind(&sd_jwt)), "holder_key_missing");
}

#[test]
fn cat_047_holder_key_by_reference() {
    let world = World::new();
    let jwk = world.key().to_jwk();
    let mut with_x5u = jwk.clone();
    with_x5u["x5u"] = json!("https://tracker.example");
    for cnf in [
        json!({"jku": "https://tracker.example/keys", "kid": "1"}),
        json!({"x5u": "https://tracker.example/cert"}),
        json!({"kid": "https://tracker.example/key"}),
        json!({"kid": "1", "jwk": jwk}),
        json!({"jwk": with_x5u}),
        json!({}),
    ] {
        let bound = world.bind(&world.sign_card(json!({"cnf": cnf})));
        assert_eq!(world.refusal(&bound), "holder_key_unsupported", "{cnf}");
    }
    for cnf in [json!("x"), json!([]), json!({"jwk": "x"})] {
        let bound = world.bind(&world.sign_card(json!({"cnf": cnf})));
        assert_eq!(world.refusal(&bound), "claim_malformed", "{cnf}");
    }
}

#[test]
fn cat_049_minimal_holder_key() {
    let world = World::new();
    let jwk = world.key().to_jwk();
    assert_eq!(jwk.as_object().unwrap().len(), 4, "kty, crv, x, y");
    assert!(
        world
            .verify(&world.bind(&world.sign_card(json!({"cnf": {"jwk": jwk}}))))
            .is_ok()
    );
}

#[test]
fn cat_050_nonce_of_another_transaction() {
    let world = World::new();
    let sd_jwt = world.issue();
    for nonce in ["other", "", "n-0S6_WzA2M", "n-0S6_WzA2Mj "] {
        let bound = world.bind_as(&sd_jwt, &world.holder, AUDIENCE, nonce, NOW);
        assert_eq!(world.refusal(&bound), "kb_nonce", "{nonce}");
    }
}

#[test]
fn cat_052_cat_053_cat_055_other_audiences() {
    let world = World::new();
    let sd_jwt = world.issue();
    let without_prefix = AUDIENCE.split_once(':').unwrap().1;
    let other_prefix = format!("x509_san_dns:{without_prefix}");
    for audience in [
        "https://other.example",
        without_prefix,
        &other_prefix,
        "origin:https://shop.example",
    ] {
        let bound = world.bind_as(&sd_jwt, &world.holder, audience, NONCE, NOW);
        assert_eq!(world.refusal(&bound), "kb_audience", "{audience}");
    }
    // The other way round: over the Digital Credentials API the origin counts.
    let mut policy = world.policy();
    policy.key_binding = KeyBindingPolicy::Required {
        audience: "origin:https://shop.example",
        nonce: NONCE,
    };
    let by_client_id = verify_presented(&world.bind(&sd_jwt), &policy, &Portable);
    assert_eq!(code(by_client_id), "kb_audience");
}

#[test]
fn cat_056_key_binding_over_other_disclosures() {
    let world = World::new();
    let held = world.held();
    let wanted = paths(&[json!(["given_name"]), json!(["member_id"])]);
    let presentation = held.present(&wanted).unwrap();
    let bound = world.bind(presentation.sd_jwt());
    let parts: Vec<&str> = bound.split('~').collect();
    let [jwt, first, second, kb] = parts.as_slice() else {
        panic!("two Disclosures and a Key Binding JWT");
    };
    let removed = format!("{jwt}~{first}~{kb}");
    let reordered = format!("{jwt}~{second}~{first}~{kb}");
    let all = held.compact();
    let added = format!("{all}{kb}");
    for altered in [removed, reordered, added] {
        assert_eq!(world.refusal(&altered), "kb_sd_hash");
    }
    let doubled = format!("{jwt}~{first}~{first}~{second}~{kb}");
    assert_eq!(world.refusal(&doubled), "disclosure_duplicate");
}

#[test]
fn cat_058_other_token_types() {
    let world = World::new();
    let sd_jwt = world.issue();
    let claims = json!({
        "iat": NOW, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": HashAlg::Sha256.digest(&sd_jwt),
    });
    for typ in [
        "JWT",
        "kb+JWT",
        "openid4vci-proof+jwt",
        "application/kb+jwt",
        "dc+sd-jwt",
    ] {
        let header = Header::new(TokenType::KeyBinding).with("typ", typ);
        let jwt = ready(jws::sign(&header, &claims, &world.holder)).unwrap();
        assert_eq!(world.refusal(&format!("{sd_jwt}{jwt}")), "kb_typ", "{typ}");
    }
}

#[test]
fn cat_059_time_of_the_key_binding() {
    let world = World::new();
    let sd_jwt = world.issue();
    let now = NOW.seconds();
    for (change, expected) in [
        (json!({"iat": now - 3600}), Some("kb_too_old")),
        (json!({"iat": now - 301}), Some("kb_too_old")),
        (json!({"iat": now - 300}), None),
        (json!({"iat": now + 60}), None),
        (json!({"iat": now + 61}), Some("kb_in_future")),
        (json!({"iat": now + 3600}), Some("kb_in_future")),
        (json!({"iat": null}), Some("kb_claim_missing")),
        (json!({"iat": now.to_string()}), Some("kb_claim_malformed")),
        (json!({"iat": -1}), Some("kb_claim_malformed")),
        (json!({"exp": now}), Some("kb_too_old")),
        (json!({"exp": now + 1}), None),
        (json!({"nbf": now + 60}), None),
        (json!({"exp": "soon"}), Some("kb_claim_malformed")),
        (json!({"nbf": now + 61}), Some("kb_in_future")),
        (json!({"aud": null}), Some("kb_claim_missing")),
        (json!({"aud": [AUDIENCE]}), Some("kb_claim_malformed")),
        (json!({"nonce": null}), Some("kb_claim_missing")),
        (json!({"nonce": 5}), Some("kb_claim_malformed")),
        (json!({"sd_hash": null}), Some("kb_claim_missing")),
        (json!({"sd_hash": "x"}), Some("kb_sd_hash")),
    ] {
        let result = world.verify(&bind_claims(&world, &sd_jwt, change.clone()));
        assert_eq!(result.err().map(|e| e.code()), expected, "{change}");
    }
}

#[test]
fn cat_061_algorithms_of_the_key_binding() {
    let world = World::new();
    let sd_jwt = world.issue();
    let claims = b64url(
        json!({
            "iat": NOW, "aud": AUDIENCE, "nonce": NONCE,
            "sd_hash": HashAlg::Sha256.digest(&sd_jwt),
        })
        .to_string()
        .as_bytes(),
    );
    for (alg, signature) in [
        ("none", vec![]),
        ("none", vec![0; 64]),
        ("HS256", vec![1; 32]),
        ("ES256K", vec![1; 64]),
    ] {
        let header = b64url(json!({"alg": alg, "typ": "kb+jwt"}).to_string().as_bytes());
        let jwt = format!("{header}.{claims}.{}", b64url(&signature));
        let refused = world.refusal(&format!("{sd_jwt}{jwt}"));
        assert!(
            ["kb_alg", "kb_malformed"].contains(&refused),
            "{alg}: {refused}"
        );
    }
    // Algorithms of this system that are not the one of the holder's P-256 key.
    for (alg, length) in [
        ("ES384", 64),
        ("ES384", 96),
        ("ES512", 132),
        ("EdDSA", 64),
        ("Ed25519", 64),
    ] {
        let header = b64url(json!({"alg": alg, "typ": "kb+jwt"}).to_string().as_bytes());
        let jwt = format!("{header}.{claims}.{}", b64url(&vec![1; length]));
        assert_eq!(world.refusal(&format!("{sd_jwt}{jwt}")), "kb_signature");
    }
}

#[test]
fn cat_064_key_binding_of_somebody_else() {
    let world = World::new();
    let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(6));
    let alices = world.issue();
    let own = world.issue_with(|input| input.holder_key = Some(mallory.public_key()));
    let stolen = world.bind_as(&alices, &mallory, AUDIENCE, NONCE, NOW);
    assert_eq!(world.refusal(&stolen), "kb_signature");
    // Mallory's own credential is valid, which changes nothing for Alice's.
    assert!(
        world
            .verify(&world.bind_as(&own, &mallory, AUDIENCE, NONCE, NOW))
            .is_ok()
    );
    assert_eq!(world.refusal(&stolen), "kb_signature");
}

#[test]
fn cat_065_unacceptable_holder_keys() {
    let world = World::new();
    let mut off_curve = world.key().to_jwk();
    off_curve["x"] = off_curve["y"].clone();
    let own = world.key().to_jwk();
    let zero = b64url(&[0; 32]);
    for jwk in [
        off_curve,
        json!({"kty": "EC", "crv": "P-256", "x": zero, "y": zero}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": zero}),
        // Curve and size that do not belong together.
        json!({"kty": "EC", "crv": "P-384", "x": own["x"], "y": own["y"]}),
        json!({"kty": "EC", "crv": "P-521", "x": own["x"], "y": own["y"]}),
        json!({"kty": "EC", "crv": "secp256k1", "x": own["x"], "y": own["y"]}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": b64url(&[1])}),
        json!({"kty": "OKP", "crv": "X25519", "x": zero}),
        json!({"kty": "RSA", "n": b64url(&[0xff; 64]), "e": "AQAB"}),
        json!({"kty": "oct", "k": "AAAA"}),
    ] {
        let bound = world.bind(&world.sign_card(json!({"cnf": {"jwk": jwk}})));
        assert_eq!(world.refusal(&bound), "holder_key_invalid", "{jwk}");
    }
}

/// RFC 7517, sections 4.2 to 4.4.
#[test]
fn cat_065_holder_keys_that_are_meant_for_something_else() {
    let world = World::new();
    let with = |name: &str, value: serde_json::Value| {
        let mut jwk = world.key().to_jwk();
        jwk[name] = value;
        world.bind(&world.sign_card(json!({"cnf": {"jwk": jwk}})))
    };
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("alg", json!("ES384")),
        ("alg", json!("ECDH-ES")),
        ("use", json!(1)),
    ] {
        let refused = world.refusal(&with(name, value));
        assert_eq!(refused, "holder_key_invalid", "{name}");
    }
    for (name, value) in [
        ("use", json!("sig")),
        ("key_ops", json!(["verify"])),
        ("alg", json!("ES256")),
    ] {
        assert!(world.verify(&with(name, value)).is_ok(), "{name}");
    }
}

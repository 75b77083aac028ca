use proptest::prelude::*;
use serde_json::{Value, json};

use crate::crypto::{Algorithm, Signer as _, SigningKey};
use crate::did::{
    DidUrl, ErrorCode, LocalResolver, Multikey, Relationship, Resolution, ResolutionOptions, jwk,
    key,
};
use crate::encoding::b64url;
use crate::testing::SeededRng;

fn resolve(did: &str) -> Resolution {
    LocalResolver::resolve_now(did, &ResolutionOptions::default())
}

fn code(did: &str, options: &ResolutionOptions) -> Option<ErrorCode> {
    let resolution = LocalResolver::resolve_now(did, options);
    assert!(resolution.document.is_none() || resolution.resolution_metadata.error.is_none());
    resolution.resolution_metadata.error.map(|error| error.code)
}

fn refused(did: &str) -> ErrorCode {
    code(did, &ResolutionOptions::default()).expect(did)
}

#[test]
fn cat_190_errors_of_did_key() {
    let did = key::encode(SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1)).public_key());
    let spelled = |bytes: &[u8]| format!("did:key:{}", crate::multibase::base58btc(bytes));
    let mut off_curve = [0xff; 35];
    off_curve[..3].copy_from_slice(&[0x80, 0x24, 2]);
    for (did, code) in [
        (
            "did:key:zTjsVPtY".to_owned(),
            ErrorCode::InvalidPublicKeyLength,
        ),
        (spelled(&[0xed, 1, 7]), ErrorCode::InvalidPublicKeyLength),
        (
            spelled(&[&[0xeb, 1][..], &[7; 95]].concat()),
            ErrorCode::InvalidPublicKeyLength,
        ),
        (spelled(&off_curve), ErrorCode::InvalidPublicKey),
        (
            spelled(&[&[0xed, 1][..], &[0; 32]].concat()),
            ErrorCode::InvalidPublicKey,
        ),
        (
            spelled(&[&[0x85, 0x24][..], &[0x30; 270]].concat()),
            ErrorCode::InvalidPublicKey,
        ),
        (
            spelled(&[&[0x80, 0x26][..], &[7; 32]].concat()),
            ErrorCode::InvalidDid,
        ),
        (
            spelled(&[&[0x99, 0x01][..], &[7; 32]].concat()),
            ErrorCode::InvalidDid,
        ),
        (spelled(&[]), ErrorCode::InvalidDid),
        ("did:key:@".to_owned(), ErrorCode::InvalidDid),
        (did.replace(":z", ":"), ErrorCode::InvalidDid),
        (did.replace(":z", ":-4:z"), ErrorCode::InvalidDid),
        (did.replace("did:", "notDid:"), ErrorCode::InvalidDid),
        (
            did.replace(":key:", ":experimental:"),
            ErrorCode::MethodNotSupported,
        ),
        (
            format!("did:key:z{}", "1".repeat(1500)),
            ErrorCode::InvalidDid,
        ),
    ] {
        assert_eq!(refused(&did), code, "{did}");
    }
    assert!(resolve(&did.replace(":z", ":1:z")).active().is_ok());
}

#[test]
fn formats_of_did_key() {
    let ed25519 =
        key::encode(SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1)).public_key());
    let p384 = key::encode(SigningKey::generate(Algorithm::Es384, &SeededRng::new(1)).public_key());
    let with = |format: &str| ResolutionOptions {
        public_key_format: Some(format.to_owned()),
        enable_encryption_key_derivation: true,
        ..ResolutionOptions::default()
    };
    for (did, format, kinds) in [
        (&ed25519, "Multikey", &["Multikey", "Multikey"][..]),
        (&ed25519, "JsonWebKey", &["JsonWebKey", "JsonWebKey"]),
        (
            &ed25519,
            "JsonWebKey2020",
            &["JsonWebKey2020", "JsonWebKey2020"],
        ),
        (
            &ed25519,
            "Ed25519VerificationKey2020",
            &["Ed25519VerificationKey2020", "X25519KeyAgreementKey2020"],
        ),
        (&p384, "Multikey", &["Multikey"]),
        (&p384, "JsonWebKey", &["JsonWebKey"]),
    ] {
        let resolution = LocalResolver::resolve_now(did, &with(format));
        let document = resolution.active().unwrap();
        let list = document.as_json()["verificationMethod"].as_array().unwrap();
        let own: Vec<_> = list
            .iter()
            .map(|method| method["type"].as_str().unwrap())
            .collect();
        assert_eq!(own, kinds, "{did} {format}");
        assert_eq!(
            document.methods().count(),
            kinds.len(),
            "{format}: the keys are read again"
        );
        assert_eq!(document.methods_for(Relationship::KeyAgreement).count(), 1);
    }
    assert_eq!(
        code(&p384, &with("Ed25519VerificationKey2020")),
        Some(ErrorCode::InvalidPublicKeyType)
    );
    assert_eq!(
        code(&ed25519, &with("Ed25519VerificationKey2018")),
        Some(ErrorCode::InvalidPublicKeyType)
    );
    assert_eq!(
        code(&ed25519, &with("unknown")),
        Some(ErrorCode::UnsupportedPublicKeyType)
    );
    // Without the option no key is derived.
    let plain = resolve(&ed25519);
    assert_eq!(
        plain
            .active()
            .unwrap()
            .methods_for(Relationship::KeyAgreement)
            .count(),
        0
    );
    let versioned = ResolutionOptions {
        version_id: Some("1".into()),
        ..ResolutionOptions::default()
    };
    assert_eq!(
        code(&ed25519, &versioned),
        Some(ErrorCode::FeatureNotSupported)
    );
}

#[test]
fn relationships_of_did_jwk() {
    let es256 = SigningKey::generate(Algorithm::Es256, &SeededRng::new(1));
    let did_of = |jwk: &Value| format!("did:jwk:{}", b64url(jwk.to_string().as_bytes()));
    let with = |name: &str, value: &str| {
        let mut jwk = es256.public_key().to_jwk();
        jwk[name] = json!(value);
        did_of(&jwk)
    };
    let counts = |did: &str| {
        let resolution = resolve(did);
        let document = resolution.active().unwrap();
        let count = |relationship| document.methods_for(relationship).count();
        (
            count(Relationship::AssertionMethod),
            count(Relationship::KeyAgreement),
        )
    };
    assert_eq!(counts(&jwk::encode(es256.public_key())), (1, 1));
    assert_eq!(counts(&with("use", "sig")), (1, 0));
    assert_eq!(counts(&with("use", "enc")), (0, 1));
    let eddsa = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(1));
    assert_eq!(counts(&jwk::encode(eddsa.public_key())), (1, 0));
    let x25519 =
        json!({"kty": "OKP", "crv": "X25519", "x": "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"});
    assert_eq!(counts(&did_of(&x25519)), (0, 1));
    // The JWK is the one that was encoded, unknown members and order included.
    let did = with("kid", "a");
    let resolution = resolve(&did);
    let method = &resolution.active().unwrap().as_json()["verificationMethod"][0];
    assert_eq!(method["publicKeyJwk"]["kid"], "a");
    assert_eq!(method["id"], format!("{did}#0"));
    for jwk in [
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "oct"}),
        json!({"kty": "RSA", "n": "AQ", "e": "AQAB", "d": "AQ"}),
        json!({"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}),
        json!([]),
        json!({}),
    ] {
        assert_eq!(refused(&did_of(&jwk)), ErrorCode::InvalidDid, "{jwk}");
    }
    assert_eq!(refused(&with("use", "both")), ErrorCode::InvalidDid);
    assert_eq!(refused(&with("d", "AAAA")), ErrorCode::InvalidDid);
}

/// The example of the did:peer specification, "Method 2".
const PEER2: &str = "did:peer:2.Vz6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc.Ez6LSg8zQom395jKLrGiBNruB9MM6V8PWuf2FpEy4uRFiqQBR.SeyJ0IjoiZG0iLCJzIjp7InVyaSI6Imh0dHA6Ly9leGFtcGxlLmNvbS9kaWRjb21tIiwiYSI6WyJkaWRjb21tL3YyIl0sInIiOlsiZGlkOmV4YW1wbGU6MTIzNDU2Nzg5YWJjZGVmZ2hpI2tleS0xIl19fQ.SeyJ0IjoiZG0iLCJzIjp7InVyaSI6Imh0dHA6Ly9leGFtcGxlLmNvbS9hbm90aGVyIiwiYSI6WyJkaWRjb21tL3YyIl0sInIiOlsiZGlkOmV4YW1wbGU6MTIzNDU2Nzg5YWJjZGVmZ2hpI2tleS0yIl19fQ";

#[test]
fn did_peer_2_of_the_specification() {
    let resolution = resolve(PEER2);
    let document = resolution.active().unwrap();
    let json = document.as_json();
    assert_eq!(json["authentication"], json!(["#key-1"]));
    assert_eq!(json["keyAgreement"], json!(["#key-2"]));
    assert_eq!(
        json["alsoKnownAs"],
        json!(["did:peer:3zQmd6RdU6e2nDrLn1rjwdA5Buzq7wJwsv3WJ1AgrwKYJoLE"])
    );
    assert_eq!(json["service"][0]["type"], "DIDCommMessaging");
    assert_eq!(json["service"][0]["id"], "#service");
    assert_eq!(json["service"][1]["id"], "#service-1");
    assert_eq!(
        json["service"][0]["serviceEndpoint"]["routingKeys"][0],
        "did:example:123456789abcdefghi#key-1"
    );
    assert_eq!(
        json["service"][0]["serviceEndpoint"]["accept"][0],
        "didcomm/v2"
    );
    let url = DidUrl::parse(&format!("{PEER2}#key-1")).unwrap();
    assert!(document.method(&url, Relationship::Authentication).is_ok());
    assert!(
        document
            .method(&url, Relationship::AssertionMethod)
            .is_err()
    );
}

#[test]
fn cat_190_other_did_peer_2() {
    for did in [
        "did:peer:2".to_owned(),
        "did:peer:2.".to_owned(),
        "did:peer:5z6Mk".to_owned(),
        PEER2.replace(".Vz6", ".Xz6"),
        PEER2.replace(".Vz6", ".V6"),
        PEER2.replace(".Vz6Mk", ".Vu6Mk"),
        PEER2.replace(".Sey", ".S!"),
        PEER2.replace(".Sey", ".Sez"),
        PEER2.replace("did:peer:2.", "did:peer:2"),
    ] {
        assert_eq!(refused(&did), ErrorCode::InvalidDid, "{did}");
    }
    for did in ["did:peer:0z6Mk", "did:peer:1zQm", "did:peer:3zQm"] {
        assert_eq!(refused(did), ErrorCode::FeatureNotSupported, "{did}");
    }
}

fn peer4(document: &Value) -> String {
    let bytes = [&[0x80, 0x04][..], document.to_string().as_bytes()].concat();
    let encoded = crate::multibase::base58btc(&bytes);
    let hash = [
        &[0x12, 0x20][..],
        &crate::crypto::sha256(encoded.as_bytes()),
    ]
    .concat();
    format!("did:peer:4{}:{encoded}", crate::multibase::base58btc(&hash))
}

#[test]
fn did_peer_4_is_bound_to_its_document() {
    let input = json!({
        "verificationMethod": [{
            "id": "#6MkrCD1c", "type": "Ed25519VerificationKey2020",
            "publicKeyMultibase": "z6MkrCD1csqtgdj8sjrsu8jxcbeyP6m7LiK87NzhfWqio5yr",
        }],
        "authentication": ["#6MkrCD1c"],
    });
    let did = peer4(&input);
    let resolution = resolve(&did);
    let document = resolution.active().unwrap();
    let short = did.rsplit_once(':').unwrap().0;
    assert_eq!(document.as_json()["alsoKnownAs"], json!([short]));
    let url = DidUrl::parse(&format!("{did}#6MkrCD1c")).unwrap();
    assert!(document.method(&url, Relationship::Authentication).is_ok());
    assert_eq!(refused(short), ErrorCode::NotFound);
    let mut with_id = input.clone();
    with_id["id"] = json!("did:web:other.example");
    let mut other = input;
    other["authentication"] = json!([]);
    let swapped = format!("{short}:{}", peer4(&other).rsplit_once(':').unwrap().1);
    for did in [
        peer4(&with_id),
        peer4(&json!([])),
        swapped,
        format!("{did}1"),
        did.replace(":4z", ":4u"),
        "did:peer:4z:z".to_owned(),
    ] {
        assert_eq!(refused(&did), ErrorCode::InvalidDid, "{did}");
    }
}

#[test]
fn accounts_of_did_pkh() {
    for (did, kind) in [
        (
            "did:pkh:eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a",
            "EcdsaSecp256k1RecoveryMethod2020",
        ),
        (
            "did:pkh:bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6",
            "EcdsaSecp256k1RecoveryMethod2020",
        ),
        (
            "did:pkh:solana:4sGjMW1sUnHzSxGspuhpqLDx6wiyjNtZ:CKg5d12Jhpej1JqtmxLJgaFqqeYjxgPqToJ4LBdvG9Ev",
            "Ed25519VerificationKey2018",
        ),
        (
            "did:pkh:cosmos:cosmoshub-3:cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0",
            "BlockchainVerificationMethod2021",
        ),
    ] {
        let resolution = resolve(did);
        let json = resolution.active().unwrap().as_json();
        assert_eq!(json["verificationMethod"][0]["type"], kind);
        let account = did.strip_prefix("did:pkh:").unwrap();
        assert_eq!(
            json["verificationMethod"][0]["blockchainAccountId"],
            account
        );
        // No key: nothing that a signature could be checked with.
        assert_eq!(resolution.active().unwrap().methods().count(), 0);
    }
    for did in [
        "did:pkh:eip155:1",
        "did:pkh:eip155:1:b9c5714089478a327f09197987f16f9e5d936e8a",
        "did:pkh:eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8",
        "did:pkh:eip155:x:0xb9c5714089478a327f09197987f16f9e5d936e8a",
        "did:pkh:e:1:a",
        "did:pkh:EIP155:1:a",
        "did:pkh:cosmos:a.b:c",
        "did:pkh:cosmos:a:b_c",
    ] {
        assert_eq!(refused(did), ErrorCode::InvalidDid, "{did}");
    }
}

#[test]
fn cat_197_unsupported_methods() {
    for did in [
        "did:web:example.com",
        "did:unsupported:123456789abcdefghi",
        "did:ethr:0x1",
    ] {
        assert_eq!(refused(did), ErrorCode::MethodNotSupported, "{did}");
    }
}

proptest! {
    #[test]
    fn any_local_did_is_resolved_without_panic(
        did in "did:(key:z|jwk:|peer:2\\.[VES]|peer:4z|pkh:)[A-Za-z0-9:._-]{0,80}",
    ) {
        if let Ok(document) = resolve(&did).active() {
            prop_assert_eq!(document.id().as_str(), did);
        }
    }

    #[test]
    fn any_key_of_did_peer(bytes in prop::collection::vec(any::<u8>(), 32)) {
        let did = format!("did:peer:2.E{}", Multikey::X25519(bytes.try_into().unwrap()).encode());
        let resolution = resolve(&did);
        prop_assert_eq!(resolution.active().unwrap().methods_for(Relationship::KeyAgreement).count(), 1);
    }
}

//! Issuing, presenting, verifying: what must work and what must fail, by row
//! of the attack catalogue (`cat_…`).

use rcgen::SanType;
use serde_json::{Value, json};

use super::fixtures::*;
use super::*;
use crate::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use crate::encoding::{b64url, b64url_decode};
use crate::jws::{self, Header, TokenType};
use crate::sd_jwt::HashAlg;
use crate::testing::SeededRng;
use crate::x509::Role;

#[test]
fn the_whole_way_with_a_certificate() {
    let world = World::new();
    let held = world.held();
    assert_eq!(held.claims()["address"], World::claims()["address"]);
    assert_eq!(held.disclosable().len(), 7);

    let wanted = paths(&[json!(["address", "country"]), json!(["nationalities", 1])]);
    let presentation = held.present(&wanted).unwrap();
    assert_eq!(
        presentation.disclosed().len(),
        3,
        "address, its country, one nationality"
    );
    assert_eq!(presentation.withheld().len(), 4);
    let owed = world.verify(&world.bind(presentation.sd_jwt())).unwrap();
    assert_eq!(owed.status_ref(), None);
    let accepted = owed.settle(None, NOW).unwrap().into_inner();
    assert!(accepted.holder_bound);
    assert_eq!(accepted.claims["address"], json!({"country": "DE"}));
    assert_eq!(accepted.claims["nationalities"], json!(["FR"]));
    assert_eq!(accepted.claims["tier"], "gold");
    assert!(!accepted.claims.contains_key("given_name"));
    assert!(!accepted.claims.contains_key("_sd_alg"));
    assert_eq!(accepted.issuer.trusted, ISS);
    let IssuerAuthority::X509 { subject, .. } = &accepted.issuer.authority else {
        panic!("validated by certificate");
    };
    assert_eq!(subject, "CN=Example Club");
}

#[test]
fn the_whole_way_with_a_did_and_every_hash() {
    let world = World::new();
    for hash in [HashAlg::Sha256, HashAlg::Sha384, HashAlg::Sha512] {
        let compact = world.issue_with(|input| {
            input.key = IssuerKey::Did(&world.did_url);
            input.issuer = Some(&world.did);
            input.hash = hash;
        });
        let held = world.accept_issued(&compact).unwrap().into_inner();
        let presentation = held.present(&paths(&[json!(["given_name"])])).unwrap();
        let binding = kb::Binding {
            audience: AUDIENCE,
            nonce: NONCE,
            issued_at: NOW,
        };
        let bound = ready(presentation.bind(&binding, &world.holder)).unwrap();
        let accepted = world.verify(&bound).unwrap().settle(None, NOW).unwrap();
        let authority = &accepted.get().issuer.authority;
        assert_eq!(authority, &IssuerAuthority::Did(world.did.clone()));
        assert_eq!(accepted.get().claims["given_name"], "Ada");
    }
}

#[test]
fn stored_credentials_read_back() {
    let world = World::new();
    let held = world.held();
    let again =
        HeldSdJwtVc::reopen_stored(held.compact().to_owned(), held.issuer().clone()).unwrap();
    assert_eq!(again.claims(), held.claims());
    assert_eq!(again.registered(), held.registered());
    let bound = world.bind(held.compact());
    assert!(HeldSdJwtVc::reopen_stored(bound, held.issuer().clone()).is_err());
}

#[test]
fn issuer_may_not_set_registered_claims_by_hand() {
    let world = World::new();
    for name in [
        "iss",
        "exp",
        "nbf",
        "iat",
        "cnf",
        "vct",
        "status",
        "aka_vcts",
        "vct#integrity",
    ] {
        let frame = crate::sd_jwt::Frame::new();
        let mut claims = World::claims();
        claims.insert(name.into(), json!("x"));
        let input = IssueInput {
            vct: VCT,
            issuer: None,
            key: IssuerKey::X5c(&world.chain),
            issued_at: None,
            not_before: None,
            expires_at: None,
            holder_key: None,
            status: None,
            claims,
            frame: &frame,
            hash: HashAlg::Sha256,
        };
        let refused = ready(issue(input, &world.issuer, &world.rng)).unwrap_err();
        assert_eq!(refused.code(), "claim_registered", "{name}");
    }
}

#[test]
fn cat_001_altered_disclosure() {
    let world = World::new();
    let compact = world.issue();
    let first = compact.split('~').nth(1).unwrap();
    let json = String::from_utf8(b64url_decode(first).unwrap()).unwrap();
    let altered = b64url(json.replacen('"', " \"", 1).as_bytes());
    let refused = world.refusal(&world.bind(&compact.replace(first, &altered)));
    assert_eq!(refused, "disclosure_unreferenced");
}

#[test]
fn cat_020_registered_claims_as_disclosures() {
    let world = World::new();
    let disclosed = [
        ("exp", json!(4_102_444_800_i64)),
        ("nbf", json!(1)),
        ("iss", json!("x")),
        ("cnf", json!({})),
        ("vct#integrity", json!("x")),
        ("aka_vcts", json!(["x"])),
        ("status", json!({})),
        ("vct", json!(VCT)),
    ];
    for (name, value) in disclosed {
        let disclosure = b64url(json!(["salt", name, value]).to_string().as_bytes());
        let digest = HashAlg::Sha256.digest(&disclosure);
        let mut payload = json!({"_sd": [digest]});
        payload[name] = Value::Null;
        let sd_jwt = format!("{}{disclosure}~", world.sign_card(payload));
        assert_eq!(
            world.refusal(&world.bind(&sd_jwt)),
            "claim_hidden",
            "{name}"
        );
    }
    // Their members, disclosed or not.
    let digest = HashAlg::Sha256.digest("x");
    for payload in [
        json!({"status": {"_sd": [digest]}}),
        json!({"cnf": {"jwk": {"_sd": [digest]}}}),
        json!({"aka_vcts": [{"...": digest}]}),
    ] {
        let sd_jwt = world.sign_card(payload);
        assert_eq!(world.refusal(&world.bind(&sd_jwt)), "claim_hidden");
    }
}

#[test]
fn iat_and_sub_may_be_disclosed() {
    let world = World::new();
    for (name, value) in [("iat", json!(NOW.seconds())), ("sub", json!("someone"))] {
        let disclosure = b64url(json!(["salt", name, value]).to_string().as_bytes());
        let payload = json!({"_sd": [HashAlg::Sha256.digest(&disclosure)]});
        let sd_jwt = format!("{}{disclosure}~", world.sign_card(payload));
        assert!(world.verify(&world.bind(&sd_jwt)).is_ok(), "{name}");
    }
}

#[test]
fn cat_022_cat_023_malformed_times_are_not_absent() {
    let world = World::new();
    let malformed = [
        r#""4102444800""#,
        "true",
        "[1]",
        "-1",
        "1.5",
        "9223372036854775808",
        "18446744073709551616",
        "{}",
        "253402300800",
    ];
    for name in ["exp", "nbf", "iat"] {
        for value in malformed {
            let value: Value = serde_json::from_str(value).unwrap();
            let sd_jwt = world.sign_card(json!({name: value}));
            let refused = world.refusal(&world.bind(&sd_jwt));
            let codes = ["claim_malformed", "issuer_jwt_malformed"];
            assert!(codes.contains(&refused), "{name}={value}: {refused}");
        }
    }
}

#[test]
fn cat_023_times_beyond_numbers() {
    let world = World::new();
    let header = b64url(br#"{"alg":"ES256","typ":"dc+sd-jwt"}"#);
    let payload = b64url(br#"{"vct":"urn:example:card:1","exp":1e400}"#);
    let sd_jwt = format!("{header}.{payload}.{}~", b64url(&[1; 64]));
    assert!(world.verify(&world.bind(&sd_jwt)).is_err());
}

#[test]
fn times_are_checked_with_sixty_seconds_of_tolerance() {
    let world = World::new();
    let now = NOW.seconds();
    for (payload, expected) in [
        (json!({"exp": now - 60}), Some("credential_expired")),
        (json!({"exp": now - 59}), None),
        (json!({"nbf": now + 61}), Some("credential_not_yet_valid")),
        (json!({"nbf": now + 60}), None),
        (
            json!({"iat": now + 61}),
            Some("credential_issued_in_future"),
        ),
        (json!({"iat": now + 60}), None),
        (json!({"exp": null}), None),
    ] {
        let bound = world.bind(&world.sign_card(payload.clone()));
        assert_eq!(
            world.verify(&bound).err().map(|e| e.code()),
            expected,
            "{payload}"
        );
    }
}

#[test]
fn cat_025_issuer_signed_jwt_of_other_shapes() {
    let world = World::new();
    let compact = world.issue();
    let (jwt, rest) = compact.split_once('~').unwrap();
    let parts: Vec<&str> = jwt.split('.').collect();
    for bad in [
        parts[..2].join("."),
        format!("{jwt}.AA"),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
        format!(".{}.{}", parts[1], parts[2]),
    ] {
        let bound = world.bind(&format!("{bad}~{rest}"));
        let refused = world.refusal(&bound);
        assert!(refused.starts_with("issuer_"), "{refused}");
    }
}

#[test]
fn cat_026_key_binding_at_issuance() {
    let world = World::new();
    let refused = world
        .accept_issued(&world.bind(&world.issue()))
        .unwrap_err();
    assert_eq!(refused.code(), "kb_unexpected");
}

#[test]
fn cat_028_missing_malformed_and_unwanted_types() {
    let world = World::new();
    for (vct, expected) in [
        (Value::Null, "type_missing"),
        (json!(5), "claim_malformed"),
        (json!(""), "claim_malformed"),
        (json!(["urn:example:card:1"]), "claim_malformed"),
        (json!("urn:example:other:1"), "type_not_accepted"),
        (json!("URN:example:card:1"), "type_not_accepted"),
    ] {
        let bound = world.bind(&world.sign_card(json!({"vct": vct})));
        assert_eq!(world.refusal(&bound), expected, "{vct}");
    }
}

#[test]
fn cat_029_other_type_that_claims_to_be_a_trusted_one() {
    let world = World::new();
    let card = json!({"vct": "urn:attacker", "aka_vcts": [VCT]});
    let bound = world.bind(&world.sign_card(card));
    assert_eq!(world.refusal(&bound), "issuer_not_for_type");
    for malformed in [json!([]), json!("x"), json!([5]), json!([VCT]), json!([""])] {
        let bound = world.bind(&world.sign_card(json!({"aka_vcts": malformed})));
        assert_eq!(world.refusal(&bound), "claim_malformed", "{malformed}");
    }
}

#[test]
fn also_known_as_counts_for_issuers_of_both_types() {
    let mut world = World::new();
    world.trust.issuers[0]
        .types
        .push("urn:example:card:de:1".into());
    let card = json!({"vct": "urn:example:card:de:1", "aka_vcts": [VCT]});
    assert!(world.verify(&world.bind(&world.sign_card(card))).is_ok());
}

#[test]
fn cat_037_method_is_fixed_per_issuer() {
    let world = World::new();
    // A chain below a trusted anchor speaks in the name of the DID issuer.
    let bound = world.bind(&world.issue_with(|input| input.issuer = Some(&world.did)));
    assert_eq!(world.refusal(&bound), "issuer_mismatch");
    // The DID issuer speaks in the name of the one with a certificate.
    let bound = world.bind(&world.issue_with(|input| {
        input.key = IssuerKey::Did(&world.did_url);
        input.issuer = Some(ISS);
    }));
    assert_eq!(world.refusal(&bound), "issuer_mismatch");
    // Both ways in one header.
    let header = Header::new(TokenType::SdJwtVc)
        .with_x5c(&world.chain)
        .with_kid(&world.did_url);
    let jwt = ready(jws::sign(&header, &json!({"vct": VCT}), &world.issuer)).unwrap();
    assert_eq!(
        world.refusal(&world.bind(&format!("{jwt}~"))),
        "issuer_key_ambiguous"
    );
}

#[test]
fn unknown_issuers_are_refused() {
    let world = World::new();
    let stranger = World::new();
    let bound = world.bind(&stranger.issue_with(|input| input.holder_key = Some(world.key())));
    // An authority that only has the same name.
    assert_eq!(world.refusal(&bound), "issuer_certificate");
    let (key, chain) = Ca::new("Other CA").leaf("Example Club", "issuer.example", 2059);
    let header = Header::new(TokenType::SdJwtVc).with_x5c(&chain);
    let jwt = ready(jws::sign(&header, &json!({"vct": VCT}), &key)).unwrap();
    assert_eq!(
        world.refusal(&world.bind(&format!("{jwt}~"))),
        "issuer_untrusted"
    );
}

#[test]
fn cat_073_a_kid_belongs_to_one_issuer() {
    let world = World::new();
    let other = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(99));
    let did = crate::did::key::encode(other.public_key());
    let (_, url) = crate::did::resolve_local(&did).unwrap();
    let sign = |kid: &str, key: &SigningKey| {
        let header = Header::new(TokenType::SdJwtVc).with_kid(kid);
        let jwt = ready(jws::sign(&header, &json!({"vct": VCT}), key)).unwrap();
        world.bind(&format!("{jwt}~"))
    };
    assert_eq!(world.refusal(&sign(&url, &other)), "issuer_untrusted");
    assert_eq!(
        world.refusal(&sign(&world.did_url, &other)),
        "issuer_signature"
    );
    assert_eq!(
        world.refusal(&sign(&world.did, &world.did_issuer)),
        "issuer_key_missing"
    );
    let fragment = format!("{}#other", world.did);
    assert_eq!(
        world.refusal(&sign(&fragment, &world.did_issuer)),
        "issuer_key_unknown"
    );
    assert_eq!(
        world.refusal(&sign("key-1", &world.did_issuer)),
        "issuer_key_missing"
    );
}

#[test]
fn expired_certificates_have_their_own_reason() {
    let mut world = World::new();
    (world.issuer, world.chain) = world.ca.leaf("Example Club", "issuer.example", 2021);
    let refused = world.refusal(&world.bind(&world.issue()));
    assert_eq!(refused, "issuer_certificate_expired");
}

#[test]
fn certificate_subject_can_be_pinned() {
    let mut world = World::new();
    let pin = |name: &str, world: &World| IssuerMethod::X509 {
        anchors: world.ca.anchors(Role::Issuer),
        subject: Some(name.into()),
    };
    let bound = world.bind(&world.issue());
    world.trust.issuers[0].method = pin("CN=Example Club", &world);
    assert!(world.verify(&bound).is_ok());
    world.trust.issuers[0].method = pin("CN=Other Club", &world);
    assert_eq!(world.refusal(&bound), "issuer_untrusted");
}

#[test]
fn iss_is_checked_against_the_validated_issuer() {
    let world = World::new();
    for (iss, accepted) in [
        (ISS, true),
        ("https://issuer.example/tenant/1", true),
        ("https://issuer.example:8443", true),
        ("https://other.example", false),
        ("https://issuer.example@other.example", false),
        ("https://issuer.example:secret@other.example", false),
        ("http://issuer.example", false),
        ("https://issuer.example.other.example", false),
    ] {
        let bound = world.bind(&world.issue_with(|input| input.issuer = Some(iss)));
        assert_eq!(world.verify(&bound).is_ok(), accepted, "{iss}");
    }
}

#[test]
fn iss_is_a_uri_of_the_certificate_or_the_did_that_signed() {
    let mut world = World::new();
    let uri = "https://issuer.example/tenant";
    let names = vec![SanType::URI(uri.try_into().unwrap())];
    (world.issuer, world.chain) = world.ca.leaf_named("Example Club", names, 2059);
    for (iss, accepted) in [(uri, true), ("https://issuer.example/other", false)] {
        let bound = world.bind(&world.issue_with(|input| input.issuer = Some(iss)));
        assert_eq!(world.verify(&bound).is_ok(), accepted, "{iss}");
    }
    // An issuer that the verifier calls by another name than its DID.
    world.trust.issuers[1].id = "https://club.example".into();
    let other = crate::did::key::encode(world.holder.public_key());
    for (iss, accepted) in [
        (world.did.as_str(), true),
        ("https://club.example", true),
        (other.as_str(), false),
        (ISS, false),
    ] {
        let bound = world.bind(&world.issue_with(|input| {
            input.key = IssuerKey::Did(&world.did_url);
            input.issuer = Some(iss);
        }));
        assert_eq!(world.verify(&bound).is_ok(), accepted, "{iss}");
    }
}

#[test]
fn the_host_of_an_https_url_is_no_user() {
    for (url, host) in [
        ("https://a.example", Some("a.example")),
        ("https://a.example/b@c", Some("a.example")),
        ("https://a.example:8443?b:c", Some("a.example")),
        ("https://user@a.example", None),
        ("https://a.example:secret@b.example", None),
        ("https://a.example:80@b.example", None),
        ("https://", None),
        ("https:///a.example", None),
        ("https://:443", None),
        ("http://a.example", None),
    ] {
        assert_eq!(super::issuer_key::https_host(url), host, "{url}");
    }
}

#[test]
fn issuers_are_trusted_for_their_types_alone() {
    let mut world = World::new();
    world.trust.issuers[0].types = vec!["urn:example:other:1".into()];
    let bound = world.bind(&world.issue());
    assert_eq!(world.refusal(&bound), "issuer_not_for_type");
}

#[test]
fn cat_040_names_of_object_prototypes_are_data() {
    let world = World::new();
    for name in ["__proto__", "constructor", "toString"] {
        let disclosure = b64url(json!(["s", name, {"x": 1}]).to_string().as_bytes());
        let payload = json!({"_sd": [HashAlg::Sha256.digest(&disclosure)]});
        let sd_jwt = format!("{}{disclosure}~", world.sign_card(payload));
        let owed = world.verify(&world.bind(&sd_jwt)).unwrap();
        let accepted = owed.settle(None, NOW).unwrap();
        assert_eq!(accepted.get().claims[name], json!({"x": 1}));
    }
}

#[test]
fn cat_041_status_that_cannot_be_checked() {
    let world = World::new();
    for (status, expected) in [
        (json!({"status_assertion": {}}), "status_unsupported"),
        (json!({}), "status_unsupported"),
        (json!("valid"), "claim_malformed"),
        (
            json!({"status_list": {"idx": -1, "uri": "https://a.example"}}),
            "claim_malformed",
        ),
        (json!({"status_list": {"idx": 1}}), "claim_malformed"),
    ] {
        let bound = world.bind(&world.sign_card(json!({"status": status})));
        assert_eq!(world.refusal(&bound), expected, "{status}");
    }
}

#[test]
fn wrong_token_types_are_refused() {
    let world = World::new();
    for typ in [
        "vc+sd-jwt",
        "dc+sd-jwt ",
        "DC+SD-JWT",
        "application/dc+sd-jwt",
        "JWT",
    ] {
        let header = Header::new(TokenType::SdJwtVc)
            .with_x5c(&world.chain)
            .with("typ", typ);
        let jwt = ready(jws::sign(&header, &json!({"vct": VCT}), &world.issuer)).unwrap();
        assert_eq!(
            world.refusal(&world.bind(&format!("{jwt}~"))),
            "issuer_jwt_typ",
            "{typ}"
        );
    }
}

#[test]
fn unsigned_credentials_are_refused() {
    let world = World::new();
    let payload = b64url(json!({"vct": VCT}).to_string().as_bytes());
    for alg in ["none", "None", "HS256", "RS256", "ES256K"] {
        let header = json!({"alg": alg, "typ": "dc+sd-jwt", "x5c": world.chain.to_x5c()});
        let jwt = format!(
            "{}.{payload}.{}",
            b64url(header.to_string().as_bytes()),
            b64url(&[0; 64])
        );
        assert_eq!(
            world.refusal(&world.bind(&format!("{jwt}~"))),
            "issuer_jwt_alg",
            "{alg}"
        );
    }
}

#[test]
fn holder_checks_that_the_credential_is_its_own() {
    let world = World::new();
    let other = SigningKey::generate(Algorithm::Es256, &SeededRng::new(3));
    let theirs = world.issue_with(|input| input.holder_key = Some(other.public_key()));
    assert_eq!(
        world.accept_issued(&theirs).unwrap_err().code(),
        "holder_key_mismatch"
    );
    let unbound = world.issue_with(|input| input.holder_key = None);
    assert_eq!(
        world.accept_issued(&unbound).unwrap_err().code(),
        "holder_key_missing"
    );
    let wanted = IssuancePolicy {
        trust: &world.trust,
        vct: VCT,
        holder_key: None,
        now: NOW,
    };
    assert!(verify_issued(&unbound, &wanted, &Portable).is_ok());
    let refused = verify_issued(&theirs, &wanted, &Portable).unwrap_err();
    assert_eq!(refused.code(), "holder_key_mismatch");
}

/// No single altered byte of a presentation is ever accepted.
#[test]
fn single_byte_mutations_never_verify() {
    let world = World::new();
    let held = world.held();
    let wanted = paths(&[json!(["address", "country"])]);
    let presentation = held.present(&wanted).unwrap();
    let bound = world.bind(presentation.sd_jwt());
    assert!(world.verify(&bound).is_ok());
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for position in 0..bound.len() {
        // xorshift, to flip another bit at each place
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let bit = (random % 7) as u32;
        let mut bytes = bound.clone().into_bytes();
        bytes[position] ^= 1 << bit;
        let altered = String::from_utf8(bytes).unwrap();
        assert!(
            world.verify(&altered).is_err(),
            "byte {position}, bit {bit}"
        );
    }
    for position in (0..bound.len()).step_by(7) {
        let (before, after) = bound.split_at(position);
        assert!(
            world.verify(&format!("{before}{}", &after[1..])).is_err(),
            "{position} left out"
        );
        assert!(
            world.verify(&format!("{before}A{after}")).is_err(),
            "{position} inserted"
        );
    }
}

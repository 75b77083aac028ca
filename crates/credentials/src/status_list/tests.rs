//! Status lists: group H of the attack catalogue.

use std::io::Write as _;

use serde_json::{Value, json};

use super::*;
use crate::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use crate::encoding::b64url;
use crate::jws::{self, Header, TokenType};
use crate::sd_jwt_vc::fixtures::{Ca, NOW, World, ready};
use crate::sd_jwt_vc::{
    IssuerAuthority, IssuerIdentity, IssuerKey, IssuerMethod, StatusMethod, StatusPolicy, VcError,
};
use crate::testing::SeededRng;
use crate::time::UnixTime;
use crate::x509::{Chain, Role};

fn list() -> StatusList {
    let mut list = StatusList::new(Bits::Two, 16).unwrap();
    list.set(1, Status::Invalid).unwrap();
    list.set(2, Status::Suspended).unwrap();
    list.set(4, Status::Other(3)).unwrap();
    list
}

fn identity(world: &World) -> IssuerIdentity {
    world.held().issuer().clone()
}

fn payload() -> Value {
    json!({
        "sub": World::status_ref().uri, "iat": NOW, "exp": NOW.plus(600), "ttl": 300,
        "status_list": {"bits": 2, "lst": list().encode()},
    })
}

fn sign_by(payload: &Value, chain: &Chain, key: &SigningKey) -> String {
    let header = Header::new(TokenType::StatusList).with_x5c(chain);
    ready(jws::sign(&header, payload, key)).unwrap()
}

fn sign(world: &World, payload: &Value) -> String {
    sign_by(payload, &world.chain, &world.issuer)
}

fn verify_at(
    world: &World,
    token: &str,
    now: UnixTime,
    newest_seen: Option<UnixTime>,
) -> Result<VerifiedStatusList, StatusError> {
    let uri = World::status_ref().uri;
    let check = StatusCheck {
        uri: &uri,
        issuer: &identity(world),
        trust: &world.trust,
        newest_seen,
        min_refresh_s: 60,
        now,
    };
    verify_status_list(token, &check, &Portable)
}

fn verify(world: &World, token: &str) -> Result<VerifiedStatusList, StatusError> {
    verify_at(world, token, NOW, None)
}

/// The refusal of the usual token with one change; `null` removes a claim.
fn refused(change: Value) -> &'static str {
    let world = World::new();
    let mut payload = payload();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => payload.as_object_mut().unwrap().remove(name),
            other => payload
                .as_object_mut()
                .unwrap()
                .insert(name.clone(), other.clone()),
        };
    }
    verify(&world, &sign(&world, &payload)).unwrap_err().code()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn sets_and_gets_every_width_without_touching_neighbours() {
    for bits in [Bits::One, Bits::Two, Bits::Four, Bits::Eight] {
        let largest = u8::MAX >> (8 - bits.count());
        for index in 0..16 {
            let mut list = StatusList::new(bits, 16).unwrap();
            list.set(index, Status::from_value(largest)).unwrap();
            for other in 0..16 {
                let expected = if other == index { largest } else { 0 };
                assert_eq!(list.get(other).unwrap().value(), expected);
            }
            list.set(index, Status::Valid).unwrap();
            assert!(list.bytes().iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn cat_200_index_beyond_the_list() {
    let list = StatusList::new(Bits::One, 8).unwrap();
    assert_eq!(list.capacity(), 8);
    for index in [8, 9, u64::from(u32::MAX), u64::MAX] {
        assert_eq!(
            list.get(index).unwrap_err().code(),
            "status_index_out_of_range"
        );
    }
    let mut list = list;
    assert!(list.set(8, Status::Invalid).is_err());
    assert_eq!(
        list.set(0, Status::Suspended).unwrap_err().code(),
        "status_value_too_large"
    );
}

/// "Historical Resolution": a host without it answers with the list of now.
#[test]
fn cat_220_a_list_says_nothing_of_other_times() {
    let world = World::new();
    let list = verify(&world, &sign(&world, &payload())).unwrap();
    assert_eq!(list.uri(), World::status_ref().uri);
    let at = |seconds| list.status(&World::status_ref(), NOW.plus(seconds));
    for (seconds, code) in [
        (-365 * 86_400, "status_token_in_future"),
        (-61, "status_token_in_future"),
        (600, "status_token_expired"),
        (86_400, "status_token_expired"),
    ] {
        assert_eq!(at(seconds).unwrap_err().code(), code, "{seconds}");
    }
    for seconds in [-60, 0, 599] {
        assert!(at(seconds).is_ok(), "{seconds}");
    }
}

/// "Compressed Byte Array", both examples.
#[test]
fn cat_202_examples_of_the_text() {
    let one = StatusList::decode(Bits::One, "eNrbuRgAAhcBXQ").unwrap();
    assert_eq!(one.bytes(), [0xb9, 0xa3]);
    let values: Vec<u8> = (0..16).map(|i| one.get(i).unwrap().value()).collect();
    assert_eq!(values, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
    let two = StatusList::decode(Bits::Two, "eNo76fITAAPfAgc").unwrap();
    assert_eq!(two.bytes(), [0xc9, 0x44, 0xf9]);
    let values: Vec<u8> = (0..12).map(|i| two.get(i).unwrap().value()).collect();
    assert_eq!(values, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
    for list in [one, two] {
        assert_eq!(
            StatusList::decode(list.bits(), &list.encode()).unwrap(),
            list
        );
    }
}

#[test]
fn cat_203_zlib_bomb() {
    let exact = b64url(&zlib(&vec![0; MAX_LIST_BYTES]));
    assert!(StatusList::decode(Bits::One, &exact).is_ok());
    let bomb = b64url(&zlib(&vec![0; MAX_LIST_BYTES + 1]));
    assert!(bomb.len() < 64 * 1024);
    let refused = StatusList::decode(Bits::One, &bomb).unwrap_err();
    assert_eq!(refused.code(), "status_list_too_large");
    let long = "A".repeat(MAX_COMPRESSED_BYTES / 3 * 4 + 8);
    let refused = StatusList::decode(Bits::One, &long).unwrap_err();
    assert_eq!(refused.code(), "status_list_too_large");
    assert!(StatusList::new(Bits::Eight, MAX_LIST_BYTES + 1).is_err());
}

#[test]
fn lists_that_are_not_one_whole_zlib_stream_are_refused() {
    let good = zlib(&[0xb9, 0xa3]);
    let mut trailing = good.clone();
    trailing.push(0);
    let mut checksum = good.clone();
    *checksum.last_mut().unwrap() ^= 1;
    let raw_deflate = good[2..good.len() - 4].to_vec();
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &raw_deflate].concat();
    for bad in [
        trailing,
        checksum,
        raw_deflate,
        gzip,
        good[..5].to_vec(),
        vec![],
    ] {
        let refused = StatusList::decode(Bits::One, &b64url(&bad)).unwrap_err();
        assert_eq!(refused.code(), "status_list_encoding", "{bad:x?}");
    }
    for bad in ["eNrbuRgAAhcBXQ==", "eNrbuRgAAhcBXR", "eNrb uRg"] {
        assert!(StatusList::decode(Bits::One, bad).is_err(), "{bad}");
    }
}

#[test]
fn cat_205_impossible_widths() {
    let lst = list().encode();
    for bits in [
        json!(0),
        json!(3),
        json!(16),
        json!("1"),
        json!(-1),
        json!(1.5),
        json!(null),
    ] {
        assert_eq!(
            refused(json!({"status_list": {"bits": bits, "lst": lst}})),
            "status_bits"
        );
    }
    assert_eq!(refused(json!({"status_list": null})), "status_token_claim");
    assert_eq!(
        refused(json!({"status_list": {"bits": 1}})),
        "status_token_claim"
    );
}

#[test]
fn cat_206_list_of_another_uri() {
    assert_eq!(
        refused(json!({"sub": "https://issuer.example/status/2"})),
        "status_token_uri"
    );
    assert_eq!(
        refused(json!({"sub": "https://issuer.example/status/1/"})),
        "status_token_uri"
    );
    assert_eq!(refused(json!({"sub": null})), "status_token_uri");
}

#[test]
fn cat_208_list_that_expires_while_cached() {
    let world = World::new();
    let list = verify(&world, &sign(&world, &payload())).unwrap();
    let mut reference = World::status_ref();
    reference.idx = 0;
    assert_eq!(
        list.status(&reference, NOW.plus(599)).unwrap(),
        Status::Valid
    );
    let expired = list.status(&reference, NOW.plus(600)).unwrap_err();
    assert_eq!(expired.code(), "status_token_expired");
    let token = sign(&world, &payload());
    let late = verify_at(&world, &token, NOW.plus(600), None).unwrap_err();
    assert_eq!(late.code(), "status_token_expired");
    assert_eq!(refused(json!({"exp": "4102444800"})), "status_token_claim");
    assert_eq!(refused(json!({"iat": null})), "status_token_claim");
    assert_eq!(
        refused(json!({"iat": NOW.plus(61)})),
        "status_token_in_future"
    );
    let mut early = payload();
    early["iat"] = json!(NOW.plus(60));
    assert!(verify(&world, &sign(&world, &early)).is_ok());
}

#[test]
fn cat_209_ttl_is_clamped_and_typed() {
    let world = World::new();
    let refresh = |ttl: Value, exp: Option<i64>| {
        let mut payload = payload();
        payload["ttl"] = ttl;
        match exp {
            Some(seconds) => payload["exp"] = json!(NOW.plus(seconds)),
            None => drop(payload.as_object_mut().unwrap().remove("exp")),
        }
        let list = verify(&world, &sign(&world, &payload));
        list.map(|list| list.refresh_at().since(NOW))
            .map_err(|e| e.code())
    };
    assert_eq!(refresh(json!(1), None), Ok(60));
    assert_eq!(refresh(json!(1_000_000_000), None), Ok(12 * 60 * 60));
    assert_eq!(refresh(json!(300), None), Ok(300));
    assert_eq!(refresh(json!(300), Some(120)), Ok(120), "not after `exp`");
    for bad in [json!(0), json!(-5), json!("300"), json!([300])] {
        assert_eq!(refresh(bad, None), Err("status_token_claim"));
    }
    let mut payload = payload();
    payload.as_object_mut().unwrap().remove("ttl");
    let list = verify(&world, &sign(&world, &payload)).unwrap();
    assert_eq!(list.refresh_at().since(NOW), 600, "at `exp`");
}

#[test]
fn a_token_before_its_time_is_refused() {
    let world = World::new();
    let from = |nbf: Value| {
        let mut payload = payload();
        payload["nbf"] = nbf;
        let list = verify(&world, &sign(&world, &payload));
        list.map(drop).map_err(|error| error.code())
    };
    assert_eq!(from(json!(NOW.plus(60))), Ok(()));
    assert_eq!(from(json!(NOW.plus(61))), Err("status_token_in_future"));
    assert_eq!(from(json!("soon")), Err("status_token_claim"));
}

#[test]
fn cat_211_older_list_after_a_newer_one() {
    let world = World::new();
    let token = sign(&world, &payload());
    assert!(
        verify_at(&world, &token, NOW, Some(NOW)).is_ok(),
        "the same again"
    );
    let rollback = verify_at(&world, &token, NOW, Some(NOW.plus(1))).unwrap_err();
    assert_eq!(rollback.code(), "status_token_rollback");
}

#[test]
fn cat_212_signer_that_may_not_speak_for_the_issuer() {
    let mut world = World::new();
    // Another subject below the issuer's own anchor.
    let (key, chain) = world.ca.leaf("Other Club", "other.example", 2059);
    let token = sign_by(&payload(), &chain, &key);
    assert_eq!(
        verify(&world, &token).unwrap_err().code(),
        "status_token_signer"
    );
    // A chain to nowhere.
    let (key, chain) = Ca::new("Other CA").leaf("Example Club", "issuer.example", 2059);
    let token = sign_by(&payload(), &chain, &key);
    assert_eq!(
        verify(&world, &token).unwrap_err().code(),
        "status_token_chain"
    );
    // No `x5c`; a DID that is trusted, for other credentials.
    let bare = Header::new(TokenType::StatusList);
    let by_did = bare.clone().with_kid(&world.did_url);
    let token = ready(jws::sign(&bare, &payload(), &world.issuer)).unwrap();
    assert_eq!(
        verify(&world, &token).unwrap_err().code(),
        "status_token_signer"
    );
    let token = ready(jws::sign(&by_did, &payload(), &world.did_issuer)).unwrap();
    assert_eq!(
        verify(&world, &token).unwrap_err().code(),
        "status_token_signer"
    );
    // The issuer's own key where policy wants an authority for statuses.
    let status_ca = Ca::new("Status CA");
    let issuer = identity(&world);
    let signer = status_ca.leaf("Status", "status.example", 2059);
    let by_issuer = sign(&world, &payload());
    world.trust.issuers[0].status = StatusMethod::X509(status_ca.anchors(Role::Status));
    assert_eq!(
        verify(&world, &by_issuer).unwrap_err().code(),
        "status_token_chain"
    );
    let list = verify(&world, &sign_by(&payload(), &signer.1, &signer.0)).unwrap();
    assert_eq!(list.issuer(), &issuer);
}

#[test]
fn did_issuers_sign_their_lists_with_their_key() {
    let world = World::new();
    let uri = World::status_ref().uri;
    let issuer = IssuerIdentity {
        trusted: world.did.clone(),
        authority: IssuerAuthority::Did(world.did.clone()),
    };
    let check = StatusCheck {
        uri: &uri,
        issuer: &issuer,
        trust: &world.trust,
        newest_seen: None,
        min_refresh_s: 1,
        now: NOW,
    };
    let list = list();
    let input = StatusTokenInput {
        uri: &uri,
        issuer: Some(&world.did),
        list: &list,
        issued_at: NOW,
        expires_at: NOW.plus(60),
        ttl_s: 5,
        key: IssuerKey::Did(&world.did_url),
    };
    let token = ready(sign_status_list(&input, &world.did_issuer)).unwrap();
    let verified = verify_status_list(&token, &check, &Portable).unwrap();
    assert_eq!(verified.refresh_at(), NOW.plus(5));
    assert_eq!(
        verified.status(&World::status_ref(), NOW).unwrap(),
        Status::Valid
    );
    let other = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(77));
    let forged = ready(sign_status_list(&input, &other)).unwrap();
    let refused = verify_status_list(&forged, &check, &Portable).unwrap_err();
    assert_eq!(refused.code(), "status_token_jwt");
}

/// Another issuer that is trusted is another issuer.
#[test]
fn cat_212_a_list_that_another_trusted_did_signed() {
    let mut world = World::new();
    let other = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(78));
    let other_did = crate::did::key::encode(other.public_key());
    let (_, other_url) = crate::did::resolve_local(&other_did).unwrap();
    let mut entry = world.trust.issuers[1].clone();
    entry.id.clone_from(&other_did);
    entry.method = IssuerMethod::Did(other_did.clone());
    world.trust.issuers.push(entry);
    let uri = World::status_ref().uri;
    let code = |trusted: &str, authority: &str, url: &str, key: &SigningKey| {
        let issuer = IssuerIdentity {
            trusted: trusted.to_owned(),
            authority: IssuerAuthority::Did(authority.to_owned()),
        };
        let check = StatusCheck {
            uri: &uri,
            issuer: &issuer,
            trust: &world.trust,
            newest_seen: None,
            min_refresh_s: 1,
            now: NOW,
        };
        let header = Header::new(TokenType::StatusList).with_kid(url);
        let token = ready(jws::sign(&header, &payload(), key)).unwrap();
        verify_status_list(&token, &check, &Portable)
            .map(drop)
            .map_err(|error| error.code())
    };
    let (own, own_url, own_key) = (&world.did, &world.did_url, &world.did_issuer);
    assert_eq!(code(own, own, own_url, own_key), Ok(()));
    assert_eq!(code(&other_did, &other_did, &other_url, &other), Ok(()));
    let refused = Err("status_token_signer");
    assert_eq!(code(own, own, &other_url, &other), refused);
    assert_eq!(code(&other_did, &other_did, own_url, own_key), refused);
    // An entry that had another DID when the credential was checked.
    assert_eq!(code(own, &other_did, own_url, own_key), refused);
    assert_eq!(code(own, &other_did, &other_url, &other), refused);
}

#[test]
fn other_token_types_are_refused() {
    let world = World::new();
    let header = Header::new(TokenType::StatusList)
        .with_x5c(&world.chain)
        .with("typ", "JWT");
    let token = ready(jws::sign(&header, &payload(), &world.issuer)).unwrap();
    assert_eq!(
        verify(&world, &token).unwrap_err().code(),
        "status_token_jwt"
    );
}

fn settle(world: &World, idx: u64) -> Result<(), &'static str> {
    let reference = StatusRef {
        idx,
        ..World::status_ref()
    };
    let sd_jwt = world.issue_with(|input| {
        // A reference lives long enough for one call.
        input.claims.clear();
        input.frame = empty_frame();
        input.status = Some(Box::leak(Box::new(reference.clone())));
    });
    let owed = world.verify(&world.bind(&sd_jwt)).unwrap();
    assert_eq!(owed.status_ref(), Some(&reference));
    let list = verify(world, &sign(world, &payload())).unwrap();
    let settled = owed.settle(Some(&list), NOW);
    settled.map(drop).map_err(|error| error.code())
}

fn empty_frame() -> &'static crate::sd_jwt::Frame {
    Box::leak(Box::default())
}

#[test]
fn only_valid_credentials_are_accepted() {
    let world = World::new();
    assert_eq!(settle(&world, 0), Ok(()));
    assert_eq!(settle(&world, 1), Err("credential_revoked"));
    assert_eq!(settle(&world, 2), Err("credential_suspended"));
    assert_eq!(settle(&world, 4), Err("status_unknown"));
    assert_eq!(settle(&world, 16), Err("status_index_out_of_range"));
}

#[test]
fn status_cannot_be_skipped_or_borrowed() {
    let world = World::new();
    let reference = World::status_ref();
    let sd_jwt = world.issue_with(|input| input.status = Some(&reference));
    let bound = world.bind(&sd_jwt);
    let owed = || world.verify(&bound).unwrap();
    let code = |result: Result<_, VcError>| result.map(drop).unwrap_err().code();
    assert_eq!(code(owed().settle(None, NOW)), "status_not_checked");
    let list = verify(&world, &sign(&world, &payload())).unwrap();
    assert_eq!(
        code(owed().settle(Some(&list), NOW.plus(600))),
        "status_token_expired"
    );
    let stranger = World::new();
    let foreign = verify(&stranger, &sign(&stranger, &payload())).unwrap();
    assert_eq!(
        code(owed().settle(Some(&foreign), NOW)),
        "status_wrong_list"
    );
    let other = StatusRef {
        uri: "https://issuer.example/status/9".into(),
        idx: 0,
    };
    assert_eq!(
        list.status(&other, NOW).unwrap_err().code(),
        "status_wrong_list"
    );
    // And a credential without a status takes no list.
    let without = world.verify(&world.bind(&world.issue())).unwrap();
    assert_eq!(code(without.settle(Some(&list), NOW)), "status_wrong_list");
}

#[test]
fn status_can_be_required() {
    let world = World::new();
    let mut policy = world.policy();
    policy.status = StatusPolicy::Required;
    let bound = world.bind(&world.issue());
    let refused = crate::sd_jwt_vc::verify_presented(&bound, &policy, &Portable).unwrap_err();
    assert_eq!(refused.code(), "status_missing");
}

/// Nobody gets as far as a status list with an expired credential.
#[test]
fn cat_217_expired_wins_over_valid() {
    let world = World::new();
    let reference = World::status_ref();
    let sd_jwt = world.issue_with(|input| {
        input.status = Some(&reference);
        input.expires_at = Some(NOW.plus(-3600));
    });
    assert_eq!(world.refusal(&world.bind(&sd_jwt)), "credential_expired");
}

//! List tokens in CWT form, of both kinds.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::cbor::{Item, Value, Writer, to_vec};
use crate::cose::{Header, sign1};
use crate::crypto::{Portable, SigningKey};
use crate::sd_jwt_vc::fixtures::{Ca, NOW, ready};
use crate::sd_jwt_vc::{
    IssuerAuthority, IssuerIdentity, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer,
};
use crate::time::UnixTime;
use crate::x509::{Chain, Role};

const URI: &str = "https://issuer.example/status/1";

struct World {
    ca: Ca,
    signer: SigningKey,
    chain: Chain,
    trust: IssuerTrust,
    issuer: IssuerIdentity,
}

/// Claims as they are written, to be changed.
type Claims = Vec<(Value, Value)>;

impl World {
    fn new() -> Self {
        let ca = Ca::new("Example CA");
        let (signer, chain) = ca.leaf("Status signer", "status.example", 2059);
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: "https://issuer.example".into(),
            method: IssuerMethod::Iaca {
                anchors: ca.anchors(Role::MdocIssuer),
            },
            types: vec!["t".into()],
            status: StatusMethod::X509(ca.anchors(Role::Status)),
        }]);
        Self {
            trust: trust.unwrap(),
            ca,
            signer,
            chain,
            issuer: IssuerIdentity {
                trusted: "https://issuer.example".into(),
                authority: IssuerAuthority::Iaca { anchor: "a".into() },
            },
        }
    }

    fn check(&self) -> StatusCheck<'_> {
        StatusCheck {
            uri: URI,
            issuer: &self.issuer,
            trust: &self.trust,
            newest_seen: None,
            min_refresh_s: 60,
            now: NOW,
        }
    }

    fn status_token(&self) -> Vec<u8> {
        let mut list = StatusList::new(Bits::One, 64).unwrap();
        list.set(3, Status::Invalid).unwrap();
        let input = StatusCwtInput {
            uri: URI,
            list: &list,
            issued_at: NOW,
            expires_at: NOW.plus(7200),
            ttl_s: 600,
            chain: &self.chain,
        };
        ready(sign_status_list_cwt(&input, &self.signer)).unwrap()
    }

    fn identifier_token(&self) -> Vec<u8> {
        let input = IdentifierListInput {
            uri: URI,
            revoked: &BTreeSet::from([vec![1, 2], vec![3]]),
            issued_at: NOW,
            expires_at: NOW.plus(7200),
            ttl_s: 600,
            chain: &self.chain,
        };
        ready(sign_identifier_list(&input, &self.signer)).unwrap()
    }

    /// A token with other claims and headers.
    fn token(&self, header: &Header, claims: &Claims) -> Vec<u8> {
        let payload = to_vec(&Value::Map(claims.clone()));
        let message = ready(sign1(header, &Header::new(), &[], &payload, &self.signer)).unwrap();
        Writer::new().tag(18).raw(&message).finish()
    }

    fn status_code(&self, token: &[u8]) -> &'static str {
        let refused = verify_status_list_cwt(token, &self.check(), &Portable);
        refused.expect_err("must be refused").code()
    }

    fn identifier_code(&self, token: &[u8]) -> &'static str {
        let refused = verify_identifier_list(token, &self.check(), &Portable);
        refused.expect_err("must be refused").code()
    }

    fn header(&self, typ: &str) -> Header {
        Header::new().typ(typ).x5chain(&self.chain)
    }
}

fn payload(token: &[u8]) -> Claims {
    let message = crate::cose::Sign1::parse(token).unwrap();
    let payload = Item::parse(message.payload_unverified().unwrap()).unwrap();
    payload.to_value().into_map().unwrap()
}

fn with(claims: &Claims, label: i64, value: Option<Value>) -> Claims {
    let mut claims = claims.clone();
    claims.retain(|(key, _)| *key != Value::from(label));
    claims.extend(value.map(|value| (label.into(), value)));
    claims
}

#[test]
fn lists_of_both_kinds_are_issued_and_checked() {
    let world = World::new();
    let token = world.status_token();
    let list = verify_status_list_cwt(&token, &world.check(), &Portable).unwrap();
    let at = |idx| {
        let uri = URI.to_owned();
        list.status(&StatusRef { uri, idx }, NOW).unwrap()
    };
    assert_eq!((at(3), at(4)), (Status::Invalid, Status::Valid));
    assert_eq!(list.refresh_at(), NOW.plus(600));
    assert_eq!(list.expires_at(), Some(NOW.plus(7200)));
    let token = world.identifier_token();
    let list = verify_identifier_list(&token, &world.check(), &Portable).unwrap();
    assert_eq!((list.len(), list.is_empty()), (2, false));
    assert_eq!((list.uri(), list.issued_at()), (URI, NOW));
    assert_eq!(list.refresh_at(), NOW.plus(600));
    let id = |id: &[u8]| IdentifierRef {
        uri: URI.into(),
        id: id.to_vec(),
    };
    assert!(list.require_not_listed(&id(&[1]), NOW).is_ok());
    for revoked in [&[1, 2][..], &[3]] {
        let refused = list.require_not_listed(&id(revoked), NOW);
        assert_eq!(refused.unwrap_err().code(), "credential_revoked");
    }
    let late = list.require_not_listed(&id(&[1]), list.expires_at());
    assert_eq!(late.unwrap_err().code(), "status_token_expired");
}

#[test]
fn one_kind_is_never_taken_for_the_other() {
    let world = World::new();
    let (status, identifiers) = (world.status_token(), world.identifier_token());
    assert_eq!(world.status_code(&identifiers), "status_token_type");
    assert_eq!(world.identifier_code(&status), "status_token_type");
    for typ in [
        "statuslist+cwt",
        "application/cwt",
        "application/statuslist+jwt",
        "",
    ] {
        let token = world.token(&world.header(typ), &payload(&status));
        assert_eq!(world.status_code(&token), "status_token_type", "{typ}");
    }
    let untyped = world.token(&Header::new().x5chain(&world.chain), &payload(&status));
    assert_eq!(world.status_code(&untyped), "status_token_type");
    // Section 12.3.6.4 of ISO/IEC 18013-5, second edition: not both lists in one token.
    let mut both = payload(&identifiers);
    both.push((65533.into(), Value::Map(vec![])));
    let both = world.token(&world.header(IDENTIFIER_LIST_CWT), &both);
    assert_eq!(world.identifier_code(&both), "status_token_claim");
}

#[test]
fn claims_are_checked() {
    let world = World::new();
    let own = payload(&world.status_token());
    let code = |label, value| {
        let token = world.token(&world.header(STATUS_LIST_CWT), &with(&own, label, value));
        world.status_code(&token)
    };
    let time = |time: UnixTime| Some(time.seconds().into());
    for (label, value, expected) in [
        (2, None, "status_token_uri"),
        (
            2,
            Some("https://issuer.example/status/2".into()),
            "status_token_uri",
        ),
        (2, Some(Value::Bytes(URI.into())), "status_token_uri"),
        (6, None, "status_token_claim"),
        (6, time(NOW.plus(61)), "status_token_in_future"),
        (6, Some(Value::Float(1.0)), "status_token_claim"),
        (6, Some((-1).into()), "status_token_claim"),
        (
            6,
            Some(Value::Tag(1, Box::new(1.into()))),
            "status_token_claim",
        ),
        (4, time(NOW), "status_token_expired"),
        (4, Some(Value::Text("never".into())), "status_token_claim"),
        (4, Some(u64::MAX.into()), "status_token_claim"),
        (65534, Some(0.into()), "status_token_claim"),
        (65534, Some((-5).into()), "status_token_claim"),
        (65533, None, "status_token_claim"),
        (65533, Some(Value::Map(vec![])), "status_bits"),
        (
            65533,
            Some(Value::Map(vec![("bits".into(), 3.into())])),
            "status_bits",
        ),
        (
            65533,
            Some(Value::Map(vec![("bits".into(), 1.into())])),
            "status_token_claim",
        ),
        (
            65533,
            Some(Value::Map(vec![
                ("bits".into(), 1.into()),
                ("lst".into(), Value::Bytes(vec![1])),
            ])),
            "status_list_encoding",
        ),
    ] {
        assert_eq!(code(label, value.clone()), expected, "{label} {value:?}");
    }
    // Without `exp` and `ttl` a status list is used, but not for long.
    let token = world.token(
        &world.header(STATUS_LIST_CWT),
        &with(&with(&own, 4, None), 65534, None),
    );
    let list = verify_status_list_cwt(&token, &world.check(), &Portable).unwrap();
    assert_eq!(list.refresh_at(), NOW.plus(60));
    let mut check = world.check();
    check.newest_seen = Some(NOW.plus(1));
    let refused = verify_status_list_cwt(&world.status_token(), &check, &Portable);
    assert_eq!(refused.unwrap_err().code(), "status_token_rollback");
}

#[test]
fn identifier_lists_have_an_end_and_identifiers() {
    let world = World::new();
    let own = payload(&world.identifier_token());
    let code = |label, value| {
        let token = world.token(
            &world.header(IDENTIFIER_LIST_CWT),
            &with(&own, label, value),
        );
        world.identifier_code(&token)
    };
    let list = |identifiers: Value| Some(Value::Map(vec![("identifiers".into(), identifiers)]));
    let none = list(Value::Map(vec![]));
    let token = world.token(&world.header(IDENTIFIER_LIST_CWT), &with(&own, 65530, none));
    let empty = verify_identifier_list(&token, &world.check(), &Portable).unwrap();
    assert!(empty.is_empty());
    for (label, value) in [
        (4, None),
        (65530, None),
        (65530, Some(Value::Array(vec![]))),
        (65530, Some(Value::Map(vec![]))),
        (65530, list(Value::Array(vec![Value::Bytes(vec![1])]))),
        (
            65530,
            list(Value::Map(vec![("text".into(), Value::Map(vec![]))])),
        ),
        (
            65530,
            list(Value::Map(vec![(Value::Bytes(vec![1]), Value::Null)])),
        ),
    ] {
        assert_eq!(
            code(label, value.clone()),
            "status_token_claim",
            "{label} {value:?}"
        );
    }
}

#[test]
fn the_signer_is_chosen_by_the_issuer() {
    let world = World::new();
    let claims = payload(&world.status_token());
    // No chain; the chain of another authority; one that did not sign.
    let unnamed = world.token(&Header::new().typ(STATUS_LIST_CWT), &claims);
    assert_eq!(world.status_code(&unnamed), "status_token_signer");
    let (_, theirs) = Ca::new("Another CA").leaf("Status signer", "status.example", 2059);
    let header = Header::new().typ(STATUS_LIST_CWT).x5chain(&theirs);
    assert_eq!(
        world.status_code(&world.token(&header, &claims)),
        "status_token_chain"
    );
    let (_, another) = world.ca.leaf("Another signer", "status.example", 2059);
    let header = Header::new().typ(STATUS_LIST_CWT).x5chain(&another);
    assert_eq!(
        world.status_code(&world.token(&header, &claims)),
        "status_token_cose"
    );
    // In the unprotected header it is read too.
    let payload = to_vec(&Value::Map(claims));
    let unprotected = Header::new().x5chain(&world.chain);
    let protected = Header::new().typ(STATUS_LIST_CWT);
    let token = ready(sign1(
        &protected,
        &unprotected,
        &[],
        &payload,
        &world.signer,
    ))
    .unwrap();
    let token = Writer::new().tag(18).raw(&token).finish();
    assert!(verify_status_list_cwt(&token, &world.check(), &Portable).is_ok());
    // An issuer whose lists it signs itself does not believe this signer.
    let mut same = world.trust.issuers[0].clone();
    same.status = StatusMethod::SameIssuer;
    let same = IssuerTrust::new(vec![same]).unwrap();
    let mut check = world.check();
    check.trust = &same;
    let refused = verify_status_list_cwt(&world.status_token(), &check, &Portable);
    assert_eq!(refused.unwrap_err().code(), "status_token_chain");
}

#[test]
fn references_are_well_formed() {
    let read = |value: &Value| {
        let bytes = to_vec(value);
        let item = Item::parse(&bytes).unwrap();
        (
            StatusRef::from_cbor(item).is_ok(),
            IdentifierRef::from_cbor(item).is_ok(),
        )
    };
    let map = |entries: &[(&str, Value)]| {
        Value::Map(
            entries
                .iter()
                .map(|(key, value)| ((*key).into(), value.clone()))
                .collect(),
        )
    };
    let uri = ("uri", Value::from(URI));
    assert_eq!(read(&map(&[uri.clone(), ("idx", 1.into())])), (true, false));
    assert_eq!(
        read(&map(&[uri.clone(), ("id", Value::Bytes(vec![1]))])),
        (false, true)
    );
    for bad in [
        map(&[]),
        map(std::slice::from_ref(&uri)),
        map(&[
            uri.clone(),
            ("idx", (-1).into()),
            ("id", Value::Bytes(vec![])),
        ]),
        map(&[
            uri.clone(),
            ("idx", Value::Float(1.0)),
            ("id", Value::Bytes(vec![0; 65])),
        ]),
        map(&[uri.clone(), ("idx", "1".into()), ("id", "1".into())]),
        map(&[
            ("uri", "no uri".into()),
            ("idx", 1.into()),
            ("id", Value::Bytes(vec![1])),
        ]),
        Value::Array(vec![]),
    ] {
        assert_eq!(read(&bad), (false, false), "{bad:?}");
    }
    let reference = IdentifierRef {
        uri: URI.into(),
        id: vec![5; 64],
    };
    let mut out = Writer::new();
    reference.write_cbor(&mut out);
    let bytes = out.finish();
    assert_eq!(
        IdentifierRef::from_cbor(Item::parse(&bytes).unwrap()).unwrap(),
        reference
    );
}

#[test]
fn a_list_is_a_tagged_message() {
    let world = World::new();
    let token = world.status_token();
    let untagged = &token[1..];
    assert!(crate::cose::Sign1::parse(untagged).is_ok());
    assert_eq!(world.status_code(untagged), "status_token_cose");
    assert_eq!(
        world.identifier_code(&world.identifier_token()[1..]),
        "status_token_cose"
    );
    // Tag 61 (RFC 8392) around it, or another message's tag.
    let twice = Writer::new().tag(61).raw(&token).finish();
    assert_eq!(world.status_code(&twice), "status_token_cose");
    let other = Writer::new().tag(17).raw(untagged).finish();
    assert_eq!(world.status_code(&other), "status_token_cose");
}

#[test]
fn a_list_before_its_time_is_refused() {
    let world = World::new();
    for (token, typ) in [
        (world.status_token(), STATUS_LIST_CWT),
        (world.identifier_token(), IDENTIFIER_LIST_CWT),
    ] {
        let claims = payload(&token);
        let from = |nbf: Value| {
            let token = world.token(&world.header(typ), &with(&claims, 5, Some(nbf)));
            match typ {
                STATUS_LIST_CWT => verify_status_list_cwt(&token, &world.check(), &Portable)
                    .map(drop)
                    .map_err(|error| error.code()),
                _ => verify_identifier_list(&token, &world.check(), &Portable)
                    .map(drop)
                    .map_err(|error| error.code()),
            }
        };
        assert_eq!(from(NOW.plus(60).seconds().into()), Ok(()));
        assert_eq!(
            from(NOW.plus(61).seconds().into()),
            Err("status_token_in_future")
        );
        assert_eq!(from("soon".into()), Err("status_token_claim"));
    }
}

#[test]
fn what_is_issued_can_be_read() {
    let world = World::new();
    let sign = |count: u32| {
        let revoked = (0..count).map(|n| {
            let mut id = vec![7; 56];
            id.extend(u64::from(n).to_be_bytes());
            id
        });
        let input = IdentifierListInput {
            uri: URI,
            revoked: &revoked.collect(),
            issued_at: NOW,
            expires_at: NOW.plus(7200),
            ttl_s: 600,
            chain: &world.chain,
        };
        ready(sign_identifier_list(&input, &world.signer))
    };
    // 67 bytes each: more than an ordinary message may have.
    let large = sign(30_000).unwrap();
    assert!(large.len() > crate::cbor::MAX_BYTES);
    let list = verify_identifier_list(&large, &world.check(), &Portable).unwrap();
    assert_eq!(list.len(), 30_000);
    assert!(sign(65_000).is_err());
    // One identifier that fills the token to the last byte.
    let sign = |length: usize| {
        let input = IdentifierListInput {
            uri: URI,
            revoked: &BTreeSet::from([vec![7; length]]),
            issued_at: NOW,
            expires_at: NOW.plus(7200),
            ttl_s: 600,
            chain: &world.chain,
        };
        ready(sign_identifier_list(&input, &world.signer))
    };
    let around = sign(1_000_000).unwrap().len() - 1_000_000;
    let full = sign(4_194_304 - around).unwrap();
    assert_eq!(full.len(), 4_194_304);
    let list = verify_identifier_list(&full, &world.check(), &Portable).unwrap();
    assert!(list.len() == 1 && !list.is_empty());
    assert!(sign(4_194_305 - around).is_err());
    let input = vec![0; MAX_CWT_BYTES + 1];
    assert_eq!(world.status_code(&input), "status_token_cose");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_refused(input in prop::collection::vec(any::<u8>(), 0..300)) {
        let world = World::new();
        prop_assert!(verify_status_list_cwt(&input, &world.check(), &Portable).is_err());
        prop_assert!(verify_identifier_list(&input, &world.check(), &Portable).is_err());
        if let Ok(item) = Item::parse(&input) {
            let _ = read_cbor_list(item);
        }
    }

    #[test]
    fn one_turned_byte_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let world = World::new();
        for mut token in [world.status_token(), world.identifier_token()] {
            *at.get_mut(&mut token) ^= flip;
            prop_assert!(verify_status_list_cwt(&token, &world.check(), &Portable).is_err());
            prop_assert!(verify_identifier_list(&token, &world.check(), &Portable).is_err());
        }
    }
}

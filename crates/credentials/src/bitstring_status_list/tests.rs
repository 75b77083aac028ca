use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Bitstring, Entry, ListOptions, MIN_BITS, StatusError, list_credential};
use crate::did::LocalResolver;
use crate::multibase::base64url;
use crate::vc_jose_cose::issue_jwt;
use crate::vcdm::fixtures::{Lists, NOW, Party, code, credential, policy, verify_by};
use crate::vcdm::{
    DateTimeStamp, EnvelopeType, Issuers, Policy, StatusLists, StatusPolicy, VerifyError,
};

const URL: &str = "https://issuer.example/status/3";

fn options(issuer: &Party) -> ListOptions<'_> {
    ListOptions {
        id: URL,
        issuer: &issuer.did,
        purpose: "revocation",
        valid_from: Some(DateTimeStamp::from_time(NOW)),
        valid_until: None,
        ttl_ms: Some(300_000),
    }
}

/// A list with these indices set.
fn list(set: &[u64]) -> Bitstring {
    let mut list = Bitstring::new(0, 1).unwrap();
    for index in set {
        list.set(*index, 1).unwrap();
    }
    list
}

/// A credential with an entry, verified against a list that is served as `application/vc`.
async fn verify_against(entry: Value, published: &Value) -> Result<(), VerifyError> {
    let lists = Lists::one(URL, "application/vc", published.to_string());
    verify_with(entry, &lists).await
}

async fn verify_with(entry: Value, lists: &Lists) -> Result<(), VerifyError> {
    let issuer = Party::issuer();
    let mut document = credential(&issuer, &Party::holder());
    document["credentialStatus"] = entry;
    let secured = issuer.issue(&document).await;
    let policy = Policy {
        status: StatusPolicy::Required(StatusLists::new(lists)),
        ..policy()
    };
    verify_by(&secured, &policy, &LocalResolver)
        .await
        .map(|_| ())
}

async fn published(change: impl FnOnce(&mut Value)) -> Value {
    let issuer = Party::issuer();
    let mut document = list_credential(&options(&issuer), &list(&[94_567]));
    change(&mut document);
    issuer.issue(&document).await
}

fn entry(index: u64) -> Value {
    Entry::new("revocation", URL, index).to_json()
}

#[test]
fn index_0_is_the_most_significant_bit() {
    let list = list(&[0, 9, 131_071]);
    assert_eq!(list.bytes()[0], 0b1000_0000);
    assert_eq!(list.bytes()[1], 0b0100_0000);
    assert_eq!(list.bytes()[16_383], 0b0000_0001);
    assert_eq!((list.capacity(), list.bytes().len()), (MIN_BITS, 16_384));
}

#[test]
fn the_list_of_the_specification() {
    // Bitstring Status List 1.0, section 2.2, example 6: nothing is set.
    let encoded = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA";
    let theirs = Bitstring::decode(encoded, 1).unwrap();
    assert_eq!(theirs, list(&[]));
    assert_eq!(
        Bitstring::decode(&list(&[7]).encode(), 1).unwrap(),
        list(&[7])
    );
}

#[test]
fn statuses_of_more_bits() {
    for size in 1..=8 {
        let mut list = Bitstring::new(MIN_BITS, size).unwrap();
        assert_eq!(list.capacity(), MIN_BITS);
        let largest = u8::MAX >> (8 - size);
        for (index, value) in [(0, largest), (1, 1), (77, largest), (MIN_BITS - 1, largest)] {
            list.set(index, value).unwrap();
        }
        let again = Bitstring::decode(&list.encode(), size).unwrap();
        assert_eq!(
            (
                again.get(0).unwrap(),
                again.get(1).unwrap(),
                again.get(2).unwrap()
            ),
            (largest, 1, 0)
        );
        assert_eq!(
            (again.get(77).unwrap(), again.get(MIN_BITS - 1).unwrap()),
            (largest, largest)
        );
        assert!(matches!(list.get(MIN_BITS), Err(StatusError::OutOfRange)));
        assert!(matches!(list.get(u64::MAX), Err(StatusError::OutOfRange)));
        if size < 8 {
            assert!(matches!(
                list.set(0, largest + 1),
                Err(StatusError::ValueTooLarge)
            ));
        }
        list.set(0, 0).unwrap();
        assert_eq!(list.get(0).unwrap(), 0);
    }
    assert!(Bitstring::new(1, 0).is_err() && Bitstring::new(1, 9).is_err());
    assert!(matches!(
        Bitstring::new(u64::MAX, 8),
        Err(StatusError::TooLarge)
    ));
}

#[test]
fn lists_that_are_not_read() {
    let gzip = |bytes: &[u8]| {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let code = |text: &str| Bitstring::decode(text, 1).unwrap_err().code();
    let good = list(&[]).encode();
    for bad in [
        String::new(),
        good[1..].to_owned(),
        format!("z{}", &good[1..]),
        format!("m{}", &good[1..]),
        format!("{good}="),
        base64url(b"not gzip"),
        base64url(&[0x1f, 0x8b]),
        good[..good.len() - 12].to_owned(),
    ] {
        assert_eq!(code(&bad), "status_list_encoding", "{bad}");
    }
    assert_eq!(
        code(&base64url(&gzip(&[0; 16_383]))),
        "status_list_too_short"
    );
    assert!(Bitstring::decode(&base64url(&gzip(&[0; 16_384])), 1).is_ok());
    // 131072 statuses of two bits need twice the bytes.
    let two = Bitstring::decode(&base64url(&gzip(&[0; 16_384])), 2).unwrap_err();
    assert_eq!(two.problem().name(), "STATUS_LIST_LENGTH_ERROR");
    // A bomb: 17 MiB of zeros in 17 KiB.
    let bomb = base64url(&gzip(&vec![0; 17 * 1024 * 1024]));
    assert!(bomb.len() < 32 * 1024);
    assert_eq!(code(&bomb), "status_list_too_large");
    assert_eq!(code(&"u".repeat(6 * 1024 * 1024)), "status_list_too_large");
}

#[test]
fn entries() {
    let good = entry(94_567);
    assert_eq!(good["statusListIndex"], "94567");
    assert_eq!(
        Entry::parse(&good).unwrap(),
        Entry::new("revocation", URL, 94_567)
    );
    for (name, value, expected) in [
        ("type", json!("StatusList2021Entry"), "status_unsupported"),
        ("type", json!(null), "status_unsupported"),
        ("id", json!(URL), "status_malformed"),
        ("id", json!("no url"), "status_malformed"),
        ("statusPurpose", json!(""), "status_malformed"),
        ("statusPurpose", json!(["revocation"]), "status_malformed"),
        ("statusPurpose", json!("message"), "status_malformed"),
        ("statusListIndex", json!(94_567), "status_malformed"),
        ("statusListIndex", json!(true), "status_malformed"),
        ("statusListIndex", json!("-1"), "status_malformed"),
        ("statusListIndex", json!("+1"), "status_malformed"),
        ("statusListIndex", json!("01"), "status_malformed"),
        ("statusListIndex", json!("0x10"), "status_malformed"),
        ("statusListIndex", json!("1e3"), "status_malformed"),
        ("statusListIndex", json!(" 1"), "status_malformed"),
        ("statusListIndex", json!(""), "status_malformed"),
        (
            "statusListIndex",
            json!("99999999999999999999999"),
            "status_out_of_range",
        ),
        (
            "statusListCredential",
            json!("status/3"),
            "status_malformed",
        ),
        ("statusListCredential", json!([URL]), "status_malformed"),
        ("statusSize", json!(0), "status_malformed"),
        ("statusSize", json!(-1), "status_malformed"),
        ("statusSize", json!("2"), "status_malformed"),
        ("statusSize", json!(2), "status_malformed"),
        ("statusSize", json!(9), "status_unsupported"),
        ("statusMessage", json!([]), "status_malformed"),
        (
            "statusMessage",
            json!([{"status": "0x0", "message": "a"}, {"status": "0x0", "message": "b"}]),
            "status_malformed",
        ),
        (
            "statusMessage",
            json!([{"status": "0", "message": "a"}, {"status": "0x1", "message": "b"}]),
            "status_malformed",
        ),
        (
            "statusMessage",
            json!([{"status": "0x0"}, {"status": "0x1", "message": "b"}]),
            "status_malformed",
        ),
        (
            "statusMessage",
            json!([{"status": "0x0", "message": "a"}, {"status": "0x+1", "message": "b"}]),
            "status_malformed",
        ),
        ("statusReference", json!("no url"), "status_malformed"),
        ("statusReference", json!([]), "status_malformed"),
    ] {
        let mut bad = good.clone();
        bad[name] = value.clone();
        assert_eq!(
            Entry::parse(&bad).unwrap_err().code(),
            expected,
            "{name} {value}"
        );
    }
    let with_messages = Entry {
        size: 2,
        messages: ["ok", "late", "lost", "other"].map(str::to_owned).to_vec(),
        ..Entry::new("message", URL, 5)
    };
    assert_eq!(
        Entry::parse(&with_messages.to_json()).unwrap(),
        with_messages
    );
    assert_eq!(with_messages.to_json()["statusSize"], 2);
    // One bit is what is meant where nothing is said.
    assert!(good.get("statusSize").is_none());
    let messages = |count: usize| -> Value {
        (0..count)
            .map(|value| json!({"status": format!("0x{value:x}"), "message": "m"}))
            .collect()
    };
    for (count, fine) in [(3, false), (4, true), (5, false)] {
        let mut entry = with_messages.to_json();
        entry["statusMessage"] = messages(count);
        assert_eq!(Entry::parse(&entry).is_ok(), fine, "{count}");
    }
    for (types, fine) in [
        (json!(["BitstringStatusListEntry"]), true),
        (json!(["Other", "BitstringStatusListEntry"]), true),
        (json!(["Other"]), false),
        (json!([]), false),
    ] {
        let mut typed = good.clone();
        typed["type"] = types.clone();
        assert_eq!(Entry::parse(&typed).is_ok(), fine, "{types}");
    }
}

#[tokio::test]
async fn a_credential_that_is_not_revoked_and_one_that_is() {
    let published = published(|_| {}).await;
    assert!(verify_against(entry(94_566), &published).await.is_ok());
    assert_eq!(
        code(verify_against(entry(94_567), &published).await),
        "status_revoked"
    );
    let both = json!([entry(94_566), entry(94_567)]);
    assert_eq!(
        code(verify_against(both, &published).await),
        "status_revoked"
    );
    let error = verify_against(entry(131_072), &published)
        .await
        .unwrap_err();
    assert_eq!(error.problem().name(), "RANGE_ERROR");
}

#[tokio::test]
async fn the_list_must_be_a_credential_that_holds() {
    let good = published(|_| {}).await;
    let mut altered = good.clone();
    altered["credentialSubject"]["encodedList"] = json!(list(&[]).encode());
    let mut unsigned = good.clone();
    unsigned.as_object_mut().unwrap().shift_remove("proof");
    let mut other = list_credential(&options(&Party::issuer()), &list(&[]));
    other["issuer"] = json!(Party::holder().did);
    let other = Party::holder().issue(&other).await;
    let expired = published(|list| {
        list["validFrom"] = json!("2026-01-01T00:00:00Z");
        list["validUntil"] = json!("2026-11-23T11:00:00Z");
    })
    .await;
    for bad in [&altered, &unsigned, &other, &expired] {
        let error = verify_against(entry(1), bad).await.unwrap_err();
        assert_eq!(
            (error.code(), error.problem().name()),
            ("status_list_credential", "STATUS_VERIFICATION_ERROR")
        );
    }
    // A list of another issuer holds where the policy names its publisher.
    let lists = Lists::one(URL, "application/vc", other.to_string());
    let issuer = Party::issuer();
    let mut document = credential(&issuer, &Party::holder());
    document["credentialStatus"] = entry(1);
    let secured = issuer.issue(&document).await;
    let publishers = [Party::holder().did];
    let status = StatusPolicy::Required(StatusLists {
        source: &lists,
        publishers: &publishers,
    });
    let policy = Policy {
        status,
        issuers: Issuers::AnyResolvable,
        ..policy()
    };
    assert!(verify_by(&secured, &policy, &LocalResolver).await.is_ok());
}

#[tokio::test]
async fn lists_of_the_wrong_shape() {
    for (bad, expected) in [
        (
            published(|list| list["credentialSubject"]["statusPurpose"] = json!("suspension"))
                .await,
            "status_purpose",
        ),
        (
            published(|list| list["credentialSubject"]["statusPurpose"] = json!(["refresh"])).await,
            "status_purpose",
        ),
        (
            published(|list| list["credentialSubject"]["statusPurpose"] = json!(1)).await,
            "status_malformed",
        ),
        (
            published(|list| list["credentialSubject"]["ttl"] = json!("300")).await,
            "status_malformed",
        ),
        (
            published(|list| list["credentialSubject"]["encodedList"] = json!(1)).await,
            "status_malformed",
        ),
        (
            published(|list| list["credentialSubject"]["type"] = json!("Other")).await,
            "status_malformed",
        ),
        (
            published(|list| list["type"] = json!("VerifiableCredential")).await,
            "status_malformed",
        ),
        (
            published(|list| list["id"] = json!("https://issuer.example/status/4")).await,
            "status_malformed",
        ),
    ] {
        assert_eq!(code(verify_against(entry(1), &bad).await), expected);
    }
    let several = published(|list| {
        list["credentialSubject"]["statusPurpose"] = json!(["suspension", "revocation"])
    })
    .await;
    assert!(verify_against(entry(1), &several).await.is_ok());
}

#[tokio::test]
async fn purposes_and_what_follows() {
    for (purpose, expected) in [
        ("suspension", Some("status_suspended")),
        ("quarantine", Some("status_unknown")),
        ("refresh", None),
    ] {
        let list =
            published(|list| list["credentialSubject"]["statusPurpose"] = json!(purpose)).await;
        let entry = |index| Entry::new(purpose, URL, index).to_json();
        assert!(verify_against(entry(1), &list).await.is_ok());
        match expected {
            Some(expected) => {
                assert_eq!(code(verify_against(entry(94_567), &list).await), expected)
            }
            None => assert!(verify_against(entry(94_567), &list).await.is_ok()),
        }
    }
}

#[tokio::test]
async fn a_status_that_cannot_be_had_or_is_not_there() {
    let lists = Lists::default();
    let error = verify_with(entry(1), &lists).await.unwrap_err();
    assert_eq!(
        (error.code(), error.problem().name()),
        ("status_retrieval", "STATUS_RETRIEVAL_ERROR")
    );
    let other = json!({"type": "StatusList2021Entry", "id": "https://issuer.example/status/3#1"});
    assert_eq!(code(verify_with(other, &lists).await), "status_unsupported");
    for (media_type, body) in [
        ("text/html", "{}"),
        ("application/vc", "[]"),
        ("application/vc+jwt", "a.b.c"),
    ] {
        let lists = Lists::one(URL, media_type, body);
        assert!(verify_with(entry(1), &lists).await.is_err());
    }
    let issuer = Party::issuer();
    let bare = issuer.issue(&credential(&issuer, &Party::holder())).await;
    let by = |status| Policy { status, ..policy() };
    let required = by(StatusPolicy::Required(StatusLists::new(&lists)));
    assert_eq!(
        code(verify_by(&bare, &required, &LocalResolver).await),
        "status_missing"
    );
    let optional = by(StatusPolicy::CheckIfPresent(StatusLists::new(&lists)));
    assert!(verify_by(&bare, &optional, &LocalResolver).await.is_ok());
}

#[tokio::test]
async fn entries_that_are_too_many_are_not_looked_up() {
    let list = published(|_| {}).await;
    for (count, expected) in [(8, None), (9, Some("vcdm_too_many"))] {
        let entries = (0..count).map(entry).collect();
        let refused = verify_against(Value::Array(entries), &list).await.err();
        assert_eq!(refused.map(|error| error.code()), expected);
    }
}

#[tokio::test]
async fn a_list_in_an_envelope() {
    let issuer = Party::issuer();
    let document = list_credential(&options(&issuer), &list(&[94_567]));
    let jwt = issue_jwt(&document, EnvelopeType::VcJwt, &issuer.method, &issuer.key)
        .await
        .unwrap();
    let lists = Lists::one(URL, "application/vc+jwt", jwt.clone());
    assert!(verify_with(entry(1), &lists).await.is_ok());
    assert_eq!(
        code(verify_with(entry(94_567), &lists).await),
        "status_revoked"
    );
    // The media type decides; nothing is guessed.
    for media_type in [
        "application/vc",
        "application/vp+jwt",
        "application/jwt",
        "text/html",
    ] {
        let lists = Lists::one(URL, media_type, jwt.clone());
        let refused = code(verify_with(entry(1), &lists).await);
        assert_eq!(refused, "status_list_format", "{media_type}");
    }
}

#[tokio::test]
async fn a_list_has_at_most_eight_mebibytes() {
    let published = published(|_| {}).await.to_string();
    for (length, expected) in [
        (8_388_608, None),
        (8_388_609, Some("status_list_too_large")),
    ] {
        let mut body = published.clone().into_bytes();
        body.resize(length, b' ');
        let lists = Lists::one(URL, "application/vc", body);
        let refused = verify_with(entry(1), &lists).await.err();
        assert_eq!(refused.map(|error| error.code()), expected, "{length}");
    }
}

/// The types that a verifier accepts are those of the credential, not of its list.
#[tokio::test]
async fn a_list_is_of_no_type_that_the_policy_names() {
    let published = published(|_| {}).await;
    let lists = Lists::one(URL, "application/vc", published.to_string());
    let issuer = Party::issuer();
    let mut document = credential(&issuer, &Party::holder());
    document["credentialStatus"] = entry(1);
    let secured = issuer.issue(&document).await;
    let types = ["https://example.org/types#Member".to_owned()];
    let policy = Policy {
        types: &types,
        status: StatusPolicy::Required(StatusLists::new(&lists)),
        ..policy()
    };
    assert!(verify_by(&secured, &policy, &LocalResolver).await.is_ok());
}

proptest! {
    #[test]
    fn any_text_is_a_list_or_refused(text in "u?[A-Za-z0-9_-]{0,80}", size in 0_u8..10) {
        let _ = Bitstring::decode(&text, size);
    }

    #[test]
    fn any_bytes_are_a_list_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Bitstring::decode(&base64url(&bytes), 1);
        let _ = Bitstring::decode(&base64url(&[&[0x1f, 0x8b, 8][..], &bytes].concat()), 1);
    }

    #[test]
    fn what_is_set_is_read(size in 1_u8..=8, index in 0..MIN_BITS, value in any::<u8>()) {
        let value = value & (u8::MAX >> (8 - size));
        let mut list = Bitstring::new(MIN_BITS, size).unwrap();
        list.set(index, value).unwrap();
        prop_assert_eq!(list.get(index).unwrap(), value);
        let ones: u32 = list.bytes().iter().map(|byte| byte.count_ones()).sum();
        prop_assert_eq!(ones, value.count_ones());
    }
}

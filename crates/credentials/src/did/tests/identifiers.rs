use proptest::prelude::*;

use crate::did::{Did, DidUrl, ErrorCode, MAX_LENGTH};

#[test]
fn dids_of_the_grammar() {
    for text in [
        "did:example:123456789abcdefghi",
        "did:a:b",
        "did:0:a:b:c",
        "did:a::b",
        "did:a:%00",
        "did:web:example.com%3A3000:user:alice",
        "did:x:A-Z_.0",
    ] {
        let did = Did::parse(text).expect(text);
        assert_eq!(did.as_str(), text);
        assert_eq!(format!("did:{}:{}", did.method(), did.id()), text);
    }
}

#[test]
fn cat_181_what_is_no_did() {
    let long = format!("did:a:{}", "b".repeat(MAX_LENGTH));
    for text in [
        "",
        "did",
        "did:",
        "did:a",
        "did:a:",
        "did::b",
        "DID:a:b",
        "did:A:b",
        "did:a-b:c",
        "did:a:b:",
        "did:a:b/",
        "did:a:b?",
        "did:a:b#",
        "did:a:b c",
        " did:a:b",
        "did:a:b\n",
        "did:a:%",
        "did:a:%2",
        "did:a:%zz",
        "did:a:ü",
        "did:a:@",
        "did:a:b\\c",
        "not-a-did",
        &long,
    ] {
        assert!(Did::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn parts_of_a_did_url() {
    let url = DidUrl::parse("did:a:b/path/to?service=x&relativeRef=%2Fy#frag?/").unwrap();
    assert_eq!(url.did().as_str(), "did:a:b");
    assert_eq!((url.path(), url.fragment()), ("/path/to", Some("frag?/")));
    assert_eq!(url.query(), Some("service=x&relativeRef=%2Fy"));
    assert_eq!(
        url.without_fragment(),
        "did:a:b/path/to?service=x&relativeRef=%2Fy"
    );
    let pairs =
        [("service", "x"), ("relativeRef", "/y")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(url.parameters().unwrap(), pairs);
    let bare = DidUrl::parse("did:a:b").unwrap();
    assert!(
        bare.is_bare()
            && bare.path().is_empty()
            && bare.query().is_none()
            && bare.fragment().is_none()
    );
    let empty = DidUrl::parse("did:a:b?#").unwrap();
    assert_eq!(
        (empty.query(), empty.fragment(), empty.is_bare()),
        (Some(""), Some(""), false)
    );
    for text in [
        "did:a:b#a#b",
        "did:a:b/^",
        "did:a:b?`",
        "did:a:b#%g0",
        "did:a:b# ",
        "did:a#b",
        "#a",
        "/a",
        "did:a:b/\u{e9}",
        "did:a:b?a=\"",
    ] {
        assert!(DidUrl::parse(text).is_err(), "{text:?}");
    }
    assert!(
        DidUrl::parse("did:a:b?a=1&a=2")
            .unwrap()
            .parameters()
            .is_err()
    );
    assert!(
        DidUrl::parse("did:a:b?a=%ff")
            .unwrap()
            .parameters()
            .is_err()
    );
}

#[test]
fn relative_urls_stay_in_their_document() {
    let base = Did::parse("did:a:b").unwrap();
    assert_eq!(
        DidUrl::parse_within("#k", &base).unwrap().as_str(),
        "did:a:b#k"
    );
    assert_eq!(
        DidUrl::parse_within("did:c:d#k", &base).unwrap().as_str(),
        "did:c:d#k"
    );
    for text in ["k", "/k#a", "?k#a", "//did:c:d#k", "##k", ""] {
        assert!(DidUrl::parse_within(text, &base).is_err(), "{text}");
    }
}

#[test]
fn errors_in_new_and_old_spelling() {
    use serde_json::json;
    for (value, code) in [
        (
            json!({"type": "https://www.w3.org/ns/did#INVALID_DID"}),
            Some(ErrorCode::InvalidDid),
        ),
        (json!("invalidDid"), Some(ErrorCode::InvalidDid)),
        (json!("notFound"), Some(ErrorCode::NotFound)),
        (
            json!("METHOD_NOT_SUPPORTED"),
            Some(ErrorCode::MethodNotSupported),
        ),
        (
            json!({"type": "https://w3id.org/security#INVALID_VERIFICATION_METHOD"}),
            Some(ErrorCode::InvalidVerificationMethod),
        ),
        (json!("somethingElse"), None),
        (json!({"title": "x"}), None),
        (json!(1), None),
    ] {
        assert_eq!(ErrorCode::read(&value), code, "{value}");
    }
    assert_eq!(
        ErrorCode::NotFound.iri(),
        "https://www.w3.org/ns/did#NOT_FOUND"
    );
    assert_eq!(
        ErrorCode::InvalidPublicKeyLength.legacy(),
        "invalidPublicKeyLength"
    );
}

proptest! {
    #[test]
    fn what_is_accepted_is_put_together_again(text in "did:[a-z0-9:.%/?#=A-F_-]{0,40}") {
        if let Ok(url) = DidUrl::parse(&text) {
            let mut again = format!("{}{}", url.did(), url.path());
            if let Some(query) = url.query() {
                again.push('?');
                again.push_str(query);
            }
            if let Some(fragment) = url.fragment() {
                again.push('#');
                again.push_str(fragment);
            }
            prop_assert_eq!(again, text);
            prop_assert!(Did::parse(url.did().as_str()).is_ok());
        }
    }

    #[test]
    fn any_text_is_parsed_without_panic(text in ".{0,60}") {
        let _ = Did::parse(&text);
        if let Ok(url) = DidUrl::parse(&text) {
            let _ = url.parameters();
        }
    }
}

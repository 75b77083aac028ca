//! In whose name a key issues, lists that are signed once, and what a caller is told.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::data_integrity::{ProofOptions, ProofPurpose, add_proof};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::testing::SeededRng;

use super::{Answer, Harness, NOW, credential, key};
use crate::db::testing::for_each_database;
use crate::vc_api::{ISSUE, IssuerKey, KeyType, VERIFY, issue_as, suites};

const REVOKED: &str = "urn:x:1";

async fn post(harness: &Harness, path: &str, key: &str, body: &Value) -> Answer {
    let body = body.to_string().into_bytes();
    harness.raw(path, key, "application/json", body).await
}

fn plain(issuer: &str) -> Value {
    let mut plain = credential(issuer);
    plain["credentialSubject"] = json!({"id": "did:example:subject"});
    plain
}

#[tokio::test]
async fn a_key_issues_in_no_name_but_those_it_has() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "");
        let (one, two) = (&harness.issuers[0], &harness.issuers[1]);
        let keeper = &harness.issuers[2];
        let any = harness.key(&[ISSUE]).await;
        let own = harness.key(&[&issue_as(one), "x"]).await;
        let both = harness.key(&[&issue_as(one), &issue_as(keeper), "x"]).await;
        let prefix = issue_as(&one[..one.len() - 1]);
        let foreign = harness.key(&[&prefix, ISSUE, "vc:issued", VERIFY]).await;
        let issue = async |key: &str, issuer: &str| {
            let body = json!({"credential": plain(issuer)});
            let answer = post(&harness, "/credentials/issue", key, &body).await;
            (answer.status, answer.refused().1.to_owned())
        };
        let forbidden = (403, "forbidden".to_owned());
        let done = (201, String::new());
        for issuer in &harness.issuers {
            assert_eq!(issue(&any, issuer).await, forbidden, "several: by name");
            assert_eq!(issue(&foreign, issuer).await, forbidden);
        }
        assert_eq!(issue(&own, one).await, done);
        assert_eq!(issue(&own, two).await, forbidden);
        assert_eq!(issue(&own, keeper).await, forbidden);
        assert_eq!(issue(&both, one).await, done);

        // A status is changed by who may issue in that name.
        let mut with_id = plain(keeper);
        with_id["id"] = json!(REVOKED);
        let body = json!({"credential": with_id});
        let answer = post(&harness, "/credentials/issue", &both, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let entry = json!({"type": "BitstringStatusListEntry", "statusPurpose": "revocation"});
        let unnamed = json!({"credentialId": REVOKED, "credentialStatus": entry});
        let mut named = unnamed.clone();
        named["issuer"] = json!(keeper);
        for key in [&any, &own, &foreign] {
            for body in [&named, &unnamed] {
                let answer = post(&harness, "/credentials/status", key, body).await;
                assert_eq!(answer.refused(), (403, "forbidden"));
            }
        }
        let answer = post(&harness, "/credentials/status", &both, &named).await;
        assert_eq!(answer.status, 200);
    })
    .await;
}

#[tokio::test]
async fn one_identity_alone_is_meant_without_a_name() {
    for_each_database(&[], async |db| {
        let pem = key(Algorithm::EdDsa, 1);
        let text = format!(
            "enabled = true\n[[identity]]\ncryptosuites = ['eddsa-jcs-2022']\nkey = '''{pem}'''\n\
             [[identity]]\ncryptosuites = ['eddsa-rdfc-2022']\nkey = '''{pem}'''\n"
        );
        let harness = Harness::with(db, &text, "https://localhost");
        let any = harness.key(&[ISSUE]).await;
        let other = harness.key(&["vc:issue:did:example:other", VERIFY]).await;
        let body = json!({"credential": plain(&harness.issuers[0])});
        let answer = post(&harness, "/credentials/issue", &any, &body).await;
        assert_eq!(answer.status, 201, "two keys of one issuer are one name");
        let answer = post(&harness, "/credentials/issue", &other, &body).await;
        assert_eq!(answer.refused(), (403, "forbidden"));
    })
    .await;
}

async fn list(harness: &Harness, path: &str, headers: &[(header::HeaderName, &str)]) -> Response {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    harness.router.clone().oneshot(request).await.unwrap()
}

fn tag(response: &Response) -> String {
    response.headers()[header::ETAG]
        .to_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_status_list_is_signed_once_until_it_changes_or_grows_old() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let mut document = plain(&harness.issuers[2]);
        document["id"] = json!(REVOKED);
        let secured = harness.issue(&document).await;
        let url = secured["credentialStatus"]["statusListCredential"].as_str();
        let path = url.unwrap().strip_prefix("https://localhost").unwrap();
        let signed = || harness.api.parts().published.signed.load(Ordering::SeqCst);
        let all = (0..8).map(|_| list(&harness, path, &[]));
        let all = futures::future::join_all(all).await;
        assert_eq!(signed(), 1, "eight asked at once");
        let first = tag(&all[0]);
        assert!(all.iter().all(|one| tag(one) == first));

        // Who has it is told so, by any of its tags, and only for the same representation.
        for (known, status) in [
            (first.clone(), StatusCode::NOT_MODIFIED),
            (format!("W/{first}, \"x\""), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            ("\"x\"".to_owned(), StatusCode::OK),
            (first.replace('"', ""), StatusCode::OK),
        ] {
            let again = list(&harness, path, &[(header::IF_NONE_MATCH, &known)]).await;
            assert_eq!(again.status(), status, "{known}");
            assert_eq!(tag(&again), first);
            assert_eq!(again.headers()[header::CACHE_CONTROL], "public, max-age=60");
        }
        let json = [(header::IF_NONE_MATCH, &*first), (header::ACCEPT, "application/json")];
        assert_eq!(list(&harness, path, &json).await.status(), StatusCode::OK);
        assert_eq!(signed(), 1);

        // A change makes a new one.
        let revoke = json!({"credentialId": REVOKED,
            "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}});
        assert_eq!(harness.post("/credentials/status", &revoke).await.status, 200);
        let changed = list(&harness, path, &[(header::IF_NONE_MATCH, &first)]).await;
        assert_eq!((changed.status(), signed()), (StatusCode::OK, 2));
        assert_ne!(tag(&changed), first);

        // So does half of its time.
        harness.clock.set(NOW.plus(43_199));
        assert_eq!(tag(&list(&harness, path, &[]).await), tag(&changed));
        harness.clock.set(NOW.plus(43_200));
        assert_ne!(tag(&list(&harness, path, &[]).await), tag(&changed));
        assert_eq!(signed(), 3);
        let nobody = list(&harness, "/credentials/status/nobody", &[]).await;
        assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
        assert_eq!(signed(), 3);
    })
    .await;
}

#[tokio::test]
async fn names_that_no_proof_covers_are_warned_of() {
    for_each_database(&[], async |db| {
        let strict = Harness::new(db.clone(), "open = true");
        let lenient = Harness::new(db, "open = true\ninline_vocab = true");
        let pem = key(Algorithm::EdDsa, 21);
        let issuer = IssuerKey::read(&pem).unwrap();
        let options =
            ProofOptions::new(issuer.verification_method(), ProofPurpose::AssertionMethod);
        let suites = suites(true);
        let own = json!({"role": "https://e.example/#role"});
        for (contexts, suite, refused, warned) in [
            (vec![own.clone()], "eddsa-rdfc-2022", true, true),
            (vec![own], "eddsa-jcs-2022", false, false),
            (vec![], "eddsa-rdfc-2022", false, false),
        ] {
            let mut document = plain(&issuer.did());
            if !contexts.is_empty() {
                document["credentialSubject"]["role"] = json!("judge");
            }
            document["@context"]
                .as_array_mut()
                .unwrap()
                .extend(contexts);
            let suite = suites.get(suite).unwrap();
            let rng = SeededRng::new(3);
            let secured = add_proof(&document, &options, suite, issuer.signer(), &rng).await;
            let body = json!({"verifiableCredential": secured.unwrap()});
            let answer = strict.post("/credentials/verify", &body).await;
            assert_eq!(answer.status, if refused { 400 } else { 200 });
            assert_eq!(answer.body["warnings"], Value::Null);
            let answer = lenient.post("/credentials/verify", &body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let code = answer.body["warnings"][0]["code"].as_str();
            assert_eq!(code, warned.then_some("inline_context"), "{}", answer.body);
        }
    })
    .await;
}

/// `bbs-2023` over HTTP: a copy for one verifier is refused by the next.
#[tokio::test]
async fn cat_161_a_copy_for_another_presentation_header_is_refused() {
    for_each_database(&[], async |db| {
        let secret = IssuerKey::generate(KeyType::Bls12381, &SeededRng::new(9));
        let text = format!(
            "enabled = true\nopen = true\n[[identity]]\ncryptosuites = ['bbs-2023']\nkey = '''{}'''\n",
            *secret
        );
        let harness = Harness::with(db, &text, "https://localhost");
        let base = harness.issue(&plain(&harness.issuers[0])).await;
        let derive = async |header: Value| {
            let options = json!({"selectivePointers": ["/credentialSubject"], "presentationHeader": header});
            let body = json!({"verifiableCredential": base, "options": options});
            harness.post("/credentials/derive", &body).await
        };
        let header = json!(b64url(b"for you"));
        let shown = derive(header.clone()).await.body["verifiableCredential"].clone();
        let verify = async |options: Value| {
            let body = json!({"verifiableCredential": shown, "options": options});
            let answer = harness.post("/credentials/verify", &body).await;
            (answer.status, answer.refused().1.to_owned())
        };
        assert_eq!(verify(json!({})).await, (200, String::new()));
        let asked = json!({"presentationHeader": header});
        assert_eq!(verify(asked).await, (200, String::new()));
        for other in [b64url(b"for me"), String::new()] {
            let refused = verify(json!({"presentationHeader": other})).await;
            assert_eq!(refused, (400, "proof_presentation_header".to_owned()));
        }
        for malformed in [json!("a b"), json!(7), json!(b64url(&[0; 1025]))] {
            assert_eq!(derive(malformed.clone()).await.status, 400);
            let refused = verify(json!({"presentationHeader": malformed})).await;
            assert_eq!(refused.0, 400);
        }
    })
    .await;
}

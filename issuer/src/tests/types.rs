//! Credential types over REST, and what is published of a type.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use vouchsafe_credentials::crypto::{AwsLc, Signer};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt_vc::{
    HeldSdJwtVc, IssuancePolicy, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer,
    verify_issued,
};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::type_metadata::{
    FetchFailed, Integrity, Party, TypeMetadata, TypeMetadataFetch, check_claims, resolve,
};

use super::certificates::{Iaca, mdoc_key, with_keys};
use super::harness::{
    Answer, Harness, ISSUER, PRE_AUTHORIZED, everywhere, everywhere_with, with_config,
};

const VCT: &str = "https://issuer.example/types/library/1";
const SVG: &str =
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=";
const PNG: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// A library card.
pub(super) fn definition() -> Value {
    json!({
        "id": "library",
        "vct": VCT,
        "format": "dc+sd-jwt",
        "validity_days": 30,
        "status": true,
        "key_binding": true,
        "display": {
            "en": {"name": "Library card", "description": "Borrow books"},
            "de": {"name": "Bibliotheksausweis"},
        },
        "card": {
            "background_color": "#1d3557", "text_color": "#ffffff",
            "logo": SVG, "logo_alt": {"en": "An owl", "de": "Eine Eule"},
            "background_image": PNG,
        },
        "claim": [
            {"path": ["number"], "type": "string", "sd": "always", "required": true,
                "display": {"en": "Number", "de": "Nummer"}},
            {"path": ["branches"], "type": "array", "sd": "always",
                "display": {"en": "Branches", "de": "Zweigstellen"}},
            {"path": ["branches", "[]"], "type": "string", "sd": "always", "required": true,
                "display": {"en": "Branch", "de": "Zweigstelle"}},
        ],
    })
}

pub(super) async fn put(
    h: &Harness,
    id: &str,
    definition: &Value,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = Request::put(format!("/v1/credential-types/{id}"))
        .header("authorization", format!("Bearer {}", h.key))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    h.send(request.body(Body::from(definition.to_string())).unwrap())
        .await
}

async fn token(h: &Harness, offer: &Value) -> String {
    let code = h.code(offer).await;
    let form = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", &code),
    ];
    let answer = h.form("/token", &form).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn offer(h: &Harness, claims: Value) -> Value {
    h.offer(json!({"credential_type": "library", "claims": claims}))
        .await
}

async fn issue(h: &Harness, offer: &Value) -> Answer {
    let token = token(h, offer).await;
    let proof = h.proof(&h.holder(1), &h.nonce().await).await;
    let body = json!({"credential_configuration_id": "library", "proofs": {"jwt": [proof]}});
    let authorization = format!("Bearer {token}");
    h.credential_raw(&[("authorization", &authorization)], &body.to_string())
        .await
}

fn verify(h: &Harness, answer: &Answer) -> HeldSdJwtVc {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = answer.json();
    let compact = answer["credentials"][0]["credential"].as_str().unwrap();
    let did = did::key::encode(&h.issuer_key());
    let trust = IssuerTrust::new(vec![TrustedIssuer {
        id: did.clone(),
        method: IssuerMethod::Did(did),
        types: vec![VCT.into()],
        status: StatusMethod::SameIssuer,
    }])
    .unwrap();
    let key = h.holder(1);
    let policy = IssuancePolicy {
        trust: &trust,
        vct: VCT,
        holder_key: Some(key.public_key()),
        now: h.clock.now(),
    };
    verify_issued(compact, &policy, &AwsLc)
        .unwrap()
        .into_inner()
}

#[tokio::test]
async fn a_type_is_put_and_issued_without_a_restart() {
    everywhere(async |h| {
        let made = put(&h, "library", &definition(), &[]).await;
        assert_eq!(made.status, 201, "{}", made.text);
        assert_eq!(made.header("location"), "/v1/credential-types/library");
        assert_eq!(made.header("etag"), "\"1\"");
        assert_eq!(made.json()["source"], "api");
        let read = h.admin_get("/v1/credential-types/library").await;
        assert_eq!(read.json()["definition"], definition());
        let all = h.admin_get("/v1/credential-types").await.json();
        let all = all["items"].as_array().unwrap().iter();
        let seen: Vec<_> = all
            .map(|one| (one["id"].clone(), one["version"].clone()))
            .collect();
        let seen_as = |id: &str, version: i64| (json!(id), json!(version));
        let wanted = [
            seen_as("age", 0),
            seen_as("library", 1),
            seen_as("membership", 0),
        ];
        assert_eq!(seen, wanted);

        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        let offered = &metadata["credential_configurations_supported"]["library"];
        assert_eq!(offered["vct"], VCT);
        let issued = issue(&h, &offer(&h, json!({"number": "L-1"})).await).await;
        verify(&h, &issued);
        // Another process knows it too, and an offer of it is issued there.
        let other = h.another_process().await;
        let claims = json!({"number": "L-2", "branches": ["Umeå"]});
        let made_here = offer(&h, claims).await;
        verify(&other, &issue(&other, &made_here).await);
    })
    .await;
}

#[tokio::test]
async fn a_new_version_is_for_new_offers_and_old_ones_keep_theirs() {
    everywhere(async |h| {
        assert_eq!(put(&h, "library", &definition(), &[]).await.status, 201);
        let old = offer(&h, json!({"number": "L-1"})).await;
        let mut next = definition();
        next["vct"] = json!("https://issuer.example/types/library/2");
        next["claim"][0]["path"] = json!(["card_number"]);
        let put_next = async |headers: &[(&str, &str)]| {
            let answer = put(&h, "library", &next, headers).await;
            answer.error()
        };
        // Catalogue 395: nobody overwrites what they have not seen.
        assert_eq!(put_next(&[]).await, (428, "if_match_required".to_owned()));
        let stale = put_next(&[("if-match", "\"0\"")]).await;
        assert_eq!(stale, (412, "version_mismatch".to_owned()));
        assert_eq!(put_next(&[("if-match", "\"1\"")]).await.0, 200);
        assert_eq!(put_next(&[("if-match", "\"1\"")]).await.0, 412);

        let body = json!({
            "record_id": "crm-1", "credential_type": "library", "claims": {"number": "L-1"},
            "grant": "pre_authorized_code",
        });
        let refused = h.admin_post("/v1/offers", &body.to_string(), &[]).await;
        assert_eq!(refused.error(), (422, "invalid_claims".to_owned()));
        let held = verify(&h, &issue(&h, &old).await);
        assert_eq!(held.registered().vct, VCT);
        offer(&h, json!({"card_number": "L-2"})).await;
    })
    .await;
}

#[tokio::test]
async fn a_file_can_be_replaced_and_its_offers_stay() {
    everywhere(async |h| {
        let old = h.offer(json!({})).await;
        let read = h.admin_get("/v1/credential-types/membership").await;
        assert_eq!(read.json()["source"], "file");
        assert_eq!(read.header("etag"), "\"0\"");
        let mut changed = read.json()["definition"].clone();
        changed["validity_days"] = json!(7);
        let refused = put(&h, "membership", &changed, &[]).await;
        assert_eq!(refused.status, 428);
        let done = put(&h, "membership", &changed, &[("if-match", "\"0\"")]).await;
        assert_eq!(
            (done.status.as_u16(), &done.json()["version"]),
            (200, &json!(1))
        );
        let days = async |h: &Harness| {
            let seen = h.newest().await;
            let day = |name: &str| {
                let text = seen[name].as_str().unwrap().to_owned();
                text.parse::<jiff::Timestamp>().unwrap().as_second() / 3600
            };
            (day("expires_at") - day("issued_at")) / 24
        };
        h.issue(&h.holder(1)).await;
        assert_eq!(days(&h).await, 7);
        let token = token(&h, &old).await;
        h.issue_with(&token, &h.holder(2)).await;
        assert!(days(&h).await > 7);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_type_is_refused() {
    let iaca = Iaca::new("SE");
    with_config(
        &with_keys("", &mdoc_key(&iaca.signer(), &iaca)),
        async |h| {
            let change = |pointer: &str, value: Value| {
                let mut changed = definition();
                let (parent, name) = pointer.rsplit_once('/').unwrap();
                changed.pointer_mut(parent).unwrap()[name] = value;
                changed
            };
            let mut unbound = change("/key_binding", json!(false));
            unbound["mdoc"] =
                json!({"doctype": "a", "namespace": "b", "elements": {"c": ["number"]}});
            for bad in [
                change("/id", json!("other")),
                change("/vct", json!("library")),
                change("/vct", Value::Null),
                change("/validity_days", json!(0)),
                change("/display", json!({"de": {"name": "Ausweis"}})),
                change("/unknown", json!(1)),
                change("/card/logo", json!("https://club.example/logo.png")),
                change("/card/text_color", json!("white")),
                change("/card/logo_alt", json!({"en": "An owl"})),
                unbound,
            ] {
                let answer = put(&h, "library", &bad, &[]).await;
                assert_eq!(
                    answer.error(),
                    (422, "invalid_credential_type".to_owned()),
                    "{bad}"
                );
            }
            for (id, headers, status) in [
                ("library", vec![("if-match", "\"1\"")], 412),
                ("library", vec![("if-match", "1")], 400),
                ("other", vec![], 422),
            ] {
                let answer = put(&h, id, &definition(), &headers).await;
                assert_eq!(answer.status, status, "{id} {headers:?}");
            }
            assert_eq!(
                h.admin_get("/v1/credential-types/library").await.status,
                404
            );
            assert_eq!(
                h.admin_get("/v1/credential-types").await.json()["items"]
                    .as_array()
                    .unwrap()
                    .len(),
                2
            );
            let reader = h
                .issuer
                .create_api_key_for("reader", vec!["types:read".into()])
                .await;
            let reader = Harness {
                key: reader.unwrap(),
                ..h.clone()
            };
            let forbidden = put(&reader, "library", &definition(), &[]).await;
            assert_eq!(forbidden.error(), (403, "forbidden".to_owned()));
        },
    )
    .await;
}

/// Type metadata as a relying party fetches them.
struct Fetch<'h>(&'h Harness);

#[async_trait::async_trait]
impl TypeMetadataFetch for Fetch<'_> {
    async fn fetch(&self, vct: &str, _: Option<&Integrity>) -> Result<Vec<u8>, FetchFailed> {
        let answer = self.0.get(vct.strip_prefix(ISSUER).unwrap()).await;
        assert_eq!(answer.status, 200);
        Ok(answer.text.into_bytes())
    }
}

#[tokio::test]
async fn type_metadata_are_served_at_the_vct_and_named_by_their_hash() {
    everywhere_with(&super::harness::config_text(""), async |h| {
        assert_eq!(put(&h, "library", &definition(), &[]).await.status, 201);
        let claims = json!({"number": "L-1", "branches": ["Umeå", "Skellefteå"]});
        let issued = issue(&h, &offer(&h, claims).await).await;
        let held = verify(&h, &issued);
        let integrity = held.claims()["vct#integrity"].as_str().unwrap().to_owned();
        let integrity = Integrity::parse(&integrity).unwrap();
        let kind = resolve(VCT, Some(&integrity), &Fetch(&h)).await.unwrap();
        let name = |locale: &str| kind.display_for(locale).unwrap().name.to_string();
        assert_eq!(name("en"), "Library card");
        assert_eq!(name("de"), "Bibliotheksausweis");
        // What was issued is what the metadata say of the type.
        let paths: Vec<_> = held
            .disclosable()
            .iter()
            .map(|one| one.path.clone())
            .collect();
        assert_eq!(paths.len(), 4);
        let payload = Value::Object(held.claims().clone());
        check_claims(&kind, &payload, &paths, Party::Verifier).unwrap();

        // The pictures are ours, and each is the one that the document names.
        let document = h.get("/types/library/1").await;
        assert_eq!(document.header("content-type"), "application/json");
        let document = TypeMetadata::parse(document.text.as_bytes()).unwrap();
        let displays = document.display.unwrap();
        let simple = displays[0].simple.clone().unwrap();
        let (logo, alt) = simple.logo.unwrap();
        assert_eq!(alt.unwrap().to_string(), "Eine Eule");
        for (resource, kind) in [
            (logo, "image/svg+xml"),
            (simple.background_image.unwrap(), "image/png"),
        ] {
            let path = resource.uri.strip_prefix(ISSUER).unwrap();
            let request = Request::get(path).body(Body::empty()).unwrap();
            let answer = h.router.clone().oneshot(request).await.unwrap();
            let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(header("content-type"), kind);
            assert!(header("content-security-policy").contains("sandbox"));
            assert_eq!(header("x-content-type-options"), "nosniff");
            let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await;
            resource.integrity.unwrap().check(&bytes.unwrap()).unwrap();
        }
        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        let card = &metadata["credential_configurations_supported"]["library"];
        let display = &card["credential_metadata"]["display"][1];
        assert_eq!(display["background_color"], "#1d3557");
        assert_eq!(display["logo"]["alt_text"], "An owl");
        for uri in [&display["logo"]["uri"], &display["background_image"]["uri"]] {
            assert!(
                uri.as_str()
                    .unwrap()
                    .starts_with("https://issuer.example/pictures/")
            );
        }
        for path in [
            "/types/library/2",
            "/types/",
            "/types/library",
            "/pictures/x.png",
        ] {
            assert_eq!(h.get(path).await.status, 404, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_was_published_under_a_vct_is_not_said_in_other_words() {
    with_config(&super::harness::config_text(""), async |h| {
        assert_eq!(put(&h, "library", &definition(), &[]).await.status, 201);
        let before = h.get("/types/library/1").await.text;
        let mut changed = definition();
        changed["display"]["en"]["name"] = json!("Reader's card");
        let tag = [("if-match", "\"1\"")];
        let refused = put(&h, "library", &changed, &tag).await;
        assert_eq!(refused.error(), (409, "type_metadata_published".to_owned()));
        let mut other = definition();
        other["id"] = json!("reader");
        other["display"]["en"]["name"] = json!("Reader's card");
        let refused = put(&h, "reader", &other, &[]).await;
        assert_eq!(refused.error(), (409, "type_metadata_published".to_owned()));
        // What the document does not say may change, and a new `vct` may say anything.
        let mut longer = definition();
        longer["validity_days"] = json!(60);
        assert_eq!(put(&h, "library", &longer, &tag).await.status, 200);
        changed["vct"] = json!("https://issuer.example/types/library/2");
        let tag = [("if-match", "\"2\"")];
        assert_eq!(put(&h, "library", &changed, &tag).await.status, 200);
        assert_eq!(h.get("/types/library/1").await.text, before);
        assert_eq!(h.get("/types/library/2").await.status, 200);
    })
    .await;
}

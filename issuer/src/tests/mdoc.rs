use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use vouchsafe_credentials::cbor::Value as Cbor;
use vouchsafe_credentials::crypto::{AwsLc, Signer, SigningKey};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::mdoc::{HeldMdoc, IssuancePolicy, IssuerSigned, verify_issued};
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer};
use vouchsafe_credentials::status_list::{
    Status, StatusCheck, VerifiedStatusList, verify_status_list_cwt,
};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::x509::Role;

use super::certificates::{Iaca, mdoc_key, with_keys};
use super::harness::{Answer, Harness, ISSUER, PRE_AUTHORIZED, everywhere_with, with_config};
use crate::Config;

const AGE: &str = "eu.europa.ec.av.1";

fn trust(iaca: &Iaca) -> IssuerTrust {
    IssuerTrust::new(vec![TrustedIssuer {
        id: ISSUER.into(),
        method: IssuerMethod::Iaca {
            anchors: iaca.anchors(Role::MdocIssuer),
        },
        types: vec![AGE.into()],
        status: StatusMethod::SameIssuer,
    }])
    .unwrap()
}

/// An offer of a proof of age, redeemed: the access token.
async fn token(h: &Harness) -> String {
    let claims = json!({"age_equal_or_over": {"18": true, "21": false}});
    let change = json!({"credential_type": "age", "claims": claims});
    let code = h.code(&h.offer(change).await).await;
    let form = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", &code),
    ];
    let answer = h.form("/token", &form).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn request(h: &Harness, token: &str, configuration: &str, keys: &[SigningKey]) -> Answer {
    let nonce = h.nonce().await;
    let mut proofs = Vec::new();
    for key in keys {
        proofs.push(h.proof(key, &nonce).await);
    }
    let body = json!({
        "credential_configuration_id": configuration,
        "proofs": { "jwt": proofs },
    });
    let authorization = format!("Bearer {token}");
    h.credential_raw(&[("authorization", &authorization)], &body.to_string())
        .await
}

fn credentials(answer: &Answer) -> Vec<Vec<u8>> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = answer.json();
    let all = answer["credentials"].as_array().unwrap().iter();
    all.map(|one| b64url_decode(one["credential"].as_str().unwrap()).unwrap())
        .collect()
}

fn verify(h: &Harness, iaca: &Iaca, issued: &[u8], key: &SigningKey) -> HeldMdoc {
    let policy = IssuancePolicy {
        trust: &trust(iaca),
        doctype: AGE,
        device_key: key.public_key(),
        now: h.clock.now(),
    };
    verify_issued(issued, &policy, &AwsLc).unwrap().into_inner()
}

/// The list of a document, asked for as CWT and verified as its relying party does.
async fn list(h: &Harness, iaca: &Iaca, held: &HeldMdoc) -> VerifiedStatusList {
    let reference = held.status().unwrap().status_list.clone().unwrap();
    let path = reference.uri.strip_prefix(ISSUER).unwrap();
    let (media_type, bytes) = fetch(h, path, "application/statuslist+cwt").await;
    assert_eq!(media_type, "application/statuslist+cwt");
    let check = StatusCheck {
        uri: &reference.uri,
        issuer: held.issuer(),
        trust: &trust(iaca),
        newest_seen: None,
        min_refresh_s: 1,
        now: h.clock.now(),
    };
    verify_status_list_cwt(&bytes, &check, &AwsLc).unwrap()
}

async fn fetch(h: &Harness, path: &str, accept: &str) -> (String, Vec<u8>) {
    let request = Request::get(path).header("accept", accept);
    let request = request.body(Body::empty()).unwrap();
    let response = h.router.clone().oneshot(request).await.unwrap();
    let media_type = response.headers().get("content-type");
    let media_type = media_type.map_or("", |value| value.to_str().unwrap());
    let media_type = media_type.to_owned();
    let bytes = axum::body::to_bytes(response.into_body(), 4 << 20).await;
    (media_type, bytes.unwrap().to_vec())
}

fn status(list: &VerifiedStatusList, held: &HeldMdoc, h: &Harness) -> Status {
    let reference = held.status().unwrap().status_list.clone().unwrap();
    list.status(&reference, h.clock.now()).unwrap()
}

#[tokio::test]
async fn one_offer_brings_the_type_as_mdoc_and_as_sd_jwt_vc() {
    let iaca = Iaca::new("SE");
    let text = with_keys("", &mdoc_key(&iaca.signer(), &iaca));
    everywhere_with(&text, async |h| {
        let keys = [h.holder(1), h.holder(2)];
        let token = token(&h).await;
        let sd_jwt = request(&h, &token, "age", &keys[..1]).await;
        assert_eq!(sd_jwt.status, 200, "{}", sd_jwt.text);
        let issued = credentials(&request(&h, &token, "age.mso_mdoc", &keys).await);
        assert_eq!(issued.len(), 2);
        for (issued, key) in issued.iter().zip(&keys) {
            let held = verify(&h, &iaca, issued, key);
            let get = |name| held.elements().get(AGE, name);
            assert_eq!(get("age_over_18"), Some(&Cbor::Bool(true)));
            assert_eq!(get("age_over_21"), Some(&Cbor::Bool(false)));
            assert_eq!(get("age_over_65"), None);
            // Nothing tells the documents of one hour apart.
            assert_eq!(held.validity().signed.0 % 3600, 0);
            assert_eq!(held.validity().valid_until.0 % 3600, 0);
            let parsed = IssuerSigned::parse(issued).unwrap();
            let auth = parsed.issuer_auth().unwrap();
            assert!(auth.x5chain_unprotected().unwrap().is_some());
        }
        // A document for the same key does not take the place of the SD-JWT VC.
        let items = h.admin_get("/v1/credentials").await.json()["items"].clone();
        let seen = |item: &Value| {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            (text("format"), text("status"))
        };
        let seen: Vec<_> = items.as_array().unwrap().iter().map(seen).collect();
        let valid = |format: &str| (format.to_owned(), "valid".to_owned());
        let mdoc = valid("mso_mdoc");
        assert_eq!(seen, [mdoc.clone(), mdoc, valid("dc+sd-jwt")]);
    })
    .await;
}

#[tokio::test]
async fn the_status_of_a_document_is_in_a_list_as_cwt() {
    let iaca = Iaca::new("SE");
    let text = with_keys("", &mdoc_key(&iaca.signer(), &iaca));
    everywhere_with(&text, async |h| {
        let key = [h.holder(1)];
        let issued = request(&h, &token(&h).await, "age.mso_mdoc", &key).await;
        let held = verify(&h, &iaca, &credentials(&issued)[0], &key[0]);
        let before = list(&h, &iaca, &held).await;
        assert_eq!(status(&before, &held, &h), Status::Valid);
        let id = h.newest().await["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/credentials/{id}/revoke");
        assert_eq!(h.admin_post(&path, "", &[]).await.status, 200);
        let after = list(&h, &iaca, &held).await;
        assert_eq!(status(&after, &held, &h), Status::Invalid);

        // One list, two forms, each with a tag of its own, signed once for a version.
        let reference = held.status().unwrap().status_list.clone().unwrap();
        let path = reference.uri.strip_prefix(ISSUER).unwrap();
        let cwt = "application/statuslist+cwt";
        assert_eq!(fetch(&h, path, cwt).await, fetch(&h, path, cwt).await);
        let jwt = "application/statuslist+jwt";
        for (accept, wanted) in [
            ("*/*", jwt),
            ("application/json", jwt),
            (jwt, jwt),
            (
                "application/statuslist+jwt, application/statuslist+cwt",
                jwt,
            ),
            (
                "application/statuslist+jwt;q=0.5, application/statuslist+cwt",
                cwt,
            ),
            ("application/statuslist+cwt;q=0, */*", jwt),
            ("application/statuslist+cwt;q=0.001", cwt),
            ("APPLICATION/StatusList+CWT", cwt),
        ] {
            assert_eq!(fetch(&h, path, accept).await.0, wanted, "{accept}");
        }
        let tag = h.get(path).await.header("etag").to_owned();
        let request = Request::get(path).header("accept", cwt);
        let request = request.header("if-none-match", tag);
        let request = request.body(Body::empty()).unwrap();
        let response = h.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "the tag is of the other form");
        assert_eq!(response.headers()["vary"], "Accept");
    })
    .await;
}

#[tokio::test]
async fn metadata_say_what_a_document_is() {
    let iaca = Iaca::new("SE");
    let text = with_keys("", &mdoc_key(&iaca.signer(), &iaca));
    with_config(&text, async |h| {
        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        let all = &metadata["credential_configurations_supported"];
        let names: Vec<&String> = all.as_object().unwrap().keys().collect();
        assert_eq!(names, ["age", "age.mso_mdoc", "membership"]);
        let mdoc = &all["age.mso_mdoc"];
        assert_eq!(mdoc["format"], "mso_mdoc");
        assert_eq!(mdoc["scope"], "age.mso_mdoc");
        assert_eq!(mdoc["doctype"], AGE);
        // OpenID4VCI 1.0, appendix A.2.2: ES256 is -7 in COSE.
        assert_eq!(mdoc["credential_signing_alg_values_supported"], json!([-7]));
        let methods = &mdoc["cryptographic_binding_methods_supported"];
        assert_eq!(methods, &json!(["cose_key"]));
        assert_eq!(mdoc.get("vct"), None);
        let claims = mdoc["credential_metadata"]["claims"].as_array().unwrap();
        let path = |claim: &Value| claim["path"].clone();
        assert!(
            claims
                .iter()
                .any(|one| path(one) == json!([AGE, "age_over_18"]))
        );
        let server = h
            .get("/.well-known/oauth-authorization-server")
            .await
            .json();
        assert_eq!(server["scopes_supported"], json!(names));
        let offer = h.offer(json!({
            "credential_type": "age", "claims": {"age_equal_or_over": {"18": true}},
        }));
        let object = h.offer_object(&offer.await).await;
        let ids = &object["credential_configuration_ids"];
        assert_eq!(ids, &json!(["age", "age.mso_mdoc"]));
    })
    .await;
}

#[tokio::test]
async fn cat_247_a_token_is_for_one_type_in_its_own_formats() {
    let iaca = Iaca::new("SE");
    let text = with_keys("", &mdoc_key(&iaca.signer(), &iaca));
    with_config(&text, async |h| {
        let key = [h.holder(1)];
        let token = token(&h).await;
        for (configuration, status, code) in [
            ("membership", 403, "insufficient_scope"),
            (
                "membership.mso_mdoc",
                400,
                "unknown_credential_configuration",
            ),
            ("age.ldp_vc", 400, "unknown_credential_configuration"),
            ("age.dc+sd-jwt", 400, "unknown_credential_configuration"),
            ("age.", 400, "unknown_credential_configuration"),
        ] {
            let answer = request(&h, &token, configuration, &key).await;
            assert_eq!(answer.error(), (status, code.to_owned()), "{configuration}");
        }
    })
    .await;
    // Without a key for documents there is neither a configuration nor a CWT.
    with_config(&with_keys("", ""), async |h| {
        let key = [h.holder(1)];
        let token = token(&h).await;
        let answer = request(&h, &token, "age.mso_mdoc", &key).await;
        let unknown = "unknown_credential_configuration";
        assert_eq!(answer.error(), (400, unknown.to_owned()));
        assert_eq!(request(&h, &token, "age", &key).await.status, 200);
        let uri = h.newest().await["status_list"]["uri"].clone();
        let path = uri.as_str().unwrap().strip_prefix(ISSUER).unwrap();
        let request = Request::get(path).header("accept", "application/statuslist+cwt");
        let answer = h.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.error(), (406, "not_acceptable".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn claims_that_cannot_be_elements_are_refused_with_the_offer() {
    let iaca = Iaca::new("SE");
    let pid = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../specs/credential-types/pid.toml"
    );
    let extra = format!("credential_types = ['{pid}']");
    let text = with_keys(&extra, &mdoc_key(&iaca.signer(), &iaca));
    with_config(&text, async |h| {
        let body = json!({
            "record_id": "crm-1", "credential_type": "pid", "grant": "pre_authorized_code",
            "claims": {
                "family_name": "Ödman", "given_name": "Åsa", "birthdate": "1990-02-28",
                "nationalities": ["SE"], "issuing_country": "Sweden",
                "issuing_authority": "Authority", "place_of_birth": {"country": "SE"},
            },
        });
        let answer = h.admin_post("/v1/offers", &body.to_string(), &[]).await;
        assert_eq!(answer.error(), (422, "invalid_claims".to_owned()));
        assert_eq!(
            answer.json()["errors"][0]["pointer"],
            "/claims/issuing_country"
        );
    })
    .await;
}

#[test]
fn what_is_no_document_signer_is_refused_at_the_start() {
    let (iaca, other) = (Iaca::new("SE"), Iaca::new("SE"));
    let signers = |text: &str| {
        let config: Config = vouchsafe_service::config::parse(text).unwrap();
        let signers = config.signers(super::harness::NOW);
        signers.map(drop).map_err(|error| error.to_string())
    };
    let good = iaca.signer();
    assert_eq!(signers(&with_keys("", &mdoc_key(&good, &iaca))), Ok(()));
    let usage = iaca.signer_with(|params| params.extended_key_usages.clear());
    let country = iaca.signer_with(|params| {
        let name = &mut params.distinguished_name;
        name.push(rcgen::DnType::CountryName, "NO");
    });
    let expired = iaca.signer_with(|params| params.not_after = rcgen::date_time_ymd(2026, 1, 1));
    let by_other = mdoc_key(&good, &other);
    let by_did = mdoc_key(&good, &iaca).replace("\"x5c\"", "\"did_key\"");
    let whole = mdoc_key(&good, &iaca);
    let (without, _) = whole.split_once("authority =").unwrap();
    let without = format!("{without}authority_file = '/none'\n");
    for (keys, problem) in [
        (mdoc_key(&usage, &iaca), "certificate is for another use"),
        (mdoc_key(&country, &iaca), "certificate chain breaks a rule"),
        (mdoc_key(&expired, &iaca), "no key is in use now"),
        (by_other, "breaks a rule"),
        (by_did, "mso_mdoc needs a key with certificates"),
        (without, "the file of `authority` cannot be read"),
    ] {
        let error = signers(&with_keys("", &keys)).unwrap_err();
        assert!(error.contains(problem), "{problem}: {error}");
    }
    let unknown = mdoc_key(&good, &iaca).replace("\"mso_mdoc\"", "\"mdoc\"");
    assert!(signers(&with_keys("", &unknown)).is_err());
}

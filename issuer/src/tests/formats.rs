//! Every type of the distribution in every format: issued through the router, and verified as its
//! relying party does.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use vouchsafe_credentials::bitstring_status_list::{FetchedList, RetrievalError, StatusListSource};
use vouchsafe_credentials::credential_type::{CredentialType, Format};
use vouchsafe_credentials::crypto::{AwsLc, Signer, SigningKey};
use vouchsafe_credentials::data_integrity;
use vouchsafe_credentials::did::{self, LocalResolver};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::sd_jwt_vc::{
    self, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer,
};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vc_jose_cose::{self, KeySource};
use vouchsafe_credentials::vcdm::{
    Credential, EnvelopeType, Enveloped, Issuers, Policy, StatusLists, StatusPolicy, VerifyError,
};
use vouchsafe_credentials::x509::Role;
use vouchsafe_credentials::{Verified, mdoc};
use vouchsafe_service::vc_api::suites;

use super::certificates::{Iaca, did_key, mdoc_key, with_keys};
use super::harness::{Answer, Harness, ISSUER, PRE_AUTHORIZED, membership, with_config};
use crate::Config;

const TYPES: [&str; 4] = ["age", "membership", "mdl", "pid"];

fn types() -> String {
    let path = |name: &str| {
        let root = env!("CARGO_MANIFEST_DIR");
        format!("'{root}/../specs/credential-types/{name}.toml'")
    };
    let paths: Vec<String> = TYPES.iter().map(|name| path(name)).collect();
    format!("credential_types = [{}]", paths.join(", "))
}

fn configuration(iaca: &Iaca, suite: &str) -> String {
    let w3c = format!("formats = ['ldp_vc', 'jwt_vc_json']\n{suite}");
    let keys = [mdoc_key(&iaca.signer(), iaca), did_key(5, &w3c)].concat();
    with_keys(&types(), &keys)
}

fn claims(kind: &str) -> Value {
    let portrait = b64url(&[0xff, 0xd8, 0xff, 0xe0, 0, 16]);
    match kind {
        "age" => json!({"age_equal_or_over": {"18": true, "21": false}}),
        "membership" => membership("M-1"),
        "mdl" => json!({
            "family_name": "Ödman", "given_name": "Åsa", "birth_date": "1990-02-28",
            "issue_date": "2020-05-01", "expiry_date": "2035-05-01", "issuing_country": "SE",
            "issuing_authority": "Authority", "document_number": "D-1", "portrait": portrait,
            "driving_privileges": [{"vehicle_category_code": "B", "issue_date": "2010-05-01"}],
            "un_distinguishing_sign": "S", "height": 171, "age_over_18": true,
        }),
        _ => json!({
            "family_name": "Ödman", "given_name": "Åsa", "birthdate": "1990-02-28",
            "nationalities": ["SE"], "issuing_country": "SE", "issuing_authority": "Authority",
            "place_of_birth": {"country": "SE", "locality": "Umeå"},
            "address": {"locality": "Umeå"}, "sex": 2,
        }),
    }
}

async fn request(h: &Harness, kind: &str, configuration: &str, key: &SigningKey) -> Answer {
    let offer = h.offer(json!({"credential_type": kind, "claims": claims(kind)}));
    let code = h.code(&offer.await).await;
    let form = [
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", &code),
    ];
    let token = h.form("/token", &form).await.json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    let body = json!({
        "credential_configuration_id": configuration,
        "proofs": { "jwt": [h.proof(key, &h.nonce().await).await] },
    });
    let authorization = format!("Bearer {token}");
    h.credential_raw(&[("authorization", &authorization)], &body.to_string())
        .await
}

/// Lists as a relying party fetches them.
struct Published(axum::Router);

#[async_trait::async_trait]
impl StatusListSource for Published {
    async fn fetch(&self, url: &str) -> Result<FetchedList, RetrievalError> {
        let path = url.strip_prefix(ISSUER).unwrap();
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = self.0.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let media_type = response.headers()["content-type"].to_str().unwrap();
        let media_type = media_type.to_owned();
        let body = axum::body::to_bytes(response.into_body(), 4 << 20).await;
        let body = body.unwrap().to_vec();
        Ok(FetchedList { media_type, body })
    }
}

fn w3c_issuer(h: &Harness) -> String {
    let signing = &h.issuer.core().signing;
    let key = signing.w3c().at(h.clock.now()).unwrap();
    key.iss.clone().unwrap()
}

/// With status, and nobody but our issuer believed.
async fn verify_w3c(h: &Harness, secured: &Value) -> Result<Verified<Credential>, VerifyError> {
    let source = Published(h.router.clone());
    let issuers = [w3c_issuer(h)];
    let status = StatusPolicy::Required(StatusLists::new(&source));
    let policy = Policy::new(Issuers::Only(&issuers), h.clock.now(), status);
    let (suites, resolver) = (suites(false), LocalResolver);
    match secured {
        Value::String(jwt) => {
            let envelope = Enveloped::new(EnvelopeType::VcJwt, jwt.as_str());
            let keys = KeySource::Resolver(&resolver);
            vc_jose_cose::verify_credential(&envelope, keys, &suites, &policy, &AwsLc).await
        }
        object => {
            data_integrity::verify_credential(object, &suites, &policy, &resolver, &AwsLc).await
        }
    }
}

fn trust(h: &Harness, iaca: &Iaca, kind: &CredentialType) -> IssuerTrust {
    let did = did::key::encode(&h.issuer_key());
    let anchors = iaca.anchors(Role::MdocIssuer);
    let doctype = kind.mdoc().map(|mdoc| mdoc.doctype.clone());
    let issuer = |id: &str, method, types| TrustedIssuer {
        id: id.to_owned(),
        method,
        types,
        status: StatusMethod::SameIssuer,
    };
    IssuerTrust::new(vec![
        issuer(&did, IssuerMethod::Did(did.clone()), vec![kind.vct.clone()]),
        issuer(
            ISSUER,
            IssuerMethod::Iaca { anchors },
            doctype.into_iter().collect(),
        ),
    ])
    .unwrap()
}

async fn check(h: &Harness, iaca: &Iaca, kind: &CredentialType, format: Format, issued: &Value) {
    let key = h.holder(1);
    let prepared = claims(&kind.id).as_object().unwrap().clone();
    let prepared = kind.prepare(prepared).unwrap();
    let trust = trust(h, iaca, kind);
    let now = h.clock.now();
    match format {
        Format::SdJwtVc => {
            let policy = sd_jwt_vc::IssuancePolicy {
                trust: &trust,
                vct: &kind.vct,
                holder_key: Some(key.public_key()),
                now,
            };
            let held = sd_jwt_vc::verify_issued(issued.as_str().unwrap(), &policy, &AwsLc);
            assert!(held.is_ok(), "{}: {held:?}", kind.id);
        }
        Format::Mdoc => {
            let of_type = kind.mdoc().unwrap();
            let policy = mdoc::IssuancePolicy {
                trust: &trust,
                doctype: &of_type.doctype,
                device_key: key.public_key(),
                now,
            };
            let issued = b64url_decode(issued.as_str().unwrap()).unwrap();
            let held = mdoc::verify_issued(&issued, &policy, &AwsLc).unwrap();
            assert_eq!(held.get().elements(), &of_type.elements(&prepared));
        }
        Format::LdpVc | Format::JwtVc => {
            assert_eq!(issued.is_object(), format == Format::LdpVc);
            let verified = verify_w3c(h, issued).await.unwrap();
            let credential = verified.get();
            let own = kind.w3c().unwrap().types.iter();
            assert!(own.clone().all(|name| credential.types().contains(name)));
            let subject = credential.subjects().next().unwrap();
            assert_eq!(subject["id"], did::key::encode(key.public_key()));
            for (name, value) in prepared.claims {
                assert_eq!(subject[&name], value, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn every_type_in_every_format() {
    let iaca = Iaca::new("SE");
    for suite in ["", "cryptosuite = 'eddsa-jcs-2022'"] {
        with_config(&configuration(&iaca, suite), async |h| {
            let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
            let offered = &metadata["credential_configurations_supported"];
            let mut checked = 0;
            for id in TYPES {
                let kind = h.issuer.core().credential_type(id).unwrap();
                for format in kind.formats() {
                    let configuration = kind.configuration_id(format);
                    assert_eq!(offered[&configuration]["format"], format.name());
                    let answer = request(&h, id, &configuration, &h.holder(1)).await;
                    assert_eq!(answer.status, 200, "{configuration}: {}", answer.text);
                    let issued = &answer.json()["credentials"][0]["credential"];
                    check(&h, &iaca, &kind, format, issued).await;
                    checked += 1;
                }
            }
            assert_eq!(checked, 13);
            assert_eq!(offered.as_object().unwrap().len(), checked);
        })
        .await;
    }
}

#[tokio::test]
async fn metadata_of_w3c_formats() {
    let iaca = Iaca::new("SE");
    with_config(&configuration(&iaca, ""), async |h| {
        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        let offered = &metadata["credential_configurations_supported"];
        let (ldp, jwt) = (&offered["age.ldp_vc"], &offered["age.jwt_vc_json"]);
        let types = json!(["VerifiableCredential", "ProofOfAge"]);
        assert_eq!(ldp["credential_definition"]["type"], types);
        let contexts = &ldp["credential_definition"]["@context"];
        assert_eq!(contexts[0], "https://www.w3.org/ns/credentials/v2");
        assert_eq!(jwt["credential_definition"], json!({ "type": types }));
        let algorithms = |one: &Value| one["credential_signing_alg_values_supported"].clone();
        assert_eq!(algorithms(ldp), json!(["eddsa-rdfc-2022"]));
        assert_eq!(algorithms(jwt), json!(["EdDSA"]));
        let methods = &ldp["cryptographic_binding_methods_supported"];
        assert_eq!(methods, &json!(["did:key"]));
        let path = &ldp["credential_metadata"]["claims"][0]["path"];
        assert_eq!(
            path,
            &json!(["credentialSubject", "age_equal_or_over", "12"])
        );
    })
    .await;
}

#[tokio::test]
async fn a_w3c_credential_is_suspended_and_revoked_in_its_own_lists() {
    let iaca = Iaca::new("SE");
    with_config(&configuration(&iaca, ""), async |h| {
        for (number, configuration) in ["age.ldp_vc", "age.jwt_vc_json"].into_iter().enumerate() {
            let answer = request(&h, "age", configuration, &h.holder(number as u64)).await;
            let issued = answer.json()["credentials"][0]["credential"].clone();
            verify_w3c(&h, &issued).await.unwrap();
            for (verb, code) in [
                ("suspend", Some("status_suspended")),
                ("resume", None),
                ("revoke", Some("status_revoked")),
            ] {
                let seen = h.newest().await;
                let tag = format!("\"{}\"", seen["version"]);
                let path = format!("/v1/credentials/{}/{verb}", seen["id"].as_str().unwrap());
                let changed = h.admin_post(&path, "", &[("if-match", &tag)]).await;
                assert_eq!(changed.status, 200, "{}", changed.text);
                let refused = verify_w3c(&h, &issued).await.err();
                assert_eq!(refused.as_ref().map(VerifyError::code), code, "{verb}");
            }
        }
        // One list is signed once, and what is no list is not found.
        let list = h.newest().await["status_list"]["uri"].clone();
        let path = list.as_str().unwrap().strip_prefix(ISSUER).unwrap();
        let revocation = format!("{path}/revocation");
        let (one, other) = (h.get(&revocation).await, h.get(&revocation).await);
        assert_eq!(one.text, other.text);
        let tag = one.header("etag").to_owned();
        let again = Request::get(&revocation).header("if-none-match", tag);
        assert_eq!(h.send(again.body(Body::empty()).unwrap()).await.status, 304);
        for path in [
            format!("{path}/message"),
            format!("{path}/revocation/"),
            "/status/01a3185c-5000-7009-b33a-f43fb302351a/revocation".to_owned(),
            "/status/x/revocation".to_owned(),
        ] {
            assert_eq!(h.get(&path).await.status, 404, "{path}");
        }
    })
    .await;
}

#[test]
fn keys_of_w3c_formats_are_checked_at_the_start() {
    let signers = |text: &str| {
        let config: Config = vouchsafe_service::config::parse(text).unwrap();
        let signers = config.signers(super::harness::NOW);
        signers.map(drop).map_err(|error| error.to_string())
    };
    let both = "formats = ['ldp_vc', 'jwt_vc_json']";
    assert_eq!(signers(&with_keys("", &did_key(5, both))), Ok(()));
    let certified = Iaca::new("SE").signer();
    let (key, chain) = (certified.key, certified.certificate);
    let by_certificate = format!(
        "[[signing]]\nformats = ['ldp_vc']\nmethod = 'x5c'\nkey = '''{key}'''\n\
         certificates = '''{chain}'''\n"
    );
    let of_two = [
        did_key(5, "formats = ['ldp_vc']"),
        did_key(6, "formats = ['jwt_vc_json']"),
    ];
    let after = [did_key(5, both), did_key(6, both)];
    let suite = "formats = ['ldp_vc']\ncryptosuite = 'ecdsa-rdfc-2019'";
    for (keys, problem) in [
        (by_certificate, "need a key with a DID"),
        (of_two.concat(), "in the name of one DID"),
        (after.concat(), "keys that follow each other"),
        (did_key(5, suite), "another type than the cryptosuite"),
        (did_key(5, "formats = ['vc+jwt']"), "formats are"),
    ] {
        let error = signers(&with_keys("", &keys)).unwrap_err();
        assert!(error.contains(problem), "{problem}: {error}");
    }
}

#[test]
fn a_context_that_is_not_part_of_the_program_is_refused_at_the_start() {
    let file = tempfile(
        "contexts = [\"https://www.w3.org/ns/credentials/undefined-terms/v2\"]",
        "contexts = [\"https://example.org/none\"]",
    );
    let extra = format!("credential_types = ['{}']", file.display());
    let text = with_keys(&extra, &did_key(5, "formats = ['ldp_vc']"));
    let config: Config = vouchsafe_service::config::parse(&text).unwrap();
    let error = config.issued(super::harness::NOW).unwrap_err().to_string();
    assert!(error.ends_with("`age` has a context that is not known: https://example.org/none"));
    std::fs::remove_file(file).unwrap();
}

/// The type of proofs of age with a change, as a file.
fn tempfile(from: &str, to: &str) -> std::path::PathBuf {
    let text = include_str!("../../../specs/credential-types/age.toml");
    assert!(text.contains(from));
    let name = format!("vouchsafe-type-{}.toml", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text.replace(from, to)).unwrap();
    path
}

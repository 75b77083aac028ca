//! Ids, status and who may ask; what an envelope is not bound to.

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Signer as _, SigningKey};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::vc_jose_cose::issue_jwt;
use vouchsafe_credentials::vcdm::{EnvelopeType, Enveloped};

use super::{Harness, key};
use crate::config::parse;
use crate::db::testing::for_each_database;
use crate::vc_api::config::IdentityConfig;
use crate::vc_api::identity::Identity;
use crate::vc_api::{IssuerKey, suites};

const STATUS: &str = "/credentials/status";

/// A credential without anything that a context does not define.
fn plain(issuer: &str, id: Option<&str>) -> Value {
    let mut credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": {"id": "did:example:subject"}
    });
    if let Some(id) = id {
        credential["id"] = json!(id);
    }
    credential
}

fn revocation(id: &str, issuer: Option<&str>) -> Value {
    let entry = json!({"type": "BitstringStatusListEntry", "statusPurpose": "revocation"});
    let mut body = json!({"credentialId": id, "credentialStatus": entry});
    if let Some(issuer) = issuer {
        body["issuer"] = json!(issuer);
    }
    body
}

async fn issue(harness: &Harness, credential: Value) -> (u16, String, Value) {
    let body = json!({"credential": credential});
    let answer = harness.post("/credentials/issue", &body).await;
    let code = answer.refused().1.to_owned();
    let secured = answer.body["verifiableCredential"].clone();
    (answer.status, code, secured)
}

#[tokio::test]
async fn what_has_a_status_can_be_revoked() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let issuer = &harness.issuers[2];
        let long = format!("urn:x:{}", "a".repeat(2048));
        let (status, code, _) = issue(&harness, plain(issuer, Some(&long))).await;
        assert_eq!((status, code.as_str()), (400, "credential_id"));
        for given in [long, String::new()] {
            let options = json!({"credentialId": given});
            let body = json!({"credential": plain(issuer, None), "options": options});
            let answer = harness.post("/credentials/issue", &body).await;
            assert_eq!(answer.refused(), (400, "credential_id"));
        }
        // Without a name it gets one.
        let (status, _, secured) = issue(&harness, plain(issuer, None)).await;
        assert_eq!(status, 201);
        let id = secured["id"].as_str().unwrap();
        assert!(id.starts_with("urn:uuid:"), "{id}");
        let answer = harness.post(STATUS, &revocation(id, None)).await;
        assert_eq!(answer.status, 200);
    })
    .await;
}

#[tokio::test]
async fn a_failure_takes_no_id() {
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        let good = plain(&harness.issuers[2], Some("urn:x:1"));
        let mut bad = good.clone();
        bad["credentialSubject"]["undefined-term"] = json!("x");
        let (status, _, _) = issue(&harness, bad).await;
        assert_eq!(status, 400);
        assert_eq!(issue(&harness, good.clone()).await.0, 201);
        assert_eq!(issue(&harness, good).await.1, "duplicate_credential_id");
    })
    .await;
}

#[tokio::test]
async fn an_issuer_revokes_its_own_and_finally() {
    let fourth = key(Algorithm::EdDsa, 4);
    let more = format!(
        "open = true\n[[identity]]\ncryptosuites = ['eddsa-jcs-2022']\nkey = '''{fourth}'''\nstatus = true\n"
    );
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, &more);
        let (other, own) = (&harness.issuers[0], &harness.issuers[3]);
        for issuer in [own, other] {
            // The same id of another issuer is another credential.
            let (status, code, _) = issue(&harness, plain(issuer, Some("urn:x:1"))).await;
            assert_eq!(status, 201, "{code}");
        }
        issue(&harness, plain(own, Some("urn:x:2"))).await;
        let send = async |id: &str, issuer: Option<&str>| {
            let answer = harness.post(STATUS, &revocation(id, issuer)).await;
            (answer.status, answer.refused().1.to_owned())
        };
        let unnamed = send("urn:x:2", None).await;
        assert_eq!(unnamed, (400, "issuer_missing".into()));
        let without = send("urn:x:2", Some(&harness.issuers[1])).await;
        assert_eq!(without, (400, "issuer_unknown".into()));
        let others = send("urn:x:2", Some(other)).await;
        assert_eq!(others, (404, "not_found".into()));
        assert_eq!(send("urn:x:2", Some(own)).await.0, 200);
        let mut back = revocation("urn:x:2", Some(own));
        back["status"] = json!(false);
        let answer = harness.post(STATUS, &back).await;
        assert_eq!(answer.refused(), (400, "revocation_final"));
    })
    .await;
}

#[test]
fn a_status_list_is_never_a_base_proof() {
    let load = |names: &str| {
        let key = key(Algorithm::Es256, 2);
        let text = format!("cryptosuites = {names}\nkey = '''{key}'''\nstatus = true");
        let config: IdentityConfig = parse(&text).unwrap();
        Identity::load(&config, &suites(false))
    };
    assert!(load("['ecdsa-sd-2023']").is_err());
    let both = load("['ecdsa-sd-2023', 'ecdsa-rdfc-2019']").unwrap();
    assert_eq!(both.list_suite(), Some("ecdsa-rdfc-2019"));
}

#[tokio::test]
async fn open_to_the_world_is_verifying_alone() {
    for_each_database(&[], async |db| {
        let harness = Harness::reached_at(db, "open = true", "https://issuer.example");
        for path in super::ENDPOINTS {
            let closed = match path.ends_with("verify") {
                true => (400, "invalid_members"),
                false => (401, "unauthorized"),
            };
            let answer = harness.post(path, &json!({})).await;
            assert_eq!(answer.refused(), closed, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_challenge_for_an_envelope_and_a_key_that_it_is_bound_to() {
    let signer = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(11));
    let key = IssuerKey::read(&signer.to_pkcs8_pem()).unwrap();
    let thief = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(12));
    let thief_key = IssuerKey::read(&thief.to_pkcs8_pem()).unwrap();
    let mut document = plain(&key.did(), None);
    document["cnf"] = json!({"jwk": signer.public_key().to_jwk()});
    let method = key.verification_method();
    let jwt = issue_jwt(&document, EnvelopeType::VcJwt, &method, &signer).await;
    let envelope = Enveloped::new(EnvelopeType::VcJwt, jwt.unwrap()).to_json();
    let mut presented = Vec::new();
    for (signer, key) in [(&signer, &key), (&thief, &thief_key)] {
        let vp = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": "VerifiablePresentation",
            "verifiableCredential": [envelope]
        });
        let method = key.verification_method();
        let jwt = issue_jwt(&vp, EnvelopeType::VpJwt, &method, signer).await;
        presented.push(Enveloped::new(EnvelopeType::VpJwt, jwt.unwrap()).to_json());
    }
    for_each_database(&[], async |db| {
        let harness = Harness::new(db, "open = true");
        for (options, code) in [
            (json!({}), ""),
            (json!({"challenge": "c"}), "proof_challenge"),
            (json!({"domain": "d"}), "proof_domain"),
        ] {
            let body = json!({"verifiableCredential": envelope, "options": options});
            let answer = harness.post("/credentials/verify", &body).await;
            assert_eq!(answer.refused().1, code);
        }
        for (presentation, code) in presented.iter().zip(["", "holder_key_mismatch"]) {
            let body = json!({"verifiablePresentation": presentation});
            let answer = harness.post("/presentations/verify", &body).await;
            assert_eq!(answer.refused().1, code);
        }
    })
    .await;
}

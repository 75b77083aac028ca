//! What modules of the OpenID Foundation's issuer plans check and no other test here shows;
//! `specs/oidf.tsv` names a test for each module.

use serde_json::{Value, json};

use super::harness::{Harness, ISSUER, config_text, everywhere, with_config};

/// Members that the suite knows; others are warnings there.
const OF_ISSUER: [&str; 9] = [
    "credential_issuer",
    "credential_endpoint",
    "nonce_endpoint",
    "deferred_credential_endpoint",
    "notification_endpoint",
    "credential_request_encryption",
    "credential_response_encryption",
    "batch_credential_issuance",
    "display",
];
const OF_CONFIGURATION: [&str; 8] = [
    "format",
    "scope",
    "credential_signing_alg_values_supported",
    "cryptographic_binding_methods_supported",
    "proof_types_supported",
    "vct",
    "doctype",
    "credential_metadata",
];

fn names(value: &Value) -> Vec<&str> {
    let members = value.as_object().unwrap();
    members.keys().map(String::as_str).collect()
}

fn only(value: &Value, known: &[&str]) {
    for name in names(value) {
        assert!(known.contains(&name), "{name}");
    }
}

#[tokio::test]
async fn oidf_metadata_have_known_members_and_https_endpoints() {
    everywhere(async |h| {
        let answer = h.get("/.well-known/openid-credential-issuer").await;
        assert_eq!(answer.header("content-type"), "application/json");
        let mut metadata = answer.json();
        assert_eq!(metadata["credential_issuer"], ISSUER);
        for name in names(&metadata)
            .into_iter()
            .filter(|name| name.ends_with("_endpoint"))
        {
            assert!(
                metadata[name].as_str().unwrap().starts_with("https://"),
                "{name}"
            );
        }
        let keys = &metadata["credential_request_encryption"]["jwks"]["keys"][0];
        only(keys, &["kty", "crv", "x", "y", "kid", "alg", "use"]);
        let configurations = metadata["credential_configurations_supported"].take();
        for configuration in configurations.as_object().unwrap().values() {
            only(configuration, &OF_CONFIGURATION);
            let shown = &configuration["credential_metadata"];
            only(shown, &["display", "claims"]);
            for display in shown["display"].as_array().unwrap() {
                // OpenID4VCI 1.0, section 12.2.4.
                let looks = ["logo", "background_color", "background_image", "text_color"];
                only(
                    display,
                    &[&["name", "locale", "description"], looks.as_slice()].concat(),
                );
            }
            for claim in shown["claims"].as_array().unwrap() {
                only(claim, &["path", "mandatory", "display"]);
                for display in claim["display"].as_array().into_iter().flatten() {
                    only(display, &["name", "locale"]);
                }
            }
            for proof in configuration["proof_types_supported"]
                .as_object()
                .unwrap()
                .values()
            {
                only(proof, &["proof_signing_alg_values_supported"]);
            }
        }
        metadata
            .as_object_mut()
            .unwrap()
            .remove("credential_configurations_supported");
        only(&metadata, &OF_ISSUER);
    })
    .await;
}

/// A whole issuance with members that nobody knows, and the notification at its end.
#[tokio::test]
async fn oidf_unknown_members_are_ignored_on_the_whole_way() {
    everywhere(async |h| {
        let offer = h.offer(json!({})).await;
        let code = h.code(&offer).await;
        let fields = [
            ("grant_type", super::harness::PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
            ("vAtXk", "random"),
        ];
        let token = h.form("/token", &fields).await.json();
        let token = token["access_token"].as_str().unwrap();
        let nonce = h.nonce().await;
        let proof = h.proof(&h.holder(1), &nonce).await;
        let body = json!({
            "credential_configuration_id": "membership", "proofs": { "jwt": [proof] },
            "vAtXk": { "random": ["x"] }, "state": 7,
        });
        let answer = h.bearer("/credential", token, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        only(&answer.json(), &["credentials", "notification_id"]);
        let notice = json!({
            "notification_id": answer.json()["notification_id"], "event": "credential_accepted",
            "vAtXk": "random",
        });
        assert_eq!(h.bearer("/notification", token, &notice).await.status, 204);
    })
    .await;
}

/// The same token, fresh proofs, and headers of the FAPI profiles.
#[tokio::test]
async fn oidf_further_requests_with_other_headers() {
    everywhere(async |h| {
        let bearer = format!("Bearer {}", h.token().await);
        for (name, value) in [
            ("accept", "application/json; charset=UTF-8"),
            ("accept", "application/json, application/*+json, */*"),
            ("x-fapi-customer-ip-address", "2001:db8::1893:25c8:1946"),
            ("x-fapi-auth-date", "Sun, 29 Nov 2026 08:00:00 GMT"),
        ] {
            let nonce = h.nonce().await;
            let proof = h.proof(&h.holder(1), &nonce).await;
            let body = json!({
                "credential_configuration_id": "membership", "proofs": { "jwt": [proof] },
            });
            let headers = [("authorization", bearer.as_str()), (name, value)];
            let answer = h.credential_raw(&headers, &body.to_string()).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    })
    .await;
}

#[tokio::test]
async fn oidf_a_proof_with_another_signature() {
    everywhere(async |h: Harness| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let good = h.proof(&h.holder(1), &nonce).await;
        let other = h.proof(&h.holder(2), &nonce).await;
        let (rest, _) = good.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        let answer = h.credential(&token, &[format!("{rest}.{signature}")]).await;
        assert_eq!(answer.error(), (400, "invalid_proof".into()));
        only(&answer.json(), &["error", "error_description"]);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(h.credential(&token, &[good]).await.status, 200);
    })
    .await;
}

/// Twenty proofs: as many credentials of one data set, each with a key, salts and a place in the
/// status lists of its own.
#[tokio::test]
async fn oidf_a_batch_of_twenty() {
    let text = config_text("").replace("batch_size = 3", "batch_size = 20");
    with_config(&text, async |h| {
        let token = h.token().await;
        let nonce = h.nonce().await;
        let mut proofs = Vec::new();
        for seed in 1..=20 {
            proofs.push(h.proof(&h.holder(seed), &nonce).await);
        }
        let answer = h.credential(&token, &proofs).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let json = answer.json();
        let credentials = json["credentials"].as_array().unwrap();
        assert_eq!(credentials.len(), 20);
        let (mut keys, mut places, mut salted) = (Vec::new(), Vec::new(), Vec::new());
        for credential in credentials {
            let compact = credential["credential"].as_str().unwrap();
            let (jwt, disclosures) = compact.split_once('~').unwrap();
            let payload = jwt.split('.').nth(1).unwrap();
            let payload = vouchsafe_credentials::encoding::b64url_decode(payload).unwrap();
            let payload: Value = serde_json::from_slice(&payload).unwrap();
            keys.push(payload["cnf"]["jwk"]["x"].to_string());
            places.push(payload["status"]["status_list"].to_string());
            salted.extend(
                disclosures
                    .split('~')
                    .filter(|d| !d.is_empty())
                    .map(str::to_owned),
            );
        }
        let expected: Vec<String> = (1..=20)
            .map(|seed| {
                let key =
                    vouchsafe_credentials::crypto::Signer::public_key(&h.holder(seed)).to_jwk();
                key["x"].to_string()
            })
            .collect();
        // In the order of the proofs.
        assert_eq!(keys, expected);
        for mut list in [places, salted] {
            let count = list.len();
            list.sort();
            list.dedup();
            assert_eq!(list.len(), count);
        }
    })
    .await;
}

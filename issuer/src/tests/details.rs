use serde_json::{Value, json};

use super::haip::{ATTESTED, Wallet, code_of, haip};
use super::harness::{Answer, Harness, PRE_AUTHORIZED, WALLET, everywhere};

fn details(id: &str) -> String {
    json!([{ "type": "openid_credential", "credential_configuration_id": id }]).to_string()
}

async fn redeem(h: &Harness, details: Option<&str>) -> Answer {
    let code = h.code(&h.offer(json!({})).await).await;
    let mut fields = vec![
        ("grant_type", PRE_AUTHORIZED),
        ("pre-authorized_code", code.as_str()),
        ("client_id", WALLET),
    ];
    fields.extend(details.map(|details| ("authorization_details", details)));
    h.form("/token", &fields).await
}

async fn ask(h: &Harness, token: &str, member: (&str, &str)) -> Answer {
    let proof = h.proof(&h.holder(7), &h.nonce().await).await;
    let mut body = json!({ "proofs": { "jwt": [proof] } });
    body[member.0] = json!(member.1);
    let bearer = format!("Bearer {token}");
    h.credential_raw(&[("authorization", &bearer)], &body.to_string())
        .await
}

fn identifier(body: &Value) -> String {
    let details = &body["authorization_details"];
    assert_eq!(details.as_array().unwrap().len(), 1);
    assert_eq!(details[0]["type"], "openid_credential");
    assert_eq!(details[0]["credential_configuration_id"], "membership");
    let identifiers = details[0]["credential_identifiers"].as_array().unwrap();
    assert_eq!(identifiers.len(), 1);
    identifiers[0].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_was_given_an_identifier_uses_it_and_nothing_else() {
    everywhere(async |h| {
        let body = redeem(&h, Some(&details("membership"))).await.json();
        let id = identifier(&body);
        assert!(!id.contains("crm-4711"));
        let token = body["access_token"].as_str().unwrap();
        let answer = ask(&h, token, ("credential_configuration_id", "membership")).await;
        assert_eq!(answer.error(), (400, "invalid_credential_request".into()));
        // OpenID Foundation, `oid4vci-1_0-issuer-fail-unknown-credential-configuration` with
        // `authorization_details`, condition `VCIValidateCredentialErrorResponse`.
        let answer = ask(&h, token, ("credential_configuration_id", "nothing")).await;
        let code = "unknown_credential_configuration".to_owned();
        assert_eq!(answer.error(), (400, code));
        for unknown in ["x", "membership"] {
            let answer = ask(&h, token, ("credential_identifier", unknown)).await;
            let code = "unknown_credential_identifier".to_owned();
            assert_eq!(answer.error(), (400, code), "{unknown}");
        }
        let answer = ask(&h, token, ("credential_identifier", &id)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        // The same dataset has the same name in every token response.
        let again = redeem(&h, Some(&details("membership"))).await.json();
        assert_eq!(identifier(&again), id);
        // Without details: the reverse.
        let plain = redeem(&h, None).await.json();
        assert!(plain.get("authorization_details").is_none());
        let token = plain["access_token"].as_str().unwrap();
        let answer = ask(&h, token, ("credential_identifier", &id)).await;
        assert_eq!(
            answer.error(),
            (400, "unknown_credential_identifier".into())
        );
    })
    .await;
}

#[tokio::test]
async fn details_that_are_not_granted() {
    everywhere(async |h| {
        for bad in [details("age"), details("unknown"), "[]".into(), "{".into()] {
            let answer = redeem(&h, Some(&bad)).await;
            let code = "invalid_authorization_details".to_owned();
            assert_eq!(answer.error(), (400, code), "{bad}");
        }
        let other = r#"[{"type":"payment_initiation"}]"#;
        assert_eq!(redeem(&h, Some(other)).await.error().0, 400);
    })
    .await;
}

#[tokio::test]
async fn details_go_from_the_authorization_request_to_the_token_response() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let offer = h.offer(json!({ "grant": "authorization_code" })).await;
        let object = h.offer_object(&offer).await;
        let state = &object["grants"]["authorization_code"]["issuer_state"];
        let state = state.as_str().unwrap().to_owned();
        let push = async |details: String, scope: &'static str| {
            let state = state.clone();
            let pushed = wallet.push(move |request| {
                request.retain(|(name, _)| *name != "scope");
                if !scope.is_empty() {
                    request.push(("scope", scope.to_owned()));
                }
                request.push(("authorization_details", details.clone()));
                request.push(("issuer_state", state.clone()));
            });
            pushed.await
        };
        let load = async |uri: &str| {
            let query = [("client_id", ATTESTED), ("request_uri", uri)];
            let query = serde_urlencoded::to_string(query).unwrap();
            h.get(&format!("/authorize?{query}")).await
        };
        // What exists, and what the offer is not.
        for id in ["unknown", "age"] {
            let answer = push(details(id), "").await;
            let code = "invalid_authorization_details".to_owned();
            assert_eq!(answer.error(), (400, code), "{id}");
        }
        // A scope does not stand for details that are of another card.
        let answer = push(details("age"), "membership").await;
        let refused = (400, "invalid_authorization_details".to_owned());
        assert_eq!(answer.error(), refused);
        let pushed = push(details("membership"), "membership").await.json();
        let page = load(pushed["request_uri"].as_str().unwrap()).await;
        let typed = offer["one_time_code"].as_str().unwrap();
        let code = code_of(&wallet.type_code(&page, typed).await);
        // Less than before is possible, something else is not.
        let other = wallet.redeem(&code, |fields, _| {
            fields.push(("authorization_details", details("age")));
        });
        let refused = (400, "invalid_authorization_details".to_owned());
        assert_eq!(other.await.error(), refused);
        let body = wallet.redeem(&code, |_, _| {}).await.json();
        identifier(&body);
    })
    .await;
}

#[tokio::test]
async fn unknown_scopes_are_ignored_and_known_ones_are_read_one_by_one() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "grant": "authorization_code" })).await;
        let object = h.offer_object(&offer).await;
        let state = &object["grants"]["authorization_code"]["issuer_state"];
        let wallet = Wallet::new(&h, WALLET, 1);
        for (scope, good) in [
            ("openid membership", true),
            ("membership age", true),
            ("offline_access", true),
            ("age", false),
        ] {
            let mut query = wallet.request(state.as_str());
            query.retain(|(name, _)| *name != "scope");
            query.push(("scope", scope.to_owned()));
            let query = serde_urlencoded::to_string(query).unwrap();
            let answer = h.get(&format!("/authorize?{query}")).await;
            match good {
                true => assert_eq!(answer.status, 200, "{scope}"),
                false => assert!(answer.header("location").contains("invalid_scope")),
            }
        }
    })
    .await;
}

/// RFC 6749, section 5.1: also beside a pre-authorized code.
#[tokio::test]
async fn rfc_6749_section_5_1_scopes_beside_a_pre_authorized_code() {
    everywhere(async |h| {
        let ask = async |scope: &str| {
            let code = h.code(&h.offer(json!({})).await).await;
            let fields = [
                ("grant_type", PRE_AUTHORIZED),
                ("pre-authorized_code", &code),
                ("scope", scope),
            ];
            h.form("/token", &fields).await
        };
        for (scope, told) in [
            ("", None),
            ("membership", None),
            ("membership nothing", Some("membership")),
            ("nothing", Some("membership")),
        ] {
            let answer = ask(scope).await;
            assert_eq!(answer.status, 200, "{scope}");
            assert_eq!(answer.json()["scope"].as_str(), told, "{scope}");
        }
        for scope in ["age", "membership age", "a\"b"] {
            let answer = ask(scope).await;
            assert_eq!(answer.error(), (400, "invalid_scope".into()), "{scope}");
        }
    })
    .await;
}

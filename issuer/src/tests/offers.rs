use serde_json::json;
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vci::CredentialIssuerId;
use vouchsafe_protocol::vci::metadata::IssuerMetadata;
use vouchsafe_protocol::vci::offer::{IssuerRule, OfferInvocation};

use super::harness::{ISSUER, PRE_AUTHORIZED, config_text, everywhere, offer_body, with_config};

#[tokio::test]
async fn metadata_pass_the_checks_of_a_wallet() {
    everywhere(async |h| {
        let answer = h.get("/.well-known/openid-credential-issuer").await;
        let id = CredentialIssuerId::parse(ISSUER, UrlRule::AnyHttps).unwrap();
        let metadata =
            IssuerMetadata::parse(answer.text.as_bytes(), &id, UrlRule::AnyHttps).unwrap();
        assert_eq!(metadata.batch_size(), 3);
        assert!(metadata.configuration("age").is_some());
        assert!(metadata.configuration("membership").is_some());
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let server = h
            .get("/.well-known/oauth-authorization-server")
            .await
            .json();
        assert_eq!(server["issuer"], ISSUER);
        assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(
            server["authorization_response_iss_parameter_supported"],
            true
        );
    })
    .await;
}

#[tokio::test]
async fn nothing_is_advertised_that_is_off() {
    let text = config_text("anonymous_access = false").replace("batch_size = 3", "batch_size = 1");
    let text = text.split("[[client]]").next().unwrap().to_owned();
    let text = format!("{text}[encryption]\nrequests = \"off\"\nresponses = \"off\"\n");
    with_config(&text, async |h| {
        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        for absent in [
            "batch_credential_issuance",
            "credential_request_encryption",
            "credential_response_encryption",
        ] {
            assert!(metadata.get(absent).is_none(), "{absent}");
        }
        let server = h
            .get("/.well-known/oauth-authorization-server")
            .await
            .json();
        assert!(server.get("authorization_endpoint").is_none());
        assert_eq!(server["grant_types_supported"], json!([PRE_AUTHORIZED]));
        assert!(
            server
                .get("pre-authorized_grant_anonymous_access_supported")
                .is_none()
        );
        for wallet_initiated in [false, true] {
            let mut body = offer_body();
            body["wallet_initiated"] = json!(wallet_initiated);
            body["grant"] = json!("authorization_code");
            let answer = h.admin_post("/v1/offers", &body.to_string(), &[]).await;
            assert_eq!(answer.error(), (422, "grant_unavailable".into()));
        }
    })
    .await;
}

#[tokio::test]
async fn offer_by_value_and_by_reference_are_the_same() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "tx_code": true })).await;
        let link = offer["link_by_value"].as_str().unwrap();
        let parsed = OfferInvocation::parse(link, UrlRule::AnyHttps, &IssuerRule::Any).unwrap();
        let OfferInvocation::ByValue(by_value) = parsed else {
            panic!("by value")
        };
        let object = h.offer_object(&offer).await;
        assert_eq!(by_value.to_json(), object);
        let tx_code = &object["grants"][PRE_AUTHORIZED]["tx_code"];
        assert_eq!(tx_code["length"], 6);
        let link = offer["link"].as_str().unwrap();
        let parsed = OfferInvocation::parse(link, UrlRule::AnyHttps, &IssuerRule::Any).unwrap();
        let OfferInvocation::ByReference(url) = parsed else {
            panic!("by reference")
        };
        assert_eq!(url.as_str(), offer["credential_offer_uri"]);
        let code = offer["tx_code"].as_str().unwrap();
        assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()));
    })
    .await;
}

#[tokio::test]
async fn an_offer_that_is_over_is_not_shown() {
    everywhere(async |h| {
        let offer = h.offer(json!({ "expires_in_s": 60 })).await;
        let path = offer["credential_offer_uri"].as_str().unwrap();
        let path = path.strip_prefix(ISSUER).unwrap().to_owned();
        assert_eq!(h.get(&path).await.status, 200);
        h.clock.advance(60);
        assert_eq!(h.get(&path).await.error(), (404, "not_found".into()));
        assert_eq!(
            h.get("/offers/unknown").await.error(),
            (404, "not_found".into())
        );
    })
    .await;
}

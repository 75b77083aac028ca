//! The issuer's metadata in their forms.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::jws::{TokenType, Unverified};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::x509::{Role, verify_chain};

use super::harness::{Answer, Harness, ISSUER, config_text, everywhere, with_config};
use super::signing::Authority;

async fn get(h: &Harness, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get("/.well-known/openid-credential-issuer");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    h.send(request.body(Body::empty()).unwrap()).await
}

/// The claims of signed metadata, without what signing adds.
fn document(mut claims: serde_json::Map<String, Value>) -> Value {
    for name in ["iss", "sub", "iat", "exp"] {
        claims.remove(name);
    }
    Value::Object(claims)
}

#[tokio::test]
async fn metadata_signed_with_the_key_of_the_certificate() {
    let issuers = Authority::new("Issuers");
    let (key, chain) = issuers.leaf("The Club");
    let text = config_text("");
    let (from, to) = (
        text.find("[signing]").unwrap(),
        text.find("[[client]]").unwrap(),
    );
    let signing =
        format!("[signing]\nmethod = \"x5c\"\nkey = '''{key}'''\ncertificates = '''{chain}'''\n");
    let text = format!("{}{signing}{}", &text[..from], &text[to..]);
    with_config(&text, async |h| {
        let answer = get(&h, &[("accept", "application/jwt")]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), "application/jwt");
        let token = Unverified::parse(&answer.text, TokenType::IssuerMetadata).unwrap();
        let (anchors, now) = (issuers.anchors(Role::Issuer), h.clock.now());
        let chain = token.x5c().unwrap();
        let leaf = verify_chain(chain, &anchors, Role::Issuer, now, &AwsLc).unwrap();
        let claims = token
            .verify(&AwsLc, leaf.public_key())
            .unwrap()
            .into_inner()
            .claims;
        assert_eq!(claims["sub"], ISSUER);
        assert_eq!(claims["iat"], h.clock.now().seconds());
        assert!(claims["exp"].as_i64().unwrap() > h.clock.now().seconds());
        // Section 12.2.3: all members, as they are in the other form.
        assert_eq!(document(claims), get(&h, &[]).await.json());
    })
    .await;
}

#[tokio::test]
async fn the_form_that_is_preferred() {
    everywhere(async |h| {
        for (accept, form) in [
            (None, "application/json"),
            (Some("*/*"), "application/json"),
            (
                Some("application/json, application/jwt"),
                "application/json",
            ),
            (
                Some("application/jwt;q=0.2, application/json;q=0.3"),
                "application/json",
            ),
            (Some("text/html"), "application/json"),
            (
                Some("application/jwt, application/json;q=0.9"),
                "application/jwt",
            ),
            (Some("application/jwt, */*"), "application/jwt"),
        ] {
            let headers: Vec<_> = accept
                .map(|accept| ("accept", accept))
                .into_iter()
                .collect();
            let answer = get(&h, &headers).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), form, "{accept:?}");
            let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
            let vary = format!("{vary:?}");
            assert!(vary.contains("accept, accept-language"), "{vary}");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
        }
        // A DID names the key where there is no certificate.
        let jwt = get(&h, &[("accept", "application/jwt")]).await.text;
        let token = Unverified::parse(&jwt, TokenType::IssuerMetadata).unwrap();
        assert!(token.kid().unwrap().starts_with("did:key:"));
        assert!(token.verify(&AwsLc, &h.issuer_key()).is_ok());
        // The signature is kept for five minutes: anybody may ask.
        h.clock.advance(299);
        assert_eq!(get(&h, &[("accept", "application/jwt")]).await.text, jwt);
        h.clock.advance(1);
        assert_ne!(get(&h, &[("accept", "application/jwt")]).await.text, jwt);
    })
    .await;
}

#[tokio::test]
async fn texts_in_the_language_of_the_person() {
    everywhere(async |h| {
        let german = get(&h, &[("accept-language", "de-CH, de;q=0.9")]).await;
        assert_eq!(german.header("content-language"), "de");
        assert_eq!(
            german.json()["display"],
            json!([{"name": "Der Verein", "locale": "de"}])
        );
        let all = get(&h, &[]).await;
        assert_eq!(all.header("content-language"), "");
        assert_eq!(all.json()["display"].as_array().unwrap().len(), 2);
        for every in ["*", "de, *;q=0.1", "tlh", "de;q=0, en;q=0"] {
            let answer = get(&h, &[("accept-language", every)]).await;
            assert_eq!(answer.text, all.text, "{every}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_policy_of_reuse_stands_where_it_is_set() {
    let text = config_text("").replace("batch_size = 3", "batch_size = 20");
    let policy = "[[reuse_policy]]\ncredential_types = [\"membership\"]\n\
         [[reuse_policy.options]]\nmethods = [\"rotating-batch\", \"once_only\"]\n\
         batch_size = 20\nreissue_trigger_unused = 2\nreissue_trigger_lifetime_left_s = 86400\n";
    with_config(&format!("{text}{policy}"), async |h| {
        let metadata = get(&h, &[]).await.json();
        let of = |id: &str| {
            let one = &metadata["credential_configurations_supported"][id]["credential_metadata"];
            one["credential_reuse_policy"].clone()
        };
        let expected = json!({"id": "arf_annex_ii", "options": [{
            "details": ["rotating-batch", "once_only"], "batch_size": 20,
            "reissue_trigger_unused": 2, "reissue_trigger_lifetime_left": 86400,
        }]});
        assert_eq!(of("membership"), expected);
        assert_eq!(of("age"), Value::Null);
    })
    .await;
    for wrong in [
        policy.replace("batch_size = 20", "batch_size = 21"),
        policy.replace("membership", "passport"),
    ] {
        let config = vouchsafe_service::config::parse::<crate::Config>(&format!("{text}{wrong}"));
        let config = config.unwrap();
        assert!(
            config.settings().is_err() || config.types().is_err(),
            "{wrong}"
        );
    }
}

/// RFC 9901, section 10.1, and EUDI ISSU_36: neither end tells credentials of a batch apart, nor
/// from those of the same hour.
#[tokio::test]
async fn times_of_credentials_are_whole_hours() {
    everywhere(async |h| {
        h.clock.advance(1234);
        let token = h.token().await;
        let nonce = h.nonce().await;
        let mut proofs = Vec::new();
        for seed in 1..=3 {
            proofs.push(h.proof(&h.holder(seed), &nonce).await);
        }
        let answer = h.credential(&token, &proofs).await.json();
        let credentials = answer["credentials"].as_array().unwrap().clone();
        assert_eq!(credentials.len(), 3);
        for credential in credentials {
            let compact = credential["credential"].as_str().unwrap();
            let payload = compact.split('.').nth(1).unwrap();
            let payload = vouchsafe_credentials::encoding::b64url_decode(payload).unwrap();
            let payload: Value = serde_json::from_slice(&payload).unwrap();
            for name in ["iat", "exp"] {
                let time = payload[name].as_i64().unwrap();
                assert_eq!(time % 3600, 0, "{name}");
            }
            assert!(payload["iat"].as_i64().unwrap() <= h.clock.now().seconds());
        }
    })
    .await;
}

//! Each profile says of itself what it enforces, and nothing of another one.

use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::haip::{
    ATTESTED, COMBINED, KEYED, Wallet, code_of, haip, haip_text, profile_text, wallets, x5c_signing,
};
use super::harness::{
    Harness, ISSUER, PRE_AUTHORIZED, REDIRECT, WALLET, config_text, everywhere, with_config,
};
use crate::Config;

const ALGORITHMS: [&str; 5] = Algorithm::ALL_NAMES;

async fn server(h: &Harness) -> Value {
    let answer = h.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

fn refused(text: &str, setting: &str) {
    let config: Config = vouchsafe_service::config::parse(text).unwrap();
    let error = config.settings().unwrap_err();
    assert!(format!("{error:?}").contains(setting), "{error:?}");
}

fn public_client() -> String {
    format!("[[client]]\nid = \"{WALLET}\"\nname = \"W\"\nredirect_uris = [\"{REDIRECT}\"]\n")
}

fn av_text() -> String {
    profile_text("age-verification", &x5c_signing(), &public_client())
}

#[tokio::test]
async fn what_the_open_profile_says_is_what_it_does() {
    everywhere(async |h| {
        let wanted = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "pushed_authorization_request_endpoint": format!("{ISSUER}/par"),
            "scopes_supported": ["age", "membership"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", PRE_AUTHORIZED],
            "token_endpoint_auth_methods_supported": ["none"],
            "authorization_details_types_supported": ["openid_credential"],
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": ALGORITHMS,
            "authorization_response_iss_parameter_supported": true,
            "pre-authorized_grant_anonymous_access_supported": true,
        });
        assert_eq!(server(&h).await, wanted);
        // What is not there: challenges, nonces, refresh tokens.
        assert_eq!(h.form("/challenge", &[]).await.status, 404);
        let answer = h.form("/nonce", &[]).await;
        assert!(answer.headers.get("dpop-nonce").is_none());
        assert!(!h.token().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_the_haip_profile_says_is_what_it_does() {
    haip(async |h| {
        let mut metadata = server(&h).await;
        let methods = metadata["token_endpoint_auth_methods_supported"].take();
        let mut methods: Vec<_> = methods.as_array().unwrap().clone();
        methods.sort_by_key(Value::to_string);
        assert_eq!(
            methods,
            [
                "attest_jwt_client_auth",
                "attest_jwt_client_auth_dpop",
                "private_key_jwt"
            ]
        );
        let wanted = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "pushed_authorization_request_endpoint": format!("{ISSUER}/par"),
            "require_pushed_authorization_requests": true,
            "challenge_endpoint": format!("{ISSUER}/challenge"),
            "scopes_supported": ["age", "membership"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", PRE_AUTHORIZED, "refresh_token"],
            "token_endpoint_auth_methods_supported": null,
            "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
            "client_attestation_signing_alg_values_supported": ALGORITHMS,
            "client_attestation_pop_signing_alg_values_supported": ALGORITHMS,
            "authorization_details_types_supported": ["openid_credential"],
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": ALGORITHMS,
            "authorization_response_iss_parameter_supported": true,
        });
        assert_eq!(metadata, wanted);
        // HAIP 1.0, section 4.1: a scope for every configuration, and the nonce endpoint.
        let issuer = h.get("/.well-known/openid-credential-issuer").await.json();
        let configurations = issuer["credential_configurations_supported"].clone();
        for (id, configuration) in configurations.as_object().unwrap() {
            assert!(configuration["scope"].is_string(), "{id}");
            let scopes = wanted["scopes_supported"].as_array().unwrap();
            assert!(scopes.contains(&configuration["scope"]), "{id}");
        }
        assert!(issuer["nonce_endpoint"].is_string());
        // Every method that is listed works at both endpoints; tokens, codes and refresh follow.
        for (client_id, seed) in [(ATTESTED, 1), (COMBINED, 2), (KEYED, 3)] {
            let wallet = Wallet::new(&h, client_id, seed);
            let code = wallet.code().await;
            let answer = wallet.redeem(&code, |_, _| {}).await;
            assert_eq!(answer.json()["token_type"], "DPoP", "{client_id}");
            assert!(answer.json()["refresh_token"].is_string());
        }
    })
    .await;
}

#[tokio::test]
async fn every_algorithm_that_is_listed_is_verified() {
    haip(async |h| {
        for (n, algorithm) in (10u64..).zip(Algorithm::ALL) {
            let mut wallet = Wallet::new(&h, ATTESTED, n);
            let key = |seed| SigningKey::generate(algorithm, &SeededRng::new(seed));
            wallet.instance = key(n);
            wallet.dpop = key(n + 100);
            let alg = algorithm.name();
            let attestation = wallet.attestation(|_, _| {}).await;
            let pop = wallet.pop(|header, _| header["alg"] = json!(alg)).await;
            let headers = [
                ("oauth-client-attestation", attestation),
                ("oauth-client-attestation-pop", pop),
                (
                    "dpop",
                    wallet.dpop_proof("/par", Some(&wallet.nonce())).await,
                ),
            ];
            let answer = wallet.send("/par", &wallet.request(None), &headers).await;
            assert_eq!(answer.status, 201, "{alg}: {}", answer.text);
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_age_verification_profile_says_is_what_it_does() {
    with_config(&av_text(), async |h| {
        let wanted = json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{ISSUER}/authorize"),
            "token_endpoint": format!("{ISSUER}/token"),
            "scopes_supported": ["age", "membership"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", PRE_AUTHORIZED],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "pre-authorized_grant_anonymous_access_supported": true,
        });
        assert_eq!(server(&h).await, wanted);
        let issuer = h.get("/.well-known/openid-credential-issuer").await;
        assert_eq!(
            issuer.json()["batch_credential_issuance"],
            json!({ "batch_size": 30 })
        );
        // Unsigned, whoever asks.
        let request = axum::http::Request::get("/.well-known/openid-credential-issuer")
            .header("accept", "application/jwt");
        let answer = h.send(request.body(axum::body::Body::empty()).unwrap());
        assert_eq!(answer.await.header("content-type"), "application/json");
        // Both grants; a token is a bearer token, whatever the wallet shows beside.
        let wallet = Wallet::new(&h, WALLET, 1);
        let offer = h.offer(json!({ "grant": "authorization_code" })).await;
        let object = h.offer_object(&offer).await;
        let state = &object["grants"]["authorization_code"]["issuer_state"];
        let query = serde_urlencoded::to_string(wallet.request(state.as_str())).unwrap();
        let page = h.get(&format!("/authorize?{query}")).await;
        let typed = offer["one_time_code"].as_str().unwrap();
        let code = code_of(&wallet.type_code(&page, typed).await);
        let fields = [
            ("client_id", WALLET),
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", wallet.verifier.as_str()),
        ];
        let proof = wallet.dpop_proof("/token", None).await;
        let answer = h.form_with("/token", &fields, &[("dpop", &proof)]).await;
        assert_eq!(answer.json()["token_type"], "Bearer", "{}", answer.text);
        let code = h.code(&h.offer(json!({})).await).await;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", code.as_str()),
            ("scope", "membership"),
        ];
        let token = h.form("/token", &fields).await.json()["access_token"].clone();
        h.issue_with(token.as_str().unwrap(), &h.holder(1)).await;
        // Nothing of the other profiles.
        let details = r#"[{"type":"openid_credential","credential_configuration_id":"age"}]"#;
        let fields = [
            ("grant_type", PRE_AUTHORIZED),
            ("pre-authorized_code", "x"),
            ("authorization_details", details),
        ];
        let code = "invalid_authorization_details".to_owned();
        assert_eq!(h.form("/token", &fields).await.error(), (400, code));
        let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
        let code = "unsupported_grant_type".to_owned();
        assert_eq!(h.form("/token", &fields).await.error(), (400, code));
        assert_eq!(h.form("/challenge", &[]).await.status, 404);
    })
    .await;
}

#[test]
fn profiles_do_not_leak_into_each_other() {
    let haip = haip_text();
    let with = |text: &str, line: &str| text.replace("[issuer]", &format!("[issuer]\n{line}"));
    for (text, setting) in [
        (with(&haip, "anonymous_access = true"), "anonymous_access"),
        (with(&haip, "refresh_tokens = false"), "refresh_tokens"),
        (
            format!(
                "{haip}{}",
                public_client().replace(WALLET, "public.example")
            ),
            "client.auth",
        ),
        (
            config_text("profile = \"haip\"")
                .split("[[client]]")
                .next()
                .unwrap()
                .to_owned(),
            "signing.method",
        ),
        (with(&av_text(), "refresh_tokens = true"), "refresh_tokens"),
        (
            profile_text("age-verification", &x5c_signing(), &wallets()),
            "wallet_provider",
        ),
        (
            config_text("profile = \"age-verification\""),
            "signing.method",
        ),
    ] {
        refused(&text, setting);
    }
    let unknown = config_text("profile = \"none\"");
    assert!(vouchsafe_service::config::parse::<Config>(&unknown).is_err());
}

#[test]
fn clients_say_how_they_authenticate_and_with_what() {
    let client = |rest: &str| {
        format!(
            "{}[[client]]\nid = \"c.example\"\nname = \"C\"\nredirect_uris = [\"{REDIRECT}\"]\n{rest}\n",
            config_text("")
        )
    };
    for (rest, setting) in [
        ("auth = \"private_key_jwt\"", "client.auth"),
        (
            "auth = \"private_key_jwt\"\njwks_file = \"/nowhere\"",
            "client.jwks_file",
        ),
        (
            "auth = \"attest_jwt_client_auth\"",
            "client.wallet_provider",
        ),
        (
            "auth = \"attest_jwt_client_auth\"\nwallet_provider = \"unknown\"",
            "client.wallet_provider",
        ),
        ("jwks_file = \"/nowhere\"", "client.auth"),
        ("wallet_provider = \"x\"", "client.auth"),
    ] {
        refused(&client(rest), setting);
    }
    let unknown = client("auth = \"client_secret_basic\"");
    assert!(vouchsafe_service::config::parse::<Config>(&unknown).is_err());
}

//! The OpenID Provider towards applications.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

use crate::world::browser::{form, send};
use crate::world::rp::{RelyingParty, VERIFIER};
use crate::world::steps::{begin, log_in, rows, same_device};
use crate::world::{OP, World, on_each_database, on_sqlite};

async fn fetch(world: &World, path: &str) -> crate::world::browser::Answer {
    send(
        &world.router(),
        Request::get(path).body(Body::empty()).unwrap(),
    )
    .await
}

#[tokio::test]
async fn discovery_says_what_is_enforced_and_its_alias_the_same() {
    on_sqlite(async |world| {
        let document = fetch(&world, "/.well-known/openid-configuration")
            .await
            .json();
        assert_eq!(
            document,
            fetch(&world, "/.well-known/oauth-authorization-server")
                .await
                .json()
        );
        assert_eq!(document["issuer"], OP);
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(
            document["code_challenge_methods_supported"],
            json!(["S256"])
        );
        assert_eq!(
            document["id_token_signing_alg_values_supported"],
            json!(["RS256", "ES256"])
        );
        assert_eq!(document["subject_types_supported"], json!(["pairwise"]));
        assert_eq!(document["request_parameter_supported"], false);
        assert_eq!(document["request_uri_parameter_supported"], false);
        assert_eq!(
            document["authorization_response_iss_parameter_supported"],
            true
        );
        assert_eq!(document["backchannel_logout_session_supported"], true);
        assert_eq!(
            document["dpop_signing_alg_values_supported"],
            json!(["ES256", "ES384", "ES512", "EdDSA", "Ed25519"])
        );
        assert_eq!(
            document["pushed_authorization_request_endpoint"],
            format!("{OP}/par")
        );
        assert!(
            document
                .get("require_pushed_authorization_requests")
                .is_none()
        );
        let proven = json!([
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt"
        ]);
        assert_eq!(
            document["introspection_endpoint_auth_methods_supported"],
            proven
        );
        for endpoint in ["token", "introspection", "revocation"] {
            let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
            assert!(
                document[&name]
                    .as_array()
                    .unwrap()
                    .contains(&json!("ES256")),
                "{name}"
            );
        }
        assert_eq!(
            document["revocation_endpoint_auth_methods_supported"],
            document["token_endpoint_auth_methods_supported"]
        );
        assert_eq!(
            document["scopes_supported"],
            json!(["openid", "age", "membership", "offline_access"])
        );
        assert_eq!(
            document["grant_types_supported"],
            json!(["authorization_code", "refresh_token"])
        );
        for (name, value) in document.as_object().unwrap() {
            if name.ends_with("_endpoint") {
                let path = value.as_str().unwrap().strip_prefix(OP).unwrap();
                assert_ne!(
                    fetch(&world, path).await.status,
                    StatusCode::NOT_FOUND,
                    "{name}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn cat_380_jwks_has_public_members_only() {
    on_sqlite(async |world| {
        let keys = fetch(&world, "/jwks").await.json();
        let keys = keys["keys"].as_array().unwrap().clone();
        assert_eq!(keys.len(), 2);
        for key in keys {
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(private).is_none());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn algorithms_are_by_registration() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let alg = |token: &str| {
            let header =
                vouchsafe_credentials::encoding::b64url_decode(token.split('.').next().unwrap())
                    .unwrap();
            serde_json::from_slice::<serde_json::Value>(&header).unwrap()["alg"].clone()
        };
        let shop = log_in(&mut world.browser(), &wallet, &world.shop(), "openid age").await;
        assert_eq!(alg(&shop.id_token), "RS256");
        let cafe = log_in(&mut world.browser(), &wallet, &world.cafe(), "openid age").await;
        assert_eq!(alg(&cafe.id_token), "ES256");
    })
    .await;
}

#[tokio::test]
async fn cat_367_without_a_known_client_and_address_nobody_is_redirected() {
    on_sqlite(async |world| {
        let shop = world.shop();
        let cases = [
            shop.authorize("openid age", &[("client_id", "nobody")]),
            shop.authorize(
                "openid age",
                &[("redirect_uri", "http://127.0.0.1:9000/cb/")],
            ),
            shop.authorize(
                "openid age",
                &[("redirect_uri", "http://127.0.0.1:9000/cb?x=1")],
            ),
            shop.authorize("openid age", &[("redirect_uri", "https://evil.example/cb")]),
            shop.authorize("openid age", &[("redirect_uri", "")]),
            format!("{}&client_id=shop", shop.authorize("openid age", &[])),
            format!("{OP}/authorize"),
        ];
        for address in cases {
            let answer = world.browser().get(&address).await;
            answer.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
            assert!(answer.headers.get(header::LOCATION).is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_requests_are_told_to_the_application() {
    on_sqlite(async |world| {
        let shop = world.shop();
        let unreachable = json!({ "id_token": { "acr": { "essential": true, "values": ["urn:vouchsafe:acr:vc-hw"] } } }).to_string();
        let foreign = json!({ "id_token": { "acr": { "essential": true, "value": "http://eidas.europa.eu/LoA/high" } } }).to_string();
        let cases: [(&[(&str, &str)], &str); 14] = [
            (&[("response_type", "")], "invalid_request"),
            (&[("response_type", "token")], "unsupported_response_type"),
            (&[("scope", "age")], "invalid_scope"),
            (&[("scope", "openid")], "invalid_scope"),
            (&[("scope", "openid age membership")], "invalid_scope"),
            // Catalogue 356.
            (&[("code_challenge", "")], "invalid_request"),
            (&[("code_challenge_method", "plain")], "invalid_request"),
            // Catalogue 355, 350.
            (&[("response_mode", "fragment")], "invalid_request"),
            // Catalogue 376.
            (&[("request", "x")], "request_not_supported"),
            (&[("request_uri", "https://x.example")], "request_uri_not_supported"),
            // Catalogue 374.
            (&[("prompt", "none")], "login_required"),
            (&[("prompt", "none login")], "invalid_request"),
            (&[("claims", &unreachable)], "unmet_authentication_requirements"),
            (&[("claims", &foreign)], "unmet_authentication_requirements"),
        ];
        for (extra, error) in cases {
            let scope = extra.iter().find(|(name, _)| *name == "scope").map_or("openid age", |(_, scope)| *scope);
            let answer = world.browser().get(&shop.authorize(scope, extra)).await;
            assert_eq!(shop.error(&answer), error, "{extra:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_scopes_and_parameters_are_ignored_and_post_works() {
    on_sqlite(async |world| {
        let address = world.shop().authorize(
            "openid age profile email",
            &[
                ("extra", "foobar"),
                ("display", "popup"),
                ("claims_locales", "se"),
                ("ui_locales", "se"),
            ],
        );
        begin(&mut world.browser(), &address).await;
        let query = address.split_once('?').unwrap().1.to_owned();
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut browser = world.browser();
        let answer = browser.post("/authorize", &fields).await;
        begin(&mut browser, &answer.location()).await;
        let answer = browser.post("/authorize", &fields).await;
        assert!(answer.location().starts_with("/login/"));
    })
    .await;
}

#[tokio::test]
async fn cat_356_pkce_may_be_left_out_only_by_a_client_registered_so() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let none: &[(&str, &str)] = &[("code_challenge", ""), ("code_challenge_method", "")];
        let suite = world.suite();
        let answer = same_device(
            &mut world.browser(),
            &wallet,
            &suite.authorize("openid membership", none),
        )
        .await;
        let code = suite.code(&answer);
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", suite.redirect_uri),
        ];
        let answer = suite.token(&fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);

        // A verifier without a challenge.
        let answer = same_device(
            &mut world.browser(),
            &wallet,
            &suite.authorize("openid membership", none),
        )
        .await;
        let answer = suite.redeem(&suite.code(&answer)).await;
        assert_eq!(answer.json()["error"], "invalid_grant");
        // A challenge without a verifier, and a wrong one.
        for verifier in [None, Some("another-code-verifier-that-is-long-enough-0123")] {
            let answer = same_device(
                &mut world.browser(),
                &wallet,
                &suite.authorize("openid membership", &[]),
            )
            .await;
            let code = suite.code(&answer);
            let mut fields = vec![
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", suite.redirect_uri),
            ];
            fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
            assert_eq!(suite.token(&fields).await.json()["error"], "invalid_grant");
        }
    })
    .await;
}

#[tokio::test]
async fn clients_authenticate_by_header_or_body_and_public_ones_not_at_all() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let code = shop.code(
            &same_device(
                &mut world.browser(),
                &wallet,
                &shop.authorize("openid age", &[]),
            )
            .await,
        );
        let by_body = |secret: &'static str, code: String| {
            let body = form(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", "http://127.0.0.1:9000/cb"),
                ("code_verifier", VERIFIER),
                ("client_id", "shop"),
                ("client_secret", secret),
            ]);
            let request = Request::post("/token")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let router = world.router();
            async move { send(&router, request.body(Body::from(body)).unwrap()).await }
        };
        let wrong = by_body("wrong-secret-0123456789", code.clone()).await;
        assert_eq!(
            (wrong.status, wrong.json()["error"].clone()),
            (StatusCode::UNAUTHORIZED, json!("invalid_client"))
        );
        assert_eq!(
            by_body("shop-secret-0123456789", code).await.status,
            StatusCode::OK
        );

        let bare = RelyingParty::new(world.router(), "shop", None, shop.redirect_uri);
        assert_eq!(bare.redeem("x").await.json()["error"], "invalid_client");
        let wrong = RelyingParty::new(
            world.router(),
            "shop",
            Some("wrong-secret-0123456789"),
            shop.redirect_uri,
        );
        let answer = wrong.redeem("x").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));

        let spa = RelyingParty::new(world.router(), "spa", None, "https://spa.example/cb");
        let answer = same_device(
            &mut world.browser(),
            &wallet,
            &spa.authorize("openid membership", &[]),
        )
        .await;
        assert_eq!(spa.redeem(&spa.code(&answer)).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn cat_352_359_a_code_is_for_its_client_and_its_address() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let code = shop.code(
            &same_device(
                &mut world.browser(),
                &wallet,
                &shop.authorize("openid age", &[]),
            )
            .await,
        );
        assert_eq!(
            world.cafe().redeem(&code).await.json()["error"],
            "invalid_grant"
        );
        // The wrong client has used it up.
        assert_eq!(shop.redeem(&code).await.json()["error"], "invalid_grant");
        for redirect_uri in [None, Some("http://127.0.0.1:9000/other")] {
            let code = shop.code(
                &same_device(
                    &mut world.browser(),
                    &wallet,
                    &shop.authorize("openid age", &[]),
                )
                .await,
            );
            let mut fields = vec![
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("code_verifier", VERIFIER),
            ];
            fields.extend(redirect_uri.map(|uri| ("redirect_uri", uri)));
            assert_eq!(shop.token(&fields).await.json()["error"], "invalid_grant");
        }
        let code = shop.code(
            &same_device(
                &mut world.browser(),
                &wallet,
                &shop.authorize("openid age", &[]),
            )
            .await,
        );
        world.clock.advance(61);
        assert_eq!(shop.redeem(&code).await.json()["error"], "invalid_grant");
    })
    .await;
}

#[tokio::test]
async fn cat_358_a_replayed_code_takes_its_tokens_with_it() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        for after_s in [0, 30] {
            let address = shop.authorize("openid age", &[]);
            let answer = same_device(&mut world.browser(), &wallet, &address).await;
            let code = shop.code(&answer);
            let tokens = shop.tokens(&code).await;
            world.clock.advance(after_s);
            let again = shop.redeem(&code).await;
            assert_eq!(again.status, StatusCode::BAD_REQUEST);
            assert_eq!(again.json(), json!({ "error": "invalid_grant" }));
            assert_eq!(
                shop.userinfo(&tokens.access_token).await.status,
                StatusCode::UNAUTHORIZED
            );
            assert_eq!(rows(&world, "access_tokens").await, 0);
        }
    })
    .await;
}

#[tokio::test]
async fn cat_370_an_id_token_is_no_access_token() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let tokens = log_in(&mut world.browser(), &wallet, &world.shop(), "openid age").await;
        let answer = world.shop().userinfo(&tokens.id_token).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(
            answer.headers[header::WWW_AUTHENTICATE]
                .to_str()
                .unwrap()
                .contains("invalid_token")
        );
        let none = send(
            &world.router(),
            Request::get("/userinfo").body(Body::empty()).unwrap(),
        )
        .await;
        assert_eq!(none.headers[header::WWW_AUTHENTICATE], "Bearer");
        assert_eq!(
            none.headers
                .get_all(header::WWW_AUTHENTICATE)
                .iter()
                .count(),
            2
        );
        let address = world
            .shop()
            .authorize("openid age", &[("id_token_hint", &tokens.access_token)]);
        assert_eq!(
            world.shop().error(&world.browser().get(&address).await),
            "invalid_request"
        );
    })
    .await;
}

#[tokio::test]
async fn an_access_token_ends_after_five_minutes_and_its_claims_with_it() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let tokens = log_in(&mut world.browser(), &wallet, &world.shop(), "openid age").await;
        world.clock.advance(301);
        assert_eq!(
            world.shop().userinfo(&tokens.access_token).await.status,
            StatusCode::UNAUTHORIZED
        );
        world.tick().await;
        assert_eq!(rows(&world, "access_tokens").await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_386_other_grants_are_not_served() {
    on_sqlite(async |world| {
        for grant in [
            "password",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:openid:params:grant-type:ciba",
        ] {
            assert_eq!(
                world.shop().token(&[("grant_type", grant)]).await.json()["error"],
                "unsupported_grant_type",
                "{grant}"
            );
        }
        let code = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
        let answer = world
            .shop()
            .token(&[("grant_type", code), ("pre-authorized_code", "x")])
            .await;
        assert_eq!(answer.json()["error"], "unsupported_grant_type");
    })
    .await;
}

#[tokio::test]
async fn a_session_answers_without_a_card_when_only_the_person_is_asked_for() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let first = log_in(&mut browser, &wallet, &world.suite(), "openid").await;
        assert_eq!(first.userinfo, json!({ "sub": first.sub() }));
        world.clock.advance(5);
        let suite = world.suite();
        for prompt in ["", "none"] {
            let answer = browser
                .get(&suite.authorize("openid", &[("prompt", prompt)]))
                .await;
            let again = suite.tokens(&suite.code(&answer)).await;
            assert_eq!(again.sub(), first.sub());
            assert_eq!(again.sid(), first.sid());
            assert_eq!(again.claims["auth_time"], first.claims["auth_time"]);
            assert_eq!(again.claims["acr"], first.claims["acr"]);
        }
        // The same with a hint; somebody else's hint is a login.
        let answer = browser
            .get(&suite.authorize(
                "openid",
                &[("prompt", "none"), ("id_token_hint", &first.id_token)],
            ))
            .await;
        suite.code(&answer);
        let other = log_in(
            &mut world.browser(),
            &world.person("M-2").await,
            &world.suite(),
            "openid",
        )
        .await;
        let answer = browser
            .get(&suite.authorize(
                "openid",
                &[("prompt", "none"), ("id_token_hint", &other.id_token)],
            ))
            .await;
        assert_eq!(suite.error(&answer), "login_required");
    })
    .await;
}

#[tokio::test]
async fn cat_374_prompt_login_and_max_age_ask_for_the_card_again() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let suite = world.suite();
        let first = log_in(&mut browser, &wallet, &suite, "openid").await;
        world.clock.advance(2);
        for extra in [("prompt", "login"), ("max_age", "1"), ("max_age", "0")] {
            begin(&mut browser, &suite.authorize("openid", &[extra])).await;
        }
        let answer = browser
            .get(&suite.authorize("openid", &[("max_age", "10000")]))
            .await;
        let same = suite.tokens(&suite.code(&answer)).await;
        assert_eq!(same.claims["auth_time"], first.claims["auth_time"]);
        let answer = same_device(
            &mut browser,
            &wallet,
            &suite.authorize("openid", &[("max_age", "1")]),
        )
        .await;
        let fresh = suite.tokens(&suite.code(&answer)).await;
        assert!(fresh.claims["auth_time"].as_i64() > first.claims["auth_time"].as_i64());
        // A scope of a credential is never answered from a session.
        assert_eq!(
            suite.error(
                &browser
                    .get(&suite.authorize("openid membership", &[("prompt", "none")]))
                    .await
            ),
            "login_required"
        );
    })
    .await;
}

#[tokio::test]
async fn claims_asked_for_in_the_id_token_are_there() {
    on_sqlite(async |world| {
        let wallet = world.person("M-1").await;
        let claims = json!({ "id_token": { "membership_tier": null }, "userinfo": { "name": { "essential": true } } }).to_string();
        let shop = world.shop();
        let answer = same_device(&mut world.browser(), &wallet, &shop.authorize("openid membership", &[("claims", &claims)])).await;
        let tokens = shop.tokens(&shop.code(&answer)).await;
        assert_eq!(tokens.claims["membership_tier"], "gold");
        assert!(tokens.userinfo.get("name").is_none());
    })
    .await;
}

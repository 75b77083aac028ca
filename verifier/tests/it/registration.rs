//! Applications that register by themselves (RFC 7591): who may, and what.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::send;
use crate::world::registrar::{
    App, CALLBACK, ask, initial, metadata, post, with_more, with_registration,
};
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, log_in, same_device};
use crate::world::{World, on_sqlite};

async fn discovery(world: &World) -> Value {
    let path = "/.well-known/openid-configuration";
    ask(&world.router(), (Method::GET, path), None, None)
        .await
        .json()
}

fn refused_with(answer: &crate::world::browser::Answer, status: StatusCode, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.json()["error"], code, "{}", answer.body);
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
}

async fn count(world: &World) -> i64 {
    world.count("SELECT COUNT(*) FROM registered_clients").await
}

#[tokio::test]
async fn cat_377_registration_is_off_unless_the_operator_writes_it() {
    on_sqlite(async |world| {
        let token = initial(&world, 1).await;
        let answer = post(&world, Some(&token), &metadata(json!({}))).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        let router = world.router();
        let answer = ask(
            &router,
            (Method::GET, "/register/reg-1"),
            Some(&token),
            None,
        );
        assert_eq!(answer.await.status, StatusCode::NOT_FOUND);
        let document = discovery(&world).await;
        assert!(document.get("registration_endpoint").is_none());
        let on = "client_id_metadata_document_supported";
        assert!(document.get(on).is_none());
    })
    .await;
}

#[tokio::test]
async fn cat_377_only_who_holds_an_initial_access_token_registers() {
    with_registration(async |world| {
        let body = metadata(json!({}));
        let unauthorized = |answer: &crate::world::browser::Answer| {
            refused_with(answer, StatusCode::UNAUTHORIZED, "invalid_token");
            let challenge = &answer.headers[header::WWW_AUTHENTICATE];
            assert_eq!(challenge, "Bearer error=\"invalid_token\"");
        };
        unauthorized(&post(&world, None, &body).await);
        let good = initial(&world, 2).await;
        for wrong in ["x", &"x".repeat(43), &good[1..], &format!("{good}x")] {
            unauthorized(&post(&world, Some(wrong), &body).await);
        }
        let headers = [
            vec![format!("Basic {good}")],
            vec![format!("Bearer {good}"), format!("Bearer {good}")],
            vec![good.clone()],
        ];
        for headers in headers {
            let mut request = Request::post("/register").header("content-type", "application/json");
            for value in headers {
                request = request.header(header::AUTHORIZATION, value);
            }
            let request = request.body(Body::from(body.to_string())).unwrap();
            unauthorized(&send(&world.router(), request).await);
        }
        // What is refused uses nothing up.
        let public = metadata(json!({ "subject_type": "public" }));
        let refused = post(&world, Some(&good), &public).await;
        refused_with(&refused, StatusCode::BAD_REQUEST, "invalid_client_metadata");
        assert_eq!(count(&world).await, 0);
        for _ in 0..2 {
            App::register_with(&world, Some(&good), json!({})).await;
        }
        unauthorized(&post(&world, Some(&good), &body).await);
        // Neither does one work that was taken back, nor one that is over.
        let (id, taken) = (world.verifier.create_registration_token("t", 1, 60).await).unwrap();
        assert!(world.verifier.remove_registration_token(&id).await.unwrap());
        unauthorized(&post(&world, Some(&taken), &body).await);
        let over = initial(&world, 1).await;
        assert_eq!(world.verifier.registration_tokens().await.unwrap().len(), 1);
        world.clock.advance(3600);
        unauthorized(&post(&world, Some(&over), &body).await);
        assert!(
            world
                .verifier
                .registration_tokens()
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(count(&world).await, 2);
    })
    .await;
}

#[tokio::test]
async fn cat_377_one_use_is_one_application_however_many_ask_at_once() {
    with_registration(async |world| {
        let (token, body) = (initial(&world, 1).await, metadata(json!({})));
        let all = (0..20).map(|_| post(&world, Some(&token), &body));
        let answers = futures::future::join_all(all).await;
        let made = answers
            .iter()
            .filter(|one| one.status == StatusCode::CREATED);
        assert_eq!(made.count(), 1);
        assert_eq!(count(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn cat_377_addresses_inside_are_refused_and_never_asked() {
    with_registration(async |world| {
        let token = initial(&world, 1).await;
        for inside in [
            "https://127.0.0.1/x",
            "https://10.1.2.3/x",
            "https://[fd00::1]/x",
            "https://169.254.169.254/latest",
            "https://app.example:6379/x",
        ] {
            for more in [
                json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": inside }),
                json!({ "sector_identifier_uri": inside }),
                json!({ "backchannel_logout_uri": inside }),
            ] {
                let answer = post(&world, Some(&token), &metadata(more.clone())).await;
                refused_with(&answer, StatusCode::BAD_REQUEST, "invalid_client_metadata");
            }
        }
        // A logo is never fetched, wherever it is.
        let app = App::register_with(
            &world,
            Some(&token),
            json!({ "logo_uri": "https://logo.example/logo.png" }),
        );
        assert_eq!(app.await.told["logo_uri"], "https://logo.example/logo.png");
        assert_eq!(world.network.asked(), Vec::<String>::new());
        assert_eq!(world.network.key_set_fetches(), 0);
    })
    .await;
}

#[tokio::test]
async fn cat_353_redirect_uris_that_are_none() {
    with_registration(async |world| {
        let token = initial(&world, 1).await;
        for uri in [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://*.app.example/cb",
            "http://app.example/cb",
            "https://app.example/cb#x",
        ] {
            let body = metadata(json!({ "redirect_uris": [CALLBACK, uri] }));
            let answer = post(&world, Some(&token), &body).await;
            refused_with(&answer, StatusCode::BAD_REQUEST, "invalid_redirect_uri");
            assert!(!answer.body.contains(uri), "{}", answer.body);
        }
        assert_eq!(count(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn rfc_7591_section_3_bodies_that_are_none() {
    with_registration(async |world| {
        let token = initial(&world, 1).await;
        let bearer = format!("Bearer {token}");
        let good = metadata(json!({})).to_string();
        let twice = good.replacen('{', "{\"client_name\":\"Other\",", 1);
        for (media_type, body) in [
            ("application/json", "[]"),
            ("application/json", "{"),
            ("application/json", ""),
            ("application/json", twice.as_str()),
            ("application/x-www-form-urlencoded", good.as_str()),
            ("text/plain", good.as_str()),
        ] {
            let request = Request::post("/register")
                .header(header::CONTENT_TYPE, media_type)
                .header(header::AUTHORIZATION, &bearer)
                .body(Body::from(body.to_owned()))
                .unwrap();
            let answer = send(&world.router(), request).await;
            refused_with(&answer, StatusCode::BAD_REQUEST, "invalid_client_metadata");
        }
        let long = metadata(json!({ "padding": "x".repeat(70_000) }));
        let answer = post(&world, Some(&token), &long).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let statement = metadata(json!({ "software_statement": "a.b.c" }));
        let answer = post(&world, Some(&token), &statement).await;
        refused_with(
            &answer,
            StatusCode::BAD_REQUEST,
            "unapproved_software_statement",
        );
    })
    .await;
}

#[tokio::test]
async fn rfc_7591_a_registered_application_logs_people_in() {
    with_registration(async |world| {
        let endpoint = discovery(&world).await["registration_endpoint"].clone();
        assert_eq!(endpoint, format!("{}/register", crate::world::OP));
        let app = App::register(
            &world,
            json!({ "post_logout_redirect_uris": ["https://app.example/bye"] }),
        );
        let app = app.await;
        assert_eq!(app.told["client_secret_expires_at"], 0);
        assert_eq!(app.told["scope"], "openid membership offline_access");
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let rp = app.rp();
        let address = rp.push("openid membership offline_access", &[]).await;
        let answer = same_device(&mut browser, &wallet, &address).await;
        let body = rp.redeem(&rp.code(&answer)).await.json();
        let (access, refresh) = (
            body["access_token"].as_str(),
            body["refresh_token"].as_str(),
        );
        let (access, refresh) = (access.unwrap(), refresh.unwrap());
        assert_eq!(rp.introspect(access).await["active"], true);
        let userinfo = rp.userinfo(access).await.json();
        assert_eq!(userinfo["membership_tier"], "gold");
        let again = rp.refresh(refresh).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.body);
        // The account page knows it by name.
        let page = browser.get("/account").await;
        assert!(page.body.contains("The App"), "{}", page.body);
        assert_eq!(rp.revoke(access).await.status, StatusCode::OK);
        assert_eq!(rp.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
        // Out again, to where it wants.
        let hint = body["id_token"].as_str().unwrap();
        let bye = "https://app.example/bye";
        let out = [("id_token_hint", hint), ("post_logout_redirect_uri", bye)];
        let out = crate::world::browser::form(&out);
        let answer = browser.get(&format!("/logout?{out}")).await;
        assert_eq!(answer.location(), bye);
        // Nothing that it may not have.
        let answer = browser.get(&rp.authorize("openid age", &[])).await;
        assert_eq!(rp.error(&answer), "invalid_scope");
        let stripped = [("code_challenge", ""), ("code_challenge_method", "")];
        let answer = browser
            .get(&rp.authorize("openid membership", &stripped))
            .await;
        assert_eq!(rp.error(&answer), "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn rfc_6749_section_2_3_only_the_registered_method_counts() {
    with_registration(async |world| {
        let method = json!({ "token_endpoint_auth_method": "client_secret_post" });
        let app = App::register(&world, method).await;
        let (id, secret) = (app.text("client_id"), app.text("client_secret"));
        let basic = app.rp().post("/introspect", &[("token", "x")]).await;
        refused_with(&basic, StatusCode::UNAUTHORIZED, "invalid_client");
        let public = RelyingParty::new(world.router(), id, None, CALLBACK);
        let form = |secret| [("token", "x"), ("client_secret", secret)];
        let answer = public.post("/introspect", &form(secret)).await;
        assert_eq!(answer.json(), json!({ "active": false }));
        let answer = public.post("/introspect", &form("x")).await;
        refused_with(&answer, StatusCode::UNAUTHORIZED, "invalid_client");
        let answer = public.post("/introspect", &[("token", "x")]).await;
        refused_with(&answer, StatusCode::UNAUTHORIZED, "invalid_client");
        // One without a secret is one without a secret.
        let public = json!({ "token_endpoint_auth_method": "none" });
        let app = App::register(&world, public).await;
        assert!(app.told.get("client_secret").is_none());
        assert!(app.told.get("client_secret_expires_at").is_none());
        let wallet = world.person("M-2").await;
        let tokens = log_in(&mut world.browser(), &wallet, &app.rp(), "openid").await;
        assert!(tokens.userinfo.get("membership_tier").is_none());
    })
    .await;
}

#[tokio::test]
async fn secrets_and_tokens_are_kept_as_digests() {
    with_registration(async |world| {
        let initial = initial(&world, 2).await;
        let app = App::register_with(&world, Some(&initial), json!({})).await;
        let tables = [
            "SELECT metadata || COALESCE(secret_hash, '') || token_hash || COALESCE(initial_token, '') FROM registered_clients",
            "SELECT id || name || token_hash FROM registration_tokens",
        ];
        let (secret, token) = ("client_secret", "registration_access_token");
        for sql in tables {
            let rows = vouchsafe_service::each!(world.db, p => sqlx::query_scalar::<_, String>(sql)
                .fetch_all(p).await);
            let rows = rows.unwrap();
            assert_eq!(rows.len(), 1);
            for hidden in [initial.as_str(), app.text(secret), app.text(token)] {
                assert!(!rows[0].contains(hidden), "{sql}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_registers_as_somebody_else() {
    with_registration(async |world| {
        let wanted = json!({ "client_id": "shop", "client_secret": "mine-0123456789abcdef" });
        let app = App::register(&world, wanted).await;
        assert!(app.text("client_id").starts_with("reg-"));
        assert_ne!(app.text("client_secret"), "mine-0123456789abcdef");
        // Even a row of that name changes nothing: the configuration comes first.
        world
            .db
            .write(async |tx| {
                vouchsafe_service::execute!(
                    tx,
                    sqlx::query("UPDATE registered_clients SET id = 'shop'")
                )
            })
            .await
            .unwrap();
        let (_, page) = begin(
            &mut world.browser(),
            &world.shop().authorize("openid age", &[]),
        )
        .await;
        assert!(page.body.contains("127.0.0.1"), "{}", page.body);
        assert!(!page.body.contains("The App"), "{}", page.body);
    })
    .await;
}

#[tokio::test]
async fn registration_section_5_sectors_of_several_hosts() {
    with_registration(async |world| {
        let (list, other) = ("https://app.example/list", "https://other.example/cb");
        let uris = json!([CALLBACK, other]);
        let body = metadata(json!({ "redirect_uris": uris }));
        let token = initial(&world, 3).await;
        let answer = post(&world, Some(&token), &body).await;
        refused_with(&answer, StatusCode::BAD_REQUEST, "invalid_client_metadata");
        let more = json!({ "redirect_uris": uris, "sector_identifier_uri": list });
        for published in [
            None,
            Some("{}"),
            Some("[]"),
            Some(r#"["https://app.example/cb"]"#),
        ] {
            let published = published.map(|text: &str| (text.to_owned(), None));
            world.network.publish_document(list, published);
            let answer = post(&world, Some(&token), &metadata(more.clone())).await;
            refused_with(&answer, StatusCode::BAD_REQUEST, "invalid_client_metadata");
        }
        world
            .network
            .publish_document(list, Some((uris.to_string(), None)));
        let both = App::register_with(&world, Some(&token), more).await;
        let one = json!({ "sector_identifier_uri": list });
        let one = App::register_with(&world, Some(&token), one).await;
        // One sector, one name of the person.
        let wallet = world.person("M-1").await;
        let first = log_in(&mut world.browser(), &wallet, &both.rp(), "openid").await;
        let second = log_in(&mut world.browser(), &wallet, &one.rp(), "openid").await;
        assert_eq!(first.sub(), second.sub());
        // Who only names the address of another one is not told what that one calls a person.
        let alone = App::register_with(&world, Some(&token), json!({})).await;
        let alone = log_in(&mut world.browser(), &wallet, &alone.rp(), "openid").await;
        assert_ne!(alone.sub(), first.sub());
        // Applications on somebody's own machine share none.
        let native = |port: u16| {
            json!({
                "application_type": "native", "token_endpoint_auth_method": "none",
                "redirect_uris": [format!("http://127.0.0.1:{port}/cb")],
            })
        };
        let a = App::register(&world, native(4001)).await;
        let b = App::register(&world, native(4001)).await;
        let a = log_in(&mut world.browser(), &wallet, &a.rp(), "openid").await;
        let b = log_in(&mut world.browser(), &wallet, &b.rp(), "openid").await;
        assert!(a.sub() != b.sub() && a.sub() != first.sub());
    })
    .await;
}

#[tokio::test]
async fn cat_383_what_an_application_says_of_itself_is_text() {
    with_registration(async |world| {
        let app = App::register(
            &world,
            json!({
                "client_name": "<script>alert(1)</script>",
                "client_name#de": "<b>Die App</b>",
                "policy_uri": "https://app.example/privacy?<script>",
                "tos_uri#de": "https://app.example/agb",
                "logo_uri": "https://app.example/logo.png",
            }),
        );
        let rp = app.await.rp();
        let (_, page) = begin(
            &mut world.browser(),
            &rp.authorize("openid membership", &[]),
        )
        .await;
        page.assert_page(StatusCode::OK, "&lt;script&gt;alert(1)&lt;");
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
        assert!(!page.body.contains("?<script>"), "{}", page.body);
        // No link and no picture of it.
        for attribute in ["href=\"https:", "src=\"https:", "<img"] {
            assert!(!page.body.contains(attribute), "{}", page.body);
        }
        assert!(page.body.contains("logo.png"), "{}", page.body);
        assert!(!page.body.contains("id=\"unvouched\""), "{}", page.body);
        let mut german = world.browser().speaking("de");
        let (_, page) = begin(&mut german, &rp.authorize("openid membership", &[])).await;
        assert!(page.body.contains("Die App") && page.body.contains("agb"));
    })
    .await;
}

const OPEN: &str = r#"
[registration]
open = true
open_per_minute = 3
most_open_clients = 2
allowed_scopes = ["membership"]
cross_device = true
"#;

const OPEN_TO_LOG_IN: &str = r#"
[registration]
open = true
default_query = "member-login"
allowed_scopes = ["membership"]
"#;

#[tokio::test]
async fn a_session_alone_answers_nobody_whom_nobody_vouches_for() {
    with_more(OPEN_TO_LOG_IN, async |world| {
        let wallet = world.person("M-1").await;
        let mut browser = world.browser();
        let vouched = App::register(&world, json!({})).await;
        log_in(&mut browser, &wallet, &vouched.rp(), "openid").await;
        let silently = |rp: &RelyingParty| rp.authorize("openid", &[("prompt", "none")]);
        let rp = vouched.rp();
        let answer = browser.get(&silently(&rp)).await;
        assert!(!rp.code(&answer).is_empty());
        let stranger = App::register_with(&world, None, json!({})).await;
        let rp = stranger.rp();
        let answer = browser.get(&silently(&rp)).await;
        assert_eq!(rp.error(&answer), "consent_required");
        // With a page they are let in, having seen who asks.
        let tokens = log_in(&mut browser, &wallet, &rp, "openid").await;
        assert!(!tokens.sub().is_empty());
    })
    .await;
}

#[tokio::test]
async fn cat_377_an_open_registration_is_limited_and_people_are_told() {
    with_more(OPEN, async |world| {
        let app = App::register_with(&world, None, json!({})).await;
        // What was not offered does not hold.
        assert_eq!(app.told["scope"], "openid membership");
        assert_eq!(app.told["grant_types"], json!(["authorization_code"]));
        let rp = app.rp();
        let (_, page) = begin(
            &mut world.browser(),
            &rp.authorize("openid membership", &[]),
        )
        .await;
        assert!(page.body.contains("id=\"unvouched\""), "{}", page.body);
        assert!(page.body.contains("app.example"), "{}", page.body);
        assert!(!page.body.contains("id=\"other-device\""), "{}", page.body);
        // A token that is none is refused here too.
        let answer = post(&world, Some(&"x".repeat(43)), &metadata(json!({}))).await;
        refused_with(&answer, StatusCode::UNAUTHORIZED, "invalid_token");
        App::register_with(&world, None, json!({})).await;
        let answer = post(&world, None, &metadata(json!({}))).await;
        let code = "temporarily_unavailable";
        refused_with(&answer, StatusCode::SERVICE_UNAVAILABLE, code);
        // However slow this machine is, twenty of them are more than a network has.
        let mut answer = answer;
        for _ in 0..20 {
            answer = post(&world, None, &metadata(json!({}))).await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                break;
            }
        }
        refused_with(&answer, StatusCode::TOO_MANY_REQUESTS, code);
        assert!(answer.headers.contains_key(header::RETRY_AFTER));
        // Whoever has a token is not held up by them.
        let app = App::register(&world, json!({})).await;
        let rp = app.rp();
        let (_, page) = begin(
            &mut world.browser(),
            &rp.authorize("openid membership", &[]),
        )
        .await;
        assert!(!page.body.contains("id=\"unvouched\""), "{}", page.body);
        assert!(page.body.contains("id=\"other-device\""), "{}", page.body);
    })
    .await;
}

const OPEN_FOR_A_WEEK: &str = r#"
[registration]
open = true
open_per_minute = 20
unused_open_days = 7
allowed_scopes = ["membership"]
"#;

#[tokio::test]
async fn cat_377_open_registrations_that_nobody_uses_go() {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let world = World::with_config(db, |toml| toml + OPEN_FOR_A_WEEK).await;
        let wallet = world.person("M-1").await;
        let open = async || App::register_with(&world, None, json!({})).await;
        let (unused, used, changed) = (open().await, open().await, open().await);
        let with_token = App::register(&world, json!({})).await;
        log_in(
            &mut world.browser(),
            &wallet,
            &used.rp(),
            "openid membership",
        )
        .await;
        let day = 86_400;
        let tidy = async || world.verifier.run_background_once().await.unwrap();
        world.clock.advance(6 * day);
        let mut body = metadata(json!({}));
        body["client_id"] = changed.told["client_id"].clone();
        let answer = changed.manage(Method::PUT, Some(&body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        tidy().await;
        assert_eq!(count(&world).await, 4);
        world.clock.advance(2 * day);
        tidy().await;
        assert_eq!(count(&world).await, 3);
        let gone = unused.manage(Method::GET, None).await;
        refused_with(&gone, StatusCode::UNAUTHORIZED, "invalid_token");
        // One that was changed counts from then on; one that somebody logged in to stays, however
        // long ago that was, and so does one that an operator let in.
        world.clock.advance(400 * day);
        tidy().await;
        assert_eq!(count(&world).await, 2);
        for kept in [&used, &with_token] {
            let answer = kept.manage(Method::GET, None).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        }
    })
    .await;
}

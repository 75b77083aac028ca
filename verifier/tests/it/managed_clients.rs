//! Applications that administrators keep over REST: who may, what is refused, and no change that is lost.

use axum::http::{Method, StatusCode, header};
use futures::future::join_all;
use serde_json::{Value, json};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::admin::{ALL, Admin, CALLBACK, on_each_database, refused, settings, tag};
use crate::world::registrar::with_more;
use crate::world::rest::CALLERS;
use crate::world::steps::log_in;
use crate::world::{World, on_sqlite};

async fn on_one(test: impl AsyncFn(World)) {
    with_more(crate::world::admin::ADMINISTRATION, test).await;
}

/// Every route of administration, with the scope that it needs.
fn routes() -> [(Method, String, &'static str); 9] {
    let session = format!("/v1/sessions/{}", "s".repeat(43));
    [
        (Method::GET, "/v1/clients".to_owned(), "clients:read"),
        (Method::GET, "/v1/clients/app".to_owned(), "clients:read"),
        (Method::PUT, "/v1/clients/app".to_owned(), "clients:write"),
        (
            Method::DELETE,
            "/v1/clients/app".to_owned(),
            "clients:write",
        ),
        (
            Method::POST,
            "/v1/clients/app/secret".to_owned(),
            "clients:write",
        ),
        (
            Method::GET,
            "/v1/sessions?client=app".to_owned(),
            "sessions:read",
        ),
        (Method::DELETE, session, "sessions:end"),
        (Method::GET, "/v1/keys".to_owned(), "keys:read"),
        (Method::GET, "/v1/trust".to_owned(), "trust:read"),
    ]
}

#[tokio::test]
async fn without_the_section_there_is_nothing() {
    on_sqlite(async |world| {
        let admin = Admin::new(&world).await;
        for (method, path, _) in routes() {
            let answer = admin.send((method, &path), &[], Some("{}")).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn each_route_needs_its_own_scope_and_no_other_opens_it() {
    let both = format!("{CALLERS}\n[administration]\n");
    let both: &'static str = Box::leak(both.into_boxed_str());
    with_more(both, async |world| {
        for (method, path, needed) in routes() {
            let body = settings(json!({})).to_string();
            let others: Vec<&str> = ALL.into_iter().filter(|one| *one != needed).collect();
            let other = Admin::with(&world, &others).await;
            let answer = other.send((method.clone(), &path), &[], Some(&body)).await;
            refused(&answer, 403, "forbidden");
            let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
            assert!(challenge.contains(needed), "{path}: {challenge}");
            // A key for verifications, and one for the numbers.
            for (id, scopes) in [("door", &[][..]), ("numbers", &["numbers:read"][..])] {
                let key = crate::world::rest::Caller::with_scopes(&world, id, scopes).await;
                let request = key.request(method.clone(), &path);
                let request = request.header(header::CONTENT_TYPE, "application/json");
                let body = axum::body::Body::from(body.clone());
                let answer =
                    crate::world::browser::send(&world.router(), request.body(body).unwrap()).await;
                refused(&answer, 403, "forbidden");
            }
            let nobody = axum::http::Request::builder().method(method).uri(&path);
            let nobody = nobody.body(axum::body::Body::empty()).unwrap();
            let answer = crate::world::browser::send(&world.router(), nobody).await;
            refused(&answer, 401, "unauthorized");
        }
        // And a key for administration asks no wallet.
        let admin = Admin::new(&world).await;
        let answer = admin.get("/v1/verifications/x").await;
        refused(&answer, 401, "unauthorized");
        assert_eq!(world.count("SELECT COUNT(*) FROM managed_clients").await, 0);
    })
    .await;
}

#[tokio::test]
async fn cat_395_no_change_of_somebody_else_is_lost() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        let made = admin.made("app").await;
        let again = settings(json!({ "name": "Another" }));
        refused(
            &admin.put("app", &[], &again).await,
            428,
            "if_match_required",
        );
        let absent = [("if-none-match", "*")];
        refused(
            &admin.put("app", &absent, &again).await,
            412,
            "version_mismatch",
        );
        let gone = [("if-match", "\"no-such-tag\"")];
        refused(
            &admin.put("app", &gone, &again).await,
            412,
            "version_mismatch",
        );
        refused(
            &admin.put("nobody", &gone, &again).await,
            412,
            "version_mismatch",
        );
        refused(
            &admin.delete("/v1/clients/app", &gone).await,
            412,
            "version_mismatch",
        );
        for malformed in ["x", "*", "\"\"", "W/\"x\"", "\"a\", \"b\"", "\"a"] {
            let answer = admin.put("app", &[("if-match", malformed)], &again).await;
            refused(&answer, 400, "invalid_condition");
        }
        let two = [("if-match", made.tag.as_str()), ("if-none-match", "*")];
        refused(
            &admin.put("app", &two, &again).await,
            400,
            "invalid_condition",
        );
        // Of twenty changes of one state one is made.
        let changes = (0..20).map(|number| {
            let body = settings(json!({ "name": format!("Name {number}") }));
            let (admin, tag) = (&admin, made.tag.clone());
            async move { admin.put("app", &[("if-match", tag.as_str())], &body).await }
        });
        let answers = join_all(changes).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers
            .into_iter()
            .partition(|answer| answer.status == StatusCode::OK);
        assert_eq!(good.len(), 1);
        bad.iter()
            .for_each(|answer| refused(answer, 412, "version_mismatch"));
        let read = admin.get("/v1/clients/app").await;
        assert_eq!(read.json()["settings"], good[0].json()["settings"]);
        assert_eq!(tag(&read), tag(&good[0]));
        assert_ne!(tag(&read), made.tag);
        // And of twenty that make one, at two processes.
        let other = world.another_process().await.router();
        let elsewhere = Admin::new(&world).await.at(other);
        let body = settings(json!({}));
        let makers = (0..20).map(|number| {
            let admin = if number % 2 == 0 { &admin } else { &elsewhere };
            admin.put("fresh", &[], &body)
        });
        let answers = join_all(makers).await;
        let made = answers
            .iter()
            .filter(|one| one.status == StatusCode::CREATED);
        assert_eq!(made.count(), 1);
        let late = answers
            .iter()
            .filter(|one| one.status != StatusCode::CREATED);
        late.for_each(|answer| refused(answer, 428, "if_match_required"));
        let audited = "SELECT COUNT(*) FROM audit_event WHERE action = 'client.put'";
        assert_eq!(world.count(audited).await, 3);
    })
    .await;
}

#[tokio::test]
async fn cat_316_where_nothing_is_signed_nobody_answers_from_another_device() {
    const UNSIGNED: &str = r#"
[administration]
[wallet]
digital_credentials = ["openid4vp-v1-unsigned"]
[presentation]
profile = "open"
client_id_prefix = "redirect_uri"
"#;
    // Nothing of the file may ask another device.
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    let same = |toml: String| {
        let toml = toml.replace("cross_device = true", "cross_device = false");
        toml + UNSIGNED
    };
    let world = World::with_config(temporary.db.clone(), same).await;
    let admin = Admin::new(&world).await;
    let body = settings(json!({ "cross_device": true }));
    let answer = admin.put("app", &[], &body).await;
    refused(&answer, 422, "invalid_client");
    let title = answer.json()["title"].as_str().unwrap().to_owned();
    assert!(title.contains("cross_device must not be set"), "{title}");
    admin.made("app").await;
}

#[tokio::test]
async fn what_the_configuration_refuses_is_refused_here() {
    on_one(async |world| {
        let admin = Admin::new(&world).await;
        let keys = json!({ "keys": [] });
        for hostile in [
            json!({ "redirect_uris": ["javascript:alert(1)"] }),
            json!({ "redirect_uris": ["https://app.example/cb#x"] }),
            json!({ "redirect_uris": ["https://app.example/*"] , "sector": null, "scopes": ["no-such"] }),
            json!({ "redirect_uris": ["http://app.example/cb"] }),
            json!({ "redirect_uris": ["https://user@app.example/cb"] }),
            json!({ "redirect_uris": [] }),
            json!({ "redirect_uris": [CALLBACK, "https://other.example/cb"] }),
            json!({ "post_logout_redirect_uris": ["data:text/html,x"] }),
            json!({ "backchannel_logout_uri": "http://10.0.0.1/x" }),
            json!({ "backchannel_logout_uri": "file:///etc/passwd" }),
            json!({ "jwks_uri": "ftp://app.example/keys" }),
            json!({ "jwks": keys }),
            json!({ "public": true, "jwks_uri": "https://app.example/keys" }),
            json!({ "public": true, "pkce": "optional" }),
            json!({ "scopes": ["no-such-scope"] }),
            json!({ "scopes": [], "default_query": null }),
            json!({ "default_query": "no-such-query" }),
            json!({ "attributes": ["no-such-attribute"] }),
            json!({ "name": "" }),
            json!({ "name": "The \u{202e}App" }),
            json!({ "name": "The \u{0}App" }),
            json!({ "consent": { "expires_days": 0 } }),
            json!({ "sector": "" }),
        ] {
            let answer = admin.put("app", &[], &settings(hostile.clone())).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{hostile}: {}", answer.body);
            refused(&answer, 422, "invalid_client");
        }
        // Members that are none, or that would read files of the machine or take a secret of somebody's choice.
        for (name, value) in [
            ("secret", json!("chosen-by-somebody-0123456789")),
            ("secret_file", json!("/etc/passwd")),
            ("jwks_file", json!("/etc/passwd")),
            ("profile", json!("fapi2")),
            ("security_events", json!(true)),
            ("id", json!("app")),
            ("nmae", json!("x")),
        ] {
            let answer = admin.put("app", &[], &settings(json!({ name: value }))).await;
            refused(&answer, 400, "invalid_body");
        }
        for body in ["", "[]", "{", "{\"name\":\"a\",\"name\":\"b\"}", "null"] {
            let answer = admin.send((Method::PUT, "/v1/clients/app"), &[], Some(body)).await;
            refused(&answer, 400, "invalid_body");
        }
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answer = admin.put("app", &form, &settings(json!({}))).await;
        refused(&answer, 415, "unsupported_media_type");
        let long = settings(json!({ "name": "x".repeat(70_000) }));
        refused(&admin.put("app", &[], &long).await, 413, "body_too_long");
        let longest = "x".repeat(129);
        for id in [
            "reg-1", "other", "-app", ".app", "app%20x", "%C3%A9", "shop-api", "a:b", longest.as_str(),
        ] {
            let answer = admin.put(id, &[], &settings(json!({}))).await;
            refused(&answer, 422, "invalid_client_id");
        }
        assert_eq!(world.count("SELECT COUNT(*) FROM managed_clients").await, 0);
    })
    .await;
}

#[tokio::test]
async fn those_of_the_configuration_are_read_here_and_changed_there() {
    on_one(async |world| {
        let admin = Admin::new(&world).await;
        let shop = admin.get("/v1/clients/shop").await;
        assert_eq!(shop.status, StatusCode::OK);
        assert!(!shop.headers.contains_key(header::ETAG));
        let told = shop.json();
        assert_eq!(told["kept_in"], "configuration");
        assert_eq!(told["authentication"], "secret");
        assert_eq!(
            told["settings"]["redirect_uris"],
            json!(["http://127.0.0.1:9000/cb"])
        );
        assert!(!shop.body.contains("shop-secret"));
        let body = settings(json!({}));
        refused(
            &admin.put("shop", &[], &body).await,
            409,
            "configured_client",
        );
        refused(
            &admin.delete("/v1/clients/shop", &[]).await,
            409,
            "configured_client",
        );
        let tagged = [("if-match", "\"x\"")];
        refused(
            &admin.rotate("shop", &tagged, &json!({})).await,
            409,
            "configured_client",
        );
        refused(&admin.get("/v1/clients/nobody").await, 404, "not_found");
        refused(&admin.get("/v1/clients/a%00b").await, 404, "not_found");
    })
    .await;
}

#[tokio::test]
async fn cat_388_an_application_is_in_force_at_once_in_every_process() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        let other = world.another_process().await.router();
        let made = admin.made("app").await;
        let wallet = world.person("M-1").await;
        let mut browser = world.browser().at(other.clone());
        let tokens = log_in(&mut browser, &wallet, &made.rp(), "openid membership").await;
        assert_eq!(tokens.claims["aud"], "app");
        assert_eq!(tokens.userinfo["membership_tier"], "gold");
        // A redirect URI that is gone is gone with the next request.
        let moved = settings(json!({ "redirect_uris": ["https://app.example/new"] }));
        let current = [("if-match", made.tag.as_str())];
        let answer = admin.put("app", &current, &moved).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert!(answer.json().get("client_secret").is_none());
        let address = made.rp().authorize("openid membership", &[]);
        let page = world.browser().at(other.clone()).get(&address).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        // Stopped, as one that registered.
        let address = made.rp().authorize(
            "openid membership",
            &[("redirect_uri", "https://app.example/new")],
        );
        let on = world.browser().at(other.clone()).get(&address).await;
        assert_eq!(on.status, StatusCode::SEE_OTHER);
        assert!(world.verifier.disable_client("app").await.unwrap());
        let off = world.browser().at(other.clone()).get(&address).await;
        assert_eq!(off.status, StatusCode::BAD_REQUEST);
        assert_eq!(admin.get("/v1/clients/app").await.json()["served"], false);
        assert!(world.verifier.enable_client("app").await.unwrap());
        let on = world.browser().at(other).get(&address).await;
        assert_eq!(on.status, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn cat_392_pages_of_a_list_have_each_application_once() {
    on_each_database(async |world| {
        let admin = Admin::new(&world).await;
        for id in ["app-1", "App-2", "z.app", "app_3"] {
            admin.made(id).await;
        }
        let all = admin.get("/v1/clients?limit=200").await.json();
        let ids = |page: &Value| -> Vec<String> {
            let items = page["items"].as_array().unwrap().iter();
            items
                .map(|one| one["id"].as_str().unwrap().to_owned())
                .collect()
        };
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = admin
                .get(&format!("/v1/clients?limit=3{after}"))
                .await
                .json();
            assert!(ids(&page).len() <= 3);
            seen.extend(ids(&page));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, ids(&all));
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 12);
        for wrong in [
            "limit=0",
            "limit=201",
            "limit=x",
            "limit=",
            "after=",
            "sort=id",
            "limit=1&limit=2",
            "after=%00",
            "after=a%20b",
            "id=app",
        ] {
            refused(
                &admin.get(&format!("/v1/clients?{wrong}")).await,
                400,
                "invalid_query",
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_in_force_can_be_read() {
    on_one(async |world| {
        let admin = Admin::new(&world).await;
        let keys = admin.get("/v1/keys").await.json();
        let keys = keys["items"].as_array().unwrap();
        let algorithms: Vec<_> = keys.iter().map(|key| key["jwk"]["alg"].clone()).collect();
        assert_eq!(algorithms, ["RS256", "ES256"]);
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(keys.iter().all(|key| key["jwk"].get(private).is_none()));
        }
        let trust = admin.get("/v1/trust").await.json();
        assert_eq!(trust["items"][0]["id"], "https://club.example");
        assert_eq!(trust["items"][0]["types"][1], "urn:vouchsafe:membership:1");
        let queries = admin.get("/v1/queries").await.json();
        assert_eq!(queries["items"][0]["id"], "age");
        assert_eq!(queries["items"][0]["subject"], "guest");
        for path in ["/v1/keys", "/v1/trust", "/v1/queries"] {
            refused(
                &admin.get(&format!("{path}?x=1")).await,
                400,
                "invalid_query",
            );
            let answer = admin.send((Method::POST, path), &[], Some("{}")).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        }
        let described = admin.get("/openapi.json").await.json();
        let paths = described["paths"].as_object().unwrap();
        assert!(paths.contains_key("/v1/clients/{id}"));
        assert!(!paths.contains_key("/v1/verifications"));
    })
    .await;
}

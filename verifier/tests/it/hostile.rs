//! Every route with requests that nobody should send: no server error, no panic.

use axum::http::Method;
use serde_json::Value;
use tower::ServiceExt as _;
use vouchsafe_service::http::hostile::{Hostile, Route};

use crate::world::admin::{ALL, Admin};
use crate::world::registrar::with_more;
use crate::world::rest::CALLERS;
use crate::world::steps::{begin, wallet_link};

const OPEN: &str = r#"
[registration]
open = true
open_per_minute = 1000000
allowed_scopes = ["membership"]

[client_documents]
any = true
allowed_scopes = ["membership"]
"#;

const AUTHORIZE: [&str; 12] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "id_token_hint",
    "claims",
];

fn routes() -> Vec<Route> {
    let get = |path, fields: &[&str]| Route::new(Method::GET, path, fields);
    let post = |path, fields: &[&str]| Route::new(Method::POST, path, fields);
    vec![
        get("/.well-known/openid-configuration", &[]),
        get("/.well-known/oauth-authorization-server", &[]),
        get("/jwks", &[]),
        get("/authorize", &AUTHORIZE),
        post("/authorize", &AUTHORIZE),
        post("/par", &AUTHORIZE),
        post(
            "/token",
            &[
                "grant_type",
                "code",
                "redirect_uri",
                "code_verifier",
                "client_id",
                "client_secret",
            ],
        ),
        post(
            "/introspect",
            &["token", "token_type_hint", "client_id", "client_secret"],
        ),
        post(
            "/revoke",
            &["token", "token_type_hint", "client_id", "client_secret"],
        ),
        get("/userinfo", &["access_token"]),
        post("/userinfo", &["access_token"]),
        get(
            "/logout",
            &[
                "id_token_hint",
                "post_logout_redirect_uri",
                "state",
                "client_id",
            ],
        ),
        post("/logout", &["id_token_hint", "csrf"]),
        get("/login/{transaction}", &[]),
        get("/login/{transaction}/qr", &[]),
        post("/login/{transaction}/number", &["csrf", "number"]),
        post("/login/{transaction}/cancel", &["csrf"]),
        post(
            "/login/{transaction}/ask",
            &["csrf", "turn", "skip", "wallet", "card", "agree"],
        ),
        post(
            "/login/{transaction}/agree",
            &["csrf", "turn", "agree", "decline"],
        ),
        post("/login/{transaction}/identify", &["csrf", "turn", "hint"]),
        post("/login/{transaction}/passkey", &["csrf", "turn"]),
        get("/login/{transaction}/events", &["view"]),
        get("/login/{transaction}/leave", &[]),
        post("/login/{transaction}/leave", &["csrf"]),
        get("/login/{transaction}/again", &[]),
        post("/login/{transaction}/dc-api", &["csrf"]),
        post(
            "/login/{transaction}/dc-api/{request}",
            &["protocol", "data"],
        ),
        get("/vp/request/{request}", &[]),
        post(
            "/vp/request/{request}",
            &["wallet_nonce", "wallet_metadata"],
        ),
        post(
            "/vp/response/{request}",
            &["response", "error", "state", "vp_token"],
        ),
        get("/vp/return", &["response_code"]),
        get("/vp/number", &[]),
        get("/account", &[]),
        post("/account/consents/{consent}/withdraw", &["csrf"]),
        post("/account/sessions/{session}/end", &["csrf"]),
        Route::new(Method::DELETE, "/consents/{token}", &[]),
        post("/register", &["redirect_uris", "client_name", "scope"]),
        get("/register/{client}", &[]),
        Route::new(Method::PUT, "/register/{client}", &["client_id"]),
        Route::new(Method::DELETE, "/register/{client}", &[]),
        get("/healthz", &[]),
        get("/readyz", &[]),
    ]
}

#[tokio::test]
async fn cat_124_no_request_brings_a_server_error() {
    let full = std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1");
    let (seed, count) = (124, if full { 100_000 } else { 2_000 });
    with_more(OPEN, async |world| {
        let shop = world.shop();
        let mut browser = world.browser();
        let (path, page) = begin(&mut browser, &shop.authorize("openid membership", &[])).await;
        let link = wallet_link(&page);
        let question = link.rsplit("%2F").next().unwrap_or_default().to_owned();
        let mut hostile = Hostile::new(&Value::Null, seed);
        let shop_secret = "Basic c2hvcDpzaG9wLXNlY3JldC0wMTIzNDU2Nzg5";
        hostile.credentials = vec![shop_secret.to_owned(), "Bearer abc".to_owned()];
        hostile.known = [
            "shop",
            "openid%20membership",
            "code",
            "query",
            "S256",
            "none",
            "login",
        ]
        .map(str::to_owned)
        .into();
        let redirect_uri = "http%3A%2F%2F127.0.0.1%3A9000%2Fcb";
        hostile.known.push(redirect_uri.to_owned());
        hostile
            .known
            .push("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned());
        hostile
            .known
            .push(path.trim_start_matches("/login/").to_owned());
        hostile.known.push(question);
        let routes = routes();
        let mut well = 0;
        for number in 0..count {
            let request = hostile.request(&routes);
            let shown = format!("{} {}", request.method(), request.uri());
            let response = world.router().oneshot(request).await.unwrap();
            let status = response.status();
            assert!(
                !status.is_server_error(),
                "request {number} of seed {seed}: {shown}: {status}"
            );
            well += usize::from(status.is_success());
        }
        // Some get through, so the others fail for what is wrong with them.
        assert!((count / 20..count).contains(&well), "{well} of {count}");
    })
    .await;
}

/// Verifications, numbers and administration, as they describe themselves.
#[tokio::test]
async fn cat_124_nor_does_one_over_rest() {
    let full = std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1");
    let (seed, count) = (124, if full { 100_000 } else { 2_000 });
    let all = format!("{CALLERS}\n[numbers]\n\n[administration]\n");
    with_more(Box::leak(all.into_boxed_str()), async |world| {
        let scopes = ["verifications:read", "verifications:write", "numbers:read"];
        let scopes: Vec<String> = scopes
            .iter()
            .chain(&ALL)
            .map(|&one| one.to_owned())
            .collect();
        let key = world
            .verifier
            .create_api_key("door", &scopes)
            .await
            .unwrap();
        let admin = Admin::new(&world).await;
        let made = admin.made("app").await;
        let document = admin.get("/openapi.json").await.json();
        let mut hostile = Hostile::new(&document, seed);
        hostile.credentials = vec![format!("Bearer {}", key.key)];
        hostile.known = ["shop", "app", "age", "x".repeat(43).as_str()]
            .map(str::to_owned)
            .into();
        hostile.known.push(made.tag);
        let routes = Route::of_document(&document);
        let mut well = 0;
        for number in 0..count {
            let request = hostile.request(&routes);
            let shown = format!("{} {}", request.method(), request.uri());
            let response = world.router().oneshot(request).await.unwrap();
            let status = response.status();
            assert!(
                !status.is_server_error(),
                "request {number} of seed {seed}: {shown}: {status}"
            );
            well += usize::from(status.is_success());
        }
        // Most name nothing that is there, and lists refuse what they do not know.
        assert!((count / 200..count).contains(&well), "{well} of {count}");
    })
    .await;
}

//! `<wallet-login>` in a real browser: the static page of a business at another origin, under a
//! strict content security policy, logs a person in at the real login service.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vouchsafe_tests::database::Kind;
use vouchsafe_tests::hand::form_body;
use vouchsafe_tests::peer::{self, Peer};
use vouchsafe_tests::world::{Options, World};

const COMPONENT: &str = "/components/wallet-login/1.js";

/// What the page does itself: it notes what it is told.
const SCRIPT: &str = r#"
const told = document.getElementById("told");
const note = (event) => {
  told.textContent = JSON.stringify(event.detail);
  told.setAttribute("data-event", event.type);
  told.setAttribute("data-times", Number(told.getAttribute("data-times")) + 1);
};
for (const login of document.querySelectorAll("wallet-login")) {
  login.addEventListener("success", note);
  login.addEventListener("error", note);
}
addEventListener("load", () => setTimeout(() => setTimeout(() => document.querySelector("main").id = "loaded")));
"#;

fn page(provider: &str, origin: &str, more: &str) -> String {
    format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,"></head>
<body><main><h1>A shop</h1>
{more}
<wallet-login issuer="{provider}" client-id="shop" redirect-uri="{origin}/callback" scope="openid age" label="Log in with your card"></wallet-login>
<p id="told" role="status"></p></main>
<script type="module" src="{provider}{COMPONENT}"></script>
<script type="module" src="/page.js"></script></body></html>"#
    )
}

/// The business: one page, one script, no cookie, and a policy that allows nothing else.
async fn business(provider: &str, origin: &str) -> Result<()> {
    let policy = format!(
        "default-src 'none'; script-src 'self' {provider}; img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    );
    let other = format!(
        r#"<wallet-login issuer="https://other.example" client-id="shop" redirect-uri="{origin}/callback"></wallet-login>"#
    );
    let two = Html(page(provider, origin, &other));
    let html = page(provider, origin, "");
    let page = move || {
        let (html, policy) = (html.clone(), policy.clone());
        async move {
            let isolated = header::HeaderName::from_static("cross-origin-embedder-policy");
            let headers = [
                (header::CONTENT_SECURITY_POLICY, policy),
                (isolated, "require-corp".to_owned()),
            ];
            (headers, Html(html)).into_response()
        }
    };
    let script = async || ([(header::CONTENT_TYPE, "text/javascript")], SCRIPT);
    let router = Router::new()
        .route("/", get(page.clone()))
        .route("/callback", get(page))
        .route("/two", get(async move || two))
        .route("/page.js", get(script));
    let at = origin.strip_prefix("http://").context("no http")?;
    let listener = tokio::net::TcpListener::bind(at).await?;
    tokio::spawn(async move {
        // An error here shows as a page that does not load.
        axum::serve(listener, router).await.ok();
    });
    Ok(())
}

#[tokio::test]
async fn a_static_page_of_another_origin_logs_a_person_in() {
    let Some(script) = peer::script("playwright-core", "wallet-login.mjs") else {
        return;
    };
    play(&script).await.unwrap();
}

async fn play(script: &Path) -> Result<()> {
    let world = World::with(Options {
        clients: vec![("shop", "127.0.0.2")],
        ..Options::new(Kind::Sqlite)
    })
    .await?;
    let registration = world.registration("shop").context("no shop")?.clone();
    let (provider, origin) = (world.verifier_url.clone(), registration.origin.clone());
    business(&provider, &origin).await?;
    let wallet = world.wallet()?;
    wallet
        .take(&world.admin().offer_age("crm-1").await?.link, None)
        .await?;
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/web-component/wallet-login.js");
    let file = file.to_str().context("no path")?;
    let environment = [
        ("BUSINESS", origin.as_str()),
        ("ISSUER", &provider),
        ("COMPONENT", file),
    ];
    let mut browser = Peer::start(script, &environment)?;
    ensure!(browser.says().await?["is"] == "function");
    let seen = browser.says().await?;
    let expected = json!({ "step": "page", "name": 1, "violations": [] });
    ensure!(seen == expected, "{seen}");

    let begun = browser.says().await?;
    ensure!(begun["focused"] == "wallet-login", "{begun}");
    let link = begun["link"].as_str().context("no link")?;
    let shown = wallet.show(link).await?;
    browser.hears(shown.redirect_uri.as_str()).await?;
    let back = browser.says().await?;
    ensure!(back["event"] == "success", "{back}");
    // Neither in the address, nor in a store, nor in a cookie does anything stay.
    ensure!(back["url"] == format!("{origin}/callback"), "{back}");
    ensure!(
        back["left"] == json!([]) && back["cookies"] == json!([]),
        "{back}"
    );
    let nonce = redeem(&world, &back["detail"]).await?;
    ensure!(back["detail"]["nonce"] == nonce, "{back}");

    for (step, error) in [
        ("starting tab", "unknown_state"),
        ("forged", "unknown_state"),
        ("other issuer", "issuer_mismatch"),
        ("again", "unknown_state"),
        ("no issuer", "issuer_mismatch"),
        ("denied", "access_denied"),
    ] {
        let said = browser.says().await?;
        ensure!(said["step"] == step && said["event"] == "error", "{said}");
        ensure!(said["detail"]["error"] == error, "{said}");
        ensure!(said["detail"].get("code").is_none(), "{said}");
        ensure!(said["url"] == format!("{origin}/callback"), "{said}");
    }
    let two = browser.says().await?;
    ensure!(two["event"] == "success" && two["times"] == "1", "{two}");
    ensure!(two["detail"]["issuer"] == provider, "{two}");
    ensure!(two["url"] == format!("{origin}/two"), "{two}");
    let forgotten = browser.says().await?;
    let left = json!(["other", "wallet-login:new"]);
    ensure!(forgotten["left"] == left, "{forgotten}");
    let late = browser.says().await?;
    ensure!(late["detail"]["error"] == "expired", "{late}");
    ensure!(late["left"] == json!([]), "{late}");
    for _ in 0..7 {
        let said = browser.says().await?;
        ensure!(said["step"] == "no issuer address", "{said}");
        ensure!(said["detail"]["error"] == "cannot_start", "{said}");
        ensure!(said["left"] == json!([]), "{said}");
        ensure!(said["url"] == format!("{origin}/"), "{said}");
    }
    for (step, error) in [
        ("no store", "cannot_start"),
        ("no store on the way back", "no_store"),
    ] {
        let said = browser.says().await?;
        ensure!(said["step"] == step && said["event"] == "error", "{said}");
        ensure!(said["detail"]["error"] == error, "{said}");
    }
    let foreign = browser.says().await?;
    ensure!(foreign["quiet"] == 0, "{foreign}");
    ensure!(
        foreign["url"] == format!("{origin}/callback?code=y&state=other-library"),
        "{foreign}"
    );
    let end = browser.says().await?;
    ensure!(end["troubles"] == json!([]), "{end}");
    ensure!(browser.ends_well().await?);
    Ok(())
}

/// What the server of the business does with the event; the nonce of the ID token.
async fn redeem(world: &World, detail: &Value) -> Result<String> {
    let registration = world.registration("shop").context("no shop")?;
    let text = |name: &str| detail[name].as_str().context("a detail is missing");
    let request = world.client.post(format!("{}/token", world.verifier_url));
    let request = request.basic_auth(&registration.id, Some(&registration.secret));
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", text("code")?),
        ("redirect_uri", text("redirectUri")?),
        ("code_verifier", text("codeVerifier")?),
    ];
    let response = form_body(request, &fields).send().await?;
    ensure!(response.status() == 200, "{}", response.text().await?);
    let tokens: Value = response.json().await?;
    let id_token = tokens["id_token"].as_str().context("no ID token")?;
    let claims = id_token.split('.').nth(1).context("no claims")?;
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims)?)?;
    ensure!(claims["acr"] == "urn:vouchsafe:acr:vc", "{claims}");
    let nonce = claims["nonce"].as_str().context("no nonce")?;
    Ok(nonce.to_owned())
}

/// The file is for every origin, and it is the only thing that is.
#[tokio::test]
async fn the_component_is_for_pages_of_other_origins_and_other_files_are_not() {
    let world = World::start(Kind::Sqlite).await.unwrap();
    let get = async |path: &str| {
        let request = world.client.get(format!("{}{path}", world.verifier_url));
        let request = request.header("origin", "https://shop.example");
        request.send().await.unwrap()
    };
    let file = get(COMPONENT).await;
    assert_eq!(file.status(), 200);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("content-type", "text/javascript; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(file.headers()[name], value);
    }
    assert!(
        !file
            .headers()
            .contains_key("access-control-allow-credentials")
    );
    assert!(!file.headers().contains_key("set-cookie"));
    let tag = file.headers()["etag"].to_str().unwrap().to_owned();
    let text = file.text().await.unwrap();
    assert!(text.contains("customElements.define") && text.len() < 10_000);
    let again = world
        .client
        .get(format!("{}{COMPONENT}", world.verifier_url));
    let again = again.header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["access-control-allow-origin"], "*");
    for path in [
        "/",
        "/assets/vouchsafe.css",
        "/account",
        "/components/wallet-login/2.js",
    ] {
        let other = get(path).await;
        assert!(
            !other.headers().contains_key("access-control-allow-origin"),
            "{path}"
        );
        assert_eq!(
            other.headers()["cross-origin-resource-policy"],
            "same-origin",
            "{path}"
        );
    }
}

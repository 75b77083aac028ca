//! Every page, whatever others wrote into it: not in a frame, no script of others, and back to the
//! application by 303 alone.

use axum::http::{StatusCode, header};
use serde_json::json;

use crate::world::browser::{Answer, form};
use crate::world::rp::RelyingParty;
use crate::world::steps::{
    begin, log_in, qr_link, same_device, shown_number, type_number, wallet_link,
};
use crate::world::{World, on_sqlite, with_config};

/// An application and a question whose texts are all markup.
const MARKUP: &str = r#"
[[query]]
id = "markup"
scope = "markup"
dcql = '''{"credentials":[{"id":"card","format":"dc+sd-jwt","meta":{"vct_values":["urn:vouchsafe:membership:1"]},"claims":[{"path":["member_id"]},{"path":["tier"]}]}]}'''
purpose = { en = "</p><script>alert(2)</script>" }
subject = { strategy = "issuer_scoped_claim", claim = "member_id" }
claims = { markup_tier = ["tier"] }
id_token_claims = ["markup_tier"]
labels = { markup_tier = { en = "<img src=x onerror=alert(3)>" } }

[[client]]
id = "markup"
name = "<script>alert(1)</script>\" onload=\"alert(1)"
secret = "markup-secret-0123456789"
redirect_uris = ["https://markup.example/cb"]
scopes = ["markup"]
offline_access = true
cross_device = true
"#;

const EVIL: &str = "\"><script>alert(4)</script>";

fn markup(world: &World) -> RelyingParty {
    RelyingParty::new(
        world.router(),
        "markup",
        Some("markup-secret-0123456789"),
        "https://markup.example/cb",
    )
}

/// Every kind of page that a person can meet.
async fn pages(world: &World) -> Vec<(&'static str, Answer)> {
    let rp = markup(world);
    let mut wallet = world.wallet();
    let claims = json!({ "member_id": "<b>M-1</b>", "tier": "<script>alert(5)</script>" });
    let hidden: &[&[&str]] = &[&["member_id"], &["tier"]];
    let vct = "urn:vouchsafe:membership:1";
    wallet
        .receive(world, &world.issuer, vct, claims, hidden)
        .await;
    let (mut browser, mut phone) = (world.browser(), world.browser());
    let extra = [
        ("login_hint", EVIL),
        ("ui_locales", "en <script>"),
        ("display", EVIL),
    ];
    let address = rp.authorize("openid markup offline_access", &extra);
    let mut all = Vec::new();

    let (path, page) = begin(&mut browser, &address).await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    all.push(("choose", page));
    let link = qr_link(&mut browser, &path).await;
    all.push(("qr", browser.get(&format!("{path}/qr")).await));
    let asked = wallet.open(&link).await;
    all.push(("scanned", browser.get(&format!("{path}/qr")).await));
    let back = wallet.answer(&asked).await.json();
    let number = shown_number(&mut phone, back["redirect_uri"].as_str().unwrap()).await;
    all.push(("number shown", phone.get("/vp/number").await));
    all.push(("number", browser.get(&path).await));
    let wrong = if number == "10" { "11" } else { "10" };
    let fields = [("csrf", csrf.as_str()), ("number", wrong)];
    all.push((
        "wrong number",
        browser.post(&format!("{path}/number"), &fields).await,
    ));
    let fields = [("csrf", csrf.as_str()), ("number", EVIL)];
    all.push((
        "no number",
        browser.post(&format!("{path}/number"), &fields).await,
    ));
    rp.code(&type_number(&mut browser, &path, &number).await);
    all.push(("finished", browser.get(&path).await));
    all.push(("account", browser.get("/account").await));
    all.push(("logout", browser.get("/logout").await));

    let (path, page) = begin(&mut browser, &address).await;
    let lost = wallet.follow(&wallet_link(&page)).await;
    all.push(("answered", browser.get(&path).await));
    rp.code(&browser.get(&lost).await);
    all.push(("begin again", browser.get(&lost).await));
    all.push(("no login here", phone.get(&path).await));

    let (path, page) = begin(&mut browser, &address).await;
    let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
    browser
        .post(&format!("{path}/cancel"), &[("csrf", &csrf)])
        .await;
    all.push(("declined", browser.get(&path).await));

    let address = rp.authorize(
        "openid markup",
        &[("response_mode", "form_post"), ("state", EVIL)],
    );
    all.push((
        "form post",
        same_device(&mut browser, &wallet, &address).await,
    ));
    let fields = form(&[("client_id", EVIL), ("redirect_uri", EVIL), ("scope", EVIL)]);
    all.push((
        "no client",
        browser.get(&format!("/authorize?{fields}")).await,
    ));
    let fields = form(&[("id_token_hint", EVIL), ("state", EVIL)]);
    all.push(("no hint", browser.get(&format!("/logout?{fields}")).await));
    let fields = form(&[("response_code", EVIL)]);
    all.push((
        "no way back",
        browser.get(&format!("/vp/return?{fields}")).await,
    ));
    let none = form(&[("x", EVIL)]);
    all.push((
        "no login",
        browser.get(&format!("/login/{}", &none[2..])).await,
    ));
    all
}

#[tokio::test]
async fn cat_383_what_others_write_is_text_on_every_page() {
    with_config(MARKUP, async |world| {
        let mut names = 0;
        for (name, page) in pages(&world).await {
            let body = &page.body;
            for bad in [
                "<script>alert",
                "<img src=x",
                "<b>M-1",
                "<script>\"",
                " onload=\"alert",
            ] {
                assert!(!body.contains(bad), "{bad} on the page {name}: {body}");
            }
            // No script but ours, by address, and no handler in an attribute.
            for script in body.split("<script").skip(1) {
                assert!(
                    script.starts_with(" src=\"") || script.starts_with(" type=\"module\" src=\""),
                    "{name}: {script}"
                );
            }
            assert!(!body.contains(" style=\""), "{name}");
            names += usize::from(body.contains("&lt;script&gt;alert(1)"));
        }
        // The texts were there.
        assert!(names >= 8, "{names} pages name the application");
    })
    .await;
}

#[tokio::test]
async fn cat_383_claims_are_told_as_json_and_nothing_else() {
    with_config(MARKUP, async |world| {
        let rp = markup(&world);
        let mut wallet = world.wallet();
        let tier = "</script><script>alert(5)</script>";
        let claims = json!({ "member_id": "M-1", "tier": tier });
        let hidden: &[&[&str]] = &[&["member_id"], &["tier"]];
        let vct = "urn:vouchsafe:membership:1";
        wallet
            .receive(&world, &world.issuer, vct, claims, hidden)
            .await;
        let tokens = log_in(&mut world.browser(), &wallet, &rp, "openid markup").await;
        assert_eq!(tokens.claims["markup_tier"], tier);
        let told = rp.userinfo(&tokens.access_token).await;
        assert_eq!(told.headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(told.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    })
    .await;
}

#[tokio::test]
async fn no_page_can_be_put_into_a_frame() {
    with_config(MARKUP, async |world| {
        let all = pages(&world).await;
        assert!(all.len() >= 18);
        for (name, page) in all {
            let policy = page.headers[header::CONTENT_SECURITY_POLICY]
                .to_str()
                .unwrap();
            assert!(
                policy.contains("frame-ancestors 'none'"),
                "{name}: {policy}"
            );
            assert!(policy.contains("script-src 'self'"), "{name}: {policy}");
            assert!(!policy.contains("unsafe"), "{name}: {policy}");
            assert_eq!(
                page.headers[header::REFERRER_POLICY],
                "no-referrer",
                "{name}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn cat_368_a_form_is_never_posted_on_to_somebody_else() {
    on_sqlite(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        let address = shop.authorize("openid membership", &[]);
        let mut redirects = Vec::new();

        let fields = address.split_once('?').unwrap().1;
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(fields.as_bytes())
            .into_owned()
            .collect();
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        redirects.push((
            "authorize by form",
            browser.post("/authorize", &fields).await,
        ));
        redirects.push(("authorize by link", browser.get(&address).await));
        redirects.push((
            "authorize again by form",
            browser.post("/authorize", &fields).await,
        ));

        let (path, page) = begin(&mut browser, &address).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        let token = [("csrf", csrf.as_str())];
        redirects.push((
            "cancel",
            browser.post(&format!("{path}/cancel"), &token).await,
        ));
        redirects.push(("leave", browser.get(&format!("{path}/leave")).await));
        redirects.push(("again", browser.get(&format!("{path}/again")).await));

        let (path, _) = begin(&mut browser, &address).await;
        let back = wallet.follow(&qr_link(&mut browser, &path).await).await;
        redirects.push(("back to the number", world.browser().get(&back).await));
        let (path, _) = begin(&mut browser, &address).await;
        let back = wallet.follow(&qr_link(&mut browser, &path).await).await;
        let number = shown_number(&mut world.browser(), &back).await;
        redirects.push(("number", type_number(&mut browser, &path, &number).await));
        redirects.push((
            "same device",
            same_device(&mut browser, &wallet, &address).await,
        ));

        let account = browser.get("/account").await;
        let csrf = account.attribute("name=\"csrf\"", "value").unwrap();
        let token = [("csrf", csrf.as_str())];
        for kind in ["consents/x/withdraw", "sessions/x/end"] {
            let answer = browser.post(&format!("/account/{kind}"), &token).await;
            redirects.push(("account", answer));
        }
        let again = shop.authorize("openid membership", &[("state", "state-1")]);
        let tokens = shop
            .tokens(&shop.code(&same_device(&mut browser, &wallet, &again).await))
            .await;
        let fields = [
            ("id_token_hint", tokens.id_token.as_str()),
            ("post_logout_redirect_uri", "http://127.0.0.1:9000/bye"),
        ];
        redirects.push(("logout by form", browser.post("/logout", &fields).await));

        for (name, answer) in redirects {
            assert_eq!(
                answer.status,
                StatusCode::SEE_OTHER,
                "{name}: {}",
                answer.body
            );
            assert!(answer.headers.get(header::LOCATION).is_some(), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn cat_350_the_answer_of_a_wallet_never_comes_in_a_fragment() {
    on_sqlite(async |world| {
        let (wallet, shop) = (world.person("M-1").await, world.shop());
        let mut browser = world.browser();
        // From the application's side no such mode is served, and none is advertised.
        let metadata = browser
            .get("/.well-known/openid-configuration")
            .await
            .json();
        assert_eq!(
            metadata["response_modes_supported"],
            json!(["query", "form_post"])
        );
        let address = shop.authorize("openid age", &[("response_mode", "fragment")]);
        let refused = browser.get(&address).await;
        assert_eq!(shop.error(&refused), "invalid_request");
        assert!(!refused.location().contains('#'));
        // To the wallet the service says where to post the answer, encrypted, and nothing else.
        let (_, page) = begin(&mut browser, &shop.authorize("openid age", &[])).await;
        let link = wallet_link(&page);
        assert!(!link.contains("response_mode") && !link.contains("redirect_uri="));
        let object = wallet.fetch(&link).await.body;
        let payload = object.split('.').nth(1).unwrap();
        let payload = vouchsafe_credentials::encoding::b64url_decode(payload).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(claims["response_mode"], "direct_post.jwt");
        assert!(claims.get("redirect_uri").is_none());
    })
    .await;
}

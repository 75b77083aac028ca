use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_service::config::FetchConfig;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};
use vouchsafe_wallet_core::trust::{OtherVerifiers, TrustList, UnknownIssuers};

use super::{Profile, WebConfig, router};
use crate::wallet::handle::{Transport, Unreachable, WalletHandle};
use crate::wallet::open::{Issuance, Settings, create_with};

mod backup;
mod busy;
pub(super) mod door;
mod slow;

use door::locked;

const HOST: &str = "127.0.0.1:4010";

/// Answers nothing and remembers what was asked.
#[derive(Default)]
struct Silent(Mutex<Vec<String>>);

#[async_trait]
impl Transport for Silent {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unreachable> {
        self.0.lock().unwrap().push(request.url.to_string());
        Err(Unreachable(anyhow::anyhow!("silent")))
    }
}

struct Browser {
    router: Router,
    asked: Arc<Silent>,
    cookie: Option<String>,
}

struct Page {
    status: StatusCode,
    location: Option<String>,
    text: String,
}

fn config() -> WebConfig {
    WebConfig {
        public_url: format!("http://{HOST}").parse().unwrap(),
        profile: Profile::default(),
    }
}

fn settings() -> Settings {
    Settings {
        trust: TrustList {
            issuers: vec![],
            verifiers: TrustAnchors::new(Role::VerifierAccess),
            unknown_issuers: UnknownIssuers::Ask,
            other_verifiers: OtherVerifiers::default(),
        },
        fetch: FetchConfig::default(),
        loopback_http: false,
        locales: vec!["en".into()],
        redirect_uri: "http://127.0.0.1:4010/callback".parse().unwrap(),
        issuance: Issuance::default(),
        status: StatusPolicy::default(),
    }
}

impl Browser {
    fn new() -> Self {
        let asked = Arc::new(Silent::default());
        let storage = Arc::new(MemoryStorage::new());
        let wallet: WalletHandle = create_with(
            settings(),
            storage,
            "correct horse",
            KdfParams::MINIMUM,
            asked.clone(),
        )
        .unwrap();
        Self {
            router: router(wallet, config()).unwrap(),
            asked,
            cookie: None,
        }
    }

    async fn bytes(&mut self, path: &str) -> Vec<u8> {
        let request = Request::get(path).header(header::HOST, HOST);
        let request = request.body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        to_bytes(response.into_body(), 1 << 20)
            .await
            .unwrap()
            .to_vec()
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: impl Into<Body>) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        let response = self
            .router
            .clone()
            .oneshot(request.body(body.into()).unwrap())
            .await
            .unwrap();
        let text = |name| {
            response
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap().to_owned())
        };
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap());
        }
        let (status, location) = (response.status(), text(header::LOCATION));
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Page {
            status,
            location,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// As browsers do: the newest of a name, nothing that has ended.
    fn keep(&mut self, cookie: &str) {
        let (pair, attributes) = cookie.split_once(';').unwrap();
        let (name, _) = pair.split_once('=').unwrap();
        let old = self.cookie.take().unwrap_or_default();
        let others = old.split("; ").filter(|one| {
            !one.is_empty() && one.split_once('=').is_none_or(|(other, _)| other != name)
        });
        let gone = attributes.contains("Max-Age=0");
        let all: Vec<&str> = others.chain((!gone).then_some(pair)).collect();
        self.cookie = (!all.is_empty()).then(|| all.join("; "));
    }

    async fn get(&mut self, path: &str) -> Page {
        self.send(Request::get(path).header(header::HOST, HOST), String::new())
            .await
    }

    async fn post(&mut self, path: &str, site: &str, form: &[(&str, &str)]) -> Page {
        let request = Request::post(path)
            .header(header::HOST, HOST)
            .header("sec-fetch-site", site)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        self.send(request, body).await
    }
}

/// The value of a field in a form of the page.
fn field(page: &Page, name: &str) -> String {
    let (_, rest) = page
        .text
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn offer_link() -> String {
    let offer =
        r#"{"credential_issuer":"https://club.example.com","credential_configuration_ids":["a"]}"#;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("credential_offer", offer)
        .finish();
    format!("openid-credential-offer://?{query}")
}

/// Scripts come from files of ours alone.
fn runs_no_script_of_its_own(page: &Page) -> bool {
    let mut scripts = page.text.split("<script").skip(1);
    scripts.all(|script| {
        let script = script.replace("&#x2f;", "/");
        script.starts_with(" src=\"/assets/wallet-")
    })
}

#[tokio::test]
async fn every_page_renders_in_every_language() {
    let mut browser = Browser::new();
    for path in [
        "/",
        "/add",
        "/history",
        "/settings",
        "/?added=1",
        "/history?party=club.example.com",
        "/history.json",
        "/backup",
        "/offline",
        "/colours.css",
    ] {
        for language in ["en", "de", "fr", "es", "it", "ar"] {
            let request = Request::get(path)
                .header(header::HOST, HOST)
                .header(header::ACCEPT_LANGUAGE, language);
            let page = browser.send(request, String::new()).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
            assert!(runs_no_script_of_its_own(&page), "{path}");
            let html = format!("<html lang=\"{language}\"");
            assert!(path.ends_with("css") || path.ends_with("json") || page.text.contains(&html));
        }
    }
    let asset = browser.get("/assets/vouchsafe.css").await;
    assert_eq!(asset.status, StatusCode::OK);
}

#[tokio::test]
async fn a_name_that_was_pointed_here_is_refused() {
    let mut browser = Browser::new();
    for host in [
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:4011",
        "localhost:4010",
    ] {
        let request = Request::get("/").header(header::HOST, host);
        assert_eq!(
            browser.send(request, String::new()).await.status,
            StatusCode::NOT_FOUND,
            "{host}"
        );
    }
}

#[tokio::test]
async fn forms_of_others_change_nothing() {
    let mut browser = Browser::new();
    let link = offer_link();
    let csrf = field(&browser.get("/add").await, "csrf");
    for (site, token) in [
        ("cross-site", csrf.as_str()),
        ("same-site", csrf.as_str()),
        ("same-origin", ""),
        ("same-origin", "AAAA"),
    ] {
        let page = browser
            .post("/add", site, &[("csrf", token), ("link", &link)])
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{site} {token}");
    }
    // A token without the cookie it belongs to.
    browser.cookie = None;
    let page = browser
        .post("/add", "same-origin", &[("csrf", &csrf), ("link", &link)])
        .await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    for path in [
        "/add",
        "/cards/aa/delete",
        "/history/aa/withdraw",
        "/settings",
        "/offers/x",
        "/requests/x",
    ] {
        let page = browser.post(path, "cross-site", &[("csrf", &csrf)]).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(browser.asked.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn cat_286_cat_446_an_unknown_issuer_is_asked_about_before_anything_is_sent() {
    let mut browser = Browser::new();
    let csrf = field(&browser.get("/add").await, "csrf");
    let page = browser
        .post(
            "/add",
            "same-origin",
            &[("csrf", &csrf), ("link", &offer_link())],
        )
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("club.example.com"));
    assert!(browser.asked.0.lock().unwrap().is_empty());
    let (_, rest) = page.text.split_once("action=\"/offers/").unwrap();
    let path = format!("/offers/{}", rest.split('"').next().unwrap());
    // The question is still there after a reload, and is answered once.
    assert!(browser.get(&path).await.text.contains("club.example.com"));
    let answer = [("csrf", csrf.as_str()), ("answer", "yes")];
    let page = browser.post(&path, "same-origin", &answer).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.text.contains("issuer_unreachable"));
    assert_eq!(browser.asked.0.lock().unwrap().len(), 1);
    assert_eq!(
        browser.post(&path, "same-origin", &answer).await.status,
        StatusCode::GONE
    );
    let history = browser.get("/history").await;
    assert!(
        history.text.contains("club.example.com") && history.text.contains("issuer_unreachable")
    );
}

#[tokio::test]
async fn cat_445_other_links_are_refused_with_a_page() {
    let mut browser = Browser::new();
    let csrf = field(&browser.get("/add").await, "csrf");
    for link in [
        "tel:+43",
        "javascript:alert(1)",
        "<script>alert(1)</script>",
        "",
    ] {
        let page = browser
            .post("/add", "same-origin", &[("csrf", &csrf), ("link", link)])
            .await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(!page.text.contains("<script>alert"));
    }
    // Nobody was asked, so nobody else is to blame.
    for path in [
        "/offer",
        "/offer?credential_offer={}",
        "/offer?credential_offer_uri=http%3A%2F%2Fclub.example%2F1",
        "/present",
        "/present?client_id=%00&request_uri=javascript:1",
        "/present?client_id=a&request_uri=https%3A%2F%2F10.0.0.1%2F",
    ] {
        assert_eq!(
            browser.get(path).await.status,
            StatusCode::BAD_REQUEST,
            "{path}"
        );
    }
    let page = browser.get("/cards/nope").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_language_can_be_chosen() {
    let mut browser = Browser::new();
    let csrf = field(&browser.get("/settings").await, "csrf");
    let page = browser
        .post(
            "/settings",
            "same-origin",
            &[("csrf", &csrf), ("locale", "de")],
        )
        .await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some("/settings"))
    );
    assert!(browser.get("/").await.text.contains("Meine Karten"));
}

#[tokio::test]
async fn cat_446_another_site_cannot_use_the_wallet_behind_the_persons_back() {
    const LINK: &str = "/offer?credential_offer_uri=https%3A%2F%2Fclub.example.com%2Foffers%2F1";
    let mut browser = Browser::new();
    let open = |site: &'static str, mode: &'static str, dest: &'static str| {
        Request::get(LINK)
            .header(header::HOST, HOST)
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-dest", dest)
    };
    for (site, mode, dest) in [
        ("cross-site", "no-cors", "image"),
        ("cross-site", "navigate", "iframe"),
        ("same-site", "cors", "empty"),
    ] {
        let page = browser.send(open(site, mode, dest), String::new()).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{site} {mode} {dest}");
    }
    assert!(browser.asked.0.lock().unwrap().is_empty());
    for (site, asked) in [("cross-site", 1), ("none", 2), ("same-origin", 3)] {
        let page = open(site, "navigate", "document");
        browser.send(page, String::new()).await;
        assert_eq!(browser.asked.0.lock().unwrap().len(), asked, "{site}");
    }
}

#[tokio::test]
async fn cat_443_a_name_that_reorders_text_or_is_a_page_long_is_cut() {
    let mut browser = Browser::new();
    let csrf = field(&browser.get("/settings").await, "csrf");
    let name = format!("<b>\u{202e}Ada {}", "x".repeat(10_000));
    let form = [("csrf", csrf.as_str()), ("name", name.as_str())];
    let page = browser.post("/settings", "same-origin", &form).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    let page = browser.get("/").await;
    assert!(page.text.contains("&lt;b&gt;Ada xxx") && !page.text.contains('\u{202e}'));
    assert!(!page.text.contains(&"x".repeat(100)));
}

/// An answer as a browser sends a form with a file.
async fn upload(browser: &mut Browser, csrf: &str, picture: &[u8]) -> Page {
    let mut body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--b\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(picture);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let request = Request::post("/add/picture")
        .header(header::HOST, HOST)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    browser.send(request, body).await
}

#[tokio::test]
async fn cat_445_a_picture_of_a_code_leads_to_the_same_question_as_its_link() {
    use super::scan::tests::drawn;
    use image::ImageFormat::Png;

    let mut browser = Browser::new();
    let csrf = field(&browser.get("/add").await, "csrf");
    let page = upload(&mut browser, &csrf, &drawn(&offer_link(), 5, Png)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("club.example.com"));
    for other in [
        "otpauth://totp/a?secret=b",
        "javascript:alert(1)",
        "tel:+43",
    ] {
        let page = upload(&mut browser, &csrf, &drawn(other, 5, Png)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{other}");
        assert!(page.text.contains("link_unknown"));
    }
    let page = upload(&mut browser, &csrf, b"no picture").await;
    assert!(page.text.contains("picture_unreadable"));
    let page = upload(
        &mut browser,
        &csrf,
        &vec![0; super::scan::LARGEST_UPLOAD + 1],
    )
    .await;
    assert!(page.text.contains("picture_unreadable"));
    let page = upload(&mut browser, "AAAA", &drawn(&offer_link(), 5, Png)).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(browser.asked.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_history_can_be_narrowed_saved_and_acted_on() {
    let mut browser = Browser::new();
    for host in ["one.example", "two.example"] {
        let link = format!("/offer?credential_offer_uri=https%3A%2F%2F{host}%2Foffers%2F1");
        browser.get(&link).await;
    }
    let all = browser.get("/history").await.text;
    assert!(all.contains("<bdi>one.example</bdi>") && all.contains("<bdi>two.example</bdi>"));
    let one = browser.get("/history?party=one.example").await.text;
    assert!(one.contains("<bdi>one.example</bdi>") && !one.contains("<bdi>two.example</bdi>"));
    let saved = browser.get("/history.json").await;
    let saved: serde_json::Value = serde_json::from_str(&saved.text).unwrap();
    assert_eq!(saved["entries"].as_array().unwrap().len(), 2);
    let id = saved["entries"][0]["id"].as_str().unwrap();
    let entry = browser.get(&format!("/history/{id}")).await;
    assert!(entry.text.contains("two.example") && entry.text.contains("/report"));
    let letter = browser.get(&format!("/history/{id}/report")).await;
    assert_eq!(letter.status, StatusCode::OK);
    assert!(letter.text.contains("two.example") && letter.text.contains("mailto:?subject="));
    // Nothing was shown there, so there is nothing to delete.
    let letter = browser.get(&format!("/history/{id}/erase")).await;
    assert_eq!(letter.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        browser.get("/history/nothing").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn cat_458_the_manifest_and_the_worker_say_nothing_of_the_person() {
    let mut browser = Browser::new();
    let csrf = field(&browser.get("/settings").await, "csrf");
    let form = [("csrf", csrf.as_str()), ("name", "Canary")];
    browser.post("/settings", "same-origin", &form).await;
    for path in ["/app.webmanifest", "/worker.js", "/offline"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(!page.text.contains("Canary"), "{path}");
    }
    let manifest = browser.get("/app.webmanifest").await.text;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    for icon in manifest["icons"].as_array().unwrap() {
        let page = browser.bytes(icon["src"].as_str().unwrap()).await;
        assert!(page.starts_with(b"\x89PNG"), "{icon}");
    }
}

#[tokio::test]
async fn no_page_can_be_framed_or_reached_under_another_name() {
    let (closed, invitation) = locked(false);
    let paths = [
        "/",
        "/add",
        "/history",
        "/history.json",
        "/offline",
        "/worker.js",
    ];
    let setup = invitation.unwrap();
    let closed_paths = ["/", "/present?request_uri=a", setup.as_str()];
    for (browser, paths) in [(Browser::new(), &paths[..]), (closed, &closed_paths[..])] {
        for path in paths {
            let ask = |host: &str| {
                let request = Request::get(*path).header(header::HOST, host);
                let request = request.body(Body::empty()).unwrap();
                browser.router.clone().oneshot(request)
            };
            let response = ask(HOST).await.unwrap();
            let text = |name| response.headers()[name].to_str().unwrap();
            assert!(
                text("content-security-policy").contains("frame-ancestors 'none'"),
                "{path}"
            );
            assert_eq!(text("x-frame-options"), "DENY", "{path}");
            assert_eq!(text("cache-control"), "no-store", "{path}");
            for host in ["evil.example:4010", "localhost:4010", "[::1]:4010"] {
                let response = ask(host).await.unwrap();
                assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path} as {host}");
            }
        }
    }
}

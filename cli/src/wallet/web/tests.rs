use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_service::config::FetchConfig;
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};
use vouchsafe_wallet_core::trust::{OtherVerifiers, TrustList, UnknownIssuers};

use super::{WebConfig, router};
use crate::wallet::handle::{Transport, Unreachable, WalletHandle};
use crate::wallet::open::{Issuance, Settings, create_with};

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

impl Browser {
    fn new() -> Self {
        let settings = Settings {
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
        };
        let asked = Arc::new(Silent::default());
        let storage = Arc::new(MemoryStorage::new());
        let wallet: WalletHandle = create_with(
            settings,
            storage,
            "correct horse",
            KdfParams::MINIMUM,
            asked.clone(),
        )
        .unwrap();
        let config = WebConfig {
            public_url: format!("http://{HOST}").parse().unwrap(),
        };
        Self {
            router: router(wallet, config).unwrap(),
            asked,
            cookie: None,
        }
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: String) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let text = |name| {
            response
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap().to_owned())
        };
        if let Some(cookie) = text(header::SET_COOKIE) {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let (status, location) = (response.status(), text(header::LOCATION));
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Page {
            status,
            location,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
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

#[tokio::test]
async fn every_page_renders_in_both_languages() {
    let mut browser = Browser::new();
    for path in [
        "/",
        "/add",
        "/history",
        "/settings",
        "/?added=1",
        "/colours.css",
    ] {
        for language in ["en", "de"] {
            let request = Request::get(path)
                .header(header::HOST, HOST)
                .header(header::ACCEPT_LANGUAGE, language);
            let page = browser.send(request, String::new()).await;
            assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text);
            assert!(!page.text.contains("<script"), "{path}");
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
    let page = browser
        .get("/present?client_id=a&request_uri=https%3A%2F%2F10.0.0.1%2F")
        .await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    let page = browser.get("/cards/nope").await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_language_can_be_chosen() {
    let mut browser = Browser::new();
    let csrf = field(&browser.get("/settings").await, "csrf");
    let own = browser.cookie.clone();
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
    browser.cookie = Some(format!(
        "{}; {}",
        own.unwrap(),
        browser.cookie.as_ref().unwrap()
    ));
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

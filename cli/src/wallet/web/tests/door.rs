//! The first run, the lock, and what stands before it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::http::{Request, StatusCode, header};
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};

use super::super::{Keeper, guarded};
use super::{Browser, HOST, Silent, config, field, settings};
use crate::wallet::handle::WalletHandle;
use crate::wallet::open::create_with;

/// A wallet in memory, to be made from its pages.
pub(in crate::wallet::web) struct Memory {
    storage: Arc<MemoryStorage>,
    made: AtomicBool,
}

impl Memory {
    pub(in crate::wallet::web) fn new(made: bool) -> Self {
        Self {
            storage: Arc::new(MemoryStorage::new()),
            made: made.into(),
        }
    }
}

#[async_trait]
impl Keeper for Memory {
    fn exists(&self) -> bool {
        self.made.load(Ordering::SeqCst)
    }

    async fn create(&self, passphrase: &str) -> anyhow::Result<WalletHandle> {
        let silent = Arc::new(Silent::default());
        let (storage, params) = (self.storage.clone(), KdfParams::MINIMUM);
        let wallet = create_with(settings(), storage, passphrase, params, silent)?;
        self.made.store(true, Ordering::SeqCst);
        Ok(wallet)
    }

    async fn open(&self, passphrase: &str) -> anyhow::Result<WalletHandle> {
        crate::wallet::open::open(settings(), self.storage.clone(), passphrase).await
    }
}

pub(super) fn locked(made: bool) -> (Browser, Option<String>) {
    let guarded = guarded(Arc::new(Memory::new(made)), config()).unwrap();
    let browser = Browser {
        router: guarded.router,
        asked: Arc::default(),
        cookie: None,
    };
    (browser, guarded.invitation)
}

/// A browser that has made its wallet.
async fn at_home() -> Browser {
    let (mut browser, invitation) = locked(false);
    let path = invitation.unwrap();
    let csrf = field(&browser.get(&path).await, "csrf");
    let form = [
        ("csrf", csrf.as_str()),
        ("name", "Ada"),
        ("locale", "de"),
        ("passphrase", "correct horse"),
        ("again", "correct horse"),
    ];
    let page = browser.post(&path, "same-origin", &form).await;
    assert_eq!(page.location.as_deref(), Some("/"));
    browser
}

#[tokio::test]
async fn the_first_run_needs_the_invitation_and_a_passphrase_typed_twice() {
    let (mut browser, invitation) = locked(false);
    let path = invitation.unwrap();
    assert_eq!(browser.get("/").await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/setup/guess").await.status, StatusCode::GONE);
    let page = browser.get(&path).await;
    let csrf = field(&page, "csrf");
    for (first, again, code) in [
        ("tiny-1", "tiny-1", "too short"),
        ("correct horse", "correct house", "differ"),
    ] {
        let form = [
            ("csrf", csrf.as_str()),
            ("passphrase", first),
            ("again", again),
        ];
        let page = browser.post(&path, "same-origin", &form).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(page.text.contains(code), "{}", page.text);
        assert!(!page.text.contains(first), "a passphrase is repeated");
    }
    let form = [
        ("csrf", csrf.as_str()),
        ("passphrase", "correct horse"),
        ("again", "correct horse"),
    ];
    for (to, site) in [
        ("/setup/guess", "same-origin"),
        (path.as_str(), "cross-site"),
    ] {
        let page = browser.post(to, site, &form).await;
        assert!(page.status.is_client_error(), "{to} {site}");
    }
    assert_eq!(browser.get("/").await.status, StatusCode::FORBIDDEN);
    let mut browser = at_home().await;
    let page = browser.get("/").await;
    assert!(page.text.contains("Meine Karten") && page.text.contains("<bdi>Ada</bdi>"));
}

#[tokio::test]
async fn cat_446_a_browser_without_the_passphrase_sees_and_does_nothing() {
    let mut browser = at_home().await;
    let csrf = field(&browser.get("/settings").await, "csrf");
    let inside = browser.cookie.take();
    let mut stranger = browser;
    for path in [
        "/",
        "/history",
        "/history.json",
        "/settings",
        "/cards/aa",
        "/colours.css",
        "/present?request_uri=x",
        "/setup/guess",
    ] {
        let page = stranger.get(path).await;
        let away = page.location.as_deref() == Some("/");
        assert!(
            away || page.text.contains("action=\"/unlock\""),
            "{path}: {}",
            page.text
        );
    }
    for path in [
        "/add",
        "/settings",
        "/cards/aa/delete",
        "/requests/x",
        "/offers/x",
    ] {
        let page = stranger.post(path, "same-origin", &[("csrf", &csrf)]).await;
        assert!(page.text.contains("action=\"/unlock\""), "{path}");
    }
    // Back inside, and out again.
    let mut browser = Browser {
        cookie: inside,
        ..stranger
    };
    let csrf = field(&browser.get("/settings").await, "csrf");
    browser
        .post("/lock", "cross-site", &[("csrf", &csrf)])
        .await;
    assert!(browser.get("/").await.text.contains("Meine Karten"));
    browser
        .post("/lock", "same-origin", &[("csrf", &csrf)])
        .await;
    assert!(browser.get("/").await.text.contains("action=\"/unlock\""));
}

#[tokio::test]
async fn guessing_the_passphrase_gets_slow_and_the_way_on_stays_here() {
    let mut browser = at_home().await;
    let csrf = field(&browser.get("/settings").await, "csrf");
    browser
        .post("/lock", "same-origin", &[("csrf", &csrf)])
        .await;
    let page = browser.get("/present?client_id=a&request_uri=b").await;
    let next = field(&page, "next")
        .replace("&amp;", "&")
        .replace("&#x2f;", "/");
    assert_eq!(next, "/present?client_id=a&request_uri=b");
    let (csrf, right) = (field(&page, "csrf"), "correct horse");
    let unlock = |passphrase: &'static str, next: &str| {
        [
            ("csrf".to_owned(), csrf.clone()),
            ("passphrase".to_owned(), passphrase.to_owned()),
            ("next".to_owned(), next.to_owned()),
        ]
    };
    for (next, to) in [
        (next.as_str(), next.as_str()),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
    ] {
        let form = unlock(right, next);
        let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let page = browser.post("/unlock", "same-origin", &form).await;
        assert_eq!(page.location.as_deref(), Some(to));
    }
    for (passphrase, status) in [
        ("guess 1 guess", StatusCode::FORBIDDEN),
        ("guess 2 guess", StatusCode::FORBIDDEN),
        ("guess 3 guess", StatusCode::FORBIDDEN),
        ("guess 4 guess", StatusCode::FORBIDDEN),
        ("guess 5 guess", StatusCode::FORBIDDEN),
        (right, StatusCode::TOO_MANY_REQUESTS),
    ] {
        let form = unlock(passphrase, "/");
        let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let page = browser.post("/unlock", "same-origin", &form).await;
        assert_eq!(page.status, status, "{passphrase}");
    }
}

#[tokio::test]
async fn the_passphrase_is_changed_with_the_old_one_and_lets_others_out() {
    let mut browser = at_home().await;
    let csrf = field(&browser.get("/passphrase").await, "csrf");
    let change = |old: &'static str, new: &'static str, again: &'static str| {
        [
            ("csrf", csrf.clone()),
            ("old", old.into()),
            ("passphrase", new.into()),
            ("again", again.into()),
        ]
    };
    let other = browser.cookie.clone();
    for (old, new, again) in [
        ("wrong horse", "another horse", "another horse"),
        ("correct horse", "another horse", "another house"),
        ("correct horse", "short", "short"),
    ] {
        let form = change(old, new, again);
        let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let page = browser.post("/passphrase", "same-origin", &form).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{old} {new} {again}");
    }
    let form = change("correct horse", "another horse", "another horse");
    let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (*a, b.as_str())).collect();
    let page = browser.post("/passphrase", "cross-site", &form).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    let page = browser.post("/passphrase", "same-origin", &form).await;
    assert_eq!(page.location.as_deref(), Some("/settings"));
    assert!(browser.get("/").await.text.contains("Meine Karten"));
    let mut other = Browser {
        cookie: other,
        ..browser
    };
    let page = other.get("/passphrase").await;
    assert_eq!(page.location.as_deref(), Some("/"));
    for (passphrase, status) in [
        ("correct horse", StatusCode::FORBIDDEN),
        ("another horse", StatusCode::SEE_OTHER),
    ] {
        let form = [
            ("csrf", csrf.as_str()),
            ("passphrase", passphrase),
            ("next", "/"),
        ];
        let page = other.post("/unlock", "same-origin", &form).await;
        assert_eq!(page.status, status, "{passphrase}");
    }
}

/// The same browser at another address.
fn at(browser: &Browser, address: &str) -> Browser {
    let peer: std::net::SocketAddr = address.parse().unwrap();
    let known = axum::Extension(axum::extract::ConnectInfo(peer));
    Browser {
        router: browser.router.clone().layer(known),
        asked: browser.asked.clone(),
        cookie: None,
    }
}

#[tokio::test]
async fn cat_446_whoever_guesses_elsewhere_does_not_shut_the_owner_out() {
    let browser = at_home().await;
    let mut guessing = at(&browser, "192.168.1.66:5000");
    let csrf = field(&guessing.get("/").await, "csrf");
    let unlock = |passphrase: &'static str, csrf: String| {
        [
            ("csrf", csrf),
            ("passphrase", passphrase.to_owned()),
            ("next", "/".to_owned()),
        ]
    };
    for number in 0..6 {
        let form = unlock("guess guess", csrf.clone());
        let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let page = guessing.post("/unlock", "same-origin", &form).await;
        assert_eq!(page.status == StatusCode::TOO_MANY_REQUESTS, number == 5);
    }
    for owner in ["127.0.0.1:5001", "192.168.1.7:5002"] {
        let mut owner = at(&browser, owner);
        let csrf = field(&owner.get("/").await, "csrf");
        let form = unlock("correct horse", csrf);
        let form: Vec<(&str, &str)> = form.iter().map(|(a, b)| (*a, b.as_str())).collect();
        let page = owner.post("/unlock", "same-origin", &form).await;
        assert_eq!(page.location.as_deref(), Some("/"));
    }
}

#[tokio::test]
async fn cat_446_a_page_on_another_port_does_not_come_in_with_the_owner() {
    let mut browser = at_home().await;
    let cookies = browser.cookie.clone().unwrap();
    // Browsers send the cookies of every port of a host to each of them.
    let names: Vec<&str> = cookies
        .split("; ")
        .map(|one| one.split('=').next().unwrap())
        .collect();
    assert!(
        names.iter().all(|name| name.ends_with("_4010")),
        "{names:?}"
    );
    browser.cookie = Some(cookies.replace("_4010=", "_4011="));
    assert!(browser.get("/").await.text.contains("action=\"/unlock\""));
    // One that a page on another port planted beside ours, or in its place, lets nobody in.
    browser.cookie = Some(format!("{cookies}; vs_wallet_session_4010=planted"));
    assert!(browser.get("/").await.text.contains("action=\"/unlock\""));
    browser.cookie = Some(cookies);
    let csrf = field(&browser.get("/settings").await, "csrf");
    for (origin, site) in [
        (Some("http://127.0.0.1:5000"), "same-site"),
        (Some("http://127.0.0.1:5000"), "same-origin"),
        (Some("null"), "same-site"),
        (None, "same-site"),
    ] {
        let mut request = Request::post("/lock")
            .header(header::HOST, HOST)
            .header("sec-fetch-site", site)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        let page = browser.send(request, format!("csrf={csrf}")).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{origin:?} {site}");
    }
    // Nor does it reach the wallet under the name of its own port.
    let request = Request::get("/").header(header::HOST, "127.0.0.1:5000");
    assert_eq!(
        browser.send(request, "").await.status,
        StatusCode::NOT_FOUND
    );
    assert!(browser.get("/").await.text.contains("Meine Karten"));
}

/// A page behind the door reads its own part of the path.
#[tokio::test]
async fn pages_behind_the_door_know_their_paths() {
    let mut browser = at_home().await;
    for path in ["/offers/gone", "/requests/gone", "/cards/gone"] {
        let page = browser.get(path).await;
        assert!(page.status.is_client_error(), "{path}: {}", page.status);
        assert!(page.text.contains("<main"), "{path}: {}", page.text);
    }
}

//! Backups over the pages.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use tower::ServiceExt;

use super::{Browser, HOST, Page, field};

#[tokio::test]
async fn a_backup_is_made_and_taken_in_by_its_passphrase_alone() {
    const RIGHT: &str = "a long passphrase";
    let mut browser = Browser::new();
    browser
        .get("/offer?credential_offer_uri=https%3A%2F%2Fone.example%2F1")
        .await;
    let csrf = field(&browser.get("/backup").await, "csrf");
    for (first, again) in [
        (RIGHT, "another"),
        ("short", "short"),
        ("123456789012", "123456789012"),
    ] {
        let form = [
            ("csrf", csrf.as_str()),
            ("passphrase", first),
            ("again", again),
        ];
        let page = browser.post("/backup", "same-origin", &form).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{first}");
    }
    let request = Request::post("/backup")
        .header(header::HOST, HOST)
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, browser.cookie.clone().unwrap())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("csrf", csrf.as_str()),
            ("passphrase", RIGHT),
            ("again", RIGHT),
        ])
        .finish();
    let response = browser
        .router
        .clone()
        .oneshot(request.body(Body::from(form)).unwrap());
    let response = response.await.unwrap();
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/octet-stream"
    );
    let file = to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap()
        .to_vec();

    // Another wallet.
    let mut other = Browser::new();
    let csrf = field(&other.get("/backup").await, "csrf");
    let mut damaged = file.clone();
    *damaged.last_mut().unwrap() ^= 1;
    for (passphrase, file, csrf, status) in [
        (
            "another passphrase",
            &file,
            csrf.as_str(),
            StatusCode::BAD_REQUEST,
        ),
        (RIGHT, &damaged, csrf.as_str(), StatusCode::BAD_REQUEST),
        (
            RIGHT,
            &b"no backup".to_vec(),
            csrf.as_str(),
            StatusCode::BAD_REQUEST,
        ),
        (RIGHT, &file, "AAAA", StatusCode::FORBIDDEN),
    ] {
        let page = bring(&mut other, csrf, passphrase, file).await;
        assert_eq!(page.status, status, "{passphrase}");
    }
    assert!(!other.get("/history").await.text.contains("one.example"));
    let page = bring(&mut other, &csrf, RIGHT, &file).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(other.get("/history").await.text.contains("one.example"));
}

async fn bring(browser: &mut Browser, csrf: &str, passphrase: &str, file: &[u8]) -> Page {
    let mut body = String::new();
    for (name, value) in [("csrf", csrf), ("passphrase", passphrase)] {
        body +=
            &format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let mut body = body.into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--b--\r\n");
    let request = Request::post("/backup/restore")
        .header(header::HOST, HOST)
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    browser.send(request, body).await
}

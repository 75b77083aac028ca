//! What is at the edge of the interface: streams that somebody holds, bodies of another kind, requests
//! that nobody's handler sees.

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode, header};
use futures::StreamExt as _;
use tower::ServiceExt as _;

use crate::world::browser::{Answer, form, send};
use crate::world::on_sqlite;
use crate::world::steps::begin;

const FORM: &str = "application/x-www-form-urlencoded";
/// `shop` and its secret.
const BASIC: &str = "Basic c2hvcDpzaG9wLXNlY3JldC0wMTIzNDU2Nzg5";

/// A stream that this browser opens.
async fn follow(router: &Router, address: &str, cookie: &str) -> BodyDataStream {
    let request = Request::get(address).header(header::COOKIE, cookie);
    let request = request.body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    answer.into_body().into_data_stream()
}

async fn part(stream: &mut BodyDataStream) -> Option<String> {
    let part = stream.next().await?.unwrap();
    Some(String::from_utf8(part.to_vec()).unwrap())
}

#[tokio::test]
async fn a_login_has_few_streams_and_a_new_one_ends_the_oldest() {
    on_sqlite(async |world| {
        let mut browser = world.browser();
        let address = world.shop().authorize("openid age", &[]);
        let (path, _) = begin(&mut browser, &address).await;
        let address = format!("{path}/events?view=choose");
        let name = "vs_op_browser";
        let cookie = format!("{name}={}", browser.cookie(name).unwrap());
        let router = world.router();
        let mut streams = Vec::new();
        for _ in 0..4 {
            let mut stream = follow(&router, &address, &cookie).await;
            let first = part(&mut stream).await.unwrap();
            assert_eq!(first, "event: state\ndata: pending\n\n");
            streams.push(stream);
        }
        let mut newest = follow(&router, &address, &cookie).await;
        let first = part(&mut newest).await.unwrap();
        assert_eq!(first, "event: state\ndata: pending\n\n");
        // The browser is told not to come back at once.
        let mut oldest = streams.remove(0);
        assert_eq!(part(&mut oldest).await.unwrap(), "retry: 15000\n\n");
        assert_eq!(part(&mut oldest).await, None);
        streams.push(newest);
        // One look finds what all others are told.
        world.clock.advance(301);
        for stream in &mut streams {
            let last = part(stream).await.unwrap();
            assert_eq!(last, "event: state\ndata: expired\n\n");
            assert_eq!(part(stream).await, None);
        }
    })
    .await;
}

async fn asked(router: &Router, path: &str, kind: &str, body: String) -> Answer {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, kind)
        .header(header::AUTHORIZATION, BASIC)
        .body(Body::from(body));
    send(router, request.unwrap()).await
}

#[tokio::test]
async fn endpoints_for_applications_take_forms_and_nothing_else() {
    on_sqlite(async |world| {
        let router = world.router();
        let fields = [("grant_type", "authorization_code"), ("token", "x")];
        for path in ["/token", "/par", "/introspect", "/revoke"] {
            for kind in [
                "text/plain",
                "application/json",
                "multipart/form-data; boundary=x",
                "",
            ] {
                let answer = asked(&router, path, kind, form(&fields)).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {kind}");
                let told = answer.json();
                assert_eq!(told["error"], "invalid_request", "{path} {kind}");
                assert_eq!(told["error_description"], "the body must be a form");
            }
            let answer = asked(&router, path, FORM, form(&fields)).await;
            assert!(!answer.body.contains("must be a form"), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn no_text_of_the_framework_reaches_anybody() {
    on_sqlite(async |world| {
        let router = world.router();
        let long = || "a".repeat(16 * 1024 + 1);
        for path in ["/token", "/par", "/introspect", "/revoke"] {
            let answer = asked(&router, path, FORM, long()).await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
            assert_eq!(answer.json()["error"], "invalid_request", "{path}");
            assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        }
        // People get pages.
        let mut browser = world.browser();
        for path in ["/account/means", "/account/sessions/x/end"] {
            let page = browser.post(path, &[("csrf", &long())]).await;
            page.assert_page(
                StatusCode::PAYLOAD_TOO_LARGE,
                "This form cannot be accepted",
            );
        }
        for path in ["/login/%ff", "/login/%ff/qr", "/login/%ff/events?view=qr"] {
            let page = browser.get(path).await;
            page.assert_page(StatusCode::NOT_FOUND, "There is no login here");
        }
        let address = world.shop().authorize("openid age", &[]);
        let (path, _) = begin(&mut browser, &address).await;
        for query in ["", "?view=", "?view=all", "?view=qr&view=qr", "?view=%ff"] {
            let answer = browser.get(&format!("{path}/events{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
            let kind = &answer.headers[header::CONTENT_TYPE];
            assert_eq!(kind, "application/problem+json");
            assert_eq!(answer.json()["code"], "invalid_parameters");
        }
    })
    .await;
}

#[tokio::test]
async fn a_form_of_nobody_is_told_so() {
    on_sqlite(async |world| {
        let mut browser = world.browser();
        for path in [
            "/account/consents/x/withdraw",
            "/account/sessions/x/end",
            "/account/means",
            "/account/delete",
        ] {
            let page = browser.post(path, &[("csrf", "x")]).await;
            page.assert_page(StatusCode::FORBIDDEN, "This form cannot be accepted");
            assert!(!page.body.contains("There is no login here"), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn cat_113_what_is_no_form_begins_no_login() {
    on_sqlite(async |world| {
        let router = world.router();
        let address = world.shop().authorize("openid age", &[]);
        let (_, query) = address.split_once('?').unwrap();
        for kind in ["text/plain", "application/json", "multipart/form-data", ""] {
            let answer = asked(&router, "/authorize", kind, query.to_owned()).await;
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            answer.assert_page(status, "a request that we cannot answer");
        }
        let answer = asked(&router, "/authorize", FORM, query.to_owned()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn a_login_without_a_journey_hears_no_answers() {
    on_sqlite(async |world| {
        let mut browser = world.browser();
        let address = world.shop().authorize("openid age", &[]);
        let (path, page) = begin(&mut browser, &address).await;
        let csrf = page.attribute("name=\"csrf\"", "value").unwrap();
        for turn in [None, Some(("turn", "0"))] {
            let mut fields = vec![("csrf", csrf.as_str()), ("value-name", "Anna")];
            fields.extend(turn);
            let answer = browser.post(&format!("{path}/ask"), &fields).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER);
            assert_eq!(answer.location(), path);
        }
    })
    .await;
}

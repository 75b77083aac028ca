//! Every address of the console, for nobody and for every role; forms of other pages; headers.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use vouchsafe_service::operators::Role;

use super::console::{Desk, attribute};
use super::harness::{Answer, Harness, ISSUER, everywhere};

/// Who may use an address.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Everybody,
    From(Role),
}

use Who::{Everybody, From};

const ID: &str = "0190a6f0-0000-7000-8000-000000000001";

/// Method, path, the name of its route, and who may. All of [`crate::console::router`], which the last test
/// of this file counts.
const ROUTES: [(&str, &str, &str, Who); 60] = [
    ("GET", "/console", "BARE", Everybody),
    ("GET", "/console/", "HOME", From(Role::Viewer)),
    ("GET", "/console/sign-in", "SIGN_IN", Everybody),
    (
        "JSON",
        "/console/sign-in/challenge",
        "SIGN_IN_CHALLENGE",
        Everybody,
    ),
    (
        "JSON",
        "/console/sign-in/passkey",
        "SIGN_IN_PASSKEY",
        Everybody,
    ),
    ("POST", "/console/upstream", "UPSTREAM", Everybody),
    (
        "GET",
        "/console/upstream/callback",
        "UPSTREAM_CALLBACK",
        Everybody,
    ),
    ("GET", "/console/invitations/A", "INVITATION", Everybody),
    ("POST", "/console/invitations/A", "INVITATION", Everybody),
    (
        "JSON",
        "/console/invitations/A/challenge",
        "INVITATION_CHALLENGE",
        Everybody,
    ),
    (
        "JSON",
        "/console/invitations/A/passkey",
        "INVITATION_PASSKEY",
        Everybody,
    ),
    ("GET", "/console/account", "ACCOUNT", From(Role::Viewer)),
    (
        "JSON",
        "/console/account/challenge",
        "ACCOUNT_CHALLENGE",
        From(Role::Viewer),
    ),
    (
        "JSON",
        "/console/account/passkeys",
        "ACCOUNT_PASSKEY",
        From(Role::Viewer),
    ),
    (
        "POST",
        "/console/account/passkeys/x/remove",
        "ACCOUNT_REMOVE",
        From(Role::Viewer),
    ),
    ("GET", "/console/operators", "OPERATORS", From(Role::Admin)),
    ("POST", "/console/operators", "OPERATORS", From(Role::Admin)),
    (
        "GET",
        "/console/operators/ID",
        "OPERATOR",
        From(Role::Admin),
    ),
    (
        "GET",
        "/console/operators/ID/remove",
        "OPERATOR_REMOVE",
        From(Role::Admin),
    ),
    (
        "POST",
        "/console/operators/ID",
        "OPERATOR",
        From(Role::Admin),
    ),
    ("GET", "/console/types", "TYPES", From(Role::Viewer)),
    (
        "GET",
        "/console/types/membership",
        "TYPE",
        From(Role::Viewer),
    ),
    ("GET", "/console/types/none", "TYPE", From(Role::Viewer)),
    ("GET", "/console/cards.css", "CARD_COLOURS", Everybody),
    ("GET", "/console/offers", "OFFERS", From(Role::Viewer)),
    (
        "GET",
        "/console/offers/new",
        "OFFER_NEW",
        From(Role::Operator),
    ),
    (
        "GET",
        "/console/offers/new?type=membership",
        "OFFER_NEW",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/offers/new",
        "OFFER_NEW",
        From(Role::Operator),
    ),
    (
        "GET",
        "/console/batches/new",
        "BATCH_NEW",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/batches/new",
        "BATCH_NEW",
        From(Role::Operator),
    ),
    ("GET", "/console/batches/ID", "BATCH", From(Role::Viewer)),
    // PostgreSQL has no text with a NUL.
    ("GET", "/console/batches/%00", "BATCH", From(Role::Viewer)),
    (
        "POST",
        "/console/account/passkeys/%00/remove",
        "ACCOUNT_REMOVE",
        From(Role::Viewer),
    ),
    (
        "GET",
        "/console/credentials",
        "CREDENTIALS",
        From(Role::Viewer),
    ),
    (
        "GET",
        "/console/credentials/ID",
        "CREDENTIAL",
        From(Role::Viewer),
    ),
    (
        "GET",
        "/console/credentials/ID/suspend",
        "CREDENTIAL_CHANGE",
        From(Role::Operator),
    ),
    (
        "GET",
        "/console/credentials/ID/revoke",
        "CREDENTIAL_CHANGE",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/credentials/ID/suspend",
        "CREDENTIAL_CHANGE",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/credentials/ID/resume",
        "CREDENTIAL_CHANGE",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/credentials/ID/revoke",
        "CREDENTIAL_CHANGE",
        From(Role::Operator),
    ),
    (
        "GET",
        "/console/credentials/ID/expire",
        "CREDENTIAL_CHANGE",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/credentials/ID/expire",
        "CREDENTIAL_CHANGE",
        From(Role::Operator),
    ),
    (
        "GET",
        "/console/credentials/ID/renew",
        "CREDENTIAL_RENEW",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/credentials/ID/renew",
        "CREDENTIAL_RENEW",
        From(Role::Operator),
    ),
    (
        "GET",
        "/console/credentials/ID/end",
        "CREDENTIAL_END",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/credentials/ID/end",
        "CREDENTIAL_END",
        From(Role::Operator),
    ),
    (
        "GET",
        "/console/credentials/ID/supersede",
        "CREDENTIAL_SUPERSEDE",
        From(Role::Operator),
    ),
    (
        "POST",
        "/console/credentials/ID/supersede",
        "CREDENTIAL_SUPERSEDE",
        From(Role::Operator),
    ),
    ("GET", "/console/jobs", "JOBS", From(Role::Admin)),
    ("GET", "/console/jobs/new", "JOB_NEW", From(Role::Admin)),
    ("POST", "/console/jobs/new", "JOB_NEW", From(Role::Admin)),
    ("GET", "/console/jobs/ID", "JOB", From(Role::Admin)),
    (
        "POST",
        "/console/jobs/ID/cancel",
        "JOB_CANCEL",
        From(Role::Admin),
    ),
    ("GET", "/console/keys", "KEYS", From(Role::Viewer)),
    ("GET", "/console/webhooks", "WEBHOOKS", From(Role::Viewer)),
    ("GET", "/console/webhooks/ID", "WEBHOOK", From(Role::Viewer)),
    ("GET", "/console/audit", "AUDIT", From(Role::Viewer)),
    (
        "GET",
        "/console/audit?target=x",
        "AUDIT",
        From(Role::Viewer),
    ),
    (
        "POST",
        "/console/audit/check",
        "AUDIT_CHECK",
        From(Role::Viewer),
    ),
    // Last: it ends the session.
    ("POST", "/console/sign-out", "SIGN_OUT", From(Role::Viewer)),
];

async fn ask(desk: &mut Desk<'_>, method: &str, path: &str, csrf: &str) -> Answer {
    let path = path.replace("ID", ID);
    match method {
        "GET" => desk.get(&path).await,
        "POST" => desk.post(&path, &[("csrf", csrf)]).await,
        _ => desk.script(&path, csrf, &json!({})).await,
    }
}

async fn csrf(desk: &mut Desk<'_>) -> String {
    let page = desk.get("/console/account").await;
    attribute(&page.text, "name=\"csrf\" value=\"").unwrap_or_default()
}

fn is_turned_away(answer: &Answer) -> bool {
    answer.status == 303 && answer.header("location") == "/console/sign-in"
}

#[tokio::test]
async fn every_address_for_every_role() {
    everywhere(async |h| {
        for role in Role::ALL {
            let mut desk = Desk::of(&h, role).await;
            let csrf = csrf(&mut desk).await;
            for (method, path, route, who) in ROUTES {
                let may = who == Everybody || matches!(who, From(least) if role >= least);
                let answer = ask(&mut desk, method, path, &csrf).await;
                let refused = answer.status == 403 && answer.text.contains("role does not allow");
                let code = answer.error().1;
                let refused = refused || code == "forbidden";
                assert_eq!(refused, !may, "{role:?} {method} {path}: {}", answer.text);
                assert!(answer.status.as_u16() < 500, "{role:?} {method} {path}");
                let out = route == "SIGN_OUT";
                assert_eq!(is_turned_away(&answer), out, "{role:?} {method} {path}");
            }
        }
        let mut nobody = Desk::nobody(&h);
        for (method, path, _, who) in ROUTES {
            let answer = ask(&mut nobody, method, path, "AAAA").await;
            let away = is_turned_away(&answer);
            assert_eq!(away, who != Everybody, "{method} {path}: {}", answer.status);
        }
    })
    .await;
}

async fn events(h: &Harness) -> usize {
    let log = h.admin_get("/v1/audit?limit=200").await.json();
    log["items"].as_array().unwrap().len()
}

#[tokio::test]
async fn forms_of_other_pages_change_nothing() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        let mut other = Desk::of(&h, Role::Viewer).await;
        let (own, theirs) = (csrf(&mut desk).await, csrf(&mut other).await);
        let before = events(&h).await;
        // Before somebody is signed in, forms fit the cookie that this page sets.
        let mark = "data-csrf=\"";
        let visit = attribute(&desk.get("/console/sign-in").await.text, mark).unwrap();
        let visited = attribute(&other.get("/console/sign-in").await.text, mark).unwrap();
        for (method, path, route, _) in ROUTES {
            let outside = ["SIGN_IN", "INVITATION", "UPSTREAM"];
            let outside = outside.iter().any(|one| route.starts_with(one));
            if method == "GET" {
                continue;
            }
            let (own, foreign) = match outside {
                true => (&visit, [theirs.as_str(), visited.as_str(), own.as_str()]),
                false => (&own, [theirs.as_str(), visited.as_str(), visit.as_str()]),
            };
            if outside {
                // What is asked of the others below is not refused for want of a cookie.
                let answer = ask(&mut desk, method, path, own).await;
                let status = answer.status.as_u16();
                assert_ne!(status, 403, "{method} {path} {}", answer.text);
            }
            for token in ["", "AAAA"].into_iter().chain(foreign) {
                let answer = ask(&mut desk, method, path, token).await;
                let status = answer.status.as_u16();
                // A table is refused for its content type before anything else.
                let refused = status == 403 || (status == 400 && route == "BATCH_NEW");
                assert!(refused, "{method} {path} {status}");
            }
            let json = method == "JSON";
            let body = match json {
                true => "{}".to_owned(),
                false => serde_urlencoded::to_string([("csrf", own)]).unwrap(),
            };
            for (name, value) in [
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
            ] {
                let kind = match json {
                    true => "application/json",
                    false => "application/x-www-form-urlencoded",
                };
                let request = Request::post(path.replace("ID", ID))
                    .header("content-type", kind)
                    .header("x-vouchsafe-csrf", own)
                    .header(name, value);
                let answer = desk
                    .send(request.body(Body::from(body.clone())).unwrap())
                    .await;
                let status = answer.status.as_u16();
                assert!(
                    status == 403 || route == "BATCH_NEW",
                    "{path} {name} {status}"
                );
            }
        }
        assert_eq!(events(&h).await, before);
        assert_eq!(desk.get("/console/").await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn no_page_stands_in_a_frame_or_is_kept() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        for (method, path, route, _) in ROUTES {
            if method != "GET" {
                continue;
            }
            let answer = ask(&mut desk, method, path, "").await;
            let policy = answer.header("content-security-policy");
            for part in [
                "frame-ancestors 'none'",
                "script-src 'self'",
                "form-action 'self'",
            ] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
            assert_eq!(answer.header("cache-control"), "no-store", "{path}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
            if !["CARD_COLOURS", "BARE"].contains(&route) {
                assert!(!answer.text.contains("style=\""), "{path}");
                assert!(!answer.text.contains(" onclick"), "{path}");
                assert!(answer.text.contains("<h1>"), "{path}");
            }
        }
    })
    .await;
}

/// Somebody who speaks German reads German: every page has all its texts in both languages.
#[tokio::test]
async fn every_page_in_german() {
    everywhere(async |h| {
        let mut desk = Desk::of(&h, Role::Admin).await;
        for (method, path, route, _) in ROUTES {
            if method != "GET" || ["CARD_COLOURS", "BARE"].contains(&route) {
                continue;
            }
            let request = Request::get(path.replace("ID", ID)).header("accept-language", "de-AT");
            let answer = desk.send(request.body(Body::empty()).unwrap()).await;
            assert!(answer.status.as_u16() < 500, "{path}");
            assert!(
                answer.text.contains("lang=\"de\""),
                "{path}: {}",
                answer.text
            );
        }
    })
    .await;
}

#[test]
fn every_route_is_in_the_table() {
    let source = include_str!("../console/mod.rs");
    let routes = source.split("paths::").skip(2);
    let names = routes.map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c == '_'));
        &rest[..end.unwrap_or(rest.len())]
    });
    for name in names {
        let is_known = ROUTES.iter().any(|(_, _, route, _)| *route == name);
        assert!(is_known, "{name} has no row: who may use it?");
    }
    assert!(ISSUER.starts_with("https://"));
}

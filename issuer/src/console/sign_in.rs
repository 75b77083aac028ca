//! `/console/sign-in`, `/console/sign-out`.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::json;
use vouchsafe_credentials::crypto::sha256;
use vouchsafe_credentials::encoding::b64url;

use super::visitor::{
    Visitor, end_previous, no_session_cookie, session_cookie, visit, visit_or_new,
};
use super::{Console, Failure, passkey_json, paths, upstream, view};

/// The page.
pub async fn page(State(console): State<Console>, headers: HeaderMap) -> Result<Response, Failure> {
    let (visit, cookie) = visit_or_new(&console, &headers);
    let context = json!({ "csrf": console.csrf.token(&visit) });
    let locale = view::locale(&headers);
    let mut response = view::outside(&console, locale, "console/sign_in", context)?;
    upstream::may_leave(&console, &mut response);
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// What the browser needs to sign in with a passkey.
pub async fn challenge(
    State(console): State<Console>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let binding = binding(&console, &headers)?;
    let options = console.operators.begin_sign_in(&binding).await?;
    Ok(passkey_json::options(&options))
}

/// What the passkey answers.
pub async fn passkey(
    State(console): State<Console>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let binding = binding(&console, &headers)?;
    let answer = passkey_json::read(&body)?;
    let secret = console.operators.sign_in(&binding, &answer).await?;
    end_previous(&console, &headers).await?;
    let cookie = session_cookie(&console, &secret);
    Ok(passkey_json::go_on(paths::HOME, Some(cookie)))
}

/// Signing out.
pub async fn out(visitor: Visitor, headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
    visitor.form(&headers, &body).await?;
    visitor.console.operators.sign_out(&visitor.session).await?;
    let mut response = view::see_other(paths::SIGN_IN);
    let cookie = no_session_cookie(&visitor.console);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Names the browser, after its request was checked.
fn binding(console: &Console, headers: &HeaderMap) -> Result<String, Failure> {
    let visit = visit(console, headers).ok_or(Failure::Form)?;
    passkey_json::check(console, headers, &visit)?;
    Ok(b64url(&sha256(visit.as_bytes())))
}

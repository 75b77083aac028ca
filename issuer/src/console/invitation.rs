//! `/console/invitations/{secret}`: the link that an operator was handed.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::json;

use super::visitor::{end_previous, form, session_cookie, visit, visit_or_new};
use super::{Console, Failure, invitation_path, passkey_json, paths, upstream, view};

/// The page. It uses nothing up: mail programs look at links.
pub async fn page(
    State(console): State<Console>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let invited = console.operators.invited(&secret).await?;
    let (visit, cookie) = visit_or_new(&console, &headers);
    let context = json!({
        "csrf": console.csrf.token(&visit),
        "name": invited.name,
        "role": invited.role.as_str(),
        "link": invitation_path(&secret),
        "secret": secret,
    });
    let locale = view::locale(&headers);
    let mut response = view::outside(&console, locale, "console/invitation", context)?;
    upstream::may_leave(&console, &mut response);
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Signs in with the link, where there are no passkeys.
pub async fn accept(
    State(console): State<Console>,
    Path(secret): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let visit = visit(&console, &headers).ok_or(Failure::Form)?;
    form(&console, &headers, &body, &visit)?;
    let session = console.operators.accept_with_link(&secret).await?;
    end_previous(&console, &headers).await?;
    let mut response = view::see_other(paths::HOME);
    let cookie = session_cookie(&console, &session);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// What the browser needs to make a passkey.
pub async fn challenge(
    State(console): State<Console>,
    Path(secret): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    check(&console, &headers)?;
    let invited = console.operators.invited(&secret).await?;
    let options = console.operators.begin_redemption(&invited).await?;
    Ok(passkey_json::options(&options))
}

/// The new passkey, which redeems the link.
pub async fn passkey(
    State(console): State<Console>,
    Path(secret): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    check(&console, &headers)?;
    let answer = passkey_json::read(&body)?;
    let operators = &console.operators;
    let session = operators.accept_with_passkey(&secret, &answer).await?;
    end_previous(&console, &headers).await?;
    let cookie = session_cookie(&console, &session);
    Ok(passkey_json::go_on(paths::HOME, Some(cookie)))
}

fn check(console: &Console, headers: &HeaderMap) -> Result<(), Failure> {
    let visit = visit(console, headers).ok_or(Failure::Form)?;
    passkey_json::check(console, headers, &visit)
}

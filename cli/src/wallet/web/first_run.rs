//! The first run: a name, a language, a passphrase typed twice.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;
use sha2::{Digest, Sha256};
use vouchsafe_pages::Locale;
use vouchsafe_service::http::StrictForm;

use super::error::Problem;
use super::guard::{Guard, LONGEST_PASSPHRASE, Shut};

/// As the core wants it, in bytes.
pub(super) const SHORTEST_PASSPHRASE: usize = 8;

pub(super) async fn begin(
    State(guard): State<Arc<Guard>>,
    headers: HeaderMap,
    Path(invitation): Path<String>,
) -> Response {
    match invited(&guard, &headers, &invitation) {
        Some(refusal) => refusal,
        None => first_run(&guard, &headers, None),
    }
}

/// A page instead of the first run: without the invitation, or when it is over.
fn invited(guard: &Guard, headers: &HeaderMap, invitation: &str) -> Option<Response> {
    if guard.keeper.exists() {
        return Some(Redirect::to("/").into_response());
    }
    // Compared by their digests, so that the time says nothing about the invitation.
    let same = Sha256::digest(invitation) == Sha256::digest(&guard.invitation);
    (!same).then(|| Problem::gone().page(&guard.shell, &guard.shell.visitor(headers)))
}

fn first_run(guard: &Guard, headers: &HeaderMap, problem: Option<&str>) -> Response {
    let visitor = guard.shell.visitor(headers);
    let context = json!({
        "invitation": guard.invitation,
        "problem": problem,
        "shortest": SHORTEST_PASSPHRASE,
    });
    let page = guard.shell.page(&visitor, "wallet/setup", context);
    let status = match problem {
        None => StatusCode::OK,
        Some(_) => StatusCode::BAD_REQUEST,
    };
    (status, page).into_response()
}

pub(super) async fn set_up(
    State(guard): State<Arc<Guard>>,
    headers: HeaderMap,
    Path(invitation): Path<String>,
    StrictForm(form): StrictForm,
) -> Response {
    if let Some(refusal) = invited(&guard, &headers, &invitation) {
        return refusal;
    }
    let shell = &guard.shell;
    if let Err(problem) = shell.check_form(&headers, &form) {
        return problem.page(shell, &shell.visitor(&headers));
    }
    let passphrase = form.get("passphrase").unwrap_or_default();
    if let Some(problem) = unusable(passphrase, form.get("again").unwrap_or_default()) {
        return first_run(&guard, &headers, Some(problem));
    }
    match guard.create(passphrase).await {
        Ok(()) => {}
        // The core is stricter about some.
        Err(Shut::Wrong) => return first_run(&guard, &headers, Some("short")),
        Err(Shut::Wait(_) | Shut::Broken) => return first_run(&guard, &headers, Some("broken")),
    }
    let name = form.get("name").unwrap_or_default();
    let locale = form.get("locale").and_then(Locale::from_tag);
    let kept = shell.profile.set_name(name);
    let kept = kept.and_then(|()| locale.map_or(Ok(()), |one| shell.profile.set_locale(one)));
    if let Err(error) = kept {
        // The wallet is there; a name can be given later.
        tracing::warn!(%error, "the wallet's name is not kept");
    }
    let mut response = guard.admit("/");
    if let Some(locale) = locale {
        let cookie = shell.locale_cookie(locale);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) fn unusable(passphrase: &str, again: &str) -> Option<&'static str> {
    if passphrase.len() < SHORTEST_PASSPHRASE {
        Some("short")
    } else if passphrase.len() > LONGEST_PASSPHRASE {
        Some("long")
    } else if passphrase != again {
        Some("differs")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_long_enough_and_typed_twice() {
        assert_eq!(unusable("short", "short"), Some("short"));
        assert_eq!(unusable(&"x".repeat(2000), ""), Some("long"));
        assert_eq!(unusable("correct horse", "correct house"), Some("differs"));
        assert_eq!(unusable("correct horse", "correct horse"), None);
    }
}

//! The way back to the application: always with `iss`, always with status 303 or as a form.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::error::OAuthError;
use vouchsafe_protocol::oauth::response::{AuthorizationResponse, Outcome, ResponseTarget};
use vouchsafe_protocol::oauth::values::Secret as OAuthSecret;

use crate::app::Parts;
use crate::config::Client;
use crate::domain::ids::Secret;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::request::{Back, Linking, LoginRequest, ReturnAddress};
use crate::views::{PageFailure, message, page};
use vouchsafe_protocol::oauth::error::ErrorCode;

/// What the application is told.
#[derive(Debug)]
pub enum Told {
    /// Here is the code.
    Code(Secret),
    /// It did not work.
    Error(OAuthError),
}

/// Sends the browser back to where a checked request wants it.
pub fn to_target(
    app: &Parts,
    locale: Locale,
    app_name: &str,
    target: &ResponseTarget,
    told: Told,
) -> Response {
    let outcome = match told {
        Told::Code(code) => Outcome::Code(OAuthSecret::new(code.reveal())),
        Told::Error(error) => Outcome::Error(error),
    };
    // RFC 9207: `iss` in every answer, errors included.
    match AuthorizationResponse::build(target, app.issuer(), &outcome) {
        AuthorizationResponse::Redirect(url) => see_other(url.as_str()),
        AuthorizationResponse::FormPost { action, fields } => {
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect();
            let context = json!({ "action": action.as_str(), "fields": fields, "app": app_name });
            page(app, StatusCode::OK, "verifier/form_post", locale, context)
        }
    }
}

/// Sends the browser of a login back to its application.
pub async fn to_client(app: &Parts, request: &LoginRequest, told: Told) -> Response {
    let locale = Locale::from_tag(&request.locale).unwrap_or_default();
    let address = match &request.back {
        Back::Application(address) => address,
        // The device asks for its answer; the code is no business of this browser.
        Back::Device { device: _ } => {
            let key = match told {
                Told::Code(_) => "device-done",
                Told::Error(_) => "device-stopped",
            };
            return message(app, StatusCode::OK, locale, key);
        }
        // Nobody else waits for it.
        Back::Account { linking: _ } => {
            return message(app, StatusCode::OK, locale, "link-stopped");
        }
    };
    let client = match app.client(&request.client).await {
        Ok(client) => client,
        Err(error) => {
            let temporary = error.to_oauth().code == ErrorCode::TemporarilyUnavailable;
            return PageFailure::server(locale, &error, temporary).show(app);
        }
    };
    let known = client.and_then(|client| Some((target(&client, address)?, client)));
    match known {
        Some((target, client)) => {
            to_target(app, locale, client.name_in(locale.tag()), &target, told)
        }
        // The registration changed while the person logged in: nobody is sent to an address that
        // is not registered now.
        None => PageFailure {
            status: StatusCode::BAD_REQUEST,
            explanation: Explanation::Request,
            code: "client_gone".to_owned(),
            locale,
        }
        .show(app),
    }
}

/// What the browser shows when a card was added to an account.
pub fn linked(app: &Parts, request: &LoginRequest) -> Response {
    match request.linking() {
        Some(Linking::Session(_)) => see_other("/account"),
        Some(Linking::Invitation(_)) | None => {
            let locale = Locale::from_tag(&request.locale).unwrap_or_default();
            message(app, StatusCode::OK, locale, "linked")
        }
    }
}

fn target(client: &Client, back: &ReturnAddress) -> Option<ResponseTarget> {
    let ReturnAddress {
        redirect_uri,
        response_mode,
        state,
    } = back;
    Some(ResponseTarget {
        redirect_uri: client.redirect_uris.find(redirect_uri)?,
        state: state.clone(),
        mode: *response_mode,
    })
}

/// What the application is told of a failed login: no more than it needs.
pub fn error_of(failure: &Failure) -> OAuthError {
    match failure.code() {
        "unmet_authentication_requirements" => ErrorCode::UnmetAuthenticationRequirements.into(),
        // RFC 6749, section 4.1.2.1: nothing is wrong with the card, and later it may be good.
        "status_unavailable" => ErrorCode::TemporarilyUnavailable.into(),
        // OpenID Connect Core 1.0, section 3.1.2.1, `id_token_hint`.
        "other_account" => ErrorCode::LoginRequired.into(),
        _ => ErrorCode::AccessDenied.into(),
    }
}

/// 303, so that a form is never posted again elsewhere (RFC 9700, section 4.12).
pub fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (
            StatusCode::SEE_OTHER,
            [
                (header::LOCATION, location),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
        )
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Adds a cookie to a response.
pub fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

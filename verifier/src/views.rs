//! Pages: what the handlers show, and how a failure is shown.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use vouchsafe_pages::{CONTENT_SECURITY_POLICY, Locale};
use vouchsafe_protocol::oauth::registration::About;
use vouchsafe_protocol::vp::transaction_data::Details;
use vouchsafe_protocol::vp::values::LocalizedText;

use crate::app::Parts;
use crate::config::{Client, Query};
use crate::domain::ids::TransactionId;
use crate::domain::notice::{Controller, Notice};
use crate::domain::reason::{Explanation, Failure};
use crate::domain::transaction::Login;
use crate::login::accept::log_id;
use crate::login::ask::Asking;

/// The language of a page for which no application asked for one.
pub fn browser_locale(headers: &HeaderMap) -> Locale {
    let accept = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Locale::negotiate(None, accept)
}

/// The language of a login.
pub fn login_locale(login: &Login) -> Locale {
    Locale::from_tag(&login.request.locale).unwrap_or_default()
}

/// Renders a page. A template that fails is our fault and becomes a bare 500.
pub fn page(
    app: &Parts,
    status: StatusCode,
    name: &str,
    locale: Locale,
    context: impl Serialize,
) -> Response {
    match app.pages.render(name, locale, context) {
        Ok(Html(html)) => {
            let mut response = (status, Html(html)).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            // The pages' own policy: forms of ours end in a redirect to the application, which
            // `form-action 'self'` would stop.
            let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            response
        }
        Err(error) => {
            tracing::error!(page = name, error = %chain(&error), "page not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A page with two texts, `verifier-<key>-title` and `verifier-<key>-text`.
pub fn message(app: &Parts, status: StatusCode, locale: Locale, key: &str) -> Response {
    page(
        app,
        status,
        "verifier/message",
        locale,
        json!({ "key": key }),
    )
}

/// Where somebody goes on without the answer of a wallet, as they can where it is asked after a login.
pub fn without(login: &Login) -> Option<String> {
    let run = login.run.as_deref();
    let follows = run.is_some_and(|run| run.main.is_some());
    follows.then(|| format!("/login/{}/cancel", login.id))
}

/// The page of a login whose answer waits for its browser. Where the way back broke off, the person
/// may begin again.
pub fn answered(app: &Parts, login: &Login, cookie: &str) -> Response {
    let without = without(login);
    // One pushed request brings one code (RFC 9126, section 7.3).
    let again = !login.request.was_pushed() && without.is_none();
    let again = again.then(|| format!("/login/{}/again", login.id));
    let context = json!({
        "key": "answered",
        "again_link": again,
        "without_link": without,
        "csrf": app.csrf.token(cookie),
    });
    let locale = login_locale(login);
    page(app, StatusCode::OK, "verifier/message", locale, context)
}

/// Why a page cannot be shown.
#[derive(Debug)]
pub struct PageFailure {
    /// HTTP status.
    pub status: StatusCode,
    /// Which explanation.
    pub explanation: Explanation,
    /// Code for the log.
    pub code: String,
    /// Language.
    pub locale: Locale,
}

impl PageFailure {
    /// There is no such login for this browser. The same answer for one that never was and for
    /// one of somebody else (catalogue 313).
    pub fn unknown(locale: Locale) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            explanation: Explanation::Unknown,
            code: "unknown_login".to_owned(),
            locale,
        }
    }

    /// Our own fault; `temporary` where a later attempt may succeed.
    pub fn server(locale: Locale, error: &dyn std::error::Error, temporary: bool) -> Self {
        tracing::error!(error = %chain(error), "request failed");
        let status = if temporary {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        Self {
            status,
            explanation: Explanation::Server,
            code: "server_error".to_owned(),
            locale,
        }
    }

    /// The page, with a reference that is also in the log.
    pub fn show(self, app: &Parts) -> Response {
        let Self {
            status,
            explanation,
            code,
            locale,
        } = self;
        let reference = app
            .references
            .make(explanation, app.now(), app.rng.as_ref());
        tracing::info!(reference, reason = code, "error page");
        let context = json!({ "kind": explanation.key(), "show": null, "reference": reference, "again_link": null, "leave_link": null, "leave_csrf": null });
        let mut response = page(app, status, "verifier/failed", locale, context);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// What only the browser is offered that started a login.
#[derive(Debug)]
pub struct Own {
    /// Its cookie, to which forms are bound.
    pub cookie: String,
    /// Whether whoever asked for the login still waits for it.
    pub awaited: bool,
}

/// Why a login failed, as its page says it.
#[derive(Debug)]
pub struct Why {
    explanation: Explanation,
    /// What a journey wants to be said.
    show: Option<String>,
}

impl From<Explanation> for Why {
    fn from(explanation: Explanation) -> Self {
        let show = None;
        Self { explanation, show }
    }
}

impl From<&Failure> for Why {
    fn from(failure: &Failure) -> Self {
        Self {
            explanation: failure.explanation(),
            show: failure.show().map(str::to_owned),
        }
    }
}

/// The page of a login that failed. `own` is there in the browser that started it: only that one
/// gets the links.
pub fn failed(
    app: &Parts,
    login: &Login,
    client: Option<&Client>,
    why: impl Into<Why>,
    own: Option<&Own>,
) -> Response {
    let Why { explanation, show } = why.into();
    let id = &login.id;
    let own = own.filter(|own| own.awaited);
    // Nothing follows a pushed request that this login has used up.
    let again = own.is_some()
        && !login.request.spent
        && !matches!(explanation, Explanation::Account | Explanation::Request);
    let context = json!({
        "kind": explanation.key(),
        "show": show,
        "app": client.map(|client| client.name_in(&login.request.locale)).unwrap_or_default(),
        "again_link": again.then(|| format!("/login/{id}/again")),
        "leave_link": (own.is_some() && client.is_some()).then(|| format!("/login/{id}/leave")),
        // A no to a device is final: a form, not a link.
        "leave_csrf": own.filter(|_| login.request.device().is_some()).map(|own| app.csrf.token(&own.cookie)),
        "reference": log_id(id),
    });
    let status = match explanation {
        Explanation::Server => StatusCode::INTERNAL_SERVER_ERROR,
        Explanation::Unknown => StatusCode::NOT_FOUND,
        _ => StatusCode::FORBIDDEN,
    };
    page(app, status, "verifier/failed", login_locale(login), context)
}

/// What the pages of a waiting login share: who asks, why, and where the events are.
pub fn asked(
    login: &Login,
    (client, query): (&Client, &Query),
    (view, state): (&str, &str),
) -> Value {
    let id: &TransactionId = &login.id;
    // The passkey said who it is, and the card is asked all the same.
    let passkey_card = match login.run.as_deref() {
        Some(run) => run.card_first && run.person().is_none(),
        None => login.passkey.is_some(),
    };
    let more = json!({
        // Where something is approved the page says what: see `approval`.
        "payment": null,
        "passkey_card": passkey_card,
        "for_device": login.request.device().is_some(),
        "for_account": login.request.linking().is_some(),
        "unusual": login.request.risk,
        "purpose": query.purpose.for_locale(&login.request.locale),
        "events": format!("/login/{id}/events?view={view}"),
        "watched": state,
    });
    with(who(client, &login.request.locale), more)
}

/// What the person approves with the card that a page asks for, as it is signed. Pages that ask for none
/// approve nothing and do not say it.
pub fn approval(asking: &Asking<'_>) -> Value {
    let payment = asking.transaction_data.first().map(|data| {
        let Details::Payment(payment) = data.details();
        json!({
            "payee": payment.payee(),
            "amount": payment.amount(),
            "currency": payment.currency(),
            "reference": payment.reference(),
        })
    });
    json!({ "payment": payment })
}

/// Who asks: what an application is called, where it is, and whether anybody here vouches for it.
/// What it says about itself is text on the page and never a link (catalogue 377).
pub fn who(client: &Client, locale: &str) -> Value {
    let About {
        name: _,
        client_uri,
        logo_uri,
        policy_uri,
        tos_uri,
    } = &client.about;
    let text = |text: &Option<LocalizedText>| {
        let text = text.as_ref();
        text.map(|text| text.for_locale(locale).to_owned())
    };
    json!({
        "app": client.name_in(locale),
        "app_host": client.host,
        "unvouched": client.standing.is_unvouched(),
        "app_site": text(client_uri),
        "app_logo": text(logo_uri),
        "app_policy": text(policy_uri),
        "app_terms": text(tos_uri),
    })
}

/// What a person is told before they agree; of a card for nobody only the facts.
pub fn told(notice: &Notice, agrees: bool) -> Value {
    let facts: Vec<&str> = (notice.facts.iter())
        .map(|fact| fact.label.as_str())
        .collect();
    let Controller {
        name,
        contact,
        privacy_policy,
        address,
        country,
        storage,
    } = &notice.controller;
    let told = json!({
        "name": name, "contact": contact, "policy": privacy_policy, "address": address,
        "country": country, "storage": storage, "recipients": notice.recipients,
        "kept_days": notice.stays_days, "expires_days": notice.expires_days,
    });
    json!({ "facts": facts, "responsible": agrees.then_some(told) })
}

/// Joins two JSON objects.
pub fn with(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

/// An error and its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

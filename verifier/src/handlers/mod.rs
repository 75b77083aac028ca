//! One endpoint per file: errors, their one mapping to the wire, handler. Paths are written once,
//! in [`router`].

mod account;
mod account_attributes;
mod account_authenticator;
mod account_change;
mod account_delete;
mod account_export;
mod account_hold;
mod account_link;
mod account_means;
mod account_passkeys;
mod account_receipt;
mod admin;
mod authorize;
mod authorize_journey;
mod authorize_request;
mod authorize_session;
mod consents;
mod cors;
mod device_authorization;
mod device_page;
mod did_document;
mod discovery;
mod form;
mod health;
mod introspect;
mod jwks;
mod login_again;
mod login_agree;
mod login_api_answer;
mod login_api_request;
mod login_ask;
mod login_cancel;
mod login_code;
mod login_events;
mod login_identify;
mod login_leave;
mod login_new_passkey;
mod login_number;
mod login_page;
mod login_passkey;
mod login_qr;
mod login_run;
mod login_upstream;
mod login_wait;
mod logout;
mod oauth;
mod owned;
mod par;
mod proof;
mod register;
mod register_client;
mod registration_answer;
mod revoke;
mod satisfaction;
mod ssf_configuration;
mod ssf_poll;
mod ssf_status;
mod ssf_stream;
mod ssf_verify;
mod token;
mod token_question;
mod userinfo;
mod v1;
mod vp_number;
mod vp_request;
mod vp_response;
mod vp_return;
mod wallet_login;

use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, Request};
use axum::handler::Handler;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, post};
use vouchsafe_service::http::{limits, require_type};

use crate::app::App;
use crate::domain::ids::RequestId;

pub(crate) use account_link::PATH as LINK_PATH;

/// What stands in a path; it may be no text.
type PathText = Result<Path<String>, PathRejection>;

/// The question that a path names, if it can be one of ours.
fn request_id(path: PathText) -> Option<RequestId> {
    RequestId::parse(&path.ok()?.0)
}

/// Endpoints for which DPoP proofs are made.
const PAR: &str = "/par";
const TOKEN: &str = "/token";
const USERINFO: &str = "/userinfo";
/// The parameter of RFC 9396, section 2.
const DETAILS: &str = "authorization_details";
/// Where applications register.
const REGISTER: &str = "/register";

/// A route whose GET does something, so that a HEAD (which looks ahead for a person) must not be
/// served by it.
fn only_get<H, T>(handler: H) -> MethodRouter<App>
where
    H: Handler<T, App>,
    T: 'static,
{
    get(handler).head(async || (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET")]))
}

/// Every route of the service.
pub fn router(app: App) -> Router {
    let devices = app.settings.serves_devices();
    let verifications = app.settings.verifications.enabled();
    let administration = app.settings.administration.is_some();
    let registers = app.settings.registration.is_some();
    let receivers = app.settings.serves_receivers();
    let passkeys = app.settings.passkeys.is_some();
    let codes = app.settings.totp.is_some();
    let providers = !app.settings.providers.is_empty();
    let numbers = app.settings.numbers.is_some();
    let satisfaction = satisfaction::is_asked(&app);
    let proven = Router::new()
        .route(
            PAR,
            post(par::handle).options(async || cors::no_preflight("POST")),
        )
        .route(
            TOKEN,
            post(token::handle).options(async || cors::no_preflight("POST")),
        )
        .route(
            USERINFO,
            get(userinfo::handle)
                .post(userinfo::handle)
                .options(async || cors::no_preflight("GET, POST")),
        )
        .layer(from_fn_with_state(App::clone(&app), proof::nonces))
        .route(
            "/revoke",
            post(revoke::handle).options(async || cors::no_preflight("POST")),
        )
        .layer(from_fn_with_state(App::clone(&app), cors::of_applications));
    let public = Router::new()
        .route("/.well-known/openid-configuration", get(discovery::handle))
        .route(
            "/.well-known/oauth-authorization-server",
            get(discovery::handle),
        )
        .route("/jwks", get(jwks::handle))
        .route("/.well-known/did.json", get(did_document::handle))
        .layer(from_fn(cors::public));
    Router::new()
        .merge(proven)
        .merge(public)
        .route("/authorize", only_get(authorize::get).post(authorize::post))
        .route("/introspect", post(introspect::handle))
        .route("/logout", only_get(logout::get).post(logout::post))
        .route("/login/{transaction}", only_get(login_page::handle))
        .route("/login/{transaction}/qr", get(login_qr::handle))
        .route("/login/{transaction}/number", post(login_number::handle))
        .route(
            "/login/{transaction}/identify",
            post(login_identify::handle),
        )
        .route("/login/{transaction}/agree", post(login_agree::handle))
        .route("/login/{transaction}/ask", post(login_ask::handle))
        .route("/login/{transaction}/cancel", post(login_cancel::handle))
        .route(
            "/login/{transaction}/leave",
            get(login_leave::get).post(login_leave::post),
        )
        .route(
            "/login/{transaction}/dc-api",
            post(login_api_request::handle),
        )
        .route(
            "/login/{transaction}/dc-api/{request}",
            post(login_api_answer::handle).layer(DefaultBodyLimit::max(limits::PRESENTATION)),
        )
        .route("/login/{transaction}/again", only_get(login_again::handle))
        .route("/login/{transaction}/events", get(login_events::handle))
        .route(
            "/vp/request/{request}",
            get(vp_request::get).post(vp_request::post),
        )
        .route(
            "/vp/response/{request}",
            post(vp_response::handle).layer(DefaultBodyLimit::max(limits::PRESENTATION)),
        )
        .route("/vp/return", only_get(vp_return::handle))
        .route("/vp/number", get(vp_number::handle))
        .route("/account", get(account::handle))
        .route(
            "/account/consents/{consent}/withdraw",
            post(account_change::withdraw),
        )
        .route(
            "/account/consents/{consent}/receipt",
            get(account_receipt::document),
        )
        .route(
            "/account/consents/{consent}/receipt.jwt",
            get(account_receipt::signed),
        )
        .route("/account/consents.json", get(account_receipt::all))
        .route("/account/sessions/{session}/end", post(account_change::end))
        .route("/account/holds/{login}/cancel", post(account_hold::cancel))
        .route("/account/attributes/{name}", post(account_attributes::keep))
        .route(
            "/account/attributes/{name}/remove",
            post(account_attributes::remove),
        )
        .route(account_export::PATH, only_get(account_export::handle))
        .route(
            account_delete::PATH,
            get(account_delete::get).post(account_delete::post),
        )
        .route("/account/means", post(account_means::add))
        .route("/account/means/{means}/remove", post(account_means::remove))
        .route(
            account_link::PATH,
            only_get(account_link::get).post(account_link::post),
        )
        .route("/consents/{token}", delete(consents::handle))
        .route(wallet_login::PATH, get(wallet_login::handle))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(if devices {
            for_devices()
        } else {
            Router::new()
        })
        .merge(if verifications {
            v1::router()
        } else {
            Router::new()
        })
        .merge(if administration {
            v1::for_administrators()
        } else {
            Router::new()
        })
        .merge(if verifications || administration {
            v1::description()
        } else {
            Router::new()
        })
        .merge(if registers {
            for_registration()
        } else {
            Router::new()
        })
        .merge(if passkeys {
            for_passkeys()
        } else {
            Router::new()
        })
        .merge(if codes { for_codes() } else { Router::new() })
        .merge(if providers {
            for_providers()
        } else {
            Router::new()
        })
        .merge(if receivers {
            for_receivers()
        } else {
            Router::new()
        })
        .merge(if numbers {
            for_business()
        } else {
            Router::new()
        })
        .merge(if satisfaction {
            let asked = get(satisfaction::get).post(satisfaction::post);
            Router::new().route(satisfaction::SATISFACTION, asked)
        } else {
            Router::new()
        })
        .merge(vouchsafe_pages::assets_router())
        .with_state(app)
}

/// Catalogue 113: a body is JSON and says so, so that no form of another site can be one.
async fn json_alone(request: Request, next: Next) -> Response {
    let empty = request.body().is_end_stream();
    match require_type(request.headers(), "application/json") {
        Err(error) if !empty => error.into_response(),
        Ok(()) | Err(_) => next.run(request).await,
    }
}

/// What is there only where numbers are read.
fn for_business() -> Router<App> {
    Router::new()
        .route(admin::overview::OVERVIEW, get(admin::overview::handle))
        .route(admin::door::SIGN_IN, post(admin::door::sign_in))
        .route(admin::door::SIGN_OUT, post(admin::door::sign_out))
        .route(admin::journey::JOURNEY, get(admin::journey::handle))
        .route(admin::journey::PICTURE, get(admin::journey::picture))
        .route(admin::risk::RISK, get(admin::risk::handle))
        .route(admin::clients::CLIENTS, get(admin::clients::handle))
        .route(admin::consents::CONSENTS, get(admin::consents::handle))
        .route(
            admin::audit::AUDIT,
            get(admin::audit::handle).post(admin::audit::check),
        )
        .route(admin::returns::RETURNS, get(admin::returns::handle))
        .merge(v1::for_business())
}

/// What is there only where people may have passkeys.
fn for_passkeys() -> Router<App> {
    Router::new()
        .route(
            "/login/{transaction}/new-passkey/challenge",
            post(login_new_passkey::challenge),
        )
        .route(
            "/login/{transaction}/new-passkey",
            post(login_new_passkey::answer),
        )
        .route(
            "/login/{transaction}/passkey/challenge",
            post(login_passkey::challenge),
        )
        .route("/login/{transaction}/passkey", post(login_passkey::answer))
        .route(
            "/account/passkeys/challenge",
            post(account_passkeys::challenge),
        )
        .route("/account/passkeys", post(account_passkeys::add))
}

/// What is there only where people may have authenticator apps.
fn for_codes() -> Router<App> {
    use account_authenticator::{CONFIRM, PATH, REMOVE, begin, confirm, remove};
    Router::new()
        .route("/login/{transaction}/code", post(login_code::handle))
        .route(PATH, post(begin))
        .route(CONFIRM, post(confirm))
        .route(REMOVE, post(remove))
}

/// What is there only where people may sign in at other providers.
fn for_providers() -> Router<App> {
    Router::new()
        .route("/login/{transaction}/upstream", post(login_upstream::begin))
        .route(login_upstream::BACK, only_get(login_upstream::back))
}

/// What is there only where applications register by themselves (RFC 7591, RFC 7592).
fn for_registration() -> Router<App> {
    Router::new().route(REGISTER, post(register::handle)).route(
        "/register/{client}",
        get(register_client::get)
            .put(register_client::put)
            .delete(register_client::delete),
    )
}

/// What is there only where an application is a device (RFC 8628).
fn for_devices() -> Router<App> {
    Router::new()
        .route("/device_authorization", post(device_authorization::handle))
        .route(
            device_page::PATH,
            get(device_page::get).post(device_page::post),
        )
        .route(device_page::CONFIRM, post(device_page::confirm))
}

/// What is there only where an application takes security events (Shared Signals Framework 1.0).
fn for_receivers() -> Router<App> {
    let stream = get(ssf_stream::read)
        .post(ssf_stream::create)
        .patch(ssf_stream::update)
        .put(ssf_stream::replace)
        .delete(ssf_stream::delete);
    Router::new()
        .route(
            "/.well-known/ssf-configuration",
            get(ssf_configuration::handle),
        )
        .route(ssf_stream::PATH, stream)
        .route(
            ssf_status::PATH,
            get(ssf_status::read).post(ssf_status::update),
        )
        .route(ssf_verify::PATH, post(ssf_verify::handle))
        .route(ssf_poll::PATH, post(ssf_poll::handle))
        .layer(from_fn(json_alone))
}

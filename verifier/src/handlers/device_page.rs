//! `GET|POST /device`: where a person types the code of a device (RFC 8628, section 3.3), and
//! `POST /device/confirm`: what they say when they have seen whose it is.

use std::net::IpAddr;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::device::UserCode;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_service::http::ClientAddress;

use super::{authorize_journey, form, owned};
use crate::app::App;
use crate::cookies::Cookie;
use crate::domain::ids::{DeviceGrantId, Secret};
use crate::domain::place::Place;
use crate::domain::request::LoginRequest;
use crate::journeys::Unclear;
use crate::login::device::{self, FindError};
use crate::login::start;
use crate::reply::{see_other, with_cookie};
use crate::store::device_grants::Asked;
use crate::views;

/// Where the page is.
pub const PATH: &str = "/device";
/// Where its second form goes.
pub const CONFIRM: &str = "/device/confirm";

/// The page with the field. A code in the link fills it in, and no more: section 3.3.1 wants the
/// person to compare it with the device.
pub async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let linked = Params::parse(query.as_deref().unwrap_or_default()).ok();
    let linked = linked.and_then(|params| UserCode::parse(params.get("user_code")?));
    let known = Cookie::Browser
        .read(&app, &headers)
        .filter(|value| Secret::parse(value).is_some());
    let fresh = known
        .is_none()
        .then(|| Secret::random(app.rng.as_ref()).reveal().to_owned());
    let cookie = known.or(fresh.clone()).unwrap_or_default();
    let page = Field {
        cookie: &cookie,
        code: linked.map(|code| code.shown()),
        wrong: None,
    };
    let response = page.show(&app, &headers, StatusCode::OK);
    match fresh {
        Some(fresh) => with_cookie(response, Cookie::Browser.set(&app, &fresh)),
        None => response,
    }
}

/// The page with the field for the code.
struct Field<'a> {
    cookie: &'a str,
    /// Stands in the field.
    code: Option<String>,
    /// What was wrong with the last one.
    wrong: Option<&'static str>,
}

impl Field<'_> {
    fn show(self, app: &App, headers: &HeaderMap, status: StatusCode) -> Response {
        let Self {
            cookie,
            code,
            wrong,
        } = self;
        let context = json!({
            "csrf": app.csrf.token(cookie),
            "code": code,
            "wrong": wrong,
            "enter_link": PATH,
        });
        let locale = views::browser_locale(headers);
        views::page(app, status, "verifier/device", locale, context)
    }
}

/// A form of this page in the browser that it was shown to.
struct Typed {
    form: Params,
    cookie: String,
    network: IpAddr,
}

impl Typed {
    fn read(app: &App, address: ClientAddress, headers: &HeaderMap, body: &Bytes) -> Option<Self> {
        let cookie = Cookie::Browser.read(app, headers)?;
        let form = form::own(app, headers, body, &cookie)?;
        Some(Self {
            form,
            cookie,
            network: address.network(),
        })
    }

    fn code(&self) -> &str {
        self.form.get("user_code").unwrap_or_default()
    }

    async fn device(&self, app: &App) -> Result<(DeviceGrantId, Asked), FindError> {
        device::find(app, self.network, self.code()).await
    }

    /// The page again, with what was wrong.
    fn again(&self, app: &App, headers: &HeaderMap, error: &FindError) -> Response {
        let (wrong, status) = match error {
            FindError::Unknown => ("unknown", StatusCode::BAD_REQUEST),
            FindError::TooMany => ("too-many", StatusCode::TOO_MANY_REQUESTS),
            FindError::Store(error) => return owned::store_failure(app, headers, error),
        };
        let page = Field {
            cookie: &self.cookie,
            code: None,
            wrong: Some(wrong),
        };
        let mut response = page.show(app, headers, status);
        if matches!(error, FindError::TooMany) {
            // RFC 6585, section 4.
            let wait = HeaderValue::from(device::TRIES_S);
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}

/// A code was typed: who asks with it.
pub async fn post(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(typed) = Typed::read(&app, address, &headers, &body) else {
        return owned::foreign(&app, &headers);
    };
    match typed.device(&app).await {
        Ok((_, asked)) => confirm_page(&app, &headers, &typed, &asked).await,
        Err(error) => typed.again(&app, &headers, &error),
    }
}

/// Section 5.4: the person sees which application asks, that it is a device, its code and where it
/// is, and is told when to say no.
async fn confirm_page(app: &App, headers: &HeaderMap, typed: &Typed, asked: &Asked) -> Response {
    let locale = views::browser_locale(headers);
    let Asked {
        request,
        place,
        started_at,
        expires_at: _,
    } = asked;
    let client = match app.client(&request.client).await {
        Ok(Some(client)) => client,
        Ok(None) => return owned::refused(app, headers),
        Err(error) => return owned::store_failure(app, headers, &error),
    };
    let query = app.settings.query(&request.query);
    let code = UserCode::parse(typed.code()).map(|code| code.shown());
    let context = json!({
        "csrf": app.csrf.token(&typed.cookie),
        "confirm_link": CONFIRM,
        "purpose": query.map(|query| query.purpose.for_locale(locale.tag())),
        "code": code,
        "browser": place.browser,
        "system": place.system,
        "address": place.address,
        "started_at": started_at.seconds(),
    });
    views::page(
        app,
        StatusCode::OK,
        "verifier/device_confirm",
        locale,
        views::with(views::who(&client, locale.tag()), context),
    )
}

/// The person has compared: the login begins, or the device is told no.
pub async fn confirm(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(typed) = Typed::read(&app, address, &headers, &body) else {
        return owned::foreign(&app, &headers);
    };
    let (id, asked) = match typed.device(&app).await {
        Ok(found) => found,
        Err(error) => return typed.again(&app, &headers, &error),
    };
    let locale = views::browser_locale(&headers);
    // Whatever is not a clear yes is a no.
    if typed.form.get("decision") != Some("allow") {
        return match device::deny(&app, &asked.request).await {
            Ok(()) => views::message(&app, StatusCode::OK, locale, "device-stopped"),
            Err(error) => owned::store_failure(&app, &headers, &error),
        };
    }
    begin(&app, &headers, address, locale, (id, asked), &typed).await
}

async fn begin(
    app: &App,
    headers: &HeaderMap,
    address: ClientAddress,
    locale: Locale,
    (id, asked): (DeviceGrantId, Asked),
    typed: &Typed,
) -> Response {
    let Some(browser) = Secret::parse(&typed.cookie) else {
        return owned::refused(app, headers);
    };
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let place = Place::from_request(
        agent,
        (!address.0.is_unspecified()).then(|| address.0.to_string()),
    );
    let request = LoginRequest {
        locale: locale.tag().to_owned(),
        ..asked.request
    };
    let asked = Asked { request, ..asked };
    match authorize_journey::of(app, &asked.request) {
        Ok(None) => {}
        Ok(Some(journey)) => {
            let device = (id, asked, &browser);
            let led = authorize_journey::for_device(app, headers, address, device, &journey).await;
            return led.unwrap_or_else(|| typed.again(app, headers, &FindError::Unknown));
        }
        Err(Unclear) => return owned::refused(app, headers),
    }
    match start::start_for_device(app, id, asked, browser.digest(), place).await {
        Ok(Some(login)) => see_other(&format!("/login/{login}")),
        // Somebody else was faster.
        Ok(None) => typed.again(app, headers, &FindError::Unknown),
        Err(error) => owned::store_failure(app, headers, &error),
    }
}

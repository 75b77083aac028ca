//! `POST /device_authorization`: a device without a browser asks for a login (RFC 8628, section 3.1).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::device::DeviceAuthorization;
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oauth::params::{Params, ParamsError};
use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_protocol::oidc::claims_request::ClaimsRequest;
use vouchsafe_service::http::{ClientAddress, is_form};

use super::{DETAILS, device_page, oauth};
use crate::app::App;
use crate::caller::{CallerError, application};
use crate::config::{Client, SubjectStrategy};
use crate::domain::ids::DeviceGrantId;
use crate::domain::place::Place;
use crate::domain::request::{Back, Facts, LoginRequest};
use crate::journey::RequestFacts;
use crate::login::choose::{Choice, choose, granted};
use crate::login::device::{self, BeginError, Codes};
use crate::login::{DEVICE_INTERVAL_S, DEVICE_S};
use crate::views::chain;

/// Why a device gets no codes.
#[derive(Debug, thiserror::Error)]
enum DeviceRefusal {
    /// Not a form.
    #[error("the body is not a plain form")]
    MediaType,
    /// Malformed or repeated parameters.
    #[error("malformed parameters")]
    Params(#[from] ParamsError),
    /// Nobody is known to ask.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// The client is no device.
    #[error("the client is not registered for devices")]
    Client,
    /// `authorization_details`, which no device has approved.
    #[error("devices have nothing approved")]
    Details,
    /// The scope.
    #[error("the scope is refused")]
    Scope(OAuthError),
    /// No codes could be made.
    #[error("the codes were not kept")]
    Begin(#[from] BeginError),
}

impl DeviceRefusal {
    fn oauth(&self) -> OAuthError {
        match self {
            Self::MediaType => OAuthError::invalid_request("the body must be a form"),
            Self::Params(_) => OAuthError::invalid_request("malformed parameters"),
            Self::Caller(error) => error.to_oauth(),
            Self::Client => ErrorCode::UnauthorizedClient.into(),
            Self::Details => ErrorCode::InvalidAuthorizationDetails.into(),
            Self::Scope(error) => error.clone(),
            Self::Begin(BeginError::NoCode) => ErrorCode::TemporarilyUnavailable.into(),
            Self::Begin(BeginError::Store(error)) => error.to_oauth(),
        }
    }
}

impl IntoResponse for DeviceRefusal {
    fn into_response(self) -> Response {
        match &self {
            Self::Begin(error) => tracing::error!(error = %chain(error), "no codes for a device"),
            _ => tracing::info!(reason = %self, "no codes for a device"),
        }
        let by_header = matches!(&self, Self::Caller(error) if error.by_header());
        oauth::refusal(&self.oauth(), by_header)
    }
}

/// Gives a device its codes.
pub async fn handle(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match authorize(&app, address, &headers, &body).await {
        Ok(codes) => oauth::answer(&codes),
        Err(error) => error.into_response(),
    }
}

async fn authorize(
    app: &App,
    address: ClientAddress,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<DeviceAuthorization, DeviceRefusal> {
    if !is_form(headers) {
        return Err(DeviceRefusal::MediaType);
    }
    let params = Params::parse_body(body)?;
    // RFC 8628, section 3.1: as at the token endpoint.
    let client = application(app, headers, &params).await?;
    let client = client.as_ref();
    if !client.device {
        return Err(DeviceRefusal::Client);
    }
    // RFC 9396, sections 3 and 5: they may stand here, and what is not served is not passed over.
    if params.was_sent(DETAILS) {
        return Err(DeviceRefusal::Details);
    }
    let request = login_request(app, client, &params)?;
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    // A client that keeps a secret asks from its own server: where that is says nothing.
    let shown = !client.authentication.is_confidential() && !address.0.is_unspecified();
    let place = Place::from_request(agent, shown.then(|| address.0.to_string()));
    let Codes { device, user } = device::begin(app, request, place).await?;
    let page = app.url(device_page::PATH);
    let mut complete = page.clone();
    complete
        .query_pairs_mut()
        .append_pair("user_code", &user.shown());
    Ok(DeviceAuthorization {
        device_code: device.reveal().to_owned(),
        user_code: user.shown(),
        verification_uri: page.into(),
        verification_uri_complete: complete.into(),
        expires_in: DEVICE_S.unsigned_abs(),
        interval: DEVICE_INTERVAL_S.unsigned_abs(),
    })
}

fn login_request(
    app: &App,
    client: &Client,
    params: &Params,
) -> Result<LoginRequest, DeviceRefusal> {
    let malformed = |_| DeviceRefusal::Scope(ErrorCode::InvalidScope.into());
    let asked = Scopes::parse(params.get("scope").unwrap_or_default()).map_err(malformed)?;
    let choice = choose(&app.settings, client, &asked, &ClaimsRequest::default());
    let Choice {
        query,
        scopes,
        facts,
        presented,
        verified,
    } = choice.map_err(DeviceRefusal::Scope)?;
    // What a device shows can be relayed: it learns facts, and no cards.
    if presented.is_some() {
        let reason = "cards are not presented to devices";
        let error = OAuthError::new(ErrorCode::InvalidScope, reason);
        return Err(DeviceRefusal::Scope(error));
    }
    let needs_card = !scopes.is_empty();
    Ok(LoginRequest {
        dpop_jkt: None,
        risk: None,
        client: client.id.clone(),
        // Named when it is kept.
        back: Back::Device {
            device: DeviceGrantId::from_text(""),
        },
        nonce: None,
        needs_card,
        scope: granted(
            client,
            query.subject == SubjectStrategy::Guest,
            &asked,
            scopes,
        ),
        code_challenge: None,
        query: query.id.clone(),
        facts,
        // A device asks by scopes of cards alone.
        attributes: Facts::default(),
        presented,
        verified,
        // That of the person's browser, once there is one.
        locale: Locale::default().tag().to_owned(),
        essential_acr: Vec::new(),
        may_switch_account: true,
        expected_sub: Vec::new(),
        pushed: None,
        spent: false,
        asserted: None,
        approval: None,
        asked: Some(RequestFacts {
            client: client.id.as_str().to_owned(),
            scopes: asked.iter().map(str::to_owned).collect(),
            needs_card,
            ..RequestFacts::default()
        }),
    })
}

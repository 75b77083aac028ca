//! From a parsed authorization request to a login: which question, how strong, whose, and whether
//! a session already answers it.

use axum::http::{HeaderMap, header};
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::authorize::AuthorizationRequest;
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oidc::acr::{Acr, AcrLadder, AcrWish};
use vouchsafe_protocol::oidc::prompt::{Decision, SessionState, Wishes, decide};
use vouchsafe_protocol::oidc::subject::pairwise_sub;

use crate::app::App;
use crate::config::{Client, Query};
use crate::domain::request::{LoginRequest, ReturnAddress};
use crate::domain::session::Session;

/// Turns the parsed request into what the login needs; the error goes to the application.
pub(super) fn login_request(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    headers: &HeaderMap,
) -> Result<LoginRequest, OAuthError> {
    let (query, deliver_claims) = choose_query(app, client, request)?;
    let wish = request.claims.acr_wish(&request.acr_values);
    if !reachable(client, &wish) {
        return Err(ErrorCode::UnmetAuthenticationRequirements.into());
    }
    let hint = request
        .id_token_hint
        .as_deref()
        .map(|hint| app.tokens.read_hint(hint, app.issuer(), app.now()));
    let expected_sub = match hint {
        None => request.claims.required_sub.clone(),
        Some(Some(hint)) if hint.client == client.id.as_str() => Some(hint.sub),
        Some(Some(_) | None) => {
            return Err(OAuthError::invalid_request(
                "id_token_hint is not one of ours for this client",
            ));
        }
    };
    let mut scope = vec!["openid".to_owned()];
    scope.extend(query.scope.clone().filter(|_| deliver_claims));
    let accept = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Ok(LoginRequest {
        client: client.id.clone(),
        back: ReturnAddress {
            redirect_uri: request.target.redirect_uri.as_str().to_owned(),
            response_mode: request.target.mode,
            state: request.target.state.clone(),
        },
        nonce: request.nonce.clone(),
        scope: scope.join(" "),
        code_challenge: request
            .code_challenge
            .as_ref()
            .map(|challenge| challenge.as_str().to_owned()),
        query: query.id.clone(),
        deliver_claims,
        id_token_claims: request.claims.id_token.clone(),
        locale: Locale::negotiate(Some(&request.ui_locales.join(" ")), accept)
            .tag()
            .to_owned(),
        essential_acr: if wish.essential {
            wish.accepted
                .iter()
                .map(|acr| acr.as_str().to_owned())
                .collect()
        } else {
            Vec::new()
        },
        may_switch_account: request.prompt.select_account(),
        expected_sub,
    })
}

/// The one query that the scope names, or the client's own for a login without facts. Scope
/// values that nobody knows are ignored (OpenID Connect Core 1.0, section 3.1.2.1).
fn choose_query<'a>(
    app: &'a App,
    client: &Client,
    request: &AuthorizationRequest,
) -> Result<(&'a Query, bool), OAuthError> {
    if !request.scopes.contains("openid") {
        return Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "scope openid is missing",
        ));
    }
    let allowed = |scope: &str| client.scopes.iter().any(|allowed| allowed == scope);
    let mut named = app.settings.queries().iter().filter(|query| {
        query
            .scope
            .as_deref()
            .is_some_and(|scope| request.scopes.contains(scope))
    });
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "only one scope of a credential at a time",
        )),
        (Some(query), None) if query.scope.as_deref().is_some_and(allowed) => Ok((query, true)),
        (Some(_), None) => Err(OAuthError::new(
            ErrorCode::InvalidScope,
            "the client may not ask for this scope",
        )),
        (None, _) => {
            let own = client
                .default_query
                .as_ref()
                .and_then(|id| app.settings.query(id));
            own.map(|query| (query, false))
                .ok_or_else(|| OAuthError::new(ErrorCode::InvalidScope, "no scope of a credential"))
        }
    }
}

/// Whether a login here can reach what is demanded: an essential class above all of ours fails
/// before anybody is asked for a card.
fn reachable(client: &Client, wish: &AcrWish) -> bool {
    wish.permits(Acr::Credential)
        || (client.cross_device && wish.permits(Acr::CredentialCrossDevice))
}

/// A session of somebody else than the one whom the application expects does not answer, and
/// neither does one that was opened with another question: what this question demands of a card
/// (or that it asks for nobody in particular) was never shown.
pub(super) fn is_expected(
    app: &App,
    client: &Client,
    login: &LoginRequest,
    session: &Session,
) -> bool {
    let sub = session
        .subject
        .as_ref()
        .map(|subject| pairwise_sub(&app.pairwise_key, &client.sector, subject));
    sub.is_some()
        && session.query == login.query
        && login
            .expected_sub
            .as_ref()
            .is_none_or(|expected| sub.as_ref() == Some(expected))
}

/// Whether the session answers or the person acts.
pub(super) fn decision(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    login: &LoginRequest,
    session: Option<&Session>,
) -> Decision {
    let wish = request.claims.acr_wish(&request.acr_values);
    let max_age = match (request.max_age, client.default_max_age) {
        (Some(asked), Some(registered)) => Some(asked.min(registered)),
        (asked, registered) => asked.or(registered),
    };
    let wishes = Wishes {
        prompt: request.prompt,
        max_age,
        min_acr: wish.lowest(),
        // A session never stands for a card (login.md, section 2, point 6).
        needs_presentation: login.deliver_claims,
    };
    let state = session.and_then(|session| {
        let acr = Acr::from_wire(&session.authentication.acr)?;
        // Without facts there is nothing to consent to.
        Some(SessionState {
            auth_time: session.authentication.auth_time,
            acr,
            consented: true,
        })
    });
    decide(&wishes, state.as_ref(), &AcrLadder::default(), app.now())
}

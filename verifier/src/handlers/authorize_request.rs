//! From a parsed authorization request to a login: which question, how strong, whose, and whether
//! a session already answers it.

use axum::http::{HeaderMap, header};
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::authorize::AuthorizationRequest;
use vouchsafe_protocol::oauth::error::{ErrorCode, OAuthError};
use vouchsafe_protocol::oidc::acr::{Acr, AcrLadder, AcrWish};
use vouchsafe_protocol::oidc::prompt::{Decision, SessionState, Wishes, decide};
use vouchsafe_protocol::oidc::subject::pairwise_sub;

use crate::accounts::identifier_mac;
use crate::app::App;
use crate::config::{Client, SubjectStrategy};
use crate::domain::ids::QueryId;
use crate::domain::request::{Back, Facts, LoginRequest, ReturnAddress, StepUp, Verified};
use crate::domain::session::Session;
use crate::journey::RequestFacts;
use crate::journeys::Unclear;
use crate::login::approval;
use crate::login::choose::{Choice, attribute_scopes, attributes, choose, granted, names_no_card};

/// Turns the parsed request into what the login needs; the error goes to the application.
pub(super) fn login_request(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    headers: &HeaderMap,
) -> Result<LoginRequest, OAuthError> {
    let asked = asked(client, request);
    let served = app.journeys.current().choose(&asked, &app.binding_key);
    let served = served.map_err(|Unclear| {
        tracing::error!(client = client.id.as_str(), "no journey can be chosen");
        OAuthError::from(ErrorCode::AccessDenied)
    })?;
    let choice = choose(&app.settings, client, &request.scopes, &request.claims);
    let (query, scopes, facts, forms) = match choice {
        Ok(Choice {
            query,
            scopes,
            facts,
            presented,
            verified,
        }) => (Some(query), scopes, facts, (presented, verified)),
        // A journey has questions of its own.
        Err(_) if served.is_some() && names_no_card(&app.settings, &request.scopes) => {
            let none = (None, Verified::default());
            (None, Vec::new(), Facts::default(), none)
        }
        Err(error) => return Err(error),
    };
    let (presented, verified) = match served.is_some() {
        false => forms,
        // A journey tells facts. What it does not tell is left out of `verified_claims`, and cards are
        // not told by halves.
        true if forms.0.is_some() => {
            let reason = "a journey leads this login: it presents no cards to applications";
            return Err(OAuthError::invalid_request(reason));
        }
        true => (None, Verified::default()),
    };
    let guest = match &served {
        Some(journey) => journey.is_of_guests(),
        None => query.is_some_and(|query| query.subject == SubjectStrategy::Guest),
    };
    let asserted = match &served {
        Some(journey) => journey.is_asserted(),
        None => query.is_some_and(|query| query.subject.is_asserted()),
    };
    let details = request.authorization_details.as_deref();
    let approval = approval::of_request(app, client, details, served.as_deref())?;
    let wish = acr_wish(client, request);
    if !reachable(client, &wish) {
        return Err(ErrorCode::UnmetAuthenticationRequirements.into());
    }
    let hint = request
        .id_token_hint
        .as_deref()
        .map(|hint| app.tokens.read_hint(hint, app.issuer(), app.now()));
    let claimed = &request.claims.required_sub;
    let expected_sub = match hint {
        None => claimed.clone(),
        Some(Some(hint)) if hint.client == client.id.as_str() => {
            if !claimed.is_empty() && !claimed.contains(&hint.sub) {
                return Err(OAuthError::invalid_request(
                    "id_token_hint and claims ask for different people",
                ));
            }
            vec![hint.sub]
        }
        Some(Some(_) | None) => {
            return Err(OAuthError::invalid_request(
                "id_token_hint is not one of ours for this client",
            ));
        }
    };
    // draft-svensson-credential-oidc-bridge-02, section 6.4: a new presentation each time.
    let told = !facts.names().is_empty() || !verified.names().is_empty();
    let needs_card = !scopes.is_empty() || told;
    // A guest has no account.
    let (mut scopes, mut known) = (scopes, Facts::default());
    if !guest {
        scopes.extend(attribute_scopes(&app.settings, client, &request.scopes));
        known = attributes(&app.settings, client, &request.scopes, &request.claims);
    }
    let scope = granted(client, guest, &request.scopes, scopes);
    let accept = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    Ok(LoginRequest {
        client: client.id.clone(),
        back: Back::Application(ReturnAddress {
            redirect_uri: request.target.redirect_uri.as_str().to_owned(),
            response_mode: request.target.mode,
            state: request.target.state.clone(),
        }),
        nonce: request.nonce.clone(),
        scope,
        code_challenge: request
            .code_challenge
            .as_ref()
            .map(|challenge| challenge.as_str().to_owned()),
        query: query.map_or_else(|| QueryId::from_text(""), |query| query.id.clone()),
        needs_card,
        facts,
        attributes: known,
        presented,
        verified,
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
        pushed: None,
        spent: false,
        dpop_jkt: request.dpop_jkt.clone(),
        // OpenID Connect Core 1.0, section 3.1.2.1: who the application thinks is there. The card
        // proves it, or not.
        asserted: (request.login_hint.as_deref())
            .filter(|_| asserted)
            .and_then(|hint| identifier_mac(&app.binding_key, hint)),
        risk: None,
        approval,
        asked: Some(asked),
    })
}

/// The request as journeys read it.
fn asked(client: &Client, request: &AuthorizationRequest) -> RequestFacts {
    let wish = acr_wish(client, request);
    let prompt = request.prompt;
    let prompts = [
        ("none", prompt.none()),
        ("login", prompt.login()),
        ("consent", prompt.consent()),
        ("select_account", prompt.select_account()),
    ];
    let said = prompts.into_iter().filter(|(_, said)| *said);
    RequestFacts {
        client: client.id.as_str().to_owned(),
        scopes: request.scopes.iter().map(str::to_owned).collect(),
        acr_values: wish
            .accepted
            .iter()
            .map(|acr| acr.as_str().to_owned())
            .collect(),
        max_age: max_age(client, request).map(|age| i64::try_from(age).unwrap_or(i64::MAX)),
        prompt: said.map(|(name, _)| name.to_owned()).collect(),
        ui_locales: request.ui_locales.clone(),
        ..RequestFacts::default()
    }
}

/// The oldest login that will do, in seconds: the smaller of request and registration.
fn max_age(client: &Client, request: &AuthorizationRequest) -> Option<u64> {
    match (request.max_age, client.default_max_age) {
        (Some(asked), Some(registered)) => Some(asked.min(registered)),
        (asked, registered) => asked.or(registered),
    }
}

/// The classes that are wished for: the request's, else the client's own (OpenID Connect Dynamic
/// Client Registration 1.0, section 2, `default_acr_values`).
fn acr_wish(client: &Client, request: &AuthorizationRequest) -> AcrWish {
    let values = match request.acr_values.as_slice() {
        [] => &client.default_acr,
        _ => &request.acr_values,
    };
    request.claims.acr_wish(values)
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
    sub.is_some_and(|sub| login.expects(&sub)) && session.query == login.query
}

/// Why a session does not do for a request that is about who somebody is. A card that is asked for by a
/// scope is asked for anyway.
pub(super) fn why(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    session: &Session,
) -> Option<StepUp> {
    let age = app.now().since(session.authentication.auth_time);
    let reached = Acr::from_wire(&session.authentication.acr);
    let wish = acr_wish(client, request);
    if max_age(client, request).is_some_and(|most| u64::try_from(age).unwrap_or_default() >= most) {
        return Some(StepUp::MaxAge);
    }
    if !wish.accepted.is_empty() && !reached.is_some_and(|acr| wish.permits(acr)) {
        return Some(StepUp::Acr);
    }
    request.prompt.login().then_some(StepUp::Policy)
}

/// Whether the session answers or the person acts.
pub(super) fn decision(
    app: &App,
    client: &Client,
    request: &AuthorizationRequest,
    login: &LoginRequest,
    session: Option<&Session>,
) -> Decision {
    let wish = acr_wish(client, request);
    let max_age = max_age(client, request);
    let wishes = Wishes {
        prompt: request.prompt,
        max_age,
        min_acr: wish.lowest(),
        // A session never stands for a card (login.md, section 2, point 6), nor for the consent
        // that OpenID Connect Core 1.0, section 11, wants each time for `offline_access`.
        needs_presentation: login.needs_card || login.offline(),
    };
    let state = session.and_then(|session| {
        let acr = Acr::from_wire(&session.authentication.acr)?;
        Some(SessionState {
            auth_time: session.authentication.auth_time,
            acr,
            // Without facts there is nothing to consent to, but to whom nobody vouches for people
            // go with open eyes; and what the organisation calls them is a fact.
            consented: !client.standing.is_unvouched() && !client.external_id,
        })
    });
    decide(&wishes, state.as_ref(), &AcrLadder::default(), app.now())
}

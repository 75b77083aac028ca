//! What a run knows of the request and of the session of its browser.

use vouchsafe_credentials::time::UnixTime;

use crate::domain::request::LoginRequest;
use crate::domain::session::Session;
use crate::journey::{RequestFacts, SessionFacts};

pub(super) fn asked(request: &LoginRequest) -> RequestFacts {
    let asked = request.asked.clone().unwrap_or_default();
    RequestFacts {
        essential_acr: !request.essential_acr.is_empty(),
        // Consent to go on while the person is away is given each time (OpenID Connect Core 1.0,
        // section 11).
        needs_card: request.needs_card || request.offline(),
        ..asked
    }
}

pub(super) fn session_facts(session: &Session, now: UnixTime) -> SessionFacts {
    SessionFacts {
        age_s: now.since(session.authentication.auth_time),
        acr: session.authentication.acr.clone(),
        amr: session.authentication.amr.clone(),
        question: Some(session.query.as_str().to_owned()),
    }
}

//! `prompt` and `max_age`: whether a running session answers a request or the person
//! must act (OpenID Connect Core, section 3.1.2.1).

use vouchsafe_credentials::time::UnixTime;

use super::acr::{Acr, AcrLadder};
use crate::oauth::error::{ErrorCode, OAuthError};

/// The `prompt` parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Prompt {
    none: bool,
    login: bool,
    consent: bool,
    select_account: bool,
}

impl Prompt {
    /// Values for `prompt_values_supported`.
    pub const SUPPORTED: [&str; 4] = ["none", "login", "consent", "select_account"];

    /// Reads the parameter.
    ///
    /// # Errors
    /// `invalid_request` for an unknown value or `none` beside another.
    pub fn parse(text: Option<&str>) -> Result<Self, OAuthError> {
        let mut prompt = Self::default();
        for value in text
            .unwrap_or_default()
            .split(' ')
            .filter(|v| !v.is_empty())
        {
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => return Err(OAuthError::invalid_request("prompt value is not supported")),
            }
        }
        if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
            return Err(OAuthError::invalid_request("prompt none stands alone"));
        }
        Ok(prompt)
    }

    /// Nothing may be shown.
    #[must_use]
    pub fn none(self) -> bool {
        self.none
    }

    /// The person must log in again.
    #[must_use]
    pub fn login(self) -> bool {
        self.login
    }

    /// The person must be asked for consent again.
    #[must_use]
    pub fn consent(self) -> bool {
        self.consent
    }

    /// The person must be able to choose another account: a new presentation.
    #[must_use]
    pub fn select_account(self) -> bool {
        self.select_account
    }
}

/// What is known of the browser's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionState {
    /// When the person last authenticated.
    pub auth_time: UnixTime,
    /// Class reached then.
    pub acr: Acr,
    /// Whether the consent this request needs is on record.
    pub consented: bool,
}

/// What the request asks of the login, gathered from its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// `prompt`.
    pub prompt: Prompt,
    /// Oldest acceptable authentication in seconds: the smaller of request and registration.
    pub max_age: Option<u64>,
    /// Lowest acceptable class, where one is demanded.
    pub min_acr: Option<Acr>,
    /// The request asks for claims of a credential: no session ever answers that
    /// (a presentation is never replayed).
    pub needs_presentation: bool,
}

/// Who must act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The session answers.
    UseSession,
    /// The person logs in. The old session is not upgraded if they cancel (catalogue 374).
    Authenticate,
    /// The session stands, consent is missing.
    AskConsent,
    /// Nothing may be shown and nothing can be answered.
    Refuse(OAuthError),
}

/// Decides. Catalogue 374: `prompt=none` without session, `max_age=0`, `prompt=login`.
#[must_use]
pub fn decide(
    wishes: &Wishes,
    session: Option<&SessionState>,
    ladder: &AcrLadder,
    now: UnixTime,
) -> Decision {
    let usable = session.filter(|s| session_answers(wishes, s, ladder, now));
    let decision = match usable {
        None => Decision::Authenticate,
        Some(s) if !s.consented || wishes.prompt.consent => Decision::AskConsent,
        Some(_) => Decision::UseSession,
    };
    if !wishes.prompt.none {
        return decision;
    }
    match decision {
        Decision::UseSession => Decision::UseSession,
        Decision::AskConsent => Decision::Refuse(ErrorCode::ConsentRequired.into()),
        Decision::Authenticate | Decision::Refuse(_) => {
            Decision::Refuse(ErrorCode::LoginRequired.into())
        }
    }
}

fn session_answers(
    wishes: &Wishes,
    session: &SessionState,
    ladder: &AcrLadder,
    now: UnixTime,
) -> bool {
    if wishes.needs_presentation || wishes.prompt.login || wishes.prompt.select_account {
        return false;
    }
    let age = now.since(session.auth_time);
    // Both times are whole seconds, so the true age is up to one second more: only an age below
    // `max_age` is surely not greater. `max_age=0` always means a new login.
    let fresh = wishes
        .max_age
        .is_none_or(|max| u64::try_from(age).is_ok_and(|age| age < max));
    let reached = ladder.current(session.acr, session.auth_time, now);
    fresh
        && wishes
            .min_acr
            .is_none_or(|min| reached.is_some_and(|acr| acr >= min))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000_000);

    fn session(age: i64, acr: Acr) -> SessionState {
        SessionState {
            auth_time: NOW.plus(-age),
            acr,
            consented: true,
        }
    }

    fn wishes(prompt: &str) -> Wishes {
        Wishes {
            prompt: Prompt::parse(Some(prompt)).unwrap(),
            max_age: None,
            min_acr: None,
            needs_presentation: false,
        }
    }

    fn refused(code: ErrorCode) -> Decision {
        Decision::Refuse(code.into())
    }

    #[test]
    fn cat_374_prompt_and_max_age() {
        let ladder = AcrLadder::default();
        let s = session(10, Acr::Credential);
        let run = |w: &Wishes, s: Option<&SessionState>| decide(w, s, &ladder, NOW);
        assert_eq!(
            run(&wishes("none"), None),
            refused(ErrorCode::LoginRequired)
        );
        assert_eq!(run(&wishes(""), None), Decision::Authenticate);
        assert_eq!(run(&wishes("none"), Some(&s)), Decision::UseSession);
        assert_eq!(run(&wishes("login"), Some(&s)), Decision::Authenticate);
        assert_eq!(
            run(&wishes("select_account"), Some(&s)),
            Decision::Authenticate
        );
        assert_eq!(run(&wishes("consent"), Some(&s)), Decision::AskConsent);
        let unconsented = SessionState {
            consented: false,
            ..s
        };
        assert_eq!(
            run(&wishes("none"), Some(&unconsented)),
            refused(ErrorCode::ConsentRequired)
        );
        for (max_age, age, decision) in [
            (0, 0, Decision::Authenticate),
            (0, 10, Decision::Authenticate),
            (9, 10, Decision::Authenticate),
            (10, 9, Decision::UseSession),
            // Whole seconds: an age of 10 may be 10.9 by now.
            (10, 10, Decision::Authenticate),
            (10, -5, Decision::Authenticate),
        ] {
            let w = Wishes {
                max_age: Some(max_age),
                ..wishes("")
            };
            assert_eq!(
                run(&w, Some(&session(age, Acr::Credential))),
                decision,
                "{max_age} {age}"
            );
        }
        let none_old = Wishes {
            max_age: Some(5),
            ..wishes("none")
        };
        assert_eq!(run(&none_old, Some(&s)), refused(ErrorCode::LoginRequired));
    }

    #[test]
    fn a_session_never_answers_for_a_presentation_or_a_higher_class() {
        let ladder = AcrLadder::default();
        let s = session(10, Acr::CredentialCrossDevice);
        let present = Wishes {
            needs_presentation: true,
            ..wishes("")
        };
        assert_eq!(
            decide(&present, Some(&s), &ladder, NOW),
            Decision::Authenticate
        );
        let higher = Wishes {
            min_acr: Some(Acr::Credential),
            ..wishes("")
        };
        assert_eq!(
            decide(&higher, Some(&s), &ladder, NOW),
            Decision::Authenticate
        );
        let lower = Wishes {
            min_acr: Some(Acr::Multi),
            ..wishes("")
        };
        assert_eq!(decide(&lower, Some(&s), &ladder, NOW), Decision::UseSession);
    }

    #[test]
    fn a_class_that_expired_does_not_count() {
        let ladder = AcrLadder::default().with_max_age(Acr::Credential, 60);
        let w = Wishes {
            min_acr: Some(Acr::Credential),
            ..wishes("")
        };
        assert_eq!(
            decide(&w, Some(&session(60, Acr::Credential)), &ladder, NOW),
            Decision::UseSession
        );
        assert_eq!(
            decide(&w, Some(&session(61, Acr::Credential)), &ladder, NOW),
            Decision::Authenticate
        );
    }
}

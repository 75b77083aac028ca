//! Who looks at the console, with which role.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use vouchsafe_credentials::random::token;
use vouchsafe_pages::Locale;
use vouchsafe_service::http::extract::require_type;
use vouchsafe_service::http::{Params, SameSite};
use vouchsafe_service::operators::{Role, Session, SessionSecret};

use super::{Console, Failure, paths, view};
use crate::author::Author;

const SESSION: &str = "vs_console_session";
/// Ties forms to a browser in which nobody is signed in.
const VISIT: &str = "vs_console_visit";

/// Somebody who is signed in; every role may look.
/// `Debug` hides the cookie.
#[derive(Clone)]
pub struct Visitor {
    /// The console.
    pub console: Console,
    /// Who it is.
    pub session: Session,
    /// The cookie, to bind forms to.
    pub cookie: String,
    /// The language of the page.
    pub locale: Locale,
    /// The role that this address needs.
    needs: Role,
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operator = &self.session.operator.id;
        f.debug_struct("Visitor")
            .field("operator", operator)
            .finish_non_exhaustive()
    }
}

/// An operator or an admin.
#[derive(Debug, Clone)]
pub struct Acting(pub Visitor);

/// An admin.
#[derive(Debug, Clone)]
pub struct Managing(pub Visitor);

impl Visitor {
    /// Who this is in the audit log.
    pub fn author(&self) -> Author {
        Author::new(self.session.operator.actor())
    }

    /// Reads a form that was sent from a page of this session. Call it with the whole body.
    pub async fn form(&self, headers: &HeaderMap, body: &[u8]) -> Result<Params, Failure> {
        let form = form(&self.console, headers, body, &self.cookie)?;
        self.recheck().await?;
        Ok(form)
    }

    /// Refuses whose session has ended, or who lost the role, while the body of the request was on
    /// its way: that may take its time, and who may was asked before.
    pub async fn recheck(&self) -> Result<(), Failure> {
        let operators = &self.console.operators;
        let operator = operators.recheck(&self.session).await?;
        match operator.is_some_and(|operator| operator.role >= self.needs) {
            true => Ok(()),
            false => Err(Failure::Forbidden),
        }
    }

    /// Refuses whoever signed in long ago, for what is most dangerous.
    pub fn require_recent(&self) -> Result<(), Failure> {
        match self.session.is_recent(self.console.core.clock.now()) {
            true => Ok(()),
            false => Err(Failure::NotRecent),
        }
    }
}

/// Reads a form whose token fits `binding`.
pub fn form(
    console: &Console,
    headers: &HeaderMap,
    body: &[u8],
    binding: &str,
) -> Result<Params, Failure> {
    require_type(headers, "application/x-www-form-urlencoded").map_err(|_| Failure::Malformed)?;
    let form = Params::parse(body).map_err(|_| Failure::Malformed)?;
    let token = form.get("csrf").unwrap_or_default();
    let own = console.csrf.check(headers, binding, token);
    own.map(|()| form).map_err(|_| Failure::Form)
}

/// The cookie of a browser in which nobody is signed in, if it brought one.
pub fn visit(console: &Console, headers: &HeaderMap) -> Option<String> {
    console.core.cookies.get(headers, VISIT).ok().flatten()
}

/// That cookie, or a new one to be set.
pub fn visit_or_new(console: &Console, headers: &HeaderMap) -> (String, Option<HeaderValue>) {
    match visit(console, headers) {
        Some(visit) => (visit, None),
        None => {
            let visit = token(&*console.core.rng);
            let policy = &console.core.cookies;
            let cookie = policy.set(VISIT, &visit, None, SameSite::Strict);
            (visit, Some(cookie))
        }
    }
}

/// The cookie of a session that began. It ends with the browser, or before.
pub fn session_cookie(console: &Console, secret: &SessionSecret) -> HeaderValue {
    let policy = &console.core.cookies;
    policy.set(SESSION, secret.expose(), None, SameSite::Strict)
}

/// Whether a browser has a session that lives.
pub async fn is_signed_in(console: &Console, headers: &HeaderMap) -> Result<bool, Failure> {
    let cookie = console.core.cookies.get(headers, SESSION).ok().flatten();
    match cookie.as_deref().and_then(SessionSecret::parse) {
        Some(secret) => Ok(console.operators.session(&secret).await?.is_some()),
        None => Ok(false),
    }
}

/// Ends the session that a browser has, which signs in again.
pub async fn end_previous(console: &Console, headers: &HeaderMap) -> Result<(), Failure> {
    let cookie = console.core.cookies.get(headers, SESSION).ok().flatten();
    if let Some(secret) = cookie.as_deref().and_then(SessionSecret::parse) {
        console.operators.replace(&secret).await?;
    }
    Ok(())
}

/// Removes the cookie of a session.
pub fn no_session_cookie(console: &Console) -> HeaderValue {
    console.core.cookies.clear(SESSION)
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        // Every role may look.
        let needs = Role::Viewer;
        let cookie = console.core.cookies.get(&parts.headers, SESSION);
        let cookie = cookie.ok().flatten();
        let secret = cookie.as_deref().and_then(SessionSecret::parse);
        let (Some(cookie), Some(secret)) = (cookie, secret) else {
            return Err(view::see_other(paths::SIGN_IN));
        };
        match console.operators.session(&secret).await {
            Ok(Some(session)) => Ok(Self {
                console: console.clone(),
                session,
                cookie,
                locale: view::locale(&parts.headers),
                needs,
            }),
            Ok(None) => Err(view::see_other(paths::SIGN_IN)),
            Err(error) => Err(Failure::Db(error).into_response()),
        }
    }
}

async fn at_least(parts: &mut Parts, console: &Console, role: Role) -> Result<Visitor, Response> {
    let visitor = Visitor::from_request_parts(parts, console).await?;
    match visitor.session.operator.role >= role {
        true => Ok(Visitor {
            needs: role,
            ..visitor
        }),
        false => Err(Failure::Forbidden.into_response()),
    }
}

impl FromRequestParts<Console> for Acting {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        at_least(parts, console, Role::Operator).await.map(Self)
    }
}

impl FromRequestParts<Console> for Managing {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        at_least(parts, console, Role::Admin).await.map(Self)
    }
}

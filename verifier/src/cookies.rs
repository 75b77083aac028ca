//! Names of the cookies of this service. How they are written is the business of
//! [`CookiePolicy`](vouchsafe_service::http::CookiePolicy).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use vouchsafe_service::http::SameSite;

use crate::app::Parts;

/// The cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Ties logins to the browser that started them.
    Browser,
    /// The session.
    Session,
    /// What the wallet's browser shows while a number is typed elsewhere; sealed.
    Number,
    /// Opens the numbers; sealed.
    Numbers,
}

impl Cookie {
    fn name(self) -> &'static str {
        match self {
            Self::Browser => "vs_op_browser",
            Self::Session => "vs_op_session",
            Self::Number => "vs_op_number",
            Self::Numbers => "vs_op_numbers",
        }
    }

    /// Reads the cookie. One that is there twice is none: somebody planted it.
    #[must_use]
    pub fn read(self, app: &Parts, headers: &HeaderMap) -> Option<String> {
        app.cookie_policy.get(headers, self.name()).ok().flatten()
    }

    /// A `Set-Cookie` value; the cookie lives as long as the browser. `Lax`, because people
    /// arrive from the application and from the wallet.
    #[must_use]
    pub fn set(self, app: &Parts, value: &str) -> HeaderValue {
        let same_site = match self {
            Self::Browser | Self::Session | Self::Number => SameSite::Lax,
            Self::Numbers => SameSite::Strict,
        };
        app.cookie_policy.set(self.name(), value, None, same_site)
    }

    /// The same for so long, whether or not the browser is closed in between.
    #[must_use]
    pub fn set_for(self, app: &Parts, value: &str, lifetime: Duration) -> HeaderValue {
        app.cookie_policy
            .set(self.name(), value, Some(lifetime), SameSite::Lax)
    }

    /// A `Set-Cookie` value that removes the cookie.
    #[must_use]
    pub fn remove(self, app: &Parts) -> HeaderValue {
        app.cookie_policy.clear(self.name())
    }
}

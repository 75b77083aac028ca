//! Why a login ended without success: a code for the log, words for the person.

use serde::{Deserialize, Serialize};

/// Which of the pages a person sees. The texts are `verifier-failed-<name>-…` of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Explanation {
    /// The person said no.
    Declined,
    /// The wallet has no card that fits.
    NoCard,
    /// The card was revoked.
    Revoked,
    /// The card is suspended.
    Suspended,
    /// The card's validity is over or has not begun.
    Expired,
    /// The card's issuer is not trusted.
    Issuer,
    /// Another type of card.
    Type,
    /// Anything else that was not proven.
    NotProven,
    /// The status could not be asked.
    Status,
    /// The wallet's answer came back in another browser.
    Browser,
    /// The number was wrong too often.
    Number,
    /// The card belongs to another account than the one logged in.
    Account,
    /// The card and the account do not go together, and nobody says why.
    Unmatched,
    /// The card leads to no account.
    Unlinked,
    /// The link to add a card was used, or its time is over.
    InvitationOver,
    /// The consent was withdrawn before the login was finished.
    Withdrawn,
    /// The rules of the login end it here.
    Denied,
    /// The login took too long.
    ExpiredLogin,
    /// It was answered, but its way back to the browser broke off.
    RestartLogin,
    /// This browser has begun too many logins at this application.
    TooMany,
    /// This was begun too often for one account today.
    TooManyToday,
    /// Whoever has the account cancelled it while it waited.
    Cancelled,
    /// There is no such login for this browser.
    Unknown,
    /// The application's request is wrong.
    Request,
    /// Our own fault.
    Server,
    /// A form that was not sent from a page of ours, or did not arrive.
    Form,
    /// Another provider got nobody in, and nobody says why.
    Provider,
    /// Too many codes of an authenticator app were wrong.
    Code,
}

impl Explanation {
    /// All of them. New ones come at the end: references say the place.
    pub const ALL: [Self; 28] = [
        Self::Declined,
        Self::NoCard,
        Self::Revoked,
        Self::Suspended,
        Self::Expired,
        Self::Issuer,
        Self::Type,
        Self::NotProven,
        Self::Status,
        Self::Browser,
        Self::Number,
        Self::Account,
        Self::Unmatched,
        Self::Unlinked,
        Self::InvitationOver,
        Self::Withdrawn,
        Self::Denied,
        Self::ExpiredLogin,
        Self::RestartLogin,
        Self::TooMany,
        Self::Unknown,
        Self::Request,
        Self::Server,
        Self::TooManyToday,
        Self::Cancelled,
        Self::Form,
        Self::Provider,
        Self::Code,
    ];

    /// The page with this part of the text keys.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.key() == key)
    }

    /// The part of the text keys that names the page.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::NoCard => "no-card",
            Self::Revoked => "revoked",
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Issuer => "issuer",
            Self::Type => "type",
            Self::NotProven => "not-proven",
            Self::Status => "status",
            Self::Browser => "browser",
            Self::Number => "number",
            Self::Account => "account",
            Self::Unmatched => "unmatched",
            Self::Unlinked => "unlinked",
            Self::InvitationOver => "invitation-over",
            Self::Withdrawn => "withdrawn",
            Self::Denied => "denied",
            Self::ExpiredLogin => "expired-login",
            Self::RestartLogin => "restart-login",
            Self::TooMany => "too-many",
            Self::Cancelled => "cancelled",
            Self::TooManyToday => "too-many-today",
            Self::Unknown => "unknown",
            Self::Request => "request",
            Self::Server => "server",
            Self::Form => "form",
            Self::Provider => "provider",
            Self::Code => "code",
        }
    }
}

/// The end of a login that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    code: String,
    explanation: Explanation,
    /// What a journey wants to be said.
    #[serde(default)]
    show: Option<String>,
}

impl Failure {
    /// `code` is snake_case, from a closed list, and carries no claim.
    #[must_use]
    pub fn new(code: &'static str, explanation: Explanation) -> Self {
        Self {
            code: code.to_owned(),
            explanation,
            show: None,
        }
    }

    /// A journey ends with this code of its own. What it wants to be said is a text, or words with
    /// `_` between them.
    #[must_use]
    pub fn denied(code: &str, explanation: Explanation, show: Option<&str>) -> Self {
        let shown = |text: &str| match text.contains(char::is_whitespace) {
            true => text.to_owned(),
            false => text.replace('_', " "),
        };
        Self {
            code: code.to_owned(),
            explanation,
            show: show.map(shown),
        }
    }

    /// What a journey wants to be said.
    #[must_use]
    pub fn show(&self) -> Option<&str> {
        self.show.as_deref()
    }

    /// The person said no in the wallet or on our page.
    #[must_use]
    pub fn declined() -> Self {
        Self::new("declined", Explanation::Declined)
    }

    /// The wallet's answer came back in a browser that did not start the login.
    #[must_use]
    pub fn other_browser() -> Self {
        Self::new("other_browser", Explanation::Browser)
    }

    /// Three wrong numbers.
    #[must_use]
    pub fn wrong_number() -> Self {
        Self::new("number_mismatch", Explanation::Number)
    }

    /// The card belongs to another account.
    #[must_use]
    pub fn other_account() -> Self {
        Self::new("other_account", Explanation::Account)
    }

    /// The card does not lead to the account that was named, or leads to another one than the one it
    /// is to be added to.
    #[must_use]
    pub fn unmatched() -> Self {
        Self::new("unmatched", Explanation::Unmatched)
    }

    /// The card leads to no account.
    #[must_use]
    pub fn unlinked() -> Self {
        Self::new("card_not_linked", Explanation::Unlinked)
    }

    /// The link to add a card was used, or its time is over.
    #[must_use]
    pub fn invitation_over() -> Self {
        Self::new("invitation_over", Explanation::InvitationOver)
    }

    /// The consent was withdrawn in between.
    #[must_use]
    pub fn withdrawn() -> Self {
        Self::new("consent_withdrawn", Explanation::Withdrawn)
    }

    /// Nothing says whose login it is.
    #[must_use]
    pub fn not_authenticated() -> Self {
        Self::new("not_authenticated", Explanation::NotProven)
    }

    /// The transaction was not approved with a card in this login.
    #[must_use]
    pub fn not_approved() -> Self {
        Self::new("not_approved", Explanation::NotProven)
    }

    /// The pushed request has brought its code, or is over.
    #[must_use]
    pub fn request_used() -> Self {
        Self::new("request_used", Explanation::Request)
    }

    /// The device that asked does not wait any more.
    #[must_use]
    pub fn device_over() -> Self {
        Self::new("device_code_over", Explanation::ExpiredLogin)
    }

    /// Stable code for logs and metrics.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Which page explains it.
    #[must_use]
    pub fn explanation(&self) -> Explanation {
        self.explanation
    }
}

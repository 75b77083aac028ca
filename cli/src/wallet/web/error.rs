//! What a person reads when something did not work.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use vouchsafe_wallet_core::{Fault, WalletError};

use super::shell::{Shell, Visitor};

/// A page instead of the one that was wanted.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    text: &'static str,
    code: &'static str,
}

impl Problem {
    pub(super) fn form() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            text: "wallet-error-form",
            code: "form_refused",
        }
    }

    pub(super) fn gone() -> Self {
        Self {
            status: StatusCode::GONE,
            text: "wallet-error-gone",
            code: "session_gone",
        }
    }

    pub(super) fn link() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            text: "wallet-error-link",
            code: "link_unknown",
        }
    }

    pub(super) fn picture() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            text: "wallet-error-picture",
            code: "picture_unreadable",
        }
    }

    pub(super) fn backup() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            text: "wallet-error-backup",
            code: "backup_unreadable",
        }
    }

    pub(super) fn settings() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            text: "wallet-error-wallet",
            code: "settings_not_kept",
        }
    }

    /// What is wrong with a link before anybody was asked: that is not the fault of a server behind this
    /// one (RFC 9110, section 15.6.3).
    pub(super) fn of_link(error: &WalletError) -> Self {
        let problem = Self::from(error);
        match problem.status {
            StatusCode::BAD_GATEWAY => Self {
                status: StatusCode::BAD_REQUEST,
                ..problem
            },
            _ => problem,
        }
    }

    /// The page, with the stable code as its reference.
    pub(super) fn page(&self, app: &Shell, visitor: &Visitor) -> Response {
        let context = serde_json::json!({
            "title": app.text(visitor.locale, "wallet-error-title"),
            "message": app.text(visitor.locale, self.text),
            "action_url": "/",
            "action_text": app.text(visitor.locale, "wallet-back"),
            "reference": self.code,
        });
        (self.status, app.page(visitor, "message", context)).into_response()
    }
}

impl From<&WalletError> for Problem {
    fn from(error: &WalletError) -> Self {
        let code = error.code();
        let text = match (code, error.fault()) {
            ("tx_code_refused", _) => "wallet-error-code",
            ("offer_used", _) => "wallet-error-used",
            ("request_expired", _) => "wallet-error-expired",
            ("offer_malformed", _) => "wallet-error-link",
            (_, Fault::Person) => "wallet-error-person",
            (_, Fault::Issuer) => "wallet-error-issuer",
            (_, Fault::Verifier) => "wallet-error-verifier",
            (_, Fault::Network) => "wallet-error-network",
            (_, Fault::Wallet | Fault::Host) => "wallet-error-wallet",
        };
        let status = match error.fault() {
            Fault::Person => StatusCode::BAD_REQUEST,
            Fault::Issuer | Fault::Verifier | Fault::Network => StatusCode::BAD_GATEWAY,
            Fault::Wallet | Fault::Host => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, text, code }
    }
}

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Self {
        Self::from(&error)
    }
}

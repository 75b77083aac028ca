//! A page asks over the Digital Credentials API: no link, no address, and the answer goes back to
//! the browser (OpenID4VP 1.0, appendix A; HAIP 1.0, section 5.2).

use serde_json::{Value, json};
use vouchsafe_protocol::vp::api::Origin;
use vouchsafe_protocol::vp::request::{ApiRequest, WalletPolicy, verify_api_request_of};
use vouchsafe_protocol::vp::response::ErrorCode;

use super::answer::Made;
use super::ask::{Asking, Unanswered};
use super::context::Asked;
use super::{PresentationError, Refused};
use crate::WalletError;
use crate::consent::{ConsentRequest, Selection};
use crate::history::{EventKind, HistoryEntry, HistoryId, Outcome, Party};
use crate::text::PlainText;
use crate::wallet::Wallet;

/// A checked request of a page that some card answers.
#[derive(Debug)]
pub struct PageAsking {
    asking: Asking,
    protocol: &'static str,
}

/// What goes back to the browser.
#[derive(Clone, PartialEq)]
pub struct PageAnswer {
    /// The protocol of the request.
    pub protocol: &'static str,
    /// `data` of the `DigitalCredential`.
    pub data: Value,
    /// The entry in the history. Whether the page took the answer, nobody tells the wallet.
    pub history: HistoryId,
}

/// Shows no part of the answer.
impl std::fmt::Debug for PageAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageAnswer")
            .field("protocol", &self.protocol)
            .finish_non_exhaustive()
    }
}

/// A request of a page that will not be answered with a card.
#[derive(Debug, thiserror::Error)]
#[error("the request of the page is refused")]
pub struct PageRefused {
    /// Why.
    #[source]
    pub error: WalletError,
    /// An error response, for a wallet that does not simply cancel. That there is one says that the
    /// person has a wallet: it goes back only when they agreed (section 15.9.1).
    pub data: Value,
}

/// A choice that does not answer the request.
#[derive(Debug, thiserror::Error)]
#[error("the choice does not answer the request")]
pub struct PageUnanswered {
    /// Why.
    #[source]
    pub error: WalletError,
    /// To try again with; `None` when the request can no longer be answered.
    pub session: Option<PageAsking>,
}

impl PageAsking {
    pub(crate) fn start(
        wallet: Wallet,
        origin: &str,
        protocol: &str,
        data: &Value,
    ) -> Result<Self, Box<PageRefused>> {
        let request = match read(&wallet, origin, protocol, data) {
            Ok(request) => request,
            Err(error) => {
                let refused = refusal(error);
                remember(&wallet, origin, &refused.error);
                return Err(Box::new(refused));
            }
        };
        let protocol = request.protocol();
        let asking = Asking::new(wallet, Asked::Page(Box::new(request)));
        let asking = asking.map_err(|refused| {
            let Refused { error, .. } = *refused;
            let code = match &error {
                WalletError::Presentation(PresentationError::KeyNotAccepted) => {
                    ErrorCode::VpFormatsNotSupported
                }
                WalletError::Presentation(PresentationError::Request(error)) => error.error_code(),
                // Section 8.5: `access_denied` where no card answers.
                _ => ErrorCode::AccessDenied,
            };
            let data = error_data(code);
            Box::new(PageRefused { error, data })
        })?;
        Ok(Self { asking, protocol })
    }

    /// Who asks, why, and exactly what would leave; texts in the first of the
    /// languages that is there.
    #[must_use]
    pub fn consent(&self, locales: &[&str]) -> ConsentRequest {
        self.asking.consent(locales)
    }

    /// Answers with the chosen cards: exactly the facts that
    /// [`PageAsking::consent`] listed for them leave.
    pub async fn respond(self, selection: &Selection) -> Result<PageAnswer, Box<PageUnanswered>> {
        let protocol = self.protocol;
        let unanswered = |unanswered: Box<Unanswered>| {
            let Unanswered { error, session } = *unanswered;
            Box::new(PageUnanswered {
                error,
                session: session.map(|asking| Self { asking, protocol }),
            })
        };
        match self.asking.make(selection).await.map_err(unanswered)? {
            (Made::Data(data), entry) => Ok(PageAnswer {
                protocol,
                data,
                history: entry.id,
            }),
            // Only a request of a page is held here.
            (Made::Post(_), _) => Err(Box::new(PageUnanswered {
                error: PresentationError::Answer.into(),
                session: None,
            })),
        }
    }

    /// Says no, and refuses this verifier from now on; nothing goes back to the page.
    pub fn block(self) -> Result<HistoryId, WalletError> {
        self.asking.block()
    }

    /// Says no. The answer may go back to the page; to cancel without one tells it less.
    pub fn decline(self) -> Result<PageAnswer, WalletError> {
        Ok(PageAnswer {
            protocol: self.protocol,
            data: error_data(ErrorCode::AccessDenied),
            history: self.asking.note_no()?,
        })
    }
}

fn read(
    wallet: &Wallet,
    origin: &str,
    protocol: &str,
    data: &Value,
) -> Result<ApiRequest, PresentationError> {
    let origin = Origin::parse(origin, wallet.urls()).map_err(PresentationError::Origin)?;
    let policy = WalletPolicy {
        anchors: &wallet.trust().verifiers,
        crypto: wallet.crypto(),
        now: wallet.now(),
        urls: wallet.urls(),
    };
    // Only a request behind a link has a document resolved for it.
    let parties = wallet
        .trust()
        .other_verifiers
        .parties(None, wallet.config().transactions);
    verify_api_request_of(&parties, protocol, data, &origin, &policy)
        .map_err(PresentationError::Request)
}

fn refusal(error: PresentationError) -> PageRefused {
    let code = match &error {
        PresentationError::Request(error) => error.error_code(),
        _ => ErrorCode::InvalidRequest,
    };
    PageRefused {
        error: error.into(),
        data: error_data(code),
    }
}

/// Appendix A.4: "a single property with the name `error`".
fn error_data(code: ErrorCode) -> Value {
    json!({ "error": code.as_str() })
}

/// Failed requests are part of the history too. That it could not be
/// written must not hide why the request failed.
fn remember(wallet: &Wallet, origin: &str, error: &WalletError) {
    let at = wallet.now();
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let _ = wallet.history_store().save(&HistoryEntry {
        id: wallet.history_store().new_id(at),
        at,
        kind: EventKind::Presented,
        party: Party {
            name: None,
            host: PlainText::new(host).to_string(),
        },
        purpose: None,
        cards: Vec::new(),
        facts: Vec::new(),
        outcome: Outcome::Failed {
            code: error.code().to_owned(),
        },
        consent_uri: None,
        withdrawn_at: None,
    });
}

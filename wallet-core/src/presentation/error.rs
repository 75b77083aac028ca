//! Why a card was not shown.

use url::Url;
use vouchsafe_protocol::http::{HttpRequest, UrlRefused};
use vouchsafe_protocol::vp::api::OriginError;
use vouchsafe_protocol::vp::dcql::NoMatch;
use vouchsafe_protocol::vp::invocation::InvocationError;
use vouchsafe_protocol::vp::request::RequestError;
use vouchsafe_protocol::vp::response::AnswerError;

use crate::WalletError;
use crate::error::Fault;

/// Why a card was not shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresentationError {
    /// The link is no request to show a card.
    #[error("the link is not acceptable")]
    Link(#[source] InvocationError),
    /// The page has no origin that may ask for cards.
    #[error("the origin of the page is not acceptable")]
    Origin(#[source] OriginError),
    /// The link leads where this wallet sends nothing.
    #[error("the address is not acceptable")]
    Address(#[source] UrlRefused),
    /// Who asks could not be reached.
    #[error("the verifier could not be reached")]
    Unreachable,
    /// The request could not be fetched: another status than 200, a redirect.
    #[error("the request could not be fetched")]
    RequestStatus(u16),
    /// What was fetched is not a request object by its media type.
    #[error("the request has another media type")]
    RequestMediaType,
    /// The request breaks a rule, or who asks is not trusted.
    #[error("the request is refused")]
    Request(#[source] RequestError),
    /// No card answers the request.
    #[error("no card answers the request")]
    NoMatchingCard(#[source] NoMatch),
    /// The verifier takes proofs of possession by other algorithms than that of this wallet's keys.
    #[error("the verifier accepts no signature that the keys of this wallet make")]
    KeyNotAccepted,
    /// The person said no to this verifier again and again: it is not put before them for a while.
    #[error("the verifier asked too often")]
    AskedTooOften,
    /// The person does not want to be asked by this verifier.
    #[error("the verifier is blocked")]
    Blocked,
    /// The choice leaves open something that is insisted on, or names a card
    /// that was not offered.
    #[error("the choice is incomplete")]
    SelectionIncomplete,
    /// The request ended before it was answered.
    #[error("the request has expired")]
    Expired,
    /// A card was shown to somebody else or deleted while the question was open.
    #[error("a card changed while the question was open")]
    CardChanged,
    /// The answer could not be made.
    #[error("the answer could not be made")]
    Answer,
    /// The verifier did not accept the answer.
    #[error("the answer was not accepted")]
    NotAccepted {
        /// The HTTP status.
        status: u16,
        /// Where it explains that to the person, if it says so.
        explained_at: Option<Url>,
        /// The code and the reason that it gives, in printable ASCII and cut short. Foreign text: to
        /// be shown as what the verifier said, and kept out of logs.
        said: Option<String>,
    },
    /// What the verifier said to the answer does not read.
    #[error("the verifier's reply is not acceptable")]
    Reply(#[source] AnswerError),
}

impl PresentationError {
    /// A stable snake_case code, also a key for translated texts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Link(error) => error.code(),
            Self::Origin(_) => "request_origin_refused",
            Self::Address(_) => "request_address_refused",
            Self::Unreachable => "verifier_unreachable",
            Self::RequestStatus(300..=399) => "request_redirected",
            Self::RequestStatus(_) => "request_not_available",
            Self::RequestMediaType => "request_media_type",
            Self::Request(error) => error.code(),
            Self::NoMatchingCard(_) => "no_matching_card",
            Self::KeyNotAccepted => "key_algorithm_unsupported",
            Self::AskedTooOften => "asked_too_often",
            Self::Blocked => "verifier_blocked",
            Self::SelectionIncomplete => "selection_incomplete",
            Self::Expired => "request_expired",
            Self::CardChanged => "card_changed",
            Self::Answer => "answer_failed",
            Self::NotAccepted {
                status: 300..=399, ..
            } => "answer_redirected",
            Self::NotAccepted { .. } => "answer_not_accepted",
            Self::Reply(error) => error.code(),
        }
    }

    pub(crate) fn fault(&self) -> Fault {
        match self {
            Self::Link(_)
            | Self::Origin(_)
            | Self::Address(_)
            | Self::RequestStatus(_)
            | Self::RequestMediaType
            | Self::Request(_)
            | Self::KeyNotAccepted
            | Self::AskedTooOften
            | Self::NotAccepted { .. }
            | Self::Reply(_) => Fault::Verifier,
            Self::Unreachable => Fault::Network,
            Self::NoMatchingCard(_)
            | Self::Blocked
            | Self::SelectionIncomplete
            | Self::Expired
            | Self::CardChanged => Fault::Person,
            Self::Answer => Fault::Wallet,
        }
    }
}

/// A request that will not be answered with a card.
#[derive(Debug, thiserror::Error)]
#[error("the request is refused")]
pub struct Refused {
    /// Why.
    #[source]
    pub error: WalletError,
    /// An error response to send, where the verifier proved who it is.
    pub notify: Option<HttpRequest>,
    /// Whether to ask the person before sending it: that no card answers says
    /// something about them (OpenID4VP 1.0, section 15.4).
    pub ask_first: bool,
}

impl<E: Into<WalletError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            notify: None,
            ask_first: false,
        }
    }
}

//! Why an answer is not accepted.

use url::Url;
use vouchsafe_protocol::vp::api::ApiAnswerError;
use vouchsafe_protocol::vp::response::FormError;
use vouchsafe_protocol::vp::verify::PresentationError;
use vouchsafe_service::db::DbError;

use crate::login::ask::AskError;
use crate::login::run::RunError;
use crate::store::StoreError;

/// Why an answer was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// No such question, or its time is over.
    #[error("there is no such request")]
    Unknown,
    /// The login was answered before, or has ended.
    #[error("the request was answered before")]
    AlreadyAnswered,
    /// The posted form is not one.
    #[error("the posted form is not acceptable")]
    Form(#[from] FormError),
    /// What a page brought is no answer.
    #[error("the answer of the page is not acceptable")]
    Answer(#[from] ApiAnswerError),
    /// Not for this question: nothing has changed.
    #[error("the response is not for this request")]
    Foreign(#[source] PresentationError),
    /// Judged and refused: the login has failed, and the person may be sent to `explanation`.
    #[error("the presentation was refused")]
    Refused {
        /// Code for log and wallet.
        code: String,
        /// Where the person may go: the page that explains it.
        explanation: Option<Url>,
    },
    /// The person would be told other things now than when the question was put: they are asked again.
    #[error("the person would be told other things now")]
    Changed,
    /// Our own fault.
    #[error("the request could not be answered")]
    Ask(#[from] AskError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DbError> for AcceptError {
    fn from(error: DbError) -> Self {
        Self::Store(error.into())
    }
}

impl From<RunError> for AcceptError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(error) => Self::Store(error),
            RunError::Gone | RunError::Instance(_) => Self::Ask(AskError::Gone),
        }
    }
}

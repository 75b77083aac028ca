//! Requests that no card of this wallet answers.

use vouchsafe_protocol::http::HttpRequest;
use vouchsafe_protocol::vp::dcql::NoMatch;
use vouchsafe_protocol::vp::request::RequestError;
use vouchsafe_protocol::vp::response::ErrorCode;
use vouchsafe_protocol::vp::transaction_data::TransactionDataError;

use super::context::Context;
use super::{PresentationError, Refused};
use crate::WalletError;
use crate::history::Outcome;

/// Section 8.5, `invalid_transaction_data`: "the referenced Credential(s) are not available in the Wallet".
pub(super) fn no_authority(context: &Context) -> Refused {
    let error = RequestError::TransactionData(TransactionDataError::Unavailable);
    let notify = context.refusal(error.error_code());
    refused(context, PresentationError::Request(error), notify, true)
}

pub(super) fn no_card(context: &Context, no_match: NoMatch) -> Refused {
    let error = PresentationError::NoMatchingCard(no_match);
    refused(context, error, context.access_denied(), true)
}

pub(super) fn no_key(context: &Context) -> Refused {
    // OpenID4VP 1.0, section 8.5: the wallet supports none of the formats as they are asked for.
    let notify = context.refusal(ErrorCode::VpFormatsNotSupported);
    refused(context, PresentationError::KeyNotAccepted, notify, false)
}

/// A refusal, and its entry in the history.
fn refused(
    context: &Context,
    error: PresentationError,
    notify: Option<HttpRequest>,
    ask_first: bool,
) -> Refused {
    let error = WalletError::from(error);
    let outcome = Outcome::Failed {
        code: error.code().to_owned(),
    };
    let entry = context.entry(outcome, Vec::new(), Vec::new());
    if let Err(error) = context.wallet.history_store().save(&entry) {
        return error.into();
    }
    Refused {
        error,
        notify,
        ask_first,
    }
}

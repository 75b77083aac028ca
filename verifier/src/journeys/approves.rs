//! Whether the service can have a transaction approved in a step.

use std::sync::Arc;

use vouchsafe_protocol::vp::transaction_data::can_authorise;

use crate::config::{Client, Query};
use crate::journey::{Code, Places};

/// Notes what stands in the way: a card that cannot sign what it is asked, one that is
/// not that of the account, or nobody who may ask.
pub(super) fn approves<'a>(
    at: usize,
    (query, mut served): (&Query, impl Iterator<Item = &'a Arc<Client>>),
    places: &mut Places<'_>,
) {
    const KEY: &str = "transaction_data";
    if !query.dcql.credentials().iter().all(can_authorise) {
        // OpenID4VP 1.0, annexes B.2.1 and B.3.3.
        let message = "the question asks for a card that cannot authorise a transaction";
        let hint = "each card is a `dc+sd-jwt` that proves its key; no mdoc is";
        places.at_step(at, KEY, Code::NotHeld, message, hint);
    }
    // Rule of our own: the card that signs must be that of the account. With other keys among the cards of an
    // answer somebody else's could sign.
    if !query.one_holder {
        let message = "the question takes cards of several holders, any of which could sign";
        let hint = "a question without `one_holder = false`";
        places.at_step(at, KEY, Code::NotHeld, message, hint);
    }
    if !served.any(|client| !client.approvals.is_empty()) {
        let message = "no application of the journey may ask for an approval";
        let hint =
            "`authorization_details_types = [\"payment\"]` of a `[[client]]` with a secret or keys";
        places.at_step(at, KEY, Code::NotHeld, message, hint);
    }
}

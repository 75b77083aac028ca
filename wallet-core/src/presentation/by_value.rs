//! A request that stands in a link itself (OpenID4VP 1.0, section 5): nobody signed it, and nothing is
//! fetched.

use vouchsafe_protocol::vp::invocation::{Invocation, parameters_by_value};
use vouchsafe_protocol::vp::request::{PresentationRequest, WalletPolicy, verify_unsigned};

use super::ask::Asking;
use super::context::Asked;
use super::{PresentationError, Refused};
use crate::history::{EventKind, HistoryEntry, Outcome, Party};
use crate::trust::UnvouchedVerifiers;
use crate::wallet::Wallet;

/// The request in a link; `None` where the link names one instead, or where this wallet hears nobody
/// who signs nothing: such a link is refused as every other that names no request.
pub(crate) fn by_value(wallet: &Wallet, link: &str) -> Option<Result<Asking, Box<Refused>>> {
    if wallet.trust().other_verifiers.unvouched == UnvouchedVerifiers::Refuse {
        return None;
    }
    let read = match parameters_by_value(link) {
        Ok(None) => return None,
        Ok(Some(parameters)) if !parameters.contains_key("client_id") => return None,
        Ok(Some(parameters)) => verify(wallet, &parameters),
        // The same link is refused with the same reason, as one that names a request.
        Err(_) if Invocation::parse(link, wallet.urls()).is_ok() => return None,
        Err(error) => Err(PresentationError::Link(error)),
    };
    Some(match read {
        Ok(request) => Asking::new(wallet.clone(), Asked::Link(Box::new(request))),
        Err(error) => {
            let refused = Refused::from(error);
            remember(wallet, &refused);
            Err(Box::new(refused))
        }
    })
}

fn verify(
    wallet: &Wallet,
    parameters: &serde_json::Map<String, serde_json::Value>,
) -> Result<PresentationRequest, PresentationError> {
    let policy = WalletPolicy {
        anchors: &wallet.trust().verifiers,
        crypto: wallet.crypto(),
        now: wallet.now(),
        urls: wallet.urls(),
    };
    let parties = wallet
        .trust()
        .other_verifiers
        .parties(None, wallet.config().transactions);
    let request =
        verify_unsigned(&parties, parameters, &policy).map_err(PresentationError::Request)?;
    // Catalogue 320: nothing inside a private network is ever sent anything.
    wallet
        .urls()
        .check(request.response_uri())
        .map_err(PresentationError::Address)?;
    Ok(request)
}

/// Failed requests are part of the history too. That it could not be written must not hide why the
/// request failed.
fn remember(wallet: &Wallet, refused: &Refused) {
    let at = wallet.now();
    let _ = wallet.history_store().save(&HistoryEntry {
        id: wallet.history_store().new_id(at),
        at,
        kind: EventKind::Presented,
        party: Party {
            name: None,
            host: String::new(),
        },
        purpose: None,
        cards: Vec::new(),
        facts: Vec::new(),
        outcome: Outcome::Failed {
            code: refused.error.code().to_owned(),
        },
        consent_uri: None,
        withdrawn_at: None,
    });
}

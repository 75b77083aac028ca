//! Withdrawing a consent that was given.

use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};

use crate::WalletError;
use crate::error::CredentialError;
use crate::history::{HistoryEntry, HistoryId};
use crate::presentation::PresentationError;
use crate::wallet::Wallet;

/// A withdrawal on its way.
pub struct Withdrawal {
    wallet: Wallet,
    entry: HistoryEntry,
    request: HttpRequest,
}

impl Withdrawal {
    pub(crate) fn start(wallet: Wallet, id: &HistoryId) -> Result<Self, WalletError> {
        let entry = wallet.history_store().get(id)?;
        let uri = match &entry.consent_uri {
            Some(uri) if entry.withdrawn_at.is_none() => uri.clone(),
            _ => return Err(CredentialError::NothingToWithdraw.into()),
        };
        wallet
            .urls()
            .check(&uri)
            .map_err(PresentationError::Address)?;
        let request = HttpRequest::new(Method::Delete, uri);
        Ok(Self {
            wallet,
            entry,
            request,
        })
    }

    /// The request to send. Redirects must not be followed.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Takes the verifier's reply. A consent that is gone on their side counts
    /// as withdrawn.
    pub fn receive(mut self, response: &HttpResponse) -> Result<HistoryEntry, WalletError> {
        if !(response.is_success() || matches!(response.status, 404 | 410)) {
            return Err(CredentialError::WithdrawalRefused.into());
        }
        self.entry.withdrawn_at = Some(self.wallet.now());
        self.wallet.history_store().save(&self.entry)?;
        Ok(self.entry)
    }
}

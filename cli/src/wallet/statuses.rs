//! Status lists: asked when somebody looks at the cards or has just added one, and never while a card
//! is shown.

use std::time::Duration;

use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::status::{StatusFetch, StatusStep};

use super::handle::WalletHandle;

/// How long somebody who looks at the cards waits for the lists.
const PATIENCE: Duration = Duration::from_secs(10);

impl WalletHandle {
    /// Asks the lists that are due. What cannot be had is not known, and no error.
    pub async fn ask_statuses(&self) {
        let Ok(_asking) = self.asking.try_lock() else {
            return;
        };
        let due = self.core().status_lists_due().unwrap_or_default();
        let all = async {
            for fetch in due {
                if let Err(error) = self.ask_list(fetch).await {
                    tracing::info!(code = error.code(), "a status list says nothing");
                }
            }
        };
        let _ = tokio::time::timeout(PATIENCE, all).await;
    }

    /// The same while the pages go on.
    pub(super) fn ask_statuses_aside(&self) {
        let wallet = self.clone();
        tokio::spawn(async move { wallet.ask_statuses().await });
    }

    async fn ask_list(&self, mut fetch: StatusFetch) -> Result<(), WalletError> {
        loop {
            let Ok(response) = self.transport.send(fetch.request().clone()).await else {
                return Err(fetch.unreachable());
            };
            match fetch.receive(&response)? {
                StatusStep::Send(next) => fetch = next,
                StatusStep::Done => return Ok(()),
            }
        }
    }
}

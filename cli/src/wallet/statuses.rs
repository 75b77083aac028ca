//! Status lists: asked when somebody looks at the cards or has just added one, and never while a card
//! is shown.

use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::status::{StatusFetch, StatusStep};

use super::handle::WalletHandle;

/// How long somebody who looks at the cards waits for the lists.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one list may take, with its redirects.
const ONE_LIST: Duration = Duration::from_secs(5);
/// How many lists are asked at a time: a host that is slow holds up no other.
const AT_A_TIME: usize = 8;

impl WalletHandle {
    /// Asks the lists that are due. What cannot be had is not known, and no error.
    pub async fn ask_statuses(&self) {
        let Ok(_asking) = self.asking.try_lock() else {
            return;
        };
        let due = self.core().status_lists_due().unwrap_or_default();
        // What was begun has its time; what could not be begun is due the next time.
        let last = Instant::now() + (PATIENCE - ONE_LIST);
        let ask = async |fetch: StatusFetch| {
            let now = Instant::now();
            if now > last {
                return;
            }
            if let Err(error) = self.ask_list(fetch, now + ONE_LIST).await {
                tracing::info!(code = error.code(), "a status list says nothing");
            }
        };
        stream::iter(due).for_each_concurrent(AT_A_TIME, ask).await;
    }

    /// The same while the pages go on.
    pub(super) fn ask_statuses_aside(&self) {
        let wallet = self.clone();
        tokio::spawn(async move { wallet.ask_statuses().await });
    }

    /// The wallet remembers what came of it, also where no answer came in time.
    async fn ask_list(&self, mut fetch: StatusFetch, end: Instant) -> Result<(), WalletError> {
        loop {
            let asked = self.transport.send(fetch.request().clone());
            let Ok(Ok(response)) = timeout_at(end, asked).await else {
                return Err(fetch.unreachable());
            };
            match fetch.receive(&response)? {
                StatusStep::Send(next) => fetch = next,
                StatusStep::Done => return Ok(()),
            }
        }
    }
}

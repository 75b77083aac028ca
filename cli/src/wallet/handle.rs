//! One wallet for all who use it: the command line, the web pages, the
//! headless demo. Drives the sessions of `wallet-core` over a transport.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_wallet_core::consent::{ConsentRequest, Selection};
use vouchsafe_wallet_core::credential::{Card, CredentialId};
use vouchsafe_wallet_core::history::{HistoryEntry, HistoryId};
use vouchsafe_wallet_core::issuance::{Added, IssuanceError, Pending, PendingId, Step};
use vouchsafe_wallet_core::presentation::{
    Asking, PageAsking, PageRefused, PresentationError, Presented,
};
use vouchsafe_wallet_core::{Wallet, WalletError};

/// How long a busy issuer is waited for where nobody says how long, in seconds.
const PATIENCE: u64 = 60;
/// Most notifications that are sent one after the other.
const MAX_NOTICES: usize = 32;

/// Sends one request. Must not follow redirects, and must bound time and size.
#[async_trait]
pub trait Transport: Send + Sync {
    /// The answer, whatever its status; an error when there was none.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Unreachable>;
}

/// No answer came.
#[derive(Debug, thiserror::Error)]
#[error("no answer came")]
pub struct Unreachable(#[source] pub anyhow::Error);

/// An open wallet with a way to reach others. Cheap to clone.
#[derive(Clone)]
pub struct WalletHandle {
    wallet: Wallet,
    pub(super) transport: Arc<dyn Transport>,
    tell_refusals: bool,
    patience: u64,
    on_busy: fn(u64),
    // Held while status lists are asked: once is enough.
    pub(super) asking: Arc<tokio::sync::Mutex<()>>,
}

/// A verified request, waiting for the person.
pub struct Prepared {
    /// What the person is asked.
    pub consent: ConsentRequest,
    /// To answer with.
    pub session: Asking,
}

/// A request that is not answered with a card.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotPrepared {
    /// Why.
    pub error: WalletError,
    /// An error response that the person may have sent: it tells the other
    /// side that there is no card.
    pub tell_them: Option<HttpRequest>,
    /// Whether somebody else was asked for anything; otherwise the link alone is to blame.
    pub asked: bool,
}

/// An answer that was not delivered.
pub struct NotAnswered {
    /// Why.
    pub error: WalletError,
    /// To try again with.
    pub session: Option<Asking>,
}

impl WalletHandle {
    /// Puts a wallet and a transport together.
    pub fn new(wallet: Wallet, transport: Arc<dyn Transport>) -> Self {
        Self {
            wallet,
            transport,
            tell_refusals: true,
            patience: PATIENCE,
            on_busy: |_| {},
            asking: Arc::default(),
        }
    }

    /// How many seconds a busy issuer is waited for, at least about a minute, and who hears before
    /// each wait how long it is.
    #[must_use]
    pub fn patient(mut self, seconds: u64, on_busy: fn(u64)) -> Self {
        self.patience = seconds.max(PATIENCE);
        self.on_busy = on_busy;
        self
    }

    /// Whether verifiers are told why their request is refused. Who is told learns that there is a
    /// wallet (OpenID4VP 1.0, section 15.9.1).
    #[must_use]
    pub fn tell_refusals(mut self, tell: bool) -> Self {
        self.tell_refusals = tell;
        self
    }

    /// The wallet itself, for what needs no transport.
    pub fn core(&self) -> &Wallet {
        &self.wallet
    }

    /// The cards, the latest first.
    pub fn cards(&self, locales: &[&str]) -> Result<Vec<Card>, WalletError> {
        self.wallet.cards(locales)
    }

    /// One card.
    pub fn card(&self, id: &CredentialId, locales: &[&str]) -> Result<Card, WalletError> {
        self.wallet.card(id, locales)
    }

    /// Deletes a card and its keys, and tells its issuer.
    pub async fn delete(&self, id: &CredentialId) -> Result<(), WalletError> {
        self.wallet.delete(id).await?;
        self.tell_issuers().await;
        Ok(())
    }

    /// Asks an issuer for a card that it has not offered, up to the point where the person is
    /// needed.
    pub async fn request(&self, issuer: &str, type_id: Option<&str>) -> Result<Step, WalletError> {
        self.drive(self.wallet.request(issuer, type_id)?).await
    }

    /// Cards that issuers deliver later, the oldest first.
    pub fn pending(&self) -> Result<Vec<Pending>, WalletError> {
        self.wallet.pending()
    }

    /// Asks for a card that was to come later.
    pub async fn resume(&self, id: &PendingId) -> Result<Added, WalletError> {
        self.to_the_end(self.wallet.resume(id)?).await
    }

    /// Gives up a card that was to come later.
    pub async fn forget(&self, id: &PendingId) -> Result<(), WalletError> {
        self.wallet.forget(id).await
    }

    /// Cards whose copies run out, or that end soon, and can be renewed.
    pub fn cards_to_top_up(&self) -> Result<Vec<CredentialId>, WalletError> {
        self.wallet.cards_to_top_up()
    }

    /// Gets new copies of a card.
    pub async fn renew(&self, id: &CredentialId) -> Result<Added, WalletError> {
        self.to_the_end(self.wallet.renew(id)?).await
    }

    async fn to_the_end(&self, step: Step) -> Result<Added, WalletError> {
        match self.drive(step).await? {
            Step::Done(added) => Ok(added),
            Step::Send(_) | Step::ConfirmIssuer(_) | Step::Preview(_) | Step::Authorize(_) => {
                Err(IssuanceError::PersonNeeded.into())
            }
        }
    }

    /// Tells issuers what became of their cards. What cannot be told now stays and is told
    /// another time.
    async fn tell_issuers(&self) {
        for _ in 0..MAX_NOTICES {
            let Ok(Some(step)) = self.wallet.notify().await else {
                return;
            };
            if self.send_all(step).await.is_err() {
                return;
            }
        }
    }

    /// Identifiers of the issuers on the wallet's list.
    pub fn listed_issuers(&self) -> Vec<&str> {
        self.wallet.listed_issuers()
    }

    /// What happened, the latest first.
    pub fn history(&self) -> Result<Vec<HistoryEntry>, WalletError> {
        self.wallet.history()
    }

    /// One entry of the history.
    pub fn history_entry(&self, id: &HistoryId) -> Result<HistoryEntry, WalletError> {
        self.wallet.history_entry(id)
    }

    /// Follows an offer up to the point where the person is needed, or its end.
    pub async fn offer(&self, link: &str) -> Result<Step, WalletError> {
        self.drive(self.wallet.add(link)?).await
    }

    /// Sends what a step wants sent until the person is needed, or the end. Waits where the other
    /// side asks for it.
    pub async fn drive(&self, step: Step) -> Result<Step, WalletError> {
        let step = self.send_all(step).await;
        // Whatever came of it, an issuer may have to hear something.
        if !matches!(
            step,
            Ok(Step::ConfirmIssuer(_) | Step::Preview(_) | Step::Authorize(_))
        ) {
            self.tell_issuers().await;
        }
        step
    }

    async fn send_all(&self, mut step: Step) -> Result<Step, WalletError> {
        while let Step::Send(exchange) = step {
            let wait = exchange.wait_seconds();
            let busy = exchange.busy_seconds();
            // What is redeemed would be lost: that is waited for as long as the core does.
            if busy > self.patience && !exchange.is_redeemed() {
                step = exchange.give_up().await?;
                continue;
            }
            if busy > 0 {
                (self.on_busy)(wait);
            }
            if wait > 0 {
                tokio::time::sleep(Duration::from_secs(wait)).await;
            }
            step = match self.transport.send(exchange.request().clone()).await {
                Ok(response) => exchange.receive(&response).await?,
                Err(_) => return Err(exchange.unreachable().await),
            };
        }
        if let Step::Done(Added { cards, pending: _ }) = &step {
            for card in cards {
                self.fetch_pictures(card).await;
            }
            if !cards.is_empty() {
                self.ask_statuses().await;
            }
        }
        Ok(step)
    }

    /// Now, while the issuer knows anyway that the card was added; never again.
    async fn fetch_pictures(&self, card: &CredentialId) {
        for fetch in self.wallet.pictures_of(card).unwrap_or_default() {
            let Ok(response) = self.transport.send(fetch.request().clone()).await else {
                continue;
            };
            if let Err(error) = fetch.receive(&response) {
                tracing::warn!(%error, "the picture of a card is not kept");
            }
        }
    }

    /// Adds the offered cards without asking: for callers that made up their
    /// mind before. Issuers on no list and those that want the person to sign
    /// in are refused.
    pub async fn add_offer(&self, link: &str, tx_code: Option<&str>) -> Result<Added, WalletError> {
        match self.offer(link).await? {
            Step::Preview(preview) => match self.drive(preview.accept(tx_code).await?).await? {
                Step::Done(added) => Ok(added),
                Step::Send(_) | Step::ConfirmIssuer(_) | Step::Preview(_) | Step::Authorize(_) => {
                    Err(IssuanceError::PersonNeeded.into())
                }
            },
            Step::Done(added) => Ok(added),
            Step::Send(_) | Step::ConfirmIssuer(_) | Step::Authorize(_) => {
                Err(IssuanceError::PersonNeeded.into())
            }
        }
    }

    /// Fetches and verifies a request; nothing has left the wallet after it.
    pub async fn prepare(
        &self,
        link: &str,
        locales: &[&str],
    ) -> Result<Prepared, Box<NotPrepared>> {
        let refused = |error, tell_them, asked| {
            Box::new(NotPrepared {
                error,
                tell_them,
                asked,
            })
        };
        let silent = |error: WalletError| refused(error, None, true);
        if let Some(asked) = self.wallet.present_by_value(link) {
            let session = asked.map_err(|no| {
                let tell_them = no.notify.filter(|_| no.ask_first);
                refused(no.error, tell_them, false)
            })?;
            return Ok(Prepared {
                consent: session.consent(locales),
                session,
            });
        }
        let fetching = self.wallet.present(link);
        let mut fetching = fetching.map_err(|error| refused(error, None, false))?;
        if let Some(wanted) = fetching.document_request().cloned()
            && let Ok(document) = self.transport.send(wanted).await
        {
            fetching.resolve(&document);
        }
        let response = match self.transport.send(fetching.request().clone()).await {
            Ok(response) => response,
            Err(_) => return Err(silent(fetching.unreachable())),
        };
        match fetching.receive(&response) {
            Ok(session) => Ok(Prepared {
                consent: session.consent(locales),
                session,
            }),
            Err(no) if no.ask_first => Err(refused(no.error, no.notify, true)),
            Err(no) => {
                let notify = no.notify.filter(|_| self.tell_refusals);
                if let Some(notify) = notify {
                    // A courtesy to the verifier; the refusal stands either way.
                    let _ = self.transport.send(notify).await;
                }
                Err(silent(no.error))
            }
        }
    }

    /// Reads a request that the browser passes on for a page from `origin`.
    pub fn page(
        &self,
        origin: &str,
        protocol: &str,
        data: &Value,
    ) -> Result<PageAsking, Box<PageRefused>> {
        self.wallet.present_to_page(origin, protocol, data)
    }

    /// Sends the error response of [`NotPrepared::tell_them`].
    pub async fn tell(&self, request: HttpRequest) {
        // Nothing depends on its arrival.
        let _ = self.transport.send(request).await;
    }

    /// Shows the chosen cards.
    pub async fn respond(
        &self,
        session: Asking,
        selection: &Selection,
    ) -> Result<Presented, Box<NotAnswered>> {
        let submitting = session.respond(selection).await.map_err(|unanswered| {
            Box::new(NotAnswered {
                error: unanswered.error,
                session: unanswered.session,
            })
        })?;
        let reply = self.transport.send(submitting.request().clone()).await;
        let presented = match reply {
            Ok(response) => submitting.receive(&response),
            // The history keeps it as "may have arrived".
            Err(_) => Err(PresentationError::Unreachable.into()),
        };
        presented.map_err(|error| {
            Box::new(NotAnswered {
                error,
                session: None,
            })
        })
    }

    /// Says no.
    pub async fn decline(&self, session: Asking) -> Result<Option<Presented>, WalletError> {
        let declining = session.decline()?;
        match self.transport.send(declining.request().clone()).await {
            Ok(response) => declining.receive(&response).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Withdraws the consent given with an entry of the history.
    pub async fn withdraw(&self, id: &HistoryId) -> Result<HistoryEntry, WalletError> {
        let withdrawal = self.wallet.withdraw(id)?;
        match self.transport.send(withdrawal.request().clone()).await {
            Ok(response) => withdrawal.receive(&response),
            Err(_) => Err(PresentationError::Unreachable.into()),
        }
    }
}

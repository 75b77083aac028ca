//! Adding a card.

use std::sync::Arc;

use vouchsafe_wallet_core::Wallet as Core;
use vouchsafe_wallet_core::issuance::{Added, Step};

use crate::error::WalletError;
use crate::machine::{After, Machine, SessionListener};
use crate::ports::http::HttpTransport;
use crate::values::credential::{CredentialId, PendingCredential, PendingId};
use crate::values::offer::{CredentialOffer, TxCodePrompt};

/// Adding cards.
#[derive(uniffi::Object)]
pub struct Issuance {
    pub(crate) core: Core,
    pub(crate) http: Arc<dyn HttpTransport>,
}

#[uniffi::export]
impl Issuance {
    /// Reads an offer: a link (`openid-credential-offer`), or the text of a QR code. Nothing is
    /// sent before [`IssuanceSession::prepare`].
    pub fn start(&self, link: String) -> Result<Arc<IssuanceSession>, WalletError> {
        Ok(self.session(self.core.add(&link)?))
    }

    /// The cards that their issuers deliver later, the oldest first.
    pub fn pending(&self) -> Result<Vec<PendingCredential>, WalletError> {
        let pending = self.core.pending()?;
        Ok(pending.into_iter().map(PendingCredential::from).collect())
    }

    /// Asks for a card that was to come later: [`IssuanceSession::prepare`] does it all. A restart in
    /// between costs nothing. What still waits is among `pending` of the end.
    pub fn resume(&self, id: PendingId) -> Result<Arc<IssuanceSession>, WalletError> {
        Ok(self.session(self.core.resume(&id.to_core()?)?))
    }

    /// Gives up a card that was to come later, and destroys its keys.
    pub async fn forget(&self, id: PendingId) -> Result<(), WalletError> {
        Ok(self.core.forget(&id.to_core()?).await?)
    }
}

impl Issuance {
    fn session(&self, step: Step) -> Arc<IssuanceSession> {
        Arc::new(IssuanceSession {
            core: self.core.clone(),
            http: Arc::clone(&self.http),
            machine: Machine::new(step, IssuanceState::Preparing, || IssuanceState::Canceled),
        })
    }
}

/// Where an [`IssuanceSession`] stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum IssuanceState {
    /// The offer is read, and its issuer is asked; see [`IssuanceSession::prepare`].
    Preparing,
    /// Nobody vouches for this issuer: `accept` or `decline`. Nothing was sent to it yet.
    IssuerUnknown {
        /// Its host: all there is to know.
        host: String,
    },
    /// What is offered: `accept` or `decline`.
    OfferResolved {
        /// The offer.
        offer: CredentialOffer,
    },
    /// A one-time code has to be typed: `submitTxCode` or `decline`.
    TxCodeRequired {
        /// What to ask for.
        prompt: TxCodePrompt,
    },
    /// The person signs in at this address, in a browser: `completeAuthorization` or `decline`.
    AuthorizationRequired {
        /// The address.
        url: String,
    },
    /// The issuer is at work.
    Processing,
    /// A card is in the wallet. One such state per card, before `Completed`.
    CredentialIssued {
        /// The card.
        credential: CredentialId,
    },
    /// The end: what could be had is in the wallet.
    Completed {
        /// The cards.
        credentials: Vec<CredentialId>,
        /// Cards that come later; see [`Issuance::pending`].
        pending: Vec<PendingId>,
    },
    /// The end: the person said no.
    Declined,
    /// The end: the session was cancelled.
    Canceled,
    /// The end: not all cards were added.
    Failed {
        /// Why.
        error: WalletError,
    },
}

/// Adding the cards of one offer.
#[derive(uniffi::Object)]
pub struct IssuanceSession {
    core: Core,
    http: Arc<dyn HttpTransport>,
    machine: Machine<Step, IssuanceState>,
}

#[uniffi::export]
impl IssuanceSession {
    /// Where it stands.
    pub fn state(&self) -> IssuanceState {
        self.machine.state()
    }

    /// Who is told of changes; none: nobody any more.
    pub fn set_listener(&self, listener: Option<Arc<dyn SessionListener>>) {
        self.machine.listen(listener);
    }

    /// Fetches what the offer names, until the person is needed.
    pub async fn prepare(&self) -> Result<(), WalletError> {
        if !matches!(self.state(), IssuanceState::Preparing) {
            return Err(WalletError::wrong_state());
        }
        self.go(IssuanceState::Preparing, |_| true, async |step| Ok(step))
            .await
    }

    /// Deals with an unknown issuer, or takes the offered cards.
    pub async fn accept(&self) -> Result<(), WalletError> {
        if matches!(self.state(), IssuanceState::TxCodeRequired { .. }) {
            return Err(WalletError::wrong_state());
        }
        let fits = |step: &Step| matches!(step, Step::ConfirmIssuer(_) | Step::Preview(_));
        self.go(IssuanceState::Processing, fits, async |step| match step {
            Step::ConfirmIssuer(confirm) => confirm.confirm().await,
            Step::Preview(preview) => preview.accept(None).await,
            other => Ok(other),
        })
        .await
    }

    /// Gives the one-time code. One of the wrong kind or length is asked for again and not sent.
    pub async fn submit_tx_code(&self, code: String) -> Result<(), WalletError> {
        let fits = |step: &Step| matches!(step, Step::Preview(_));
        self.go(IssuanceState::Processing, fits, async |step| match step {
            Step::Preview(preview) => preview.accept(Some(&code)).await,
            other => Ok(other),
        })
        .await
    }

    /// Gives the address with which the browser came back.
    pub async fn complete_authorization(&self, uri: String) -> Result<(), WalletError> {
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let fits = |step: &Step| matches!(step, Step::Authorize(_));
        self.go(IssuanceState::Processing, fits, async |step| match step {
            Step::Authorize(authorize) => authorize.complete(query).await,
            other => Ok(other),
        })
        .await
    }

    /// Says no.
    pub async fn decline(&self) -> Result<(), WalletError> {
        let work = async |step| match note_no(step) {
            Ok(()) => After {
                waiting: None,
                state: IssuanceState::Declined,
                result: Ok(()),
            },
            Err(error) => failed(error),
        };
        let fits = |step: &Step| !matches!(step, Step::Send(_) | Step::Done(_));
        self.machine
            .run(IssuanceState::Processing, fits, work)
            .await
    }

    /// Gives up, also in the middle of a call; that call then fails with `canceled`. Does nothing
    /// after the end. Cards that are in the wallet stay there.
    pub fn cancel(&self) -> Result<(), WalletError> {
        self.machine.cancel().map_or(Ok(()), note_no)
    }
}

fn note_no(step: Step) -> Result<(), WalletError> {
    match step {
        Step::ConfirmIssuer(confirm) => confirm.decline()?,
        Step::Preview(preview) => preview.decline()?,
        Step::Authorize(authorize) => authorize.cancel()?,
        Step::Send(_) | Step::Done(_) => {}
    }
    Ok(())
}

impl IssuanceSession {
    async fn go(
        &self,
        busy: IssuanceState,
        fits: fn(&Step) -> bool,
        first: impl AsyncFnOnce(Step) -> Result<Step, vouchsafe_wallet_core::WalletError>,
    ) -> Result<(), WalletError> {
        let work = async |step| match first(step).await {
            Ok(step) => self.drive(step).await,
            Err(error) => failed(error.into()),
        };
        self.machine.run(busy, fits, work).await
    }

    /// Sends what there is to send, until the person is needed or the end.
    async fn drive(&self, mut step: Step) -> After<Step, IssuanceState> {
        while let Step::Send(exchange) = step {
            let request = exchange.request().into();
            let next = match self.http.send(request).await {
                Ok(reply) => exchange.receive(&reply.into()).await,
                Err(_) => Err(exchange.unreachable().await),
            };
            step = match next {
                Ok(step) => step,
                Err(error) => return failed(error.into()),
            };
        }
        self.wait(step)
    }

    fn wait(&self, step: Step) -> After<Step, IssuanceState> {
        let state = match &step {
            Step::Send(_) => IssuanceState::Processing,
            Step::ConfirmIssuer(confirm) => IssuanceState::IssuerUnknown {
                host: confirm.host().to_owned(),
            },
            Step::Preview(preview) => {
                let data = preview.data(&self.core.preferred_locales());
                match &data.tx_code {
                    Some(prompt) if data.code_missing => IssuanceState::TxCodeRequired {
                        prompt: prompt.into(),
                    },
                    _ => IssuanceState::OfferResolved { offer: data.into() },
                }
            }
            Step::Authorize(authorize) => IssuanceState::AuthorizationRequired {
                url: authorize.url().to_string(),
            },
            Step::Done(added) => return self.finish(added),
        };
        After {
            waiting: Some(step),
            state,
            result: Ok(()),
        }
    }

    fn finish(&self, added: &Added) -> After<Step, IssuanceState> {
        let credentials: Vec<CredentialId> = added.cards.iter().map(CredentialId::from).collect();
        let pending = added.pending.iter().map(PendingId::from);
        for credential in &credentials {
            self.machine.show(IssuanceState::CredentialIssued {
                credential: credential.clone(),
            });
        }
        After {
            waiting: None,
            state: IssuanceState::Completed {
                credentials,
                pending: pending.collect(),
            },
            result: Ok(()),
        }
    }
}

fn failed(error: WalletError) -> After<Step, IssuanceState> {
    After {
        waiting: None,
        state: IssuanceState::Failed {
            error: error.clone(),
        },
        result: Err(error),
    }
}

//! Adding a card.

use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::issuance::Step;

use crate::error::BindingError;
use crate::model::{Request, Response};

/// Where an offer stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum OfferState {
    /// A request to send.
    Send {
        /// The request.
        request: Request,
    },
    /// Whether to deal with an unknown issuer at this host.
    ConfirmIssuer {
        /// Its host.
        host: String,
    },
    /// Whether to add these cards.
    Preview {
        /// Who offers, in their own words.
        issuer: String,
        /// Their host.
        host: String,
        /// Names of the cards.
        cards: Vec<String>,
        /// Whether a one-time code has to be typed.
        needs_code: bool,
    },
    /// The person signs in at this address; then call `complete`.
    Authorize {
        /// The address.
        url: String,
    },
    /// These cards are in the wallet.
    Done {
        /// Their ids.
        cards: Vec<String>,
    },
    /// The session has ended.
    Ended,
}

/// Adding a card.
#[derive(uniffi::Object)]
pub struct OfferSession {
    locale: String,
    step: Mutex<Option<Step>>,
}

#[uniffi::export]
impl OfferSession {
    /// Where it stands.
    pub fn state(&self) -> OfferState {
        let step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        match step.as_ref() {
            None => OfferState::Ended,
            Some(Step::Send(exchange)) => OfferState::Send {
                request: exchange.request().into(),
            },
            Some(Step::ConfirmIssuer(confirm)) => OfferState::ConfirmIssuer {
                host: confirm.host().to_owned(),
            },
            Some(Step::Preview(preview)) => {
                let data = preview.data(&[&self.locale]);
                OfferState::Preview {
                    issuer: data.issuer.to_string(),
                    host: data.host,
                    cards: data
                        .cards
                        .iter()
                        .map(|card| card.title.to_string())
                        .collect(),
                    needs_code: data.tx_code.is_some(),
                }
            }
            Some(Step::Authorize(authorize)) => OfferState::Authorize {
                url: authorize.url().to_string(),
            },
            Some(Step::Done(added)) => OfferState::Done {
                cards: added.cards.iter().map(ToString::to_string).collect(),
            },
        }
    }

    /// Gives the answer to the request of [`OfferState::Send`].
    pub async fn receive(&self, response: Response) -> Result<(), BindingError> {
        match self.take()? {
            Step::Send(exchange) => self.put(exchange.receive(&response.into()).await),
            other => self.wrong(other),
        }
    }

    /// Says yes to [`OfferState::ConfirmIssuer`] or [`OfferState::Preview`].
    pub async fn accept(&self, code: Option<String>) -> Result<(), BindingError> {
        match self.take()? {
            Step::ConfirmIssuer(confirm) => self.put(confirm.confirm().await),
            Step::Preview(preview) => self.put(preview.accept(code.as_deref()).await),
            other => self.wrong(other),
        }
    }

    /// Says no.
    pub fn decline(&self) -> Result<(), BindingError> {
        match self.take()? {
            Step::ConfirmIssuer(confirm) => Ok(confirm.decline()?),
            Step::Preview(preview) => Ok(preview.decline()?),
            Step::Authorize(authorize) => Ok(authorize.cancel()?),
            other => self.wrong(other),
        }
    }

    /// Gives the query with which the browser came back.
    pub async fn complete(&self, query: String) -> Result<(), BindingError> {
        match self.take()? {
            Step::Authorize(authorize) => self.put(authorize.complete(&query).await),
            other => self.wrong(other),
        }
    }
}

impl OfferSession {
    pub(crate) fn start(locale: String, step: Step) -> Arc<Self> {
        Arc::new(Self {
            locale,
            step: Mutex::new(Some(step)),
        })
    }

    fn take(&self) -> Result<Step, BindingError> {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        step.take().ok_or(BindingError::WrongState)
    }

    fn put(&self, next: Result<Step, WalletError>) -> Result<(), BindingError> {
        *self.step.lock().unwrap_or_else(PoisonError::into_inner) = Some(next?);
        Ok(())
    }

    fn wrong(&self, step: Step) -> Result<(), BindingError> {
        self.put(Ok(step))?;
        Err(BindingError::WrongState)
    }
}

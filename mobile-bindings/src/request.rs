//! Showing a card.

use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::consent::{Pick, Selection};
use vouchsafe_wallet_core::credential::CredentialId;
use vouchsafe_wallet_core::presentation::{Asking, Fetching, Submitting};

use crate::error::BindingError;
use crate::model::{ConsentRecord, Request, Response};

enum Showing {
    Fetching(Fetching),
    Asking(Asking),
    Submitting(Submitting),
}

/// Showing a card.
#[derive(uniffi::Object)]
pub struct RequestSession {
    locale: String,
    state: Mutex<Option<Showing>>,
}

#[uniffi::export]
impl RequestSession {
    /// The request to send now; `None` when the person is to decide, or it is over.
    pub fn outgoing(&self) -> Option<Request> {
        match self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            Some(Showing::Fetching(fetching)) => Some(fetching.request().into()),
            Some(Showing::Submitting(submitting)) => Some(submitting.request().into()),
            Some(Showing::Asking(_)) | None => None,
        }
    }

    /// What the person is asked, once the request was verified.
    pub fn consent(&self) -> Option<ConsentRecord> {
        match self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            Some(Showing::Asking(asking)) => Some((&asking.consent(&[&self.locale])).into()),
            Some(Showing::Fetching(_) | Showing::Submitting(_)) | None => None,
        }
    }

    /// Gives the answer to [`RequestSession::outgoing`]. At the end: the
    /// address to open in the browser, where there is one.
    pub fn receive(&self, response: Response) -> Result<Option<String>, BindingError> {
        match self.take()? {
            Showing::Fetching(fetching) => {
                let asking = fetching
                    .receive(&response.into())
                    .map_err(|refused| refused.error)?;
                self.put(Showing::Asking(asking));
                Ok(None)
            }
            Showing::Submitting(submitting) => {
                let presented = submitting.receive(&response.into())?;
                Ok(presented.redirect_uri.map(|url| url.to_string()))
            }
            asking @ Showing::Asking(_) => {
                self.put(asking);
                Err(BindingError::WrongState)
            }
        }
    }

    /// Shows the cards: pairs of question and card as in the consent.
    pub async fn respond(
        &self,
        questions: Vec<String>,
        cards: Vec<String>,
    ) -> Result<(), BindingError> {
        let mut picks = Vec::new();
        for (question, card) in questions.into_iter().zip(&cards) {
            let credential = CredentialId::parse(card).map_err(WalletError::from)?;
            picks.push(Pick {
                question,
                credential,
            });
        }
        match self.take()? {
            Showing::Asking(asking) => match asking.respond(&Selection { picks }).await {
                Ok(submitting) => {
                    self.put(Showing::Submitting(submitting));
                    Ok(())
                }
                Err(unanswered) => {
                    if let Some(session) = unanswered.session {
                        self.put(Showing::Asking(session));
                    }
                    Err(unanswered.error.into())
                }
            },
            other => {
                self.put(other);
                Err(BindingError::WrongState)
            }
        }
    }

    /// Says no; the request tells the other side and may be sent.
    pub fn decline(&self) -> Result<Request, BindingError> {
        match self.take()? {
            Showing::Asking(asking) => Ok(asking.decline()?.request().into()),
            other => {
                self.put(other);
                Err(BindingError::WrongState)
            }
        }
    }
}

impl RequestSession {
    pub(crate) fn start(locale: String, fetching: Fetching) -> Arc<Self> {
        Arc::new(Self {
            locale,
            state: Mutex::new(Some(Showing::Fetching(fetching))),
        })
    }

    fn take(&self) -> Result<Showing, BindingError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.take().ok_or(BindingError::WrongState)
    }

    fn put(&self, showing: Showing) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(showing);
    }
}

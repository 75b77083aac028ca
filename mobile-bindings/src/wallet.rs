//! The wallet and its sessions, as objects for Kotlin and Swift.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::sd_jwt_vc::IssuerMethod;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_wallet_core::consent::{Pick, Selection};
use vouchsafe_wallet_core::credential::CredentialId;
use vouchsafe_wallet_core::issuance::Step;
use vouchsafe_wallet_core::presentation::{Asking, Fetching, Submitting};
use vouchsafe_wallet_core::storage::file::FileStorage;
use vouchsafe_wallet_core::storage::{KdfParams, StorageError};
use vouchsafe_wallet_core::trust::{KnownIssuer, TrustList, UnknownIssuers};
use vouchsafe_wallet_core::wallet::{Config, Ports};
use vouchsafe_wallet_core::{Wallet, WalletError};

use crate::model::{CardRecord, ConsentRecord, HistoryRecord, Request, Response};
use crate::platform::{SystemClock, SystemRandom};

/// Why something did not work: a stable code, also a key for texts, and the
/// party at fault (`person`, `issuer`, `verifier`, `network`, `wallet`, `host`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum BindingError {
    /// The wallet says no.
    #[error("{code} ({fault})")]
    Wallet {
        /// Stable code.
        code: String,
        /// Party at fault.
        fault: String,
    },
    /// The method does not belong to the state of the session.
    #[error("the session is in another state")]
    WrongState,
    /// A certificate or an address in the settings is not readable.
    #[error("the settings are not readable")]
    Settings,
}

impl From<WalletError> for BindingError {
    fn from(error: WalletError) -> Self {
        Self::Wallet {
            code: error.code().to_owned(),
            fault: error.fault().as_str().to_owned(),
        }
    }
}

/// Whom the wallet believes.
#[derive(Debug, Clone, uniffi::Record)]
pub struct TrustInput {
    /// Identifier of an issuer that needs no further question, with the PEM
    /// certificates of its authority; empty for none.
    pub issuer: String,
    /// PEM certificates of that issuer's authority.
    pub issuer_anchors: String,
    /// PEM certificates of the authorities that name verifiers; empty for none.
    pub verifier_anchors: String,
}

/// A wallet in a folder of the app.
#[derive(uniffi::Object)]
pub struct MobileWallet {
    wallet: Wallet,
    locale: String,
}

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
impl MobileWallet {
    /// Makes a wallet in an empty folder. Takes a good part of a second.
    #[uniffi::constructor]
    pub fn create(
        folder: String,
        passphrase: String,
        locale: String,
        trust: TrustInput,
    ) -> Result<Arc<Self>, BindingError> {
        let (config, ports) = prepare(&folder, &locale, &trust)?;
        let wallet = Wallet::create(config, ports, &passphrase, KdfParams::RECOMMENDED)?;
        Ok(Arc::new(Self { wallet, locale }))
    }

    /// Opens the wallet in a folder.
    #[uniffi::constructor]
    pub async fn open(
        folder: String,
        passphrase: String,
        locale: String,
        trust: TrustInput,
    ) -> Result<Arc<Self>, BindingError> {
        let (config, ports) = prepare(&folder, &locale, &trust)?;
        let wallet = Wallet::open(config, ports, &passphrase).await?;
        Ok(Arc::new(Self { wallet, locale }))
    }

    /// The cards, the latest first.
    pub fn cards(&self) -> Result<Vec<CardRecord>, BindingError> {
        Ok(self
            .wallet
            .cards(&[&self.locale])?
            .into_iter()
            .map(CardRecord::from)
            .collect())
    }

    /// Deletes a card and destroys its keys.
    pub async fn delete(&self, card: String) -> Result<(), BindingError> {
        let id = CredentialId::parse(&card).map_err(WalletError::from)?;
        Ok(self.wallet.delete(&id).await?)
    }

    /// What happened, the latest first.
    pub fn history(&self) -> Result<Vec<HistoryRecord>, BindingError> {
        Ok(self
            .wallet
            .history()?
            .into_iter()
            .map(HistoryRecord::from)
            .collect())
    }

    /// Starts to add the cards of an offer.
    pub fn offer(&self, link: String) -> Result<Arc<OfferSession>, BindingError> {
        let step = self.wallet.add(&link)?;
        Ok(Arc::new(OfferSession {
            locale: self.locale.clone(),
            step: Mutex::new(Some(step)),
        }))
    }

    /// Starts to answer a question.
    pub fn request(&self, link: String) -> Result<Arc<RequestSession>, BindingError> {
        let fetching = Showing::Fetching(self.wallet.present(&link)?);
        let state = Mutex::new(Some(fetching));
        Ok(Arc::new(RequestSession {
            locale: self.locale.clone(),
            state,
        }))
    }
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
    fn take(&self) -> Result<Showing, BindingError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.take().ok_or(BindingError::WrongState)
    }

    fn put(&self, showing: Showing) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(showing);
    }
}

fn prepare(
    folder: &str,
    locale: &str,
    trust: &TrustInput,
) -> Result<(Config, Ports), BindingError> {
    let storage = FileStorage::open(Path::new(folder)).map_err(storage_error)?;
    let ports = Ports {
        storage: Arc::new(storage),
        clock: Arc::new(SystemClock),
        rng: Arc::new(SystemRandom),
        crypto: Arc::new(Portable),
        secure_area: None,
    };
    let config = Config {
        trust: trust_list(trust)?,
        urls: UrlRule::PublicHttps,
        locales: vec![locale.to_owned()],
        redirect_uri: "https://wallet.vouchsafe.example/callback"
            .parse()
            .map_err(|_| BindingError::Settings)?,
        client_id: "vouchsafe-wallet".to_owned(),
        batch_size: 10,
    };
    Ok((config, ports))
}

fn storage_error(error: StorageError) -> BindingError {
    WalletError::from(error).into()
}

fn trust_list(input: &TrustInput) -> Result<TrustList, BindingError> {
    let anchors = |role, pem: &str| {
        let mut anchors = TrustAnchors::new(role);
        if !pem.is_empty() {
            anchors.add_pem(pem).map_err(|_| BindingError::Settings)?;
        }
        Ok::<TrustAnchors, BindingError>(anchors)
    };
    let mut issuers = Vec::new();
    if !input.issuer.is_empty() {
        issuers.push(KnownIssuer {
            credential_issuer: input.issuer.clone(),
            method: IssuerMethod::X509 {
                anchors: Arc::new(anchors(Role::Issuer, &input.issuer_anchors)?),
                subject: None,
            },
            types: Vec::new(),
        });
    }
    Ok(TrustList {
        issuers,
        verifiers: anchors(Role::VerifierAccess, &input.verifier_anchors)?,
        unknown_issuers: UnknownIssuers::Ask,
    })
}

//! Showing a card.

use std::sync::Arc;

use vouchsafe_protocol::http::HttpRequest as CoreRequest;
use vouchsafe_wallet_core::Wallet as Core;
use vouchsafe_wallet_core::consent::Selection as CoreSelection;
use vouchsafe_wallet_core::presentation::{
    Asking, Fetching, PageAnswer as CoreAnswer, PageAsking, PresentationError, Submitting,
};

use crate::error::WalletError;
use crate::machine::{After, Machine, SessionListener};
use crate::ports::http::HttpTransport;
use crate::values::request::{PresentationRequest, Selection};

/// Showing cards.
#[derive(uniffi::Object)]
pub struct Presentation {
    pub(crate) core: Core,
    pub(crate) http: Arc<dyn HttpTransport>,
}

#[uniffi::export]
impl Presentation {
    /// Reads a link (`openid4vp`, `haip-vp`), or the text of a QR code. Nothing is sent before
    /// [`PresentationSession::resolve`].
    pub fn start(&self, link: String) -> Result<Arc<PresentationSession>, WalletError> {
        let fetching = self.core.present(&link)?;
        let state = PresentationState::ResolvingRequest;
        Ok(self.session(Waiting::Fetching(Box::new(fetching)), state))
    }

    /// Takes a request of a web page that the browser passes on (Digital Credentials API): its
    /// `protocol` and `data` as JSON, and the origin of the page, which the browser vouches for.
    /// The session starts with `RequestResolved`.
    pub fn start_for_page(
        &self,
        origin: String,
        protocol: String,
        data: String,
    ) -> Result<Arc<PresentationSession>, WalletError> {
        let data = serde_json::from_str(&data)
            .map_err(|_| WalletError::setting("setting_page_request"))?;
        let asking = self.core.present_to_page(&origin, &protocol, &data);
        let asking = asking.map_err(|refused| refused.error)?;
        let request = (&asking.consent(&self.core.preferred_locales())).into();
        let state = PresentationState::RequestResolved { request };
        Ok(self.session(Waiting::Page(Box::new(asking)), state))
    }
}

impl Presentation {
    fn session(&self, waiting: Waiting, state: PresentationState) -> Arc<PresentationSession> {
        Arc::new(PresentationSession {
            core: self.core.clone(),
            http: Arc::clone(&self.http),
            machine: Machine::new(waiting, state, || PresentationState::Canceled),
        })
    }
}

/// Where a [`PresentationSession`] stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum PresentationState {
    /// The request is fetched and checked; see [`PresentationSession::resolve`].
    ResolvingRequest,
    /// Who asks for what: `respond` or `decline`.
    RequestResolved {
        /// The request.
        request: PresentationRequest,
    },
    /// The answer, or the no, is on its way.
    Submitting,
    /// The end: the cards were shown.
    Completed {
        /// Where the browser of the person is to be sent. Carries a one-time code.
        redirect_uri: Option<String>,
        /// What the app gives to the browser, where a page asked.
        page_answer: Option<PageAnswer>,
    },
    /// The end: the person said no.
    Declined {
        /// Where the browser of the person is to be sent.
        redirect_uri: Option<String>,
        /// What the app may give to the browser, where a page asked.
        page_answer: Option<PageAnswer>,
    },
    /// The end: the session was cancelled. Whether an answer left stands in the history.
    Canceled,
    /// The end: no card was shown, or it is not known whether one was.
    Failed {
        /// Why.
        error: WalletError,
        /// Whether the verifier could be told (`notifyVerifier`). That there is no card says
        /// something about the person: the app asks them first.
        can_notify: bool,
    },
}

/// What goes back to a page through the browser.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct PageAnswer {
    /// `protocol` of the `DigitalCredential`.
    pub protocol: String,
    /// Its `data`, as JSON.
    pub data: String,
}

/// Shows no part of the answer.
impl std::fmt::Debug for PageAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageAnswer(..)")
    }
}

enum Waiting {
    Fetching(Box<Fetching>),
    Asking(Box<Asking>),
    Page(Box<PageAsking>),
    /// The session has ended; this would tell the verifier.
    Notice(Box<CoreRequest>),
}

type Afterwards = After<Waiting, PresentationState>;

/// Answering one request.
#[derive(uniffi::Object)]
pub struct PresentationSession {
    core: Core,
    http: Arc<dyn HttpTransport>,
    machine: Machine<Waiting, PresentationState>,
}

#[uniffi::export]
impl PresentationSession {
    /// Where it stands.
    pub fn state(&self) -> PresentationState {
        self.machine.state()
    }

    /// Who is told of changes; none: nobody any more.
    pub fn set_listener(&self, listener: Option<Arc<dyn SessionListener>>) {
        self.machine.listen(listener);
    }

    /// Fetches the request and checks who asks.
    pub async fn resolve(&self) -> Result<(), WalletError> {
        let fits = |waiting: &Waiting| matches!(waiting, Waiting::Fetching(_));
        let work = async |waiting| match waiting {
            Waiting::Fetching(fetching) => self.fetch(*fetching).await,
            _ => misfit(),
        };
        let busy = PresentationState::ResolvingRequest;
        self.machine.run(busy, fits, work).await
    }

    /// Shows the chosen cards: exactly the facts that the request listed for them leave. A choice
    /// that leaves something open fails with `selection_incomplete`, and the person may choose
    /// again.
    pub async fn respond(&self, selection: Selection) -> Result<(), WalletError> {
        let selection = selection.to_core()?;
        let work = async |waiting| match waiting {
            Waiting::Asking(asking) => self.answer(*asking, &selection).await,
            Waiting::Page(asking) => self.answer_page(*asking, &selection).await,
            _ => misfit(),
        };
        let busy = PresentationState::Submitting;
        self.machine.run(busy, is_asking, work).await
    }

    /// Says no, and tells the verifier. That it cannot be told changes nothing.
    pub async fn decline(&self) -> Result<(), WalletError> {
        let work = async |waiting| match waiting {
            Waiting::Asking(asking) => self.refuse(*asking).await,
            Waiting::Page(asking) => match asking.decline() {
                Ok(answer) => declined(None, Some(answer.into())),
                Err(error) => failed(error.into(), None),
            },
            _ => misfit(),
        };
        let busy = PresentationState::Submitting;
        self.machine.run(busy, is_asking, work).await
    }

    /// Tells the verifier of a failed request that there will be no answer; see
    /// [`PresentationState::Failed`].
    pub async fn notify_verifier(&self) -> Result<(), WalletError> {
        let PresentationState::Failed { error, .. } = self.state() else {
            return Err(WalletError::wrong_state());
        };
        let ended = PresentationState::Failed {
            error,
            can_notify: false,
        };
        let shown = ended.clone();
        let work = async |waiting| match waiting {
            Waiting::Notice(request) => {
                let sent = self.http.send((&*request).into()).await;
                After {
                    waiting: None,
                    state: ended,
                    result: sent.map(|_| ()).map_err(|_| unreachable()),
                }
            }
            _ => misfit(),
        };
        let fits = |waiting: &Waiting| matches!(waiting, Waiting::Notice(_));
        self.machine.run(shown, fits, work).await
    }

    /// Gives up without telling anybody, also in the middle of a call; that call then fails with
    /// `canceled`. Does nothing after the end.
    pub fn cancel(&self) {
        if !matches!(self.state(), PresentationState::Failed { .. }) {
            drop(self.machine.cancel());
        }
    }
}

impl PresentationSession {
    async fn fetch(&self, fetching: Fetching) -> Afterwards {
        let reply = match self.http.send(fetching.request().into()).await {
            Ok(reply) => reply,
            Err(_) => return failed(fetching.unreachable().into(), None),
        };
        let refused = match fetching.receive(&reply.into()) {
            Ok(asking) => return self.ask(Waiting::Asking(Box::new(asking)), Ok(())),
            Err(refused) => *refused,
        };
        let error = WalletError::from(refused.error);
        match refused.notify {
            Some(request) if refused.ask_first => failed(error, Some(request)),
            Some(request) => {
                // They proved who they are and erred: that they hear of it is a courtesy.
                let _ = self.http.send((&request).into()).await;
                failed(error, None)
            }
            None => failed(error, None),
        }
    }

    async fn answer(&self, asking: Asking, selection: &CoreSelection) -> Afterwards {
        match asking.respond(selection).await {
            Ok(submitting) => self.submit(submitting).await,
            Err(unanswered) => {
                let session = unanswered.session.map(|s| Waiting::Asking(Box::new(s)));
                self.again(unanswered.error.into(), session)
            }
        }
    }

    async fn answer_page(&self, asking: PageAsking, selection: &CoreSelection) -> Afterwards {
        match asking.respond(selection).await {
            Ok(answer) => completed(None, Some(answer.into())),
            Err(unanswered) => {
                let session = unanswered.session.map(|s| Waiting::Page(Box::new(s)));
                self.again(unanswered.error.into(), session)
            }
        }
    }

    async fn submit(&self, submitting: Submitting) -> Afterwards {
        let Ok(reply) = self.http.send(submitting.request().into()).await else {
            // It may have arrived: the history says so.
            return failed(unreachable(), None);
        };
        match submitting.receive(&reply.into()) {
            Ok(presented) => completed(presented.redirect_uri.map(|url| url.to_string()), None),
            Err(error) => failed(error.into(), None),
        }
    }

    async fn refuse(&self, asking: Asking) -> Afterwards {
        let declining = match asking.decline() {
            Ok(declining) => declining,
            Err(error) => return failed(error.into(), None),
        };
        let reply = self.http.send(declining.request().into()).await;
        let told = reply.ok();
        let told = told.and_then(|reply| declining.receive(&reply.into()).ok());
        let uri = told.and_then(|told| told.redirect_uri);
        declined(uri.map(|url| url.to_string()), None)
    }

    fn ask(&self, waiting: Waiting, result: Result<(), WalletError>) -> Afterwards {
        let locales = self.core.preferred_locales();
        let consent = match &waiting {
            Waiting::Asking(asking) => asking.consent(&locales),
            Waiting::Page(asking) => asking.consent(&locales),
            Waiting::Fetching(_) | Waiting::Notice(_) => return misfit(),
        };
        After {
            waiting: Some(waiting),
            state: PresentationState::RequestResolved {
                request: (&consent).into(),
            },
            result,
        }
    }

    /// After a failed answer: the question once more, where it may be answered still.
    fn again(&self, error: WalletError, session: Option<Waiting>) -> Afterwards {
        match session {
            Some(waiting) => self.ask(waiting, Err(error)),
            None => failed(error, None),
        }
    }
}

impl From<CoreAnswer> for PageAnswer {
    fn from(answer: CoreAnswer) -> Self {
        Self {
            protocol: answer.protocol.to_owned(),
            data: answer.data.to_string(),
        }
    }
}

fn is_asking(waiting: &Waiting) -> bool {
    matches!(waiting, Waiting::Asking(_) | Waiting::Page(_))
}

fn unreachable() -> WalletError {
    vouchsafe_wallet_core::WalletError::from(PresentationError::Unreachable).into()
}

fn completed(redirect_uri: Option<String>, page_answer: Option<PageAnswer>) -> Afterwards {
    ended(PresentationState::Completed {
        redirect_uri,
        page_answer,
    })
}

fn declined(redirect_uri: Option<String>, page_answer: Option<PageAnswer>) -> Afterwards {
    ended(PresentationState::Declined {
        redirect_uri,
        page_answer,
    })
}

fn ended(state: PresentationState) -> Afterwards {
    After {
        waiting: None,
        state,
        result: Ok(()),
    }
}

fn failed(error: WalletError, notice: Option<CoreRequest>) -> Afterwards {
    After {
        state: PresentationState::Failed {
            error: error.clone(),
            can_notify: notice.is_some(),
        },
        waiting: notice.map(|request| Waiting::Notice(Box::new(request))),
        result: Err(error),
    }
}

/// Only what fits a call reaches it.
fn misfit() -> Afterwards {
    failed(WalletError::wrong_state(), None)
}

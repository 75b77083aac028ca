//! A scripted person's wallet: wallet-core in memory, the guarded fetcher as
//! its way out. It agrees to whatever it is asked.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::fetch::{Fetcher, Limits, Request};
use vouchsafe_service::random::OsRandom;
use vouchsafe_wallet_core::Wallet as Core;
use vouchsafe_wallet_core::attestation::Attestations;
use vouchsafe_wallet_core::consent::ConsentRequest;
use vouchsafe_wallet_core::history::{HistoryEntry, HistoryId};
use vouchsafe_wallet_core::issuance::{Added, Authorize, Step};
use vouchsafe_wallet_core::secure_area::SecureArea;
use vouchsafe_wallet_core::status::StatusStep;
use vouchsafe_wallet_core::storage::{KdfParams, MemoryStorage};
use vouchsafe_wallet_core::wallet::{Config, Ports};

use crate::phone::Hardware;

/// A wallet of one person.
#[derive(Clone)]
pub struct Wallet {
    core: Core,
    fetcher: Fetcher,
}

/// A login that the wallet answered.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Where the person's browser is to go.
    pub redirect_uri: Url,
    /// The entry in the history.
    pub history: HistoryId,
    /// Names of what stayed with the person.
    pub kept: Vec<String>,
    /// The answer as it was sent, to be sent again by those who lie.
    pub request: HttpRequest,
}

/// What a verifier said to an answer or a refusal.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The wallet's own error code.
    pub code: String,
    /// `reason` in the verifier's reply, where there was one.
    pub reason: Option<String>,
}

impl Wallet {
    /// A new wallet.
    pub fn new(config: Config, fetcher: Fetcher) -> Result<Self> {
        Self::with_keys(config, fetcher, None)
    }

    /// A new wallet whose keys are in hardware, and stay there.
    pub fn phone(config: Config, fetcher: Fetcher) -> Result<Self> {
        Self::with_keys(config, fetcher, Some(Arc::new(Hardware::new()?)))
    }

    fn with_keys(
        config: Config,
        fetcher: Fetcher,
        secure_area: Option<Arc<dyn SecureArea>>,
    ) -> Result<Self> {
        let ports = Ports {
            storage: Arc::new(MemoryStorage::new()),
            clock: Arc::new(SystemClock),
            rng: Arc::new(OsRandom),
            crypto: Arc::new(Portable),
            secure_area,
            attestations: Attestations::default(),
        };
        let core = Core::create(config, ports, "a passphrase of tests", KdfParams::MINIMUM)?;
        Ok(Self { core, fetcher })
    }

    /// The wallet itself.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Sends a request of the wallet.
    pub async fn send(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers.iter() {
            if name != "content-type" {
                headers.append(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
            }
        }
        let kind = match request.headers.get("content-type") {
            None => None,
            Some("application/json") => Some("application/json"),
            Some("application/x-www-form-urlencoded") => Some("application/x-www-form-urlencoded"),
            Some("application/jwt") => Some("application/jwt"),
            Some(other) => bail!("a wallet sends no {other}"),
        };
        let response = self
            .fetcher
            .send(Request {
                method: match request.method {
                    Method::Get => reqwest::Method::GET,
                    Method::Post => reqwest::Method::POST,
                    Method::Delete => reqwest::Method::DELETE,
                },
                url: request.url.as_str(),
                headers,
                body: kind.map(|kind| (request.body.clone(), kind)),
                limits: Limits::EXCHANGE,
            })
            .await?;
        Ok(HttpResponse {
            status: response.status,
            headers: response
                .headers
                .iter()
                .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
                .collect(),
            body: response.body,
        })
    }

    async fn drive(&self, mut step: Step) -> Result<Step> {
        while let Step::Send(exchange) = step {
            step = match self.send(exchange.request()).await {
                Ok(response) => exchange.receive(&response).await?,
                Err(error) => {
                    exchange.unreachable().await;
                    return Err(error);
                }
            };
        }
        Ok(step)
    }

    /// Adds the offered cards.
    pub async fn take(&self, link: &str, tx_code: Option<&str>) -> Result<Added> {
        match self.accept(link, tx_code).await? {
            Step::Done(added) => Ok(added),
            other => bail!("the wallet waits: {other:?}"),
        }
    }

    /// Agrees to an offer for which the person signs in at the issuer.
    pub async fn sign_in(&self, link: &str) -> Result<Authorize> {
        match self.accept(link, None).await? {
            Step::Authorize(authorize) => Ok(authorize),
            other => bail!("no sign-in is wanted: {other:?}"),
        }
    }

    /// Goes on after the person signed in.
    pub async fn come_back(&self, authorize: Authorize, back: &Url) -> Result<Added> {
        let step = authorize
            .complete(back.query().context("no answer")?)
            .await?;
        match self.drive(step).await? {
            Step::Done(added) => Ok(added),
            other => bail!("the wallet waits: {other:?}"),
        }
    }

    async fn accept(&self, link: &str, tx_code: Option<&str>) -> Result<Step> {
        let Step::Preview(preview) = self.drive(self.core.add(link)?).await? else {
            bail!("no preview");
        };
        self.drive(preview.accept(tx_code).await?).await
    }

    /// Answers a presentation request with the suggested card.
    pub async fn show(&self, link: &str) -> Result<Shown> {
        self.answer(link).await?.map_err(|refusal| {
            anyhow!(
                "the card was refused: {} {:?}",
                refusal.code,
                refusal.reason
            )
        })
    }

    /// Answers a request that is expected to be refused.
    pub async fn refused(&self, link: &str) -> Result<Refusal> {
        match self.answer(link).await? {
            Ok(_) => bail!("the card was accepted"),
            Err(refusal) => Ok(refusal),
        }
    }

    /// The answer to a request, not sent yet.
    pub async fn prepared(&self, link: &str) -> Result<HttpRequest> {
        let fetching = self.core.present(link)?;
        let response = self.send(fetching.request()).await?;
        let asking = fetching.receive(&response)?;
        let suggested = asking.consent(&["en"]).suggested;
        Ok(asking.respond(&suggested).await?.request().clone())
    }

    async fn answer(&self, link: &str) -> Result<std::result::Result<Shown, Refusal>> {
        let asking = match self.core.present_by_value(link) {
            Some(asking) => asking,
            None => {
                let fetching = self.core.present(link)?;
                let response = self.send(fetching.request()).await?;
                fetching.receive(&response)
            }
        };
        let asking = match asking {
            Ok(asking) => asking,
            Err(refused) => {
                let told = match &refused.notify {
                    Some(request) => Some(self.send(request).await?),
                    None => None,
                };
                return Ok(Err(Refusal {
                    code: refused.error.code().to_owned(),
                    reason: told.and_then(|told| reason(&told)),
                }));
            }
        };
        let consent = asking.consent(&["en"]);
        let options = consent.suggested.picks.iter();
        let kept = options
            .filter_map(|pick| consent.option(pick))
            .flat_map(|option| option.keeps.iter().map(ToString::to_string))
            .collect();
        let submitting = asking.respond(&consent.suggested).await?;
        let request = submitting.request().clone();
        let response = self.send(&request).await?;
        match submitting.receive(&response) {
            Ok(presented) => Ok(Ok(Shown {
                redirect_uri: presented.redirect_uri.context("the answer leads nowhere")?,
                history: presented.history,
                kept,
                request,
            })),
            Err(error) => Ok(Err(Refusal {
                code: error.code().to_owned(),
                reason: reason(&response),
            })),
        }
    }

    /// Asks the status lists that are due, as when the person looks at the cards, and says how many.
    pub async fn ask_statuses(&self) -> Result<usize> {
        let due = self.core.status_lists_due()?;
        let count = due.len();
        for mut fetch in due {
            loop {
                let response = self.send(fetch.request()).await?;
                match fetch.receive(&response)? {
                    StatusStep::Send(next) => fetch = next,
                    StatusStep::Done => break,
                }
            }
        }
        Ok(count)
    }

    /// What the person is asked before a card is shown.
    pub async fn question(&self, link: &str) -> Result<ConsentRequest> {
        let fetching = self.core.present(link)?;
        let response = self.send(fetching.request()).await?;
        Ok(fetching.receive(&response)?.consent(&["en"]))
    }

    /// What happened, the latest first.
    pub fn history(&self) -> Result<Vec<HistoryEntry>> {
        Ok(self.core.history()?)
    }

    /// Withdraws the consent given with an entry of the history.
    pub async fn withdraw(&self, entry: &HistoryId) -> Result<HistoryEntry> {
        let withdrawal = self.core.withdraw(entry)?;
        let response = self.send(withdrawal.request()).await?;
        Ok(withdrawal.receive(&response)?)
    }
}

/// `reason` of a verifier's reply.
fn reason(response: &HttpResponse) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(&response.body).ok()?;
    value["reason"].as_str().map(str::to_owned)
}

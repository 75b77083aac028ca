//! Cards that come later (OpenID4VCI 1.0, section 9).

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_protocol::vci::encryption_of_wallet::{Offered, ResponseKey};
use vouchsafe_protocol::vci::error::CredentialErrorCode;
use vouchsafe_protocol::vci::received::{Deferred, Received};
use vouchsafe_protocol::vci::response::{ReceivedCredentials, ResponseError};

use super::client::Client;
use super::exchange::{MAX_WAIT, Next, Stage};
use super::goal::{self, Goal};
use super::keep::{Kept, keep};
use super::readied::Readied;
use super::records::{self, Access, Waiting};
use super::request::sealed_post;
use super::session::Session;
use super::sweep::sweep;
use super::{Added, IssuanceError, Step};
use crate::WalletError;
use crate::error::CredentialError;
use crate::history::Outcome;
use crate::storage::{RecordId, VaultBatch};
use crate::text::PlainText;
use crate::wallet::{Wallet, issuer_host};

/// How often a request is repeated with another nonce.
const MAX_REPEATS: u8 = 4;
/// When to ask again after an answer that says nothing, in seconds.
const AFTER_ERROR: i64 = 60;

/// Names a card that comes later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PendingId(String);

impl PendingId {
    /// Parses a name as [`PendingId::as_str`] wrote it.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        RecordId::parse(text).map_err(|_| CredentialError::Unknown)?;
        match text.len() {
            0..=62 => Ok(Self(text.to_owned())),
            _ => Err(CredentialError::Unknown),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn of(id: String) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for PendingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A card that comes later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Its name.
    pub id: PendingId,
    /// What the card is called.
    pub title: PlainText,
    /// Who issues it.
    pub issuer: PlainText,
    /// The issuer's host.
    pub host: String,
    /// Since when it is waited for.
    pub since: UnixTime,
    /// From when it may be asked for again.
    pub not_before: UnixTime,
}

impl Pending {
    pub(super) fn of(id: String, waiting: Waiting, access: Option<&Access>) -> Self {
        let host = access.map(|access| issuer_host(&access.credential_issuer));
        Self {
            id: PendingId(id),
            title: waiting.title,
            issuer: waiting.issuer,
            host: host.unwrap_or_default(),
            since: waiting.since,
            not_before: waiting.not_before,
        }
    }
}

/// The cards that come later, the oldest first.
pub(crate) fn pending(wallet: &Wallet) -> Result<Vec<Pending>, WalletError> {
    let mut list = Vec::new();
    for (id, waiting) in records::all::<Waiting>(wallet.vault())? {
        let access = records::get::<Access>(wallet.vault(), waiting.access.as_str())?;
        list.push(Pending::of(id, waiting, access.as_ref()));
    }
    list.sort_by_key(|pending| pending.since);
    Ok(list)
}

/// Asks for a card that was to come later.
pub(crate) fn resume(wallet: Wallet, id: &PendingId) -> Result<Step, WalletError> {
    let (waiting, access) = load(&wallet, id)?;
    let seconds = waiting.not_before.since(wallet.now());
    if seconds > MAX_WAIT {
        return Err(IssuanceError::Busy { seconds }.into());
    }
    let issuer = access.credential_issuer.clone();
    let configurations = vec![waiting.configuration.clone()];
    let goal = Goal::Resume(id.0.clone(), Box::new(waiting), Box::new(access));
    goal::begin(wallet, goal, &issuer, configurations)
}

/// Gives a card up that was to come later.
pub(crate) async fn forget(wallet: &Wallet, id: &PendingId) -> Result<(), WalletError> {
    let (waiting, _) = load(wallet, id)?;
    wallet.index().give_up_keys(waiting.key_ids())?;
    let batch = records::remove::<Waiting>(VaultBatch::new(), &id.0);
    wallet.vault().commit(batch)?;
    for key in waiting.key_ids() {
        wallet.secure_area().delete_key(key).await?;
    }
    sweep(wallet)
}

fn load(wallet: &Wallet, id: &PendingId) -> Result<(Waiting, Access), WalletError> {
    let waiting = records::get::<Waiting>(wallet.vault(), &id.0)?;
    let waiting = waiting.ok_or(CredentialError::Unknown)?;
    let access = records::get::<Access>(wallet.vault(), waiting.access.as_str())?;
    Ok((waiting, access.ok_or(CredentialError::Damaged)?))
}

/// A card being asked for again.
pub(super) struct Polling {
    readied: Box<Readied>,
    client: Client,
    access: Access,
    id: String,
    waiting: Waiting,
    encryption: Option<Offered>,
    key: Option<ResponseKey>,
    repeats: u8,
    refreshed: bool,
}

impl Polling {
    pub(super) async fn start(
        session: &mut Session,
        readied: Box<Readied>,
        client: Client,
        access: Access,
        id: String,
        waiting: Waiting,
        refreshed: bool,
    ) -> Result<Next, WalletError> {
        let encryption = Offered::read(readied.issuer.document());
        let encryption = encryption.map_err(|_| IssuanceError::Encryption)?;
        let wait = waiting.not_before.since(session.wallet.now());
        let polling = Self {
            readied,
            client,
            access,
            id,
            waiting,
            encryption,
            key: None,
            repeats: 0,
            refreshed,
        };
        let wait = wait.clamp(0, MAX_WAIT);
        session.ahead = wait;
        let next = Box::new(polling).send(session).await;
        session.ahead = 0;
        Ok(match next? {
            Next::Send { request, stage, .. } => Next::Send {
                request,
                stage,
                wait,
            },
            other => other,
        })
    }

    pub(super) async fn send(mut self: Box<Self>, session: &Session) -> Result<Next, WalletError> {
        let url = self.readied.issuer.deferred_endpoint();
        let url = url.ok_or(IssuanceError::Response(ResponseError::Deferred))?;
        let mut members = serde_json::Map::new();
        let id = self.waiting.transaction_id.as_str();
        members.insert("transaction_id".to_owned(), id.into());
        let encryption = self.encryption.as_ref();
        let (request, key) = sealed_post(&session.wallet, url.clone(), members, encryption)?;
        self.key = key;
        let token = &self.access.token;
        let request: HttpRequest = self.client.authorize(session, request, token).await?;
        Ok(Next::send(request, Stage::Deferred(self)))
    }

    pub(super) async fn receive(
        mut self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        self.client.take_issuer_nonce(&response.headers);
        let keys = self.waiting.keys()?;
        let crypto = session.wallet.clone();
        let received =
            Received::from_response(response, keys.len(), self.key.as_ref(), crypto.crypto());
        match received {
            Ok(Received::Now(received)) => self.arrived(session, received).await,
            Ok(Received::Later(Deferred {
                transaction_id,
                interval,
            })) => {
                transaction_id
                    .expose()
                    .clone_into(&mut self.waiting.transaction_id);
                self.put_off(session, interval)
            }
            Err(ResponseError::UseDpopNonce(nonce)) if self.repeats < MAX_REPEATS => {
                self.repeats += 1;
                self.client.set_issuer_nonce(nonce);
                self.send(session).await
            }
            Err(ResponseError::Unauthorized) if !self.refreshed => {
                let refreshing =
                    goal::refresh(session, &self.readied, &self.waiting.access, &self.access);
                match refreshing.await? {
                    Some(next) => Ok(next),
                    None => self.give_up(session, ResponseError::Unauthorized).await,
                }
            }
            Err(
                error @ (ResponseError::Unauthorized
                | ResponseError::Refused(
                    CredentialErrorCode::InvalidTransactionId
                    | CredentialErrorCode::CredentialRequestDenied,
                )),
            ) => self.give_up(session, error).await,
            // What says nothing about the card: it is asked for again another time.
            Err(error) => {
                self.postpone(session, AFTER_ERROR)?;
                Err(IssuanceError::Response(error).into())
            }
        }
    }

    /// Not yet: durable, so that it is asked for after a restart too.
    pub(super) fn put_off(
        mut self: Box<Self>,
        session: &Session,
        seconds: i64,
    ) -> Result<Next, WalletError> {
        self.postpone(session, seconds)?;
        Ok(Next::Done(Added {
            cards: Vec::new(),
            pending: vec![PendingId(self.id)],
        }))
    }

    fn postpone(&mut self, session: &Session, seconds: i64) -> Result<(), WalletError> {
        self.waiting.not_before = session.wallet.now().plus(seconds);
        let batch = records::put(VaultBatch::new(), &self.id, &self.waiting)?;
        Ok(session.wallet.vault().commit(batch)?)
    }

    async fn arrived(
        self: Box<Self>,
        session: &mut Session,
        received: ReceivedCredentials,
    ) -> Result<Next, WalletError> {
        let Self {
            readied,
            access,
            id,
            waiting,
            ..
        } = *self;
        let keys = waiting.keys()?;
        let kept = Kept {
            access_id: &waiting.access,
            access: &access,
            configuration: &waiting.configuration,
            requested: waiting.requested(),
            renews: waiting.renews.as_ref(),
            waited: Some(&id),
        };
        let (card, error, used) = match keep(session, &readied, &kept, &keys, received).await {
            Ok(card) => {
                let copies = session.wallet.store().record(&card)?.copies;
                let used: Vec<_> = copies.into_iter().map(|copy| copy.key).collect();
                (Some(card), None, used)
            }
            // A card that is not acceptable does not become so.
            Err(WalletError::Issuance(error)) => {
                session
                    .wallet
                    .index()
                    .give_up_keys(keys.iter().map(|key| &key.id))?;
                abandon(session, &id, error.code()).await?;
                (None, Some(error), Vec::new())
            }
            // Nor does one whose card was deleted meanwhile.
            Err(WalletError::Credential(CredentialError::Unknown)) => {
                let unused = keys.iter().map(|key| &key.id);
                session.wallet.index().give_up_keys(unused)?;
                let error = IssuanceError::AccessEnded;
                abandon(session, &id, error.code()).await?;
                (None, Some(error), Vec::new())
            }
            Err(error) => return Err(error),
        };
        for key in keys.iter().filter(|key| !used.contains(&key.id)) {
            session.wallet.secure_area().delete_key(&key.id).await?;
        }
        if let Some(error) = error {
            return Err(error.into());
        }
        Ok(Next::Done(Added {
            cards: card.into_iter().collect(),
            pending: Vec::new(),
        }))
    }

    async fn give_up(
        self: Box<Self>,
        session: &mut Session,
        error: ResponseError,
    ) -> Result<Next, WalletError> {
        let error = IssuanceError::Response(error);
        let wallet = session.wallet.clone();
        wallet.index().give_up_keys(self.waiting.key_ids())?;
        abandon(session, &self.id, error.code()).await?;
        for key in self.waiting.key_ids() {
            session.wallet.secure_area().delete_key(key).await?;
        }
        Err(error.into())
    }
}

/// The card will not come: the person finds that in the history.
async fn abandon(session: &Session, id: &str, code: &str) -> Result<(), WalletError> {
    let outcome = Outcome::Failed {
        code: code.to_owned(),
    };
    let entry = session.entry(outcome, Vec::new(), Vec::new());
    let (name, bytes) = crate::history::History::record(&entry)?;
    let batch = records::remove::<Waiting>(VaultBatch::new().put(name, bytes), id);
    session.wallet.vault().commit(batch)?;
    Ok(())
}

//! From an access token to cards in the wallet.

use std::collections::VecDeque;

use vouchsafe_protocol::http::{HttpRequest, HttpResponse, Method};
use vouchsafe_protocol::oauth::token::ReceivedToken;
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_protocol::vci::encryption_of_wallet::{Offered, ResponseKey};
use vouchsafe_protocol::vci::nonce::NonceResponse;
use vouchsafe_protocol::vci::proof::ProofFor;
use vouchsafe_protocol::vci::received::{Deferred, Received};
use vouchsafe_protocol::vci::request::{CredentialRequest, Requested};
use vouchsafe_protocol::vci::response::ResponseError;

use super::call::Call;
use super::client::{Client, keep_instance};
use super::exchange::{Next, Stage};
use super::goal;
use super::grant::Grant;
use super::issuer::Standing;
use super::keep::{Kept, keep};
use super::later::PendingId;
use super::proofs::ProofPlan;
use super::readied::Readied;
use super::records::{self, Access, AccessId, Origin, Waiting};
use super::request::sealed_post;
use super::session::Session;
use super::{Added, IssuanceError};
use crate::WalletError;
use crate::credential::CredentialId;
use crate::display::choose;
use crate::secure_area::KeyHandle;
use crate::storage::VaultBatch;
use crate::text::PlainText;

/// Longest answer of a nonce endpoint, in bytes.
const MAX_NONCE_BYTES: usize = 8 * 1024;
/// How often a request is repeated with another nonce, of each kind.
const MAX_REPEATS: u8 = 4;
/// Most cards of one configuration that one agreement brings.
const MOST_OF_A_KIND: usize = 5;

/// Cards being fetched, one after the other.
pub(super) struct Collecting {
    readied: Box<Readied>,
    client: Client,
    access_id: AccessId,
    access: Access,
    encryption: Option<Offered>,
    /// The card whose copies these are; `None`: new cards.
    renews: Option<CredentialId>,
    waiting: VecDeque<Wanted>,
    added: Added,
    attempt: Attempt,
    /// Whether the token was refreshed already.
    refreshed: bool,
}

/// One card to fetch.
struct Wanted {
    configuration: String,
    requested: Requested,
}

/// What belongs to the card at the head of the queue.
#[derive(Default)]
struct Attempt {
    keys: Vec<KeyHandle>,
    nonce: Option<String>,
    response_key: Option<ResponseKey>,
    nonces: u8,
    dpop_nonces: u8,
}

impl Collecting {
    /// Begins with a new access token.
    pub(super) async fn start(
        session: &mut Session,
        readied: Box<Readied>,
        client: Client,
        token: ReceivedToken,
    ) -> Result<Next, WalletError> {
        let waiting = wanted(&readied, &token)?;
        // A token for other cards than were asked for is good for none of them.
        if waiting.is_empty() {
            return Err(IssuanceError::UnsupportedCard.into());
        }
        let wallet = session.wallet.clone();
        let confirmed = matches!(readied.standing, Standing::Confirmed);
        let issuer = readied.offer.credential_issuer.as_str();
        let mut access = client.access(issuer, confirmed);
        goal::fill(&mut access, &wallet, &token);
        let access_id = AccessId::new(wallet.vault());
        let collecting = Self::new(readied, client, access_id, access, waiting, None)?;
        collecting.next(session).await
    }

    /// Begins to get new copies of a card.
    pub(super) async fn renew(
        session: &mut Session,
        readied: Box<Readied>,
        client: Client,
        access: Access,
        card: CredentialId,
        origin: Origin,
    ) -> Result<Next, WalletError> {
        let wanted = Wanted {
            configuration: origin.configuration.clone(),
            requested: origin.requested(),
        };
        let waiting = [wanted].into();
        let card = Some(card);
        let collecting = Self::new(readied, client, origin.access, access, waiting, card)?;
        collecting.next(session).await
    }

    fn new(
        readied: Box<Readied>,
        client: Client,
        access_id: AccessId,
        access: Access,
        waiting: VecDeque<Wanted>,
        renews: Option<CredentialId>,
    ) -> Result<Box<Self>, WalletError> {
        let encryption = Offered::read(readied.issuer.document());
        let encryption = encryption.map_err(|_| IssuanceError::Encryption)?;
        Ok(Box::new(Self {
            readied,
            client,
            access_id,
            access,
            encryption,
            renews,
            waiting,
            added: Added::default(),
            attempt: Attempt::default(),
            refreshed: false,
        }))
    }

    /// Asks for the next card, or ends.
    async fn next(self: Box<Self>, session: &mut Session) -> Result<Next, WalletError> {
        if self.waiting.is_empty() {
            session.drop_unbound_keys().await?;
            return Ok(Next::Done(self.added));
        }
        match self.readied.issuer.nonce_endpoint() {
            Some(url) => {
                let request = HttpRequest::new(Method::Post, url.clone());
                let request = request.header("accept", "application/json");
                Ok(Next::send(request, Stage::Nonce(self)))
            }
            None => self.ask(session).await,
        }
    }

    pub(super) async fn receive_nonce(
        mut self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        if response.status != 200 || response.body.len() > MAX_NONCE_BYTES {
            return Err(IssuanceError::NoNonce.into());
        }
        let nonce = NonceResponse::parse(&response.body).map_err(|_| IssuanceError::NoNonce)?;
        self.attempt.nonce = Some(nonce.c_nonce);
        // HAIP 1.0, section 4.1: the nonce endpoint may set a DPoP nonce too.
        self.client.take_issuer_nonce(&response.headers);
        self.ask(session).await
    }

    /// Asks again after a wait.
    pub(super) async fn again(
        mut self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        self.client.take_issuer_nonce(&response.headers);
        self.ask(session).await
    }

    /// Sends proofs of fresh keys.
    async fn ask(mut self: Box<Self>, session: &mut Session) -> Result<Next, WalletError> {
        let wanted = self.waiting.front().ok_or(IssuanceError::UnsupportedCard)?;
        let requested = wanted.requested.clone();
        let configuration = self.readied.configuration(&wanted.configuration)?;
        let plan = ProofPlan::of(configuration, &session.wallet);
        let plan = plan.ok_or(IssuanceError::UnsupportedCard)?;
        self.create_keys(session).await?;
        let proof_for = ProofFor {
            issuer: self.readied.issuer.issuer().as_str(),
            client_id: self.client.id.as_deref(),
            nonce: self.attempt.nonce.as_deref(),
        };
        let proofs = plan.prove(session, &proof_for, &self.attempt.keys).await?;
        let body = CredentialRequest {
            requested,
            proofs: Some(proofs),
        };
        let serde_json::Value::Object(members) = body.to_json() else {
            return Err(IssuanceError::Proof.into());
        };
        let url = self.readied.issuer.credential_endpoint().clone();
        let encryption = self.encryption.as_ref();
        let (request, key) = sealed_post(&session.wallet, url, members, encryption)?;
        self.attempt.response_key = key;
        let token = &self.access.token;
        let request = self.client.authorize(session, request, token).await?;
        Ok(Next::send(request, Stage::Credential(self)))
    }

    pub(super) async fn receive_credentials(
        mut self: Box<Self>,
        session: &mut Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        self.client.take_issuer_nonce(&response.headers);
        let wallet = session.wallet.clone();
        let key = self.attempt.response_key.as_ref();
        let most = self.attempt.keys.len();
        match Received::from_response(response, most, key, wallet.crypto()) {
            Ok(Received::Now(received)) => {
                let wanted = self.waiting.pop_front();
                let wanted = wanted.ok_or(IssuanceError::UnsupportedCard)?;
                let attempt = std::mem::take(&mut self.attempt);
                let kept = Kept {
                    access_id: &self.access_id,
                    access: &self.access,
                    configuration: &wanted.configuration,
                    requested: wanted.requested,
                    renews: self.renews.as_ref(),
                    waited: None,
                };
                let card = keep(session, &self.readied, &kept, &attempt.keys, received).await?;
                // Keys for which nothing came.
                session.drop_unbound_keys().await?;
                self.added.cards.push(card);
                self.next(session).await
            }
            Ok(Received::Later(deferred)) => {
                self.wait_for(session, &deferred)?;
                self.next(session).await
            }
            // Again with a fresh nonce, or with the DPoP nonce.
            Err(ResponseError::InvalidNonce) if self.attempt.nonces < MAX_REPEATS => {
                self.attempt.nonces += 1;
                self.next(session).await
            }
            Err(ResponseError::UseDpopNonce(nonce)) if self.attempt.dpop_nonces < MAX_REPEATS => {
                self.attempt.dpop_nonces += 1;
                self.client.set_issuer_nonce(nonce);
                self.ask(session).await
            }
            // The token is over: waiting took its time.
            Err(ResponseError::Unauthorized) if self.can_refresh() => self.refresh(session).await,
            Err(error) => Err(IssuanceError::Response(error).into()),
        }
    }

    fn can_refresh(&self) -> bool {
        !self.refreshed && self.renews.is_none() && self.access.refresh_token.is_some()
    }

    async fn refresh(mut self: Box<Self>, session: &mut Session) -> Result<Next, WalletError> {
        self.refreshed = true;
        let readied = self.readied.clone();
        let server = Some(&readied.server);
        let client = Client::of(&session.wallet, &self.access, server).await?;
        let token = self.access.refresh_token.clone().unwrap_or_default();
        let grant = Grant::Again {
            token: Secret::new(token),
            collecting: self,
        };
        Call::redeem(session, readied, client, grant).await
    }

    /// Goes on with a new token.
    pub(super) async fn go_on(
        mut self: Box<Self>,
        session: &mut Session,
        client: Client,
        token: &ReceivedToken,
    ) -> Result<Next, WalletError> {
        self.client = client;
        let wallet = session.wallet.clone();
        goal::fill(&mut self.access, &wallet, token);
        // What is stored already must not be left with a token that is gone.
        if self.added != Added::default() {
            let batch = VaultBatch::new();
            let batch = records::put(batch, self.access_id.as_str(), &self.access)?;
            wallet.vault().commit(batch)?;
        }
        self.next(session).await
    }

    /// The card comes later. Everything that it takes to ask for it is durable from here on, its
    /// keys too.
    fn wait_for(&mut self, session: &mut Session, deferred: &Deferred) -> Result<(), WalletError> {
        if self.readied.issuer.deferred_endpoint().is_none() {
            return Err(IssuanceError::Response(ResponseError::Deferred).into());
        }
        let wanted = self.waiting.pop_front();
        let wanted = wanted.ok_or(IssuanceError::UnsupportedCard)?;
        let attempt = std::mem::take(&mut self.attempt);
        let wallet = &session.wallet;
        let now = wallet.now();
        let mut waiting = Waiting::new(
            self.access_id.clone(),
            &wanted.configuration,
            &wanted.requested,
            deferred.transaction_id.expose(),
            &attempt.keys,
            (now, now.plus(deferred.interval)),
            self.title(session, &wanted.configuration),
            session.issuer_name(),
        );
        waiting.renews.clone_from(&self.renews);
        let id = records::new_id(wallet.vault());
        let batch = VaultBatch::new();
        let batch = records::put_access(wallet.vault(), batch, &self.access_id, &self.access)?;
        wallet.vault().commit(records::put(batch, &id, &waiting)?)?;
        wallet
            .index()
            .keep_keys(attempt.keys.iter().map(|key| &key.id))?;
        keep_instance(wallet, &self.access.server)?;
        for key in &attempt.keys {
            session.bind_key(&key.id);
        }
        self.added.pending.push(PendingId::of(id));
        Ok(())
    }

    fn title(&self, session: &Session, configuration: &str) -> PlainText {
        let named = self.readied.configuration(configuration).ok();
        let named = named.and_then(|configuration| {
            let display = self.readied.display(configuration);
            choose(&display.name, &session.wallet.locales()).cloned()
        });
        named.unwrap_or_else(|| PlainText::new(configuration))
    }

    /// Fresh keys for this card; a repetition keeps those it has.
    async fn create_keys(&mut self, session: &mut Session) -> Result<(), WalletError> {
        let offered = usize::try_from(self.readied.issuer.batch_size()).unwrap_or(usize::MAX);
        let copies = offered.min(session.wallet.config().batch_size).max(1);
        let spec = session.wallet.config().issuance.keys;
        while self.attempt.keys.len() < copies {
            let area = session.wallet.secure_area();
            let key = area.create_key_like(&spec).await?;
            session.add_key(&key);
            self.attempt.keys.push(key);
        }
        Ok(())
    }
}

/// OpenID4VCI 1.0, section 8.2: identifiers where, and only where, the token
/// response named some.
///
/// Catalogue 293: the person agreed to cards of these configurations, before a server can say how many
/// datasets of each there are (section 6.2, whose example has two). A handful is a handful of memberships
/// or degrees; of more, none is fetched: nobody agreed to them, and taking the first few would leave out
/// the rest without a word.
fn wanted(readied: &Readied, token: &ReceivedToken) -> Result<VecDeque<Wanted>, IssuanceError> {
    let mut cards = VecDeque::new();
    for id in &readied.offer.credential_configuration_ids {
        let named = token.credential_identifiers.iter();
        let named = named.filter(|entry| entry.credential_configuration_id == *id);
        let identifiers = named.flat_map(|entry| entry.identifiers.iter().cloned());
        let mut requested: Vec<_> = identifiers
            .map(Requested::Identifier)
            .take(MOST_OF_A_KIND + 1)
            .collect();
        if requested.len() > MOST_OF_A_KIND {
            return Err(IssuanceError::MoreCards);
        }
        if token.credential_identifiers.is_empty() {
            requested.push(Requested::Configuration(id.clone()));
        }
        cards.extend(requested.into_iter().map(|requested| Wanted {
            configuration: id.clone(),
            requested,
        }));
    }
    Ok(cards)
}

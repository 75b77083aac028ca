//! What issuers hear of their cards (OpenID4VCI 1.0, section 11).
//!
//! A notification is stored with what it tells of and stays until the issuer has taken it, or can
//! never take it: it does not know the card any more, or the access has ended for good.

use url::Url;
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_protocol::oauth::error::ErrorCode;
use vouchsafe_protocol::vci::notification::{Event, Notification};

use super::client::Client;
use super::exchange::{MAX_WAIT, Next, Stage};
use super::goal::{self, Goal};
use super::records::{self, Access, Notice, Origin};
use super::session::Session;
use super::sweep::sweep;
use super::{Added, IssuanceError, Step};
use crate::WalletError;
use crate::credential::CredentialId;
use crate::storage::VaultBatch;
use crate::wallet::Wallet;

/// First wait after a failure, in seconds; each further one doubles it.
const FIRST_WAIT: i64 = 30;
/// Longest wait, in seconds: a day.
const LONGEST_WAIT: i64 = 86_400;
/// How often a request is repeated with another nonce.
const MAX_REPEATS: u8 = 4;

/// The first notification that is due.
pub(crate) async fn notify(wallet: Wallet) -> Result<Option<Step>, WalletError> {
    let now = wallet.now();
    for (id, notice) in records::all::<Notice>(wallet.vault())? {
        if notice.not_before > now {
            continue;
        }
        let access = records::get::<Access>(wallet.vault(), notice.access.as_str())?;
        let Some(access) = access.filter(|access| access.serves(now)) else {
            drop_notice(&wallet, &id)?;
            continue;
        };
        // Whatever happens on the way, it is not due again at once.
        let notice = postponed(&wallet, &id, notice)?;
        if access.is_over(now) {
            let issuer = access.credential_issuer.clone();
            let goal = Goal::Notify(id, Box::new(notice), Box::new(access));
            return goal::begin(wallet, goal, &issuer, Vec::new()).map(Some);
        }
        let client = Client::of(&wallet, &access, None).await?;
        let goal = Goal::Notify(
            id.clone(),
            Box::new(notice.clone()),
            Box::new(access.clone()),
        );
        let session = Session::towards(wallet, goal);
        let next = Telling::start(&session, client, access, id, notice).await?;
        return Ok(Some(next.with(session)));
    }
    sweep(&wallet)?;
    Ok(None)
}

fn postponed(wallet: &Wallet, id: &str, mut notice: Notice) -> Result<Notice, WalletError> {
    let doubled = FIRST_WAIT.saturating_mul(1 << notice.tries.min(16));
    notice.tries = notice.tries.saturating_add(1);
    notice.not_before = wallet.now().plus(doubled.min(LONGEST_WAIT));
    let batch = records::put(VaultBatch::new(), id, &notice)?;
    wallet.vault().commit(batch)?;
    Ok(notice)
}

fn drop_notice(wallet: &Wallet, id: &str) -> Result<(), WalletError> {
    let batch = records::remove::<Notice>(VaultBatch::new(), id);
    wallet.vault().commit(batch)?;
    sweep(wallet)
}

/// A card is deleted: its issuer hears of it, and nothing else of it stays.
pub(crate) fn deleted(
    wallet: &Wallet,
    card: &CredentialId,
    batch: VaultBatch,
) -> Result<VaultBatch, WalletError> {
    let Some(origin) = records::get::<Origin>(wallet.vault(), card.as_str())? else {
        return Ok(batch);
    };
    let mut batch = records::remove::<Origin>(batch, card.as_str());
    let access = records::get::<Access>(wallet.vault(), origin.access.as_str())?;
    let serves = access.is_some_and(|access| access.serves(wallet.now()));
    if let (true, Some(endpoint)) = (serves, &origin.notification_endpoint) {
        for id in &origin.notification_ids {
            let notice = Notice::new(origin.access.clone(), endpoint, id, Event::Deleted);
            let name = records::new_id(wallet.vault());
            batch = records::put(batch, &name, &notice)?;
        }
    }
    Ok(batch)
}

/// A notification under way.
pub(super) struct Telling {
    client: Client,
    access: Access,
    id: String,
    notice: Notice,
    repeats: u8,
}

impl Telling {
    pub(super) async fn start(
        session: &Session,
        client: Client,
        access: Access,
        id: String,
        notice: Notice,
    ) -> Result<Next, WalletError> {
        let telling = Self {
            client,
            access,
            id,
            notice,
            repeats: 0,
        };
        Box::new(telling).send(session).await
    }

    pub(super) async fn send(self: Box<Self>, session: &Session) -> Result<Next, WalletError> {
        let wallet = &session.wallet;
        let url: Result<Url, _> = wallet.urls().parse(&self.notice.endpoint);
        let url = url.map_err(IssuanceError::Address)?;
        let Some(event) = Event::from_wire(&self.notice.event) else {
            return Self::give_up(session, &self.id);
        };
        let notification = Notification {
            notification_id: self.notice.notification_id.clone(),
            event,
        };
        let request = HttpRequest::post_json(url, &notification.to_json());
        let request = request.map_err(|_| IssuanceError::Proof)?;
        let request = self
            .client
            .authorize(session, request, &self.access.token)
            .await?;
        Ok(Next::send(request, Stage::Notice(self)))
    }

    pub(super) async fn receive(
        mut self: Box<Self>,
        session: &Session,
        response: &HttpResponse,
    ) -> Result<Next, WalletError> {
        let new_nonce = self.client.take_issuer_nonce(&response.headers);
        let challenged = || {
            let mut headers = response.headers.all("www-authenticate");
            headers.any(|text| text.contains(ErrorCode::UseDpopNonce.as_str()))
        };
        match response.status {
            401 if new_nonce && self.repeats < MAX_REPEATS && challenged() => {
                self.repeats += 1;
                self.send(session).await
            }
            // The token is of no more use. With a refresh token it is tried anew when it is due.
            401 if self.access.refresh_token.is_some() => {
                let id = self.notice.access.as_str();
                let stored = records::get::<Access>(session.wallet.vault(), id)?;
                // Somebody else may have refreshed it meanwhile.
                if let Some(mut access) = stored.filter(|stored| stored.token == self.access.token)
                {
                    access.expires_at = Some(session.wallet.now());
                    let batch = records::put(VaultBatch::new(), id, &access)?;
                    session.wallet.vault().commit(batch)?;
                }
                Ok(done())
            }
            // Section 11.2: any 2xx. Section 11.3 and what else is final: the issuer knows of no
            // such card.
            200..=299 | 400..=407 | 409..=428 | 430..=499 => Self::give_up(session, &self.id),
            // It stays, and is due later.
            _ => Ok(done()),
        }
    }

    /// There is nobody who could be told any more, or somebody was.
    pub(super) fn give_up(session: &Session, id: &str) -> Result<Next, WalletError> {
        drop_notice(&session.wallet, id)?;
        Ok(done())
    }

    /// The issuer is busy for longer.
    pub(super) fn put_off(
        mut self: Box<Self>,
        session: &Session,
        seconds: i64,
    ) -> Result<Next, WalletError> {
        let wait = seconds.clamp(MAX_WAIT, LONGEST_WAIT);
        self.notice.not_before = session.wallet.now().plus(wait);
        let batch = records::put(VaultBatch::new(), &self.id, &self.notice)?;
        session.wallet.vault().commit(batch)?;
        Ok(done())
    }
}

fn done() -> Next {
    Next::Done(Added {
        cards: Vec::new(),
        pending: Vec::new(),
    })
}

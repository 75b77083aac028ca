//! What a session is for, and how it goes on once the metadata are read.

use vouchsafe_protocol::oauth::token::ReceivedToken;
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_protocol::vci::CredentialIssuerId;
use vouchsafe_protocol::vci::CredentialOffer;
use vouchsafe_protocol::vci::offer::{AuthorizationCodeGrant, Grants};

use super::call::Call;
use super::client::Client;
use super::credentials::Collecting;
use super::exchange::{Next, start_offered};
use super::grant::Grant;
use super::later::Polling;
use super::notify::Telling;
use super::readied::Readied;
use super::records::{self, Access, AccessId, Notice, Origin, Waiting};
use super::session::Session;
use super::{IssuanceError, Step};
use crate::WalletError;
use crate::credential::CredentialId;
use crate::storage::VaultBatch;
use crate::wallet::Wallet;

/// What a session is for.
#[derive(Clone)]
pub(super) enum Goal {
    /// To add what is offered.
    Add,
    /// To ask for a card that nobody offered.
    Request {
        /// Which; `None` until the person has chosen.
        chosen: Option<String>,
    },
    /// To fetch a card that was to come later.
    Resume(String, Box<Waiting>, Box<Access>),
    /// To get new copies.
    Renew(CredentialId, Box<Origin>, Box<Access>),
    /// To tell the issuer what became of its card.
    Notify(String, Box<Notice>, Box<Access>),
}

impl Goal {
    /// The access that it goes on with.
    fn access(&self) -> Option<&Access> {
        match self {
            Self::Add | Self::Request { .. } => None,
            Self::Resume(_, _, access) | Self::Renew(_, _, access) | Self::Notify(_, _, access) => {
                Some(access)
            }
        }
    }

    /// The authorization server that it goes on with.
    pub(super) fn server(&self) -> Option<&str> {
        self.access().map(|access| access.server.as_str())
    }

    /// Whether the person has confirmed the issuer for it.
    pub(super) fn confirmed(&self) -> bool {
        self.access().is_some_and(|access| access.confirmed)
    }

    /// Whether a failure says nothing to the person: it is tried again.
    pub(super) fn is_quiet(&self) -> bool {
        match self {
            Self::Add | Self::Request { .. } => false,
            Self::Resume(..) | Self::Renew(..) | Self::Notify(..) => true,
        }
    }
}

/// Begins a session that asks an issuer of its own accord.
pub(super) fn begin(
    wallet: Wallet,
    goal: Goal,
    issuer: &str,
    configurations: Vec<String>,
) -> Result<Step, WalletError> {
    let credential_issuer = CredentialIssuerId::parse(issuer, wallet.urls());
    let offer = CredentialOffer {
        credential_issuer: credential_issuer.map_err(IssuanceError::Address)?,
        credential_configuration_ids: configurations,
        grants: Grants {
            authorization_code: Some(AuthorizationCodeGrant::default()),
            pre_authorized_code: None,
        },
    };
    start_offered(Session::towards(wallet, goal), offer)
}

/// The metadata passed every check.
pub(super) async fn readied(
    session: &mut Session,
    readied: Box<Readied>,
) -> Result<Next, WalletError> {
    let wallet = session.wallet.clone();
    match session.goal.clone() {
        Goal::Add | Goal::Request { .. } => Ok(Next::Preview(readied)),
        Goal::Resume(id, waiting, access) => {
            if access.is_over(wallet.now())
                && let Some(next) = refresh(session, &readied, &waiting.access, &access).await?
            {
                return Ok(next);
            }
            let client = Client::of(&wallet, &access, None).await?;
            Polling::start(session, readied, client, *access, id, *waiting, false).await
        }
        Goal::Renew(card, origin, access) => {
            if let Some(next) = refresh(session, &readied, &origin.access, &access).await? {
                return Ok(next);
            }
            let client = Client::of(&wallet, &access, None).await?;
            Collecting::renew(session, readied, client, *access, card, *origin).await
        }
        Goal::Notify(id, notice, access) => {
            match refresh(session, &readied, &notice.access, &access).await? {
                Some(next) => Ok(next),
                None => Telling::give_up(session, &id),
            }
        }
    }
}

/// Asks for a new access token, where there is a refresh token.
pub(super) async fn refresh(
    session: &Session,
    readied: &Readied,
    id: &AccessId,
    access: &Access,
) -> Result<Option<Next>, WalletError> {
    let Some(token) = &access.refresh_token else {
        return Ok(None);
    };
    let client = Client::of(&session.wallet, access, Some(&readied.server)).await?;
    let grant = Grant::Refresh {
        token: Secret::new(token.as_str()),
        access: id.clone(),
    };
    let readied = Box::new(readied.clone());
    Call::redeem(session, readied, client, grant)
        .await
        .map(Some)
}

/// New tokens came: they are durable before they are used, as the old ones may be gone.
pub(super) async fn refreshed(
    session: &mut Session,
    readied: Box<Readied>,
    client: Client,
    id: &AccessId,
    token: ReceivedToken,
) -> Result<Next, WalletError> {
    let wallet = session.wallet.clone();
    let Some(mut access) = records::get::<Access>(wallet.vault(), id.as_str())? else {
        return Err(IssuanceError::AccessEnded.into());
    };
    fill(&mut access, &wallet, &token);
    let batch = records::put(VaultBatch::new(), id.as_str(), &access)?;
    wallet.vault().commit(batch)?;
    match session.goal.clone() {
        Goal::Add | Goal::Request { .. } => Err(IssuanceError::AccessEnded.into()),
        Goal::Resume(waits, waiting, _) => {
            Polling::start(session, readied, client, access, waits, *waiting, true).await
        }
        Goal::Renew(card, origin, _) => {
            Collecting::renew(session, readied, client, access, card, *origin).await
        }
        Goal::Notify(tells, notice, _) => {
            Telling::start(session, client, access, tells, *notice).await
        }
    }
}

/// Puts tokens into an access. A server that gives no new refresh token leaves the old one good
/// (RFC 6749, section 6).
pub(super) fn fill(access: &mut Access, wallet: &Wallet, token: &ReceivedToken) {
    token.access_token.expose().clone_into(&mut access.token);
    let lifetime = token
        .expires_in
        .map(|s| i64::try_from(s).unwrap_or(i64::MAX));
    access.expires_at = lifetime.map(|seconds| wallet.now().plus(seconds));
    if let Some(refresh) = &token.refresh_token {
        access.refresh_token = Some(refresh.expose().to_owned());
    }
}

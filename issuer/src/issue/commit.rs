//! The transaction that issues.

use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::nonce::CheckedNonce;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::jti::{self, Identifier, IdentifierKind};

use super::{IssueError, Order, Signed, check_limit};
use crate::core::Core;
use crate::domain::credential::{Credential, CredentialStatus};
use crate::domain::ids::{OfferId, RecordId};
use crate::domain::secret::SecretHash;
use crate::events::{self, Event};
use crate::lifecycle;
use crate::status::StatusListError;
use crate::store::tokens::{Held, TokenUse};
use crate::store::{credentials, issued, status_lists, tokens, transactions};

/// Whose the nonces are.
const NONCE_SCOPE: &str = "issuer";

/// What an order uses up, in the form that a transaction takes with it.
#[derive(Debug, Clone)]
pub struct Part {
    token: SecretHash,
    record: RecordId,
    /// What is accepted once: the DPoP proof and the nonces.
    pub(super) once: Vec<Identifier>,
    what: TokenUse,
}

impl Order<'_> {
    /// What it uses up.
    pub fn part(&self) -> Part {
        let nonces = self.nonces.iter().map(nonce);
        Part {
            token: self.token.clone(),
            record: self.grant.record.clone(),
            once: self.proof.iter().cloned().chain(nonces).collect(),
            what: match self.transaction {
                Some(_) => TokenUse::Deferred,
                None => TokenUse::Issue,
            },
        }
    }
}

fn nonce(nonce: &CheckedNonce) -> Identifier {
    let CheckedNonce {
        consume_key,
        expires,
    } = nonce;
    let kind = IdentifierKind::CredentialNonce;
    Identifier::new(kind, NONCE_SCOPE, &b64url(consume_key), *expires)
}

/// The refusal for an identifier that was seen before.
pub(super) fn was_seen(kind: IdentifierKind) -> IssueError {
    match kind {
        IdentifierKind::DpopProof => IssueError::ProofUsed,
        IdentifierKind::CredentialNonce
        | IdentifierKind::ClientAssertion
        | IdentifierKind::AttestationProof
        | IdentifierKind::LogoutToken
        | IdentifierKind::ConsoleForm => IssueError::NonceUsed,
    }
}

/// Why the transaction was undone.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    /// A place in a status list was taken in between.
    #[error("a place was taken in between")]
    PlaceTaken,
    /// Nothing may be issued.
    #[error(transparent)]
    Refused(#[from] Box<IssueError>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<CommitError> for IssueError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::PlaceTaken => StatusListError::Full.into(),
            CommitError::Refused(error) => *error,
            CommitError::Db(error) => error.into(),
        }
    }
}

/// Uses up what an order stands on: the token must be good, its proof and its nonces new.
pub(crate) async fn use_up(tx: &mut Tx, part: &Part, now: UnixTime) -> Result<Held, CommitError> {
    let held = tokens::hold(tx, &part.token, now, part.what).await?;
    let held = held.ok_or_else(|| Box::new(IssueError::TokenGone))?;
    // Catalogue 284: the subject is looked at again where it is written down.
    if held.record != part.record {
        return Err(Box::new(IssueError::RecordMismatch).into());
    }
    match jti::use_up(tx, &part.once).await? {
        None => Ok(held),
        Some(kind) => Err(Box::new(was_seen(kind)).into()),
    }
}

/// What is to be written down.
struct Books {
    offer: OfferId,
    family: Option<String>,
    rows: Vec<Credential>,
}

impl Books {
    /// Whether an offer that has brought credentials already may bring these.
    async fn check(&self, core: &Core, tx: &mut Tx) -> Result<(), CommitError> {
        let (offer, family) = (&self.offer, self.family.as_deref());
        let format = self.rows.first().map(|row| row.format);
        let so_far = match format {
            Some(format) => credentials::count_of_family(tx, offer, family, format).await?,
            None => 0,
        };
        check_limit(core, so_far, self.rows.len()).map_err(Box::new)?;
        // What is suspended is not issued anew, neither to its redemption nor to its key.
        let suspended = credentials::suspended_of_offer(tx, offer).await?;
        if suspended.iter().any(|(of, key)| {
            let is_ours = |row: &Credential| row.holder_key == *key;
            of.is_none() || of.as_deref() == family || self.rows.iter().any(is_ours)
        }) {
            return Err(Box::new(IssueError::Suspended).into());
        }
        Ok(())
    }
}

/// One transaction: token, proof, nonces, rows.
pub(super) async fn commit(
    core: &Core,
    order: &Order<'_>,
    signed: &[Signed],
    now: UnixTime,
) -> Result<(), CommitError> {
    let books = Books {
        offer: order.grant.offer.clone(),
        family: order.grant.family.clone(),
        rows: signed.iter().map(|signed| signed.row.clone()).collect(),
    };
    let (part, told) = (order.part(), core.clone());
    let (transaction, renewed) = (order.transaction.clone(), order.offer.renews.clone());
    let done = core
        .db
        .write(async move |tx| {
            lifecycle::lock_both(tx, &books.offer, renewed.as_ref()).await?;
            let held = use_up(tx, &part, now).await?;
            if let Some(transaction) = &transaction
                && !transactions::finish(tx, transaction, now).await?
            {
                return Err(Box::new(IssueError::TransactionEnded).into());
            }
            if held.brought {
                books.check(&told, tx).await?;
            } else {
                check_limit(&told, 0, books.rows.len()).map_err(Box::new)?;
            }
            let mut replaced = false;
            for row in books.rows.iter().filter(|_| held.brought) {
                replaced |= replace_older(&told, tx, row, now).await?;
            }
            if !issued::insert(tx, &books.rows).await? {
                return Err(CommitError::PlaceTaken);
            }
            events::of_credentials(&told, tx, Event::CredentialIssued, &books.rows, now).await?;
            let superseded = match (&renewed, books.rows.first()) {
                (Some(old), Some(new)) => lifecycle::replace(&told, tx, old, new, now).await?,
                (None, _) | (_, None) => 0,
            };
            Ok((replaced, superseded))
        })
        .await;
    // Whether a transaction with an error counts is not known here.
    let (replaced, superseded) = *done.as_ref().unwrap_or(&(true, 0));
    if replaced || superseded > 0 {
        core.shown.changed();
    }
    lifecycle::count(CredentialStatus::Superseded, superseded);
    done.map(drop)
}

/// A wallet that repeats a request because the answer was lost gets a new credential for the
/// same key; the one that it never saw is revoked, so one data set and one key have one active
/// credential of a format. True when there was one.
async fn replace_older(
    core: &Core,
    tx: &mut Tx,
    row: &Credential,
    now: UnixTime,
) -> Result<bool, DbError> {
    let revoked = credentials::revoke_of_key(tx, row, now).await?;
    for older in &revoked {
        status_lists::touch(tx, &older.place.list).await?;
        events::of_credential(core, tx, Event::CredentialRevoked, older, now).await?;
    }
    Ok(!revoked.is_empty())
}

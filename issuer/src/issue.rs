//! Issuing: from verified proofs to signed credentials, each in the books exactly once.
//!
//! Places are drawn and credentials signed first; then one transaction uses the nonce up, checks
//! the token again and writes the rows. Nothing leaves before it is durable, and a signer that
//! fails leaves no trace.

use futures::future::try_join_all;
use serde_json::Value;
use vouchsafe_credentials::credential_type::{ClaimProblems, Format};
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vci::nonce::CheckedNonce;
use vouchsafe_service::db::{DbError, Tx};
use vouchsafe_service::jti::{self, IdentifierKind};

use crate::claims::Claims;
use crate::core::Core;
use crate::domain::credential::{Credential, CredentialStatus};
use crate::domain::ids::CredentialId;
use crate::domain::secret::SecretHash;
use crate::events::{self, Event};
use crate::sign::{Draft, SignError};
use crate::status::{self, StatusListError};
use crate::store::tokens::TokenGrant;
use crate::store::{credentials, status_lists, tokens};

/// How often places are drawn again when others took them in between.
const MAX_DRAWS: usize = 16;

/// What is to be issued, with everything verified.
#[derive(Debug)]
pub struct Order<'a> {
    /// Digest of the access token.
    pub token: SecretHash,
    /// What the token allows.
    pub grant: TokenGrant,
    /// The format of the credentials.
    pub format: Format,
    /// What the credentials say.
    pub claims: Claims,
    /// The keys they are bound to, all different.
    pub holder_keys: &'a [PublicKey],
    /// The nonce of the proofs.
    pub nonce: CheckedNonce,
}

/// Why nothing was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The token ended or was revoked in between.
    #[error("the access token is not valid any more")]
    TokenGone,
    /// The nonce was used by another request.
    #[error("the nonce was used before")]
    NonceUsed,
    /// The offer brought as many credentials as it may.
    #[error("the offer is used up")]
    UsedUp,
    /// The record of the token changed in between: a fault of ours.
    #[error("the subject record of the token changed")]
    RecordMismatch,
    /// The type is not configured any more.
    #[error("the credential type is not configured")]
    UnknownType,
    /// The claims do not fit the type any more.
    #[error("the claims do not fit the type")]
    Claims(#[from] ClaimProblems),
    /// No place in a status list.
    #[error("no place in a status list")]
    Status(#[from] StatusListError),
    /// The credential could not be signed.
    #[error("the credential could not be signed")]
    Sign(#[from] SignError),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Why the transaction was undone.
#[derive(Debug, thiserror::Error)]
enum CommitError {
    #[error("a place was taken in between")]
    PlaceTaken,
    #[error(transparent)]
    Refused(#[from] Box<IssueError>),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A credential and its row.
struct Signed {
    row: Credential,
    credential: Value,
}

/// Issues one credential for each key, all or none.
pub async fn issue(core: &Core, order: &Order<'_>) -> Result<Vec<Value>, IssueError> {
    let kind = core
        .credential_type(&order.grant.credential_type)
        .ok_or(IssueError::UnknownType)?;
    let prepared = kind.prepare(order.claims.0.clone())?;
    for _ in 0..MAX_DRAWS {
        let places = status::pick(core, order.holder_keys.len()).await?;
        let now = core.clock.now();
        let drafts = order.holder_keys.iter().zip(&places);
        let drafts = drafts.map(|(holder_key, place)| Draft {
            kind: &kind,
            format: order.format,
            prepared: &prepared,
            holder_key,
            place,
            now,
        });
        let signing = drafts.map(|draft| sign(core, order, draft));
        let signed = try_join_all(signing).await?;
        match commit(core, order, &signed, now).await {
            Ok(()) => {
                metrics::counter!("vouchsafe_credentials_issued_total", "type" => kind.id.clone())
                    .increment(signed.len() as u64);
                return Ok(signed.into_iter().map(|signed| signed.credential).collect());
            }
            Err(CommitError::PlaceTaken) => {}
            Err(CommitError::Refused(error)) => return Err(*error),
            Err(CommitError::Db(error)) => return Err(error.into()),
        }
    }
    Err(StatusListError::Full.into())
}

async fn sign(core: &Core, order: &Order<'_>, draft: Draft<'_>) -> Result<Signed, IssueError> {
    let credential = draft.sign(core).await?;
    let row = Credential {
        id: CredentialId::new(core.ids.next()),
        offer: order.grant.offer.clone(),
        record: order.grant.record.clone(),
        credential_type: draft.kind.id.clone(),
        format: draft.format,
        holder_key: draft.holder_key.thumbprint(),
        place: draft.place.clone(),
        status: CredentialStatus::Valid,
        version: 1,
        issued_at: draft.now,
        expires_at: draft.expires_at(),
        status_changed_at: draft.now,
    };
    Ok(Signed { row, credential })
}

/// One transaction: nonce, token, rows.
async fn commit(
    core: &Core,
    order: &Order<'_>,
    signed: &[Signed],
    now: UnixTime,
) -> Result<(), CommitError> {
    let rows: Vec<Credential> = signed.iter().map(|signed| signed.row.clone()).collect();
    let token = order.token.clone();
    let record = order.grant.record.clone();
    let (offer, format) = (order.grant.offer.clone(), order.format);
    let CheckedNonce {
        consume_key,
        expires,
    } = order.nonce.clone();
    let nonce = b64url(&consume_key);
    let (limit, told) = (core.settings.max_credentials_per_offer, core.clone());
    let replaced = core
        .db
        .write(async move |tx| {
            let held = tokens::hold(tx, &token, now).await?;
            let held = held.ok_or_else(|| Box::new(IssueError::TokenGone))?;
            // Catalogue 284: the subject is looked at again where it is written down.
            if held != record {
                return Err(Box::new(IssueError::RecordMismatch).into());
            }
            let kind = IdentifierKind::CredentialNonce;
            if !jti::first_use(tx, kind, "issuer", &nonce, expires).await? {
                return Err(Box::new(IssueError::NonceUsed).into());
            }
            let so_far = credentials::count_of_offer(tx, &offer, format).await?;
            if so_far + i64::try_from(rows.len()).unwrap_or(i64::MAX) > limit {
                return Err(Box::new(IssueError::UsedUp).into());
            }
            let mut replaced = false;
            for row in &rows {
                replaced |= replace_older(tx, row, now).await?;
                if !credentials::insert(tx, row).await? {
                    return Err(CommitError::PlaceTaken);
                }
                events::of_credential(&told, tx, Event::CredentialIssued, row, now).await?;
            }
            Ok(replaced)
        })
        .await;
    // Whether a transaction with an error counts is not known here.
    if *replaced.as_ref().unwrap_or(&true) {
        core.shown.changed();
    }
    replaced.map(drop)
}

/// A wallet that repeats a request because the answer was lost gets a new credential for the
/// same key; the one that it never saw is revoked, so one data set and one key have one active
/// credential of a format. True when there was one.
async fn replace_older(tx: &mut Tx, row: &Credential, now: UnixTime) -> Result<bool, DbError> {
    let lists = credentials::revoke_of_key(tx, row, now).await?;
    for list in &lists {
        status_lists::touch(tx, list).await?;
    }
    Ok(!lists.is_empty())
}

//! `verifications`: one row per question over REST. The body is sealed together with the row's
//! ids, caller and state, so that it cannot be moved to another caller or another state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use vouchsafe_protocol::vp::values::LocalizedText;
use vouchsafe_service::db::{Db, DbError, RowError, STEP, Table, Tx, each, execute};
use vouchsafe_service::delete_step;

use super::{StoreError, Vault};
use crate::domain::ids::{CallerId, QueryId, RequestId, SecretDigest, VerificationId};
use crate::domain::reason::Failure;
use crate::domain::verification::{
    Answered, Asked, Failed, Outcome, Pending, Secrets, Verification, Verified,
};

const TABLE: Table = Table("verifications");

#[derive(Serialize, Deserialize)]
struct Body {
    query: Option<String>,
    dcql: Value,
    purpose: String,
    translations: BTreeMap<String, String>,
    return_url: Option<String>,
    #[serde(default = "yes")]
    one_holder: bool,
    secrets: Option<Secrets>,
    outcome: Option<Outcome>,
    failure: Option<Failure>,
}

/// Rows of before it was said.
fn yes() -> bool {
    true
}

#[derive(sqlx::FromRow)]
struct VerificationRow {
    id: String,
    request_id: String,
    caller: String,
    state: String,
    body: Vec<u8>,
    created_at: i64,
    fetched_at: Option<i64>,
    expires_at: i64,
    code_until: Option<i64>,
}

/// A verification whose body is sealed and which can be written.
#[derive(Debug, Clone)]
pub struct Sealed {
    id: String,
    request_id: String,
    caller: String,
    state: &'static str,
    body: Vec<u8>,
    created_at: UnixTime,
    expires_at: UnixTime,
    code: Option<(SecretDigest, UnixTime)>,
    forget_at: UnixTime,
}

/// Seals a verification before it is written. What is not needed any more goes: the secrets with
/// the answer. `code` is what the browser brings back.
pub fn seal(
    vault: &Vault,
    verification: &Verification,
    code: Option<SecretDigest>,
    forget_at: UnixTime,
) -> Result<Sealed, StoreError> {
    let asked = verification.asked();
    let (mut secrets, mut outcome, mut failure, mut until) = (None, None, None, None);
    match verification {
        Verification::Pending(pending) => secrets = Some(pending.secrets.clone()),
        Verification::Answered(answered) => {
            outcome = Some((*answered.outcome).clone());
            until = Some(answered.until);
        }
        Verification::Verified(verified) => outcome = Some((*verified.outcome).clone()),
        Verification::Failed(failed) => failure = Some(failed.failure.clone()),
    }
    let body = Body {
        query: asked.query.as_ref().map(|query| query.as_str().to_owned()),
        dcql: asked.dcql.as_json().clone(),
        purpose: asked.purpose.default.clone(),
        translations: asked.purpose.translations.clone(),
        return_url: asked.return_url.as_ref().map(ToString::to_string),
        one_holder: asked.one_holder,
        secrets,
        outcome,
        failure,
    };
    let place = place(
        asked.id.as_str(),
        asked.request.as_str(),
        asked.caller.as_str(),
        verification.state(),
    );
    Ok(Sealed {
        body: vault.seal(&place, &body)?,
        id: asked.id.as_str().to_owned(),
        request_id: asked.request.as_str().to_owned(),
        caller: asked.caller.as_str().to_owned(),
        state: verification.state(),
        created_at: asked.created_at,
        expires_at: asked.expires_at,
        code: code.zip(until),
        forget_at,
    })
}

fn place<'a>(id: &'a str, request: &'a str, caller: &'a str, state: &'a str) -> [&'a str; 5] {
    [TABLE.0, id, request, caller, state]
}

/// How many times `most_open` rows of a caller are kept, whatever became of them: answers that are
/// refused at once make room for questions, not for rows.
const KEPT_FOR_EACH_OPEN: i64 = 10;

/// Writes a new verification; `false` where its caller has `most_open` that wait already, or ten
/// times as many that are not to be forgotten yet.
pub async fn insert(
    tx: &mut Tx,
    new: &Sealed,
    most_open: u32,
    now: UnixTime,
) -> Result<bool, DbError> {
    tx.lock(&format!("verifications of {}", new.caller)).await?;
    let open = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM verifications WHERE caller = $1 AND state = 'pending' AND expires_at > $2")
        .bind(new.caller.as_str()).bind(now.0).fetch_one(c).await)?;
    let most_kept = i64::from(most_open) * KEPT_FOR_EACH_OPEN;
    let kept = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM verifications WHERE caller = $1 AND forget_at > $2")
        .bind(new.caller.as_str()).bind(now.0).fetch_one(c).await)?;
    if open >= i64::from(most_open) || kept >= most_kept {
        return Ok(false);
    }
    execute!(tx, sqlx::query(
        "INSERT INTO verifications (id, request_id, caller, state, body, created_at, expires_at, forget_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(new.id.as_str()).bind(new.request_id.as_str()).bind(new.caller.as_str()).bind(new.state)
        .bind(new.body.as_slice()).bind(new.created_at.0).bind(new.expires_at.0).bind(new.forget_at.0))?;
    Ok(true)
}

/// Moves a verification from `pending` on. Of any number of calls at once exactly one succeeds;
/// `false` means that it was not this one, that it has expired, or that it is gone.
pub async fn advance(tx: &mut Tx, to: &Sealed, now: UnixTime) -> Result<bool, DbError> {
    let (hash, until) = match &to.code {
        Some((hash, until)) => (Some(hash.as_str()), Some(until.0)),
        None => (None, None),
    };
    execute!(tx, sqlx::query(
        "UPDATE verifications SET state = $1, body = $2, code_hash = $3, code_until = $4, forget_at = $5 \
         WHERE id = $6 AND state = 'pending' AND expires_at > $7")
        .bind(to.state).bind(to.body.as_slice()).bind(hash).bind(until).bind(to.forget_at.0)
        .bind(to.id.as_str()).bind(now.0)).map(|rows| rows == 1)
}

/// Moves a verification from `answered` to `verified`: the browser brought the code, once and in time.
pub async fn redeem(
    tx: &mut Tx,
    to: &Sealed,
    code: &SecretDigest,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(tx, sqlx::query(
        "UPDATE verifications SET state = $1, body = $2, code_hash = NULL, code_until = NULL, forget_at = $3 \
         WHERE id = $4 AND caller = $5 AND state = 'answered' AND code_hash = $6 AND code_until > $7")
        .bind(to.state).bind(to.body.as_slice()).bind(to.forget_at.0).bind(to.id.as_str())
        .bind(to.caller.as_str()).bind(code.as_str()).bind(now.0)).map(|rows| rows == 1)
}

/// Notes the first fetch; later ones change nothing.
pub async fn mark_fetched(
    tx: &mut Tx,
    id: &VerificationId,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE verifications SET fetched_at = $1 WHERE id = $2 AND fetched_at IS NULL"
        )
        .bind(now.0)
        .bind(id.as_str())
    )
    .map(|rows| rows == 1)
}

/// A verification of this caller, as long as it is not to be forgotten.
pub async fn find(
    db: &Db,
    vault: &Vault,
    caller: &CallerId,
    id: &VerificationId,
    now: UnixTime,
) -> Result<Option<Verification>, StoreError> {
    let row = each!(db, p => sqlx::query_as::<_, VerificationRow>(
        "SELECT id, request_id, caller, state, body, created_at, fetched_at, expires_at, code_until \
         FROM verifications WHERE id = $1 AND caller = $2 AND forget_at > $3")
        .bind(id.as_str()).bind(caller.as_str()).bind(now.0).fetch_optional(p).await)?;
    row.map(|row| open(vault, row)).transpose()
}

/// The verification whose question has this id.
pub async fn find_by_request(
    db: &Db,
    vault: &Vault,
    request: &RequestId,
    now: UnixTime,
) -> Result<Option<Verification>, StoreError> {
    let row = each!(db, p => sqlx::query_as::<_, VerificationRow>(
        "SELECT id, request_id, caller, state, body, created_at, fetched_at, expires_at, code_until \
         FROM verifications WHERE request_id = $1 AND forget_at > $2")
        .bind(request.as_str()).bind(now.0).fetch_optional(p).await)?;
    row.map(|row| open(vault, row)).transpose()
}

/// Deletes a verification of this caller; `false` if there is none.
pub async fn delete(
    tx: &mut Tx,
    caller: &CallerId,
    id: &VerificationId,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM verifications WHERE id = $1 AND caller = $2 AND forget_at > $3")
            .bind(id.as_str())
            .bind(caller.as_str())
            .bind(now.0)
    )
    .map(|rows| rows == 1)
}

/// Deletes what is to be forgotten, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("verifications", "id", "forget_at <= $1"))
            .bind(now.0)
            .bind(i64::from(STEP))
    )
}

fn open(vault: &Vault, row: VerificationRow) -> Result<Verification, StoreError> {
    let VerificationRow {
        id,
        request_id,
        caller,
        state,
        body,
        created_at,
        fetched_at,
        expires_at,
        code_until,
    } = row;
    let sealed_at = place(&id, &request_id, &caller, &state);
    let Body {
        query,
        dcql,
        purpose,
        translations,
        return_url,
        one_holder,
        secrets,
        outcome,
        failure,
    } = vault.open(TABLE, "body", &sealed_at, &body)?;
    let invalid = |reason: &'static str| -> RowError { TABLE.invalid("body", reason) };
    let return_url = return_url.map(|url| Url::parse(&url)).transpose();
    let asked = Asked {
        id: VerificationId::from_text(id),
        request: RequestId::from_text(request_id),
        caller: CallerId::from_text(caller),
        query: query.map(QueryId::from_text),
        dcql: DcqlQuery::parse(&dcql).map_err(|_| invalid("not a query"))?,
        purpose: LocalizedText {
            default: purpose,
            translations,
        },
        return_url: return_url.map_err(|_| invalid("not an address"))?,
        one_holder,
        created_at: UnixTime(created_at),
        expires_at: UnixTime(expires_at),
    };
    let fetched_at = fetched_at.map(UnixTime);
    Ok(match (state.as_str(), secrets, outcome, failure) {
        ("pending", Some(secrets), None, None) => Verification::Pending(Pending {
            asked,
            secrets,
            fetched_at,
        }),
        ("answered", None, Some(outcome), None) => Verification::Answered(Answered {
            asked,
            outcome: Box::new(outcome),
            until: code_until
                .map(UnixTime)
                .ok_or_else(|| TABLE.invalid("code_until", "missing"))?,
        }),
        ("verified", None, Some(outcome), None) => Verification::Verified(Verified {
            asked,
            outcome: Box::new(outcome),
        }),
        ("failed", None, None, Some(failure)) => Verification::Failed(Failed { asked, failure }),
        _ => return Err(TABLE.invalid("state", "does not fit the body").into()),
    })
}

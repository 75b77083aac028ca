//! `account_identifiers` and `account_invitations`: accounts that the organisation knew before, and
//! links that let somebody add a card to one.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use super::{StoreError, Vault, subjects};
use crate::domain::ids::{SecretDigest, SubjectId};

const TABLE: Table = Table("account_identifiers");

/// An account that the organisation knows, ready to be written.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The account, if there is none with this identifier.
    pub fresh: SubjectId,
    /// Keyed hash of the organisation's id.
    pub identifier_mac: String,
    /// The id, sealed for `fresh`.
    pub external_id: Vec<u8>,
    /// Language of the person.
    pub locale: Option<String>,
}

/// Seals an id for an account.
pub fn seal(vault: &Vault, subject: &SubjectId, external_id: &str) -> Result<Vec<u8>, StoreError> {
    vault.seal(&[TABLE.0, "external_id", subject.as_str()], &external_id)
}

/// Writes an account, or the language of the one that has its identifier; `true` where it is new.
pub async fn put(tx: &mut Tx, new: &NewAccount, now: UnixTime) -> Result<bool, DbError> {
    let NewAccount {
        fresh,
        identifier_mac,
        external_id,
        locale,
    } = new;
    let inserted = execute!(tx, sqlx::query(
        "INSERT INTO account_identifiers (subject_id, identifier_mac, external_id, locale, created_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
        .bind(fresh.as_str()).bind(identifier_mac.as_str()).bind(external_id.as_slice())
        .bind(locale.as_deref()).bind(now.0)).map(|rows| rows == 1)?;
    if inserted {
        subjects::insert(tx, fresh, now).await?;
        return Ok(true);
    }
    if locale.is_some()
        && let Some(known) = of_identifier(tx, identifier_mac).await?
        && subjects::hold(tx, &known).await?
    {
        execute!(
            tx,
            sqlx::query("UPDATE account_identifiers SET locale = $1 WHERE identifier_mac = $2")
                .bind(locale.as_deref())
                .bind(identifier_mac.as_str())
        )?;
    }
    Ok(false)
}

/// The account with this identifier.
pub async fn of_identifier(tx: &mut Tx, mac: &str) -> Result<Option<SubjectId>, DbError> {
    let id = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT subject_id FROM account_identifiers WHERE identifier_mac = $1")
        .bind(mac).fetch_optional(c).await)?;
    id.map(|id| subjects::parse(&id)).transpose()
}

/// The organisation's id of an account.
pub async fn external_id(
    tx: &mut Tx,
    vault: &Vault,
    subject: &SubjectId,
) -> Result<Option<String>, StoreError> {
    let sealed = each!(tx, p => sqlx::query_scalar::<_, Vec<u8>>(
        "SELECT external_id FROM account_identifiers WHERE subject_id = $1")
        .bind(subject.as_str()).fetch_optional(p).await)?;
    let place = [TABLE.0, "external_id", subject.as_str()];
    sealed
        .map(|sealed| vault.open(TABLE, "external_id", &place, &sealed))
        .transpose()
}

/// The same outside of a transaction.
pub async fn external_id_of(
    db: &Db,
    vault: &Vault,
    subject: &SubjectId,
) -> Result<Option<String>, StoreError> {
    let sealed = each!(db, p => sqlx::query_scalar::<_, Vec<u8>>(
        "SELECT external_id FROM account_identifiers WHERE subject_id = $1")
        .bind(subject.as_str()).fetch_optional(p).await)?;
    let place = [TABLE.0, "external_id", subject.as_str()];
    sealed
        .map(|sealed| vault.open(TABLE, "external_id", &place, &sealed))
        .transpose()
}

/// The language that the organisation knows of an account.
pub async fn locale_of(db: &Db, subject: &SubjectId) -> Result<Option<String>, DbError> {
    let locale = each!(db, p => sqlx::query_scalar::<_, Option<String>>(
        "SELECT locale FROM account_identifiers WHERE subject_id = $1")
        .bind(subject.as_str()).fetch_optional(p).await)?;
    Ok(locale.flatten())
}

/// Writes an invitation to link a card; those of before for the account are over. Whoever calls holds
/// the account.
pub async fn invite(
    tx: &mut Tx,
    code: &SecretDigest,
    subject: &SubjectId,
    now: UnixTime,
    expires_at: UnixTime,
) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_invitations WHERE subject_id = $1 OR expires_at <= $2")
            .bind(subject.as_str())
            .bind(now.0)
    )?;
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO account_invitations (code_hash, subject_id, created_at, expires_at) \
             VALUES ($1, $2, $3, $4)"
        )
        .bind(code.as_str())
        .bind(subject.as_str())
        .bind(now.0)
        .bind(expires_at.0)
    )
    .map(drop)
}

/// Whether an invitation is still open.
pub async fn is_open(db: &Db, code: &SecretDigest, now: UnixTime) -> Result<bool, DbError> {
    let found = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM account_invitations \
         WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2")
        .bind(code.as_str()).bind(now.0).fetch_one(p).await)?;
    Ok(found > 0)
}

/// The account that an open invitation is for.
pub async fn invited(
    tx: &mut Tx,
    code: &SecretDigest,
    now: UnixTime,
) -> Result<Option<SubjectId>, DbError> {
    let id = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT subject_id FROM account_invitations \
         WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2")
        .bind(code.as_str()).bind(now.0).fetch_optional(c).await)?;
    id.map(|id| subjects::parse(&id)).transpose()
}

/// Uses an invitation up; the account that it is for. Of any number of calls one gets it.
pub async fn redeem(
    tx: &mut Tx,
    code: &SecretDigest,
    now: UnixTime,
) -> Result<Option<SubjectId>, DbError> {
    let id = each!(tx, c => sqlx::query_scalar::<_, String>(
        "UPDATE account_invitations SET used_at = $1 \
         WHERE code_hash = $2 AND used_at IS NULL AND expires_at > $1 RETURNING subject_id")
        .bind(now.0).bind(code.as_str()).fetch_optional(c).await)?;
    id.map(|id| subjects::parse(&id)).transpose()
}

/// Deletes invitations that are over.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM account_invitations WHERE expires_at <= $1").bind(now.0)
    )
}

//! `passkeys`, `passkey_handles`, `passkey_challenges`: what people's passkeys are verified with. Whose
//! they are is a row of `subject_means`.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, RowError, Table, Tx, each, execute};
use vouchsafe_service::webauthn::NewPasskey;

use super::{StoreError, Vault, subjects};
use crate::domain::ids::{MeansId, SecretDigest, SubjectId};
pub use crate::domain::passkey::Fresh;

const TABLE: Table = Table("passkeys");

/// Seals a name.
pub fn seal(vault: &Vault, means: &MeansId, name: &str) -> Result<Vec<u8>, StoreError> {
    vault.seal(&[TABLE.0, "name", means.as_str()], &name)
}

/// Writes a passkey of an account; `false` where it leads to one already. The caller holds the account.
pub async fn insert(
    tx: &mut Tx,
    fresh: &Fresh,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<bool, DbError> {
    let Fresh {
        means,
        passkey,
        site,
        mac,
        name,
    } = fresh;
    let NewPasskey {
        credential_id,
        public_key,
        sign_count,
        backup_eligible,
        backed_up,
    } = passkey;
    // WebAuthn Level 3, section 7.1, step 26: no credential id twice.
    if !subjects::bind_passkey(tx, (means, site, mac), subject, now).await? {
        return Ok(false);
    }
    execute!(tx, sqlx::query(
        "INSERT INTO passkeys (means_id, credential_id, public_key, sign_count, backup_eligible, backed_up, name) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(means.as_str()).bind(credential_id.as_slice()).bind(public_key.as_slice())
        .bind(i64::from(*sign_count)).bind(*backup_eligible).bind(*backed_up).bind(name.as_slice()))?;
    Ok(true)
}

/// What an account is called where its passkeys lie: `fresh`, if it had no name yet.
pub async fn handle(tx: &mut Tx, subject: &SubjectId, fresh: &str) -> Result<String, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, String>(
        "INSERT INTO passkey_handles (subject_id, user_handle) VALUES ($1, $2) \
         ON CONFLICT (subject_id) DO UPDATE SET user_handle = passkey_handles.user_handle RETURNING user_handle")
        .bind(subject.as_str()).bind(fresh).fetch_one(c).await)
}

/// The credential ids of an account.
pub async fn credential_ids(db: &Db, subject: &SubjectId) -> Result<Vec<Vec<u8>>, DbError> {
    each!(db, p => sqlx::query_scalar::<_, Vec<u8>>(
        "SELECT k.credential_id FROM passkeys k JOIN subject_means m ON m.id = k.means_id \
         WHERE m.subject_id = $1 ORDER BY m.created_at, m.id LIMIT 100")
        .bind(subject.as_str()).fetch_all(p).await)
}

/// A passkey on the page of its account.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its id among what leads to the account.
    pub means: MeansId,
    /// What its owner calls it.
    pub name: String,
    /// When it was used last.
    pub used_at: Option<UnixTime>,
}

#[derive(sqlx::FromRow)]
struct NamedRow {
    means_id: String,
    name: Vec<u8>,
    used_at: Option<i64>,
}

/// The passkeys of an account.
pub async fn of_account(
    db: &Db,
    vault: &Vault,
    subject: &SubjectId,
) -> Result<Vec<Named>, StoreError> {
    let rows = each!(db, p => sqlx::query_as::<_, NamedRow>(
        "SELECT k.means_id, k.name, k.used_at FROM passkeys k JOIN subject_means m ON m.id = k.means_id \
         WHERE m.subject_id = $1 ORDER BY m.created_at, m.id LIMIT 100")
        .bind(subject.as_str()).fetch_all(p).await)?;
    let named = |row: NamedRow| {
        let NamedRow {
            means_id,
            name,
            used_at,
        } = row;
        Ok(Named {
            name: vault.open(TABLE, "name", &[TABLE.0, "name", &means_id], &name)?,
            means: MeansId::from_text(means_id),
            used_at: used_at.map(UnixTime),
        })
    };
    rows.into_iter().map(named).collect()
}

/// A passkey as it is verified.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its id among what leads to the account.
    pub means: MeansId,
    /// Whose it is.
    pub subject: SubjectId,
    /// What the account is called where its passkeys lie.
    pub handle: String,
    /// `COSE_Key`
    pub public_key: Vec<u8>,
    /// How often it had signed.
    pub sign_count: u32,
    /// Whether copies may exist elsewhere.
    pub backup_eligible: bool,
}

#[derive(sqlx::FromRow)]
struct StoredRow {
    means_id: String,
    subject_id: String,
    user_handle: String,
    public_key: Vec<u8>,
    sign_count: i64,
    backup_eligible: bool,
}

/// The passkey of this credential id that was made for this site.
pub async fn by_credential(
    db: &Db,
    site: &str,
    credential_id: &[u8],
) -> Result<Option<Stored>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, StoredRow>(
        "SELECT k.means_id, m.subject_id, h.user_handle, k.public_key, k.sign_count, k.backup_eligible \
         FROM passkeys k JOIN subject_means m ON m.id = k.means_id \
         JOIN passkey_handles h ON h.subject_id = m.subject_id \
         WHERE k.credential_id = $1 AND m.kind = 'passkey' AND m.issuer = $2")
        .bind(credential_id).bind(site).fetch_optional(p).await)?;
    let stored = |row: StoredRow| {
        Ok::<_, DbError>(Stored {
            means: MeansId::from_text(row.means_id),
            subject: subjects::parse(&row.subject_id)?,
            handle: row.user_handle,
            public_key: row.public_key,
            sign_count: u32::try_from(row.sign_count)
                .map_err(|error| -> RowError { TABLE.invalid("sign_count", error) })?,
            backup_eligible: row.backup_eligible,
        })
    };
    row.map(stored).transpose()
}

/// Writes down that a passkey signed; `false` where it is gone, or signed so often meanwhile: of two
/// answers with one count one wins. The caller holds the account.
pub async fn used(
    tx: &mut Tx,
    before: &Stored,
    (sign_count, backed_up): (u32, bool),
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "UPDATE passkeys SET sign_count = $1, backed_up = $2, used_at = $3 \
             WHERE means_id = $4 AND sign_count = $5"
        )
        .bind(i64::from(sign_count))
        .bind(backed_up)
        .bind(now.0)
        .bind(before.means.as_str())
        .bind(i64::from(before.sign_count))
    )
    .map(|rows| rows == 1)
}

/// Keeps the challenge of a ceremony; the one before it is over.
pub async fn challenge(
    tx: &mut Tx,
    owner: &str,
    challenge: &SecretDigest,
    expires_at: UnixTime,
) -> Result<(), DbError> {
    execute!(tx, sqlx::query(
        "INSERT INTO passkey_challenges (owner, challenge_hash, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (owner) DO UPDATE SET challenge_hash = EXCLUDED.challenge_hash, expires_at = EXCLUDED.expires_at")
        .bind(owner).bind(challenge.as_str()).bind(expires_at.0)).map(drop)
}

/// Uses a challenge up. Of any number of calls one gets it.
pub async fn redeem(
    tx: &mut Tx,
    owner: &str,
    challenge: &SecretDigest,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM passkey_challenges \
             WHERE owner = $1 AND challenge_hash = $2 AND expires_at > $3"
        )
        .bind(owner)
        .bind(challenge.as_str())
        .bind(now.0)
    )
    .map(|rows| rows == 1)
}

/// Deletes challenges that are over.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM passkey_challenges WHERE expires_at <= $1").bind(now.0)
    )
}

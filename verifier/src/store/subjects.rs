//! `subjects` and `subject_means`: accounts, and what leads to them.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{Db, DbError, Table, Tx, each, execute};

use super::{account_cards, authenticators, risk};
use crate::domain::ids::{MeansId, SubjectId};
use crate::domain::means::{Linked, Means, MeansKind};
use crate::domain::transaction::BindingKey;

const TABLE: Table = Table("subject_means");

/// The account that `key` points to. At the first login of a card it is `fresh`, which is then
/// written. Two first logins at once get the same account.
pub async fn resolve(
    tx: &mut Tx,
    key: &BindingKey,
    fresh: (&MeansId, &SubjectId),
    now: UnixTime,
) -> Result<SubjectId, DbError> {
    let (means, subject) = fresh;
    if bind(tx, key, means, subject, now).await? {
        insert(tx, subject, now).await?;
        return Ok(subject.clone());
    }
    find(tx, key).await?.ok_or_else(|| {
        // It was there a moment ago, in this very transaction.
        TABLE.invalid("subject_id", "no row").into()
    })
}

/// Writes an account.
pub async fn insert(tx: &mut Tx, id: &SubjectId, now: UnixTime) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query("INSERT INTO subjects (id, created_at) VALUES ($1, $2)")
            .bind(id.as_str())
            .bind(now.0)
    )
    .map(drop)
}

/// When an account was made.
pub async fn created_at(db: &Db, id: &SubjectId) -> Result<Option<UnixTime>, DbError> {
    let at = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT created_at FROM subjects WHERE id = $1").bind(id.as_str()).fetch_optional(p).await)?;
    Ok(at.map(UnixTime))
}

/// Deletes an account that is held, and what hangs on it but its sessions, which are ended
/// thereafter.
pub async fn delete(tx: &mut Tx, id: &SubjectId) -> Result<(), DbError> {
    const ALL: [&str; 19] = [
        "DELETE FROM passkeys WHERE means_id IN (SELECT id FROM subject_means WHERE subject_id = $1)",
        "DELETE FROM passkey_handles WHERE subject_id = $1",
        "DELETE FROM passkey_challenges WHERE owner IN \
         (SELECT 'session ' || id FROM login_sessions WHERE subject_id = $1)",
        "DELETE FROM subject_means WHERE subject_id = $1",
        "DELETE FROM account_authenticators WHERE subject_id = $1",
        "DELETE FROM authenticator_guesses WHERE subject_id = $1",
        "DELETE FROM account_cards WHERE subject_id = $1",
        "DELETE FROM account_notices WHERE subject_id = $1",
        "DELETE FROM account_bindings WHERE subject_id = $1",
        "DELETE FROM journey_holds WHERE subject_id = $1",
        "DELETE FROM account_identifiers WHERE subject_id = $1",
        "DELETE FROM account_invitations WHERE subject_id = $1",
        "DELETE FROM account_attributes WHERE subject_id = $1",
        "DELETE FROM account_refusals WHERE subject_id = $1",
        "DELETE FROM account_logins WHERE subject_id = $1",
        "DELETE FROM risk_accounts WHERE subject_id = $1",
        "DELETE FROM consent_events WHERE consent_id IN (SELECT id FROM consents WHERE subject_id = $1 \
         OR session_id IN (SELECT id FROM login_sessions WHERE subject_id = $1))",
        "DELETE FROM consents WHERE subject_id = $1 \
         OR session_id IN (SELECT id FROM login_sessions WHERE subject_id = $1)",
        "DELETE FROM subjects WHERE id = $1",
    ];
    // Its logins no longer count for what is usual either.
    risk::forget_account(tx, id).await?;
    for sql in ALL {
        execute!(tx, sqlx::query(sql).bind(id.as_str()))?;
    }
    Ok(())
}

/// The account that a card, or an account at another provider, leads to, if it leads to one.
pub async fn find(tx: &mut Tx, key: &BindingKey) -> Result<Option<SubjectId>, DbError> {
    let id = each!(tx, c => sqlx::query_scalar::<_, String>(
        "SELECT subject_id FROM subject_means WHERE kind = $5 \
         AND framework = $1 AND issuer = $2 AND credential_type = $3 AND claim_mac = $4")
        .bind(key.framework.as_str()).bind(key.issuer.as_str()).bind(key.credential_type.as_str())
        .bind(key.claim_mac.as_str()).bind(key.kind().name()).fetch_optional(c).await)?;
    id.map(|id| parse(&id)).transpose()
}

/// Lets it lead to an account; `false` where it leads to one already.
pub async fn bind(
    tx: &mut Tx,
    key: &BindingKey,
    means: &MeansId,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(tx, sqlx::query(
        "INSERT INTO subject_means (id, kind, framework, issuer, credential_type, claim_mac, subject_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING")
        .bind(means.as_str()).bind(key.kind().name())
        .bind(key.framework.as_str()).bind(key.issuer.as_str()).bind(key.credential_type.as_str())
        .bind(key.claim_mac.as_str()).bind(subject.as_str()).bind(now.0)).map(|rows| rows == 1)
}

/// Keeps an account as it is until the transaction is over; `false` where there is none. Whoever writes
/// for an account holds it first: the account, means, attributes, consents, sessions.
pub async fn hold(tx: &mut Tx, subject: &SubjectId) -> Result<bool, DbError> {
    // An update that changes nothing locks the row on PostgreSQL; SQLite has one writer.
    execute!(
        tx,
        sqlx::query("UPDATE subjects SET created_at = created_at WHERE id = $1")
            .bind(subject.as_str())
    )
    .map(|rows| rows == 1)
}

/// Lets a passkey lead to an account; `false` where it leads to one already.
pub(super) async fn bind_passkey(
    tx: &mut Tx,
    (means, site, mac): (&MeansId, &str, &str),
    subject: &SubjectId,
    now: UnixTime,
) -> Result<bool, DbError> {
    execute!(tx, sqlx::query(
        "INSERT INTO subject_means (id, kind, framework, issuer, credential_type, claim_mac, subject_id, created_at) \
         VALUES ($1, $2, 'webauthn', $3, '', $4, $5, $6) ON CONFLICT DO NOTHING")
        .bind(means.as_str()).bind(MeansKind::Passkey.name()).bind(site).bind(mac)
        .bind(subject.as_str()).bind(now.0)).map(|rows| rows == 1)
}

/// Whether something leads to an account. The caller holds the account.
pub async fn leads(tx: &mut Tx, means: &MeansId, subject: &SubjectId) -> Result<bool, DbError> {
    let found = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM subject_means WHERE id = $1 AND subject_id = $2")
        .bind(means.as_str()).bind(subject.as_str()).fetch_one(c).await)?;
    Ok(found > 0)
}

/// Whether a passkey with this mark leads to some account already. The caller holds the table.
pub async fn has_passkey(tx: &mut Tx, mac: &str) -> Result<bool, DbError> {
    let found = each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM subject_means WHERE kind = 'passkey' AND claim_mac = $1")
        .bind(mac).fetch_one(c).await)?;
    Ok(found > 0)
}

/// What leads to one account at most. The page of the account shows all of it.
pub const MOST: i64 = 20;

/// How much leads to an account.
pub async fn count(tx: &mut Tx, subject: &SubjectId) -> Result<i64, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM subject_means WHERE subject_id = $1")
        .bind(subject.as_str()).fetch_one(c).await)
}

/// Lets it lead to an account, unless it leads to another one.
pub async fn link(
    tx: &mut Tx,
    key: &BindingKey,
    means: &MeansId,
    subject: &SubjectId,
    now: UnixTime,
) -> Result<Linked, DbError> {
    tx.lock("subject_means").await?;
    if find(tx, key).await?.is_none() && count(tx, subject).await? >= MOST {
        return Ok(Linked::TooMany);
    }
    if bind(tx, key, means, subject, now).await? {
        return Ok(Linked::New);
    }
    Ok(match find(tx, key).await? {
        Some(owner) if owner == *subject => Linked::Already,
        _ => Linked::Elsewhere,
    })
}

#[derive(sqlx::FromRow)]
struct MeansRow {
    id: String,
    kind: String,
    issuer: String,
    credential_type: String,
    created_at: i64,
}

impl TryFrom<MeansRow> for Means {
    type Error = DbError;

    fn try_from(row: MeansRow) -> Result<Self, DbError> {
        let MeansRow {
            id,
            kind,
            issuer,
            credential_type,
            created_at,
        } = row;
        let kind = MeansKind::from_name(&kind).ok_or_else(|| TABLE.invalid("kind", "not known"))?;
        Ok(Self {
            id: MeansId::from_text(id),
            kind,
            issuer,
            credential_type,
            created_at: UnixTime(created_at),
        })
    }
}

/// What leads to an account, oldest first.
pub async fn means_of(db: &Db, subject: &SubjectId) -> Result<Vec<Means>, DbError> {
    let rows = each!(db, p => sqlx::query_as::<_, MeansRow>(
        "SELECT id, kind, issuer, credential_type, created_at FROM subject_means \
         WHERE subject_id = $1 ORDER BY created_at, id LIMIT 100")
        .bind(subject.as_str()).fetch_all(p).await)?;
    rows.into_iter().map(Means::try_from).collect()
}

/// Lets something lead to this account no longer. What it was; `None`: nothing has changed. The last card
/// stays, whatever passkeys there are: they stand for what was shown, and ask for it again.
pub async fn unlink(
    tx: &mut Tx,
    subject: &SubjectId,
    means: &MeansId,
) -> Result<Option<MeansKind>, DbError> {
    hold(tx, subject).await?;
    // Two at once would each see the other's.
    tx.lock("subject_means").await?;
    let kind = each!(tx, c => sqlx::query_scalar::<_, String>(
        "DELETE FROM subject_means WHERE id = $1 AND subject_id = $2 \
         AND EXISTS (SELECT 1 FROM subject_means o WHERE o.subject_id = $2 AND o.id <> $1 AND o.kind <> 'passkey') \
         RETURNING kind")
        .bind(means.as_str()).bind(subject.as_str()).fetch_optional(c).await)?;
    let Some(kind) = kind else { return Ok(None) };
    let kind = MeansKind::from_name(&kind).ok_or_else(|| TABLE.invalid("kind", "not known"))?;
    match kind {
        MeansKind::Passkey => {
            execute!(
                tx,
                sqlx::query("DELETE FROM passkeys WHERE means_id = $1").bind(means.as_str())
            )?;
        }
        // Whose card it was may be what the passkeys stood for.
        MeansKind::Credential | MeansKind::Upstream => account_cards::forget(tx, subject).await?,
    }
    Ok(Some(kind))
}

/// Old passkeys lead to the account no longer: all but `keeps`, or without it those that were linked before
/// `before`. Nor do accounts elsewhere that were linked before it, where a card leads here: whoever had the
/// old means may have linked one. An authenticator app goes as passkeys do.
pub async fn remove_passkeys(
    tx: &mut Tx,
    subject: &SubjectId,
    (keeps, before): (Option<&MeansId>, UnixTime),
) -> Result<u64, DbError> {
    tx.lock("subject_means").await?;
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM subject_means WHERE subject_id = $1 AND kind = 'upstream' AND created_at < $2 \
             AND EXISTS (SELECT 1 FROM subject_means AS card \
             WHERE card.subject_id = $1 AND card.kind = 'credential')"
        )
        .bind(subject.as_str())
        .bind(before.0)
    )?;
    let before = match keeps {
        Some(_) => i64::MAX,
        None => before.0,
    };
    authenticators::remove_before(tx, subject, before).await?;
    let keeps = keeps.map_or("", MeansId::as_str);
    let gone = execute!(
        tx,
        sqlx::query(
            "DELETE FROM passkeys WHERE means_id IN (SELECT id FROM subject_means \
             WHERE subject_id = $1 AND kind = 'passkey' AND created_at < $2 AND id <> $3)"
        )
        .bind(subject.as_str())
        .bind(before)
        .bind(keeps)
    )?;
    execute!(
        tx,
        sqlx::query(
            "DELETE FROM subject_means \
             WHERE subject_id = $1 AND kind = 'passkey' AND created_at < $2 AND id <> $3"
        )
        .bind(subject.as_str())
        .bind(before)
        .bind(keeps)
    )?;
    Ok(gone)
}

pub(super) fn parse(id: &str) -> Result<SubjectId, DbError> {
    SubjectId::parse(id).map_err(|error| TABLE.invalid("subject_id", error).into())
}

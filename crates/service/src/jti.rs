//! Replay store: identifiers that are accepted once (`jti`, consumed nonces).

use sha2::{Digest, Sha256};
use vouchsafe_credentials::{encoding::b64url, time::UnixTime};

use crate::{
    db::{Db, DbError, STEP, Tx},
    delete_step, each, execute,
};

/// What an identifier belongs to; the same text in two kinds is two identifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdentifierKind {
    /// `jti` of a DPoP proof (RFC 9449, section 11.1); scope: the key's thumbprint.
    DpopProof,
    /// `jti` of a client assertion (RFC 7523, section 3); scope: the client.
    ClientAssertion,
    /// `jti` of a proof of a client attestation; scope: the thumbprint of the attested key.
    AttestationProof,
    /// `c_nonce` of an accepted credential request (OpenID4VCI 1.0, section 7).
    CredentialNonce,
    /// `jti` of a logout token that we received.
    LogoutToken,
    /// A form of a console that must not be sent twice; scope: the session.
    ConsoleForm,
}

impl IdentifierKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::DpopProof => "dpop_proof",
            Self::ClientAssertion => "client_assertion",
            Self::AttestationProof => "attestation_proof",
            Self::CredentialNonce => "credential_nonce",
            Self::LogoutToken => "logout_token",
            Self::ConsoleForm => "console_form",
        }
    }
}

/// An identifier on its way into a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    kind: IdentifierKind,
    hash: String,
    expires_at: UnixTime,
}

impl Identifier {
    /// `scope` is who chose the identifier (a client, a key). Nothing is kept but a hash, and only
    /// until the token would be refused for its age anyway.
    pub fn new(kind: IdentifierKind, scope: &str, identifier: &str, expires_at: UnixTime) -> Self {
        let hash = hash(scope, identifier);
        Self {
            kind,
            hash,
            expires_at,
        }
    }

    /// What it belongs to.
    pub const fn kind(&self) -> IdentifierKind {
        self.kind
    }
}

/// Remembers identifiers, two with each statement. The kind of one that was seen before: then the
/// caller undoes the transaction.
#[must_use = "an identifier that was seen before must be acted upon"]
pub async fn use_up(
    tx: &mut Tx,
    identifiers: &[Identifier],
) -> Result<Option<IdentifierKind>, DbError> {
    for some in identifiers.chunks(2) {
        let fresh = match some {
            [one, two] => insert_two(tx, one, two).await?,
            _ => insert_each(tx, some).await?,
        };
        let seen = some.iter().find(|one| !fresh.contains(&one.hash));
        // The same one twice: one row for both.
        let seen = seen.or(some.last().filter(|_| fresh.len() < some.len()));
        if let Some(seen) = seen {
            return Ok(Some(seen.kind));
        }
    }
    Ok(None)
}

async fn insert_two(
    tx: &mut Tx,
    one: &Identifier,
    two: &Identifier,
) -> Result<Vec<String>, DbError> {
    each!(tx, c => sqlx::query_scalar::<_, String>(
        "INSERT INTO seen_identifier (kind, hash, expires_at) VALUES ($1, $2, $3), ($4, $5, $6)
         ON CONFLICT (kind, hash) DO NOTHING RETURNING hash")
        .bind(one.kind.as_str()).bind(&one.hash).bind(one.expires_at.0)
        .bind(two.kind.as_str()).bind(&two.hash).bind(two.expires_at.0)
        .fetch_all(c).await)
}

async fn insert_each(tx: &mut Tx, some: &[Identifier]) -> Result<Vec<String>, DbError> {
    let mut fresh = Vec::new();
    for one in some {
        if insert(tx, one).await? {
            fresh.push(one.hash.clone());
        }
    }
    Ok(fresh)
}

async fn insert(tx: &mut Tx, one: &Identifier) -> Result<bool, DbError> {
    let inserted = execute!(
        tx,
        sqlx::query(
            "INSERT INTO seen_identifier (kind, hash, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (kind, hash) DO NOTHING"
        )
        .bind(one.kind.as_str())
        .bind(&one.hash)
        .bind(one.expires_at.0)
    )?;
    Ok(inserted == 1)
}

/// The kind of an identifier that was seen, of several: a first look that saves work. [`use_up`]
/// decides.
pub async fn seen(db: &Db, identifiers: &[Identifier]) -> Result<Option<IdentifierKind>, DbError> {
    for some in identifiers.chunks(2) {
        let (Some(one), Some(two)) = (some.first(), some.last()) else {
            continue;
        };
        let found = each!(db, p => sqlx::query_scalar::<_, String>(
            "SELECT hash FROM seen_identifier
             WHERE (kind = $1 AND hash = $2) OR (kind = $3 AND hash = $4) LIMIT 1")
            .bind(one.kind.as_str()).bind(&one.hash)
            .bind(two.kind.as_str()).bind(&two.hash)
            .fetch_optional(p).await)?;
        if let Some(hash) = found {
            let kind = if one.hash == hash { one.kind } else { two.kind };
            return Ok(Some(kind));
        }
    }
    Ok(None)
}

/// Remembers an identifier until `expires_at`; `false` if it was seen before.
///
/// `scope` is who chose the identifier (a client, a key).
pub async fn first_use(
    tx: &mut Tx,
    kind: IdentifierKind,
    scope: &str,
    identifier: &str,
    expires_at: UnixTime,
) -> Result<bool, DbError> {
    insert(tx, &Identifier::new(kind, scope, identifier, expires_at)).await
}

/// Deletes identifiers that expired before `before`, [`STEP`] of them at most.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!(
            "seen_identifier",
            "kind, hash",
            "expires_at < $1"
        ))
        .bind(before.0)
        .bind(i64::from(STEP))
    )
}

/// Length-prefixed, so that two pairs never share a hash.
fn hash(scope: &str, identifier: &str) -> String {
    let mut digest = Sha256::new();
    digest.update((scope.len() as u64).to_be_bytes());
    digest.update(scope.as_bytes());
    digest.update(identifier.as_bytes());
    b64url(&digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, testing::for_each_database};

    const NOW: UnixTime = UnixTime(1_800_000_000);

    async fn first(db: &Db, kind: IdentifierKind, scope: &'static str, id: &'static str) -> bool {
        db.write(async move |tx| first_use(tx, kind, scope, id, NOW).await)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn of_a_hundred_at_once_one_is_the_first() {
        for_each_database(&[], async |db| {
            let tries = (0..100).map(|_| {
                let db = db.clone();
                tokio::spawn(
                    async move { first(&db, IdentifierKind::DpopProof, "key", "jti").await },
                )
            });
            let mut won = 0;
            for attempt in tries.collect::<Vec<_>>() {
                won += u32::from(attempt.await.unwrap());
            }
            assert_eq!(won, 1);
        })
        .await;
    }

    #[tokio::test]
    async fn kinds_and_scopes_are_apart() {
        for_each_database(&[], async |db| {
            use IdentifierKind::{ClientAssertion, DpopProof};
            assert!(first(&db, DpopProof, "a", "bc").await);
            assert!(first(&db, DpopProof, "ab", "c").await);
            assert!(first(&db, ClientAssertion, "a", "bc").await);
            assert!(!first(&db, DpopProof, "a", "bc").await);
            let purged = db
                .write(async |tx| purge(tx, NOW.plus(1)).await)
                .await
                .unwrap();
            assert_eq!(purged, 3);
        })
        .await;
    }

    async fn used(db: &Db, some: Vec<Identifier>) -> Option<IdentifierKind> {
        #[derive(Debug, thiserror::Error)]
        enum Undone {
            #[error("seen")]
            Seen(IdentifierKind),
            #[error(transparent)]
            Db(#[from] DbError),
        }
        let done = db
            .write(async move |tx| match use_up(tx, &some).await? {
                Some(kind) => Err(Undone::Seen(kind)),
                None => Ok(()),
            })
            .await;
        match done {
            Ok(()) => None,
            Err(Undone::Seen(kind)) => Some(kind),
            Err(Undone::Db(error)) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn several_are_used_up_together_or_not_at_all() {
        for_each_database(&[], async |db| {
            use IdentifierKind::{CredentialNonce, DpopProof};
            let proof = |id| Identifier::new(DpopProof, "key", id, NOW);
            let nonce = |id| Identifier::new(CredentialNonce, "issuer", id, NOW);
            let (db, all) = (&db, |ids: &[Identifier]| ids.to_vec());
            let both = all(&[proof("a"), nonce("1")]);
            assert_eq!(seen(db, &both).await.unwrap(), None);
            assert_eq!(used(db, both.clone()).await, None);
            assert_eq!(
                seen(db, &[proof("b"), nonce("1")]).await.unwrap(),
                Some(CredentialNonce)
            );
            assert_eq!(
                seen(db, &[proof("a"), nonce("2")]).await.unwrap(),
                Some(DpopProof)
            );
            assert_eq!(seen(db, &[proof("a")]).await.unwrap(), Some(DpopProof));
            // The text of one kind is no other kind's.
            assert_eq!(seen(db, &[proof("1"), nonce("a")]).await.unwrap(), None);
            assert_eq!(
                used(db, all(&[proof("b"), nonce("1")])).await,
                Some(CredentialNonce)
            );
            assert_eq!(
                used(db, all(&[proof("a"), nonce("2")])).await,
                Some(DpopProof)
            );
            assert_eq!(used(db, both).await, Some(DpopProof));
            assert_eq!(
                used(db, all(&[nonce("3"), nonce("3")])).await,
                Some(CredentialNonce)
            );
            let many = all(&[proof("b"), nonce("2"), nonce("3"), nonce("4"), nonce("1")]);
            assert_eq!(used(db, many.clone()).await, Some(CredentialNonce));
            assert_eq!(used(db, many[..4].to_vec()).await, None);
            assert_eq!(seen(db, &many).await.unwrap(), Some(DpopProof));
            assert_eq!(used(db, Vec::new()).await, None);
        })
        .await;
    }
}

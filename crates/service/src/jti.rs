//! Replay store: identifiers that are accepted once (`jti`, consumed nonces).

use sha2::{Digest, Sha256};
use vouchsafe_credentials::{encoding::b64url, time::UnixTime};

use crate::{
    db::{Db, DbError, Tx},
    each, execute,
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
}

impl IdentifierKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::DpopProof => "dpop_proof",
            Self::ClientAssertion => "client_assertion",
            Self::AttestationProof => "attestation_proof",
            Self::CredentialNonce => "credential_nonce",
            Self::LogoutToken => "logout_token",
        }
    }
}

/// Remembers an identifier until `expires_at`; `false` if it was seen before.
///
/// `scope` is who chose the identifier (a client, a key). Nothing is stored but a hash, and only
/// until the token would be refused for its age anyway.
pub async fn first_use(
    tx: &mut Tx,
    kind: IdentifierKind,
    scope: &str,
    identifier: &str,
    expires_at: UnixTime,
) -> Result<bool, DbError> {
    let inserted = execute!(
        tx,
        sqlx::query(
            "INSERT INTO seen_identifier (kind, hash, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (kind, hash) DO NOTHING"
        )
        .bind(kind.as_str())
        .bind(hash(scope, identifier))
        .bind(expires_at.0)
    )?;
    Ok(inserted == 1)
}

/// Whether an identifier was seen: a first look that saves work. [`first_use`] decides.
pub async fn was_used(
    db: &Db,
    kind: IdentifierKind,
    scope: &str,
    identifier: &str,
) -> Result<bool, DbError> {
    let seen = each!(db, p => sqlx::query_scalar::<_, i64>(
        "SELECT COUNT(*) FROM seen_identifier WHERE kind = $1 AND hash = $2")
        .bind(kind.as_str()).bind(hash(scope, identifier)).fetch_one(p).await)?;
    Ok(seen > 0)
}

/// Deletes identifiers that expired before `before`.
pub async fn purge(tx: &mut Tx, before: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query("DELETE FROM seen_identifier WHERE expires_at < $1").bind(before.0)
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
            assert!(!was_used(&db, DpopProof, "a", "bc").await.unwrap());
            assert!(first(&db, DpopProof, "a", "bc").await);
            assert!(was_used(&db, DpopProof, "a", "bc").await.unwrap());
            assert!(!was_used(&db, ClientAssertion, "a", "bc").await.unwrap());
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
}

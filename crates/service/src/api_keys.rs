//! Keys of the administration interfaces: shown once, stored as a hash. Access tokens of
//! [`crate::api_clients`] open the same doors.

use sha2::{Digest, Sha256};
use vouchsafe_credentials::{
    encoding::b64url,
    random::{Rng, token},
    time::UnixTime,
};

use crate::{
    api_clients,
    db::{Db, DbError, Tx},
    each, execute,
};

/// Prefix of every key, so that secret scanners find one that leaked.
const PREFIX: &str = "vsk_";

/// A fresh key in plain. It is shown to the operator once; `Debug` hides it.
pub struct ApiKeySecret(String);

impl ApiKeySecret {
    /// 256 random bits behind the prefix `vsk_`.
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(format!("{PREFIX}{}", token(rng)))
    }

    /// The text to hand over.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ApiKeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKeySecret(…)")
    }
}

/// A key to be stored.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Identifier for lists and revocation.
    pub id: String,
    /// For people: whose key it is.
    pub name: String,
    /// What the key may do; an empty list allows nothing.
    pub scopes: Vec<String>,
    /// Now.
    pub created_at: UnixTime,
    /// When the key stops working.
    pub expires_at: Option<UnixTime>,
}

/// How a caller shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// With a key.
    Key,
    /// With an access token that a client fetched.
    Client,
}

/// Who made a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCaller {
    /// What the caller showed.
    pub kind: CallerKind,
    /// Identifier of the key or the client.
    pub id: String,
    /// Name of the key or the client.
    pub name: String,
    scopes: Vec<String>,
}

impl ApiCaller {
    pub(crate) fn new(kind: CallerKind, id: String, name: String, scopes: &str) -> Self {
        Self {
            kind,
            id,
            name,
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// The name in the audit log.
    pub fn actor(&self) -> String {
        match self.kind {
            CallerKind::Key => format!("key:{}", self.id),
            CallerKind::Client => format!("client:{}", self.id),
        }
    }

    /// Whether the key carries exactly this scope. There are no wildcards.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// Whether the key carries this scope or one for a part of it, `scope:…`.
    pub fn may_in_part(&self, scope: &str) -> bool {
        let part = |own: &String| {
            let rest = own
                .strip_prefix(scope)
                .and_then(|own| own.strip_prefix(':'));
            rest.is_some_and(|rest| !rest.is_empty())
        };
        self.may(scope) || self.scopes.iter().any(part)
    }
}

/// Stores the hash of a key. `DbError::Duplicate` if the id or the key is there already.
pub async fn insert(tx: &mut Tx, key: &NewApiKey, secret: &ApiKeySecret) -> Result<(), DbError> {
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO api_key (id, name, secret_hash, scopes, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)"
        )
        .bind(key.id.as_str())
        .bind(key.name.as_str())
        .bind(hash(secret.expose()))
        .bind(key.scopes.join(" "))
        .bind(key.created_at.0)
        .bind(key.expires_at.map(|at| at.0))
    )?;
    Ok(())
}

/// Who holds `secret`, if it is a key or the access token of a client that works now.
///
/// The look-up is by hash of a value with 256 random bits, so its timing tells nothing.
pub async fn authenticate(
    db: &Db,
    secret: &str,
    now: UnixTime,
) -> Result<Option<ApiCaller>, DbError> {
    if secret.len() > 128 {
        return Ok(None);
    }
    if secret.starts_with(api_clients::TOKEN_PREFIX) {
        return api_clients::holder(db, secret, now).await;
    }
    if !secret.starts_with(PREFIX) {
        return Ok(None);
    }
    let row = each!(db, p => sqlx::query_as::<_, CallerRow>(
        "SELECT id, name, scopes FROM api_key WHERE secret_hash = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)")
        .bind(hash(secret)).bind(now.0).fetch_optional(p).await)?;
    Ok(
        row.map(|CallerRow { id, name, scopes }| {
            ApiCaller::new(CallerKind::Key, id, name, &scopes)
        }),
    )
}

/// Revokes a key for good; `false` if there is no such key or it was revoked before.
pub async fn revoke(tx: &mut Tx, id: &str, now: UnixTime) -> Result<bool, DbError> {
    let changed = execute!(
        tx,
        sqlx::query("UPDATE api_key SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
            .bind(id)
            .bind(now.0)
    )?;
    Ok(changed == 1)
}

#[derive(sqlx::FromRow)]
struct CallerRow {
    id: String,
    name: String,
    scopes: String,
}

pub(crate) fn hash(secret: &str) -> String {
    b64url(&Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{db::testing::for_each_database, random::OsRandom};

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[tokio::test]
    async fn a_key_works_until_it_expires_or_is_revoked() {
        for_each_database(&[], async |db| {
            let secret = ApiKeySecret::generate(&OsRandom);
            let text = secret.expose().to_owned();
            db.write(async move |tx| {
                let key = NewApiKey {
                    id: "1".into(),
                    name: "club".into(),
                    scopes: vec!["offers:write".into()],
                    created_at: NOW,
                    expires_at: Some(NOW.plus(10)),
                };
                insert(tx, &key, &secret).await
            })
            .await
            .unwrap();
            let caller = authenticate(&db, &text, NOW).await.unwrap().unwrap();
            assert_eq!((caller.id.as_str(), caller.name.as_str()), ("1", "club"));
            assert_eq!(caller.actor(), "key:1");
            assert!(caller.may("offers:write"));
            for other in ["offers:read", "offers", "offers:write ", "*", ""] {
                assert!(!caller.may(other), "{other}");
            }
            for (scope, part) in [
                ("offers:write", true),
                ("offers", true),
                ("offers:write:a", false),
                ("offer", false),
                ("", false),
            ] {
                assert_eq!(caller.may_in_part(scope), part, "{scope}");
            }
            let upper = text.to_uppercase();
            for wrong in [
                "",
                "vsk_",
                &text[4..],
                &text[..text.len() - 1],
                upper.as_str(),
            ] {
                assert_eq!(
                    authenticate(&db, wrong, NOW).await.unwrap(),
                    None,
                    "{wrong}"
                );
            }
            assert_eq!(authenticate(&db, &text, NOW.plus(10)).await.unwrap(), None);
            let revoke_it = async || {
                db.write(async |tx| revoke(tx, "1", NOW).await)
                    .await
                    .unwrap()
            };
            assert!(revoke_it().await);
            assert!(!revoke_it().await);
            assert_eq!(authenticate(&db, &text, NOW).await.unwrap(), None);
        })
        .await;
    }

    #[test]
    fn debug_hides_the_key() {
        let secret = ApiKeySecret::generate(&OsRandom);
        assert!(!format!("{secret:?}").contains(&secret.expose()[4..]));
        assert_eq!(secret.expose().len(), 47);
    }
}

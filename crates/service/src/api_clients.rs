//! OAuth clients of the administration interfaces (RFC 6749, section 4.4) and their access tokens.
//!
//! A secret is shown once and kept as a hash, as is an access token. Whether an assertion is good is
//! for the caller to find out, with the keys that [`find`] gives.

use vouchsafe_credentials::{
    crypto::constant_time_eq,
    jwks::JwkSet,
    random::{Rng, token},
    time::UnixTime,
};

use crate::{
    api_keys::{ApiCaller, CallerKind, hash},
    db::{Db, DbError, RowError, STEP, Table, Tx},
    delete_step, each, execute,
};

const TABLE: Table = Table("api_client");
/// Prefix of every secret, so that scanners find one that leaked.
const SECRET_PREFIX: &str = "vsc_";
/// Prefix of every access token.
pub(crate) const TOKEN_PREFIX: &str = "vst_";
/// How long an access token works, in seconds.
pub const TOKEN_S: i64 = 600;

/// A fresh secret or access token in plain. It is shown once; `Debug` hides it.
pub struct Shown(String);

impl Shown {
    /// A client's secret: 256 random bits behind the prefix `vsc_`.
    pub fn secret(rng: &dyn Rng) -> Self {
        Self(format!("{SECRET_PREFIX}{}", token(rng)))
    }

    /// An access token: 256 random bits behind the prefix `vst_`.
    pub fn token(rng: &dyn Rng) -> Self {
        Self(format!("{TOKEN_PREFIX}{}", token(rng)))
    }

    /// The text to hand over.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown(…)")
    }
}

/// How a client authenticates, and no other way.
#[derive(Debug, Clone)]
pub enum ClientMethod {
    /// `client_secret_basic`; SHA-256 of the secret.
    Secret(String),
    /// `private_key_jwt`.
    Keys(JwkSet),
}

impl ClientMethod {
    /// The method of a client with this secret.
    pub fn of_secret(secret: &Shown) -> Self {
        Self::Secret(hash(secret.expose()))
    }

    /// Whether a secret is the one of this client.
    pub fn is_secret(&self, secret: &str) -> bool {
        match self {
            Self::Secret(kept) => constant_time_eq(kept.as_bytes(), hash(secret).as_bytes()),
            Self::Keys(_) => false,
        }
    }
}

/// A client.
#[derive(Debug, Clone)]
pub struct ApiClient {
    /// Its `client_id`.
    pub id: String,
    /// For people: whose client it is.
    pub name: String,
    /// How it authenticates.
    pub method: ClientMethod,
    /// What it may ask for; an empty list allows nothing.
    pub scopes: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct ClientRow {
    id: String,
    name: String,
    secret_hash: Option<String>,
    jwks: Option<String>,
    scopes: String,
}

impl TryFrom<ClientRow> for ApiClient {
    type Error = RowError;

    fn try_from(row: ClientRow) -> Result<Self, RowError> {
        let ClientRow {
            id,
            name,
            secret_hash,
            jwks,
            scopes,
        } = row;
        let method = match (secret_hash, jwks) {
            (Some(hash), None) => ClientMethod::Secret(hash),
            (None, Some(jwks)) => {
                let keys = JwkSet::parse(jwks.as_bytes());
                ClientMethod::Keys(keys.map_err(|error| TABLE.invalid("jwks", error))?)
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(TABLE.invalid("secret_hash", "both or neither"));
            }
        };
        Ok(Self {
            id,
            name,
            method,
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// Stores a client. `jwks` is the text of its keys, for a client that has some.
pub async fn insert(
    tx: &mut Tx,
    client: &ApiClient,
    jwks: Option<&str>,
    now: UnixTime,
) -> Result<(), DbError> {
    let secret = match &client.method {
        ClientMethod::Secret(hash) => Some(hash.as_str()),
        ClientMethod::Keys(_) => None,
    };
    execute!(
        tx,
        sqlx::query(
            "INSERT INTO api_client (id, name, secret_hash, jwks, scopes, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6)"
        )
        .bind(&client.id)
        .bind(&client.name)
        .bind(secret)
        .bind(jwks)
        .bind(client.scopes.join(" "))
        .bind(now.0)
    )
    .map(drop)
}

/// The client with this id, unless it was revoked.
pub async fn find(db: &Db, id: &str) -> Result<Option<ApiClient>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, ClientRow>(
        "SELECT id, name, secret_hash, jwks, scopes FROM api_client \
         WHERE id = $1 AND revoked_at IS NULL")
        .bind(id).fetch_optional(p).await)?;
    Ok(row.map(ApiClient::try_from).transpose()?)
}

/// Revokes a client, and its access tokens with it; `false` if there is no such client or it was
/// revoked before.
pub async fn revoke(tx: &mut Tx, id: &str, now: UnixTime) -> Result<bool, DbError> {
    let changed = execute!(
        tx,
        sqlx::query("UPDATE api_client SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
            .bind(id)
            .bind(now.0)
    )?;
    execute!(
        tx,
        sqlx::query("DELETE FROM api_token WHERE client_id = $1").bind(id)
    )?;
    Ok(changed == 1)
}

/// Stores an access token of a client for [`TOKEN_S`] seconds. `false`: the client was revoked in
/// between.
pub async fn grant(
    tx: &mut Tx,
    client: &str,
    token: &Shown,
    scopes: &[String],
    now: UnixTime,
) -> Result<bool, DbError> {
    let rows = execute!(
        tx,
        sqlx::query(
            "INSERT INTO api_token (token_hash, client_id, scopes, expires_at) \
             SELECT $1, id, $3, $4 FROM api_client WHERE id = $2 AND revoked_at IS NULL"
        )
        .bind(hash(token.expose()))
        .bind(client)
        .bind(scopes.join(" "))
        .bind(now.plus(TOKEN_S).0)
    )?;
    Ok(rows == 1)
}

#[derive(sqlx::FromRow)]
struct HolderRow {
    id: String,
    name: String,
    scopes: String,
}

/// Which client holds this access token.
pub(crate) async fn holder(
    db: &Db,
    token: &str,
    now: UnixTime,
) -> Result<Option<ApiCaller>, DbError> {
    let row = each!(db, p => sqlx::query_as::<_, HolderRow>(
        "SELECT c.id, c.name, t.scopes FROM api_token AS t \
         JOIN api_client AS c ON c.id = t.client_id \
         WHERE t.token_hash = $1 AND t.expires_at > $2 AND c.revoked_at IS NULL")
        .bind(hash(token)).bind(now.0).fetch_optional(p).await)?;
    Ok(row.map(|HolderRow { id, name, scopes }| {
        ApiCaller::new(CallerKind::Client, id, name, &scopes)
    }))
}

/// Deletes access tokens that are over, [`STEP`] of them at most; returns how many.
pub async fn purge(tx: &mut Tx, now: UnixTime) -> Result<u64, DbError> {
    execute!(
        tx,
        sqlx::query(delete_step!("api_token", "token_hash", "expires_at <= $1"))
            .bind(now.0)
            .bind(i64::from(STEP))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api_keys::authenticate, db::testing::for_each_database, random::OsRandom};

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn client(secret: &Shown) -> ApiClient {
        ApiClient {
            id: "c-1".into(),
            name: "crm".into(),
            method: ClientMethod::of_secret(secret),
            scopes: vec!["offers:read".into(), "offers:write".into()],
        }
    }

    #[tokio::test]
    async fn a_token_works_until_it_ends_or_its_client_is_revoked() {
        for_each_database(&[], async |db| {
            let secret = Shown::secret(&OsRandom);
            let new = client(&secret);
            db.write(async move |tx| insert(tx, &new, None, NOW).await)
                .await
                .unwrap();
            let found = find(&db, "c-1").await.unwrap().unwrap();
            assert!(found.method.is_secret(secret.expose()));
            assert!(!found.method.is_secret(""));
            assert!(find(&db, "c-2").await.unwrap().is_none());
            let give = async |at: UnixTime| {
                let token = Shown::token(&OsRandom);
                let text = token.expose().to_owned();
                let scopes = vec!["offers:read".to_owned()];
                let write = async move |tx: &mut Tx| grant(tx, "c-1", &token, &scopes, at).await;
                (db.write(write).await.unwrap(), text)
            };
            let (given, text) = give(NOW).await;
            assert!(given);
            let caller = authenticate(&db, &text, NOW).await.unwrap().unwrap();
            assert_eq!((caller.kind, &*caller.id), (CallerKind::Client, "c-1"));
            assert_eq!(caller.actor(), "client:c-1");
            // The token carries what was asked for, not what the client may.
            assert!(caller.may("offers:read") && !caller.may("offers:write"));
            let end = NOW.plus(TOKEN_S);
            assert_eq!(authenticate(&db, &text, end).await.unwrap(), None);
            // The secret opens no door, and neither does the hash of the token.
            for wrong in [secret.expose(), &hash(&text), TOKEN_PREFIX] {
                assert_eq!(authenticate(&db, wrong, NOW).await.unwrap(), None);
            }
            let purged = db.write(async move |tx| purge(tx, end).await).await;
            assert_eq!(purged.unwrap(), 1);
            let (_, text) = give(NOW).await;
            let gone = db.write(async |tx| revoke(tx, "c-1", NOW).await).await;
            assert!(gone.unwrap());
            assert_eq!(authenticate(&db, &text, NOW).await.unwrap(), None);
            assert!(find(&db, "c-1").await.unwrap().is_none());
            assert!(!give(NOW).await.0);
        })
        .await;
    }

    #[test]
    fn debug_hides_what_is_shown() {
        let secret = Shown::secret(&OsRandom);
        assert!(!format!("{secret:?}").contains(&secret.expose()[4..]));
        assert!(!format!("{:?}", client(&secret)).contains(&secret.expose()[4..]));
    }
}

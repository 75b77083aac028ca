//! Clients of the administration API: made and revoked by command.

use vouchsafe_credentials::jwks::{JwkSet, JwksError};
use vouchsafe_service::api_clients::{self, ApiClient, ClientMethod, Shown};
use vouchsafe_service::audit;
use vouchsafe_service::db::{DbError, Tx};

use crate::Issuer;
use crate::core::Core;

/// A client that was just made.
#[derive(Debug)]
pub struct NewClient {
    /// Its `client_id`.
    pub id: String,
    /// Its secret, for the only time; none for a client with keys.
    pub secret: Option<Shown>,
}

/// Why no client was made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The keys cannot be read.
    #[error("the keys are no JWK set")]
    Keys(#[from] JwksError),
    /// There is no key.
    #[error("there is no key in the set")]
    NoKey,
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

impl Issuer {
    /// Makes an OAuth client of the administration API: with these public keys (a JWK set), or with a
    /// secret that is shown this once. Without scopes it may do everything that a key may.
    pub async fn create_api_client(
        &self,
        name: &str,
        scopes: Vec<String>,
        keys: Option<&str>,
    ) -> Result<NewClient, ClientError> {
        let scopes = match scopes.is_empty() {
            true => self.usual_scopes().collect(),
            false => scopes,
        };
        create(self.core(), name, scopes, keys).await
    }

    /// Revokes a client and its access tokens. False: there is no such client, or not any more.
    pub async fn revoke_api_client(&self, id: &str) -> Result<bool, DbError> {
        revoke(self.core(), id).await
    }
}

/// Makes a client that may ask for these scopes: with these public keys, or with a secret.
async fn create(
    core: &Core,
    name: &str,
    scopes: Vec<String>,
    keys: Option<&str>,
) -> Result<NewClient, ClientError> {
    let (method, secret) = match keys {
        Some(text) => (ClientMethod::Keys(public_keys(text)?), None),
        None => {
            let secret = Shown::secret(&*core.rng);
            (ClientMethod::of_secret(&secret), Some(secret))
        }
    };
    let client = ApiClient {
        id: core.ids.next_text(),
        name: name.to_owned(),
        method,
        scopes,
    };
    let (id, now) = (client.id.clone(), core.clock.now());
    let event = event(core, "api_client.create", &id, client.scopes.join(" "));
    let (key, keys) = (core.keys.audit.clone(), keys.map(str::to_owned));
    let write = async move |tx: &mut Tx| {
        api_clients::insert(tx, &client, keys.as_deref(), now).await?;
        audit::append(tx, &key, &event).await
    };
    core.db.write::<_, DbError, _>(write).await?;
    Ok(NewClient { id, secret })
}

/// Revokes a client and its access tokens. False: there is no such client, or not any more.
async fn revoke(core: &Core, id: &str) -> Result<bool, DbError> {
    let (now, key) = (core.clock.now(), core.keys.audit.clone());
    let event = event(core, "api_client.revoke", id, String::new());
    let id = id.to_owned();
    let write = async move |tx: &mut Tx| {
        if !api_clients::revoke(tx, &id, now).await? {
            return Ok(false);
        }
        audit::append(tx, &key, &event).await?;
        Ok(true)
    };
    core.db.write(write).await
}

fn public_keys(text: &str) -> Result<JwkSet, ClientError> {
    let keys = JwkSet::parse(text.as_bytes())?;
    if keys.keys().is_empty() {
        return Err(ClientError::NoKey);
    }
    Ok(keys)
}

fn event(core: &Core, action: &'static str, target: &str, detail: String) -> audit::Event {
    audit::Event {
        at: core.clock.now(),
        actor: "command".to_owned(),
        action,
        target: target.to_owned(),
        detail,
    }
}

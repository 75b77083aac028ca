//! What the operator does about applications that are not in the configuration.

use serde_json::{Map, Value};
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::{DbError, Tx};

use super::document;
use crate::app::Parts;
use crate::domain::ids::{ClientId, Secret};
use crate::store::clients::{self, Listed, ListedToken, NewToken};
use crate::store::managed_clients;

/// An application that registered.
#[derive(Debug, Clone)]
pub struct RegisteredClient {
    /// `client_id`.
    pub id: String,
    /// The name that it gave itself.
    pub name: String,
    /// Where it receives people back.
    pub redirect_uris: Vec<String>,
    /// Whether it was stopped.
    pub disabled: bool,
}

impl From<Listed> for RegisteredClient {
    fn from(row: Listed) -> Self {
        let Listed {
            id,
            metadata,
            disabled_at,
        } = row;
        let object: Map<String, Value> = serde_json::from_str(&metadata).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let uris = object.get("redirect_uris").and_then(Value::as_array);
        Self {
            id,
            name: object.get("client_name").map(text).unwrap_or_default(),
            redirect_uris: uris.into_iter().flatten().map(text).collect(),
            disabled: disabled_at.is_some(),
        }
    }
}

/// An initial access token, as a list has it.
#[derive(Debug, Clone)]
pub struct RegistrationToken {
    /// For removal.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// So many applications may still register.
    pub uses_left: i64,
    /// When it ends.
    pub expires_at: UnixTime,
}

/// Makes an initial access token; its text is shown once.
pub(crate) async fn new_token(
    app: &Parts,
    name: &str,
    uses: i64,
    lives_s: i64,
) -> Result<(String, Secret), DbError> {
    let secret = Secret::random(app.rng.as_ref());
    let new = NewToken {
        id: token(app.rng.as_ref()).chars().take(12).collect(),
        name: name.to_owned(),
        token: secret.digest(),
        uses,
        expires_at: app.now().plus(lives_s),
    };
    let (id, now) = (new.id.clone(), app.now());
    app.db
        .write(async move |tx: &mut Tx| clients::insert_token(tx, &new, now).await)
        .await?;
    Ok((id, secret))
}

pub(crate) async fn tokens(app: &Parts) -> Result<Vec<RegistrationToken>, DbError> {
    let listed = |row: ListedToken| RegistrationToken {
        id: row.id,
        name: row.name,
        uses_left: row.uses_left,
        expires_at: UnixTime(row.expires_at),
    };
    let rows = clients::tokens(&app.db, app.now()).await?;
    Ok(rows.into_iter().map(listed).collect())
}

pub(crate) async fn remove_token(app: &Parts, id: &str) -> Result<bool, DbError> {
    let id = id.to_owned();
    app.db
        .write(async move |tx: &mut Tx| clients::remove_token(tx, &id).await)
        .await
}

pub(crate) async fn list(app: &Parts) -> Result<Vec<RegisteredClient>, DbError> {
    let rows = clients::list(&app.db).await?;
    Ok(rows.into_iter().map(RegisteredClient::from).collect())
}

/// Stops an application that is not in the configuration; `false` where there is none.
pub(crate) async fn disable(app: &Parts, id: &str) -> Result<bool, DbError> {
    let id = ClientId::from_text(id);
    let known = document::is_address(id.as_str())
        || clients::exists(&app.db, &id).await?
        || managed_clients::find(&app.db, &id).await?.is_some();
    if !known || app.settings.configured(&id).is_some() {
        return Ok(false);
    }
    let (stopped, now) = (id.clone(), app.now());
    app.db
        .write(async move |tx: &mut Tx| clients::disable(tx, &stopped, now).await)
        .await?;
    Ok(true)
}

pub(crate) async fn enable(app: &Parts, id: &str) -> Result<bool, DbError> {
    let id = ClientId::from_text(id);
    app.db
        .write(async move |tx: &mut Tx| clients::enable(tx, &id).await)
        .await
}

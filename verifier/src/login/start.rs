//! The beginning of a login: one row for it and one for the question on the same device, in one
//! transaction.

use crate::app::Parts;
use crate::domain::ids::{SecretDigest, TransactionId};
use crate::domain::place::Place;
use crate::domain::request::LoginRequest;
use crate::domain::transaction::{Channel, Login, Pending, Transaction};
use crate::store::{StoreError, requests, transactions};

use super::{LOGIN_S, ask};

/// Starts a login of the browser that holds this cookie.
pub async fn start(
    app: &Parts,
    request: LoginRequest,
    browser: SecretDigest,
    place: Place,
) -> Result<TransactionId, StoreError> {
    let now = app.now();
    let login = Login {
        id: TransactionId::random(app.rng.as_ref()),
        browser,
        request,
        place,
        started_at: now,
        expires_at: now.plus(LOGIN_S),
    };
    let id = login.id.clone();
    let question = requests::seal(&app.vault, ask::question(app, &login, Channel::SameDevice))?;
    let row = transactions::seal(&app.vault, &Transaction::Pending(Pending { login }))?;
    app.db
        .write(async move |tx| {
            transactions::insert(tx, &row).await?;
            requests::insert(tx, &question).await
        })
        .await?;
    Ok(id)
}

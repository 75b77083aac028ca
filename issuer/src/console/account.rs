//! `/console/account`: what signs the operator in.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::operators::{Account, Passkey};

use super::{Failure, Visitor, passkey_json, paths, view};

/// The page.
pub async fn page(visitor: Visitor) -> Result<Response, Failure> {
    let operators = &visitor.console.operators;
    let own = operators.passkeys(&visitor.session.operator.id).await?;
    let elsewhere = operators.accounts(&visitor.session.operator.id).await?;
    let shown = own.iter().map(|passkey| {
        let remove = paths::ACCOUNT_REMOVE.replace("{id}", &passkey.id);
        row(passkey, (own.len() > 1).then_some(&remove))
    });
    let context = json!({
        "keys": shown.collect::<Vec<_>>(),
        "accounts": accounts(&elsewhere),
        "signed_in_at": visitor.session.signed_in_at.0,
        "recent": visitor.require_recent().is_ok(),
    });
    visitor.page("console/account", context)
}

/// A passkey; `remove` is where the form to remove it goes.
pub fn row(passkey: &Passkey, remove: Option<&str>) -> Value {
    let Passkey {
        id,
        created_at,
        used_at,
        backup_eligible,
    } = passkey;
    json!({
        "created_at": created_at.0,
        "used_at": used_at.map(|at| at.0),
        "synced": backup_eligible,
        "id": id,
        "remove": remove,
    })
}

/// Accounts at OpenID Providers.
pub fn accounts(all: &[Account]) -> Vec<Value> {
    let row = |account: &Account| {
        let Account {
            issuer,
            subject,
            created_at,
        } = account;
        json!({ "issuer": issuer, "subject": subject, "created_at": created_at.0 })
    };
    all.iter().map(row).collect()
}

/// What the browser needs to make another passkey.
pub async fn challenge(visitor: Visitor, headers: HeaderMap) -> Result<Response, Failure> {
    passkey_json::check(&visitor.console, &headers, &visitor.cookie)?;
    visitor.recheck().await?;
    visitor.require_recent()?;
    let operators = &visitor.console.operators;
    let options = operators
        .begin_registration(&visitor.session.operator)
        .await?;
    Ok(passkey_json::options(&options))
}

/// Another passkey.
pub async fn add(visitor: Visitor, headers: HeaderMap, body: Bytes) -> Result<Response, Failure> {
    passkey_json::check(&visitor.console, &headers, &visitor.cookie)?;
    visitor.recheck().await?;
    visitor.require_recent()?;
    let answer = passkey_json::read(&body)?;
    let operators = &visitor.console.operators;
    operators.add_passkey(&visitor.session, &answer).await?;
    Ok(passkey_json::go_on(paths::ACCOUNT, None))
}

/// A passkey less.
pub async fn remove(
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    visitor.form(&headers, &body).await?;
    visitor.require_recent()?;
    let operators = &visitor.console.operators;
    operators.remove_passkey(&visitor.session, &id).await?;
    Ok(view::see_other(paths::ACCOUNT))
}

//! `/console/operators`: who may sign in, for admins.

use axum::body::Bytes;
use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::operators::{Invitation, Operator, OperatorId, Role, WaysIn};

use super::{Failure, Managing, Visitor, invitation_path, operator_page, paths, view};

/// The page.
pub async fn page(Managing(visitor): Managing) -> Result<Response, Failure> {
    list(&visitor, None).await
}

/// Invites somebody. The link is shown this once.
pub async fn invite(
    Managing(visitor): Managing,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = visitor.form(&headers, &body).await?;
    visitor.require_recent()?;
    let role = form.get("role").and_then(Role::parse);
    let role = role.ok_or(Failure::Malformed)?;
    let name = form.get("name").unwrap_or_default();
    let actor = visitor.session.operator.actor();
    let invitation = visitor.console.operators.invite(&actor, name, role).await?;
    list(&visitor, Some(&invitation)).await
}

/// Changes an operator: a role, disabled, enabled, a new link, or something taken away.
pub async fn change(
    Managing(visitor): Managing,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = visitor.form(&headers, &body).await?;
    visitor.require_recent()?;
    let id = OperatorId::parse(&id).ok_or(Failure::NotFound)?;
    let actor = visitor.session.operator.actor();
    let operators = &visitor.console.operators;
    match form.get("do").unwrap_or_default() {
        "invite" => {
            let invitation = operators.invite_again(&actor, &id).await?;
            return list(&visitor, Some(&invitation)).await;
        }
        "passkey" => {
            let passkey = form.get("passkey").unwrap_or_default();
            operators.remove_passkey_of(&actor, &id, passkey).await?;
            return Ok(view::see_other(&operator_page::path(&id)));
        }
        "account" => {
            let text = |name: &str| form.get(name).unwrap_or_default();
            let account = (text("issuer"), text("subject"));
            operators.remove_account(&actor, &id, account).await?;
            return Ok(view::see_other(&operator_page::path(&id)));
        }
        "remove" => operators.remove(&actor, &id).await?,
        "disable" => operators.disable(&actor, &id).await?,
        "enable" => operators.enable(&actor, &id).await?,
        "role" => {
            let role = form.get("role").and_then(Role::parse);
            let role = role.ok_or(Failure::Malformed)?;
            operators.set_role(&actor, &id, role).await?;
        }
        _ => return Err(Failure::Malformed),
    }
    Ok(view::see_other(paths::OPERATORS))
}

async fn list(visitor: &Visitor, invitation: Option<&Invitation>) -> Result<Response, Failure> {
    let console = &visitor.console;
    let all = console.operators.all().await?;
    let ways = console.operators.ways_in().await?;
    let own = &visitor.session.operator.id;
    let invited = invitation.map(|invitation| {
        let path = invitation_path(invitation.secret());
        json!({
            "name": invitation.operator.name,
            "link": console.core.settings.url(&path),
        })
    });
    let rows = all.iter().map(|one| {
        let more = json!({ "ways": self::ways(ways.get(one.id.as_str())) });
        view::with(row(one, one.id == *own), more)
    });
    let context = json!({
        "operators": rows.collect::<Vec<_>>(),
        "roles": Role::ALL.map(Role::as_str),
        "invited": invited,
        "recent": visitor.require_recent().is_ok(),
    });
    visitor.page("console/operators", context)
}

/// What signs an operator in, in short.
fn ways(ways: Option<&WaysIn>) -> Value {
    let accounts = ways.map(|ways| ways.accounts.iter());
    let issuers = accounts.into_iter().flatten();
    json!({
        "passkeys": ways.map_or(0, |ways| ways.passkeys),
        "accounts": issuers.map(|account| account.issuer.as_str()).collect::<Vec<_>>(),
    })
}

/// What pages show of an operator.
pub fn row(operator: &Operator, own: bool) -> Value {
    let Operator {
        id,
        name,
        role,
        created_at,
        disabled_at,
    } = operator;
    json!({
        "id": id.as_str(),
        "action": operator_page::path(id),
        "name": name,
        "role": role.as_str(),
        "created_at": created_at.0,
        "disabled": disabled_at.is_some(),
        "own": own,
    })
}

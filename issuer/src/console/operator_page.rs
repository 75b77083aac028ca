//! `/console/operators/{id}`: what signs one operator in, and the question before all of it is taken
//! away.

use axum::extract::Path;
use axum::response::Response;
use serde_json::{Value, json};
use vouchsafe_service::operators::{Operator, OperatorId};

use super::{Failure, Managing, Visitor, account, operators, paths};

/// The page of an operator.
pub fn path(id: &OperatorId) -> String {
    paths::OPERATOR.replace("{id}", id.as_str())
}

/// The page.
pub async fn page(
    Managing(visitor): Managing,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let operator = find(&visitor, &id).await?;
    let all = &visitor.console.operators;
    let passkeys = all.passkeys(&operator.id).await?;
    let here = path(&operator.id);
    let keys = passkeys.iter().map(|one| account::row(one, Some(&here)));
    let context = json!({
        "operator": row(&visitor, &operator),
        "keys": keys.collect::<Vec<_>>(),
        "accounts": account::accounts(&all.accounts(&operator.id).await?),
        "remove": paths::OPERATOR_REMOVE.replace("{id}", operator.id.as_str()),
        "recent": visitor.require_recent().is_ok(),
    });
    visitor.page("console/operator", context)
}

/// Whether everything is taken away.
pub async fn question(
    Managing(visitor): Managing,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let operator = find(&visitor, &id).await?;
    let context = json!({
        "operator": row(&visitor, &operator),
        "recent": visitor.require_recent().is_ok(),
    });
    visitor.page("console/operator_remove", context)
}

fn row(visitor: &Visitor, operator: &Operator) -> Value {
    operators::row(operator, operator.id == visitor.session.operator.id)
}

async fn find(visitor: &Visitor, id: &str) -> Result<Operator, Failure> {
    let id = OperatorId::parse(id).ok_or(Failure::NotFound)?;
    let all = visitor.console.operators.all().await?;
    let found = all.into_iter().find(|one| one.id == id);
    found.ok_or(Failure::NotFound)
}

//! `/console/`: the start page.

use axum::response::Response;
use serde_json::{Value, json};

use super::{Failure, Visitor, cards, paths, view};
use crate::store::batches;
use crate::store::overview::{self, COUNTED};

/// Tables on the start page.
const BATCHES: u32 = 5;

/// The page.
pub async fn page(visitor: Visitor) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    core.types.refresh(core).await?;
    let now = core.clock.now();
    let counts = overview::counts(&core.db, now.0).await?;
    let newest = batches::newest(&core.db, BATCHES).await?;
    let context = json!({
        "types": cards::all(&visitor),
        "counts": {
            "issued": count(counts.issued),
            "suspended": count(counts.suspended),
            "revoked": count(counts.revoked),
            "open": count(counts.open),
        },
        "batches": newest.iter().map(|one| json!({
            "link": paths::BATCH.replace("{id}", &one.id),
            "size": one.size,
            "type": cards::name(core, &one.credential_type, visitor.locale.tag()),
            "created_at": one.created_at.0,
        })).collect::<Vec<_>>(),
    });
    visitor.page("console/home", context)
}

/// The address without its slash.
pub async fn slash() -> Response {
    view::see_other(paths::HOME)
}

/// A number, or the bound with "more".
fn count(number: i64) -> Value {
    json!({ "number": number.min(COUNTED), "more": number > COUNTED })
}

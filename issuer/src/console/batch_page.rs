//! `/console/batches/{id}`: how far the offers of a table are.

use axum::extract::Path;
use axum::response::Response;
use serde_json::json;

use super::{Failure, Visitor, cards, paths};
use crate::domain::ids::BatchId;
use crate::store::batches;

/// The page.
pub async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    let id = BatchId::parse(&id).map_err(|_| Failure::NotFound)?;
    let found = batches::find(&core.db, id.as_str()).await?;
    let batch = found.ok_or(Failure::NotFound)?;
    let progress = batches::progress(&core.db, &batch.id, core.clock.now()).await?;
    let context = json!({
        "type": cards::name(core, &batch.credential_type, visitor.locale.tag()),
        "size": batch.size,
        "redeemed": progress.redeemed,
        "expired": progress.expired,
        "created_at": batch.created_at.0,
        "author": batch.author,
        "here": paths::BATCH.replace("{id}", &batch.id),
        "refresh": progress.redeemed + progress.expired < batch.size,
    });
    visitor.page("console/batch", context)
}

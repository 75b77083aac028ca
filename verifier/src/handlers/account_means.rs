//! `POST /account/means` and `POST /account/means/{means}/remove`: a card more, or a card less, that
//! leads to the account of this session.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use vouchsafe_service::http::ClientAddress;

use super::account_change::{own_form, person};
use super::{authorize, owned};
use crate::app::App;
use crate::domain::ids::{MeansId, SubjectId};
use crate::domain::request::Linking;
use crate::login::linking;
use crate::reply::see_other;
use crate::store::{StoreError, subjects};
use crate::views;

/// Begins to add a card.
pub async fn add(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(owner) => owner.filter(|owner| owner.subject.is_some()),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let form = own_form(&app, &headers, &body);
    let query = form.and_then(|form| linking::question(&app, form.get("query")?));
    let (Some(owner), Some(query)) = (owner, query) else {
        return owned::refused(&app, &headers);
    };
    let locale = views::browser_locale(&headers);
    let request = linking::request(query, Linking::Session(owner.id), locale.tag());
    authorize::begin_at(&app, &headers, address, request).await
}

/// Removes a card, unless it is the last one.
pub async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let owner = match person(&app, &headers, &body).await {
        Ok(owner) => owner.and_then(|owner| owner.subject),
        Err(error) => return owned::store_failure(&app, &headers, &error),
    };
    let Some(owner) = owner else {
        return owned::refused(&app, &headers);
    };
    match unlink(&app, owner, MeansId::from_text(id)).await {
        Ok(()) => see_other("/account"),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

async fn unlink(app: &App, owner: SubjectId, id: MeansId) -> Result<(), StoreError> {
    let removed = app
        .db
        .write(async move |tx| subjects::unlink(tx, &owner, &id).await)
        .await?;
    if removed {
        tracing::info!("a card leads to its account no longer");
    }
    Ok(())
}

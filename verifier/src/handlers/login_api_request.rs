//! `POST /login/{transaction}/dc-api`: what the page of a login hands to the browser's Digital
//! Credentials API (OpenID4VP 1.0, appendix A.2).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_protocol::vp::api::ApiOffer;
use vouchsafe_service::http::Problem;

use super::form;
use super::owned::{self, OwnedError};
use crate::app::App;
use crate::domain::transaction::{Pending, Transaction};
use crate::login::ask::{self, AskError};
use crate::store::StoreError;
use crate::views;

/// Why a script of a page is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScriptError {
    /// Not for this browser, or its time is over.
    #[error(transparent)]
    Owned(#[from] OwnedError),
    /// Not from a page of ours.
    #[error("the request does not come from a page of ours")]
    Foreign,
    /// The login was answered or has ended: its page says so.
    #[error("the login does not wait any more")]
    Over,
    /// The question cannot be put.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl IntoResponse for ScriptError {
    fn into_response(self) -> Response {
        let problem = match self {
            Self::Owned(OwnedError::Unknown) => Problem::not_found(),
            Self::Foreign => Problem::new(
                StatusCode::FORBIDDEN,
                "foreign_form",
                "Only pages of this service may ask this.",
            ),
            Self::Over | Self::Owned(OwnedError::Expired(_)) => Problem::new(
                StatusCode::CONFLICT,
                "login_over",
                "The login does not wait for a card any more.",
            ),
            Self::Owned(OwnedError::Store(StoreError::Db(error)))
            | Self::Ask(AskError::Store(StoreError::Db(error))) => Problem::from(error),
            Self::Ask(AskError::NotOffered) => Problem::not_found(),
            error @ (Self::Owned(OwnedError::Store(StoreError::Serialise(_))) | Self::Ask(_)) => {
                tracing::error!(error = %views::chain(&error), "request of a page not served");
                Problem::internal()
            }
        };
        problem.into_response()
    }
}

/// The requests, and where the answer to one of them goes.
pub async fn handle(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match question(&app, &headers, &id).await {
        Ok(body) => ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn question(app: &App, headers: &HeaderMap, id: &str) -> Result<Value, ScriptError> {
    let owned = owned::find(app, headers, id).await?;
    if !form::script(app, headers, &owned.cookie) {
        return Err(ScriptError::Foreign);
    }
    let Transaction::Pending(Pending { login }) = &owned.transaction else {
        return Err(ScriptError::Over);
    };
    if !ask::is_shown(app, login).await? {
        return Err(ScriptError::Over);
    }
    let question = ask::over_api(app, login).await?;
    let offers = ask::offers(app, &question, login).await?;
    let requests: Value = offers.iter().map(ApiOffer::to_json).collect();
    Ok(json!({
        "requests": requests,
        "answer": format!("/login/{id}/dc-api/{}", question.id),
    }))
}

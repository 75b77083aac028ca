//! `GET /v1/sessions`: which sessions are live.

use axum::extract::RawQuery;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_credentials::time::UnixTime;

use super::caller::Admin;
use super::query::Page;
use super::{SESSIONS, shown};
use crate::access::Scope;
use crate::handlers::v1::error::{ApiError, Problem};
use crate::handlers::v1::views::rfc3339;
use crate::login::administer::{self, Live};
use crate::store::session_list::Wanted;

/// A live session.
#[derive(Serialize, ToSchema)]
pub struct SessionView {
    /// Its id, for `DELETE`.
    id: String,
    /// The account, as this service alone names it; a guest has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// When somebody was authenticated.
    auth_time: String,
    /// The level reached.
    acr: String,
    /// Methods.
    amr: Vec<String>,
    /// The question that was answered last.
    query: String,
    /// When it ends at the latest.
    expires_at: String,
    /// The applications in it.
    clients: Vec<SessionClientView>,
}

/// An application within a session.
#[derive(Serialize, ToSchema)]
pub struct SessionClientView {
    /// Its `client_id`.
    client_id: String,
    /// What it calls the person.
    sub: String,
    /// What it calls the session.
    sid: String,
}

impl From<Live> for SessionView {
    fn from(live: Live) -> Self {
        let Live { session, members } = live;
        let members = members.into_iter().map(|member| SessionClientView {
            client_id: member.client.to_string(),
            sub: member.sub,
            sid: member.sid.to_string(),
        });
        Self {
            id: session.id,
            account: session.subject_id,
            auth_time: rfc3339(UnixTime(session.auth_time)),
            acr: session.acr,
            amr: session.amr.split_whitespace().map(str::to_owned).collect(),
            query: session.query_id,
            expires_at: rfc3339(UnixTime(session.expires_at)),
            clients: members.collect(),
        }
    }
}

/// Sessions, in the order of their ids.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    /// Those of this page.
    items: Vec<SessionView>,
    /// Where the next page begins, if there is one: `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// List live sessions of an application or of an account.
///
/// `client` or `account` must be given. `sub`, beside `client`, is what that application calls the person.
#[utoipa::path(
    get, path = SESSIONS, tag = "sessions", operation_id = "list_sessions",
    params(
        ("client" = Option<String>, Query, description = "In which this application takes part"),
        ("sub" = Option<String>, Query, description = "In which it calls the person so"),
        ("account" = Option<String>, Query, description = "Of this account"),
        ("limit" = Option<u32>, Query, description = "How many at most, 1 to 200", minimum = 1, maximum = 200),
        ("after" = Option<String>, Query, description = "Where the page before ended"),
    ),
    responses(
        (status = 200, description = "A page of sessions", body = SessionList),
        (status = 400, description = "A query parameter, or neither `client` nor `account` (`invalid_query`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No valid API key (`unauthorized`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `sessions:read` (`forbidden`)", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security(("api_key" = []))
)]
pub async fn handle(admin: Admin, RawQuery(raw): RawQuery) -> Result<Response, ApiError> {
    admin.require(Scope::SessionsRead)?;
    let page = Page::parse(raw.as_deref(), &["client", "sub", "account"])?;
    let text = |name: &str| page.filter(name).unwrap_or_default().to_owned();
    let wanted = Wanted {
        account: text("account"),
        client: text("client"),
        sub: text("sub"),
    };
    let nobody = wanted.client.is_empty() && wanted.account.is_empty();
    if nobody || (wanted.client.is_empty() && !wanted.sub.is_empty()) {
        return Err(ApiError::Query);
    }
    let (live, more) = administer::list(&admin.app, &wanted, &page.after, page.limit).await?;
    let last = live.last().map(|live| live.session.id.clone());
    Ok(shown(&SessionList {
        next: last.filter(|_| more),
        items: live.into_iter().map(SessionView::from).collect(),
    }))
}

//! A parameter that stands in the query and in the form of one request (catalogue 115): two readers
//! of it could believe two different values, so nobody reads either.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    error::OAuthError,
    extract::{ExtractError, is_form},
    layers::BodyDeadline,
    limits,
    params::Params,
};

/// Refuses such requests with `invalid_request`, whatever the route makes of its query.
///
/// Only a form that comes with a query is read here. A form that cannot be parsed is the route's.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    if query.is_empty() || !is_form(request.headers()) {
        return next.run(request).await;
    }
    match told_apart(request).await {
        Ok(request) => next.run(request).await,
        Err(error) => OAuthError::from(error).into_response(),
    }
}

async fn told_apart(request: Request) -> Result<Request, ExtractError> {
    let query = request.uri().query().unwrap_or_default();
    let query = Params::parse(query.as_bytes())?;
    let deadline = request.extensions().get::<BodyDeadline>().cloned();
    let (parts, body) = request.into_parts();
    // The largest form is a presentation; a smaller limit of the route counts after this.
    let bytes = to_bytes(body, limits::PRESENTATION).await;
    let bytes = bytes.map_err(|_| match deadline {
        Some(deadline) if deadline.has_passed() => ExtractError::Late,
        _ => ExtractError::TooLarge,
    })?;
    match Params::parse(&bytes) {
        Ok(form) if form.shares_a_name_with(&query) => Err(ExtractError::QueryAndBody),
        Ok(_) | Err(_) => Ok(Request::from_parts(parts, Body::from(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::{Router, body::Bytes, http::StatusCode, http::header, routing::post};
    use tower::ServiceExt as _;

    use super::*;
    use crate::{clock::SystemClock, config::PublicUrl, http::standard, id::Ids, random::OsRandom};

    async fn sent(path: &str, body: &str) -> (StatusCode, Bytes) {
        let router = Router::new().route("/bytes", post(async |body: Bytes| body));
        let url: PublicUrl = "https://op.example".parse().unwrap();
        let ids = Ids::new(Arc::new(SystemClock), Arc::new(OsRandom));
        let request = axum::http::Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = standard(router, &url, ids).oneshot(request).await.unwrap();
        let status = response.status();
        (status, to_bytes(response.into_body(), 4096).await.unwrap())
    }

    #[tokio::test]
    async fn cat_115_a_form_and_its_query_share_no_name() {
        let path = "/bytes?grant_type=a";
        for (path, body) in [
            (path, "grant_type=b"),
            (path, "grant_type=a"),
            (path, "code=1&gr%61nt_type=b"),
            ("/bytes?code=1&code=1", "grant_type=b"),
            ("/bytes?grant_type", "grant_type=b"),
        ] {
            let (status, told) = sent(path, body).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body}");
            let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
            assert_eq!(told["error"], "invalid_request", "{path} {body}");
        }
        for (path, body) in [
            (path, "code=1"),
            ("/bytes", "grant_type=b"),
            (path, "grant_type=%zz"),
        ] {
            assert_eq!(sent(path, body).await.1, body, "{path}");
        }
        let large = "a=".to_owned() + &"x".repeat(limits::PRESENTATION);
        let (status, _) = sent(path, &large).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}

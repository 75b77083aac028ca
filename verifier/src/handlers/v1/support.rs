//! `GET /support/errors/{reference}`: what is behind the reference of an error page, for those who help
//! people. It says what the page said and nothing of anybody.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use vouchsafe_pages::{Catalogue, Locale};
use vouchsafe_service::http::ClientAddress;

use super::error::{ApiError, Problem};
use super::numbers::may_read;
use crate::app::App;
use crate::domain::reason::Explanation;
use crate::handlers::PathText;
use crate::store::failures::{self, LoginFailure};

/// Where it is.
pub const ERROR: &str = "/support/errors/{reference}";

/// Characters of the reference of a login.
const OF_LOGIN: usize = 8;

/// What is behind a reference.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorView {
    /// The reference.
    #[schema(example = "Zk3x9QaB")]
    reference: String,
    /// The stable code; only for those who show a key for the numbers.
    #[schema(example = "credential_revoked")]
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// Which page the person saw.
    #[schema(example = "revoked")]
    page: &'static str,
    /// Its title.
    title: String,
    /// The cause.
    cause: String,
    /// What the person can do.
    next_action: String,
    /// The language of these texts.
    #[schema(example = "en")]
    language: &'static str,
}

/// Look up the reference of an error page.
///
/// For a week after the page. One that is not known and one that cannot be one get the same answer. The
/// texts are in the language of `lang` or `Accept-Language`: en, de, fr, es, it, ar.
#[utoipa::path(
    get, path = ERROR, tag = "support", operation_id = "read_error",
    params(
        ("reference" = String, Path, description = "The reference on the page"),
        ("lang" = Option<String>, Query, description = "The language of the texts"),
    ),
    responses(
        (status = 200, description = "Cause and remedy", body = ErrorView),
        (status = 401, description = "A key that is none", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks `numbers:read`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such reference, or not any more", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many requests", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "A fault of ours", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy or without database", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("api_key" = []))
)]
pub async fn handle(
    State(app): State<App>,
    address: ClientAddress,
    headers: HeaderMap,
    reference: PathText,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    if let Err(wait) = app.support_questions.check(address) {
        return Err(ApiError::TooOften(wait.as_secs() + 1));
    }
    // The page says less than the code: whoever tries something out learns no more from here.
    let keyed = headers.contains_key(header::AUTHORIZATION);
    if keyed {
        may_read(&app, &headers).await?;
    }
    let reference = reference.map_err(|_| ApiError::NoReference)?.0;
    let found = find(&app, &reference).await?;
    let found = found.ok_or(ApiError::NoReference)?;
    let mut view = shown(reference, &found, language(&headers, query.as_deref()))?;
    view.code = view.code.filter(|_| keyed);
    let mut response = (StatusCode::OK, Json(view)).into_response();
    let kept = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}

async fn find(app: &App, reference: &str) -> Result<Option<LoginFailure>, ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !reference.chars().all(fits) {
        return Ok(None);
    }
    if reference.len() == OF_LOGIN {
        return Ok(failures::find(&app.db, reference).await?);
    }
    let page = app.references.read(reference, app.now());
    Ok(page.map(|explanation| LoginFailure {
        code: explanation.key().replace('-', "_"),
        explanation,
    }))
}

fn language(headers: &HeaderMap, query: Option<&str>) -> Locale {
    let mut pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let asked = pairs.find(|(name, _)| name == "lang");
    let accept = headers.get(header::ACCEPT_LANGUAGE);
    let accept = accept.and_then(|value| value.to_str().ok());
    Locale::negotiate(asked.as_ref().map(|(_, tag)| tag.as_ref()), accept)
}

fn shown(reference: String, found: &LoginFailure, locale: Locale) -> Result<ErrorView, ApiError> {
    let texts = Catalogue::shared().map_err(|_| ApiError::Internal("the texts"))?;
    let page: Explanation = found.explanation;
    let text = |part: &str| {
        let key = format!("verifier-failed-{}-{part}", page.key());
        let text = texts.text(locale, &key, None);
        text.ok_or(ApiError::Internal("a text is missing"))
    };
    Ok(ErrorView {
        reference,
        code: Some(found.code.clone()),
        page: page.key(),
        title: text("title")?,
        cause: text("text")?,
        next_action: text("next")?,
        language: locale.tag(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_cause_and_remedy_in_every_language() {
        for explanation in Explanation::ALL {
            for locale in Locale::ALL {
                let found = LoginFailure {
                    code: "declined".to_owned(),
                    explanation,
                };
                let view = shown(String::new(), &found, locale).unwrap();
                assert!(!view.cause.is_empty() && !view.next_action.is_empty());
                assert_eq!(Explanation::of_key(view.page), Some(explanation));
            }
        }
    }
}

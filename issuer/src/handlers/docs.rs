//! `GET /docs`: the description of the administration API as a page.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use vouchsafe_pages::{CONTENT_SECURITY_POLICY, Locale, PagesError};

use super::openapi::document;
use crate::core::Core;
use crate::docs::Docs;
use crate::paths::OPENAPI;

/// The page could not be rendered: a fault of ours.
#[derive(Debug, thiserror::Error)]
pub enum DocsError {
    /// The template or a text is broken.
    #[error("the page could not be rendered")]
    Page(#[from] PagesError),
    /// The document could not be written.
    #[error("the description could not be read")]
    Document(#[from] serde_json::Error),
}

impl IntoResponse for DocsError {
    fn into_response(self) -> Response {
        tracing::error!(error = &self as &dyn std::error::Error, "page failed");
        axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

/// Answers with the page.
pub async fn handler(State(core): State<Core>, headers: HeaderMap) -> Result<Response, DocsError> {
    let accepted = headers.get(header::ACCEPT_LANGUAGE);
    let locale = Locale::negotiate(None, accepted.and_then(|value| value.to_str().ok()));
    let docs = Docs::new(&serde_json::to_value(document())?, &core.settings.issuer);
    let mut context = serde_json::to_value(docs)?;
    context["issuer"] = core.settings.name(locale.tag()).into();
    context["openapi"] = OPENAPI.into();
    let mut response = core
        .pages
        .render("issuer/docs", locale, context)?
        .into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::VARY, "accept-language"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::Value;

    use super::*;
    use crate::tests::harness::{Harness, everywhere};

    async fn page(h: &Harness, language: &str) -> crate::tests::harness::Answer {
        let request = axum::http::Request::get("/docs").header("accept-language", language);
        h.send(request.body(axum::body::Body::empty()).unwrap())
            .await
    }

    #[tokio::test]
    async fn every_operation_has_its_place_and_an_example() {
        everywhere(async |h| {
            let answer = page(&h, "en").await;
            assert_eq!(answer.status, StatusCode::OK);
            let document = serde_json::to_value(document()).unwrap();
            for (path, item) in document["paths"].as_object().unwrap() {
                for operation in item.as_object().unwrap().values() {
                    let Some(id) = operation["operationId"].as_str() else {
                        continue;
                    };
                    let anchor = format!("<h3 id=\"{id}\">");
                    assert_eq!(answer.text.matches(&anchor).count(), 1, "{id} {path}");
                    assert!(answer.text.contains(&format!("href=\"#{id}\"")), "{id}");
                }
            }
            let operations = answer.text.matches("<article").count();
            assert_eq!(answer.text.matches("<pre").count(), operations);
            // No link leads nowhere.
            for part in answer.text.split("href=\"#").skip(1) {
                let anchor = part.split('"').next().unwrap();
                let target = format!("id=\"{anchor}\"");
                assert!(answer.text.contains(&target), "{anchor}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn the_page_loads_nothing_from_elsewhere_and_has_no_script() {
        everywhere(async |h| {
            let answer = page(&h, "de").await;
            assert_eq!(
                answer.header("content-security-policy"),
                CONTENT_SECURITY_POLICY
            );
            assert!(answer.text.contains("lang=\"de\""));
            for bad in [
                "<script",
                "style=\"",
                "src=\"http",
                "href=\"http",
                " onclick",
            ] {
                assert!(!answer.text.contains(bad), "{bad}");
            }
        })
        .await;
    }

    #[test]
    fn examples_are_of_the_form_that_they_show() {
        let document = serde_json::to_value(document()).unwrap();
        let docs = serde_json::to_value(Docs::new(&document, "https://issuer.example")).unwrap();
        let mut seen = 0;
        for group in docs["groups"].as_array().unwrap() {
            for operation in group["operations"].as_array().unwrap() {
                let curl = operation["curl"].as_str().unwrap();
                assert!(curl.contains("https://issuer.example/"), "{curl}");
                let Some((_, body)) = curl.split_once("-d '") else {
                    continue;
                };
                let body = body.strip_suffix('\'').unwrap();
                let body: Value = serde_json::from_str(body).unwrap();
                for member in operation["body"]["members"].as_array().unwrap() {
                    if member["required"] == true {
                        let name = member["name"].as_str().unwrap();
                        assert!(body.get(name).is_some(), "{name} in {curl}");
                    }
                }
                seen += 1;
            }
        }
        assert!(seen > 3);
    }
}

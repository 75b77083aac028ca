//! The page that asks a person what the organisation wants to know. What it carries is sealed into
//! the form, as on the code page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use vouchsafe_pages::PagesError;

use super::authorize::page_of;
use super::code_page::{self, Flow};
use crate::authentication::Questions;
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::paths::AUTHORIZE_PERSON;
use crate::settings::WalletClient;

/// What the name of a field begins with in the form.
pub const FIELD: &str = "field_";

/// Renders the page; after an answer with how many tries are left.
pub fn render(
    core: &Core,
    questions: &Questions,
    flow: &Flow,
    client: &WalletClient,
    (browser, tries_left): (&Secret, Option<i64>),
) -> Result<Response, PagesError> {
    let locale = flow.locale();
    let kind = flow.types.first().map_or("", String::as_str);
    let shown = page_of(core, kind, client, locale);
    let fields = questions.fields.iter().map(|field| {
        serde_json::json!({
            "name": format!("{FIELD}{}", field.name),
            "label": field.label(locale.tag()),
            "secret": field.secret,
        })
    });
    let status = match tries_left {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let context = serde_json::json!({
        "issuer": core.settings.name(locale.tag()),
        "card": shown.card,
        "wallet": shown.wallet,
        "fields": fields.collect::<Vec<_>>(),
        "tries_left": tries_left,
        "action": AUTHORIZE_PERSON,
        "flow": flow.seal(core),
    });
    let html = core.pages.render("issuer/person", locale, context)?;
    let mut response = (status, html).into_response();
    code_page::page_headers(response.headers_mut());
    code_page::set_browser(core, &mut response, browser);
    Ok(response)
}

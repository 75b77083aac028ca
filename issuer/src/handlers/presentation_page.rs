//! The page that opens the wallet with a question for a card.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use vouchsafe_pages::PagesError;
use vouchsafe_service::db::DbError;
use vouchsafe_service::http::ClientAddress;

use super::authorize::page_of;
use super::code_page::{self, Flow};
use super::presentation_row;
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::presentation::{BrokenQuestion, Presentation, Question};
use crate::settings::WalletClient;

/// Why the page is not shown.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// A network has too many questions put.
    #[error("the network has too many questions put")]
    Busy,
    /// A page cannot be rendered.
    #[error("the page cannot be rendered")]
    Page(#[from] PagesError),
    /// A fault of ours.
    #[error(transparent)]
    Broken(#[from] BrokenQuestion),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

/// Keeps a question and shows the link that opens a wallet with it.
pub async fn ask(
    core: &Core,
    address: ClientAddress,
    method: &Presentation,
    flow: &Flow,
    client: &WalletClient,
    browser: &Secret,
) -> Result<Response, PageError> {
    // Anybody may begin, and it costs a row.
    core.questions.check(address).map_err(|_| PageError::Busy)?;
    let id = presentation_row::keep(core, &Question::new(core, flow.clone())).await?;
    let locale = flow.locale();
    let kind = flow.types.first().map_or("", String::as_str);
    let shown = page_of(core, kind, client, locale);
    let context = serde_json::json!({
        "issuer": core.settings.name(locale.tag()),
        "card": shown.card,
        "purpose": method.purpose.for_locale(locale.tag()),
        "link": method.link(core, &id)?,
    });
    let html = core.pages.render("issuer/present", locale, context)?;
    let mut response = (StatusCode::OK, html).into_response();
    code_page::page_headers(response.headers_mut());
    code_page::set_browser(core, &mut response, browser);
    Ok(response)
}

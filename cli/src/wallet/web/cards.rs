//! The cards.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use vouchsafe_service::http::StrictForm;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::consent::value_text;
use vouchsafe_wallet_core::credential::{Card, CredentialId};
use vouchsafe_wallet_core::status::CardStatus;

use super::app::App;
use super::error::Problem;
use super::later;
use super::shell::Visitor;

#[derive(Deserialize)]
pub(super) struct ListQuery {
    added: Option<String>,
    later: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Response {
    let visitor = app.visitor(&headers);
    // Lists that are due are asked while the page shows what is known.
    app.wallet.ask_statuses_aside();
    let read = app.wallet.cards(&visitor.languages());
    let unreadable = || app.wallet.core().unreadable_cards();
    match read.and_then(|cards| Ok((cards, later::waiting(&app)?, unreadable()?))) {
        Ok((cards, waiting, unreadable)) => {
            let cards: Vec<Value> = cards
                .iter()
                .map(|card| shown(&app, &visitor, card))
                .collect();
            let context = json!({
                "cards": cards,
                "added": query.added.is_some(),
                "later": query.later.is_some(),
                "waiting": waiting,
                "unreadable": unreadable,
            });
            app.page(&visitor, "wallet/cards", context)
        }
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let visitor = app.visitor(&headers);
    app.wallet.ask_statuses_aside();
    let card = CredentialId::parse(&id).map_err(WalletError::from);
    match card.and_then(|id| app.wallet.card(&id, &visitor.languages())) {
        Ok(card) => app.page(
            &visitor,
            "wallet/card",
            json!({ "card": shown(&app, &visitor, &card) }),
        ),
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

pub(super) async fn delete(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    let deleted = match CredentialId::parse(&id) {
        Ok(id) => app.wallet.delete(&id).await,
        Err(error) => Err(error.into()),
    };
    match deleted {
        Ok(()) => Redirect::to("/").into_response(),
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

/// The colours of the cards as a stylesheet: the pages allow no inline styles.
/// Colours are parsed, ids are hexadecimal digits.
pub(super) async fn colours(State(app): State<Arc<App>>) -> Response {
    let mut css = String::new();
    for card in app.wallet.cards(&["en"]).unwrap_or_default() {
        let Card {
            id,
            background,
            text,
            ..
        } = card;
        // Writing into a String cannot fail.
        let _ = writeln!(
            css,
            ".card.colours-{id}{{background:{background};color:{text}}}.card.colours-{id} .issuer{{color:{text}}}"
        );
    }
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response()
}

fn shown(app: &App, visitor: &Visitor, card: &Card) -> Value {
    let (yes, no) = yes_no(app, visitor);
    let facts = card
        .facts
        .iter()
        .map(|fact| json!({ "label": fact.label, "value": value_text(&fact.value, &yes, &no) }));
    json!({
        "id": card.id,
        "title": card.title,
        "issuer": card.issuer,
        "facts": facts.collect::<Vec<_>>(),
        "expired": card.expired,
        "soon": card.expires_soon,
        "status": status(card.status),
        "unchecked": card.unchecked,
        "added_at": card.added_at,
        "expires_at": card.expires_at,
        "logo": card.logo,
        "logo_alt": card.logo_alt,
        "background": card.background_image,
        "fresh": card.fresh_copies.0,
        "copies": card.fresh_copies.1,
    })
}

/// Nothing of a card that has none.
pub(super) fn status(status: CardStatus) -> Option<Value> {
    let at = status.known_at();
    (status != CardStatus::None).then(|| json!({ "state": status.as_str(), "at": at }))
}

pub(super) fn yes_no(app: &App, visitor: &Visitor) -> (String, String) {
    (
        app.text(visitor.locale, "wallet-yes"),
        app.text(visitor.locale, "wallet-no"),
    )
}

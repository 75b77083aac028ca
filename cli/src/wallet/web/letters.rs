//! Letters that the person may send: please delete what you have of me; somebody asks for too much.
//!
//! The wallet writes them and sends nothing: to whom they go is up to the person.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;
use url::form_urlencoded::byte_serialize;
use vouchsafe_wallet_core::WalletError;

use super::app::App;
use super::error::Problem;
use super::history::{entry, shown};

/// Asks a party to delete what it was shown (Regulation (EU) 2016/679, article 17).
pub(super) async fn erase(
    state: State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    letter(&state, &headers, &id, "erase")
}

/// Tells an authority about a request that went too far.
pub(super) async fn report(
    state: State<Arc<App>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    letter(&state, &headers, &id, "report")
}

fn letter(app: &App, headers: &HeaderMap, id: &str, kind: &str) -> Response {
    let visitor = app.visitor(headers);
    let found = match entry(app, id) {
        Ok(found) => found,
        Err(error) => return Problem::from(error).page(app, &visitor),
    };
    let written = match kind {
        // Whoever saw nothing has nothing to delete.
        "erase" => found.erasure().map(drop).map_err(WalletError::from),
        _ => Ok(()),
    };
    if let Err(error) = written {
        return Problem::from(error).page(app, &visitor);
    }
    let entry = shown(&found);
    let template = format!("wallet/letter_{kind}");
    let text = app.letter(visitor.locale, &template, json!({ "entry": entry }));
    let subject = app.text(visitor.locale, &format!("wallet-letter-{kind}-subject"));
    let mail = format!(
        "mailto:?subject={}&body={}",
        quoted(&subject),
        quoted(&text)
    );
    let context = json!({ "entry": entry, "kind": kind, "text": text, "mail": mail });
    app.page(&visitor, "wallet/letter", context)
}

/// For a `mailto` link (RFC 6068, section 2), where a plus is a plus and a line ends with CR LF.
fn quoted(text: &str) -> String {
    let text = text.replace('\n', "\r\n");
    let form: String = byte_serialize(text.as_bytes()).collect();
    form.replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_letter_survives_its_link() {
        assert_eq!(quoted("a b+c\nd&e"), "a%20b%2Bc%0D%0Ad%26e");
    }
}

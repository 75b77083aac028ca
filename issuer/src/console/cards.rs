//! `/console/types`: credential types, and their cards as a wallet shows them.

use std::fmt::Write;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vouchsafe_credentials::credential_type::{ClaimSpec, CredentialType, Disclosability};

use super::{Console, Failure, Visitor, paths};
use crate::core::Core;
use crate::handlers::admin::views::claim_pointer;
use crate::paths::PICTURE;
use crate::types::TypeVersion;

/// The list.
pub async fn list(visitor: Visitor) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    core.types.refresh(core).await?;
    visitor.page("console/types", json!({ "types": all(&visitor) }))
}

/// One type: its card, its claims, its formats.
pub async fn page(visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let core = &visitor.console.core;
    core.types.refresh(core).await?;
    let version = core.types.current(&id).ok_or(Failure::NotFound)?;
    let (kind, locale) = (&version.kind, visitor.locale.tag());
    let claims: Vec<Value> = kind.claims.iter().map(|one| claim(one, locale)).collect();
    let context = json!({
        "type": card(core, &version, locale),
        "description": kind.display.description(locale),
        "vct": kind.vct,
        "configurations": core.configuration_ids(kind),
        "validity_days": kind.validity_s / 86_400,
        "version": version.version,
        "claims": claims,
    });
    visitor.page("console/type", context)
}

fn claim(spec: &ClaimSpec, locale: &str) -> Value {
    json!({
        "label": spec.display.name(locale),
        "path": claim_pointer(&spec.path).trim_start_matches("/claims/"),
        "kind": spec.kind.name(),
        "required": spec.required,
        "withheld": spec.sd == Disclosability::Always,
    })
}

/// The cards of all types.
pub fn all(visitor: &Visitor) -> Vec<Value> {
    let core = &visitor.console.core;
    let locale = visitor.locale.tag();
    let types = core.types.all_current();
    types.iter().map(|one| card(core, one, locale)).collect()
}

/// The name of a type in a language.
pub fn name(core: &Core, id: &str, locale: &str) -> String {
    let kind = core.credential_type(id);
    kind.map_or_else(
        || id.to_owned(),
        |kind| kind.display.name(locale).to_owned(),
    )
}

fn card(core: &Core, version: &TypeVersion, locale: &str) -> Value {
    let kind = &version.kind;
    let alt = kind
        .card
        .logo_alt
        .get(locale)
        .or_else(|| kind.card.logo_alt.get("en"));
    let facts = kind
        .claims
        .iter()
        .filter(|one| one.path.elements().len() == 1);
    let facts: Vec<&str> = facts.map(|one| one.display.name(locale)).take(2).collect();
    let picture = |name: String| PICTURE.replace("{name}", &name);
    json!({
        "id": kind.id,
        "name": kind.display.name(locale),
        "issuer": core.settings.name(locale),
        "colours": colour_class(kind),
        "logo": kind.card.logo.as_ref().map(|one| picture(one.name())),
        "logo_alt": alt,
        "background": kind.card.background_image.as_ref().map(|one| picture(one.name())),
        "facts": facts,
        "link": paths::TYPE.replace("{id}", &kind.id),
        "offer": format!("{}?type={}", paths::OFFER_NEW, kind.id),
    })
}

/// A class that is named after the colours themselves: these are checked hexadecimal digits.
fn colour_class(kind: &CredentialType) -> Option<String> {
    let digits = |color: &Option<String>| {
        let color = color.as_deref().unwrap_or_default();
        color.trim_start_matches('#').to_ascii_lowercase()
    };
    let card = &kind.card;
    let has_colours = card.background_color.is_some() || card.text_color.is_some();
    has_colours.then(|| {
        let (back, text) = (digits(&card.background_color), digits(&card.text_color));
        format!("colours-{back}-{text}")
    })
}

/// The colours of the cards as a stylesheet: the pages allow no inline styles.
pub async fn colours(State(console): State<Console>) -> Response {
    let mut css = String::new();
    for version in console.core.types.all_current() {
        let kind = &version.kind;
        let Some(class) = colour_class(kind) else {
            continue;
        };
        // Writing into a String cannot fail.
        let _ = write!(css, ".card.{class},.card.{class} .issuer{{");
        if let Some(color) = &kind.card.background_color {
            let _ = write!(css, "background:{color};");
        }
        if let Some(color) = &kind.card.text_color {
            let _ = write!(css, "color:{color};");
        }
        css.push_str("}\n");
    }
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], css).into_response()
}

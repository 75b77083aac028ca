//! The page that asks whether a card may go to a wallet. Who signed in stands in a row that works
//! once, sealed under the secret in the form.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::DbError;
use vouchsafe_service::seal::{Place, Sealer};
use vouchsafe_service::single_use::{self, Kind, NewObject};
use zeroize::Zeroizing;

use super::authorize_confirm::ConfirmError;
use super::code_page::{self, Flow, browser_digest};
use crate::authentication::Person;
use crate::claims::Origin;
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::paths::AUTHORIZE_CONSENT;
use crate::settings::WalletClient;

/// What is asked.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// What the wallet asked for.
    pub flow: Flow,
    /// The record of the person who signed in.
    pub record_id: String,
    claims: Value,
}

impl Consent {
    /// The question to a person.
    pub fn new(flow: Flow, person: Person) -> Self {
        Self {
            flow,
            record_id: person.record_id,
            claims: person.claims.to_value(),
        }
    }

    /// The type of the card.
    pub fn credential_type(&self) -> &str {
        self.flow.types.first().map_or("", String::as_str)
    }

    /// Where its claims come from.
    pub fn origin(&self) -> Result<Origin, ConfirmError> {
        Origin::from_value(self.claims.clone()).map_err(|_| ConfirmError::Flow)
    }
}

fn sealer(secret: &Secret) -> (Sealer, Place) {
    let sealer = Sealer::under_token("issuer consent", secret.expose());
    (sealer, Place::new(&["browser_return", "consent"]))
}

/// Keeps the question and shows its page.
pub async fn ask(
    core: &Core,
    consent: &Consent,
    client: &WalletClient,
    browser: &Secret,
) -> Result<Response, ConfirmError> {
    let secret = Secret::generate(&*core.rng);
    let plain = serde_json::to_vec(consent).map(Zeroizing::new);
    let plain = plain.expect("a struct of strings and JSON serialises");
    let (sealer, place) = sealer(&secret);
    let object = NewObject {
        payload: sealer.seal(&place, &plain, &*core.rng),
        family: String::new(),
        expires_at: UnixTime(consent.flow.expires_at),
    };
    let key = secret.clone();
    core.db
        .write(async move |tx| {
            single_use::put(tx, Kind::BrowserReturn, key.expose(), &object).await
        })
        .await
        .map_err(|error: DbError| ConfirmError::Redeem(error.into()))?;
    let locale = consent.flow.locale();
    let kind = core.credential_type(consent.credential_type());
    let card = kind.as_deref().map(|kind| kind.display.name(locale.tag()));
    let context = serde_json::json!({
        "issuer": core.settings.name(locale.tag()),
        "card": card.unwrap_or(consent.credential_type()),
        "wallet": client.name,
        "action": AUTHORIZE_CONSENT,
        "consent": secret.expose(),
    });
    let html = core.pages.render("issuer/consent", locale, context)?;
    let mut response = (StatusCode::OK, html).into_response();
    code_page::page_headers(response.headers_mut());
    code_page::set_browser(core, &mut response, browser);
    Ok(response)
}

/// The question behind a secret, for the browser that it was asked in. Uses nothing up.
pub async fn open(
    core: &Core,
    secret: &Secret,
    browser: Option<&Secret>,
) -> Result<Option<Consent>, DbError> {
    let (kind, now) = (Kind::BrowserReturn, core.clock.now());
    let Some(sealed) = single_use::peek(&core.db, kind, secret.expose(), now).await? else {
        return Ok(None);
    };
    let (sealer, place) = sealer(secret);
    let Ok(plain) = sealer.open(&place, &sealed) else {
        return Ok(None);
    };
    let Ok(consent) = serde_json::from_slice::<Consent>(&plain) else {
        return Ok(None);
    };
    let same = browser.is_some_and(|secret| browser_digest(secret) == consent.flow.browser);
    Ok(same.then_some(consent))
}

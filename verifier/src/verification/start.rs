//! The beginning: what a caller may ask, checked, and the row for it.

use serde_json::Value;
use url::Url;
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::random;
use vouchsafe_pages::qr;
use vouchsafe_protocol::vp::dcql::{DcqlError, DcqlQuery, ProfileError, require_login_profile};
use vouchsafe_protocol::vp::values::LocalizedText;

use super::ask::link;
use crate::app::Parts;
use crate::config::{VerificationCaller, untrusted_type};
use crate::domain::ids::{QueryId, RequestId, VerificationId};
use crate::domain::verification::{Asked, Pending, Secrets, Verification};
use crate::login::ask::AskError;
use crate::store::StoreError;
use crate::store::verifications::{self, Sealed};

/// Longest text that says why, in bytes: what wallets show (`verifier_info`) and a bit of room.
const MAX_PURPOSE: usize = 300;
/// Longest question of a caller's own, in bytes: it is kept with each row and sent to each wallet.
const MAX_DCQL: usize = 16 * 1024;

/// What a caller wants to know.
#[derive(Debug)]
pub enum Question {
    /// A question of the configuration.
    Named(String),
    /// One of the caller's own (DCQL).
    Inline(Value),
}

/// What a caller sends.
#[derive(Debug)]
pub struct Wanted {
    /// The question.
    pub question: Question,
    /// Why; the question's own words without it.
    pub purpose: Option<String>,
    /// Where the person's browser goes after the answer.
    pub return_url: Option<String>,
    /// Whether all cards of the answer must be bound to one key; what the question says without it.
    pub one_holder: Option<bool>,
}

/// Why a question is not put. Every text names the place, never a value.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such question, or not for this caller.
    #[error("query names no question that you may put")]
    Query,
    /// Own questions are off for this caller.
    #[error("questions of your own (dcql) are not allowed for you")]
    Inline,
    /// Too long a query.
    #[error("dcql is longer than 16384 bytes")]
    DcqlLength,
    /// Not a query.
    #[error("dcql: {0}")]
    Dcql(#[from] DcqlError),
    /// A query that is not answered here.
    #[error("dcql: {0}")]
    Profile(#[from] ProfileError),
    /// Nobody's cards of this type are believed.
    #[error("dcql: a type is asked for that no trusted issuer may issue in this format")]
    Issuer,
    /// The purpose is missing or cannot be shown.
    #[error("purpose must be 1 to 300 bytes of text without control characters")]
    Purpose,
    /// The configuration wants one holder, and its question is asked as it is written.
    #[error("one_holder: the question demands one holder for all cards")]
    OneHolder,
    /// Not a registered address.
    #[error("return_url is not registered")]
    ReturnUrl,
    /// No way back, for a caller whose questions are answered on the same device alone.
    #[error("return_url is missing: other devices may not answer you")]
    NoReturnUrl,
    /// The link is too long for a QR code, which the configuration of the wallet's address causes.
    #[error("the link does not fit into a QR code")]
    Qr,
    /// Sealing.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The link cannot be made.
    #[error(transparent)]
    Link(#[from] AskError),
}

/// A verification that can be written.
#[derive(Debug)]
pub struct Prepared {
    /// The row.
    pub row: Sealed,
    /// What was asked.
    pub verification: Verification,
    /// The link that opens a wallet.
    pub link: String,
    /// The same as a QR code (SVG), for a caller whom other devices may answer.
    pub qr: Option<String>,
}

/// Checks what a caller wants, and makes the question: nonce, state and key are its own
/// (HAIP 1.0, section 5: an ephemeral key for each request).
pub fn prepare(
    app: &Parts,
    caller: &VerificationCaller,
    wanted: Wanted,
) -> Result<Prepared, StartError> {
    let Wanted {
        question,
        purpose,
        return_url,
        one_holder,
    } = wanted;
    let (query, dcql, own_words, strict) = match question {
        Question::Named(name) => named(app, caller, name)?,
        Question::Inline(json) => (None, inline(app, caller, &json)?, None, true),
    };
    if strict && one_holder == Some(false) && query.is_some() {
        return Err(StartError::OneHolder);
    }
    let now = app.now();
    let return_url = return_url.map(|url| registered(caller, &url)).transpose()?;
    // OpenID4VP 1.0, section 14, "Session Fixation": without a way back nothing ties who answers to
    // who started.
    if return_url.is_none() && !caller.cross_device {
        return Err(StartError::NoReturnUrl);
    }
    let asked = Asked {
        id: VerificationId::random(app.rng.as_ref()),
        request: RequestId::random(app.rng.as_ref()),
        caller: caller.id.clone(),
        query,
        dcql,
        purpose: words(purpose, own_words)?,
        return_url,
        one_holder: one_holder.unwrap_or(strict),
        created_at: now,
        expires_at: now.plus(app.settings.verifications.lifetime_s),
    };
    let key = app.crypto.generate_agreement_key(app.rng.as_ref());
    let secrets = Secrets {
        nonce: random::token(app.rng.as_ref()),
        state: random::token(app.rng.as_ref()),
        agreement_key: b64url(key.to_bytes().as_slice()),
    };
    let link = link(app, &asked, &secrets)?;
    let qr = match caller.cross_device {
        true => Some(qr::svg(&link).map_err(|_| StartError::Qr)?),
        false => None,
    };
    let forget_at = asked.expires_at.plus(app.settings.verifications.keep_s);
    let verification = Verification::Pending(Pending {
        asked,
        secrets,
        fetched_at: None,
    });
    Ok(Prepared {
        row: verifications::seal(&app.vault, &verification, None, forget_at)?,
        verification,
        link,
        qr,
    })
}

type Named = (Option<QueryId>, DcqlQuery, Option<LocalizedText>, bool);

fn named(app: &Parts, caller: &VerificationCaller, name: String) -> Result<Named, StartError> {
    let id = QueryId::from_text(name);
    // One answer for what is not there and what is not for this caller.
    let query = app.settings.query(&id).filter(|_| caller.may_ask(&id));
    let query = query.ok_or(StartError::Query)?;
    let words = Some(query.purpose.clone());
    Ok((Some(id), query.dcql.clone(), words, query.one_holder))
}

/// The same rules as for a question of the configuration.
fn inline(app: &Parts, caller: &VerificationCaller, json: &Value) -> Result<DcqlQuery, StartError> {
    if !caller.inline_queries {
        return Err(StartError::Inline);
    }
    if json.to_string().len() > MAX_DCQL {
        return Err(StartError::DcqlLength);
    }
    let dcql = DcqlQuery::parse(json)?;
    // Catalogue 310: no answer without holder binding.
    require_login_profile(&dcql)?;
    match untrusted_type(&dcql, &app.settings.trust) {
        Some(_) => Err(StartError::Issuer),
        None => Ok(dcql),
    }
}

fn words(
    purpose: Option<String>,
    own_words: Option<LocalizedText>,
) -> Result<LocalizedText, StartError> {
    let Some(text) = purpose else {
        return own_words.ok_or(StartError::Purpose);
    };
    let shown = text.trim();
    // Control characters, and those that turn text around, break its line or show nothing
    // (catalogue 383: what a person reads is what was written).
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if shown.is_empty() || shown.len() > MAX_PURPOSE || shown.chars().any(hidden) {
        return Err(StartError::Purpose);
    }
    Ok(LocalizedText {
        default: shown.to_owned(),
        translations: std::collections::BTreeMap::new(),
    })
}

fn registered(caller: &VerificationCaller, url: &str) -> Result<Url, StartError> {
    caller.return_url(url).ok_or(StartError::ReturnUrl)
}

//! What the person sees before a card is added.

use serde::Serialize;
use vouchsafe_protocol::oauth::token::{AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE};
use vouchsafe_protocol::vci::offer::{InputMode, TxCode};

use super::authorize::AuthorizeState;
use super::card::names;
use super::exchange::Next;
use super::issuer::Standing;
use super::readied::Readied;
use super::session::Session;
use super::token::{Grant, TokenAttempt};
use super::{IssuanceError, Step};
use crate::WalletError;
use crate::display::{Colour, choose};
use crate::text::PlainText;

/// An offer with checked metadata. Nothing has been redeemed yet.
pub struct Preview {
    session: Session,
    readied: Readied,
    code_missing: bool,
}

/// What the person is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IssuancePreview {
    /// The issuer's name in its own words.
    pub issuer: PlainText,
    /// Its host, with its port where that is unusual.
    pub host: String,
    /// Why it is dealt with.
    pub trust: IssuerTrustReason,
    /// The cards that would be added.
    pub cards: Vec<CardPreview>,
    /// The one-time code to type, where one is needed.
    pub tx_code: Option<TxCodePrompt>,
    /// Whether a code was needed and none, or none of the right kind, came.
    pub code_missing: bool,
    /// Whether the person will have to sign in at the issuer.
    pub sign_in: bool,
}

/// Why an issuer is dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IssuerTrustReason {
    /// It is on the wallet's list.
    Listed,
    /// The person confirmed it, now or earlier.
    ConfirmedByPerson,
}

/// A card that would be added.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardPreview {
    /// Its name.
    pub title: PlainText,
    /// Its colour.
    pub background: Colour,
    /// Colour of the text on it.
    pub text: Colour,
    /// What its facts are called.
    pub facts: Vec<PlainText>,
}

/// A one-time code that the person was given on another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TxCodePrompt {
    /// Whether it consists of digits.
    pub numeric: bool,
    /// Its length in characters, where the issuer says it.
    pub length: Option<u32>,
    /// Where the person finds it, in the issuer's words.
    pub description: Option<PlainText>,
}

impl Preview {
    pub(super) fn new(session: Session, readied: Readied) -> Self {
        Self {
            session,
            readied,
            code_missing: false,
        }
    }

    /// Who offers what; texts in the first of the languages that is there.
    #[must_use]
    pub fn data(&self, locales: &[&str]) -> IssuancePreview {
        let document = self.readied.issuer.document();
        let named = names(document.display.as_deref().unwrap_or_default());
        let issuer = choose(&named, locales).cloned();
        let cards = self.readied.offer.credential_configuration_ids.iter();
        IssuancePreview {
            issuer: issuer.unwrap_or_else(|| PlainText::new(self.session.host())),
            host: self.session.host().to_owned(),
            trust: match self.readied.standing {
                Standing::Listed(_) => IssuerTrustReason::Listed,
                Standing::Remembered(_) | Standing::Confirmed | Standing::Unknown => {
                    IssuerTrustReason::ConfirmedByPerson
                }
            },
            cards: cards.filter_map(|id| self.card(id, locales)).collect(),
            tx_code: self.readied.tx_code().map(prompt),
            code_missing: self.code_missing,
            sign_in: self.readied.offer.grants.pre_authorized_code.is_none(),
        }
    }

    /// Adds the cards. Without the code that is needed the step is the same
    /// again, with [`IssuancePreview::code_missing`].
    pub async fn accept(mut self, tx_code: Option<&str>) -> Result<Step, WalletError> {
        let code = match self.readied.tx_code() {
            // Catalogue 233: a code is sent exactly where one is asked for.
            None => None,
            Some(wanted) => match tx_code.map(str::trim).filter(|code| fits(wanted, code)) {
                Some(code) => Some(code.to_owned()),
                None => {
                    self.code_missing = true;
                    return Ok(Step::Preview(self));
                }
            },
        };
        let Self {
            session,
            readied,
            code_missing: _,
        } = self;
        match redeem(&session, readied, code).await {
            Ok(next) => Ok(next.with(session)),
            Err(error) => {
                session.fail(&error).await;
                Err(error)
            }
        }
    }

    /// Says no.
    pub fn decline(self) -> Result<(), WalletError> {
        self.session.decline()
    }

    fn card(&self, id: &str, locales: &[&str]) -> Option<CardPreview> {
        let configuration = self.readied.configuration(id).ok()?;
        let display = self.readied.display(configuration);
        let title = choose(&display.name, locales).cloned();
        let facts = display
            .claims
            .iter()
            .map(|claim| display.label(&claim.path, locales));
        Some(CardPreview {
            title: title.unwrap_or_else(|| PlainText::new(id)),
            background: display.background,
            text: display.text,
            facts: facts.collect(),
        })
    }
}

async fn redeem(
    session: &Session,
    readied: Readied,
    tx_code: Option<String>,
) -> Result<Next, WalletError> {
    let grants = &readied.offer.grants;
    if let Some(grant) = &grants.pre_authorized_code {
        if !readied.server.supports_grant(PRE_AUTHORIZED_CODE) {
            return Err(IssuanceError::NoGrant.into());
        }
        let grant = Grant::PreAuthorized {
            code: grant.code.clone(),
            tx_code,
        };
        return TokenAttempt::start(&session.wallet, readied, grant).await;
    }
    if !readied.server.supports_grant(AUTHORIZATION_CODE) {
        return Err(IssuanceError::NoGrant.into());
    }
    Ok(Next::Authorize(Box::new(AuthorizeState::new(
        &session.wallet,
        readied,
    )?)))
}

fn prompt(code: &TxCode) -> TxCodePrompt {
    TxCodePrompt {
        numeric: code.input_mode == InputMode::Numeric,
        length: code.length,
        description: code.description.as_deref().and_then(PlainText::non_empty),
    }
}

/// Spares a try that cannot succeed: the issuer counts them.
fn fits(wanted: &TxCode, code: &str) -> bool {
    let length = u32::try_from(code.chars().count()).unwrap_or(u32::MAX);
    let digits =
        wanted.input_mode != InputMode::Numeric || code.bytes().all(|b| b.is_ascii_digit());
    !code.is_empty() && digits && wanted.length.is_none_or(|wanted| wanted == length)
}

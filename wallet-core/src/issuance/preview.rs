//! What the person sees before a card is added.

use serde::Serialize;
use vouchsafe_protocol::oauth::token::{AUTHORIZATION_CODE, PRE_AUTHORIZED_CODE};
use vouchsafe_protocol::vci::offer::{InputMode, TxCode};

use super::authorize::AuthorizeState;
use super::call::Call;
use super::card::names;
use super::client::Client;
use super::exchange::Next;
use super::goal::Goal;
use super::grant::Grant;
use super::issuer::Standing;
use super::readied::Readied;
use super::session::Session;
use super::{IssuanceError, Step};
use crate::WalletError;
use crate::display::{Colour, choose};
use crate::text::PlainText;

/// An offer with checked metadata. Nothing has been redeemed yet.
pub struct Preview {
    session: Session,
    readied: Box<Readied>,
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
    /// Whether the person chooses from the cards first; see [`Preview::choose`].
    pub choose: bool,
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
    /// What the issuer calls it: a key of its configurations.
    pub type_id: String,
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
    pub(super) fn new(session: Session, readied: Box<Readied>) -> Self {
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
            choose: matches!(self.session.goal, Goal::Request { chosen: None }),
        }
    }

    /// Takes one of the cards to choose from, and leaves the others.
    pub fn choose(&mut self, type_id: &str) -> Result<(), WalletError> {
        let ids = &mut self.readied.offer.credential_configuration_ids;
        if !ids.iter().any(|id| id == type_id) {
            return Err(IssuanceError::UnsupportedCard.into());
        }
        *ids = vec![type_id.to_owned()];
        if let Goal::Request { chosen } = &mut self.session.goal {
            *chosen = Some(type_id.to_owned());
        }
        Ok(())
    }

    /// Adds the cards. Without the code that is needed the step is the same
    /// again, with [`IssuancePreview::code_missing`]; without the choice that is needed too.
    pub async fn accept(mut self, tx_code: Option<&str>) -> Result<Step, WalletError> {
        if let ([only], Goal::Request { chosen }) = (
            self.readied.offer.credential_configuration_ids.as_slice(),
            &mut self.session.goal,
        ) {
            *chosen = Some(only.clone());
        }
        if matches!(self.session.goal, Goal::Request { chosen: None }) {
            return Ok(Step::Preview(self));
        }
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
            type_id: id.to_owned(),
            title: title.unwrap_or_else(|| PlainText::new(id)),
            background: display.background,
            text: display.text,
            facts: facts.collect(),
        })
    }
}

async fn redeem(
    session: &Session,
    readied: Box<Readied>,
    tx_code: Option<String>,
) -> Result<Next, WalletError> {
    let grants = &readied.offer.grants;
    if let Some(grant) = &grants.pre_authorized_code {
        // OpenID4VCI 1.0, section 4.1.1: the offer says which grants there are. What the server's
        // metadata do not say (RFC 8414 has a default that knows no such code) refuses nothing.
        let listed = &readied.server.grant_types_supported;
        if !listed.is_empty() && !readied.server.supports_grant(PRE_AUTHORIZED_CODE) {
            return Err(IssuanceError::NoGrant.into());
        }
        let grant = Grant::PreAuthorized {
            code: grant.code.clone(),
            tx_code,
        };
        let client = Client::new(session, &readied, true).await?;
        return Call::redeem(session, readied, client, grant).await;
    }
    if !readied.server.supports_grant(AUTHORIZATION_CODE) {
        return Err(IssuanceError::NoGrant.into());
    }
    let client = Client::new(session, &readied, false).await?;
    AuthorizeState::begin(session, readied, client).await
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

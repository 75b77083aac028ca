//! What the person sees before a card is added.

use vouchsafe_wallet_core::issuance::{
    IssuancePreview, IssuerTrustReason, TxCodePrompt as CorePrompt,
};

use crate::values::credential::IssuerRef;

/// What an issuer offers.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CredentialOffer {
    /// The issuer, in its own words.
    pub issuer: IssuerRef,
    /// Its host.
    pub host: String,
    /// Whether it is on the wallet's list; if not, the person agreed to it.
    pub listed: bool,
    /// The cards that would be added.
    pub credentials: Vec<OfferedCredential>,
    /// The one-time code that will be asked for.
    pub tx_code: Option<TxCodePrompt>,
    /// Whether the person will have to sign in at the issuer.
    pub sign_in: bool,
}

/// A card that would be added.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct OfferedCredential {
    /// Its name.
    pub title: String,
    /// Its colour as `#rrggbb`.
    pub background: String,
    /// Colour of the text on it as `#rrggbb`.
    pub text: String,
    /// What its facts are called.
    pub facts: Vec<String>,
}

/// A one-time code that the person was given on another way.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TxCodePrompt {
    /// Whether it consists of digits.
    pub numeric: bool,
    /// Its length, where the issuer says it.
    pub length: Option<u32>,
    /// Where the person finds it, in the issuer's words.
    pub description: Option<String>,
}

impl From<&CorePrompt> for TxCodePrompt {
    fn from(prompt: &CorePrompt) -> Self {
        Self {
            numeric: prompt.numeric,
            length: prompt.length,
            description: prompt.description.as_ref().map(ToString::to_string),
        }
    }
}

impl From<IssuancePreview> for CredentialOffer {
    fn from(preview: IssuancePreview) -> Self {
        let cards = preview.cards.iter().map(|card| OfferedCredential {
            title: card.title.to_string(),
            background: card.background.to_string(),
            text: card.text.to_string(),
            facts: card.facts.iter().map(ToString::to_string).collect(),
        });
        Self {
            issuer: IssuerRef {
                name: preview.issuer.to_string(),
            },
            listed: preview.trust == IssuerTrustReason::Listed,
            credentials: cards.collect(),
            tx_code: preview.tx_code.as_ref().map(TxCodePrompt::from),
            sign_in: preview.sign_in,
            host: preview.host,
        }
    }
}

//! Cards that an application gets in the form of draft-svensson-credential-oidc-bridge-02.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What of cards goes to an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentedWish {
    /// What the wallet is asked.
    pub dcql: Value,
    /// The cards that are told of, by the names of the answer.
    pub cards: Vec<PresentedCard>,
    /// The Credential Sets of the application's own query. Empty: all cards are one set.
    pub sets: Vec<PresentedSet>,
    /// It goes into the ID token, too.
    pub in_id_token: bool,
}

/// A card that is told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentedCard {
    /// Its name in the question and in the answer.
    pub id: String,
    /// Its Credential Query in the configuration.
    pub credential: String,
    /// Names of its claims that are told.
    pub claims: Vec<String>,
}

/// Alternatives, of which the first that is complete is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentedSet {
    /// The name that the application gave it.
    pub id: Option<String>,
    /// Names of cards.
    pub options: Vec<Vec<String>>,
}

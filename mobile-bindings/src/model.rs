//! Plain records for the other side of the bridge.

use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_wallet_core::consent::{CardOption, ConsentRequest, value_text};
use vouchsafe_wallet_core::credential::Card;
use vouchsafe_wallet_core::history::{HistoryEntry, Outcome};

/// A name and a value in words.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FactRecord {
    /// What it is called.
    pub label: String,
    /// Its value; `true` and `false` for yes and no.
    pub value: String,
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CardRecord {
    /// Its name in this wallet.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Who issued it.
    pub issuer: String,
    /// Colour as `#rrggbb`.
    pub background: String,
    /// Colour of the text as `#rrggbb`.
    pub text: String,
    /// What it says.
    pub facts: Vec<FactRecord>,
    /// Whether it is no longer valid.
    pub expired: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HistoryRecord {
    /// Its name.
    pub id: String,
    /// Seconds since 1970.
    pub at: i64,
    /// `issued`, `presented` or `deleted`.
    pub kind: String,
    /// The verified name of the other side, where there was one.
    pub party: Option<String>,
    /// Its host.
    pub host: String,
    /// Names of the facts, never their values.
    pub facts: Vec<String>,
    /// `completed`, `declined`, `unknown`, or the code of the error.
    pub result: String,
    /// Whether a consent can be withdrawn.
    pub can_withdraw: bool,
}

/// A request the host is to send. Redirects must not be followed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Names and values.
    pub headers: Vec<FactRecord>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

/// The answer to a [`Request`].
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<FactRecord>,
    /// The body.
    pub body: Vec<u8>,
}

/// A question to show a card.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConsentRecord {
    /// The verified name of who asks.
    pub verifier: String,
    /// The host that the answer goes to.
    pub host: String,
    /// Why, in their words.
    pub purpose: Option<String>,
    /// The cards that would do.
    pub cards: Vec<ConsentCard>,
}

/// A card that would do.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct ConsentCard {
    /// Id of the question it answers.
    pub question: String,
    /// Id of the card.
    pub card: String,
    /// Its name.
    pub title: String,
    /// What they will learn.
    pub learns: Vec<FactRecord>,
    /// What they will not learn.
    pub keeps: Vec<String>,
    /// Whether it belongs to the answer that reveals the least.
    pub suggested: bool,
    /// Whether somebody else has seen this copy.
    pub linkable: bool,
}

fn fact(label: &impl ToString, value: &impl ToString) -> FactRecord {
    FactRecord {
        label: label.to_string(),
        value: value.to_string(),
    }
}

impl From<Card> for CardRecord {
    fn from(card: Card) -> Self {
        let facts = card
            .facts
            .iter()
            .map(|f| fact(&f.label, &value_text(&f.value, "true", "false")));
        Self {
            id: card.id.to_string(),
            title: card.title.to_string(),
            issuer: card.issuer.to_string(),
            background: card.background.to_string(),
            text: card.text.to_string(),
            facts: facts.collect(),
            expired: card.expired,
        }
    }
}

impl From<HistoryEntry> for HistoryRecord {
    fn from(entry: HistoryEntry) -> Self {
        use vouchsafe_wallet_core::history::EventKind;
        let can_withdraw = entry.can_withdraw();
        Self {
            id: entry.id.as_str().to_owned(),
            at: entry.at.seconds(),
            kind: match entry.kind {
                EventKind::Issued => "issued",
                EventKind::Presented => "presented",
                EventKind::Deleted => "deleted",
            }
            .to_owned(),
            party: entry.party.name.map(|name| name.to_string()),
            host: entry.party.host,
            facts: entry.facts.iter().map(ToString::to_string).collect(),
            result: match entry.outcome {
                Outcome::Unknown => "unknown".to_owned(),
                Outcome::Completed => "completed".to_owned(),
                Outcome::Declined => "declined".to_owned(),
                Outcome::Failed { code } => code,
            },
            can_withdraw,
        }
    }
}

impl From<&HttpRequest> for Request {
    fn from(request: &HttpRequest) -> Self {
        Self {
            method: request.method.as_str().to_owned(),
            url: request.url.to_string(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| fact(&name, &value))
                .collect(),
            body: request.body.clone(),
        }
    }
}

impl From<Response> for HttpResponse {
    fn from(response: Response) -> Self {
        let headers = response.headers.into_iter().map(|h| (h.label, h.value));
        Self {
            status: response.status,
            headers: headers.collect(),
            body: response.body,
        }
    }
}

impl From<&ConsentRequest> for ConsentRecord {
    fn from(consent: &ConsentRequest) -> Self {
        let mut cards = Vec::new();
        for question in &consent.questions {
            for card in &question.cards {
                let suggested =
                    consent.suggested.picks.iter().any(|pick| {
                        pick.question == question.id && pick.credential == card.credential
                    });
                cards.push(consent_card(&question.id, card, suggested));
            }
        }
        Self {
            verifier: consent.verifier.name.to_string(),
            host: consent.verifier.host.clone(),
            purpose: consent.purpose.as_ref().map(ToString::to_string),
            cards,
        }
    }
}

fn consent_card(question: &str, card: &CardOption, suggested: bool) -> ConsentCard {
    let learns = card.learns.iter();
    ConsentCard {
        question: question.to_owned(),
        card: card.credential.to_string(),
        title: card.title.to_string(),
        learns: learns
            .map(|f| fact(&f.label, &value_text(&f.value, "true", "false")))
            .collect(),
        keeps: card.keeps.iter().map(ToString::to_string).collect(),
        suggested,
        linkable: card.linkable,
    }
}

//! What a person is asked before a card is shown: data, not pages.

use serde::Serialize;
use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::vp::transaction_data::{Details, TransactionData};

use crate::credential::CredentialId;
use crate::status::CardStatus;
use crate::text::PlainText;
use crate::verifiers::VerifierId;

/// Who asks, why, and exactly what would leave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConsentRequest {
    /// Who asks.
    pub verifier: VerifierIdentity,
    /// Why, in their words.
    pub purpose: Option<PlainText>,
    /// What a register says of them.
    pub registration: Registration,
    /// What is asked for; one entry per card that may be needed.
    pub questions: Vec<Question>,
    /// What the person authorises by answering; to be shown whole before they agree.
    pub approvals: Vec<Approval>,
    /// Which questions must be answered together.
    pub sets: Vec<QuestionSet>,
    /// The answer that reveals the least and no more than is insisted on.
    pub suggested: Selection,
}

/// A transaction that is authorised with an answer (OpenID4VP 1.0, section 8.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The questions whose cards may authorise it; one of them signs it.
    pub questions: Vec<String>,
    /// What is authorised.
    #[serde(flatten)]
    pub transaction: Transaction,
}

/// What is authorised. Each text is the whole one that is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Transaction {
    /// A payment.
    Payment {
        /// Who is paid.
        payee: PlainText,
        /// How much, as a decimal.
        amount: String,
        /// In which currency (ISO 4217).
        currency: String,
        /// What for, in the words of who asks.
        reference: Option<PlainText>,
    },
}

impl From<&TransactionData> for Approval {
    fn from(data: &TransactionData) -> Self {
        let Details::Payment(payment) = data.details();
        Self {
            questions: (data.credential_ids().iter())
                .map(|id| id.as_str().to_owned())
                .collect(),
            transaction: Transaction::Payment {
                payee: PlainText::new(payment.payee()),
                amount: payment.amount().to_owned(),
                currency: payment.currency().to_owned(),
                reference: payment.reference().map(PlainText::new),
            },
        }
    }
}

/// What a register says of who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Registration {
    /// Nothing: they bring no word of a register, or the wallet knows no registrar.
    Unknown,
    /// What they bring is no word of a registrar that the wallet knows, or is about somebody else.
    Unusable {
        /// Stable code of the reason.
        code: &'static str,
    },
    /// They are registered.
    Registered {
        /// What for, in the words of the register.
        purpose: Option<PlainText>,
        /// What they ask for although the register does not have it. Not empty: a warning.
        beyond: Vec<PlainText>,
    },
}

/// Who asks, as far as it was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifierIdentity {
    /// Its name in this wallet, the same each time it asks.
    pub id: VerifierId,
    /// When a card was shown to it last; `None`: never before. It spares no question.
    pub last_shown_at: Option<UnixTime>,
    /// The name in their certificate, in an attestation or on the wallet's list; where nobody vouches for
    /// one, the host that asks.
    pub name: PlainText,
    /// The name they use in the request, when it differs. Not verified by
    /// anybody but themselves.
    pub calls_itself: Option<PlainText>,
    /// The host that the answer goes to, or whose page asks; with its port where that is unusual.
    pub host: String,
    /// Why the name is believed.
    pub trust: TrustReason,
}

/// Why a name is believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum TrustReason {
    /// A certificate by an authority on the wallet's list.
    Certificate {
        /// Id of that authority: base64url(SHA-256) of its certificate.
        anchor: String,
    },
    /// None is known: the browser says whose page asks, and nobody else vouches for it.
    Origin,
    /// A party on the wallet's list attests it.
    Attestation {
        /// Who attests.
        issuer: PlainText,
    },
    /// It is on the wallet's list itself.
    Registered,
    /// Nobody signed the request: whoever reads what is sent to [`VerifierIdentity::host`] asks.
    Address,
    /// It holds a key of this DID; nobody vouches for it.
    Did {
        /// The DID.
        did: PlainText,
    },
}

/// One card that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// Its id, to be used in the [`Selection`].
    pub id: String,
    /// Whether more than one card may be given.
    pub multiple: bool,
    /// The cards that would do, at least one.
    pub cards: Vec<CardOption>,
}

/// A card that would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CardOption {
    /// The card.
    pub credential: CredentialId,
    /// Its name.
    pub title: PlainText,
    /// Who issued it.
    pub issuer: PlainText,
    /// From when it is no longer valid.
    pub expires_at: Option<UnixTime>,
    /// Whether that is within a month, and in the last quarter of its time here.
    pub expires_soon: bool,
    /// What is known of the status of the copy that would be shown. No list is asked for it now.
    pub status: CardStatus,
    /// Everything they will learn about the person, asked for or not.
    pub learns: Vec<LearnedFact>,
    /// What stays with the person.
    pub keeps: Vec<PlainText>,
    /// Whether somebody else has been shown the same copy of the card, so
    /// that the two could find out together that it is the same card; or may have been: the copy
    /// came out of a backup, and nobody knows to whom it was shown since that was made.
    pub linkable: bool,
}

/// A fact that would leave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LearnedFact {
    /// What it is called.
    pub label: PlainText,
    /// Its value.
    pub value: Value,
    /// Whether it shows with every use of the card, asked for or not.
    pub always_visible: bool,
    /// Whether the verifier says that it means to keep it (`intent_to_retain`). That it does not say so
    /// binds nobody.
    pub kept: bool,
}

/// Questions that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuestionSet {
    /// Whether the verifier insists. If not, it is off until switched on.
    pub required: bool,
    /// Alternatives: each a list of question ids, the verifier's favourite first.
    pub options: Vec<Vec<String>>,
}

/// Which card answers which question.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// The chosen cards.
    pub picks: Vec<Pick>,
}

/// One chosen card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pick {
    /// [`Question::id`].
    pub question: String,
    /// [`CardOption::credential`].
    pub credential: CredentialId,
}

impl ConsentRequest {
    /// The option behind a pick.
    #[must_use]
    pub fn option(&self, pick: &Pick) -> Option<&CardOption> {
        let question = self.questions.iter().find(|q| q.id == pick.question)?;
        question
            .cards
            .iter()
            .find(|card| card.credential == pick.credential)
    }
}

/// A value as one line of text; `true` and `false` become what `yes` and `no`
/// say, so that a page can put them in the person's language.
#[must_use]
pub fn value_text(value: &Value, yes: &str, no: &str) -> PlainText {
    match value {
        Value::Bool(true) => PlainText::new(yes),
        Value::Bool(false) => PlainText::new(no),
        Value::String(text) => PlainText::new(text),
        Value::Null => PlainText::new(""),
        Value::Number(number) => PlainText::new(&number.to_string()),
        Value::Array(items) => {
            let texts = items
                .iter()
                .map(|item| value_text(item, yes, no).to_string());
            PlainText::new(&texts.collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let texts = members
                .iter()
                .map(|(k, v)| format!("{k}: {}", value_text(v, yes, no)));
            PlainText::new(&texts.collect::<Vec<_>>().join(", "))
        }
    }
}

//! What a person is asked before a card is shown.

use vouchsafe_wallet_core::consent::{
    CardOption, ConsentRequest, Pick as CorePick, Question, Selection as CoreSelection,
    TrustReason, VerifierIdentity,
};

use crate::error::WalletError;
use crate::values::credential::{CredentialId, CredentialStatus, FactValue, IssuerRef};

/// Who asks, why, and exactly what would leave.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct PresentationRequest {
    /// Who asks.
    pub verifier: VerifierRef,
    /// Why, in their words.
    pub purpose: Option<String>,
    /// What is asked for.
    pub queries: Vec<Query>,
    /// Which queries must be answered together.
    pub sets: Vec<QuerySet>,
    /// The answer that reveals the least and no more than is insisted on.
    pub suggested: Selection,
}

/// Who asks, as far as it was verified.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct VerifierRef {
    /// The name in their certificate; where nobody certifies one, the host that asks.
    pub name: String,
    /// The name that they use in the request, where it differs. Verified by nobody.
    pub calls_itself: Option<String>,
    /// The host that the answer goes to, or whose page asks.
    pub host: String,
    /// Whether an authority on the wallet's list certifies the name.
    pub certified: bool,
}

/// One card that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Query {
    /// Its id, for the [`Selection`].
    pub id: String,
    /// Whether more than one card may be given.
    pub multiple: bool,
    /// The cards that would do, at least one.
    pub candidates: Vec<Candidate>,
}

/// A card that would do.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Candidate {
    /// The card.
    pub credential: CredentialId,
    /// Its name.
    pub title: String,
    /// Who issued it.
    pub issuer: IssuerRef,
    /// From when it is no longer valid, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// Whether that is soon.
    pub expires_soon: bool,
    /// What is known of the status of the copy that would be shown, to be said before it is. No list is
    /// asked for it now.
    pub status: CredentialStatus,
    /// Everything that they will learn, asked for or not.
    pub learns: Vec<LearnedFact>,
    /// What stays with the person.
    pub keeps: Vec<String>,
    /// Whether somebody else has seen this copy, so that the two could find out together that it
    /// is the same card.
    pub linkable: bool,
}

/// A fact that would leave.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LearnedFact {
    /// What it is called.
    pub label: String,
    /// Its value.
    pub value: FactValue,
    /// Whether it shows with every use of the card, asked for or not.
    pub always_visible: bool,
}

/// Queries that belong together.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct QuerySet {
    /// Whether the verifier insists. If not, it is off until switched on.
    pub required: bool,
    /// Alternatives: each a list of ids of queries, the verifier's favourite first.
    pub options: Vec<Vec<String>>,
}

/// Which card answers which query.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Selection {
    /// The chosen cards.
    pub picks: Vec<Pick>,
}

/// A chosen card.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Pick {
    /// [`Query::id`].
    pub query: String,
    /// [`Candidate::credential`].
    pub credential: CredentialId,
}

impl Selection {
    pub(crate) fn to_core(&self) -> Result<CoreSelection, WalletError> {
        let picks = self.picks.iter().map(|pick| {
            Ok(CorePick {
                question: pick.query.clone(),
                credential: pick.credential.to_core()?,
            })
        });
        Ok(CoreSelection {
            picks: picks.collect::<Result<_, WalletError>>()?,
        })
    }
}

impl From<&ConsentRequest> for PresentationRequest {
    fn from(consent: &ConsentRequest) -> Self {
        let picks = consent.suggested.picks.iter().map(|pick| Pick {
            query: pick.question.clone(),
            credential: (&pick.credential).into(),
        });
        let sets = consent.sets.iter().map(|set| QuerySet {
            required: set.required,
            options: set.options.clone(),
        });
        Self {
            verifier: (&consent.verifier).into(),
            purpose: consent.purpose.as_ref().map(ToString::to_string),
            queries: consent.questions.iter().map(Query::from).collect(),
            sets: sets.collect(),
            suggested: Selection {
                picks: picks.collect(),
            },
        }
    }
}

impl From<&VerifierIdentity> for VerifierRef {
    fn from(verifier: &VerifierIdentity) -> Self {
        Self {
            name: verifier.name.to_string(),
            calls_itself: verifier.calls_itself.as_ref().map(ToString::to_string),
            host: verifier.host.clone(),
            certified: matches!(verifier.trust, TrustReason::Certificate { .. }),
        }
    }
}

impl From<&Question> for Query {
    fn from(question: &Question) -> Self {
        Self {
            id: question.id.clone(),
            multiple: question.multiple,
            candidates: question.cards.iter().map(Candidate::from).collect(),
        }
    }
}

impl From<&CardOption> for Candidate {
    fn from(card: &CardOption) -> Self {
        let learns = card.learns.iter().map(|fact| LearnedFact {
            label: fact.label.to_string(),
            value: (&fact.value).into(),
            always_visible: fact.always_visible,
        });
        Self {
            credential: (&card.credential).into(),
            title: card.title.to_string(),
            issuer: IssuerRef {
                name: card.issuer.to_string(),
            },
            expires_at: card.expires_at.map(|at| at.seconds()),
            expires_soon: card.expires_soon,
            status: card.status.into(),
            learns: learns.collect(),
            keeps: card.keeps.iter().map(ToString::to_string).collect(),
            linkable: card.linkable,
        }
    }
}

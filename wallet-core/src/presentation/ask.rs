//! What the person decides on.

use serde_json::Value;
use vouchsafe_protocol::vp::dcql::{
    self, Candidate, CandidateMatch, ClaimsPath, Matches, QueryId, QueryMatches,
};
use vouchsafe_protocol::vp::transaction_data::TransactionData;

use super::answer::Made;
use super::context::{Asked, Context};
use super::matching::{authorises, matched};
use super::refusing::{no_authority, no_card, no_key};
use super::submit::{Declining, Submitting};
use super::{PresentationError, Refused, answer};
use crate::WalletError;
use crate::consent::{
    Approval, CardOption, ConsentRequest, LearnedFact, Pick, Question, QuestionSet, Selection,
};
use crate::credential::{CredentialId, StoredCredential};
use crate::history::{HistoryEntry, HistoryId, Outcome};
use crate::issuance::CopyPolicy;
use crate::status::Statuses;
use crate::text::PlainText;
use crate::verifiers::KnownVerifier;
use crate::wallet::Wallet;

/// A verified request that some card answers.
pub struct Asking {
    pub(super) context: Context,
    pub(super) cards: Vec<StoredCredential>,
    matches: Matches,
}

/// A choice that does not answer the request.
#[derive(thiserror::Error)]
#[error("the choice does not answer the request")]
pub struct Unanswered {
    /// Why.
    #[source]
    pub error: WalletError,
    /// To try again with; `None` when the request can no longer be answered.
    pub session: Option<Asking>,
}

impl std::fmt::Debug for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unanswered")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asking(..)")
    }
}

impl Asking {
    pub(super) fn new(wallet: Wallet, asked: Asked) -> Result<Self, Box<Refused>> {
        let context = Context::new(wallet, asked).map_err(|error| Box::new(error.into()))?;
        if context
            .was_declined_often()
            .map_err(|error| Box::new(error.into()))?
        {
            return Err(Box::new(PresentationError::AskedTooOften.into()));
        }
        // The keys of this wallet, whatever it holds: the refusal says nothing about the person.
        if !context
            .asked
            .takes_keys(context.wallet.config().issuance.keys.algorithm)
        {
            return Err(Box::new(no_key(&context)));
        }
        let verifier = context.verifier_key();
        let one_time = context.wallet.config().issuance.copies == CopyPolicy::OneTime;
        // A card that has ended is not offered; the verifier would refuse it.
        let mut cards = context
            .wallet
            .answering(context.asked.query(), verifier)
            .map_err(|error| Box::new(error.into()))?;
        // A copy that serves once answers nobody else.
        cards.retain(|card| !one_time || !card.linkable);
        // Appendices B.2.2 and B.3.4: nor does one whose key the verifier does not accept.
        cards.retain(|card| context.asked.takes(&card.held.credential()));
        match matched(&context, &cards) {
            Ok(matches) if !authorises(&matches, context.asked.transaction_data()) => {
                Err(Box::new(no_authority(&context)))
            }
            Ok(matches) => Ok(Self {
                context,
                cards,
                matches,
            }),
            Err(no_match) => Err(Box::new(no_card(&context, no_match))),
        }
    }

    /// Who asks, why, and exactly what would leave; texts in the first of the
    /// languages that is there.
    #[must_use]
    pub fn consent(&self, locales: &[&str]) -> ConsentRequest {
        let answerable = self
            .matches
            .queries()
            .iter()
            .filter(|q| !q.candidates.is_empty());
        let texts = |ids: &Vec<QueryId>| ids.iter().map(|id| id.as_str().to_owned()).collect();
        let sets = self
            .matches
            .sets()
            .iter()
            .filter(|set| !set.options.is_empty());
        let mut statuses = self.context.wallet.statuses();
        ConsentRequest {
            verifier: self.context.verifier(locales),
            purpose: self.context.purpose(locales),
            registration: self
                .context
                .registration(locales, |query, path| self.label_of(query, path, locales)),
            questions: answerable
                .map(|query| self.question(query, locales, &mut statuses))
                .collect(),
            approvals: (self.context.asked.transaction_data().iter())
                .map(Approval::from)
                .collect(),
            sets: sets
                .map(|set| QuestionSet {
                    required: set.required,
                    options: set.options.iter().map(texts).collect(),
                })
                .collect(),
            suggested: self.suggested(),
        }
    }

    /// Answers with the chosen cards: exactly the facts that
    /// [`Asking::consent`] listed for them leave.
    pub async fn respond(self, selection: &Selection) -> Result<Submitting, Box<Unanswered>> {
        let wallet = self.context.wallet.clone();
        match self.make(selection).await? {
            (Made::Post(request), entry) => Ok(Submitting::new(wallet, request, entry)),
            // Only a request behind a link is held by itself.
            (Made::Data(_), _) => Err(Box::new(Unanswered {
                error: PresentationError::Answer.into(),
                session: None,
            })),
        }
    }

    pub(super) async fn make(
        self,
        selection: &Selection,
    ) -> Result<(Made, HistoryEntry), Box<Unanswered>> {
        let now = self.context.wallet.now();
        let ends = self.context.asked.expires_at();
        if ends.is_some_and(|end| end <= now) {
            let error = PresentationError::Expired.into();
            return Err(Box::new(Unanswered {
                error,
                session: None,
            }));
        }
        let answered = match self.chosen(selection) {
            Ok(chosen) => answer::answer(&self, &chosen).await,
            Err(error) => Err(error.into()),
        };
        match answered {
            Ok(made) => Ok(made),
            // What the person saw no longer holds: the question is put again.
            Err(error) if error.code() == PresentationError::CardChanged.code() => {
                let Context { wallet, asked, .. } = self.context;
                let session = Self::new(wallet, asked).ok();
                Err(Box::new(Unanswered { error, session }))
            }
            Err(error) => Err(Box::new(Unanswered {
                error,
                session: Some(self),
            })),
        }
    }

    /// Says no.
    pub fn decline(self) -> Result<Declining, WalletError> {
        let history = self.note_no()?;
        // Only a request behind a link is held by itself.
        let request = self.context.access_denied();
        let request = request.ok_or(PresentationError::Answer)?;
        Ok(Declining::new(self.context.wallet, request, history))
    }

    /// Says no, and refuses this verifier from now on; nothing is sent.
    pub fn block(self) -> Result<HistoryId, WalletError> {
        let wallet = &self.context.wallet;
        wallet.verifier_store().save(&KnownVerifier {
            blocked_at: Some(wallet.now()),
            ..self.context.to_know()
        })?;
        self.note_no()
    }

    /// The no in the history.
    pub(super) fn note_no(&self) -> Result<HistoryId, WalletError> {
        let entry = self
            .context
            .entry(Outcome::Declined, Vec::new(), Vec::new());
        self.context.wallet.history_store().save(&entry)?;
        Ok(entry.id)
    }

    fn question(
        &self,
        query: &QueryMatches,
        locales: &[&str],
        statuses: &mut Statuses<'_>,
    ) -> Question {
        let cards = query.candidates.iter();
        Question {
            id: query.query.as_str().to_owned(),
            multiple: query.multiple,
            cards: cards
                .filter_map(|matched| self.card_option(&query.query, matched, locales, statuses))
                .collect(),
        }
    }

    fn card_option(
        &self,
        query: &QueryId,
        matched: &CandidateMatch,
        locales: &[&str],
        statuses: &mut Statuses<'_>,
    ) -> Option<CardOption> {
        let card = self.cards.get(matched.candidate)?;
        let display = &card.record.display;
        let candidate = card.held.candidate();
        let view = candidate.disclosed_view(&matched.claims);
        let never_hidden = candidate.disclosed_view(&[]);
        let (learned, visible) = (card.facts(&view), card.facts(&never_hidden));
        let all = card.facts(&card.claims);
        let learns = learned.0.iter().map(|(path, value)| LearnedFact {
            label: display.label(path, locales),
            value: (*value).clone(),
            always_visible: visible.get(path) == Some(value),
            kept: self.means_to_keep(query, path),
        });
        let stays = all
            .0
            .iter()
            .filter(|(path, value)| learned.get(path) != Some(value));
        Some(CardOption {
            credential: card.record.id.clone(),
            title: card.title(locales),
            issuer: card.issuer_name(locales),
            expires_at: card.held.expires_at(),
            expires_soon: card.ends_soon(self.context.wallet.now()),
            status: statuses.of(card),
            learns: learns.collect(),
            keeps: stays
                .map(|(path, _)| display.label(path, locales))
                .collect(),
            linkable: card.linkable,
        })
    }

    /// What a claim that is asked for is called, or the card where it is a whole one.
    fn label_of(&self, query: &QueryId, path: Option<&ClaimsPath>, locales: &[&str]) -> PlainText {
        let mut queries = self.matches.queries().iter();
        let card = queries
            .find(|entry| entry.query == *query)
            .and_then(|entry| self.cards.get(entry.candidates.first()?.candidate));
        let path = path.map(ClaimsPath::to_json);
        let steps = path.as_ref().and_then(Value::as_array);
        match (card, steps) {
            (Some(card), Some(steps)) => card.record.display.label(steps, locales),
            (Some(card), None) => card.title(locales),
            // Of what the person does not have, its name in the query is all there is.
            (None, Some(steps)) => {
                let names = steps.iter().filter_map(Value::as_str);
                PlainText::new(&names.collect::<Vec<_>>().join(" "))
            }
            (None, None) => PlainText::new(query.as_str()),
        }
    }

    /// OpenID4VP 1.0, appendix B.2.4: whether the verifier says that it keeps the fact at `path`.
    fn means_to_keep(&self, query: &QueryId, path: &[Value]) -> bool {
        let entry = self.context.asked.query().credential(query.as_str());
        let claims = entry.and_then(|entry| entry.claims()).unwrap_or_default();
        claims.iter().any(|claim| {
            let kept = claim.path().to_json();
            let steps = kept.as_array().map(Vec::as_slice).unwrap_or_default();
            claim.intends_to_retain() && path.starts_with(steps)
        })
    }

    /// OpenID4VP 1.0, section 8.4: a card that may sign it is among them for each transaction.
    fn suggested(&self) -> Selection {
        let asked = self.context.asked.transaction_data().iter();
        let signers: Vec<&[QueryId]> = asked.map(TransactionData::credential_ids).collect();
        let smallest = self.matches.smallest_with(&signers);
        let picks = smallest.picks().iter().filter_map(|pick| {
            let card = self.cards.get(pick.candidate)?;
            let credential = card.record.id.clone();
            Some(Pick {
                question: pick.query.as_str().to_owned(),
                credential,
            })
        });
        Selection {
            picks: picks.collect(),
        }
    }

    fn chosen(&self, selection: &Selection) -> Result<dcql::Selection, PresentationError> {
        let query = self.context.asked.query();
        let mut choice = Vec::with_capacity(selection.picks.len());
        for pick in &selection.picks {
            match (
                query.credential(&pick.question),
                self.position(&pick.credential),
            ) {
                (Some(entry), Some(position)) => choice.push((entry.id().clone(), position)),
                _ => return Err(PresentationError::SelectionIncomplete),
            }
        }
        if choice.is_empty() {
            return Err(PresentationError::SelectionIncomplete);
        }
        // A card that signs the transaction is among them.
        let signs = |one: &TransactionData| {
            let ids = one.credential_ids();
            choice.iter().any(|(id, _)| ids.contains(id))
        };
        if !self.context.asked.transaction_data().iter().all(signs) {
            return Err(PresentationError::SelectionIncomplete);
        }
        let selected = self.matches.select(query, &choice);
        selected.map_err(|_| PresentationError::SelectionIncomplete)
    }

    fn position(&self, id: &CredentialId) -> Option<usize> {
        self.cards.iter().position(|card| card.record.id == *id)
    }
}

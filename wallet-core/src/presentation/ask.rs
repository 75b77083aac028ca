//! What the person decides on.

use vouchsafe_protocol::vp::answer::HeldCandidate;
use vouchsafe_protocol::vp::dcql::{
    self, Candidate, CandidateMatch, Matches, QueryId, QueryMatches, find_matches,
};

use super::answer::Made;
use super::context::{Asked, Context};
use super::submit::{Declining, Submitting};
use super::{PresentationError, Refused, answer};
use crate::WalletError;
use crate::consent::{
    CardOption, ConsentRequest, LearnedFact, Pick, Question, QuestionSet, Selection,
};
use crate::credential::{CredentialId, StoredCredential, facts_of};
use crate::history::{HistoryEntry, HistoryId, Outcome};
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
        let now = wallet.now();
        let cards = wallet
            .answering(asked.query())
            .map_err(|error| Box::new(error.into()))?;
        let context = Context { wallet, asked };
        if context
            .was_declined_often()
            .map_err(|error| Box::new(error.into()))?
        {
            return Err(Box::new(PresentationError::AskedTooOften.into()));
        }
        let verifier = context.verifier_key();
        // A card that has ended is not offered; the verifier would refuse it.
        let cards: Vec<_> = cards
            .into_iter()
            .filter(|card| !card.is_expired(now))
            .map(|card| card.for_verifier(&verifier).map_err(WalletError::from))
            .collect::<Result<_, _>>()
            .map_err(|error| Box::new(error.into()))?;
        let matches = {
            let held: Vec<_> = cards
                .iter()
                .map(|card| HeldCandidate::new(&card.held))
                .collect();
            let candidates: Vec<_> = held.iter().map(|card| card as &dyn Candidate).collect();
            find_matches(context.asked.query(), &candidates)
        };
        match matches {
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
        ConsentRequest {
            verifier: self.context.verifier(locales),
            purpose: self.context.purpose(locales),
            questions: answerable
                .map(|query| self.question(query, locales))
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
                let Context { wallet, asked } = self.context;
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

    /// The no in the history.
    pub(super) fn note_no(&self) -> Result<HistoryId, WalletError> {
        let entry = self
            .context
            .entry(Outcome::Declined, Vec::new(), Vec::new());
        self.context.wallet.history_store().save(&entry)?;
        Ok(entry.id)
    }

    fn question(&self, query: &QueryMatches, locales: &[&str]) -> Question {
        let cards = query.candidates.iter();
        Question {
            id: query.query.as_str().to_owned(),
            multiple: query.multiple,
            cards: cards
                .filter_map(|matched| self.card_option(matched, locales))
                .collect(),
        }
    }

    fn card_option(&self, matched: &CandidateMatch, locales: &[&str]) -> Option<CardOption> {
        let card = self.cards.get(matched.candidate)?;
        let display = &card.record.display;
        let candidate = HeldCandidate::new(&card.held);
        let view = candidate.disclosed_view(&matched.claims);
        let never_hidden = candidate.disclosed_view(&[]);
        let (learned, visible) = (facts_of(&view, display), facts_of(&never_hidden, display));
        let all = facts_of(&card.claims, display);
        let learns = learned.0.iter().map(|(path, value)| LearnedFact {
            label: display.label(path, locales),
            value: (*value).clone(),
            always_visible: visible.get(path) == Some(value),
        });
        let stays = all
            .0
            .iter()
            .filter(|(path, value)| learned.get(path) != Some(value));
        let (_, linkable) = card.copy_for(&self.context.verifier_key());
        Some(CardOption {
            credential: card.record.id.clone(),
            title: card.title(locales),
            issuer: card.issuer_name(locales),
            learns: learns.collect(),
            keeps: stays
                .map(|(path, _)| display.label(path, locales))
                .collect(),
            linkable,
        })
    }

    fn suggested(&self) -> Selection {
        let smallest = self.matches.smallest();
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
        let selected = self.matches.select(query, &choice);
        selected.map_err(|_| PresentationError::SelectionIncomplete)
    }

    fn position(&self, id: &CredentialId) -> Option<usize> {
        self.cards.iter().position(|card| card.record.id == *id)
    }
}

fn no_card(context: &Context, no_match: dcql::NoMatch) -> Refused {
    let error: WalletError = PresentationError::NoMatchingCard(no_match).into();
    let outcome = Outcome::Failed {
        code: error.code().to_owned(),
    };
    let entry = context.entry(outcome, Vec::new(), Vec::new());
    if let Err(error) = context.wallet.history_store().save(&entry) {
        return error.into();
    }
    Refused {
        error,
        notify: context.access_denied(),
        ask_first: true,
    }
}

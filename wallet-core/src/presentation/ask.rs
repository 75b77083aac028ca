//! What the person decides on.

use vouchsafe_protocol::vp::dcql::{self, CandidateMatch, Matches, QueryId, find_matches};
use vouchsafe_protocol::vp::request::PresentationRequest;

use super::candidate::{CardCandidate, view_of};
use super::fetch::{access_denied, certified_name};
use super::submit::{Declining, Submitting};
use super::{PresentationError, Refused, answer};
use crate::consent::{
    CardOption, ConsentRequest, LearnedFact, Pick, Question, QuestionSet, Selection, TrustReason,
    VerifierIdentity,
};
use crate::credential::{CredentialId, StoredCredential, facts_of};
use crate::history::{EventKind, HistoryEntry, Outcome, Party};
use crate::text::PlainText;
use crate::wallet::Wallet;
use crate::{WalletError, net};

/// A verified request that some card answers.
pub struct Asking {
    pub(super) wallet: Wallet,
    pub(super) request: PresentationRequest,
    pub(super) cards: Vec<StoredCredential>,
    matches: Matches,
}

/// A choice that does not answer the request; the session goes on.
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
        f.debug_struct("Unanswered").field("error", &self.error).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asking(..)")
    }
}

impl Asking {
    pub(super) fn new(wallet: Wallet, request: PresentationRequest) -> Result<Self, Box<Refused>> {
        let now = wallet.now();
        let cards = wallet.store().list().map_err(|error| Box::new(error.into()))?;
        // A card that has ended is not offered; the verifier would refuse it.
        let cards: Vec<_> = cards.into_iter().filter(|card| !card.is_expired(now)).collect();
        let candidates: Vec<CardCandidate<'_>> = cards.iter().map(CardCandidate).collect();
        let candidates: Vec<&dyn dcql::Candidate> =
            candidates.iter().map(|candidate| candidate as &dyn dcql::Candidate).collect();
        match find_matches(request.query(), &candidates) {
            Ok(matches) => Ok(Self { wallet, request, cards, matches }),
            Err(no_match) => {
                let error: WalletError = PresentationError::NoMatchingCard(no_match).into();
                let notify = Some(access_denied(&request));
                let asking = Self { wallet, request, cards: Vec::new(), matches: no_matches() };
                let outcome = Outcome::Failed { code: error.code().to_owned() };
                let entry = asking.entry(outcome, Vec::new(), Vec::new());
                let saved = asking.wallet.history_store().save(&entry);
                saved.map_err(|error| Box::new(error.into()))?;
                Err(Box::new(Refused { error, notify, ask_first: true }))
            }
        }
    }

    /// Who asks, why, and exactly what would leave; texts in the first of the
    /// languages that is there.
    #[must_use]
    pub fn consent(&self, locales: &[&str]) -> ConsentRequest {
        let questions = self.matches.queries().iter().filter(|entry| !entry.candidates.is_empty());
        let question = |entry: &dcql::QueryMatches| Question {
            id: entry.query.as_str().to_owned(),
            multiple: entry.multiple,
            cards: entry
                .candidates
                .iter()
                .filter_map(|matched| self.card_option(matched, locales))
                .collect(),
        };
        let texts = |ids: &Vec<QueryId>| ids.iter().map(|id| id.as_str().to_owned()).collect();
        let sets = self.matches.sets().iter().filter(|set| !set.options.is_empty());
        ConsentRequest {
            verifier: self.verifier(locales),
            purpose: self.purpose(locales),
            questions: questions.map(question).collect(),
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
        if self.request.expires_at().is_some_and(|end| end <= self.wallet.now()) {
            let error = PresentationError::Expired.into();
            return Err(Box::new(Unanswered { error, session: None }));
        }
        let chosen = match self.chosen(selection) {
            Ok(chosen) => chosen,
            Err(error) => {
                let error = error.into();
                return Err(Box::new(Unanswered { error, session: Some(self) }));
            }
        };
        match answer::answer(&self, &chosen).await {
            Ok(submitting) => Ok(submitting),
            Err(error) => Err(Box::new(Unanswered { error, session: Some(self) })),
        }
    }

    /// Says no.
    pub fn decline(self) -> Result<Declining, WalletError> {
        let entry = self.entry(Outcome::Declined, Vec::new(), Vec::new());
        self.wallet.history_store().save(&entry)?;
        Ok(Declining::new(self.wallet, access_denied(&self.request), entry.id))
    }

    pub(super) fn entry(
        &self,
        outcome: Outcome,
        cards: Vec<PlainText>,
        facts: Vec<PlainText>,
    ) -> HistoryEntry {
        let at = self.wallet.now();
        let locales = self.wallet.locales();
        let verifier = self.verifier(&locales);
        HistoryEntry {
            id: self.wallet.history_store().new_id(at),
            at,
            kind: EventKind::Presented,
            party: Party { name: Some(verifier.name), host: verifier.host },
            purpose: self.purpose(&locales),
            cards,
            facts,
            outcome,
            consent_uri: None,
            withdrawn_at: None,
        }
    }

    /// One name for the verifier, the same for each of its requests.
    pub(super) fn verifier_key(&self) -> String {
        let certificate = self.request.certificate();
        format!("{} {}", certificate.anchor_id(), certificate.subject())
    }

    fn verifier(&self, locales: &[&str]) -> VerifierIdentity {
        let certificate = self.request.certificate();
        let name = certified_name(certificate.subject());
        let locale = locales.first().copied().unwrap_or("en");
        let client_name = self.request.metadata().client_name.as_ref();
        let calls_itself = client_name
            .and_then(|text| PlainText::non_empty(text.for_locale(locale)))
            .filter(|own| *own != name);
        VerifierIdentity {
            name,
            calls_itself,
            host: net::host_of(self.request.response_uri()),
            trust: TrustReason::Certificate { anchor: certificate.anchor_id().to_string() },
        }
    }

    fn purpose(&self, locales: &[&str]) -> Option<PlainText> {
        let locale = locales.first().copied().unwrap_or("en");
        PlainText::non_empty(self.request.purpose()?.for_locale(locale))
    }

    fn card_option(&self, matched: &CandidateMatch, locales: &[&str]) -> Option<CardOption> {
        let card = self.cards.get(matched.candidate)?;
        let display = &card.record.display;
        let (view, never_hidden) = (view_of(card, &matched.claims), view_of(card, &[]));
        let (learned, visible) = (facts_of(&view, display), facts_of(&never_hidden, display));
        let all = facts_of(&card.claims, display);
        let learns = learned.0.iter().map(|(path, value)| LearnedFact {
            label: display.label(path, locales),
            value: (*value).clone(),
            always_visible: visible.get(path) == Some(value),
        });
        let stays = all.0.iter().filter(|(path, value)| learned.get(path) != Some(value));
        let (_, linkable) = card.copy_for(&self.verifier_key());
        Some(CardOption {
            credential: card.record.id.clone(),
            title: card.title(locales),
            issuer: card.issuer_name(locales),
            learns: learns.collect(),
            keeps: stays.map(|(path, _)| display.label(path, locales)).collect(),
            linkable,
        })
    }

    fn suggested(&self) -> Selection {
        let smallest = self.matches.smallest();
        let picks = smallest.picks().iter().filter_map(|pick| {
            let card = self.cards.get(pick.candidate)?;
            let credential = card.record.id.clone();
            Some(Pick { question: pick.query.as_str().to_owned(), credential })
        });
        Selection { picks: picks.collect() }
    }

    fn chosen(&self, selection: &Selection) -> Result<dcql::Selection, PresentationError> {
        let incomplete = PresentationError::SelectionIncomplete;
        let mut choice = Vec::with_capacity(selection.picks.len());
        for pick in &selection.picks {
            let query = self.request.query().credential(&pick.question);
            match (query, self.position(&pick.credential)) {
                (Some(query), Some(position)) => choice.push((query.id().clone(), position)),
                _ => return Err(incomplete),
            }
        }
        if choice.is_empty() {
            return Err(incomplete);
        }
        self.matches.select(self.request.query(), &choice).map_err(|_| incomplete)
    }

    fn position(&self, id: &CredentialId) -> Option<usize> {
        self.cards.iter().position(|card| card.record.id == *id)
    }
}

//! Which question a login asks now, and what becomes of the answer.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};
use vouchsafe_protocol::vp::dcql::DcqlQuery;
use vouchsafe_protocol::vp::transaction_data::TransactionData;

use super::ask::AskError;
use super::run::{self, RunError};
use super::{presented, verified};
use crate::app::Parts;
use crate::config::{FromCard, Query};
use crate::domain::consent::of_account;
use crate::domain::request::{Fact, Facts, LoginRequest};
use crate::domain::transaction::{Channel, Login};
use crate::journeys;

/// What a login asks a wallet now.
pub struct Asking<'a> {
    /// The question as it is configured.
    pub query: Cow<'a, Query>,
    /// What the application is told of the answer.
    pub facts: Facts,
    /// What the wallet is asked: what nobody is told and no rule reads stays with the person.
    pub question: DcqlQuery,
    /// What the person is asked to approve with it.
    pub transaction_data: Vec<TransactionData>,
    /// What the application is told beside the facts, as a consent names it: by a journey, or of the
    /// account.
    pub told: Vec<String>,
    /// The journey asks for consent at a place of its own: with the card nothing is told.
    pub later: bool,
    channels: Option<BTreeSet<Channel>>,
}

impl Asking<'_> {
    /// Whether a wallet may be reached this way.
    #[must_use]
    pub fn allows(&self, channel: Channel) -> bool {
        let channels = self.channels.as_ref();
        channels.is_none_or(|channels| channels.contains(&channel))
    }

    /// Names of all that the application is told.
    #[must_use]
    pub fn names(&self, claims: &Map<String, Value>) -> Vec<String> {
        if self.later {
            return Vec::new();
        }
        let mut names = self.facts.told(claims);
        names.extend(self.told.iter().cloned());
        names.sort();
        names.dedup();
        names
    }
}

/// The question of a login: that of its request, or that of the step where its journey is.
pub async fn query_of<'a>(app: &'a Parts, login: &Login) -> Result<Asking<'a>, AskError> {
    let request = &login.request;
    if login.run.is_none() {
        let query = app.settings.query(&request.query).ok_or(AskError::Gone)?;
        let facts = all_facts(request);
        let (query, question) = match &request.presented {
            None => (Cow::Borrowed(query), query.asked(&facts.names())),
            Some(wish) => {
                let query = presented::question(query, wish)?;
                let question = query.dcql.clone();
                (Cow::Owned(query), question)
            }
        };
        return Ok(Asking {
            question,
            told: [attributes(request, &query), forms(request)].concat(),
            query,
            facts,
            transaction_data: Vec::new(),
            later: false,
            channels: None,
        });
    }
    if let Some((_, card)) = run::from_wallet(app, login) {
        return attribute(app, card);
    }
    let loaded = match run::text(app, login).await {
        Ok(loaded) => loaded,
        Err(RunError::Store(error)) => return Err(error.into()),
        Err(RunError::Gone | RunError::Instance(_)) => return Err(AskError::Gone),
    };
    let step = run::at(login, &loaded);
    let found = step.and_then(|step| loaded.question(&step.id));
    let found = found.or_else(|| loaded.first_question());
    let found = found.ok_or(AskError::Gone)?;
    // The scopes stand for facts of one question; the others tell what the journey says.
    let facts = match found.query.id == request.query {
        true => request.facts.clone(),
        false => Facts::default(),
    };
    let all = [Channel::SameDevice, Channel::Qr, Channel::DcApi].into_iter();
    let channels = all.filter(|channel| run::allows(login, &loaded, *channel));
    let names = loaded.journey.claim_names();
    let mut told: Vec<String> = names.into_iter().map(str::to_owned).collect();
    told.extend(attributes(request, &found.query));
    let question = found.query.asked(&found.wanted(&facts));
    let approves = step.is_some_and(journeys::approves);
    let approval = request.approval.as_ref().filter(|_| approves);
    // The file was refused if a card could not authorise it.
    let data = approval
        .map(|approval| approval.data(&question))
        .transpose();
    Ok(Asking {
        transaction_data: data.map_err(|_| AskError::Gone)?.into_iter().collect(),
        question,
        query: Cow::Owned(found.query.clone()),
        told,
        later: loaded.asks_consent(),
        channels: Some(channels.collect()),
        facts,
    })
}

/// All facts of cards that the application is told, in whatever form.
fn all_facts(request: &LoginRequest) -> Facts {
    let mut facts = request.facts.clone();
    let cards = request.presented.iter().flat_map(|wish| &wish.cards);
    let cards = cards.flat_map(|card| card.claims.iter().map(String::as_str));
    let more: BTreeSet<&str> = cards.chain(request.verified.names()).collect();
    facts.userinfo.extend(more.into_iter().map(|name| Fact {
        name: name.to_owned(),
        values: Vec::new(),
    }));
    facts
}

/// Forms that say more than the facts: of which kind a card is, how something was verified.
fn forms(request: &LoginRequest) -> Vec<String> {
    let presented = request.presented.as_ref().map(|_| presented::PRESENTED);
    let verified = (!request.verified.names().is_empty()).then_some(verified::VERIFIED);
    let forms = presented.into_iter().chain(verified);
    forms.map(str::to_owned).collect()
}

/// The claim of a card that fills an attribute. The account learns it, and no application.
fn attribute<'a>(app: &'a Parts, card: &FromCard) -> Result<Asking<'a>, AskError> {
    let query = app.settings.query(&card.query).ok_or(AskError::Gone)?;
    let fact = Fact {
        name: card.claim.clone(),
        values: Vec::new(),
    };
    Ok(Asking {
        question: query.asked(&BTreeSet::from([card.claim.as_str()])),
        query: Cow::Borrowed(query),
        facts: Facts {
            userinfo: vec![fact],
            id_token: Vec::new(),
        },
        // What is said about oneself approves nothing.
        transaction_data: Vec::new(),
        told: Vec::new(),
        later: false,
        channels: Some(BTreeSet::from([Channel::SameDevice, Channel::Qr])),
    })
}

/// Names of attributes of the account that the application is told where it has them.
pub(super) fn attributes(request: &LoginRequest, query: &Query) -> Vec<String> {
    let account = query.subject.claim().is_some();
    let names = request.attributes.names().into_iter();
    names.filter(|_| account).map(of_account).collect()
}

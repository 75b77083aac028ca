//! A login that a journey leads: where it is, what is known, what was shown. It is part of the login's
//! sealed row and gone when the login is over.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use super::account_notice::NoticeKind;
use super::attribute::{Known, NotFor};
use super::authenticator::Coded;
use super::ids::{ClientId, ConsentId, MeansId, SessionId, SubjectId};
use super::notice::Record;
use super::passkey::Fresh;
use super::reason::Failure;
use super::transaction::{Answer, Evidence};
use super::upstream::Vouched;
use crate::journey::{Facts, Instance, Login, RiskFacts, RiskLevel};

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Where it is.
    pub instance: Instance,
    /// What is known.
    pub facts: Facts,
    /// How often it was written: of two writers at once one wins.
    pub turn: i64,
    /// Whose login it is, as far as that was proven.
    #[serde(with = "account")]
    pub pinned: Option<SubjectId>,
    /// The session that proved it.
    pub session: Option<SessionId>,
    /// What was shown in steps that ended well.
    pub shown: Vec<Shown>,
    /// A passkey was right and does not count: the card comes before any other tap.
    #[serde(default)]
    pub card_first: bool,
    /// Another provider vouched for somebody, and it does not count: the card comes first.
    #[serde(default)]
    pub owes_card: bool,
    /// Whom another provider vouched for.
    #[serde(default)]
    pub upstream: Option<Vouched>,
    /// A code was right in it.
    #[serde(default)]
    pub coded: Option<Coded>,
    /// How often its browser was sent to other providers.
    #[serde(default)]
    pub sent: u32,
    /// Why the last step did not end well, for the page that explains it.
    pub failure: Option<Failure>,
    /// What the person agreed to in a step of its own.
    #[serde(default)]
    pub agreed: Option<Agreed>,
    /// Lines of the trace that were counted.
    pub counted: usize,
    /// The risk is at least this: a system outside said so, and nothing lowers it.
    #[serde(default)]
    pub at_least: Option<RiskLevel>,
    /// The risk was assessed here, not only said by a system outside.
    #[serde(default)]
    pub assessed: bool,
    /// The person typed whose account it is, in the browser of the run.
    #[serde(default)]
    pub typed: bool,
    /// How often it began again under its own id.
    #[serde(default)]
    pub restarts: u32,
    /// Accounts for which its start was counted, as keyed hashes.
    #[serde(default)]
    pub started_for: Vec<String>,
    /// What its steps tell and end, until it is written with the turn.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// When the step began that it waits for, in seconds since 1970.
    #[serde(default)]
    pub since: i64,
    /// Until when it waits, where it does.
    #[serde(default)]
    pub waiting: Option<Waiting>,
    /// It goes on after it waited, with the turn that is written next.
    #[serde(default)]
    pub resumes: bool,
    /// It waits no longer, and goes on another way.
    #[serde(default)]
    pub closes: bool,
    /// The passkey that its person made in it.
    #[serde(default)]
    pub registered: Option<MeansId>,
    /// The same until it is written, with the end of the login.
    #[serde(default)]
    pub fresh: Option<Box<Fresh>>,
    /// The journey that this one follows, and what it settled.
    #[serde(default)]
    pub main: Option<Box<Main>>,
    /// Journeys that followed and are over.
    #[serde(default)]
    pub followed: Vec<Followed>,
    /// What the journey that is followed tells the application.
    #[serde(default)]
    pub claims: Option<Map<String, Value>>,
    /// What the person said about themselves.
    #[serde(default)]
    pub said: Said,
}

/// A run waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Until then.
    pub until: UnixTime,
    /// It has just begun to.
    pub begins: bool,
}

/// A journey that has settled a login, while another one follows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Main {
    /// Its run, which is over.
    pub instance: Instance,
    /// The login. Nothing that follows changes it.
    pub login: Login,
    /// Lines of its trace that were counted.
    pub counted: usize,
    /// What follows is over then.
    pub until: UnixTime,
}

/// A journey that followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    /// Its run.
    pub instance: Instance,
    /// Lines of its trace that were counted.
    pub counted: usize,
    /// How it ended: `success`, or a code.
    pub code: String,
}

/// What the person said about themselves in a run. It is written when the login is over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// What they said or showed, and agreed to be kept.
    pub known: Vec<Known>,
    /// What they did not want to say.
    pub refused: Vec<String>,
    /// The attribute that a wallet is asked for now.
    pub asking: Option<String>,
    /// What a card says, until the person has agreed.
    pub offered: Option<Known>,
    /// What the application may learn of it, in the steps that asked.
    pub shared: Vec<Shared>,
    /// What the application was asked about and does not learn, unless the person says yes.
    pub withheld: Vec<Withheld>,
}

/// What a step asked whether an application may learn it, without a yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// Name of the attribute.
    pub attribute: String,
    /// Who does not learn it.
    pub client: ClientId,
}

/// What the person agreed that the application learns of what they said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// The step that asked, as the notice names it.
    pub about: String,
    /// Names of the attributes.
    pub attributes: Vec<String>,
    /// The consent.
    pub agreed: Agreed,
}

impl Said {
    /// Who does not learn an attribute, as it is now.
    #[must_use]
    pub fn not_for(&self, attribute: &str, now: UnixTime) -> Vec<NotFor> {
        let withheld = self.withheld.iter();
        let withheld = withheld.filter(|one| one.attribute == attribute);
        let not_for = withheld.map(|one| NotFor {
            client: one.client.clone(),
            at: now,
        });
        not_for.collect()
    }

    /// The consent by which the application learns an attribute.
    #[must_use]
    pub fn consent(&self, attribute: &str) -> Option<&ConsentId> {
        let mut shared = self.shared.iter().rev();
        let names = |one: &&Shared| one.attributes.iter().any(|name| name == attribute);
        shared.find(names).map(|one| &one.agreed.id)
    }
}

/// What a step tells and ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The step.
    pub step: String,
    /// What the person is told.
    pub kind: NoticeKind,
    /// Whether the person is told.
    pub tells_person: bool,
    /// Whether the system of the operator is told that they are.
    pub all_channels: bool,
    /// What ends.
    pub revoke: Vec<String>,
    /// Events for the system of the operator.
    pub emit: Vec<String>,
    /// Until when the run waits, and can be stopped.
    #[serde(default)]
    pub until: Option<UnixTime>,
}

impl Effect {
    /// The same with the time until which the run can be stopped.
    #[must_use]
    pub fn until(self, until: UnixTime) -> Self {
        Self {
            until: Some(until),
            ..self
        }
    }

    /// Whether the system of the operator is told something.
    #[must_use]
    pub fn needs_system(&self) -> bool {
        self.all_channels || !self.emit.is_empty()
    }
}

/// The code of a level that was raised from outside.
const RAISED: &str = "outside_engine";

/// An answer to a question of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Answer,
    /// The run waited since: what the cards said is not there any more.
    #[serde(default)]
    pub emptied: bool,
}

/// What a person agreed to in a step of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreed {
    /// The consent.
    pub id: ConsentId,
    /// When it ends by itself.
    pub until: Option<UnixTime>,
    /// Whether it was told that the application learns the organisation's own id of the account.
    #[serde(default)]
    pub external_id: bool,
    /// What is recorded with the login; nothing where they had agreed before.
    pub record: Option<Record>,
}

impl Run {
    /// The run is refused: it leaves no passkey, and what was to end for that one does not end.
    pub fn abandon(&mut self) {
        if self.fresh.take().is_some() {
            self.registered = None;
            self.effects.retain(|effect| effect.revoke.is_empty());
        }
    }

    /// Takes what its steps tell and end. While a passkey waits to be written what ends waits with it.
    pub fn take_effects(&mut self) -> Vec<Effect> {
        let effects = std::mem::take(&mut self.effects);
        let waits = |effect: &Effect| self.fresh.is_some() && !effect.revoke.is_empty();
        let (wait, now) = effects.into_iter().partition(waits);
        self.effects = wait;
        now
    }

    /// Brings ages up to date.
    pub fn at(&mut self, now: UnixTime) {
        let passed = now.0 - self.facts.now;
        self.facts.now = now.0;
        if let Some(session) = &mut self.facts.session {
            session.age_s += passed;
        }
        if let Some(age) = &mut self.facts.device.cookie_age_s {
            *age += passed;
        }
        for card in self.facts.cred.values_mut() {
            card.age_s = card.age_s.map(|age| age + passed);
        }
    }

    /// Keeps of the cards that were shown who they are of, and nothing that they say.
    pub fn forget_claims(&mut self) {
        self.facts.cred.clear();
        for shown in &mut self.shown {
            shown.emptied = true;
            shown.answer.claims.clear();
            shown.answer.cards_read.clear();
        }
    }

    /// What was assessed, or that nothing is. A level that was raised from outside stays raised.
    pub fn assessed(&mut self, risk: Option<RiskFacts>) {
        self.assessed = risk.is_some();
        self.facts.risk = risk;
        self.raise(None);
    }

    /// Somebody outside says how high the risk is at least.
    pub fn raise(&mut self, level: Option<RiskLevel>) {
        self.at_least = self.at_least.max(level);
        let Some(least) = self.at_least else {
            return;
        };
        // What nobody assessed is not known to be harmless.
        if self.facts.risk.is_none() && least >= RiskLevel::High {
            self.facts.risk = Some(RiskFacts {
                score: None,
                level: least,
                reasons: vec![RAISED.to_owned()],
                first_seen_country: None,
                impossible_travel: None,
            });
        }
        let Some(risk) = &mut self.facts.risk else {
            return;
        };
        if risk.level < least {
            risk.level = least;
            risk.reasons.push(RAISED.to_owned());
        }
    }

    /// Names the visit of the step where it is, among all of this login.
    #[must_use]
    pub fn visit(&self) -> u32 {
        const MORE_THAN_VISITS: u32 = 1000;
        self.restarts * MORE_THAN_VISITS + self.instance.visit()
    }

    /// The answer that says whose login it is.
    #[must_use]
    pub fn person(&self) -> Option<&Shown> {
        let mut shown = self.shown.iter();
        shown.find(|shown| !matches!(shown.answer.evidence, Evidence::Guest))
    }

    /// The session that alone says whose login it is.
    #[must_use]
    pub fn rests_on(&self) -> Option<&SessionId> {
        let session = self.session.as_ref();
        session.filter(|_| self.person().is_none() && self.upstream.is_none())
    }

    /// The last answer.
    #[must_use]
    pub fn last(&self) -> Option<&Answer> {
        self.shown.last().map(|shown| &shown.answer)
    }
}

/// An account as text.
mod account {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

    use crate::domain::ids::SubjectId;

    pub(super) fn serialize<S: Serializer>(
        subject: &Option<SubjectId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = subject.as_ref().map(SubjectId::as_str);
        text.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        source: D,
    ) -> Result<Option<SubjectId>, D::Error> {
        let text = Option::<String>::deserialize(source)?;
        let subject = text.map(|text| SubjectId::parse(&text)).transpose();
        subject.map_err(de::Error::custom)
    }
}

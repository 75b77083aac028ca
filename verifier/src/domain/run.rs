//! A login that a journey leads: where it is, what is known, what was shown. It is part of the login's
//! sealed row and gone when the login is over.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use super::attribute::Known;
use super::ids::{SessionId, SubjectId};
use super::reason::Failure;
use super::transaction::{Answer, Evidence};
use crate::journey::{Facts, Instance, Login};

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
    /// Why the last step did not end well, for the page that explains it.
    pub failure: Option<Failure>,
    /// Lines of the trace that were counted.
    pub counted: usize,
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
}

/// An answer to a question of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Answer,
}

impl Run {
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

    /// The answer that says whose login it is.
    #[must_use]
    pub fn person(&self) -> Option<&Shown> {
        let mut shown = self.shown.iter();
        shown.find(|shown| !matches!(shown.answer.evidence, Evidence::Guest))
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

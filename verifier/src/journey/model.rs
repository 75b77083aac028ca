//! A journey, read and checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use vouchsafe_protocol::oidc::acr::Acr;
use vouchsafe_protocol::vp::dcql::DcqlQuery;

use super::cel::Expression;

/// No journey has more steps, and no run of one takes more.
pub const MOST_STEPS: usize = 64;

/// A journey: which steps lead to a login. Only [`super::read()`] makes one.
#[derive(Debug)]
pub struct Journey {
    /// Its name.
    pub id: String,
    /// Its version, as its authors count.
    pub version: u32,
    /// SHA-256 of the file in hex: a run belongs to this text and no other.
    pub hash: String,
    /// The stage that it is counted under.
    pub stage: Option<Stage>,
    /// The applications that it serves.
    pub clients: Vec<String>,
    /// For which of their requests.
    pub matches: Option<Expression>,
    /// How a presentation leads to a person; the default of the service without it.
    pub subject: Option<Subject>,
    /// The journeys that it follows; it serves their applications.
    pub after: Vec<String>,
    /// The level without which nobody gets through.
    pub require_acr: Option<Acr>,
    /// It ends after so many seconds.
    pub timeout_s: u32,
    /// Limits.
    pub limits: Limits,
    /// The steps, in order; never empty, at most [`MOST_STEPS`].
    pub steps: Vec<Step>,
    /// What a person is shown when a route denies with a code.
    pub shown: BTreeMap<String, String>,
}

impl Journey {
    /// The place of a step.
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }
}

/// Where in the life of a customer a journey belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Stage {
    Awareness,
    Consideration,
    Decision,
    Retention,
}

impl Stage {
    /// Its name in a file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Awareness => "awareness",
            Self::Consideration => "consideration",
            Self::Decision => "decision",
            Self::Retention => "retention",
        }
    }
}

/// How a presentation leads to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The person says who they are, the card proves it.
    AssertedLookup,
    /// The issuer and a claim that it keeps stable.
    IssuerScopedClaim,
    /// The account of the session.
    SessionBinding,
    /// Nobody: a random subject, no account.
    Guest,
}

/// Limits of a journey.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// A step runs so many times at most.
    pub max_visits: Option<u32>,
    /// It is begun so many times a day for one account at most.
    pub per_account_per_day: Option<u32>,
}

/// A step.
#[derive(Debug)]
pub struct Step {
    /// Its name.
    pub id: String,
    /// It runs if this holds; always without it.
    pub when: Option<Expression>,
    /// Where outcomes lead; [`Step::route`] knows those that are not written.
    pub on: BTreeMap<Outcome, Target>,
    /// What it does.
    pub kind: StepKind,
}

impl Step {
    /// Where an outcome leads: `None` is the following step. What is not written fails closed.
    #[must_use]
    pub fn route(&self, outcome: Outcome) -> Option<Target> {
        if let Some(target) = self.on.get(&outcome) {
            return Some(target.clone());
        }
        let code = match outcome {
            Outcome::Ok => return None,
            Outcome::NoCredential => "no_credential",
            Outcome::Declined => "declined",
            Outcome::Timeout => "timeout",
            Outcome::Invalid => "not_proven",
            // Login and journeys, section 3.3, rule 3: fail closed.
            Outcome::Error => "policy_error",
        };
        Some(Target::Deny(code.to_owned()))
    }

    /// Whether a new passkey is demanded here: where none can be made, no step follows.
    #[must_use]
    pub fn demands_passkey(&self) -> bool {
        let goes_on = matches!(self.route(Outcome::Error), Some(Target::Step(_)));
        matches!(self.kind, StepKind::Passkey { register: true }) && !goes_on
    }
}

/// How a step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Ok,
    /// The person has no such card.
    NoCredential,
    /// The person does not want to.
    Declined,
    /// It took too long.
    Timeout,
    /// What was shown proves nothing.
    Invalid,
    /// Something failed, an expression among others.
    Error,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::NoCredential,
        Self::Declined,
        Self::Timeout,
        Self::Invalid,
        Self::Error,
    ];

    /// Its name in a file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoCredential => "no_credential",
            Self::Declined => "declined",
            Self::Timeout => "timeout",
            Self::Invalid => "invalid",
            Self::Error => "error",
        }
    }
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To the step at this place.
    Step(usize),
    /// Out, with this code.
    Deny(String),
}

/// What a step does: the closed set of section 3.2.
#[derive(Debug)]
pub enum StepKind {
    /// Finds out which account, without saying whether it exists.
    Identify {
        /// Ways to say it.
        accept: BTreeSet<&'static str>,
    },
    /// Asks a wallet.
    Present(Box<Present>),
    /// Uses or registers a passkey.
    Passkey {
        /// A new one is registered.
        register: bool,
    },
    /// Asks for a one-time code of an authenticator.
    Totp,
    /// Asks another OpenID Provider.
    Upstream {
        /// Their names in the configuration; the person chooses one.
        providers: Vec<String>,
    },
    /// Asks about the person.
    Ask(Ask),
    /// Asks for consent.
    Consent {
        /// A receipt by ISO/IEC TS 27560 is made.
        receipt: bool,
    },
    /// Assesses the risk.
    Risk {
        /// The model.
        model: String,
    },
    /// Chooses the way.
    Decide {
        /// The first that holds wins; none: `ok`.
        cases: Vec<Case>,
    },
    /// Asks a service of the operator.
    Webhook {
        /// Its address.
        url: String,
        /// It answers within so many seconds.
        timeout_s: u32,
        /// What its `ok` proves: a code that it sent by SMS.
        sms: bool,
    },
    /// Links what was just proven with the account.
    Link {
        /// What is linked.
        means: String,
    },
    /// Offers a credential.
    Issue {
        /// Its type in the issuer's configuration.
        credential_type: String,
    },
    /// Tells somebody.
    Notify {
        /// The person, by these channels.
        notify: Vec<String>,
        /// What ends.
        revoke: Vec<String>,
        /// Events.
        emit: Vec<String>,
    },
    /// Waits.
    Wait {
        /// How long.
        seconds: u32,
        /// Who is told.
        notify: Vec<String>,
        /// Whoever is told can stop it.
        cancel_link: bool,
    },
    /// Ends without a login.
    Deny {
        /// The code of the refusal.
        code: String,
        /// What the person is shown.
        show: Option<String>,
        /// Who is told.
        notify: Vec<String>,
    },
    /// Ends with a login.
    Finish {
        /// What the application learns beside the identity.
        claims: BTreeMap<String, Expression>,
    },
}

/// A question to a wallet.
#[derive(Debug)]
pub struct Present {
    /// The question.
    pub question: Question,
    /// How wallets are reached; empty: every way that the application is served.
    pub channels: BTreeSet<Channel>,
    /// Why it is asked, by language tag.
    pub purpose: BTreeMap<String, String>,
    /// The card must be of the current person.
    pub bind: bool,
    /// What must hold for the verified claims.
    pub check: Option<Expression>,
    /// The transaction of the request is shown and signed.
    pub transaction_data: bool,
}

/// What a wallet is asked.
#[derive(Debug)]
pub enum Question {
    /// A query of the configuration, by its name.
    Named(String),
    /// A query of the journey's own.
    Dcql(DcqlQuery),
}

/// A way to a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// The Digital Credentials API of the browser.
    DcApi,
    /// A link on the device that logs in.
    SameDevice,
    /// A QR code for another device.
    Qr,
}

/// What is asked about a person.
#[derive(Debug)]
pub struct Ask {
    /// So many at a time.
    pub max_fields: u32,
    /// A card is offered first.
    pub prefer_credential: bool,
    /// Who refuses is left alone so long.
    pub cooldown_days: u32,
    /// What.
    pub fields: Vec<Field>,
}

/// One fact about a person.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// The query that brings it from a wallet.
    pub query: Option<String>,
    /// The answers to choose from; none: any text.
    pub options: Vec<String>,
    /// The person may leave it out.
    pub optional: bool,
}

/// One way of a `decide` step.
#[derive(Debug)]
pub struct Case {
    /// If this holds,
    pub when: Expression,
    /// it goes here.
    pub to: Target,
}

impl StepKind {
    /// Its name in a file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Identify { .. } => "identify",
            Self::Present(_) => "present",
            Self::Passkey { .. } => "passkey",
            Self::Totp => "totp",
            Self::Upstream { .. } => "upstream",
            Self::Ask(_) => "ask",
            Self::Consent { .. } => "consent",
            Self::Risk { .. } => "risk",
            Self::Decide { .. } => "decide",
            Self::Webhook { .. } => "webhook",
            Self::Link { .. } => "link",
            Self::Issue { .. } => "issue",
            Self::Notify { .. } => "notify",
            Self::Wait { .. } => "wait",
            Self::Deny { .. } => "deny",
            Self::Finish { .. } => "finish",
        }
    }

    /// Whether the journey ends there.
    #[must_use]
    pub fn ends(&self) -> bool {
        matches!(self, Self::Deny { .. } | Self::Finish { .. })
    }
}

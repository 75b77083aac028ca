//! What a journey may know: the variables of conditions, as the service fills them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oidc::acr::{Acr, AcrLadder};
use vouchsafe_protocol::oidc::amr::Done;

/// Everything that conditions can read, but for what the run itself knows (`done`, `attempt`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The request.
    pub request: RequestFacts,
    /// The session of the browser, if there is one.
    pub session: Option<SessionFacts>,
    /// The account.
    #[serde(default)]
    pub user: UserFacts,
    /// The browser.
    #[serde(default)]
    pub device: DeviceFacts,
    /// The risk, once it was assessed.
    #[serde(default)]
    pub risk: Option<RiskFacts>,
    /// Cards that were shown and verified in this run, by the id of their query.
    #[serde(default)]
    pub cred: BTreeMap<String, Card>,
    /// Seconds since 1970.
    pub now: i64,
}

/// What the application asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFacts {
    /// Its `client_id`.
    pub client: String,
    /// Scope values.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// `acr_values`, or the values of an essential `acr`.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// `max_age`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i64>,
    /// `prompt`.
    #[serde(default)]
    pub prompt: Vec<String>,
    /// `ui_locales`.
    #[serde(default)]
    pub ui_locales: Vec<String>,
    /// Where the person comes from, as the application says.
    #[serde(default)]
    pub campaign: String,
    /// `acr` is essential: none of `acr_values` reached, no login. Conditions do not read it.
    #[serde(default)]
    pub essential_acr: bool,
    /// A scope asks for facts on a card, so a session never stands for it. Conditions do not read it.
    #[serde(default)]
    pub needs_card: bool,
}

/// Who is logged in in the browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionFacts {
    /// Seconds since the login.
    pub age_s: i64,
    /// Its level.
    pub acr: String,
    /// Its methods.
    pub amr: Vec<String>,
    /// The question behind it: it stands for no other one. Nothing said: for any. Conditions do not
    /// read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

impl SessionFacts {
    /// The level that still counts.
    pub(super) fn level(&self) -> Option<Acr> {
        let reached = Acr::from_wire(&self.acr)?;
        AcrLadder::default().current(reached, UnixTime(0), UnixTime(self.age_s))
    }

    fn has(&self, method: &str) -> bool {
        self.amr.iter().any(|known| known == method)
    }

    /// The passkey behind it. A card is the first thing that an `hwk` may mean.
    pub(super) fn passkey(&self) -> Option<Done> {
        let shown = self.has("vp");
        let passkey = self.has("swk") || (self.has("hwk") && !shown);
        (passkey && self.level().is_some()).then_some(Done::Passkey {
            hardware_key: !self.has("swk"),
            user_verified: false,
        })
    }

    /// The card behind it, as long as its level lasts.
    pub(super) fn presentation(&self) -> Option<Done> {
        let level = self.level().filter(|_| self.has("vp"))?;
        let done = |cross_device, hardware_key| Done::Presentation {
            cross_device,
            hardware_key,
            user_verified: false,
        };
        match level {
            Acr::Single | Acr::Multi => None,
            Acr::CredentialCrossDevice => Some(done(true, false)),
            Acr::Credential => Some(done(false, false)),
            Acr::CredentialHardware => Some(done(false, true)),
        }
    }

    /// The code behind it.
    pub(super) fn code(&self) -> Option<Done> {
        (self.has("otp") && self.level().is_some()).then_some(Done::OneTimeCode)
    }

    /// The other provider behind it. It has no method of ours: a level that nothing else explains is
    /// its.
    pub(super) fn upstream(&self) -> Option<Done> {
        // A code explains no level by itself.
        let explained = ["vp", "swk", "hwk"].iter().any(|one| self.has(one));
        (!explained && self.level().is_some()).then_some(Done::Upstream)
    }

    /// All that is behind it and still counts.
    pub(super) fn factors(&self) -> impl Iterator<Item = Done> {
        [
            self.passkey(),
            self.presentation(),
            self.code(),
            self.upstream(),
        ]
        .into_iter()
        .flatten()
    }
}

/// The account, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserFacts {
    /// An account is known.
    pub exists: bool,
    /// How often the person logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logins: Option<i64>,
    /// What the account knows.
    pub attrs: Map<String, Value>,
    /// What it does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
    /// Means that are linked.
    pub linked: Vec<String>,
    /// What the person did not want to say lately.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Vec<String>>,
    /// Keyed hashes of enrolment.
    pub binding: BTreeMap<String, String>,
}

/// The browser. What is not known is not there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceFacts {
    /// It was seen with this account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<bool>,
    /// Seconds since it was first seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie_age_s: Option<i64>,
    /// It has the Digital Credentials API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dc_api: Option<bool>,
    /// It is a telephone or a tablet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mobile: Option<bool>,
}

/// What an assessment of risk says. Whoever assesses fills it; a journey reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskFacts {
    /// The score of the model; absent where it has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The level of the score.
    pub level: RiskLevel,
    /// Codes of what raised it.
    #[serde(default)]
    pub reasons: Vec<String>,
    /// The account was never seen from this country; absent where the country is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen_country: Option<bool>,
    /// Nobody travels so fast; absent where the place is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impossible_travel: Option<bool>,
}

/// Levels of risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum RiskLevel {
    Low,
    Medium,
    High,
    Critical,
}

/// A card that was shown and verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Its validated issuer.
    #[serde(default)]
    pub issuer: String,
    /// Its type.
    #[serde(default, rename = "type")]
    pub credential_type: String,
    /// Its verified claims.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// Why its issuer is believed.
    #[serde(default)]
    pub trust_status: String,
    /// Its holder proved the key.
    #[serde(default)]
    pub holder_binding: bool,
    /// Seconds since it was issued; absent where nothing says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<i64>,
}

impl Facts {
    /// The session, unless the application wants the person to authenticate again.
    pub(super) fn usable_session(&self) -> Option<&SessionFacts> {
        let request = &self.request;
        let again = request.prompt.iter().any(|prompt| prompt == "login");
        let too_old =
            |session: &&SessionFacts| request.max_age.is_some_and(|most| session.age_s > most);
        let session = self.session.as_ref().filter(|_| !again);
        session.filter(|session| !too_old(session))
    }

    /// The variables of conditions. What is not known is not there: reading it is an error.
    #[must_use]
    pub(super) fn variables(&self, done: &[String], attempt: u32) -> Value {
        let Self {
            request,
            session,
            user,
            device,
            risk,
            cred,
            now,
        } = self;
        let session = match session {
            None => json!({ "exists": false }),
            Some(SessionFacts {
                age_s,
                acr,
                amr,
                question: _,
            }) => json!({ "exists": true, "age_s": age_s, "acr": acr, "amr": amr }),
        };
        let mut request = json!(request);
        if let Some(members) = request.as_object_mut() {
            members.remove("essential_acr");
            members.remove("needs_card");
        }
        let mut variables = json!({
            "request": request, "session": session, "user": user, "device": device, "cred": cred,
            "done": done, "now": now, "attempt": attempt,
        });
        if let (Some(risk), Value::Object(members)) = (risk, &mut variables) {
            members.insert("risk".to_owned(), json!(risk));
        }
        variables
    }
}

//! What an application asked for, after every check of the authorization request.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use vouchsafe_protocol::oauth::response::ResponseMode;
use vouchsafe_protocol::oidc::verified_claims::VerifiedWish;

use crate::journey::RequestFacts;

use super::approval::Approval;
use super::ids::{ClientId, DeviceGrantId, QueryId, SecretDigest, SessionId};
use super::presented::PresentedWish;

/// Where the answer goes: known to be registered for the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnAddress {
    /// The registered redirect URI, exactly as in the request.
    pub redirect_uri: String,
    /// How to get there.
    pub response_mode: ResponseMode,
    /// `state`, echoed.
    pub state: Option<String>,
}

/// Who waits for the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Back {
    /// An application to which the browser goes back.
    Application(ReturnAddress),
    /// A device that asks for it (RFC 8628). The browser stays here.
    Device {
        /// What it waits for.
        device: DeviceGrantId,
    },
    /// Nobody: the card is added to an account. The browser stays here.
    Account {
        /// Whose account.
        linking: Linking,
    },
}

/// By what right a card is added to an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Linking {
    /// This session is logged in to it.
    Session(SessionId),
    /// Somebody holds this link of the organisation.
    Invitation(SecretDigest),
}

/// The scope value of every login (OpenID Connect Core 1.0, section 3.1.2.1).
pub const OPENID: &str = "openid";
/// The scope value that asks for a refresh token (OpenID Connect Core 1.0, section 11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// A checked authorization request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRequest {
    /// Who asks.
    pub client: ClientId,
    /// Where the answer goes.
    pub back: Back,
    /// OpenID Connect `nonce`, echoed in the ID token.
    pub nonce: Option<String>,
    /// Granted scope, space separated.
    pub scope: String,
    /// PKCE S256 challenge.
    pub code_challenge: Option<String>,
    /// The question to the wallet.
    pub query: QueryId,
    /// A card was asked for by a scope or by a fact on it, so no session stands for it. Where it
    /// was not, the application learns who it is and nothing else.
    #[serde(alias = "deliver_claims")]
    pub needs_card: bool,
    /// What goes to the application; logins of an earlier version do not say it.
    #[serde(default)]
    pub facts: Facts,
    /// Attributes of the account that the application asks for and may learn; logins of an earlier
    /// version have none.
    #[serde(default)]
    pub attributes: Facts,
    /// Cards that the application gets in the form of a draft.
    #[serde(default)]
    pub presented: Option<PresentedWish>,
    /// Facts that the application wants to know how they were verified.
    #[serde(default)]
    pub verified: Verified,
    /// BCP 47 tag of the pages.
    pub locale: String,
    /// Values of an essential `acr`: one of them must be reached (OpenID Connect Core 1.0,
    /// section 5.5.1.1). Empty when none is essential.
    pub essential_acr: Vec<String>,
    /// `prompt=select_account`: another account than the one logged in is fine.
    pub may_switch_account: bool,
    /// The `sub` of an `id_token_hint` or of the `claims` parameter: only one of these people will
    /// do. Empty: anybody.
    #[serde(deserialize_with = "one_or_more")]
    pub expected_sub: Vec<String>,
    /// Uses the pushed request up, where it was one (RFC 9126).
    #[serde(default)]
    pub pushed: Option<String>,
    /// The pushed request was used up when the run of this login began to wait: this login may still bring its
    /// code, and no other one does.
    #[serde(default)]
    pub spent: bool,
    /// Thumbprint of the key that the token request must prove (RFC 9449, section 10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
    /// Keyed hash of the account that the person says is theirs, or that the application hinted at.
    #[serde(default)]
    pub asserted: Option<String>,
    /// Codes of the signs for which a session did not answer (see [`crate::risk::rules`]). A
    /// login that was asked for by the risk alone has at least one.
    #[serde(default)]
    pub risk: Option<Vec<String>>,
    /// What the person is to approve beside. It was pushed: no browser could change it.
    #[serde(default)]
    pub approval: Option<Approval>,
    /// The request as journeys read it. Nothing: no journey leads this login.
    #[serde(default)]
    pub asked: Option<RequestFacts>,
}

/// Why more than a session was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepUp {
    /// The login was unusual for the account.
    Risk,
    /// The application wants a higher level.
    Acr,
    /// The session is too old for the application.
    MaxAge,
    /// The application, or the journey, wants it each time.
    Policy,
}

impl StepUp {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Risk, Self::Acr, Self::MaxAge, Self::Policy];

    /// Name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Acr => "acr",
            Self::MaxAge => "max_age",
            Self::Policy => "policy",
        }
    }
}

/// What an application learns of a card, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// In UserInfo.
    pub userinfo: Vec<Fact>,
    /// In the ID token.
    pub id_token: Vec<Fact>,
}

/// `verified_claims` that an application asks for, with the claims that it may learn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// In UserInfo.
    pub userinfo: Vec<VerifiedWish>,
    /// In the ID token.
    pub id_token: Vec<VerifiedWish>,
}

impl Verified {
    /// Names of all the claims, each once.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        let wishes = self.userinfo.iter().chain(&self.id_token);
        let claims = wishes.flat_map(|wish| &wish.claims);
        claims.map(|claim| claim.name.as_str()).collect()
    }
}

/// One fact, by the name of its claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Name of the claim.
    pub name: String,
    /// It is told only if it is one of these (OpenID Connect Core 1.0, section 5.5.1). Empty: any.
    pub values: Vec<Value>,
}

impl Facts {
    /// Names of those that an application is told, each once.
    #[must_use]
    pub fn told(&self, claims: &Map<String, Value>) -> Vec<String> {
        let both = [&self.userinfo, &self.id_token];
        let told = both.map(|facts| Fact::choose(facts, claims));
        let names = told.iter().flat_map(Map::keys).collect::<BTreeSet<_>>();
        names.into_iter().cloned().collect()
    }

    /// Names of all of them, each once.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&str> {
        let all = self.userinfo.iter().chain(&self.id_token);
        all.map(|fact| fact.name.as_str()).collect()
    }
}

impl Fact {
    /// Those of `claims` that are told.
    #[must_use]
    pub fn choose(facts: &[Self], claims: &Map<String, Value>) -> Map<String, Value> {
        let told = facts.iter().filter_map(|fact| {
            let value = claims.get(&fact.name)?;
            let told = fact.values.is_empty() || fact.values.contains(value);
            told.then(|| (fact.name.clone(), value.clone()))
        });
        told.collect()
    }
}

/// Logins of an earlier version name one person or none.
fn one_or_more<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Subs {
        Several(Vec<String>),
        Perhaps(Option<String>),
    }
    Ok(match Subs::deserialize(source)? {
        Subs::Several(subs) => subs,
        Subs::Perhaps(sub) => sub.into_iter().collect(),
    })
}

impl LoginRequest {
    /// Whether the person `sub` is one whom the application expects.
    #[must_use]
    pub fn expects(&self, sub: &str) -> bool {
        self.expected_sub.is_empty() || self.expected_sub.iter().any(|expected| expected == sub)
    }

    /// The question that this login answers, for whatever rests on it later. Where cards go out in the
    /// form of a draft, the application chose which of them were shown: it answers no other question.
    #[must_use]
    pub fn answers(&self) -> QueryId {
        match &self.presented {
            None => self.query.clone(),
            Some(_) => {
                QueryId::from_text(format!("urn:vouchsafe:presented:{}", self.query.as_str()))
            }
        }
    }

    /// Whether it was pushed, used up or not (RFC 9126).
    #[must_use]
    pub fn was_pushed(&self) -> bool {
        self.pushed.is_some() || self.spent
    }

    /// What a device waits for, where the login is for one.
    #[must_use]
    pub fn device(&self) -> Option<&DeviceGrantId> {
        match &self.back {
            Back::Application(_) | Back::Account { .. } => None,
            Back::Device { device } => Some(device),
        }
    }

    /// By what right a card is added to an account, where it is that.
    #[must_use]
    pub fn linking(&self) -> Option<&Linking> {
        match &self.back {
            Back::Application(_) | Back::Device { .. } => None,
            Back::Account { linking } => Some(linking),
        }
    }

    /// Whether the application wants to go on while the person is away.
    #[must_use]
    pub fn offline(&self) -> bool {
        self.scope.split(' ').any(|scope| scope == OFFLINE_ACCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_of_an_earlier_version_is_read_and_tells_less() {
        let mut old = serde_json::json!({
            "client": "shop", "back": { "redirect_uri": "https://shop.example/cb", "response_mode": "query", "state": null },
            "nonce": null, "scope": "openid age", "code_challenge": null, "query": "age",
            "deliver_claims": true, "id_token_claims": ["x"], "locale": "en", "essential_acr": [],
            "may_switch_account": false, "expected_sub": "p"
        });
        let request: LoginRequest = serde_json::from_value(old.clone()).unwrap();
        assert!(matches!(request.back, Back::Application(_)));
        assert!(request.needs_card && request.facts == Facts::default());
        assert!(request.expects("p") && !request.expects("q"));
        old["expected_sub"] = Value::Null;
        let request: LoginRequest = serde_json::from_value(old).unwrap();
        assert!(request.expects("q"));
        let again = serde_json::to_value(&request).unwrap();
        assert_eq!(
            serde_json::from_value::<LoginRequest>(again).unwrap(),
            request
        );
    }
}

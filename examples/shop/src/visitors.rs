//! Who is in the shop: sessions, and logins that are under way.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openidconnect::{Nonce, PkceCodeVerifier};
use serde::Serialize;
use tokio::sync::broadcast;

/// Why a person was sent to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To prove that they are 18 or older; nobody is signed in.
    Age,
    /// To sign in with the membership card.
    Member,
    /// To come back: a member whom the provider still knows shows nothing.
    Again,
}

impl Purpose {
    /// The OAuth scope that asks for it, beside `openid`.
    pub fn scope(self) -> Option<&'static str> {
        match self {
            Purpose::Age => Some("age"),
            Purpose::Member => Some("membership"),
            Purpose::Again => None,
        }
    }

    /// Reads the last part of `/login/{purpose}`.
    pub fn from_path(path: &str) -> Option<Self> {
        match path {
            "age" => Some(Purpose::Age),
            "membership" => Some(Purpose::Member),
            "again" => Some(Purpose::Again),
            _ => None,
        }
    }
}

/// A login that went to the provider and has not come back.
#[derive(Debug)]
pub struct Pending {
    /// Why.
    pub purpose: Purpose,
    /// The OpenID Connect nonce that the ID token must carry.
    pub nonce: Nonce,
    /// The PKCE verifier of this login.
    pub verifier: PkceCodeVerifier,
}

/// What the shop learned, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub struct Visitor {
    /// Why they came back from the provider.
    pub purpose: Purpose,
    /// The pairwise subject identifier.
    pub sub: String,
    /// The provider's session identifier, for logout.
    pub sid: Option<String>,
    /// `age_over_18` of UserInfo.
    pub age_over_18: Option<bool>,
    /// `membership_tier` of UserInfo.
    pub tier: Option<String>,
    /// The ID token's claims, as JSON text.
    pub id_token: String,
    /// The UserInfo response, as JSON text.
    pub userinfo: String,
}

/// All visitors, in memory: a shop keeps its sessions where it likes.
#[derive(Debug)]
pub struct Visitors {
    pending: Mutex<HashMap<String, Pending>>,
    sessions: Mutex<HashMap<String, Visitor>>,
    ended: broadcast::Sender<String>,
}

/// Logins under way that the shop remembers; more push the oldest out at random.
const MOST_PENDING: usize = 10_000;

impl Default for Visitors {
    fn default() -> Self {
        Self {
            pending: Mutex::default(),
            sessions: Mutex::default(),
            ended: broadcast::Sender::new(64),
        }
    }
}

impl Visitors {
    /// Remembers a login by its `state`.
    pub fn start(&self, state: String, login: Pending) {
        let mut pending = lock(&self.pending);
        if pending.len() >= MOST_PENDING
            && let Some(key) = pending.keys().next().cloned()
        {
            pending.remove(&key);
        }
        pending.insert(state, login);
    }

    /// Takes a login under way: it can be finished once.
    pub fn take(&self, state: &str) -> Option<Pending> {
        lock(&self.pending).remove(state)
    }

    /// Opens a session under a fresh secret.
    pub fn open(&self, session: String, visitor: Visitor) {
        lock(&self.sessions).insert(session, visitor);
    }

    /// The visitor of a session.
    pub fn get(&self, session: &str) -> Option<Visitor> {
        lock(&self.sessions).get(session).cloned()
    }

    /// Ends one session, on the visitor's wish.
    pub fn close(&self, session: &str) -> Option<Visitor> {
        lock(&self.sessions).remove(session)
    }

    /// Ends the sessions that a logout token names: by `sid` where it has one,
    /// otherwise by `sub` (OpenID Connect Back-Channel Logout 1.0, section 2.7).
    pub fn end(&self, sid: Option<&str>, sub: Option<&str>) -> usize {
        let mut sessions = lock(&self.sessions);
        let ended: Vec<String> = sessions
            .iter()
            .filter(|(_, visitor)| match (sid, sub) {
                (Some(sid), _) => visitor.sid.as_deref() == Some(sid),
                (None, Some(sub)) => visitor.sub == sub,
                (None, None) => false,
            })
            .map(|(session, _)| session.clone())
            .collect();
        for session in &ended {
            sessions.remove(session);
            // Nobody listening is fine: the page is closed.
            self.ended.send(session.clone()).ok();
        }
        ended.len()
    }

    /// Sessions as they end.
    pub fn endings(&self) -> broadcast::Receiver<String> {
        self.ended.subscribe()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitor(sub: &str, sid: &str) -> Visitor {
        Visitor {
            purpose: Purpose::Member,
            sub: sub.to_owned(),
            sid: Some(sid.to_owned()),
            age_over_18: None,
            tier: None,
            id_token: String::new(),
            userinfo: String::new(),
        }
    }

    #[test]
    fn a_logout_token_ends_the_session_it_names_and_no_other() {
        let visitors = Visitors::default();
        visitors.open("a".into(), visitor("alice", "s1"));
        visitors.open("b".into(), visitor("alice", "s2"));
        visitors.open("c".into(), visitor("carol", "s3"));
        let mut endings = visitors.endings();
        assert_eq!(visitors.end(Some("s1"), Some("alice")), 1);
        assert_eq!(endings.try_recv().unwrap(), "a");
        assert!(visitors.get("b").is_some());
        assert_eq!(visitors.end(None, Some("alice")), 1);
        assert_eq!(visitors.end(None, None), 0);
        assert!(visitors.get("c").is_some());
    }

    #[test]
    fn a_login_is_finished_once() {
        let visitors = Visitors::default();
        let login = Pending {
            purpose: Purpose::Age,
            nonce: Nonce::new("n".into()),
            verifier: PkceCodeVerifier::new("v".repeat(43)),
        };
        visitors.start("state".into(), login);
        assert!(visitors.take("state").is_some());
        assert!(visitors.take("state").is_none());
    }
}

//! Security Event Tokens (RFC 8417): the claims. They are sent with `typ: secevent+jwt`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use vouchsafe_credentials::time::UnixTime;

use super::{SESSION_REVOKED, VERIFICATION};

/// Who brought the event about (CAEP 1.0, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// The person.
    User,
    /// Somebody who runs the transmitter.
    Admin,
    /// A rule of the transmitter.
    Policy,
}

impl Initiator {
    const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Policy => "policy",
        }
    }
}

/// A session as one receiver knows it.
#[derive(Debug, Clone, Copy)]
pub struct SessionSubject<'a> {
    /// Issuer identifier of the provider.
    pub issuer: &'a str,
    /// The person, as this receiver knows them.
    pub sub: &'a str,
    /// The session, as this receiver knows it.
    pub sid: &'a str,
}

/// What happened to whom: one event (Shared Signals Framework 1.0, section 4.2.1; CAEP
/// Interoperability Profile 1.0, section 2.8.1: exactly one).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    sub_id: Value,
    events: Map<String, Value>,
}

impl Event {
    /// CAEP 1.0, section 3.1. It does not say why: several receivers share a session, and the reason
    /// may be the affair of another one.
    #[must_use]
    pub fn session_revoked(subject: SessionSubject<'_>, by: Initiator, at: UnixTime) -> Self {
        // RFC 9493, section 3.2.3, within a complex subject (Shared Signals Framework 1.0, section 3.3).
        let sub_id = json!({
            "format": "complex",
            "user": { "format": "iss_sub", "iss": subject.issuer, "sub": subject.sub },
            "session": { "format": "opaque", "id": subject.sid },
        });
        let event = json!({
            "event_timestamp": at.0,
            "initiating_entity": by.as_str(),
        });
        Self::one(SESSION_REVOKED, sub_id, event)
    }

    /// Shared Signals Framework 1.0, section 8.1.4.1: the stream itself is the subject, and `state` comes back.
    #[must_use]
    pub fn verification(stream: &str, state: Option<&str>) -> Self {
        let event = match state {
            Some(state) => json!({ "state": state }),
            None => json!({}),
        };
        Self::one(
            VERIFICATION,
            json!({ "format": "opaque", "id": stream }),
            event,
        )
    }

    fn one(kind: &str, sub_id: Value, event: Value) -> Self {
        let events = Map::from_iter([(kind.to_owned(), event)]);
        Self { sub_id, events }
    }

    /// The event type.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.events.keys().next().map_or("", String::as_str)
    }
}

/// What a token says. It has no `exp` and no `sub` (Shared Signals Framework 1.0, sections 4.1.2 and 4.1.7).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SetClaims {
    /// Issuer identifier of the transmitter.
    pub iss: String,
    /// The receiver.
    pub aud: String,
    /// Unique identifier; the same whenever the token is delivered again.
    pub jti: String,
    /// When the event was written down.
    pub iat: UnixTime,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caep_session_revoked_on_the_wire() {
        let subject = SessionSubject {
            issuer: "https://op.example",
            sub: "pairwise",
            sid: "sid-1",
        };
        let claims = SetClaims {
            iss: "https://op.example".to_owned(),
            aud: "shop".to_owned(),
            jti: "1".to_owned(),
            iat: UnixTime(1000),
            event: Event::session_revoked(subject, Initiator::Policy, UnixTime(999)),
        };
        let json = serde_json::to_value(&claims).unwrap();
        assert_eq!(
            json,
            json!({
                "iss": "https://op.example", "aud": "shop", "jti": "1", "iat": 1000,
                "sub_id": {
                    "format": "complex",
                    "user": { "format": "iss_sub", "iss": "https://op.example", "sub": "pairwise" },
                    "session": { "format": "opaque", "id": "sid-1" },
                },
                "events": { SESSION_REVOKED: {
                    "event_timestamp": 999, "initiating_entity": "policy",
                } },
            })
        );
        let kept: Event =
            serde_json::from_str(&serde_json::to_string(&claims.event).unwrap()).unwrap();
        assert_eq!(kept, claims.event);
        assert_eq!(kept.kind(), SESSION_REVOKED);
    }

    #[test]
    fn a_verification_names_the_stream_and_gives_the_state_back() {
        let with = serde_json::to_value(Event::verification("s", Some("x"))).unwrap();
        assert_eq!(with["sub_id"], json!({ "format": "opaque", "id": "s" }));
        assert_eq!(with["events"][VERIFICATION], json!({ "state": "x" }));
        let without = serde_json::to_value(Event::verification("s", None)).unwrap();
        assert_eq!(without["events"][VERIFICATION], json!({}));
    }
}

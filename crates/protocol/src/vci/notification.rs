//! Notifications (section 11): what a wallet did with the credentials of one response.

use serde::Serialize;
use serde_json::{Value, json};
use vouchsafe_credentials::json as strict;

/// Longest request in bytes (the limit of this project).
pub const MAX_BYTES: usize = 16 * 1024;
/// Longest `notification_id` and `event_description` in bytes (the limit of this project).
const MAX_TEXT: usize = 1024;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The wallet stored all of them.
    Accepted,
    /// The person did not want them, or deleted them.
    Deleted,
    /// Anything else.
    Failure,
}

impl Event {
    /// All events.
    pub const ALL: [Self; 3] = [Self::Accepted, Self::Deleted, Self::Failure];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "credential_accepted",
            Self::Deleted => "credential_deleted",
            Self::Failure => "credential_failure",
        }
    }

    /// The event with this name, case-sensitive.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == text)
    }
}

/// A notification. `event_description` is checked and dropped: it is a foreign text that nobody
/// here reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Names the response.
    pub notification_id: String,
    /// What happened.
    pub event: Event,
}

/// Codes of section 11.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationErrorCode {
    /// No such `notification_id`.
    InvalidNotificationId,
    /// Malformed.
    InvalidNotificationRequest,
}

impl NotificationErrorCode {
    /// Code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidNotificationId => "invalid_notification_id",
            Self::InvalidNotificationRequest => "invalid_notification_request",
        }
    }
}

/// The error object; always status 400 with `Cache-Control: no-store`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NotificationError {
    /// Code.
    pub error: NotificationErrorCode,
}

/// Not a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a notification")]
pub struct Malformed;

impl Notification {
    /// Reads the body of a POST with `Content-Type: application/json`. Unknown members are
    /// ignored (section 11.1).
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        if body.len() > MAX_BYTES {
            return Err(Malformed);
        }
        let members = strict::parse_object(body).map_err(|_| Malformed)?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).ok_or(Malformed);
        let notification_id = text("notification_id")?;
        if notification_id.is_empty() || notification_id.len() > MAX_TEXT {
            return Err(Malformed);
        }
        let event = Event::from_wire(text("event")?).ok_or(Malformed)?;
        match members.get("event_description") {
            None => {}
            Some(Value::String(text)) if text.len() <= MAX_TEXT && text.bytes().all(described) => {}
            Some(_) => return Err(Malformed),
        }
        Ok(Self {
            notification_id: notification_id.to_owned(),
            event,
        })
    }

    /// The notification as a wallet sends it, without `event_description`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Self {
            notification_id,
            event,
        } = self;
        json!({ "notification_id": notification_id, "event": event.as_str() })
    }
}

/// Section 11.1: %x20-21 / %x23-5B / %x5D-7E.
const fn described(byte: u8) -> bool {
    matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_unknown_members() {
        for event in Event::ALL {
            let name = event.as_str();
            let body = format!(r#"{{"notification_id":"n","event":"{name}","x":{{"y":1}}}}"#);
            let read = Notification::parse(body.as_bytes()).unwrap();
            assert_eq!((read.event, read.notification_id.as_str()), (event, "n"));
            let sent = read.to_json().to_string();
            assert_eq!(Notification::parse(sent.as_bytes()), Ok(read));
        }
        for code in [
            NotificationErrorCode::InvalidNotificationId,
            NotificationErrorCode::InvalidNotificationRequest,
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn what_is_no_notification() {
        let accepted = r#""event":"credential_accepted""#;
        for body in [
            "[]".to_owned(),
            "{}".to_owned(),
            format!("{{{accepted}}}"),
            r#"{"notification_id":"n"}"#.to_owned(),
            format!(r#"{{"notification_id":"",{accepted}}}"#),
            format!(r#"{{"notification_id":1,{accepted}}}"#),
            r#"{"notification_id":"n","event":"Credential_accepted"}"#.to_owned(),
            r#"{"notification_id":"n","event":["credential_accepted"]}"#.to_owned(),
            format!(r#"{{"notification_id":"n",{accepted},{accepted}}}"#),
            format!(r#"{{"notification_id":"n",{accepted},"event_description":1}}"#),
            format!(r#"{{"notification_id":"n",{accepted},"event_description":"ä"}}"#),
            format!(r#"{{"notification_id":"n",{accepted},"event_description":"a\"b"}}"#),
            format!(r#"{{"notification_id":"{}",{accepted}}}"#, "n".repeat(1025)),
            " ".repeat(MAX_BYTES + 1),
        ] {
            assert_eq!(
                Notification::parse(body.as_bytes()),
                Err(Malformed),
                "{body}"
            );
        }
    }
}

//! Event streams: what a receiver asks for and what it is told (Shared Signals Framework 1.0,
//! section 8.1.1).

use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::json::parse_object;

use super::{EVENTS, POLL, PUSH};
use crate::http::UrlRule;
use crate::oauth::values::Secret;

/// Events that a receiver may name at most.
const MOST_EVENTS: usize = 50;
/// Longest event, description, reason, state and stream id in bytes.
const LONGEST: usize = 1024;

/// Why a request about a stream cannot be served. Texts repeat nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamRefused {
    /// The body is no JSON object, or a member has another type.
    #[error("the body is malformed")]
    Malformed,
    /// `stream_id` is missing.
    #[error("stream_id is missing")]
    NoStream,
    /// A property of the transmitter has another value (section 8.1.1.3).
    #[error("a property that the transmitter supplies has another value")]
    NotYours,
    /// A delivery method that is not served.
    #[error("the delivery method is not supported")]
    Method,
    /// The receiver's endpoint may not be called.
    #[error("the endpoint of the receiver is not acceptable")]
    Endpoint,
    /// A header that cannot be sent.
    #[error("the authorization header is not acceptable")]
    Header,
}

/// How a receiver gets its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It asks for them.
    Poll,
    /// They are sent to it.
    Push {
        /// Where to.
        endpoint: Url,
        /// Value of the `Authorization` header (section 6.1.1).
        authorization: Option<Secret>,
    },
}

/// How a receiver wants to get its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedDelivery {
    /// It will ask for them.
    Poll {
        /// The transmitter's endpoint, as it was told (section 6.1.2).
        endpoint: Option<String>,
    },
    /// They are to be sent to it.
    Push {
        /// Where to.
        endpoint: Url,
        /// A new value of the header, or none from now on.
        authorization: Option<Option<Secret>>,
    },
}

impl RequestedDelivery {
    /// What it comes to. The secret is told to nobody, so who sends back what it was told keeps it as
    /// long as the events go to the same place.
    #[must_use]
    pub fn after(self, before: Option<&Delivery>) -> Delivery {
        let Self::Push {
            endpoint,
            authorization,
        } = self
        else {
            return Delivery::Poll;
        };
        let kept = match before {
            Some(Delivery::Push {
                endpoint: same,
                authorization,
            }) if *same == endpoint => authorization.clone(),
            Some(Delivery::Push { .. } | Delivery::Poll) | None => None,
        };
        Delivery::Push {
            endpoint,
            authorization: authorization.unwrap_or(kept),
        }
    }
}

/// What a receiver supplies; `None` stands for what the request leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamRequest {
    /// The stream, where one is changed.
    pub stream_id: Option<String>,
    /// Events that it wants.
    pub events_requested: Option<Vec<String>>,
    /// How it gets them.
    pub delivery: Option<RequestedDelivery>,
    /// What it says of the stream.
    pub description: Option<String>,
    supplied: Map<String, Value>,
}

impl StreamRequest {
    /// Reads the body of a POST, PATCH or PUT. `rule` says which endpoints may be called.
    ///
    /// # Errors
    /// [`StreamRefused`].
    pub fn parse(body: &[u8], rule: UrlRule) -> Result<Self, StreamRefused> {
        let mut object = parse_object(body).map_err(|_| StreamRefused::Malformed)?;
        let text = |value: Option<Value>| match value {
            None => Ok(None),
            Some(Value::String(text)) if is_text(&text) => Ok(Some(text)),
            Some(_) => Err(StreamRefused::Malformed),
        };
        Ok(Self {
            stream_id: text(object.remove("stream_id"))?,
            events_requested: match object.remove("events_requested") {
                None => None,
                Some(value) => Some(events(&value)?),
            },
            delivery: match object.remove("delivery") {
                None => None,
                Some(value) => Some(delivery(&value, rule)?),
            },
            description: text(object.remove("description"))?,
            supplied: object,
        })
    }

    /// The stream that is meant.
    ///
    /// # Errors
    /// [`StreamRefused::NoStream`].
    pub fn stream(&self) -> Result<&str, StreamRefused> {
        self.stream_id.as_deref().ok_or(StreamRefused::NoStream)
    }

    /// Section 8.1.1.3: what the transmitter supplies may be there and must then be right.
    ///
    /// `poll` is the address at which this stream is polled.
    ///
    /// # Errors
    /// [`StreamRefused::NotYours`].
    pub fn agrees_with(&self, stream: &StreamView, poll: &str) -> Result<(), StreamRefused> {
        if let Some(RequestedDelivery::Poll {
            endpoint: Some(endpoint),
        }) = &self.delivery
            && endpoint != poll
        {
            return Err(StreamRefused::NotYours);
        }
        let right = serde_json::to_value(stream).unwrap_or_default();
        let differs =
            |(name, value): (&String, &Value)| right.get(name).is_some_and(|right| right != value);
        match self.supplied.iter().any(differs) {
            true => Err(StreamRefused::NotYours),
            false => Ok(()),
        }
    }
}

fn events(value: &Value) -> Result<Vec<String>, StreamRefused> {
    let named = value.as_array().ok_or(StreamRefused::Malformed)?;
    if named.len() > MOST_EVENTS {
        return Err(StreamRefused::Malformed);
    }
    let name = |value: &Value| {
        let text = value.as_str().filter(|text| is_text(text));
        text.map(str::to_owned).ok_or(StreamRefused::Malformed)
    };
    named.iter().map(name).collect()
}

/// What a database can keep as a text.
fn is_text(text: &str) -> bool {
    text.len() <= LONGEST && !text.contains('\0')
}

fn delivery(value: &Value, rule: UrlRule) -> Result<RequestedDelivery, StreamRefused> {
    let object = value.as_object().ok_or(StreamRefused::Malformed)?;
    let text = |name: &str| match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(StreamRefused::Malformed),
    };
    match text("method")?.ok_or(StreamRefused::Malformed)? {
        POLL => Ok(RequestedDelivery::Poll {
            endpoint: text("endpoint_url")?.map(str::to_owned),
        }),
        PUSH => {
            let endpoint = text("endpoint_url")?.ok_or(StreamRefused::Malformed)?;
            let endpoint = rule.parse(endpoint).map_err(|_| StreamRefused::Endpoint)?;
            let authorization = match object.get("authorization_header") {
                None => None,
                Some(Value::Null) => Some(None),
                Some(Value::String(text)) => Some(Some(header(text)?)),
                Some(_) => return Err(StreamRefused::Malformed),
            };
            Ok(RequestedDelivery::Push {
                endpoint,
                authorization,
            })
        }
        _ => Err(StreamRefused::Method),
    }
}

/// RFC 9110, section 5.5, without what some servers still fold.
fn header(text: &str) -> Result<Secret, StreamRefused> {
    let visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    let good = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(visible);
    good.then(|| Secret::new(text)).ok_or(StreamRefused::Header)
}

/// Which of the events that were asked for the stream carries.
#[must_use]
pub fn delivered(requested: &[String]) -> Vec<&'static str> {
    let asked = |event: &&str| requested.iter().any(|requested| requested == *event);
    EVENTS.into_iter().filter(asked).collect()
}

/// A stream as its receiver sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamView {
    /// Its name.
    pub stream_id: String,
    /// The transmitter.
    pub iss: String,
    /// The receiver.
    pub aud: String,
    /// Events that a stream can carry.
    pub events_supported: Vec<&'static str>,
    /// Events that were asked for.
    pub events_requested: Vec<String>,
    /// Events that it carries.
    pub events_delivered: Vec<&'static str>,
    /// How they are delivered.
    pub delivery: DeliveryView,
    /// Seconds between two verifications at least.
    pub min_verification_interval: i64,
    /// What the receiver says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// How events are delivered; the receiver's secret is not told again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    /// [`POLL`] or [`PUSH`].
    pub method: &'static str,
    /// Where the receiver polls, or where events are sent.
    pub endpoint_url: String,
}

/// State of a stream (section 8.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamStatus {
    /// Events are delivered.
    Enabled,
    /// Events are held.
    Paused,
    /// Events are neither delivered nor held.
    Disabled,
}

impl StreamStatus {
    /// The value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    /// Reads a value.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Paused, Self::Disabled]
            .into_iter()
            .find(|status| status.as_str() == name)
    }
}

/// A state that a receiver sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRequest {
    /// The stream.
    pub stream_id: String,
    /// The state.
    pub status: StreamStatus,
    /// Why.
    pub reason: Option<String>,
}

impl StatusRequest {
    /// Reads the body (section 8.1.2.2).
    ///
    /// # Errors
    /// [`StreamRefused`].
    pub fn parse(body: &[u8]) -> Result<Self, StreamRefused> {
        let object = parse_object(body).map_err(|_| StreamRefused::Malformed)?;
        let status = member(&object, "status")?.ok_or(StreamRefused::Malformed)?;
        Ok(Self {
            stream_id: member(&object, "stream_id")?.ok_or(StreamRefused::NoStream)?,
            status: StreamStatus::from_name(&status).ok_or(StreamRefused::Malformed)?,
            reason: member(&object, "reason")?,
        })
    }
}

/// A receiver wants to see that its stream works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationRequest {
    /// The stream.
    pub stream_id: String,
    /// Comes back in the event.
    pub state: Option<String>,
}

impl VerificationRequest {
    /// Reads the body (section 8.1.4.2).
    ///
    /// # Errors
    /// [`StreamRefused`].
    pub fn parse(body: &[u8]) -> Result<Self, StreamRefused> {
        let object = parse_object(body).map_err(|_| StreamRefused::Malformed)?;
        Ok(Self {
            stream_id: member(&object, "stream_id")?.ok_or(StreamRefused::NoStream)?,
            state: member(&object, "state")?,
        })
    }
}

fn member(object: &Map<String, Value>, name: &str) -> Result<Option<String>, StreamRefused> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_text(text) => Ok(Some(text.clone())),
        Some(_) => Err(StreamRefused::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::SESSION_REVOKED;
    use super::*;

    fn parse(body: &Value) -> Result<StreamRequest, StreamRefused> {
        StreamRequest::parse(body.to_string().as_bytes(), UrlRule::PublicHttps)
    }

    fn push(endpoint: &str) -> Value {
        json!({ "delivery": { "method": PUSH, "endpoint_url": endpoint } })
    }

    #[test]
    fn what_is_left_out_stays_open() {
        assert_eq!(parse(&json!({})).unwrap(), StreamRequest::default());
        assert_eq!(
            parse(&json!({})).unwrap().stream(),
            Err(StreamRefused::NoStream)
        );
    }

    #[test]
    fn events_that_are_unknown_are_ignored() {
        let request = parse(&json!({ "events_requested": ["urn:x", SESSION_REVOKED] })).unwrap();
        let requested = request.events_requested.unwrap();
        assert_eq!(requested.len(), 2);
        assert_eq!(delivered(&requested), [SESSION_REVOKED]);
        assert!(delivered(&[]).is_empty());
    }

    #[test]
    fn endpoints_inside_of_networks_are_refused() {
        for endpoint in [
            "http://receiver.example/events",
            "https://127.0.0.1/events",
            "https://10.0.0.1/events",
            "https://user:secret@receiver.example/",
            "nowhere",
        ] {
            assert_eq!(
                parse(&push(endpoint)),
                Err(StreamRefused::Endpoint),
                "{endpoint}"
            );
        }
        assert!(parse(&push("https://receiver.example/events")).is_ok());
    }

    #[test]
    fn a_secret_is_kept_as_long_as_events_go_to_the_same_place() {
        let asked = |endpoint: &str, header: Option<Value>| {
            let mut body = push(endpoint);
            if let Some(header) = header {
                body["delivery"]["authorization_header"] = header;
            }
            parse(&body).unwrap().delivery.unwrap()
        };
        let secret = |delivery: &Delivery| match delivery {
            Delivery::Push { authorization, .. } => authorization
                .as_ref()
                .map(|secret| secret.expose().to_owned()),
            Delivery::Poll => panic!("{delivery:?}"),
        };
        let here = "https://receiver.example/events";
        let first = asked(here, Some(json!("Bearer abc"))).after(None);
        assert_eq!(secret(&first).as_deref(), Some("Bearer abc"));
        assert!(!format!("{first:?}").contains("abc"));
        let same = asked(here, None).after(Some(&first));
        assert_eq!(secret(&same).as_deref(), Some("Bearer abc"));
        let elsewhere = asked("https://other.example/events", None).after(Some(&first));
        assert_eq!(secret(&elsewhere), None);
        let gone = asked(here, Some(Value::Null)).after(Some(&first));
        assert_eq!(secret(&gone), None);
    }

    #[test]
    fn headers_that_would_bring_others_along_are_refused() {
        let mut body = push("https://receiver.example/events");
        for header in ["", "Bearer x\r\nHost: y", "Bearer \u{e4}"] {
            body["delivery"]["authorization_header"] = json!(header);
            assert_eq!(parse(&body), Err(StreamRefused::Header), "{header:?}");
        }
        body["delivery"]["authorization_header"] = json!("Bearer abc");
        assert!(parse(&body).is_ok());
    }

    #[test]
    fn other_shapes_are_refused() {
        for body in [
            json!([]),
            json!({ "stream_id": 1 }),
            json!({ "events_requested": "x" }),
            json!({ "events_requested": [1] }),
            json!({ "events_requested": vec!["x"; 51] }),
            json!({ "delivery": "poll" }),
            json!({ "delivery": {} }),
            json!({ "delivery": { "method": PUSH } }),
            json!({ "description": "x".repeat(1025) }),
            json!({ "description": "nul \u{0}" }),
            json!({ "stream_id": "\u{0}" }),
        ] {
            assert_eq!(parse(&body), Err(StreamRefused::Malformed), "{body}");
        }
        let other = json!({ "delivery": { "method": "urn:x" } });
        assert_eq!(parse(&other), Err(StreamRefused::Method));
    }

    #[test]
    fn what_the_transmitter_supplies_must_be_right() {
        let view = StreamView {
            stream_id: "s".to_owned(),
            iss: "https://op.example".to_owned(),
            aud: "shop".to_owned(),
            events_supported: EVENTS.to_vec(),
            events_requested: Vec::new(),
            events_delivered: Vec::new(),
            delivery: DeliveryView {
                method: POLL,
                endpoint_url: "https://op.example/ssf/poll/s".to_owned(),
            },
            min_verification_interval: 10,
            description: None,
        };
        let agrees = |body: &Value| {
            let request = parse(body).unwrap();
            request.agrees_with(&view, "https://op.example/ssf/poll/s")
        };
        let polls = |at: &str| json!({ "delivery": { "method": POLL, "endpoint_url": at } });
        assert_eq!(agrees(&polls("https://op.example/ssf/poll/s")), Ok(()));
        assert_eq!(
            agrees(&polls("https://op.example/")),
            Err(StreamRefused::NotYours)
        );
        assert_eq!(agrees(&json!({ "aud": "shop", "other": 1 })), Ok(()));
        assert_eq!(
            agrees(&json!({ "aud": "cafe" })),
            Err(StreamRefused::NotYours)
        );
        assert_eq!(
            agrees(&json!({ "events_delivered": ["x"] })),
            Err(StreamRefused::NotYours)
        );
    }

    #[test]
    fn states_and_verifications() {
        let status = |text: &str| StatusRequest::parse(text.as_bytes());
        let good = status(r#"{"stream_id": "s", "status": "paused", "reason": "night"}"#).unwrap();
        assert_eq!(good.status, StreamStatus::Paused);
        assert_eq!(
            status(r#"{"stream_id": "s", "status": "PAUSED"}"#),
            Err(StreamRefused::Malformed)
        );
        assert_eq!(
            status(r#"{"status": "paused"}"#),
            Err(StreamRefused::NoStream)
        );
        let verify = |text: &str| VerificationRequest::parse(text.as_bytes());
        assert_eq!(verify("{}"), Err(StreamRefused::NoStream));
        assert_eq!(
            verify(r#"{"stream_id": "s", "state": 5}"#),
            Err(StreamRefused::Malformed)
        );
        assert_eq!(
            verify(r#"{"stream_id": "s", "state": "x"}"#)
                .unwrap()
                .state
                .as_deref(),
            Some("x")
        );
    }
}

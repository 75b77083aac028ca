//! The event log: CloudEvents 1.0 in the JSON format, one on each line. It never makes a login wait: what
//! happens goes into a queue in memory, and a job takes it from there. A queue that is full drops, and
//! says so in a metric.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use vouchsafe_credentials::time::UnixTime;

use crate::app::Parts;
use crate::config::Webhook;
use crate::domain::transaction::Login;
use crate::login::accept::log_id;

/// A step of a journey ended.
pub const STEP: &str = "journey.step.finished";
/// A journey ended.
pub const JOURNEY: &str = "journey.finished";
/// Somebody logged in.
pub const SUCCEEDED: &str = "login.succeeded";
/// Nobody did.
pub const FAILED: &str = "login.failed";

/// Events that wait; the next is dropped.
pub const MOST: usize = 10_000;

/// Where events go.
#[derive(Debug, Clone)]
pub struct EventSettings {
    /// A file, and from how many bytes on it is renamed to `….1`.
    pub file: Option<(PathBuf, u64)>,
    /// A table of the database, and for how many days it keeps them.
    pub database_days: Option<i64>,
    /// A system that is told.
    pub webhook: Option<Webhook>,
    /// Whether what the application calls the person is among the facts.
    pub pairwise_sub: bool,
}

/// An event, ready to be written.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its type.
    pub kind: &'static str,
    /// When.
    pub at: UnixTime,
    /// The whole envelope.
    pub body: Value,
}

/// What an event may tell. No claim, no address, no name has a place here.
#[derive(Debug, Clone, Default)]
pub struct Facts<'a> {
    /// The reference of the login, as people are told it.
    pub journey_id: &'a str,
    /// The journey.
    pub journey: &'a str,
    /// Its stage.
    pub stage: &'a str,
    /// The step.
    pub step: Option<&'a str>,
    /// How it ended.
    pub outcome: &'a str,
    /// How the wallet was reached.
    pub channel: Option<&'a str>,
    /// The application.
    pub client: &'a str,
    /// How long it took.
    pub seconds: Option<i64>,
    /// Why it failed.
    pub code: Option<&'a str>,
    /// What the application calls the person.
    pub sub: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// The facts of a login of this journey.
    #[must_use]
    pub fn of(login: &'a Login, journey: &'a str) -> Self {
        Self {
            journey_id: log_id(&login.id),
            journey,
            ..Self::default()
        }
    }

    fn data(&self, at: &str, pairwise_sub: bool) -> Value {
        let Self {
            journey_id,
            journey,
            stage,
            step,
            outcome,
            channel,
            client,
            seconds,
            code,
            sub,
        } = self;
        let mut data = Map::new();
        let mut put = |name: &str, value: Value| {
            if !value.is_null() {
                data.insert(name.to_owned(), value);
            }
        };
        put(
            "journey_id",
            json!((!journey_id.is_empty()).then_some(journey_id)),
        );
        put("journey", json!(journey));
        put("stage", json!(stage));
        put("step", json!(step));
        put("outcome", json!(outcome));
        put("channel", json!(channel));
        put("client", json!(client));
        put("duration_s", json!(seconds));
        put("code", json!(code));
        put("ts", json!(at));
        put("pairwise_sub", json!(sub.filter(|_| pairwise_sub)));
        Value::Object(data)
    }
}

/// The queue.
#[derive(Debug, Default)]
pub struct Events {
    settings: Option<EventSettings>,
    queue: Mutex<VecDeque<Event>>,
}

impl Events {
    /// Nothing is queued without settings.
    #[must_use]
    pub fn new(settings: Option<EventSettings>) -> Self {
        Self {
            settings,
            queue: Mutex::default(),
        }
    }

    /// Where events go.
    #[must_use]
    pub fn settings(&self) -> Option<&EventSettings> {
        self.settings.as_ref()
    }

    /// Queues an event.
    pub(super) fn tell(&self, app: &Parts, kind: &'static str, facts: &Facts<'_>) {
        let Some(settings) = &self.settings else {
            return;
        };
        let at = app.now();
        let time = jiff::Timestamp::from_second(at.0).map(|at| at.to_string());
        let time = time.unwrap_or_default();
        let id = app.ids.next_text();
        // CloudEvents 1.0, section "REQUIRED Attributes": id, source, specversion, type.
        let body = json!({
            "specversion": "1.0",
            "id": id,
            "source": app.issuer(),
            "type": kind,
            "time": time,
            "datacontenttype": "application/json",
            "data": facts.data(&time, settings.pairwise_sub),
        });
        self.put(Event { id, kind, at, body });
    }

    fn put(&self, event: Event) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= MOST {
            dropped("queue_full", 1);
            return;
        }
        queue.push_back(event);
    }

    /// The events that have waited longest, to be written.
    #[must_use]
    pub fn take(&self, most: usize) -> Vec<Event> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let most = most.min(queue.len());
        queue.drain(..most).collect()
    }
}

/// Events that nobody gets, and why.
pub(super) fn dropped(reason: &'static str, events: usize) {
    let events = u64::try_from(events).unwrap_or(u64::MAX);
    metrics::counter!("vouchsafe_events_dropped_total", "reason" => reason).increment(events);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            id: "1".to_owned(),
            kind: STEP,
            at: UnixTime(0),
            body: Value::Null,
        }
    }

    #[test]
    fn a_full_queue_drops_and_waits_for_nobody() {
        let events = Events::default();
        for _ in 0..MOST + 3 {
            events.put(event());
        }
        assert_eq!(events.take(usize::MAX).len(), MOST);
        events.put(event());
        assert_eq!(events.take(5).len(), 1);
    }

    #[test]
    fn a_sub_is_told_only_where_that_is_configured() {
        let facts = Facts {
            sub: Some("somebody"),
            journey: "age",
            ..Facts::default()
        };
        assert!(facts.data("", false).get("pairwise_sub").is_none());
        assert_eq!(facts.data("", true)["pairwise_sub"], "somebody");
    }
}

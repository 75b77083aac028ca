//! Questions to systems of the operator, signed like webhooks (Standard Webhooks 1.0.0) and answered at
//! once. A system that fails again and again is left alone for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::webhooks::Secrets;

use crate::app::Parts;
use crate::config::Hook;

/// After so many failures one after another a system is left alone.
const MOST_FAILURES: u32 = 5;
/// It is left alone for so long, in seconds; then one question tries it.
const REST_S: i64 = 30;
/// Questions to one host at once.
const PLACES: usize = 4;
/// So long a question waits for its place.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookReply {
    /// A body with status 200.
    Body(Vec<u8>),
    /// Another status.
    Status(u16),
    /// Nothing, in time.
    Silent,
    /// Nobody was asked: too many questions to its host are under way.
    NoPlace,
    /// Something that cannot be read: too large, another media type, a redirect.
    Unusable,
}

/// Systems that are left alone.
#[derive(Debug, Default)]
pub struct Hooks {
    failing: Mutex<HashMap<String, Failing>>,
    places: Mutex<HashMap<String, Arc<Semaphore>>>,
}

#[derive(Debug, Default)]
struct Failing {
    failures: u32,
    rests_until: Option<UnixTime>,
}

impl Hooks {
    /// Waits for one of the places at a host, before the time of the question begins: our own queue is not
    /// the system's failure.
    async fn place(&self, url: &Url) -> Option<OwnedSemaphorePermit> {
        let host = host(url);
        let places = {
            let mut all = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            // As many as the configuration names.
            Arc::clone(
                all.entry(host)
                    .or_insert_with(|| Arc::new(Semaphore::new(PLACES))),
            )
        };
        let place = tokio::time::timeout(PATIENCE, places.acquire_owned()).await;
        place.ok()?.ok()
    }

    /// Whether a system may be asked now. After its rest one question may, and others when that one
    /// was answered.
    fn may_ask(&self, url: &str, now: UnixTime) -> bool {
        let mut all = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(failing) = all.get_mut(url) else {
            return true;
        };
        match failing.rests_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                failing.rests_until = Some(now.plus(REST_S));
                true
            }
        }
    }

    fn note(&self, url: &Url, reply: &HookReply, now: UnixTime) {
        let fails = match reply {
            HookReply::Silent => true,
            HookReply::Status(status) => *status == 429 || *status >= 500,
            HookReply::Body(_) | HookReply::Unusable | HookReply::NoPlace => false,
        };
        let mut all = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        if !fails {
            all.remove(url.as_str());
            return;
        }
        let failing = all.entry(url.as_str().to_owned()).or_default();
        failing.failures = failing.failures.saturating_add(1);
        if failing.failures >= MOST_FAILURES {
            failing.rests_until = Some(now.plus(REST_S));
            // What stands after the host may be a secret.
            tracing::warn!(
                host = host(url),
                "a system of journeys does not answer and is left alone"
            );
        }
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

/// Asks once.
pub async fn ask(
    app: &Parts,
    hook: &Hook,
    (event, data): (&'static str, &Value),
    timeout: Duration,
) -> HookReply {
    let url = &hook.webhook.url;
    let Some(_place) = app.hooks.place(url).await else {
        metrics::counter!("vouchsafe_journey_questions_total", "outcome" => "no_place")
            .increment(1);
        return HookReply::NoPlace;
    };
    let now = app.now();
    if !app.hooks.may_ask(url.as_str(), now) {
        metrics::counter!("vouchsafe_journey_questions_total", "outcome" => "resting").increment(1);
        return HookReply::Silent;
    }
    let timestamp = jiff::Timestamp::from_second(now.0).map(|at| at.to_string());
    // Standard Webhooks 1.0.0, "Payload structure": type, timestamp, data.
    let body = json!({ "type": event, "timestamp": timestamp.unwrap_or_default(), "data": data });
    let body = body.to_string();
    let headers = headers(hook, &app.ids.next_text(), now, &body);
    let reply = app.outbound.question(url, headers, body, timeout).await;
    let outcome = match &reply {
        HookReply::Body(_) => "answered",
        HookReply::Status(_) => "status",
        HookReply::Silent => "silent",
        HookReply::Unusable => "unusable",
        HookReply::NoPlace => "no_place",
    };
    metrics::counter!("vouchsafe_journey_questions_total", "outcome" => outcome).increment(1);
    app.hooks.note(url, &reply, app.now());
    reply
}

/// Standard Webhooks 1.0.0, "Webhook headers".
fn headers(hook: &Hook, id: &str, now: UnixTime, body: &str) -> HeaderMap {
    let secrets = Secrets::of(hook.webhook.secret.clone(), None);
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", now.0.to_string()),
        ("webhook-signature", secrets.header(id, now, body)),
    ] {
        // Ids, numbers and base64 are header values.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[tokio::test]
    async fn our_own_queue_is_not_the_failure_of_a_system() {
        let (hooks, url) = (Hooks::default(), url("https://x.example/a"));
        let mut places = Vec::new();
        for _ in 0..PLACES {
            places.push(hooks.place(&url).await.unwrap());
        }
        let same_host = Url::parse("https://x.example/b").unwrap();
        assert!(hooks.place(&same_host).await.is_none());
        for _ in 0..2 * MOST_FAILURES {
            hooks.note(&url, &HookReply::NoPlace, UnixTime(1));
        }
        assert!(hooks.may_ask(url.as_str(), UnixTime(1)));
        places.pop();
        assert!(hooks.place(&same_host).await.is_some());
    }

    #[test]
    fn who_fails_again_and_again_is_left_alone_and_then_tried_by_one() {
        let (hooks, url) = (Hooks::default(), url("https://x.example/"));
        let start = UnixTime(1000);
        for _ in 0..MOST_FAILURES {
            assert!(hooks.may_ask(url.as_str(), start));
            hooks.note(&url, &HookReply::Silent, start);
        }
        assert!(!hooks.may_ask(url.as_str(), start.plus(REST_S - 1)));
        assert!(hooks.may_ask("https://y.example/", start));
        let later = start.plus(REST_S);
        assert!(hooks.may_ask(url.as_str(), later));
        assert!(!hooks.may_ask(url.as_str(), later), "one goes first");
        hooks.note(&url, &HookReply::Status(503), later);
        assert!(!hooks.may_ask(url.as_str(), later.plus(REST_S - 1)));
        let again = later.plus(REST_S);
        assert!(hooks.may_ask(url.as_str(), again));
        hooks.note(&url, &HookReply::Body(Vec::new()), again);
        assert!(hooks.may_ask(url.as_str(), again) && hooks.may_ask(url.as_str(), again));
    }

    #[test]
    fn a_no_is_not_a_failure_of_the_system() {
        let (hooks, url) = (Hooks::default(), url("https://x.example/"));
        for _ in 0..2 * MOST_FAILURES {
            hooks.note(&url, &HookReply::Status(404), UnixTime(1));
            hooks.note(&url, &HookReply::Unusable, UnixTime(1));
        }
        assert!(hooks.may_ask(url.as_str(), UnixTime(1)));
    }
}

//! A question to an organisation's system, signed like a webhook and answered at once.
//!
//! What comes back is believed because of who sent it: the connection is TLS to the host that was
//! configured, through the guarded fetcher, which follows no redirect here.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Map, Value};
use tokio::time::Instant;
use vouchsafe_credentials::{
    json::parse_object,
    time::{Clock, UnixTime},
};

use super::Secrets;
use crate::fetch::{FetchError, Fetcher, Limits, Request};

/// Largest answer, in bytes. It may hold a picture.
const LARGEST: usize = 1024 * 1024;
/// How long to wait after the first try; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A system that answers.
#[derive(Debug, Clone)]
pub struct System {
    /// Where it is.
    pub url: String,
    /// What signs the questions.
    pub secrets: Secrets,
    /// How long one try may take.
    pub timeout: Duration,
    /// How long all tries together may take.
    pub patience: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It could not be reached, or did not answer in time.
    #[error("the system cannot be reached")]
    Fetch(#[from] FetchError),
    /// Another status than 200.
    #[error("the system answers with status {0}")]
    Status(u16),
    /// Not a JSON object.
    #[error("the system's answer is not a JSON object")]
    Malformed,
}

impl AskError {
    /// Whether it is worth another try.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Fetch(FetchError::Unreachable | FetchError::Timeout) => true,
            Self::Status(status) => *status == 429 || *status >= 500,
            Self::Fetch(_) | Self::Malformed => false,
        }
    }
}

/// Asks, again after a while where that may help, and no longer than the system's patience. The
/// message keeps its `id`, so that the system can tell a repetition.
///
/// # Errors
/// [`AskError`] of the last try.
pub async fn ask(
    fetcher: &Fetcher,
    clock: &dyn Clock,
    system: &System,
    id: &str,
    question: &Value,
) -> Result<Map<String, Value>, AskError> {
    let ends = Instant::now() + system.patience;
    let body = question.to_string();
    let mut wait = FIRST_WAIT;
    loop {
        let left = ends.saturating_duration_since(Instant::now());
        let request = Request {
            method: Method::POST,
            url: &system.url,
            headers: signed_headers(&system.secrets, id, clock.now(), &body),
            body: Some((body.clone().into_bytes(), "application/json")),
            limits: Limits {
                body: LARGEST,
                total: system.timeout.min(left),
                redirects: 0,
            },
        };
        let error = match once(fetcher, request).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let left = ends.saturating_duration_since(Instant::now());
        if !error.is_temporary() || wait >= left {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
}

async fn once(fetcher: &Fetcher, request: Request<'_>) -> Result<Map<String, Value>, AskError> {
    let answer = fetcher.send(request).await?;
    if answer.status != 200 {
        return Err(AskError::Status(answer.status));
    }
    match answer.is("application/json") {
        true => parse_object(&answer.body).map_err(|_| AskError::Malformed),
        false => Err(AskError::Malformed),
    }
}

/// The headers of a message (Standard Webhooks 1.0.0, "Webhook headers").
pub(super) fn signed_headers(secrets: &Secrets, id: &str, now: UnixTime, body: &str) -> HeaderMap {
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
    use std::sync::{Arc, Mutex};

    use axum::{
        Router, extract::State, http::HeaderMap as Headers, response::IntoResponse, routing::post,
    };
    use serde_json::json;
    use vouchsafe_credentials::testing::FixedClock;

    use super::*;
    use crate::config::{DevConfig, FetchConfig};
    use crate::webhooks::WebhookSecret;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    type Got = Arc<Mutex<(Vec<(u16, &'static str)>, Vec<(Headers, String)>)>>;

    async fn answer(State(got): State<Got>, headers: Headers, body: String) -> impl IntoResponse {
        let mut got = got.lock().unwrap();
        got.1.push((headers, body));
        let (status, text) = got.0.remove(0);
        let status = axum::http::StatusCode::from_u16(status).unwrap();
        (status, [("content-type", "application/json")], text)
    }

    /// Asks a system that gives these answers: what came of it, and what it was sent.
    async fn asked(
        answers: &[(u16, &'static str)],
        patience: Duration,
    ) -> (Result<Map<String, Value>, AskError>, Vec<(Headers, String)>) {
        let got: Got = Arc::new(Mutex::new((answers.to_vec(), Vec::new())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/claims", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/claims", post(answer))
            .with_state(got.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let dev = DevConfig {
            loopback_http: true,
        };
        let fetcher = Fetcher::new(&FetchConfig::default(), &dev).unwrap();
        let secret = WebhookSecret::parse(SECRET).unwrap();
        let system = System {
            url,
            secrets: Secrets::of(secret, None),
            timeout: Duration::from_secs(5),
            patience,
        };
        let clock = FixedClock::new(UnixTime(1_614_265_330));
        let question = json!({"test": 2_432_232_314_u32});
        let result = ask(&fetcher, &clock, &system, "msg_1", &question).await;
        let sent = std::mem::take(&mut got.lock().unwrap().1);
        (result, sent)
    }

    #[tokio::test]
    async fn a_question_is_signed_and_asked_again() {
        let answers = [(503, ""), (500, "{}"), (200, "{\"claims\":{}}")];
        let (result, sent) = asked(&answers, Duration::from_secs(10)).await;
        assert_eq!(Value::Object(result.unwrap()), json!({"claims": {}}));
        assert_eq!(sent.len(), 3);
        let secrets = Secrets::of(WebhookSecret::parse(SECRET).unwrap(), None);
        for (headers, body) in &sent {
            assert_eq!(headers["webhook-id"], "msg_1");
            let signature = secrets.header("msg_1", UnixTime(1_614_265_330), body);
            assert_eq!(headers["webhook-signature"], signature.as_str());
        }
    }

    #[tokio::test]
    async fn patience_ends() {
        let (result, sent) = asked(&[(503, ""); 9], Duration::from_millis(600)).await;
        assert!(matches!(result, Err(AskError::Status(503))));
        assert_eq!(sent.len(), 2);
    }

    #[tokio::test]
    async fn what_will_not_get_better_is_not_asked_again() {
        for (status, text) in [
            (404, "{}"),
            (302, "{}"),
            (200, "[]"),
            (200, "{\"a\":1,\"a\":2}"),
            (200, ""),
        ] {
            let (result, sent) = asked(&[(status, text)], Duration::from_secs(10)).await;
            assert!(result.is_err(), "{status} {text}");
            assert_eq!(sent.len(), 1);
        }
    }
}

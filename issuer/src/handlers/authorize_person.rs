//! `POST /authorize/person`: the organisation's system judges what the person typed. The page said
//! which card goes to which wallet, so its button is the person's yes.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use vouchsafe_protocol::oauth::response::Outcome;
use vouchsafe_protocol::oauth::values::Secret as WireSecret;
use vouchsafe_protocol::oauth::{ErrorCode, Params};
use vouchsafe_service::http::ClientAddress;
use vouchsafe_service::webhooks::{self, AskError};

use super::authorize::redirect;
use super::authorize_confirm::{ConfirmError, accepted_locale, order, posted, registered, target};
use super::person_page::{self, FIELD};
use crate::authentication::{Method, Person, Questions};
use crate::claims::{Claims, Origin};
use crate::claims_source::{question, reason_code};
use crate::core::Core;
use crate::domain::secret::MAX_TRIES;
use crate::prepare;
use crate::redeem::{self, Confirmation};
use crate::tries::Tries;

/// Longest answer of a person, in bytes.
const LONGEST: usize = 200;
/// A refusal leaves at a multiple of this, so that its time does not tell an unknown person from a
/// wrong secret.
const PACE: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    record_id: Option<String>,
    claims: Option<Map<String, Value>>,
    denied: Option<String>,
}

/// Why nobody is known.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    /// The system says no.
    #[error("the system refuses with `{0}`")]
    Denied(String),
    /// The system does not answer.
    #[error("the system gives no answer")]
    Ask(#[from] AskError),
    /// It answers something else.
    #[error("the answer of the system cannot be read")]
    Answer,
}

/// Asks the organisation's system and sends the browser back to the wallet.
pub async fn handler(
    State(core): State<Core>,
    address: ClientAddress,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match judge(&core, address, &headers, &body).await {
        Ok(response) => response,
        Err(error) => error.respond(&core, accepted_locale(&headers)),
    }
}

async fn judge(
    core: &Core,
    address: ClientAddress,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, ConfirmError> {
    let (params, browser, flow) = posted(core, headers, body)?;
    let client = registered(core, &flow)?;
    let target = target(&flow, client)?;
    let kind = flow.types.first().cloned().unwrap_or_default();
    // A page of another kind, or of another configuration.
    let Method::Webhook(questions) = core.settings.authentication(&kind) else {
        return Err(ConfirmError::Flow);
    };
    if flow.issuer_state.is_some() {
        return Err(ConfirmError::Flow);
    }
    let refused = |code: ErrorCode| redirect(core, &target, &Outcome::Error(code.into()));
    if params.get("step") == Some("cancel") {
        return Ok(refused(ErrorCode::AccessDenied));
    }
    let again = |left| person_page::render(core, questions, &flow, client, (&browser, left));
    let Some(typed) = typed(questions, &params) else {
        // What is not filled in is not judged and does not count.
        return match Tries::of_browser(core, &browser).left(core).await? {
            ..=0 => Err(ConfirmError::Locked),
            MAX_TRIES => Ok(again(None)?),
            left => Ok(again(Some(left))?),
        };
    };
    // Every try of a network counts, and those of a browser and about a person, before the answer
    // is judged: of many at once, no more than five are.
    if core.typed_codes.check(address).is_err() {
        return Err(ConfirmError::Locked);
    }
    let tries = Tries::of(core, &kind, questions, &typed, &browser);
    let left = tries.count(core).await?.ok_or(ConfirmError::Locked)?;
    let began = Instant::now();
    let person = match ask(core, questions, &kind, typed).await {
        Ok(person) => person,
        Err(Unknown::Denied(reason)) => {
            tracing::info!(reason, "the organisation does not know the person");
            let steps = began.elapsed().as_millis() / PACE.as_millis() + 1;
            let steps = u32::try_from(steps).unwrap_or(u32::MAX);
            tokio::time::sleep_until(began + PACE * steps).await;
            return match left {
                ..=0 => Err(ConfirmError::Locked),
                left => Ok(again(Some(left))?),
            };
        }
        Err(error) => {
            // A system that is down judged nothing. What it answers otherwise may depend on what
            // was typed, so it counts.
            if matches!(&error, Unknown::Ask(error) if error.is_temporary()) {
                tries.give_back(core).await?;
            }
            tracing::error!(error = &error as &dyn std::error::Error, "nobody is known");
            return Ok(refused(ErrorCode::TemporarilyUnavailable));
        }
    };
    tries.forget(core).await?;
    let prepared = prepare::prepare_signed_in(core, &person.record_id, &kind, &person.claims);
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "what the organisation says does not fit the credential type"
            );
            return Ok(refused(ErrorCode::ServerError));
        }
    };
    let confirmation = Confirmation {
        prepared,
        claims: person.claims,
        page: None,
    };
    let code = redeem::authorize_signed_in(core, confirmation, order(&flow)).await?;
    let code = Outcome::Code(WireSecret::new(code.expose()));
    Ok(redirect(core, &target, &code))
}

/// What was typed, if every field was.
fn typed(questions: &Questions, params: &Params) -> Option<Map<String, Value>> {
    let one = |name: &str| {
        let value = params.get(&format!("{FIELD}{name}"))?;
        let fine = value.len() <= LONGEST && !value.chars().any(char::is_control);
        fine.then(|| (name.to_owned(), json!(value)))
    };
    questions
        .fields
        .iter()
        .map(|field| one(&field.name))
        .collect()
}

async fn ask(
    core: &Core,
    questions: &Questions,
    kind: &str,
    typed: Map<String, Value>,
) -> Result<Person, Unknown> {
    let question = question(
        core,
        "person.authenticate",
        json!({ "credential_type": kind, "fields": typed }),
    );
    let id = core.ids.next_text();
    let answer = webhooks::ask(
        &core.outbound,
        &*core.clock,
        &questions.system,
        &id,
        &question,
    );
    let answer: Answer =
        serde_json::from_value(Value::Object(answer.await?)).map_err(|_| Unknown::Answer)?;
    let claims = match answer {
        Answer {
            record_id: None,
            claims: None,
            denied: Some(reason),
        } => {
            return Err(Unknown::Denied(
                reason_code(&reason).ok_or(Unknown::Answer)?,
            ));
        }
        Answer {
            record_id: Some(record_id),
            claims,
            denied: None,
        } => (record_id, claims),
        Answer { .. } => return Err(Unknown::Answer),
    };
    let sourced = core.settings.claims_source(kind).is_some();
    match claims {
        (record_id, Some(claims)) => Ok(Person {
            record_id,
            claims: Origin::Here(Claims(claims)),
        }),
        (record_id, None) if sourced => Ok(Person {
            record_id,
            claims: Origin::Source(None),
        }),
        (_, None) => Err(Unknown::Answer),
    }
}

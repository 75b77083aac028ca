//! The organisation's system that says what a card will say. It is asked each time a credential is
//! issued, so a card that is issued again says what is true then, and nothing is kept here.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use vouchsafe_credentials::credential_type::{ClaimProblems, CredentialType, Prepared};
use vouchsafe_service::db::DbError;
use vouchsafe_service::seal::SealError;
use vouchsafe_service::webhooks::{self, AskError, System};

use crate::claims::{Claims, Origin, Subject};
use crate::core::Core;
use crate::domain::ids::RecordId;
use crate::prepare::{self, record_place};
use crate::store::records;
use crate::store::tokens::TokenGrant;

/// Longest reason of a refusal, in bytes.
const LONGEST_REASON: usize = 64;

/// A claims source.
#[derive(Debug, Clone)]
pub struct ClaimsSource {
    /// The types that it speaks of; none: every type without a source of its own.
    pub credential_types: Vec<String>,
    /// Where it is.
    pub system: System,
}

/// Why there are no claims.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The type has no source any more.
    #[error("the credential type has no claims source")]
    NotConfigured,
    /// The record is gone, or its name does not open: a fault of ours.
    #[error("the name of the record cannot be read")]
    Record(#[source] Option<SealError>),
    /// No answer.
    #[error("the claims source gives no answer")]
    Ask(#[from] AskError),
    /// An answer that is none.
    #[error("the answer of the claims source cannot be read")]
    Answer,
    /// Claims of the source that do not fit the type: a mistake there, which may be mended.
    #[error("the claims of the claims source do not fit the type")]
    Unfit(#[source] ClaimProblems),
    /// Claims that were fit once and are not any more: a fault of ours.
    #[error("the claims do not fit the type any more")]
    Claims(#[source] ClaimProblems),
    /// The organisation does not issue this card to this person.
    #[error("the claims source refuses with `{0}`")]
    Denied(String),
    /// The database failed.
    #[error("the database failed")]
    Db(#[from] DbError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    claims: Option<Map<String, Value>>,
    denied: Option<String>,
}

/// The claims of a credential that is about to be issued, fit for its type: all of them, or none.
pub async fn claims(
    core: &Core,
    grant: &TokenGrant,
    kind: &CredentialType,
    origin: &Origin,
) -> Result<Prepared, SourceError> {
    let subject = match origin {
        Origin::Here(claims) => {
            let prepared = kind.prepare(claims.0.clone());
            return prepared.map_err(SourceError::Claims);
        }
        Origin::Source(subject) => subject.as_ref(),
    };
    let result = ask(core, grant, kind, subject).await;
    let outcome = match &result {
        Ok(_) => "answered",
        Err(SourceError::Denied(_)) => "denied",
        Err(_) => "failed",
    };
    metrics::counter!("vouchsafe_claims_source_total", "type" => kind.id.clone(), "outcome" => outcome)
        .increment(1);
    result
}

async fn ask(
    core: &Core,
    grant: &TokenGrant,
    kind: &CredentialType,
    subject: Option<&Subject>,
) -> Result<Prepared, SourceError> {
    let source = core.settings.claims_source(&kind.id);
    let source = source.ok_or(SourceError::NotConfigured)?;
    let record_id = record_name(core, &grant.record).await?;
    let question = question(
        core,
        "credential.claims",
        json!({
            "record_id": record_id,
            "credential_type": kind.id,
            "subject": subject,
        }),
    );
    let id = core.ids.next_text();
    let answer = webhooks::ask(&core.outbound, &*core.clock, &source.system, &id, &question);
    match parse(answer.await?)? {
        Ok(claims) => prepare::fit(core, kind, &Claims(claims)).map_err(SourceError::Unfit),
        Err(reason) => Err(SourceError::Denied(reason)),
    }
}

/// A message as our webhooks have it.
pub fn question(core: &Core, name: &str, data: Value) -> Value {
    let now = core.clock.now();
    let at = jiff::Timestamp::from_second(now.0).map(|at| at.to_string());
    json!({ "type": name, "timestamp": at.unwrap_or_default(), "data": data })
}

fn parse(answer: Map<String, Value>) -> Result<Result<Map<String, Value>, String>, SourceError> {
    let answer: Answer =
        serde_json::from_value(Value::Object(answer)).map_err(|_| SourceError::Answer)?;
    match answer {
        Answer {
            claims: Some(claims),
            denied: None,
        } => Ok(Ok(claims)),
        Answer {
            claims: None,
            denied: Some(reason),
        } => Ok(Err(reason_code(&reason).ok_or(SourceError::Answer)?)),
        Answer { .. } => Err(SourceError::Answer),
    }
}

/// A reason as a code in snake case: it goes to the log.
pub fn reason_code(text: &str) -> Option<String> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let good = !text.is_empty() && text.len() <= LONGEST_REASON && text.bytes().all(fine);
    good.then(|| text.to_owned())
}

/// The organisation's own identifier of a record.
async fn record_name(core: &Core, record: &RecordId) -> Result<String, SourceError> {
    let found = records::sealed_name(&core.db, record).await?;
    let (hash, sealed) = found.ok_or(SourceError::Record(None))?;
    let plain = core.keys.columns.open(&record_place(&hash), &sealed);
    let plain = plain.map_err(|error| SourceError::Record(Some(error)))?;
    String::from_utf8(plain.to_vec()).map_err(|_| SourceError::Record(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_claims_or_no() {
        let read = |value: Value| parse(value.as_object().unwrap().clone());
        assert_eq!(read(json!({"claims": {"a": 1}})).unwrap().unwrap()["a"], 1);
        let denied = read(json!({"denied": "membership_ended"})).unwrap();
        assert_eq!(denied.unwrap_err(), "membership_ended");
        for bad in [
            json!({}),
            json!({"claims": null}),
            json!({"claims": []}),
            json!({"claims": {}, "denied": "x"}),
            json!({"denied": ""}),
            json!({"denied": "A B\n"}),
            json!({"denied": "x".repeat(65)}),
            json!({"claims": {}, "more": 1}),
        ] {
            assert!(matches!(read(bad), Err(SourceError::Answer)));
        }
    }
}

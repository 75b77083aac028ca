//! `Idempotency-Key`: a request sent twice has one effect and gets one answer.

use axum::http::{HeaderMap, HeaderName};
use vouchsafe_service::db::{Table, Tx};
use vouchsafe_service::idempotency::{self, Claim, Request};

use super::error::ApiError;
use crate::app::App;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_KEY: usize = 128;
/// Seconds that an answer is kept.
const KEEP_S: i64 = 86_400;

/// Reads the header, if there is one.
pub fn key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| ApiError::IdempotencyKey)?;
            let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
            if text.is_empty() || text.len() > MAX_KEY || !visible {
                return Err(ApiError::IdempotencyKey);
            }
            Ok(Some(text.to_owned()))
        }
        (Some(_), Some(_)) => Err(ApiError::IdempotencyKey),
    }
}

/// Runs `work` in one transaction with the claim of the key, among those of `owner`, and the record of the answer. An answer
/// is the JSON text of a 201; it is kept sealed, for the link in it leads to a question.
pub async fn run<F>(
    (app, owner): (&App, String),
    key: Option<String>,
    parts: &[&[u8]],
    work: F,
) -> Result<String, ApiError>
where
    F: AsyncFn(&mut Tx) -> Result<String, ApiError> + Send + 'static,
{
    let Some(key) = key else {
        return app.db.write(work).await;
    };
    let db = app.db.clone();
    let app = App::clone(app);
    let content = app.fingerprints.of(parts);
    db.write(async move |tx| {
        let request = Request {
            owner: &owner,
            key: &key,
            content: &content,
            expires_at: app.now().plus(KEEP_S),
            now: app.now(),
        };
        let place = ["idempotency", owner.as_str(), key.as_str()];
        match idempotency::claim(tx, &request).await? {
            Claim::Fresh => {}
            Claim::OtherRequest => return Err(ApiError::IdempotencyReuse),
            Claim::Repeat { response, .. } => {
                let table = Table("idempotency");
                return Ok(app.vault.open(table, "response", &place, &response)?);
            }
        }
        let answer = work(tx).await?;
        let sealed = app.vault.seal(&place, &answer)?;
        idempotency::record(tx, &request, 201, &sealed).await?;
        Ok(answer)
    })
    .await
}

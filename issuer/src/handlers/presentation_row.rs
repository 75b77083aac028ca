//! Questions and what they proved, as rows that work once, each sealed under the secret that finds
//! it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::DbError;
use vouchsafe_service::seal::{Place, Sealer};
use vouchsafe_service::single_use::{self, Kind, NewObject};
use zeroize::Zeroizing;

use super::code_page::Flow;
use super::consent_page::Consent;
use crate::core::Core;
use crate::domain::secret::Secret;
use crate::presentation::Question;

/// How a question ended.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// The person is known.
    Known(Box<Consent>),
    /// The wallet shows nothing.
    Declined(Box<Flow>),
}

/// What a row is.
#[derive(Clone, Copy)]
enum Row {
    Question,
    Ended,
}

impl Row {
    const fn kind(self) -> Kind {
        match self {
            Self::Question => Kind::BrowserReturn,
            Self::Ended => Kind::ResponseCode,
        }
    }

    fn sealer(self, secret: &Secret) -> (Sealer, Place) {
        let name = match self {
            Self::Question => "issuer question",
            Self::Ended => "issuer answer",
        };
        let sealer = Sealer::under_token(name, secret.expose());
        (sealer, Place::new(&[name]))
    }

    fn seal<T: Serialize>(self, core: &Core, secret: &Secret, what: &T, until: i64) -> NewObject {
        let plain = serde_json::to_vec(what).map(Zeroizing::new);
        let plain = plain.expect("a struct of strings and JSON serialises");
        let (sealer, place) = self.sealer(secret);
        NewObject {
            payload: sealer.seal(&place, &plain, &*core.rng),
            family: String::new(),
            expires_at: UnixTime(until),
        }
    }

    async fn peek<T: DeserializeOwned>(
        self,
        core: &Core,
        secret: &Secret,
    ) -> Result<Option<T>, DbError> {
        let now = core.clock.now();
        let sealed = single_use::peek(&core.db, self.kind(), secret.expose(), now).await?;
        let (sealer, place) = self.sealer(secret);
        let plain = sealed.and_then(|sealed| sealer.open(&place, &sealed).ok());
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }
}

/// Keeps a question; gives the secret in its addresses.
pub async fn keep(core: &Core, question: &Question) -> Result<Secret, DbError> {
    let id = Secret::generate(&*core.rng);
    let row = Row::Question.seal(core, &id, question, question.flow.expires_at);
    let key = id.clone();
    core.db
        .write(async move |tx| single_use::put(tx, Row::Question.kind(), key.expose(), &row).await)
        .await?;
    Ok(id)
}

/// The question of an address, while nobody has answered it.
pub async fn question(core: &Core, id: &Secret) -> Result<Option<Question>, DbError> {
    Row::Question.peek(core, id).await
}

/// Ends a question, once; gives the `response_code`. `None`: somebody was faster.
pub async fn end(core: &Core, id: &Secret, ended: &Ended) -> Result<Option<Secret>, DbError> {
    let flow = match ended {
        Ended::Known(consent) => &consent.flow,
        Ended::Declined(flow) => flow,
    };
    let code = Secret::generate(&*core.rng);
    let row = Row::Ended.seal(core, &code, ended, flow.expires_at);
    let (id, key, now) = (id.clone(), code.clone(), core.clock.now());
    let first = core
        .db
        .write(async move |tx| {
            let used = single_use::consume(tx, Row::Question.kind(), id.expose(), now).await?;
            let first = used.taken().is_some();
            if first {
                single_use::put(tx, Row::Ended.kind(), key.expose(), &row).await?;
            }
            Ok::<_, DbError>(first)
        })
        .await?;
    Ok(first.then_some(code))
}

/// What stands behind a `response_code`. Uses nothing up.
pub async fn ended(core: &Core, code: &Secret) -> Result<Option<Ended>, DbError> {
    Row::Ended.peek(core, code).await
}

/// Uses a `response_code` up. False: it was used before.
pub async fn use_up(core: &Core, code: &Secret) -> Result<bool, DbError> {
    let (kind, now) = (Row::Ended.kind(), core.clock.now());
    let used = single_use::consume_now(&core.db, kind, code.expose(), now).await?;
    Ok(used.taken().is_some())
}

//! How often a person may answer wrongly, or type a code that is none. It is counted in the database,
//! before the answer is judged: for whom the answers are about, whoever types them, and for the
//! browser. What a form carries could be posted again.

use serde_json::{Map, Value};
use vouchsafe_credentials::crypto::hmac_sha256;
use vouchsafe_service::db::DbError;

use crate::authentication::Questions;
use crate::core::Core;
use crate::domain::secret::{MAX_TRIES, Purpose, Secret};
use crate::store::tries;

/// How long wrong answers are remembered, in seconds.
const WINDOW_S: i64 = 3_600;

/// What a try is counted under, in an order that is always the same: keyed hashes, since member
/// numbers are easy to guess.
#[derive(Clone)]
pub struct Tries(Vec<Vec<u8>>);

impl Tries {
    /// The counters of an answer to questions for a credential type.
    pub fn of(
        core: &Core,
        kind: &str,
        questions: &Questions,
        typed: &Map<String, Value>,
        browser: &Secret,
    ) -> Self {
        let mut person = Vec::new();
        part(&mut person, b"person");
        part(&mut person, kind.as_bytes());
        for field in questions.fields.iter().filter(|field| !field.secret) {
            let value = typed.get(&field.name).and_then(Value::as_str);
            part(&mut person, field.name.as_bytes());
            part(&mut person, folded(value.unwrap_or_default()).as_bytes());
        }
        let Self(browser) = Self::of_browser(core, browser);
        Self([vec![key(core, &person)], browser].concat())
    }

    /// The counter of the answers from a browser, whoever they are about.
    pub fn of_browser(core: &Core, browser: &Secret) -> Self {
        Self(vec![of(core, b"browser", browser)])
    }

    /// The counter of the long codes that a browser tries.
    pub fn of_codes(core: &Core, browser: &Secret) -> Self {
        Self(vec![of(core, b"codes", browser)])
    }

    /// How many tries are left now.
    pub async fn left(&self, core: &Core) -> Result<i64, DbError> {
        let (mut used, now) = (0, core.clock.now());
        for key in &self.0 {
            used = used.max(tries::used(&core.db, key, now).await?);
        }
        Ok(MAX_TRIES - used)
    }

    /// Counts a try and gives how many are left after it. `None`: there are none, and the answer
    /// must not be judged.
    pub async fn count(&self, core: &Core) -> Result<Option<i64>, DbError> {
        let now = core.clock.now();
        let (Self(keys), when) = (self.clone(), (now, now.plus(WINDOW_S)));
        core.db
            .write(async move |tx| {
                let mut most = 0;
                // Always in this order: two at once never wait for each other.
                for (at, key) in keys.iter().enumerate() {
                    let Some(used) = tries::count(tx, key, MAX_TRIES, when).await? else {
                        for counted in &keys[..at] {
                            tries::give_back(tx, counted).await?;
                        }
                        return Ok(None);
                    };
                    most = most.max(used);
                }
                Ok::<_, DbError>(Some(MAX_TRIES - most))
            })
            .await
    }

    /// Takes the try back: nobody judged it.
    pub async fn give_back(&self, core: &Core) -> Result<(), DbError> {
        let Self(keys) = self.clone();
        core.db
            .write(async move |tx| {
                for key in &keys {
                    tries::give_back(tx, key).await?;
                }
                Ok(())
            })
            .await
    }

    /// Forgets all tries: the right answer came.
    pub async fn forget(&self, core: &Core) -> Result<(), DbError> {
        let Self(keys) = self.clone();
        core.db
            .write(async move |tx| {
                for key in &keys {
                    tries::forget(tx, key).await?;
                }
                Ok(())
            })
            .await
    }
}

/// A counter of a browser.
fn of(core: &Core, what: &[u8], browser: &Secret) -> Vec<u8> {
    let mut content = Vec::new();
    part(&mut content, what);
    part(&mut content, browser.hash(Purpose::Browser).as_bytes());
    key(core, &content)
}

fn key(core: &Core, content: &[u8]) -> Vec<u8> {
    let key = core.keys.records.child("tries");
    hmac_sha256(key.expose(), content).to_vec()
}

fn part(content: &mut Vec<u8>, part: &[u8]) {
    content.extend_from_slice(&(part.len() as u64).to_be_bytes());
    content.extend_from_slice(part);
}

/// What an organisation may well take for the same: without spaces, punctuation and marks, in small
/// letters.
fn folded(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_lowercase).collect()
}

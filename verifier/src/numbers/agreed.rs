//! What was counted of consents, for each application.

use std::collections::BTreeMap;

use vouchsafe_service::db::DbError;

use super::ask::Asked;
use super::of::client;
use super::what;
use crate::app::Parts;
use crate::store::consents;

/// Consents of an application.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Given in these days.
    pub granted: i64,
    /// Refused in these days.
    pub denied: i64,
    /// Withdrawn in these days.
    pub withdrawn: i64,
    /// Over in these days, because their time was.
    pub expired: i64,
    /// Those that hold now.
    pub holding: i64,
}

impl Agreed {
    /// Together with those of another application.
    pub fn add(&mut self, other: Self) {
        let Self {
            granted,
            denied,
            withdrawn,
            expired,
            holding,
        } = other;
        self.granted += granted;
        self.denied += denied;
        self.withdrawn += withdrawn;
        self.expired += expired;
        self.holding += holding;
    }
}

/// Reads them, by application; of nobody in particular.
pub async fn agreed(app: &Parts, asked: &Asked) -> Result<BTreeMap<String, Agreed>, DbError> {
    let mut found: BTreeMap<String, Agreed> = BTreeMap::new();
    for (key, n) in asked.rows(app).await? {
        if key.what != what::CONSENT {
            continue;
        }
        let one = found.entry(key.client).or_default();
        match key.outcome.as_str() {
            "granted" => one.granted += n,
            "denied" => one.denied += n,
            "withdrawn" => one.withdrawn += n,
            "expired" => one.expired += n,
            _ => {}
        }
    }
    for (id, n) in consents::holding(&app.db, app.now()).await? {
        found.entry(client(app, &id)).or_default().holding += n;
    }
    Ok(found)
}

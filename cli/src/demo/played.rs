//! What the login service counts of the story.

use std::time::Duration;

use serde_json::Value;

/// What the numbers say of the story: logins that succeeded, all that ended, registrations, step-ups.
#[derive(Debug, PartialEq)]
pub struct Played {
    succeeded: i64,
    ended: i64,
    registered: i64,
    stepped_up: i64,
}

/// One proof of age, two logins by card, one by session, one from abroad, one with the new card; one with
/// the revoked card was refused. The new card is that of another member: so many register.
pub const PLAYED: Played = Played {
    succeeded: 6,
    ended: 7,
    registered: 2,
    stepped_up: 1,
};
/// The longest that counts may wait until they are written.
pub const WRITTEN: Duration = Duration::from_secs(10);

impl Played {
    /// Reads them from the interface's answer; what is missing is -1.
    pub fn of(numbers: &Value) -> Self {
        let tiles = numbers["tiles"].as_array().cloned().unwrap_or_default();
        let count = |id: &str, part: &str| {
            let tile = tiles.iter().find(|tile| tile["id"] == id);
            tile.and_then(|tile| tile[part].as_i64()).unwrap_or(-1)
        };
        Self {
            succeeded: count("success_rate", "of"),
            ended: count("success_rate", "among"),
            registered: count("registrations", "of"),
            stepped_up: count("step_up_rate", "of"),
        }
    }
}

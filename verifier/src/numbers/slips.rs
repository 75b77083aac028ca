//! Who may say how a login was: whoever was logged in by it, once, within the hour. A slip goes with the link
//! to the question. It names the session under a key, so that the database keeps that one answered, and nobody
//! who reads it learns whose it was.

use serde::{Deserialize, Serialize};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::keys::SymmetricKey;

use crate::app::Parts;
use crate::domain::ids::SessionId;
use crate::fingerprint::Fingerprints;

/// So many seconds a slip is good.
const GOOD_S: i64 = 3600;
/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Where slips are sealed for.
const PLACE: [&str; 1] = ["satisfaction"];

/// Names sessions under a key.
pub struct Slips(Fingerprints);

impl Slips {
    /// Under a key.
    #[must_use]
    pub fn new(key: SymmetricKey) -> Self {
        Self(Fingerprints::new(key))
    }
}

/// A login that nobody has answered for, as far as the slip knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slip {
    /// The session, under the key.
    pub login: String,
    /// Good until then, in seconds since 1970.
    until: i64,
}

/// The slip of a session, as text for a link. `None` where people are not asked.
#[must_use]
pub fn of(app: &Parts, session: &SessionId) -> Option<String> {
    let numbers = app.settings.numbers.as_ref();
    numbers.filter(|numbers| numbers.satisfaction)?;
    let slip = Slip {
        login: b64url(&app.slips.0.of(&[session.as_str().as_bytes()])),
        until: app.now().plus(GOOD_S).0,
    };
    app.cookies.seal_text(&PLACE, &slip).ok()
}

/// Reads one that came back.
#[must_use]
pub fn read(app: &Parts, text: &str) -> Option<Slip> {
    let slip: Option<Slip> = app.cookies.open_text(&PLACE, text);
    slip.filter(|slip| app.now().0 < slip.until)
}

/// No slip of a session that is answered for now is good any more then. It is the end of a day: the row says
/// nothing closer about when somebody answered.
#[must_use]
pub fn kept_until(app: &Parts) -> UnixTime {
    let last = app.now().plus(app.settings.session_max_age_s + GOOD_S);
    UnixTime((last.0.div_euclid(DAY_S) + 1) * DAY_S)
}

//! What is known of the browser.

use crate::app::Parts;
use crate::domain::ids::SubjectId;
use crate::journey::DeviceFacts;
use crate::risk::Seen;
use crate::risk::check::HORIZON_S;
use crate::store::{StoreError, risk};

/// The browser, as far as logins of the account tell.
pub(super) async fn device(
    app: &Parts,
    subject: Option<&SubjectId>,
    seen: Option<&Seen>,
) -> Result<DeviceFacts, StoreError> {
    let (Some(_), Some(subject), Some(seen)) = (&app.settings.risk, subject, seen) else {
        return Ok(DeviceFacts::default());
    };
    let now = app.now();
    let past = risk::of_account(&app.db, subject, now.plus(-HORIZON_S)).await?;
    let here = past.iter().filter(|one| one.device == seen.device);
    let first = here.map(|one| one.at).min();
    Ok(DeviceFacts {
        known: Some(first.is_some()),
        cookie_age_s: first.map(|first| now.since(first)),
        ..DeviceFacts::default()
    })
}

/// Telephones and tablets say so in their `User-Agent` (RFC 9110, section 10.1.5).
pub(super) fn is_mobile(agent: &str) -> bool {
    ["Mobi", "Android", "iPhone", "iPad"]
        .iter()
        .any(|mark| agent.contains(mark))
}

//! `limits.per_account_per_day`: how often a journey is begun for one account, as far as a card or
//! another provider proves it.
//! What is only typed, whether or not there is such an account, counts for the network that it comes from:
//! nobody locks out somebody elsewhere. What any site can cause by a link counts nothing.

use std::net::IpAddr;

use super::RunError;
use crate::app::Parts;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::transaction::Login;
use crate::journeys::Loaded;
use crate::store::journey_calls::Visit;
use crate::store::journey_starts::{self, Start};

/// What names the account of a run and was not counted yet.
pub(super) fn uncounted(app: &Parts, login: &Login, loaded: &Loaded) -> Vec<String> {
    let Some(run) = login.run.as_deref() else {
        return Vec::new();
    };
    if loaded.journey.limits.per_account_per_day.is_none() {
        return Vec::new();
    }
    let said = login.request.asserted.as_deref().filter(|_| run.typed);
    let said = said.map(|mac| ("said", mac, from(login)));
    let proven = run.person().is_some() || run.upstream.is_some();
    let pinned = run.pinned.as_ref().filter(|_| proven);
    let pinned = pinned.map(|subject| ("proven", subject.as_str(), String::new()));
    let named = [said, pinned].into_iter().flatten();
    let hashes = named.map(|(how, who, from)| hash(app, &[how, who, &from]));
    hashes
        .filter(|one| !run.started_for.contains(one))
        .collect()
}

/// The network of the browser; where it is not known, the browser.
fn from(login: &Login) -> String {
    let address = login.place.address.as_deref();
    match address.and_then(|address| address.parse::<IpAddr>().ok()) {
        Some(IpAddr::V4(address)) => address.to_string(),
        // RFC 4291, section 2.5.4: hosts of one network share the first 64 bits.
        Some(IpAddr::V6(address)) => format!("{:x}", address.to_bits() >> 64),
        None => login.browser.as_str().to_owned(),
    }
}

fn hash(app: &Parts, what: &[&str]) -> String {
    let mut parts: Vec<&[u8]> = vec![b"journey_starts"];
    parts.extend(what.iter().map(|one| one.as_bytes()));
    let bytes = app.fingerprints.of(&parts);
    bytes.iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// Counts the start for these; the refusal where one of them was named too often today.
pub(super) async fn count(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    accounts: Vec<String>,
) -> Result<Option<Failure>, RunError> {
    let most = loaded.journey.limits.per_account_per_day;
    let (Some(most), Some(run)) = (most, login.run.as_deref_mut()) else {
        return Ok(None);
    };
    // One for each visit that may be typed, and one for the card.
    let named = loaded.journey.limits.max_visits.unwrap_or(1) as usize + 1;
    for account in accounts {
        if run.started_for.len() >= named {
            return Ok(Some(too_many()));
        }
        let start = Start {
            visit: Visit {
                login: login.id.clone(),
                // No step is called that. Of two windows that name two accounts at once one counts.
                step: format!("limits/{}", run.started_for.len()),
                visit: 0,
                asked: account.clone(),
            },
            journey: loaded.journey.id.clone(),
            account: account.clone(),
            most,
        };
        let now = app.now();
        let counted = app
            .db
            .write(async move |tx| journey_starts::count(tx, &start, now).await);
        if !counted.await? {
            return Ok(Some(too_many()));
        }
        run.started_for.push(account);
    }
    Ok(None)
}

fn too_many() -> Failure {
    Failure::new("too_many_today", Explanation::TooManyToday)
}

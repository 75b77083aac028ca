//! `limits.per_account_per_day`: how often a journey is begun for one account. What is counted is what
//! names the account, whether or not there is one, so that the answer does not tell.

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
    let said = login.request.asserted.as_deref().map(|mac| ("said", mac));
    let pinned = run
        .pinned
        .as_ref()
        .map(|subject| ("proven", subject.as_str()));
    let named = [said, pinned].into_iter().flatten();
    let hashes = named.map(|(how, who)| hash(app, how, who));
    hashes
        .filter(|one| !run.started_for.contains(one))
        .collect()
}

fn hash(app: &Parts, how: &str, who: &str) -> String {
    let parts: [&[u8]; 3] = [b"journey_starts", how.as_bytes(), who.as_bytes()];
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
    for account in accounts {
        let start = Start {
            visit: Visit {
                login: login.id.clone(),
                // No step is called that.
                step: format!("limits/{account}"),
                visit: 0,
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
            return Ok(Some(Failure::new(
                "too_many_today",
                Explanation::TooManyToday,
            )));
        }
        run.started_for.push(account);
    }
    Ok(None)
}

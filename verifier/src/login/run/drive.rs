//! A run, and the runs that follow its login.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Arrived, RunError, Visit, follow, go};
use crate::app::Parts;
use crate::domain::transaction::Login;
use crate::journeys::{self, Loaded};
use crate::store::StoreError;

/// Goes on until somebody must act, through the journeys that follow a login too. Without a visit
/// nothing happens that needs a browser.
pub async fn drive(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    visit: Option<&Visit>,
) -> Result<Arrived, RunError> {
    let mut following: Option<Arc<Loaded>> = None;
    if let Some(run) = login.run.as_deref_mut() {
        run.at(app.now());
    }
    loop {
        let current = following.as_deref().unwrap_or(loaded);
        let done = if follow::follows(login) {
            let arrived = match follow::is_over(app, login) {
                true => Err("timeout".to_owned()),
                false => follower(app, login, current, visit).await?,
            };
            match (arrived, visit) {
                (Ok(Arrived::Login(_)), Some(_)) => follow::end(login, "success")?,
                (Ok(arrived), _) => return Ok(arrived),
                (Err(code), Some(_)) => follow::end(login, &code)?,
                (Err(_), None) => return Ok(Arrived::Browser),
            }
        } else {
            match (go(app, login, current, visit).await?, visit) {
                (Arrived::Login(done), Some(_)) => done,
                (arrived, _) => return Ok(arrived),
            }
        };
        let next = unless_lasting(follow::next(app, login).await)?.flatten();
        let Some((next, visit)) = next.zip(visit) else {
            return Ok(Arrived::Login(done));
        };
        let claims = claims(app, login, current);
        let begun = follow::begin(app, login, &next, (done.clone(), claims), visit).await;
        if unless_lasting(begun)?.is_none() {
            return Ok(Arrived::Login(done));
        }
        following = Some(next);
    }
}

/// `None` where what follows cannot go on: the login is settled, and goes on without it. An error that
/// passes is one: whoever comes again finds all of it.
fn unless_lasting<T>(done: Result<T, RunError>) -> Result<Option<T>, RunError> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(RunError::Store(StoreError::Db(error))) if error.is_temporary() => Err(error.into()),
        Err(error) => {
            let error = crate::views::chain(&error);
            tracing::error!(%error, "a journey that follows a login does not go on");
            Ok(None)
        }
    }
}

/// What a run tells the application that is over with a login.
pub(super) fn claims(app: &Parts, login: &Login, loaded: &Loaded) -> Map<String, Value> {
    let run = login.run.as_deref();
    let account = run.and_then(|run| run.pinned.as_ref());
    let bindings = journeys::Bindings(&app.binding_key, account);
    let claims = run.and_then(|run| match &run.claims {
        Some(claims) => Some(claims.clone()),
        None => (run.instance).claims(&loaded.journey, &run.facts, &bindings),
    });
    claims.unwrap_or_default()
}

/// As [`go`], for a run that follows a login. Its refusal, and whatever fails in it and does not pass,
/// ends nothing but itself.
async fn follower(
    app: &Parts,
    login: &mut Login,
    loaded: &Loaded,
    visit: Option<&Visit>,
) -> Result<Result<Arrived, String>, RunError> {
    Ok(match unless_lasting(go(app, login, loaded, visit).await)? {
        Some(Arrived::Refused(failure)) => Err(failure.code().to_owned()),
        Some(arrived) => Ok(arrived),
        None => Err("error".to_owned()),
    })
}

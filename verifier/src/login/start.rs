//! The beginning of a login: one row for it and one for the question on the same device, in one
//! transaction.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::DbError;

use crate::app::Parts;
use crate::config::Query;
use crate::domain::ids::{DeviceGrantId, SecretDigest, TransactionId};
use crate::domain::place::Place;
use crate::domain::request::LoginRequest;
use crate::domain::transaction::{Channel, Login, Pending, Transaction};
use crate::numbers::tell;
use crate::store::device_grants::Asked;
use crate::store::{StoreError, device_grants, requests, transactions};

use super::ask::{self, AskError};
use super::{LOGIN_S, notice};

/// Logins that one browser may have begun at one application without finishing them, before it
/// has to wait (catalogue 317: nobody wears a person down with question after question).
pub(super) const BEGUN_AT_ONCE: i64 = 20;

/// What became of a beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The login.
    Started(TransactionId),
    /// This browser has begun too many; seconds until it may begin the next.
    TooMany(i64),
}

/// What became of another beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// As for the first.
    Start(Start),
    /// A device waited for it and does not any more.
    Unawaited,
}

/// Starts a login of the browser that holds this cookie.
pub async fn start(
    app: &Parts,
    request: LoginRequest,
    browser: SecretDigest,
    place: Place,
) -> Result<Start, StoreError> {
    let ends = app.now().plus(LOGIN_S);
    let prepared = prepare(app, request, browser, place, ends).await?;
    Ok(put(app, prepared).await?)
}

/// Begins a login again with nothing but the request of an earlier one.
pub async fn again(app: &Parts, failed: &Login) -> Result<Again, StoreError> {
    let longest = app.now().plus(LOGIN_S);
    let ends = match failed.request.device() {
        None => longest,
        Some(device) => match device_grants::claimed_until(&app.db, device, app.now()).await? {
            Some(until) => until.min(longest),
            None => return Ok(Again::Unawaited),
        },
    };
    // Who they are is asked again: it may have been mistyped.
    let request = LoginRequest {
        asserted: None,
        ..failed.request.clone()
    };
    let browser = failed.browser.clone();
    let place = Place {
        first: false,
        registers: tell::registers(app, failed),
        step_up: None,
        ..failed.place.clone()
    };
    let prepared = prepare(app, request, browser, place, ends).await?;
    Ok(Again::Start(put(app, prepared).await?))
}

async fn put(app: &Parts, prepared: Prepared) -> Result<Start, DbError> {
    let Prepared {
        login,
        row,
        question,
    } = prepared;
    let (id, now) = (login.id.clone(), app.now());
    let start = app
        .db
        .write(async move |tx| {
            let (begun, first_ends) = transactions::begun(tx, &row, now).await?;
            if begun >= BEGUN_AT_ONCE {
                let wait = first_ends.map_or(LOGIN_S, |end| end.since(now).max(1));
                return Ok::<_, DbError>(Start::TooMany(wait));
            }
            transactions::insert(tx, &row, now).await?;
            requests::insert(tx, &question).await?;
            Ok(Start::Started(id.clone()))
        })
        .await?;
    if let Start::Started(_) = start {
        begun(app, &login);
    }
    Ok(start)
}

/// A login without a journey began, and its question was put.
fn begun(app: &Parts, login: &Login) {
    tell::started(app, login);
}

/// Starts the login that a device waits for, in the browser where its code was typed. `None` where
/// somebody else has done so, or its time is over: a code is good once.
pub async fn start_for_device(
    app: &Parts,
    device: DeviceGrantId,
    asked: Asked,
    browser: SecretDigest,
    place: Place,
) -> Result<Option<TransactionId>, StoreError> {
    let now = app.now();
    // The login is over with the code of the device.
    let ends = now.plus(LOGIN_S).min(asked.expires_at);
    let prepared = prepare(app, asked.request, browser, place, ends).await?;
    let Prepared {
        login,
        row,
        question,
    } = prepared;
    let id = login.id.clone();
    let started = app
        .db
        .write(async move |tx| {
            if !device_grants::claim(tx, &device, now).await? {
                return Ok::<_, DbError>(false);
            }
            transactions::insert(tx, &row, now).await?;
            requests::insert(tx, &question).await?;
            Ok(true)
        })
        .await?;
    if started {
        begun(app, &login);
    }
    Ok(started.then_some(id))
}

struct Prepared {
    login: Login,
    row: transactions::Sealed,
    question: requests::SealedRequest,
}

async fn prepare(
    app: &Parts,
    request: LoginRequest,
    browser: SecretDigest,
    place: Place,
    expires_at: UnixTime,
) -> Result<Prepared, StoreError> {
    let now = app.now();
    let login = Login {
        id: TransactionId::random(app.rng.as_ref()),
        browser,
        request,
        place,
        started_at: now,
        expires_at,
        passkey: None,
        run: None,
        judged: Vec::new(),
        missed: Vec::new(),
    };
    let query = app.settings.query(&login.request.query);
    let format = query.map_or("unknown", Query::format);
    let asked = (login.request.query.as_str(), format);
    let notice = match notice::of_request(app, &login).await {
        Ok(notice) => notice,
        Err(AskError::Store(error)) => return Err(error),
        // Whoever asks for the page is told that the question is gone.
        Err(_) => None,
    };
    let question = ask::question(app, &login, Channel::SameDevice, asked, notice.as_ref());
    let question = requests::seal(&app.vault, question)?;
    let row = transactions::seal(
        &app.vault,
        &Transaction::Pending(Pending {
            login: login.clone(),
        }),
    )?;
    Ok(Prepared {
        login,
        row,
        question,
    })
}

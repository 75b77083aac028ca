//! `GET /vp/return?response_code=…`: where the wallet sends the person after the answer.
//!
//! On the same device this must be the browser that started the login: otherwise somebody else
//! would be logged in with this person's card (OpenID4VP 1.0, section 13.3). From a QR code it is
//! the browser of the other device, which shows the number.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use vouchsafe_pages::Locale;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_service::db::Table;
use vouchsafe_service::single_use::{self, Consumed, Kind};

use super::login_number::complete;
use super::owned;
use crate::app::App;
use crate::config::Client;
use crate::cookies::Cookie;
use crate::domain::ids::{Secret, TransactionId};
use crate::domain::place::Place;
use crate::domain::reason::{Explanation, Failure};
use crate::domain::transaction::{Answered, Channel, Failed, Finished, Login, Transaction};
use crate::login::finish::{self, FinishError};
use crate::reply::{see_other, with_cookie};
use crate::store::{StoreError, transactions};
use crate::views::{self, PageFailure};

/// What the wallet's browser shows; travels in a sealed cookie, so that showing it again costs
/// no row and no second use of the code.
#[derive(Debug, Serialize, Deserialize)]
pub struct Shown {
    /// The number.
    pub number: u8,
    /// The application.
    pub app: String,
    /// Its host.
    pub app_host: Option<String>,
    /// Where the login was started.
    pub place: Place,
    /// When, in seconds since 1970.
    pub started_at: i64,
    /// When the login ends, in seconds since 1970.
    pub expires_at: i64,
    /// Language of the login.
    pub locale: String,
}

/// Where the sealed cookie belongs.
pub const SHOWN_PLACE: [&str; 1] = ["number"];

/// Takes the person on.
pub async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let locale = views::browser_locale(&headers);
    let code = Params::parse(query.as_deref().unwrap_or_default()).ok();
    let Some(code) = code.and_then(|params| Secret::parse(params.get("response_code")?)) else {
        return PageFailure::unknown(locale).show(&app);
    };
    match redeem(&app, &code).await {
        Ok(Way::Open(transaction, of)) => go_on(&app, &headers, transaction, of).await,
        Ok(Way::Used(transaction)) => again(&app, &headers, transaction).await,
        // Expired, or never ours: no difference.
        Ok(Way::None) => PageFailure::unknown(locale).show(&app),
        Err(error) => owned::store_failure(&app, &headers, &error),
    }
}

/// Which answer a code came with: by which channel, and to which turn of a run.
struct Of {
    channel: Channel,
    turn: Option<i64>,
}

impl Of {
    /// Whether this is the answer that the code came with. The code of an earlier turn, which may have
    /// come by another channel, leads past no number (RFC 10027).
    fn is(&self, answered: &Answered) -> bool {
        let turn = answered.login.run.as_deref().map(|run| run.turn);
        self.turn == turn && self.channel == answered.answer.channel
    }
}

/// What a code leads to.
enum Way {
    /// Back into the login, this once.
    Open(Transaction, Of),
    /// It was gone before.
    Used(Transaction),
    /// Nowhere.
    None,
}

async fn redeem(app: &App, code: &Secret) -> Result<Way, StoreError> {
    let consumed =
        single_use::consume_now(&app.db, Kind::ResponseCode, code.reveal(), app.now()).await?;
    let payload = match consumed {
        Consumed::Taken { payload, family: _ } => payload,
        Consumed::Replayed { family } => {
            let id = TransactionId::from_text(family);
            let transaction = transactions::find(&app.db, &app.vault, &id).await?;
            return Ok(transaction.map_or(Way::None, Way::Used));
        }
        Consumed::Unknown => return Ok(Way::None),
    };
    let (id, channel, turn): (TransactionId, Channel, Option<i64>) = app.vault.open(
        Table("response_code"),
        "payload",
        &["response_code"],
        &payload,
    )?;
    let transaction = transactions::find(&app.db, &app.vault, &id).await?;
    let of = Of { channel, turn };
    Ok(transaction.map_or(Way::None, |transaction| Way::Open(transaction, of)))
}

/// The way back was used before. Where the answer to that use was lost on the way, the browser that
/// began the login would be stuck: it may begin again. For everybody else there is nothing here
/// (catalogue 313).
async fn again(app: &App, headers: &HeaderMap, transaction: Transaction) -> Response {
    let unknown = || PageFailure::unknown(views::browser_locale(headers)).show(app);
    let Some(cookie) = started_here(app, headers, transaction.login()) else {
        return unknown();
    };
    match transaction {
        Transaction::Answered(Answered { login, answer, .. })
            if answer.channel == Channel::SameDevice =>
        {
            owned::restart(app, headers, cookie, &login).await
        }
        // One pushed request brings one code, and this one did.
        Transaction::Finished(Finished { login }) if !login.request.was_pushed() => {
            owned::restart(app, headers, cookie, &login).await
        }
        Transaction::Pending(_)
        | Transaction::Answered(_)
        | Transaction::Finished(_)
        | Transaction::Failed(_) => unknown(),
    }
}

/// The browser's cookie, if it is the one that began the login.
fn started_here(app: &App, headers: &HeaderMap, login: &Login) -> Option<String> {
    Cookie::Browser
        .read(app, headers)
        .filter(|value| Secret::parse(value).is_some_and(|cookie| cookie.digest() == login.browser))
}

async fn go_on(app: &App, headers: &HeaderMap, transaction: Transaction, of: Of) -> Response {
    let login = transaction.login().clone();
    let own = started_here(app, headers, &login);
    let client = match app.asker(&login.request).await {
        Ok(client) => client,
        Err(error) => return owned::store_failure(app, headers, &error),
    };
    let client = client.as_deref();
    match (transaction, of.channel) {
        // The journey went on since, and waits for its browser: there it is.
        (Transaction::Answered(answered), _) if !of.is(&answered) => match own {
            Some(_) => see_other(&format!("/login/{}", login.id)),
            None => PageFailure::unknown(views::browser_locale(headers)).show(app),
        },
        (Transaction::Answered(answered), Channel::Qr) => {
            show_number(app, headers, &answered, client)
        }
        (Transaction::Answered(answered), Channel::SameDevice | Channel::DcApi)
            if own.is_some() =>
        {
            complete(app, headers, answered).await
        }
        (Transaction::Answered(answered), Channel::SameDevice | Channel::DcApi) => {
            match finish::fail::<()>(app, answered, Failure::other_browser()).await {
                Err(FinishError::Store(error)) => owned::store_failure(app, headers, &error),
                Ok(_) | Err(_) => views::failed(app, &login, client, Explanation::Browser, None),
            }
        }
        (Transaction::Failed(Failed { login, failure }), _) => {
            let own = match own {
                None => None,
                Some(cookie) => match owned::own(app, cookie, &login.request).await {
                    Ok(own) => Some(own),
                    Err(error) => return owned::store_failure(app, headers, &error),
                },
            };
            views::failed(app, &login, client, &failure, own.as_ref())
        }
        (Transaction::Finished(_), _) => {
            views::message(app, StatusCode::OK, views::login_locale(&login), "finished")
        }
        // The journey goes on another way than with this card.
        (Transaction::Pending(pending), _) if pending.login.run.is_some() && own.is_some() => {
            see_other(&format!("/login/{}", login.id))
        }
        (Transaction::Pending(_), _) => {
            PageFailure::unknown(views::browser_locale(headers)).show(app)
        }
    }
}

/// The code leaves the address bar before anything is shown (catalogue 314).
fn show_number(
    app: &App,
    headers: &HeaderMap,
    answered: &Answered,
    client: Option<&Client>,
) -> Response {
    let login = &answered.login;
    let (Some(number), Some(client)) = (answered.answer.number, client) else {
        return PageFailure::unknown(views::browser_locale(headers)).show(app);
    };
    let locale = views::browser_locale(headers);
    let shown = Shown {
        number,
        app: client.name_in(locale.tag()).to_owned(),
        app_host: client.host.clone(),
        place: login.place.clone(),
        started_at: login.started_at.seconds(),
        expires_at: login.expires_at.seconds(),
        locale: locale.tag().to_owned(),
    };
    match app.cookies.seal_text(&SHOWN_PLACE, &shown) {
        Ok(sealed) => with_cookie(see_other("/vp/number"), Cookie::Number.set(app, &sealed)),
        Err(error) => owned::store_failure(app, headers, &error),
    }
}

/// Language of the page with the number.
pub fn shown_locale(shown: &Shown) -> Locale {
    Locale::from_tag(&shown.locale).unwrap_or_default()
}

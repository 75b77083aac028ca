//! A wallet's answer: the one place that says "accept".
//!
//! It is posted by the wallet, or brought by the page of the login that got it from the browser.
//! Who knows the address of a question (it stands in the QR code) can post to it, so nothing that
//! is posted ends a login unless it shows the question's `state`, which only the reader of the
//! request object knows. What does is final: one answer is accepted, or the login fails.

mod error;

use std::time::Instant;

use url::Url;
use vouchsafe_protocol::vp::api::ApiAnswer;
use vouchsafe_protocol::vp::response::{DirectPostAnswer, ErrorCode, PostedResponse, WalletError};
use vouchsafe_protocol::vp::verify::{PresentationError, Received, Transaction as Asked};

use super::ask::{self, Asking};
use super::conclude::{ConcludeError, Given, conclude};
use super::evidence::answer;
use super::judge::{is_no, judge};
use super::presented::PRESENTED;
use super::run;
use super::verified::VERIFIED;
use super::{notice, resolve};
use crate::app::Parts;
use crate::config::Query;
use crate::domain::consent::NewConsent;
use crate::domain::ids::{RequestId, Secret, TransactionId};
use crate::domain::notice::{How, Record};
use crate::domain::reason::Failure;
use crate::domain::transaction::{Answer, Failed, Pending, Transaction};
use crate::explain::explain;
use crate::journey::Outcome;
use crate::numbers::tell;
use crate::store::requests::PresentationRequest;
use crate::store::{consents, requests, transactions};

pub use error::AcceptError;

/// Judges a body that was posted for the question `id`.
pub async fn accept(
    app: &Parts,
    id: &RequestId,
    body: &[u8],
) -> Result<DirectPostAnswer, AcceptError> {
    // A question of the Digital Credentials API has no address to post to.
    let case = find(app, id, |request| request.channel.has_addresses()).await?;
    decide(app, case, Came::Posted(PostedResponse::parse(body)?)).await
}

/// Judges what the page of the login `login` brought for the question `id`. The caller knows that
/// the page is shown in the browser that started the login.
pub async fn accept_from_page(
    app: &Parts,
    login: &TransactionId,
    id: &RequestId,
    body: &[u8],
) -> Result<DirectPostAnswer, AcceptError> {
    let own = |request: &PresentationRequest| {
        !request.channel.has_addresses() && request.transaction == *login
    };
    let case = find(app, id, own).await?;
    decide(app, case, Came::Returned(ApiAnswer::parse(body)?)).await
}

/// An answer, by the way that it came.
enum Came {
    Posted(PostedResponse),
    Returned(ApiAnswer),
}

/// A question that waits for its answer, and its login.
async fn find(
    app: &Parts,
    id: &RequestId,
    own: impl Fn(&PresentationRequest) -> bool,
) -> Result<(PresentationRequest, Pending), AcceptError> {
    let request = requests::find(&app.db, &app.vault, id)
        .await?
        .filter(|request| own(request) && app.now() < request.expires_at);
    let request = request.ok_or(AcceptError::Unknown)?;
    let transaction = transactions::find(&app.db, &app.vault, &request.transaction).await?;
    match transaction.ok_or(AcceptError::Unknown)? {
        // The login goes on without what was asked after it.
        Transaction::Pending(pending) if run::follower_is_over(app, &pending.login) => {
            Err(AcceptError::Unknown)
        }
        Transaction::Pending(pending) => Ok((request, pending)),
        // Catalogue 298: the first result stands.
        Transaction::Answered(_) | Transaction::Finished(_) | Transaction::Failed(_) => {
            Err(AcceptError::AlreadyAnswered)
        }
    }
}

async fn decide(
    app: &Parts,
    (request, pending): (PresentationRequest, Pending),
    came: Came,
) -> Result<DirectPostAnswer, AcceptError> {
    let asking = ask::query_of(app, &pending.login).await?;
    if !asking.allows(request.channel) {
        return Err(AcceptError::Unknown);
    }
    let query = asking.query.as_ref();
    let arrived = Instant::now();
    let opened = ask::open(app, &request)?;
    let response_uri = ask::response_uri(app, &request.id);
    let asked = Asked {
        way: ask::way(app, request.channel, &opened, &response_uri)?,
        nonce: &opened.nonce,
        query: &asking.question,
        transaction_data: &asking.transaction_data,
        expires_at: request.expires_at,
    };
    let at = &response_uri;
    let rules = (query.format(), query.one_holder);
    let outcome = match &came {
        Came::Posted(PostedResponse::Encrypted(response)) => {
            let received = Received::Posted { response, at };
            judge(app, received, &asked, rules).await
        }
        Came::Posted(PostedResponse::Error(error)) => Err(PresentationError::Wallet(error.clone())),
        Came::Returned(answer) => judge(app, Received::Returned(answer), &asked, rules).await,
    };
    match outcome {
        Ok(presentation) => {
            let answer = answer(app, &asking, &pending.login, &request, &presentation);
            match answer {
                Ok(answer) if !hides(query, &pending) => {
                    record(app, &asking, &request, pending, answer).await
                }
                Ok(answer) => {
                    let passes = match resolve::proves(app, Some(&answer.evidence)).await? {
                        Some(kept) => run::would_pass(app, &pending.login, &answer, kept).await?,
                        None => false,
                    };
                    if passes {
                        return record(app, &asking, &request, pending, answer).await;
                    }
                    let failure = Failure::unmatched();
                    refuse_alike(app, query, &request, pending, (failure, arrived)).await
                }
                Err(failure) => judged(app, query, &request, pending, (failure, arrived)).await,
            }
        }
        // Appendix A.4: a wallet that cannot answer says so through the browser, and the other ways are
        // still open to the person. A no is a no.
        Err(error @ PresentationError::Wallet(_))
            if matches!(came, Came::Returned(_)) && !is_no(&error) =>
        {
            count(query, &request, "rejected", error.code());
            Err(AcceptError::Foreign(error))
        }
        Err(PresentationError::Wallet(error)) if error.belongs_to(&asked) => {
            wallet_error(app, query, &request, pending, &error).await
        }
        Err(error) => match explain(&error) {
            Some(failure) => judged(app, query, &request, pending, (failure, arrived)).await,
            None => {
                count(query, &request, "rejected", error.code());
                Err(AcceptError::Foreign(error))
            }
        },
    }
}

/// Whether a refusal may say nothing, because the account was named before the card was shown.
fn hides(query: &Query, pending: &Pending) -> bool {
    let run = pending.login.run.as_deref();
    let known = pending.login.passkey.is_some() || run.is_some_and(|run| run.pinned.is_some());
    query.subject.is_asserted() && pending.login.request.linking().is_none() && !known
}

/// Refuses a card that does not hold. Where nothing may be told, the same is looked up as for one
/// that does.
async fn judged(
    app: &Parts,
    query: &Query,
    request: &PresentationRequest,
    pending: Pending,
    (failure, arrived): (Failure, Instant),
) -> Result<DirectPostAnswer, AcceptError> {
    if !hides(query, &pending) {
        return refuse(app, query, request, pending, failure).await;
    }
    resolve::proves(app, None).await?;
    refuse_alike(app, query, request, pending, (failure, arrived)).await
}

/// The one answer to every card that does not lead to the account which the person named. The reason
/// goes to the log alone.
async fn refuse_alike(
    app: &Parts,
    query: &Query,
    request: &PresentationRequest,
    pending: Pending,
    (why, arrived): (Failure, Instant),
) -> Result<DirectPostAnswer, AcceptError> {
    tracing::info!(login = %log_id(&request.transaction), why = why.code(), "not matched");
    resolve::pace(arrived).await;
    refuse(app, query, request, pending, Failure::unmatched()).await
}

async fn record(
    app: &Parts,
    asking: &Asking<'_>,
    request: &PresentationRequest,
    pending: Pending,
    mut answer: Answer,
) -> Result<DirectPostAnswer, AcceptError> {
    let query = asking.query.as_ref();
    let notice = notice::of_question(app, &pending.login, asking).await?;
    // What was shown is what is recorded.
    if !ask::is_told(request, notice.as_ref()) {
        app.changes.announce(&request.transaction);
        return Err(AcceptError::Changed);
    }
    let withdraw = Secret::random(app.rng.as_ref());
    // Whoever adds a card to their own account agrees to nothing with anybody.
    // Nor whoever tells their account something: the page asks for that.
    let consent = notice.map(|notice| {
        answer.consent_until = notice.ends(answer.answered_at);
        answer.external_id = notice.external_id;
        NewConsent {
            id: answer.consent.clone(),
            token: withdraw.digest(),
            transaction: pending.login.id.clone(),
            record: Record {
                claims: recorded(asking, &answer),
                how: How::Card(request.channel),
                given_at: answer.answered_at,
                expires_at: answer.consent_until,
                notice,
            },
        }
    });
    let consent = consent.map(|consent| consents::seal(&app.vault, consent));
    let consent = consent.transpose()?;
    let device = pending.login.request.device().cloned();
    let agreed = consent.is_some();
    let turn = pending.login.run.as_deref().map(|run| run.turn);
    let login = pending.login.clone();
    let answered = Transaction::Answered(pending.clone().answer(answer));
    let row = (transactions::seal(&app.vault, &answered)?, turn);
    let given = Given { consent, device };
    let redirect_uri = match conclude(app, request, row, Some(given), None).await {
        Ok(redirect_uri) => redirect_uri,
        Err(ConcludeError::Device) => {
            let failure = Failure::device_over();
            return refuse(app, query, request, pending, failure).await;
        }
        Err(ConcludeError::Accept(error)) => return Err(error),
    };
    count(query, request, "accepted", "none");
    tell::presentation(app, &login, "accepted", request.channel.name());
    if agreed {
        tell::consent(app, &login, "granted");
    }
    app.changes.announce(&request.transaction);
    Ok(DirectPostAnswer {
        redirect_uri: Some(redirect_uri),
        consent_uri: agreed.then(|| app.url(&format!("/consents/{}", withdraw.reveal()))),
    })
}

/// Names of what was told, and of what is kept here.
fn recorded(asking: &Asking<'_>, answer: &Answer) -> Vec<String> {
    let mut names = asking.names(&answer.claims);
    let (cards, verified) = (&answer.presented, &answer.verified);
    let none = verified.userinfo.is_empty() && verified.id_token.is_empty();
    let empty = [(PRESENTED, cards.is_empty()), (VERIFIED, none)];
    names.retain(|name| !empty.contains(&(name.as_str(), true)));
    names.extend(answer.bound.keys().map(|name| notice::kept_name(name)));
    names
}

/// The wallet says that it shows nothing. To its `state` we answer with status 200: an error
/// response is a response (OpenID4VP 1.0, section 8.2).
async fn wallet_error(
    app: &Parts,
    query: &Query,
    request: &PresentationRequest,
    pending: Pending,
    error: &WalletError,
) -> Result<DirectPostAnswer, AcceptError> {
    use crate::domain::reason::Explanation;
    let (failure, outcome) = match error.code {
        Some(ErrorCode::AccessDenied) => (Failure::declined(), "declined"),
        Some(ErrorCode::VpFormatsNotSupported | ErrorCode::InvalidScope) => {
            (Failure::new("no_match", Explanation::NoCard), "no_match")
        }
        Some(
            ErrorCode::InvalidRequest
            | ErrorCode::InvalidClient
            | ErrorCode::UnsupportedResponseType
            | ErrorCode::InvalidRequestUriMethod
            | ErrorCode::InvalidTransactionData
            | ErrorCode::WalletUnavailable
            | ErrorCode::ServerError,
        )
        | None => (
            Failure::new("wallet_error", Explanation::NotProven),
            "rejected",
        ),
    };
    let reason = failure.code().to_owned();
    let login = pending.login.clone();
    let redirect_uri = end(app, request, pending, failure).await?;
    count(query, request, outcome, &reason);
    tell::presentation(app, &login, outcome, request.channel.name());
    if outcome == "declined" {
        tell::consent(app, &login, "denied");
    }
    app.changes.announce(&request.transaction);
    Ok(DirectPostAnswer {
        redirect_uri: Some(redirect_uri),
        consent_uri: None,
    })
}

async fn refuse(
    app: &Parts,
    query: &Query,
    request: &PresentationRequest,
    pending: Pending,
    failure: Failure,
) -> Result<DirectPostAnswer, AcceptError> {
    let code = failure.code().to_owned();
    let login = pending.login.clone();
    let explanation = end(app, request, pending, failure).await?;
    count(query, request, "rejected", &code);
    tell::presentation(app, &login, "rejected", request.channel.name());
    app.changes.announce(&request.transaction);
    Err(AcceptError::Refused {
        code,
        explanation: Some(explanation),
    })
}

/// The login has failed; or its journey goes on another way, which the browser finds.
async fn end(
    app: &Parts,
    request: &PresentationRequest,
    pending: Pending,
    failure: Failure,
) -> Result<Url, AcceptError> {
    let mut login = pending.login;
    let Some(answered) = login.run.as_deref().map(|run| run.turn) else {
        let (ended, code) = (login.clone(), failure.code().to_owned());
        let failed = Transaction::Failed(Failed { login, failure });
        let row = transactions::seal(&app.vault, &failed)?;
        let url = conclude(app, request, (row, None), None, None).await?;
        tell::refused(app, &ended, &code, request.channel.name());
        return Ok(url);
    };
    let outcome = match failure.code() {
        "declined" => Outcome::Declined,
        "no_match" => Outcome::NoCredential,
        _ => Outcome::Invalid,
    };
    let turn = run::refused(app, &mut login, outcome, failure).await?;
    let row = transactions::seal_next(&app.vault, &turn.transaction)?;
    let url = conclude(app, request, (row, Some(answered)), None, Some(turn.beside)).await?;
    turn.counted.note(app);
    Ok(url)
}

fn count(query: &Query, request: &PresentationRequest, outcome: &'static str, reason: &str) {
    metrics::counter!(
        "vouchsafe_presentation_responses_total",
        "query" => query.id.as_str().to_owned(), "format" => query.format(), "channel" => request.channel.name(),
        "outcome" => outcome, "reason" => reason.to_owned()
    )
    .increment(1);
    tracing::info!(login = %log_id(&request.transaction), channel = request.channel.name(), outcome, reason, "wallet answered");
}

/// The first characters of a login's id: enough to find it again, too little to use it.
pub fn log_id(id: &crate::domain::ids::TransactionId) -> &str {
    id.as_str().get(..8).unwrap_or_default()
}

//! The wallet's answer to a question over REST. As for a login: nothing that is posted ends it
//! unless it shows the question's `state`; what does is final, and exactly one answer counts.

use url::Url;
use vouchsafe_protocol::vp::response::{DirectPostAnswer, ErrorCode, PostedResponse, WalletError};
use vouchsafe_protocol::vp::verify::{PresentationError, Received, Transaction, Way};
use vouchsafe_service::db::DbError;

use super::ask::{open, pending};
use super::outcome::outcome;
use super::{RESPONSE_CODE_S, log_id, webhook};
use crate::app::Parts;
use crate::config::format_of;
use crate::domain::ids::{RequestId, Secret};
use crate::domain::reason::{Explanation, Failure};
use crate::domain::verification::{Asked, Pending, Verification};
use crate::explain::explain;
use crate::login::accept::AcceptError;
use crate::login::ask::response_uri;
use crate::login::judge::judge;
use crate::store::verifications;

/// Judges a body that was posted for the question `id`.
pub async fn accept(
    app: &Parts,
    id: &RequestId,
    body: &[u8],
) -> Result<DirectPostAnswer, AcceptError> {
    let pending = match pending(app, id).await? {
        Some(pending) => pending,
        None => return Err(known(app, id).await?),
    };
    let opened = open(app, id, &pending.secrets)?;
    let response_uri = response_uri(app, id);
    let asked = Transaction {
        way: Way::DirectPost {
            client_id: &opened.client_id,
            response_uri: &response_uri,
            state: &opened.state,
            key: &opened.key,
        },
        nonce: &opened.nonce,
        query: &pending.asked.dcql,
        transaction_data: &[],
        expires_at: pending.asked.expires_at,
    };
    let format = format_of(&pending.asked.dcql);
    let verdict = match PostedResponse::parse(body)? {
        PostedResponse::Encrypted(response) => {
            let received = Received::Posted {
                response: &response,
                at: &response_uri,
            };
            let one_holder = pending.asked.one_holder;
            judge(app, received, &asked, (format, one_holder)).await
        }
        PostedResponse::Error(error) => Err(PresentationError::Wallet(error)),
    };
    match verdict {
        Ok(presentation) => {
            let outcome = outcome(app, &pending.asked, &presentation);
            let until = app.now().plus(RESPONSE_CODE_S);
            conclude(app, pending.answer(outcome, until)).await
        }
        Err(PresentationError::Wallet(error)) if error.belongs_to(&asked) => {
            let failure = wallet_error(&error);
            conclude(app, Verification::Failed(pending.fail(failure))).await
        }
        Err(error) => match explain(&error) {
            Some(failure) => Err(refuse(app, pending, failure).await?),
            None => Err(AcceptError::Foreign(error)),
        },
    }
}

/// Why nothing waits under this id.
async fn known(app: &Parts, id: &RequestId) -> Result<AcceptError, AcceptError> {
    if !app.settings.verifications.enabled() {
        return Ok(AcceptError::Unknown);
    }
    let found = verifications::find_by_request(&app.db, &app.vault, id, app.now()).await?;
    Ok(match found {
        // Catalogue 298: the first result stands.
        Some(Verification::Answered(_) | Verification::Verified(_) | Verification::Failed(_)) => {
            AcceptError::AlreadyAnswered
        }
        Some(Verification::Pending(_)) | None => AcceptError::Unknown,
    })
}

/// An error response is a response (OpenID4VP 1.0, section 8.2).
fn wallet_error(error: &WalletError) -> Failure {
    match error.code {
        Some(ErrorCode::AccessDenied) => Failure::declined(),
        Some(ErrorCode::VpFormatsNotSupported | ErrorCode::InvalidScope) => {
            Failure::new("no_match", Explanation::NoCard)
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
        | None => Failure::new("wallet_error", Explanation::NotProven),
    }
}

async fn refuse(
    app: &Parts,
    pending: Pending,
    failure: Failure,
) -> Result<AcceptError, AcceptError> {
    let code = failure.code().to_owned();
    let told = conclude(app, Verification::Failed(pending.fail(failure))).await?;
    Ok(AcceptError::Refused {
        code,
        explanation: told.redirect_uri,
    })
}

/// Writes the outcome. Catalogue 299: of any number of answers exactly one gets through.
async fn conclude(
    app: &Parts,
    verification: Verification,
) -> Result<DirectPostAnswer, AcceptError> {
    let now = app.now();
    let code = match &verification {
        Verification::Answered(_) => Some(Secret::random(app.rng.as_ref())),
        Verification::Pending(_) | Verification::Verified(_) | Verification::Failed(_) => None,
    };
    let digest = code.as_ref().map(Secret::digest);
    // What the browser does not bring home in time is of no use to anybody.
    let forget_at = match &verification {
        Verification::Answered(answered) => answered.until,
        Verification::Pending(_) | Verification::Verified(_) | Verification::Failed(_) => {
            now.plus(app.settings.verifications.keep_s)
        }
    };
    let row = verifications::seal(&app.vault, &verification, digest, forget_at)?;
    let told = webhook::message(app, &verification, now);
    let advanced = app
        .db
        .write(async move |tx| {
            let advanced = verifications::advance(tx, &row, now).await?;
            if advanced {
                webhook::publish(tx, told.as_ref(), now).await?;
            }
            Ok::<_, DbError>(advanced)
        })
        .await?;
    if !advanced {
        return Err(AcceptError::AlreadyAnswered);
    }
    count(&verification);
    app.verification_changes.announce(&verification.asked().id);
    Ok(DirectPostAnswer {
        redirect_uri: way_back(verification.asked(), code.as_ref()),
        consent_uri: None,
    })
}

/// OpenID4VP 1.0, section 8.2: a fresh `response_code`, so that only the browser that the wallet
/// opens has it. After a refusal the person gets back to the caller without one.
fn way_back(asked: &Asked, code: Option<&Secret>) -> Option<Url> {
    let mut url = asked.return_url.clone()?;
    if let Some(code) = code {
        url.query_pairs_mut()
            .append_pair("response_code", code.reveal());
    }
    Some(url)
}

fn count(verification: &Verification) {
    let asked = verification.asked();
    let (outcome, reason) = match verification {
        Verification::Failed(failed) if failed.failure == Failure::declined() => {
            ("declined", failed.failure.code())
        }
        Verification::Failed(failed) => ("rejected", failed.failure.code()),
        Verification::Pending(_) | Verification::Answered(_) | Verification::Verified(_) => {
            ("accepted", "none")
        }
    };
    let query = asked
        .query
        .as_ref()
        .map_or("inline", |query| query.as_str());
    metrics::counter!(
        "vouchsafe_verifications_total",
        "caller" => asked.caller.as_str().to_owned(), "query" => query.to_owned(),
        "outcome" => outcome, "reason" => reason.to_owned()
    )
    .increment(1);
    tracing::info!(
        verification = log_id(&asked.id),
        outcome,
        reason,
        "wallet answered"
    );
}

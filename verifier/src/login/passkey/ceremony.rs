//! What a browser is asked, and whether its answer proves somebody.

use serde_json::Value;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::DbError;
use vouchsafe_service::webauthn::{Known, SignInResponse, WebauthnError};

use super::{CHALLENGE_S, PasskeyError, settings};
use crate::app::Parts;
use crate::domain::ids::{Secret, SecretDigest, TransactionId};
use crate::domain::passkey::Tapped;
use crate::domain::transaction::Login;
use crate::numbers::tell;
use crate::store::passkeys::{self, Stored};
use crate::store::subjects;

/// A fresh challenge, known by its owner: a login, or a session that adds a passkey.
pub(super) async fn challenge(
    app: &Parts,
    owner: String,
    expires_at: UnixTime,
) -> Result<Secret, DbError> {
    // Section 13.4.3: random, 16 bytes at least, made here.
    let challenge = Secret::random(app.rng.as_ref());
    let digest = challenge.digest();
    app.db
        .write(async move |tx| passkeys::challenge(tx, &owner, &digest, expires_at).await)
        .await?;
    Ok(challenge)
}

/// Uses the challenge up that an answer says it is for, before anything else is looked at.
pub(super) async fn redeem(app: &Parts, owner: String, said: &str) -> Result<(), PasskeyError> {
    let said = Secret::parse(said).ok_or(WebauthnError::ClientData)?;
    let (digest, now): (SecretDigest, _) = (said.digest(), app.now());
    let redeem = async move |tx: &mut _| passkeys::redeem(tx, &owner, &digest, now).await;
    match app.db.write(redeem).await? {
        true => Ok(()),
        false => Err(WebauthnError::ClientData.into()),
    }
}

fn of_login(login: &TransactionId) -> String {
    format!("login {login}")
}

/// What the browser of a login is asked. The person chooses the passkey: nobody is told which there are.
pub async fn options(
    app: &Parts,
    login: &TransactionId,
    ends: UnixTime,
) -> Result<Value, PasskeyError> {
    let site = &settings(app)?.site;
    let until = app.now().plus(CHALLENGE_S).min(ends);
    let challenge = challenge(app, of_login(login), until).await?;
    Ok(site.request_options(challenge.reveal()))
}

/// Whose login it is (section 7.2). Every refusal is the same; the log has the reason.
pub async fn verify(
    app: &Parts,
    login: &Login,
    response: &SignInResponse,
) -> Result<Tapped, PasskeyError> {
    let proven = prove(app, login, response).await;
    let (outcome, error) = match &proven {
        Ok(_) => ("success", "none"),
        Err(PasskeyError::Refused(error)) => {
            tracing::info!(login = crate::login::accept::log_id(&login.id), %error, "passkey refused");
            ("failure", "passkey_refused")
        }
        Err(_) => ("failure", "error"),
    };
    metrics::counter!("vouchsafe_passkey_answers_total", "outcome" => outcome, "error" => error)
        .increment(1);
    proven
}

async fn prove(
    app: &Parts,
    login: &Login,
    response: &SignInResponse,
) -> Result<Tapped, PasskeyError> {
    settings(app)?;
    let said = response.challenge()?;
    redeem(app, of_login(&login.id), &said).await?;
    let proven = signer(app, response, &said).await;
    // What answers no question of this login is no attempt: anybody can send it, as often as they like.
    if let Err(PasskeyError::Refused(_)) = &proven {
        tell::attempted(app, login, ("passkey", "failure"), "passkey_refused");
    }
    proven
}

/// Whose passkey signed the challenge.
async fn signer(
    app: &Parts,
    response: &SignInResponse,
    said: &str,
) -> Result<Tapped, PasskeyError> {
    let settings = settings(app)?;
    let credential = response.credential_id()?;
    let known = passkeys::by_credential(&app.db, &settings.host, &credential).await?;
    let known = known.ok_or(WebauthnError::Credential)?;
    let expected = Known {
        handle: &known.handle,
        public_key: &known.public_key,
        sign_count: known.sign_count,
        backup_eligible: known.backup_eligible,
    };
    match response.verify(&settings.site, said, expected, app.crypto.as_ref()) {
        Ok(used) => signed(app, known, (used.sign_count, used.backed_up)).await,
        Err(error @ WebauthnError::Counter) => {
            doubt(app, &known).await?;
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn signed(
    app: &Parts,
    known: Stored,
    now_counts: (u32, bool),
) -> Result<Tapped, PasskeyError> {
    let (now, before) = (app.now(), known.clone());
    let counted = app
        .db
        .write(async move |tx| {
            subjects::hold(tx, &before.subject).await?;
            passkeys::used(tx, &before, now_counts, now).await
        })
        .await?;
    // It was removed, or another answer was faster.
    if !counted {
        return Err(WebauthnError::Counter.into());
    }
    Ok(Tapped {
        means: known.means,
        subject: known.subject,
        at: now,
    })
}

/// Section 6.1.1: a counter that went back may mean that there is a copy of the key. The signature was
/// right, so only who holds the key writes this line.
async fn doubt(app: &Parts, known: &Stored) -> Result<(), DbError> {
    let event = Event {
        at: app.now(),
        actor: format!("subject:{}", known.subject.as_str()),
        action: "passkey.doubted",
        target: known.means.to_string(),
        detail: "the counter went back".to_owned(),
    };
    let key = app.audit_key.clone();
    app.db
        .write(async move |tx| audit::append(tx, &key, &event).await)
        .await?;
    tracing::warn!("the counter of a passkey went back: there may be a copy of it");
    Ok(())
}

//! A passkey more that leads to an account (section 7.1).

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit::{self, Event};
use vouchsafe_service::db::Tx;
use vouchsafe_service::webauthn::RegistrationResponse;

use super::{CHALLENGE_S, PasskeyError, ceremony, settings};
use crate::app::Parts;
use crate::domain::ids::{MeansId, SessionId, SubjectId};
use crate::store::passkeys::{self, Fresh};
use crate::store::{sessions, subjects};

/// Letters that a name may have.
const LONGEST_NAME: usize = 60;

fn of_session(session: &SessionId) -> String {
    format!("session {session}")
}

/// What a browser needs to make a passkey for the account of a session.
pub async fn creation_options(
    app: &Parts,
    session: &SessionId,
    subject: &SubjectId,
) -> Result<Value, PasskeyError> {
    creation(app, of_session(session), subject, until(app)).await
}

/// When a challenge that is made now is over.
pub(in crate::login) fn until(app: &Parts) -> UnixTime {
    app.now().plus(CHALLENGE_S)
}

/// What a browser needs to make a passkey for an account; `owner` names the ceremony.
pub(in crate::login) async fn creation(
    app: &Parts,
    owner: String,
    subject: &SubjectId,
    until: UnixTime,
) -> Result<Value, PasskeyError> {
    let settings = settings(app)?;
    let existing = passkeys::credential_ids(&app.db, subject).await?;
    // Section 14.6.1: the handle says nothing about the person, and no application ever hears it.
    let (subject, fresh) = (subject.clone(), token(app.rng.as_ref()));
    let handle = app
        .db
        .write(async move |tx| {
            // Of an account that was deleted a moment ago nothing is left behind.
            if !subjects::hold(tx, &subject).await? {
                return Err(PasskeyError::LoggedOut);
            }
            Ok(passkeys::handle(tx, &subject, &fresh).await?)
        })
        .await?;
    let challenge = ceremony::challenge(app, owner, until).await?;
    // Two accounts of one person have two names where the device lists them.
    let mark = handle.get(..4).unwrap_or_default();
    let name = format!("{} {mark}", settings.host);
    let site = &settings.site;
    Ok(site.creation_options(challenge.reveal(), (&handle, &name), &existing))
}

/// What a device made for a ceremony (section 7.1), ready to be written.
pub(in crate::login) async fn made(
    app: &Parts,
    owner: String,
    (name, response): (&str, &RegistrationResponse),
) -> Result<Fresh, PasskeyError> {
    let settings = settings(app)?;
    let said = response.challenge()?;
    ceremony::redeem(app, owner, &said).await?;
    let passkey = response.verify(&settings.site, &said, app.crypto.as_ref())?;
    let means = MeansId::random(app.rng.as_ref());
    Ok(Fresh {
        mac: b64url(&Sha256::digest(&passkey.credential_id)),
        site: settings.host.clone(),
        name: passkeys::seal(&app.vault, &means, &tidy(name))?,
        means,
        passkey,
    })
}

/// Adds a passkey to the account of a session that still is one.
pub async fn register(
    app: &Parts,
    session: &SessionId,
    subject: &SubjectId,
    (name, response): (&str, &RegistrationResponse),
) -> Result<(), PasskeyError> {
    let fresh = made(app, of_session(session), (name, response)).await?;
    let (session, subject, now) = (session.clone(), subject.clone(), app.now());
    let event = Event {
        at: now,
        actor: format!("subject:{}", subject.as_str()),
        action: "means.add",
        target: fresh.means.to_string(),
        detail: "passkey".to_owned(),
    };
    let audit_key = app.audit_key.clone();
    app.db
        .write(async move |tx: &mut Tx| {
            subjects::hold(tx, &subject).await?;
            tx.lock("subject_means").await?;
            // Whoever is shut out at this moment leaves none behind.
            if sessions::hold(tx, &session, now).await?.is_none() {
                return Err(PasskeyError::LoggedOut);
            }
            if subjects::count(tx, &subject).await? >= subjects::MOST {
                return Err(PasskeyError::TooMany);
            }
            if !passkeys::insert(tx, &fresh, &subject, now).await? {
                return Err(PasskeyError::Taken);
            }
            audit::append(tx, &audit_key, &event).await?;
            Ok(())
        })
        .await?;
    tracing::info!("a passkey leads to an account");
    Ok(())
}

/// A name as it is shown: without what nobody sees, and not too long.
fn tidy(name: &str) -> String {
    let seen = name.chars().filter(|c| !c.is_control());
    let seen: String = seen.take(LONGEST_NAME).collect();
    seen.trim().to_owned()
}

//! What administrators do to the applications that they keep. Every change is in the audit log, in the
//! same transaction: without an entry there is no change.

use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit;
use vouchsafe_service::db::{DbError, Table, Tx};

use super::document;
use super::managed::{Known, ManageError, find};
use super::settings::{ClientSettings, Proof};
use crate::app::{App, Parts};
use crate::config::ClientSecret;
use crate::domain::ids::{ClientId, Secret, SecretDigest};
use crate::domain::session::EndReason;
use crate::login::end;
use crate::store::consents;
use crate::store::managed_clients::{self as store, SecretChange, Written};

/// Longest id, in characters.
const LONGEST_ID: usize = 128;

/// In which state an application must be to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing is said: there must be none.
    Unsaid,
    /// There must be none (`If-None-Match: *`).
    Absent,
    /// The state of this entity tag (`If-Match`).
    Is(String),
}

/// The id of a path, if an administrator may keep an application under it.
fn own_id(app: &Parts, id: &str) -> Result<ClientId, ManageError> {
    let known = ClientId::from_text(id);
    if app.settings.configured(&known).is_some() {
        return Err(ManageError::Configured);
    }
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = id.chars().all(letter)
        && id.len() <= LONGEST_ID
        && id.starts_with(|c: char| c.is_ascii_alphanumeric());
    // Those that register have ids of ours.
    let taken = id.starts_with("reg-") || app.settings.is_taken(&known);
    match fits && !taken && !document::is_address(id) {
        true => Ok(known),
        false => Err(ManageError::Id),
    }
}

/// An application that was written.
#[derive(Debug)]
pub struct Put {
    /// As it is now.
    pub known: Known,
    /// Its secret, where it has a new one. It is shown this once.
    pub secret: Option<Secret>,
    /// Whether there was none before.
    pub is_new: bool,
}

/// Makes an application, or replaces all that is said of one.
pub async fn put(
    app: &App,
    actor: &str,
    id: &str,
    settings: ClientSettings,
    condition: Condition,
) -> Result<Put, ManageError> {
    let id = own_id(app, id)?;
    let before = store::find(&app.db, &id).await?;
    match (&before, &condition) {
        (None, Condition::Is(_)) | (Some(_), Condition::Absent) => return Err(ManageError::Tag),
        (Some(_), Condition::Unsaid) => return Err(ManageError::TagMissing),
        (Some(row), Condition::Is(tag)) if row.revision != *tag => return Err(ManageError::Tag),
        (None, Condition::Unsaid | Condition::Absent) | (Some(_), Condition::Is(_)) => {}
    }
    if before.is_none() && store::is_waiting(&app.db, &id, app.now()).await? {
        return Err(ManageError::Removed);
    }
    let proof = settings.proof().ok_or(ManageError::Proof)?;
    let has_secret = before.as_ref().is_some_and(|row| row.secret_hash.is_some());
    let secret = (proof == Proof::Secret && !has_secret).then(|| Secret::random(app.rng.as_ref()));
    // As it will be, so that nothing is kept that is not served.
    let digest = secret.as_ref().map(Secret::digest);
    let kept = before.as_ref().and_then(|row| row.secret_hash.as_deref());
    let shown = digest.as_ref().map(SecretDigest::as_str).or(kept);
    let shown = shown.filter(|_| proof == Proof::Secret);
    let checked = shown.and_then(|digest| ClientSecret::of_digests(digest, None));
    (app.settings.managed(&settings.to_config(&id), checked)).map_err(ManageError::Refused)?;
    let written = Written {
        id: id.clone(),
        settings: serde_json::to_string(&settings)
            .map_err(|_| Table("managed_clients").invalid("settings", "they do not serialise"))?,
        secret: match (proof, digest) {
            (_, Some(digest)) => SecretChange::New(digest),
            (Proof::Secret, None) => SecretChange::Kept,
            (Proof::Keys | Proof::Public, None) => SecretChange::None,
        },
        revision: token(app.rng.as_ref()),
    };
    let detail = match (&before, &secret) {
        (None, _) => "made",
        (Some(_), None) => "changed",
        (Some(_), Some(_)) => "changed, with a first secret",
    };
    let event = event(app, actor, "client.put", &id, detail);
    let (parts, now) = (App::clone(app), app.now());
    app.db
        .write::<_, ManageError, _>(async move |tx: &mut Tx| {
            let done = match &condition {
                Condition::Is(tag) => store::replace(tx, &written, tag, now).await?,
                Condition::Unsaid | Condition::Absent => store::create(tx, &written, now).await?,
            };
            if done && !matches!(condition, Condition::Is(_)) {
                // Of one that had the name before nothing is left, and nobody is told: it would be the new
                // one that hears of the sessions.
                consents::revoke_all(tx, &written.id, now).await?;
                for session in store::own_sessions(tx, &written.id).await? {
                    end::end_quietly(tx, &session, EndReason::ClientRemoved, now).await?;
                }
                store::take_back(tx, &written.id).await?;
            }
            if !done {
                // Somebody was faster.
                return Err(match condition {
                    Condition::Unsaid => ManageError::TagMissing,
                    Condition::Absent | Condition::Is(_) => ManageError::Tag,
                });
            }
            audit::append(tx, &parts.audit_key, &event).await?;
            Ok(())
        })
        .await?;
    let known = find(app, &id).await?.ok_or(ManageError::Unknown)?;
    Ok(Put {
        known,
        secret,
        is_new: before.is_none(),
    })
}

/// A secret that an application was given.
#[derive(Debug)]
pub struct Rotated {
    /// It, for the only time.
    pub secret: Secret,
    /// The state the application is in.
    pub revision: String,
    /// Until when the one of before counts, too.
    pub previous_until: UnixTime,
}

/// Gives an application in the state of an entity tag another secret, inside a transaction.
pub async fn rotate(
    tx: &mut Tx,
    app: &Parts,
    actor: &str,
    id: &str,
    (tag, overlap_s): (&str, i64),
) -> Result<Rotated, ManageError> {
    let (id, now) = (own_id(app, id)?, app.now());
    let secret = Secret::random(app.rng.as_ref());
    let (revision, previous_until) = (token(app.rng.as_ref()), now.plus(overlap_s));
    let (from, until) = ((tag, revision.as_str()), (previous_until, now));
    if !store::rotate(tx, &id, from, &secret.digest(), until).await? {
        return Err(ManageError::Tag);
    }
    let event = event(app, actor, "client.secret", &id, "rotated");
    audit::append(tx, &app.audit_key, &event).await?;
    Ok(Rotated {
        secret,
        revision,
        previous_until,
    })
}

/// Whether there is an application of an administrator, with a secret.
pub async fn has_secret(app: &Parts, id: &str) -> Result<(), ManageError> {
    let id = own_id(app, id).map_err(|error| match error {
        ManageError::Id => ManageError::Unknown,
        other => other,
    })?;
    let row = store::find(&app.db, &id).await?;
    match row.ok_or(ManageError::Unknown)?.secret_hash {
        Some(_) => Ok(()),
        None => Err(ManageError::NoSecret),
    }
}

/// Removes an application and ends what it was given: its sessions, tokens, grants and logins that are
/// under way. It is told of each session, as of any that ends. What people agreed to is over, and stays on
/// their account pages. Of one whose id the configuration has taken since, nothing but its row is left to remove.
pub async fn remove(
    app: &App,
    actor: &str,
    id: &str,
    tag: Option<String>,
) -> Result<(), ManageError> {
    let known = ClientId::from_text(id);
    let row = store::find(&app.db, &known).await?;
    // The file wins where both have an id: of the database's there is only the row.
    let is_hidden = row.is_some() && app.settings.is_taken(&known);
    let id = match is_hidden {
        true => known,
        false => own_id(app, id).map_err(|error| match error {
            ManageError::Id => ManageError::Unknown,
            other => other,
        })?,
    };
    let row = row.ok_or(ManageError::Unknown)?;
    if tag.as_ref().is_some_and(|tag| *tag != row.revision) {
        return Err(ManageError::Tag);
    }
    let event = event(app, actor, "client.remove", &id, "");
    let (parts, gone, now) = (App::clone(app), id.clone(), app.now());
    app.db
        .write::<_, ManageError, _>(async move |tx: &mut Tx| {
            if !store::remove(tx, &gone, tag.as_deref(), now).await? {
                return Err(ManageError::Tag);
            }
            match is_hidden {
                // Sessions and tokens under this id are those of the file's application, and so are the
                // logout tokens that wait: nothing of this one may take them.
                true => store::forget(tx, &gone).await?,
                false => take_back(tx, &parts, &gone, now).await?,
            }
            audit::append(tx, &parts.audit_key, &event).await?;
            Ok(())
        })
        .await?;
    tracing::info!(client = %id, "a managed application was removed");
    Ok(())
}

/// Ends what an application was given and what people agreed to with it, and tells it of its sessions.
async fn take_back(tx: &mut Tx, app: &Parts, id: &ClientId, now: UnixTime) -> Result<(), DbError> {
    consents::revoke_all(tx, id, now).await?;
    let (settings, rng) = (&app.settings, app.rng.as_ref());
    let reason = EndReason::ClientRemoved;
    for member in store::shared_sessions(tx, id).await? {
        end::tell(tx, settings, rng, member, reason, now).await?;
    }
    for session in store::own_sessions(tx, id).await? {
        end::end_in(tx, settings, rng, &session, reason, now).await?;
    }
    store::take_back(tx, id).await
}

fn event(
    app: &Parts,
    actor: &str,
    action: &'static str,
    id: &ClientId,
    detail: &str,
) -> audit::Event {
    audit::Event {
        at: app.now(),
        actor: actor.to_owned(),
        action,
        target: id.as_str().to_owned(),
        detail: detail.to_owned(),
    }
}

//! Applications that administrators keep in the database (`[administration]`). They are checked by the
//! parser of the configuration, read anew with each request, and every change of one is in the audit
//! log, in the same transaction.

use std::sync::Arc;

use vouchsafe_credentials::random::token;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::audit;
use vouchsafe_service::db::{DbError, RowError, Table, Tx};

use super::document;
use super::settings::{ClientSettings, Proof};
use crate::app::{App, Parts};
use crate::config::{Client, ClientSecret, ConfigError, Pkce};
use crate::domain::ids::{ClientId, Secret, SecretDigest};
use crate::domain::session::EndReason;
use crate::login::end;
use crate::store::StoreError;
use crate::store::managed_clients::{self as store, Managed, SecretChange, Written};

/// Longest id, in characters.
const LONGEST_ID: usize = 128;

/// Why an application is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// There is none.
    #[error("there is no application with this id")]
    Unknown,
    /// It stands in the configuration.
    #[error("the application is in the configuration file, and is changed there alone")]
    Configured,
    /// The id cannot be one.
    #[error(
        "an id has 1 to 128 letters, digits and . _ -, and begins with a letter or a digit; `reg-…` and \
         the names of the configuration are taken"
    )]
    Id,
    /// Two ways to authenticate.
    #[error("choose public or keys, not both")]
    Proof,
    /// The parser of the configuration refuses it.
    #[error(transparent)]
    Refused(ConfigError),
    /// It exists, and nobody said in which state.
    #[error("the application exists: name the entity tag that you read, in If-Match")]
    TagMissing,
    /// It is in another state.
    #[error("the application is in another state than the one that was named")]
    Tag,
    /// It was removed a moment ago.
    #[error("the application was removed a moment ago: its id is free ten minutes later")]
    Removed,
    /// There is no secret to change.
    #[error("the application has no secret")]
    NoSecret,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<RowError> for ManageError {
    fn from(error: RowError) -> Self {
        Self::Db(error.into())
    }
}

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

/// An application, as administrators see it.
#[derive(Debug, Clone)]
pub struct Known {
    /// `client_id`.
    pub id: ClientId,
    /// How it proves who it is.
    pub proof: Proof,
    /// What holds.
    pub settings: ClientSettings,
    /// Whether people can log in to it now.
    pub served: bool,
    /// Where an administrator keeps it; `None`: it is in the configuration.
    pub kept: Option<Kept>,
}

/// What the database knows of an application beside.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The state it is in.
    pub revision: String,
    /// When it came.
    pub created_at: UnixTime,
    /// When it was changed last.
    pub updated_at: UnixTime,
    /// Until when the secret of before counts, too.
    pub previous_until: Option<UnixTime>,
}

fn settings_of(text: &str) -> Result<ClientSettings, RowError> {
    serde_json::from_str(text)
        .map_err(|_| Table("managed_clients").invalid("settings", "not those of an application"))
}

fn previous(row: &Managed, now: UnixTime) -> Option<(&str, UnixTime)> {
    let until = UnixTime(row.previous_until?);
    let counts = now < until;
    let hash = row.previous_hash.as_deref().filter(|_| counts)?;
    Some((hash, until))
}

/// The application of a row; the inner error: it does not fit the configuration any more.
fn build(app: &Parts, row: &Managed) -> Result<Result<Client, ConfigError>, RowError> {
    let settings = settings_of(&row.settings)?;
    let id = ClientId::from_text(row.id.as_str());
    let secret = match row.secret_hash.as_deref() {
        None => None,
        Some(hash) => {
            let before = previous(row, app.now()).map(|(hash, _)| hash);
            let known = ClientSecret::of_digests(hash, before);
            let table = Table("managed_clients");
            Some(known.ok_or_else(|| table.invalid("secret_hash", "not a digest"))?)
        }
    };
    Ok(app.settings.managed(&settings.to_config(&id), secret))
}

/// The application of an id, if it is served now.
pub(super) async fn client(app: &Parts, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
    if app.settings.administration.is_none() {
        return Ok(None);
    }
    let Some(row) = store::find(&app.db, id).await? else {
        return Ok(None);
    };
    if row.disabled_at.is_some() {
        return Ok(None);
    }
    match build(app, &row).map_err(DbError::from)? {
        Ok(client) => Ok(Some(Arc::new(client))),
        Err(error) => {
            // The configuration offers less than when it was written.
            tracing::info!(client = %id, reason = %error, "a managed application is not served");
            Ok(None)
        }
    }
}

/// An application as it was last: one that was removed is still told of sessions that ended.
pub(crate) async fn last(app: &Parts, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
    if app.settings.administration.is_none() || app.settings.is_taken(id) {
        return Ok(None);
    }
    let Some(text) = store::last_settings(&app.db, id).await? else {
        return Ok(None);
    };
    // Whoever is only told shows no secret, and needs none for anything.
    let settings = ClientSettings {
        pkce: Pkce::Required,
        ..settings_of(&text).map_err(DbError::from)?
    };
    let built = app.settings.managed(&settings.to_config(id), None);
    Ok(built.ok().map(Arc::new))
}

fn known(app: &Parts, row: &Managed) -> Result<Known, ManageError> {
    let built = build(app, row)?;
    let settings = settings_of(&row.settings)?;
    Ok(Known {
        id: ClientId::from_text(row.id.as_str()),
        proof: settings.proof().unwrap_or(Proof::Public),
        served: built.is_ok() && row.disabled_at.is_none(),
        settings,
        kept: Some(Kept {
            revision: row.revision.clone(),
            created_at: UnixTime(row.created_at),
            updated_at: UnixTime(row.updated_at),
            previous_until: previous(row, app.now()).map(|(_, until)| until),
        }),
    })
}

fn configured(client: &Client) -> Known {
    Known {
        id: client.id.clone(),
        proof: Proof::from(&client.authentication),
        settings: ClientSettings::of(client),
        served: true,
        kept: None,
    }
}

/// Applications behind the one of the id `after` (all without it), `limit` at most, and whether there are
/// more: those of the configuration as they stand there, then those of administrators by their ids.
pub async fn list(app: &Parts, after: &str, limit: u32) -> Result<(Vec<Known>, bool), ManageError> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let own = app.settings.clients();
    let begun = match after {
        "" => Some(0),
        id => own
            .iter()
            .position(|one| one.id.as_str() == id)
            .map(|at| at + 1),
    };
    let rest = begun.and_then(|from| own.get(from..)).unwrap_or_default();
    let mut all: Vec<Known> = rest.iter().map(|client| configured(client)).collect();
    let mut from = match begun {
        Some(_) => String::new(),
        None => after.to_owned(),
    };
    let step = i64::from(limit) + 1;
    while all.len() <= most {
        let rows = store::page(&app.db, &from, step).await?;
        let Some(last) = rows.last() else { break };
        from.clone_from(&last.id);
        for row in &rows {
            // The configuration wins.
            if !app.settings.is_taken(&ClientId::from_text(row.id.as_str())) {
                all.push(known(app, row)?);
            }
        }
    }
    let more = all.len() > most;
    all.truncate(most);
    Ok((all, more))
}

/// The application of an id.
pub async fn find(app: &Parts, id: &ClientId) -> Result<Option<Known>, ManageError> {
    if let Some(client) = app.settings.configured(id) {
        return Ok(Some(configured(client)));
    }
    if app.settings.is_taken(id) {
        return Ok(None);
    }
    let row = store::find(&app.db, id).await?;
    row.map(|row| known(app, &row)).transpose()
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
                // Of one that had the name before nothing is left.
                take_back(tx, &parts, &written.id, now).await?;
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
/// under way. It is told of each session, as of any that ends. What people agreed to stays on their
/// account pages.
pub async fn remove(
    app: &App,
    actor: &str,
    id: &str,
    tag: Option<String>,
) -> Result<(), ManageError> {
    let id = own_id(app, id).map_err(|error| match error {
        ManageError::Id => ManageError::Unknown,
        other => other,
    })?;
    let row = store::find(&app.db, &id).await?;
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
            take_back(tx, &parts, &gone, now).await?;
            audit::append(tx, &parts.audit_key, &event).await?;
            Ok(())
        })
        .await?;
    tracing::info!(client = %id, "a managed application was removed");
    Ok(())
}

/// Ends what an application was given, and tells it of its sessions.
async fn take_back(tx: &mut Tx, app: &Parts, id: &ClientId, now: UnixTime) -> Result<(), DbError> {
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

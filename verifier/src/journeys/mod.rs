//! The journeys that this service runs (decision 0046): read from a folder at the start, checked
//! against what the service can hold, read again when a file changes.
//!
//! A run belongs to the text that it began with. The texts of runs are kept in the database, so that
//! a run goes on in another process and after its file has changed.
//!
//! To hold another kind of step: what it does in `login/run`, and its line in `held/kinds.rs`.

mod approves;
mod asks;
mod choose;
mod folder;
mod held;
mod loaded;
mod outside;
mod recovery;
pub(crate) mod told;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_service::db::DbError;

use crate::app::{App, Parts};
use crate::store::journeys as texts;

pub use choose::{Bindings, Served, Unclear, kept};
pub use folder::{FolderError, JourneySettings, Set};
pub use held::Known;
pub use loaded::{Loaded, StepQuestion, allows, approves};

/// Texts are kept in the database so long after the last run of them began, in seconds. A run may wait
/// for a month.
pub const KEEP_TEXTS_S: i64 = 70 * 86_400;
/// The time of the last run is written at most so often, in seconds.
const NOTE_EVERY_S: i64 = 3600;

/// The journeys of the running service.
#[derive(Debug, Default)]
pub struct Journeys {
    now: RwLock<Arc<Set>>,
    /// Every text that this process has met, by its hash.
    met: RwLock<HashMap<String, Arc<Loaded>>>,
    /// When a text was last written to the database.
    noted: RwLock<HashMap<String, UnixTime>>,
    /// What was wrong at the last look, so that it is said once.
    wrong: RwLock<Vec<String>>,
}

impl Journeys {
    /// Those that were read with the configuration.
    #[must_use]
    pub fn new(settings: Option<&JourneySettings>) -> Self {
        let journeys = Self::default();
        if let Some(settings) = settings {
            journeys.put(Arc::clone(&settings.first));
        }
        journeys
    }

    /// Those that new runs choose from.
    #[must_use]
    pub fn current(&self) -> Arc<Set> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, set: Arc<Set>) {
        let mut met = self.met.write().unwrap_or_else(PoisonError::into_inner);
        for loaded in set.all() {
            met.insert(loaded.journey.hash.clone(), Arc::clone(loaded));
        }
        drop(met);
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = set;
    }

    fn known(&self, hash: &str) -> Option<Arc<Loaded>> {
        let met = self.met.read().unwrap_or_else(PoisonError::into_inner);
        met.get(hash).cloned()
    }

    /// The text behind a hash that must be written to the database with a run that begins now.
    #[must_use]
    pub fn to_note(&self, loaded: &Loaded, now: UnixTime) -> Option<texts::NewText> {
        let noted = self.noted.read().unwrap_or_else(PoisonError::into_inner);
        let fresh = noted.get(&loaded.journey.hash);
        let due = fresh.is_none_or(|at| now.since(*at) >= NOTE_EVERY_S);
        due.then(|| texts::NewText {
            hash: loaded.journey.hash.clone(),
            text: loaded.text.clone(),
        })
    }

    /// As [`Journeys::to_note`], by the hash of a text that this process has met.
    #[must_use]
    pub fn to_note_hash(&self, hash: &str, now: UnixTime) -> Option<texts::NewText> {
        self.to_note(self.known(hash)?.as_ref(), now)
    }

    /// The text is in the database.
    pub fn noted(&self, hash: &str, now: UnixTime) {
        let mut noted = self.noted.write().unwrap_or_else(PoisonError::into_inner);
        noted.insert(hash.to_owned(), now);
    }

    /// What was wrong; `true` if it was not said before.
    fn says(&self, wrong: &[String]) -> bool {
        let mut said = self.wrong.write().unwrap_or_else(PoisonError::into_inner);
        let new = *said != wrong;
        *said = wrong.to_vec();
        new
    }

    /// The stage that a run of this text is counted under.
    #[must_use]
    pub fn stage_of(&self, hash: &str, id: &str) -> &'static str {
        match self.known(hash) {
            Some(loaded) => loaded.stage(),
            None => self.stage(id),
        }
    }

    /// Whether runs of a journey are recoveries of accounts.
    #[must_use]
    pub fn recovers(&self, id: &str) -> bool {
        let set = self.current();
        let mut all = set.all();
        all.any(|loaded| loaded.journey.id == id && loaded.recovers())
    }

    /// The stage that a journey is counted under.
    #[must_use]
    pub fn stage(&self, id: &str) -> &'static str {
        let set = self.current();
        let found = set.all().find(|loaded| loaded.journey.id == id);
        found.map_or("none", |loaded| loaded.stage())
    }
}

/// The text that a run belongs to. `None`: it is not known any more, or this service cannot hold it.
pub async fn of_hash(app: &Parts, hash: &str) -> Result<Option<Arc<Loaded>>, DbError> {
    if let Some(known) = app.journeys.known(hash) {
        return Ok(Some(known));
    }
    let Some(settings) = &app.settings.journeys else {
        return Ok(None);
    };
    let Some(text) = texts::find(&app.db, hash).await? else {
        return Ok(None);
    };
    let known = Known::of(&app.settings, settings.usual.as_ref());
    let Ok(loaded) = folder::one(&text, &known) else {
        return Ok(None);
    };
    let loaded = Arc::new(loaded);
    let mut met = (app.journeys.met.write()).unwrap_or_else(PoisonError::into_inner);
    met.insert(hash.to_owned(), Arc::clone(&loaded));
    Ok(Some(loaded))
}

/// Looks at the folder again. A file that changed serves new runs; one with a mistake, or that is
/// gone, changes nothing, and the log and a metric say so.
pub async fn look_again(app: App) -> Result<(), DbError> {
    let Some(settings) = app.settings.journeys.clone() else {
        return Ok(());
    };
    let before = app.journeys.current();
    let parts = Arc::clone(&app);
    let looked = tokio::task::spawn_blocking(move || {
        let known = Known::of(&parts.settings, settings.usual.as_ref());
        folder::again(&settings.dir, &known, &before)
    });
    let Ok((set, wrong)) = looked.await else {
        tracing::error!("the folder of journeys was not read");
        return Ok(());
    };
    metrics::gauge!("vouchsafe_journeys_broken")
        .set(u32::try_from(wrong.len()).unwrap_or(u32::MAX));
    if app.journeys.says(&wrong) {
        for mistake in &wrong {
            tracing::error!(mistake, "a journey stays as it was");
            metrics::counter!("vouchsafe_journey_reloads_total", "outcome" => "refused")
                .increment(1);
        }
    }
    if let Some(set) = set {
        let ids: Vec<&str> = set.all().map(|one| one.journey.id.as_str()).collect();
        tracing::info!(journeys = ids.join(" "), "journeys read again");
        metrics::counter!("vouchsafe_journey_reloads_total", "outcome" => "taken").increment(1);
        app.journeys.put(Arc::new(set));
    }
    Ok(())
}

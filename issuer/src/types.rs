//! The credential types: those of files and those that came over REST, in every version.
//!
//! A file is version 0 of its type; each `PUT` makes the next one. New offers are of the newest
//! version, and an offer keeps the version that it was made with.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Bytes;
use vouchsafe_credentials::credential_type::{CredentialType, Picture};
use vouchsafe_credentials::type_metadata::Integrity;
use vouchsafe_service::db::DbError;

use crate::core::Core;
use crate::paths;
use crate::settings::Settings;
use crate::store::types::{self, StoredType};

/// A type in one version.
#[derive(Debug)]
pub struct TypeVersion {
    /// The type.
    pub kind: Arc<CredentialType>,
    /// The version; 0 is that of a file.
    pub version: i64,
    /// Its description (TOML).
    pub text: String,
    /// Its type metadata, where its `vct` is a URL below `/types/` of this service.
    pub metadata: Option<Published>,
}

/// A type metadata document as it is served.
#[derive(Debug)]
pub struct Published {
    /// The document.
    pub document: Bytes,
    /// `vct#integrity`
    pub integrity: String,
}

impl TypeVersion {
    fn new(settings: &Settings, kind: Arc<CredentialType>, version: i64, text: String) -> Self {
        let metadata = published(settings, &kind);
        Self {
            kind,
            version,
            text,
            metadata,
        }
    }
}

/// The type metadata of a type whose `vct` is ours to serve.
pub fn published(settings: &Settings, kind: &CredentialType) -> Option<Published> {
    let path = kind.vct.strip_prefix(&settings.issuer)?;
    if !path.starts_with(paths::TYPES) || path.contains(['?', '#']) {
        return None;
    }
    let document = kind.type_metadata(&|picture| picture_url(settings, picture));
    let document = document.to_string();
    Some(Published {
        integrity: Integrity::of(document.as_bytes()),
        document: Bytes::from(document),
    })
}

/// Where a picture is served.
pub fn picture_url(settings: &Settings, picture: &Picture) -> String {
    settings.url(&paths::PICTURE.replace("{name}", &picture.name()))
}

#[derive(Debug, Default, Clone)]
struct Snapshot {
    /// How many versions the database had.
    stored: i64,
    current: BTreeMap<String, Arc<TypeVersion>>,
    all: BTreeMap<(String, i64), Arc<TypeVersion>>,
}

impl Snapshot {
    fn add(&mut self, version: TypeVersion) {
        let (id, version) = (version.kind.id.clone(), Arc::new(version));
        let is_newest = self
            .current
            .get(&id)
            .is_none_or(|current| current.version < version.version);
        if is_newest {
            self.current.insert(id.clone(), Arc::clone(&version));
        }
        self.all.insert((id, version.version), version);
    }
}

/// The types as they are known now.
#[derive(Debug, Default)]
pub struct Types(RwLock<Arc<Snapshot>>);

impl Types {
    /// The types of files.
    pub fn new(
        settings: &Settings,
        files: BTreeMap<String, (Arc<CredentialType>, String)>,
    ) -> Self {
        let mut snapshot = Snapshot::default();
        for (kind, text) in files.into_values() {
            snapshot.add(TypeVersion::new(settings, kind, 0, text));
        }
        Self(RwLock::new(Arc::new(snapshot)))
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        // What is behind the lock is replaced as a whole.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The newest version of a type.
    pub fn current(&self, id: &str) -> Option<Arc<TypeVersion>> {
        self.snapshot().current.get(id).cloned()
    }

    /// The newest versions of all types, by id.
    pub fn all_current(&self) -> Vec<Arc<TypeVersion>> {
        self.snapshot().current.values().cloned().collect()
    }

    /// A version of a type.
    pub fn version(&self, id: &str, version: i64) -> Option<Arc<TypeVersion>> {
        self.snapshot().all.get(&(id.to_owned(), version)).cloned()
    }

    /// The version whose type metadata are served under this URL: the newest one that has it.
    pub fn by_vct(&self, vct: &str) -> Option<Arc<TypeVersion>> {
        let snapshot = self.snapshot();
        let mut found = snapshot.all.values().filter(|one| one.kind.vct == vct);
        found
            .next_back()
            .filter(|one| one.metadata.is_some())
            .cloned()
    }

    /// The picture with this name.
    pub fn picture(&self, name: &str) -> Option<Picture> {
        let snapshot = self.snapshot();
        let mut pictures = snapshot
            .all
            .values()
            .flat_map(|one| one.kind.card.pictures());
        pictures.find(|picture| picture.name() == name).cloned()
    }

    /// [`Self::refresh`] in the background, where a failure is tried again.
    pub async fn follow(&self, core: &Core) {
        if let Err(error) = self.refresh(core).await {
            tracing::error!(error = &error as &dyn std::error::Error, "types failed");
        }
    }

    /// Reads what came over REST since: by this process or by another one.
    pub async fn refresh(&self, core: &Core) -> Result<(), DbError> {
        let stored = types::count(&core.db).await?;
        if stored == self.snapshot().stored {
            return Ok(());
        }
        let rows = types::all(&core.db).await?;
        let mut next = Snapshot::clone(&self.snapshot());
        next.stored = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        for row in rows {
            let StoredType {
                id,
                version,
                text,
                created_at: _,
            } = row;
            if next.all.contains_key(&(id.clone(), version)) {
                continue;
            }
            match CredentialType::from_toml(&text) {
                Ok(kind) => {
                    let kind = Arc::new(kind);
                    next.add(TypeVersion::new(&core.settings, kind, version, text));
                }
                // It was read when it came; what does not now is left alone, and nothing else fails.
                Err(error) => tracing::error!(id, version, %error, "a stored type cannot be read"),
            }
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }
}

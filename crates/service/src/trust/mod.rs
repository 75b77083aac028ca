//! Lists of trusted entities from a file or the web, kept up to date.
//!
//! A source gives anchors while it holds a list that may be used, and none afterwards: past the
//! next update of its list, or before the first import, nobody on it is trusted.
//!
//! The sequence number of the newest list is kept in a file when one is given
//! ([`TrustSource::checkpoint`]); without one it lives in memory, and a restart accepts an older
//! list that is still within its next update.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use vouchsafe_credentials::{
    crypto::CryptoProvider,
    time::UnixTime,
    trust::{
        Checkpoint, ListKind, ListPolicy, MAX_XML_BYTES, TrustList, TrustListError, import_lote,
        import_trusted_list,
    },
    x509::{Role, TrustAnchors, X509Error},
};

use crate::fetch::{FetchError, Fetcher, Limits};

/// How often a list is looked for before its next update, in seconds.
const REFRESH_S: i64 = 6 * 60 * 60;
/// How long to wait after a failure, in seconds.
const RETRY_S: i64 = 5 * 60;

/// Where a list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file.
    File(PathBuf),
    /// An `https` address.
    Url(String),
}

/// In what form it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// ETSI TS 119 602: compact JAdES.
    Lote,
    /// ETSI TS 119 612: XML.
    Xml,
}

/// A list and what is demanded of it.
#[derive(Clone, Debug)]
pub struct TrustSource {
    /// Where it is.
    pub location: Location,
    /// In what form.
    pub form: Form,
    /// What it must be about.
    pub kind: ListKind,
    /// The territory it must be of.
    pub territory: Option<String>,
    /// Who may sign it (role [`Role::ListOperator`]).
    pub operators: TrustAnchors,
    /// The file that remembers the newest list.
    pub checkpoint: Option<PathBuf>,
}

/// Why a list was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TrustLoadError {
    /// The file cannot be read or written.
    #[error("a file of the trust list cannot be used")]
    File(#[source] std::io::Error),
    /// The file that remembers the newest list is not readable as such: never ignored.
    #[error("the checkpoint of the trust list is damaged")]
    Checkpoint(#[source] serde_json::Error),
    /// No answer.
    #[error("the trust list cannot be fetched")]
    Fetch(#[source] FetchError),
    /// An error as answer.
    #[error("the host of the trust list answers with status {0}")]
    Status(u16),
    /// Refused.
    #[error("the trust list is refused")]
    List(#[source] TrustListError),
    /// The import did not come to an end.
    #[error("the import of the trust list was stopped")]
    Stopped(#[source] tokio::task::JoinError),
    /// A certificate on it cannot be an anchor.
    #[error("a certificate of the trust list is unusable")]
    Anchor(#[source] X509Error),
}

/// A source with the list it has now.
pub struct TrustLists {
    source: Arc<TrustSource>,
    fetcher: Fetcher,
    crypto: Arc<dyn CryptoProvider>,
    state: RwLock<State>,
    /// One refresh at a time: of two, the slower could put an older list back.
    refreshing: tokio::sync::Mutex<()>,
}

type Anchors = HashMap<Role, Arc<TrustAnchors>>;

#[derive(Default)]
struct State {
    list: Option<TrustList>,
    anchors: Anchors,
    known: Option<Checkpoint>,
    next_try: Option<UnixTime>,
}

impl std::fmt::Debug for TrustLists {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TrustLists")
            .field(&self.source.location)
            .finish()
    }
}

impl TrustLists {
    /// A source without a list yet.
    ///
    /// # Errors
    /// When the checkpoint file exists and cannot be read.
    pub fn open(
        source: TrustSource,
        fetcher: Fetcher,
        crypto: Arc<dyn CryptoProvider>,
    ) -> Result<Self, TrustLoadError> {
        let known = match &source.checkpoint {
            Some(path) => read_checkpoint(path)?,
            None => None,
        };
        let state = State {
            known,
            ..State::default()
        };
        Ok(Self {
            source: Arc::new(source),
            fetcher,
            crypto,
            state: RwLock::new(state),
            refreshing: tokio::sync::Mutex::default(),
        })
    }

    /// Anchors of a role, while the list may be used; no list, or one past its next update: none.
    #[must_use]
    pub fn anchors(&self, role: Role, now: UnixTime) -> Option<Arc<TrustAnchors>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let list = state.list.as_ref()?;
        if !list.usable_at(now) {
            return None;
        }
        state.anchors.get(&role).map(Arc::clone)
    }

    /// Whether [`Self::refresh`] is due.
    #[must_use]
    pub fn is_due(&self, now: UnixTime) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.next_try.is_none_or(|at| at <= now)
    }

    /// Looks for a newer list, one caller at a time. On an error the list there is stays, until its next update.
    ///
    /// # Errors
    /// See [`TrustLoadError`].
    pub async fn refresh(&self, now: UnixTime) -> Result<(), TrustLoadError> {
        let _alone = self.refreshing.lock().await;
        let taken = self.take(now).await;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match taken {
            Ok((list, anchors)) => {
                let next_update = list.next_update;
                state.next_try = Some(now.plus(REFRESH_S).min(next_update));
                state.known = Some(list.checkpoint);
                (state.list, state.anchors) = (Some(list), anchors);
                Ok(())
            }
            Err(error) => {
                state.next_try = Some(now.plus(RETRY_S));
                Err(error)
            }
        }
    }

    async fn take(&self, now: UnixTime) -> Result<(TrustList, Anchors), TrustLoadError> {
        let octets = self.octets().await?;
        let known = {
            let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
            state.known
        };
        let (source, crypto) = (Arc::clone(&self.source), Arc::clone(&self.crypto));
        // Megabytes of XML and a signature: not on the threads that answer requests.
        tokio::task::spawn_blocking(move || import(&octets, &source, known, now, crypto.as_ref()))
            .await
            .map_err(TrustLoadError::Stopped)?
    }

    async fn octets(&self) -> Result<Vec<u8>, TrustLoadError> {
        match &self.source.location {
            Location::File(path) => {
                let length = tokio::fs::metadata(path)
                    .await
                    .map_err(TrustLoadError::File)?;
                if length.len() > MAX_XML_BYTES as u64 {
                    return Err(TrustLoadError::List(TrustListError::TooLarge));
                }
                tokio::fs::read(path).await.map_err(TrustLoadError::File)
            }
            Location::Url(url) => {
                let limits = Limits::TRUST_LIST;
                let response = self.fetcher.get(url, "*/*", limits).await;
                let response = response.map_err(TrustLoadError::Fetch)?;
                if response.status != 200 {
                    return Err(TrustLoadError::Status(response.status));
                }
                Ok(response.body)
            }
        }
    }
}

/// Reads and verifies a list, and remembers it.
fn import(
    octets: &[u8],
    source: &TrustSource,
    known: Option<Checkpoint>,
    now: UnixTime,
    crypto: &dyn CryptoProvider,
) -> Result<(TrustList, Anchors), TrustLoadError> {
    let policy = ListPolicy {
        kind: source.kind,
        territory: source.territory.as_deref(),
        operators: &source.operators,
        known,
        now,
    };
    let list = match source.form {
        Form::Xml => import_trusted_list(octets, &policy, crypto),
        Form::Lote => match std::str::from_utf8(octets) {
            Ok(compact) => import_lote(compact, &policy, crypto),
            Err(_) => Err(TrustListError::Malformed("not UTF-8")),
        },
    };
    let list = list.map_err(TrustLoadError::List)?.into_inner();
    let mut anchors = HashMap::new();
    for role in [
        Role::Issuer,
        Role::MdocIssuer,
        Role::WalletProvider,
        Role::Status,
        Role::VerifierAccess,
    ] {
        let of_role = list.anchors(role).map_err(TrustLoadError::Anchor)?;
        if !of_role.is_empty() {
            anchors.insert(role, Arc::new(of_role));
        }
    }
    // Before it is used: what was remembered must not be lost by a crash.
    if let Some(path) = &source.checkpoint
        && known != Some(list.checkpoint)
    {
        write_checkpoint(path, list.checkpoint)?;
    }
    Ok((list, anchors))
}

fn read_checkpoint(path: &Path) -> Result<Option<Checkpoint>, TrustLoadError> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(TrustLoadError::Checkpoint),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TrustLoadError::File(error)),
    }
}

/// Whole or not at all: a new file takes the place of the old one.
fn write_checkpoint(path: &Path, checkpoint: Checkpoint) -> Result<(), TrustLoadError> {
    let text = serde_json::to_vec(&checkpoint).map_err(TrustLoadError::Checkpoint)?;
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).map_err(TrustLoadError::File)?;
    std::fs::File::open(&fresh)
        .and_then(|file| file.sync_all())
        .and_then(|()| std::fs::rename(&fresh, path))
        .map_err(TrustLoadError::File)
}

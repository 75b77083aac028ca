//! Applications that are known by a document at their `client_id`
//! (draft-ietf-oauth-client-id-metadata-document-02). Off unless `[client_documents]` is written.
//!
//! A document that cannot be had or does not count is as good as an unknown application: whoever
//! came with it sees a page and is sent nowhere. It is never kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use url::Url;
use vouchsafe_credentials::json::parse_object;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::http::is_loopback_url;
use vouchsafe_protocol::oauth::registration::{
    ClientAuthentication, ClientMetadata, MetadataError,
};

use super::build;
use crate::app::Parts;
use crate::config::{Client, Documents, Standing};
use crate::domain::ids::ClientId;
use crate::outbound::{ClientDocument, OutboundError};
use crate::store::{StoreError, clients};
use crate::views::chain;

/// A document is kept so many seconds at least: a login reads it several times.
const KEPT_LEAST_S: i64 = 60;
/// So many where its host says nothing (section 5.2).
const KEPT_S: i64 = 300;
/// So many at most.
const KEPT_MOST_S: i64 = 3600;
/// Documents that are kept at once. Whoever names many pushes others out, no more.
const KEPT: usize = 1000;

/// Why a document does not count.
#[derive(Debug, thiserror::Error)]
enum DocumentError {
    /// The `client_id` (section 3).
    #[error("the client_id is no address of a document")]
    Address,
    /// The operator does not take documents from there.
    #[error("documents of this host are not taken")]
    Host,
    /// No document.
    #[error("the document cannot be had")]
    Fetch(#[from] OutboundError),
    /// Not JSON.
    #[error("the document is no JSON object")]
    Json,
    /// Section 4: it is of another client.
    #[error("the client_id in the document is another one")]
    OtherClient,
    /// Section 4.1.
    #[error("the document has a secret")]
    Secret,
    /// Section 8.1: people would be sent to somebody else.
    #[error("a redirect URI is of another origin")]
    Origin,
    /// An address in it that is never asked.
    #[error("an address in the document is not asked")]
    Inner,
    /// A member.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// Whether an id is an address.
pub fn is_address(id: &str) -> bool {
    id.starts_with("https://")
}

/// The host of an id that is an address: what people know its application by (section 8.5).
pub fn host(id: &str) -> Option<String> {
    let url = is_address(id).then(|| Url::parse(id).ok()).flatten()?;
    url.host_str().map(str::to_owned)
}

struct Kept {
    client: Arc<Client>,
    at: UnixTime,
    until: UnixTime,
}

/// Documents that were read a moment ago.
#[derive(Default)]
pub struct Shelf(Mutex<HashMap<ClientId, Kept>>);

impl Shelf {
    fn find(&self, id: &ClientId, now: UnixTime) -> Option<Arc<Client>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that went back makes nothing fresh for longer.
        let fresh = |kept: &&Kept| kept.at <= now && now < kept.until;
        let found = kept.get(id).filter(fresh);
        found.map(|kept| Arc::clone(&kept.client))
    }

    fn put(&self, client: &Arc<Client>, now: UnixTime, lives_s: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.retain(|_, kept| now < kept.until);
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        let until = now.plus(lives_s);
        let fresh = Kept {
            client: Arc::clone(client),
            at: now,
            until,
        };
        kept.insert(client.id.clone(), fresh);
    }
}

/// The application of an address.
pub(super) async fn client(app: &Parts, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
    let Some(documents) = &app.settings.documents else {
        return Ok(None);
    };
    if clients::is_disabled(&app.db, id).await? {
        return Ok(None);
    }
    if let Some(kept) = app.documents.find(id, app.now()) {
        return Ok(Some(kept));
    }
    match read(app, documents, id).await {
        Ok(client) => Ok(Some(client)),
        Err(error) => {
            tracing::info!(reason = %chain(&error), "a client document does not count");
            Ok(None)
        }
    }
}

async fn read(
    app: &Parts,
    documents: &Documents,
    id: &ClientId,
) -> Result<Arc<Client>, DocumentError> {
    let url = address(id, documents)?;
    let ClientDocument { body, max_age } = app.outbound.client_document(&url).await?;
    let client = Arc::new(parse(app, documents, (id, &url), &body)?);
    let lives_s = max_age.unwrap_or(KEPT_S).clamp(KEPT_LEAST_S, KEPT_MOST_S);
    app.documents.put(&client, app.now(), lives_s);
    Ok(client)
}

/// Section 3. Stricter than there: an address is taken only as a browser would write it, so two
/// texts are never one address, and without a query, so a host has no endless row of clients.
fn address(id: &ClientId, documents: &Documents) -> Result<Url, DocumentError> {
    let url = Url::parse(id.as_str()).map_err(|_| DocumentError::Address)?;
    let plain = url.scheme() == "https"
        && url.as_str() == id.as_str()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !plain {
        return Err(DocumentError::Address);
    }
    let host = url.host_str().ok_or(DocumentError::Address)?;
    match documents.allow(host) {
        true => Ok(url),
        false => Err(DocumentError::Host),
    }
}

fn parse(
    app: &Parts,
    documents: &Documents,
    (id, url): (&ClientId, &Url),
    body: &[u8],
) -> Result<Client, DocumentError> {
    let mut object = parse_object(body).map_err(|_| DocumentError::Json)?;
    // Section 4: simple string comparison.
    if object.get("client_id").and_then(Value::as_str) != Some(id.as_str()) {
        return Err(DocumentError::OtherClient);
    }
    if object.contains_key("client_secret") || object.contains_key("client_secret_expires_at") {
        return Err(DocumentError::Secret);
    }
    // Section 4.3: it may have one; nobody's word counts here.
    object.remove("software_statement");
    let metadata = metadata(app, documents, &object)?;
    let https = |uri: &Url| uri.scheme() == "https";
    for uri in metadata.redirect_uris.iter() {
        let uri = uri.to_url();
        let own = https(&uri) && uri.origin() == url.origin();
        // An application on the person's own machine has no origin.
        if !own && (https(&uri) || !is_loopback_url(&uri)) {
            return Err(DocumentError::Origin);
        }
    }
    let client = build(id, metadata, None, Standing::Document, &documents.allowed)?;
    Ok(Client {
        // Section 8.5: people see whose document it is.
        host: url.host_str().map(str::to_owned),
        ..client
    })
}

fn metadata(
    app: &Parts,
    documents: &Documents,
    object: &Map<String, Value>,
) -> Result<ClientMetadata, DocumentError> {
    let metadata = ClientMetadata::parse(object, &documents.allowed.offered)?;
    if metadata.sector_identifier_uri.is_some() {
        let refused = MetadataError::Member {
            name: "sector_identifier_uri",
            reason: "is not read in a document",
        };
        return Err(refused.into());
    }
    let keys = match &metadata.authentication {
        ClientAuthentication::KeysAt(uri) => Some(uri),
        _ => None,
    };
    // Section 8.6.
    let mut inner = keys.into_iter().chain(&metadata.backchannel_logout_uri);
    if !inner.all(|uri| app.outbound.may_ask(uri)) {
        return Err(DocumentError::Inner);
    }
    Ok(metadata)
}

//! `[[resource_server]]`: services that take access tokens of applications and ask about them.

use std::path::PathBuf;

use serde::Deserialize;

use super::authentication::{Authentication, Written};
use super::client::Client;
use super::error::ConfigError;
use crate::domain::ids::ClientId;

/// A resource server, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceServerConfig {
    /// The `client_id` that it authenticates with.
    pub id: String,
    /// Its secret.
    pub secret: Option<String>,
    /// The same from a file.
    pub secret_file: Option<PathBuf>,
    /// Its public keys instead of a secret (`private_key_jwt`): a JSON Web Key Set.
    pub jwks: Option<String>,
    /// The same from a file.
    pub jwks_file: Option<PathBuf>,
    /// Where it publishes them.
    pub jwks_uri: Option<String>,
    /// The applications whose tokens it may ask about. It learns the person as these know them.
    pub clients: Vec<String>,
}

/// A checked resource server.
#[derive(Debug, Clone)]
pub struct ResourceServer {
    /// Its `client_id`.
    pub id: ClientId,
    /// How it proves that.
    pub authentication: Authentication,
    clients: Vec<ClientId>,
}

impl ResourceServer {
    /// Checks a resource server against the applications.
    pub fn parse(
        config: &ResourceServerConfig,
        clients: &[Client],
        loopback_http: bool,
    ) -> Result<Self, ConfigError> {
        let ResourceServerConfig {
            id,
            secret,
            secret_file,
            jwks,
            jwks_file,
            jwks_uri,
            clients: named,
        } = config;
        let refuse = |reason: &str| ConfigError::ResourceServer {
            id: id.clone(),
            reason: reason.to_owned(),
        };
        if id.is_empty() {
            return Err(refuse("id is empty"));
        }
        let authentication = Authentication::parse(Written {
            secret: secret.as_deref(),
            secret_file: secret_file.as_deref(),
            jwks: jwks.as_deref(),
            jwks_file: jwks_file.as_deref(),
            jwks_uri: jwks_uri.as_deref(),
            loopback_http,
        })
        .map_err(|reason| refuse(&reason))?;
        // RFC 7662, section 2.1: who asks proves who they are.
        if !authentication.is_confidential() {
            return Err(refuse("it needs a secret or keys"));
        }
        if named.is_empty() {
            return Err(refuse("clients is empty: there is nothing to ask about"));
        }
        let unknown = named
            .iter()
            .find(|name| !clients.iter().any(|client| client.id.as_str() == **name));
        if let Some(unknown) = unknown {
            return Err(refuse(&format!("no client has the id {unknown}")));
        }
        Ok(Self {
            id: ClientId::from_text(id.clone()),
            authentication,
            clients: named.iter().cloned().map(ClientId::from_text).collect(),
        })
    }

    /// Whether it may ask about tokens of this application.
    #[must_use]
    pub fn serves(&self, client: &ClientId) -> bool {
        self.clients.contains(client)
    }
}

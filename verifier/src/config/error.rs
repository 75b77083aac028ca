//! Why a configuration is refused. Every text names the place and what to do; none names a secret.

/// A configuration that the service does not start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// `[[trust.issuer]]`.
    #[error("trust.issuer {issuer}: {reason}")]
    Trust {
        /// Which.
        issuer: String,
        /// Why.
        reason: String,
    },
    /// `[[query]]`.
    #[error("query {id}: {reason}")]
    Query {
        /// Which.
        id: String,
        /// Why.
        reason: String,
    },
    /// A query without a subject strategy.
    #[error("query {query}: choose subject.strategy, \"guest\" or \"issuer_scoped_claim\"")]
    NoSubjectStrategy {
        /// Which.
        query: String,
    },
    /// An account would hang on a claim that may change hands.
    #[error(
        "query {query}: {claim} of {vct} is not declared stable by every trusted issuer (trust.issuer.stable_claims)"
    )]
    ClaimNotStable {
        /// Which query.
        query: String,
        /// Which claim.
        claim: String,
        /// Of which type.
        vct: String,
    },
    /// `[[attribute]]`.
    #[error("attribute {name}: {reason}")]
    Attribute {
        /// Which.
        name: String,
        /// Why.
        reason: String,
    },
    /// `[[client]]`.
    #[error("client {id}: {reason}")]
    Client {
        /// Which.
        id: String,
        /// Why.
        reason: String,
    },
    /// `[[resource_server]]`.
    #[error("resource_server {id}: {reason}")]
    ResourceServer {
        /// Which.
        id: String,
        /// Why.
        reason: String,
    },
    /// Two things of one kind have the same name.
    #[error("{kind} {id} occurs twice")]
    Duplicate {
        /// What.
        kind: &'static str,
        /// Which.
        id: String,
    },
    /// `[keys]`.
    #[error("keys.{name}: {reason}")]
    Key {
        /// Which.
        name: &'static str,
        /// Why.
        reason: String,
    },
    /// Catalogue 379: one key for two purposes.
    #[error("keys.{first} and keys.{second} are the same key; every purpose needs its own")]
    SharedKey {
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// Files of `[journeys]`: a line for each mistake, with file, line and column.
    #[error("{0}")]
    Journeys(String),
    /// A section that the services share.
    #[error("{0}")]
    Shared(String),
}

impl ConfigError {
    pub(super) fn query(id: &str, reason: &str) -> Self {
        Self::Query {
            id: id.to_owned(),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn attribute(name: &str, reason: &str) -> Self {
        Self::Attribute {
            name: name.to_owned(),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn client(id: &str, reason: &str) -> Self {
        Self::Client {
            id: id.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

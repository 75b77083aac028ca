//! Who calls, with a key or an access token, allowed to do what.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use vouchsafe_service::api_keys::{self, ApiCaller};
use vouchsafe_service::db::{DbError, Tx};

use super::error::ApiError;
use crate::author::Author;
use crate::core::Core;

/// What a key may do. There are no wildcards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read offers.
    OffersRead,
    /// Prepare offers.
    OffersWrite,
    /// Read credentials.
    CredentialsRead,
    /// Suspend, resume, revoke.
    CredentialsWrite,
    /// Suspend, resume and revoke many at once.
    StatusJobsWrite,
    /// Read credential types.
    TypesRead,
    /// Make credential types.
    TypesWrite,
    /// Read the audit log.
    AuditRead,
    /// Read who is told of events, and how messages fared.
    WebhooksRead,
    /// Say who is told of events.
    WebhooksWrite,
}

impl Scope {
    /// All scopes, for a key that may do everything here.
    pub const ALL: [Self; 10] = [
        Self::OffersRead,
        Self::OffersWrite,
        Self::CredentialsRead,
        Self::CredentialsWrite,
        Self::StatusJobsWrite,
        Self::TypesRead,
        Self::TypesWrite,
        Self::AuditRead,
        Self::WebhooksRead,
        Self::WebhooksWrite,
    ];

    /// For people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::OffersRead => "Read offers",
            Self::OffersWrite => "Prepare offers",
            Self::CredentialsRead => "Read credentials and status jobs",
            Self::CredentialsWrite => "Suspend, resume, revoke, expire, renew, supersede",
            Self::StatusJobsWrite => "Suspend, resume and revoke many at once",
            Self::TypesRead => "Read credential types",
            Self::TypesWrite => "Make credential types",
            Self::AuditRead => "Read the audit log",
            Self::WebhooksRead => "Read who is told of events",
            Self::WebhooksWrite => "Say who is told of events",
        }
    }

    /// The name that is stored with a key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OffersRead => "offers:read",
            Self::OffersWrite => "offers:write",
            Self::CredentialsRead => "credentials:read",
            Self::CredentialsWrite => "credentials:write",
            Self::StatusJobsWrite => "status-jobs:write",
            Self::TypesRead => "types:read",
            Self::TypesWrite => "types:write",
            Self::AuditRead => "audit:read",
            Self::WebhooksRead => "webhooks:read",
            Self::WebhooksWrite => "webhooks:write",
        }
    }
}

/// An authenticated caller and the parts of the service.
#[derive(Debug, Clone)]
pub struct Call {
    /// Parts of the service.
    pub core: Core,
    /// The owner of the key or the token.
    pub caller: ApiCaller,
}

impl Call {
    /// Refuses a key without the scope.
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        if self.caller.may(scope.as_str()) {
            Ok(())
        } else {
            Err(ApiError::Forbidden(scope))
        }
    }
}

impl Call {
    /// Records what this caller does, in the transaction that does it: without a record there is no
    /// change (security default 12).
    pub async fn audit(
        &self,
        tx: &mut Tx,
        action: &'static str,
        target: &str,
        detail: &str,
    ) -> Result<(), DbError> {
        let author = self.author();
        author.audit(&self.core, tx, action, target, detail).await
    }

    /// Who this is in the audit log.
    pub fn author(&self) -> Author {
        Author::new(self.caller.actor())
    }
}

impl FromRequestParts<Core> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, core: &Core) -> Result<Self, ApiError> {
        let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
        let (Some(header), None) = (headers.next(), headers.next()) else {
            return Err(ApiError::Unauthorized);
        };
        let text = header.to_str().map_err(|_| ApiError::Unauthorized)?;
        let (scheme, key) = text.split_once(' ').ok_or(ApiError::Unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::Unauthorized);
        }
        let now = core.clock.now();
        let caller = api_keys::authenticate(&core.db, key, now).await?;
        let caller = caller.ok_or(ApiError::InvalidToken)?;
        Ok(Self {
            core: core.clone(),
            caller,
        })
    }
}

//! Tokens that were just made: an access token and, where they are issued, a refresh token.

use vouchsafe_credentials::time::UnixTime;
use vouchsafe_protocol::oauth::authorization_details::GrantedDetails;
use vouchsafe_protocol::oauth::values::Scopes;
use vouchsafe_service::db::{DbError, Tx};

use super::{Granted, RedeemError, TokenHolder};
use crate::claims::{self, Origin};
use crate::core::Core;
use crate::domain::ids::{OfferId, RecordId};
use crate::domain::secret::{Purpose, Secret, SecretHash};
use crate::store::refresh_tokens::{self, RefreshGrant};
use crate::store::tokens::{self, TokenGrant};

/// What the tokens of one authorization have in common.
pub(super) struct Basis {
    pub offer: OfferId,
    pub record: RecordId,
    pub credential_type: String,
    /// What belongs to the same authorization.
    pub family: String,
    /// Configurations that were granted with `authorization_details`.
    pub details: Vec<String>,
    /// The same of the whole authorization: what a refresh token may bring.
    pub granted: Vec<String>,
    /// Whether the organisation has yet to decide.
    pub waits: bool,
    /// What the scopes of the request became, where that is something else.
    pub scope: Option<String>,
}

pub(super) struct FreshTokens {
    access: Secret,
    grant: TokenGrant,
    refresh: Option<(Secret, RefreshGrant)>,
    scope: Option<String>,
}

impl FreshTokens {
    /// An access token, and a refresh token where the service issues them.
    pub(super) fn make(core: &Core, basis: &Basis, holder: &TokenHolder, claims: &Origin) -> Self {
        let ends = core.clock.now().plus(core.settings.lifetimes.refresh_s);
        let with_refresh = core.settings.refresh_tokens.then_some(ends);
        Self::with_refresh(core, basis, holder, claims, with_refresh)
    }

    /// An access token, and a refresh token that ends at a moment.
    pub(super) fn with_refresh(
        core: &Core,
        basis: &Basis,
        holder: &TokenHolder,
        claims: &Origin,
        refresh_until: Option<UnixTime>,
    ) -> Self {
        let access = Secret::generate(&*core.rng);
        let (lifetimes, now) = (&core.settings.lifetimes, core.clock.now());
        // A decision takes days. Without refresh tokens the token itself comes back for it.
        let long = lifetimes.token_s.saturating_add(lifetimes.transaction_s);
        let waits = basis.waits && !core.settings.refresh_tokens;
        let grant = TokenGrant {
            claims_sealed: claims::seal_under_token(core, &access, &basis.offer, claims),
            offer: basis.offer.clone(),
            credential_type: basis.credential_type.clone(),
            record: basis.record.clone(),
            client_id: holder.client_id.clone(),
            dpop_jkt: holder.dpop_jkt.clone(),
            family: Some(basis.family.clone()),
            details: basis.details.clone(),
            expires_at: now.plus(lifetimes.token_s),
            deferred_until: waits.then(|| now.plus(long)),
        };
        let refresh = refresh_until.map(|expires_at| {
            let token = Secret::generate(&*core.rng);
            let claims_sealed = claims::seal_under_refresh(core, &token, &basis.offer, claims);
            let grant = RefreshGrant {
                family: basis.family.clone(),
                offer: basis.offer.clone(),
                credential_type: basis.credential_type.clone(),
                record: basis.record.clone(),
                client_id: holder.client_id.clone(),
                dpop_jkt: holder.dpop_jkt.clone(),
                instance: holder.instance.clone(),
                details: basis.granted.clone(),
                claims_sealed,
                expires_at,
            };
            (token, grant)
        });
        Self {
            access,
            grant,
            refresh,
            scope: basis.scope.clone(),
        }
    }

    /// The rows, for the transaction that makes the tokens good.
    pub(super) fn rows(&self) -> Rows {
        Rows {
            access: (self.access.hash(Purpose::AccessToken), self.grant.clone()),
            refresh: self
                .refresh
                .as_ref()
                .map(|(token, grant)| (token.hash(Purpose::RefreshToken), grant.clone())),
        }
    }

    /// For the answer.
    pub(super) fn granted(self, core: &Core) -> Granted {
        let ends = self.grant.deferred_until.unwrap_or(self.grant.expires_at);
        let details = self.grant.details.iter().map(|configuration| {
            let record = &self.grant.record;
            let identifier = core.keys.credential_identifier(record, configuration);
            GrantedDetails::new(configuration.clone(), identifier)
        });
        Granted {
            details: details.collect(),
            token: self.access,
            expires_in_s: ends.seconds() - core.clock.now().seconds(),
            bound: self.grant.dpop_jkt.is_some(),
            refresh: self.refresh.map(|(token, _)| token),
            scope: self.scope,
        }
    }
}

/// The rows of fresh tokens.
pub(super) struct Rows {
    access: (SecretHash, TokenGrant),
    refresh: Option<(SecretHash, RefreshGrant)>,
}

impl Rows {
    pub(super) async fn insert(&self, tx: &mut Tx) -> Result<(), DbError> {
        let (hash, grant) = &self.access;
        tokens::insert(tx, hash, grant).await?;
        if let Some((hash, grant)) = &self.refresh {
            refresh_tokens::insert(tx, hash, grant).await?;
        }
        Ok(())
    }
}

/// What is granted of what the token request asks for (OpenID4VCI 1.0, section 6.1.1): the same
/// as before or less.
pub(super) fn narrow(
    core: &Core,
    credential_type: &str,
    granted: Vec<String>,
    asked: Option<&[String]>,
) -> Result<Vec<String>, RedeemError> {
    let Some(asked) = asked else {
        return Ok(granted);
    };
    let fits = |id: &&String| {
        (granted.is_empty() || granted.contains(id))
            && core.is_configuration_of(id, credential_type)
    };
    let narrowed: Vec<String> = asked.iter().filter(fits).cloned().collect();
    if narrowed.is_empty() {
        return Err(RedeemError::Details);
    }
    Ok(narrowed)
}

/// What the scopes of a token request became, where that is something else. Those that nobody knows
/// are left out; those of another card were never granted.
pub(super) fn asked_scope(
    core: &Core,
    credential_type: &str,
    asked: &Scopes,
) -> Result<Option<String>, RedeemError> {
    let asked: Vec<String> = asked.iter().map(str::to_owned).collect();
    let foreign = |id: &String| {
        core.configuration(id).is_some() && !core.is_configuration_of(id, credential_type)
    };
    match asked.iter().any(foreign) {
        true => Err(RedeemError::Scope),
        false => Ok(granted_scope(core, credential_type, &asked)),
    }
}

/// What these scopes became, where that is something else than was asked (RFC 6749, section 5.1).
/// Unknown ones are ignored (OpenID4VCI 1.0, section 5.1.2).
pub(super) fn granted_scope(
    core: &Core,
    credential_type: &str,
    asked: &[String],
) -> Option<String> {
    let fits = |id: &&String| core.is_configuration_of(id, credential_type);
    let granted: Vec<&str> = asked.iter().filter(fits).map(String::as_str).collect();
    if granted.len() == asked.len() {
        None
    } else if granted.is_empty() {
        let kind = core.credential_type(credential_type)?;
        Some(core.configuration_ids(&kind).join(" "))
    } else {
        Some(granted.join(" "))
    }
}

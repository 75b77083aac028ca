//! The relying party at one provider.

use std::sync::Arc;

use vouchsafe_credentials::{random::Rng, time::Clock};

use super::begin::{Ask, Pending, Start};
use super::callback::Callback;
use super::discovery::Metadata;
use super::exchange::{Poster, Tokens};
use super::id_token::{self, IdTokenError, Wanted};
use super::identity::Identity;
use super::keys::Cache;
use super::settings::ProviderSettings;
use super::{UpstreamError, user_info};
use crate::fetch::{Fetcher, Limits};
use crate::jose::JoseError;

/// The relying party at one provider. Cheap to clone; clones share what they know of it.
#[derive(Clone)]
pub struct Upstream {
    settings: Arc<ProviderSettings>,
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    cache: Arc<Cache>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upstream({})", self.settings.issuer)
    }
}

impl Upstream {
    /// A relying party. Nothing is fetched before somebody signs in.
    pub fn new(
        settings: ProviderSettings,
        fetcher: Fetcher,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        Self {
            settings: Arc::new(settings),
            fetcher,
            clock,
            rng,
            cache: Arc::default(),
        }
    }

    /// The issuer identifier of the provider.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// [`UpstreamError`]; temporary where the provider does not answer.
    pub async fn begin(&self, ask: &Ask) -> Result<Start, UpstreamError> {
        let metadata = self.metadata().await?;
        let now = self.clock.now();
        let pending = Pending::new(&self.settings, ask, &*self.rng, now);
        let parameters = pending.parameters(&self.settings, ask);
        let mut url = metadata.authorization_endpoint.clone();
        if let Some(endpoint) = &metadata.pushed_requests {
            // Anybody can begin a sign-in: that leaves places for those who end one.
            let place = self
                .fetcher
                .place_for_anybody(endpoint, Limits::EXCHANGE.total);
            let _place = place.await?;
            let request_uri = self.poster(&metadata).push(endpoint, &parameters).await?;
            // RFC 9126, section 4.
            url.query_pairs_mut()
                .append_pair("client_id", &self.settings.client_id)
                .append_pair("request_uri", &request_uri);
        } else {
            url.query_pairs_mut().extend_pairs(&parameters);
        }
        let url = url.into();
        Ok(Start { url, pending })
    }

    /// Ends a sign-in: checks what came back, exchanges the code, checks the ID token.
    ///
    /// The caller sees to it that a pending sign-in is used once and by the browser that began it;
    /// see [`super::flows`].
    ///
    /// # Errors
    /// [`UpstreamError`].
    pub async fn finish(
        &self,
        pending: Pending,
        callback: Callback,
    ) -> Result<Identity, UpstreamError> {
        if pending.state != callback.state {
            return Err(UpstreamError::State);
        }
        // RFC 9700, sections 2.1 and 4.4.2.2: each provider has a redirect URI of its own, and what
        // comes back at another one comes from another provider. It holds where the provider sends
        // no `iss`.
        let ours = pending.issuer == self.settings.issuer;
        if !ours || pending.redirect_uri != callback.redirect_uri {
            return Err(UpstreamError::MixUp);
        }
        let metadata = self.metadata().await?;
        // RFC 9207, section 2.4: what names an issuer names the one that was asked, and a provider
        // that says it sends `iss` always does. Errors are answers too.
        match &callback.iss {
            Some(iss) if *iss == pending.issuer => {}
            None if !metadata.sends_iss => {}
            Some(_) | None => return Err(UpstreamError::MixUp),
        }
        let code = callback.outcome.map_err(UpstreamError::Denied)?;
        let tokens = self
            .poster(&metadata)
            .exchange(&code, &pending.redirect_uri, &pending.verifier)
            .await?;
        self.identify(&metadata, &pending, &tokens).await
    }

    async fn identify(
        &self,
        metadata: &Metadata,
        pending: &Pending,
        tokens: &Tokens,
    ) -> Result<Identity, UpstreamError> {
        let (now, jwks_uri) = (self.clock.now(), &metadata.jwks_uri);
        let wanted = Wanted {
            client_id: &self.settings.client_id,
            algorithms: &metadata.algorithms,
            pending,
            access_token: &tokens.access_token,
            now,
        };
        let keys = self.cache.keys(&self.fetcher, jwks_uri, now).await?;
        let mut checked = id_token::check(&tokens.id_token, &keys, &wanted);
        // OpenID Connect Core 1.0, section 10.1.1: keys change; the set is fetched once more.
        let unknown = [JoseError::NoKey, JoseError::NotAuthentic].map(IdTokenError::Token);
        if checked.as_ref().is_err_and(|error| unknown.contains(error)) {
            let newer = self.cache.newer_keys(&self.fetcher, (jwks_uri, &keys), now);
            if let Some(keys) = newer.await? {
                checked = id_token::check(&tokens.id_token, &keys, &wanted);
            }
        }
        let mut identity = Identity {
            issuer: self.settings.issuer.clone(),
            id_token: checked?,
            user_info: serde_json::Map::new(),
        };
        if self.settings.user_info {
            let endpoint = metadata.user_info_endpoint.as_deref();
            let endpoint = endpoint.ok_or(super::DiscoveryError::Endpoint("userinfo_endpoint"))?;
            let (token, subject) = (&tokens.access_token, identity.subject());
            identity.user_info = user_info::claims(&self.fetcher, endpoint, token, subject).await?;
        }
        Ok(identity)
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, UpstreamError> {
        let now = self.clock.now();
        self.cache
            .metadata(&self.fetcher, &self.settings.issuer, now)
            .await
    }

    fn poster<'a>(&'a self, metadata: &'a Metadata) -> Poster<'a> {
        Poster {
            fetcher: &self.fetcher,
            settings: &self.settings,
            metadata,
            rng: &*self.rng,
            now: self.clock.now(),
        }
    }
}

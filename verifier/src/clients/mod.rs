//! Which application stands behind a `client_id`. [`Parts::client`] is the one place where that is
//! looked up: in the configuration, at the address that the id is (Client ID Metadata Document),
//! among those that administrators keep, and among those that registered (RFC 7591), in this order.
//!
//! What is kept in the database is read from the database each time, and so is whether the operator stopped an
//! application: what was removed or disabled stops with the next request, on every process
//! (catalogue 388).

pub mod administer;
pub mod document;
pub mod manage;
pub mod managed;
mod registered;
pub mod settings;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use vouchsafe_protocol::oauth::ClientRules;
use vouchsafe_protocol::oauth::client_auth::AuthMethod;
use vouchsafe_protocol::oauth::pkce::PkceRule;
use vouchsafe_protocol::oauth::redirect::RedirectUris;
use vouchsafe_protocol::oauth::registration::{
    ApplicationType, ClientAuthentication, ClientMetadata, IdTokenAlgorithm, MetadataError,
};
use vouchsafe_protocol::vp::values::LocalizedText;
use vouchsafe_service::http::RateLimit;

pub use registered::{Change, Found, RegisterError, change, found, of_holder, register, remove};

use crate::app::Parts;
use crate::config::{
    Allowed, Authentication, Client, ClientConsent, ClientKeys, ClientSecret, IdTokenAlg, Pkce,
    Profile, Settings, Standing,
};
use crate::domain::ids::ClientId;
use crate::domain::request::LoginRequest;
use crate::store::{StoreError, clients};

impl Parts {
    /// Who asks for a card: an application, or this service for the account page.
    pub async fn asker(&self, request: &LoginRequest) -> Result<Option<Arc<Client>>, StoreError> {
        match request.linking() {
            Some(_) => Ok(self.settings.account_client.clone()),
            None => self.client(&request.client).await,
        }
    }

    /// The application of an id, if it is served now.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        if let Some(configured) = self.settings.configured(id) {
            return Ok(Some(Arc::clone(configured)));
        }
        if self.settings.resource_server(id).is_some() {
            return Ok(None);
        }
        if document::is_address(id.as_str()) {
            return document::client(self, id).await;
        }
        if let Some(managed) = managed::client(self, id).await? {
            return Ok(Some(managed));
        }
        let Some(registration) = &self.settings.registration else {
            return Ok(None);
        };
        let Some(row) = clients::find(&self.db, id).await? else {
            return Ok(None);
        };
        let built = registered::client(&row, &registration.allowed);
        Ok(built
            .inspect_err(|error| {
                // The operator allows less than when it registered.
                tracing::info!(client = %id, reason = %error, "a registered application is not served");
            })
            .ok()
            .map(Arc::new))
    }
}

/// The host that people are shown: where each of its redirect URIs leads, if that is one https host. The
/// host of a private-use scheme is a text that anybody can choose, and a device goes nowhere.
fn shown_host(redirect_uris: &RedirectUris, device: bool) -> Option<String> {
    let mut hosts = redirect_uris.iter().map(|uri| {
        let url = uri.to_url();
        let host = url.host_str().filter(|_| url.scheme() == "https");
        host.map(str::to_owned)
    });
    let first = hosts.next()??;
    let one = !device && hosts.all(|host| host.as_ref() == Some(&first));
    one.then_some(first)
}

/// An application of metadata; `secret` is the digest of its secret, where it has one.
fn build(
    id: &ClientId,
    metadata: ClientMetadata,
    secret: Option<&str>,
    standing: Standing,
    allowed: &Allowed,
) -> Result<Client, MetadataError> {
    let sector = metadata.sector(id.as_str())?;
    let ClientMetadata {
        redirect_uris,
        application_type,
        grants,
        authentication,
        about,
        sector_identifier_uri: _,
        post_logout_redirect_uris,
        backchannel_logout_uri,
        id_token_alg,
        default_max_age,
        require_auth_time: _,
        default_acr,
        only_bound,
        only_pushed,
        scopes,
    } = metadata;
    let host = shown_host(&redirect_uris, grants.device);
    let name = match about.name.default.is_empty() {
        false => about.name.clone(),
        true => LocalizedText {
            default: id.to_string(),
            ..LocalizedText::default()
        },
    };
    let authentication = authentication_of(authentication, secret)?;
    // RFC 8252, section 7.3: who is native, or says so.
    let native = application_type == ApplicationType::Native || !authentication.is_confidential();
    let redirect_uris = redirect_uris.at_any_loopback_port(native);
    Ok(Client {
        id: id.clone(),
        standing,
        name,
        about,
        host,
        profile: Profile::Open,
        // Catalogue 356: PKCE is no choice for them.
        rules: match authentication.is_confidential() {
            true => ClientRules::confidential(PkceRule::Required),
            false => ClientRules::public(),
        },
        pkce: Pkce::Required,
        authentication,
        redirect_uris,
        post_logout_redirect_uris,
        alg: match id_token_alg {
            IdTokenAlgorithm::Rs256 => IdTokenAlg::RS256,
            IdTokenAlgorithm::Es256 => IdTokenAlg::ES256,
        },
        backchannel_logout_uri,
        sector,
        // Whoever nobody vouches for may be anybody: people show the card there, and see what they tell.
        passkeys: !standing.is_unvouched(),
        cross_device: allowed.cross_device && standing != Standing::Open,
        device: grants.device,
        // Only the operator lets an application have these.
        external_id: false,
        presented_credentials: false,
        approvals: BTreeSet::new(),
        security_events: false,
        prefer_digital_credentials: false,
        scopes,
        attributes: Vec::new(),
        offline_access: grants.refresh,
        only_pushed,
        only_bound,
        default_query: allowed.default_query.clone(),
        default_max_age,
        default_acr: default_acr
            .iter()
            .map(|acr| acr.as_str().to_owned())
            .collect(),
        consent: ClientConsent::default(),
    })
}

fn authentication_of(
    asked: ClientAuthentication,
    secret: Option<&str>,
) -> Result<Authentication, MetadataError> {
    let secret = |method: AuthMethod| {
        let known = secret.and_then(|digest| ClientSecret::of_digest(digest, method));
        let missing = MetadataError::Member {
            name: "client_secret",
            reason: "is missing",
        };
        known.map(Authentication::Secret).ok_or(missing)
    };
    match asked {
        ClientAuthentication::None => Ok(Authentication::None),
        ClientAuthentication::SecretBasic => secret(AuthMethod::ClientSecretBasic),
        ClientAuthentication::SecretPost => secret(AuthMethod::ClientSecretPost),
        ClientAuthentication::Keys(keys, _) => {
            Ok(Authentication::PrivateKeyJwt(ClientKeys::Listed(keys)))
        }
        ClientAuthentication::KeysAt(uri) => Ok(Authentication::PrivateKeyJwt(ClientKeys::At(uri))),
    }
}

/// How many applications may register without a token, in a minute.
pub(crate) fn open_registrations(settings: &Settings) -> RateLimit {
    let registration = settings.registration.as_ref();
    let each = registration.map_or(NonZeroU32::MIN, |one| one.open_per_minute);
    RateLimit::per_minute(each, each)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_383_the_host_that_people_see_is_where_they_go() {
        let host = |uris: &[&str], device| {
            let uris: Vec<String> = uris.iter().map(|uri| (*uri).to_owned()).collect();
            shown_host(&RedirectUris::register(&uris).expect("addresses"), device)
        };
        let one = ["https://app.example/cb", "https://app.example/other"];
        assert_eq!(host(&one, false).as_deref(), Some("app.example"));
        assert_eq!(host(&one, true), None);
        let two = ["https://bank.example/cb", "https://app.example/cb"];
        assert_eq!(host(&two, false), None);
        assert_eq!(host(&["com.example.app://bank.example/cb"], false), None);
        assert_eq!(host(&["http://127.0.0.1/cb"], false), None);
    }
}

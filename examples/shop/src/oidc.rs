//! Signing in, with the `openidconnect` crate: what any business would write.

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl,
    Nonce, OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope, StandardErrorResponse,
    StandardTokenResponse, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};

use crate::Config;
use crate::http::Http;
use crate::visitors::{Pending, Purpose, Visitor};

/// The claims that the shop asks for beyond the standard ones.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ShopClaims {
    /// Whether the person is 18 or older.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_over_18: Option<bool>,
    /// The tier of the club's membership.
    #[serde(skip_serializing_if = "Option::is_none")]
    membership_tier: Option<String>,
    /// Until when the membership is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    membership_valid_until: Option<String>,
    /// The provider's session, for logout.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
}

impl AdditionalClaims for ShopClaims {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        ShopClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type OidcClient = Client<
    ShopClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why a login did not end in a visitor.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The provider could not be reached, or its metadata is wrong.
    #[error("the sign-in service cannot be reached")]
    Provider(String),
    /// The provider refused the code.
    #[error("the sign-in service refused the code")]
    Token(String),
    /// The ID token is missing or wrong.
    #[error("the ID token is not acceptable")]
    IdToken(String),
    /// UserInfo is missing or wrong.
    #[error("UserInfo is not acceptable")]
    UserInfo(String),
}

/// The shop's view of its OpenID Provider.
#[derive(Debug)]
pub struct Provider {
    client: OidcClient,
    keys: serde_json::Value,
    http: Http,
}

impl Provider {
    /// Reads the provider's metadata (OpenID Connect Discovery 1.0).
    pub async fn discover(config: &Config, http: Http) -> Result<Self, LoginError> {
        let issuer = IssuerUrl::new(config.provider.as_str().trim_end_matches('/').to_owned())
            .map_err(|error| LoginError::Provider(error.to_string()))?;
        let metadata = CoreProviderMetadata::discover_async(issuer, &http)
            .await
            .map_err(|error| LoginError::Provider(format!("{error:?}")))?;
        let redirect = RedirectUrl::new(config.at("/callback"))
            .map_err(|error| LoginError::Provider(error.to_string()))?;
        let keys = serde_json::to_value(metadata.jwks())
            .map_err(|error| LoginError::Provider(error.to_string()))?;
        let client = OidcClient::from_provider_metadata(
            metadata,
            ClientId::new(config.client_id.clone()),
            Some(ClientSecret::new(config.client_secret.expose().to_owned())),
        )
        .set_redirect_uri(redirect);
        Ok(Self { client, keys, http })
    }

    /// The provider's public keys, a JWK set.
    pub fn keys(&self) -> &serde_json::Value {
        &self.keys
    }

    /// Where to send the browser, the `state` that must come back, and what to
    /// remember until then.
    pub fn start(&self, purpose: Purpose, ui_locales: &str) -> (String, String, Pending) {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = self
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(purpose.scope().map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("ui_locales", ui_locales)
            .set_pkce_challenge(challenge)
            .url();
        let pending = Pending {
            purpose,
            nonce,
            verifier,
        };
        (url.into(), state.secret().clone(), pending)
    }

    /// Redeems the code, checks the ID token and asks UserInfo.
    pub async fn finish(&self, code: String, login: Pending) -> Result<Visitor, LoginError> {
        let tokens = self
            .client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| LoginError::Provider(error.to_string()))?
            .set_pkce_verifier(login.verifier)
            .request_async(&self.http)
            .await
            .map_err(|error| LoginError::Token(format!("{error:?}")))?;
        let id_token = tokens
            .id_token()
            .ok_or_else(|| LoginError::IdToken("absent".to_owned()))?;
        let claims = id_token
            .claims(&self.client.id_token_verifier(), &login.nonce)
            .map_err(|error| LoginError::IdToken(error.to_string()))?;
        let userinfo: UserInfoClaims<ShopClaims, CoreGenderClaim> = self
            .client
            .user_info(
                tokens.access_token().clone(),
                Some(claims.subject().clone()),
            )
            .map_err(|error| LoginError::UserInfo(error.to_string()))?
            .request_async(&self.http)
            .await
            .map_err(|error| LoginError::UserInfo(format!("{error:?}")))?;
        let facts = userinfo.additional_claims();
        Ok(Visitor {
            purpose: login.purpose,
            sub: claims.subject().to_string(),
            sid: claims.additional_claims().sid.clone(),
            age_over_18: facts.age_over_18,
            tier: facts.membership_tier.clone(),
            id_token: pretty(claims),
            userinfo: pretty(&userinfo),
        })
    }
}

/// JSON for the page, without the members that the library writes as `null`.
fn pretty(value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

//! What is posted to a provider in our name: the code at the token endpoint (OpenID Connect Core
//! 1.0, section 3.1.3), the request at the endpoint of pushed requests (RFC 9126).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value, json};
use vouchsafe_credentials::{
    json::parse_object,
    random::{self, Rng},
    time::UnixTime,
};
use zeroize::Zeroizing;

use super::discovery::Metadata;
use super::settings::{ClientAuthentication, ProviderSettings, SecretMethod};
use super::{DiscoveryError, UpstreamError, error_code};
use crate::fetch::{Fetcher, Limits, Response};

/// How long a client assertion is good, in seconds.
const ASSERTION_S: i64 = 60;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What is needed to post in our name.
pub(super) struct Poster<'a> {
    pub(super) fetcher: &'a Fetcher,
    pub(super) settings: &'a ProviderSettings,
    pub(super) metadata: &'a Metadata,
    pub(super) rng: &'a dyn Rng,
    pub(super) now: UnixTime,
}

/// Tokens of a provider, not yet looked at.
pub(super) struct Tokens {
    pub(super) access_token: Zeroizing<String>,
    pub(super) id_token: Zeroizing<String>,
}

impl Poster<'_> {
    /// Pushes the request and gives its `request_uri`.
    pub(super) async fn push(
        &self,
        endpoint: &str,
        parameters: &[(&'static str, String)],
    ) -> Result<String, UpstreamError> {
        let answer = self.post(endpoint, parameters.to_vec()).await?;
        let body = accepted(answer, 201, "pushed request");
        let mut body = body.map_err(|error| match error {
            UpstreamError::Refused(code) => UpstreamError::RequestRefused(code),
            other => other,
        })?;
        // RFC 9126, section 2.2.
        match body.remove("request_uri") {
            Some(Value::String(uri)) if !uri.is_empty() => Ok(uri),
            _ => Err(UpstreamError::Malformed("pushed request")),
        }
    }

    /// Exchanges the code.
    pub(super) async fn exchange(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Tokens, UpstreamError> {
        let parameters = vec![
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", redirect_uri.to_owned()),
            ("code_verifier", verifier.to_owned()),
        ];
        let answer = self.post(&self.metadata.token_endpoint, parameters).await?;
        let mut body = accepted(answer, 200, "token response")?;
        let mut text = |name: &str| match body.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(Zeroizing::new(text)),
            _ => Err(UpstreamError::Malformed("token response")),
        };
        // Section 3.1.3.3.
        if !text("token_type")?.eq_ignore_ascii_case("bearer") {
            return Err(UpstreamError::Malformed("token response"));
        }
        Ok(Tokens {
            access_token: text("access_token")?,
            id_token: text("id_token")?,
        })
    }

    async fn post(
        &self,
        endpoint: &str,
        mut form: Vec<(&'static str, String)>,
    ) -> Result<Response, UpstreamError> {
        let headers = self.authenticate(&mut form)?;
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let limits = Limits::EXCHANGE;
        let answer = self.fetcher.post_form(endpoint, &form, headers, limits);
        Ok(answer.await?)
    }

    fn authenticate(
        &self,
        form: &mut Vec<(&'static str, String)>,
    ) -> Result<HeaderMap, UpstreamError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let client_id = &self.settings.client_id;
        match &self.settings.authentication {
            ClientAuthentication::Secret(secret, None | Some(SecretMethod::Basic))
                if self.metadata.takes("client_secret_basic") =>
            {
                headers.insert(header::AUTHORIZATION, basic(client_id, secret)?);
            }
            ClientAuthentication::Secret(secret, None | Some(SecretMethod::Post))
                if self.metadata.takes("client_secret_post") =>
            {
                form.retain(|(name, _)| *name != "client_id");
                form.push(("client_id", client_id.clone()));
                form.push(("client_secret", secret.to_string()));
            }
            ClientAuthentication::PrivateKeyJwt(key) if self.metadata.takes("private_key_jwt") => {
                // RFC 7523, section 3. The issuer identifier is the audience: an endpoint that
                // another provider could name too would let it use the assertion there.
                let claims = json!({
                    "iss": client_id,
                    "sub": client_id,
                    "aud": self.settings.issuer,
                    "jti": random::token(self.rng),
                    "iat": self.now.0,
                    "exp": self.now.plus(ASSERTION_S).0,
                });
                let claims = claims.as_object().cloned().unwrap_or_default();
                let assertion = key.sign("JWT", &claims).map_err(UpstreamError::Key)?;
                form.retain(|(name, _)| *name != "client_id");
                form.push(("client_id", client_id.clone()));
                form.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
                form.push(("client_assertion", assertion));
            }
            ClientAuthentication::Secret(_, _) | ClientAuthentication::PrivateKeyJwt(_) => {
                let what = "the configured client authentication";
                return Err(DiscoveryError::NotSupported(what).into());
            }
        }
        Ok(headers)
    }
}

/// RFC 6749, section 2.3.1: both are form-encoded first.
fn basic(client_id: &str, secret: &str) -> Result<HeaderValue, UpstreamError> {
    let encode =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = Zeroizing::new(format!("{}:{}", encode(client_id), encode(secret)));
    let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| UpstreamError::Malformed("client authentication"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The JSON of an answer with the wanted status; an error of OAuth otherwise.
fn accepted(
    answer: Response,
    wanted: u16,
    what: &'static str,
) -> Result<Map<String, Value>, UpstreamError> {
    if answer.status == wanted {
        return match answer.is("application/json") {
            true => parse_object(&answer.body).map_err(|_| UpstreamError::Malformed(what)),
            false => Err(UpstreamError::Malformed(what)),
        };
    }
    if answer.status >= 500 || answer.status == 429 {
        return Err(UpstreamError::Status(answer.status));
    }
    // RFC 6749, section 5.2.
    let body = parse_object(&answer.body).ok();
    let code = body.as_ref().and_then(|body| body.get("error")?.as_str());
    match code {
        Some(code) => Err(UpstreamError::Refused(error_code(code))),
        None => Err(UpstreamError::Status(answer.status)),
    }
}

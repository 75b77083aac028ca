//! The authorization request (RFC 6749, section 4.1.1; OpenID Connect Core, section 3.1.2.1).
//!
//! Three steps, each with its own consequence when it fails: [`Entry::parse`] and
//! [`Entry::address`] fail with a page for the person, because nobody is known to send an
//! error to (catalogue 367); [`Addressed::parse`] fails with an error for the client.

use vouchsafe_credentials::encoding::b64url_decode_array;

use super::error::{ErrorCode, OAuthError};
use super::params::{Params, ParamsError};
use super::pkce::{CodeChallenge, PkceRule};
use super::redirect::RedirectUris;
use super::response::{ResponseMode, ResponseTarget};
use super::values::{ClientId, Malformed, Scopes, space_list};
use crate::oidc::claims_request::ClaimsRequest;
use crate::oidc::prompt::Prompt;

/// Longest `state`, `nonce` or `login_hint` in bytes.
const MAX_VALUE: usize = 2048;

/// Why a request cannot even be answered to the client. Show a page, never redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Malformed or repeated parameters.
    #[error("malformed authorization request")]
    Params(#[from] ParamsError),
    /// `client_id` malformed.
    #[error("malformed authorization request")]
    Malformed(#[from] Malformed),
    /// `redirect_uri` is missing.
    #[error("redirect_uri is missing")]
    RedirectMissing,
    /// `redirect_uri` is none of the registered ones.
    #[error("redirect_uri is not registered for this client")]
    RedirectUnregistered,
}

/// What a client's registration says about its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRules {
    pkce: PkceRule,
}

impl ClientRules {
    /// Rules of a client with a secret; PKCE as registered.
    #[must_use]
    pub fn confidential(pkce: PkceRule) -> Self {
        Self { pkce }
    }

    /// Rules of a client without a secret: PKCE is required, whatever was registered.
    #[must_use]
    pub fn public() -> Self {
        Self {
            pkce: PkceRule::Required,
        }
    }
}

/// A request of which only the sender's name is known.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who asks; look the client up by it.
    pub client_id: ClientId,
    params: Params,
}

impl Entry {
    /// Reads query or form body.
    ///
    /// # Errors
    /// [`EntryError`]: show a page.
    pub fn parse(query: &str) -> Result<Self, EntryError> {
        let params = Params::parse(query)?;
        let client_id = ClientId::parse(params.required("client_id")?)?;
        Ok(Self { client_id, params })
    }

    /// `request_uri`, where one was sent: the other parameters then say nothing (RFC 9126,
    /// section 4). A server that keeps no pushed requests goes on to [`Self::address`], which
    /// refuses it.
    #[must_use]
    pub fn request_uri(&self) -> Option<&str> {
        self.params.get("request_uri")
    }

    /// Fixes where answers go: the URI must be sent and equal a registered one.
    ///
    /// # Errors
    /// [`EntryError`]: show a page, never redirect.
    pub fn address(self, registered: &RedirectUris) -> Result<Addressed, EntryError> {
        let Self { client_id, params } = self;
        // OpenID Connect Core, section 3.1.2.1: redirect_uri is REQUIRED.
        let requested = params
            .get("redirect_uri")
            .ok_or(EntryError::RedirectMissing)?;
        let redirect_uri = registered
            .find(requested)
            .ok_or(EntryError::RedirectUnregistered)?;
        let target = ResponseTarget {
            redirect_uri,
            state: params.owned("state"),
            mode: match params.get("response_mode") {
                Some("form_post") => ResponseMode::FormPost,
                _ => ResponseMode::Query,
            },
        };
        Ok(Addressed {
            client_id,
            target,
            params,
        })
    }
}

/// A request whose answers have an address.
#[derive(Debug, Clone)]
pub struct Addressed {
    client_id: ClientId,
    target: ResponseTarget,
    params: Params,
}

/// An error and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("authorization request refused: {error}")]
pub struct Rejection {
    /// What to say.
    pub error: OAuthError,
    /// Where to say it.
    pub target: Box<ResponseTarget>,
}

/// A code-flow request with every parameter checked for form. Scopes, hints and `acr`
/// values are judged by the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub target: ResponseTarget,
    /// What is asked.
    pub scopes: Scopes,
    /// PKCE challenge; `None` only where the registration allows it.
    pub code_challenge: Option<CodeChallenge>,
    /// OpenID Connect `nonce`, echoed exactly in the ID token (catalogue 362).
    pub nonce: Option<String>,
    /// `prompt`.
    pub prompt: Prompt,
    /// Oldest acceptable authentication in seconds.
    pub max_age: Option<u64>,
    /// Wished authentication classes, most wanted first.
    pub acr_values: Vec<String>,
    /// Wished languages, most wanted first (BCP 47).
    pub ui_locales: Vec<String>,
    /// `claims` parameter, the part we act on.
    pub claims: ClaimsRequest,
    /// Who the client thinks logs in. Foreign text.
    pub login_hint: Option<String>,
    /// An ID token of ours that names the expected person, unverified.
    pub id_token_hint: Option<String>,
    /// Thumbprint of the DPoP key the code will be redeemed with (RFC 9449, section 10).
    pub dpop_jkt: Option<String>,
    /// `authorization_details` (RFC 9396) as sent; see [`super::authorization_details`].
    pub authorization_details: Option<String>,
    /// OpenID4VCI `issuer_state`: opaque, may have been injected (section 5.1.3).
    pub issuer_state: Option<String>,
}

impl Addressed {
    /// Where an error of the caller (client disabled, scope not allowed) goes.
    #[must_use]
    pub fn target(&self) -> &ResponseTarget {
        &self.target
    }

    /// Checks every remaining parameter; unknown ones are ignored (RFC 6749, section 3.1).
    ///
    /// # Errors
    /// [`Rejection`] for the client.
    pub fn parse(self, rules: ClientRules) -> Result<AuthorizationRequest, Rejection> {
        let Self {
            client_id,
            target,
            params,
        } = self;
        match read(client_id, target.clone(), &params, rules) {
            Ok(request) => Ok(request),
            Err(error) => Err(Rejection {
                error,
                target: Box::new(target),
            }),
        }
    }
}

fn read(
    client_id: ClientId,
    target: ResponseTarget,
    params: &Params,
    rules: ClientRules,
) -> Result<AuthorizationRequest, OAuthError> {
    refuse_request_objects(params)?;
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(ErrorCode::UnsupportedResponseType.into()),
        None => return Err(OAuthError::invalid_request("response_type is missing")),
    }
    match params.get("response_mode") {
        None | Some("query" | "form_post") => {}
        Some(_) => {
            return Err(OAuthError::invalid_request(
                "response_mode is not supported",
            ));
        }
    }
    let scopes = Scopes::parse(params.get("scope").unwrap_or_default())
        .map_err(|Malformed(_)| OAuthError::from(ErrorCode::InvalidScope))?;
    let code_challenge = CodeChallenge::from_request(
        rules.pkce,
        params.get("code_challenge"),
        params.get("code_challenge_method"),
    )?;
    for name in ["state", "nonce", "login_hint", "issuer_state"] {
        if params.get(name).is_some_and(|v| v.len() > MAX_VALUE) {
            return Err(OAuthError::invalid_request("a value is too long"));
        }
    }
    Ok(AuthorizationRequest {
        client_id,
        target,
        scopes,
        code_challenge,
        nonce: params.owned("nonce"),
        prompt: Prompt::parse(params.get("prompt"))?,
        max_age: params.get("max_age").map(parse_max_age).transpose()?,
        acr_values: space_list(params.get("acr_values")),
        ui_locales: space_list(params.get("ui_locales")),
        claims: ClaimsRequest::parse(params.get("claims"))?,
        login_hint: params.owned("login_hint"),
        id_token_hint: params.owned("id_token_hint"),
        dpop_jkt: params.get("dpop_jkt").map(parse_thumbprint).transpose()?,
        authorization_details: params.owned("authorization_details"),
        issuer_state: params.owned("issuer_state"),
    })
}

/// Catalogue 376: nothing is fetched and nothing is parsed.
fn refuse_request_objects(params: &Params) -> Result<(), OAuthError> {
    let refused = [
        ("request", ErrorCode::RequestNotSupported),
        ("request_uri", ErrorCode::RequestUriNotSupported),
        ("registration", ErrorCode::RegistrationNotSupported),
    ];
    match refused.into_iter().find(|(name, _)| params.was_sent(name)) {
        Some((_, code)) => Err(code.into()),
        None => Ok(()),
    }
}

fn parse_max_age(text: &str) -> Result<u64, OAuthError> {
    let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    let malformed = || OAuthError::invalid_request("max_age is not a number of seconds");
    if !digits {
        return Err(malformed());
    }
    text.parse().map_err(|_| malformed())
}

/// RFC 9449, section 10: the SHA-256 thumbprint of a key in base64url. No key has any other text, so a
/// code that is bound to one could never be redeemed.
fn parse_thumbprint(text: &str) -> Result<String, OAuthError> {
    match b64url_decode_array::<32>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(OAuthError::invalid_request("dpop_jkt is no thumbprint")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "client_id=shop&redirect_uri=https%3A%2F%2Fshop.example.com%2Fcb&state=st\
        &response_type=code&scope=openid+age&code_challenge_method=S256\
        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn uris() -> RedirectUris {
        RedirectUris::register(&["https://shop.example.com/cb"]).unwrap()
    }

    fn parse(query: &str) -> Result<AuthorizationRequest, Rejection> {
        let entry = Entry::parse(query).unwrap();
        entry.address(&uris()).unwrap().parse(ClientRules::public())
    }

    fn code(query: &str) -> ErrorCode {
        parse(query).unwrap_err().error.code
    }

    #[test]
    fn a_key_is_named_by_its_thumbprint() {
        let good = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        let request = parse(&format!("{BASE}&dpop_jkt={good}")).unwrap();
        assert_eq!(request.dpop_jkt.as_deref(), Some(good));
        for bad in [
            "x",
            &good[1..],
            &format!("{good}A"),
            &format!("{good}%3D"),
            "%20",
        ] {
            let refused = code(&format!("{BASE}&dpop_jkt={bad}"));
            assert_eq!(refused, ErrorCode::InvalidRequest, "{bad}");
        }
        // The last letter has bits that no thumbprint sets.
        let odd = format!("{BASE}&dpop_jkt={}J", &good[..42]);
        assert_eq!(code(&odd), ErrorCode::InvalidRequest);
    }

    #[test]
    fn a_full_request() {
        let request = parse(&format!(
            "{BASE}&nonce=n&prompt=login+consent&max_age=0&acr_values=b+a&ui_locales=de+en&unknown=x"
        ))
        .unwrap();
        assert_eq!(request.client_id.as_str(), "shop");
        assert_eq!(request.nonce.as_deref(), Some("n"));
        assert_eq!(request.max_age, Some(0));
        assert_eq!(request.acr_values, ["b", "a"]);
        assert_eq!(request.ui_locales, ["de", "en"]);
        assert!(request.prompt.login() && request.prompt.consent());
        assert_eq!(request.target.mode, ResponseMode::Query);
    }

    #[test]
    fn cat_367_nobody_is_redirected_before_the_uri_is_known() {
        let get = |query: &str| {
            Entry::parse(query)
                .and_then(|e| e.address(&uris()))
                .map(|_| ())
        };
        assert_eq!(
            get("redirect_uri=https://evil.example"),
            Err(EntryError::Params(ParamsError::Missing("client_id")))
        );
        assert_eq!(get("client_id=shop"), Err(EntryError::RedirectMissing));
        assert_eq!(
            get("client_id=shop&redirect_uri=https://evil.example"),
            Err(EntryError::RedirectUnregistered)
        );
        assert_eq!(
            get(&format!("{BASE}&client_id=other")),
            Err(EntryError::Params(ParamsError::Duplicate))
        );
        assert_eq!(
            get("client_id=%00&redirect_uri=x"),
            Err(EntryError::Malformed(Malformed("client_id")))
        );
    }

    #[test]
    fn cat_376_request_objects_are_refused() {
        assert_eq!(
            code(&format!("{BASE}&request=e30.e30.")),
            ErrorCode::RequestNotSupported
        );
        assert_eq!(
            code(&format!("{BASE}&request_uri=https://10.0.0.1/")),
            ErrorCode::RequestUriNotSupported
        );
        assert_eq!(
            code(&format!("{BASE}&request=")),
            ErrorCode::RequestNotSupported
        );
        assert_eq!(
            code(&format!("{BASE}&registration=%7B%7D")),
            ErrorCode::RegistrationNotSupported
        );
    }

    #[test]
    fn cat_386_only_the_code_flow() {
        for kind in ["token", "id_token", "code+id_token", "none", "Code"] {
            let query = BASE.replace("response_type=code", &format!("response_type={kind}"));
            assert_eq!(code(&query), ErrorCode::UnsupportedResponseType, "{kind}");
        }
        assert_eq!(
            code(&BASE.replace("response_type=code", "x=y")),
            ErrorCode::InvalidRequest
        );
    }

    #[test]
    fn cat_355_response_modes() {
        for mode in ["fragment", "form_post.jwt", "query.jwt", "web_message"] {
            let rejection = parse(&format!("{BASE}&response_mode={mode}")).unwrap_err();
            assert_eq!(rejection.error.code, ErrorCode::InvalidRequest, "{mode}");
            assert_eq!(rejection.target.mode, ResponseMode::Query);
        }
        let request = parse(&format!("{BASE}&response_mode=form_post")).unwrap();
        assert_eq!(request.target.mode, ResponseMode::FormPost);
    }

    #[test]
    fn cat_356_public_clients_need_a_challenge() {
        let bare = "client_id=shop&redirect_uri=https%3A%2F%2Fshop.example.com%2Fcb&response_type=code&scope=openid";
        assert_eq!(code(bare), ErrorCode::InvalidRequest);
        let entry = Entry::parse(bare).unwrap().address(&uris()).unwrap();
        let optional = ClientRules::confidential(PkceRule::OptionalForConfidential);
        assert_eq!(entry.parse(optional).unwrap().code_challenge, None);
    }

    #[test]
    fn malformed_values_are_refused() {
        for extra in [
            "max_age=-1",
            "max_age=1.5",
            "max_age=99999999999",
            "prompt=none+login",
            "prompt=x",
            "claims=%5B",
        ] {
            assert_eq!(
                code(&format!("{BASE}&{extra}")),
                ErrorCode::InvalidRequest,
                "{extra}"
            );
        }
        assert_eq!(
            code(&BASE.replace("openid+age", "openid++age")),
            ErrorCode::InvalidScope
        );
        assert_eq!(
            code(&format!("{BASE}&nonce={}", "n".repeat(MAX_VALUE + 1))),
            ErrorCode::InvalidRequest
        );
    }
}

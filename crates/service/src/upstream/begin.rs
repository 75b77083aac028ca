//! The way to the provider: the authorization request (OpenID Connect Core 1.0, section 3.1.2.1).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vouchsafe_credentials::{
    encoding::b64url,
    random::{self, Rng},
    time::UnixTime,
};

use super::settings::ProviderSettings;

/// What is asked of the provider beside a sign-in.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Seconds since the person last authenticated, at most; 0: now. It is enforced.
    pub max_age_s: Option<u32>,
    /// One of these must be the `acr` of the ID token. Empty: any.
    pub acr_values: Vec<String>,
    /// Languages for the provider's pages.
    pub ui_locales: Vec<String>,
    /// `prompt`, such as `login` or `select_account`.
    pub prompt: Option<String>,
    /// Who will probably sign in.
    pub login_hint: Option<String>,
}

/// A sign-in under way. It holds secrets: whoever has it and the code can finish it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    pub(super) issuer: String,
    pub(super) redirect_uri: String,
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) max_age_s: Option<u32>,
    pub(super) acr_values: Vec<String>,
    pub(super) started_at: UnixTime,
}

impl Pending {
    /// Three secrets that nobody else knows: `state` against forged answers, `nonce` against
    /// tokens of another sign-in, the verifier against codes of another sign-in.
    pub(super) fn new(
        settings: &ProviderSettings,
        ask: &Ask,
        rng: &dyn Rng,
        started_at: UnixTime,
    ) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            redirect_uri: settings.redirect_uri.clone(),
            state: random::token(rng),
            nonce: random::token(rng),
            verifier: random::token(rng),
            max_age_s: ask.max_age_s,
            acr_values: ask.acr_values.clone(),
            started_at,
        }
    }

    /// The `state` that the answer will carry.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// The issuer identifier of the provider that was asked.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The parameters of the request.
    pub(super) fn parameters(
        &self,
        settings: &ProviderSettings,
        ask: &Ask,
    ) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("response_type", "code".to_owned()),
            ("client_id", settings.client_id.clone()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("scope", settings.scopes.join(" ")),
            ("state", self.state.clone()),
            ("nonce", self.nonce.clone()),
            // RFC 7636, section 4.2.
            ("code_challenge", b64url(&Sha256::digest(&self.verifier))),
            ("code_challenge_method", "S256".to_owned()),
        ];
        let joined = |many: &Vec<String>| (!many.is_empty()).then(|| many.join(" "));
        let optional = [
            ("max_age", ask.max_age_s.map(|seconds| seconds.to_string())),
            ("acr_values", joined(&ask.acr_values)),
            ("ui_locales", joined(&ask.ui_locales)),
            ("prompt", ask.prompt.clone()),
            ("login_hint", ask.login_hint.clone()),
        ];
        for (name, value) in optional {
            parameters.extend(value.map(|value| (name, value)));
        }
        parameters
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pending({})", self.issuer)
    }
}

/// A sign-in that begins.
#[derive(Clone)]
pub struct Start {
    /// Where the browser goes.
    pub url: String,
    /// What [`finish`](super::Upstream::finish) needs. Keep it for this browser alone.
    pub pending: Pending,
}

impl std::fmt::Debug for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Start({:?})", self.pending)
    }
}

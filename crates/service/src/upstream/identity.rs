//! Who signed in.

use serde_json::{Map, Value};
use vouchsafe_credentials::time::UnixTime;

use crate::jose::numeric_date;

/// A person whom a provider vouched for. It exists after the checks alone; `Debug` shows no value.
#[derive(Clone)]
pub struct Identity {
    pub(super) issuer: String,
    pub(super) id_token: Map<String, Value>,
    pub(super) user_info: Map<String, Value>,
}

impl Identity {
    /// The issuer identifier of the provider.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Who it is there: unique within the issuer and never given to another person (OpenID Connect
    /// Core 1.0, section 2).
    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// How the person authenticated.
    pub fn acr(&self) -> Option<&str> {
        self.text("acr")
    }

    /// With which methods (RFC 8176).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        let methods = self.id_token.get("amr").and_then(Value::as_array);
        methods.into_iter().flatten().filter_map(Value::as_str)
    }

    /// When.
    pub fn auth_time(&self) -> Option<UnixTime> {
        numeric_date(self.id_token.get("auth_time")?)
    }

    /// A claim, from the ID token or else from UserInfo. What the provider signed comes first.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.id_token.get(name).or_else(|| self.user_info.get(name))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.id_token.get(name).and_then(Value::as_str)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity(of {})", self.issuer)
    }
}

//! Profiles: named sets of rules for an application. What a profile demands cannot be turned off
//! beside it, and an application that lacks what it needs is refused when the service starts.

use serde::Deserialize;
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_protocol::oauth::redirect::RedirectUris;

use super::authentication::{Authentication, ClientKeys};
use super::client::{ClientConfig, IdTokenAlg, Pkce};

/// `profile` of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// OpenID Connect under the rules of RFC 9700, as the client is registered.
    #[default]
    Open,
    /// FAPI 2.0 Security Profile (final): the client authenticates with its key, pushes its
    /// requests and binds its tokens.
    Fapi2,
}

/// FAPI 2.0, section 5.4.1, clause 1, without PS256, which is not verified here.
const FAPI2_ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

impl Profile {
    /// Whether requests must be pushed (FAPI 2.0, section 5.3.2.2, clause 3).
    #[must_use]
    pub const fn only_pushed(self) -> bool {
        self.is_fapi2()
    }

    /// Whether tokens are bound (FAPI 2.0, section 5.3.2.1, clauses 4 and 5).
    #[must_use]
    pub const fn only_bound(self) -> bool {
        self.is_fapi2()
    }

    /// Whether DPoP proofs carry a nonce of ours (FAPI 2.0, section 5.3.2.1, clause 10; every client
    /// of the profile can, section 5.3.3.1).
    #[must_use]
    pub const fn nonces(self) -> bool {
        self.is_fapi2()
    }

    /// Algorithms of assertions and proofs.
    #[must_use]
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Open => &Algorithm::ALL,
            Self::Fapi2 => &FAPI2_ALGORITHMS,
        }
    }

    /// The same by their `alg` values, for metadata.
    #[must_use]
    pub fn algorithm_names(self) -> Vec<String> {
        let allowed = |name: &&str| {
            let algorithm = Algorithm::from_name(name);
            algorithm.is_some_and(|algorithm| self.algorithms().contains(&algorithm))
        };
        let names = Algorithm::ALL_NAMES.into_iter().filter(allowed);
        names.map(str::to_owned).collect()
    }

    /// Whether it is FAPI 2.0.
    #[must_use]
    pub const fn is_fapi2(self) -> bool {
        match self {
            Self::Open => false,
            Self::Fapi2 => true,
        }
    }

    /// What a registration lacks; the text goes to the operator.
    pub(super) fn check(
        self,
        config: &ClientConfig,
        authentication: &Authentication,
        redirect_uris: &RedirectUris,
        loopback_http: bool,
    ) -> Result<(), &'static str> {
        if !self.is_fapi2() {
            return Ok(());
        }
        // Rule of our own: nothing ties what a device shows to the browser of the person.
        if config.device {
            return Err("profile fapi2 needs the browser of the person: leave device out");
        }
        // FAPI 2.0, section 5.3.2.1, clauses 3 and 6.
        match authentication {
            Authentication::PrivateKeyJwt(ClientKeys::At(_)) => {}
            Authentication::PrivateKeyJwt(ClientKeys::Listed(keys)) => {
                let usable = |&algorithm: &Algorithm| {
                    keys.verification_keys(algorithm, None).next().is_some()
                };
                if !self.algorithms().iter().any(usable) {
                    return Err("profile fapi2 needs a key for ES256 or EdDSA");
                }
            }
            Authentication::Secret(_) | Authentication::None => {
                return Err("profile fapi2 needs jwks, jwks_file or jwks_uri (private_key_jwt)");
            }
        }
        // Section 5.3.2.2, clause 5.
        if config.pkce == Pkce::Optional {
            return Err("profile fapi2 needs PKCE: leave pkce out");
        }
        // Section 5.4.1, clause 1.
        match config.id_token_signed_response_alg {
            IdTokenAlg::ES256 => {}
            IdTokenAlg::RS256 => {
                return Err("profile fapi2 needs id_token_signed_response_alg = \"ES256\"");
            }
        }
        // Section 5.3.2.2, clause 8. A client with a key of its own is no native application.
        let secure = |scheme: &str| scheme == "https" || (scheme == "http" && loopback_http);
        if !redirect_uris
            .iter()
            .all(|uri| secure(uri.to_url().scheme()))
        {
            return Err("profile fapi2 needs redirect_uris with https");
        }
        Ok(())
    }
}

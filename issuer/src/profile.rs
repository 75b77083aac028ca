//! Profiles: named sets of rules for wallets. One service speaks one of them, and what a profile
//! does not have cannot be turned on beside it.

use serde::Deserialize;

/// `[issuer] profile`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// OpenID4VCI 1.0: what a wallet can do is offered, and little is demanded.
    #[default]
    Open,
    /// HAIP 1.0 with the FAPI 2.0 security profile: every wallet authenticates, pushes its
    /// requests and binds its tokens.
    Haip,
    /// The age verification profile of the EU: no client authentication, no pushed requests, no
    /// bound tokens, and credentials in batches of 30.
    AgeVerification,
}

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Every wallet must.
    Required,
    /// A wallet may.
    Offered,
    /// Nobody can.
    Off,
}

impl Use {
    /// Whether a wallet can use it.
    pub const fn on(self) -> bool {
        !matches!(self, Self::Off)
    }
}

/// What follows from a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Client authentication (other than `none`).
    pub client_authentication: Use,
    /// Pushed authorization requests.
    pub par: Use,
    /// DPoP.
    pub dpop: Use,
    /// Whether DPoP proofs carry a nonce of ours; proofs of client attestations a challenge, where the
    /// configuration says so.
    pub nonces: bool,
    /// `authorization_details`.
    pub authorization_details: bool,
    /// Refresh tokens: always, if the configuration says so, or never.
    pub refresh_tokens: Use,
    /// Credentials in one request, unless the configuration says otherwise.
    pub batch_size: u32,
    /// Whether the metadata are signed for wallets that ask for it.
    pub signed_metadata: bool,
    /// Whether credentials name their issuer by a certificate chain.
    pub x5c: bool,
}

impl Profile {
    /// The rules of the profile.
    pub const fn rules(self) -> Rules {
        match self {
            Self::Open => Rules {
                client_authentication: Use::Offered,
                par: Use::Offered,
                dpop: Use::Offered,
                nonces: false,
                authorization_details: true,
                refresh_tokens: Use::Offered,
                batch_size: 10,
                signed_metadata: true,
                x5c: false,
            },
            // HAIP 1.0, section 4.
            Self::Haip => Rules {
                client_authentication: Use::Required,
                par: Use::Required,
                dpop: Use::Required,
                nonces: true,
                authorization_details: true,
                refresh_tokens: Use::Required,
                batch_size: 10,
                signed_metadata: true,
                x5c: true,
            },
            // EU age verification, annex A, sections A.4 and A.9.
            Self::AgeVerification => Rules {
                client_authentication: Use::Off,
                par: Use::Off,
                dpop: Use::Off,
                nonces: false,
                authorization_details: false,
                refresh_tokens: Use::Off,
                batch_size: 30,
                signed_metadata: false,
                x5c: true,
            },
        }
    }
}

//! How a wallet behaves and whom it believes. Does not change while it is open.

use std::sync::Arc;

use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, StatusMethod};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_wallet_core::issuance::IssuancePolicy;
use vouchsafe_wallet_core::status::StatusPolicy;
use vouchsafe_wallet_core::storage::KdfParams;
use vouchsafe_wallet_core::trust::{KnownIssuer, OtherVerifiers, TrustList, UnknownIssuers};
use vouchsafe_wallet_core::wallet::Config;

use crate::error::WalletError;
use crate::ports::secure_area::{HardwarePolicy, UserAuthentication};

/// How a wallet behaves.
#[derive(Debug, Clone, uniffi::Record)]
pub struct WalletConfig {
    /// Languages of the person, the favourite first.
    pub locales: Vec<String>,
    /// Issuers that need no further question.
    pub issuers: Vec<TrustedIssuer>,
    /// Whether the person may agree to an issuer that is on no list.
    pub ask_about_unknown_issuers: bool,
    /// PEM certificates of the authorities that name verifiers; empty for none.
    pub verifier_anchors: String,
    /// Where the browser comes back to after the person signed in at an issuer: an address that
    /// only this app can claim.
    pub redirect_uri: String,
    /// The `client_id` for issuers that want one.
    pub client_id: String,
    /// Which addresses the wallet sends anything to.
    pub addresses: AddressRule,
    /// How many copies of a card it asks for.
    pub credentials: CredentialPolicy,
    /// What it asks of the secure area for every key.
    pub keys: KeyPolicy,
    /// What a new wallet pays to derive its key from the passphrase.
    pub key_derivation: KeyDerivation,
    /// Whether [`Credentials::refresh_status`](crate::Credentials::refresh_status) asks status lists. The
    /// host of a list learns that somebody at this IP address has a card of it, not which, unless the
    /// issuer keeps a list for each card.
    #[uniffi(default = true)]
    pub check_status: bool,
}

/// What it costs to derive the key of a new wallet from its passphrase (Argon2id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum KeyDerivation {
    /// 64 MiB, 3 passes (RFC 9106, section 4).
    Recommended,
    /// 19 MiB, 2 passes: for a passphrase that nobody chose, such as 32 random bytes that the
    /// device keeps in its own key store.
    Low,
}

impl KeyDerivation {
    pub(crate) fn to_core(self) -> KdfParams {
        match self {
            Self::Recommended => KdfParams::RECOMMENDED,
            Self::Low => KdfParams::MINIMUM,
        }
    }
}

/// An issuer that needs no further question.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TrustedIssuer {
    /// Its credential issuer identifier, an https URL.
    pub credential_issuer: String,
    /// PEM certificates of its authority.
    pub anchors: String,
    /// The types (`vct`) it may issue; empty: any that it offers.
    pub types: Vec<String>,
    /// PEM certificates of the authorities that sign its status lists; empty: it signs them itself.
    #[uniffi(default = "")]
    pub status_anchors: String,
}

/// Which addresses the wallet sends anything to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum AddressRule {
    /// `https` to a public host.
    PublicHttps,
    /// Loopback addresses too. For development on one machine; an app in a shop never sets it.
    LoopbackForDevelopment,
}

/// How many copies of a card the wallet asks for. A copy that one verifier has seen is not shown to
/// another while there are fresh ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct CredentialPolicy {
    /// The most copies, 1 to 100.
    pub batch_size: u32,
}

/// What the wallet asks of the secure area for every key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Record)]
pub struct KeyPolicy {
    /// Whether the person unlocks the key.
    pub user_authentication: UserAuthentication,
    /// Whether the key must live in hardware.
    pub hardware: HardwarePolicy,
}

impl WalletConfig {
    pub(crate) fn to_core(&self) -> Result<Config, WalletError> {
        let issuers = self.issuers.iter().map(TrustedIssuer::to_core);
        if !(1..=100).contains(&self.credentials.batch_size) {
            return Err(WalletError::setting("setting_batch_size"));
        }
        Ok(Config {
            trust: TrustList {
                issuers: issuers.collect::<Result<_, _>>()?,
                verifiers: anchors(
                    Role::VerifierAccess,
                    &self.verifier_anchors,
                    "setting_verifier_anchors",
                )?,
                unknown_issuers: match self.ask_about_unknown_issuers {
                    true => UnknownIssuers::Ask,
                    false => UnknownIssuers::Refuse,
                },
                other_verifiers: OtherVerifiers::default(),
            },
            urls: match self.addresses {
                AddressRule::PublicHttps => UrlRule::PublicHttps,
                AddressRule::LoopbackForDevelopment => UrlRule::LoopbackAllowed,
            },
            locales: self.locales.clone(),
            redirect_uri: url::Url::parse(&self.redirect_uri)
                .map_err(|_| WalletError::setting("setting_redirect_uri"))?,
            client_id: self.client_id.clone(),
            batch_size: usize::try_from(self.credentials.batch_size).unwrap_or(1),
            issuance: IssuancePolicy::default(),
            status: StatusPolicy {
                ask: self.check_status,
                ..StatusPolicy::default()
            },
            // The applications are not told of them, so they could not show them.
            transactions: false,
        })
    }
}

impl TrustedIssuer {
    fn to_core(&self) -> Result<KnownIssuer, WalletError> {
        let own = anchors(Role::Issuer, &self.anchors, "setting_issuer_anchors")?;
        Ok(KnownIssuer {
            credential_issuer: self.credential_issuer.clone(),
            method: IssuerMethod::X509 {
                anchors: Arc::new(own),
                subject: None,
            },
            types: self.types.clone(),
            status: match self.status_anchors.is_empty() {
                true => StatusMethod::SameIssuer,
                false => StatusMethod::X509(Arc::new(anchors(
                    Role::Status,
                    &self.status_anchors,
                    "setting_status_anchors",
                )?)),
            },
        })
    }
}

fn anchors(role: Role, pem: &str, code: &'static str) -> Result<TrustAnchors, WalletError> {
    let mut anchors = TrustAnchors::new(role);
    if !pem.is_empty() {
        anchors
            .add_pem(pem)
            .map_err(|_| WalletError::setting(code))?;
    }
    Ok(anchors)
}

//! Where private keys live.

use std::sync::Arc;

use async_trait::async_trait;
use p256::ecdsa::Signature as P256Signature;
use vouchsafe_credentials::crypto::{Algorithm, PublicKey};
use vouchsafe_wallet_core::secure_area::{
    AuthorizationHint as CoreHint, KeyHandle, KeyId, SecureArea as CoreArea, SecureAreaError,
};

use crate::config::KeyPolicy;
use crate::error::{Party, WalletError};

/// Holds private keys and signs with them. The wallet never sees a private key. To ask for the
/// finger is the matter of the adapter: the wallet passes on what to tell the person, and waits.
#[uniffi::export(with_foreign)]
#[async_trait]
pub trait SecureArea: Send + Sync {
    /// What it can do. Asked once, when the wallet is made or opened.
    fn capabilities(&self) -> SecureAreaCapabilities;

    /// Makes a key that nothing else uses.
    async fn create_key(&self, spec: KeySpec) -> Result<KeyInfo, KeyFault>;

    /// Signs a message (not its hash).
    async fn sign(
        &self,
        key: String,
        algorithm: KeyAlgorithm,
        data: Vec<u8>,
        hint: AuthorizationHint,
    ) -> Result<Signature, KeyFault>;

    /// Destroys a key; a missing one is no error.
    async fn delete_key(&self, key: String) -> Result<(), KeyFault>;

    /// The ids of all keys that this wallet made, so that those without a card can be destroyed.
    async fn keys(&self) -> Result<Vec<String>, KeyFault>;
}

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

/// What a secure area can do.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SecureAreaCapabilities {
    /// What it signs with.
    pub algorithms: Vec<KeyAlgorithm>,
    /// Whether its keys live in hardware.
    pub hardware: bool,
    /// Whether it can make keys that the person unlocks.
    pub user_authentication: bool,
}

/// Whether the person unlocks a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum UserAuthentication {
    /// No.
    NotRequired,
    /// Yes, and it stays unlocked for so long.
    Required {
        /// Seconds; 0: for one signature.
        timeout: u32,
    },
}

/// Whether a key must live in hardware.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum HardwarePolicy {
    /// Or there is no wallet.
    Required,
    /// Where there is some.
    Preferred,
    /// Software will do.
    Software,
}

/// What kind of key to make.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeySpec {
    /// What it signs with.
    pub algorithm: KeyAlgorithm,
    /// Whether the person unlocks it.
    pub user_authentication: UserAuthentication,
    /// Whether it must live in hardware.
    pub hardware: HardwarePolicy,
}

/// A key that exists.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KeyInfo {
    /// Its id, chosen by the adapter: 1 to 64 of `a-z`, `0-9`, `-`.
    pub id: String,
    /// Its public half as an uncompressed point: `04 || x || y`, 65 bytes.
    pub public_key: Vec<u8>,
}

/// What to tell the person when a key asks for consent of its own.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct AuthorizationHint {
    /// Who asks.
    pub title: String,
}

/// A signature in either of its two encodings.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Signature {
    /// `r || s`, 64 bytes (IEEE P1363).
    Raw {
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A DER sequence of two integers, as Android Keystore and the Secure Enclave give it.
    Der {
        /// The bytes.
        bytes: Vec<u8>,
    },
}

/// Why a key could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyFault {
    /// There is no such key.
    #[error("unknown")]
    Unknown,
    /// The person was not recognised.
    #[error("user_auth_denied")]
    UserAuthDenied,
    /// The person sent the prompt away.
    #[error("user_auth_canceled")]
    UserAuthCanceled,
    /// The hardware is not there.
    #[error("hardware_unavailable")]
    HardwareUnavailable,
    /// The key can no longer be used, for example after new fingers were added.
    #[error("key_invalidated")]
    KeyInvalidated,
    /// Anything else.
    #[error("failed")]
    Failed,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeyFault {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed
    }
}

impl From<KeyFault> for SecureAreaError {
    fn from(fault: KeyFault) -> Self {
        match fault {
            KeyFault::Unknown => Self::UnknownKey,
            KeyFault::UserAuthDenied => Self::UserAuthDenied,
            KeyFault::UserAuthCanceled => Self::UserAuthCanceled,
            KeyFault::HardwareUnavailable => Self::HardwareUnavailable,
            KeyFault::KeyInvalidated => Self::Invalidated,
            KeyFault::Failed => Self::Failed,
        }
    }
}

/// The policy of the wallet asks for more than the secure area can do.
pub(crate) fn not_capable() -> WalletError {
    WalletError::Key {
        code: "hardware_unavailable".to_owned(),
        party: Party::Wallet,
    }
}

/// The area of the app as the port of the core.
pub(crate) struct SecureAreaAdapter {
    area: Arc<dyn SecureArea>,
    policy: KeyPolicy,
}

impl SecureAreaAdapter {
    /// Refuses an area that cannot keep the policy.
    pub(crate) fn new(area: Arc<dyn SecureArea>, policy: KeyPolicy) -> Result<Self, WalletError> {
        let can = area.capabilities();
        let kept = can.algorithms.contains(&KeyAlgorithm::Es256)
            && (can.hardware || policy.hardware != HardwarePolicy::Required)
            && (can.user_authentication
                || policy.user_authentication == UserAuthentication::NotRequired);
        if !kept {
            return Err(not_capable());
        }
        Ok(Self { area, policy })
    }
}

#[async_trait]
impl CoreArea for SecureAreaAdapter {
    async fn create_key(&self, algorithm: Algorithm) -> Result<KeyHandle, SecureAreaError> {
        if algorithm != Algorithm::Es256 {
            return Err(SecureAreaError::Unsupported);
        }
        let spec = KeySpec {
            algorithm: KeyAlgorithm::Es256,
            user_authentication: self.policy.user_authentication,
            hardware: self.policy.hardware,
        };
        let KeyInfo { id, public_key } = self.area.create_key(spec).await?;
        Ok(KeyHandle {
            id: KeyId::parse(&id).map_err(SecureAreaError::Storage)?,
            public_key: PublicKey::from_p256_sec1(&public_key)
                .map_err(|_| SecureAreaError::Damaged)?,
        })
    }

    async fn sign(
        &self,
        key: &KeyId,
        message: &[u8],
        hint: &CoreHint,
    ) -> Result<Vec<u8>, SecureAreaError> {
        let hint = AuthorizationHint {
            title: hint.title.clone(),
        };
        let (key, data) = (key.as_str().to_owned(), message.to_vec());
        let signed = self.area.sign(key, KeyAlgorithm::Es256, data, hint).await?;
        let signature = match &signed {
            Signature::Raw { bytes } => P256Signature::from_slice(bytes),
            Signature::Der { bytes } => P256Signature::from_der(bytes),
        };
        let signature = signature.map_err(|_| SecureAreaError::Failed)?;
        Ok(signature.to_bytes().to_vec())
    }

    async fn delete_key(&self, key: &KeyId) -> Result<(), SecureAreaError> {
        Ok(self.area.delete_key(key.as_str().to_owned()).await?)
    }

    async fn keys(&self) -> Result<Vec<KeyId>, SecureAreaError> {
        let ids = self.area.keys().await?;
        let ids = ids.iter().map(|id| KeyId::parse(id));
        ids.collect::<Result<_, _>>()
            .map_err(SecureAreaError::Storage)
    }
}

//! Every back end runs through the same functions.

mod agreement;
mod ed25519;
mod keys;
mod multikey;
mod providers;
mod wycheproof;

use super::{CryptoProvider, Portable, Signer, SigningKey};

/// All back ends of this build.
pub(crate) fn providers() -> Vec<&'static dyn CryptoProvider> {
    vec![
        &Portable,
        #[cfg(feature = "aws-lc")]
        &super::AwsLc,
    ]
}

/// All software signers of this build for one key.
pub(crate) fn signers(pkcs8: &[u8]) -> Vec<Box<dyn Signer>> {
    let key = || SigningKey::from_pkcs8_der(pkcs8).unwrap();
    vec![
        Box::new(key()),
        #[cfg(feature = "aws-lc")]
        Box::new(super::AwsLcSigningKey::new(&key()).unwrap()),
    ]
}

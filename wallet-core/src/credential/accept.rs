//! What is taken from an issuer: verified, and bound to a key of this wallet.

use vouchsafe_credentials::crypto::CryptoProvider;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::mdoc::{self, MdocError};
use vouchsafe_credentials::sd_jwt_vc::{self, IssuerTrust, VcError};
use vouchsafe_credentials::time::UnixTime;

use super::Held;
use crate::secure_area::KeyHandle;

/// What a credential from an issuer is checked against.
#[derive(Clone, Copy)]
pub(crate) struct Acceptance<'a> {
    /// Who may have issued it.
    pub trust: &'a IssuerTrust,
    /// The type that was offered: `vct` or `docType`.
    pub kind: &'a str,
    /// The time now.
    pub now: UnixTime,
    /// Cryptography.
    pub crypto: &'a dyn CryptoProvider,
}

/// An SD-JWT VC, and which of the keys it is bound to: issuers need not keep the order of the proofs.
pub(crate) fn accept_sd_jwt_vc(
    compact: &str,
    keys: &[&KeyHandle],
    wanted: &Acceptance<'_>,
) -> Result<(Held, usize), VcError> {
    for (position, key) in keys.iter().enumerate() {
        let policy = sd_jwt_vc::IssuancePolicy {
            trust: wanted.trust,
            vct: wanted.kind,
            holder_key: Some(&key.public_key),
            now: wanted.now,
        };
        match sd_jwt_vc::verify_issued(compact, &policy, wanted.crypto) {
            Ok(held) => return Ok((Held::SdJwtVc(Box::new(held.into_inner())), position)),
            Err(VcError::HolderKeyMismatch) => {}
            Err(error) => return Err(error),
        }
    }
    Err(VcError::HolderKeyMismatch)
}

/// An mdoc (OpenID4VCI 1.0, appendix A.2.4: `IssuerSigned` in base64url) below a trusted IACA, and
/// which of the keys it is bound to.
pub(crate) fn accept_mdoc(
    text: &str,
    keys: &[&KeyHandle],
    wanted: &Acceptance<'_>,
) -> Result<(Held, usize), MdocError> {
    let bytes = b64url_decode(text).map_err(|_| MdocError::Encoding)?;
    for (position, key) in keys.iter().enumerate() {
        let policy = mdoc::IssuancePolicy {
            trust: wanted.trust,
            doctype: wanted.kind,
            device_key: &key.public_key,
            now: wanted.now,
        };
        match mdoc::verify_issued(&bytes, &policy, wanted.crypto) {
            Ok(held) => return Ok((Held::Mdoc(Box::new(held.into_inner())), position)),
            Err(MdocError::DeviceKeyMismatch) => {}
            Err(error) => return Err(error),
        }
    }
    Err(MdocError::DeviceKeyMismatch)
}

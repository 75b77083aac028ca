//! Holder binding by `cnf` (RFC 7800): a credential that names a key is presented by that key alone.

use serde_json::Value;

use super::{Credential, HolderBinding, Policy, VerifyError};
use crate::crypto::{KeyUse, Multikey, PublicKey};

/// A key that made a presentation, and the URL that it was found under.
#[derive(Clone, Debug)]
pub(crate) struct PresenterKey {
    pub(crate) key: Multikey,
    pub(crate) method: Option<String>,
}

/// Who made a presentation.
#[derive(Clone, Debug)]
pub(crate) struct Presenter {
    /// Who controls the keys.
    pub(crate) controller: String,
    /// Keys of this controller that signed it, at least one.
    pub(crate) keys: Vec<PresenterKey>,
}

/// RFC 7800, section 3: what the issuer says about possession is checked or refused, never skipped
/// without the policy's word. `presenter`: `None` where a credential is verified by itself.
pub(super) fn check(
    credential: &Credential,
    policy: &Policy<'_>,
    presenter: Option<&Presenter>,
) -> Result<(), VerifyError> {
    if policy.holder_binding == HolderBinding::NotAsked {
        return Ok(());
    }
    let Some(cnf) = credential.as_json().get("cnf") else {
        return Ok(());
    };
    let presenter = presenter.ok_or(VerifyError::HolderUnproven)?;
    let named = Named::read(cnf).ok_or(VerifyError::HolderKeyUnsupported)?;
    let own = presenter.keys.iter().any(|own| named.is(own));
    own.then_some(()).ok_or(VerifyError::HolderKeyMismatch)
}

/// How `cnf` names a key.
enum Named<'v> {
    /// `jwk` (section 3.2).
    Key(Multikey),
    /// `kid` (section 3.4): VC-JOSE-COSE 1.0, section 4: the URL of a verification method.
    Method(&'v str),
}

impl<'v> Named<'v> {
    /// `None`: neither one nor the other alone. A URL would be a look-up that tells who asks.
    fn read(cnf: &'v Value) -> Option<Self> {
        let members = cnf.as_object().filter(|members| members.len() == 1)?;
        if let Some(kid) = members.get("kid") {
            return kid.as_str().map(Self::Method);
        }
        let jwk = members.get("jwk")?;
        let remote = |name: &str| jwk.get(name).is_some();
        if remote("jku") || remote("x5u") {
            return None;
        }
        let key = PublicKey::from_jwk_for(jwk, KeyUse::Verify).ok()?;
        Some(Self::Key(Multikey::Signature(key)))
    }

    fn is(&self, own: &PresenterKey) -> bool {
        match self {
            Self::Key(key) => *key == own.key,
            Self::Method(url) => own.method.as_deref() == Some(*url),
        }
    }
}

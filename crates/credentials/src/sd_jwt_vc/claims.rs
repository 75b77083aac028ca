//! The registered claims of an SD-JWT VC, typed.

use crate::crypto::PublicKey;
use crate::status_list::StatusRef;
use crate::time::UnixTime;

/// The holder's key as `cnf.jwk` gives it.
pub type HolderKey = PublicKey;

/// The registered claims, each absent or well-formed.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredClaims {
    /// `vct`
    pub vct: String,
    /// `aka_vcts`, empty when absent.
    pub aka_vcts: Vec<String>,
    /// `iss`: what the credential says, not who it is (see [`super::IssuerIdentity`]).
    pub iss: Option<String>,
    /// `iat`
    pub issued_at: Option<UnixTime>,
    /// `nbf`
    pub not_before: Option<UnixTime>,
    /// `exp`
    pub expires_at: Option<UnixTime>,
    /// `cnf.jwk`
    pub holder_key: Option<HolderKey>,
    /// `status.status_list`
    pub status: Option<StatusRef>,
}

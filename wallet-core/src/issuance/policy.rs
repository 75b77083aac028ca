//! What a host may choose about adding and keeping cards, as data.

use vouchsafe_credentials::x509::TrustAnchors;

use crate::secure_area::KeySpec;

/// How a wallet gets its cards and how often it shows one copy.
#[derive(Debug, Clone, Default)]
pub struct IssuancePolicy {
    /// What keys of cards must be like.
    pub keys: KeySpec,
    /// How often one copy is shown.
    pub copies: CopyPolicy,
    /// How credentials are asked for, where both ways are open.
    pub ask_by: AskBy,
    /// Whether listed issuers must sign their metadata. What is signed is verified either way.
    pub signed_metadata: bool,
    /// Authorities that sign metadata, where they are not those that sign cards.
    pub metadata_anchors: Option<TrustAnchors>,
}

/// How often one copy of a card is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CopyPolicy {
    /// A fresh copy for everybody as long as there is one; then one that somebody has seen, after
    /// a warning.
    #[default]
    Rotate,
    /// No copy is ever shown to two verifiers: without a fresh one the card does not answer.
    OneTime,
}

/// How credentials are named in an authorization request (OpenID4VCI 1.0, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AskBy {
    /// By scope (HAIP 1.0, section 4.2), where the issuer names one.
    #[default]
    Scope,
    /// By `authorization_details`.
    Details,
}

//! What a verifier accepts.

use std::fmt;

use crate::bitstring_status_list::StatusListSource;
use crate::time::UnixTime;

/// Tolerated difference between the issuer's clock and ours, in seconds.
pub const CLOCK_SKEW_S: i64 = 60;

/// Whose credentials are believed.
#[derive(Clone, Copy, Debug)]
pub enum Issuers<'a> {
    /// These identifiers and no other.
    Only(&'a [String]),
    /// Anybody who can show that the identifier is theirs: the credential then says
    /// who issued it, and the caller decides what that is worth.
    AnyResolvable,
    /// Any key may sign for any issuer: the `issuer` of an accepted credential is a
    /// mere claim. For tools that look at signatures alone, and for conformance suites
    /// whose vectors name an issuer that has no document. Never for a decision.
    DangerousUnbound,
}

impl Issuers<'_> {
    /// Whether this issuer is one of them.
    #[must_use]
    pub fn accept(&self, id: &str) -> bool {
        match self {
            Self::Only(ids) => ids.iter().any(|accepted| accepted == id),
            Self::AnyResolvable | Self::DangerousUnbound => true,
        }
    }
}

/// "This controller signs for this issuer": for issuers whose identifier is no DID, said
/// by whoever runs the verifier, never by a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The issuer as credentials name it.
    pub issuer: String,
    /// The DID whose keys sign for it.
    pub controller: String,
}

/// What is asked of `credentialStatus`.
#[derive(Clone, Copy, Debug)]
pub enum StatusPolicy<'a> {
    /// Every `BitstringStatusListEntry` is checked, none has to be there; other
    /// types of status are refused, because they may say "revoked".
    CheckIfPresent(StatusLists<'a>),
    /// As above, and there must be one.
    Required(StatusLists<'a>),
    /// Status is not looked at: for issuers that check their own work and for the
    /// lists themselves. The caller takes the risk of a revoked credential.
    Unchecked,
}

/// Where status list credentials come from, and whose are believed.
#[derive(Clone, Copy)]
pub struct StatusLists<'a> {
    /// The fetcher.
    pub source: &'a dyn StatusListSource,
    /// Who may publish a list beside the issuer of the credential itself.
    pub publishers: &'a [String],
}

impl<'a> StatusLists<'a> {
    /// Lists that the issuers of the credentials publish themselves.
    #[must_use]
    pub const fn new(source: &'a dyn StatusListSource) -> Self {
        Self {
            source,
            publishers: &[],
        }
    }
}

impl fmt::Debug for StatusLists<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusLists")
            .field("publishers", &self.publishers)
            .finish_non_exhaustive()
    }
}

/// What is asked of `cnf`, the key that a credential is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderBinding {
    /// The key must be one that made the presentation. A credential with `cnf` that nobody
    /// presents is refused.
    Presenter,
    /// Holder binding is not asked: for who verifies a credential by itself and wants to know
    /// what its issuer says, not whose it is. Whoever copied the credential passes.
    NotAsked,
}

/// What is asked of the presentation header of a derived proof: the bytes that a verifier gave
/// out, to which the holder bound the proof (Data Integrity BBS Cryptosuites 1.0, section 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentationHeader<'a> {
    /// Exactly these bytes, in every proof of the credential; a proof of a kind that has no
    /// header is refused, as anybody could show it again.
    Expected(&'a [u8]),
    /// It is not looked at: whoever saw a derived proof can show it again, unless it
    /// stands in a presentation with a challenge.
    Unchecked,
}

/// What a verifier accepts as a credential. The purpose is always `assertionMethod`.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Who.
    pub issuers: Issuers<'a>,
    /// What: at least one of these must be among the credential's types. Empty: any type.
    pub types: &'a [String],
    /// When.
    pub now: UnixTime,
    /// Tolerated difference of clocks in seconds, 60 by default.
    pub skew_s: i64,
    /// Status.
    pub status: StatusPolicy<'a>,
    /// Controllers that sign for issuers of another name. Empty: the issuer is the controller.
    pub delegations: &'a [Delegation],
    /// Holder binding, [`HolderBinding::Presenter`] by default.
    pub holder_binding: HolderBinding,
    /// Presentation header, [`PresentationHeader::Unchecked`] by default.
    pub presentation_header: PresentationHeader<'a>,
}

impl<'a> Policy<'a> {
    /// A policy for this moment that takes any type and does not ask for a status.
    #[must_use]
    pub const fn new(issuers: Issuers<'a>, now: UnixTime, status: StatusPolicy<'a>) -> Self {
        Self {
            issuers,
            types: &[],
            now,
            skew_s: CLOCK_SKEW_S,
            status,
            delegations: &[],
            holder_binding: HolderBinding::Presenter,
            presentation_header: PresentationHeader::Unchecked,
        }
    }

    /// Whether a proof by this controller may speak for the issuer.
    #[must_use]
    pub fn binds(&self, issuer: &str, controller: &str) -> bool {
        let delegated = |one: &Delegation| one.issuer == issuer && one.controller == controller;
        issuer == controller
            || self.delegations.iter().any(delegated)
            || matches!(self.issuers, Issuers::DangerousUnbound)
    }
}

/// Who may present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderPolicy {
    /// Whoever holds the credentials.
    Any,
    /// The holder must be there and be the subject of every credential.
    IsSubject,
}

/// What was given out for a presentation to be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding<'a> {
    /// This, and the presentation must say so.
    Expected(&'a str),
    /// Nothing was, or it is not looked at: a presentation of an earlier day, or for somebody
    /// else, passes.
    Unchecked,
}

impl<'a> Binding<'a> {
    pub(crate) const fn expected(self) -> Option<&'a str> {
        match self {
            Self::Expected(text) => Some(text),
            Self::Unchecked => None,
        }
    }
}

/// Whether a presentation may be without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyPresentation {
    /// At least one credential. Without one, no rule for issuers, types and holders refuses anything.
    Refused,
    /// None is needed: the presentation shows that somebody has a key, and no more.
    Allowed,
}

/// What a verifier accepts as a presentation. The purpose is always `authentication`.
#[derive(Clone, Copy, Debug)]
pub struct PresentationPolicy<'a> {
    /// The credentials in it.
    pub credentials: Policy<'a>,
    /// The challenge that was given out. Unchecked: replay is not detected.
    pub challenge: Binding<'a>,
    /// Our name. Unchecked: what was made for others passes.
    pub domain: Binding<'a>,
    /// The holder.
    pub holder: HolderPolicy,
    /// Without credentials.
    pub empty: EmptyPresentation,
}

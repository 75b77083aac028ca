//! What a verified presentation says.

use serde_json::Value;
use vouchsafe_credentials::sd_jwt_vc::{IssuerIdentity, RegisteredClaims};
use vouchsafe_credentials::status_list::StatusRef;
use vouchsafe_credentials::time::UnixTime;

use crate::vp::dcql::{ClaimPointer, ClaimsPath, PathStep, PointerStep, QueryId};

/// A response that passed every check. Only
/// [`verify_presentation`](super::verify_presentation) makes one.
#[derive(Clone, Debug)]
pub struct VerifiedPresentation {
    credentials: Vec<VerifiedCredential>,
}

impl VerifiedPresentation {
    pub(super) fn new(credentials: Vec<VerifiedCredential>) -> Self {
        VerifiedPresentation { credentials }
    }

    /// The credentials, in the order of the `vp_token`; at least one.
    pub fn credentials(&self) -> &[VerifiedCredential] {
        &self.credentials
    }

    /// The first credential that answers this Credential Query.
    pub fn credential(&self, query: &str) -> Option<&VerifiedCredential> {
        self.credentials
            .iter()
            .find(|credential| credential.query.as_str() == query)
    }
}

/// A credential that was presented and answers its Credential Query. It holds
/// the claims that were asked for and no others, whatever was disclosed.
#[derive(Clone)]
pub struct VerifiedCredential {
    query: QueryId,
    credential_type: String,
    issuer: IssuerIdentity,
    registered: RegisteredClaims,
    claims: Vec<(ClaimPointer, Value)>,
}

impl VerifiedCredential {
    pub(super) fn new(
        query: QueryId,
        credential_type: String,
        issuer: IssuerIdentity,
        registered: RegisteredClaims,
        requested: &[ClaimPointer],
        claims: &Value,
    ) -> Self {
        let claims = requested
            .iter()
            .filter_map(|pointer| Some((pointer.clone(), pointer.find(claims)?.clone())))
            .collect();
        VerifiedCredential {
            query,
            credential_type,
            issuer,
            registered,
            claims,
        }
    }

    /// The Credential Query it answers.
    pub fn query(&self) -> &QueryId {
        &self.query
    }

    /// The validated issuer; never the `iss` claim.
    pub fn issuer(&self) -> &IssuerIdentity {
        &self.issuer
    }

    /// The type under which it was asked for (`vct`, or one of `aka_vcts`).
    pub fn credential_type(&self) -> &str {
        &self.credential_type
    }

    /// When the credential expires.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.registered.expires_at
    }

    /// Where its status stands, to be watched while a session rests on it.
    pub fn status(&self) -> Option<&StatusRef> {
        self.registered.status.as_ref()
    }

    /// Thumbprint of the holder's key (RFC 7638); it changes with every re-issuance.
    pub fn holder_thumbprint(&self) -> Option<String> {
        self.registered
            .holder_key
            .as_ref()
            .map(|key| key.thumbprint())
    }

    /// The requested claims and where they are.
    pub fn claims(&self) -> &[(ClaimPointer, Value)] {
        &self.claims
    }

    /// Every value at this path, among the requested claims.
    pub fn values(&self, path: &ClaimsPath) -> Vec<&Value> {
        self.claims
            .iter()
            .flat_map(|(pointer, value)| below(pointer, value, path))
            .collect()
    }

    /// The value at this path, among the requested claims.
    pub fn claim(&self, path: &ClaimsPath) -> Option<&Value> {
        self.values(path).into_iter().next()
    }
}

/// Shows no claim.
impl std::fmt::Debug for VerifiedCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedCredential")
            .field("query", &self.query)
            .finish_non_exhaustive()
    }
}

/// What `path` selects in `value`, which stands at `pointer`.
fn below<'v>(pointer: &ClaimPointer, value: &'v Value, path: &ClaimsPath) -> Vec<&'v Value> {
    let steps = path.steps();
    let inside = pointer.steps().len() <= steps.len()
        && pointer
            .steps()
            .iter()
            .zip(steps)
            .all(|(at, step)| match (at, step) {
                (PointerStep::Key(key), PathStep::Key(wanted)) => key == wanted,
                (PointerStep::Index(index), PathStep::Index(wanted)) => index == wanted,
                (PointerStep::Index(_), PathStep::All) => true,
                (PointerStep::Key(_), PathStep::Index(_) | PathStep::All)
                | (PointerStep::Index(_), PathStep::Key(_)) => false,
            });
    if !inside {
        return Vec::new();
    }
    let rest = &steps[pointer.steps().len()..];
    let selected = ClaimsPath::select_steps(rest, value).unwrap_or_default();
    selected.into_iter().map(|(_, value)| value).collect()
}

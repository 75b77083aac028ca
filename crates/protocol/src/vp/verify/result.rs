//! What a verified presentation says.

use serde_json::Value;
use vouchsafe_credentials::crypto::PublicKey;
use vouchsafe_credentials::sd_jwt_vc::IssuerIdentity;
use vouchsafe_credentials::status_list::StatusRef;
use vouchsafe_credentials::time::UnixTime;

use super::credential::Accepted;
use crate::vp::dcql::{ClaimPointer, ClaimsPath, CredentialQuery, PathStep, PointerStep, QueryId};

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
    issued_at: Option<UnixTime>,
    expires_at: Option<UnixTime>,
    status: Option<StatusRef>,
    holder_key: Option<PublicKey>,
    claims: Vec<(ClaimPointer, Value)>,
}

impl VerifiedCredential {
    pub(super) fn new(
        query: &CredentialQuery,
        credential: Accepted,
        requested: &[ClaimPointer],
    ) -> Self {
        let claims = requested
            .iter()
            .filter_map(|pointer| {
                let value = pointer.find(&credential.claims)?;
                Some((pointer.clone(), value.clone()))
            })
            .collect();
        VerifiedCredential {
            query: query.id().clone(),
            credential_type: credential.credential_type,
            issuer: credential.issuer,
            issued_at: credential.issued_at,
            expires_at: credential.expires_at,
            status: credential.status,
            holder_key: credential.holder_key,
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

    /// The type under which it was asked for (`vct`, one of `aka_vcts`, or `docType`).
    pub fn credential_type(&self) -> &str {
        &self.credential_type
    }

    /// When the credential was issued, where its issuer says so (`iat`, or when the mdoc was signed).
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.issued_at
    }

    /// When the credential expires.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// Where its status stands, to be watched while a session rests on it.
    pub fn status(&self) -> Option<&StatusRef> {
        self.status.as_ref()
    }

    /// Thumbprint of the holder's key (RFC 7638); it changes with every re-issuance.
    pub fn holder_thumbprint(&self) -> Option<String> {
        self.holder_key.as_ref().map(|key| key.thumbprint())
    }

    /// The requested claims and where they are.
    pub fn claims(&self) -> &[(ClaimPointer, Value)] {
        &self.claims
    }

    /// Every value at this path, among the requested claims. `null` is none, also inside a claim.
    pub fn values(&self, path: &ClaimsPath) -> Vec<&Value> {
        self.claims
            .iter()
            .flat_map(|(pointer, value)| below(pointer, value, path))
            .filter(|value| !value.is_null())
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

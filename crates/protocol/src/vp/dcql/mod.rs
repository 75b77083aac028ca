//! The Digital Credentials Query Language (OpenID4VP 1.0, sections 6 and 7).
//!
//! Three users, one reading of the rules: [`DcqlQuery::parse`] refuses what the
//! specification refuses and what exceeds the [`limits`]; [`find_matches`] is what a
//! wallet does with its credentials; [`check_credential`] and [`check_sets`]
//! are what a verifier does with the answer. A property test holds the last two
//! together: what the wallet selects, the verifier accepts.
//!
//! To add a credential format: a variant of [`Format`] and [`Meta`], its parsing
//! in `parse.rs`, its comparison in `check.rs`.

mod check;
pub mod limits;
mod members;
mod narrow;
mod parse;
mod path;
mod select;
mod selection;
#[cfg(test)]
mod tests;
mod value;

pub use check::{
    CredentialFacts, CredentialMismatch, ProfileError, SetError, check_credential, check_sets,
    require_login_profile,
};
pub use parse::DcqlError;
pub use path::{ClaimPointer, ClaimsPath, PathError, PathStep, PointerStep};
pub use select::{
    Candidate, CandidateMatch, Matches, NoMatch, QueryMatches, SetMatches, find_matches,
};
pub use selection::{Pick, Selection, SelectionError};
pub use value::ExpectedValue;

use serde_json::Value;

/// Identifier of a Credential Query: 1 to 128 of `A-Z a-z 0-9 _ -` (section 6.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(String);

impl QueryId {
    /// The identifier as it stands in the query and in the `vp_token`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for QueryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A parsed query. It keeps the JSON it came from, so that what is signed is
/// what was configured.
#[derive(Clone, Debug, PartialEq)]
pub struct DcqlQuery {
    json: Value,
    credentials: Vec<CredentialQuery>,
    credential_sets: Option<Vec<CredentialSetQuery>>,
}

impl DcqlQuery {
    /// The query as JSON, as it was given to [`DcqlQuery::parse`].
    pub fn as_json(&self) -> &Value {
        &self.json
    }

    /// The Credential Queries, at least one, in the order of the query.
    pub fn credentials(&self) -> &[CredentialQuery] {
        &self.credentials
    }

    /// The Credential Set Queries. `None`: all of [`DcqlQuery::credentials`] are asked for.
    pub fn credential_sets(&self) -> Option<&[CredentialSetQuery]> {
        self.credential_sets.as_deref()
    }

    /// The Credential Query with this identifier.
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.credentials.iter().find(|query| query.id.0 == id)
    }
}

/// What is asked of one credential (section 6.1).
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialQuery {
    id: QueryId,
    format: Format,
    multiple: bool,
    meta: Meta,
    trusted_authorities: Option<Vec<TrustedAuthority>>,
    holder_binding: bool,
    claims: Option<Vec<ClaimQuery>>,
    /// Positions in `claims`, the verifier's favourite first.
    claim_sets: Option<Vec<Vec<usize>>>,
}

impl CredentialQuery {
    /// The key of the answer in the `vp_token`.
    pub fn id(&self) -> &QueryId {
        &self.id
    }

    /// The credential format that is asked for.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Whether more than one presentation may answer.
    pub fn multiple(&self) -> bool {
        self.multiple
    }

    /// The constraints on the type of the credential.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Authorities of which one should stand behind the credential.
    pub fn trusted_authorities(&self) -> Option<&[TrustedAuthority]> {
        self.trusted_authorities.as_deref()
    }

    /// Whether a proof of holder binding is asked for (the default).
    pub fn requires_holder_binding(&self) -> bool {
        self.holder_binding
    }

    /// The claims asked for. `None`: no selectively disclosable claim at all.
    pub fn claims(&self) -> Option<&[ClaimQuery]> {
        self.claims.as_deref()
    }

    /// The alternatives for the claims to disclose, the verifier's favourite
    /// first. Without `claim_sets` there is one: all claims; without `claims`
    /// one that is empty.
    pub fn claim_options(&self) -> Vec<Vec<&ClaimQuery>> {
        let claims = self.claims.as_deref().unwrap_or_default();
        match &self.claim_sets {
            None => vec![without_duplicates(claims.iter())],
            Some(sets) => sets
                .iter()
                .map(|set| without_duplicates(set.iter().filter_map(|index| claims.get(*index))))
                .collect(),
        }
    }
}

/// Section 6.1: "Wallets SHOULD ignore such duplicate claim queries": the first wins.
fn without_duplicates<'a>(claims: impl Iterator<Item = &'a ClaimQuery>) -> Vec<&'a ClaimQuery> {
    let mut kept: Vec<&ClaimQuery> = Vec::new();
    for claim in claims {
        if !kept.iter().any(|other| other.path == claim.path) {
            kept.push(claim);
        }
    }
    kept
}

/// A credential format identifier (OpenID4VP 1.0, appendix B).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// `dc+sd-jwt`
    SdJwtVc,
    /// `mso_mdoc`
    MsoMdoc,
    /// Any other: parsed, matched by nothing here.
    Other(String),
}

impl Format {
    /// The identifier on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Format::SdJwtVc => "dc+sd-jwt",
            Format::MsoMdoc => "mso_mdoc",
            Format::Other(name) => name,
        }
    }
}

/// `meta`, by format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meta {
    /// Allowed values of `vct` (appendix B.3.5).
    SdJwtVc {
        /// At least one.
        vct_values: Vec<String>,
    },
    /// The document type (appendix B.2.3).
    MsoMdoc {
        /// For example `org.iso.18013.5.1.mDL`.
        doctype_value: String,
    },
    /// `meta` of another format, not interpreted.
    Other,
}

/// An entry of `trusted_authorities` (section 6.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedAuthority {
    /// `aki`: key identifiers, one of which must be the AuthorityKeyIdentifier
    /// of a certificate in the credential's chain.
    AuthorityKeyIdentifier(Vec<Vec<u8>>),
    /// A type that is not evaluated here: nothing matches it.
    Other {
        /// For example `etsi_tl`.
        kind: String,
        /// At least one.
        values: Vec<String>,
    },
}

/// One claim that is asked for (section 6.3).
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimQuery {
    id: Option<String>,
    path: ClaimsPath,
    values: Option<Vec<ExpectedValue>>,
    intent_to_retain: bool,
}

impl ClaimQuery {
    /// The identifier that `claim_sets` use.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Where the claim is.
    pub fn path(&self) -> &ClaimsPath {
        &self.path
    }

    /// The values of which the claim must have one.
    pub fn values(&self) -> Option<&[ExpectedValue]> {
        self.values.as_deref()
    }

    /// Whether the verifier says that it means to keep the element, in a query for an mdoc
    /// (appendix B.2.4).
    pub fn intends_to_retain(&self) -> bool {
        self.intent_to_retain
    }

    /// Section 6.3: "the type and value of the claim both match exactly for at
    /// least one of the elements in the array". An element that does not match
    /// counts "the same as if it did not exist" (section 6.4.1). Catalogue 307: `null` says nothing,
    /// so it answers nothing either (OpenID Connect Core 1.0, section 5.3.2: no claim is told as `null`).
    fn accepts(&self, found: &Value) -> bool {
        match &self.values {
            None => !found.is_null(),
            Some(expected) => expected.iter().any(|wanted| wanted.equals(found)),
        }
    }

    /// The elements of `claims` that answer this query, and where they are.
    pub fn select<'v>(
        &self,
        claims: &'v Value,
    ) -> Result<Vec<(ClaimPointer, &'v Value)>, PathError> {
        let mut selected = self.path.select(claims)?;
        selected.retain(|(_, value)| self.accepts(value));
        if selected.is_empty() {
            return Err(PathError::Nothing);
        }
        Ok(selected)
    }
}

/// One use case: sets of credentials of which one is to be returned (section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialSetQuery {
    options: Vec<Vec<QueryId>>,
    required: bool,
}

impl CredentialSetQuery {
    /// The alternatives, each a set of Credential Query identifiers.
    pub fn options(&self) -> &[Vec<QueryId>] {
        &self.options
    }

    /// Whether one of the options must be returned (the default).
    pub fn required(&self) -> bool {
        self.required
    }
}

//! Which types answer a question, and where in them a claim stands.

use vouchsafe_protocol::vp::dcql::{ClaimsPath, CredentialQuery, DcqlQuery, Format, Meta};

use super::Query;

/// All types that may answer.
pub(super) fn types(dcql: &DcqlQuery) -> Vec<String> {
    let mut types: Vec<String> = dcql
        .credentials()
        .iter()
        .flat_map(types_of)
        .cloned()
        .collect();
    types.sort();
    types.dedup();
    types
}

/// The types that may answer: `vct` or `docType`.
pub(crate) fn types_of(entry: &CredentialQuery) -> &[String] {
    match entry.meta() {
        Meta::SdJwtVc { vct_values } => vct_values,
        Meta::MsoMdoc { doctype_value } => std::slice::from_ref(doctype_value),
        Meta::Other => &[],
    }
}

impl Query {
    /// Whether a card of this type says whose login it is.
    #[must_use]
    pub fn is_known_by(&self, card_type: &str) -> bool {
        let Some(claim) = self.subject.claim() else {
            return false;
        };
        let of_claim = |entry: &&CredentialQuery| entry.id().as_str() == claim.credential;
        let entry = self.dcql.credentials().iter().find(of_claim);
        entry.is_some_and(|entry| types_of(entry).iter().any(|one| one == card_type))
    }
}

/// Where the claim stands that says whose login it is: at the top level of an SD-JWT VC, in a
/// namespace of an mdoc.
pub(super) fn subject_path(entry: &CredentialQuery, claim: &str) -> Option<ClaimsPath> {
    match entry.format() {
        Format::MsoMdoc => {
            let (namespace, element) = claim.rsplit_once('/')?;
            ClaimsPath::of_keys(&[namespace, element])
        }
        Format::SdJwtVc | Format::Other(_) => ClaimsPath::of_keys(&[claim]),
    }
}

//! What must not be hidden, so that a disclosed document is still a credential.

use serde_json::Value;

use super::{Pointer, SdError};

/// Members that say who vouches, for how long, where that is revoked (VCDM 2.0, sections 4.7,
/// 4.9 and 4.10; `issuanceDate` and `expirationDate` of VCDM 1.1) and whose key it is bound to (RFC 7800).
/// Who may hide them can hide that a credential has expired or was revoked, or hand it on.
const ALWAYS: [&str; 8] = [
    "issuer",
    "validFrom",
    "validUntil",
    "issuanceDate",
    "expirationDate",
    "credentialStatus",
    "credentialSchema",
    "cnf",
];

/// The mandatory pointers of a base proof: those that the issuer wants, and the members above where
/// the document has them.
///
/// # Errors
/// [`SdError::Pointer`], [`SdError::TooManyPointers`].
pub fn mandatory_pointers(document: &Value, wanted: &[String]) -> Result<Vec<Pointer>, SdError> {
    let mut pointers = Pointer::parse_all(wanted)?;
    for name in ALWAYS {
        if document.get(name).is_some() {
            add_member(&mut pointers, name)?;
        }
    }
    Ok(pointers)
}

/// The selective pointers of a derived proof: those that the holder wants and, of a credential,
/// its issuer. Something about the subject must be among them, or it is no credential any more;
/// what that is, only the holder can say.
///
/// # Errors
/// [`SdError::SubjectHidden`], [`SdError::Pointer`], [`SdError::TooManyPointers`].
pub fn disclosed_pointers(
    document: &Value,
    mandatory: &[Pointer],
    wanted: &[String],
) -> Result<Vec<Pointer>, SdError> {
    let mut pointers = Pointer::parse_all(wanted)?;
    let chosen: Vec<Pointer> = mandatory.iter().chain(&pointers).cloned().collect();
    if document.get("issuer").is_some() && !covers(&chosen, "issuer") {
        add_member(&mut pointers, "issuer")?;
    }
    let subject = document.get("credentialSubject");
    if subject.is_some() && !touches(&chosen, "credentialSubject") {
        return Err(SdError::SubjectHidden);
    }
    Ok(pointers)
}

fn add_member(pointers: &mut Vec<Pointer>, name: &str) -> Result<(), SdError> {
    if !covers(pointers, name) {
        pointers.push(format!("/{name}").parse()?);
    }
    Ok(())
}

/// Whether all of the member is selected.
fn covers(pointers: &[Pointer], name: &str) -> bool {
    pointers.iter().any(|pointer| match pointer.tokens() {
        [] => true,
        [token] => token == name,
        _ => false,
    })
}

/// Whether something of the member is selected.
fn touches(pointers: &[Pointer], name: &str) -> bool {
    pointers
        .iter()
        .any(|pointer| pointer.tokens().first().is_none_or(|token| token == name))
}

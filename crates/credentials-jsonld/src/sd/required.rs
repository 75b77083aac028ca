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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn texts(pointers: Result<Vec<Pointer>, SdError>) -> Result<Vec<String>, SdError> {
        pointers.map(|pointers| pointers.iter().map(Pointer::to_string).collect())
    }

    #[test]
    fn what_is_always_mandatory_is_added_once() {
        let document = json!({"issuer": {"id": "did:example:i"}, "cnf": {"kid": "k"}, "type": "T"});
        for (wanted, expected) in [
            (&[][..], &["/issuer", "/cnf"][..]),
            (&["/cnf"], &["/cnf", "/issuer"]),
            (&["/cnf", "/issuer"], &["/cnf", "/issuer"]),
            // A part of the issuer is not the issuer.
            (&["/issuer/id"], &["/issuer/id", "/issuer", "/cnf"]),
            (&[""], &[""]),
        ] {
            let pointers = mandatory_pointers(&document, &owned(wanted));
            assert_eq!(texts(pointers), Ok(owned(expected)), "{wanted:?}");
        }
    }

    #[test]
    fn the_issuer_is_added_where_nothing_else_discloses_it() {
        let document = json!({"issuer": "did:example:i", "credentialSubject": {"name": "Ada"}});
        let name = "/credentialSubject/name";
        for (mandatory, wanted, expected) in [
            (&["/issuer"][..], &[name][..], &[name][..]),
            (&[""], &[name], &[name]),
            (&["/issuer/id"], &[name], &[name, "/issuer"]),
            (&[], &[name], &[name, "/issuer"]),
            (&[], &[name, "/issuer"], &[name, "/issuer"]),
            (&[name], &[], &["/issuer"]),
            (&[], &[""], &[""]),
        ] {
            let mandatory = Pointer::parse_all(mandatory).unwrap();
            let pointers = disclosed_pointers(&document, &mandatory, &owned(wanted));
            assert_eq!(texts(pointers), Ok(owned(expected)), "{wanted:?}");
        }
        let hidden = disclosed_pointers(&document, &[], &owned(&["/issuer"]));
        assert_eq!(hidden, Err(SdError::SubjectHidden));
    }

    #[test]
    fn what_is_no_credential_needs_neither_issuer_nor_subject() {
        let document = json!({"name": "Ada"});
        for wanted in [&[][..], &["/name"]] {
            let pointers = disclosed_pointers(&document, &[], &owned(wanted));
            assert_eq!(texts(pointers), Ok(owned(wanted)));
        }
        assert_eq!(texts(mandatory_pointers(&document, &[])), Ok(Vec::new()));
    }
}

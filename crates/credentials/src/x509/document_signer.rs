//! Document signers of mdocs below an IACA (ISO/IEC 18013-5:2021, annex B.1).

use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier as Oid;

use super::X509Error;

const COUNTRY: Oid = Oid::new_unwrap("2.5.4.6");
const STATE: Oid = Oid::new_unwrap("2.5.4.8");

/// ISO/IEC 18013-5:2021, tables B.1 and B.3: the countries are the same; so are the states or
/// provinces where both have one.
pub(super) fn check_names(leaf: &Certificate, authority: &Certificate) -> Result<(), X509Error> {
    let pair = |kind| Ok::<_, X509Error>((attribute(leaf, kind)?, attribute(authority, kind)?));
    let (country, of_authority) = pair(COUNTRY)?;
    if country != of_authority {
        return Err(X509Error::Invalid);
    }
    match pair(STATE)? {
        (Some(one), Some(other)) if one != other => Err(X509Error::Invalid),
        _ => Ok(()),
    }
}

/// The text of an attribute of the subject, whatever its string type.
pub(super) fn attribute(
    certificate: &Certificate,
    kind: Oid,
) -> Result<Option<Vec<u8>>, X509Error> {
    let subject = certificate.tbs_certificate().subject();
    let mut values = subject
        .iter()
        .filter(|attribute| attribute.oid == kind)
        .map(|attribute| attribute.value.value().to_vec());
    let value = values.next();
    // Two countries would leave open which one is compared.
    if values.next().is_some() {
        return Err(X509Error::Malformed);
    }
    Ok(value)
}

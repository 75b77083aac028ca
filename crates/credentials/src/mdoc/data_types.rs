//! Data types of known elements: what a value must be to mean what its name says.

use super::{MdocError, age, tdate};
use crate::cbor::{TAG_FULL_DATE, TAG_TDATE, Value};
use crate::credential_type::date::is_date;

/// `docType` of the mobile driving licence (ISO/IEC 18013-5:2021, section 7.1).
pub const MDL: &str = "org.iso.18013.5.1.mDL";
/// Its namespace.
pub const MDL_NAMESPACE: &str = "org.iso.18013.5.1";
/// `docType` and namespace of the EU age verification attestation.
pub const AGE_VERIFICATION: &str = "eu.europa.ec.av.1";
/// `docType` and namespace of the EU person identification data.
pub const PID: &str = "eu.europa.ec.eudi.pid.1";

/// Largest accepted portrait and other picture, in bytes.
pub const MAX_PORTRAIT_BYTES: usize = 512 * 1024;
/// ISO/IEC 18013-5:2021, table 5: texts have at most 150 characters.
const MAX_TEXT_CHARACTERS: usize = 150;

/// What a value must be.
#[derive(Clone, Copy)]
enum DataType {
    Text,
    /// ISO 3166-1 alpha-2: two capital letters.
    Country,
    Unsigned,
    Bool,
    /// A picture or a template.
    Picture,
    FullDate,
    /// `tdate` or `full-date`.
    Date,
    TDate,
    Array,
    Map,
    /// One text, or an array of texts: both forms are in use.
    Texts,
}

/// Checks the value of an element of a known namespace. Unknown namespaces and elements may have
/// any value, but an age verification attestation has nothing but ages.
///
/// # Errors
/// [`MdocError::ElementType`], [`MdocError::ElementUnexpected`].
pub fn check_element(
    doctype: &str,
    namespace: &str,
    element: &str,
    value: &Value,
) -> Result<(), MdocError> {
    let wanted = match namespace {
        _ if age::threshold(element).is_some() && is_known(namespace) => Some(DataType::Bool),
        MDL_NAMESPACE => mdl(element),
        PID => pid(element),
        _ => None,
    };
    // EU age verification profile: no attribute but `age_over_NN`.
    if (doctype == AGE_VERIFICATION || namespace == AGE_VERIFICATION)
        && (wanted.is_none() || namespace != AGE_VERIFICATION)
    {
        return Err(MdocError::ElementUnexpected);
    }
    if wanted.is_none_or(|wanted| wanted.fits(value)) {
        Ok(())
    } else {
        Err(MdocError::ElementType)
    }
}

fn is_known(namespace: &str) -> bool {
    matches!(namespace, MDL_NAMESPACE | PID | AGE_VERIFICATION)
}

/// ISO/IEC 18013-5:2021, table 5.
fn mdl(element: &str) -> Option<DataType> {
    Some(match element {
        "family_name"
        | "given_name"
        | "issuing_authority"
        | "document_number"
        | "un_distinguishing_sign"
        | "administrative_number"
        | "eye_colour"
        | "hair_colour"
        | "birth_place"
        | "resident_address"
        | "issuing_jurisdiction"
        | "resident_city"
        | "resident_state"
        | "resident_postal_code"
        | "family_name_national_character"
        | "given_name_national_character" => DataType::Text,
        "issuing_country" | "nationality" | "resident_country" => DataType::Country,
        "birth_date" => DataType::FullDate,
        "issue_date" | "expiry_date" => DataType::Date,
        "portrait_capture_date" => DataType::TDate,
        "sex" | "height" | "weight" | "age_in_years" | "age_birth_year" => DataType::Unsigned,
        "portrait" | "signature_usual_mark" => DataType::Picture,
        "driving_privileges" => DataType::Array,
        _ if element.starts_with("biometric_template_") => DataType::Picture,
        _ => return None,
    })
}

/// EU PID rulebook, the mdoc encoding of its attributes.
fn pid(element: &str) -> Option<DataType> {
    Some(match element {
        "family_name"
        | "given_name"
        | "resident_address"
        | "resident_state"
        | "resident_city"
        | "resident_postal_code"
        | "resident_street"
        | "resident_house_number"
        | "personal_administrative_number"
        | "family_name_birth"
        | "given_name_birth"
        | "email_address"
        | "mobile_phone_number"
        | "issuing_authority"
        | "document_number"
        | "issuing_jurisdiction" => DataType::Text,
        "issuing_country" | "resident_country" => DataType::Country,
        "birth_date" => DataType::FullDate,
        "expiry_date" | "issuance_date" => DataType::Date,
        "sex" | "age_in_years" | "age_birth_year" => DataType::Unsigned,
        "portrait" => DataType::Picture,
        "nationality" | "nationalities" => DataType::Texts,
        "place_of_birth" => DataType::Map,
        _ => return None,
    })
}

impl DataType {
    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text | Self::Texts, Value::Text(text)) => is_text(text),
            (Self::Country, Value::Text(text)) => {
                text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
            }
            (Self::Texts, Value::Array(items)) => {
                let mut texts = items.iter();
                !items.is_empty() && texts.all(|item| item.as_text().is_some_and(is_text))
            }
            (Self::Unsigned, Value::Integer(number)) => u32::try_from(*number).is_ok(),
            (Self::Picture, Value::Bytes(bytes)) => bytes.len() <= MAX_PORTRAIT_BYTES,
            (Self::FullDate | Self::Date, Value::Tag(TAG_FULL_DATE, text)) => {
                text.as_text().is_some_and(is_date)
            }
            (Self::TDate | Self::Date, Value::Tag(TAG_TDATE, text)) => {
                text.as_text().and_then(tdate::parse).is_some()
            }
            (Self::Bool, Value::Bool(_))
            | (Self::Array, Value::Array(_))
            | (Self::Map, Value::Map(_)) => true,
            _ => false,
        }
    }
}

fn is_text(text: &str) -> bool {
    text.chars().count() <= MAX_TEXT_CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tag: u64, text: &str) -> Value {
        Value::Tag(tag, Box::new(Value::Text(text.into())))
    }

    #[test]
    fn cat_155_ages_are_booleans() {
        for (doctype, namespace) in [
            (MDL, MDL_NAMESPACE),
            (PID, PID),
            (AGE_VERIFICATION, AGE_VERIFICATION),
        ] {
            let check = |value| check_element(doctype, namespace, "age_over_18", &value);
            assert!(check(Value::Bool(true)).is_ok());
            for wrong in [
                Value::Text("true".into()),
                Value::from(1),
                Value::Null,
                Value::Array(vec![true.into()]),
            ] {
                assert!(matches!(check(wrong), Err(MdocError::ElementType)));
            }
        }
    }

    #[test]
    fn an_age_verification_attestation_has_ages_alone() {
        let check =
            |doctype, namespace, element| check_element(doctype, namespace, element, &true.into());
        assert!(check(AGE_VERIFICATION, AGE_VERIFICATION, "age_over_21").is_ok());
        for (doctype, namespace, element) in [
            (AGE_VERIFICATION, AGE_VERIFICATION, "family_name"),
            (AGE_VERIFICATION, AGE_VERIFICATION, "age_over_018"),
            (AGE_VERIFICATION, MDL_NAMESPACE, "age_over_18"),
            (AGE_VERIFICATION, "other", "x"),
        ] {
            assert!(
                matches!(
                    check(doctype, namespace, element),
                    Err(MdocError::ElementUnexpected)
                ),
                "{element}"
            );
        }
        // Other types are free to have elements that are not known here.
        assert!(check("other", "other", "x").is_ok());
        assert!(check(MDL, MDL_NAMESPACE, "a_later_edition").is_ok());
        assert!(check(MDL, "org.example.national", "family_name").is_ok());
    }

    #[test]
    fn values_have_the_type_of_their_element() {
        let fits = |element, value| check_element(MDL, MDL_NAMESPACE, element, &value).is_ok();
        assert!(fits("family_name", Value::Text("ä".repeat(150))));
        assert!(!fits("family_name", Value::Text("ä".repeat(151))));
        assert!(!fits("family_name", Value::Bytes(b"x".to_vec())));
        assert!(fits("issuing_country", Value::Text("AT".into())));
        assert!(!fits("issuing_country", Value::Text("at".into())));
        assert!(!fits("issuing_country", Value::Text("AUT".into())));
        assert!(fits("birth_date", tagged(1004, "2000-02-29")));
        assert!(!fits("birth_date", tagged(1004, "2001-02-29")));
        assert!(!fits("birth_date", tagged(0, "2001-02-28T00:00:00Z")));
        assert!(!fits("birth_date", Value::Text("2000-02-29".into())));
        assert!(fits("expiry_date", tagged(0, "2031-02-28T00:00:00Z")));
        assert!(fits("expiry_date", tagged(1004, "2031-02-28")));
        assert!(!fits("expiry_date", tagged(0, "2031-02-28T00:00:00.5Z")));
        assert!(!fits("portrait_capture_date", tagged(1004, "2031-02-28")));
        assert!(fits("height", Value::from(180)));
        assert!(!fits("height", Value::from(-180)));
        assert!(!fits("height", Value::Float(180.0)));
        assert!(fits("driving_privileges", Value::Array(vec![])));
        assert!(!fits("driving_privileges", Value::Null));
        let pid = |element, value| check_element(PID, PID, element, &value).is_ok();
        assert!(pid("nationality", Value::Text("AT".into())));
        assert!(pid(
            "nationality",
            Value::Array(vec!["AT".into(), "DE".into()])
        ));
        assert!(!pid("nationality", Value::Array(vec![1.into()])));
        assert!(!pid("nationality", Value::Array(vec![])));
        assert!(pid("place_of_birth", Value::Map(vec![])));
        assert!(!pid("place_of_birth", Value::Text("Wien".into())));
    }

    #[test]
    fn cat_154_pictures_are_bounded() {
        let fits = |size| {
            check_element(MDL, MDL_NAMESPACE, "portrait", &Value::Bytes(vec![0; size])).is_ok()
        };
        assert!(fits(MAX_PORTRAIT_BYTES));
        assert!(!fits(MAX_PORTRAIT_BYTES + 1));
    }
}

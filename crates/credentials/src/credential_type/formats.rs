//! One type, every format: the claims that are issued as SD-JWT VC also as mdoc elements or as a
//! credential of the W3C data model.
//!
//! ```toml
//! [mdoc]
//! doctype = "org.example.card"
//! namespace = "org.example.card"
//! elements = { branch = ["branch"] }     # element identifier = path of the claim
//!
//! [w3c]
//! types = ["LibraryCard"]                # beside `VerifiableCredential`
//! contexts = ["https://example.org/v1"]  # beside the one of the data model
//! ```

use std::collections::BTreeMap;

use ciborium::Value as Cbor;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::read::frame;
use super::shape::Shape;
use super::{
    ClaimKind, ClaimProblem, ClaimProblems, ClaimSpec, CredentialType, Disclosability, Expected,
    Prepared, TypeError, binary,
};
use crate::cbor::TAG_FULL_DATE;
use crate::mdoc::{ElementPath, Elements, check_element};
use crate::sd_jwt::{ClaimPath, Frame, PathElement};

/// Where the claims stand in a credential of the W3C data model.
const SUBJECT: &str = "credentialSubject";

/// `[mdoc]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MdocFile {
    doctype: String,
    namespace: String,
    elements: BTreeMap<String, Spanned<Vec<String>>>,
}

/// `[w3c]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct W3cFile {
    types: Vec<String>,
    #[serde(default)]
    contexts: Vec<String>,
}

/// A type as mdoc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MdocFormat {
    /// `docType`
    pub doctype: String,
    elements: Vec<(ElementPath, ClaimPath, Shape)>,
}

/// A type in the W3C data model.
#[derive(Debug, Clone)]
pub struct W3cFormat {
    /// Types beside `VerifiableCredential`.
    pub types: Vec<String>,
    /// Contexts beside that of the data model.
    pub contexts: Vec<String>,
    frame: Frame,
    mandatory: Vec<String>,
}

/// What a credential of the W3C data model says beside its claims.
#[derive(Debug, Clone, Copy)]
pub struct W3cInput<'a> {
    /// `issuer`
    pub issuer: &'a str,
    /// `credentialSubject.id`, such as the DID of the holder's key.
    pub subject: Option<&'a str>,
    /// `validFrom` (XML Schema `dateTimeStamp`).
    pub valid_from: &'a str,
    /// `validUntil`
    pub valid_until: &'a str,
}

impl MdocFormat {
    pub(super) fn read(
        text: &str,
        file: MdocFile,
        claims: &[ClaimSpec],
        shape: &Shape,
    ) -> Result<Self, TypeError> {
        let MdocFile {
            doctype,
            namespace,
            elements: named,
        } = file;
        let mut elements = Vec::with_capacity(named.len());
        for (element, names) in named {
            let place = names.span().start;
            let keys: Vec<&str> = names.get_ref().iter().map(String::as_str).collect();
            let path = ClaimPath::of_keys(&keys);
            let is_claim = claims.iter().any(|claim| claim.path == path);
            let below = shape.at(&path).filter(|_| is_claim);
            let below =
                below.ok_or_else(|| TypeError::at(text, place, "no claim has this path"))?;
            elements.push((ElementPath::new(&namespace, &element), path, below.clone()));
        }
        if elements.is_empty() {
            return Err(TypeError::at(text, 0, "`mdoc.elements` names no element"));
        }
        Ok(Self { doctype, elements })
    }

    /// The elements with the claims that they hold.
    pub fn paths(&self) -> impl Iterator<Item = (&ElementPath, &ClaimPath)> {
        self.elements
            .iter()
            .map(|(element, path, _)| (element, path))
    }

    /// Checks that the claims can be elements: each of the data type that its name stands for
    /// (ISO/IEC 18013-5:2021, section 7.2.1), and at least one.
    ///
    /// # Errors
    /// Every claim that cannot.
    pub fn check(&self, prepared: &Prepared) -> Result<(), ClaimProblems> {
        let elements = self.elements(prepared);
        let misfit = |(element, path, _): &(ElementPath, ClaimPath, Shape)| {
            let ElementPath { namespace, element } = element;
            let expected = match elements.get(namespace, element) {
                None if elements.is_empty() => Expected::Present,
                None => return None,
                Some(value) => match check_element(&self.doctype, namespace, element, value) {
                    Ok(()) => return None,
                    Err(_) => Expected::Element,
                },
            };
            let path = path.clone();
            Some(ClaimProblem { path, expected })
        };
        let problems: Vec<_> = self.elements.iter().filter_map(misfit).collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(ClaimProblems(problems)),
        }
    }

    /// The elements for these claims. A claim that is not there gives no element.
    #[must_use]
    pub fn elements(&self, prepared: &Prepared) -> Elements {
        let mut elements = Elements::new();
        for (element, path, shape) in &self.elements {
            let value = find(&prepared.claims, path).and_then(|value| cbor(value, shape));
            if let Some(value) = value {
                // Each element stands in the table once.
                let _fresh = elements.add(&element.namespace, &element.element, value);
            }
        }
        elements
    }
}

impl W3cFormat {
    /// The error is a message for the author of the file.
    pub(super) fn read(
        file: W3cFile,
        claims: &[ClaimSpec],
        decoys: usize,
    ) -> Result<Self, &'static str> {
        let W3cFile { types, contexts } = file;
        let names_subject = |claim: &ClaimSpec| {
            let first = claim.path.elements().first();
            matches!(first, Some(PathElement::Key(name)) if name == "id")
        };
        // VCDM 2.0, section 4.4: `id` of `credentialSubject` says who the subject is. The issuer sets it.
        if claims.iter().any(names_subject) {
            return Err(
                "in the W3C data model `id` names the subject: no claim may be called `id`",
            );
        }
        Ok(Self {
            types,
            contexts,
            frame: frame(claims, decoys, &[PathElement::Key(SUBJECT.to_owned())]),
            mandatory: mandatory(claims),
        })
    }

    /// Which claims are hidden in `vc+sd-jwt`.
    #[must_use]
    pub const fn frame(&self) -> &Frame {
        &self.frame
    }

    /// What a holder must always disclose, as JSON pointers (`ecdsa-sd-2023`, `bbs-2023`): who says
    /// it, from when until when, and the claims that the person cannot withhold.
    #[must_use]
    pub fn mandatory_pointers(&self) -> &[String] {
        &self.mandatory
    }

    /// The unsigned credential (VCDM 2.0, section 4).
    #[must_use]
    pub fn credential(&self, prepared: &Prepared, input: W3cInput<'_>) -> Value {
        let mut contexts = vec!["https://www.w3.org/ns/credentials/v2"];
        contexts.extend(self.contexts.iter().map(String::as_str));
        let mut types = vec!["VerifiableCredential"];
        types.extend(self.types.iter().map(String::as_str));
        let mut subject = Map::new();
        if let Some(id) = input.subject {
            subject.insert("id".to_owned(), Value::from(id));
        }
        // Claims of another type; this one has none that is called so.
        let claims = prepared.claims.iter().filter(|(name, _)| *name != "id");
        subject.extend(claims.map(|(name, value)| (name.clone(), value.clone())));
        json!({
            "@context": contexts,
            "type": types,
            "issuer": input.issuer,
            "validFrom": input.valid_from,
            "validUntil": input.valid_until,
            SUBJECT: subject,
        })
    }
}

impl CredentialType {
    /// The type as mdoc, if its file says how.
    #[must_use]
    pub fn mdoc(&self) -> Option<&MdocFormat> {
        self.mdoc.as_ref()
    }

    /// The type in the W3C data model, if its file says how.
    #[must_use]
    pub fn w3c(&self) -> Option<&W3cFormat> {
        self.w3c.as_ref()
    }
}

fn find<'c>(claims: &'c Map<String, Value>, path: &ClaimPath) -> Option<&'c Value> {
    let mut elements = path.elements().iter();
    let Some(PathElement::Key(first)) = elements.next() else {
        return None;
    };
    elements.try_fold(claims.get(first)?, |value, element| match element {
        PathElement::Key(key) => value.get(key),
        PathElement::Index(_) | PathElement::Any => None,
    })
}

/// `/issuer` and the times, and each claim that is visible with all that it stands in.
fn mandatory(claims: &[ClaimSpec]) -> Vec<String> {
    let hidden = |path: &ClaimPath| {
        let mut above = claims.iter().filter(|claim| claim.path.is_prefix_of(path));
        above.any(|claim| claim.sd == Disclosability::Always)
    };
    let pointer = |claim: &ClaimSpec| {
        let names = claim.path.elements().iter().map(|element| match element {
            PathElement::Key(name) => Some(name.replace('~', "~0").replace('/', "~1")),
            // What stands in an array goes with the array.
            PathElement::Index(_) | PathElement::Any => None,
        });
        let names = names.collect::<Option<Vec<_>>>()?;
        Some(format!("/{SUBJECT}/{}", names.join("/")))
    };
    let visible = claims.iter().filter(|claim| !hidden(&claim.path));
    let always = ["/issuer", "/validFrom", "/validUntil"];
    let always = always.into_iter().map(str::to_owned);
    always.chain(visible.filter_map(pointer)).collect()
}

/// The value as CBOR: a date is a `full-date` (ISO/IEC 18013-5:2021, section 7.2.1), bytes are a
/// byte string; all else has the shape that it has in JSON.
fn cbor(value: &Value, shape: &Shape) -> Option<Cbor> {
    Some(match (value, shape.kind) {
        (Value::String(text), Some(ClaimKind::Date)) => {
            let text = Cbor::Text(text.clone());
            Cbor::Tag(TAG_FULL_DATE, Box::new(text))
        }
        (Value::String(text), Some(kind @ (ClaimKind::Bytes | ClaimKind::Picture))) => {
            Cbor::Bytes(binary::decode(kind, text)?)
        }
        (Value::String(text), _) => Cbor::Text(text.clone()),
        (Value::Null, _) => Cbor::Null,
        (Value::Bool(bool), _) => Cbor::Bool(*bool),
        (Value::Number(number), _) => match number.as_i64() {
            Some(integer) => Cbor::Integer(integer.into()),
            None => Cbor::Float(number.as_f64()?),
        },
        (Value::Array(items), _) => {
            let element = shape.element.as_deref()?;
            let items = items.iter().map(|item| cbor(item, element));
            Cbor::Array(items.collect::<Option<_>>()?)
        }
        (Value::Object(map), _) => {
            let member = |(name, value): (&String, &Value)| {
                let shape = shape.members.get(name)?;
                Some((Cbor::Text(name.clone()), cbor(value, shape)?))
            };
            Cbor::Map(map.iter().map(member).collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn file(name: &str) -> CredentialType {
        let path = format!(
            "{}/../../specs/credential-types/{name}.toml",
            env!("CARGO_MANIFEST_DIR")
        );
        CredentialType::from_toml(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn prepare(card: &CredentialType, claims: Value) -> Prepared {
        card.prepare(claims.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn one_set_of_claims_for_every_format() {
        let age = file("age");
        let prepared = prepare(
            &age,
            json!({"age_equal_or_over": {"18": true, "21": false}}),
        );
        let mdoc = age.mdoc().unwrap();
        assert_eq!(mdoc.doctype, "eu.europa.ec.av.1");
        let elements = mdoc.elements(&prepared);
        let get = |name| elements.get("eu.europa.ec.av.1", name);
        assert_eq!(get("age_over_18"), Some(&Cbor::Bool(true)));
        assert_eq!(get("age_over_21"), Some(&Cbor::Bool(false)));
        assert_eq!(get("age_over_65"), None);
        let input = W3cInput {
            issuer: "did:example:issuer",
            subject: Some("did:example:holder"),
            valid_from: "2027-01-01T00:00:00Z",
            valid_until: "2027-03-01T00:00:00Z",
        };
        let credential = age.w3c().unwrap().credential(&prepared, input);
        assert_eq!(
            credential["type"],
            json!(["VerifiableCredential", "ProofOfAge"])
        );
        assert_eq!(
            credential["@context"][0],
            "https://www.w3.org/ns/credentials/v2"
        );
        assert_eq!(
            credential["credentialSubject"],
            json!({"id": "did:example:holder", "age_equal_or_over": {"18": true, "21": false}})
        );
    }

    #[test]
    fn a_date_is_a_full_date() {
        let pid = file("pid");
        let prepared = prepare(
            &pid,
            json!({"family_name": "Ödman", "given_name": "Åsa", "birthdate": "1990-02-28",
                "nationalities": ["SE"], "issuing_country": "SE", "issuing_authority": "Authority",
                "place_of_birth": {"country": "SE"}, "date_of_expiry": "2030-01-01"}),
        );
        let elements = pid.mdoc().unwrap().elements(&prepared);
        let get = |name| elements.get("eu.europa.ec.eudi.pid.1", name);
        let date = Cbor::Tag(1004, Box::new(Cbor::Text("1990-02-28".to_owned())));
        assert_eq!(get("birth_date"), Some(&date));
        assert_eq!(
            get("nationality"),
            Some(&Cbor::Array(vec![Cbor::Text("SE".to_owned())]))
        );
        assert_eq!(pid.mdoc().unwrap().check(&prepared), Ok(()));
        let mut stateless = prepared.clone();
        stateless.claims["issuing_country"] = json!("Sweden");
        let problems = pid.mdoc().unwrap().check(&stateless).unwrap_err();
        assert_eq!(
            problems.to_string(),
            "`issuing_country` does not have the data type of its element in the mdoc"
        );
        // The same file still has no way for what it does not name.
        assert!(file("membership").mdoc().is_none() && file("membership").w3c().is_none());
    }

    #[test]
    fn an_element_names_a_claim_of_the_type() {
        let text = include_str!("../../../../specs/credential-types/age.toml");
        let changed = text.replace(
            "[\"age_equal_or_over\", \"21\"]\n",
            "[\"age_equal_or_over\", \"22\"]\n",
        );
        assert!(
            CredentialType::from_toml(&text.replace(
                "age_over_21 = [\"age_equal_or_over\", \"21\"]",
                "age_over_21 = [\"age_equal_or_over\", \"22\"]"
            ))
            .is_err()
        );
        assert_ne!(changed, text);
    }

    #[test]
    fn no_claim_takes_the_place_of_the_subjects_name() {
        let text = include_str!("../../../../specs/credential-types/age.toml");
        let claim = |path: &str| {
            format!(
                "[[claim]]\npath = {path}\ntype = \"string\"\nsd = \"always\"\ndisplay = {{ en = \"X\", de = \"X\" }}\n\n"
            )
        };
        let with = |path: &str, text: &str| {
            text.replacen("[[claim]]", &format!("{}[[claim]]", claim(path)), 1)
        };
        for path in ["[\"id\"]", "[\"id\", \"number\"]"] {
            let changed = with(path, text);
            let error = CredentialType::from_toml(&changed).unwrap_err();
            assert!(error.message.contains("no claim may be called `id`"));
            assert_eq!(changed.lines().nth(error.line - 1), Some("[w3c]"));
        }
        for path in ["[\"identity\"]", "[\"card\", \"id\"]"] {
            assert!(CredentialType::from_toml(&with(path, text)).is_ok());
        }
        // Without the W3C data model it is a claim like others.
        let alone = text.split("[w3c]").next().unwrap();
        assert!(CredentialType::from_toml(&with("[\"id\"]", alone)).is_ok());
    }

    #[test]
    fn what_a_person_cannot_withhold_is_mandatory_and_in_the_clear() {
        let text = include_str!("../../../../specs/credential-types/age.toml");
        let visible = text.replacen("sd = \"always\"", "sd = \"never\"", 1);
        let always = ["/issuer", "/validFrom", "/validUntil"];
        let pointers = |text: &str| {
            let card = CredentialType::from_toml(text).unwrap();
            card.w3c().unwrap().mandatory_pointers().to_vec()
        };
        assert_eq!(pointers(text), always);
        assert_eq!(
            pointers(&visible)[3..],
            ["/credentialSubject/age_equal_or_over/12"]
        );
        // What is visible inside something hidden is hidden with it.
        assert_eq!(file("mdl").w3c().unwrap().mandatory_pointers(), always);

        let card = CredentialType::from_toml(&visible).unwrap();
        let claims = json!({"credentialSubject": {"id": "did:example:a",
            "age_equal_or_over": {"12": true, "18": true}}});
        let frame = card.w3c().unwrap().frame();
        let concealed = crate::sd_jwt::conceal(
            claims.as_object().unwrap().clone(),
            frame,
            crate::sd_jwt::HashAlg::default(),
            &crate::testing::SeededRng::new(1),
        );
        let concealed = concealed.unwrap();
        let subject = &concealed.payload["credentialSubject"];
        assert_eq!(concealed.disclosures.len(), 1);
        assert_eq!(subject["age_equal_or_over"]["12"], true);
        assert!(subject["age_equal_or_over"].get("18").is_none());
    }
}

//! An issuer with an IACA, a device, a verifier, and what others make of their messages.

mod device;
mod issuer;
mod parsers;
mod status;
mod transcripts;

use std::sync::Arc;

use rcgen::{DnType, ExtendedKeyUsagePurpose as Purpose};

use super::*;
use crate::Verified;
use crate::cbor::{Item, Value, Writer, to_vec};
use crate::cose::{Header, sign1};
use crate::crypto::{AgreementKey, Algorithm, Portable, Signer, SigningKey};
use crate::sd_jwt_vc::fixtures::ready;
use crate::sd_jwt_vc::{IssuerMethod, IssuerTrust, StatusMethod, StatusPolicy, TrustedIssuer};
use crate::testing::SeededRng;
use crate::time::UnixTime;
use crate::x509::tests::{Node, anchors, ca, chain, make, params};
use crate::x509::{Chain, Role, TrustAnchors};

const NOW: UnixTime = UnixTime(1_800_000_000);
const DAY: i64 = 86_400;
const CLIENT_ID: &str = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
const NONCE: &str = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA";
const RESPONSE_URI: &str = "https://verifier.example/response/1";

struct World {
    iaca: Node,
    signer: Node,
    chain: Chain,
    device: SigningKey,
    /// The verifier's key of the exchange.
    reader: AgreementKey,
    trust: IssuerTrust,
    doctypes: Vec<String>,
    rng: SeededRng,
}

fn purpose() -> Purpose {
    Purpose::Other(vec![1, 0, 18013, 5, 1, 2])
}

fn iaca(name: &str) -> Node {
    let mut iaca = ca(name);
    iaca.distinguished_name.push(DnType::CountryName, "AT");
    make(iaca, None)
}

fn document_signer(by: &Node) -> Node {
    let mut signer = params("Document signer");
    signer.distinguished_name.push(DnType::CountryName, "AT");
    signer.extended_key_usages = vec![purpose()];
    make(signer, Some(by))
}

fn trust(anchors: TrustAnchors, status: StatusMethod) -> IssuerTrust {
    IssuerTrust::new(vec![TrustedIssuer {
        id: "https://mdl.example".into(),
        method: IssuerMethod::Iaca {
            anchors: Arc::new(anchors),
        },
        types: vec![MDL.into(), AGE_VERIFICATION.into()],
        status,
    }])
    .unwrap()
}

fn date(text: &str) -> Value {
    Value::Tag(1004, Box::new(Value::Text(text.into())))
}

fn licence() -> Elements {
    let mut elements = Elements::new();
    for (name, value) in [
        ("family_name", Value::Text("Mustermann".into())),
        ("birth_date", date("1990-02-28")),
        ("issuing_country", Value::Text("AT".into())),
        ("portrait", Value::Bytes(vec![7; 900])),
        ("age_over_18", Value::Bool(true)),
        ("driving_privileges", Value::Array(vec![])),
    ] {
        assert!(elements.add(MDL_NAMESPACE, name, value));
    }
    let national = Value::Map(vec![("k".into(), 1.into())]);
    assert!(elements.add("org.example.national", "extra", national));
    elements
}

fn element(name: &str) -> ElementPath {
    ElementPath::new(MDL_NAMESPACE, name)
}

/// Lives as long as the tests.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn none() -> Elements {
    Elements::new()
}

impl World {
    fn new() -> Self {
        let rng = SeededRng::new(3);
        let iaca = iaca("IACA");
        let signer = document_signer(&iaca);
        Self {
            chain: chain(&[&signer]),
            trust: trust(
                anchors(Role::MdocIssuer, &[&iaca]),
                StatusMethod::SameIssuer,
            ),
            device: SigningKey::generate(Algorithm::Es256, &rng),
            reader: AgreementKey::generate(&rng),
            doctypes: vec![MDL.into()],
            iaca,
            signer,
            rng,
        }
    }

    fn validity() -> Validity {
        Validity {
            signed: NOW.plus(-DAY),
            valid_from: NOW.plus(-DAY),
            valid_until: NOW.plus(DAY),
            expected_update: Some(NOW.plus(DAY / 2)),
        }
    }

    fn issue_with<'p>(
        &'p self,
        change: impl FnOnce(&mut IssueInput<'p>),
    ) -> Result<Vec<u8>, IssueError> {
        let elements = leak(licence());
        let authorizations = leak(KeyAuthorizations::default());
        let mut input = IssueInput {
            doctype: MDL,
            elements,
            validity: Self::validity(),
            device_key: self.device.public_key(),
            key_authorizations: authorizations,
            status: None,
            chain: &self.chain,
            digest_algorithm: DigestAlgorithm::Sha256,
        };
        change(&mut input);
        ready(issue(input, &self.signer.key, &self.rng))
    }

    fn issued(&self) -> Vec<u8> {
        self.issue_with(|_| ()).unwrap()
    }

    fn accept(&self, issued: &[u8]) -> Result<Verified<HeldMdoc>, MdocError> {
        let policy = IssuancePolicy {
            trust: &self.trust,
            doctype: MDL,
            device_key: self.device.public_key(),
            now: NOW,
        };
        verify_issued(issued, &policy, &Portable)
    }

    fn held(&self, issued: &[u8]) -> HeldMdoc {
        self.accept(issued).unwrap().into_inner()
    }

    fn transcript(&self) -> SessionTranscript {
        SessionTranscript::openid4vp(
            CLIENT_ID,
            NONCE,
            Some(self.reader.public_key()),
            RESPONSE_URI,
        )
    }

    fn present(&self, held: &HeldMdoc, names: &[&str]) -> Vec<u8> {
        let paths: Vec<_> = names.iter().map(|name| element(name)).collect();
        let presentation = held.present(&paths).unwrap();
        ready(presentation.sign(&self.transcript(), &none(), &self.device)).unwrap()
    }

    fn response(&self) -> Vec<u8> {
        self.present(&self.held(&self.issued()), &["family_name", "age_over_18"])
    }

    fn check_with<'p>(
        &'p self,
        response: &[u8],
        change: impl FnOnce(&mut Policy<'p>),
    ) -> Result<StatusOwed, MdocError> {
        let transcript = leak(self.transcript());
        let mut policy = Policy {
            trust: &self.trust,
            doctypes: &self.doctypes,
            transcript,
            reader_key: Some(&self.reader),
            status: StatusPolicy::WhenPresent,
            now: NOW,
        };
        change(&mut policy);
        verify_presented(response, &policy, &Portable)
    }

    fn check(&self, response: &[u8]) -> Result<Mdoc, MdocError> {
        let owed = self.check_with(response, |_| ())?;
        owed.settle(None, None, NOW).map(Verified::into_inner)
    }

    /// The code with which a response is refused.
    fn refused(&self, response: &[u8]) -> &'static str {
        self.check(response).expect_err("must be refused").code()
    }

    /// Changes the mobile security object of an issued document and signs it again.
    fn forge(&self, issued: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let parsed = IssuerSigned::parse(issued).unwrap();
        let payload = parsed.issuer_auth().unwrap().payload_unverified().unwrap();
        let mut mso = Item::parse(payload).unwrap().embedded().unwrap().to_value();
        change(&mut mso);
        let payload = Writer::new().embedded(&to_vec(&mso)).finish();
        self.sign(issued, &Header::new(), &self.unprotected(), &payload)
    }

    fn unprotected(&self) -> Header {
        Header::new().x5chain(&self.chain)
    }

    /// An issued document with another `issuerAuth`.
    fn sign(
        &self,
        issued: &[u8],
        protected: &Header,
        unprotected: &Header,
        payload: &[u8],
    ) -> Vec<u8> {
        let key: &dyn Signer = &self.signer.key;
        let auth = ready(sign1(protected, unprotected, &[], payload, key)).unwrap();
        with_auth(issued, &auth)
    }
}

/// An issued document with these bytes as `issuerAuth`.
fn with_auth(issued: &[u8], auth: &[u8]) -> Vec<u8> {
    let fields = Item::parse(issued).unwrap().fields().unwrap();
    let mut out = Writer::new();
    out.map(2)
        .text("nameSpaces")
        .raw(fields.required("nameSpaces").unwrap().raw());
    out.text("issuerAuth").raw(auth).finish()
}

fn payload(issued: &[u8]) -> Vec<u8> {
    let parsed = IssuerSigned::parse(issued).unwrap();
    parsed
        .issuer_auth()
        .unwrap()
        .payload_unverified()
        .unwrap()
        .to_vec()
}

/// The value of a text key of a map.
fn at<'v>(map: &'v mut Value, key: &str) -> &'v mut Value {
    let entries = map.as_map_mut().unwrap();
    let found = entries
        .iter_mut()
        .find(|(own, _)| own.as_text() == Some(key));
    &mut found.unwrap_or_else(|| panic!("no {key}")).1
}

fn remove(map: &mut Value, key: &str) {
    map.as_map_mut()
        .unwrap()
        .retain(|(own, _)| own.as_text() != Some(key));
}

fn add(map: &mut Value, key: &str, value: Value) {
    map.as_map_mut().unwrap().push((key.into(), value));
}

/// A message as values, changed. Only for messages whose form is deterministic.
fn changed(message: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value = Item::parse(message).unwrap().to_value();
    assert_eq!(to_vec(&value), message);
    change(&mut value);
    to_vec(&value)
}

/// The first document of a response.
fn document(response: &mut Value) -> &mut Value {
    &mut at(response, "documents").as_array_mut().unwrap()[0]
}

/// The items of the namespace of driving licences.
fn items(issuer_signed: &mut Value) -> &mut Vec<Value> {
    at(at(issuer_signed, "nameSpaces"), MDL_NAMESPACE)
        .as_array_mut()
        .unwrap()
}

#[test]
fn issue_present_verify() {
    let world = World::new();
    let held = world.held(&world.issued());
    assert_eq!(held.doctype(), MDL);
    assert_eq!(*held.elements(), licence());
    assert_eq!(held.device_key(), world.device.public_key());
    let presentation = held.present(&[element("age_over_18")]).unwrap();
    assert_eq!(presentation.disclosed(), [element("age_over_18")]);
    assert_eq!(presentation.withheld().len(), 6);
    let response = ready(presentation.sign(&world.transcript(), &none(), &world.device)).unwrap();
    let mdoc = world.check(&response).unwrap();
    assert_eq!(mdoc.doctype, MDL);
    assert_eq!(mdoc.elements.paths(), [element("age_over_18")]);
    assert_eq!(age_over(&mdoc.elements, MDL_NAMESPACE, 18), Some(true));
    assert!(mdoc.device_elements.is_empty());
    assert_eq!(mdoc.issuer.trusted, "https://mdl.example");
    let json = mdoc.elements.to_json().unwrap();
    assert_eq!(
        json,
        serde_json::json!({MDL_NAMESPACE: {"age_over_18": true}})
    );
    // What was kept opens again, and is the same.
    let reopened = HeldMdoc::reopen_stored(held.bytes().to_vec(), held.issuer().clone()).unwrap();
    assert_eq!(reopened.elements(), held.elements());
    assert_eq!(reopened.bytes(), held.bytes());
}

#[test]
fn every_algorithm_signs() {
    for algorithm in Algorithm::ALL {
        let mut world = World::new();
        world.device = SigningKey::generate(algorithm, &world.rng);
        for digest in [
            DigestAlgorithm::Sha256,
            DigestAlgorithm::Sha384,
            DigestAlgorithm::Sha512,
        ] {
            let issued = world
                .issue_with(|input| input.digest_algorithm = digest)
                .unwrap();
            let response = world.present(&world.held(&issued), &["family_name"]);
            assert!(world.check(&response).is_ok(), "{algorithm:?} {digest:?}");
        }
    }
}

#[test]
fn nothing_may_be_revealed_but_what_is_chosen() {
    let world = World::new();
    let held = world.held(&world.issued());
    let nothing = world.present(&held, &[]);
    assert!(world.check(&nothing).unwrap().elements.is_empty());
    assert!(matches!(
        held.present(&[element("height")]),
        Err(MdocError::ElementNotFound)
    ));
    let response = world.present(&held, &["issuing_country"]);
    let name = b"Mustermann";
    assert!(!response.windows(name.len()).any(|window| window == name));
}

#[test]
fn issuers_do_not_issue_what_is_refused() {
    let world = World::new();
    let with = |namespace: &str, name: &str, value: Value| {
        let mut elements = Elements::new();
        assert!(elements.add(namespace, name, value));
        let issued = world.issue_with(|input| input.elements = leak(elements));
        issued.map(drop).map_err(|error| error.code())
    };
    assert_eq!(
        with("n", "x", Value::Float(f64::NAN)),
        Err("cbor_not_finite")
    );
    let twice = Value::Map(vec![(1.into(), 1.into()), (1.into(), 2.into())]);
    assert_eq!(with("n", "x", twice), Err("cbor_duplicate_key"));
    assert_eq!(
        with(MDL_NAMESPACE, "height", Value::Bool(true)),
        Err("mdoc_element_type")
    );
    assert_eq!(with("n", "x", Value::Null), Ok(()));
    let empty = world.issue_with(|input| input.elements = leak(Elements::new()));
    assert_eq!(empty.unwrap_err().code(), "mdoc_elements");
    let late = world.issue_with(|input| input.validity.valid_until = input.validity.valid_from);
    assert_eq!(late.unwrap_err().code(), "mdoc_validity");
    let early = world.issue_with(|input| input.validity.valid_from = NOW.plus(-2 * DAY));
    assert_eq!(early.unwrap_err().code(), "mdoc_validity");
}

#[test]
fn digest_ids_do_not_follow_the_elements() {
    let world = World::new();
    let order = || {
        let issued = world.issued();
        let parsed = IssuerSigned::parse(&issued).unwrap();
        let (_, items) = &parsed.namespaces()[1].clone();
        let ids = items.iter().map(|item| {
            super::issuer_signed::IssuerSignedItem::read(*item)
                .unwrap()
                .digest_id
        });
        ids.collect::<Vec<_>>()
    };
    let orders: std::collections::BTreeSet<_> = (0..8).map(|_| order()).collect();
    assert!(orders.len() > 4, "{orders:?}");
    let mut sorted = order();
    sorted.sort_unstable();
    assert_eq!(sorted, [0, 1, 2, 3, 4, 5]);
}

//! Both ways with affinidi-mdoc 0.4.0. It leaves cryptography and chains to its host: here ours
//! signs and verifies, theirs makes and reads the structures.

use std::collections::BTreeMap;

use affinidi_mdoc::{
    CoseSigner, CoseVerifier, DeviceResponse, IssuerSigned, MdocBuilder, MdocError,
    SessionTranscript, ValidityInfo,
};
use vouchsafe_credentials::cbor::{Item, Value};
use vouchsafe_credentials::cose::key_to_vec;
use vouchsafe_credentials::crypto::{AwsLc, CryptoProvider as _, PublicKey, Signer, SigningKey};
use vouchsafe_credentials::mdoc::{MDL, MDL_NAMESPACE};

use crate::mdoc_parties::*;

struct Key<'k>(&'k SigningKey, Option<Vec<u8>>);

impl CoseSigner for Key<'_> {
    fn algorithm(&self) -> coset::iana::Algorithm {
        coset::iana::Algorithm::ES256
    }

    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, MdocError> {
        Ok(run(Signer::sign(self.0, data)).unwrap())
    }

    fn x5chain(&self) -> Option<Vec<Vec<u8>>> {
        self.1.clone().map(|certificate| vec![certificate])
    }
}

struct Public<'k>(&'k PublicKey);

impl CoseVerifier for Public<'_> {
    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<bool, MdocError> {
        Ok(AwsLc.verify(self.0, data, signature).is_ok())
    }
}

fn their_transcript(parties: &Parties) -> SessionTranscript {
    SessionTranscript::new_oid4vp(CLIENT_ID, NONCE, Some(parties.thumbprint()), RESPONSE_URI)
}

/// Whether they accept a response, and what they read in it.
fn they_accept(parties: &Parties, response: &[u8]) -> Option<Vec<String>> {
    let response = DeviceResponse::from_cbor_bytes(response).ok()?;
    response
        .verify_issuer_auth(&Public(parties.signer.public_key()))
        .ok()?;
    let transcript = their_transcript(parties);
    let device = Public(parties.device_key());
    let bound = response.verify_device_auth(&transcript, &device);
    let whole = response.verify_digests().unwrap_or(false) && bound.unwrap_or(false);
    let names = response.disclosed_names(MDL_NAMESPACE);
    whole.then(|| names.into_iter().map(str::to_owned).collect())
}

fn their_document(parties: &Parties) -> IssuerSigned {
    let key = key_to_vec(parties.device_key());
    let mut builder = MdocBuilder::new(MDL)
        .device_key(Item::parse(&key).unwrap().to_value())
        .validity(ValidityInfo {
            signed: "2027-01-15T07:00:00Z".into(),
            valid_from: "2027-01-15T07:00:00Z".into(),
            valid_until: "2027-01-16T07:00:00Z".into(),
        });
    for (namespace, own) in elements().namespaces() {
        for (name, value) in own {
            builder = builder.add_attribute(namespace, name, value.clone());
        }
    }
    let key = Key(&parties.signer, Some(parties.certificate.clone()));
    builder.build(&key).unwrap()
}

#[test]
fn they_verify_what_we_issue_and_present() {
    let parties = Parties::new();
    let issued = parties.issue();
    let theirs = IssuerSigned::from_cbor_bytes(&issued).unwrap();
    assert!(theirs.verify_digests().unwrap());
    let mso = theirs
        .verify_issuer_auth(&Public(parties.signer.public_key()))
        .unwrap();
    assert_eq!(mso.doc_type, MDL);
    for (name, value) in elements().namespaces().next().unwrap().1 {
        let read = theirs.get_attribute(MDL_NAMESPACE, name).unwrap();
        assert_eq!(read.inner.element_value, *value, "{name}");
    }
    let held = parties.accept(&issued).unwrap();
    let response = parties.present(&held, &["family_name", "age_over_18"]);
    let mut read = they_accept(&parties, &response).unwrap();
    read.sort();
    assert_eq!(read, ["age_over_18", "family_name"]);
    assert!(parties.verify(&response).is_ok());
    // An altered value, and another exchange: refused by both.
    let altered = turned(&response, b"Mustermann");
    assert_eq!(they_accept(&parties, &altered), None);
    assert_eq!(
        parties.verify(&altered).unwrap_err().code(),
        "mdoc_digest_mismatch"
    );
    let mut signature = response.clone();
    let at = signature
        .windows(12)
        .position(|window| window == b"deviceSigned")
        .unwrap();
    let last = signature[at..]
        .windows(7)
        .position(|window| window == b"\x66status")
        .unwrap();
    signature[at + last - 1] ^= 1;
    assert_eq!(they_accept(&parties, &signature), None);
    assert_eq!(
        parties.verify(&signature).unwrap_err().code(),
        "mdoc_device_auth"
    );
}

#[test]
fn we_verify_what_they_issue_and_present() {
    let parties = Parties::new();
    let document = their_document(&parties);
    let issued = document.to_cbor_bytes().unwrap();
    let held = parties.accept(&issued).unwrap();
    assert_eq!(*held.elements(), elements());
    let altered = turned(&issued, b"Mustermann");
    assert_eq!(
        parties.accept(&altered).unwrap_err().code(),
        "mdoc_digest_mismatch"
    );
    let theirs = IssuerSigned::from_cbor_bytes(&altered).unwrap();
    assert!(!theirs.verify_digests().unwrap_or(false));
    // Presented by them and by us.
    let asked = BTreeMap::from([(MDL_NAMESPACE.to_owned(), vec!["height".to_owned()])]);
    let device = Key(&parties.device, None);
    let transcript = their_transcript(&parties);
    let response =
        DeviceResponse::create_with_device_auth(&document, &asked, &transcript, &device, None);
    let response = response.unwrap().to_cbor_bytes().unwrap();
    let mdoc = parties.verify(&response).unwrap();
    assert_eq!(
        mdoc.elements.get(MDL_NAMESPACE, "height"),
        Some(&Value::from(170))
    );
    assert_eq!(mdoc.elements.paths().len(), 1);
    let ours = parties.present(&held, &["height"]);
    assert_eq!(they_accept(&parties, &ours).unwrap(), ["height"]);
    // For another verifier.
    let other = SessionTranscript::new_oid4vp(
        CLIENT_ID,
        "another",
        Some(parties.thumbprint()),
        RESPONSE_URI,
    );
    let replayed =
        DeviceResponse::create_with_device_auth(&document, &asked, &other, &device, None);
    let replayed = replayed.unwrap().to_cbor_bytes().unwrap();
    assert_eq!(
        parties.verify(&replayed).unwrap_err().code(),
        "mdoc_device_auth"
    );
    assert_eq!(they_accept(&parties, &replayed), None);
}

#[test]
fn transcripts_are_the_same() {
    let parties = Parties::new();
    let theirs = their_transcript(&parties).to_cbor_bytes().unwrap();
    assert_eq!(parties.transcript().as_bytes(), theirs);
    let origin = "https://verifier.example";
    let theirs = SessionTranscript::new_oid4vp_dcapi(origin, NONCE, None)
        .to_cbor_bytes()
        .unwrap();
    let ours =
        vouchsafe_credentials::mdoc::SessionTranscript::openid4vp_dc_api(origin, NONCE, None);
    assert_eq!(ours.as_bytes(), theirs);
}

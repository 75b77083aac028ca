//! Both ways with isomdl 0.2 (feature `isomdl`): it issues, holds, presents and reads with its own
//! cryptography and its own rules for certificates.

use std::collections::BTreeMap;

use isomdl::cbor;
use isomdl::definitions::device_request::{DataElements, ItemsRequest, Namespaces};
use isomdl::definitions::device_signed::DeviceAuthType;
use isomdl::definitions::helpers::Tag24;
use isomdl::definitions::session::SessionTranscript as TheirTranscript;
use isomdl::definitions::x509::X5Chain;
use isomdl::definitions::x509::trust_anchor::{PemTrustAnchor, TrustAnchorRegistry, TrustPurpose};
use isomdl::definitions::{
    CoseKey, DeviceKeyInfo, DeviceResponse, DigestAlgorithm, IssuerSigned, Mso, ValidityInfo,
};
use isomdl::issuance::Mdoc as TheirMdoc;
use isomdl::presentation::authentication::AuthenticationStatus;
use isomdl::presentation::device::{
    DeviceSession, Document, Documents, PermittedItems, SessionManager, SessionManagerInit,
};
use isomdl::presentation::reader;
use isomdl::presentation::reader_utils::validate_response;
use p256_of_isomdl::ecdsa::{Signature, SigningKey as TheirKey};
use p256_of_isomdl::pkcs8::DecodePrivateKey as _;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use vouchsafe_credentials::cbor::Value;
use vouchsafe_credentials::cose::key_to_vec;
use vouchsafe_credentials::crypto::{Signer as _, SigningKey};
use vouchsafe_credentials::mdoc::{MDL, MDL_NAMESPACE, SessionTranscript};

use crate::mdoc_parties::*;

/// A session transcript of OpenID4VP: they have none of their own and take any.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
struct Transcript(ciborium::Value);

impl TheirTranscript for Transcript {}

impl Transcript {
    fn of(ours: &SessionTranscript) -> Self {
        Self(cbor::from_slice(ours.as_bytes()).unwrap())
    }
}

/// A wallet of theirs.
struct Device {
    documents: Documents,
    transcript: Transcript,
}

impl DeviceSession for Device {
    type ST = Transcript;

    fn documents(&self) -> &Documents {
        &self.documents
    }

    fn session_transcript(&self) -> Transcript {
        self.transcript.clone()
    }

    fn device_auth_type(&self) -> DeviceAuthType {
        DeviceAuthType::Sign1
    }
}

/// What their reader thinks of a response.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    issuer: AuthenticationStatus,
    device: AuthenticationStatus,
    names: Vec<String>,
}

use AuthenticationStatus::{Invalid, Valid};

fn verdict(issuer: AuthenticationStatus, device: AuthenticationStatus, names: &[&str]) -> Verdict {
    Verdict {
        issuer,
        device,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn they_read(parties: &Parties, response: &[u8], transcript: &SessionTranscript) -> Verdict {
    let response: DeviceResponse = cbor::from_slice(response).unwrap();
    let (document, chain, namespaces) = reader::parse(&response).unwrap();
    let outcome = validate_response(
        Transcript::of(transcript),
        anchors(parties),
        chain,
        document.clone(),
        namespaces,
    );
    let elements = outcome.response[MDL_NAMESPACE].as_object().unwrap();
    Verdict {
        issuer: outcome.issuer_authentication,
        device: outcome.device_authentication,
        names: elements.keys().cloned().collect(),
    }
}

fn anchors(parties: &Parties) -> TrustAnchorRegistry {
    let anchor = PemTrustAnchor {
        certificate_pem: pem(&parties.iaca),
        purpose: TrustPurpose::Iaca,
    };
    TrustAnchorRegistry::from_pem_certificates(vec![anchor]).unwrap()
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

/// Whether each element that is there has its digest in the signed object, by their types: their
/// reader leaves this to its caller.
fn digests_match(signed: &IssuerSigned) -> bool {
    let payload = signed.issuer_auth.payload.as_ref().unwrap();
    let mso: Tag24<Mso> = cbor::from_slice(payload).unwrap();
    let namespaces = signed.namespaces.as_ref().unwrap();
    namespaces.iter().all(|(namespace, items)| {
        items.iter().all(|item| {
            let digest = Sha256::digest(cbor::to_vec(item).unwrap());
            let expected = mso.as_ref().value_digests[namespace].get(&item.as_ref().digest_id);
            expected.is_some_and(|expected| expected.as_ref() == digest.as_slice())
        })
    })
}

fn their_key(key: &SigningKey) -> TheirKey {
    TheirKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap()
}

/// A card that they issue.
fn their_document(parties: &Parties, signer: &SigningKey) -> TheirMdoc {
    let at = |hours: i64| {
        OffsetDateTime::parse(NOW_TEXT, &Rfc3339).unwrap() + time::Duration::hours(hours)
    };
    let device_key: CoseKey = cbor::from_slice(&key_to_vec(parties.device_key())).unwrap();
    let namespaces = elements()
        .namespaces()
        .map(|(name, own)| (name.to_owned(), own.clone()))
        .collect();
    let chain = X5Chain::builder()
        .with_der_certificate(&parties.certificate)
        .and_then(|chain| chain.build());
    TheirMdoc::builder()
        .doc_type(MDL.to_owned())
        .namespaces(namespaces)
        .validity_info(ValidityInfo {
            signed: at(-1),
            valid_from: at(-1),
            valid_until: at(24),
            expected_update: None,
        })
        .digest_algorithm(DigestAlgorithm::SHA256)
        .device_key_info(DeviceKeyInfo {
            device_key,
            key_authorizations: None,
            key_info: None,
        })
        .issue::<TheirKey, Signature>(chain.unwrap(), their_key(signer))
        .unwrap()
}

/// As a wallet receives it: without the type around it.
fn issued(document: &TheirMdoc) -> Vec<u8> {
    let signed = IssuerSigned {
        namespaces: Some(document.namespaces.clone()),
        issuer_auth: document.issuer_auth.clone(),
    };
    cbor::to_vec(&signed).unwrap()
}

/// A card that we issued, in their wallet.
fn held_by_them(issued: &[u8]) -> Document {
    let signed: IssuerSigned = cbor::from_slice(issued).unwrap();
    let payload = signed.issuer_auth.payload.as_ref().unwrap();
    let mso: Tag24<Mso> = cbor::from_slice(payload).unwrap();
    let mso = mso.into_inner();
    TheirMdoc {
        doc_type: mso.doc_type.clone(),
        mso,
        namespaces: signed.namespaces.unwrap(),
        issuer_auth: signed.issuer_auth,
    }
    .into()
}

/// What they present of a card.
fn they_present(
    document: Document,
    names: &[&str],
    transcript: &SessionTranscript,
    device: &SigningKey,
) -> Vec<u8> {
    let device_of_theirs = Device {
        documents: Documents::new(MDL.to_owned(), document),
        transcript: Transcript::of(transcript),
    };
    let (asked, permitted) = request(names);
    let mut prepared = device_of_theirs.prepare_response(&asked, permitted);
    let payload = prepared.get_next_signature_payload().unwrap().1.to_vec();
    prepared.submit_next_signature(run(device.sign(&payload)).unwrap());
    assert!(prepared.is_complete());
    cbor::to_vec(&prepared.finalize_response()).unwrap()
}

fn request(names: &[&str]) -> (Vec<ItemsRequest>, PermittedItems) {
    let elements: BTreeMap<String, bool> = names
        .iter()
        .map(|name| ((*name).to_owned(), false))
        .collect();
    let namespaces = Namespaces::new(
        MDL_NAMESPACE.to_owned(),
        DataElements::try_from(elements.clone()).unwrap(),
    );
    let asked = ItemsRequest {
        doc_type: MDL.to_owned(),
        namespaces,
        request_info: None,
    };
    let names = elements.into_keys().collect();
    let permitted = BTreeMap::from([(MDL_NAMESPACE.to_owned(), names)]);
    (vec![asked], BTreeMap::from([(MDL.to_owned(), permitted)]))
}

fn another_exchange(parties: &Parties) -> SessionTranscript {
    let key = Some(parties.reader.public_key());
    SessionTranscript::openid4vp(CLIENT_ID, "another", key, RESPONSE_URI)
}

/// The parties with another IACA: what they issue is trusted by nobody here.
fn stranger() -> Parties {
    Parties::new()
}

#[test]
fn isomdl_verifies_what_we_issue_and_present() {
    let parties = Parties::new();
    let issued = parties.issue();
    assert!(digests_match(&cbor::from_slice(&issued).unwrap()));
    let held = parties.accept(&issued).unwrap();
    let names = ["age_over_18", "family_name"];
    let response = parties.present(&held, &names);
    let transcript = parties.transcript();
    assert_eq!(
        they_read(&parties, &response, &transcript),
        verdict(Valid, Valid, &names)
    );
    assert!(parties.verify(&response).is_ok());
    // For another exchange: refused by both.
    let other = another_exchange(&parties);
    assert_eq!(
        they_read(&parties, &response, &other),
        verdict(Valid, Invalid, &names)
    );
    let ours = parties.verify_in(&response, &other);
    assert_eq!(ours.unwrap_err().code(), "mdoc_device_auth");
    // Of an issuer whose IACA nobody trusts: refused by both.
    let other = stranger();
    assert_eq!(
        they_read(&other, &response, &transcript),
        verdict(Invalid, Valid, &names)
    );
    assert_eq!(
        other.verify_in(&response, &transcript).unwrap_err().code(),
        "issuer_chain"
    );
    // The signed object altered: refused by both.
    let altered = turned(&response, b"validUntil\xc0\x74202");
    let theirs = cbor::from_slice::<DeviceResponse>(&altered)
        .map(|_| they_read(&parties, &altered, &transcript).issuer);
    assert_eq!(theirs.unwrap(), Invalid);
    assert!(parties.verify(&altered).is_err());
}

#[test]
fn we_verify_what_isomdl_issues_and_presents() {
    let parties = Parties::new();
    let document = their_document(&parties, &parties.signer);
    let held = parties.accept(&issued(&document)).unwrap();
    assert_eq!(*held.elements(), elements());
    let transcript = parties.transcript();
    // Presented by them and by us, read by both.
    let response = they_present(
        document.clone().into(),
        &["height"],
        &transcript,
        &parties.device,
    );
    let mdoc = parties.verify(&response).unwrap();
    assert_eq!(
        mdoc.elements.get(MDL_NAMESPACE, "height"),
        Some(&Value::from(170))
    );
    assert_eq!(mdoc.elements.paths().len(), 1);
    let good = verdict(Valid, Valid, &["height"]);
    assert_eq!(they_read(&parties, &response, &transcript), good);
    let ours = parties.present(&held, &["height"]);
    assert_eq!(they_read(&parties, &ours, &transcript), good);
    // Presented for another verifier.
    let other = another_exchange(&parties);
    let replayed = they_present(
        document.clone().into(),
        &["height"],
        &other,
        &parties.device,
    );
    assert_eq!(
        parties.verify(&replayed).unwrap_err().code(),
        "mdoc_device_auth"
    );
    assert_eq!(
        they_read(&parties, &replayed, &transcript),
        verdict(Valid, Invalid, &["height"])
    );
    // By another device.
    let thief = they_present(document.into(), &["height"], &transcript, &parties.signer);
    assert_eq!(
        parties.verify(&thief).unwrap_err().code(),
        "mdoc_device_auth"
    );
    assert_eq!(
        they_read(&parties, &thief, &transcript),
        verdict(Valid, Invalid, &["height"])
    );
    // Signed by another key than the certificate's.
    let forged = their_document(&parties, &parties.device);
    assert_eq!(
        parties.accept(&issued(&forged)).unwrap_err().code(),
        "mdoc_issuer_auth"
    );
    let forged = they_present(forged.into(), &["height"], &transcript, &parties.device);
    assert_eq!(
        parties.verify(&forged).unwrap_err().code(),
        "mdoc_issuer_auth"
    );
    assert_eq!(
        they_read(&parties, &forged, &transcript),
        verdict(Invalid, Valid, &["height"])
    );
}

/// Issuing and presenting cross over: our card in their wallet, their card in ours.
#[test]
fn a_card_of_ours_in_a_wallet_of_theirs() {
    let parties = Parties::new();
    let transcript = parties.transcript();
    let held = held_by_them(&parties.issue());
    let names = ["document_number", "given_name"];
    let response = they_present(held, &names, &transcript, &parties.device);
    assert_eq!(parties.verify(&response).unwrap().elements.paths().len(), 2);
    assert_eq!(
        they_read(&parties, &response, &transcript),
        verdict(Valid, Valid, &names)
    );
}

/// A whole exchange of theirs in proximity with a card of ours: engagement, request, response.
#[test]
fn a_card_of_ours_in_an_exchange_of_theirs() {
    let parties = Parties::new();
    let documents = Documents::new(MDL.to_owned(), held_by_them(&parties.issue()));
    let device = SessionManagerInit::initialise(documents, None, None).unwrap();
    let (device, code) = device.qr_engagement().unwrap();
    let (asked, permitted) = request(&["family_name", "age_over_18"]);
    let (mut reader, established, _) = reader::SessionManager::establish_session(
        code,
        asked[0].namespaces.clone(),
        anchors(&parties),
    )
    .unwrap();
    let (mut device, asked) = device
        .process_session_establishment(
            cbor::from_slice(&established).unwrap(),
            TrustAnchorRegistry::default(),
        )
        .unwrap();
    // What we say of the same exchange.
    let transcript = cbor::to_vec(&device.session_transcript()).unwrap();
    let transcript = SessionTranscript::from_bytes(transcript).unwrap();
    let mut prepared =
        DeviceSession::prepare_response(&device, &asked.items_request, permitted.clone());
    let payload = prepared.get_next_signature_payload().unwrap().1.to_vec();
    prepared.submit_next_signature(run(parties.device.sign(&payload)).unwrap());
    let response = cbor::to_vec(&prepared.finalize_response()).unwrap();
    let mdoc = parties.verify_in(&response, &transcript).unwrap();
    assert_eq!(mdoc.elements.paths().len(), 2);
    assert_eq!(
        parties.verify(&response).unwrap_err().code(),
        "mdoc_device_auth"
    );
    // What they say.
    SessionManager::prepare_response(&mut device, &asked.items_request, permitted);
    let payload = device.get_next_signature_payload().unwrap().1.to_vec();
    let signature = run(parties.device.sign(&payload)).unwrap();
    device.submit_next_signature(signature).unwrap();
    let outcome = reader.handle_response(&device.retrieve_response().unwrap());
    assert_eq!(outcome.errors, BTreeMap::new());
    assert_eq!(outcome.issuer_authentication, Valid);
    assert_eq!(outcome.device_authentication, Valid);
    assert_eq!(outcome.response[MDL_NAMESPACE]["family_name"], "Mustermann");
}

/// isomdl 0.2 checks the signatures and compares no element with its digest. Who reads with it
/// must do so; we do it before anything else looks at the value.
#[test]
fn an_altered_element_that_their_reader_lets_through_is_refused_by_us() {
    let parties = Parties::new();
    let transcript = parties.transcript();
    let held = parties.accept(&parties.issue()).unwrap();
    let ours = parties.present(&held, &["family_name"]);
    let document = their_document(&parties, &parties.signer);
    let theirs = they_present(
        document.into(),
        &["family_name"],
        &transcript,
        &parties.device,
    );
    for response in [ours, theirs] {
        let altered = turned(&response, b"Mustermann");
        let good = verdict(Valid, Valid, &["family_name"]);
        assert_eq!(they_read(&parties, &altered, &transcript), good);
        let document: DeviceResponse = cbor::from_slice(&altered).unwrap();
        assert!(!digests_match(
            &document.documents.unwrap()[0].issuer_signed
        ));
        assert_eq!(
            parties.verify(&altered).unwrap_err().code(),
            "mdoc_digest_mismatch"
        );
    }
}

//! What a certificate is for.

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose as Purpose};

use super::{NOW, anchors, ca, chain, make, params};
use crate::crypto::Portable;
use crate::x509::{Role, TrustAnchors, X509Error, verify_chain};

const MDOC_DS: [u64; 6] = [1, 0, 18013, 5, 1, 2];
const MDOC_READER: [u64; 6] = [1, 0, 18013, 5, 1, 6];

fn mdoc_ds() -> Purpose {
    Purpose::Other(MDOC_DS.to_vec())
}

fn status_signing() -> Purpose {
    Purpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, 30])
}

fn vical() -> Purpose {
    Purpose::Other(vec![1, 0, 18013, 5, 1, 8])
}

fn leaf_with(purposes: &[Purpose]) -> CertificateParams {
    let mut leaf = params("Leaf");
    leaf.extended_key_usages = purposes.to_vec();
    leaf
}

fn judge(role: Role, purposes: &[Purpose]) -> Result<(), X509Error> {
    let root = make(ca("Root"), None);
    let leaf = make(leaf_with(purposes), Some(&root));
    let anchors = anchors(role, &[&root]);
    verify_chain(&chain(&[&leaf]), &anchors, role, NOW, &Portable).map(drop)
}

#[test]
fn a_certificate_for_another_role_is_refused() {
    let reader = || Purpose::Other(MDOC_READER.to_vec());
    for (role, purposes) in [
        (Role::Issuer, vec![Purpose::ServerAuth]),
        (Role::Issuer, vec![Purpose::ServerAuth, Purpose::ClientAuth]),
        (Role::Issuer, vec![reader()]),
        (Role::Issuer, vec![status_signing()]),
        (Role::Issuer, vec![status_signing(), Purpose::ClientAuth]),
        (Role::Issuer, vec![vical()]),
        (Role::Status, vec![vical()]),
        (Role::WalletProvider, vec![status_signing()]),
        (Role::VerifierAccess, vec![status_signing()]),
        (Role::Status, vec![Purpose::TimeStamping]),
        (Role::WalletProvider, vec![mdoc_ds()]),
        (Role::WalletProvider, vec![Purpose::CodeSigning]),
        (Role::VerifierAccess, vec![mdoc_ds()]),
        (Role::VerifierAccess, vec![Purpose::OcspSigning]),
        (Role::ListOperator, vec![mdoc_ds()]),
        (Role::Registrar, vec![mdoc_ds()]),
        (Role::Registrar, vec![status_signing()]),
        (Role::MdocIssuer, vec![]),
        (Role::MdocIssuer, vec![Purpose::ServerAuth]),
        (Role::MdocIssuer, vec![Purpose::Any]),
    ] {
        let answer = judge(role, &purposes);
        assert_eq!(answer, Err(X509Error::WrongUsage), "{role:?} {purposes:?}");
    }
}

#[test]
fn a_certificate_for_the_role_is_accepted() {
    for (role, purposes) in [
        (Role::Issuer, vec![]),
        (Role::Issuer, vec![mdoc_ds()]),
        (
            Role::Issuer,
            vec![Purpose::ServerAuth, Purpose::EmailProtection],
        ),
        (Role::Status, vec![status_signing()]),
        (Role::Issuer, vec![status_signing(), mdoc_ds()]),
        (Role::WalletProvider, vec![]),
        (Role::VerifierAccess, vec![Purpose::ServerAuth]),
        (
            Role::VerifierAccess,
            vec![Purpose::Other(MDOC_READER.to_vec())],
        ),
        (
            Role::ListOperator,
            vec![Purpose::Other(vec![0, 4, 0, 2231, 3, 0])],
        ),
        (Role::MdocIssuer, vec![mdoc_ds()]),
        (Role::Registrar, vec![]),
    ] {
        assert_eq!(judge(role, &purposes), Ok(()), "{role:?} {purposes:?}");
    }
}

/// ISO/IEC 18013-5:2021, annex B.1.
#[test]
fn a_document_signer_is_of_the_country_of_its_authority() {
    let named = |mut params: CertificateParams, country: Option<&str>, state: Option<&str>| {
        for (kind, value) in [
            (DnType::CountryName, country),
            (DnType::StateOrProvinceName, state),
        ] {
            if let Some(value) = value {
                params.distinguished_name.push(kind, value);
            }
        }
        params
    };
    let judge = |authority: (Option<&str>, Option<&str>), signer: (Option<&str>, Option<&str>)| {
        let root = make(named(ca("IACA"), authority.0, authority.1), None);
        let leaf = named(leaf_with(&[mdoc_ds()]), signer.0, signer.1);
        let leaf = make(leaf, Some(&root));
        let anchors = anchors(Role::MdocIssuer, &[&root]);
        verify_chain(&chain(&[&leaf]), &anchors, Role::MdocIssuer, NOW, &Portable).map(drop)
    };
    let de = Some("DE");
    assert_eq!(judge((de, None), (de, None)), Ok(()));
    assert_eq!(judge((de, Some("BE")), (de, None)), Ok(()));
    assert_eq!(judge((de, Some("BE")), (de, Some("BE"))), Ok(()));
    for (authority, signer) in [
        ((de, None), (Some("FR"), None)),
        ((de, None), (None, None)),
        ((de, Some("BE")), (de, Some("BY"))),
    ] {
        assert_eq!(judge(authority, signer), Err(X509Error::Invalid));
    }
}

#[test]
fn a_document_signer_stands_right_below_its_authority() {
    let root = make(ca("IACA"), None);
    let middle = make(ca("Middle"), Some(&root));
    let leaf = make(leaf_with(&[mdoc_ds()]), Some(&middle));
    let anchors = anchors(Role::MdocIssuer, &[&root]);
    let chain = chain(&[&leaf, &middle]);
    let answer = verify_chain(&chain, &anchors, Role::MdocIssuer, NOW, &Portable);
    assert_eq!(answer.unwrap_err(), X509Error::Invalid);
}

#[test]
fn an_end_entity_is_no_anchor() {
    let root = make(ca("Root"), None);
    let mut signer = params("Listed signer");
    signer.is_ca = rcgen::IsCa::ExplicitNoCa;
    let signer = make(signer, Some(&root));
    let mut anchors = TrustAnchors::new(Role::Issuer);
    assert_eq!(anchors.add_der(&signer.der), Err(X509Error::NotAnAuthority));
    assert!(anchors.is_empty());
    let id = anchors.add_any_der(&signer.der).unwrap();
    let ask = |nodes: &[&super::Node], now| {
        verify_chain(&chain(nodes), &anchors, Role::Issuer, now, &Portable)
    };
    // It is believed itself, with or without the chain above it.
    assert_eq!(*ask(&[&signer], NOW).unwrap().anchor_id(), id);
    assert!(ask(&[&signer, &root], NOW).is_ok());
    let late = NOW.plus(11 * super::DAY);
    assert_eq!(ask(&[&signer], late).unwrap_err(), X509Error::Expired);
    // What it signed is not.
    let below = make(params("Below"), Some(&signer));
    assert_eq!(
        ask(&[&below, &signer], NOW).unwrap_err(),
        X509Error::Invalid
    );
}

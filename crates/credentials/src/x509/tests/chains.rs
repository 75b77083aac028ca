use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyUsagePurpose, SanType};

use super::{DAY, NOW, anchors, at, ca, chain, make, make_with, params, verify, verify_at};
use crate::crypto::tests::providers;
use crate::crypto::{PublicKey, Signer, sha256};
use crate::encoding::b64url;
use crate::time::UnixTime;
use crate::x509::{Chain, Role, TrustAnchors, X509Error, verify_chain};

#[test]
fn says_what_the_leaf_says() {
    let root = make(ca("Root"), None);
    let middle = make(ca("Middle"), Some(&root));
    let mut leaf = params("Signer");
    leaf.distinguished_name
        .push(DnType::OrganizationName, "Verein, e.V.");
    leaf.distinguished_name.push(DnType::CountryName, "DE");
    leaf.subject_alt_names = vec![
        SanType::DnsName("issuer.example".try_into().unwrap()),
        SanType::URI("https://issuer.example/id".try_into().unwrap()),
        SanType::Rfc822Name("a@issuer.example".try_into().unwrap()),
    ];
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let leaf = make(leaf, Some(&middle));
    let verified = verify(&[&leaf, &middle], &root).unwrap();
    assert_eq!(verified.public_key(), Signer::public_key(&leaf.key));
    assert_eq!(verified.subject(), "C=DE,O=Verein\\, e.V.,CN=Signer");
    assert_eq!(verified.san_dns(), ["issuer.example"]);
    assert_eq!(verified.san_uri(), ["https://issuer.example/id"]);
    assert_eq!(verified.anchor_id().as_str(), b64url(&sha256(&root.der)));
    assert_eq!(verified.x509_hash(), b64url(&sha256(&leaf.der)));
}

#[test]
fn accepted_algorithms() {
    use rcgen::{
        PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519,
    };
    let accepted = [
        &PKCS_ECDSA_P256_SHA256,
        &PKCS_ECDSA_P384_SHA384,
        &PKCS_ECDSA_P521_SHA512,
        &PKCS_ED25519,
    ];
    for root in accepted {
        let root = make_with(root, ca("Root"), None);
        for leaf in accepted {
            let leaf = make_with(leaf, params("Leaf"), Some(&root));
            let verified = verify(&[&leaf], &root).unwrap();
            let key: &PublicKey = verified.public_key();
            assert_eq!(key, Signer::public_key(&leaf.key));
        }
        let rsa = make_with(&rcgen::PKCS_RSA_SHA256, params("Leaf"), Some(&root));
        assert_eq!(
            verify(&[&rsa], &root).unwrap_err(),
            X509Error::UnsupportedKey
        );
    }
}

#[test]
fn x5c_and_pem_round_trip() {
    let root = make(ca("Root"), None);
    let middle = make(ca("Middle"), Some(&root));
    let leaf = make(params("Leaf"), Some(&middle));
    let chain = chain(&[&leaf, &middle]);
    assert_eq!(Chain::from_x5c(&chain.to_x5c()).unwrap(), chain);
    assert_eq!(
        Chain::from_pem(&format!("{}{}", leaf.pem, middle.pem)).unwrap(),
        chain
    );
    assert_eq!(chain.leaf_der(), leaf.der);
    assert_eq!(
        &chain.leaf_public_key().unwrap(),
        Signer::public_key(&leaf.key)
    );
    let mut anchors = TrustAnchors::new(Role::Issuer);
    assert!(anchors.is_empty());
    let ids = anchors
        .add_pem(&format!("{}{}{}", root.pem, middle.pem, root.pem))
        .unwrap();
    assert_eq!((ids.len(), anchors.ids().count()), (3, 2));
    assert_eq!(
        anchors.add_pem("no certificate").unwrap_err(),
        X509Error::Empty
    );
    assert_eq!(
        anchors.add_der(b"no certificate").unwrap_err(),
        X509Error::Malformed
    );
}

#[test]
fn unknown_anchor_and_foreign_chain() {
    let root = make(ca("Root"), None);
    // The same name, another key.
    let impostor = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    assert!(verify(&[&leaf], &root).is_ok());
    assert_eq!(verify(&[&leaf], &impostor).unwrap_err(), X509Error::Invalid);
    let stranger = make(ca("Stranger"), None);
    assert_eq!(
        verify(&[&leaf], &stranger).unwrap_err(),
        X509Error::Untrusted
    );
    let none = TrustAnchors::new(Role::Issuer);
    for provider in providers() {
        let answer = verify_chain(&chain(&[&leaf]), &none, Role::Issuer, NOW, provider);
        assert_eq!(answer.unwrap_err(), X509Error::Untrusted);
    }
}

#[test]
fn anchors_serve_their_role_alone() {
    let root = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    let anchors = anchors(Role::Status, &[&root]);
    for role in [Role::Issuer, Role::VerifierAccess] {
        let answer = verify_chain(&chain(&[&leaf]), &anchors, role, NOW, providers()[0]);
        assert_eq!(answer.unwrap_err(), X509Error::WrongRole);
    }
}

#[test]
fn self_signed_leaf_and_anchor_in_the_chain() {
    let root = make(ca("Root"), None);
    let leaf = make(params("Leaf"), Some(&root));
    assert_eq!(
        verify(&[&leaf, &root], &root).unwrap_err(),
        X509Error::AnchorInChain
    );
    assert_eq!(
        verify(&[&root], &root).unwrap_err(),
        X509Error::AnchorInChain
    );
    let alone = make(params("Alone"), None);
    assert_eq!(verify(&[&alone], &root).unwrap_err(), X509Error::SelfSigned);
    // Nor does listing it make an authority of it.
    let mut anchors = TrustAnchors::new(Role::Issuer);
    let refused = anchors.add_der(&alone.der).unwrap_err();
    assert_eq!(refused, X509Error::NotAnAuthority);
}

#[test]
fn validity_of_every_certificate() {
    let early = |mut params: CertificateParams| {
        params.not_after = at(-1);
        params
    };
    let late = |mut params: CertificateParams| {
        params.not_before = at(1);
        params
    };
    let root = make(ca("Root"), None);
    let middle = make(ca("Middle"), Some(&root));
    for (change, error) in [
        (&early as &dyn Fn(_) -> _, X509Error::Expired),
        (&late, X509Error::NotYetValid),
    ] {
        let leaf = make(change(params("Leaf")), Some(&middle));
        assert_eq!(verify(&[&leaf, &middle], &root).unwrap_err(), error);
        let bad_middle = make(change(ca("Middle")), Some(&root));
        let leaf = make(params("Leaf"), Some(&bad_middle));
        assert_eq!(verify(&[&leaf, &bad_middle], &root).unwrap_err(), error);
        let bad_root = make(change(ca("Root")), None);
        let leaf = make(params("Leaf"), Some(&bad_root));
        assert_eq!(verify(&[&leaf], &bad_root).unwrap_err(), error);
    }
    let leaf = chain(&[&make(params("Leaf"), Some(&root))]);
    assert!(verify_at(&leaf, &root, NOW.plus(10 * DAY)).is_ok());
    assert_eq!(
        verify_at(&leaf, &root, NOW.plus(10 * DAY + 1)).unwrap_err(),
        X509Error::Expired
    );
    assert_eq!(
        verify_at(&leaf, &root, UnixTime(-1)).unwrap_err(),
        X509Error::NotYetValid
    );
}

#[test]
fn only_authorities_issue() {
    let root = make(ca("Root"), None);
    let person = make(params("Person"), Some(&root));
    let leaf = make(params("Leaf"), Some(&person));
    assert_eq!(
        verify(&[&leaf, &person], &root).unwrap_err(),
        X509Error::Invalid
    );
    let mut no_cert_sign = ca("Middle");
    no_cert_sign.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    let middle = make(no_cert_sign, Some(&root));
    let leaf = make(params("Leaf"), Some(&middle));
    assert_eq!(
        verify(&[&leaf, &middle], &root).unwrap_err(),
        X509Error::Invalid
    );
    let authority = make(ca("Leaf"), Some(&root));
    assert_eq!(
        verify(&[&authority], &root).unwrap_err(),
        X509Error::Invalid
    );
    let mut short = ca("Root");
    short.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root = make(short, None);
    let first = make(
        {
            let mut p = ca("First");
            p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            p
        },
        Some(&root),
    );
    let second = make(ca("Second"), Some(&first));
    let leaf = make(params("Leaf"), Some(&second));
    assert_eq!(
        verify(&[&leaf, &second, &first], &root).unwrap_err(),
        X509Error::Invalid
    );
}

#[test]
fn a_leaf_for_other_uses() {
    let root = make(ca("Root"), None);
    let mut leaf = params("Leaf");
    leaf.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let leaf = make(leaf, Some(&root));
    assert_eq!(verify(&[&leaf], &root).unwrap_err(), X509Error::Invalid);
}

/// RFC 5280, section 4.2.1.1.
#[test]
fn authority_key_ids_in_the_order_of_the_chain() {
    use x509_cert::der::Decode as _;
    use x509_cert::ext::pkix::SubjectKeyIdentifier;
    let key_id = |der: &[u8]| {
        let certificate = x509_cert::Certificate::from_der(der).unwrap();
        let extension = certificate.tbs_certificate().get_extension();
        let (_critical, SubjectKeyIdentifier(id)) = extension.unwrap().unwrap();
        id.as_bytes().to_vec()
    };
    let named = |mut params: CertificateParams| {
        params.use_authority_key_identifier_extension = true;
        params
    };
    let root = make(ca("Root"), None);
    let middle = make(named(ca("Middle")), Some(&root));
    let leaf = make(named(params("Leaf")), Some(&middle));
    let plain = make(params("Plain"), Some(&middle));
    let (of_middle, of_root) = (key_id(&middle.der), key_id(&root.der));
    assert_ne!(of_middle, of_root);
    let both = chain(&[&leaf, &middle]).authority_key_ids();
    assert_eq!(both, [of_middle, of_root.clone()]);
    // A certificate without the extension adds nothing, one that cannot be read neither.
    assert_eq!(chain(&[&plain, &middle]).authority_key_ids(), [of_root]);
    assert!(chain(&[&plain]).authority_key_ids().is_empty());
    let unreadable = Chain::from_der(vec![b"no certificate".to_vec()]).unwrap();
    assert!(unreadable.authority_key_ids().is_empty());
}

#[test]
fn validity_begins_with_its_first_second() {
    let begin = |mut params: CertificateParams| {
        params.not_before = at(0);
        params
    };
    let root = make(begin(ca("Root")), None);
    let leaf = make(params("Leaf"), Some(&root));
    let judge = |now| verify_at(&chain(&[&leaf]), &root, now).map(drop);
    assert_eq!(judge(NOW), Ok(()));
    assert_eq!(judge(NOW.plus(-1)), Err(X509Error::NotYetValid));
    // The same for a signer that is believed itself, at both ends.
    let signer = make(begin(params("Signer")), Some(&root));
    let mut anchors = TrustAnchors::new(Role::Issuer);
    anchors.add_signer_der(&signer.der).unwrap();
    for provider in providers() {
        let judge =
            |now| verify_chain(&chain(&[&signer]), &anchors, Role::Issuer, now, provider).map(drop);
        let end = NOW.plus(10 * DAY);
        assert_eq!(judge(NOW.plus(-1)), Err(X509Error::NotYetValid));
        assert_eq!(judge(NOW), Ok(()));
        assert_eq!(judge(end), Ok(()));
        assert_eq!(judge(end.plus(1)), Err(X509Error::Expired));
    }
}

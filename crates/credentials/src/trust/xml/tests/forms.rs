//! Digests, and namespaces that are canonicalized inclusively.

use super::*;
use crate::crypto::{sha384, sha512};

type Digest = fn(&[u8]) -> Vec<u8>;

#[tokio::test]
async fn every_digest_of_sha_2() {
    let scheme = Scheme::new();
    let (sha_256, sha_384, sha_512): (Digest, Digest, Digest) = (
        |octets| sha256(octets).to_vec(),
        |octets| sha384(octets).to_vec(),
        |octets| sha512(octets).to_vec(),
    );
    let first = "http://www.w3.org/2001/04/xmlenc#sha256";
    let frame = Draft::new().frame(&scheme.listed.der, &scheme.signer.der);
    let wrong = Err(TrustListError::Signature);
    for (uri, digest, wanted) in [
        (first, sha_256, Ok(())),
        (
            "http://www.w3.org/2001/04/xmldsig-more#sha384",
            sha_384,
            Ok(()),
        ),
        ("http://www.w3.org/2001/04/xmlenc#sha512", sha_512, Ok(())),
        // The digest of another method.
        (first, sha_512, wrong.clone()),
        (
            "http://www.w3.org/2001/04/xmldsig-more#sha384",
            sha_256,
            wrong.clone(),
        ),
        ("http://www.w3.org/2001/04/xmlenc#sha512", sha_256, wrong),
        (
            "http://www.w3.org/2000/09/xmldsig#sha1",
            sha_256,
            Err(TrustListError::SignatureForm("DigestMethod")),
        ),
    ] {
        let certificate = STANDARD.encode(sha256(&scheme.signer.der));
        let frame = frame
            .replace(first, uri)
            .replace(&certificate, &STANDARD.encode(digest(&scheme.signer.der)));
        let xml = sign_with(&frame, &scheme.signer, &[], digest).await;
        assert_eq!(import(&xml, &scheme).map(drop), wanted, "{uri}");
    }
}

/// The frame with a `PrefixList` in every exclusive canonicalization.
fn with_prefixes(frame: &str, list: &str) -> String {
    let inclusive = format!("<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" {list}/>");
    let mut frame = frame.to_owned();
    for name in ["ds:CanonicalizationMethod", "ds:Transform"] {
        let start = format!("<{name} Algorithm=\"{EXCLUSIVE}\"");
        frame = frame.replace(
            &format!("{start}/>"),
            &format!("{start}>{inclusive}</{name}>"),
        );
    }
    frame
}

/// Exclusive XML Canonicalization 1.0, section 3.
#[tokio::test]
async fn a_prefix_list_is_followed() {
    let scheme = Scheme::new();
    let frame = Draft::new().frame(&scheme.listed.der, &scheme.signer.der);
    let many = |number: usize| {
        let names: Vec<_> = (1..number).map(|n| format!("p{n}")).collect();
        format!("{} unused", names.join(" "))
    };
    let wrong = Err(TrustListError::Signature);
    for (list, signed, wanted) in [
        ("PrefixList=\"\"", "", Ok(())),
        ("", "", Ok(())),
        ("PrefixList=\"unused\"", "unused", Ok(())),
        ("PrefixList=\"#default\"", "#default", Ok(())),
        (
            "PrefixList=\" unused \n #default\"",
            "#default unused",
            Ok(()),
        ),
        ("PrefixList=\"unused\"", "", wrong.clone()),
        ("PrefixList=\"#default\"", "", wrong.clone()),
        ("PrefixList=\"#default\"", "unused", wrong.clone()),
        ("PrefixList=\"unused\"", "#default", wrong.clone()),
        ("PrefixList=\"\"", "unused", wrong),
        (&format!("PrefixList=\"{}\"", many(64)), "unused", Ok(())),
        (
            &format!("PrefixList=\"{}\"", many(65)),
            "unused",
            Err(TrustListError::SignatureForm("PrefixList")),
        ),
    ] {
        let prefixes: Vec<String> = signed
            .split_whitespace()
            .map(|prefix| prefix.replace("#default", ""))
            .collect();
        let frame = with_prefixes(&frame, list);
        let digest = |octets: &[u8]| sha256(octets).to_vec();
        let xml = sign_with(&frame, &scheme.signer, &prefixes, digest).await;
        assert_eq!(import(&xml, &scheme).map(drop), wanted, "{list} {signed}");
    }
}

#[test]
fn inclusive_prefixes_are_written_where_they_are_in_scope() {
    let xml = "<r xmlns=\"urn:d\" xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"><a:e><b:f/></a:e></r>";
    let document = tree::parse(xml).unwrap();
    let inner = document.root_element().first_child().unwrap();
    for (prefixes, wanted) in [
        (
            &[][..],
            "<a:e xmlns:a=\"urn:a\"><b:f xmlns:b=\"urn:b\"></b:f></a:e>",
        ),
        (
            &["b"],
            "<a:e xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"><b:f></b:f></a:e>",
        ),
        (
            &[""],
            "<a:e xmlns=\"urn:d\" xmlns:a=\"urn:a\"><b:f xmlns:b=\"urn:b\"></b:f></a:e>",
        ),
        (
            &["a", "c"],
            "<a:e xmlns:a=\"urn:a\"><b:f xmlns:b=\"urn:b\"></b:f></a:e>",
        ),
    ] {
        let inclusive = prefixes.iter().map(|&one| one.to_owned()).collect();
        let canonical = Canonical::new(&document, inclusive).subtree(inner);
        assert_eq!(canonical.as_deref(), Ok(wanted), "{prefixes:?}");
    }
}

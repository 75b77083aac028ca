use super::*;
use crate::trust::ListPolicy;
use crate::trust::import_lote;
use crate::x509::Role;

#[tokio::test]
async fn a_trusted_list_becomes_anchors() {
    let scheme = Scheme::new();
    let mut draft = Draft::new();
    for (uri, xades) in [("", true), ("", false), ("#list", true)] {
        (draft.uri, draft.xades) = (uri.to_owned(), xades);
        let xml = draft.signed(&scheme).await;
        let list = import(&xml, &scheme).unwrap().into_inner();
        assert_eq!(list.operator, "Authority & Co");
        assert_eq!(list.territory.as_deref(), Some("DE"));
        assert_eq!(list.checkpoint.sequence, 9);
        assert_eq!((list.services.len(), list.left_out), (1, 0));
        assert!(!list.anchors(Role::Issuer).unwrap().is_empty());
        assert!(!list.anchors(Role::MdocIssuer).unwrap().is_empty());
        assert!(list.anchors(Role::VerifierAccess).unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_rules_of_every_list_hold() {
    let scheme = Scheme::new();
    let xml = Draft::new().signed(&scheme).await;
    let ask = |change: &dyn Fn(&mut ListPolicy<'_>)| {
        let mut policy = scheme.policy(ListKind::QualifiedServices);
        change(&mut policy);
        import_trusted_list(xml.as_bytes(), &policy, &Portable)
    };
    assert!(ask(&|_| {}).is_ok());
    assert_eq!(code(ask(&|p| p.known = known(10))), "trust_list_rollback");
    assert_eq!(code(ask(&|p| p.known = known(9))), "trust_list_fork");
    assert_eq!(
        code(ask(&|p| p.territory = Some("FR"))),
        "trust_list_territory"
    );
    assert_eq!(
        code(ask(&|p| p.kind = ListKind::PidProviders)),
        "trust_list_kind"
    );
    // The form of another list is no list here.
    assert_eq!(
        code(import_lote(
            &xml,
            &scheme.policy(ListKind::QualifiedServices),
            &Portable
        )),
        "trust_list_malformed"
    );
}

#[tokio::test]
async fn members_of_the_list() {
    let scheme = Scheme::new();
    let next = |date: &str| format!("<NextUpdate><dateTime>{date}</dateTime></NextUpdate>");
    type Change = Box<dyn Fn(&mut Draft)>;
    let cases: Vec<(Change, &str)> = vec![
        (
            Box::new(|d| d.version = "4".to_owned()),
            "trust_list_malformed",
        ),
        (
            Box::new(|d| d.sequence = "+9".to_owned()),
            "trust_list_malformed",
        ),
        (
            Box::new(|d| d.sequence = String::new()),
            "trust_list_malformed",
        ),
        (
            Box::new(|d| {
                d.kind =
                    "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists".to_owned()
            }),
            "trust_list_kind",
        ),
        (
            Box::new(|d| d.next_update = "<NextUpdate/>".to_owned()),
            "trust_list_outdated",
        ),
        (
            Box::new(move |d| d.next_update = next("2027-01-15T08:00:00Z")),
            "trust_list_outdated",
        ),
        (
            Box::new(move |d| d.next_update = next("2028-01-15T08:00:00Z")),
            "trust_list_next_update_too_far",
        ),
        (
            Box::new(move |d| d.next_update = next("soon")),
            "trust_list_date",
        ),
        (
            Box::new(|d| d.extension = "<TSLType>second</TSLType>".to_owned()),
            "trust_list_malformed",
        ),
    ];
    for (number, (change, wanted)) in cases.into_iter().enumerate() {
        let mut draft = Draft::new();
        change(&mut draft);
        let answer = import(&draft.signed(&scheme).await, &scheme);
        assert_eq!(code(answer), wanted, "case {number}");
    }
    for (service_type, status) in [
        ("http://uri.etsi.org/TrstSvc/Svctype/CA/QC", GRANTED),
        (
            QEAA,
            "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/withdrawn",
        ),
        (QEAA, "granted"),
    ] {
        let mut draft = Draft::new();
        draft.service_type = service_type.to_owned();
        draft.status = status.to_owned();
        let list = import(&draft.signed(&scheme).await, &scheme).unwrap();
        assert_eq!((list.get().services.len(), list.get().left_out), (0, 1));
    }
}

#[tokio::test]
async fn every_altered_place_is_refused() {
    let scheme = Scheme::new();
    let xml = Draft::new().signed(&scheme).await;
    assert!(import(&xml, &scheme).is_ok());
    for (old, new) in [
        ("<TSLSequenceNumber>9", "<TSLSequenceNumber>99"),
        ("EAA/Q", "CA/QC"),
        ("granted", "gran<!-- -->ted "),
        ("Attestation provider", "Attestation  provider"),
        ("xml:lang=\"en\"", "xml:lang=\"fr\""),
        ("TSLTag=\"http", "TSLTag=\" http"),
        ("<?note before?>", "<?note  another?>"),
        ("</SchemeInformation>\n", "</SchemeInformation>"),
        ("<xades:SigningTime>2027", "<xades:SigningTime>2026"),
        ("<xades:Cert>", "<xades:Cert xmlns:x=\"urn:x\" x:a=\"b\">"),
        ("<ds:SignatureValue>", "<ds:SignatureValue>AAAA"),
        ("ecdsa-sha256", "rsa-sha256"),
    ] {
        assert!(xml.contains(old), "{old}");
        let answer = import(&xml.replacen(old, new, 1), &scheme);
        assert!(answer.is_err(), "{old} -> {new}");
    }
    // What canonicalization takes away may change: comments, quotes, order, empty elements.
    for (old, new) in [
        ("<!-- kept out -->", ""),
        ("<!-- kept out -->", "<!-- any -->"),
        ("xml:lang=\"de\"", "xml:lang='de'"),
        ("xmlns:unused=\"urn:unused\"", "xmlns:unused=\"urn:other\""),
        ("<SchemeTerritory>DE", "<SchemeTerritory >DE"),
        ("Behörde", "Beh&#xF6;rde"),
    ] {
        assert!(xml.contains(old), "{old}");
        assert!(
            import(&xml.replacen(old, new, 1), &scheme).is_ok(),
            "{old} -> {new}"
        );
    }
}

/// XML signature wrapping: a signed part is kept somewhere, and another is offered to be read.
#[tokio::test]
async fn wrapped_signatures_are_refused() {
    let scheme = Scheme::new();
    let xml = Draft::new().signed(&scheme).await;
    let start = xml.find("<TrustServiceStatusList").unwrap();
    let end = xml.find("</TrustServiceStatusList>").unwrap() + "</TrustServiceStatusList>".len();
    let inner = &xml[start..end];
    let signature =
        &xml[xml.find("<ds:Signature ").unwrap()..xml.find("</ds:Signature>").unwrap() + 15];
    let forged = inner
        .replacen(signature, "", 1)
        .replace("<TSLSequenceNumber>9", "<TSLSequenceNumber>99")
        .replace("Id=\"list\"", "Id=\"forged\"");
    let close = "</TrustServiceStatusList>";
    let wrapped = [
        // The signed list inside a forged one, with its signature there.
        forged.replace(close, &format!("<X>{inner}</X>{close}")),
        // The signature moved out to the forged root, the signed list kept in an object of it.
        forged.replace(
            close,
            &format!(
                "{}{close}",
                signature.replace(
                    "</ds:Signature>",
                    &format!(
                        "<ds:Object>{}</ds:Object></ds:Signature>",
                        inner.replacen(signature, "", 1)
                    )
                )
            ),
        ),
        // The signature deeper than under the root.
        inner.replacen(signature, &format!("<X>{signature}</X>"), 1),
        // Two signatures, two roots, none at all.
        inner.replacen(signature, &format!("{signature}{signature}"), 1),
        format!("{inner}{inner}"),
        inner.replacen(signature, "", 1),
        // A reference to an id that two elements have.
        inner.replacen("<SchemeInformation>", "<SchemeInformation Id=\"props\">", 1),
    ];
    for (number, xml) in wrapped.iter().enumerate() {
        assert!(import(xml, &scheme).is_err(), "{number}");
    }
}

#[tokio::test]
async fn other_references_and_transforms_are_refused() {
    let scheme = Scheme::new();
    let enveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
    for (uri, transforms) in [
        ("", vec![enveloped]),
        ("", vec![EXCLUSIVE]),
        ("", vec![EXCLUSIVE, enveloped]),
        (
            "",
            vec![enveloped, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"],
        ),
        (
            "",
            vec![
                enveloped,
                "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
            ],
        ),
        (
            "",
            vec![
                enveloped,
                "http://www.w3.org/TR/1999/REC-xslt-19991116",
                EXCLUSIVE,
            ],
        ),
        (
            "",
            vec![enveloped, "http://www.w3.org/TR/1999/REC-xpath-19991116"],
        ),
        ("#other", vec![enveloped, EXCLUSIVE]),
        ("#props", vec![enveloped, EXCLUSIVE]),
        ("https://attacker.example/list", vec![enveloped, EXCLUSIVE]),
        ("#xpointer(/)", vec![enveloped, EXCLUSIVE]),
    ] {
        let mut draft = Draft::new();
        draft.uri = uri.to_owned();
        draft.transforms = transforms.iter().map(|&one| one.to_owned()).collect();
        let answer = import(&draft.signed(&scheme).await, &scheme);
        assert_eq!(
            code(answer),
            "trust_list_signature_form",
            "{uri} {transforms:?}"
        );
    }
    for method in ["hmac-sha256", "ecdsa-sha1", "rsa-md5"] {
        let mut draft = Draft::new();
        draft.method = method.to_owned();
        let answer = import(&draft.signed(&scheme).await, &scheme);
        assert_eq!(code(answer), "trust_list_signature_form", "{method}");
    }
    // The hash of another curve.
    let mut draft = Draft::new();
    draft.method = "ecdsa-sha512".to_owned();
    let answer = import(&draft.signed(&scheme).await, &scheme);
    assert_eq!(code(answer), "trust_list_signature");
}

#[tokio::test]
async fn only_an_operator_may_sign() {
    let scheme = Scheme::new();
    let other = Scheme::new();
    let xml = Draft::new().signed(&other).await;
    assert_eq!(code(import(&xml, &scheme)), "trust_list_signer");
    // The certificate of the operator with the key of another.
    let frame = Draft::new().frame(&scheme.listed.der, &scheme.signer.der);
    let borrowed = sign(&frame, &other.signer).await;
    assert_eq!(code(import(&borrowed, &scheme)), "trust_list_signature");
    // The signed properties name another certificate than the one that is sent.
    let digest = STANDARD.encode(sha256(&scheme.signer.der));
    let swapped = frame.replace(&digest, &STANDARD.encode(sha256(b"another")));
    let swapped = sign(&swapped, &scheme.signer).await;
    assert_eq!(code(import(&swapped, &scheme)), "trust_list_signature");
}

#[test]
fn what_is_no_plain_xml_is_refused() {
    let scheme = Scheme::new();
    let deep = "<a>".repeat(100_000);
    let wide = format!(
        "<a {}/>",
        (0..2000).map(|n| format!("a{n}='' ")).collect::<String>()
    );
    let billion = "<!DOCTYPE a [<!ENTITY b \"b\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>";
    let external = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>";
    for xml in [
        "",
        "{}",
        "<a",
        "<a/>",
        "<a>&b;</a>",
        "\u{feff}<a/>",
        &deep,
        &wide,
        billion,
        external,
    ] {
        let short: String = xml.chars().take(40).collect();
        assert!(import(xml, &scheme).is_err(), "{short}");
    }
    let policy = scheme.policy(ListKind::QualifiedServices);
    let big = vec![b' '; super::super::MAX_XML_BYTES + 1];
    assert_eq!(
        code(import_trusted_list(&big, &policy, &Portable)),
        "trust_list_too_large"
    );
    assert!(import_trusted_list(&[0xff, 0xfe], &policy, &Portable).is_err());
}

#[tokio::test]
async fn nesting_is_bounded() {
    let scheme = Scheme::new();
    let mut draft = Draft::new();
    draft.extension = format!("{}{}", "<x>".repeat(50), "</x>".repeat(50));
    assert!(import(&draft.signed(&scheme).await, &scheme).is_ok());
    let signed = draft.signed(&scheme).await;
    let deeper = signed.replace(&"<x>".repeat(50), &"<x>".repeat(5000));
    let deeper = deeper.replace(&"</x>".repeat(50), &"</x>".repeat(5000));
    assert_eq!(
        import(&deeper, &scheme).unwrap_err(),
        TrustListError::Malformed("XML nested too deeply")
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    #[test]
    fn any_xml_is_answered(xml in "[<>/a-c:='\" &;#x!?\\[\\]-]{0,80}") {
        let scheme = Scheme::new();
        proptest::prop_assert!(import(&xml, &scheme).is_err());
    }
}

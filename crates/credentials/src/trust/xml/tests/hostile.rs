//! Documents that are made to cost, to panic, or to be read as something else.

use super::*;
use crate::trust::{Checkpoint, ListPolicy};
use crate::x509::tests::{make, params};
use crate::x509::{Role, TrustAnchors};

/// `levels` elements in each other that declare `each` prefixes, and `tail` elements inside.
fn declarations(levels: usize, each: usize, tail: usize) -> String {
    let mut xml = String::from("<r>");
    for level in 0..levels {
        xml.push_str("<a");
        for number in 0..each {
            xml.push_str(&format!(" xmlns:n{level}x{number}=\"u\""));
        }
        xml.push('>');
    }
    xml.push_str(&"<b xmlns:z=\"q\"/>".repeat(tail));
    xml + &"</a>".repeat(levels) + "</r>"
}

#[test]
fn namespaces_and_nesting_are_counted_before_parsing() {
    assert!(tree::parse(&declarations(8, 8, 0)).is_ok());
    for xml in [
        declarations(65, 1, 0),
        declarations(2, 400, 0),
        declarations(1, 60, 5),
        declarations(63, 1, 10_000),
    ] {
        assert_eq!(
            tree::parse(&xml).unwrap_err(),
            TrustListError::Malformed("too many namespaces")
        );
    }
    let nested = |depth: usize, tag: &str| {
        format!(
            "{}{}",
            format!("<{tag}>").repeat(depth),
            "</a>".repeat(depth)
        )
    };
    assert!(tree::parse(&nested(64, "a b='>/>'")).is_ok());
    for xml in [
        nested(65, "a"),
        nested(65, "a b='/>'"),
        nested(200_000, "a"),
        "<a>".repeat(200_000),
    ] {
        assert_eq!(
            tree::parse(&xml).unwrap_err(),
            TrustListError::Malformed("XML nested too deeply")
        );
    }
    // What only looks like tags does not count, and what hides a tag hides nothing.
    let text =
        "<!--".to_owned() + &"<a>".repeat(100) + "--><a><![CDATA[" + &"<a>".repeat(100) + "]]></a>";
    assert!(tree::parse(&text).is_ok());
    let hidden = "<!-- --><a b='<!--'>".to_owned() + &"<a>".repeat(100);
    assert!(tree::parse(&hidden).is_err());
    for dtd in [
        "<!DOCTYPE a><a/>",
        "<a/><!ELEMENT a>",
        "<!a",
        "<!--",
        "<a",
        "<a b='",
        "<![CDATA[",
        "<?a",
    ] {
        assert!(tree::parse(dtd).is_err(), "{dtd}");
    }
}

#[test]
fn what_stands_behind_something_else_is_counted_too() {
    let nested = |depth: usize| "<b>".repeat(depth) + &"</b>".repeat(depth);
    for before in ["<!-- - -->", "<![CDATA[ ] ]]>", "<?pi ? ?>", "<b/>", "text"] {
        let document = |depth: usize| format!("<a>{before}{}</a>", nested(depth));
        assert!(tree::parse(&document(63)).is_ok(), "{before}");
        assert_eq!(
            tree::parse(&document(64)).unwrap_err(),
            TrustListError::Malformed("XML nested too deeply"),
            "{before}"
        );
    }
}

#[test]
fn a_document_has_a_million_nodes_at_most() {
    // The document itself and its root element are nodes too.
    let document = |empty: usize| format!("<a>{}</a>", "<b/>".repeat(empty));
    assert!(tree::parse(&document(999_998)).is_ok());
    assert_eq!(
        tree::parse(&document(999_999)).unwrap_err(),
        TrustListError::Malformed("not well-formed XML without a DTD")
    );
}

#[test]
fn names_in_an_element_are_counted() {
    let too_many = TrustListError::Malformed("too many names in an element");
    let equals = |number: usize| format!("<a b='{}'/>", "=".repeat(number - 1));
    assert!(tree::parse(&equals(512)).is_ok());
    assert_eq!(tree::parse(&equals(513)).unwrap_err(), too_many);
    let canonical = |xml: &str| {
        let document = roxmltree::Document::parse(xml).unwrap();
        Canonical::new(&document, Vec::new()).document().map(drop)
    };
    for before in ["", "xmlns:"] {
        let names = |number: usize| -> String {
            let names = (0..number).map(|n| format!(" {before}n{n}='u'"));
            format!("<a{}/>", names.collect::<String>())
        };
        assert_eq!(canonical(&names(64)), Ok(()), "{before}");
        assert_eq!(canonical(&names(65)), Err(too_many.clone()), "{before}");
    }
}

#[tokio::test]
async fn sizes_are_bounded() {
    let scheme = Scheme::new();
    let mut xml = Draft::new().signed(&scheme).await;
    xml.push_str(&" ".repeat(16_777_216 - xml.len()));
    assert!(import(&xml, &scheme).is_ok());
    xml.push(' ');
    assert_eq!(code(import(&xml, &scheme)), "trust_list_too_large");
}

#[tokio::test]
async fn certificates_are_counted() {
    let scheme = Scheme::new();
    let xml = Draft::new().signed(&scheme).await;
    let spare = crate::x509::tests::ca("Spare");
    let spare = STANDARD.encode(make(spare, None).der);
    let with = |number: usize| {
        let one = format!("<ds:X509Certificate>{spare}</ds:X509Certificate>");
        let end = "</ds:X509Certificate></ds:X509Data>";
        let more = format!("</ds:X509Certificate>{}</ds:X509Data>", one.repeat(number));
        xml.replacen(end, &more, 1)
    };
    assert!(import(&with(5), &scheme).is_ok());
    assert_eq!(
        import(&with(6), &scheme).unwrap_err(),
        TrustListError::Signer(crate::x509::X509Error::TooLong)
    );
}

#[tokio::test]
async fn a_reference_is_to_one_element_alone() {
    let scheme = Scheme::new();
    let whole = TrustListError::SignatureForm("the reference is not to the whole list");
    let properties = TrustListError::SignatureForm("the reference is not to the signed properties");
    let mut draft = Draft::new();
    draft.uri = "#list".to_owned();
    assert!(import(&draft.signed(&scheme).await, &scheme).is_ok());
    for (id, refusal) in [("list", &whole), ("props", &properties)] {
        for attribute in ["Id", "ID", "id", "xml:id"] {
            draft.extension = format!("<x xmlns=\"urn:x\" {attribute}=\"{id}\"/>");
            let answer = import(&draft.signed(&scheme).await, &scheme);
            assert_eq!(answer.unwrap_err(), *refusal, "{attribute} {id}");
        }
    }
    // A reference of that type to something else that is there once.
    let frame = Draft::new().frame(&scheme.listed.der, &scheme.signer.der);
    for uri in ["#list", "#sig", "#none", "#"] {
        let frame = frame.replace("URI=\"#props\"", &format!("URI=\"{uri}\""));
        let answer = import(&sign(&frame, &scheme.signer).await, &scheme);
        assert_eq!(answer.unwrap_err(), properties, "{uri}");
    }
}

#[tokio::test]
async fn a_reference_is_to_the_root_by_its_id_alone() {
    let scheme = Scheme::new();
    let mut draft = Draft::new();
    for (uri, id) in [
        ("xlist2", ""),
        ("\u{e9}list2", ""),
        ("#", ""),
        ("#", " Id=\"\""),
        ("list", " Id=\"list\""),
    ] {
        draft.uri = uri.to_owned();
        draft.extension = "<x xmlns=\"urn:x\" Id=\"list2\"/>".to_owned();
        let frame = draft.frame(&scheme.listed.der, &scheme.signer.der);
        let signed = sign(&frame.replace(" Id=\"list\"", id), &scheme.signer).await;
        assert_eq!(
            import(&signed, &scheme).map(drop),
            Err(TrustListError::SignatureForm(
                "the reference is not to the whole list"
            )),
            "{uri}"
        );
    }
}

#[tokio::test]
async fn a_listed_operator_is_one_by_role_and_purpose() {
    let scheme = Scheme::new();
    let judge = async |role,
                       purposes: &[rcgen::ExtendedKeyUsagePurpose],
                       usages: &[rcgen::KeyUsagePurpose]| {
        let mut params = params("Operator");
        params.extended_key_usages = purposes.to_vec();
        params.key_usages = usages.to_vec();
        let signer = make(params, None);
        let mut operators = TrustAnchors::new(role);
        operators.add_signer_der(&signer.der).unwrap();
        let policy = ListPolicy {
            operators: &operators,
            ..scheme.policy(ListKind::QualifiedServices)
        };
        let frame = Draft::new().frame(&scheme.listed.der, &signer.der);
        let signed = sign(&frame, &signer).await;
        import_trusted_list(signed.as_bytes(), &policy, &Portable).map(drop)
    };
    let role = Role::ListOperator;
    let foreign = [rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let sealing = [rcgen::KeyUsagePurpose::KeyEncipherment];
    assert_eq!(judge(role, &[], &[]).await, Ok(()));
    assert!(judge(role, &foreign, &[]).await.is_err());
    assert!(judge(role, &[], &sealing).await.is_err());
    assert!(judge(Role::Issuer, &[], &[]).await.is_err());
}

#[tokio::test]
async fn a_fork_is_another_content_and_not_another_signature() {
    let scheme = Scheme::new();
    let xml = Draft::new().signed(&scheme).await;
    let ask = |xml: &str, known: Option<Checkpoint>| {
        let policy = ListPolicy {
            known,
            ..scheme.policy(ListKind::QualifiedServices)
        };
        import_trusted_list(xml.as_bytes(), &policy, &Portable).map(|list| list.get().checkpoint)
    };
    let first = ask(&xml, None).unwrap();
    // White space in the signature is signed by nobody.
    let spaced = xml.replace("</ds:SignatureValue>", "\n</ds:SignatureValue>");
    assert_ne!(xml, spaced);
    assert_eq!(ask(&spaced, Some(first)), Ok(first));
    let mut draft = Draft::new();
    draft.status = GRANTED.replace("granted", "withdrawn");
    let other = draft.signed(&scheme).await;
    assert_eq!(code(ask(&other, Some(first))), "trust_list_fork");
}

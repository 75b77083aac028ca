//! What the issuer signed.

use super::*;
use crate::cose::Label;

/// The code with which a changed mobile security object is refused, by holder and verifier.
fn forged(world: &World, change: impl Fn(&mut Value)) -> &'static str {
    let issued = world.issued();
    let forged = world.forge(&issued, &change);
    let code = world.accept(&forged).expect_err("must be refused").code();
    let response = changed(&world.response(), |response| {
        let signed = at(document(response), "issuerSigned");
        let whole = Item::parse(&forged).unwrap().to_value();
        *at(signed, "issuerAuth") = whole.as_map().unwrap()[1].1.clone();
        // The items of this very document.
        *at(signed, "nameSpaces") = whole.as_map().unwrap()[0].1.clone();
    });
    assert_eq!(world.refused(&response), code);
    code
}

fn digests(mso: &mut Value) -> &mut Vec<(Value, Value)> {
    at(at(mso, "valueDigests"), MDL_NAMESPACE)
        .as_map_mut()
        .unwrap()
}

#[test]
fn the_forge_is_right_where_nothing_is_changed() {
    let world = World::new();
    let issued = world.issued();
    assert!(world.accept(&world.forge(&issued, |_| ())).is_ok());
}

#[test]
fn cat_133_what_has_no_digest_is_refused() {
    let world = World::new();
    assert_eq!(
        forged(&world, |mso| drop(digests(mso).pop())),
        "mdoc_digest_missing"
    );
    assert_eq!(
        forged(&world, |mso| remove(at(mso, "valueDigests"), MDL_NAMESPACE)),
        "mdoc_digest_missing"
    );
    assert_eq!(
        forged(&world, |mso| *at(mso, "valueDigests") = Value::Map(vec![])),
        "mdoc_digest_missing"
    );
}

#[test]
fn altered_elements_are_refused() {
    let world = World::new();
    let issued = world.issued();
    let alter = |change: &dyn Fn(&mut Value)| {
        let altered = changed(&issued, |issued| {
            for item in items(issued) {
                let Value::Tag(24, bytes) = item else {
                    panic!()
                };
                let bytes = bytes.as_bytes_mut().unwrap();
                let mut inner = Item::parse(bytes).unwrap().to_value();
                change(&mut inner);
                *bytes = to_vec(&inner);
            }
        });
        world.accept(&altered).expect_err("must be refused").code()
    };
    assert_eq!(
        alter(&|item| *at(item, "elementValue") = Value::Null),
        "mdoc_digest_mismatch"
    );
    assert_eq!(
        alter(&|item| *at(item, "elementIdentifier") = "age_over_21".into()),
        "mdoc_digest_mismatch"
    );
    assert_eq!(
        alter(&|item| *at(item, "random") = Value::Bytes(vec![0; 32])),
        "mdoc_digest_mismatch"
    );
    assert_eq!(
        alter(&|item| *at(item, "random") = Value::Bytes(vec![0; 15])),
        "mdoc_item"
    );
    assert_eq!(
        alter(&|item| *at(item, "digestID") = (1_u64 << 32).into()),
        "mdoc_item"
    );
    assert_eq!(
        alter(&|item| add(item, "more", Value::Null)),
        "mdoc_digest_mismatch"
    );
    assert_eq!(alter(&|item| remove(item, "random")), "cbor_missing");
    // The same content in another order is another document.
    assert_eq!(
        alter(&|item| item.as_map_mut().unwrap().reverse()),
        "mdoc_digest_mismatch"
    );
    assert_eq!(
        forged(&world, |mso| digests(mso)[0].1 = Value::Bytes(vec![0; 32])),
        "mdoc_digest_mismatch"
    );
    assert_eq!(
        forged(&world, |mso| digests(mso)[0].1 = Value::Bytes(vec![])),
        "mdoc_digest_mismatch"
    );
}

#[test]
fn cat_125_what_is_embedded_has_one_form() {
    let world = World::new();
    let issued = world.issued();
    for (inner, code) in [
        (&b"\xbf\xff"[..], "cbor_indefinite"),
        (b"\xa1\x61\x61\x9f\xff", "cbor_indefinite"),
        (b"\xa0\x00", "cbor_trailing"),
        (b"\xa2\x01\x01\x01\x02", "cbor_duplicate_key"),
        (b"\xa1\x01\x18\x01", "cbor_not_shortest"),
    ] {
        let item = changed(&issued, |issued| {
            items(issued)[0] = Value::Tag(24, Box::new(Value::Bytes(inner.to_vec())));
        });
        assert_eq!(world.accept(&item).unwrap_err().code(), code);
        let payload = Writer::new().embedded(inner).finish();
        let mso = world.sign(&issued, &Header::new(), &world.unprotected(), &payload);
        assert_eq!(world.accept(&mso).unwrap_err().code(), code);
    }
    // Without the tag there is no item.
    let bare = changed(&issued, |issued| {
        let Value::Tag(_, bytes) = items(issued)[0].clone() else {
            panic!()
        };
        items(issued)[0] = *bytes;
    });
    assert_eq!(world.accept(&bare).unwrap_err().code(), "cbor_type");
}

#[test]
fn cat_134_no_element_stands_twice() {
    let world = World::new();
    let twice = changed(&world.issued(), |issued| {
        let first = items(issued)[0].clone();
        items(issued).push(first);
    });
    assert_eq!(
        world.accept(&twice).unwrap_err().code(),
        "mdoc_duplicate_element"
    );
    // Two items of one digestID cannot both have its digest; the map cannot hold it twice.
    let issued = world.issued();
    let mut mso = Item::parse(&payload(&issued))
        .unwrap()
        .embedded()
        .unwrap()
        .to_value();
    let first = digests(&mut mso)[0].clone();
    digests(&mut mso).push(first);
    let bytes = Writer::new().embedded(&to_vec(&mso)).finish();
    let forged = world.sign(&issued, &Header::new(), &world.unprotected(), &bytes);
    assert_eq!(
        world.accept(&forged).unwrap_err().code(),
        "cbor_duplicate_key"
    );
}

#[test]
fn cat_136_digests_are_of_the_sha_2_family() {
    let world = World::new();
    for name in [
        "SHA-1", "SHA-224", "MD5", "sha-256", "SHA256", "SHA3-256", "",
    ] {
        let code = forged(&world, |mso| *at(mso, "digestAlgorithm") = name.into());
        assert_eq!(code, "mdoc_digest_algorithm", "{name}");
    }
    assert_eq!(
        forged(&world, |mso| *at(mso, "digestAlgorithm") = "SHA-512".into()),
        "mdoc_digest_mismatch"
    );
    assert_eq!(
        forged(&world, |mso| *at(mso, "digestAlgorithm") = 1.into()),
        "cbor_type"
    );
}

#[test]
fn cat_137_one_type_in_all_places() {
    let world = World::new();
    assert_eq!(
        forged(&world, |mso| *at(mso, "docType") = AGE_VERIFICATION.into()),
        "mdoc_doctype_mismatch"
    );
    let relabelled = changed(&world.response(), |response| {
        *at(document(response), "docType") = AGE_VERIFICATION.into();
    });
    assert_eq!(world.refused(&relabelled), "type_not_accepted");
    let doctypes = [AGE_VERIFICATION.to_owned()];
    let refused = world.check_with(&relabelled, |policy| policy.doctypes = &doctypes);
    assert_eq!(refused.unwrap_err().code(), "mdoc_doctype_mismatch");
    let refused = world.check_with(&world.response(), |policy| policy.doctypes = &doctypes);
    assert_eq!(refused.unwrap_err().code(), "type_not_accepted");
    // An issuer that is trusted for other types only.
    let other = IssuerTrust::new(vec![TrustedIssuer {
        types: vec![PID.into()],
        ..world.trust.issuers[0].clone()
    }]);
    let other = other.unwrap();
    let refused = world.check_with(&world.response(), |policy| policy.trust = &other);
    assert_eq!(refused.unwrap_err().code(), "issuer_not_for_type");
}

fn tdate(time: UnixTime) -> Value {
    Value::Tag(0, Box::new(Value::Text(super::super::tdate::text(time))))
}

#[test]
fn cat_139_signed_while_the_certificate_was_valid() {
    let world = World::new();
    // The certificate is valid for ten days around now.
    let signed = |days: i64| {
        forged(&world, |mso| {
            let validity = at(mso, "validityInfo");
            *at(validity, "signed") = tdate(NOW.plus(days * DAY));
            *at(validity, "validFrom") = tdate(NOW.plus(days * DAY));
            *at(validity, "validUntil") = tdate(NOW.plus(30 * DAY));
        })
    };
    assert_eq!(signed(-11), "mdoc_signed_outside_certificate");
    assert_eq!(signed(11), "mdoc_signed_outside_certificate");
    assert_eq!(signed(9), "credential_issued_in_future");
    // To the second, both ends included.
    let signed_at = |seconds: i64| {
        let forged = world.forge(&world.issued(), |mso| {
            let validity = at(mso, "validityInfo");
            *at(validity, "signed") = tdate(NOW.plus(seconds));
            *at(validity, "validFrom") = tdate(NOW.plus(seconds));
            *at(validity, "validUntil") = tdate(NOW.plus(30 * DAY));
        });
        world.accept(&forged).err().map(|error| error.code())
    };
    let outside = Some("mdoc_signed_outside_certificate");
    assert_eq!(signed_at(-10 * DAY - 1), outside);
    assert_eq!(signed_at(-10 * DAY), None);
    assert_eq!(signed_at(10 * DAY), Some("credential_issued_in_future"));
    assert_eq!(signed_at(10 * DAY + 1), outside);
}

#[test]
fn times_are_kept_and_well_formed() {
    let world = World::new();
    let at_time = |now: UnixTime| {
        let owed = world.check_with(&world.response(), |policy| policy.now = now);
        owed.map(drop).map_err(|error| error.code())
    };
    assert_eq!(at_time(NOW.plus(DAY + 59)), Ok(()));
    assert_eq!(at_time(NOW.plus(DAY + 60)), Err("credential_expired"));
    assert_eq!(at_time(NOW.plus(-DAY - 60)), Ok(()));
    assert_eq!(
        at_time(NOW.plus(-DAY - 61)),
        Err("credential_issued_in_future")
    );
    let later = forged(&world, |mso| {
        *at(at(mso, "validityInfo"), "validFrom") = tdate(NOW.plus(100))
    });
    assert_eq!(later, "credential_not_yet_valid");
    for (name, value) in [
        ("signed", Value::Text("2027-01-14T08:00:00Z".into())),
        (
            "validFrom",
            Value::Tag(0, Box::new("2027-01-14T08:00:00.5Z".into())),
        ),
        (
            "validUntil",
            Value::Tag(0, Box::new("2027-01-18T08:00:00+01:00".into())),
        ),
        ("validUntil", Value::Tag(1, Box::new(1_900_000_000.into()))),
        ("validUntil", tdate(NOW.plus(-DAY))),
        ("expectedUpdate", Value::Null),
    ] {
        assert_eq!(
            forged(&world, |mso| *at(at(mso, "validityInfo"), name) =
                value.clone()),
            "mdoc_mso"
        );
    }
    for name in ["signed", "validFrom", "validUntil"] {
        assert_eq!(
            forged(&world, |mso| remove(at(mso, "validityInfo"), name)),
            "mdoc_mso"
        );
    }
}

#[test]
fn objects_of_other_versions_or_without_parts_are_refused() {
    let world = World::new();
    for version in ["2.0", "1", "1.", "1.01", "0.9", "1.0.0", ""] {
        assert_eq!(
            forged(&world, |mso| *at(mso, "version") = version.into()),
            "mdoc_version"
        );
    }
    let minor = world.forge(&world.issued(), |mso| *at(mso, "version") = "1.1".into());
    assert!(world.accept(&minor).is_ok());
    for name in [
        "version",
        "digestAlgorithm",
        "valueDigests",
        "deviceKeyInfo",
        "docType",
        "validityInfo",
    ] {
        assert_eq!(
            forged(&world, |mso| remove(mso, name)),
            "cbor_missing",
            "{name}"
        );
    }
    assert_eq!(
        forged(&world, |mso| *at(at(mso, "deviceKeyInfo"), "deviceKey") =
            Value::Map(vec![])),
        "mdoc_mso"
    );
    for status in [
        Value::Map(vec![]),
        Value::Null,
        Value::Map(vec![("other".into(), 1.into())]),
    ] {
        assert_eq!(
            forged(&world, |mso| add(mso, "status", status.clone())),
            "mdoc_mso"
        );
    }
}

#[test]
fn cat_140_the_chain_is_unprotected_and_ends_in_an_iaca() {
    let world = World::new();
    let issued = world.issued();
    let mso = payload(&issued);
    let refused = |protected: &Header, unprotected: &Header| {
        let forged = world.sign(&issued, protected, unprotected, &mso);
        world.accept(&forged).expect_err("must be refused").code()
    };
    let (none, unprotected) = (Header::new(), world.unprotected());
    assert!(
        world
            .accept(&world.sign(&issued, &none, &unprotected, &mso))
            .is_ok()
    );
    assert_eq!(refused(&none, &none), "mdoc_chain_missing");
    assert_eq!(refused(&unprotected, &none), "mdoc_chain_missing");
    // Below an authority that nobody believes, and with that authority sent along.
    let other = iaca("Another IACA");
    let theirs = document_signer(&other);
    assert_eq!(
        refused(&none, &Header::new().x5chain(&chain(&[&theirs]))),
        "issuer_untrusted"
    );
    assert_eq!(
        refused(&none, &Header::new().x5chain(&chain(&[&theirs, &other]))),
        "issuer_untrusted"
    );
    // An authority that has only the name of ours.
    let namesake = document_signer(&iaca("IACA"));
    assert_eq!(
        refused(&none, &Header::new().x5chain(&chain(&[&namesake]))),
        "issuer_chain"
    );
    // Our authority sent along; a chain that is none; a certificate for something else.
    assert_eq!(
        refused(
            &none,
            &Header::new().x5chain(&chain(&[&world.signer, &world.iaca]))
        ),
        "issuer_chain"
    );
    let garbage = Header::new().with(Label::X5CHAIN, Value::Bytes(vec![0x30, 0]));
    assert_eq!(refused(&none, &garbage), "issuer_chain");
    let text = Header::new().with(Label::X5CHAIN, "MIIB".into());
    assert_eq!(refused(&none, &text), "mdoc_issuer_auth");
    let mut plain = params("Document signer");
    plain.distinguished_name.push(DnType::CountryName, "AT");
    let plain = make(plain, Some(&world.iaca));
    assert_eq!(
        refused(&none, &Header::new().x5chain(&chain(&[&plain]))),
        "issuer_chain"
    );
    // Another document signer of the same authority did not sign this.
    let another = document_signer(&world.iaca);
    assert_eq!(
        refused(&none, &Header::new().x5chain(&chain(&[&another]))),
        "mdoc_issuer_auth"
    );
    // Trust in other formats is no trust in mdocs.
    let jose = IssuerTrust::new(vec![TrustedIssuer {
        method: IssuerMethod::X509 {
            anchors: Arc::new(anchors(Role::Issuer, &[&world.iaca])),
            subject: None,
        },
        ..world.trust.issuers[0].clone()
    }]);
    let refused = world.check_with(&world.response(), |policy| {
        policy.trust = leak(jose.unwrap())
    });
    assert_eq!(refused.unwrap_err().code(), "issuer_untrusted");
}

#[test]
fn cat_142_cat_143_issuer_auth_is_a_sign1_with_payload() {
    let world = World::new();
    let issued = world.issued();
    let auth = |change: &dyn Fn(&mut Vec<Value>)| {
        let bytes = changed(&issued, |issued| {
            change(at(issued, "issuerAuth").as_array_mut().unwrap())
        });
        world.accept(&bytes).expect_err("must be refused").code()
    };
    let protected = |entries: Vec<(Value, Value)>| Value::Bytes(to_vec(&Value::Map(entries)));
    // No alg; alg in the wrong place; alg of another key; an unknown critical parameter.
    assert_eq!(
        auth(&|parts| parts[0] = Value::Bytes(vec![])),
        "mdoc_issuer_auth"
    );
    assert_eq!(
        auth(&|parts| {
            parts[0] = Value::Bytes(vec![]);
            parts[1].as_map_mut().unwrap().push((1.into(), (-7).into()));
        }),
        "mdoc_issuer_auth"
    );
    assert_eq!(
        auth(&|parts| parts[0] = protected(vec![(1.into(), (-8).into())])),
        "mdoc_issuer_auth"
    );
    let critical = vec![
        (1.into(), (-7).into()),
        (2.into(), Value::Array(vec![(-70000).into()])),
        ((-70000).into(), true.into()),
    ];
    assert_eq!(
        auth(&|parts| parts[0] = protected(critical.clone())),
        "mdoc_issuer_auth"
    );
    // Detached payload; COSE_Sign; a tag of something else.
    assert_eq!(auth(&|parts| parts[2] = Value::Null), "mdoc_issuer_auth");
    assert_eq!(
        auth(&|parts| parts[3] = Value::Array(vec![parts[3].clone()])),
        "mdoc_issuer_auth"
    );
    let tagged = |tag: u64| {
        let tagged = changed(&issued, |issued| {
            let auth = at(issued, "issuerAuth");
            *auth = Value::Tag(tag, Box::new(auth.clone()));
        });
        world.accept(&tagged).map(drop)
    };
    // The tag of COSE_Sign1 is not asked for, but in use.
    assert!(tagged(18).is_ok());
    for other in [17, 98, 61] {
        assert_eq!(tagged(other).unwrap_err().code(), "mdoc_issuer_auth");
    }
    // A signature with a bit turned.
    assert_eq!(
        auth(&|parts| parts[3].as_bytes_mut().unwrap()[9] ^= 1),
        "mdoc_issuer_auth"
    );
}

#[test]
fn documents_are_bound_to_the_key_of_the_wallet() {
    let world = World::new();
    let other = SigningKey::generate(Algorithm::Es256, &SeededRng::new(99));
    let issued = world.issue_with(|input| input.device_key = leak(other.public_key().clone()));
    assert_eq!(
        world.accept(&issued.unwrap()).unwrap_err().code(),
        "holder_key_mismatch"
    );
}

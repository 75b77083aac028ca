//! What the device signed.

use super::*;

#[test]
fn cat_145_a_response_is_for_one_exchange() {
    let world = World::new();
    let response = world.response();
    let key = Some(world.reader.public_key());
    for (what, other) in [
        (
            "nonce",
            SessionTranscript::openid4vp(CLIENT_ID, "another nonce", key, RESPONSE_URI),
        ),
        (
            "client",
            SessionTranscript::openid4vp("x509_hash:another", NONCE, key, RESPONSE_URI),
        ),
        (
            "address",
            SessionTranscript::openid4vp(
                CLIENT_ID,
                NONCE,
                key,
                "https://verifier.example/response/2",
            ),
        ),
    ] {
        let refused = world.check_with(&response, |policy| policy.transcript = &other);
        assert_eq!(refused.unwrap_err().code(), "mdoc_device_auth", "{what}");
    }
    assert!(world.check(&response).is_ok());
}

#[test]
fn cat_146_the_encryption_key_is_part_of_the_exchange() {
    let world = World::new();
    let response = world.response();
    let other = AgreementKey::generate(&SeededRng::new(42));
    for key in [None, Some(other.public_key())] {
        let transcript = SessionTranscript::openid4vp(CLIENT_ID, NONCE, key, RESPONSE_URI);
        let refused = world.check_with(&response, |policy| policy.transcript = &transcript);
        assert_eq!(refused.unwrap_err().code(), "mdoc_device_auth");
        // And the other way round: a device that saw no key, or another one.
        let held = world.held(&world.issued());
        let presentation = held.present(&[element("family_name")]).unwrap();
        let theirs = ready(presentation.sign(&transcript, &none(), &world.device)).unwrap();
        assert_eq!(world.refused(&theirs), "mdoc_device_auth");
    }
}

#[test]
fn cat_148_handovers_are_not_exchanged() {
    let world = World::new();
    let held = world.held(&world.issued());
    let key = Some(world.reader.public_key());
    let origin = "https://verifier.example";
    let api = SessionTranscript::openid4vp_dc_api(origin, NONCE, key);
    let presentation = held.present(&[element("family_name")]).unwrap();
    let for_api = ready(presentation.sign(&api, &none(), &world.device)).unwrap();
    assert_eq!(world.refused(&for_api), "mdoc_device_auth");
    let refused = world.check_with(&world.response(), |policy| policy.transcript = &api);
    assert_eq!(refused.unwrap_err().code(), "mdoc_device_auth");
    assert!(
        world
            .check_with(&for_api, |policy| policy.transcript = &api)
            .is_ok()
    );
    // Origin with its prefix, or of another site.
    for other in ["origin:https://verifier.example", "https://evil.example"] {
        let other = SessionTranscript::openid4vp_dc_api(other, NONCE, key);
        let refused = world.check_with(&for_api, |policy| policy.transcript = &other);
        assert_eq!(refused.unwrap_err().code(), "mdoc_device_auth");
    }
}

/// A document whose device key may sign what `authorizations` say, with `own` signed by it.
fn device_signed(
    world: &World,
    authorizations: &KeyAuthorizations,
    own: &[(&str, &str)],
) -> Result<Mdoc, MdocError> {
    let issued = world.issue_with(|input| input.key_authorizations = leak(authorizations.clone()));
    let held = world.held(&issued.unwrap());
    assert_eq!(held.key_authorizations(), authorizations);
    let presentation = held.present(&[element("family_name")]).unwrap();
    let mut elements = Elements::new();
    for (namespace, name) in own {
        assert!(elements.add(namespace, name, true.into()));
    }
    let response = ready(presentation.sign(&world.transcript(), &elements, &world.device));
    world.check(&response.unwrap())
}

#[test]
fn cat_149_the_device_signs_what_it_may() {
    let world = World::new();
    let code = |authorizations: &KeyAuthorizations, own: &[(&str, &str)]| {
        device_signed(&world, authorizations, own)
            .expect_err("must be refused")
            .code()
    };
    let nothing = KeyAuthorizations::default();
    assert_eq!(code(&nothing, &[("n", "a")]), "mdoc_not_authorized");
    let one = KeyAuthorizations {
        namespaces: vec!["whole".into()],
        elements: vec![
            ElementPath::new("m", "b"),
            ElementPath::new("n", "a"),
            ElementPath::new("n", "c"),
        ],
    };
    let mdoc = device_signed(&world, &one, &[("n", "a"), ("n", "c"), ("whole", "x")]).unwrap();
    assert_eq!(mdoc.device_elements.paths().len(), 3);
    assert!(mdoc.elements.get("n", "a").is_none());
    for own in [("n", "b"), ("m", "a"), ("other", "a")] {
        assert_eq!(code(&one, &[("n", "a"), own]), "mdoc_not_authorized");
    }
    // What the issuer states is not restated.
    let all = KeyAuthorizations {
        namespaces: vec![MDL_NAMESPACE.into()],
        elements: vec![],
    };
    let restated = [(MDL_NAMESPACE, "family_name")];
    assert_eq!(code(&all, &restated), "mdoc_element_type");
    let age = device_signed(&world, &all, &[(MDL_NAMESPACE, "age_over_21")]).unwrap();
    assert_eq!(age_over(&age.elements, MDL_NAMESPACE, 21), None);
}

#[test]
fn cat_149_authorizations_are_well_formed() {
    let world = World::new();
    let refused = |value: Value| {
        let forged = world.forge(&world.issued(), |mso| {
            add(at(mso, "deviceKeyInfo"), "keyAuthorizations", value)
        });
        world.accept(&forged).expect_err("must be refused").code()
    };
    let text = |text: &str| Value::Text(text.into());
    let both = Value::Map(vec![
        (text("nameSpaces"), Value::Array(vec![text("n")])),
        (
            text("dataElements"),
            Value::Map(vec![(text("n"), Value::Array(vec![text("a")]))]),
        ),
    ]);
    for wrong in [
        both,
        Value::Null,
        Value::Map(vec![(text("nameSpaces"), text("n"))]),
        Value::Map(vec![(text("dataElements"), Value::Array(vec![]))]),
    ] {
        assert_eq!(refused(wrong), "mdoc_mso");
    }
}

#[test]
fn codes_authenticate_a_device_to_one_reader() {
    let mut world = World::new();
    let device = AgreementKey::generate(&SeededRng::new(5));
    let issued = world.issue_with(|input| input.device_key = leak(device.public_key().clone()));
    let issued = issued.unwrap();
    let policy = IssuancePolicy {
        trust: &world.trust,
        doctype: MDL,
        device_key: device.public_key(),
        now: NOW,
    };
    let held = verify_issued(&issued, &policy, &Portable)
        .unwrap()
        .into_inner();
    let presentation = held.present(&[element("family_name")]).unwrap();
    let transcript = world.transcript();
    let response = presentation
        .mac(
            &transcript,
            &none(),
            &device,
            world.reader.public_key(),
            &Portable,
        )
        .unwrap();
    assert_eq!(world.check(&response).unwrap().elements.paths().len(), 1);
    // No key of the reader, another one, another exchange, a code with a bit turned.
    let refused = world.check_with(&response, |policy| policy.reader_key = None);
    assert_eq!(refused.unwrap_err().code(), "mdoc_mac_unsupported");
    let other = SessionTranscript::openid4vp(
        CLIENT_ID,
        "other",
        Some(world.reader.public_key()),
        RESPONSE_URI,
    );
    let refused = world.check_with(&response, |policy| policy.transcript = &other);
    assert_eq!(refused.unwrap_err().code(), "mdoc_device_auth");
    let turned = changed(&response, |response| {
        let auth = at(at(document(response), "deviceSigned"), "deviceAuth");
        at(auth, "deviceMac").as_array_mut().unwrap()[3]
            .as_bytes_mut()
            .unwrap()[0] ^= 1;
    });
    assert_eq!(world.refused(&turned), "mdoc_device_auth");
    world.reader = AgreementKey::generate(&SeededRng::new(6));
    let refused = world.check_with(&response, |policy| policy.transcript = &transcript);
    assert_eq!(refused.unwrap_err().code(), "mdoc_device_auth");
}

#[test]
fn there_is_one_authentication_by_the_right_key() {
    let world = World::new();
    let response = world.response();
    let auth = |change: &dyn Fn(&mut Value)| {
        let bytes = changed(&response, |response| {
            change(at(at(document(response), "deviceSigned"), "deviceAuth"))
        });
        world.refused(&bytes)
    };
    assert_eq!(
        auth(&|auth| add(auth, "deviceMac", Value::Null)),
        "mdoc_device_auth_form"
    );
    assert_eq!(
        auth(&|auth| remove(auth, "deviceSignature")),
        "mdoc_device_auth_form"
    );
    // A signature is no code.
    assert_eq!(
        auth(&|auth| auth.as_map_mut().unwrap()[0].0 = "deviceMac".into()),
        "mdoc_device_auth"
    );
    // Elements put in after the device had signed.
    let added = changed(&response, |response| {
        let own = to_vec(&Value::Map(vec![(
            "n".into(),
            Value::Map(vec![("a".into(), 1.into())]),
        )]));
        *at(at(document(response), "deviceSigned"), "nameSpaces") =
            Value::Tag(24, Box::new(Value::Bytes(own)));
    });
    assert_eq!(world.refused(&added), "mdoc_device_auth");
    // A payload that is part of the message instead of the one that was agreed.
    let attached = changed(&response, |response| {
        let auth = at(at(document(response), "deviceSigned"), "deviceAuth");
        at(auth, "deviceSignature").as_array_mut().unwrap()[2] = Value::Bytes(vec![1]);
    });
    assert_eq!(world.refused(&attached), "mdoc_device_auth");
    // Another key of the same person.
    let held = world.held(&world.issued());
    let thief = SigningKey::generate(Algorithm::Es256, &SeededRng::new(77));
    let presentation = held.present(&[element("family_name")]).unwrap();
    let stolen = ready(presentation.sign(&world.transcript(), &none(), &thief)).unwrap();
    assert_eq!(world.refused(&stolen), "mdoc_device_auth");
}

#[test]
fn cat_151_only_whole_answers_of_this_version_count() {
    let world = World::new();
    let response = world.response();
    let refused =
        |change: &dyn Fn(&mut Value)| world.refused(&changed(&response, |value| change(value)));
    for status in [10, 11, 12, 255] {
        assert_eq!(
            refused(&|response| *at(response, "status") = status.into()),
            "mdoc_response_status"
        );
    }
    for version in ["0.9", "2.0", "1", "", "1.x", "1.+1"] {
        assert_eq!(
            refused(&|response| *at(response, "version") = version.into()),
            "mdoc_version"
        );
    }
    assert_eq!(
        refused(&|response| *at(response, "version") = 1.into()),
        "cbor_type"
    );
    assert_eq!(
        refused(&|response| remove(response, "documents")),
        "mdoc_documents"
    );
    assert_eq!(
        refused(&|response| *at(response, "documents") = Value::Array(vec![])),
        "mdoc_documents"
    );
    assert_eq!(
        refused(&|response| remove(response, "status")),
        "cbor_missing"
    );
    assert_eq!(
        refused(&|response| remove(document(response), "deviceSigned")),
        "cbor_missing"
    );
    let two = |response: &mut Value| {
        let first = document(response).clone();
        at(response, "documents")
            .as_array_mut()
            .unwrap()
            .push(first);
    };
    assert_eq!(refused(&two), "mdoc_documents");
    let many = |response: &mut Value| {
        let first = document(response).clone();
        *at(response, "documents") = Value::Array(vec![first; 17]);
    };
    assert_eq!(refused(&many), "mdoc_documents");
}

#[test]
fn cat_152_a_missing_document_is_missing() {
    let world = World::new();
    let partial = changed(&world.response(), |response| {
        let errors = Value::Map(vec![(PID.into(), 0.into())]);
        add(response, "documentErrors", Value::Array(vec![errors]));
    });
    assert_eq!(world.refused(&partial), "mdoc_document_errors");
    // Elements that were not returned are not there, and the answer says so.
    let errors = changed(&world.response(), |response| {
        let errors = Value::Map(vec![(
            MDL_NAMESPACE.into(),
            Value::Map(vec![("height".into(), 0.into())]),
        )]);
        add(document(response), "errors", errors);
    });
    let parsed = DeviceResponse::parse(&errors).unwrap();
    assert_eq!(parsed.documents[0].errors, [(MDL_NAMESPACE, "height", 0)]);
    assert!(
        world
            .check(&errors)
            .unwrap()
            .elements
            .get(MDL_NAMESPACE, "height")
            .is_none()
    );
}

#[test]
fn cat_154_a_large_response_is_not_looked_at() {
    let world = World::new();
    let mut response = world.response();
    response.resize(20 << 20, 0);
    assert_eq!(world.refused(&response), "cbor_too_large");
    let mut elements = Elements::new();
    assert!(elements.add(
        MDL_NAMESPACE,
        "portrait",
        Value::Bytes(vec![1; MAX_PORTRAIT_BYTES + 1])
    ));
    let issued = world.issue_with(|input| input.elements = leak(elements));
    assert_eq!(issued.unwrap_err().code(), "mdoc_element_type");
}

#[test]
fn cat_155_another_age_is_no_answer() {
    let world = World::new();
    let mut elements = licence();
    assert!(elements.add(MDL_NAMESPACE, "age_over_21", false.into()));
    let issued = world
        .issue_with(|input| input.elements = leak(elements))
        .unwrap();
    let held = world.held(&issued);
    let answer = |names: &[&str]| {
        let mdoc = world.check(&world.present(&held, names)).unwrap();
        age_over(&mdoc.elements, MDL_NAMESPACE, 18)
    };
    assert_eq!(answer(&["age_over_21"]), None);
    assert_eq!(answer(&["age_over_18"]), Some(true));
    assert_eq!(
        nearest_age_over(held.elements(), MDL_NAMESPACE, 17),
        Some(18)
    );
    // "true" is not true, whoever signed it.
    let text = world.issue_with(|input| {
        let mut elements = Elements::new();
        assert!(elements.add(MDL_NAMESPACE, "age_over_18", "true".into()));
        input.elements = leak(elements);
    });
    assert_eq!(text.unwrap_err().code(), "mdoc_element_type");
}

#[test]
fn what_is_kept_back_is_counted_and_not_shown() {
    let world = World::new();
    let response = world.response();
    let parsed = DeviceResponse::parse(&response).unwrap();
    let document = &parsed.documents[0].issuer_signed;
    let shown = document.elements_unverified().unwrap();
    let names = [element("age_over_18"), element("family_name")];
    assert_eq!(shown.paths(), names);
    let auth = document.issuer_auth().unwrap();
    let mso = MobileSecurityObject::parse(auth.payload_unverified().unwrap()).unwrap();
    assert_eq!(mso.digest_count().unwrap(), licence().paths().len());
}

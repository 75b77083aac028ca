use proptest::prelude::*;

use super::*;
use crate::http::Headers;

const RULE: UrlRule = UrlRule::PublicHttps;

fn parse(json: &str) -> Result<CredentialOffer, OfferError> {
    CredentialOffer::parse(json.as_bytes(), RULE, &IssuerRule::Any)
}

fn invoke(link: &str) -> Result<OfferInvocation, OfferError> {
    OfferInvocation::parse(link, RULE, &IssuerRule::Any)
}

fn offer() -> CredentialOffer {
    CredentialOffer {
        credential_issuer: CredentialIssuerId::parse("https://issuer.example.com", RULE).unwrap(),
        credential_configuration_ids: vec!["membership".into()],
        grants: Grants {
            authorization_code: Some(AuthorizationCodeGrant {
                issuer_state: Some("st".into()),
                authorization_server: None,
            }),
            pre_authorized_code: Some(PreAuthorizedCodeGrant {
                code: Secret::new("code"),
                tx_code: Some(TxCode {
                    length: Some(6),
                    description: Some("Sent by letter & more".into()),
                    ..TxCode::default()
                }),
                authorization_server: None,
            }),
        },
    }
}

#[test]
fn links_round_trip() {
    let link = offer().link_by_value();
    assert!(link.starts_with("openid-credential-offer://?credential_offer=%7B%22"));
    assert!(!link.contains('+') && !link.contains(' '));
    assert_eq!(
        invoke(&link),
        Ok(OfferInvocation::ByValue(Box::new(offer())))
    );
    let uri = Url::parse("https://issuer.example.com/offers/x?y=z").unwrap();
    let link = CredentialOffer::link_by_reference(&uri);
    assert_eq!(invoke(&link), Ok(OfferInvocation::ByReference(uri)));
}

#[test]
fn an_empty_tx_code_object_still_asks_for_a_code() {
    let got = parse(
        r#"{"credential_issuer":"https://issuer.example.com","credential_configuration_ids":["a"],"grants":
        {"urn:ietf:params:oauth:grant-type:pre-authorized_code":{"pre-authorized_code":"c","tx_code":{}}}}"#,
    )
    .unwrap();
    let grant = got.grants.pre_authorized_code.unwrap();
    assert_eq!(grant.tx_code, Some(TxCode::default()));
}

#[test]
fn cat_286_dangerous_issuers_and_references() {
    for (issuer, why) in [
        ("http://issuer.example.com", UrlRefused::Scheme),
        ("javascript:alert(1)", UrlRefused::Scheme),
        ("https://10.0.0.1", UrlRefused::PrivateHost),
        ("https://localhost:8443", UrlRefused::PrivateHost),
        ("https://metadata.internal", UrlRefused::PrivateHost),
        ("https://issuer.example.com?x=y", UrlRefused::Query),
        ("https://issuer.example.com/#x", UrlRefused::Fragment),
        ("https://a@issuer.example.com", UrlRefused::Credentials),
    ] {
        let json =
            format!(r#"{{"credential_issuer":"{issuer}","credential_configuration_ids":["a"]}}"#);
        assert_eq!(parse(&json), Err(OfferError::Issuer(why)), "{issuer}");
        if why != UrlRefused::Query {
            let link = link("credential_offer_uri", issuer);
            assert_eq!(invoke(&link), Err(OfferError::Reference(why)), "{issuer}");
        }
    }
    let listed = IssuerRule::Listed(["https://known.example.com".to_owned()].into());
    let json = r#"{"credential_issuer":"https://issuer.example.com","credential_configuration_ids":["a"]}"#;
    assert_eq!(
        CredentialOffer::parse(json.as_bytes(), RULE, &listed),
        Err(OfferError::UnknownIssuer)
    );
}

#[test]
fn cat_287_both_too_long_or_redirected() {
    let both = format!(
        "{}&credential_offer_uri=https%3A%2F%2Fa.example.com",
        offer().link_by_value()
    );
    assert_eq!(invoke(&both), Err(OfferError::OneOf));
    assert_eq!(
        invoke("openid-credential-offer://?credential_offer=%7B%7D&credential_offer_uri="),
        Err(OfferError::OneOf)
    );
    assert_eq!(
        invoke("openid-credential-offer://?x=y"),
        Err(OfferError::OneOf)
    );
    assert_eq!(invoke("openid-credential-offer://"), Err(OfferError::Link));
    let twice = format!("{}&credential_offer=%7B%7D", offer().link_by_value());
    assert_eq!(
        invoke(&twice),
        Err(OfferError::Params(ParamsError::Duplicate))
    );
    assert_eq!(
        parse(&" ".repeat(10 * 1024 * 1024)),
        Err(OfferError::TooLong)
    );
    assert_eq!(
        invoke(&format!(
            "x://?credential_offer={}",
            "a".repeat(3 * MAX_BYTES)
        )),
        Err(OfferError::TooLong)
    );

    let answer = |status, media_type: &str| {
        let response = HttpResponse {
            status,
            headers: [("content-type", media_type)].into_iter().collect(),
            body: offer().to_json().to_string().into_bytes(),
        };
        CredentialOffer::from_response(&response, RULE, &IssuerRule::Any)
    };
    assert_eq!(answer(200, "application/json; charset=utf-8"), Ok(offer()));
    for status in [301, 302, 307, 308, 204, 404, 500] {
        assert_eq!(
            answer(status, "application/json"),
            Err(OfferError::Fetch),
            "{status}"
        );
    }
    for media_type in ["application/jwt", "text/html", "application/json-seq", ""] {
        assert_eq!(
            answer(200, media_type),
            Err(OfferError::MediaType),
            "{media_type}"
        );
    }
    let two_types: Headers = [
        ("content-type", "application/json"),
        ("content-type", "text/html"),
    ]
    .into_iter()
    .collect();
    let response = HttpResponse {
        status: 200,
        headers: two_types,
        body: Vec::new(),
    };
    assert!(CredentialOffer::from_response(&response, RULE, &IssuerRule::Any).is_err());
}

#[test]
fn malformed_offers() {
    let with = |rest: &str| {
        parse(&format!(
            r#"{{"credential_issuer":"https://issuer.example.com",{rest}}}"#
        ))
    };
    let ids = r#""credential_configuration_ids":["a"]"#;
    assert!(with(&format!(r#"{ids},"unknown":[1]"#)).is_ok());
    assert_eq!(
        with(r#""credential_configuration_ids":[]"#),
        Err(OfferError::Configurations)
    );
    assert_eq!(
        with(r#""credential_configuration_ids":["a","a"]"#),
        Err(OfferError::Configurations)
    );
    assert_eq!(
        with(r#""credential_configuration_ids":[""]"#),
        Err(OfferError::Configurations)
    );
    assert_eq!(with(r#""credentials":["a"]"#), Err(OfferError::Malformed));
    assert_eq!(with(&format!(r#"{ids},{ids}"#)), Err(OfferError::Malformed));
    let pre = |grant: &str| {
        with(&format!(
            r#"{ids},"grants":{{"urn:ietf:params:oauth:grant-type:pre-authorized_code":{grant}}}"#
        ))
    };
    for bad in [
        "{}",
        "[]",
        r#"{"pre-authorized_code":""}"#,
        r#"{"pre-authorized_code":1}"#,
        r#"{"pre-authorized_code":"c","tx_code":null}"#,
        r#"{"pre-authorized_code":"c","tx_code":true}"#,
        r#"{"pre-authorized_code":"c","tx_code":{"input_mode":"emoji"}}"#,
        r#"{"pre-authorized_code":"c","tx_code":{"length":-1}}"#,
        r#"{"pre-authorized_code":"c","tx_code":{"length":1000}}"#,
    ] {
        assert_eq!(pre(bad), Err(OfferError::Malformed), "{bad}");
    }
    let long = format!(
        r#"{{"pre-authorized_code":"c","tx_code":{{"description":"{}"}}}}"#,
        "x".repeat(301)
    );
    assert_eq!(pre(&long), Err(OfferError::Malformed));
    assert_eq!(
        with(&format!(r#"{ids},"grants":{{"password":{{}}}}"#)),
        Err(OfferError::Grants)
    );
    assert!(with(&format!(r#"{ids},"grants":{{}}"#)).is_ok());
}

proptest! {
    #[test]
    fn offer_parser_never_panics(text in any::<String>()) {
        let _ = parse(&text);
        let _ = invoke(&text);
        let _ = invoke(&link("credential_offer", &text));
    }

    #[test]
    fn every_offer_survives_its_link(code in "[ -~]{1,40}", id in "\\PC{1,20}", state in proptest::option::of("\\PC{0,20}")) {
        let mut sent = offer();
        sent.credential_configuration_ids = vec![id];
        sent.grants = Grants {
            authorization_code: state.map(|s| AuthorizationCodeGrant { issuer_state: Some(s), authorization_server: None }),
            pre_authorized_code: Some(PreAuthorizedCodeGrant { code: Secret::new(code), tx_code: None, authorization_server: None }),
        };
        prop_assert_eq!(invoke(&sent.link_by_value()), Ok(OfferInvocation::ByValue(Box::new(sent))));
    }
}

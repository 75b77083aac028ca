//! What is asked: every parameter.

use super::setup::*;

#[tokio::test]
async fn a_request_of_ours_is_accepted() {
    let setup = Setup::new();
    let name = LocalizedText {
        default: "Wine shop".to_owned(),
        translations: [("de".to_owned(), "Weinladen".to_owned())].into(),
    };
    let purpose = LocalizedText {
        default: "To sell wine".to_owned(),
        translations: [].into(),
    };
    let query = DcqlQuery::parse(&query()).unwrap();
    let (nonce, state) = (
        Nonce::fresh(&SeededRng::new(1)),
        State::fresh(&SeededRng::new(2)),
    );
    let new = NewRequest {
        response_uri: &Url::parse("https://verifier.example/vp/response/1").unwrap(),
        nonce: &nonce,
        state: &state,
        query: &query,
        transaction_data: &[],
        encryption_key: setup.encryption.public_key(),
        client_name: Some(&name),
        purpose: Some(&purpose),
        issued_at: NOW,
        lifetime_s: 120,
        wallet_nonce: Some("w-1"),
    };
    let compact = sign_request(&new, &setup.identity(), &setup.verifier.key)
        .await
        .unwrap();
    let client_id = setup.client_id.as_str();
    let read = verify_request(&compact, client_id, Some("w-1"), &setup.policy()).unwrap();
    assert_eq!(read.client_id(), &setup.client_id);
    assert_eq!(read.response_uri(), new.response_uri);
    assert_eq!((read.nonce(), read.state()), (&nonce, Some(&state)));
    assert_eq!(read.query(), &query);
    assert_eq!(read.certificate().unwrap().subject(), "CN=Shop");
    assert_eq!(
        read.metadata().encryption.as_ref().unwrap().key,
        *setup.encryption.public_key()
    );
    assert_eq!(
        read.metadata().encryption.as_ref().unwrap().kid,
        key_id(setup.encryption.public_key())
    );
    assert_eq!(
        read.metadata().encryption.as_ref().unwrap().enc,
        ContentEncryption::A256Gcm
    );
    assert_eq!(read.client_name(), Some(&name));
    assert_eq!(read.purpose(), Some(&purpose));
    assert_eq!(read.expires_at(), Some(NOW.plus(120)));
}

#[tokio::test]
async fn unknown_parameters_and_iss_are_ignored() {
    let setup = Setup::new();
    let mut claims = setup.claims.clone();
    claims["iss"] = json!("https://somebody.example");
    claims["verifier_info"] = json!([{"format": "jwt", "data": "eyJ"}]);
    claims["future"] = json!({});
    assert!(setup.verify(&claims).await.is_ok());
}

/// OpenID4VP 1.0, section 5.1: other formats are ignored, and so is what stands where wallets are to
/// ignore it.
#[tokio::test]
async fn what_a_verifier_says_of_itself_stands_in_one_place() {
    let setup = Setup::new();
    let ours = |data: Value| json!({"format": "urn:vouchsafe:verifier-info:1", "data": data});
    let other = json!({"format": "registration_cert", "data": "eyJ"});
    let mut claims = setup.claims.clone();
    claims["purpose"] = json!("elsewhere");
    claims["client_metadata"]["client_name"] = json!("elsewhere");
    for odd in [
        json!("text"),
        json!([]),
        json!([7, null, [], other]),
        json!([ours(json!("text"))]),
        json!([ours(json!({"purpose": 7, "client_name": "\u{0}"}))]),
        json!(vec![other.clone(); 20]),
    ] {
        claims["verifier_info"] = odd;
        let read = setup.verify(&claims).await.unwrap();
        assert_eq!((read.client_name(), read.purpose()), (None, None));
    }
    let data = json!({"purpose": "To sell wine", "purpose#de": "Wein"});
    claims["verifier_info"] = json!([other, ours(data)]);
    let read = setup.verify(&claims).await.unwrap();
    assert_eq!(read.purpose().unwrap().for_locale("de-AT"), "Wein");
    assert_eq!(read.client_name(), None);
}

#[tokio::test]
async fn cat_331_query_scope_and_redirect_uri() {
    let setup = Setup::new();
    let invalid = ErrorCode::InvalidRequest;
    assert_eq!(
        setup.code("scope", json!("age")).await,
        ("query_and_scope", invalid)
    );
    assert_eq!(
        setup.code("dcql_query", Value::Null).await,
        ("query_missing", invalid)
    );
    assert_eq!(
        setup
            .code("redirect_uri", json!("https://verifier.example/cb"))
            .await,
        ("redirect_uri_with_direct_post", invalid)
    );
    assert_eq!(
        setup.code("dcql_query", json!({"credentials": []})).await,
        ("query_invalid", invalid)
    );
    let mut claims = setup.claims.clone();
    claims.as_object_mut().unwrap().remove("dcql_query");
    claims["scope"] = json!("age");
    let refusal = setup.verify(&claims).await.unwrap_err();
    assert_eq!(refusal.error.error_code(), ErrorCode::InvalidScope);
}

#[tokio::test]
async fn cat_334_transaction_data_is_refused() {
    let setup = Setup::new();
    let refusal = setup
        .refused("transaction_data", json!(["eyJ0eXBlIjoieCJ9"]))
        .await;
    assert_eq!(
        refusal.error.error_code().as_str(),
        "invalid_transaction_data"
    );
    let reply_to = refusal.reply_to.expect("the verifier is known");
    assert_eq!(
        reply_to.response_uri.as_str(),
        "https://verifier.example/vp/response/1"
    );
    assert_eq!(reply_to.state.unwrap().as_str(), "s-1");
}

#[tokio::test]
async fn cat_337_the_wallet_nonce_must_come_back() {
    let setup = Setup::new();
    let mut claims = setup.claims.clone();
    for value in [None, Some("other"), Some("W-1")] {
        if let Some(value) = value {
            claims["wallet_nonce"] = json!(value);
        }
        let compact = setup.sign(&claims).await;
        let refusal = verify_request(
            &compact,
            setup.client_id.as_str(),
            Some("w-1"),
            &setup.policy(),
        );
        assert_eq!(refusal.unwrap_err().error.code(), "wallet_nonce_mismatch");
    }
}

#[tokio::test]
async fn cat_350_answers_through_the_front_channel_are_refused() {
    let setup = Setup::new();
    for mode in [
        "fragment",
        "query",
        "form_post",
        "direct_post",
        "dc_api",
        "dc_api.jwt",
        "",
    ] {
        let (code, told) = setup.code("response_mode", json!(mode)).await;
        assert_eq!(code, "response_mode_unsupported", "{mode}");
        assert_eq!(told, ErrorCode::InvalidRequest);
    }
    // Section 5: without `response_mode` it would be `fragment`.
    let (code, _) = setup.code("response_mode", Value::Null).await;
    assert_eq!(code, "response_mode_unsupported");
}

#[tokio::test]
async fn cat_338_audience_and_times() {
    let setup = Setup::new();
    for audience in [
        Value::Null,
        json!("https://other.example"),
        json!([AUDIENCE, "x"]),
        json!(7),
    ] {
        assert_eq!(
            setup.code("aud", audience).await.0,
            "request_wrong_audience"
        );
    }
    // Who wrote the request learns what belongs there.
    let said = RequestError::Audience.to_string();
    assert!(said.contains("https://self-issued.me/v2"), "{said}");
    let skew = CLOCK_SKEW_S;
    assert_eq!(
        setup.code("exp", json!(NOW.plus(-skew).seconds())).await.0,
        "request_expired"
    );
    assert_eq!(
        setup.code("exp", json!("tomorrow")).await.0,
        "request_parameter"
    );
    for name in ["iat", "nbf"] {
        let late = json!(NOW.plus(skew + 1).seconds());
        assert_eq!(setup.code(name, late).await.0, "request_not_yet_valid");
    }
    let mut claims = setup.claims.clone();
    claims["exp"] = json!(NOW.plus(1 - skew).seconds());
    assert!(
        setup.verify(&claims).await.is_ok(),
        "within the tolerated difference"
    );
}

#[tokio::test]
async fn parameters_that_the_profile_fixes() {
    let setup = Setup::new();
    for (name, value, code) in [
        ("response_type", json!("code"), "response_type_unsupported"),
        (
            "response_type",
            json!("vp_token id_token"),
            "response_type_unsupported",
        ),
        ("response_type", Value::Null, "request_parameter"),
        (
            "response_mode",
            json!("direct_post"),
            "response_mode_unsupported",
        ),
        (
            "response_mode",
            json!("fragment"),
            "response_mode_unsupported",
        ),
        ("response_mode", Value::Null, "response_mode_unsupported"),
        ("response_uri", Value::Null, "response_uri_unacceptable"),
        (
            "response_uri",
            json!("http://verifier.example/r"),
            "response_uri_unacceptable",
        ),
        (
            "response_uri",
            json!("https://verifier.example/#r"),
            "response_uri_unacceptable",
        ),
        ("nonce", Value::Null, "request_parameter"),
        ("nonce", json!("with space"), "request_parameter"),
        ("nonce", json!(""), "request_parameter"),
        ("state", json!("a/b"), "request_parameter"),
        ("state", json!(1), "request_parameter"),
    ] {
        assert_eq!(setup.code(name, value).await.0, code, "{name}");
    }
}

#[tokio::test]
async fn cat_095_client_metadata_must_allow_an_encrypted_answer() {
    let setup = Setup::new();
    let with = async |change: fn(&mut Value)| {
        let mut metadata = setup.claims["client_metadata"].clone();
        change(&mut metadata);
        setup.refused("client_metadata", metadata).await.error
    };
    let metadata_error = |error: RequestError| match error {
        RequestError::Metadata(error) => error,
        other => panic!("{other:?}"),
    };
    type Change = fn(&mut Value);
    let cases: [(Change, MetadataError); 10] = [
        (|m| m["jwks"] = json!({"keys": []}), MetadataError::NoKey),
        (|m| m["jwks"] = json!({}), MetadataError::Keys),
        (
            |m| m["jwks"]["keys"][0]["use"] = json!("sig"),
            MetadataError::NoKey,
        ),
        (
            |m| m["jwks"]["keys"][0]["alg"] = json!("ECDH-ES+A256KW"),
            MetadataError::NoKey,
        ),
        (
            |m| m["jwks"]["keys"][0]["d"] = json!("AAAA"),
            MetadataError::Keys,
        ),
        (
            // Beside a good key.
            |m| {
                let keys = m["jwks"]["keys"].as_array_mut().unwrap();
                keys.push(json!({"kty": "oct", "kid": "other", "k": "AAAA"}));
            },
            MetadataError::Keys,
        ),
        (
            |m| m["jwks"]["keys"][0]["kid"] = json!(""),
            MetadataError::Keys,
        ),
        (
            |m| {
                let key = m["jwks"]["keys"][0].clone();
                m["jwks"]["keys"].as_array_mut().unwrap().push(key);
            },
            MetadataError::Keys,
        ),
        (
            |m| m["encrypted_response_enc_values_supported"] = json!(["A128CBC-HS256"]),
            MetadataError::NoEncryption,
        ),
        (
            |m| m["vp_formats_supported"] = json!([]),
            MetadataError::Malformed,
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(metadata_error(with(change).await), expected);
    }
    let other = with(|m| m["vp_formats_supported"] = json!({"mso_mdoc": {}})).await;
    assert_eq!(other.error_code(), ErrorCode::VpFormatsNotSupported);
    let missing = setup.refused("client_metadata", Value::Null).await.error;
    assert_eq!(metadata_error(missing), MetadataError::Malformed);
}

#[tokio::test]
async fn the_default_encryption_is_a128gcm() {
    let setup = Setup::new();
    let mut claims = setup.claims.clone();
    let metadata = claims["client_metadata"].as_object_mut().unwrap();
    metadata.remove("encrypted_response_enc_values_supported");
    let request = setup.verify(&claims).await.unwrap();
    assert_eq!(
        request.metadata().encryption.as_ref().unwrap().enc,
        ContentEncryption::A128Gcm
    );
}

/// The example of the specification, where `VOUCHSAFE_VECTORS` names its folder; it lacks only the keys.
#[test]
fn vectors_client_metadata() {
    let Ok(folder) = std::env::var("VOUCHSAFE_VECTORS") else {
        println!("skipped: vectors, 1 file");
        return;
    };
    let path = std::path::Path::new(&folder)
        .join("openid4vp/client_metadata/sd_jwt_vc_verifier_metadata.json");
    let mut metadata: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut jwk = AgreementKey::generate(&SeededRng::new(3))
        .public_key()
        .to_jwk();
    jwk["kid"] = json!("k");
    jwk["alg"] = json!("ECDH-ES");
    metadata["jwks"] = json!({"keys": [jwk]});
    let read = crate::vp::metadata::ClientMetadata::parse(Some(&metadata), true).unwrap();
    assert!(read.reads_sd_jwt_vc);
    assert_eq!(read.key_binding_algorithms.unwrap(), ["ES256", "ES384"]);
}

/// Nothing that stands in `verifier_info` makes the verifier another one: who asks is whom the
/// certificate names.
#[tokio::test]
async fn cat_347_attestations_of_the_verifier_are_never_shown_as_verified() {
    let setup = Setup::new();
    let plain = setup.verify(&setup.claims).await.unwrap();
    let unsigned = format!(
        "{}.{}.",
        b64url(br#"{"alg":"none"}"#),
        b64url(br#"{"sub":"x509_hash:other","client_name":"Big Bank","purpose":"Trust me"}"#)
    );
    let of_another = setup
        .sign(&json!({"sub": "x509_hash:other", "client_name": "Big Bank", "purpose": "Trust me"}))
        .await;
    for format in ["jwt", "registration_cert", "urn:vouchsafe:verifier-info:1"] {
        for data in [&unsigned, &of_another] {
            let mut claims = setup.claims.clone();
            claims["verifier_info"] = json!([
                {"format": format, "data": data},
                {"format": format, "data": data, "credential_ids": ["age"]},
            ]);
            let read = setup.verify(&claims).await.unwrap();
            assert_eq!((read.client_name(), read.purpose()), (None, None));
            assert_eq!(read.client_id(), plain.client_id());
            assert_eq!(read.certificate().unwrap().subject(), "CN=Shop");
        }
    }
}

#[tokio::test]
async fn cat_350_no_answer_goes_into_a_fragment() {
    let setup = Setup::new();
    for mode in [
        "fragment",
        "fragment.jwt",
        "query",
        "form_post",
        "direct_post",
    ] {
        let refusal = setup.refused("response_mode", json!(mode)).await;
        assert_eq!(refusal.error.code(), "response_mode_unsupported", "{mode}");
        assert_eq!(refusal.error.error_code(), ErrorCode::InvalidRequest);
    }
    // Without a mode it would be `fragment` (OAuth 2.0 Multiple Response Types, section 5).
    let refusal = setup.refused("response_mode", Value::Null).await;
    assert_eq!(refusal.error.code(), "response_mode_unsupported");
}

//! Who asks: type, signature, certificate, client identifier.

use super::setup::*;

#[tokio::test]
async fn cat_322_the_type_must_be_that_of_a_request_object() {
    let setup = Setup::new();
    for header in [
        Header::new(TokenType::KeyBinding),
        Header::new(TokenType::IdToken),
    ] {
        let header = header.with_x5c(&setup.verifier.chain);
        let compact = jws::sign(&header, &setup.claims, &setup.verifier.key)
            .await
            .unwrap();
        let refusal = verify_request(&compact, setup.client_id.as_str(), None, &setup.policy());
        assert_eq!(refusal.unwrap_err().error.code(), "request_wrong_typ");
    }
}

#[tokio::test]
async fn cat_322_the_type_must_be_there() {
    let setup = Setup::new();
    let header = json!({"alg": "ES256", "x5c": setup.verifier.chain.to_x5c()});
    let input = format!(
        "{}.{}",
        b64url(header.to_string().as_bytes()),
        b64url(setup.claims.to_string().as_bytes())
    );
    let signature = setup.verifier.key.sign(input.as_bytes()).await.unwrap();
    let compact = format!("{input}.{}", b64url(&signature));
    let refusal = verify_request(&compact, setup.client_id.as_str(), None, &setup.policy());
    assert_eq!(refusal.unwrap_err().error.code(), "request_wrong_typ");
}

#[tokio::test]
async fn cat_323_unsigned_requests_are_refused() {
    let setup = Setup::new();
    let x5c = setup.verifier.chain.to_x5c();
    let header = json!({"alg": "none", "typ": "oauth-authz-req+jwt", "x5c": x5c});
    let compact = format!(
        "{}.{}.",
        b64url(header.to_string().as_bytes()),
        b64url(setup.claims.to_string().as_bytes())
    );
    let refusal = verify_request(&compact, setup.client_id.as_str(), None, &setup.policy());
    let refusal = refusal.unwrap_err();
    assert!(
        refusal.reply_to.is_none(),
        "nothing is sent to somebody unknown"
    );
    assert_eq!(refusal.error.code(), "request_alg_not_allowed");
    assert_eq!(refusal.error.error_code(), ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn cat_323_a_signed_request_under_redirect_uri() {
    let setup = Setup::new();
    let mut claims = setup.claims.clone();
    let client_id = "redirect_uri:https://verifier.example/vp/response/1";
    claims["client_id"] = json!(client_id);
    let compact = setup.sign(&claims).await;
    let refusal = verify_request(&compact, client_id, None, &setup.policy()).unwrap_err();
    assert_eq!(refusal.error.code(), "client_id_redirect_uri");
    assert_eq!(refusal.error.error_code(), ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn cat_325_prefixes() {
    let setup = Setup::new();
    for (client_id, code) in [
        ("origin:https://verifier.example", "client_id_origin"),
        ("https://verifier.example", "client_id_prefix"),
        ("verifier", "client_id_unregistered"),
    ] {
        let mut claims = setup.claims.clone();
        claims["client_id"] = json!(client_id);
        let compact = setup.sign(&claims).await;
        let refusal = verify_request(&compact, client_id, None, &setup.policy()).unwrap_err();
        assert_eq!(refusal.error.code(), code);
    }
}

#[tokio::test]
async fn cat_326_the_client_must_own_the_leaf() {
    let setup = Setup::new();
    let other = Authority::new("Other CA").leaf("Other", "other.example");
    let client_id = ClientId::x509_hash(&other.chain);
    let mut claims = setup.claims.clone();
    claims["client_id"] = json!(client_id.as_str());
    let compact = setup.sign(&claims).await;
    let refusal = verify_request(&compact, client_id.as_str(), None, &setup.policy());
    assert!(matches!(
        refusal.unwrap_err().error,
        RequestError::ClientId(ClientIdError::Malformed)
    ));
}

#[tokio::test]
async fn cat_326_x509_san_dns_needs_the_name_and_the_host() {
    let setup = Setup::new();
    let attempt = async |client_id: &str, response_uri: &str| {
        let mut claims = setup.claims.clone();
        claims["client_id"] = json!(client_id);
        claims["response_uri"] = json!(response_uri);
        let compact = setup.sign(&claims).await;
        verify_request(&compact, client_id, None, &setup.policy())
    };
    let (name, uri) = (
        "x509_san_dns:verifier.example",
        "https://verifier.example/r",
    );
    assert!(attempt(name, uri).await.is_ok());
    assert!(attempt(name, "https://elsewhere.example/r").await.is_err());
    assert!(
        attempt("x509_san_dns:example", "https://example/r")
            .await
            .is_err()
    );
    assert!(attempt("x509_san_dns:*.example", uri).await.is_err());
}

#[tokio::test]
async fn cat_329_keys_of_the_metadata_never_verify_the_signature() {
    let setup = Setup::new();
    let other = Authority::new("Other CA").leaf("Other", "other.example");
    let mut claims = setup.claims.clone();
    let mut jwk = other.key.public_key().to_jwk();
    jwk["kid"] = json!("sig");
    jwk["use"] = json!("sig");
    claims["client_metadata"]["jwks"]["keys"]
        .as_array_mut()
        .unwrap()
        .push(jwk);
    let compact = jws::sign(&setup.header(), &claims, &other.key)
        .await
        .unwrap();
    let refusal = verify_request(&compact, setup.client_id.as_str(), None, &setup.policy());
    assert!(matches!(
        refusal.unwrap_err().error,
        RequestError::Jws(JwsError::Signature)
    ));
}

#[tokio::test]
async fn untrusted_and_missing_certificates() {
    let setup = Setup::new();
    let other = Authority::new("Other CA").leaf("Shop", "verifier.example");
    let mut claims = setup.claims.clone();
    let client_id = ClientId::x509_hash(&other.chain);
    claims["client_id"] = json!(client_id.as_str());
    let header = Header::new(TokenType::RequestObject).with_x5c(&other.chain);
    let compact = jws::sign(&header, &claims, &other.key).await.unwrap();
    let refusal = verify_request(&compact, client_id.as_str(), None, &setup.policy());
    let error = refusal.unwrap_err().error;
    assert!(
        matches!(error, RequestError::Certificate(X509Error::Untrusted)),
        "{error:?}"
    );
    assert_eq!(error.error_code(), ErrorCode::InvalidClient);

    let bare = Header::new(TokenType::RequestObject);
    let compact = jws::sign(&bare, &setup.claims, &setup.verifier.key)
        .await
        .unwrap();
    let refusal = verify_request(&compact, setup.client_id.as_str(), None, &setup.policy());
    assert!(matches!(
        refusal.unwrap_err().error,
        RequestError::NoCertificate
    ));
}

#[tokio::test]
async fn a_tampered_request_is_refused() {
    let setup = Setup::new();
    let compact = setup.sign(&setup.claims).await;
    let mut parts: Vec<&str> = compact.split('.').collect();
    let mut claims = setup.claims.clone();
    claims["response_uri"] = json!("https://attacker.example/");
    let payload = b64url(claims.to_string().as_bytes());
    parts[1] = &payload;
    let refusal = verify_request(
        &parts.join("."),
        setup.client_id.as_str(),
        None,
        &setup.policy(),
    );
    assert_eq!(
        refusal.unwrap_err().error.code(),
        "request_signature_invalid"
    );
}

#[tokio::test]
async fn client_id_of_the_link_must_be_that_of_the_request() {
    let setup = Setup::new();
    let refusal = setup.refused("client_id", json!("x509_hash:other")).await;
    assert!(matches!(refusal.error, RequestError::ClientIdDiffers));
    let refusal = setup.refused("client_id", Value::Null).await;
    assert!(matches!(refusal.error, RequestError::ClientIdDiffers));
    // The hash alone, without its prefix, is another identifier.
    let bare = setup.client_id.as_str().trim_start_matches("x509_hash:");
    let refusal = setup.refused("client_id", json!(bare)).await;
    assert!(matches!(refusal.error, RequestError::ClientIdDiffers));
}

use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::crypto::{AgreementKey, Portable, Signer as _};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::jwe::ContentEncryption;
use vouchsafe_credentials::jws::{self, Header, JwsError, TokenType};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::x509::{Role, TrustAnchors, X509Error};

use super::*;
use crate::vp::client_id::{ClientId, ClientIdError};
use crate::vp::dcql::DcqlQuery;
use crate::vp::metadata::{MetadataError, key_id};
use crate::vp::response::ErrorCode;
use crate::vp::testing::{Authority, NOW, Party};
use crate::vp::values::{LocalizedText, Nonce, State, UrlPolicy};

struct Setup {
    anchors: TrustAnchors,
    verifier: Party,
    client_id: ClientId,
    encryption: AgreementKey,
    claims: Value,
}

impl Setup {
    fn new() -> Self {
        let authority = Authority::new("Access CA");
        let verifier = authority.leaf("Shop", "verifier.example");
        let client_id = ClientId::x509_hash(&verifier.chain);
        let encryption = AgreementKey::generate(&SeededRng::new(7));
        let mut jwk = encryption.public_key().to_jwk();
        jwk["kid"] = json!("k");
        jwk["alg"] = json!("ECDH-ES");
        let claims = json!({
            "aud": AUDIENCE,
            "client_id": client_id.as_str(),
            "response_type": "vp_token",
            "response_mode": "direct_post.jwt",
            "response_uri": "https://verifier.example/vp/response/1",
            "nonce": "n-0S6_WzA2Mj",
            "state": "s-1",
            "dcql_query": query(),
            "client_metadata": {
                "jwks": {"keys": [jwk]},
                "encrypted_response_enc_values_supported": ["A128GCM", "A256GCM"],
                "vp_formats_supported": {"dc+sd-jwt": {"kb-jwt_alg_values": ["ES256"]}}
            },
            "iat": NOW.seconds(),
            "exp": NOW.plus(120).seconds()
        });
        Setup {
            anchors: authority.anchors(Role::VerifierAccess),
            verifier,
            client_id,
            encryption,
            claims,
        }
    }

    fn policy(&self) -> WalletPolicy<'_> {
        WalletPolicy {
            anchors: &self.anchors,
            crypto: &Portable,
            now: NOW,
            urls: UrlPolicy::default(),
        }
    }

    fn header(&self) -> Header {
        Header::new(TokenType::RequestObject).with_x5c(&self.verifier.chain)
    }

    async fn sign(&self, claims: &Value) -> String {
        jws::sign(&self.header(), claims, &self.verifier.key)
            .await
            .unwrap()
    }

    async fn verify(&self, claims: &Value) -> Result<PresentationRequest, Refusal> {
        let compact = self.sign(claims).await;
        verify_request(&compact, self.client_id.as_str(), None, &self.policy())
    }

    /// The refusal of a request whose claim `name` is `value` (`null`: left out).
    async fn refused(&self, name: &str, value: Value) -> Refusal {
        let mut claims = self.claims.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        self.verify(&claims).await.expect_err(name)
    }

    async fn code(&self, name: &str, value: Value) -> (&'static str, ErrorCode) {
        let refusal = self.refused(name, value).await;
        (refusal.error.code(), refusal.error.error_code())
    }
}

fn query() -> Value {
    json!({"credentials": [{
        "id": "age", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:vouchsafe:age:1"]},
        "claims": [{"path": ["age_equal_or_over", "18"], "values": [true]}]
    }]})
}

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
        encryption_key: setup.encryption.public_key(),
        client_name: Some(&name),
        purpose: Some(&purpose),
        issued_at: NOW,
        lifetime_s: 120,
        wallet_nonce: Some("w-1"),
    };
    let compact = sign_request(&new, &setup.verifier.chain, &setup.verifier.key)
        .await
        .unwrap();
    let client_id = setup.client_id.as_str();
    let read = verify_request(&compact, client_id, Some("w-1"), &setup.policy()).unwrap();
    assert_eq!(read.client_id(), &setup.client_id);
    assert_eq!(read.response_uri(), new.response_uri);
    assert_eq!((read.nonce(), read.state()), (&nonce, Some(&state)));
    assert_eq!(read.query(), &query);
    assert_eq!(read.certificate().subject(), "CN=Shop");
    assert_eq!(read.metadata().key, *setup.encryption.public_key());
    assert_eq!(read.metadata().kid, key_id(setup.encryption.public_key()));
    assert_eq!(read.metadata().enc, ContentEncryption::A256Gcm);
    assert_eq!(
        read.metadata()
            .client_name
            .as_ref()
            .unwrap()
            .for_locale("de-AT"),
        "Weinladen"
    );
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
async fn client_metadata_must_allow_an_encrypted_answer() {
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
    let cases: [(Change, MetadataError); 9] = [
        (|m| m["jwks"] = json!({"keys": []}), MetadataError::NoKey),
        (|m| m["jwks"] = json!({}), MetadataError::NoKey),
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
            MetadataError::NoKey,
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
    assert_eq!(request.metadata().enc, ContentEncryption::A128Gcm);
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
    let read = crate::vp::metadata::ClientMetadata::parse(Some(&metadata)).unwrap();
    assert!(read.reads_sd_jwt_vc);
    assert_eq!(read.key_binding_algorithms.unwrap(), ["ES256", "ES384"]);
}

proptest! {
    #[test]
    fn the_parser_never_panics(text in "[A-Za-z0-9_.-]{0,200}") {
        let anchors = TrustAnchors::new(Role::VerifierAccess);
        let policy = WalletPolicy {
            anchors: &anchors, crypto: &Portable, now: NOW, urls: UrlPolicy::default(),
        };
        let hash = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
        prop_assert!(verify_request(&text, hash, None, &policy).is_err());
    }

    /// Whatever a trusted verifier signs, reading it gives a request or a refusal.
    #[test]
    fn signed_requests_with_any_member_never_panic(
        member in prop::sample::select(vec![
            "aud", "client_id", "response_uri", "nonce", "state", "dcql_query", "client_metadata",
            "exp", "iat", "purpose",
        ]),
        text in "\\PC{0,20}",
        number in any::<i64>(),
        kind in 0..4u8,
    ) {
        let setup = Setup::new();
        let mut claims = setup.claims.clone();
        claims[member] = match kind {
            0 => json!(text),
            1 => json!(number),
            2 => json!([text, number]),
            _ => json!({"keys": text, "jwks": {"keys": [text]}, "credentials": [{"id": text}]}),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = runtime.block_on(setup.verify(&claims));
        if let Err(refusal) = read {
            prop_assert!(!refusal.error.code().is_empty());
        }
    }
}

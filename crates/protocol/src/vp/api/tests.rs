//! Requests over the API as they are made and read, and answers as they are read.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{AgreementKey, Portable};
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::jws::{self, Header, TokenType};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::x509::{Role, TrustAnchors};

use super::*;
use crate::http::UrlRule;
use crate::vp::client_id::ClientId;
use crate::vp::dcql::DcqlQuery;
use crate::vp::request::{ApiRequest, Identity, RequestError, WalletPolicy, verify_api_request};
use crate::vp::response::ErrorCode;
use crate::vp::testing::{Authority, NOW, Party};
use crate::vp::values::{LocalizedText, Nonce};

const HERE: &str = "https://verifier.example";
const SIGNED: &str = "openid4vp-v1-signed";
const UNSIGNED: &str = "openid4vp-v1-unsigned";

fn origin(text: &str) -> Origin {
    Origin::parse(text, UrlRule::PublicHttps).unwrap()
}

struct Setup {
    anchors: TrustAnchors,
    verifier: Party,
    key: AgreementKey,
    nonce: Nonce,
    query: DcqlQuery,
    name: LocalizedText,
}

impl Setup {
    fn new() -> Self {
        let authority = Authority::new("Access CA");
        let query = json!({"credentials": [{
            "id": "age", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:vouchsafe:age:1"]},
            "claims": [{"path": ["age_equal_or_over", "18"], "values": [true]}]
        }]});
        Setup {
            anchors: authority.anchors(Role::VerifierAccess),
            verifier: authority.leaf("Shop", "verifier.example"),
            key: AgreementKey::generate(&SeededRng::new(7)),
            nonce: Nonce::fresh(&SeededRng::new(1)),
            query: DcqlQuery::parse(&query).unwrap(),
            name: LocalizedText {
                default: "Wine shop".to_owned(),
                ..LocalizedText::default()
            },
        }
    }

    fn new_request(&self) -> NewApiRequest<'_> {
        NewApiRequest {
            nonce: &self.nonce,
            query: &self.query,
            transaction_data: &[],
            encryption_key: Some(self.key.public_key()),
            client_name: Some(&self.name),
            purpose: None,
        }
    }

    async fn signed(&self) -> ApiOffer {
        let origins = [origin("https://www.verifier.example"), origin(HERE)];
        let (identity, key) = (
            Identity::x509_hash(&self.verifier.chain),
            &self.verifier.key,
        );
        let times = (NOW, NOW.plus(120));
        signed(&self.new_request(), &origins, times, &identity, key)
            .await
            .unwrap()
    }

    /// The claims of a good signed request.
    async fn claims(&self) -> Value {
        let offer = self.signed().await;
        let object = offer.data["request"].as_str().unwrap();
        let payload = b64url_decode(object.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    }

    fn read(&self, protocol: &str, data: &Value, from: &str) -> Result<ApiRequest, RequestError> {
        let policy = WalletPolicy {
            anchors: &self.anchors,
            crypto: &Portable,
            now: NOW,
            urls: UrlRule::PublicHttps,
        };
        verify_api_request(protocol, data, &origin(from), &policy)
    }

    /// Signs claims as they are and reads them.
    async fn read_claims(&self, claims: &Value) -> Result<ApiRequest, RequestError> {
        let header = Header::new(TokenType::RequestObject).with_x5c(&self.verifier.chain);
        let object = jws::sign(&header, claims, &self.verifier.key).await;
        self.read(SIGNED, &json!({"request": object.unwrap()}), HERE)
    }

    /// The code for a signed request whose claim `name` is `value` (`null`: left out).
    async fn code(&self, name: &str, value: Value) -> &'static str {
        let mut claims = self.claims().await;
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        let error = self.read_claims(&claims).await.expect_err(name);
        error.code()
    }
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_signed_request_has_what_the_clause_wants_and_no_address() {
    let setup = Setup::new();
    let offer = setup.signed().await;
    assert_eq!(names(&offer.to_json()), ["data", "protocol"]);
    assert_eq!(offer.to_json()["protocol"], SIGNED);
    assert_eq!(names(&offer.data), ["request"]);
    let claims = setup.claims().await;
    let expected = [
        "aud",
        "client_id",
        "client_metadata",
        "dcql_query",
        "exp",
        "expected_origins",
        "iat",
        "nonce",
        "response_mode",
        "response_type",
        "verifier_info",
    ];
    assert_eq!(names(&claims), expected);
    let client_id = ClientId::x509_hash(&setup.verifier.chain);
    assert_eq!(claims["client_id"], client_id.as_str());
    assert_eq!(claims["response_mode"], "dc_api.jwt");
    let origins = json!(["https://www.verifier.example", HERE]);
    assert_eq!(claims["expected_origins"], origins);
    let read = setup.read(SIGNED, &offer.data, HERE).unwrap();
    assert_eq!(read.certificate().unwrap().subject(), "CN=Shop");
    assert_eq!((read.nonce(), read.query()), (&setup.nonce, &setup.query));
    assert_eq!(
        read.metadata().encryption.as_ref().unwrap().key,
        *setup.key.public_key()
    );
    assert_eq!(read.client_name(), Some(&setup.name));
    assert_eq!(read.expires_at(), Some(NOW.plus(120)));
    assert_eq!(read.origin().audience(), "origin:https://verifier.example");
}

#[tokio::test]
async fn an_unsigned_request_has_nothing_that_the_clause_forbids() {
    let setup = Setup::new();
    let offer = unsigned(&setup.new_request());
    assert_eq!(offer.to_json()["protocol"], UNSIGNED);
    let expected = [
        "client_metadata",
        "dcql_query",
        "nonce",
        "response_mode",
        "response_type",
        "verifier_info",
    ];
    assert_eq!(names(&offer.data), expected);
    let read = setup.read(UNSIGNED, &offer.data, HERE).unwrap();
    assert!(read.certificate().is_none());
    let open = NewApiRequest {
        encryption_key: None,
        ..setup.new_request()
    };
    let open = unsigned(&open);
    assert_eq!(open.data["response_mode"], "dc_api");
    assert!(open.data["client_metadata"].get("jwks").is_none());
    // HAIP 1.0, section 5.2: a wallet of ours answers only under encryption.
    let error = setup.read(UNSIGNED, &open.data, HERE).unwrap_err();
    assert_eq!(error.code(), "response_mode_unsupported");
}

#[tokio::test]
async fn cat_338_a_signed_request_counts_at_its_origins_alone() {
    let setup = Setup::new();
    let offer = setup.signed().await;
    for here in [HERE, "https://www.verifier.example"] {
        assert!(setup.read(SIGNED, &offer.data, here).is_ok(), "{here}");
    }
    for elsewhere in [
        "https://attacker.example",
        "https://verifier.example:8443",
        "https://sub.verifier.example",
    ] {
        let error = setup.read(SIGNED, &offer.data, elsewhere).unwrap_err();
        assert_eq!(error.code(), "request_wrong_origin", "{elsewhere}");
        assert_eq!(error.error_code(), ErrorCode::InvalidRequest);
    }
    // Strings, compared as they stand.
    for (origins, code) in [
        (json!(["https://verifier.example/"]), "request_wrong_origin"),
        (json!(["HTTPS://verifier.example"]), "request_wrong_origin"),
        (
            json!(["https://verifier.example:443"]),
            "request_wrong_origin",
        ),
        (json!(["https://*.example", "*"]), "request_wrong_origin"),
        (
            json!(["origin:https://verifier.example"]),
            "request_wrong_origin",
        ),
        (json!([]), "request_parameter"),
        (json!(HERE), "request_parameter"),
        (json!([HERE, 1]), "request_parameter"),
        (Value::Null, "request_parameter"),
    ] {
        let refused = setup.code("expected_origins", origins.clone()).await;
        assert_eq!(refused, code, "{origins}");
    }
}

#[tokio::test]
async fn cat_338_other_audiences_and_times_of_signed_requests() {
    let setup = Setup::new();
    for (name, value, code) in [
        (
            "aud",
            json!("https://other.example"),
            "request_wrong_audience",
        ),
        ("aud", json!([HERE]), "request_wrong_audience"),
        ("exp", json!(NOW.plus(-60).seconds()), "request_expired"),
        ("exp", json!("soon"), "request_parameter"),
        (
            "iat",
            json!(NOW.plus(61).seconds()),
            "request_not_yet_valid",
        ),
        ("nonce", Value::Null, "request_parameter"),
        ("client_id", Value::Null, "request_parameter"),
        (
            "client_id",
            json!("origin:https://verifier.example"),
            "client_id_origin",
        ),
        (
            "client_id",
            json!("x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk"),
            "client_id_mismatch",
        ),
        (
            "client_id",
            json!("x509_san_dns:other.example"),
            "client_id_mismatch",
        ),
        ("response_type", json!("code"), "response_type_unsupported"),
        (
            "response_mode",
            json!("direct_post.jwt"),
            "response_mode_unsupported",
        ),
        (
            "response_mode",
            json!("dc_api"),
            "response_mode_unsupported",
        ),
        (
            "response_mode",
            json!("fragment"),
            "response_mode_unsupported",
        ),
        (
            "transaction_data",
            json!(["eyJ"]),
            "transaction_data_unsupported",
        ),
        ("scope", json!("age"), "query_and_scope"),
        ("client_metadata", Value::Null, "client_metadata_unusable"),
    ] {
        assert_eq!(
            setup.code(name, value.clone()).await,
            code,
            "{name} {value}"
        );
    }
    // The requests of appendix A.3.2.1 have no `aud`; `x509_san_dns` fits the host of the page.
    let mut claims = setup.claims().await;
    claims.as_object_mut().unwrap().remove("aud");
    claims["client_id"] = json!("x509_san_dns:verifier.example");
    // `state` is not defined for the API and nothing is made of it.
    claims["state"] = json!({"what": "ever"});
    assert!(setup.read_claims(&claims).await.is_ok());
}

#[tokio::test]
async fn cat_340_parameters_of_signed_requests_are_ignored_in_unsigned_ones() {
    let setup = Setup::new();
    let mut data = unsigned(&setup.new_request()).data;
    data["client_id"] = json!("x509_san_dns:bank.example");
    data["expected_origins"] = json!(["https://elsewhere.example"]);
    data["state"] = json!("s");
    let read = setup.read(UNSIGNED, &data, HERE).unwrap();
    assert!(read.certificate().is_none(), "nobody has proven a name");
    assert_eq!(read.origin().as_str(), HERE);
}

#[tokio::test]
async fn requests_that_are_neither() {
    let setup = Setup::new();
    let good = setup.signed().await.data;
    let object = good["request"].as_str().unwrap();
    let (unsigned_part, _) = object.rsplit_once('.').unwrap();
    let forged = json!({"request": format!("{unsigned_part}.{}", "A".repeat(86))});
    for (protocol, data, code) in [
        (MULTI_SIGNED, good.clone(), "request_parameter"),
        (
            "openid4vp-v2-signed",
            good.clone(),
            "request_protocol_unsupported",
        ),
        ("org-iso-mdoc", good.clone(), "request_protocol_unsupported"),
        // A signed request under the name of unsigned ones, and the reverse.
        (UNSIGNED, good.clone(), "request_parameter"),
        (
            SIGNED,
            unsigned(&setup.new_request()).data,
            "request_parameter",
        ),
        (
            SIGNED,
            json!({"request": {"payload": "e30"}}),
            "request_parameter",
        ),
        (SIGNED, json!("eyJ"), "request_parameter"),
        (SIGNED, forged, "request_signature_invalid"),
    ] {
        let error = setup.read(protocol, &data, HERE).unwrap_err();
        assert_eq!(error.code(), code, "{protocol} {data}");
    }
    let mut large = unsigned(&setup.new_request()).data;
    large["future"] = json!(["a".repeat(300_000)]);
    let error = setup.read(UNSIGNED, &large, HERE).unwrap_err();
    assert_eq!(error.code(), "request_too_large");
}

#[test]
fn origins_have_one_text_and_a_safe_scheme() {
    let strict = |text| Origin::parse(text, UrlRule::PublicHttps);
    for good in [HERE, "https://verifier.example:8443", "https://192.0.2.1"] {
        assert_eq!(strict(good).unwrap().as_str(), good);
    }
    for bad in [
        "",
        "null",
        "https://verifier.example/",
        "https://verifier.example:443",
        "https://Verifier.example",
        "https://u@verifier.example",
        "https://verifier.example?a",
        " https://verifier.example",
        "http://verifier.example",
        "http://127.0.0.1:8081",
        "ftp://verifier.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "ws://verifier.example",
        "wss://verifier.example",
        "android:apk-key-hash:abc",
        "file:///etc",
    ] {
        assert_eq!(strict(bad), Err(OriginError), "{bad}");
    }
    let local = |text| Origin::parse(text, UrlRule::LoopbackAllowed);
    assert_eq!(
        local("http://127.0.0.1:8081").unwrap().host(),
        "127.0.0.1:8081"
    );
    assert!(local("http://localhost:1").is_ok());
    assert_eq!(local("http://192.0.2.1"), Err(OriginError));
}

#[test]
fn answers_that_are_refused_unread() {
    let code = |text: &str| ApiAnswer::parse(text.as_bytes()).unwrap_err().code();
    for text in [
        "",
        "[]",
        r#"{"protocol":"openid4vp-v1-signed"}"#,
        r#"{"protocol":1,"data":{}}"#,
        r#"{"protocol":"openid4vp-v1-signed","data":"{}"}"#,
        r#"{"protocol":"openid4vp-v1-signed","protocol":"openid4vp-v1-signed","data":{}}"#,
    ] {
        assert_eq!(code(text), "response_malformed", "{text}");
    }
    for data in [
        json!({}),
        json!({"response": 1}),
        json!({"response": "a.b.c.d.e", "vp_token": {}}),
        json!({"response": "a.b.c.d.e", "error": "access_denied"}),
        json!({"vp_token": {}, "error": "access_denied"}),
        json!({"error": {"code": 1}}),
    ] {
        let text = json!({"protocol": SIGNED, "data": data}).to_string();
        assert_eq!(code(&text), "response_data_malformed", "{data}");
    }
    let large = format!("{{\"protocol\":\"{}\"}}", "a".repeat(MAX_ANSWER_BYTES));
    assert_eq!(code(&large), "response_too_large");
    let text = json!({"protocol": SIGNED, "data": {"vp_token": {"secret": 1}}}).to_string();
    let printed = format!("{:?}", ApiAnswer::parse(text.as_bytes()).unwrap());
    assert!(!printed.contains("secret"), "{printed}");
}

proptest! {
    #[test]
    fn answers_never_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = ApiAnswer::parse(&body);
    }

    #[test]
    fn unsigned_requests_with_any_member_never_panic(
        member in "[a-z_]{1,20}", text in "\\PC{0,20}", number in any::<i64>(),
    ) {
        let anchors = TrustAnchors::new(Role::VerifierAccess);
        let policy = WalletPolicy {
            anchors: &anchors, crypto: &Portable, now: NOW, urls: UrlRule::PublicHttps,
        };
        let mut data = Map::new();
        data.insert("response_type".to_owned(), json!("vp_token"));
        data.insert("response_mode".to_owned(), json!("dc_api.jwt"));
        data.insert("dcql_query".to_owned(), json!({"credentials": [{"id": text.clone()}]}));
        data.insert(member, json!([text, number]));
        let data = Value::Object(data);
        prop_assert!(verify_api_request(UNSIGNED, &data, &origin(HERE), &policy).is_err());
    }
}

//! Requests that several parties sign.

use vouchsafe_credentials::crypto::SigningKey;

use super::setup::*;
use crate::vp::api::{MULTI_SIGNED, Origin};

const HERE: &str = "https://verifier.example";

struct Signed {
    setup: Setup,
    /// A verifier of another trust framework.
    other: Party,
    payload: Value,
}

impl Signed {
    fn new() -> Self {
        let setup = Setup::new();
        let mut payload = setup.claims.clone();
        let members = payload.as_object_mut().unwrap();
        for name in ["client_id", "response_uri", "state"] {
            members.remove(name);
        }
        payload["response_mode"] = json!("dc_api.jwt");
        payload["expected_origins"] = json!([HERE]);
        let other = Authority::new("Other CA").leaf("Shop", "verifier.example");
        Self {
            setup,
            other,
            payload,
        }
    }

    async fn sign(&self, header: &Value, key: &SigningKey) -> Value {
        let protected = b64url(header.to_string().as_bytes());
        let payload = b64url(self.payload.to_string().as_bytes());
        let input = format!("{protected}.{payload}");
        let signature = key.sign(input.as_bytes()).await.unwrap();
        json!({"protected": protected, "signature": b64url(&signature)})
    }

    fn header(&self, party: &Party) -> Value {
        json!({
            "alg": "ES256",
            "typ": "oauth-authz-req+jwt",
            "x5c": party.chain.to_x5c(),
            "client_id": ClientId::x509_hash(&party.chain).as_str(),
        })
    }

    /// By the verifier that is believed.
    async fn own(&self) -> Value {
        let party = &self.setup.verifier;
        let mut header = self.header(party);
        header["verifier_info"] = json!([{
            "format": "urn:vouchsafe:verifier-info:1", "data": {"client_name": "Wine shop"},
        }]);
        self.sign(&header, &party.key).await
    }

    /// By the one that is not.
    async fn others(&self) -> Value {
        self.sign(&self.header(&self.other), &self.other.key).await
    }

    fn read(&self, signatures: Value) -> Result<ApiRequest, RequestError> {
        let payload = b64url(self.payload.to_string().as_bytes());
        let data = json!({"request": {"payload": payload, "signatures": signatures}});
        let origin = Origin::parse(HERE, UrlRule::PublicHttps).unwrap();
        verify_api_request(MULTI_SIGNED, &data, &origin, &self.setup.policy())
    }

    fn code(&self, signatures: Value) -> &'static str {
        self.read(signatures).unwrap_err().code()
    }
}

fn broken(mut signature: Value) -> Value {
    signature["signature"] = json!("A".repeat(86));
    signature
}

#[tokio::test]
async fn one_good_signature_of_a_known_client_is_enough() {
    let world = Signed::new();
    let (own, others) = (world.own().await, world.others().await);
    for signatures in [
        json!([own]),
        json!([own, others]),
        json!([others, own]),
        json!([broken(others.clone()), own]),
    ] {
        let read = world.read(signatures).unwrap();
        assert_eq!(read.protocol(), MULTI_SIGNED);
        assert_eq!(read.certificate().unwrap().subject(), "CN=Shop");
        // What stands beside a signature is that signer's.
        assert_eq!(read.client_name().unwrap().default, "Wine shop");
    }
}

#[tokio::test]
async fn cat_323_without_a_good_signature_of_a_known_client_nothing_is_asked() {
    let world = Signed::new();
    let (own, others) = (world.own().await, world.others().await);
    for (signatures, code) in [
        (json!([]), "request_parameter"),
        (json!({}), "request_parameter"),
        (json!([others.clone()]), "verifier_not_trusted"),
        (json!([broken(own.clone())]), "request_signature_invalid"),
        (
            json!([broken(own.clone()), others.clone()]),
            "request_no_valid_signature",
        ),
        (json!(vec![own.clone(); 9]), "request_parameter"),
        (
            json!([{"protected": "e30", "signature": "AA"}]),
            "request_parameter",
        ),
    ] {
        assert_eq!(world.code(signatures.clone()), code, "{signatures}");
    }
    // A signature of one client under the identifier of another.
    let mut header = world.header(&world.other);
    header["client_id"] = json!(world.setup.client_id.as_str());
    let stolen = world.sign(&header, &world.other.key).await;
    assert_eq!(world.code(json!([stolen])), "verifier_not_trusted");
    let mut header = world.header(&world.setup.verifier);
    header["client_id"] = json!("x509_san_dns:bank.example");
    let renamed = world.sign(&header, &world.setup.verifier.key).await;
    assert_eq!(world.code(json!([renamed])), "client_id_mismatch");
    // Another type of token.
    let mut header = world.header(&world.setup.verifier);
    header["typ"] = json!("JWT");
    let untyped = world.sign(&header, &world.setup.verifier.key).await;
    assert_eq!(world.code(json!([untyped])), "request_wrong_typ");
}

#[tokio::test]
async fn cat_338_the_payload_says_where_and_the_header_who() {
    let mut world = Signed::new();
    world.payload["expected_origins"] = json!(["https://elsewhere.example"]);
    assert_eq!(
        world.code(json!([world.own().await])),
        "request_wrong_origin"
    );
    // Appendix A.3.2.2: "MUST be present only in the protected header".
    for (name, value) in [
        ("client_id", json!("x509_san_dns:bank.example")),
        ("verifier_info", json!([])),
    ] {
        let mut world = Signed::new();
        world.payload[name] = value;
        assert_eq!(world.code(json!([world.own().await])), "request_parameter");
    }
}

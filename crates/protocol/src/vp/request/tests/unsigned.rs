//! Requests that nobody signs.

use super::setup::*;

const REPLY: &str = "https://verifier.example/vp/response/1";
const CLIENT: &str = "redirect_uri:https://verifier.example/vp/response/1";
const UNVOUCHED: Parties<'static> = Parties {
    unvouched: true,
    ..Parties::NONE
};

impl Setup {
    fn unsigned(&self) -> Value {
        let mut claims = self.claims.clone();
        claims["client_id"] = json!(CLIENT);
        claims
    }

    fn read_unsigned(
        &self,
        parties: &Parties<'_>,
        claims: &Value,
    ) -> Result<PresentationRequest, RequestError> {
        verify_unsigned(parties, claims.as_object().unwrap(), &self.policy())
    }

    fn object(&self, header: &Value, claims: &Value, signature: &str) -> &'static str {
        let part = |value: &Value| b64url(value.to_string().as_bytes());
        let compact = format!("{}.{}.{signature}", part(header), part(claims));
        match verify_request_of(&UNVOUCHED, &compact, CLIENT, None, &self.policy()) {
            Ok(_) => "ok",
            Err(refusal) => {
                assert!(refusal.reply_to.is_none(), "nobody is told anything");
                refusal.error.code()
            }
        }
    }
}

#[test]
fn an_unsigned_request_is_heard_where_the_wallet_asks_for_such() {
    let setup = Setup::new();
    let mut claims = setup.unsigned();
    let read = setup.read_unsigned(&UNVOUCHED, &claims).unwrap();
    assert!(matches!(read.requester(), Requester::Address));
    assert_eq!(
        (read.client_id().as_str(), read.response_uri().as_str()),
        (CLIENT, REPLY)
    );
    claims.as_object_mut().unwrap().remove("response_uri");
    let read = setup.read_unsigned(&UNVOUCHED, &claims).unwrap();
    assert_eq!(read.response_uri().as_str(), REPLY);
    let refused = setup.read_unsigned(&Parties::NONE, &claims).unwrap_err();
    assert_eq!(refused.code(), "verifier_not_trusted");
}

#[test]
fn unsigned_requests_that_are_refused() {
    let setup = Setup::new();
    for (name, value, code) in [
        // Module `negative-test-response-uri-not-client-id`.
        (
            "response_uri",
            json!("https://verifier.example/other"),
            "client_id_mismatch",
        ),
        ("response_uri", json!(7), "client_id_mismatch"),
        (
            "client_id",
            json!("redirect_uri:http://verifier.example/r"),
            "client_id_mismatch",
        ),
        ("client_id", json!("redirect_uri:"), "client_id_mismatch"),
        // Module `negative-test-redirect-uri-with-direct-post`.
        (
            "redirect_uri",
            json!(REPLY),
            "redirect_uri_with_direct_post",
        ),
        ("nonce", Value::Null, "request_parameter"),
        ("nonce", json!("a b"), "request_parameter"),
        ("state", json!("a b"), "request_parameter"),
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
        (
            "transaction_data",
            json!(["e30"]),
            "transaction_data_unsupported",
        ),
        ("exp", json!(NOW.plus(-60).seconds()), "request_expired"),
        // Catalogue 323: under a prefix that demands a signature.
        (
            "client_id",
            json!(setup.client_id.as_str()),
            "request_unsigned",
        ),
        (
            "client_id",
            json!("x509_san_dns:verifier.example"),
            "request_unsigned",
        ),
        (
            "client_id",
            json!("decentralized_identifier:did:web:a.example"),
            "request_unsigned",
        ),
        (
            "client_id",
            json!("verifier_attestation:a"),
            "request_unsigned",
        ),
        (
            "client_id",
            json!("origin:https://verifier.example"),
            "client_id_origin",
        ),
        ("client_id", json!("invalid_scheme:a"), "client_id_prefix"),
        ("client_id", json!("shop"), "client_id_unregistered"),
    ] {
        let mut claims = setup.unsigned();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
        let code_of = |claims: &Value| match setup.read_unsigned(&UNVOUCHED, claims) {
            Ok(_) => "ok",
            Err(error) => error.code(),
        };
        let refused = code_of(&claims);
        let http = value.as_str().is_some_and(|text| text.contains("http:"));
        let expected = if http {
            "response_uri_unacceptable"
        } else {
            code
        };
        if http {
            claims.as_object_mut().unwrap().remove("response_uri");
            assert_eq!(code_of(&claims), expected);
        } else {
            assert_eq!(refused, expected, "{name} {value}");
        }
    }
}

#[tokio::test]
async fn cat_323_an_unsigned_object_is_unsigned_and_a_signed_one_is_not() {
    let setup = Setup::new();
    let claims = setup.unsigned();
    let header = json!({"alg": "none", "typ": "oauth-authz-req+jwt"});
    assert_eq!(setup.object(&header, &claims, ""), "ok");
    for (header, signature, code) in [
        (json!({"alg": "none"}), "", "request_wrong_typ"),
        (
            json!({"alg": "none", "typ": "JWT"}),
            "",
            "request_wrong_typ",
        ),
        (
            json!({"alg": "ES256", "typ": "oauth-authz-req+jwt"}),
            "",
            "client_id_redirect_uri",
        ),
        (
            json!({"alg": "none", "typ": "oauth-authz-req+jwt"}),
            "AAAA",
            "client_id_redirect_uri",
        ),
        (json!([]), "", "request_parameter"),
    ] {
        assert_eq!(setup.object(&header, &claims, signature), code, "{header}");
    }
    let mut elsewhere = claims.clone();
    elsewhere["client_id"] = json!("redirect_uri:https://other.example/r");
    assert_eq!(setup.object(&header, &elsewhere, ""), "client_id_differs");
    let mut audience = claims.clone();
    audience["aud"] = json!("https://other.example");
    assert_eq!(
        setup.object(&header, &audience, ""),
        "request_wrong_audience"
    );
    // A signed object under this prefix, and an unsigned one under a prefix that demands a signature.
    let signed = setup.sign(&claims).await;
    let policy = setup.policy();
    let refused = verify_request_of(&UNVOUCHED, &signed, CLIENT, None, &policy).unwrap_err();
    assert_eq!(refused.error.code(), "client_id_redirect_uri");
    let none = format!(
        "{}.{}.",
        b64url(header.to_string().as_bytes()),
        b64url(b"{}")
    );
    let own = setup.client_id.as_str();
    let refused = verify_request_of(&UNVOUCHED, &none, own, None, &policy).unwrap_err();
    assert_eq!(refused.error.code(), "request_alg_not_allowed");
}

#[tokio::test]
async fn cat_301_an_answer_without_encryption_only_where_it_is_allowed() {
    let setup = Setup::new();
    let mut claims = setup.claims.clone();
    claims["response_mode"] = json!("direct_post");
    let compact = setup.sign(&claims).await;
    let read = |parties: &Parties<'_>| {
        let client_id = setup.client_id.as_str();
        verify_request_of(parties, &compact, client_id, None, &setup.policy())
    };
    let code = read(&Parties::NONE).unwrap_err().error.code();
    assert_eq!(code, "response_mode_unsupported");
    let open = Parties {
        unencrypted: true,
        ..Parties::NONE
    };
    assert!(read(&open).unwrap().metadata().encryption.is_none());
}

//! The mdoc messages of isomdl (derived from the examples of ISO/IEC 18013-5:2021, annex D), and
//! the transcripts that OpenID4VP 1.0 prints in appendix B.2.6.

use std::sync::Arc;

use vouchsafe_credentials::cbor::{Item, Kind, Value, Writer, to_vec};
use vouchsafe_credentials::cose::{Mac0, Sign1, key_from_item, key_to_vec};
use vouchsafe_credentials::crypto::{AgreementKey, Portable, PublicKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::mdoc::{
    DeviceAuth, DeviceResponse, HeldMdoc, IssuancePolicy, IssuerSigned, MDL, MDL_NAMESPACE,
    MdocError, MobileSecurityObject, Policy, SessionTranscript, verify_issued, verify_presented,
};
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerMethod, IssuerTrust, StatusMethod, StatusPolicy, TrustedIssuer,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_vectors::Run;

/// 2020-10-02T00:00:00Z: the example is valid for a year from the day before.
const THEN: UnixTime = UnixTime(1_601_596_800);

fn hex_file(run: &Run, file: &str) -> Vec<u8> {
    hex::decode(run.text(file).trim()).unwrap()
}

/// The document signer of the example, believed itself: its IACA is not part of the set.
fn trust(issued: &[u8]) -> IssuerTrust {
    let auth = IssuerSigned::parse(issued).unwrap().issuer_auth().unwrap();
    let chain = auth.x5chain_unprotected().unwrap().unwrap();
    let mut anchors = TrustAnchors::new(Role::MdocIssuer);
    anchors.add_signer_der(chain.leaf_der()).unwrap();
    let issuer = TrustedIssuer {
        id: "https://utopia.example".into(),
        method: IssuerMethod::Iaca {
            anchors: Arc::new(anchors),
        },
        types: vec![MDL.into()],
        status: StatusMethod::SameIssuer,
    };
    IssuerTrust::new(vec![issuer]).unwrap()
}

fn accept(
    issued: &[u8],
    trust: &IssuerTrust,
    key: &PublicKey,
    now: UnixTime,
) -> Result<HeldMdoc, MdocError> {
    let policy = IssuancePolicy {
        trust,
        doctype: MDL,
        device_key: key,
        now,
    };
    verify_issued(issued, &policy, &Portable).map(|held| held.into_inner())
}

fn device_key(issued: &[u8]) -> PublicKey {
    let auth = IssuerSigned::parse(issued).unwrap().issuer_auth().unwrap();
    let payload = auth.payload_unverified().unwrap();
    MobileSecurityObject::parse(payload).unwrap().device_key
}

/// The items of a document as (identifier, item).
fn items(issued: &[u8]) -> Vec<(String, Vec<u8>)> {
    let fields = Item::parse(issued).unwrap().fields().unwrap();
    let namespaces = fields.required("nameSpaces").unwrap().fields().unwrap();
    let items = namespaces.required(MDL_NAMESPACE).unwrap().array().unwrap();
    items
        .map(|item| {
            let own = item.embedded().unwrap().fields().unwrap();
            let name = own.required("elementIdentifier").unwrap().text().unwrap();
            (name.to_owned(), item.raw().to_vec())
        })
        .collect()
}

#[test]
fn messages_of_isomdl() {
    let Some(run) = Run::open("mdoc", 14) else {
        return;
    };
    let run = run.without(
        "session/",
        "sessions between devices nearby are not supported",
    );
    issuer_signed(&run);
    dehydrated(&run);
    device_response(&run);
    cose(&run);
    run.close();
}

fn issuer_signed(run: &Run) {
    let issued = hex_file(run, "issuer_signed.cbor");
    let (trust, key) = (trust(&issued), device_key(&issued));
    let held = accept(&issued, &trust, &key, THEN).unwrap();
    run.step("doctype", held.doctype(), MDL);
    run.step("elements", held.elements().paths().len(), 6);
    let name = held.elements().get(MDL_NAMESPACE, "family_name");
    run.step("family_name", name, Some(&Value::Text("Doe".into())));
    run.step("signed", held.validity().signed, UnixTime(1_601_559_002));
    run.step(
        "valid until",
        held.validity().valid_until,
        UnixTime(1_633_095_002),
    );
    // Too early, too late, any byte altered but those of names that are not looked at.
    assert_eq!(
        accept(&issued, &trust, &key, UnixTime(1_601_550_000))
            .unwrap_err()
            .code(),
        "credential_issued_in_future"
    );
    assert!(accept(&issued, &trust, &key, UnixTime(1_633_095_062)).is_err());
    for (at, item) in items(&issued).iter().map(|(_, item)| item).enumerate() {
        let start = issued
            .windows(item.len())
            .position(|window| window == item)
            .unwrap();
        let mut altered = issued.clone();
        altered[start + item.len() - 1] ^= 1;
        let refused = accept(&altered, &trust, &key, THEN).unwrap_err().code();
        assert!(
            [
                "mdoc_digest_mismatch",
                "cbor_type",
                "cbor_truncated",
                "cbor_simple"
            ]
            .contains(&refused),
            "{at} {refused}"
        );
    }
    let mut altered = issued.clone();
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(
        accept(&altered, &trust, &key, THEN).unwrap_err().code(),
        "mdoc_issuer_auth"
    );
}

/// A document whose values are kept apart: with them, each item is what was signed.
fn dehydrated(run: &Run) {
    let bare = hex_file(run, "issuer_signed_dehydrated.cbor");
    let whole = hex_file(run, "issuer_signed.cbor");
    let data = hex_file(run, "namespaced_data.cbor");
    let data = Item::parse(&data).unwrap().fields().unwrap();
    let data = data.required("namespaces").unwrap().fields().unwrap();
    let values: Vec<_> = data
        .required(MDL_NAMESPACE)
        .unwrap()
        .array()
        .unwrap()
        .collect();
    let whole = items(&whole);
    run.step("items", items(&bare).len(), whole.len());
    for (at, (name, item)) in items(&bare).into_iter().enumerate() {
        let own = values.iter().find(|value| {
            let fields = value.fields().unwrap();
            fields.required("name").unwrap().text() == Ok(&name)
        });
        let value = own.unwrap().fields().unwrap().required("value").unwrap();
        let filled = |value: &[u8]| {
            let item = Item::parse(&item).unwrap().embedded().unwrap();
            let mut out = Writer::new();
            out.map(4);
            for (key, own) in item.map().unwrap() {
                let is_value = key.kind() == Kind::Text("elementValue");
                out.raw(key.raw())
                    .raw(if is_value { value } else { own.raw() });
            }
            Writer::new().embedded(&out.finish()).finish()
        };
        run.step(&name, filled(value.raw()), whole[at].1.clone());
        assert_ne!(filled(&[0xf6]), whole[at].1, "the value matters");
    }
}

/// It shows the form alone: one item with too little randomness, signed content that is none.
fn device_response(run: &Run) {
    let bytes = hex_file(run, "device_response.cbor");
    let response = DeviceResponse::parse(&bytes).unwrap();
    run.step("documents", response.documents.len(), 1);
    run.step("status", response.status, 0);
    run.step("document errors", response.document_errors, vec![("a", 0)]);
    let document = &response.documents[0];
    run.step("doctype", document.doctype, "aaa");
    let auth = document.issuer_signed.issuer_auth().unwrap();
    let content = b"This is the content.".as_slice();
    run.step("signed", auth.payload_unverified(), Some(content));
    let mac = matches!(document.device_signed.auth, DeviceAuth::Mac(_));
    run.step("authenticated by a code", mac, true);
    let transcript = SessionTranscript::openid4vp("c", "n", None, "https://r.example");
    let trust = trust(&hex_file(run, "issuer_signed.cbor"));
    let policy = Policy {
        trust: &trust,
        doctypes: &["aaa".to_owned()],
        transcript: &transcript,
        reader_key: None,
        status: StatusPolicy::WhenPresent,
        now: THEN,
    };
    let refused = verify_presented(&bytes, &policy, &Portable).unwrap_err();
    assert_eq!(refused.code(), "mdoc_document_errors");
}

fn cose(run: &Run) {
    let secret = hex_file(run, "cose/sign1/secret_key");
    let key = AgreementKey::from_bytes(&secret)
        .unwrap()
        .public_key()
        .clone();
    let mut bytes = hex_file(run, "cose/sign1/serialized.cbor");
    let content = b"This is the content.".as_slice();
    let payload = Sign1::parse(&bytes).unwrap().verify(&key, &[], &Portable);
    run.step("COSE_Sign1", payload.unwrap().into_inner(), content);
    *bytes.last_mut().unwrap() ^= 1;
    assert!(
        Sign1::parse(&bytes)
            .unwrap()
            .verify(&key, &[], &Portable)
            .is_err()
    );

    let secret = hex_file(run, "cose/mac0/secret_key");
    // The bytes of the file are the key, whatever they look like.
    let mut bytes = hex_file(run, "cose/mac0/serialized.cbor");
    let payload = Mac0::parse(&bytes).unwrap().verify(&secret, &[]);
    run.step("COSE_Mac0", payload.unwrap().into_inner(), content);
    *bytes.last_mut().unwrap() ^= 1;
    assert!(Mac0::parse(&bytes).unwrap().verify(&secret, &[]).is_err());

    let mut bytes = hex_file(run, "cose_key/ec_p256.cbor");
    let key = key_from_item(Item::parse(&bytes).unwrap()).unwrap();
    run.step("COSE_Key", key_to_vec(&key), bytes.clone());
    *bytes.last_mut().unwrap() ^= 1;
    assert!(key_from_item(Item::parse(&bytes).unwrap()).is_err());
}

/// The key that the examples of appendix B.2.6 encrypt to.
fn encryption_key() -> PublicKey {
    PublicKey::from_jwk(&serde_json::json!({
        "kty": "EC", "crv": "P-256", "use": "enc", "alg": "ECDH-ES", "kid": "1",
        "x": "DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0",
        "y": "XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc",
    }))
    .unwrap()
}

const NONCE: &str = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA";

#[test]
fn cat_148_transcripts_of_openid4vp() {
    let key = encryption_key();
    let thumbprint =
        hex::decode("4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047");
    assert_eq!(key.thumbprint(), b64url(&thumbprint.unwrap()));
    let redirect = |client: &str, nonce: &str, key, uri: &str| {
        hex::encode(SessionTranscript::openid4vp(client, nonce, key, uri).as_bytes())
    };
    let client = "x509_san_dns:example.com";
    let uri = "https://example.com/response";
    let printed = "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac";
    assert_eq!(redirect(client, NONCE, Some(&key), uri), printed);
    for other in [
        redirect("example.com", NONCE, Some(&key), uri),
        redirect(client, "another", Some(&key), uri),
        redirect(client, NONCE, None, uri),
        redirect(client, NONCE, Some(&key), "https://example.com/response/"),
    ] {
        assert_ne!(other, printed);
    }
    let api = |origin: &str, nonce: &str, key| {
        hex::encode(SessionTranscript::openid4vp_dc_api(origin, nonce, key).as_bytes())
    };
    let printed = "83f6f682764f70656e4944345650444341504948616e646f7665725820fbece366f4212f9762c74cfdbf83b8c69e371d5d68cea09cb4c48ca6daab761a";
    assert_eq!(api("https://example.com", NONCE, Some(&key)), printed);
    for other in [
        api("origin:https://example.com", NONCE, Some(&key)),
        api("https://example.com", "another", Some(&key)),
        api("https://example.com", NONCE, None),
    ] {
        assert_ne!(other, printed);
    }
    // What the hash is over, as printed.
    let info = Value::Array(vec![
        "https://example.com".into(),
        NONCE.into(),
        Value::Bytes(vec![0; 32]),
    ]);
    assert!(
        hex::encode(to_vec(&info)).starts_with("837368747470733a2f2f6578616d706c652e636f6d782b")
    );
}

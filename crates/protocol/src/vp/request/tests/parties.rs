//! Verifiers without a certificate of an access authority: attested, registered, or with but a DID.

use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::did::{self, Did, DidDocument};
use vouchsafe_credentials::jwks::JwkSet;

use super::setup::*;

const ATTESTED: &str = "verifier_attestation:verifier.example";
const REPLY: &str = "https://verifier.example/vp/response/1";

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
}

fn keys(key: &SigningKey) -> JwkSet {
    JwkSet::from_value(&json!({"keys": [key.public_key().to_jwk()]})).unwrap()
}

impl Setup {
    /// The good request under another identifier, signed with `key`.
    async fn read_of(
        &self,
        parties: &Parties<'_>,
        client_id: &str,
        header: Header,
        key: &SigningKey,
    ) -> Result<PresentationRequest, &'static str> {
        let mut claims = self.claims.clone();
        claims["client_id"] = json!(client_id);
        let compact = jws::sign(&header, &claims, key).await.unwrap();
        let read = verify_request_of(parties, &compact, client_id, None, &self.policy());
        read.map_err(|refusal| {
            assert!(refusal.reply_to.is_none(), "nobody is told anything");
            refusal.error.code()
        })
    }
}

struct Attestations {
    setup: Setup,
    attester: SigningKey,
    verifier: SigningKey,
}

impl Attestations {
    fn new() -> Self {
        Self {
            setup: Setup::new(),
            attester: key(21),
            verifier: key(22),
        }
    }

    fn claims(&self) -> Value {
        json!({
            "iss": "https://attester.example",
            "sub": "verifier.example",
            "exp": NOW.plus(3600).seconds(),
            "redirect_uris": ["https://verifier.example/other", REPLY],
            "cnf": {"jwk": self.verifier.public_key().to_jwk()},
        })
    }

    /// Reads a request with this attestation, signed by `attester` and `signer`.
    async fn read(
        &self,
        claims: &Value,
        attester: &SigningKey,
        signer: &SigningKey,
    ) -> Result<PresentationRequest, &'static str> {
        let known = [Attester {
            issuer: "https://attester.example".to_owned(),
            keys: keys(&self.attester),
        }];
        let parties = Parties {
            attesters: &known,
            ..Parties::NONE
        };
        let header = Header::new(TokenType::VerifierAttestation);
        let attestation = jws::sign(&header, claims, attester).await.unwrap();
        let header = Header::new(TokenType::RequestObject).with("jwt", attestation);
        self.setup.read_of(&parties, ATTESTED, header, signer).await
    }

    async fn refused(&self, name: &str, value: Value) -> &'static str {
        let mut claims = self.claims();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        let read = self.read(&claims, &self.attester, &self.verifier).await;
        read.expect_err(name)
    }
}

#[tokio::test]
async fn cat_328_verifier_attestations() {
    let world = Attestations::new();
    let good = world.claims();
    let read = world.read(&good, &world.attester, &world.verifier).await;
    let read = read.unwrap();
    assert_eq!(read.client_id().as_str(), ATTESTED);
    let Requester::Attested(attested) = read.requester() else {
        panic!("not attested")
    };
    assert_eq!(attested.issuer(), "https://attester.example");
    assert_eq!(attested.subject(), "verifier.example");
    for (name, value, code) in [
        (
            "sub",
            json!("other.example"),
            "verifier_attestation_subject",
        ),
        ("sub", Value::Null, "verifier_attestation_subject"),
        (
            "iss",
            json!("https://evil.example"),
            "verifier_attestation_issuer",
        ),
        ("iss", Value::Null, "verifier_attestation_issuer"),
        (
            "exp",
            json!(NOW.plus(-60).seconds()),
            "verifier_attestation_time",
        ),
        ("exp", Value::Null, "verifier_attestation_time"),
        (
            "nbf",
            json!(NOW.plus(61).seconds()),
            "verifier_attestation_time",
        ),
        ("cnf", Value::Null, "verifier_attestation_key"),
        (
            "redirect_uris",
            json!(["https://other.example/r"]),
            "verifier_attestation_address",
        ),
        ("redirect_uris", json!([]), "verifier_attestation_address"),
        (
            "redirect_uris",
            json!(REPLY),
            "verifier_attestation_address",
        ),
        // A prefix of an attested address is not that address.
        (
            "redirect_uris",
            json!(["https://verifier.example/"]),
            "verifier_attestation_address",
        ),
    ] {
        assert_eq!(world.refused(name, value).await, code, "{name}");
    }
    // Without `redirect_uris` the address is free.
    let mut free = good.clone();
    free.as_object_mut().unwrap().remove("redirect_uris");
    assert!(
        world
            .read(&free, &world.attester, &world.verifier)
            .await
            .is_ok()
    );
    // Signed by somebody else, or for the key of somebody else.
    let mallory = key(23);
    let forged = world.read(&good, &mallory, &world.verifier).await;
    assert_eq!(forged.unwrap_err(), "verifier_attestation_malformed");
    let stolen = world.read(&good, &world.attester, &mallory).await;
    assert_eq!(stolen.unwrap_err(), "request_signature_invalid");
}

#[tokio::test]
async fn cat_328_an_attestation_of_nobody_known_helps_nobody() {
    let world = Attestations::new();
    let header = Header::new(TokenType::VerifierAttestation);
    let attestation = jws::sign(&header, &world.claims(), &world.attester).await;
    let header = || Header::new(TokenType::RequestObject).with_x5c(&world.setup.verifier.chain);
    let with = header().with("jwt", attestation.unwrap());
    let read = async |client_id: &str, header: Header, key: &SigningKey| {
        let read = world.setup.read_of(&Parties::NONE, client_id, header, key);
        read.await.unwrap_err()
    };
    let code = read(ATTESTED, with.clone(), &world.verifier).await;
    assert_eq!(code, "verifier_attestation_issuer");
    let certified = &world.setup.verifier.key;
    let code = read(ATTESTED, header(), certified).await;
    assert_eq!(code, "verifier_attestation_missing");
    // Nor does it help beside a client that is known by its certificate.
    let known = world.setup.client_id.as_str();
    let code = read(known, with, &world.verifier).await;
    assert_eq!(code, "request_signature_invalid");
}

#[tokio::test]
async fn verifiers_with_a_did_are_heard_where_the_wallet_asks_for_such() {
    let setup = Setup::new();
    let (own, mallory) = (key(31), key(32));
    let did = did::jwk::encode(own.public_key());
    let client_id = format!("decentralized_identifier:{did}");
    let header = |kid: &str| Header::new(TokenType::RequestObject).with_kid(kid);
    let unvouched = Parties {
        unvouched: true,
        ..Parties::NONE
    };
    for kid in [format!("{did}#0"), "#0".to_owned()] {
        let read = setup
            .read_of(&unvouched, &client_id, header(&kid), &own)
            .await;
        let read = read.unwrap();
        assert!(matches!(read.requester(), Requester::Did(own) if own.as_str() == did));
        assert!(read.certificate().is_none());
    }
    let kid = format!("{did}#0");
    let refused = setup
        .read_of(&Parties::NONE, &client_id, header(&kid), &own)
        .await;
    assert_eq!(refused.unwrap_err(), "verifier_not_trusted");
    let other = did::jwk::encode(mallory.public_key());
    for (kid, key, code) in [
        (kid.as_str(), &mallory, "request_signature_invalid"),
        (&format!("{did}#1"), &own, "request_key_unknown"),
        // The key of another DID.
        (&format!("{other}#0"), &mallory, "request_key_unknown"),
        ("0", &own, "request_key_unknown"),
    ] {
        let refused = setup
            .read_of(&unvouched, &client_id, header(kid), key)
            .await;
        assert_eq!(refused.unwrap_err(), code, "{kid}");
    }
    let none = Header::new(TokenType::RequestObject);
    let refused = setup.read_of(&unvouched, &client_id, none, &own).await;
    assert_eq!(refused.unwrap_err(), "request_key_unknown");
}

#[tokio::test]
async fn a_did_on_the_web_needs_its_document() {
    let setup = Setup::new();
    let own = key(33);
    let did = "did:web:verifier.example";
    let client_id = format!("decentralized_identifier:{did}");
    let kid = format!("{did}#key-1");
    let method = json!({
        "id": kid, "type": "JsonWebKey", "controller": did,
        "publicKeyJwk": own.public_key().to_jwk(),
    });
    let document = |relationship: &str| {
        let mut json = json!({"id": did, "verificationMethod": [method]});
        json[relationship] = json!([kid]);
        DidDocument::from_json(json, &Did::parse(did).unwrap()).unwrap()
    };
    let read = async |document: Option<&DidDocument>| {
        let parties = Parties {
            unvouched: true,
            document,
            ..Parties::NONE
        };
        let header = Header::new(TokenType::RequestObject).with_kid(kid.clone());
        setup.read_of(&parties, &client_id, header, &own).await
    };
    assert!(read(Some(&document("authentication"))).await.is_ok());
    assert!(read(Some(&document("assertionMethod"))).await.is_ok());
    let code = read(Some(&document("keyAgreement"))).await.unwrap_err();
    assert_eq!(code, "request_key_unknown");
    assert_eq!(read(None).await.unwrap_err(), "verifier_did_unresolved");
}

#[tokio::test]
async fn cat_325_registered_verifiers_and_identifiers_that_look_prefixed() {
    let setup = Setup::new();
    let own = key(41);
    let registered = |client_id: &str| RegisteredVerifier {
        client_id: client_id.to_owned(),
        name: "The Library".to_owned(),
        keys: keys(&own),
    };
    let listed = [
        registered("library"),
        registered("https://library.example"),
        registered("x509_san_dns:library.example"),
        registered("origin:https://library.example"),
    ];
    let parties = Parties {
        registered: &listed,
        ..Parties::NONE
    };
    let header = || Header::new(TokenType::RequestObject);
    for client_id in ["library", "https://library.example"] {
        let read = setup.read_of(&parties, client_id, header(), &own).await;
        let read = read.unwrap();
        let Requester::Registered { name, .. } = read.requester() else {
            panic!("not registered")
        };
        assert_eq!(
            (name.as_str(), read.client_id().as_str()),
            ("The Library", client_id)
        );
        let forged = setup.read_of(&parties, client_id, header(), &key(42)).await;
        assert_eq!(forged.unwrap_err(), "request_signature_invalid");
    }
    for (client_id, code) in [
        ("museum", "client_id_unregistered"),
        ("invalid_scheme:museum", "client_id_prefix"),
        ("https://museum.example", "client_id_prefix"),
        ("x509_san_dns:library.example", "request_no_certificate"),
        ("origin:https://library.example", "client_id_origin"),
        (
            "redirect_uri:https://verifier.example/vp/response/1",
            "client_id_redirect_uri",
        ),
        (
            "openid_federation:https://library.example",
            "client_id_federation",
        ),
    ] {
        let refused = setup.read_of(&parties, client_id, header(), &own).await;
        assert_eq!(refused.unwrap_err(), code, "{client_id}");
    }
}

#[test]
fn a_wallet_names_the_prefixes_that_it_deals_with() {
    let plain = wallet_metadata(&Parties::NONE);
    let prefixes = &plain["client_id_prefixes_supported"];
    assert_eq!(prefixes, &json!(["x509_hash", "x509_san_dns"]));
    assert_eq!(
        plain["response_modes_supported"],
        json!(["direct_post.jwt"])
    );
    let wider = wallet_metadata(&Parties {
        unvouched: true,
        ..Parties::NONE
    });
    let prefixes = wider["client_id_prefixes_supported"].as_array().unwrap();
    assert!(prefixes.contains(&json!("decentralized_identifier")));
}

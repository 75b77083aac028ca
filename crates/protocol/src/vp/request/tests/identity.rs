//! What a verifier says of itself, and what wallets make of it.

use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::did::{self, Did, DidDocument};
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::time::UnixTime;

use super::setup::*;
use crate::vp::invocation::parameters_by_value;

const ADDRESS: &str = "https://verifier.example/vp/response/1";

/// What goes into a request, owned.
struct Parts {
    response_uri: Url,
    nonce: Nonce,
    state: State,
    query: DcqlQuery,
    name: LocalizedText,
}

impl Parts {
    fn new() -> Self {
        Self {
            response_uri: Url::parse(ADDRESS).unwrap(),
            nonce: Nonce::fresh(&SeededRng::new(1)),
            state: State::fresh(&SeededRng::new(2)),
            query: DcqlQuery::parse(&query()).unwrap(),
            name: LocalizedText {
                default: "Your bank".to_owned(),
                translations: [].into(),
            },
        }
    }

    fn request<'a>(&'a self, setup: &'a Setup) -> NewRequest<'a> {
        NewRequest {
            response_uri: &self.response_uri,
            nonce: &self.nonce,
            state: &self.state,
            query: &self.query,
            transaction_data: &[],
            encryption_key: setup.encryption.public_key(),
            client_name: Some(&self.name),
            purpose: Some(&self.name),
            issued_at: NOW,
            lifetime_s: 120,
            wallet_nonce: None,
        }
    }
}

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
}

/// What a wallet makes of a request that `signer` signed as `identity`.
async fn read(
    setup: &Setup,
    parties: &Parties<'_>,
    identity: &Identity,
    signer: &SigningKey,
) -> Result<PresentationRequest, &'static str> {
    let parts = Parts::new();
    let compact = sign_request(&parts.request(setup), identity, signer).await;
    let client_id = identity.client_id().as_str();
    verify_request_of(parties, &compact.unwrap(), client_id, None, &setup.policy())
        .map_err(|refusal| refusal.error.code())
}

const UNVOUCHED: Parties<'static> = Parties {
    unvouched: true,
    ..Parties::NONE
};

#[tokio::test]
async fn cat_326_a_dns_name_must_be_one_of_the_certificate() {
    let setup = Setup::new();
    let chain = &setup.verifier.chain;
    for other in [
        "other.example",
        "example",
        "*.example",
        "a.verifier.example",
        "127.0.0.1",
        "",
    ] {
        let refused = Identity::x509_san_dns(chain, other).unwrap_err();
        assert_eq!(refused, IdentityError::DnsName, "{other}");
    }
    let identity = Identity::x509_san_dns(chain, "verifier.example").unwrap();
    let signer = &setup.verifier.key;
    let request = read(&setup, &Parties::NONE, &identity, signer).await;
    let request = request.unwrap();
    assert_eq!(
        request.client_id().as_str(),
        "x509_san_dns:verifier.example"
    );
    assert_eq!(request.client_id(), identity.client_id());
    assert!(request.certificate().is_some());
    let refused = read(&setup, &Parties::NONE, &identity, &key(3)).await;
    assert_eq!(refused.unwrap_err(), "request_signature_invalid");
}

#[tokio::test]
async fn a_did_names_the_method_of_its_document_that_has_the_key() {
    let setup = Setup::new();
    let (own, other) = (key(41), key(42));
    let did = Did::parse("did:web:verifier.example").unwrap();
    let document = |relationship: &str| {
        let method = |name: &str, key: &SigningKey| {
            json!({
                "id": format!("{did}#{name}"), "type": "JsonWebKey", "controller": did.as_str(),
                "publicKeyJwk": key.public_key().to_jwk(),
            })
        };
        let mut json = json!({
            "id": did.as_str(),
            "verificationMethod": [method("other", &other), method("own", &own)],
        });
        json[relationship] = json!([format!("{did}#other"), format!("{did}#own")]);
        DidDocument::from_json(json, &did).unwrap()
    };
    for relationship in ["authentication", "assertionMethod"] {
        let document = document(relationship);
        let identity = Identity::did(&document, own.public_key()).unwrap();
        let parties = Parties {
            document: Some(&document),
            ..UNVOUCHED
        };
        let request = read(&setup, &parties, &identity, &own).await.unwrap();
        let full = "decentralized_identifier:did:web:verifier.example";
        assert_eq!(request.client_id().as_str(), full);
        // `kid` is that of the one key alone.
        let refused = read(&setup, &parties, &identity, &other).await;
        assert_eq!(refused.unwrap_err(), "request_signature_invalid");
        let nobody = Identity::did(&document, key(43).public_key());
        assert_eq!(nobody.unwrap_err(), IdentityError::Method);
    }
    for wrong in ["keyAgreement", "capabilityInvocation"] {
        let refused = Identity::did(&document(wrong), own.public_key());
        assert_eq!(refused.unwrap_err(), IdentityError::Method, "{wrong}");
    }
    for did in [
        did::key::encode(own.public_key()),
        did::jwk::encode(own.public_key()),
    ] {
        let found = did::LocalResolver::resolve_now(&did, &did::ResolutionOptions::default());
        let identity = Identity::did(found.active().unwrap(), own.public_key()).unwrap();
        let request = read(&setup, &UNVOUCHED, &identity, &own).await.unwrap();
        assert!(matches!(request.requester(), Requester::Did(own) if own.as_str() == did));
    }
}

#[tokio::test]
async fn cat_328_an_attestation_is_for_this_key_this_time_and_every_address() {
    let setup = Setup::new();
    let (attester, own) = (key(51), key(52));
    let good = json!({
        "iss": "https://attester.example", "sub": "verifier.example",
        "exp": NOW.plus(3600).seconds(), "cnf": {"jwk": own.public_key().to_jwk()},
    });
    let attestation = async |edit: &dyn Fn(&mut Value)| {
        let mut claims = good.clone();
        edit(&mut claims);
        let header = Header::new(TokenType::VerifierAttestation);
        let jwt = jws::sign(&header, &claims, &attester).await.unwrap();
        Identity::attested(&jwt, own.public_key(), NOW)
    };
    let missing = |name: &'static str| {
        move |claims: &mut Value| {
            claims.as_object_mut().unwrap().remove(name);
        }
    };
    for name in ["iss", "sub", "exp", "cnf"] {
        let refused = attestation(&missing(name)).await.unwrap_err();
        assert_eq!(refused, IdentityError::Attestation, "{name}");
    }
    let mallory = key(53).public_key().to_jwk();
    for (name, value, error) in [
        ("exp", json!(NOW.seconds()), IdentityError::AttestationEnded),
        ("exp", json!("soon"), IdentityError::Attestation),
        ("sub", json!(""), IdentityError::Attestation),
        ("cnf", json!({"jwk": mallory}), IdentityError::AttestedKey),
        ("cnf", json!({"jwk": {}}), IdentityError::Attestation),
        (
            "redirect_uris",
            json!([ADDRESS]),
            IdentityError::AttestedAddresses,
        ),
    ] {
        let refused = attestation(&|claims| claims[name] = value.clone()).await;
        assert_eq!(refused.unwrap_err(), error, "{name}");
    }
    let header = Header::new(TokenType::KeyBinding);
    let jwt = jws::sign(&header, &good, &attester).await.unwrap();
    let refused = Identity::attested(&jwt, own.public_key(), NOW);
    assert_eq!(refused.unwrap_err(), IdentityError::Attestation);

    let identity = attestation(&|_| {}).await.unwrap();
    assert_eq!(identity.ends_at(), Some(NOW.plus(3600)));
    let keys = json!({"keys": [attester.public_key().to_jwk()]});
    let known = [Attester {
        issuer: "https://attester.example".to_owned(),
        keys: JwkSet::from_value(&keys).unwrap(),
    }];
    let parties = Parties {
        attesters: &known,
        ..Parties::NONE
    };
    let request = read(&setup, &parties, &identity, &own).await.unwrap();
    let full = "verifier_attestation:verifier.example";
    assert_eq!(request.client_id().as_str(), full);
    let refused = read(&setup, &Parties::NONE, &identity, &own).await;
    assert_eq!(refused.unwrap_err(), "verifier_attestation_issuer");
    assert_eq!(
        Identity::x509_hash(&setup.verifier.chain).ends_at(),
        None::<UnixTime>
    );
}

#[test]
fn cat_323_a_link_that_nobody_signs_goes_to_its_own_address_alone() {
    let setup = Setup::new();
    let parts = Parts::new();
    let link = unsigned_link(&parts.request(&setup), "https://wallet.example/open?from=1");
    assert!(link.starts_with("https://wallet.example/open?from=1&client_id=redirect_uri%3Ahttps"));
    assert!(link.len() < 2_000, "{}", link.len());
    let parameters = parameters_by_value(&link).unwrap().unwrap();
    // Nobody vouches for words in it, and what belongs to request objects is in none of it.
    for name in ["verifier_info", "aud", "iat", "exp", "request_uri"] {
        assert!(!parameters.contains_key(name), "{name}");
    }
    let request = verify_unsigned(&UNVOUCHED, &parameters, &setup.policy()).unwrap();
    assert_eq!(
        request.client_id(),
        &ClientId::redirect_uri(&parts.response_uri)
    );
    let again = ClientId::of_ours(request.client_id().as_str());
    assert_eq!(again.as_ref(), Ok(request.client_id()));
    assert_eq!(request.response_uri(), &parts.response_uri);
    assert_eq!(
        (request.nonce(), request.state()),
        (&parts.nonce, Some(&parts.state))
    );
    assert_eq!(request.query(), &parts.query);
    assert!(request.metadata().encryption.is_some());

    let mut elsewhere = parameters.clone();
    elsewhere["response_uri"] = json!("https://verifier.example/vp/response/2");
    let refused = verify_unsigned(&UNVOUCHED, &elsewhere, &setup.policy());
    assert_eq!(refused.unwrap_err().code(), "client_id_mismatch");
    let refused = verify_unsigned(&Parties::NONE, &parameters, &setup.policy());
    assert_eq!(refused.unwrap_err().code(), "verifier_not_trusted");
    let certified = Identity::x509_hash(&setup.verifier.chain);
    let mut taken = parameters;
    taken["client_id"] = json!(certified.client_id().as_str());
    let refused = verify_unsigned(&UNVOUCHED, &taken, &setup.policy());
    assert_eq!(refused.unwrap_err().code(), "request_unsigned");
}

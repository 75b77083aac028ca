//! Who asks: prefixes without a certificate, verifiers that were shown something, and blocked ones.

use serde_json::{Value, json as value};
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::encoding::b64url_decode;
use vouchsafe_credentials::jwks::JwkSet;
use vouchsafe_credentials::jws::{self, Header, TokenType};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::x509::Role;
use vouchsafe_protocol::http::{HttpResponse, UrlRule};
use vouchsafe_protocol::vp::api::Origin;

use super::verifier::{ScriptedVerifier, object};
use super::{Authority, NOW, PASSPHRASE, World, json};
use crate::consent::{Registration, TrustReason};
use crate::history::Outcome;
use crate::presentation::{Asking, Refused};
use crate::text::PlainText;
use crate::trust::{OtherVerifiers, RegisteredVerifier, UnvouchedVerifiers};

const REPLY: &str = "https://shop.example.com/vp/response/1";

fn key(seed: u64) -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed))
}

impl World {
    /// A world with a card, whose wallet believes these verifiers too.
    async fn believing(others: OtherVerifiers) -> Self {
        let mut world = Self::new();
        world.add().await.unwrap();
        world.config.trust.other_verifiers = others;
        world.wallet = world.reopen(PASSPHRASE).await.unwrap();
        world
    }

    async fn asking_unvouched() -> Self {
        Self::believing(OtherVerifiers {
            unvouched: UnvouchedVerifiers::Ask,
            unencrypted: true,
            ..OtherVerifiers::default()
        })
        .await
    }

    /// The scripted request under another identifier, signed with another key.
    async fn ask_as(
        &self,
        client_id: &str,
        header: Header,
        key: &SigningKey,
        document: Option<&HttpResponse>,
    ) -> Result<Asking, Box<Refused>> {
        let id = url::form_urlencoded::byte_serialize(client_id.as_bytes()).collect::<String>();
        let link =
            format!("openid4vp://?client_id={id}&request_uri=https%3A%2F%2Fshop.example.com%2Fr");
        let mut fetching = self.wallet.present(&link).map_err(|e| Box::new(e.into()))?;
        assert_eq!(fetching.document_request().is_some(), document.is_some());
        if let Some(document) = document {
            fetching.resolve(document);
        }
        let mut claims = self.verifier.claims(fetching.request());
        claims["client_id"] = value!(client_id);
        let compact = jws::sign(&header, &claims, key).await.unwrap();
        fetching.receive(&object(compact))
    }
}

#[tokio::test]
async fn a_registered_verifier_is_shown_by_its_name() {
    let own = key(5);
    let jwk = own.public_key().to_jwk();
    let world = World::believing(OtherVerifiers {
        registered: vec![RegisteredVerifier {
            client_id: "library".to_owned(),
            name: "The Library".to_owned(),
            keys: JwkSet::from_value(&value!({ "keys": [jwk] })).unwrap(),
        }],
        ..OtherVerifiers::default()
    })
    .await;
    let header = || Header::new(TokenType::RequestObject);
    let asking = world.ask_as("library", header(), &own, None).await.unwrap();
    let verifier = asking.consent(&["en"]).verifier;
    assert_eq!(verifier.trust, TrustReason::Registered);
    assert_eq!(verifier.name.as_str(), "The Library");
    let refused = world.ask_as("museum", header(), &own, None).await;
    assert_eq!(refused.unwrap_err().error.code(), "client_id_unregistered");
}

#[tokio::test]
async fn a_verifier_with_but_a_did_is_shown_as_one_that_nobody_vouches_for() {
    let own = key(6);
    let did = did::jwk::encode(own.public_key());
    let client_id = format!("decentralized_identifier:{did}");
    let header = || Header::new(TokenType::RequestObject).with_kid(format!("{did}#0"));
    let world = World::asking_unvouched().await;
    let asking = world
        .ask_as(&client_id, header(), &own, None)
        .await
        .unwrap();
    let verifier = asking.consent(&["en"]).verifier;
    assert!(matches!(verifier.trust, TrustReason::Did { .. }));
    assert_eq!(verifier.name.as_str(), "shop.example.com");
    // What it calls itself may be the name of somebody else.
    assert_eq!(verifier.calls_itself, None);

    let strict = World::believing(OtherVerifiers::default()).await;
    let refused = strict.ask_as(&client_id, header(), &own, None).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.error.code(), "verifier_not_trusted");
    assert!(refused.notify.is_none());
}

#[tokio::test]
async fn the_document_of_a_did_on_the_web_is_fetched_by_the_host() {
    let own = key(7);
    let did = "did:web:shop.example.com";
    let client_id = format!("decentralized_identifier:{did}");
    let kid = format!("{did}#1");
    let header = || Header::new(TokenType::RequestObject).with_kid(kid.clone());
    let world = World::asking_unvouched().await;
    let link = format!("openid4vp://?client_id={client_id}&request_uri=https://shop.example.com/r");
    let fetching = world.wallet.present(&link).unwrap();
    let wanted = fetching.document_request().unwrap();
    assert_eq!(
        wanted.url.as_str(),
        "https://shop.example.com/.well-known/did.json"
    );
    let good = json(
        200,
        &value!({
            "id": did,
            "verificationMethod": [{
                "id": kid, "type": "JsonWebKey", "controller": did,
                "publicKeyJwk": own.public_key().to_jwk(),
            }],
            "authentication": [kid],
        }),
    );
    let asking = world.ask_as(&client_id, header(), &own, Some(&good)).await;
    assert!(asking.is_ok());
    for bad in [
        json(404, &value!({})),
        json(200, &value!({"id": "did:web:other.example"})),
    ] {
        let refused = world.ask_as(&client_id, header(), &own, Some(&bad)).await;
        assert_eq!(refused.unwrap_err().error.code(), "verifier_did_unresolved");
    }
    // Nothing inside a private network is asked.
    for did in ["did:web:localhost", "did:web:printer.local"] {
        let link = format!(
            "openid4vp://?client_id=decentralized_identifier:{did}&request_uri=https://shop.example.com/r"
        );
        assert!(world.wallet.present(&link).is_err(), "{did}");
    }
}

#[tokio::test]
async fn a_request_in_a_link_is_answered_where_the_link_says() {
    let mut world = World::asking_unvouched().await;
    world.verifier.client(&format!("redirect_uri:{REPLY}"));
    let parameters = |world: &World, edit: fn(&mut Value)| {
        let mut claims = world.verifier.claims_alone();
        for name in ["aud", "iat", "exp"] {
            claims.as_object_mut().unwrap().remove(name);
        }
        edit(&mut claims);
        let mut link = url::form_urlencoded::Serializer::new(String::new());
        for (name, parameter) in claims.as_object().unwrap() {
            let text = parameter.as_str().map(str::to_owned);
            link.append_pair(name, &text.unwrap_or_else(|| parameter.to_string()));
        }
        format!("openid4vp://?{}", link.finish())
    };
    let link = parameters(&world, |_| {});
    let asking = world.wallet.present_by_value(&link).unwrap().unwrap();
    let consent = asking.consent(&["en"]);
    assert_eq!(consent.verifier.trust, TrustReason::Address);
    assert_eq!(consent.verifier.host, "shop.example.com");
    assert_eq!(consent.verifier.calls_itself, None);
    let submitting = asking.respond(&consent.suggested).await.unwrap();
    assert_eq!(submitting.request().url.as_str(), REPLY);
    // Bound to this identifier: to the same verifier under its certificate it says nothing.
    let refused = world.verifier.verify(submitting.request()).await;
    assert_eq!(refused.unwrap_err().code(), "kb_audience");
    // In the open, where that is asked for and allowed.
    let open = parameters(&world, |claims| {
        claims["response_mode"] = value!("direct_post")
    });
    let asking = world.wallet.present_by_value(&open).unwrap().unwrap();
    let suggested = asking.consent(&["en"]).suggested;
    let submitting = asking.respond(&suggested).await.unwrap();
    let form: Vec<_> = url::form_urlencoded::parse(&submitting.request().body).collect();
    let names: Vec<_> = form.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["vp_token", "state"]);
    let token: Value = serde_json::from_str(&form[0].1).unwrap();
    let shown = token["card"].as_array().unwrap();
    assert_eq!(shown.len(), 1);
    let binding = shown[0].as_str().unwrap().rsplit('~').next().unwrap();
    let binding = b64url_decode(binding.split('.').nth(1).unwrap()).unwrap();
    let binding: Value = serde_json::from_slice(&binding).unwrap();
    assert_eq!(binding["aud"], format!("redirect_uri:{REPLY}"));

    let twice = format!("{link}&nonce=other");
    let refused = world.wallet.present_by_value(&twice).unwrap().unwrap_err();
    assert_eq!(refused.error.code(), "link_duplicate_parameter");
    let elsewhere = parameters(&world, |c| {
        c["response_uri"] = value!("https://evil.example/r")
    });
    let refused = world
        .wallet
        .present_by_value(&elsewhere)
        .unwrap()
        .unwrap_err();
    assert_eq!(refused.error.code(), "client_id_mismatch");
    assert!(refused.notify.is_none());
    let private = parameters(&world, |claims| {
        claims["client_id"] = value!("redirect_uri:https://192.168.1.1/r");
        claims["response_uri"] = value!("https://192.168.1.1/r");
    });
    assert!(world.wallet.present_by_value(&private).unwrap().is_err());
    // A link that names a request is not for this way, and a strict wallet knows no such way.
    assert!(
        world
            .wallet
            .present_by_value(&world.verifier.link())
            .is_none()
    );
    world.config.trust.other_verifiers = OtherVerifiers::default();
    world.wallet = world.reopen(PASSPHRASE).await.unwrap();
    assert!(world.wallet.present_by_value(&link).is_none());
    assert!(world.wallet.present(&link).is_err());
}

#[tokio::test]
async fn a_verifier_that_was_shown_a_card_is_known_and_asks_all_the_same() {
    let mut world = World::new();
    world.add().await.unwrap();
    let before = world.ask().await.unwrap().consent(&["en"]).verifier;
    assert_eq!(before.last_shown_at, None);
    assert!(world.wallet.verifiers().unwrap().is_empty());
    world.show().await;
    let after = world.ask().await.unwrap().consent(&["en"]);
    assert_eq!(after.verifier.last_shown_at, Some(NOW));
    assert_eq!(after.verifier.id, before.id);
    assert!(!after.questions.is_empty(), "the question is put again");
    let known = world.wallet.verifiers().unwrap();
    assert_eq!((known.len(), known[0].name.as_str()), (1, "Wine Shop"));
}

#[tokio::test]
async fn cat_317_a_blocked_verifier_asks_nothing() {
    let mut world = World::new();
    world.add().await.unwrap();
    let asking = world.ask().await.unwrap();
    let id = asking.consent(&["en"]).verifier.id;
    let history = asking.block().unwrap();
    let entry = world.wallet.history_entry(&history).unwrap();
    assert_eq!(entry.outcome, Outcome::Declined);
    world.wallet = world.reopen(PASSPHRASE).await.unwrap();
    let refused = world.ask().await.unwrap_err();
    assert_eq!(refused.error.code(), "verifier_blocked");
    assert!(refused.notify.is_none() && !refused.ask_first);
    assert_eq!(
        world.wallet.history().unwrap().len(),
        2,
        "nothing is written"
    );
    // Over the API too, where the same certificate asks.
    let shop = "https://shop.example.com";
    let origin = Origin::parse(shop, UrlRule::PublicHttps).unwrap();
    let [signed, unsigned] = world.verifier.for_pages(&origin).await;
    let present = |offer: &vouchsafe_protocol::vp::api::ApiOffer| {
        let protocol = offer.protocol.name();
        world.wallet.present_to_page(shop, protocol, &offer.data)
    };
    assert_eq!(
        present(&signed).unwrap_err().error.code(),
        "verifier_blocked"
    );
    // A request without a signature asks in the name of the same host.
    assert_eq!(
        present(&unsigned).unwrap_err().error.code(),
        "verifier_blocked"
    );
    assert_eq!(world.wallet.verifiers().unwrap().len(), 1);
    world.wallet.unblock_verifier(&id).unwrap();
    present(&unsigned).unwrap().block().unwrap();
    assert_eq!(
        present(&unsigned).unwrap_err().error.code(),
        "verifier_blocked"
    );
    assert!(world.ask().await.is_ok());
    world.wallet.block_verifier(&id).unwrap();
    assert!(world.ask().await.is_err());
    let unknown = crate::verifiers::VerifierId::parse("00").unwrap();
    let error = world.wallet.block_verifier(&unknown).unwrap_err();
    assert_eq!(error.code(), "verifier_unknown");
}

/// The scripted request in a link, of nobody but the address that it goes to.
fn link_of(world: &World, address: &str) -> String {
    let mut claims = world.verifier.claims_alone();
    for name in ["aud", "iat", "exp"] {
        claims.as_object_mut().unwrap().remove(name);
    }
    claims["client_id"] = value!(format!("redirect_uri:{address}"));
    claims["response_uri"] = value!(address);
    let mut link = url::form_urlencoded::Serializer::new(String::new());
    for (name, parameter) in claims.as_object().unwrap() {
        let text = parameter.as_str().map(str::to_owned);
        link.append_pair(name, &text.unwrap_or_else(|| parameter.to_string()));
    }
    format!("openid4vp://?{}", link.finish())
}

#[tokio::test]
async fn cat_317_no_other_spelling_of_an_address_evades_a_block() {
    let world = World::asking_unvouched().await;
    let present = |address: &str| {
        let asked = world.wallet.present_by_value(&link_of(&world, address));
        asked.unwrap().map_err(|refused| refused.error.code())
    };
    present(REPLY).unwrap().block().unwrap();
    for variant in [
        REPLY,
        "https://shop.example.com/vp/response/2",
        "https://shop.example.com/vp/response/1?n=2",
        "https://SHOP.example.com/vp/response/1",
        "https://shop.example.com:8443/vp/response/1",
        "https://shop.example.com./vp/response/1",
    ] {
        assert_eq!(
            present(variant).unwrap_err(),
            "verifier_blocked",
            "{variant}"
        );
    }
    assert!(present("https://bar.example.com/vp/response/1").is_ok());
    // Nor does a page of it, nor a DID that it made for the purpose.
    let shop = "https://shop.example.com";
    for origin in [shop, "https://shop.example.com:8443"] {
        let parsed = Origin::parse(origin, UrlRule::PublicHttps).unwrap();
        let [_, unsigned] = world.verifier.for_pages(&parsed).await;
        let protocol = unsigned.protocol.name();
        let refused = world
            .wallet
            .present_to_page(origin, protocol, &unsigned.data);
        assert_eq!(
            refused.unwrap_err().error.code(),
            "verifier_blocked",
            "{origin}"
        );
    }
    for seed in [6, 7] {
        let own = key(seed);
        let did = did::jwk::encode(own.public_key());
        let header = Header::new(TokenType::RequestObject).with_kid(format!("{did}#0"));
        let id = format!("decentralized_identifier:{did}");
        let refused = world.ask_as(&id, header, &own, None).await.unwrap_err();
        assert_eq!(refused.error.code(), "verifier_blocked");
        assert!(refused.notify.is_none());
    }
    // Who has a certificate of an authority is another party than who has but this address.
    assert!(world.ask().await.is_ok());
}

#[tokio::test]
async fn cat_317_a_blocked_verifier_is_not_even_told_what_is_wrong() {
    let mut world = World::asking_unvouched().await;
    let own = key(6);
    let did = did::jwk::encode(own.public_key());
    let id = format!("decentralized_identifier:{did}");
    let header = || Header::new(TokenType::RequestObject).with_kid(format!("{did}#0"));
    // A request that breaks a rule, with a signature that holds.
    world.verifier.edit_request = |claims| drop(claims.as_object_mut().unwrap().remove("nonce"));
    let refused = world.ask_as(&id, header(), &own, None).await.unwrap_err();
    assert!(refused.notify.is_some());
    let refused = world.ask().await.unwrap_err();
    assert_eq!(refused.error.code(), "request_parameter");
    assert!(refused.notify.is_some());

    world.verifier.edit_request = |_| {};
    world.ask().await.unwrap().block().unwrap();
    let written = world.wallet.history().unwrap().len();
    world.verifier.edit_request = |claims| drop(claims.as_object_mut().unwrap().remove("nonce"));
    for refused in [
        world.ask().await.unwrap_err(),
        world.ask_as(&id, header(), &own, None).await.unwrap_err(),
    ] {
        assert_eq!(refused.error.code(), "verifier_blocked");
        assert!(refused.notify.is_none() && !refused.ask_first);
    }
    assert_eq!(world.wallet.history().unwrap().len(), written);
}

#[tokio::test]
async fn cat_317_a_block_of_an_earlier_version_holds() {
    let world = World::asking_unvouched().await;
    let link = link_of(&world, REPLY);
    let asking = world.wallet.present_by_value(&link).unwrap().unwrap();
    let mut known = crate::verifiers::KnownVerifier::new(&asking.consent(&["en"]).verifier);
    known.id = crate::verifiers::VerifierId::of(&format!("redirect_uri:{REPLY}"));
    known.blocked_at = Some(NOW);
    world.wallet.verifier_store().save(&known).unwrap();
    let refused = world.wallet.present_by_value(&link).unwrap().unwrap_err();
    assert_eq!(refused.error.code(), "verifier_blocked");
}

#[tokio::test]
async fn cat_442_more_than_is_registered_is_a_warning() {
    let access = Authority::new("Access CA");
    let registrars = Authority::new("Registrar CA");
    let registrar = registrars.leaf("Registrar", "registrar.example");
    let mut world = World::new();
    world.add().await.unwrap();
    world.verifier = ScriptedVerifier::new(
        access.organization("Wine Shop", "shop.example.com", "LEIXG-1"),
        access.anchors(Role::Issuer),
    );
    world.config.trust.verifiers = access.anchors(Role::VerifierAccess);
    world.config.trust.other_verifiers.registrars = Some(registrars.anchors(Role::Registrar));
    world.wallet = world.reopen(PASSPHRASE).await.unwrap();
    let ask = async |claims: &[&str]| {
        let paths: Vec<Value> = claims.iter().map(|name| value!({"path": [name]})).collect();
        let certificate = value!({
            "sub": "LEIXG-1", "iat": NOW.seconds(),
            "purpose": [{"lang": "en", "value": "Member prices"}],
            "credentials": [{
                "format": "dc+sd-jwt", "meta": "urn:vouchsafe:membership:1", "claim": paths,
            }],
        });
        let header = Header::new(TokenType::RegistrationCertificate).with_x5c(&registrar.chain);
        let jwt = jws::sign(&header, &certificate, &registrar.key)
            .await
            .unwrap();
        let fetching = world.wallet.present(&world.verifier.link()).unwrap();
        let mut claims = world.verifier.claims(fetching.request());
        claims["verifier_info"] = value!([{"format": "registration_cert", "data": jwt}]);
        let leaf = world.verifier.leaf();
        let header = Header::new(TokenType::RequestObject).with_x5c(&leaf.chain);
        let compact = jws::sign(&header, &claims, &leaf.key).await.unwrap();
        let asking = fetching.receive(&object(compact)).unwrap();
        asking.consent(&["en"]).registration
    };
    let registered = |beyond: &[&str]| Registration::Registered {
        purpose: Some(PlainText::new("Member prices")),
        beyond: beyond.iter().map(|text| PlainText::new(text)).collect(),
    };
    assert_eq!(ask(&["tier"]).await, registered(&[]));
    assert_eq!(ask(&["member_id"]).await, registered(&["Membership level"]));
    let none_came = world.ask().await.unwrap().consent(&["en"]).registration;
    assert_eq!(none_came, Registration::Unknown);
}

//! Answers over the Digital Credentials API, and what is confused with them (OpenID4VP 1.0,
//! appendix A).

use vouchsafe_credentials::mdoc::SessionTranscript;

use super::mdoc::{Licences, in_list, licences};
use super::world::*;
use crate::vp::answer::make_api_response;
use crate::vp::api::{ApiAnswer, ApiOffer, NewApiRequest, Origin, Protocol, signed, unsigned};
use crate::vp::request::{ApiRequest, Identity, verify_api_request};

const ORIGIN: &str = "https://verifier.example";
const SIGNED: &[Protocol] = &[Protocol::Signed];

fn origin(text: &str) -> Origin {
    Origin::parse(text, UrlRule::PublicHttps).unwrap()
}

fn answer(protocol: &str, data: &Value) -> ApiAnswer {
    let body = json!({"protocol": protocol, "data": data}).to_string();
    ApiAnswer::parse(body.as_bytes()).unwrap()
}

/// The transaction of a world, put over the API.
fn over_api<'a>(
    world: &'a World,
    origin: &'a Origin,
    protocols: &'a [Protocol],
    key: Option<&'a AgreementKey>,
) -> Transaction<'a> {
    Transaction {
        way: Way::Api {
            origin,
            client_id: &world.client_id,
            protocols,
            key,
        },
        ..world.transaction()
    }
}

/// The code of an answer that is refused, before anybody's status was asked for.
async fn refused(world: &World, answer: &ApiAnswer, transaction: &Transaction<'_>) -> &'static str {
    let received = Received::Returned(answer);
    let outcome = verify_presentation(received, transaction, &world.policy()).await;
    assert_eq!(world.statuses.calls.load(Ordering::SeqCst), 0);
    outcome.unwrap_err().code()
}

async fn accepted(world: &World, answer: &ApiAnswer, transaction: &Transaction<'_>) {
    let received = Received::Returned(answer);
    let outcome = verify_presentation(received, transaction, &world.policy()).await;
    assert!(outcome.is_ok(), "{:?}", outcome.unwrap_err());
}

/// A presentation of the age proof for this audience.
async fn shown_to(world: &World, audience: &str) -> String {
    let held = world.age_proof().await;
    let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let nonce = world.nonce.as_str();
    world
        .bound(&held, paths, audience, nonce, &world.holder)
        .await
}

/// `data` of an answer, closed as a request of the world wants it.
fn closed(world: &World, payload: &Value) -> Value {
    json!({"response": world.encrypt(payload).as_str()})
}

async fn offers(world: &World) -> [ApiOffer; 2] {
    let new = NewApiRequest {
        nonce: &world.nonce,
        query: &world.query,
        transaction_data: &world.transaction_data,
        encryption_key: Some(world.encryption.public_key()),
        client_name: None,
        purpose: None,
    };
    let identity = Identity::x509_hash(&world.verifier.chain);
    let key = &world.verifier.key;
    let times = (NOW, NOW.plus(120));
    let signed = signed(&new, &[origin(ORIGIN)], times, &identity, key).await;
    [signed.unwrap(), unsigned(&new)]
}

fn read(world: &World, offer: &ApiOffer, from: &str) -> ApiRequest {
    let policy = WalletPolicy {
        anchors: &world.access.anchors(Role::VerifierAccess),
        crypto: &Portable,
        now: NOW,
        urls: UrlRule::PublicHttps,
    };
    verify_api_request(offer.protocol.name(), &offer.data, &origin(from), &policy).unwrap()
}

/// The wallet's whole way from request to answer.
async fn by_wallet(world: &World, request: &ApiRequest) -> ApiAnswer {
    let proof = world.age_proof().await;
    let candidate = HeldCandidate::new(&proof);
    let found = find_matches(request.query(), &[&candidate]).unwrap();
    let selection = found.smallest();
    let presented: Vec<Presented<'_>> = selection
        .picks()
        .iter()
        .map(|pick| Presented {
            query: &pick.query,
            credential: (&proof).into(),
            claims: &pick.claims,
            signer: &world.holder,
        })
        .collect();
    let made = make_api_response(request, &presented, &Portable, &SeededRng::new(6), NOW).await;
    answer(request.protocol(), &made.unwrap())
}

#[tokio::test]
async fn an_answer_of_the_wallet_is_accepted_signed_and_unsigned() {
    let world = World::new(ages()).await;
    let here = origin(ORIGIN);
    for offer in offers(&world).await {
        let request = read(&world, &offer, ORIGIN);
        let answer = by_wallet(&world, &request).await;
        let protocols = &[offer.protocol];
        let transaction = over_api(&world, &here, protocols, Some(&world.encryption));
        let received = Received::Returned(&answer);
        let verified = verify_presentation(received, &transaction, &world.policy()).await;
        let verified = verified.unwrap();
        let age = verified.credential("age").unwrap();
        let over = age.claim(&path(&["age_equal_or_over", "18"]));
        assert_eq!(over, Some(&json!(true)));
    }
}

#[tokio::test]
async fn cat_055_the_audience_is_the_origin_with_its_prefix() {
    let world = World::new(ages()).await;
    let here = origin(ORIGIN);
    let transaction = over_api(&world, &here, SIGNED, Some(&world.encryption));
    for audience in [
        world.client_id.as_str(),
        ORIGIN,
        "origin:https://verifier.example/",
        "origin:https://verifier.example:443",
        "origin:http://verifier.example",
        "origin:https://elsewhere.example",
        "x509_san_dns:verifier.example",
    ] {
        let shown = shown_to(&world, audience).await;
        let data = closed(&world, &json!({"vp_token": {"age": [shown]}}));
        let answer = answer("openid4vp-v1-signed", &data);
        let code = refused(&world, &answer, &transaction).await;
        assert_eq!(code, "kb_audience", "{audience}");
    }
    let shown = shown_to(&world, &here.audience()).await;
    let data = closed(&world, &json!({"vp_token": {"age": [shown]}}));
    accepted(&world, &answer("openid4vp-v1-signed", &data), &transaction).await;
}

/// What a page of another origin got for the same request is worth nothing here.
#[tokio::test]
async fn an_answer_for_another_origin_is_refused() {
    let world = World::new(ages()).await;
    let [_, unsigned] = offers(&world).await;
    // An unsigned request can be handed out by any page.
    let request = read(&world, &unsigned, "https://attacker.example");
    let answer = by_wallet(&world, &request).await;
    let here = origin(ORIGIN);
    let transaction = over_api(
        &world,
        &here,
        &[Protocol::Unsigned],
        Some(&world.encryption),
    );
    assert_eq!(refused(&world, &answer, &transaction).await, "kb_audience");
}

#[tokio::test]
async fn cat_148_an_answer_of_one_way_is_refused_on_the_other() {
    let world = World::new(ages()).await;
    let here = origin(ORIGIN);
    let transaction = over_api(&world, &here, SIGNED, Some(&world.encryption));
    // Made for `direct_post.jwt`, handed to the page.
    let proof = world.age_proof().await;
    let posted = world.answer(&[(&proof, &world.holder)]).await.unwrap();
    let data = json!({"response": posted.as_str()});
    let returned = answer("openid4vp-v1-signed", &data);
    let code = refused(&world, &returned, &transaction).await;
    assert_eq!(code, "kb_audience");
    // The same, posted for a request over the API; and the reverse.
    let received = world.posted(&posted);
    let outcome = verify_presentation(received, &transaction, &world.policy()).await;
    assert_eq!(outcome.unwrap_err().code(), "response_other_way");
    let [signed, _] = offers(&world).await;
    let good = by_wallet(&world, &read(&world, &signed, ORIGIN)).await;
    let code = refused(&world, &good, &world.transaction()).await;
    assert_eq!(code, "response_other_way");
    // Made for the API, posted to the `response_uri` with the `state`.
    let shown = shown_to(&world, &here.audience()).await;
    let code = world.refused(json!({"age": [shown]})).await;
    assert_eq!(code, "kb_audience");
    accepted(&world, &good, &transaction).await;
}

#[tokio::test]
async fn cat_148_the_handover_of_an_mdoc_is_that_of_the_way() {
    let licences = Licences::new(licences()).await;
    let world = &licences.world;
    let here = origin(ORIGIN);
    let held = licences.licence(&world.holder, in_list().as_ref()).await;
    let key = world.encryption.public_key();
    let other = AgreementKey::generate(&SeededRng::new(77));
    let api = |from: &str, nonce: &str, key: Option<&PublicKey>| {
        SessionTranscript::openid4vp_dc_api(from, nonce, key)
    };
    let nonce = world.nonce.as_str();
    let transaction = over_api(world, &here, SIGNED, Some(&world.encryption));
    let elements = &["age_over_18", "document_number"];
    for transcript in [
        licences.transcript(),
        api("https://elsewhere.example", nonce, Some(key)),
        api("origin:https://verifier.example", nonce, Some(key)),
        api(ORIGIN, "another", Some(key)),
        api(ORIGIN, nonce, None),
        api(ORIGIN, nonce, Some(other.public_key())),
    ] {
        let shown = licences.shown(&held, elements, &transcript, &world.holder);
        let token = json!({"vp_token": {"licence": [shown.await]}});
        let data = closed(world, &token);
        let answer = answer("openid4vp-v1-signed", &data);
        let code = refused(world, &answer, &transaction).await;
        assert_eq!(code, "mdoc_device_auth", "{transcript:?}");
    }
    let transcript = api(ORIGIN, nonce, Some(key));
    let shown = licences.shown(&held, elements, &transcript, &world.holder);
    let token = json!({"vp_token": {"licence": [shown.await]}});
    // The good one is refused where its wallet should have posted it.
    let posted = world.post(token["vp_token"].clone());
    let code = world.verify(&posted).await.unwrap_err().code();
    assert_eq!(code, "mdoc_device_auth");
    let answer = answer("openid4vp-v1-signed", &closed(world, &token));
    accepted(world, &answer, &transaction).await;
}

#[tokio::test]
async fn an_answer_under_another_protocol_is_refused() {
    let world = World::new(ages()).await;
    let here = origin(ORIGIN);
    let transaction = over_api(&world, &here, SIGNED, Some(&world.encryption));
    let shown = shown_to(&world, &here.audience()).await;
    let data = closed(&world, &json!({"vp_token": {"age": [shown]}}));
    let other = answer("openid4vp-v1-unsigned", &data);
    let code = refused(&world, &other, &transaction).await;
    assert_eq!(code, "response_other_protocol");
    for protocol in ["openid4vp", "openid4vp-v1-multisigned", "org-iso-mdoc", ""] {
        let body = json!({"protocol": protocol, "data": data}).to_string();
        let error = ApiAnswer::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), "response_unknown_protocol", "{protocol}");
    }
}

#[tokio::test]
async fn cat_301_an_open_answer_is_refused_where_a_closed_one_was_asked_for() {
    let world = World::new(ages()).await;
    let here = origin(ORIGIN);
    let shown = shown_to(&world, &here.audience()).await;
    let token = json!({"vp_token": {"age": [shown]}});
    let open = answer("openid4vp-v1-signed", &token);
    let wants_closed = over_api(&world, &here, SIGNED, Some(&world.encryption));
    let code = refused(&world, &open, &wants_closed).await;
    assert_eq!(code, "response_not_encrypted");
    let wants_open = over_api(&world, &here, SIGNED, None);
    let closed = answer("openid4vp-v1-signed", &closed(&world, &token));
    let code = refused(&world, &closed, &wants_open).await;
    assert_eq!(code, "response_not_encrypted");
    // Response mode `dc_api`, where it was asked for.
    accepted(&world, &open, &wants_open).await;
}

#[tokio::test]
async fn cat_089_an_encrypted_answer_names_its_recipient_and_its_time() {
    let world = World::new(ages()).await;
    let here = origin(ORIGIN);
    let transaction = over_api(&world, &here, SIGNED, Some(&world.encryption));
    let shown = shown_to(&world, &here.audience()).await;
    let with = |name: &str, value: Value| {
        let mut payload = json!({"vp_token": {"age": [shown]}});
        payload[name] = value;
        answer("openid4vp-v1-signed", &closed(&world, &payload))
    };
    for (name, value, code) in [
        ("exp", json!(1), "response_expired"),
        (
            "nbf",
            json!(NOW.plus(61).seconds()),
            "response_not_yet_valid",
        ),
        (
            "aud",
            json!("https://elsewhere.example"),
            "response_audience",
        ),
        (
            "aud",
            json!(world.response_uri.as_str()),
            "response_audience",
        ),
    ] {
        let code_ = refused(&world, &with(name, value), &transaction).await;
        assert_eq!(code_, code);
    }
    for name in [ORIGIN, &here.audience(), world.client_id.as_str()] {
        accepted(&world, &with("aud", json!(name)), &transaction).await;
    }
    // In an answer that is not encrypted they are members like others, which say nothing.
    let open = json!({"vp_token": {"age": [shown]}, "exp": 1});
    let open = answer("openid4vp-v1-signed", &open);
    accepted(&world, &open, &over_api(&world, &here, SIGNED, None)).await;
}

#[tokio::test]
async fn other_keys_late_answers_and_errors() {
    let world = World::new(ages()).await;
    let here = origin(ORIGIN);
    let transaction = over_api(&world, &here, SIGNED, Some(&world.encryption));
    let shown = shown_to(&world, &here.audience()).await;
    let token = json!({"vp_token": {"age": [shown]}});
    let other = AgreementKey::generate(&SeededRng::new(99));
    let key = other.public_key();
    let sealed = seal(&token, key, Some(&key_id(key)), ContentEncryption::A256Gcm);
    let foreign = answer("openid4vp-v1-signed", &json!({"response": sealed.as_str()}));
    let code = refused(&world, &foreign, &transaction).await;
    assert_eq!(code, "jwe_other_key");

    let good = answer("openid4vp-v1-signed", &closed(&world, &token));
    let late = Transaction {
        expires_at: NOW,
        ..transaction
    };
    let code = refused(&world, &good, &late).await;
    assert_eq!(code, "transaction_expired");

    for data in [
        json!({"vp_token": token["vp_token"], "error": "access_denied"}),
        json!({"vp_token": {}, "error": "access_denied"}),
    ] {
        let both = answer("openid4vp-v1-signed", &closed(&world, &data));
        let code = refused(&world, &both, &transaction).await;
        assert_eq!(code, "response_error_and_token");
    }

    for data in [
        json!({"error": "access_denied"}),
        closed(&world, &json!({"error": "access_denied"})),
    ] {
        let error = answer("openid4vp-v1-signed", &data);
        let received = Received::Returned(&error);
        let outcome = verify_presentation(received, &transaction, &world.policy()).await;
        let Err(PresentationError::Wallet(error)) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(error.code, Some(ErrorCode::AccessDenied));
        assert!(error.belongs_to(&transaction));
    }
}

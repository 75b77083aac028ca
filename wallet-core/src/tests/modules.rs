//! The modules of the OpenID Foundation's wallet plans, each named by its module.

use serde_json::{Value, json as value};
use vouchsafe_credentials::crypto::Signer;
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::api::{MULTI_SIGNED, Origin};

use super::{Authority, World};
use crate::presentation::PageAsking;

const SHOP: &str = "https://shop.example.com";

impl World {
    async fn with_card() -> Self {
        let mut world = Self::new();
        world.add().await.unwrap();
        world
    }

    /// A request that is refused under this code, and what the verifier is told.
    async fn refuses(edit: fn(&mut Value), code: &str, told: Option<&str>) {
        let mut world = Self::with_card().await;
        world.verifier.edit_request = edit;
        world.refused_request(code, told).await;
    }

    /// A request that is answered, and the answer accepted, after this change.
    async fn answers(edit: fn(&mut Value)) {
        let mut world = Self::with_card().await;
        world.verifier.edit_request = edit;
        world.show().await;
    }
}

#[tokio::test]
async fn alternate_happy_flow() {
    World::answers(|claims| {
        claims["iss"] = value!("https://shop.example.com");
        claims["random_parameter"] = value!({"to be": ["ignored"]});
    })
    .await;
    let mut world = World::with_card().await;
    world.verifier.long_values();
    world.show().await;
}

#[tokio::test]
async fn request_uri_method_post() {
    let mut world = World::with_card().await;
    world.verifier.method = "post";
    let fetching = world.wallet.present(&world.verifier.link()).unwrap();
    let posted: Vec<_> = url::form_urlencoded::parse(&fetching.request().body)
        .into_owned()
        .collect();
    let names: Vec<_> = posted.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["wallet_metadata", "wallet_nonce"]);
    let metadata: Value = serde_json::from_str(&posted[0].1).unwrap();
    assert!(metadata["vp_formats_supported"]["mso_mdoc"].is_object());
    world.show().await;
}

#[tokio::test]
async fn ignores_unusable_encryption_key() {
    World::answers(|claims| {
        let keys = &mut claims["client_metadata"]["jwks"]["keys"];
        let keys = keys.as_array_mut().unwrap();
        keys.insert(
            0,
            value!({"kty": "AKP", "alg": "ML-KEM-4096", "kid": "pq", "use": "enc", "pub": "AAAA"}),
        );
        keys.insert(
            0,
            value!({"kty": "MADE-UP", "kid": "odd", "use": "enc", "alg": "ECDH-ES"}),
        );
    })
    .await;
}

#[tokio::test]
async fn fewer_claims_than_available_and_no_claims() {
    let mut world = World::with_card().await;
    let asking = world.ask().await.unwrap();
    let consent = asking.consent(&["en"]);
    let card = consent.option(&consent.suggested.picks[0]).unwrap();
    assert_eq!((card.learns.len(), card.keeps.len()), (1, 2));
    let entry = world.verifier.query["credentials"][0]
        .as_object_mut()
        .unwrap();
    entry.remove("claims");
    world.show().await;
}

fn sets(world: &mut World, required: bool) {
    let card = world.verifier.query["credentials"][0].clone();
    world.verifier.query = value!({
        "credentials": [card, {
            "id": "other",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:nobody:has:this"]},
        }],
        "credential_sets": [
            {"options": [["card"]]},
            {"options": [["other"]], "required": required},
        ],
    });
}

#[tokio::test]
async fn optional_credential_set() {
    let mut world = World::with_card().await;
    sets(&mut world, false);
    world.show().await;
}

#[tokio::test]
async fn negative_test_required_non_matching_credential() {
    let mut world = World::with_card().await;
    sets(&mut world, true);
    world
        .refused_request("no_matching_card", Some("access_denied"))
        .await;
}

#[tokio::test]
async fn negative_test_response_uri_not_client_id() {
    // Under a certificate that names a host: another host. Under `redirect_uri:` see
    // `a_request_in_a_link_is_answered_where_the_link_says`.
    let mut world = World::with_card().await;
    world.verifier.client("x509_san_dns:shop.example.com");
    world.show_bound_elsewhere().await;
    world.verifier.edit_request = |c| c["response_uri"] = value!("https://other.example/r");
    world.refused_request("client_id_mismatch", None).await;
}

impl World {
    /// The verifier of the tests knows itself by its certificate; under another identifier its
    /// request is answered all the same.
    async fn show_bound_elsewhere(&self) {
        let asking = self.ask().await.unwrap();
        let selection = asking.consent(&["en"]).suggested;
        assert!(asking.respond(&selection).await.is_ok());
    }
}

#[tokio::test]
async fn negative_test_invalid_request_object_signature() {
    let world = World::with_card().await;
    let fetching = world.wallet.present(&world.verifier.link()).unwrap();
    let mut response = world.verifier.request_object(fetching.request()).await;
    let dot = response
        .body
        .iter()
        .rposition(|byte| *byte == b'.')
        .unwrap();
    response.body.truncate(dot + 1);
    response.body.extend(std::iter::repeat_n(b'A', 86));
    let refused = fetching.receive(&response).unwrap_err();
    assert_eq!(refused.error.code(), "request_signature_invalid");
    assert!(refused.notify.is_none());
}

#[tokio::test]
async fn negative_test_mismatched_client_id() {
    World::refuses(
        |claims| claims["client_id"] = value!("x509_san_dns:shop.example.com"),
        "client_id_differs",
        None,
    )
    .await;
}

#[tokio::test]
async fn negative_test_redirect_uri_with_direct_post() {
    World::refuses(
        |claims| claims["redirect_uri"] = claims["response_uri"].clone(),
        "redirect_uri_with_direct_post",
        Some("invalid_request"),
    )
    .await;
}

#[tokio::test]
async fn negative_test_missing_nonce() {
    let told = Some("invalid_request");
    World::refuses(
        |claims| drop(claims.as_object_mut().unwrap().remove("nonce")),
        "request_parameter",
        told,
    )
    .await;
    for edit in [
        (|claims: &mut Value| claims["nonce"] = value!("")) as fn(&mut Value),
        |claims| claims["nonce"] = value!("not url safe"),
        |claims| claims["nonce"] = value!(7),
    ] {
        World::refuses(edit, "request_parameter", told).await;
    }
}

#[tokio::test]
async fn negative_test_invalid_client_id_prefix() {
    let world = World::with_card().await;
    for (client_id, code) in [
        ("invalid_scheme:shop.example.com", "client_id_prefix"),
        ("shop", "client_id_unregistered"),
        ("origin:https://shop.example.com", "client_id_origin"),
        (
            "openid_federation:https://shop.example.com",
            "client_id_federation",
        ),
        (
            "redirect_uri:https://shop.example.com/vp/response/1",
            "client_id_redirect_uri",
        ),
        ("verifier_attestation:shop", "verifier_attestation_missing"),
    ] {
        let mut verifier = World::new().verifier;
        let link = format!(
            "openid4vp://?client_id={client_id}&request_uri=https%3A%2F%2Fshop.example.com%2Fr"
        );
        let fetching = world.wallet.present(&link).unwrap();
        verifier.client(client_id);
        let response = verifier.request_object(fetching.request()).await;
        let refused = fetching.receive(&response).unwrap_err();
        assert_eq!(refused.error.code(), code);
        assert!(refused.notify.is_none());
    }
}

#[tokio::test]
async fn negative_test_unknown_transaction_data_type() {
    World::refuses(
        |claims| {
            let entry = value!({"type": "urn:nobody:knows", "credential_ids": ["card"]});
            claims["transaction_data"] = value!([b64url(entry.to_string().as_bytes())]);
        },
        "transaction_data_unsupported",
        Some("invalid_transaction_data"),
    )
    .await;
}

/// A signed request as two parties sign it; of the signatures named here, the bytes are wrong.
async fn two_signatures(world: &World, broken: [bool; 2]) -> Value {
    let origin = Origin::parse(SHOP, UrlRule::PublicHttps).unwrap();
    let [signed, _] = world.verifier.for_pages(&origin).await;
    let object = signed.data["request"].as_str().unwrap();
    let payload = b64url_decode(object.split('.').nth(1).unwrap()).unwrap();
    let mut payload: Value = serde_json::from_slice(&payload).unwrap();
    let members = payload.as_object_mut().unwrap();
    members.remove("verifier_info");
    let own = members.remove("client_id").unwrap();
    let payload = b64url(payload.to_string().as_bytes());
    let other = Authority::new("Other CA").leaf("Shop", "shop.example.com");
    let other_id = format!("x509_hash:{}", other.chain.x509_hash());
    let mut signatures = Vec::new();
    for (position, (leaf, id)) in [(&other, value!(other_id)), (world.verifier.leaf(), own)]
        .into_iter()
        .enumerate()
    {
        let header = value!({
            "alg": "ES256", "typ": "oauth-authz-req+jwt",
            "x5c": leaf.chain.to_x5c(), "client_id": id,
        });
        let protected = b64url(header.to_string().as_bytes());
        let input = format!("{protected}.{payload}");
        let mut signature = leaf.key.sign(input.as_bytes()).await.unwrap();
        if broken[position] {
            signature.fill(1);
        }
        signatures.push(value!({"protected": protected, "signature": b64url(&signature)}));
    }
    value!({"request": {"payload": payload, "signatures": signatures}})
}

fn page(world: &World, origin: &str, data: &Value) -> Result<PageAsking, String> {
    let asking = world.wallet.present_to_page(origin, MULTI_SIGNED, data);
    asking.map_err(|refused| refused.error.code().to_owned())
}

#[tokio::test]
async fn multisigned_one_invalid_signature() {
    let world = World::with_card().await;
    let data = two_signatures(&world, [true, false]).await;
    let asking = page(&world, SHOP, &data).unwrap();
    let consent = asking.consent(&["en"]);
    assert_eq!(consent.verifier.name.as_str(), "Wine Shop");
    let mut answer = asking.respond(&consent.suggested).await.unwrap();
    assert_eq!(answer.protocol, MULTI_SIGNED);
    // Our verifier asks under one name; what it gets is the same.
    answer.protocol = "openid4vp-v1-signed";
    let origin = Origin::parse(SHOP, UrlRule::PublicHttps).unwrap();
    assert!(world.verifier.verify_page(&origin, &answer).await.is_ok());
    for broken in [[true, true], [false, true]] {
        let data = two_signatures(&world, broken).await;
        assert_eq!(
            page(&world, SHOP, &data).unwrap_err(),
            "request_no_valid_signature"
        );
    }
}

#[tokio::test]
async fn negative_test_wrong_expected_origins() {
    let world = World::with_card().await;
    let data = two_signatures(&world, [false, false]).await;
    let refused = page(&world, "https://evil.example", &data).unwrap_err();
    assert_eq!(refused, "request_wrong_origin");
}

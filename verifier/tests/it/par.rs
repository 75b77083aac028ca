//! Pushed authorization requests.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures::future::join_all;
use serde_json::json;
use url::Url;

use crate::world::browser::send;
use crate::world::pki::ClientKey;
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, same_device, wallet_link};
use crate::world::{NOW, OP, on_each_database, on_sqlite};
use vouchsafe_protocol::oauth::pushed::PREFIX;
use vouchsafe_service::db::DbError;
use vouchsafe_service::seal::{Place, Sealer};
use vouchsafe_service::single_use::{self, Kind, NewObject};

#[tokio::test]
async fn rfc_9126_a_pushed_request_logs_a_person_in_and_nothing_beside_it_counts() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        for rp in [world.shop(), world.spa()] {
            let address = rp.push("openid membership", &[]).await;
            // Section 4: the parameters beside say nothing.
            let address = format!("{address}&scope=openid&state=evil&nonce=evil&prompt=none");
            let answer = same_device(&mut world.browser(), &wallet, &address).await;
            let tokens = rp.tokens(&rp.code(&answer)).await;
            assert_eq!(tokens.userinfo["membership_tier"], "gold");
        }
    })
    .await;
}

#[tokio::test]
async fn rfc_9126_section_2_1_what_would_be_refused_is_not_kept() {
    on_sqlite(async |world| {
        let shop = world.shop();
        let cases: [(&[(&str, &str)], &str); 10] = [
            (
                &[("redirect_uri", "https://evil.example/cb")],
                "invalid_request",
            ),
            (&[("redirect_uri", "")], "invalid_request"),
            (&[("response_type", "token")], "unsupported_response_type"),
            (&[("code_challenge", "")], "invalid_request"),
            (&[("request_uri", "urn:x")], "invalid_request"),
            (&[("request", "x")], "request_not_supported"),
            (&[("prompt", "none login")], "invalid_request"),
            (&[("id_token_hint", "x")], "invalid_request"),
            (&[("max_age", "x")], "invalid_request"),
            // RFC 9449, section 10: the code could never be redeemed.
            (&[("dpop_jkt", "x")], "invalid_request"),
        ];
        for (extra, error) in cases {
            let answer = shop.pushed("openid membership", extra).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{extra:?}");
            assert_eq!(answer.json()["error"], error, "{extra:?}");
            assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        }
        let answer = shop.pushed("openid admin", &[]).await;
        assert_eq!(answer.json()["error"], "invalid_scope");
        // Section 2: as at the token endpoint.
        let wrong = RelyingParty::new(world.router(), "shop", Some("wrong"), shop.redirect_uri);
        let answer = wrong.pushed("openid membership", &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json()["error"], "invalid_client");
        // Section 2.3, and catalogue 115.
        let get = Request::get("/par").body(Body::empty()).unwrap();
        let answer = send(&world.router(), get).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        let answer = shop.post("/par?scope=openid", &[]).await;
        assert_eq!(answer.json()["error"], "invalid_request");
    })
    .await;
}

#[tokio::test]
async fn rfc_9126_section_2_2_a_request_ends_and_is_of_one_client() {
    on_sqlite(async |world| {
        let refused = "a request that we cannot answer";
        let shop = world.shop();
        let address = shop.push("openid membership", &[]).await;
        let stolen = address.replace("client_id=shop", "client_id=cafe");
        let answer = world.browser().get(&stolen).await;
        answer.assert_page(StatusCode::BAD_REQUEST, refused);
        begin(&mut world.browser(), &address).await;
        world.clock.advance(60);
        let answer = world.browser().get(&address).await;
        answer.assert_page(StatusCode::BAD_REQUEST, refused);
        // Catalogue 376: an address of the client's own is never fetched.
        let address = shop.authorize("openid age", &[("request_uri", "https://x.example")]);
        let answer = world.browser().get(&address).await;
        assert_eq!(shop.error(&answer), "request_uri_not_supported");
    })
    .await;
}

#[tokio::test]
async fn rfc_9126_section_7_3_one_request_brings_one_code() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let shop = world.shop();
        let address = shop.push("openid membership", &[]).await;
        // It may be loaded again before that, and two browsers may have it.
        let (mut one, mut two) = (world.browser(), world.browser());
        begin(&mut one, &address).await;
        let (_, first) = begin(&mut one, &address).await;
        let (_, second) = begin(&mut two, &address).await;
        let first = wallet.follow(&wallet_link(&first)).await;
        let second = wallet.follow(&wallet_link(&second)).await;
        shop.code(&one.get(&first).await);
        let answer = two.get(&second).await;
        assert!(
            answer.headers.get(header::LOCATION).is_none() || !answer.location().contains("code="),
            "{}",
            answer.body
        );
        let answer = world.browser().get(&address).await;
        answer.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
    })
    .await;
}

#[tokio::test]
async fn of_twenty_answers_from_a_session_to_one_pushed_request_one_has_a_code() {
    on_each_database(async |world| {
        let wallet = world.person("M-1").await;
        let spa = world.spa();
        let mut browser = world.browser();
        let answer = same_device(&mut browser, &wallet, &spa.authorize("openid", &[])).await;
        spa.code(&answer);
        let address = spa.push("openid", &[("prompt", "none")]).await;
        let cookie = browser.cookie("vs_op_session").unwrap().to_owned();
        let answers = join_all((0..20).map(|_| async {
            let mut browser = world.browser();
            browser.set_cookie("vs_op_session", &cookie);
            browser.get(&address).await
        }))
        .await;
        let codes = answers
            .iter()
            .filter(|answer| answer.headers.contains_key(header::LOCATION))
            .filter(|answer| answer.location().contains("code="));
        assert_eq!(codes.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn rfc_9126_section_6_a_client_that_must_push_is_served_no_other_request() {
    on_sqlite(async |world| {
        let fleet = RelyingParty::new(world.router(), "fleet", None, "https://fleet.example/cb");
        let address = fleet.authorize("openid membership", &[]);
        let answer = world.browser().get(&address).await;
        assert_eq!(fleet.error(&answer), "invalid_request");
        let answer = fleet.pushed("openid membership", &[]).await;
        assert_eq!(answer.json(), json!({ "error": "invalid_client" }));
        let key = ClientKey::new();
        let uri = "https://fleet.example/jwks";
        world.network.publish_keys(uri, Some(key.jwks()));
        let exp = NOW.seconds() + 60;
        let claims = json!({ "iss": "fleet", "sub": "fleet", "aud": OP, "jti": "1", "exp": exp });
        let assertion = key.sign(&claims);
        let jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let proof = [
            ("client_assertion_type", jwt_bearer),
            ("client_assertion", assertion.as_str()),
        ];
        let address = fleet.push("openid membership", &proof).await;
        let wallet = world.person("M-1").await;
        let answer = same_device(&mut world.browser(), &wallet, &address).await;
        fleet.code(&answer);
    })
    .await;
}

#[tokio::test]
async fn a_pushed_request_is_no_longer_and_kept_no_longer_than_it_serves() {
    on_each_database(async |world| {
        let shop = world.shop();
        // Each of them is short enough.
        let (value, name) = ("s".repeat(2048), "c".repeat(6000));
        let claims = json!({ "userinfo": { name: null } }).to_string();
        let long = [
            ("state", value.as_str()),
            ("nonce", value.as_str()),
            ("claims", claims.as_str()),
        ];
        let answer = shop.pushed("openid membership", &long).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(
            answer.json(),
            json!({ "error": "invalid_request", "error_description": "the request is too long" })
        );
        shop.push("openid membership", &[]).await;
        let kept = "SELECT COUNT(*) FROM pushed_request";
        assert_eq!(world.count(kept).await, 1);
        world.clock.advance(60 + 4 * 300);
        world.tick().await;
        assert_eq!(world.count(kept).await, 1);
        world.clock.advance(1);
        world.tick().await;
        assert_eq!(world.count(kept).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_was_pushed_before_its_client_was_written_down_is_still_its() {
    on_sqlite(async |world| {
        let shop = world.shop();
        let text = Url::parse(&shop.authorize("openid membership", &[])).unwrap();
        let request = json!({ "text": text.query().unwrap() });
        let kept = json!({ "request": request, "loadable_until": NOW.seconds() + 60 });
        let secret = "p".repeat(43);
        let place = Place::new(&["pushed_request", "payload"]);
        let sealer = Sealer::under_token("verifier pushed request", &secret);
        let object = NewObject {
            payload: sealer.seal(&place, kept.to_string().as_bytes(), world.rng.as_ref()),
            family: "shop".to_owned(),
            expires_at: NOW.plus(600),
        };
        let address = |client: &str| {
            format!("{OP}/authorize?client_id={client}&request_uri={PREFIX}{secret}")
        };
        let (mine, stolen) = (address("shop"), address("cafe"));
        let put = async move |tx: &mut vouchsafe_service::db::Tx| {
            single_use::put(tx, Kind::PushedRequest, &secret, &object).await
        };
        world
            .db
            .write(put)
            .await
            .map_err(|error: DbError| error)
            .unwrap();
        let answer = world.browser().get(&stolen).await;
        answer.assert_page(StatusCode::BAD_REQUEST, "a request that we cannot answer");
        begin(&mut world.browser(), &mine).await;
    })
    .await;
}

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_credentials::testing::SeededRng;

use super::haip::{ATTESTED, ATTESTED_TOO, Wallet, code_of, haip, profile_text, x5c_signing};
use super::harness::{Answer, Harness, REDIRECT, WALLET, everywhere, with_config};

async fn offer(h: &Harness) -> (String, String) {
    let offer = h.offer(json!({ "grant": "authorization_code" })).await;
    let object = h.offer_object(&offer).await;
    let state = &object["grants"]["authorization_code"]["issuer_state"];
    (
        state.as_str().unwrap().to_owned(),
        offer["one_time_code"].as_str().unwrap().to_owned(),
    )
}

fn request_uri(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["expires_in"], 60);
    body["request_uri"].as_str().unwrap().to_owned()
}

async fn load(h: &Harness, client_id: &str, request_uri: &str) -> Answer {
    let query = [("client_id", client_id), ("request_uri", request_uri)];
    h.get(&format!(
        "/authorize?{}",
        serde_urlencoded::to_string(query).unwrap()
    ))
    .await
}

fn set(name: &'static str, value: impl Into<String>) -> impl Fn(&mut Vec<(&'static str, String)>) {
    let value = value.into();
    move |request| {
        request.retain(|(n, _)| *n != name);
        if !value.is_empty() {
            request.push((name, value.clone()));
        }
    }
}

#[tokio::test]
async fn a_pushed_request_is_used_up_with_its_code_and_not_before() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let (state, typed) = offer(&h).await;
        let uri = request_uri(&wallet.push(set("issuer_state", state)).await);
        assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:") && uri.len() >= 34 + 43);
        // Loaded twice, a wrong code in between: nothing is used up.
        assert_eq!(load(&h, ATTESTED, &uri).await.status, 200);
        let page = load(&h, ATTESTED, &uri).await;
        assert_eq!(wallet.type_code(&page, "2222-2222").await.status, 422);
        let code = code_of(&wallet.type_code(&page, &typed).await);
        assert_eq!(load(&h, ATTESTED, &uri).await.status, 400);
        assert_eq!(wallet.redeem(&code, |_, _| {}).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn one_pushed_request_brings_one_code() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let (state, typed) = offer(&h).await;
        let uri = request_uri(&wallet.push(set("issuer_state", state)).await);
        let (one, two) = (
            load(&h, ATTESTED, &uri).await,
            load(&h, ATTESTED, &uri).await,
        );
        code_of(&wallet.type_code(&one, &typed).await);
        assert_eq!(wallet.type_code(&two, &typed).await.status, 410);
    })
    .await;
}

#[tokio::test]
async fn a_pushed_request_ends_and_is_of_one_client() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let (state, typed) = offer(&h).await;
        let uri = request_uri(&wallet.push(set("issuer_state", state)).await);
        let answer = load(&h, ATTESTED_TOO, &uri).await;
        assert_eq!(answer.status, 400);
        assert!(answer.headers.get("location").is_none());
        for foreign in [
            "https://evil.example/r",
            "urn:ietf:params:oauth:request_uri:x",
            &uri[1..],
        ] {
            assert_eq!(load(&h, ATTESTED, foreign).await.status, 400, "{foreign}");
        }
        let page = load(&h, ATTESTED, &uri).await;
        h.clock.advance(60);
        assert_eq!(load(&h, ATTESTED, &uri).await.status, 400);
        // Who saw the page in time may take a while to type.
        h.clock.advance(300);
        code_of(&wallet.type_code(&page, &typed).await);
    })
    .await;
}

#[tokio::test]
async fn cat_242_a_request_that_was_not_pushed_is_refused() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let (state, _) = offer(&h).await;
        let query = serde_urlencoded::to_string(wallet.request(Some(&state))).unwrap();
        let answer = h.get(&format!("/authorize?{query}")).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let url = Url::parse(answer.header("location")).unwrap();
        let pairs: Vec<_> = url.query_pairs().collect();
        assert!(
            pairs
                .iter()
                .any(|(n, v)| n == "error" && v == "invalid_request")
        );
        assert!(pairs.iter().any(|(n, v)| n == "state" && v == "s-1"));
        assert!(pairs.iter().any(|(n, _)| n == "iss"));
    })
    .await;
}

#[tokio::test]
async fn cat_244_what_cannot_be_pushed() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        for (name, value, code) in [
            (
                "request_uri",
                "urn:ietf:params:oauth:request_uri:x",
                "invalid_request",
            ),
            ("request_uri", "https://client.example/r", "invalid_request"),
            ("request", "e30.e30.", "request_not_supported"),
            ("redirect_uri", "", "invalid_request"),
            ("redirect_uri", "https://evil.example/cb", "invalid_request"),
            ("code_challenge", "", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge_method", "", "invalid_request"),
            (
                "response_type",
                "code id_token",
                "unsupported_response_type",
            ),
            ("response_type", "token", "unsupported_response_type"),
            ("response_type", "", "invalid_request"),
        ] {
            let answer = wallet.push(set(name, value)).await;
            assert_eq!(answer.error(), (400, code.to_owned()), "{name}={value}");
        }
        let mut twice = wallet.request(None);
        twice.push(("state", "s-2".to_owned()));
        let answer = wallet.send("/par", &twice, &wallet.headers().await).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()));
        for method in ["PUT", "GET"] {
            let request = Request::builder().method(method).uri("/par");
            let answer = h.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 405, "{method}");
        }
        assert_eq!(h.form("/par?a=b", &[]).await.status, 400);
    })
    .await;
}

#[tokio::test]
async fn state_and_nonce_may_be_long_or_absent_and_nothing_beside_the_uri_counts() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        for (name, value) in [
            ("state", "s".repeat(1000)),
            ("state", String::new()),
            ("nonce", "n".repeat(384)),
            ("nonce", "n".repeat(64)),
        ] {
            let (state, typed) = offer(&h).await;
            let answer = wallet
                .push(|request| {
                    set(name, value.clone())(request);
                    request.push(("issuer_state", state.clone()));
                })
                .await;
            let uri = request_uri(&answer);
            let query = [
                ("client_id", ATTESTED),
                ("request_uri", uri.as_str()),
                ("state", "outside"),
                ("redirect_uri", "https://evil.example/cb"),
                ("response_type", "token"),
            ];
            let query = serde_urlencoded::to_string(query).unwrap();
            let page = h.get(&format!("/authorize?{query}")).await;
            let answer = wallet.type_code(&page, &typed).await;
            code_of(&answer);
            let url = Url::parse(answer.header("location")).unwrap();
            assert!(url.as_str().starts_with(REDIRECT));
            let got = url.query_pairs().find(|(n, _)| n == "state");
            let want = match name {
                "state" => value.clone(),
                _ => "s-1".to_owned(),
            };
            assert_eq!(got.map(|(_, v)| v.into_owned()).unwrap_or_default(), want);
        }
    })
    .await;
}

#[tokio::test]
async fn cat_239_the_dpop_key_of_the_pushed_request_binds_the_code() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let jkt = wallet.dpop.public_key().thumbprint();
        let push = async |jkt: Option<&str>, with_proof: bool, state: &str| {
            let mut fields = wallet.request(Some(state));
            fields.extend(jkt.map(|jkt| ("dpop_jkt", jkt.to_owned())));
            let mut headers = wallet.headers().await;
            if with_proof {
                let nonce = wallet.nonce();
                headers.push(("dpop", wallet.dpop_proof("/par", Some(&nonce)).await));
            }
            wallet.send("/par", &fields, &headers).await
        };
        let answer = push(
            Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
            true,
            "x",
        )
        .await;
        assert_eq!(answer.error(), (400, "invalid_dpop_proof".into()));
        for (jkt, with_proof) in [
            (None, true),
            (Some(jkt.as_str()), false),
            (Some(&jkt), true),
        ] {
            let (state, typed) = offer(&h).await;
            let uri = request_uri(&push(jkt, with_proof, &state).await);
            let code = code_of(&wallet.authorize(&uri, &typed).await);
            let mut thief = Wallet::new(&h, ATTESTED, 1);
            thief.dpop = SigningKey::generate(Algorithm::Es256, &SeededRng::new(4242));
            thief.verifier = wallet.verifier.clone();
            let answer = thief.redeem(&code, |_, _| {}).await;
            assert_eq!(answer.error(), (400, "invalid_grant".into()));
            assert_eq!(wallet.redeem(&code, |_, _| {}).await.status, 200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_public_wallet_may_push_where_the_profile_offers_it() {
    everywhere(async |h| {
        let verifier = vouchsafe_protocol::oauth::pkce::CodeVerifier::generate(&*h.rng);
        let (state, typed) = offer(&h).await;
        let challenge = verifier.challenge();
        let fields = [
            ("client_id", WALLET),
            ("response_type", "code"),
            ("redirect_uri", REDIRECT),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
            ("issuer_state", state.as_str()),
        ];
        let uri = request_uri(&h.form("/par", &fields).await);
        let wallet = Wallet::new(&h, WALLET, 1);
        let code = code_of(&wallet.authorize(&uri, &typed).await);
        let fields = [
            ("client_id", WALLET),
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", verifier.as_str()),
        ];
        assert_eq!(h.form("/token", &fields).await.status, 200);
        let answer = h.form("/par", &[("client_id", "nobody.example")]).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()));
    })
    .await;
}

#[tokio::test]
async fn nothing_can_be_pushed_where_the_profile_has_it_not() {
    let client =
        format!("[[client]]\nid = \"{WALLET}\"\nname = \"W\"\nredirect_uris = [\"{REDIRECT}\"]\n");
    let text = profile_text("age-verification", &x5c_signing(), &client);
    with_config(&text, async |h| {
        assert_eq!(h.form("/par", &[("client_id", WALLET)]).await.status, 404);
        let query = [
            ("client_id", WALLET),
            ("redirect_uri", REDIRECT),
            ("request_uri", "urn:ietf:params:oauth:request_uri:x"),
        ];
        let query = serde_urlencoded::to_string(query).unwrap();
        let answer = h.get(&format!("/authorize?{query}")).await;
        assert!(
            answer
                .header("location")
                .contains("request_uri_not_supported")
        );
    })
    .await;
}

/// RFC 9126, section 2.1: what the authorization endpoint would refuse is not kept.
#[tokio::test]
async fn rfc_9126_section_2_1_what_cannot_be_authorized_is_not_kept() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let details = |id: &str| {
            json!([{ "type": "openid_credential", "credential_configuration_id": id }]).to_string()
        };
        for (name, value, code) in [
            ("response_mode", "form_post".to_owned(), "invalid_request"),
            ("issuer_state", "forged".to_owned(), "invalid_request"),
            ("scope", "nothing".to_owned(), "invalid_scope"),
            ("scope", String::new(), "invalid_request"),
            (
                "authorization_details",
                details("no"),
                "invalid_authorization_details",
            ),
            (
                "authorization_details",
                "[".to_owned(),
                "invalid_authorization_details",
            ),
        ] {
            let answer = wallet.push(set(name, value)).await;
            assert_eq!(answer.error(), (400, code.to_owned()), "{name}");
        }
        let (state, _) = offer(&h).await;
        let other = wallet.push(|request| {
            set("issuer_state", state.clone())(request);
            set("scope", "age")(request);
        });
        assert_eq!(other.await.error(), (400, "invalid_scope".into()));
    })
    .await;
}

/// Nobody could prove the key, so the parameter says nothing.
#[tokio::test]
async fn dpop_jkt_means_nothing_where_the_profile_has_no_dpop() {
    let client =
        format!("[[client]]\nid = \"{WALLET}\"\nname = \"W\"\nredirect_uris = [\"{REDIRECT}\"]\n");
    let text = profile_text("age-verification", &x5c_signing(), &client);
    with_config(&text, async |h| {
        let wallet = Wallet::new(&h, WALLET, 1);
        let (state, typed) = offer(&h).await;
        let mut query = wallet.request(Some(&state));
        query.push(("dpop_jkt", wallet.dpop.public_key().thumbprint()));
        let query = serde_urlencoded::to_string(query).unwrap();
        let page = h.get(&format!("/authorize?{query}")).await;
        let code = code_of(&wallet.type_code(&page, &typed).await);
        let fields = [
            ("client_id", WALLET),
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", wallet.verifier.as_str()),
        ];
        let answer = h.form("/token", &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    })
    .await;
}

#[tokio::test]
async fn a_pushed_request_is_kept_without_what_says_nothing_and_no_longer_than_it_serves() {
    haip(async |h| {
        let wallet = Wallet::new(&h, ATTESTED, 1);
        let uri = request_uri(&wallet.push(set("padding", "p".repeat(8000))).await);
        assert_eq!(load(&h, ATTESTED, &uri).await.status, 200);
        let core = h.issuer.core();
        let sizes = async || {
            let rows = vouchsafe_service::db::each!(&core.db, p => sqlx::query_scalar::<_, Vec<u8>>(
                "SELECT payload FROM pushed_request").fetch_all(p).await);
            rows.unwrap().iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert!(sizes().await[0] < 1000);
        h.clock.advance(60 + core.settings.lifetimes.page_s + 1);
        let now = vouchsafe_credentials::time::Clock::now(&*h.clock);
        let purged = core
            .db
            .write(async move |tx| crate::pushed::purge(tx, now).await);
        assert_eq!(purged.await.unwrap(), 1);
        assert!(sizes().await.is_empty());
    })
    .await;
}

/// RFC 6749, section 5.1: the scope is told where it is another one than was asked for.
#[tokio::test]
async fn rfc_6749_section_5_1_the_scope_is_told_where_it_differs() {
    haip(async |h| {
        for (asked, told) in [
            ("membership", None),
            ("membership nothing", Some("membership")),
            ("nothing", Some("membership")),
        ] {
            let wallet = Wallet::new(&h, ATTESTED, 1);
            let (state, typed) = offer(&h).await;
            let answer = wallet.push(|request| {
                set("issuer_state", state.clone())(request);
                set("scope", asked)(request);
            });
            let uri = request_uri(&answer.await);
            let code = code_of(&wallet.authorize(&uri, &typed).await);
            let answer = wallet.redeem(&code, |_, _| {}).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json()["scope"].as_str(), told, "{asked}");
        }
    })
    .await;
}

use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, SigningKey};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::oauth::pkce::CodeVerifier;
use vouchsafe_protocol::oauth::response::{self, Expected};
use vouchsafe_protocol::vci::proof::{self, ProofFor};

use super::harness::{Answer, Harness, ISSUER, REDIRECT, WALLET, everywhere};

/// A prepared record and what a wallet makes of it.
struct Flow {
    offer: Value,
    issuer_state: String,
    verifier: CodeVerifier,
}

/// The code page as a browser has it.
struct Page {
    flow: String,
    cookie: String,
}

async fn prepare(h: &Harness) -> Flow {
    let offer = h.offer(json!({ "grant": "authorization_code" })).await;
    let object = h.offer_object(&offer).await;
    let grant = &object["grants"]["authorization_code"];
    Flow {
        issuer_state: grant["issuer_state"].as_str().unwrap().to_owned(),
        offer,
        verifier: CodeVerifier::generate(&*h.rng),
    }
}

fn query(flow: &Flow) -> Vec<(&'static str, String)> {
    vec![
        ("response_type", "code".into()),
        ("client_id", WALLET.into()),
        ("redirect_uri", REDIRECT.into()),
        ("scope", "membership".into()),
        ("state", "s-1".into()),
        (
            "code_challenge",
            flow.verifier.challenge().as_str().to_owned(),
        ),
        ("code_challenge_method", "S256".into()),
        ("issuer_state", flow.issuer_state.clone()),
    ]
}

async fn authorize(h: &Harness, query: &[(&str, String)]) -> Answer {
    h.get(&format!(
        "/authorize?{}",
        serde_urlencoded::to_string(query).unwrap()
    ))
    .await
}

fn page(answer: &Answer) -> Page {
    let text = &answer.text;
    let from = text
        .split("name=\"flow\" value=\"")
        .nth(1)
        .expect("the page has a form");
    let cookie = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    Page {
        flow: from.split('"').next().unwrap().to_owned(),
        cookie,
    }
}

async fn open_page(h: &Harness, flow: &Flow) -> Page {
    let answer = authorize(h, &query(flow)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    page(&answer)
}

async fn confirm(h: &Harness, page: &Page, code: &str) -> Answer {
    let fields = [
        ("flow", page.flow.as_str()),
        ("code", code),
        ("step", "confirm"),
    ];
    h.form_with("/authorize", &fields, &[("cookie", &page.cookie)])
        .await
}

fn code_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let url = Url::parse(answer.header("location")).unwrap();
    assert!(url.as_str().starts_with(REDIRECT));
    let expected = Expected {
        issuer: ISSUER,
        state: "s-1",
        iss_promised: true,
    };
    response::check(url.query().unwrap(), &expected)
        .unwrap()
        .expose()
        .to_owned()
}

fn error_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let url = Url::parse(answer.header("location")).unwrap();
    let get = |name: &str| {
        url.query_pairs()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.into_owned())
    };
    assert_eq!(get("iss").as_deref(), Some(ISSUER));
    assert!(get("code").is_none());
    get("error").unwrap_or_default()
}

async fn redeem(h: &Harness, code: &str, change: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", WALLET),
        ("redirect_uri", REDIRECT),
        ("code", code),
    ];
    for (name, value) in change {
        fields.retain(|(n, _)| n != name);
        if !value.is_empty() {
            fields.push((name, value));
        }
    }
    h.form("/token", &fields).await
}

fn one_time_code(flow: &Flow) -> &str {
    flow.offer["one_time_code"].as_str().unwrap()
}

#[tokio::test]
async fn with_the_one_time_code_the_card_is_issued() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let page = open_page(&h, &flow).await;
        // As a person types: small letters, spaces.
        let typed = one_time_code(&flow).to_lowercase().replace('-', " ");
        let code = code_of(&confirm(&h, &page, &typed).await);
        let answer = redeem(&h, &code, &[("code_verifier", flow.verifier.as_str())]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let nonce = h.nonce().await;
        let request = ProofFor {
            issuer: ISSUER,
            client_id: Some(WALLET),
            nonce: Some(&nonce),
        };
        let proof = proof::build(&request, &h.holder(1), h.clock.now())
            .await
            .unwrap();
        assert_eq!(h.credential(&token, &[proof]).await.status, 200);
    })
    .await;
}

#[tokio::test]
async fn no_code_without_the_one_time_code() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let page = open_page(&h, &flow).await;
        for left in (1..5).rev() {
            let answer = confirm(&h, &page, "2222-2222").await;
            assert_eq!(answer.status, 422);
            let said = if left == 1 {
                "one more try".into()
            } else {
                format!("{left} more tries")
            };
            assert!(answer.text.contains(&said), "{left}");
        }
        // What cannot be a code does not count.
        assert_eq!(confirm(&h, &page, "").await.status, 422);
        assert_eq!(confirm(&h, &page, "2222-2222").await.status, 403);
        let answer = confirm(&h, &page, one_time_code(&flow)).await;
        assert_eq!(answer.status, 410);
        assert_eq!(
            error_of(&authorize(&h, &query(&flow)).await),
            "invalid_request"
        );
    })
    .await;
}

#[tokio::test]
async fn the_one_time_code_works_once() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let page = open_page(&h, &flow).await;
        code_of(&confirm(&h, &page, one_time_code(&flow)).await);
        assert_eq!(confirm(&h, &page, one_time_code(&flow)).await.status, 410);
    })
    .await;
}

#[tokio::test]
async fn a_form_of_another_browser_or_time_is_refused() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let mine = open_page(&h, &flow).await;
        let other = open_page(&h, &flow).await;
        let code = one_time_code(&flow).to_owned();
        let mixed = Page {
            flow: mine.flow.clone(),
            cookie: other.cookie.clone(),
        };
        assert_eq!(confirm(&h, &mixed, &code).await.status, 400);
        let none = Page {
            flow: mine.flow.clone(),
            cookie: String::new(),
        };
        assert_eq!(confirm(&h, &none, &code).await.status, 400);
        let forged = Page {
            flow: mine.flow[1..].to_owned(),
            cookie: mine.cookie.clone(),
        };
        assert_eq!(confirm(&h, &forged, &code).await.status, 400);
        h.clock.advance(600);
        assert_eq!(confirm(&h, &mine, &code).await.status, 400);
        h.clock.advance(-600);
        code_of(&confirm(&h, &mine, &code).await);
    })
    .await;
}

#[tokio::test]
async fn the_person_can_say_no() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let page = open_page(&h, &flow).await;
        let fields = [("flow", page.flow.as_str()), ("step", "cancel")];
        let answer = h
            .form_with("/authorize", &fields, &[("cookie", &page.cookie)])
            .await;
        assert_eq!(error_of(&answer), "access_denied");
    })
    .await;
}

#[tokio::test]
async fn cat_241_pkce_is_required_and_checked() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let challenge = flow.verifier.challenge();
        for (name, value) in [
            ("code_challenge_method", Some("plain")),
            ("code_challenge_method", None),
            ("code_challenge", None),
        ] {
            let mut query = query(&flow);
            query.retain(|(n, _)| *n != name);
            query.extend(value.map(|value| (name, value.to_owned())));
            assert_eq!(error_of(&authorize(&h, &query).await), "invalid_request");
        }
        let page = open_page(&h, &flow).await;
        let code = code_of(&confirm(&h, &page, one_time_code(&flow)).await);
        let wrong = CodeVerifier::generate(&*h.rng);
        for verifier in ["", wrong.as_str(), challenge.as_str()] {
            let answer = redeem(&h, &code, &[("code_verifier", verifier)]).await;
            assert_eq!(answer.error(), (400, "invalid_grant".into()));
        }
        let answer = redeem(&h, &code, &[("code_verifier", flow.verifier.as_str())]).await;
        assert_eq!(answer.status, 200);
    })
    .await;
}

#[tokio::test]
async fn cat_239_a_code_is_bound_to_client_uri_and_key() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let key = SigningKey::generate(Algorithm::EdDsa, &SeededRng::new(60));
        let jkt = vouchsafe_credentials::crypto::Signer::public_key(&key).thumbprint();
        let mut query = query(&flow);
        query.push(("dpop_jkt", jkt));
        let page = page(&authorize(&h, &query).await);
        let code = code_of(&confirm(&h, &page, one_time_code(&flow)).await);
        let verifier = ("code_verifier", flow.verifier.as_str());
        for change in [
            ("client_id", "other.example"),
            ("redirect_uri", "https://other.example/cb"),
            ("redirect_uri", ""),
            ("state", "no proof of the key"),
        ] {
            let answer = redeem(&h, &code, &[verifier, change]).await;
            assert_eq!(answer.error(), (400, "invalid_grant".into()), "{change:?}");
        }
        let answer = redeem(&h, &code, &[verifier, ("client_id", "nobody")]).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()));
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", WALLET),
            ("redirect_uri", REDIRECT),
            ("code", code.as_str()),
            verifier,
        ];
        let proof = h.dpop(&key, "/token", None).await;
        let answer = h.form_with("/token", &fields, &[("dpop", &proof)]).await;
        assert_eq!(answer.json()["token_type"], "DPoP", "{}", answer.text);
    })
    .await;
}

#[tokio::test]
async fn a_code_used_twice_revokes_what_it_bought() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let page = open_page(&h, &flow).await;
        let code = code_of(&confirm(&h, &page, one_time_code(&flow)).await);
        let verifier = [("code_verifier", flow.verifier.as_str())];
        let token = redeem(&h, &code, &verifier).await.json()["access_token"].clone();
        let again = redeem(&h, &code, &verifier).await;
        assert_eq!(again.error(), (400, "invalid_grant".into()));
        let nonce = h.nonce().await;
        let proof = h.proof(&h.holder(1), &nonce).await;
        let answer = h.credential(token.as_str().unwrap(), &[proof]).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()));
    })
    .await;
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let page = open_page(&h, &flow).await;
        let code = code_of(&confirm(&h, &page, one_time_code(&flow)).await);
        h.clock.advance(60);
        let answer = redeem(&h, &code, &[("code_verifier", flow.verifier.as_str())]).await;
        assert_eq!(answer.error(), (400, "invalid_grant".into()));
    })
    .await;
}

#[tokio::test]
async fn cat_245_issuer_state_authenticates_nobody() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let pre_authorized = h.offer(json!({})).await;
        let foreign = h.code(&pre_authorized).await;
        for state in ["forged", foreign.as_str()] {
            let mut query = query(&flow);
            query.retain(|(name, _)| *name != "issuer_state");
            query.push(("issuer_state", state.to_owned()));
            assert_eq!(
                error_of(&authorize(&h, &query).await),
                "invalid_request",
                "{state}"
            );
        }
        let mut other = query(&flow);
        other.retain(|(name, _)| *name != "scope");
        other.push(("scope", "age".into()));
        assert_eq!(error_of(&authorize(&h, &other).await), "invalid_scope");
    })
    .await;
}

#[tokio::test]
async fn an_unknown_wallet_or_address_is_never_redirected_to() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        for (name, value) in [
            ("client_id", "nobody"),
            ("redirect_uri", "https://evil.example/cb"),
            ("redirect_uri", "https://wallet.example/cb/"),
            ("redirect_uri", ""),
        ] {
            let mut query = query(&flow);
            query.retain(|(n, _)| *n != name);
            query.push((name, value.to_owned()));
            let answer = authorize(&h, &query).await;
            assert_eq!(answer.status, 400, "{name} {value}");
            assert!(answer.headers.get("location").is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn the_page_speaks_the_language_of_the_person() {
    everywhere(async |h| {
        let flow = prepare(&h).await;
        let mut query = query(&flow);
        query.push(("ui_locales", "de".into()));
        let answer = authorize(&h, &query).await;
        assert!(answer.text.contains("Der Verein"), "{}", answer.text);
        assert!(answer.text.contains("Mitgliedskarte"));
        assert!(!answer.text.contains("M-4711"));
        assert!(!answer.text.contains(flow.issuer_state.as_str()));
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("__Host-vs_issuer_flow="), "{cookie}");
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("Secure"),
            "{cookie}"
        );
    })
    .await;
}

//! Operators who sign in at an OpenID Provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{RawForm, State};
use axum::http::Request;
use axum::routing::{get, post};
use axum::{Json, Router, body::Body};
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded;
use vouchsafe_service::jose::{JwtKey, SigningAlg};
use vouchsafe_service::operators::Role;

use super::console::attribute;
use super::harness::{Answer, Harness, ISSUER, NOW, config_text, with_config};

const HOST: &str = "http://localhost:4001";

/// A provider that vouches for whoever it is told.
#[derive(Clone)]
struct Provider {
    issuer: String,
    key: Arc<JwtKey>,
    state: Arc<Mutex<Told>>,
}

#[derive(Default)]
struct Told {
    subject: String,
    auth_time: i64,
    asked: HashMap<String, String>,
}

impl Provider {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: Arc::new(JwtKey::generate(SigningAlg::Es256).unwrap()),
            state: Arc::default(),
        };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(own.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        own
    }

    /// What the person does there: the path that the browser comes back to.
    fn visit(&self, url: &str, subject: &str, auth_time: i64) -> String {
        let url = Url::parse(url).unwrap();
        assert!(url.as_str().starts_with(&self.issuer));
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let mut back = form_urlencoded::Serializer::new(String::new());
        back.append_pair("code", "a code");
        back.append_pair("state", &asked["state"]);
        let back = format!("{}?{}", asked["redirect_uri"], back.finish());
        *self.state.lock().unwrap() = Told {
            subject: subject.to_owned(),
            auth_time,
            asked,
        };
        back.strip_prefix(HOST).unwrap().to_owned()
    }
}

async fn metadata(State(own): State<Provider>) -> Json<Value> {
    Json(json!({
        "issuer": own.issuer,
        "authorization_endpoint": format!("{}/authorize", own.issuer),
        "token_endpoint": format!("{}/token", own.issuer),
        "jwks_uri": format!("{}/jwks", own.issuer),
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }))
}

async fn keys(State(own): State<Provider>) -> Json<Value> {
    Json(json!({ "keys": [own.key.public_jwk()] }))
}

async fn token(State(own): State<Provider>, RawForm(_): RawForm) -> Json<Value> {
    let told = own.state.lock().unwrap();
    let claims = json!({
        "iss": own.issuer, "sub": told.subject, "aud": "console", "iat": NOW.plus(50).0,
        "exp": NOW.plus(300).0, "nonce": told.asked["nonce"], "auth_time": told.auth_time,
    });
    let token = own.key.sign("JWT", claims.as_object().unwrap()).unwrap();
    Json(json!({ "access_token": "t", "token_type": "Bearer", "id_token": token }))
}

/// A browser, cookie by cookie.
struct Browser<'h> {
    h: &'h Harness,
    cookies: HashMap<String, String>,
}

impl Browser<'_> {
    async fn send(&mut self, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        parts.headers.insert("cookie", cookies.parse().unwrap());
        let answer = self.h.send(Request::from_parts(parts, body)).await;
        for line in answer.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            self.cookies.insert(name.to_owned(), value);
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Sends a form with the token of a page.
    async fn form(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(page).await.text;
        let csrf = attribute(&page, "name=\"csrf\" value=\"").unwrap();
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", HOST);
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// From a page of ours to the provider: its address.
    async fn leave(&mut self, page: &str, link: Option<&str>) -> String {
        let page = self.get(page).await;
        assert!(
            page.text.contains("The Club&#x27;s accounts"),
            "{}",
            page.text
        );
        assert!(
            !page
                .header("content-security-policy")
                .contains("form-action")
        );
        let csrf = attribute(&page.text, "name=\"csrf\" value=\"").unwrap();
        let mut fields = vec![("csrf", csrf.as_str())];
        fields.extend(link.map(|link| ("link", link)));
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request = Request::post("/console/upstream")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", HOST);
        let answer = self.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        answer.header("location").to_owned()
    }

    async fn is_in(&mut self) -> bool {
        self.get("/console/").await.status == 200
    }
}

fn browser(h: &Harness) -> Browser<'_> {
    let cookies = HashMap::new();
    Browser { h, cookies }
}

async fn play<F: AsyncFn(Harness, Provider)>(test: F) {
    let provider = Provider::start().await;
    let text = config_text("").replace(ISSUER, HOST)
        + &format!(
            "[dev]\nloopback_http = true\n[console]\nupstream_name = \"The Club's accounts\"\n\
             [console.upstream]\nissuer = \"{}\"\nclient_id = \"console\"\nclient_secret = \"s\"\n",
            provider.issuer
        );
    with_config(&text, async |h| test(h, provider.clone()).await).await;
}

async fn invited(h: &Harness, name: &str) -> String {
    let operators = h.issuer.console().unwrap().operators();
    let link = operators
        .invite("command", name, Role::Admin)
        .await
        .unwrap();
    link.secret().to_owned()
}

#[tokio::test]
async fn a_link_ties_an_account_that_signs_in_from_then_on() {
    play(async |h, provider| {
        let link = invited(&h, "Ada").await;
        let mut ada = browser(&h);
        let there = ada
            .leave(&format!("/console/invitations/{link}"), Some(&link))
            .await;
        let back = provider.visit(&there, "ada", NOW.0);
        // The same answer in another browser is nobody's, and takes nothing away.
        assert_eq!(browser(&h).get(&back).await.status, 403);
        let signed = ada.get(&back).await;
        assert_eq!(signed.status, 200, "{}", signed.text);
        assert!(signed.header("set-cookie").contains("SameSite=Strict"));
        assert!(ada.is_in().await);
        // The answer again.
        assert_eq!(ada.get(&back).await.status, 403);
        let mut again = browser(&h);
        let there = again.leave("/console/sign-in", None).await;
        let back = provider.visit(&there, "ada", NOW.0);
        assert_eq!(again.get(&back).await.status, 200);
        assert!(again.is_in().await);
        let log = h.admin_get("/v1/audit?limit=1").await.json();
        assert_eq!(log["items"][0]["detail"], "upstream");
        let log = h.admin_get("/v1/audit").await.json();
        let added = log["items"].as_array().unwrap().iter();
        let added: Vec<_> = added
            .filter(|one| one["action"] == "operator.identity_add")
            .collect();
        assert_eq!(added.len(), 1);
        assert_eq!(added[0]["detail"], provider.issuer);
        // A new link unties the account that came in before.
        let operators = h.issuer.console().unwrap().operators();
        let link = operators.invite_or_again("command", "Ada", None).await;
        let link = link.unwrap().secret().to_owned();
        let mut new = browser(&h);
        let page = format!("/console/invitations/{link}");
        let there = new.leave(&page, Some(&link)).await;
        let back = provider.visit(&there, "ada2", NOW.0);
        assert_eq!(new.get(&back).await.status, 200);
        assert!(new.is_in().await && !again.is_in().await);
        let there = again.leave("/console/sign-in", None).await;
        let back = provider.visit(&there, "ada", NOW.0);
        assert_eq!(again.get(&back).await.status, 403);
    })
    .await;
}

#[tokio::test]
async fn strangers_old_sign_ins_and_foreign_accounts_stay_out() {
    play(async |h, provider| {
        let mut stranger = browser(&h);
        let there = stranger.leave("/console/sign-in", None).await;
        let refused = stranger.get(&provider.visit(&there, "eve", NOW.0)).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text.contains("Nobody here"), "{}", refused.text);
        let link = invited(&h, "Ada").await;
        let page = format!("/console/invitations/{link}");
        // Whoever authenticated long ago is not taken for recent.
        let there = stranger.leave(&page, Some(&link)).await;
        let old = stranger
            .get(&provider.visit(&there, "ada", NOW.0 - 4000))
            .await;
        assert_eq!(old.status, 403, "{}", old.text);
        let there = stranger.leave(&page, Some(&link)).await;
        let back = provider.visit(&there, "ada", NOW.0);
        assert_eq!(stranger.get(&back).await.status, 200);
        // One account is one operator.
        let second = invited(&h, "Bob").await;
        let mut bob = browser(&h);
        let page = format!("/console/invitations/{second}");
        let there = bob.leave(&page, Some(&second)).await;
        let taken = bob.get(&provider.visit(&there, "ada", NOW.0)).await;
        assert_eq!(taken.status, 422, "{}", taken.text);
        // The link was not used up.
        assert_eq!(bob.get(&page).await.status, 200);
        let denied = bob.leave("/console/sign-in", None).await;
        let state = Url::parse(&denied).unwrap();
        let state = state
            .query_pairs()
            .find(|(name, _)| name == "state")
            .unwrap()
            .1
            .into_owned();
        let path = format!("/console/upstream/callback?error=access_denied&state={state}");
        assert_eq!(bob.get(&path).await.status, 403);
        for bad in [
            "",
            "?state=x",
            "?code=a&state=x&state=y",
            "?code=a&state=unknown",
        ] {
            let answer = bob.get(&format!("/console/upstream/callback{bad}")).await;
            assert_eq!(answer.status, 403, "{bad}");
        }
        assert!(!bob.is_in().await);
    })
    .await;
}

fn max_age(there: &str) -> String {
    let url = Url::parse(there).unwrap();
    let mut asked = url.query_pairs().into_owned();
    asked.find(|(name, _)| name == "max_age").unwrap().1
}

/// OpenID Connect Core 1.0, section 2: what is recent is `auth_time`, not the moment of our callback.
#[tokio::test]
async fn a_sign_in_is_as_recent_as_the_provider_says() {
    play(async |h, provider| {
        let link = invited(&h, "Ada").await;
        let mut ada = browser(&h);
        let page = format!("/console/invitations/{link}");
        let there = ada.leave(&page, Some(&link)).await;
        assert_eq!(max_age(&there), "300");
        // She typed her password there a while ago.
        let back = provider.visit(&there, "ada", NOW.0 - 200);
        assert_eq!(ada.get(&back).await.status, 200);
        let page = "/console/operators";
        let invite = async |ada: &mut Browser<'_>, name: &str| {
            let fields = [("name", name), ("role", "viewer")];
            ada.form("/console/account", page, &fields).await.status
        };
        assert_eq!(invite(&mut ada, "Bob").await, 200);
        h.clock.advance(100);
        assert_eq!(invite(&mut ada, "Cleo").await, 403);
        // Whoever comes back from there for this is asked to authenticate now.
        let there = ada.leave("/console/sign-in", None).await;
        assert_eq!(max_age(&there), "0");
        let old = provider.visit(&there, "ada", NOW.0 - 200);
        assert_eq!(ada.get(&old).await.status, 403);
        assert_eq!(invite(&mut ada, "Cleo").await, 403);
        let there = ada.leave("/console/sign-in", None).await;
        // A clock that is ahead makes nothing more recent.
        let back = provider.visit(&there, "ada", NOW.0 + 150);
        assert_eq!(ada.get(&back).await.status, 200);
        assert_eq!(invite(&mut ada, "Cleo").await, 200);
        h.clock.advance(300);
        assert_eq!(invite(&mut ada, "Dora").await, 403);
    })
    .await;
}

#[tokio::test]
async fn an_admin_sees_accounts_and_takes_one_away() {
    play(async |h, provider| {
        let mut desks = Vec::new();
        for (name, subject) in [("Ada", "ada"), ("Bob", "bob <b>")] {
            let link = invited(&h, name).await;
            let mut desk = browser(&h);
            let page = format!("/console/invitations/{link}");
            let there = desk.leave(&page, Some(&link)).await;
            let back = provider.visit(&there, subject, NOW.0);
            assert_eq!(desk.get(&back).await.status, 200);
            desks.push(desk);
        }
        let [ada, bob] = &mut desks[..] else {
            panic!("two");
        };
        let operators = h.issuer.console().unwrap().operators();
        let all = operators.all().await.unwrap();
        let page = |name: &str| {
            let one = all.iter().find(|one| one.name == name).unwrap();
            format!("/console/operators/{}", one.id)
        };
        let issuer = provider.issuer.replace('/', "&#x2f;");
        let list = ada.get("/console/operators").await.text;
        assert_eq!(
            list.matches(&format!("account at {issuer}")).count(),
            2,
            "{list}"
        );
        let shown = ada.get(&page("Bob")).await.text;
        assert!(shown.contains("value=\"bob &lt;b&gt;\""), "{shown}");
        // Their own is on the own page, without a button.
        let own = ada.get("/console/account").await.text;
        assert!(
            own.contains(&issuer) && !own.contains("name=\"subject\""),
            "{own}"
        );
        let take = async |ada: &mut Browser<'_>, name: &str, subject: &str| {
            let issuer = provider.issuer.as_str();
            let fields = [("do", "account"), ("issuer", issuer), ("subject", subject)];
            ada.form("/console/account", &page(name), &fields)
                .await
                .status
        };
        assert_eq!(take(ada, "Bob", "ada").await, 404);
        assert_eq!(take(ada, "Bob", "bob <b>").await, 303);
        assert!(!bob.is_in().await);
        let there = bob.leave("/console/sign-in", None).await;
        let back = provider.visit(&there, "bob <b>", NOW.0);
        assert_eq!(bob.get(&back).await.status, 403);
        // Nobody else could manage operators.
        assert_eq!(take(ada, "Ada", "ada").await, 422);
        assert!(ada.is_in().await);
    })
    .await;
}

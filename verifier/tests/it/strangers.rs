//! Two applications that put everything together that they were ever told of a person have nothing
//! to put together by; and a person stays the same one for each of them.
//!
//! What two views may share is named in [`SAME_FOR_ALL`], and must be the same for everybody. A value
//! of 16 bits or less tells nobody from the others, and neither does a full hour: seven years have
//! fewer than 65,536. Every other time is of the second in which something happened to one
//! application, so it is compared as any value is.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use vouchsafe_credentials::time::Clock as _;

use crate::world::browser::{Answer, Browser, form};
use crate::world::issuer::TestIssuer;
use crate::world::rp::RelyingParty;
use crate::world::steps::{begin, wallet_link};
use crate::world::wallet::Wallet;
use crate::world::{World, full, with_config};

const TWO_SECTORS: &str = r#"
[[client]]
id = "left"
name = "Left"
secret = "left-secret-0123456789"
redirect_uris = ["https://left.example/cb"]
backchannel_logout_uri = "https://left.example/backchannel"
scopes = ["membership"]
default_query = "member-login"
offline_access = true
cross_device = true

[[client]]
id = "right"
name = "Right"
secret = "right-secret-0123456789"
redirect_uris = ["https://right.example/cb"]
backchannel_logout_uri = "https://right.example/backchannel"
scopes = ["membership"]
default_query = "member-login"
offline_access = true
cross_device = true
"#;

/// Where the service says the same of everybody to everybody: who it is, what it asks and how, what
/// tokens are called; and the facts that both applications asked for and the person showed to both.
const SAME_FOR_ALL: [&str; 37] = [
    "callback?iss",
    "id_token.header.alg",
    "id_token.header.kid",
    "id_token.header.typ",
    "id_token.acr",
    "id_token.amr[]",
    "id_token.iss",
    "introspection.acr",
    "introspection.amr[]",
    "introspection.iss",
    "introspection.scope",
    "introspection.token_type",
    "link?client_id",
    "link?request_uri_method",
    "logout.header.alg",
    "logout.header.kid",
    "logout.header.typ",
    "logout.iss",
    "request.aud",
    "request.client_id",
    "request.client_metadata.encrypted_response_enc_values_supported[]",
    "request.client_metadata.jwks.keys[].alg",
    "request.client_metadata.jwks.keys[].crv",
    "request.client_metadata.jwks.keys[].kty",
    "request.client_metadata.jwks.keys[].use",
    "request.client_metadata.vp_formats_supported",
    "request.dcql_query",
    "request.header.alg",
    "request.header.typ",
    "request.header.x5c[]",
    "request.response_mode",
    "request.response_type",
    "request.verifier_info[].data.purpose",
    "request.verifier_info[].format",
    "token.scope",
    "token.token_type",
    "userinfo.membership",
];

/// With single sign-on both applications also learn when the person showed the card: OpenID Connect
/// Core 1.0, section 2, lets an application demand that moment.
const OF_ONE_SESSION: [&str; 4] = [
    "id_token.auth_time",
    "introspection.auth_time",
    // Of the one where it was shown, in the same second.
    "id_token.iat",
    "introspection.iat",
];

/// Everything that an application, or whoever watches its wallet requests, has of one person.
#[derive(Default)]
struct View(Vec<(String, String)>);

impl View {
    fn add(&mut self, path: &str, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => self.0.push((path.to_owned(), number.to_string())),
            Value::String(text) => self.text(path, text),
            Value::Array(items) => {
                for item in items {
                    self.add(&format!("{path}[]"), item);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    self.add(&format!("{path}.{name}"), value);
                }
            }
        }
    }

    fn text(&mut self, path: &str, text: &str) {
        if let Some([header, payload, signature]) = jwt(text) {
            self.add(&format!("{path}.header"), &header);
            self.add(path, &payload);
            self.add(&format!("{path}.signature"), &signature);
            return;
        }
        self.0.push((path.to_owned(), text.to_owned()));
        let url = Url::parse(text).ok();
        for (name, value) in url.iter().flat_map(Url::query_pairs) {
            self.text(&format!("{path}?{name}"), &value);
        }
        // What stands inside of a longer text.
        let text = url.as_ref().map_or(text, Url::path);
        let inside = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
        for piece in text.split(inside).filter(|piece| piece.len() >= 20) {
            self.0.push((path.to_owned(), piece.to_owned()));
        }
    }

    /// Values by which somebody could be told from 65,535 others, and where they stand.
    fn telling(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (path, value) in &self.0 {
            let number = value.parse::<u64>();
            let hour = 1_700_000_000..2_000_000_000;
            let small =
                number.is_ok_and(|n| n < 1 << 16 || (hour.contains(&n) && n.is_multiple_of(3600)));
            if value.len() > 2 && !small {
                found.entry(value).or_default().insert(path);
            }
        }
        found
    }
}

fn jwt(text: &str) -> Option<[Value; 3]> {
    let mut parts = text.split('.');
    let mut next = || parts.next();
    let (header, payload, signature) = (next()?, next()?, next()?);
    let read = |part: &str| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    let header = read(header).filter(Value::is_object)?;
    Some([header, read(payload)?, Value::from(signature)])
}

/// Whether it is one of these places or below it.
fn is_among(path: &str, allowed: &[&str]) -> bool {
    allowed.iter().any(|known| {
        let rest = path.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '_', '#']))
    })
}

/// What the applications share beyond what they may.
fn shared<'a>(left: &'a View, right: &'a View, allowed: &[&str]) -> Vec<(&'a str, &'a str)> {
    let (left, right) = (left.telling(), right.telling());
    let mut found = Vec::new();
    for (value, paths) in &left {
        let Some(others) = right.get(value) else {
            continue;
        };
        for path in paths.union(others) {
            if !is_among(path, allowed) {
                found.push((*path, *value));
            }
        }
    }
    found
}

/// Constants are constants: one value for all people at each place.
#[derive(Default)]
struct Constants(BTreeMap<String, BTreeSet<String>>);

impl Constants {
    fn see(&mut self, view: &View) {
        let mut here: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (path, value) in &view.0 {
            if is_among(path, &SAME_FOR_ALL) {
                here.entry(path).or_default().insert(value);
            }
        }
        for (path, values) in here {
            let joined: Vec<&str> = values.into_iter().collect();
            let known = self.0.entry(path.to_owned()).or_default();
            known.insert(joined.join(" "));
            assert!(known.len() == 1, "{path} is no constant: {known:?}");
        }
    }
}

struct Party {
    rp: RelyingParty,
    name: &'static str,
}

impl Party {
    fn both(world: &World) -> [Self; 2] {
        let party = |name, secret, redirect_uri| Self {
            rp: RelyingParty::new(world.router(), name, Some(secret), redirect_uri),
            name,
        };
        [
            party("left", "left-secret-0123456789", "https://left.example/cb"),
            party(
                "right",
                "right-secret-0123456789",
                "https://right.example/cb",
            ),
        ]
    }

    fn authorize(&self, scope: &str, number: usize) -> String {
        let state = format!("state-{}-{number}", self.name);
        let nonce = format!("nonce-{}-{number}", self.name);
        self.rp
            .authorize(scope, &[("state", &state), ("nonce", &nonce)])
    }

    /// A login with a card, and everything that comes of it. Gives `sub` and the ID token.
    async fn logs_in(
        &self,
        browser: &mut Browser,
        wallet: &Wallet,
        number: usize,
        view: &mut View,
    ) -> (String, String) {
        let address = self.authorize("openid membership offline_access", number);
        let (path, page) = begin(browser, &address).await;
        view.text("login", &path);
        let link = wallet_link(&page);
        view.text("link", &link);
        view.text("request", &wallet.fetch(&link).await.body);
        let back = wallet.follow(&link).await;
        view.text("back", &back);
        let answer = browser.get(&back).await;
        self.is_told(answer, true, view).await
    }

    /// Single sign-on.
    async fn is_answered(
        &self,
        browser: &mut Browser,
        number: usize,
        view: &mut View,
    ) -> (String, String) {
        let answer = browser.get(&self.authorize("openid", number)).await;
        self.is_told(answer, false, view).await
    }

    async fn is_told(&self, answer: Answer, stays: bool, view: &mut View) -> (String, String) {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        view.text("callback", &answer.location());
        let location = Url::parse(&answer.location()).unwrap();
        let code = location.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.unwrap_or_else(|| panic!("no code in {location}"));
        let tokens = self.rp.redeem(&code).await.json();
        self.has_tokens(&tokens, view).await;
        if stays {
            let refresh = tokens["refresh_token"].as_str().unwrap();
            view.add("introspection", &self.rp.introspect(refresh).await);
            let next = self.rp.refresh(refresh).await.json();
            self.has_tokens(&next, view).await;
        }
        let id_token = tokens["id_token"].as_str().unwrap().to_owned();
        let claims = self.rp.id_token(&id_token).await;
        (claims["sub"].as_str().unwrap().to_owned(), id_token)
    }

    async fn has_tokens(&self, tokens: &Value, view: &mut View) {
        for (name, value) in tokens.as_object().unwrap() {
            match name.as_str() {
                "id_token" => view.add("id_token", value),
                name => view.add(&format!("token.{name}"), value),
            }
        }
        let access = tokens["access_token"].as_str().unwrap();
        view.add("userinfo", &self.rp.userinfo(access).await.json());
        view.add("introspection", &self.rp.introspect(access).await);
    }
}

/// Some seconds pass, and the issuer's list stays fresh.
async fn later(world: &World, seconds: i64) {
    world.clock.advance(seconds);
    world.issuer.publish(world.clock.now()).await;
}

/// The person leaves both applications; their logout tokens join the views.
async fn leaves(world: &World, browsers: &mut [(Browser, String)], views: [&mut View; 2]) {
    let before = world.network.logouts().len();
    for (browser, id_token) in browsers {
        let hint = form(&[("id_token_hint", id_token.as_str())]);
        browser.get(&format!("/logout?{hint}")).await;
        later(world, 3).await;
        world.tick().await;
    }
    let [left, right] = views;
    for (uri, token) in world.network.logouts().drain(..).skip(before) {
        let view = if uri.contains("left") {
            &mut *left
        } else {
            &mut *right
        };
        view.add("logout", &Value::from(token));
    }
}

fn people() -> usize {
    if full() { 1000 } else { 15 }
}

#[tokio::test]
async fn cat_382_two_applications_share_nothing_about_a_person_and_each_knows_them_again() {
    with_config(TWO_SECTORS, async |world| {
        let [left, right] = Party::both(&world);
        let (mut subs, mut constants) = (BTreeSet::new(), Constants::default());
        for number in 0..people() {
            let wallet = member(&world, &world.issuer, number).await;
            let (mut seen_left, mut seen_right) = (View::default(), View::default());
            let mut browsers = [world.browser(), world.browser()];
            let [one, two] = &mut browsers;
            let (sub_left, hint_left) = left.logs_in(one, &wallet, number, &mut seen_left).await;
            later(&world, 7).await;
            let (sub_right, hint_right) =
                right.logs_in(two, &wallet, number, &mut seen_right).await;
            later(&world, 5).await;
            let [one, two] = browsers;
            let mut out = [(one, hint_left), (two, hint_right)];
            leaves(&world, &mut out, [&mut seen_left, &mut seen_right]).await;
            for seen in [&seen_left, &seen_right] {
                assert!(seen.0.iter().any(|(path, _)| path == "logout.sub"));
                assert!(seen.0.iter().any(|(path, _)| path == "request.nonce"));
                constants.see(seen);
            }
            let found = shared(&seen_left, &seen_right, &SAME_FOR_ALL);
            assert!(found.is_empty(), "of person {number}: {found:?}");

            // A new phone, a new card, and for every second one a new key of the issuer.
            let renewed = renewed(&world, number);
            let issuer = renewed.as_ref().unwrap_or(&world.issuer);
            let wallet = member(&world, issuer, number).await;
            let mut ignored = View::default();
            for (party, sub) in [(&left, &sub_left), (&right, &sub_right)] {
                let mut browser = world.browser();
                let (again, _) = party
                    .logs_in(&mut browser, &wallet, number, &mut ignored)
                    .await;
                assert_eq!(again, *sub, "person {number} at {}", party.name);
            }
            assert!(subs.insert(sub_left) && subs.insert(sub_right));
            later(&world, 11).await;
        }
    })
    .await;
}

#[tokio::test]
async fn single_sign_on_tells_both_applications_no_more_than_its_moment() {
    with_config(TWO_SECTORS, async |world| {
        let [left, right] = Party::both(&world);
        let allowed = [&SAME_FOR_ALL[..], &OF_ONE_SESSION].concat();
        let mut constants = Constants::default();
        for number in 0..people() {
            let wallet = member(&world, &world.issuer, number).await;
            let (mut seen_left, mut seen_right) = (View::default(), View::default());
            let mut browser = world.browser();
            // The card is shown for the one, with the question of both.
            let address = left.authorize("openid", number);
            let (_, page) = begin(&mut browser, &address).await;
            let back = wallet.follow(&wallet_link(&page)).await;
            let answer = browser.get(&back).await;
            let (_, hint) = left.is_told(answer, false, &mut seen_left).await;
            later(&world, 4).await;
            right
                .is_answered(&mut browser, number, &mut seen_right)
                .await;
            for seen in [&seen_left, &seen_right] {
                constants.see(seen);
            }
            let found = shared(&seen_left, &seen_right, &allowed);
            assert!(found.is_empty(), "of person {number}: {found:?}");
            // One logout ends both, and both are told in the same second, but by no common name.
            let mut logouts = [View::default(), View::default()];
            let [one, two] = &mut logouts;
            leaves(&world, &mut [(browser, hint)], [one, two]).await;
            let allowed = [&allowed[..], &["logout.iat", "logout.exp"]].concat();
            let [one, two] = &logouts;
            assert!(one.0.len() > 3 && two.0.len() > 3);
            let found = shared(one, two, &allowed);
            assert!(found.is_empty(), "of person {number}: {found:?}");
        }
    })
    .await;
}

/// The comparison sees what it is to see.
#[test]
fn a_value_that_two_views_share_is_found_wherever_it_stands() {
    let view = |text: &str| {
        let mut view = View::default();
        view.add("userinfo", &serde_json::from_str(text).unwrap());
        view
    };
    let payload = BASE64_URL_SAFE_NO_PAD.encode(r#"{"device":"d-4711","n":70000}"#);
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#);
    let left = view(&format!(r#"{{"a":"{header}.{payload}.c2ln"}}"#));
    for (right, number) in [
        (r#"{"b":["d-4711"]}"#, 2),
        (r#"{"b":{"c":70000}}"#, 2),
        (r#"{"b":"https://x.example/?d=d-4711"}"#, 2),
        (r#"{"b":"d-4712","c":7}"#, 0),
    ] {
        let right = view(right);
        assert_eq!(shared(&left, &right, &SAME_FOR_ALL).len(), number);
    }
}

#[tokio::test]
async fn cat_467_what_two_applications_call_a_person_is_joined_by_the_key_alone() {
    with_config(TWO_SECTORS, async |mut world| {
        let mut names = Vec::new();
        for _ in 0..2 {
            let mut ignored = View::default();
            for party in Party::both(&world) {
                let wallet = member(&world, &world.issuer, 1).await;
                let mut browser = world.browser();
                let (sub, _) = party.logs_in(&mut browser, &wallet, 1, &mut ignored).await;
                names.push(sub);
            }
            // The same database under another key.
            world
                .restart(|toml| {
                    let other = "0y_QAZzr2CuwIXPJQLO2k792r9f02C757wIT_Xkgkq8";
                    toml.replace("ry_QAZzr2CuwIXPJQLO2k792r9f02C757wIT_Xkgkq8", other) + TWO_SECTORS
                })
                .await;
        }
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), 4);
        // Nor is one of them made of the other and of what everybody knows.
        for known in ["", "left", "right", "left.example", "right.example", "M-1"] {
            for (from, to) in [(0, 1), (1, 0)] {
                for text in [
                    format!("{}{known}", names[from]),
                    format!("{known}{}", names[from]),
                ] {
                    let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text));
                    assert_ne!(hash, names[to]);
                }
            }
        }
    })
    .await;
}

async fn member(world: &World, issuer: &TestIssuer, number: usize) -> Wallet {
    let mut wallet = world.wallet();
    // Some have much in common, and one name begins with another.
    let id = format!("M-{}-{number}", "1".repeat(number % 7));
    let claims = json!({ "member_id": id, "tier": "gold", "valid_until": "2027-12-31" });
    let hidden: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"]];
    // Each card ends in a second of its own, and before a refresh token would.
    let until = world
        .clock
        .now()
        .plus(400_000 + 977 * i64::try_from(number).unwrap());
    let vct = "urn:vouchsafe:membership:1";
    wallet
        .receive_until(world, issuer, vct, claims, hidden, until)
        .await;
    wallet
}

fn renewed(world: &World, number: usize) -> Option<TestIssuer> {
    let party = world.pki.issuer.renewed("The Club");
    let issuer = || TestIssuer::new(&party, "https://club.example", world.network.clone());
    (number % 2 == 1).then(issuer)
}

//! The parties of a test.

pub mod admin;
pub mod authenticator;
pub mod browser;
pub mod heard;
pub mod issuer;
pub mod network;
pub mod passkeys;
pub mod pki;
pub mod places;
pub mod proof;
pub mod provider;
pub mod receiver;
pub mod registrar;
pub mod rest;
pub mod rp;
pub mod schema;
pub mod steps;
pub mod tables;
pub mod vault;
pub mod wallet;

use std::sync::Arc;

use axum::Router;
use vouchsafe_credentials::crypto::Portable;
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::{Clock as _, UnixTime};
use vouchsafe_service::db::{Db, testing};
use vouchsafe_verifier::config::Config;
use vouchsafe_verifier::store::MIGRATIONS;
use vouchsafe_verifier::{Ports, Verifier};

use browser::Browser;
use issuer::TestIssuer;
use network::Network;
use pki::Pki;
use rp::RelyingParty;
use wallet::Wallet;

/// 2026-11-23T12:00:00Z
pub const NOW: UnixTime = UnixTime(1_795_435_200);
pub const OP: &str = "http://localhost:8081";

/// Everything that a test needs.
pub struct World {
    pub clock: Arc<FixedClock>,
    pub rng: Arc<SeededRng>,
    pub network: Arc<Network>,
    pub issuer: TestIssuer,
    pub other_issuer: TestIssuer,
    pub pki: Pki,
    pub verifier: Verifier,
    pub db: Db,
    router: Router,
    config: Config,
}

impl World {
    pub async fn new(db: Db) -> Self {
        Self::with_config(db, |toml| toml).await
    }

    pub async fn with_config(db: Db, change: impl FnOnce(String) -> String) -> Self {
        let clock = Arc::new(FixedClock::new(NOW));
        let rng = Arc::new(SeededRng::new(7));
        let network = Arc::new(Network::default());
        let pki = Pki::new();
        let issuer = TestIssuer::new(&pki.issuer, "https://club.example", Arc::clone(&network));
        let other_issuer = TestIssuer::new(
            &pki.other_issuer,
            "https://rival.example",
            Arc::clone(&network),
        );
        let ports = ports(&clock, &rng, &network);
        let config = parse(&change(toml(&pki)));
        let verifier = Verifier::with_db(&config, ports, db.clone())
            .await
            .expect("the service opens");
        issuer.publish(NOW).await;
        other_issuer.publish(NOW).await;
        let router = verifier.router();
        Self {
            clock,
            rng,
            network,
            issuer,
            other_issuer,
            pki,
            verifier,
            db,
            router,
            config,
        }
    }

    /// Another process on the same database.
    pub async fn another_process(&self) -> Verifier {
        let ports = self.ports();
        Verifier::with_db(&self.config, ports, self.db.clone())
            .await
            .expect("the service opens")
    }

    /// The service ends and starts again on its database; `change` edits the configuration.
    pub async fn restart(&mut self, change: impl FnOnce(String) -> String) {
        let ports = ports(&self.clock, &self.rng, &self.network);
        let config = parse(&change(toml(&self.pki)));
        self.verifier = Verifier::with_db(&config, ports, self.db.clone())
            .await
            .expect("the service opens");
        self.router = self.verifier.router();
    }

    /// The service goes on with another database and another configuration.
    pub async fn moves(&mut self, db: Db, change: impl FnOnce(String) -> String) {
        self.db = db;
        self.restart(change).await;
    }

    /// A configuration of this world; `change` edits it.
    pub fn configured(&self, change: impl FnOnce(String) -> String) -> Config {
        parse(&change(toml(&self.pki)))
    }

    /// What commands take from the machine.
    pub fn ports(&self) -> Ports {
        ports(&self.clock, &self.rng, &self.network)
    }

    pub fn router(&self) -> Router {
        self.router.clone()
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.router())
    }

    pub fn shop(&self) -> RelyingParty {
        RelyingParty::new(
            self.router(),
            "shop",
            Some("shop-secret-0123456789"),
            "http://127.0.0.1:9000/cb",
        )
    }

    pub fn cafe(&self) -> RelyingParty {
        RelyingParty::new(
            self.router(),
            "cafe",
            Some("cafe-secret-0123456789"),
            "http://127.0.0.2:9001/cb",
        )
    }

    pub fn suite(&self) -> RelyingParty {
        RelyingParty::new(
            self.router(),
            "suite",
            Some("suite-secret-0123456789"),
            "https://suite.example/cb",
        )
    }

    pub fn spa(&self) -> RelyingParty {
        RelyingParty::new(self.router(), "spa", None, "https://spa.example/cb")
    }

    /// The service behind the shop. Nobody logs in to it.
    pub fn shop_api(&self) -> RelyingParty {
        RelyingParty::new(
            self.router(),
            "shop-api",
            Some("shop-api-secret-0123456789"),
            "https://no.example/cb",
        )
    }

    pub fn wallet(&self) -> Wallet {
        Wallet::new(self)
    }

    /// A wallet with both cards of one person.
    pub async fn person(&self, member_id: &str) -> Wallet {
        let mut wallet = self.wallet();
        wallet.receive_age(self).await;
        wallet.receive_membership(self, member_id).await;
        wallet
    }

    /// Runs every background job once, as if their time had come.
    pub async fn tick(&self) {
        self.verifier
            .run_background_once()
            .await
            .expect("the jobs run");
    }

    /// So many seconds pass, and the issuer's status lists are fresh.
    pub async fn later(&self, seconds: i64) {
        self.clock.advance(seconds);
        self.issuer.publish(self.clock.now()).await;
    }

    /// Changes the database behind the service's back.
    pub async fn execute(&self, sql: &'static str) {
        self.db
            .write(async move |tx: &mut vouchsafe_service::db::Tx| {
                vouchsafe_service::execute!(tx, sqlx::query(sql)).map(drop)
            })
            .await
            .expect("changes");
    }

    /// Every table as text: what somebody with the database sees.
    pub async fn count(&self, sql: &'static str) -> i64 {
        vouchsafe_service::each!(self.db, p => sqlx::query_scalar::<_, i64>(sql).fetch_one(p).await)
            .expect("counts")
    }
}

fn ports(clock: &Arc<FixedClock>, rng: &Arc<SeededRng>, network: &Arc<Network>) -> Ports {
    Ports {
        clock: clock.clone(),
        rng: rng.clone(),
        crypto: Arc::new(Portable),
        outbound: Some(network.clone()),
    }
}

/// A service with more in its configuration, on SQLite.
pub async fn with_config(add: &str, test: impl AsyncFn(World)) {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    test(World::with_config(temporary.db.clone(), |toml| toml + add).await).await;
}

/// Whether the long runs are wanted.
pub fn full() -> bool {
    std::env::var("VOUCHSAFE_FULL").is_ok_and(|value| value == "1")
}

/// Runs a test on SQLite and, where a server is configured, on PostgreSQL.
pub async fn on_each_database(test: impl AsyncFn(World)) {
    testing::for_each_database(&[MIGRATIONS], async |db| test(World::new(db).await).await).await;
}

/// Runs a test on SQLite.
pub async fn on_sqlite(test: impl AsyncFn(World)) {
    let temporary = testing::sqlite(&[MIGRATIONS]).await;
    test(World::new(temporary.db.clone()).await).await;
}

pub fn parse(toml: &str) -> Config {
    vouchsafe_service::config::parse(toml).expect("the configuration parses")
}

/// A configuration as an operator would write it.
pub fn toml(pki: &Pki) -> String {
    let Pki {
        issuer,
        other_issuer,
        verifier,
        verifier_key_pem,
        verifier_chain_pem,
        id_token_rs256,
        id_token_es256,
        client_key,
        ..
    } = pki;
    let _ = verifier;
    format!(
        r#"
[http]
listen = "127.0.0.1:8081"
public_url = "{OP}"

[database]
url = "sqlite:unused"

[dev]
loopback_http = true

[keys]
secret = "ry_QAZzr2CuwIXPJQLO2k792r9f02C757wIT_Xkgkq8"
request = """{verifier_key_pem}"""
request_chain = """{verifier_chain_pem}"""
id_token_rs256 = """{id_token_rs256}"""
id_token_es256 = """{id_token_es256}"""

[status]
min_refresh_s = 1
session_grace_s = 600

[refresh]
max_age_s = 2000000
idle_s = 600000

[[trust.issuer]]
id = "https://club.example"
anchors = """{club}"""
types = ["urn:vouchsafe:age:1", "urn:vouchsafe:membership:1"]
stable_claims = {{ "urn:vouchsafe:membership:1" = ["member_id"] }}

[[trust.issuer]]
id = "https://rival.example"
anchors = """{rival}"""
types = ["urn:vouchsafe:membership:1"]
stable_claims = {{ "urn:vouchsafe:membership:1" = ["member_id"] }}

[[query]]
id = "age"
scope = "age"
dcql = '''{{"credentials":[{{"id":"proof","format":"dc+sd-jwt","meta":{{"vct_values":["urn:vouchsafe:age:1"]}},"claims":[{{"path":["age_equal_or_over","18"],"values":[true]}}]}}]}}'''
purpose = {{ en = "Buy wine: are you 18 or older?", de = "Wein kaufen: Sind Sie 18 oder älter?" }}
subject = {{ strategy = "guest" }}
claims = {{ age_over_18 = ["age_equal_or_over", "18"] }}
id_token_claims = ["age_over_18"]
labels = {{ age_over_18 = {{ en = "That you are 18 or older", de = "Dass Sie 18 oder älter sind" }} }}

[[query]]
id = "membership"
scope = "membership"
dcql = '''{{"credentials":[{{"id":"card","format":"dc+sd-jwt","meta":{{"vct_values":["urn:vouchsafe:membership:1"]}},"claims":[{{"path":["member_id"]}},{{"path":["tier"]}},{{"path":["valid_until"]}}]}}]}}'''
purpose = {{ en = "Log in as a member", de = "Als Mitglied anmelden" }}
subject = {{ strategy = "issuer_scoped_claim", claim = "member_id" }}
card_name = {{ en = "Membership card", de = "Mitgliedskarte" }}
claims = {{ membership_tier = ["tier"], membership_valid_until = ["valid_until"] }}

[[query]]
id = "member-login"
dcql = '''{{"credentials":[{{"id":"card","format":"dc+sd-jwt","meta":{{"vct_values":["urn:vouchsafe:membership:1"]}},"claims":[{{"path":["member_id"]}}]}}]}}'''
purpose = {{ en = "Log in" }}
subject = {{ strategy = "issuer_scoped_claim", claim = "member_id" }}

[[client]]
id = "shop"
name = "The <Shop>"
secret = "shop-secret-0123456789"
redirect_uris = ["http://127.0.0.1:9000/cb"]
post_logout_redirect_uris = ["http://127.0.0.1:9000/bye"]
backchannel_logout_uri = "http://127.0.0.1:9000/backchannel"
cross_device = true
scopes = ["age", "membership"]
offline_access = true

[[client]]
id = "cafe"
name = "The Café"
secret = "cafe-secret-0123456789"
redirect_uris = ["http://127.0.0.2:9001/cb"]
id_token_signed_response_alg = "ES256"
backchannel_logout_uri = "http://127.0.0.2:9001/backchannel"
scopes = ["age", "membership"]

[[client]]
id = "suite"
name = "Suite"
secret = "suite-secret-0123456789"
redirect_uris = ["https://suite.example/cb"]
post_logout_redirect_uris = ["https://suite.example/bye"]
pkce = "optional"
scopes = ["membership"]
default_query = "member-login"

[[client]]
id = "bank"
name = "The Bank"
jwks = '''{bank_keys}'''
redirect_uris = ["https://bank.example/cb"]
scopes = ["membership"]
default_query = "member-login"
offline_access = true

[[client]]
id = "fleet"
name = "The Fleet"
jwks_uri = "https://fleet.example/jwks"
redirect_uris = ["https://fleet.example/cb"]
scopes = ["membership"]
require_pushed_authorization_requests = true

[[client]]
id = "till"
name = "The Till"
redirect_uris = ["https://till.example/cb"]
scopes = ["membership"]
dpop_bound_access_tokens = true

[[client]]
id = "vault"
name = "The Vault"
profile = "fapi2"
jwks = '''{bank_keys}'''
id_token_signed_response_alg = "ES256"
redirect_uris = ["https://vault.example/cb"]
scopes = ["membership"]
default_query = "member-login"
offline_access = true

[[resource_server]]
id = "shop-api"
secret = "shop-api-secret-0123456789"
clients = ["shop", "spa"]

[[client]]
id = "spa"
name = "Page"
redirect_uris = ["https://spa.example/cb"]
scopes = ["membership"]
default_query = "member-login"
offline_access = true
"#,
        bank_keys = client_key.jwks(),
        club = issuer.anchor_pem,
        rival = other_issuer.anchor_pem,
    )
}

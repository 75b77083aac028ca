//! Logins with an mdoc (OpenID4VP 1.0, appendix B.2), from the configuration to the tokens.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use vouchsafe_credentials::cbor;
use vouchsafe_credentials::crypto::{Algorithm, Portable, PublicKey, Signer as _, SigningKey};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::jwe::{self, ContentEncryption, Recipient};
use vouchsafe_credentials::mdoc::{
    DigestAlgorithm, ElementPath, Elements, HeldMdoc, IssuancePolicy, IssueInput,
    KeyAuthorizations, MDL, MDL_NAMESPACE, MsoStatus, SessionTranscript, Validity, issue,
    verify_issued,
};
use vouchsafe_credentials::sd_jwt_vc::{IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer};
use vouchsafe_credentials::status_list::{Status, StatusRef};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_service::db::testing;
use vouchsafe_verifier::config::Settings;
use vouchsafe_verifier::store::MIGRATIONS;

use crate::world::browser::{Answer, form};
use crate::world::issuer::TestIssuer;
use crate::world::pki::{Party, Pki, iaca};
use crate::world::rp::Tokens;
use crate::world::steps::{begin, rows, wallet_link};
use crate::world::{NOW, World, parse, toml};

const AUTHORITY: &str = "https://transport.example";
pub const NUMBER: &str = "org.iso.18013.5.1/document_number";

/// The question for a licence, for the shop.
pub fn with_licences(toml: &str, party: &Party, subject: &str) -> String {
    let anchor = &party.anchor_pem;
    let more = format!(
        r#"
[[trust.issuer]]
id = "{AUTHORITY}"
iaca = """{anchor}"""
types = ["{MDL}"]
stable_claims = {{ "{MDL}" = ["{NUMBER}"] }}

[[query]]
id = "licence"
scope = "licence"
dcql = '''{{"credentials":[{{"id":"licence","format":"mso_mdoc","meta":{{"doctype_value":"{MDL}"}},"claims":[{{"path":["{MDL_NAMESPACE}","document_number"]}},{{"path":["{MDL_NAMESPACE}","age_over_18"],"values":[true]}}]}}]}}'''
purpose = {{ en = "Rent a car" }}
subject = {{ strategy = "issuer_scoped_claim", claim = "{subject}" }}
claims = {{ of_age = ["{MDL_NAMESPACE}", "age_over_18"] }}
"#
    );
    let scopes = "scopes = [\"age\", \"membership\"]\noffline_access = true";
    assert!(toml.contains(scopes), "the scopes of the shop");
    let with_scope = scopes.replace("\"age\"", "\"age\", \"licence\"");
    toml.replacen(scopes, &with_scope, 1) + &more
}

/// A person with a licence.
struct Driver {
    device: SigningKey,
    licence: HeldMdoc,
    status: StatusRef,
}

/// The authority and its world.
struct Licences {
    world: World,
    party: Party,
    authority: TestIssuer,
    trust: IssuerTrust,
}

async fn on_each_database(test: impl AsyncFn(Licences)) {
    on_each_database_with(|toml| toml, test).await;
}

/// The same with another configuration.
async fn on_each_database_with(change: impl Fn(String) -> String, test: impl AsyncFn(Licences)) {
    testing::for_each_database(&[MIGRATIONS], async |db| {
        let party = iaca("Transport");
        let configured = |toml: String| change(with_licences(&toml, &party, NUMBER));
        let world = World::with_config(db, configured).await;
        let network = std::sync::Arc::clone(&world.network);
        let authority = TestIssuer::new(&party, AUTHORITY, network);
        authority.publish_cwt(NOW).await;
        let mut anchors = TrustAnchors::new(Role::MdocIssuer);
        anchors.add_pem(&party.anchor_pem).unwrap();
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: AUTHORITY.to_owned(),
            method: IssuerMethod::Iaca {
                anchors: std::sync::Arc::new(anchors),
            },
            types: vec![MDL.to_owned()],
            status: StatusMethod::SameIssuer,
        }]);
        let trust = trust.unwrap();
        test(Licences {
            world,
            party,
            authority,
            trust,
        })
        .await;
    })
    .await;
}

impl Licences {
    /// A licence of the first document signer.
    async fn driver(&self, number: &str) -> Driver {
        self.driver_of(&self.authority, number).await
    }

    async fn driver_of(&self, authority: &TestIssuer, number: &str) -> Driver {
        let device = SigningKey::generate(Algorithm::Es256, self.world.rng.as_ref());
        let mut elements = Elements::new();
        for (name, value) in [
            ("document_number", cbor::Value::Text(number.into())),
            ("age_over_18", cbor::Value::Bool(true)),
            ("family_name", cbor::Value::Text("Canary Person".into())),
        ] {
            assert!(elements.add(MDL_NAMESPACE, name, value));
        }
        let status = authority.next_status();
        let in_list = MsoStatus {
            status_list: Some(status.clone()),
            identifier_list: None,
        };
        let input = IssueInput {
            doctype: MDL,
            elements: &elements,
            validity: Validity {
                signed: NOW,
                valid_from: NOW,
                valid_until: NOW.plus(86_400 * 30),
                expected_update: None,
            },
            device_key: device.public_key(),
            key_authorizations: &KeyAuthorizations::default(),
            status: Some(&in_list),
            chain: &authority.chain,
            digest_algorithm: DigestAlgorithm::Sha256,
        };
        let issued = issue(input, &authority.key, self.world.rng.as_ref()).await;
        let policy = IssuancePolicy {
            trust: &self.trust,
            doctype: MDL,
            device_key: device.public_key(),
            now: NOW,
        };
        let licence = verify_issued(&issued.unwrap(), &policy, &Portable).unwrap();
        Driver {
            licence: licence.into_inner(),
            device,
            status,
        }
    }

    /// Shows a licence to the question behind a link.
    async fn show(&self, driver: &Driver, link: &str) -> Answer {
        self.show_as("licence", driver, link).await
    }

    async fn show_as(&self, query: &str, driver: &Driver, link: &str) -> Answer {
        self.show_for(query, driver, link, "").await
    }

    /// The same for a nonce that goes on with `more`.
    async fn show_for(&self, query: &str, driver: &Driver, link: &str, more: &str) -> Answer {
        let wallet = self.world.wallet();
        let request = wallet.fetch(link).await;
        assert_eq!(request.status, StatusCode::OK, "{}", request.body);
        let request = payload(&request.body);
        let text = |name: &str| request[name].as_str().unwrap();
        let jwk = &request["client_metadata"]["jwks"]["keys"][0];
        let key = PublicKey::from_jwk(jwk).unwrap();
        let transcript = SessionTranscript::openid4vp(
            text("client_id"),
            &format!("{}{more}", text("nonce")),
            Some(&key),
            text("response_uri"),
        );
        let paths = ["document_number", "age_over_18"]
            .map(|element| ElementPath::new(MDL_NAMESPACE, element));
        let presentation = driver.licence.present(&paths).unwrap();
        let own = Elements::new();
        let shown = presentation.sign(&transcript, &own, &driver.device).await;
        let mut token = Map::new();
        token.insert(query.to_owned(), json!([b64url(&shown.unwrap())]));
        let response = json!({ "vp_token": token, "state": text("state") });
        let recipient = Recipient {
            key: &key,
            kid: jwk["kid"].as_str(),
            enc: ContentEncryption::A256Gcm,
            apu: b"",
            apv: b"",
        };
        let (plain, rng) = (response.to_string(), self.world.rng.as_ref());
        let compact = jwe::encrypt(plain.as_bytes(), &recipient, &Portable, rng).unwrap();
        let address = text("response_uri").parse().unwrap();
        let body = form(&[("response", &compact)]);
        wallet.post_to(&address, &body).await
    }

    async fn log_in(&self, driver: &Driver) -> Tokens {
        let (mut browser, shop) = (self.world.browser(), self.world.shop());
        let (_, page) = begin(&mut browser, &shop.authorize("openid licence", &[])).await;
        page.assert_page(StatusCode::OK, "Rent a car");
        let answer = self.show(driver, &wallet_link(&page)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
        let answer = browser.get(&back).await;
        shop.tokens(&shop.code(&answer)).await
    }
}

fn payload(jwt: &str) -> Value {
    let payload = b64url_decode(jwt.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[tokio::test]
async fn bridge_section_5_1_2_a_licence_is_told_with_its_namespace_and_how_it_was_verified() {
    let change = |toml: String| {
        let (scopes, stable) = (
            "offline_access = true\n\n[[client]]\nid = \"cafe\"",
            "stable_claims = { \"org.iso",
        );
        assert!(toml.contains(scopes) && toml.contains(stable));
        let section = r#"
[presented_credentials]
draft = "draft-svensson-credential-oidc-bridge-02"
scopes = ["licence"]
"#;
        let document = format!(
            r#"assurance = {{ "{MDL}" = {{ trust_framework = "road", time_is_issuance = true, evidence = {{ type = "document", of = "driving_permit", name = "Transport" }} }} }}
{stable}"#
        );
        let allowed = format!("presented_credentials = true\n{scopes}");
        toml.replacen(stable, &document, 1)
            .replacen(scopes, &allowed, 1)
            + section
    };
    on_each_database_with(change, async |licences| {
        let driver = licences.driver("D-1").await;
        let tokens = licences.log_in(&driver).await;
        assert_eq!(
            tokens.userinfo["presented_credentials"],
            json!([{ "licence": [{
                "type": [MDL], "issuer": AUTHORITY, "namespace": MDL_NAMESPACE, "verified_at": NOW.0,
                "verification": { "holder_binding": "key_binding", "trust_status": "valid" },
                "claims": { "age_over_18": true }
            }] }])
        );
        assert_eq!(tokens.userinfo.as_object().unwrap().len(), 2);

        let (mut browser, shop) = (licences.world.browser(), licences.world.shop());
        let path = "/.well-known/openid-configuration";
        let said = browser.get(path).await.json();
        assert_eq!(said["documents_supported"], json!(["driving_permit"]));
        let details = json!({ "type": null, "issuer": { "name": null } });
        let wish = json!({
            "verification": { "trust_framework": null, "time": null, "evidence": [{ "type": { "value": "document" }, "document_details": details }] },
            "claims": { "of_age": { "value": true } }
        });
        let claims = json!({ "id_token": { "verified_claims": wish } }).to_string();
        let address = shop.authorize("openid licence", &[("claims", &claims)]);
        let (_, page) = begin(&mut browser, &address).await;
        let answer = licences.show(&driver, &wallet_link(&page)).await;
        let back = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
        let tokens = shop.tokens(&shop.code(&browser.get(&back).await)).await;
        assert_eq!(
            tokens.claims["verified_claims"],
            json!({
                "verification": {
                    "trust_framework": "road", "time": "2026-11-23T00:00:00Z",
                    "evidence": [{ "type": "document", "document_details": { "type": "driving_permit", "issuer": { "name": "Transport" } } }]
                },
                "claims": { "of_age": true }
            })
        );
    })
    .await;
}

#[tokio::test]
async fn a_licence_logs_its_driver_in() {
    on_each_database(async |licences| {
        let driver = licences.driver("D-1").await;
        let tokens = licences.log_in(&driver).await;
        // What was asked for reaches the application; what says who it is does not.
        let expected = json!({ "sub": tokens.sub(), "of_age": true });
        assert_eq!(tokens.userinfo, expected);
        // A new phone with a new licence of the same number is the same person, another number
        // is another one.
        let renewed = licences.log_in(&licences.driver("D-1").await).await;
        assert_eq!(tokens.sub(), renewed.sub());
        // Under the next document signer too, whose lists speak for what the first one signed.
        let party = licences.party.next_signer("Transport 08");
        let network = std::sync::Arc::clone(&licences.world.network);
        let next = TestIssuer::new(&party, AUTHORITY, network);
        licences.world.clock.advance(60);
        next.publish_cwt(NOW.plus(60)).await;
        let renewed = licences
            .log_in(&licences.driver_of(&next, "D-1").await)
            .await;
        assert_eq!(tokens.sub(), renewed.sub());
        assert_eq!(licences.log_in(&driver).await.sub(), tokens.sub());
        let other = licences.log_in(&licences.driver("D-2").await).await;
        assert_ne!(tokens.sub(), other.sub());
        assert_eq!(rows(&licences.world, "subjects").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_revoked_licence_ends_its_login_and_begins_none() {
    on_each_database(async |licences| {
        let driver = licences.driver("D-1").await;
        licences.log_in(&driver).await;
        assert_eq!(rows(&licences.world, "login_sessions").await, 1);

        licences.authority.set(&driver.status, Status::Invalid);
        licences.world.clock.advance(120);
        let later = NOW.plus(120);
        licences.authority.publish_cwt(later).await;
        licences.world.tick().await;
        assert_eq!(rows(&licences.world, "login_sessions").await, 0);

        let (mut browser, shop) = (licences.world.browser(), licences.world.shop());
        let (_, page) = begin(&mut browser, &shop.authorize("openid licence", &[])).await;
        let answer = licences.show(&driver, &wallet_link(&page)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    })
    .await;
}

#[tokio::test]
async fn a_licence_in_the_place_of_a_card_is_refused() {
    on_each_database(async |licences| {
        let world = &licences.world;
        let (mut browser, shop) = (world.browser(), world.shop());
        let (_, page) = begin(&mut browser, &shop.authorize("openid membership", &[])).await;
        let driver = licences.driver("D-1").await;
        let answer = licences.show_as("card", &driver, &wallet_link(&page)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(rows(world, "login_sessions").await, 0);
    })
    .await;
}

/// Appendix B.2.6.1: the nonce is part of what the device signs.
#[tokio::test]
async fn oidf_a_licence_for_another_nonce_is_refused() {
    on_each_database(async |licences| {
        let driver = licences.driver("D-1").await;
        let (mut browser, shop) = (licences.world.browser(), licences.world.shop());
        let (path, page) = begin(&mut browser, &shop.authorize("openid licence", &[])).await;
        let link = wallet_link(&page);
        let answer = licences.show_for("licence", &driver, &link, "INVALID");
        let answer = answer.await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
        assert_eq!(answer.json()["reason"], "mdoc_device_auth");
        let left = browser.get(&format!("{path}/leave")).await;
        assert_eq!(shop.error(&left), "access_denied");
        assert_eq!(rows(&licences.world, "login_sessions").await, 0);
        // The same licence for the nonce of the request.
        licences.log_in(&driver).await;
    })
    .await;
}

fn refused(change: impl FnOnce(String) -> String) -> String {
    let config = parse(&change(with_licences(
        &toml(&Pki::new()),
        &iaca("Transport"),
        NUMBER,
    )));
    Settings::parse(&config).unwrap_err().to_string()
}

#[test]
fn mistakes_in_the_configuration_are_named() {
    // No namespace in the name of the claim that says whose login it is.
    let config = parse(&with_licences(
        &toml(&Pki::new()),
        &iaca("Transport"),
        "document_number",
    ));
    let error = Settings::parse(&config).unwrap_err().to_string();
    assert!(error.contains("namespace/element"), "{error}");
    // Nobody who may issue it as mdoc.
    let error = refused(|toml| toml.replacen("iaca =", "anchors =", 1));
    assert!(
        error.contains("anchor") || error.contains("mso_mdoc"),
        "{error}"
    );
    // Declared stable under another name.
    let error =
        refused(|toml| toml.replacen(&format!("[\"{NUMBER}\"]"), "[\"document_number\"]", 1));
    assert!(error.contains("stable"), "{error}");
    // A format that nobody verifies here.
    let error = refused(|toml| toml.replacen("\"mso_mdoc\"", "\"jwt_vc_json\"", 1));
    assert!(error.contains("mso_mdoc"), "{error}");
}

//! A service with the profile `haip` and wallets that authenticate: attested ones, and one with a
//! key of its own.

use std::path::PathBuf;

use axum::http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, Signer, SigningKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::random;
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::http::Method;
use vouchsafe_protocol::oauth::dpop;
use vouchsafe_protocol::oauth::pkce::CodeVerifier;

use super::harness::{Answer, Harness, ISSUER, REDIRECT, config_text, with_config};

pub(super) const ATTESTED: &str = "attested.example";
pub(super) const ATTESTED_TOO: &str = "attested-too.example";
pub(super) const COMBINED: &str = "combined.example";
pub(super) const KEYED: &str = "keyed.example";

/// The key of the provider of wallets.
pub(super) fn provider() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(501))
}

/// The key of the wallet that signs assertions.
pub(super) fn client_key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256, &SeededRng::new(502))
}

fn key_set(name: &str, key: &SigningKey) -> PathBuf {
    let mut jwk = key.public_key().to_jwk();
    jwk["kid"] = json!("1");
    let folder = std::env::temp_dir().join(format!("vouchsafe-haip-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    // One file for each caller: tests run at the same time.
    static FILES: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = FILES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = folder.join(format!("{number}-{name}"));
    std::fs::write(&path, json!({ "keys": [jwk] }).to_string()).unwrap();
    path
}

/// `[signing]` with a certificate chain.
pub(super) fn x5c_signing() -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec!["issuer.example".into()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "The Club");
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &authority).unwrap();
    let (key, leaf) = (key.serialize_pem(), leaf.pem());
    format!("[signing]\nmethod = \"x5c\"\nkey = '''{key}'''\ncertificates = '''{leaf}'''\n")
}

/// The wallets of these tests, and their provider.
pub(super) fn wallets() -> String {
    let client = |id: &str, rest: &str| {
        format!(
            "[[client]]\nid = \"{id}\"\nname = \"Wallet\"\nredirect_uris = [\"{REDIRECT}\"]\n{rest}\n"
        )
    };
    let attested = "auth = \"attest_jwt_client_auth\"\nwallet_provider = \"provider\"";
    let combined = "auth = \"attest_jwt_client_auth_dpop\"\nwallet_provider = \"provider\"";
    let keys = key_set("client.json", &client_key());
    let keyed = format!(
        "auth = \"private_key_jwt\"\njwks_file = \"{}\"",
        keys.display()
    );
    let provider = key_set("provider.json", &provider());
    let other = key_set(
        "other.json",
        &SigningKey::generate(Algorithm::Es256, &SeededRng::new(503)),
    );
    [
        client(ATTESTED, attested),
        client(ATTESTED_TOO, attested),
        client(COMBINED, combined),
        client(KEYED, &keyed),
        client(
            "elsewhere.example",
            "auth = \"attest_jwt_client_auth\"\nwallet_provider = \"elsewhere\"",
        ),
        format!(
            "[[wallet_provider]]\nname = \"provider\"\njwks_file = \"{}\"\n",
            provider.display()
        ),
        format!(
            "[[wallet_provider]]\nname = \"elsewhere\"\njwks_file = \"{}\"\n",
            other.display()
        ),
    ]
    .concat()
}

/// The configuration of a service with a profile and signing keys, without public wallets.
pub(super) fn profile_text(profile: &str, signing: &str, rest: &str) -> String {
    let challenges = match profile {
        "haip" => "\nattestation_challenges = true",
        _ => "",
    };
    let text = config_text(&format!("profile = \"{profile}\"{challenges}"));
    let text = text.replace("batch_size = 3\n", "");
    let from = text.find("[signing]").unwrap();
    format!("{}{signing}{rest}", &text[..from])
}

pub(super) fn haip_text() -> String {
    profile_text("haip", &x5c_signing(), &wallets())
}

/// Runs a test with the profile `haip`.
pub(super) async fn haip<F: AsyncFn(Harness)>(test: F) {
    with_config(&haip_text(), test).await;
}

/// Signs anything.
pub(super) async fn jwt(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let part = |value: &Value| b64url(value.to_string().as_bytes());
    let input = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(input.as_bytes()).await.unwrap();
    format!("{input}.{}", b64url(&signature))
}

/// An instance of a wallet: its keys and what it keeps between requests.
pub(super) struct Wallet<'a> {
    pub h: &'a Harness,
    pub client_id: &'static str,
    pub instance: SigningKey,
    pub dpop: SigningKey,
    pub verifier: CodeVerifier,
}

impl<'a> Wallet<'a> {
    pub(super) fn new(h: &'a Harness, client_id: &'static str, seed: u64) -> Self {
        let key = |seed| SigningKey::generate(Algorithm::Es256, &SeededRng::new(seed));
        let instance = key(seed);
        let dpop = if client_id == COMBINED {
            key(seed)
        } else {
            key(seed + 1000)
        };
        Self {
            h,
            client_id,
            instance,
            dpop,
            verifier: CodeVerifier::generate(&*h.rng),
        }
    }

    fn now(&self) -> i64 {
        self.h.clock.now().seconds()
    }

    /// A nonce of the server.
    pub(super) fn nonce(&self) -> String {
        let core = self.h.issuer.core();
        core.keys
            .server_nonces
            .issue(self.h.clock.now(), &*self.h.rng)
    }

    pub(super) async fn attestation(&self, change: impl Fn(&mut Value, &mut Value)) -> String {
        let mut header =
            json!({ "alg": "ES256", "typ": "oauth-client-attestation+jwt", "kid": "1" });
        let mut claims = json!({
            "iss": "https://provider.example",
            "sub": self.client_id,
            "exp": self.now() + 3600,
            "cnf": { "jwk": self.instance.public_key().to_jwk() },
        });
        change(&mut header, &mut claims);
        jwt(&header, &claims, &provider()).await
    }

    pub(super) async fn pop(&self, change: impl Fn(&mut Value, &mut Value)) -> String {
        let mut header = json!({ "alg": "ES256", "typ": "oauth-client-attestation-pop+jwt" });
        let mut claims = json!({
            "aud": ISSUER,
            "jti": random::token(&*self.h.rng),
            "iat": self.now(),
            "challenge": self.nonce(),
        });
        change(&mut header, &mut claims);
        jwt(&header, &claims, &self.instance).await
    }

    pub(super) async fn assertion(&self, change: impl Fn(&mut Value, &mut Value)) -> String {
        let mut header = json!({ "alg": "ES256", "kid": "1" });
        let mut claims = json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "jti": random::token(&*self.h.rng),
            "iat": self.now(),
            "exp": self.now() + 60,
        });
        change(&mut header, &mut claims);
        jwt(&header, &claims, &client_key()).await
    }

    pub(super) async fn dpop_proof(&self, path: &str, nonce: Option<&str>) -> String {
        self.dpop_for(path, None, nonce).await
    }

    pub(super) async fn dpop_for(
        &self,
        path: &str,
        token: Option<&str>,
        nonce: Option<&str>,
    ) -> String {
        let url = Url::parse(&format!("{ISSUER}{path}")).unwrap();
        let request = dpop::ProofFor {
            method: Method::Post,
            url: &url,
            access_token: token,
            nonce,
        };
        let now = self.h.clock.now();
        dpop::build(&request, &self.dpop, now, &*self.h.rng)
            .await
            .unwrap()
    }

    /// The headers that authenticate this wallet.
    pub(super) async fn headers(&self) -> Vec<(&'static str, String)> {
        match self.client_id {
            KEYED => Vec::new(),
            COMBINED => vec![(
                "oauth-client-attestation",
                self.attestation(|_, _| {}).await,
            )],
            _ => vec![
                (
                    "oauth-client-attestation",
                    self.attestation(|_, _| {}).await,
                ),
                ("oauth-client-attestation-pop", self.pop(|_, _| {}).await),
            ],
        }
    }

    /// The fields that authenticate this wallet.
    pub(super) async fn fields(&self) -> Vec<(&'static str, String)> {
        if self.client_id != KEYED {
            return vec![("client_id", self.client_id.to_owned())];
        }
        vec![
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
            ),
            ("client_assertion", self.assertion(|_, _| {}).await),
        ]
    }

    /// The authorization request, without what authenticates.
    pub(super) fn request(&self, issuer_state: Option<&str>) -> Vec<(&'static str, String)> {
        let mut request = vec![
            ("client_id", self.client_id.to_owned()),
            ("response_type", "code".to_owned()),
            ("redirect_uri", REDIRECT.to_owned()),
            ("scope", "membership".to_owned()),
            ("state", "s-1".to_owned()),
            (
                "code_challenge",
                self.verifier.challenge().as_str().to_owned(),
            ),
            ("code_challenge_method", "S256".to_owned()),
        ];
        request.extend(issuer_state.map(|state| ("issuer_state", state.to_owned())));
        request
    }

    pub(super) async fn send(
        &self,
        path: &str,
        fields: &[(&'static str, String)],
        headers: &[(&'static str, String)],
    ) -> Answer {
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.h.form_with(path, &fields, &headers).await
    }

    /// Pushes a request as this wallet does.
    pub(super) async fn push(&self, change: impl Fn(&mut Vec<(&'static str, String)>)) -> Answer {
        let mut fields = self.request(None);
        change(&mut fields);
        for field in self.fields().await {
            if field.0 != "client_id" {
                fields.push(field);
            }
        }
        let mut headers = self.headers().await;
        if self.client_id == COMBINED {
            let nonce = self.nonce();
            headers.push(("dpop", self.dpop_proof("/par", Some(&nonce)).await));
        }
        self.send("/par", &fields, &headers).await
    }

    /// Opens the page for a pushed request and types the code; the answer of the last step.
    pub(super) async fn authorize(&self, request_uri: &str, one_time_code: &str) -> Answer {
        let query = [("client_id", self.client_id), ("request_uri", request_uri)];
        let query = serde_urlencoded::to_string(query).unwrap();
        let page = self.h.get(&format!("/authorize?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        self.type_code(&page, one_time_code).await
    }

    pub(super) async fn type_code(&self, page: &Answer, one_time_code: &str) -> Answer {
        let flow = page.text.split("name=\"flow\" value=\"").nth(1).unwrap();
        let flow = flow.split('"').next().unwrap();
        let cookie = page.header("set-cookie").split(';').next().unwrap();
        let fields = [("flow", flow), ("code", one_time_code), ("step", "confirm")];
        self.h
            .form_with("/authorize", &fields, &[("cookie", cookie)])
            .await
    }

    /// From an offer to an authorization code.
    pub(super) async fn code(&self) -> String {
        let offer = self.h.offer(json!({ "grant": "authorization_code" })).await;
        let object = self.h.offer_object(&offer).await;
        let state = object["grants"]["authorization_code"]["issuer_state"].clone();
        let state = state.as_str().unwrap().to_owned();
        let pushed = self.push(|r| r.push(("issuer_state", state.clone()))).await;
        assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
        let request_uri = pushed.json()["request_uri"].clone();
        let typed = offer["one_time_code"].as_str().unwrap();
        let answer = self.authorize(request_uri.as_str().unwrap(), typed).await;
        code_of(&answer)
    }

    /// Redeems a code as this wallet does, with changes.
    pub(super) async fn redeem(
        &self,
        code: &str,
        change: impl Fn(&mut Vec<(&'static str, String)>, &mut Vec<(&'static str, String)>),
    ) -> Answer {
        let mut fields = self.fields().await;
        fields.push(("grant_type", "authorization_code".to_owned()));
        fields.push(("code", code.to_owned()));
        fields.push(("redirect_uri", REDIRECT.to_owned()));
        fields.push(("code_verifier", self.verifier.as_str().to_owned()));
        let mut headers = self.headers().await;
        let nonce = self.nonce();
        headers.push(("dpop", self.dpop_proof("/token", Some(&nonce)).await));
        change(&mut fields, &mut headers);
        self.send("/token", &fields, &headers).await
    }

    /// Asks for a credential with a bound token.
    pub(super) async fn credential(&self, token: &str, nonce: Option<&str>) -> Answer {
        let c_nonce = self.h.nonce().await;
        let proof = self.h.proof(&self.h.holder(77), &c_nonce).await;
        let body = json!({
            "credential_configuration_id": "membership",
            "proofs": { "jwt": [proof] },
        });
        let proof = self.dpop_for("/credential", Some(token), nonce).await;
        let headers = [
            ("authorization", &*format!("DPoP {token}")),
            ("dpop", &proof),
        ];
        self.h.credential_raw(&headers, &body.to_string()).await
    }
}

pub(super) fn code_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let url = Url::parse(answer.header("location")).unwrap();
    let get = |name: &str| {
        url.query_pairs()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.into_owned())
    };
    assert_eq!(get("iss").as_deref(), Some(ISSUER));
    get("code").expect("a code")
}

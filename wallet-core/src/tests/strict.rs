//! An issuer that believes nothing: every token, proof, nonce, challenge and attestation is checked
//! with the server's halves of the protocol, and nothing is taken twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json as value};
use vouchsafe_credentials::crypto::{AgreementKey, Algorithm, Portable, PublicKey};
use vouchsafe_credentials::did::LocalResolver;
use vouchsafe_credentials::random;
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::{Clock, UnixTime};
use vouchsafe_protocol::http::{HttpRequest, HttpResponse};
use vouchsafe_protocol::oauth::attestation;
use vouchsafe_protocol::oauth::authorization_details;
use vouchsafe_protocol::oauth::dpop;
use vouchsafe_protocol::oauth::params::Params;
use vouchsafe_protocol::oauth::pkce::{self, CodeChallenge};
use vouchsafe_protocol::oauth::server_nonce::ServerNonces;
use vouchsafe_protocol::oauth::wallet_provider::WalletProviders;
use vouchsafe_protocol::vci::encryption::{
    self, MEDIA_TYPE, RequestKey, ResponseEncryption, open_request,
};
use vouchsafe_protocol::vci::key_attestation::AttestationPolicy;
use vouchsafe_protocol::vci::nonce::NonceKeys;
use vouchsafe_protocol::vci::notification::Notification;
use vouchsafe_protocol::vci::proof;
use vouchsafe_protocol::vci::proofs::{self, Offered, ProofsExpected};
use vouchsafe_protocol::vci::request::{CredentialRequest, Proofs, RESPONSE_ENCRYPTION};

use super::issuer::{ScriptedIssuer, URL};
use super::json;

/// Seconds that a deferred card takes.
pub(crate) const INTERVAL: i64 = 5;

pub(crate) struct StrictIssuer {
    pub(crate) scripted: ScriptedIssuer,
    clock: Arc<FixedClock>,
    rng: SeededRng,
    server_nonces: ServerNonces,
    nonces: NonceKeys,
    /// Whose attestations count; without anybody, wallets come without.
    pub(crate) providers: WalletProviders,
    pub(crate) challenges: bool,
    pub(crate) par: bool,
    pub(crate) dpop_nonces: bool,
    /// How the proofs are: `jwt`, `attestation`, or `jwt` with an attestation.
    pub(crate) proof_type: &'static str,
    pub(crate) attested_keys: bool,
    pub(crate) defers: bool,
    pub(crate) encrypts: bool,
    /// Answers to encrypted requests are plain: a downgrade.
    pub(crate) plain_answers: bool,
    pub(crate) details: bool,
    /// How many datasets there are of the card.
    pub(crate) datasets: usize,
    /// Claims with a dataset identifier are demanded.
    pub(crate) notifications: bool,
    /// Every answer to a notification.
    pub(crate) notification_status: u16,
    pub(crate) chaos: Option<SeededRng>,
    pub(crate) lifetime: i64,
    pushed: Option<Params>,
    code: Option<(CodeChallenge, Option<String>)>,
    tokens: BTreeMap<String, (String, UnixTime)>,
    refresh: Option<(String, String)>,
    proofs_seen: BTreeSet<String>,
    nonces_seen: BTreeSet<String>,
    orders: BTreeMap<String, (UnixTime, Vec<PublicKey>)>,
    issued: usize,
    counter: usize,
    /// What it was told.
    pub(crate) told: Vec<(String, &'static str)>,
    pub(crate) log: Vec<String>,
    /// Number of keys in each accepted request.
    pub(crate) batches: Vec<usize>,
}

fn refuse(status: u16, error: &str) -> HttpResponse {
    json(status, &value!({ "error": error }))
}

impl StrictIssuer {
    pub(crate) fn new(scripted: ScriptedIssuer, clock: Arc<FixedClock>, seed: u64) -> Self {
        Self {
            scripted,
            clock,
            rng: SeededRng::new(seed),
            server_nonces: ServerNonces::new(URL, [3; 32]),
            nonces: NonceKeys::new(URL, 1, [4; 32]),
            providers: WalletProviders::default(),
            challenges: false,
            par: false,
            dpop_nonces: true,
            proof_type: "jwt",
            attested_keys: false,
            defers: false,
            encrypts: false,
            plain_answers: false,
            details: false,
            datasets: 1,
            notifications: true,
            notification_status: 204,
            chaos: None,
            lifetime: 300,
            pushed: None,
            code: None,
            tokens: BTreeMap::new(),
            refresh: None,
            proofs_seen: BTreeSet::new(),
            nonces_seen: BTreeSet::new(),
            orders: BTreeMap::new(),
            issued: 0,
            counter: 0,
            told: Vec::new(),
            log: Vec::new(),
            batches: Vec::new(),
        }
    }

    fn now(&self) -> UnixTime {
        self.clock.now()
    }

    fn chance(&self, percent: u8) -> bool {
        let byte = |rng: &SeededRng| random::bytes::<2>(rng);
        let drawn = self.chaos.as_ref().map(byte);
        drawn.is_some_and(|drawn| u16::from_be_bytes(drawn) % 100 < u16::from(percent))
    }

    fn name(&mut self, kind: &str) -> String {
        self.counter += 1;
        format!("{kind}-{}", self.counter)
    }

    pub(crate) async fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        let path = request.url.path().to_owned();
        self.log.push(format!("{} {path}", request.method.as_str()));
        if self.chance(50) {
            let mut busy = refuse(503, "temporarily_unavailable");
            let seconds = 1 + random::bytes::<1>(self.chaos.as_ref().unwrap())[0] % 30;
            busy.headers.push("retry-after", seconds.to_string());
            return busy;
        }
        let mut response = match path.as_str() {
            "/.well-known/openid-credential-issuer" => json(200, &self.issuer_metadata()),
            "/.well-known/oauth-authorization-server" => json(200, &self.server_metadata()),
            "/challenge" => {
                let challenge = self.server_nonces.issue(self.now(), &self.rng);
                json(200, &value!({ "attestation_challenge": challenge }))
            }
            "/par" => self.par(request),
            "/token" => self.token(request),
            "/nonce" => {
                let nonce = self.nonces.issue(self.now(), &self.rng);
                json(200, &value!({ "c_nonce": nonce }))
            }
            "/credential" => self.credential(request).await,
            "/deferred" => self.deferred(request).await,
            "/notification" => self.notification(request),
            other => panic!("unexpected request to {other}"),
        };
        let bound = ["/token", "/credential", "/deferred", "/notification"];
        if self.dpop_nonces && bound.contains(&path.as_str()) {
            let nonce = self.server_nonces.issue(self.now(), &self.rng);
            response.headers.push("dpop-nonce", nonce);
        }
        response
    }

    fn issuer_metadata(&self) -> Value {
        let mut metadata = self.scripted.issuer_metadata();
        metadata["deferred_credential_endpoint"] = value!(format!("{URL}/deferred"));
        if self.notifications {
            metadata["notification_endpoint"] = value!(format!("{URL}/notification"));
        }
        let mut kind = value!({ "proof_signing_alg_values_supported": ["ES256"] });
        if self.attested_keys {
            kind["key_attestations_required"] = value!({ "key_storage": ["iso_18045_basic"] });
        }
        let card = &mut metadata["credential_configurations_supported"]["membership"];
        card["proof_types_supported"] = value!({ self.proof_type: kind });
        if self.encrypts {
            let request = encryption::request_metadata(&[self.request_key()], true);
            metadata["credential_request_encryption"] = serde_json::to_value(request).unwrap();
            let response = encryption::response_metadata(true);
            metadata["credential_response_encryption"] = serde_json::to_value(response).unwrap();
        }
        (self.scripted.edit_issuer)(&mut metadata);
        metadata
    }

    fn request_key(&self) -> RequestKey {
        RequestKey {
            kid: "request-1".into(),
            key: AgreementKey::generate(&SeededRng::new(50)),
        }
    }

    fn server_metadata(&self) -> Value {
        let mut metadata = self.scripted.server_metadata();
        let method = match self.providers.is_empty() {
            true => "none",
            false => "attest_jwt_client_auth",
        };
        metadata["token_endpoint_auth_methods_supported"] = value!([method]);
        metadata["pre-authorized_grant_anonymous_access_supported"] =
            value!(self.providers.is_empty());
        metadata["authorization_details_types_supported"] = value!(["openid_credential"]);
        if self.par {
            let endpoint = format!("{URL}/par");
            metadata["pushed_authorization_request_endpoint"] = value!(endpoint);
            metadata["require_pushed_authorization_requests"] = value!(true);
        }
        if self.challenges {
            metadata["challenge_endpoint"] = value!(format!("{URL}/challenge"));
        }
        (self.scripted.edit_server)(&mut metadata);
        metadata
    }

    /// Attestation-based client authentication, where providers are trusted.
    fn authenticate(&mut self, request: &HttpRequest) -> Result<(), HttpResponse> {
        let headers = &request.headers;
        if self.providers.is_empty() {
            assert!(headers.get("oauth-client-attestation").is_none());
            return Ok(());
        }
        let jwt = headers.at_most_one("oauth-client-attestation").unwrap();
        let pop = headers.at_most_one("oauth-client-attestation-pop").unwrap();
        let (jwt, pop) = (jwt.unwrap(), pop.unwrap());
        let attested = attestation::verify(jwt, &self.providers, self.now(), &Portable).unwrap();
        assert_eq!(attested.client_id.as_str(), "vouchsafe-wallet");
        let expected = attestation::Expected {
            issuer: URL,
            challenges: self.challenges.then_some(&self.server_nonces),
            now: self.now(),
        };
        let checked = attestation::verify_pop(pop, &attested, &expected, &Portable);
        match checked {
            Ok(pop) => {
                assert!(self.proofs_seen.insert(pop.jti), "a proof is used twice");
                Ok(())
            }
            Err(error) => Err(refuse(400, error.code().as_str())),
        }
    }

    /// The thumbprint of the key that proves the request.
    fn check_dpop(
        &mut self,
        request: &HttpRequest,
        access_token: Option<&str>,
        bound_to: Option<&str>,
    ) -> Result<String, HttpResponse> {
        let status = if access_token.is_some() { 401 } else { 400 };
        let proof = dpop::from_headers(&request.headers).unwrap().unwrap();
        let expected = dpop::Expected {
            method: request.method,
            url: &request.url,
            access_token,
            bound_to,
            nonce: self.dpop_nonces.then_some(&self.server_nonces),
            now: self.now(),
        };
        let checked = dpop::verify(proof, &expected, &Portable);
        if self.chance(5) && self.dpop_nonces {
            return Err(wants_nonce(status));
        }
        match checked {
            Ok(proof) => {
                assert!(self.proofs_seen.insert(proof.jti), "a proof is used twice");
                Ok(proof.thumbprint)
            }
            Err(dpop::DpopError::Nonce) => Err(wants_nonce(status)),
            Err(error) => panic!("{error:?}"),
        }
    }

    fn par(&mut self, request: &HttpRequest) -> HttpResponse {
        assert!(self.par);
        if let Err(refused) = self.authenticate(request) {
            return refused;
        }
        self.pushed = Some(Params::parse_body(&request.body).unwrap());
        let answer =
            value!({ "request_uri": "urn:ietf:params:oauth:request_uri:1", "expires_in": 60 });
        json(201, &answer)
    }

    /// What the browser does: the query with which it comes back.
    pub(crate) fn sign_in(&mut self, url: &url::Url) -> String {
        let sent = Params::parse(url.query().unwrap()).unwrap();
        let params = match self.par {
            false => sent,
            true => {
                // RFC 9126, section 4, FAPI 2.0: nothing but these two.
                assert_eq!(sent.iter().count(), 2);
                let pushed = self.pushed.take().unwrap();
                assert_eq!(sent.get("client_id"), pushed.get("client_id"));
                let uri = sent.get("request_uri").unwrap();
                assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
                pushed
            }
        };
        assert_eq!(params.get("response_type"), Some("code"));
        assert_eq!(params.get("code_challenge_method"), Some("S256"));
        match params.get("authorization_details") {
            Some(details) => {
                assert!(!params.was_sent("scope"));
                let asked = authorization_details::parse(details, URL).unwrap();
                assert_eq!(asked, ["membership"]);
                self.details = true;
            }
            None => assert_eq!(params.get("scope"), Some("membership")),
        }
        let challenge = CodeChallenge::parse(params.get("code_challenge").unwrap()).unwrap();
        self.code = Some((challenge, params.owned("dpop_jkt")));
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("code", "auth-code")
            .append_pair("state", params.get("state").unwrap())
            .append_pair("iss", URL)
            .finish()
    }

    fn token(&mut self, request: &HttpRequest) -> HttpResponse {
        if let Err(refused) = self.authenticate(request) {
            return refused;
        }
        let params = Params::parse_body(&request.body).unwrap();
        let grant = params.get("grant_type").unwrap();
        let bound = match grant {
            "authorization_code" => self.code.as_ref().and_then(|(_, jkt)| jkt.clone()),
            "refresh_token" => self.refresh.as_ref().map(|(_, jkt)| jkt.clone()),
            _ => None,
        };
        let jkt = match self.check_dpop(request, None, bound.as_deref()) {
            Ok(jkt) => jkt,
            Err(refused) => return refused,
        };
        match grant {
            "authorization_code" => {
                assert_eq!(params.get("code"), Some("auth-code"));
                let (challenge, jkt) = self.code.take().unwrap();
                assert!(jkt.is_some(), "the code is bound to no key");
                pkce::verify(Some(&challenge), params.get("code_verifier")).unwrap();
            }
            "refresh_token" => match self.refresh.take() {
                Some((token, _)) if params.get("refresh_token") == Some(&token) => {}
                kept => {
                    self.refresh = kept;
                    return refuse(400, "invalid_grant");
                }
            },
            _ => assert_eq!(params.get("pre-authorized_code"), Some("pre-code")),
        }
        let (token, refresh) = (self.name("token"), self.name("refresh"));
        let ends = self.now().plus(self.lifetime);
        self.tokens.insert(token.clone(), (jkt.clone(), ends));
        self.refresh = Some((refresh.clone(), jkt));
        let mut answer = value!({
            "access_token": token, "token_type": "DPoP",
            "expires_in": self.lifetime, "refresh_token": refresh,
        });
        if self.details {
            let datasets = (1..=self.datasets).map(|number| format!("dataset-{number}"));
            answer["authorization_details"] = value!([{
                "type": "openid_credential",
                "credential_configuration_id": "membership",
                "credential_identifiers": datasets.collect::<Vec<_>>(),
            }]);
        }
        json(200, &answer)
    }

    /// The access token of a request, with the proof that it is the wallet's.
    fn authorized(&mut self, request: &HttpRequest) -> Result<(), HttpResponse> {
        let header = request.headers.get("authorization").unwrap();
        let token = header.strip_prefix("DPoP ").unwrap().to_owned();
        let Some((jkt, ends)) = self.tokens.get(&token).cloned() else {
            return Err(refuse(401, "invalid_token"));
        };
        if ends <= self.now() {
            return Err(refuse(401, "invalid_token"));
        }
        self.check_dpop(request, Some(&token), Some(&jkt)).map(drop)
    }

    fn members(&self, request: &HttpRequest) -> Map<String, Value> {
        let body = match request.headers.get("content-type") {
            Some(MEDIA_TYPE) => {
                let key = |kid: &str| (kid == "request-1").then(|| self.request_key().key);
                open_request(&request.body, key, &Portable)
                    .unwrap()
                    .to_vec()
            }
            Some("application/json") if !self.encrypts => request.body.clone(),
            other => panic!("{other:?}"),
        };
        serde_json::from_slice(&body).unwrap()
    }

    fn sealed(&self, members: &Map<String, Value>, status: u16, answer: &Value) -> HttpResponse {
        if !self.encrypts || self.plain_answers {
            return json(status, answer);
        }
        let wanted = ResponseEncryption::read(&members[RESPONSE_ENCRYPTION]).unwrap();
        let text = answer.to_string();
        let sealed = wanted.seal(text.as_bytes(), &Portable, &self.rng).unwrap();
        HttpResponse {
            status,
            headers: [("content-type", MEDIA_TYPE)].into_iter().collect(),
            body: sealed.into_bytes(),
        }
    }

    async fn credential(&mut self, request: &HttpRequest) -> HttpResponse {
        if let Err(refused) = self.authorized(request) {
            return refused;
        }
        let mut members = self.members(request);
        let body = CredentialRequest::read(&{
            let mut members = members.clone();
            members.remove(RESPONSE_ENCRYPTION);
            members
        });
        let named = if self.details {
            "credential_identifier"
        } else {
            "credential_configuration_id"
        };
        assert!(members.contains_key(named));
        let body = body.unwrap();
        let keys = match self.keys(body.required_proofs().unwrap()).await {
            Ok(keys) => keys,
            Err(refused) => return refused,
        };
        self.batches.push(keys.len());
        if self.defers || self.chance(20) {
            let id = self.name("order");
            self.orders
                .insert(id.clone(), (self.now().plus(INTERVAL), keys));
            let answer = value!({ "transaction_id": id, "interval": INTERVAL });
            return self.sealed(&members, 202, &answer);
        }
        let answer = self.issue(keys).await;
        let sealed = self.sealed(&members, 200, &answer);
        members.clear();
        sealed
    }

    async fn keys(&mut self, sent: &Proofs) -> Result<Vec<PublicKey>, HttpResponse> {
        let levels = ["iso_18045_basic".to_owned()];
        let policy = AttestationPolicy {
            providers: &self.providers,
            key_storage: &levels,
            user_authentication: &[],
        };
        let attestations = self.attested_keys || self.proof_type == "attestation";
        let expected = ProofsExpected {
            proof: proof::Expected {
                issuer: URL,
                client_id: Some("vouchsafe-wallet"),
                algorithms: &[Algorithm::Es256],
                nonces: &self.nonces,
                now: self.now(),
            },
            offered: Offered {
                jwt: self.proof_type == "jwt",
                attestation: self.proof_type == "attestation",
                di_vp: false,
                key_attestation: attestations.then_some(policy),
            },
            batch_size: usize::try_from(self.scripted.batch).unwrap(),
            resolver: &LocalResolver,
        };
        let accepted = match proofs::verify(sent, &expected, &Portable).await {
            Ok(accepted) => accepted,
            Err(error) => return Err(refuse(400, error.code().as_str())),
        };
        let nonces = accepted.nonces.iter().map(|nonce| format!("{nonce:?}"));
        let used: Vec<bool> = nonces
            .map(|nonce| !self.nonces_seen.insert(nonce))
            .collect();
        if used.contains(&true) || self.chance(5) {
            return Err(refuse(400, "invalid_nonce"));
        }
        Ok(accepted.keys)
    }

    async fn issue(&mut self, keys: Vec<PublicKey>) -> Value {
        let mut credentials = Vec::new();
        for (copy, key) in keys.iter().enumerate() {
            credentials.push(self.scripted.issue(copy, key).await);
            self.issued += 1;
        }
        (self.scripted.edit_credentials)(&mut credentials);
        let list: Vec<Value> = credentials
            .iter()
            .map(|c| value!({ "credential": c }))
            .collect();
        let mut answer = value!({ "credentials": list });
        if self.notifications {
            answer["notification_id"] = value!(self.name("notice"));
        }
        answer
    }

    async fn deferred(&mut self, request: &HttpRequest) -> HttpResponse {
        if let Err(refused) = self.authorized(request) {
            return refused;
        }
        let members = self.members(request);
        let id = members["transaction_id"].as_str().unwrap().to_owned();
        let Some((ready, keys)) = self.orders.get(&id).cloned() else {
            return refuse(400, "invalid_transaction_id");
        };
        assert!(self.now() >= ready, "asked before the interval is over");
        if self.chance(30) {
            self.orders
                .insert(id.clone(), (self.now().plus(INTERVAL), keys));
            let answer = value!({ "transaction_id": id, "interval": INTERVAL });
            return self.sealed(&members, 202, &answer);
        }
        self.orders.remove(&id);
        let answer = self.issue(keys).await;
        self.sealed(&members, 200, &answer)
    }

    fn notification(&mut self, request: &HttpRequest) -> HttpResponse {
        if let Err(refused) = self.authorized(request) {
            return refused;
        }
        let notification = Notification::parse(&request.body).unwrap();
        if self.notification_status == 204 {
            let event = notification.event.as_str();
            self.told.push((notification.notification_id, event));
        }
        json(self.notification_status, &value!({}))
    }

    /// As a restore of an older state would do.
    pub(crate) fn forget_orders(&mut self) {
        self.orders.clear();
    }

    pub(crate) fn forget_tokens(&mut self) {
        self.tokens.clear();
        self.refresh = None;
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.log.iter().filter(|logged| *logged == line).count()
    }
}

fn wants_nonce(status: u16) -> HttpResponse {
    let mut response = refuse(status, "use_dpop_nonce");
    response
        .headers
        .push("www-authenticate", "DPoP error=\"use_dpop_nonce\"");
    response
}

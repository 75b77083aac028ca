//! A scripted wallet, honest by default; the tests make it lie.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Map, Value, json};
use url::Url;
use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey};
use vouchsafe_credentials::did::DidDocument;
use vouchsafe_credentials::jwe::{self, Recipient};
use vouchsafe_credentials::sd_jwt::{ClaimPath, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{
    HeldSdJwtVc, IssuancePolicy, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer, kb,
    verify_issued,
};
use vouchsafe_credentials::status_list::StatusRef;
use vouchsafe_credentials::testing::{FixedClock, SeededRng};
use vouchsafe_credentials::time::{Clock as _, UnixTime};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::answer::{HeldCandidate, Presented, make_api_response, make_response};
use vouchsafe_protocol::vp::api::Origin;
use vouchsafe_protocol::vp::dcql::{Candidate, DcqlQuery, Selection, find_matches};
use vouchsafe_protocol::vp::invocation::{Invocation, parameters_by_value};
use vouchsafe_protocol::vp::request::{
    ApiRequest, Attester, Parties, PresentationRequest, RequestError, WalletPolicy,
    verify_api_request_of, verify_request_of, verify_unsigned,
};

use super::browser::{Answer, form, send};
use super::issuer::{Card, TestIssuer};
use super::{OP, World};

pub struct HeldCard {
    pub credential: HeldSdJwtVc,
    pub key: SigningKey,
    pub status: StatusRef,
}

pub struct Wallet {
    router: Router,
    clock: Arc<FixedClock>,
    rng: Arc<SeededRng>,
    anchors: TrustAnchors,
    pub others: Others,
    /// The public address of the service.
    pub base: &'static str,
    pub cards: Vec<HeldCard>,
}

/// Whom a wallet believes beside owners of certificates: by default nobody (HAIP 1.0).
#[derive(Default)]
pub struct Others {
    pub attesters: Vec<Attester>,
    pub unvouched: bool,
    pub document: Option<DidDocument>,
}

impl Others {
    fn parties(&self) -> Parties<'_> {
        Parties {
            attesters: &self.attesters,
            unvouched: self.unvouched,
            document: self.document.as_ref(),
            // The person sees what they authorise.
            transactions: true,
            ..Parties::NONE
        }
    }
}

/// A verified request and where it came from.
pub struct Asked {
    pub request: PresentationRequest,
}

impl Wallet {
    pub fn new(world: &World) -> Self {
        let mut anchors = TrustAnchors::new(Role::VerifierAccess);
        anchors.add_pem(&world.pki.verifier.anchor_pem).unwrap();
        Self {
            router: world.router(),
            clock: Arc::clone(&world.clock),
            rng: Arc::clone(&world.rng),
            anchors,
            others: Others::default(),
            base: OP,
            cards: Vec::new(),
        }
    }

    /// The same wallet, where the service has started again.
    pub fn at(self, router: Router) -> Self {
        Self { router, ..self }
    }

    pub async fn receive_age(&mut self, world: &World) {
        let claims = json!({ "age_equal_or_over": { "12": true, "18": true, "21": false } });
        let hidden: &[&[&str]] = &[
            &["age_equal_or_over", "12"],
            &["age_equal_or_over", "18"],
            &["age_equal_or_over", "21"],
        ];
        self.receive(world, &world.issuer, "urn:vouchsafe:age:1", claims, hidden)
            .await;
    }

    pub async fn receive_membership(&mut self, world: &World, member_id: &str) {
        self.receive_membership_of(world, &world.issuer, member_id)
            .await;
    }

    pub async fn receive_membership_of(
        &mut self,
        world: &World,
        issuer: &TestIssuer,
        member_id: &str,
    ) {
        let claims = json!({ "member_id": member_id, "tier": "gold", "valid_until": "2027-12-31", "name": "Canary Person" });
        let hidden: &[&[&str]] = &[&["member_id"], &["tier"], &["valid_until"], &["name"]];
        self.receive(world, issuer, "urn:vouchsafe:membership:1", claims, hidden)
            .await;
    }

    pub async fn receive(
        &mut self,
        world: &World,
        issuer: &TestIssuer,
        vct: &str,
        claims: Value,
        hidden: &[&[&str]],
    ) {
        self.receive_until(
            world,
            issuer,
            vct,
            claims,
            hidden,
            self.clock.now().plus(365 * 86_400),
        )
        .await;
    }

    pub async fn receive_until(
        &mut self,
        world: &World,
        issuer: &TestIssuer,
        vct: &str,
        claims: Value,
        hidden: &[&[&str]],
        until: UnixTime,
    ) {
        let key = SigningKey::generate(Algorithm::Es256, world.rng.as_ref());
        self.receive_bound(world, issuer, vct, claims, hidden, until, key)
            .await;
    }

    /// The same with a key that the wallet has.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one thing that a test chooses"
    )]
    pub async fn receive_bound(
        &mut self,
        world: &World,
        issuer: &TestIssuer,
        vct: &str,
        claims: Value,
        hidden: &[&[&str]],
        until: UnixTime,
        key: SigningKey,
    ) {
        let status = issuer.next_status();
        let card = Card {
            vct,
            claims,
            hidden,
            holder: Some(key.public_key()),
            expires_at: until,
        };
        let now = self.clock.now();
        let compact = issuer
            .issue(card, Some(&status), now, world.rng.as_ref())
            .await;
        self.hold(world, issuer, vct, &compact, (key, status));
    }

    /// A card that no status list knows.
    pub async fn receive_unlisted(
        &mut self,
        world: &World,
        issuer: &TestIssuer,
        vct: &str,
        claims: Value,
        hidden: &[&[&str]],
    ) {
        let key = SigningKey::generate(Algorithm::Es256, world.rng.as_ref());
        let now = self.clock.now();
        let card = Card {
            vct,
            claims,
            hidden,
            holder: Some(key.public_key()),
            expires_at: now.plus(365 * 86_400),
        };
        let compact = issuer.issue(card, None, now, world.rng.as_ref()).await;
        let status = issuer.next_status();
        self.hold(world, issuer, vct, &compact, (key, status));
    }

    fn hold(
        &mut self,
        world: &World,
        issuer: &TestIssuer,
        vct: &str,
        compact: &str,
        (key, status): (SigningKey, StatusRef),
    ) {
        let now = self.clock.now();
        let trust = trust_of(issuer, world, vct);
        let policy = IssuancePolicy {
            trust: &trust,
            vct,
            holder_key: Some(key.public_key()),
            now,
        };
        let credential = verify_issued(compact, &policy, &Portable)
            .expect("the card is good")
            .into_inner();
        self.cards.push(HeldCard {
            credential,
            key,
            status,
        });
    }

    /// Fetches and verifies the request behind a link, by POST with a `wallet_nonce`.
    pub async fn open(&self, link: &str) -> Asked {
        if let Some(request) = self.by_value(link) {
            let request = request.expect("the request is good");
            return Asked { request };
        }
        let invocation = self.invocation(link);
        let path = self.path(invocation.request_uri.as_str());
        let request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = send(
            &self.router,
            request
                .body(Body::from(form(&[("wallet_nonce", "wallet-nonce-1")])))
                .unwrap(),
        )
        .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/oauth-authz-req+jwt"
        );
        Asked {
            request: self.verify(&answer.body, link, Some("wallet-nonce-1")),
        }
    }

    /// The same by GET.
    pub async fn open_by_get(&self, link: &str) -> Asked {
        let answer = self.fetch(link).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "application/oauth-authz-req+jwt"
        );
        Asked {
            request: self.verify(&answer.body, link, None),
        }
    }

    pub async fn fetch(&self, link: &str) -> Answer {
        let invocation = self.invocation(link);
        let path = self.path(invocation.request_uri.as_str());
        send(
            &self.router,
            Request::get(path).body(Body::empty()).unwrap(),
        )
        .await
    }

    fn path<'a>(&self, address: &'a str) -> &'a str {
        address.strip_prefix(self.base).expect("an address of ours")
    }

    /// Reads a request that stands in the link itself, if one does.
    pub fn by_value(&self, link: &str) -> Option<Result<PresentationRequest, RequestError>> {
        let parameters = parameters_by_value(link).unwrap()?;
        Some(verify_unsigned(
            &self.others.parties(),
            &parameters,
            &self.policy(),
        ))
    }

    fn policy(&self) -> WalletPolicy<'_> {
        WalletPolicy {
            anchors: &self.anchors,
            crypto: &Portable,
            now: self.clock.now(),
            urls: UrlRule::LoopbackAllowed,
        }
    }

    /// Reads a request object that was fetched for this link.
    pub fn read(
        &self,
        object: &str,
        link: &str,
        wallet_nonce: Option<&str>,
    ) -> Result<PresentationRequest, RequestError> {
        let (parties, client_id) = (self.others.parties(), self.invocation(link).client_id);
        verify_request_of(&parties, object, &client_id, wallet_nonce, &self.policy())
            .map_err(|refusal| refusal.error)
    }

    fn invocation(&self, link: &str) -> Invocation {
        Invocation::parse(link, UrlRule::LoopbackAllowed).unwrap()
    }

    fn verify(&self, object: &str, link: &str, wallet_nonce: Option<&str>) -> PresentationRequest {
        self.read(object, link, wallet_nonce)
            .expect("the request is good")
    }

    /// The honest way: match, agree to everything, answer.
    pub async fn answer(&self, asked: &Asked) -> Answer {
        self.post(&asked.request, &self.response(asked).await).await
    }

    /// Opens a link and answers it; returns where the browser is sent.
    pub async fn follow(&self, link: &str) -> String {
        let answer = self.answer(&self.open(link).await).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["redirect_uri"].as_str().unwrap().to_owned()
    }

    /// The body of an honest answer.
    pub async fn response(&self, asked: &Asked) -> String {
        let request = &asked.request;
        let selection = self.selection(request.query());
        let presented = self.presented(&selection);
        let response = make_response(
            request,
            &presented,
            &Portable,
            self.rng.as_ref(),
            self.clock.now(),
        )
        .await
        .unwrap();
        response.to_form()
    }

    fn selection(&self, query: &DcqlQuery) -> Selection {
        let candidates: Vec<HeldCandidate<'_>> = self
            .cards
            .iter()
            .map(|card| HeldCandidate::new(&card.credential))
            .collect();
        let candidates: Vec<&dyn Candidate> = candidates
            .iter()
            .map(|candidate| candidate as &dyn Candidate)
            .collect();
        let matches = find_matches(query, &candidates).expect("a card fits");
        matches.smallest()
    }

    fn presented<'a>(&'a self, selection: &'a Selection) -> Vec<Presented<'a>> {
        let picks = selection.picks().iter();
        picks
            .map(|pick| Presented {
                query: &pick.query,
                credential: (&self.cards[pick.candidate].credential).into(),
                claims: &pick.claims,
                signer: &self.cards[pick.candidate].key,
            })
            .collect()
    }

    /// A request that the browser passes on for a page of `origin`, verified.
    pub fn asked_by_page(&self, origin: &str, offer: &Value) -> ApiRequest {
        let origin = Origin::parse(origin, UrlRule::LoopbackAllowed).unwrap();
        let (parties, protocol) = (self.others.parties(), offer["protocol"].as_str().unwrap());
        verify_api_request_of(&parties, protocol, &offer["data"], &origin, &self.policy())
            .expect("the request is good")
    }

    /// The honest answer to it, as the page gets it.
    pub async fn returned(&self, request: &ApiRequest) -> Value {
        let selection = self.selection(request.query());
        let presented = self.presented(&selection);
        let (rng, now) = (self.rng.as_ref(), self.clock.now());
        let data = make_api_response(request, &presented, &Portable, rng, now).await;
        json!({ "protocol": request.protocol(), "data": data.unwrap() })
    }

    /// A presentation of the last card, made by hand: the tests choose what is wrong with it.
    pub async fn present(&self, disclose: &[&[&str]], audience: &str, nonce: &str) -> String {
        let card = self.cards.last().unwrap();
        self.present_with(disclose, audience, nonce, &card.key)
            .await
    }

    pub async fn present_with(
        &self,
        disclose: &[&[&str]],
        audience: &str,
        nonce: &str,
        key: &SigningKey,
    ) -> String {
        let card = self.cards.last().unwrap();
        let paths: Vec<ClaimPath> = disclose
            .iter()
            .map(|path| ClaimPath::of_keys(path))
            .collect();
        let sd_jwt = card.credential.present(&paths).unwrap().sd_jwt().to_owned();
        let binding = kb::Binding {
            audience,
            nonce,
            issued_at: self.clock.now(),
        };
        let kb_jwt = kb::build(&sd_jwt, HashAlg::Sha256, &binding, key)
            .await
            .unwrap();
        format!("{sd_jwt}{kb_jwt}")
    }

    /// Encrypts a hand-made payload as the request wants it.
    pub fn encrypt(&self, asked: &Asked, payload: &Value) -> String {
        let encryption = asked.request.metadata().encryption.as_ref().unwrap();
        let recipient = Recipient {
            key: &encryption.key,
            kid: Some(&encryption.kid),
            enc: encryption.enc,
            apu: b"",
            apv: b"",
        };
        let compact = jwe::encrypt(
            payload.to_string().as_bytes(),
            &recipient,
            &Portable,
            self.rng.as_ref(),
        )
        .unwrap();
        form(&[("response", &compact)])
    }

    /// A payload with a `vp_token` for one query and the right `state`.
    pub fn payload(asked: &Asked, query: &str, presentation: &str) -> Value {
        let mut token = Map::new();
        token.insert(query.to_owned(), json!([presentation]));
        json!({ "vp_token": token, "state": asked.request.state().unwrap().as_str() })
    }

    /// Posts a body to the `response_uri` of a request.
    pub async fn post(&self, request: &PresentationRequest, body: &str) -> Answer {
        self.post_to(request.response_uri(), body).await
    }

    pub async fn post_to(&self, address: &Url, body: &str) -> Answer {
        self.post_preferring(address, body, "consent-uri").await
    }

    pub async fn post_preferring(&self, address: &Url, body: &str, prefer: &str) -> Answer {
        let path = self.path(address.as_str());
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("prefer", prefer);
        send(
            &self.router,
            request.body(Body::from(body.to_owned())).unwrap(),
        )
        .await
    }

    /// Withdraws a consent by its `consent_uri`.
    pub async fn withdraw(&self, consent_uri: &str) -> Answer {
        let path = self.path(consent_uri);
        send(
            &self.router,
            Request::delete(path).body(Body::empty()).unwrap(),
        )
        .await
    }
}

fn trust_of(issuer: &TestIssuer, world: &World, vct: &str) -> IssuerTrust {
    let mut anchors = TrustAnchors::new(Role::Issuer);
    for party in [
        &world.pki.issuer,
        &world.pki.other_issuer,
        &world.pki.untrusted_issuer,
    ] {
        anchors.add_pem(&party.anchor_pem).unwrap();
    }
    IssuerTrust::new(vec![TrustedIssuer {
        id: issuer.id.clone(),
        method: IssuerMethod::X509 {
            anchors: Arc::new(anchors),
            subject: None,
        },
        types: vec![vct.to_owned()],
        status: StatusMethod::SameIssuer,
    }])
    .unwrap()
}

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{Algorithm, Portable, PublicKey, Signer, SigningKey};
use vouchsafe_credentials::encoding::{b64url, b64url_decode};
use vouchsafe_credentials::jwe::{self, ContentEncryption, Recipient};
use vouchsafe_credentials::jws::{self, Header, TokenType};
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{
    HeldSdJwtVc, IssuancePolicy, IssueInput, IssuerKey, IssuerMethod, StatusMethod, TrustedIssuer,
    issue, kb, verify_issued,
};
use vouchsafe_credentials::status_list::{
    Bits, Status, StatusCheck, StatusList, StatusTokenInput, sign_status_list, verify_status_list,
};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::x509::Role;

use super::*;
use crate::vp::answer::{AnswerError, HeldCandidate, Presented, make_response};
use crate::vp::dcql::{Candidate, ClaimsPath, find_matches};
use crate::vp::metadata::key_id;
use crate::vp::request::{
    NewRequest, PresentationRequest, WalletPolicy, sign_request, verify_request,
};
use crate::vp::response::{ErrorCode, PostedResponse};
use crate::vp::testing::{Authority, NOW, Party};
use crate::vp::values::UrlPolicy;

const AGE: &str = "urn:vouchsafe:age:1";
const CARD: &str = "urn:vouchsafe:membership:1";
const LIST: &str = "https://issuer.example/status/1";

/// An issuer, a verifier with one open transaction, and a person.
struct World {
    issuer: Party,
    trust: IssuerTrust,
    access: Authority,
    verifier: Party,
    client_id: ClientId,
    response_uri: Url,
    nonce: Nonce,
    state: State,
    encryption: AgreementKey,
    query: DcqlQuery,
    holder: SigningKey,
    statuses: Lists,
}

/// A status source that counts its calls.
struct Lists {
    token: String,
    trust: IssuerTrust,
    calls: AtomicUsize,
}

#[async_trait]
impl StatusSource for Lists {
    async fn list(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<VerifiedStatusList, StatusSourceError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let check = StatusCheck {
            uri: &reference.uri,
            issuer,
            trust: &self.trust,
            newest_seen: None,
            min_refresh_s: 60,
            now: NOW,
        };
        verify_status_list(&self.token, &check, &Portable).map_err(StatusSourceError::Rejected)
    }
}

fn query(json: Value) -> DcqlQuery {
    DcqlQuery::parse(&json).unwrap()
}

fn age_query() -> Value {
    json!({"id": "age", "format": "dc+sd-jwt", "meta": {"vct_values": [AGE]},
           "claims": [{"path": ["age_equal_or_over", "18"], "values": [true]}]})
}

fn card_query() -> Value {
    json!({"id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [CARD]},
           "claims": [{"path": ["member_id"]}]})
}

impl World {
    async fn new(queries: Value) -> Self {
        Self::with_status(queries, Status::Valid).await
    }

    async fn with_status(queries: Value, status: Status) -> Self {
        let issuers = Authority::new("Issuers CA");
        let issuer = issuers.leaf("Club", "issuer.example");
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: "https://issuer.example".to_owned(),
            method: IssuerMethod::X509 {
                anchors: Arc::new(issuers.anchors(Role::Issuer)),
                subject: None,
            },
            types: vec![AGE.to_owned(), CARD.to_owned()],
            status: StatusMethod::SameIssuer,
        }])
        .unwrap();
        let mut list = StatusList::new(Bits::Two, 16).unwrap();
        list.set(3, status).unwrap();
        let input = StatusTokenInput {
            uri: LIST,
            issuer: None,
            list: &list,
            issued_at: NOW,
            expires_at: NOW.plus(600),
            ttl_s: 60,
            key: IssuerKey::X5c(&issuer.chain),
        };
        let token = sign_status_list(&input, &issuer.key).await.unwrap();
        let statuses = Lists {
            token,
            trust: trust.clone(),
            calls: AtomicUsize::new(0),
        };
        let access = Authority::new("Access CA");
        let verifier = access.leaf("Shop", "verifier.example");
        World {
            client_id: ClientId::x509_hash(&verifier.chain),
            response_uri: Url::parse("https://verifier.example/vp/response/1").unwrap(),
            nonce: Nonce::fresh(&SeededRng::new(1)),
            state: State::fresh(&SeededRng::new(2)),
            encryption: AgreementKey::generate(&SeededRng::new(3)),
            query: query(queries),
            holder: SigningKey::generate(Algorithm::Es256, &SeededRng::new(4)),
            issuer,
            trust,
            access,
            verifier,
            statuses,
        }
    }

    async fn issue(&self, vct: &str, claims: Value, holder: Option<&PublicKey>) -> String {
        let Value::Object(claims) = claims else {
            panic!("claims are an object")
        };
        let frame = claims.keys().fold(Frame::new(), |frame, name| {
            frame.hide(&ClaimPath::of_keys(&[name.as_str()])).unwrap()
        });
        let frame = match claims.get("age_equal_or_over").and_then(Value::as_object) {
            None => frame,
            Some(ages) => ages.keys().fold(frame, |frame, age| {
                frame
                    .hide(&ClaimPath::of_keys(&["age_equal_or_over", age.as_str()]))
                    .unwrap()
            }),
        };
        let input = IssueInput {
            vct,
            issuer: Some("https://issuer.example"),
            key: IssuerKey::X5c(&self.issuer.chain),
            issued_at: Some(NOW),
            not_before: None,
            expires_at: Some(NOW.plus(86_400)),
            holder_key: holder,
            status: Some(&StatusRef {
                uri: LIST.to_owned(),
                idx: 3,
            }),
            claims,
            frame: &frame,
            hash: HashAlg::Sha256,
        };
        issue(input, &self.issuer.key, &SeededRng::new(5))
            .await
            .unwrap()
    }

    fn receive(&self, compact: &str, vct: &str, holder: Option<&PublicKey>) -> HeldSdJwtVc {
        let policy = IssuancePolicy {
            trust: &self.trust,
            vct,
            holder_key: holder,
            now: NOW,
        };
        verify_issued(compact, &policy, &Portable)
            .unwrap()
            .into_inner()
    }

    async fn age_proof(&self) -> HeldSdJwtVc {
        let claims = json!({"age_equal_or_over": {"18": true, "21": false}});
        let key = self.holder.public_key();
        self.receive(&self.issue(AGE, claims, Some(key)).await, AGE, Some(key))
    }

    async fn card(&self, holder: &SigningKey) -> HeldSdJwtVc {
        let claims = json!({"member_id": "m-7", "tier": "gold", "name": "Alice"});
        let key = holder.public_key();
        self.receive(&self.issue(CARD, claims, Some(key)).await, CARD, Some(key))
    }

    /// A presentation of `paths`, bound with `signer` to `audience` and `nonce`.
    async fn bound(
        &self,
        held: &HeldSdJwtVc,
        paths: &[&[&str]],
        audience: &str,
        nonce: &str,
        signer: &SigningKey,
    ) -> String {
        let paths: Vec<ClaimPath> = paths.iter().map(|keys| ClaimPath::of_keys(keys)).collect();
        let binding = kb::Binding {
            audience,
            nonce,
            issued_at: NOW,
        };
        held.present(&paths)
            .unwrap()
            .bind(&binding, signer)
            .await
            .unwrap()
    }

    /// The good presentation of the age proof.
    async fn good(&self) -> String {
        let held = self.age_proof().await;
        let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
        let (audience, nonce) = (self.client_id.as_str(), self.nonce.as_str());
        self.bound(&held, paths, audience, nonce, &self.holder)
            .await
    }

    fn encrypt(&self, payload: &Value) -> EncryptedResponse {
        let key = self.encryption.public_key();
        let kid = key_id(key);
        seal(payload, key, Some(&kid), ContentEncryption::A256Gcm)
    }

    fn post(&self, vp_token: Value) -> EncryptedResponse {
        self.encrypt(&json!({"vp_token": vp_token, "state": self.state.as_str()}))
    }

    fn transaction(&self) -> Transaction<'_> {
        Transaction {
            client_id: &self.client_id,
            response_uri: &self.response_uri,
            nonce: &self.nonce,
            state: &self.state,
            query: &self.query,
            encryption_key: &self.encryption,
            expires_at: NOW.plus(300),
        }
    }

    fn policy(&self) -> VerifierPolicy<'_> {
        VerifierPolicy {
            trust: &self.trust,
            status: StatusPolicy::Required,
            same_holder: true,
            statuses: &self.statuses,
            crypto: &Portable,
            now: NOW,
        }
    }

    async fn verify(
        &self,
        response: &EncryptedResponse,
    ) -> Result<VerifiedPresentation, PresentationError> {
        verify_presentation(
            response,
            &self.response_uri,
            &self.transaction(),
            &self.policy(),
        )
        .await
    }

    /// The reason why a `vp_token` is refused; no status may have been asked for.
    async fn refused(&self, vp_token: Value) -> &'static str {
        let code = self.verify(&self.post(vp_token)).await.unwrap_err().code();
        assert_eq!(
            self.statuses.calls.load(Ordering::SeqCst),
            0,
            "no status before validation"
        );
        code
    }

    /// The request of this transaction, as the wallet gets it.
    async fn request(&self) -> PresentationRequest {
        let new = NewRequest {
            response_uri: &self.response_uri,
            nonce: &self.nonce,
            state: &self.state,
            query: &self.query,
            encryption_key: self.encryption.public_key(),
            client_name: None,
            purpose: None,
            issued_at: NOW,
            lifetime_s: 120,
            wallet_nonce: None,
        };
        let compact = sign_request(&new, &self.verifier.chain, &self.verifier.key)
            .await
            .unwrap();
        let policy = WalletPolicy {
            anchors: &self.access.anchors(Role::VerifierAccess),
            crypto: &Portable,
            now: NOW,
            urls: UrlPolicy::default(),
        };
        verify_request(&compact, self.client_id.as_str(), None, &policy).unwrap()
    }

    /// The wallet's whole way from request to response.
    async fn answer(
        &self,
        held: &[(&HeldSdJwtVc, &SigningKey)],
    ) -> Result<EncryptedResponse, AnswerError> {
        let request = self.request().await;
        let candidates: Vec<HeldCandidate<'_>> = held
            .iter()
            .map(|(credential, _)| HeldCandidate::new(credential))
            .collect();
        let candidates: Vec<&dyn Candidate> = candidates
            .iter()
            .map(|candidate| candidate as &dyn Candidate)
            .collect();
        let selection = find_matches(request.query(), &candidates)
            .unwrap()
            .smallest();
        let presented: Vec<Presented<'_>> = selection
            .picks()
            .iter()
            .map(|pick| Presented {
                query: &pick.query,
                credential: held[pick.candidate].0,
                claims: &pick.claims,
                signer: held[pick.candidate].1,
            })
            .collect();
        make_response(&request, &presented, &Portable, &SeededRng::new(6), NOW).await
    }
}

fn seal(
    payload: &Value,
    key: &PublicKey,
    kid: Option<&str>,
    enc: ContentEncryption,
) -> EncryptedResponse {
    let recipient = Recipient {
        key,
        kid,
        enc,
        apu: &[],
        apv: &[],
    };
    let plain = payload.to_string();
    let sealed = jwe::encrypt(plain.as_bytes(), &recipient, &Portable, &SeededRng::new(8));
    EncryptedResponse::new(sealed.unwrap())
}

fn ages() -> Value {
    json!({"credentials": [age_query()]})
}

fn both() -> Value {
    json!({"credentials": [age_query(), card_query()]})
}

fn path(keys: &[&str]) -> ClaimsPath {
    ClaimsPath::of_keys(keys).unwrap()
}

#[tokio::test]
async fn an_answer_of_the_wallet_is_accepted() {
    let world = World::new(ages()).await;
    let proof = world.age_proof().await;
    let response = world.answer(&[(&proof, &world.holder)]).await.unwrap();
    let posted = PostedResponse::parse(response.to_form().as_bytes()).unwrap();
    assert_eq!(posted, PostedResponse::Encrypted(response.clone()));
    let verified = world.verify(&response).await.unwrap();
    assert_eq!(world.statuses.calls.load(Ordering::SeqCst), 1);
    let age = verified.credential("age").unwrap();
    assert_eq!(age.credential_type(), AGE);
    assert_eq!(age.issuer().trusted, "https://issuer.example");
    assert_eq!(
        age.claim(&path(&["age_equal_or_over", "18"])),
        Some(&json!(true))
    );
    assert_eq!(age.claim(&path(&["age_equal_or_over", "21"])), None);
    assert_eq!(age.claims().len(), 1);
    assert_eq!(
        age.status(),
        Some(&StatusRef {
            uri: LIST.to_owned(),
            idx: 3
        })
    );
    assert_eq!(
        age.holder_thumbprint(),
        Some(world.holder.public_key().thumbprint())
    );
    assert!(
        !format!("{verified:?}").contains("true"),
        "no claim in a log"
    );
}

#[tokio::test]
async fn two_credentials_of_one_holder_are_accepted() {
    let world = World::new(both()).await;
    let (proof, card) = (world.age_proof().await, world.card(&world.holder).await);
    let held = [(&card, &world.holder), (&proof, &world.holder)];
    let response = world.answer(&held).await.unwrap();
    let verified = world.verify(&response).await.unwrap();
    let card = verified.credential("card").unwrap();
    assert_eq!(card.claim(&path(&["member_id"])), Some(&json!("m-7")));
    assert_eq!(card.claim(&path(&["name"])), None);
    assert_eq!(verified.credentials().len(), 2);
}

#[tokio::test]
async fn surplus_disclosures_do_not_reach_the_application() {
    let world = World::new(json!({"credentials": [card_query()]})).await;
    let card = world.card(&world.holder).await;
    let paths: &[&[&str]] = &[&["member_id"], &["name"], &["tier"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let compact = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    let verified = world
        .verify(&world.post(json!({"card": [compact]})))
        .await
        .unwrap();
    assert_eq!(verified.credentials()[0].claims().len(), 1);
}

#[tokio::test]
async fn a_response_for_another_response_uri_is_refused() {
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    for other in [
        "https://verifier.example/vp/response/2",
        "https://verifier.example/vp/response/1/",
        "https://verifier.example/vp/response/1?x",
        "http://verifier.example/vp/response/1",
        "https://attacker.example/vp/response/1",
    ] {
        let arrived = Url::parse(other).unwrap();
        let refused =
            verify_presentation(&response, &arrived, &world.transaction(), &world.policy()).await;
        assert_eq!(
            refused.unwrap_err().code(),
            "response_uri_mismatch",
            "{other}"
        );
    }
}

#[tokio::test]
async fn cat_302_a_response_to_the_key_of_another_transaction_is_refused() {
    let world = World::new(ages()).await;
    let other = AgreementKey::generate(&SeededRng::new(99));
    let payload = json!({"vp_token": {"age": [world.good().await]}, "state": world.state.as_str()});
    let enc = ContentEncryption::A128Gcm;
    let kid = key_id(other.public_key());
    let refused = world
        .verify(&seal(&payload, other.public_key(), Some(&kid), enc))
        .await;
    assert_eq!(refused.unwrap_err().code(), "jwe_other_key");
    let refused = world
        .verify(&seal(&payload, other.public_key(), None, enc))
        .await;
    assert_eq!(refused.unwrap_err().code(), "jwe_other_key");
    // With the right name on the wrong key.
    let named = key_id(world.encryption.public_key());
    let refused = world
        .verify(&seal(&payload, other.public_key(), Some(&named), enc))
        .await;
    assert_eq!(refused.unwrap_err().code(), "jwe_decryption");
    let own = seal(&payload, world.encryption.public_key(), Some(&named), enc);
    assert!(world.verify(&own).await.is_ok(), "the control");
}

#[tokio::test]
async fn cat_301_a_response_that_is_not_encrypted_is_refused() {
    let world = World::new(ages()).await;
    for text in ["", "a.b.c", "{}", "eyJ9....", "eyJhbGciOiJub25lIn0..."] {
        let refused = world.verify(&EncryptedResponse::new(text.to_owned())).await;
        assert_eq!(refused.unwrap_err().code(), "jwe_malformed", "{text}");
    }
}

#[tokio::test]
async fn an_expired_transaction_is_refused() {
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    let late = VerifierPolicy {
        now: NOW.plus(300),
        ..world.policy()
    };
    let refused =
        verify_presentation(&response, &world.response_uri, &world.transaction(), &late).await;
    assert_eq!(refused.unwrap_err().code(), "transaction_expired");
}

#[tokio::test]
async fn state_must_come_back() {
    let world = World::new(ages()).await;
    let token = json!({"age": [world.good().await]});
    for payload in [
        json!({"vp_token": token}),
        json!({"vp_token": token, "state": "other"}),
        json!({"vp_token": token, "state": 1}),
    ] {
        let refused = world.verify(&world.encrypt(&payload)).await;
        assert_eq!(refused.unwrap_err().code(), "state_mismatch");
    }
}

#[tokio::test]
async fn an_encrypted_error_is_told_apart() {
    let world = World::new(ages()).await;
    let payload = json!({"error": "access_denied", "state": world.state.as_str()});
    let refused = world.verify(&world.encrypt(&payload)).await.unwrap_err();
    let PresentationError::Wallet(error) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(error.code, Some(ErrorCode::AccessDenied));
    assert!(error.belongs_to(&world.transaction()));
}

#[tokio::test]
async fn cat_304_ids_must_be_those_of_the_query() {
    let world = World::new(both()).await;
    let good = world.good().await;
    assert_eq!(
        world.refused(json!({"age": [good], "other": ["x"]})).await,
        "vp_token_unknown_id"
    );
    assert_eq!(
        world.refused(json!({"Age": [good]})).await,
        "vp_token_unknown_id"
    );
    assert_eq!(world.refused(json!({})).await, "vp_token_count");
    let missing = world
        .verify(&world.post(json!({"age": [good]})))
        .await
        .unwrap_err();
    assert_eq!(missing.code(), "query_credential_missing");
}

#[tokio::test]
async fn cat_305_arrays_must_have_the_right_shape() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    for (token, code) in [
        (json!({"age": [good, good]}), "vp_token_count"),
        (json!({"age": []}), "vp_token_count"),
        (json!({"age": good}), "vp_token_shape"),
        (json!({"age": [{"a": 1}]}), "vp_token_shape"),
        (json!({"age": [null]}), "vp_token_shape"),
        (json!({"age": [[good]]}), "vp_token_shape"),
        (json!([good]), "vp_token_shape"),
        (json!(good), "vp_token_shape"),
        (json!(null), "vp_token_shape"),
    ] {
        assert_eq!(world.refused(token).await, code);
    }
    let nothing = world.encrypt(&json!({"state": world.state.as_str()}));
    assert_eq!(
        world.verify(&nothing).await.unwrap_err().code(),
        "vp_token_missing"
    );
    // The same key twice: strict JSON, not "the last one wins".
    let twice = format!(
        r#"{{"vp_token":{{"age":["x"],"age":["{good}"]}},"state":"{}"}}"#,
        world.state.as_str()
    );
    let key = world.encryption.public_key();
    let kid = key_id(key);
    let enc = ContentEncryption::A128Gcm;
    let recipient = Recipient {
        key,
        kid: Some(&kid),
        enc,
        apu: &[],
        apv: &[],
    };
    let sealed = jwe::encrypt(twice.as_bytes(), &recipient, &Portable, &SeededRng::new(8));
    let refused = world.verify(&EncryptedResponse::new(sealed.unwrap())).await;
    assert_eq!(refused.unwrap_err().code(), "response_json");
}

#[tokio::test]
async fn the_same_presentation_twice_is_refused() {
    let mut asked = age_query();
    asked["multiple"] = json!(true);
    let world = World::new(json!({"credentials": [asked]})).await;
    let good = world.good().await;
    assert_eq!(
        world.refused(json!({"age": [good, good]})).await,
        "vp_token_duplicate"
    );
    assert!(
        world
            .verify(&world.post(json!({"age": [good]})))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn cat_050_cat_052_cat_053_other_nonce_and_other_audience() {
    let world = World::new(ages()).await;
    let held = world.age_proof().await;
    let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let (client_id, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let bare = client_id.trim_start_matches("x509_hash:");
    let dns = format!("x509_san_dns:{bare}");
    for (audience, nonce, code) in [
        (client_id, "another-nonce", "kb_nonce"),
        (
            "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk",
            nonce,
            "kb_audience",
        ),
        (bare, nonce, "kb_audience"),
        (dns.as_str(), nonce, "kb_audience"),
        ("origin:https://verifier.example", nonce, "kb_audience"),
    ] {
        let compact = world
            .bound(&held, paths, audience, nonce, &world.holder)
            .await;
        assert_eq!(
            world.refused(json!({"age": [compact]})).await,
            code,
            "{audience}"
        );
    }
}

#[tokio::test]
async fn cat_043_cat_061_stripped_and_foreign_key_binding() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    let (sd_jwt, _) = good.rsplit_once('~').unwrap();
    assert_eq!(
        world.refused(json!({"age": [format!("{sd_jwt}~")]})).await,
        "kb_missing"
    );
    let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    let held = world.age_proof().await;
    let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let (client_id, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let foreign = world.bound(&held, paths, client_id, nonce, &mallory).await;
    assert_eq!(
        world.refused(json!({"age": [foreign]})).await,
        "kb_signature"
    );
    let none = format!(
        "{sd_jwt}~{}.{}.",
        b64url(br#"{"alg":"none","typ":"kb+jwt"}"#),
        good.rsplit('~').next().unwrap().split('.').nth(1).unwrap()
    );
    assert_eq!(world.refused(json!({"age": [none]})).await, "kb_alg");
    let claims = kb_claims(&good);
    let header = Header::new(TokenType::SdJwtVc);
    let typed = jws::sign(&header, &claims, &world.holder).await.unwrap();
    assert_eq!(
        world
            .refused(json!({"age": [format!("{sd_jwt}~{typed}")]}))
            .await,
        "kb_typ"
    );
}

fn kb_claims(presentation: &str) -> Value {
    let payload = presentation
        .rsplit('~')
        .next()
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap();
    serde_json::from_slice(&b64url_decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn cat_059_the_key_binding_must_be_fresh() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    let (sd_jwt, _) = good.rsplit_once('~').unwrap();
    for (iat, code) in [
        (json!(NOW.plus(-3600).seconds()), "kb_too_old"),
        (json!(NOW.plus(3600).seconds()), "kb_in_future"),
        (json!("now"), "kb_claim_malformed"),
        (Value::Null, "kb_claim_missing"),
    ] {
        let mut claims = kb_claims(&good);
        if iat.is_null() {
            claims.as_object_mut().unwrap().remove("iat");
        } else {
            claims["iat"] = iat;
        }
        let header = Header::new(TokenType::KeyBinding);
        let jwt = jws::sign(&header, &claims, &world.holder).await.unwrap();
        assert_eq!(
            world
                .refused(json!({"age": [format!("{sd_jwt}~{jwt}")]}))
                .await,
            code
        );
    }
}

#[tokio::test]
async fn cat_001_cat_056_tampered_dropped_doubled_and_reordered_disclosures() {
    let world = World::new(json!({"credentials": [card_query()]})).await;
    let card = world.card(&world.holder).await;
    let paths: &[&[&str]] = &[&["member_id"], &["tier"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let good = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    let parts: Vec<&str> = good.split('~').collect();
    let [jwt, first, second, kb] = parts[..] else {
        panic!("two disclosures")
    };
    let refused = async |parts: &[&str]| world.refused(json!({"card": [parts.join("~")]})).await;
    let mut bytes = b64url_decode(first).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    let altered = b64url(&bytes);
    assert_eq!(
        refused(&[jwt, &altered, second, kb]).await,
        "disclosure_unreferenced"
    );
    assert_eq!(refused(&[jwt, first, kb]).await, "kb_sd_hash");
    assert_eq!(refused(&[jwt, second, first, kb]).await, "kb_sd_hash");
    assert_eq!(
        refused(&[jwt, first, first, second, kb]).await,
        "disclosure_duplicate"
    );
}

#[tokio::test]
async fn tampered_and_unsigned_credentials() {
    let world = World::new(ages()).await;
    let good = world.good().await;
    let (jwt, rest) = good.split_once('~').unwrap();
    let [header, payload, signature] = jwt.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let mut claims: Map<String, Value> =
        serde_json::from_slice(&b64url_decode(payload).unwrap()).unwrap();
    claims.insert("exp".to_owned(), json!(NOW.plus(999_999).seconds()));
    let longer = b64url(Value::Object(claims).to_string().as_bytes());
    let tampered = format!("{header}.{longer}.{signature}~{rest}");
    assert_eq!(
        world.refused(json!({"age": [tampered]})).await,
        "issuer_signature"
    );
    let change_header = |name: &str, value: Value| {
        let mut json: Value = serde_json::from_slice(&b64url_decode(header).unwrap()).unwrap();
        json[name] = value;
        format!(
            "{}.{payload}.{signature}~{rest}",
            b64url(json.to_string().as_bytes())
        )
    };
    let none = change_header("alg", json!("none"));
    assert_eq!(
        world.refused(json!({"age": [none]})).await,
        "issuer_jwt_alg"
    );
    let typed = change_header("typ", json!("vc+sd-jwt"));
    assert_eq!(
        world.refused(json!({"age": [typed]})).await,
        "issuer_jwt_typ"
    );
}

#[tokio::test]
async fn expired_foreign_and_unbound_credentials() {
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    let mut transaction = world.transaction();
    transaction.expires_at = NOW.plus(999_999);
    let late = VerifierPolicy {
        now: NOW.plus(86_400 + 60),
        ..world.policy()
    };
    let refused = verify_presentation(&response, &world.response_uri, &transaction, &late).await;
    assert_eq!(refused.unwrap_err().code(), "credential_expired");

    // Another issuer's credential, everything else in order.
    let other = World::new(ages()).await;
    let foreign = other.age_proof().await;
    let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let foreign = world
        .bound(&foreign, paths, audience, nonce, &other.holder)
        .await;
    let code = world.refused(json!({"age": [foreign]})).await;
    assert!(
        ["issuer_untrusted", "issuer_certificate"].contains(&code),
        "{code}"
    );

    // cat_046: no `cnf`, key binding required.
    let claims = json!({"age_equal_or_over": {"18": true}});
    let compact = world.issue(AGE, claims, None).await;
    let unbound = world.receive(&compact, AGE, None);
    let unbound = world
        .bound(&unbound, paths, audience, nonce, &world.holder)
        .await;
    assert_eq!(
        world.refused(json!({"age": [unbound]})).await,
        "holder_key_missing"
    );
}

#[tokio::test]
async fn a_credential_of_another_type_is_refused() {
    let world = World::new(ages()).await;
    let card = world.card(&world.holder).await;
    let paths: &[&[&str]] = &[&["member_id"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let compact = world
        .bound(&card, paths, audience, nonce, &world.holder)
        .await;
    assert_eq!(
        world.refused(json!({"age": [compact]})).await,
        "type_not_accepted"
    );
}

#[tokio::test]
async fn cat_307_values_are_checked_again() {
    let world = World::new(ages()).await;
    let claims = json!({"age_equal_or_over": {"18": false, "21": true}});
    let key = world.holder.public_key();
    let minor = world.receive(&world.issue(AGE, claims, Some(key)).await, AGE, Some(key));
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let other_value: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let other_claim: &[&[&str]] = &[&["age_equal_or_over", "21"]];
    for paths in [other_value, other_claim, &[]] {
        let compact = world
            .bound(&minor, paths, audience, nonce, &world.holder)
            .await;
        let refused = world.verify(&world.post(json!({"age": [compact]}))).await;
        assert_eq!(refused.unwrap_err().code(), "query_claims");
    }
    // The wallet would not have offered it in the first place.
    let candidate = HeldCandidate::new(&minor);
    assert!(find_matches(&world.query, &[&candidate]).is_err());
}

#[tokio::test]
async fn cat_308_trusted_authorities_are_checked() {
    let world = World::new(ages()).await;
    let held = world.age_proof().await;
    let own = authority_key_ids(held.compact());
    assert_eq!(own.len(), 1, "the leaf names the key of its authority");
    let with_aki = async |id: &[u8]| {
        let mut asked = age_query();
        asked["trusted_authorities"] = json!([{"type": "aki", "values": [b64url(id)]}]);
        let query = query(json!({ "credentials": [asked] }));
        let offered = find_matches(&query, &[&HeldCandidate::new(&held)]).is_ok();
        let response = world.post(json!({"age": [world.good().await]}));
        let transaction = Transaction {
            query: &query,
            ..world.transaction()
        };
        let verified = verify_presentation(
            &response,
            &world.response_uri,
            &transaction,
            &world.policy(),
        )
        .await;
        (offered, verified.map(drop).map_err(|error| error.code()))
    };
    assert_eq!(with_aki(&own[0]).await, (true, Ok(())));
    assert_eq!(with_aki(&[1, 2, 3]).await, (false, Err("query_authority")));
}

#[tokio::test]
async fn cat_064_every_presentation_is_checked_alone_and_holders_must_agree() {
    let world = World::new(both()).await;
    let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    let (alice, own) = (world.age_proof().await, world.card(&mallory).await);
    let ages: &[&[&str]] = &[&["age_equal_or_over", "18"]];
    let member: &[&[&str]] = &[&["member_id"]];
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let card = world.bound(&own, member, audience, nonce, &mallory).await;
    let stolen = world.bound(&alice, ages, audience, nonce, &mallory).await;
    let token = json!({"age": [stolen], "card": [card]});
    assert_eq!(world.refused(token).await, "kb_signature");
    // Two persons who work together.
    let token = json!({"age": [world.good().await], "card": [card]});
    let refused = world.verify(&world.post(token.clone())).await;
    assert_eq!(refused.unwrap_err().code(), "holder_differs");
    let lenient = VerifierPolicy {
        same_holder: false,
        ..world.policy()
    };
    let response = world.post(token);
    let accepted = verify_presentation(
        &response,
        &world.response_uri,
        &world.transaction(),
        &lenient,
    )
    .await;
    assert!(accepted.is_ok());
}

#[tokio::test]
async fn revoked_and_suspended_credentials_are_refused() {
    for (status, code) in [
        (Status::Invalid, "credential_revoked"),
        (Status::Suspended, "credential_suspended"),
        (Status::Other(3), "status_unknown"),
    ] {
        let world = World::with_status(ages(), status).await;
        let response = world.post(json!({"age": [world.good().await]}));
        assert_eq!(world.verify(&response).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn a_status_that_cannot_be_had_fails_closed() {
    struct Down;
    #[async_trait]
    impl StatusSource for Down {
        async fn list(
            &self,
            _: &StatusRef,
            _: &IssuerIdentity,
        ) -> Result<VerifiedStatusList, StatusSourceError> {
            Err(StatusSourceError::Unavailable("no route".into()))
        }
    }
    let world = World::new(ages()).await;
    let response = world.post(json!({"age": [world.good().await]}));
    let policy = VerifierPolicy {
        statuses: &Down,
        ..world.policy()
    };
    let refused = verify_presentation(
        &response,
        &world.response_uri,
        &world.transaction(),
        &policy,
    )
    .await;
    assert_eq!(refused.unwrap_err().code(), "status_unavailable");
}

#[tokio::test]
async fn the_wallet_refuses_answers_that_cannot_be_right() {
    let world = World::new(both()).await;
    let proof = world.age_proof().await;
    let request = world.request().await;
    let age = request.query().credential("age").unwrap().id().clone();
    let mallory = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    let present = async |presented: &[Presented<'_>], now: UnixTime| {
        let made = make_response(&request, presented, &Portable, &SeededRng::new(6), now).await;
        made.map(drop).map_err(|error| error.code())
    };
    let one = Presented {
        query: &age,
        credential: &proof,
        claims: &[],
        signer: &world.holder,
    };
    assert_eq!(present(&[one], NOW).await, Err("answer_incomplete"));
    assert_eq!(present(&[one], NOW.plus(120)).await, Err("request_expired"));

    let world = World::new(ages()).await;
    let proof = world.age_proof().await;
    let request = world.request().await;
    let present = async |presented: &[Presented<'_>]| {
        let made = make_response(&request, presented, &Portable, &SeededRng::new(6), NOW).await;
        made.map(drop).map_err(|error| error.code())
    };
    let one = Presented {
        query: &age,
        credential: &proof,
        claims: &[],
        signer: &world.holder,
    };
    assert_eq!(present(&[one, one]).await, Err("answer_choice"));
    assert_eq!(
        present(&[Presented {
            signer: &mallory,
            ..one
        }])
        .await,
        Err("answer_wrong_key")
    );
}

#[tokio::test]
async fn hidden_neighbours_do_not_shift_what_is_asked_for() {
    let world = World::new(json!({"credentials": [{
        "id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [CARD]},
        "claims": [{"path": ["clubs", 1]}]
    }]}))
    .await;
    let claims = json!({"clubs": ["rowing", "chess"]});
    let frame = Frame::new()
        .hide(&ClaimPath::from_json(&json!(["clubs", null])).unwrap())
        .unwrap();
    let input = IssueInput {
        vct: CARD,
        issuer: None,
        key: IssuerKey::X5c(&world.issuer.chain),
        issued_at: Some(NOW),
        not_before: None,
        expires_at: None,
        holder_key: Some(world.holder.public_key()),
        status: None,
        claims: claims.as_object().unwrap().clone(),
        frame: &frame,
        hash: HashAlg::Sha256,
    };
    let compact = issue(input, &world.issuer.key, &SeededRng::new(5))
        .await
        .unwrap();
    let held = world.receive(&compact, CARD, Some(world.holder.public_key()));
    let candidate = HeldCandidate::new(&held);
    // Alone, the second element would be the first one that the verifier sees.
    assert!(find_matches(&world.query, &[&candidate]).is_err());
    let all = query(json!({"credentials": [{
        "id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [CARD]},
        "claims": [{"path": ["clubs", null], "values": ["chess"]}]
    }]}));
    let found = find_matches(&all, &[&candidate]).unwrap().smallest();
    let view = candidate.disclosed_view(&found.picks()[0].claims);
    assert_eq!(view["clubs"], json!(["chess"]), "only what matches leaves");
}

#[test]
fn every_reason_of_a_response_has_its_own_code() {
    use crate::vp::dcql::{CredentialMismatch as M, SetError};
    use vouchsafe_credentials::jwe::JweError;
    let query = query(ages()).credentials()[0].id().clone();
    let mismatch = |mismatch: M| PresentationError::Query {
        query: query.clone(),
        mismatch,
    };
    let error = WalletError {
        code: None,
        state: None,
    };
    let all = [
        PresentationError::ResponseUri,
        PresentationError::TransactionExpired,
        PresentationError::Jwe(JweError::Algorithm),
        PresentationError::Jwe(JweError::Encryption),
        PresentationError::Jwe(JweError::Decryption),
        PresentationError::Jwe(JweError::Malformed),
        PresentationError::EncryptionKey,
        PresentationError::Json,
        PresentationError::Wallet(error),
        PresentationError::State,
        PresentationError::TokenMissing,
        PresentationError::TokenShape,
        PresentationError::TokenUnknownId,
        PresentationError::TokenCount,
        PresentationError::TokenDuplicate,
        PresentationError::Format,
        PresentationError::StatusSource(StatusSourceError::Unavailable("x".into())),
        PresentationError::HolderDiffers,
        mismatch(M::Format),
        mismatch(M::Type),
        mismatch(M::Authority),
        mismatch(M::HolderBinding),
        mismatch(M::Claims),
        PresentationError::Sets(SetError::CredentialMissing),
        PresentationError::Sets(SetError::SetUnmet),
    ];
    let mut codes: Vec<&str> = all.iter().map(PresentationError::code).collect();
    codes.sort_unstable();
    let count = codes.len();
    codes.dedup();
    assert_eq!(codes.len(), count);
    let legal = |code: &&str| code.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    assert!(codes.iter().all(legal));
}

//! An issuer, a verifier with one open transaction, and a person with a wallet.

pub(super) use std::sync::Arc;
pub(super) use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) use serde_json::{Map, Value, json};
pub(super) use url::Url;
pub(super) use vouchsafe_credentials::crypto::{
    AgreementKey, Algorithm, Portable, PublicKey, Signer, SigningKey,
};
pub(super) use vouchsafe_credentials::encoding::{b64url, b64url_decode};
pub(super) use vouchsafe_credentials::jwe::{self, ContentEncryption, Recipient};
pub(super) use vouchsafe_credentials::jws::{self, Header, TokenType};
pub(super) use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg};
pub(super) use vouchsafe_credentials::sd_jwt_vc::{
    HeldSdJwtVc, IssuancePolicy, IssueInput, IssuerKey, IssuerMethod, StatusMethod, TrustedIssuer,
    issue, kb, verify_issued,
};
pub(super) use vouchsafe_credentials::status_list::{
    Bits, Status, StatusCheck, StatusList, StatusTokenInput, sign_status_list, verify_status_list,
};
pub(super) use vouchsafe_credentials::testing::SeededRng;
pub(super) use vouchsafe_credentials::x509::Role;

pub(super) use super::super::*;
pub(super) use crate::http::UrlRule;
pub(super) use crate::vp::answer::{AnswerError, HeldCandidate, Presented, make_response};
pub(super) use crate::vp::client_id::ClientId;
pub(super) use crate::vp::dcql::{Candidate, ClaimsPath, find_matches};
pub(super) use crate::vp::metadata::key_id;
pub(super) use crate::vp::request::{
    Identity, NewRequest, Parties, PresentationRequest, WalletPolicy, sign_request,
    verify_request_of,
};
pub(super) use crate::vp::response::{EncryptedResponse, ErrorCode, PostedResponse};
pub(super) use crate::vp::testing::{Authority, NOW, Party};
pub(super) use crate::vp::values::State;

pub(super) const AGE: &str = "urn:vouchsafe:age:1";
pub(super) const CARD: &str = "urn:vouchsafe:membership:1";
pub(super) const LIST: &str = "https://issuer.example/status/1";

/// An issuer, a verifier with one open transaction, and a person.
pub(super) struct World {
    pub(super) issuer: Party,
    pub(super) trust: IssuerTrust,
    pub(super) access: Authority,
    pub(super) verifier: Party,
    pub(super) client_id: ClientId,
    pub(super) response_uri: Url,
    pub(super) nonce: Nonce,
    pub(super) state: State,
    pub(super) encryption: AgreementKey,
    pub(super) query: DcqlQuery,
    pub(super) transaction_data: Vec<TransactionData>,
    pub(super) holder: SigningKey,
    pub(super) statuses: Lists,
}

/// A status source that counts its calls.
pub(super) struct Lists {
    pub(super) token: String,
    pub(super) trust: IssuerTrust,
    pub(super) calls: AtomicUsize,
}

#[async_trait]
impl StatusSource for Lists {
    async fn list(
        &self,
        reference: &StatusRef,
        issuer: &IssuerIdentity,
    ) -> Result<Arc<VerifiedStatusList>, StatusSourceError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let check = StatusCheck {
            uri: &reference.uri,
            issuer,
            trust: &self.trust,
            newest_seen: None,
            min_refresh_s: 60,
            now: NOW,
        };
        verify_status_list(&self.token, &check, &Portable)
            .map(Arc::new)
            .map_err(StatusSourceError::Rejected)
    }
}

pub(super) fn query(json: Value) -> DcqlQuery {
    DcqlQuery::parse(&json).unwrap()
}

pub(super) fn age_query() -> Value {
    json!({"id": "age", "format": "dc+sd-jwt", "meta": {"vct_values": [AGE]},
           "claims": [{"path": ["age_equal_or_over", "18"], "values": [true]}]})
}

pub(super) fn card_query() -> Value {
    json!({"id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": [CARD]},
           "claims": [{"path": ["member_id"]}]})
}

impl World {
    pub(super) async fn new(queries: Value) -> Self {
        Self::with_status(queries, Status::Valid).await
    }

    pub(super) async fn with_status(queries: Value, status: Status) -> Self {
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
            transaction_data: Vec::new(),
            holder: SigningKey::generate(Algorithm::Es256, &SeededRng::new(4)),
            issuer,
            trust,
            access,
            verifier,
            statuses,
        }
    }

    pub(super) async fn issue(
        &self,
        vct: &str,
        claims: Value,
        holder: Option<&PublicKey>,
    ) -> String {
        let status = StatusRef {
            uri: LIST.to_owned(),
            idx: 3,
        };
        self.issue_with(vct, claims, holder, Some(&status)).await
    }

    async fn issue_with(
        &self,
        vct: &str,
        claims: Value,
        holder: Option<&PublicKey>,
        status: Option<&StatusRef>,
    ) -> String {
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
            status,
            claims,
            frame: &frame,
            hash: HashAlg::Sha256,
        };
        issue(input, &self.issuer.key, &SeededRng::new(5))
            .await
            .unwrap()
    }

    pub(super) fn receive(
        &self,
        compact: &str,
        vct: &str,
        holder: Option<&PublicKey>,
    ) -> HeldSdJwtVc {
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

    pub(super) async fn age_proof(&self) -> HeldSdJwtVc {
        let claims = json!({"age_equal_or_over": {"18": true, "21": false}});
        let key = self.holder.public_key();
        self.receive(&self.issue(AGE, claims, Some(key)).await, AGE, Some(key))
    }

    pub(super) async fn card(&self, holder: &SigningKey) -> HeldSdJwtVc {
        let claims = json!({"member_id": "m-7", "tier": "gold", "name": "Alice"});
        let key = holder.public_key();
        self.receive(&self.issue(CARD, claims, Some(key)).await, CARD, Some(key))
    }

    /// A card without a status.
    pub(super) async fn card_without_status(&self, holder: &SigningKey) -> HeldSdJwtVc {
        let key = holder.public_key();
        let claims = json!({"member_id": "m-7"});
        let card = self.issue_with(CARD, claims, Some(key), None).await;
        self.receive(&card, CARD, Some(key))
    }

    /// A presentation of `paths`, bound with `signer` to `audience` and `nonce`.
    pub(super) async fn bound(
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
    pub(super) async fn good(&self) -> String {
        let held = self.age_proof().await;
        let paths: &[&[&str]] = &[&["age_equal_or_over", "18"]];
        let (audience, nonce) = (self.client_id.as_str(), self.nonce.as_str());
        self.bound(&held, paths, audience, nonce, &self.holder)
            .await
    }

    pub(super) fn encrypt(&self, payload: &Value) -> EncryptedResponse {
        let key = self.encryption.public_key();
        let kid = key_id(key);
        seal(payload, key, Some(&kid), ContentEncryption::A256Gcm)
    }

    pub(super) fn post(&self, vp_token: Value) -> EncryptedResponse {
        self.encrypt(&json!({"vp_token": vp_token, "state": self.state.as_str()}))
    }

    pub(super) fn transaction(&self) -> Transaction<'_> {
        Transaction {
            way: Way::DirectPost {
                client_id: &self.client_id,
                response_uri: &self.response_uri,
                state: &self.state,
                key: &self.encryption,
            },
            nonce: &self.nonce,
            query: &self.query,
            transaction_data: &self.transaction_data,
            expires_at: NOW.plus(300),
        }
    }

    pub(super) fn policy(&self) -> VerifierPolicy<'_> {
        VerifierPolicy {
            trust: &self.trust,
            status: StatusPolicy::Required,
            same_holder: true,
            statuses: &self.statuses,
            crypto: &Portable,
            now: NOW,
        }
    }

    pub(super) async fn verify(
        &self,
        response: &EncryptedResponse,
    ) -> Result<VerifiedPresentation, PresentationError> {
        let received = self.posted(response);
        verify_presentation(received, &self.transaction(), &self.policy()).await
    }

    /// A response that was posted where it belongs.
    pub(super) fn posted<'a>(&'a self, response: &'a EncryptedResponse) -> Received<'a> {
        Received::Posted {
            response,
            at: &self.response_uri,
        }
    }

    /// The reason why a `vp_token` is refused; no status may have been asked for.
    pub(super) async fn refused(&self, vp_token: Value) -> &'static str {
        let code = self.verify(&self.post(vp_token)).await.unwrap_err().code();
        assert_eq!(
            self.statuses.calls.load(Ordering::SeqCst),
            0,
            "no status before validation"
        );
        code
    }

    /// The request of this transaction, as the wallet gets it.
    pub(super) async fn request(&self) -> PresentationRequest {
        let new = NewRequest {
            response_uri: &self.response_uri,
            nonce: &self.nonce,
            state: &self.state,
            query: &self.query,
            transaction_data: &self.transaction_data,
            encryption_key: self.encryption.public_key(),
            client_name: None,
            purpose: None,
            issued_at: NOW,
            lifetime_s: 120,
            wallet_nonce: None,
        };
        let compact = sign_request(
            &new,
            &Identity::x509_hash(&self.verifier.chain),
            &self.verifier.key,
        )
        .await
        .unwrap();
        let policy = WalletPolicy {
            anchors: &self.access.anchors(Role::VerifierAccess),
            crypto: &Portable,
            now: NOW,
            urls: UrlRule::PublicHttps,
        };
        let parties = Parties {
            transactions: true,
            ..Parties::NONE
        };
        verify_request_of(&parties, &compact, self.client_id.as_str(), None, &policy).unwrap()
    }

    /// The wallet's whole way from request to response.
    pub(super) async fn answer(
        &self,
        held: &[(&HeldSdJwtVc, &SigningKey)],
    ) -> Result<EncryptedResponse, AnswerError> {
        let request = self.request().await;
        let candidates: Vec<HeldCandidate<'_>> = held
            .iter()
            .map(|(credential, _)| HeldCandidate::new(*credential))
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
                credential: held[pick.candidate].0.into(),
                claims: &pick.claims,
                signer: held[pick.candidate].1,
            })
            .collect();
        make_response(&request, &presented, &Portable, &SeededRng::new(6), NOW).await
    }
}

pub(super) fn seal(
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

pub(super) fn ages() -> Value {
    json!({"credentials": [age_query()]})
}

pub(super) fn both() -> Value {
    json!({"credentials": [age_query(), card_query()]})
}

pub(super) fn path(keys: &[&str]) -> ClaimsPath {
    ClaimsPath::of_keys(keys).unwrap()
}

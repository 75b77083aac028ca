//! Persons who show a card before another one is issued.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, Signer, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg};
use vouchsafe_credentials::sd_jwt_vc::{
    HeldSdJwtVc, IssuancePolicy, IssueInput, IssuerKey, IssuerMethod, IssuerTrust, StatusMethod,
    TrustedIssuer, issue, verify_issued,
};
use vouchsafe_credentials::status_list::{
    Bits, Status, StatusList, StatusRef, StatusTokenInput, sign_status_list,
};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_protocol::http::UrlRule;
use vouchsafe_protocol::vp::answer::{HeldCandidate, Presented, make_response};
use vouchsafe_protocol::vp::dcql::{Candidate, find_matches};
use vouchsafe_protocol::vp::invocation::Invocation;
use vouchsafe_protocol::vp::request::{PresentationRequest, WalletPolicy, verify_request};

use vouchsafe_service::db::each;

use super::harness::{Answer, Harness, NOW, REDIRECT, membership};
use super::outside::{Guest, LOCAL, Outside, SECRET, access_token, disclosed, locally, returned};

const CARD: &str = "urn:example:staff:1";
const YES: &[(&str, &str)] = &[("step", "confirm")];

/// Who issued the card that is shown, and our own access certificate.
struct World {
    outside: Outside,
    anchors: TrustAnchors,
    issuer: SigningKey,
    holder: SigningKey,
    files: [PathBuf; 2],
}

impl World {
    async fn new() -> Self {
        let ca_key = KeyPair::generate().unwrap();
        let mut ca = CertificateParams::new(Vec::<String>::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        ca.distinguished_name.push(DnType::CommonName, "Access CA");
        let mut anchors = TrustAnchors::new(Role::VerifierAccess);
        anchors
            .add_der(ca.self_signed(&ca_key).unwrap().der())
            .unwrap();
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec!["issuer.example".to_owned()]).unwrap();
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.use_authority_key_identifier_extension = true;
        leaf.distinguished_name.push(DnType::CommonName, "The Club");
        let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key)).unwrap();
        static FOLDERS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = FOLDERS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("vouchsafe-presented-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let files = [folder.join("request.key"), folder.join("request.pem")];
        std::fs::write(&files[0], key.serialize_pem()).unwrap();
        std::fs::write(&files[1], leaf.pem()).unwrap();
        private(&files[0]);
        let world = Self {
            outside: Outside::start().await,
            anchors,
            issuer: SigningKey::generate(Algorithm::Es256, &SeededRng::new(900 + number)),
            holder: SigningKey::generate(Algorithm::Es256, &SeededRng::new(802)),
            files,
        };
        world.publish(Status::Valid).await;
        world
    }

    fn did(&self) -> String {
        did::key::encode(self.issuer.public_key())
    }

    fn key_id(&self) -> String {
        let did = self.did();
        format!("{did}#{}", did.trim_start_matches("did:key:"))
    }

    async fn publish(&self, status: Status) {
        let mut list = StatusList::new(Bits::Two, 16).unwrap();
        list.set(3, status).unwrap();
        let input = StatusTokenInput {
            uri: &format!("{}/status", self.outside.url),
            issuer: None,
            list: &list,
            issued_at: NOW,
            expires_at: NOW.plus(6_000),
            ttl_s: 60,
            key: IssuerKey::Did(&self.key_id()),
        };
        let token = sign_status_list(&input, &self.issuer).await.unwrap();
        *self.outside.status.lock().unwrap() = Some(token);
    }

    fn text(&self, rest: &str) -> String {
        let query = json!({"credentials": [{
            "id": "staff", "format": "dc+sd-jwt", "meta": {"vct_values": [CARD]},
            "claims": [{"path": ["number"]}, {"path": ["level"]}, {"path": ["until"]}],
        }]});
        let [key, chain] = &self.files;
        format!(
            "[[authentication]]\nmethod = \"presentation\"\ncredential_types = [\"membership\"]\n\
             dcql = '{query}'\npurpose = {{ en = \"Only staff\" }}\n\
             request_key_file = \"{}\"\nrequest_chain_file = \"{}\"\n\
             subject_claim = \"number\"\n{rest}\n\
             [[authentication.trusted_issuer]]\nid = \"{did}\"\ndid = \"{did}\"\n\
             types = [\"{CARD}\"]\n",
            key.display(),
            chain.display(),
            did = self.did(),
        )
    }

    /// A card of a person.
    async fn card(&self, number: Value) -> HeldSdJwtVc {
        let claims = json!({"number": number, "level": "gold", "until": "2027-12-31"});
        let frame = ["number", "level", "until"]
            .iter()
            .fold(Frame::new(), |frame, name| {
                frame.hide(&ClaimPath::of_keys(&[name])).unwrap()
            });
        let holder = self.holder.public_key();
        let input = IssueInput {
            vct: CARD,
            issuer: None,
            key: IssuerKey::Did(&self.key_id()),
            issued_at: Some(NOW),
            not_before: None,
            expires_at: Some(NOW.plus(86_400)),
            holder_key: Some(holder),
            status: Some(&StatusRef {
                uri: format!("{}/status", self.outside.url),
                idx: 3,
            }),
            claims: claims.as_object().unwrap().clone(),
            frame: &frame,
            hash: HashAlg::Sha256,
        };
        let compact = issue(input, &self.issuer, &SeededRng::new(5))
            .await
            .unwrap();
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: self.did(),
            method: IssuerMethod::Did(self.did()),
            types: vec![CARD.to_owned()],
            status: StatusMethod::SameIssuer,
        }])
        .unwrap();
        let policy = IssuancePolicy {
            trust: &trust,
            vct: CARD,
            holder_key: Some(holder),
            now: NOW,
        };
        verify_issued(&compact, &policy, &AwsLc)
            .unwrap()
            .into_inner()
    }

    /// What the wallet finds behind the link of the page.
    async fn question(&self, h: &Harness, page: &Answer) -> (Invocation, PresentationRequest) {
        assert_eq!(page.status, 200, "{}", page.text);
        let (_, link) = page.text.split_once("id=\"open\" href=\"").unwrap();
        let link = link.split('"').next().unwrap();
        let link = link.replace("&#x2f;", "/").replace("&amp;", "&");
        let invocation = Invocation::parse(&link, UrlRule::LoopbackAllowed).unwrap();
        let uri = invocation.request_uri.as_str().strip_prefix(LOCAL).unwrap();
        let object = h.form(uri, &[("wallet_nonce", "abc")]).await;
        assert_eq!(object.status, 200, "{}", object.text);
        let policy = WalletPolicy {
            anchors: &self.anchors,
            crypto: &AwsLc,
            now: h.clock.now(),
            urls: UrlRule::LoopbackAllowed,
        };
        let client_id = invocation.client_id.as_str();
        let request = verify_request(&object.text, client_id, Some("abc"), &policy).unwrap();
        (invocation, request)
    }

    /// What the wallet posts.
    async fn answer(&self, request: &PresentationRequest, card: &HeldSdJwtVc) -> String {
        let candidate = HeldCandidate::new(card);
        let candidates: [&dyn Candidate; 1] = [&candidate];
        let found = find_matches(request.query(), &candidates)
            .unwrap()
            .smallest();
        let presented: Vec<Presented<'_>> = found
            .picks()
            .iter()
            .map(|pick| Presented {
                query: &pick.query,
                credential: card.into(),
                claims: &pick.claims,
                signer: &self.holder,
            })
            .collect();
        let response = make_response(request, &presented, &AwsLc, &SeededRng::new(6), NOW).await;
        response.unwrap().to_form()
    }
}

fn private(file: &PathBuf) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Where an answer is posted to.
fn response_path(invocation: &Invocation) -> String {
    let uri = invocation.request_uri.as_str().strip_prefix(LOCAL).unwrap();
    uri.replace("/request/", "/response/")
}

const FORM: &str = "application/x-www-form-urlencoded";
const MAPPED: &str =
    "claims = { member_id = \"number\", tier = \"level\", valid_until = \"until\" }";

fn way_back(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let uri = answer.json()["redirect_uri"].as_str().unwrap().to_owned();
    uri.strip_prefix(LOCAL).unwrap().to_owned()
}

#[tokio::test]
async fn a_card_after_a_card() {
    let world = World::new().await;
    locally(&world.text(MAPPED), async |h: Harness| {
        let mut records = Vec::new();
        for number in ["N-1", "N-1", "N-2"] {
            let guest = Guest::new(&h);
            let page = guest.begin("membership").await;
            assert!(page.text.contains("Only staff"));
            let (invocation, request) = world.question(&h, &page).await;
            let answer = world
                .answer(&request, &world.card(json!(number)).await)
                .await;
            let path = response_path(&invocation);
            let answered = h.post(&path, FORM, &[], &answer).await;
            let page = guest.get(&way_back(&answered)).await;
            assert!(page.text.contains("Membership card"), "{}", page.text);
            let back = guest.submit(&page, YES).await;
            let token = access_token(&guest.token(&back).await);
            let card = guest.card(&token, &h.holder(3)).await;
            assert_eq!(
                disclosed(&card),
                json!({"member_id": number, "tier": "gold", "valid_until": "2027-12-31"})
            );
            let id = h.newest().await["id"].as_str().unwrap().to_owned();
            let shown = h.admin_get(&format!("/v1/credentials/{id}")).await.json();
            records.push(shown["record_id"].as_str().unwrap().to_owned());
        }
        assert!(records[0].starts_with("vp_") && !records[0].contains("N-1"));
        assert_eq!(records[0], records[1]);
        assert_ne!(records[0], records[2]);
    })
    .await;
}

/// Each costs a row, and anybody may begin.
#[tokio::test]
async fn a_network_has_a_few_questions_put_and_no_more() {
    let world = World::new().await;
    locally(&world.text(MAPPED), async |h: Harness| {
        let mut put = 0;
        let refused = loop {
            let there = Guest::new(&h).begin("membership").await;
            if there.header("location").starts_with(REDIRECT) {
                break there;
            }
            assert_eq!(there.status, 200, "{}", there.text);
            put += 1;
            assert!(put < 150);
        };
        assert!(put >= 30);
        let refused = returned(&refused);
        assert_eq!(refused["error"], "temporarily_unavailable");
        let rows = each!(&h.issuer.core().db, p => sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM browser_return").fetch_one(p).await);
        assert_eq!(rows.unwrap(), put);
        // Who begins with a code is not concerned.
        assert_eq!(Guest::new(&h).begin("age").await.status, 200);
    })
    .await;
}

/// OpenID4VP 1.0, sections 8.6, 13.3 and 14.
#[tokio::test]
async fn an_answer_belongs_to_one_question_and_one_browser() {
    let world = World::new().await;
    locally(&world.text(MAPPED), async |h: Harness| {
        let (guest, thief) = (Guest::new(&h), Guest::new(&h));
        let card = world.card(json!("N-1")).await;
        let page = guest.begin("membership").await;
        let (invocation, request) = world.question(&h, &page).await;
        let path = response_path(&invocation);
        let answer = world.answer(&request, &card).await;
        // Replayed to the question of somebody else; altered; nothing; to nobody.
        let (theirs, _) = world.question(&h, &thief.begin("membership").await).await;
        let replayed = h.post(&response_path(&theirs), FORM, &[], &answer).await;
        assert_eq!(replayed.status, 400);
        let altered = answer.replace("response=e", "response=f");
        assert_eq!(h.post(&path, FORM, &[], &altered).await.status, 400);
        for bad in [
            "",
            "response=",
            "state=x",
            "error=access_denied",
            "error=access_denied&state=x",
        ] {
            assert_eq!(h.post(&path, FORM, &[], bad).await.status, 400, "{bad}");
        }
        assert_eq!(h.post(&path, "text/plain", &[], &answer).await.status, 415);
        assert_eq!(
            h.post("/authorize/response/x", FORM, &[], &answer)
                .await
                .status,
            400
        );
        // None of it ended the question; the answer does, once.
        let answered = h.post(&path, FORM, &[], &answer).await;
        let back = way_back(&answered);
        assert_eq!(
            h.post(&path, FORM, &[], &answer).await.error().1,
            "invalid_request"
        );
        let uri = invocation.request_uri.as_str().strip_prefix(LOCAL).unwrap();
        assert_eq!(h.get(uri).await.status, 404);
        // The browser that asked goes on; another one takes nothing away.
        assert_eq!(thief.get(&back).await.status, 400);
        assert_eq!(h.get(&back).await.status, 400);
        let page = guest.get(&back).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(guest.get(&back).await.status, 400);
        assert!(returned(&guest.submit(&page, YES).await).contains_key("code"));
    })
    .await;
}

#[tokio::test]
async fn a_card_that_is_not_good_opens_nothing() {
    let world = World::new().await;
    let stranger = World::new().await;
    locally(&world.text(MAPPED), async |h: Harness| {
        world.publish(Status::Valid).await;
        let reason = async |card: &HeldSdJwtVc, by: &World| {
            let guest = Guest::new(&h);
            let page = guest.begin("membership").await;
            let (invocation, request) = world.question(&h, &page).await;
            let answer = by.answer(&request, card).await;
            let refused = h
                .post(&response_path(&invocation), FORM, &[], &answer)
                .await;
            let reason = refused.json()["reason"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            (refused.status.as_u16(), reason)
        };
        // Of an issuer that is not trusted.
        let foreign = stranger.card(json!("N-1")).await;
        assert_eq!(reason(&foreign, &stranger).await.0, 400);
        // Its subject is no text and no number.
        let nobody = world.card(json!(true)).await;
        let expected = (400, "subject_claim_unusable".to_owned());
        assert_eq!(reason(&nobody, &world).await, expected);
        // A number names somebody, but is not a member number.
        let number = world.card(json!(7)).await;
        assert_eq!(
            reason(&number, &world).await,
            (400, "claims_do_not_fit".to_owned())
        );
        // Nobody says whether it was revoked; then somebody does.
        let card = world.card(json!("N-1")).await;
        *world.outside.status.lock().unwrap() = None;
        h.clock.advance(90);
        let expected = (503, "status_list_unavailable".to_owned());
        assert_eq!(reason(&card, &world).await, expected);
        world.publish(Status::Invalid).await;
        let (status, why) = reason(&card, &world).await;
        assert_eq!(status, 400, "{why}");
        assert!(
            h.admin_get("/v1/offers").await.json()["items"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn who_shows_nothing_gets_no_card() {
    let world = World::new().await;
    locally(&world.text(MAPPED), async |h: Harness| {
        let guest = Guest::new(&h);
        let page = guest.begin("membership").await;
        let (invocation, request) = world.question(&h, &page).await;
        let state = request.state().unwrap().as_str();
        let declined = format!("error=access_denied&state={state}");
        let answered = h
            .post(&response_path(&invocation), FORM, &[], &declined)
            .await;
        let back = guest.get(&way_back(&answered)).await;
        assert_eq!(returned(&back)["error"], "access_denied");
        // A question ends by itself.
        let page = guest.begin("membership").await;
        let (invocation, request) = world.question(&h, &page).await;
        let answer = world
            .answer(&request, &world.card(json!("N-1")).await)
            .await;
        h.clock.advance(600);
        let late = h
            .post(&response_path(&invocation), FORM, &[], &answer)
            .await;
        assert_eq!(late.status, 400);
        h.clock.advance(-600);
    })
    .await;
}

#[tokio::test]
async fn the_source_learns_who_showed_a_card() {
    let world = World::new().await;
    let system = world.outside.system("claims_source", "");
    assert!(system.contains(SECRET));
    locally(&(system + &world.text("")), async |h: Harness| {
        let guest = Guest::new(&h);
        let page = guest.begin("membership").await;
        let (invocation, request) = world.question(&h, &page).await;
        let answer = world
            .answer(&request, &world.card(json!("N-1")).await)
            .await;
        let answered = h
            .post(&response_path(&invocation), FORM, &[], &answer)
            .await;
        let page = guest.get(&way_back(&answered)).await;
        let back = guest.submit(&page, YES).await;
        let token = access_token(&guest.token(&back).await);
        world
            .outside
            .answer(&[(200, json!({"claims": membership("M-5")}))]);
        let card = guest.card(&token, &h.holder(1)).await;
        assert_eq!(disclosed(&card)["member_id"], "M-5");
        let subject = world.outside.asked()[0]["data"]["subject"].clone();
        assert_eq!(subject["issuer"], world.did());
        assert_eq!(subject["value"], "\"N-1\"");
    })
    .await;
}

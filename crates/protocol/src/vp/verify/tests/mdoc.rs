//! mdocs (OpenID4VP 1.0, appendix B.2): alone, beside an SD-JWT VC, and every way to be refused.

use vouchsafe_credentials::cbor;
use vouchsafe_credentials::mdoc::{
    DigestAlgorithm, ElementPath, Elements, HeldMdoc, IssuancePolicy as MdocIssuancePolicy,
    IssueInput as MdocInput, KeyAuthorizations, MDL, MDL_NAMESPACE, MsoStatus, SessionTranscript,
    Validity, issue as issue_mdoc, verify_issued as verify_issued_mdoc,
};
use vouchsafe_credentials::status_list::IdentifierRef;

use super::world::*;
use crate::vp::request::Identity;

const LICENCES: &str = "https://mdl.example/status/1";

/// The world of the SD-JWT VCs, with an authority that issues licences.
pub(super) struct Licences {
    pub(super) world: World,
    signer: Party,
}

/// Where the status of a licence stands.
pub(super) fn in_list() -> Option<MsoStatus> {
    Some(MsoStatus {
        status_list: Some(StatusRef {
            uri: LICENCES.to_owned(),
            idx: 3,
        }),
        identifier_list: None,
    })
}

fn licence_query() -> Value {
    json!({"id": "licence", "format": "mso_mdoc", "meta": {"doctype_value": MDL},
           "claims": [{"path": [MDL_NAMESPACE, "age_over_18"], "values": [true]},
                      {"path": [MDL_NAMESPACE, "document_number"]}]})
}

pub(super) fn licences() -> Value {
    json!({"credentials": [licence_query()]})
}

impl Licences {
    pub(super) async fn new(queries: Value) -> Self {
        Self::with_status(queries, Status::Valid).await
    }

    async fn with_status(queries: Value, status: Status) -> Self {
        let mut world = World::new(queries).await;
        let authority = Authority::iaca();
        let signer = authority.document_signer();
        let club = world.trust.by_id("https://issuer.example").unwrap().clone();
        let authority_of_licences = TrustedIssuer {
            id: "https://mdl.example".to_owned(),
            method: IssuerMethod::Iaca {
                anchors: Arc::new(authority.anchors(Role::MdocIssuer)),
            },
            types: vec![MDL.to_owned()],
            status: StatusMethod::SameIssuer,
        };
        world.trust = IssuerTrust::new(vec![club, authority_of_licences]).unwrap();
        let mut list = StatusList::new(Bits::Two, 16).unwrap();
        list.set(3, status).unwrap();
        let input = StatusTokenInput {
            uri: LICENCES,
            issuer: None,
            list: &list,
            issued_at: NOW,
            expires_at: NOW.plus(600),
            ttl_s: 60,
            key: IssuerKey::X5c(&signer.chain),
        };
        world.statuses.token = sign_status_list(&input, &signer.key).await.unwrap();
        world.statuses.trust = world.trust.clone();
        Self { world, signer }
    }

    /// A licence of the person, with a status where one is given.
    pub(super) async fn licence(
        &self,
        device: &SigningKey,
        status: Option<&MsoStatus>,
    ) -> HeldMdoc {
        let mut elements = Elements::new();
        for (name, value) in [
            ("age_over_18", cbor::Value::Bool(true)),
            ("document_number", cbor::Value::Text("D-7".into())),
            ("family_name", cbor::Value::Text("Alice".into())),
        ] {
            assert!(elements.add(MDL_NAMESPACE, name, value));
        }
        let input = MdocInput {
            doctype: MDL,
            elements: &elements,
            validity: Validity {
                signed: NOW,
                valid_from: NOW,
                valid_until: NOW.plus(86_400),
                expected_update: None,
            },
            device_key: device.public_key(),
            key_authorizations: &KeyAuthorizations::default(),
            status,
            chain: &self.signer.chain,
            digest_algorithm: DigestAlgorithm::Sha256,
        };
        let rng = SeededRng::new(5);
        let issued = issue_mdoc(input, &self.signer.key, &rng).await;
        let policy = MdocIssuancePolicy {
            trust: &self.world.trust,
            doctype: MDL,
            device_key: device.public_key(),
            now: NOW,
        };
        let held = verify_issued_mdoc(&issued.unwrap(), &policy, &Portable);
        held.unwrap().into_inner()
    }

    /// The transcript of the transaction.
    pub(super) fn transcript(&self) -> SessionTranscript {
        let world = &self.world;
        SessionTranscript::openid4vp(
            world.client_id.as_str(),
            world.nonce.as_str(),
            Some(world.encryption.public_key()),
            world.response_uri.as_str(),
        )
    }

    pub(super) async fn shown(
        &self,
        held: &HeldMdoc,
        elements: &[&str],
        transcript: &SessionTranscript,
        device: &SigningKey,
    ) -> String {
        let paths: Vec<_> = elements
            .iter()
            .map(|element| ElementPath::new(MDL_NAMESPACE, element))
            .collect();
        let presentation = held.present(&paths).unwrap();
        let own = Elements::new();
        let signed = presentation.sign(transcript, &own, device).await;
        b64url(&signed.unwrap())
    }

    /// The good presentation.
    async fn good(&self) -> String {
        let device = &self.world.holder;
        let held = self.licence(device, in_list().as_ref()).await;
        let elements = ["age_over_18", "document_number"];
        self.shown(&held, &elements, &self.transcript(), device)
            .await
    }

    async fn accepted(&self, token: Value) -> VerifiedPresentation {
        let response = self.world.post(token);
        self.world.verify(&response).await.unwrap()
    }
}

#[tokio::test]
async fn a_licence_says_what_was_asked_for_and_no_more() {
    let licences = Licences::new(licences()).await;
    let device = &licences.world.holder;
    let held = licences.licence(device, in_list().as_ref()).await;
    let everything = ["age_over_18", "document_number", "family_name"];
    let transcript = licences.transcript();
    let shown = licences
        .shown(&held, &everything, &transcript, device)
        .await;
    let presentation = licences.accepted(json!({"licence": [shown]})).await;
    let licence = presentation.credential("licence").unwrap();
    assert_eq!(licence.credential_type(), MDL);
    assert_eq!(licence.issuer().trusted, "https://mdl.example");
    assert_eq!(licence.expires_at(), Some(NOW.plus(86_400)));
    assert_eq!(licence.status().unwrap().uri, LICENCES);
    assert_eq!(
        licence.holder_thumbprint().unwrap(),
        device.public_key().thumbprint()
    );
    let claim = |name| licence.claim(&path(&[MDL_NAMESPACE, name]));
    assert_eq!(claim("age_over_18"), Some(&json!(true)));
    assert_eq!(claim("document_number"), Some(&json!("D-7")));
    assert_eq!(claim("family_name"), None);
    assert_eq!(licences.world.statuses.calls.load(Ordering::SeqCst), 1);
}

/// Appendix B.2.6.1: each part of the handover counts.
#[tokio::test]
async fn cat_145_cat_146_cat_148_a_licence_shown_elsewhere_is_refused() {
    let licences = Licences::new(licences()).await;
    let world = &licences.world;
    let held = licences.licence(&world.holder, in_list().as_ref()).await;
    let other = AgreementKey::generate(&SeededRng::new(77));
    let (client, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let key = Some(world.encryption.public_key());
    let uri = world.response_uri.as_str();
    for transcript in [
        SessionTranscript::openid4vp("x509_hash:other", nonce, key, uri),
        SessionTranscript::openid4vp(client, "other", key, uri),
        SessionTranscript::openid4vp(client, nonce, Some(other.public_key()), uri),
        SessionTranscript::openid4vp(client, nonce, None, uri),
        SessionTranscript::openid4vp(client, nonce, key, "https://verifier.example/vp/response/2"),
        SessionTranscript::openid4vp_dc_api("https://verifier.example", nonce, key),
    ] {
        let elements = ["age_over_18", "document_number"];
        let shown = licences.shown(&held, &elements, &transcript, &world.holder);
        let token = json!({"licence": [shown.await]});
        assert_eq!(world.refused(token).await, "mdoc_device_auth");
    }
    // By a key that is not the one of the document.
    let thief = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    let elements = ["age_over_18", "document_number"];
    let transcript = licences.transcript();
    let stolen = licences.shown(&held, &elements, &transcript, &thief);
    let token = json!({"licence": [stolen.await]});
    assert_eq!(world.refused(token).await, "mdoc_device_auth");
}

#[tokio::test]
async fn formats_are_not_confused() {
    let licences = Licences::new(licences()).await;
    let good = licences.good().await;
    let world = &licences.world;
    for text in [
        format!("{good}="),
        "~".to_owned(),
        world.good().await,
        String::new(),
    ] {
        let code = world.refused(json!({"licence": [text]})).await;
        assert!(
            ["mdoc_encoding", "cbor_truncated"].contains(&code) || code.starts_with("cbor"),
            "{code}"
        );
    }
    let as_age = Licences::new(ages()).await;
    let code = as_age.world.refused(json!({"age": [good]})).await;
    assert!(code.starts_with("sd_jwt"), "{code}");
}

#[tokio::test]
async fn cat_137_cat_140_licences_of_strangers_of_another_type_and_expired_ones() {
    let licences = Licences::new(licences()).await;
    let stranger = Licences::new(self::licences()).await;
    let foreign = stranger
        .licence(&licences.world.holder, in_list().as_ref())
        .await;
    let elements = ["age_over_18", "document_number"];
    let transcript = licences.transcript();
    let holder = &licences.world.holder;
    let shown = licences.shown(&foreign, &elements, &transcript, holder);
    let token = json!({"licence": [shown.await]});
    assert_eq!(licences.world.refused(token).await, "issuer_chain");

    let mut query = licence_query();
    query["meta"]["doctype_value"] = json!("org.example.other.1");
    let other = Licences::new(json!({"credentials": [query]})).await;
    let token = json!({"licence": [other.good().await]});
    assert_eq!(other.world.refused(token).await, "type_not_accepted");

    let response = licences
        .world
        .post(json!({"licence": [licences.good().await]}));
    let mut transaction = licences.world.transaction();
    transaction.expires_at = NOW.plus(999_999);
    let late = VerifierPolicy {
        now: NOW.plus(86_400 + 60),
        ..licences.world.policy()
    };
    let posted = licences.world.posted(&response);
    let refused = verify_presentation(posted, &transaction, &late).await;
    assert_eq!(refused.unwrap_err().code(), "credential_expired");
}

#[tokio::test]
async fn a_licence_that_says_less_than_was_asked_for() {
    let licences = Licences::new(licences()).await;
    let holder = &licences.world.holder;
    let held = licences.licence(holder, in_list().as_ref()).await;
    let transcript = licences.transcript();
    let shown = licences.shown(&held, &["age_over_18"], &transcript, holder);
    let response = licences.world.post(json!({"licence": [shown.await]}));
    let refused = licences.world.verify(&response).await.unwrap_err();
    assert_eq!(refused.code(), "query_claims");
}

#[tokio::test]
async fn the_status_of_a_licence_counts() {
    for (status, code) in [
        (Status::Invalid, "credential_revoked"),
        (Status::Suspended, "credential_suspended"),
    ] {
        let licences = Licences::with_status(licences(), status).await;
        let response = licences
            .world
            .post(json!({"licence": [licences.good().await]}));
        let refused = licences.world.verify(&response).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
    // None, and one of a kind that nobody looks at here.
    let licences = Licences::new(licences()).await;
    let holder = &licences.world.holder;
    let elements = ["age_over_18", "document_number"];
    let identifier = MsoStatus {
        status_list: None,
        identifier_list: Some(IdentifierRef {
            id: vec![1, 2, 3],
            uri: LICENCES.to_owned(),
        }),
    };
    for (status, code) in [
        (None, "status_missing"),
        (Some(identifier), "status_not_checked"),
    ] {
        let held = licences.licence(holder, status.as_ref()).await;
        let transcript = licences.transcript();
        let shown = licences.shown(&held, &elements, &transcript, holder);
        let response = licences.world.post(json!({"licence": [shown.await]}));
        let refused = licences.world.verify(&response).await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
}

#[tokio::test]
async fn an_authority_is_asked_for_by_its_key() {
    for wanted in [true, false] {
        let mut licences = Licences::new(licences()).await;
        let own = licences.signer.chain.authority_key_ids();
        let id = if wanted {
            b64url(&own[0])
        } else {
            b64url(b"another authority")
        };
        let mut query = licence_query();
        query["trusted_authorities"] = json!([{"type": "aki", "values": [id]}]);
        licences.world.query = super::world::query(json!({"credentials": [query]}));
        let response = licences
            .world
            .post(json!({"licence": [licences.good().await]}));
        let outcome = licences.world.verify(&response).await;
        match wanted {
            true => assert!(outcome.is_ok()),
            false => assert_eq!(outcome.unwrap_err().code(), "query_authority"),
        }
    }
}

/// An SD-JWT VC and an mdoc in one answer: of one holder, or not at all.
#[tokio::test]
async fn cat_064_a_licence_beside_a_card_of_somebody_else() {
    let both = json!({"credentials": [licence_query(), card_query()]});
    let mut licences = Licences::new(both).await;
    // One source gives one list here: the card goes without.
    licences.world.statuses.trust = licences.world.trust.clone();
    let world = &licences.world;
    let (audience, nonce) = (world.client_id.as_str(), world.nonce.as_str());
    let paths: &[&[&str]] = &[&["member_id"]];
    let thief = SigningKey::generate(Algorithm::Es256, &SeededRng::new(66));
    for (holder, code) in [(&world.holder, None), (&thief, Some("holder_differs"))] {
        let card = world.card_without_status(holder).await;
        let card = world.bound(&card, paths, audience, nonce, holder).await;
        let token = json!({"licence": [licences.good().await], "card": [card]});
        let policy = VerifierPolicy {
            status: StatusPolicy::WhenPresent,
            ..world.policy()
        };
        let (response, asked) = (world.post(token), world.transaction());
        let outcome = verify_presentation(world.posted(&response), &asked, &policy).await;
        assert_eq!(outcome.err().map(|error| error.code()), code);
    }
}

/// Appendix B.2.2: what a request for an mdoc says that it reads.
#[tokio::test]
async fn a_request_names_the_formats_that_it_asks_for() {
    let licences = Licences::new(json!({"credentials": [licence_query(), card_query()]})).await;
    let world = &licences.world;
    let new = NewRequest {
        response_uri: &world.response_uri,
        nonce: &world.nonce,
        state: &world.state,
        query: &world.query,
        transaction_data: &[],
        encryption_key: world.encryption.public_key(),
        client_name: None,
        purpose: None,
        issued_at: NOW,
        lifetime_s: 120,
        wallet_nonce: None,
    };
    let formats = async |new: &NewRequest<'_>| {
        let identity = Identity::x509_hash(&world.verifier.chain);
        let request = sign_request(new, &identity, &world.verifier.key).await;
        let request = request.unwrap();
        let payload = b64url_decode(request.split('.').nth(1).unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap();
        payload["client_metadata"]["vp_formats_supported"].clone()
    };
    let numbers = json!([-7, -9, -35, -51, -36, -52, -8, -19]);
    let both = formats(&new).await;
    assert_eq!(both["mso_mdoc"]["issuerauth_alg_values"], numbers);
    assert_eq!(both["mso_mdoc"]["deviceauth_alg_values"], numbers);
    assert!(both["dc+sd-jwt"]["kb-jwt_alg_values"].is_array());
    let alone = query(self::licences());
    let alone = formats(&NewRequest {
        query: &alone,
        ..new
    })
    .await;
    assert_eq!(
        alone.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["mso_mdoc"]
    );
}

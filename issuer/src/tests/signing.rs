use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use vouchsafe_credentials::crypto::{AwsLc, Signer};
use vouchsafe_credentials::did::{Did, DidDocument};
use vouchsafe_credentials::sd_jwt_vc::{
    IssuancePolicy, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer, verify_issued,
};
use vouchsafe_credentials::status_list::{StatusCheck, verify_status_list};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::x509::{Role, TrustAnchors};

use super::certificates::did_key;
use super::harness::{ISSUER, config_text, with_config};

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(super) fn leaf(&self, name: &str) -> (String, String) {
        let mut params = CertificateParams::new(vec!["issuer.example".into()]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (key.serialize_pem(), certificate.pem())
    }

    pub(super) fn anchors(&self, role: Role) -> std::sync::Arc<TrustAnchors> {
        let mut anchors = TrustAnchors::new(role);
        anchors.add_der(self.0.der()).unwrap();
        std::sync::Arc::new(anchors)
    }
}

#[tokio::test]
async fn certificates_name_the_issuer_and_the_signer_of_lists() {
    let issuers = Authority::new("Issuers");
    let lists = Authority::new("Lists");
    let (key, chain) = issuers.leaf("The Club");
    let (list_key, list_chain) = lists.leaf("The Club's lists");
    let text = config_text("");
    let from = text.find("[status]").unwrap();
    let to = text.find("[[client]]").unwrap();
    let signing = format!(
        "[signing]\nmethod = \"x5c\"\nkey = '''{key}'''\ncertificates = '''{chain}'''\n\
         [status]\nlist_size = 4096\n[status.signing]\nmethod = \"x5c\"\n\
         key = '''{list_key}'''\ncertificates = '''{list_chain}'''\n"
    );
    let text = format!("{}{signing}{}", &text[..from], &text[to..]);
    with_config(&text, async |h| {
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: ISSUER.into(),
            method: IssuerMethod::X509 { anchors: issuers.anchors(Role::Issuer), subject: None },
            types: vec!["urn:vouchsafe:membership:1".into()],
            status: StatusMethod::X509(lists.anchors(Role::Status)),
        }])
        .unwrap();
        let key = h.holder(1);
        let compact = h.issue(&key).await;
        let policy = IssuancePolicy {
            trust: &trust,
            vct: "urn:vouchsafe:membership:1",
            holder_key: Some(key.public_key()),
            now: h.clock.now(),
        };
        let held = verify_issued(&compact, &policy, &AwsLc).unwrap();
        let issuer = held.get().issuer().clone();
        let uri = h.newest().await["status_list"]["uri"].as_str().unwrap().to_owned();
        let token = h.get(uri.strip_prefix(ISSUER).unwrap()).await.text;
        let check = StatusCheck {
            uri: &uri,
            issuer: &issuer,
            trust: &trust,
            newest_seen: None,
            min_refresh_s: 1,
            now: h.clock.now(),
        };
        verify_status_list(&token, &check, &AwsLc).unwrap();
        let metadata = h.get("/.well-known/openid-credential-issuer").await.json();
        let algorithms = &metadata["credential_configurations_supported"]["membership"]
            ["credential_signing_alg_values_supported"];
        assert_eq!(algorithms, &serde_json::json!(["ES256"]));
    })
    .await;
}

#[tokio::test]
async fn a_planned_change_of_keys_fails_no_verification() {
    let issuers = Authority::new("Issuers");
    let (old, new) = (issuers.leaf("The Club"), issuers.leaf("The Club"));
    let table = |(key, chain): &(String, String), term: &str| {
        format!(
            "[[signing]]\nmethod = \"x5c\"\n{term}\nkey = '''{key}'''\n\
             certificates = '''{chain}'''\n"
        )
    };
    // NOW is 2027-01-15T08:00:00Z; for half an hour both are in use, and the new one signs.
    let keys = [
        table(&old, "retired = \"2027-01-15T10:30:00Z\""),
        table(&new, "not_before = \"2027-01-15T10:00:00Z\""),
    ];
    let text = config_text("");
    let from = text.find("[status]").unwrap();
    let to = text.find("[[client]]").unwrap();
    let status = "[status]\nlist_size = 4096\n";
    let text = format!("{}{}{status}{}", &text[..from], keys.concat(), &text[to..]);
    with_config(&text, async |h| {
        let trust = IssuerTrust::new(vec![TrustedIssuer {
            id: ISSUER.into(),
            method: IssuerMethod::X509 {
                anchors: issuers.anchors(Role::Issuer),
                subject: None,
            },
            types: vec!["urn:vouchsafe:membership:1".into()],
            status: StatusMethod::SameIssuer,
        }])
        .unwrap();
        let mut issued = Vec::new();
        let mut signers = Vec::new();
        for seed in 1..=2 {
            issued.push((h.holder(seed), h.issue(&h.holder(seed)).await));
            signers.push(h.issuer_key());
            h.clock.advance(2 * 3600);
        }
        assert_ne!(signers[0], signers[1]);
        for (key, compact) in &issued {
            let policy = IssuancePolicy {
                trust: &trust,
                vct: "urn:vouchsafe:membership:1",
                holder_key: Some(key.public_key()),
                now: h.clock.now(),
            };
            let held = verify_issued(compact, &policy, &AwsLc).unwrap();
            let reference = held.get().registered().status.clone().unwrap();
            let path = reference.uri.strip_prefix(ISSUER).unwrap();
            let token = h.get(path).await.text;
            let check = StatusCheck {
                uri: &reference.uri,
                issuer: held.get().issuer(),
                trust: &trust,
                newest_seen: None,
                min_refresh_s: 1,
                now: h.clock.now(),
            };
            let list = verify_status_list(&token, &check, &AwsLc).unwrap();
            list.status(&reference, h.clock.now())
                .unwrap()
                .require_valid()
                .unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn keys_of_a_did_web_follow_each_other_and_the_old_one_stays() {
    let table = |seed: u64, term: &str| {
        did_key(seed, term).replace("method = 'did_key'", "method = 'did_web'")
    };
    let keys = [
        table(5, "retired = \"2027-01-15T10:00:00Z\""),
        table(6, "not_before = \"2027-01-15T10:00:00Z\""),
    ];
    let text = config_text("");
    let from = text.find("[status]").unwrap();
    let to = text.find("[[client]]").unwrap();
    let status = "[status]\nlist_size = 4096\n";
    let text = format!("{}{}{status}{}", &text[..from], keys.concat(), &text[to..]);
    with_config(&text, async |h| {
        let name = "did:web:issuer.example";
        let document = h.get("/.well-known/did.json").await.text;
        let document = DidDocument::parse(document.as_bytes(), &Did::parse(name).unwrap());
        let trusted = TrustedIssuer {
            id: name.into(),
            method: IssuerMethod::Did(name.into()),
            types: vec!["urn:vouchsafe:membership:1".into()],
            status: StatusMethod::SameIssuer,
        };
        let trust = IssuerTrust::with_documents(vec![trusted], vec![document.unwrap()]).unwrap();
        let mut issued = Vec::new();
        for seed in 1..=2 {
            issued.push((h.holder(seed), h.issue(&h.holder(seed)).await));
            h.clock.advance(2 * 3600);
        }
        for (key, compact) in &issued {
            let policy = IssuancePolicy {
                trust: &trust,
                vct: "urn:vouchsafe:membership:1",
                holder_key: Some(key.public_key()),
                now: h.clock.now(),
            };
            verify_issued(compact, &policy, &AwsLc).unwrap();
        }
    })
    .await;
    with_config(&config_text(""), async |h| {
        assert_eq!(h.get("/.well-known/did.json").await.status, 404);
    })
    .await;
}

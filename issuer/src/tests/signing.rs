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

    /// Another certificate for a key.
    pub(super) fn leaf_of(&self, key: &str, name: &str) -> String {
        let mut params = CertificateParams::new(vec!["issuer.example".into()]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = KeyPair::from_pem(key).unwrap();
        params.signed_by(&key, &self.0).unwrap().pem()
    }

    /// A certificate that ends with the month before.
    fn leaf_until(&self, name: &str, year: i32, month: u8) -> (String, String) {
        let mut params = CertificateParams::new(vec!["issuer.example".into()]).unwrap();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.not_after = rcgen::date_time_ymd(year, month, 1);
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

/// The same key gets a new certificate before the old one ends.
#[tokio::test]
async fn a_renewed_certificate_fails_no_verification() {
    let issuers = Authority::new("Issuers");
    let (key, old) = issuers.leaf("The Club");
    let new = issuers.leaf_of(&key, "The Club");
    let table = |chain: &str, term: &str| {
        format!(
            "[[signing]]\nmethod = \"x5c\"\n{term}\nkey = '''{key}'''\n\
             certificates = '''{chain}'''\n"
        )
    };
    let keys = [
        table(&old, ""),
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
        for seed in 1..=2 {
            issued.push((h.holder(seed), h.issue(&h.holder(seed)).await));
            h.clock.advance(3 * 3600);
        }
        let leaf = |compact: &str| {
            let header = compact.split('.').next().unwrap();
            let header = vouchsafe_credentials::encoding::b64url_decode(header).unwrap();
            let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
            header["x5c"][0].as_str().unwrap().to_owned()
        };
        assert_ne!(leaf(&issued[0].1), leaf(&issued[1].1));
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
}

#[tokio::test]
async fn metadata_may_have_a_key_of_their_own() {
    let own = did_key(8, "").replace("[[signing]]", "[[metadata.signing]]");
    let text = format!("{}{own}", config_text(""));
    with_config(&text, async |h| {
        let signing = &h.issuer.core().signing;
        let now = h.clock.now();
        let of =
            |keys: &crate::signing::Rotation| keys.at(now).unwrap().signer.public_key().clone();
        assert_ne!(of(&signing.metadata), of(&signing.sd_jwt));
        assert_eq!(of(&signing.status), of(&signing.sd_jwt));
    })
    .await;
    with_config(&config_text(""), async |h| {
        let signing = &h.issuer.core().signing;
        let now = h.clock.now();
        let of =
            |keys: &crate::signing::Rotation| keys.at(now).unwrap().signer.public_key().clone();
        assert_eq!(of(&signing.metadata), of(&signing.sd_jwt));
    })
    .await;
}

#[tokio::test]
async fn certificates_that_end_are_spoken_of_in_time() {
    let issuers = Authority::new("Issuers");
    let (key, old) = issuers.leaf_until("The Club", 2027, 2);
    let new = issuers.leaf_of(&key, "The Club");
    let text = |more: &str| {
        let text = config_text("");
        let from = text.find("[status]").unwrap();
        let to = text.find("[[client]]").unwrap();
        let status = "[status]\nlist_size = 4096\n";
        let first = format!(
            "[[signing]]\nname = \"cards\"\nmethod = \"x5c\"\nkey = '''{key}'''\n\
             certificates = '''{old}'''\n"
        );
        format!("{}{first}{more}{status}{}", &text[..from], &text[to..])
    };
    let later = format!(
        "[[signing]]\nmethod = \"x5c\"\nnot_before = \"2027-01-20T00:00:00Z\"\n\
         key = '''{key}'''\ncertificates = '''{new}'''\n"
    );
    let of = |text: &str| {
        let config: crate::Config = vouchsafe_service::config::parse(text).unwrap();
        config.signers(super::harness::NOW).unwrap()
    };
    let alone = of(&text(""));
    let ends = crate::expiry::soon(&alone, super::harness::NOW);
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0].key, "cards");
    // 2027-02-01 is less than thirty days away on 2027-01-15, and was not on 2026-12-01.
    assert!(crate::expiry::soon(&alone, super::harness::NOW.plus(-45 * 86_400)).is_empty());
    // Whoever planned what follows is left in peace.
    let planned = of(&text(&later));
    assert!(crate::expiry::soon(&planned, super::harness::NOW).is_empty());
    assert_eq!(crate::expiry::certificates(&planned).len(), 6);
}

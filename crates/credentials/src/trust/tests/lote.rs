//! ETSI TS 119 602: what is accepted and what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{ISSUED, NEXT, NOW, PID, Scheme, code, known};
use crate::Verified;
use crate::crypto::{Portable, Signer as _, sha256};
use crate::encoding::{b64url, b64url_decode};
use crate::trust::{Checkpoint, ListKind, ListPolicy, TrustList, TrustListError, import_lote};
use crate::x509::tests::{Node, ca, make, params};
use crate::x509::{Chain, Role, X509Error, verify_chain};

fn service(kind: &str, der: &[u8]) -> Value {
    json!({"ServiceInformation": {
        "ServiceName": [{"lang": "en", "value": "A service"}],
        "ServiceTypeIdentifier": kind,
        "ServiceDigitalIdentity": {"X509Certificates": [{"val": STANDARD.encode(der)}]},
    }})
}

pub(super) fn list(scheme: &Scheme) -> Value {
    json!({"LoTE": {
        "ListAndSchemeInformation": {
            "LoTEVersionIdentifier": 1,
            "LoTESequenceNumber": 9,
            "LoTEType": "http://uri.etsi.org/19602/LoTEType/EUPIDProvidersList",
            "SchemeOperatorName": [
                {"lang": "de", "value": "Beispielbehörde"},
                {"lang": "en", "value": "Example authority"},
            ],
            "SchemeTerritory": "EU",
            "ListIssueDateTime": ISSUED,
            "NextUpdate": NEXT,
        },
        "TrustedEntitiesList": [{
            "TrustedEntityInformation": {"TEName": [{"lang": "en", "value": "PID provider"}]},
            "TrustedEntityServices": [service(PID, &scheme.listed.der)],
        }],
    }})
}

fn header(scheme: &Scheme) -> Value {
    json!({"alg": "ES256", "iat": NOW.seconds(), "x5c": [STANDARD.encode(&scheme.signer.der)]})
}

pub(super) async fn sign_with(header: &Value, payload: &Value, signer: &Node) -> String {
    let part = |value: &Value| b64url(value.to_string().as_bytes());
    let input = format!("{}.{}", part(header), part(payload));
    let signature = signer.key.sign(input.as_bytes()).await.unwrap();
    format!("{input}.{}", b64url(&signature))
}

pub(super) async fn signed(scheme: &Scheme, payload: &Value) -> String {
    sign_with(&header(scheme), payload, &scheme.signer).await
}

fn import(compact: &str, policy: &ListPolicy<'_>) -> Result<Verified<TrustList>, TrustListError> {
    import_lote(compact, policy, &Portable)
}

/// The code with which the list with one member of the scheme information replaced is refused.
async fn refused_with(scheme: &Scheme, member: &str, value: Value) -> &'static str {
    let mut list = list(scheme);
    list["LoTE"]["ListAndSchemeInformation"][member] = value;
    let compact = signed(scheme, &list).await;
    code(import(&compact, &scheme.policy(ListKind::PidProviders)))
}

#[tokio::test]
async fn a_list_becomes_anchors_of_its_roles() {
    let scheme = Scheme::new();
    let compact = signed(&scheme, &list(&scheme)).await;
    let mut policy = scheme.policy(ListKind::PidProviders);
    policy.territory = Some("EU");
    let list = import(&compact, &policy).unwrap().into_inner();
    assert_eq!(list.operator, "Example authority");
    assert_eq!(list.checkpoint.sequence, 9);
    assert_eq!((list.services.len(), list.left_out), (1, 0));
    assert_eq!(list.services[0].entity, "PID provider");
    let leaf = make(params("Signer of PIDs"), Some(&scheme.listed));
    let chain = Chain::from_der(vec![leaf.der]).unwrap();
    let anchors = list.anchors(Role::Issuer).unwrap();
    assert!(verify_chain(&chain, &anchors, Role::Issuer, NOW, &Portable).is_ok());
    // A list of issuers says nothing about anybody else.
    for role in [Role::WalletProvider, Role::Status, Role::VerifierAccess] {
        assert!(list.anchors(role).unwrap().is_empty(), "{role:?}");
    }
}

#[tokio::test]
async fn the_bare_form_is_read_too() {
    let scheme = Scheme::new();
    let policy = scheme.policy(ListKind::PidProviders);
    let bare = list(&scheme)["LoTE"].clone();
    assert!(import(&signed(&scheme, &bare).await, &policy).is_ok());
    let mut both = bare.clone();
    both["LoTE"] = bare;
    let answer = import(&signed(&scheme, &both).await, &policy);
    assert_eq!(code(answer), "trust_list_malformed");
}

#[tokio::test]
async fn a_list_of_another_kind_is_refused() {
    let scheme = Scheme::new();
    let compact = signed(&scheme, &list(&scheme)).await;
    for kind in [
        ListKind::WalletProviders,
        ListKind::AccessCertificates,
        ListKind::PublicAttestations,
        ListKind::QualifiedServices,
    ] {
        let answer = import(&compact, &scheme.policy(kind));
        assert_eq!(code(answer), "trust_list_kind", "{kind:?}");
    }
    let mut policy = scheme.policy(ListKind::PidProviders);
    policy.territory = Some("DE");
    assert_eq!(code(import(&compact, &policy)), "trust_list_territory");
}

#[tokio::test]
async fn a_service_of_a_foreign_type_or_status_does_not_count() {
    let scheme = Scheme::new();
    let der = &scheme.listed.der;
    let with = |member: &str, value: Value| {
        let mut service = service(PID, der);
        service["ServiceInformation"][member] = value;
        service
    };
    let out = [
        service("http://uri.etsi.org/19602/SvcType/WRPAC/Issuance", der),
        service(
            "http://uri.etsi.org/19602/SvcType/WalletSolution/Issuance",
            der,
        ),
        service(&format!("{PID}/"), der),
        service(PID, b"no certificate"),
        with(
            "ServiceStatus",
            json!("http://uri.etsi.org/19602/Status/withdrawn"),
        ),
        with("StatusStartingTime", json!("2027-02-01T00:00:00Z")),
        with("ServiceDigitalIdentity", json!({"X509SKIs": ["AAAA"]})),
    ];
    let mut list = list(&scheme);
    list["LoTE"]["TrustedEntitiesList"][0]["TrustedEntityServices"] = Value::from(out.to_vec());
    let policy = scheme.policy(ListKind::PidProviders);
    let read = import(&signed(&scheme, &list).await, &policy).unwrap();
    assert_eq!(read.get().left_out, out.len());
    assert!(read.get().services.is_empty());
    assert!(read.get().anchors(Role::Issuer).unwrap().is_empty());
}

#[tokio::test]
async fn a_listed_signer_vouches_for_itself_alone() {
    let scheme = Scheme::new();
    let mut listed = params("Listed signer");
    listed.is_ca = rcgen::IsCa::ExplicitNoCa;
    let listed = make(listed, Some(&scheme.listed));
    let mut list = list(&scheme);
    list["LoTE"]["TrustedEntitiesList"][0]["TrustedEntityServices"] =
        json!([service(PID, &listed.der)]);
    let policy = scheme.policy(ListKind::PidProviders);
    let read = import(&signed(&scheme, &list).await, &policy).unwrap();
    let anchors = read.get().anchors(Role::Issuer).unwrap();
    let judge = |ders: Vec<Vec<u8>>| {
        let chain = Chain::from_der(ders).unwrap();
        verify_chain(&chain, &anchors, Role::Issuer, NOW, &Portable).map(drop)
    };
    assert_eq!(judge(vec![listed.der.clone()]), Ok(()));
    let below = make(params("Below"), Some(&listed));
    assert!(judge(vec![below.der.clone()]).is_err());
    assert!(judge(vec![below.der, listed.der.clone()]).is_err());
}

#[tokio::test]
async fn an_older_list_is_refused() {
    let scheme = Scheme::new();
    let compact = signed(&scheme, &list(&scheme)).await;
    let ask = |known| {
        let mut policy = scheme.policy(ListKind::PidProviders);
        policy.known = known;
        import(&compact, &policy)
    };
    assert!(ask(known(8)).is_ok());
    assert_eq!(code(ask(known(10))), "trust_list_rollback");
    assert_eq!(code(ask(known(9))), "trust_list_fork");
    let same = Checkpoint {
        sequence: 9,
        digest: sha256(&b64url_decode(compact.split('.').nth(1).unwrap()).unwrap()),
    };
    assert_eq!(ask(Some(same)).unwrap().get().checkpoint, same);
    // The same list signed once more is no fork.
    let plain = json!({"alg": "ES256", "x5c": [STANDARD.encode(&scheme.signer.der)]});
    let again = sign_with(&plain, &list(&scheme), &scheme.signer).await;
    let mut policy = scheme.policy(ListKind::PidProviders);
    policy.known = Some(same);
    assert_eq!(import(&again, &policy).unwrap().get().checkpoint, same);
}

#[tokio::test]
async fn dates_are_enforced() {
    let scheme = Scheme::new();
    let issued = "ListIssueDateTime";
    let next = "NextUpdate";
    for (member, value, wanted) in [
        (next, json!("2027-01-15T07:59:59Z"), "trust_list_outdated"),
        (next, json!("2027-01-15T08:00:00Z"), "trust_list_outdated"),
        (
            next,
            json!("2028-01-15T08:00:00Z"),
            "trust_list_next_update_too_far",
        ),
        (next, json!("tomorrow"), "trust_list_date"),
        (next, json!(null), "trust_list_malformed"),
        (next, json!({"dateTime": NEXT}), "trust_list_malformed"),
        (
            issued,
            json!("2027-01-16T00:00:00Z"),
            "trust_list_not_yet_issued",
        ),
        (issued, json!("2027-01-10"), "trust_list_date"),
        ("LoTESequenceNumber", json!(-1), "trust_list_malformed"),
        ("LoTESequenceNumber", json!("9"), "trust_list_malformed"),
        ("LoTESequenceNumber", json!(1.5), "trust_list_malformed"),
        ("LoTEVersionIdentifier", json!(2), "trust_list_malformed"),
        ("SchemeOperatorName", json!([]), "trust_list_malformed"),
    ] {
        let answer = refused_with(&scheme, member, value.clone()).await;
        assert_eq!(answer, wanted, "{member} {value}");
    }
    // One second before its next update it counts, at it no longer.
    let compact = signed(&scheme, &list(&scheme)).await;
    let read = import(&compact, &scheme.policy(ListKind::PidProviders)).unwrap();
    let end = read.get().next_update;
    assert!(read.get().usable_at(end.plus(-1)));
    assert!(!read.get().usable_at(end));
}

#[tokio::test]
async fn only_an_operator_may_sign() {
    let scheme = Scheme::new();
    let policy = scheme.policy(ListKind::PidProviders);
    let list = list(&scheme);
    let stranger_ca = make(ca("Scheme root"), None);
    let stranger = make(params("Scheme signer"), Some(&stranger_ca));
    let by = |node: &Node| json!({"alg": "ES256", "x5c": [STANDARD.encode(&node.der)]});
    // Another authority; the key of another certificate; a certificate for documents.
    let foreign = sign_with(&by(&stranger), &list, &stranger).await;
    assert_eq!(code(import(&foreign, &policy)), "trust_list_signer");
    let borrowed = sign_with(&by(&scheme.signer), &list, &stranger).await;
    assert_eq!(code(import(&borrowed, &policy)), "trust_list_signature");
    let mut documents = params("Scheme signer");
    documents.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::Other(vec![
        1, 0, 18013, 5, 1, 2,
    ])];
    let documents = make(documents, Some(&scheme.root));
    let compact = sign_with(&by(&documents), &list, &documents).await;
    assert_eq!(
        import(&compact, &policy).unwrap_err(),
        TrustListError::Signer(X509Error::WrongUsage)
    );
    // A signer that is known by itself needs no authority.
    let mut operators = crate::x509::TrustAnchors::new(Role::ListOperator);
    operators.add_signer_der(&stranger.der).unwrap();
    let pinned = ListPolicy {
        operators: &operators,
        ..policy
    };
    assert!(import(&foreign, &pinned).is_ok());
    let own = signed(&scheme, &list).await;
    assert_eq!(code(import(&own, &pinned)), "trust_list_signer");
}

#[tokio::test]
async fn forms_of_signatures() {
    let scheme = Scheme::new();
    let policy = scheme.policy(ListKind::PidProviders);
    let list = list(&scheme);
    let thumbprint = b64url(&sha256(&scheme.signer.der));
    for (member, value, accepted) in [
        ("typ", json!("JOSE"), true),
        ("typ", json!("dc+sd-jwt"), false),
        ("typ", json!(1), false),
        ("x5t#S256", json!(thumbprint), true),
        ("x5t#S256", json!("AAAA"), false),
        ("iat", json!(NOW.seconds() + 3600), false),
        ("iat", json!("now"), false),
        ("sigT", json!("2027-01-10T00:00:00Z"), false),
        ("crit", json!([]), false),
        ("crit", json!(["sigT"]), false),
        ("crit", json!(["exp"]), false),
        ("crit", json!("sigT"), false),
        ("b64", json!(false), false),
        ("sigD", json!({}), false),
        ("jku", json!("https://attacker.example"), false),
        ("jwk", json!({}), false),
        ("alg", json!("none"), false),
        ("alg", json!("HS256"), false),
        ("alg", json!("ES384"), false),
        ("alg", json!(null), false),
        ("x5c", json!([]), false),
        ("x5c", json!("AAAA"), false),
        ("x5c", json!([1]), false),
    ] {
        let mut header = header(&scheme);
        header[member] = value.clone();
        let compact = sign_with(&header, &list, &scheme.signer).await;
        let answer = import(&compact, &policy);
        assert_eq!(answer.is_ok(), accepted, "{member} {value}");
    }
    // TS 119 182-1: the older signing time, marked as critical.
    let mut header = header(&scheme);
    header.as_object_mut().unwrap().remove("iat");
    header["sigT"] = json!("2027-01-10T00:00:00Z");
    header["crit"] = json!(["sigT"]);
    let compact = sign_with(&header, &list, &scheme.signer).await;
    assert!(import(&compact, &policy).is_ok());
    header["crit"] = json!(["sigT", "sigT"]);
    let compact = sign_with(&header, &list, &scheme.signer).await;
    assert_eq!(code(import(&compact, &policy)), "trust_list_signature_form");
}

#[tokio::test]
async fn a_signing_time_is_at_most_five_minutes_ahead() {
    let scheme = Scheme::new();
    let policy = scheme.policy(ListKind::PidProviders);
    let list = list(&scheme);
    let judge = async |member: &str, value: Value| {
        let mut header = header(&scheme);
        header.as_object_mut().unwrap().remove("iat");
        header[member] = value;
        let compact = sign_with(&header, &list, &scheme.signer).await;
        import(&compact, &policy).map(drop)
    };
    let late = Err(TrustListError::NotYetIssued);
    let iat = |ahead: i64| json!(NOW.seconds() + ahead);
    assert_eq!(judge("iat", iat(300)).await, Ok(()));
    assert_eq!(judge("iat", iat(301)).await, late);
    let time = |text: &str| json!(text);
    assert_eq!(judge("sigT", time("2027-01-15T08:05:00Z")).await, Ok(()));
    assert_eq!(judge("sigT", time("2027-01-15T08:05:01Z")).await, late);
}

#[tokio::test]
async fn sizes_are_bounded() {
    let scheme = Scheme::new();
    let policy = scheme.policy(ListKind::PidProviders);
    let list = list(&scheme);
    // White space at the end is cut off, but counts.
    let mut compact = signed(&scheme, &list).await;
    compact.push_str(&" ".repeat(8_388_608 - compact.len()));
    assert!(import(&compact, &policy).is_ok());
    compact.push(' ');
    assert_eq!(code(import(&compact, &policy)), "trust_list_too_large");
    // 64 KiB of base64url hold 48 KiB.
    for (length, accepted) in [(49_152, true), (49_153, false)] {
        let header = format!("{:<length$}", header(&scheme).to_string());
        let payload = b64url(list.to_string().as_bytes());
        let input = format!("{}.{payload}", b64url(header.as_bytes()));
        let signature = scheme.signer.key.sign(input.as_bytes()).await.unwrap();
        let answer = import(&format!("{input}.{}", b64url(&signature)), &policy).map(drop);
        let wanted = if accepted {
            Ok(())
        } else {
            Err(TrustListError::TooLarge)
        };
        assert_eq!(answer, wanted, "{length}");
    }
}

#[tokio::test]
async fn every_altered_character_is_refused() {
    let scheme = Scheme::new();
    let policy = scheme.policy(ListKind::PidProviders);
    let compact = signed(&scheme, &list(&scheme)).await;
    assert!(import(&compact, &policy).is_ok());
    for at in (0..compact.len()).step_by(7) {
        let mut altered = compact.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(import(&altered, &policy).is_err(), "{at}");
    }
    for text in [
        "",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        &compact[..compact.len() - 1],
    ] {
        assert!(import(text, &policy).is_err(), "{text}");
    }
    let doubled = list(&scheme).to_string().replacen(
        "\"LoTESequenceNumber\":9",
        "\"LoTESequenceNumber\":9,\"LoTESequenceNumber\":99",
        1,
    );
    let input = format!(
        "{}.{}",
        b64url(header(&scheme).to_string().as_bytes()),
        b64url(doubled.as_bytes())
    );
    let signature = scheme.signer.key.sign(input.as_bytes()).await.unwrap();
    let compact = format!("{input}.{}", b64url(&signature));
    assert_eq!(code(import(&compact, &policy)), "trust_list_json");
}

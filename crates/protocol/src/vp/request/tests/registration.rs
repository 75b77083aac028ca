//! Registration certificates in `verifier_info`.

use super::setup::*;
use crate::vp::testing::organization;

const ORGANIZATION: &str = "LEIXG-529900T8BM49AURSDO55";

/// A verifier whose certificate has an identifier, and a registrar.
struct Register {
    setup: Setup,
    registrar: Party,
    anchors: TrustAnchors,
}

impl Register {
    fn new() -> Self {
        let access = Authority::new("Access CA");
        let mut setup = Setup::new();
        setup.anchors = access.anchors(Role::VerifierAccess);
        setup.verifier = organization(&access, "Shop", "verifier.example", ORGANIZATION);
        setup.client_id = ClientId::x509_hash(&setup.verifier.chain);
        setup.claims["client_id"] = json!(setup.client_id.as_str());
        let authority = Authority::new("Registrar CA");
        Self {
            setup,
            registrar: authority.leaf("Registrar", "registrar.example"),
            anchors: authority.anchors(Role::Registrar),
        }
    }

    fn certificate(&self) -> Value {
        json!({
            "sub": ORGANIZATION,
            "iat": NOW.seconds(),
            "exp": NOW.plus(86_400).seconds(),
            "purpose": [
                {"lang": "en", "value": "Selling wine"}, {"lang": "de", "value": "Weinverkauf"},
            ],
            "credentials": [{
                "format": "dc+sd-jwt",
                "meta": {"vct_values": ["urn:vouchsafe:age:1"]},
                "claim": [{"path": ["age_equal_or_over"]}],
            }],
        })
    }

    /// What a request with this certificate, signed by `signer`, is registered for.
    async fn read(&self, certificate: &Value, signer: &Party) -> Registration {
        let header = Header::new(TokenType::RegistrationCertificate).with_x5c(&signer.chain);
        let jwt = jws::sign(&header, certificate, &signer.key).await.unwrap();
        self.read_info(json!([{"format": "registration_cert", "data": jwt}]))
            .await
    }

    async fn read_info(&self, info: Value) -> Registration {
        let mut claims = self.setup.claims.clone();
        claims["verifier_info"] = info;
        let compact = self.setup.sign(&claims).await;
        let parties = Parties {
            registrars: Some(&self.anchors),
            ..Parties::NONE
        };
        let (id, policy) = (self.setup.client_id.as_str(), self.setup.policy());
        let read = verify_request_of(&parties, &compact, id, None, &policy).unwrap();
        read.registration().clone()
    }

    async fn refused(&self, name: &str, value: Value) -> &'static str {
        let mut certificate = self.certificate();
        if value.is_null() {
            certificate.as_object_mut().unwrap().remove(name);
        } else {
            certificate[name] = value;
        }
        match self.read(&certificate, &self.registrar).await {
            Registration::Unusable(error) => error.code(),
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn beyond(registration: &Registration, query: &Value) -> Vec<String> {
    let Registration::Registered(registered) = registration else {
        panic!("{registration:?}")
    };
    let beyond = registered.beyond(&DcqlQuery::parse(query).unwrap());
    let text = |path: Option<crate::vp::dcql::ClaimsPath>| match path {
        Some(path) => path.to_json().to_string(),
        None => "all".to_owned(),
    };
    beyond
        .into_iter()
        .map(|(query, path)| format!("{query} {}", text(path)))
        .collect()
}

#[tokio::test]
async fn what_is_asked_beyond_the_registration_is_named() {
    let register = Register::new();
    let read = register
        .read(&register.certificate(), &register.registrar)
        .await;
    assert!(beyond(&read, &super::setup::query()).is_empty());
    let Registration::Registered(registered) = &read else {
        panic!("not registered")
    };
    assert_eq!(
        registered.purpose().unwrap().for_locale("de-AT"),
        "Weinverkauf"
    );
    assert_eq!(
        registered.purpose().unwrap().for_locale("fr"),
        "Selling wine"
    );
    let more = json!({"credentials": [
        {
            "id": "age", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:vouchsafe:age:1"]},
            "claims": [{"path": ["age_equal_or_over", "18"]}, {"path": ["birthdate"]}],
        },
        {
            "id": "pid", "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:vouchsafe:age:1", "urn:eudi:pid:1"]},
        },
        {
            "id": "licence", "format": "mso_mdoc",
            "meta": {"doctype_value": "urn:vouchsafe:age:1"},
        },
    ]});
    let named = beyond(&read, &more);
    assert_eq!(named, ["age [\"birthdate\"]", "pid all", "licence all"]);
}

#[tokio::test]
async fn cat_347_a_certificate_counts_for_the_verifier_that_it_names() {
    let register = Register::new();
    for (name, value, code) in [
        (
            "sub",
            json!("LEIXG-000000000000000000"),
            "registration_subject",
        ),
        ("sub", Value::Null, "registration_subject"),
        ("exp", json!(NOW.plus(-60).seconds()), "registration_time"),
        ("iat", json!(NOW.plus(61).seconds()), "registration_time"),
        ("iat", Value::Null, "registration_malformed"),
        ("exp", json!("never"), "registration_malformed"),
        (
            "credentials",
            json!([{"format": "dc+sd-jwt"}]),
            "registration_malformed",
        ),
    ] {
        assert_eq!(register.refused(name, value).await, code, "{name}");
    }
    // A register with several identifiers for one party (ETSI TS 119 475 v1.1.1).
    let mut several = register.certificate();
    several["sub"] = json!({"id": [{"identifier": "VATAT-U1"}, {"identifier": ORGANIZATION}]});
    let read = register.read(&several, &register.registrar).await;
    assert!(matches!(read, Registration::Registered(_)));
    // Signed by the verifier itself, or unsigned.
    let read = register
        .read(&register.certificate(), &register.setup.verifier)
        .await;
    assert!(matches!(
        read,
        Registration::Unusable(RegistrationError::Untrusted)
    ));
    let read = register.read_info(json!([{"format": "registration_cert", "data": "e30.e30."}]));
    let malformed = RegistrationError::Malformed;
    assert!(matches!(read.await, Registration::Unusable(error) if error == malformed));
    let read = register
        .read_info(json!([{"format": "jwt", "data": "e30.e30."}]))
        .await;
    assert!(matches!(read, Registration::None));
}

#[tokio::test]
async fn without_a_registrar_no_certificate_is_looked_at() {
    let register = Register::new();
    let mut claims = register.setup.claims.clone();
    claims["verifier_info"] = json!([{"format": "registration_cert", "data": "?"}]);
    let read = register.setup.verify(&claims).await.unwrap();
    assert!(matches!(read.registration(), Registration::None));
}

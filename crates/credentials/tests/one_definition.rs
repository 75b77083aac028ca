//! One definition of a type, every format: the same claims come out of an SD-JWT VC, an mdoc, a
//! credential with an embedded proof and a `vc+jwt`, and each of them verifies.

#![allow(clippy::unwrap_used, reason = "tests stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use proptest::strategy::Union;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use serde_json::{Map, Value, json};
use vouchsafe_credentials::credential_type::{ClaimKind, CredentialType, Prepared, W3cInput};
use vouchsafe_credentials::crypto::{Algorithm, Portable, Signer as _, SigningKey, sha256};
use vouchsafe_credentials::data_integrity::{
    EddsaJcs2022, ProofOptions, ProofPurpose, SuiteSigner, Suites, add_proof,
    verify_credential as verify_embedded,
};
use vouchsafe_credentials::did::{LocalResolver, key};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::mdoc::{self, DigestAlgorithm, KeyAuthorizations, Validity};
use vouchsafe_credentials::random::Rng;
use vouchsafe_credentials::sd_jwt::{ClaimPath, HashAlg, PathElement};
use vouchsafe_credentials::sd_jwt_vc::{
    self, IssuerKey, IssuerMethod, IssuerTrust, StatusMethod, TrustedIssuer,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vc_jose_cose::{KeySource, issue_jwt, verify_credential};
use vouchsafe_credentials::vcdm::{EnvelopeType, Enveloped, Issuers, Policy, StatusPolicy};
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};

const NOW: UnixTime = UnixTime(1_800_000_000);
const AGE: &str = include_str!("../../../specs/credential-types/age.toml");
const MDL: &str = include_str!("../../../specs/credential-types/mdl.toml");
const PID: &str = include_str!("../../../specs/credential-types/pid.toml");

struct Counting(std::sync::atomic::AtomicU64);

impl Rng for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let next = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            chunk.copy_from_slice(&sha256(&next.to_be_bytes())[..chunk.len()]);
        }
    }
}

/// An issuer with a DID and a certificate, and a person's key.
struct World {
    rng: Counting,
    issuer: SigningKey,
    did: String,
    url: String,
    holder: SigningKey,
    document_signer: SigningKey,
    chain: Chain,
    iaca: Arc<TrustAnchors>,
}

impl World {
    fn new() -> Self {
        let rng = Counting(0.into());
        let issuer = SigningKey::generate(Algorithm::EdDsa, &rng);
        let did = key::encode(issuer.public_key());
        let authority = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CountryName, "AT");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let mut anchors = TrustAnchors::new(Role::MdocIssuer);
        let certificate = params.self_signed(&authority).unwrap();
        anchors.add_der(certificate.der()).unwrap();
        let authority = rcgen::Issuer::new(params, authority);
        let own = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Signer");
        params.distinguished_name.push(DnType::CountryName, "AT");
        let purpose = ExtendedKeyUsagePurpose::Other(vec![1, 0, 18013, 5, 1, 2]);
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&own, &authority).unwrap();
        Self {
            url: format!("{did}#{}", key::encode_multibase(issuer.public_key())),
            did,
            issuer,
            holder: SigningKey::generate(Algorithm::Es256, &rng),
            document_signer: SigningKey::from_pkcs8_der(&own.serialize_der()).unwrap(),
            chain: Chain::from_der(vec![certificate.der().to_vec()]).unwrap(),
            iaca: Arc::new(anchors),
            rng,
        }
    }

    fn trust(&self, id: &str, method: IssuerMethod, kind: &str) -> IssuerTrust {
        IssuerTrust::new(vec![TrustedIssuer {
            id: id.to_owned(),
            method,
            types: vec![kind.to_owned()],
            status: StatusMethod::SameIssuer,
        }])
        .unwrap()
    }

    /// The claims that a verifier of the SD-JWT VC reads.
    async fn by_sd_jwt_vc(&self, card: &CredentialType, prepared: &Prepared) -> Value {
        let input = sd_jwt_vc::IssueInput {
            vct: &card.vct,
            issuer: Some(&self.did),
            key: IssuerKey::Did(&self.url),
            issued_at: Some(NOW),
            not_before: None,
            expires_at: Some(NOW.plus(card.validity_s)),
            holder_key: Some(self.holder.public_key()),
            status: None,
            claims: prepared.claims.clone(),
            frame: &prepared.frame,
            hash: HashAlg::default(),
        };
        let compact = sd_jwt_vc::issue(input, &self.issuer, &self.rng).await;
        let method = IssuerMethod::Did(self.did.clone());
        let policy = sd_jwt_vc::IssuancePolicy {
            trust: &self.trust(&self.did, method, &card.vct),
            vct: &card.vct,
            holder_key: Some(self.holder.public_key()),
            now: NOW,
        };
        let held = sd_jwt_vc::verify_issued(&compact.unwrap(), &policy, &Portable).unwrap();
        let mut claims = held.into_inner().claims().clone();
        for name in ["vct", "iss", "iat", "exp", "cnf", "_sd_alg"] {
            claims.shift_remove(name);
        }
        claims.into()
    }

    /// The elements that a verifier of the mdoc reads.
    async fn by_mdoc(&self, card: &CredentialType, prepared: &Prepared) -> Value {
        let format = card.mdoc().unwrap();
        let input = mdoc::IssueInput {
            doctype: &format.doctype,
            elements: &format.elements(prepared),
            validity: Validity {
                signed: NOW,
                valid_from: NOW,
                valid_until: NOW.plus(card.validity_s),
                expected_update: None,
            },
            device_key: self.holder.public_key(),
            key_authorizations: &KeyAuthorizations::default(),
            status: None,
            chain: &self.chain,
            digest_algorithm: DigestAlgorithm::Sha256,
        };
        let issued = mdoc::issue(input, &self.document_signer, &self.rng).await;
        let anchors = Arc::clone(&self.iaca);
        let method = IssuerMethod::Iaca { anchors };
        let policy = mdoc::IssuancePolicy {
            trust: &self.trust("https://issuer.example", method, &format.doctype),
            doctype: &format.doctype,
            device_key: self.holder.public_key(),
            now: NOW,
        };
        let held = mdoc::verify_issued(&issued.unwrap(), &policy, &Portable).unwrap();
        let elements = held.into_inner().elements().to_json().unwrap();
        assert_eq!(elements.as_object().unwrap().len(), 1, "one namespace");
        elements
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap()
            .clone()
    }

    /// The claims in the W3C data model, with an embedded proof and as `vc+jwt`.
    async fn by_w3c(&self, card: &CredentialType, prepared: &Prepared) -> [Value; 2] {
        let input = W3cInput {
            issuer: &self.did,
            subject: Some("did:example:holder"),
            valid_from: "2027-01-01T00:00:00Z",
            valid_until: "2027-03-01T00:00:00Z",
        };
        let credential = card.w3c().unwrap().credential(prepared, input);
        let policy = Policy::new(Issuers::AnyResolvable, NOW, StatusPolicy::Unchecked);
        let (suites, crypto) = (Suites::jcs(), Portable);

        let options = ProofOptions::new(&self.url, ProofPurpose::AssertionMethod);
        let signer = SuiteSigner::Signature(&self.issuer);
        let embedded = add_proof(&credential, &options, &EddsaJcs2022, signer, &self.rng).await;
        let embedded = embedded.unwrap();
        let embedded = verify_embedded(&embedded, &suites, &policy, &LocalResolver, &crypto).await;

        let jwt = issue_jwt(&credential, EnvelopeType::VcJwt, &self.url, &self.issuer).await;
        let envelope = Enveloped::new(EnvelopeType::VcJwt, jwt.unwrap());
        let keys = KeySource::Resolver(&LocalResolver);
        let enveloped = verify_credential(&envelope, keys, &suites, &policy, &crypto).await;
        [embedded.unwrap(), enveloped.unwrap()].map(|verified| {
            let mut subject = verified.get().as_json()["credentialSubject"].clone();
            let id = subject.as_object_mut().unwrap().shift_remove("id");
            assert_eq!(id, Some(json!("did:example:holder")));
            subject
        })
    }
}

/// What the file says about elements, and what a claim looks like there: bytes are base64url.
fn expected_elements(file: &str, card: &CredentialType, claims: &Value) -> Map<String, Value> {
    let file: toml::Table = file.parse().unwrap();
    let elements = file["mdoc"]["elements"].as_table().unwrap();
    let mut expected = Map::new();
    for (element, path) in elements {
        let names: Vec<&str> = path
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one.as_str().unwrap())
            .collect();
        let Some(value) = claims.pointer(&format!("/{}", names.join("/"))) else {
            continue;
        };
        let spec = card
            .claims
            .iter()
            .find(|one| one.path == ClaimPath::of_keys(&names));
        let picture = spec.unwrap().kind == ClaimKind::Picture;
        let value = match value.as_str().filter(|_| picture) {
            Some(url) => b64url(&STANDARD.decode(url.split(',').nth(1).unwrap()).unwrap()).into(),
            None => value.clone(),
        };
        expected.insert(element.clone(), value);
    }
    expected
}

/// Claims that fit a type.
fn claims_of(card: &CredentialType) -> BoxedStrategy<Value> {
    members(card, &[])
}

/// An object at this place: required members always, others now and then.
fn members(card: &CredentialType, place: &[PathElement]) -> BoxedStrategy<Value> {
    let below = card.claims.iter().filter_map(|spec| {
        let rest = spec.path.elements().strip_prefix(place)?;
        match rest.first()? {
            PathElement::Key(name) => Some(name.clone()),
            PathElement::Index(_) | PathElement::Any => None,
        }
    });
    let names: BTreeSet<String> = below.collect();
    let mut all = Just(BTreeMap::<String, Value>::new()).boxed();
    for name in names {
        let path = [place, &[PathElement::Key(name.clone())]].concat();
        let spec = card.claims.iter().find(|spec| spec.path.elements() == path);
        let value = match spec {
            Some(spec) => value(card, spec.kind, &path),
            None => members(card, &path),
        };
        // A place that only holds the claims below is there when one of them must be.
        let prefix = ClaimPath::new(path.clone());
        let required = card.claims.iter().any(|one| {
            one.required
                && if spec.is_some() {
                    one.path == prefix
                } else {
                    prefix.is_prefix_of(&one.path)
                }
        });
        let value = match required {
            true => value.prop_map(Some).boxed(),
            false => proptest::option::of(value).boxed(),
        };
        all = (all, value)
            .prop_map(move |(mut all, value)| {
                if let Some(value) = value {
                    all.insert(name.clone(), value);
                }
                all
            })
            .boxed();
    }
    all.prop_map(|all| Value::Object(all.into_iter().collect()))
        .boxed()
}

fn value(card: &CredentialType, kind: ClaimKind, path: &[PathElement]) -> BoxedStrategy<Value> {
    match kind {
        ClaimKind::Country => "[A-Z]{2}".prop_map(Value::from).boxed(),
        ClaimKind::String => "\\PC{1,40}".prop_map(Value::from).boxed(),
        ClaimKind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        ClaimKind::Integer | ClaimKind::Number => (0..3000).prop_map(Value::from).boxed(),
        ClaimKind::Date => (1900..2100, 1..13, 1..29)
            .prop_map(|(year, month, day)| json!(format!("{year}-{month:02}-{day:02}")))
            .boxed(),
        ClaimKind::Bytes => proptest::collection::vec(any::<u8>(), 1..300)
            .prop_map(|bytes| json!(b64url(&bytes)))
            .boxed(),
        ClaimKind::Picture => proptest::collection::vec(any::<u8>(), 1..300)
            .prop_map(|bytes| json!(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes))))
            .boxed(),
        ClaimKind::Object => members(card, path)
            .prop_filter("an object says something", |value| value != &json!({}))
            .boxed(),
        ClaimKind::Array => {
            let path = [path, &[PathElement::Any]].concat();
            let spec = card.claims.iter().find(|spec| spec.path.elements() == path);
            let element = value(card, spec.unwrap().kind, &path);
            proptest::collection::vec(element, 1..4)
                .prop_map(Value::from)
                .boxed()
        }
    }
}

fn every_format_says(file: &str, claims: &Value) {
    let card = CredentialType::from_toml(file).unwrap();
    let prepared = card.prepare(claims.as_object().unwrap().clone()).unwrap();
    let world = World::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        assert_eq!(world.by_sd_jwt_vc(&card, &prepared).await, *claims);
        for subject in world.by_w3c(&card, &prepared).await {
            assert_eq!(subject, *claims);
        }
        let elements = world.by_mdoc(&card, &prepared).await;
        assert_eq!(
            elements,
            Value::Object(expected_elements(file, &card, claims))
        );
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_definition_gives_the_same_claims_in_every_format(
        (file, claims) in Union::new([AGE, MDL, PID].map(|file| {
            let card = CredentialType::from_toml(file).unwrap();
            (Just(file), claims_of(&card))
        }))
    ) {
        every_format_says(file, &claims);
    }
}

#[test]
fn a_driving_licence_in_the_types_of_the_standard() {
    let claims = json!({
        "family_name": "Mustermann", "given_name": "Erika", "birth_date": "1990-02-28",
        "issue_date": "2026-01-01", "expiry_date": "2036-01-01", "issuing_country": "AT",
        "issuing_authority": "LPD Wien", "document_number": "AT-123", "un_distinguishing_sign": "A",
        "portrait": b64url(&[0xff, 0xd8, 0xff]),
        "driving_privileges": [
            {"vehicle_category_code": "B", "issue_date": "2010-05-01", "expiry_date": "2036-01-01",
             "codes": [{"code": "01", "sign": "=", "value": "02"}]},
            {"vehicle_category_code": "AM"},
        ],
    });
    every_format_says(MDL, &claims);
    let card = CredentialType::from_toml(MDL).unwrap();
    let prepare = |claims: &Value| card.prepare(claims.as_object().unwrap().clone());
    let elements = card.mdoc().unwrap().elements(&prepare(&claims).unwrap());
    let get = |name| elements.get(mdoc::MDL_NAMESPACE, name).unwrap();
    // ISO/IEC 18013-5:2021, table 5: `portrait` is a bstr; section 7.2.4: dates of a category are
    // full-dates, tag 1004.
    assert_eq!(get("portrait").as_bytes().unwrap(), &[0xff, 0xd8, 0xff]);
    let first = get("driving_privileges").as_array().unwrap()[0]
        .as_map()
        .unwrap();
    let since = first
        .iter()
        .find(|(name, _)| name.as_text() == Some("issue_date"));
    assert_eq!(since.unwrap().1.as_tag().unwrap().0, 1004);

    for (pointer, wrong, problem) in [
        (
            "/portrait",
            json!("not base64!"),
            "`portrait` must be base64url",
        ),
        ("/portrait", json!("/9j/"), "`portrait` must be base64url"),
        (
            "/driving_privileges/1",
            json!({}),
            "must be an object that is not empty",
        ),
        (
            "/driving_privileges/1",
            json!({"issue_date": "2010-05-01"}),
            "vehicle_category_code` is required",
        ),
        (
            "/driving_privileges/0/issue_date",
            json!("1.5.2010"),
            "issue_date` must be a date",
        ),
        (
            "/driving_privileges/0/codes/0/code",
            json!(1),
            "code` must be a string",
        ),
    ] {
        let mut changed = claims.clone();
        *changed.pointer_mut(pointer).unwrap() = wrong;
        let said = prepare(&changed).unwrap_err().to_string();
        assert!(said.contains(problem), "{pointer}: {said}");
    }
    for name in card
        .claims
        .iter()
        .filter(|one| one.required && one.path.elements().len() == 1)
    {
        let mut changed = claims.clone();
        let PathElement::Key(name) = &name.path.elements()[0] else {
            unreachable!("a path starts with a name")
        };
        changed.as_object_mut().unwrap().shift_remove(name);
        let said = prepare(&changed).unwrap_err().to_string();
        assert_eq!(said, format!("`{name}` is required"));
    }
}

/// A PID without a nationality, or with a country that is none, is refused before any format is asked.
#[test]
fn countries_are_codes_and_there_is_a_nationality() {
    let card = CredentialType::from_toml(PID).unwrap();
    let refused = |pointer: &str, value: Value| {
        let mut claims = json!({
            "family_name": "Ödman", "given_name": "Åsa", "birthdate": "1990-02-28",
            "nationalities": ["SE"], "issuing_country": "SE", "issuing_authority": "Authority",
            "place_of_birth": {"country": "SE"}, "address": {"country": "SE"},
            "date_of_expiry": "2030-01-01",
        });
        *claims.pointer_mut(pointer).unwrap() = value;
        let result = card.prepare(claims.as_object().unwrap().clone());
        result.err().map(|problems| problems.to_string())
    };
    assert_eq!(refused("/nationalities", json!(["SE", "FI"])), None);
    let empty = refused("/nationalities", json!([]));
    assert_eq!(empty.as_deref(), Some("`nationalities` must not be empty"));
    for pointer in [
        "/nationalities/0",
        "/issuing_country",
        "/place_of_birth/country",
        "/address/country",
    ] {
        for wrong in ["se", "SWE", "S", "", "Sweden", "S1", "Å"] {
            let said = refused(pointer, json!(wrong)).unwrap();
            let path = pointer[1..].replace('/', ".");
            let expected = format!("`{path}` must be a country code, two capital letters");
            assert_eq!(said, expected, "{wrong}");
        }
    }
}

#[test]
fn a_place_of_birth_says_at_least_one_thing() {
    let card = CredentialType::from_toml(PID).unwrap();
    let claims = |place: Value| {
        let claims = json!({
            "family_name": "Ödman", "given_name": "Åsa", "birthdate": "1990-02-28",
            "nationalities": ["SE"], "issuing_country": "SE", "issuing_authority": "Authority",
            "place_of_birth": place,
        });
        card.prepare(claims.as_object().unwrap().clone())
    };
    // EU PID rulebook, section 3.1.4: "at least one of the following".
    let said = claims(json!({})).unwrap_err().to_string();
    assert_eq!(said, "`place_of_birth` must be an object that is not empty");
    let prepared = claims(json!({"country": "SE", "locality": "Umeå"})).unwrap();
    let elements = card.mdoc().unwrap().elements(&prepared).to_json().unwrap();
    let place = &elements["eu.europa.ec.eudi.pid.1"]["place_of_birth"];
    assert_eq!(place, &json!({"country": "SE", "locality": "Umeå"}));
}

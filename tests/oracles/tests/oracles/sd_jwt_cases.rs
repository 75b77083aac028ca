//! Claims to hide, and the parties who do it.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::{Map, Value, json};
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, PublicKey, Signer as _, SigningKey};
use vouchsafe_credentials::did;
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, HashAlg, PathElement};
use vouchsafe_credentials::sd_jwt_vc::{
    HeldSdJwtVc, IssuancePolicy, IssueInput, IssuerKey, IssuerMethod, IssuerTrust,
    KeyBindingPolicy, Policy, SdJwtVc, StatusMethod, StatusPolicy, TrustedIssuer, VcError, issue,
    kb, verify_issued, verify_presented,
};
use vouchsafe_credentials::testing::SeededRng;
use vouchsafe_credentials::time::UnixTime;

pub const NOW: UnixTime = UnixTime(1_800_000_000);
pub const AUDIENCE: &str = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
pub const NONCE: &str = "1234567890";
pub const VCT: &str = "urn:example:card:1";

/// Software signers are ready at once.
pub fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a software signer is never pending"),
    }
}

/// Claims, and which of them are hidden.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub claims: Map<String, Value>,
    /// Paths without `null`, parents before children.
    pub hidden: Vec<ClaimPath>,
    /// What the holder shows.
    pub shown: Vec<ClaimPath>,
    pub decoys: usize,
}

impl Case {
    fn new(name: &str, claims: Value, hidden: &[Value], shown: &[Value]) -> Self {
        let paths = |list: &[Value]| -> Vec<ClaimPath> {
            list.iter()
                .map(|p| ClaimPath::from_json(p).unwrap())
                .collect()
        };
        Self {
            name: name.into(),
            claims: claims.as_object().unwrap().clone(),
            hidden: paths(hidden),
            shown: paths(shown),
            decoys: 0,
        }
    }

    pub fn frame(&self) -> Frame {
        let start = Frame::new().decoys(&ClaimPath::default(), self.decoys);
        let hide = |frame: Frame, path: &ClaimPath| frame.hide(path).unwrap();
        self.hidden.iter().fold(start, hide)
    }

    /// The hidden paths that are not below another one.
    pub fn outermost(&self) -> Vec<ClaimPath> {
        let inner = |path: &&ClaimPath| {
            self.hidden
                .iter()
                .any(|other| other != *path && other.is_prefix_of(path))
        };
        self.hidden
            .iter()
            .filter(|path| !inner(path))
            .cloned()
            .collect()
    }
}

/// Cases of our own; the ones of the specifications are in `sd_jwt_vectors`.
pub fn cases() -> Vec<Case> {
    let person = json!({
        "sub": "user_42", "given_name": "太郎", "email": "\"unusual email address\"@example.jp",
        "address": {"street": "Heidestraße 17", "locality": "Köln", "country": "DE"},
        "nationalities": ["US", "DE"], "updated_at": 1_570_000_000, "verified": true,
        "nothing": null, "score": -7,
    });
    vec![
        Case::new("nothing hidden", person.clone(), &[], &[]),
        Case::new(
            "flat",
            person.clone(),
            &[
                json!(["given_name"]),
                json!(["email"]),
                json!(["address"]),
                json!(["verified"]),
                json!(["nothing"]),
                json!(["score"]),
            ],
            &[json!(["address"]), json!(["nothing"])],
        ),
        Case::new(
            "structured",
            person.clone(),
            &[json!(["address", "street"]), json!(["address", "locality"])],
            &[json!(["address", "locality"])],
        ),
        Case::new(
            "array elements",
            person.clone(),
            &[json!(["nationalities", 0]), json!(["nationalities", 1])],
            &[json!(["nationalities", 1])],
        ),
        Case::new(
            "recursive",
            person,
            &[
                json!(["address"]),
                json!(["address", "street"]),
                json!(["address", "country"]),
                json!(["nationalities"]),
                json!(["nationalities", 0]),
            ],
            &[json!(["address", "country"]), json!(["nationalities", 0])],
        ),
    ]
}

/// An issuer with a DID, and a holder.
pub struct Parties {
    pub issuer: SigningKey,
    pub did: String,
    pub url: String,
    pub holder: SigningKey,
    pub rng: SeededRng,
    trust: IssuerTrust,
    types: Vec<String>,
}

impl Parties {
    pub fn new() -> Self {
        let rng = SeededRng::new(11);
        let issuer = SigningKey::generate(Algorithm::Es256, &rng);
        let did = did::key::encode(issuer.public_key());
        let (_, url) = did::resolve_local(&did).unwrap();
        let trusted = TrustedIssuer {
            id: did.clone(),
            method: IssuerMethod::Did(did.clone()),
            types: vec![VCT.into()],
            status: StatusMethod::SameIssuer,
        };
        Self {
            holder: SigningKey::generate(Algorithm::Es256, &rng),
            trust: IssuerTrust::new(vec![trusted]).unwrap(),
            types: vec![VCT.into()],
            issuer,
            did,
            url,
            rng,
        }
    }

    pub fn issuer_jwk(&self) -> Value {
        self.issuer.public_key().to_jwk()
    }

    pub fn holder_key(&self) -> &PublicKey {
        self.holder.public_key()
    }

    /// The credential of a case, issued by us.
    pub fn issue(&self, case: &Case, hash: HashAlg) -> String {
        let input = IssueInput {
            vct: VCT,
            issuer: Some(&self.did),
            key: IssuerKey::Did(&self.url),
            issued_at: Some(NOW),
            not_before: None,
            expires_at: Some(NOW.plus(3600)),
            holder_key: Some(self.holder_key()),
            status: None,
            claims: case.claims.clone(),
            frame: &case.frame(),
            hash,
        };
        ready(issue(input, &self.issuer, &self.rng)).unwrap()
    }

    /// The claims of a case with the registered ones, for foreign issuers.
    pub fn card(&self, case: &Case) -> Value {
        let mut claims = case.claims.clone();
        claims.insert("vct".into(), json!(VCT));
        claims.insert("iss".into(), json!(self.did));
        claims.insert("iat".into(), json!(NOW));
        claims.insert("exp".into(), json!(NOW.plus(3600)));
        claims.insert("cnf".into(), json!({"jwk": self.holder_key().to_jwk()}));
        Value::Object(claims)
    }

    pub fn header(&self) -> Value {
        json!({"alg": "ES256", "typ": "dc+sd-jwt", "kid": self.url})
    }

    pub fn hold(&self, compact: &str) -> HeldSdJwtVc {
        let policy = IssuancePolicy {
            trust: &self.trust,
            vct: VCT,
            holder_key: Some(self.holder_key()),
            now: NOW,
        };
        verify_issued(compact, &policy, &AwsLc)
            .unwrap()
            .into_inner()
    }

    /// Presents what the case shows, bound to the usual transaction.
    pub fn present(&self, case: &Case, held: &HeldSdJwtVc) -> String {
        let presentation = held.present(&case.shown).unwrap();
        let binding = kb::Binding {
            audience: AUDIENCE,
            nonce: NONCE,
            issued_at: NOW,
        };
        ready(presentation.bind(&binding, &self.holder)).unwrap()
    }

    pub fn verify(&self, compact: &str) -> Result<SdJwtVc, VcError> {
        let policy = Policy {
            trust: &self.trust,
            types: &self.types,
            key_binding: KeyBindingPolicy::Required {
                audience: AUDIENCE,
                nonce: NONCE,
            },
            status: StatusPolicy::WhenPresent,
            now: NOW,
        };
        let owed = verify_presented(compact, &policy, &AwsLc)?;
        Ok(owed.settle(None, NOW)?.into_inner())
    }
}

/// A private P-256 key as a JWK, for other software.
pub fn private_jwk(key: &SigningKey) -> Value {
    let der = key.to_pkcs8_der();
    // RFC 5915: the private value is the octet string of 32 bytes after the
    // version, `02 01 01 04 20`.
    let marker = [0x02, 0x01, 0x01, 0x04, 0x20];
    let start = der.windows(5).position(|window| window == marker).unwrap() + 5;
    let mut jwk = key.public_key().to_jwk();
    jwk["d"] = json!(vouchsafe_credentials::encoding::b64url(
        &der[start..start + 32]
    ));
    jwk
}

/// A disclosure frame as affinidi and @sd-jwt have it: names (or positions)
/// under `_sd`, and the frames of members under their names.
pub fn foreign_frame(hidden: &[ClaimPath], position: impl Fn(usize) -> Value) -> Value {
    let mut frame = json!({});
    for path in hidden {
        let (last, parents) = path.elements().split_last().unwrap();
        let mut place = &mut frame;
        for parent in parents {
            place = &mut place[text(parent)];
            if place.is_null() {
                *place = json!({});
            }
        }
        let entry = match last {
            PathElement::Index(index) => position(*index),
            other => json!(text(other)),
        };
        match &mut place["_sd"] {
            Value::Array(entries) => entries.push(entry),
            empty => *empty = json!([entry]),
        }
    }
    frame
}

fn text(element: &PathElement) -> String {
    match element {
        PathElement::Key(key) => key.clone(),
        PathElement::Index(index) => index.to_string(),
        PathElement::Any => panic!("cases name positions"),
    }
}

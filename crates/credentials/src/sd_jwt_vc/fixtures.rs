//! What the tests of credentials and status lists share: an issuer with a
//! certificate, one with a DID, a holder, a verifier.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use serde_json::{Map, Value, json};

use super::*;
use crate::Verified;
use crate::crypto::{Algorithm, Portable, PublicKey, Signer as _, SigningKey};
use crate::did;
use crate::jws::{self, Header};
use crate::sd_jwt::{ClaimPath, Frame, HashAlg};
use crate::status_list::StatusRef;
use crate::testing::SeededRng;
use crate::time::UnixTime;
use crate::x509::{Chain, Role, TrustAnchors};

pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(crate) const VCT: &str = "urn:example:card:1";
pub(crate) const AUDIENCE: &str = "x509_hash:Uvo3HtuIxuhC92rShpgqcT3YXwrqRxWEviRiA0OZszk";
pub(crate) const NONCE: &str = "n-0S6_WzA2Mj";
pub(crate) const ISS: &str = "https://issuer.example";

/// The signers of tests are ready at once.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a software signer is never pending"),
    }
}

/// A certificate authority.
pub(crate) struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) der: Vec<u8>,
}

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2060, 1, 1);
        let der = params.self_signed(&key).unwrap().der().to_vec();
        let issuer = Issuer::new(params, key);
        Self { issuer, der }
    }

    /// A leaf for `name`, valid for `dns`, until the year `until`.
    pub(crate) fn leaf(&self, name: &str, dns: &str, until: i32) -> (SigningKey, Chain) {
        let dns = SanType::DnsName(dns.try_into().unwrap());
        self.leaf_named(name, vec![dns], until)
    }

    /// Likewise, with these alternative names.
    pub(crate) fn leaf_named(
        &self,
        name: &str,
        names: Vec<SanType>,
        until: i32,
    ) -> (SigningKey, Chain) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let signing = SigningKey::from_pkcs8_der(&key.serialize_der()).unwrap();
        (signing, Chain::from_der(vec![leaf.der().to_vec()]).unwrap())
    }

    pub(crate) fn anchors(&self, role: Role) -> Arc<TrustAnchors> {
        let mut anchors = TrustAnchors::new(role);
        anchors.add_der(&self.der).unwrap();
        Arc::new(anchors)
    }
}

pub(crate) struct World {
    pub(crate) ca: Ca,
    pub(crate) issuer: SigningKey,
    pub(crate) chain: Chain,
    pub(crate) did_issuer: SigningKey,
    pub(crate) did: String,
    pub(crate) did_url: String,
    pub(crate) holder: SigningKey,
    pub(crate) trust: IssuerTrust,
    pub(crate) types: Vec<String>,
    pub(crate) rng: SeededRng,
    pub(crate) frame: Frame,
}

impl World {
    pub(crate) fn new() -> Self {
        let rng = SeededRng::new(7);
        let ca = Ca::new("Example CA");
        let (issuer, chain) = ca.leaf("Example Club", "issuer.example", 2059);
        let did_issuer = SigningKey::generate(Algorithm::EdDsa, &rng);
        let did = did::key::encode(did_issuer.public_key());
        let (_, did_url) = did::resolve_local(&did).unwrap();
        let trust = IssuerTrust::new(vec![
            TrustedIssuer {
                id: ISS.into(),
                method: IssuerMethod::X509 {
                    anchors: ca.anchors(Role::Issuer),
                    subject: None,
                },
                types: vec![VCT.into()],
                status: StatusMethod::SameIssuer,
            },
            TrustedIssuer {
                id: did.clone(),
                method: IssuerMethod::Did(did.clone()),
                types: vec![VCT.into()],
                status: StatusMethod::SameIssuer,
            },
        ])
        .unwrap();
        Self {
            holder: SigningKey::generate(Algorithm::Es256, &rng),
            types: vec![VCT.into()],
            ca,
            issuer,
            chain,
            did_issuer,
            did,
            did_url,
            trust,
            rng,
            frame: Self::frame(),
        }
    }

    pub(crate) fn claims() -> Map<String, Value> {
        let claims = json!({
            "given_name": "Ada", "member_id": "A-17",
            "address": {"locality": "Köln", "country": "DE"},
            "nationalities": ["DE", "FR"],
            "tier": "gold",
        });
        claims.as_object().unwrap().clone()
    }

    pub(crate) fn frame() -> Frame {
        let path = |json: Value| ClaimPath::from_json(&json).unwrap();
        let hidden = [
            json!(["given_name"]),
            json!(["address"]),
            json!(["address", "locality"]),
            json!(["address", "country"]),
            json!(["nationalities", null]),
            json!(["member_id"]),
        ];
        let hide = |frame: Frame, json| frame.hide(&path(json)).unwrap();
        hidden
            .into_iter()
            .fold(Frame::new(), hide)
            .decoys(&ClaimPath::default(), 2)
    }

    /// The usual credential; `change` makes another of it.
    pub(crate) fn issue_with<'w>(&'w self, change: impl FnOnce(&mut IssueInput<'w>)) -> String {
        let mut input = IssueInput {
            vct: VCT,
            issuer: None,
            key: IssuerKey::X5c(&self.chain),
            issued_at: Some(NOW),
            not_before: None,
            expires_at: Some(NOW.plus(86_400)),
            holder_key: Some(self.holder.public_key()),
            status: None,
            claims: Self::claims(),
            frame: &self.frame,
            hash: HashAlg::Sha256,
        };
        change(&mut input);
        let by_did = matches!(input.key, IssuerKey::Did(_));
        let signer = if by_did {
            &self.did_issuer
        } else {
            &self.issuer
        };
        ready(issue(input, signer, &self.rng)).unwrap()
    }

    pub(crate) fn issue(&self) -> String {
        self.issue_with(|_| {})
    }

    /// Signs any payload as the issuer with the certificate would.
    pub(crate) fn sign(&self, payload: &Value) -> String {
        let header = Header::new(jws::TokenType::SdJwtVc).with_x5c(&self.chain);
        ready(jws::sign(&header, payload, &self.issuer)).unwrap()
    }

    /// Like [`sign`](Self::sign), with `vct`, `cnf` and `exp` of the usual
    /// credential under the members of `payload`, and as an SD-JWT.
    pub(crate) fn sign_card(&self, payload: Value) -> String {
        let mut card = json!({
            "vct": VCT, "exp": NOW.seconds() + 60,
            "cnf": {"jwk": self.holder.public_key().to_jwk()},
        });
        for (name, value) in payload.as_object().unwrap() {
            match value {
                Value::Null => card.as_object_mut().unwrap().remove(name),
                other => card
                    .as_object_mut()
                    .unwrap()
                    .insert(name.clone(), other.clone()),
            };
        }
        format!("{}~", self.sign(&card))
    }

    pub(crate) fn accept_issued(&self, compact: &str) -> Result<Verified<HeldSdJwtVc>, VcError> {
        let policy = IssuancePolicy {
            trust: &self.trust,
            vct: VCT,
            holder_key: Some(self.holder.public_key()),
            now: NOW,
        };
        verify_issued(compact, &policy, &Portable)
    }

    pub(crate) fn held(&self) -> HeldSdJwtVc {
        self.accept_issued(&self.issue()).unwrap().into_inner()
    }

    pub(crate) fn policy(&self) -> Policy<'_> {
        Policy {
            trust: &self.trust,
            types: &self.types,
            key_binding: KeyBindingPolicy::Required {
                audience: AUDIENCE,
                nonce: NONCE,
            },
            status: StatusPolicy::WhenPresent,
            now: NOW,
        }
    }

    pub(crate) fn verify(&self, compact: &str) -> Result<StatusOwed, VcError> {
        verify_presented(compact, &self.policy(), &Portable)
    }

    /// Code of the refusal.
    pub(crate) fn refusal(&self, compact: &str) -> &'static str {
        self.verify(compact).unwrap_err().code()
    }

    /// Adds a Key Binding JWT of the holder to an SD-JWT.
    pub(crate) fn bind(&self, sd_jwt: &str) -> String {
        self.bind_as(sd_jwt, &self.holder, AUDIENCE, NONCE, NOW)
    }

    pub(crate) fn bind_as(
        &self,
        sd_jwt: &str,
        holder: &SigningKey,
        audience: &str,
        nonce: &str,
        issued_at: UnixTime,
    ) -> String {
        let binding = kb::Binding {
            audience,
            nonce,
            issued_at,
        };
        let jwt = ready(kb::build(sd_jwt, HashAlg::Sha256, &binding, holder)).unwrap();
        format!("{sd_jwt}{jwt}")
    }

    pub(crate) fn status_ref() -> StatusRef {
        StatusRef {
            uri: "https://issuer.example/status/1".into(),
            idx: 3,
        }
    }

    pub(crate) fn key(&self) -> &PublicKey {
        self.holder.public_key()
    }
}

pub(crate) fn paths(list: &[Value]) -> Vec<ClaimPath> {
    list.iter()
        .map(|json| ClaimPath::from_json(json).unwrap())
        .collect()
}

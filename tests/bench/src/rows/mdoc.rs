//! P3: mdoc as a library, beside npm `@owf/mdoc` with its X.509 parses cached.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use tokio::runtime::Runtime;
use vouchsafe_credentials::cbor::Value;
use vouchsafe_credentials::crypto::Signer as _;
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, AwsLcSigningKey, PublicKey, SigningKey};
use vouchsafe_credentials::mdoc::{
    DigestAlgorithm, ElementPath, Elements, IssuancePolicy, IssueInput, KeyAuthorizations, MDL,
    Policy, SessionTranscript, Validity, issue, verify_issued, verify_presented,
};
use vouchsafe_credentials::sd_jwt_vc::{
    IssuerMethod, IssuerTrust, StatusMethod, StatusPolicy, TrustedIssuer,
};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::{Chain, Role, TrustAnchors};
use vouchsafe_service::random::OsRandom;

use crate::floor::Primitives;
use crate::peer::{Operation, Peer};
use crate::report::{Floor, Goal, Line, Results};
use crate::slices::{Here, Plan};

const NOW: UnixTime = UnixTime(1_795_000_000);
const NAMESPACE: &str = "org.example.bench";
const PEER: &str = "npm @owf/mdoc 0.6.0 over node:crypto, X.509 parses cached";

/// Ten elements that a holder can show one by one, as the peer has them.
struct Fixture {
    runtime: Runtime,
    issuer: AwsLcSigningKey,
    chain: Chain,
    trust: IssuerTrust,
    device: AwsLcSigningKey,
    device_public: PublicKey,
    elements: Elements,
    transcript: SessionTranscript,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::CountryName, "AT");
    params
}

impl Fixture {
    fn new() -> Result<Self> {
        let pair = KeyPair::generate()?;
        let mut iaca = named("IACA");
        iaca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let mut anchors = TrustAnchors::new(Role::MdocIssuer);
        anchors.add_der(iaca.self_signed(&pair)?.der())?;
        let authority = Issuer::new(iaca, pair);
        let pair = KeyPair::generate()?;
        let mut leaf = named("Document signer");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::Other(vec![1, 0, 18013, 5, 1, 2])];
        let leaf = leaf.signed_by(&pair, &authority)?;
        let device = SigningKey::generate(Algorithm::Es256, &OsRandom);
        let mut elements = Elements::new();
        for name in names() {
            let value = format!("the value of {name}, of a usual length");
            ensure!(elements.add(NAMESPACE, &name, Value::Text(value)), "twice");
        }
        let encryption = SigningKey::generate(Algorithm::Es256, &OsRandom);
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            issuer: AwsLcSigningKey::new(&SigningKey::from_pkcs8_der(&pair.serialize_der())?)?,
            chain: Chain::from_der(vec![leaf.der().to_vec()])?,
            trust: IssuerTrust::new(vec![TrustedIssuer {
                id: "https://issuer.example".to_owned(),
                method: IssuerMethod::Iaca {
                    anchors: Arc::new(anchors),
                },
                types: vec![MDL.to_owned()],
                status: StatusMethod::SameIssuer,
            }])?,
            device_public: device.public_key().clone(),
            device: AwsLcSigningKey::new(&device)?,
            elements,
            transcript: SessionTranscript::openid4vp(
                "x509_san_dns:verifier.example",
                "the nonce of this bench",
                Some(encryption.public_key()),
                "https://verifier.example/response",
            ),
        })
    }

    fn issue(&self) -> Result<Vec<u8>> {
        let input = IssueInput {
            doctype: MDL,
            elements: &self.elements,
            validity: Validity {
                signed: NOW,
                valid_from: NOW,
                valid_until: NOW.plus(86_400),
                expected_update: None,
            },
            device_key: &self.device_public,
            key_authorizations: &KeyAuthorizations::default(),
            status: None,
            chain: &self.chain,
            digest_algorithm: DigestAlgorithm::Sha256,
        };
        Ok(self
            .runtime
            .block_on(issue(input, &self.issuer, &OsRandom))?)
    }

    fn present(&self) -> Result<Vec<u8>> {
        let policy = IssuancePolicy {
            trust: &self.trust,
            doctype: MDL,
            device_key: &self.device_public,
            now: NOW,
        };
        let held = verify_issued(&self.issue()?, &policy, &AwsLc)?;
        let paths: Vec<_> = names()
            .take(3)
            .map(|name| ElementPath::new(NAMESPACE, &name))
            .collect();
        let presentation = held.get().present(&paths)?;
        let nothing = Elements::new();
        let signed = presentation.sign(&self.transcript, &nothing, &self.device);
        Ok(self.runtime.block_on(signed)?)
    }

    fn verify(&self, response: &[u8]) -> Result<()> {
        let doctypes = [MDL.to_owned()];
        let policy = Policy {
            trust: &self.trust,
            doctypes: &doctypes,
            transcript: &self.transcript,
            reader_key: None,
            status: StatusPolicy::WhenPresent,
            now: NOW,
        };
        let accepted = verify_presented(response, &policy, &AwsLc)?.settle(None, None, NOW)?;
        let elements = &accepted.get().elements;
        ensure!(
            elements.get(NAMESPACE, "element_2").is_some()
                && elements.get(NAMESPACE, "element_3").is_none(),
            "something else was verified"
        );
        Ok(())
    }
}

fn names() -> impl Iterator<Item = String> {
    (0..10).map(|index| format!("element_{index}"))
}

/// P3.
pub fn measure(plan: &Plan) -> Result<Results> {
    let fixture = Fixture::new()?;
    let response = fixture.present()?;
    fixture
        .verify(&response)
        .context("the fixture does not verify")?;
    let primitives = Primitives::new()?;
    let mut peer = Peer::node("bench-mdoc.mjs")?;
    let figures = plan.race(&mut [
        &mut Here(|| fixture.issue().map(drop)),
        &mut Operation {
            peer: &mut peer,
            name: "issue",
        },
        &mut Here(|| primitives.sign()),
        &mut Here(|| primitives.hash()),
    ])?;
    let [ours, theirs, sign, hash] = figures[..] else {
        anyhow::bail!("a figure is missing")
    };
    let issued = Line {
        name: "P3",
        what: "mdoc issue, 10 elements, ES256".to_owned(),
        ours,
        floor: Some(Floor {
            us: sign.median_us + 11.0 * hash.median_us,
            of: "1 ES256 signature and 11 SHA-256, aws-lc-rs, same run".to_owned(),
        }),
        peer: Some((PEER.to_owned(), theirs)),
        goals: &[Goal::Limit(0.6), Goal::Times(7.0)],
    };
    let figures = plan.race(&mut [
        &mut Here(|| fixture.verify(&response)),
        &mut Operation {
            peer: &mut peer,
            name: "verify",
        },
        &mut Here(|| primitives.verify()),
        &mut Here(|| primitives.hash()),
    ])?;
    let [ours, theirs, verify, hash] = figures[..] else {
        anyhow::bail!("a figure is missing")
    };
    let verified = Line {
        name: "P3",
        what: "mdoc verify 3 of 10, device signature".to_owned(),
        ours,
        floor: Some(Floor {
            us: 2.0 * verify.median_us + 5.0 * hash.median_us,
            of: "2 ES256 verifications and 5 SHA-256, aws-lc-rs, same run; the chain is remembered"
                .to_owned(),
        }),
        peer: Some((PEER.to_owned(), theirs)),
        goals: &[Goal::Limit(0.85), Goal::Times(7.0)],
    };
    Ok(Results::of(vec![issued, verified]))
}

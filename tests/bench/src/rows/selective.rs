//! P8: `ecdsa-sd-2023` and `bbs-2023` whole, beside Digital Bazaar's packages.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, AwsLcSigningKey, Signer as _, SigningKey};
use vouchsafe_credentials::data_integrity::{
    Cryptosuite, DeriveOptions, Proof, ProofOptions, ProofPurpose, SuiteSigner,
};
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials_jsonld::bbs::SecretKey;
use vouchsafe_credentials_jsonld::bbs_2023::Bbs2023;
use vouchsafe_credentials_jsonld::contexts::{BUNDLED, Contexts};
use vouchsafe_credentials_jsonld::ecdsa_sd::EcdsaSd2023;
use vouchsafe_credentials_jsonld::rdfc::Transformation;
use vouchsafe_service::random::OsRandom;

use crate::floor::Primitives;
use crate::peer::{Operation, Peer};
use crate::report::{Floor, Goal, Line, Results};
use crate::slices::{Figure, Here, Plan};

const MANDATORY: [&str; 2] = ["/issuer", "/validFrom"];
const SELECTIVE: [&str; 3] = [
    "/credentialSubject/claim_0",
    "/credentialSubject/claim_1",
    "/credentialSubject/claim_2",
];

/// A credential with ten claims about a subject without an id.
fn document() -> Value {
    let claims: Map<String, Value> = (0..10)
        .map(|index| {
            (
                format!("claim_{index}"),
                format!("the value of claim {index}").into(),
            )
        })
        .collect();
    json!({
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/undefined-terms/v2",
        ],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": claims,
    })
}

/// One suite with its key.
struct Fixture<'a> {
    runtime: &'a Runtime,
    suite: &'a dyn Cryptosuite,
    signer: SuiteSigner<'a>,
    key: Multikey,
    document: Value,
}

impl Fixture<'_> {
    fn issue(&self) -> Result<Value> {
        let mut options = ProofOptions::new("did:example:issuer#0", ProofPurpose::AssertionMethod);
        options.mandatory_pointers = MANDATORY.map(str::to_owned).to_vec();
        let proof = self
            .suite
            .create(&self.document, &options, self.signer, &OsRandom);
        Ok(Value::Object(self.runtime.block_on(proof)?))
    }

    fn derive(&self, base: &Proof) -> Result<Value> {
        let options = DeriveOptions {
            selective_pointers: SELECTIVE.map(str::to_owned).to_vec(),
            presentation_header: Vec::new(),
        };
        Ok(self
            .suite
            .derive(&self.document, base, &options, &OsRandom)?)
    }

    fn verify(&self, document: &Value, proof: &Proof) -> Result<()> {
        Ok(self.suite.verify(document, proof, &self.key, &AwsLc)?)
    }

    /// Issue, derive, verify: ours and the peer's.
    fn race(&self, plan: &Plan, peer: &mut Peer, names: [&'static str; 3]) -> Result<Vec<Figure>> {
        let base = Proof::parse(&self.issue()?)?;
        let mut shown = self.derive(&base)?;
        let members = shown.as_object_mut().context("not an object")?;
        let proof = Proof::parse(&members.shift_remove("proof").context("no proof")?)?;
        self.verify(&shown, &proof)?;
        let mut other = shown.clone();
        other["validFrom"] = "2026-01-02T00:00:00Z".into();
        ensure!(
            self.verify(&other, &proof).is_err(),
            "an altered credential is accepted"
        );
        let mut figures = Vec::new();
        let mut issue = Here(|| self.issue().map(drop));
        let mut derive = Here(|| self.derive(&base).map(drop));
        let mut verify = Here(|| self.verify(&shown, &proof));
        let ours: [&mut dyn crate::slices::Contender; 3] = [&mut issue, &mut derive, &mut verify];
        for (ours, name) in ours.into_iter().zip(names) {
            figures.extend(plan.race(&mut [ours, &mut Operation { peer, name }])?);
        }
        Ok(figures)
    }
}

/// P8.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let transformation = Transformation::new(Arc::new(Contexts::bundled()));
    let software = SigningKey::generate(Algorithm::Es256, &OsRandom);
    let ecdsa = AwsLcSigningKey::new(&software)?;
    let bbs = SecretKey::generate(&OsRandom);
    let mut peer = Peer::node("bench-selective.mjs")?;
    let contexts: Result<Map<String, Value>> = BUNDLED
        .iter()
        .map(|bundled| Ok((bundled.url.to_owned(), serde_json::from_str(bundled.text)?)))
        .collect();
    peer.tell(&json!({
        "contexts": contexts?, "document": document(), "mandatory": MANDATORY, "selective": SELECTIVE,
    }))?;
    let primitives = Primitives::new()?;
    let floor = plan.race(&mut [
        &mut Here(|| primitives.sign()),
        &mut Here(|| primitives.verify()),
    ])?;
    let (sign, verify) = (floor[0].median_us, floor[1].median_us);
    let mut lines = Vec::new();
    let suites: [(&dyn Cryptosuite, _, _, _, _, &[Goal]); 2] = [
        (
            &EcdsaSd2023::new(transformation.clone()),
            SuiteSigner::Signature(&ecdsa),
            Multikey::Signature(ecdsa.public_key().clone()),
            ["ecdsaIssue", "ecdsaDerive", "ecdsaVerify"],
            // Eleven statements are not mandatory; three claims and the link to the subject are shown.
            [Some(12.0 * sign), None, Some(5.0 * verify)],
            &[],
        ),
        (
            &Bbs2023::new(transformation),
            SuiteSigner::Bbs(&bbs),
            Multikey::Bls12381G2(*bbs.public_key_bytes()),
            ["bbsIssue", "bbsDerive", "bbsVerify"],
            [None; 3],
            &[Goal::Times(80.0)],
        ),
    ];
    for (suite, signer, key, names, floors, goals) in suites {
        let fixture = Fixture {
            runtime: &runtime,
            suite,
            signer,
            key,
            document: document(),
        };
        let figures = fixture.race(plan, &mut peer, names)?;
        for ((pair, floor_us), what) in
            figures
                .chunks(2)
                .zip(floors)
                .zip(["issue", "derive 3/10", "verify"])
        {
            lines.push(Line {
                name: "P8",
                what: format!("{} {what}", suite.name()),
                ours: pair[0],
                floor: floor_us.map(|us| Floor {
                    us,
                    of: "ES256 signatures of aws-lc-rs, same run: 12 to issue, 5 to verify"
                        .to_owned(),
                }),
                peer: Some(("npm packages of Digital Bazaar".to_owned(), pair[1])),
                goals,
            });
        }
    }
    Ok(Results::of(lines))
}

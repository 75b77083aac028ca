//! eddsa-rdfc-2022 as a library, beside plain `ssi` in the same process (feature `ssi`).

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use aws_lc_rs::digest;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use vouchsafe_credentials::crypto::{Algorithm, AwsLc, AwsLcSigningKey, Signer, SigningKey};
use vouchsafe_credentials::data_integrity::{
    Cryptosuite, Proof, ProofOptions, ProofPurpose, SuiteSigner, add_proof,
};
use vouchsafe_credentials::did;
use vouchsafe_credentials::did::Multikey;
use vouchsafe_credentials_jsonld::contexts::Contexts;
use vouchsafe_credentials_jsonld::rdfc::{EddsaRdfc2022, Transformation};
use vouchsafe_service::random::OsRandom;

use crate::report::{Floor, Goal, Line, Results};
use crate::slices::{Figure, Here, Plan};

const GOALS: &[Goal] = &[Goal::Times(2.0)];

/// A credential with blank nodes, a key, and the suite with its contexts processed.
struct Fixture {
    runtime: Runtime,
    suite: EddsaRdfc2022,
    signer: AwsLcSigningKey,
    method: String,
    key: Multikey,
    credential: Value,
}

impl Fixture {
    fn new() -> Result<Self> {
        let key = SigningKey::generate(Algorithm::EdDsa, &OsRandom);
        let multibase = did::key::encode_multibase(key.public_key());
        let contexts = Arc::new(Contexts::bundled());
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            suite: EddsaRdfc2022(Transformation::new(contexts)),
            signer: AwsLcSigningKey::new(&key)?,
            method: format!("did:key:{multibase}#{multibase}"),
            key: Multikey::decode(&multibase).map_err(|_| anyhow!("no multikey"))?,
            credential: json!({
                "@context": [
                    "https://www.w3.org/ns/credentials/v2",
                    "https://www.w3.org/ns/credentials/examples/v2"
                ],
                "type": ["VerifiableCredential", "AlumniCredential"],
                "issuer": format!("did:key:{multibase}"),
                "validFrom": "2023-01-01T00:00:00Z",
                "credentialSubject": {
                    "alumniOf": {"name": "The School of Examples", "degree": {"type": "Degree", "name": "Bachelor"}},
                    "givenName": "Erika", "familyName": "Mustermann", "birthDate": "1984-01-26"
                }
            }),
        })
    }

    fn issue(&self) -> Result<Value> {
        let options = ProofOptions::new(self.method.as_str(), ProofPurpose::AssertionMethod);
        let signer = SuiteSigner::Signature(&self.signer);
        let made = add_proof(&self.credential, &options, &self.suite, signer, &OsRandom);
        Ok(self.runtime.block_on(made)?)
    }

    fn verify(&self, secured: &Value) -> Result<()> {
        let mut document = secured.clone();
        let members = document.as_object_mut().context("no object")?;
        let proof = Proof::parse(&members.shift_remove("proof").context("no proof")?)?;
        Ok(self.suite.verify(&document, &proof, &self.key, &AwsLc)?)
    }
}

/// Both lines.
pub fn measure(plan: &Plan) -> Result<Results> {
    let fixture = Fixture::new()?;
    let secured = fixture.issue()?;
    fixture
        .verify(&secured)
        .context("the fixture does not verify")?;
    let peer = Peer::new(&fixture, &secured)?;
    let key = Ed25519KeyPair::generate().map_err(|_| anyhow!("no key"))?;
    let signature = key.sign(&[7; 64]);
    let public = UnparsedPublicKey::new(&ED25519, key.public_key().as_ref());
    let figures = plan.race(&mut [
        &mut Here(|| fixture.issue().map(drop)),
        &mut Here(|| fixture.verify(&secured)),
        &mut Here(|| peer.issue()),
        &mut Here(|| peer.verify()),
        &mut Here(|| {
            std::hint::black_box(key.sign(&[7; 64]));
            Ok(())
        }),
        &mut Here(|| {
            public
                .verify(&[7; 64], signature.as_ref())
                .map_err(|_| anyhow!("a good signature was refused"))
        }),
        &mut Here(|| {
            std::hint::black_box(digest::digest(
                &digest::SHA256,
                std::hint::black_box(&[7; 1500]),
            ));
            Ok(())
        }),
    ])?;
    let [issue, verify, peer_issue, peer_verify, sign, check, hash] = figures[..] else {
        bail!("a figure is missing")
    };
    let line = |what: &str, ours: Figure, floor: Figure, peer: Figure| Line {
        name: "rdfc",
        what: format!("eddsa-rdfc-2022 {what}, blank nodes"),
        ours,
        floor: Some(Floor {
            us: floor.median_us + 2.0 * hash.median_us,
            of: "1 Ed25519 operation and 2 SHA-256 of 1500 bytes, aws-lc-rs, same run".to_owned(),
        }),
        peer: Peer::NAME.map(|name| (name.to_owned(), peer)),
        goals: GOALS,
    };
    Ok(Results::of(vec![
        line("issue", issue, sign, peer_issue),
        line("verify", verify, check, peer_verify),
    ]))
}

/// Plain `ssi`.
#[cfg(feature = "ssi")]
struct Peer<'a> {
    runtime: Runtime,
    credential: &'a Value,
    jwk: Value,
    method: String,
    secured: Value,
}

#[cfg(feature = "ssi")]
impl<'a> Peer<'a> {
    const NAME: Option<&'static str> = Some("ssi 0.16.0");

    fn new(fixture: &'a Fixture, _secured: &Value) -> Result<Self> {
        use vouchsafe_credentials_jsonld::second_opinion;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        // RFC 8037, appendix A.1.
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        });
        let public = vouchsafe_credentials::crypto::PublicKey::from_jwk(
            &json!({"kty": "OKP", "crv": "Ed25519", "x": jwk["x"]}),
        )?;
        let multibase = did::key::encode_multibase(&public);
        let method = format!("did:key:{multibase}#{multibase}");
        let issued = second_opinion::issue(&fixture.credential, &jwk, &method, "eddsa-rdfc-2022");
        let secured = runtime.block_on(issued)?;
        Ok(Self {
            runtime,
            credential: &fixture.credential,
            jwk,
            method,
            secured,
        })
    }

    fn issue(&self) -> Result<()> {
        let issued = vouchsafe_credentials_jsonld::second_opinion::issue(
            self.credential,
            &self.jwk,
            &self.method,
            "eddsa-rdfc-2022",
        );
        std::hint::black_box(self.runtime.block_on(issued)?);
        Ok(())
    }

    fn verify(&self) -> Result<()> {
        let verified = vouchsafe_credentials_jsonld::second_opinion::verify(&self.secured);
        Ok(self.runtime.block_on(verified)?)
    }
}

/// No peer was built in.
#[cfg(not(feature = "ssi"))]
struct Peer;

#[cfg(not(feature = "ssi"))]
impl Peer {
    const NAME: Option<&'static str> = None;

    fn new(_fixture: &Fixture, _secured: &Value) -> Result<Self> {
        Ok(Self)
    }

    fn issue(&self) -> Result<()> {
        Ok(())
    }

    fn verify(&self) -> Result<()> {
        Ok(())
    }
}

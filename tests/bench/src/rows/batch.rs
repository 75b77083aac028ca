//! P5: a hundred credentials in one request, each bound to a key of its own (OpenID4VCI 1.0,
//! section 8.2), with a proof for each key and with one attestation for all.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::{AwsLcSigningKey, Signer};
use vouchsafe_credentials::jws::{self, Header, TokenType};
use vouchsafe_credentials::time::Clock;
use vouchsafe_protocol::oauth::values::Secret;
use vouchsafe_protocol::vci::proof;
use vouchsafe_protocol::vci::request::Proofs;
use vouchsafe_service::clock::SystemClock;

use super::issuance::{Issuance, Outcome, fresh_key, offer};
use crate::floor::{Exchange, Primitives, Row};
use crate::load::{Load, Scenario};
use crate::report::{Floor, Goal, Line, Results};
use crate::services::Services;
use crate::slices::{Here, Plan};

/// Credentials of a request.
const COUNT: usize = 100;
/// How the wallet provider's key is named.
const PROVIDER: &str = "provider";

/// How a wallet shows that the keys are its own.
enum Proof {
    /// A JWT signed by each key.
    Jwt,
    /// One attestation, signed by the wallet provider.
    Attestation(AwsLcSigningKey),
}

struct Batch<'a> {
    issuance: Issuance<'a>,
    /// The credential type.
    kind: &'static str,
    proof: Proof,
}

struct Prepared {
    code: Secret,
    dpop: AwsLcSigningKey,
    holders: Vec<AwsLcSigningKey>,
}

impl Batch<'_> {
    async fn proofs(&self, holders: &[AwsLcSigningKey], nonce: &str) -> Result<Proofs> {
        let now = SystemClock.now();
        let provider = match &self.proof {
            Proof::Attestation(provider) => provider,
            Proof::Jwt => {
                let expected = proof::ProofFor {
                    issuer: self.issuance.issuer(),
                    client_id: None,
                    nonce: Some(nonce),
                };
                let mut proofs = Vec::with_capacity(holders.len());
                for holder in holders {
                    proofs.push(proof::build(&expected, holder, now).await?);
                }
                return Ok(Proofs::Jwt(proofs));
            }
        };
        let keys = holders.iter().map(|key| key.public_key().to_jwk());
        let claims = json!({
            "iat": now.seconds(),
            "exp": now.seconds() + 300,
            "nonce": nonce,
            "attested_keys": keys.collect::<Vec<Value>>(),
            "key_storage": ["iso_18045_moderate"],
            "user_authentication": ["iso_18045_moderate"],
        });
        let header = Header::new(TokenType::KeyAttestation).with_kid(PROVIDER);
        Ok(Proofs::Attestation(
            jws::sign(&header, &claims, provider).await?,
        ))
    }
}

impl Scenario for Batch<'_> {
    type Prepared = Prepared;
    type Outcome = Vec<Outcome>;

    async fn prepare(&self) -> Result<Prepared> {
        let made = offer(self.issuance.web(), self.issuance.services(), self.kind).await?;
        Ok(Prepared {
            code: Secret::new(made.code),
            dpop: fresh_key()?,
            holders: (0..COUNT).map(|_| fresh_key()).collect::<Result<_>>()?,
        })
    }

    async fn run(&self, prepared: Prepared) -> Result<Vec<Outcome>> {
        let Prepared {
            code,
            dpop,
            holders,
        } = prepared;
        let token = self.issuance.token(code, &dpop).await?;
        let nonce = self.issuance.nonce().await?;
        let proofs = self.proofs(&holders, &nonce).await?;
        let credentials = self
            .issuance
            .credentials(&token, &dpop, self.kind, proofs, COUNT)
            .await?;
        ensure!(credentials.len() == COUNT, "credentials are missing");
        let outcomes = credentials.into_iter().zip(&holders);
        Ok(outcomes
            .map(|(credential, holder)| Outcome {
                credential,
                holder: holder.public_key().clone(),
            })
            .collect())
    }

    fn check(&self, outcomes: Vec<Outcome>) -> Result<()> {
        let mut outcomes = outcomes.into_iter();
        outcomes.try_for_each(|outcome| self.issuance.verify(&outcome, self.kind))
    }
}

/// Batches of a hundred; age cards for keys that the wallet provider attests.
fn configuration(folder: &Path, provider: &AwsLcSigningKey) -> Result<String> {
    let mut jwk = provider.public_key().to_jwk();
    jwk["kid"] = json!(PROVIDER);
    let file = folder.join("provider.json");
    std::fs::write(&file, json!({ "keys": [jwk] }).to_string())?;
    Ok(format!(
        "[[wallet_provider]]\nname = \"bench\"\njwks_file = {:?}\n\
         [[key_attestation]]\ncredential_types = [\"age\"]\nproof_types = [\"attestation\"]\n",
        file.to_str().context("a path that is not text")?
    ))
}

/// P5.
pub fn measure(plan: &Plan) -> Result<Results> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let provider = fresh_key()?;
    let services = Services::start_with(
        |text| text.replacen("[issuer]", &format!("[issuer]\nbatch_size = {COUNT}"), 1),
        |folder| configuration(folder, &provider),
    );
    let services = runtime.block_on(services)?;
    let primitives = Primitives::new()?;
    let batch = |kind, proof| -> Result<_> {
        let issuance = Issuance::new(&services)?;
        let batch = Batch {
            issuance,
            kind,
            proof,
        };
        Ok(Load::new(&runtime, services.issuer_process()?, batch))
    };
    let figures = plan.race(&mut [
        &mut batch("membership", Proof::Jwt)?,
        &mut batch("age", Proof::Attestation(provider))?,
        &mut Here(|| primitives.sign()),
        &mut Here(|| primitives.verify()),
        &mut Exchange::new()?,
        &mut Row::new()?,
    ])?;
    let [jwt, attestation, sign, verify, exchange, row] = figures[..] else {
        anyhow::bail!("a figure is missing")
    };
    let count = COUNT as f64;
    let floor = |verifications: f64| Floor {
        us: sign.median_us
            + row.median_us
            + (verifications * verify.median_us + 3.0 * exchange.median_us + row.median_us) / count,
        of: format!(
            "for each of {COUNT}: 1 ES256 signature {:.1} + 1 bare SQLite row {:.1} + one part in {COUNT} of \
             {verifications} verifications x {:.1}, 3 bare HTTP exchanges x {:.1} and 1 row, same run",
            sign.median_us, row.median_us, verify.median_us, exchange.median_us
        ),
    };
    let line = |what: &str, ours, verifications, goals| Line {
        name: "P5",
        what: format!("a credential of a batch of {COUNT}, {what}"),
        ours,
        floor: Some(floor(verifications)),
        peer: None,
        goals,
    };
    Ok(Results::of(vec![
        line(
            "a proof for each key",
            jwt.per(COUNT as u64),
            count + 2.0,
            &[Goal::Limit(0.75)],
        ),
        line(
            "one attestation",
            attestation.per(COUNT as u64),
            3.0,
            &[Goal::Limit(0.60)],
        ),
    ]))
}

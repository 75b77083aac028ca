//! Presentations of the W3C data model.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use vouchsafe_credentials::data_integrity::{ProofOptions, ProofPurpose, add_proof};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vc_jose_cose::{issue_cose, issue_jwt};
use vouchsafe_credentials::vcdm::{DateTimeStamp, EnvelopeType};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::{IssuerKey, suites};

use super::{Format, Input, Options, output};
use crate::credential::disclose;

/// Puts the credentials into one presentation and signs it.
pub async fn present(options: &Options, key: &IssuerKey, inputs: &[Input]) -> Result<()> {
    let (domain, challenge) = options.verifier()?;
    let credentials = inputs.iter().map(credential).collect::<Result<Vec<_>>>()?;
    let mut presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": key.did(),
        "verifiableCredential": credentials,
    });
    if options.format == Format::LdpVp {
        return output::json(&data_integrity(options, key, &presentation).await?);
    }
    ensure!(options.cryptosuite.is_none(), "--cryptosuite is for ldp_vp");
    // VC-JOSE-COSE 1.0, section 4: for whom and of what moment, as registered claims.
    presentation["nonce"] = json!(challenge);
    presentation["aud"] = json!(domain);
    let url = key.verification_method();
    let signer = key
        .signature_signer()
        .context("a BLS12-381 key shows nothing; the holder's key is of another kind")?;
    output::line(&match options.format {
        Format::VpCose => {
            b64url(&issue_cose(&presentation, EnvelopeType::VpCose, &url, signer).await?)
        }
        _ => issue_jwt(&presentation, EnvelopeType::VpJwt, &url, signer).await?,
    })
}

fn credential(input: &Input) -> Result<Value> {
    match input {
        Input::Document(document) => {
            ensure!(
                !discloses_all(document),
                "whoever sees this one can show all of it: make a copy first (`vouchsafe credential derive --reveal …`)"
            );
            Ok(document.clone())
        }
        Input::Envelope(envelope) if envelope.kind() == EnvelopeType::VcSdJwt => {
            say_disclosed(std::str::from_utf8(envelope.content())?)?;
            Ok(envelope.to_json())
        }
        Input::Envelope(envelope) if !envelope.kind().is_presentation() => Ok(envelope.to_json()),
        Input::Envelope(_) => bail!("this is a presentation already"),
        Input::SdJwtVc(_) | Input::Mdoc(_) | Input::DeviceResponse(_) => {
            bail!("an SD-JWT VC or an mdoc is presented alone")
        }
    }
}

/// What a base proof begins with (VC-DI-ECDSA 1.0, section 3.5.2; VC-DI-BBS 1.0, section 3.3.1): it holds the
/// secret of its holder, and a verifier refuses it.
const BASE_PROOFS: [&str; 2] = ["u2V0A", "u2V0C"];

/// Whether a proof is the holder's own, from which copies are derived.
fn discloses_all(document: &Value) -> bool {
    let proofs = match document.get("proof") {
        Some(Value::Array(proofs)) => proofs.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let values = proofs
        .iter()
        .filter_map(|proof| proof["proofValue"].as_str());
    let mut values = values.filter(|value| BASE_PROOFS.iter().any(|base| value.starts_with(base)));
    values.next().is_some()
}

/// What an SD-JWT tells, for the person in front of the terminal.
fn say_disclosed(compact: &str) -> Result<()> {
    let mut names = disclose::revealed(compact)?;
    names.sort_unstable();
    if !names.is_empty() {
        eprintln!("disclosed: {}", output::harmless(&names.join(", ")));
    }
    Ok(())
}

async fn data_integrity(options: &Options, key: &IssuerKey, presentation: &Value) -> Result<Value> {
    let (domain, challenge) = options.verifier()?;
    let suites = suites(false);
    let name = options.cryptosuite.as_deref();
    let name = name.unwrap_or_else(|| key.default_cryptosuite());
    let suite = suites
        .get(name)
        .with_context(|| format!("there is no cryptosuite {name}"))?;
    let mut proof = ProofOptions::new(key.verification_method(), ProofPurpose::Authentication);
    proof.created = Some(DateTimeStamp::from_time(SystemClock.now()));
    proof.challenge = Some(challenge.to_owned());
    proof.domain = vec![domain.to_owned()];
    Ok(add_proof(presentation, &proof, suite, key.signer(), &OsRandom).await?)
}

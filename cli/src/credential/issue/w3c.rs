//! Credentials of the W3C data model, with a proof or in an envelope.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use vouchsafe_credentials::credential_type::{W3cFormat, W3cInput};
use vouchsafe_credentials::data_integrity::{ProofOptions, ProofPurpose, add_proof};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame};
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vc_jose_cose::{issue_cose, issue_jwt, issue_sd_jwt};
use vouchsafe_credentials::vcdm::{Credential, DateTimeStamp, EnvelopeType};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::{IssuerKey, add_context, suites};

use super::card::Card;
use super::{Format, Options};

/// Issues.
pub async fn issue(
    options: &Options,
    key: &IssuerKey,
    card: Option<Card>,
    input: Value,
) -> Result<String> {
    let format = card.as_ref().map(w3c_format).transpose()?;
    let mut credential = match (&card, format) {
        (Some(card), Some(format)) => of_type(options, key, card, format)?,
        _ => as_given(options, key, input)?,
    };
    let parsed = Credential::parse(&credential)?;
    // The same rule as for verifiers: another's name needs another's key.
    ensure!(
        options.verification_method.is_some() || parsed.issuer() == key.did(),
        "the credential's issuer is not the DID of this key; name its key with --verification-method"
    );
    if options.format == Format::LdpVc {
        add_context(&mut credential);
        let secured = data_integrity(options, key, &credential, format).await?;
        return Ok(serde_json::to_string_pretty(&secured)?);
    }
    ensure!(
        options.cryptosuite.is_none() && options.mandatory.is_empty(),
        "--cryptosuite and --mandatory are for ldp_vc"
    );
    let url = options.verification_method.clone();
    let url = url.unwrap_or_else(|| key.verification_method());
    let signer = key
        .signature_signer()
        .context("a BLS12-381 key signs with bbs-2023 alone (--format ldp_vc)")?;
    Ok(match options.format {
        Format::VcSdJwt => {
            let frame =
                format.map_or_else(|| every_claim(&credential), |one| Ok(one.frame().clone()));
            let kind = EnvelopeType::VcSdJwt;
            issue_sd_jwt(&credential, kind, &frame?, &url, signer, &OsRandom).await?
        }
        Format::VcCose => {
            b64url(&issue_cose(&credential, EnvelopeType::VcCose, &url, signer).await?)
        }
        _ => issue_jwt(&credential, EnvelopeType::VcJwt, &url, signer).await?,
    })
}

fn w3c_format(card: &Card) -> Result<&W3cFormat> {
    card.kind.w3c().with_context(|| {
        format!(
            "the type `{}` does not say how it is a credential of the W3C data model: its file has no [w3c]",
            card.kind.id
        )
    })
}

fn of_type(options: &Options, key: &IssuerKey, card: &Card, format: &W3cFormat) -> Result<Value> {
    ensure!(
        options.holder.is_some() || !card.kind.key_binding,
        "the type `{}` belongs to a key: --holder says to whose",
        card.kind.id
    );
    let [from, until] = [card.from, card.until].map(DateTimeStamp::from_time);
    let input = W3cInput {
        issuer: &key.did(),
        subject: options.holder.as_deref(),
        valid_from: from.as_str(),
        valid_until: until.as_str(),
    };
    Ok(format.credential(&card.claims, input))
}

fn as_given(options: &Options, key: &IssuerKey, mut credential: Value) -> Result<Value> {
    ensure!(
        options.holder.is_none(),
        "--holder goes with --type; a credential names its subject in credentialSubject.id"
    );
    let members = credential
        .as_object_mut()
        .context("a credential is a JSON object")?;
    // A credential that names nobody is ours.
    members.entry("issuer").or_insert_with(|| json!(key.did()));
    Ok(credential)
}

/// Without a type the holder may withhold each claim, but for the name of the subject.
fn every_claim(credential: &Value) -> Result<Frame> {
    let subject = credential
        .get("credentialSubject")
        .and_then(Value::as_object);
    let subject = subject
        .context("credentialSubject is not one object: say with --type what may be withheld")?;
    let names = subject.keys().filter(|name| *name != "id");
    let mut frame = Frame::new();
    for name in names {
        frame = frame.hide(&ClaimPath::of_keys(&["credentialSubject", name]))?;
    }
    Ok(frame)
}

async fn data_integrity(
    options: &Options,
    key: &IssuerKey,
    credential: &Value,
    format: Option<&W3cFormat>,
) -> Result<Value> {
    let suites = suites(false);
    let name = options.cryptosuite.as_deref();
    let name = name.unwrap_or_else(|| key.default_cryptosuite());
    let suite = suites
        .get(name)
        .with_context(|| format!("there is no cryptosuite {name}"))?;
    let method = options.verification_method.clone();
    let method = method.unwrap_or_else(|| key.verification_method());
    let mut proof = ProofOptions::new(method, ProofPurpose::AssertionMethod);
    proof.created = Some(DateTimeStamp::from_time(SystemClock.now()));
    let discloses = matches!(name, "ecdsa-sd-2023" | "bbs-2023");
    ensure!(
        discloses || options.mandatory.is_empty(),
        "--mandatory is for ecdsa-sd-2023 and bbs-2023"
    );
    if discloses {
        proof.mandatory_pointers = match (options.mandatory.as_slice(), format) {
            ([], Some(format)) => format.mandatory_pointers().to_vec(),
            ([], None) => vec!["/issuer".to_owned()],
            (given, _) => given.to_vec(),
        };
    }
    Ok(add_proof(credential, &proof, suite, key.signer(), &OsRandom).await?)
}

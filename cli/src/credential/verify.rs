//! `vouchsafe credential verify`.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::data_integrity::{
    Proof, ProofError, Secured, verify_credential, verify_presentation,
};
use vouchsafe_credentials::did::LocalResolver;
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vc_jose_cose::{self, KeySource};
use vouchsafe_credentials::vcdm::{
    Binding, Credential, ENVELOPED_CREDENTIAL, EmptyPresentation, HolderBinding, HolderPolicy,
    Issuers, Policy, PresentationHeader, PresentationPolicy, StatusPolicy, VerifiedPresentation,
    VerifyError,
};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::vc_api::suites;

use super::against::{Against, Means};
use super::explain::explain;
use super::format::{self, Input};
use super::output::{Mark, Palette};
use super::{mdoc, output, sd_jwt_vc};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The credential or presentation; standard input by default.
    input: Option<PathBuf>,
    #[command(flatten)]
    against: Against,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// Not asked, for want of a network.
pub const STATUS: &str = "whether it was withdrawn since (that needs the network)";
/// Not asked, because nobody shows it.
pub const HOLDER: &str = "whether who shows it has the key that it belongs to";

/// What was found out, offline.
#[derive(Debug)]
pub struct Verdict {
    /// Who says so: its issuer, or the issuers of the credentials inside, each once.
    pub issuers: Vec<String>,
    /// Who shows it, of a presentation of the W3C data model.
    pub presenter: Option<String>,
    /// What was not asked, for want of a network.
    pub unchecked: Vec<&'static str>,
}

impl Verdict {
    /// Of a credential.
    pub const fn of(issuers: Vec<String>, unchecked: Vec<&'static str>) -> Self {
        Self {
            issuers,
            presenter: None,
            unchecked,
        }
    }

    /// Of a presentation: whoever shows it says nothing but that.
    fn shown(done: &VerifiedPresentation, status: bool) -> Self {
        let mut issuers: Vec<String> = Vec::new();
        for credential in done.credentials() {
            if !issuers.iter().any(|known| known == credential.issuer()) {
                issuers.push(credential.issuer().to_owned());
            }
        }
        Self {
            presenter: Some(done.presenter().to_owned()),
            ..verdict(issuers, status)
        }
    }
}

/// Verifies and says the result.
pub async fn run(options: Options) -> Result<()> {
    let bytes = super::read(options.input.as_deref())?;
    let means = options.against.read()?;
    let input = format::read(&bytes)?;
    match judge(&input, &means).await {
        Ok(verdict) => say_good(&verdict, hidden(&input), options.json),
        Err((code, error)) => {
            if options.json {
                output::json(&json!({"verified": false, "code": code}))?;
            }
            bail!("not good ({code}): {error:#}")
        }
    }
}

/// How many facts are inside and were not shown, at most.
fn hidden(input: &Input) -> usize {
    explain(input).map_or(0, |explanation| explanation.hidden)
}

fn say_good(verdict: &Verdict, hidden: usize, for_scripts: bool) -> Result<()> {
    let Verdict {
        issuers,
        presenter,
        unchecked,
    } = verdict;
    if for_scripts {
        let issuer = match issuers.as_slice() {
            [one] => Some(one),
            _ => None,
        };
        return output::json(&json!({
            "verified": true, "issuer": issuer, "issuers": issuers, "presenter": presenter,
            "hidden": hidden, "notChecked": unchecked,
        }));
    }
    for what in unchecked {
        eprintln!("not checked: {what}");
    }
    let palette = Palette::of_terminal();
    for issuer in issuers {
        let issuer = output::harmless(issuer);
        let good = palette.paint(Mark::Good, "good:");
        output::line(&format!("{good} by {issuer}"))?;
    }
    if let Some(presenter) = presenter {
        let shown = format!("shown by {}", output::harmless(presenter));
        output::line(&palette.paint(Mark::Soft, &shown))?;
    }
    if hidden > 0 {
        let kept = format!("kept back: {}", output::more_facts(hidden));
        output::line(&palette.paint(Mark::Soft, &kept))?;
    }
    Ok(())
}

/// Why a verdict is "no": a stable code, and the chain of causes.
pub type No = (&'static str, anyhow::Error);

/// Verifies offline: DIDs that need a network are not resolved, status lists not asked.
pub async fn judge(input: &Input, means: &Means) -> Result<Verdict, No> {
    let now = SystemClock.now();
    let mut policy = Policy::new(Issuers::AnyResolvable, now, StatusPolicy::Unchecked);
    policy.delegations = &means.delegations;
    policy.presentation_header = means
        .presentation_header
        .as_deref()
        .map_or(PresentationHeader::Unchecked, PresentationHeader::Expected);
    let presentation = PresentationPolicy {
        credentials: policy,
        challenge: expected(means.challenge.as_deref()),
        domain: expected(means.domain.as_deref()),
        holder: HolderPolicy::Any,
        empty: EmptyPresentation::Refused,
    };
    // Nobody presents a credential by itself.
    policy.holder_binding = HolderBinding::NotAsked;
    let (suites, resolver) = (suites(false), &LocalResolver);
    match input {
        Input::Document(document) if is_presentation(document) => {
            let done = verify_presentation(document, &suites, &presentation, resolver, &AwsLc);
            let done = done.await.map_err(no)?;
            Ok(Verdict::shown(done.get(), has_status(document)))
        }
        Input::Document(document) => {
            check_binding(document, means)?;
            let done = verify_credential(document, &suites, &policy, resolver, &AwsLc);
            let done = done.await.map_err(no)?;
            Ok(verdict(whose(done.get()), has_status(document)))
        }
        Input::Envelope(envelope) if envelope.kind().is_presentation() => {
            let done = vc_jose_cose::verify_presentation(
                envelope,
                &suites,
                &presentation,
                resolver,
                &AwsLc,
            );
            let done = done.await.map_err(no)?;
            Ok(Verdict::shown(done.get(), true))
        }
        Input::Envelope(_) | Input::Mdoc(_) if means.is_for_somebody() => Err(not_presented()),
        Input::Envelope(envelope) => {
            let keys = KeySource::Resolver(resolver);
            let done = vc_jose_cose::verify_credential(envelope, keys, &suites, &policy, &AwsLc);
            let done = done.await.map_err(no)?;
            let status = has_status(done.get().as_json());
            Ok(verdict(whose(done.get()), status))
        }
        Input::SdJwtVc(_) | Input::Mdoc(_) | Input::DeviceResponse(_)
            if means.presentation_header.is_some() =>
        {
            Err(no(ProofError::PresentationHeader.into()))
        }
        Input::SdJwtVc(compact) => sd_jwt_vc::judge(compact, means, now),
        Input::Mdoc(bytes) => mdoc::judge_issued(bytes, means, now),
        Input::DeviceResponse(bytes) => mdoc::judge_response(bytes, means, now),
    }
}

/// Data Integrity 1.0, section 4.4: a challenge or domain that was given out must be the proof's. Without them
/// in its proof a credential was shown to nobody in particular, and whoever copied it can show it.
fn check_binding(document: &Value, means: &Means) -> Result<(), No> {
    if !means.is_for_somebody() {
        return Ok(());
    }
    let secured = Secured::parse(document).map_err(|error| no(error.into()))?;
    let bound = |proof: &Proof| {
        let domain = means.domain.as_deref();
        let challenge = means.challenge.as_deref();
        domain.is_none_or(|domain| proof.domain() == [domain])
            && challenge.is_none_or(|challenge| proof.challenge() == Some(challenge))
    };
    match secured.proofs.iter().all(bound) {
        true => Ok(()),
        false => Err(not_presented()),
    }
}

fn not_presented() -> No {
    let what = "it was presented to nobody: --challenge and --domain are for presentations";
    ("not_presented", anyhow!(what))
}

fn no(error: VerifyError) -> No {
    (error.code(), error.into())
}

fn expected(text: Option<&str>) -> Binding<'_> {
    text.map_or(Binding::Unchecked, Binding::Expected)
}

fn whose(credential: &Credential) -> Vec<String> {
    vec![credential.issuer().to_owned()]
}

fn verdict(issuers: Vec<String>, status: bool) -> Verdict {
    Verdict::of(issuers, status.then_some(STATUS).into_iter().collect())
}

pub fn is_presentation(document: &Value) -> bool {
    let named = |name: &Value| name == "VerifiablePresentation";
    match document.get("type") {
        Some(Value::Array(types)) => types.iter().any(named),
        Some(one) => named(one),
        None => false,
    }
}

/// Whether it, or a credential in it, names a status; one in an envelope may.
fn has_status(document: &Value) -> bool {
    let inside = match document.get("verifiableCredential") {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let may_have =
        |one: &Value| has_status(one) || one.get("type") == Some(&ENVELOPED_CREDENTIAL.into());
    document.get("credentialStatus").is_some() || inside.iter().any(may_have)
}

//! `vouchsafe credential verify`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::AwsLc;
use vouchsafe_credentials::data_integrity::{verify_credential, verify_presentation};
use vouchsafe_credentials::did::LocalResolver;
use vouchsafe_credentials::time::Clock;
use vouchsafe_credentials::vc_jose_cose::{self, KeySource};
use vouchsafe_credentials::vcdm::{
    Binding, Delegation, EmptyPresentation, HolderBinding, HolderPolicy, Issuers, Policy,
    PresentationPolicy, StatusPolicy, VerifyError,
};
use vouchsafe_credentials::x509::{Role, TrustAnchors};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::vc_api::suites;

use super::format::{self, Input};
use super::{output, sd_jwt_vc};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The credential or presentation; standard input by default.
    input: Option<PathBuf>,
    /// The challenge that was given out, for presentations.
    #[arg(long)]
    challenge: Option<String>,
    /// Our name, for presentations.
    #[arg(long)]
    domain: Option<String>,
    /// Who signs for an issuer that is no DID: `ISSUER=DID`.
    #[arg(long = "trust", value_name = "ISSUER=DID")]
    trust: Vec<String>,
    /// An authority (PEM) that vouches for the certificates of issuers of SD-JWT VCs.
    #[arg(long = "anchor", value_name = "FILE")]
    anchors: Vec<PathBuf>,
    /// For scripts.
    #[arg(long)]
    json: bool,
}

/// What was found out, offline.
#[derive(Debug)]
pub struct Verdict {
    /// Whose it is.
    pub issuer: Option<String>,
    /// What was not asked, for want of a network.
    pub unchecked: Vec<&'static str>,
}

/// How a verdict is reached.
pub struct Means<'a> {
    /// See [`Options`].
    pub challenge: Option<&'a str>,
    /// See [`Options`].
    pub domain: Option<&'a str>,
    /// See [`Options`].
    pub delegations: &'a [Delegation],
    /// Authorities that vouch for certificates; `None`: no certificate is believed.
    pub anchors: Option<&'a Arc<TrustAnchors>>,
}

/// Verifies and says the result.
pub async fn run(options: Options) -> Result<()> {
    let bytes = super::read(options.input.as_deref())?;
    let delegations = options
        .trust
        .iter()
        .map(|text| delegation(text))
        .collect::<Result<Vec<_>>>()?;
    let anchors = authorities(&options.anchors)?;
    let means = Means {
        challenge: options.challenge.as_deref(),
        domain: options.domain.as_deref(),
        delegations: &delegations,
        anchors: anchors.as_ref(),
    };
    match judge(&format::read(&bytes)?, &means).await {
        Ok(Verdict { issuer, unchecked }) => {
            if options.json {
                let body = json!({"verified": true, "issuer": issuer, "notChecked": unchecked});
                return output::json(&body);
            }
            for what in unchecked {
                eprintln!("note: {what}");
            }
            let issuer = issuer.as_deref().map(output::harmless);
            output::line(&format!(
                "good: by {}",
                issuer.as_deref().unwrap_or("nobody named")
            ))
        }
        Err((code, error)) => {
            if options.json {
                output::json(&json!({"verified": false, "code": code}))?;
            }
            bail!("not good ({code}): {error:#}")
        }
    }
}

fn authorities(files: &[PathBuf]) -> Result<Option<Arc<TrustAnchors>>> {
    let mut anchors = TrustAnchors::new(Role::Issuer);
    for file in files {
        let pem = std::fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        anchors
            .add_pem(&pem)
            .with_context(|| format!("{} holds no certificate of an authority", file.display()))?;
    }
    Ok((!anchors.is_empty()).then(|| Arc::new(anchors)))
}

fn delegation(text: &str) -> Result<Delegation> {
    let (issuer, controller) = text
        .split_once('=')
        .context("--trust is ISSUER=DID, such as https://vc.example/issuer=did:key:z6Mk…")?;
    Ok(Delegation {
        issuer: issuer.to_owned(),
        controller: controller.to_owned(),
    })
}

/// Why a verdict is "no": a stable code, and the chain of causes.
pub type No = (&'static str, anyhow::Error);

/// Verifies offline: DIDs that need a network are not resolved, status lists not asked.
pub async fn judge(input: &Input, means: &Means<'_>) -> Result<Verdict, No> {
    let now = SystemClock.now();
    let mut policy = Policy::new(Issuers::AnyResolvable, now, StatusPolicy::Unchecked);
    policy.delegations = means.delegations;
    let presentation = PresentationPolicy {
        credentials: policy,
        challenge: means
            .challenge
            .map_or(Binding::Unchecked, Binding::Expected),
        domain: means.domain.map_or(Binding::Unchecked, Binding::Expected),
        holder: HolderPolicy::Any,
        empty: EmptyPresentation::Refused,
    };
    // Nobody presents a credential by itself.
    policy.holder_binding = HolderBinding::NotAsked;
    let (suites, resolver) = (suites(false), &LocalResolver);
    let no = |error: VerifyError| -> No { (error.code(), error.into()) };
    match input {
        Input::Document(document) if is_presentation(document) => {
            let done = verify_presentation(document, &suites, &presentation, resolver, &AwsLc);
            let done = done.await.map_err(no)?;
            Ok(verdict(Some(done.get().presenter()), has_status(document)))
        }
        Input::Document(document) => {
            let done = verify_credential(document, &suites, &policy, resolver, &AwsLc);
            let done = done.await.map_err(no)?;
            Ok(verdict(Some(done.get().issuer()), has_status(document)))
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
            Ok(verdict(Some(done.get().presenter()), true))
        }
        Input::Envelope(envelope) => {
            let keys = KeySource::Resolver(resolver);
            let done = vc_jose_cose::verify_credential(envelope, keys, &suites, &policy, &AwsLc);
            let done = done.await.map_err(no)?;
            let status = has_status(done.get().as_json());
            Ok(verdict(Some(done.get().issuer()), status))
        }
        Input::SdJwtVc(compact) => sd_jwt_vc::judge(compact, means, now),
        Input::Mdoc(_) => {
            let what = "an mdoc is verified where it is presented; `inspect` shows what it says";
            Err(("mdoc_offline", anyhow::anyhow!(what)))
        }
    }
}

fn verdict(issuer: Option<&str>, status: bool) -> Verdict {
    let mut unchecked = Vec::new();
    if status {
        unchecked.push("whether it was withdrawn since (that needs the network)");
    }
    Verdict {
        issuer: issuer.map(str::to_owned),
        unchecked,
    }
}

fn is_presentation(document: &Value) -> bool {
    let named = |name: &Value| name == "VerifiablePresentation";
    match document.get("type") {
        Some(Value::Array(types)) => types.iter().any(named),
        Some(one) => named(one),
        None => false,
    }
}

fn has_status(document: &Value) -> bool {
    document.get("credentialStatus").is_some() || document.get("verifiableCredential").is_some()
}

//! The program interface of the W3C JOSE/COSE suite: `--input FILE --output FILE` and what to do,
//! as flags or together in `--config JSON`. The result is a file `{"result": …, "data": …}`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vouchsafe_credentials::crypto::{AwsLc, PublicKey, SigningKey};
use vouchsafe_credentials::json::{parse_object, parse_strict};
use vouchsafe_credentials::sd_jwt::{ClaimPath, Frame, PathElement};
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::vc_jose_cose::{
    KeySource, issue_cose, issue_jwt, issue_sd_jwt, open_presentation, verify_credential,
};
use vouchsafe_credentials::vcdm::{
    Binding, EmptyPresentation, EnvelopeType, Enveloped, HolderBinding, HolderPolicy, Issuers,
    Policy, PresentationPolicy, StatusPolicy,
};
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::suites;

use super::jwk::signing_key;

/// 16 December 2024, 12:00 UTC: the vectors of the suite are of that day, and some of them say
/// that they end on the next.
const TIME_OF_THE_VECTORS: i64 = 1_734_350_400;

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// What to do; may stand in the configuration.
    #[arg(value_enum)]
    function: Option<Function>,
    /// The credential or presentation: JSON to issue, the secured text to verify.
    #[arg(long)]
    input: PathBuf,
    /// Where the result goes.
    #[arg(long)]
    output: PathBuf,
    /// `fn`, `key`, `feature`, `disclosure_paths` as JSON, or a file with it.
    #[arg(long)]
    config: Option<String>,
    /// File with a JsonWebKey verification method.
    #[arg(long)]
    key: Option<PathBuf>,
    /// What is secured how.
    #[arg(long, value_enum)]
    feature: Option<Feature>,
    /// Paths that become selectively disclosable, as a JSON array.
    #[arg(long = "sd")]
    paths: Option<String>,
    /// The time to verify at, in seconds since 1970.
    #[arg(long, default_value_t = TIME_OF_THE_VECTORS)]
    at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Function {
    Issue,
    Verify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
enum Feature {
    CredentialJose,
    CredentialSdjwt,
    CredentialCose,
    PresentationJose,
    PresentationSdjwt,
    PresentationCose,
}

impl Feature {
    const fn envelope(self) -> EnvelopeType {
        match self {
            Self::CredentialJose => EnvelopeType::VcJwt,
            Self::CredentialSdjwt => EnvelopeType::VcSdJwt,
            Self::CredentialCose => EnvelopeType::VcCose,
            Self::PresentationJose => EnvelopeType::VpJwt,
            Self::PresentationSdjwt => EnvelopeType::VpSdJwt,
            Self::PresentationCose => EnvelopeType::VpCose,
        }
    }
}

/// `--config`. Unknown members are left alone.
#[derive(Default, Deserialize)]
struct Config {
    #[serde(default, rename = "fn", alias = "function")]
    function: Option<Function>,
    #[serde(default, alias = "key_file")]
    key: Option<Value>,
    #[serde(default)]
    feature: Option<Feature>,
    #[serde(default, alias = "sd")]
    disclosure_paths: Option<Vec<String>>,
}

/// What is to be done.
struct Task {
    function: Function,
    feature: Feature,
    method: Value,
    paths: Vec<String>,
}

/// The result file.
#[derive(Serialize)]
struct Outcome {
    result: &'static str,
    data: String,
}

/// Runs the task. Refusals are results; only a wrong call is an error.
pub async fn run(options: Options) -> Result<()> {
    let task = task(&options)?;
    let input = std::fs::read(&options.input).context("the input cannot be read")?;
    let done = match task.function {
        Function::Issue => issue(&task, &input).await,
        Function::Verify => verify(&task, &input, UnixTime(options.at)).await,
    };
    let outcome = match done {
        Ok(data) => Outcome {
            result: "success",
            data,
        },
        Err(error) => {
            eprintln!("refused: {error:#}");
            Outcome {
                result: "failure",
                data: String::new(),
            }
        }
    };
    let text = serde_json::to_string(&outcome)?;
    std::fs::write(&options.output, text).context("the result cannot be written")
}

fn task(options: &Options) -> Result<Task> {
    let config: Config = match &options.config {
        None => Config::default(),
        Some(text) if text.trim_start().starts_with('{') => serde_json::from_str(text)?,
        Some(path) => serde_json::from_slice(&std::fs::read(path)?)?,
    };
    let method = match (&options.key, config.key) {
        (Some(path), _) => read_method(path)?,
        (None, Some(Value::String(path))) => read_method(Path::new(&path))?,
        (None, Some(method @ Value::Object(_))) => method,
        _ => bail!("no key: give --key or `key` in --config"),
    };
    let paths = match &options.paths {
        Some(text) => serde_json::from_str(text).context("--sd is no JSON array of texts")?,
        None => config.disclosure_paths.unwrap_or_default(),
    };
    Ok(Task {
        function: options
            .function
            .or(config.function)
            .context("say `issue` or `verify`")?,
        feature: options
            .feature
            .or(config.feature)
            .context("no feature: give --feature or `feature` in --config")?,
        method,
        paths,
    })
}

fn read_method(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).context("the key cannot be read")?;
    parse_strict(&bytes).context("the key is not acceptable JSON")
}

/// VCDM 2.0, section 4: the properties of a credential and a presentation. The suite demands that
/// a property of no specification is refused, whatever `@vocab` its context sets.
const KNOWN: [&str; 19] = [
    "@context",
    "id",
    "type",
    "name",
    "description",
    "issuer",
    "validFrom",
    "validUntil",
    "credentialSubject",
    "credentialStatus",
    "credentialSchema",
    "evidence",
    "termsOfUse",
    "refreshService",
    "relatedResource",
    "proof",
    "holder",
    "verifiableCredential",
    "confidenceMethod",
];

async fn issue(task: &Task, input: &[u8]) -> Result<String> {
    let members = parse_object(input).context("the input is not acceptable JSON")?;
    let unknown = members.keys().find(|name| !KNOWN.contains(&name.as_str()));
    ensure!(
        unknown.is_none(),
        "a property that no specification defines"
    );
    let document = Value::Object(members);
    let jwk = task
        .method
        .get("secretKeyJwk")
        .context("no secretKeyJwk in the key")?;
    let signer: SigningKey = signing_key(jwk)?;
    let kid = jwk.get("kid").and_then(Value::as_str).unwrap_or_default();
    let kind = task.feature.envelope();
    Ok(match kind {
        EnvelopeType::VcJwt | EnvelopeType::VpJwt => {
            issue_jwt(&document, kind, kid, &signer).await?
        }
        EnvelopeType::VcSdJwt | EnvelopeType::VpSdJwt => {
            let frame = task.paths.iter().try_fold(Frame::new(), |frame, path| {
                anyhow::Ok(frame.hide(&claim_path(path)?)?)
            })?;
            issue_sd_jwt(&document, kind, &frame, kid, &signer, &OsRandom).await?
        }
        EnvelopeType::VcCose | EnvelopeType::VpCose => {
            STANDARD.encode(issue_cose(&document, kind, kid, &signer).await?)
        }
    })
}

async fn verify(task: &Task, input: &[u8], now: UnixTime) -> Result<String> {
    let text = std::str::from_utf8(input)
        .context("the input is not text")?
        .trim();
    let kind = task.feature.envelope();
    let content = match kind.is_binary() {
        true => STANDARD_NO_PAD
            .decode(text.trim_end_matches('='))
            .context("the input is not base64")?,
        false => text.as_bytes().to_vec(),
    };
    let jwk = task
        .method
        .get("publicKeyJwk")
        .context("no publicKeyJwk in the key")?;
    let key = PublicKey::from_jwk(jwk)?;
    let controller = task.method.get("controller").and_then(Value::as_str);
    let controller = controller.context("no controller in the key")?;
    let envelope = Enveloped::new(kind, content);
    let mut policy = Policy::new(Issuers::AnyResolvable, now, StatusPolicy::Unchecked);
    let keys = KeySource::Key {
        key: &key,
        controller,
    };
    if kind.is_presentation() {
        // The holders of the suite's presentations are others than the keys that it brings.
        policy.issuers = Issuers::DangerousUnbound;
        let policy = PresentationPolicy {
            credentials: policy,
            challenge: Binding::Unchecked,
            domain: Binding::Unchecked,
            holder: HolderPolicy::Any,
            empty: EmptyPresentation::Allowed,
        };
        open_presentation(&envelope, keys, &policy, &AwsLc).await?;
        eprintln!("note: the credentials inside were read, but their keys are not known here");
    } else {
        let suites = suites(false);
        policy.holder_binding = HolderBinding::NotAsked;
        verify_credential(&envelope, keys, &suites, &policy, &AwsLc).await?;
    }
    Ok(text.to_owned())
}

/// `credentialSubject.phoneNumbers[0]`.
fn claim_path(text: &str) -> Result<ClaimPath> {
    let mut elements = Vec::new();
    for part in text.split('.') {
        let (name, rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        ensure!(!name.is_empty(), "{text}: an empty name");
        elements.push(PathElement::Key(name.to_owned()));
        for index in rest.split_terminator(']') {
            let index = index.strip_prefix('[').context("a bracket is missing")?;
            elements.push(PathElement::Index(index.parse()?));
        }
    }
    Ok(ClaimPath::new(elements))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let path = claim_path("credentialSubject.phoneNumbers[0]").unwrap();
        let wanted = serde_json::json!(["credentialSubject", "phoneNumbers", 0]);
        assert_eq!(path.to_json(), wanted);
        for wrong in ["", "a..b", "a[", "a[x]", "[0]"] {
            assert!(claim_path(wrong).is_err(), "{wrong}");
        }
    }
}

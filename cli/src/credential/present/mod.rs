//! `vouchsafe credential present`.

mod bound;
mod w3c;

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use super::format::{self, Input};
use super::{output, read_key};

/// How a presentation of the W3C data model is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A proof in the document (Data Integrity).
    #[value(name = "ldp_vp")]
    LdpVp,
    /// JWT.
    #[value(name = "vp+jwt", alias = "vp-jwt")]
    VpJwt,
    /// COSE, in base64url.
    #[value(name = "vp+cose", alias = "vp-cose")]
    VpCose,
}

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Credentials, as files: several of the W3C data model, or one SD-JWT VC, or one mdoc.
    #[arg(required = true)]
    credentials: Vec<PathBuf>,
    /// The holder's private key.
    #[arg(long, short, value_name = "FILE")]
    key: PathBuf,
    /// The challenge that the verifier gave out.
    #[arg(long)]
    challenge: Option<String>,
    /// The verifier's name; for mdocs its origin, such as `https://shop.example`.
    #[arg(long)]
    domain: Option<String>,
    /// What to disclose of an SD-JWT VC or an mdoc, as JSON pointers: /given_name, or
    /// /NAMESPACE/ELEMENT. All else stays hidden.
    #[arg(long = "reveal", value_name = "POINTER")]
    reveal: Vec<String>,
    /// How a presentation of the W3C data model is secured.
    #[arg(long, value_enum, default_value_t = Format::LdpVp)]
    format: Format,
    /// The cryptosuite; by default the one that fits the key.
    #[arg(long)]
    cryptosuite: Option<String>,
}

impl Options {
    /// To whom it is shown, and of what moment: whoever copies a presentation without both can show
    /// it as theirs.
    fn verifier(&self) -> Result<(&str, &str)> {
        let both = self.domain.as_deref().zip(self.challenge.as_deref());
        both.context("it is shown to one verifier, once: --domain and --challenge say to whom")
    }
}

/// Presents.
pub async fn run(options: Options) -> Result<()> {
    let key = read_key(&options.key)?;
    let read = |path: &PathBuf| format::read(&super::read(Some(path))?);
    let inputs = options.credentials.iter().map(read);
    let mut inputs = inputs.collect::<Result<Vec<Input>>>()?;
    match (inputs.pop(), inputs.is_empty()) {
        (Some(Input::SdJwtVc(compact)), true) => bound::sd_jwt_vc(&options, &key, compact).await,
        (Some(Input::Mdoc(bytes)), true) => bound::mdoc(&options, &key, bytes).await,
        (Some(Input::DeviceResponse(_)), _) => bail!("this mdoc is presented already"),
        (Some(last), _) => {
            ensure!(
                options.reveal.is_empty(),
                "--reveal is for SD-JWT VCs and mdocs; of these formats make a copy first (`vouchsafe credential derive --reveal …`)"
            );
            inputs.push(last);
            w3c::present(&options, &key, &inputs).await
        }
        (None, _) => bail!("no credential is given"),
    }
}

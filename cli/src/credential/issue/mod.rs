//! `vouchsafe credential issue`.

mod bound;
mod card;
mod w3c;

pub use card::read_type;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use vouchsafe_credentials::time::Clock;
use vouchsafe_service::clock::SystemClock;

use self::card::Card;
use super::{output, read_json, read_key};

/// How a credential is secured: the format identifiers of OpenID4VCI 1.0, appendix A, and the
/// media types of VC-JOSE-COSE without `application/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// W3C data model with a proof in the document (Data Integrity).
    #[value(name = "ldp_vc", alias = "vc-di")]
    LdpVc,
    /// W3C data model as JWT.
    #[value(name = "vc+jwt", alias = "vc-jwt")]
    VcJwt,
    /// W3C data model as SD-JWT: the holder chooses what to disclose.
    #[value(name = "vc+sd-jwt", alias = "vc-sd-jwt")]
    VcSdJwt,
    /// W3C data model as COSE, in base64url.
    #[value(name = "vc+cose", alias = "vc-cose")]
    VcCose,
    /// SD-JWT VC.
    #[value(name = "dc+sd-jwt")]
    DcSdJwt,
    /// Mobile document (ISO/IEC 18013-5), in base64url.
    #[value(name = "mso_mdoc", alias = "mdoc")]
    MsoMdoc,
}

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Without --type: a credential of the W3C data model, as JSON without proof. With --type: the
    /// claims, as JSON. Standard input by default.
    input: Option<PathBuf>,
    /// The issuer's private key.
    #[arg(long, short, value_name = "FILE")]
    key: PathBuf,
    /// How it is secured.
    #[arg(long, value_enum, default_value_t = Format::LdpVc)]
    format: Format,
    /// What kind of credential it is: age, membership, mdl, pid, or a file such as those in
    /// specs/credential-types. One file describes every format.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<PathBuf>,
    /// Whose it is: the DID of the holder's key (did:key, did:jwk).
    #[arg(long, value_name = "DID")]
    holder: Option<String>,
    /// The certificate of the issuer's key (PEM, without the authority's): needed for mso_mdoc; for
    /// dc+sd-jwt it takes the place of the issuer's DID.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The cryptosuite (ldp_vc); by default the one that fits the key.
    #[arg(long)]
    cryptosuite: Option<String>,
    /// The URL of the key, where the issuer is not the key's did:key.
    #[arg(long, value_name = "URL")]
    verification_method: Option<String>,
    /// What a holder must always disclose, as JSON pointers (ecdsa-sd-2023, bbs-2023); by default
    /// what the type says, or /issuer.
    #[arg(long = "mandatory", value_name = "POINTER")]
    mandatory: Vec<String>,
}

/// Issues.
pub async fn run(options: Options) -> Result<()> {
    output::line(&issue(&options).await?)
}

/// The credential as text: JSON, a token, or base64url of bytes.
pub async fn issue(options: &Options) -> Result<String> {
    let key = read_key(&options.key)?;
    let input = read_json(options.input.as_deref())?;
    let card = options.kind.as_deref().map(|file| {
        let card = Card::prepare(file, input.clone(), SystemClock.now())?;
        card.warn();
        Ok::<_, anyhow::Error>(card)
    });
    let card = card.transpose()?;
    match options.format {
        Format::DcSdJwt | Format::MsoMdoc => {
            let card = card.context(
                "this format needs --type, which says what the claims are: age, membership, mdl, pid, or a file",
            )?;
            ensure!(
                options.cryptosuite.is_none()
                    && options.verification_method.is_none()
                    && options.mandatory.is_empty(),
                "--cryptosuite, --verification-method and --mandatory are for credentials of the W3C data model"
            );
            bound::issue(options, &key, card).await
        }
        Format::LdpVc | Format::VcJwt | Format::VcSdJwt | Format::VcCose => {
            ensure!(
                options.certificate.is_none(),
                "--certificate is for dc+sd-jwt and mso_mdoc"
            );
            w3c::issue(options, &key, card, input).await
        }
    }
}

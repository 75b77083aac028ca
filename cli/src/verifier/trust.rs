//! `vouchsafe verifier trust`: whose cards are believed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use serde_json::json;
use toml_edit::{Array, InlineTable, Table, Value, value};
use vouchsafe_credentials::credential_type::{ClaimSpec, CredentialType};
use vouchsafe_credentials::crypto::sha256;
use vouchsafe_credentials::sd_jwt::ClaimPath;
use vouchsafe_credentials::time::UnixTime;
use vouchsafe_credentials::x509::Chain;

use super::document::Document;
use crate::ConfigFile;
use crate::credential::read_type;

/// A new issuer to believe.
#[derive(Debug, clap::Args)]
pub struct AddOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// Its name: an https address or a DID.
    issuer: String,
    #[command(flatten)]
    proof: Proof,
    /// What it may issue: a type that comes with the program (`age`, `membership`, `mdl`, `pid`) or
    /// a file that describes one.
    #[arg(long = "type", value_name = "TYPE", required = true)]
    types: Vec<PathBuf>,
    /// The authority of its status lists, PEM; the issuer itself without it.
    #[arg(long, value_name = "FILE")]
    status_anchors: Option<PathBuf>,
    /// People log in with the card; this claim says who they are. Only where the issuer never gives
    /// the same value to somebody else.
    #[arg(long, value_name = "CLAIM")]
    login: Option<String>,
    /// A claim that applications learn, under its own name or as `NAME=CLAIM`.
    #[arg(long = "claim", value_name = "[NAME=]CLAIM", requires = "login")]
    claims: Vec<String>,
    /// Why people are asked.
    #[arg(long, default_value = "To sign you in")]
    purpose: String,
}

/// How the issuer proves that a card is its own.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Proof {
    /// The authority above its certificate, PEM: SD-JWT VCs.
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
    /// Its authority (IACA), PEM: mdocs.
    #[arg(long, value_name = "FILE")]
    iaca: Option<PathBuf>,
    /// Its DID (did:key or did:jwk) is its name: SD-JWT VCs.
    #[arg(long)]
    did: bool,
}

/// Believes an issuer, and says what is pinned.
pub fn add(options: &AddOptions) -> Result<()> {
    let file = options.file.verifier()?;
    let mut document = Document::open(&file)?;
    let types: Result<Vec<_>> = options.types.iter().map(|file| read_type(file)).collect();
    let (types, mdoc) = (types?, options.proof.iaca.is_some());
    let mut said = String::new();
    document.push(&["trust", "issuer"], issuer(options, &types, &mut said)?)?;
    if let Some(claim) = &options.login {
        let [kind] = types.as_slice() else {
            bail!("--login goes with one type");
        };
        document.push(&["query"], query(options, kind, claim, mdoc)?)?;
        writeln!(
            said,
            "people log in with it (scope {}); {claim} says who they are",
            kind.id
        )?;
    }
    document.save()?;
    eprint!("{said}");
    eprintln!(
        "{} was changed; restart the verifier if it runs",
        file.display()
    );
    Ok(())
}

fn issuer(options: &AddOptions, types: &[CredentialType], said: &mut String) -> Result<Table> {
    let names: Result<Vec<_>> = types
        .iter()
        .map(|kind| type_name(kind, options.proof.iaca.is_some()))
        .collect();
    let names = names?;
    writeln!(said, "{} may issue {}", options.issuer, names.join(", "))?;
    let mut table = Table::new();
    table["id"] = value(&options.issuer);
    let Proof { anchors, iaca, did } = &options.proof;
    match (anchors, iaca) {
        (Some(file), _) => table["anchors"] = value(pinned(file, "cards", said)?),
        (_, Some(file)) => table["iaca"] = value(pinned(file, "documents", said)?),
        (None, None) => {
            ensure!(*did, "say how it proves that a card is its own");
            table["did"] = value(&options.issuer);
            writeln!(said, "pinned: the key in its name")?;
        }
    }
    if let Some(file) = &options.status_anchors {
        table["status_anchors"] = value(pinned(file, "status lists", said)?);
    }
    table["types"] = value(names.iter().map(String::as_str).collect::<Array>());
    if let (Some(claim), [kind], [name]) = (&options.login, types, names.as_slice()) {
        let mdoc = options.proof.iaca.is_some();
        let mut stable = InlineTable::new();
        let claims: Array = [place(kind, claim, mdoc)?.name].into_iter().collect();
        stable.insert(name, Value::Array(claims));
        table["stable_claims"] = value(stable);
    }
    Ok(table)
}

/// The name of a type in the format that is believed.
fn type_name(kind: &CredentialType, mdoc: bool) -> Result<String> {
    if !mdoc {
        return Ok(kind.vct.clone());
    }
    let mdoc = kind.mdoc();
    let mdoc = mdoc.with_context(|| format!("the type {} is not issued as mdoc", kind.id))?;
    Ok(mdoc.doctype.clone())
}

/// The certificates of a file, which are written into the configuration, and what they are.
fn pinned(file: &Path, of: &str, said: &mut String) -> Result<String> {
    let named = || file.display().to_string();
    let pem =
        std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", named()))?;
    certificates(&pem, of, said).with_context(|| format!("{} holds no certificates", named()))?;
    Ok(pem)
}

/// What certificates are: subject, hash, when they are valid.
fn certificates(pem: &str, of: &str, said: &mut String) -> Result<()> {
    for der in Chain::from_pem(pem)?.to_der() {
        let one = Chain::from_der(vec![der.to_vec()])?;
        let (from, until) = one.leaf_validity()?;
        writeln!(said, "pinned for its {of}: {}", one.leaf_subject()?)?;
        writeln!(said, "  SHA-256 {}", fingerprint(der))?;
        writeln!(said, "  valid from {} until {}", day(from)?, day(until)?)?;
    }
    Ok(())
}

fn day(time: UnixTime) -> Result<String> {
    let day = Timestamp::from_second(time.0)?.strftime("%Y-%m-%d");
    Ok(day.to_string())
}

fn fingerprint(der: &[u8]) -> String {
    let bytes = sha256(der).map(|byte| format!("{byte:02X}"));
    bytes.join(":")
}

/// Where a claim stands in the format that is believed.
struct Place<'t> {
    /// Its name in the configuration.
    name: String,
    /// Its path in a query.
    path: Vec<String>,
    claim: &'t ClaimSpec,
}

fn place<'t>(kind: &'t CredentialType, name: &str, mdoc: bool) -> Result<Place<'t>> {
    let path = ClaimPath::of_keys(&[name]);
    let claim = kind.claims.iter().find(|claim| claim.path == path);
    let claim = claim.with_context(|| format!("the type {} has no claim {name}", kind.id))?;
    if !mdoc {
        return Ok(Place {
            name: name.to_owned(),
            path: vec![name.to_owned()],
            claim,
        });
    }
    let mut elements = kind.mdoc().into_iter().flat_map(|mdoc| mdoc.paths());
    let found = elements.find(|(_, from)| **from == path);
    let (element, _) =
        found.with_context(|| format!("{name} is no element of the mdoc {}", kind.id))?;
    Ok(Place {
        name: format!("{}/{}", element.namespace, element.element),
        path: vec![element.namespace.clone(), element.element.clone()],
        claim,
    })
}

/// The question that logs people in: the claim that says who they are, and what applications learn.
fn query(options: &AddOptions, kind: &CredentialType, login: &str, mdoc: bool) -> Result<Table> {
    let subject = place(kind, login, mdoc)?;
    let told: Result<Vec<_>> = options
        .claims
        .iter()
        .map(|told| {
            let (name, claim) = told.split_once('=').unwrap_or((told.as_str(), told));
            Ok((name, place(kind, claim, mdoc)?))
        })
        .collect();
    let told = told?;
    let others = told.iter().map(|(_, place)| &place.path);
    let paths = std::iter::once(&subject.path).chain(others.filter(|path| **path != subject.path));
    let paths: Vec<_> = paths.map(|path| json!({ "path": path })).collect();
    let (format, meta) = match mdoc {
        true => (
            "mso_mdoc",
            json!({ "doctype_value": type_name(kind, true)? }),
        ),
        false => ("dc+sd-jwt", json!({ "vct_values": [kind.vct] })),
    };
    let dcql = json!({ "credentials": [
        { "id": "card", "format": format, "meta": meta, "claims": paths }
    ] });
    let mut table = Table::new();
    table["id"] = value(&kind.id);
    table["scope"] = value(&kind.id);
    table["purpose"] = value(texts([("en", options.purpose.as_str())]));
    table["dcql"] = value(dcql.to_string());
    let strategy = [
        ("strategy", "issuer_scoped_claim"),
        ("claim", subject.name.as_str()),
    ];
    table["subject"] = value(texts(strategy));
    let (mut claims, mut labels) = (InlineTable::new(), InlineTable::new());
    for (name, place) in &told {
        let path: Array = place.path.iter().map(String::as_str).collect();
        claims.insert(*name, Value::Array(path));
        let names = &place.claim.display.names;
        if names.contains_key("en") {
            let names = names.iter().map(|(a, b)| (a.as_str(), b.as_str()));
            labels.insert(*name, Value::InlineTable(texts(names)));
        }
    }
    table["claims"] = value(claims);
    if !labels.is_empty() {
        table["labels"] = value(labels);
    }
    Ok(table)
}

fn texts<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> InlineTable {
    pairs.into_iter().collect()
}

/// Says whom the verifier believes, and what is pinned.
#[expect(clippy::print_stdout, reason = "the list is this command's result")]
pub fn list(file: &Path) -> Result<()> {
    for issuer in Document::open(file)?.config()?.trust.issuer {
        println!("{} may issue {}", issuer.id, issuer.types.join(", "));
        let mut said = String::new();
        let files = [
            (&issuer.anchors_file, &issuer.anchors, "cards"),
            (&issuer.iaca_file, &issuer.iaca, "documents"),
            (
                &issuer.status_anchors_file,
                &issuer.status_anchors,
                "status lists",
            ),
        ];
        for (file, text, of) in files {
            match (file, text) {
                (Some(file), _) => drop(pinned(file, of, &mut said)?),
                (None, Some(pem)) => certificates(pem, of, &mut said)?,
                (None, None) => {}
            }
        }
        if issuer.did.is_some() {
            writeln!(said, "pinned: the key in its name")?;
        }
        print!("{said}");
    }
    Ok(())
}

//! `vouchsafe conformance w3c-server`: the issuer with the VC API over https, and the configuration
//! of every W3C suite that calls it. For one machine: the certificate is of a throw-away authority,
//! and whoever reaches the port may issue.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use axum::routing::get;
use serde_json::{Value, json};
use vouchsafe_credentials::crypto::Algorithm;
use vouchsafe_credentials::time::Clock;
use vouchsafe_issuer::{Config, Issuer, Ports};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::{load, parse};
use vouchsafe_service::http::{bind, serve};
use vouchsafe_service::random::OsRandom;
use vouchsafe_service::vc_api::{IssuerKey, KeyType};
use vouchsafe_service::{shutdown, telemetry};

use super::webvh;
use crate::certificates::tls_pair;
use crate::development::{secret, write_new};

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The folder for configuration, keys, certificate and database; made when it is not there.
    #[arg(long, default_value = "target/w3c")]
    folder: PathBuf,
    /// The port of https://localhost.
    #[arg(long, default_value_t = 40443)]
    port: u16,
}

/// The identities of the suites: a name, the kind of key, the cryptosuites, whether credentials get a status.
const IDENTITIES: [(&str, KeyType, &[&str], bool); 7] = [
    (
        "ed25519",
        KeyType::Signature(Algorithm::EdDsa),
        &["eddsa-rdfc-2022", "eddsa-jcs-2022"],
        false,
    ),
    (
        "ed25519-status",
        KeyType::Signature(Algorithm::EdDsa),
        &["eddsa-rdfc-2022"],
        true,
    ),
    (
        "p256",
        KeyType::Signature(Algorithm::Es256),
        &["ecdsa-rdfc-2019", "ecdsa-jcs-2019"],
        false,
    ),
    (
        "p384",
        KeyType::Signature(Algorithm::Es384),
        &["ecdsa-rdfc-2019", "ecdsa-jcs-2019"],
        false,
    ),
    (
        "p256-sd",
        KeyType::Signature(Algorithm::Es256),
        &["ecdsa-sd-2023"],
        false,
    ),
    (
        "p256-sd-2",
        KeyType::Signature(Algorithm::Es256),
        &["ecdsa-sd-2023"],
        false,
    ),
    ("bls12381", KeyType::Bls12381, &["bbs-2023"], false),
];

/// The issuers that the vectors of the suites name, and the keys that signed them.
const VECTORS: &str = r#"
[[vc_api.trusted_issuer]]
id = "https://vc.example/issuers/5678"
controllers = [
  "did:key:zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP",
  "did:key:z82LkuBieyGShVBhvtE2zoiD6Kma4tJGFtkAhxR5pfkp5QPw4LutoYWhvQCnGjdVn14kujQ",
]
[[vc_api.trusted_issuer]]
id = "https://vc.example/windsurf/racecommittee"
controllers = ["did:key:zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP"]
"#;

/// Makes what is missing and serves until it is asked to stop.
#[expect(clippy::print_stdout, reason = "scripts wait for this line")]
pub async fn run(options: Options) -> Result<()> {
    std::fs::create_dir_all(&options.folder)?;
    let folder = options.folder.canonicalize()?;
    let file = folder.join("issuer.toml");
    if !file.exists() {
        set_up(&folder, options.port).await?;
    }
    let config: Config = load(Some(&file), "VOUCHSAFE_CONFORMANCE_")?;
    telemetry::init(&config.log)?;
    let http = config.http.clone();
    let log = std::fs::read_to_string(folder.join("webvh.jsonl"))?;
    let issuer = Issuer::open(config, Ports::system()).await?;
    let router = issuer
        .router()
        .route("/webvh/did.jsonl", get(|| async move { log }));
    let (trigger, stop) = shutdown::channel();
    tokio::spawn(shutdown::on_signal(trigger));
    let background = {
        let (issuer, stop) = (issuer.clone(), stop.clone());
        tokio::spawn(async move { issuer.run_background(stop).await })
    };
    let listener = bind(http.listen)?;
    println!("serving {} from {}", http.public_url, folder.display());
    serve(listener, http.load_tls()?, router, stop).await?;
    background.await.context("the background jobs failed")
}

async fn set_up(folder: &Path, port: u16) -> Result<()> {
    let tls = tls_pair(SystemClock.now().0)?;
    write_new(&folder.join("ca.pem"), &tls.authority, 0o644)?;
    write_new(&folder.join("tls.pem"), &tls.certificate, 0o644)?;
    write_new(&folder.join("tls-key.pem"), &tls.key, 0o600)?;
    let mut identities = String::new();
    let mut dids = Vec::new();
    for (name, kind, suites, status) in IDENTITIES {
        let text = IssuerKey::generate(kind, &OsRandom);
        let path = folder.join(format!("{name}.key"));
        write_new(&path, &text, 0o600)?;
        let key = IssuerKey::read(&text).context("a new key cannot be read")?;
        dids.push((name, key.did()));
        identities += &format!(
            "\n# {name}: {}\n[[vc_api.identity]]\ncryptosuites = {suites:?}\nkey_file = {path:?}\nstatus = {status}\n",
            key.did()
        );
    }
    let text = configuration(folder, port, &identities);
    parse::<Config>(&text)?.settings()?;
    write_new(&folder.join("issuer.toml"), &text, 0o600)?;
    let log_key = IssuerKey::generate(KeyType::Signature(Algorithm::EdDsa), &OsRandom);
    let log_key = IssuerKey::read(&log_key).context("a new key cannot be read")?;
    let (deactivated, log) =
        // did:webvh 1.0 wants a domain of more than one label.
        webvh::deactivated(&format!("webvh.localhost%3A{port}:webvh"), &log_key).await?;
    write_new(&folder.join("webvh.jsonl"), &log, 0o644)?;
    let did = |name: &str| {
        let found = dids.iter().find(|(own, _)| *own == name);
        found.map_or("", |(_, did)| did.as_str()).to_owned()
    };
    let base = format!("https://localhost:{port}");
    for (suite, implementation) in local_configs(&base, &did, &deactivated, port) {
        let local = json!({
            "settings": {"enableInteropTests": false, "testAllImplementations": false},
            "implementations": [implementation],
        });
        let text = format!(
            "module.exports = {};\n",
            serde_json::to_string_pretty(&local)?
        );
        write_new(
            &folder.join(format!("{suite}.localConfig.cjs")),
            &text,
            0o644,
        )?;
    }
    Ok(())
}

fn configuration(folder: &Path, port: u16, identities: &str) -> String {
    let path = |name: &str| format!("{:?}", folder.join(name));
    let listen = SocketAddr::from(([127, 0, 0, 1], port));
    format!(
        r#"# The issuer for the W3C suites: the VC API, open to whoever reaches this port.
[http]
listen = "{listen}"
public_url = "https://localhost:{port}"
tls = {{ certificate_file = {tls}, key_file = {tls_key} }}
[database]
url = "sqlite://{database}"
[keys]
secret = "{secret}"
[log]
filter = "warn"
[issuer]
names = {{ en = "Conformance" }}
[signing]
method = "did_key"
key_file = {signing}

# This service is the one that the suites' credentials name: it may ask itself.
[fetch]
extra_ca = [{ca}]
[[fetch.allow]]
host = "localhost"
ports = [{port}]
private = true
[[fetch.allow]]
host = "webvh.localhost"
ports = [{port}]
private = true

[vc_api]
enabled = true
open = true
inline_vocab = true
{VECTORS}{identities}"#,
        tls = path("tls.pem"),
        tls_key = path("tls-key.pem"),
        database = folder.join("issuer.sqlite").display(),
        secret = secret(),
        signing = path("ed25519.key"),
        ca = path("ca.pem"),
    )
}

/// The manifest of each suite (`localConfig.cjs`), by the name of its repository.
fn local_configs(
    base: &str,
    did: &dyn Fn(&str) -> String,
    deactivated: &str,
    port: u16,
) -> Vec<(&'static str, Value)> {
    let versions = json!({"vc": ["1.1", "2.0"]});
    let issuer = |name: &str, suite: &str, curves: &[&str]| {
        // The suites with selective disclosure keep pointers of one test in these options for the
        // next, so an identity has one such suite and no options.
        let mut one = json!({
            "id": did(name), "endpoint": format!("{base}/credentials/issue"),
            "tags": [suite], "supports": versions, "supportedEcdsaKeyTypes": curves,
        });
        if matches!(suite, "eddsa-jcs-2022" | "ecdsa-jcs-2019") {
            one["options"] = json!({"cryptosuite": suite});
        }
        one
    };
    let at = |path: &str, tags: &[&str]| {
        json!({
            "id": "", "endpoint": format!("{base}{path}"), "tags": tags, "supports": versions,
            "supportedEcdsaKeyTypes": ["P-256", "P-384"],
        })
    };
    let verify = |tags: &[&str]| at("/credentials/verify", tags);
    let all = ["ecdsa-rdfc-2019", "ecdsa-jcs-2019", "ecdsa-sd-2023"];
    let named = |mut manifest: Value| {
        manifest["name"] = json!("Vouchsafe");
        manifest["implementation"] = json!("Vouchsafe");
        manifest
    };
    let resolver = |tag: &str, dids: Value| {
        json!({"didResolvers": [{
            "id": "", "endpoint": format!("{base}/1.0/identifiers"), "tags": [tag],
            "supportedDids": dids,
        }]})
    };
    let dids = json!({
        "valid": [{"did": did("ed25519"), "resolutionOptions": {}}],
        "notFound": [format!("did:web:localhost%3A{port}:nobody")],
        "deactivated": [deactivated],
    });
    let features = ["credential", "presentation"].iter().flat_map(|what| {
        let how = ["jose", "cose", "sdjwt"].into_iter();
        how.map(move |how| (format!("{what}_{how}"), Value::Bool(true)))
    });
    let features: serde_json::Map<_, _> = features.collect();
    vec![
        (
            "vc-data-model-2.0-test-suite",
            named(json!({
                "issuers": [issuer("ed25519", "vc2.0", &[])],
                "verifiers": [verify(&["vc2.0"])],
                "vpVerifiers": [at("/presentations/verify", &["vc2.0"])],
            })),
        ),
        (
            "vc-di-eddsa-test-suite",
            named(json!({
                "issuers": [
                    issuer("ed25519", "eddsa-rdfc-2022", &[]),
                    issuer("ed25519", "eddsa-jcs-2022", &[]),
                ],
                "verifiers": [verify(&["eddsa-rdfc-2022", "eddsa-jcs-2022"])],
            })),
        ),
        (
            "vc-di-ecdsa-test-suite",
            named(json!({
                "issuers": [
                    issuer("p256", "ecdsa-rdfc-2019", &["P-256"]),
                    issuer("p384", "ecdsa-rdfc-2019", &["P-384"]),
                    issuer("p256", "ecdsa-jcs-2019", &["P-256"]),
                    issuer("p256-sd", "ecdsa-sd-2023", &["P-256"]),
                    issuer("p256-sd-2", "ecdsa-sd-2023", &["P-256"]),
                ],
                "verifiers": [verify(&all)],
                "vcHolders": [at("/credentials/derive", &["vcHolder", "ecdsa-sd-2023"])],
            })),
        ),
        (
            "vc-di-bbs-test-suite",
            named(json!({
                "issuers": [issuer("bls12381", "bbs-2023", &[])],
                "verifiers": [verify(&["bbs-2023"])],
                "vcHolders": [at("/credentials/derive", &["vcHolder", "bbs-2023"])],
            })),
        ),
        (
            "vc-bitstring-status-list-test-suite",
            named(json!({
                "issuers": [issuer("ed25519-status", "BitstringStatusList", &[])],
                "verifiers": [verify(&["BitstringStatusList"])],
            })),
        ),
        ("did-key-test-suite", named(resolver("did-key", json!({})))),
        (
            "did-resolution-mocha-test-suite",
            named(resolver("did-resolution", dids)),
        ),
        ("vc-jose-cose-test-suite", {
            let mut manifest = named(json!({"jose-cose": {"features": features}}));
            // The suite starts the program by this name.
            manifest["name"] = json!("vouchsafe");
            manifest
        }),
    ]
}

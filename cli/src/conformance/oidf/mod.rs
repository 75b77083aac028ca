//! `vouchsafe conformance oidf-issuer`: a folder with everything that the OpenID Foundation's suite
//! needs to test the issuer: the service's configuration and keys, test persons whose codes work
//! again and again, and for each run the suite's own configuration with its browser steps. Wallets
//! and their provider are made up, and their private keys are the suite's.

mod browser;
mod person;
mod runs;
pub mod wallet;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::crypto::{Signer, SigningKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::Clock;
use vouchsafe_issuer::{Config, Issuer, Ports};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::parse;

use self::browser::Browser;
use self::person::{Person, test_person};
use self::runs::{Auth, Begin, HAIP_RUNS, OPEN_RUNS, Run};
use crate::certificates::{Authority, Leaf, document_signer, tls_pair};
use crate::development::{secret, write_new};

const PID: &str = include_str!("../../../../specs/credential-types/pid.toml");
const MDL: &str = include_str!("../../../../specs/credential-types/mdl.toml");
/// What the suite adds to the redirect URI of its second client.
const SECOND: &str = "?dummy1=lorem&dummy2=ipsum";
/// The object identifier and length in front of the scalar of a P-256 key (RFC 5915).
const SCALAR: [u8; 5] = [0x02, 0x01, 0x01, 0x04, 0x20];

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The new folder.
    folder: PathBuf,
    /// Where the suite reaches the issuer, over https.
    #[arg(long, default_value = "https://localhost:8702")]
    issuer_url: String,
    /// Where the issuer listens.
    #[arg(long, default_value = "127.0.0.1:8702")]
    listen: String,
    /// A proxy in front ends TLS; without this the service does, with a certificate of its own for
    /// localhost.
    #[arg(long)]
    behind_proxy: bool,
    /// The suite.
    #[arg(long, default_value = "https://localhost.emobix.co.uk:8443")]
    suite_url: String,
    /// The name of the test in the suite's addresses.
    #[arg(long, default_value = "vouchsafe-issuer")]
    alias: String,
    /// `haip` for `oid4vci-1_0-issuer-haip-test-plan`, `open` for `oid4vci-1_0-issuer-test-plan`.
    #[arg(long, default_value = "haip", value_parser = ["haip", "open"])]
    profile: String,
}

/// Everything that is made up.
struct Made {
    credentials: Authority,
    documents: String,
    statuses: Authority,
    /// The key of the wallet provider, with its certificate.
    provider: Value,
    /// The keys of the wallets that have some.
    wallets: [Value; 2],
}

impl Options {
    fn is_haip(&self) -> bool {
        self.profile == "haip"
    }

    /// The plan, and what is run of it.
    fn plan(&self) -> (&'static str, &'static [Run]) {
        match self.is_haip() {
            true => ("oid4vci-1_0-issuer-haip-test-plan", &HAIP_RUNS),
            false => ("oid4vci-1_0-issuer-test-plan", &OPEN_RUNS),
        }
    }
}

/// Makes the folder.
#[expect(
    clippy::print_stdout,
    reason = "the next step is this command's result"
)]
pub async fn run(options: Options) -> Result<()> {
    std::fs::create_dir(&options.folder)
        .with_context(|| format!("{} exists already", options.folder.display()))?;
    let folder = options.folder.canonicalize()?;
    let made = keys(&folder, &options)?;
    let text = configuration(&folder, &options)?;
    let config: Config = parse(&text)?;
    config.settings()?;
    let file = folder.join("issuer.toml");
    write_new(&file, &text, 0o600)?;
    let issuer = Issuer::open(config, Ports::system()).await?;
    let key = issuer.create_api_key("conformance").await?;
    write_new(&folder.join("api-key"), &key, 0o600)?;
    let (plan, runs) = options.plan();
    let mut list = Vec::new();
    for run in runs {
        let person = test_person(&issuer, &key, run).await?;
        let file = format!("{}.json", run.name);
        let suite = serde_json::to_string_pretty(&suite(&options, &made, run, &person)?)?;
        write_new(&folder.join(&file), &(suite + "\n"), 0o600)?;
        list.push(json!({
            "name": run.name,
            "plan": plan,
            "variant": run.variant(options.is_haip()),
            "configuration": file,
            "offer": person.offer,
        }));
    }
    let list = serde_json::to_string_pretty(&list)? + "\n";
    write_new(&folder.join("runs.json"), &list, 0o600)?;
    println!("vouchsafe issuer serve --config {}", file.display());
    Ok(())
}

fn keys(folder: &Path, options: &Options) -> Result<Made> {
    let now = SystemClock.now().0;
    let write = |name: &str, text: &str, mode| write_new(&folder.join(name), text, mode);
    let signer = |name: &str, leaf: &Leaf| {
        write(&format!("{name}-key.pem"), &leaf.key_pem, 0o600)?;
        write(&format!("{name}.pem"), &leaf.chain_pem, 0o644)
    };
    let credentials = Authority::new("Conformance root for credentials", now)?;
    let card = credentials.leaf("Conformance issuer", &options.issuer_url)?;
    signer("credentials", &card)?;
    let statuses = Authority::new("Conformance root for status lists", now)?;
    signer(
        "statuses",
        &statuses.leaf("Conformance statuses", &options.issuer_url)?,
    )?;
    // A document signer has a key of its own: another certificate profile.
    let key = credentials.leaf("unused", &options.issuer_url)?.key_pem;
    let documents = document_signer("Conformance document signer", "SE", &key, now)?;
    write("documents-key.pem", &key, 0o600)?;
    write("documents.pem", &documents.certificate, 0o644)?;
    write("documents-authority.pem", &documents.authority, 0o644)?;
    let wallets = Authority::new("Conformance root for wallet providers", now)?;
    write(
        "wallet-provider-authority.pem",
        &wallets.certificate_pem,
        0o644,
    )?;
    let provider = wallets.leaf("Conformance wallet provider", &options.suite_url)?;
    let made_key = |name: &str| {
        let key = wallets.leaf("unused", &options.suite_url)?.key_pem;
        let jwk = private_jwk(&key, name)?;
        let public = json!({ "keys": [public_jwk(&jwk)] });
        write(&format!("{name}.json"), &public.to_string(), 0o644)?;
        Ok::<_, anyhow::Error>(jwk)
    };
    let [first, second] = Auth::Key.clients();
    let keys = [made_key(first)?, made_key(second)?];
    let mut provider_key = private_jwk(&provider.key_pem, "wallet-provider")?;
    provider_key["x5c"] = json!([STANDARD.encode(pem(&provider.chain_pem)?)]);
    write("pid.toml", &pid(options)?, 0o644)?;
    write("mdl.toml", MDL, 0o644)?;
    if !options.behind_proxy {
        let tls = tls_pair(now)?;
        write("tls-authority.pem", &tls.authority, 0o644)?;
        write("tls.pem", &tls.certificate, 0o644)?;
        write("tls-key.pem", &tls.key, 0o600)?;
    }
    Ok(Made {
        credentials,
        documents: documents.authority,
        statuses,
        provider: provider_key,
        wallets: keys,
    })
}

/// In its plan without HAIP the suite wants the key of a status list in the list's own header
/// (`VerifyStatusListTokenSignatureUsingEmbeddedJwk`), and does not look at certificates. There
/// SD-JWT VCs have no status.
fn pid(options: &Options) -> Result<String> {
    if options.is_haip() {
        return Ok(PID.to_owned());
    }
    let (with, without) = ("\nstatus = true\n", "\nstatus = false\n");
    ensure!(PID.contains(with), "the type has another form");
    Ok(PID.replace(with, without))
}

fn configuration(folder: &Path, options: &Options) -> Result<String> {
    let path = |name: &str| format!("{:?}", folder.join(name));
    let Options {
        issuer_url,
        listen,
        profile,
        ..
    } = options;
    let tls = match options.behind_proxy {
        true => String::new(),
        false => format!(
            "tls = {{ certificate_file = {}, key_file = {} }}\n",
            path("tls.pem"),
            path("tls-key.pem")
        ),
    };
    let more = match options.is_haip() {
        true => "attestation_challenges = true",
        false => "refresh_tokens = true",
    };
    let mut text = format!(
        "# The issuer for the OpenID Foundation's suite. Its wallets are made up.\n\
         [http]\nlisten = {listen:?}\npublic_url = {issuer_url:?}\n{tls}\
         [database]\nurl = \"sqlite:{database}\"\n[keys]\nsecret = \"{secret}\"\n\
         [issuer]\nnames = {{ en = \"Conformance issuer\" }}\nprofile = {profile:?}\n{more}\n\
         credential_types = [{pid}, {mdl}]\n",
        database = folder.join("issuer.sqlite").display(),
        secret = secret(),
        pid = path("pid.toml"),
        mdl = path("mdl.toml"),
    );
    for (table, name, rest) in [
        ("[[signing]]", "credentials", String::new()),
        (
            "[[signing]]",
            "documents",
            format!(
                "formats = [\"mso_mdoc\"]\nauthority_file = {}\n",
                path("documents-authority.pem")
            ),
        ),
        ("[status.signing]", "statuses", String::new()),
    ] {
        text += &format!(
            "{table}\nmethod = \"x5c\"\nkey_file = {}\ncertificates_file = {}\n{rest}",
            path(&format!("{name}-key.pem")),
            path(&format!("{name}.pem")),
        );
    }
    let callback = callback(options)?;
    for auth in [Auth::Attested, Auth::Key] {
        for wallet in auth.clients() {
            let rest = match auth {
                Auth::Attested => "wallet_provider = \"suite\"".to_owned(),
                Auth::Key => format!("jwks_file = {}", path(&format!("{wallet}.json"))),
            };
            text += &format!(
                "[[client]]\nid = {wallet:?}\nname = \"Wallet of the suite\"\n\
                 redirect_uris = [\"{callback}\", \"{callback}{SECOND}\"]\n\
                 auth = \"{}\"\n{rest}\n",
                auth.name()
            );
        }
    }
    text += "[[key_attestation]]\ncredential_types = [\"mdl\"]\n";
    text += &format!(
        "[[wallet_provider]]\nname = \"suite\"\ntrust_anchors = [{}]\n",
        path("wallet-provider-authority.pem")
    );
    Ok(text)
}

fn callback(options: &Options) -> Result<String> {
    let base = Url::parse(&options.suite_url).context("--suite-url is no address")?;
    ensure!(base.scheme() == "https", "--suite-url must be https");
    Ok(format!(
        "{}/test/a/{}/callback",
        options.suite_url.trim_end_matches('/'),
        options.alias
    ))
}

/// The configuration of a plan in the suite.
fn suite(options: &Options, made: &Made, run: &Run, person: &Person) -> Result<Value> {
    let callback = callback(options)?;
    let issuer = options.issuer_url.trim_end_matches('/');
    let anchor = match run.is_mdoc() {
        false => &made.credentials.certificate_pem,
        true => &made.documents,
    };
    let browser = Browser {
        issuer,
        callback: &callback,
        code: &person.code,
    };
    let [mut first, mut second] = run.auth.clients().map(|id| json!({ "client_id": id }));
    if run.auth == Auth::Key {
        first["jwks"] = json!({ "keys": [made.wallets[0]] });
        second["jwks"] = json!({ "keys": [made.wallets[1]] });
    }
    let mut suite = json!({
        "alias": options.alias,
        "description": format!("Vouchsafe issuer, {}, {}", options.profile, run.name),
        "vci": {
            "credential_issuer_url": issuer,
            "credential_configuration_id": run.configuration,
            "credential_proof_type_hint": "jwt",
        },
        "client": first,
        "client2": second,
        "client_attestation": {
            "issuer": "https://wallet-provider.example",
            "attester_jwks": { "keys": [made.provider] },
            "key_attestation_jwks": { "keys": [made.provider] },
        },
        "credential": {
            "trust_anchor_pem": anchor,
            "status_list_trust_anchor_pem": made.statuses.certificate_pem,
        },
        "browser": browser.steps(),
        "override": browser.overrides(),
    });
    if run.begin == Begin::PreAuthorized {
        suite["vci"]["static_tx_code"] = json!(person.code);
    }
    Ok(suite)
}

/// A key as the suite signs with it.
fn private_jwk(key_pem: &str, kid: &str) -> Result<Value> {
    let key = SigningKey::from_pkcs8_pem(key_pem).context("a new key cannot be read")?;
    let der = pem(key_pem)?;
    let at = der.windows(SCALAR.len()).position(|part| part == SCALAR);
    let from = at.context("a new key has no scalar")? + SCALAR.len();
    let scalar = der.get(from..from + 32).context("a new key is too short")?;
    let mut jwk = key.public_key().to_jwk();
    jwk["d"] = json!(b64url(scalar));
    jwk["alg"] = json!("ES256");
    jwk["use"] = json!("sig");
    jwk["kid"] = json!(kid);
    Ok(jwk)
}

fn public_jwk(private: &Value) -> Value {
    let mut jwk = private.clone();
    if let Some(members) = jwk.as_object_mut() {
        members.remove("d");
    }
    jwk
}

/// The bytes of the first block of a PEM text.
fn pem(text: &str) -> Result<Vec<u8>> {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"));
    let body: String = lines
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    STANDARD
        .decode(body.trim())
        .context("a PEM block is no base64")
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    /// What the suite is told is true of the service that was made.
    #[tokio::test]
    async fn the_folder_fits_together() {
        for profile in ["haip", "open"] {
            let temporary = tempfile::tempdir().unwrap();
            let folder = temporary.path().join("oidf");
            let options = Options {
                folder: folder.clone(),
                issuer_url: "https://localhost:8702".to_owned(),
                listen: "127.0.0.1:8702".to_owned(),
                behind_proxy: false,
                suite_url: "https://suite.example:8443".to_owned(),
                alias: "ours".to_owned(),
                profile: profile.to_owned(),
            };
            run(options).await.unwrap();
            let text = std::fs::read_to_string(folder.join("issuer.toml")).unwrap();
            let issuer = Issuer::open(parse(&text).unwrap(), Ports::system())
                .await
                .unwrap();
            let request = Request::get("/.well-known/openid-credential-issuer");
            let request = request.body(Body::empty()).unwrap();
            let response = issuer.router().oneshot(request).await.unwrap();
            let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
            let metadata: Value = serde_json::from_slice(&bytes).unwrap();
            let read = |name: &str| -> Value {
                serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
            };
            let runs = read("runs.json");
            for run in runs.as_array().unwrap() {
                let suite = read(run["configuration"].as_str().unwrap());
                let id = suite["vci"]["credential_configuration_id"]
                    .as_str()
                    .unwrap();
                let offered = &metadata["credential_configurations_supported"][id];
                assert_eq!(offered["scope"], id, "{id}");
                assert_eq!(
                    suite["vci"]["credential_issuer_url"],
                    metadata["credential_issuer"]
                );
                let key = &suite["client_attestation"]["attester_jwks"]["keys"][0];
                assert!(super::super::jwk::signing_key(key).is_ok());
                let typed = &suite["browser"][0]["tasks"][0]["commands"][0];
                assert_eq!(typed[2], "code");
                let variant = &run["variant"];
                let offered = variant["vci_authorization_code_flow_variant"] == "issuer_initiated";
                assert_eq!(run["offer"].is_string(), offered, "{run}");
                let pre_authorized = variant["vci_grant_type"] == "pre_authorization_code";
                assert_eq!(
                    suite["vci"]["static_tx_code"] == typed[3],
                    pre_authorized,
                    "{run}"
                );
                let length = if pre_authorized { 6 } else { 16 };
                assert!(typed[3].as_str().unwrap().len() >= length);
            }
        }
    }
}

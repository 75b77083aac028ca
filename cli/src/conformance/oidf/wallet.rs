//! `vouchsafe conformance oidf-wallet`: a folder with everything that the OpenID Foundation's suite
//! needs to test the wallet on the command line. As a verifier the suite has a key whose certificate
//! the wallet believes; as an issuer it signs with another. The cards that are shown come from an
//! issuer of ours.

mod issuance;
mod presentation;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;
use vouchsafe_credentials::time::Clock;
use vouchsafe_issuer::{Config, Issuer, Ports};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::parse;

use super::person::{claims, post};
use super::{PID, pem, private_jwk};
use crate::certificates::{Authority, Leaf, tls_pair};
use crate::development::{secret, write_new};

/// A card that has no status. Without HAIP the suite wants the key of a status list in the list's
/// own header (`VerifyStatusListTokenSignatureUsingEmbeddedJwk`).
const PLAIN_VCT: &str = "urn:vouchsafe:conformance:pid:1";

/// The identifier of the wallet as a client.
const CLIENT: &str = "vouchsafe-wallet";
/// Where a browser comes back to; the driver of the tests is the browser.
const REDIRECT: &str = "http://127.0.0.1/callback";
/// Who vouches for the wallet.
const PROVIDER: &str = "https://wallet-provider.example";

/// Options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The new folder.
    folder: PathBuf,
    /// Where wallet and suite reach the issuer of the cards, over https.
    #[arg(long, default_value = "https://localhost:8702")]
    issuer_url: String,
    /// Where that issuer listens.
    #[arg(long, default_value = "127.0.0.1:8702")]
    listen: String,
    /// The suite.
    #[arg(long, default_value = "https://localhost.emobix.co.uk:8443")]
    suite_url: String,
    /// The name of the tests in the suite's addresses.
    #[arg(long, default_value = "vouchsafe-wallet")]
    alias: String,
}

/// Everything that is made up.
struct Made {
    /// The authority of the cards.
    cards: Authority,
    /// The authority of their status lists.
    statuses: Authority,
    /// The suite's key as a verifier, and another for requests with two signatures.
    verifiers: [Value; 2],
    /// The suite's key as an issuer of credentials.
    signer: Value,
    /// Its key as an authorization server.
    server: Value,
    /// The authority of the wallet's provider.
    providers: String,
}

impl Options {
    /// The addresses of a test in the suite: what it is called as an issuer.
    fn test(&self) -> String {
        let url = self.suite_url.trim_end_matches('/');
        format!("{url}/test/a/{}/", self.alias)
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
    let text = configuration(&folder, &options);
    let config: Config = parse(&text)?;
    config.settings()?;
    let file = folder.join("issuer.toml");
    write_new(&file, &text, 0o600)?;
    let issuer = Issuer::open(config, Ports::system()).await?;
    let key = issuer.create_api_key("conformance").await?;
    let offers = [
        offer(&issuer, &key, "pid").await?,
        offer(&issuer, &key, "card").await?,
    ];
    write_new(
        &folder.join("offers.json"),
        &json!(offers).to_string(),
        0o600,
    )?;
    write_new(
        &folder.join("wallet.toml"),
        &believes(&folder, &options),
        0o644,
    )?;
    let mut list = Vec::new();
    let asks = presentation::runs().into_iter().map(|run| {
        let suite = presentation::suite(&options, &made, &run);
        (run, suite)
    });
    let issues = issuance::runs().into_iter().map(|run| {
        let suite = issuance::suite(&options, &made, &run);
        (run, suite)
    });
    for (run, suite) in asks.chain(issues) {
        let file = format!("{}.json", run.name.replace('/', "-"));
        let suite = serde_json::to_string_pretty(&suite)? + "\n";
        write_new(&folder.join(&file), &suite, 0o600)?;
        list.push(json!({
            "name": run.name,
            "plan": run.plan,
            "variant": run.variant,
            "configuration": file,
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
    let save = |name: &str, leaf: &Leaf| {
        write(&format!("{name}-key.pem"), &leaf.key_pem, 0o600)?;
        write(&format!("{name}.pem"), &leaf.chain_pem, 0o644)
    };
    let cards = Authority::new("Conformance root for cards", now)?;
    save(
        "cards",
        &cards.leaf("Conformance issuer", &options.issuer_url)?,
    )?;
    write("cards-authority.pem", &cards.certificate_pem, 0o644)?;
    let statuses = Authority::new("Conformance root for status lists", now)?;
    save(
        "statuses",
        &statuses.leaf("Conformance statuses", &options.issuer_url)?,
    )?;
    let url = Url::parse(&options.suite_url).context("--suite-url is no address")?;
    let host = url.host_str().context("--suite-url has no host")?;
    let verifiers = Authority::new("Conformance root for verifiers", now)?;
    write("verifiers-authority.pem", &verifiers.certificate_pem, 0o644)?;
    let verifier = |kid| {
        let leaf = verifiers.host_leaf("Conformance suite", &options.suite_url, host)?;
        let mut key = private_jwk(&leaf.key_pem, kid)?;
        key["x5c"] = json!([STANDARD.encode(pem(&leaf.chain_pem)?)]);
        Ok::<_, anyhow::Error>(key)
    };
    let verifiers = [verifier("verifier-1")?, verifier("verifier-2")?];
    let suite = Authority::new("Conformance root for the suite", now)?;
    write("suite-authority.pem", &suite.certificate_pem, 0o644)?;
    let leaf = suite.leaf("Conformance suite", options.test().trim_end_matches('/'))?;
    let mut signer = private_jwk(&leaf.key_pem, "signer")?;
    signer["x5c"] = json!([STANDARD.encode(pem(&leaf.chain_pem)?)]);
    let leaf = suite.leaf("unused", &options.suite_url)?;
    let server = private_jwk(&leaf.key_pem, "server")?;
    let providers = Authority::new("Conformance root for wallet providers", now)?;
    let leaf = providers.leaf("Conformance wallet provider", PROVIDER)?;
    save("provider", &leaf)?;
    write("pid.toml", PID, 0o644)?;
    write("card.toml", &card()?, 0o644)?;
    let tls = tls_pair(now)?;
    write("tls-authority.pem", &tls.authority, 0o644)?;
    write("tls.pem", &tls.certificate, 0o644)?;
    write("tls-key.pem", &tls.key, 0o600)?;
    Ok(Made {
        cards,
        statuses,
        verifiers,
        signer,
        server,
        providers: providers.certificate_pem,
    })
}

/// The PID under another name, and without a status.
fn card() -> Result<String> {
    let mut text = PID.to_owned();
    for (from, to) in [
        ("\nid = \"pid\"\n", "\nid = \"card\"\n"),
        (
            "\nvct = \"urn:eudi:pid:1\"\n",
            &format!("\nvct = \"{PLAIN_VCT}\"\n"),
        ),
        ("\nstatus = true\n", "\nstatus = false\n"),
    ] {
        anyhow::ensure!(text.contains(from), "the type has another form: {from:?}");
        text = text.replacen(from, to, 1);
    }
    // The mdoc of the same name is the PID's.
    let end = text.find("\n[mdoc").unwrap_or(text.len());
    text.truncate(end);
    Ok(text + "\n")
}

fn configuration(folder: &Path, options: &Options) -> String {
    let path = |name: &str| format!("{:?}", folder.join(name));
    let Options {
        issuer_url, listen, ..
    } = options;
    let signing = |table: &str, name: &str| {
        format!(
            "{table}\nmethod = \"x5c\"\nkey_file = {}\ncertificates_file = {}\n",
            path(&format!("{name}-key.pem")),
            path(&format!("{name}.pem")),
        )
    };
    format!(
        "# The issuer of the cards that the wallet shows to the OpenID Foundation's suite.\n\
         [http]\nlisten = {listen:?}\npublic_url = {issuer_url:?}\n\
         tls = {{ certificate_file = {}, key_file = {} }}\n\
         [database]\nurl = \"sqlite:{}\"\n[keys]\nsecret = \"{}\"\n\
         [issuer]\nnames = {{ en = \"Conformance issuer\" }}\ncredential_types = [{}, {}]\n{}{}",
        path("tls.pem"),
        path("tls-key.pem"),
        folder.join("issuer.sqlite").display(),
        secret(),
        path("pid.toml"),
        path("card.toml"),
        signing("[[signing]]", "cards"),
        signing("[status.signing]", "statuses"),
    )
}

/// Whom the wallet believes, and nobody else.
fn believes(folder: &Path, options: &Options) -> String {
    let path = |name: &str| format!("{:?}", folder.join(name));
    let issuer = &options.issuer_url;
    format!(
        "locales = [\"en\"]\nunknown_issuers = \"refuse\"\nverifier_anchors = [{}]\n\
         tell_refusals = false\n\
         [[issuer]]\ncredential_issuer = {issuer:?}\nanchors = {}\n\
         [[issuer]]\ncredential_issuer = {:?}\nanchors = {}\n\
         [other_verifiers]\nunvouched = \"ask\"\nunencrypted = true\n\
         [issuance]\nclient_id = {CLIENT:?}\nask_by = \"scope\"\n\
         [attestation]\nprovider = {PROVIDER:?}\nkey = {}\ncertificates = {}\n\
         [dev]\nloopback_http = true\n",
        path("verifiers-authority.pem"),
        path("cards-authority.pem"),
        options.test(),
        path("suite-authority.pem"),
        path("provider-key.pem"),
        path("provider.pem"),
    )
}

/// The link of an offer for a card of this type.
async fn offer(issuer: &Issuer, key: &str, kind: &str) -> Result<Value> {
    let body = json!({
        "record_id": format!("test-person-{kind}"),
        "credential_type": kind,
        "claims": claims("pid"),
        "grant": "pre_authorized_code",
    });
    let offer = post(issuer, key, &body).await?;
    offer
        .get("link")
        .cloned()
        .context("an offer without a link")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made fits together: the services open it, and every run has its file.
    #[tokio::test]
    async fn the_folder_of_the_wallet_fits_together() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("oidf");
        run(Options {
            folder: folder.clone(),
            issuer_url: "https://localhost:8702".to_owned(),
            listen: "127.0.0.1:8702".to_owned(),
            suite_url: "https://suite.example:8443".to_owned(),
            alias: "ours".to_owned(),
        })
        .await
        .unwrap();
        let read = |name: &str| -> Value {
            serde_json::from_str(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap()
        };
        let offers = read("offers.json");
        let offers = offers.as_array().unwrap();
        assert_eq!(offers.len(), 2);
        for offer in offers {
            assert!(
                offer
                    .as_str()
                    .unwrap()
                    .starts_with("openid-credential-offer://")
            );
        }
        for run in read("runs.json").as_array().unwrap() {
            let suite = read(run["configuration"].as_str().unwrap());
            assert_eq!(suite["alias"], "ours");
            let shown = run["plan"] == "oid4vp-1final-wallet-haip-test-plan";
            assert_eq!(suite["credential"]["trust_anchor_pem"].is_string(), shown);
            for client in ["client", "client2"] {
                if let Some(key) = suite[client]["jwks"]["keys"].get(0) {
                    assert!(super::super::super::jwk::signing_key(key).is_ok());
                    assert!(key["x5c"][0].is_string());
                }
            }
        }
    }
}

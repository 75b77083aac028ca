//! `vouchsafe conformance oidf-issuer`: a folder with everything that the OpenID Foundation's suite
//! needs to test the issuer: the service's configuration and keys, a test person whose one-time code
//! works again and again, and the suite's own configuration with its browser steps. The wallet
//! provider is made up, and its private key is the suite's.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower::ServiceExt;
use url::Url;
use vouchsafe_credentials::crypto::{Signer, SigningKey};
use vouchsafe_credentials::encoding::b64url;
use vouchsafe_credentials::time::Clock;
use vouchsafe_issuer::{Config, Issuer, Ports};
use vouchsafe_service::clock::SystemClock;
use vouchsafe_service::config::parse;

use crate::certificates::{Authority, Leaf, document_signer, tls_pair};
use crate::development::{secret, write_new};

const PID: &str = include_str!("../../../specs/credential-types/pid.toml");
const MDL: &str = include_str!("../../../specs/credential-types/mdl.toml");
/// The wallets of the suite: its first and its second client.
const WALLETS: [&str; 2] = ["oidf-wallet-1", "oidf-wallet-2"];
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
    provider: Leaf,
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
    for (kind, configuration, format) in [
        ("pid", "pid", "sd_jwt_vc"),
        ("pid", "pid.mso_mdoc", "mdoc-pid"),
        ("mdl", "mdl.mso_mdoc", "mdoc-mdl"),
    ] {
        let code = test_person(&issuer, &key, kind).await?;
        let suite = suite(&options, &made, configuration, &code)?;
        let name = format!("suite-{}-{format}.json", options.profile);
        let text = serde_json::to_string_pretty(&suite)? + "\n";
        write_new(&folder.join(name), &text, 0o600)?;
    }
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
    write("pid.toml", PID, 0o644)?;
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
        provider,
    })
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
    let mut text = format!(
        "# The issuer for the OpenID Foundation's suite. Its wallet provider is made up.\n\
         [http]\nlisten = {listen:?}\npublic_url = {issuer_url:?}\n{tls}\
         [database]\nurl = \"sqlite:{database}\"\n[keys]\nsecret = \"{secret}\"\n\
         [issuer]\nnames = {{ en = \"Conformance issuer\" }}\nprofile = {profile:?}\n\
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
    for wallet in WALLETS {
        text += &format!(
            "[[client]]\nid = {wallet:?}\nname = \"Wallet of the suite\"\n\
             redirect_uris = [\"{callback}\", \"{callback}{SECOND}\"]\n\
             auth = \"attest_jwt_client_auth\"\nwallet_provider = \"suite\"\n"
        );
    }
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

/// Prepares a card that may be taken a thousand times, and gives the code to type for it.
async fn test_person(issuer: &Issuer, key: &str, kind: &str) -> Result<String> {
    let body = json!({
        "record_id": format!("test-person-{kind}"),
        "credential_type": kind,
        "claims": claims(kind),
        "grant": "authorization_code",
        "wallet_initiated": true,
        "redemptions": 1000,
        "expires_in_s": 30 * 86_400,
    });
    let request = Request::post("/v1/offers")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))?;
    let response = issuer.router().oneshot(request).await?;
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 20).await?;
    ensure!(
        status.is_success(),
        "{status} {}",
        String::from_utf8_lossy(&bytes)
    );
    let offer: Value = serde_json::from_slice(&bytes)?;
    let code = offer["one_time_code"].as_str();
    Ok(code.context("the offer has no code")?.to_owned())
}

fn claims(kind: &str) -> Value {
    match kind {
        "pid" => json!({
            "family_name": "Ödman", "given_name": "Åsa", "birthdate": "1990-02-28",
            "nationalities": ["SE"], "issuing_country": "SE", "issuing_authority": "Conformance",
            "place_of_birth": { "country": "SE", "locality": "Umeå" },
            "date_of_expiry": "2035-05-01",
        }),
        _ => json!({
            "family_name": "Ödman", "given_name": "Åsa", "birth_date": "1990-02-28",
            "issue_date": "2020-05-01", "expiry_date": "2035-05-01", "issuing_country": "SE",
            "issuing_authority": "Conformance", "document_number": "D-1",
            "portrait": b64url(&[0xff, 0xd8, 0xff, 0xe0, 0, 16]),
            "driving_privileges": [{ "vehicle_category_code": "B", "issue_date": "2010-05-01" }],
            "un_distinguishing_sign": "S", "age_over_18": true,
        }),
    }
}

/// The configuration of a plan in the suite.
fn suite(options: &Options, made: &Made, configuration: &str, code: &str) -> Result<Value> {
    let callback = callback(options)?;
    let issuer = options.issuer_url.trim_end_matches('/');
    let anchor = match configuration {
        "pid" => &made.credentials.certificate_pem,
        _ => &made.documents,
    };
    let provider = private_jwk(&made.provider)?;
    let type_code = json!([{
        "comment": "the person types the one-time code on the issuer's page",
        "match": format!("{issuer}/authorize*"),
        "tasks": [
            {
                "task": "Type the code",
                "match": format!("{issuer}/authorize*"),
                "commands": [
                    ["text", "id", "code", code],
                    ["click", "xpath", "//button[@value='confirm']"],
                ],
            },
            {
                "task": "Verify Complete",
                "match": format!("{callback}*"),
                "commands": [["wait", "id", "submission_complete", 10]],
            },
        ],
    }]);
    Ok(json!({
        "alias": options.alias,
        "description": format!("Vouchsafe issuer, {}, {configuration}", options.profile),
        "vci": {
            "credential_issuer_url": issuer,
            "credential_configuration_id": configuration,
            "credential_proof_type_hint": "jwt",
        },
        "client": { "client_id": WALLETS[0] },
        "client2": { "client_id": WALLETS[1] },
        "client_attestation": {
            "issuer": "https://wallet-provider.example",
            "attester_jwks": { "keys": [provider] },
            "key_attestation_jwks": { "keys": [provider] },
        },
        "credential": {
            "trust_anchor_pem": anchor,
            "status_list_trust_anchor_pem": made.statuses.certificate_pem,
        },
        "browser": type_code,
    }))
}

/// The key of a leaf as the suite signs with it, and its certificate.
fn private_jwk(leaf: &Leaf) -> Result<Value> {
    let key = SigningKey::from_pkcs8_pem(&leaf.key_pem).context("a new key cannot be read")?;
    let der = pem(&leaf.key_pem)?;
    let at = der.windows(SCALAR.len()).position(|part| part == SCALAR);
    let from = at.context("a new key has no scalar")? + SCALAR.len();
    let scalar = der.get(from..from + 32).context("a new key is too short")?;
    let mut jwk = key.public_key().to_jwk();
    let members = jwk.as_object_mut().context("a JWK is an object")?;
    members.insert("d".to_owned(), json!(b64url(scalar)));
    members.insert("alg".to_owned(), json!("ES256"));
    members.insert("use".to_owned(), json!("sig"));
    members.insert("kid".to_owned(), json!("wallet-provider"));
    members.insert(
        "x5c".to_owned(),
        json!([STANDARD.encode(pem(&leaf.chain_pem)?)]),
    );
    Ok(jwk)
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
            for format in ["sd_jwt_vc", "mdoc-pid", "mdoc-mdl"] {
                let file = folder.join(format!("suite-{profile}-{format}.json"));
                let suite: Value =
                    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
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
                assert!(typed[3].as_str().unwrap().len() >= 16);
            }
        }
    }
}

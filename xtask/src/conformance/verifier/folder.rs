//! Folders with everything that the suite needs to test the login service: `vouchsafe config
//! generate` makes keys, certificates and configurations, and this changes what the suite wants
//! otherwise.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use toml::Table;

use super::key::signing_jwk;
use crate::run::succeed;

/// The suite is the wallet.
const PRESENTATION: &str = "presentation";
/// The same, asked in the name of the host.
const DNS_NAME: &str = "presentation-dns";
/// The same, asked in a link that nobody signs.
const UNSIGNED: &str = "presentation-unsigned";
/// The suite is the application.
pub const LOGIN: &str = "login";
/// All folders.
pub const NAMES: [&str; 4] = [PRESENTATION, DNS_NAME, UNSIGNED, LOGIN];

/// An application that is not there: nobody opens its address.
pub const APPLICATION: &str = "app";
/// Where it would receive people back.
pub const CALLBACK: &str = "https://app.example/callback";
/// What it asks for.
pub const SCOPE: &str = "identity";
/// The issuer of the card that the wallet has.
pub const ISSUER: &str = "http://127.0.0.1:8704";
/// The port of the wallet's pages.
pub const WALLET_PORT: &str = "8703";
/// The certificate of the login service.
pub const TLS: &str = "tls.pem";

/// The name of the tests in the suite's addresses.
pub const ALIAS: &str = "vouchsafe";
/// The file for the suite.
pub const SUITE: &str = "suite.json";
/// The prefix of HAIP, and of the service unless its configuration says otherwise.
const X509_HASH: &str = "x509_hash";
/// The card that the suite's wallet shows.
const QUESTION: &str = r#"
id = "identity"
scope = "identity"
purpose = { en = "To know who you are" }
subject = { strategy = "guest" }
claims = { given_name = ["given_name"], family_name = ["family_name"], birthdate = ["birthdate"] }
dcql = '''
{"credentials": [{"id": "pid", "format": "dc+sd-jwt",
  "meta": {"vct_values": ["urn:eudi:pid:1"]},
  "claims": [{"path": ["given_name"]}, {"path": ["family_name"]}, {"path": ["birthdate"]}]}]}
'''
"#;

/// Who is where.
pub struct Place<'a> {
    /// The program.
    pub program: &'a Path,
    /// The suite.
    pub suite_url: &'a str,
    /// The login service, at `localhost`.
    pub verifier_url: &'a str,
}

/// Makes all folders, and says what serves them.
pub fn configure(place: &Place<'_>, all: &Path) -> Result<()> {
    let all = all.canonicalize()?;
    for name in NAMES {
        let folder = all.join(name);
        place.make(name, &folder)?;
        let config = folder.join("verifier.toml");
        println!("vouchsafe verifier serve --config {}", config.display());
    }
    Ok(())
}

impl Place<'_> {
    /// Makes the folder of this name.
    pub fn make(&self, name: &str, folder: &Path) -> Result<()> {
        match name {
            LOGIN => self.login(folder),
            DNS_NAME => self.presentation(folder, ("x509_san_dns", "request_uri_signed")),
            UNSIGNED => self.presentation(folder, ("redirect_uri", "url_query")),
            _ => self.presentation(folder, (X509_HASH, "request_uri_signed")),
        }
    }

    /// The suite's wallet shows a card, signed by a key that we made for it. It is asked under this
    /// prefix, by this method.
    fn presentation(&self, folder: &Path, (prefix, method): (&str, &str)) -> Result<()> {
        let test = self.test();
        let wallet = format!("{test}/authorize");
        self.generate(
            folder,
            self.suite_url,
            &wallet,
            &[(APPLICATION, "https://app.example")],
        )?;
        let mut verifier = self.read(folder)?;
        let issuer = first(&mut verifier, "trust", "issuer")?;
        // An issuer of ours has no path.
        issuer.insert("id".to_owned(), test.clone().into());
        issuer.insert("types".to_owned(), list(["urn:eudi:pid:1"]));
        issuer.remove("stable_claims");
        let question: Table = toml::from_str(QUESTION)?;
        verifier.insert("query".to_owned(), toml::Value::from(vec![question]));
        for client in clients(&mut verifier)? {
            client.insert("scopes".to_owned(), list([SCOPE]));
        }
        if prefix != X509_HASH {
            let mut asks = Table::new();
            asks.insert("profile".to_owned(), "open".into());
            asks.insert("client_id_prefix".to_owned(), prefix.into());
            verifier.insert("presentation".to_owned(), asks.into());
        }
        write(&folder.join("verifier.toml"), &verifier.to_string())?;
        let evidence = format!("{test}/verification-evidence*");
        let keep = json!([
            "wait",
            "xpath",
            "//h1",
            10,
            ".+",
            "update-image-placeholder"
        ]);
        let mut suite = json!({
            "alias": ALIAS,
            "description": "Vouchsafe, presentations",
            "client": {
                "request_object_trust_anchor_pem":
                    std::fs::read_to_string(folder.join("wallet-verifier-anchors.pem"))?,
            },
            "credential": { "signing_jwk": signing_jwk(folder)? },
            "browser": [{
                "match": evidence,
                "tasks": [{
                    "task": "Read what the wallet was told",
                    "match": evidence,
                    "commands": [keep],
                }],
            }],
        });
        if prefix == "x509_san_dns" {
            suite["client"]["client_id"] = json!("localhost");
        }
        write(&folder.join(SUITE), &suite.to_string())?;
        let card = json!({ "credential_format": "sd_jwt_vc", "response_mode": "direct_post.jwt" });
        let mut plain = card.clone();
        plain["vp_profile"] = json!("plain_vp");
        plain["client_id_prefix"] = json!(prefix);
        plain["request_method"] = json!(method);
        let plain = ("plain", "oid4vp-1final-verifier-test-plan", plain, SUITE);
        if prefix != X509_HASH {
            return runs(folder, [plain]);
        }
        let haip = ("haip", "oid4vp-1final-verifier-haip-test-plan", card, SUITE);
        runs(folder, [haip, plain])
    }

    /// The addresses of a test in the suite.
    pub(super) fn test(&self) -> String {
        format!("{}/test/a/{ALIAS}", self.suite_url)
    }

    pub(super) fn generate(
        &self,
        folder: &Path,
        issuer: &str,
        wallet: &str,
        applications: &[(&str, &str)],
    ) -> Result<()> {
        let mut command = Command::new(self.program);
        command
            .args(["config", "generate"])
            .arg(folder)
            .args(["--issuer-url", issuer, "--verifier-url", self.verifier_url])
            .args(["--wallet-endpoint", wallet, "--pkce-optional"])
            .args(["--status-refresh-s", "1"])
            .stdout(Stdio::null());
        for (id, origin) in applications {
            command.args(["--client", &format!("{id}={origin}")]);
        }
        succeed(&mut command)
    }

    /// The configuration of the login service, which ends TLS itself.
    pub(super) fn read(&self, folder: &Path) -> Result<Table> {
        let host = self.verifier_url.strip_prefix("https://localhost:");
        ensure!(
            host.is_some(),
            "the login service must be at https://localhost"
        );
        let settings = folder.join("tls.cnf");
        write(&settings, CERTIFICATE)?;
        let (certificate, key) = (folder.join(TLS), folder.join("tls-key.pem"));
        let mut make = Command::new("openssl");
        make.args(["req", "-x509", "-newkey", "ec", "-nodes", "-days", "90"])
            .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-config"])
            .arg(settings)
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null());
        succeed(&mut make)?;
        let text = std::fs::read_to_string(folder.join("verifier.toml"))?;
        let mut verifier: Table = toml::from_str(&text)?;
        let mut tls = Table::new();
        tls.insert(
            "certificate_file".to_owned(),
            certificate.display().to_string().into(),
        );
        tls.insert("key_file".to_owned(), key.display().to_string().into());
        let http = verifier.get_mut("http").and_then(toml::Value::as_table_mut);
        http.context("no [http]")?
            .insert("tls".to_owned(), tls.into());
        Ok(verifier)
    }
}

/// A certificate of a server, and no authority.
const CERTIFICATE: &str = "[req]\nprompt = no\ndistinguished_name = who\nx509_extensions = what\n\
    [who]\nCN = localhost\n\
    [what]\nsubjectAltName = DNS:localhost\nbasicConstraints = critical, CA:FALSE\n";

/// Writes a file; secrets may stand in it.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    let put = || {
        std::fs::write(file, "")?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
        }
        std::fs::write(file, text)
    };
    put().with_context(|| format!("cannot write {}", file.display()))
}

/// Writes which plans are run: name, plan, variant, and the file for the suite.
pub(super) fn runs<const N: usize>(
    folder: &Path,
    runs: [(&str, &str, Value, &str); N],
) -> Result<()> {
    let runs = runs.map(|(name, plan, variant, file)| {
        json!({ "name": name, "plan": plan, "variant": variant, "configuration": file })
    });
    write(
        &folder.join("runs.json"),
        &Value::from(runs.to_vec()).to_string(),
    )
}

pub(super) fn list<const N: usize, T: ToString>(values: [T; N]) -> toml::Value {
    let values = values.map(|value| toml::Value::from(value.to_string()));
    toml::Value::Array(values.to_vec())
}

fn first<'a>(table: &'a mut Table, outer: &str, inner: &str) -> Result<&'a mut Table> {
    let outer = table.get_mut(outer).and_then(toml::Value::as_table_mut);
    let inner = outer.and_then(|outer| outer.get_mut(inner));
    let list = inner.and_then(toml::Value::as_array_mut);
    let first = list.and_then(|list| list.first_mut());
    first
        .and_then(toml::Value::as_table_mut)
        .context("the configuration has another form")
}

pub(super) fn clients(table: &mut Table) -> Result<impl Iterator<Item = &mut Table>> {
    let clients = table.get_mut("client").and_then(toml::Value::as_array_mut);
    let clients = clients.context("no application")?;
    Ok(clients.iter_mut().filter_map(toml::Value::as_table_mut))
}

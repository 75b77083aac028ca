//! The folder of the runs in which the suite is the application. Their wallet is ours, with a card
//! of our issuer.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use toml::Table;

use super::fapi;
use super::folder::{ALIAS, ISSUER, Place, SUITE, WALLET_PORT, clients, list, runs, write};
use super::steps::Steps;
use crate::conformance::suite::certificates;

/// The application that is told of logouts: the modules of other plans take that for a fault.
const TOLD: &str = "rp-told";
/// Where it is told.
const BACK_CHANNEL: &str = "backchannel_logout_uri";
/// The file for the run in which it is.
const TELLS: &str = "told.json";
/// The file for the run of FAPI 2.0.
const FAPI: &str = "fapi2.json";
/// What the suite adds to the redirect URI of a second client.
const SECOND: &str = "?dummy1=lorem&dummy2=ipsum";

impl Place<'_> {
    /// Makes the folder.
    pub(super) fn login(&self, folder: &Path) -> Result<()> {
        let wallet = format!("http://127.0.0.1:{WALLET_PORT}");
        let endpoint = format!("{wallet}/present");
        let [first, second] = fapi::APPLICATIONS;
        let applications = ["rp", "rp2", TOLD, first, second].map(|id| (id, self.suite_url));
        self.generate(folder, ISSUER, &endpoint, &applications)?;
        let mut verifier = self.read(folder)?;
        // Logout tokens go there.
        match certificates(self.suite_url) {
            Ok(text) => {
                let authority = folder.join("suite-authority.pem");
                write(&authority, &text)?;
                let mut fetch = Table::new();
                fetch.insert("extra_ca".to_owned(), list([authority.display()]));
                verifier.insert("fetch".to_owned(), fetch.into());
            }
            Err(error) => println!("logout tokens will not arrive: {error:#}"),
        }
        let mut known = Vec::new();
        for client in clients(&mut verifier)? {
            known.push(self.register(folder, client)?);
        }
        write(&folder.join("verifier.toml"), &verifier.to_string())?;
        let home = folder.join("wallet");
        std::fs::create_dir(&home)?;
        write(&home.join("wallet.toml"), &wallet_settings(folder))?;
        self.describe(folder, &wallet, &known)?;
        let found =
            json!({ "server_metadata": "discovery", "client_registration": "static_client" });
        let code = json!({ "client_registration": "static_client", "response_type": "code" });
        let plan = |name: &str| format!("oidcc-{name}-certification-test-plan");
        let told = plan("backchannel-rp-initiated-logout");
        runs(
            folder,
            [
                ("basic", &plan("basic"), found, SUITE),
                ("config", &plan("config"), json!({}), SUITE),
                ("logout", &plan("rp-initiated-logout"), code.clone(), SUITE),
                ("backchannel", &told, code, TELLS),
                ("fapi2", fapi::PLAN, fapi::variant(), FAPI),
            ],
        )
    }

    /// Registers an application, and says what the suite must know of it.
    fn register(&self, folder: &Path, client: &mut Table) -> Result<Value> {
        let at = |path: &str| format!("{}/{path}", self.test());
        for (name, value) in [
            (
                "redirect_uris",
                list([at("callback"), at("callback") + SECOND]),
            ),
            (
                "post_logout_redirect_uris",
                list([at("post_logout_redirect")]),
            ),
            ("default_query", "membership".into()),
            ("offline_access", true.into()),
        ] {
            client.insert(name.to_owned(), value);
        }
        let text = |client: &Table, name: &str| {
            let value = client.get(name).and_then(toml::Value::as_str);
            value.map(str::to_owned)
        };
        let id = text(client, "id").context("an application without an id")?;
        if id == TOLD {
            client.insert(BACK_CHANNEL.to_owned(), at("backchannel_logout").into());
        } else {
            client.remove(BACK_CHANNEL);
        }
        if fapi::APPLICATIONS.contains(&id.as_str()) {
            return fapi::register(folder, &id, client);
        }
        Ok(json!({ "client_id": id, "client_secret": text(client, "secret") }))
    }

    /// Writes the files for the suite.
    fn describe(&self, folder: &Path, wallet: &str, known: &[Value]) -> Result<()> {
        let test = self.test();
        let steps = Steps {
            verifier: self.verifier_url,
            wallet,
            test: &test,
        };
        let [first, second, told, fapi, fapi_2] = known else {
            bail!("five applications were asked for");
        };
        let mut suite = json!({
            "alias": ALIAS,
            "description": "Vouchsafe, logins",
            "server": {
                "discoveryUrl": format!("{}/.well-known/openid-configuration", self.verifier_url),
            },
            "client": first,
            "client_secret_post": first,
            "client2": second,
            "browser": steps.usual(),
            "override": steps.overrides(),
        });
        write(&folder.join(SUITE), &suite.to_string())?;
        suite["client"] = told.clone();
        write(&folder.join(TELLS), &suite.to_string())?;
        let suite = json!({
            "alias": ALIAS,
            "description": "Vouchsafe, FAPI 2.0",
            "server": suite["server"],
            "client": fapi,
            "client2": fapi_2,
            "resource": { "resourceUrl": format!("{}/userinfo", self.verifier_url) },
            "browser": steps.fapi2(),
            "override": steps.fapi2_overrides(),
        });
        write(&folder.join(FAPI), &suite.to_string())
    }
}

/// The wallet knows issuer and login service, and nobody else.
fn wallet_settings(folder: &Path) -> String {
    let path = |name: &str| format!("{:?}", folder.join(name));
    format!(
        "locales = [\"en\"]\nunknown_issuers = \"refuse\"\nverifier_anchors = [{}]\n\
         [[issuer]]\ncredential_issuer = {ISSUER:?}\nanchors = {}\n\
         [dev]\nloopback_http = true\n",
        path("wallet-verifier-anchors.pem"),
        path("wallet-issuer-anchors.pem"),
    )
}

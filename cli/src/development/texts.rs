//! The TOML of both services.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use toml::Value;

use super::{Application, IssuerPlan, Placement, Plan, VerifierPlan, secret};
use crate::certificates::{DocumentSigner, Leaf};

/// The verifier's private keys.
pub struct VerifierKeys {
    /// Signs presentation requests.
    pub request: Leaf,
    /// Signs ID tokens, RS256.
    pub rs256: String,
    /// Signs ID tokens, ES256.
    pub es256: String,
}

/// The queries of the development set-up, as a business would write them.
const QUERIES: &str = r#"
# Proof of age: one fact, no account, a fresh identifier each time.
[[query]]
id = "age"
scope = "age"
purpose = { en = "To make sure that you are old enough to buy wine", de = "Um sicherzugehen, dass Sie alt genug sind, um Wein zu kaufen", fr = "Pour s’assurer que vous avez l’âge d’acheter du vin", es = "Para asegurarse de que tiene edad para comprar vino", it = "Per assicurarsi che tu abbia l’età per comprare vino", ar = "للتأكد من أنك بلغت السن المطلوبة لشراء النبيذ" }
dcql = '''
{"credentials": [{"id": "proof", "format": "dc+sd-jwt",
  "meta": {"vct_values": ["urn:vouchsafe:age:1"]},
  "claims": [{"path": ["age_equal_or_over", "18"], "values": [true]}]}]}
'''
subject = { strategy = "guest" }
claims = { age_over_18 = ["age_equal_or_over", "18"] }
labels = { age_over_18 = { en = "That you are 18 or older", de = "Dass Sie mindestens 18 sind", fr = "Que vous avez 18 ans ou plus", es = "Que tiene 18 años o más", it = "Che hai almeno 18 anni", ar = "أن عمرك 18 عامًا أو أكثر" } }

# Membership: the member number finds the account and is not told to anybody.
[[query]]
id = "membership"
scope = "membership"
purpose = { en = "To sign you in as a member", de = "Um Sie als Mitglied anzumelden", fr = "Pour vous connecter en tant que membre", es = "Para que acceda como socio", it = "Per farti accedere come socio", ar = "لتسجيل دخولك بصفتك عضوًا" }
dcql = '''
{"credentials": [{"id": "card", "format": "dc+sd-jwt",
  "meta": {"vct_values": ["urn:vouchsafe:membership:1"]},
  "claims": [{"path": ["member_id"]}, {"path": ["tier"]}, {"path": ["valid_until"]}]}]}
'''
subject = { strategy = "issuer_scoped_claim", claim = "member_id" }
card_name = { en = "Membership card", de = "Mitgliedskarte", fr = "Carte de membre", es = "Tarjeta de socio", it = "Tessera di socio", ar = "بطاقة العضوية" }
claims = { membership_tier = ["tier"], membership_valid_until = ["valid_until"] }

[query.labels]
membership_tier = { en = "Your membership level", de = "Ihre Mitgliedsstufe", fr = "Votre niveau d’adhésion", es = "Su nivel de afiliación", it = "Il tuo livello di iscrizione", ar = "مستوى عضويتك" }
membership_valid_until = { en = "Until when your membership is valid", de = "Bis wann Ihre Mitgliedschaft gilt", fr = "Jusqu’à quand votre adhésion est valable", es = "Hasta cuándo es válida su afiliación", it = "Fino a quando vale la tua iscrizione", ar = "مدة صلاحية عضويتك" }
"#;

/// The issuer's configuration.
pub fn issuer(
    plan: &IssuerPlan,
    placement: &mut Placement,
    card: &Leaf,
    mdoc: &DocumentSigner,
    status: &Leaf,
) -> Result<String> {
    let mut text = String::from("# Vouchsafe issuer.\n\n");
    common(
        &mut text,
        plan.loopback_http,
        &plan.url,
        &plan.listen,
        plan.metrics.as_deref(),
    )?;
    writeln!(
        text,
        "\n[database]\nurl = {}\n\n[keys]",
        Value::from(plan.database.as_str())
    )?;
    text += &placement.secret("secret", "issuer-secret.txt", &secret())?;
    let name = |(language, name): (&String, &String)| {
        format!("{language} = {}", Value::from(name.as_str()))
    };
    let names: Vec<String> = plan.names.iter().map(name).collect();
    writeln!(text, "\n[issuer]\nnames = {{ {} }}", names.join(", "))?;
    if !plan.credential_types.is_empty() {
        let path = |path: &PathBuf| path.to_str().map(Value::from);
        let paths: Option<Vec<Value>> = plan.credential_types.iter().map(path).collect();
        let paths = Value::from(paths.context("a path that is not text")?);
        writeln!(text, "credential_types = {paths}")?;
    }
    writeln!(
        text,
        "wallet_link = {}",
        Value::from(plan.offer_link.as_str())
    )?;
    text += "\n# Signs the cards; the certificate stands in each of them.\n[[signing]]\nmethod = \"x5c\"\n";
    text += &placement.secret("key", "issuer-key.pem", &card.key_pem)?;
    text += &placement.certificate("certificates", "issuer-certificates.pem", &card.chain_pem)?;
    text += "\n# Signs them as mdocs, for types that have that form.\n[[signing]]\nformats = [\"mso_mdoc\"]\nmethod = \"x5c\"\n";
    text += &placement.secret("key", "mdoc-key.pem", &mdoc.key_pem)?;
    text += &placement.certificate("certificates", "mdoc-certificates.pem", &mdoc.chain_pem)?;
    text += &placement.certificate("authority", "mdoc-authority.pem", &mdoc.authority_pem)?;
    writeln!(text, "\n[status]\nttl_s = {}", plan.status_ttl_s)?;
    text += "\n# Signs the lists that say which cards are still good.\n[status.signing]\nmethod = \"x5c\"\n";
    text += &placement.secret("key", "status-key.pem", &status.key_pem)?;
    text += &placement.certificate("certificates", "status-certificates.pem", &status.chain_pem)?;
    if let Some((id, redirect)) = &plan.wallet_client {
        writeln!(
            text,
            "\n# A wallet that may use the authorization code flow.\n[[client]]\nid = {}",
            Value::from(id.as_str())
        )?;
        writeln!(
            text,
            "name = \"Vouchsafe wallet\"\nredirect_uris = [{}]",
            Value::from(redirect.as_str())
        )?;
    }
    Ok(text)
}

/// The verifier's configuration, without anybody to trust.
pub fn verifier(
    plan: &VerifierPlan,
    placement: &mut Placement,
    keys: &VerifierKeys,
) -> Result<String> {
    let mut text = String::from("# Vouchsafe verifier.\n\n");
    common(
        &mut text,
        plan.loopback_http,
        &plan.url,
        &plan.listen,
        plan.metrics.as_deref(),
    )?;
    writeln!(
        text,
        "\n[database]\nurl = {}\n\n[keys]",
        Value::from(plan.database.as_str())
    )?;
    text += &placement.secret("secret", "verifier-secret.txt", &secret())?;
    text += "# Signs what wallets are asked; its certificate says who asks.\n";
    text += &placement.secret("request", "request-key.pem", &keys.request.key_pem)?;
    text += &placement.certificate(
        "request_chain",
        "request-certificates.pem",
        &keys.request.chain_pem,
    )?;
    text += "# Sign ID tokens.\n";
    text += &placement.secret("id_token_rs256", "id-token-rs256.pem", &keys.rs256)?;
    text += &placement.secret("id_token_es256", "id-token-es256.pem", &keys.es256)?;
    writeln!(
        text,
        "\n[wallet]\nendpoint = {}",
        Value::from(plan.wallet_endpoint.as_str())
    )?;
    if let Some(endpoint) = &plan.qr_endpoint {
        text += "# Other devices have other wallets.\n";
        writeln!(text, "qr_endpoint = {}", Value::from(endpoint.as_str()))?;
    }
    if plan.wallet_endpoint.starts_with("http") {
        text += "# The wallet is a page, and browsers offer no pages as wallets.\n";
        text += "digital_credentials = []\n";
    }
    writeln!(
        text,
        "\n[status]\nmin_refresh_s = {}",
        plan.status_refresh_s
    )?;
    Ok(text)
}

/// What the verifier of the development set-up trusts, asks and serves, at the end of its
/// configuration.
pub fn trust(
    text: &mut String,
    plan: &Plan,
    placement: &mut Placement,
    card_anchor: &str,
    status_anchor: &str,
) -> Result<()> {
    *text += "\n# Whose cards are believed, and which of their claims name a person for good.\n[[trust.issuer]]\n";
    writeln!(text, "id = {}", Value::from(plan.issuer_url.as_str()))?;
    *text += "types = [\"urn:vouchsafe:age:1\", \"urn:vouchsafe:membership:1\"]\n";
    *text += "stable_claims = { \"urn:vouchsafe:membership:1\" = [\"member_id\"] }\n";
    *text += &placement.certificate("anchors", "trusted-issuers.pem", card_anchor)?;
    *text += &placement.certificate("status_anchors", "trusted-status.pem", status_anchor)?;
    *text += QUERIES;
    for application in &plan.clients {
        client(text, application)?;
    }
    Ok(())
}

fn common(
    text: &mut String,
    loopback_http: bool,
    url: &str,
    listen: &str,
    metrics: Option<&str>,
) -> Result<()> {
    writeln!(
        text,
        "[http]\npublic_url = {}\nlisten = {}",
        Value::from(url),
        Value::from(listen)
    )?;
    if let Some(metrics) = metrics {
        writeln!(text, "metrics_listen = {}", Value::from(metrics))?;
    }
    if loopback_http {
        text.push_str("\n# Plain http, on this machine only.\n[dev]\nloopback_http = true\n");
    }
    Ok(())
}

fn client(text: &mut String, application: &Application) -> Result<()> {
    let Application {
        id,
        name,
        secret,
        url,
        pkce_optional,
        cross_device,
        alg,
    } = application;
    writeln!(
        text,
        "\n[[client]]\nid = {}\nname = {}",
        Value::from(id.as_str()),
        Value::from(name.as_str())
    )?;
    writeln!(text, "secret = {}", Value::from(secret.as_str()))?;
    writeln!(
        text,
        "redirect_uris = [{}]",
        Value::from(format!("{url}/callback"))
    )?;
    writeln!(
        text,
        "post_logout_redirect_uris = [{}]",
        Value::from(format!("{url}/"))
    )?;
    writeln!(
        text,
        "backchannel_logout_uri = {}",
        Value::from(format!("{url}/backchannel-logout"))
    )?;
    writeln!(
        text,
        "scopes = [\"age\", \"membership\"]\n# Whoever relays the code of a login from another device can abuse it: off unless it is needed.\ncross_device = {cross_device}"
    )?;
    writeln!(text, "id_token_signed_response_alg = {}", Value::from(*alg))?;
    if *pkce_optional {
        text.push_str("pkce = \"optional\"\n");
    }
    Ok(())
}

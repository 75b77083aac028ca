//! `vouchsafe issuer offer`: an offer by way of the REST interface of a running issuer.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Map, Value, json};
use vouchsafe_pages::qr;
use vouchsafe_service::config::SecretText;
use vouchsafe_service::fetch::{Fetcher, Limits, Request};
use vouchsafe_service::keys::secret_text;

use crate::ConfigFile;
use crate::init::API_KEY_FILE;
use crate::serve::load_issuer;

/// What is offered to whom.
#[derive(Debug, clap::Args)]
pub struct OfferOptions {
    #[command(flatten)]
    file: ConfigFile,
    /// The credential type, such as `membership`.
    credential_type: String,
    /// What the card says: `NAME=TEXT`, or `NAME:=JSON` for what is no text (`age:=18`).
    #[arg(value_name = "CLAIM", value_parser = claim)]
    claims: Vec<(String, Value)>,
    /// Your own identifier of the person's record.
    #[arg(long, value_name = "ID")]
    record: String,
    /// The person must type a code as well; it is printed below the link.
    #[arg(long)]
    code: bool,
    /// How long the offer is open, in seconds.
    #[arg(long, value_name = "SECONDS")]
    expires_in_s: Option<i64>,
    /// The API key; `api-key.txt` beside the configuration without it.
    #[arg(
        long,
        env = "VOUCHSAFE_API_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    api_key: Option<String>,
    /// A file with the API key.
    #[arg(long, value_name = "FILE", conflicts_with = "api_key")]
    api_key_file: Option<PathBuf>,
    /// Print the whole answer as JSON, and no QR code.
    #[arg(long)]
    json: bool,
}

/// Makes the offer. The link goes to standard output, the picture beside it.
#[expect(clippy::print_stdout, reason = "the link is this command's result")]
pub async fn run(options: OfferOptions) -> Result<()> {
    let file = options.file.issuer()?;
    let config = load_issuer(&file)?;
    let key = key(&options, &file)?;
    let wanted = json!({
        "record_id": options.record,
        "credential_type": options.credential_type,
        "grant": "pre_authorized_code",
        "claims": options.claims.into_iter().collect::<Map<_, _>>(),
        "tx_code": options.code,
        "expires_in_s": options.expires_in_s,
    });
    let fetcher = Fetcher::new(&config.fetch, &config.dev)?;
    let url = config.http.public_url.join("/v1/offers");
    let answer = post(&fetcher, &url, &key, &wanted).await?;
    if options.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    let link = answer.get("link").and_then(Value::as_str);
    let link = link.context("the answer has no link")?;
    println!("{link}");
    if let Some(code) = answer.get("tx_code").and_then(Value::as_str) {
        println!("{code}");
    }
    draw(link);
    Ok(())
}

/// `NAME=TEXT` or `NAME:=JSON`.
fn claim(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("expected NAME=TEXT or NAME:=JSON")?;
    let (name, value) = match name.strip_suffix(':') {
        None => (name, Value::from(value)),
        Some(name) => {
            let problem = |_| format!("what follows `{name}:=` is not JSON");
            (name, serde_json::from_str(value).map_err(problem)?)
        }
    };
    match name.is_empty() {
        true => Err("the claim has no name".to_owned()),
        false => Ok((name.to_owned(), value)),
    }
}

fn key(options: &OfferOptions, config: &Path) -> Result<SecretText> {
    if let Some(key) = &options.api_key {
        return Ok(SecretText::new(key.as_str()));
    }
    let beside = config.with_file_name(API_KEY_FILE);
    let file = options.api_key_file.as_ref().unwrap_or(&beside);
    ensure!(
        file.is_file(),
        "no valid API key: there is no file {}",
        file.display()
    );
    let text = secret_text("api_key", None, Some(file))?;
    Ok(SecretText::new(text.as_str()))
}

async fn post(fetcher: &Fetcher, url: &str, key: &SecretText, body: &Value) -> Result<Value> {
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose()))
        .context("the API key has characters that no key has")?;
    bearer.set_sensitive(true);
    let answer = fetcher
        .send(Request {
            method: Method::POST,
            url,
            headers: HeaderMap::from_iter([(header::AUTHORIZATION, bearer)]),
            body: Some((serde_json::to_vec(body)?, "application/json")),
            limits: Limits::EXCHANGE,
        })
        .await
        .with_context(|| format!("{url} does not answer (hint: `vouchsafe issuer serve`)"))?;
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.is_success() {
        return Ok(told);
    }
    match answer.status {
        401 => bail!("no valid API key: the issuer does not know it"),
        status => bail!("{} ({status} {})", problem(&told), text(&told, "code")),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A problem in words, with what is to be mended.
fn problem(told: &Value) -> String {
    let errors = told.get("errors").and_then(Value::as_array);
    let errors = errors.into_iter().flatten();
    let errors =
        errors.map(|error| format!("{}: {}", text(error, "pointer"), text(error, "detail")));
    let errors: Vec<String> = errors.collect();
    match errors.is_empty() {
        true => text(told, "title").to_owned(),
        false => format!("{}: {}", text(told, "title"), errors.join("; ")),
    }
}

/// Dark on light, whatever the colours of the terminal are.
fn draw(link: &str) {
    let Ok(blocks) = qr::blocks(link) else {
        return;
    };
    let (begin, end) = match std::io::stderr().is_terminal() {
        true => ("\u{1b}[38;5;16;48;5;231m", "\u{1b}[0m"),
        false => ("", ""),
    };
    for line in blocks.lines() {
        eprintln!("{begin}{line}{end}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_text_or_json() {
        assert_eq!(claim("tier=gold"), Ok(("tier".to_owned(), json!("gold"))));
        assert_eq!(claim("a=b=c"), Ok(("a".to_owned(), json!("b=c"))));
        assert_eq!(claim("age:=18"), Ok(("age".to_owned(), json!(18))));
        assert_eq!(
            claim("n:={\"a\":[1]}"),
            Ok(("n".to_owned(), json!({"a": [1]})))
        );
        for bad in ["tier", "=gold", ":=1", "age:=old", "age:="] {
            assert!(claim(bad).is_err(), "{bad}");
        }
    }
}

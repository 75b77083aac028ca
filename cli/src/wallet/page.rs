//! `vouchsafe wallet page`: what a page asks a browser for over the Digital Credentials API, and what
//! the browser takes back to it. Who calls this vouches for the origin of the page, as a browser does.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::describe::describe_question;
use super::handle::WalletHandle;
use super::terminal::{say_json, yes};

/// The longest request that is read.
const MAX_BYTES: u64 = 1 << 20;

/// Answers the first request that is for a wallet like this one.
pub async fn page(
    wallet: &WalletHandle,
    origin: &str,
    file: &Path,
    agreed: bool,
) -> anyhow::Result<()> {
    let options = read(file)?;
    let (protocol, data) = request(&options).context("no request there is for this wallet")?;
    let asking = wallet.page(origin, protocol, data);
    let asking = asking.map_err(|refused| refused.error)?;
    let consent = asking.consent(&["en"]);
    describe_question(&consent);
    if !agreed && !yes("Show this?")? {
        asking.decline()?;
        bail!("nothing was shown");
    }
    let answer = asking.respond(&consent.suggested).await;
    let answer = answer.map_err(|unanswered| unanswered.error)?;
    say_json(&json!({ "protocol": answer.protocol, "data": answer.data }))
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let cannot = || format!("cannot read {}", file.display());
    let opened = std::fs::File::open(file).with_context(cannot)?;
    let mut text = String::new();
    let length = opened.take(MAX_BYTES + 1).read_to_string(&mut text);
    if length.with_context(cannot)? as u64 > MAX_BYTES {
        bail!("{} is too long", file.display());
    }
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))
}

/// The protocol and data of the first request of OpenID4VP 1.0 (appendix A.1) in what
/// `navigator.credentials.get` takes.
fn request(options: &Value) -> Option<(&str, &Value)> {
    let requests = options.get("digital").unwrap_or(options).get("requests")?;
    requests.as_array()?.iter().find_map(|request| {
        let protocol = request.get("protocol")?.as_str()?;
        let ours = protocol.starts_with("openid4vp-v1-");
        ours.then_some((protocol, request.get("data")?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_that_is_ours_is_taken() {
        let other = json!({ "protocol": "org-iso-mdoc", "data": {} });
        let ours = json!({ "protocol": "openid4vp-v1-signed", "data": { "request": "x" } });
        let options = json!({ "digital": { "requests": [other, ours] } });
        for options in [&options, &options["digital"]] {
            let (protocol, data) = request(options).unwrap();
            assert_eq!(
                (protocol, data),
                ("openid4vp-v1-signed", &json!({ "request": "x" }))
            );
        }
        for none in [
            json!({}),
            json!({ "requests": [other] }),
            json!({ "requests": ours }),
        ] {
            assert!(request(&none).is_none(), "{none}");
        }
    }

    #[test]
    fn a_file_that_is_too_long_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("request.json");
        assert!(read(&file).is_err());
        std::fs::write(&file, " ".repeat((1 << 20) - 1) + "1").unwrap();
        assert_eq!(read(&file).unwrap(), json!(1));
        std::fs::write(&file, " ".repeat(1 << 20) + "1").unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("too long"));
    }
}

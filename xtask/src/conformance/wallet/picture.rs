//! A picture of what a terminal shows, for the people who look at a test.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::run::succeed;

/// The text as a `data:` address with a PNG, drawn by Chromium.
pub fn of_terminal(text: &str, folder: &Path) -> Result<String> {
    let (page, picture) = (folder.join("terminal.html"), folder.join("terminal.png"));
    std::fs::write(&page, html(text))?;
    let mut draw = Command::new("chromium");
    draw.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
    ])
    .arg("--window-size=900,300")
    .arg(format!("--screenshot={}", picture.display()))
    .arg(format!("file://{}", page.display()))
    .stdout(Stdio::null())
    .stderr(Stdio::null());
    succeed(&mut draw)?;
    let bytes = std::fs::read(&picture).context("Chromium drew nothing")?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<!doctype html><meta charset=utf-8><body style='background:#111;color:#eee'>\
         <pre style='white-space:pre-wrap;font:14px monospace'>{text}</pre>"
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_stays_text() {
        let page = super::html("a <b> & c");
        assert!(page.contains("a &lt;b> &amp; c"));
    }
}

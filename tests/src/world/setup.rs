//! What a world needs before its services start.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::{Context, Result, bail};
use reqwest::{Certificate, Client, redirect};

use crate::relying_party::Registration;
use crate::tls;

/// Below the ports that the system gives to outgoing connections.
const FIRST_PORT: u16 = 10_240;
const BLOCK: u16 = 32;
const BLOCKS: u16 = 680;

pub(super) fn registrations(
    origins: &[(String, String)],
    secrets: &str,
) -> Result<BTreeMap<String, Registration>> {
    let secrets: BTreeMap<&str, &str> = secrets
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let registration = |(id, origin): &(String, String)| {
        let secret = secrets.get(id.as_str()).context("no secret was printed")?;
        let registration = Registration {
            id: id.clone(),
            secret: (*secret).to_owned(),
            origin: origin.clone(),
        };
        Ok((id.clone(), registration))
    };
    origins.iter().map(registration).collect()
}

pub(super) fn edit(path: &std::path::Path, change: impl FnOnce(String) -> String) -> Result<()> {
    let text = std::fs::read_to_string(path)?;
    std::fs::write(path, change(text))?;
    Ok(())
}

/// Certificates for the listener; the verifier fetches status lists of the issuer at `port`.
pub(super) fn tls_section(files: Option<&tls::Files>, fetches_from: Option<u16>) -> String {
    let Some(files) = files else {
        return String::new();
    };
    let mut text = format!(
        "\n[http.tls]\ncertificate_file = {:?}\nkey_file = {:?}\n",
        files.certificate, files.key
    );
    if let Some(port) = fetches_from {
        text += &format!(
            "\n[fetch]\nallow = [{{ host = \"127.0.0.1\", ports = [{port}], private = true }}]\nextra_ca = [{:?}]\n",
            files.authority
        );
    }
    text
}

pub(super) fn http_client(files: Option<&tls::Files>) -> Result<Client> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(std::time::Duration::from_secs(60));
    if let Some(files) = files {
        let pem = std::fs::read(&files.authority)?;
        builder = builder.tls_certs_only(Certificate::from_pem_bundle(&pem)?);
    }
    Ok(builder.build()?)
}

/// A block of free ports of this world alone.
pub(super) fn block() -> Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % u32::from(BLOCKS))?;
    for _ in 0..BLOCKS {
        let number = (start + NEXT.fetch_add(1, Ordering::Relaxed)) % BLOCKS;
        let first = FIRST_PORT + number * BLOCK;
        let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (first..first + 12).all(free) {
            return Ok(first);
        }
    }
    bail!("no free ports")
}

//! `vouchsafe issuer health`, `vouchsafe verifier health`: whether the service on this machine is
//! ready. For the health checks of containers, which have no other program inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use vouchsafe_service::config::{PublicUrl, load};

/// How long the service may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The only section that matters here: of a service, or of a file that names tenants.
#[derive(Deserialize)]
struct Listening {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    listen: SocketAddr,
    /// A file that names tenants has none: each of them has its own.
    public_url: Option<PublicUrl>,
    tls: Option<IgnoredAny>,
}

/// Asks `/readyz`. Behind a https listener it is only seen whether somebody listens: the certificate
/// is not for this machine's own address.
pub async fn run(file: &Path, environment: &str) -> Result<()> {
    let Listening { http } = load(Some(file), environment)?;
    let asked = tokio::time::timeout(PATIENCE, ask(&http)).await;
    asked.context("no answer in time")?
}

async fn ask(http: &Http) -> Result<()> {
    let address = reachable(http.listen);
    let mut stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("nobody listens on {address}"))?;
    if http.tls.is_some() {
        return Ok(());
    }
    let host = match &http.public_url {
        Some(url) => {
            let url = url::Url::parse(url.as_str())?;
            let host = url.host_str().context("the public address has no host")?;
            host.to_owned()
        }
        // Whether the process is ready is told to who names no tenant.
        None => address.to_string(),
    };
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(1024).read_to_end(&mut answer).await?;
    ensure!(answer.starts_with(b"HTTP/1.1 "), "it does not speak HTTP");
    match answer.get(9..12) {
        Some(b"200" | b"204") => Ok(()),
        Some(status) => bail!("it answers {}", String::from_utf8_lossy(status)),
        None => bail!("it does not answer"),
    }
}

/// Where a listener on every address answers.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(match listen.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    listen
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answered(head: &'static str) -> Result<()> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut request = [0; 512];
            let read = stream.read(&mut request).await?;
            stream.write_all(head.as_bytes()).await?;
            anyhow::Ok(String::from_utf8_lossy(&request[..read]).into_owned())
        });
        let http = format!("listen = \"0.0.0.0:{port}\"\npublic_url = \"https://issuer.example\"");
        let Listening { http } = vouchsafe_service::config::parse(&format!("[http]\n{http}"))?;
        let result = ask(&http).await;
        assert!(
            served
                .await??
                .starts_with("GET /readyz HTTP/1.1\r\nhost: issuer.example\r\n")
        );
        result
    }

    #[tokio::test]
    async fn only_a_ready_service_is_healthy() {
        answered("HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        for other in [
            "HTTP/1.1 503 Service Unavailable\r\n\r\n",
            "SSH-2.0\r\n",
            "",
        ] {
            answered(other).await.unwrap_err();
        }
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = closed.local_addr().unwrap();
        drop(closed);
        let text = format!("[http]\nlisten = \"{address}\"\npublic_url = \"https://a.example\"");
        let Listening { http } = vouchsafe_service::config::parse(&text).unwrap();
        assert!(
            ask(&http)
                .await
                .unwrap_err()
                .to_string()
                .contains("nobody listens")
        );
    }
}

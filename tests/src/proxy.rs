//! A TCP proxy that slows or cuts a connection between two parties.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// How the proxy treats what passes through it; changes at once.
#[derive(Debug, Default)]
struct Weather {
    cut: AtomicBool,
    changed: Notify,
    delay_ms: AtomicU64,
    answers_left: AtomicU64,
    limited: AtomicBool,
}

/// A proxy on a port of its own in front of `target`; it ends with this value.
#[derive(Debug)]
pub struct Proxy {
    /// Where clients connect.
    pub address: SocketAddr,
    weather: Arc<Weather>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Listens on loopback and forwards to `target`.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let weather = Arc::new(Weather::default());
        let shared = Arc::clone(&weather);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let weather = Arc::clone(&shared);
                tokio::spawn(async move {
                    // An error here is what a broken network looks like.
                    forward(client, target, &weather).await.ok();
                });
            }
        });
        Ok(Self {
            address,
            weather,
            task,
        })
    }

    /// Cuts every connection and refuses new ones until [`Proxy::mend`].
    pub fn cut(&self) {
        self.weather.cut.store(true, Ordering::SeqCst);
        self.weather.changed.notify_waiters();
    }

    /// Lets everything pass again.
    pub fn mend(&self) {
        self.weather.cut.store(false, Ordering::SeqCst);
        self.weather.limited.store(false, Ordering::SeqCst);
        self.weather.delay_ms.store(0, Ordering::SeqCst);
    }

    /// Delays every piece of data.
    pub fn slow(&self, delay: Duration) {
        let milliseconds = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.weather.delay_ms.store(milliseconds, Ordering::SeqCst);
    }

    /// Cuts the connection once so many bytes of answers have passed: the
    /// request arrived, the answer did not.
    pub fn cut_answers_after(&self, bytes: u64) {
        self.weather.answers_left.store(bytes, Ordering::SeqCst);
        self.weather.limited.store(true, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(client: TcpStream, target: SocketAddr, weather: &Weather) -> Result<()> {
    if weather.cut.load(Ordering::SeqCst) {
        return Ok(());
    }
    let server = TcpStream::connect(target).await?;
    let (mut client_in, mut client_out) = client.into_split();
    let (mut server_in, mut server_out) = server.into_split();
    let requests = async {
        let mut buffer = [0; 16 * 1024];
        loop {
            let length = client_in.read(&mut buffer).await?;
            if length == 0 {
                server_out.shutdown().await?;
                return std::io::Result::Ok(());
            }
            pause(weather).await;
            server_out.write_all(&buffer[..length]).await?;
        }
    };
    let answers = async {
        let mut buffer = [0; 16 * 1024];
        loop {
            let length = server_in.read(&mut buffer).await?;
            if length == 0 {
                client_out.shutdown().await?;
                return std::io::Result::Ok(());
            }
            pause(weather).await;
            if weather.limited.load(Ordering::SeqCst) {
                let left = weather.answers_left.load(Ordering::SeqCst);
                let passing = usize::try_from(left).unwrap_or(usize::MAX).min(length);
                client_out.write_all(&buffer[..passing]).await?;
                weather
                    .answers_left
                    .fetch_sub(passing as u64, Ordering::SeqCst);
                if passing < length {
                    return Err(std::io::ErrorKind::ConnectionReset.into());
                }
            } else {
                client_out.write_all(&buffer[..length]).await?;
            }
        }
    };
    tokio::select! {
        both = async { tokio::try_join!(requests, answers) } => { both?; }
        () = weather.changed.notified() => {}
    }
    Ok(())
}

async fn pause(weather: &Weather) {
    let delay = weather.delay_ms.load(Ordering::SeqCst);
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut input, mut output) = stream.split();
                    tokio::io::copy(&mut input, &mut output).await.ok();
                });
            }
        });
        address
    }

    #[tokio::test]
    async fn passes_cuts_and_mends() {
        let proxy = Proxy::start(echo().await).await.unwrap();
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"hello");

        proxy.cut();
        assert!(matches!(stream.read(&mut answer).await, Ok(0) | Err(_)));

        proxy.mend();
        proxy.cut_answers_after(3);
        let mut stream = TcpStream::connect(proxy.address).await.unwrap();
        stream.write_all(b"hello").await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.ok();
        assert_eq!(received, b"hel");
    }
}

//! Signing in at an issuer: the browser goes there and comes back, to a listener of ours or to an
//! address that the person copies.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::sync::oneshot;
use url::{Host, Url};
use vouchsafe_service::http::Params;
use vouchsafe_wallet_core::issuance::Authorize;

use super::terminal::ask;

/// What the browser shows at the end.
const CLOSE: &str = "Done. You can close this page and go back to the terminal.\n";
/// What it shows when the answer is not the one that is waited for.
const NOT_OURS: &str = "This is not the sign-in that the wallet waits for.\n";

/// Shows where to sign in; the query with which the browser came back.
pub async fn sign_in(authorize: &Authorize) -> anyhow::Result<String> {
    eprintln!("Sign in here: {}", authorize.url());
    match listening_at(authorize.redirect_uri()) {
        Some(address) => listen(&address, authorize).await,
        None => {
            let back = ask("Address that the browser came back to: ")?;
            let query = back
                .split_once('?')
                .map_or(back.as_str(), |(_, query)| query);
            Ok(query.to_owned())
        }
    }
}

/// Address on this machine that the redirect URI names, with a port of its own (RFC 8252,
/// section 7.3).
fn listening_at(redirect_uri: &Url) -> Option<String> {
    let port = redirect_uri.port()?;
    match (redirect_uri.scheme(), redirect_uri.host()?) {
        ("http", Host::Ipv4(address)) if address.is_loopback() => Some(format!("{address}:{port}")),
        ("http", Host::Ipv6(address)) if address.is_loopback() => {
            Some(format!("[{address}]:{port}"))
        }
        _ => None,
    }
}

async fn listen(address: &str, authorize: &Authorize) -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen at {address}"))?;
    eprintln!("Waiting for the browser to come back.");
    let (sender, receiver) = oneshot::channel();
    let sender = Arc::new(Mutex::new(Some(sender)));
    let state = authorize.state().to_owned();
    let handler = move |RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        let params = Params::parse(query.as_bytes()).ok();
        let ours = params.is_some_and(|params| params.get("state") == Some(&state));
        let mut sender = sender.lock().unwrap_or_else(PoisonError::into_inner);
        match sender.take_if(|_| ours) {
            Some(sender) => {
                // Who waits may have gone; the page says the same.
                let _ = sender.send(query);
                (StatusCode::OK, CLOSE)
            }
            None => (StatusCode::BAD_REQUEST, NOT_OURS),
        }
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let router = Router::new().route(authorize.redirect_uri().path(), get(handler));
    let server = axum::serve(listener, router).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(async move { server.await });
    let query = receiver.await.context("the browser did not come back")?;
    // The answer to the browser is finished before the listener goes.
    let _ = stop.send(());
    let _ = server.await;
    Ok(query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_with_a_port_on_this_machine_is_listened_at() {
        let at = |text: &str| listening_at(&text.parse().unwrap());
        assert_eq!(
            at("http://127.0.0.1:4011/callback").as_deref(),
            Some("127.0.0.1:4011")
        );
        assert_eq!(at("http://[::1]:4011/x").as_deref(), Some("[::1]:4011"));
        for other in [
            "http://127.0.0.1/callback",
            "https://127.0.0.1:4011/callback",
            "http://192.168.1.1:4011/callback",
            "http://wallet.example:4011/callback",
            "vouchsafe://callback",
        ] {
            assert_eq!(at(other), None, "{other}");
        }
    }
}

//! Listening, with or without TLS, and stopping without breaking anybody off.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use axum::Router;
use axum_server::{
    Handle,
    tls_rustls::{RustlsConfig, from_tcp_rustls},
};
use socket2::{Domain, Socket, Type};

use super::{limits, transport};
use crate::{shutdown::Shutdown, tls::TlsConfig};

/// Requests that are running when the service stops have so long to end.
const DRAIN: Duration = Duration::from_secs(10);
/// A connection that sends no complete request in this time is closed.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
/// Connections that the system holds until the service takes them. The standard library asks for
/// 128: when more callers come at once, the system drops the last step of their handshake, and they
/// wait for seconds while they believe to be connected.
const BACKLOG: i32 = 4096;

/// Why a listener ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The listener broke.
    #[error("the listener failed")]
    Listen(#[source] io::Error),
}

/// Binds an address; port 0 takes a free one (ask the listener for its address).
pub fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    listen(address).map_err(|source| ServeError::Bind { address, source })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // As the standard library does: a restart need not wait for connections that were closed.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Serves `router` until `shutdown`, then lets running requests end for at most ten seconds.
///
/// Handlers see the peer's address as [`ClientAddress`](super::ClientAddress).
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsConfig>,
    router: Router,
    shutdown: Shutdown,
) -> Result<(), ServeError> {
    let handle = Handle::new();
    let drain = tokio::spawn(stop_when_asked(handle.clone(), shutdown));
    let router = transport::around(router, tls.is_some());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = match tls {
        None => {
            let mut server = axum_server::from_tcp(listener)
                .map_err(ServeError::Listen)?
                .http1_only()
                .first_request_timeout(FIRST_REQUEST)
                .handle(handle);
            server.http_builder().http1().max_buf_size(limits::HEADERS);
            server.serve(service).await
        }
        Some(tls) => {
            let config = RustlsConfig::from_config(tls.server_config());
            let mut server = from_tcp_rustls(listener, config)
                .map_err(ServeError::Listen)?
                .http1_only()
                .first_request_timeout(FIRST_REQUEST)
                .handle(handle);
            server.http_builder().http1().max_buf_size(limits::HEADERS);
            server.serve(service).await
        }
    };
    drain.abort();
    served.map_err(ServeError::Listen)
}

async fn stop_when_asked(handle: Handle<SocketAddr>, mut shutdown: Shutdown) {
    shutdown.wait().await;
    handle.graceful_shutdown(Some(DRAIN));
}

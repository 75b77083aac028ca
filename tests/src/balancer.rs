//! A load balancer without sticky sessions in front of several processes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::{Client, redirect};

/// Largest body that passes.
const MAX_BODY: usize = 4 << 20;

/// Headers of one connection (RFC 9110, section 7.6.1), and what the client writes itself.
const NOT_PASSED: [HeaderName; 4] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::CONTENT_LENGTH,
    header::UPGRADE,
];

/// Gives each request to the next process; it ends with this value.
#[derive(Debug)]
pub struct Balancer {
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    targets: Vec<SocketAddr>,
    turn: AtomicUsize,
    broken: AtomicUsize,
}

impl Balancer {
    /// Listens at `address`.
    pub async fn start(address: SocketAddr, targets: Vec<SocketAddr>) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            // A connection that is kept would be one to a process that has ended.
            .pool_max_idle_per_host(0)
            .build()?;
        let shared = Arc::new(Shared {
            client,
            targets,
            turn: AtomicUsize::new(0),
            broken: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            // An error here shows as a service that nobody reaches.
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { shared, task })
    }

    /// Requests that reached a process and brought no answer.
    pub fn broken(&self) -> usize {
        self.shared.broken.load(Ordering::SeqCst)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    for _ in 0..shared.targets.len() {
        let turn = shared.turn.fetch_add(1, Ordering::SeqCst);
        let target = shared.targets[turn % shared.targets.len()];
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = shared
            .client
            .request(parts.method.clone(), format!("http://{target}{path}"))
            .body(body.clone());
        for (name, value) in &parts.headers {
            if !NOT_PASSED.contains(name) {
                request = request.header(name, value);
            }
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            // Nothing was sent: the next one may have it.
            Err(error) if error.is_connect() => continue,
            Err(_) => return bad_gateway(&shared),
        };
        return match back(answer).await {
            Ok(response) => response,
            Err(_) => bad_gateway(&shared),
        };
    }
    bad_gateway(&shared)
}

async fn back(answer: reqwest::Response) -> Result<Response> {
    let status = answer.status();
    let headers = answer.headers().clone();
    let mut response = Response::new(Body::from(answer.bytes().await?));
    *response.status_mut() = status;
    for (name, value) in &headers {
        if !NOT_PASSED.contains(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
    Ok(response)
}

fn bad_gateway(shared: &Shared) -> Response {
    shared.broken.fetch_add(1, Ordering::SeqCst);
    let kind = (header::CONTENT_TYPE, "application/json");
    let body = r#"{"error":"bad_gateway"}"#;
    (StatusCode::BAD_GATEWAY, [kind], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;

    async fn service(name: &'static str) -> (SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async move || name));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.ok();
        });
        (address, task)
    }

    #[tokio::test]
    async fn takes_turns_and_leaves_out_who_is_gone() {
        let (one, first) = service("one").await;
        let (two, _second) = service("two").await;
        let address = (
            [127, 0, 0, 1],
            crate::process::free_port("127.0.0.1").unwrap(),
        )
            .into();
        let balancer = Balancer::start(address, vec![one, two]).await.unwrap();
        let ask = async || {
            let answer = reqwest::get(format!("http://{address}/")).await.unwrap();
            answer.text().await.unwrap()
        };
        let mut answers = [ask().await, ask().await];
        answers.sort();
        assert_eq!(answers, ["one", "two"]);
        first.abort();
        first.await.ok();
        for _ in 0..3 {
            assert_eq!(ask().await, "two");
        }
        assert_eq!(balancer.broken(), 0);
    }
}

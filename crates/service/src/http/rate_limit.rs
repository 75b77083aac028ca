//! Limits of requests per client network, on monotonic time.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use super::{client_address::ClientAddress, error::Problem};

/// Above so many networks in memory, those that sent nothing lately are forgotten.
const REMEMBERED: usize = 50_000;

/// A limit for one group of routes:
/// `router.layer(axum::middleware::from_fn_with_state(limit, RateLimit::layer))`.
#[derive(Clone)]
pub struct RateLimit {
    limiter: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    clock: DefaultClock,
}

impl RateLimit {
    /// At most `burst` requests at once and `per_minute` in the long run, for each network.
    pub fn per_minute(per_minute: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_minute(per_minute).allow_burst(burst);
        Self {
            limiter: Arc::new(RateLimiter::keyed(quota)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request; the error is how long to wait.
    pub fn check(&self, client: ClientAddress) -> Result<(), Duration> {
        if self.limiter.len() > REMEMBERED {
            self.limiter.retain_recent();
        }
        self.limiter
            .check_key(&client.network())
            .map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// The middleware: 429 with `Retry-After` beyond the limit.
    pub async fn layer(State(limit): State<Self>, request: Request, next: Next) -> Response {
        match limit.check(ClientAddress::of(request.extensions())) {
            Ok(()) => next.run(request).await,
            Err(wait) => too_many(wait),
        }
    }
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RateLimit")
    }
}

pub(super) fn too_many(wait: Duration) -> Response {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "Too many requests from this network.",
    )
    .retry_after(wait.as_secs() + 1)
    .into_response()
}

//! Logs on standard error and metrics for Prometheus. Neither carries bodies, claims or tokens.

use std::{fmt, io, sync::LazyLock};

use axum::{Router, http::header, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sha2::{Digest, Sha256};
use tracing_subscriber::{EnvFilter, fmt as logs, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{LogConfig, LogFormat};
use crate::tenant::PerTenant;

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter of `[log]` does not parse.
    #[error("`log.filter` is not a filter such as `info` or `info,vouchsafe_verifier=debug`")]
    Filter,
    /// Somebody set up logs before.
    #[error("logs are set up already")]
    Twice,
}

/// Starts logging to standard error. Standard output stays free for data.
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let LogConfig { format, filter } = config;
    let filter = EnvFilter::try_new(filter).map_err(|_| TelemetryError::Filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Text => registry
            .with(logs::layer().with_writer(io::stderr).with_ansi(false))
            .try_init(),
        LogFormat::Json => registry
            .with(logs::layer().json().with_writer(io::stderr))
            .try_init(),
    };
    started.map_err(|_| TelemetryError::Twice)
}

/// Upper bounds of the buckets of `*_seconds`.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Upper bounds of what people take their time for: a login, a step of it.
const HUMAN_SECONDS: [f64; 12] = [
    0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 34.0, 60.0, 120.0, 300.0,
];

/// Upper bounds of scores, which are ratios: a power of ten for each.
const SCORES: [f64; 9] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4];

/// Histograms with bounds of their own.
const OWN_BOUNDS: [(&str, &[f64]); 3] = [
    ("vouchsafe_journey_duration_seconds", &HUMAN_SECONDS),
    ("vouchsafe_step_duration_seconds", &HUMAN_SECONDS),
    ("vouchsafe_risk_score", &SCORES),
];

/// How histograms are counted.
fn buckets() -> PrometheusBuilder {
    let usual = PrometheusBuilder::new().set_buckets(&SECONDS);
    let usual = usual.expect("the list of buckets is not empty");
    OWN_BOUNDS.iter().fold(usual, |builder, (name, bounds)| {
        builder
            .set_buckets_for_metric(Matcher::Full((*name).to_owned()), bounds)
            .expect("the list of buckets is not empty")
    })
}

/// One recorder for the process, however many services run in it; their names are a label.
static RECORDER: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    let recorder = buckets().build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(PerTenant(recorder)).is_err() {
        tracing::warn!("another metrics recorder is installed; /metrics stays empty");
    }
    metrics::gauge!("vouchsafe_build_info", "version" => env!("CARGO_PKG_VERSION"), "git" => COMMIT)
        .set(1.0);
    handle
});

/// The commit that the program was built from, where whoever built it said so.
const COMMIT: &str = match option_env!("VOUCHSAFE_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};

/// Starts to record metrics; a second call changes nothing.
pub fn install_metrics() {
    LazyLock::force(&RECORDER);
}

/// `GET /metrics`, to be served on a listener of its own that is not public.
pub fn metrics_router() -> Router {
    install_metrics();
    let text = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    Router::new().route(
        "/metrics",
        get(async move || {
            RECORDER.run_upkeep();
            (text, RECORDER.render())
        }),
    )
}

/// A tag by which log lines about the same secret or identifier can be found, without telling
/// what it is: the first 48 bits of its SHA-256. Only for values with much entropy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tag([u8; 6]);

impl Tag {
    /// The tag of a value.
    pub fn of(value: &str) -> Self {
        let digest = Sha256::digest(value.as_bytes());
        let mut tag = [0; 6];
        tag.copy_from_slice(&digest[..6]);
        Self(tag)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// A public name from outside (a client id, a credential type) made fit for a log line: at most
/// 80 visible ASCII characters, everything else becomes `?`.
#[derive(Debug, Clone, Copy)]
pub struct Name<'a>(
    /// The name as it came.
    pub &'a str,
);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().take(80).try_for_each(|c| {
            let shown = if c.is_ascii_graphic() { c } else { '?' };
            fmt::Write::write_char(f, shown)
        })
    }
}

/// A value that never appears in logs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hidden<T>(
    /// The value.
    pub T,
);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cat_403_names_cannot_forge_log_lines() {
        let name = "client\r\n2026-01-01 ERROR forged\u{1b}[31m\u{202e}x";
        assert_eq!(
            Name(name).to_string(),
            "client??2026-01-01?ERROR?forged?[31m?x"
        );
        assert_eq!(Name(&"a".repeat(1000)).to_string().len(), 80);
    }

    #[test]
    fn what_people_take_their_time_for_and_scores_have_bounds_of_their_own() {
        let recorder = buckets().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            for (name, _) in OWN_BOUNDS {
                metrics::histogram!(name).record(0.7);
            }
            metrics::histogram!("http_request_seconds").record(0.7);
        });
        let text = recorder.handle().render();
        for (name, bounds) in OWN_BOUNDS {
            for bound in bounds {
                let line = format!("{name}_bucket{{le=\"{bound}\"}} {}", u8::from(*bound > 0.7));
                assert!(text.contains(&line), "{line} in {text}");
            }
        }
        assert!(text.contains("http_request_seconds_bucket{le=\"0.5\"} 0"));
    }

    #[test]
    fn tags_and_hidden_values_show_nothing() {
        assert_eq!(Tag::of("canary").to_string().len(), 12);
        assert!(!format!("{:?}", Tag::of("canary")).contains("canary"));
        assert_eq!(format!("{:?}", Hidden("canary")), "(hidden)");
    }
}

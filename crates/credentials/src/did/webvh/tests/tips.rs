use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{NOW, Writer, key, multikey};
use crate::crypto::Portable;
use crate::did::{
    DidFetch, DidFetchError, ErrorCode, Fetched, Resolution, ResolutionOptions, Resolver,
    WebResolver,
};
use crate::testing::FixedClock;

/// A host whose file can be changed.
#[derive(Clone, Default)]
struct Host(Arc<Mutex<(String, Option<String>)>>);

#[async_trait::async_trait]
impl DidFetch for Host {
    async fn fetch(&self, _: &str, _: usize) -> Result<Fetched, DidFetchError> {
        let (log, content_type) = self.0.lock().unwrap().clone();
        Ok(Fetched {
            content_type,
            body: log.into_bytes(),
        })
    }
}

struct World {
    host: Host,
    resolver: WebResolver<Host>,
}

impl World {
    fn new() -> Self {
        let host = Host::default();
        let clock = Arc::new(FixedClock::new(NOW));
        let resolver = WebResolver::new(host.clone(), Arc::new(Portable), clock);
        Self { host, resolver }
    }

    fn resolve_with(&self, writer: &Writer, options: &ResolutionOptions) -> Resolution {
        self.host.0.lock().unwrap().0 = writer.text();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(self.resolver.resolve(&writer.did, options))
    }

    fn resolve(&self, writer: &Writer) -> Result<(), ErrorCode> {
        let resolution = self.resolve_with(writer, &ResolutionOptions::default());
        resolution.active().map(drop).map_err(|error| error.code)
    }
}

/// The first `versions` versions of a log.
fn log(versions: usize) -> Writer {
    let a = key(1);
    let mut writer = Writer::new(json!({"updateKeys": [multikey(&a)]}), &a);
    for version in 2..=versions {
        let time = format!("2026-01-0{version}T00:00:00Z");
        writer.update(&time, json!({}), &a);
    }
    writer
}

#[test]
fn a_log_that_lost_its_end_is_refused() {
    let world = World::new();
    assert_eq!(world.resolve(&log(1)), Ok(()));
    assert_eq!(world.resolve(&log(3)), Ok(()));
    for older in [1, 2] {
        assert_eq!(world.resolve(&log(older)), Err(ErrorCode::InvalidDid));
        // By itself it is a good log, and so it is to who has seen no other.
        assert_eq!(World::new().resolve(&log(older)), Ok(()));
    }
    // Not even for a version that is in it.
    let options = ResolutionOptions {
        version_number: Some(1),
        ..ResolutionOptions::default()
    };
    assert!(world.resolve_with(&log(2), &options).active().is_err());
    assert!(world.resolve_with(&log(3), &options).active().is_ok());
    assert_eq!(world.resolve(&log(4)), Ok(()), "it goes on from there");
}

#[test]
fn a_log_that_was_written_another_way_is_refused() {
    let (world, a) = (World::new(), key(1));
    assert_eq!(world.resolve(&log(2)), Ok(()));
    let mut other = log(1);
    other.update("2026-01-02T00:00:01Z", json!({}), &a);
    for _ in 0..2 {
        assert_eq!(World::new().resolve(&other), Ok(()));
        assert_eq!(world.resolve(&other), Err(ErrorCode::InvalidDid));
        // Longer than what was seen.
        other.update("2026-01-03T00:00:01Z", json!({}), &a);
    }
    assert_eq!(world.resolve(&log(3)), Ok(()));
}

#[test]
fn a_log_that_is_refused_is_not_remembered() {
    let (world, stranger) = (World::new(), key(2));
    let mut bad = log(2);
    bad.update("2026-01-03T00:00:00Z", json!({}), &stranger);
    assert_eq!(world.resolve(&bad), Err(ErrorCode::InvalidDid));
    assert_eq!(world.resolve(&log(1)), Ok(()));
}

#[test]
fn cat_191_a_page_is_no_log_and_other_types_do_not_matter() {
    let world = World::new();
    for (content_type, good) in [
        (Some("text/jsonl"), true),
        (Some("application/jsonl; charset=utf-8"), true),
        (Some("application/octet-stream"), true),
        (Some("text/plain"), true),
        (None, true),
        (Some("text/html; charset=utf-8"), false),
        (Some("Application/XHTML+XML"), false),
    ] {
        world.host.0.lock().unwrap().1 = content_type.map(str::to_owned);
        assert_eq!(world.resolve(&log(1)).is_ok(), good, "{content_type:?}");
    }
}

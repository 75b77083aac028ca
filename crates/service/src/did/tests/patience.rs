//! What nobody can make the service do: ask again and again, or believe a key past its end.

use super::*;
use crate::did::PatientFetch;
use vouchsafe_credentials::crypto::AwsLc;

/// Counts, and answers with the same body.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicU32>);

#[async_trait]
impl DidFetch for Counting {
    async fn fetch(&self, _: &str, _: usize) -> Result<Fetched, DidFetchError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Fetched {
            content_type: None,
            body: b"{}".to_vec(),
        })
    }
}

#[tokio::test]
async fn versions_do_not_ask_more_often() {
    let source = Counting::default();
    let clock = Arc::new(FixedClock::new(START));
    let patient = PatientFetch::new(source.clone(), clock.clone());
    let web = WebResolver::new(patient, Arc::new(AwsLc), clock.clone());
    let resolver = CachedResolver::new(web, clock.clone(), Reach::Any);
    let did = "did:webvh:QmVVo7PVBXzxBAvYrSLaauyoRK1tHUe81J8TxCYyuRe8Vy:issuer.example";
    let ask_all = async || {
        for n in 0..20 {
            let (mut by_id, mut by_number, mut by_time) =
                <[ResolutionOptions; 3]>::default().into();
            by_id.version_id = Some(format!("{n}-Qm"));
            by_number.version_number = Some(n);
            by_time.version_time = Some(START.plus(i64::try_from(n).unwrap()));
            by_time.no_cache = true;
            for options in [by_id, by_number, by_time] {
                assert!(resolver.resolve(did, &options).await.document.is_none());
            }
        }
        source.0.load(Ordering::SeqCst)
    };
    assert_eq!(ask_all().await, 1);
    clock.advance(59);
    assert_eq!(ask_all().await, 1);
    clock.advance(61);
    assert_eq!(ask_all().await, 2);
}

#[tokio::test]
async fn a_method_past_its_end_is_refused_from_a_remembered_document() {
    for member in ["expires", "revoked"] {
        let world = World::new(&["#a"]);
        let mut document = keys(&["#a"]);
        // 60 seconds after the start.
        document["assertionMethod"][0][member] = "2026-11-23T00:01:00Z".into();
        world.set(Ok(document));
        assert_eq!(world.key("a").await, Ok(()), "{member}");
        world.clock.advance(59);
        assert_eq!(world.key("a").await, Ok(()), "{member}");
        world.clock.advance(1);
        let refused = world.key("a").await;
        assert_eq!(
            refused,
            Err("invalid_verification_method".into()),
            "{member}"
        );
        assert_eq!(world.asked(), 1);
    }
}
